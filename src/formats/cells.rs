//! Where the cells of one row begin and end: a pure function over bytes, called once per row.
//!
//! A quote opens a quoted cell only as the first byte of a cell; elsewhere it is text. Inside, a doubled quote is
//! one quote, and nothing else escapes unless the file has a mark for it. After the closing quote only spaces and tabs
//! may stand before the next delimiter: anything else means that a quote was lost, often rows ago, and the row is not
//! to be trusted.
//! A row ends with LF, CRLF or CR.

use memchr::{memchr, memchr2};

use super::record::Span;

/// The bytes that matter besides the line breaks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Marks {
    pub delimiter: u8,
    /// None: quotes are text like any other.
    pub quote: Option<u8>,
    /// Stands before a quote, or before itself, inside quotes. None: only a doubled quote is text.
    pub escape: Option<u8>,
    pub max_columns: usize,
}

/// How a look at the bytes of a row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    /// The cells end at `end`, and the next row begins at `next`, so many line breaks inside cells later.
    Row {
        end: usize,
        next: usize,
        breaks: u64,
    },
    /// The row does not end within these bytes, and more may come.
    More,
    /// The bytes are all there is, and a quote is open, since after so many line breaks.
    Unclosed {
        breaks: u64,
    },
    TooMany,
}

/// What a row needs besides its spans; kept and cleared by the caller.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// Cells that hold doubled quotes still to be halved.
    pub doubled: Vec<usize>,
    /// Cells with text after their closing quote.
    pub stray: Vec<usize>,
    /// The longest cell, in bytes.
    pub longest: usize,
}

impl Findings {
    fn clear(&mut self) {
        self.doubled.clear();
        self.stray.clear();
        self.longest = 0;
    }
}

/// Finds the cells of the row that begins at the first of `bytes` (which is no line break). `last`: nothing follows.
pub(super) fn cut(bytes: &[u8], last: bool, marks: Marks, spans: &mut Vec<Span>, findings: &mut Findings) -> Cut {
    spans.clear();
    findings.clear();
    let mut at = 0;
    let mut breaks = 0;
    loop {
        let stop = if marks.quote.is_some() && bytes.get(at).copied() == marks.quote {
            let quote = bytes[at];
            let open = at + 1;
            let mut from = open;
            let mut doubled = false;
            let close = loop {
                match memchr(quote, &bytes[from..]) {
                    None if last => return Cut::Unclosed { breaks },
                    None => return Cut::More,
                    Some(found) => {
                        let found = from + found;
                        if marks.escape.is_some_and(|escape| is_escaped(&bytes[from..found], escape)) {
                            doubled = true;
                            from = found + 1;
                            continue;
                        }
                        match bytes.get(found + 1) {
                            None if !last => return Cut::More,
                            Some(&next) if next == quote => {
                                doubled = true;
                                from = found + 2;
                            }
                            _ => break found,
                        }
                    }
                }
            };
            doubled |= marks.escape.is_some_and(|escape| memchr(escape, &bytes[open..close]).is_some());
            if doubled {
                findings.doubled.push(spans.len());
            }
            breaks += line_breaks(&bytes[open..close]);
            let stop = end_of_plain(bytes, close + 1, marks.delimiter);
            if bytes[close + 1..stop].iter().any(|b| !matches!(b, b' ' | b'\t')) {
                findings.stray.push(spans.len());
                spans.push(Span::new(open, stop));
            } else {
                spans.push(Span::new(open, close));
            }
            findings.longest = findings.longest.max(stop - open);
            stop
        } else {
            let stop = end_of_plain(bytes, at, marks.delimiter);
            spans.push(Span::new(at, stop));
            findings.longest = findings.longest.max(stop - at);
            stop
        };
        if spans.len() > marks.max_columns {
            return Cut::TooMany;
        }
        match bytes.get(stop) {
            None if last => return Cut::Row { end: stop, next: stop, breaks },
            None => return Cut::More,
            Some(b'\n') => return Cut::Row { end: stop, next: stop + 1, breaks },
            Some(b'\r') => match bytes.get(stop + 1) {
                None if !last => return Cut::More,
                Some(b'\n') => return Cut::Row { end: stop, next: stop + 2, breaks },
                _ => return Cut::Row { end: stop, next: stop + 1, breaks },
            },
            Some(_) => at = stop + 1,
        }
    }
}

/// Whether an odd number of escapes stands before what follows these bytes.
fn is_escaped(before: &[u8], escape: u8) -> bool {
    before.iter().rev().take_while(|byte| **byte == escape).count() % 2 == 1
}

/// The next delimiter or line break at or after `at`, or the end. Cells are short: eight bytes at a time beat a
/// call per cell to a routine made for long searches.
#[inline]
fn end_of_plain(bytes: &[u8], mut at: usize, delimiter: u8) -> usize {
    const LOW: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const LF: u64 = LOW * b'\n' as u64;
    const CR: u64 = LOW * b'\r' as u64;
    let wanted = LOW * u64::from(delimiter);
    // A byte that is zero sets its high bit; a false mark can only stand above a true one, and the lowest is taken.
    let zero = |word: u64| word.wrapping_sub(LOW) & !word;
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let found = (zero(word ^ wanted) | zero(word ^ LF) | zero(word ^ CR)) & HIGH;
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while at < bytes.len() && bytes[at] != delimiter && bytes[at] != b'\n' && bytes[at] != b'\r' {
        at += 1;
    }
    at
}

/// Line breaks in the text of a cell: LF, CRLF and CR count one each.
pub(super) fn line_breaks(bytes: &[u8]) -> u64 {
    let mut count = 0;
    let mut at = 0;
    while let Some(found) = memchr2(b'\n', b'\r', &bytes[at..]) {
        let found = at + found;
        at = found + if bytes[found] == b'\r' && bytes.get(found + 1) == Some(&b'\n') { 2 } else { 1 };
        count += 1;
    }
    count
}

/// Halves the doubled quotes of a cell in place and takes escapes out; answers its new end. A lone quote is the closing
/// one of a cell
/// with stray text: it goes, and what follows is text.
pub(super) fn unquote(bytes: &mut [u8], span: Span, quote: u8, escape: Option<u8>) -> Span {
    let (mut from, mut to) = (span.start as usize, span.start as usize);
    let end = span.end as usize;
    let mut open = true;
    while from < end {
        if open
            && escape == Some(bytes[from])
            && bytes.get(from + 1).is_some_and(|next| [Some(quote), escape].contains(&Some(*next)))
        {
            from += 1;
        } else if open && bytes[from] == quote {
            if from + 1 < end && bytes[from + 1] == quote {
                from += 1;
            } else {
                open = false;
                from += 1;
                continue;
            }
        }
        bytes[to] = bytes[from];
        to += 1;
        from += 1;
    }
    Span::new(span.start as usize, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> (Vec<String>, Cut) {
        cells_by(text, None)
    }

    fn cells_by(text: &str, escape: Option<u8>) -> (Vec<String>, Cut) {
        let (mut spans, mut findings) = (Vec::new(), Findings::default());
        let marks = Marks { delimiter: b',', quote: Some(b'"'), escape, max_columns: 2_000 };
        let mut bytes = text.as_bytes().to_vec();
        let end = cut(&bytes, true, marks, &mut spans, &mut findings);
        for &cell in findings.doubled.iter().chain(&findings.stray) {
            spans[cell] = unquote(&mut bytes, spans[cell], b'"', escape);
        }
        (spans.iter().map(|s| String::from_utf8_lossy(&bytes[s.range()]).into_owned()).collect(), end)
    }

    #[test]
    fn cells_end_at_delimiters_and_line_breaks() {
        assert_eq!(cells("a,,c\nd").0, ["a", "", "c"]);
        assert_eq!(cells("a long cell indeed,another one,\r\nx").0, ["a long cell indeed", "another one", ""]);
        assert_eq!(cells("a\rb").1, Cut::Row { end: 1, next: 2, breaks: 0 });
        assert_eq!(cells("a\r\nb").1, Cut::Row { end: 1, next: 3, breaks: 0 });
    }

    #[test]
    fn only_doubled_quotes_escape() {
        assert_eq!(cells(r#""a ""b"", c",d"#).0, [r#"a "b", c"#, "d"]);
        assert_eq!(cells(r#""a\",b"#).0, [r"a\", "b"]);
        assert_eq!(cells(r#"5" pipe,b"#).0, [r#"5" pipe"#, "b"]);
        assert_eq!(cells("\"a\r\nb\n\",c").1, Cut::Row { end: 9, next: 9, breaks: 2 });
    }

    #[test]
    fn a_mark_of_the_file_s_own_escapes_too() {
        let cells = |text: &str| cells_by(text, Some(b'\\')).0;
        assert_eq!(cells(r#""a \"b\", c",d"#), [r#"a "b", c"#, "d"]);
        assert_eq!(cells(r#""a\\","b\\\"",c\n"#), [r"a\", r#"b\""#, r"c\n"]);
        assert_eq!(cells(r#""a ""b""\n","#), [r#"a "b"\n"#, ""]);
        assert_eq!(cells_by("\"a\\\"", Some(b'\\')).1, Cut::Unclosed { breaks: 0 });
    }

    #[test]
    fn spaces_after_a_closing_quote_are_nothing_and_text_is_kept_to_be_shown() {
        assert_eq!(cells("\"a\" \t,b").0, ["a", "b"]);
        assert_eq!(cells("\"say \"hi\" now\",b").0, ["say hi\" now\"", "b"]);
    }

    #[test]
    fn an_open_quote_at_the_end_is_seen() {
        assert_eq!(cells("a,\"b\nc").1, Cut::Unclosed { breaks: 0 });
        assert_eq!(cells("\"x\ny\",\"b\nc").1, Cut::Unclosed { breaks: 1 });
        assert_eq!(cells("a,\"").1, Cut::Unclosed { breaks: 0 });
    }
}

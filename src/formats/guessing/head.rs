//! How a source is cut into rows, judged by its first bytes and, for the encoding, by all of them.

use std::io::Read;
use std::time::Instant;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;

use crate::formats::above::said_delimiter;
use crate::formats::cells::{Cut, Findings, Marks, cut};
use crate::formats::dialect::CsvOptions;
use crate::formats::failure::FormatError;

/// Delimiters that files use, the likelier first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows that vote on the delimiter.
const VOTERS: usize = 100;
/// Rows above the names of the columns.
const MOST_ABOVE: usize = 20;
/// Bytes before the first that is not UTF-8 that help to tell what it is.
const BEFORE: usize = 256;

/// What the bytes of a source say about its encoding.
#[derive(Default)]
pub(super) struct Bytes {
    valid: u64,
    pub invalid: u64,
    /// From about the first that is not UTF-8 on, as much as was read at once.
    telling: Vec<u8>,
}

impl Bytes {
    /// Looks at all that a reader gives, or as far as the time allows.
    pub fn of(mut reader: impl Read, until: Instant) -> Result<Self, FormatError> {
        let mut found = Self::default();
        let mut buffer = vec![0; 256 * 1024];
        let mut kept = 0;
        loop {
            let count = reader.read(&mut buffer[kept..]).map_err(|e| FormatError::from_io(e, FormatError::Read))?;
            let end = kept + count;
            let last = count == 0 || Instant::now() >= until;
            let rest = found.look(&buffer[..end], last);
            buffer.copy_within(rest..end, 0);
            kept = end - rest;
            if last {
                return Ok(found);
            }
        }
    }

    /// Counts, and answers from where on more bytes are needed.
    fn look(&mut self, bytes: &[u8], last: bool) -> usize {
        let mut at = 0;
        loop {
            let rest = &bytes[at..];
            let (sound, skip) = match std::str::from_utf8(rest) {
                Ok(_) => (rest.len(), 0),
                Err(error) => match error.error_len() {
                    Some(length) => (error.valid_up_to(), length),
                    None if last => (error.valid_up_to(), rest.len() - error.valid_up_to()),
                    None => {
                        self.count(&rest[..error.valid_up_to()]);
                        return at + error.valid_up_to();
                    }
                },
            };
            self.count(&rest[..sound]);
            at += sound + skip;
            if skip == 0 {
                return at;
            }
            self.invalid += 1;
            if self.telling.is_empty() {
                let begins = (at - skip).saturating_sub(BEFORE);
                self.telling.extend_from_slice(&bytes[begins..]);
            }
        }
    }

    fn count(&mut self, sound: &[u8]) {
        // Of a character beyond ASCII the first byte alone begins with two ones.
        self.valid += sound.iter().filter(|byte| **byte >= 0xc0).count() as u64;
    }

    /// The label of the encoding. Some bytes that are not UTF-8 do not make another one of a file that is.
    pub fn encoding(&self, head: &[u8]) -> &'static str {
        if let Some((marked, _)) = Encoding::for_bom(head) {
            return match marked.name() {
                "UTF-16LE" => "utf-16le",
                "UTF-16BE" => "utf-16be",
                _ => "utf-8",
            };
        }
        // Western text in 16 bits has a NUL in every other byte.
        let nuls = |first: usize| head.iter().skip(first).step_by(2).filter(|b| **b == 0).count();
        let enough = head.len() / 2 * 3 / 10;
        if head.len() >= 4 && nuls(1) > enough && nuls(0) <= enough / 10 {
            return "utf-16le";
        }
        if head.len() >= 4 && nuls(0) > enough && nuls(1) <= enough / 10 {
            return "utf-16be";
        }
        if self.invalid == 0 || self.valid > self.invalid {
            return "utf-8";
        }
        let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
        detector.feed(&self.telling, true);
        label(detector.guess(None, Utf8Detection::Deny))
    }
}

fn label(encoding: &'static Encoding) -> &'static str {
    match encoding.name() {
        "Shift_JIS" => "shift_jis",
        "EUC-JP" => "euc-jp",
        "EUC-KR" => "euc-kr",
        "GBK" | "gb18030" => "gbk",
        "Big5" => "big5",
        "windows-1250" => "windows-1250",
        "windows-1251" => "windows-1251",
        "windows-1253" => "windows-1253",
        "windows-1254" => "windows-1254",
        "windows-1255" => "windows-1255",
        "windows-1256" => "windows-1256",
        "windows-1257" => "windows-1257",
        "windows-1258" => "windows-1258",
        "windows-874" => "windows-874",
        "ISO-8859-2" => "iso-8859-2",
        "ISO-8859-5" => "iso-8859-5",
        "ISO-8859-7" => "iso-8859-7",
        "KOI8-U" | "KOI8-R" => "koi8-u",
        "IBM866" => "ibm866",
        _ => "windows-1252",
    }
}

/// How the text seems to be cut: the delimiter, and the lines above the names of the columns.
pub(super) fn dialect(text: &[u8], whole: bool, options: &mut CsvOptions) {
    if let Some(delimiter) = said_delimiter(text) {
        options.delimiter = char::from(delimiter).to_string();
        return;
    }
    let mut best: Option<Cutting> = None;
    for delimiter in DELIMITERS {
        let Some(cutting) = Cutting::by(text, whole, delimiter) else { continue };
        if best.as_ref().is_none_or(|best| cutting.vote() > best.vote()) {
            best = Some(cutting);
        }
    }
    if let Some(best) = best {
        options.delimiter = char::from(best.delimiter).to_string();
        options.skip_lines = best.lines_above;
    }
}

/// What a delimiter makes of the first rows.
struct Cutting {
    delimiter: u8,
    columns: usize,
    /// The share of rows with as many cells as most have.
    even: f64,
    /// Most of its places are between two digits, as those of a decimal comma are.
    cuts_numbers: bool,
    /// Lines above the first row with so many cells.
    lines_above: u32,
}

impl Cutting {
    /// None where it cuts nothing.
    fn by(text: &[u8], whole: bool, delimiter: u8) -> Option<Self> {
        let rows = rows(text, whole, delimiter);
        let columns = most_frequent(rows.iter().map(|row| row.cells))?;
        if columns < 2 {
            return None;
        }
        let first = rows.iter().position(|row| row.cells == columns)?;
        // Of two rows neither is a title.
        let first = if first <= MOST_ABOVE && rows.len() >= first + 2 { first } else { 0 };
        let below = &rows[first..];
        let even = below.iter().filter(|row| row.cells == columns).count() as f64 / below.len() as f64;
        let data = below.get(1..).filter(|data| !data.is_empty()).unwrap_or(below);
        let sum = |of: fn(&Row) -> usize| data.iter().map(of).sum::<usize>();
        Some(Self {
            delimiter,
            columns,
            even,
            cuts_numbers: delimiter == b',' && sum(|row| row.between_digits) * 10 >= sum(|row| row.cells - 1) * 9,
            lines_above: rows[first].lines_above,
        })
    }

    /// A few uneven rows may be damaged ones; below that the evenness decides. Only then, in this order: who cuts no
    /// numbers, who has nothing above the names, who gives more columns.
    fn vote(&self) -> (f64, bool, bool, usize) {
        let even = if self.even >= 0.9 { 1.0 } else { self.even };
        (even, !self.cuts_numbers, self.lines_above == 0, self.columns)
    }
}

struct Row {
    cells: usize,
    between_digits: usize,
    /// Lines of the text before it.
    lines_above: u32,
}

fn rows(text: &[u8], whole: bool, delimiter: u8) -> Vec<Row> {
    let marks = Marks { delimiter, quote: Some(b'"'), escape: None, max_columns: 2_000 };
    let (mut spans, mut findings, mut rows) = (Vec::new(), Findings::default(), Vec::new());
    let (mut rest, mut lines) = (text, 0);
    while rows.len() < VOTERS {
        loop {
            rest = match rest {
                [b'\r', b'\n', after @ ..] | [b'\n' | b'\r', after @ ..] => after,
                _ => break,
            };
            lines += 1;
        }
        if rest.is_empty() {
            break;
        }
        let Cut::Row { end, next, breaks } = cut(rest, whole, marks, &mut spans, &mut findings) else { break };
        // Nothing but delimiters is no row.
        if end + 1 != spans.len() || end == 0 {
            let row = &rest[..end];
            let is_digit = |at: Option<usize>| at.and_then(|at| row.get(at)).is_some_and(u8::is_ascii_digit);
            let between_digits = spans
                .iter()
                .skip(1)
                .filter(|span| {
                    let at = span.start as usize;
                    row.get(at.wrapping_sub(1)) == Some(&delimiter) && is_digit(at.checked_sub(2)) && is_digit(Some(at))
                })
                .count();
            rows.push(Row { cells: spans.len(), between_digits, lines_above: lines });
        }
        lines += 1 + u32::try_from(breaks).unwrap_or(u32::MAX);
        rest = &rest[next..];
    }
    rows
}

/// Among equals the larger.
fn most_frequent(counts: impl Iterator<Item = usize>) -> Option<usize> {
    let mut times: std::collections::BTreeMap<usize, usize> = std::collections::BTreeMap::new();
    for count in counts {
        *times.entry(count).or_default() += 1;
    }
    times.into_iter().max_by_key(|(count, times)| (*times, *count)).map(|(count, _)| count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoding(bytes: &[u8]) -> &'static str {
        Bytes::of(bytes, Instant::now() + std::time::Duration::from_secs(60)).unwrap().encoding(bytes)
    }

    fn cut_by(text: &str) -> (String, u32) {
        let mut options = CsvOptions::default();
        dialect(text.as_bytes(), true, &mut options);
        (options.delimiter, options.skip_lines)
    }

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(encoding("a,é\n".as_bytes()), "utf-8");
        assert_eq!(encoding(b"a,\xe9t\xe9\nb,gar\xe7on\n"), "windows-1252");
        assert_eq!(encoding("é,ü,ö\n".repeat(9).as_bytes()), "utf-8");
        assert_eq!(encoding(&["Zürich;Köln\n".repeat(9).as_bytes(), b"\xff\n"].concat()), "utf-8");
        assert_eq!(encoding(b"\xff\xfea\0"), "utf-16le");
        assert_eq!(encoding(b"a\0,\0b\0\n\0"), "utf-16le");
        assert_eq!(encoding(b"\0a\0,\0b\0\n"), "utf-16be");
        assert_eq!(encoding(b""), "utf-8");
        let (japanese, ..) = encoding_rs::SHIFT_JIS.encode("商品,数量\nりんご,3\nみかん,5\n");
        assert_eq!(encoding(&japanese), "shift_jis");
        let (russian, ..) = encoding_rs::WINDOWS_1251.encode("Товар;Цена\nЯблоко красное;3\nГруша;5\n");
        assert_eq!(encoding(&russian), "windows-1251");
    }

    #[test]
    fn a_character_that_two_reads_share_is_whole() {
        let text = "é".repeat(300_000);
        let found = Bytes::of(text.as_bytes(), Instant::now() + std::time::Duration::from_secs(60)).unwrap();
        assert_eq!((found.valid, found.invalid), (300_000, 0));
    }

    #[test]
    fn the_delimiter_that_cuts_evenly_wins() {
        for (text, delimiter) in [
            ("a;b\n1,5;2,5\n3,0;4,0\n", ";"),
            ("a\tb, c\n1\t2\n", "\t"),
            ("a|b\n1|2\n", "|"),
            ("name,note\nx,\"a;b\"\ny,\"c;d\"\n", ","),
            ("one\n1\n", ","),
            ("Date;Amount, EUR\n2026-01-01;12,50\n2026-01-02;13,50\n", ";"),
            ("a,b,c\n1,2,3\n4,5,6\n", ","),
        ] {
            assert_eq!(cut_by(text), (delimiter.to_owned(), 0), "{text}");
        }
    }

    #[test]
    fn lines_above_the_names_are_counted() {
        assert_eq!(cut_by("Report of May\nMade by Ada\n\nday,amount\n2026-05-01,3\n2026-05-02,4\n"), (",".into(), 3));
        assert_eq!(cut_by("sep=;\na;b\n1;2\n"), (";".into(), 0));
    }
}

//! How a file seems to be written, judged by its first bytes: encoding and delimiter.

use encoding_rs::Encoding;

use super::cells::{Cut, Findings, Marks, cut};

/// Delimiters that files use, the likelier first.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Rows that vote on the delimiter.
const VOTERS: usize = 100;

/// The label of the encoding of a file that begins so. `whole`: nothing follows.
pub(super) fn encoding(head: &[u8], whole: bool) -> &'static str {
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
    match std::str::from_utf8(head) {
        Ok(_) => "utf-8",
        Err(error) if error.error_len().is_none() && !whole => "utf-8",
        Err(_) => "windows-1252",
    }
}

/// The delimiter that cuts the first rows most evenly; among equals the one that gives more columns.
pub(super) fn delimiter(text: &[u8], whole: bool) -> u8 {
    let mut best = (b',', (0.0, 0));
    for delimiter in DELIMITERS {
        let counts = widths(text, whole, delimiter);
        let columns = counts.first().copied().unwrap_or(1);
        if columns < 2 {
            continue;
        }
        let even = counts.iter().filter(|count| **count == columns).count() as f64 / counts.len() as f64;
        // A few uneven rows may be damaged ones; below that the evenness decides.
        let vote = (if even >= 0.9 { 1.0 } else { even }, columns);
        if vote > best.1 {
            best = (delimiter, vote);
        }
    }
    best.0
}

/// How many cells each of the first rows has.
fn widths(mut rest: &[u8], whole: bool, delimiter: u8) -> Vec<usize> {
    let marks = Marks { delimiter, quote: Some(b'"'), max_columns: 2_000 };
    let (mut spans, mut findings, mut counts) = (Vec::new(), Findings::default(), Vec::new());
    while counts.len() < VOTERS {
        while let [b'\n' | b'\r', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            break;
        }
        let Cut::Row { next, .. } = cut(rest, whole, marks, &mut spans, &mut findings) else { break };
        counts.push(spans.len());
        rest = &rest[next..];
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_told_apart() {
        assert_eq!(encoding("a,é\n".as_bytes(), true), "utf-8");
        assert_eq!(encoding(b"a,\xe9\n", true), "windows-1252");
        assert_eq!(encoding(b"a,\xc3", false), "utf-8");
        assert_eq!(encoding(b"a,\xc3", true), "windows-1252");
        assert_eq!(encoding(b"\xff\xfea\0", true), "utf-16le");
        assert_eq!(encoding(b"a\0,\0b\0\n\0", true), "utf-16le");
        assert_eq!(encoding(b"\0a\0,\0b\0\n", true), "utf-16be");
        assert_eq!(encoding(b"", true), "utf-8");
    }

    #[test]
    fn the_delimiter_that_cuts_evenly_wins() {
        assert_eq!(delimiter(b"a;b\n1,5;2,5\n3,0;4,0\n", true), b';');
        assert_eq!(delimiter(b"a\tb, c\n1\t2\n", true), b'\t');
        assert_eq!(delimiter(b"a|b\n1|2\n", true), b'|');
        assert_eq!(delimiter(b"name,note\nx,\"a;b\"\ny,\"c;d\"\n", true), b',');
        assert_eq!(delimiter(b"one\n1\n", true), b',');
    }
}

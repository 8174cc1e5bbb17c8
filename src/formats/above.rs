//! What may stand above the rows of a CSV source, and what stands there instead of rows.

use super::failure::FormatError;

/// A byte-order mark, which programs sometimes write twice.
pub(super) const MARK: &[u8] = "\u{feff}".as_bytes();

/// The delimiter that the first line says for spreadsheets: "sep=;".
pub(super) fn said_delimiter(text: &[u8]) -> Option<u8> {
    match text {
        [s, e, p, b'=', mark @ (b'\t' | b' '..=b'~'), b'\n' | b'\r', ..]
            if [*s, *e, *p].eq_ignore_ascii_case(b"sep") && !mark.is_ascii_alphanumeric() && *mark != b'"' =>
        {
            Some(*mark)
        }
        _ => None,
    }
}

/// What a server answers instead of a file, known by how it begins.
pub(super) fn refuse_what_is_no_csv(text: &[u8]) -> Result<(), FormatError> {
    let text = text.trim_ascii_start();
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    let after = |open: &[u8]| text.strip_prefix(open).map(<[u8]>::trim_ascii_start).unwrap_or_default();
    let words = if ["<!doctype", "<html", "<head", "<body"].into_iter().any(begins) {
        "The source answered with a web page, not CSV. Check its address and whether it needs a sign-in."
    } else if begins("<?xml") {
        "The source answered with XML, not CSV. Ask it for CSV."
    } else if after(b"{").starts_with(b"\"") || after(b"[").starts_with(b"{") {
        "The source answered with JSON, not CSV. Ask it for CSV or, if each line is a JSON object, set the format to \
         ndjson."
    } else {
        return Ok(());
    };
    Err(FormatError::NotCsv(words.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::said_delimiter;

    #[test]
    fn only_what_can_be_a_delimiter_is_said_to_be_one() {
        assert_eq!(said_delimiter(b"sep=;\r\na;b"), Some(b';'));
        assert_eq!(said_delimiter(b"SEP=\t\na"), Some(b'\t'));
        for text in ["sep=\n\na", "sep=\"\na", "sep=a\n", "sep=\0\n", "sep=;", "sep;\n"] {
            assert_eq!(said_delimiter(text.as_bytes()), None, "{text:?}");
        }
    }
}

//! What may stand above the rows of a CSV source, and what stands there instead of rows.

use super::failure::FormatError;

/// A byte-order mark, which programs sometimes write twice.
pub(super) const MARK: &[u8] = "\u{feff}".as_bytes();

/// The delimiter that the first line says for spreadsheets: "sep=;".
pub(super) fn said_delimiter(text: &[u8]) -> Option<u8> {
    match text {
        [s, e, p, b'=', delimiter, b'\n' | b'\r', ..] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*delimiter),
        _ => None,
    }
}

/// What a server answers instead of a file, known by how it begins.
pub(super) fn refuse_what_is_no_csv(text: &[u8]) -> Result<(), FormatError> {
    let text = text.trim_ascii_start();
    let begins = |tag: &str| text.get(..tag.len()).is_some_and(|start| start.eq_ignore_ascii_case(tag.as_bytes()));
    let after = |open: &[u8]| text.strip_prefix(open).map(<[u8]>::trim_ascii_start).unwrap_or_default();
    let words = if ["<!doctype", "<html", "<head", "<body"].into_iter().any(begins) {
        "The source answered with a web page, not CSV. Check its address, and whether it asks for a sign-in."
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

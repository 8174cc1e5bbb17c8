//! Files that the server writes while they are read: rows and reports of any length, in constant memory.

use std::io::{self, Write};

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;

use crate::error::Result;

/// How much is gathered before it goes out, and how many such pieces may wait for a slow reader.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;

/// A download named `<slug>.<extension>`. `write` runs on a blocking thread; when it fails midway the connection is
/// cut, so that a short file is never taken for a whole one.
pub fn download(
    title: &str,
    extension: &str,
    kind: &'static str,
    write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
) -> HttpResponse {
    let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    tokio::task::spawn_blocking(move || {
        let mut out = Pieces { sender: sender.clone(), piece: Vec::with_capacity(PIECE) };
        let written = write(&mut out).and_then(|()| out.flush().map_err(crate::error::AppError::internal));
        if let Err(error) = written {
            tracing::warn!(%error, "a download was cut short");
            let _ = sender.blocking_send(Err(io::Error::other("cut short")));
        }
    });
    HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{}.{extension}\"", slug(title))))
        .streaming(stream::poll_fn(move |context| receiver.poll_recv(context)))
}

/// A CSV download.
pub fn csv(title: &str, write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static) -> HttpResponse {
    download(title, "csv", "text/csv; charset=utf-8", write)
}

struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    piece: Vec<u8>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend_from_slice(bytes);
        if self.piece.len() >= PIECE {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        self.sender.blocking_send(Ok(piece.into())).map_err(|_| io::Error::from(io::ErrorKind::BrokenPipe))
    }
}

/// Letters, digits and hyphens of a title, so that no name can write into a header or a path.
pub fn slug(title: &str) -> String {
    let mut slug = String::new();
    for c in title.chars().flat_map(char::to_lowercase).take(80) {
        if c.is_ascii_alphanumeric() {
            slug.push(c);
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "download".into() } else { slug.into() }
}

/// A cell of an export for spreadsheets: what one would take for a formula gets a leading apostrophe.
pub fn unformula(cell: &str) -> String {
    let risky = |c: char| matches!(c, '=' | '+' | '-' | '@' | '\t' | '\r' | '\n' | '＝' | '＋' | '－' | '＠');
    if cell.starts_with(risky) { format!("'{cell}") } else { cell.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_holds_nothing_but_harmless_letters() {
        assert_eq!(slug("FP&A \"2026\"\r\nX: y/../z"), "fp-a-2026-x-y-z");
        assert_eq!(slug("🙂"), "download");
    }

    #[test]
    fn a_formula_is_shown_and_not_run() {
        assert_eq!(unformula("=1+1"), "'=1+1");
        assert_eq!(unformula("plain"), "plain");
    }
}

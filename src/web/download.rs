//! Files that the server writes while they are read: rows and reports of any length, in constant memory.

use std::io::{self, Write};
use std::time::Duration;

use actix_web::HttpResponse;
use actix_web::web::Bytes;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::mpsc::{self, error::SendTimeoutError};

use crate::app::App;
use crate::error::{AppError, Result};

/// How much is gathered before it goes out, and how many such pieces may wait for a slow reader.
const PIECE: usize = 64 * 1024;
const WAITING: usize = 4;
/// A download named `<slug>.<extension>`. `write` runs on a thread of its own, so that slow readers take none from pages;
/// one that takes nothing for long is given up. When it fails midway the connection is cut, so that a short file is never
/// taken for a whole one.
pub fn download(
    (app, member_id): (&App, i64),
    (title, extension, kind): (&str, &str, &'static str),
    write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    let place = app.downloads.begin(member_id).ok_or(AppError::Unavailable { after_seconds: 10 })?;
    let (sender, mut receiver) = mpsc::channel::<io::Result<Bytes>>(WAITING);
    let (runtime, patience) = (Handle::current(), app.config.patience() * 2);
    let writer = move || {
        let _place = place;
        let mut out = Pieces { sender, runtime, patience, piece: Vec::with_capacity(PIECE) };
        if let Err(error) = write(&mut out).and_then(|()| out.flush().map_err(AppError::internal)) {
            tracing::warn!(%error, "a download was cut short");
            let _ = out.send(Err(io::Error::other("cut short")));
        }
    };
    std::thread::Builder::new().name("download".into()).spawn(writer).map_err(AppError::internal)?;
    Ok(HttpResponse::Ok()
        .content_type(kind)
        .insert_header(("Content-Disposition", format!("attachment; filename=\"{}.{extension}\"", slug(title))))
        .streaming(stream::poll_fn(move |context| receiver.poll_recv(context))))
}

/// A CSV download.
pub fn csv(
    by: (&App, i64),
    title: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
) -> Result<HttpResponse> {
    download(by, (title, "csv", "text/csv; charset=utf-8"), write)
}

struct Pieces {
    sender: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    /// How long a reader may take nothing.
    patience: Duration,
    piece: Vec<u8>,
}

impl Pieces {
    fn send(&self, piece: io::Result<Bytes>) -> io::Result<()> {
        self.runtime.block_on(self.sender.send_timeout(piece, self.patience)).map_err(|error| match error {
            SendTimeoutError::Timeout(_) => io::Error::from(io::ErrorKind::TimedOut),
            SendTimeoutError::Closed(_) => io::Error::from(io::ErrorKind::BrokenPipe),
        })
    }
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
        self.send(Ok(piece.into()))
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

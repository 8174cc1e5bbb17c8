//! What a fetch hands over: a local file with the means to be sure of it afterwards, or the rows of a query.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::FetchContext;
use super::failure::{FailureKind, FetchError, Retry};
use crate::formats::Rows;
use crate::spool::Room;
use crate::words;

/// What was fetched: a local file, or rows.
pub struct Fetched {
    pub content: Content,
    /// The last part of its path, by which format and compression are guessed.
    pub name: String,
    /// How long it was when it was handed over; of rows nobody knows, so 0.
    pub bytes: u64,
    /// Whether it is all there is, or the beginning that was asked for ([`FetchContext::first`](super::FetchContext)).
    pub whole: bool,
}

/// Take it apart freely: `file` may go to the thread that reads, `check` stays behind.
pub enum Content {
    /// Positioned at its beginning. What was downloaded has no name on disk and is gone once this is closed.
    File { file: File, check: Check },
    /// Read as they are asked for; typed already.
    Rows(Box<dyn Rows>),
}

impl std::fmt::Debug for Fetched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.content {
            Content::File { .. } => "file",
            Content::Rows(_) => "rows",
        };
        f.debug_struct("Fetched").field("name", &self.name).field("bytes", &self.bytes).field("content", &kind).finish()
    }
}

/// The one result of a fetch. A run loads one; a kind that answers several says which they are by [`Fetched::name`].
pub fn only(mut fetched: Vec<Fetched>) -> Result<Fetched, FetchError> {
    match (fetched.pop(), fetched.len()) {
        (Some(one), 0) => Ok(one),
        (_, others) => Err(FetchError::new(
            FailureKind::Request,
            Retry::No,
            format!("The source returned {} results, but an import loads one. Name the one to load.", others + 1),
        )),
    }
}

/// A second look at a fetched file, through a handle of its own that disturbs no reader's position.
#[derive(Debug)]
pub struct Check(Inner);

#[derive(Debug)]
enum Inner {
    /// Written by us alone; hashed on the way.
    Ours { sha256: String, _room: Arc<Room> },
    /// Somebody else's file, as it was when it was opened.
    Watched { handle: File, name: String, stamp: Stamp, rest: u64 },
}

impl Check {
    /// Of a file that nobody else has. It keeps the file's room in the spool.
    pub fn ours(sha256: String, room: Arc<Room>) -> Self {
        Self(Inner::Ours { sha256, _room: room })
    }

    /// `metadata` is the handle's own, taken when it was opened; `rest`: how many seconds it is given to rest before it is
    /// read again.
    pub(super) fn watched(handle: File, name: String, metadata: &Metadata, rest: u64) -> Self {
        Self(Inner::Watched { handle, name, stamp: Stamp::of(metadata), rest })
    }

    /// To be called after the last byte was read and before it counts: an error when the file was written to, cut,
    /// replaced or removed since it was opened.
    pub fn verify_unchanged(&self) -> Result<(), FetchError> {
        let Inner::Watched { handle, name, stamp, rest } = &self.0 else { return Ok(()) };
        let now = handle.metadata().map_err(|e| FetchError::machine("Looking at the file again", &e))?;
        if Stamp::of(&now) == *stamp {
            return Ok(());
        }
        Err(FetchError::new(
            FailureKind::Changed,
            Retry::Rest(*rest),
            format!("The file '{name}' changed while it was being read, so it is read again."),
        ))
    }

    /// What the file was when it was opened, for an [`Intent`](super::Intent); none for a download, which is ours.
    pub fn stamp(&self) -> Option<String> {
        match &self.0 {
            Inner::Ours { .. } => None,
            Inner::Watched { stamp, .. } => Some(stamp.text()),
        }
    }

    /// The file's SHA-256 in hexadecimal: known for a download, computed here (by reading all of it) for a file of a
    /// folder, for as long as the fetch may go on.
    pub fn sha256(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
        match &self.0 {
            Inner::Ours { sha256, .. } => Ok(sha256.clone()),
            Inner::Watched { handle, .. } => hash_of(handle, ctx),
        }
    }
}

/// What betrays a write: the change time is set by the kernel at every change of content, size or name, also where
/// the modification time was put back by hand.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    file: (u64, u64),
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    /// What a file still has once it was moved, and once its disk was mounted anew: all but the change time and the
    /// number of the disk.
    pub(super) fn text(&self) -> String {
        let ((_, inode), (seconds, nanos)) = (self.file, self.modified);
        format!("{inode}:{}:{seconds}.{nanos:09}", self.bytes)
    }

    pub(super) fn of(metadata: &Metadata) -> Self {
        Self {
            file: (metadata.dev(), metadata.ino()),
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn hash_of(file: &File, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut at = 0;
    loop {
        ctx.check_going_on()?;
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(words::hex(&hasher.finalize())),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                at += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(FetchError::machine("Reading the file", &e)),
        }
    }
}

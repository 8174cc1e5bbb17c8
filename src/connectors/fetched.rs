//! What a fetch hands over: a whole local file, and the means to be sure of it afterwards.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};

use sha2::{Digest, Sha256};

use super::failure::{FailureKind, FetchError, Retry};

/// A whole local file. Take it apart freely: `file` may go to the thread that reads, `check` stays behind.
#[derive(Debug)]
pub struct Fetched {
    /// Positioned at its beginning. What was downloaded has no name on disk and is gone once this is closed.
    pub file: File,
    /// The last part of its path, by which format and compression are guessed.
    pub name: String,
    /// How long it was when it was handed over.
    pub bytes: u64,
    pub check: Check,
}

impl Fetched {
    /// See [`Check::verify_unchanged`].
    pub fn verify_unchanged(&self) -> Result<(), FetchError> {
        self.check.verify_unchanged()
    }

    /// See [`Check::sha256`].
    pub fn sha256(&self) -> Result<String, FetchError> {
        self.check.sha256()
    }
}

/// A second look at a fetched file, through a handle of its own that disturbs no reader's position.
#[derive(Debug)]
pub struct Check(Inner);

#[derive(Debug)]
enum Inner {
    /// Written by us alone; hashed on the way.
    Downloaded { sha256: String },
    /// Somebody else's file, as it was when it was opened.
    Watched { handle: File, name: String, stamp: Stamp },
}

impl Check {
    pub(super) fn downloaded(sha256: String) -> Self {
        Self(Inner::Downloaded { sha256 })
    }

    /// `metadata` is the handle's own, taken when it was opened.
    pub(super) fn watched(handle: File, name: String, metadata: &Metadata) -> Self {
        Self(Inner::Watched { handle, name, stamp: Stamp::of(metadata) })
    }

    /// To be called after the last byte was read and before it counts: an error when the file was written to, cut,
    /// replaced or removed since it was opened.
    pub fn verify_unchanged(&self) -> Result<(), FetchError> {
        let Inner::Watched { handle, name, stamp } = &self.0 else { return Ok(()) };
        let now = handle.metadata().map_err(|e| FetchError::machine("Looking at the file again", &e))?;
        if Stamp::of(&now) == *stamp {
            return Ok(());
        }
        Err(FetchError::new(
            FailureKind::Changed,
            Retry::Later,
            format!(
                "The file '{name}' changed while it was read. Have it written under another name and renamed when it is \
                 complete, or plan the import for a later time."
            ),
        ))
    }

    /// The file's SHA-256 in hexadecimal: known for a download, computed here (by reading all of it) for a file of a
    /// folder.
    pub fn sha256(&self) -> Result<String, FetchError> {
        match &self.0 {
            Inner::Downloaded { sha256 } => Ok(sha256.clone()),
            Inner::Watched { handle, .. } => hash_of(handle).map_err(|e| FetchError::machine("Reading the file", &e)),
        }
    }
}

/// What betrays a write: the change time is set by the kernel at every change of content, size or name, also where
/// the modification time was put back by hand.
#[derive(Debug, PartialEq, Eq)]
struct Stamp {
    bytes: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Stamp {
    fn of(metadata: &Metadata) -> Self {
        Self {
            bytes: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn hash_of(file: &File) -> std::io::Result<String> {
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 256 * 1024];
    let mut at = 0;
    loop {
        match file.read_at(&mut buffer, at) {
            Ok(0) => return Ok(hex(&hasher.finalize())),
            Ok(n) => {
                hasher.update(&buffer[..n]);
                at += n as u64;
            }
            Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
}

/// Bytes as lower-case hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

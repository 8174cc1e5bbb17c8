//! Where bytes wait on the disk between two hands: downloads, uploads, kept files, rows that may be asked for again. It
//! is one folder below the data directory and not the system's temporary one, which may be small, or memory, and which
//! nobody watches for us. Its files have no names: none is left behind when the process dies.
//!
//! There is a bound on how many they are at once and on all their bytes together, so that those who send cannot fill the
//! disk for those who load.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// More than runs and people need at once.
const MOST_FILES: usize = 200;

/// The folder, and what lies in it now.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
    most_bytes: u64,
    used: Arc<Mutex<Used>>,
}

#[derive(Debug, Default)]
struct Used {
    files: usize,
    bytes: u64,
}

/// It holds as much as it may; others have to end first.
#[derive(Debug, thiserror::Error)]
#[error("too many files are waiting to be loaded")]
pub struct Full;

/// Whether it was the spool's bound that refused.
pub fn is_full(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Full>())
}

impl Spool {
    pub fn new(folder: PathBuf, most_bytes: u64) -> Self {
        Self { folder, most_bytes, used: Arc::default() }
    }

    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A new file in the folder, which is made when it is not there.
    pub fn file(&self) -> io::Result<Spooled> {
        let room = Room::new(self)?;
        std::fs::create_dir_all(&self.folder)?;
        Ok(Spooled { file: tempfile::tempfile_in(&self.folder)?, room: Arc::new(room) })
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one file takes; given back when the last who holds it lets go.
#[derive(Debug)]
pub struct Room {
    spool: Spool,
    bytes: Mutex<u64>,
}

impl Room {
    fn new(spool: &Spool) -> io::Result<Self> {
        let mut used = spool.used();
        if used.files >= MOST_FILES {
            return Err(io::Error::other(Full));
        }
        used.files += 1;
        drop(used);
        Ok(Self { spool: spool.clone(), bytes: Mutex::new(0) })
    }

    fn grow(&self, bytes: u64) -> io::Result<()> {
        let mut used = self.spool.used();
        if used.bytes + bytes > self.spool.most_bytes {
            return Err(io::Error::other(Full));
        }
        used.bytes += bytes;
        drop(used);
        *self.bytes.lock().unwrap_or_else(PoisonError::into_inner) += bytes;
        Ok(())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let mut used = self.spool.used();
        used.files -= 1;
        used.bytes -= *self.bytes.lock().unwrap_or_else(PoisonError::into_inner);
    }
}

/// A file in the spool. It is written once, from its beginning to its end, and read as often as needed.
#[derive(Debug)]
pub struct Spooled {
    file: File,
    room: Arc<Room>,
}

impl Spooled {
    pub fn file(&self) -> &File {
        &self.file
    }

    /// The same file for another hand.
    pub fn share(&self) -> io::Result<Self> {
        Ok(Self { file: self.file.try_clone()?, room: Arc::clone(&self.room) })
    }

    /// The file itself; the room is its owner's to keep for as long.
    pub fn into_parts(self) -> (File, Arc<Room>) {
        (self.file, self.room)
    }
}

impl Write for Spooled {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.room.grow(bytes.len() as u64)?;
        self.file.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Read for Spooled {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl Seek for Spooled {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_is_bounded_and_its_room_is_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let spool = Spool::new(dir.path().join("spool"), 10);
        let (mut first, mut second) = (spool.file().unwrap(), spool.file().unwrap());
        first.write_all(b"123456").unwrap();
        let shared = first.share().unwrap();
        assert!(is_full(&second.write_all(b"12345").unwrap_err()));
        drop(first);
        assert!(is_full(&second.write_all(b"12345").unwrap_err()), "somebody holds it still");
        drop(shared);
        second.write_all(b"12345").unwrap();
        let many: Vec<_> = (1..MOST_FILES).map(|_| spool.file().unwrap()).collect();
        assert!(is_full(&spool.file().unwrap_err()));
        drop(many);
        spool.file().unwrap();
    }
}

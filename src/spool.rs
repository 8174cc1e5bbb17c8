//! Where bytes wait on the disk between two hands: downloads, uploads, kept files, rows that may be asked for again. It
//! is one folder below the data directory and not the system's temporary one, which may be small, or memory, and which
//! nobody watches for us. Its files have no names: none is left behind when the process dies.

use std::fs::File;
use std::io;
use std::path::Path;

/// A new file in the folder, which is made when it is not there.
pub fn file(folder: &Path) -> io::Result<File> {
    std::fs::create_dir_all(folder)?;
    tempfile::tempfile_in(folder)
}

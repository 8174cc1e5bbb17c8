//! A file that is kept for schedules and for the steps of import sets.

use crate::clock::Moment;

/// As many files may an Application keep.
pub const MOST: usize = 100;
/// The largest of them, in bytes.
pub const LARGEST: i64 = 1 << 30;
/// So many of the newest versions of each are remembered.
pub const VERSIONS: i64 = 10;

/// A kept file as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptFile {
    pub id: i64,
    pub application_id: i64,
    /// No other file of its Application is called so.
    pub name: String,
    pub newest: KeptVersion,
}

/// What a kept file was from some moment on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptVersion {
    /// From 1; grows whenever the file is replaced.
    pub version: i64,
    /// In the Block database.
    pub file_id: i64,
    /// As it was called where it came from; its ending tells the compression.
    pub file_name: String,
    pub bytes: i64,
    /// Of all its bytes, in hexadecimal.
    pub sha256: String,
    pub kept_by: i64,
    /// The member's name.
    pub kept_by_name: String,
    pub kept_at: Moment,
}

//! A kept file as the API answers it, and the audit log keeps it.

use super::model::KeptFile;
use crate::clock::Moment;
use crate::shape::answer;

answer! {
    /// A file kept for schedules and for the steps of import sets.
    pub struct KeptFileAnswer of (kept: &KeptFile) {
        /// The value `file` of a schedule or step that loads it.
        id: i64 = kept.id,
        application_id: i64 = kept.application_id,
        /// Its own in the Application; at first the name of the file that was uploaded.
        name: String = kept.name.clone(),
        /// Grows whenever the file is replaced.
        version: i64 = kept.newest.version,
        /// The name of the file that was uploaded last.
        file_name: String = kept.newest.file_name.clone(),
        bytes: i64 = kept.newest.bytes,
        sha256: String = kept.newest.sha256.clone(),
        /// The member who uploaded it.
        kept_by: i64 = kept.newest.kept_by,
        kept_at: Moment = kept.newest.kept_at,
    }
}

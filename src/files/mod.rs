//! Files that people give, for one run or [kept](kept) for schedules: stored in the Block database in chunks, so that
//! every process of an installation can run them and a backup of the databases has them.
//!
//! Whoever uploads gets a [`ticket`]: the file's id sealed for one Application and one member. Forms carry the ticket
//! and never the id, so that nobody imports what somebody else uploaded.

pub mod kept;
pub mod pages;
mod store;

pub use store::{Stored, StoredReader, made_before, open, remove, save};

use crate::error::Result;
use crate::secrets::Secrets;

/// A file's name without its ending, and the ending: `.csv`, or `.csv.gz`.
pub fn stem_and_ending(name: &str) -> (&str, &str) {
    let is_ending = |ending: &str| (1..=8).contains(&ending.len()) && ending.bytes().all(|b| b.is_ascii_alphanumeric());
    let cut = |name: &str| name.rfind('.').filter(|at| *at > 0 && is_ending(&name[at + 1..]));
    let Some(at) = cut(name) else { return (name, "") };
    let packed = name[at..].eq_ignore_ascii_case(".gz");
    name.split_at(cut(&name[..at]).filter(|_| packed).unwrap_or(at))
}

/// The file's id as a form may carry it: good for this member in this Application alone.
pub fn ticket(secrets: &Secrets, application_id: i64, member_id: i64, file_id: i64) -> Result<String> {
    secrets.seal(&place(application_id, member_id), &file_id.to_string())
}

/// The id in a ticket; none when it was made for another place or is not one of ours.
pub fn of_ticket(secrets: &Secrets, application_id: i64, member_id: i64, ticket: &str) -> Option<i64> {
    secrets.open(&place(application_id, member_id), ticket).ok()?.parse().ok()
}

fn place(application_id: i64, member_id: i64) -> String {
    format!("files {application_id} {member_id}")
}

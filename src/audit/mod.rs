//! What was done, by whom, on which way. Append only: nothing here changes or removes an entry. An action records its
//! entry in its own transaction, so that the two stand or fall together. What was refused changed nothing: it is noted in
//! the process and written a little later.
//!
//! The room knows no other: ids and words come in plain. Whoever has a `members::By` writes
//! `by.audit(conn, Entry::of("schedule.created", "schedule", id).application(a).after(json), now)`.

mod model;
mod refusals;
mod store;

pub use model::{Actor, Entry, Filter, Recorded};
pub use refusals::{write_last_refusals, write_refusals};
pub use store::{as_of, by_id, done_at, last, last_before, list, of_action, of_action_on, record, record_all, since};

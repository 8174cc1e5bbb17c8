//! Read → map → check → load: one source into one Block, all of its accepted rows or none.
//!
//! One thread reads the source, types its cells and sets aside what is wrong; the caller's thread writes what is right
//! into a staging table that nobody sees. A few batches go round between the two, so memory is flat however long the
//! source is. Then what can be said only of all rows together is checked in SQL ([`whole`]), the configuration's limits on
//! rejected rows are applied, and one short transaction makes the load visible ([`blocks::ledger`]).
//!
//! The network is closed before any of this begins: the source is a file on this machine, or the rows of one.
//!
//! [`blocks::ledger`]: crate::applications::blocks::ledger

mod again;
mod checker;
mod commit;
mod context;
mod feeding;
mod guarding;
mod held_up;
mod load;
mod outcome;
mod plan;
mod reading;
mod rejects;
mod report;
mod restoring;
mod told;
mod whole;

pub use context::{CHECKING, LoadContext, Progress, READING, Source, SourceFile};
pub use feeding::run_from_block;
pub use guarding::{approve, held};
pub use load::{run, run_if_unchanged};
pub use outcome::{CHECK, Counts, FailureKind, LOAD, LoadError, LoadReport, Outcome, READ, Step};
pub use plan::{Plan, lists_to_fill};
pub use restoring::restore;
pub use told::{Changed, Told};

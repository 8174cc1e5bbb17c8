//! When. A [`Rule`] says how a schedule repeats; everything that follows from it is decided here and nowhere else:
//! its instants ([`recurrence`]), its sentence ([`sentence`](mod@sentence)), what a clock change or a short month
//! does to one of them ([`notes`]). All of it is pure: no database, no machine clock, no global state.
//!
//! What a person or a script sent is a [`RuleDraft`]; a [`Rule`] exists only when nothing is wrong with it.

mod draft;
mod elapsed;
mod form;
pub mod notes;
pub mod recurrence;
mod rule;
pub mod sentence;
mod wall;
mod zone;

pub use draft::RuleDraft;
pub use form::RuleForm;
pub use notes::{Preview, PreviewOccurrence, frequency_hint, local_rfc, note, preview};
pub use recurrence::{first_at_or_after, latest_at_or_before, next_after, occurrences};
pub use rule::{DaysOfMonth, Months, Repeat, Rule, Weekdays, Window};
pub use sentence::{bounds, headline, sentence};

#[cfg(test)]
mod tests;

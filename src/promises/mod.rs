//! "Ready by 08:00": by when a configuration or a set is to have loaded, on which days. A [`Promise`] is kept where a run of
//! what it is of ended well after the deadline before and until this one. Ended well means Success, or Partial: what people
//! wait for is there, and the page says that rows were rejected. A run that makes up for a missed deadline counts for the
//! next one too only if it was planned after the missed one: Monday's data at noon is not Tuesday's.
//!
//! The deadlines are a weekly [`Rule`](crate::schedules::Rule), so that clock changes mean to them what they mean to
//! schedules. What a promise is worth at a moment is pure ([`judging`]): pages ask it for what they show, and one step
//! ([`keeping`]) asks it for all of them, remembers the answer, and tells the recipients once when it turns.

pub mod actions;
mod body;
pub mod judging;
pub mod keeping;
mod model;
mod scene;
mod store;
mod telling;

pub use body::{ReadyByAnswer, ReadyByBody};
pub use model::{Counts, Promise, ReadyForm, Standing, State};
pub use scene::{judged, standings};
pub use store::{audited_all, begin_anew, copy_all, delete_all, endangered, of_applications};

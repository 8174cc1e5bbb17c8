//! Translation tables of an Application, by which imports turn values of their source into those of a Block: CC-9914
//! becomes CC-9910, US becomes United States. One table serves any number of imports.
//!
//! Values meet by their exact spelling. People change tables by [`actions`]; a load reads the ones that it needs by
//! [`by_id`], whole, and asks nothing about rights. Who uses a table is asked from above (`in_use`).
//!
//! In the order of `lib.rs` it comes before `imports`, whose mappings name tables.

pub mod actions;
mod audited;
mod body;
mod draft;
mod model;
pub mod pages;
mod store;

pub use actions::{create, learn};
pub use audited::audited_all;
pub use body::{EntryBody, TranslationAnswer, TranslationBody, TranslationOutlineAnswer};
pub use draft::Draft;
pub use model::{Otherwise, Translation};
pub use store::{Outline, archive_all, by_id, by_ids, copy_all, of_application};

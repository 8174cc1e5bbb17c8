//! Import sets: an ordered sequence of import configurations, run as one.
//!
//! A set ([`ImportSet`]) is little more than a name; its steps and how they follow each other are its [`SetDefinition`], of
//! which every save makes a new version, so that a Run always says which one it followed. People change sets by
//! [`actions`].
//!
//! In the order of `lib.rs` it comes after `imports`, whose configurations its steps name.

pub mod actions;
mod body;
mod copy_store;
mod draft;
mod following;
mod known;
mod model;
pub mod pages;
mod sealed_store;
mod store;
mod telling;
pub mod step_values;

pub use actions::values;
pub use body::{ImportSetAnswer, ImportSetBody, SetStepBody, compared};
pub use copy_store::{Copies, archive_all, audited_all, copy_all, forget_statuses, ids_of};
pub use draft::{Draft, MAX_STEPS};
pub use known::{Known, known, known_of};
pub use model::{Execution, ImportSet, OnFailure, Outline, SetDefinition, Step};
pub use sealed_store::{seal_anew, sealed_for};
pub use step_values::{Declared, check_kept, of_step, of_target as declared, with_given};
pub use store::{by_id, by_ids, listed_of, outlines, running, set_status, version};

use crate::db::Conn;
use crate::error::Result;
use crate::files::kept;
use crate::imports::Target;
use crate::in_use::{Named, Thing, Uses};

/// The sets that a configuration is a step of, or that keep a file for a step.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let using = match thing {
        Thing::Configuration(id) => store::using(conn, id)?,
        Thing::KeptFile(id) => {
            let Some(kept) = kept::by_id(conn, id)? else { return Ok(None) };
            let mut using = Vec::new();
            for (set_id, name, application_id) in store::with_file(conn, id)? {
                // Another import may declare a number of that name.
                let takes_file = |declared: &Declared| declared.parameter.is_file;
                if application_id == kept.application_id && declared(conn, Target::Set(set_id))?.iter().any(takes_file)
                {
                    using.push((set_id, name, application_id));
                }
            }
            using
        }
        _ => return Ok(None),
    };
    let named = |(id, name, application): (i64, String, i64)| Named {
        words: format!("the import set \"{name}\""),
        href: format!("/applications/{application}/settings/import-sets/{id}"),
    };
    let names = using.into_iter().map(named).collect();
    Ok(Some(Uses { by: "import sets", names }))
}

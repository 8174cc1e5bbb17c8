//! What to fetch, how to map and check it, and which Block it fills.
//!
//! An import configuration ([`Configuration`]) is a saved way to fill one Block; how is in its [`Definition`], a new
//! version with every save. Its source is a Connection or another Block ([`feed`]); one that names neither takes a file each
//! time it runs, by hand or as it is [kept](crate::files::kept) with a schedule.

mod actions;
mod check;
mod copy_store;
mod corrections;
mod counts_store;
mod feeding;
mod filling;
mod filter_body;
pub mod guard;
mod listed;
mod maker;
mod mapping;
mod mapping_body;
mod model;
pub mod pages;
mod parse;
mod read_body;
pub mod pipeline;
pub mod sample;
mod store;
mod target;
pub mod test_run;
mod transform;
mod uses_store;

pub use actions::{archive, create, examine, find, list, listed, outlines, page, update};
pub use copy_store::{Copies, archive_all, audited_all, connections_of, copy_all, forget_statuses, ids_of};
pub use corrections::{becomes_since, create_items, filled, markers, translatable, translate, treat_as_empty};
pub use counts_store::{Standing, standing};
pub use feeding::{Filter, MAX_ITEMS, aggregates, feed};
pub use filling::{accept, asked_of, declared_values, fill, fill_path, leads, tried, values, values_target};
pub use listed::{Listed, Outline};
pub use mapping::{Expr, Mapping};
pub use model::{
    AfterSuccess, Configuration, ConfigurationStatus, Definition, Draft, Mode, Overlap, Rejects, Source, UnknownItems,
    Version,
};
pub use parse::{ConfigurationAnswer, ConfigurationBody};
pub use store::{by_id, by_ids, decide_status, learn, listed_of, set_status, version};
pub use target::Target;
pub use transform::{Case, Part, Transform};

use crate::db::Conn;
use crate::error::Result;
use crate::in_use::{Named, Thing, Uses};

/// The configurations that use a Block or a Connection.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let page = |application: i64, id: i64| format!("/applications/{application}/settings/import-configurations/{id}");
    let named = |found: Vec<(i64, String, i64)>| {
        let one = |(id, name, application): (i64, String, i64)| Named {
            words: format!("the import configuration \"{name}\""),
            href: page(application, id),
        };
        found.into_iter().map(one).collect()
    };
    let names = match thing {
        Thing::Block(id) => named(uses_store::using_block(conn, id)?),
        Thing::Translation(id) => named(uses_store::using_translation(conn, id)?),
        Thing::Connection(id) => uses_store::using_connection(conn, id)?
            .into_iter()
            .map(|(id, name, application, called)| Named {
                words: format!("\"{name}\" in {called}"),
                href: page(application, id),
            })
            .collect(),
        _ => return Ok(None),
    };
    Ok(Some(Uses { by: "import configurations", names }))
}

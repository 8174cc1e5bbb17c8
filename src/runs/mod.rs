//! What happened. A [`Run`] is one execution of a configuration: by a Schedule's occurrence, by a member, or by a
//! token. Nothing disappears: an occurrence that did not run is a run too, Skipped or Missed, with its reason.
//!
//! [`lifecycle`] says what a run may become. People act by [`actions`], and by [`decisions`] about what is held, and restore what a Block held before by
//! [`restores`]. Three steps do the rest, each safe in many
//! processes at once: [`dispatcher`] turns due occurrences into queued runs, [`executor`] takes them and sees them
//! through, [`rescue`] looks after those whose worker was not heard of. What a run did is told by whoever reads the outcome
//! ([`waiting`]) that its last transaction writes. What is old enough is removed by [`retention`].

pub mod actions;
mod corrected;
pub mod decisions;
mod dispatching;
pub mod lifecycle;
mod model;
mod outcomes_store;
pub mod policy;
mod queue_store;
mod reading;
mod repeats;
mod resource;
pub mod restores;
mod restores_store;
pub mod retention;
mod runnable_store;
mod sealed_store;
pub mod sets;
mod stops_store;
mod store;
mod working;

pub use actions::Started;
pub use dispatching::{dispatcher, standing};
pub use lifecycle::{RunStatus, Trigger};
pub use model::{Filter, Hold, LogLine, Progress, Run, RunResult, RunStep, Summary};
pub use outcomes_store::{Outcome, announced, last_success, waiting, was_overtaken};
pub use reading::{across, counting, glance, timeline, watch};
pub use sealed_store::seal_anew;
pub use stops_store::{go_on, stop};
pub use store::{by_id, highest_file};
pub use working::{crew, deciding, executor, rescue, work, workers};

use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::in_use::{Named, Renamed, Thing, Uses};

/// The values of a set's runs that have not begun follow its steps. Those that have begun go by the steps of then.
pub fn follow(conn: &mut Conn, thing: Thing, renamed: Renamed<'_>) -> Result<()> {
    match thing {
        Thing::Set(id) => queue_store::rename_values(conn, id, renamed),
        _ => Ok(()),
    }
}

/// The runs of an Application that have not come to their end.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let names = match thing {
        Thing::Application(id) => match store::count_under_way(conn, id)? {
            0 => Vec::new(),
            n => {
                let words = format!("{} under way", crate::words::counted(n, "import is", "imports are"));
                vec![Named { words, href: format!("/applications/{id}/settings/import-scheduling?show=running") }]
            }
        },
        Thing::Configuration(id) => {
            let held = store::held_of(conn, id)?;
            let mut names = open(conn, Target::Configuration(id))?;
            names.extend(held.into_iter().map(|id| named(id, "is held and waits for a decision")));
            names
        }
        Thing::Set(id) => open(conn, Target::Set(id))?,
        Thing::KeptFile(id) => {
            let open = sets::open_with_file(conn, id)?.into_iter();
            open.map(|run_id| named(run_id, "has yet to load it")).collect()
        }
        _ => return Ok(None),
    };
    Ok(Some(Uses { by: "runs", names }))
}

/// The runs of a target that have not ended.
fn open(conn: &mut Conn, target: Target) -> Result<Vec<Named>> {
    let open = store::open_of(conn, &[target])?.remove(&target).unwrap_or_default();
    let does = |status| if status == RunStatus::Running { "is running" } else { "is queued" };
    Ok(open.into_iter().map(|run| named(run.id, does(run.status))).collect())
}

fn named(id: i64, does: &str) -> Named {
    Named { words: format!("run {id}, which {does}"), href: format!("/runs/{id}") }
}

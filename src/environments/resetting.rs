//! An Application made empty again: its rows and its history go, its definitions stay, its schedules are off.

use serde_json::json;

use super::audited;
use super::cloning::{self, need_name};
use super::model::{Chosen, Environment, Made};
use super::store;
use crate::app::App;
use crate::applications::{Application, blocks};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::in_use::{self, Thing};
use crate::members::By;
use crate::notifications::incidents;
use crate::{import_sets, imports, promises, runs, schedules};

/// Refused while imports run. Rows and history go afterwards, batch by batch ([`super::rows`]).
pub fn reset(conn: &mut Conn, app: &App, by: &By, id: i64, typed: &str, now: Moment) -> Result<Application> {
    db::write(conn, |conn| {
        let application = cloning::enter(conn, by, id)?.application;
        need_name(&application, typed)?;
        need_rest(conn, app, &application)?;
        let before = store::of(conn, id)?;
        let were = schedules::all_of(conn, id)?;
        let off = schedules::turn_all_off(conn, id, by.member.id, now)?;
        audited::turned_off(conn, by, id, were, now)?;
        imports::forget_statuses(conn, id)?;
        import_sets::forget_statuses(conn, id)?;
        incidents::close_all(conn, id, now)?;
        promises::begin_anew(conn, id, now)?;
        let environment = Environment {
            application_id: id,
            original_id: before.as_ref().and_then(|before| before.original_id),
            made: Made::Reset,
            at: now,
            member_id: by.member.id,
            connections: before.map_or_else(Chosen::new, |before| before.connections),
            rows_of: 0,
            finished_at: None,
            dismissed_at: None,
        };
        store::put(conn, &environment)?;
        runs::stop(conn, id)?;
        let entry = Entry::of("application.reset", "application", id).application(id);
        by.audit(conn, entry.after(json!({ "schedules_turned_off": off })), now)?;
        Ok(application)
    })
}

/// Refuses while an import of an Application runs, waits or is held, and while rows are copied into it. Who starts one meanwhile waits, and finds what was done;
/// so does the clock, which holds the schedules that it begins runs of, and who restores what a Block held.
pub(super) fn need_rest(conn: &mut Conn, app: &App, application: &Application) -> Result<()> {
    let id = application.id;
    db::lock_row(conn, "applications", id)?;
    // What is copied after this moment would stay.
    if store::count_left(conn, id)? > 0 {
        return Err(AppError::Conflict(format!(
            "Rows are still being copied into {}. Wait until that is done.",
            application.name
        )));
    }
    schedules::lock_all(conn, id)?;
    let configurations = imports::ids_of(conn, id)?;
    db::lock_rows(conn, "import_configurations", &configurations)?;
    let sets = import_sets::ids_of(conn, id)?;
    db::lock_rows(conn, "import_sets", &sets)?;
    let blocks: Vec<i64> = blocks::list(conn, id)?.into_iter().map(|block| block.id).collect();
    db::lock_rows(conn, "blocks", &blocks)?;
    let uses = app.in_use.uses(conn, Thing::Application(id))?.into_iter().find(|uses| uses.by == "runs");
    match uses {
        None => Ok(()),
        Some(uses) => Err(AppError::Conflict(format!(
            "In {} {}. Wait for its imports or cancel them, and decide about those that are held.",
            application.name,
            in_use::words(&uses.names, " and ")
        ))),
    }
}

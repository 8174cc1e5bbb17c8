//! A copy gets the definitions of its original anew, and its rows where they are wanted. What it had is put away; its name,
//! its access and its history stay.

use std::collections::BTreeSet;

use serde_json::json;

use super::cloning::{check_connections, need_name};
use super::model::{Chosen, Environment, Made};
use super::resetting::need_rest;
use super::{cloning, definitions, store};
use crate::app::App;
use crate::applications::actions::{self, Change};
use crate::applications::{self, Application, Entered, blocks};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::in_use::{self, Named, Thing};
use crate::members::By;
use crate::{connections, runs};

/// A refresh as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    /// The name of the copy, typed.
    pub name: String,
    pub rows: bool,
    /// `None`: as they were chosen before.
    pub connections: Option<Chosen>,
}

/// Enters a copy, and its original, for who may make copies of that.
///
/// `Conflict` where it is no copy, or its original is archived.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<(Entered, Entered, Environment)> {
    let copy = cloning::enter(conn, by, application_id)?;
    let environment = store::of(conn, application_id)?;
    let Some((environment, original_id)) = environment.and_then(|e| e.original_id.map(|id| (e, id))) else {
        return Err(AppError::Conflict(format!("{} is not a copy of another Application.", copy.application.name)));
    };
    if applications::by_id(conn, original_id)?.is_none() {
        let name = &copy.application.name;
        return Err(AppError::Conflict(format!("The Application that {name} is a copy of is archived.")));
    }
    Ok((copy, cloning::enter(conn, by, original_id)?, environment))
}

/// Refused while imports run, as by all that takes their Blocks away.
pub fn refresh(conn: &mut Conn, app: &App, by: &By, id: i64, wanted: &Wanted, now: Moment) -> Result<Application> {
    db::write(conn, |conn| {
        let (copy, original, before) = enter(conn, by, id)?;
        let (copy, original) = (copy.application, original.application);
        need_name(&copy, &wanted.name)?;
        // What was chosen before may have lost its reason.
        let mut chosen = match &wanted.connections {
            Some(chosen) => {
                check_connections(conn, original.id, chosen)?.ok_or(())?;
                chosen.clone()
            }
            None => {
                let mut kept = before.connections.clone();
                for (here, there) in before.connections {
                    if !check_connections(conn, original.id, &Chosen::from([(here, there)]))?.is_empty() {
                        kept.remove(&here);
                    }
                }
                kept
            }
        };
        need_rest(conn, app, &copy)?;
        need_no_reader(conn, app, &copy)?;
        db::lock_rows(conn, "applications", &[original.id])?;
        if wanted.connections.is_none() {
            forget_withdrawn(conn, id, &mut chosen)?;
        }
        definitions::archive(conn, (app, by), id, now)?;
        let change = Change {
            time_zone: Some(original.time_zone),
            spacing_minutes: Some(original.spacing_minutes),
            ..Change::default()
        };
        let copy = actions::edit(conn, &app.blocks, by, id, &change, now)?;
        let (counts, copied) = definitions::copy(conn, (app, by), (&original, &copy), &chosen, now)?;
        let rows: Vec<(i64, i64)> = copied.into_iter().filter(|_| wanted.rows).collect();
        let environment = Environment {
            application_id: id,
            original_id: Some(original.id),
            made: Made::Refresh,
            at: now,
            member_id: by.member.id,
            connections: chosen,
            rows_of: rows.len() as i64,
            // What the Blocks of before hold is to be removed too.
            finished_at: None,
            dismissed_at: None,
        };
        store::put(conn, &environment)?;
        store::plan_rows(conn, id, &rows)?;
        if !rows.is_empty() {
            runs::stop(conn, id)?;
        }
        let mut after = counts.for_audit();
        after["original_id"] = json!(original.id);
        after["original"] = json!(original.name);
        after["rows"] = json!(wanted.rows);
        let entry = Entry::of("application.refreshed", "application", id).application(id);
        by.audit(conn, entry.after(after), now)?;
        Ok(copy)
    })
}

/// What an Administrator took from the copy since is not given back: nobody chose it anew.
fn forget_withdrawn(conn: &mut Conn, copy_id: i64, chosen: &mut Chosen) -> Result<()> {
    let ids: Vec<i64> = chosen.values().copied().collect();
    db::lock_rows(conn, "connections", &ids)?;
    let mut left = BTreeSet::new();
    for id in ids {
        if connections::by_id(conn, id)?.is_some_and(|there| there.application_ids.contains(&copy_id)) {
            left.insert(id);
        }
    }
    chosen.retain(|_, there| left.contains(there));
    Ok(())
}

/// Refuses while another Application reads one of its Blocks, whose place another Block is about to take.
fn need_no_reader(conn: &mut Conn, app: &App, copy: &Application) -> Result<()> {
    let here = format!("/applications/{}/", copy.id);
    let mut readers: Vec<Named> = Vec::new();
    for block in blocks::list(conn, copy.id)? {
        let uses = app.in_use.all(conn, Thing::Block(block.id))?;
        readers.extend(uses.into_iter().filter(|named| !named.href.starts_with(&here)));
    }
    if readers.is_empty() {
        return Ok(());
    }
    readers.truncate(5);
    Err(AppError::Conflict(format!(
        "Other Applications read Blocks of {}: {}. Change their source or delete them first.",
        copy.name,
        in_use::words(&readers, ", ")
    )))
}

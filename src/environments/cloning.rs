//! A new Application with the definitions of another.

use serde_json::json;

use super::definitions;
use super::model::{Chosen, Environment, Made};
use super::store;
use crate::app::App;
use crate::applications::actions::{self, NewApplication};
use crate::applications::{self, Application, Entered, blocks};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::connections::{self, Connection};
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept;
use crate::members::{By, Scope};
use crate::names::check_name;
use crate::{import_sets, imports, runs, schedules};

/// A copy as somebody wants it.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub name: String,
    /// Rows come along.
    pub rows: bool,
    /// Who has access to the original has it to the copy.
    pub access: bool,
    pub connections: Chosen,
}

/// Enters an Application for who may make copies of it: whoever makes Applications and configures this one.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_configure(conn, by)?;
    actions::need_create(conn, by)?;
    Ok(entered)
}

/// Makes the copy: it is there with all definitions and all schedules off; its rows come afterwards ([`super::rows`]).
pub fn clone(
    conn: &mut Conn,
    app: &App,
    by: &By,
    original_id: i64,
    wanted: &Wanted,
    now: Moment,
) -> Result<Application> {
    db::write(conn, |conn| {
        let original = enter(conn, by, original_id)?.application;
        let mut errors = FieldErrors::new();
        check_name("name", &wanted.name, None, &mut errors);
        errors.extend(check_connections(conn, original_id, &wanted.connections)?);
        errors.ok_or(())?;
        // Nobody saves a schedule there meanwhile.
        db::lock_row(conn, "applications", original_id)?;
        let new = NewApplication {
            name: wanted.name.clone(),
            time_zone: original.time_zone,
            spacing_minutes: original.spacing_minutes,
        };
        let copy = actions::create(conn, by, &new, now)?;
        let members = if wanted.access { actions::copy_access(conn, by, original_id, copy.id, now)? } else { 0 };
        let (counts, copied) = definitions::copy(conn, (app, by), (&original, &copy), &wanted.connections, now)?;
        let rows: Vec<(i64, i64)> = copied.into_iter().filter(|_| wanted.rows).collect();
        let environment = Environment {
            application_id: copy.id,
            original_id: Some(original_id),
            made: Made::Clone,
            at: now,
            member_id: by.member.id,
            connections: wanted.connections.clone(),
            rows_of: rows.len() as i64,
            finished_at: Some(now).filter(|_| rows.is_empty()),
            dismissed_at: None,
        };
        store::put(conn, &environment)?;
        store::plan_rows(conn, copy.id, &rows)?;
        if !rows.is_empty() {
            runs::stop(conn, copy.id)?;
        }
        let mut after = counts.for_audit();
        after["name"] = json!(copy.name);
        after["original_id"] = json!(original_id);
        after["original"] = json!(original.name);
        after["rows"] = json!(wanted.rows);
        after["access"] = json!(members);
        let entry = Entry::of("application.cloned", "application", copy.id).application(copy.id);
        by.audit(conn, entry.after(after), now)?;
        Ok(copy)
    })
}

/// What is wrong with a choice: what the original does not read through, or what is not there or of another kind.
pub(super) fn check_connections(conn: &mut Conn, original_id: i64, chosen: &Chosen) -> Result<FieldErrors> {
    let mut errors = FieldErrors::new();
    let used: Vec<i64> = imports::connections_of(conn, original_id)?.into_iter().map(|(id, _)| id).collect();
    for (here, there) in chosen {
        if !used.contains(here) {
            errors.add("connections", format!("The Application has no import that reads through Connection {here}."));
            continue;
        }
        let kinds = (connections::by_ids(conn, &[*here])?.pop(), connections::by_id(conn, *there)?);
        let (Some(here), Some(there)) = kinds else {
            errors.add("connections", format!("There is no Connection {there}."));
            continue;
        };
        if here.kind != there.kind {
            let (name, kind) = (&here.name, here.kind_label());
            errors.add("connections", format!("Instead of {name}, choose another Connection of the kind {kind}."));
        }
    }
    Ok(errors)
}

/// A Connection that imports of the original read through.
#[derive(Clone, Debug)]
pub struct Used {
    pub connection: Connection,
    /// How many imports.
    pub imports: i64,
    /// What a copy may read through in its place: itself and others of its kind.
    pub choices: Vec<(i64, String)>,
}

/// What a copy would bring, for the page that asks.
#[derive(Clone, Debug)]
pub struct Preview {
    pub blocks: i64,
    pub configurations: usize,
    pub sets: usize,
    pub schedules: i64,
    pub access: usize,
    pub kept_files: usize,
    pub rows: i64,
    pub connections: Vec<Used>,
    /// Who may authorise Connections: other people leave them out.
    pub may_authorise: bool,
}

/// For whom has entered the original.
pub fn preview(conn: &mut Conn, app: &App, by: &By, original_id: i64) -> Result<Preview> {
    let defined = blocks::list(conn, original_id)?;
    let used = imports::connections_of(conn, original_id)?;
    let may_authorise = by.member.is_administrator() && by.need_scope(Scope::Administer).is_ok();
    let all = if may_authorise { connections::list(conn, by)? } else { Vec::new() };
    let ids: Vec<i64> = used.iter().map(|(id, _)| *id).collect();
    let mut found: Vec<Used> = connections::by_ids(conn, &ids)?
        .into_iter()
        .map(|connection| Used {
            imports: used.iter().find(|(id, _)| *id == connection.id).map_or(0, |(_, imports)| *imports),
            choices: all.iter().filter(|c| c.kind == connection.kind).map(|c| (c.id, c.name.clone())).collect(),
            connection,
        })
        .collect();
    found.sort_by(|a, b| b.imports.cmp(&a.imports).then_with(|| a.connection.name.cmp(&b.connection.name)));
    Ok(Preview {
        rows: blocks::copying::held(&app.blocks, &defined)?.0,
        blocks: defined.len() as i64,
        configurations: imports::ids_of(conn, original_id)?.len(),
        sets: import_sets::ids_of(conn, original_id)?.len(),
        schedules: schedules::count_unfinished(conn, original_id)?,
        access: applications::count_access(conn, original_id)?,
        kept_files: kept::of_application(conn, original_id)?.len(),
        connections: found,
        may_authorise,
    })
}

/// Refuses unless the name was typed as it is.
pub(super) fn need_name(application: &Application, typed: &str) -> Result<()> {
    if typed.trim() == application.name {
        return Ok(());
    }
    Err(AppError::invalid("name", format!("Type the name as it is: {}", application.name)))
}

//! What a clone, a refresh or a reset did to each thing, in the audit log, in the words of whoever does it to one by hand:
//! so the log of a thing is whole, and so is how things stood on a day.

use std::collections::HashMap;

use serde_json::Value;

use crate::applications::blocks;
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::files::kept;
use crate::members::By;
use crate::schedules::{self, Schedule};
use crate::{freezes, import_sets, imports, promises, translations};

/// A kind of things, its words for one that came and one that went, and all that there are.
type Part = (&'static str, &'static str, &'static str, Vec<(i64, Value)>);

fn parts(conn: &mut Conn, application_id: i64, now: Moment) -> Result<[Part; 8]> {
    let id = application_id;
    let schedules = schedules::all_of(conn, id)?;
    let schedules = schedules.iter().map(|schedule| (schedule.id, schedule.for_audit())).collect();
    Ok([
        ("block", "block.created", "block.deleted", blocks::audited_all(conn, id)?),
        ("translation", "translation.created", "translation.deleted", translations::audited_all(conn, id)?),
        ("kept_file", "kept_file.created", "kept_file.deleted", kept::audited_all(conn, id)?),
        (
            "import_configuration",
            "import_configuration.created",
            "import_configuration.deleted",
            imports::audited_all(conn, id)?,
        ),
        ("import_set", "import_set.created", "import_set.deleted", import_sets::audited_all(conn, id)?),
        ("schedule", "schedule.created", "schedule.deleted", schedules),
        ("freeze", "freeze.created", "freeze.deleted", freezes::audited_all(conn, id, now)?),
        ("promise", "promise.made", "promise.removed", promises::audited_all(conn, id)?),
    ])
}

/// All that an Application has came with this deed.
pub fn came(conn: &mut Conn, by: &By, application_id: i64, now: Moment) -> Result<()> {
    let mut entries = Vec::new();
    for (kind, came, _, all) in parts(conn, application_id, now)? {
        let entry = |(id, is)| Entry::of(came, kind, id).application(application_id).after(is);
        entries.extend(all.into_iter().map(entry));
    }
    by.audit_all(conn, entries, now)
}

/// All that an Application has goes with this deed: what runs another before it. Call it before they are put away.
pub fn goes(conn: &mut Conn, by: &By, application_id: i64, now: Moment) -> Result<()> {
    let mut entries = Vec::new();
    for (kind, _, went, all) in parts(conn, application_id, now)?.into_iter().rev() {
        let entry = |(id, was)| Entry::of(went, kind, id).application(application_id).before(was);
        entries.extend(all.into_iter().map(entry));
    }
    by.audit_all(conn, entries, now)
}

/// Of the schedules as they were before those that are otherwise now were turned off.
pub fn turned_off(conn: &mut Conn, by: &By, application_id: i64, before: Vec<Schedule>, now: Moment) -> Result<()> {
    let before: HashMap<i64, Schedule> = before.into_iter().map(|was| (was.id, was)).collect();
    let entry = |is: &Schedule| {
        let was = before.get(&is.id).filter(|was| was.version != is.version)?;
        let entry = Entry::of("schedule.turned-off", "schedule", is.id).application(application_id);
        Some(entry.before(was.for_audit()).after(is.for_audit()))
    };
    let entries = schedules::all_of(conn, application_id)?.iter().filter_map(entry).collect();
    by.audit_all(conn, entries, now)
}

//! What would change, drawn: one row for each schedule.

use std::collections::HashMap;

use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes;
use crate::import_sets;
use crate::members::{self, Member, Permission, groups};
use crate::ownership::reckoning::{Line, Reckoned};
use crate::schedules::Notify;
use crate::schedules::flagged::Flag;
use crate::words;

/// So many rows are shown; the rest is counted.
const SHOWN: usize = 500;

pub struct Row {
    pub id: i64,
    /// What it runs.
    pub import: String,
    pub application: String,
    pub sentence: String,
    /// With its zone, which is that of the schedule.
    pub next: String,
    /// Who owns it now.
    pub owner: String,
    /// Who hands it over.
    pub former: String,
    pub passes: bool,
    /// Why the new Owner could not run it: "Claire may not import here".
    pub flag: Option<String>,
    pub told: String,
    pub swaps: bool,
    pub changes: bool,
}

/// What stays behind in one Application, and where that is mended.
pub struct Behind {
    pub lacks: String,
    pub stay: String,
    pub access: String,
}

/// All rows, or as many as are shown.
pub struct Rows {
    pub rows: Vec<Row>,
    /// "and 12 more"
    pub more: Option<String>,
    pub behind: Vec<Behind>,
    /// When the first one runs of what they own, and its words.
    pub first: Option<String>,
}

impl Rows {
    pub fn load(conn: &mut Conn, reckoned: &Reckoned, now: Moment) -> Result<Self> {
        let shown = &reckoned.lines[..reckoned.lines.len().min(SHOWN)];
        let targets: Vec<_> = shown.iter().map(|line| line.schedule.target).collect();
        let known = import_sets::known(conn, &targets)?;
        let owners: Vec<i64> = shown.iter().map(|line| line.schedule.owner_id).collect();
        let owners: HashMap<i64, Member> = members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect();
        let named: Vec<i64> =
            shown.iter().filter_map(|line| line.schedule.notify.as_ref()).flat_map(|n| n.group_ids.clone()).collect();
        let groups = groups::names(conn, &named)?;
        let mut held = HashMap::new();
        for id in reckoned.applications.keys() {
            held.insert(*id, freezes::of_application(conn, *id)?);
        }
        let heir = reckoned.to.as_ref().map(|to| to.name.as_str()).unwrap_or_default();
        let next = |line: &Line| {
            let freezes = held.get(&line.schedule.application_id)?;
            Some((freezes::next_run(freezes, &line.schedule)?, line.schedule.rule.time_zone()))
        };
        let row = |line: &Line| {
            let schedule = &line.schedule;
            Row {
                id: schedule.id,
                import: known.get(&schedule.target).map(|known| known.name.clone()).unwrap_or_default(),
                application: name_of(reckoned, line),
                sentence: schedule.sentence(),
                next: match next(line) {
                    Some((at, zone)) => format!("{} ({zone})", words::short_time(at, now, zone)),
                    None if schedule.enabled => "None".into(),
                    None => "Off".into(),
                },
                owner: owners.get(&schedule.owner_id).map_or("Nobody", |m| &m.name).to_owned(),
                former: match &reckoned.from {
                    Some(from) => from.name.clone(),
                    None => owners.get(&line.former).map_or("Nobody", |m| &m.name).to_owned(),
                },
                passes: line.passes,
                flag: line.flag.as_ref().filter(|_| line.owned).map(|flag| format!("{heir} {}", flag.short())),
                told: told(schedule.notify.as_ref(), &groups),
                swaps: line.swaps,
                changes: line.changes(),
            }
        };
        let first = reckoned.lines.iter().filter(|line| line.owned).filter_map(next).min_by_key(|(at, _)| *at);
        Ok(Self {
            rows: shown.iter().map(row).collect(),
            more: (reckoned.lines.len() > SHOWN)
                .then(|| format!("and {} more", words::count((reckoned.lines.len() - SHOWN) as i64))),
            behind: behind(reckoned),
            first: first.map(|(at, zone)| format!("{} ({zone})", words::date_time(at, zone))),
        })
    }
}

fn name_of(reckoned: &Reckoned, line: &Line) -> String {
    reckoned.applications.get(&line.schedule.application_id).map(|a| a.name.clone()).unwrap_or_default()
}

/// "Failed and partial, 2 members"
fn told(notify: Option<&Notify>, groups: &HashMap<i64, String>) -> String {
    match notify {
        Some(notify) => format!("{}, {}", notify.about.words(), notify.who(groups)),
        None => "No one".into(),
    }
}

/// What the new Owner could not run, Application by Application.
fn behind(reckoned: &Reckoned) -> Vec<Behind> {
    let Some(to) = &reckoned.to else { return Vec::new() };
    let from = reckoned.of();
    let mut found = Vec::new();
    for lines in reckoned.lines.chunk_by(|a, b| a.schedule.application_id == b.schedule.application_id) {
        let stay = lines.iter().filter(|line| line.stays_behind()).count() as i64;
        let fail = lines.iter().filter(|line| line.passes && line.flag.is_some()).count() as i64;
        let Some(Flag::Lacks(what)) = lines.iter().find_map(|line| line.flag.clone().filter(|_| line.owned)) else {
            continue;
        };
        let Some(application) = lines.first().map(|line| line.schedule.application_id) else { continue };
        let mut parts = Vec::new();
        if stay > 0 {
            let stays = words::counted(stay, "schedule stays", "schedules stay");
            parts.push(format!("{stays} with {from}."));
        }
        if fail > 0 {
            let fails = words::counted(
                fail,
                "chosen schedule passes all the same, and will fail",
                "chosen schedules pass all the same, and will fail",
            );
            parts.push(format!("{fails}."));
        }
        found.push(Behind {
            lacks: format!("{} lacks {what}.", to.name),
            stay: parts.join(" "),
            access: format!("/applications/{application}/settings/members"),
        });
    }
    found
}

/// Who may be an Owner at all: active, and holds Can Import Data; never the one who hands over.
pub fn heirs(conn: &mut Conn, from: i64) -> Result<Vec<Member>> {
    let may = |m: &Member| m.active && m.id != from && m.may(Permission::ImportData);
    Ok(members::all(conn)?.into_iter().filter(may).collect())
}

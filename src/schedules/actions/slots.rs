//! What a configuration or a set has room for: four unfinished schedules, each of which holds one of its slots, and no two alike.

use std::collections::{BTreeSet, HashMap};

use serde_json::Value;

use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::import_sets;
use crate::imports::Target;
use crate::schedules::model::{SLOTS, Schedule};
use crate::schedules::rule::Rule;
use crate::schedules::store;

/// What a schedule runs, and its name.
pub(super) struct Planned {
    pub target: Target,
    pub name: String,
}

impl Planned {
    /// What is there in the Application and was not deleted.
    pub fn find(conn: &mut Conn, application_id: i64, target: Target) -> Result<Option<Self>> {
        lock(conn, target)?;
        let found = import_sets::known_of(conn, target)?;
        let found = found.filter(|found| found.application_id == application_id && !found.archived);
        Ok(found.map(|found| Self { target, name: found.name }))
    }
}

/// Two who save schedules of one target at once go one after the other; whoever deletes it finds theirs, or is found.
pub(super) fn lock(conn: &mut Conn, target: Target) -> Result<()> {
    Ok(db::lock_row(conn, target.table(), target.id())?)
}

/// A slot of the target for a schedule: the one that it holds, or a free one. Frees those of schedules that
/// have no further occurrence first.
pub(super) fn take_slot(conn: &mut Conn, planned: &Planned, holder: Option<i64>, now: Moment) -> Result<String> {
    lock(conn, planned.target)?;
    let mut taken = BTreeSet::new();
    for (schedule, key) in store::slot_holders(conn, planned.target)? {
        if Some(schedule.id) == holder {
            return Ok(key);
        }
        if schedule.holds_slot(now) {
            taken.insert(key);
            continue;
        }
        // An occurrence that is due and unclaimed is still the dispatcher's.
        store::free_slot(conn, schedule.id, if schedule.next_at.is_none() { Some(now) } else { None })?;
    }
    let key = |slot: i64| format!("{}:{slot}", planned.target);
    (1..=SLOTS).map(key).find(|key| !taken.contains(key)).ok_or_else(|| {
        AppError::Conflict(format!("{} already has four schedules. Edit or delete one of them.", planned.name))
    })
}

/// Refuses a second schedule of a target with the same rule and parameters, and names the one that is there.
pub(super) fn refuse_alike(
    conn: &mut Conn,
    planned: &Planned,
    (rule, parameters): (&Rule, Option<&Value>),
    besides: Option<i64>,
    now: Moment,
) -> Result<()> {
    lock(conn, planned.target)?;
    let held: Vec<Schedule> =
        store::slot_holders(conn, planned.target)?.into_iter().map(|(schedule, _)| schedule).collect();
    let others = held.iter().filter(|there| Some(there.id) != besides && there.holds_slot(now));
    let Some(there) = alike(others, rule, parameters) else { return Ok(()) };
    let owner = store::member_name(conn, there.owner_id)?;
    let name = there.run_name.as_ref().map(|name| format!(", named \"{name}\"")).unwrap_or_default();
    let off = if there.enabled { "" } else { ", now off" };
    Err(AppError::Conflict(format!(
        "{} already has this schedule: {}{name}, owned by {owner}{off}. Change that one, or choose other times.",
        planned.name,
        there.sentence()
    )))
}

/// The one of them that does the same.
fn alike<'a>(
    mut others: impl Iterator<Item = &'a Schedule>,
    rule: &Rule,
    parameters: Option<&Value>,
) -> Option<&'a Schedule> {
    others.find(|there| is_alike(there, rule, parameters))
}

/// Whether it does what a schedule of this rule with these parameters would do, of the same target.
pub fn is_alike(there: &Schedule, rule: &Rule, parameters: Option<&Value>) -> bool {
    let given = |parameters: Option<&Value>| parameters.filter(|p| **p != Value::Object(Default::default())).cloned();
    there.broken.is_none() && there.rule == *rule && given(there.parameters.as_ref()) == given(parameters)
}

/// Why a schedule of that rule could not be saved beside the `others` of its target, and what to change, before
/// anybody tries; `own`: the one that is edited.
pub fn in_the_way(others: &[Schedule], own: Option<&Schedule>, rule: &Rule, now: Moment) -> Option<String> {
    let what = match others.first().map(|there| there.target) {
        Some(Target::Set(_)) => "import set",
        _ => "configuration",
    };
    let held = || others.iter().filter(|there| own.is_none_or(|own| own.id != there.id) && there.holds_slot(now));
    if let Some(there) = alike(held(), rule, own.and_then(|own| own.parameters.as_ref())) {
        let off = if there.enabled { "" } else { ", now off" };
        return Some(format!(
            "This {what} already has this schedule: {}{off}. Change when it runs, or choose another {what}.",
            there.sentence()
        ));
    }
    let holds = own.is_some_and(|own| others.iter().any(|there| there.id == own.id) && own.holds_slot(now));
    (!holds && held().count() as i64 >= SLOTS)
        .then(|| format!("This {what} already has four schedules. Choose another one, or delete a schedule first."))
}

/// How many slots of each target of the Application hold a schedule with a future; one without any is left out.
pub fn slots_taken(conn: &mut Conn, entered: &Entered, now: Moment) -> Result<HashMap<Target, i64>> {
    let mut taken = HashMap::new();
    for schedule in
        store::of_application(conn, entered.application.id)?.iter().filter(|schedule| schedule.holds_slot(now))
    {
        *taken.entry(schedule.target).or_default() += 1;
    }
    Ok(taken)
}

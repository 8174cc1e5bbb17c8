//! Saving: whoever saves a change of a schedule becomes its Owner. All that a draft must hold is checked here.

use std::collections::BTreeSet;

use super::slots::{Planned, refuse_alike, take_slot};
use super::switch::check_until;
use super::{enter_to_change, enter_to_schedule, stale};
use crate::applications::{self, Application, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept::{self, FILE};
use crate::import_sets;
use crate::imports::{self, Target};
use crate::members::{self, By, groups};
use crate::names::check_name;
use crate::parameters::{self, Parameter};
use crate::schedules::first_at_or_after;
use crate::schedules::model::{Draft, Notify, Schedule, State};
use crate::schedules::rule::Rule;
use crate::schedules::run_name;
use crate::schedules::store::{self, Saved};
use crate::secrets::{self, Secrets};

/// Makes a schedule; whoever saves it becomes its Owner.
///
/// `Invalid` names each wrong field; `Conflict` when the configuration has four already, or one with this rule and these
/// parameters, or the run name is taken.
pub fn create(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    application_id: i64,
    draft: Draft,
    now: Moment,
) -> Result<Schedule> {
    let entered = enter_to_schedule(conn, by, application_id)?;
    make(conn, secrets, by, &entered, (draft, None), now)
}

/// The same for a form, which has a nonce: sent twice, it makes one schedule, and is answered with that as it is then. With
/// other values in it, it is another form.
///
/// `Conflict` also when that one was deleted since.
pub fn create_once(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    application_id: i64,
    draft: Draft,
    nonce: &str,
    now: Moment,
) -> Result<Schedule> {
    let entered = enter_to_schedule(conn, by, application_id)?;
    let form = secrets::hash("schedule form", &format!("{} {nonce} {draft:?}", by.member.id));
    let Some(made) = store::made_by_form(conn, &form)? else {
        return make(conn, secrets, by, &entered, (draft, Some(&form)), now);
    };
    let made = store::by_id(conn, made)?.filter(|made| made.application_id == application_id);
    made.ok_or_else(|| {
        let words = "This form was already sent, and the schedule it created has been deleted. Open a new form.";
        AppError::Conflict(words.into())
    })
}

fn make(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    entered: &Entered,
    (draft, form): (Draft, Option<&str>),
    now: Moment,
) -> Result<Schedule> {
    let application_id = entered.application.id;
    let (draft, errors) = with_values(conn, secrets, (application_id, None), draft)?;
    let checked = check(conn, &entered.application, None, (draft, errors), now)?;
    let slot_key = take_slot(conn, &checked.planned, None, now)?;
    refuse_alike(conn, &checked.planned, (&checked.rule, checked.parameters.as_ref()), None, now)?;
    let saved = checked.saved(by, None, Some(slot_key), now);
    let id = store::insert(conn, &saved, form, now)?;
    let schedule = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("schedule.created", "schedule", id).application(application_id).after(schedule.for_audit());
    by.audit(conn, entry, now)?;
    Ok(schedule)
}

/// Saves a schedule anew; whoever saves it becomes its Owner. What changes nothing is answered with the schedule as it is:
/// it makes no Owner and no version. `expected` is the version that the person saw.
///
/// A rule that stays as it was keeps its next occurrence, also one that is due this very moment; another rule counts
/// from now. A finished schedule may be given a future again if there is a slot for it.
pub fn update(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    (id, expected): (i64, Option<i64>),
    draft: Draft,
    now: Moment,
) -> Result<Schedule> {
    let (was, entered) = enter_to_change(conn, by, id, expected)?;
    let (draft, errors) = with_values(conn, secrets, (was.application_id, Some(&was)), draft)?;
    if errors.is_empty() && draft.changes_nothing(&was) {
        return Ok(was);
    }
    let checked = check(conn, &entered.application, Some(&was), (draft, errors), now)?;
    let same_target = checked.planned.target == was.target;
    let same_rule = checked.rule == was.rule;
    let stays_finished = same_rule && was.state() == State::Finished;
    // Two that are alike from before the rule against it may still be renamed.
    if !(stays_finished || same_target && same_rule && checked.parameters == was.parameters) {
        refuse_alike(conn, &checked.planned, (&checked.rule, checked.parameters.as_ref()), Some(id), now)?;
    }
    let slot_key = if stays_finished {
        None
    } else {
        Some(take_slot(conn, &checked.planned, same_target.then_some(was.id), now)?)
    };
    let saved = checked.saved(by, Some(&was), slot_key, now);
    if !store::update(conn, &was, &saved, now)? {
        return Err(stale(conn, id));
    }
    let schedule = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("schedule.updated", "schedule", id).application(was.application_id);
    by.audit(conn, entry.before(was.for_audit()).after(schedule.for_audit()), now)?;
    Ok(schedule)
}

/// What passed all checks.
struct Checked {
    application_id: i64,
    planned: Planned,
    run_name: Option<String>,
    rule: Rule,
    enabled: bool,
    off_until: Option<Moment>,
    notify: Option<Notify>,
    parameters: Option<serde_json::Value>,
}

impl Checked {
    fn saved<'a>(&'a self, by: &By, was: Option<&Schedule>, slot_key: Option<String>, now: Moment) -> Saved<'a> {
        let same_rule = was.filter(|was| was.rule == self.rule);
        let finished_at = same_rule.and_then(|was| was.finished_at);
        let next_at = match (self.enabled && finished_at.is_none(), same_rule) {
            (false, _) => None,
            // Kept, so that an occurrence that is due this moment is not lost.
            (true, Some(was)) if was.enabled => was.next_at,
            (true, Some(was)) => was.next_from(now),
            (true, None) => first_at_or_after(&self.rule, now),
        };
        let off_since = if self.enabled { None } else { was.and_then(|was| was.off_since).or(Some(now)) };
        Saved {
            application_id: self.application_id,
            target: self.planned.target,
            slot_key,
            run_name: self.run_name.as_deref(),
            rule: &self.rule,
            enabled: self.enabled,
            off_since,
            off_until: self.off_until,
            next_at,
            claimed_at: same_rule.and_then(|was| was.claimed_at),
            owner_id: by.member.id,
            notify: self.notify.as_ref(),
            parameters: self.parameters.as_ref(),
            finished_at,
            updated_by: by.member.id,
        }
    }
}

/// Checks a draft field by field, in the order of the dialog.
fn check(
    conn: &mut Conn,
    application: &Application,
    was: Option<&Schedule>,
    (draft, of_values): (Draft, FieldErrors),
    now: Moment,
) -> Result<Checked> {
    let mut errors = FieldErrors::new();
    let planned = planned(conn, application, draft.target, &mut errors)?;
    let mut run_name = draft.run_name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if let Some(name) = &mut run_name {
        *name = check_name("run_name", name, was.and_then(|was| was.run_name.as_deref()), &mut errors);
    }
    if let (Some(name), Some(planned)) = (&run_name, &planned)
        && was.is_none_or(|was| was.run_name.as_ref() != Some(name) || was.target != planned.target)
        && let Err(why) = check_placeholders(conn, name, planned)?
    {
        errors.add("run_name", why);
    }
    let rule = match draft.rule.parse() {
        Ok(rule) => Some(rule),
        Err(wrong) => {
            errors.extend(wrong);
            None
        }
    };
    let begins_anew = |was: &Schedule, rule: &Rule| was.rule != *rule || (draft.enabled && was.state() == State::Off);
    if let Some(rule) = rule.filter(|rule| was.is_none_or(|was| begins_anew(was, rule)))
        && let Err(past) = rule.check_future(now)
    {
        errors.extend(past);
    }
    // One that is over already, and stays as it was, is still the dispatcher's: it turns the schedule on.
    let off_until = draft.off_until;
    let stays = was.is_some_and(|was| was.off_until == off_until);
    if let (Some(until), Some(rule)) = (off_until.filter(|at| !stays || *at > now), &rule)
        && let Err(refused) = check_until(rule, until, now)
    {
        errors.extend(refused);
    }
    let notify = draft.notify.map(tidy);
    if let Some(notify) = notify.as_ref().filter(|n| was.is_none_or(|was| was.notify.as_ref() != Some(*n))) {
        check_recipients(conn, application, notify, &mut errors)?;
    }
    errors.extend(of_values);
    let (Some(planned), Some(rule), true) = (planned, rule, errors.is_empty()) else {
        return Err(errors.into());
    };
    let enabled = draft.enabled && off_until.is_none();
    if let Some(name) = &run_name
        && let Some((holder, owner)) = store::with_run_name(conn, application.id, name, was.map_or(0, |was| was.id))?
    {
        return Err(AppError::Conflict(format!(
            "Another schedule of {} has the run name \"{name}\": {}, owned by {owner}. Choose another, so that people can \
             tell them apart.",
            application.name,
            holder.sentence()
        )));
    }
    Ok(Checked {
        application_id: application.id,
        planned,
        run_name,
        rule,
        enabled,
        off_until,
        notify,
        parameters: draft.parameters,
    })
}

/// What stands in braces in a name is known.
fn check_placeholders(conn: &mut Conn, name: &str, planned: &Planned) -> Result<std::result::Result<(), String>> {
    let named = if run_name::asks(name) { import_sets::declared(conn, planned.target)? } else { Vec::new() };
    let parameters: Vec<Parameter> = named.into_iter().map(|named| named.parameter).collect();
    Ok(run_name::check(name, &parameters))
}

/// What a schedule is to run, where a schedule can.
fn planned(
    conn: &mut Conn,
    application: &Application,
    target: Target,
    errors: &mut FieldErrors,
) -> Result<Option<Planned>> {
    let (field, what) = match target {
        Target::Configuration(_) => ("configuration_id", "import configuration"),
        Target::Set(_) => ("set_id", "import set"),
    };
    match Planned::find(conn, application.id, target)? {
        Some(planned) => Ok(Some(planned)),
        None => {
            errors.add(field, format!("{} has no such {what}. Choose another one.", application.name));
            Ok(None)
        }
    }
}

/// The draft with its values as they are kept, and what is wrong with them. Those that stay as they were are refused for
/// nothing but a secret that does not open: the configuration may have changed since.
fn with_values(
    conn: &mut Conn,
    secrets: &Secrets,
    (application_id, was): (i64, Option<&Schedule>),
    mut draft: Draft,
) -> Result<(Draft, FieldErrors)> {
    let mut errors = FieldErrors::new();
    // What belongs elsewhere is refused as what is not there: not even what it is called or asks for is said.
    if Planned::find(conn, application_id, draft.target)?.is_none() {
        draft.parameters = None;
        return Ok((draft, errors));
    }
    let was = was.filter(|was| was.target == draft.target);
    if let Some(was) = was
        && parameters::same(draft.parameters.as_ref(), was.parameters.as_ref())
        && !(was.state() == State::Finished && lost_file(conn, application_id, was)?)
    {
        draft.parameters = was.parameters.clone();
        // A secret is lost to the next run where it no longer opens. Who only turns the schedule on or off is not asked.
        let turned = (draft.enabled, draft.off_until) != (was.enabled, was.off_until);
        let unturned = Draft { enabled: was.enabled, off_until: was.off_until, ..draft.clone() };
        if !(turned && unturned.changes_nothing(was)) {
            import_sets::check_kept(conn, secrets, draft.target, draft.parameters.as_ref(), &mut errors)?;
        }
        return Ok((draft, errors));
    }
    let there = was.and_then(|was| was.parameters.as_ref());
    let given = (draft.parameters.as_ref(), there);
    draft.parameters = import_sets::values(conn, secrets, draft.target, given, &mut errors)?;
    // Nobody stands by with a file when its time comes.
    if let (Target::Configuration(id), true) = (draft.target, errors.is_empty())
        && let Some(lacks) = imports::by_id(conn, id)?.and_then(|found| found.lacks_file(draft.parameters.as_ref()))
    {
        errors.add(format!("parameters.{FILE}"), lacks);
    }
    Ok((draft, errors))
}

/// Whether a kept file that a schedule is to load was deleted while the schedule planned nothing.
pub(super) fn lost_file(conn: &mut Conn, application_id: i64, schedule: &Schedule) -> Result<bool> {
    if !import_sets::declared(conn, schedule.target)?.iter().any(|declared| declared.parameter.is_file) {
        return Ok(false);
    }
    for (name, value) in schedule.parameters.as_ref().and_then(serde_json::Value::as_object).into_iter().flatten() {
        if let Some(id) = value.as_i64().filter(|_| kept::is_file(name))
            && !kept::holds(conn, application_id, id)?
        {
            return Ok(true);
        }
    }
    Ok(false)
}

fn tidy(notify: Notify) -> Notify {
    let each = |ids: Vec<i64>| BTreeSet::from_iter(ids).into_iter().collect();
    Notify { member_ids: each(notify.member_ids), group_ids: each(notify.group_ids), ..notify }
}

/// Recipients are active members who may at least see the Application, and groups in which somebody is who may.
fn check_recipients(
    conn: &mut Conn,
    application: &Application,
    notify: &Notify,
    errors: &mut FieldErrors,
) -> Result<()> {
    const FIELD: &str = "notify.member_ids";
    const GROUPS: &str = "notify.group_ids";
    if !(1..=10).contains(&notify.after) {
        errors.add("notify.after", "Choose 1 to 10 failures in a row.");
    }
    if notify.member_ids.is_empty() && notify.group_ids.is_empty() {
        errors.add(FIELD, "Choose at least one member or group to notify, or turn the notifications off.");
        return Ok(());
    }
    let found = members::by_ids(conn, &notify.member_ids)?;
    if found.len() < notify.member_ids.len() {
        errors.add(FIELD, "One of the recipients is not a member here. Choose from the list.");
    }
    for member in found {
        if !member.active {
            errors.add(FIELD, format!("{} is deactivated and cannot be notified. Choose someone else.", member.name));
        } else if !applications::standing(conn, &member, application.clone())?.grants.view {
            errors.add(
                FIELD,
                format!("{} has no access to {} and cannot be notified about it.", member.name, application.name),
            );
        }
    }
    if notify.group_ids.is_empty() {
        return Ok(());
    }
    // None of them is deleted meanwhile.
    groups::hold(conn, &notify.group_ids)?;
    let found = groups::by_ids(conn, &notify.group_ids)?;
    if found.len() < notify.group_ids.len() {
        errors.add(GROUPS, "One of the groups does not exist. Choose from the list.");
    }
    let seeing: BTreeSet<i64> = applications::who_sees(conn, application.id)?.iter().map(|member| member.id).collect();
    for group in found.iter().filter(|group| !group.member_ids.iter().any(|id| seeing.contains(id))) {
        errors.add(GROUPS, format!("No one in {} has access to {}.", group.name, application.name));
    }
    Ok(())
}

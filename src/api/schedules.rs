//! Schedules.

use std::collections::HashMap;

use serde_json::Value;

use super::call::{Call, Nothing};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{self, Freeze};
use crate::imports::{self, Target};
use crate::members::{By, Scope};
use crate::parameters::{mask, unmask};
use crate::schedules::flagged;
use crate::schedules::{About, Draft, Notify, Rule, RuleDraft, Schedule, State, actions};
use crate::secrets::Secrets;
use crate::shape::{Ids, Object, answer, sent};

sent! {
    /// The fields of a schedule to create or change. A field that does not belong to the repeat is
    /// refused: once takes none of `every`, `weekdays`, `months`, `days_of_month`, `window` and `end_date`; minutes and
    /// hours take `every` and `window`; days `every`; weeks `every` and `weekdays`; months `months` and `days_of_month`.
    pub struct ScheduleBody {
        /// The import configuration to run; this or `set_id`.
        configuration_id: i64,
        /// The import set to run; this or `configuration_id`.
        set_id: i64,
        /// The name of its runs. `{date}`, `{time}`, `{planned}` and a parameter in braces, such as `{month}`, are replaced by each
        /// run's own values. Null: named after what it runs, with date and time.
        run_name: String,
        /// Default: true.
        enabled: bool,
        /// Off until this instant, then it turns itself on.
        off_until: Moment,
        /// Who is notified about what; null means no one. They are notified in their inbox, and by e-mail unless they turned that off.
        notify: NotifyBody,
        /// Values for the parameters of the configuration, by name: text, a number, a date such as `2026-11-25` or
        /// `yesterday`, or a list of choices. A secret is answered as `••••`; left out, or sent like that, it stays.
        parameters: Object;
        rule: RuleDraft,
    }
}

sent! {
    /// Who is notified about what.
    pub struct NotifyBody {
        about: About = "Choose what to notify about: failed, failed_and_partial or all.",
        /// Active members who may see the Application.
        member_ids: Ids,
        /// Groups in which someone may see it: whoever is in a group at that moment is notified.
        group_ids: Ids,
        /// Notify only once it has failed so many times in a row: 1 to 10. Default: 1.
        after: i32,
    }
}

answer! {
    /// When a configuration or a set runs, who owns the schedule, and who is notified.
    pub struct ScheduleAnswer of (schedule: &Schedule, freezes: &[Freeze], flags: &HashMap<i64, String>) {
        id: i64 = schedule.id,
        application_id: i64 = schedule.application_id,
        /// The member who saved it last; it runs with their rights.
        owner_id: i64 = schedule.owner_id,
        /// Why its runs will fail: its Owner is deactivated or may not import here, or one of its secrets was entered for
        /// another query or Connection. Null when none of these is so.
        flagged: Option<String> = flags.get(&schedule.id).cloned(),
        state: State = schedule.state(),
        /// Its next run that no freeze skips; null while it is off or finished.
        next_at: Option<Moment> = freezes::next_run(freezes, schedule),
        /// Why it cannot be planned; it waits until someone saves it again.
        broken: Option<String> = schedule.broken.clone(),
        /// The rule in words.
        sentence: String = schedule.sentence(),
        version: i64 = schedule.version,
        created_at: Moment = schedule.created_at,
        updated_at: Moment = schedule.updated_at;
        body: ScheduleBody = ScheduleBody::of(schedule)
    }
}

impl ScheduleAnswer {
    /// As it stands, for a caller that has entered its Application.
    fn read(conn: &mut Conn, secrets: &Secrets, schedule: &Schedule) -> Result<Self> {
        let application = applications::by_id(conn, schedule.application_id)?.ok_or(AppError::NotFound)?;
        let flags = flagged::of_schedules(conn, secrets, &application, std::slice::from_ref(schedule))?;
        Ok(Self::of(schedule, &freezes::of_application(conn, schedule.application_id)?, &flags))
    }
}

impl ScheduleBody {
    fn of(schedule: &Schedule) -> Self {
        let notify = |notify: &Notify| NotifyBody {
            about: Some(notify.about),
            member_ids: Some(Ids(notify.member_ids.clone())),
            group_ids: Some(Ids(notify.group_ids.clone())),
            after: Some(notify.after),
        };
        Self {
            configuration_id: schedule.target.configuration(),
            set_id: schedule.target.set(),
            run_name: schedule.run_name.clone(),
            enabled: Some(schedule.enabled),
            off_until: schedule.off_until,
            notify: schedule.notify.as_ref().map(notify),
            parameters: schedule.parameters.as_ref().and_then(|values| mask(values).as_object().cloned()),
            rule: schedule.draft().rule,
        }
    }

    /// The schedule that is wanted, or all that is wrong; `errors` is what was found in reading. It runs what it did
    /// (`was`) unless it says.
    fn draft(self, mut errors: FieldErrors, was: Option<Target>) -> Result<Draft, FieldErrors> {
        let target = match (self.configuration_id, self.set_id) {
            (Some(_), Some(_)) => {
                errors.add("set_id", "Choose either an import configuration or an import set, not both.");
                None
            }
            (configuration_id, set_id) => Target::of(configuration_id, set_id).or(was),
        };
        if target.is_none() && errors.of("configuration_id").or(errors.of("set_id")).is_none() {
            errors.add("configuration_id", "Choose the import configuration or the import set to run.");
        }
        let (Some(target), true) = (target, errors.is_empty()) else {
            errors.extend(self.rule.parse().err().unwrap_or_default());
            return Err(errors);
        };
        let notify = |sent: NotifyBody| {
            let (member_ids, group_ids) = (sent.member_ids.unwrap_or_default().0, sent.group_ids.unwrap_or_default().0);
            Some(Notify { about: sent.about?, member_ids, group_ids, after: sent.after.unwrap_or(1) })
        };
        Ok(Draft {
            target,
            run_name: self.run_name,
            enabled: self.enabled.unwrap_or(true),
            off_until: self.off_until,
            notify: self.notify.and_then(notify),
            parameters: self.parameters.map(Value::Object),
            rule: self.rule,
        })
    }

    /// What a change begins with. With another repeat, what only the old one had is gone, and what it counts in; turned
    /// on, it is no longer off until a date.
    fn before(schedule: &Schedule, patch: &Object) -> Self {
        let mut before = Self::of(schedule);
        if let Some(repeat) = patch.get("repeat").and_then(Value::as_str)
            && repeat != schedule.rule.repeat().key()
        {
            before.rule.repeat_as(repeat);
        }
        // Whoever names one means it in place of the other.
        if patch.get("set_id").is_some_and(|id| !id.is_null()) {
            before.configuration_id = None;
        }
        if patch.get("configuration_id").is_some_and(|id| !id.is_null()) {
            before.set_id = None;
        }
        if patch.get("enabled") == Some(&Value::Bool(true)) {
            before.off_until = None;
        }
        before
    }
}

/// `GET applications/{a}/schedules`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<ScheduleAnswer>>> {
    let (application_id, page, secrets) = (call.id("a")?, call.query.clone(), call.app.secrets.clone());
    let found = call.read(move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_open_scheduling(conn)?;
        let found = actions::page(conn, &entered, page.after(), page.fetch())?;
        let flags = flagged::of_schedules(conn, &secrets, &entered.application, &found)?;
        Ok((found, freezes::of_application(conn, application_id)?, flags))
    });
    let (found, freezes, flags) = found.await?;
    Ok(Reply::ok(call.query.list(found, |s| s.id, |s| ScheduleAnswer::of(&s, &freezes, &flags))))
}

/// `POST applications/{a}/schedules`
pub async fn create(call: Call, body: Body<ScheduleBody>) -> Answer<Made<ScheduleAnswer>> {
    let (application_id, now, secrets) = (call.id("a")?, call.now(), call.app.secrets.clone());
    call.once(body, move |conn, by, body| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_import(conn, by, Scope::Schedule)?;
        let (sent, errors) = body.look()?;
        let schedule = actions::create(conn, &secrets, by, application_id, sent.draft(errors, None)?, now)?;
        Ok(Reply::created(format!("schedules/{}", schedule.id), ScheduleAnswer::read(conn, &secrets, &schedule)?))
    })
    .await
}

/// `GET schedules/{s}`
pub async fn show(call: Call) -> Answer<Shown<ScheduleAnswer>> {
    let (id, secrets) = (call.id("s")?, call.app.secrets.clone());
    let found = call.read(move |conn, by| {
        let (schedule, _) = actions::find(conn, by, id)?;
        ScheduleAnswer::read(conn, &secrets, &schedule)
    });
    Ok(Reply::ok(found.await?))
}

/// `POST schedules/{s}/copy`: a new schedule like this one, with the fields of the body laid over.
pub async fn copy(call: Call, body: Body<Patch<ScheduleBody>>) -> Answer<Made<ScheduleAnswer>> {
    let (id, now, secrets) = (call.id("s")?, call.now(), call.app.secrets.clone());
    call.once(body, move |conn, by, body| {
        let (schedule, entered) = actions::find(conn, by, id)?;
        entered.need_import(conn, by, Scope::Schedule)?;
        let sent = body.map()?;
        // What stands there of parameters may be of before: the import may declare others by now.
        let values = match schedule.target {
            Target::Configuration(id) => imports::declared_values(conn, id, schedule.parameters.clone())?,
            Target::Set(_) => schedule.parameters.clone(),
        };
        let mut like =
            Schedule { run_name: None, enabled: true, off_until: None, parameters: values.clone(), ..schedule };
        // What has ended begins anew, unless the body says when.
        if let Ok(rule) = actions::draft_of_copy(&like, now).rule.parse()
            && !Rule::FIELDS.iter().any(|field| sent.contains_key(*field))
        {
            like.rule = rule;
        }
        let (sent, errors) = body.look_over(&ScheduleBody::before(&like, &sent))?;
        let mut draft = sent.draft(errors, Some(like.target))?;
        draft.parameters = unmask(draft.parameters, values.as_ref());
        let made = actions::create(conn, &secrets, by, like.application_id, draft, now)?;
        Ok(Reply::created(format!("schedules/{}", made.id), ScheduleAnswer::read(conn, &secrets, &made)?))
    })
    .await
}

/// `POST schedules/{s}/take-ownership`: of one that its Owner cannot run any more.
pub async fn take_ownership(call: Call, body: Body<Nothing>) -> Answer<Shown<ScheduleAnswer>> {
    let (id, expected, now) = (call.id("s")?, call.expected(), call.now());
    let secrets = call.app.secrets.clone();
    call.once(body, move |conn, by, body| {
        actions::find(conn, by, id)?.1.need_import(conn, by, Scope::Schedule)?;
        body.read()?;
        let taken = actions::take(conn, by, id, expected, now)?;
        Ok(Reply::ok(ScheduleAnswer::read(conn, &secrets, &taken)?))
    })
    .await
}

/// `PATCH schedules/{s}`. With `enabled` or `off_until` alone it is the switch, which leaves the Owner.
pub async fn update(call: Call, body: Body<Patch<ScheduleBody>>) -> Answer<Shown<ScheduleAnswer>> {
    let (id, expected, now) = (call.id("s")?, call.expected(), call.now());
    let secrets = call.app.secrets.clone();
    let saved = call.change(body, move |conn, by, body| {
        let schedule = patched(conn, &secrets, by, (id, expected), body, now)?;
        ScheduleAnswer::read(conn, &secrets, &schedule)
    });
    Ok(Reply::ok(saved.await?))
}

fn patched(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    (id, expected): (i64, Option<i64>),
    body: &Body<Patch<ScheduleBody>>,
    now: Moment,
) -> Result<Schedule> {
    let (schedule, entered) = actions::find(conn, by, id)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    let patch = body.map()?;
    if patch.len() == 1
        && let Some(Value::Bool(on)) = patch.get("enabled")
    {
        return Ok(actions::switch(conn, by, id, *on, expected, now)?.schedule);
    }
    let switches = patch.keys().all(|name| name == "off_until" || name == "enabled");
    if switches && matches!(patch.get("enabled"), None | Some(Value::Bool(false))) {
        match patch.get("off_until") {
            Some(Value::String(until)) if let Some(until) = Moment::parse_rfc3339(until) => {
                return Ok(actions::off_until(conn, by, id, until, expected, now)?.schedule);
            }
            // Off without a date; what is on and is not turned off has none.
            Some(Value::Null) => {
                let on = schedule.enabled && !patch.contains_key("enabled");
                return Ok(actions::switch(conn, by, id, on, expected, now)?.schedule);
            }
            _ => {}
        }
    }
    let (sent, errors) = body.look_over(&ScheduleBody::before(&schedule, &patch))?;
    actions::update(conn, secrets, by, (id, expected), sent.draft(errors, Some(schedule.target))?, now)
}

/// `DELETE schedules/{s}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now) = (call.id("s")?, call.expected(), call.now());
    let gone = call.change(body, move |conn, by, body| {
        actions::find(conn, by, id)?.1.need_import(conn, by, Scope::Schedule)?;
        body.read()?;
        actions::delete(conn, by, id, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

//! Schedules, what they will do, and what a rule would do.

use serde_json::{Map, Value, json};

use super::Answer;
use super::body::{Body, Members, merge};
use super::call::Call;
use super::reply::Reply;
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{self, Freeze};
use crate::imports::{self, Overlap};
use crate::members::{By, Scope};
use crate::schedules::collisions::{self, Neighbour, Target};
use crate::schedules::{self, About, Draft, Notify, Rule, RuleDraft, Schedule, actions};

/// How many occurrences are told at most.
const MOST: i64 = 1_000;
/// How many a preview tells unless asked.
const PREVIEW: i64 = 5;

/// `GET applications/{a}/schedules`
pub async fn list(call: Call) -> Answer {
    let application_id = call.id("a")?;
    let mut params = call.params();
    let page = params.page();
    params.finish()?;
    let found = call.read(move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_open_scheduling(conn)?;
        actions::page(conn, application_id, page.after(), page.fetch())
    });
    Ok(Reply::ok(page.list(found.await?, |s| s.id, |s| json(&s))).response())
}

/// `POST applications/{a}/schedules`
pub async fn create(call: Call, body: Body) -> Answer {
    let (application_id, now) = (call.id("a")?, call.now());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        let entered = applications::enter(conn, by, application_id)?;
        entered.need_import(conn, by, Scope::Schedule)?;
        let schedule = actions::create(conn, by, application_id, draft(body.map()?)?, now)?;
        Ok(Reply::created(format!("schedules/{}", schedule.id), json(&schedule)))
    })
    .await
}

/// `GET schedules/{s}`
pub async fn show(call: Call) -> Answer {
    let id = call.id("s")?;
    call.no_params()?;
    let (schedule, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    Ok(Reply::ok(json(&schedule)).response())
}

/// `POST schedules/{s}/copy`: a new schedule like this one, with the fields of the body laid over.
pub async fn copy(call: Call, body: Body) -> Answer {
    let (id, now) = (call.id("s")?, call.now());
    call.no_params()?;
    call.once(&body.bytes()?, move |conn, by| {
        let (schedule, entered) = actions::find(conn, by, id)?;
        entered.need_import(conn, by, Scope::Schedule)?;
        let sent = body.map()?;
        let mut like = Schedule { run_name: None, enabled: true, off_until: None, ..schedule };
        // What has ended begins anew, unless the body says when.
        if let Ok(rule) = actions::draft_of_copy(&like, now).rule.parse()
            && !Rule::FIELDS.iter().any(|field| sent.contains_key(*field))
        {
            like.rule = rule;
        }
        // The values belong to the parameters of one configuration.
        let elsewhere = sent.get("configuration_id").is_some_and(|to| *to != json!(like.configuration_id));
        like.parameters = like.parameters.take().filter(|_| !elsewhere);
        let made = actions::create(conn, by, like.application_id, draft(patched(&like, sent))?, now)?;
        Ok(Reply::created(format!("schedules/{}", made.id), json(&made)))
    })
    .await
}

/// `PATCH schedules/{s}`. With `enabled` or `off_until` alone it is the switch, which leaves the Owner.
pub async fn update(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("s")?, call.expected(), call.now());
    call.no_params()?;
    body.bytes()?;
    let saved = call.write(move |conn, by| {
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
        actions::update(conn, by, id, expected, draft(patched(&schedule, patch))?, now)
    });
    Ok(Reply::ok(json(&saved.await?)).response())
}

/// `DELETE schedules/{s}`
pub async fn delete(call: Call, body: Body) -> Answer {
    let (id, expected, now) = (call.id("s")?, call.expected(), call.now());
    call.no_params()?;
    body.empty()?;
    call.write(move |conn, by| actions::delete(conn, by, id, expected, now)).await?;
    Ok(Reply::gone().response())
}

/// `GET schedules/{s}/occurrences?after=&count=`: strictly after, as if it were on.
pub async fn occurrences(call: Call) -> Answer {
    let id = call.id("s")?;
    let mut params = call.params();
    let after = params.moment("after").unwrap_or_else(|| call.now());
    let count = params.count("count", PREVIEW, MOST) as usize;
    params.finish()?;
    let (schedule, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    let rule = &schedule.rule;
    let mut at: Vec<_> = schedules::occurrences(rule, after).take(count + 1).collect();
    let more = at.len() > count;
    at.truncate(count);
    let next = at.last().copied().filter(|_| more);
    let told: Vec<Value> = at
        .into_iter()
        .map(|at| json!({ "at": at, "local": schedules::local_rfc(rule, at), "note": schedules::note(rule, at) }))
        .collect();
    Ok(Reply::ok(json!({ "occurrences": told, "next": next })).response())
}

/// `POST schedules/preview?count=`: what a rule would do if it were saved now, and what it would come too close to.
/// Nothing is saved.
pub async fn preview(call: Call, body: Body) -> Answer {
    if call.by.need_scope(Scope::Schedule).is_err() {
        call.by.need_scope(Scope::Read)?;
    }
    let now = call.now();
    let mut params = call.params();
    let count = params.count("count", PREVIEW, MOST) as usize;
    params.finish()?;
    body.bytes()?;
    let mut members = body.members()?;
    let rule = RuleDraft::from_json(&take_rule(&mut members));
    let named = Named {
        application_id: members.integer("application_id"),
        configuration_id: members.integer("configuration_id"),
        schedule_id: members.integer("schedule_id"),
    };
    let mut errors = members.finish().err().unwrap_or_default();
    let rule = rule.parse().and_then(|rule| rule.check_future(now).map(|()| rule));
    let rule = rule.map_err(|more| errors.extend(more)).ok();
    let (freezes, beside, more) = call.read(move |conn, by| named.look_up(conn, by)).await?;
    errors.extend(more);
    let Some(rule) = rule.filter(|_| errors.is_empty()) else { return Err(AppError::from(errors).into()) };
    let mut preview = schedules::preview(&rule, beside.as_ref().map(|beside| beside.overlap), now, count);
    freezes::annotate(&mut preview, &freezes);
    let found =
        beside.map(|beside| collisions::look(&rule, &beside.target, &beside.neighbours, now)).unwrap_or_default();
    let body = json!({
        "sentence": preview.sentence,
        "occurrences": preview.occurrences,
        "ends_after": preview.ends_after,
        "hint": preview.hint,
        "collisions": found.list,
        "suggestion": found.suggestion,
    });
    Ok(Reply::ok(body).response())
}

/// What a preview may name besides the rule.
#[derive(Clone, Copy)]
struct Named {
    application_id: Option<i64>,
    configuration_id: Option<i64>,
    /// The schedule that is edited: it does not come too close to itself.
    schedule_id: Option<i64>,
}

/// What a previewed schedule would use, and what there is to come too close to.
struct Beside {
    target: Target,
    overlap: Overlap,
    neighbours: Vec<Neighbour>,
}

impl Named {
    /// Nothing is shared without a configuration. What is not there, or not in this Application, is wrong at its field.
    fn look_up(self, conn: &mut Conn, by: &By) -> Result<(Vec<Freeze>, Option<Beside>, FieldErrors)> {
        let (mut errors, mut freezes) = (FieldErrors::new(), Vec::new());
        let Some(application_id) = self.application_id else {
            if self.configuration_id.or(self.schedule_id).is_some() {
                errors.add("application_id", "Say in which Application it would run.");
            }
            return Ok((freezes, None, errors));
        };
        let Some(entered) = found(applications::enter(conn, by, application_id))? else {
            errors.add("application_id", "There is no such Application.");
            return Ok((freezes, None, errors));
        };
        if entered.may_open_scheduling() {
            freezes = freezes::of_application(conn, application_id)?;
        }
        let schedule = self.schedule_id.map(|id| found(actions::find(conn, by, id))).transpose()?.flatten();
        if self.schedule_id.is_some() && schedule.is_none_or(|(s, _)| s.application_id != application_id) {
            errors.add("schedule_id", "There is no such schedule in this Application.");
        }
        let Some(configuration_id) = self.configuration_id else {
            return Ok((freezes, None, errors));
        };
        let Some((configuration, definition)) = found(imports::find(conn, &entered, configuration_id))? else {
            errors.add("configuration_id", "There is no such import configuration in this Application.");
            return Ok((freezes, None, errors));
        };
        let target = Target {
            application_id,
            configuration_id,
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            spacing_minutes: entered.application.spacing_minutes,
            schedule_id: self.schedule_id,
        };
        // What others schedule is for whoever may open Import Scheduling.
        let neighbours = match entered.may_open_scheduling() {
            true => collisions::neighbours(conn, by, application_id)?,
            false => Vec::new(),
        };
        Ok((freezes, Some(Beside { target, overlap: definition.overlap, neighbours }), errors))
    }
}

/// `None`: it is not there.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(AppError::NotFound) => Ok(None),
        other => other.map(Some),
    }
}

/// As the API answers it: the rule's fields beside the others.
pub fn json(schedule: &Schedule) -> Value {
    let mut whole = schedule.rule.to_map();
    let own = json!({
        "id": schedule.id,
        "application_id": schedule.application_id,
        "configuration_id": schedule.configuration_id,
        "set_id": null,
        "run_name": schedule.run_name,
        "enabled": schedule.enabled,
        "off_until": schedule.off_until,
        "parameters": schedule.parameters,
        "notify": schedule.notify,
        "owner_id": schedule.owner_id,
        "state": schedule.state(),
        "next_at": schedule.next_at,
        "broken": schedule.broken,
        "sentence": schedule.sentence(),
        "version": schedule.version,
        "created_at": schedule.created_at,
        "updated_at": schedule.updated_at,
    });
    if let Value::Object(own) = own {
        whole.extend(own);
    }
    Value::Object(whole)
}

/// What a PATCH makes of a schedule, to be read like the body of a POST. With another repeat, what only the old one
/// had is gone; turned on, it is no longer off until a date.
fn patched(schedule: &Schedule, patch: Map<String, Value>) -> Map<String, Value> {
    let mut whole = schedule.rule.to_map();
    if let Some(own) = patch.get("repeat").and_then(Value::as_str).and_then(RuleDraft::own_fields) {
        let common = ["repeat", "start_date", "start_time", "time_zone"];
        whole.retain(|name, _| common.contains(&name.as_str()) || own.contains(&name.as_str()));
    }
    let own = json!({
        "configuration_id": schedule.configuration_id,
        "run_name": schedule.run_name,
        "enabled": schedule.enabled,
        "off_until": schedule.off_until,
        "parameters": schedule.parameters,
        "notify": schedule.notify,
    });
    if let Value::Object(own) = own {
        whole.extend(own);
    }
    if patch.get("enabled") == Some(&Value::Bool(true)) {
        whole.remove("off_until");
    }
    merge(&mut whole, patch);
    whole
}

fn take_rule(members: &mut Members) -> Map<String, Value> {
    Rule::FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), members.take(name)?))).collect()
}

fn draft(body: Map<String, Value>) -> Result<Draft> {
    let mut members = Members::of(body);
    let rule = RuleDraft::from_json(&take_rule(&mut members));
    members.only_absent("set_id", "Import sets are not known here. Name a configuration.");
    let draft = Draft {
        configuration_id: members.needed_id("configuration_id", "Say which import configuration it runs."),
        run_name: members.text("run_name"),
        enabled: members.flag("enabled").unwrap_or(true),
        off_until: members.moment("off_until"),
        notify: members.object("notify").and_then(|sent| notify(sent, &mut members.errors)),
        parameters: members.object("parameters").map(Value::Object),
        rule: rule.clone(),
    };
    match members.finish() {
        Ok(()) => Ok(draft),
        Err(mut errors) => {
            errors.extend(rule.parse().err().unwrap_or_default());
            Err(errors.into())
        }
    }
}

fn notify(sent: Map<String, Value>, errors: &mut FieldErrors) -> Option<Notify> {
    let mut members = Members::within(sent, "notify.".into());
    let about = members.needed_text("about", "Say about what: failed, failed_and_partial or all.");
    let member_ids = members.ids("member_ids").unwrap_or_default();
    let known = About::parse(&about);
    if known.is_none() && members.errors.is_empty() {
        members.wrong::<()>("about", "Use failed, failed_and_partial or all.");
    }
    if let Err(more) = members.finish() {
        errors.extend(more);
    }
    known.map(|about| Notify { about, member_ids })
}

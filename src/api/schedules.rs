//! Schedules, what they will do, and what a rule would do.

use serde_json::{Map, Value, json};

use super::Answer;
use super::body::{Body, Members, merge};
use super::call::Call;
use super::reply::Reply;
use crate::applications;
use crate::clock::Moment;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::Scope;
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
        if patch.keys().all(|name| name == "off_until" || name == "enabled")
            && patch.get("enabled") != Some(&Value::Bool(true))
            && let Some(until) = patch.get("off_until").and_then(Value::as_str).and_then(Moment::parse_rfc3339)
        {
            return Ok(actions::off_until(conn, by, id, until, expected, now)?.schedule);
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

/// `POST schedules/preview?count=`: what a rule would do if it were saved now. Nothing is.
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
    let application_id = members.integer("application_id");
    let mut errors = members.finish().err().unwrap_or_default();
    let rule = rule.parse().and_then(|rule| rule.check_future(now).map(|()| rule));
    let rule = rule.map_err(|more| errors.extend(more)).ok();
    if let Some(id) = application_id {
        match call.read(move |conn, by| applications::enter(conn, by, id)).await {
            Err(AppError::NotFound) => errors.add("application_id", "There is no such Application."),
            other => drop(other?),
        }
    }
    let Some(rule) = rule.filter(|_| errors.is_empty()) else { return Err(AppError::from(errors).into()) };
    let preview = schedules::preview(&rule, now, count);
    let body = json!({
        "sentence": preview.sentence,
        "occurrences": preview.occurrences,
        "ends_after": preview.ends_after,
        "hint": preview.hint,
        // Which other schedules come close is not looked at yet.
        "collisions": [],
    });
    Ok(Reply::ok(body).response())
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

//! How a run's end opens incidents, goes on with them, or ends them; and who is to hear of that.

use std::collections::BTreeSet;

use super::model::Incident;
use super::{cause, store};
use crate::applications::Application;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::notifications::event::Event;
use crate::notifications::model::NoticeKind;
use crate::notifications::{letter, recipients};
use crate::runs::{self, Run};
use crate::{import_sets, imports, words};

/// How a run ended.
pub struct Ended<'a> {
    pub run: &'a Run,
    pub application: &'a Application,
    pub kind: NoticeKind,
    pub at: Moment,
}

impl Ended<'_> {
    fn event(&self, key: String, kind: NoticeKind, title: String, detail: String, who: Vec<i64>) -> Event {
        Event {
            key,
            kind,
            application_id: Some(self.application.id),
            run_id: Some(self.run.id),
            incident_id: None,
            link: None,
            title,
            detail,
            at: self.at,
            who,
        }
    }

    /// As it is told by itself.
    fn outcome(&self, who: Vec<i64>) -> Event {
        let key = format!("run:{}:{}", self.run.uid, if self.kind == NoticeKind::Held { "held" } else { "ended" });
        self.event(key, self.kind, letter::title(self.run.title(), self.kind), letter::detail(self.run), who)
    }
}

/// What is to be told of how a run ended; each of it to whoever has not heard of it yet.
pub fn follow(conn: &mut Conn, ended: &Ended<'_>, now: Moment) -> Result<Vec<Event>> {
    let Some(target) = ended.run.target().filter(|_| ended.run.parent_id.is_none() && ended.run.restores.is_none())
    else {
        // A step is told with its set.
        return Ok(Vec::new());
    };
    if ended.kind == NoticeKind::Success {
        let recovered = recovered(conn, ended, target)?;
        let heard = recovered.as_ref().map(|event| event.who.clone()).unwrap_or_default();
        let who = recipients::of(conn, ended.run, ended.application, (ended.kind, 1))?;
        let outcome = ended.outcome(who.into_iter().filter(|id| !heard.contains(id)).collect());
        return Ok(recovered.into_iter().chain([outcome]).collect());
    }
    // A newer run went well meanwhile: nothing is broken.
    if runs::was_overtaken(conn, target, ended.run.id)? {
        let who = recipients::of(conn, ended.run, ended.application, (ended.kind, 1))?;
        return Ok(vec![ended.outcome(who)]);
    }
    // What was held is held no more, whatever became of it.
    for (incident, run_id) in store::open_of(conn, target)? {
        if incident.kind == NoticeKind::Held && run_id == ended.run.id && ended.kind != NoticeKind::Held {
            store::recovers(conn, incident.id, target, ended.at)?;
            if !still_fails(conn, &incident)? {
                store::close(conn, incident.id, ended.at)?;
            }
        }
    }
    let mut recovered = if ended.kind == NoticeKind::Partial { recovered(conn, ended, target)? } else { None };
    let key = cause::key(conn, ended.run, ended.kind)?;
    let outcome = ended.outcome(Vec::new());
    let of = (Some(ended.application.id), key.as_str());
    let (incident, is_new) = store::fails(conn, of, (ended.kind, &outcome.detail), (ended.at, now))?;
    let anew = store::holds(conn, incident.id, target, ended.run.id, ended.at)?;
    let in_a_row = store::in_a_row(conn, target)?;
    let who = recipients::of(conn, ended.run, ended.application, (ended.kind, in_a_row))?;
    if let Some(recovered) = recovered.as_mut().filter(|_| is_new) {
        recovered.who.retain(|id| !who.contains(id));
    }
    let mut key = format!("incident:{}:{}", incident.id, ended.kind);
    if anew {
        // Others fail still; this one worked meanwhile, and breaks as if for the first time.
        key = format!("{key}:{}", ended.run.uid);
    }
    Ok(recovered.into_iter().chain([Event { key, incident_id: Some(incident.id), who, ..outcome }]).collect())
}

/// Ends what was broken of an import that went well now; told to those who know of it.
fn recovered(conn: &mut Conn, ended: &Ended<'_>, target: Target) -> Result<Option<Event>> {
    let mut over: Vec<Incident> = Vec::new();
    let mut others: Option<i64> = None;
    for (incident, failed) in store::open_of(conn, target)? {
        // Loading in part is not what ends that.
        let goes_on = incident.kind == NoticeKind::Partial && ended.kind == NoticeKind::Partial;
        if goes_on || failed > ended.run.id {
            continue;
        }
        store::recovers(conn, incident.id, target, ended.at)?;
        if still_fails(conn, &incident)? {
            others = Some(incident.id);
        } else if store::close(conn, incident.id, ended.at)? {
            over.push(incident);
        }
    }
    let Some(first) = over.iter().min_by_key(|incident| incident.opened_at) else {
        return others.map(|id| works_alone(conn, ended, id)).transpose();
    };
    let ids: Vec<i64> = over.iter().map(|incident| incident.id).collect();
    let told = store::told_of(conn, &ids)?;
    let who = recipients::who_may_see(conn, &told, ended.application)?;
    let name = ended.run.title();
    let imports = store::affected(conn, first.id, 1_000)?.len();
    let title = match (imports, first.kind) {
        (2.., _) => format!("{} work again", words::counted(imports as i64, "import", "imports")),
        (_, NoticeKind::Partial) => format!("{} loads all rows again", letter::short(name)),
        (_, NoticeKind::Held) => format!("{} is no longer held", letter::short(name)),
        (_, NoticeKind::Missed) => format!("{} runs again", letter::short(name)),
        _ => format!("{} works again", letter::short(name)),
    };
    let zone = ended.application.time_zone;
    let since = words::date_time(first.opened_at, zone);
    let took = words::rough(ended.at.since(first.opened_at).max(chrono::Duration::zero()));
    let failures: i64 = over.iter().map(|incident| incident.failures).sum();
    let ran = words::counted(failures, "run", "runs");
    let was = match first.kind {
        NoticeKind::Partial => format!("It loaded only in part for {took}, since {since}, {zone}: {ran}."),
        NoticeKind::Held => format!("It was held for {took}, since {since}, {zone}."),
        NoticeKind::Missed => format!("It had not run for {took}, since {since}, {zone}."),
        _ => format!("It was broken for {took}, since {since}, {zone}: {ran} failed. The cause was: {}", first.cause),
    };
    let detail = letter::bounded(&format!("{was} {}", letter::did(ended.run)));
    let key = format!("recovered:{}", ended.run.uid);
    let event = ended.event(key, NoticeKind::Recovered, title, detail, who);
    Ok(Some(Event { incident_id: Some(first.id), ..event }))
}

/// An import works again while others of its incident fail still: told to those whom none of the others concerns.
fn works_alone(conn: &mut Conn, ended: &Ended<'_>, incident_id: i64) -> Result<Event> {
    let concerned = concerned(conn, incident_id, ended.application)?;
    let told = store::told_of(conn, &[incident_id])?;
    let mut who = recipients::who_may_see(conn, &told, ended.application)?;
    who.retain(|id| !concerned.contains(id));
    let title = format!("{} works again", letter::short(ended.run.title()));
    let key = format!("recovered:{}", ended.run.uid);
    let event = ended.event(key, NoticeKind::Recovered, title, letter::did(ended.run), who);
    Ok(Event { incident_id: Some(incident_id), ..event })
}

/// Whom the imports concern that fail still.
pub fn concerned(conn: &mut Conn, incident_id: i64, application: &Application) -> Result<BTreeSet<i64>> {
    let mut concerned = BTreeSet::new();
    for one in store::affected(conn, incident_id, 100)?.iter().filter(|one| one.recovered_at.is_none()) {
        if let Some(run) = runs::by_id(conn, one.run_id)? {
            concerned.extend(recipients::of(conn, &run, application, (NoticeKind::Failed, i64::MAX))?);
        }
    }
    Ok(concerned)
}

/// Whether any of its imports fails still. One that was deleted does not.
pub fn still_fails(conn: &mut Conn, incident: &Incident) -> Result<bool> {
    let affected = store::affected(conn, incident.id, 1_000)?;
    let failing = affected.iter().filter(|one| one.recovered_at.is_none()).map(|one| one.target);
    let (configurations, sets): (Vec<Target>, Vec<Target>) = failing.partition(|target| target.set().is_none());
    let ids = |targets: &[Target]| targets.iter().map(|target| target.id()).collect::<Vec<i64>>();
    if imports::by_ids(conn, &ids(&configurations))?.iter().any(|configuration| !configuration.archived) {
        return Ok(true);
    }
    Ok(import_sets::by_ids(conn, &ids(&sets))?.iter().any(|set| !set.archived))
}

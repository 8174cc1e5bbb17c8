//! The queue: which runs begin next, chosen in SQL so that the cost of one does not grow with the number that wait.
//!
//! A queued run either may begin, or stands in a line (`waits_for`): for its next attempt, or for what others hold. Those
//! that may begin are found by one index, by hand first, then Application by Application in turn (`workspace.turn`), of
//! each the one that waits longest. One that finds what it needs exhausted moves into the line of that: it is read once,
//! not at each take, and holds nobody up. When a place is free, the first of its line may begin. Whoever takes looks at
//! all lines with a free place; there are never more lines than things that runs hold, so a wake-up cannot be lost.
//!
//! Takers hold the Workspace's row, which carries the fence anyway: they go one after the other, so that no two choose
//! one run or one place. Each takes a few milliseconds at most.

use std::time::Instant;

use chrono::Duration;

use super::leases_store as leases;
use super::values;
use super::waiting::LONGEST_WAIT;
use crate::app::App;
use crate::applications::blocks;
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{resource_leases, run_leases, runs, workspace};
use crate::db::{self, Conn, on};
use crate::error::{AppError, Result};
use crate::runs::lifecycle::{RunStatus, Trigger};
use crate::runs::model::Run;
use crate::runs::policy::Policy;
use crate::runs::queue_store::{BY_CLOCK, BY_HAND};
use crate::runs::resource::{self, Held};
use crate::runs::runnable_store as runnable;
use crate::runs::{sets, stops_store, store};
use crate::schedules;

/// A run that is this worker's.
#[derive(Clone, Debug)]
pub struct Taken {
    pub run: Run,
    pub fence: i64,
    /// As the version that it follows says. `Err`: why that cannot be read.
    pub policy: std::result::Result<Policy, String>,
    /// When it was taken, by a clock that nobody sets.
    pub began: Instant,
}

/// So much may the clock of the machine lag behind the one that nobody sets before it is taken to have been set back.
const LAG: Duration = Duration::minutes(1);

impl Taken {
    /// The run as it is told when it ends at this moment. Where the clock was set back meanwhile, what it says now is
    /// believed, and the run began as long ago as it took.
    pub fn ended_at(&self, now: Moment) -> Run {
        let took = Duration::from_std(self.began.elapsed()).unwrap_or_default();
        let truly = now.minus(took);
        let is_set_back = |at: &Moment| at.since(truly) > LAG;
        Run { started_at: self.run.started_at.map(|at| if is_set_back(&at) { truly } else { at }), ..self.run.clone() }
    }
}

/// How many runs one transaction looks at, so that nobody waits long for it.
const LOOKED_AT: usize = 200;

/// What one transaction did.
#[derive(Debug, Default)]
pub struct Took {
    pub taken: Vec<Taken>,
    /// It stopped before the queue was seen to its end.
    pub more: bool,
}

/// Whether a run may begin by now: asked before [`take`], so that nothing is written while nothing is to be done.
pub fn may_take(conn: &mut Conn, now: Moment) -> Result<bool> {
    let since = standing(workspace::table.find(1).select(workspace::standing_by_since).first(conn)?);
    if next(conn, 0, since)?.is_some() {
        return Ok(true);
    }
    let lines = lines(conn)?;
    if lines.is_empty() {
        return Ok(false);
    }
    let held = held(conn)?;
    for line in lines {
        let may = if line == resource::TIME { in_time(conn, now)? } else { held.free(&line) > 0 };
        if may {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Takes up to so many runs for this worker, each with all that it needs.
pub fn take(conn: &mut Conn, app: &App, places: usize, now: Moment) -> Result<Took> {
    let turns = workspace::table.find(1).select((workspace::turn, workspace::standing_by_since));
    let (mut turn, since): (i64, Option<Moment>) = match conn {
        Conn::Pg(conn) => turns.for_no_key_update().first(conn)?,
        Conn::Sqlite(conn) => turns.first(conn)?,
    };
    let since = standing(since);
    let mut held = held(conn)?;
    let mut took = Took::default();
    let mut looked_at = 0;
    begin_in_time(conn, now)?;
    loop {
        let woken = wake(conn, &held)?;
        let mut lined_up = false;
        while took.taken.len() < places {
            let Some((id, application_id)) = next(conn, turn, since)? else { break };
            if looked_at == LOOKED_AT {
                took.more = true;
                return Ok(took);
            }
            looked_at += 1;
            match take_one(conn, app, id, &mut held, now)? {
                Some(taken) => {
                    turn = application_id;
                    took.taken.push(taken);
                }
                None => lined_up = true,
            }
        }
        // Who was woken and lined up elsewhere left the place to the next in its first line.
        if took.taken.len() == places || !(woken && lined_up) {
            return Ok(took);
        }
    }
}

/// Since when a run must have been queued to begin: while the Workspace stands by, what waited before waits on.
fn standing(by_since: Option<Moment>) -> Moment {
    by_since.unwrap_or(Moment::from_micros(i64::MIN))
}

/// A run that may begin, and its Application.
type Candidate = (i64, i64);

/// The run that begins next: by hand before the rest, of the Application after the one whose turn it was. Few looks into
/// one index, whatever waits there; typed queries, because Diesel prepares those once for each connection.
fn next(conn: &mut Conn, turn: i64, since: Moment) -> Result<Option<Candidate>> {
    for precedence in [BY_HAND, BY_CLOCK] {
        let ready = || {
            runs::table
                .filter(runs::precedence.eq(precedence))
                .filter(runs::available_at.is_not_null().and(runs::waits_for.is_null()))
                .filter(runs::status.eq(RunStatus::Queued).and(runs::queued_at.ge(since)))
                .order((runs::application_id, runs::available_at, runs::id))
                .select((runs::id, runs::application_id))
        };
        let first: Option<Candidate> = ready().first(conn).optional()?;
        match first {
            // All that wait come before whose turn it was, or after it.
            Some((_, application_id)) if application_id <= turn => {
                let after = ready().filter(runs::application_id.gt(turn)).first(conn).optional()?;
                return Ok(after.or(first));
            }
            Some(_) => return Ok(first),
            None => {}
        }
    }
    Ok(None)
}

/// Takes a run, or lines it up behind those that hold what it needs; `None` also when somebody cancelled it.
fn take_one(conn: &mut Conn, app: &App, id: i64, held: &mut Held, now: Moment) -> Result<Option<Taken>> {
    db::lock_row(conn, "runs", id)?;
    let Some(mut run) = store::by_id(conn, id)?.filter(|run| run.status == RunStatus::Queued) else { return Ok(None) };
    // Asked anew: the rows of its Application may have begun to go since the queue was looked at.
    if stops_store::is_stopped(conn, run.application_id)? {
        return line_up(conn, id, &resource::of_application(run.application_id)).map(|()| None);
    }
    follow_owner(conn, &mut run)?;
    // The version is chosen when a run begins; its further attempts follow the same. Block and Connection are that
    // version's, read under this lock: what the run holds is what it will load.
    let version = if run.attempt > 0 { run.configuration_version } else { None };
    let followed = match run.configuration_id {
        Some(configuration) => runnable::followed(conn, configuration, version)?,
        None => None,
    };
    let policy = match &followed {
        _ if run.parameters_lost => {
            tracing::error!(run = id, "the parameters of a run cannot be read; it fails");
            Err("Its parameters cannot be read, and without them it would do something else. Use Run now instead."
                .into())
        }
        Some(followed) => match followed.policy() {
            Ok(policy) if policy.declares_parameters() => {
                values::settle(conn, &app.secrets, &mut run, followed, policy)?
            }
            policy => policy,
        },
        // What cannot be found fails in words when it begins.
        None => Ok(Policy::default()),
    };
    if let Some(set_id) = run.set_id {
        begin_set(conn, &run, set_id, held, now)?;
        return Ok(None);
    }
    let restored = run.block_id.filter(|_| run.restores.is_some());
    let mut blocks: Vec<i64> = followed.iter().map(|followed| followed.block_id).chain(restored).collect();
    if policy.as_ref().is_ok_and(Policy::creates_items) {
        for id in blocks.clone() {
            blocks.extend(blocks::lists_of(conn, id)?);
        }
    }
    let connection = followed.as_ref().and_then(|f| f.connection_id).filter(|_| run.file_id.is_none());
    let needs = resource::needs(&blocks, connection, policy.as_ref().ok().and_then(|policy| policy.path()));
    let places = match held.take(&needs) {
        Ok(places) => places,
        Err(exhausted) => {
            line_up(conn, id, exhausted.as_str())?;
            return Ok(None);
        }
    };
    hold(conn, id, places)?;
    let fence = diesel::update(workspace::table)
        .set((workspace::fence.eq(workspace::fence + 1), workspace::turn.eq(run.application_id)));
    let fence: Option<i64> = fence.returning(workspace::fence).get_result(conn).optional()?;
    let fence = fence.ok_or_else(|| AppError::internal("there is no Workspace yet"))?;
    if let Some(followed) = followed {
        run.configuration_version = Some(followed.version);
        run.block_id = Some(followed.block_id);
    }
    run.attempt += 1;
    (run.status, run.started_at, run.available_at, run.reason) = (RunStatus::Running, Some(now), None, None);
    diesel::update(runs::table.find(id))
        .set((
            runs::status.eq(run.status),
            runs::started_at.eq(now),
            runs::attempt.eq(run.attempt),
            runs::interrupted.eq(false),
            runs::available_at.eq(None::<Moment>),
            runs::waiting_key.eq(None::<String>),
            runs::waits_for.eq(None::<String>),
            runs::reason.eq(None::<String>),
            runs::configuration_version.eq(run.configuration_version),
            runs::block_id.eq(run.block_id),
            run.resolved.is_some().then(|| runs::parameters.eq(run.kept_values())),
        ))
        .execute(conn)?;
    diesel::insert_into(run_leases::table)
        .values((
            run_leases::run_id.eq(id),
            run_leases::worker.eq(&app.worker),
            run_leases::fence.eq(fence),
            run_leases::lease_until.eq(now.plus(leases::lease(app))),
            run_leases::phase.eq("Starting"),
        ))
        .execute(conn)?;
    Ok(Some(Taken { run, fence, policy, began: Instant::now() }))
}

/// What the clock put into the queue begins with the rights of who owns its schedule now: it may have passed to somebody
/// else while the run waited.
fn follow_owner(conn: &mut Conn, run: &mut Run) -> Result<()> {
    let schedule = match (run.trigger, run.parent_id) {
        (Trigger::Schedule, _) => run.schedule_id,
        (Trigger::Set, Some(id)) => {
            let set_run = runs::table.filter(runs::id.eq(id).and(runs::trigger_kind.eq(Trigger::Schedule)));
            set_run.select(runs::schedule_id).first(conn).optional()?.flatten()
        }
        _ => None,
    };
    let owner = schedule.map(|id| schedules::owner_of(conn, id)).transpose()?.flatten();
    if owner.is_some() && owner != run.as_member_id {
        run.as_member_id = owner;
        diesel::update(runs::table.find(run.id)).set(runs::as_member_id.eq(owner)).execute(conn)?;
    }
    Ok(())
}

/// The run of a set holds its set and nothing else: its steps are taken from the queue as all runs are.
fn begin_set(conn: &mut Conn, run: &Run, set_id: i64, held: &mut Held, now: Moment) -> Result<()> {
    match held.take(&[resource::of_set(set_id)]) {
        Ok(places) => {
            hold(conn, run.id, places)?;
            sets::begin(conn, run, now)
        }
        Err(exhausted) => line_up(conn, run.id, exhausted.as_str()),
    }
}

/// A run waits for what others hold.
fn line_up(conn: &mut Conn, id: i64, line: &str) -> Result<()> {
    diesel::update(runs::table.find(id)).set(runs::waits_for.eq(line)).execute(conn)?;
    Ok(())
}

fn hold(conn: &mut Conn, run_id: i64, places: Vec<(&str, i32)>) -> Result<()> {
    let row = |(resource, place)| {
        (resource_leases::resource.eq(resource), resource_leases::place.eq(place), resource_leases::run_id.eq(run_id))
    };
    let rows: Vec<_> = places.into_iter().map(row).collect();
    on!(conn, c => diesel::insert_into(resource_leases::table).values(rows).execute_rows(c))?;
    Ok(())
}

/// What is taken now: a few rows, as many as runs that go hold.
fn held(conn: &mut Conn) -> Result<Held> {
    let rows: Vec<(String, i32)> =
        resource_leases::table.select((resource_leases::resource, resource_leases::place)).load(conn)?;
    Ok(Held::of(rows, stops_store::stopped(conn)?.into_iter().map(resource::of_application)))
}

/// The lines in which runs stand, each found by one look into the index, however long it is.
fn lines(conn: &mut Conn) -> Result<Vec<String>> {
    let mut lines: Vec<String> = Vec::new();
    loop {
        let last = lines.last().cloned().unwrap_or_default();
        let next = runs::table.filter(runs::waits_for.gt(last)).order(runs::waits_for).select(runs::waits_for);
        match next.first::<Option<String>>(conn).optional()?.flatten() {
            Some(line) => lines.push(line),
            None => return Ok(lines),
        }
    }
}

/// Lets the first of each line begin for which there is a place; answers whether there was one.
fn wake(conn: &mut Conn, held: &Held) -> Result<bool> {
    let mut woken = false;
    for line in lines(conn)?.iter().filter(|line| *line != resource::TIME) {
        let free = held.free(line) as i64;
        if free == 0 {
            continue;
        }
        let first = runs::table
            .filter(runs::waits_for.eq(line))
            .order((runs::precedence, runs::available_at, runs::id))
            .limit(free)
            .select(runs::id);
        for id in first.load::<i64>(conn)? {
            diesel::update(runs::table.find(id)).set(runs::waits_for.eq(None::<String>)).execute(conn)?;
            woken = true;
        }
    }
    Ok(woken)
}

/// Whether the time of somebody's next attempt has come.
fn in_time(conn: &mut Conn, now: Moment) -> Result<bool> {
    let waiting =
        || runs::table.filter(runs::waits_for.eq(resource::TIME)).filter(runs::precedence.eq_any([BY_HAND, BY_CLOCK]));
    let come = waiting().filter(runs::available_at.le(now)).select(runs::id).first::<i64>(conn).optional()?;
    if come.is_some() {
        return Ok(true);
    }
    let never = waiting().filter(runs::available_at.gt(now.plus(LONGEST_WAIT)));
    Ok(never.select(runs::id).first::<i64>(conn).optional()?.is_some())
}

fn begin_in_time(conn: &mut Conn, now: Moment) -> Result<()> {
    if in_time(conn, now)? {
        let waiting =
            runs::table.filter(runs::waits_for.eq(resource::TIME)).filter(runs::precedence.eq_any([BY_HAND, BY_CLOCK]));
        let come = runs::available_at.le(now).or(runs::available_at.gt(now.plus(LONGEST_WAIT)));
        diesel::update(waiting.filter(come)).set(runs::waits_for.eq(None::<String>)).execute(conn)?;
    }
    Ok(())
}

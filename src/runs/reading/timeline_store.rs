//! Runs in their place in time, for the calendar: what a run stands for is its planned instant or, where nothing
//! planned it, the moment when it was asked for. Three questions, each one query however many schedules there are: how
//! many in each stretch of time, how many of each schedule, and which ones of those that are few enough to be shown one
//! by one.
//!
//! All of them read nothing but the index on exactly that instant, so that a week costs what the week holds, not what
//! the history holds; and how many ended in whole quarters of an hour is kept count of. To tell runs apart by schedule
//! costs some 1 µs each: who asks about a long stretch counts first, and tells apart where that is little.

use diesel::sql_types::{BigInt, Nullable, Text};

use super::counts_store::{self, is_whole};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::{Conn, IdRow, on};
use crate::error::Result;
use crate::imports::Target;
use crate::runs::lifecycle::RunStatus;
use crate::runs::model::Run;
use crate::runs::store::{self, numbers};

/// The instant that the index is on; the words must be those of the index.
const PLACE: &str = "coalesce(r.planned_at, r.queued_at)";
/// So many ranges of occurrences that did not run are shown in one look.
pub const MOST_RANGES: i64 = 200;

/// Which runs are looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Only {
    #[default]
    All,
    /// What the clock began, not what somebody started or repeated by hand.
    Scheduled,
    /// Failed, Partial and Held: what somebody should look at.
    Failed,
}

#[derive(Clone, Copy, Debug)]
pub struct Filter {
    pub application_id: i64,
    /// A configuration, or a set.
    pub target: Option<Target>,
    pub only: Only,
}

const FAILED: [RunStatus; 3] = [RunStatus::Failed, RunStatus::Partial, RunStatus::Held];

/// From an instant (included) to another (excluded).
pub type Stretch = (Moment, Moment);

/// So many runs with one status in one stretch.
#[derive(QueryableByName, Debug)]
pub struct Total {
    /// Which of the stretches that were asked about.
    #[diesel(sql_type = BigInt)]
    pub stretch: i64,
    #[diesel(sql_type = Text)]
    pub status: RunStatus,
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// So many runs of one schedule, or of one configuration (`None`: of sets) by hand, with one status, in one stretch.
#[derive(QueryableByName, Debug)]
pub struct Count {
    /// Which of the stretches that were asked about.
    #[diesel(sql_type = BigInt)]
    pub stretch: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub schedule_id: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub configuration_id: Option<i64>,
    #[diesel(sql_type = Text)]
    pub status: RunStatus,
    #[diesel(sql_type = BigInt)]
    pub count: i64,
}

/// How many runs lie in each stretch; ranges of missed occurrences are left to [`ranges`].
pub fn totals(conn: &mut Conn, filter: &Filter, stretches: &[Stretch]) -> Result<Vec<Total>> {
    let wanted = wanted(filter);
    if filter.target.is_some() || !stretches.iter().all(is_whole) {
        return counted(conn, filter, stretches, &wanted);
    }
    if stretches.is_empty() {
        return Ok(Vec::new());
    }
    // In one statement: a run that ends between two would be in both.
    let (open, ended): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|status| status.is_open());
    let scheduled = filter.only == Only::Scheduled;
    let mut parts = vec![counts_store::ended(conn, filter.application_id, scheduled, &ended)];
    if !open.is_empty() {
        parts.push(each_counted(filter));
    }
    load(conn, with(stretches, &open), &parts.join(" UNION ALL "))
}

/// The same, each run counted.
fn counted(conn: &mut Conn, filter: &Filter, stretches: &[Stretch], statuses: &[RunStatus]) -> Result<Vec<Total>> {
    if stretches.is_empty() {
        return Ok(Vec::new());
    }
    load(conn, with(stretches, statuses), &each_counted(filter))
}

/// A query for the totals of `s` and `t`.
fn each_counted(filter: &Filter) -> String {
    format!(
        "SELECT CAST(s.n AS BIGINT) AS stretch, t.status, (SELECT count(*) FROM runs r WHERE {}) AS count \
         FROM s CROSS JOIN t",
        placed(filter)
    )
}

fn load(conn: &mut Conn, with: String, totals: &str) -> Result<Vec<Total>> {
    let query = diesel::sql_query(format!("{with} {totals}"));
    let mut totals: Vec<Total> = on!(conn, c => query.load(c))?;
    totals.retain(|total| total.count > 0);
    Ok(totals)
}

/// How many of each schedule they are.
pub fn counts(conn: &mut Conn, filter: &Filter, stretches: &[Stretch]) -> Result<Vec<Count>> {
    if stretches.is_empty() {
        return Ok(Vec::new());
    }
    let query = diesel::sql_query(format!(
        "{} SELECT CAST(s.n AS BIGINT) AS stretch, r.schedule_id, r.configuration_id, r.status, count(*) AS count \
         FROM {} GROUP BY s.n, r.schedule_id, r.configuration_id, r.status",
        with(stretches, &wanted(filter)),
        each(conn, filter),
    ));
    Ok(on!(conn, c => query.load(c))?)
}

/// What the newest run of each of these schedules, deleted ones too, is called.
pub fn names_of(conn: &mut Conn, schedule_ids: &[i64]) -> Result<Vec<(i64, String)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        schedule_id: i64,
        #[diesel(sql_type = Text)]
        name: String,
    }
    if schedule_ids.is_empty() {
        return Ok(Vec::new());
    }
    let query = diesel::sql_query(format!(
        "SELECT r.schedule_id, r.name FROM schedules s JOIN runs r ON r.id = \
         (SELECT x.id FROM runs x WHERE x.schedule_id = s.id ORDER BY x.id DESC LIMIT 1) WHERE s.id IN ({})",
        numbers(schedule_ids)
    ));
    let rows: Vec<Row> = on!(conn, c => query.load(c))?;
    Ok(rows.into_iter().map(|row| (row.schedule_id, row.name)).collect())
}

/// The runs in these stretches but for those of these schedules, and those of these configurations that no schedule
/// planned; in the order of time.
pub fn within(
    conn: &mut Conn,
    filter: &Filter,
    stretches: &[Stretch],
    without_schedules: &[i64],
    without_by_hand: &[i64],
) -> Result<Vec<Run>> {
    if stretches.is_empty() {
        return Ok(Vec::new());
    }
    let query = diesel::sql_query(format!(
        "{} SELECT r.id FROM {} \
         AND (r.schedule_id IS NULL OR r.schedule_id NOT IN ({})) \
         AND (r.schedule_id IS NOT NULL OR coalesce(r.configuration_id, 0) NOT IN ({}))",
        with(stretches, &wanted(filter)),
        each(conn, filter),
        numbers(without_schedules),
        numbers(without_by_hand),
    ));
    let ids: Vec<IdRow> = on!(conn, c => query.load(c))?;
    in_order(conn, ids)
}

/// The Missed or Skipped ranges of occurrences that overlap a stretch, [`MOST_RANGES`] of them at most.
pub fn ranges(conn: &mut Conn, filter: &Filter, (from, to): Stretch) -> Result<Vec<Run>> {
    let query = diesel::sql_query(format!(
        "SELECT r.id FROM runs r WHERE {}{} AND r.planned_until IS NOT NULL AND r.planned_until >= $1 AND {PLACE} < $2 \
         ORDER BY r.planned_until LIMIT {MOST_RANGES}",
        who(filter, By::Application),
        // A range was skipped or missed.
        if filter.only == Only::Failed { " AND 1 = 0" } else { "" },
    ))
    .bind::<BigInt, _>(from)
    .bind::<BigInt, _>(to);
    let ids: Vec<IdRow> = on!(conn, c => query.load(c))?;
    in_order(conn, ids)
}

/// The run that stands for an occurrence, alone or in a range that did not run; of several, because it was run again,
/// the first.
pub fn of_occurrence(
    conn: &mut Conn,
    application_id: i64,
    schedule_id: i64,
    planned_at: Moment,
) -> Result<Option<Run>> {
    if let Some(run) = store::of_occurrence(conn, schedule_id, planned_at)? {
        return Ok(Some(run));
    }
    // By the index on the ends of ranges: of what is to come it reads next to nothing, while that of the schedule, or of
    // its occurrences, would be read through all of its history.
    let query = diesel::sql_query(
        "SELECT r.id FROM runs r WHERE r.application_id = $1 AND r.schedule_id + 0 = $2 \
         AND r.planned_until IS NOT NULL AND r.planned_until >= $3 AND r.planned_at <= $3 \
         ORDER BY r.planned_until LIMIT 1",
    )
    .bind::<BigInt, _>(application_id)
    .bind::<BigInt, _>(schedule_id)
    .bind::<BigInt, _>(planned_at);
    let ids: Vec<IdRow> = on!(conn, c => query.load(c))?;
    Ok(in_order(conn, ids)?.pop())
}

fn in_order(conn: &mut Conn, ids: Vec<IdRow>) -> Result<Vec<Run>> {
    let ids: Vec<i64> = ids.into_iter().map(|row| row.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut runs = store::by_ids(conn, &ids)?;
    runs.sort_by_key(|run| (run.stands_for(), run.id));
    Ok(runs)
}

fn wanted(filter: &Filter) -> Vec<RunStatus> {
    let wanted = |status: &&RunStatus| filter.only != Only::Failed || FAILED.contains(status);
    RunStatus::ALL.iter().filter(wanted).copied().collect()
}

/// The stretches `s`, and the statuses `t` that are asked for: the index has the status before the instant.
fn with(stretches: &[Stretch], statuses: &[RunStatus]) -> String {
    let rows: Vec<String> = stretches
        .iter()
        .enumerate()
        .map(|(n, (from, to))| format!("({n}, {}, {})", from.micros(), to.micros()))
        .collect();
    let mut with = format!("WITH s (n, a, b) AS (VALUES {})", rows.join(", "));
    if !statuses.is_empty() {
        let statuses: Vec<String> = statuses.iter().map(|status| format!("('{status}')")).collect();
        with += &format!(", t (status) AS (VALUES {})", statuses.join(", "));
    }
    with
}

/// That a run lies in `s` with the status `t`, and is no range; of one configuration by the index on that.
fn placed(filter: &Filter) -> String {
    let configuration = filter.target.and_then(Target::configuration);
    let who = who(filter, if configuration.is_some() { By::Configuration } else { By::Application });
    // An Application's calendar shows a set as one; that of a configuration shows its runs in sets, too.
    let steps = if configuration.is_some() { "" } else { " AND r.trigger_kind <> 'set'" };
    format!("{who}{steps} AND r.status = t.status AND {PLACE} >= s.a AND {PLACE} < s.b AND r.planned_until IS NULL")
}

/// The runs `r` that lie in `s` with the status `t`, as what follows FROM, open for further conditions.
fn each(conn: &Conn, filter: &Filter) -> String {
    let placed = placed(filter);
    match conn {
        // SQLite takes the tables of a CROSS JOIN in this order.
        Conn::Sqlite(_) => format!("s CROSS JOIN t CROSS JOIN runs r WHERE {placed}"),
        // PostgreSQL believes that a third of all runs lies in each stretch, and reads the whole history, unless OFFSET
        // keeps it from joining in another order.
        Conn::Pg(_) => format!(
            "s CROSS JOIN t CROSS JOIN LATERAL (SELECT id, schedule_id, configuration_id, status FROM runs r \
             WHERE {placed} OFFSET 0) r WHERE TRUE"
        ),
    }
}

/// By which column the runs are found; the index on the other is put out of reach.
#[derive(PartialEq)]
enum By {
    Application,
    Configuration,
}

fn who(filter: &Filter, by: By) -> String {
    let unless = |there: bool| if there { "" } else { " + 0" };
    let mut text = format!("r.application_id{} = {}", unless(by == By::Application), filter.application_id);
    match filter.target {
        Some(Target::Configuration(id)) => {
            text += &format!(" AND r.configuration_id{} = {id}", unless(by == By::Configuration));
            // What a restore is kept under is no import that it is a run of.
            text += " AND r.id NOT IN (SELECT run_id FROM run_restores)";
        }
        // No index has the instants of a set's runs: those of the Application lead to them.
        Some(Target::Set(id)) => text += &format!(" AND r.set_id + 0 = {id}"),
        None => {}
    }
    if filter.only == Only::Scheduled {
        text += " AND r.trigger_kind || '' = 'schedule'";
    }
    text
}

//! A long history changes nothing: whatever a page shows, no query of it walks through the runs, and their number is
//! the same for one configuration and for two hundred. Seeded once per database.

use diesel::dsl::max;
use diesel::prelude::*;
use diesel::sql_types::Text;
use serde_json::Value;
use tidegate::db::Conn;
use tidegate::db::schema::runs;

use crate::support::seed::{Seed, seed};
use crate::support::{Database, World, cast, queries, settings, with_world};

/// What instruments call the database.
pub fn database(world: &World) -> String {
    match world.app().db.location() {
        tidegate::db::Location::Postgres { url, .. } => url.clone(),
        tidegate::db::Location::Sqlite { file } => file.to_string_lossy().into_owned(),
    }
}

/// The pages at which a long history would tell, by name. The first number is that of a configuration, the second that
/// of its newest run.
pub fn pages(world: &World, configuration: i64, run: i64) -> Vec<(&'static str, String)> {
    let list = format!("/applications/{}/settings/import-scheduling", world.application);
    let history = format!("/applications/{}/settings/import-configurations/{configuration}/history", world.application);
    vec![
        ("overview of all", "/".to_owned()),
        ("overview of all, what goes", "/?part=going&was=0.0.".to_owned()),
        ("overview of one", format!("/applications/{}", world.application)),
        ("list", list.clone()),
        ("list, filtered", format!("{list}?q=COPY+1")),
        ("list, filtered to few", format!("{list}?q=copy+117")),
        ("list, failed", format!("{list}?show=failed")),
        ("list, held", format!("{list}?show=held")),
        ("list, running", format!("{list}?show=running")),
        ("list, off", format!("{list}?show=off")),
        ("list by name", format!("{list}?sort=name&page=2")),
        ("list by next run", format!("{list}?sort=next")),
        ("list by last run", format!("{list}?sort=last")),
        ("list by owner", format!("{list}?sort=owner&page=4")),
        ("overview", format!("{list}?part=overview")),
        ("card, closed", format!("{list}/configurations/{configuration}?open=&at={list}")),
        ("card, open", format!("{list}/configurations/{configuration}?open=on&at={list}")),
        ("calendar, month", format!("{list}/calendar?view=month&date=2026-09-15")),
        ("calendar, this month", format!("{list}/calendar?view=month")),
        ("calendar, month, failed", format!("{list}/calendar?view=month&date=2026-09-15&show=failed")),
        (
            "calendar, month, one configuration",
            format!("{list}/calendar?view=month&date=2026-09-15&configuration={configuration}"),
        ),
        ("calendar, week", format!("{list}/calendar?view=week&date=2026-09-15")),
        ("calendar, day", format!("{list}/calendar?view=day&date=2026-09-15")),
        ("history", history.clone()),
        ("history, held", format!("{history}?status=held")),
        ("history, by API", format!("{history}?trigger=api")),
        ("history, scheduled", format!("{history}?trigger=schedule")),
        ("summary", format!("/runs/{run}")),
        ("inbox", "/notifications".to_owned()),
        ("inbox, incidents", "/notifications?show=troubles".to_owned()),
        ("bell", "/notifications/bell".to_owned()),
    ]
}

/// What a script of a member with two Applications asks.
pub const API: [(&str, &str); 6] = [
    ("GET runs", "runs"),
    ("GET runs, held", "runs?status=held"),
    ("GET runs, failed", "runs?status=failed"),
    ("GET runs, by API", "runs?trigger=api"),
    ("GET runs, failed by token", "runs?status=failed&trigger=api"),
    ("GET runs, good by token", "runs?status=success&trigger=api"),
];

#[derive(QueryableByName)]
struct Step {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    json: String,
}

fn is_search_of_runs(detail: &str) -> bool {
    ["SEARCH runs", "SEARCH r", "SEARCH x"].iter().any(|search| is_step(detail, search))
}

/// What walks through all runs in the way in which a statement is carried out; nothing when it does not.
fn walks(conn: &mut Conn, statement: &str) -> Vec<String> {
    match conn {
        Conn::Sqlite(conn) => {
            let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn).unwrap();
            let sorts =
                steps.iter().any(|step| step.detail.contains("TEMP B-TREE FOR") && step.detail.contains("ORDER BY"));
            // An index of what is queued or running is short, whatever is asked of it.
            let short = |detail: &str| ["runs_open", "runs_under_way"].iter().any(|index| detail.contains(index));
            let walks = |detail: &String| {
                // All of an Application, which may be all there is.
                let whole = sorts && is_search_of_runs(detail) && detail.ends_with("(application_id=?)");
                (whole || ["SCAN runs", "SCAN r", "SCAN x"].iter().any(|s| is_step(detail, s))) && !short(detail)
            };
            steps.into_iter().map(|step| step.detail).filter(walks).collect()
        }
        Conn::Pg(conn) => {
            let mut run = |sql: String| diesel::sql_query(sql).execute(conn).map(|_| ()).unwrap();
            let count = (1..).take_while(|n| statement.contains(&format!("${n}"))).count();
            let nothing = if count > 0 { format!("({})", vec!["NULL"; count].join(", ")) } else { String::new() };
            // Of few runs a planner may rightly read all: the short twin asks whether an index can serve.
            if !settings::full() {
                run("SET enable_seqscan TO off".into());
            }
            // Not the plan for NULL, which finds nothing and reads nothing.
            run("SET plan_cache_mode TO force_generic_plan".into());
            run(format!("PREPARE asked AS {statement}"));
            let plans: Vec<Plan> =
                diesel::sql_query(format!("EXPLAIN (FORMAT JSON) EXECUTE asked{nothing}")).load(conn).unwrap();
            diesel::sql_query("DEALLOCATE asked").execute(conn).unwrap();
            plans.iter().flat_map(|plan| walks_of(&serde_json::from_str(&plan.json).unwrap())).collect()
        }
    }
}

fn is_step(detail: &str, step: &str) -> bool {
    detail == step || detail.starts_with(&format!("{step} "))
}

/// Every node that reads `runs` without a condition of an index.
fn walks_of(plan: &Value) -> Vec<String> {
    match plan {
        Value::Array(all) => all.iter().flat_map(walks_of).collect(),
        Value::Object(node) => {
            let mut found: Vec<String> = node.values().flat_map(walks_of).collect();
            let word = |name: &str| node.get(name).and_then(Value::as_str).unwrap_or_default();
            // An index of what is queued or running is short, whatever is asked of it.
            let short = ["runs_open", "runs_under_way"].contains(&word("Index Name"));
            let by_index = short || node.contains_key("Index Cond") || word("Node Type") == "Bitmap Heap Scan";
            if word("Relation Name") == "runs" && !by_index {
                found.push(format!("{} of runs, {}", word("Node Type"), word("Filter")));
            }
            found
        }
        _ => Vec::new(),
    }
}

/// So many statements a page may send, with those that say who asks.
const MOST: usize = 36;

async fn asks_and_walks(world: &World, name: &str, get: impl AsyncFnOnce()) -> (usize, Vec<String>) {
    let database = database(world);
    queries::keep(&database);
    get().await;
    let sent = queries::kept(&database);
    let count = sent.len();
    let name = name.to_owned();
    let wrong = world
        .read(move |conn| {
            let about_runs = sent.into_iter().filter(|text| text.contains("runs") && text.contains("SELECT"));
            let of = |text: String| {
                let found = walks(conn, &text);
                found.into_iter().map(|walk| format!("{name}: {walk}: {text}")).collect::<Vec<_>>()
            };
            Ok(about_runs.flat_map(of).collect())
        })
        .await;
    (count, wrong)
}

async fn look_at_all(world: World) {
    // Unoptimised, a database writes 200,000 runs in a minute: the short twin has enough for a planner to tell.
    let runs = if settings::full() { 200_000 } else { 30_000 };
    let first = seed(&world, Seed { applications: 19, ..Seed::runs(runs) }).await;
    grant_elsewhere(&world).await;
    crate::support::seed::promise_all(&world, &first).await;
    crate::support::seed::tell_much(&world).await;
    let run = newest_run(&world).await;
    let ada = world.browser(&world.ada).await;
    let (mut wrong, mut counts) = (Vec::new(), Vec::new());
    for (name, path) in pages(&world, first.configuration, run) {
        let get = async || {
            let answer = ada.get(&path).await;
            assert_eq!(answer.status, 200, "{name}: {}", answer.text());
            assert!(answer.body.len() <= 300_000, "{name}: {} bytes", answer.body.len());
        };
        get().await;
        let (count, walks) = asks_and_walks(&world, name, get).await;
        wrong.extend(walks);
        counts.push((name, count));
    }
    let mo = world.api(&world.mo).await;
    for (name, path) in API {
        let get = async || assert_eq!(mo.get(path).await.status, 200, "{name}");
        let (count, walks) = asks_and_walks(&world, name, get).await;
        wrong.extend(walks);
        counts.push((name, count));
    }
    // The steps that look at all of it: the first of promises writes down how each stands.
    world.step(tidegate::promises::keeping::step).await;
    type Step = fn(&tidegate::app::App) -> tidegate::error::Result<usize>;
    let steps: [(&str, Step); 2] =
        [("promises", tidegate::promises::keeping::step), ("watching", tidegate::watching::step)];
    for (name, step) in steps {
        let (count, walks) = asks_and_walks(&world, name, async || _ = world.step(step).await).await;
        wrong.extend(walks);
        counts.push((name, count));
    }
    wrong.sort();
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(counts.iter().all(|(_, count)| (1..=MOST).contains(count)), "{counts:?}");
    let of = |name: &str| counts.iter().find(|(page, _)| *page == name).unwrap().1;
    // Fifty cards ask no more than one, but for what only some of them have.
    assert!(of("list, filtered") <= of("list, filtered to few") + 2, "{counts:?}");
}

pub async fn newest_run(world: &World) -> i64 {
    world.read(|conn| Ok(runs::table.select(max(runs::id)).first::<Option<i64>>(conn)?.unwrap())).await
}

/// So that Mo sees two Applications.
pub async fn grant_elsewhere(world: &World) {
    let (elsewhere, mo) = (world.elsewhere, world.mo.clone());
    world.write(move |conn| cast::grant(conn, elsewhere, &mo, (false, false))).await;
}

/// Nearly every second nothing is due: then only the ends of indexes are read, however many schedules and runs there are.
async fn beat_once(world: World) {
    crate::support::stage::stage(&world, "words", tidegate::imports::Mode::Append, |_| ()).await;
    let database = database(&world);
    queries::keep(&database);
    world.step(|app| tidegate::runs::dispatcher::step(app).map(|_| ())).await;
    world.step(|app| tidegate::runs::executor::take(app).map(|_| ())).await;
    let sent = queries::kept(&database);
    assert!(sent.len() > 3, "{sent:?}");
    let scans = world
        .read(move |conn| {
            let Conn::Sqlite(conn) = conn else { return Ok(Vec::new()) };
            let mut scans = Vec::new();
            for statement in sent.iter().filter(|text| text.contains("SELECT")) {
                let steps: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {statement}")).load(conn)?;
                let scanned = |table: &str, detail: &str| is_step(detail, &format!("SCAN {table}"));
                let whole = |step: &Step| scanned("schedules", &step.detail) || scanned("runs", &step.detail);
                scans.extend(
                    steps.iter().filter(|step| whole(step)).map(|step| format!("{}: {statement}", step.detail)),
                );
            }
            Ok(scans)
        })
        .await;
    assert!(scans.is_empty(), "{scans:#?}");
}

#[test]
fn a_beat_with_nothing_due_reads_no_table_whole() {
    queries::watch();
    with_world(Database::Sqlite, beat_once);
}

#[test]
fn no_page_walks_through_the_history_on_sqlite() {
    queries::watch();
    with_world(Database::Sqlite, look_at_all);
}

#[test]
fn no_page_walks_through_the_history_on_postgres() {
    queries::watch();
    with_world(Database::Postgres, look_at_all);
}

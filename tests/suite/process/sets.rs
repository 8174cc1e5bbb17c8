//! Sets in the program itself: killed at any moment each step's rows are there once and the set's run says what is true;
//! two processes run a set once.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::{runs, set_run_steps};
use tidegate::runs::RunStatus;

use super::claims::minute_after;
use super::site::{Import, Site, end_of, pause};
use crate::support::api::Api;
use crate::support::databases::{Databases, runtime};
use crate::support::process::Process;
use crate::support::{Database, Dice, settings};

/// As short as it may be: where two processes could serve, a kill is seen only once it is over.
const LEASE: u16 = 2;
const STEPS: usize = 5;
/// Of each step in each round.
const ROWS: usize = 200;

#[test]
fn killed_in_the_middle_of_a_set_on_sqlite() {
    runtime().block_on(killed_in_the_middle(Database::Sqlite, if settings::full() { 60 } else { 20 }));
}

#[test]
fn killed_in_the_middle_of_a_set_on_postgres() {
    // A kill costs a lease more than on SQLite, which only one process serves.
    runtime().block_on(killed_in_the_middle(Database::Postgres, if settings::full() { 60 } else { 10 }));
}

/// Two sets of five steps go at once, one in its order and one with all steps at once; each kill meets both. Every other
/// round allows one attempt only, so that what was interrupted is Failed, and is then run again from there.
async fn killed_in_the_middle(database: Database, kills: usize) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let seed = settings::seed();
    let mut dice = Dice(seed);
    let (mut process, mut api) = site.serve();
    let mut sets = two_sets(&site, &api).await;
    let db = site.databases();
    let began = Instant::now();
    for run in begin(&site, &api, &sets, 0).await {
        assert_eq!(end_of(&api, run, &process).await["status"], "success");
    }
    let usual = began.elapsed();
    let mut met: BTreeMap<&str, usize> = BTreeMap::new();
    let mut killed = 0;
    for round in 1.. {
        if killed >= kills {
            break;
        }
        let attempts = if round % 2 == 0 { 1 } else { 10 };
        for set in &mut sets {
            set.allow(&api, attempts).await;
        }
        let started = begin(&site, &api, &sets, round).await;
        // Every third round is killed once more while it recovers.
        for _ in 0..if round % 3 == 0 { 2 } else { 1 } {
            moment(&db, started[0], usual, killed, &mut dice).await;
            process.kill();
            killed += 1;
            started.iter().for_each(|run| *met.entry(where_it_was(&db, *run)).or_default() += 1);
            (process, api) = site.serve();
        }
        for (set, run) in sets.iter().zip(started) {
            let ended = end_of(&api, run, &process).await;
            let said = format!("seed {seed}, round {round}: {ended}");
            let children = told_truly(&site, &api, set, &ended, &said).await;
            assert!(attempts == 1 || ended["status"] == "success", "{said}");
            if ended["status"] != "success" {
                let again = api.post(&format!("runs/{run}/again"), json!({})).await.is(202).id();
                let again = end_of(&api, again, &process).await;
                assert_eq!(again["status"], "success", "{said}; again: {again}");
                let taken = told_truly(&site, &api, set, &again, &said).await;
                for (before, after) in children.iter().zip(taken) {
                    assert_eq!(before.1 == "success", before.0 == after.0, "only what was done is taken over: {said}");
                }
            }
            for import in &set.imports {
                let holds = db.blocks.read(|conn| tidegate::applications::blocks::ledger::state(conn, import.block));
                assert_eq!(holds.unwrap().row_count, (ROWS * (round + 1)) as i64, "{said}");
            }
        }
        site.nothing_staged().await;
    }
    // What the counts say is there, row by row.
    for import in sets.iter().flat_map(|set| &set.imports) {
        each_row_once(&api, import.block).await;
    }
    eprintln!("{killed} kills, of a set that takes {usual:?}; they met it {met:?}");
    assert!(met.get("during a step").is_some_and(|n| *n >= kills / 4), "{met:?}");
    // Few kills may by chance miss the short time between two steps.
    assert!(!settings::full() || met.contains_key("between two steps"), "{met:?}");
    assert!(process.stop().success());
}

struct Set {
    id: i64,
    sequential: bool,
    imports: Vec<Import>,
    attempts: i64,
}

impl Set {
    async fn allow(&mut self, api: &Api, attempts: i64) {
        if std::mem::replace(&mut self.attempts, attempts) != attempts {
            for import in &self.imports {
                let to = json!({"attempts": attempts});
                api.patch(&format!("import-configurations/{}", import.configuration), to).await.is(200);
            }
        }
    }
}

/// One that stops at a failure, one that goes on.
async fn two_sets(site: &Site, api: &Api) -> [Set; 2] {
    let (application, connection) = folder(site, api).await;
    let there = (application, connection);
    [set(site, api, there, "in order", true).await, set(site, api, there, "at once", false).await]
}

async fn folder(site: &Site, api: &Api) -> (i64, i64) {
    let application = json!({"name": "Sets", "time_zone": "UTC", "spacing_minutes": 0});
    let application = api.make("applications", application).await;
    let settings = json!({"path": site.place.folder().canonicalize().unwrap(), "quiet_seconds": 0});
    let connection = json!({"name": "Files", "kind": "folder", "settings": settings, "application_ids": [application]});
    (application, api.make("connections", connection).await)
}

/// A set whose steps append the rows of a file each to a Block each. Nothing but its run keeps a row from being there
/// twice: the Blocks have no key.
async fn set(site: &Site, api: &Api, (application, connection): (i64, i64), name: &str, sequential: bool) -> Set {
    let mut imports = Vec::new();
    for step in 1..=STEPS {
        let name = format!("{name} {step}");
        let block = json!({"name": name, "kind": "transaction_list", "columns": [
            {"name": "id", "type": "integer"}, {"name": "word", "type": "text"},
        ]});
        let block = api.make(&format!("applications/{application}/blocks"), block).await;
        let configuration = json!({
            "name": name, "block_id": block, "connection_id": connection, "mode": "append", "attempts": 10,
            "source": {"path": format!("{name}.csv")},
        });
        let configuration = api.make(&format!("applications/{application}/import-configurations"), configuration).await;
        imports.push(Import { application, connection, block, configuration });
        deliver(site, &name, 0);
    }
    let steps: Vec<Value> = imports.iter().map(|import| json!({"configuration_id": import.configuration})).collect();
    let (execution, on_failure) = if sequential { ("sequential", "stop") } else { ("parallel", "continue") };
    let set = json!({"name": name, "execution": execution, "on_failure": on_failure, "steps": steps});
    let id = api.make(&format!("applications/{application}/import-sets"), set).await;
    Set { id, sequential, imports, attempts: 10 }
}

/// The file of a step, with rows that no other round has.
fn deliver(site: &Site, name: &str, round: usize) {
    let rows: String = (1..=ROWS).map(|row| format!("{},round-{round}\n", round * ROWS + row)).collect();
    let new = site.place.folder().join("next.new");
    std::fs::write(&new, format!("id,word\n{rows}")).unwrap();
    std::fs::rename(new, site.place.folder().join(format!("{name}.csv"))).unwrap();
}

/// Delivers what a round brings and starts both sets; answers their runs.
async fn begin(site: &Site, api: &Api, sets: &[Set; 2], round: usize) -> [i64; 2] {
    for name in ["in order", "at once"] {
        (1..=STEPS).for_each(|step| deliver(site, &format!("{name} {step}"), round));
    }
    let mut started = [0; 2];
    for (set, run) in sets.iter().zip(&mut started) {
        *run = api.post(&format!("import-sets/{}/runs", set.id), json!({})).await.is(202).id();
    }
    started
}

/// The runs of a set's steps so far, in their order.
fn steps(db: &Databases, run: i64) -> Vec<(i64, RunStatus)> {
    let found = db.main.read(|conn| {
        let steps = set_run_steps::table
            .inner_join(runs::table.on(runs::id.nullable().eq(set_run_steps::step_run_id)))
            .filter(set_run_steps::run_id.eq(run))
            .order(set_run_steps::position);
        Ok(steps.select((runs::id, runs::status)).load(conn)?)
    });
    found.unwrap()
}

/// Waits for the moment at which this kill falls: anywhere in the time that the set takes, as a certain step works, as
/// its load is visible, or as it has ended.
async fn moment(db: &Databases, run: i64, usual: Duration, kill: usize, dice: &mut Dice) {
    let by_chance = usual.mul_f64(dice.between(0, 1_000) as f64 / 1_000.0);
    let step = dice.between(0, STEPS as i64 - 1) as usize;
    let any = kill.is_multiple_of(4);
    let reached = |db: &Databases| match steps(db, run).get(step) {
        _ if any => false,
        None => false,
        Some((_, status)) if kill % 4 == 1 => *status != RunStatus::Queued,
        Some((id, status)) if kill % 4 == 2 => !status.is_open() || has_loaded(db, *id),
        Some((_, status)) => !status.is_open(),
    };
    let give_up = Instant::now() + if any { by_chance } else { usual * 3 };
    while !reached(db) && Instant::now() < give_up {
        pause(1).await;
    }
}

fn has_loaded(db: &Databases, run: i64) -> bool {
    let (uid, block): (String, Option<i64>) =
        db.main.read(|conn| Ok(runs::table.find(run).select((runs::uid, runs::block_id)).first(conn)?)).unwrap();
    let row = db.blocks.read(|conn| tidegate::applications::blocks::ledger::ledger(conn, &uid, block.unwrap()));
    row.unwrap().is_some()
}

/// What a kill has met.
fn where_it_was(db: &Databases, run: i64) -> &'static str {
    let steps = steps(db, run);
    let all = |is: fn(RunStatus) -> bool| steps.iter().all(|(_, status)| is(*status));
    if steps.is_empty() {
        "before its first step"
    } else if steps.iter().any(|(_, status)| *status == RunStatus::Running) {
        "during a step"
    } else if all(|status| !status.is_open()) {
        "after its end"
    } else if all(|status| status == RunStatus::Queued) {
        "before its first step"
    } else {
        "between two steps"
    }
}

/// Every step's status is that of its run, and what it loaded is in the ledger if and only if it says so; the set's status
/// is what the product says of those. Answers the steps' runs and statuses.
async fn told_truly(site: &Site, api: &Api, set: &Set, ended: &Value, said: &str) -> Vec<(Option<i64>, String)> {
    let shown = ended["steps"].as_array().unwrap();
    assert_eq!(shown.len(), STEPS, "{said}");
    let mut told = Vec::new();
    let mut seen = BTreeSet::new();
    for (at, (step, import)) in (1..).zip(shown.iter().zip(&set.imports)) {
        assert_eq!(
            (&step["position"], &step["configuration_id"]),
            (&json!(at), &json!(import.configuration)),
            "{said}"
        );
        let (run, status) = (step["run_id"].as_i64(), step["status"].as_str().unwrap().to_owned());
        if let Some(id) = run {
            assert!(seen.insert(id), "one run a step: {said}");
            let reply = api.get(&format!("runs/{id}")).await;
            let own = &reply.is(200).json;
            assert_eq!(own["status"], status, "{said}");
            let loaded = site.ledger(id).map(|row| row.added);
            match status.as_str() {
                "success" => assert_eq!(loaded, Some(ROWS as i64), "{said}"),
                "failed" => {
                    assert!(own["cause"].as_str().unwrap().contains("nterrupted"), "{own}");
                    assert_eq!(loaded, None, "{said}");
                }
                _ => assert_eq!(loaded, None, "{said}"),
            }
            if status != "skipped" {
                site.said_once(own);
            }
        } else {
            assert_eq!(status, "skipped", "{said}");
        }
        told.push((run, status));
    }
    let children = api.get(&format!("runs?parent_id={}&limit=200", ended["id"])).await;
    let children: BTreeSet<i64> = children.items().iter().map(|run| run["id"].as_i64().unwrap()).collect();
    assert!(children.is_subset(&seen), "no run but those of its steps: {children:?}, {said}");
    let of = |status: &str| told.iter().filter(|(_, told)| told == status).count();
    let expected = match (of("success"), set.sequential) {
        (STEPS, _) => "success",
        (0, _) | (_, true) => "failed",
        _ => "partial",
    };
    assert_eq!(ended["status"], expected, "{said}");
    assert_eq!(of("success") + of("failed") + of("skipped"), STEPS, "{said}");
    if set.sequential {
        let after = told.iter().skip_while(|(_, status)| status == "success").skip(1);
        assert!(after.clone().all(|(_, status)| status == "skipped"), "{said}");
    }
    site.said_once(ended);
    told
}

async fn each_row_once(api: &Api, block: i64) {
    let reply = api.get(&format!("blocks/{block}/rows.csv")).await;
    let mut ids = BTreeSet::new();
    for line in reply.is(200).body.trim_start_matches('\u{feff}').lines().skip(1) {
        let id: i64 = line.split_once(',').unwrap().0.parse().unwrap();
        assert!(ids.insert(id), "row {id} is there twice");
    }
    assert_eq!(ids.last().copied(), Some(ids.len() as i64), "none is missing");
}

/// Six sets are due at one minute and one more is started by hand, where two processes look for work.
#[test]
fn two_processes_run_each_set_once_on_postgres() {
    runtime().block_on(async {
        let Some(site) = Site::make(Database::Postgres, 60) else { return };
        let (mut first, api) = site.serve();
        let (mut second, beside) = site.serve_beside();
        let there = folder(&site, &api).await;
        let mut sets = Vec::new();
        for number in 0..6 {
            sets.push(set(&site, &api, there, &format!("set {number}"), number % 2 == 0).await);
        }
        let by_hand = set(&site, &api, there, "by hand", false).await;
        let due = minute_after(&api).await;
        for set in &sets {
            let schedule = json!({
                "set_id": set.id, "repeat": "once", "time_zone": "UTC",
                "start_date": due.format("%Y-%m-%d").to_string(), "start_time": due.format("%H:%M").to_string(),
            });
            api.make(&format!("applications/{}/schedules", there.0), schedule).await;
        }
        let started = beside.post(&format!("import-sets/{}/runs", by_hand.id), json!({})).await.is(202).id();
        let ended = end_of(&api, started, &second).await;
        assert_eq!(ended["status"], "success", "{ended}");
        let mut all = vec![(by_hand, ended)];
        for set in sets {
            let run = run_of(&api, &set, &first).await;
            let ended = end_of(&api, run, &first).await;
            assert_eq!((&ended["status"], &ended["trigger"]), (&json!("success"), &json!("schedule")), "{ended}");
            let planned = chrono::DateTime::parse_from_rfc3339(ended["planned_at"].as_str().unwrap()).unwrap();
            assert_eq!(planned, due, "{ended}");
            all.push((set, ended));
        }
        for (set, ended) in &all {
            let runs = api.get(&format!("runs?set_id={}", set.id)).await;
            assert_eq!(runs.items().len(), 1, "one run of the set: {}", runs.body);
            told_truly(&site, &api, set, ended, &ended.to_string()).await;
            let children = api.get(&format!("runs?parent_id={}", ended["id"])).await;
            assert_eq!(children.items().len(), STEPS, "one run of each step: {}", children.body);
            for (child, import) in children.items().iter().zip(set.imports.iter().rev()) {
                assert_eq!((&child["attempt"], &child["trigger"]), (&json!(1), &json!("set")), "{child}");
                let runs = api.get(&format!("runs?configuration_id={}", import.configuration)).await;
                assert_eq!(runs.items().len(), 1, "{}", runs.body);
                each_row_once(&api, import.block).await;
            }
        }
        site.nothing_staged().await;
        assert!(first.stop().success());
        assert!(second.stop().success());
    });
}

/// The run of a set that is due; waits until it is there.
async fn run_of(api: &Api, set: &Set, process: &Process) -> i64 {
    let give_up = Instant::now() + Duration::from_secs(120);
    loop {
        let runs = api.get(&format!("runs?set_id={}", set.id)).await;
        if let Some(run) = runs.items().first() {
            return run["id"].as_i64().unwrap();
        }
        assert!(Instant::now() < give_up, "it does not come: {}", process.log());
        pause(200).await;
    }
}

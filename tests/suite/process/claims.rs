//! By the real clock: what is due is claimed within a second, once, by however many processes.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use chrono::{DateTime, Timelike, Utc};
use serde_json::{Value, json};

use super::site::{Site, held, pause};
use crate::support::Database;
use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::process::Process;

#[test]
fn one_process_claims_in_time_on_sqlite() {
    runtime().block_on(async {
        let Some(site) = Site::make(Database::Sqlite, 60) else { return };
        let (mut process, api) = site.serve();
        claimed_in_time(&site, &api, &process, 5).await;
        assert!(process.stop().success());
    });
}

#[test]
fn two_processes_share_what_is_due_on_postgres() {
    runtime().block_on(async {
        let Some(site) = Site::make(Database::Postgres, 60) else { return };
        let (mut first, api) = site.serve();
        let (mut second, _) = site.serve_beside();
        claimed_in_time(&site, &api, &first, 50).await;
        assert!(first.stop().success());
        assert!(second.stop().success());
    });
}

/// So many schedules of as many configurations, all due at one minute.
async fn claimed_in_time(site: &Site, api: &Api, process: &Process, schedules: usize) {
    let first = site.import(api, "Words 0", None).await;
    let mut imports = vec![first];
    for i in 0..schedules {
        let path = format!("words-{i}.csv");
        std::fs::write(site.place.folder().join(&path), format!("id,word\n{i},word-{i}\n")).unwrap();
        if i > 0 {
            imports.push(site.one_more(api, first.application, first.connection, &format!("Words {i}"), &path).await);
        }
    }
    site.words(1, "word-0");
    // Far enough away that all can be saved before.
    let due = minute_after(api).await;
    let mut ids = BTreeSet::new();
    for import in &imports {
        let schedule = json!({
            "configuration_id": import.configuration, "repeat": "once", "time_zone": "UTC",
            "start_date": due.format("%Y-%m-%d").to_string(), "start_time": due.format("%H:%M").to_string(),
        });
        ids.insert(api.make(&format!("applications/{}/schedules", first.application), schedule).await);
    }
    let give_up = Instant::now() + Duration::from_secs(180);
    let runs = loop {
        let path = format!("runs?application_id={}&limit=200", first.application);
        let reply = api.get(&path).await;
        let runs = reply.is(200).items().to_vec();
        if runs.len() >= schedules && runs.iter().all(|run| !run["finished_at"].is_null()) {
            break runs;
        }
        assert!(Instant::now() < give_up, "{} runs: {}\n{}", runs.len(), reply.body, process.log());
        pause(500).await;
    };
    assert_eq!(runs.len(), schedules, "one run for each");
    let of: BTreeSet<i64> = runs.iter().map(|run| run["schedule_id"].as_i64().unwrap()).collect();
    assert_eq!(of, ids);
    for run in &runs {
        assert_eq!((&run["status"], &run["attempt"]), (&json!("success"), &json!(1)), "{run}");
        let (planned, queued) = (instant(&run["planned_at"]), instant(&run["queued_at"]));
        assert_eq!(planned, due, "{run}");
        let late = queued - planned;
        assert!((0..1_000).contains(&late.num_milliseconds()), "claimed {late} after its instant: {run}");
        assert_eq!(site.ledger(run["id"].as_i64().unwrap()).map(|row| row.added), Some(1), "{run}");
    }
    for (i, import) in imports.iter().enumerate() {
        assert_eq!(held(api, import.block).await, (format!("word-{i}"), 1));
    }
}

/// The first whole minute that is at least 20 seconds away, by the clock of who serves.
pub async fn minute_after(api: &Api) -> DateTime<Utc> {
    let reply = api.get("applications").await;
    let date = DateTime::parse_from_rfc2822(reply.is(200).header("Date")).unwrap().with_timezone(&Utc);
    let at = date + chrono::Duration::seconds(20 + 60);
    at.with_second(0).unwrap()
}

fn instant(value: &Value) -> DateTime<Utc> {
    DateTime::parse_from_rfc3339(value.as_str().unwrap()).unwrap().with_timezone(&Utc)
}

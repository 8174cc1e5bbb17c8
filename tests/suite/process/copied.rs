//! A copy of the database beside the living one: it never fires, and the living one goes on.

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{runs, schedules, workspace};

use super::site::{Site, pause};
use crate::support::Database;
use crate::support::databases::runtime;

#[test]
fn a_restored_copy_beside_the_living_one_never_fires_on_sqlite() {
    runtime().block_on(beside(Database::Sqlite));
}

#[test]
fn a_restored_copy_beside_the_living_one_never_fires_on_postgres() {
    runtime().block_on(beside(Database::Postgres));
}

async fn beside(database: Database) {
    let Some(site) = Site::make(database, 5) else { return };
    let (mut process, api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    site.words(10, "word");
    let schedule = json!({"configuration_id": import.configuration, "repeat": "minutes", "every": 5,
            "start_date": "2026-01-01", "start_time": "00:00", "time_zone": "UTC"});
    api.make(&format!("applications/{}/schedules", import.application), schedule).await;
    assert!(process.stop().success());
    // Started anew where it was, it is the same.
    let (mut process, _) = site.serve();
    assert!(process.stop().success());
    let since = |site: &Site| -> Option<i64> {
        site.databases()
            .main
            .read(|conn| Ok(workspace::table.select(workspace::standing_by_since).first(conn)?))
            .unwrap()
    };
    assert_eq!(since(&site), None);
    // Copied just before an occurrence is due.
    let due = |site: &Site| {
        let now = tidegate::clock::MachineClock;
        let now = tidegate::clock::Clock::now(&now);
        site.databases()
            .main
            .write(|conn| {
                let due = diesel::update(schedules::table).set(schedules::next_at.eq(now.micros()));
                due.execute(conn)?;
                Ok(())
            })
            .unwrap();
    };
    let copied = site.copied_to(site.place.copied());
    due(&copied);
    let (mut process, _) = copied.serve();
    pause(4_000).await;
    assert!(since(&copied).is_some());
    let count =
        |site: &Site| -> i64 { site.databases().main.read(|conn| Ok(runs::table.count().get_result(conn)?)).unwrap() };
    assert_eq!(count(&copied), 0);
    // The living one goes on meanwhile.
    due(&site);
    let (mut living, _) = site.serve();
    for _ in 0..100 {
        if count(&site) > 0 {
            break;
        }
        pause(100).await;
    }
    assert_eq!((count(&site), since(&site)), (1, None));
    assert_eq!(count(&copied), 0);
    assert!(living.stop().success());
    assert!(process.stop().success());
}

//! A copy of the database beside the living one: it never fires, and the living one goes on.

use std::path::Path;

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{runs, schedules, workspace};

use super::site::{Site, pause};
use crate::support::Database;
use crate::support::databases::{Place, runtime};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &there),
            false => drop(std::fs::copy(entry.path(), there).unwrap()),
        }
    }
}

#[test]
fn a_restored_copy_beside_the_living_one_never_fires() {
    runtime().block_on(async {
        let site = Site::make(Database::Sqlite, 5).unwrap();
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
        let beside = Place::make(Database::Sqlite).unwrap();
        copy(&site.place.data_dir(), &beside.data_dir());
        let copied = site.copied_to(beside);
        due(&copied);
        let (mut process, _) = copied.serve();
        pause(4_000).await;
        assert!(since(&copied).is_some());
        let count = |site: &Site| -> i64 {
            site.databases().main.read(|conn| Ok(runs::table.count().get_result(conn)?)).unwrap()
        };
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
    });
}

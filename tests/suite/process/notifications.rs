//! Killed between a run's end and the mail about it: each end is one line of the inbox and one Message-ID.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{deliveries, gathered, notices, outcomes};

use super::site::{Site, pause, start};
use crate::support::databases::{Databases, runtime};
use crate::support::smtp::{Smtp, header};
use crate::support::{Database, Dice, settings};

const LEASE: u16 = 2;

#[test]
fn killed_before_the_mail_on_sqlite() {
    runtime().block_on(killed_before_the_mail(Database::Sqlite, if settings::full() { 20 } else { 6 }));
}

#[test]
fn killed_before_the_mail_on_postgres() {
    runtime().block_on(killed_before_the_mail(Database::Postgres, if settings::full() { 20 } else { 6 }));
}

/// Every other run fails and the next one goes well, so that each is told; the process is killed at a random moment after
/// the end was written down.
async fn killed_before_the_mail(database: Database, kills: usize) {
    let Some(mut site) = Site::make(database, LEASE) else { return };
    let smtp = Smtp::start();
    site.settings = vec![("TIDEGATE_SMTP_URL", smtp.url.clone())];
    let seed = settings::seed();
    let mut dice = Dice(seed);
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    api.patch(&format!("import-configurations/{}", import.configuration), json!({"attempts": 1})).await.is(200);
    let ada = api.get("members").await.items()[0]["id"].as_i64().unwrap();
    let schedule = json!({"configuration_id": import.configuration, "repeat": "days", "start_date": "2098-01-01",
        "start_time": "09:00", "time_zone": "UTC", "notify": {"about": "failed", "member_ids": [ada]}});
    api.post(&format!("applications/{}/schedules", import.application), schedule).await.is(201);
    let db = site.databases();
    for kill in 0..kills {
        let file = site.place.folder().join("words.csv");
        match kill % 2 {
            0 => drop(std::fs::remove_file(file)),
            _ => site.words(5, "word"),
        }
        let run = start(&api, import.configuration).await;
        let give_up = Instant::now() + Duration::from_secs(60);
        while !ended(&db, run) {
            assert!(Instant::now() < give_up, "seed {seed}, kill {kill}: {}", process.log());
            pause(20).await;
        }
        // A beat is two seconds; half of them meet nothing but the mail.
        pause(dice.between(0, 3_000) as u64).await;
        process.kill();
        (process, api) = site.serve();
    }
    give_back(&db);
    let give_up = Instant::now() + Duration::from_secs(60);
    while under_way(&db) {
        assert!(Instant::now() < give_up, "seed {seed}: {}", process.log());
        // The last ends may be announced only now, and what is told of them would gather for ten minutes.
        gather(&db);
        pause(100).await;
    }
    let lines: Vec<String> = db
        .main
        .read(|conn| {
            Ok(notices::table.filter(notices::kind.ne("digest")).order(notices::id).select(notices::kind).load(conn)?)
        })
        .unwrap();
    let wanted: Vec<&str> = (0..kills).map(|kill| if kill % 2 == 0 { "failed" } else { "recovered" }).collect();
    assert_eq!(lines, wanted, "seed {seed}");
    let ids: Vec<String> =
        db.main.read(|conn| Ok(deliveries::table.select(deliveries::message_id).load(conn)?)).unwrap();
    let given: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    let received = smtp.received();
    let arrived: BTreeSet<&str> = received.iter().map(|mail| header(mail, "Message-ID")).collect();
    // After ten mails in ten minutes the rest comes together.
    assert!(ids.len() >= kills.min(10) && ids.len() <= kills && arrived == given, "seed {seed}: {ids:?} {arrived:?}");
    assert_eq!(ids.len(), given.len(), "seed {seed}");
    eprintln!("{} mails for {kills} ends", received.len());
    assert!(process.stop().success());
}

fn ended(db: &Databases, run: i64) -> bool {
    let of_run = |conn: &mut tidegate::db::Conn| {
        Ok(outcomes::table.filter(outcomes::run_id.eq(run)).count().get_result::<i64>(conn)?)
    };
    db.main.read(of_run).unwrap() > 0
}

/// What a killed process was sending may go on, as if three minutes had passed.
fn give_back(db: &Databases) {
    let sending = deliveries::table.filter(deliveries::state.eq("sending"));
    db.main.write(|conn| Ok(diesel::update(sending).set(deliveries::next_at.eq(1_i64)).execute(conn)?)).unwrap();
}

/// What waits for more to be told with it has waited long enough.
fn gather(db: &Databases) {
    db.main.write(|conn| Ok(diesel::update(gathered::table).set(gathered::due_at.eq(1_i64)).execute(conn)?)).unwrap();
}

/// Whether something is still to be told.
fn under_way(db: &Databases) -> bool {
    db.main
        .read(|conn| {
            let untold: i64 = outcomes::table.filter(outcomes::announced_at.is_null()).count().get_result(conn)?;
            let unsent: i64 = deliveries::table.filter(deliveries::state.ne("sent")).count().get_result(conn)?;
            let gathers: i64 = gathered::table.count().get_result(conn)?;
            Ok(untold + unsent + gathers > 0)
        })
        .unwrap()
}

//! Killed at any moment, or frozen past its lease: a Block holds all of the old rows or all of the new, and the run
//! says which.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tidegate::applications::blocks::generations;

use super::site::{Import, Site, end_of, held, pause, start, words};
use crate::connectors::server::{Server, answer, say};
use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::process::Process;
use crate::support::{Database, settings};

/// Short enough that a test need not wait long, and long enough for a busy machine.
const LEASE: u16 = 5;

#[test]
fn killed_at_any_moment_on_sqlite() {
    runtime().block_on(killed_at_any_moment(Database::Sqlite));
}

#[test]
fn killed_at_any_moment_on_postgres() {
    runtime().block_on(killed_at_any_moment(Database::Postgres));
}

/// Twice while rows are written, then each time at a random moment of an equal part of the time that a run takes, at
/// last when the load is in the ledger. Every other run has one attempt only, and so may end as interrupted.
async fn killed_at_any_moment(database: Database) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let (rows, kills) = if settings::full() { (1_000_000, 10) } else { (60_000, 4) };
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    site.words(rows, "word-0");
    let began = Instant::now();
    let first = start(&api, import.configuration).await;
    let first = end_of(&api, first, &process).await;
    let usual = began.elapsed();
    assert_eq!(first["status"], "success", "{first}");
    let mut random = Random(0x7ED6_A7E5);
    let mut holds = "word-0".to_owned();
    for kill in 1..=kills {
        let attempts = if kill % 2 == 0 { 1 } else { 3 };
        let policy = json!({"attempts": attempts});
        api.patch(&format!("import-configurations/{}", import.configuration), policy).await.is(200);
        let word = format!("word-{kill}");
        site.words(rows, &word);
        let run = start(&api, import.configuration).await;
        let wait = match kill {
            1 | 2 => {
                until_staged(&site, run, &process).await;
                if kill == 1 { usual.mul_f64(random.unit() / 2.0) } else { Duration::ZERO }
            }
            _ if kill == kills => {
                until_loaded(&site, run).await;
                Duration::ZERO
            }
            _ => usual.mul_f64((f64::from(kill - 3) + random.unit()) / f64::from(kills - 3)),
        };
        tokio::time::sleep(wait).await;
        process.kill();
        (process, api) = site.serve();
        let seen = held(&api, import.block).await;
        assert!([(holds.clone(), rows), (word.clone(), rows)].contains(&seen), "kill {kill} after {wait:?}: {seen:?}");
        let ended = end_of(&api, run, &process).await;
        // Shown where the test fails.
        eprintln!(
            "{wait:?} of {usual:?}: held {} at the start, then {} at attempt {}",
            seen.0, ended["status"], ended["attempt"]
        );
        holds = told_truly(&api, import, &ended, (&holds, &word), rows).await;
        site.ended_once(&ended).await;
        if kill == 2 {
            assert_eq!(ended["status"], "failed", "it was killed as it began to load: {ended}");
        }
        if attempts == 3 {
            assert_eq!(ended["status"], "success", "kill {kill} after {wait:?}: {ended}");
        }
    }
    assert_eq!(holds, format!("word-{kills}"), "the last one was in the ledger already");
    // And all is well.
    site.words(5, "after");
    let last = start(&api, import.configuration).await;
    assert_eq!(end_of(&api, last, &process).await["status"], "success");
    assert_eq!(held(&api, import.block).await, ("after".to_owned(), 5));
    assert!(process.stop().success());
}

/// Success if and only if the Block holds the new rows; else Failed, interrupted. Answers what it holds.
async fn told_truly(api: &Api, import: Import, run: &Value, (old, new): (&str, &str), rows: usize) -> String {
    let (word, count) = held(api, import.block).await;
    assert_eq!(count, rows, "{run}");
    match run["status"].as_str().unwrap() {
        "success" => {
            assert_eq!(word, new, "{run}");
            assert_eq!(run["rows"]["added"], rows, "{run}");
        }
        "failed" => {
            assert_eq!(word, old, "{run}");
            assert!(run["cause"].as_str().unwrap().contains("nterrupted"), "{run}");
        }
        other => panic!("{other}: {run}"),
    }
    word
}

/// The load has begun.
pub async fn until_staged(site: &Site, run: i64, process: &Process) {
    let db = site.databases();
    let give_up = Instant::now() + Duration::from_secs(60);
    let uid = site.uid(run);
    while !db.blocks.read(generations::staged).unwrap().iter().any(|staged| staged.run.uid == uid) {
        assert!(Instant::now() < give_up, "it does not begin to load: {}", process.log());
        pause(2).await;
    }
}

/// The load is visible; its run may not have said so yet.
pub async fn until_loaded(site: &Site, run: i64) {
    let give_up = Instant::now() + Duration::from_secs(120);
    while site.ledger(run).is_none() {
        assert!(Instant::now() < give_up, "run {run} does not load");
        pause(1).await;
    }
}

/// Frozen in the middle of a load for longer than its lease holds; another process takes the run over. What the first
/// one does when it wakes up counts for nothing.
#[test]
fn frozen_past_its_lease_on_postgres() {
    runtime().block_on(async {
        let Some(site) = Site::make(Database::Postgres, LEASE) else { return };
        let rows = 120_000;
        let asked = Arc::new(AtomicUsize::new(0));
        let count = asked.clone();
        // The first attempt is given other words than the second.
        let source = Server::start(move |question, stream| {
            let word = if question.line.starts_with("GET") && count.fetch_add(1, Ordering::SeqCst) == 0 {
                "late"
            } else {
                "new"
            };
            say(stream, answer("200 OK", "Content-Type: text/csv\r\n", &words(rows, word)).as_bytes());
        });
        let (mut first, api) = site.serve();
        let import = site.import(&api, "Words", Some(&source.url())).await;
        let run = start(&api, import.configuration).await;
        until_staged(&site, run, &first).await;
        first.freeze();
        assert_eq!(site.ledger(run), None, "it was frozen before its end");
        let (mut second, api) = site.serve_beside();
        let ended = end_of(&api, run, &second).await;
        assert_eq!((&ended["status"], &ended["attempt"]), (&json!("success"), &json!(2)), "{ended}");
        assert_eq!(held(&api, import.block).await, ("new".to_owned(), rows));
        let loaded = site.ledger(run).unwrap();
        first.thaw();
        let give_up = Instant::now() + Duration::from_secs(60);
        while !first.log().contains("another worker has taken over") && !first.log().contains("had been taken over") {
            assert!(Instant::now() < give_up, "it never saw that it was too late: {}", first.log());
            pause(50).await;
        }
        site.ended_once(&ended).await;
        assert_eq!(held(&api, import.block).await, ("new".to_owned(), rows));
        assert_eq!(site.ledger(run), Some(loaded));
        assert_eq!(api.get(&format!("runs/{run}")).await.json, ended);
        assert_eq!(asked.load(Ordering::SeqCst), 2);
        assert!(first.stop().success());
        assert!(second.stop().success());
    });
}

/// The same numbers each time (xorshift), so that a failure comes back.
struct Random(u64);

impl Random {
    /// From 0 to 1.
    fn unit(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

//! Asked to stop while a run goes on: it ends in time, and the run is not lost.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use super::site::{Site, end_of, held, pause, start, words};
use crate::connectors::server::{Server, answer, say};
use crate::support::Database;
use crate::support::databases::runtime;

#[test]
fn stopped_during_a_run_on_sqlite() {
    runtime().block_on(stopped_during_a_run(Database::Sqlite));
}

#[test]
fn stopped_during_a_run_on_postgres() {
    runtime().block_on(stopped_during_a_run(Database::Postgres));
}

async fn stopped_during_a_run(database: Database) {
    let Some(site) = Site::make(database, 60) else { return };
    // Answers once it may.
    let may = Arc::new(AtomicBool::new(false));
    let gate = may.clone();
    let source = Server::start(move |_, stream| {
        let give_up = Instant::now() + Duration::from_secs(60);
        while !gate.load(Ordering::SeqCst) && Instant::now() < give_up {
            std::thread::sleep(Duration::from_millis(20));
        }
        say(stream, answer("200 OK", "Content-Type: text/csv\r\n", &words(100, "slow")).as_bytes());
    });
    let (mut process, api) = site.serve();
    let import = site.import(&api, "Words", Some(&source.url())).await;

    // The source answers in time: the run is seen through.
    let run = start(&api, import.configuration).await;
    until_asked(&source, 1).await;
    process.signal("TERM");
    pause(1_000).await;
    may.store(true, Ordering::SeqCst);
    assert!(process.ended().success());
    may.store(false, Ordering::SeqCst);
    let (mut process, api) = site.serve();
    let ended = api.get(&format!("runs/{run}")).await.json;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("success"), &json!(1)), "{ended}");
    site.ended_once(&ended).await;

    // It does not: the run is given back, and begins anew after the next start.
    let run = start(&api, import.configuration).await;
    until_asked(&source, 2).await;
    let asked = Instant::now();
    assert!(process.stop().success());
    assert!(asked.elapsed() < Duration::from_secs(24), "{:?}", asked.elapsed());
    may.store(true, Ordering::SeqCst);
    let (mut process, api) = site.serve();
    let ended = end_of(&api, run, &process).await;
    assert_eq!((&ended["status"], &ended["attempt"]), (&json!("success"), &json!(1)), "no attempt is lost: {ended}");
    assert_eq!(held(&api, import.block).await, ("slow".to_owned(), 100));
    site.ended_once(&ended).await;
    assert!(process.stop().success());
}

async fn until_asked(source: &Server, times: usize) {
    let give_up = Instant::now() + Duration::from_secs(30);
    while source.questions().len() < times {
        assert!(Instant::now() < give_up, "the source is not asked");
        pause(20).await;
    }
}

//! Killed while a Block is about to show again what it held before: it shows the one or the other, and the run says which.

use serde_json::json;

use super::crashes::until_loaded;
use super::site::{Site, end_of, held, pause, start};
use crate::support::Database;
use crate::support::databases::runtime;

const ROWS: usize = 30_000;
const LEASE: u16 = 5;

#[test]
fn killed_while_restoring_on_sqlite() {
    runtime().block_on(killed_while_restoring(Database::Sqlite));
}

#[test]
fn killed_while_restoring_on_postgres() {
    runtime().block_on(killed_while_restoring(Database::Postgres));
}

async fn killed_while_restoring(database: Database) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    let mut runs = Vec::new();
    for word in ["old", "new"] {
        site.words(ROWS, word);
        let run = start(&api, import.configuration).await;
        assert_eq!(end_of(&api, run, &process).await["status"], "success");
        runs.push((run, word));
    }
    // As soon as it is asked for, a moment later, and as soon as it is visible.
    for (number, wait) in [Some(0), Some(4), Some(15), None].into_iter().enumerate() {
        let (of, word) = runs[number % 2];
        let shows = held(&api, import.block).await.0;
        if shows == word {
            // The one before was over before it was killed at all, or not shown: take the other.
            runs.reverse();
        }
        let (of, word) = if shows == word { runs[number % 2] } else { (of, word) };
        let asked = api.post(&format!("blocks/{}/restore", import.block), json!({"run_id": of})).await;
        let run = asked.is(202).id();
        match wait {
            Some(wait) => pause(wait).await,
            None => until_loaded(&site, run).await,
        }
        process.kill();
        (process, api) = site.serve();
        let seen = held(&api, import.block).await;
        assert!([(shows.clone(), ROWS), (word.to_owned(), ROWS)].contains(&seen), "{seen:?}");
        let ended = end_of(&api, run, &process).await;
        assert_eq!((&ended["status"], &ended["restores_run_id"]), (&json!("success"), &json!(of)), "{ended}");
        assert_eq!((&ended["rows"]["added"], &ended["rows"]["removed"]), (&json!(ROWS), &json!(ROWS)), "{ended}");
        assert!(
            ended["reason"].as_str().unwrap().starts_with(&format!("Restored the contents of run {of} (")),
            "{ended}"
        );
        assert_eq!(held(&api, import.block).await, (word.to_owned(), ROWS));
        site.ended_once(&ended).await;
    }
    assert!(process.stop().success());
}

//! Killed while rows are added to a Block or change it: what it holds is what its runs say, row by row.

use std::collections::BTreeMap;

use serde_json::json;

use super::crashes::{until_loaded, until_staged};
use super::site::{Import, Site, end_of, held, start};
use crate::support::Database;
use crate::support::api::Api;
use crate::support::databases::runtime;

/// So many that a load is seen while it goes on, however busy the machine is.
const ROWS: usize = 100_000;
const LEASE: u16 = 5;

#[test]
fn killed_during_an_append_on_sqlite() {
    runtime().block_on(killed_during_an_append(Database::Sqlite));
}

#[test]
fn killed_during_an_append_on_postgres() {
    runtime().block_on(killed_during_an_append(Database::Postgres));
}

#[test]
fn killed_during_an_update_on_sqlite() {
    runtime().block_on(killed_during_an_update(Database::Sqlite));
}

#[test]
fn killed_during_an_update_on_postgres() {
    runtime().block_on(killed_during_an_update(Database::Postgres));
}

#[test]
fn killed_during_a_replace_within_a_scope_on_sqlite() {
    runtime().block_on(killed_within_a_scope(Database::Sqlite));
}

#[test]
fn killed_during_a_replace_within_a_scope_on_postgres() {
    runtime().block_on(killed_within_a_scope(Database::Postgres));
}

/// Each run takes the place of the rows of its word, and of no others.
async fn killed_within_a_scope(database: Database) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    let mode = json!({"mode": "replace_scope", "scope": ["word"], "guard": {"max_drop_percent": null}});
    change(&api, import, mode).await;
    let mut holds = BTreeMap::new();
    let rounds = [("a", 3, false), ("b", 3, true), ("a", 1, false), ("b", 3, false), ("a", 3, true), ("b", 1, true)];
    for (number, (word, attempts, loaded)) in rounds.into_iter().enumerate() {
        change(&api, import, json!({"attempts": attempts})).await;
        let many = ROWS + number;
        let first = if word == "a" { 0 } else { 2 * ROWS };
        let rows: String = (1..=many).map(|row| format!("{},{word}\n", first + row)).collect();
        std::fs::write(site.place.folder().join("words.csv"), format!("id,word\n{rows}")).unwrap();
        let run = start(&api, import.configuration).await;
        if loaded {
            until_loaded(&site, run).await
        } else {
            until_staged(&site, run, &process).await
        }
        process.kill();
        (process, api) = site.serve();
        let ended = end_of(&api, run, &process).await;
        if ended["status"] == "success" {
            let before = holds.insert(word.to_owned(), many).unwrap_or(0);
            let counts = (&ended["rows"]["added"], &ended["rows"]["removed"]);
            assert_eq!(counts, (&json!(many), &json!(before)), "{ended}");
        } else {
            assert_eq!((&ended["status"], attempts, loaded), (&json!("failed"), 1, false), "{ended}");
        }
        assert_eq!(by_word(&api, import.block).await, holds, "{ended}");
        site.ended_once(&ended).await;
    }
    assert_eq!(holds.len(), 2);
    assert!(process.stop().success());
}

/// Each run brings rows of its own. Killed as it begins to load, and just after its load became visible.
async fn killed_during_an_append(database: Database) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    change(&api, import, json!({"mode": "append"})).await;
    let mut holds = BTreeMap::new();
    for (number, (attempts, loaded)) in [(3, false), (1, false), (3, true), (1, true)].into_iter().enumerate() {
        change(&api, import, json!({"attempts": attempts})).await;
        let word = format!("word-{number}");
        let rows: String = (1..=ROWS).map(|row| format!("{},{word}\n", number * ROWS + row)).collect();
        std::fs::write(site.place.folder().join("words.csv"), format!("id,word\n{rows}")).unwrap();
        let run = start(&api, import.configuration).await;
        if loaded {
            until_loaded(&site, run).await
        } else {
            until_staged(&site, run, &process).await
        }
        process.kill();
        (process, api) = site.serve();
        let ended = end_of(&api, run, &process).await;
        if ended["status"] == "success" {
            assert_eq!(ended["rows"]["added"], ROWS, "{ended}");
            holds.insert(word, ROWS);
        } else {
            assert_eq!((&ended["status"], attempts, loaded), (&json!("failed"), 1, false), "{ended}");
        }
        assert_eq!(by_word(&api, import.block).await, holds, "{ended}");
        site.ended_once(&ended).await;
    }
    assert!(holds.len() >= 3);
    assert!(process.stop().success());
}

/// Each run changes every row.
async fn killed_during_an_update(database: Database) {
    let Some(site) = Site::make(database, LEASE) else { return };
    let (mut process, mut api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    site.words(ROWS, "word");
    let first = start(&api, import.configuration).await;
    end_of(&api, first, &process).await;
    let mut holds = "word".to_owned();
    for (number, (attempts, loaded)) in [(3, false), (1, false), (3, true), (1, true)].into_iter().enumerate() {
        change(&api, import, json!({"mode": "update", "attempts": attempts})).await;
        let word = format!("word-{number}");
        site.words(ROWS, &word);
        let run = start(&api, import.configuration).await;
        if loaded {
            until_loaded(&site, run).await
        } else {
            until_staged(&site, run, &process).await
        }
        process.kill();
        (process, api) = site.serve();
        let ended = end_of(&api, run, &process).await;
        if ended["status"] == "success" {
            assert_eq!((&ended["rows"]["changed"], &ended["rows"]["added"]), (&json!(ROWS), &json!(0)), "{ended}");
            holds = word;
        } else {
            assert_eq!((&ended["status"], attempts, loaded), (&json!("failed"), 1, false), "{ended}");
        }
        assert_eq!(held(&api, import.block).await, (holds.clone(), ROWS), "{ended}");
        site.ended_once(&ended).await;
    }
    assert_eq!(holds, "word-3", "the last one was in the ledger already");
    assert!(process.stop().success());
}

async fn change(api: &Api, import: Import, to: serde_json::Value) {
    api.patch(&format!("import-configurations/{}", import.configuration), to).await.is(200);
}

/// How many rows of each word a Block holds.
async fn by_word(api: &Api, block: i64) -> BTreeMap<String, usize> {
    let reply = api.get(&format!("blocks/{block}/rows.csv")).await;
    reply.is(200);
    let mut words = BTreeMap::new();
    for line in reply.body.lines().skip(1) {
        *words.entry(line.split_once(',').unwrap().1.to_owned()).or_default() += 1;
    }
    words
}

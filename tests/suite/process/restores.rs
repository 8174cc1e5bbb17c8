//! One database was restored from an older copy than the other: the next run loads, and says what it did.

use std::path::PathBuf;

use serde_json::json;

use super::site::{Site, end_of, held, start};
use crate::support::Database;
use crate::support::databases::runtime;

#[test]
fn the_workspace_is_older_than_its_blocks() {
    runtime().block_on(restored("tidegate.db"));
}

#[test]
fn the_blocks_are_older_than_their_workspace() {
    runtime().block_on(restored("blocks.db"));
}

/// The files of one SQLite database, whichever there are.
fn files(site: &Site, name: &str) -> Vec<PathBuf> {
    ["", "-wal", "-shm"].iter().map(|end| site.place.data_dir().join(format!("{name}{end}"))).collect()
}

async fn restored(name: &str) {
    let Some(site) = Site::make(Database::Sqlite, 60) else { return };
    let (mut process, api) = site.serve();
    let import = site.import(&api, "Words", None).await;
    site.words(10, "old");
    let first = start(&api, import.configuration).await;
    assert_eq!(end_of(&api, first, &process).await["status"], "success");
    assert!(process.stop().success());
    let copy: Vec<_> = files(&site, name).into_iter().map(|file| (std::fs::read(&file).ok(), file)).collect();

    // After the copy: another definition, a run that loads, and one that is known by its rejects alone.
    let (mut process, api) = site.serve();
    let columns = json!({"columns": [
        {"name": "note", "type": "text"}, {"name": "id", "type": "integer", "key": true},
        {"name": "word", "type": "text"},
    ]});
    api.patch(&format!("blocks/{}", import.block), columns).await.is(200);
    site.words(20, "new");
    let second = start(&api, import.configuration).await;
    assert_eq!(end_of(&api, second, &process).await["status"], "success");
    std::fs::write(site.place.folder().join("words.csv"), "id,word\nx,none\n").unwrap();
    let third = start(&api, import.configuration).await;
    assert_eq!(end_of(&api, third, &process).await["status"], "failed");
    assert!(process.stop().success());
    for (content, file) in copy {
        match content {
            Some(content) => std::fs::write(file, content).unwrap(),
            None => drop(std::fs::remove_file(file)),
        }
    }

    let (mut process, api) = site.serve();
    let before = held_rows(&api, import.block).await;
    assert_eq!(before, if name == "blocks.db" { 10 } else { 20 });
    site.words(30, "next");
    let next = start(&api, import.configuration).await;
    assert!(next > third, "no number is given twice: {next} after {third}\n{}", process.log());
    let ended = end_of(&api, next, &process).await;
    assert_eq!(ended["status"], "success", "{ended}");
    assert_eq!((&ended["rows"]["added"], &ended["rows"]["removed"]), (&json!(30), &json!(before)), "{ended}");
    assert_eq!(api.get(&format!("runs/{next}/rejected-rows.csv")).await.body.matches("none").count(), 0);
    site.ended_once(&ended).await;
    let columns =
        json!({"columns": [{"name": "id", "type": "integer", "key": true}, {"name": "word", "type": "text"}]});
    api.patch(&format!("blocks/{}", import.block), columns).await.is(200);
    assert_eq!(held(&api, import.block).await, ("next".to_owned(), 30));
    assert!(process.stop().success());
}

async fn held_rows(api: &crate::support::api::Api, block: i64) -> usize {
    let reply = api.get(&format!("blocks/{block}/rows.csv")).await;
    reply.is(200);
    reply.body.lines().count() - 1
}

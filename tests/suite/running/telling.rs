//! What a run tells of its load: what it changed, and the columns that it found by their names.

use serde_json::json;
use tidegate::imports;

use super::*;

fn file(world: &World, name: &str, text: &str) {
    std::fs::write(world.folder().join(format!("{name}.csv")), text).unwrap();
}

/// Runs it; the run as it ended.
async fn through(world: &World, stage: &Stage) -> Run {
    let id = start(world, stage).await.id;
    work_off(world).await;
    run(world, id).await
}

async fn columns(world: &World, stage: &Stage) -> Option<Vec<String>> {
    let id = stage.configuration;
    world
        .read(move |conn| {
            let version = imports::by_id(conn, id)?.unwrap().version;
            Ok(imports::version(conn, id, version)?.unwrap().definition.columns)
        })
        .await
}

on_both! {
    async fn the_summary_and_the_api_tell_what_a_run_changed(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        file(&world, "words", "id,word\n007,a\n\n+8,b\n009,c\n");
        let ended = through(&world, &stage).await;
        assert_eq!(ended.status, RunStatus::Success);
        let olive = world.api(&world.olive).await;
        let answer = olive.get(&format!("runs/{}", ended.id)).await.is(200).json.clone();
        let plus = json!({"column": "id", "kind": "plus", "cells": 1});
        assert_eq!(answer["changes"], json!([plus, {"column": "id", "kind": "leading_zeros", "cells": 2}]));
        assert_eq!(answer["blank_lines"], 1);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{}", ended.id)).await;
        browser.answered(200).sees("Cells changed while loading").sees("leading zeros dropped").sees("Blank lines");
        browser.sees("3 cells are changed while loading");
        // A limit is a member like the others.
        let here = format!("import-configurations/{}", stage.configuration);
        olive.patch(&here, json!({"rejects": {"max_changed": -1}})).await.is(422);
        olive.patch(&here, json!({"rejects": {"max_changed": 2}})).await.is(200);
        file(&world, "words", "id,word\n017,a\n+18,b\n019,c\n");
        let failed = through(&world, &stage).await;
        assert_eq!(failed.status, RunStatus::Failed);
        assert!(failed.cause.unwrap().contains("This import allows at most 2."));
        assert_eq!(failed.result.unwrap().told.changed_cells(), 3);
        assert_eq!(rows(&world, stage.block), 3);
        browser.visit(&format!("/applications/{}/settings/{here}", world.application)).await;
        let limit = "Load nothing if more cells than this would be changed while loading";
        assert_eq!(browser.value(limit), "2");
        browser.fill(limit, "").press("Save import configuration").await;
        browser.answered(200);
        assert_eq!(olive.get(&here).await.json["rejects"]["max_changed"], json!(null));
    }

    async fn the_first_load_finds_the_columns_and_they_stay(world: World) {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        let olive = world.api(&world.olive).await;
        let here = format!("import-configurations/{}", stage.configuration);
        assert_eq!(olive.get(&here).await.json["columns"], json!(null));
        file(&world, "words", "id,word\n");
        assert_eq!(through(&world, &stage).await.status, RunStatus::Success);
        assert_eq!(columns(&world, &stage).await, None, "a source without rows teaches nothing");
        file(&world, "words", "id,word\n1,one\n");
        assert_eq!(through(&world, &stage).await.status, RunStatus::Success);
        assert_eq!(olive.get(&here).await.json["columns"], json!(["id", "word"]));

        file(&world, "words", "id,amount\n1,2\n");
        let failed = through(&world, &stage).await;
        assert_eq!(failed.status, RunStatus::Failed);
        assert!(failed.cause.unwrap().starts_with("The source has no column \"word\"."));
        assert_eq!(rows(&world, stage.block), 1);
        // A change of something else keeps them; whoever wants others says so.
        olive.patch(&here, json!({"attempts": 5})).await.is(200);
        assert_eq!(columns(&world, &stage).await, Some(vec!["id".into(), "word".into()]));
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/applications/{}/settings/{here}", world.application)).await;
        browser.sees("It fills id, word.");
        browser.fill("Attempts", "4").press("Save import configuration").await;
        browser.answered(200);
        assert_eq!(columns(&world, &stage).await, Some(vec!["id".into(), "word".into()]));
        browser.tick("Find the columns again with the next load").press("Save import configuration").await;
        browser.answered(200).sees("The next load finds its columns.");
        assert_eq!(columns(&world, &stage).await, None);
        file(&world, "words", "id\n1\n2\n");
        assert_eq!(through(&world, &stage).await.status, RunStatus::Success);
        assert_eq!(columns(&world, &stage).await, Some(vec!["id".into()]));
        file(&world, "words", "id,Word\n1,one\n");
        let ended = through(&world, &stage).await;
        assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Success, 1));
        assert!(ended.reason.unwrap().starts_with("The source has a new column, which this import does not load: \"Word\"."));
        olive.patch(&here, json!({"columns": null})).await.is(200);
        assert_eq!(columns(&world, &stage).await, None);
    }

    async fn columns_are_named_as_the_block_has_them(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let olive = world.api(&world.olive).await;
        let here = format!("import-configurations/{}", stage.configuration);
        for wrong in [json!(["id", "wort"]), json!(["word"]), json!(["id", "ID"]), json!([])] {
            assert_eq!(olive.patch(&here, json!({"columns": wrong})).await.wrong_fields(), ["columns"]);
        }
        let mapping = json!([{"from": "id", "to": "id"}]);
        let both = olive.patch(&here, json!({"columns": ["id"], "mapping": mapping})).await;
        assert_eq!(both.wrong_fields(), ["columns"]);
        assert_eq!(olive.patch(&here, json!({"columns": ["id", "word"]})).await.is(200).json["columns"], json!(["id", "word"]));
        // A mapping takes their place, and a mapping that goes leaves them to the next load.
        assert_eq!(olive.patch(&here, json!({"mapping": mapping})).await.is(200).json["columns"], json!(null));
        assert_eq!(olive.patch(&here, json!({"mapping": null})).await.is(200).json["columns"], json!(null));
    }
}

on_both! {
    async fn what_is_held_of_a_scope_is_told_as_that(world: World) {
        let stage = stage(&world, "words", Mode::ReplaceScope, |definition| definition.scope = vec!["word".into()]).await;
        let ids: Vec<String> = (1..=35).map(|id| id.to_string()).collect();
        let all: Vec<(&str, &str)> = ids.iter().map(|id| (&**id, if id.len() > 1 { "a" } else { "b" })).collect();
        csv(&world, "words", &all);
        start(&world, &stage).await;
        work_off(&world).await;
        csv(&world, "words", &all[20..23]);
        let held = start(&world, &stage).await.id;
        work_off(&world).await;
        assert_eq!(run(&world, held).await.status, RunStatus::Held);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{held}")).await;
        olive.sees("3 rows would take the place of 26 in words, and the others stay.").sees_no("all rows of words");
        olive.follow("Approve and load 3 rows").await;
        olive.sees("Replace 26 rows of words?").sees("3 rows take their place. The other rows of words stay.");
        olive.press("Approve and load 3 rows").await;
        work_off(&world).await;
        assert_eq!((run(&world, held).await.status, rows(&world, stage.block)), (RunStatus::Success, 12));
    }
}

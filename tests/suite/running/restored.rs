//! What a Block held before comes back as a run of its own: all of it or nothing, and no import's history knows of it.

use serde_json::json;
use tidegate::applications::blocks::contents::{self, Earlier};
use tidegate::applications::blocks::{self, ColumnDraft, generations};
use tidegate::db::Conn;
use tidegate::db::schema::{audit_log, run_restores};
use tidegate::formats::ColumnType;
use tidegate::imports::ConfigurationStatus;
use tidegate::runs::restores;
use tidegate::runs::work::Import;

use super::held::{empty, hold};
use super::*;

/// A Block by Replace, loaded with these words one after the other; the runs.
async fn loads(world: &World, words: &[&str]) -> (Stage, Vec<Run>) {
    let stage = stage(world, "words", Mode::Replace, |_| ()).await;
    let mut all = Vec::new();
    for word in words {
        all.push(replace(world, &stage, word).await);
    }
    (stage, all)
}

async fn replace(world: &World, stage: &Stage, word: &str) -> Run {
    world.advance(Duration::minutes(5));
    let rows: Vec<(String, String)> = (1..=word.len()).map(|n| (n.to_string(), format!("{word} {n}"))).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(id, word)| (id.as_str(), word.as_str())).collect();
    csv(world, "words", &rows);
    let started = start(world, stage).await;
    work_off(world).await;
    let ended = run(world, started.id).await;
    assert_eq!(ended.status, RunStatus::Success, "{ended:?}");
    ended
}

async fn export(world: &World, block: i64) -> String {
    world.api(&world.olive).await.get(&format!("blocks/{block}/rows.csv")).await.is(200).body.clone()
}

/// The rows with the run and the line that wrote each.
fn rows_of(world: &World, block: i64) -> Vec<(i64, i64)> {
    let found = world.app().db.read(|conn| blocks::find(conn, block)).unwrap();
    let rows = world.app().blocks.read(|conn| blocks::rows(conn, &found, 0, 100)).unwrap();
    rows.into_iter().map(|row| (row.run, row.line)).collect()
}

fn earlier(world: &World, block: i64) -> Vec<Earlier> {
    world.app().blocks.read(|conn| contents::earlier(conn, block)).unwrap()
}

fn kept(world: &World, block: i64) -> Vec<i64> {
    earlier(world, block).into_iter().map(|earlier| earlier.run_id).collect()
}

async fn try_restore(world: &World, by: &Person, block: i64, of: i64) -> Result<Started> {
    let (by, now, pool) = (by.clone(), world.now(), world.app().blocks.clone());
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            restores::restore(conn, &by, &pool, (block, of), now)
        })
        .await
}

/// In the queue.
async fn restoring(world: &World, block: i64, of: i64) -> Run {
    try_restore(world, &world.olive, block, of).await.unwrap_or_else(|e| panic!("{e:?}")).run
}

async fn restored(world: &World, block: i64, of: i64) -> Run {
    world.advance(Duration::minutes(5));
    let started = restoring(world, block, of).await;
    work_off(world).await;
    run(world, started.id).await
}

fn conflict<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(AppError::Conflict(words)) => words,
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn the_load_before_the_last_comes_back_as_an_export_made_then(world: World) {
        let (stage, runs) = loads(&world, &["one"]).await;
        let then = export(&world, stage.block).await;
        let origin = rows_of(&world, stage.block);
        for word in ["second", "third and the last"] {
            replace(&world, &stage, word).await;
        }
        assert_eq!(earlier(&world, stage.block)[1].rows, Some(3));
        let now = export(&world, stage.block).await;
        assert_ne!(now, then);
        let done = restored(&world, stage.block, runs[0].id).await;
        assert_eq!((done.status, done.restores), (RunStatus::Success, Some(runs[0].id)));
        let said = format!("Restored the contents of run {} (", runs[0].id);
        assert!(done.reason.as_deref().unwrap().starts_with(&said), "{done:?}");
        let result = done.result.clone().unwrap();
        assert_eq!((result.read, result.added, result.removed), (0, 3, 18), "as by Replace");
        assert_eq!(export(&world, stage.block).await, then);
        assert_eq!(rows_of(&world, stage.block), origin, "each row names the run, and the line, that wrote it");
        assert_eq!(rows(&world, stage.block), 3);
        let done = world.read(|conn| Ok(audit_log::table.select((audit_log::action, audit_log::after)).load::<(String, Option<String>)>(conn)?)).await;
        let (_, what) = done.into_iter().find(|(action, _)| action == "block.restored").unwrap();
        assert!(what.unwrap().contains("\"words\""));
        // And back again.
        let last = earlier(&world, stage.block)[0].clone();
        assert_eq!(last.rows, Some(18));
        restored(&world, stage.block, last.run_id).await;
        assert_eq!(export(&world, stage.block).await, now);
        // An import goes on from there.
        replace(&world, &stage, "next").await;
        assert_eq!(rows(&world, stage.block), 4);
    }

    async fn what_is_kept_goes_by_when_it_was_last_shown(world: World) {
        let (stage, runs) = loads(&world, &["a", "bb", "ccc", "dddd", "eeeee"]).await;
        let ids: Vec<i64> = runs.iter().map(|run| run.id).collect();
        assert_eq!(kept(&world, stage.block), [ids[3], ids[2], ids[1]], "three beside the visible one");
        assert!(conflict(try_restore(&world, &world.olive, stage.block, ids[0]).await).contains("not kept"));
        assert!(conflict(try_restore(&world, &world.olive, stage.block, ids[4]).await).contains("already"));
        // The oldest is shown: it is no old one any more, and never dropped while it is.
        restored(&world, stage.block, ids[1]).await;
        generations::tend(&world.app().blocks, stage.block);
        assert_eq!((rows(&world, stage.block), kept(&world, stage.block)), (2, vec![ids[4], ids[3], ids[2]]));
        let next = replace(&world, &stage, "ffffff").await;
        assert_eq!(kept(&world, stage.block), [ids[1], ids[4], ids[3]]);
        assert_eq!(earlier(&world, stage.block)[0].replaced_by, Some(next.id));
    }

    async fn it_is_no_run_of_an_import(world: World) {
        let (stage, runs) = loads(&world, &["one", "second"]).await;
        std::fs::write(world.folder().join("words.csv"), "id\n\"open\n").unwrap();
        let failed = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, failed.id).await.status, RunStatus::Failed);
        let waiting = restoring(&world, stage.block, runs[0].id).await;
        let twice = try_restore(&world, &world.ada, stage.block, runs[0].id).await.unwrap();
        assert_eq!((twice.run.id, twice.waiting_already), (waiting.id, true));
        // It keeps nobody from running the import, nor from running it again.
        let again = try_again(&world, failed.id).await.unwrap().run;
        assert_eq!(again.status, RunStatus::Queued);
        try_cancel(&world, again.id).await.unwrap();
        work_off(&world).await;
        let done = run(&world, waiting.id).await;
        assert_eq!((done.status, done.configuration_id), (RunStatus::Success, None));
        let read = world.read({
            let id = stage.configuration;
            move |conn| Ok(tidegate::imports::by_id(conn, id)?.unwrap().status)
        });
        assert_eq!(read.await, Some(ConfigurationStatus::Failed), "the flag stays");
        assert!(conflict(try_again(&world, done.id).await).contains("cannot be run again"));
        let olive = world.api(&world.olive).await;
        let history = olive.get(&format!("runs?configuration_id={}", stage.configuration)).await;
        let listed: Vec<i64> = history.is(200).items().iter().map(|run| run["id"].as_i64().unwrap()).collect();
        assert!(!listed.contains(&done.id), "{listed:?}");
        let all = olive.get("runs").await;
        assert!(all.items().iter().any(|run| run["id"] == done.id && run["restores_run_id"] == runs[0].id));
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/runs/{}", done.id)).await.sees("Restored the contents of run").sees("Restored by Olive");
        page.sees_no("Run Again");
        for path in ["settings/import-scheduling", "settings/import-scheduling/calendar", "blocks"] {
            page.visit(&format!("/applications/{}/{path}", world.application)).await;
        }
        // An import that was deleted fills nothing any more, and what it loaded can still be restored.
        olive.delete(&format!("import-configurations/{}", stage.configuration)).await.is(204);
        assert_eq!(restored(&world, stage.block, runs[1].id).await.status, RunStatus::Success);
    }

    async fn killed_at_the_moment_of_restoring_it_is_all_or_nothing(world: World) {
        let (stage, runs) = loads(&world, &["one", "second"]).await;
        let of = runs[0].id;
        let waiting = restoring(&world, stage.block, of).await;
        for shows in [false, true] {
            let taken = world.step(executor::take).await.unwrap();
            assert_eq!(taken.run.id, waiting.id);
            // The worker dies: its lease is not given back.
            let work = Midway(move |app: &App, job: &Job<'_>| {
                if shows {
                    Import.perform(app, job).unwrap();
                }
                refused(Retry::Unknown)
            });
            world.step(move |app| executor::see_through(app, taken, &work)).await;
            assert_eq!(rows(&world, stage.block), if shows { 3 } else { 6 });
            world.advance(Duration::minutes(2));
            world.step(rescue::step).await;
            let expected = if shows { RunStatus::Success } else { RunStatus::Queued };
            assert_eq!(run(&world, waiting.id).await.status, expected);
        }
        let done = run(&world, waiting.id).await;
        let said = done.reason.clone().unwrap();
        assert!(said.starts_with(&format!("Restored the contents of run {of} (")), "{said}");
        assert!(said.ends_with("Then its worker stopped responding."), "{said}");
        let result = done.result.unwrap();
        assert_eq!((result.added, result.removed, rows(&world, stage.block)), (3, 6, 3));
        let open = world.read(|conn| Ok(run_leases::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(open, 0);
        // A second time it finds itself in the ledger, and nothing goes.
        assert_eq!(kept(&world, stage.block), [runs[1].id]);
    }

    async fn what_is_held_is_superseded_and_the_page_says_so(world: World) {
        let (stage, held) = hold(&world, empty).await;
        let first = runs(&world).await[0].id;
        replace_by_api(&world, &stage).await;
        // A newer load has taken its place already; hold one more.
        empty(&world);
        let second = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, second.id).await.status, RunStatus::Held, "{held:?}");
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/applications/{}/blocks/{}/restore/{first}", world.application, stage.block)).await;
        page.sees("waits for a decision. After a restore its rows are discarded.");
        page.press("Restore").await.sees("Started: Restore of words.");
        work_off(&world).await;
        let second = run(&world, second.id).await;
        assert_eq!(second.status, RunStatus::Failed);
        assert!(second.cause.unwrap().starts_with("Superseded"));
        assert_eq!(rows(&world, stage.block), 30);
    }

    async fn only_who_may_import_restores(world: World) {
        let (stage, runs) = loads(&world, &["one", "second"]).await;
        let here = format!("/applications/{}/blocks/{}", world.application, stage.block);
        for (person, status) in [(&world.mo, 403), (&world.ivy, 403), (&world.audrey, 403), (&world.stranger, 404)] {
            let result = try_restore(&world, person, stage.block, runs[0].id).await;
            match (result, status) {
                (Err(AppError::Forbidden(_)), 403) | (Err(AppError::NotFound), 404) => {}
                other => panic!("{}: {other:?}", person.name),
            }
            assert_eq!(world.browser(person).await.open(&format!("{here}/restore/{}", runs[0].id)).await, status);
        }
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&here).await.sees("Earlier contents").sees_no("Restore");
        let read = world.api_with_scopes(&world.olive, Some(&["read"])).await;
        read.post(&format!("blocks/{}/restore", stage.block), json!({"run_id": runs[0].id})).await.is(403);
        // Whose right is gone when it begins restores nothing.
        let waiting = restoring(&world, stage.block, runs[0].id).await;
        let olive = world.olive.id;
        world.write(move |conn| {
            diesel::update(members::table.find(olive)).set(members::active.eq(false)).execute(conn)?;
            Ok(())
        }).await;
        work_off(&world).await;
        let ada = world.api(&world.ada).await;
        let ended = ada.get(&format!("runs/{}", waiting.id)).await.json.clone();
        assert_eq!((&ended["status"], rows(&world, stage.block)), (&json!("failed"), 6), "{ended}");
    }

    async fn by_page_and_by_api(world: World) {
        let (stage, runs) = loads(&world, &["one", "once", "second"]).await;
        let olive = world.api(&world.olive).await;
        let block = format!("blocks/{}", stage.block);
        let listed = olive.get(&format!("{block}/contents")).await;
        let ids: Vec<&serde_json::Value> = listed.is(200).items().iter().map(|item| &item["run_id"]).collect();
        assert_eq!(ids, [&json!(runs[1].id), &json!(runs[0].id)]);
        assert_eq!((&listed.items()[0]["rows"], &listed.items()[0]["replaced_by"]), (&json!(4), &json!(runs[2].id)));
        assert_eq!(olive.post(&format!("{block}/restore"), json!({})).await.is(422).wrong_fields(), ["run_id"]);
        olive.post(&format!("{block}/restore"), json!({"run_id": 999_999})).await.is(409);
        let done = olive.post(&format!("{block}/restore"), json!({"run_id": runs[0].id})).await;
        assert_eq!(done.is(202).json["restores_run_id"], runs[0].id);
        assert_eq!(done.json["configuration_id"], json!(null));
        work_off(&world).await;
        assert_eq!(rows(&world, stage.block), 3);

        let mut page = world.browser(&world.olive).await;
        let here = format!("/applications/{}/blocks/{}", world.application, stage.block);
        page.visit(&here).await.sees("Earlier contents");
        page.follow(&format!("Restore the contents of run {}", runs[1].id)).await;
        page.sees(&format!("Restore what run {} loaded?", runs[1].id));
        page.sees("words then holds 4 rows again, in place of the 3 rows that it holds now.");
        page.sees("Added").sees("one 1").sees("once 4");
        page.press("Restore").await.sees("Started: Restore of words.");
        work_off(&world).await;
        assert_eq!(rows(&world, stage.block), 4);
        // An old page of what is shown by now says so.
        page.visit(&format!("{here}/restore/{}", runs[1].id)).await.sees("already");
        page.visit(&format!("{here}/restore/999")).await.sees("not kept");
        let _ = world.read(|conn| Ok(run_restores::table.count().get_result::<i64>(conn)?)).await;
    }

    async fn columns_that_came_since_are_empty_and_other_types_are_refused(world: World) {
        let (stage, runs) = loads(&world, &["one", "second"]).await;
        edit(&world, stage.block, |draft| draft.columns.push(ColumnDraft::new("note", ColumnType::Text))).await;
        let done = restored(&world, stage.block, runs[0].id).await;
        assert_eq!(done.status, RunStatus::Success, "{done:?}");
        let text = export(&world, stage.block).await;
        assert!(text.contains("id,word,note") && text.contains("1,one 1,\n"), "{text}");
        // While a Block is empty its columns may become others: what was kept before goes with them.
        let found = world.app().db.read(|conn| blocks::find(conn, stage.block)).unwrap();
        let mut other = found.clone();
        other.columns[0].column_type = ColumnType::Text;
        let kept = earlier(&world, stage.block);
        assert_eq!(kept[0].why_not(&found), None);
        assert!(kept[0].why_not(&other).unwrap().contains("\"id\""), "{kept:?}");
    }

    async fn an_append_that_takes_all_out_leaves_nothing_to_restore(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "a")]);
        let first = start(&world, &stage).await;
        work_off(&world).await;
        try_again(&world, first.id).await.unwrap();
        work_off(&world).await;
        assert_eq!((rows(&world, stage.block), kept(&world, stage.block).len()), (1, 0));
    }
}

async fn replace_by_api(world: &World, stage: &Stage) {
    replace(world, stage, &"x".repeat(31)).await;
}

async fn edit(world: &World, block: i64, change: impl FnOnce(&mut blocks::BlockDraft) + Send + 'static) {
    let (app, now) = (world.app().clone(), world.now());
    let edited = move |conn: &mut Conn| {
        let mut draft = blocks::as_draft(&blocks::find(conn, block)?);
        change(&mut draft);
        blocks::edit(conn, &app.blocks, block, None, draft, now)
    };
    world.read(edited).await;
}

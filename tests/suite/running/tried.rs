//! A test run says what the run then does and leaves everything as it was; what a run changed is told afterwards.

use std::time::Duration as Wait;

use reqwest::Method;
use serde_json::{Value, json};
use tidegate::applications::blocks;
use tidegate::imports::guard::Guard;
use tidegate::imports::test_run::{self, Asked, From, Verdict};
use tidegate::imports::{AfterSuccess, Definition};

use super::held::{hold, many};
use super::*;
use crate::support::api::{Api, Reply};
use crate::support::stage::{folder_connection, stage_from};

fn unguarded(definition: &mut Definition) {
    definition.guard = Guard::OFF;
}

async fn test(api: &Api, stage: &Stage) -> Reply {
    api.post(&format!("import-configurations/{}/test-run", stage.configuration), json!({})).await
}

/// A test run that changes nothing at all.
async fn tested(world: &World, api: &Api, stage: &Stage) -> Value {
    let before = world.fingerprint().await;
    let reply = test(api, stage).await;
    reply.is(200);
    assert_eq!(world.fingerprint().await, before, "{}", reply.body);
    reply.json
}

fn counts(found: &Value) -> [i64; 6] {
    ["read", "added", "changed", "removed", "unchanged", "rejected"].map(|name| found["rows"][name].as_i64().unwrap())
}

/// Added, changed, removed of a kind: the cell `word` before and after.
fn words(found: &Value, kind: &str) -> Vec<String> {
    let rows = found["first"].as_array().unwrap().iter().filter(|row| row["kind"] == kind);
    rows.map(|row| format!("{}>{}", row["before"]["word"], row["after"]["word"]).replace('"', "")).collect()
}

async fn result(world: &World, stage: &Stage) -> (RunStatus, RunResult) {
    let started = start(world, stage).await;
    work_off(world).await;
    let ended = run(world, started.id).await;
    (ended.status, ended.result.unwrap_or_default())
}

on_both! {
    async fn a_test_run_says_what_the_run_then_does_and_touches_nothing(world: World) {
        let olive = world.api(&world.olive).await;
        for (name, mode) in [("append", Mode::Append), ("update", Mode::Update), ("replace", Mode::Replace),
            ("scope", Mode::ReplaceScope)] {
            let stage = stage(&world, name, mode, |definition| {
                unguarded(definition);
                if definition.mode == Mode::ReplaceScope {
                    definition.scope = vec!["word".into()];
                }
                definition.rejects.load_good = Some(true);
                definition.source.after_success = AfterSuccess::Delete;
            }).await;
            csv(&world, name, &[("1", "one"), ("2", "two"), ("3", "three")]);
            let found = tested(&world, &olive, &stage).await;
            assert_eq!((&found["outcome"], counts(&found)), (&json!("success"), [3, 3, 0, 0, 0, 0]), "{name}");
            assert_eq!(words(&found, "added"), ["null>one", "null>two", "null>three"]);
            let file = world.folder().join(format!("{name}.csv"));
            assert!(file.exists());
            assert_eq!(result(&world, &stage).await.1.added, 3);
            assert!(!file.exists(), "a run deletes it");
            csv(&world, name, &[("2", "two"), ("3", "drei"), ("4", "four"), ("4", "again"), ("x", "five")]);
            let found = tested(&world, &olive, &stage).await;
            let expected = match mode {
                Mode::Append => [5, 1, 0, 0, 0, 4],
                Mode::Update => [5, 1, 1, 0, 1, 2],
                Mode::Replace => [5, 1, 1, 1, 1, 2],
                // Key 3 is there, and its word lies outside.
                Mode::ReplaceScope => [5, 1, 0, 0, 1, 3],
            };
            assert_eq!((&found["outcome"], counts(&found)), (&json!("partial"), expected), "{name}");
            let codes: Vec<&str> = found["rejects"].as_array().unwrap().iter().map(|r| r["code"].as_str().unwrap()).collect();
            assert!(codes.contains(&"not_an_integer") && codes.contains(&"key_twice"), "{codes:?}");
            let of_code = |reject: &&Value| reject["code"] == "not_an_integer";
            let not_integer = found["rejects"].as_array().unwrap().iter().find(of_code).unwrap();
            assert_eq!(not_integer["first"], json!([{"line": 6, "value": "x"}]));
            assert_eq!(words(&found, "added"), ["null>four"]);
            if matches!(mode, Mode::Update | Mode::Replace) {
                assert_eq!(words(&found, "changed"), ["three>drei"]);
            }
            let (status, done) = result(&world, &stage).await;
            assert_eq!((status, done.read, done.rejected), (RunStatus::Partial, 5, expected[5]));
            if !mode.replaces() {
                assert_eq!((done.added, done.changed, done.unchanged), (expected[1], expected[2], expected[4]));
            }
            assert_eq!(rows(&world, stage.block), if mode == Mode::Replace { 3 } else { 4 });
        }
    }

    async fn what_a_run_would_not_load_is_said(world: World) {
        let olive = world.api(&world.olive).await;
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        let found = tested(&world, &olive, &stage).await;
        assert_eq!(found["outcome"], "failed");
        assert!(found["cause"].as_str().unwrap().contains("words.csv"), "{found}");
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        let found = tested(&world, &olive, &stage).await;
        assert_eq!((&found["outcome"], counts(&found)), (&json!("failed"), [2, 0, 0, 0, 0, 1]));
        assert_eq!(found["rejects"][0]["first"][0], json!({"line": 3, "value": "x"}));
        assert!(found["cause"].as_str().unwrap().starts_with("1 of 2 rows rejected"), "{found}");
        csv(&world, "words", &[]);
        assert_eq!(tested(&world, &olive, &stage).await["outcome"], "nothing_new");
        many(&world, 30);
        assert_eq!(result(&world, &stage).await.0, RunStatus::Success);
        for less in [0, 3] {
            many(&world, less);
            let found = tested(&world, &olive, &stage).await;
            assert_eq!(found["outcome"], "held", "{found}");
            if less > 0 {
                assert_eq!(counts(&found), [3, 0, 0, 27, 3, 0]);
            }
        }
        std::fs::write(world.folder().join("words.csv"), "id,other\n1,2\n").unwrap();
        let asked = olive.patch(&format!("import-configurations/{}", stage.configuration),
            json!({"mapping": [{"from": "id", "to": "id"}, {"from": "word", "to": "word"}]})).await;
        asked.is(200);
        let found = tested(&world, &olive, &stage).await;
        assert!(found["cause"].as_str().unwrap().starts_with("The source has no column \"word\""), "{found}");
    }

    async fn a_block_is_tested_as_a_source_too(world: World) {
        let olive = world.api(&world.olive).await;
        let from = stage(&world, "words", Mode::Replace, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        result(&world, &from).await;
        let target = crate::support::stage::block(&world, "copy").await;
        let here = format!("applications/{}/import-configurations", world.application);
        let body = json!({"name": "copy", "block_id": target, "source_block_id": from.block, "mode": "update"});
        let stage = Stage { block: target, connection: 0, configuration: olive.make(&here, body).await };
        let found = tested(&world, &olive, &stage).await;
        assert_eq!((&found["outcome"], counts(&found)), (&json!("success"), [2, 2, 0, 0, 0, 0]));
        assert_eq!(result(&world, &stage).await.1.added, 2);
        let found = tested(&world, &olive, &stage).await;
        assert_eq!(counts(&found), [2, 0, 0, 0, 2, 0]);
    }

    async fn who_may_not_run_may_not_test(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        for (person, status) in [(&world.mo, 403), (&world.ivy, 403), (&world.audrey, 403), (&world.stranger, 404)] {
            let before = world.fingerprint().await;
            test(&world.api(person).await, &stage).await.is(status);
            let browser = world.browser(person).await;
            let page = format!("/applications/{}/settings/import-configurations/{}/test-run", world.application, stage.configuration);
            assert_eq!(browser.post(&page, &[]).await.status, status, "{}", person.name);
            let tables = |mut print: crate::support::fingerprint::Fingerprint| { print.remove("sessions"); print };
            assert_eq!(tables(world.fingerprint().await), tables(before));
        }
        test(&world.api_with_scopes(&world.olive, Some(&["read"])).await, &stage).await.is(403);
        test(&world.api_with_scopes(&world.olive, Some(&["run"])).await, &stage).await.is(200);
        let by_hand = stage_from(&world, "by hand", None, Definition::new(Mode::Append)).await;
        assert_eq!(test(&world.api(&world.olive).await, &by_hand).await.wrong_fields(), ["file"]);
    }

    async fn it_ends_when_its_time_is_over_and_two_go_on_at_once(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let (id, olive) = (stage.block, world.olive.clone());
        let (block, by) = world.read(move |conn| Ok((blocks::find(conn, id)?, olive.by(conn)?))).await;
        let asked = || {
            let mut definition = Definition::new(Mode::Append);
            definition.source.path = Some("words.csv".into());
            let request = definition.source.request();
            let from = From::Connection { id: stage.connection, request };
            Asked { block: block.clone(), definition, from, values: Default::default() }
        };
        let before = world.fingerprint().await;
        let over = test_run::test(world.app(), &by, asked(), Wait::ZERO).await.unwrap();
        assert_eq!(over.verdict, Verdict::Unfinished);
        assert!(over.words.unwrap().starts_with("The test run was stopped after 60 seconds."));
        let _two = world.app().test_runs.clone().acquire_many_owned(2).await.unwrap();
        let refused = test_run::test(world.app(), &by, asked(), Wait::from_secs(9)).await;
        assert!(matches!(refused, Err(AppError::TooMany { .. })), "{refused:?}");
        let reply = test(&world.api(&world.olive).await, &stage).await;
        assert!(reply.is(429).json["detail"].as_str().unwrap().contains("Other test runs are going on"), "{}", reply.body);
        assert_eq!(world.fingerprint().await, before);
    }
}

fn page(world: &World, stage: &Stage) -> String {
    format!("/applications/{}/settings/import-configurations/{}", world.application, stage.configuration)
}

on_both! {
    async fn the_page_of_an_import_has_the_button(world: World) {
        let stage = stage(&world, "words", Mode::Update, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        result(&world, &stage).await;
        csv(&world, "words", &[("1", "uno"), ("3", "three"), ("x", "y")]);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world, &stage)).await;
        let before = world.fingerprint().await;
        olive.press("Test run").await;
        olive.answered(200).sees("Nothing was loaded. A run would load the good rows and reject the others. 3 rows were read.");
        olive.sees("1 changed row").sees("1 added row").sees("1 rejected row").sees("Before: one").sees("After: uno");
        olive.sees("\"x\" is not an integer");
        assert_eq!(world.fingerprint().await, before);
        // With a file by hand.
        let by_hand = stage_from(&world, "by hand", None, Definition::new(Mode::Append)).await;
        olive.visit(&page(&world, &by_hand)).await;
        olive.follow("Test run").await;
        let before = world.fingerprint().await;
        olive.press("Test run").await;
        olive.answered(422).sees("Choose the file to test.");
        olive.attach("File", "words.csv", "id,word\n7,seven\n").press("Test run").await;
        olive.answered(200).sees("A run would load every row. 1 row was read.").sees("1 added row").sees("seven");
        assert_eq!(world.fingerprint().await, before, "the file is not kept");
    }

    async fn the_wizard_tests_what_is_not_saved_yet(world: World) {
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "Folder of words").fill("File", "words.csv").press("Preview").await;
        olive.press("Map the columns").await;
        let before = world.fingerprint().await;
        olive.fill("Name", "Mine").press("Test run").await;
        olive.answered(200).sees("Nothing was loaded. A run would load every row. 2 rows were read.").sees("2 added rows");
        assert_eq!(olive.value("Name"), "Mine");
        assert_eq!(world.fingerprint().await, before, "no Block, no import");
        olive.choose("id is filled from", "The constant").fill("Text for id", "soon").press("Test run").await;
        olive.answered(422).sees_no("Nothing was loaded.");
        // Who may configure and not import.
        let mut audrey = world.browser(&world.audrey).await;
        audrey.open(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        audrey.answered(403);
    }

    async fn what_a_replace_changed_is_told_while_it_is_kept(world: World) {
        let stage = stage(&world, "words", Mode::Replace, unguarded).await;
        let mut runs = Vec::new();
        for rows in [&[("1", "one"), ("2", "two")][..], &[("1", "uno"), ("3", "three")], &[("4", "four")], &[("5", "five")],
            &[("6", "six")]] {
            csv(&world, "words", rows);
            let started = start(&world, &stage).await;
            work_off(&world).await;
            runs.push(started.id);
        }
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{}", runs[1])).await;
        mo.follow("View changed rows").await;
        mo.answered(200).sees("This can no longer be told: later runs replaced all rows of words");
        mo.visit(&format!("/runs/{}/changes", runs[2])).await;
        mo.sees("after this run, compared with those before it").sees("1 added row").sees("2 removed rows").sees("uno");
        let mut stranger = world.browser(&world.stranger).await;
        stranger.open(&format!("/runs/{}/changes", runs[2])).await;
        stranger.answered(404);
    }

    async fn the_rows_of_an_append_and_of_an_update_are_told_as_long_as_nobody_changed_them(world: World) {
        let stage = stage(&world, "words", Mode::Update, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        let first = start(&world, &stage).await;
        work_off(&world).await;
        csv(&world, "words", &[("2", "zwei")]);
        let second = start(&world, &stage).await;
        work_off(&world).await;
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{}/changes", first.id)).await;
        mo.sees("1 row of words that this run wrote and no later run has changed.").sees("one").sees_no("zwei");
        mo.visit(&format!("/runs/{}/changes", second.id)).await;
        mo.sees("1 row of words").sees("zwei").sees("What changed rows held before is not kept.");
        csv(&world, "words", &[]);
        let nothing = start(&world, &stage).await;
        work_off(&world).await;
        mo.visit(&format!("/runs/{}", nothing.id)).await;
        mo.sees_no("View changed rows");
        mo.visit(&format!("/runs/{}/changes", nothing.id)).await;
        mo.sees("This run loaded nothing, so it changed nothing in words.");
    }

    async fn a_held_run_says_what_it_would_change(world: World) {
        let (_, held) = hold(&world, |world| many(world, 3)).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", held.id)).await;
        olive.follow("View changed rows").await;
        olive.sees("would change").sees("27 removed rows");
        let part = olive.htmx(&format!("/runs/{}/changes?part=counts", held.id)).await;
        assert!(part.text().contains("27"), "{}", part.text());
    }
}

on_both! {
    async fn a_file_is_tried_by_api_and_not_kept(world: World) {
        let olive = world.api(&world.olive).await;
        let by_hand = stage_from(&world, "by hand", None, Definition::new(Mode::Append)).await;
        let at = format!("import-configurations/{}/test-run", by_hand.configuration);
        let before = world.fingerprint().await;
        let form = || {
            let file = reqwest::multipart::Part::bytes(&b"id,word\n1,one\nx,two\n"[..]).file_name("words.csv");
            reqwest::multipart::Form::new().part("file", file)
        };
        let in_form = Reply::of(olive.request(Method::POST, &at).multipart(form())).await;
        assert_eq!((&in_form.is(200).json["outcome"], counts(&in_form.json)), (&json!("partial"), [2, 1, 0, 0, 0, 1]));
        let alone = olive.request(Method::POST, &format!("{at}?name=words.csv"));
        let alone = Reply::of(alone.body("id,word\n1,one\nx,two\n")).await;
        assert_eq!(alone.is(200).json, in_form.json);
        assert_eq!(olive.post(&at, json!({})).await.wrong_fields(), ["file"]);
        assert_eq!(Reply::of(olive.request(Method::POST, &at)).await.wrong_fields(), ["file"]);
        let more = Reply::of(olive.request(Method::POST, &at).multipart(form().text("parameters", r#"{"x": 1}"#))).await;
        assert_eq!(more.wrong_fields(), ["parameters.x"]);
        assert_eq!(world.fingerprint().await, before);
        // What has a source takes none.
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let at = format!("import-configurations/{}/test-run", stage.configuration);
        assert_eq!(Reply::of(olive.request(Method::POST, &at).multipart(form())).await.wrong_fields(), ["file"]);
        assert_eq!(olive.post(&format!("{at}?name=words.csv"), json!({})).await.wrong_fields(), ["file"]);
        assert_eq!(olive.post(&at, json!({"x": 1})).await.wrong_fields(), ["x"]);
        Reply::of(olive.request(Method::POST, &at)).await.is(200);
    }
}

on_both! {
    /// Who waits with the body until the right is gone learns nothing by it.
    async fn a_test_run_that_is_long_on_its_way_asks_with_the_rights_of_its_end(world: World) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let olive = world.api(&world.olive).await;
        let at = world.at().trim_start_matches("http://").trim_end_matches('/').to_owned();
        let head = format!(
            "POST /api/v1/import-configurations/{}/test-run HTTP/1.1\r\nHost: {at}\r\nAuthorization: Bearer {}\r\n\
             Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n",
            stage.configuration,
            olive.token()
        );
        for (taken, status) in [(false, "200"), (true, "403")] {
            let mut held = tokio::net::TcpStream::connect(&at).await.unwrap();
            held.write_all(head.as_bytes()).await.unwrap();
            // Long enough for the right to be asked for, which it is before anybody sends much.
            tokio::time::sleep(Wait::from_millis(100)).await;
            if taken {
                let ada = world.api(&world.ada).await;
                let access = format!("applications/{}/access/{}", world.application, world.olive.id);
                ada.put(&access, json!({"view": true})).await.is(200);
            }
            held.write_all(b"{}").await.unwrap();
            let mut answer = String::new();
            held.read_to_string(&mut answer).await.unwrap();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{answer}");
            assert_eq!(answer.contains("outcome"), !taken, "{answer}");
        }
    }
}

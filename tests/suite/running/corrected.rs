//! What a run rejected is put right: its rows are corrected and given back, or what stands in them means empty.

use reqwest::Method;
use serde_json::json;
use tidegate::applications::blocks::rejects;

use super::*;
use crate::support::Browser;
use crate::support::api::Reply;
use crate::support::stage::folder_connection;

/// The download of what a run rejected.
fn download(world: &World, run_id: i64) -> String {
    let mut csv = Vec::new();
    rejects::write_csv(&world.app().blocks, run_id, &mut csv).unwrap();
    String::from_utf8(csv).unwrap()
}

async fn ended(world: &World, run_id: i64) -> (RunStatus, i64, i64) {
    work_off(world).await;
    let ended = run(world, run_id).await;
    let result = ended.result.unwrap_or_else(|| panic!("{:?}", ended.cause));
    (ended.status, result.added, result.rejected)
}

on_both! {
    async fn rows_that_came_by_a_connection_are_corrected_and_given_back(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("x", "two"), ("x", "three"), ("y", "four")]);
        let first = start(&world, &stage).await.id;
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 1, 3));

        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{first}")).await;
        assert_eq!(olive.count(".cause"), 1, "one cause is told once");
        assert_eq!(olive.count(".cause tbody tr"), 3, "with its rows below it");
        olive.follow("Import corrected rows").await;
        olive.press("Import these rows").await;
        olive.answered(422).sees("Choose the file with the corrected rows.");
        let corrected = download(&world, first).replace("\nx,two,", "\n2,two,").replace("\nx,three,", "\n3,three,");
        olive.attach("File", "rejected-rows.csv", corrected).press("Import these rows").await;
        olive.answered(200).sees(&format!("words, corrected rows of run {first}"));
        assert_eq!(ended(&world, first + 1).await, (RunStatus::Partial, 2, 1));
        assert_eq!(rows(&world, stage.block), 3, "beside what was loaded before");

        // Those that are still wrong, by a script; sent twice it is one run.
        let corrected = download(&world, first + 1).replace("\ny,", "\n4,");
        let script = world.api(&world.olive).await;
        let files = format!("runs/{}/files", first + 1);
        let sent = || script.request(Method::POST, &format!("{files}?name=rows.csv")).header("Idempotency-Key", "4");
        let begun = Reply::of(sent().body(corrected.clone())).await.is(202).id();
        assert_eq!(Reply::of(sent().body(corrected)).await.is(202).id(), begun);
        assert_eq!(ended(&world, begun).await, (RunStatus::Success, 1, 0));
        assert_eq!(rows(&world, stage.block), 4);
        script.post(&format!("runs/{begun}/files"), json!({})).await.is(409); // it rejected none
    }

    async fn corrected_rows_never_replace_the_others(world: World) {
        let stage = stage(&world, "words", Mode::Replace, |d| d.rejects.load_good = Some(true)).await;
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        let first = start(&world, &stage).await.id;
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 1, 1));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{first}")).await;
        olive.sees("so only the corrected rows would be left").sees_no("Import corrected rows");
        world.api(&world.olive).await.post(&format!("runs/{first}/files"), json!({})).await.is(409);
        assert_eq!(runs(&world).await.len(), 1);
    }

    async fn a_sign_for_nothing_is_treated_as_empty_by_one_click(world: World) {
        let connection = folder_connection(&world, "shipments").await;
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "id", "type": "integer", "key": true}, {"name": "price", "type": "number"}]);
        let block = json!({"name": "Shipments", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        let import = json!({"name": "Shipments", "block_id": block, "connection_id": connection, "mode": "append",
            "source": {"path": "shipments.csv"},
            "mapping": [{"from": "id", "to": "id"}, {"from": "Price", "to": "price"}]});
        let configuration = olive.make(&format!("{here}/import-configurations"), import).await;
        std::fs::write(world.folder().join("shipments.csv"), "id,price\n1,1.5\n2,NA\n3,NA\nNA,4\n").unwrap();
        let first = olive.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202).id();
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 1, 3));

        // Not where a value is required, and not for who may not configure.
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{first}")).await;
        mo.sees_no("Treat “NA” as empty");
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{first}")).await;
        assert_eq!(browser.count("form[action$='treat-as-empty']"), 1);
        browser.press("Treat “NA” as empty in price").await;
        browser.answered(200).sees("“NA” in price now counts as empty (version 2 of Shipments).");
        browser.sees("“NA” in this column now counts as empty");
        let mapping = olive.get(&format!("import-configurations/{configuration}")).await.json["mapping"].clone();
        let nulls: Vec<_> = mapping.as_array().unwrap().iter().map(|line| (&line["from"], &line["nulls"])).collect();
        assert_eq!(nulls, [(&json!("id"), &json!(null)), (&json!("Price"), &json!(["", "NA"]))]);
        browser.press("Run Again").await;
        assert_eq!(ended(&world, first + 1).await, (RunStatus::Partial, 3, 1));
        assert_eq!(rows(&world, block), 3, "what the earlier run appended is replaced");
    }

    async fn so_it_is_in_its_column_alone_where_columns_meet_by_their_names(world: World) {
        let connection = folder_connection(&world, "shipments").await;
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "id", "type": "integer"}, {"name": "price", "type": "number"},
            {"name": "weight", "type": "number"}]);
        let block = json!({"name": "Shipments", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        // A load that fails has found the columns too.
        for mode in ["append", "replace"] {
            let import = json!({"name": mode, "block_id": block, "connection_id": connection, "mode": mode,
                "source": {"path": "shipments.csv"}});
            let configuration = olive.make(&format!("{here}/import-configurations"), import).await;
            std::fs::write(world.folder().join("shipments.csv"), "id,Price,weight\n1,NA,2\n2,3,NA\n").unwrap();
            let first = olive.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202).id();
            work_off(&world).await;
            let mut browser = world.browser(&world.olive).await;
            browser.visit(&format!("/runs/{first}")).await;
            browser.press("Treat “NA” as empty in Price").await;
            browser.answered(200).sees(&format!("“NA” in Price now counts as empty (version 2 of {mode})."));
            assert_eq!(browser.count("form[action$='treat-as-empty']"), 1, "weight is still to be judged");
            let now = olive.get(&format!("import-configurations/{configuration}")).await.json;
            assert_eq!(now["source"]["nulls"], json!([""]), "{now}");
            let nulls: Vec<_> = now["mapping"].as_array().unwrap().iter().map(|line| line["nulls"].clone()).collect();
            assert_eq!(nulls, [json!(null), json!(["", "NA"]), json!(null)]);
            browser.press("Run Again").await;
            work_off(&world).await;
            assert_eq!(run(&world, first + 1).await.result.unwrap().rejected, 1, "the weight");
        }
    }
}

/// Sends a form of a run's Summary, and answers what the next page says.
async fn said(browser: &Browser, run_id: i64, what: &str, fields: &[(&str, &str)]) -> String {
    let answer = browser.post(&format!("/runs/{run_id}/{what}"), fields).await;
    assert_eq!(answer.status, 200, "{what} {fields:?}");
    answer.text()
}

on_both! {
    async fn corrected_rows_are_loaded_once_also_where_no_key_tells_them_apart(world: World) {
        let connection = folder_connection(&world, "notes").await;
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "id", "type": "integer"}, {"name": "word", "type": "text"}]);
        let block = json!({"name": "Notes", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        let import = json!({"name": "Notes", "block_id": block, "connection_id": connection, "mode": "append",
            "source": {"path": "notes.csv"}});
        let import = olive.make(&format!("{here}/import-configurations"), import).await;
        csv(&world, "notes", &[("1", "one"), ("x", "two"), ("y", "three")]);
        let first = olive.post(&format!("import-configurations/{import}/runs"), json!({})).await.is(202).id();
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 1, 2));
        let files = format!("runs/{first}/files?name=rows.csv");
        let give = |csv: &'static str| Reply::of(olive.request(Method::POST, &files).body(csv));
        let begun = give("id,word\n2,two\n").await.is(202).id();
        let waits = give("id,word\n3,three\n").await;
        assert!(waits.is(409).body.contains(&format!("are being imported now, by run {begun}.")), "{}", waits.body);
        assert_eq!(ended(&world, begun).await, (RunStatus::Success, 1, 0));
        let again = give("id,word\n2,two\n").await;
        assert!(again.is(409).body.contains(&format!("was imported already, by run {begun}.")), "{}", again.body);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{first}/files")).await;
        browser.sees(&format!("Run {begun} loaded corrected rows of this run already. Leave those out."));
        browser.attach("File", "rows.csv", "id,word\n2,two\n").press("Import these rows").await;
        browser.answered(409).sees("Give only rows that are still missing.");
        let rest = give("id,word\n3,three\n").await.is(202).id();
        assert_eq!(ended(&world, rest).await, (RunStatus::Success, 1, 0));
        assert_eq!(rows(&world, block), 3, "each once");
    }

    async fn a_value_becomes_only_what_its_column_takes(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let list = json!({"name": "Centres", "kind": "dimension_list",
            "columns": [{"name": "Code", "type": "text", "key": true}]});
        let list = olive.make(&format!("{here}/blocks"), list).await;
        let columns = json!([{"name": "n", "type": "number"},
            {"name": "centre", "type": "dimension", "dimension_block_id": list}]);
        let block = json!({"name": "Lines", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        let give = |import: i64, csv: &'static str| {
            let files = format!("import-configurations/{import}/files?name=rows.csv");
            Reply::of(olive.request(Method::POST, &files).body(csv))
        };
        let imports = format!("{here}/import-configurations");
        let centres = olive.make(&imports, json!({"name": "Centres", "block_id": list, "mode": "append"})).await;
        let lines = olive.make(&imports, json!({"name": "Lines", "block_id": block, "mode": "append"})).await;
        give(centres, "Code\nA\n").await.is(202);
        work_off(&world).await;
        let first = give(lines, "n,centre\nnone,A\n1,Z\n2,A\n").await.is(202).id();
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 1, 2));
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{first}")).await;
        let translate = |column, code, value, becomes| {
            vec![("column", column), ("code", code), ("value", value), ("becomes", becomes)]
        };
        for (fields, says) in [
            (translate("n", "not_a_number", "none", "nothing"), "Nothing was changed: \"nothing\" is not a number."),
            (translate("centre", "unknown_item", "Z", "Y"), "Nothing was changed: “Y” is not an item of Centres either."),
            (translate("centre", "unknown_item", "Z", ""), "Enter what \"Z\" becomes."),
            (translate("centre", "unknown_item", "Z\tZ", "A"), "contains a tab or a line break."),
        ] {
            let page = said(&browser, first, "translate", &fields).await;
            assert!(page.contains(says) && !page.contains("becomes:") && !page.contains("from:"), "{says}: {page}");
        }
        let long = "y".repeat(70_000);
        for marker in ["x\u{1}".repeat(60), long] {
            let page = said(&browser, first, "treat-as-empty", &[("column", "n"), ("value", &marker)]).await;
            assert!(page.contains("At most 100 null markers, each of at most 100 bytes."), "{page}");
        }
        let now = olive.get(&format!("import-configurations/{lines}")).await.json;
        assert_eq!((&now["version"], &now["mapping"]), (&json!(1), &json!(null)), "nothing was changed: {now}");
        assert_eq!(olive.get(&format!("{here}/translations")).await.items().len(), 0);
        let page = said(&browser, first, "translate", &translate("centre", "unknown_item", "Z", "A")).await;
        assert!(page.contains("“Z” in centre now becomes “A”"), "{page}");
        // Once its items are created, any name will do.
        said(&browser, first, "create-items", &[]).await;
        let page = said(&browser, first, "translate", &translate("centre", "unknown_item", "Q", "New")).await;
        assert!(page.contains("“Q” in centre now becomes “New”"), "{page}");
    }

    async fn a_file_that_is_with_us_is_read_once(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "id", "type": "integer"}]);
        let block = json!({"name": "Cut", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        let import = json!({"name": "Cut", "block_id": block, "mode": "append", "source": {"compression": "gzip"}});
        let import = olive.make(&format!("{here}/import-configurations"), import).await;
        let files = format!("import-configurations/{import}/files?name=ids.csv.gz");
        // The beginning of a compressed file: its header and a stored block of more bytes than there are.
        let cut = [&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0, 20, 0, 0xeb, 0xff][..], b"id\n1\n"].concat();
        let begun = Reply::of(olive.request(Method::POST, &files).body(cut)).await.is(202).id();
        work_off(&world).await;
        let ended = run(&world, begun).await;
        assert_eq!((ended.status, ended.attempt), (RunStatus::Failed, 1), "{ended:?}");
        assert!(ended.cause.unwrap().contains("ends too early"), "it says what to do");
    }
}

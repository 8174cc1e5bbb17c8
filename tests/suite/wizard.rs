//! The wizard by clicks: files and formats are chosen from lists, and what was seen of a source stays on the way on.

use crate::support::{Browser, World};
use serde_json::json;
use tidegate::imports::Mode;

use crate::support::stage::{connection, csv, folder_connection, stage};

on_both! {
    async fn files_are_chosen_by_a_click_with_their_connection(world: World) {
        let first = folder_connection(&world, "words").await;
        let inner = world.folder().join("inner");
        std::fs::create_dir(&inner).unwrap();
        for i in 0..9 {
            let path = inner.join(format!("sales-{i}.csv"));
            std::fs::write(&path, "id,word\n1,one\n").unwrap();
            let at = world.now().plus(chrono::Duration::hours(-i)).micros();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_micros(at as u64)).unwrap();
        }
        let inner = inner.canonicalize().unwrap();
        let second = connection(&world, "Sales", "folder", json!({ "path": inner, "quiet_seconds": 0 })).await;
        connection(&world, "Web", "http", json!({ "url": "https://example.org/exports/" })).await;
        let new = format!("/applications/{}/settings/import-configurations/new", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&new).await;
        olive.sees("3 more files").sees("14 bytes, 3 h ago");
        // The same name stands below both folders.
        olive.choose("Source", "sales-3.csv").press("Preview").await;
        olive.answered(200).sees("sales-3.csv from Sales");
        olive.press("Back").await;
        assert_eq!(olive.count(&format!("input[value='{second}:sales-3.csv'][checked]")), 1);
        olive.choose("Source", "inner/sales-3.csv").press("Preview").await;
        olive.answered(200).sees("inner/sales-3.csv from Folder of words");
        olive.press("Back").await;
        assert_eq!(olive.count(&format!("input[value='{first}:inner/sales-3.csv'][checked]")), 1);
        olive.choose("Source", "Web").press("Preview").await;
        olive.answered(422);
        // From the page of a Connection.
        olive.visit(&format!("{new}?source={second}")).await;
        assert_eq!(olive.count(&format!("input[value='{second}:sales-0.csv'][checked]")), 1, "its first file");
        olive.choose("Source", "Sales: Another file").press("Preview").await;
        olive.answered(422).sees("Enter the file to import.");
        assert_eq!(olive.count(&format!("input[value='{second}'][checked]")), 1);
    }

    async fn formats_of_dates_are_a_list_with_examples(world: World) {
        std::fs::write(world.folder().join("days.csv"), "id,day\n1,13~02~2026\n2,14~02~2026\n").unwrap();
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "days.csv").press("Preview").await;
        olive.answered(200);
        assert_eq!(olive.value("Type of day"), "text");
        olive.choose("Dates", "31/12/2026").press("Read again").await;
        assert_eq!(olive.value("Dates"), "%d/%m/%Y");
        olive.choose("Dates", "Another pattern").fill("Dates: Pattern", "%d~%m~%Y").press("Read again").await;
        olive.answered(200);
        assert_eq!((olive.value("Dates"), olive.value("Dates: Pattern")), ("other".into(), "%d~%m~%Y".into()));
        assert_eq!(olive.value("Type of day"), "date");
    }

    async fn the_block_of_that_name_is_meant_and_the_preview_shows_what_is_loaded(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        std::fs::write(world.folder().join("prices.csv"), "id,word\n007,one\n8,two\n").unwrap();
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "prices.csv").press("Preview").await;
        assert_eq!(olive.count(&format!("select[name='block'] option[value='{}'][selected]", stage.block)), 1);
        assert_eq!(olive.count("input[name='target'][value='existing'][checked]"), 1);
        olive.press("Map the columns").await;
        olive.answered(200).sees("7 (in the source: 007)").sees_no("8 (in the source");
    }

    async fn a_source_of_more_columns_than_a_block_may_have_says_so(world: World) {
        let line = |cell: &dyn Fn(usize) -> String| (0..700).map(cell).collect::<Vec<_>>().join(",");
        let wide = format!("{}\n{}\n", line(&|i| format!("c{i}")), line(&|i| i.to_string()));
        std::fs::write(world.folder().join("wide.csv"), wide).unwrap();
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "wide.csv").press("Preview").await;
        olive.answered(200).sees("A Block has at most 500 columns, and the source has 700.");
    }

    async fn what_was_seen_of_a_source_stays_on_the_way_on(world: World) {
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "words.csv").press("Preview").await;
        assert_eq!(olive.value("Type of id"), "integer");
        // The types were told from the whole file; the next screens look at its first rows alone.
        csv(&world, "words", &[("x", "one"), ("y", "two")]);
        olive.press("Map the columns").await;
        olive.answered(200).sees("2 of 2 rows do not fit");
        olive.press("Back").await;
        olive.press("Read again").await;
        assert_eq!(olive.value("Type of id"), "text");
    }
}

/// A preview of a file with these words in it, on Olive's browser.
async fn previewing(world: &World, csv: &str) -> Browser {
    std::fs::write(world.folder().join("given.csv"), csv).unwrap();
    folder_connection(world, "words").await;
    let mut olive = world.browser(&world.olive).await;
    olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
    olive.choose("Source", "given.csv").press("Preview").await;
    olive.answered(200);
    olive
}

on_both! {
    async fn a_type_that_is_set_by_hand_leaves_the_separators_to_ask(world: World) {
        let mut olive = previewing(&world, "name;price\nlamp;1.250\ndesk;ask us\npen;12.500\n").await;
        assert_eq!(olive.value("Type of price"), "text");
        olive.sees_no("How is “price” read?");
        olive.choose("Type of price", "number").press("Map the columns").await;
        olive.answered(422).sees("How is “price” read?").sees("Choose what \"1.250\" in price means.");
        olive.sees("1.25 (the point marks decimals)").sees("1250 (the point separates thousands)");
        // Text after all: nothing is left to ask.
        olive.choose("Type of price", "text").press("Read again").await;
        olive.answered(200).sees_no("How is “price” read?");
        olive.choose("Type of price", "number").press("Read again").await;
        olive.answered(200);
        olive.choose("How price is read", "1250").press("Map the columns").await;
        olive.answered(200).sees("1250").sees("1 of 3 rows do not fit");
        olive.press("Back").await;
        assert_eq!((olive.value("Type of price"), olive.value("Decimal point")), ("number".into(), ",".into()));
    }

    async fn so_it_does_where_the_block_has_the_type_and_only_given_separators_answer(world: World) {
        let olive = world.api(&world.olive).await;
        let columns = json!([{"name": "name", "type": "text"}, {"name": "on", "type": "date"}]);
        let block = json!({"name": "Given", "kind": "transaction_list", "columns": columns});
        olive.make(&format!("applications/{}/blocks", world.application), block).await;
        let mut olive = previewing(&world, "name,on\na,03/04/2026\nb,soon\n").await;
        olive.sees("How is “on” read?").sees("What does “03/04/2026” mean?");
        olive.sees("3 April 2026 (day first)").sees("4 March 2026 (month first)").sees_no("2026-04-03");
        olive.press("Map the columns").await;
        olive.answered(422);
        olive.choose("How on is read", "4 March 2026").press("Map the columns").await;
        olive.answered(200).sees("2026-03-04 (in the source: 03/04/2026)");

        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        std::fs::write(world.folder().join("other.csv"), "name,on\na,03/04/2026\nb,soon\n").unwrap();
        olive.choose("Source", "Folder of words: Another file").fill("File", "other.csv").press("Preview").await;
        olive.choose("Type of on", "date").choose("Dates", "31/12/2026").press("Map the columns").await;
        olive.answered(200).sees("2026-04-03 (in the source: 03/04/2026)");
    }

    async fn a_key_that_comes_twice_is_marked_with_what_becomes_of_it(world: World) {
        let mut olive = previewing(&world, "code,city\n7,Oslo\n8,Rome\n7,Bonn\n7,Kyiv\n").await;
        olive.sees_no("occur twice");
        olive.tick("code is a Key").press("Read again").await;
        olive.answered(200).sees("The marked keys occur twice: the first row of each key is loaded, every later one is rejected.");
        assert_eq!(olive.count("td.misfit"), 2);
        olive.sees("The key \"7\" is already on line 2, so this row is rejected.");
        olive.press("Map the columns").await;
        olive.answered(200).sees("2 of 4 rows do not fit").sees("The marked keys occur twice");
        olive.press("Save and choose when").await;
        olive.answered(200);
        olive.press("Run now").await;
        crate::running::work_off(&world).await;
        let run = crate::dispatching::runs(&world).await.pop().unwrap();
        assert_eq!(run.result.map(|result| (result.added, result.rejected)), Some((2, 2)), "as it was foretold");
    }

    async fn the_format_stands_in_a_line_below_the_columns(world: World) {
        let mut olive = previewing(&world, "name;price\nlamp;1,5\n").await;
        let fold = "details.reading > summary";
        assert_eq!(olive.count(fold), 1);
        olive.sees("CSV, semicolon, UTF-8, header in line 1, decimal comma – Change");
        assert!(olive.body.find("First rows").unwrap() < olive.body.find("details class=\"more reading\"").unwrap());
        assert_eq!(olive.count("details.reading[open]"), 0);
        olive.fill("Delimiter", "::").press("Read again").await;
        olive.answered(422);
        assert_eq!(olive.count("details.reading[open]"), 1, "what is wrong is seen");
    }
}

on_both! {
    async fn two_columns_of_a_scope_survive_the_way_back_and_forth(world: World) {
        let mut olive = previewing(&world, "month,centre,amount\n2026-01-01,a,1\n2026-02-01,b,2\n").await;
        olive.press("Map the columns").await;
        let mode = "Replace within a scope Replaces the rows whose scope columns have values that the source brings; \
                    the rest stays";
        olive.choose("Mode", mode).tick("month").tick("centre").fill("An empty cell of centre becomes", "none");
        olive.press("Back").await;
        olive.answered(200);
        olive.press("Back").await;
        olive.answered(200).sees("Where do the rows come from?");
        olive.press("Preview").await;
        olive.answered(200);
        olive.press("Map the columns").await;
        let chosen = |olive: &Browser| {
            let of = |name: &str| olive.count(&format!("input[name='scope'][value='{name}'][checked]"));
            (of("month"), of("centre"), of("amount"), olive.count("input[name='mode'][value='replace_scope'][checked]"))
        };
        assert_eq!((chosen(&olive), olive.value("An empty cell of centre becomes")), ((1, 1, 0, 1), "none".into()));
        olive.press("Save and choose when").await;
        olive.answered(200);
        let api = world.api(&world.olive).await;
        let made = api.get(&format!("applications/{}/import-configurations", world.application)).await;
        let made = made.items().last().unwrap().clone();
        assert_eq!((&made["mode"], &made["scope"]), (&json!("replace_scope"), &json!(["month", "centre"])), "{made}");
    }

    async fn what_was_typed_stays_where_screen_1_refuses_the_form(world: World) {
        let connection = folder_connection(&world, "words").await;
        csv(&world, "words", &[("1", "one")]);
        let new = format!("/applications/{}/settings/import-configurations/new", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&new).await;
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        for (parts, status) in [(8_000, 200), (13_000, 422)] {
            let mut form = part("csrf", &olive.token()) + &part("source", &format!("{connection}:words.csv"));
            form += &part("name", "Words of mine");
            form.extend((0..parts).map(|i| part(&format!("map-{i}-from"), ":id")));
            let request = olive.request(reqwest::Method::POST, &format!("{new}/files")).header("Origin", world.at());
            let request = request.header("Content-Type", "multipart/form-data; boundary=x");
            let answer = request.body(form + "--x--\r\n").send().await.unwrap();
            assert_eq!(answer.status(), status);
            let page = answer.text().await.unwrap();
            if status == 422 {
                assert!(page.contains("The form has too many parts."), "{page}");
                assert!(page.contains(r#"name="name" value="Words of mine""#), "{page}");
                assert!(page.contains(&format!(r#"value="{connection}:words.csv" checked"#)), "{page}");
            }
        }
    }
}

on_both! {
    async fn a_configuration_that_is_saved_as_it_is_means_the_same(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "a", "type": "number"}, {"name": "b", "type": "number"}, {"name": "c", "type": "number"}]);
        let block = json!({"name": "Given", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{here}/blocks"), block).await;
        let body = json!({"name": "Given", "block_id": block, "mode": "replace_scope", "scope": ["a", " b "],
            "source": {"nulls": ["", "NA"]}, "mapping": [
                {"from": "a", "to": "a", "nulls": [], "trim": true, "default": "7"},
                {"join": [{"from": "b"}, {"text": "{"}], "to": "b", "nulls": ["", "-"], "negate": true},
                {"from": "c", "to": "c"}]});
        let import = olive.make(&format!("{here}/import-configurations"), body).await;
        let at = format!("import-configurations/{import}");
        let before = olive.get(&at).await.json.clone();
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/{here}/settings/{at}")).await;
        browser.press("Save import configuration").await;
        browser.answered(200);
        assert_eq!(olive.get(&at).await.json, before);
    }
}

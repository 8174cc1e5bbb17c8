//! The rows of a Block as somebody looks at them: sorted, filtered, searched, by the address alone; and where a row comes
//! from.

use std::time::Duration;

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::imports::Mode;

use crate::running::{start, work_off};
use crate::support::stage::{csv, stage};
use crate::support::*;

/// A Block of every type with 120 rows; its address, and that of its pages.
async fn ledger(world: &World) -> (i64, String) {
    let olive = world.api(&world.olive).await;
    let columns: Vec<Value> = [
        ("no", "integer"),
        ("region", "text"),
        ("amount", "number"),
        ("paid", "boolean"),
        ("day", "date"),
        ("at", "timestamp"),
    ]
    .iter()
    .map(|(name, kind)| json!({"name": name, "type": kind, "key": *name == "no", "required": *name == "no"}))
    .collect();
    let body = json!({"name": "Ledger", "kind": "transaction_list", "columns": columns});
    let block = olive.make(&format!("applications/{}/blocks", world.application), body).await;
    let body = json!({"name": "Ledger", "block_id": block, "mode": "replace"});
    let import = olive.make(&format!("applications/{}/import-configurations", world.application), body).await;
    let mut text = "no,region,amount,paid,day,at\n".to_owned();
    for n in 1..=120 {
        let region = ["Nord", "SÜD", "west%_", ""][n % 4];
        let amount = if n % 10 == 0 { String::new() } else { format!("{}.5", 200 - n) };
        text += &format!(
            "{n},{region},{amount},{},2026-10-{:02},2026-10-{:02}T16:{:02}:00Z\n",
            n % 2 == 0,
            n % 28 + 1,
            n % 28 + 1,
            n % 60
        );
    }
    let form = reqwest::multipart::Part::text(text).file_name("ledger.csv");
    let form = reqwest::multipart::Form::new().part("file", form);
    let sent = olive.request(reqwest::Method::POST, &format!("import-configurations/{import}/files")).multipart(form);
    crate::support::api::Reply::of(sent).await.is(202);
    work_off(world).await;
    (block, format!("/applications/{}/blocks/{block}", world.application))
}

/// The first cells of the rows that a page shows.
fn first(page: &Browser) -> Vec<String> {
    let html = page.page();
    let rows = html::select(html.root_element(), "#rows tbody tr td:first-child");
    rows.into_iter().map(html::text).collect()
}

on_both! {
    async fn rows_are_sorted_both_ways_and_paged(world: World) {
        let (_, here) = ledger(&world).await;
        let mut page = world.browser(&world.audrey).await;
        page.visit(&here).await.sees("120 rows").sees("1 to 50");
        assert_eq!(first(&page)[..3], ["1", "2", "3"]);
        page.follow("amount").await;
        assert_eq!(page.count("th[aria-sort=ascending]"), 1);
        assert_eq!(first(&page)[..2], ["119", "118"]);
        page.follow("Next 50").await.follow("Next 50").await.sees("101 to 120");
        assert_eq!(first(&page)[8..10], ["10", "20"], "what is empty comes last, in the order of loading");
        page.follow("Previous 50").await.sees("51 to 100");
        page.follow("amount").await;
        assert_eq!(page.count("th[aria-sort=descending]"), 1);
        assert_eq!(first(&page)[..2], ["1", "2"]);
        page.sees("Sorted by amount, descending");
        page.follow("Remove Sorted by amount, descending").await;
        assert_eq!(page.count("th[aria-sort]"), 0);
        for column in 1..=6 {
            for way in ["", "-"] {
                page.visit(&format!("{here}?sort={way}{column}")).await;
                assert_eq!(first(&page).len(), 50);
            }
        }
    }

    async fn rows_are_filtered_by_columns_and_searched(world: World) {
        let (_, here) = ledger(&world).await;
        let mut page = world.browser(&world.olive).await;
        for (filter, count) in [
            ("f=1~is~7", 1),
            ("f=1~range~5~10", 6),
            ("f=1~range~~10&f=1~range~10~", 1),
            ("f=2~is~Nord", 30),
            ("f=2~contains~%25_", 30),
            ("f=2~contains~NORD", 30),
            ("f=2~contains~s%C3%BC", 30),
            ("f=2~empty", 30),
            ("f=2~filled", 90),
            ("f=3~empty", 12),
            ("f=3~is~199.5", 1),
            ("f=3~range~190~199.5", 9),
            ("f=4~is~yes", 60),
            ("f=5~is~2026-10-02", 5),
            ("f=5~range~2026-10-02~2026-10-03", 10),
            ("f=6~is~2026-10-02", 5),
            ("f=6~is~2026-10-02T16:01", 1),
            ("f=6~range~2026-10-28T00:00~", 4),
            ("q=nor", 30),
            ("q=nor&f=4~is~true", 30),
            ("q=x%27%20OR%201%3D1", 0),
            ("q=%25", 30),
        ] {
            let look = page.visit(&format!("{here}?{filter}")).await;
            look.sees(&format!("{count} of 120 rows"));
            if count == 0 {
                look.sees("No row matches.");
                page.follow("Clear the filters").await.sees("120 rows");
                continue;
            }
            let csv = page.get(&format!("{here}/rows.csv?{filter}")).await;
            assert_eq!(csv.body.lines().count(), count + 1, "{filter}");
            page.sees(&format!("Download these {count} row"));
        }
        assert_eq!(page.get(&format!("{here}/rows.csv")).await.body.lines().count(), 121);
        // By the form, one filter after the other.
        page.visit(&here).await;
        page.choose("Column", "region").choose("Condition", "is").fill("Value", "Nord").press("Apply").await;
        page.sees("30 of 120 rows").sees("region is “Nord”");
        assert_eq!(page.value("Value"), "");
        page.choose("Column", "no").choose("Condition", "is from … to").fill("Value", "1").fill("To", "20");
        page.press("Apply").await.sees("5 of 120 rows").sees("no is from 1 to 20");
        page.follow("amount").await.sees("5 of 120 rows");
        assert_eq!(first(&page), ["16", "12", "8", "4", "20"]);
        page.follow("Remove region is “Nord”").await.sees("20 of 120 rows");
        page.fill("Search", "west").press("Apply").await.sees("5 of 120 rows");
    }

    async fn what_makes_no_sense_is_said_beside_its_field(world: World) {
        let (_, here) = ledger(&world).await;
        let mut page = world.browser(&world.olive).await;
        page.visit(&here).await;
        page.choose("Column", "amount").choose("Condition", "is").fill("Value", "much").press("Apply").await;
        page.answered(422).sees("Enter a number, such as 1200.5.").sees("120 rows");
        assert_eq!(page.value("Value"), "much");
        let long = "x".repeat(5_000);
        for (query, status, words) in [
            ("column=99&is=is&value=1".to_owned(), 422, "does not have that column"),
            ("column=1&is=like&value=1".into(), 422, "Choose a condition."),
            ("column=1&is=range&value=1&to=x".into(), 422, "Enter a whole number"),
            ("column=1&is=is&value=99999999999999999999".into(), 422, "Enter a whole number"),
            ("column=5&is=is&value=2026-02-31".into(), 422, "Enter a date"),
            ("column=2&is=range&value=a".into(), 422, "Choose another condition"),
            (format!("column=2&is=is&value={long}"), 422, "at most 1,000"),
            (format!("q={long}"), 422, "at most 1,000"),
            ("f=99~is~1".into(), 200, "It was left out"),
            ("f=1~is~x".into(), 200, "was left out"),
            ("f=1~nothing".into(), 200, "was left out"),
            ("sort=99".into(), 200, "not sorted"),
            ("sort=c1;drop".into(), 200, "not sorted"),
            ("page=99999999999999999999".into(), 200, "120 rows"),
            ("page=-1".into(), 200, "1 to 50"),
            ("page=1000".into(), 200, "No more rows."),
            ("q=%00&f=2~is~%00".into(), 200, "No row matches."),
            ("f=2~contains~%22%5D%2C%5B%27%5C".into(), 200, "No row matches."),
            ("f=6~is~0001-01-01&f=6~range~9999-12-31~".into(), 200, "No row matches."),
            ("f=5~range~0001-01-01~9999-12-31".into(), 200, "120 of 120 rows"),
            ("f=3~is~1e308&f=3~range~-1e308~".into(), 200, "No row matches."),
        ] {
            assert_eq!(page.open(&format!("{here}?{query}")).await, status, "{query}");
            page.sees(words);
        }
        assert_eq!(page.get(&format!("{here}/rows.csv?f=99~is~1")).await.status, 422);
        let many: Vec<String> = (1..=30).map(|n| format!("f=1~range~~{}", n + 100)).collect();
        page.visit(&format!("{here}?{}", many.join("&"))).await.sees("At most 20 filters apply.");
    }

    async fn what_takes_too_long_is_ended(world: World) {
        world.step(|app| {
            let began = std::time::Instant::now();
            // Some minutes' worth.
            let count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000000000) \
                         SELECT count(*) FROM n";
            let limit = Duration::from_millis(300);
            let long = app.blocks.read_within(limit, |conn| Ok(diesel::sql_query(count).execute(conn)?))?;
            assert_eq!((long, began.elapsed() < Duration::from_secs(5)), (None, true));
            let short = app.blocks.read_within(limit, |conn| Ok(diesel::sql_query("SELECT 1").execute(conn)?))?;
            assert!(short.is_some());
            // The connection is as it was.
            app.blocks.read(|conn| Ok(diesel::sql_query("SELECT 1").execute(conn)?))
        }).await;
    }

    async fn a_row_says_where_it_comes_from(world: World) {
        let stage = stage(&world, "words", Mode::Update, |_| ()).await;
        csv(&world, "words", &[("1", "tide"), ("2", "gate")]);
        let first = start(&world, &stage).await;
        work_off(&world).await;
        let here = format!("/applications/{}/blocks/{}", world.application, stage.block);
        let mut page = world.browser(&world.audrey).await;
        page.visit(&here).await.follow("Details of row 2").await;
        page.sees("Row 2 of words").sees("gate").sees("integer").sees(&format!("Run {}", first.id));
        page.sees("Started by Olive").sees("words.csv").sees("SHA-256").sees("Line").sees("3");
        page.sees("No later run changed the Block.");
        csv(&world, "words", &[("1", "turned")]);
        world.advance(chrono::Duration::minutes(1));
        let second = start(&world, &stage).await;
        work_off(&world).await;
        page.visit(&format!("{here}/rows/2")).await.sees("One later run changed the Block and left this row as it is:");
        page.sees(&format!("run {}", second.id));
        page.visit(&format!("{here}/rows/1")).await.sees("turned").sees("No later run changed the Block.");
        let drawer = page.htmx(&format!("{here}/rows/1")).await;
        assert!(drawer.body.starts_with("<dialog class=\"drawer\""), "{}", drawer.body);
        for (path, status) in [("rows/99", 404), ("rows/x", 404), ("rows/-1", 404)] {
            assert_eq!(page.open(&format!("{here}/{path}")).await, status, "{path}");
        }
        assert_eq!(world.browser(&world.stranger).await.open(&format!("{here}/rows/1")).await, 404);
        // The history of its run is gone.
        let uid = second.uid.clone();
        world.write(move |conn| {
            use tidegate::db::schema::{outcomes, run_log, run_results, run_steps, runs, import_configurations as c};
            diesel::update(c::table).set(c::status_run_id.eq(None::<i64>)).execute(conn)?;
            diesel::delete(outcomes::table.filter(outcomes::run_id.eq(second.id))).execute(conn)?;
            diesel::delete(run_log::table.filter(run_log::run_id.eq(second.id))).execute(conn)?;
            diesel::delete(run_steps::table.filter(run_steps::run_id.eq(second.id))).execute(conn)?;
            diesel::delete(run_results::table.filter(run_results::run_id.eq(second.id))).execute(conn)?;
            diesel::delete(runs::table.find(second.id)).execute(conn)?;
            Ok(())
        }).await;
        page.visit(&format!("{here}/rows/1")).await.sees("is gone, so nobody can say when it ran");
        world.app().blocks.write(|conn| tidegate::applications::blocks::ledger::forget(conn, &[&uid])).unwrap();
        page.visit(&format!("{here}/rows/1")).await.sees("not known any more");
    }
}

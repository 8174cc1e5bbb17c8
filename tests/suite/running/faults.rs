//! Files that people have and that were imported wrongly, refused or misread, from the click to the rows of the Block:
//! by the wizard as it proposes them, and by the API with the options and the types that a script would give.

use serde_json::{Value, json};
use tidegate::applications::blocks;

use super::*;
use crate::support::api::Api;
use crate::support::stage::folder_connection;

/// A file that is loaded, and what of it stands in the Block.
struct Case {
    file: &'static str,
    /// What the wizard asks, and the answer.
    answer: Option<(&'static str, &'static str)>,
    /// `source` for the API.
    source: Value,
    /// The Block's columns for the API.
    columns: &'static [(&'static str, &'static str)],
    added: i64,
    rejected: i64,
    /// The last rows of the Block.
    rows: &'static [&'static str],
}

fn cases() -> Vec<Case> {
    let case = |file, source, columns, rows: &'static [&'static str]| Case {
        file,
        answer: None,
        source,
        columns,
        added: rows.len() as i64,
        rejected: 0,
        rows,
    };
    vec![
        case(
            "accounting-numbers",
            json!({"negative": "any", "affixes": ["$", "%"], "group_separator": ","}),
            &[("acct", "text"), ("amt", "number")],
            &["A1,1234.5", "A2,-300.1", "A3,-300.1", "A4,0.125", "A5,-5"],
        ),
        case(
            "dates-one-file-two-orders",
            json!({"date_format": "%m/%d/%Y", "timestamp_format": "%m/%d/%Y %H:%M"}),
            &[("id", "integer"), ("day", "date"), ("stamp", "timestamp")],
            &["1,2026-03-04,2026-03-04T10:00:00Z", "2,2026-05-06,2026-05-25T11:00:00Z"],
        ),
        Case {
            answer: Some(("How stueck is read", "1250")),
            ..case(
                "dot-thousands-german",
                json!({"delimiter": ";", "decimal_point": ",", "group_separator": ".", "date_format": "%d.%m.%Y"}),
                &[("sku", "text"), ("stueck", "integer"), ("tag", "date")],
                &["A1,1250,2026-01-05", "A2,12500,2026-01-06", "A3,300,2026-01-31"],
            )
        },
        case(
            "header-line-break",
            json!({}),
            &[("id", "integer"), ("Unit Price", "number"), ("qty", "integer")],
            &["1,2.5,3", "2,3.5,4"],
        ),
        case("header-zero-width", json!({}), &[("id", "integer"), ("name", "text"), ("price", "number")], &["1,x,2.5"]),
        Case {
            added: 1_202,
            ..case(
                "leading-zeros-after-1000",
                json!({}),
                &[("article", "text"), ("qty", "integer")],
                &["00501,2", "09999,3"],
            )
        },
        case(
            "mixed-delimiter-header",
            json!({"delimiter": ";", "decimal_point": ","}),
            &[("Date", "date"), ("Amount, EUR", "number")],
            &["2026-01-01,12.5", "2026-01-02,13.5"],
        ),
        case(
            "nnbsp-thousands",
            json!({"delimiter": ";", "decimal_point": ",", "group_separator": " "}),
            &[("sku", "text"), ("ca", "number")],
            &["A1,1234.56", "A2,12000", "A3,300.1"],
        ),
        case(
            "only-delimiters",
            json!({}),
            &[("id", "integer"), ("name", "text"), ("amt", "integer")],
            &["1,x,2", "2,y,3"],
        ),
        case(
            "preamble",
            json!({"skip_lines": 3}),
            &[("id", "integer"), ("name", "text"), ("amt", "integer")],
            &["1,x,2", "2,y,3"],
        ),
        case(
            "sep-line-2-columns",
            json!({"decimal_point": ","}),
            &[("sku", "text"), ("amt", "number")],
            &["A1,2.5", "A2,3.5"],
        ),
        case(
            "sep-line-3-columns",
            json!({"decimal_point": ","}),
            &[("id", "integer"), ("name", "text"), ("amt", "number")],
            &["1,Bolt,2.5", "2,Nut,3.5"],
        ),
        case(
            "shift-jis",
            json!({"encoding": "shift_jis"}),
            &[("番号", "integer"), ("名前", "text")],
            &["1,東京", "2,大阪"],
        ),
        case(
            "sku-like-exponent",
            json!({}),
            &[("sku", "text"), ("qty", "integer")],
            &["1E5,1", "2E3,2", "12E4,3", "1234,4"],
        ),
        case("spaces-only-column", json!({}), &[("id", "integer"), ("note", "text")], &["1, ", "2, ", "3, "]),
        Case {
            answer: Some(("How sold is read", "3 January 2026 (day first)")),
            ..case(
                "two-digit-year-dmy",
                json!({"date_format": "%d/%m/%y"}),
                &[("id", "integer"), ("sold", "date"), ("qty", "integer")],
                &["1,2025-12-25,3", "2,2026-01-03,4"],
            )
        },
        case("utf8-double-bom", json!({}), &[("id", "integer"), ("name", "text")], &["1,x", "2,y"]),
        Case {
            added: 98,
            rejected: 1,
            ..case("utf8-one-stray-byte", json!({}), &[("id", "integer"), ("city", "text")], &["97,Köln", "98,Köln"])
        },
    ]
}

fn put(world: &World, file: &str) {
    let from = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/faults").join(format!("{file}.csv"));
    std::fs::copy(from, world.folder().join(format!("{file}.csv"))).unwrap();
}

/// The Block's names and the end of its rows, as text.
fn end_of(world: &World, block_id: i64, count: usize) -> (Vec<String>, Vec<String>) {
    let app = world.app();
    let block = app.db.read(|conn| blocks::find(conn, block_id)).unwrap();
    let rows = app.blocks.read(|conn| blocks::rows(conn, &block, 0, 2_000)).unwrap();
    let text = |row: &blocks::BlockRow| -> Vec<String> {
        row.cells.iter().zip(&block.columns).map(|(cell, column)| cell.text(column.column_type)).collect()
    };
    let names = block.columns.iter().map(|column| column.name.clone()).collect();
    (names, rows[rows.len().saturating_sub(count)..].iter().map(|row| text(row).join(",")).collect())
}

/// The newest run, whoever started it.
async fn newest(world: &World) -> Run {
    let id = world.read(|conn| Ok(runs_table::table.select(diesel::dsl::max(runs_table::id)).first(conn)?)).await;
    run(world, Option::<i64>::unwrap(id)).await
}

/// As a script does.
async fn begin(api: &Api, configuration: i64) {
    api.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202);
}

async fn holds(world: &World, case: &Case) {
    work_off(world).await;
    let ended = newest(world).await;
    let result = ended.result.unwrap_or_else(|| panic!("{}: {:?}", case.file, ended.cause));
    assert_eq!((result.added, result.rejected), (case.added, case.rejected), "{}", case.file);
    let wanted = if case.rejected > 0 { RunStatus::Partial } else { RunStatus::Success };
    assert_eq!(ended.status, wanted, "{}", case.file);
    let (names, rows) = end_of(world, ended.block_id.unwrap(), case.rows.len());
    assert_eq!(rows, case.rows, "{}", case.file);
    let wanted: Vec<&str> = case.columns.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, wanted, "{}", case.file);
}

on_both! {
    async fn each_is_loaded_as_the_wizard_proposes_it(world: World) {
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        for case in cases() {
            put(&world, case.file);
            olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
            olive.choose("Source", "Folder of words").fill("File", &format!("{}.csv", case.file)).press("Preview").await;
            olive.answered(200);
            if let Some((question, answer)) = case.answer {
                olive.choose(question, answer);
            }
            olive.press("Map the columns").await;
            olive.answered(200);
            olive.press("Save and choose when").await;
            olive.answered(200);
            olive.press("Run now").await;
            holds(&world, &case).await;
        }
    }

    async fn each_is_loaded_as_a_script_describes_it(world: World) {
        let connection = folder_connection(&world, "words").await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}", world.application);
        for case in cases() {
            put(&world, case.file);
            let columns: Vec<Value> =
                case.columns.iter().map(|(name, kind)| json!({"name": name, "type": kind})).collect();
            let block = json!({"name": case.file, "kind": "transaction_list", "columns": columns});
            let block = olive.make(&format!("{there}/blocks"), block).await;
            let mut source = case.source.clone();
            source["path"] = format!("{}.csv", case.file).into();
            let configuration = olive.make(&format!("{there}/import-configurations"), json!({
                "name": case.file, "block_id": block, "connection_id": connection, "mode": "append", "source": source,
            })).await;
            begin(&olive, configuration).await;
            holds(&world, &case).await;
        }
    }

    async fn a_name_means_the_column_that_is_spelt_so(world: World) {
        let connection = folder_connection(&world, "words").await;
        put(&world, "duplicate-header-by-case");
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}", world.application);
        let columns = json!([{"name": "id", "type": "integer"}, {"name": "paid", "type": "integer"}]);
        let block = json!({"name": "Paid", "kind": "transaction_list", "columns": columns});
        let block = olive.make(&format!("{there}/blocks"), block).await;
        let configuration = olive.make(&format!("{there}/import-configurations"), json!({
            "name": "Paid", "block_id": block, "connection_id": connection, "mode": "append",
            "source": {"path": "duplicate-header-by-case.csv"},
            "mapping": [{"from": "id", "to": "id"}, {"from": "Amount", "to": "paid"}],
        })).await;
        begin(&olive, configuration).await;
        work_off(&world).await;
        assert_eq!(end_of(&world, block, 1).1, ["1,3"]);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "Folder of words").fill("File", "duplicate-header-by-case.csv").press("Preview").await;
        olive.press("Map the columns").await;
        olive.answered(200);
        olive.press("Save and choose when").await;
        olive.answered(200);
        olive.press("Run now").await;
        work_off(&world).await;
        assert_eq!(end_of(&world, newest(&world).await.block_id.unwrap(), 1).1, ["1,2,3"]);
    }

    async fn what_is_no_csv_is_called_what_it_is(world: World) {
        let connection = folder_connection(&world, "words").await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}", world.application);
        let columns = json!([{"name": "Column 1", "type": "text"}]);
        let mut at = world.browser(&world.olive).await;
        for (file, words) in [("html-login", "web page"), ("json-error", "JSON, not CSV")] {
            put(&world, file);
            at.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
            at.choose("Source", "Folder of words").fill("File", &format!("{file}.csv")).press("Preview").await;
            at.answered(422).sees(words);
            let block = json!({"name": file, "kind": "transaction_list", "columns": columns});
            let block = olive.make(&format!("{there}/blocks"), block).await;
            let configuration = olive.make(&format!("{there}/import-configurations"), json!({
                "name": file, "block_id": block, "connection_id": connection, "mode": "replace",
                "source": {"path": format!("{file}.csv"), "header": false},
            })).await;
            begin(&olive, configuration).await;
            work_off(&world).await;
            let ended = newest(&world).await;
            assert_eq!(ended.status, RunStatus::Failed, "{file}");
            assert!(ended.cause.as_deref().unwrap().contains(words), "{file}: {:?}", ended.cause);
            assert_eq!(end_of(&world, block, 9).1, Vec::<String>::new());
        }
    }
}

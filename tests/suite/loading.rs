//! Files into Blocks: what is loaded, what is rejected and why, and that a Block holds all of a load or nothing.

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tidegate::applications::blocks::{self, Block, BlockKind, Cell, ColumnDraft, ledger, rejects};
use tidegate::clock::{Moment, SetClock};
use tidegate::db::Conn;
use tidegate::formats::ColumnType::{self, Boolean, Date, Dimension, Integer, Number, Text, Timestamp};
use tidegate::imports::pipeline::{FailureKind, LoadContext, LoadError, LoadReport, Outcome, Plan, SourceFile, run};
use tidegate::imports::{Mapping, Mode};

use crate::blocks::{application, create, draft};
use crate::support::Databases;

const NOW: Moment = Moment::from_micros(1_795_000_000_000_000);

fn column(name: &str, column_type: ColumnType) -> ColumnDraft {
    ColumnDraft::new(name, column_type)
}

fn plan(db: &Databases, block: &Block, mode: Mode) -> Plan {
    db.main.read(|conn| Plan::new(conn, block.clone(), mode)).unwrap()
}

fn text(csv: &str) -> SourceFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(csv.as_bytes()).unwrap();
    SourceFile { file, name: "rows.csv".into(), bytes: csv.len() as u64, sha256: "0".repeat(64) }
}

fn data(name: &str) -> SourceFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let bytes = std::fs::metadata(&path).unwrap().len();
    SourceFile { file: std::fs::File::open(path).unwrap(), name: name.into(), bytes, sha256: "0".repeat(64) }
}

/// A load whose fence is its run's number.
fn load(db: &Databases, plan: &Plan, source: &SourceFile, run_id: i64) -> Result<LoadReport, LoadError> {
    load_as(db, plan, source, run_id, run_id)
}

fn load_as(db: &Databases, plan: &Plan, source: &SourceFile, run_id: i64, fence: i64) -> Result<LoadReport, LoadError> {
    let context = LoadContext {
        blocks: &db.blocks,
        run_id,
        fence,
        clock: &SetClock::at(NOW),
        cancelled: &AtomicBool::new(false),
        deadline: None,
        progress: &|_| {},
    };
    run(plan, source, &context)
}

/// The Block's rows as text, in their order.
fn shown(db: &Databases, block: &Block) -> Vec<String> {
    let rows = db.blocks.read(|conn| blocks::rows(conn, block, 0, 1_000)).unwrap();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> =
                row.cells.iter().zip(&block.columns).map(|(cell, c)| cell.text(c.column_type)).collect();
            cells.join(",")
        })
        .collect()
}

fn count(db: &Databases, block: &Block) -> i64 {
    db.blocks.read(|conn| ledger::state(conn, block.id)).unwrap().row_count
}

/// Every bad cell of a run as `line column code`.
fn bad(db: &Databases, run_id: i64) -> Vec<String> {
    let rows = db.blocks.read(|conn| rejects::page(conn, run_id, 0, 1_000)).unwrap();
    rows.iter()
        .flat_map(|row| row.cells.iter().map(|cell| format!("{} {} {}", cell.line, cell.column, cell.code)))
        .collect()
}

/// The physical tables that hold or held rows.
fn tables(db: &Databases) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'b%\\_g%' ESCAPE '\\' ORDER BY 1";
    let postgres = "SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = 'blocks' \
                    AND tablename ~ '^b[0-9]+_g' ORDER BY 1";
    let names: Vec<Name> = db
        .blocks
        .read(|conn| {
            let sql = if matches!(conn, Conn::Sqlite(_)) { sqlite } else { postgres };
            Ok(diesel::sql_query(sql).load(conn)?)
        })
        .unwrap();
    names.into_iter().map(|row| row.name).collect()
}

fn items(db: &Databases, application: i64) -> Block {
    let columns = vec![column("Code", Text).key(), column("Name", Text), column("Size", Number)];
    create(db, application, draft("Items", BlockKind::DimensionList, columns)).unwrap()
}

fn log(db: &Databases, application: i64) -> Block {
    let columns = vec![column("Day", Date), column("Amount", Integer)];
    create(db, application, draft("Log", BlockKind::TransactionList, columns)).unwrap()
}

const WEATHER: [(&str, ColumnType); 15] = [
    ("origin", Text),
    ("year", Integer),
    ("month", Integer),
    ("day", Integer),
    ("hour", Integer),
    ("temp", Number),
    ("dewp", Number),
    ("humid", Number),
    ("wind_dir", Number),
    ("wind_speed", Number),
    ("wind_gust", Number),
    ("precip", Number),
    ("pressure", Number),
    ("visib", Number),
    ("time_hour", Timestamp),
];

fn weather(db: &Databases, application: i64, name: &str) -> Block {
    let columns = WEATHER.iter().map(|(name, kind)| column(name, *kind)).collect();
    create(db, application, draft(name, BlockKind::TransactionList, columns)).unwrap()
}

on_both! {
    fn weather_with_its_holes_declared_is_loaded_whole(db: Databases) {
        let block = weather(db, application(db, "Flights"), "Weather");
        let mut plan = plan(db, &block, Mode::Append);
        plan.csv.nulls = vec![String::new(), "NA".into()];
        let report = load(db, &plan, &data("weather.csv"), 1).unwrap();
        assert_eq!(report.outcome, Outcome::Loaded);
        let counts = report.counts;
        assert_eq!((counts.read, counts.added, counts.rejected, counts.bytes), (26_115, 26_115, 0, 2_294_215));
        assert_eq!(count(db, &block), 26_115);
        let first = &db.blocks.read(|conn| blocks::rows(conn, &block, 0, 1)).unwrap()[0];
        assert_eq!((first.run, first.file, first.line), (1, 1, 2));
        assert_eq!(
            shown(db, &block)[0],
            "EWR,2013,1,1,1,39.02,26.06,59.37,270,10.357019999999999,,0,1012,10,2013-01-01T06:00:00Z"
        );
        let steps: Vec<&str> = report.steps.iter().map(|step| step.name).collect();
        assert_eq!(steps, ["Read", "Map and check", "Load"]);

        // What comes out as CSV is what went in, but for the holes.
        let mut out = Vec::new();
        blocks::write_csv(&db.blocks, &block, &mut out).unwrap();
        let out = String::from_utf8(out).unwrap();
        let source = std::fs::read_to_string("tests/data/weather.csv").unwrap();
        assert_eq!(out.lines().count(), 26_116);
        for (ours, theirs) in out.lines().zip(source.lines()) {
            let same = |cell| match cell {
                "NA" => "",
                "1e3" => "1000",
                cell => cell,
            };
            let theirs = theirs.split(',').map(same).collect::<Vec<_>>();
            assert_eq!(ours, theirs.join(","));
        }
    }
}

on_both! {
    fn weather_with_its_holes_undeclared_names_every_bad_cell(db: Databases) {
        let block = weather(db, application(db, "Flights"), "Weather");
        let report = load(db, &plan(db, &block, Mode::Append), &data("weather.csv"), 1).unwrap();
        assert_eq!(report.outcome, Outcome::Partial);
        assert_eq!((report.counts.added, report.counts.rejected), (4_980, 21_135));
        assert_eq!(count(db, &block), 4_980);
        let (rows, cells) =
            db.blocks.read(|conn| Ok((rejects::count(conn, 1)?, rejects::count_cells(conn, 1)?))).unwrap();
        assert_eq!((rows, cells), (21_135, 23_974));
        let causes = db.blocks.read(|conn| rejects::causes(conn, 1)).unwrap();
        assert_eq!(causes.iter().map(|cause| cause.cells).sum::<i64>(), 23_974);
        assert_eq!((causes[0].column.as_str(), causes[0].code.as_str()), ("wind_gust", "not_a_number"));

        // The download has the original columns and imports as it is, once the holes are declared.
        let mut csv = Vec::new();
        rejects::write_csv(&db.blocks, 1, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        let head = csv.lines().next().unwrap();
        assert!(head.starts_with("origin,year,") && head.ends_with(",tidegate_line,tidegate_reason"), "{head}");
        assert!(csv.lines().nth(1).unwrap().contains(",2,\"wind_gust: \"\"NA\"\" is not a number."));
        let mut again = plan(db, &block, Mode::Append);
        again.csv.nulls.push("NA".into());
        let report = load(db, &again, &text(&csv), 2).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (21_135, 0));
        assert_eq!(count(db, &block), 26_115);
    }
}

on_both! {
    fn airports_twice_by_update_are_there_once(db: Databases) {
        let columns = vec![
            column("faa", Text).key(),
            column("name", Text),
            column("lat", Number),
            column("lon", Number),
            column("alt", Integer),
            column("tz", Integer),
            column("dst", Text),
            column("tzone", Text),
        ];
        let airports = draft("Airports", BlockKind::DimensionList, columns);
        let block = create(db, application(db, "Flights"), airports).unwrap();
        let plan = plan(db, &block, Mode::Update);
        let first = load(db, &plan, &data("airports.csv"), 1).unwrap().counts;
        assert_eq!((first.read, first.added, first.changed, first.unchanged), (1_458, 1_458, 0, 0));
        let second = load(db, &plan, &data("airports.csv"), 2).unwrap().counts;
        assert_eq!((second.read, second.added, second.changed, second.unchanged), (1_458, 0, 0, 1_458));
        assert_eq!(count(db, &block), 1_458);
        // A row that did not change is still the first run's.
        assert_eq!(db.blocks.read(|conn| blocks::rows(conn, &block, 0, 1)).unwrap()[0].run, 1);

        let third = load(db, &plan, &text("faa,name\n04G,Elsewhere\nXXX,New\n06A,Moton Field Municipal Airport\n"), 3);
        let third = third.unwrap().counts;
        assert_eq!((third.added, third.changed, third.unchanged), (1, 1, 1));
        let rows = shown(db, &block);
        assert!(
            rows.contains(&"04G,Elsewhere,41.1304722,-80.6195833,1044,-5,A,America/New_York".into()),
            "{}",
            rows[0]
        );
        assert!(rows.len() == 1_000);
    }
}

on_both! {
    fn replace_from_a_cut_file_leaves_the_block(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Code,Name,Size\na,Apple,1\nb,Bean,2\n"), 1).unwrap();
        let failure = load(db, &plan, &text("Code,Name,Size\nc,Carrot,3\nd,\"Dill,4\n"), 2).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::Source, false));
        assert!(failure.cause.contains("cut at line 3"), "{}", failure.cause);
        assert!(failure.cause.ends_with("The Block still holds what it held before."));
        assert_eq!(shown(db, &block), ["a,Apple,1", "b,Bean,2"]);
        assert_eq!(db.blocks.read(|conn| ledger::ledger(conn, 2)).unwrap(), None);

        let report = load(db, &plan, &text("Code,Name,Size\nc,Carrot,3\n"), 3).unwrap();
        assert_eq!((report.counts.added, report.counts.removed), (1, 2));
        assert_eq!(shown(db, &block), ["c,Carrot,3"]);
        assert_eq!(tables(db).len(), 2, "the old generation is kept, what was abandoned is not: {:?}", tables(db));
    }
}

on_both! {
    fn only_the_last_three_generations_are_kept(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        for run in 1..=5 {
            load(db, &plan, &text(&format!("Code\nitem {run}\n")), run).unwrap();
        }
        assert_eq!(shown(db, &block), ["item 5,,"]);
        let kept: Vec<String> = (3..=5).map(|g| format!("b{}_g{g}", block.id)).collect();
        assert_eq!(tables(db), kept);
    }
}

on_both! {
    fn replace_loads_nothing_when_a_row_is_rejected_unless_told_otherwise(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Code,Size\na,1\n"), 1).unwrap();
        let source = text("Code,Size\nb,2\nc,much\nd,4\n");
        let failure = load(db, &plan, &source, 2).unwrap_err();
        assert_eq!((failure.kind, failure.counts.read, failure.counts.rejected), (FailureKind::Rejected, 3, 1));
        assert!(failure.cause.starts_with("1 of 3 rows rejected"), "{}", failure.cause);
        assert_eq!(shown(db, &block), ["a,,1"]);
        assert_eq!(bad(db, 2), ["3 Size not_a_number"], "the rejects of a failed run are kept");

        plan.rejects.load_good = Some(true);
        assert_eq!(load(db, &plan, &source, 3).unwrap().outcome, Outcome::Partial);
        assert_eq!(shown(db, &block), ["b,,2", "d,,4"]);

        plan.mode = Mode::Update;
        plan.rejects.max_rows = Some(0);
        assert_eq!(load(db, &plan, &source, 4).unwrap_err().kind, FailureKind::Rejected);
        plan.rejects.max_rows = Some(1);
        plan.rejects.max_percent = Some(33.0);
        assert!(load(db, &plan, &source, 5).unwrap_err().cause.contains("at most 33 per cent"));
        plan.rejects.max_percent = Some(34.0);
        assert_eq!(load(db, &plan, &source, 6).unwrap().outcome, Outcome::Partial);
        let all = load(db, &plan, &text("Code,Size\nb,x\nc,y\n"), 7).unwrap_err();
        assert!(all.cause.starts_with("All 2 rows were rejected."), "{}", all.cause);
    }
}

on_both! {
    fn a_source_without_rows_is_nothing_new_in_every_mode(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Replace), &text("Code\na\n"), 1).unwrap();
        for (mode, run) in [(Mode::Append, 2), (Mode::Update, 3), (Mode::Replace, 4)] {
            for (source, run) in [("Code,Size\n", run), ("", run + 10), ("\n\n", run + 20)] {
                let report = load(db, &plan(db, &block, mode), &text(source), run).unwrap();
                assert_eq!(report.outcome, Outcome::NothingNew, "{mode} {source:?}");
                assert!(report.steps[0].detail.contains("nothing new"));
            }
        }
        assert_eq!(shown(db, &block), ["a,,"]);
        assert_eq!(tables(db).len(), 1);
    }
}

on_both! {
    fn a_worker_that_was_overtaken_cannot_make_its_load_visible(db: Databases) {
        let block = items(db, application(db, "A"));
        let begin = |run, fence| {
            let mut conn = db.blocks.connect().unwrap();
            ledger::begin(&mut conn, &block, run, fence, NOW)
        };
        // Run 1 begins and sleeps; run 2 has a newer fence.
        let slept = begin(1, 1).unwrap();
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nnew\n"), 2, 2).unwrap();
        let visible = ledger::Visible {
            block: &block,
            merge: blocks::Merge::Replace,
            filled: &[1],
            replaces_runs: &[],
            staged: 0,
            read: 0,
            rejected: 0,
            bytes: 0,
            source_name: "",
            source_sha256: "",
        };
        let late = ledger::commit(&mut db.blocks.connect().unwrap(), &slept, &visible, NOW);
        assert!(matches!(late, Err(ledger::LoadRefused::FenceLost)), "{late:?}");
        assert!(matches!(begin(3, 1), Err(ledger::LoadRefused::FenceLost)));
        let failure = load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nold\n"), 4, 1).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::FenceLost, false));
        assert_eq!(shown(db, &block), ["new,,"]);
        assert_eq!(db.blocks.read(|conn| ledger::ledger(conn, 1)).unwrap(), None);
    }
}

on_both! {
    fn what_a_dead_worker_left_is_unseen_and_then_dropped(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Replace), &text("Code\na\n"), 1).unwrap();
        let mut conn = db.blocks.connect().unwrap();
        for (run, fence) in [(2, 2), (3, 3)] {
            let staging = ledger::begin(&mut conn, &block, run, fence, NOW).unwrap();
            let mut loader = blocks::Loader::open(&db.blocks, &staging, 1, &[1]).unwrap();
            let mut batch = blocks::batch::Batch::new(1);
            batch.push(tidegate::formats::Value::Text("half"));
            batch.end_row(2);
            loader.push(&batch).unwrap();
        }
        assert_eq!(shown(db, &block), ["a,,"]);
        assert_eq!(db.blocks.read(|conn| ledger::ledger(conn, 2)).unwrap(), None);
        assert_eq!(tables(db).len(), 3);
        let cleanup = |active: &[i64]| {
            let staged = db.blocks.read(ledger::staged).unwrap();
            ledger::cleanup(&db.blocks, &staged, active)
        };
        assert_eq!(cleanup(&[3]), 1);
        assert_eq!(tables(db).len(), 2, "the staging of a run that goes on stays");
        let before = db.blocks.read(ledger::staged).unwrap();
        // Its next attempt drops what the first left.
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nb\n"), 3, 4).unwrap();
        assert_eq!(shown(db, &block), ["b,,"]);
        assert_eq!(tables(db).len(), 2);
        assert_eq!(cleanup(&[]), 0);
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nc\n"), 5, 5).unwrap();
        let shown_now: Vec<_> = before.iter().map(|(block, _, run)| (*block, 4, *run)).collect();
        assert_eq!(ledger::cleanup(&db.blocks, &shown_now, &[]), 0, "one that became visible meanwhile stays");
        assert_eq!(shown(db, &block), ["c,,"]);
    }
}

on_both! {
    fn a_load_that_happened_does_not_happen_twice(db: Databases) {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        let source = text("Day,Amount\n2026-01-01,1\n");
        let first = load(db, &plan, &source, 1).unwrap();
        // The worker died before it could say so; another attempt comes with a newer fence.
        let again = load_as(db, &plan, &source, 1, 2).unwrap();
        assert_eq!((again.outcome, again.counts), (first.outcome, first.counts));
        assert_eq!(shown(db, &block), ["2026-01-01,1"]);
        let row = db.blocks.read(|conn| ledger::ledger(conn, 1)).unwrap().unwrap();
        assert_eq!((row.fence, row.added, row.source_name.as_deref()), (1, 1, Some("rows.csv")));
    }
}

on_both! {
    fn a_key_twice_in_a_file_rejects_the_later_row_and_names_the_first_line(db: Databases) {
        let block = items(db, application(db, "A"));
        let source = text("Code,Name\na,1\nb,2\na,3\nc,4\na,5\n");
        let report = load(db, &plan(db, &block, Mode::Append), &source, 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (3, 2));
        assert_eq!(shown(db, &block), ["a,1,", "b,2,", "c,4,"]);
        let rows = db.blocks.read(|conn| rejects::page(conn, 1, 0, 10)).unwrap();
        assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [4, 6]);
        assert_eq!(rows[0].fields, ["a", "3"]);
        assert!(rows[0].cells[0].reason.contains("The key \"a\" is on line 2 already"), "{}", rows[0].cells[0].reason);
        assert_eq!((rows[0].cells[0].column.as_str(), rows[0].cells[0].value.as_str()), ("Code", "a"));
    }
}

on_both! {
    fn a_key_of_several_columns_is_the_whole_of_them(db: Databases) {
        let columns = vec![
            column("Day", Date).key(),
            column("Active", Boolean).key(),
            column("Share", Number).key(),
            column("Value", Number),
        ];
        let block = create(db, application(db, "A"), draft("M", BlockKind::Metric, columns)).unwrap();
        let source = text("Day,Active,Share,Value\n2026-01-01,yes,0.1,1\n2026-01-01,no,0.1,2\n2026-01-01,yes,0.1,3\n");
        load(db, &plan(db, &block, Mode::Update), &source, 1).unwrap();
        assert_eq!(count(db, &block), 2);
        let cell = &db.blocks.read(|conn| rejects::page(conn, 1, 0, 10)).unwrap()[0].cells[0];
        assert_eq!(cell.column, "Day, Active, Share");
        assert!(cell.value.starts_with("2026-01-01, "), "{}", cell.value);
    }
}

on_both! {
    fn append_rejects_keys_that_the_block_has(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        load(db, &plan, &text("Code,Name\na,1\nb,2\n"), 1).unwrap();
        let report = load(db, &plan, &text("Code,Name\nc,3\nb,4\n"), 2).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 1));
        assert_eq!(shown(db, &block), ["a,1,", "b,2,", "c,3,"]);
        assert_eq!(bad(db, 2), ["3 Code key_exists"]);
    }
}

on_both! {
    fn run_again_replaces_what_the_earlier_run_appended(db: Databases) {
        let application = application(db, "A");
        let (log, items) = (log(db, application), items(db, application));
        let mut again = plan(db, &log, Mode::Append);
        load(db, &again, &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap();
        load(db, &again, &text("Day,Amount\n2026-01-02,2\n2026-01-02,3\n"), 2).unwrap();
        again.replaces_runs = vec![2];
        let report = load(db, &again, &text("Day,Amount\n2026-01-02,4\n"), 3).unwrap();
        assert_eq!((report.counts.added, report.counts.removed), (1, 2));
        assert_eq!(shown(db, &log), ["2026-01-01,1", "2026-01-02,4"]);
        assert_eq!(count(db, &log), 2);

        // The key check does not mind the rows that go.
        let mut again = plan(db, &items, Mode::Append);
        load(db, &again, &text("Code\na\n"), 4).unwrap();
        load(db, &again, &text("Code\nb\n"), 5).unwrap();
        again.replaces_runs = vec![5];
        let report = load(db, &again, &text("Code\nb\na\n"), 6).unwrap();
        assert_eq!((report.counts.added, report.counts.removed, report.counts.rejected), (1, 1, 1));
        assert_eq!(bad(db, 6), ["3 Code key_exists"]);
        // All that is there goes: the new rows take its place.
        again.replaces_runs = vec![4, 6];
        load(db, &again, &text("Code\nz\n"), 7).unwrap();
        assert_eq!(shown(db, &items), ["z,,"]);
    }
}

on_both! {
    fn items_that_the_list_lacks_are_rejected_with_every_other_bad_cell(db: Databases) {
        let application = application(db, "A");
        let items = items(db, application);
        let columns = vec![
            column("Item", Dimension).of_dimension(items.id).required(),
            column("Other", Dimension).of_dimension(items.id),
            column("Amount", Integer),
        ];
        let sales = create(db, application, draft("Sales", BlockKind::TransactionList, columns)).unwrap();
        let source = text("Item,Other,Amount\na,,1\nx,y,much\n,b,2\nb,a,3\nx,,4\n");
        // Nothing was ever loaded into the list, so it knows nothing.
        let failure = load(db, &plan(db, &sales, Mode::Append), &source, 1).unwrap_err();
        assert_eq!((failure.kind, failure.counts.rejected), (FailureKind::Rejected, 5));

        load(db, &plan(db, &items, Mode::Append), &text("Code\na\nb\n"), 2).unwrap();
        let report = load(db, &plan(db, &sales, Mode::Append), &source, 3).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (2, 3));
        assert_eq!(shown(db, &sales), ["a,,1", "b,a,3"]);
        let mut all = bad(db, 3);
        all.sort();
        assert_eq!(
            all,
            [
                "3 Amount not_an_integer",
                "3 Item unknown_item",
                "3 Other unknown_item",
                "4 Item missing",
                "6 Item unknown_item"
            ]
        );
        let rows = db.blocks.read(|conn| rejects::page(conn, 3, 0, 10)).unwrap();
        assert_eq!(rows[2].fields, ["x", "", "4"]);
        assert!(rows[2].cells[0].reason.contains("\"x\" is not an item of \"Items\""), "{}", rows[2].cells[0].reason);
    }
}

on_both! {
    fn a_list_with_integer_keys_can_be_named_and_a_list_can_name_itself(db: Databases) {
        let application = application(db, "A");
        let people = draft("People", BlockKind::DimensionList, vec![column("No", Integer).key()]);
        let people = create(db, application, people).unwrap();
        let boss = column("Boss", Dimension).of_dimension(people.id);
        let people = db.main.read(|conn| blocks::add_column(conn, &db.blocks, people.id, boss, NOW)).unwrap();
        let report = load(db, &plan(db, &people, Mode::Update), &text("No,Boss\n1,\n2,1\n3,9\n4,2\n"), 1).unwrap();
        assert_eq!(bad(db, 1), ["4 Boss unknown_item"]);
        assert_eq!(report.counts.added, 3);
        load(db, &plan(db, &people, Mode::Update), &text("No,Boss\n5,4\n"), 2).unwrap();
        assert_eq!(count(db, &people), 4);
    }
}

on_both! {
    fn damaged_rows_are_rejected_and_the_others_loaded(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut source =
            b"Code,Name,Size\na,Apple,1\nb,Bean\nc,Carrot,3,4\n\nd,\xff,x\ne,\0,5\n,Nobody,6\nf,Fig,7\n".to_vec();
        source.extend_from_slice(format!("{},Long,8\n", "k".repeat(3_000)).as_bytes());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&source).unwrap();
        let source = SourceFile { file, name: "x.csv".into(), bytes: 0, sha256: String::new() };
        let report = load(db, &plan(db, &block, Mode::Append), &source, 1).unwrap();
        assert_eq!((report.counts.read, report.counts.added, report.counts.rejected), (8, 2, 6));
        assert_eq!(shown(db, &block), ["a,Apple,1", "f,Fig,7"]);
        assert_eq!(
            bad(db, 1),
            [
                "3  short_row",
                "4  long_row",
                "6 Name not_in_encoding",
                "6 Size not_a_number",
                "7 Name nul",
                "8 Code missing",
                "10 Code key_too_long"
            ]
        );
        let mut csv = Vec::new();
        rejects::write_csv(&db.blocks, 1, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.contains("\nb,Bean,,3,The row is too short"), "{csv}");
        assert!(csv.lines().nth(2).unwrap().ends_with(",4"), "what is too much comes last: {csv}");
    }
}

on_both! {
    fn every_type_comes_back_as_it_went_in(db: Databases) {
        let columns = vec![
            column("t", Text),
            column("i", Integer),
            column("n", Number),
            column("b", Boolean),
            column("d", Date),
            column("ts", Timestamp),
        ];
        let block = create(db, application(db, "A"), draft("All", BlockKind::TransactionList, columns)).unwrap();
        let rows = [
            "plain,0,0.1,true,1970-01-01,1970-01-01T00:00:00Z",
            "ünïcode ≠ ascii 🎏,9223372036854775807,1.7976931348623157e308,false,9999-12-31,9999-12-31T23:59:59.999999Z",
            " spaces ,-9223372036854775808,-1.7976931348623157e308,true,0001-01-01,0001-01-01T00:00:00Z",
            "12,1,5e-324,false,1969-12-31,1969-12-31T23:59:59.999999Z",
            "0x1,-1,2.2250738585072014e-308,true,2000-02-29,2013-01-01T06:00:00.25Z",
            "1e3,42,10.357019999999999,false,2026-11-22,2026-11-22T21:00:00.000001Z",
            "x,7,9007199254740993,true,2026-11-22,2026-11-22T21:00:00Z",
            ",,,,,",
        ];
        let source = format!("t,i,n,b,d,ts\n{}\n", rows.join("\n"));
        let report = load(db, &plan(db, &block, Mode::Append), &text(&source), 1).unwrap();
        assert_eq!(report.counts.rejected, 0, "{:?}", bad(db, 1));
        let read = db.blocks.read(|conn| blocks::rows(conn, &block, 0, 100)).unwrap();
        for (row, wanted) in read.iter().zip(rows) {
            for ((cell, column), text) in row.cells.iter().zip(&block.columns).zip(wanted.split(',')) {
                match cell {
                    Cell::Number(number) => assert_eq!(number.to_bits(), text.parse::<f64>().unwrap().to_bits()),
                    Cell::Timestamp(_) => {
                        let micros = Moment::parse_rfc3339(text).unwrap().micros();
                        assert_eq!(*cell, Cell::Timestamp(micros));
                    }
                    _ => assert_eq!(cell.text(column.column_type), text, "{}", column.name),
                }
            }
        }
        // What is unchanged by Update is what compares equal in the database.
        assert_eq!(read.len(), rows.len());
        let mut csv = Vec::new();
        blocks::write_csv(&db.blocks, &block, &mut csv).unwrap();
        let report = load(db, &plan(db, &block, Mode::Replace), &text(&String::from_utf8(csv).unwrap()), 2).unwrap();
        assert_eq!((report.counts.added, report.counts.removed), (8, 8));
        let again = db.blocks.read(|conn| blocks::rows(conn, &block, 0, 100)).unwrap();
        assert!(again.iter().zip(&read).all(|(a, b)| a.cells == b.cells));
    }
}

on_both! {
    fn two_loads_go_into_two_blocks_at_the_same_time(db: Databases) {
        let application = application(db, "A");
        let blocks = [weather(db, application, "One"), weather(db, application, "Two")];
        std::thread::scope(|scope| {
            for (block, run) in blocks.iter().zip(1..) {
                scope.spawn(move || {
                    let mut plan = plan(db, block, Mode::Replace);
                    plan.csv.nulls.push("NA".into());
                    for attempt in 0..2 {
                        let report = load(db, &plan, &data("weather.csv"), run + 10 * attempt).unwrap();
                        assert_eq!(report.counts.added, 26_115);
                    }
                });
            }
        });
        assert_eq!((count(db, &blocks[0]), count(db, &blocks[1])), (26_115, 26_115));
    }
}

on_both! {
    fn columns_find_each_other_by_name_or_by_mapping(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Replace);
        // By name: case and outer spaces do not count, what is too much is ignored.
        load(db, &plan, &text(" SIZE ,extra,code\n2,x,a\n"), 1).unwrap();
        assert_eq!(shown(db, &block), ["a,,2"]);
        let failure = load(db, &plan, &text("Kode,Size\na,1\n"), 2).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Columns);
        assert!(
            failure.cause.contains("\"Code\"") && failure.cause.contains("\"Kode\" and \"Size\""),
            "{}",
            failure.cause
        );

        let from = |name: &str, to: &str| Mapping { from: Some(name.into()), constant: None, to: to.into() };
        let constant = |text: &str, to: &str| Mapping { from: None, constant: Some(text.into()), to: to.into() };
        plan.mapping = Some(vec![
            from("id", "Code"),
            constant("fixed", "name"),
            constant("1.5", "Size"),
        ]);
        load(db, &plan, &text("ID;Code\nb;no\n".replace(';', ",").as_str()), 3).unwrap();
        assert_eq!(shown(db, &block), ["b,fixed,1.5"]);
        let failure = load(db, &plan, &text("Code,Size\na,1\n"), 4).unwrap_err();
        assert!(failure.cause.contains("no column \"id\". It has \"Code\" and \"Size\""), "{}", failure.cause);
        plan.mapping = Some(vec![from("Name", "name")]);
        assert!(load(db, &plan, &text("Name\na\n"), 5).unwrap_err().cause.contains("Nothing fills \"Code\""));
        plan.mapping = Some(vec![
            from("Code", "Code"),
            constant("much", "Size"),
        ]);
        assert!(load(db, &plan, &text("Code\na\n"), 6).unwrap_err().cause.contains("constant for \"Size\""));
        let unkeyed = log(db, block.application_id);
        let failure = load(db, &super::plan(db, &unkeyed, Mode::Update), &text("Day\n\n"), 7).unwrap_err();
        assert!(failure.cause.contains("no key column"), "{}", failure.cause);
        assert_eq!(shown(db, &block), ["b,fixed,1.5"]);
    }
}

on_both! {
    fn cancel_and_deadline_end_a_load_without_a_trace(db: Databases) {
        let block = weather(db, application(db, "A"), "Weather");
        let plan = plan(db, &block, Mode::Append);
        let cancelled = AtomicBool::new(false);
        let stop_after_first = |_| cancelled.store(true, std::sync::atomic::Ordering::Relaxed);
        let mut context = LoadContext {
            blocks: &db.blocks,
            run_id: 1,
            fence: 1,
            clock: &SetClock::at(NOW),
            cancelled: &cancelled,
            deadline: None,
            progress: &stop_after_first,
        };
        let failure = run(&plan, &data("weather.csv"), &context).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::Cancelled, false));
        assert!(failure.counts.read > 0);
        let go_on = AtomicBool::new(false);
        context.cancelled = &go_on;
        context.deadline = Some(Instant::now() - Duration::from_secs(1));
        assert_eq!(run(&plan, &data("weather.csv"), &context).unwrap_err().kind, FailureKind::DeadlinePassed);
        assert_eq!((count(db, &block), tables(db).len()), (0, 0));
    }
}

on_both! {
    fn the_view_shows_what_the_block_holds_under_the_names_people_gave(db: Databases) {
    #[derive(QueryableByName, Debug, PartialEq)]
    struct Shown {
        #[diesel(sql_type = diesel::sql_types::Text)]
        shown: String,
    }
    let ask = |db: &Databases, sql: &str| -> Vec<String> {
        let rows: Vec<Shown> = db.blocks.read(|conn| Ok(diesel::sql_query(sql).load(conn)?)).unwrap();
        rows.into_iter().map(|row| row.shown).collect()
    };
        let block = log(db, application(db, "Big Plans"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Day,Amount\n1969-12-31,1\n"), 1).unwrap();
        load(db, &plan, &text("Day,Amount\n2026-11-22,2\n"), 2).unwrap();
        let sql = r#"SELECT CAST("Day" AS TEXT) || ' ' || CAST("Amount" AS TEXT) || ' ' || CAST(_run AS TEXT) AS shown FROM big_plans__log"#;
        assert_eq!(ask(db, sql), ["2026-11-22 2 2"]);

        db.main.read(|conn| blocks::rename(conn, &db.blocks, block.id, "Journal", NOW)).unwrap();
        let note = column("Note \"1\"", Text);
        let wider = db.main.read(|conn| blocks::add_column(conn, &db.blocks, block.id, note, NOW)).unwrap();
        let sql = r#"SELECT coalesce("Note ""1""", 'none') AS shown FROM big_plans__journal"#;
        assert_eq!(ask(db, sql), ["none"]);
        assert_eq!(shown(db, &wider), ["2026-11-22,2,"]);
        // A load that was planned before the column came is shown with it too.
        load(db, &plan, &text("Day,Amount\n2026-11-23,3\n"), 3).unwrap();
        assert_eq!(ask(db, sql), ["none"]);
        assert_eq!(shown(db, &wider), ["2026-11-23,3,"]);
        let mut narrower = blocks::as_draft(&wider);
        narrower.columns[0].column_type = Text;
        let edited = db.main.read(|conn| blocks::edit(conn, &db.blocks, block.id, None, narrower, NOW));
        assert!(edited.is_err(), "a type changes only while the Block is empty");
    }
}

on_both! {
    fn a_block_that_changed_while_a_load_ran_refuses_it(db: Databases) {
        let block = log(db, application(db, "A"));
        let old = plan(db, &block, Mode::Append);
        let mut changed = blocks::as_draft(&block);
        changed.columns[1].column_type = Text;
        db.main.read(|conn| blocks::edit(conn, &db.blocks, block.id, None, changed, NOW)).unwrap();
        let failure = load(db, &old, &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap_err();
        assert_eq!((failure.kind, count(db, &block)), (FailureKind::BlockChanged, 0));
        assert!(failure.may_retry(), "the next attempt sees the new columns");
    }
}

/// Rows like those of the benchmark, so many of them.
fn many_rows(rows: u32) -> SourceFile {
    let mut out = std::io::BufWriter::new(tempfile::tempfile().unwrap());
    writeln!(out, "day,country,product,customer,quantity,price,currency,note").unwrap();
    for i in 0..rows {
        let (day, note) = (i % 28 + 1, if i % 6 == 0 { "\"said \"\"yes\"\", then no\"" } else { "nothing to say" });
        writeln!(out, "2026-01-{day:02},FR,product {},{},{},{}.25,EUR,{note}", i % 977, i * 7, i % 50, i % 900)
            .unwrap();
    }
    let file = out.into_inner().unwrap();
    let bytes = file.metadata().unwrap().len();
    SourceFile { file, name: "many.csv".into(), bytes, sha256: String::new() }
}

fn sales(db: &Databases, application: i64) -> Block {
    let columns = vec![
        column("day", Date),
        column("country", Text),
        column("product", Text),
        column("customer", Integer),
        column("quantity", Integer),
        column("price", Number),
        column("currency", Text),
        column("note", Text),
    ];
    create(db, application, draft("Sales", BlockKind::TransactionList, columns)).unwrap()
}

on_both! {
    /// Between two batches nobody waits for the load, and the log of the database stays short.
    fn a_long_load_holds_no_transaction_while_it_reads(db: Databases) {
        let block = sales(db, application(db, "A"));
        let wal = match db.blocks.location() {
            tidegate::db::Location::Sqlite { file } => Some(file.with_file_name("blocks.db-wal")),
            tidegate::db::Location::Postgres { .. } => None,
        };
        let longest = std::cell::Cell::new(0);
        let told = std::cell::Cell::new(0);
        let source = many_rows(150_000);
        let context = LoadContext {
            blocks: &db.blocks,
            run_id: 1,
            fence: 1,
            clock: &SetClock::at(NOW),
            cancelled: &AtomicBool::new(false),
            deadline: None,
            progress: &|progress| {
                // Another write from this very thread would wait for ever for a transaction of the load.
                db.blocks.read(|conn| rejects::forget(conn, 99)).unwrap();
                assert!(progress.rows >= told.get());
                told.set(progress.rows);
                if let Some(wal) = &wal {
                    longest.set(longest.get().max(std::fs::metadata(wal).map_or(0, |file| file.len())));
                }
            },
        };
        let report = run(&plan(db, &block, Mode::Replace), &source, &context).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected, told.get()), (150_000, 0, 150_000));
        assert_eq!(report.counts.bytes as u64, source.bytes);
        assert!(longest.get() <= 16 << 20, "the WAL grew to {} bytes", longest.get());
        assert_eq!(count(db, &block), 150_000);
    }
}

on_both! {
    /// A worker sleeps past its lease in the middle of a load; its successor has begun, or has ended, when it wakes.
    fn a_load_that_is_overtaken_while_it_goes_says_so(db: Databases) {
        let block = sales(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        let source = many_rows(30_000);
        let woken = std::cell::Cell::new(false);
        let context = LoadContext {
            blocks: &db.blocks,
            run_id: 1,
            fence: 1,
            clock: &SetClock::at(NOW),
            cancelled: &AtomicBool::new(false),
            deadline: None,
            progress: &|_| {
                if !woken.replace(true) {
                    // The same run, its next attempt by another worker: it drops what the first had staged.
                    let next = load_as(db, &plan, &many_rows(10), 1, 2).unwrap();
                    assert_eq!(next.counts.added, 10);
                }
            },
        };
        let failure = run(&plan, &source, &context).unwrap_err();
        assert_eq!(failure.kind, FailureKind::FenceLost, "{failure:?}");
        assert_eq!(count(db, &block), 10);
        assert_eq!(tables(db).len(), 1);
    }
}

//! What a load says that it changed, and how it counts what it lost.

use tidegate::formats::Change;
use tidegate::imports::pipeline::Told;

use super::*;

/// What was changed as `column kind cells`.
fn changed(told: &Told) -> Vec<String> {
    told.changes.iter().map(|c| format!("{} {} {}", c.column, c.kind, c.cells)).collect()
}

fn sales(db: &Databases) -> Block {
    let columns =
        vec![column("Code", Integer), column("Amount", Number), column("At", Timestamp), column("Note", Text)];
    create(db, application(db, "A"), draft("Sales", BlockKind::TransactionList, columns)).unwrap()
}

const CHANGED: &str = "Code;Amount;At;Note\n007;1.250;2026-11-22T10:00:00.1234567Z;NA\n+8;NA;2016-12-31T23:59:60Z;007\n\n\
                       ;;;\n9;1.250,5;2026-11-22T10:00:00Z;\n 10 ;1e3;;x\n011;x;;rejected\n";

on_both! {
    fn a_run_says_what_it_changed(db: Databases) {
        let block = sales(db);
        let mut plan = plan(db, &block, Mode::Append);
        plan.read = semicolons();
        let report = load(db, &plan, &text(CHANGED), 1).unwrap();
        assert_eq!((report.counts.read, report.counts.added, report.counts.rejected), (5, 4, 1));
        // Nothing of the rejected row, of text, or of what can be read in one way only.
        let all = [
            "Code spaces 1",
            "Code plus 1",
            "Code leading_zeros 1",
            "Amount exponent 1",
            "Amount group_separator 1",
            "Amount null_marker 1",
            "At second_digits 1",
            "At time 1",
        ];
        assert_eq!(changed(&report.told), all);
        assert_eq!(report.told.blank, 2);
        assert!(report.steps[0].detail.ends_with("2 blank lines were skipped."), "{:?}", report.steps);
        let checked = &report.steps[1].detail;
        assert!(checked.contains("8 cells are changed while loading: 1 of Code (spaces trimmed)"), "{checked}");
        // Whoever ends the run from the ledger tells the same.
        assert_eq!(Told::of(&in_ledger(db, 1, &block).unwrap()).unwrap(), report.told);
        let known = load(db, &plan, &text(CHANGED), 1).unwrap();
        assert_eq!((known.told, known.earlier.is_some()), (report.told, true));
    }

    fn a_limit_on_changes_stops_a_load(db: Databases) {
        let block = sales(db);
        let mut plan = plan(db, &block, Mode::Append);
        plan.read = semicolons();
        plan.rejects.max_changed = Some(8);
        load(db, &plan, &text(CHANGED), 1).unwrap();
        plan.rejects.max_changed = Some(7);
        let failure = load(db, &plan, &text(CHANGED), 2).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::Changed, false));
        assert!(failure.cause.starts_with("8 cells are changed while loading: 1 of Code"), "{}", failure.cause);
        assert!(failure.cause.contains("allows at most 7. The Block is unchanged"), "{}", failure.cause);
        assert_eq!(failure.told.changes.len(), 8);
        // It is not read to its end once that is decided.
        let many = format!("Code\n{}", "007\n".repeat(400_000));
        let failure = load(db, &plan, &text(&many), 3).unwrap_err();
        assert!(failure.cause.contains("The rest was not read."), "{}", failure.cause);
        assert!(failure.counts.read < 400_000, "{}", failure.counts.read);
        assert_eq!((count(db, &block), in_ledger(db, 3, &block)), (4, None));
    }

    fn what_is_not_loaded_after_all_changes_nothing(db: Databases) {
        let columns = vec![column("Code", Integer).key()];
        let block = create(db, application(db, "A"), draft("Codes", BlockKind::TransactionList, columns)).unwrap();
        let mut plan = plan(db, &block, Mode::Append);
        plan.rejects.max_changed = Some(1);
        let report = load(db, &plan, &text(&format!("Code\n{}", "007\n".repeat(100))), 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 99));
        assert_eq!(changed(&report.told), ["Code leading_zeros 1"]);
    }

    fn a_source_of_blank_lines_says_so(db: Databases) {
        let block = items(db, application(db, "A"));
        let report = load(db, &plan(db, &block, Mode::Append), &text("Code,Name\n\n,\n"), 1).unwrap();
        assert_eq!((report.outcome, report.told.blank), (Outcome::NothingNew, 2));
        let mut json = text("{\"Code\":\"a\"}\n\n{}\n");
        json.name = "rows.ndjson".into();
        let mut plan = plan(db, &block, Mode::Append);
        plan.read = tidegate::formats::ReadOptions::of(tidegate::formats::Format::Ndjson);
        let report = load(db, &plan, &json, 2).unwrap();
        assert_eq!((report.counts.added, report.told.blank), (1, 2));
    }

    fn markers_of_a_mapping_are_counted_in_text_and_constants_are_not(db: Databases) {
        let block = sales(db);
        let mut plan = plan(db, &block, Mode::Append);
        let mut note = Mapping::column("n", "Note");
        note.nulls = Some(vec!["n/a".into()]);
        plan.mapping = Some(vec![note, Mapping::constant("007", "Code")]);
        let report = load(db, &plan, &text("n\nn/a\nNA\n"), 1).unwrap();
        assert_eq!(changed(&report.told), [format!("n {} 1", Change::NullMarker)]);
        assert_eq!(report.told.learned, None);
    }
}

fn semicolons() -> tidegate::formats::ReadOptions {
    use tidegate::formats::{CsvOptions, Format, ReadOptions};
    let csv = CsvOptions { delimiter: ";".into(), ..CsvOptions::default() };
    let mut read = ReadOptions::of(Format::Csv(csv));
    read.values.decimal_point = ",".into();
    read.values.group_separator = Some(".".into());
    read.values.nulls.push("NA".into());
    read
}

/// A quote that opens on line 2 and is closed by the one that opens on line 341.
fn lost_quote() -> SourceFile {
    let lines: String = (3..=340).map(|n| format!("{n},x\n")).collect();
    text(&format!("Code,Name\na,\"lost\n{lines}b,\"found\"\n{}", "c,y\nd,z\n"))
}

on_both! {
    fn a_lost_quote_counts_as_all_its_lines(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Update);
        let report = load(db, &plan, &lost_quote(), 1).unwrap();
        assert_eq!((report.counts.read, report.counts.added, report.counts.rejected), (342, 2, 340));
        assert_eq!(shown(db, &block), ["c,y,", "d,z,"]);
        let row = db.blocks.read(|conn| rejects::page(conn, 1, 0, 9)).unwrap().remove(0);
        assert_eq!((row.line, row.cells[0].column.as_str()), (2, "Name"));
        assert_eq!(row.cells[0].reason, "Lines 2 to 341: there is text after the closing quote.");
        plan.rejects.max_rows = Some(10);
        let failure = load(db, &plan, &lost_quote(), 2).unwrap_err();
        assert!(failure.cause.contains("340 of 342 rows rejected, and this import allows at most 10"), "{}", failure.cause);
        plan.rejects.max_rows = None;
        plan.rejects.max_percent = Some(5.0);
        assert_eq!(load(db, &plan, &lost_quote(), 3).unwrap_err().kind, FailureKind::Rejected);
        // Found by SQL besides: a key twice.
        plan.rejects.max_percent = None;
        let report = load(db, &plan, &text("Code,Name\nk,\"lost\nl,\"x\"\nm,1\nm,2\nn,3\n"), 4).unwrap();
        assert_eq!((report.counts.read, report.counts.added, report.counts.rejected), (5, 2, 3));
    }

    fn a_limit_that_is_passed_ends_the_reading(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Append);
        plan.rejects.max_rows = Some(10);
        let source = text(&format!("Code,Size\n{}", "a,much\n".repeat(1_000_000)));
        let failure = load(db, &plan, &source, 1).unwrap_err();
        assert!(failure.cause.contains("this import allows at most 10. The rest was not read."), "{}", failure.cause);
        assert!(failure.counts.read < 100_000, "{}", failure.counts.read);
    }

    fn rows_of_too_many_cells_come_back_once_they_are_mended(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        let report = load(db, &plan, &text("Code,Name,Size\na,Apple, green,1\nb,Bean,2\n"), 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 1));
        let mut csv = Vec::new();
        rejects::write_csv(&db.blocks, 1, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.contains("\na,Apple, green,2,") && csv.ends_with(",1\n"), "{csv}");
        // As it came it is wrong still, by the number of its own columns.
        let again = load(db, &plan, &text(&csv), 2).unwrap_err();
        assert!(again.cause.starts_with("All 1 row was rejected"), "{}", again.cause);
        let row = db.blocks.read(|conn| rejects::page(conn, 2, 0, 9)).unwrap().remove(0);
        assert_eq!(row.cells[0].reason, "The row is too long: 4 cells where the header has 3.");
        // What was too much was put where it belongs; its cell is there still, and empty.
        let mended = csv.replace("\na,Apple, green,", "\na,\"Apple, green\",1,").replace(".,1\n", ".,\n");
        assert_eq!(load(db, &plan, &text(&mended), 3).unwrap().counts.added, 1);
        assert_eq!(shown(db, &block), ["b,Bean,2", "a,Apple, green,1"]);
    }

    fn zero_has_no_sign_whatever_wrote_it(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Append);
        load(db, &plan, &text("Code,Size\na,-0.0\n"), 1).unwrap();
        plan.mapping = Some(vec![Mapping::column("Code", "Code"), Mapping::constant("-0", "Size")]);
        load(db, &plan, &text("Code\nb\n"), 2).unwrap();
        plan.mapping = None;
        plan.read = tidegate::formats::ReadOptions::of(tidegate::formats::Format::Ndjson);
        load(db, &plan, &text("{\"Code\":\"c\",\"Size\":-0.0}\n{\"Code\":\"d\",\"Size\":-0}\n"), 3).unwrap();
        let rows = db.blocks.read(|conn| blocks::rows(conn, &block, 0, 9)).unwrap();
        for row in &rows {
            let Cell::Number(number) = row.cells[2] else { panic!("{row:?}") };
            assert_eq!(number.to_bits(), 0, "{row:?}");
        }
        assert_eq!(rows.len(), 4);
    }
}

on_both! {
    fn a_column_that_went_fails_by_name_and_a_new_one_is_a_remark(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut plan = plan(db, &block, Mode::Replace);
        let first = load(db, &plan, &text("code,SIZE,extra\na,1,x\n"), 1).unwrap();
        assert_eq!(first.told.learned, Some(vec!["Code".to_owned(), "Size".to_owned()]));
        plan.columns = first.told.learned;
        let failure = load(db, &plan, &text("Code\na\n"), 2).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::Columns, false));
        assert!(failure.cause.starts_with("The source has no column \"Size\". It has \"Code\"."), "{}", failure.cause);
        // A header alone is looked at too.
        assert_eq!(load(db, &plan, &text("Code,Name\n"), 3).unwrap_err().kind, FailureKind::Columns);
        assert_eq!(shown(db, &block), ["a,,1"]);
        let report = load(db, &plan, &text("Code,name,Size,other\nb,Bean,2,x\n"), 4).unwrap();
        assert_eq!(shown(db, &block), ["b,,2"]);
        assert_eq!((report.told.new_columns.as_slice(), report.told.learned.as_ref()), (&["name".to_owned()][..], None));
        assert!(report.told.remark().unwrap().contains("\"name\""), "{:?}", report.told.remark());
        plan.columns = Some(vec!["Code".into(), "Weight".into()]);
        let failure = load(db, &plan, &text("Code,Weight\na,1\n"), 5).unwrap_err();
        assert!(failure.cause.contains("fills \"Weight\", but \"Items\" has no such column"), "{}", failure.cause);
    }
}

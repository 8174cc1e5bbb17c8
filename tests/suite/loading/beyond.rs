//! More rejected rows than are kept: the others are counted, by cause, and none of them is loaded. And rows too heavy to
//! be kept whole.

use super::*;

/// Sales of items, of which the list has `a` alone.
fn sales(db: &Databases) -> Block {
    let application = application(db, "A");
    let items = items(db, application);
    load(db, &plan(db, &items, Mode::Append), &text("Code\na\n"), 90).unwrap();
    let columns = vec![
        column("Item", Dimension).of_dimension(items.id),
        column("Other", Dimension).of_dimension(items.id),
        column("Amount", Integer),
    ];
    create(db, application, draft("Sales", BlockKind::TransactionList, columns)).unwrap()
}

/// Kept rows, and each cause with its cells.
fn kept(db: &Databases, run_id: i64) -> (i64, Vec<(String, String, i64)>) {
    let (rows, causes) =
        db.blocks.read(|conn| Ok((rejects::count(conn, run_id)?, rejects::causes(conn, run_id)?))).unwrap();
    (rows, causes.into_iter().map(|cause| (cause.column, cause.code, cause.cells)).collect())
}

fn cause(column: &str, code: &str, cells: i64) -> (String, String, i64) {
    (column.into(), code.into(), cells)
}

on_both! {
    fn rejected_rows_that_are_only_counted_are_not_loaded_without_their_bad_cells(db: Databases) {
        let block = sales(db);
        let mut plan = plan(db, &block, Mode::Append);
        plan.keeps = 100;
        let source = text(&format!("Item,Amount\n{}{}", "a,much\n".repeat(110), "a,1\n".repeat(5)));
        let counts = load(db, &plan, &source, 1).unwrap().counts;
        assert_eq!((counts.read, counts.added, counts.rejected), (115, 5, 110));
        assert_eq!(shown(db, &block), ["a,,1"; 5]);
        assert_eq!(kept(db, 1), (100, vec![cause("Amount", "not_an_integer", 110)]));
    }
}

on_both! {
    fn thousands_of_bad_cells_in_one_batch_are_all_kept(db: Databases) {
        let columns = ["A", "B", "C", "D"].map(|name| column(name, Integer)).to_vec();
        let block = create(db, application(db, "A"), draft("Wide", BlockKind::TransactionList, columns)).unwrap();
        let source = text(&format!("A,B,C,D\n{}1,2,3,4\n", "x,x,x,x\n".repeat(1_500)));
        let counts = load(db, &plan(db, &block, Mode::Append), &source, 1).unwrap().counts;
        assert_eq!((counts.read, counts.added, counts.rejected), (1_501, 1, 1_500));
        let pages = db.blocks.read(|conn| rejects::page(conn, 1, 0, 2_000)).unwrap();
        assert_eq!(pages.iter().map(|row| row.cells.len()).sum::<usize>(), 6_000);
    }
}

on_both! {
    fn unknown_items_are_kept_as_far_as_there_is_room_and_all_are_left_out(db: Databases) {
        let block = sales(db);
        let mut plan = plan(db, &block, Mode::Append);
        plan.keeps = 4;
        // One row is kept for its number; its item is wrong too.
        let rows = format!("x,,much\n{}a,,2\n{}a,y,4\na,,5\n", "x,,1\n".repeat(6), "x,y,3\n".repeat(2));
        let counts = load(db, &plan, &text(&format!("Item,Other,Amount\n{rows}")), 1).unwrap().counts;
        assert_eq!((counts.read, counts.added, counts.rejected), (12, 2, 10));
        assert_eq!(shown(db, &block), ["a,,2", "a,,5"]);
        let mut found = kept(db, 1);
        found.1.sort();
        let causes =
            vec![cause("Amount", "not_an_integer", 1), cause("Item", "unknown_item", 9), cause("Other", "unknown_item", 1)];
        assert_eq!(found, (4, causes));
        let first = db.blocks.read(|conn| rejects::page(conn, 1, 0, 10)).unwrap();
        assert_eq!(first.iter().map(|row| (row.line, row.cells.len())).collect::<Vec<_>>(), [(2, 2), (3, 1), (4, 1), (5, 1)]);
        assert_eq!(first[3].fields, ["x", "", "1"]);
    }
}

on_both! {
    fn keys_twice_and_keys_that_are_there_are_bounded_likewise(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Append), &text("Code\nold\n"), 1).unwrap();
        let mut plan = plan(db, &block, Mode::Append);
        plan.keeps = 3;
        let source = text(&format!("Code\n{}new\nold\n", "a\n".repeat(7)));
        let counts = load(db, &plan, &source, 2).unwrap().counts;
        assert_eq!((counts.read, counts.added, counts.rejected), (9, 2, 7));
        assert_eq!(shown(db, &block), ["old,,", "a,,", "new,,"]);
        assert_eq!(kept(db, 2), (3, vec![cause("Code", "key_twice", 6), cause("Code", "key_exists", 1)]));
        plan.keeps = 0;
        let counts = load(db, &plan, &text("Code\nold\nz\nz\n"), 3).unwrap().counts;
        assert_eq!((counts.added, counts.rejected), (1, 2));
    }
}

on_both! {
    fn a_field_too_long_to_be_loaded_is_kept_by_its_beginning(db: Databases) {
        let block = items(db, application(db, "A"));
        // Two bytes each, from an odd place on.
        let long = format!("x{}", "é".repeat(40_000));
        let source = text(&format!("Code,Name,Size\na,{long},much\nb,short,1\n"));
        let counts = load(db, &plan(db, &block, Mode::Append), &source, 1).unwrap().counts;
        assert_eq!((counts.added, counts.rejected), (1, 1));
        let row = db.blocks.read(|conn| rejects::page(conn, 1, 0, 9)).unwrap().remove(0);
        let (kept, said) = row.fields[1].split_once('…').unwrap();
        assert_eq!((kept.len(), said), (65_535, " (cut: the field has 80 kB)"));
        assert_eq!((row.fields[0].as_str(), row.fields[2].as_str(), row.cells.len()), ("a", "much", 2));
    }
}

#[test]
fn a_batch_of_rejected_rows_is_full_by_number_by_cells_and_by_weight() {
    let line = |bytes: usize| rejects::RejectedLine { line: 1, fields: vec!["x".repeat(bytes)] };
    let cell = rejects::RejectedCell {
        line: 1,
        column: String::new(),
        value: String::new(),
        code: String::new(),
        reason: String::new(),
        advice: String::new(),
    };
    let mut batch = rejects::RejectBatch::default();
    (0..1_999).for_each(|_| batch.keep(line(1)));
    assert!(!batch.is_full());
    batch.keep(line(1));
    assert!(batch.is_full());
    batch.clear();
    batch.keep(line(8 << 20));
    assert!(batch.is_full());
    batch.clear();
    batch.cells = vec![cell; 20_000];
    assert!(batch.is_full());
}

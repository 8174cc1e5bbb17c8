//! What a mapping does to cells on their way, and the items that a list lacks.

use tidegate::applications::blocks::{Unit, rejects};
use tidegate::imports::{Case, Expr, Part, Transform};

use super::*;

/// A line of a mapping with what it does.
fn changed(from: &str, to: &str, transform: Transform) -> Mapping {
    Mapping { transform, ..Mapping::column(from, to) }
}

fn none() -> Transform {
    Transform::default()
}

on_both! {
    fn each_change_makes_of_a_cell_what_it_says(db: Databases) {
        let columns = vec![
            column("Code", Text),
            column("Name", Text),
            column("Place", Text),
            column("Month", Date),
            column("Year", Text),
            column("Amount", Number),
            column("Units", Integer),
            column("Loaded", Timestamp),
        ];
        let block =
            create(db, application(db, "A"), draft("Changed", BlockKind::TransactionList, columns)).unwrap();
        let mut plan = plan(db, &block, Mode::Append);
        plan.mapping = Some(vec![
            changed("code", "Code", Transform { trim: true, case: Some(Case::Upper), ..none() }),
            changed("name", "Name", Transform { case: Some(Case::Title), default: Some("Nobody".into()), ..none() }),
            Mapping {
                transform: Transform { trim: true, ..none() },
                ..Mapping::new(
                    Expr::Join(vec![
                        Part::Column("land".into()),
                        Part::Text(" / ".into()),
                        Part::Column("city".into()),
                    ]),
                    "Place",
                )
            },
            changed("day", "Month", Transform { period: Some(Unit::Month), ..none() }),
            changed("day", "Year", Transform { period: Some(Unit::Year), year_begins: Some(4), ..none() }),
            changed("amount", "Amount", Transform { negate: true, ..none() }),
            changed("units", "Units", Transform { negate: true, default: Some("0".into()), ..none() }),
            Mapping::new(Expr::LoadedAt(true), "Loaded"),
        ]);
        let source = "code,name,land,city,day,amount,units\n\
                      \u{a0}cc-9 ,aNNA o'neil,DE,Köln,2026-03-31,12.5,3\n\
                      x,,,Oslo,2026-04-01T23:30:00Z,-0.5,\n\
                      y,z,,,2026-04-01,,9223372036854775807\n\
                      z,z,,,never,1,-9223372036854775808\n";
        let report = load(db, &plan, &text(source), 1).unwrap();
        let at = "2026-11-18T11:06:40Z";
        assert_eq!(
            shown(db, &block),
            [
                format!("CC-9,Anna O'neil,DE / Köln,2026-03-01,FY2026,-12.5,-3,{at}"),
                format!("X,Nobody,/ Oslo,2026-04-01,FY2027,0.5,0,{at}"),
                format!("Y,Z,/,2026-04-01,FY2027,,-9223372036854775807,{at}"),
            ]
        );
        assert_eq!(report.counts.rejected, 1);
        assert_eq!(bad(db, 1), ["5 day not_a_date", "5 day not_a_date", "5 units too_large"]);
    }
}

on_both! {
    fn what_an_empty_cell_becomes_counts_for_a_required_column(db: Databases) {
        let columns = vec![column("Code", Text).key(), column("Size", Integer).required()];
        let block = create(db, application(db, "A"), draft("Sizes", BlockKind::DimensionList, columns)).unwrap();
        let mut plan = plan(db, &block, Mode::Append);
        let size = |default: Option<&str>| changed("Size", "Size", Transform { default: default.map(Into::into), ..none() });
        plan.mapping = Some(vec![Mapping::column("Code", "Code"), size(Some("7"))]);
        plan.read.values.nulls.push("NA".into());
        load(db, &plan, &text("Code,Size\na,\nb,NA\nc,1\n"), 1).unwrap();
        assert_eq!(shown(db, &block), ["a,7", "b,7", "c,1"]);
        // Without one it is missing, whatever else is done.
        plan.mapping = Some(vec![
            Mapping::column("Code", "Code"),
            changed("Size", "Size", Transform { negate: true, ..none() }),
        ]);
        assert_eq!(load(db, &plan, &text("Code,Size\nd,\ne,1\n"), 2).unwrap().counts.rejected, 1);
        assert_eq!(bad(db, 2), ["2 Size missing"]);
    }
}

on_both! {
    fn a_time_of_the_load_changes_no_row_by_itself(db: Databases) {
        let columns = vec![column("Code", Text).key(), column("Name", Text), column("Seen", Timestamp)];
        let block = create(db, application(db, "A"), draft("Seen", BlockKind::DimensionList, columns)).unwrap();
        let mut plan = plan(db, &block, Mode::Update);
        plan.mapping = Some(vec![
            Mapping::column("Code", "Code"),
            Mapping::column("Name", "Name"),
            Mapping::new(Expr::LoadedAt(true), "Seen"),
        ]);
        load(db, &plan, &text("Code,Name\na,A\nb,B\n"), 1).unwrap();
        let counts = load(db, &plan, &text("Code,Name\na,A\nb,Bean\n"), 2).unwrap().counts;
        assert_eq!((counts.changed, counts.unchanged), (1, 1));
        plan.mapping = Some(vec![Mapping::column("Code", "Code"), Mapping::new(Expr::LoadedAt(true), "Seen")]);
        assert_eq!(load(db, &plan, &text("Code\na\nc\n"), 3).unwrap().counts.added, 1);
    }
}

/// A list, and lines that name its items in two columns.
fn lines(db: &Databases, key: ColumnDraft) -> (Block, Block) {
    let here = application(db, "A");
    let list = create(db, here, draft("Centres", BlockKind::DimensionList, vec![key, column("Name", Text)])).unwrap();
    let named = |name: &str| ColumnDraft::new(name, Dimension).of_dimension(list.id);
    let columns = vec![named("From"), named("To"), column("Amount", Integer)];
    let lines = create(db, here, draft("Lines", BlockKind::TransactionList, columns)).unwrap();
    (list, lines)
}

fn creating(db: &Databases, block: &Block, list: &Block, mode: Mode) -> Plan {
    let mut plan = plan(db, block, mode);
    plan.creates = vec![list.clone()];
    plan
}

on_both! {
    fn items_that_a_list_lacks_are_created_with_the_rows_that_name_them(db: Databases) {
        let (list, lines) = lines(db, column("Code", Text).key());
        load(db, &plan(db, &list, Mode::Append), &text("Code,Name\na,Apple\n"), 1).unwrap();
        let mut plan = creating(db, &lines, &list, Mode::Append);
        let source = "From,To,Amount\na,b,1\nb,c,2\n c,a,3\n,d,4\ne,e,x\n";
        let report = load(db, &plan, &text(source), 2).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (3, 2));
        assert_eq!(report.told.created, [("Centres".to_owned(), 3)]);
        assert_eq!(report.told.remark().unwrap(), "3 items were created in Centres.");
        // Only what a loaded row names; the spaces around one are told.
        assert_eq!(shown(db, &list), ["a,Apple", "b,", "c,", "d,"]);
        assert_eq!(bad(db, 2), ["4 From unknown_item", "6 Amount not_an_integer"]);
        let row = in_ledger(db, 2, &list).unwrap();
        assert_eq!((row.added, row.removed, row.source_name.as_deref()), (3, 0, Some("rows.csv")));
        // A new item is of the run that named it, and of the line.
        let rows = db.blocks.read(|conn| blocks::rows(conn, &list, 0, 10)).unwrap();
        assert_eq!((rows[1].run, rows[1].line), (2, 2));
        // Nothing is made twice, and nothing where nothing is loaded.
        let again = load(db, &plan, &text("From,To,Amount\nb,a,1\n"), 3).unwrap();
        assert_eq!((again.told.created.len(), in_ledger(db, 3, &list)), (0, None));
        plan.rejects.load_good = Some(false);
        load(db, &plan, &text("From,To,Amount\nf,a,1\nf,a,x\n"), 4).unwrap_err();
        assert_eq!(count(db, &list), 4);
        assert_eq!(tables(db).len(), 2, "nothing is left behind: {:?}", tables(db));
    }
}

on_both! {
    fn items_of_many_rows_and_into_an_empty_list(db: Databases) {
        let (list, lines) = lines(db, column("Number", Integer).key());
        let mut source = String::from("From,To,Amount\n");
        for n in 0..30_000 {
            source.push_str(&format!("{},{},1\n", n % 1_000, 5_000 + n % 2_000));
        }
        source.push_str("007,1,1\n1.5,1,1\n");
        let plan = creating(db, &lines, &list, Mode::Append);
        let report = load(db, &plan, &text(&source), 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (30_000, 2));
        assert_eq!((count(db, &list), report.told.created[0].1), (3_000, 3_000));
        assert_eq!(shown(db, &list)[0], "0,");
        // The list takes further loads as ever.
        let more = load(db, &super::plan(db, &list, Mode::Update), &text("Number,Name\n0,Zero\n9999,New\n"), 2).unwrap();
        assert_eq!((more.counts.added, more.counts.changed), (1, 1));
    }
}

on_both! {
    fn items_of_a_load_that_is_held_are_created_when_it_is_approved(db: Databases) {
        let (list, lines) = lines(db, column("Code", Text).key());
        let many: String = (0..40).map(|n| format!("a,a,{n}\n")).collect();
        let plan = creating(db, &lines, &list, Mode::Replace);
        load(db, &plan, &text(&format!("From,To,Amount\n{many}")), 1).unwrap();
        let held = load(db, &plan, &text("From,To,Amount\nb,a,1\n"), 2).unwrap();
        assert_eq!(held.outcome, Outcome::Held(Stopped { rows: 1, usual: 40 }));
        assert_eq!(shown(db, &list), ["a,"]);
        let (key, clock) = (run_key(2), SetClock::at(NOW));
        let context = LoadContext {
            blocks: &db.blocks,
            run: &key,
            fence: 3,
            clock: &clock,
            cancelled: &AtomicBool::new(false),
            deadline: None,
            progress: &|_| {},
        };
        let approved = tidegate::imports::pipeline::approve(&plan, &context).unwrap();
        assert_eq!((approved.counts.added, approved.counts.removed), (1, 40));
        assert_eq!(approved.told.created, [("Centres".to_owned(), 1)]);
        assert_eq!((shown(db, &list), shown(db, &lines)), (vec!["a,".into(), "b,".into()], vec!["b,a,1".to_owned()]));
    }
}

on_both! {
    fn a_list_that_asks_for_more_than_a_name_since_is_said(db: Databases) {
        let (list, lines) = lines(db, column("Code", Text).key());
        let mut strict = list.clone();
        strict.columns[1].required = true;
        let mut plan = creating(db, &lines, &strict, Mode::Append);
        // Where no row names it, it may ask for what it likes.
        plan.mapping = Some(vec![Mapping::column("Amount", "Amount")]);
        assert_eq!(load(db, &plan, &text("Amount\n1\n"), 1).unwrap().outcome, Outcome::Loaded);
        plan.mapping = None;
        let failure = load(db, &plan, &text("From,To,Amount\nnew,,1\n"), 2).unwrap_err();
        assert_eq!(failure.kind, FailureKind::Columns);
        assert!(failure.cause.contains("must have a value in \"Name\""), "{}", failure.cause);
        assert_eq!((count(db, &lines), count(db, &list)), (1, 0));
    }
}

on_both! {
    fn what_is_made_is_no_longer_than_a_cell_may_be(db: Databases) {
        let block = create(
            db,
            application(db, "A"),
            draft("Long", BlockKind::TransactionList, vec![column("Text", Text), column("Number", Number)]),
        )
        .unwrap();
        let mut plan = plan(db, &block, Mode::Append);
        let twice = vec![Part::Column("Text".into()), Part::Column("Text".into())];
        plan.mapping = Some(vec![
            Mapping::new(Expr::Join(twice), "Text"),
            changed("Number", "Number", Transform { trim: true, ..none() }),
        ]);
        let long = "x".repeat(40_000);
        let report = load(db, &plan, &text(&format!("Text,Number\n{long},1\nab, 1.5 \n")), 2).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 1));
        assert_eq!((shown(db, &block), bad(db, 2)), (vec!["abab,1.5".to_owned()], vec!["2 Text text_too_long".into()]));
    }
}

on_both! {
    fn what_nobody_sees_makes_no_item_and_numbers_have_their_whole_range(db: Databases) {
        let (list, lines) = lines(db, column("Code", Text).key());
        let plan = creating(db, &lines, &list, Mode::Append);
        let source = "From,To,Amount\n\u{a0}a,b,1\n\u{200b},b,2\n\"c\t\",b,3\nd e,b,4\n";
        let report = load(db, &plan, &text(source), 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 3));
        assert_eq!(shown(db, &list), ["b,", "d e,"]);
        load(db, &super::plan(db, &lines, Mode::Append), &text("From,To,Amount\nb,b\u{a0},1\n"), 2).unwrap_err();
        let why = db.blocks.read(|conn| rejects::causes(conn, 2)).unwrap();
        assert_eq!(why[0].reason, "\"b\u{a0}\" is not an item of \"Centres\": there are spaces around it.");
    }
}

on_both! {
    fn items_are_numbers_of_the_whole_range(db: Databases) {
        let (list, lines) = lines(db, column("Number", Integer).key());
        let plan = creating(db, &lines, &list, Mode::Append);
        let (least, most) = (i64::MIN.to_string(), i64::MAX.to_string());
        let source = format!("From,To,Amount\n{least},{most},1\n9223372036854775808,1,2\n-0,1,3\n 1,1,4\n1e3,1,5\n");
        let report = load(db, &plan, &text(&source), 1).unwrap();
        assert_eq!((report.counts.added, report.counts.rejected), (1, 4));
        let mut items = shown(db, &list);
        items.sort();
        assert_eq!(items, [format!("{least},"), format!("{most},")]);
    }
}

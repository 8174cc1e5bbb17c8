//! Definitions and loads: what changes while a load goes, what the two databases disagree on, what a view is used for.

use diesel::connection::SimpleConnection;
use tidegate::db::schema::block_db::{block_views, rejects as reject_rows};
use tidegate::error::AppError;
use tidegate::in_use::InUse;

use super::*;

fn edit(db: &Databases, block: &Block, change: impl FnOnce(&mut Vec<ColumnDraft>)) -> Result<Block, AppError> {
    let mut draft = blocks::as_draft(block);
    change(&mut draft.columns);
    db.main.read(|conn| blocks::edit(conn, &db.blocks, block.id, None, draft, NOW))
}

/// What a load that was planned before an edit comes to.
fn late(db: &Databases, plan: &Plan) -> FailureKind {
    load(db, plan, &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap_err().kind
}

on_both! {
    /// The edit had read that the Block is empty, and the load became visible before it went on.
    fn rows_that_came_in_between_are_not_forgotten(db: Databases) {
        let block = log(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Append), &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap();
        assert!(!db.blocks.write(|conn| generations::forget_empty(conn, block.id)).unwrap());
        assert_eq!((shown(db, &block).len(), tables(db).len()), (1, 1));
    }

    fn a_name_that_changes_drops_no_table(db: Databases) {
        let block = log(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Append), &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap();
        db.blocks.write(|conn| {
            // As a Run again leaves it of which no row was left.
            conn.batch_execute(&format!("DELETE FROM b{}_g1; UPDATE block_state SET row_count = 0", block.id))?;
            Ok(())
        }).unwrap();
        edit(db, &block, |columns| columns[0].name = "Date".into()).unwrap();
        assert_eq!(tables(db).len(), 1);
        edit(db, &block, |columns| columns[0].column_type = Text).unwrap();
        assert_eq!(tables(db).len(), 0, "types change with the table");
    }

    fn whoever_was_overtaken_touches_nothing(db: Databases) {
        let block = log(db, application(db, "A"));
        let begin = |fence| {
            let mut conn = db.blocks.connect().unwrap();
            ledger::begin(&mut conn, &block, &run_key(1), fence, blocks::Making::Staged, NOW)
                .inspect(|staging| ledger::drop_earlier(&mut conn, staging))
        };
        let slept = begin(1).unwrap();
        begin(3).unwrap();
        assert_eq!(tables(db).len(), 1, "the next attempt drops what the first left");
        db.blocks.write(|conn| {
            diesel::insert_into(reject_rows::table)
                .values((
                    reject_rows::run_id.eq(1),
                    reject_rows::line.eq(2),
                    reject_rows::column_name.eq("Day"),
                    reject_rows::value.eq("x"),
                    reject_rows::code.eq("not_a_date"),
                    reject_rows::reason.eq("it is no date"),
                    reject_rows::advice.eq("mend it"),
                ))
                .execute(conn)?;
            Ok(())
        }).unwrap();
        assert!(matches!(begin(2), Err(ledger::LoadRefused::FenceLost)));
        let mut late = rejects::RejectBatch::default();
        late.keep(rejects::RejectedLine { line: 3, fields: vec!["y".into()] });
        let mut conn = db.blocks.connect().unwrap();
        assert!(matches!(rejects::write(&mut conn, &slept, &late), Err(ledger::LoadRefused::FenceLost)));
        assert_eq!(rejects::count(&mut conn, 1).unwrap(), 0);
        assert_eq!(tables(db), [format!("b{}_g2", block.id)]);
        assert_eq!(db.blocks.read(|conn| rejects::count_cells(conn, 1)).unwrap(), 1);
        begin(4).unwrap();
        assert_eq!(db.blocks.read(|conn| rejects::count_cells(conn, 1)).unwrap(), 0);
    }

    fn a_view_finds_a_free_name_whatever_others_are_called(db: Databases) {
        let application = application(db, "A");
        let first = log(db, application);
        for name in [format!("Log {}", first.id + 2), "Log!".into(), "Log?".into()] {
            let columns = vec![column("Day", Date)];
            create(db, application, draft(&name, BlockKind::TransactionList, columns)).unwrap();
        }
        let names = db.blocks.read(|conn| {
            Ok(block_views::table.order(block_views::block_id).select(block_views::view_name).load::<String>(conn)?)
        }).unwrap();
        let (third, fourth) = (first.id + 2, first.id + 3);
        assert_eq!(names, ["a__log", &format!("a__log_{third}"), &format!("a__log_{third}_2"), &format!("a__log_{fourth}")]);
    }

    /// SQLite keeps names that begin with `sqlite_` for itself; others may have made views of their own here.
    fn a_view_takes_no_name_that_is_not_ours(db: Databases) {
        let view = |id: i64| {
            let named = block_views::table.filter(block_views::block_id.eq(id)).select(block_views::view_name);
            db.blocks.read(|conn| Ok(named.first::<String>(conn)?)).unwrap()
        };
        let rows = text("Day,Amount\n2026-01-01,1\n");
        let runs = std::cell::Cell::new(0);
        let fill = |block: &Block| {
            runs.set(runs.get() + 1);
            load(db, &plan(db, block, Mode::Append), &rows, runs.get()).unwrap();
        };
        let theirs = |name: &str| {
            let sql = format!("CREATE VIEW {name} AS SELECT 7 AS mine");
            db.blocks.write(|conn| Ok(conn.batch_execute(&sql)?)).unwrap();
        };
        let is_theirs = |name: &str| db.blocks.read(|conn| Ok(conn.batch_execute(&format!("SELECT mine FROM {name}"))?));
        for (name, wanted) in [("SQLite", "app_sqlite__log"), ("SQLite plans", "app_sqlite_plans__log")] {
            let block = log(db, application(db, name));
            fill(&block);
            assert_eq!(view(block.id), wanted);
        }
        theirs("a__log");
        let application = application(db, "A");
        let block = log(db, application);
        assert_eq!(view(block.id), format!("a__log_{}", block.id));
        fill(&block);
        // A Block that holds rows takes another name than the one that somebody has.
        theirs("a__diary");
        crate::blocks::rename(db, block.id, "Diary");
        assert_eq!(view(block.id), format!("a__diary_{}", block.id));
        fill(&edit(db, &block, |_| ()).unwrap());
        // A name that was taken before the first load.
        let columns = vec![column("Day", Date), column("Amount", Integer)];
        let late = create(db, application, draft("Late", BlockKind::TransactionList, columns)).unwrap();
        assert_eq!(view(late.id), "a__late");
        theirs("a__late");
        fill(&late);
        assert_eq!((view(late.id), count(db, &late)), (format!("a__late_{}", late.id), 1));
        // A Block that was never loaded takes nobody's view away with it.
        let columns = vec![column("Day", Date)];
        let never = create(db, application, draft("Never", BlockKind::TransactionList, columns)).unwrap();
        theirs("a__never");
        db.main.write(|conn| blocks::archive(conn, &db.blocks, InUse(&[]), never.id, NOW)).unwrap();
        for name in ["a__log", "a__diary", "a__late", "a__never"] {
            is_theirs(name).unwrap();
        }
    }

    fn a_run_that_is_known_by_its_rejects_alone_keeps_its_number(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Code,Size\na,much\n"), 77).unwrap_err();
        assert_eq!(db.blocks.read(ledger::highest).unwrap().run_id, 77);
    }

    fn a_key_that_came_or_went_while_a_load_ran_refuses_it(db: Databases) {
        let application = application(db, "A");
        let block = log(db, application);
        let old = plan(db, &block, Mode::Append);
        let more = edit(db, &block, |columns| columns.push(column("Id", Integer).key())).unwrap();
        assert_eq!(late(db, &old), FailureKind::BlockChanged);
        let keyed = edit(db, &more, |columns| (columns[0].key, columns[2]) = (true, column("Id", Integer))).unwrap();
        let mut old = plan(db, &keyed, Mode::Append);
        edit(db, &keyed, |columns| columns[0].key = false).unwrap();
        assert_eq!(late(db, &old), FailureKind::BlockChanged);
        // A column that it fills is gone; what it does not fill may go.
        old = plan(db, &edit(db, &keyed, |_| ()).unwrap(), Mode::Append);
        edit(db, &keyed, |columns| drop(columns.remove(1))).unwrap();
        assert_eq!(late(db, &old), FailureKind::BlockChanged);
        assert_eq!(count(db, &block), 0);
    }

    fn a_column_that_came_to_name_another_list_refuses_the_load(db: Databases) {
        let application = application(db, "A");
        let one = items(db, application);
        let other = draft("Others", BlockKind::DimensionList, vec![column("Code", Text).key()]);
        let other = create(db, application, other).unwrap();
        for list in [&one, &other] {
            load(db, &plan(db, list, Mode::Replace), &text("Code\na\n"), 1 + list.id * 10).unwrap();
        }
        let sales = vec![column("Item", Dimension).of_dimension(one.id)];
        let sales = create(db, application, draft("Sales", BlockKind::TransactionList, sales)).unwrap();
        let old = plan(db, &sales, Mode::Append);
        edit(db, &sales, |columns| columns[0].dimension_block_id = Some(other.id)).unwrap();
        let failure = load(db, &old, &text("Item\na\n"), 1).unwrap_err();
        assert_eq!((failure.kind, count(db, &sales)), (FailureKind::BlockChanged, 0));
    }

    /// Killed between the two commits of an edit, or one of the databases is an older copy.
    fn two_definitions_come_into_step_again(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        let source = text("Code,Size\na,1\n");
        load(db, &plan, &source, 1).unwrap();
        let stored = |list: &str| {
            db.blocks.write(|conn| {
                diesel::update(block_views::table).set(block_views::column_list.eq(list)).execute(conn)?;
                Ok(())
            }).unwrap();
        };
        // As stored before lists were kept, and with another type.
        stored(r#"[{"position":1,"name":"Code","column_type":"integer","key":true}]"#);
        assert_eq!(load(db, &plan, &source, 2).unwrap_err().kind, FailureKind::BlockChanged);
        blocks::keep_in_step(&db.main, &db.blocks, std::slice::from_ref(&block)).unwrap();
        load(db, &plan, &source, 3).unwrap();
        db.blocks.write(|conn| Ok(diesel::delete(block_views::table).execute(conn)?)).unwrap();
        blocks::keep_all_in_step(&db.main, &db.blocks).unwrap();
        load(db, &plan, &source, 4).unwrap();
        assert_eq!(shown(db, &block), ["a,,1"]);
        // Killed between the two commits of an Application's new name.
        let renamed = "UPDATE applications SET name = 'B' WHERE name = 'A'";
        db.main.write(|conn| Ok(conn.batch_execute(renamed)?)).unwrap();
        blocks::keep_all_in_step(&db.main, &db.blocks).unwrap();
        let names = db.blocks.read(|conn| Ok(block_views::table.select(block_views::view_name).load::<String>(conn)?));
        assert_eq!(names.unwrap(), ["b__items"]);
    }

    fn what_somebody_built_upon_a_view_stays_or_is_named(db: Databases) {
        let block = log(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Append), &text("Day,Amount\n2026-01-01,1\n"), 1).unwrap();
        let sql = r#"CREATE VIEW report AS SELECT "Day", "Amount" FROM a__log"#;
        db.blocks.write(|conn| Ok(conn.batch_execute(sql)?)).unwrap();
        let names = ["Amount", "Day", "Note"];
        let wider = edit(db, &block, |columns| {
            columns.push(column("Note", Text));
            for (column, name) in columns.iter_mut().zip(names) {
                column.name = name.into();
            }
        }).unwrap();
        crate::blocks::rename(db, block.id, "Journal");
        assert_eq!(shown(db, &wider), ["2026-01-01,1,"]);
        let ask = |sql: &str| db.blocks.read(|conn| Ok(conn.batch_execute(sql)?));
        ask(r#"SELECT "Amount", "Day", "Note" FROM a__journal"#).unwrap();
        if db.name == "sqlite" {
            return; // it looks names up when they are asked for, so nothing depends on anything
        }
        ask("SELECT * FROM report").unwrap();
        let refused = edit(db, &wider, |columns| drop(columns.remove(0))).unwrap_err();
        assert!(matches!(&refused, AppError::Conflict(words) if words.contains("report")), "{refused:?}");
        ask("DROP VIEW report").unwrap();
        edit(db, &wider, |columns| drop(columns.remove(0))).unwrap();
    }
}

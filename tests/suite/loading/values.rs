//! Damage, types, names; loads that are long, cancelled, overtaken, side by side.

use super::*;

on_both! {
    fn damaged_rows_are_rejected_and_the_others_loaded(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut source =
            b"Code,Name,Size\na,Apple,1\nb,Bean\nc,Carrot,3,4\n\nd,\xff,x\ne,\0,5\n,Nobody,6\nf,Fig,7\n".to_vec();
        source.extend_from_slice(format!("{},Long,8\n", "k".repeat(3_000)).as_bytes());
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&source).unwrap();
        let source = SourceFile { file, name: "x.csv".into(), bytes: 0, sha256: String::new(), by_hand: false };
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
            "x,7,9007199254740994,true,2026-11-22,2026-11-22T21:00:00Z",
            "nothing,,,,,",
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
                    plan.read.values.nulls.push("NA".into());
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

        let from = |name: &str, to: &str| Mapping::column(name, to);
        let constant = |text: &str, to: &str| Mapping::constant(text, to);
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
            run: &run_key(1),
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
    fn how_much_of_a_file_was_read_is_told_in_its_own_bytes(db: Databases) {
        let block = weather(db, application(db, "A"), "Weather");
        let plain = data("weather.csv");
        let mut gzip = flate2::write::GzEncoder::new(tempfile::tempfile().unwrap(), flate2::Compression::fast());
        std::io::copy(&mut &plain.file, &mut gzip).unwrap();
        let file = gzip.finish().unwrap();
        let bytes = file.metadata().unwrap().len();
        assert!(bytes < plain.bytes / 2);
        let packed = SourceFile { file, name: "weather.csv.gz".into(), bytes, ..data("weather.csv") };
        for (id, source) in [(1, plain), (2, packed)] {
            let told = std::cell::RefCell::new(Vec::new());
            let (run_key, size) = (run_key(id), i64::try_from(source.bytes).unwrap());
            let context = LoadContext {
                blocks: &db.blocks,
                run: &run_key,
                fence: id,
                clock: &SetClock::at(NOW),
                cancelled: &AtomicBool::new(false),
                deadline: None,
                progress: &|now| told.borrow_mut().push(now),
            };
            let report = run(&plan(db, &block, Mode::Append), &source, &context).unwrap();
            let told = told.into_inner();
            let (reading, after): (Vec<Progress>, Vec<Progress>) = told.iter().partition(|now| now.phase == READING);
            assert!(reading.len() > 2 && reading.iter().all(|now| now.of == Some(size) && now.bytes <= size));
            assert!(reading.is_sorted_by_key(|now| now.bytes) && reading[0].bytes < size, "{reading:?}");
            assert_eq!(reading.last().unwrap().bytes, size);
            assert!(!after.is_empty() && after.iter().all(|now| now.of.is_none()), "checking stands at no share");
            let began: Vec<_> = report.steps.iter().map(|step| step.began).collect();
            assert!(began[0] < began[1] && began[1] < began[2], "{began:?}");
        }
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

        crate::blocks::rename(db, block.id, "Journal");
        let note = column("Note \"1\"", Text);
        let wider = crate::blocks::add_column(db, block.id, note);
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
    SourceFile { file, name: "many.csv".into(), bytes, sha256: String::new(), by_hand: false }
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
            run: &run_key(1),
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
            run: &run_key(1),
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

//! What is loaded and what is rejected; that it is all or nothing.

use super::*;

on_both! {
    fn weather_with_its_holes_declared_is_loaded_whole(db: Databases) {
        let block = weather(db, application(db, "Flights"), "Weather");
        let mut plan = plan(db, &block, Mode::Append);
        plan.read.values.nulls = vec![String::new(), "NA".into()];
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

/// Loads over and over while a download is written.
struct Meddler<'a>(&'a Databases, &'a Plan, i64);

impl Write for Meddler<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if self.2 < 5 {
            self.2 += 1;
            load(self.0, self.1, &text("Code\nx\n"), self.2).unwrap();
            generations::tend(&self.0.blocks, self.1.block.id);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

on_both! {
    /// Three later loads are kept; then the table that it reads is gone, and that must not look like its end.
    fn a_download_that_is_overtaken_too_often_fails(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = Plan { guard: Guard::OFF, ..plan(db, &block, Mode::Replace) };
        let rows: String = (0..20_000).map(|n| format!("{n}\n")).collect();
        load(db, &plan, &text(&format!("Code\n{rows}")), 1).unwrap();
        assert!(blocks::write_csv(&db.blocks, &block, &mut Meddler(db, &plan, 1)).is_err());
        assert_eq!(shown(db, &block), ["x,,"]);
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
        again.read.values.nulls.push("NA".into());
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
        assert!(failure.cause.contains("opened on line 3"), "{}", failure.cause);
        assert!(failure.cause.ends_with("The Block is unchanged."));
        assert_eq!(shown(db, &block), ["a,Apple,1", "b,Bean,2"]);
        assert_eq!(in_ledger(db, 2, &block), None);

        let report = load(db, &plan, &text("Code,Name,Size\nc,Carrot,3\n"), 3).unwrap();
        assert_eq!((report.counts.added, report.counts.removed), (1, 2));
        assert_eq!(shown(db, &block), ["c,Carrot,3"]);
        assert_eq!(tables(db).len(), 2, "the old generation is kept, what was abandoned is not: {:?}", tables(db));
    }
}

on_both! {
    fn the_last_three_generations_are_kept_beside_the_visible_one(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        for run in 1..=6 {
            load(db, &plan, &text(&format!("Code\nitem {run}\n")), run).unwrap();
            generations::tend(&db.blocks, block.id);
        }
        assert_eq!(shown(db, &block), ["item 6,,"]);
        let kept: Vec<String> = (3..=6).map(|g| format!("b{}_g{g}", block.id)).collect();
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
                let unguarded = Plan { guard: Guard::OFF, ..plan(db, &block, mode) };
                let report = load(db, &unguarded, &text(source), run).unwrap();
                assert_eq!(report.outcome, Outcome::NothingNew, "{mode} {source:?}");
                assert!(report.steps[0].detail.contains("nothing new"));
            }
        }
        assert_eq!(tables(db).len(), 1);
        // What would empty a Block is the volume guard's case.
        for (source, run) in [("Code,Size\n", 40), ("", 50), ("\n\n", 60)] {
            let report = load(db, &plan(db, &block, Mode::Replace), &text(source), run).unwrap();
            assert_eq!(report.outcome, Outcome::Held(Stopped { rows: 0, usual: 1 }), "{source:?}");
        }
        assert_eq!(shown(db, &block), ["a,,"]);
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
        let row = in_ledger(db, 1, &block).unwrap();
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
        assert!(rows[0].cells[0].reason.contains("The key \"a\" is already on line 2"), "{}", rows[0].cells[0].reason);
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
        load(db, &plan(db, &sales, Mode::Append), &text("Item,Other,Amount\na ,,1\nb,,2\n"), 4).unwrap();
        let rows = db.blocks.read(|conn| rejects::page(conn, 4, 0, 10)).unwrap();
        let reason = &rows[0].cells[0].reason;
        assert!(reason.contains("\"a \" is not an item of \"Items\": there are spaces around it."), "{reason}");
    }
}

on_both! {
    fn a_list_with_integer_keys_can_be_named_and_a_list_can_name_itself(db: Databases) {
        let application = application(db, "A");
        let people = draft("People", BlockKind::DimensionList, vec![column("No", Integer).key()]);
        let people = create(db, application, people).unwrap();
        let boss = column("Boss", Dimension).of_dimension(people.id);
        let people = crate::blocks::add_column(db, people.id, boss);
        let report = load(db, &plan(db, &people, Mode::Update), &text("No,Boss\n1,\n2,1\n3,9\n4,2\n"), 1).unwrap();
        assert_eq!(bad(db, 1), ["4 Boss unknown_item"]);
        assert_eq!(report.counts.added, 3);
        load(db, &plan(db, &people, Mode::Update), &text("No,Boss\n5,4\n"), 2).unwrap();
        assert_eq!(count(db, &people), 4);
    }
}

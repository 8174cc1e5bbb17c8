//! The ledger by itself: who may make a load visible, what is held, what clean-up drops.

use super::*;

on_both! {
    fn a_worker_that_was_overtaken_cannot_make_its_load_visible(db: Databases) {
        let block = items(db, application(db, "A"));
        let begin = |run, fence| {
            let mut conn = db.blocks.connect().unwrap();
            ledger::begin(&mut conn, &block, &run_key(run), fence, blocks::Making::Staged, NOW)
        };
        // Run 1 begins and sleeps; run 2 has a newer fence.
        let slept = begin(1, 1).unwrap();
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nnew\n"), 2, 2).unwrap();
        let late = ledger::commit(&mut db.blocks.connect().unwrap(), &[(&slept, &visible(&block))], NOW);
        assert!(matches!(late, Err(ledger::LoadRefused::FenceLost)), "{late:?}");
        assert!(matches!(begin(3, 1), Err(ledger::LoadRefused::FenceLost)));
        let failure = load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nold\n"), 4, 1).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry()), (FailureKind::FenceLost, false));
        assert_eq!(shown(db, &block), ["new,,"]);
        assert_eq!(in_ledger(db, 1, &block), None);
    }
}

on_both! {
    /// Whoever lost the answer to a commit may give up a load that is there.
    fn what_is_visible_is_never_dropped_by_giving_up(db: Databases) {
        let block = items(db, application(db, "A"));
        let mut conn = db.blocks.connect().unwrap();
        let staging = ledger::begin(&mut conn, &block, &run_key(1), 1, blocks::Making::Staged, NOW).unwrap();
        let mut loader = blocks::Loader::open(&db.blocks, &mut conn, &staging, 1, &[1]).unwrap();
        let mut batch = blocks::batch::Batch::new(1);
        batch.push(tidegate::formats::Value::Text("a"));
        batch.end_row(2);
        loader.push(&mut conn, &batch).unwrap();
        loader.finish(&mut conn).unwrap();
        blocks::seal(&mut conn, &staging, 1, blocks::Merge::Replace).unwrap();
        ledger::commit(&mut conn, &[(&staging, &visible(&block))], NOW).unwrap();
        ledger::abandon(&mut conn, &staging).unwrap();
        assert_eq!(shown(db, &block), ["a,,"]);
    }
}

on_both! {
    fn what_a_dead_worker_left_is_unseen_and_then_dropped(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Replace), &text("Code\na\n"), 1).unwrap();
        let mut conn = db.blocks.connect().unwrap();
        for (run, fence) in [(2, 2), (3, 3)] {
            let staging = ledger::begin(&mut conn, &block, &run_key(run), fence, blocks::Making::Staged, NOW).unwrap();
            let mut loader = blocks::Loader::open(&db.blocks, &mut conn, &staging, 1, &[1]).unwrap();
            let mut batch = blocks::batch::Batch::new(1);
            batch.push(tidegate::formats::Value::Text("half"));
            batch.end_row(2);
            loader.push(&mut conn, &batch).unwrap();
        }
        assert_eq!(shown(db, &block), ["a,,"]);
        assert_eq!(in_ledger(db, 2, &block), None);
        assert_eq!(tables(db).len(), 3);
        let cleanup = |active: &[i64]| {
            let staged = db.blocks.read(generations::staged).unwrap();
            let active: Vec<String> = active.iter().map(|id| run_key(*id).uid).collect();
            generations::cleanup(&db.blocks, &staged, &active)
        };
        assert_eq!(cleanup(&[3]), 1);
        assert_eq!(tables(db).len(), 2, "the staging of a run that goes on stays");
        let before = db.blocks.read(generations::staged).unwrap();
        // After its next attempt what the first left is dropped.
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nb\n"), 3, 4).unwrap();
        assert_eq!(shown(db, &block), ["b,,"]);
        assert_eq!(cleanup(&[]), 1);
        assert_eq!(tables(db).len(), 2);
        assert_eq!(cleanup(&[]), 0);
        load_as(db, &plan(db, &block, Mode::Replace), &text("Code\nc\n"), 5, 5).unwrap();
        let shown_now: Vec<_> = before.into_iter().map(|staged| generations::Staged { generation: 4, ..staged }).collect();
        assert_eq!(generations::cleanup(&db.blocks, &shown_now, &[]), 0, "one that became visible meanwhile stays");
        assert_eq!(shown(db, &block), ["c,,"]);
    }
}

on_both! {
    fn one_run_writes_several_blocks_in_one_commit(db: Databases) {
        let application = application(db, "A");
        let (one, two) = (items(db, application), log(db, application));
        let mut conn = db.blocks.connect().unwrap();
        let staged = |conn: &mut tidegate::db::Conn, block: &Block, fence, word: &str| {
            let staging = ledger::begin(conn, block, &run_key(1), fence, blocks::Making::Staged, NOW).unwrap();
            let mut loader = blocks::Loader::open(&db.blocks, conn, &staging, 1, &[1]).unwrap();
            let mut batch = blocks::batch::Batch::new(1);
            match word {
                "" => batch.push(tidegate::formats::Value::Date(20_000)),
                word => batch.push(tidegate::formats::Value::Text(word)),
            }
            batch.end_row(2);
            loader.push(conn, &batch).unwrap();
            loader.finish(conn).unwrap();
            blocks::seal(conn, &staging, 1, blocks::Merge::Replace).unwrap();
            staging
        };
        let first = staged(&mut conn, &two, 1, "");
        let second = staged(&mut conn, &one, 1, "a");
        // A newer lease of one of them refuses all of it.
        ledger::shut_out(&mut conn, one.id, 2).unwrap();
        let parts = [(&first, &visible(&two)), (&second, &visible(&one))];
        let refused = ledger::commit(&mut conn, &parts, NOW);
        assert!(matches!(refused, Err(ledger::LoadRefused::FenceLost)), "{refused:?}");
        assert_eq!((count(db, &one), count(db, &two)), (0, 0));
        assert_eq!((in_ledger(db, 1, &one), in_ledger(db, 1, &two)), (None, None));

        let second = Staging { fence: 2, ..second };
        let rows = ledger::commit(&mut conn, &[(&first, &visible(&two)), (&second, &visible(&one))], NOW).unwrap();
        assert_eq!(rows.iter().map(|row| (row.block_id, row.added)).collect::<Vec<_>>(), [(two.id, 1), (one.id, 1)]);
        assert_eq!((count(db, &one), count(db, &two)), (1, 1));
    }
}

on_both! {
    fn a_held_load_waits_unseen_until_it_is_released_or_dropped(db: Databases) {
        let block = items(db, application(db, "A"));
        load(db, &plan(db, &block, Mode::Replace), &text("Code\nold\n"), 1).unwrap();
        let mut conn = db.blocks.connect().unwrap();
        let hold = |conn: &mut tidegate::db::Conn, run, word: &str| {
            let staging = ledger::begin(conn, &block, &run_key(run), run, blocks::Making::Staged, NOW).unwrap();
            let mut loader = blocks::Loader::open(&db.blocks, conn, &staging, 1, &[1]).unwrap();
            let mut batch = blocks::batch::Batch::new(1);
            batch.push(tidegate::formats::Value::Text(word));
            batch.end_row(2);
            loader.push(conn, &batch).unwrap();
            loader.finish(conn).unwrap();
            blocks::seal(conn, &staging, 1, blocks::Merge::Replace).unwrap();
            ledger::hold(conn, &[(&staging, &visible(&block))], NOW).unwrap();
        };
        hold(&mut conn, 2, "other");
        ledger::drop_held(&mut conn, &run_key(2).uid).unwrap();
        assert_eq!(in_ledger(db, 2, &block).unwrap().state, ledger::LoadState::Dropped);
        assert_eq!(tables(db).len(), 1);

        hold(&mut conn, 3, "older");
        hold(&mut conn, 4, "new");
        assert_eq!(shown(db, &block), ["old,,"]);
        let state = |run| in_ledger(db, run, &block).unwrap().state;
        assert_eq!((state(3), state(4)), (ledger::LoadState::Dropped, ledger::LoadState::Held), "the newer takes the place");
        // Nobody works on either any more, and clean-up leaves alone what is held.
        let staged = db.blocks.read(generations::staged).unwrap();
        assert_eq!((staged.len(), generations::cleanup(&db.blocks, &staged, &[])), (1, 1));
        assert_eq!(tables(db).len(), 2);
        assert!(ledger::held(&mut conn, &run_key(3), 9).unwrap().is_empty());

        let held = ledger::held(&mut conn, &run_key(4), 9).unwrap();
        let rows = ledger::commit(&mut conn, &[(&held[0], &visible(&block))], NOW).unwrap();
        assert_eq!((rows[0].state, rows[0].added, rows[0].removed), (ledger::LoadState::Visible, 1, 1));
        assert_eq!(shown(db, &block), ["new,,"]);
        assert_eq!(in_ledger(db, 4, &block).as_ref(), Some(&rows[0]));
    }
}

on_both! {
    fn an_id_that_is_handed_out_again_is_another_run(db: Databases) {
        let block = items(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &text("Code\nfirst\n"), 7).unwrap();
        // The Workspace's database is older than the Block database: it gives the number 7 once more.
        let again = RunKey { uid: "another".into(), id: 7 };
        let context = LoadContext {
            blocks: &db.blocks,
            run: &again,
            fence: 8,
            clock: &SetClock::at(NOW),
            cancelled: &AtomicBool::new(false),
            deadline: None,
            progress: &|_| {},
        };
        let report = run(&plan, &text("Code\nsecond\nthird\n"), &context).unwrap();
        assert_eq!((report.counts.added, report.counts.removed), (2, 1));
        assert_eq!(shown(db, &block), ["second,,", "third,,"]);
    }
}

/// A Replace of one column by one row.
fn visible(block: &Block) -> blocks::Visible<'_> {
    blocks::Visible {
        stamps: &[],
        scope: &[],
        blanks_keep: false,
        block,
        merge: blocks::Merge::Replace,
        filled: &[1],
        replaces_runs: &[],
        staged: 1,
        read: 1,
        rejected: 0,
        bytes: 0,
        source_name: "",
        source_sha256: "",
        told: None,
    }
}

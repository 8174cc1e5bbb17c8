//! A statement that takes long, or waits for another's, ends with its run.

use std::sync::Mutex;
use std::sync::atomic::Ordering;

use diesel::connection::SimpleConnection;
use tidegate::imports::pipeline::{Source, run_if_unchanged};

use super::*;
use crate::support::{Database, with_databases};

fn days(rows: usize) -> SourceFile {
    text(&format!("Day,Amount\n{}", "2026-01-01,1\n".repeat(rows)))
}

/// How a load of 30,000 rows ends that is cancelled in this phase, right after `meanwhile` was done.
fn cancelled_while(db: &Databases, plan: &Plan, phase: &str, meanwhile: impl Fn()) -> LoadError {
    let cancelled = AtomicBool::new(false);
    let progress = |progress: Progress| {
        if progress.phase == phase && !cancelled.swap(true, Ordering::Relaxed) {
            meanwhile();
        }
    };
    load_until(db, plan, &days(30_000), (2, 2), (&cancelled, None), &progress).unwrap_err()
}

#[test]
fn a_statement_that_takes_long_is_ended_by_a_cancel() {
    with_databases(Database::Sqlite, |db| {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        load(db, &plan, &days(1), 1).unwrap();
        let failure = cancelled_while(db, &plan, "Making the load visible", || ());
        assert_eq!((failure.kind, count(db, &block)), (FailureKind::Cancelled, 1), "{failure:?}");
        assert_eq!(tables(db).len(), 1, "what it staged is gone");
    });
}

on_both! {
    fn a_statement_that_waits_for_another_s_is_ended_by_a_cancel(db: Databases) {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        load(db, &plan, &days(1), 1).unwrap();
        let other = Mutex::new(db.blocks.connect().unwrap());
        // It holds what it has until the end: nobody waits for it in vain.
        let began = Instant::now();
        let failure = cancelled_while(db, &plan, "Making the load visible", || {
            match &mut *other.lock().unwrap() {
                Conn::Sqlite(conn) => conn.batch_execute("BEGIN IMMEDIATE").unwrap(),
                Conn::Pg(conn) => conn.batch_execute("BEGIN; LOCK TABLE block_state IN EXCLUSIVE MODE").unwrap(),
            }
        });
        assert_eq!((failure.kind, count(db, &block)), (FailureKind::Cancelled, 1), "{failure:?}");
        assert!(began.elapsed() < Duration::from_secs(12), "{:?}", began.elapsed());
    }
}

on_both! {
    /// Short loads and long ones.
    fn a_cancel_in_the_last_moment_is_heard(db: Databases) {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        for (rows, run_id) in [(1, 1), (30_000, 2)] {
            let (key, source, cancelled) = (run_key(run_id), days(rows), AtomicBool::new(false));
            let context = LoadContext {
                blocks: &db.blocks,
                run: &key,
                fence: run_id,
                clock: &SetClock::at(NOW),
                cancelled: &cancelled,
                deadline: None,
                progress: &|_| {},
            };
            // What is asked last before the commit hears of it.
            let listen = || {
                cancelled.store(true, Ordering::Relaxed);
                Ok(())
            };
            let failure = run_if_unchanged(&plan, Source::File(&source), &context, &listen).unwrap_err();
            assert_eq!((failure.kind, count(db, &block)), (FailureKind::Cancelled, 0), "{failure:?}");
        }
    }
}

#[test]
fn a_load_lines_up_behind_another_s_last_step() {
    with_databases(Database::Sqlite, |db| {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Append);
        for (rows, run_id) in [(1, 1), (30_000, 2)] {
            let mut other = db.blocks.connect().unwrap();
            on_sqlite(&mut other, "BEGIN IMMEDIATE");
            let limits = (&AtomicBool::new(false), Some(Instant::now() + Duration::from_millis(500)));
            let failure = load_until(db, &plan, &days(rows), (run_id, run_id), limits, &|_| {}).unwrap_err();
            assert_eq!((failure.kind, failure.may_retry()), (FailureKind::DeadlinePassed, true), "{failure:?}");
            on_sqlite(&mut other, "ROLLBACK");
        }
        assert_eq!(load(db, &plan, &days(1), 3).unwrap().counts.added, 1);
    });
}

fn on_sqlite(conn: &mut Conn, sql: &str) {
    let Conn::Sqlite(conn) = conn else { panic!("this is SQLite's") };
    conn.batch_execute(sql).unwrap();
}

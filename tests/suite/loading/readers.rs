//! On PostgreSQL somebody reads a Block by its view while a load wants to put another table under it.

use std::sync::mpsc::channel;

use diesel::connection::SimpleConnection;

use super::*;
use crate::support::{Database, with_databases};

const LOOK: &str = "SELECT count(*) FROM a__log";

fn days(rows: usize) -> SourceFile {
    text(&format!("Day,Amount\n{}", "2026-01-01,1\n".repeat(rows)))
}

#[test]
fn a_reader_that_stays_holds_up_the_flip_and_nobody_else() {
    with_databases(Database::Postgres, |db| {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &days(1), 1).unwrap();
        let mut report = db.blocks.connect().unwrap();
        report.batch_execute(&format!("BEGIN; {LOOK}")).unwrap();
        let (phases, told) = channel();
        std::thread::scope(|scope| {
            let loading = scope.spawn(|| {
                load_until(db, &plan, &days(150_000), (2, 2), (&AtomicBool::new(false), None), &|progress| {
                    let _ = phases.send(progress.phase);
                })
            });
            let mut said = std::iter::from_fn(|| told.recv_timeout(Duration::from_secs(60)).ok());
            assert!(said.any(|phase| phase == "Waiting for readers of the Block"));
            let began = Instant::now();
            db.blocks.read(|conn| Ok(conn.batch_execute(LOOK)?)).unwrap();
            assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
            assert_eq!(count(db, &block), 1);
            report.batch_execute("COMMIT").unwrap();
            loading.join().unwrap().unwrap();
        });
        assert_eq!(count(db, &block), 150_000);
    });
}

/// What goes in and becomes visible in one transaction is tried again as a whole, and says who was in the way.
#[test]
fn a_small_load_says_who_reads() {
    with_databases(Database::Postgres, |db| {
        let block = log(db, application(db, "A"));
        let plan = plan(db, &block, Mode::Replace);
        load(db, &plan, &days(1), 1).unwrap();
        let mut report = db.blocks.connect().unwrap();
        report.batch_execute(&format!("BEGIN; {LOOK}")).unwrap();
        let failure = load(db, &plan, &days(2), 2).unwrap_err();
        assert_eq!((failure.kind, failure.may_retry(), count(db, &block)), (FailureKind::HeldUp, true, 1));
        assert!(
            failure.cause.contains("(process ") && failure.cause.contains("is reading the Block"),
            "{}",
            failure.cause
        );
        report.batch_execute("COMMIT").unwrap();
        load(db, &plan, &days(2), 3).unwrap();
        assert_eq!(count(db, &block), 2);
    });
}

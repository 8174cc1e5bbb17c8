//! What is kept count of is what there is: the totals of the calendar, beside the runs themselves.

use std::collections::BTreeMap;

use tidegate::db::schema::run_counts;
use tidegate::runs::counting;
use tidegate::runs::timeline::{self, Filter, Only, Stretch};

use diesel::prelude::*;

use crate::running::{start, work_off};
use crate::support::seed::{Seed, batch, seed};
use crate::support::{Database, World};

type Counted = BTreeMap<(i64, String), i64>;

/// What counts, as the migration makes it.
fn migration(world: &World, which: &str) -> String {
    let database = if world.database() == Database::Sqlite { "sqlite" } else { "postgres" };
    let path = format!("{}/migrations/{database}/main/0006_run_counts/{which}.sql", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

async fn run_sql(world: &World, sql: String) {
    world.write(move |conn| batch(conn, &sql)).await;
}

/// The days of some weeks, as India has them.
fn days(world: &World) -> Vec<Stretch> {
    let now = world.now().micros();
    let day = 86_400_000_000;
    let first = (now / day - 40) * day + 18 * 3_600_000_000 + 1_800_000_000;
    let at = tidegate::clock::Moment::from_micros;
    (0..42).map(|n| (at(first + n * day), at(first + (n + 1) * day))).collect()
}

async fn agree(world: &World, when: &str) {
    let stretches = days(world);
    for only in [Only::All, Only::Scheduled, Only::Failed] {
        let filter = Filter { application_id: world.application, target: None, only };
        let stretches = stretches.clone();
        let (kept, there): (Counted, Counted) = world
            .read(move |conn| {
                let (mut kept, mut there) = (Counted::new(), Counted::new());
                for total in timeline::totals(conn, &filter, &stretches)? {
                    *kept.entry((total.stretch, total.status.to_string())).or_default() += total.count;
                }
                for count in timeline::counts(conn, &filter, &stretches)? {
                    *there.entry((count.stretch, count.status.to_string())).or_default() += count.count;
                }
                Ok((kept, there))
            })
            .await;
        assert!(there.len() > 40, "{when}, {only:?}: {there:?}");
        assert_eq!(kept, there, "{when}, {only:?}");
    }
}

async fn batch_all(world: &World, changes: &[&str]) {
    for change in changes {
        run_sql(world, (*change).to_owned()).await;
    }
}

async fn rows(world: &World) -> i64 {
    world.read(|conn| Ok(run_counts::table.count().get_result(conn)?)).await
}

on_both! {
    async fn the_totals_are_those_of_the_runs_whatever_becomes_of_them(world: World) {
        let first = seed(&world, Seed { configurations: 3, schedules: 4, days: 60, ..Seed::runs(3_000) }).await;
        agree(&world, "seeded").await;
        start(&world, &first).await;
        agree(&world, "one waits").await;
        work_off(&world).await;
        agree(&world, "it has ended").await;
        for change in [
            "UPDATE runs SET status = 'success' WHERE status = 'failed' AND id % 3 = 0",
            "UPDATE runs SET status = 'queued', finished_at = NULL WHERE status = 'cancelled' AND id % 2 = 0",
            "UPDATE runs SET planned_until = planned_at WHERE status = 'skipped' AND planned_at IS NOT NULL",
            "DELETE FROM run_results WHERE run_id % 5 = 2",
            "DELETE FROM runs WHERE id % 5 = 2 AND id NOT IN (SELECT status_run_id FROM import_configurations \
             WHERE status_run_id IS NOT NULL)",
        ] {
            world.write(move |conn| batch(conn, change)).await;
            agree(&world, change).await;
        }
        let before = rows(&world).await;
        world.step(counting::step).await;
        agree(&world, "merged").await;
        let merged = rows(&world).await;
        assert!(merged < before, "{merged} of {before}");
        world.step(counting::step).await;
        assert_eq!(rows(&world).await, merged, "nothing is left to merge");
    }

    /// A database that has runs is migrated, and one of them ends meanwhile by a process that serves still.
    async fn what_ends_while_it_is_migrated_is_counted(world: World) {
        seed(&world, Seed { configurations: 3, schedules: 4, days: 60, ..Seed::runs(500) }).await;
        run_sql(&world, migration(&world, "down")).await;
        let (began, has_begun) = std::sync::mpsc::channel();
        let (app, up) = (world.app().clone(), migration(&world, "up"));
        let migrating = std::thread::spawn(move || {
            has_begun.recv().unwrap();
            app.db.write(|conn| batch(conn, &up)).unwrap();
        });
        world.write(move |conn| {
            batch(conn, "UPDATE runs SET status = 'partial' WHERE status = 'success' AND id % 2 = 0")?;
            began.send(()).unwrap();
            // As long as the other takes to come to where it must wait.
            std::thread::sleep(std::time::Duration::from_millis(500));
            Ok(())
        }).await;
        migrating.join().unwrap();
        agree(&world, "migrated").await;
        batch_all(&world, &["UPDATE runs SET status = 'failed' WHERE id % 3 = 0", "DELETE FROM run_results",
            "UPDATE runs SET queued_at = queued_at + 1800000000, planned_at = planned_at + 1800000000",
            "UPDATE runs SET trigger_kind = 'member' WHERE id % 4 = 0"]).await;
        agree(&world, "and it goes on to count").await;
    }

    async fn two_merge_at_once(world: World) {
        seed(&world, Seed { configurations: 3, schedules: 4, days: 60, ..Seed::runs(3_000) }).await;
        for change in ["status = 'partial' WHERE status = 'success'", "status = 'success' WHERE status = 'partial' AND id % 2 = 0"] {
            run_sql(&world, format!("UPDATE runs SET {change}")).await;
            tokio::join!(world.step(counting::step), world.step(counting::step));
            agree(&world, change).await;
        }
    }

    /// A run is in one place at each moment, also while it ends.
    async fn a_run_that_ends_meanwhile_is_counted_once(world: World) {
        seed(&world, Seed { configurations: 3, schedules: 4, days: 60, ..Seed::runs(300) }).await;
        let (filter, stretches) = (Filter { application_id: world.application, target: None, only: Only::All }, days(&world));
        let app = world.app().clone();
        let (done, is_done) = std::sync::mpsc::channel::<()>();
        let turning = std::thread::spawn(move || {
            for turn in 0.. {
                if is_done.try_recv().is_ok() {
                    return;
                }
                let (status, finished) = if turn % 2 == 0 { ("queued", "NULL") } else { ("success", "queued_at") };
                let sql = format!("UPDATE runs SET status = '{status}', finished_at = {finished} WHERE id % 2 = 0 AND planned_until IS NULL");
                app.db.write(|conn| batch(conn, &sql)).unwrap();
            }
        });
        let sums = world.read(move |conn| {
            let sum = |conn: &mut tidegate::db::Conn| {
                Ok(timeline::totals(conn, &filter, &stretches)?.iter().map(|total| total.count).sum::<i64>())
            };
            (0..60).map(|_| sum(conn)).collect::<tidegate::error::Result<Vec<_>>>()
        }).await;
        done.send(()).unwrap();
        turning.join().unwrap();
        assert!(sums.iter().all(|sum| *sum == sums[0]), "{sums:?}");
    }
}

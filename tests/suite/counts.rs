//! What is kept count of is what there is: the totals of the calendar, beside the runs themselves.

use std::collections::BTreeMap;

use tidegate::db::schema::run_counts;
use tidegate::runs::counting;
use tidegate::runs::timeline::{self, Filter, Only, Stretch};

use diesel::prelude::*;

use crate::running::{start, work_off};
use crate::support::World;
use crate::support::seed::{Seed, batch, seed};

type Counted = BTreeMap<(i64, String), i64>;

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
        let filter = Filter { application_id: world.application, configuration_id: None, only };
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
}

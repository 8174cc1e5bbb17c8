//! Old runs go in batches, with all that is kept of them; what runs, what is young, the newest and what somebody needs
//! stay.

use chrono::Duration;
use diesel::dsl::count_star;
use diesel::prelude::*;
use tidegate::applications::blocks::{ledger, rejects};
use tidegate::db::schema::{import_configurations, outcomes, run_log, run_results, run_steps, runs};
use tidegate::runs::retention::{self, DAYS, NEWEST};
use tidegate::runs::{RunStatus, Trigger};

use crate::running::{start, work_off};
use crate::support::seed::{Seed, batch, seed};
use crate::support::stage::csv;
use crate::support::{World, settings};

/// How many runs there are of each status.
async fn counts(world: &World) -> Vec<(RunStatus, i64)> {
    world
        .read(|conn| {
            Ok(runs::table.group_by(runs::status).select((runs::status, count_star())).order(runs::status).load::<(
                RunStatus,
                i64,
            )>(
                conn
            )?)
        })
        .await
}

async fn sql(world: &World, text: String) {
    world.write(move |conn| batch(conn, &text)).await;
}

fn of(counts: &[(RunStatus, i64)], status: RunStatus) -> i64 {
    counts.iter().find(|(of, _)| *of == status).map_or(0, |(_, count)| *count)
}

on_both! {
    async fn what_expired_goes_in_batches_and_the_rest_stays(world: World) {
        // Five configurations; of their runs all but the last year and a bit are too old.
        let many = if settings::full() { 100_000 } else { 6_000 };
        let of_seed = Seed { configurations: 5, schedules: 4, runs: many, days: 1_000, applications: 1, whole: true };
        let first = seed(&world, of_seed).await;
        start(&world, &first).await;
        // One of the oldest was run again, and its repeat is young; another is what a configuration's status is of.
        sql(&world, "UPDATE runs SET again_of = (SELECT min(id) FROM runs WHERE status = 'success') \
            WHERE id = (SELECT max(id) FROM runs WHERE status = 'success')".into()).await;
        let repeated = world.read(|conn| Ok(runs::table.filter(runs::again_of.is_not_null()).select(runs::again_of).first::<Option<i64>>(conn)?.unwrap())).await;
        let marked = world.read(move |conn| {
            Ok(runs::table.filter(runs::status.eq(RunStatus::Success)).filter(runs::id.gt(repeated)).order(runs::id).select((runs::id, runs::configuration_id)).first::<(i64, Option<i64>)>(conn)?)
        }).await;
        world.write(move |conn| {
            diesel::update(import_configurations::table.filter(import_configurations::id.nullable().eq(marked.1)))
                .set(import_configurations::status_run_id.eq(marked.0)).execute(conn)?;
            Ok(())
        }).await;
        let before = counts(&world).await;
        let removed = world.step(retention::step).await;
        let after = counts(&world).await;
        assert!(removed.runs > (many as usize) / 3, "{removed:?}");
        assert!(removed.batches > 1, "{removed:?}");
        let sum = |counts: &[(RunStatus, i64)]| counts.iter().map(|(_, count)| count).sum::<i64>();
        assert_eq!(sum(&before) - sum(&after), removed.runs as i64);
        for stays in [RunStatus::Held, RunStatus::Queued] {
            assert_eq!(of(&before, stays), of(&after, stays), "{stays}");
            assert!(of(&after, stays) > 0, "{stays}");
        }

        let now = world.now();
        let (young, failed_young) = (now.minus(Duration::days(DAYS)), now.minus(Duration::days(2 * DAYS)));
        world.read(move |conn| {
            for id in [repeated, marked.0] {
                assert_eq!(runs::table.find(id).count().get_result::<i64>(conn)?, 1, "another row needs it");
            }
            let ids: Vec<i64> = import_configurations::table.select(import_configurations::id).load(conn)?;
            for id in ids {
                let all: Vec<(i64, RunStatus, Option<tidegate::clock::Moment>)> = runs::table
                    .filter(runs::configuration_id.eq(id).and(runs::finished_at.is_not_null()))
                    .order((runs::finished_at.desc(), runs::id.desc()))
                    .select((runs::id, runs::status, runs::finished_at))
                    .load(conn)?;
                let too_old = all.iter().enumerate().filter(|(n, (id, status, at))| {
                    let failed = matches!(status, RunStatus::Failed | RunStatus::Partial);
                    let (newest, age) = if failed { (2 * NEWEST, failed_young) } else { (NEWEST, young) };
                    *n as i64 >= newest && *at < Some(age) && *status != RunStatus::Held && ![repeated, marked.0].contains(id)
                });
                // What a removal made older in the order of its configuration goes with no later pass either.
                assert_eq!(too_old.count(), 0, "configuration {id}");
            }
            let left = runs::table.count().get_result::<i64>(conn)?;
            let orphans = |n: i64| assert!(n <= left * 2, "{n} rows of {left} runs");
            orphans(run_results::table.count().get_result(conn)?);
            orphans(run_steps::table.count().get_result(conn)?);
            orphans(run_log::table.count().get_result(conn)?);
            orphans(outcomes::table.count().get_result(conn)?);
            Ok(())
        }).await;
        // Nothing is left to do.
        assert_eq!(world.step(retention::step).await.runs, 0);
        work_off(&world).await;
    }

    async fn the_newest_stay_however_old(world: World) {
        seed(&world, Seed { configurations: 2, schedules: 4, runs: 300, days: 300, applications: 1, whole: false }).await;
        world.advance(Duration::days(5_000));
        let removed = world.step(retention::step).await;
        assert_eq!(removed.runs, 0, "fewer than 200 of each");
    }

    async fn what_the_block_database_keeps_of_a_run_goes_with_it(world: World) {
        csv(&world, "words", &[("1", "one"), ("x", "no number")]);
        let stage = crate::support::stage::stage(&world, "words", tidegate::imports::Mode::Append, |_| ()).await;
        let run = start(&world, &stage).await;
        work_off(&world).await;
        let (configuration, id) = (stage.configuration, run.id);
        assert_eq!(run.trigger, Trigger::Member);
        // 400 younger ones, which are not old enough themselves, and of which the last gives the status.
        let later = world.now().plus(Duration::days(500)).micros();
        sql(&world, format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 400) \
             INSERT INTO runs (uid, application_id, configuration_id, trigger_kind, name, status, queued_at, finished_at) \
             SELECT 'later' || n.i, {}, {configuration}, 'member', 'later', 'success', {later} + n.i, {later} + 60000000 + n.i \
             FROM n; \
             UPDATE import_configurations SET status = 'success', status_run_id = (SELECT max(id) FROM runs)",
            world.application
        )).await;
        let uid = world.read(move |conn| Ok(runs::table.find(id).select(runs::uid).first::<String>(conn)?)).await;
        let kept = |world: &World| {
            let uid = uid.clone();
            let block = stage.block;
            world.app().blocks.read(move |conn| Ok((ledger::ledger(conn, &uid, block)?.is_some(), rejects::any(conn, id)?))).unwrap()
        };
        world.advance(Duration::days(799));
        world.step(retention::step).await;
        assert_eq!(kept(&world), (true, true), "some rows were rejected: kept for 800 days");
        world.advance(Duration::days(2));
        assert!(world.step(retention::step).await.runs >= 1);
        assert_eq!(kept(&world), (false, false));
        assert_eq!(crate::support::stage::rows(&world, stage.block), 1, "what it loaded stays");
        let olive = world.browser(&world.olive).await;
        assert_eq!(olive.get(&format!("/runs/{id}")).await.status, 404);
    }
}

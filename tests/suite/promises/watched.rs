//! Runs that go on much longer than usual, and occurrences that nobody begins.

use chrono::Duration;
use tidegate::db::schema::{runs, schedules, workers};
use tidegate::imports::Mode;
use tidegate::runs::workers as working;
use tidegate::watching;

use super::*;
use crate::freezes;
use crate::support::stage::{csv, stage};

const WATCHED: &[&str] = &["slow", "waiting"];

/// A run that was begun then, and goes on.
async fn begun(world: &World, id: i64) {
    let now = world.now();
    world
        .write(move |conn| {
            let going = (runs::status.eq("running"), runs::started_at.eq(now), runs::attempt.eq(1));
            diesel::update(runs::table.find(id)).set(going).execute(conn)?;
            Ok(())
        })
        .await;
}

async fn newest(world: &World) -> i64 {
    world.read(|conn| Ok(runs::table.select(diesel::dsl::max(runs::id)).first::<Option<i64>>(conn)?.unwrap())).await
}

on_both! {
    async fn a_run_that_goes_on_too_long_is_told_once(world: World) {
        world.set_clock("2026-10-01T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        csv(&world, "payroll", &[("1", "one")]);
        scheduled(&world, &stage, "05:00", "UTC", &[&world.olive]).await;
        for day in 1..6 {
            // With four successes nobody knows what is usual.
            assert!(told(&world, &world.olive, WATCHED).await.is_empty());
            world.set_clock(&format!("2026-10-0{day}T05:00:00Z"));
            beat(&world).await;
        }
        world.set_clock("2026-10-06T05:00:00Z");
        world.step(dispatcher::step).await;
        let run = newest(&world).await;
        begun(&world, run).await;
        world.advance(Duration::minutes(10));
        world.step(watching::step).await;
        assert_eq!(told(&world, &world.olive, WATCHED).await, []);
        world.advance(Duration::seconds(30));
        assert_eq!(world.step(watching::step).await, 1);
        assert_eq!(world.step(watching::step).await, 0);
        assert_eq!(told(&world, &world.olive, WATCHED).await, [line("slow", "payroll is taking much longer than usual")]);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{run}")).await.sees("It is taking much longer than usual: 10 min 30 s so far, usually");
    }

    async fn an_occurrence_that_waits_is_told_once(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        scheduled(&world, &stage, "05:00", "UTC", &[&world.olive]).await;
        world.set_clock("2026-10-05T05:00:00Z");
        world.step(dispatcher::step).await;
        world.advance(Duration::minutes(30));
        assert_eq!(world.step(watching::step).await, 0);
        world.advance(Duration::minutes(1));
        assert_eq!((world.step(watching::step).await, world.step(watching::step).await), (1, 0));
        assert_eq!(told(&world, &world.olive, WATCHED).await, [line("waiting", "payroll has not started")]);
        let detail: String = world.read(|conn| Ok(notices::table.filter(notices::kind.eq("waiting")).select(notices::detail).first(conn)?)).await;
        assert!(detail.contains("has been waiting for 31 min 00 s") && detail.ends_with("No worker is running."), "{detail}");
    }

    async fn an_occurrence_that_nobody_queues_is_told_once(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        let schedule = scheduled(&world, &stage, "05:00", "UTC", &[&world.olive]).await;
        world.step(working::seen).await;
        world.set_clock("2026-10-05T05:11:00Z");
        // A process that has just begun has much to claim.
        world.write(|conn| Ok(diesel::delete(workers::table).execute(conn)?)).await;
        world.step(working::seen).await;
        assert_eq!(world.step(watching::step).await, 0);
        world.advance(Duration::minutes(2));
        world.step(working::seen).await;
        assert_eq!((world.step(watching::step).await, world.step(watching::step).await), (1, 0));
        assert_eq!(told(&world, &world.olive, WATCHED).await, [line("waiting", "payroll has not started")]);
        // One that is off, or broken, plans nothing; and of one that a freeze holds nothing is expected.
        freezes::create(&world, "Close", "2026-10-06T04:30:00Z", "2026-10-06T20:00:00Z", false).await;
        let due = tidegate::clock::Moment::parse_rfc3339("2026-10-06T05:00:00Z").unwrap();
        world.write(move |conn| {
            diesel::update(schedules::table.find(schedule)).set(schedules::next_at.eq(due)).execute(conn)?;
            Ok(())
        }).await;
        world.set_clock("2026-10-06T05:30:00Z");
        world.step(working::seen).await;
        assert_eq!(world.step(watching::step).await, 0);
    }
}

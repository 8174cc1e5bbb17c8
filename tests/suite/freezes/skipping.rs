//! While a freeze holds nothing starts by schedule: one Skipped run for each schedule, which grows.

use tidegate::imports::Mode;
use tidegate::runs::{RunStatus, Trigger, dispatcher};

use super::{create, reasons, skipped, told};
use crate::dispatching::{outcomes, runs, second_process};
use crate::running::start;
use crate::schedules::{create as schedule, daily, draft, every_five, find};
use crate::support::World;
use crate::support::stage::stage;
use crate::support::world::moment;

on_both! {
    async fn what_falls_into_a_freeze_is_one_row_that_grows(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let five = schedule(&world, draft(&stage, &every_five())).await;
        schedule(&world, draft(&stage, &daily("16:50"))).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T17:00:00Z", false).await;
        for minute in [45, 50, 55] {
            world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
            assert_eq!(world.step(dispatcher::step).await.queued, 0);
        }
        assert_eq!(told(&world).await, ["16:45 to 16:55 skipped", "16:50 skipped"]);
        let reason = "Frozen by \"Close\" until Thu 8 Oct 2026, 19:00 (Europe/Paris).";
        assert_eq!(reasons(&world).await, [reason, reason]);
        assert_eq!(skipped(&world, &freeze).await, 4);
        assert_eq!(outcomes(&world).await, [] as [i64; 0], "nobody is told");
        let waits = find(&world, five.id).await;
        assert_eq!((waits.enabled, waits.next_at), (true, Some(moment("2026-10-08T17:00:00Z"))), "it is not off");
        world.set_clock("2026-10-08T17:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1, "to is not included");
        assert_eq!(told(&world).await[2..], ["17:00 queued"]);
    }

    async fn a_freeze_is_of_its_own_application_and_runs_by_hand_go_on(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &every_five())).await;
        let (stranger, elsewhere, now) = (world.stranger.clone(), world.elsewhere, world.now());
        let other = tidegate::freezes::Draft {
            name: "Theirs".into(),
            starts_at: now,
            ends_at: moment("2026-10-09T00:00:00Z"),
            run_once: true,
        };
        world
            .write(move |conn| {
                let by = stranger.by(conn)?;
                tidegate::freezes::actions::create(conn, &by, elsewhere, other, now)
            })
            .await;
        world.set_clock("2026-10-08T16:45:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        world.step(|app| tidegate::runs::executor::step(app).map(|_| ())).await;
        create(&world, "Ours", "2026-10-08T16:46:00Z", "2026-10-08T18:00:00Z", false).await;
        let by_hand = start(&world, &stage).await;
        assert_eq!((by_hand.trigger, by_hand.status), (Trigger::Member, RunStatus::Queued));
    }

    async fn an_outage_over_a_freeze_is_ranges_and_one_late_run(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &every_five())).await;
        create(&world, "Close", "2026-10-08T17:00:00Z", "2026-10-08T18:00:00Z", false).await;
        world.set_clock("2026-10-08T18:12:00Z");
        world.step(dispatcher::step).await;
        assert_eq!(
            told(&world).await,
            ["16:45 to 16:55 missed", "18:00 to 18:05 missed", "18:10 queued late", "17:00 to 17:55 skipped"]
        );
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn back_within_a_freeze_nothing_starts_late(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &daily("17:00"))).await;
        let freeze = create(&world, "Close", "2026-10-08T18:00:00Z", "2026-10-08T20:00:00Z", true).await;
        world.set_clock("2026-10-08T19:00:00Z");
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.missed, done.frozen), (0, 0, 1));
        assert_eq!(told(&world).await, ["17:00 skipped"]);
        let reason = "The server was down. When it came back, \"Close\" had frozen the Application until \
                      Thu 8 Oct 2026, 22:00 (Europe/Paris).";
        assert_eq!(reasons(&world).await, [reason]);
        assert_eq!(skipped(&world, &freeze).await, 1);
        world.set_clock("2026-10-08T20:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1, "it runs once after");
    }

    async fn overlapping_freezes_hold_while_any_does(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &every_five())).await;
        let short = create(&world, "Short", "2026-10-08T16:45:00Z", "2026-10-08T16:55:00Z", true).await;
        let long = create(&world, "Long", "2026-10-08T16:50:00Z", "2026-10-08T17:05:00Z", false).await;
        for minute in [45, 50, 55, 59] {
            world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
            assert_eq!(world.step(dispatcher::step).await.queued, 0, "16:{minute}");
        }
        world.set_clock("2026-10-08T17:00:00Z");
        world.step(dispatcher::step).await;
        assert_eq!(told(&world).await, ["16:45 skipped", "16:50 to 17:00 skipped"]);
        assert_eq!((skipped(&world, &short).await, skipped(&world, &long).await), (1, 3));
        world.set_clock("2026-10-08T17:05:00Z");
        world.step(dispatcher::step).await;
        assert_eq!(told(&world).await[2..], ["17:05 queued"], "the occurrence stands for the run after the last");
    }

    async fn moved_within_a_freeze_it_is_two_ranges(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        let five = schedule(&world, draft(&prices, &every_five())).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T17:00:00Z", true).await;
        let steps = async |minutes: &[u32]| {
            for minute in minutes {
                world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
                world.step(dispatcher::step).await;
            }
        };
        steps(&[45]).await;
        let moved = tidegate::schedules::Draft { target: tidegate::imports::Target::Configuration(words.configuration), ..five.draft() };
        crate::schedules::try_update(&world, &world.olive, five.id, None, moved).await.unwrap();
        steps(&[50, 55]).await;
        assert_eq!(told(&world).await, ["16:45 skipped", "16:50 to 16:55 skipped"]);
        let of: Vec<_> = runs(&world).await.iter().map(|run| run.configuration_id).collect();
        assert_eq!(of, [Some(prices.configuration), Some(words.configuration)]);
        assert_eq!(skipped(&world, &freeze).await, 3);
        world.set_clock("2026-10-08T17:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1, "and one run after it");
    }

    async fn two_processes_count_each_occurrence_once(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &every_five())).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        let second = second_process(&world).await;
        for minute in [45, 50, 55] {
            world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
            let steps: Vec<_> = [world.app().clone().into_inner(), second.clone()]
                .into_iter()
                .map(|app| tokio::task::spawn_blocking(move || dispatcher::step(&app)))
                .collect();
            for step in steps {
                // SQLite lets one write at a time and may say so.
                let _ = step.await.unwrap();
            }
            world.step(dispatcher::step).await;
        }
        assert_eq!(told(&world).await, ["16:45 to 16:55 skipped"]);
        assert_eq!(skipped(&world, &freeze).await, 3);
        assert_eq!(runs(&world).await.len(), 1);
    }
}

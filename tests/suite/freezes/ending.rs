//! When a freeze ends, by time or by hand, what it kept from running runs once: exactly once.

use chrono::Duration;
use tidegate::imports::{Mode, Overlap};
use tidegate::runs::{RunStatus, Trigger, actions, dispatcher, executor};

use super::{create, delete, end, reasons, skipped, told};
use crate::dispatching::{outcomes, runs, second_process};
use crate::running::start;
use crate::schedules::{create as schedule, daily, draft, every_five, once, switch};
use crate::support::World;
use crate::support::stage::{csv, stage};
use crate::support::world::moment;

/// One step of the dispatcher at each of these times.
async fn at(world: &World, times: &[&str]) {
    for time in times {
        world.set_clock(&format!("2026-10-{time}:00Z"));
        world.step(dispatcher::step).await;
    }
}

on_both! {
    async fn each_configuration_runs_once_by_the_schedule_that_was_skipped_last(world: World) {
        csv(&world, "prices", &[("1", "one")]);
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        let later = schedule(&world, draft(&prices, &daily("17:30"))).await;
        schedule(&world, draft(&words, &once("2026-10-08", "17:10"))).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["08T17:00", "08T17:10", "08T17:30", "08T17:59"]).await;
        assert_eq!(told(&world).await.len(), 3);
        at(&world, &["08T18:00", "08T18:01"]).await;
        assert_eq!(told(&world).await[3..], ["18:00 queued", "18:00 queued"]);
        let runs = runs(&world).await;
        let run = &runs[3];
        assert_eq!((run.schedule_id, run.trigger, run.late), (Some(later.id), Trigger::Schedule, false));
        assert_eq!(run.as_member_id, Some(world.olive.id), "as the Owner");
        let reason = "Runs once after the freeze \"Close\", which skipped 2 occurrences.";
        assert_eq!(run.reason.as_deref(), Some(reason));
        // Also when it has run.
        while world.step(executor::step).await.is_some() {}
        let ran = run.clone();
        let log = world.read(move |conn| actions::log(conn, &ran)).await;
        assert!(log.iter().any(|line| line.message == reason), "{log:?}");
        assert_eq!(skipped(&world, &freeze).await, 3);
    }

    async fn without_the_choice_nothing_is_made_up_for(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", false).await;
        at(&world, &["08T17:00", "08T18:00", "08T18:01"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped"]);
    }

    async fn what_was_not_skipped_or_is_off_does_not_run(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        let off = schedule(&world, draft(&prices, &daily("17:00"))).await;
        schedule(&world, draft(&words, &daily("20:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["08T17:00"]).await;
        switch(&world, &world.olive, off.id, false).await;
        at(&world, &["08T18:00"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped"]);
    }

    async fn an_occurrence_at_the_very_end_stands_for_it(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &every_five())).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T16:55:00Z", true).await;
        at(&world, &["08T16:45", "08T16:50", "08T16:55"]).await;
        assert_eq!(told(&world).await, ["16:45 to 16:50 skipped", "16:55 queued"]);
    }

    async fn an_occurrence_at_the_very_end_that_was_skipped_runs_after_all(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |d| d.overlap = Overlap::Skip).await;
        schedule(&world, draft(&prices, &every_five())).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T16:55:00Z", true).await;
        at(&world, &["08T16:45", "08T16:50"]).await;
        start(&world, &prices).await;
        world.step(|app| executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        at(&world, &["08T16:55"]).await;
        let told = told(&world).await;
        assert!(told.contains(&"16:55 queued".to_owned()), "{told:?}");
    }

    async fn it_queues_behind_a_run_that_was_interrupted(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |d| d.overlap = Overlap::Skip).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["08T17:00"]).await;
        start(&world, &prices).await;
        world
            .step(|app| {
                let taken = executor::take(app)?.unwrap();
                executor::give_back(app, &taken, "The server was stopped.")
            })
            .await;
        at(&world, &["08T18:00"]).await;
        let told = told(&world).await;
        assert!(told.contains(&"18:00 queued".to_owned()), "{told:?}");
    }

    /// Whoever changes a freeze gives back the names of those that have ended; the clock holds them in the order of ids.
    async fn who_changes_one_and_the_clock_never_wait_for_each_other(world: World) {
        use diesel::RunQueryDsl;
        use tidegate::db;
        let first = create(&world, "First", "2026-10-08T16:45:00Z", "2026-10-08T16:50:00Z", false).await;
        let second = create(&world, "Second", "2026-10-08T17:00:00Z", "2026-10-08T20:00:00Z", false).await;
        world.set_clock("2026-10-08T16:55:00Z");
        let (holds, held) = std::sync::mpsc::channel();
        let (go, goes) = std::sync::mpsc::channel::<()>();
        let app = world.app().clone();
        let clock = tokio::task::spawn_blocking(move || {
            app.db.write(|conn| {
                db::lock_row(conn, "freezes", first.id)?;
                holds.send(()).unwrap();
                goes.recv().unwrap();
                db::lock_row(conn, "freezes", second.id)?;
                Ok(())
            })
        });
        tokio::task::spawn_blocking(move || held.recv().unwrap()).await.unwrap();
        let (olive, now, other) = (world.olive.clone(), world.now(), world.clone());
        let change = tokio::spawn(async move {
            let draft = tidegate::freezes::Draft {
                name: "Renamed".into(),
                starts_at: second.starts_at,
                ends_at: second.ends_at,
                run_once: false,
            };
            let changed = move |conn: &mut db::Conn| {
                let by = olive.by(conn)?;
                tidegate::freezes::actions::update(conn, &by, second.id, None, draft, now)
            };
            other.try_write(changed).await
        });
        if world.database() == crate::support::Database::Postgres {
            let waits = "SELECT count(*) AS id FROM pg_stat_activity \
                         WHERE datname = current_database() AND wait_event_type = 'Lock'";
            while world.read(move |conn| Ok(diesel::sql_query(waits).get_result::<db::IdRow>(conn)?.id)).await == 0 {
                tokio::task::yield_now().await;
            }
        }
        go.send(()).unwrap();
        clock.await.unwrap().unwrap();
        assert_eq!(change.await.unwrap().unwrap().name, "Renamed");
    }

    async fn ended_now_it_runs_at_once_and_says_when_it_ended(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-12T18:00:00Z", true).await;
        at(&world, &["08T17:00", "08T17:20"]).await;
        world.set_clock("2026-10-08T17:30:00Z");
        assert_eq!(end(&world, freeze.id).await.ends_at, moment("2026-10-08T17:30:00Z"));
        at(&world, &["08T17:30", "08T17:31"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped", "17:30 queued"]);
        assert_eq!(reasons(&world).await, ["Frozen by \"Close\" until Thu 8 Oct 2026, 19:30 (Europe/Paris)."]);
    }

    async fn a_deleted_one_is_over_and_makes_up_for_nothing(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &every_five())).await;
        let freeze = create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-12T18:00:00Z", true).await;
        at(&world, &["08T16:45"]).await;
        world.set_clock("2026-10-08T16:52:00Z");
        // The dispatcher was away: 16:50 was frozen all the same.
        delete(&world, freeze.id).await;
        at(&world, &["08T16:53"]).await;
        assert_eq!(told(&world).await, ["16:45 to 16:50 skipped"]);
        at(&world, &["08T16:55"]).await;
        assert_eq!(told(&world).await[1..], ["16:55 queued"]);
    }

    async fn the_last_of_overlapping_freezes_ends_them_all(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "First", "2026-10-08T16:45:00Z", "2026-10-08T17:30:00Z", true).await;
        let last = create(&world, "Last", "2026-10-08T17:20:00Z", "2026-10-08T19:00:00Z", false).await;
        at(&world, &["08T17:00", "08T17:30", "08T18:00"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped"], "it waits for the other to end");
        world.set_clock("2026-10-08T18:10:00Z");
        delete(&world, last.id).await;
        at(&world, &["08T18:10", "08T18:11"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped", "18:10 queued"]);
    }

    async fn two_processes_run_it_once(world: World) {
        for name in ["a", "b", "c"] {
            let stage = stage(&world, name, Mode::Append, |_| ()).await;
            schedule(&world, draft(&stage, &daily("17:00"))).await;
        }
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["08T17:00"]).await;
        world.set_clock("2026-10-08T18:00:00Z");
        let second = second_process(&world).await;
        let steps: Vec<_> = (0..4)
            .map(|i| if i % 2 == 0 { world.app().clone().into_inner() } else { second.clone() })
            .map(|app| tokio::task::spawn_blocking(move || dispatcher::step(&app)))
            .collect();
        let mut queued = 0;
        for step in steps {
            // SQLite lets one write at a time and may say so; the next beat comes anyway.
            queued += step.await.unwrap().map_or(0, |done| done.queued);
        }
        queued += world.step(dispatcher::step).await.queued;
        assert_eq!(queued, 3);
        assert_eq!(runs(&world).await.iter().filter(|run| run.status == RunStatus::Queued).count(), 3);
    }

    async fn down_when_it_ended_it_runs_late(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        // Down from before its occurrence until the next morning.
        at(&world, &["09T06:00", "09T06:01"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped", "18:00 queued late"]);
    }

    /// Nothing begins late while the Application is frozen: it waits for that one too.
    async fn back_within_another_freeze_it_runs_after_that(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "First", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        create(&world, "Second", "2026-10-08T19:00:00Z", "2026-10-08T21:00:00Z", false).await;
        at(&world, &["08T20:00", "08T20:01"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped"]);
        at(&world, &["08T21:00"]).await;
        assert_eq!(told(&world).await, ["17:00 skipped", "18:00 queued late"]);
    }

    async fn down_for_more_than_three_days_it_is_missed_and_told(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &once("2026-10-08", "17:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        world.set_clock("2026-10-11T18:00:01Z");
        world.step(dispatcher::step).await;
        assert_eq!(told(&world).await, ["17:00 skipped", "18:00 missed"]);
        assert_eq!(
            reasons(&world).await[1],
            "The server was down when the freeze \"Close\" ended, and for three days after."
        );
        assert_eq!(outcomes(&world).await, [runs(&world).await[1].id]);
    }

    async fn a_later_run_that_begins_now_stands_for_it(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&prices, &daily("17:00"))).await;
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["09T17:10"]).await;
        assert_eq!(
            told(&world).await,
            ["2026-10-09T17:00 queued late", "17:00 skipped", "18:00 missed"],
            "one run, not two"
        );
        let covered = "The server was down when the freeze \"Close\" ended; covered by run 1.";
        assert_eq!(reasons(&world).await[1], covered);
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn it_queues_behind_a_run_that_goes_and_not_behind_one_that_waits(world: World) {
        let going = stage(&world, "going", Mode::Append, |d| d.overlap = Overlap::Skip).await;
        let waiting = stage(&world, "waiting", Mode::Append, |d| d.overlap = Overlap::Skip).await;
        for stage in [&going, &waiting] {
            schedule(&world, draft(stage, &daily("17:00"))).await;
        }
        create(&world, "Close", "2026-10-08T16:45:00Z", "2026-10-08T18:00:00Z", true).await;
        at(&world, &["08T17:00"]).await;
        start(&world, &going).await;
        world.step(|app| executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        start(&world, &waiting).await;
        world.advance(Duration::minutes(1));
        at(&world, &["08T18:00"]).await;
        assert_eq!(told(&world).await[4..], ["18:00 queued", "18:00 skipped"]);
        let stands = "Another run was already waiting when the freeze \"Close\" ended, so this one was not needed.";
        assert_eq!(reasons(&world).await[2], stands);
    }
}

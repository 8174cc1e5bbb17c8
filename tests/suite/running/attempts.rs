//! Starting, trying again, and what is refused.

use super::*;

on_both! {
    async fn a_busy_file_costs_no_attempt_for_a_day(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        let started = start(&world, &stage).await;
        let sqlite = matches!(world.app().blocks.location(), tidegate::db::Location::Sqlite { .. });
        let script = Script::of((0..3).map(|_| refused(Retry::Busy)));
        attempt(&world, &script).await;
        if sqlite {
            for wait in [Duration::minutes(3), Duration::days(1)] {
                let waits = run(&world, started.id).await;
                assert_eq!((waits.status, waits.attempt), (RunStatus::Queued, 0));
                world.advance(wait);
                attempt(&world, &script).await;
            }
        }
        assert_eq!(run(&world, started.id).await.status, RunStatus::Failed);
    }

    async fn who_reads_the_block_costs_its_loads_no_attempt(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        let started = start(&world, &stage).await;
        let script = Script::of((0..2).map(|_| refused(Retry::HeldUp)));
        for wait in [Duration::minutes(3), Duration::days(1)] {
            attempt(&world, &script).await;
            let waits = run(&world, started.id).await;
            assert_eq!((waits.status, waits.attempt), (RunStatus::Queued, 0));
            world.advance(wait);
        }
    }

    /// Each attempt fetches the source, so whoever is held up asks ever less often; the day begins with the first time.
    async fn a_busy_file_is_asked_for_ever_less_often(world: World) {
        if world.database() != crate::support::Database::Sqlite {
            return;
        }
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        let started = start(&world, &stage).await;
        world.advance(Duration::hours(30));
        let script = Script::of((0..200).map(|_| refused(Retry::Busy)));
        let mut waits = Vec::new();
        for _ in 0..12 {
            attempt(&world, &script).await;
            let waiting = run(&world, started.id).await;
            assert_eq!(waiting.status, RunStatus::Queued);
            let wait = waiting.available_at.unwrap().since(world.now());
            waits.push(wait.num_seconds());
            world.advance(wait);
        }
        assert!(waits[0] <= 36 && waits[11] >= 480 && waits[11] <= 720, "{waits:?}");
        let script = Script::of([refused(Retry::Later)]);
        attempt(&world, &script).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Failed, "another fault costs an attempt");
    }

    async fn a_run_never_goes_without_its_parameters(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        world.write(|conn| {
            Ok(diesel::update(runs_table::table).set(runs_table::parameters.eq("{\"day\"")).execute(conn)?)
        }).await;
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Failed, 0));
        assert!(ended.cause.unwrap().starts_with("Its parameters cannot be read"));
        assert!(matches!(try_again(&world, started.id).await, Err(AppError::Conflict(_))));
    }

    async fn by_hand_it_loads_the_file_and_says_what_it_did(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("2", "two"), ("x", "three")]);
        let started = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.attempt, ended.cause.clone()), (RunStatus::Partial, 1, None));
        let result = ended.result.unwrap();
        assert_eq!((result.read, result.added, result.rejected), (3, 2, 1));
        assert_eq!(result.source_name.as_deref(), Some("words.csv"));
        assert_eq!(rows(&world, stage.block), 2);
        let ada = world.ada.clone();
        let summary = world
            .read(move |conn| {
                let by = ada.by(conn)?;
                Ok(actions::summary(conn, &by, started.id)?.0)
            })
            .await;
        assert_eq!(summary.steps[0].name, "Fetch");
        // Each has a start of its own, of which the log tells too.
        let began: Vec<_> = summary.steps.iter().map(|step| step.started_at).collect();
        assert!(began.is_sorted() && began[1] < *began.last().unwrap(), "{began:?}");
        assert!(summary.steps.len() > 1 && summary.may_run_again && summary.progress.is_none());
        assert_eq!(outcomes(&world).await, [started.id]);
        let configuration = stage.configuration;
        let status = world.read(move |conn| tidegate::imports::by_id(conn, configuration)).await.unwrap();
        assert_eq!(status.status, Some(tidegate::imports::ConfigurationStatus::Partial));
        assert_eq!(status.status_run_id, Some(started.id));
    }

    async fn a_missing_file_fails_at_once_and_says_what_the_block_holds(world: World) {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        start(&world, &stage).await;
        work_off(&world).await;
        std::fs::remove_file(world.folder().join("words.csv")).unwrap();
        let second = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, second.id).await;
        assert_eq!((ended.status, ended.attempt), (RunStatus::Failed, 1), "nobody comes back for what is not there");
        let cause = ended.cause.unwrap();
        assert!(cause.ends_with("0 rows were loaded; the Block still holds the data of 8 October 2026."), "{cause}");
        assert_eq!(rows(&world, stage.block), 1);
    }

    async fn a_second_click_answers_the_run_that_waits(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let clicks: Vec<_> = (0..20)
            .map(|_| {
                let (world, stage) = (world.clone(), stage.clone());
                tokio::spawn(async move { try_start(&world, &world.olive, &stage).await.unwrap() })
            })
            .collect();
        let mut ids = std::collections::BTreeSet::new();
        for click in clicks {
            ids.insert(click.await.unwrap().run.id);
        }
        assert_eq!(ids.len(), 1);
        // While that one runs, one more may wait.
        world.step(|app| executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        let next = try_start(&world, &world.olive, &stage).await.unwrap();
        assert!(!next.waiting_already && !ids.contains(&next.run.id));
        assert!(try_start(&world, &world.olive, &stage).await.unwrap().waiting_already);
        assert!(matches!(try_start(&world, &world.ivy, &stage).await, Err(AppError::Forbidden(_))));
        assert!(matches!(try_start(&world, &world.stranger, &stage).await, Err(AppError::NotFound)));
    }

    async fn again_replaces_what_was_appended(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        let first = start(&world, &stage).await;
        work_off(&world).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        world.advance(Duration::hours(3));
        let again = try_again(&world, first.id).await.unwrap();
        assert!(!again.waiting_already && try_again(&world, first.id).await.unwrap().waiting_already);
        work_off(&world).await;
        let again = run(&world, again.run.id).await;
        assert_eq!((again.status, again.again_of, again.repeat_no), (RunStatus::Success, Some(first.id), 1));
        assert_eq!(again.planned_at, Some(first.queued_at), "relative dates mean the same");
        assert_eq!(rows(&world, stage.block), 2);
        assert!(matches!(try_again(&world, first.id).await, Err(AppError::Conflict(_))), "it is not the latest");
        let third = try_again(&world, again.id).await.unwrap().run;
        assert_eq!((third.repeat_no, third.planned_at), (2, again.planned_at));
        work_off(&world).await;
        assert_eq!(rows(&world, stage.block), 2, "never doubled, however often");
    }

    async fn a_scheduled_run_keeps_its_instant_when_it_runs_again(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        create(&world, draft(&stage, &daily("18:00"))).await;
        world.set_clock("2026-10-08T18:00:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let first = runs(&world).await.remove(0);
        assert_eq!((first.status, first.late), (RunStatus::Success, false));
        let again = try_again(&world, first.id).await.unwrap().run;
        assert_eq!((again.schedule_id, again.planned_at), (first.schedule_id, first.planned_at));
    }

    async fn what_may_pass_is_tried_again_with_growing_waits(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let script = Script::of([refused(Retry::Later), refused(Retry::Later), Ok(added(5))]);
        let started = start(&world, &stage).await;
        attempt(&world, &script).await;
        let waiting = run(&world, started.id).await;
        assert_eq!((waiting.status, waiting.attempt), (RunStatus::Queued, 1));
        let reason = waiting.reason.clone().unwrap();
        assert!(reason.starts_with("Attempt 1 failed: The source did not answer. The next attempt starts after"), "{reason}");
        let wait = waiting.available_at.unwrap().since(world.now());
        assert!((24..=36).contains(&wait.num_seconds()), "{wait}");
        world.advance(wait - Duration::microseconds(1));
        assert_eq!(attempt(&world, &script).await, None, "not yet");
        world.advance(Duration::microseconds(1));
        attempt(&world, &script).await;
        let wait = run(&world, started.id).await.available_at.unwrap().since(world.now());
        assert!((96..=144).contains(&wait.num_seconds()), "{wait}");
        world.advance(wait);
        attempt(&world, &script).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.attempt, ended.result.unwrap().added), (RunStatus::Success, 3, 5));
    }

    async fn who_brings_the_next_attempt_forward_stands_in_the_audit_log(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let script = Script::of([refused(Retry::Later), Ok(added(5))]);
        let started = start(&world, &stage).await;
        let asks = async || {
            let answer = try_start(&world, &world.ada, &stage).await.unwrap();
            assert_eq!((answer.run.id, answer.waiting_already), (started.id, true));
            let entries = world.api(&world.ada).await.get("audit").await;
            let brought = entries.items().iter().filter(|entry| entry["action"] == "run.brought_forward");
            brought.map(|entry| (entry["subject_id"].clone(), entry["application_id"].clone())).collect::<Vec<_>>()
        };
        assert_eq!(asks().await, [], "it waits for a place, and for no time");
        attempt(&world, &script).await;
        let once = [(started.id.into(), world.application.into())];
        assert_eq!(asks().await, once);
        assert_eq!(asks().await, once, "it is there already");
        assert_eq!(attempt(&world, &script).await, Some(started.id));
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit?kind=runs").await.sees("Brought forward the run of words");
    }

    async fn a_clock_that_is_set_back_holds_up_no_attempt(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let script = Script::of([refused(Retry::Later), Ok(added(1))]);
        let started = start(&world, &stage).await;
        attempt(&world, &script).await;
        let waiting = run(&world, started.id).await;
        let at = waiting.available_at.unwrap().utc().format("%H:%M:%S");
        let reason = waiting.reason.unwrap();
        assert!(reason.ends_with(&format!(", at {at} UTC.")), "{reason}");
        world.advance(-Duration::minutes(50));
        assert_eq!(attempt(&world, &script).await, None, "it says until when it waits");
        world.advance(-Duration::minutes(10));
        assert_eq!(attempt(&world, &script).await, Some(started.id));
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
    }

    async fn after_the_last_attempt_it_has_failed(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 2).await;
        let script = Script::of([refused(Retry::After(Duration::seconds(7))), refused(Retry::Later)]);
        let started = start(&world, &stage).await;
        attempt(&world, &script).await;
        let wait = run(&world, started.id).await.available_at.unwrap().since(world.now());
        assert_eq!(wait, Duration::seconds(7), "as the source asked");
        world.advance(wait);
        attempt(&world, &script).await;
        let ended = run(&world, started.id).await;
        let cause = "The source did not answer. It was tried 2 times.";
        assert_eq!((ended.status, ended.cause.as_deref()), (RunStatus::Failed, Some(cause)));
        assert_eq!(outcomes(&world).await, [started.id]);
    }

    async fn what_will_not_pass_is_not_tried_again(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let script = Script::of([refused(Retry::No)]);
        let started = start(&world, &stage).await;
        attempt(&world, &script).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Failed);
    }

    async fn one_run_at_a_time_writes_a_block(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let first = start(&world, &stage).await;
        let taken = world.step(executor::take).await.unwrap();
        assert_eq!(taken.run.id, first.id);
        let second = start(&world, &stage).await;
        assert!(world.step(executor::take).await.is_none());
        let waiting = run(&world, second.id).await;
        assert_eq!(waiting.reason.as_deref(), Some("Waiting for another run that writes this Block."));
        let script = Script::of([Ok(added(1)), Ok(added(1))]);
        let begun = script.clone();
        world.step(move |app| executor::see_through(app, taken, begun.as_ref())).await;
        attempt(&world, &script).await;
        let ended = run(&world, second.id).await;
        assert_eq!((ended.status, ended.reason), (RunStatus::Success, None));
    }

    async fn by_hand_goes_ahead_of_scheduled(world: World) {
        let planned = stage(&world, "planned", Mode::Append, |_| ()).await;
        let asked = stage(&world, "asked", Mode::Append, |_| ()).await;
        create(&world, draft(&planned, &daily("18:00"))).await;
        world.set_clock("2026-10-08T18:00:00Z");
        world.step(dispatcher::step).await;
        let by_hand = start(&world, &asked).await;
        assert_eq!(world.step(executor::take).await.unwrap().run.id, by_hand.id);
    }

    async fn two_processes_never_take_one_run(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let second = second_process(&world).await;
        for _ in 0..20 {
            let started = start(&world, &stage).await;
            let takes: Vec<_> = (0..4)
                .map(|i| {
                    let (one, two) = (world.app().clone(), second.clone());
                    tokio::task::spawn_blocking(move || {
                        if i % 2 == 0 { executor::take(&one) } else { executor::take(&two) }
                    })
                })
                .collect();
            let mut taken = Vec::new();
            for take in takes {
                taken.extend(take.await.unwrap().unwrap());
            }
            assert_eq!(taken.len(), 1);
            assert_eq!(taken[0].run.id, started.id);
            let script = Script::of([Ok(added(1))]);
            let only = taken.remove(0);
            world.step(move |app| executor::see_through(app, only, script.as_ref())).await;
            assert_eq!(run(&world, started.id).await.status, RunStatus::Success, "its leases stayed its own");
        }
    }

    async fn what_is_missing_is_the_exact_reason(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        create(&world, draft(&stage, &daily("18:00"))).await;
        let olive = world.olive.id;
        let fails = async |world: &World, at: &str, expected: &str| {
            world.set_clock(at);
            assert_eq!(world.step(dispatcher::step).await.queued, 1);
            work_off(world).await;
            let ended = runs(world).await.pop().unwrap();
            assert_eq!((ended.status, ended.attempt), (RunStatus::Failed, 1));
            let cause = ended.cause.unwrap();
            assert!(cause.starts_with(expected), "{cause}");
        };
        let deactivate = move |active: bool| {
            move |conn: &mut tidegate::db::Conn| {
                diesel::update(members::table.find(olive)).set(members::active.eq(active)).execute(conn)?;
                Ok(())
            }
        };
        world.write(deactivate(false)).await;
        fails(&world, "2026-10-08T18:00:00Z", "Olive, the Owner of the schedule, is deactivated.").await;
        world.write(deactivate(true)).await;
        let connection = stage.connection;
        world
            .write(move |conn| {
                let theirs = connection_applications::connection_id.eq(connection);
                diesel::delete(connection_applications::table.filter(theirs)).execute(conn)?;
                Ok(())
            })
            .await;
        let words = "The Connection Folder of words is no longer authorised for this Application.";
        fails(&world, "2026-10-09T18:00:00Z", words).await;
        world
            .write(move |conn| {
                diesel::update(application_access::table.filter(application_access::member_id.eq(olive)))
                    .set(application_access::can_import_data.eq(false))
                    .execute(conn)?;
                Ok(())
            })
            .await;
        let words = "Olive, the Owner of the schedule, lacks Import Data in FP&A 2026.";
        fails(&world, "2026-10-10T18:00:00Z", words).await;
        assert_eq!(rows(&world, stage.block), 0);
    }
}

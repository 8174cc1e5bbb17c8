//! Cancelled, rescued, overtaken, stopped: every run ends once.

use super::*;

async fn rename_table(world: &World, from: &'static str, to: &'static str) {
    let sql = format!("ALTER TABLE {from} RENAME TO {to}");
    world.write(move |conn| Ok(diesel::sql_query(sql).execute(conn)?)).await;
}

on_both! {
    async fn a_fault_of_ours_before_it_begins_ends_it_at_once(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let taken = world.step(executor::take).await.unwrap();
        rename_table(&world, "application_access", "gone").await;
        world.step(move |app| executor::see_through(app, taken, &Midway(|_: &App, _: &Job<'_>| unreachable!()))).await;
        rename_table(&world, "gone", "application_access").await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert_eq!(ended.cause.as_deref(), Some("Something went wrong in Tidegate. The server's log says more."));
    }

    async fn a_run_that_waits_is_cancelled_at_once(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let cancelled = try_cancel(&world, started.id).await.unwrap();
        assert_eq!(cancelled.status, RunStatus::Cancelled);
        assert_eq!(cancelled.reason.as_deref(), Some("Cancelled by Olive while it waited."));
        assert!(world.step(executor::take).await.is_none());
        assert!(matches!(try_cancel(&world, started.id).await, Err(AppError::Conflict(_))));
        assert!(try_start(&world, &world.olive, &stage).await.is_ok_and(|s| !s.waiting_already));
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn a_run_that_goes_on_is_cancelled_within_two_seconds(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let (begins, begun) = std::sync::mpsc::channel();
        let begins = Mutex::new(begins);
        let work = Midway(move |_: &App, job: &Job<'_>| {
            begins.lock().unwrap().send(()).unwrap();
            while !job.cancel.is_cancelled() {
                std::thread::yield_now();
            }
            Err(Undone::new("The run was cancelled while the source was being read.", Retry::No))
        });
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        tokio::task::spawn_blocking(move || begun.recv().unwrap()).await.unwrap();
        let asked = std::time::Instant::now();
        try_cancel(&world, started.id).await.unwrap();
        going.await.unwrap().unwrap();
        assert!(asked.elapsed() < std::time::Duration::from_secs(2), "{:?}", asked.elapsed());
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.cause), (RunStatus::Cancelled, None));
    }

    async fn cancel_and_the_end_race_to_one_truth(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let loops = if crate::support::settings::full() { 500 } else { 60 };
        for i in 0..loops {
            let started = start(&world, &stage).await;
            let app = world.app().clone();
            let cancels_early = i % 3 == 0;
            let work = Midway(move |_: &App, job: &Job<'_>| {
                if cancels_early && job.cancel.is_cancelled() { refused(Retry::No) } else { Ok(added(1)) }
            });
            let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
            let cancelled = try_cancel(&world, started.id).await;
            going.await.unwrap().unwrap();
            work_off_scripted(&world).await;
            let ended = run(&world, started.id).await;
            match ended.status {
                RunStatus::Cancelled => assert!(cancelled.is_ok()),
                RunStatus::Success => {}
                other => panic!("{other:?}"),
            }
            let id = started.id;
            let told = outcomes(&world).await.iter().filter(|run| **run == id).count();
            assert_eq!(told, usize::from(ended.status == RunStatus::Success), "one end, told once");
        }
        let leases = world.read(|conn| Ok(run_leases::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(leases, 0);
    }

    async fn a_worker_that_died_is_tried_again_and_at_last_interrupted(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        for attempt in 1..=3 {
            assert_eq!(world.step(executor::take).await.unwrap().run.attempt, attempt, "taken, and never seen again");
            world.advance(Duration::seconds(60));
            assert_eq!(world.step(rescue::step).await, rescue::Rescued::default(), "its lease still holds");
            world.advance(Duration::microseconds(1));
            let rescued = world.step(rescue::step).await;
            assert_eq!((rescued.queued_again, rescued.ended), if attempt < 3 { (1, 0) } else { (0, 1) });
        }
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.unwrap().starts_with("Interrupted: its worker stopped responding while it ran. It was tried 3"));
        assert_eq!(outcomes(&world).await, [started.id]);
    }

    async fn after_a_kill_the_next_start_looks_at_once_where_one_process_alone_serves(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        world.step(executor::take).await.unwrap();
        let next = second_process(&world).await;
        let rescued = tokio::task::spawn_blocking(move || rescue::at_start(&next)).await.unwrap().unwrap();
        // On PostgreSQL the other process may well be alive: its lease has to expire first.
        let alone = world.database() == crate::support::Database::Sqlite;
        assert_eq!(rescued.queued_again, usize::from(alone));
        let expected = if alone { RunStatus::Queued } else { RunStatus::Running };
        assert_eq!(run(&world, started.id).await.status, expected);
    }

    async fn a_load_that_happened_is_told_though_its_worker_died(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        let started = start(&world, &stage).await;
        let taken = world.step(executor::take).await.unwrap();
        // The work is done, and the worker dies before it can say so.
        let (late, fence) = (taken.clone(), taken.fence);
        let work = Midway(move |app: &App, job: &Job<'_>| {
            let done = tidegate::runs::work::Import.perform(app, job);
            assert!(done.is_ok());
            app.db
                .write(|conn| {
                    diesel::update(run_leases::table.find(job.run.id)).set(run_leases::fence.eq(-1)).execute(conn)?;
                    Ok(())
                })
                .unwrap();
            done
        });
        world.step(move |app| executor::see_through(app, taken, &work)).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Running);
        world
            .write(move |conn| {
                diesel::update(run_leases::table).set(run_leases::fence.eq(fence)).execute(conn)?;
                Ok(())
            })
            .await;
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.finished, 1);
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.result.unwrap().added), (RunStatus::Success, 2));
        assert_eq!(rows(&world, stage.block), 2);
        // And when the old worker wakes up, what it says counts no more.
        world.step(move |app| executor::see_through(app, late, &Script(Mutex::new([refused(Retry::No)].into())))).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
    }

    async fn a_worker_that_slept_past_its_lease_changes_nothing(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        let taken = world.step(executor::take).await.unwrap();
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.ended, 1);
        world.step(move |app| executor::see_through(app, taken, &tidegate::runs::work::Import)).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Failed);
        assert_eq!(rows(&world, stage.block), 0, "its late commit is refused");
    }

    async fn a_process_that_is_asked_to_stop_takes_nothing_more(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let other = second_process(&world).await;
        other.stop.cancel();
        assert!(executor::take(&other).unwrap().is_none());
        assert_eq!(run(&world, started.id).await.status, RunStatus::Queued);
    }

    async fn what_does_not_end_before_the_stop_is_given_back(world: World) {
        if !crate::support::settings::full() {
            return; // it takes the fifteen seconds that a run is given to end
        }
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let other = second_process(&world).await;
        let stopping = other.clone();
        let work = Midway(move |_: &App, job: &Job<'_>| {
            stopping.stop.cancel();
            while !job.cancel.is_cancelled() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            refused(Retry::Later)
        });
        tokio::task::spawn_blocking(move || executor::step_with(&other, &work)).await.unwrap().unwrap();
        let given_back = run(&world, started.id).await;
        assert_eq!((given_back.status, given_back.attempt), (RunStatus::Queued, 0), "it cost no attempt");
        assert_eq!(given_back.available_at, Some(world.now()), "and may begin at once");
    }

    async fn an_attempt_has_its_time(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| (d.attempt_seconds, d.attempts) = (1, 1)).await;
        let started = start(&world, &stage).await;
        let work = Midway(|_: &App, job: &Job<'_>| {
            while !job.cancel.is_cancelled() {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            refused(Retry::No)
        });
        world.step(move |app| executor::step_with(app, &work)).await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.unwrap().starts_with("The attempt took longer than its limit of 1.0 s."));
    }

    async fn a_panic_in_the_work_is_a_failure_of_that_run_alone(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let work = Midway(|_: &App, _: &Job<'_>| panic!("on purpose"));
        world.step(move |app| executor::step_with(app, &work)).await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert_eq!(ended.cause.as_deref(), Some("Something went wrong in Tidegate. The server's log says more."));
    }

    async fn the_owner_of_a_failed_flag_is_the_latest_run(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.overlap = Overlap::Queue).await;
        let configuration = stage.configuration;
        let status = async || {
            world.read(move |conn| tidegate::imports::by_id(conn, configuration)).await.unwrap().status
        };
        use tidegate::imports::ConfigurationStatus as Status;
        start(&world, &stage).await;
        attempt(&world, &Script::of([refused(Retry::No)])).await;
        assert_eq!(status().await, Some(Status::Failed));
        let cancelled = start(&world, &stage).await;
        try_cancel(&world, cancelled.id).await.unwrap();
        assert_eq!(status().await, Some(Status::Failed), "Cancelled clears no flag");
        start(&world, &stage).await;
        attempt(&world, &Script::of([Ok(added(1))])).await;
        assert_eq!(status().await, Some(Status::Success));
    }

    /// One that waited for its next attempt, while a later one went.
    async fn of_two_the_one_that_ended_last_holds_the_flag(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let configuration = stage.configuration;
        create(&world, draft(&stage, &daily("18:00"))).await;
        world.set_clock("2026-10-08T18:00:00Z");
        world.step(dispatcher::step).await;
        attempt(&world, &Script::of([refused(Retry::Later)])).await;
        let planned = runs(&world).await.remove(0);
        let by_hand = start(&world, &stage).await;
        attempt(&world, &Script::of([Ok(added(1))])).await;
        assert_eq!(run(&world, by_hand.id).await.status, RunStatus::Success);
        world.advance(Duration::minutes(1));
        attempt(&world, &Script::of([refused(Retry::No)])).await;
        let (flag, strip) = world
            .read(move |conn| {
                let strips = tidegate::runs::glance::strips(conn, &[Target::Configuration(configuration)])?;
                let strip: Vec<i64> = strips[&Target::Configuration(configuration)].iter().map(|past| past.run_id).collect();
                Ok((tidegate::imports::by_id(conn, configuration)?.unwrap(), strip))
            })
            .await;
        assert_eq!(flag.status, Some(tidegate::imports::ConfigurationStatus::Failed));
        assert_eq!((flag.status_run_id, strip), (Some(planned.id), vec![by_hand.id, planned.id]));
        assert!(matches!(try_again(&world, by_hand.id).await, Err(AppError::Conflict(_))), "it is not the latest");
        assert!(try_again(&world, planned.id).await.is_ok());
    }

    /// An hour's worth of runs lies ahead of the clock; the data of the latest is what is there.
    async fn after_the_clock_was_set_back_the_latest_run_is_run_again(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let first = start(&world, &stage).await;
        attempt(&world, &Script::of([Ok(added(1))])).await;
        world.advance(-Duration::hours(1));
        let second = start(&world, &stage).await;
        attempt(&world, &Script::of([refused(Retry::No)])).await;
        assert!(run(&world, second.id).await.finished_at < run(&world, first.id).await.finished_at);
        assert!(matches!(try_again(&world, first.id).await, Err(AppError::Conflict(_))), "old data does not come back");
        let again = try_again(&world, second.id).await.unwrap().run;
        assert_eq!(again.again_of, Some(second.id));
        // Another that was cancelled is the latest by its time, as ever.
        try_cancel(&world, again.id).await.unwrap();
        world.advance(Duration::hours(2));
        let third = start(&world, &stage).await;
        try_cancel(&world, third.id).await.unwrap();
        assert!(matches!(try_again(&world, second.id).await, Err(AppError::Conflict(_))));
        assert!(try_again(&world, third.id).await.is_ok());
    }

    async fn a_clock_that_is_set_back_shortens_no_run(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let clock = world.clock().clone();
        let work = Midway(move |_: &App, _: &Job<'_>| {
            clock.advance(-Duration::hours(2));
            Ok(added(1))
        });
        world.step(move |app| executor::step_with(app, &work)).await;
        let ended = run(&world, started.id).await;
        let took = ended.duration().unwrap();
        assert!(took > Duration::zero() && took < Duration::minutes(1), "{took}");
        assert_eq!(ended.finished_at, Some(world.now()));
        let configuration = stage.configuration;
        let usual =
            world.read(move |conn| tidegate::runs::glance::usual_durations(conn, &[configuration])).await;
        assert_eq!(usual[&configuration], took);
    }

    async fn lists_are_scoped_to_what_a_member_sees(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let seen = async |person: &Person| {
            let (person, id) = (person.clone(), started.id);
            world
                .read(move |conn| {
                    let by = person.by(conn)?;
                    let listed = actions::list(conn, &by, &Default::default(), None, 10)?.len();
                    Ok((listed, actions::find(conn, &by, id).is_ok()))
                })
                .await
        };
        assert_eq!(seen(&world.mo).await, (1, true));
        assert_eq!(seen(&world.audrey).await, (1, true));
        assert_eq!(seen(&world.stranger).await, (0, false));
    }
}

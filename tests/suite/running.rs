//! A queued run is taken, does its work or fails with its reason, and ends exactly once.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use chrono::Duration;
use diesel::prelude::*;
use tidegate::app::App;
use tidegate::db::schema::{application_access, connection_applications, members, run_leases, runs as runs_table};
use tidegate::error::{AppError, Result};
use tidegate::imports::{Mode, Overlap};
use tidegate::runs::work::{Done, Job, Retry, Undone, Work};
use tidegate::runs::{Run, RunResult, RunStatus, Started, actions, dispatcher, executor, rescue};

use crate::dispatching::{outcomes, runs, second_process};
use crate::schedules::{create, daily, draft};
use crate::support::stage::{Stage, csv, rows, stage};
use crate::support::{Person, World};

pub async fn try_start(world: &World, by: &Person, stage: &Stage) -> Result<Started> {
    let (by, configuration, now) = (by.clone(), stage.configuration, world.now());
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            actions::start_by_hand(conn, &by, configuration, None, None, now)
        })
        .await
}

pub async fn start(world: &World, stage: &Stage) -> Run {
    try_start(world, &world.olive, stage).await.unwrap_or_else(|e| panic!("{e:?}")).run
}

async fn try_again(world: &World, id: i64) -> Result<Started> {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = olive.by(conn)?;
            actions::again(conn, &by, id, now)
        })
        .await
}

async fn try_cancel(world: &World, id: i64) -> Result<Run> {
    let (olive, now) = (world.olive.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = olive.by(conn)?;
            actions::cancel(conn, &by, id, now)
        })
        .await
}

pub async fn run(world: &World, id: i64) -> Run {
    let ada = world.ada.clone();
    world
        .read(move |conn| {
            let by = ada.by(conn)?;
            Ok(actions::find(conn, &by, id)?.0)
        })
        .await
}

/// Sees queued runs through until none may begin.
pub async fn work_off(world: &World) {
    while world.step(executor::step).await.is_some() {}
}

/// Work that goes as it was told, attempt by attempt.
struct Script(Mutex<VecDeque<Result<Done, Undone>>>);

impl Script {
    fn of(outcomes: impl IntoIterator<Item = Result<Done, Undone>>) -> Arc<Self> {
        Arc::new(Self(Mutex::new(outcomes.into_iter().collect())))
    }
}

impl Work for Script {
    fn perform(&self, _: &App, _: &Job<'_>) -> Result<Done, Undone> {
        self.0.lock().unwrap().pop_front().expect("more attempts than the script has")
    }
}

/// Work that calls something in its middle.
struct Midway<F>(F);

impl<F: Fn(&App, &Job<'_>) -> Result<Done, Undone> + Sync> Work for Midway<F> {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone> {
        (self.0)(app, job)
    }
}

fn added(rows: i64) -> Done {
    Done { result: RunResult { read: rows, added: rows, ..RunResult::default() }, ..Done::default() }
}

fn refused(retry: Retry) -> Result<Done, Undone> {
    Err(Undone::new("The source did not answer.", retry))
}

async fn attempt(world: &World, script: &Arc<Script>) -> Option<i64> {
    let script = script.clone();
    world.step(move |app| executor::step_with(app, script.as_ref())).await
}

on_both! {
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
        assert!(reason.starts_with("Attempt 1 failed: The source did not answer. It is tried again after"), "{reason}");
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
        assert_eq!(waiting.reason.as_deref(), Some("Waits for another run of this Block."));
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
        let words = "The Connection Folder of words is not authorised for this Application any more.";
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

    async fn a_run_that_waits_is_cancelled_at_once(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let cancelled = try_cancel(&world, started.id).await.unwrap();
        assert_eq!(cancelled.status, RunStatus::Cancelled);
        assert_eq!(cancelled.reason.as_deref(), Some("Cancelled by Olive before it began."));
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
            Err(Undone::new("It was cancelled while the source was being read.", Retry::No))
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
            assert_eq!((rescued.queued_again, rescued.failed), if attempt < 3 { (1, 0) } else { (0, 1) });
        }
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.unwrap().starts_with("Interrupted: the server stopped while it ran. It was tried 3 times"));
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
        assert_eq!(world.step(rescue::step).await.failed, 1);
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
        assert!(ended.cause.unwrap().starts_with("The attempt took longer than the 1.0 s that it may."));
    }

    async fn a_panic_in_the_work_is_a_failure_of_that_run_alone(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let work = Midway(|_: &App, _: &Job<'_>| panic!("on purpose"));
        world.step(move |app| executor::step_with(app, &work)).await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert_eq!(ended.cause.as_deref(), Some("Something went wrong on our side; the server's log says more."));
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

/// What was cancelled too late for one step is still in the queue.
async fn work_off_scripted(world: &World) {
    let open = world
        .read(|conn| Ok(runs_table::table.filter(runs_table::finished_at.is_null()).count().get_result::<i64>(conn)?))
        .await;
    for _ in 0..open {
        attempt(world, &Script::of([Ok(added(1))])).await;
    }
}

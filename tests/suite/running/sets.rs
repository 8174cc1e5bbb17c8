//! The run of a set: its steps in their order or at once, what a failure stops, and going on from it.

use std::collections::HashMap;

use serde_json::json;
use tidegate::import_sets::{self, Execution, ImportSet, OnFailure, SetDefinition, Step};
use tidegate::imports::guard::Guard;
use tidegate::runs::sets::{self, SetRun};
use tidegate::runs::{decisions, retention};

use super::*;

const NAMES: [&str; 5] = ["accounts", "entities", "products", "stores", "customers"];

/// Five configurations whose files are there, but for the products.
async fn five(world: &World) -> Vec<Stage> {
    let mut stages = Vec::new();
    for name in NAMES {
        stages.push(stage(world, name, Mode::Append, |definition| definition.attempts = 1).await);
        if name != "products" {
            csv(world, name, &[("1", name), ("2", "more")]);
        }
    }
    stages
}

pub async fn make(world: &World, execution: Execution, on_failure: OnFailure, steps: Vec<Step>) -> ImportSet {
    let draft =
        import_sets::Draft { name: "Month end".to_owned(), definition: SetDefinition { execution, on_failure, steps } };
    let (olive, application, now) = (world.olive.clone(), world.application, world.now());
    let secrets = world.app().secrets.clone();
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = import_sets::actions::enter(conn, &by, application)?;
            import_sets::actions::create(conn, &secrets, &by, &entered, draft, now)
        })
        .await
}

async fn of_stages(world: &World, execution: Execution, on_failure: OnFailure, stages: &[Stage]) -> ImportSet {
    make(world, execution, on_failure, stages.iter().map(|stage| Step::of(stage.configuration)).collect()).await
}

pub async fn start_set(world: &World, set: &ImportSet) -> Run {
    let (olive, id, now, secrets) = (world.olive.clone(), set.id, world.now(), world.app().secrets.clone());
    let started = world
        .write(move |conn| {
            let by = olive.by(conn)?;
            actions::start_by_hand(conn, &secrets, &by, Target::Set(id), None, None, now)
        })
        .await;
    started.run
}

pub async fn of_set(world: &World, id: i64) -> SetRun {
    world.read(move |conn| Ok(sets::of(conn, id)?.expect("a set's run that has begun"))).await
}

/// The words of the steps' statuses; "" of one that waits.
pub async fn statuses(world: &World, id: i64) -> Vec<&'static str> {
    of_set(world, id).await.steps.iter().map(|step| step.status.map_or("", RunStatus::words)).collect()
}

async fn again_all(world: &World, id: i64) -> Result<Run> {
    let (olive, now) = (world.olive.clone(), world.now());
    let started = world.try_write(move |conn| {
        let by = olive.by(conn)?;
        actions::again_from(conn, &by, id, true, now)
    });
    let started = started.await?;
    Ok(started.run)
}

fn all_rows(world: &World, stages: &[Stage]) -> Vec<i64> {
    stages.iter().map(|stage| rows(world, stage.block)).collect()
}

on_both! {
    async fn a_failed_step_stops_the_rest_and_the_set_goes_on_from_there(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Success", "Failed", "Skipped", "Skipped"]);
        let ended = run(&world, first.id).await;
        let cause = ended.cause.clone().unwrap();
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(cause.starts_with("Step 3, products, failed: "), "{cause}");
        assert!(cause.contains("products.csv") && cause.ends_with(" 2 steps were not started."), "{cause}");
        assert_eq!(ended.result.as_ref().map(|result| result.added), Some(4));
        assert_eq!(all_rows(&world, &stages), [2, 2, 0, 0, 0]);
        let failed = of_set(&world, first.id).await.steps[2].run_id.unwrap();
        let step = run(&world, failed).await;
        assert_eq!((step.parent_id, step.trigger.as_str(), step.planned_at), (Some(first.id), "set", Some(first.queued_at)));
        let flagged = world.read(move |conn| tidegate::imports::by_id(conn, step.configuration_id.unwrap())).await;
        assert_eq!(flagged.unwrap().status, Some(tidegate::imports::ConfigurationStatus::Failed), "a failed step flags its configuration");
        // The file is there now, and those of the first steps have changed: they are not loaded once more.
        csv(&world, "products", &[("7", "seven")]);
        csv(&world, "accounts", &[("8", "eight")]);
        world.advance(Duration::days(1));
        let second = try_again(&world, first.id).await.unwrap().run;
        assert_eq!((second.planned_at, second.repeat_no), (Some(first.queued_at), 1));
        let same = try_again(&world, first.id).await.unwrap();
        assert_eq!((same.run.id, same.waiting_already), (second.id, true));
        work_off(&world).await;
        assert_eq!(statuses(&world, second.id).await, ["Success"; 5]);
        let taken: Vec<bool> = of_set(&world, second.id).await.steps.iter().map(|step| step.taken_over).collect();
        assert_eq!(taken, [true, true, false, false, false]);
        let done = run(&world, second.id).await;
        assert_eq!((done.status, done.result.map(|result| result.added)), (RunStatus::Success, Some(5)));
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
        assert_eq!(statuses(&world, first.id).await[2..], ["Failed", "Skipped", "Skipped"], "the first run stays true");
        assert!(try_again(&world, first.id).await.is_err(), "only the latest one");
        // All were done: run again, all are done once more, and what they appended is replaced.
        let third = try_again(&world, second.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(statuses(&world, third.id).await, ["Success"; 5]);
        assert_eq!(all_rows(&world, &stages), [1, 2, 1, 2, 2], "nothing is there twice");
    }

    async fn all_of_it_can_be_run_again(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        work_off(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let second = again_all(&world, first.id).await.unwrap();
        work_off(&world).await;
        assert!(of_set(&world, second.id).await.steps.iter().all(|step| !step.taken_over));
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2], "nothing is there twice");
    }

    async fn a_set_goes_on_after_a_failure_where_that_was_asked_for(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Continue, &stages).await;
        let first = start_set(&world, &set).await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Success", "Failed", "Success", "Success"]);
        let ended = run(&world, first.id).await;
        let reason = "1 of 5 steps did not succeed: products.";
        assert_eq!((ended.status, ended.reason.as_deref()), (RunStatus::Partial, Some(reason)));
        csv(&world, "products", &[("7", "seven")]);
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(run(&world, second.id).await.status, RunStatus::Success);
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
        let kept = world.read(move |conn| import_sets::by_id(conn, set.id)).await.unwrap();
        assert_eq!((kept.status_run_id, kept.status.map(|s| s.as_str())), (Some(second.id), Some("success")));
    }

    async fn parallel_steps_go_at_once_and_a_failure_withdraws_what_waits(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Parallel, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        let taken = world.step(|app| executor::take_up_to(app, 3)).await;
        assert_eq!(taken.len(), 3, "at once");
        let waiting = of_set(&world, first.id).await;
        assert_eq!(waiting.steps.iter().filter(|step| step.status == Some(RunStatus::Queued)).count(), 2);
        let mut taken: HashMap<i64, executor::Taken> =
            taken.into_iter().map(|taken| (taken.run.configuration_id.unwrap(), taken)).collect();
        let products = taken.remove(&stages[2].configuration).unwrap();
        world.step(move |app| executor::see_through(app, products, &tidegate::runs::work::Import)).await;
        assert_eq!(statuses(&world, first.id).await, ["Running", "Running", "Failed", "Skipped", "Skipped"]);
        let withdrawn = of_set(&world, first.id).await.steps[3].run_id.unwrap();
        let why = "Not started: step 3, products, failed, and the import set stops then.";
        assert_eq!(run(&world, withdrawn).await.reason.as_deref(), Some(why));
        for (_, taken) in taken {
            world.step(move |app| executor::see_through(app, taken, &tidegate::runs::work::Import)).await;
        }
        let ended = run(&world, first.id).await;
        assert_eq!(ended.status, RunStatus::Failed, "{:?}", ended.cause);
        assert_eq!(all_rows(&world, &stages), [2, 2, 0, 0, 0], "what went came to its end");
        csv(&world, "products", &[("7", "seven")]);
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(statuses(&world, second.id).await, ["Success"; 5]);
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
    }

    async fn parallel_steps_of_one_block_wait_for_each_other_and_say_so(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let steps = vec![Step::of(stage.configuration); 2];
        let set = make(&world, Execution::Parallel, OnFailure::Continue, steps).await;
        let first = start_set(&world, &set).await;
        assert_eq!(world.step(|app| executor::take_up_to(app, 5)).await.len(), 1, "one at a time");
        let waits = of_set(&world, first.id).await.steps[1].run_id.unwrap();
        let why = "Waiting for another run that writes this Block.";
        assert_eq!(run(&world, waits).await.reason.as_deref(), Some(why));
    }

    async fn a_partial_step_fails_where_the_set_says_so(world: World) {
        let strict = stage(&world, "strict", Mode::Append, |_| ()).await;
        let after = stage(&world, "after", Mode::Append, |_| ()).await;
        csv(&world, "strict", &[("1", "one"), ("x", "two")]);
        csv(&world, "after", &[("1", "one")]);
        let steps = |partial_fails| {
            vec![Step { partial_fails, ..Step::of(strict.configuration) }, Step::of(after.configuration)]
        };
        let set = make(&world, Execution::Sequential, OnFailure::Stop, steps(true)).await;
        let first = start_set(&world, &set).await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Partial", "Skipped"]);
        assert_eq!(run(&world, first.id).await.status, RunStatus::Failed);
        // Run again, what was loaded of it is replaced.
        csv(&world, "strict", &[("1", "one"), ("2", "two")]);
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(statuses(&world, second.id).await, ["Success", "Success"]);
        assert_eq!(all_rows(&world, &[strict, after]), [2, 1]);
    }

    async fn the_next_run_of_a_set_waits_for_the_one_that_goes(world: World) {
        let stages = five(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        world.step(executor::step).await;
        assert_eq!(run(&world, first.id).await.status, RunStatus::Running);
        let second = start_set(&world, &set).await;
        assert_ne!(second.id, first.id);
        let taken = world.step(|app| executor::take_up_to(app, 3)).await;
        assert_eq!(taken.len(), 1);
        let waits = run(&world, second.id).await;
        let why = "Waiting for the previous run of this import set.";
        assert_eq!((waits.status, waits.reason.as_deref()), (RunStatus::Queued, Some(why)));
        assert_eq!(start_set(&world, &set).await.id, second.id, "a further click finds the one that waits");
        for taken in taken {
            world.step(move |app| executor::see_through(app, taken, &tidegate::runs::work::Import)).await;
        }
        work_off(&world).await;
        assert_eq!((statuses(&world, first.id).await, run(&world, first.id).await.status), (vec!["Success"; 5], RunStatus::Success));
        assert_eq!(run(&world, second.id).await.status, RunStatus::Failed, "the keys are there");
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
    }

    async fn a_set_is_cancelled_as_a_whole(world: World) {
        let stages = five(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let set = of_stages(&world, Execution::Sequential, OnFailure::Continue, &stages).await;
        let first = start_set(&world, &set).await;
        world.step(executor::step).await;
        world.step(executor::step).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Success", "Queued", "", ""]);
        let cancelled = try_cancel(&world, first.id).await.unwrap();
        assert_eq!(cancelled.status, RunStatus::Cancelled);
        let reason = "Olive Martin cancelled the import set. 3 steps were not started. What 2 steps loaded stays.";
        let said = cancelled.reason.unwrap();
        assert!(said.ends_with(&reason[12..]), "{said}");
        assert_eq!(statuses(&world, first.id).await[2..], ["Cancelled", "Skipped", "Skipped"]);
        assert_eq!(world.step(executor::step).await, None);
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(statuses(&world, second.id).await, ["Success"; 5]);
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
    }

    async fn a_worker_is_asked_to_stop_when_its_set_is_cancelled(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Continue, &stages).await;
        let first = start_set(&world, &set).await;
        let taken = world.step(executor::take).await.unwrap();
        assert_eq!(try_cancel(&world, first.id).await.unwrap().status, RunStatus::Running);
        let cancelling = Midway(|_: &App, job: &Job<'_>| {
            let asked = job.cancelled.load(std::sync::atomic::Ordering::Acquire);
            assert!(!asked, "it is looked for twice a second");
            while !job.cancelled.load(std::sync::atomic::Ordering::Acquire) {
                std::thread::sleep(std::time::Duration::from_millis(10));
            }
            refused(Retry::No)
        });
        world.step(move |app| executor::see_through(app, taken, &cancelling)).await;
        assert_eq!(statuses(&world, first.id).await, ["Cancelled", "Skipped", "Skipped", "Skipped", "Skipped"]);
        assert_eq!(run(&world, first.id).await.status, RunStatus::Cancelled);
    }

    async fn a_cancelled_step_counts_as_failed_and_the_set_goes_on_by_its_rules(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages[..2]).await;
        let first = start_set(&world, &set).await;
        world.step(executor::step).await;
        let second_step = of_set(&world, first.id).await.steps[1].run_id.unwrap();
        try_cancel(&world, second_step).await.unwrap();
        let ended = run(&world, first.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.as_deref().unwrap().starts_with("Step 2, entities, was cancelled: "), "{:?}", ended.cause);
    }

    async fn a_worker_that_dies_in_the_middle_loads_no_step_twice(world: World) {
        let stages = five(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        world.step(executor::step).await;
        // It has loaded the second step, and dies before it can say so.
        let taken = world.step(executor::take).await.unwrap();
        let dies = Midway(|app: &App, job: &Job<'_>| {
            tidegate::runs::work::Import.perform(app, job)?;
            refused(Retry::Unknown)
        });
        world.step(move |app| executor::see_through(app, taken, &dies)).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Running", "", "", ""]);
        world.advance(Duration::minutes(5));
        world.step(rescue::step).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Success", "Queued", "", ""]);
        // And one that dies before it has loaded.
        let _ = world.step(executor::take).await.unwrap();
        world.advance(Duration::minutes(5));
        world.step(rescue::step).await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await[3..], ["Skipped", "Skipped"], "its one attempt is gone");
        assert_eq!(run(&world, first.id).await.status, RunStatus::Failed);
        assert_eq!(all_rows(&world, &stages), [2, 2, 0, 0, 0]);
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(statuses(&world, second.id).await, ["Success"; 5]);
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
    }

    async fn two_processes_run_a_set_once(world: World) {
        let stages = five(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let set = of_stages(&world, Execution::Parallel, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        let other = second_process(&world).await;
        let there = std::thread::spawn(move || while executor::step(&other).unwrap().is_some() {});
        work_off(&world).await;
        there.join().unwrap();
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Success"; 5]);
        let of_it = |all: Vec<Run>| all.into_iter().filter(|run| run.parent_id == Some(first.id)).count();
        assert_eq!(of_it(runs(&world).await), 5);
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
    }

    async fn a_held_step_stops_the_set_and_once_approved_it_goes_on_behind_it(world: World) {
        let guarded = stage(&world, "guarded", Mode::Replace, |definition| {
            definition.guard = Guard { max_drop_percent: Some(10) };
        }).await;
        let after = stage(&world, "after", Mode::Append, |_| ()).await;
        csv(&world, "after", &[("1", "one")]);
        let many: Vec<String> = (0..40).map(|n| n.to_string()).collect();
        csv(&world, "guarded", &many.iter().map(|n| (n.as_str(), "x")).collect::<Vec<_>>());
        start(&world, &guarded).await;
        work_off(&world).await;
        csv(&world, "guarded", &[("1", "x")]);
        world.advance(Duration::minutes(1));
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &[guarded.clone(), after.clone()]).await;
        let first = start_set(&world, &set).await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Held", "Skipped"]);
        assert_eq!(run(&world, first.id).await.status, RunStatus::Failed);
        let held = of_set(&world, first.id).await.steps[0].run_id.unwrap();
        let (olive, now) = (world.olive.clone(), world.now());
        world
            .write(move |conn| {
                let by = olive.by(conn)?;
                decisions::approve(conn, &by, held, now)
            })
            .await;
        work_off(&world).await;
        assert_eq!(statuses(&world, first.id).await, ["Success", "Skipped"]);
        assert_eq!(run(&world, first.id).await.status, RunStatus::Failed, "the set's run changes no more");
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", first.id)).await.answered(200).sees("Run again from step 2");
        olive.press("Run again from step 2").await.answered(200);
        work_off(&world).await;
        let second = runs(&world).await.into_iter().filter(|run| run.set_id.is_some()).max_by_key(|run| run.id).unwrap();
        assert_eq!(statuses(&world, second.id).await, ["Success", "Success"]);
        assert_eq!(all_rows(&world, &[guarded, after]), [1, 1]);
    }

    async fn a_set_is_scheduled_and_its_planned_instant_is_kept(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let mut wanted = draft(&stages[0], &daily("09:00"));
        wanted.target = Target::Set(set.id);
        let schedule = create(&world, wanted).await;
        let planned = schedule.next_at.unwrap();
        world.advance(planned.since(world.now()) + Duration::seconds(2));
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let of_schedule = |all: Vec<Run>| all.into_iter().filter(|run| run.schedule_id == Some(schedule.id)).collect::<Vec<_>>();
        let first = of_schedule(runs(&world).await).pop().unwrap();
        assert_eq!((first.set_id, first.planned_at, first.status), (Some(set.id), Some(planned), RunStatus::Failed));
        let failed = of_set(&world, first.id).await.steps[2].run_id.unwrap();
        let step = run(&world, failed).await;
        assert_eq!((step.planned_at, step.schedule_id, step.as_member_id), (Some(planned), None, first.as_member_id));
        csv(&world, "products", &[("7", "seven")]);
        world.advance(Duration::hours(2));
        let second = try_again(&world, first.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!((second.planned_at, run(&world, second.id).await.status), (Some(planned), RunStatus::Success));
        // The next occurrence meets the set while it goes.
        let third = start_set(&world, &set).await;
        world.step(executor::take).await.unwrap();
        assert_eq!(run(&world, third.id).await.status, RunStatus::Running);
        world.advance(planned.since(world.now()) + Duration::days(1) + Duration::seconds(2));
        world.step(dispatcher::step).await;
        let newest = of_schedule(runs(&world).await).into_iter().max_by_key(|run| run.id).unwrap();
        assert_eq!(newest.reason.as_deref(), Some("The previous run was still running."));
    }

    async fn who_lost_the_right_starts_no_step(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let first = start_set(&world, &set).await;
        let olive = world.olive.id;
        world
            .write(move |conn| {
                Ok(diesel::update(members::table.find(olive)).set(members::active.eq(false)).execute(conn)?)
            })
            .await;
        work_off(&world).await;
        let ended = run(&world, first.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.as_deref().unwrap().contains("is deactivated"), "{:?}", ended.cause);
        assert_eq!(statuses(&world, first.id).await, ["Skipped"; 5]);
    }

    async fn retention_takes_sets_and_their_steps(world: World) {
        let stages = five(&world).await;
        csv(&world, "products", &[("7", "seven")]);
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        for _ in 0..3 {
            start_set(&world, &set).await;
            work_off(&world).await;
            world.advance(Duration::minutes(1));
        }
        let before = runs(&world).await.len();
        world.advance(Duration::days(2 * retention::DAYS + 1));
        world.step(retention::step).await;
        assert_eq!(runs(&world).await.len(), before, "few of a set or a configuration stay, however old");
    }

    async fn the_summary_shows_each_step(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let mut olive = world.browser(&world.olive).await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        create(&world, draft(&stages[0], &daily("09:00"))).await;
        olive.visit(&list).await.answered(200).sees("Import sets").sees("5 steps, sequential");
        olive.within(&format!("#cfg-s{}", set.id)).press("Run now: start an import of Month end right now").await;
        olive.everywhere().sees("Started: Month end IntegrationSet.");
        work_off(&world).await;
        olive.visit(&list).await.answered(200);
        olive.within(&format!("#cfg-s{}", set.id)).sees("Step 3, products, failed");
        olive.follow("View Summary").await.answered(200);
        olive.everywhere().sees("2 of 5 steps").sees("1 failed, 2 skipped").sees("Step 3 stopped the set.");
        olive.sees("Run all 5 again");
        olive.in_row("run of step 1").sees("2 added, 0 changed, 0 removed");
        csv(&world, "products", &[("7", "seven")]);
        olive.everywhere().press("Run again from step 3").await.answered(200);
        work_off(&world).await;
        let second = runs(&world).await.into_iter().filter(|run| run.set_id.is_some()).max_by_key(|run| run.id).unwrap();
        olive.visit(&format!("/runs/{}", second.id)).await.answered(200).sees("5 of 5 steps").sees("Taken over from run");
        olive.visit(&format!("{}/history", path_of(&world, &set))).await.answered(200).sees("Month end").sees("Run again by");
        let csv = olive.get(&format!("{}/history.csv", path_of(&world, &set))).await.body;
        assert_eq!(csv.lines().count(), 3, "{csv}");
    }

    async fn a_set_by_api(world: World) {
        let stages = five(&world).await;
        let set = of_stages(&world, Execution::Sequential, OnFailure::Stop, &stages).await;
        let api = world.api(&world.olive).await;
        let begun = api.post(&format!("import-sets/{}/runs", set.id), json!({})).await;
        begun.is(202);
        let id = begun.json["id"].as_i64().unwrap();
        work_off(&world).await;
        let shown = api.get(&format!("runs/{id}")).await;
        let statuses: Vec<&str> = shown.json["steps"].as_array().unwrap().iter().map(|s| s["status"].as_str().unwrap()).collect();
        assert_eq!(statuses, ["success", "success", "failed", "skipped", "skipped"]);
        assert_eq!((shown.json["set_id"].as_i64(), shown.json["configuration_id"].as_i64()), (Some(set.id), None));
        let children = api.get(&format!("runs?parent_id={id}")).await;
        assert_eq!(children.json["items"].as_array().unwrap().len(), 3);
        let undeclared = api.post(&format!("import-sets/{}/runs", set.id), json!({ "parameters": { "day": "1" } })).await;
        undeclared.is(422);
        assert_eq!(undeclared.wrong_fields(), ["parameters.day"]);
        csv(&world, "products", &[("7", "seven")]);
        api.post(&format!("runs/{id}/again"), json!({ "all": true })).await.is(202);
        work_off(&world).await;
        assert_eq!(all_rows(&world, &stages), [2, 2, 1, 2, 2]);
        let rule = json!({ "set_id": set.id, "repeat": "days", "start_date": "2026-10-12", "start_time": "09:00", "time_zone": "Europe/Paris" });
        let scheduled = api.post(&format!("applications/{}/schedules", world.application), rule.clone()).await;
        scheduled.is(201);
        assert_eq!(scheduled.json["set_id"].as_i64(), Some(set.id));
        let mut both = rule.clone();
        both["configuration_id"] = json!(stages[0].configuration);
        let refused = api.post(&format!("applications/{}/schedules", world.application), both).await;
        assert_eq!(refused.wrong_fields(), ["set_id"]);
        let moved = api.patch(&format!("schedules/{}", scheduled.json["id"]), json!({ "configuration_id": stages[0].configuration })).await;
        assert_eq!((moved.json["configuration_id"].as_i64(), moved.json["set_id"].as_i64()), (Some(stages[0].configuration), None));
    }
}

fn path_of(world: &World, set: &ImportSet) -> String {
    format!("/applications/{}/settings/import-sets/{}", world.application, set.id)
}

//! Due occurrences become runs: each exactly once, none lost, never a burst.

use std::sync::Arc;

use chrono::Duration;
use tidegate::app::App;
use tidegate::imports::{Mode, Overlap};
use tidegate::runs::{Filter, Run, RunStatus, Trigger, actions, dispatcher};
use tidegate::schedules::Draft;

use crate::schedules::{create, daily, draft, every_five, find, once};
use crate::support::World;
use crate::support::stage::stage;
use crate::support::world::moment;

/// All runs, the oldest first.
pub async fn runs(world: &World) -> Vec<Run> {
    let ada = world.ada.clone();
    let mut found = world
        .read(move |conn| {
            let by = ada.by(conn)?;
            actions::list(conn, &by, &Filter::default(), None, 5_000)
        })
        .await;
    found.reverse();
    found
}

/// The runs whose end is announced, by id.
pub async fn outcomes(world: &World) -> Vec<i64> {
    use diesel::prelude::*;
    use tidegate::db::schema::outcomes;
    world.read(|conn| Ok(outcomes::table.order(outcomes::run_id).select(outcomes::run_id).load(conn)?)).await
}

/// Another process on the same databases, with the same standing clock.
pub async fn second_process(world: &World) -> Arc<App> {
    let (config, url) = (world.app().config.clone(), world.app().base_url.clone());
    let mut app =
        tokio::task::spawn_blocking(move || App::open(config, url, tidegate::guards::ALL)).await.unwrap().unwrap();
    app.clock = world.app().clock.clone();
    app.server_clock = None;
    Arc::new(app)
}

fn planned(runs: &[Run]) -> Vec<String> {
    runs.iter().map(|r| format!("{} {}", r.planned_at.unwrap(), r.status)).collect()
}

on_both! {
    async fn an_occurrence_becomes_one_run_of_its_owner(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let named = Draft { run_name: Some("Evening prices".into()), ..draft(&stage, &daily("18:00")) };
        let schedule = create(&world, named).await;
        world.set_clock("2026-10-08T17:59:59Z");
        let early = world.step(dispatcher::step).await;
        assert_eq!((early.queued, early.next_due), (0, Some(moment("2026-10-08T18:00:00Z"))));
        world.set_clock("2026-10-08T18:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        assert_eq!(world.step(dispatcher::step).await.queued, 0);
        let runs = runs(&world).await;
        let run = &runs[0];
        assert_eq!((runs.len(), run.status, run.trigger, run.late), (1, RunStatus::Queued, Trigger::Schedule, false));
        assert_eq!((run.schedule_id, run.as_member_id), (Some(schedule.id), Some(world.olive.id)));
        assert_eq!((run.name.as_str(), run.planned_at), ("Evening prices", Some(moment("2026-10-08T18:00:00Z"))));
        assert_eq!(find(&world, schedule.id).await.next_at, Some(moment("2026-10-09T18:00:00Z")));
    }

    /// Skipped as "still running" it would never be heard of.
    async fn a_definition_that_cannot_be_read_is_no_default(world: World) {
        use diesel::prelude::*;
        use tidegate::db::schema::configuration_versions as versions;
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-08T16:45:00Z");
        world.step(dispatcher::step).await;
        world.write(|conn| {
            Ok(diesel::update(versions::table).set(versions::definition.eq("{\"overlap\":\"both\"}")).execute(conn)?)
        }).await;
        world.write(|conn| crate::support::seed::batch(conn, "UPDATE runs SET status = 'running', waits_for = NULL")).await;
        world.set_clock("2026-10-08T16:50:00Z");
        world.step(dispatcher::step).await;
        let found = planned(&runs(&world).await);
        assert_eq!(found, ["2026-10-08T16:45:00Z running", "2026-10-08T16:50:00Z queued"]);
    }

    async fn two_processes_run_many_occurrences_at_once_and_each_once(world: World) {
        let many = if crate::support::settings::full() { 1_000 } else { 100 };
        // Each its own configuration, so that none waits for another.
        let first = stage(&world, "c0", Mode::Append, |_| ()).await;
        let (application, now, block, connection) = (world.application, world.now(), first.block, first.connection);
        let (olive, secrets) = (world.olive.clone(), world.app().secrets.clone());
        let draft_of = move |id: i64| Draft { target: tidegate::imports::Target::Configuration(id), ..draft(&first, &daily("18:00")) };
        world
            .write(move |conn| {
                let by = olive.by(conn)?;
                let entered = tidegate::applications::enter(conn, &by, application)?;
                for i in 1..=many {
                    let mut definition = tidegate::imports::Definition::new(Mode::Append);
                    definition.source.path = Some("c0.csv".into());
                    let made = tidegate::imports::create(
                        conn,
                        &by,
                        &entered,
                        tidegate::imports::Draft {
                            name: format!("c{i}"),
                            description: String::new(),
                            block_id: block,
                            connection_id: Some(connection),
                            source_block_id: None,
                            definition,
                        },
                        now,
                    )?;
                    tidegate::schedules::actions::create(conn, &secrets, &by, application, draft_of(made.id), now)?;
                }
                Ok(())
            })
            .await;
        world.set_clock("2026-10-08T18:00:00Z");
        let second = second_process(&world).await;
        let began = std::time::Instant::now();
        let steps: Vec<_> = (0..4)
            .map(|i| {
                let (one, two) = (world.app().clone(), second.clone());
                tokio::task::spawn_blocking(move || {
                    if i % 2 == 0 { dispatcher::step(&one) } else { dispatcher::step(&two) }
                })
            })
            .collect();
        let mut queued = 0;
        for step in steps {
            // SQLite lets one write at a time and may say so; the next beat comes anyway.
            queued += step.await.unwrap().map_or(0, |done| done.queued);
        }
        println!("{many} occurrences in {:?}", began.elapsed());
        queued += world.step(dispatcher::step).await.queued;
        assert_eq!(queued, many);
        let runs = runs(&world).await;
        let configurations: std::collections::BTreeSet<_> = runs.iter().map(|r| r.configuration_id).collect();
        assert_eq!((runs.len(), configurations.len()), (many, many));
    }

    async fn three_days_down_are_one_late_run_and_one_range(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-11T16:43:30Z");
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.missed), (1, 1));
        let runs = runs(&world).await;
        assert_eq!(planned(&runs), ["2026-10-08T16:45:00Z missed", "2026-10-11T16:40:00Z queued"]);
        let (missed, late) = (&runs[0], &runs[1]);
        assert_eq!(missed.planned_until, Some(moment("2026-10-11T16:35:00Z")));
        assert_eq!(missed.reason.as_deref(), Some(&*format!("The server was down; covered by run {}.", late.id)));
        assert!(late.late && !missed.late);
        assert_eq!(outcomes(&world).await, [] as [i64; 0], "what is covered tells nobody");
        assert_eq!(find(&world, schedule.id).await.next_at, Some(moment("2026-10-11T16:45:00Z")));
    }

    async fn what_no_run_covers_is_missed_and_told(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &once("2026-10-08", "18:00"))).await;
        world.set_clock("2026-10-11T18:00:01Z");
        assert_eq!(world.step(dispatcher::step).await.missed, 1);
        let runs = runs(&world).await;
        assert_eq!(planned(&runs), ["2026-10-08T18:00:00Z missed"]);
        assert_eq!((runs[0].reason.as_deref(), runs[0].planned_until), (Some("The server was down."), None));
        assert_eq!(outcomes(&world).await, [runs[0].id]);
    }

    async fn once_may_come_three_days_late(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, draft(&stage, &once("2026-10-08", "18:00"))).await;
        world.set_clock("2026-10-11T18:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        assert!(runs(&world).await[0].late);
        assert!(find(&world, schedule.id).await.finished_at.is_some());
    }

    async fn the_newest_missed_stands_for_the_configurations_other_schedules(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        create(&world, draft(&stage, &daily("19:00"))).await;
        world.set_clock("2026-10-08T20:00:00Z");
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.missed, done.skipped), (1, 1, 0));
        assert_eq!(planned(&runs(&world).await), ["2026-10-08T18:00:00Z missed", "2026-10-08T19:00:00Z queued"]);
        assert_eq!(outcomes(&world).await.len(), 0);
    }

    async fn an_occurrence_during_the_previous_run_is_skipped(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &every_five())).await;
        for minute in [45, 50] {
            world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
            world.step(dispatcher::step).await;
        }
        let runs = runs(&world).await;
        assert_eq!(planned(&runs), ["2026-10-08T16:45:00Z queued", "2026-10-08T16:50:00Z skipped"]);
        assert_eq!(runs[1].reason.as_deref(), Some("The previous run was still waiting in the queue."));
        assert!(runs[1].finished_at.is_some());
    }

    async fn or_one_of_them_queues(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |d| d.overlap = Overlap::Queue).await;
        create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-08T16:45:00Z");
        world.step(dispatcher::step).await;
        world.step(|app| tidegate::runs::executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        for minute in [50, 55] {
            world.set_clock(&format!("2026-10-08T16:{minute}:00Z"));
            world.step(dispatcher::step).await;
        }
        let states = ["2026-10-08T16:45:00Z running", "2026-10-08T16:50:00Z queued", "2026-10-08T16:55:00Z skipped"];
        assert_eq!(planned(&runs(&world).await), states);
    }

    async fn a_clock_that_goes_back_runs_nothing_twice(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-08T16:45:00Z");
        world.step(dispatcher::step).await;
        world.advance(-Duration::hours(1));
        assert_eq!(world.step(dispatcher::step).await.queued, 0);
        // Nor is it said to be planned by whoever turns it off and on, or saves it, in that hour.
        let next = Some(moment("2026-10-08T16:50:00Z"));
        crate::schedules::switch(&world, &world.olive, schedule.id, false).await;
        let on = crate::schedules::switch(&world, &world.olive, schedule.id, true).await.schedule;
        assert_eq!((on.next_at, find(&world, schedule.id).await.next_at), (next, next));
        world.set_clock("2026-10-08T16:45:30Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 0);
    }

    async fn of_two_at_one_instant_the_second_is_skipped(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let mut twin = daily("18:00");
        twin["start_date"] = "2026-10-02".into();
        create(&world, draft(&stage, &twin)).await;
        world.set_clock("2026-10-08T18:00:00Z");
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.skipped), (1, 1));
        let runs = runs(&world).await;
        assert_eq!(planned(&runs), ["2026-10-08T18:00:00Z queued", "2026-10-08T18:00:00Z skipped"]);
        assert_eq!(runs[1].reason.as_deref(), Some("The previous run was still waiting in the queue."));
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn a_run_by_hand_that_goes_counts_as_the_previous_one(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        crate::running::start(&world, &stage).await;
        world.step(|app| tidegate::runs::executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        world.set_clock("2026-10-08T18:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.skipped, 1);
        assert_eq!(runs(&world).await[1].reason.as_deref(), Some("The previous run was still running."));
    }

    async fn what_was_off_is_not_recorded(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, Draft { enabled: false, ..draft(&stage, &every_five()) }).await;
        world.set_clock("2026-10-11T16:43:30Z");
        world.step(dispatcher::step).await;
        crate::schedules::switch(&world, &world.olive, schedule.id, true).await;
        world.step(dispatcher::step).await;
        assert_eq!(runs(&world).await, []);
        world.set_clock("2026-10-11T16:45:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        assert_eq!(planned(&runs(&world).await), ["2026-10-11T16:45:00Z queued"]);
    }

    async fn after_an_outage_a_run_that_waits_is_still_one(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |d| d.overlap = Overlap::Queue).await;
        create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-08T16:45:00Z");
        world.step(dispatcher::step).await;
        world.set_clock("2026-10-08T18:02:00Z");
        world.step(dispatcher::step).await;
        let states =
            ["2026-10-08T16:45:00Z queued", "2026-10-08T16:50:00Z missed", "2026-10-08T18:00:00Z skipped"];
        assert_eq!(planned(&runs(&world).await), states);
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn a_broken_rule_is_set_aside_and_all_others_run(world: World) {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        let broken = create(&world, draft(&prices, &every_five())).await;
        create(&world, draft(&prices, &daily("18:45"))).await;
        create(&world, draft(&words, &every_five())).await;
        break_rule(&world, broken.id).await;
        world.set_clock("2026-10-08T16:45:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1, "of the other configuration");
        let found = find(&world, broken.id).await;
        let reason = found.broken.unwrap();
        assert!(reason.starts_with("Its rule cannot be read") && reason.ends_with("saves it again."), "{reason}");
        assert_eq!((found.next_at, found.enabled), (None, true), "its switch stays as it was");
        // What stands beside it on the page, and it is shown as what it is.
        let mut olive = world.browser(&world.olive).await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        olive.visit(&format!("{list}/configurations/{}?open=on&back={list}", prices.configuration)).await;
        olive.sees("Its rule cannot be read");
        assert_eq!(world.step(dispatcher::step).await.queued, 0);
        world.set_clock("2026-10-08T16:50:00Z");
        assert_eq!(world.step(dispatcher::step).await.skipped, 1, "the clock goes on");
    }

    async fn one_that_wakes_up_broken_keeps_nobody_asleep(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let until = moment("2026-10-08T17:00:00Z");
        let off = |rule| Draft { enabled: false, off_until: Some(until), ..draft(&stage, &rule) };
        let broken = create(&world, off(daily("18:00"))).await;
        let good = create(&world, off(daily("19:00"))).await;
        break_rule(&world, broken.id).await;
        world.set_clock("2026-10-08T17:00:00Z");
        world.step(dispatcher::step).await;
        assert_eq!(find(&world, good.id).await.next_at, Some(moment("2026-10-08T19:00:00Z")));
        let broken = find(&world, broken.id).await;
        assert!(broken.broken.is_some() && !broken.enabled && broken.off_until.is_none());
    }

    async fn after_a_crash_the_newest_runs_late_behind_the_interrupted_one(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let hourly = serde_json::json!({
            "repeat": "hours", "every": 1, "start_date": "2026-10-01", "start_time": "00:00", "time_zone": "UTC",
        });
        create(&world, draft(&stage, &hourly)).await;
        world.set_clock("2026-10-08T17:00:00Z");
        world.step(dispatcher::step).await;
        world.step(|app| tidegate::runs::executor::take(app).map(|taken| assert!(taken.is_some()))).await;
        // Killed; the next start is at 22:10.
        world.set_clock("2026-10-08T22:10:00Z");
        world.step(tidegate::runs::rescue::step).await;
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.skipped, done.missed), (1, 0, 1));
        let runs = runs(&world).await;
        let states = ["2026-10-08T17:00:00Z queued", "2026-10-08T18:00:00Z missed", "2026-10-08T22:00:00Z queued"];
        assert_eq!(planned(&runs), states);
        let covered = format!("The server was down; covered by run {}.", runs[2].id);
        assert_eq!(runs[1].reason.as_deref(), Some(covered.as_str()));
        assert!(runs[2].late && !runs[0].late);
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
        let first = world.step(tidegate::runs::executor::take).await.unwrap();
        assert_eq!(first.run.id, runs[0].id, "the interrupted one goes first");
    }

    async fn after_a_stop_the_newest_runs_late_behind_what_was_given_back(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let hourly = serde_json::json!({
            "repeat": "hours", "every": 1, "start_date": "2026-10-01", "start_time": "00:00", "time_zone": "UTC",
        });
        create(&world, draft(&stage, &hourly)).await;
        world.set_clock("2026-10-08T17:00:00Z");
        world.step(dispatcher::step).await;
        world
            .step(|app| {
                let taken = tidegate::runs::executor::take(app)?.unwrap();
                tidegate::runs::executor::give_back(app, &taken, "The server was stopped.")
            })
            .await;
        world.set_clock("2026-10-08T22:10:00Z");
        let done = world.step(dispatcher::step).await;
        assert_eq!((done.queued, done.skipped, done.missed), (1, 0, 1));
        let runs = runs(&world).await;
        assert_eq!(runs[0].attempt, 0, "a stop costs no attempt");
        let states = ["2026-10-08T17:00:00Z queued", "2026-10-08T18:00:00Z missed", "2026-10-08T22:00:00Z queued"];
        assert_eq!(planned(&runs), states);
        let covered = format!("The server was down; covered by run {}.", runs[2].id);
        assert_eq!(runs[1].reason.as_deref(), Some(covered.as_str()));
        let first = world.step(tidegate::runs::executor::take).await.unwrap();
        assert_eq!(first.run.id, runs[0].id, "what was given back goes first");
    }

    async fn a_set_that_cannot_be_read_fails_in_words(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let schedule = create(&world, draft(&stage, &daily("18:00"))).await;
        let (application, id, now) = (world.application, schedule.id, world.now());
        world
            .write(move |conn| {
                use diesel::prelude::*;
                use tidegate::db::schema::{import_sets, schedules};
                let set: i64 = diesel::insert_into(import_sets::table)
                    .values((
                        import_sets::application_id.eq(application),
                        import_sets::name.eq("Close"),
                        import_sets::name_key.eq("close"),
                        import_sets::version.eq(1),
                        import_sets::created_at.eq(now.micros()),
                    ))
                    .returning(import_sets::id)
                    .get_result(conn)?;
                diesel::update(schedules::table.find(id))
                    .set((
                        schedules::configuration_id.eq(None::<i64>),
                        schedules::set_id.eq(set),
                        schedules::target_key.eq(format!("s{set}")),
                    ))
                    .execute(conn)?;
                Ok(())
            })
            .await;
        world.set_clock("2026-10-08T18:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        assert_eq!(world.step(tidegate::runs::executor::step).await, None, "nobody works on it");
        let run = runs(&world).await.remove(0);
        assert_eq!((run.status, run.name.as_str(), run.attempt), (RunStatus::Failed, "Close IntegrationSet 2026-10-08 18:00", 1));
        let why = "The steps of the import set cannot be read. Save the import set again.";
        assert_eq!(run.cause.as_deref(), Some(why));
    }
}

/// As a stricter check, a zone that was dropped, or an older binary would leave it.
pub async fn break_rule(world: &World, id: i64) {
    use diesel::prelude::*;
    use tidegate::db::schema::schedules;
    world
        .write(move |conn| {
            let rule =
                r#"{"repeat":"days","every":1,"start_date":"2026-10-01","start_time":"06:00","time_zone":"Mars/Base"}"#;
            diesel::update(schedules::table.find(id)).set(schedules::rule.eq(rule)).execute(conn)?;
            Ok(())
        })
        .await;
}

//! Schedules: saved, switched, deleted; four at most; nothing lost at the moment of an occurrence.

use chrono::Duration;
use serde_json::{Value, json};
use tidegate::error::{AppError, Result};
use tidegate::imports::{Mode, Target};
use tidegate::runs::dispatcher;
use tidegate::schedules::actions;
use tidegate::schedules::{About, Draft, Notify, RuleDraft, Schedule, State, Switched};

use crate::support::stage::{Stage, stage};
use crate::support::world::moment;
use crate::support::{Person, World};

/// Every five minutes since the first of October.
pub fn every_five() -> Value {
    json!({ "repeat": "minutes", "every": 5, "start_date": "2026-10-01", "start_time": "00:00", "time_zone": "UTC" })
}

pub fn daily(time: &str) -> Value {
    json!({ "repeat": "days", "start_date": "2026-10-01", "start_time": time, "time_zone": "UTC" })
}

pub fn once(date: &str, time: &str) -> Value {
    json!({ "repeat": "once", "start_date": date, "start_time": time, "time_zone": "UTC" })
}

pub fn rule(rule: &Value) -> RuleDraft {
    let Value::Object(map) = rule else { panic!("a rule is an object") };
    RuleDraft::from_json(map)
}

pub fn draft(stage: &Stage, of: &Value) -> Draft {
    Draft {
        target: Target::Configuration(stage.configuration),
        run_name: None,
        rule: rule(of),
        enabled: true,
        off_until: None,
        notify: None,
        parameters: None,
    }
}

pub async fn try_create(world: &World, by: &Person, draft: Draft) -> Result<Schedule> {
    let (by, application, now) = (by.clone(), world.application, world.now());
    let secrets = world.app().secrets.clone();
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            actions::create(conn, &secrets, &by, application, draft, now)
        })
        .await
}

pub async fn create(world: &World, draft: Draft) -> Schedule {
    try_create(world, &world.olive, draft).await.unwrap_or_else(|e| panic!("{e:?}"))
}

pub async fn try_update(world: &World, by: &Person, id: i64, version: Option<i64>, draft: Draft) -> Result<Schedule> {
    let (by, now, secrets) = (by.clone(), world.now(), world.app().secrets.clone());
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            actions::update(conn, &secrets, &by, (id, version), draft, now)
        })
        .await
}

pub async fn switch(world: &World, by: &Person, id: i64, on: bool) -> Switched {
    let (by, now) = (by.clone(), world.now());
    world
        .write(move |conn| {
            let by = by.by(conn)?;
            actions::switch(conn, &by, id, on, None, now)
        })
        .await
}

pub async fn find(world: &World, id: i64) -> Schedule {
    let ada = world.ada.clone();
    world
        .read(move |conn| {
            let by = ada.by(conn)?;
            Ok(actions::find(conn, &by, id)?.0)
        })
        .await
}

fn invalid<T: std::fmt::Debug>(result: Result<T>, field: &str) -> String {
    match result {
        Err(AppError::Invalid(errors)) => errors.of(field).unwrap_or_else(|| panic!("{errors}")).to_owned(),
        other => panic!("{field} should be wrong: {other:?}"),
    }
}

fn conflict<T: std::fmt::Debug>(result: Result<T>) -> String {
    match result {
        Err(AppError::Conflict(words)) => words,
        other => panic!("a conflict was due: {other:?}"),
    }
}

on_both! {
    async fn whoever_saves_owns_it_and_it_waits_for_its_next_occurrence(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        assert_eq!(made.owner_id, world.olive.id);
        assert_eq!(made.next_at, Some(moment("2026-10-08T18:00:00Z")));
        assert_eq!((made.state(), made.sentence().as_str()), (State::On, "Every day at 18:00, UTC"));
        let same = try_update(&world, &world.ada, made.id, Some(1), made.draft()).await.unwrap();
        assert_eq!((same.owner_id, same.version), (world.olive.id, 1), "what changes nothing makes no Owner");
        let named = Draft { run_name: Some("Evening".into()), ..made.draft() };
        let saved = try_update(&world, &world.ada, made.id, Some(1), named).await.unwrap();
        assert_eq!((saved.owner_id, saved.version), (world.ada.id, 2));
        let switched = switch(&world, &world.olive, made.id, false).await.schedule;
        assert_eq!((switched.owner_id, switched.state()), (world.ada.id, State::Off), "a switch changes no Owner");
        assert_eq!(switched.next_at, None);
    }

    async fn twenty_at_once_make_exactly_four(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let tries: Vec<_> = (0..20)
            .map(|minute| {
                let (world, draft) = (world.clone(), draft(&stage, &daily(&format!("18:{minute:02}"))));
                tokio::spawn(async move { try_create(&world, &world.olive, draft).await })
            })
            .collect();
        let mut made = 0;
        for tried in tries {
            match tried.await.unwrap() {
                Ok(_) => made += 1,
                Err(AppError::Conflict(words)) => {
                    assert_eq!(words, "prices already has four schedules. Edit or delete one of them.");
                }
                Err(other) => panic!("{other:?}"),
            }
        }
        assert_eq!(made, 4);
        let configuration = stage.configuration;
        let there = world.read(move |conn| actions::of_targets(conn, &[Target::Configuration(configuration)])).await;
        assert_eq!(there.len(), 4);
    }

    async fn two_alike_are_refused_by_name(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let tries: Vec<_> = (0..20)
            .map(|_| {
                let (world, draft) = (world.clone(), draft(&stage, &daily("18:00")));
                tokio::spawn(async move { try_create(&world, &world.olive, draft).await })
            })
            .collect();
        let mut made = Vec::new();
        let words = "prices already has this schedule: Every day at 18:00, UTC, owned by Olive. Change that one, or choose \
                     other times.";
        for tried in tries {
            match tried.await.unwrap() {
                Ok(schedule) => made.push(schedule),
                other => assert_eq!(conflict(other), words),
            }
        }
        assert_eq!(made.len(), 1);
        let first = made.remove(0);
        // Off, it is there all the same; no parameters and an empty set of them are one.
        switch(&world, &world.olive, first.id, false).await;
        let named = Draft { run_name: Some("Evening".into()), parameters: Some(json!({})), ..first.draft() };
        assert!(conflict(try_create(&world, &world.ada, named).await).contains("owned by Olive, now off."));
        let other = create(&world, draft(&stage, &daily("19:00"))).await;
        let moved = Draft { rule: rule(&daily("18:00")), ..other.draft() };
        conflict(try_update(&world, &world.olive, other.id, None, moved).await);
        // Deleted and made anew by somebody, it cannot come back beside that.
        let (olive, application, id, now) = (world.olive.clone(), world.application, first.id, world.now());
        world
            .write({
                let olive = olive.clone();
                move |conn| {
                    let by = olive.by(conn)?;
                    actions::delete(conn, &by, id, None, now)
                }
            })
            .await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let back = world
            .try_write(move |conn| {
                let by = olive.by(conn)?;
                actions::restore(conn, &by, application, id, now)
            })
            .await;
        conflict(back);
        // One that has finished is no obstacle.
        create(&world, draft(&stage, &once("2026-10-08", "16:45"))).await;
        world.set_clock("2026-10-08T16:45:00Z");
        world.step(dispatcher::step).await;
        let passed = try_create(&world, &world.olive, draft(&stage, &once("2026-10-08", "16:45"))).await.unwrap();
        assert_eq!(passed.next_at, Some(moment("2026-10-08T16:45:00Z")), "its very instant");
    }

    async fn a_finished_schedule_gives_its_slot_back_and_may_be_given_a_future(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let first = create(&world, draft(&stage, &once("2026-10-08", "16:45"))).await;
        for time in ["18:00", "19:00", "20:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        conflict(try_create(&world, &world.olive, draft(&stage, &daily("21:00"))).await);
        world.set_clock("2026-10-08T16:45:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        let finished = find(&world, first.id).await;
        assert_eq!((finished.state(), finished.next_at), (State::Finished, None));
        let fifth = create(&world, draft(&stage, &daily("21:00"))).await;
        let again = Draft { rule: rule(&once("2026-10-09", "08:00")), ..finished.draft() };
        conflict(try_update(&world, &world.olive, first.id, None, again.clone()).await);
        let (olive, id, now) = (world.olive.clone(), fifth.id, world.now());
        world
            .write(move |conn| {
                let by = olive.by(conn)?;
                actions::delete(conn, &by, id, None, now)
            })
            .await;
        let alive = try_update(&world, &world.olive, first.id, None, again).await.unwrap();
        assert_eq!((alive.state(), alive.next_at), (State::On, Some(moment("2026-10-09T08:00:00Z"))));
    }

    async fn what_is_wrong_is_named_field_by_field(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let good = draft(&stage, &daily("18:00"));
        let past = Draft { rule: rule(&once("2026-10-08", "16:00")), ..good.clone() };
        invalid(try_create(&world, &world.olive, past).await, "start_time");
        let foreign = Draft { target: Target::Configuration(stage.configuration + 1_000), ..good.clone() };
        invalid(try_create(&world, &world.olive, foreign).await, "configuration_id");
        let long = Draft { run_name: Some("x".repeat(201)), ..good.clone() };
        invalid(try_create(&world, &world.olive, long).await, "run_name");
        let notify = |ids: &[i64]| Some(Notify { about: About::Failed, member_ids: ids.to_vec(), group_ids: Vec::new(), after: 1 });
        let stranger = Draft { notify: notify(&[world.stranger.id]), ..good.clone() };
        let words = invalid(try_create(&world, &world.olive, stranger).await, "notify.member_ids");
        assert_eq!(words, "Stranger has no access to FP&A 2026 and cannot be notified about it.");
        let nobody = Draft { notify: notify(&[]), ..good.clone() };
        invalid(try_create(&world, &world.olive, nobody).await, "notify.member_ids");
        let told = Draft { notify: notify(&[world.mo.id, world.ada.id, world.mo.id]), ..good.clone() };
        let made = try_create(&world, &world.olive, told).await.unwrap();
        let mut both = vec![world.ada.id, world.mo.id];
        both.sort();
        assert_eq!(find(&world, made.id).await.notify.unwrap().member_ids, both);
        let until = Draft { off_until: Some(world.now()), ..good };
        invalid(try_create(&world, &world.olive, until).await, "off_until");
    }

    async fn a_run_name_is_unique_among_the_unfinished(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let named = |time, name: &str| Draft { run_name: Some(name.into()), ..draft(&stage, &daily(time)) };
        let made = create(&world, named("18:00", "Evening")).await;
        conflict(try_create(&world, &world.olive, named("19:00", " evening ")).await);
        try_update(&world, &world.olive, made.id, None, made.draft()).await.unwrap();
    }

    async fn who_may_not_is_told_or_sees_nothing(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let tried = async |by: &Person| try_update(&world, by, made.id, None, made.draft()).await;
        assert!(matches!(tried(&world.stranger).await, Err(AppError::NotFound)));
        let ivy = tried(&world.ivy).await;
        assert!(matches!(ivy, Err(AppError::Forbidden(words)) if words.contains("Can Import Data")));
        assert!(matches!(tried(&world.audrey).await, Err(AppError::Forbidden(_))));
    }

    async fn two_who_edit_at_once_learn_of_each_other(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let named = Draft { run_name: Some("Evening".into()), ..made.draft() };
        try_update(&world, &world.ada, made.id, Some(1), named).await.unwrap();
        match try_update(&world, &world.olive, made.id, Some(1), made.draft()).await {
            Err(AppError::Stale(words)) => {
                assert!(words.starts_with("Ada changed this schedule on Thu 8 Oct 2026, 16:42 (UTC)"), "{words}");
            }
            other => panic!("{other:?}"),
        }
    }

    async fn saving_at_the_moment_of_an_occurrence_loses_nothing(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &every_five())).await;
        assert_eq!(made.next_at, Some(moment("2026-10-08T16:45:00Z")));
        world.set_clock("2026-10-08T16:45:00Z");
        let renamed = Draft { run_name: Some("Prices".into()), ..made.draft() };
        let saved = try_update(&world, &world.olive, made.id, None, renamed).await.unwrap();
        assert_eq!(saved.next_at, made.next_at, "still to be claimed");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        let changed = Draft { rule: rule(&daily("16:45")), ..saved.draft() };
        let saved = try_update(&world, &world.olive, made.id, None, changed).await.unwrap();
        assert_eq!(saved.next_at, Some(moment("2026-10-08T16:45:00Z")), "another rule counts from now");
        assert_eq!(world.step(dispatcher::step).await.queued, 0, "and yet no instant runs twice");
    }

    async fn turned_on_again_it_waits_and_says_what_passed(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &every_five())).await;
        switch(&world, &world.olive, made.id, false).await;
        world.advance(Duration::hours(1));
        assert_eq!(world.step(dispatcher::step).await, dispatcher::Dispatched::default(), "off is not planned");
        let on = switch(&world, &world.olive, made.id, true).await;
        assert_eq!(on.passed, 12);
        assert_eq!(on.schedule.next_at, Some(moment("2026-10-08T17:45:00Z")));
        let step = world.step(dispatcher::step).await;
        assert_eq!((step.queued, step.missed), (0, 0), "no storm");
        switch(&world, &world.olive, made.id, false).await;
        world.advance(Duration::days(5));
        assert_eq!(switch(&world, &world.olive, made.id, true).await.passed, 5 * 288, "however many");
    }

    /// The next occurrences are reckoned at each start with other zone data than the last one had.
    async fn new_zone_data_moves_what_is_to_come(world: World) {
        use diesel::prelude::*;
        use tidegate::db::schema::{schedules, workspace};
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let due = create(&world, draft(&stage, &daily("17:00"))).await;
        let off = create(&world, Draft { enabled: false, ..draft(&stage, &daily("19:00")) }).await;
        world.set_clock("2026-10-08T17:00:00Z");
        let set = async |at: &str, version: &'static str| {
            let (id, at) = (made.id, moment(at));
            world
                .write(move |conn| {
                    diesel::update(schedules::table.find(id)).set(schedules::next_at.eq(at)).execute(conn)?;
                    diesel::update(workspace::table).set(workspace::zone_data.eq(version)).execute(conn)?;
                    Ok(())
                })
                .await;
            world.step(tidegate::recovery::at_start).await;
            find(&world, id).await.next_at
        };
        assert_eq!(set("2026-10-08T19:00:00Z", "1999a").await, Some(moment("2026-10-08T18:00:00Z")));
        assert_eq!(find(&world, due.id).await.next_at, Some(moment("2026-10-08T17:00:00Z")), "due, and still to be claimed");
        assert_eq!(find(&world, off.id).await.next_at, None);
        let same = set("2026-10-08T19:00:00Z", tidegate::schedules::ZONE_DATA).await;
        assert_eq!(same, Some(moment("2026-10-08T19:00:00Z")), "with the same data nothing is reckoned");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
    }

    async fn off_until_a_date_it_turns_itself_on(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let until = moment("2026-10-08T18:00:00Z");
        let made = create(&world, Draft { off_until: Some(until), ..draft(&stage, &every_five()) }).await;
        assert_eq!((made.state(), made.next_at, made.off_until), (State::Off, None, Some(until)));
        world.set_clock("2026-10-08T17:59:59Z");
        world.step(dispatcher::step).await;
        assert_eq!(find(&world, made.id).await.state(), State::Off);
        world.set_clock("2026-10-08T18:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1, "the occurrence at that very moment");
        let on = find(&world, made.id).await;
        assert_eq!((on.state(), on.off_until), (State::On, None));
        assert_eq!(on.next_at, Some(moment("2026-10-08T18:05:00Z")));
        assert_eq!(on.owner_id, world.olive.id);
        let application = world.application;
        let filter = tidegate::audit::Filter { application_id: Some(application), ..Default::default() };
        let log = world.read(move |conn| tidegate::audit::list(conn, &filter, None, 1)).await;
        assert_eq!((log[0].action.as_str(), log[0].channel.as_str()), ("schedule.turned-on", "clock"));
    }

    /// Between the date and the clock's step.
    async fn saved_at_the_moment_at_which_it_turns_itself_on_it_still_does(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let until = Some(moment("2026-10-09T00:00:00Z"));
        let off = create(&world, Draft { off_until: until, ..draft(&stage, &daily("18:00")) }).await;
        world.set_clock("2026-10-09T00:00:00Z");
        let named = Draft { run_name: Some("Evening".into()), ..off.draft() };
        let saved = try_update(&world, &world.olive, off.id, None, named).await.unwrap();
        assert_eq!((saved.state(), saved.off_until), (State::Off, until));
        world.step(dispatcher::step).await;
        let on = find(&world, off.id).await;
        assert_eq!((on.state(), on.next_at), (State::On, Some(moment("2026-10-09T18:00:00Z"))));
    }

    async fn every_change_is_audited_with_its_sentence(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let changed = Draft { rule: rule(&daily("19:00")), ..made.draft() };
        try_update(&world, &world.ada, made.id, None, changed).await.unwrap();
        let application = world.application;
        let filter = tidegate::audit::Filter { application_id: Some(application), ..Default::default() };
        let log = world.read(move |conn| tidegate::audit::list(conn, &filter, None, 1)).await;
        assert_eq!((log[0].action.as_str(), log[0].member_name.as_str()), ("schedule.updated", "Ada"));
        let sentence = |value: &Option<Value>| value.as_ref().unwrap()["sentence"].as_str().unwrap().to_owned();
        assert_eq!(sentence(&log[0].before), "Every day at 18:00, UTC");
        assert_eq!(sentence(&log[0].after), "Every day at 19:00, UTC");
    }
}

//! Schedules that come too close: warned of on the page and by the API alike, with a start that is free, and never
//! hindered. And the rest of what is explained while typing.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::{applications, connection_applications, import_configurations, members, runs as runs_table};
use tidegate::imports::{Mode, Overlap, Target};
use tidegate::runs::{RunStatus, actions as runs, glance};
use tidegate::schedules::{Draft, Schedule, actions};

use crate::running::start;
use crate::schedules::{create, daily, draft, find, once, switch, try_update};
use crate::support::stage::{Stage, block, stage};
use crate::support::*;

/// Two configurations of the same Connection, each with a Block of its own.
pub async fn two(world: &World) -> (Stage, Stage) {
    let first = stage(world, "words", Mode::Append, |_| ()).await;
    let second = stage(world, "numbers", Mode::Append, |_| ()).await;
    share(world, second.configuration, Some(first.connection), None).await;
    (first, second)
}

/// Gives a configuration another Connection or Block.
async fn share(world: &World, configuration: i64, connection: Option<i64>, block: Option<i64>) {
    world
        .write(move |conn| {
            let row = || import_configurations::table.find(configuration);
            if let Some(connection) = connection {
                diesel::update(row()).set(import_configurations::connection_id.eq(connection)).execute(conn)?;
            }
            if let Some(block) = block {
                diesel::update(row()).set(import_configurations::block_id.eq(block)).execute(conn)?;
            }
            Ok(())
        })
        .await;
}

async fn create_set(world: &World, name: &str, steps: &[i64]) -> i64 {
    crate::import_sets::create(world, name, steps).await.id
}

fn new_form(world: &World, stage: &Stage) -> String {
    format!("/applications/{}/schedules/new?configuration={}", world.application, stage.configuration)
}

/// The form's controls that matter, for what htmx would post.
fn typed(stage: &Stage, time: &str) -> Vec<(&'static str, String)> {
    vec![
        ("configuration", stage.configuration.to_string()),
        ("repeat", "days".into()),
        ("every_days", "1".into()),
        ("start_date", "2026-10-09".into()),
        ("start_time", time.into()),
        ("time_zone", "UTC".into()),
        ("ends", "forever".into()),
    ]
}

async fn previewed(world: &World, by: &Person, typed: &[(&str, String)]) -> String {
    let browser = world.browser(by).await;
    let fields: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = browser.htmx_post(&format!("/applications/{}/schedules/preview", world.application), &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.text()
}

/// The same question to the API, daily at that time in UTC.
fn asked(world: &World, stage: &Stage, time: &str) -> Value {
    json!({
        "application_id": world.application, "configuration_id": stage.configuration,
        "repeat": "days", "start_date": "2026-10-09", "start_time": time, "time_zone": "UTC",
    })
}

async fn collisions(world: &World, by: &Person, body: Value) -> Vec<Value> {
    let reply = world.api(by).await.post("schedules/preview", body).await;
    reply.is(200).json["collisions"].as_array().unwrap().clone()
}

const WARNED: &str = "Less than 15 minutes from another schedule";

on_both! {
    async fn without_scripts_whoever_is_warned_takes_the_free_start_and_saves(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("04:10"))).await;
        let mut olive = world.browser(&world.olive).await;
        // 06:00 in Paris is 04:00 in UTC.
        olive.visit(&new_form(&world, &second)).await;
        olive.sees(WARNED).sees("words, every day at 04:10 (UTC), uses the same Connection 10 minutes later: on Fri 9 Oct 2026 at 06:10.");
        olive.fill("Run name", "Figures").tick("Get notified on the final status").press("Use 05:55").await;
        olive.answered(200).sees_no(WARNED).sees("Every day at 05:55, Europe/Paris");
        assert_eq!([olive.value("Time"), olive.value("Date"), olive.value("Run name")], ["05:55", "2026-10-09", "Figures"]);
        assert_eq!(olive.count("#start_time[autofocus]"), 1, "the focus is where the change is");
        assert_eq!((olive.count("#notify[checked]"), olive.count("#preview [autofocus]")), (1, 0));
        olive.press("Schedule Import").await;
        olive.sees("Scheduled: Every day at 05:55, Europe/Paris");
    }

    async fn a_warning_never_holds_up_saving_and_comes_back_with_a_refused_form(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("04:00"))).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&new_form(&world, &second)).await;
        olive.sees(WARNED);
        olive.fill("Run name", "x".repeat(201).as_str()).press("Schedule Import").await;
        olive.answered(422).sees(WARNED).sees("Use 06:15");
        olive.fill("Run name", "").press("Show the next runs").await;
        olive.answered(200).sees(WARNED);
        olive.press("Schedule Import").await;
        olive.sees("Scheduled: Every day at 06:00, Europe/Paris");
        // By the API too.
        let api = world.api(&world.olive).await;
        let body = json!({ "configuration_id": second.configuration, "repeat": "days", "start_date": "2026-10-09",
            "start_time": "04:01", "time_zone": "UTC" });
        api.make(&format!("applications/{}/schedules", world.application), body).await;
    }

    async fn nothing_free_is_said_in_words(world: World) {
        let (first, second) = two(&world).await;
        let quarter = json!({ "repeat": "minutes", "every": 15, "start_date": "2026-10-01", "start_time": "00:00", "time_zone": "UTC" });
        create(&world, draft(&first, &quarter)).await;
        let page = previewed(&world, &world.olive, &typed(&second, "02:30")).await;
        assert!(page.contains("No time within a day of this start is free. You can save it as it is."), "{page}");
        assert!(!page.contains("Use "), "{page}");
        let reply = world.api(&world.olive).await.post("schedules/preview", asked(&world, &second, "02:30")).await;
        assert_eq!((reply.is(200).json["collisions"].as_array().unwrap().len(), &reply.json["suggestion"]), (1, &Value::Null));
    }

    async fn what_would_be_refused_is_not_called_fit_to_be_saved(world: World) {
        let (first, second) = two(&world).await;
        let made = create(&world, draft(&first, &daily("06:00"))).await;
        create(&world, draft(&second, &daily("06:00"))).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/schedules/{}/copy", world.application, made.id)).await;
        olive.sees("This configuration already has this schedule: Every day at 06:00").sees("Change when it runs");
        olive.sees("Less than 15 minutes from 2 other schedules").sees_no("save it as it is");
        olive.fill("Time", "06:05").press("Show the next runs").await;
        olive.sees_no("already has this schedule").sees("save it as it is");
        for time in ["07:00", "08:00", "09:00"] {
            create(&world, draft(&first, &daily(time))).await;
        }
        let page = previewed(&world, &world.olive, &typed(&first, "05:59")).await;
        assert!(page.contains("This configuration already has four schedules.") && !page.contains("as it is"), "{page}");
        // One of the four may be changed.
        let mut typed = typed(&first, "05:59");
        typed.push(("schedule", made.id.to_string()));
        assert!(previewed(&world, &world.olive, &typed).await.contains("or save it as it is"));
    }

    async fn three_are_told_and_the_others_counted(world: World) {
        let (first, second) = two(&world).await;
        let third = stage(&world, "third", Mode::Append, |_| ()).await;
        share(&world, third.configuration, Some(first.connection), None).await;
        for (stage, times) in [(&first, ["02:25", "02:26", "02:27"]), (&third, ["02:28", "02:29", "02:31"])] {
            for time in times {
                create(&world, draft(stage, &daily(time))).await;
            }
        }
        let page = previewed(&world, &world.olive, &typed(&second, "02:30")).await;
        assert!(page.contains("Less than 15 minutes from 6 other schedules") && page.contains("and 3 more"), "{page}");
        assert_eq!(page.matches("uses the same Connection").count(), 3, "{page}");
    }

    async fn a_connection_a_configuration_or_a_block_is_shared(world: World) {
        let (first, second) = two(&world).await;
        let other = create(&world, draft(&first, &daily("02:25"))).await;
        let told = collisions(&world, &world.olive, asked(&world, &second, "02:30")).await;
        assert_eq!(told, [json!({
            "schedule_id": other.id, "at": "2026-10-09T02:30:00Z", "other_at": "2026-10-09T02:25:00Z", "shares": ["connection"],
            "sentence": "words, every day at 02:25, uses the same Connection 5 minutes earlier: on Fri 9 Oct 2026 at 02:25.",
        })]);
        let same = collisions(&world, &world.olive, asked(&world, &first, "02:30")).await;
        assert_eq!(same[0]["shares"], json!(["connection", "import_configuration", "block"]));
        // Another Connection and another Block: nothing in common; then the Block alone.
        let own = crate::support::stage::folder_connection(&world, "alone").await;
        share(&world, second.configuration, Some(own), None).await;
        assert!(collisions(&world, &world.olive, asked(&world, &second, "02:30")).await.is_empty());
        share(&world, second.configuration, None, Some(first.block)).await;
        let block = collisions(&world, &world.olive, asked(&world, &second, "02:30")).await;
        assert_eq!(block[0]["shares"], json!(["block"]));
        let mut body = asked(&world, &second, "02:30");
        body["configuration_id"] = Value::Null;
        assert!(collisions(&world, &world.olive, body).await.is_empty(), "without a configuration nothing is shared");
    }

    async fn a_set_uses_what_its_steps_use(world: World) {
        let (first, second) = two(&world).await;
        let alone = stage(&world, "alone", Mode::Append, |_| ()).await;
        let steps = [alone.configuration, first.configuration];
        let [set, night] = [create_set(&world, "Month end", &steps).await, create_set(&world, "Night", &steps).await];
        let of_set = Draft { target: Target::Set(set), ..draft(&first, &daily("02:25")) };
        let other = create(&world, of_set.clone()).await;
        let told = collisions(&world, &world.olive, asked(&world, &second, "02:30")).await;
        assert_eq!((told.len(), &told[0]["schedule_id"], &told[0]["shares"]), (1, &json!(other.id), &json!(["connection"])));
        assert!(told[0]["sentence"].as_str().unwrap().starts_with("Month end, every day at 02:25, uses the same Connection"));
        // And the other way round, on the page too: it is told once, with all that the steps share.
        let mut of_night = asked(&world, &second, "02:30");
        of_night.as_object_mut().unwrap().remove("configuration_id");
        of_night["set_id"] = json!(night);
        let told = collisions(&world, &world.olive, of_night.clone()).await;
        assert_eq!((told.len(), &told[0]["shares"]), (1, &json!(["connection", "import_configuration", "block"])));
        let mut form = typed(&second, "02:30");
        form.extend([("run", "set".to_owned()), ("set", night.to_string())]);
        let page = previewed(&world, &world.olive, &form).await;
        assert!(page.contains(WARNED) && page.contains("runs the same import configuration"), "{page}");
        assert!(page.contains("Use 02:40"), "{page}");
        form.push(("set", set.to_string()));
        form.retain(|(name, value)| *name != "set" || *value == set.to_string());
        let page = previewed(&world, &world.olive, &form).await;
        assert!(page.contains("runs the same import set 5 minutes earlier"), "{page}");
        for time in ["03:25", "04:25", "05:25"] {
            create(&world, Draft { rule: crate::schedules::rule(&daily(time)), ..of_set.clone() }).await;
        }
        let full = previewed(&world, &world.olive, &form).await;
        assert!(full.contains("already has four schedules."), "{full}");
        for (wrong, field) in [(json!(999_999), "set_id"), (json!("x"), "set_id")] {
            of_night["set_id"] = wrong;
            let reply = world.api(&world.olive).await.post("schedules/preview", of_night.clone()).await;
            assert_eq!(reply.wrong_fields(), [field]);
        }
    }

    async fn the_page_and_the_api_say_the_same(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("02:25"))).await;
        let reply = world.api(&world.olive).await.post("schedules/preview", asked(&world, &second, "02:30")).await;
        assert_eq!(reply.is(200).json["suggestion"], json!({ "start_date": "2026-10-09", "start_time": "02:40" }));
        let page = previewed(&world, &world.olive, &typed(&second, "02:30")).await;
        assert!(page.contains(reply.json["collisions"][0]["sentence"].as_str().unwrap()), "{page}");
        assert!(page.contains("Use 02:40"), "{page}");
    }

    /// Configure alone shows configurations, and not who runs what when.
    async fn who_may_not_open_import_scheduling_is_told_of_no_other_schedule(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("02:25"))).await;
        let (application, stranger) = (world.application, world.stranger.clone());
        world.write(move |conn| cast::grant(conn, application, &stranger, (false, true))).await;
        assert_eq!(collisions(&world, &world.olive, asked(&world, &second, "02:30")).await.len(), 1);
        assert!(collisions(&world, &world.stranger, asked(&world, &second, "02:30")).await.is_empty());
    }

    async fn of_another_application_only_the_time_is_told_to_who_may_not_see_it(world: World) {
        let (first, second) = two(&world).await;
        let there = create(&world, draft(&first, &daily("02:25"))).await;
        move_elsewhere(&world, &first, &there).await;
        let told = collisions(&world, &world.olive, asked(&world, &second, "02:30")).await;
        assert_eq!((told.len(), &told[0]["schedule_id"]), (1, &Value::Null));
        let sentence = told[0]["sentence"].as_str().unwrap();
        assert_eq!(sentence, "A schedule in another Application uses the same Connection 5 minutes earlier: on Fri 9 Oct 2026 at 02:25.");
        let page = previewed(&world, &world.olive, &typed(&second, "02:30")).await;
        assert!(page.contains(sentence) && !page.contains("Elsewhere") && !page.contains("words"), "{page}");
        // Leaving out what one may not see is no way to find out its id.
        let mut guess = typed(&second, "02:30");
        guess.push(("schedule", there.id.to_string()));
        assert!(previewed(&world, &world.olive, &guess).await.contains(WARNED));
        let ada = collisions(&world, &world.ada, asked(&world, &second, "02:30")).await;
        assert_eq!(ada[0]["schedule_id"], there.id);
        assert!(ada[0]["sentence"].as_str().unwrap().starts_with("words in Elsewhere, every day at 02:25,"), "{}", ada[0]);
    }

    async fn what_is_off_finished_or_deleted_is_free(world: World) {
        let (first, second) = two(&world).await;
        let other = create(&world, draft(&first, &daily("02:25"))).await;
        let hits = async || collisions(&world, &world.olive, asked(&world, &second, "02:30")).await.len();
        assert_eq!(hits().await, 1);
        switch(&world, &world.olive, other.id, false).await;
        assert_eq!(hits().await, 0, "off");
        let until = Draft { enabled: true, off_until: Some(world.now().plus(Duration::days(3))), ..find(&world, other.id).await.draft() };
        try_update(&world, &world.olive, other.id, None, until).await.unwrap();
        assert_eq!(hits().await, 0, "off until a date");
        switch(&world, &world.olive, other.id, true).await;
        assert_eq!(hits().await, 1);
        let (olive, now) = (world.olive.clone(), world.now());
        world.write(move |conn| {
            let by = olive.by(conn)?;
            actions::delete(conn, &by, other.id, None, now)
        }).await;
        assert_eq!(hits().await, 0, "deleted");
        let last = create(&world, draft(&first, &once("2026-10-09", "02:25"))).await;
        assert_eq!(hits().await, 1);
        world.set_clock("2026-10-09T02:25:00Z");
        world.step(tidegate::runs::dispatcher::step).await;
        assert_eq!(find(&world, last.id).await.next_at, None);
        assert_eq!(hits().await, 0, "finished");
    }

    async fn the_edited_schedule_is_no_collision_with_itself(world: World) {
        let (first, _) = two(&world).await;
        let own = create(&world, draft(&first, &daily("02:30"))).await;
        let mut olive = world.browser(&world.olive).await;
        let edit = format!("/applications/{}/schedules/{}/edit", world.application, own.id);
        olive.visit(&edit).await;
        olive.sees("Every day at 02:30, UTC").sees_no(WARNED);
        olive.fill("Time", "02:35").press("Show the next runs").await;
        olive.sees("Every day at 02:35, UTC").sees_no(WARNED);
        let mut while_typing = typed(&first, "02:35");
        assert!(previewed(&world, &world.olive, &while_typing).await.contains(WARNED), "as a new one it would be");
        while_typing.push(("schedule", own.id.to_string()));
        assert!(!previewed(&world, &world.olive, &while_typing).await.contains(WARNED));
        let mut body = asked(&world, &first, "02:35");
        assert_eq!(collisions(&world, &world.olive, body.clone()).await.len(), 1);
        body["schedule_id"] = json!(own.id);
        assert_eq!(collisions(&world, &world.olive, body).await.len(), 0);
    }

    async fn the_spacing_is_the_applications(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("02:25"))).await;
        for (spacing, hits) in [(5, 0), (6, 1), (0, 0)] {
            let application = world.application;
            world.write(move |conn| {
                let row = applications::table.find(application);
                diesel::update(row).set(applications::spacing_minutes.eq(spacing)).execute(conn)?;
                Ok(())
            }).await;
            assert_eq!(collisions(&world, &world.olive, asked(&world, &second, "02:30")).await.len(), hits, "{spacing}");
        }
    }

    async fn the_api_names_what_is_not_there(world: World) {
        let (first, _) = two(&world).await;
        let there = create(&world, draft(&first, &daily("02:25"))).await;
        let olive = world.api(&world.olive).await;
        let wrong = async |change: Value| {
            let mut body = asked(&world, &first, "02:30");
            for (name, value) in change.as_object().unwrap() {
                body[name] = value.clone();
            }
            let reply = olive.post("schedules/preview", body).await;
            reply.wrong_fields().into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        assert_eq!(wrong(json!({ "application_id": 999_999 })).await, ["application_id"]);
        assert_eq!(wrong(json!({ "application_id": world.elsewhere })).await, ["application_id"]);
        assert_eq!(wrong(json!({ "application_id": null })).await, ["application_id"]);
        assert_eq!(wrong(json!({ "configuration_id": 999_999, "schedule_id": 999_999 })).await, ["schedule_id", "configuration_id"]);
        move_elsewhere(&world, &first, &there).await;
        assert_eq!(wrong(json!({ "schedule_id": there.id })).await, ["schedule_id", "configuration_id"]);
        let mo = world.api(&world.mo).await;
        let second = stage(&world, "more", Mode::Append, |_| ()).await;
        mo.post("schedules/preview", asked(&world, &second, "02:30")).await.is(403);
    }

    async fn twenty_five_runs_stay_while_somebody_types(world: World) {
        let (first, _) = two(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&new_form(&world, &first)).await;
        assert_eq!(olive.count(".runs li"), 5);
        olive.press("Show 25").await;
        olive.answered(200).sees("Next 25 runs");
        assert_eq!(olive.count(".runs li"), 25);
        olive.fill("Time", "07:00").press("Show the next runs").await;
        olive.sees("Every day at 07:00");
        assert_eq!(olive.count(".runs li"), 25, "also after looking again");
        olive.press("Show only 5").await;
        assert_eq!(olive.count(".runs li"), 5);
        let mut fields = typed(&first, "02:30");
        fields.push(("count", "25".into()));
        assert!(previewed(&world, &world.olive, &fields).await.contains("Next 25 runs"));
        let unclear = world.browser(&world.olive).await;
        let preview = format!("/applications/{}/schedules/preview", world.application);
        let answer = unclear.htmx_post(&preview, &[("repeat", "days"), ("count", "25")]).await;
        assert!(answer.text().contains("Not known yet") && answer.body.contains("name=\"count\" value=\"25\""), "{}", answer.body);
        // Fewer than there is room for: all of them, and that it ends.
        fields.extend([("end_date", "2026-10-15".to_owned())]);
        fields.retain(|(name, _)| *name != "ends" && *name != "count");
        fields.push(("ends", "on".into()));
        let page = previewed(&world, &world.olive, &fields).await;
        assert!(page.contains("Next 5 runs") && page.contains("7 runs, then it ends"), "{page}");
    }

    async fn each_run_is_told_by_the_viewers_clock_too(world: World) {
        let (first, _) = two(&world).await;
        let zone = async |name: Option<&'static str>| {
            let olive = world.olive.id;
            world.write(move |conn| {
                diesel::update(members::table.find(olive)).set(members::time_zone.eq(name)).execute(conn)?;
                Ok(())
            }).await;
            previewed(&world, &world.olive, &typed(&first, "02:30")).await
        };
        assert!(!zone(Some("UTC")).await.contains("your time"));
        let there = zone(Some("America/New_York")).await;
        assert!(there.contains("Also shown in your time zone, America/New_York"), "{there}");
        assert!(there.contains("Thu 8 Oct 2026, 22:30 your time"), "{there}");
        world.write(|conn| tidegate::workspace::set(conn, "Acme", chrono_tz::Asia::Kathmandu)).await;
        assert!(zone(None).await.contains("Fri 9 Oct 2026, 08:15 your time"), "else the Workspace's");
    }

    async fn often_is_told_with_what_happens_on_overlap(world: World) {
        let skips = stage(&world, "skips", Mode::Append, |_| ()).await;
        let queues = stage(&world, "queues", Mode::Append, |d| d.overlap = Overlap::Queue).await;
        let hint = async |stage: &Stage| {
            let mut fields = typed(stage, "02:30");
            fields.retain(|(name, _)| *name != "repeat");
            fields.extend([("repeat", "minutes".to_owned()), ("every_minutes", "5".to_owned())]);
            previewed(&world, &world.olive, &fields).await
        };
        assert!(hint(&skips).await.contains("the next one is skipped, as its configuration says"));
        assert!(hint(&queues).await.contains("the next one waits and starts right after it"));
    }

    async fn the_busy_hours_are_as_long_as_imports_usually_take(world: World) {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("02:30"))).await;
        let page = previewed(&world, &world.olive, &typed(&second, "20:00")).await;
        assert!(page.contains("Fri 9 Oct 02:00 to 03:00 20:00 to 21:00"), "a minute where nothing is known: {page}");
        for minutes in [400, 100, 90] {
            let run = start(&world, &first).await.id;
            let now = world.now();
            world.write(move |conn| {
                diesel::update(runs_table::table.find(run))
                    .set((
                        runs_table::status.eq(RunStatus::Success),
                        runs_table::started_at.eq(now),
                        runs_table::finished_at.eq(now.plus(Duration::minutes(minutes))),
                        runs_table::waiting_key.eq(None::<String>),
                    ))
                    .execute(conn)?;
                Ok(())
            }).await;
        }
        let page = previewed(&world, &world.olive, &typed(&second, "20:00")).await;
        assert!(page.contains("Fri 9 Oct 02:00 to 05:00 20:00 to 21:00"), "{page}");
        assert!(page.contains("Quietest: 05:00 to 02:00 every day."), "{page}");
        let ids = [first.configuration, second.configuration];
        let (all, one) = world.read(move |conn| {
            Ok((glance::usual_durations(conn, &ids)?, runs::usual_duration(conn, ids[0])?))
        }).await;
        assert_eq!((all.len(), all.get(&ids[0]).copied()), (1, Some(Duration::minutes(100))));
        assert_eq!(all.get(&ids[0]).copied(), one, "as the Summary says");
    }
}

/// The configuration, and with it its schedule, belongs to "Elsewhere"; its Connection stays.
async fn move_elsewhere(world: &World, stage: &Stage, schedule: &Schedule) {
    use tidegate::db::schema::{blocks, schedules};
    let (elsewhere, stage, id) = (world.elsewhere, stage.clone(), schedule.id);
    world
        .write(move |conn| {
            diesel::update(import_configurations::table.find(stage.configuration))
                .set(import_configurations::application_id.eq(elsewhere))
                .execute(conn)?;
            diesel::update(blocks::table.find(stage.block)).set(blocks::application_id.eq(elsewhere)).execute(conn)?;
            diesel::update(schedules::table.find(id)).set(schedules::application_id.eq(elsewhere)).execute(conn)?;
            diesel::insert_into(connection_applications::table)
                .values((
                    connection_applications::connection_id.eq(stage.connection),
                    connection_applications::application_id.eq(elsewhere),
                ))
                .execute(conn)?;
            Ok(())
        })
        .await;
}

/// However many schedules there are, the preview asks the database the same number of questions.
#[test]
fn the_preview_asks_no_more_for_more_schedules() {
    queries::watch();
    with_world(Database::Sqlite, |world| async move {
        let (first, second) = two(&world).await;
        let file = world.data_dir().join("tidegate.db").to_string_lossy().into_owned();
        let asks = async || {
            let before = queries::sent(&file);
            let page = previewed(&world, &world.olive, &typed(&second, "02:30")).await;
            assert!(page.contains("Every day at 02:30"), "{page}");
            queries::sent(&file) - before
        };
        create(&world, draft(&first, &daily("02:25"))).await;
        asks().await; // the session is written down once
        let one = asks().await;
        for time in ["02:26", "02:27", "02:28"] {
            create(&world, draft(&first, &daily(time))).await;
        }
        for name in ["third", "fourth"] {
            let more = stage(&world, name, Mode::Append, |_| ()).await;
            share(&world, more.configuration, Some(first.connection), None).await;
            create(&world, draft(&more, &daily("02:30"))).await;
            block(&world, &format!("Block of {name}")).await;
        }
        let many = asks().await;
        assert!(one > 0, "statements are counted");
        assert_eq!(many, one);
    });
}

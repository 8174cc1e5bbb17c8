//! What is broken is told when it breaks, once a day while it stays so, and when it is over.

use tidegate::db::schema::{application_access as access, incidents};
use tidegate::error::AppError;
use tidegate::imports::Definition;
use tidegate::notifications::NoticeKind;
use tidegate::notifications::incidents::{actions, fails, forget_old, holds, reminding};
use tidegate::runs::RunStatus;

use super::*;
use crate::support::stage::{folder_connection, stage_from};

/// Several imports of one file that is not there, by one Connection.
async fn sharing(world: &World, names: &[&str]) -> Vec<Stage> {
    let connection = folder_connection(world, "shared").await;
    let mut stages = Vec::new();
    for name in names {
        let mut definition = Definition::new(Mode::Update);
        definition.source.path = Some("shared.csv".to_owned());
        definition.attempts = 1;
        stages.push(stage_from(world, name, Some(connection), definition).await);
    }
    stages
}

/// Opens an incident of an import, as a failed run does; its id.
pub async fn breaks(world: &World, stage: &Stage) -> i64 {
    let (application, target, now) =
        (world.application, tidegate::imports::Target::Configuration(stage.configuration), world.now());
    world
        .write(move |conn| {
            let of = (Some(application), "failed:by a test");
            let (incident, _) = fails(conn, of, (NoticeKind::Failed, "No file matches."), (now, now))?;
            holds(conn, incident.id, target, 0, now)?;
            Ok(incident.id)
        })
        .await
}

/// The clock comes to an instant, what is due runs, and all is told.
async fn comes(world: &World, instant: &str) {
    world.set_clock(instant);
    world.step(dispatcher::step).await;
    work_off(world).await;
    tell(world).await;
    world.step(reminding::step).await;
    delivering::step(world.app()).await.unwrap();
}

async fn kinds(world: &World, person: &Person) -> Vec<String> {
    let mut kinds: Vec<String> = told(world, person).await.into_iter().map(|(kind, _)| kind).collect();
    kinds.reverse();
    kinds
}

/// How many incidents are open, and how many are over.
async fn counted(world: &World) -> (i64, i64) {
    world
        .read(|conn| {
            let all: i64 = incidents::table.count().get_result(conn)?;
            let open: i64 = incidents::table.filter(incidents::closed_at.is_null()).count().get_result(conn)?;
            Ok((open, all - open))
        })
        .await
}

on_both! {
    async fn one_message_when_it_breaks_a_day_later_and_when_it_is_over(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let rule = json!({"configuration_id": stage.configuration, "repeat": "hours", "start_date": "2026-10-05",
            "start_time": "09:00", "time_zone": "UTC",
            "notify": {"about": "failed", "member_ids": [world.mo.id]}});
        world.api(&world.olive).await.post(&format!("applications/{}/schedules", world.application), rule).await.is(201);
        for hour in 9..24 {
            comes(&world, &format!("2026-10-05T{hour:02}:00:01Z")).await;
        }
        assert_eq!(kinds(&world, &world.mo).await, ["failed"], "fifteen failures are one message");
        comes(&world, "2026-10-06T08:59:00Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed"]);
        comes(&world, "2026-10-06T09:00:02Z").await;
        comes(&world, "2026-10-06T10:00:02Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "reminder"]);
        let (_, title) = told(&world, &world.mo).await.remove(0);
        assert_eq!(title, "payroll is still failing");
        csv(&world, "payroll", &[("1", "one")]);
        comes(&world, "2026-10-06T11:00:01Z").await;
        assert_eq!(told(&world, &world.mo).await[0], line("recovered", "payroll works again"));
        let mails = world.mails();
        let last = mails.iter().find(|mail| mail.contains("Subject: payroll works again")).unwrap();
        assert!(last.contains("It was broken for 26 h 00 min"), "{last}");
        assert_eq!((mails.len(), counted(&world).await), (3, (0, 1)));
        // All three stand in one thread.
        let thread = mails[0].lines().find(|line| line.starts_with("References:")).unwrap().to_owned();
        assert!(thread.contains("<incident-") && mails.iter().all(|mail| mail.contains(&thread)), "{thread}");
        // The next outage is told as the first was.
        std::fs::remove_file(world.folder().join("payroll.csv")).unwrap();
        comes(&world, "2026-10-06T12:00:01Z").await;
        comes(&world, "2026-10-06T13:00:01Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "reminder", "recovered", "failed"]);
    }

    async fn one_cause_of_several_imports_is_one_incident(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stages = sharing(&world, &["one", "two", "three"]).await;
        for stage in &stages {
            telling(&world, stage, About::Failed, &[&world.olive]).await;
        }
        // Mo hears of the third alone.
        let draft = tidegate::schedules::Draft {
            notify: Some(Notify { about: About::Failed, member_ids: vec![world.mo.id], group_ids: Vec::new(), after: 1 }),
            ..draft(&stages[2], &daily("10:00"))
        };
        create(&world, draft).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        comes(&world, "2026-10-05T10:00:01Z").await;
        assert_eq!((kinds(&world, &world.olive).await, kinds(&world, &world.mo).await), (vec!["failed".into()], vec!["failed".into()]));
        assert_eq!(counted(&world).await, (1, 0));
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.sees("Open incidents").sees("3 imports failed").sees("4 runs");
        let title = told(&world, &world.mo).await.remove(0).1;
        olive.within(".inc").sees("Failed").sees_no("Broken");
        olive.everywhere();
        olive.follow("3 imports failed").await.sees("Who was notified").sees("1 h");
        assert_eq!((olive.count(".inc h3"), olive.count("main a[href^='/incidents/']")), (0, 0), "it says its title once, and leads not to itself");
        olive.in_row(&title).sees("Mo");
        olive.visit("/notifications").await;
        csv(&world, "shared", &[("1", "one")]);
        olive.press("Run all 3 again").await.sees("3 imports run again.");
        work_off(&world).await;
        tell(&world).await;
        assert_eq!(told(&world, &world.olive).await[0], line("recovered", "3 imports work again"));
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered"]);
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "recovered"]);
        olive.visit("/notifications").await.sees_no("Open incidents");
        assert_eq!(counted(&world).await, (0, 1));
    }

    async fn an_import_that_was_deleted_keeps_nothing_open(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stages = sharing(&world, &["one", "two"]).await;
        let mut schedules = Vec::new();
        for stage in &stages {
            schedules.push(telling(&world, stage, About::Failed, &[&world.olive]).await);
        }
        comes(&world, "2026-10-05T09:00:01Z").await;
        let olive = world.api(&world.olive).await;
        olive.delete(&format!("schedules/{}", schedules[0])).await.is(204);
        olive.delete(&format!("import-configurations/{}", stages[0].configuration)).await.is(204);
        csv(&world, "shared", &[("1", "one")]);
        comes(&world, "2026-10-06T09:00:01Z").await;
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered"]);
        assert_eq!(counted(&world).await, (0, 1));
    }

    async fn one_of_several_that_works_meanwhile_is_told_to_those_it_concerns(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stages = sharing(&world, &["one", "two"]).await;
        telling(&world, &stages[0], About::Failed, &[&world.olive]).await;
        telling(&world, &stages[1], About::Failed, &[&world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let olive = world.api(&world.olive).await;
        let path = format!("import-configurations/{}", stages[0].configuration);
        csv(&world, "own", &[("1", "one")]);
        olive.patch(&path, json!({"source": {"path": "own.csv"}})).await.is(200);
        comes(&world, "2026-10-06T09:00:02Z").await;
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered"]);
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "reminder"]);
        assert_eq!(counted(&world).await, (1, 0));
        olive.patch(&path, json!({"source": {"path": "shared.csv"}})).await.is(200);
        comes(&world, "2026-10-07T09:00:03Z").await;
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered", "failed"]);
    }

    async fn what_is_gone_is_no_incident_and_who_left_is_not_on_it(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let (gone, stays) = (failing(&world, "gone").await, failing(&world, "stays").await);
        let schedule = telling(&world, &gone, About::Failed, &[&world.mo]).await;
        telling(&world, &stays, About::Failed, &[&world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        assert_eq!(counted(&world).await, (2, 0));
        let olive = world.api(&world.olive).await;
        olive.delete(&format!("schedules/{schedule}")).await.is(204);
        olive.delete(&format!("import-configurations/{}", gone.configuration)).await.is(204);
        let id = world.olive.id;
        world.write(move |conn| Ok(diesel::update(incidents::table).set((incidents::taken_by.eq(id), incidents::taken_at.eq(1_791_190_801_000_000_i64))).execute(conn)?)).await;
        world.step(reminding::tidy).await;
        assert_eq!(counted(&world).await, (1, 1));
        let on_it = || world.read(|conn| Ok(incidents::table.filter(incidents::closed_at.is_null()).select(incidents::taken_by).first::<Option<i64>>(conn)?));
        assert_eq!(on_it().await, Some(id));
        world.api(&world.ada).await.patch(&format!("members/{id}"), json!({"active": false})).await.is(200);
        world.step(reminding::tidy).await;
        assert_eq!(on_it().await, None);
    }

    async fn who_may_not_import_there_any_more_is_not_on_it(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.press("I'm on it").await.sees("Olive has been on it since");
        world.step(reminding::tidy).await;
        comes(&world, "2026-10-06T10:00:01Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed"]);
        let path = format!("applications/{}/access/{}", world.application, world.olive.id);
        world.api(&world.ada).await.put(&path, json!({"view": true, "import_data": false, "configure": true})).await;
        world.step(reminding::tidy).await;
        comes(&world, "2026-10-06T10:30:00Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "reminder"]);
        olive.visit("/notifications").await.sees("payroll failed").sees_no("has been on it");
    }

    async fn who_was_on_it_and_who_wanted_it_quiet_stands_in_the_audit_log(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.press("I'm on it").await.sees("You are on it.");
        olive.press("I'm no longer on it").await.press("For 2 days").await.sees("Reminders are snoozed until");
        olive.press("End snooze").await.sees("Reminders are on again.");
        // What changes nothing is no entry.
        let id = world.read(|conn| Ok(incidents::table.select(incidents::id).first::<i64>(conn)?)).await;
        for (deed, field) in [("take", ("release", "on")), ("snooze", ("for", "not"))] {
            assert_eq!(olive.post(&format!("/incidents/{id}/{deed}"), &[field]).await.status, 200);
        }
        let entries = world.api(&world.ada).await.get("audit").await;
        let entries = entries.items().iter().filter(|entry| entry["subject_kind"] == "incident");
        let told: Vec<_> = entries.map(|entry| (&entry["action"], &entry["application_id"], &entry["subject_id"])).collect();
        let (here, id) = (json!(world.application), json!(id));
        let wanted = ["incident.snooze_ended", "incident.snoozed", "incident.released", "incident.taken"].map(serde_json::Value::from);
        assert_eq!(told, wanted.iter().map(|action| (action, &here, &id)).collect::<Vec<_>>());
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await.choose("Kind", "Runs and incidents").press("Filter").await;
        ada.sees("Took the incident payroll failed").sees("Released the incident payroll failed");
        ada.sees("Snoozed reminders of the incident payroll failed").sees("Snoozed until: 2026-10-07T09:00:01Z");
        ada.sees("Ended the snooze of the incident payroll failed");
        ada.in_row("Took the incident payroll failed").follow("payroll failed").await;
        ada.everywhere().sees("Who was notified");
    }

    async fn nobody_does_anything_about_it_whose_account_was_closed_meanwhile(world: World) {
        let stage = failing(&world, "payroll").await;
        let (id, now, olive) = (breaks(&world, &stage).await, world.now(), world.olive.clone());
        let by = world.read(move |conn| olive.by(conn)).await;
        world.api(&world.ada).await.patch(&format!("members/{}", world.olive.id), json!({"active": false})).await.is(200);
        let until = Some(now.plus(Duration::days(2)));
        let who = by.clone();
        let refused = [
            world.try_write(move |conn| actions::take(conn, &who, id, now)).await,
            world.try_write(move |conn| actions::snooze(conn, &by, id, until, now)).await,
        ];
        for refused in refused {
            assert!(matches!(refused, Err(AppError::SignedOut)), "{refused:?}");
        }
        let stands = world.read(|conn| Ok(incidents::table.select((incidents::taken_by, incidents::snoozed_until)).first::<(Option<i64>, Option<i64>)>(conn)?));
        assert_eq!(stands.await, (None, None));
    }

    async fn a_cause_is_told_anew_where_it_is_another(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::FailedAndPartial, &[&world.olive]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        std::fs::write(world.folder().join("payroll.csv"), "word\none\n").unwrap();
        comes(&world, "2026-10-06T08:00:00Z").await;
        comes(&world, "2026-10-06T09:00:01Z").await;
        let heard = kinds(&world, &world.olive).await;
        assert_eq!(heard.iter().filter(|kind| *kind == "failed").count(), 2, "{heard:?}");
        // Loading in part ends what failed, and is told as what it is.
        csv(&world, "payroll", &[("1", "one"), ("x", "bad")]);
        comes(&world, "2026-10-07T09:00:01Z").await;
        assert_eq!(told(&world, &world.olive).await[0], line("partial", "payroll succeeded only in part"));
        comes(&world, "2026-10-07T09:30:00Z").await;
        assert_eq!(counted(&world).await, (1, 2));
        csv(&world, "payroll", &[("2", "two")]);
        comes(&world, "2026-10-08T09:00:01Z").await;
        assert_eq!(told(&world, &world.olive).await[0], line("recovered", "payroll loads all rows again"));
        assert_eq!(counted(&world).await, (0, 3));
    }

    async fn the_third_in_a_row_is_the_first_that_is_told(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let rule = json!({"configuration_id": stage.configuration, "repeat": "hours", "start_date": "2026-10-05",
            "start_time": "09:00", "time_zone": "UTC",
            "notify": {"about": "failed", "member_ids": [world.olive.id], "after": 3}});
        let olive = world.api(&world.olive).await;
        let path = format!("applications/{}/schedules", world.application);
        let made = olive.post(&path, rule.clone()).await;
        made.is(201);
        assert_eq!(made.json["notify"]["after"], 3);
        for wrong in [0, 11] {
            let mut rule = rule.clone();
            rule["notify"]["after"] = wrong.into();
            olive.post(&path, rule).await.is(422);
        }
        comes(&world, "2026-10-05T09:00:01Z").await;
        comes(&world, "2026-10-05T10:00:01Z").await;
        csv(&world, "payroll", &[("1", "one")]);
        comes(&world, "2026-10-05T11:00:01Z").await;
        assert_eq!(kinds(&world, &world.olive).await, Vec::<String>::new(), "two failures, and that they are over");
        std::fs::remove_file(world.folder().join("payroll.csv")).unwrap();
        for hour in 12..16 {
            comes(&world, &format!("2026-10-05T{hour}:00:01Z")).await;
        }
        assert_eq!(kinds(&world, &world.olive).await, ["failed"]);
        let mut browser = world.browser(&world.olive).await;
        let page = format!("/applications/{}/schedules/{}/edit", world.application, made.json["id"]);
        browser.visit(&page).await.choose("Notify after", "2 failures in a row").press("Update Schedule").await;
        assert_eq!(olive.get(&format!("schedules/{}", made.json["id"])).await.json["notify"]["after"], 2);
    }

    async fn nobody_is_reminded_while_somebody_is_on_it(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.press("I'm on it").await.sees("Olive has been on it since");
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/notifications").await.sees("Olive has been on it since").sees_no("I'm on it");
        comes(&world, "2026-10-06T10:00:01Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed"]);
        // One of two reasons to be quiet ends later, and that end is said.
        olive.visit("/notifications").await.sees("Reminders are paused until Thu 8 Oct, 09:00.");
        olive.press("For a week").await.sees("Reminders are paused until Tue 13 Oct, 10:00.");
        olive.visit("/notifications").await.sees_no("snoozed until");
        olive.press("End snooze").await;
        olive.visit("/notifications").await.press("I'm no longer on it").await.sees("Reminders are on again.");
        olive.press("For 2 days").await.sees("Reminders are snoozed until");
        comes(&world, "2026-10-07T10:00:01Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed"]);
        comes(&world, "2026-10-08T15:00:00Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed", "reminder"]);
    }

    async fn what_is_not_mended_is_told_for_a_week_alone(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let schedule = telling(&world, &stage, About::Failed, &[&world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        world.api(&world.olive).await.patch(&format!("schedules/{schedule}"), json!({"enabled": false})).await.is(200);
        for day in 6..20 {
            comes(&world, &format!("2026-10-{day:02}T09:30:00Z")).await;
        }
        assert_eq!(kinds(&world, &world.mo).await.len(), 1 + 7);
    }

    async fn who_may_see_it_no_more_is_not_told_that_it_is_over(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo, &world.olive]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let mo = world.mo.id;
        world.write(move |conn| {
            diesel::delete(access::table.filter(access::member_id.eq(mo))).execute(conn)?;
            Ok(())
        }).await;
        csv(&world, "payroll", &[("1", "one")]);
        comes(&world, "2026-10-06T09:00:01Z").await;
        assert_eq!(kinds(&world, &world.mo).await, ["failed"]);
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered"]);
    }

    async fn two_processes_count_a_failure_once(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        let second = second_process(&world).await;
        for day in 5..8 {
            world.set_clock(&format!("2026-10-{day:02}T09:00:01Z"));
            world.step(dispatcher::step).await;
            work_off(&world).await;
            let (one, two) = (world.app().clone(), second.clone());
            let steps = [
                tokio::task::spawn_blocking(move || announcing::step(&one)),
                tokio::task::spawn_blocking(move || announcing::step(&two)),
            ];
            for step in steps {
                let _ = step.await.unwrap();
            }
            tell(&world).await;
        }
        let (failures, kinds) = (world.read(|conn| Ok(incidents::table.select(incidents::failures).load::<i64>(conn)?)).await, kinds(&world, &world.olive).await);
        assert_eq!((failures, kinds), (vec![3], vec!["failed".to_owned()]));
    }

    async fn house_keeping_tells_nothing_anew(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        csv(&world, "payroll", &[("1", "one")]);
        start(&world, &stage).await;
        comes(&world, "2026-10-05T10:00:01Z").await;
        assert_eq!(counted(&world).await, (0, 1));
        world.set_clock("2027-05-05T08:00:00Z");
        let now = world.now();
        assert_eq!(world.write(move |conn| forget_old(conn, now)).await, 1);
        tell(&world).await;
        assert_eq!(kinds(&world, &world.olive).await, ["failed", "recovered"]);
    }

    async fn a_thousand_failures_of_one_cause_are_one_message(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        comes(&world, "2026-10-05T09:00:01Z").await;
        let (run, now) = (world.api(&world.olive).await.get("runs").await.items()[0]["id"].as_i64().unwrap(), world.now());
        world.write(move |conn| {
            use tidegate::db::schema::{outcomes, run_steps, runs};
            let like = runs::table.find(run).select((runs::application_id, runs::configuration_id, runs::configuration_version, runs::block_id, runs::schedule_id, runs::as_member_id, runs::cause));
            type Like = (i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<i64>, Option<String>);
            let (application, configuration, version, block, schedule, member, cause): Like = like.first(conn)?;
            for n in 1..=1_000_i64 {
                let at = now.plus(Duration::milliseconds(50 * n));
                let id: i64 = diesel::insert_into(runs::table)
                    .values((
                        (runs::uid.eq(format!("many-{n}")), runs::application_id.eq(application), runs::configuration_id.eq(configuration)),
                        (runs::configuration_version.eq(version), runs::block_id.eq(block), runs::schedule_id.eq(schedule), runs::as_member_id.eq(member)),
                        (runs::planned_at.eq(at), runs::trigger_kind.eq("schedule"), runs::name.eq("payroll"), runs::status.eq(RunStatus::Failed)),
                        (runs::cause.eq(&cause), runs::queued_at.eq(at), runs::started_at.eq(at), runs::finished_at.eq(at), runs::attempt.eq(1)),
                    ))
                    .returning(runs::id)
                    .get_result(conn)?;
                diesel::insert_into(run_steps::table)
                    .values((run_steps::run_id.eq(id), run_steps::position.eq(1), run_steps::name.eq("Find"), run_steps::status.eq("failed"),
                        run_steps::detail.eq("-"), run_steps::started_at.eq(at), run_steps::duration_us.eq(1_i64)))
                    .execute(conn)?;
                diesel::insert_into(outcomes::table)
                    .values((outcomes::run_id.eq(id), outcomes::kind.eq("ended"), outcomes::at.eq(at), outcomes::status.eq(RunStatus::Failed), outcomes::schedule_id.eq(schedule)))
                    .execute(conn)?;
            }
            Ok(())
        }).await;
        world.advance(Duration::minutes(1));
        tell(&world).await;
        assert_eq!((kinds(&world, &world.olive).await, kinds(&world, &world.mo).await), (vec!["failed".into()], vec!["failed".into()]));
        assert_eq!(world.mails().len(), 2);
        let failures = world.read(|conn| Ok(incidents::table.select(incidents::failures).load::<i64>(conn)?)).await;
        assert_eq!(failures, [1_001]);
    }
}

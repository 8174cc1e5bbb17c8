//! The panel of the second seed, walked for an import set from the menu to the last question: what no other test shows of
//! its sentences. Without scripts; what dialogs, keys and pointers add stands in `journeys`.

use chrono::Duration;
use serde_json::{Value, json};
use tidegate::import_sets::{Execution, ImportSet, OnFailure, Step};
use tidegate::imports::{Mode, Target};
use tidegate::runs::dispatcher;

use crate::running::sets::make;
use crate::running::work_off;
use crate::schedules::{create, daily, draft};
use crate::support::stage::{Stage, csv, stage};
use crate::support::{Browser, World};

fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-scheduling", world.application)
}

/// "Month end", of two steps that both have their file.
async fn month_end(world: &World) -> (ImportSet, [Stage; 2]) {
    let stages =
        [stage(world, "accounts", Mode::Append, |_| ()).await, stage(world, "sales", Mode::Append, |_| ()).await];
    csv(world, "accounts", &[("1", "one")]);
    csv(world, "sales", &[("1", "one"), ("2", "two")]);
    let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
    (make(world, Execution::Sequential, OnFailure::Stop, steps).await, stages)
}

/// The dialog as a page, for the set.
async fn dialog(world: &World, set: &ImportSet) -> Browser {
    let mut olive = world.browser(&world.olive).await;
    olive.visit(&format!("{}/schedules/new", applications(world))).await.answered(200);
    olive.choose("Run", "Import set").within("div.for-set");
    // The one that there is, is chosen already.
    assert_eq!(olive.value("Import set"), set.id.to_string());
    olive.everywhere().fill("Date", "2026-10-20").fill("Time", "07:30").fill("Time zone", "Europe/Paris");
    olive
}

fn applications(world: &World) -> String {
    format!("/applications/{}", world.application)
}

async fn schedules(world: &World) -> Vec<Value> {
    let reply = world.api(&world.olive).await.get(&format!("applications/{}/schedules", world.application)).await;
    reply.is(200).items().to_vec()
}

on_both! {
    async fn the_menu_leads_to_the_panel_and_to_the_calendar(world: World) {
        let (set, stages) = month_end(&world).await;
        create(&world, draft(&stages[0], &daily("09:00"))).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&applications(&world)).await.within("#appmenu").follow("Import Scheduling").await.answered(200);
        assert_eq!(olive.path(), list(&world));
        // Both carry their words: nothing is to be toggled.
        olive.sees("Schedule Imports");
        olive.within(&format!("#cfg-s{}", set.id)).sees("Month end").sees("Run now");
        olive.everywhere().within("main").follow("Calendar").await.answered(200).sees("Schedule Imports");
        olive.follow("Schedule Imports").await.answered(200).sees("Import configuration").sees("Import set");
        olive.visit(&format!("{}/settings", applications(&world))).await;
        olive.within("[aria-labelledby='nav-h']").follow("Import Scheduling").await.answered(200);
        assert_eq!(olive.path(), list(&world));
    }

    async fn a_set_is_scheduled_once_and_in_each_recurring_way(world: World) {
        let (set, _) = month_end(&world).await;
        let api = world.api(&world.olive).await;
        let start = json!({"start_date": "2026-10-20", "start_time": "07:30", "time_zone": "Europe/Paris", "set_id": set.id});
        type Fills = fn(&mut Browser);
        let ways: [(&str, Fills, Value, &str); 7] = [
            ("Once", |_| (), json!({"repeat": "once"}), "Once on Tue 20 Oct 2026 at 07:30"),
            ("Minutes", |page| { page.within("div.for-minutes").choose("Every", "15"); }, json!({"repeat": "minutes", "every": 15}),
                "Every 15 minutes"),
            ("Hourly", |_| (), json!({"repeat": "hours", "every": 1}), "Every hour at :30"),
            ("Daily", |page| { page.within("div.for-days").fill("Every", "3"); }, json!({"repeat": "days", "every": 3}),
                "Every 3 days at 07:30"),
            ("Weekly", |page| {
                page.within("div.for-weeks").fill("Every", "2");
                for day in ["Tu", "We", "Th", "Fr"] {
                    page.untick(day);
                }
            }, json!({"repeat": "weeks", "every": 2, "weekdays": ["mon"]}), "Every 2 weeks on Monday at 07:30"),
            ("Monthly", |page| { page.within("div.for-months").tick("Mar").tick("Sep").untick("1").tick("15"); },
                json!({"repeat": "months", "months": [3, 9], "days_of_month": [15]}), "On day 15 of March and September at 07:30"),
            ("Monthly", |page| { page.within("div.for-months").untick("1").tick("Last"); },
                json!({"repeat": "months", "days_of_month": ["last"]}), "On the last day of every month at 07:30"),
        ];
        for (repeat, fills, rule, sentence) in ways {
            let mut olive = dialog(&world, &set).await;
            olive.sees("It is on as soon as you save it.");
            olive.choose("Repeat", repeat);
            fills(&mut olive);
            olive.everywhere().press("Schedule Import").await.answered(200).sees(&format!("Scheduled: {sentence}, Europe/Paris"));
            assert!(olive.path().starts_with(&list(&world)), "the panel is closed");
            let made = schedules(&world).await.remove(0);
            for (name, value) in start.as_object().unwrap().iter().chain(rule.as_object().unwrap()) {
                assert_eq!(&made[name], value, "{repeat}: {name} of {made}");
            }
            assert_eq!((&made["enabled"], &made["state"]), (&json!(true), &json!("on")), "{repeat}");
            api.delete(&format!("schedules/{}", made["id"])).await.is(204);
        }
    }

    async fn it_ends_on_a_date_or_never(world: World) {
        let (set, _) = month_end(&world).await;
        for (ends, date, kept) in [("On a date", "2026-12-31", json!("2026-12-31")), ("On a date", "", Value::Null), ("Forever", "", Value::Null)] {
            let mut olive = dialog(&world, &set).await;
            olive.choose("Ends", ends).fill("Last day", date).press("Schedule Import").await.answered(200).sees("Scheduled: Every day");
            let made = schedules(&world).await.remove(0);
            assert_eq!(made.get("end_date").unwrap_or(&Value::Null), &kept, "{ends} {date}: {made}");
            world.api(&world.olive).await.delete(&format!("schedules/{}", made["id"])).await.is(204);
        }
    }

    async fn a_run_name_is_unique_and_the_holder_is_named(world: World) {
        let (set, stages) = month_end(&world).await;
        let mut held = draft(&stages[0], &daily("09:00"));
        held.run_name = Some("Payroll IntegrationSet".into());
        create(&world, held).await;
        let mut olive = dialog(&world, &set).await;
        olive.fill("Run name (optional)", "payroll integrationset").press("Schedule Import").await.answered(409);
        olive.sees("Another schedule of FP&A 2026 has the run name").sees("Every day at 09:00, UTC, owned by Olive");
        assert_eq!(olive.value("Run name (optional)"), "payroll integrationset");
        olive.fill("Run name (optional)", "Close IntegrationSet {date}").press("Schedule Import").await.sees("Scheduled:");
        world.advance(Duration::days(12));
        world.step(dispatcher::step).await;
        let runs = world.api(&world.olive).await.get(&format!("runs?set_id={}", set.id)).await;
        assert_eq!(runs.items()[0]["name"], "Close IntegrationSet 2026-10-20");
    }

    async fn an_empty_run_name_shows_the_default_with_its_stamp(world: World) {
        let (set, _) = month_end(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{}/schedules/new?set={}", applications(&world), set.id)).await.answered(200);
        let default = "placeholder=\"Month end IntegrationSet 20";
        let at = olive.body.find(default).unwrap_or_else(|| panic!("no {default}"));
        let stamp: String = olive.body[at + default.len() - 2..].chars().take(16).collect();
        assert!(chrono::NaiveDateTime::parse_from_str(&stamp, "%Y-%m-%d %H:%M").is_ok(), "{stamp}");
        olive.sees("Keep “IntegrationSet” in the name");
    }

    /// Its steps are no entries of their own.
    async fn a_set_is_one_entry_of_the_calendar_with_all_its_actions(world: World) {
        let (set, stages) = month_end(&world).await;
        let mut wanted = draft(&stages[0], &daily("09:00"));
        wanted.target = Target::Set(set.id);
        create(&world, wanted).await;
        world.set_clock("2026-10-09T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let calendar = format!("{}/calendar?view=day&date=2026-10-", list(&world));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{calendar}09&zone=UTC")).await.answered(200).sees("Month end").sees("09:00 Success");
        olive.sees_no("accounts").sees_no("sales");
        assert_eq!((olive.count(".ev:not(.plan)"), olive.count(".ev.plan")), (1, 0));
        olive.follow("Month end").await.sees("3 rows loaded").sees("View Summary").sees("Every day at 09:00, UTC");
        olive.visit(&format!("{calendar}10&zone=UTC")).await;
        assert_eq!((olive.count(".ev:not(.plan)"), olive.count(".ev.plan")), (0, 1));
        olive.follow("Grid view").await.sees("Month end").sees("Every day at 09:00, UTC");
        olive.visit(&format!("{calendar}10&zone=UTC")).await.follow("Month end").await;
        olive.sees("Planned").sees("Edit").sees("Copy").sees("Delete");
        olive.press("Disable").await.sees("Turned off: Every day at 09:00, UTC");
        olive.press("Undo").await.sees("Turned on: Every day at 09:00, UTC");
        olive.follow("Month end").await.follow("Edit").await.answered(200);
        assert_eq!(olive.value("Time"), "09:00");
        assert_eq!(olive.within("div.for-set").value("Import set"), set.id.to_string());
    }

    async fn the_menu_of_a_row_edits_copies_disables_enables_and_deletes(world: World) {
        let (set, stages) = month_end(&world).await;
        let mut wanted = draft(&stages[0], &daily("09:00"));
        wanted.target = Target::Set(set.id);
        let schedule = create(&world, wanted).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&list(&world)).await.answered(200);
        olive.in_row("Every day at 09:00").press("Disable").await.sees("Turned off: Every day at 09:00, UTC");
        olive.everywhere().in_row("Every day at 09:00").press("Enable").await.sees("Turned on: Every day at 09:00, UTC");
        olive.everywhere().in_row("Every day at 09:00").follow("Edit schedule").await.answered(200);
        olive.everywhere().fill("Time", "10:00").choose("Repeat", "Weekly").within("div.for-weeks").tick("Mo").tick("Fr");
        olive.everywhere().press("Update Schedule").await;
        olive.sees("Updated: Every Monday and Friday at 10:00, UTC");
        olive.in_row("Every Monday and Friday at 10:00").follow("Copy").await.answered(200);
        olive.everywhere().fill("Time", "11:00").press("Schedule Import").await.sees("Scheduled: Every Monday and Friday at 11:00, UTC");
        olive.in_row("Every Monday and Friday at 10:00").follow("Delete schedule").await.answered(200);
        olive.everywhere().sees("Month end will no longer run at these times.").sees("The import set and the history of its runs stay.");
        olive.press("Delete schedule").await.sees("Deleted: Every Monday and Friday at 10:00, UTC.");
        let left = schedules(&world).await;
        assert_eq!(left.len(), 1);
        assert_ne!(left[0]["id"], schedule.id);
        world.api(&world.olive).await.get(&format!("import-sets/{}", set.id)).await.is(200);
    }

    /// A set uses what its steps use.
    async fn a_set_that_comes_too_close_is_warned_of_and_offered_a_free_start(world: World) {
        let (set, stages) = month_end(&world).await;
        let at = |time: &str| json!({"repeat": "days", "start_date": "2026-10-20", "start_time": time, "time_zone": "Europe/Paris"});
        create(&world, draft(&stages[1], &at("07:25"))).await;
        let mut olive = dialog(&world, &set).await;
        olive.press("Show the next runs").await.answered(200).sees("Less than 15 minutes from another schedule");
        olive.sees("sales, every day at 07:25, runs the same import configuration 5 minutes earlier");
        olive.press("Use 07:40").await.answered(200).sees_no("Less than 15 minutes from another schedule");
        assert_eq!(olive.value("Time"), "07:40");
        olive.press("Schedule Import").await.sees("Scheduled: Every day at 07:40");
        // And the other way round.
        let new = format!("{}/schedules/new?configuration={}", applications(&world), stages[0].configuration);
        olive.visit(&new).await.fill("Date", "2026-10-20").fill("Time", "07:45").fill("Time zone", "Europe/Paris");
        olive.press("Show the next runs").await.sees("Less than 15 minutes from another schedule");
        olive.sees("Month end, every day at 07:40, runs the same import configuration 5 minutes earlier");
    }
}

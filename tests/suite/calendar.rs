//! The calendar: what ran and what is planned, each once, in the zone of who looks; counted where it is too much.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::Duration;
use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use serde_json::json;
use tidegate::clock::Moment;
use tidegate::db::schema::{members, runs as runs_table};
use tidegate::import_scheduling::calendar::{Asked, CalendarScene};
use tidegate::imports::Mode;
use tidegate::runs::{RunStatus, Trigger, dispatcher};
use tidegate::schedules::Schedule;

use crate::running::{start, work_off};
use crate::schedules::{create, daily, draft, every_five, find, once, switch};
use crate::support::stage::{Stage, csv, stage};
use crate::support::world::moment;
use crate::support::{Browser, Person, World};

fn calendar(world: &World, query: &str) -> String {
    format!("/applications/{}/settings/import-scheduling/calendar{query}", world.application)
}

async fn opened(world: &World, person: &Person, query: &str) -> Browser {
    let mut browser = world.browser(person).await;
    browser.visit(&calendar(world, query)).await;
    browser
}

/// Runs of a schedule (or by hand), one for each instant and status, as if they had been.
async fn ran(world: &World, stage: &Stage, schedule: Option<i64>, what: Vec<(Moment, &'static str)>) {
    let (application, configuration, block) = (world.application, stage.configuration, stage.block);
    world
        .write(move |conn| {
            for (at, status) in what {
                let trigger = if schedule.is_some() { Trigger::Schedule } else { Trigger::Member };
                diesel::insert_into(runs_table::table)
                    .values((
                        runs_table::uid.eq("any"),
                        runs_table::application_id.eq(application),
                        runs_table::configuration_id.eq(configuration),
                        runs_table::block_id.eq(block),
                        runs_table::schedule_id.eq(schedule),
                        runs_table::planned_at.eq(schedule.map(|_| at)),
                        runs_table::trigger_kind.eq(trigger),
                        runs_table::name.eq("words"),
                        runs_table::status.eq(RunStatus::parse(status).unwrap()),
                        runs_table::queued_at.eq(at.plus(Duration::seconds(2))),
                        runs_table::started_at.eq(at.plus(Duration::seconds(3))),
                        runs_table::finished_at.eq(at.plus(Duration::seconds(55))),
                    ))
                    .execute(conn)?;
            }
            Ok(())
        })
        .await;
}

async fn set_zone(world: &World, person: &Person, zone: &'static str) {
    let id = person.id;
    world
        .write(move |conn| {
            diesel::update(members::table.find(id)).set(members::time_zone.eq(zone)).execute(conn)?;
            Ok(())
        })
        .await;
}

async fn words(world: &World) -> Stage {
    csv(world, "words", &[("1", "tide"), ("2", "gate")]);
    stage(world, "words", Mode::Append, |_| ()).await
}

/// A schedule of each day at nine (UTC), which ran on Monday and failed on Tuesday; and a run by hand.
async fn a_week(world: &World) -> (Stage, Schedule) {
    let stage = words(world).await;
    let schedule = create(world, draft(&stage, &daily("09:00"))).await;
    let at = |day: u32| moment(&format!("2026-10-0{day}T09:00:00Z"));
    ran(world, &stage, Some(schedule.id), vec![(at(5), "success"), (at(6), "failed"), (at(7), "partial")]).await;
    ran(world, &stage, None, vec![(moment("2026-10-07T14:20:00Z"), "success")]).await;
    (stage, schedule)
}

on_both! {
    async fn a_week_has_what_ran_and_what_is_planned(world: World) {
        a_week(&world).await;
        let mut olive = opened(&world, &world.olive, "").await;
        // The Workspace's zone; Thursday evening.
        olive.sees("5 to 11 October 2026").sees("All times in UTC").sees("Now, 16:42");
        olive.within("#day-2026-10-05 ~ .cal-cell").sees("words").sees("09:00 Success, 52.0 s");
        olive.everywhere().within("#day-2026-10-06 ~ .cal-cell").sees("09:00 Failed");
        olive.everywhere().sees("14:20 Success, by hand, 52.0 s").sees("09:00 Partial, 52.0 s");
        assert_eq!(olive.count(".cal-day .ev.plan"), 3, "Friday to Sunday; today's has gone by");
        assert_eq!(olive.count(".cal-day .ev:not(.plan)"), 4);
        for (view, title, planned) in
            [("day", "Thursday 8 October 2026", 0), ("month", "October 2026", 24), ("week", "5 to 11 October 2026", 3)]
        {
            let page = opened(&world, &world.olive, &format!("?view={view}")).await;
            page.sees(title);
            // A month has the first of November in its last week.
            assert_eq!(page.count(".ev.plan"), planned, "{view}");
            let table = opened(&world, &world.olive, &format!("?view={view}&grid=on")).await;
            assert_eq!(table.count(".cal-table .state.plan"), planned, "{view} as a table");
        }
    }

    /// Arrows, Today and days are links; nothing lies beyond 2099.
    async fn one_walks_through_time_by_links(world: World) {
        a_week(&world).await;
        let mut olive = opened(&world, &world.olive, "").await;
        olive.follow("Next week").await.sees("12 to 18 October 2026").sees_no("Now, ");
        assert_eq!(olive.count(".cal-day .ev.plan"), 7);
        olive.follow("Previous week").await;
        olive.follow("Previous week").await.sees("28 September to 4 October 2026");
        olive.follow("Today").await.sees("5 to 11 October 2026");
        olive.follow("Month").await.sees("October 2026");
        olive.follow("Next month").await.sees("November 2026");
        olive.follow("Grid view").await.sees("Every day at 09:00, UTC");
        olive.follow("Day").await.follow("Grid view").await;
        olive.visit(&calendar(&world, "?view=week&date=2099-12-31")).await;
        assert_eq!((olive.count("#cal-previous"), olive.count("#cal-next")), (1, 0));
    }

    async fn what_is_shown_can_be_chosen(world: World) {
        let (stage, _) = a_week(&world).await;
        let other = crate::support::stage::stage(&world, "other", Mode::Append, |_| ()).await;
        create(&world, draft(&other, &daily("11:00"))).await;
        let count = async |query: &str| {
            let page = opened(&world, &world.olive, query).await;
            (page.count(".ev.plan"), page.count(".ev:not(.plan)"))
        };
        assert_eq!(count("").await, (6, 4));
        assert_eq!(count("?show=scheduled").await, (6, 3), "not what was started by hand");
        assert_eq!(count("?show=failed").await, (0, 2), "Failed and Partial");
        assert_eq!(count(&format!("?configuration={}", other.configuration)).await, (3, 0));
        assert_eq!(count(&format!("?configuration={}&show=failed", stage.configuration)).await, (0, 2));
        let mut olive = opened(&world, &world.olive, "?show=failed&date=2026-09-01").await;
        olive.sees("Nothing from 31 August to 6 September 2026 matches your filters.");
        olive.follow("Show everything").await.sees("Nothing ran and nothing is planned from 31 August");
        olive.follow("Next run: words").await.sees("5 to 11 October 2026");
    }

    /// Placed by instant in one zone: the member's own, or another that is asked for.
    async fn times_are_in_one_zone(world: World) {
        a_week(&world).await;
        set_zone(&world, &world.olive, "Asia/Kathmandu").await;
        let olive = opened(&world, &world.olive, "").await;
        olive.sees("All times in Asia/Kathmandu").sees("Now, 22:27").sees("14:45 Success");
        let olive = opened(&world, &world.olive, "?zone=America/New_York").await;
        olive.sees("All times in America/New_York").sees("Now, 12:42").sees("05:00 Success");
        // In Kiritimati the day is another one.
        let olive = opened(&world, &world.olive, "?zone=pacific/kiritimati&view=day").await;
        olive.sees("Friday 9 October 2026").sees("Planned");
        let olive = opened(&world, &world.olive, "?zone=Mars/Olympus").await;
        olive.sees("\"Mars/Olympus\" is not a known time zone.").sees("Showing Asia/Kathmandu instead.").sees("14:45 Success");
        assert_eq!(olive.value("Time zone"), "Mars/Olympus");
    }

    async fn the_night_on_which_clocks_go_back_has_an_hour_twice(world: World) {
        let stage = words(&world).await;
        let hourly = json!({ "repeat": "hours", "start_date": "2026-10-24", "start_time": "22:30", "time_zone": "UTC",
            "end_date": "2026-10-25", "window": { "from": "23:00", "to": "03:00" } });
        create(&world, draft(&stage, &hourly)).await;
        let olive = opened(&world, &world.olive, "?view=day&date=2026-10-25&zone=Europe/Paris").await;
        olive.sees("25 hours: clocks go back at 03:00").sees("02:30 UTC+2").sees("02:30 UTC+1").sees("01:30 Planned");
        let spring = opened(&world, &world.olive, "?view=week&date=2027-03-28&zone=Europe/Paris").await;
        spring.sees("Nothing ran and nothing is planned");
        create(&world, draft(&stage, &once("2027-03-28", "00:45"))).await;
        create(&world, draft(&stage, &once("2027-03-27", "01:15"))).await;
        let spring = opened(&world, &world.olive, "?view=week&date=2027-03-28&zone=Europe/Paris").await;
        spring.sees("23 hours: clocks go forward at 02:00").sees("No 02:00 on this day").sees("02:15 Planned");
    }

    /// What runs often is one band with the counts that the database has; by brute force.
    async fn frequent_runs_are_counted(world: World) {
        let stage = words(&world).await;
        let schedule = create(&world, draft(&stage, &every_five())).await;
        let (mut at, mut what) = (moment("2026-10-04T22:00:00Z"), Vec::new());
        while at < world.now() {
            let status = match what.len() % 7 {
                0 => "failed",
                3 => "skipped",
                _ => "success",
            };
            what.push((at, status));
            at = at.plus(Duration::minutes(5));
        }
        let count = |status: &str| what.iter().filter(|(_, s)| *s == status).count();
        let said = format!(
            "{} runs so far, {} succeeded, {} failed, {} skipped; ",
            tidegate::words::count(what.len() as i64),
            count("success"),
            count("failed"),
            count("skipped")
        );
        let planned_today = (moment("2026-10-08T22:00:00Z").since(at).num_minutes() / 5) as usize;
        ran(&world, &stage, Some(schedule.id), what.clone()).await;
        let olive = opened(&world, &world.olive, "?zone=Europe/Paris").await;
        olive.sees("words, every 5 minutes").sees(&format!("{said}{planned_today} planned")).sees("864 planned");
        assert_eq!((olive.count(".cal-day .ev"), olive.count(".cal-band .ev")), (0, 2));
        let day = opened(&world, &world.olive, "?view=day&date=2026-10-06&zone=Europe/Paris").await;
        let failed = |from: &str, to: &str| {
            let inside = |at: &Moment| moment(from) <= *at && *at < moment(to);
            what.iter().filter(|(at, status)| inside(at) && *status == "failed").count()
        };
        let failed = failed("2026-10-05T22:00:00Z", "2026-10-06T22:00:00Z");
        day.sees("288 runs").sees(&format!("{failed} failed"));
        let month = opened(&world, &world.olive, "?view=month&zone=Europe/Paris").await;
        month.sees("288 runs");
        assert_eq!(month.count("#day-2026-10-06 ~ .ev"), 1);
        let only = opened(&world, &world.olive, "?show=failed&view=day&date=2026-10-06&zone=Europe/Paris&grid=on").await;
        only.sees(&format!("{failed} runs, {failed} failed")).sees("Every 5 minutes");
        let none = opened(&world, &world.olive, "?show=failed&date=2026-10-12").await;
        none.sees("Nothing from 12 to 18 October 2026 matches");
    }

    async fn missed_occurrences_are_one_row_with_until(world: World) {
        let stage = words(&world).await;
        create(&world, draft(&stage, &every_five())).await;
        world.set_clock("2026-10-11T16:42:00Z");
        world.step(dispatcher::step).await;
        let range = "every occurrence until Today, 16:35";
        let olive = opened(&world, &world.olive, "").await;
        olive.sees("Missed").sees(range);
        assert_eq!(olive.count(".cal-day .ev"), 1, "the late run is in the band of its schedule");
        // It reaches into the last of its days too.
        let day = opened(&world, &world.olive, "?view=day").await;
        day.sees("Thu 8 Oct, 16:45 Missed").sees(range);
        opened(&world, &world.olive, "?view=day&date=2026-10-07").await.sees_no("Missed");
    }

    /// Over two hundred entries a day are counted by the hour, none of them lost.
    async fn a_crowded_day_is_counted_by_the_hour(world: World) {
        let mut stages = Vec::new();
        for n in 0..9 {
            stages.push(stage(&world, &format!("number {n}"), Mode::Append, |_| ()).await);
        }
        let day = moment("2026-10-06T00:00:00Z");
        for (n, stage) in stages.iter().enumerate() {
            for hour in 0..4 {
                let time = format!("{:02}:{:02}", hour * 3, n * 6);
                let made = create(&world, draft(stage, &daily(&time))).await;
                let at = |m: i64| day.plus(Duration::hours(hour * 3)).plus(Duration::minutes(n as i64 * 6 + m));
                let what = (0..6).map(|m| (at(m), if m == 5 { "failed" } else { "success" })).collect();
                ran(&world, stage, Some(made.id), what).await;
            }
        }
        let olive = opened(&world, &world.olive, "?view=day&date=2026-10-06").await;
        // 9 x 4 x 6.
        olive.sees("00:00 to 01:00").sees("54 entries").sees("54 runs, 45 succeeded, 9 failed");
        assert_eq!(olive.count(".cal-day .ev"), 4);
        olive.sees("On a day with more than 200 entries, they are only counted");
        let mut olive = olive;
        olive.within("#day-2026-10-06 ~ .cal-cell.r2").follow("54 entries").await.sees("Failed");
        assert_eq!(olive.count(".cal-day .ev"), 36);
        let one = opened(&world, &world.olive, &format!("?date=2026-10-06&configuration={}", stages[0].configuration)).await;
        assert_eq!(one.count(".cal-day .ev.is-ok") + one.count(".cal-day .ev.is-bad"), 24);
        let month = opened(&world, &world.olive, "?view=month").await;
        // There each of them has run often on one day, and is a band on all.
        month.sees("32 more, 32 with failures").sees("number 0, every day at 03:00").sees("6 runs, 5 succeeded, 1 failed");
    }

    /// In a month forty are enough to be counted.
    async fn a_crowded_day_of_a_month_leads_to_the_day(world: World) {
        for n in 0..11 {
            let stage = stage(&world, &format!("number {n}"), Mode::Append, |_| ()).await;
            for hour in 0..4 {
                create(&world, draft(&stage, &daily(&format!("{:02}:{:02}", hour * 5, n * 5)))).await;
            }
        }
        let mut olive = opened(&world, &world.olive, "?view=month&date=2026-10-08").await;
        olive.sees("44 entries").sees("44 planned. Show the day");
        assert_eq!(olive.count("#day-2026-10-20 ~ .ev"), 1);
        olive.within("[aria-labelledby=day-2026-10-20]").follow("44 entries").await;
        assert_eq!((olive.count(".cal-day .ev.plan"), olive.has("Tuesday 20 October 2026")), (44, true));
    }

    /// Two of different schedules within the Application's spacing on one Connection.
    async fn what_is_planned_too_close_is_outlined(world: World) {
        let (stage, _) = a_week(&world).await;
        create(&world, draft(&stage, &daily("09:14"))).await;
        let olive = opened(&world, &world.olive, "").await;
        assert_eq!(olive.count(".ev.clash"), 6);
        olive.sees("Outlined runs are planned less than 15 minutes from another run on the same Connection. Runs counted in a band");
        let other = crate::support::stage::stage(&world, "other", Mode::Append, |_| ()).await;
        create(&world, draft(&other, &daily("09:10"))).await;
        create(&world, draft(&stage, &daily("09:29"))).await;
        let olive = opened(&world, &world.olive, "").await;
        assert_eq!(olive.count(".ev.clash"), 6, "another Connection, and fifteen minutes apart");
    }

    /// What is chosen tells what it is, and what can be done about it.
    async fn an_entry_has_details_and_actions(world: World) {
        let (stage, schedule) = a_week(&world).await;
        let mut olive = opened(&world, &world.olive, "").await;
        olive.within("#day-2026-10-09 ~ .cal-cell").follow("words").await;
        olive.sees("Planned").sees("Fri 9 Oct 2026, 09:00, UTC").sees("Every day at 09:00, UTC").sees("Owner Olive");
        olive.sees("Edit").sees("Copy").sees("Delete").sees_no("View Summary");
        olive.press("Disable").await.sees("Turned off: Every day at 09:00, UTC").sees("5 to 11 October 2026");
        assert_eq!(olive.path(), calendar(&world, ""));
        assert_eq!(olive.count(".ev.plan"), 0);
        olive.press("Undo").await.sees("Turned on: Every day at 09:00, UTC");
        assert_eq!((olive.path(), olive.count(".ev.plan")), (calendar(&world, ""), 3));
        // A run leads to its Summary, and to its schedule, be it off.
        switch(&world, &world.olive, schedule.id, false).await;
        olive.visit(&calendar(&world, "?view=day&date=2026-10-06")).await.follow("words").await;
        olive.sees("Failed").sees("Scheduled").sees("View Summary").sees("Enable");
        olive.press("Enable").await.sees("Turned on").sees("Tuesday 6 October 2026");
        // Run again is offered where it may be done: on the latest that ended.
        olive.sees_no("Run Again");
        start(&world, &stage).await;
        work_off(&world).await;
        olive.visit(&calendar(&world, "?view=day")).await.follow("words").await.sees("2 rows loaded");
        olive.press("Run Again").await.sees("Started: words").sees("Thursday 8 October 2026").sees("Queued");
        olive.visit(&calendar(&world, "?view=day&date=2026-10-09")).await.follow("words").await;
        olive.follow("Delete").await.follow("Keep it").await.sees("Friday 9 October 2026");
        olive.follow("words").await.follow("Delete").await.press("Delete schedule").await;
        olive.sees("Deleted: Every day at 09:00, UTC.").sees("Nothing ran and nothing is planned on Friday 9 October");
    }

    /// An occurrence that has begun or is planned no more when its details are asked for.
    async fn details_are_what_is_so_now(world: World) {
        let (_, schedule) = a_week(&world).await;
        let entry = |query: &str| calendar(&world, &format!("/entry?{query}"));
        let planned = entry(&format!("schedule={}&at=2026-10-09T09:00:00Z", schedule.id));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&planned).await.sees("Planned");
        switch(&world, &world.olive, schedule.id, false).await;
        olive.visit(&planned).await.sees("This is no longer planned.").sees("Off");
        switch(&world, &world.olive, schedule.id, true).await;
        olive.visit(&entry(&format!("schedule={}&at=2026-10-09T10:00:00Z", schedule.id))).await.sees("no longer planned");
        world.set_clock("2026-10-09T09:00:00Z");
        world.step(dispatcher::step).await;
        olive.visit(&planned).await.sees("Queued").sees("View Summary");
        assert_eq!(find(&world, schedule.id).await.next_at, Some(moment("2026-10-10T09:00:00Z")));
        olive.visit(&entry(&format!("schedule={}", schedule.id))).await.sees("Every day at 09:00").sees("On");
        let fragment = olive.htmx(&planned).await;
        assert!(fragment.body.trim_start().starts_with("<dialog"), "{}", fragment.body);
        for nothing in ["", "run=999999", "schedule=999999&at=2026-10-09T09:00:00Z", "run=x&schedule=y", "at=never"] {
            assert_eq!(olive.get(&entry(nothing)).await.status, 404, "{nothing}");
        }
    }

    async fn a_set_is_a_choice_and_leads_to_its_runs_by_hand(world: World) {
        let stage = words(&world).await;
        let set = crate::import_sets::create(&world, "Month end", &[stage.configuration]).await;
        let other = crate::import_sets::create(&world, "Nightly", &[stage.configuration]).await;
        let (sets, of_set) = (format!("/applications/{}/settings/import-sets", world.application), format!("s{}", set.id));
        let mut olive = world.browser(&world.olive).await;
        olive.post(&format!("{sets}/{}/runs", set.id), &[]).await;
        olive.post(&format!("{sets}/{}/runs", other.id), &[]).await;
        start(&world, &stage).await;
        work_off(&world).await;
        olive.visit(&calendar(&world, "")).await.sees("Month end IntegrationSet").sees("Nightly IntegrationSet");
        olive.choose("Import", "Month end").press("Apply").await.answered(200);
        assert_eq!(olive.value("Import"), of_set);
        for view in ["day", "week", "month"] {
            olive.visit(&calendar(&world, &format!("?view={view}&configuration={of_set}"))).await;
            assert_eq!((olive.body.matches("Month end IntegrationSet").count() > 0, olive.has("Nightly IntegrationSet")), (true, false));
        }
        olive.visit(&calendar(&world, "?configuration=s999999")).await.answered(200).sees("matches your filters");
        let run = world.api(&world.olive).await.get(&format!("runs?set_id={}", set.id)).await.items()[0]["id"].clone();
        olive.visit(&calendar(&world, &format!("/entry?run={run}"))).await.follow("Runs by hand").await.sees("History of Month end");
    }

    async fn who_may_see_it(world: World) {
        let (_, schedule) = a_week(&world).await;
        let mut audrey = opened(&world, &world.audrey, "").await;
        audrey.sees("You can view this page but not change it.").sees_no("Schedule Imports");
        assert_eq!((audrey.count(".ev.plan"), audrey.count("[data-edit]")), (3, 0));
        audrey.within("#day-2026-10-09 ~ .cal-cell").follow("words").await.sees("Every day at 09:00, UTC");
        audrey.sees_no("Edit").sees_no("Copy").sees_no("Disable").sees_no("Delete").sees_no("Run Again");
        let mut mo = world.browser(&world.mo).await;
        assert_eq!(mo.open(&calendar(&world, "")).await, 403);
        mo.sees("Can Import Data").sees("Ada can change your role");
        assert_eq!(mo.open(&calendar(&world, &format!("/entry?schedule={}", schedule.id))).await, 403);
        let mut stranger = world.browser(&world.stranger).await;
        assert_eq!(stranger.open(&calendar(&world, "")).await, 404);
        // What belongs to another Application is not there, at one's own address.
        let elsewhere = format!("/applications/{}/settings/import-scheduling/calendar/entry", world.elsewhere);
        let run = crate::dispatching::runs(&world).await[0].id;
        for foreign in [format!("run={run}"), format!("schedule={}", schedule.id)] {
            assert_eq!(stranger.get(&format!("{elsewhere}?{foreign}")).await.status, 404);
            let ada = world.browser(&world.ada).await;
            assert_eq!(ada.get(&format!("{elsewhere}?{foreign}")).await.status, 404, "not even for who sees both");
        }
    }

    /// Whatever stands in the address, a calendar comes.
    async fn bad_addresses_fall_back(world: World) {
        a_week(&world).await;
        let olive = world.browser(&world.olive).await;
        for query in [
            "?view=year", "?date=2026-02-30", "?date=x&view=&show=&zone=", "?date=-5", "?date=99999-01-01", "?show=x",
            "?date=0000-01-01&view=month", "?configuration=x", "?configuration=99999999999999999999",
            "?configuration=-1&view=month", "?grid=1&order=z", "?zone=%00%ff", "?view=day&view=month", "?date=1970-01-01",
            "?view=month&date=1970-01-01", "?view=month&date=2099-12-31", "?date=2099-12-31&zone=Pacific/Apia",
        ] {
            let answer = olive.get(&calendar(&world, query)).await;
            assert_eq!(answer.status, 200, "{query}");
        }
        let page = opened(&world, &world.olive, "?view=year&date=2026-02-30&show=x").await;
        page.sees("5 to 11 October 2026");
        opened(&world, &world.olive, "?date=1850-01-01").await.sees("29 December 1969 to 4 January 1970");
    }

    /// A form's way back leads nowhere else.
    async fn the_way_back_is_ours(world: World) {
        let (_, schedule) = a_week(&world).await;
        let olive = world.browser(&world.olive).await;
        let address = format!("/applications/{}/schedules/{}/switch", world.application, schedule.id);
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        for bad in ["https://evil.example/", "//evil.example", "/members", "/applications/2/settings/import-scheduling"] {
            let answer = olive.post(&address, &[("back", bad)]).await;
            assert_eq!(answer.url.path(), list, "{bad}");
        }
        let good = calendar(&world, "?view=day");
        let answer = olive.post(&address, &[("back", &good)]).await;
        assert_eq!(answer.url.path(), calendar(&world, ""));
    }

    /// Ten times the schedules and a long history ask no more of the database.
    async fn the_number_of_queries_does_not_grow(world: World) {
        let (stage, schedule) = a_week(&world).await;
        let few = queries(&world).await;
        for n in 0..6 {
            let more = crate::support::stage::stage(&world, &format!("more {n}"), Mode::Append, |_| ()).await;
            for hour in [1, 5, 9] {
                create(&world, draft(&more, &daily(&format!("{hour:02}:{n}0")))).await;
            }
            create(&world, draft(&more, &every_five())).await;
        }
        let from = moment("2026-10-05T00:00:00Z");
        let what = (0..300).map(|n| (from.plus(Duration::minutes(n * 7)), "success")).collect();
        ran(&world, &stage, Some(schedule.id), what).await;
        let many = queries(&world).await;
        assert_eq!(few, many);
        assert!(many.iter().all(|count| *count < 30), "{many:?}");
    }
}

/// How many statements each view takes.
async fn queries(world: &World) -> Vec<usize> {
    let mut counts = Vec::new();
    for query in ["view=day", "view=week", "view=month", "view=week&grid=on"] {
        let (olive, application, now) = (world.olive.clone(), world.application, world.now());
        let asked = Asked::of(&tidegate::web::Form::parse(query.as_bytes()));
        let count = world
            .read(move |conn| {
                let by = olive.by(conn)?;
                let count = Arc::new(AtomicUsize::new(0));
                let counter = count.clone();
                conn.set_instrumentation(move |event: InstrumentationEvent<'_>| {
                    if matches!(event, InstrumentationEvent::StartQuery { .. }) {
                        counter.fetch_add(1, Ordering::Relaxed);
                    }
                });
                let scene = CalendarScene::load(conn, &by, application, asked, now);
                conn.set_instrumentation(|_: InstrumentationEvent<'_>| ());
                scene?;
                Ok(count.load(Ordering::Relaxed))
            })
            .await;
        assert!(count > 3, "they are counted");
        counts.push(count);
    }
    counts
}

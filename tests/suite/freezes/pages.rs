//! Freezes as people plan, read, end and delete them; with scripts off.

use serde_json::Value;
use tidegate::audit;
use tidegate::imports::Mode;
use tidegate::runs::dispatcher;

use super::create;
use crate::schedules::{create as schedule, daily, draft, every_five};
use crate::support::World;
use crate::support::stage::stage;

fn page(world: &World) -> String {
    format!("/applications/{}/settings/freezes", world.application)
}

/// Action, before and after of what was done to freezes, the oldest first.
async fn audited(world: &World) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut entries = world.read(|conn| audit::list(conn, &audit::Filter::default(), None, 100)).await;
    entries.reverse();
    let of_freezes = entries.into_iter().filter(|e| e.subject_kind == "freeze");
    of_freezes.map(|e| (e.action, e.before, e.after)).collect()
}

on_both! {
    async fn a_freeze_is_planned_changed_and_deleted(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &every_five())).await;
        schedule(&world, draft(&stage, &daily("18:30"))).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings", world.application)).await;
        olive.within(".side").follow("Freezes").await.answered(200);
        olive.sees("No freeze is planned").sees("You can still run imports by hand");
        olive.fill("Name", "Year-end close").fill("From date", "2026-10-08").fill("From time", "20:00");
        olive.fill("To date", "2026-10-08").fill("To time", "21:00").press("Show what it will skip").await.answered(200);
        olive.sees("From Thu 8 Oct 2026, 20:00 until Thu 8 Oct 2026, 21:00 (Europe/Paris) it will skip 13 occurrences of 2 schedules.");
        assert_eq!((olive.value("Name"), olive.value("From time")), ("Year-end close".into(), "20:00".into()));
        assert!(audited(&world).await.is_empty(), "nothing is saved by asking");
        olive.press("Create freeze").await.answered(200);
        olive.sees("“Year-end close” freezes the schedules from Thu 8 Oct 2026, 20:00 until Thu 8 Oct 2026, 21:00 (Europe/Paris).");
        olive.in_row("Year-end close").sees("Upcoming").sees("Each skipped import runs once").sees("Not yet");
        olive.everywhere().follow("Year-end close").await.sees("it will skip 13 occurrences of 2 schedules");
        olive.untick("When it ends, run each skipped import once").fill("To time", "22:00").press("Save").await;
        olive.answered(200).sees("The freeze “Year-end close” is saved.");
        olive.in_row("Nothing runs").sees("Year-end close");
        olive.everywhere().follow("Year-end close").await.follow("Delete …").await.sees("Nothing will be frozen.");
        olive.press("Delete freeze").await.sees("Deleted the freeze “Year-end close”.").sees("No freeze is planned");
        let audited = audited(&world).await;
        let actions: Vec<&str> = audited.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["freeze.created", "freeze.updated", "freeze.deleted"]);
        let (_, before, after) = &audited[1];
        assert_eq!(before.as_ref().unwrap()["to"], "2026-10-08T19:00:00Z");
        assert_eq!(after.as_ref().unwrap()["to"], "2026-10-08T20:00:00Z");
    }

    async fn what_is_wrong_is_said_at_the_field_and_what_was_typed_stays(world: World) {
        create(&world, "Taken", "2026-10-20T00:00:00Z", "2026-10-21T00:00:00Z", true).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world)).await.fill("Name", " ").fill("From date", "soon").fill("From time", "");
        olive.fill("To date", "1969-12-31").fill("To time", "25:00").press("Create freeze").await.answered(422);
        olive.sees("Enter a name.").sees("soon is not a date.").sees("Enter a time, such as 18:00.");
        olive.sees("25:00 is not a time.");
        assert_eq!((olive.value("From date"), olive.value("To time")), ("soon".into(), "25:00".into()));
        let cases = [
            ("2026-10-10", "2026-10-10", "It must end after it starts."),
            ("2026-10-11", "2026-10-10", "It must end after it starts."),
            ("2026-10-01", "2026-10-08", "This time is in the past."),
            ("2026-10-10", "2027-10-20", "A freeze can last at most a year."),
            ("2026-10-10", "2100-01-01", "2100-01-01 is out of range"),
            ("1969-12-31", "2026-10-10", "1969-12-31 is out of range"),
        ];
        for (from, to, words) in cases {
            olive.visit(&page(&world)).await.fill("Name", "Close").fill("From date", from).fill("From time", "10:00");
            olive.fill("To date", to).fill("To time", "10:00").press("Create freeze").await.answered(422).sees(words);
            assert_eq!(olive.count("[aria-invalid]"), 1, "{words}");
        }
        olive.visit(&page(&world)).await.fill("Name", "tAKEN").press("Create freeze").await.answered(409);
        olive.sees("A freeze named \"tAKEN\" has not ended yet.");
        assert_eq!(olive.count("#name[aria-invalid]"), 1);
        world.set_clock("2026-10-21T00:00:00Z");
        olive.press("Create freeze").await.answered(422).sees("This time is in the past.");
        olive.fill("To date", "2026-10-22").press("Create freeze").await.answered(200).sees("“tAKEN” freezes the schedules from now");
        // While a clock change skips the time typed, it moves forward with it.
        olive.fill("Name", "Spring").fill("From date", "2027-03-28").fill("From time", "02:30");
        olive.fill("To date", "2027-03-28").fill("To time", "03:30").press("Create freeze").await.answered(422);
        olive.sees("It must end after it starts.");
    }

    async fn one_that_holds_is_shown_ended_and_kept(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        schedule(&world, draft(&stage, &daily("17:00"))).await;
        create(&world, "Year-end close", "2026-10-08T16:00:00Z", "2026-10-09T18:00:00Z", true).await;
        world.set_clock("2026-10-08T17:00:00Z");
        world.step(dispatcher::step).await;
        let mut olive = world.browser(&world.olive).await;
        let scheduling = format!("/applications/{}/settings/import-scheduling", world.application);
        olive.visit(&scheduling).await;
        olive.sees("Frozen until Fri 9 Oct 2026, 20:00 (Europe/Paris) by Year-end close.");
        olive.sees("Nothing starts by schedule. You can still run imports by hand.");
        // It makes up for what it skips when it ends.
        olive.sees("Frozen by “Year-end close” Tomorrow, 17:00 is skipped; runs Tomorrow, 18:00");
        let history = format!("/applications/{}/settings/import-configurations/{}/history", world.application, stage.configuration);
        world.set_clock("2026-10-09T17:00:00Z");
        world.step(dispatcher::step).await;
        olive.visit(&history).await.sees("Every occurrence until Today, 19:00. Frozen by \"Year-end close\" until Fri 9 Oct 2026, 20:00");
        olive.follow("View Summary of the run of Yesterday, 19:00").await.answered(200);
        olive.sees("Skipped").sees("Frozen by \"Year-end close\"").sees("prices, Thu 8 Oct 2026, 17:00 to Fri 9 Oct 2026, 17:00");
        olive.visit(&page(&world)).await.in_row("Year-end close").sees("Now").sees("2 occurrences");
        olive.everywhere().follow("Year-end close").await.sees("The freeze has started, so its start cannot change.");
        assert_eq!(olive.count("[name=from_date]"), 0);
        olive.fill("To date", "2026-10-08").press("Save").await.answered(422).sees("or end the freeze now");
        olive.fill("To date", "2026-10-10").press("Save").await.answered(200);
        let mut old = world.browser(&world.ada).await;
        old.visit(&page(&world)).await.follow("Year-end close").await;
        olive.press("End now: Year-end close").await.sees("“Year-end close” has ended. Schedules run again. Each skipped import runs once.");
        olive.in_row("Year-end close").sees("Ended");
        assert_eq!(olive.everywhere().count("button.btn-sm"), 0);
        // Whoever had it open reads that it is over.
        old.press("Save").await.answered(409).sees("has ended and can no longer change");
        let end = format!("{}/end", olive.visit(&page(&world)).await.follow("Year-end close").await.path());
        assert_eq!(olive.count("main form"), 0, "it is only read");
        assert_eq!(olive.post(&end, &[]).await.status, 409);
    }

    async fn others_read_and_are_told_who_can(world: World) {
        let freeze = create(&world, "Close", "2026-10-20T00:00:00Z", "2026-10-21T00:00:00Z", true).await;
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&page(&world)).await.sees("Close").sees("You can view this page but not change it.").sees("Olive can grant it.");
        assert_eq!(audrey.count("main form"), 0);
        audrey.follow("Close").await.answered(200).sees_no("Delete …");
        assert_eq!(audrey.count("main form"), 0);
        let mut mo = world.browser(&world.mo).await;
        assert_eq!(mo.open(&page(&world)).await, 403);
        mo.sees("Can Import Data");
        let stranger = world.browser(&world.stranger).await;
        let at = |application: i64, id: i64| format!("/applications/{application}/settings/freezes/{id}");
        for path in [at(world.application, freeze.id), at(world.elsewhere, freeze.id), at(world.elsewhere, 999_999)] {
            assert_eq!(stranger.get(&path).await.status, 404, "{path}");
            for end in ["", "/end", "/delete"] {
                assert_eq!(stranger.post(&format!("{path}{end}"), &[]).await.status, 404, "{path}{end}");
            }
        }
    }

    async fn a_stale_form_replaces_nothing(world: World) {
        create(&world, "Close", "2026-10-20T00:00:00Z", "2026-10-21T00:00:00Z", true).await;
        let mut ada = world.browser(&world.ada).await;
        let mut olive = world.browser(&world.olive).await;
        for browser in [&mut ada, &mut olive] {
            browser.visit(&page(&world)).await.follow("Close").await;
        }
        ada.fill("Name", "Close 2026").press("Save").await.answered(200);
        olive.fill("Name", "Mine").press("Save").await.answered(412).sees("was changed after you opened this page");
        assert_eq!(olive.value("Name"), "Mine");
        olive.press("Save").await.answered(200).sees("The freeze “Mine” is saved.");
    }
}

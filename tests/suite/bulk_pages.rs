//! The pages of what is done to one or several schedules, as a browser without scripts uses them.

use chrono::Duration;
use serde_json::json;
use tidegate::imports::Mode;
use tidegate::schedules::{About, Draft, Notify, State};

use crate::schedules::{create, daily, draft, every_five, find};
use crate::support::stage::{Stage, stage};
use crate::support::{Browser, Person, World};

fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-scheduling", world.application)
}

/// Presses a button of the bar with these ticked.
async fn bulk(browser: &mut Browser, world: &World, ticked: &[&str], button: &str) {
    browser.visit(&list(world)).await;
    for label in ticked {
        browser.tick(&format!("Select {label}"));
    }
    browser.press(button).await;
}

async fn three(world: &World) -> (Stage, Vec<i64>) {
    let stage = stage(world, "prices", Mode::Append, |_| ()).await;
    let mut ids = Vec::new();
    for time in ["18:00", "19:00", "20:00"] {
        ids.push(create(world, draft(&stage, &daily(time))).await.id);
    }
    (stage, ids)
}

async fn undo(browser: &mut Browser) {
    browser.within(".toasts").press("Undo").await;
}

on_both! {
    async fn more_than_a_thousand_are_refused(world: World) {
        let (_, ids) = three(&world).await;
        let olive = world.browser(&world.olive).await;
        let there = format!("/applications/{}/schedules/bulk", world.application);
        for many in [1_001, 40_000] {
            let ids = vec![ids[0].to_string(); many].join(",");
            for deed in ["off", "delete"] {
                assert_eq!(olive.post(&there, &[("do", deed), ("schedules", &ids)]).await.status, 422, "{many}, {deed}");
            }
        }
        assert_eq!(find(&world, ids[0]).await.state(), State::On);
    }

    async fn the_bar_does_it_to_what_is_ticked_and_says_so(world: World) {
        let (_, ids) = three(&world).await;
        let mut olive = world.browser(&world.olive).await;
        bulk(&mut olive, &world, &["Every day at 18:00", "Every day at 19:00"], "Turn off").await;
        olive.sees("2 turned off.");
        assert_eq!(find(&world, ids[0]).await.state(), State::Off);
        world.advance(Duration::seconds(5));
        undo(&mut olive).await;
        olive.sees("Undone for 2 schedules.");
        world.advance(Duration::seconds(5));
        bulk(&mut olive, &world, &["Every day at 18:00"], "Turn off").await;
        world.advance(Duration::seconds(5));
        bulk(&mut olive, &world, &["Every day at 18:00", "Every day at 20:00"], "Turn on").await;
        olive.sees("1 turned on; 1 was already on.");
        olive.sees_no("Hand over");

        bulk(&mut olive, &world, &[], "Turn on").await;
        olive.answered(422).sees("No schedule is selected.");
        bulk(&mut olive, &world, &[], "Delete").await;
        olive.answered(422).sees("No schedule is selected.");
        let id = ids[1].to_string();
        let kept = olive.post(&format!("/applications/{}/schedules/bulk", world.application), &[("schedules", &id)]).await;
        assert_eq!(kept.status, 422);
        assert!(kept.body.contains(&format!("value=\"{id}\" form=\"bulk\" checked")), "the tick is kept");

        world.advance(Duration::seconds(5));
        bulk(&mut olive, &world, &["Every day at 18:00", "Every day at 20:00"], "Delete").await;
        olive.sees("Delete these 2 schedules?").sees("Every day at 20:00, UTC").sees("prices");
        olive.sees("The imports and the history of their runs stay.");
        olive.follow("Keep them").await.sees("3 of 4 schedules");
        bulk(&mut olive, &world, &["Every day at 18:00", "Every day at 20:00"], "Delete").await;
        olive.press("Delete 2 schedules").await.sees("2 deleted.").sees("1 of 4 schedules");
        world.advance(Duration::seconds(5));
        undo(&mut olive).await;
        olive.sees("Undone for 2 schedules.").sees("3 of 4 schedules");
    }

    async fn what_was_deleted_meanwhile_is_said_and_the_rest_is_done(world: World) {
        let (_, ids) = three(&world).await;
        let remove = async |id: i64| {
            let other = world.browser(&world.ada).await;
            let path = format!("/applications/{}/schedules/{id}/delete", world.application);
            assert_eq!(other.post(&path, &[]).await.status, 200);
        };
        let mut olive = world.browser(&world.olive).await;
        let three = ["Every day at 18:00", "Every day at 19:00", "Every day at 20:00"];
        let ticked = async |olive: &mut Browser, of: &[&str], button: &str| {
            for name in of {
                olive.tick(&format!("Select {name}, prices"));
            }
            olive.press(button).await;
        };
        olive.visit(&format!("{}?q=prices", list(&world))).await;
        remove(ids[0]).await;
        ticked(&mut olive, &three, "Turn off").await;
        olive.answered(200).sees("2 turned off; 1 has been deleted.").sees("2 of 4 schedules");
        assert_eq!(olive.value("Filter by Block, configuration or Owner"), "prices", "the filter is kept");
        remove(ids[1]).await;
        ticked(&mut olive, &three[1..], "Delete").await;
        olive.sees("Delete this schedule?").sees("Of those you selected, 1 has been deleted.");
        olive.press("Delete 1 schedule").await.sees("1 deleted.");
        let gone = format!("{},{}", ids[0], ids[1]);
        olive.visit(&format!("/applications/{}/schedules/bulk?do=delete&schedules={gone}", world.application)).await;
        olive.sees("2 have been deleted.");
    }

    async fn an_administrator_hands_over(world: World) {
        let (_, ids) = three(&world).await;
        let mut ada = world.browser(&world.ada).await;
        bulk(&mut ada, &world, &["Every day at 18:00"], "Hand over").await;
        assert_eq!(ada.value("From"), "owners");
        ada.sees("Hand over schedules").sees("Every day at 18:00").sees_no("Every day at 19:00");
        ada.press("Show what changes").await.sees("Choose the new Owner.");
        ada.choose("To", "Ada").press("Show what changes").await.press("Hand over 1 schedule").await;
        ada.sees("1 schedule handed over from Olive to Ada.");
        assert_eq!(find(&world, ids[0]).await.owner_id, world.ada.id);
        world.advance(Duration::seconds(5));
        undo(&mut ada).await;
        ada.sees("Undone. 1 schedule is as it was.");
        assert_eq!(find(&world, ids[0]).await.owner_id, world.olive.id);
        ada.visit("/ownership").await.in_row("Olive to Ada").sees("1 schedule").sees("Undone by Ada");
        ada.visit(&list(&world)).await.in_row("Every day at 20:00").follow("Hand over").await.sees("Every day at 20:00");
        let olive = world.browser(&world.olive).await;
        let path = format!("/applications/{}/schedules/bulk", world.application);
        let post = [("do", "hand-over"), ("schedules", &ids[0].to_string())];
        assert_eq!(olive.post(&path, &post).await.status, 403);
        for foreign in ["999999", "x"] {
            assert_eq!(olive.post(&path, &[("do", "off"), ("schedules", foreign)]).await.status, 404);
        }
    }

    async fn off_until_a_date_is_asked_for_and_undone(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let rule = json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "18:00", "time_zone": "Europe/Paris", "end_date": "2026-10-30"});
        let made = create(&world, draft(&stage, &rule)).await;
        let mut olive = world.browser(&world.olive).await;
        let open = async |olive: &mut Browser| {
            olive.visit(&list(&world)).await.follow("Off until").await;
        };
        open(&mut olive).await;
        // It is 18:42: what is proposed skips the next run, and says so.
        olive.sees("Skips 1 run: Tomorrow, 18:00. The first run is then on Sat 10 Oct 2026, 18:00 (Europe/Paris)");
        olive.fill("Day", "2026-10-09").fill("Time", "").press("Show the first run").await;
        olive.answered(200).sees("This skips no run. The next one is on Fri 9 Oct 2026, 18:00 (Europe/Paris), in 23 h 18 min.");
        olive.fill("Day", "2026-10-12").press("Show the first run").await;
        olive.answered(200).sees("Skips 3 runs, from Tomorrow, 18:00 on. The first run is then on Mon 12 Oct 2026");
        olive.fill("Day", "").press("Turn off until then").await;
        olive.answered(422).sees("Choose the day when it turns itself on.");
        olive.fill("Day", "soon").fill("Time", "late").press("Turn off until then").await;
        olive.answered(422).sees("This is not a day").sees("This is not a time");
        assert_eq!((olive.value("Day").as_str(), olive.value("Time").as_str()), ("soon", "late"));
        olive.fill("Day", "2026-10-08").fill("Time", "").press("Turn off until then").await;
        olive.answered(422).sees("This time is in the past.");
        olive.fill("Day", "2026-10-31").press("Show the first run").await;
        olive.answered(200).sees("No run is left by then: the schedule ends before that.");
        olive.press("Turn off until then").await;
        olive.answered(422).sees("No run is left by then: the last one is on Fri 30 Oct 2026, 18:00 (Europe/Paris).");
        olive.fill("Day", "2026-10-12").press("Turn off until then").await;
        olive.sees("Off until Mon 12 Oct 2026, 00:00 (Europe/Paris): Every day at 18:00").sees("Off until 12 Oct 2026");
        olive.sees("then Mon 12 Oct, 18:00");
        assert_eq!(find(&world, made.id).await.off_until.unwrap().rfc3339(), "2026-10-11T22:00:00Z");
        world.advance(Duration::seconds(5));
        undo(&mut olive).await;
        olive.sees("Undone. Turned on: Every day at 18:00");
        // Two at once: the second is told.
        open(&mut olive).await;
        let mut ada = world.browser(&world.ada).await;
        open(&mut ada).await;
        ada.fill("Day", "2026-10-20").press("Turn off until then").await;
        olive.fill("Day", "2026-10-13").press("Turn off until then").await;
        olive.answered(412).sees("Ada changed this schedule on");
        olive.press("Turn off until then").await.sees("Off until 13 Oct 2026");
    }

    async fn turned_on_again_it_offers_to_run_once_now(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, Draft { enabled: false, ..draft(&stage, &every_five()) }).await;
        world.advance(Duration::hours(1));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&list(&world)).await.tick("On: Every 5 minutes").press("Save").await;
        olive.sees("12 occurrences passed while it was off.");
        olive.within(".toasts").press("Run once now").await;
        olive.sees("Started: prices").sees("Waiting for a worker");
    }

    async fn a_deleted_schedule_is_back_with_one_click(world: World) {
        let (_, ids) = three(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/schedules/{}/delete", world.application, ids[0])).await;
        olive.press("Delete schedule").await.sees("Deleted: Every day at 18:00").sees("2 of 4 schedules");
        undo(&mut olive).await;
        olive.sees("Restored: Every day at 18:00, UTC.").sees("3 of 4 schedules");
        let path = format!("/applications/{}/schedules/{}/restore", world.application, ids[0]);
        assert_eq!(olive.post(&path, &[]).await.status, 200, "twice is once");
        assert_eq!(find(&world, ids[0]).await.owner_id, world.olive.id);
    }

    async fn a_copy_goes_where_there_is_room(world: World) {
        let (full, _) = three(&world).await;
        create(&world, Draft { run_name: Some("Night".into()), ..draft(&full, &daily("21:00")) }).await;
        let other = stage(&world, "rates", Mode::Append, |_| ()).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&list(&world)).await.in_row("Every day at 21:00").follow("Copy").await;
        ada.sees("Copy schedule").sees("prices already has four schedules. Choose another: 1 configuration has room.");
        assert_eq!((ada.value("Run name (optional)").as_str(), ada.value("Time").as_str()), ("", "21:00"));
        ada.choose("Configuration", "prices (4 of 4 schedules)").press("Schedule Import").await;
        ada.answered(409).sees("Copy schedule").sees("prices already has four schedules");
        ada.choose("Block", "All Blocks").press("Show configurations").await;
        ada.choose("Configuration", "rates (0 of 4 schedules)").press("Schedule Import").await;
        ada.sees("Scheduled: Every day at 21:00, UTC.");
        let configuration = other.configuration;
        let made = world.read(move |conn| tidegate::schedules::actions::of_targets(conn, &[tidegate::imports::Target::Configuration(configuration)])).await;
        assert_eq!((made.len(), made[0].owner_id, made[0].run_name.clone()), (1, world.ada.id, None));
    }

    async fn who_is_notified_is_said_where_it_is_chosen(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let notify = Some(Notify { about: About::Failed, member_ids: vec![world.olive.id], group_ids: Vec::new(), after: 1 });
        create(&world, Draft { notify, ..draft(&stage, &daily("18:00")) }).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&list(&world)).await.sees("Failed, 1 member");
        ada.in_row("Every day at 18:00").follow("Edit schedule").await.sees("Recipients are notified in their inbox, and by e-mail unless they turned that off.");
    }

    async fn who_may_not_is_offered_nothing(world: World) {
        three(&world).await;
        let sees = async |person: &Person| {
            let mut browser = world.browser(person).await;
            browser.visit(&list(&world)).await;
            (browser.count(".pick"), browser.count("#bulk"), browser.has("Hand over"))
        };
        assert_eq!(sees(&world.audrey).await, (0, 0, false));
        assert_eq!(sees(&world.olive).await, (3, 1, false));
        assert_eq!(sees(&world.ada).await, (3, 1, true));
    }
}

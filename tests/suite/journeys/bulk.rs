//! Several schedules at once in a real browser: by keyboard, with the mouse, and with scripts off.

use chrono::Duration;
use fantoccini::key::Key;

use crate::journeys::{list, mark, refreshed, still_the_same_page, words};
use crate::running::start;
use crate::schedules::{create, daily, draft};
use crate::support::*;

/// The ticks outlive the refresh of their card, and the bar counts them.
#[test]
fn several_are_switched_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        for time in ["18:00", "19:00", "20:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        start(&world, &stage).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees_no("Turn off").await;
        chrome.tab_to("Select Every day at 18:00").await;
        chrome.type_text(" ").await;
        chrome.sees("1 selected").await;
        chrome.tab_to("On: Every day at 20:00").await;
        chrome.type_text("x").await;
        chrome.sees("2 selected").await;
        mark(&chrome).await;
        world.advance(Duration::seconds(90));
        refreshed(&chrome).await;
        chrome.sees("1 min 30 s").await;
        still_the_same_page(&chrome).await;
        assert_eq!(chrome.css(".pick input:checked").await.len(), 2, "the ticks are still there");
        chrome.sees("2 selected").await;
        chrome.tab_to("Turn off").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("2 turned off.").await;
        world.advance(Duration::seconds(5));
        chrome.tab_to("Undo").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Undone for 2 schedules.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn all_of_a_configuration_are_deleted_after_a_question() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        for time in ["18:00", "19:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Select all").await;
        chrome.sees("2 selected").await;
        chrome.click("Hand over").await;
        chrome.sees("All 2").await;
        chrome.choose("To", "Ada").await;
        chrome.sees("2 of 2 schedules go from Olive to Ada.").await;
        chrome.click("Hand over 2 schedules").await;
        chrome.sees("2 schedules handed over from Olive to Ada.").await;
        chrome.click("Select all").await;
        chrome.click("Delete").await;
        chrome.sees("Delete these 2 schedules?").await;
        assert_eq!(chrome.focused().await, "Keep them", "the harmless answer has the focus");
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Delete these 2 schedules?").await;
        assert_eq!(chrome.focused().await, "Delete", "back to the button");
        chrome.keys(&[Key::Enter]).await;
        chrome.click("Delete 2 schedules").await;
        chrome.sees("2 deleted.").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

/// Off until a date by keyboard: the first run follows what is typed.
#[test]
fn off_until_says_the_first_run_while_it_is_typed() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.tab_to("More actions for").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.tab_to("Off until").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Skips 1 run: Today, 18:00. The first run is then on Fri 9 Oct 2026, 18:00 (UTC)").await;
        mark(&chrome).await;
        chrome.set("Day", "2026-10-12").await;
        chrome.sees("The first run is then on Mon 12 Oct 2026, 18:00 (UTC)").await;
        chrome.set("Day", "2026-10-01").await;
        chrome.sees("This time is in the past.").await;
        chrome.tab_to("Turn off until then").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.focus_on(".errors").await;
        still_the_same_page(&chrome).await;
        chrome.set("Day", "2026-10-12").await;
        chrome.tab_to("Turn off until then").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Off until 12 Oct 2026").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

#[test]
fn all_of_it_works_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        for time in ["18:00", "19:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.ada), off).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Turn off").await;
        chrome.sees("No schedule is selected.").await;
        chrome.click("Select Every day at 18:00").await;
        chrome.click("Turn off").await;
        chrome.sees("1 turned off.").await;
        world.advance(Duration::hours(20));
        chrome.click("On: Every day at 18:00").await;
        chrome.click("Save").await;
        chrome.sees("1 occurrence passed while it was off.").await;
        chrome.click("Run once now").await;
        chrome.sees("Started: words").await;
        chrome.click("Select Every day at 19:00").await;
        chrome.click("Hand over").await;
        chrome.choose("To", "Ada").await;
        chrome.click("Show what changes").await;
        chrome.click("Hand over 1 schedule").await;
        chrome.sees("1 schedule handed over from Olive to Ada.").await;
        chrome.click("More actions for").await;
        chrome.click("Copy").await;
        chrome.sees("Copy schedule").await;
        chrome.click("Hourly").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every hour").await;
        world.advance(Duration::seconds(5));
        chrome.click("Select Every hour").await;
        chrome.click("Delete").await;
        chrome.sees("Delete this schedule?").await;
        chrome.click("Delete 1 schedule").await;
        chrome.sees("1 deleted.").await;
        world.advance(Duration::seconds(5));
        chrome.click("Undo").await;
        chrome.sees("Undone.").await;
        chrome.sees("3 of 4 schedules").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

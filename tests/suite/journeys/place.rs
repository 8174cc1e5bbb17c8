//! Whoever does something on the list stays where it was done: the same page, the filter, the focus on the schedule.

use fantoccini::key::Key;
use tidegate::imports::Mode;
use tidegate::runs::executor;

use crate::journeys::{list, mark, still_the_same_page, words};
use crate::running::{start, work_off};
use crate::schedules::{create, daily, draft};
use crate::support::stage::{csv, stage};
use crate::support::*;

const ENTER: Key = Key::Enter;

/// Goes into the menu of a row and takes this item, by keyboard.
async fn takes(chrome: &Chrome, row: &str, item: &str) {
    chrome.tab_to(&format!("More actions for {row}")).await;
    chrome.keys(&[ENTER]).await;
    chrome.tab_to(item).await;
    chrome.keys(&[ENTER]).await;
}

async fn presses(chrome: &Chrome, name: &str) {
    chrome.tab_to(name).await;
    chrome.keys(&[ENTER]).await;
}

#[test]
fn saving_deleting_and_taking_back_keep_the_place() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let second = create(&world, draft(&stage, &daily("19:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        let asked = format!("{}?q=words&sort=name", list(&world));
        chrome.goto(&asked).await;
        mark(&chrome).await;
        let row = format!("#sched-{}", second.id);

        takes(&chrome, "Every day at 19:00", "Edit schedule").await;
        chrome.sees("Update Schedule").await;
        chrome.set("Time", "20:30").await;
        presses(&chrome, "Update Schedule").await;
        chrome.sees("Updated: Every day at 20:30, UTC.").await;
        chrome.focus_on(&row).await;
        assert_eq!(chrome.css("dialog[open]").await.len(), 0);

        takes(&chrome, "Every day at 20:30", "Off until").await;
        presses(&chrome, "Turn off until then").await;
        chrome.sees("Off until").await;
        chrome.focus_on(&row).await;
        presses(&chrome, "Undo").await;
        chrome.sees("Undone. Turned on: Every day at 20:30, UTC.").await;
        chrome.focus_on(&row).await;

        takes(&chrome, "Every day at 20:30", "Delete schedule").await;
        presses(&chrome, "Delete schedule").await;
        chrome.sees("Deleted: Every day at 20:30, UTC.").await;
        chrome.focus_on(".sched").await;
        assert_eq!(chrome.css(&row).await.len(), 0, "the row is gone");
        presses(&chrome, "Undo").await;
        chrome.sees("Restored: Every day at 20:30, UTC.").await;
        chrome.focus_on(&row).await;

        presses(&chrome, "Add schedule").await;
        presses(&chrome, "Schedule Import").await;
        chrome.sees("Scheduled: Every day at 06:00").await;
        chrome.focus_on(".sched:last-child").await;
        chrome.sees("3 of 4 schedules").await;

        chrome.click("Select Every day at 18:00").await;
        chrome.click("Turn off").await;
        chrome.sees("1 turned off.").await;
        assert_eq!(chrome.css(".pick input:checked").await.len(), 0, "nothing is ticked any more");
        chrome.focus_on(".sched.off").await;
        still_the_same_page(&chrome).await;
        assert_eq!(chrome.path().await, asked, "the list as it was asked for");
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// What the page that is open cannot show is gone to; the first schedule makes a list of the page.
#[test]
fn what_the_page_does_not_show_is_gone_to() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        csv(&world, "numbers", &[("1", "one")]);
        let numbers = stage(&world, "numbers", Mode::Append, |_| ()).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Set up scheduled imports").await;
        chrome.choose("Configuration", "words").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every day at 06:00").await;
        chrome.sees("1 of 4 schedules").await;
        chrome.focus_on(".sched").await;

        chrome.goto(&format!("{}?q=words&sort=name", list(&world))).await;
        chrome.click("Schedule Imports").await;
        chrome.choose("Configuration", "numbers").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every day at 06:00").await;
        assert_eq!(chrome.path().await, format!("{}?sort=name&open={}", list(&world), numbers.configuration));
        chrome.focus_on(&format!("#cfg-{} .sched", numbers.configuration)).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// Without scripts the page comes back as it was asked for, too.
#[test]
fn forms_without_scripts_come_back_to_the_page_they_were_opened_from() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look { scripts: false, ..Look::default() }).await;
        let asked = format!("{}?q=words&sort=name", list(&world));
        let open = format!("{asked}&open={}", stage.configuration);
        for (item, button, said) in [
            ("Edit schedule", "Update Schedule", "Nothing has changed: Every day at 18:00"),
            ("Off until", "Turn off until then", "Off until"),
            ("Delete schedule", "Delete schedule", "Deleted: Every day at 18:00"),
        ] {
            chrome.goto(&asked).await;
            chrome.click("More actions for").await;
            chrome.click(item).await;
            chrome.click(button).await;
            chrome.sees(said).await;
            assert_eq!(chrome.path().await, open, "{item}");
        }
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// The numbers and the tabs above tell what the cards tell.
#[test]
fn the_numbers_follow_the_cards() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        mark(&chrome).await;
        chrome.sees("Failed 0 Partial 0 Held 0 Running 0 Off 0").await;
        chrome.click("On: Every day at 18:00").await;
        chrome.sees("Failed 0 Partial 0 Held 0 Running 0 Off 1").await;
        chrome.sees("Schedules on 0 of 1").await;
        chrome.click("Undo").await;
        chrome.sees("Failed 0 Partial 0 Held 0 Running 0 Off 0").await;
        std::fs::remove_file(world.folder().join("words.csv")).unwrap();
        chrome.click("Run now").await;
        chrome.sees("Failed 0 Partial 0 Held 0 Running 1 Off 0").await;
        world.step(executor::step).await;
        chrome.sees("Failed 1 Partial 0 Held 0 Running 0 Off 0").await;
        chrome.sees("1 run 1 failed").await;
        still_the_same_page(&chrome).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// Typing filters the list, marks what it finds and stands in the address; the tab Off shows what is off, and no more.
#[test]
fn typing_filters_the_list() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        create(&world, draft(&stage, &daily("19:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.type_text("/").await;
        chrome.focus_on("#q").await;
        chrome.type_text("WÓRD").await;
        chrome.arrives(&format!("{}?q=W%C3%93RD", list(&world))).await;
        chrome.focus_on("#q").await;
        let marked = "return document.querySelector('h2 mark')?.textContent";
        chrome.until("it is marked", async || (chrome.script(marked).await == "word").then_some(())).await;
        chrome.click("On: Every day at 18:00").await;
        chrome.sees("Off 1").await;
        assert_eq!(chrome.script(marked).await, "word", "still marked");
        chrome.click("Off 1").await;
        chrome.sees("1 more is on").await;
        assert_eq!(chrome.css(".sched").await.len(), 1);
        chrome.click("On: Every day at 18:00").await;
        chrome.sees("2 more are on").await;
        assert_eq!(chrome.css(".sched").await.len(), 0);
        chrome.focus_on("h2[id^=cfg]").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// On a phone the strip of runs stays, the numbers take little room, and the full page keeps its sentence in sight.
#[test]
fn a_small_screen_shows_what_a_large_one_does() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        start(&world, &stage).await;
        work_off(&world).await;
        let look = Look { phone: true, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.olive), look).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Every day at 18:00").await;
        let strip = "return document.querySelector('.strip').checkVisibility()";
        assert_eq!(chrome.script(strip).await, true, "the strip is there");
        let tall = "return document.querySelector('.stats').getBoundingClientRect().height";
        let tall = chrome.script(tall).await.as_f64().unwrap();
        assert!(tall < 140.0, "the numbers take {tall} points");
        chrome.goto(&format!("/applications/{}/schedules/new", world.application)).await;
        chrome.sees("Every day at 06:00").await;
        let seen = "const r = document.querySelector('.pinned').getBoundingClientRect(); \
                    return r.height > 0 && r.bottom <= innerHeight";
        assert_eq!(chrome.script(seen).await, true, "the sentence is in sight");
        chrome.quiet().await;
        chrome.close().await;
    });
}

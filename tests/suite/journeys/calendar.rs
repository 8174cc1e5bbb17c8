//! The calendar by keyboard alone, with scripts switched off, and while it refreshes itself.

use chrono::Duration;
use fantoccini::key::Key;
use tidegate::runs::{dispatcher, executor};

use crate::journeys::{list, mark, still_the_same_page, words};
use crate::schedules::{create, daily, draft};
use crate::support::*;

const OFF: Look = Look { scripts: false, dark: false, phone: false };

fn calendar(world: &World) -> String {
    format!("{}/calendar", list(world))
}

/// From the list to an occurrence, into its dialog and back, off and on again, and to another timeframe.
#[test]
fn an_occurrence_is_found_and_turned_off_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.tab_to("Calendar").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("5 to 11 October 2026").await;
        chrome.sees("Now, 16:42").await;
        mark(&chrome).await;
        chrome.tab_to("words").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Every day at 18:00, UTC").await;
        chrome.focus_on("dialog[open] *").await;
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Every day at 18:00, UTC").await;
        assert!(chrome.focused().await.starts_with("words"), "{}", chrome.focused().await);
        // Into the dialog that edits, over the one that tells; Esc leads back to where it began.
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Every day at 18:00, UTC").await;
        chrome.tab_to("Edit").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Update Schedule").await;
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Update Schedule").await;
        assert!(chrome.focused().await.starts_with("words"), "{}", chrome.focused().await);
        still_the_same_page(&chrome).await;
        chrome.keys(&[Key::Enter]).await;
        chrome.tab_to("Disable").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Turned off: Every day at 18:00, UTC").await;
        chrome.sees("Nothing ran and nothing is planned").await;
        assert_eq!(chrome.path().await, calendar(&world));
        chrome.click("Undo").await;
        chrome.sees("Turned on: Every day at 18:00, UTC").await;
        chrome.tab_to("Day").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Thursday 8 October 2026").await;
        chrome.tab_to("Next day").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Friday 9 October 2026").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// Two clicks in a row edit at once.
#[test]
fn a_double_click_edits() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&calendar(&world)).await;
        let place = chrome.middle(".ev").await;
        chrome.mouse(place, 1).await;
        chrome.mouse(place, 2).await;
        chrome.sees("Update Schedule").await;
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Update Schedule").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// What is planned becomes what ran, on the page that is open; the focus and an open dialog stay.
#[test]
fn it_refreshes_itself() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("16:43"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look { dark: true, ..Look::default() }).await;
        chrome.goto(&format!("{}?view=day", calendar(&world))).await;
        chrome.sees("16:43 Planned").await;
        mark(&chrome).await;
        chrome.tab_to("Today").await;
        world.advance(Duration::seconds(60));
        world.step(dispatcher::step).await;
        world.step(executor::step).await;
        refresh(&chrome).await;
        chrome.sees("16:43 Success").await;
        assert!(chrome.focused().await.starts_with("Today"), "{}", chrome.focused().await);
        chrome.click("words").await;
        chrome.sees("View Summary").await;
        world.advance(Duration::minutes(5));
        refresh(&chrome).await;
        chrome.sees("Now, 16:48").await;
        chrome.focus_on("dialog[open] *").await;
        still_the_same_page(&chrome).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// What the beat does every half minute, now.
async fn refresh(chrome: &Chrome) {
    chrome
        .script(
            "const part = document.querySelector('#calendar'); \
             htmx.ajax('GET', part.dataset.hxGet, { source: part, target: part, swap: 'outerMorph' }); return 1",
        )
        .await;
}

#[test]
fn everything_works_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), OFF).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Calendar").await;
        chrome.sees("5 to 11 October 2026").await;
        chrome.click("Month").await;
        chrome.sees("October 2026").await;
        chrome.choose("Show", "Failed and partial").await;
        chrome.fill("Time zone", "Asia/Kathmandu").await;
        chrome.click("Apply").await;
        chrome.sees("All times in Asia/Kathmandu").await;
        chrome.sees("Nothing in October 2026 matches your filters.").await;
        chrome.click("Show everything").await;
        chrome.click("Grid view").await;
        chrome.sees("Every day at 18:00, UTC").await;
        chrome.click("Day").await;
        chrome.click("Details of words").await;
        chrome.sees("Planned").await;
        chrome.click("Disable").await;
        chrome.sees("Turned off: Every day at 18:00, UTC").await;
        chrome.click("Undo").await;
        chrome.sees("Turned on: Every day at 18:00, UTC").await;
        chrome.sees("All times in Asia/Kathmandu").await;
        chrome.click("Details of words").await;
        chrome.click("Delete").await;
        chrome.click("Keep it").await;
        chrome.sees("All times in Asia/Kathmandu").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// A phone shows the days below each other, and nothing sticks out at the side.
#[test]
fn it_fits_a_phone() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look { phone: true, ..Look::default() }).await;
        for query in ["", "?view=day", "?view=month", "?grid=on"] {
            chrome.goto(&format!("{}{query}", calendar(&world))).await;
            chrome.sees("18:00").await;
            let over = chrome.script("return document.documentElement.scrollWidth - window.innerWidth").await;
            assert!(over.as_i64().is_some_and(|over| over <= 0), "{query}: {over}");
        }
        chrome.goto(&calendar(&world)).await;
        chrome.click("words").await;
        chrome.sees("Every day at 18:00, UTC").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

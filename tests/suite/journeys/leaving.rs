//! What is typed on a page of its own is not lost without a question, and what takes its time says so.

use crate::journeys::{list, words};
use crate::schedules::{create, daily, draft};
use crate::support::stage::folder_connection;
use crate::support::*;

fn wizard(world: &World) -> String {
    format!("/applications/{}/settings/import-configurations/new", world.application)
}

/// Whether closing the tab would ask.
async fn asks(chrome: &Chrome) -> bool {
    let closing =
        "const e = new Event('beforeunload', { cancelable: true }); dispatchEvent(e); return e.defaultPrevented";
    chrome.script(closing).await == true
}

#[test]
fn what_is_typed_on_a_page_is_not_lost_without_a_question() {
    with_world(Database::Sqlite, |world| async move {
        std::fs::write(world.folder().join("cities.csv"), "code,city\n7,Oslo\n8,Rome\n").unwrap();
        folder_connection(&world, "cities").await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&wizard(&world)).await;
        assert!(!asks(&chrome).await, "nothing was changed");
        chrome.click("Preview").await;
        chrome.sees("cities.csv from Folder of cities").await;
        assert!(!asks(&chrome).await, "what was proposed is nothing that is lost");
        chrome.fill("Name of the new Block", "Towns").await;
        assert!(asks(&chrome).await);
        chrome.click("Cancel").await;
        chrome.sees("Leave without saving?").await;
        chrome.click("Keep editing").await;
        chrome.sees_no("Leave without saving?").await;
        chrome.arrives(&format!("{}/files", wizard(&world))).await;
        // It goes with the next step, and is lost there too.
        chrome.click("Map the columns").await;
        chrome.sees("Choose what fills each column of Towns").await;
        assert!(asks(&chrome).await);
        chrome.click("Save and choose when").await;
        chrome.sees("When does it run?").await;
        assert!(!asks(&chrome).await, "it was saved");

        // The page of a configuration: a refusal holds what was typed, and saving settles it.
        chrome.click("Decide later").await;
        chrome.sees("Save import configuration").await;
        assert!(!asks(&chrome).await);
        chrome.fill("Name", "").await;
        chrome.click("Save import configuration").await;
        chrome.sees("One field needs correcting").await;
        assert!(asks(&chrome).await);
        chrome.fill("Name", "Towns by night").await;
        chrome.click("Save import configuration").await;
        chrome.sees("Saved the import configuration").await;
        assert!(!asks(&chrome).await);
        chrome.fill("Name", "Towns by day").await;
        chrome.click("Cancel").await;
        chrome.click("Leave").await;
        chrome.sees("Towns by night").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

#[test]
fn a_look_at_a_source_says_so_and_is_taken_once() {
    with_world(Database::Sqlite, |world| async move {
        std::fs::write(world.folder().join("cities.csv"), "code,city\n7,Oslo\n").unwrap();
        folder_connection(&world, "cities").await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&wizard(&world)).await;
        // A source that takes long: nothing comes back.
        let slow = "window.sent = 0; document.addEventListener('submit', (event) => { \
            if (!event.defaultPrevented) window.sent += 1; event.preventDefault() }); return 1";
        chrome.script(slow).await;
        chrome.click("Preview").await;
        chrome.sees("Looking at the file…").await;
        chrome.click("Looking at the file…").await;
        assert_eq!(chrome.script("return window.sent").await, 1);
        assert_eq!(chrome.css("form[aria-busy=true] button[aria-disabled=true]").await.len(), 1);
        assert_eq!(chrome.css("#toasts [data-aloud]").await.len(), 1, "it is told aloud");
        chrome.close().await;
    });
}

#[test]
fn an_error_of_another_repeat_goes_with_it() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Add schedule").await;
        chrome.fill("Every", "999").await;
        chrome.fill("Time zone", "Europe/Pariss").await;
        chrome.click("Schedule Import").await;
        chrome.sees("2 fields need correcting").await;
        chrome.click("Weekly").await;
        chrome.sees("One field needs correcting").await;
        chrome.sees("“Europe/Pariss” is not a known time zone").await;
        assert_eq!(chrome.css("#schedule-form .err").await.len(), 1, "what the zone has nothing to do with is gone");
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

#[test]
fn the_preview_fits_every_look() {
    with_world(Database::Sqlite, |world| async move {
        let csv = "code;city;on;price;note\n7;Oslo;03/04/2026;1.250;a\n8;Rome;05/06/2026;12.500;NA\n7;Bonn;07/08/2026;300;b\n";
        std::fs::write(world.folder().join("cities.csv"), csv).unwrap();
        folder_connection(&world, "cities").await;
        for (name, look) in [
            ("light", Look::default()),
            ("dark", Look { dark: true, ..Look::default() }),
            ("phone", Look { phone: true, ..Look::default() }),
        ] {
            let chrome = Chrome::open(&world, Some(&world.olive), look).await;
            chrome.goto(&wizard(&world)).await;
            chrome.click("Preview").await;
            chrome.sees("How is “price” read?").await;
            let tick = "document.querySelector('[name=col-0-key]').checked = true; return 1";
            chrome.script(tick).await;
            chrome.click("Read again").await;
            chrome.sees("The marked keys occur twice").await;
            let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
            assert_eq!(chrome.script(wider).await, false, "{name}");
            chrome.screenshot(&format!("preview-{name}-top")).await;
            chrome.script("document.querySelector('#rows-t').scrollIntoView(); return 1").await;
            chrome.screenshot(&format!("preview-{name}-rows")).await;
            chrome.script("document.querySelector('#block').scrollIntoView(); return 1").await;
            chrome.screenshot(&format!("preview-{name}-block")).await;
            chrome.close().await;
        }
    });
}

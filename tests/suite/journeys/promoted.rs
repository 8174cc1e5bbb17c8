//! A copy is made, looked at and turned on by keyboard; what was tried in it goes back to its original, by keyboard and
//! without scripts.

use fantoccini::key::Key;
use serde_json::json;
use tidegate::environments;

use crate::journeys::{list, words};
use crate::schedules::{create, daily, draft};
use crate::support::*;

const ENTER: Key = Key::Enter;

/// A copy in which an import was changed and a schedule added.
async fn tried(world: &World) -> i64 {
    let stage = words(world).await;
    create(world, draft(&stage, &daily("18:00"))).await;
    let ada = world.api(&world.ada).await;
    let same = json!([{"connection_id": stage.connection, "use_id": stage.connection}]);
    let clone = json!({"name": "Trial", "connections": same});
    let copy = ada.make(&format!("applications/{}/clone", world.application), clone).await;
    world.step(environments::step).await;
    let imports = ada.get(&format!("applications/{copy}/import-configurations")).await;
    let id = imports.items()[0]["id"].clone();
    ada.patch(&format!("import-configurations/{id}"), json!({"attempts": 4})).await.is(200);
    let mut schedule = daily("19:00");
    schedule["configuration_id"] = id;
    ada.make(&format!("applications/{copy}/schedules"), schedule).await;
    world.advance(chrono::Duration::minutes(1));
    copy
}

#[test]
fn a_copy_is_made_reviewed_and_turned_on_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&format!("/applications/{}/settings/environment", world.application)).await;
        chrome.tab_to("Clone …").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("1 schedule is copied, turned off.").await;
        chrome.tab_to("Connection instead of Folder of words").await;
        chrome.type_text("Folder").await;
        chrome.tab_to("Clone").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Its 1 schedule is off.").await;
        world.step(environments::step).await;
        chrome.tab_to("Turn on words, Every day at 18:00, UTC").await;
        chrome.type_text(" ").await;
        chrome.tab_to("Turn on the chosen ones").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("1 schedule is on.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn what_was_tried_goes_back_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let copy = tried(&world).await;
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&format!("/applications/{copy}/settings/environment")).await;
        chrome.tab_to("Promote …").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("In FP&A 2026: 1 new, 1 changed.").await;
        chrome.tab_to("Promote the import configuration words").await;
        chrome.type_text(" ").await;
        // What would happen follows each choice, and the focus stays.
        chrome.sees("In FP&A 2026: 1 new.").await;
        assert_eq!(chrome.focused().await, "Promote the import configuration words");
        chrome.type_text(" ").await;
        chrome.sees("In FP&A 2026: 1 new, 1 changed.").await;
        chrome.tab_to("Promote 2 changes").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Promoted from Trial: 1 import configuration, 1 schedule. The new schedule is off.").await;
        chrome.tab_to("Turn on words, Every day at 19:00, UTC").await;
        chrome.type_text(" ").await;
        chrome.tab_to("Turn on the chosen ones").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("1 schedule is on.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn promoting_and_reviewing_go_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let copy = tried(&world).await;
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.ada), off).await;
        chrome.goto(&format!("/applications/{copy}/promote")).await;
        chrome.click("Promote the import configuration words").await;
        chrome.click("Show what changes").await;
        chrome.sees("In FP&A 2026: 1 new.").await;
        chrome.click("Promote 1 change").await;
        chrome.sees("Promoted from Trial: 1 schedule. The new schedule is off.").await;
        chrome.goto(&list(&world)).await;
        chrome.sees("1 new schedule is off.").await;
        chrome.click("Review").await;
        chrome.click("Turn on words, Every day at 19:00, UTC").await;
        chrome.click("Turn on the chosen ones").await;
        chrome.sees("1 schedule is on.").await;
        chrome.close().await;
    });
}

#[test]
fn the_pages_of_promoting_fit_every_look() {
    with_world(Database::Sqlite, |world| async move {
        let copy = tried(&world).await;
        let ada = world.api(&world.ada).await;
        let imports = ada.get(&format!("applications/{copy}/import-configurations")).await;
        let id = imports.items()[0]["id"].clone();
        ada.patch(&format!("import-configurations/{id}"), json!({"name": "words of the day"})).await.is(200);
        let log = ada.get("audit?limit=1").await;
        let restore = format!(
            "/applications/{copy}/settings/import-configurations/{id}/changes/{}",
            log.items()[0]["id"].as_i64().unwrap_or_default()
        );
        for (name, look) in [
            ("light", Look::default()),
            ("dark", Look { dark: true, ..Look::default() }),
            ("phone", Look { phone: true, ..Look::default() }),
        ] {
            let chrome = Chrome::open(&world, Some(&world.ada), look).await;
            for (page, path) in [("promote", &format!("/applications/{copy}/promote")), ("restore", &restore)] {
                chrome.goto(path).await;
                let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
                assert_eq!(chrome.script(wider).await, false, "{page} {name}");
                chrome.screenshot(&format!("promotion-{page}-{name}")).await;
            }
            chrome.close().await;
        }
    });
}

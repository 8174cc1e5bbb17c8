//! An Application is cloned, its schedules are looked at, and what is ready is turned on: with scripts, and by keyboard.

use tidegate::environments;

use crate::journeys::{list, words};
use crate::schedules::{create, daily, draft};
use crate::support::*;

#[test]
fn an_application_is_cloned_looked_at_and_turned_on() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("06:00"))).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        world.advance(chrono::Duration::minutes(1));
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&format!("/applications/{}/settings/environment", world.application)).await;
        chrome.click("Clone …").await;
        chrome.sees("2 schedules are copied, all turned off.").await;
        chrome.fill("Name", "Trial").await;
        chrome.click("Clone").await;
        chrome.sees("Choose what the copy reads instead of Folder of words.").await;
        chrome.choose("Connection instead of Folder of words", "Folder of words").await;
        chrome.click("Clone").await;
        chrome.sees("Created Trial. Its 2 schedules are off.").await;
        world.step(environments::step).await;
        chrome.click("Choose all 2 that are ready").await;
        // The button says how many are ticked, whoever ticked them.
        chrome.click("Turn on words, Every day at 06:00, UTC").await;
        chrome.sees("Turn on the chosen ones (1)").await;
        chrome.click("Turn on words, Every day at 06:00, UTC").await;
        chrome.click("Turn on the chosen ones (2)").await;
        chrome.sees("2 schedules are on.").await;
        // The original is as it was.
        chrome.goto(&list(&world)).await;
        chrome.sees_no("copied schedules").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

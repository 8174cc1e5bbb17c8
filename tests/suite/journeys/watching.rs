//! A scheduled import comes due while somebody looks at the list: the card tells it by itself.

use chrono::Duration;
use tidegate::runs::{dispatcher, executor};

use crate::journeys::{list, mark, still_the_same_page, words};
use crate::schedules::{create, daily, draft};
use crate::support::*;

#[test]
fn a_card_runs_without_being_loaded_again() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("16:42"))).await;
        world.set_clock("2026-10-09T16:41:50Z");
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Not run yet").await;
        mark(&chrome).await;
        world.advance(Duration::seconds(10));
        world.step(dispatcher::step).await;
        chrome.sees("Queued").await;
        chrome.sees("Waiting for a worker").await;
        world.step(executor::step).await;
        chrome.sees("Success").await;
        chrome.sees_no("Waiting for a worker").await;
        chrome.sees("Tomorrow, 16:42").await;
        still_the_same_page(&chrome).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// An import that cannot work fails on the open page, says why, and leads to its Summary.
#[test]
fn a_failure_is_told_where_one_looks() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        std::fs::remove_file(world.folder().join("words.csv")).unwrap();
        let chrome =
            Chrome::open(&world, Some(&world.olive), Look { phone: true, dark: true, ..Look::default() }).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Run now").await;
        chrome.sees("Cancel run").await;
        world.step(executor::step).await;
        chrome.sees("There is no file").await;
        chrome.click("View Summary").await;
        chrome.sees("Failed").await;
        chrome.sees("There is no file").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

//! A scheduled import comes due while somebody looks at the list: the card tells it by itself.

use chrono::Duration;
use tidegate::runs::work::Done;
use tidegate::runs::{RunStatus, dispatcher, executor};

use crate::dispatching::runs;
use crate::journeys::{list, mark, refreshed, still_the_same_page, words};
use crate::running::{halting, start};
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

/// A card says what its last run did and when, and leads to it; a later one that changed nothing is told beside it.
#[test]
fn a_card_tells_its_last_run() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        start(&world, &stage).await;
        world.step(executor::step).await;
        world.advance(Duration::minutes(8));
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Success · 18:42 · 2 rows").await;
        chrome.click("Run now").await;
        chrome.click("Cancel run").await;
        chrome.sees("Cancelled 18:50").await;
        chrome.sees("Success · 18:42 · 2 rows").await;
        chrome.click("Cancelled 18:50").await;
        chrome.sees("Run 2").await;
        chrome.click("Run 1").await; // the one before
        chrome.sees("2 rows loaded").await;
        chrome.sees("Waited").await;
        chrome.goto(&list(&world)).await;
        chrome.click("Last 2 runs").await;
        chrome.sees("History of words").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// A run is seen at work on its Summary, which neither loses the focus nor is loaded again.
#[test]
fn a_run_is_watched_on_its_summary() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let id = start(&world, &stage).await.id;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&format!("/runs/{id}")).await;
        chrome.sees("It has not started yet.").await;
        chrome.sees("Waiting for a worker").await;
        mark(&chrome).await;
        chrome.tab_to("Show history").await;
        let (work, go_on) = halting(|| Ok(Done::default()));
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        chrome.sees("words.csv from Files.").await;
        chrome.sees("26 rows, 1.0 kB of 4.0 kB").await;
        chrome.sees("Attempt 1 started.").await;
        chrome.sees("Not yet").await;
        refreshed(&chrome).await;
        assert!(chrome.focused().await.contains("Show history"));
        go_on.send(()).unwrap();
        going.await.unwrap().unwrap();
        chrome.sees("0 rows loaded").await;
        chrome.sees_no("Not yet").await;
        assert!(chrome.focused().await.contains("Show history"));
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
        chrome.click("Edit the configuration").await;
        chrome.sees("Import configurations").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// A double click runs once and cancels nothing: Cancel has a place of its own, and the second click meets no other
/// deed than the first, on the next page neither.
#[test]
fn a_double_click_runs_once_and_cancels_nothing() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        let place = chrome.middle(".cfg-do button").await;
        chrome.mouse(place, 1).await;
        chrome.sees("Cancel run").await;
        chrome.mouse(place, 2).await;
        chrome.mouse(place, 1).await;
        refreshed(&chrome).await;
        let statuses = async || runs(&world).await.iter().map(|run| run.status).collect::<Vec<_>>();
        assert_eq!(statuses().await, [RunStatus::Queued]);
        world.step(executor::step).await;

        chrome.goto(&format!("/runs/{}", runs(&world).await[0].id)).await;
        let place = chrome.middle("form[action$='/again'] button").await;
        chrome.mouse(place, 1).await;
        chrome.sees("Cancel run").await;
        chrome.mouse(place, 2).await;
        let cancel = chrome.middle("form[action$='/cancel'] button").await;
        chrome.mouse(cancel, 2).await;
        refreshed(&chrome).await;
        assert_eq!(statuses().await, [RunStatus::Success, RunStatus::Queued], "the second click of another is none");
        chrome.mouse(cancel, 1).await;
        chrome.sees("Cancelled").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// Whoever starts a run by keyboard keeps the focus where it was.
#[test]
fn run_now_keeps_the_focus() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.tab_to("Run now").await;
        chrome.keys(&[fantoccini::key::Key::Enter]).await;
        chrome.sees("Cancel run").await;
        chrome.focus_on(".cfg-do button[aria-disabled]").await;
        chrome.keys(&[fantoccini::key::Key::Enter]).await;
        world.step(executor::step).await;
        chrome.sees("Success").await;
        chrome.focus_on(".cfg-do button:not([aria-disabled])").await;
        assert_eq!(runs(&world).await.len(), 1);
        chrome.quiet().await;
        chrome.close().await;
    });
}

//! A run that the volume guard holds is rejected, and another one approved, by keyboard alone.

use fantoccini::key::Key;
use tidegate::runs::{RunStatus, executor};

use crate::journeys::list;
use crate::running::held::{empty, hold, many};
use crate::running::{run, start};
use crate::support::stage::rows;
use crate::support::*;

#[test]
fn what_is_held_is_decided_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let (stage, first) = hold(&world, empty).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Held").await;
        chrome.sees("Approve or reject the load").await;
        chrome.tab_to("View Summary").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("No rows came instead of about 30. Empty words?").await;
        chrome.tab_to("Reject and keep 30 rows").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Rejected: words. The Block is unchanged.").await;
        chrome.sees("Rejected by Olive.").await;
        assert_eq!((run(&world, first.id).await.status, rows(&world, stage.block)), (RunStatus::Failed, 30));

        many(&world, 3);
        let second = start(&world, &stage).await;
        world.step(executor::step).await;
        chrome.goto(&format!("/runs/{}", second.id)).await;
        chrome.sees("3 rows came instead of about 30. Load them?").await;
        chrome.tab_to("Approve and load 3 rows").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Replace all rows of words?").await;
        assert_eq!(chrome.focused().await, "Not now", "the harmless answer has the focus");
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Replace all rows of words?").await;
        assert!(chrome.focused().await.starts_with("Approve and load 3 rows"), "{}", chrome.focused().await);
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Replace all rows of words?").await;
        chrome.tab_to("Approve and load 3 rows").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Approved: words.").await;
        world.step(executor::step).await;
        chrome.sees("Held by the volume guard, then approved by Olive.").await;
        chrome.sees("3 rows loaded").await;
        assert_eq!(rows(&world, stage.block), 3);
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn a_newer_run_takes_the_place_of_what_is_held() {
    with_world(Database::Sqlite, |world| async move {
        let (stage, held) = hold(&world, empty).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&format!("/runs/{}", held.id)).await;
        chrome.sees("Empty words?").await;
        many(&world, 29);
        let newer = start(&world, &stage).await;
        world.step(executor::step).await;
        // Whoever still has the page open presses in vain, and reads why.
        chrome.click("Reject and keep 30 rows").await;
        chrome.sees("This run is not waiting for a decision").await;
        chrome.goto(&format!("/runs/{}", held.id)).await;
        chrome.sees("Failed").await;
        chrome.sees("Superseded: a newer run of the same Block took its place").await;
        chrome.sees_no("Reject and keep 30 rows").await;
        chrome.goto(&format!("/runs/{}", newer.id)).await;
        chrome.sees("29 rows loaded").await;
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Failed, 29));
        chrome.quiet_but(&[409]).await;
        chrome.close().await;
    });
}

//! Whole walks in a real browser: with scripts, by keyboard alone, without scripts, and with everything typed wrong.
//! Whatever the page says on its console as an error fails the walk.

mod bell;
mod bulk;
mod calendar;
mod copies;
mod decided;
mod first_hour;
mod handed;
mod invited;
mod keyboard;
mod leaving;
mod mapped;
mod mistakes;
mod place;
mod promoted;
mod rows;
mod set_run;
mod sets;
mod small;
mod tested;
mod unscripted;
mod walk;
mod warned;
mod watching;

use crate::support::stage::{Stage, csv, stage};
use crate::support::*;
use tidegate::imports::Mode;

/// The list of "FP&A 2026".
pub fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-scheduling", world.application)
}

/// A configuration "words" that can be scheduled, with a file of two rows.
pub async fn words(world: &World) -> Stage {
    csv(world, "words", &[("1", "tide"), ("2", "gate")]);
    stage(world, "words", Mode::Append, |_| ()).await
}

/// Marks the open page; a page that was loaded again has no mark.
pub async fn mark(chrome: &Chrome) {
    chrome.script("window.marked = true; return 1").await;
}

pub async fn still_the_same_page(chrome: &Chrome) {
    assert_eq!(chrome.script("return window.marked === true").await, true, "the page was not loaded again");
}

/// Waits until a card, a row or the page was refreshed by itself once more.
pub async fn refreshed(chrome: &Chrome) {
    chrome
        .script(
            "window.swaps = 0; \
             document.addEventListener('htmx:after:swap', () => { window.swaps += 1 }, { once: true }); return 1",
        )
        .await;
    chrome
        .until("the page refreshes itself", async || (chrome.script("return window.swaps").await == 1).then_some(()))
        .await;
}

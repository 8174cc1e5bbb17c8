//! The bell counts what is unread while one works in two windows, and takes nobody's place in a form.

use crate::notifications::inbox::note;
use crate::support::*;

/// What the bell says, where it is shown.
const COUNT: &str = "const n = [...document.querySelectorAll('.bell .bell-n')].find((b) => b.checkVisibility()); \
                     return n ? n.textContent : ''";

async fn counts(chrome: &Chrome, wanted: &str) {
    let said = async || (chrome.script(COUNT).await == wanted).then_some(());
    chrome.until(&format!("the bell says \"{wanted}\""), said).await;
}

#[test]
fn the_bell_is_live_in_two_windows() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto("/").await;
        let first = chrome.client.window().await.unwrap();
        let second = chrome.client.new_window(false).await.unwrap().handle;
        chrome.client.switch_to_window(second.clone()).await.unwrap();
        chrome.goto("/account").await;
        counts(&chrome, "").await;
        chrome.fill("Name of a new token", "night").await;
        chrome.focus_on("#token_name").await;
        let id = note(&world, "Told").await;
        counts(&chrome, "1").await;
        chrome.focus_on("#token_name").await;
        chrome.type_text("ly").await;
        assert_eq!(chrome.script("return document.getElementById('token_name').value").await, "nightly");
        chrome.client.switch_to_window(first.clone()).await.unwrap();
        counts(&chrome, "1").await;
        // Read in one window, it is read in the other.
        chrome.goto("/notifications").await;
        chrome.click("Mark all read").await;
        counts(&chrome, "").await;
        chrome.client.switch_to_window(second).await.unwrap();
        counts(&chrome, "").await;
        assert!(id > 0);
        chrome.quiet().await;
        chrome.close().await;
    });
}

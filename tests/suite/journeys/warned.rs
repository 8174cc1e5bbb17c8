//! Warned of another schedule, by keyboard: the offer is taken, the warning goes, the schedule is saved.

use fantoccini::key::Key;

use crate::collisions::two;
use crate::journeys::list;
use crate::schedules::{create, daily, draft};
use crate::support::*;

const ENTER: Key = Key::Enter;

#[test]
fn whoever_is_warned_takes_the_free_start_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let (first, _) = two(&world).await;
        // 06:00 in Paris, where a new schedule begins.
        create(&world, draft(&first, &daily("04:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.tab_to("Schedule Imports").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Schedule an import").await;
        chrome.tab_to("Configuration").await;
        chrome.type_text("numbers").await;
        chrome.sees("Less than 15 minutes from another schedule").await;
        chrome.sees("words, every day at 04:00 (UTC), uses the same Connection at the same time").await;

        // The preview stays as long as it was made, while somebody types.
        chrome.tab_to("Show 25").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Next 25 runs").await;
        chrome.focus_on("#show-more").await;
        assert_eq!(chrome.focused().await, "Show only 5");
        chrome.set("Time", "06:05").await;
        chrome.sees("Every day at 06:05, Europe/Paris").await;
        chrome.sees("uses the same Connection 5 minutes earlier").await;
        chrome.sees("Next 25 runs").await;

        chrome.tab_to("Use 06:15").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees_no("Less than 15 minutes from").await;
        chrome.sees("Every day at 06:15, Europe/Paris").await;
        chrome.focus_on("#start_time").await;
        assert_eq!(time(&chrome).await, "06:15");

        // Also where the offer is what the form held at first: what was typed since gives way.
        chrome.set("Time", "06:10").await;
        chrome.sees("Every day at 06:10, Europe/Paris").await;
        chrome.tab_to("Use 06:15").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees_no("Less than 15 minutes from").await;
        chrome.focus_on("#start_time").await;
        assert_eq!(time(&chrome).await, "06:15");

        chrome.tab_to("Schedule Import").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Scheduled: Every day at 06:15, Europe/Paris").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

async fn time(chrome: &Chrome) -> String {
    chrome.control("Time").await.prop("value").await.unwrap().unwrap_or_default()
}

#[test]
fn without_scripts_the_offer_is_a_button_like_any_other() {
    with_world(Database::Sqlite, |world| async move {
        let (first, second) = two(&world).await;
        create(&world, draft(&first, &daily("04:00"))).await;
        let look = Look { scripts: false, dark: true, phone: true };
        let chrome = Chrome::open(&world, Some(&world.olive), look).await;
        let form = format!("/applications/{}/schedules/new?configuration={}", world.application, second.configuration);
        chrome.goto(&form).await;
        chrome.sees("Less than 15 minutes from another schedule").await;
        // As a person scrolls: what is pinned covers the edges.
        let to = |name: &str| {
            format!(
                "[...document.querySelectorAll('button')].find(button => button.textContent.includes('{name}'))\
                 .scrollIntoView({{ block: 'center' }})"
            )
        };
        chrome.script(&to("Show 25")).await;
        chrome.click("Show 25").await;
        chrome.sees("Next 25 runs").await;
        chrome.script(&to("Use 06:15")).await;
        chrome.click("Use 06:15").await;
        chrome.sees("Every day at 06:15, Europe/Paris").await;
        chrome.sees_no("Less than 15 minutes from").await;
        chrome.sees("Next 25 runs").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every day at 06:15, Europe/Paris").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

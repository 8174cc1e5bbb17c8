//! Schedule, switch and delete by keyboard alone; where the focus is, at every step.

use chrono::Duration;
use fantoccini::key::Key;
use serde_json::json;

use crate::journeys::{list, refreshed, words};
use crate::running::start;
use crate::schedules::{create, daily, draft, find};
use crate::support::*;

const ESC: Key = Key::Escape;
const ENTER: Key = Key::Enter;

#[test]
fn an_import_is_scheduled_switched_and_deleted_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        dialog(&chrome).await;
        errors(&chrome).await;
        switch(&chrome).await;
        delete(&chrome).await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

async fn open_dialog(chrome: &Chrome) {
    chrome.keys(&[ENTER]).await;
    chrome.sees("Schedule an import").await;
    focus_is_seen(chrome).await;
}

/// What has the focus in the open dialog is something that a person sees.
async fn focus_is_seen(chrome: &Chrome) {
    chrome.focus_on("dialog[open] *").await;
    let hidden = "return !!document.activeElement.closest('[aria-hidden=true], .vh')";
    assert_eq!(chrome.script(hidden).await, false, "what has the focus is hidden");
}

/// Esc closes what was not touched and asks once before what was typed is lost; the focus goes back to the opener.
async fn dialog(chrome: &Chrome) {
    chrome.tab_to("Set up scheduled imports").await;
    open_dialog(chrome).await;
    chrome.keys(&[ESC]).await;
    chrome.sees_no("Schedule an import").await;
    assert!(chrome.focused().await.starts_with("Set up scheduled imports"), "{}", chrome.focused().await);
    open_dialog(chrome).await;
    chrome.tab_to("Daily").await;
    chrome.keys(&[Key::Right]).await;
    chrome.sees("Every weekday at 06:00, Europe/Paris").await;
    chrome.tab_to("Mo").await;
    chrome.type_text(" ").await;
    chrome.sees("Every week, Tuesday to Friday, at 06:00").await;
    chrome.keys(&[ESC]).await;
    chrome.sees("Leave without saving?").await;
    assert_eq!(chrome.focused().await, "Keep editing", "the harmless answer has the focus");
    chrome.keys(&[ESC]).await;
    chrome.sees_no("Leave without saving?").await;
    chrome.sees("Schedule an import").await;
    chrome.keys(&[ESC]).await;
    chrome.sees("Leave without saving?").await;
    chrome.tab_to("Leave").await;
    chrome.keys(&[ENTER]).await;
    chrome.sees_no("Schedule an import").await;
    assert!(chrome.focused().await.starts_with("Set up scheduled imports"), "{}", chrome.focused().await);
}

/// What is wrong has the focus, and a link leads to the control.
async fn errors(chrome: &Chrome) {
    open_dialog(chrome).await;
    chrome.tab_to("Time zone").await;
    type_over(chrome, "Europe/Atlantis").await;
    chrome.keys(&[ENTER]).await;
    chrome.focus_on("dialog[open] .errors").await;
    chrome.sees("“Europe/Atlantis” is not a known time zone").await;
    chrome.tab_to("“Europe/Atlantis” is not a known time zone").await;
    chrome.keys(&[ENTER]).await;
    chrome.focus_on("#time_zone").await;
    type_over(chrome, "Europe/Madrid").await;
    chrome.sees("Every day at 06:00, Europe/Madrid").await;
    chrome.tab_to("Schedule Import").await; // in the field, Enter takes the zone that the browser suggests
    chrome.keys(&[ENTER]).await;
    chrome.sees("Scheduled: Every day at 06:00, Europe/Madrid").await;
}

/// Replaces what stands in the focused control.
async fn type_over(chrome: &Chrome, text: &str) {
    chrome.script("document.activeElement.select(); return 1").await;
    chrome.type_text(text).await;
}

async fn switch(chrome: &Chrome) {
    chrome.tab_to("On: Every day at 06:00").await;
    chrome.type_text(" ").await;
    chrome.sees("Turned off: Every day at 06:00").await;
    chrome.focus_on("[role=switch]:not(:checked)").await;
    chrome.type_text(" ").await;
    chrome.sees("Turned on: Every day at 06:00").await;
    chrome.focus_on("[role=switch]:checked").await;
}

async fn delete(chrome: &Chrome) {
    chrome.tab_to("More actions for").await;
    chrome.keys(&[ENTER]).await;
    chrome.sees("Edit schedule").await;
    chrome.keys(&[ESC]).await;
    chrome.sees_no("Edit schedule").await;
    chrome.focus_on(".sched summary").await;
    chrome.keys(&[ENTER]).await;
    chrome.tab_to("Delete schedule").await;
    chrome.keys(&[ENTER]).await;
    chrome.sees("Delete this schedule?").await;
    assert_eq!(chrome.focused().await, "Keep it", "the harmless answer has the focus");
    chrome.keys(&[ESC]).await;
    chrome.sees_no("Delete this schedule?").await;
    chrome.focus_on(".sched summary").await;
    chrome.keys(&[ENTER]).await;
    chrome.tab_to("Delete schedule").await;
    chrome.keys(&[ENTER]).await;
    chrome.sees("Delete this schedule?").await;
    chrome.tab_to("Delete schedule").await;
    chrome.keys(&[ENTER]).await;
    chrome.sees("Deleted: Every day at 06:00, Europe/Madrid").await;
}

/// Space and Enter, pressed as soon as a dialog is open, do nothing in it.
#[test]
fn no_dialog_opens_on_a_button_that_nobody_sees() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&list(&world)).await;
        for (item, title) in
            [("Edit schedule", "Edit schedule"), ("Copy", "Copy schedule"), ("Off until", "Turn off until a date")]
        {
            chrome.click("More actions for").await;
            chrome.click(item).await;
            chrome.sees(title).await;
            focus_is_seen(&chrome).await;
            chrome.type_text(" ").await;
            chrome.keys(&[ENTER]).await;
            chrome.sees(title).await;
            chrome.keys(&[ESC]).await;
            chrome.sees_no(title).await;
        }
        assert_eq!(find(&world, made.id).await.version, made.version, "nothing was saved");
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// From a row's menu a schedule is disabled, enabled, and its next run skipped; the menu of the last row is all in sight.
#[test]
fn the_menu_of_a_row_disables_enables_and_skips() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        for time in ["18:00", "19:00", "20:00", "21:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        let size = json!({ "width": 1200, "height": 620, "deviceScaleFactor": 1, "mobile": false });
        chrome.cdp("Emulation.setDeviceMetricsOverride", size).await;
        chrome.goto(&list(&world)).await;
        let takes = async |item: &str| {
            chrome.tab_to("More actions for Every day at 21:00").await;
            chrome.keys(&[ENTER]).await;
            chrome.sees("Runs of this schedule").await;
            let below =
                "return document.querySelector('.menu[open] > ul').getBoundingClientRect().bottom - innerHeight";
            assert!(chrome.script(below).await.as_f64().is_some_and(|below| below <= 0.0), "{item} is in sight");
            chrome.tab_to(item).await;
            chrome.keys(&[ENTER]).await;
        };
        takes("Disable").await;
        chrome.sees("Turned off: Every day at 21:00").await;
        chrome.focus_on(".sched.off summary").await;
        chrome.tab_to("More actions for Every day at 20:00").await;
        takes("Enable").await;
        chrome.sees("Turned on: Every day at 21:00").await;
        chrome.tab_to("More actions for Every day at 20:00").await;
        takes("Skip next run").await;
        chrome.sees("Skips Today, 21:00: Every day at 21:00, UTC.").await;
        chrome.sees("then Tomorrow, 21:00").await;
        chrome.tab_to("Undo").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Undone. Turned on: Every day at 21:00, UTC.").await;

        // A window that is typed is meant.
        chrome.tab_to("More actions for Every day at 21:00").await;
        chrome.keys(&[ENTER]).await;
        chrome.tab_to("Edit schedule").await;
        chrome.keys(&[ENTER]).await;
        chrome.click("Hourly").await;
        chrome.click("Only at certain hours").await;
        chrome.set("From", "08:00").await;
        let on = "return document.querySelector('[name=window_on]').checked";
        assert_eq!(chrome.script(on).await, true);
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// The shortcuts open the dialog and find the filter, but never while somebody types.
#[test]
fn shortcuts_keep_out_of_the_way() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.type_text("/").await;
        chrome.focus_on("#q").await;
        chrome.type_text("n").await;
        chrome.keys(&[Key::Tab]).await;
        assert_eq!(chrome.css("dialog[open]").await.len(), 0, "a letter in a field is a letter");
        chrome.type_text("n").await;
        chrome.sees("Schedule an import").await;
        chrome.keys(&[ESC]).await;
        chrome.sees_no("Schedule an import").await;
        // They are listed, and can be turned off, whatever the browser; the list itself stays a key away.
        chrome.type_text("?").await;
        chrome.sees("They do nothing while you type").await;
        chrome.tab_to("Turn them off").await;
        chrome.keys(&[ENTER]).await;
        chrome.click("Turn on single-key shortcuts").await;
        chrome.click("Save").await;
        chrome.sees("Your account is saved").await;
        chrome.goto(&list(&world)).await;
        chrome.type_text("n/").await;
        assert_eq!(chrome.css("dialog[open]").await.len(), 0, "single keys are off");
        chrome.focus_on("body").await;
        chrome.type_text("?").await;
        chrome.sees("You turned these off").await;
        chrome.click("Turn them on").await;
        chrome.click("Turn on single-key shortcuts").await;
        chrome.click("Save").await;
        chrome.sees("Your account is saved").await;
        chrome.goto(&list(&world)).await;
        chrome.type_text("n").await;
        chrome.sees("Schedule an import").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// While a run waits the card refreshes itself: neither the focus nor an open menu is lost.
#[test]
fn a_refresh_takes_nothing_away() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        start(&world, &stage).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Cancel run").await;
        chrome.tab_to("More actions for").await;
        chrome.keys(&[ENTER]).await;
        chrome.tab_to("Runs of this schedule").await;
        world.advance(Duration::seconds(90));
        refreshed(&chrome).await;
        chrome.sees("1 min 30 s").await;
        assert_eq!(chrome.focused().await, "Runs of this schedule");
        assert_eq!(chrome.css("details.menu[open]").await.len(), 1, "the menu is still open");
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// The recipients are chosen by keyboard, and the closed list says who they are.
#[test]
fn recipients_are_chosen_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let made = create(
            &world,
            draft(
                &stage,
                &json!({
                    "repeat": "days", "start_date": "2026-10-09", "start_time": "06:00", "time_zone": "Europe/Paris",
                }),
            ),
        )
        .await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&format!("/applications/{}/schedules/{}/edit", world.application, made.id)).await;
        chrome.tab_to("Get notified").await;
        chrome.type_text(" ").await;
        chrome.tab_to("Olive").await;
        chrome.keys(&[ENTER]).await;
        chrome.tab_to("Mo").await;
        chrome.type_text(" ").await;
        chrome.keys(&[ESC]).await;
        chrome.focus_on(".picker summary").await;
        chrome.sees("Mo, Olive").await;
        chrome.tab_to("Update Schedule").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Failed, 2 members").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

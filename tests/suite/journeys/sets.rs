//! An import set made, reordered, copied and deleted: by keyboard, by the pointer, by a finger, and without scripts.

use fantoccini::key::Key;
use serde_json::json;

use crate::import_sets::{create, page, three};
use crate::journeys::{mark, still_the_same_page};
use crate::support::*;

/// The steps as they stand.
async fn order(chrome: &Chrome) -> String {
    let names = "return [...document.querySelectorAll('#steps > li')].map(step => \
                 step.querySelector('.step-no').textContent + ' ' + step.querySelector('h3').textContent).join(', ')";
    chrome.script(names).await.as_str().unwrap_or_default().to_owned()
}

/// Waits until they stand like this, and until a reader was told so.
async fn stand(chrome: &Chrome, steps: &str, told: &str) {
    let said = "return document.querySelector('#step-said').textContent";
    let stands = async || order(chrome).await == steps && (told.is_empty() || chrome.script(said).await == told);
    chrome.until(&format!("the steps are {steps}"), async || stands().await.then_some(())).await;
}

/// Alt with an arrow.
async fn alt(chrome: &Chrome, up: bool) {
    let (key, code) = if up { ("ArrowUp", 38) } else { ("ArrowDown", 40) };
    for kind in ["rawKeyDown", "keyUp"] {
        let event = json!({ "type": kind, "modifiers": 1, "key": key, "code": key, "windowsVirtualKeyCode": code });
        chrome.cdp("Input.dispatchKeyEvent", event).await;
    }
}

/// Drags a step by its grip to where another stands; lets it go there unless it is to be given up.
async fn drag(chrome: &Chrome, from: usize, to: usize, let_go: bool) {
    let (x, y) = chrome.middle(&format!("#steps > li:nth-child({from}) .grip")).await;
    let beyond = if to > from { 12.0 } else { -12.0 };
    let (_, end) = chrome.middle(&format!("#steps > li:nth-child({to}) .grip")).await;
    let mouse = async |kind: &str, y: f64| {
        let event = json!({ "type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1 });
        chrome.cdp("Input.dispatchMouseEvent", event).await;
    };
    mouse("mousePressed", y).await;
    for part in 1..=4 {
        mouse("mouseMoved", y + (end + beyond - y) * f64::from(part) / 4.0).await;
    }
    if !let_go {
        chrome.keys(&[Key::Escape]).await;
    }
    mouse("mouseReleased", end + beyond).await;
}

#[test]
fn a_set_is_made_and_reordered_by_keyboard_and_by_the_pointer() {
    with_world(Database::Sqlite, |world| async move {
        three(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&page(&world)).await;
        chrome.click("New import set").await;
        chrome.fill("Name", "Month end").await;
        mark(&chrome).await;
        chrome.click("Add step").await;
        chrome.sees("Choose an import configuration to add.").await;
        chrome.focus_on("#add[aria-invalid]").await;
        for (name, stands) in [("alpha", "1 alpha"), ("beta", "1 alpha, 2 beta"), ("gamma", "1 alpha, 2 beta, 3 gamma")]
        {
            chrome.choose("Import configuration to add", &format!("{name} (fills {name})")).await;
            chrome.click("Add step").await;
            stand(&chrome, stands, &format!("Step {} of {0}: {name}", stands.split(',').count())).await;
            chrome.focus_on("#add").await;
        }
        still_the_same_page(&chrome).await;
        chrome.sees("3 steps, one after the other. If one fails, the steps after it are skipped.").await;

        chrome.script("document.querySelector('#main').focus(); return 1").await;
        chrome.tab_to("gamma").await;
        chrome.keys(&[Key::Tab]).await;
        chrome.type_text(" ").await;
        chrome.sees("Step 3 counts Partial as failed.").await;
        alt(&chrome, true).await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 2 of 3: gamma").await;
        alt(&chrome, true).await;
        alt(&chrome, true).await;
        stand(&chrome, "1 gamma, 2 alpha, 3 beta", "Step 1 of 3: gamma").await;
        chrome.focus_on("#steps > li:first-child [name='step-2-partial']").await;
        alt(&chrome, false).await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 2 of 3: gamma").await;
        chrome.sees("Step 2 counts Partial as failed.").await;
        chrome.tab_to("Move gamma down").await;
        chrome.keys(&[Key::Enter]).await;
        stand(&chrome, "1 alpha, 2 beta, 3 gamma", "Step 3 of 3: gamma").await;
        assert_eq!(chrome.focused().await, "Move gamma up", "it can go no further down");
        chrome.keys(&[Key::Enter]).await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 2 of 3: gamma").await;

        drag(&chrome, 3, 1, true).await;
        stand(&chrome, "1 beta, 2 alpha, 3 gamma", "Step 1 of 3: beta").await;
        // The step has the focus, so that the keys go on from there.
        alt(&chrome, false).await;
        stand(&chrome, "1 alpha, 2 beta, 3 gamma", "Step 2 of 3: beta").await;
        alt(&chrome, true).await;
        drag(&chrome, 1, 3, true).await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 3 of 3: beta").await;
        drag(&chrome, 3, 1, false).await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 3 of 3: beta").await;
        chrome.tab_to("Remove alpha").await;
        chrome.keys(&[Key::Enter]).await;
        stand(&chrome, "1 gamma, 2 beta", "Removed alpha. 2 steps").await;
        assert_eq!(chrome.focused().await, "Remove gamma");
        chrome.click("Parallel").await;
        chrome.sees("2 steps, all at once.").await;
        still_the_same_page(&chrome).await;
        chrome.screenshot("import-set").await;

        // What was typed is not lost without a question.
        chrome.click("Cancel").await;
        chrome.sees("Leave without saving?").await;
        chrome.click("Keep editing").await;
        chrome.click("Save import set").await;
        chrome.sees("Created the import set “Month end” with 2 steps.").await;
        chrome.sees("gamma, beta").await;
        chrome.click("Month end").await;
        stand(&chrome, "1 gamma, 2 beta", "").await;
        chrome.click("Copy").await;
        chrome.sees("This is “Copy of Month end”, with the same steps.").await;
        chrome.click("Delete").await;
        chrome.sees("Delete the import set “Copy of Month end”?").await;
        chrome.click("Delete import set").await;
        chrome.sees("Deleted the import set “Copy of Month end”.").await;
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

#[test]
fn a_set_is_made_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        three(&world).await;
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.olive), off).await;
        chrome.goto(&page(&world)).await;
        chrome.click("New import set").await;
        chrome.fill("Name", "Month end").await;
        for name in ["alpha", "beta", "gamma"] {
            chrome.choose("Import configuration to add", &format!("{name} (fills {name})")).await;
            chrome.click("Add step").await;
            chrome.sees(&format!("Fills {name}")).await;
        }
        chrome.click("Partial counts as failed in gamma").await;
        chrome.click("Move gamma up").await;
        stand(&chrome, "1 alpha, 2 gamma, 3 beta", "Step 2 of 3: gamma").await;
        assert_eq!(chrome.focused().await, "Move gamma up");
        chrome.click("Remove alpha").await;
        stand(&chrome, "1 gamma, 2 beta", "Removed alpha. 2 steps").await;
        // Enter saves, whatever the first button is.
        chrome.control("Name").await.send_keys("\u{e007}").await.unwrap();
        chrome.sees("Created the import set “Month end” with 2 steps.").await;
        chrome.click("Month end").await;
        chrome.click("Copy").await;
        chrome.sees("This is “Copy of Month end”").await;
        chrome.click("Delete").await;
        chrome.click("Delete import set").await;
        chrome.sees("Deleted the import set “Copy of Month end”.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// On a phone a finger on the grip drags a step, and does not scroll the page.
#[test]
fn a_step_is_dragged_with_a_finger() {
    with_world(Database::Sqlite, |world| async move {
        let steps = three(&world).await.map(|stage| stage.configuration);
        let set = create(&world, "Month end", &steps).await;
        let look = Look { phone: true, dark: true, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.olive), look).await;
        chrome.cdp("Emulation.setTouchEmulationEnabled", json!({ "enabled": true })).await;
        chrome.goto(&format!("{}/{}", page(&world), set.id)).await;
        let (_, end) = chrome.middle("#steps > li:nth-child(2) .grip").await;
        let (x, y) = chrome.middle("#steps > li:nth-child(1) .grip").await;
        let finger = async |kind: &str, points: serde_json::Value| {
            chrome.cdp("Input.dispatchTouchEvent", json!({ "type": kind, "touchPoints": points })).await;
        };
        finger("touchStart", json!([{ "x": x, "y": y }])).await;
        for part in 1..=4 {
            finger("touchMove", json!([{ "x": x, "y": y + (end + 12.0 - y) * f64::from(part) / 4.0 }])).await;
        }
        finger("touchEnd", json!([])).await;
        stand(&chrome, "1 beta, 2 alpha, 3 gamma", "Step 2 of 3: alpha").await;
        chrome.screenshot("import-set-phone").await;
        assert_eq!(chrome.script("return document.documentElement.scrollWidth > innerWidth").await, false);
        chrome.quiet().await;
        chrome.close().await;
    });
}

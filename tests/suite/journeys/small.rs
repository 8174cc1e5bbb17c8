//! What is small and in the way: a toast over a button, a table that hides its end, a token that must be copied by hand, a
//! first import far down on a phone.

use serde_json::json;
use tidegate::runs::executor;

use crate::journeys::{list, words};
use crate::running::{start, work_off};
use crate::schedules::{create, daily, draft};
use crate::support::*;

/// The one on this page of this CSS that lies uppermost in its middle is itself.
const IS_UPPERMOST: &str = "const b = [...document.querySelectorAll(arguments0)].pop(); \
    const r = b.getBoundingClientRect(); \
    return b.contains(document.elementFromPoint(r.left + r.width / 2, r.top + r.height / 2))";

#[test]
fn a_new_token_is_copied_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        let granted = json!({ "origin": world.at(), "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"] });
        chrome.cdp("Browser.grantPermissions", granted).await;
        chrome.goto("/account").await;
        chrome.fill("Name of a new token", "nightly").await;
        chrome.click("Create token").await;
        chrome.sees("Copy it now").await;
        chrome.tab_to("Copy").await;
        chrome.keys(&[fantoccini::key::Key::Enter]).await;
        chrome.sees("Copied").await;
        chrome.script("navigator.clipboard.readText().then((text) => { window.copied = text; }); return 1").await;
        let same = "return window.copied === document.getElementById('fresh-token').textContent";
        chrome.until("the token is copied", async || (chrome.script(same).await == true).then_some(())).await;
        // Where a browser has no such thing, as without https, the old way does it.
        let old = "Object.defineProperty(navigator, 'clipboard', { value: undefined }); \
                   document.querySelector('[data-copy] span').textContent = 'Copy'; return 1";
        chrome.script(old).await;
        chrome.click("Copy the token").await;
        chrome.sees("Copied").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn a_toast_covers_nothing_for_good() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&format!("/members/{}", world.mo.id)).await;
        chrome.click("Save").await;
        chrome.sees("Mo is saved.").await;
        chrome.click("Invite member").await;
        chrome.script("scrollTo(0, document.documentElement.scrollHeight); return 1").await;
        let add = IS_UPPERMOST.replace("arguments0", "'#invite .with-link'");
        assert_eq!(chrome.script(&add).await, true, "Invite can be pressed");
        chrome.click("Dismiss").await;
        chrome.sees_no("Mo is saved.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn the_first_import_is_in_sight_on_a_phone() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        start(&world, &stage).await;
        work_off(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look { phone: true, ..Look::default() }).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Every day at 18:00").await;
        chrome.screenshot("list-phone").await;
        let top = "return document.querySelector('.cfg').getBoundingClientRect().top";
        let top = chrome.script(top).await.as_f64().unwrap();
        assert!(top < 520.0, "the first import begins at {top}");
        // What is folded away is one press away, and stays open while it filters.
        let shows = "return document.querySelector('#q').checkVisibility()";
        assert_eq!(chrome.script(shows).await, false);
        chrome.click("Filter and sort").await;
        assert_eq!(chrome.script(shows).await, true);
        chrome.sees("Sort by").await;
        chrome.goto(&format!("{}?q=words", list(&world))).await;
        assert_eq!(chrome.script(shows).await, true);
        let wide = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(chrome.script(wide).await, true, "nothing reaches beyond the page");
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// A table that is wider than a phone casts a shadow at its edge; the drawer reaches the edge of the window.
#[test]
fn what_goes_on_beyond_an_edge_is_seen() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let run = start(&world, &stage).await;
        world.step(executor::step).await;
        let phone = Chrome::open(&world, Some(&world.olive), Look { phone: true, ..Look::default() }).await;
        phone.goto(&format!("/runs/{}", run.id)).await;
        phone.sees("Unchanged").await;
        phone.screenshot("summary-phone").await;
        let shadows = "const s = [...document.querySelectorAll('.scroll-x')].find((s) => s.scrollWidth > s.clientWidth); \
                       return getComputedStyle(s).backgroundAttachment";
        assert_eq!(phone.script(shadows).await, "local, local, scroll, scroll, scroll");
        phone.quiet().await;
        phone.close().await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look { dark: true, ..Look::default() }).await;
        chrome.goto(&list(&world)).await;
        chrome.screenshot("list-dark").await;
        chrome.click("Show history").await;
        chrome.sees("History of words").await;
        chrome.screenshot("drawer-dark").await;
        let same = "const of = (e) => getComputedStyle(e).backgroundColor; \
                    return of(document.documentElement) === of(document.querySelector('.drawer'))";
        assert_eq!(chrome.script(same).await, true, "no strip of another colour is left beside the drawer");
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// How much lighter one colour is than another, as WCAG counts it.
#[test]
fn what_is_chosen_stands_out() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        for dark in [false, true] {
            let chrome = Chrome::open(&world, Some(&world.olive), Look { dark, ..Look::default() }).await;
            chrome.goto(&list(&world)).await;
            let contrast = "const light = (c) => { const v = c.match(/[\\d.]+/g).slice(0, 3).map((x) => x / 255) \
                  .map((x) => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); \
                  return .2126 * v[0] + .7152 * v[1] + .0722 * v[2]; }; \
                const on = getComputedStyle(document.querySelector('.seg > [aria-current]')); \
                const ring = on.boxShadow.match(/rgb\\([^)]*\\)/g).pop(); \
                const [a, b] = [light(ring), light(getComputedStyle(document.querySelector('.seg')).backgroundColor)]; \
                return (Math.max(a, b) + .05) / (Math.min(a, b) + .05)";
            let contrast = chrome.script(contrast).await.as_f64().unwrap();
            assert!(contrast >= 3.0, "dark {dark}: the ring around what is chosen has {contrast}");
            chrome.close().await;
        }
    });
}

/// Each row is saved by its own button; what was ticked in another row is there still.
#[test]
fn ticks_of_other_rows_stay_when_one_is_saved() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&format!("/applications/{}/settings/members", world.application)).await;
        chrome.click("Configure for Mo").await;
        chrome.click("Configure for Olive").await;
        chrome.click("Save for Olive").await;
        chrome.sees("Olive has").await;
        let ticked = "return [...document.querySelectorAll('form.changed')].map((f) => f.innerText.includes('for Mo') && f.elements.configure.checked)";
        chrome
            .until("the tick of Mo is there, unsaved", async || {
                (chrome.script(ticked).await == json!([true])).then_some(())
            })
            .await;
        // Whoever leaves is asked first.
        chrome.click("Overview").await;
        chrome.sees("Leave without saving?").await;
        chrome.click("Keep editing").await;
        chrome.click("Save for Mo").await;
        chrome.until("all is saved", async || (chrome.script(ticked).await == json!([])).then_some(())).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

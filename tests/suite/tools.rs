//! The suite's own tools do what they say.

use crate::support::*;

on_both! {
    async fn the_house_answers(world: World) {
        let mut nobody = world.nobody();
        nobody.visit("/healthz").await.sees("ok");
        nobody.visit("/readyz").await.sees("ready");
        assert_eq!(nobody.open("/no-such-page").await, 404);
        nobody.sees("Not found");
    }
}

/// In all its looks, also with scripts switched off.
#[test]
fn a_real_browser_opens_pages() {
    with_world(Database::Sqlite, |world| async move {
        for look in [
            Look::default(),
            Look { dark: true, phone: true, ..Look::default() },
            Look { scripts: false, ..Look::default() },
        ] {
            let chrome = Chrome::open(&world, Some(&world.olive), look).await;
            chrome.goto("/account").await;
            chrome.sees("olive@acme.test").await;
            chrome.quiet().await;
            let dark = chrome.script("return matchMedia('(prefers-color-scheme: dark)').matches").await;
            assert_eq!(dark, look.dark);
            assert_eq!(chrome.script("return innerWidth").await, if look.phone { 390 } else { 1440 });
            let runs = chrome.script("return typeof htmx !== 'undefined'").await;
            assert_eq!(runs, look.scripts, "our scripts run, or not");
            chrome.screenshot("account").await;
            chrome.fill("Name", "Olivia").await;
            assert_eq!(chrome.control("Name").await.prop("value").await.unwrap().as_deref(), Some("Olivia"));
            chrome.goto("/no-such-page").await;
            chrome.sees("Not found").await;
            assert!(!chrome.console().await.is_empty(), "a 404 is an error on the console");
            chrome.close().await;
        }
    });
}

#[test]
fn the_program_answers_and_stops() {
    let data = tempfile::tempdir().unwrap();
    let data = data.path().to_str().unwrap();
    let mut process = process::Process::start(&["--listen", "127.0.0.1:0", "--data-dir", data]);
    let at = process.listening();
    databases::runtime().block_on(async {
        let mut nobody = Browser::new(&at, "Nobody", None);
        nobody.visit("/readyz").await.sees("ready");
    });
    assert!(process.stop().success());
    let refused = process::run(&["--no-such-option"], &[], "");
    assert_eq!(refused.status.code(), Some(2));
    assert_eq!(String::from_utf8(refused.stderr).unwrap().lines().count(), 1);
}

//! A test run before anything is saved, and one of an import that is: what would change is seen, and nothing did.

use tidegate::runs::executor;

use crate::running::start;
use crate::support::stage::{csv, folder_connection, rows};
use crate::support::*;

#[test]
fn a_test_run_shows_what_would_change_and_nothing_does() {
    with_world(Database::Sqlite, |world| async move {
        csv(&world, "words", &[("1", "tide"), ("2", "gate")]);
        folder_connection(&world, "words").await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        let imports = format!("/applications/{}/settings/import-configurations", world.application);
        chrome.goto(&format!("{imports}/new")).await;
        chrome.click("words.csv").await;
        chrome.click("Preview").await;
        chrome.sees("Map the columns").await;
        chrome.click("Map the columns").await;
        chrome.sees("Save and choose when").await;
        chrome.tab_to("Test run").await;
        chrome.keys(&[fantoccini::key::Key::Enter]).await;
        chrome.sees("Nothing was loaded. A run would load every row. 2 rows were read.").await;
        chrome.sees("2 added rows").await;
        chrome.click("Save and choose when").await;
        chrome.sees("Schedule it").await;
        let stage = crate::support::stage::stage(&world, "more", tidegate::imports::Mode::Update, |_| ()).await;
        csv(&world, "more", &[("1", "tide")]);
        start(&world, &stage).await;
        while world.step(executor::step).await.is_some() {}
        csv(&world, "more", &[("1", "ebb"), ("2", "gate")]);
        chrome.goto(&format!("{imports}/{}", stage.configuration)).await;
        chrome.click("Test run").await;
        chrome.sees("1 changed row").await;
        chrome.sees("1 added row").await;
        chrome.click("Back").await;
        chrome.arrives(&format!("{imports}/{}", stage.configuration)).await;
        assert_eq!(rows(&world, stage.block), 1);
        chrome.quiet().await;
        chrome.close().await;
    });
}

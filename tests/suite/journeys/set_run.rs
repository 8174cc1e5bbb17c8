//! A set with values for each step, scheduled, watched, and run again from the step that failed: by keyboard, and without
//! scripts. And a file that is kept in the middle of the schedule's form.

use fantoccini::key::Key;
use serde_json::json;
use tidegate::imports::{Definition, Mode};
use tidegate::runs::dispatcher;

use crate::import_sets::create;
use crate::journeys::{list, mark, still_the_same_page};
use crate::running::{set_values, work_off};
use crate::support::stage::{csv, stage_from};
use crate::support::*;

/// A set of two steps that read the file of a day; the file of the second one is not there yet.
async fn month_end(world: &World) -> i64 {
    let [sales, prices, _] = set_values::three(world).await;
    csv(world, "sales-2026-10-09", &[("1", "one")]);
    create(world, "Month end", &[sales.configuration, prices.configuration]).await.id
}

/// What is planned for 06:00 in Paris runs.
async fn morning(world: &World) {
    world.set_clock("2026-10-09T04:00:01Z");
    world.step(dispatcher::step).await;
    work_off(world).await;
}

#[test]
fn a_set_is_scheduled_watched_and_run_again_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        month_end(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.tab_to("Set up scheduled imports").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Schedule an import").await;
        chrome.tab_to("Import configuration").await;
        chrome.keys(&[Key::Right, Key::Tab]).await;
        chrome.type_text("Month").await;
        chrome.sees("Step 1, sales").await;
        for step in 1..=2 {
            chrome.tab_to("Day").await;
            chrome.type_text("today").await;
            chrome.sees(&format!("Step {step}, Day: 9 October 2026 (today)")).await;
        }
        chrome.tab_to("Schedule Import").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Every day at 06:00, Europe/Paris").await;
        morning(&world).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Step 2, prices, failed").await;
        chrome.tab_to("View Summary").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Run again from step 2").await;
        csv(&world, "prices-2026-10-09", &[("1", "one"), ("2", "two")]);
        chrome.tab_to("Run again from step 2").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("Started: Month end").await;
        work_off(&world).await;
        chrome.sees("Taken over from run").await;
        chrome.sees("2 loaded").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn a_set_is_scheduled_watched_and_run_again_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let set = month_end(&world).await;
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.olive), off).await;
        chrome.goto(&format!("/applications/{}/schedules/new?set={set}", world.application)).await;
        for step in 1..=2 {
            let day = chrome.css(&format!("[name='{step}.parameters.day']")).await.remove(0);
            day.send_keys("today").await.unwrap();
        }
        chrome.click("Schedule Import").await;
        chrome.sees("Every day at 06:00, Europe/Paris").await;
        morning(&world).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Step 2, prices, failed").await;
        chrome.click("View Summary").await;
        csv(&world, "prices-2026-10-09", &[("1", "one"), ("2", "two")]);
        chrome.click("Run again from step 2").await;
        chrome.sees("Started: Month end").await;
        work_off(&world).await;
        chrome.goto(&format!("/runs/{}", newest(&world).await)).await;
        chrome.sees("Taken over from run").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// The newest run of a set.
async fn newest(world: &World) -> i64 {
    let runs = world.api(&world.olive).await.get("runs").await;
    runs.items().iter().find(|run| !run["set_id"].is_null()).unwrap()["id"].as_i64().unwrap()
}

#[test]
fn a_file_is_kept_in_the_middle_of_a_schedules_form() {
    with_world(Database::Sqlite, |world| async move {
        let stage = stage_from(&world, "returns", None, Definition::new(Mode::Append)).await;
        let file = world.folder().join("returns.csv");
        std::fs::write(&file, "id,word\n1,one\n").unwrap();
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome
            .goto(&format!("/applications/{}/schedules/new?configuration={}", world.application, stage.configuration))
            .await;
        chrome.set("Time", "07:15").await;
        mark(&chrome).await;
        let upload = chrome.css("#schedule-form input[type=file]").await.remove(0);
        upload.send_keys(file.canonicalize().unwrap().to_str().unwrap()).await.unwrap();
        let chosen = "return document.querySelector('#parameters-file').selectedOptions[0].textContent";
        let is_chosen = async || (chrome.script(chosen).await == "returns.csv (14 bytes, version 1)").then_some(());
        chrome.until("the file is chosen", is_chosen).await;
        still_the_same_page(&chrome).await;
        chrome.click("Schedule Import").await;
        chrome.sees("Every day at 07:15").await;
        let kept = world.api(&world.olive).await.get(&format!("applications/{}/schedules", world.application)).await;
        assert_eq!(kept.items()[0]["parameters"], json!({"file": 1}));
        chrome.quiet().await;
        chrome.close().await;
    });
}

//! From the first start to a scheduled import that runs, as a first Administrator walks it on the first day.

use crate::journeys::{mark, still_the_same_page};
use crate::support::process::Process;
use crate::support::*;

#[test]
fn from_the_first_start_to_a_scheduled_import() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let folder = files.path().canonicalize().unwrap();
    std::fs::copy(settings::root().join("tests/data/airlines.csv"), folder.join("airlines.csv")).unwrap();
    let folder = folder.to_str().unwrap();
    let mut process = Process::start(&[
        "--data-dir",
        data.path().to_str().unwrap(),
        "--listen",
        "127.0.0.1:0",
        "--folder-root",
        folder,
    ]);
    let code = process.line(|line| line.starts_with("setup code: "))["setup code: ".len()..].to_owned();
    let at = process.listening();
    databases::runtime().block_on(async {
        let chrome = Chrome::at(&at, Look::default()).await;
        set_up(&chrome, &code).await;
        connect(&chrome, folder).await;
        make_a_configuration(&chrome).await;
        schedule(&chrome).await;
        run(&chrome).await;
        change_ones_mind(&chrome).await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

async fn set_up(chrome: &Chrome, code: &str) {
    chrome.goto("/").await;
    chrome.fill("Set-up code", code).await;
    chrome.fill("Your name", "Ada").await;
    chrome.fill("E-mail", "ada@example.com").await;
    chrome.fill("Password", "a tide at the gate").await;
    chrome.fill("Name of the Workspace", "Acme").await;
    chrome.fill("Time zone", "Europe/Paris").await;
    chrome.click("Set up").await;
    chrome.sees("Your first Application").await;
    chrome.fill("Name", "FP&A 2027").await;
    chrome.click("Create Application").await;
    chrome.sees("FP&A 2027").await;
}

async fn connect(chrome: &Chrome, folder: &str) {
    chrome.goto("/connections").await;
    chrome.click("New Connection").await;
    chrome.click("Folder").await;
    chrome.fill("Name", "Shared folder").await;
    chrome.fill("Folder", folder).await;
    chrome.click("Test").await;
    chrome.sees("It works.").await;
    chrome.click("Save Connection").await;
    chrome.sees("Saved the Connection").await;
}

/// The wizard's four screens.
async fn make_a_configuration(chrome: &Chrome) {
    chrome.goto("/applications/1/settings/import-scheduling").await;
    chrome.click("Create an import configuration").await;
    chrome.click("airlines.csv").await;
    chrome.click("Preview").await;
    chrome.sees("Endeavor Air Inc.").await;
    chrome.fill("Name of the new Block", "Airlines").await;
    chrome.choose("Kind", "Dimension list").await;
    chrome.click("Map the columns").await;
    chrome.sees("All 16 fit").await;
    chrome.click("Update").await;
    chrome.fill("Name", "Carriers").await;
    chrome.click("Save and choose when").await;
    chrome.sees("When does it run?").await;
    chrome.click("Schedule it").await;
}

/// The sentence and the next runs follow what is typed.
async fn schedule(chrome: &Chrome) {
    chrome.sees("Schedule an import").await;
    chrome.sees("Every day at 06:00, Europe/Paris").await;
    mark(chrome).await;
    chrome.set("Time", "18:30").await;
    chrome.sees("Every day at 18:30, Europe/Paris").await;
    chrome.click("Monthly").await;
    chrome.click("15").await;
    chrome.sees("On days 1 and 15 of every month at 18:30").await;
    chrome.click("Minutes").await;
    chrome.choose("Every", "20").await;
    chrome.sees("Every 20 minutes").await;
    chrome.click("Weekly").await;
    for day in ["Tuesday", "Wednesday", "Thursday"] {
        chrome.click(&format!("{}{day}", &day[..2])).await;
    }
    chrome.sees("Every Monday and Friday at 18:30, Europe/Paris").await;
    chrome.sees("Next 5 runs").await;
    still_the_same_page(chrome).await;
    chrome.click("Schedule Import").await;
    chrome.sees("Scheduled: Every Monday and Friday").await;
    chrome.sees("1 of 4 schedules").await;
}

/// The card shows the run without being loaded again.
async fn run(chrome: &Chrome) {
    mark(chrome).await;
    chrome.click("Run now").await;
    chrome.sees("Started: Carriers").await;
    chrome
        .until("the card says Success", async || {
            let card = chrome.script("return document.querySelector('[id^=cfg-]').innerText").await;
            card.as_str().is_some_and(|text| text.contains("Success")).then_some(())
        })
        .await;
    still_the_same_page(chrome).await;
    chrome.click("Show history").await;
    chrome.click("View Summary").await;
    chrome.sees("16 rows added.").await;
    chrome.click("Run Again").await;
    chrome.sees("Started: ").await;
    chrome.sees("Unchanged").await;
    chrome.goto("/applications/1/settings/import-scheduling").await;
}

/// Switch off, Undo, delete.
async fn change_ones_mind(chrome: &Chrome) {
    mark(chrome).await;
    chrome.click("On: Every Monday and Friday").await;
    chrome.sees("Turned off: Every Monday and Friday").await;
    chrome.sees("No run is planned").await;
    still_the_same_page(chrome).await;
    chrome.click("Undo").await;
    chrome.sees("Turned on: Every Monday and Friday").await;
    chrome.sees_no("No run is planned").await;
    chrome.click("More actions for").await;
    chrome.click("Delete schedule").await;
    chrome.sees("The configuration and the history of its runs stay.").await;
    chrome.focus_on("[role=alertdialog] [data-close]").await;
    chrome.click("Keep it").await;
    chrome.sees_no("Delete this schedule?").await;
    chrome.click("More actions for").await;
    chrome.click("Delete schedule").await;
    chrome.click_in("Delete this schedule?", "Delete schedule").await;
    chrome.sees("Deleted: Every Monday and Friday").await;
    chrome.sees("No import is scheduled yet").await;
}

//! The first hour: from the first start to an own import that runs by schedule, led by the checklist. What somebody
//! must type, and how many screens there are, is counted.

use serde_json::json;

use crate::support::process::Process;
use crate::support::*;

const MOST_SCREENS: usize = 12;
const MOST_TYPED: usize = 6;

struct Walk {
    chrome: Chrome,
    screens: usize,
    typed: usize,
}

impl Walk {
    /// A screen that was not there before says this.
    async fn screen(&mut self, says: &str) {
        self.chrome.sees(says).await;
        let fresh = "const fresh = !window.seen; window.seen = true; return fresh";
        assert_eq!(self.chrome.script(fresh).await, true, "{says} is a screen of its own");
        self.screens += 1;
    }

    async fn types(&mut self, label: &str, text: &str) {
        self.chrome.fill(label, text).await;
        self.typed += 1;
    }

    async fn goes(&mut self, button: &str, says: &str) {
        self.chrome.click(button).await;
        self.screen(says).await;
    }

    async fn value(&self, id: &str) -> String {
        let value = self.chrome.script(&format!("return document.getElementById({id:?}).value")).await;
        value.as_str().unwrap_or_default().to_owned()
    }
}

#[test]
fn the_checklist_leads_from_the_first_start_to_a_scheduled_import() {
    let data = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let folder = files.path().canonicalize().unwrap();
    std::fs::copy(settings::root().join("tests/data/airlines.csv"), folder.join("airlines.csv")).unwrap();
    let folder = folder.to_str().unwrap();
    let data = data.path().to_str().unwrap();
    let mut process = Process::start(&["--data-dir", data, "--listen", "127.0.0.1:0", "--folder-root", folder]);
    let open = process.line(|line| line.contains("/setup#"));
    let at = process.listening();
    databases::runtime().block_on(async {
        let chrome = Chrome::at(&at, Look::default()).await;
        chrome.cdp("Emulation.setTimezoneOverride", json!({ "timezoneId": "Europe/Paris" })).await;
        let mut walk = Walk { chrome, screens: 0, typed: 0 };
        // The printed address brings the code, the browser the zone.
        walk.chrome.goto(open.split(at.as_str()).nth(1).unwrap()).await;
        walk.screen("Set up this Workspace").await;
        assert!(open.ends_with(&walk.value("code").await) && walk.chrome.path().await == "/setup");
        assert_eq!(walk.value("time_zone").await, "Europe/Paris");
        walk.types("Your name", "Ada Byron").await;
        walk.types("E-mail", "ada@example.com").await;
        walk.types("Password", "a tide at the gate").await;
        walk.chrome.click("Show Password").await;
        assert_eq!(walk.chrome.script("return document.getElementById('password').type").await, "text");
        walk.goes("Set up", "Your first Application").await;
        walk.types("Name", "FP&A 2027").await;
        walk.goes("Create Application", "0 of 3 done").await;
        walk.goes("Folder: new Connection", "New Folder Connection").await;
        walk.types("Name", "Shared folder").await;
        walk.types("Folder", folder).await;
        walk.goes("Save Connection", "Saved the Connection").await;
        walk.goes("Workspace", "1 of 3 done").await;
        walk.goes("Create an import", "Where do the rows come from?").await;
        // Chosen from the files that are there.
        walk.chrome.click("airlines.csv").await;
        walk.goes("Preview", "Endeavor Air Inc.").await;
        walk.goes("Map the columns", "All 16 fit").await;
        let constants = "return [...document.querySelectorAll('.constant')].filter(e => e.checkVisibility()).length";
        assert_eq!(walk.chrome.script(constants).await, 0, "a constant shows where it is chosen");
        walk.goes("Save and choose when", "When does it run?").await;
        walk.goes("Schedule it", "Schedule an import").await;
        walk.goes("Schedule Import", "Scheduled: Every day at 06:00, Europe/Paris").await;
        assert!(walk.screens <= MOST_SCREENS, "{} screens", walk.screens);
        assert!(walk.typed <= MOST_TYPED, "{} typed entries", walk.typed);
        // What is done is said no more.
        walk.chrome.goto("/").await;
        walk.chrome.sees("Applications").await;
        walk.chrome.sees_no("Start here").await;
        walk.chrome.quiet().await;
        walk.chrome.close().await;
    });
}

/// A Connection is ticked once it answered as it is now, or a run loaded something through it.
#[test]
fn a_connection_that_does_not_answer_is_not_ticked() {
    with_world(Database::Sqlite, |world| async move {
        let home = format!("/applications/{}", world.application);
        let api = world.api(&world.ada).await;
        let folder = world.folder().canonicalize().unwrap().join("later");
        std::fs::create_dir(&folder).unwrap();
        let connection = json!({ "name": "Files", "kind": "folder", "settings": { "path": folder, "quiet_seconds": 0 },
            "application_ids": [world.application] });
        let id = api.make("connections", connection).await;
        let test = format!("connections/{id}/test");
        let mut ada = world.browser(&world.ada).await;
        let mut olive = world.browser(&world.olive).await;
        std::fs::remove_dir(&folder).unwrap();
        assert_eq!(api.post(&test, json!({})).await.is(200).json["good"], false);
        ada.visit(&home).await.sees("0 of 3 done").sees("It has not passed a test yet.").sees("Create an import");
        assert_eq!(ada.count(&format!(".todo a[href='/connections/{id}']")), 1, "Test it");
        olive.visit(&home).await.sees("0 of 3 done").sees("Ada can do this");
        std::fs::create_dir(&folder).unwrap();
        assert_eq!(api.post(&test, json!({})).await.is(200).json["good"], true);
        ada.visit(&home).await.sees("1 of 3 done");
        // Another place is one that nobody tried.
        let elsewhere = json!({ "settings": { "path": world.folder().canonicalize().unwrap(), "quiet_seconds": 0 } });
        api.patch(&format!("connections/{id}"), elsewhere).await.is(200);
        ada.visit(&home).await.sees("0 of 3 done");
        // A run is a proof that stays.
        let block = json!({ "name": "Airlines", "kind": "transaction_list",
            "columns": [{ "name": "carrier", "type": "text" }, { "name": "name", "type": "text" }] });
        let block = api.make(&format!("applications/{}/blocks", world.application), block).await;
        let import = json!({ "name": "Airlines", "block_id": block, "connection_id": id, "mode": "append",
            "source": { "path": "airlines.csv" } });
        let import = api.make(&format!("applications/{}/import-configurations", world.application), import).await;
        api.post(&format!("import-configurations/{import}/runs"), json!({})).await.is(202);
        crate::running::work_off(&world).await;
        ada.visit(&home).await.sees("2 of 3 done");
    });
}

/// Each sees what is theirs to do, and who can do the rest.
#[test]
fn the_checklist_says_who_does_what() {
    with_world(Database::Sqlite, |world| async move {
        let home = format!("/applications/{}", world.application);
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&home).await.sees("0 of 3 done").sees("Folder").sees("After step 1").sees("After step 2");
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&home).await.sees("Start here").sees("Ada can do this");
        assert_eq!(olive.count("a[href*='/connections/new']"), 0);
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&home).await.sees_no("Start here");
    });
}

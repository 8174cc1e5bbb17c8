//! A secret that is entered in every place that takes one is in nothing that leaves the program, and in no file of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::site::pause;
use crate::connectors::server::{Server, answer, say};
use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::process::{self, Process};
use crate::support::{Browser, routes};

const CANARY: &str = "S3CR3T-canary-91c4";

/// Also as it would be in a header, and in an address.
fn holds(bytes: &[u8]) -> bool {
    let forms = [CANARY.to_owned(), STANDARD.encode(CANARY), STANDARD.encode(format!("me:{CANARY}"))];
    forms.iter().any(|form| bytes.windows(form.len()).any(|window| window == form.as_bytes()))
}

fn files(folder: &std::path::Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files(&path, found) } else { found.push(path) }
    }
}

#[test]
fn a_secret_is_in_nothing_that_leaves_and_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args =
        ["demo", "--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap(), "--allow-network", "127.0.0.0/8"];
    runtime().block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        // It fails, and says what it was told.
        let echo = Server::start(|question, stream| {
            say(stream, answer("500 Oops", "", &format!("{question:?}")).as_bytes());
        });
        let mut demo = Process::start(&args);
        let at = demo.listening();
        let ada = demo.line(|line| line.ends_with("Administrator"));
        let [email, password] = [0, 1].map(|nth| ada.split(' ').nth(nth).unwrap());
        let make = ["--data-dir", data.to_str().unwrap(), "token", "create", "--member", email, "--name", "test"];
        let token = String::from_utf8(process::run(&make, &[], "").stdout).unwrap().lines().last().unwrap().to_owned();
        let api = Api::new(&at, &token);
        let application = api.get("applications").await.items()[0]["id"].as_i64().unwrap();

        // A Connection by token and one by password, a webhook, and Slack.
        let mut connections = Vec::new();
        for (auth, settings, secret) in [("bearer", json!({}), "token"), ("basic", json!({"user": "me"}), "password")] {
            let mut settings = settings;
            settings["url"] = echo.url().into();
            settings["auth"] = auth.into();
            let body = json!({"name": auth, "kind": "http", "settings": settings, "secrets": {secret: CANARY},
                "application_ids": [application]});
            let id = api.make("connections", body).await;
            assert_eq!(api.post(&format!("connections/{id}/test"), json!({})).await.is(200).json["good"], false);
            connections.push(id);
        }
        let block = api.get(&format!("applications/{application}/blocks")).await.items()[0]["id"].clone();
        let import = json!({"name": "Canary", "block_id": block, "connection_id": connections[0], "mode": "append",
            "attempts": 1, "source": {"path": "a.csv"}});
        let import = api.make(&format!("applications/{application}/import-configurations"), import).await;
        let run = api.post(&format!("import-configurations/{import}/runs"), json!({})).await.is(202).id();
        while api.get(&format!("runs/{run}")).await.json["finished_at"].is_null() {
            pause(50).await;
        }
        assert!(echo.questions().iter().any(|question| format!("{question:?}").contains(CANARY)), "it was sent");
        let mut browser = Browser::new(&at, "Ada", None);
        browser.visit("/sign-in").await.fill("E-mail", email).fill("Password", password).press("Sign in").await;
        browser.visit(&format!("/applications/{application}/settings/notifications")).await.within("#webhook");
        browser.fill("Address", &format!("{}?key={CANARY}", echo.url())).fill("Signing secret", CANARY);
        let mut read = vec![browser.press("Test Webhook").await.body.clone()];
        browser.within("#webhook").fill("Address", &format!("{}?key={CANARY}", echo.url()));
        browser.fill("Signing secret", CANARY).press("Save Webhook").await.sees("Saved.");
        let imports = api.get(&format!("applications/{application}/import-configurations")).await;
        let used = imports.items().iter().filter_map(|import| import["connection_id"].as_i64());
        let used: std::collections::BTreeSet<i64> = used.collect();
        let same: Vec<_> = used.iter().map(|id| json!({"connection_id": id, "use_id": id})).collect();
        let copy = json!({"name": "Copy", "rows": true, "connections": same});
        read.push(api.post(&format!("applications/{application}/clone"), copy).await.is(201).body.clone());

        // Every page, file and answer that there is.
        let values =
            [("a", application), ("c", connections[0]), ("i", import), ("r", run), ("entry", 1), ("version", 1)];
        let values: Vec<(&str, String)> = values.iter().map(|(name, id)| (*name, id.to_string())).collect();
        for route in routes::all().into_iter().filter(|route| route.method == "GET") {
            let path = route.filled(&values);
            let text = match path.strip_prefix("/api/v1/") {
                Some(path) => api.get(path).await.body,
                None => browser.get(&path).await.body,
            };
            read.push(format!("{path}\n{text}"));
        }
        for text in &read {
            assert!(!holds(text.as_bytes()), "{text}");
        }
        let backup = dir.path().join("backup.db");
        let main = data.join("tidegate.db");
        let made =
            std::process::Command::new("sqlite3").arg(&main).arg(format!(".backup {}", backup.display())).status();
        assert!(made.unwrap().success());
        assert!(demo.stop().success());
        assert!(!holds(demo.log().as_bytes()), "{}", demo.log());
        let mut all = vec![backup];
        files(&data, &mut all);
        assert!(all.len() > 4, "{all:?}");
        for file in all {
            assert!(!holds(&std::fs::read(&file).unwrap()), "{} holds it", file.display());
        }
    });
}

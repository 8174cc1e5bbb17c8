//! The demo as somebody meets it: the program in an empty directory, and two minutes.

use std::time::{Duration, Instant};

use serde_json::json;
use tidegate::clock::{Clock, MachineClock};

use super::site::pause;
use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::process::{self, Process};

fn people(process: &mut Process) -> Vec<String> {
    ["Administrator", "Importer", "Viewer"].iter().map(|role| process.line(|line| line.ends_with(role))).collect()
}

#[test]
fn the_demo_runs_its_own_schedule_within_two_minutes() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("demo-data").to_str().unwrap().to_owned();
    let args = ["demo", "--listen", "127.0.0.1:0", "--data-dir", data.as_str()];
    runtime().block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let (began, opened) = (Instant::now(), MachineClock.now().rfc3339());
        let mut demo = Process::start(&args);
        let at = demo.listening();
        let listed = people(&mut demo);
        let email = listed[0].split(' ').next().unwrap();
        let made =
            process::run(&["--data-dir", &data, "token", "create", "--member", email, "--name", "test"], &[], "");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let token = String::from_utf8(made.stdout).unwrap().lines().last().unwrap().to_owned();
        let api = Api::new(&at, &token);
        let before = api.get("runs?trigger=schedule").await;
        let before = before
            .is(200)
            .items()
            .iter()
            .filter(|run| run["name"].as_str().is_some_and(|name| name.starts_with("Airports")))
            .count();
        assert!(before >= 14, "{before} runs of Airports: its strip has a history to show");
        let metrics = api.get("applications").await.items()[0]["id"].clone();
        let metrics = api.get(&format!("applications/{metrics}/import-configurations")).await;
        let metric = metrics.items().iter().find(|import| import["name"] == "Seats by manufacturer").unwrap();
        assert!(!metric["source_block_id"].is_null(), "{metric}");
        let fed = api.get(&format!("runs?trigger=schedule&configuration_id={}", metric["id"])).await;
        let fed =
            fed.items().iter().find(|run| run["rows"]["added"] == json!(28)).unwrap_or_else(|| panic!("{}", fed.body));
        assert_eq!(fed["status"], "success", "{fed}");
        let run = loop {
            let reply = api.get("runs?trigger=schedule").await;
            let ended = reply
                .is(200)
                .items()
                .iter()
                .find(|run| !run["finished_at"].is_null() && run["planned_at"].as_str() > Some(opened.as_str()));
            let ended = ended.cloned();
            if let Some(run) = ended {
                break run;
            }
            assert!(began.elapsed() < Duration::from_secs(120), "nothing has run yet: {}\n{}", reply.body, demo.log());
            pause(250).await;
        };
        let held = api.get("runs?status=held").await;
        let held = &held.is(200).items()[0];
        assert_eq!((&held["held"]["rows"], &held["held"]["usual"]), (&json!(12), &json!(48)), "one asks: {held}");
        assert_eq!((&run["status"], &run["rows"]["added"]), (&json!("success"), &json!(26_115)), "{run}");
        assert!(demo.stop().success());

        let mut again = Process::start(&args);
        let at = again.listening();
        assert_eq!(people(&mut again), listed, "an earlier demo is continued with the same people");
        let kept = Api::new(&at, &token).get(&format!("runs/{}", run["id"])).await;
        assert_eq!(kept.is(200).json, run);
        assert!(again.stop().success());
    });
}

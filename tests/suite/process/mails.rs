//! The program and a mail server that speaks TLS: who it is gets checked before anything is said to it.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::deliveries;

use super::site::{Site, pause};
use crate::support::Database;
use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::mail_server::{MailServer, Wire};
use crate::support::process::Process;

const PATIENCE: Duration = Duration::from_secs(60);

/// Serves with this mail server; a failing import that Ada is told of has just ended.
async fn failed(site: &mut Site, smtp_url: String, authority: &std::path::Path) -> (Process, Api, Value) {
    site.settings = vec![
        ("TIDEGATE_SMTP_URL", smtp_url),
        ("TIDEGATE_MAIL_FROM", "Tidegate <tidegate@acme.test>".to_owned()),
        ("SSL_CERT_FILE", authority.display().to_string()),
    ];
    let (process, api) = site.serve();
    let import = site.import(&api, &format!("payroll {}", site.settings[0].1.len()), None).await;
    let configuration = format!("import-configurations/{}", import.configuration);
    api.patch(&configuration, json!({"attempts": 1})).await.is(200);
    let ada = api.get("members").await.items()[0]["id"].clone();
    let schedule = json!({"configuration_id": import.configuration, "repeat": "days", "start_date": "2099-01-01",
        "start_time": "09:00", "time_zone": "UTC", "notify": {"about": "failed", "member_ids": [ada]}});
    api.make(&format!("applications/{}/schedules", import.application), schedule).await;
    let run = api.post(&format!("{configuration}/runs"), json!({})).await.is(202).id();
    let give_up = Instant::now() + PATIENCE;
    loop {
        let run = api.get(&format!("runs/{run}")).await.json;
        if run["status"] == "failed" {
            return (process, api, run);
        }
        assert!(Instant::now() < give_up, "{run}");
        pause(50).await;
    }
}

/// State and what was said, once the newest delivery was attempted.
async fn attempted(site: &Site) -> (String, String) {
    let db = site.databases();
    let give_up = Instant::now() + PATIENCE;
    loop {
        let newest: Option<(String, Option<String>)> = db
            .main
            .read(|conn| {
                let newest = deliveries::table.order(deliveries::id.desc());
                Ok(newest.select((deliveries::state, deliveries::said)).first(conn).optional()?)
            })
            .unwrap();
        match newest {
            Some((state, Some(said))) => return (state, said),
            _ => assert!(Instant::now() < give_up, "no delivery: {newest:?}"),
        }
        pause(50).await;
    }
}

fn arrives_once(database: Database) {
    for wire in [Wire::StartTls, Wire::Tls] {
        let server = MailServer::start(wire);
        let Some(mut site) = Site::make(database, 60) else { return };
        runtime().block_on(async {
            let (mut process, _, run) = failed(&mut site, server.url("localhost"), &server.authority()).await;
            let ended = Instant::now();
            while server.received().is_empty() {
                assert!(ended.elapsed() < Duration::from_secs(5), "{wire:?}: nothing in 5 s; {}", process.log());
                pause(50).await;
            }
            pause(4_500).await;
            assert!(process.stop().success());
            let received = server.received();
            assert_eq!((received.len(), run["status"].as_str()), (1, Some("failed")), "{wire:?}");
            let mail = &received[0];
            assert_eq!(mail.to, ["ada@acme.test"]);
            assert!(mail.header("Subject").starts_with("payroll"), "{mail:?}");
            assert!(mail.header("Message-ID").ends_with("@127.0.0.1>"), "{mail:?}");
            assert!(mail.text.contains("words.csv") && mail.html.contains("words.csv"), "the file is named: {mail:?}");
        });
    }
}

#[test]
fn a_mail_arrives_once_over_tls_sqlite() {
    arrives_once(Database::Sqlite);
}

#[test]
fn a_mail_arrives_once_over_tls_postgres() {
    arrives_once(Database::Postgres);
}

/// Signed by somebody else; of another host than the one that was asked for; a password that is wrong.
#[test]
fn a_mail_server_that_is_another_is_told_nothing() {
    for wire in [Wire::StartTls, Wire::Tls] {
        let server = MailServer::start(wire);
        let right = server.url("localhost");
        for (url, authority, cause) in [
            (right.clone(), server.other_authority(), "its certificate is not signed by anyone this server trusts"),
            (server.url("127.0.0.1"), server.authority(), "its certificate is for another name"),
            (right.replace(":right@", ":wrong@"), server.authority(), "did not accept the sign-in"),
        ] {
            let mut site = Site::make(Database::Sqlite, 60).unwrap();
            runtime().block_on(async {
                let (mut process, api, run) = failed(&mut site, url, &authority).await;
                let (state, said) = attempted(&site).await;
                assert!(state == "waiting" && said.contains(cause), "{wire:?}: {state}: {said}");
                let same = api.get(&format!("runs/{}", run["id"])).await.json;
                assert_eq!(same, run, "the run is as it was");
                assert!(process.stop().success());
            });
            assert!(server.received().is_empty());
        }
    }
}

/// A password never goes over a wire that others can read.
#[test]
fn a_server_without_encryption_is_not_given_the_password() {
    let server = MailServer::start(Wire::Plain);
    let url = server.url("localhost").replace("smtp://", "smtp://tidegate:right@");
    let mut site = Site::make(Database::Sqlite, 60).unwrap();
    runtime().block_on(async {
        let (mut process, _, _) = failed(&mut site, url, &server.authority()).await;
        let (state, said) = attempted(&site).await;
        assert!(state == "waiting" && said.contains("STARTTLS is not supported"), "{state}: {said}");
        assert!(process.stop().success());
    });
    assert!(server.received().is_empty());
}

/// As contract.md says of `--allow-network`: also by a name that leads there.
#[test]
fn a_mail_server_in_a_network_that_was_not_allowed_is_not_asked() {
    let server = MailServer::start(Wire::Plain);
    for host in ["127.0.0.1", "localhost"] {
        let mut site = Site::make(Database::Sqlite, 60).unwrap();
        site.allowed_networks = "10.0.0.0/8";
        runtime().block_on(async {
            let (mut process, _, _) = failed(&mut site, server.url(host), &server.authority()).await;
            let (state, said) = attempted(&site).await;
            assert!(state == "waiting" && said.contains("(--allow-network)"), "{state}: {said}");
            assert!(said.starts_with(&format!("The mail server {host} cannot be reached.")), "{said}");
            assert!(process.stop().success());
        });
    }
    assert!(server.received().is_empty());
}

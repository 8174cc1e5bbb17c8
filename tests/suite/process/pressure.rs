//! Many who read and send slowly, and input made to fill the memory: all others are served, and the process stays small.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::json;

use super::site::{Site, end_of, held, start};
use crate::support::Database;
use crate::support::api::{Api, Reply};
use crate::support::databases::runtime;
use crate::support::process::Process;

/// The most that the process has held in memory so far, in MB.
fn peak(process: &Process) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

fn address(process: &Process) -> String {
    process.said.last().unwrap().rsplit('/').find(|part| !part.is_empty()).unwrap().to_owned()
}

fn connect(to: &str) -> TcpStream {
    let stream = TcpStream::connect(to).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

/// Answers, whoever else is there.
fn is_served(to: &str, path: &str) {
    let mut stream = connect(to);
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {to}\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
}

#[test]
fn six_hundred_slow_readers_and_three_hundred_slow_senders_keep_nobody_out() {
    on_each(async |site, process, api| {
        let import = site.import(api, "Words", None).await;
        site.words(150_000, "a word that takes a little more than forty bytes");
        let run = start(api, import.configuration).await;
        assert_eq!(end_of(api, run, process).await["status"], json!("success"));
        let to = address(process);

        let mut waiting = Vec::new();
        for n in 0..600 {
            let mut stream = connect(&to);
            let path = match n % 3 {
                0 => format!("/api/v1/blocks/{}/rows.csv", import.block),
                1 => "/api/v1/openapi.json".to_owned(),
                _ => "/static/app.css".to_owned(),
            };
            write!(stream, "GET {path} HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {}\r\n\r\n", api.token())
                .unwrap();
            waiting.push(stream);
        }
        for n in 0..300 {
            let mut stream = connect(&to);
            let path = ["/sign-in", "/api/v1/applications", "/api/v1/import-configurations/1/files?name=a.csv"][n % 3];
            let kind = ["application/x-www-form-urlencoded", "application/json", "text/csv"][n % 3];
            write!(
                stream,
                "POST {path} HTTP/1.1\r\nHost: {to}\r\nAuthorization: Bearer {}\r\nSec-Fetch-Site: same-origin\r\n\
                 Content-Type: {kind}\r\nContent-Length: 100000\r\n\r\n{{\"name\":",
                api.token()
            )
            .unwrap();
            waiting.push(stream);
        }
        for path in ["/healthz", "/readyz", "/sign-in"] {
            is_served(&to, path);
        }
        site.words(10, "again");
        let run = start(api, import.configuration).await;
        assert_eq!(end_of(api, run, process).await["status"], json!("success"));
        api.get("runs").await.is(200);
        drop(waiting);
        assert_eq!(held(api, import.block).await, ("again".to_owned(), 10));
    });
}

#[test]
fn what_is_made_to_fill_the_memory_is_refused_or_bounded_in_words() {
    on_each(async |site, process, api| {
        let import = site.import(api, "Words", None).await;
        let there = format!("applications/{}/import-configurations", import.application);
        let by_hand = json!({"name": "By hand", "block_id": import.block, "mode": "append"});
        let by_hand = api.make(&there, by_hand).await;
        let files = format!("import-configurations/{by_hand}/files");

        // 1.5 GB of fields, in one form.
        let many = (0..1_500).fold(Form::new(), |form, _| form.part("parameters", Part::bytes(&MEGABYTE[..])));
        let refused = api.request(Method::POST, &files).multipart(many).send().await;
        // It may hang up before all is sent.
        if let Ok(answer) = refused {
            assert!([413, 422].contains(&answer.status().as_u16()), "{}", answer.status());
        }

        let ids: Vec<i64> = (1..=90_000).collect();
        let connection = json!({"name": "All", "kind": "folder", "settings": {"path": "/"}, "application_ids": ids});
        let refused = api.post("connections", connection).await;
        assert!(refused.wrong_fields().contains(&"application_ids"), "{}", refused.body);
        let notify = json!({"about": "all", "member_ids": ids});
        let schedule = json!({"configuration_id": import.configuration, "repeat": "days", "start_date": "2026-12-01",
            "start_time": "07:00", "time_zone": "UTC", "notify": notify});
        let refused = api.post(&format!("applications/{}/schedules", import.application), schedule).await;
        assert!(refused.wrong_fields().iter().any(|field| field.starts_with("notify.member_ids")), "{}", refused.body);
        assert!(refused.body.len() < 10_000, "{}", refused.body.len());

        // 400,000 bad rows from a few thousand bytes.
        let mut packed = GzEncoder::new(Vec::new(), Compression::best());
        packed.write_all(b"id,word\n").unwrap();
        packed.write_all("x\n".repeat(400_000).as_bytes()).unwrap();
        let packed = packed.finish().unwrap();
        assert!(packed.len() < 4_000, "{}", packed.len());
        let begun = api.request(Method::POST, &format!("{files}?name=bad.csv.gz")).body(packed);
        let run = Reply::of(begun).await.is(202).id();
        let ended = end_of(api, run, process).await;
        assert_eq!(ended["status"], json!("failed"), "{ended}");
        assert!(ended["rows"]["rejected"].as_i64().unwrap() <= 400_000, "{ended}");

        let mut said = std::collections::BTreeMap::<u16, usize>::new();
        for n in 0..400 {
            let file = api.request(Method::POST, &format!("{files}?name={n}.csv"));
            let reply = Reply::of(file.body(format!("id,word\n{n},w\n"))).await;
            *said.entry(reply.status).or_default() += 1;
            let parameters = json!({"parameters": {"n": n}});
            let refused = api.post(&format!("import-configurations/{}/runs", import.configuration), parameters).await;
            assert_eq!(refused.wrong_fields(), ["parameters.n"]);
        }
        assert!(said.keys().all(|status| [202, 429].contains(status)), "{said:?}");
        assert!(peak(process) < 128, "{} MB", peak(process));
    });
}

static MEGABYTE: [u8; 1 << 20] = [b'x'; 1 << 20];

/// On each database, with a process that serves and stops well at the end.
fn on_each(test: impl AsyncFn(&Site, &Process, &Api)) {
    for database in [Database::Sqlite, Database::Postgres] {
        let Some(site) = Site::make(database, 60) else { continue };
        runtime().block_on(async {
            let (mut process, api) = site.serve();
            test(&site, &process, &api).await;
            assert!(process.stop().success(), "{}", process.log());
        });
    }
}

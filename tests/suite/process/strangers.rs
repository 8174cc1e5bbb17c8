//! Strangers who hold connections, or send what is none of ours.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::api::Api;
use crate::support::databases::runtime;
use crate::support::process::{self, Process};

fn connect(at: &str) -> TcpStream {
    let stream = TcpStream::connect(at.trim_start_matches("http://")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    stream
}

#[test]
fn who_sends_slowly_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let args = ["--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap(), "--patience-seconds", "2"];
    let mut process = Process::start(&args);
    let at = process.listening();
    let head = |path: &str, kind: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {kind}\r\n\
                 Content-Length: 100000\r\n\r\nemail=",
            at.trim_start_matches("http://")
        )
    };
    let began = Instant::now();
    let slow: Vec<TcpStream> = (0..30)
        .map(|_| {
            let mut stream = connect(&at);
            stream.write_all(head("/sign-in", "application/x-www-form-urlencoded").as_bytes()).unwrap();
            stream
        })
        .collect();
    let mut other = connect(&at);
    other.write_all(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    other.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    for mut stream in slow {
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 408");
    }
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert!(process.stop().success());
}

#[test]
fn what_is_no_http_fills_no_log() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let mut process = Process::start(&["--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()]);
    let at = process.listening();
    for _ in 0..50 {
        let mut stream = connect(&at);
        stream.write_all(b"\x16\x03\x01 no http at all\r\n\r\n").unwrap();
        let _ = stream.read(&mut [0; 100]);
    }
    assert!(process.stop().success());
    let log = process.log();
    assert!(!log.contains("\"ERROR\"") && !log.contains("\"WARN\""), "{log}");
}

/// Who waits with the body until the right is gone acts with none.
#[test]
fn a_request_that_is_long_on_its_way_acts_with_the_rights_of_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let data = data.to_str().unwrap();
    let tidegate = |args: &[&str], input: &str| {
        let all: Vec<&str> = ["--data-dir", data].iter().chain(args).copied().collect();
        String::from_utf8(process::run(&all, &[], input).stdout).unwrap()
    };
    let tokens: Vec<String> = ["ada@acme.test", "eve@acme.test"]
        .map(|email| {
            let add = ["member", "add", "--email", email, "--name", "Someone", "--role", "Administrator"];
            tidegate(&[&add[..], &["--password-stdin"]].concat(), "shells and stones\n");
            let made = tidegate(&["token", "create", "--member", email, "--name", "test"], "");
            made.lines().last().unwrap().to_owned()
        })
        .into();
    let mut process = Process::start(&["--listen", "127.0.0.1:0", "--data-dir", data]);
    let at = process.listening();
    let body = r#"{"email": "back@door.test", "name": "Back", "role": "Administrator"}"#;
    let mut held = connect(&at);
    write!(
        held,
        "POST /api/v1/members HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        tokens[1],
        body.len()
    )
    .unwrap();
    runtime().block_on(async {
        let ada = Api::new(&at, &tokens[0]);
        let members = ada.get("members").await;
        let eve = members.items().iter().find(|member| member["email"] == "eve@acme.test").unwrap()["id"].clone();
        ada.patch(&format!("members/{eve}"), json!({"active": false})).await.is(200);
        held.write_all(body.as_bytes()).unwrap();
        let mut answer = String::new();
        held.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert_eq!(ada.get("members").await.items().len(), 2);
    });
    assert!(process.stop().success());
}

//! Strangers who hold connections, or send what is none of ours.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use crate::support::process::Process;

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

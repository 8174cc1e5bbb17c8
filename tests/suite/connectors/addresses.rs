//! Which addresses can be reached: whatever a person writes, points or resolves to, a closed one is never connected
//! to. The canaries are listeners that notice if one is.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use tidegate::connectors::{FailureKind, FetchError, Lookup, Outside, Retry};

use super::server::{Canary, Server, answer, say};
use super::{Names, connector, ctx, failed, fetch_one, file_of, outside, path};

fn fetch(url: &str, follow: bool, outside: &Outside) -> Result<String, FetchError> {
    let http = connector("http", json!({ "url": url, "follow_redirects": follow }), &[]);
    let fetched = fetch_one(&*http, &path(""), &ctx(outside))?;
    Ok(std::io::read_to_string(file_of(fetched).0).unwrap())
}

#[test]
fn closed_addresses_are_refused_however_they_are_written() {
    let spool = TempDir::new().unwrap();
    let canary = Canary::at("127.0.0.1:0");
    let port = canary.port();
    let names = Names::knowing(&[
        ("localhost", &[&["127.0.0.1", "::1"]]),
        ("metadata.example", &[&["169.254.169.254"]]),
        ("mapped.example", &[&["::ffff:127.0.0.1"]]),
        ("translated.example", &[&["64:ff9b::7f00:1"]]),
        ("any.example", &[&["0.0.0.0"]]),
    ]);
    let outside = Outside { lookup: names.clone(), ..outside(&[], &[], &spool) };
    for host in [
        "169.254.169.254",
        "127.1",
        "127.0.0.1",
        "127.0.0.1.",
        "0x7f000001",
        "2130706433",
        "0177.0.0.1",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:10.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "0.0.0.0",
        "[::]",
        "10.0.0.1",
        "localhost",
        "LOCALHOST",
        "metadata.example",
        "mapped.example",
        "translated.example",
        "any.example",
    ] {
        for scheme in ["http", "https"] {
            failed(fetch(&format!("{scheme}://{host}:{port}/"), true, &outside), FailureKind::Refused, Retry::No);
        }
    }
    assert!(names.asked().contains(&"localhost".to_owned()), "names went through the lookup");
    canary.assert_untouched();
}

#[test]
fn a_path_cannot_lead_to_another_place() {
    let spool = TempDir::new().unwrap();
    let canary = Canary::at("127.0.0.2:0");
    let server = Server::saying(answer("200 OK", "", "fine"));
    // both are allowed: the path alone must hold
    let outside = outside(&["127.0.0.0/8"], &[], &spool);
    let http = connector("http", json!({ "url": server.url() + "/x/" }), &[]);
    let to = format!("127.0.0.2:{}", canary.port());
    for bad in [
        format!("http://{to}/"),
        format!("http://user@{to}/"),
        format!("http:\\\\{to}\\"),
        format!("http:{to}/"),
        format!("https://{}/x/", server.at),
        format!("http://{}@{to}/x/", server.at),
        "file:///etc/passwd".to_owned(),
        format!("gopher://{to}/"),
        "../y".to_owned(),
        "http://".to_owned() + &server.at.to_string() + "/y",
    ] {
        failed(http.fetch(&path(&bad), &ctx(&outside)), FailureKind::Refused, Retry::No);
    }
    assert!(server.questions().is_empty());
    // these only look like it: they stay on the connection's own host
    for odd in [format!("//{to}/a.csv"), format!("\\\\{to}\\a.csv"), format!("@{to}/a.csv"), format!("{to}/a.csv")] {
        http.fetch(&path(&odd), &ctx(&outside)).unwrap();
    }
    assert!(server.questions().iter().all(|q| q.path().starts_with("/x/")));
    canary.assert_untouched();
}

#[test]
fn redirects_to_closed_places_are_not_followed() {
    let spool = TempDir::new().unwrap();
    let canary = Canary::at("127.0.0.2:0");
    let port = canary.port();
    let names = Names::knowing(&[("inner.example", &[&["127.0.0.2"]])]);
    let outside = Outside { lookup: names, ..outside(&["127.0.0.1/32"], &[], &spool) };
    for to in [
        format!("http://127.0.0.2:{port}/"),
        format!("//127.0.0.2:{port}/"),
        format!("http://127.2:{port}/"),
        format!("http://0x7f000002:{port}/"),
        format!("http://[::ffff:127.0.0.2]:{port}/"),
        format!("http://inner.example:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        "file:///etc/passwd".to_owned(),
        format!("gopher://127.0.0.2:{port}/"),
        "http://user:password@127.0.0.1/".to_owned(),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
    ] {
        let server = Server::saying(answer("302 Found", &format!("Location: {to}\r\n"), ""));
        failed(fetch(&server.url(), true, &outside), FailureKind::Refused, Retry::No);
        assert_eq!(server.questions().len(), 1, "{to}");
    }
    canary.assert_untouched();
}

#[test]
fn a_name_that_changes_its_mind_is_checked_each_time() {
    let spool = TempDir::new().unwrap();
    let canary = Canary::at("127.0.0.2:0");
    let port = canary.port();
    // open at the first question, closed from the second on
    let names = || Names::knowing(&[("rebind.example", &[&["127.0.0.1"], &["127.0.0.2"]])]);
    let outside =
        |names: &Arc<Names>| Outside { lookup: names.clone(), ..super::outside(&["127.0.0.1/32"], &[], &spool) };

    let server = Server::saying(answer("200 OK", "", "fine"));
    let asked = names();
    let url = format!("http://rebind.example:{}/", server.at.port());
    assert_eq!(fetch(&url, false, &outside(&asked)).unwrap(), "fine");
    assert_eq!(asked.asked().len(), 1, "checked and connected by one and the same answer");
    failed(fetch(&url, false, &outside(&asked)), FailureKind::Refused, Retry::No);

    let server = Server::saying(answer("302 Found", &format!("Location: http://rebind.example:{port}/\r\n"), ""));
    let url = format!("http://rebind.example:{}/", server.at.port());
    failed(fetch(&url, true, &outside(&names())), FailureKind::Refused, Retry::No);
    canary.assert_untouched();
}

#[test]
fn of_mixed_addresses_only_open_ones_are_connected_to() {
    let spool = TempDir::new().unwrap();
    let server = Server::start(|_, stream| say(stream, answer("200 OK", "", "fine").as_bytes()));
    let canary = Canary::at(&format!("127.0.0.2:{}", server.at.port()));
    let names = Names::knowing(&[("mixed.example", &[&["127.0.0.2", "10.0.0.1", "127.0.0.1", "169.254.169.254"]])]);
    let outside = Outside { lookup: names, ..outside(&["127.0.0.1/32"], &[], &spool) };
    assert_eq!(fetch(&format!("http://mixed.example:{}/", server.at.port()), false, &outside).unwrap(), "fine");
    canary.assert_untouched();
}

#[test]
fn a_name_that_leads_nowhere_may_do_so_later() {
    let spool = TempDir::new().unwrap();
    let names = Names::knowing(&[("empty.example", &[&[]])]);
    let outside = Outside { lookup: names, ..outside(&[], &[], &spool) };
    for name in ["unknown.example", "empty.example"] {
        let error = failed(fetch(&format!("http://{name}/"), false, &outside), FailureKind::Unreachable, Retry::Later);
        assert!(error.sentence.contains(name), "{error}");
    }
}

/// A name server that never answers, asked the way the system asks: on a thread that cannot be interrupted.
struct Hanging(Mutex<Option<mpsc::Receiver<()>>>, mpsc::SyncSender<()>);

impl Lookup for Hanging {
    fn lookup(&self, _: &str) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        let never = self.0.lock().unwrap().take().unwrap();
        let asked = self.1.clone();
        let waiting = tokio::task::spawn_blocking(move || {
            asked.send(()).unwrap();
            let _ = never.recv_timeout(Duration::from_secs(20));
        });
        Box::pin(async move {
            waiting.await.unwrap();
            Ok(Vec::new())
        })
    }
}

#[test]
fn a_name_server_that_hangs_holds_up_no_cancel() {
    let spool = TempDir::new().unwrap();
    let (answer, never) = mpsc::channel();
    let (asked, begun) = mpsc::sync_channel(1);
    let hanging = Arc::new(Hanging(Mutex::new(Some(never)), asked));
    let outside = Outside { lookup: hanging, ..outside(&[], &[], &spool) };
    let context = ctx(&outside);
    let cancel = context.cancel.clone();
    let canceller = std::thread::spawn(move || {
        begun.recv().unwrap();
        cancel.cancel();
        Instant::now()
    });
    let http = connector("http", json!({ "url": "http://hanging.example/" }), &[]);
    failed(http.fetch(&path(""), &context), FailureKind::Cancelled, Retry::No);
    assert!(canceller.join().unwrap().elapsed() < Duration::from_secs(2));
    drop(answer);
}

//! The contract: the same situations for every kind. A new kind adds a driver that brings each situation about, and
//! nothing else.

use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::connectors::{
    Connector, FailureKind, FetchContext, FetchError, FetchRequest, Limits, Outside, Retry, kinds,
};

use super::server::{Server, answer, say, stall};
use super::{BODY, SECRET, connector, ctx, failed, fetch_one, load, outside, path};

/// What is in the good file.
pub fn good() -> String {
    format!("name,amount\n{BODY},1\nb,2\n")
}

/// What can happen while a source is read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Situation {
    Good,
    Missing,
    /// The other side does not let us in.
    RefusedSignIn,
    /// The source ends too early.
    Cut,
    /// The source falls silent, for longer than the `idle` of the case.
    Slow,
    /// Larger than 1 MiB, without saying so before where the kind can keep silent.
    Oversized,
    /// Becomes another file after it was fetched and before it was read.
    Changed,
    /// Goes on for ever.
    Endless,
}

/// A situation brought about.
pub struct Case {
    pub connector: Box<dyn Connector>,
    pub request: FetchRequest,
    pub outside: Outside,
    pub limits: Limits,
    /// Done between fetching and reading.
    pub meanwhile: Box<dyn FnOnce()>,
    /// A word once the source has begun, so that a test can cancel right then.
    pub begun: Option<mpsc::Receiver<()>>,
    /// Servers and directories that must live as long.
    pub _keep: Box<dyn std::any::Any>,
}

/// Brings situations about for one kind; none where the kind cannot come into it.
type Driver = fn(Situation) -> Option<Case>;

const DRIVERS: [(&str, Driver); 3] = [("folder", folder), ("http", http), ("sqlite", super::sqlite::driver)];

fn folder(situation: Situation) -> Option<Case> {
    use Situation::*;
    let root = TempDir::new().unwrap();
    let elsewhere = TempDir::new().unwrap();
    let file = root.path().join("a.csv");
    std::fs::write(&file, good()).unwrap();
    let (mut wanted, mut meanwhile): (&str, Box<dyn FnOnce()>) = ("a.csv", Box::new(|| ()));
    let mut settings = root.path().to_path_buf();
    match situation {
        Good => {}
        Missing => wanted = "b.csv",
        RefusedSignIn => settings = elsewhere.path().to_path_buf(),
        Cut => meanwhile = Box::new(move || std::fs::write(&file, "name,am").unwrap()),
        Changed => meanwhile = Box::new(move || std::fs::write(&file, good().replace('1', "9")).unwrap()),
        Oversized => std::fs::File::create(&file).unwrap().set_len(1024 * 1024 + 1).unwrap(),
        // a disk answers or fails
        Slow | Endless => return None,
    }
    Some(Case {
        connector: connector("folder", json!({ "path": settings, "quiet_seconds": 0 }), &[]),
        request: path(wanted),
        outside: outside(&[], &[PathBuf::from(root.path())], &elsewhere),
        limits: Limits::default(),
        meanwhile,
        begun: None,
        _keep: Box::new((root, elsewhere)),
    })
}

fn http(situation: Situation) -> Option<Case> {
    use Situation::*;
    let (tell, begun) = mpsc::channel();
    let server = Server::start(move |question, stream| match situation {
        Good | Changed => say(stream, answer("200 OK", "Content-Type: text/csv\r\n", &good()).as_bytes()),
        Missing => say(stream, answer("404 Not Found", "", BODY).as_bytes()),
        RefusedSignIn => {
            assert!(question.header("authorization").is_some_and(|a| a.contains(SECRET)));
            say(stream, answer("401 Unauthorized", "", BODY).as_bytes());
        }
        Cut => say(stream, format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", good()).as_bytes()),
        Slow | Endless => {
            say(stream, format!("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{}", good()).as_bytes());
            let _ = tell.send(());
            stall(stream);
        }
        Oversized => {
            use std::io::Write;
            say(stream, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
            let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
            while stream.write_all(chunk.as_bytes()).is_ok() {}
        }
    });
    let spool = TempDir::new().unwrap();
    let mut limits = Limits::default();
    if situation == Slow {
        limits.idle = Duration::from_millis(200);
    }
    let settings: Value = json!({ "url": server.url(), "auth": "bearer", "headers": { "X-Api-Key": SECRET } });
    Some(Case {
        connector: connector("http", settings, &[("token", SECRET)]),
        request: path("a.csv"),
        outside: outside(&["127.0.0.1/32"], &[], &spool),
        limits,
        meanwhile: Box::new(|| ()),
        begun: Some(begun),
        _keep: Box::new((server, spool)),
    })
}

/// Every kind in one situation; names the kinds that cannot come into it.
fn each(situation: Situation, absent: &[&str], check: impl Fn(&str, Case)) {
    for (kind, driver) in DRIVERS {
        match driver(situation) {
            Some(case) => check(kind, case),
            None => assert!(absent.contains(&kind), "{kind} must come into {situation:?}"),
        }
    }
}

fn context(case: &Case) -> FetchContext<'_> {
    FetchContext { limits: case.limits.clone(), ..ctx(&case.outside) }
}

/// Fetches and reads to the end.
fn read(case: &Case, context: &FetchContext<'_>) -> Result<Vec<u8>, FetchError> {
    load(&*case.connector, &case.request, context, || ())
}

#[test]
fn every_kind_has_a_driver() {
    let registered: Vec<_> = kinds().iter().map(|k| k.name).collect();
    assert_eq!(registered, DRIVERS.map(|d| d.0));
}

#[test]
fn a_good_source_comes_whole_and_tells_its_name_and_progress() {
    each(Situation::Good, &[], |kind, case| {
        let told = std::cell::Cell::new(0);
        let tell = |bytes| told.set(bytes);
        let context = FetchContext { progress: &tell, ..context(&case) };
        assert_eq!(fetch_one(&*case.connector, &case.request, &context).unwrap().name, "a.csv", "{kind}");
        let read = load(&*case.connector, &case.request, &context, || ()).unwrap();
        assert_eq!(String::from_utf8(read).unwrap(), good(), "{kind}");
        // How long rows are is not known before they were read.
        assert!(kind == "sqlite" || told.get() == good().len() as u64, "{kind}");
    });
}

#[test]
fn a_connection_test_answers_in_words_and_repeats_nothing() {
    each(Situation::Good, &[], |kind, case| {
        let words = case.connector.test(&context(&case)).unwrap();
        assert!(words.ends_with('.') && !words.contains(BODY) && !words.contains(SECRET), "{kind}: {words}");
    });
    each(Situation::RefusedSignIn, &[], |_, case| {
        case.connector.test(&context(&case)).expect_err("refused");
    });
}

#[test]
fn what_is_missing_is_not_asked_for_again() {
    each(Situation::Missing, &[], |kind, case| {
        // Of a place that the Connection itself names nobody learns whether it is there.
        let missing = if kind == "sqlite" { FailureKind::Refused } else { FailureKind::Missing };
        failed(case.connector.fetch(&case.request, &context(&case)), missing, Retry::No);
    });
}

#[test]
fn a_refusal_is_not_asked_for_again() {
    each(Situation::RefusedSignIn, &[], |kind, case| {
        let refused = if kind == "http" { FailureKind::SignIn } else { FailureKind::Refused };
        failed(case.connector.fetch(&case.request, &context(&case)), refused, Retry::No);
    });
}

#[test]
fn a_cut_is_never_a_success() {
    each(Situation::Cut, &[], |kind, mut case| {
        let meanwhile = std::mem::replace(&mut case.meanwhile, Box::new(|| ()));
        let (cut, retry) = match kind {
            "folder" => (FailureKind::Changed, Retry::Rest(1)),
            // A database that is cut stays so until somebody restores it.
            "sqlite" => (FailureKind::Answer, Retry::No),
            _ => (FailureKind::Cut, Retry::Later),
        };
        failed(load(&*case.connector, &case.request, &context(&case), meanwhile), cut, retry);
    });
}

#[test]
fn a_silent_source_is_given_up_and_tried_later() {
    each(Situation::Slow, &["folder"], |_, case| {
        failed(case.connector.fetch(&case.request, &context(&case)), FailureKind::Silent, Retry::Later);
    });
}

#[test]
fn too_much_is_stopped_early() {
    each(Situation::Oversized, &[], |_, mut case| {
        case.limits.wire_bytes = 1024 * 1024;
        let error = failed(read(&case, &context(&case)), FailureKind::TooLarge, Retry::No);
        assert!(error.sentence.contains("at most 1.0 MB"), "{error}");
    });
}

#[test]
fn what_is_read_is_one_file_or_an_error() {
    each(Situation::Changed, &[], |kind, mut case| {
        let meanwhile = std::mem::replace(&mut case.meanwhile, Box::new(|| ()));
        let result = load(&*case.connector, &case.request, &context(&case), meanwhile);
        match kind {
            "folder" => drop(failed(result, FailureKind::Changed, Retry::Rest(1))),
            // all rows are of one moment, whichever it is
            "sqlite" => {
                let read = String::from_utf8(result.unwrap()).unwrap();
                assert!(read == good() || read == good().replace('1', "9"), "{read}");
            }
            // a download is ours alone
            _ => assert_eq!(String::from_utf8(result.unwrap()).unwrap(), good()),
        }
    });
}

#[test]
fn a_cancel_is_honoured_at_once() {
    each(Situation::Good, &[], |_, case| {
        let context = context(&case);
        context.cancel.cancel();
        failed(case.connector.fetch(&case.request, &context), FailureKind::Cancelled, Retry::No);
    });
    each(Situation::Endless, &["folder"], |_, mut case| {
        let begun = case.begun.take().unwrap();
        let context = context(&case);
        let cancel = context.cancel.clone();
        let canceller = std::thread::spawn(move || {
            begun.recv().unwrap();
            cancel.cancel();
            Instant::now()
        });
        failed(read(&case, &context), FailureKind::Cancelled, Retry::No);
        let took = canceller.join().unwrap().elapsed();
        assert!(took < Duration::from_secs(2), "took {took:?}");
    });
}

#[test]
fn the_time_for_an_attempt_ends_it() {
    each(Situation::Good, &[], |_, case| {
        let context = FetchContext { deadline: Instant::now(), ..context(&case) };
        failed(case.connector.fetch(&case.request, &context), FailureKind::OutOfTime, Retry::Later);
    });
    each(Situation::Endless, &["folder"], |_, case| {
        let context = FetchContext { deadline: Instant::now() + Duration::from_millis(300), ..context(&case) };
        failed(read(&case, &context), FailureKind::OutOfTime, Retry::Later);
    });
}

#[test]
fn a_query_is_not_a_path() {
    each(Situation::Good, &[], |_, case| {
        let other = match case.request {
            FetchRequest::Path(_) => FetchRequest::Query("select 1".to_owned()),
            FetchRequest::Query(_) | FetchRequest::Bound { .. } => path("a.csv"),
        };
        failed(case.connector.fetch(&other, &context(&case)), FailureKind::Request, Retry::No);
    });
}

//! Connectors: one contract that every kind passes, then what is each kind's own. The other side is always a server
//! written here, on a loopback address that the policy was told to allow; nothing leaves the machine.

mod addresses;
mod contract;
mod folder;
mod http;
mod registry;
pub mod server;
mod settling;
pub mod sqlite;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::net::IpAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;
use tidegate::connectors::{
    Check, Connector, Content, FailureKind, FetchContext, FetchError, FetchRequest, Fetched, Lookup, NetworkPolicy,
    Outside, Retry, build, only,
};

use tidegate::formats::{FormatError, Record, Rows};
use tidegate::spool::Spool;

/// In every secret and every body: must never turn up in words.
const SECRET: &str = "S3CR3T-canary";
const BODY: &str = "B0DY-canary";

/// A name server that knows what it is told, answers each name's next line at each question, and notes what it was
/// asked.
#[derive(Default)]
struct Names {
    lines: Mutex<BTreeMap<String, Vec<Vec<IpAddr>>>>,
    asked: Mutex<Vec<String>>,
}

impl Names {
    fn knowing(lines: &[(&str, &[&[&str]])]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|ip| ip.parse().unwrap()).collect();
        let lines = lines.iter().map(|(name, answers)| (name.to_string(), answers.iter().map(parse).collect()));
        Arc::new(Self { lines: Mutex::new(lines.collect()), asked: Mutex::default() })
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

impl Lookup for Names {
    fn lookup(&self, host: &str) -> Pin<Box<dyn Future<Output = std::io::Result<Vec<IpAddr>>> + Send>> {
        self.asked.lock().unwrap().push(host.to_owned());
        let mut lines = self.lines.lock().unwrap();
        let answer = match lines.get_mut(host) {
            Some(answers) if answers.len() > 1 => Ok(answers.remove(0)),
            Some(answers) => Ok(answers[0].clone()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        };
        Box::pin(std::future::ready(answer))
    }
}

/// An outside that allows these networks and folders and knows no names; the directory is for downloads.
fn outside(allowed: &[&str], roots: &[PathBuf], spool: &TempDir) -> Outside {
    Outside {
        network: NetworkPolicy::new(allowed.iter().map(|net| net.parse().unwrap()).collect()),
        lookup: Arc::new(Names::default()),
        folder_roots: roots.to_vec(),
        data_dir: spool.path().join("data"),
        spool: Spool::new(spool.path().join("spool"), 1 << 40),
    }
}

fn ctx(outside: &Outside) -> FetchContext<'_> {
    FetchContext::until(outside, Instant::now() + Duration::from_secs(60))
}

fn connector(kind: &str, settings: Value, secrets: &[(&str, &str)]) -> Box<dyn Connector> {
    let secrets = secrets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    build(kind, &settings, &secrets).unwrap_or_else(|errors| panic!("{errors}"))
}

fn path(path: &str) -> FetchRequest {
    FetchRequest::Path(path.to_owned())
}

/// Fetches and reads to the end as a run does: what comes back is whole and unchanged.
fn load(
    connector: &dyn Connector,
    request: &FetchRequest,
    ctx: &FetchContext<'_>,
    before_reading: impl FnOnce(),
) -> Result<Vec<u8>, FetchError> {
    let fetched = fetch_one(connector, request, ctx)?;
    before_reading();
    let (mut file, check) = match fetched.content {
        Content::File { file, check } => (file, check),
        Content::Rows(rows) => return as_csv(rows),
    };
    let mut read = Vec::new();
    file.read_to_end(&mut read).unwrap();
    check.verify_unchanged()?;
    assert!(fetched.whole, "all of it");
    assert_eq!(read.len() as u64, fetched.bytes, "as long as it said");
    assert_eq!(check.sha256(ctx)?, sha256(&read), "hashed as it is");
    Ok(read)
}

/// The one result of a fetch.
fn fetch_one(connector: &dyn Connector, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Fetched, FetchError> {
    only(connector.fetch(request, ctx)?)
}

/// The file of what was fetched, and its check.
fn file_of(fetched: Fetched) -> (File, Check) {
    match fetched.content {
        Content::File { file, check } => (file, check),
        Content::Rows(_) => panic!("{} is no file", fetched.name),
    }
}

/// Rows as the file that would hold them.
fn as_csv(mut rows: Box<dyn Rows>) -> Result<Vec<u8>, FetchError> {
    let mut csv = vec![rows.columns().join(",")];
    let mut record = Record::new();
    loop {
        match rows.next(&mut record) {
            Ok(true) => csv.push((0..record.len()).map(|i| record.text(i).into_owned()).collect::<Vec<_>>().join(",")),
            Ok(false) => return Ok(format!("{}\n", csv.join("\n")).into_bytes()),
            Err(FormatError::Source { cause, .. }) => return Err(*cause.downcast().unwrap()),
            Err(error) => panic!("{error}"),
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::{Digest, Sha256};
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// A failure of that kind, worth that retry, in whole sentences without a secret.
#[track_caller]
fn failed<T: std::fmt::Debug>(result: Result<T, FetchError>, kind: FailureKind, retry: Retry) -> FetchError {
    let error = result.expect_err("should have failed");
    assert_eq!((error.kind, error.retry), (kind, retry), "{}", error.sentence);
    assert!(error.sentence.ends_with('.') && error.sentence.len() > 20, "a sentence: {}", error.sentence);
    let all = format!("{error} {error:?}");
    assert!(!all.contains(SECRET) && !all.contains(BODY), "keeps secrets: {all}");
    error
}

//! How to reach the outside: a trait, a line in the registry and a file per kind. This room knows no member, table
//! or page; it is handed what it may reach ([`Outside`]) and answers with a whole local file, with rows, or with words.
//!
//! Why a fetch ends in a file where there is one: what was cut or came short must never look like a success, so nothing is loaded
//! before all of it is here. An HTTP body goes to a nameless temporary file, which vanishes by itself even when the
//! process is killed; a file of a folder is handed out as an open handle and checked again after it was read.
//!
//! To add a kind: a file with its `KIND`, which also says what changes nothing about where a secret is sent, and its
//! [`Connector`], a line in [`registry`], a driver in the contract suite (`tests/suite/connectors.rs`).

mod causes;
mod failure;
mod fetched;
mod folder;
mod http;
mod local;
pub mod network;
mod pattern;
mod registry;
mod settings;
mod settling;
mod sqlite;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::clock::Moment;
use crate::spool::Spool;

pub use causes::{distrust, find};
pub use failure::{FailureKind, FetchError, Retry};
pub use fetched::{Check, Content, Fetched, only};
pub use http::{Answer, get, post};
pub use network::{Lookup, NetworkPolicy, SystemLookup, check_host};
pub use pattern::Pattern;
pub use registry::{Field, Input, Kind, Takes, build, kind, kinds};
pub use settling::{Deed, Intent, Settled};

/// A way to reach one outside place, configured. Its calls BLOCK: they belong on a thread that may wait (a run's own,
/// or one of `spawn_blocking`), never on an async worker.
pub trait Connector: std::fmt::Debug + Send + Sync {
    /// Brings what is asked for here: each result a whole local file, or only its beginning where
    /// [`FetchContext::first`] says so; or the rows of a query.
    fn fetch(&self, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Vec<Fetched>, FetchError>;

    /// Tries the connection and answers in words for people; never with anything that the source sent.
    fn test(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError>;

    /// What there is to choose from, newest first; empty where a kind cannot tell. `pattern`: only what has such a
    /// name, as [`Pattern`] says.
    fn list(&self, _pattern: Option<&Pattern>, _ctx: &FetchContext<'_>) -> Result<Vec<Entry>, FetchError> {
        Ok(Vec::new())
    }

    /// Does to a source what was intended ([`Intent`]). To be called again with the same intent where nobody knows
    /// whether it was done: it finds out. Only kinds that say so ([`Kind::settles`]) can.
    fn settle(&self, _intent: &Intent, _ctx: &FetchContext<'_>) -> Result<Settled, FetchError> {
        Err(FetchError::settles_nothing())
    }
}

/// What to fetch, as the source of an import configuration names it.
#[derive(Clone, Debug, PartialEq)]
pub enum FetchRequest {
    /// A file, below the connection's folder or address.
    Path(String),
    /// A question to a database.
    Query(String),
    /// The same with a [variable](Bound::variable) for each of these values, in their order.
    Bound { query: String, values: Vec<Bound> },
}

/// A value that is bound to a query, and never part of its text.
#[derive(Clone, PartialEq)]
pub enum Bound {
    Null,
    Integer(i64),
    Real(f64),
    Text(String),
}

impl Bound {
    /// As the query names the first (1), second and so on.
    pub fn variable(number: usize) -> String {
        format!("$tidegate{number}")
    }
}

/// Without the value: it may be a secret.
impl std::fmt::Debug for Bound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// One thing that can be fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// As [`FetchRequest::Path`] takes it.
    pub name: String,
    pub bytes: u64,
    pub modified: Option<Moment>,
}

/// What this installation may reach, as its operator said; one for the life of the process.
#[derive(Clone)]
pub struct Outside {
    /// Networks besides the public ones (`--allow-network`).
    pub network: NetworkPolicy,
    /// How names become addresses: the system's way, or a test's.
    pub lookup: Arc<dyn Lookup>,
    /// What Folder connections may read (`--folder-root`).
    pub folder_roots: Vec<PathBuf>,
    /// The keys and databases of this installation: no source, though a root may hold it.
    pub data_dir: PathBuf,
    /// Where downloads wait until they are loaded.
    pub spool: Spool,
}

/// How much and how slow a source may be.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Bytes as they come over the wire, or as the file has on disk.
    pub wire_bytes: u64,
    /// Of what is unpacked on its way here.
    pub decoded_bytes: u64,
    /// From the first lookup of the name to an open, encrypted connection.
    pub connect: Duration,
    /// The longest silence before and within an answer.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            wire_bytes: 5 << 30,
            decoded_bytes: 20 << 30,
            connect: Duration::from_secs(10),
            idle: Duration::from_secs(30),
        }
    }
}

/// The circumstances of one call.
pub struct FetchContext<'a> {
    pub outside: &'a Outside,
    /// Cancelled by whoever wants to stop; honoured well within two seconds.
    pub cancel: CancellationToken,
    /// When the whole call must have ended.
    pub deadline: Instant,
    /// Told the number of bytes so far, from time to time.
    pub progress: &'a dyn Fn(u64),
    pub limits: Limits,
    /// Only so many bytes from the beginning are wanted, for a look at it; none: all of it.
    pub first: Option<u64>,
}

impl<'a> FetchContext<'a> {
    /// With the usual limits, nobody to cancel it and nobody to tell.
    pub fn until(outside: &'a Outside, deadline: Instant) -> Self {
        Self {
            outside,
            cancel: CancellationToken::new(),
            deadline,
            progress: &|_| (),
            limits: Limits::default(),
            first: None,
        }
    }

    /// An error when somebody cancelled or time is up.
    fn check_going_on(&self) -> Result<(), FetchError> {
        if self.cancel.is_cancelled() {
            return Err(FetchError::cancelled());
        }
        if Instant::now() >= self.deadline {
            return Err(FetchError::out_of_time());
        }
        Ok(())
    }
}

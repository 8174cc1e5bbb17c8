//! An installation that only the program itself serves, set up as an operator would: commands first, then REST.

use std::time::{Duration, Instant};

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::applications::blocks::generations;
use tidegate::applications::blocks::ledger::{self, LedgerRow};
use tidegate::db::schema::{outcomes, resource_leases, run_leases, run_log, runs};

use crate::support::api::Api;
use crate::support::databases::{Databases, Place};
use crate::support::process::{self, Process};
use crate::support::{Database, world};

/// How long a run may take to its end, rescues included.
const PATIENCE: Duration = Duration::from_secs(150);

pub struct Site {
    pub place: Place,
    lease_seconds: u16,
    token: String,
    /// Further settings of its processes.
    pub settings: Vec<(&'static str, String)>,
    /// What they may reach besides public networks.
    pub allowed_networks: &'static str,
}

/// An Application with a Block of keys and words, filled by a configuration.
#[derive(Clone, Copy, Debug)]
pub struct Import {
    pub application: i64,
    pub connection: i64,
    pub block: i64,
    pub configuration: i64,
}

impl Site {
    /// `None` only where somebody asked for SQLite alone.
    pub fn make(database: Database, lease_seconds: u16) -> Option<Self> {
        Some(Self::on(Place::make(database)?, lease_seconds))
    }

    /// The same where a place was made already.
    pub fn on(place: Place, lease_seconds: u16) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        std::fs::create_dir_all(place.folder()).unwrap();
        let mut site = Self {
            place,
            lease_seconds,
            token: String::new(),
            settings: Vec::new(),
            allowed_networks: "127.0.0.1,::1",
        };
        let added = site.command(
            &["member", "add", "--email", "ada@acme.test", "--name", "Ada", "--administrator", "--password-stdin"],
            "a long enough passphrase\n",
        );
        assert!(added.contains("ada@acme.test"), "{added}");
        let made = site.command(&["token", "create", "--member", "ada@acme.test", "--name", "test"], "");
        site.token = made.lines().last().unwrap().to_owned();
        site
    }

    /// The same, whose data lies at another place.
    pub fn copied_to(&self, place: Place) -> Self {
        std::fs::create_dir_all(place.folder()).unwrap();
        Self {
            place,
            lease_seconds: self.lease_seconds,
            token: self.token.clone(),
            settings: self.settings.clone(),
            allowed_networks: self.allowed_networks,
        }
    }

    fn environment(&self, data_dir: &str) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("TIDEGATE_LISTEN", "127.0.0.1:0".to_owned()),
            ("TIDEGATE_DATA_DIR", data_dir.to_owned()),
            ("TIDEGATE_SECRET_KEY", world::secret_key()),
            ("TIDEGATE_FOLDER_ROOT", self.place.folder().to_str().unwrap().to_owned()),
            ("TIDEGATE_ALLOW_NETWORK", self.allowed_networks.to_owned()),
            ("TIDEGATE_LEASE_SECONDS", self.lease_seconds.to_string()),
        ];
        environment.extend(self.settings.iter().cloned());
        environment.extend(self.place.database_url().map(|url| ("TIDEGATE_DATABASE_URL", url)));
        environment
    }

    fn data_dir(&self) -> String {
        self.place.data_dir().to_str().unwrap().to_owned()
    }

    /// Runs a command to its good end and answers what it said.
    #[track_caller]
    pub fn command(&self, args: &[&str], stdin: &str) -> String {
        let environment = self.environment(&self.data_dir());
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = process::run(args, &environment, stdin);
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// Starts a process and waits until it answers.
    #[track_caller]
    pub fn serve(&self) -> (Process, Api) {
        self.serve_from(&self.data_dir())
    }

    /// One more on the same PostgreSQL, with a data directory of its own.
    #[track_caller]
    pub fn serve_beside(&self) -> (Process, Api) {
        assert_eq!(self.place.database, Database::Postgres);
        self.serve_from(&format!("{}-beside", self.data_dir()))
    }

    #[track_caller]
    fn serve_from(&self, data_dir: &str) -> (Process, Api) {
        let environment = self.environment(data_dir);
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut process = Process::start_with(&["serve"], &environment);
        let at = process.listening();
        (process, Api::new(&at, &self.token))
    }

    /// What the databases say, past the program.
    pub fn databases(&self) -> Databases {
        Databases::open(&self.place)
    }

    /// An import from a folder (`words.csv`), or from an address.
    pub async fn import(&self, api: &Api, name: &str, url: Option<&str>) -> Import {
        let application = json!({"name": name, "time_zone": "UTC", "spacing_minutes": 15});
        let application = api.make("applications", application).await;
        let (kind, settings) = match url {
            Some(url) => ("http", json!({"url": url, "auth": "none"})),
            None => ("folder", json!({"path": self.place.folder().canonicalize().unwrap(), "quiet_seconds": 0})),
        };
        let connection = json!({"name": name, "kind": kind, "settings": settings, "application_ids": [application]});
        let connection = api.make("connections", connection).await;
        self.one_more(api, application, connection, name, "words.csv").await
    }

    /// Another Block and configuration.
    pub async fn one_more(&self, api: &Api, application: i64, connection: i64, name: &str, path: &str) -> Import {
        let block = json!({"name": name, "kind": "transaction_list", "columns": [
            {"name": "id", "type": "integer", "key": true}, {"name": "word", "type": "text"},
        ]});
        let block = api.make(&format!("applications/{application}/blocks"), block).await;
        let configuration = json!({
            "name": name, "block_id": block, "connection_id": connection, "mode": "replace", "guard": {"max_drop_percent": 100}, "attempts": 3,
            "source": {"path": path},
        });
        let configuration = api.make(&format!("applications/{application}/import-configurations"), configuration).await;
        Import { application, connection, block, configuration }
    }

    /// Puts the file in place whole, as whoever delivers it would.
    pub fn words(&self, rows: usize, word: &str) {
        let new = self.place.folder().join("words.new");
        std::fs::write(&new, words(rows, word)).unwrap();
        std::fs::rename(new, self.place.folder().join("words.csv")).unwrap();
    }

    /// That a run ended once, with all that belongs to it, and that nothing is left of its way there.
    pub async fn ended_once(&self, run: &Value) {
        self.said_once(run);
        let id = run["id"].as_i64().unwrap();
        assert_eq!(self.ledger(id).is_some(), run["status"] == "success", "the ledger agrees");
        self.nothing_staged().await;
    }

    /// One outcome and one end in the log, and no lease.
    pub fn said_once(&self, run: &Value) {
        let db = self.databases();
        let id = run["id"].as_i64().unwrap();
        let status = run["status"].as_str().unwrap().to_owned();
        let told: Vec<String> = db
            .main
            .read(|conn| Ok(outcomes::table.filter(outcomes::run_id.eq(id)).select(outcomes::status).load(conn)?))
            .unwrap();
        assert_eq!(told, std::slice::from_ref(&status), "one outcome");
        let lines: Vec<String> = db
            .main
            .read(|conn| Ok(run_log::table.filter(run_log::run_id.eq(id)).select(run_log::message).load(conn)?))
            .unwrap();
        let terminal = |line: &&String| ["Success", "Partial", "Failed"].iter().any(|word| line.starts_with(word));
        assert_eq!(lines.iter().filter(terminal).count(), 1, "one end in the log: {lines:?}");
        let leases: i64 = db
            .main
            .read(|conn| {
                let runs = run_leases::table.filter(run_leases::run_id.eq(id)).count().get_result::<i64>(conn)?;
                let things = resource_leases::table.filter(resource_leases::run_id.eq(id));
                Ok(runs + things.count().get_result::<i64>(conn)?)
            })
            .unwrap();
        assert_eq!(leases, 0, "no lease is left");
    }

    /// What a load was to become is there no more.
    pub async fn nothing_staged(&self) {
        let db = self.databases();
        let give_up = Instant::now() + Duration::from_secs(30);
        while !db.blocks.read(generations::staged).unwrap().is_empty() {
            assert!(Instant::now() < give_up, "a staging table is left behind");
            pause(200).await;
        }
    }

    /// What a run loaded into its Block.
    pub fn ledger(&self, run: i64) -> Option<LedgerRow> {
        let db = self.databases();
        let (uid, block): (String, Option<i64>) =
            db.main.read(|conn| Ok(runs::table.find(run).select((runs::uid, runs::block_id)).first(conn)?)).unwrap();
        db.blocks.read(|conn| ledger::ledger(conn, &uid, block.unwrap())).unwrap()
    }

    /// As the Block database knows a run.
    pub fn uid(&self, run: i64) -> String {
        self.databases().main.read(|conn| Ok(runs::table.find(run).select(runs::uid).first(conn)?)).unwrap()
    }
}

/// So many rows, each with this word.
pub fn words(rows: usize, word: &str) -> String {
    let mut text = String::from("id,word\n");
    for id in 1..=rows {
        text += &format!("{id},{word}\n");
    }
    text
}

/// Starts a run by the API; answers its id.
pub async fn start(api: &Api, configuration: i64) -> i64 {
    api.post(&format!("import-configurations/{configuration}/runs"), json!({})).await.is(202).id()
}

/// Waits until a run has ended.
pub async fn end_of(api: &Api, run: i64, process: &Process) -> Value {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let reply = api.get(&format!("runs/{run}")).await;
        let now = reply.is(200).json.clone();
        if !now["finished_at"].is_null() {
            return now;
        }
        assert!(Instant::now() < give_up, "it does not end: {now}\n{}", process.log());
        pause(100).await;
    }
}

/// What a Block holds: the one word of all its rows, and how many there are.
pub async fn held(api: &Api, block: i64) -> (String, usize) {
    let reply = api.get(&format!("blocks/{block}/rows.csv")).await;
    reply.is(200);
    let mut reader = csv::Reader::from_reader(reply.body.trim_start_matches('\u{feff}').as_bytes());
    let mut words = std::collections::BTreeMap::<String, usize>::new();
    let mut ids = std::collections::BTreeSet::<i64>::new();
    for row in reader.records() {
        let row = row.unwrap();
        assert!(ids.insert(row[0].parse().unwrap()), "row {} is there twice", &row[0]);
        *words.entry(row[1].to_owned()).or_default() += 1;
    }
    assert_eq!(words.len(), 1, "old and new rows are mixed: {words:?}");
    words.pop_first().unwrap()
}

/// Between two looks of a poll.
pub async fn pause(milliseconds: u64) {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
}

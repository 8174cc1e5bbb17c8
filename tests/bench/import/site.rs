//! An installation that the program itself serves, set up as an operator would: commands, then REST.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::data::{COLUMNS, Kind};

/// One run, from a worker's taking it to its end.
pub struct Load {
    pub wall: f64,
    pub cpu: f64,
    pub peak_mb: f64,
    pub wal_mb: f64,
}

pub struct Site {
    process: Child,
    at: String,
    token: String,
    data: tempfile::TempDir,
    configurations: HashMap<&'static str, i64>,
    runtime: tokio::runtime::Runtime,
}

/// Any 32 bytes in base64.
const KEY: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

impl Site {
    pub fn on_sqlite(files: &Path) -> Self {
        Self::open(files, &[])
    }

    pub fn on_postgres(files: &Path, url: &str) -> Self {
        Self::open(files, &["--database-url", url])
    }

    fn open(files: &Path, more: &[&str]) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let data = tempfile::tempdir().unwrap();
        let program = || {
            let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
            command.arg("--data-dir").arg(data.path()).arg("--folder-root").arg(files).args(more);
            command.args(["--secret-key", KEY, "--listen", "127.0.0.1:0"]);
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
            command
        };
        let say = |words: &[&str], input: &str| {
            let mut child = program().args(words).spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            let output = child.wait_with_output().unwrap();
            assert!(output.status.success(), "{words:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let ada = ["member", "add", "--email", "ada@acme.test", "--name", "Ada", "--administrator", "--password-stdin"];
        say(&ada, "a long enough passphrase\n");
        let made = say(&["token", "create", "--member", "ada@acme.test", "--name", "bench"], "");
        let token = made.lines().last().unwrap().to_owned();
        let mut process = program().spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let at = lines.find_map(|line| line.unwrap().strip_prefix("listening on ").map(str::to_owned)).unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut site = Self {
            process,
            at: at.trim_end_matches('/').to_owned(),
            token,
            data,
            configurations: HashMap::new(),
            runtime,
        };
        site.set_up(files);
        site
    }

    fn set_up(&mut self, files: &Path) {
        let application = self.post("applications", json!({ "name": "Bench" }));
        let columns: Vec<Value> =
            COLUMNS.iter().map(|(name, kind)| json!({ "name": name, "type": kind, "key": false })).collect();
        let folder = json!({ "name": "Files", "kind": "folder", "settings": { "path": files, "quiet_seconds": 0 },
                             "application_ids": [application] });
        let connection = self.post("connections", folder);
        for (name, path, format) in [("CSV", "orders.csv", "csv"), ("NDJSON", "orders.ndjson", "ndjson")] {
            let block = json!({ "name": name, "kind": "transaction_list", "columns": columns });
            let block = self.post(&format!("applications/{application}/blocks"), block);
            let configuration = json!({ "name": name, "block_id": block, "connection_id": connection,
                                        "mode": "replace", "source": { "path": path, "format": format } });
            let id = self.post(&format!("applications/{application}/import-configurations"), configuration);
            self.configurations.insert(name, id);
        }
    }

    fn ask(&self, method: reqwest::Method, path: &str, body: Option<Value>) -> Value {
        let url = format!("{}/api/v1/{path}", self.at);
        self.runtime.block_on(async {
            let client = reqwest::Client::builder().no_proxy().build().unwrap();
            let mut request = client.request(method, &url).bearer_auth(&self.token);
            if let Some(body) = body {
                request = request.json(&body);
            }
            let answer = request.send().await.unwrap();
            let status = answer.status();
            let text = answer.text().await.unwrap();
            assert!(status.is_success(), "{path}: {status} {text}");
            serde_json::from_str(&text).unwrap()
        })
    }

    fn post(&self, path: &str, body: Value) -> i64 {
        self.ask(reqwest::Method::POST, path, Some(body))["id"].as_i64().unwrap()
    }

    /// Loads the file, which has so many rows.
    pub fn load(&self, kind: Kind, file: &Path, rows: i64) -> Load {
        let configuration = self.configurations[if kind == Kind::Csv { "CSV" } else { "NDJSON" }];
        assert!(file.exists());
        // What was asked before does not count for the peak.
        let _ = std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5");
        let before = self.cpu();
        let run = self.post(&format!("import-configurations/{configuration}/runs"), json!({}));
        let mut wal = 0u64;
        let run = loop {
            std::thread::sleep(Duration::from_millis(20));
            let size = std::fs::metadata(self.data.path().join("blocks.db-wal")).map_or(0, |m| m.len());
            wal = wal.max(size);
            let run = self.ask(reqwest::Method::GET, &format!("runs/{run}"), None);
            if !run["finished_at"].is_null() {
                break run;
            }
        };
        assert_eq!((run["status"].as_str(), run["rows"]["added"].as_i64()), (Some("success"), Some(rows)), "{run}");
        let instant = |name: &str| {
            let at = tidegate::clock::Moment::parse_rfc3339(run[name].as_str().unwrap()).unwrap();
            at.micros() as f64 / 1e6
        };
        Load {
            wall: instant("finished_at") - instant("started_at"),
            cpu: self.cpu() - before,
            peak_mb: self.peak_mb(),
            wal_mb: wal as f64 / 1e6,
        }
    }

    /// Seconds of processor that the process has used.
    fn cpu(&self) -> f64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id())).unwrap();
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
        let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
        ticks / 100.0
    }

    fn peak_mb(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<f64>().unwrap() * 1024.0 / 1e6
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

//! What a second in which much is due costs: `cargo bench --bench dispatch` seeds 100,000 enabled schedules, lets one-row
//! imports of some of them come due in one second, and sees them through as the product does, with its own beat. It prints
//! for each database when all were claimed and when all had ended, what one run cost, and what the process costs idle.
//!
//! The goals: 1,000 within 6 s on SQLite and 8 s on PostgreSQL, one as dear among 50 as among 5,000, idle at most 0.2 % of a
//! core. PostgreSQL is the one that TIDEGATE_TEST_POSTGRES names; without it that half is left out.
//! TIDEGATE_BENCH_WAITING="50 1000" chooses how many wait, TIDEGATE_BENCH_BLOCKS how many Blocks they fill.
#![allow(clippy::expect_used, clippy::disallowed_methods)]

use std::path::Path;
use std::time::{Duration, Instant};

use actix_web::web::Data;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use serde_json::json;
use tidegate::app::App;
use tidegate::applications::actions::{NewApplication, create as create_application};
use tidegate::applications::blocks::{self, BlockDraft, BlockKind, ColumnDraft};
use tidegate::applications::enter;
use tidegate::background;
use tidegate::config::{Config, Role};
use tidegate::connections::{self, ConnectionDraft};
use tidegate::db::Conn;
use tidegate::error::Result;
use tidegate::formats::ColumnType;
use tidegate::imports::{self, Definition, Mode};
use tidegate::members::By;
use tidegate::members::actions::{NewMember, add_by_command};
use tidegate::schedules::{self, Draft, RuleDraft};

/// Enabled schedules that are not due.
const ENABLED: i64 = 100_000;
/// How long the idle process is watched.
const IDLE: Duration = Duration::from_secs(30);

fn main() {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let waiting = variable("TIDEGATE_BENCH_WAITING").unwrap_or_else(|| "50 200 1000 5000".into());
    let waiting: Vec<usize> = waiting.split_whitespace().map(|n| n.parse().expect("a number")).collect();
    let blocks = variable("TIDEGATE_BENCH_BLOCKS").map(|n| n.parse().expect("a number"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    println!("database    waiting  blocks  claimed after  all finished after  ms per run  CPU ms per run");
    for server in [None, variable("TIDEGATE_TEST_POSTGRES")].into_iter().enumerate() {
        let (postgres, server) = (server.0 == 1, server.1);
        if postgres && server.is_none() {
            continue;
        }
        for (i, waiting) in waiting.iter().enumerate() {
            let idle = i + 1 == [50, 200, 1_000, 5_000].len() || i + 1 == 1;
            round(server.as_deref(), *waiting, blocks.unwrap_or(*waiting), idle);
        }
    }
}

fn round(server: Option<&str>, waiting: usize, blocks: usize, idle: bool) {
    let dir = tempfile::tempdir().expect("a folder");
    let database = server.map(Scratch::make);
    let (files, data) = (dir.path().join("files"), dir.path().join("data"));
    std::fs::create_dir_all(&files).expect("a folder");
    let config = config(&files, &data, database.as_ref().map(|database| database.url.clone()));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    let base_url = "http://127.0.0.1:1".parse().expect("an address");
    let app = Data::new(App::open(config, base_url, tidegate::guards::ALL).expect("an App"));
    seed(&app, &files, waiting, blocks).expect("what is to be imported");
    runtime.block_on(async {
        let beating = background::start(&app).await.expect("a beat");
        tokio::time::sleep(Duration::from_secs(2)).await;
        let name = if server.is_some() { "postgres" } else { "sqlite  " };
        if idle {
            let (began, before) = (Instant::now(), cpu());
            tokio::time::sleep(IDLE).await;
            let share = (cpu() - before).as_secs_f64() / began.elapsed().as_secs_f64();
            println!("{name}    idle with {ENABLED} enabled schedules: {:.2} % of a core", share * 100.0);
        }
        let due = due_at(&app);
        let wait = due.since(app.now()).to_std().unwrap_or_default();
        tokio::time::sleep(wait).await;
        let (began, before) = (Instant::now(), cpu());
        let claimed = until(&app, "SELECT count(*) AS n FROM runs", waiting as i64, began).await;
        let ended = "SELECT count(*) AS n FROM runs WHERE finished_at IS NOT NULL";
        let ended = until(&app, ended, waiting as i64, began).await;
        let spent = cpu() - before;
        let good = "SELECT count(DISTINCT schedule_id) AS n FROM runs WHERE status = 'success'";
        assert_eq!(count(&app, good), waiting as i64, "each once, and well");
        assert_eq!(count(&app, "SELECT count(*) AS n FROM runs"), waiting as i64, "none twice");
        let each = |all: Duration| all.as_secs_f64() * 1e3 / waiting as f64;
        println!(
            "{name}    {waiting:>7}  {blocks:>6}  {:>10.0} ms  {:>16.2} s  {:>10.2}  {:>14.2}",
            claimed.as_secs_f64() * 1e3,
            ended.as_secs_f64(),
            each(ended),
            each(spent)
        );
        app.stop.cancel();
        beating.stop().await;
    });
}

fn config(files: &Path, data: &Path, database_url: Option<String>) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().expect("an address"),
        data_dir: data.to_owned(),
        database_url,
        secret_key: Some("BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=".into()),
        base_url: None,
        insecure_http: false,
        folder_roots: vec![files.canonicalize().expect("a folder")],
        allowed_networks: Vec::new(),
        smtp_url: None,
        mail_from: "Tidegate <tidegate@localhost>".into(),
        role: Role::Both,
        trusted_proxies: Vec::new(),
        runs_at_once: 2,
        spool_bytes: 1 << 40,
        lease_seconds: 60,
        patience_seconds: 30,
    }
}

/// An Application with configurations that read one row each, a schedule for each, and many schedules beside.
fn seed(app: &App, files: &Path, configurations: usize, block_count: usize) -> Result<()> {
    let now = app.now();
    app.db.write(tidegate::members::setup::prepare)?;
    let new =
        NewMember { email: "ada@acme.test".into(), name: "Ada".into(), role: "Administrator".into(), password: None };
    let by = By::page(app.db.write(|conn| add_by_command(conn, new, now))?);
    let zone = chrono_tz::UTC;
    let new = NewApplication { name: "Bench".into(), time_zone: zone, spacing_minutes: 0 };
    let application = app.db.write(|conn| create_application(conn, &by, &new, now))?.id;
    let folder = ConnectionDraft {
        name: "Files".into(),
        kind: "folder".into(),
        settings: json!({ "path": files.canonicalize().expect("a folder"), "quiet_seconds": 0 }),
        secrets: Default::default(),
        application_ids: vec![application],
        secret_ends_on: None,
    };
    let connection = app.db.write(|conn| connections::create(conn, &app.secrets, &by, folder, now))?.id;
    let mut block_ids = Vec::new();
    for i in 0..block_count {
        let columns = vec![ColumnDraft::new("id", ColumnType::Integer), ColumnDraft::new("word", ColumnType::Text)];
        let draft = BlockDraft { name: format!("b{i}"), kind: BlockKind::TransactionList, columns };
        block_ids.push(app.db.read(|conn| blocks::create(conn, &app.blocks, application, draft, now))?.id);
    }
    let rule = json!({ "repeat": "days", "start_date": "2026-01-01", "start_time": "06:00", "time_zone": "UTC" });
    let rule = RuleDraft::from_json(rule.as_object().expect("an object"));
    app.db.write(|conn| {
        let entered = enter(conn, &by, application)?;
        for i in 0..configurations {
            std::fs::write(files.join(format!("f{i}.csv")), "id,word\n1,one\n").expect("a file");
            let mut definition = Definition::new(Mode::Replace);
            definition.source.path = Some(format!("f{i}.csv"));
            let draft = imports::Draft {
                name: format!("c{i}"),
                description: String::new(),
                block_id: block_ids[i % block_ids.len()],
                connection_id: Some(connection),
                source_block_id: None,
                definition,
            };
            let configuration_id = imports::create(conn, &by, &entered, draft, now)?.id;
            let draft = Draft {
                target: tidegate::imports::Target::Configuration(configuration_id),
                run_name: None,
                rule: rule.clone(),
                enabled: true,
                off_until: None,
                notify: None,
                parameters: None,
            };
            schedules::actions::create(conn, &app.secrets, &by, application, draft, now)?;
        }
        many_schedules(conn)
    })
}

/// Copies of the first schedule, due at other times of the next days.
fn many_schedules(conn: &mut Conn) -> Result<()> {
    conn.batch_execute(&format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {ENABLED}) \
         INSERT INTO schedules (application_id, configuration_id, target_key, rule, enabled, next_at, owner_id, \
         created_at, updated_at, updated_by) SELECT s.application_id, s.configuration_id, s.target_key, s.rule, \
         s.enabled, s.next_at + (172800 + i) * CAST(1000000 AS BIGINT), s.owner_id, s.created_at, s.updated_at, s.updated_by \
         FROM n, (SELECT * FROM schedules ORDER BY id LIMIT 1) s"
    ))?;
    Ok(())
}

/// All slots of the configurations come due together, in three seconds.
fn due_at(app: &App) -> tidegate::clock::Moment {
    let due = app.now().plus(chrono::Duration::seconds(3));
    app.db
        .write(|conn| {
            diesel::sql_query("UPDATE schedules SET next_at = $1 WHERE slot_key IS NOT NULL")
                .bind::<BigInt, _>(due.micros())
                .execute(conn)?;
            Ok(())
        })
        .expect("the schedules");
    due
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

fn count(app: &App, query: &str) -> i64 {
    app.db.read(|conn| Ok(diesel::sql_query(query).get_result::<Count>(conn)?.n)).expect("a count")
}

/// Looks now and then, so seldom that it costs nothing.
async fn until(app: &App, query: &str, wanted: i64, began: Instant) -> Duration {
    while count(app, query) < wanted {
        assert!(began.elapsed() < Duration::from_secs(600), "{query}: {} of {wanted}", count(app, query));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    began.elapsed()
}

/// What this process has computed so far, on all its threads.
fn cpu() -> Duration {
    // The first line of the kernel's count for this process: utime and stime, in hundredths of a second.
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name.split_whitespace().skip(11).take(2).map(|n| n.parse::<u64>().unwrap_or(0)).sum();
    Duration::from_millis(ticks * 10)
}

/// A database of one's own on the server, dropped at the end.
struct Scratch {
    server: String,
    name: String,
    url: String,
}

impl Scratch {
    fn make(server: &str) -> Self {
        static COUNT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("tidegate_test_{}_bench{count}", std::process::id());
        let mut url: url::Url = server.parse().expect("an address");
        url.set_path(&name);
        let mut conn = PgConnection::establish(server).expect("PostgreSQL");
        conn.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE template0")).expect("a database");
        Self { server: server.to_owned(), name, url: url.into() }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if let Ok(mut conn) = PgConnection::establish(&self.server) {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

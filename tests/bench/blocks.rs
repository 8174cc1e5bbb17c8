//! What a Block that feeds another costs beside the bare statement: `cargo bench --bench blocks` prints a table.
//!
//! A Metric of a million cells by four dimensions is added up into one of two, by the product's own load (staging, checks,
//! ledger, commit) and by `INSERT … SELECT … GROUP BY` into a plain table of the same database. The two take turns, and the
//! medians are compared; the goal is at most 1.5 on both databases. What came of it is compared with the same computed in
//! Python. `cargo bench --bench blocks -- 100000` takes fewer cells.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, clippy::disallowed_methods)]

#[path = "import/peers.rs"]
#[allow(dead_code)]
mod peers;

use std::fmt::Write;
use std::process::{Command, Stdio};
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use tidegate::applications::blocks::{self, Block, BlockDraft, BlockKind, ColumnDraft, RunKey, generations};
use tidegate::clock::{Clock, MachineClock};
use tidegate::db::{Location, Pool, Which, migrate};
use tidegate::formats::ColumnType::{Date, Integer, Number, Text};
use tidegate::imports::pipeline::{self, LoadContext, Outcome, Plan, SourceFile};
use tidegate::imports::{self, Definition, Mapping, Mode};

const ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let cells: usize = words.iter().find_map(|word| word.parse().ok()).unwrap_or(1_000_000);
    let csv = csv(cells);
    let expected = by_python(&csv);
    println!("{:<10} {:>9} {:>7} {:>8} {:>8} {:>6}", "database", "cells", "groups", "bare s", "ours s", "ratio");
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| Location::Sqlite { file: dir.path().join(name) };
    beside("SQLite", cells, &csv, &expected, (at("tidegate.db"), at("blocks.db")));
    let server = peers::Server::start();
    let at = |schema| Location::Postgres { url: server.url.clone(), schema };
    beside("PostgreSQL", cells, &csv, &expected, (at("public"), at("blocks")));
}

/// Day, region, product, scenario and units, each combination once.
fn csv(cells: usize) -> String {
    let mut csv = "Day,Region,Product,Scenario,Units\n".to_owned();
    for i in 0..cells {
        let (region, product, scenario) = (i % 10, i / 10 % 100, i / 1_000 % 4);
        let day = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap() + chrono::Days::new((i / 4_000) as u64);
        let units = (i as u64).wrapping_mul(2_654_435_761) % 2_001;
        writeln!(csv, "{day},Region {region},P{product:03},Scenario {scenario},{}", units as i64 - 1_000).unwrap();
    }
    csv
}

/// Sums by region and product: "Region 1;P001;12".
fn by_python(csv: &str) -> Vec<String> {
    const PROGRAM: &str = "import csv, sys, collections\nsums = collections.Counter()\n\
        for row in csv.DictReader(sys.stdin): sums[row['Region'], row['Product']] += int(row['Units'])\n\
        for (region, product), sum in sorted(sums.items()): print(f'{region};{product};{sum}')";
    let mut python = Command::new("python3")
        .args(["-c", PROGRAM])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("python3");
    std::io::Write::write_all(&mut python.stdin.take().unwrap(), csv.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn beside(name: &str, cells: usize, csv: &str, expected: &[String], (main, blocks): (Location, Location)) {
    let main = Pool::open(main, 4).unwrap();
    migrate(&main, Which::Main).unwrap();
    let blocks = Pool::open(blocks, 4).unwrap();
    migrate(&blocks, Which::Blocks).unwrap();
    let application = main
        .write(|conn| {
            use diesel::prelude::*;
            let sql = "INSERT INTO applications (name, name_key, time_zone, spacing_minutes, created_at) \
                       VALUES ('Bench', 'bench', 'UTC', 0, 0)";
            diesel::sql_query(sql).execute(conn)?;
            Ok(1)
        })
        .unwrap();
    let make = |name: &str, columns| {
        let draft = BlockDraft { name: name.into(), kind: BlockKind::Metric, columns };
        main.write(|conn| blocks::create(conn, &blocks, application, draft, MachineClock.now())).unwrap()
    };
    let key = |name: &str, kind| ColumnDraft::new(name, kind).key();
    let source = make(
        "Sales",
        vec![
            key("Day", Date),
            key("Region", Text),
            key("Product", Text),
            key("Scenario", Text),
            ColumnDraft::new("Units", Integer),
        ],
    );
    let target = make("Plan", vec![key("Region", Text), key("Product", Text), ColumnDraft::new("Units", Number)]);
    let site = Site { main: &main, blocks: &blocks };
    site.fill(&source, csv);
    let table = blocks.read(|conn| generations::current_table(conn, source.id)).unwrap().unwrap();
    let (mut bare, mut ours) = (Vec::new(), Vec::new());
    for round in 0..=ROUNDS as i64 {
        let their = site.bare(&table);
        let own = site.feed(&source, &target, round + 2);
        if round > 0 {
            bare.push(their);
            ours.push(own);
        }
    }
    let rows = blocks.read(|conn| blocks::rows(conn, &target, 0, 10_000)).unwrap();
    let text = |row: &blocks::BlockRow| {
        let cells: Vec<String> = row.cells.iter().zip(&target.columns).map(|(c, k)| c.text(k.column_type)).collect();
        cells.join(";")
    };
    let mut found: Vec<String> = rows.iter().map(text).collect();
    found.sort();
    assert_eq!(found, expected, "the same as Python's");
    let (bare, ours) = (median(bare), median(ours));
    println!("{name:<10} {cells:>9} {:>7} {bare:>8.3} {ours:>8.3} {:>6.2}", found.len(), ours / bare);
}

struct Site<'a> {
    main: &'a Pool,
    blocks: &'a Pool,
}

impl Site<'_> {
    fn context<T>(&self, number: i64, load: impl FnOnce(&LoadContext<'_>) -> T) -> T {
        let run = RunKey { uid: format!("run {number}"), id: number };
        let cancelled = AtomicBool::new(false);
        load(&LoadContext {
            blocks: self.blocks,
            run: &run,
            fence: number,
            clock: &MachineClock,
            cancelled: &cancelled,
            deadline: None,
            progress: &|_| (),
        })
    }

    fn fill(&self, block: &Block, csv: &str) {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, csv.as_bytes()).unwrap();
        let bytes = csv.len() as u64;
        let source = SourceFile { file, name: "sales.csv".into(), bytes, sha256: "0".repeat(64), by_hand: false };
        let plan = self.main.read(|conn| Plan::new(conn, block.clone(), Mode::Replace)).unwrap();
        let report = self.context(1, |context| pipeline::run(&plan, &source, context)).unwrap();
        assert_eq!(report.outcome, Outcome::Loaded);
    }

    fn bare(&self, table: &str) -> f64 {
        let mut conn = self.blocks.connect().unwrap();
        let (text, number) = match self.blocks.location() {
            Location::Sqlite { .. } => ("TEXT", "REAL"),
            Location::Postgres { .. } => ("TEXT COLLATE \"C\"", "DOUBLE PRECISION"),
        };
        conn.batch_execute(&format!(
            "DROP TABLE IF EXISTS bare; CREATE TABLE bare (c1 {text}, c2 {text}, c3 {number})"
        ))
        .unwrap();
        let began = Instant::now();
        conn.batch_execute(&format!("INSERT INTO bare SELECT c2, c3, sum(c5) FROM {table} GROUP BY c2, c3")).unwrap();
        began.elapsed().as_secs_f64()
    }

    fn feed(&self, source: &Block, target: &Block, number: i64) -> f64 {
        let mut definition = Definition::new(Mode::Replace);
        let sum = Mapping { aggregate: Some(blocks::Aggregate::Sum), ..Mapping::column("Units", "Units") };
        definition.mapping =
            Some(vec![Mapping::column("Region", "Region"), Mapping::column("Product", "Product"), sum]);
        let feed = imports::feed(&definition, source, target, tidegate::clock::Moment::from_micros(0)).unwrap();
        let plan = self.main.read(|conn| Plan::of(conn, target.clone(), &definition)).unwrap();
        let began = Instant::now();
        let report = self.context(number, |context| pipeline::run_from_block(&plan, &feed, context, &|| Ok(())));
        let took = began.elapsed();
        assert_eq!(report.unwrap().outcome, Outcome::Loaded);
        std::thread::sleep(Duration::from_millis(50));
        took.as_secs_f64()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

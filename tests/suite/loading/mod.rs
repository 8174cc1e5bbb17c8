//! Files into Blocks: what is loaded, what is rejected and why, and that a Block holds all of a load or nothing.

mod answer_lost;
mod beyond;
mod changing;
mod definitions;
mod endless;
mod guarantees;
mod ledger_alone;
mod modes;
mod readers;
mod telling;
mod trials;
mod values;

use std::io::Write;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tidegate::applications::blocks::{
    self, Block, BlockKind, Cell, ColumnDraft, RunKey, Staging, generations, ledger, rejects,
};
use tidegate::clock::{Moment, SetClock};
use tidegate::db::Conn;
use tidegate::formats::ColumnType::{self, Boolean, Date, Dimension, Integer, Number, Text, Timestamp};
use tidegate::imports::guard::{Guard, Stopped};
use tidegate::imports::pipeline::{
    Counts, FailureKind, LoadContext, LoadError, LoadReport, Outcome, Plan, Progress, READING, SourceFile, run,
};
use tidegate::imports::{Mapping, Mode};

use crate::blocks::{application, create, draft};
use crate::support::Databases;

const NOW: Moment = Moment::from_micros(1_795_000_000_000_000);

fn column(name: &str, column_type: ColumnType) -> ColumnDraft {
    ColumnDraft::new(name, column_type)
}

fn plan(db: &Databases, block: &Block, mode: Mode) -> Plan {
    db.main.read(|conn| Plan::new(conn, block.clone(), mode)).unwrap()
}

fn text(csv: &str) -> SourceFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(csv.as_bytes()).unwrap();
    SourceFile { file, name: "rows.csv".into(), bytes: csv.len() as u64, sha256: "0".repeat(64), by_hand: false }
}

fn data(name: &str) -> SourceFile {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    let bytes = std::fs::metadata(&path).unwrap().len();
    SourceFile {
        file: std::fs::File::open(path).unwrap(),
        name: name.into(),
        bytes,
        sha256: "0".repeat(64),
        by_hand: false,
    }
}

/// A load whose fence is its run's number.
fn load(db: &Databases, plan: &Plan, source: &SourceFile, run_id: i64) -> Result<LoadReport, LoadError> {
    load_as(db, plan, source, run_id, run_id)
}

fn load_as(db: &Databases, plan: &Plan, source: &SourceFile, run_id: i64, fence: i64) -> Result<LoadReport, LoadError> {
    load_until(db, plan, source, (run_id, fence), (&AtomicBool::new(false), None), &|_| {})
}

/// The same, until it is cancelled or its time is over.
fn load_until(
    db: &Databases,
    plan: &Plan,
    source: &SourceFile,
    (run_id, fence): (i64, i64),
    (cancelled, deadline): (&AtomicBool, Option<Instant>),
    progress: &dyn Fn(Progress),
) -> Result<LoadReport, LoadError> {
    let run_key = run_key(run_id);
    let clock = &SetClock::at(NOW);
    let context = LoadContext { blocks: &db.blocks, run: &run_key, fence, clock, cancelled, deadline, progress };
    run(plan, source, &context)
}

/// The run of this number.
fn run_key(id: i64) -> RunKey {
    RunKey { uid: format!("run {id}"), id }
}

/// What the run of this number loaded into the Block.
fn in_ledger(db: &Databases, run_id: i64, block: &Block) -> Option<ledger::LedgerRow> {
    db.blocks.read(|conn| ledger::ledger(conn, &run_key(run_id).uid, block.id)).unwrap()
}

/// The Block's rows as text, in their order.
fn shown(db: &Databases, block: &Block) -> Vec<String> {
    let rows = db.blocks.read(|conn| blocks::rows(conn, block, 0, 1_000)).unwrap();
    rows.iter()
        .map(|row| {
            let cells: Vec<String> =
                row.cells.iter().zip(&block.columns).map(|(cell, c)| cell.text(c.column_type)).collect();
            cells.join(",")
        })
        .collect()
}

fn count(db: &Databases, block: &Block) -> i64 {
    db.blocks.read(|conn| ledger::state(conn, block.id)).unwrap().row_count
}

/// Every bad cell of a run as `line column code`.
fn bad(db: &Databases, run_id: i64) -> Vec<String> {
    let rows = db.blocks.read(|conn| rejects::page(conn, run_id, 0, 1_000)).unwrap();
    rows.iter()
        .flat_map(|row| row.cells.iter().map(|cell| format!("{} {} {}", cell.line, cell.column, cell.code)))
        .collect()
}

/// The physical tables that hold or held rows.
fn tables(db: &Databases) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = diesel::sql_types::Text)]
        name: String,
    }
    let sqlite = "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'b%\\_g%' ESCAPE '\\' ORDER BY 1";
    let postgres = "SELECT tablename::TEXT AS name FROM pg_tables WHERE schemaname = 'blocks' \
                    AND tablename ~ '^b[0-9]+_g' ORDER BY 1";
    let names: Vec<Name> = db
        .blocks
        .read(|conn| {
            let sql = if matches!(conn, Conn::Sqlite(_)) { sqlite } else { postgres };
            Ok(diesel::sql_query(sql).load(conn)?)
        })
        .unwrap();
    names.into_iter().map(|row| row.name).collect()
}

fn items(db: &Databases, application: i64) -> Block {
    let columns = vec![column("Code", Text).key(), column("Name", Text), column("Size", Number)];
    create(db, application, draft("Items", BlockKind::DimensionList, columns)).unwrap()
}

fn log(db: &Databases, application: i64) -> Block {
    let columns = vec![column("Day", Date), column("Amount", Integer)];
    create(db, application, draft("Log", BlockKind::TransactionList, columns)).unwrap()
}

const WEATHER: [(&str, ColumnType); 15] = [
    ("origin", Text),
    ("year", Integer),
    ("month", Integer),
    ("day", Integer),
    ("hour", Integer),
    ("temp", Number),
    ("dewp", Number),
    ("humid", Number),
    ("wind_dir", Number),
    ("wind_speed", Number),
    ("wind_gust", Number),
    ("precip", Number),
    ("pressure", Number),
    ("visib", Number),
    ("time_hour", Timestamp),
];

fn weather(db: &Databases, application: i64, name: &str) -> Block {
    let columns = WEATHER.iter().map(|(name, kind)| column(name, *kind)).collect();
    create(db, application, draft(name, BlockKind::TransactionList, columns)).unwrap()
}

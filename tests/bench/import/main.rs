//! What a load costs beside the databases' own loaders, in one run: `cargo bench --bench import` prints a table.
//!
//! The product's own path: the program itself serves, a Folder connection, Replace all into a Transaction list without
//! identifier, eight typed columns and the row columns, with run, Summary and rejects. Beside it `sqlite3 .import --csv`
//! and `psql \copy` into a typed table of the same columns. The two take turns, and the medians are compared. Goals:
//! SQLite at most 0.50 at 1 and 5 million rows, PostgreSQL at most 0.92, the whole process at most 60 MB.
//!
//! `cargo bench --bench import -- 1` loads one million rows alone; `-- sqlite` or `-- postgres` one database alone.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic)]

mod data;
mod peers;
mod site;

use std::path::Path;

use data::Kind;
use site::{Load, Site};

/// Rounds at a million rows; fewer at more.
const ROUNDS: usize = 5;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let millions: Vec<usize> = match words.iter().find_map(|word| word.parse().ok()) {
        Some(one) => vec![one],
        None => vec![1, 5],
    };
    let wanted = |name: &str| words.iter().all(|word| word.parse::<usize>().is_ok() || word == name);
    println!(
        "{:<10} {:>5} {:<7} {:>8} {:>8} {:>7} {:>8} {:>8} {:>8} {:>8}",
        "database", "rows", "source", "peer s", "ours s", "ratio", "peer CPU", "ours CPU", "peak MB", "WAL MB"
    );
    for millions in millions {
        let rounds = if millions > 1 { 3 } else { ROUNDS };
        let folder = tempfile::tempdir().unwrap();
        let csv = data::write(folder.path(), Kind::Csv, millions * 1_000_000);
        let ndjson = data::write(folder.path(), Kind::Ndjson, millions * 1_000_000);
        if wanted("sqlite") {
            let site = Site::on_sqlite(folder.path());
            beside("SQLite", millions, rounds, &site, &csv, &ndjson, |file| peers::sqlite(folder.path(), file));
        }
        if wanted("postgres") {
            let server = peers::Server::start();
            let site = Site::on_postgres(folder.path(), &server.url);
            beside("PostgreSQL", millions, rounds, &site, &csv, &ndjson, |file| server.copy(file));
        }
    }
}

fn beside(
    name: &str,
    millions: usize,
    rounds: usize,
    site: &Site,
    csv: &Path,
    ndjson: &Path,
    peer: impl Fn(&Path) -> peers::Took,
) {
    let rows = (millions * 1_000_000) as i64;
    let (mut theirs, mut ours, mut lines): (Vec<peers::Took>, Vec<Load>, Vec<Load>) = Default::default();
    for round in 0..=rounds {
        let (their, own) = (peer(csv), site.load(Kind::Csv, csv, rows));
        // The first warms the page cache.
        if round > 0 {
            theirs.push(their);
            ours.push(own);
        }
    }
    for _ in 0..rounds.min(3) {
        lines.push(site.load(Kind::Ndjson, ndjson, rows));
    }
    let peer_wall = median(theirs.iter().map(|t| t.wall));
    let peer_cpu = median(theirs.iter().map(|t| t.cpu));
    for (source, loads) in [("CSV", &ours), ("NDJSON", &lines)] {
        let wall = median(loads.iter().map(|load| load.wall));
        println!(
            "{name:<10} {millions:>4}M {source:<7} {peer_wall:>8.2} {wall:>8.2} {:>7.2} {peer_cpu:>8.2} {:>8.2} {:>8.0} {:>8.1}",
            wall / peer_wall,
            median(loads.iter().map(|load| load.cpu)),
            loads.iter().map(|load| load.peak_mb).fold(0.0, f64::max),
            loads.iter().map(|load| load.wal_mb).fold(0.0, f64::max),
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

//! What the pages cost when the history is long: `cargo bench --bench pages` seeds a million runs of 200 configurations
//! with 4 schedules each and of 19 further Applications, on SQLite and on the PostgreSQL that `TIDEGATE_TEST_POSTGRES` names, asks each page of the
//! real server over HTTP, and prints one table per database. The goal is 50 ms p99 and 300 kB for each. Then 100,000 runs
//! expire and are removed, in batches of which none may hold the write lock over 50 ms.
//!
//! `TIDEGATE_BENCH_RUNS` makes the history shorter, `TIDEGATE_BENCH_PAGES` asks only for what has that in its name:
//! a page, "door" (fifty people who sign in at once, which may not keep `/healthz` from answering within 50 ms), or "expire". `cargo bench --bench pages -- sqlite` (or `postgres`) asks one database alone.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::disallowed_methods,
    dead_code,
    unused_imports,
    unused_macros
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use argon2::{Argon2, PasswordHasher};
use tidegate::runs::retention;

#[path = "../suite/support"]
mod support {
    #[macro_use]
    pub mod databases;
    pub mod api;
    pub mod browser;
    pub mod cast;
    pub mod html;
    pub mod queries;
    pub mod seed;
    pub mod settings;
    pub mod stage;
    pub mod world;

    pub use browser::Browser;
    pub use cast::Person;
    pub use databases::{Database, Databases, with_databases, with_world};
    pub use world::World;
}
#[path = "../suite/at_size.rs"]
mod at_size;

use support::seed::{self, Seed, seed};
use support::{Database, World, queries, settings, with_world};

const ROUNDS: usize = 200;

fn asked_for(name: &str) -> bool {
    name.contains(&std::env::var("TIDEGATE_BENCH_PAGES").unwrap_or_default())
}

/// One page, asked for again and again.
async fn measure(world: &World, name: &str, get: impl AsyncFn() -> usize) {
    if !asked_for(name) {
        return;
    }
    for _ in 0..3 {
        get().await;
    }
    let database = at_size::database(world);
    let before = queries::sent(&database);
    let bytes = get().await;
    let asked = queries::sent(&database) - before;
    let mut took: Vec<Duration> = Vec::with_capacity(ROUNDS);
    for _ in 0..ROUNDS {
        let began = Instant::now();
        get().await;
        took.push(began.elapsed());
    }
    took.sort();
    let ms = |at: usize| took[at].as_secs_f64() * 1_000.0;
    let (p50, p99) = (ms(ROUNDS / 2), ms(ROUNDS * 99 / 100 - 1));
    let bad = if p99 > 50.0 || bytes > 300_000 { " !" } else { "" };
    println!("| {name} | {p50:.1} | {p99:.1} | {:.1} | {asked} |{bad}", bytes as f64 / 1_000.0);
}

async fn pages(world: World) {
    let runs = std::env::var("TIDEGATE_BENCH_RUNS").ok().and_then(|n| n.parse().ok()).unwrap_or(1_000_000);
    let began = Instant::now();
    let first = seed(&world, Seed { applications: 19, ..Seed::runs(runs) }).await;
    at_size::grant_elsewhere(&world).await;
    seed::promise_all(&world, &first).await;
    seed::tell_much(&world).await;
    println!("\n{:?}, {runs} runs, seeded in {:.0} s\n", world.database(), began.elapsed().as_secs_f64());
    println!("| page | p50 ms | p99 ms | kB | queries |\n|---|---|---|---|---|");
    let newest = at_size::newest_run(&world).await;
    let ada = world.browser(&world.ada).await;
    for (name, path) in at_size::pages(&world, first.configuration, newest) {
        measure(&world, name, async || {
            let answer = ada.get(&path).await;
            assert_eq!(answer.status, 200, "{name}");
            answer.body.len()
        })
        .await;
    }
    let mo = world.api(&world.mo).await;
    for (name, path) in at_size::API {
        measure(&world, name, async || {
            let reply = mo.get(path).await;
            assert_eq!(reply.status, 200, "{name}");
            reply.body.len()
        })
        .await;
    }
}

/// Two years pass, and 100,000 runs are too old. Meanwhile somebody writes without a pause, and says how long that takes.
async fn expire(world: World) {
    seed(&world, Seed { configurations: 50, days: 100, whole: true, ..Seed::runs(110_000) }).await;
    world.advance(chrono::Duration::days(2 * 400));
    let over = Arc::new(AtomicBool::new(false));
    let (app, stop) = (world.app().clone(), over.clone());
    let writer = tokio::task::spawn_blocking(move || {
        let mut took = Vec::new();
        while !stop.load(Ordering::Relaxed) {
            let began = Instant::now();
            app.db.write(|conn| seed::batch(conn, "UPDATE workspace SET name = name")).expect("it is written");
            took.push(began.elapsed());
            std::thread::sleep(Duration::from_millis(5));
        }
        took.sort();
        took
    });
    let began = Instant::now();
    let removed = world.step(retention::step).await;
    let wall = began.elapsed().as_secs_f64();
    over.store(true, Ordering::Relaxed);
    let took = writer.await.expect("the writer is well");
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "\n{:?}: {} of 110,000 runs removed in {wall:.1} s, {} batches, the longest {:.1} ms; who wrote beside waited p99 \
         {:.1} ms, at most {:.1} ms",
        world.database(),
        removed.runs,
        removed.batches,
        ms(removed.longest),
        ms(took[took.len() * 99 / 100]),
        ms(*took.last().expect("something was written")),
    );
}

/// Fifty people sign in at once; meanwhile somebody asks whether the process is well, and says how long that takes.
async fn door(world: World) {
    // The suite's people have cheap hashes; this one is as dear as the product makes them.
    let dear = Argon2::default().hash_password(support::cast::PASSWORD.as_bytes()).expect("it is hashed").to_string();
    let sql = format!("UPDATE members SET password_hash = '{dear}' WHERE email = 'olive@acme.test'");
    world.app().db.write(|conn| seed::batch(conn, &sql)).expect("it is written");
    let mut browsers = Vec::new();
    for _ in 0..50 {
        let mut browser = world.nobody();
        browser.visit("/sign-in").await;
        browsers.push(browser);
    }
    let probe = world.nobody();
    probe.get("/healthz").await;
    let over = AtomicBool::new(false);
    let began = Instant::now();
    let knocking = async {
        let fields = [("email", "olive@acme.test"), ("password", support::cast::PASSWORD), ("next", "/signed-in")];
        let all = browsers.iter().map(|browser| browser.post("/sign-in", &fields));
        let answers = futures_util::future::join_all(all).await;
        over.store(true, Ordering::Relaxed);
        assert!(answers.iter().all(|answer| answer.status == 200), "all are let in");
        began.elapsed()
    };
    let looking = async {
        let mut took = Vec::new();
        while !over.load(Ordering::Relaxed) {
            let began = Instant::now();
            assert_eq!(probe.get("/healthz").await.status, 200);
            took.push(began.elapsed());
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        took.sort();
        took
    };
    let (all, took) = tokio::join!(knocking, looking);
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    println!(
        "\n{:?}: 50 signed in at once within {:.1} s; /healthz beside them, {} times: p50 {:.1} ms, at most {:.1} ms",
        world.database(),
        all.as_secs_f64(),
        took.len(),
        ms(took[took.len() / 2]),
        ms(*took.last().expect("it was asked")),
    );
}

fn main() {
    queries::watch();
    let words: Vec<String> = std::env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let wanted = |name: &str| words.is_empty() || words.iter().any(|word| word == name);
    for (database, name) in [(Database::Sqlite, "sqlite"), (Database::Postgres, "postgres")] {
        if wanted(name) && (database == Database::Sqlite || settings::postgres().is_some()) {
            if asked_for("door") {
                with_world(database, door);
            }
            if std::env::var("TIDEGATE_BENCH_PAGES").as_deref() != Ok("door") {
                with_world(database, pages);
            }
            if asked_for("expire") {
                with_world(database, expire);
            }
        }
    }
}

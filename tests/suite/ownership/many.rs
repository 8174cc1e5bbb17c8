//! Five hundred in one form cost no more questions than ten.

use std::time::Instant;

use tidegate::ownership::reckoning::{Which, Wish};
use tidegate::ownership::undo;

use super::*;
use crate::at_size::database;
use crate::support::seed::{Seed, batch, seed};
use crate::support::{Database, queries, with_world};

#[test]
fn many_ask_no_more_on_sqlite() {
    queries::watch();
    with_world(Database::Sqlite, asks_no_more);
}

#[test]
fn many_ask_no_more_on_postgres() {
    queries::watch();
    with_world(Database::Postgres, asks_no_more);
}

async fn asks_no_more(world: World) {
    seed(&world, Seed { configurations: 125, schedules: 4, days: 10, ..Seed::runs(1_000) }).await;
    let (here, olive) = (world.application, world.olive.id);
    let sql = format!(
        "UPDATE schedules SET notify_about = 'failed' WHERE application_id = {here}; \
         INSERT INTO schedule_recipients (schedule_id, member_id) \
         SELECT s.id, m.id FROM schedules s CROSS JOIN members m WHERE s.application_id = {here} AND m.name IN ('Olive', 'Mo');"
    );
    world.write(move |conn| batch(conn, &sql)).await;
    let database = database(&world);
    let ids: Vec<i64> = world
        .read(move |conn| Ok(tidegate::schedules::actions::held(conn, olive)?.iter().map(|s| s.id).collect()))
        .await;
    // A tenth of the configurations is elsewhere.
    assert!(ids.len() >= 500, "{}", ids.len());
    let here = |ids: &[i64]| Which::Chosen(ids.iter().copied().collect());
    let asks = async |which: Which| {
        let before = queries::sent(&database);
        let began = Instant::now();
        let wish = Wish { which, ..Wish::all() };
        let done = hands_over(&world, Passing { wish, ..passing(&world.olive, &world.ada) }).await.unwrap();
        let (asked, took) = (queries::sent(&database) - before, began.elapsed());
        let (ada, now, id) = (world.ada.clone(), world.now(), done.id.unwrap());
        let before = queries::sent(&database);
        let began = Instant::now();
        let undone = world
            .write(move |conn| {
                let by = ada.by(conn)?;
                undo(conn, &by, crate::support::ENDERS, id, now)
            })
            .await;
        assert_eq!(undone.back, done.reckoned.passing());
        println!("{}: {} in {took:?}, back in {:?}", database, undone.back, began.elapsed());
        (undone.back, asked, queries::sent(&database) - before)
    };
    asks(here(&ids[..5])).await;
    let few = asks(here(&ids[..10])).await;
    let many = asks(here(&ids[..500])).await;
    assert_eq!((few.0, many.0), (10, 500));
    assert_eq!((few.1, few.2), (many.1, many.2), "statements of a hand-over and of its undo");
}

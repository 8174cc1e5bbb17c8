//! REST under `/api/v1`: the shapes of the contract, and every refusal.

mod freezes;
mod hostile;
mod import_sets;
mod journey;
mod once;
mod openapi;
mod patches;
mod problems;
mod resources;
mod rights;
mod runs;
mod schedules;
mod schemathesis;
mod translations;

use serde_json::{Value, json};
use tidegate::imports::Mode;

use crate::support::World;
use crate::support::stage::{Stage, csv, stage};

/// A configuration in "FP&A 2026" with its file of two rows.
async fn words(world: &World) -> Stage {
    csv(world, "words", &[("1", "one"), ("2", "two")]);
    stage(world, "words", Mode::Update, |_| ()).await
}

/// A schedule that nothing is wrong with: each Monday and Thursday at 01:00 in Paris.
fn weekly(configuration: i64) -> Value {
    json!({
        "configuration_id": configuration, "repeat": "weeks", "weekdays": ["mon", "thu"],
        "start_date": "2026-10-12", "start_time": "01:00", "time_zone": "Europe/Paris",
    })
}

/// The same with these members instead.
fn with(mut body: Value, other: Value) -> Value {
    for (name, value) in other.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

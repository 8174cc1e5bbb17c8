//! A thing as its difference is told: as the audit log keeps it, with names in the place of numbers that mean something in
//! one of the two Applications alone.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::imports::{Configuration, ConfigurationAnswer, Definition, Listed};
use crate::parameters::all_told;
use crate::schedules::Schedule;

/// What it is called that an id of the other Application stands for.
pub type Names = BTreeMap<i64, String>;

/// A configuration; `blocks`, `connections` and `tables` by the ids that stand in it.
pub fn configuration(
    (configuration, definition): (&Configuration, &Definition),
    (blocks, connections, tables): (&Names, &Names, &Names),
) -> Value {
    let mut told = json!(ConfigurationAnswer::of(configuration, definition));
    let names = [("block_id", blocks), ("source_block_id", blocks), ("connection_id", connections)];
    for (key, names) in names {
        if let Some(name) = told[key].as_i64().and_then(|id| names.get(&id)) {
            told[key] = json!(name);
        }
    }
    for line in told["mapping"].as_array_mut().into_iter().flatten() {
        if let Some(name) = line["translate"].as_i64().and_then(|id| tables.get(&id)) {
            line["translate"] = json!(name);
        }
    }
    told
}

/// A schedule; `runs`: what it is called that it runs; `kept` the names of kept files.
pub fn schedule(schedule: &Schedule, runs: &str, kept: &Names) -> Value {
    let mut told = schedule.for_audit();
    told["runs"] = json!(runs);
    told["parameters"] = json!(all_told(schedule.parameters.as_ref(), kept));
    told
}

/// "Fills Sales: sales.csv from Warehouse files"
pub fn about(listed: &Listed) -> String {
    format!("Fills {}: {}", listed.block_name, listed.source_within())
}

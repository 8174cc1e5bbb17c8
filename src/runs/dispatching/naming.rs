//! What the runs of schedules are called.

use std::collections::HashMap;

use serde_json::Value;

use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::import_sets::{self, Declared, step_values};
use crate::imports::Target;
use crate::parameters;
use crate::runs::runnable_store::Runnable;
use crate::schedules::clock::Due;
use crate::schedules::run_name;

/// What the names ask for: what is declared by the targets whose runs are named after their values.
#[derive(Default)]
pub struct Naming(HashMap<Target, Vec<Declared>>);

impl Naming {
    /// Nothing is read unless a name asks for it. What cannot be read keeps no run from being queued: it fails in words once
    /// it begins.
    pub fn load<'a>(conn: &mut Conn, due: impl IntoIterator<Item = &'a Due>) -> Result<Self> {
        let mut named = HashMap::new();
        for due in due {
            if named.contains_key(&due.target) || !due.run_name.as_deref().is_some_and(run_name::asks) {
                continue;
            }
            let declared = match import_sets::declared(conn, due.target) {
                Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
                other => other.unwrap_or_default(),
            };
            named.insert(due.target, declared);
        }
        Ok(Self(named))
    }

    /// The name of the run of an occurrence.
    pub fn of(&self, due: &Due, runnable: &Runnable, planned_at: Moment) -> String {
        let zone = due.rule.time_zone();
        let default = || run_name::stamped(&runnable.run_name(), planned_at, zone);
        let Some(name) = &due.run_name else { return default() };
        let today = planned_at.in_zone(zone).date_naive();
        let value = |word: &str| {
            let named = self.0.get(&due.target)?.iter().find(|named| named.parameter.name == word)?;
            let given = due.parameters.as_deref().and_then(|text| serde_json::from_str::<Value>(text).ok());
            let given = given.as_ref().and_then(Value::as_object);
            let given = given.and_then(|given| step_values::of_name(named.position, word, given));
            // Of what nobody gives there is nothing to say.
            Some(parameters::told(&named.parameter, given, today).unwrap_or_default())
        };
        let name = run_name::at(name, planned_at, zone, value);
        if name.is_empty() { default() } else { name }
    }
}

//! Which Connection is read there in the place of each that is read here. Nothing is authorised on the way: only what the
//! other Application may read through already can be chosen.

use std::collections::BTreeMap;

use super::sides::{Matches, Side};
use crate::connections::{self, Connection};
use crate::db::Conn;
use crate::environments::Chosen;
use crate::error::{FieldErrors, Result};

/// What somebody chose for each Connection that is read here; none where `None` was.
pub type Wanted = BTreeMap<i64, Option<i64>>;

/// A Connection that is read here.
#[derive(Clone, Debug)]
pub struct Reading {
    pub connection: Connection,
    /// By how many imports.
    pub imports: usize,
    /// What may be read there in its place: id and name.
    pub choices: Vec<(i64, String)>,
    pub chosen: Option<i64>,
}

/// All that are read here, by name, and what is wrong with what somebody wants. What nobody chose is what its imports read
/// there already, or itself where it is authorised there.
pub fn readings(
    conn: &mut Conn,
    (here, there): (&Side, &Side),
    matches: &Matches,
    wanted: &Wanted,
) -> Result<(Vec<Reading>, FieldErrors)> {
    let mut errors = FieldErrors::new();
    let mut used: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
    for configuration in here.configurations.iter().map(|listed| &listed.configuration) {
        if let Some(id) = configuration.connection_id {
            used.entry(id).or_default().push(configuration.id);
        }
    }
    let authorised = connections::of_application(conn, there.application.id)?;
    let ids: Vec<i64> = used.keys().copied().collect();
    for unused in wanted.keys().filter(|id| !used.contains_key(id)) {
        let said = format!("{} has no import that reads through Connection {unused}.", here.application.name);
        errors.add("connections", said);
    }
    let mut readings = Vec::new();
    for connection in connections::by_ids(conn, &ids)? {
        let readers = used.remove(&connection.id).unwrap_or_default();
        let fits = |other: &&Connection| other.kind == connection.kind;
        let choices: Vec<(i64, String)> =
            authorised.iter().filter(fits).map(|other| (other.id, other.name.clone())).collect();
        let may = |id: i64| choices.iter().any(|(choice, _)| *choice == id);
        let chosen = match wanted.get(&connection.id) {
            Some(Some(id)) if !may(*id) => {
                let said = format!(
                    "Instead of {}, choose a Connection of the kind {} that is authorised for {}.",
                    connection.name,
                    connection.kind_label(),
                    there.application.name
                );
                errors.add(format!("connection-{}", connection.id), said);
                None
            }
            Some(choice) => *choice,
            None => mostly(there, matches, &readers)
                .filter(|id| may(*id))
                .or_else(|| Some(connection.id).filter(|id| may(*id))),
        };
        readings.push(Reading { imports: readers.len(), choices, chosen, connection });
    }
    readings.sort_by(|a, b| (&a.connection.name, a.connection.id).cmp(&(&b.connection.name, b.connection.id)));
    Ok((readings, errors))
}

/// What the likes of these imports read through there, most of them.
fn mostly(there: &Side, matches: &Matches, readers: &[i64]) -> Option<i64> {
    let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
    for id in readers.iter().filter_map(|id| matches.configurations.get(id)) {
        if let Some(read) = there.configuration(*id).and_then(|listed| listed.configuration.connection_id) {
            *counts.entry(read).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|(id, count)| (*count, std::cmp::Reverse(*id))).map(|(id, _)| id)
}

/// What stands for what.
pub fn chosen(readings: &[Reading]) -> Chosen {
    readings.iter().filter_map(|reading| Some((reading.connection.id, reading.chosen?))).collect()
}

//! What was refused, in the log: the first of an hour one by one, then how many more there were.

use serde_json::json;

use super::{Actor, Entry, record};
use crate::app::App;
use crate::error::Result;
use crate::going::Refused;

/// Writes down what was refused since the last time.
pub fn write_refusals(app: &App) -> Result<()> {
    write(app, false)
}

/// The same with what is only counted so far, when the process stops.
pub fn write_last_refusals(app: &App) -> Result<()> {
    write(app, true)
}

fn write(app: &App, all: bool) -> Result<()> {
    let now = app.now();
    let (told, more) = (app.refusals.waiting(), app.refusals.take_more(now, all));
    if told.is_empty() && more.is_empty() {
        return Ok(());
    }
    let written = app.db.write(|conn| {
        for one in &told {
            let after = json!({ "what": one.what });
            record(conn, &actor(&one.refused), entry(&one.refused).after(after), one.at)?;
        }
        more.iter().try_for_each(|(refused, more)| {
            let after = json!({ "more": more });
            record(conn, &actor(refused), entry(refused).after(after), now)
        })
    });
    match written {
        Ok(()) => app.refusals.told(told.len()),
        Err(_) => app.refusals.put_back(more, now),
    }
    written
}

fn entry(refused: &Refused) -> Entry {
    Entry::about(refused.action, refused.action.split_once('.').map_or("request", |(kind, _)| kind))
}

fn actor(refused: &Refused) -> Actor {
    let nobody = Actor::nobody("nobody", refused.channel).from(&refused.from);
    match refused.member.clone() {
        Some((id, name)) => Actor { member_id: Some(id), name, ..nobody },
        None => nobody,
    }
}

//! What may not be ready when it was promised, or is late: a line each, beside what failed.

use std::collections::HashSet;

use chrono_tz::Tz;

use super::going::named;
use super::need::{Deed, Need, Rank};
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::imports::Target;
use crate::promises::{self, State};
use crate::{import_sets, words};

/// So many are looked for.
const LOOKED_FOR: i64 = 50;

/// Those of which no other line tells. One query where there is none.
pub fn lines(
    conn: &mut Conn,
    entered: &[Entered],
    told: &HashSet<Target>,
    (now, zone): (Moment, Tz),
) -> Result<Vec<Need>> {
    let ids: Vec<i64> = entered.iter().map(|entered| entered.application.id).collect();
    let mut promises = promises::endangered(conn, &ids, LOOKED_FOR)?;
    promises.retain(|promise| !told.contains(&promise.target));
    if promises.is_empty() {
        return Ok(Vec::new());
    }
    let targets: Vec<Target> = promises.iter().map(|promise| promise.target).collect();
    let names = import_sets::known(conn, &targets)?;
    let mut judged = promises::judged(conn, promises, now)?;
    let line = |target: Target| {
        let (promise, standing) = judged.remove(&target)?;
        let name = names.get(&target).filter(|known| !known.archived)?.name.as_str();
        let title = match standing.state {
            State::Late => format!("{name} is late"),
            State::AtRisk => format!("{name} may not be ready in time"),
            State::Fresh | State::Resting => return None,
        };
        let home = format!("/applications/{}", promise.application_id);
        let opens = entered.iter().any(|e| e.application.id == promise.application_id && e.may_open_scheduling());
        let card = target.short();
        let href = match opens {
            true => format!("{home}/settings/import-scheduling?open={card}#cfg-{card}"),
            false => home,
        };
        let of_zone = promise.rule.time_zone();
        let clock = if of_zone == zone { String::new() } else { format!(" ({of_zone})") };
        Some(Need {
            class: if standing.state == State::Late { "is-bad" } else { "is-warn" },
            icon: "clock",
            title,
            application: named(entered, promise.application_id),
            detail: format!("{}{clock}.", words::capitalized(&standing.words(&promise.rule, now))),
            deed: Deed::go(if opens { "View schedules" } else { "View the Application" }, href.clone()),
            href,
            rank: Rank::Late,
        })
    };
    Ok(targets.into_iter().filter_map(line).collect())
}

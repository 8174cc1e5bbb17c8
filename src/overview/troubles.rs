//! What failed last, on the home pages: each import whose latest run did not load all, with the way to its Summary.

use chrono_tz::Tz;

use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::import_scheduling::{Chip, status_chip};
use crate::runs::glance::{self, Trouble};
use crate::runs::{RunResult, RunStatus};
use crate::words;

/// So many are shown.
const MOST: usize = 10;

pub struct Troubles {
    pub lines: Vec<Line>,
    /// There are others, which are older.
    pub more: bool,
}

pub struct Line {
    pub run: i64,
    pub import: String,
    pub chip: Chip,
    /// The cause in a sentence.
    pub why: String,
    /// The Application, where the page is of several.
    pub application: Option<String>,
    pub when: String,
}

impl Troubles {
    /// Of these Applications, all of which the member sees.
    pub fn load(conn: &mut Conn, entered: &[&Entered], now: Moment) -> Result<Self> {
        let ids: Vec<i64> = entered.iter().map(|entered| entered.application.id).collect();
        let mut found = glance::troubles(conn, &ids, MOST as i64 + 1)?;
        let more = found.len() > MOST;
        found.truncate(MOST);
        let line = |trouble: Trouble| {
            let of = entered.iter().find(|entered| entered.application.id == trouble.application_id)?;
            let named = (entered.len() > 1).then(|| of.application.name.clone());
            Some(line(trouble, named, of.application.time_zone, now))
        };
        Ok(Self { lines: found.into_iter().filter_map(line).collect(), more })
    }
}

fn line(trouble: Trouble, application: Option<String>, zone: Tz, now: Moment) -> Line {
    let Trouble { import, run, .. } = trouble;
    let why = match (run.status, &run.result) {
        (RunStatus::Partial, Some(RunResult { rejected, .. })) => {
            format!("{} rejected.", words::counted(*rejected, "row was", "rows were"))
        }
        _ => run.cause.or(run.reason).unwrap_or_default(),
    };
    let why = match why.split_once(". ") {
        Some((first, _)) => format!("{first}."),
        None => why,
    };
    let when = run.finished_at.map(|at| words::short_time(at, now, zone)).unwrap_or_default();
    Line { run: run.id, import, chip: status_chip(run.status), why, application, when }
}

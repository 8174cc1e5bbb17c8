//! Each Application in a line: how many imports it has, how they stand, when it runs something next.

use std::collections::HashMap;

use chrono_tz::Tz;

use super::going::Going;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::imports::{ConfigurationStatus, Standing};
use crate::web::page::initials;
use crate::{promises, words};

pub struct Row {
    pub href: String,
    pub mark: String,
    pub name: String,
    /// "54 imports, last 08:11"
    pub about: String,
    /// Import Scheduling, for who may open it.
    pub scheduling: Option<String>,
    pub cells: Vec<Cell>,
    /// "Today, 09:00"
    pub next: Option<String>,
    /// How many promises stand how, the worst first: word, class, count.
    pub promises: Vec<(&'static str, &'static str, i64)>,
}

/// How many of its imports run, or stand badly.
pub struct Cell {
    pub label: &'static str,
    pub count: String,
    pub is_zero: bool,
    /// Where they are listed, for who may look there.
    pub href: Option<String>,
}

/// How many imports stand how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counts {
    pub imports: i64,
    pub failed: i64,
    pub partial: i64,
    pub held: i64,
    pub last_at: Option<Moment>,
}

impl Counts {
    pub fn of_each(standing: &[Standing]) -> HashMap<i64, Self> {
        let mut of_each = HashMap::<i64, Self>::new();
        for of in standing {
            let counts = of_each.entry(of.application_id).or_default();
            counts.imports += of.count;
            counts.last_at = counts.last_at.max(of.last_at);
            match of.status {
                Some(ConfigurationStatus::Failed) => counts.failed += of.count,
                Some(ConfigurationStatus::Partial) => counts.partial += of.count,
                Some(ConfigurationStatus::Held) => counts.held += of.count,
                Some(ConfigurationStatus::Success) | None => {}
            }
        }
        of_each
    }
}

/// Those that rest concern nobody today.
fn stand(counts: &promises::Counts) -> Vec<(&'static str, &'static str, i64)> {
    let all =
        [("Late", "is-bad", counts.late), ("At risk", "is-warn", counts.at_risk), ("Fresh", "is-ok", counts.fresh)];
    all.into_iter().filter(|(.., count)| *count > 0).collect()
}

/// By name, as they were entered.
pub fn rows(
    entered: &[Entered],
    counts: &HashMap<i64, Counts>,
    going: &Going,
    next_of_each: &HashMap<i64, Moment>,
    promises: &HashMap<i64, promises::Counts>,
    (now, zone): (Moment, Tz),
) -> Vec<Row> {
    let row = |entered: &Entered| {
        let application = &entered.application;
        let href = format!("/applications/{}", application.id);
        let counts = counts.get(&application.id).copied().unwrap_or_default();
        let last = counts.last_at.map(|at| words::short_time(at, now, zone));
        let last = last.map(|last| format!(", last {}", last.strip_prefix("Today, ").unwrap_or(&last)));
        let list = entered.may_open_scheduling().then(|| format!("{href}/settings/import-scheduling"));
        Row {
            cells: [
                ("Running", "running", going.counts.get(&application.id).map_or(0, |(going, _)| *going)),
                ("Failed", "failed", counts.failed),
                ("Partial", "partial", counts.partial),
                ("Held", "held", counts.held),
            ]
            .map(|(label, show, count)| Cell {
                label,
                count: words::count(count),
                is_zero: count == 0,
                href: list.as_ref().filter(|_| count > 0).map(|list| format!("{list}?show={show}")),
            })
            .into(),
            scheduling: list,
            href,
            mark: initials(&application.name),
            name: application.name.clone(),
            about: words::counted(counts.imports, "import", "imports") + &last.unwrap_or_default(),
            promises: promises.get(&application.id).map(stand).unwrap_or_default(),
            next: next_of_each.get(&application.id).map(|at| words::short_time(*at, now, zone)),
        }
    };
    entered.iter().map(row).collect()
}

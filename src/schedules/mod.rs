//! When. A [`Rule`] says how a schedule repeats; everything that follows from it is decided here and nowhere else:
//! its instants ([`recurrence`]), its sentence ([`sentence`](mod@sentence)), what a clock change or a short month
//! does to one of them ([`notes`]), how late one may still run ([`grace`](fn@grace)). All of that is pure: no database,
//! no machine clock, no global state.
//!
//! What a person or a script sent is a [`RuleDraft`]; a [`Rule`] exists only when nothing is wrong with it.
//!
//! A [`Schedule`] is a rule with what it runs, an Owner, and recipients. People change it by [`actions`]; the clock
//! moves it by [`clock`]. A configuration has at most four that are not finished: each holds one of the slots 1 to
//! 4, which a unique key guards. Which come too close to each other is told by [`collisions`], when imports go on by
//! [`busy`].

pub mod actions;
mod ahead_store;
pub mod busy;
pub mod clock;
mod clock_store;
pub mod collisions;
mod copy_store;
mod draft;
mod elapsed;
mod fields;
pub mod flagged;
mod form;
mod grace;
mod held_store;
mod model;
pub mod notes;
mod recipients_store;
pub mod recurrence;
mod rule;
pub mod run_name;
mod sealed_store;
pub mod sentence;
mod standing_store;
mod store;
mod uses_store;
mod wall;
mod zone;

pub use ahead_store::{Ahead, ahead, any_in, next_of_each, resting, rules};
pub use copy_store::{
    Copies, all_of, archive_all, copy_all, count_off_since, count_unfinished, lock_all, turn_all_off,
};
pub use draft::RuleDraft;
pub use form::RuleForm;
pub use grace::{LATE, grace};
use held_store::Held;
pub use held_store::{Estate, Owned, estates, held_by, owner_of, owners, told};
pub use model::{About, Draft, Notify, Outline, SLOTS, Schedule, State, Switched, owner_and_recipients};
pub use notes::{Preview, PreviewOccurrence, frequency_hint, local_rfc, note, preview, utc_offset};
pub use recurrence::{count_between, counts_between, first_at_or_after, latest_at_or_before, next_after, occurrences};
pub use rule::{DaysOfMonth, Months, Repeat, Rule, Weekdays, Window};
pub use sealed_store::seal_anew;
pub use sentence::{bounds, headline, sentence};
pub use zone::{ClockChange, ZONE_DATA, clock_change, day_begins, instant};

use crate::applications;
use crate::db::Conn;
use crate::error::Result;
use crate::files::kept;
use crate::import_sets;
use crate::imports::Target;
use crate::in_use::{Named, Renamed, Thing, Uses};

/// The address of the list.
fn list(application: i64) -> String {
    format!("/applications/{application}/settings/import-scheduling")
}

/// Each with the page on which it stands.
fn named(unfinished: Vec<uses_store::Unfinished>) -> Vec<Named> {
    let named = |found: uses_store::Unfinished| {
        let opened = Target::parse(&found.target_key).map(Target::short).unwrap_or_default();
        Named {
            words: match found.run_name {
                Some(name) => format!("\"{name}\" of {}", found.owner),
                None => format!("one of {}", found.owner),
            },
            href: format!("{}?open={opened}#sched-{}", list(found.application_id), found.id),
        }
    };
    unfinished.into_iter().map(named).collect()
}

/// Those that load a kept file, each with what it runs.
fn loading(conn: &mut Conn, kept_file_id: i64) -> Result<Vec<Named>> {
    let Some(kept) = kept::by_id(conn, kept_file_id)? else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for unfinished in uses_store::unfinished_with_file(conn, kept.application_id, kept_file_id)? {
        // Another import may declare a number of that name.
        let target = Target::parse(&unfinished.target_key);
        let declared = target.map(|target| import_sets::declared(conn, target)).transpose()?.unwrap_or_default();
        if declared.iter().any(|declared| declared.parameter.is_file) {
            found.push(unfinished);
        }
    }
    let targets: Vec<Option<Target>> = found.iter().map(|found| Target::parse(&found.target_key)).collect();
    let known = import_sets::known(conn, &targets.iter().copied().flatten().collect::<Vec<_>>())?;
    let with_name = |(named, target): (Named, Option<Target>)| match target.and_then(|target| known.get(&target)) {
        Some(known) => Named { words: format!("{} for {}", named.words, known.name), ..named },
        None => named,
    };
    Ok(named(found).into_iter().zip(targets).map(with_name).collect())
}

/// How many tell a group, Application by Application.
fn telling(conn: &mut Conn, group_id: i64) -> Result<Vec<Named>> {
    let telling = recipients_store::telling_group(conn, group_id)?;
    let ids: Vec<i64> = telling.iter().map(|(application, _)| *application).collect();
    let mut there = applications::by_ids(conn, &ids)?;
    there.sort_by(|a, b| a.name.cmp(&b.name));
    let named = |application: applications::Application| {
        let n = telling.iter().filter(|(id, _)| *id == application.id).count() as i64;
        let notify = crate::words::counted(n, "schedule that notifies", "schedules that notify");
        Named { words: format!("{notify} it in {}", application.name), href: list(application.id) }
    };
    Ok(there.into_iter().map(named).collect())
}

/// "Sales: owns 3 schedules, is notified about 1"
fn of_member(held: Held) -> Named {
    let count = |n: i64| crate::words::counted(n, "schedule", "schedules");
    let words = match (held.owns, held.told) {
        (owns, 0) => format!("owns {}", count(owns)),
        (0, told) => format!("is notified about {}", count(told)),
        (owns, told) => format!("owns {}, is notified about {}", count(owns), crate::words::count(told)),
    };
    Named { words: format!("{}: {words}", held.application.name), href: list(held.application.id) }
}

/// What schedules keep for the steps of a set follows them.
pub fn follow(conn: &mut Conn, thing: Thing, renamed: Renamed<'_>) -> Result<()> {
    match thing {
        Thing::Set(id) => uses_store::follow(conn, Target::Set(id), renamed),
        _ => Ok(()),
    }
}

/// The schedules that are on in an Application, or that still plan the runs of a configuration or a set, that load a
/// kept file, or that a member holds.
pub fn uses(conn: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let names = match thing {
        Thing::Application(id) => match uses_store::count_on(conn, id)? {
            0 => Vec::new(),
            n => {
                let words = format!("{} on", crate::words::counted(n, "schedule is", "schedules are"));
                vec![Named { words, href: list(id) }]
            }
        },
        Thing::Configuration(id) => named(uses_store::unfinished_of(conn, Target::Configuration(id))?),
        Thing::Set(id) => named(uses_store::unfinished_of(conn, Target::Set(id))?),
        Thing::Owner(id) => match held_by(conn, id)?.iter().map(|held| held.owns).sum() {
            0 => Vec::new(),
            n => {
                let words = format!("owns {}", crate::words::counted(n, "schedule", "schedules"));
                vec![Named { words, href: format!("/members/{id}/deactivate") }]
            }
        },
        Thing::Member(id) => held_by(conn, id)?.into_iter().map(of_member).collect(),
        Thing::KeptFile(id) => loading(conn, id)?,
        Thing::Group(id) => telling(conn, id)?,
        Thing::Block(_) | Thing::Connection(_) | Thing::Translation(_) => return Ok(None),
    };
    Ok(Some(Uses { by: "schedules", names }))
}

#[cfg(test)]
mod tests;

//! What is known of what promises are of, in a number of queries that does not grow with them.

use std::collections::{HashMap, HashSet};

use chrono::Duration;

use super::judging::{self, Judged, Known, Planned};
use super::model::{Promise, Standing};
use super::store;
use crate::applications::{self, Application};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze, by_clock};
use crate::import_sets;
use crate::imports::{ConfigurationStatus, Target};
use crate::runs::glance::{self, Usual};
use crate::runs::watch::{self, Good};
use crate::schedules::{self, Schedule};

pub struct Scene {
    applications: HashMap<i64, Application>,
    names: HashMap<Target, import_sets::Known>,
    goods: HashMap<Target, Good>,
    /// What loads each of them: itself, and the sets that it is a step of.
    loaders: HashMap<Target, Vec<Target>>,
    schedules: Vec<Schedule>,
    usual: HashMap<Target, Usual>,
    ends: HashMap<Target, Moment>,
    freezes: HashMap<i64, Vec<Freeze>>,
    now: Moment,
}

impl Scene {
    pub fn load(conn: &mut Conn, promises: &[Promise], now: Moment) -> Result<Self> {
        let targets: Vec<Target> = promises.iter().map(|promise| promise.target).collect();
        let mut ids: Vec<i64> = promises.iter().map(|promise| promise.application_id).collect();
        ids.sort_unstable();
        ids.dedup();
        let mut schedules = schedules::actions::of_targets(conn, &targets)?;
        let mut loaders: HashMap<Target, Vec<Target>> = targets.iter().map(|target| (*target, vec![*target])).collect();
        // Only what plans nothing by itself may be loaded by sets alone.
        let plans: HashSet<Target> = schedules.iter().filter(|s| s.next_at.is_some()).map(|s| s.target).collect();
        if targets.iter().any(|target| target.configuration().is_some() && !plans.contains(target)) {
            let mut more = Vec::new();
            for (set, configurations) in import_sets::running(conn, &ids)? {
                for configuration in configurations.into_iter().map(Target::Configuration) {
                    let Some(loaders) = loaders.get_mut(&configuration).filter(|_| !plans.contains(&configuration))
                    else {
                        continue;
                    };
                    loaders.push(Target::Set(set));
                    more.push(Target::Set(set));
                }
            }
            more.retain(|set| !targets.contains(set));
            more.sort_unstable();
            more.dedup();
            if !more.is_empty() {
                schedules.extend(schedules::actions::of_targets(conn, &more)?);
            }
        }
        let mut all: Vec<Target> = loaders.values().flatten().copied().collect();
        all.sort_unstable();
        all.dedup();
        let usual = glance::usual(conn, &all)?;
        let after: Vec<_> = promises.iter().map(|promise| (promise.target, promise.memory.counts_from)).collect();
        // The latest deadline of any is a week ago at most; what is planned, and deadlines, may lie far ahead.
        let (from, until) = (now.minus(Duration::days(8)), now.plus(Duration::days(800)));
        let mut freezes: HashMap<i64, Vec<Freeze>> = HashMap::new();
        for freeze in by_clock::holding(conn, &ids, from, until)? {
            freezes.entry(freeze.application_id).or_default().push(freeze);
        }
        Ok(Self {
            applications: applications::by_ids(conn, &ids)?.into_iter().map(|a| (a.id, a)).collect(),
            names: import_sets::known(conn, &targets)?,
            goods: watch::first_good(conn, &after)?,
            ends: watch::expected_ends(conn, &all, &usual, now)?,
            loaders,
            schedules,
            usual,
            freezes,
            now,
        })
    }

    /// Of those that are neither deleted nor in an archived Application.
    pub fn living(&self, promise: &Promise) -> Option<(&Application, &import_sets::Known)> {
        let name = self.names.get(&promise.target).filter(|known| !known.archived)?;
        Some((self.applications.get(&promise.application_id)?, name))
    }

    /// What plans its runs.
    pub fn schedules_of(&self, target: Target) -> impl Iterator<Item = &Schedule> {
        let loaders = self.loaders.get(&target).map(Vec::as_slice).unwrap_or_default();
        self.schedules.iter().filter(move |schedule| loaders.contains(&schedule.target))
    }

    pub fn judge(&self, promise: &Promise) -> Judged {
        let living = self.living(promise);
        let freezes = self.freezes.get(&promise.application_id).map(Vec::as_slice).unwrap_or_default();
        let planned = self.schedules_of(promise.target).filter(|s| s.broken.is_none()).filter_map(|schedule| {
            let at = freezes::next_run(freezes, schedule)?;
            let takes = self.usual.get(&schedule.target).map_or(Duration::zero(), |usual| usual.takes);
            Some(Planned { at, ends: at.max(self.now).plus(takes) })
        });
        let loaders = self.loaders.get(&promise.target).map(Vec::as_slice).unwrap_or_default();
        let known = Known {
            deleted: living.is_none(),
            copied: promise.copied && self.schedules_of(promise.target).all(|schedule| !schedule.enabled),
            good: self.goods.get(&promise.target).copied(),
            failed: living.is_some_and(|(_, known)| {
                matches!(known.status, Some(ConfigurationStatus::Failed | ConfigurationStatus::Held))
            }),
            going: loaders.iter().filter_map(|loader| self.ends.get(loader).copied()).min(),
            planned: planned.min_by_key(|planned| planned.ends),
            freezes,
        };
        judging::judge(promise, &known, self.now)
    }
}

/// The promises of these configurations and sets, and how each stands now; for a caller that has entered their Application.
/// One query where there is none.
pub fn standings(conn: &mut Conn, targets: &[Target], now: Moment) -> Result<HashMap<Target, (Promise, Standing)>> {
    let promises = store::of_targets(conn, targets)?;
    if promises.is_empty() {
        return Ok(HashMap::new());
    }
    judged(conn, promises, now)
}

/// How each of these stands now.
pub fn judged(conn: &mut Conn, promises: Vec<Promise>, now: Moment) -> Result<HashMap<Target, (Promise, Standing)>> {
    let scene = Scene::load(conn, &promises, now)?;
    let stands = |promise: Promise| {
        let standing = scene.judge(&promise).standing;
        (promise.target, (promise, standing))
    };
    Ok(promises.into_iter().map(stands).collect())
}

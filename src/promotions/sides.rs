//! Two Applications beside each other: what is in each, and what here is the same as what there. Where a thing came from
//! is remembered, whatever it is called by now; else names tell.

use std::collections::{BTreeMap, BTreeSet};

use crate::applications::blocks::{self, Block};
use crate::applications::{Application, Entered};
use crate::db::Conn;
use crate::environments::{Kind, Pair};
use crate::error::Result;
use crate::files::kept::{self, KeptFile};
use crate::import_sets::{self, ImportSet, SetDefinition};
use crate::imports::{self, Listed, Target};
use crate::names::name_key;
use crate::schedules::{self, Schedule, State};
use crate::translations::{self, Outline};

/// An Application with all that can be promoted, and what that names.
pub struct Side {
    pub application: Application,
    pub configurations: Vec<Listed>,
    pub sets: Vec<(ImportSet, SetDefinition)>,
    /// Those that have something to come.
    pub schedules: Vec<Schedule>,
    pub blocks: Vec<Block>,
    pub translations: Vec<Outline>,
    pub kept: Vec<KeptFile>,
}

impl Side {
    pub fn load(conn: &mut Conn, entered: &Entered) -> Result<Self> {
        let id = entered.application.id;
        let unfinished = |schedule: &Schedule| schedule.state() != State::Finished;
        Ok(Self {
            configurations: imports::list(conn, entered)?,
            sets: import_sets::actions::list(conn, entered)?,
            schedules: schedules::actions::of_application(conn, entered)?.into_iter().filter(unfinished).collect(),
            blocks: blocks::list(conn, id)?,
            translations: translations::of_application(conn, id)?,
            kept: kept::of_application(conn, id)?,
            application: entered.application.clone(),
        })
    }

    pub fn configuration(&self, id: i64) -> Option<&Listed> {
        self.configurations.iter().find(|listed| listed.configuration.id == id)
    }

    pub fn set(&self, id: i64) -> Option<&(ImportSet, SetDefinition)> {
        self.sets.iter().find(|(set, _)| set.id == id)
    }

    pub fn schedule(&self, id: i64) -> Option<&Schedule> {
        self.schedules.iter().find(|schedule| schedule.id == id)
    }

    pub fn block(&self, id: i64) -> Option<&Block> {
        self.blocks.iter().find(|block| block.id == id)
    }

    /// What a schedule runs is called.
    pub fn name_of(&self, target: Target) -> &str {
        match target {
            Target::Configuration(id) => self.configuration(id).map(|listed| listed.configuration.name.as_str()),
            Target::Set(id) => self.set(id).map(|(set, _)| set.name.as_str()),
        }
        .unwrap_or_default()
    }
}

/// What here is the same as what there, by id.
#[derive(Clone, Debug, Default)]
pub struct Matches {
    pub configurations: BTreeMap<i64, i64>,
    pub sets: BTreeMap<i64, i64>,
    pub schedules: BTreeMap<i64, i64>,
    pub blocks: BTreeMap<i64, i64>,
    pub translations: BTreeMap<i64, i64>,
    pub kept: BTreeMap<i64, i64>,
    /// Those there whose like here is gone.
    pub gone: Vec<(Kind, i64)>,
}

/// An id, and the name by which it is found where nothing is remembered; `None`: it has none that would tell it.
type Named = (i64, Option<String>);

/// Pairs up what is remembered, and the rest by names; each has one like at most.
fn pair(remembered: &[(i64, i64)], here: &[Named], there: &[Named]) -> BTreeMap<i64, i64> {
    let is_in = |side: &[Named], id: i64| side.iter().any(|(known, _)| *known == id);
    let (mut pairs, mut taken) = (BTreeMap::new(), BTreeSet::new());
    // What was remembered last has the largest ids.
    for (mine, theirs) in remembered.iter().rev() {
        let free = !pairs.contains_key(mine) && !taken.contains(theirs);
        if free && is_in(here, *mine) && is_in(there, *theirs) {
            pairs.insert(*mine, *theirs);
            taken.insert(*theirs);
        }
    }
    let mut by_name: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for (id, name) in there.iter().filter(|(id, _)| !taken.contains(id)) {
        by_name.entry(name.as_deref().unwrap_or_default()).or_default().push(*id);
    }
    for (id, name) in here {
        if pairs.contains_key(id) {
            continue;
        }
        let found = name.as_deref().and_then(|name| by_name.get_mut(name));
        if let Some(theirs) = found.filter(|ids| !ids.is_empty()).map(|ids| ids.remove(0)) {
            pairs.insert(*id, theirs);
        }
    }
    pairs
}

impl Matches {
    /// `kin`: what is remembered, here and there.
    pub fn of(here: &Side, there: &Side, kin: &[Pair]) -> Self {
        let remembered = |kind: Kind| -> Vec<(i64, i64)> {
            kin.iter().filter(|(of, ..)| *of == kind).map(|(_, mine, theirs)| (*mine, *theirs)).collect()
        };
        let key = |id: i64, name: &str| (id, Some(name_key(name)));
        let configurations = |side: &Side| -> Vec<Named> {
            side.configurations.iter().map(|l| key(l.configuration.id, &l.configuration.name)).collect()
        };
        let sets = |side: &Side| -> Vec<Named> { side.sets.iter().map(|(set, _)| key(set.id, &set.name)).collect() };
        let blocks = |side: &Side| -> Vec<Named> { side.blocks.iter().map(|b| key(b.id, &b.name)).collect() };
        let tables = |side: &Side| -> Vec<Named> { side.translations.iter().map(|t| key(t.id, &t.name)).collect() };
        let kept = |side: &Side| -> Vec<Named> { side.kept.iter().map(|kept| key(kept.id, &kept.name)).collect() };
        let mut found = Self {
            configurations: pair(&remembered(Kind::Configuration), &configurations(here), &configurations(there)),
            sets: pair(&remembered(Kind::Set), &sets(here), &sets(there)),
            blocks: pair(&[], &blocks(here), &blocks(there)),
            translations: pair(&[], &tables(here), &tables(there)),
            kept: pair(&[], &kept(here), &kept(there)),
            ..Self::default()
        };
        // A schedule has no name of its own: what it runs and when tell it.
        let told = |schedule: &Schedule, target: Option<Target>| {
            let target = target.filter(|_| schedule.broken.is_none());
            (schedule.id, target.map(|target| format!("{target} {:?}", schedule.rule)))
        };
        let mine: Vec<Named> = here.schedules.iter().map(|s| told(s, found.target(s.target))).collect();
        let theirs: Vec<Named> = there.schedules.iter().map(|s| told(s, Some(s.target))).collect();
        found.schedules = pair(&remembered(Kind::Schedule), &mine, &theirs);
        found.gone = found.gone(here, there, kin);
        found
    }

    pub fn target(&self, target: Target) -> Option<Target> {
        match target {
            Target::Configuration(id) => self.configurations.get(&id).map(|id| Target::Configuration(*id)),
            Target::Set(id) => self.sets.get(&id).map(|id| Target::Set(*id)),
        }
    }

    fn of_kind(&self, kind: Kind) -> &BTreeMap<i64, i64> {
        match kind {
            Kind::Configuration => &self.configurations,
            Kind::Set => &self.sets,
            Kind::Schedule => &self.schedules,
        }
    }

    fn gone(&self, here: &Side, there: &Side, kin: &[Pair]) -> Vec<(Kind, i64)> {
        let lives = |side: &Side, kind: Kind, id: i64| match kind {
            Kind::Configuration => side.configuration(id).is_some(),
            Kind::Set => side.set(id).is_some(),
            Kind::Schedule => side.schedule(id).is_some(),
        };
        let gone = kin.iter().filter(|(kind, mine, theirs)| {
            !lives(here, *kind, *mine)
                && lives(there, *kind, *theirs)
                && !self.of_kind(*kind).values().any(|matched| matched == theirs)
        });
        let gone: BTreeSet<(Kind, i64)> = gone.map(|(kind, _, theirs)| (*kind, *theirs)).collect();
        gone.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(all: &[(i64, &str)]) -> Vec<Named> {
        all.iter().map(|(id, name)| (*id, Some((*name).to_owned()))).collect()
    }

    #[test]
    fn what_is_remembered_comes_before_names_and_each_has_one_like() {
        let (here, there) = (named(&[(1, "a"), (2, "b"), (3, "c")]), named(&[(11, "b"), (12, "a"), (13, "c")]));
        assert_eq!(pair(&[], &here, &there), BTreeMap::from([(1, 12), (2, 11), (3, 13)]));
        // Renamed: 1 is 11 whatever both are called; then "b" here has nothing there.
        assert_eq!(pair(&[(1, 11)], &here, &there), BTreeMap::from([(1, 11), (3, 13)]));
        // What was remembered and is gone is found by its name again.
        assert_eq!(pair(&[(1, 99), (7, 13)], &here, &there), BTreeMap::from([(1, 12), (2, 11), (3, 13)]));
        let unnamed = vec![(5, None)];
        assert_eq!(pair(&[], &unnamed, &there), BTreeMap::new());
    }
}

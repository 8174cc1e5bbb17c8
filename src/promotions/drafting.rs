//! Each thing as it would be in the other Application: what it names is what stands for that there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::connections::Reading;
use super::sides::{Matches, Side};
use crate::db::Conn;
use crate::environments::Chosen;
use crate::error::Result;
use crate::import_sets::{self, ImportSet, SetDefinition};
use crate::imports::{self, Listed, Target};
use crate::schedules::{self, Notify, Schedule};
use crate::secrets::Secrets;

/// What stands for what. What comes new has no number there yet: that of here, below zero, stands for it until it has.
pub struct Drafting<'a> {
    pub from: &'a Side,
    pub to: &'a Side,
    pub matches: Matches,
    pub connections: Chosen,
    /// What could be chosen of them.
    pub readings: &'a [Reading],
    pub secrets: &'a Secrets,
    /// Who may be told about imports there.
    pub told: BTreeSet<i64>,
}

impl Drafting<'_> {
    pub fn configuration_there(&self, id: i64) -> Option<&Listed> {
        self.matches.configurations.get(&id).and_then(|id| self.to.configuration(*id))
    }

    pub fn set_there(&self, id: i64) -> Option<&(ImportSet, SetDefinition)> {
        self.matches.sets.get(&id).and_then(|id| self.to.set(*id))
    }

    pub fn schedule_there(&self, id: i64) -> Option<&Schedule> {
        self.matches.schedules.get(&id).and_then(|id| self.to.schedule(*id))
    }

    pub fn configuration(&self, listed: &Listed) -> imports::Draft {
        let Matches { blocks, translations, .. } = &self.matches;
        let copies = imports::Copies { blocks, translations, connections: &self.connections };
        let mut draft = copies.draft(&listed.configuration, listed.definition.clone()).tidy();
        let there = self.configuration_there(listed.configuration.id);
        // Which columns it fills by their names was found there by a load.
        if let Some(there) = there.filter(|there| there.definition.mapping.is_none())
            && draft.definition.mapping.is_none()
            && draft.definition.columns.is_none()
        {
            draft.definition.columns = there.definition.columns.clone();
        }
        draft
    }

    pub fn set(&self, conn: &mut Conn, (set, definition): &(ImportSet, SetDefinition)) -> Result<import_sets::Draft> {
        let mut draft = import_sets::Draft::of(set, definition);
        for step in &mut draft.definition.steps {
            step.parameters =
                self.values(conn, Target::Configuration(step.configuration_id), step.parameters.as_ref())?;
            let there = self.matches.configurations.get(&step.configuration_id);
            step.configuration_id = there.copied().unwrap_or(-step.configuration_id);
        }
        Ok(draft)
    }

    /// One that is there stays on or off and tells whom it tells; one that comes new is off.
    pub fn schedule(&self, conn: &mut Conn, schedule: &Schedule) -> Result<schedules::Draft> {
        let mut draft = schedule.draft();
        draft.parameters = self.values(conn, schedule.target, schedule.parameters.as_ref())?;
        draft.target = self.matches.target(schedule.target).unwrap_or(match schedule.target {
            Target::Configuration(id) => Target::Configuration(-id),
            Target::Set(id) => Target::Set(-id),
        });
        match self.schedule_there(schedule.id) {
            Some(there) => {
                draft.enabled = there.enabled;
                draft.off_until = there.off_until;
                draft.notify = there.notify.clone();
            }
            None => {
                draft.enabled = false;
                draft.off_until = None;
                draft.notify = draft.notify.and_then(|notify| self.heard(notify));
            }
        }
        Ok(draft)
    }

    fn heard(&self, mut notify: Notify) -> Option<Notify> {
        // Who of a group may be told there is asked when something is told.
        notify.member_ids.retain(|id| self.told.contains(id));
        (!notify.member_ids.is_empty() || !notify.group_ids.is_empty()).then_some(notify)
    }

    fn values(&self, conn: &mut Conn, of: Target, values: Option<&Value>) -> Result<Option<Value>> {
        let (configurations, kept_files): (&BTreeMap<i64, i64>, _) = (&self.matches.configurations, &self.matches.kept);
        import_sets::Copies { configurations, kept_files, secrets: self.secrets }.values(conn, of, values)
    }
}

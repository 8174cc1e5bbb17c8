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
use crate::parameters;
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
            let of = Target::Configuration(step.configuration_id);
            let there = self.step_there(set.id, step.configuration_id);
            step.parameters = self.values(conn, of, step.parameters.as_ref())?;
            step.parameters = self.with_own_secrets(of, step.parameters.take(), there);
            let there = self.matches.configurations.get(&step.configuration_id);
            step.configuration_id = there.copied().unwrap_or(-step.configuration_id);
        }
        Ok(draft)
    }

    /// One that is there stays on or off and tells whom it tells; one that comes new is off.
    pub fn schedule(&self, conn: &mut Conn, schedule: &Schedule) -> Result<schedules::Draft> {
        let mut draft = schedule.draft();
        draft.parameters = self.values(conn, schedule.target, schedule.parameters.as_ref())?;
        let there = self.schedule_there(schedule.id).and_then(|there| there.parameters.as_ref());
        draft.parameters = self.with_own_secrets(schedule.target, draft.parameters.take(), there);
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

    /// The values of the step there that runs what stands for this configuration.
    pub fn step_there(&self, set_id: i64, configuration_id: i64) -> Option<&Value> {
        let like = self.matches.configurations.get(&configuration_id)?;
        let (_, definition) = self.set_there(set_id)?;
        definition.steps.iter().find(|step| step.configuration_id == *like)?.parameters.as_ref()
    }

    /// Whether the value of this name is a secret for a Connection that is another one there: such a secret stays with the
    /// Connection that it was entered for.
    fn stays_here(&self, of: Target, (name, value): (&str, &Value)) -> bool {
        let configuration = match of {
            Target::Configuration(id) => Some(id),
            Target::Set(id) => name.split_once('.').and_then(|(position, _)| {
                let at = position.parse::<usize>().ok()?.checked_sub(1)?;
                Some(self.from.set(id)?.1.steps.get(at)?.configuration_id)
            }),
        };
        let reads = configuration.and_then(|id| self.from.configuration(id)?.configuration.connection_id);
        let other = |id| self.connections.get(&id).is_some_and(|there| *there != id);
        parameters::is_secret(value) && reads.is_some_and(other)
    }

    /// What there has as its own secret stays.
    fn with_own_secrets(&self, of: Target, values: Option<Value>, there: Option<&Value>) -> Option<Value> {
        let Some(Value::Object(mut values)) = values else { return values };
        for (name, value) in &mut values {
            if self.stays_here(of, (name, value))
                && let Some(own) = there.and_then(|there| there.get(name)).filter(|own| parameters::is_secret(own))
            {
                *value = own.clone();
            }
        }
        Some(Value::Object(values))
    }

    /// The names of the secrets that stay here, and that nobody has entered there yet.
    pub fn secrets_missing(&self, of: Target, values: Option<&Value>, there: Option<&Value>) -> Vec<String> {
        let is_there = |name: &str| there.and_then(|there| there.get(name)).is_some_and(parameters::is_secret);
        let values = values.and_then(Value::as_object).into_iter().flatten();
        let missing = values.filter(|(name, value)| self.stays_here(of, (name, value)) && !is_there(name));
        missing.map(|(name, _)| name.clone()).collect()
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

//! What the schedule form is explained with besides what was typed: the schedules that could come too close, how long
//! imports usually take, the clock of whoever looks. Read in a number of queries that does not grow with the schedules.

use std::collections::HashMap;

use chrono::Duration;
use chrono_tz::Tz;

use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::freezes::{self, Freeze};
use crate::import_sets::{self, Execution, ImportSet, SetDefinition};
use crate::imports::{self, Configuration, Definition, Overlap};
use crate::members::By;
use crate::runs::glance;
use crate::schedules::busy::Lasting;
use crate::schedules::collisions::{self, Neighbour, Target};
use crate::schedules::{self, Rule, Schedule, actions};
use crate::workspace;

/// What the form names: a configuration, or a set with its steps.
#[derive(Clone, Debug)]
pub struct Chosen {
    target: imports::Target,
    uses: Vec<Uses>,
    /// Of a set: all its steps at once.
    parallel: bool,
    pub overlap: Overlap,
}

/// What a configuration reads and fills.
#[derive(Clone, Copy, Debug)]
struct Uses {
    configuration_id: i64,
    block_id: i64,
    connection_id: Option<i64>,
    source_block_id: Option<i64>,
}

impl Uses {
    fn of(configuration: &Configuration) -> Self {
        Self {
            configuration_id: configuration.id,
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            source_block_id: configuration.source_block_id,
        }
    }
}

impl Chosen {
    pub fn of(configuration: &Configuration, definition: &Definition) -> Self {
        Self {
            target: imports::Target::Configuration(configuration.id),
            uses: vec![Uses::of(configuration)],
            parallel: false,
            overlap: definition.overlap,
        }
    }

    /// A set; a configuration of its steps that is not there is left out.
    pub fn of_set(
        set: &ImportSet,
        definition: &SetDefinition,
        configuration: impl Fn(i64) -> Option<Configuration>,
    ) -> Self {
        let steps = definition.steps.iter().filter_map(|step| configuration(step.configuration_id));
        Self {
            target: imports::Target::Set(set.id),
            uses: steps.map(|step| Uses::of(&step)).collect(),
            parallel: definition.execution == Execution::Parallel,
            overlap: Overlap::Skip,
        }
    }

    /// By its id; one that is not there, or another Application's, is none.
    pub fn find(conn: &mut Conn, entered: &Entered, target: imports::Target) -> Result<Option<Self>> {
        match target {
            imports::Target::Configuration(id) => match imports::find(conn, entered, id) {
                Ok((configuration, definition)) => Ok(Some(Self::of(&configuration, &definition))),
                Err(AppError::NotFound) => Ok(None),
                Err(other) => Err(other),
            },
            imports::Target::Set(id) => {
                let found = import_sets::listed_of(conn, entered.application.id, &[id])?.pop();
                let Some((set, definition)) = found else { return Ok(None) };
                let ids: Vec<i64> = definition.steps.iter().map(|step| step.configuration_id).collect();
                let steps = imports::by_ids(conn, &ids)?;
                Ok(Some(Self::of_set(&set, &definition, |id| steps.iter().find(|step| step.id == id).cloned())))
            }
        }
    }

    /// The configurations that it runs.
    pub fn configurations(&self) -> impl Iterator<Item = i64> {
        self.uses.iter().map(|uses| uses.configuration_id)
    }
}

pub struct Beside {
    application_id: i64,
    pub spacing_minutes: i32,
    pub neighbours: Vec<Neighbour>,
    /// All of the Application, those that are off among them.
    schedules: Vec<Schedule>,
    /// Of the Application.
    pub freezes: Vec<Freeze>,
    /// Of configurations that have succeeded before.
    usual: HashMap<i64, Duration>,
    /// The member's own time zone, else the Workspace's.
    pub viewer: Tz,
}

impl Beside {
    /// For a member who has entered the Application and may open Import Scheduling there; with the configurations that
    /// the form can name.
    pub fn load(conn: &mut Conn, by: &By, entered: &Entered, of_form: impl Iterator<Item = i64>) -> Result<Self> {
        let application = &entered.application;
        let neighbours = collisions::neighbours(conn, by, application.id)?;
        let mut configurations: Vec<i64> =
            neighbours.iter().map(|other| other.configuration_id).chain(of_form).collect();
        configurations.sort_unstable();
        configurations.dedup();
        Ok(Self {
            application_id: application.id,
            spacing_minutes: application.spacing_minutes,
            freezes: freezes::of_application(conn, application.id)?,
            usual: glance::usual_durations(conn, &configurations)?,
            neighbours,
            schedules: schedules::clock::of_application(conn, application.id)?,
            viewer: match by.member.time_zone {
                Some(zone) => zone,
                None => workspace::get(conn)?.time_zone,
            },
        })
    }

    /// What is compared with the others: of a set each step.
    pub fn targets(&self, chosen: &Chosen, schedule_id: Option<i64>) -> Vec<Target> {
        let target = |uses: &Uses| Target {
            application_id: self.application_id,
            set_id: chosen.target.set(),
            configuration_id: uses.configuration_id,
            block_id: uses.block_id,
            connection_id: uses.connection_id,
            source_block_id: uses.source_block_id,
            spacing_minutes: self.spacing_minutes,
            schedule_id,
        };
        chosen.uses.iter().map(target).collect()
    }

    /// Why the form could not be saved as it is.
    pub fn in_the_way(&self, rule: &Rule, chosen: &Chosen, schedule_id: Option<i64>, now: Moment) -> Option<String> {
        let others: Vec<Schedule> = self.schedules.iter().filter(|s| s.target == chosen.target).cloned().collect();
        let own = self.schedules.iter().find(|schedule| Some(schedule.id) == schedule_id);
        actions::in_the_way(&others, own, rule, now)
    }

    /// How long an import of a configuration usually takes; one that never succeeded a minute.
    pub fn usual(&self, configuration_id: Option<i64>) -> Duration {
        let known = configuration_id.and_then(|id| self.usual.get(&id).copied());
        known.unwrap_or(Duration::minutes(1))
    }

    /// The same of the form's own. The steps of a set follow each other, or go at once.
    pub fn own_usual(&self, chosen: Option<&Chosen>) -> Duration {
        let Some(chosen) = chosen.filter(|chosen| !chosen.uses.is_empty()) else { return self.usual(None) };
        let each = chosen.configurations().map(|id| self.usual(Some(id)));
        match chosen.parallel {
            true => each.max().unwrap_or_else(|| self.usual(None)),
            false => each.fold(Duration::zero(), |all, one| all + one),
        }
    }

    /// What else keeps this Application and the chosen Connections busy.
    pub fn others<'a>(
        &'a self,
        chosen: Option<&Chosen>,
        schedule_id: Option<i64>,
    ) -> impl Iterator<Item = Lasting<'a>> {
        let connections: Vec<i64> =
            chosen.iter().flat_map(|chosen| &chosen.uses).filter_map(|uses| uses.connection_id).collect();
        let here = |other: &Neighbour| other.application_id == self.application_id;
        let others = self.neighbours.iter().filter(move |other| {
            let same_connection = other.connection_id.is_some_and(|id| connections.contains(&id));
            (here(other) || same_connection) && !(here(other) && schedule_id == Some(other.id))
        });
        others.map(|other| (&other.rule, self.usual(Some(other.configuration_id))))
    }
}

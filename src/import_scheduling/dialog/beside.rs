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
use crate::import_sets;
use crate::imports::{self, Configuration, Definition, Overlap};
use crate::members::By;
use crate::runs::glance;
use crate::schedules::busy::Lasting;
use crate::schedules::collisions::{self, Neighbour, Target};
use crate::schedules::{self, Rule, Schedule, actions};
use crate::workspace;

/// The configuration that the form names.
#[derive(Clone, Copy, Debug)]
pub struct Chosen {
    configuration_id: i64,
    block_id: i64,
    connection_id: Option<i64>,
    source_block_id: Option<i64>,
    pub overlap: Overlap,
}

/// What the form names to run.
#[derive(Clone, Copy, Debug)]
pub enum Runs {
    Configuration(Chosen),
    Set(i64),
}

impl Chosen {
    pub fn of(configuration: &Configuration, definition: &Definition) -> Self {
        Self {
            configuration_id: configuration.id,
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            source_block_id: configuration.source_block_id,
            overlap: definition.overlap,
        }
    }

    /// By its id; one that is not there, or another Application's, is none.
    pub fn find(conn: &mut Conn, entered: &Entered, id: i64) -> Result<Option<Self>> {
        match imports::find(conn, entered, id) {
            Ok((configuration, definition)) => Ok(Some(Self::of(&configuration, &definition))),
            Err(AppError::NotFound) => Ok(None),
            Err(other) => Err(other),
        }
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
    /// What the sets that the form can name use, step by step.
    sets: HashMap<i64, Vec<Chosen>>,
    /// Of configurations that have succeeded before.
    usual: HashMap<i64, Duration>,
    /// The member's own time zone, else the Workspace's.
    pub viewer: Tz,
}

impl Beside {
    /// For a member who has entered the Application and may open Import Scheduling there; with the configurations that
    /// the form can name, and its sets.
    pub fn load(
        conn: &mut Conn,
        by: &By,
        entered: &Entered,
        (of_form, sets): (impl Iterator<Item = i64>, &[i64]),
    ) -> Result<Self> {
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
            sets: steps_of(conn, application.id, sets)?,
            usual: glance::usual_durations(conn, &configurations)?,
            neighbours,
            schedules: schedules::clock::of_application(conn, application.id)?,
            viewer: match by.member.time_zone {
                Some(zone) => zone,
                None => workspace::get(conn)?.time_zone,
            },
        })
    }

    pub fn target(&self, chosen: Chosen, schedule_id: Option<i64>) -> Target {
        Target {
            application_id: self.application_id,
            configuration_id: chosen.configuration_id,
            block_id: chosen.block_id,
            connection_id: chosen.connection_id,
            source_block_id: chosen.source_block_id,
            spacing_minutes: self.spacing_minutes,
            schedule_id,
        }
    }

    /// All that what the form names uses.
    pub fn targets(&self, runs: Option<Runs>, schedule_id: Option<i64>) -> Vec<Target> {
        let steps = match &runs {
            Some(Runs::Configuration(chosen)) => std::slice::from_ref(chosen),
            Some(Runs::Set(id)) => self.sets.get(id).map_or(&[][..], Vec::as_slice),
            None => &[],
        };
        steps.iter().map(|chosen| self.target(*chosen, schedule_id)).collect()
    }

    /// Why the form could not be saved as it is.
    pub fn in_the_way(&self, rule: &Rule, runs: Runs, schedule_id: Option<i64>, now: Moment) -> Option<String> {
        let target = match runs {
            Runs::Configuration(chosen) => imports::Target::Configuration(chosen.configuration_id),
            Runs::Set(id) => imports::Target::Set(id),
        };
        let of = |schedule: &&Schedule| schedule.target == target;
        let others: Vec<Schedule> = self.schedules.iter().filter(of).cloned().collect();
        let own = self.schedules.iter().find(|schedule| Some(schedule.id) == schedule_id);
        actions::in_the_way(&others, own, rule, now)
    }

    /// How long an import of a configuration usually takes; one that never succeeded a minute.
    pub fn usual(&self, configuration_id: Option<i64>) -> Duration {
        let known = configuration_id.and_then(|id| self.usual.get(&id).copied());
        known.unwrap_or(Duration::minutes(1))
    }

    /// The same of the form's own.
    pub fn own_usual(&self, chosen: Option<Chosen>) -> Duration {
        self.usual(chosen.map(|chosen| chosen.configuration_id))
    }

    /// What else keeps this Application and the chosen Connection busy.
    pub fn others(&self, chosen: Option<Chosen>, schedule_id: Option<i64>) -> impl Iterator<Item = Lasting<'_>> {
        let connection = chosen.and_then(|chosen| chosen.connection_id);
        let here = |other: &Neighbour| other.application_id == self.application_id;
        let others = self.neighbours.iter().filter(move |other| {
            let same_connection = connection.is_some() && other.connection_id == connection;
            (here(other) || same_connection) && !(here(other) && schedule_id == Some(other.id))
        });
        others.map(|other| (&other.rule, self.usual(Some(other.configuration_id))))
    }
}

fn steps_of(conn: &mut Conn, application_id: i64, sets: &[i64]) -> Result<HashMap<i64, Vec<Chosen>>> {
    let sets = import_sets::listed_of(conn, application_id, sets)?;
    let mut ids: Vec<i64> = sets.iter().flat_map(|(_, set)| &set.steps).map(|step| step.configuration_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let found = imports::by_ids(conn, &ids)?;
    let of_step = |step: &import_sets::Step| {
        let found = found.iter().find(|found| found.id == step.configuration_id)?;
        Some(Chosen {
            configuration_id: found.id,
            block_id: found.block_id,
            connection_id: found.connection_id,
            source_block_id: found.source_block_id,
            overlap: Overlap::Queue,
        })
    };
    Ok(sets.iter().map(|(set, of)| (set.id, of.steps.iter().filter_map(of_step).collect())).collect())
}

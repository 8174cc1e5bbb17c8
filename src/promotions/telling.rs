//! Each thing that may be promoted, with what would change.

use std::collections::HashMap;

use serde_json::Value;

use super::connections::Reading;
use super::drafting::Drafting;
use super::obstacles;
use super::reckoning::{Item, State};
use super::sides::Side;
use super::told;
use crate::applications::Entered;
use crate::audit_log::{Names, between};
use crate::clock::Moment;
use crate::db::Conn;
use crate::environments::Kind;
use crate::error::Result;
use crate::import_sets::{self, ImportSet, SetDefinition};
use crate::imports::{self, Listed, Target};
use crate::members::By;
use crate::schedules::{self, Schedule};
use crate::words;

/// So many differences of a thing are told.
const MOST: usize = 30;

/// What things are called while all of it is told, by the numbers that stand for them there.
pub struct Teller<'a> {
    drafting: &'a Drafting<'a>,
    names: Names,
    blocks: told::Names,
    connections: told::Names,
    tables: told::Names,
    steps: told::Names,
    kept: told::Names,
}

impl<'a> Teller<'a> {
    pub fn of(drafting: &'a Drafting<'a>, readings: &[Reading], members: HashMap<i64, String>) -> Self {
        let (from, to) = (drafting.from, drafting.to);
        let sides = || [from, to].into_iter();
        let all = || sides().flat_map(|side| side.configurations.iter());
        let named = |listed: &Listed| (listed.configuration.id, listed.configuration.name.clone());
        let mut blocks: told::Names = sides().flat_map(|s| s.blocks.iter()).map(|b| (b.id, b.name.clone())).collect();
        blocks.extend(all().filter_map(|l| Some((l.configuration.source_block_id?, l.source_block_name.clone()?))));
        let mut connections: told::Names =
            readings.iter().flat_map(|reading| reading.choices.iter().cloned()).collect();
        connections.extend(all().filter_map(|l| Some((l.configuration.connection_id?, l.connection_name.clone()?))));
        let mut steps: told::Names = to.configurations.iter().map(named).collect();
        steps.extend(from.configurations.iter().map(named).map(|(id, name)| (-id, name)));
        Self {
            names: Names { members, ..Names::default() },
            tables: sides().flat_map(|s| s.translations.iter()).map(|t| (t.id, t.name.clone())).collect(),
            kept: sides().flat_map(|s| s.kept.iter()).map(|kept| (kept.id, kept.name.clone())).collect(),
            drafting,
            blocks,
            connections,
            steps,
        }
    }

    fn between(&self, item: &mut Item, was: Option<&Value>, is: &Value) {
        if item.state == State::Changed {
            (item.differences, item.more) = between((was, Some(is)), &self.names, MOST);
        }
    }

    pub fn configuration(&self, conn: &mut Conn, (by, to): (&By, &Entered), listed: &Listed) -> Result<Item> {
        let (of, configuration) = (self.drafting, &listed.configuration);
        let there = of.configuration_there(configuration.id);
        let draft = of.configuration(listed);
        let was = there.map(|there| imports::Draft::of(&there.configuration, &there.definition));
        let is = state(was.as_ref().map(|was| *was == draft));
        let like = there.map(|there| there.configuration.id);
        let called = (configuration.name.clone(), told::about(listed));
        let mut item = Item::new((Kind::Configuration, configuration.id), called, (like, is));
        if !item.differs() {
            return Ok(item);
        }
        item.obstacles = obstacles::of_configuration(of, listed, &draft);
        if item.obstacles.is_empty() {
            let was = there.map(|there| (&there.configuration, &there.definition));
            let (_, errors) = imports::examine(conn, by, to, draft.clone(), was)?;
            item.obstacles.extend(errors.0.into_iter().map(|error| error.detail));
        }
        if let Some(there) = there {
            let names = (&self.blocks, &self.connections, &self.tables);
            let old = told::configuration((&there.configuration, &there.definition), names);
            let would_be = draft.over(&there.configuration);
            self.between(&mut item, Some(&old), &told::configuration((&would_be, &draft.definition), names));
        }
        item.print = print(&item, &draft, &was);
        Ok(item)
    }

    pub fn set(&self, conn: &mut Conn, set: &(ImportSet, SetDefinition)) -> Result<Item> {
        let of = self.drafting;
        let there = of.set_there(set.0.id);
        let draft = of.set(conn, set)?;
        let was = there.map(|(there, definition)| import_sets::Draft::of(there, definition));
        let is = state(was.as_ref().map(|was| *was == draft));
        let called = (set.0.name.clone(), words::counted(set.1.steps.len() as i64, "step", "steps"));
        let mut item = Item::new((Kind::Set, set.0.id), called, (there.map(|(there, _)| there.id), is));
        if !item.differs() {
            return Ok(item);
        }
        for step in &set.1.steps {
            let id = step.configuration_id;
            let of_step = Target::Configuration(id);
            item.obstacles.extend(obstacles::of_files(conn, of, of_step, step.parameters.as_ref())?);
            let own = of.step_there(set.0.id, id);
            item.obstacles.extend(obstacles::of_secrets(of, of_step, step.parameters.as_ref(), own));
            if !of.matches.configurations.contains_key(&id) {
                item.needs.push((Kind::Configuration, id, of.from.name_of(of_step).to_owned()));
            }
        }
        item.needs.dedup();
        item.obstacles.extend(obstacles::of_set(of, set.0.id, &draft));
        let old = was.as_ref().map(|was| import_sets::compared(was, &self.steps, &self.kept));
        self.between(&mut item, old.as_ref(), &import_sets::compared(&draft, &self.steps, &self.kept));
        item.print = print(&item, &draft, &was);
        Ok(item)
    }

    pub fn schedule(&self, conn: &mut Conn, by: &By, schedule: &Schedule, now: Moment) -> Result<Item> {
        let of = self.drafting;
        let there = of.schedule_there(schedule.id);
        let draft = of.schedule(conn, schedule)?;
        let is = state(there.map(|there| draft.changes_nothing(there)));
        let called = (of.from.name_of(schedule.target).to_owned(), sentence(schedule));
        let mut item = Item::new((Kind::Schedule, schedule.id), called, (there.map(|there| there.id), is));
        if !item.differs() {
            return Ok(item);
        }
        item.obstacles = obstacles::of_schedule(of, schedule, now);
        item.obstacles.extend(obstacles::of_files(conn, of, schedule.target, schedule.parameters.as_ref())?);
        let own = there.and_then(|there| there.parameters.as_ref());
        item.obstacles.extend(obstacles::of_secrets(of, schedule.target, schedule.parameters.as_ref(), own));
        if of.matches.target(schedule.target).is_none() {
            let (kind, id) = match schedule.target {
                Target::Configuration(id) => (Kind::Configuration, id),
                Target::Set(id) => (Kind::Set, id),
            };
            item.needs.push((kind, id, item.name.clone()));
        }
        if let Some(there) = there {
            // An import that is only called otherwise is no other import.
            let runs = if draft.target == there.target { &item.name } else { of.to.name_of(there.target) };
            let old = told::schedule(there, runs, &self.kept);
            let would_be = Schedule {
                rule: schedule.rule,
                run_name: draft.run_name.clone(),
                parameters: draft.parameters.clone(),
                // Whoever saves it owns it.
                owner_id: by.member.id,
                ..there.clone()
            };
            let new = told::schedule(&would_be, &item.name, &self.kept);
            self.between(&mut item, Some(&old), &new);
        }
        item.print = print(&item, &draft, &there.map(|there| (there.version, there.draft())));
        Ok(item)
    }

    /// What was deleted here and stays there.
    pub fn gone(&self, kind: Kind, id: i64) -> Option<Item> {
        let to: &Side = self.drafting.to;
        let called = match kind {
            Kind::Configuration => to.configuration(id).map(|l| (l.configuration.name.clone(), told::about(l)))?,
            Kind::Set => to.set(id).map(|(set, _)| (set.name.clone(), String::new()))?,
            Kind::Schedule => to.schedule(id).map(|s| (to.name_of(s.target).to_owned(), sentence(s)))?,
        };
        Some(Item::new((kind, id), called, (Some(id), State::Gone)))
    }
}

fn state(same: Option<bool>) -> State {
    match same {
        None => State::New,
        Some(true) => State::Equal,
        Some(false) => State::Changed,
    }
}

/// "Nightly: Every day at 06:00, Europe/Paris"
fn sentence(schedule: &schedules::Schedule) -> String {
    match &schedule.run_name {
        Some(name) => format!("{name}: {}", schedule.sentence()),
        None => schedule.sentence(),
    }
}

/// All that it would be and was, and what is in the way.
fn print(item: &Item, is: &impl std::fmt::Debug, was: &impl std::fmt::Debug) -> String {
    format!("{} {} {:?} {is:?} {was:?} {:?};", item.kind, item.id, item.there, item.obstacles)
}

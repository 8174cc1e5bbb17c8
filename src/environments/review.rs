//! The schedules that a clone, a refresh or a reset turned off, or that were promoted here, until each is on again or
//! somebody has enough of being asked: what each waits for, and all that are ready turned on at once.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::model::Environment;
use super::promoted_store::{self, Promotion};
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::connections;
use crate::db::Conn;
use crate::error::Result;
use crate::files::kept;
use crate::import_sets::{self, Known};
use crate::imports::{self, Listed, Target};
use crate::members::{self, By, Member, Scope};
use crate::schedules::{self, Schedule, actions, flagged};
use crate::secrets::Secrets;

/// One that waits.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub schedule: Schedule,
    /// What it runs.
    pub name: String,
    pub owner: String,
    /// Its next occurrence, should it be turned on now.
    pub next_at: Option<Moment>,
    /// What keeps it from running, and the page on which that is mended.
    pub wrong: Option<(String, String)>,
}

/// All that wait, by what they run.
#[derive(Clone, Debug)]
pub struct Review {
    /// What was done to the whole Application last.
    pub environment: Option<Environment>,
    /// What was promoted into it since, the newest first.
    pub promotions: Vec<Promotion>,
    pub waiting: Vec<Waiting>,
    /// Those that were off before, and stay so.
    pub off_before: usize,
}

impl Review {
    pub fn ready(&self) -> impl Iterator<Item = &Waiting> {
        self.waiting.iter().filter(|waiting| waiting.wrong.is_none())
    }
}

/// How many wait, where somebody is still to be asked to look at them, and whether all came as copies.
pub fn waiting(conn: &mut Conn, application_id: i64) -> Result<Option<(i64, bool)>> {
    let environment = store::of(conn, application_id)?.filter(|e| e.dismissed_at.is_none());
    let mut since: Vec<Moment> = environment.iter().map(|e| e.at).collect();
    let promoted: Vec<Moment> =
        promoted_store::of(conn, application_id)?.iter().map(|promotion| promotion.at).collect();
    let copies = promoted.is_empty();
    since.extend(promoted);
    if since.is_empty() {
        return Ok(None);
    }
    let count = schedules::count_off_since(conn, application_id, &since)?;
    Ok(Some((count, copies)).filter(|_| count > 0))
}

/// Schedules came from another Application, off since then: somebody is to be asked to look at them. Of what came before,
/// only that is kept for which schedules still wait.
pub fn promoted(conn: &mut Conn, promotion: &Promotion) -> Result<()> {
    for before in promoted_store::of(conn, promotion.application_id)? {
        if schedules::count_off_since(conn, before.application_id, &[before.at])? == 0 {
            promoted_store::forget(conn, before.application_id, before.at)?;
        }
    }
    promoted_store::insert(conn, promotion)
}

/// What waits; none where nothing was ever done to the Application. For whom may open its Import Scheduling.
pub fn load(conn: &mut Conn, secrets: &Secrets, entered: &Entered, now: Moment) -> Result<Option<Review>> {
    let environment = store::of(conn, entered.application.id)?;
    let promotions = promoted_store::of(conn, entered.application.id)?;
    let since: Vec<Moment> = environment.iter().map(|e| e.at).chain(promotions.iter().map(|p| p.at)).collect();
    if since.is_empty() {
        return Ok(None);
    }
    let off = |s: &Schedule| s.state() == schedules::State::Off && s.off_until.is_none();
    let all: Vec<Schedule> = actions::of_application(conn, entered)?.into_iter().filter(off).collect();
    let (waiting, before): (Vec<Schedule>, Vec<Schedule>) =
        all.into_iter().partition(|s| s.off_since.is_some_and(|at| since.contains(&at)));
    let scene = Scene::load(conn, secrets, entered, &waiting)?;
    let mut waiting: Vec<Waiting> = waiting
        .into_iter()
        .map(|schedule| {
            let wrong = scene.wrong(&schedule, now);
            Waiting {
                name: scene.known.get(&schedule.target).map(|known| known.name.clone()).unwrap_or_default(),
                owner: scene.owners.get(&schedule.owner_id).map_or("Nobody", |(owner, _)| &owner.name).to_owned(),
                next_at: schedule.upcoming(now).filter(|_| wrong.is_none()),
                wrong,
                schedule,
            }
        })
        .collect();
    waiting.sort_by(|a, b| (&a.name, a.schedule.id).cmp(&(&b.name, b.schedule.id)));
    Ok(Some(Review { environment, promotions, waiting, off_before: before.len() }))
}

/// Nobody wants to be asked any more.
pub fn dismiss(conn: &mut Conn, by: &By, application_id: i64, now: Moment) -> Result<()> {
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    let asked = store::of(conn, application_id)?.is_some_and(|e| e.dismissed_at.is_none());
    if asked {
        store::dismiss(conn, application_id, now)?;
    }
    let promoted = promoted_store::forget_all(conn, application_id)? > 0;
    if asked || promoted {
        let entry = Entry::of("application.review-dismissed", "application", application_id);
        by.audit(conn, entry.application(application_id), now)?;
    }
    Ok(())
}

/// What runs are made of, as it stands.
struct Scene {
    base: String,
    known: HashMap<Target, Known>,
    /// The configurations that each target runs.
    runs: BTreeMap<Target, Vec<(i64, bool)>>,
    configurations: HashMap<i64, Listed>,
    authorised: HashSet<i64>,
    kept: HashSet<i64>,
    owners: HashMap<i64, (Member, bool)>,
    /// Of schedules, by id: which secret their runs will not open.
    shut: HashMap<i64, String>,
}

impl Scene {
    fn load(conn: &mut Conn, secrets: &Secrets, entered: &Entered, waiting: &[Schedule]) -> Result<Self> {
        let id = entered.application.id;
        let mut targets: Vec<Target> = waiting.iter().map(|s| s.target).collect();
        targets.sort_unstable();
        targets.dedup();
        let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
        let mut runs: BTreeMap<Target, Vec<(i64, bool)>> = BTreeMap::new();
        for (set, definition) in import_sets::listed_of(conn, id, &sets)? {
            // A file that the step keeps is there for whoever runs it.
            let steps = definition.steps.iter().map(|s| (s.configuration_id, s.parameters.is_some()));
            runs.insert(Target::Set(set.id), steps.collect());
        }
        for target in &targets {
            runs.entry(*target).or_insert_with(|| target.configuration().map(|id| (id, false)).into_iter().collect());
        }
        let ids: Vec<i64> = runs.values().flatten().map(|(id, _)| *id).collect();
        let configurations = imports::listed(conn, entered, &ids)?;
        let owners: Vec<i64> = waiting.iter().map(|s| s.owner_id).collect();
        let owners = members::by_ids(conn, &owners)?;
        let standings = applications::standings(conn, &owners, &entered.application)?;
        Ok(Self {
            base: format!("/applications/{id}"),
            known: import_sets::known(conn, &targets)?,
            runs,
            configurations: configurations.into_iter().map(|listed| (listed.configuration.id, listed)).collect(),
            authorised: connections::of_application(conn, id)?.into_iter().map(|c| c.id).collect(),
            kept: kept::of_application(conn, id)?.into_iter().map(|kept| kept.id).collect(),
            owners: owners
                .into_iter()
                .zip(standings)
                .map(|(owner, stands)| (owner.id, (owner, stands.may_import())))
                .collect(),
            shut: flagged::shut(conn, secrets, id, waiting)?,
        })
    }

    /// What is wrong first, and where it is mended.
    fn wrong(&self, schedule: &Schedule, now: Moment) -> Option<(String, String)> {
        let edit = format!("{}/schedules/{}/edit", self.base, schedule.id);
        let runs = self.runs.get(&schedule.target).map(Vec::as_slice).unwrap_or_default();
        for (id, has_values) in runs {
            let Some(listed) = self.configurations.get(id) else { continue };
            let configuration = &listed.configuration;
            let page = format!("{}/settings/import-configurations/{id}", self.base);
            if let Some(connection) = configuration.connection_id.filter(|id| !self.authorised.contains(id)) {
                let name = listed.connection_name.clone().unwrap_or_else(|| format!("Connection {connection}"));
                let whose = if schedule.target.set().is_some() { &configuration.name } else { "It" };
                return Some((format!("{whose} needs a Connection: {name} is not authorised here."), page));
            }
            let kept = kept::id_in(schedule.parameters.as_ref()).is_some_and(|id| self.kept.contains(&id));
            if configuration.needs_file() && schedule.target.set().is_none() && !kept {
                return Some(("It needs a kept file.".to_owned(), edit));
            }
            if configuration.needs_file() && schedule.target.set().is_some() && !has_values && !kept {
                let of_step = schedule.parameters.as_ref().and_then(|values| values.as_object());
                if !of_step.is_some_and(|values| values.keys().any(|name| kept::is_file(name))) {
                    return Some((format!("{} needs a kept file.", configuration.name), edit));
                }
            }
        }
        match self.owners.get(&schedule.owner_id) {
            Some((owner, _)) if !owner.active => {
                return Some((format!("Its Owner {} is deactivated.", owner.name), edit));
            }
            Some((owner, false)) => return Some((format!("Its Owner {} may not import here.", owner.name), edit)),
            Some(_) => {}
            None => return Some(("It has no Owner.".to_owned(), edit)),
        }
        if let Some(shut) = self.shut.get(&schedule.id) {
            return Some((shut.clone(), edit));
        }
        if let Some(broken) = &schedule.broken {
            return Some((broken.clone(), edit));
        }
        schedule.upcoming(now).is_none().then(|| ("It has no further occurrence.".to_owned(), edit))
    }
}

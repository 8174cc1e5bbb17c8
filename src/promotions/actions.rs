//! Promoting: what was shown, reckoned again under the locks with which it is done.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use serde_json::json;

use super::connections::Wanted;
use super::drafting::Drafting;
use super::ordering;
use super::reckoning::{Item, Reckoned, State, reckon};
use super::sides::Matches;
use crate::app::App;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::environments::{self, Kind, Pair, Promotion};
use crate::error::{AppError, FieldErrors, Result};
use crate::import_sets;
use crate::imports;
use crate::members::{By, Scope};
use crate::schedules::{self, actions as saving};

/// Of what, and to where.
#[derive(Clone, Debug)]
pub struct Wish {
    pub from: i64,
    pub to: i64,
    pub connections: Wanted,
}

/// Which things.
#[derive(Clone, Debug)]
pub enum Picked {
    /// All that differ.
    All,
    These(BTreeSet<(Kind, i64)>),
}

/// Enters an Application for who may promote from it and to it: whoever configures it and imports in it.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_configure(conn, by)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    Ok(entered)
}

/// Where a member may promote to, by name.
pub fn targets(conn: &mut Conn, by: &By, from: i64) -> Result<Vec<(i64, String)>> {
    let may = |entered: &Entered| entered.application.id != from && entered.may_configure() && entered.may_import();
    let all = applications::entered_by(conn, by)?.into_iter().filter(may);
    Ok(all.map(|entered| (entered.application.id, entered.application.name)).collect())
}

/// Whether a member sees no other Application at all.
pub fn is_alone(conn: &mut Conn, by: &By, from: i64) -> Result<bool> {
    Ok(applications::entered_by(conn, by)?.iter().all(|entered| entered.application.id == from))
}

fn enter_both(conn: &mut Conn, by: &By, wish: &Wish) -> Result<(Entered, Entered)> {
    let from = enter(conn, by, wish.from)?;
    if wish.from == wish.to {
        return Err(AppError::invalid("to", "Choose another Application."));
    }
    Ok((from, enter(conn, by, wish.to)?))
}

/// What would change now.
pub fn preview(conn: &mut Conn, app: &App, by: &By, wish: &Wish, now: Moment) -> Result<Reckoned> {
    let (from, to) = enter_both(conn, by, wish)?;
    reckon(conn, &app.secrets, by, (&from, &to), &wish.connections, now)
}

/// What a promotion did.
pub struct Done {
    /// As all was before.
    pub reckoned: Reckoned,
    /// What was promoted: the number of each here, and there.
    pub things: BTreeMap<(Kind, i64), i64>,
    /// How many schedules came, all off.
    pub arrived: usize,
}

impl Done {
    pub fn count(&self, kind: Kind) -> usize {
        self.things.keys().filter(|(of, _)| *of == kind).count()
    }
}

/// Promotes what was picked, all in the caller's transaction. `seen`: the mark of what was shown; nothing else is done.
///
/// `Invalid` on what cannot go as things stand; `Stale` when something else would change than was shown; `Conflict` when
/// nothing would.
pub fn promote(
    conn: &mut Conn,
    app: &App,
    by: &By,
    (wish, picked): (&Wish, &Picked),
    seen: Option<&str>,
    now: Moment,
) -> Result<Done> {
    let (from, to) = enter_both(conn, by, wish)?;
    hold(conn, [wish.from, wish.to])?;
    let reckoned = reckon(conn, &app.secrets, by, (&from, &to), &wish.connections, now)?;
    if seen.is_some_and(|seen| seen != reckoned.mark()) {
        let said = "What would change is no longer what you saw, so nothing was promoted. Check the changes below, then promote.";
        return Err(AppError::Stale(said.into()));
    }
    reckoned.errors.clone().ok_or(())?;
    let mut items = pick(&reckoned, picked)?;
    let mut drafting = reckoned.drafting(&app.secrets);
    ordering::sort(conn, &drafting, &mut items, now)?;
    let (mut things, mut arrived) = (BTreeMap::new(), 0);
    for item in items {
        let there = save(conn, (app, by), (&to, &drafting), item, now).map_err(|error| about(item, error))?;
        match item.kind {
            Kind::Configuration => drafting.matches.configurations.insert(item.id, there),
            Kind::Set => drafting.matches.sets.insert(item.id, there),
            Kind::Schedule => drafting.matches.schedules.insert(item.id, there),
        };
        things.insert((item.kind, item.id), there);
        arrived += usize::from(item.kind == Kind::Schedule && item.state == State::New);
    }
    let matches = drafting.matches;
    let done = Done { reckoned, things, arrived };
    remember(conn, by, &matches, &done, now)?;
    Ok(done)
}

/// Whoever saves something here or there goes before or after.
fn hold(conn: &mut Conn, ids: [i64; 2]) -> Result<()> {
    db::lock_rows(conn, "applications", &ids)?;
    let (mut configurations, mut sets) = (Vec::new(), Vec::new());
    for id in ids {
        configurations.extend(imports::ids_of(conn, id)?);
        sets.extend(import_sets::ids_of(conn, id)?);
    }
    db::lock_rows(conn, "import_configurations", &configurations)?;
    Ok(db::lock_rows(conn, "import_sets", &sets)?)
}

/// What goes, in the order in which it can: configurations before the sets and schedules that run them.
fn pick<'a>(reckoned: &'a Reckoned, picked: &Picked) -> Result<Vec<&'a Item>> {
    let mut errors = FieldErrors::new();
    if let Picked::These(these) = picked {
        for (kind, id) in these.iter().filter(|(kind, id)| reckoned.item(*kind, *id).is_none()) {
            let said = format!("{} has no {} {id} to promote.", reckoned.from.application.name, noun(*kind));
            errors.add("items", said);
        }
    }
    let goes = |item: &&Item| match picked {
        Picked::All => item.differs(),
        Picked::These(these) => item.differs() && these.contains(&(item.kind, item.id)),
    };
    let items: Vec<&Item> = reckoned.items.iter().filter(goes).collect();
    let going: HashSet<(Kind, i64)> = items.iter().map(|item| (item.kind, item.id)).collect();
    let mut missing = BTreeSet::new();
    for item in &items {
        for obstacle in &item.obstacles {
            errors.add("items", format!("{}: {obstacle}", item.name));
        }
        for (kind, id, name) in item.needs.iter().filter(|(kind, id, _)| !going.contains(&(*kind, *id))) {
            if !missing.insert((*kind, *id)) {
                continue;
            }
            errors
                .add("items", format!("Choose the {} {name} as well: something that you chose runs it.", noun(*kind)));
        }
    }
    errors.ok_or(())?;
    if items.is_empty() {
        return Err(AppError::Conflict("Nothing would change. Choose at least one thing that differs.".into()));
    }
    Ok(items)
}

/// "import configuration"
pub fn noun(kind: Kind) -> &'static str {
    match kind {
        Kind::Configuration => "import configuration",
        Kind::Set => "import set",
        Kind::Schedule => "schedule",
    }
}

/// A refusal says of what.
fn about(item: &Item, error: AppError) -> AppError {
    match error {
        AppError::Invalid(errors) => AppError::invalid("items", format!("{}: {}", item.name, errors.details())),
        AppError::Conflict(why) => AppError::Conflict(format!("{}: {why}", item.name)),
        other => other,
    }
}

/// Saves one thing there, as whoever saves it by hand does; its number there.
fn save(
    conn: &mut Conn,
    (app, by): (&App, &By),
    (to, drafting): (&Entered, &Drafting<'_>),
    item: &Item,
    now: Moment,
) -> Result<i64> {
    let (secrets, gone) = (&app.secrets, AppError::NotFound);
    match item.kind {
        Kind::Configuration => {
            let draft = drafting.configuration(drafting.from.configuration(item.id).ok_or(gone)?);
            let saved = match item.there {
                Some(id) => imports::update(conn, app.in_use, by, to, (id, None), draft, now)?,
                None => imports::create(conn, by, to, draft, now)?,
            };
            Ok(saved.id)
        }
        Kind::Set => {
            let draft = drafting.set(conn, drafting.from.set(item.id).ok_or(gone)?)?;
            let using = (secrets, app.followers);
            let saved = match item.there {
                Some(id) => import_sets::actions::update(conn, using, by, to, (id, None), draft, now)?,
                None => import_sets::actions::create(conn, secrets, by, to, draft, now)?,
            };
            Ok(saved.id)
        }
        Kind::Schedule => {
            let draft: schedules::Draft = drafting.schedule(conn, drafting.from.schedule(item.id).ok_or(gone)?)?;
            let saved = match item.there {
                Some(id) => saving::update(conn, secrets, by, (id, None), draft, now)?,
                None => saving::create(conn, secrets, by, to.application.id, draft, now)?,
            };
            Ok(saved.id)
        }
    }
}

/// What is the same from now on, that schedules came, and that it was done.
fn remember(conn: &mut Conn, by: &By, matches: &Matches, done: &Done, now: Moment) -> Result<()> {
    let (from, to) = (&done.reckoned.from.application, &done.reckoned.to.application);
    let all = [
        (Kind::Configuration, &matches.configurations),
        (Kind::Set, &matches.sets),
        (Kind::Schedule, &matches.schedules),
    ];
    let pairs: Vec<Pair> =
        all.iter().flat_map(|(kind, all)| all.iter().map(|(here, there)| (*kind, *there, *here))).collect();
    environments::relate(conn, (to.id, from.id), &pairs)?;
    if done.arrived > 0 {
        let promotion = Promotion { application_id: to.id, at: now, from_id: from.id, member_id: by.member.id };
        environments::promoted(conn, &promotion)?;
    }
    let after = json!({
        "name": to.name, "from_id": from.id, "from": from.name,
        "import_configurations": done.count(Kind::Configuration), "import_sets": done.count(Kind::Set),
        "schedules": done.count(Kind::Schedule),
    });
    let entry = Entry::of("application.promoted", "application", to.id).application(to.id);
    by.audit(conn, entry.after(after), now)
}

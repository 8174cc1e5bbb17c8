//! What a promotion would change: reckoned for the page that shows it, and once more for the deed.

use std::collections::{BTreeSet, HashMap};

use super::connections::{self, Reading, Wanted};
use super::drafting::Drafting;
use super::ordering;
use super::sides::{Matches, Side};
use super::telling::Teller;
use crate::applications::{self, Entered};
use crate::audit_log::Difference;
use crate::clock::Moment;
use crate::db::{Conn, text_enum};
use crate::environments::{self, Kind};
use crate::error::{FieldErrors, Result};
use crate::members::{self, By};
use crate::secrets::{self, Secrets};

text_enum! {
    /// How a thing here stands to what is there. Gone: it was deleted here, and stays there.
    pub enum State { New = "new", Changed = "changed", Equal = "equal", Gone = "gone" }
}

/// A thing that may be promoted; of one that is gone, that which stays there.
#[derive(Clone, Debug)]
pub struct Item {
    pub kind: Kind,
    pub id: i64,
    pub name: String,
    /// "Fills Sales: sales.csv from Warehouse files", "3 steps", "Every day at 06:00".
    pub about: String,
    /// Its like there.
    pub there: Option<i64>,
    pub state: State,
    pub differences: Vec<Difference>,
    /// So many more.
    pub more: usize,
    /// Why it cannot be promoted as things stand, in sentences.
    pub obstacles: Vec<String>,
    /// What is not there and has to come along: what, and its name.
    pub needs: Vec<(Kind, i64, String)>,
    /// All that it would be, for the mark.
    pub(super) print: String,
}

impl Item {
    /// What kind and which; name and what it is; its like there and how the two stand.
    pub(super) fn new(
        (kind, id): (Kind, i64),
        (name, about): (String, String),
        (there, state): (Option<i64>, State),
    ) -> Self {
        let (differences, obstacles, needs) = Default::default();
        Self { kind, id, name, about, there, state, differences, more: 0, obstacles, needs, print: String::new() }
    }

    pub fn differs(&self) -> bool {
        matches!(self.state, State::New | State::Changed)
    }

    /// It differs, and nothing is in the way.
    pub fn may_go(&self) -> bool {
        self.differs() && self.obstacles.is_empty()
    }
}

/// All that may be promoted from one Application to another, and all that is equal.
pub struct Reckoned {
    pub from: Side,
    pub to: Side,
    pub matches: Matches,
    pub readings: Vec<Reading>,
    /// What is wrong with the Connections that somebody chose.
    pub errors: FieldErrors,
    /// Configurations, sets, schedules; what is gone here comes last.
    pub items: Vec<Item>,
    /// Who may be told about imports there.
    pub told: BTreeSet<i64>,
}

impl Reckoned {
    pub fn item(&self, kind: Kind, id: i64) -> Option<&Item> {
        self.items.iter().find(|item| item.state != State::Gone && (item.kind, item.id) == (kind, id))
    }

    pub fn count(&self, state: State) -> usize {
        self.items.iter().filter(|item| item.state == state).count()
    }

    /// Of all that differs, in short: whoever saw the same saw this.
    pub fn mark(&self) -> String {
        let mut text = format!("{} {}", self.from.application.id, self.to.application.id);
        for item in self.items.iter().filter(|item| item.differs()) {
            text.push_str(&item.print);
        }
        secrets::hash("promotion", &text)
    }

    /// The means to draft each thing, for who is about to do it.
    pub fn drafting<'a>(&'a self, secrets: &'a Secrets) -> Drafting<'a> {
        Drafting {
            from: &self.from,
            to: &self.to,
            matches: self.matches.clone(),
            connections: connections::chosen(&self.readings),
            readings: &self.readings,
            secrets,
            told: self.told.clone(),
        }
    }
}

/// For who has [entered](super::actions::enter) both.
pub fn reckon(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    (from, to): (&Entered, &Entered),
    wanted: &Wanted,
    now: Moment,
) -> Result<Reckoned> {
    let (here, there) = (Side::load(conn, from)?, Side::load(conn, to)?);
    let kin = environments::related(conn, from.application.id, to.application.id)?;
    let matches = Matches::of(&here, &there, &kin);
    let (readings, errors) = connections::readings(conn, (&here, &there), &matches, wanted)?;
    let everybody = members::all(conn)?;
    let standings = applications::standings(conn, &everybody, &to.application)?;
    let told = everybody.iter().zip(&standings).filter(|(member, stands)| member.active && stands.grants.view);
    let told: BTreeSet<i64> = told.map(|(member, _)| member.id).collect();
    let members: HashMap<i64, String> = everybody.into_iter().map(|member| (member.id, member.name)).collect();
    let connections = connections::chosen(&readings);
    let drafting = Drafting { from: &here, to: &there, matches, connections, readings: &readings, secrets, told };
    let teller = Teller::of(&drafting, &readings, members);
    let mut items = Vec::new();
    for listed in &here.configurations {
        items.push(teller.configuration(conn, (by, to), listed)?);
    }
    for set in &here.sets {
        items.push(teller.set(conn, set)?);
    }
    for schedule in &here.schedules {
        items.push(teller.schedule(conn, by, schedule, now)?);
    }
    for (id, obstacle) in ordering::obstacles(conn, &drafting, &items, now)? {
        for item in items.iter_mut().filter(|item| item.kind == Kind::Schedule && item.id == id) {
            item.print.push_str(&obstacle);
            item.obstacles.push(obstacle.clone());
        }
    }
    items.extend(drafting.matches.gone.iter().filter_map(|(kind, id)| teller.gone(*kind, *id)));
    let Drafting { matches, told, .. } = drafting;
    Ok(Reckoned { from: here, to: there, matches, readings, errors, items, told })
}

//! What a hand-over would change: reckoned for the page that shows it, and once more for the deed.

use std::collections::{BTreeSet, HashMap};

use crate::applications::{self, Application};
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::members::{By, Member, Permission};
use crate::notifications::recipients::{named, who_may_see};
use crate::schedules::actions::{Gift, replaced};
use crate::schedules::flagged::{Flag, flag};
use crate::schedules::{Notify, Schedule};
use crate::secrets;
use crate::words;

/// So many schedules at most pass by one deed.
pub const MOST: usize = 5_000;

/// Which of the schedules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// All that the new Owner may run.
    #[default]
    All,
    /// The same in one Application.
    Application(i64),
    /// Exactly these, knowingly.
    Chosen(BTreeSet<i64>),
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub struct Wish {
    pub which: Which,
    /// Schedules get another Owner; otherwise only who is told changes.
    pub owners: bool,
    /// The new Owner is told instead.
    pub recipients: bool,
    /// Their API tokens end.
    pub tokens: bool,
    /// The recipients hear of the new Owner.
    pub tell: bool,
}

impl Wish {
    pub fn all() -> Self {
        Self { which: Which::All, owners: true, recipients: true, tokens: false, tell: true }
    }
}

/// Whose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// What one member holds.
    Member(i64),
    /// These, whoever owns each.
    Owners(BTreeSet<i64>),
}

/// A schedule that somebody holds.
#[derive(Clone, Debug)]
pub struct Line {
    pub schedule: Schedule,
    /// Who hands it over.
    pub former: i64,
    pub owned: bool,
    pub told: bool,
    /// Why the new Owner could not run it.
    pub flag: Option<Flag>,
    /// The new Owner may see what it tells.
    sees: bool,
    pub picked: bool,
    /// It gets another Owner.
    pub passes: bool,
    /// Somebody else is told.
    pub swaps: bool,
}

impl Line {
    pub fn changes(&self) -> bool {
        self.passes || self.swaps
    }

    /// It would pass, if the new Owner could run it.
    pub fn stays_behind(&self) -> bool {
        self.owned && self.flag.is_some() && !self.passes
    }
}

/// All that changes, and what does not.
#[derive(Clone, Debug)]
pub struct Reckoned {
    /// `None`: whoever owns each.
    pub from: Option<Member>,
    pub to: Option<Member>,
    pub lines: Vec<Line>,
    pub applications: HashMap<i64, Application>,
    /// How many members are told about what passes, besides who does it.
    pub hear: usize,
}

/// What a member may be to own schedules anywhere, or why not, at the field `to`.
pub fn check_heir(from: Option<&Member>, to: Option<&Member>) -> Result<(), FieldErrors> {
    let refused = match to {
        None => "Choose the new Owner.".to_owned(),
        Some(to) if from.is_some_and(|from| from.id == to.id) => format!("Choose someone other than {}.", to.name),
        Some(to) if !to.active => format!("{} is deactivated. Choose someone else.", to.name),
        Some(to) if !to.may(Permission::ImportData) => {
            format!("{} lacks Can Import Data in their role. Choose someone else.", to.name)
        }
        Some(_) => return Ok(()),
    };
    Err(FieldErrors::one("to", refused))
}

/// What the wish changes of these schedules, all of which `from` holds; without it, whoever owns each. Whoever may not own
/// schedules changes nothing.
pub fn reckon(
    conn: &mut Conn,
    by: &By,
    (from, to): (Option<Member>, Option<Member>),
    wish: &Wish,
    schedules: Vec<Schedule>,
) -> Result<Reckoned> {
    let heir = to.as_ref().filter(|to| check_heir(from.as_ref(), Some(to)).is_ok());
    let ids: BTreeSet<i64> = schedules.iter().map(|s| s.application_id).collect();
    let there = applications::by_ids(conn, &Vec::from_iter(ids))?;
    let mut stands = HashMap::new();
    if let Some(heir) = heir {
        for application in &there {
            stands.insert(application.id, applications::standing(conn, heir, application.clone())?);
        }
    }
    let applications: HashMap<i64, Application> = there.into_iter().map(|a| (a.id, a)).collect();
    let line = |schedule: Schedule| {
        let stands = stands.get(&schedule.application_id);
        let flag = heir.zip(stands).and_then(|(heir, stands)| flag(heir, stands));
        let former = from.as_ref().map_or(schedule.owner_id, |from| from.id);
        let told = schedule.notify.as_ref().is_some_and(|notify| notify.member_ids.contains(&former));
        let sees = stands.is_some_and(|stands| stands.grants.view);
        let picked = match &wish.which {
            Which::All => true,
            Which::Application(id) => schedule.application_id == *id,
            Which::Chosen(ids) => ids.contains(&schedule.id),
        };
        let owned = schedule.owner_id == former;
        let another = heir.is_some_and(|heir| heir.id != former);
        // What would fail passes only to who means it.
        let may = flag.is_none() || matches!(wish.which, Which::Chosen(_));
        let passes = wish.owners && owned && picked && may && another;
        let swaps = wish.recipients && told && picked && sees && another;
        Line { former, owned, told, flag, sees, picked, passes, swaps, schedule }
    };
    let known = |schedule: &Schedule| applications.contains_key(&schedule.application_id);
    let lines: Vec<Line> = schedules.into_iter().filter(known).map(line).collect();
    let mut reckoned = Reckoned { from, to, lines, applications, hear: 0 };
    reckoned.hear = reckoned.hearers(conn, by)?;
    Ok(reckoned)
}

impl Reckoned {
    /// "Jonas", "their Owners".
    pub fn of(&self) -> &str {
        self.from.as_ref().map_or("their Owners", |from| &from.name)
    }

    pub fn passing(&self) -> usize {
        self.lines.iter().filter(|line| line.passes).count()
    }

    pub fn owned(&self) -> usize {
        self.lines.iter().filter(|line| line.owned).count()
    }

    /// In how many schedules somebody else is told, or would be if that was wanted.
    pub fn told(&self) -> usize {
        let other = |line: &&Line| self.to.as_ref().is_none_or(|to| to.id != line.former);
        self.lines.iter().filter(|line| line.told && line.picked && line.sees).filter(other).count()
    }

    pub fn changing(&self) -> usize {
        self.lines.iter().filter(|line| line.changes()).count()
    }

    /// That it is too much for one deed.
    pub fn check(&self) -> Result<(), FieldErrors> {
        let n = self.changing();
        if n <= MOST {
            return Ok(());
        }
        let said = format!(
            "These are {} schedules. At most {} can be handed over at once: choose one Application.",
            words::count(n as i64),
            words::count(MOST as i64)
        );
        Err(FieldErrors::one("which", said))
    }

    /// Of all that changes, in short: whoever saw the same saw this.
    pub fn mark(&self, tokens: bool) -> String {
        let ids = [&self.from, &self.to].map(|member| member.as_ref().map(|member| member.id));
        let mut text = format!("{ids:?} {tokens}");
        for line in self.lines.iter().filter(|line| line.changes()) {
            text.push_str(&format!(" {}{}{}", line.schedule.id, u8::from(line.passes), u8::from(line.swaps)));
        }
        secrets::hash("hand-over", &text)
    }

    /// The recipients of a line as they are to be.
    fn gift(&self, line: &Line) -> Option<Gift> {
        let to = self.to.as_ref().filter(|_| line.changes())?;
        let was = line.schedule.clone();
        let notify = match line.swaps {
            true => replaced(was.notify.as_ref(), (line.former, to.id)),
            false => was.notify.clone(),
        };
        Some(Gift { owner_id: if line.passes { to.id } else { was.owner_id }, notify, was })
    }

    pub fn gifts(&self) -> Vec<Gift> {
        self.lines.iter().filter_map(|line| self.gift(line)).collect()
    }

    fn hearers(&self, conn: &mut Conn, by: &By) -> Result<usize> {
        let mut telling: HashMap<i64, Vec<Notify>> = HashMap::new();
        for gift in self.lines.iter().filter(|line| line.passes).filter_map(|line| self.gift(line)) {
            telling.entry(gift.was.application_id).or_default().extend(gift.notify);
        }
        let mut hear = BTreeSet::new();
        for (id, told) in telling {
            if let Some(application) = self.applications.get(&id) {
                let told = named(conn, told.iter())?;
                hear.extend(who_may_see(conn, &Vec::from_iter(told), application)?);
            }
        }
        hear.remove(&by.member.id);
        Ok(hear.len())
    }
}

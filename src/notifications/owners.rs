//! Two steps about who owns schedules. Recipients are told when a schedule changes its Owner; the Owner and the Administrators
//! are told when its runs will fail, because the Owner was deactivated or lost a right.

use std::collections::{BTreeMap, BTreeSet};

use chrono::Duration;

use super::announcing::{announce, tell_members};
use super::audit_told_store as audit_told;
use super::event::Event;
use super::incidents::store as incidents;
use super::model::NoticeKind;
use super::recipients::who_may_see;
use super::{letter, recipients};
use crate::app::App;
use crate::applications;
use crate::audit::{self, Recorded};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::schedules::flagged::Flag;
use crate::schedules::{self, Notify, Owned, owner_and_recipients};
use crate::{members, words};

/// An entry is read after this long, and so is what stands after it: one with a lower id may be written a little later.
const SETTLED: Duration = Duration::seconds(30);
/// So many in one transaction.
const BATCH: i64 = 1_000;

/// Tells who owns what now, as the audit log says it; how many entries were read. Safe in many processes. Blocks.
pub fn changes(app: &App) -> Result<usize> {
    let now = app.now();
    // One that is much later than now was made by a clock that was set back since.
    let unsettled = (now.minus(SETTLED), now.plus(SETTLED));
    let (told, newest) = app.db.read(|conn| {
        let told = audit_told::read_up_to(conn)?;
        Ok((told, audit::last_before(conn, told, unsettled)?))
    })?;
    if newest <= told {
        return Ok(0);
    }
    app.db.write(|conn| {
        let after = audit_told::read_up_to(conn)?;
        let entries = audit::since(conn, (after, newest), "schedule", BATCH)?;
        let full = entries.len() as i64 == BATCH;
        let up_to = entries.last().filter(|_| full).map_or(newest, |last| last.id);
        if !audit_told::read_on(conn, (after, up_to.max(after)))? {
            // Another process reads them.
            return Ok(0);
        }
        for (event, to_owners) in handed_over(conn, &entries)? {
            announce(conn, app, &event, now)?;
            // Said to them alone, and posted nowhere.
            for event in to_owners {
                tell_members(conn, app, &event.who, &event.notice(), now)?;
            }
        }
        Ok(entries.len())
    })
}

/// One deed makes one message: one to the recipients, one to the new Owner, with whose rights it runs from now on, and,
/// where a hand-over is undone, one to whom it had made the Owner.
fn handed_over(conn: &mut Conn, entries: &[Recorded]) -> Result<Vec<(Event, [Event; 2])>> {
    // When, by whom, in which Application, from whom, to whom, and whether it goes back to them; and of each schedule its
    // id, the entry, its recipients.
    type Deed = (Moment, Option<i64>, i64, (i64, i64), bool);
    type Handed<'a> = (i64, &'a Recorded, Option<Notify>);
    let mut deeds: BTreeMap<Deed, Vec<Handed<'_>>> = BTreeMap::new();
    for entry in entries {
        let of = |kept: &Option<serde_json::Value>| kept.as_ref().and_then(owner_and_recipients);
        let (Some((was, _)), Some((is, notify))) = (of(&entry.before), of(&entry.after)) else { continue };
        let (Some(id), Some(application)) = (entry.subject_id, entry.application_id) else { continue };
        // Who handed it over may have chosen that nobody is told.
        let is_so = |key: &str| entry.after.as_ref().is_some_and(|after| after[key] == true);
        if was != is && !is_so("untold") {
            let deed = (entry.at, entry.member_id, application, (was, is), is_so("undone"));
            deeds.entry(deed).or_default().push((id, entry, notify));
        }
    }
    let mut events = Vec::new();
    for ((at, by, application_id, (from, to), undone), handed) in deeds {
        let (Some(application), Some((schedule_id, first, _))) =
            (applications::by_id(conn, application_id)?, handed.first())
        else {
            continue;
        };
        let told = recipients::named(conn, handed.iter().filter_map(|(.., notify)| notify.as_ref()))?;
        // Who did it knows.
        let concerned = told.iter().copied().chain([to]).chain(undone.then_some(from)).filter(|id| Some(*id) != by);
        let concerned = who_may_see(conn, &Vec::from_iter(BTreeSet::from_iter(concerned)), &application)?;
        let (owner, others): (Vec<i64>, Vec<i64>) = concerned.into_iter().partition(|id| *id == to);
        let (former, others) = others.into_iter().partition(|id| undone && *id == from);
        let names = (name(conn, from)?, name(conn, to)?);
        let only = if handed.len() == 1 { schedules::actions::find_even_deleted(conn, *schedule_id)? } else { None };
        let given = Given {
            count: handed.len(),
            sentence: only.map(|schedule| schedule.sentence()),
            undone,
            fails: schedules::flagged::flag_of(conn, &application, to)?.is_some(),
            owner_told: told.contains(&to),
        };
        let event = |key: String, who: Vec<i64>, (title, detail): (String, String)| Event {
            key,
            kind: NoticeKind::OwnerChanged,
            application_id: Some(application_id),
            run_id: None,
            incident_id: None,
            link: Some(format!("/applications/{application_id}")),
            title: letter::bounded(&title),
            detail: letter::bounded(&detail),
            at,
            who,
        };
        events.push((
            event(format!("owner:{}", first.id), others, given.to_others(&names)),
            [
                event(format!("owner:{}:you", first.id), owner, given.to_owner(&names)),
                event(format!("owner:{}:former", first.id), former, given.to_former(&names)),
            ],
        ));
    }
    Ok(events)
}

/// What was handed over, or goes back because that was undone.
struct Given {
    count: usize,
    /// When it runs, of one alone.
    sentence: Option<String>,
    undone: bool,
    /// Its Owner cannot run it: they have it back from who took it for that.
    fails: bool,
    /// The Owner is one of the recipients.
    owner_told: bool,
}

impl Given {
    fn schedules(&self) -> String {
        match self.count {
            1 => "a schedule".to_owned(),
            n => words::counted(n as i64, "schedule", "schedules"),
        }
    }

    /// When it runs, who had it, with whose rights it runs.
    fn detail(&self, from: &str, whose: &str) -> String {
        let (it, they, run) = if self.count == 1 { ("it", "It", "runs") } else { ("them", "They", "run") };
        let owned = match self.undone {
            true => format!("{from} no longer owns {it}."),
            false => format!("{from} owned {it} before."),
        };
        let runs = match (self.fails, self.undone) {
            (true, _) => format!("{they} will fail until someone who may import owns {it}."),
            (false, true) => format!("{they} {run} with {whose} rights again."),
            (false, false) => format!("{they} {run} with {whose} rights now."),
        };
        let sentence = self.sentence.as_ref().map(|sentence| format!("{sentence}. ")).unwrap_or_default();
        format!("{sentence}{owned} {runs}")
    }

    /// To those whom they notify, and who is not their Owner.
    fn to_others(&self, (from, to): &(String, String)) -> (String, String) {
        let (notify, belong) = if self.count == 1 { ("notifies", "belongs") } else { ("notify", "belong") };
        let schedules = format!("{} that {notify} you", self.schedules());
        let title = match self.undone {
            true => format!("{} {belong} to {to} again", words::capitalized(&schedules)),
            false => format!("{to} now owns {schedules}"),
        };
        (title, format!("{} You will still be notified.", self.detail(from, &format!("{to}'s"))))
    }

    /// To the Owner.
    fn to_owner(&self, (from, _): &(String, String)) -> (String, String) {
        let title = match self.undone {
            true => format!("You own {} again", self.schedules()),
            false => format!("You now own {}", self.schedules()),
        };
        let told = if self.owner_told { " You are notified." } else { "" };
        (title, format!("{}{told}", self.detail(from, "your")))
    }

    /// To whom the hand-over that is undone had made the Owner.
    fn to_former(&self, (_, to): &(String, String)) -> (String, String) {
        let it = if self.count == 1 { "it" } else { "them" };
        (format!("You no longer own {}", self.schedules()), format!("{to} owns {it} again."))
    }
}

fn name(conn: &mut Conn, id: i64) -> Result<String> {
    Ok(members::by_id(conn, id)?.map_or_else(|| "Someone".to_owned(), |member| letter::short(&member.name)))
}

/// Tells of owners whose schedules will fail, once until they can run again. Safe in many processes. Blocks.
pub fn unable(app: &App) -> Result<usize> {
    let now = app.now();
    let (unable, open) = app.db.read(|conn| {
        let mut unable = Vec::new();
        for owned in schedules::owners(conn)? {
            unable.extend(why_not(conn, owned)?.map(|why| (owned, why)));
        }
        Ok((unable, incidents::open_of_kind(conn, NoticeKind::WillFail)?))
    })?;
    let key = |owned: &Owned| key(owned.owner_id, owned.application_id);
    let over: Vec<i64> = open
        .iter()
        .filter(|incident| unable.iter().all(|(owned, _)| key(owned) != incident.key))
        .map(|incident| incident.id)
        .collect();
    let new: Vec<_> =
        unable.iter().filter(|(owned, _)| open.iter().all(|incident| incident.key != key(owned))).collect();
    if over.is_empty() && new.is_empty() {
        return Ok(0);
    }
    app.db.write(|conn| {
        for id in &over {
            incidents::close(conn, *id, now)?;
        }
        for (owned, why) in &new {
            let of = (Some(owned.application_id), key(owned));
            let (incident, is_new) = incidents::fails(conn, (of.0, &of.1), (NoticeKind::WillFail, why), (now, now))?;
            if !is_new {
                continue;
            }
            let (title, detail) = letter::parted(why);
            let mut who: BTreeSet<i64> = members::administrators(conn)?.into_iter().map(|member| member.id).collect();
            if recipients::sees(conn, owned.owner_id, owned.application_id)? {
                who.insert(owned.owner_id);
            }
            let event = Event {
                key: format!("incident:{}:will_fail", incident.id),
                kind: NoticeKind::WillFail,
                application_id: Some(owned.application_id),
                run_id: None,
                incident_id: Some(incident.id),
                link: Some(format!("/applications/{}/settings/import-scheduling", owned.application_id)),
                title: title.to_owned(),
                detail: detail.to_owned(),
                at: now,
                who: who.into_iter().collect(),
            };
            announce(conn, app, &event, now)?;
        }
        Ok(new.len())
    })
}

/// The key of the incident of an Owner whose schedules in an Application will fail.
pub(super) fn key(owner_id: i64, application_id: i64) -> String {
    format!("owner:{owner_id}:a{application_id}")
}

/// Why an owner's schedules will fail: a title, and on the next line sentences; `None` where they can run.
fn why_not(conn: &mut Conn, owned: Owned) -> Result<Option<String>> {
    let Some(application) = applications::by_id(conn, owned.application_id)? else { return Ok(None) };
    let Some(owner) = members::by_id(conn, owned.owner_id)? else { return Ok(None) };
    let Some(flag) = schedules::flagged::flag_of(conn, &application, owner.id)? else { return Ok(None) };
    let name = letter::short(&owner.name);
    let of = words::counted(owned.schedules, "schedule", "schedules");
    let why = match flag {
        Flag::Deactivated => format!("{name} is deactivated"),
        Flag::Lacks(_) => format!("{name} may no longer import in this Application"),
    };
    let until = if owned.schedules == 1 {
        "this one fails until someone else owns it"
    } else {
        "these fail until someone else owns them"
    };
    let mend = "Anyone who may import here can choose Take ownership in Import Scheduling.";
    Ok(Some(format!(
        "{of} of {name} will fail\n{why}. A schedule runs with the rights of its Owner, so {until}. {mend}"
    )))
}

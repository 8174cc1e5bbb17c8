//! Notices and what members chose, in the database.

use chrono::Duration;
use diesel::dsl::max;

pub use super::choices_store::Choice;
use super::model::{Channel, DeliveryState, Notice, NoticeKind, Told};
use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{deliveries, gathered, members, notices};
use crate::db::{self, Conn, on};
use crate::error::Result;
use crate::names::folded;

/// Read or not, a notice is kept this long.
const KEPT: Duration = Duration::days(180);
/// So many are removed in one transaction.
const BATCH: i64 = 500;

type Row = (
    i64,
    i64,
    NoticeKind,
    Option<i64>,
    Option<i64>,
    Option<i64>,
    Option<String>,
    String,
    String,
    Moment,
    Option<Moment>,
);

macro_rules! columns {
    () => {
        (
            notices::id,
            notices::member_id,
            notices::kind,
            notices::application_id,
            notices::run_id,
            notices::incident_id,
            notices::link,
            notices::title,
            notices::detail,
            notices::at,
            notices::read_at,
        )
    };
}

fn notice((id, member_id, kind, application_id, run_id, incident_id, link, title, detail, at, read_at): Row) -> Notice {
    Notice { id, member_id, kind, application_id, run_id, incident_id, link, title, detail, at, read_at }
}

/// One that is to be told.
#[derive(Clone, Copy, Debug)]
pub struct NewNotice<'a> {
    /// Names what happened.
    pub key: &'a str,
    pub kind: NoticeKind,
    pub application_id: Option<i64>,
    pub run_id: Option<i64>,
    pub incident_id: Option<i64>,
    /// A path of this server, for what has no run.
    pub link: Option<&'a str>,
    pub title: &'a str,
    pub detail: &'a str,
    pub at: Moment,
}

/// Tells a member; `None` where they were told before.
pub fn insert(conn: &mut Conn, member_id: i64, new: &NewNotice<'_>) -> Result<Option<i64>> {
    let values = (
        notices::member_id.eq(member_id),
        notices::key.eq(new.key),
        notices::kind.eq(new.kind),
        notices::application_id.eq(new.application_id),
        notices::run_id.eq(new.run_id),
        notices::incident_id.eq(new.incident_id),
        notices::link.eq(new.link),
        notices::title.eq(new.title),
        notices::detail.eq(new.detail),
        notices::at.eq(new.at),
    );
    let made: Vec<i64> = on!(conn, c => diesel::insert_into(notices::table)
        .values(values)
        .on_conflict_do_nothing()
        .returning(notices::id)
        .get_results(c))?;
    Ok(made.into_iter().next())
}

/// Those of these members who were not told yet of what a key names.
pub fn untold(conn: &mut Conn, member_ids: &[i64], key: &str) -> Result<Vec<i64>> {
    let told: Vec<i64> = notices::table
        .filter(notices::member_id.eq_any(member_ids).and(notices::key.eq(key)))
        .select(notices::member_id)
        .load(conn)?;
    Ok(member_ids.iter().copied().filter(|id| !told.contains(id)).collect())
}

/// These notices, the oldest first.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Notice>> {
    let found = notices::table.filter(notices::id.eq_any(ids)).order((notices::at, notices::id));
    Ok(found.select(columns!()).load::<Row>(conn)?.into_iter().map(notice).collect())
}

/// One notice, whoever it is for.
pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Notice>> {
    Ok(notices::table.find(id).select(columns!()).first::<Row>(conn).optional()?.map(notice))
}

/// Which notices of a member to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub read: Option<bool>,
    /// What somebody may have to do something about.
    pub troubles: bool,
    pub application_id: Option<i64>,
    /// What its title or its detail is to contain, however it is written.
    pub words: String,
}

/// Whose notices: a member's, of the Applications that they see now (`None`: of all) and of the Workspace.
#[derive(Clone, Debug)]
pub struct Own {
    pub member_id: i64,
    pub seen: Option<Vec<i64>>,
}

impl Own {
    fn notices(&self) -> notices::BoxedQuery<'_, db::Backend> {
        let told = notices::table.filter(notices::member_id.eq(self.member_id)).into_boxed();
        match &self.seen {
            Some(seen) => told.filter(notices::application_id.is_null().or(notices::application_id.eq_any(seen))),
            None => told,
        }
    }
}

/// So many are looked through for words at a time.
pub const LOOKED_AT: usize = 5_000;
/// So many are read at once for that.
const READ: i64 = 500;

/// What was found, where older ones begin, and how far it was looked for words where that did not come to the end.
#[derive(Debug, Default)]
pub struct Found {
    pub notices: Vec<Notice>,
    /// After this one, where there may be older ones.
    pub older: Option<i64>,
    pub looked: Option<Moment>,
}

/// The newest ones before another, by when it happened and not by when it was told: a message may wait for what went
/// before it.
pub fn list(conn: &mut Conn, own: &Own, filter: &Filter, before: Option<i64>, limit: i64) -> Result<Vec<Notice>> {
    let place = before.map(|id| place_of(conn, own.member_id, id)).transpose()?;
    page(conn, own, filter, place, limit)
}

/// A page of them that contain the words of the filter, and where the next begins.
pub fn find(conn: &mut Conn, own: &Own, filter: &Filter, before: Option<i64>, most: usize) -> Result<Found> {
    let words = folded(&filter.words);
    let read = if words.is_empty() { most as i64 + 1 } else { READ };
    let mut place = before.map(|id| place_of(conn, own.member_id, id)).transpose()?;
    let (mut found, mut looked_at) = (Found::default(), 0);
    loop {
        let looked = page(conn, own, filter, place, read)?;
        let is_all = (looked.len() as i64) < read;
        let last = looked.last().map(|notice| (notice.at, notice.id));
        looked_at += looked.len();
        // Here and not by the database: the two know capitals and accents differently.
        let says = |notice: &Notice| [&notice.title, &notice.detail].iter().any(|text| folded(text).contains(&words));
        found.notices.extend(looked.into_iter().filter(says));
        if found.notices.len() > most {
            found.notices.truncate(most);
            found.older = found.notices.last().map(|last| last.id);
            return Ok(found);
        }
        let Some((at, id)) = last.filter(|_| !is_all) else { return Ok(found) };
        if looked_at >= LOOKED_AT {
            return Ok(Found { older: Some(id), looked: Some(at), ..found });
        }
        place = Some((Some(at), id));
    }
}

/// Where a notice stands among its member's: by its id alone where it was removed since, as what is old is.
type Placed = (Option<Moment>, i64);

fn place_of(conn: &mut Conn, member_id: i64, id: i64) -> Result<Placed> {
    let own = notices::table.find(id).filter(notices::member_id.eq(member_id));
    Ok((own.select(notices::at).first::<Moment>(conn).optional()?, id))
}

fn page(conn: &mut Conn, own: &Own, filter: &Filter, before: Option<Placed>, limit: i64) -> Result<Vec<Notice>> {
    let mut wanted = own.notices();
    match before {
        // An index is read from `at` on by the first, which the second alone does not tell PostgreSQL.
        Some((Some(at), id)) => {
            wanted = wanted.filter(notices::at.le(at).and(notices::at.lt(at).or(notices::id.lt(id))))
        }
        Some((None, id)) => wanted = wanted.filter(notices::id.lt(id)),
        None => {}
    }
    match filter.read {
        Some(true) => wanted = wanted.filter(notices::read_at.is_not_null()),
        Some(false) => wanted = wanted.filter(notices::read_at.is_null()),
        None => {}
    }
    if let Some(application_id) = filter.application_id {
        wanted = wanted.filter(notices::application_id.eq(application_id));
    }
    // What a digest says stands here by itself.
    wanted = match filter.troubles {
        true => wanted.filter(notices::kind.eq_any(NoticeKind::ALL.iter().copied().filter(|kind| kind.is_urgent()))),
        false => wanted.filter(notices::kind.ne(NoticeKind::Digest)),
    };
    let newest = (notices::at.desc(), notices::id.desc());
    let rows = wanted.order(newest).limit(limit).select(columns!()).load::<Row>(conn)?;
    Ok(rows.into_iter().map(notice).collect())
}

/// The last id of them.
pub fn last_id(conn: &mut Conn, own: &Own) -> Result<Option<i64>> {
    Ok(own.notices().select(max(notices::id)).first(conn)?)
}

/// How many of them a member has not read.
pub fn unread(conn: &mut Conn, own: &Own) -> Result<i64> {
    Ok(own.notices().filter(notices::read_at.is_null()).count().get_result(conn)?)
}

/// Marks one as read, or as unread with `None`.
pub fn set_read(conn: &mut Conn, id: i64, at: Option<Moment>) -> Result<()> {
    diesel::update(notices::table.find(id)).set(notices::read_at.eq(at)).execute(conn)?;
    Ok(())
}

/// Marks all that are there up to an id.
pub fn set_all_read(conn: &mut Conn, own: &Own, up_to: i64, at: Moment) -> Result<usize> {
    let unread = notices::member_id.eq(own.member_id).and(notices::read_at.is_null()).and(notices::id.le(up_to));
    let (unread, read) = (notices::table.filter(unread), notices::read_at.eq(at));
    Ok(match &own.seen {
        Some(seen) => {
            let seen = notices::application_id.is_null().or(notices::application_id.eq_any(seen));
            diesel::update(unread.filter(seen)).set(read).execute(conn)?
        }
        None => diesel::update(unread).set(read).execute(conn)?,
    })
}

/// Who was told of a run, by name; of several notices to one member, such as that it was held and how it ended, the newest.
pub fn told_of(conn: &mut Conn, run_id: i64) -> Result<Vec<Told>> {
    type Row = (i64, i64, String, Option<Channel>, Option<DeliveryState>, Option<String>);
    let rows: Vec<Row> = notices::table
        .inner_join(members::table)
        .left_join(deliveries::table)
        .filter(notices::run_id.eq(run_id))
        .order((members::name, members::id, notices::id.desc(), deliveries::id))
        .select((
            notices::id,
            members::id,
            members::name,
            deliveries::channel.nullable(),
            deliveries::state.nullable(),
            deliveries::said.nullable(),
        ))
        .load(conn)?;
    let mut told: Vec<(i64, Told)> = Vec::new();
    for (notice, member_id, member, channel, state, said) in rows {
        if told.last().is_none_or(|(_, last)| last.member_id != member_id) {
            told.push((notice, Told { member_id, member, deliveries: Vec::new() }));
        }
        if let (Some((newest, last)), Some(channel), Some(state)) = (told.last_mut(), channel, state)
            && *newest == notice
        {
            last.deliveries.push((channel, state, said));
        }
    }
    Ok(told.into_iter().map(|(_, told)| told).collect())
}

/// What was told of an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub title: String,
    pub at: Moment,
    /// Who got it, by name.
    pub members: Vec<String>,
}

/// So many notices of an incident are read: the newest.
const OF_INCIDENT: i64 = 1_000;

/// What was told of an incident, the newest first.
pub fn told_of_incident(conn: &mut Conn, incident_id: i64) -> Result<Vec<Message>> {
    let rows: Vec<(String, String, Moment, String)> = notices::table
        .inner_join(members::table)
        .filter(notices::incident_id.eq(incident_id).and(notices::kind.ne(NoticeKind::Digest)))
        .order((notices::at.desc(), notices::id.desc()))
        .limit(OF_INCIDENT)
        .select((notices::key, notices::title, notices::at, members::name))
        .load(conn)?;
    let mut told: Vec<(String, Message)> = Vec::new();
    for (key, title, at, member) in rows {
        match told.iter_mut().find(|(known, _)| *known == key) {
            Some((_, message)) => message.members.push(member),
            None => told.push((key, Message { title, at, members: vec![member] })),
        }
    }
    for (_, message) in &mut told {
        message.members.sort();
    }
    Ok(told.into_iter().map(|(_, message)| message).collect())
}

/// Removes the next ones that are old enough, with their deliveries; how many went.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    let old: Vec<i64> = notices::table
        .filter(notices::at.lt(now.minus(KEPT)))
        .order(notices::at)
        .limit(BATCH)
        .select(notices::id)
        .load(conn)?;
    diesel::delete(deliveries::table.filter(deliveries::notice_id.eq_any(&old))).execute(conn)?;
    diesel::delete(gathered::table.filter(gathered::notice_id.eq_any(&old))).execute(conn)?;
    Ok(diesel::delete(notices::table.filter(notices::id.eq_any(&old))).execute(conn)?)
}

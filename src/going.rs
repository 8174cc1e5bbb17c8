//! State of this process that is in no table and ends with the process.

use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::Duration;

use crate::clock::Moment;

/// The runs that threads of this process see through: whoever looks for workers that are gone leaves these alone,
/// though their lease ran out while the machine slept or its clock was set.
#[derive(Default)]
pub struct AtWork(Mutex<HashMap<i64, usize>>);

/// A run is seen through as long as this lives.
pub struct SeenThrough<'a>(&'a AtWork, i64);

impl AtWork {
    pub fn enter(&self, run_id: i64) -> SeenThrough<'_> {
        *self.lock().entry(run_id).or_default() += 1;
        SeenThrough(self, run_id)
    }

    pub fn has(&self, run_id: i64) -> bool {
        self.lock().contains_key(&run_id)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for SeenThrough<'_> {
    fn drop(&mut self) {
        // One thread may end with it late while another has it again.
        let mut at_work = self.0.lock();
        if let Some(threads) = at_work.get_mut(&self.1) {
            *threads -= 1;
            if *threads == 0 {
                at_work.remove(&self.1);
            }
        }
    }
}

/// Whether what a Connection is made of answered when it was last tried here. It is known by what was tried, saved or not,
/// so that another address or password is one that nobody tried.
#[derive(Default)]
pub struct Tried {
    keys: RandomState,
    answered: Mutex<HashMap<u64, bool>>,
}

impl Tried {
    const MOST: usize = 1_000;

    pub fn key(&self, made_of: impl Hash) -> u64 {
        self.keys.hash_one(made_of)
    }

    pub fn note(&self, key: u64, answered: bool) {
        let mut all = self.lock();
        if all.len() >= Self::MOST {
            all.clear();
        }
        all.insert(key, answered);
    }

    pub fn answered(&self, key: u64) -> bool {
        self.lock().get(&key) == Some(&true)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, bool>> {
        self.answered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Since when runs have been held up, as far as this process knows: one alone serves a SQLite directory, and of several a
/// run that waits for its file meets each for a while.
#[derive(Default)]
pub struct HeldUp(Mutex<HashMap<i64, Moment>>);

impl HeldUp {
    /// How long a run has been held up, which it is now.
    pub fn how_long(&self, run_id: i64, now: Moment) -> Duration {
        let mut since = self.lock();
        // A run that was cancelled meanwhile is told to nobody here.
        since.retain(|_, since| now.since(*since) < Duration::days(2));
        now.since(*since.entry(run_id).or_insert(now))
    }

    /// It is not any more.
    pub fn over(&self, run_id: i64) {
        self.lock().remove(&run_id);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<i64, Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// By what somebody was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Sign {
    Session(i64),
    Token(i64),
}

/// When sessions and tokens were last seen, until that is written.
#[derive(Default)]
pub struct Seen(Mutex<HashMap<Sign, Moment>>);

impl Seen {
    pub fn note(&self, sign: Sign, now: Moment) {
        self.lock().insert(sign, now);
    }

    pub fn last(&self, sign: Sign) -> Option<Moment> {
        self.lock().get(&sign).copied()
    }

    /// All that is to be written.
    pub fn all(&self) -> Vec<(Sign, Moment)> {
        self.lock().iter().map(|(sign, at)| (*sign, *at)).collect()
    }

    /// These are written.
    pub fn forget(&self, written: &[(Sign, Moment)]) {
        let mut noted = self.lock();
        for (sign, at) in written {
            if noted.get(sign) == Some(at) {
                noted.remove(sign);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Sign, Moment>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// So many downloads are written at once, and so many of them for one member: each holds a thread and reads a database.
const DOWNLOADS: usize = 16;
const DOWNLOADS_EACH: usize = 4;

/// The downloads that are written now, by the members who asked.
#[derive(Clone, Default)]
pub struct Downloads(Arc<Mutex<Vec<i64>>>);

/// A place among them, until it is dropped.
pub struct Download(Downloads, i64);

impl Downloads {
    /// `None`: too many are written already.
    pub fn begin(&self, member_id: i64) -> Option<Download> {
        let mut going = self.lock();
        let theirs = going.iter().filter(|of| **of == member_id).count();
        if going.len() >= DOWNLOADS || theirs >= DOWNLOADS_EACH {
            return None;
        }
        going.push(member_id);
        Some(Download(self.clone(), member_id))
    }

    fn lock(&self) -> MutexGuard<'_, Vec<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Download {
    fn drop(&mut self) {
        let mut going = self.0.lock();
        if let Some(at) = going.iter().position(|of| *of == self.1) {
            going.swap_remove(at);
        }
    }
}

/// So often a minute a calendar is written for whoever has its address.
const CALENDAR_ASKS: u32 = 30;

/// How often the calendars were asked for in this minute.
#[derive(Default)]
pub struct Calendars(Mutex<HashMap<i64, (Moment, u32)>>);

impl Calendars {
    /// Counts it; `false`: it was asked for too often.
    pub fn may_ask(&self, feed_id: i64, now: Moment) -> bool {
        let mut asked = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asked.retain(|_, (since, _)| *since <= now && now.since(*since) < Duration::minutes(1));
        let (_, count) = asked.entry(feed_id).or_insert((now, 0));
        *count += 1;
        *count <= CALENDAR_ASKS
    }
}

/// Who was refused what, as the audit log tells it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Refused {
    /// "request.refused", "token.refused", "member.sign_in_refused".
    pub action: &'static str,
    /// Id and name; none where nobody is signed in.
    pub member: Option<(i64, String)>,
    pub channel: &'static str,
    /// The network that it came from.
    pub from: String,
}

/// Who acts in a request, once that is known.
#[derive(Clone, Debug)]
pub struct Acting {
    pub member: (i64, String),
    pub channel: &'static str,
}

/// So many refusals of one kind are told one by one in an hour; of more only how many there were.
const TOLD_AN_HOUR: u32 = 20;
/// So many kinds are told apart in an hour: strangers have many addresses.
const KINDS: usize = 2_000;

/// Refusals until the audit log has them. Whoever is refused waits for no writer, and nobody fills the log.
#[derive(Default)]
pub struct Refusals(Mutex<Noted>);

#[derive(Default)]
struct Noted {
    kinds: HashMap<Refused, Counted>,
    waiting: Vec<Told>,
}

struct Counted {
    since: Moment,
    told: u32,
    more: u32,
}

/// One refusal that is told by itself.
#[derive(Clone, Debug)]
pub struct Told {
    pub refused: Refused,
    pub at: Moment,
    /// "POST /members".
    pub what: String,
}

impl Refusals {
    /// Whether this one is told by itself; else it is only counted.
    pub fn count(&self, refused: &Refused, now: Moment) -> bool {
        let mut noted = self.lock();
        let of = if noted.kinds.len() < KINDS || noted.kinds.contains_key(refused) {
            refused.clone()
        } else {
            Refused { from: "other addresses".into(), ..refused.clone() }
        };
        let counted = noted.kinds.entry(of).or_insert(Counted { since: now, told: 0, more: 0 });
        if counted.told < TOLD_AN_HOUR {
            counted.told += 1;
            return true;
        }
        counted.more += 1;
        false
    }

    /// Counts it, and keeps it to be told.
    pub fn note(&self, refused: Refused, what: String, now: Moment) {
        if self.count(&refused, now) {
            self.lock().waiting.push(Told { refused, at: now, what });
        }
    }

    /// Those that are to be told by themselves.
    pub fn waiting(&self) -> Vec<Told> {
        self.lock().waiting.clone()
    }

    /// The first so many of them are told.
    pub fn told(&self, number: usize) {
        let waiting = &mut self.lock().waiting;
        waiting.drain(..number.min(waiting.len()));
    }

    /// These could not be told, and are counted still.
    pub fn put_back(&self, more: Vec<(Refused, u32)>, now: Moment) {
        let mut noted = self.lock();
        for (refused, more) in more {
            let counted = noted.kinds.entry(refused).or_insert(Counted { since: now, told: TOLD_AN_HOUR, more: 0 });
            counted.more = counted.more.saturating_add(more);
        }
    }

    /// The kinds whose hour is over, or all, with how many there were beyond those that were told. Their counts begin anew.
    pub fn take_more(&self, now: Moment, all: bool) -> Vec<(Refused, u32)> {
        let mut more = Vec::new();
        self.lock().kinds.retain(|refused, counted| {
            let over = all || now.since(counted.since) >= Duration::hours(1);
            if over && counted.more > 0 {
                more.push((refused.clone(), counted.more));
            }
            !over
        });
        more
    }

    fn lock(&self) -> MutexGuard<'_, Noted> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who says by `X-Forwarded-For` for whom they ask, though the operator trusts nobody there to say so.
#[derive(Default)]
pub struct Forwarded(Mutex<FromProxies>);

#[derive(Default)]
struct FromProxies {
    logged_at: Option<Moment>,
    near: Option<(IpAddr, Moment)>,
}

impl Forwarded {
    /// Whether this is worth a line in the log: once an hour.
    pub fn note(&self, peer: IpAddr, now: Moment) -> bool {
        let mut noted = self.lock();
        if is_near(peer) {
            noted.near = Some((peer, now));
        }
        let new = noted.logged_at.is_none_or(|at| now.since(at) >= Duration::hours(1));
        if new {
            noted.logged_at = Some(now);
        }
        new
    }

    /// A proxy beside this server, by all appearances, that was there in the last day. What comes from far away may be
    /// anybody who wrote that header.
    pub fn proxy(&self, now: Moment) -> Option<IpAddr> {
        self.lock().near.filter(|(_, at)| now.since(*at) < Duration::days(1)).map(|(peer, _)| peer)
    }

    fn lock(&self) -> MutexGuard<'_, FromProxies> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_near(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn downloads_are_bounded_for_each_and_for_all() {
        let downloads = Downloads::default();
        let mut going: Vec<_> = (0..4).map(|_| downloads.begin(1).unwrap()).collect();
        assert!(downloads.begin(1).is_none());
        for member in [2, 3, 4] {
            going.extend((0..4).map(|_| downloads.begin(member).unwrap()));
        }
        assert!(downloads.begin(5).is_none());
        going.pop();
        assert!(downloads.begin(1).is_none() && downloads.begin(5).is_some());
    }

    #[test]
    fn refusals_are_told_one_by_one_until_they_are_too_many() {
        let (refusals, now) = (Refusals::default(), Moment::from_micros(0));
        let of = |from: &str| Refused { action: "token.refused", member: None, channel: "token", from: from.into() };
        for _ in 0..50 {
            refusals.note(of("203.0.113.7"), "GET /".into(), now);
        }
        assert_eq!(refusals.waiting().len(), 20);
        assert!(refusals.take_more(now.plus(Duration::minutes(59)), false).is_empty());
        assert_eq!(refusals.take_more(now.plus(Duration::hours(1)), false), [(of("203.0.113.7"), 30)]);
        refusals.told(20);
        refusals.note(of("203.0.113.7"), "GET /".into(), now);
        assert_eq!(refusals.waiting().len(), 1, "the next hour is told again");
        for n in 0..5_000 {
            refusals.note(of(&n.to_string()), "GET /".into(), now);
        }
        assert!(refusals.waiting().len() <= KINDS + 20, "{}", refusals.waiting().len());
    }
}

//! How fast passwords may be guessed. Failed attempts are counted in the database, so that every process counts the same;
//! after a few the wait doubles with each, up to a quarter of an hour; nobody is locked out for good.
//!
//! What counts first is the pair of account and address: who guesses in one place makes nobody wait in another. Above it
//! counts what fails at one account from everywhere, and at how many accounts from one address. Someone who has not failed
//! yet for this account from this address is held up only in a flood of either: else strangers could keep a member out of
//! every new browser, and one colleague a whole office. A browser that the account knows is judged by its own failures
//! alone, and a link to set a password makes one known: so nobody keeps a member out for good.

use std::net::IpAddr;

use chrono::Duration;

use super::known::Known;
use super::store::attempts;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::web::network;

/// Failures that cost no wait yet: of one account in one place, of one account from everywhere.
const FREE_PER_PAIR: i64 = 5;
const FREE_PER_ACCOUNT: i64 = 50;
/// Accounts at which one address may have guessed.
const FREE_ACCOUNTS: i64 = 30;
/// The same for who has not failed yet: what no people come to, and no office.
const FLOOD_PER_ACCOUNT: i64 = 1_000;
const FLOOD_OF_ACCOUNTS: i64 = 200;
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// A failure is forgotten after so long.
const REMEMBERED_HOURS: i64 = 24;

/// Whose attempts are counted.
#[derive(Clone, Debug)]
pub struct Who {
    account: String,
    /// A network, or a browser that the account knows.
    place: String,
    known: bool,
    /// Whoever comes for the first time is let try before others.
    first_free: bool,
}

impl Who {
    /// Signing in, with the address as typed, whether or not there is such a member.
    pub fn account(email: &str, address: Option<IpAddr>) -> Self {
        let email: String = email.trim().to_lowercase().chars().take(200).collect();
        Self { account: format!("member:{email}"), place: network(address), known: false, first_free: true }
    }

    /// Asking for a link to reset a password. What is asked is counted apart from what is guessed.
    pub fn reset(email: &str, address: Option<IpAddr>) -> Self {
        let who = Self::account(email, address);
        Self { account: format!("reset {}", who.account), place: format!("reset {}", who.place), ..who }
    }

    /// Entering the code of a second factor, once the password was right: a code is short, and whoever has the password is no
    /// stranger, so every guess counts.
    pub fn code(member_id: i64, address: Option<IpAddr>) -> Self {
        let account = format!("code:{member_id}");
        Self { account, place: network(address), known: false, first_free: false }
    }

    /// Trying the set-up code.
    pub fn setup(address: Option<IpAddr>) -> Self {
        let account = format!("setup:{}", network(address));
        Self { account, place: network(address), known: false, first_free: false }
    }

    /// Setting out to sign in elsewhere: nobody knows yet who that is, but whoever came in here before is told from strangers
    /// of the same network.
    pub fn elsewhere(address: Option<IpAddr>, known: Option<&Known>) -> Self {
        let network = network(address);
        let (place, known) = match known {
            Some(known) => (format!("{}{}", attempts::BROWSER, known.browser), true),
            None => (format!("elsewhere {network}"), false),
        };
        Self { account: format!("elsewhere:{network}"), place, known, first_free: true }
    }

    /// The same in a browser that this member's account knows.
    pub fn with(self, known: Option<&Known>, member_id: Option<i64>) -> Self {
        match known.filter(|known| Some(known.member_id) == member_id) {
            Some(known) => Self { place: format!("{}{}", attempts::BROWSER, known.browser), known: true, ..self },
            None => self,
        }
    }
}

/// The wait after so many failures.
fn wait_after(failures: i64, free: i64) -> Duration {
    match failures - free {
        over if over < 0 => Duration::zero(),
        over => Duration::seconds(1i64.checked_shl(over.min(20) as u32).unwrap_or(i64::MAX).min(LONGEST_WAIT_SECONDS)),
    }
}

/// `TooMany` while the wait lasts.
pub fn check(conn: &mut Conn, who: &Who, now: Moment) -> Result<()> {
    let since = now.minus(Duration::hours(REMEMBERED_HOURS));
    let of_pair = attempts::of_pair(conn, &who.account, &who.place, since)?;
    let (per_account, accounts) = match of_pair.0 {
        0 if who.first_free => (FLOOD_PER_ACCOUNT, FLOOD_OF_ACCOUNTS),
        _ => (FREE_PER_ACCOUNT, FREE_ACCOUNTS),
    };
    let mut counts = vec![(of_pair, FREE_PER_PAIR)];
    if !who.known {
        counts.push((attempts::of_account(conn, &who.account, since)?, per_account));
        counts.push((attempts::accounts_of(conn, &who.place, since)?, accounts));
    }
    let mut wait = Duration::zero();
    for ((failures, latest), free) in counts {
        let whole = wait_after(failures, free);
        if let Some(latest) = latest {
            // Never longer than the whole wait, even if the clock was set back.
            wait = wait.max((whole - now.since(latest)).min(whole));
        }
    }
    if wait <= Duration::zero() {
        return Ok(());
    }
    let seconds = (wait + Duration::milliseconds(999)).num_seconds().max(1);
    Err(AppError::TooMany { what: "Too many attempts.", after_seconds: seconds.unsigned_abs() })
}

/// Removes failures that count no more.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    attempts::forget(conn, now.minus(Duration::hours(REMEMBERED_HOURS)))
}

/// Counts one that may come only so often, whatever comes of it.
pub fn asked(conn: &mut Conn, who: &Who, now: Moment) -> Result<()> {
    check(conn, who, now)?;
    failed(conn, who, now)
}

/// Counts a failure, and forgets old ones.
pub fn failed(conn: &mut Conn, who: &Who, now: Moment) -> Result<()> {
    forget_old(conn, now)?;
    attempts::insert(conn, &who.account, &who.place, now)
}

/// A right password ends the count of the account in this place. The others go on: they are those of whoever guesses.
pub fn succeeded(conn: &mut Conn, who: &Who) -> Result<()> {
    attempts::forget_pair(conn, &who.account, &who.place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_doubles_and_ends_somewhere() {
        let waits: Vec<i64> = [0, 4, 5, 6, 7, 10, 15, 1000].map(|n| wait_after(n, 5).num_seconds()).into();
        assert_eq!(waits, [0, 0, 1, 2, 4, 32, 900, 900]);
    }
}

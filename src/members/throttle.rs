//! How fast passwords may be guessed. Failed attempts are counted per account and per address, in the database so that
//! every process counts the same. After a few the wait doubles with each, up to a quarter of an hour; nobody is locked
//! out for good, and a right password ends the account's count.

use std::net::IpAddr;

use chrono::Duration;

use super::store::attempts;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};

/// Failures of one account, and from one address, that cost no wait yet.
const FREE_PER_ACCOUNT: i64 = 5;
const FREE_PER_ADDRESS: i64 = 30;
const LONGEST_WAIT_SECONDS: i64 = 15 * 60;
/// A failure is forgotten after so long.
const REMEMBERED_HOURS: i64 = 24;

/// Whose attempts are counted.
#[derive(Clone, Debug)]
pub struct Who {
    account: String,
    address: String,
}

impl Who {
    /// Signing in, with the address as typed, whether or not there is such a member.
    pub fn account(email: &str, address: Option<IpAddr>) -> Self {
        let email: String = email.trim().to_lowercase().chars().take(200).collect();
        Self { account: format!("member:{email}"), address: network(address) }
    }

    /// Trying the set-up code.
    pub fn setup(address: Option<IpAddr>) -> Self {
        Self { account: format!("setup:{}", network(address)), address: network(address) }
    }

    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

/// An IPv6 customer owns a whole /64, so that is what is counted.
fn network(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Some(IpAddr::V4(address)) => address.to_string(),
        None => "unknown".into(),
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
    let of_account = attempts::of_account(conn, &who.account, since)?;
    let of_address = attempts::of_address(conn, &who.address, since)?;
    let mut wait = Duration::zero();
    for ((failures, latest), free) in [(of_account, FREE_PER_ACCOUNT), (of_address, FREE_PER_ADDRESS)] {
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

/// Counts a failure, and forgets old ones.
pub fn failed(conn: &mut Conn, who: &Who, now: Moment) -> Result<()> {
    forget_old(conn, now)?;
    attempts::insert(conn, &who.account, &who.address, now)
}

/// A right password ends the account's count; the address's goes on, or a member could guess at others for ever.
pub fn succeeded(conn: &mut Conn, who: &Who) -> Result<()> {
    attempts::forget_account(conn, &who.account)
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

//! Between the password and the code: a sealed cookie says whose password was right, for some minutes. It is no session and
//! opens nothing; it ends with that password, with any change of the account, and with the sign-in.

use chrono::Duration;

use super::short_cookie::{MINUTES, ShortCookie};
use super::store::Key;
use crate::clock::Moment;
use crate::error::Result;
use crate::secrets::{self, Secrets};

const PLACE: &str = "half-way in";
pub(super) const COOKIE: ShortCookie = ShortCookie("half-way", "__Host-half-way");

/// Who is half-way in, and by which password.
pub(super) struct HalfWay {
    pub member_id: i64,
    mark: String,
    /// Until when its cookie works.
    pub until: Moment,
    /// The provider, where it was none of ours that let them half-way in.
    pub with: Option<String>,
}

impl HalfWay {
    /// Whether this is still what the account opens with.
    pub fn is_by(&self, key: &Key) -> bool {
        key.active && secrets::same(&self.mark, &mark(key))
    }
}

fn mark(key: &Key) -> String {
    secrets::hash(PLACE, &format!("{} {}", key.version, key.password_hash.as_deref().unwrap_or_default()))
}

/// The cookie's value for whoever turned this key, at this provider or here.
pub(super) fn seal(secrets: &Secrets, key: &Key, with: Option<&str>, now: Moment) -> Result<String> {
    let until = now.plus(Duration::minutes(MINUTES)).micros();
    secrets.seal(PLACE, &format!("{} {until} {} {}", key.member_id, mark(key), with.unwrap_or_default()))
}

/// By what a cookie is known to be used.
pub(super) fn spent(value: &str) -> (&'static str, String) {
    (PLACE, secrets::hash(PLACE, value))
}

/// Who it is; `None`: it is not ours, or too old.
pub(super) fn open(secrets: &Secrets, value: &str, now: Moment) -> Option<HalfWay> {
    let text = secrets.open(PLACE, value).ok()?;
    let mut parts = text.splitn(4, ' ');
    let (member_id, until) = (parts.next()?.parse().ok()?, parts.next()?.parse::<i64>().ok()?);
    let mark = parts.next()?.to_owned();
    let with = parts.next().filter(|with| !with.is_empty()).map(str::to_owned);
    (now.micros() < until).then_some(HalfWay { member_id, mark, until: Moment::from_micros(until), with })
}

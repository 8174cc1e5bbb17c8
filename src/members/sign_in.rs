//! Signing in and out. Whatever is wrong (an unknown address, a wrong password, a deactivated account), the answer is the same
//! sentence after the same work.

use std::net::IpAddr;

use serde_json::{Value, json};

use super::known::Known;
use super::model::By;
use super::store::sessions::Origin;
use super::throttle::{self, Who};
use super::{half_way, passwords, second_factor, store};
use crate::app::{App, off_thread};
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::going::Refused;
use crate::secrets::Secrets;
use crate::web::network;

/// Says nothing about which of the two is wrong.
const WRONG: &str = "The e-mail address or the password is not right. Check both and try again.";

/// Where somebody knocks from.
#[derive(Clone)]
pub struct Knock {
    pub from: Origin,
    pub known: Option<Known>,
    /// The value of the session cookie that is there already.
    pub old: Option<String>,
}

/// What a right password leads to.
pub enum Opened {
    In(Entered),
    /// To the question for the code of the second factor: the value of a cookie that says who is half-way in.
    HalfWay(String),
}

/// A sign-in that was let in.
pub struct Entered {
    pub member_id: i64,
    /// The value of a fresh session cookie.
    pub cookie: String,
}

/// Signs in, or asks for a code.
pub async fn sign_in(app: &App, email: &str, password: &str, knock: Knock) -> Result<Opened> {
    // The turn comes before the look at the count: of many guesses sent at once, no more than there are turns can be
    // under way uncounted.
    let _turn = passwords::turn(app).await?;
    let (now, from, email) = (app.now(), network(knock.from.address), email.to_owned());
    let (key, who) = ask(app, &email, knock.from.address, knock.known.clone()).await?;
    let known = key.as_ref().map(|key| key.member_id);
    let matched = matches(key, password.to_owned()).await?;
    // A flood of them is counted instead of told one by one.
    let refused = Refused { action: "member.sign_in_refused", member: None, channel: "page", from };
    let tell = matched.is_none() && app.refusals.count(&refused, now);
    let secrets = app.secrets.clone();
    let opened = app
        .write(move |conn| match matched {
            Some(key) => {
                // A password that was changed, or an account that was closed, since it was looked at lets nobody in.
                db::lock_row(conn, "members", key.member_id)?;
                let Some(key) = store::key_of(conn, &email)?.filter(|there| there.opens_as(&key)) else {
                    return Ok(None);
                };
                throttle::succeeded(conn, &who)?;
                admit(conn, &secrets, &key, &knock, None, now).map(Some)
            }
            None => {
                throttle::failed(conn, &who, now)?;
                if tell {
                    let actor = Actor::nobody("nobody", refused.channel).from(&refused.from);
                    let mut entry = Entry::about(refused.action, "member");
                    entry.subject.1 = known;
                    audit::record(conn, &actor, entry, now)?;
                }
                Ok(None)
            }
        })
        .await?;
    opened.ok_or_else(|| AppError::invalid("", WRONG))
}

/// Whoever turned this key is in, unless their second factor is asked for first. `with`: at which provider, where they turned
/// it elsewhere.
pub(super) fn admit(
    conn: &mut Conn,
    secrets: &Secrets,
    key: &store::Key,
    knock: &Knock,
    with: Option<String>,
    now: Moment,
) -> Result<Opened> {
    if second_factor::is_on(conn, key.member_id)? {
        return half_way::seal(secrets, key, with.as_deref(), now).map(Opened::HalfWay);
    }
    begin(conn, key.member_id, knock, with.map(|with| json!({ "with": with })), now).map(Opened::In)
}

/// Begins a session; that of the old cookie ends. `after`: how else they came in than by a password alone.
pub(super) fn begin(conn: &mut Conn, id: i64, knock: &Knock, after: Option<Value>, now: Moment) -> Result<Entered> {
    if let Some(old) = &knock.old {
        store::sessions::end_session(conn, old)?;
    }
    store::sessions::forget_ended(conn, now)?;
    let member = store::by_id(conn, id)?.ok_or(AppError::SignedOut)?;
    let entry = Entry::of("member.signed_in", "member", id);
    let entry = match after {
        Some(after) => entry.after(after),
        None => entry,
    };
    By::page(member).from(knock.from.address).audit(conn, entry, now)?;
    Ok(Entered { member_id: id, cookie: store::sessions::start_session(conn, id, &knock.from, now)? })
}

/// Signs out: the session of this cookie's value ends.
pub fn sign_out(conn: &mut Conn, token: &str, from: Option<IpAddr>, now: Moment) -> Result<()> {
    let session = store::sessions::find(conn, token, now)?;
    store::sessions::end_session(conn, token)?;
    let member = session.map(|session| store::by_id(conn, session.member_id)).transpose()?.flatten();
    let Some(member) = member else { return Ok(()) };
    let entry = Entry::of("member.signed_out", "member", member.id);
    By::page(member).from(from).audit(conn, entry, now)
}

/// Signs the member who acts out in one place.
pub fn sign_out_there(conn: &mut Conn, by: &By, session: i64, now: Moment) -> Result<()> {
    // Asked before: it may be the one that asks.
    let actor = by.actor(conn)?;
    if !store::sessions::end_one(conn, by.member.id, session)? {
        return Err(AppError::NotFound);
    }
    let entry = Entry::of("member.signed_out", "member", by.member.id).after(json!({ "other_sessions": 1 }));
    audit::record(conn, &actor, entry, now)
}

/// Signs a member out everywhere but where they act; answers how many sessions that ended.
pub fn sign_out_elsewhere(conn: &mut Conn, by: &By, now: Moment) -> Result<usize> {
    let ended = store::sessions::end_sessions(conn, by.member.id, by.session())?;
    if ended > 0 {
        let entry = Entry::of("member.signed_out", "member", by.member.id);
        by.audit(conn, entry.after(json!({ "other_sessions": ended })), now)?;
    }
    Ok(ended)
}

/// Whether a signed-in member knows their own password; guesses are counted like those at the door.
pub async fn confirm(
    app: &App,
    email: &str,
    password: &str,
    address: Option<IpAddr>,
    known: Option<Known>,
) -> Result<()> {
    let _turn = passwords::turn(app).await?;
    let now = app.now();
    let (key, who) = ask(app, email, address, known).await?;
    let right = matches(key, password.to_owned()).await?.is_some();
    app.write(move |conn| if right { throttle::succeeded(conn, &who) } else { throttle::failed(conn, &who, now) })
        .await?;
    if right { Ok(()) } else { Err(AppError::invalid("current", "This is not your current password.")) }
}

/// What opens the account, and as whom the attempt is counted; `TooMany` while that has to wait.
async fn ask(
    app: &App,
    email: &str,
    address: Option<IpAddr>,
    known: Option<Known>,
) -> Result<(Option<store::Key>, Who)> {
    let (now, email) = (app.now(), email.to_owned());
    app.read(move |conn| {
        let key = store::key_of(conn, &email)?;
        let who = Who::account(&email, address).with(known.as_ref(), key.as_ref().map(|key| key.member_id));
        throttle::check(conn, &who, now)?;
        Ok((key, who))
    })
    .await
}

/// The key that this password turns, after the same work for everybody.
async fn matches(key: Option<store::Key>, password: String) -> Result<Option<store::Key>> {
    off_thread(move || {
        let usable = key.filter(|key| key.active);
        let kept = usable.as_ref().and_then(|key| key.password_hash.as_deref());
        // Nobody's password is that long, and hashing it would only take time.
        let password = if password.len() > passwords::LONGEST { "" } else { &password };
        let right = passwords::verify_now(kept, password);
        Ok(usable.filter(|_| right))
    })
    .await
}

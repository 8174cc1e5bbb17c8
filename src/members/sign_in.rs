//! Signing in. Whatever is wrong (an unknown address, a wrong password, a deactivated account), the answer is the same
//! sentence after the same work.

use std::net::IpAddr;

use serde_json::json;

use super::throttle::{self, Who};
use super::{passwords, store};
use crate::app::{App, off_thread};
use crate::audit::{self, Actor, Entry};
use crate::error::{AppError, Result};

/// Says nothing about which of the two is wrong.
const WRONG: &str = "The e-mail address or the password is not right. Check both and try again.";

/// Signs in and answers the value of a fresh session cookie; the session of the `old` one ends.
pub async fn sign_in(
    app: &App,
    email: &str,
    password: &str,
    address: Option<IpAddr>,
    old: Option<String>,
) -> Result<String> {
    let who = Who::account(email, address);
    // The turn comes before the look at the count: of many guesses sent at once, no more than there are turns can be
    // under way uncounted.
    let _turn = passwords::turn(app).await?;
    let (now, asked, address) = (app.now(), who.clone(), email.to_owned());
    let key = app
        .read(move |conn| {
            throttle::check(conn, &asked, now)?;
            store::key_of(conn, &address)
        })
        .await?;
    let known = key.as_ref().map(|key| key.member_id);
    let member_id = matches(key, password.to_owned()).await?;
    let cookie = app
        .write(move |conn| match member_id {
            Some(id) => {
                throttle::succeeded(conn, &who)?;
                if let Some(old) = &old {
                    store::sessions::end_session(conn, old)?;
                }
                store::sessions::forget_ended(conn, now)?;
                let member = store::by_id(conn, id)?.ok_or(AppError::SignedOut)?;
                let actor = Actor { member_id: Some(id), name: member.name, channel: "page" };
                audit::record(conn, &actor, Entry::of("member.signed_in", "member", id), now)?;
                store::sessions::start_session(conn, id, now).map(Some)
            }
            None => {
                throttle::failed(conn, &who, now)?;
                let actor = Actor { member_id: None, name: "nobody".into(), channel: "page" };
                let mut entry =
                    Entry::about("member.sign_in_refused", "member").after(json!({ "from": who.address() }));
                entry.subject.1 = known;
                audit::record(conn, &actor, entry, now)?;
                Ok(None)
            }
        })
        .await?;
    cookie.ok_or_else(|| AppError::invalid("", WRONG))
}

/// Whether a signed-in member knows their own password; guesses are counted like those at the door.
pub async fn confirm(app: &App, email: &str, password: &str, address: Option<IpAddr>) -> Result<()> {
    let who = Who::account(email, address);
    let _turn = passwords::turn(app).await?;
    let (now, asked, email) = (app.now(), who.clone(), email.to_owned());
    let key = app
        .read(move |conn| {
            throttle::check(conn, &asked, now)?;
            store::key_of(conn, &email)
        })
        .await?;
    let right = matches(key, password.to_owned()).await?.is_some();
    app.write(move |conn| if right { throttle::succeeded(conn, &who) } else { throttle::failed(conn, &who, now) })
        .await?;
    if right { Ok(()) } else { Err(AppError::invalid("current", "This is not your current password.")) }
}

/// The member whose password this is, after the same work for everybody.
async fn matches(key: Option<store::Key>, password: String) -> Result<Option<i64>> {
    off_thread(move || {
        let usable = key.filter(|key| key.active);
        let kept = usable.as_ref().and_then(|key| key.password_hash.as_deref());
        // Nobody's password is that long, and hashing it would only take time.
        let password = if password.len() > passwords::LONGEST { "" } else { &password };
        let right = passwords::verify_now(kept, password);
        Ok(usable.filter(|_| right).map(|key| key.member_id))
    })
    .await
}

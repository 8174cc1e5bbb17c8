//! A new password for a member who forgot theirs: by a link that works once and for an hour, or from the command line. It
//! ends everything that opened the account before.

use std::net::IpAddr;
use std::time::Duration as Wait;

use actix_web::web::Data;
use chrono::Duration;
use serde_json::json;
use url::Url;

use super::actions::{command, end_access};
use super::known::Known;
use super::links::{self, Letter, Way};
use super::model::{By, Member};
use super::passwords::PasswordHash;
use super::store::codes::{self, Of};
use super::throttle::{self, Who};
use super::{passwords, second_factor, store};
use crate::app::App;
use crate::audit::{self, Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::in_use::Enders;
use crate::mail::Sent;
use crate::web::network;
use crate::{secrets, workspace};

const PURPOSE: &str = "reset";
const DOOR: &str = "password/reset";
const MINUTES: i64 = 60;
/// So many links that somebody asked for work at once: each was mailed, and more would only fill a mailbox.
const MOST: i64 = 3;
/// Seconds before each try to mail one; nobody waits for it.
const TRIES: [u64; 3] = [0, 5, 60];

fn hash(token: &str) -> String {
    secrets::hash("password reset", token)
}

fn of(member: &Member) -> Of<'static> {
    Of { purpose: PURPOSE, member_id: member.id, made_by: None }
}

/// A fresh link of a member, as a letter to them. It ends with the right of whoever made it.
fn letter(conn: &mut Conn, base: &Url, (member, made_by): (&Member, Option<i64>), now: Moment) -> Result<Letter> {
    let token = secrets::random_token();
    codes::insert_of(conn, &Of { made_by, ..of(member) }, &hash(&token), now.plus(Duration::minutes(MINUTES)), now)?;
    Ok(Letter {
        workspace: workspace::get(conn)?.name,
        title: "Set a new password".into(),
        detail: "Choose a new password for your account. It signs you out everywhere and revokes your API tokens and calendar addresses."
            .into(),
        button: "Set a new password",
        url: links::address(base, DOOR, &token)?,
        ends: "The link works once, within an hour. If you did not ask for it, ignore this mail: your password stays \
               as it is."
            .into(),
        because: "someone asked for a new password for your account.",
        to: (member.name.clone(), member.email.clone()),
    })
}

/// Takes the wish for a link. Who that is is looked up only afterwards, while nobody waits: the answer is the same, and
/// takes as long, whether there is such a member or not.
pub async fn ask(app: &Data<App>, email: &str, address: Option<IpAddr>) -> Result<()> {
    let (who, now) = (Who::reset(email, address), app.now());
    app.write(move |conn| throttle::asked(conn, &who, now)).await?;
    let (app, email) = (app.clone(), email.to_owned());
    actix_web::rt::spawn(async move {
        if let Err(error) = answer(&app, email, address).await {
            let cause = error.to_string();
            tracing::warn!(cause, "a link to reset a password could not be mailed");
        }
    });
    Ok(())
}

/// Mails the link to the active member of this address, should there be one.
async fn answer(app: &Data<App>, email: String, address: Option<IpAddr>) -> Result<()> {
    let (asks, now) = (app.clone(), app.now());
    let made = app.write(move |conn| {
        let Some(member) = store::by_email(conn, &email)?.filter(|member| member.active) else { return Ok(None) };
        db::lock_row(conn, "members", member.id)?;
        if links::unmailed(&asks, conn)?.is_some() || codes::working(conn, &of(&member), now)? >= MOST {
            return Ok(None);
        }
        let actor = Actor::nobody("nobody", "page").from(network(address));
        audit::record(conn, &actor, Entry::of("member.reset_asked", "member", member.id), now)?;
        letter(conn, &asks.base_url, (&member, None), now).map(Some)
    });
    let Some(letter) = made.await? else { return Ok(()) };
    let mut said = String::new();
    for seconds in TRIES {
        tokio::time::sleep(Wait::from_secs(seconds)).await;
        match links::post(app, &letter).await? {
            Sent::Accepted => return Ok(()),
            Sent::Refused(why) => return Err(AppError::Conflict(why)),
            Sent::Later(why) => said = why,
        }
    }
    Err(AppError::Conflict(said))
}

/// Makes a link for a member, in whose name an Administrator asks. Earlier ones end.
pub async fn make(app: &Data<App>, by: &By, id: i64) -> Result<(Member, Way)> {
    let (asks, by, now) = (app.clone(), by.clone(), app.now());
    let made = app.write(move |conn| {
        by.need_administrator(conn)?;
        // Whoever ends the right of this Administrator at this moment ends this link too.
        db::lock_row(conn, "workspace", 1)?;
        db::lock_row(conn, "members", id)?;
        let member = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        if !member.active {
            return Err(AppError::Conflict(format!("{} is deactivated. Activate the account first.", member.name)));
        }
        let unmailed = links::unmailed(&asks, conn)?;
        codes::end_of_member(conn, id, now)?;
        let letter = letter(conn, &asks.base_url, (&member, Some(by.member.id)), now)?;
        by.audit(conn, Entry::of("member.reset_link_made", "member", id), now)?;
        Ok((member, letter, unmailed))
    });
    let (member, letter, unmailed) = made.await?;
    Ok((member, links::send(app, letter, unmailed).await?))
}

/// Whose link it is; `NotFound` once it does not work.
pub fn open(conn: &mut Conn, token: &str, now: Moment) -> Result<Member> {
    let id = codes::member_of(conn, PURPOSE, &hash(token), now)?.ok_or(AppError::NotFound)?;
    store::by_id(conn, id)?.filter(|member| member.active).ok_or(AppError::NotFound)
}

/// Sets the password of whoever holds a link that works; `NotFound` where it does not. What was guessed in this place
/// before no longer holds up its member.
pub async fn set(
    app: &App,
    token: String,
    password: &str,
    address: Option<IpAddr>,
    known: Option<Known>,
) -> Result<Member> {
    let (now, asked) = (app.now(), token.clone());
    let member = app.read(move |conn| open(conn, &asked, now)).await?;
    let password = passwords::hash(app, password, &[&member.email, &member.name]).await?;
    let (enders, now) = (app.enders, app.now());
    app.write(move |conn| {
        // Of two who hold the link, one comes first.
        db::lock_row(conn, "members", member.id)?;
        let member = open(conn, &token, now)?;
        throttle::succeeded(conn, &Who::account(&member.email, address).with(known.as_ref(), Some(member.id)))?;
        let actor = By::page(member.clone()).from(address).actor(conn)?;
        put(conn, &actor, enders, (&member, &password), now)?;
        Ok(member)
    })
    .await
}

/// Sets a member's password from the command line, where whoever may run the program is the operator, and takes off their
/// second factor; whether they had one. It activates nobody.
pub fn set_by_command(
    conn: &mut Conn,
    enders: Enders,
    email: &str,
    password: &PasswordHash,
    now: Moment,
) -> Result<(Member, bool)> {
    let member = store::by_email(conn, email)?.ok_or_else(|| {
        AppError::Conflict(format!("--email {email}: there is no such member; add one with tidegate member add"))
    })?;
    if !member.active {
        return Err(AppError::Conflict(format!(
            "--email {email}: this member is deactivated, and a new password activates nobody; an Administrator can"
        )));
    }
    db::lock_row(conn, "members", member.id)?;
    put(conn, &command(), enders, (&member, password), now)?;
    let lost = second_factor::lose(conn, &command(), member.id, now)?;
    Ok((member, lost))
}

fn put(
    conn: &mut Conn,
    actor: &Actor,
    enders: Enders,
    (member, password): (&Member, &PasswordHash),
    now: Moment,
) -> Result<()> {
    store::set_password(conn, member.id, &password.0)?;
    end_access(conn, actor, enders, member.id, now)?;
    let entry = Entry::of("member.password_reset", "member", member.id).after(json!({ "password": "changed" }));
    audit::record(conn, actor, entry, now)
}

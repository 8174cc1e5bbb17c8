//! Invitations: an Administrator names address and role; whoever opens the link within a week chooses name and password, and
//! is a member then.

use actix_web::web::Data;
use chrono::Duration;
use serde_json::{Value, json};
use url::Url;

use super::actions::{self, NewMember, role_id};
use super::links::{self, Letter, Way};
use super::model::{By, Member, check_email};
use super::sign_in::Entered;
use super::store::invitations::{self as kept, New};
use super::store::sessions::{self, Origin};
use super::{groups, passwords, store};
use crate::app::App;
use crate::audit::{Actor, Entry};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::names::check_name;
use crate::web::network;
use crate::{secrets, workspace};

const DOOR: &str = "invitations";
const DAYS: i64 = 7;
/// One that ran out can be sent again for so long.
const KEPT_DAYS: i64 = 30;
const MOST: i64 = 500;

/// Somebody who was asked to become a member.
#[derive(Clone, Debug, PartialEq)]
pub struct Invitation {
    pub id: i64,
    pub email: String,
    pub name: String,
    /// The name of the role.
    pub role: String,
    /// The names of the groups in which they will be.
    pub groups: Vec<String>,
    /// The name of whoever invited.
    pub invited_by: String,
    pub created_at: Moment,
    pub expires_at: Moment,
}

/// An invitation to be.
pub struct Invite {
    pub email: String,
    pub name: String,
    pub role: String,
    /// In which they are to be.
    pub group_ids: Vec<i64>,
}

/// What the invited person fills in, and where.
pub struct Accept {
    pub name: String,
    pub password: String,
    pub from: Origin,
    /// The value of the session cookie that is there already.
    pub old: Option<String>,
}

fn hash(token: &str) -> String {
    secrets::hash("invitation", token)
}

fn shown(of: &Invitation) -> Value {
    let mut shown = json!({ "email": of.email, "name": of.name, "role": of.role });
    if !of.groups.is_empty() {
        shown["groups"] = json!(of.groups);
    }
    shown
}

/// All of them, the newest first; for Administrators and Auditors.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Invitation>> {
    by.need_sight(conn)?;
    kept::all(conn)
}

/// Invites, and answers how the link gets on its way. `also`: what a higher room keeps with it, in the same transaction.
pub async fn invite(
    app: &Data<App>,
    by: &By,
    new: Invite,
    also: impl FnOnce(&mut Conn, &Invitation) -> Result<()> + Send + 'static,
) -> Result<(Invitation, Way)> {
    let (asks, by, now) = (app.clone(), by.clone(), app.now());
    let made = app.write(move |conn| {
        let (invitation, letter) = make(conn, &by, &asks.base_url, new, now)?;
        also(conn, &invitation)?;
        Ok((invitation, letter, links::unmailed(&asks, conn)?))
    });
    let (invitation, letter, unmailed) = made.await?;
    Ok((invitation, links::send(app, letter, unmailed).await?))
}

/// Sends an invitation again: another link, for another week. The one before ends.
pub async fn again(app: &Data<App>, by: &By, id: i64) -> Result<(Invitation, Way)> {
    let (asks, by, now) = (app.clone(), by.clone(), app.now());
    let made = app.write(move |conn| {
        by.need_administrator(conn)?;
        // Whoever accepts it at this moment comes before or after.
        db::lock_row(conn, "workspace", 1)?;
        let token = secrets::random_token();
        kept::renew(conn, id, &hash(&token), now.plus(Duration::days(DAYS)))?;
        let invitation = kept::by_id(conn, id)?.ok_or(AppError::NotFound)?;
        let letter = letter(conn, &asks.base_url, &by, &invitation, &token)?;
        by.audit(conn, Entry::of("invitation.renewed", "invitation", id).after(shown(&invitation)), now)?;
        Ok((invitation, letter, links::unmailed(&asks, conn)?))
    });
    let (invitation, letter, unmailed) = made.await?;
    Ok((invitation, links::send(app, letter, unmailed).await?))
}

/// Ends an invitation.
pub fn revoke(conn: &mut Conn, by: &By, id: i64, now: Moment) -> Result<Invitation> {
    by.need_administrator(conn)?;
    // Whoever accepts it at this moment comes before or after.
    db::lock_row(conn, "workspace", 1)?;
    let invitation = kept::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    kept::delete(conn, id)?;
    by.audit(conn, Entry::of("invitation.revoked", "invitation", id).before(shown(&invitation)), now)?;
    Ok(invitation)
}

fn make(conn: &mut Conn, by: &By, base: &Url, new: Invite, now: Moment) -> Result<(Invitation, Letter)> {
    by.need_administrator(conn)?;
    // One at a time, so that nobody is invited twice and there are never too many.
    db::lock_row(conn, "workspace", 1)?;
    let mut errors = FieldErrors::new();
    let name = check_name("name", &new.name, None, &mut errors);
    let email = check_email(&new.email, &mut errors);
    let role_id = role_id(conn, &new.role, &mut errors)?;
    groups::check_room(conn, &new.group_ids, &mut errors)?;
    errors.ok_or(())?;
    if store::by_email(conn, &email)?.is_some() {
        return Err(store::already_there(&email));
    }
    if kept::has(conn, &email)? {
        let words = format!("{email} is invited already. Send that invitation again, or revoke it.");
        return Err(AppError::Taken { field: "email", words });
    }
    if kept::count(conn)? >= MOST {
        return Err(AppError::Conflict(format!(
            "There are {MOST} invitations, and no more can be sent. Revoke some first."
        )));
    }
    let token = secrets::random_token();
    let hash = hash(&token);
    let of = New { email: &email, name: &name, role_id, invited_by: by.member.id, hash: &hash };
    let id = kept::insert(conn, &of, now.plus(Duration::days(DAYS)), now)?;
    kept::set_groups(conn, id, &new.group_ids)?;
    let invitation = kept::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    by.audit(conn, Entry::of("invitation.made", "invitation", id).after(shown(&invitation)), now)?;
    let letter = letter(conn, base, by, &invitation, &token)?;
    Ok((invitation, letter))
}

fn letter(conn: &mut Conn, base: &Url, by: &By, to: &Invitation, token: &str) -> Result<Letter> {
    let workspace = workspace::get(conn)?.name;
    Ok(Letter {
        title: format!("{} invites you to {workspace}", by.member.name),
        detail: format!("You are invited to {workspace}, in the role {}. Choose a password to begin.", to.role),
        workspace,
        button: "Accept the invitation",
        url: links::address(base, DOOR, token)?,
        ends: format!("The link works once, within {DAYS} days. If you do not expect it, ignore this mail."),
        because: "an Administrator entered your address.",
        to: (to.name.clone(), to.email.clone()),
    })
}

/// The invitation of a link; `NotFound` once it does not work.
pub fn open(conn: &mut Conn, token: &str, now: Moment) -> Result<Invitation> {
    kept::working(conn, &hash(token), now)?.ok_or(AppError::NotFound)
}

/// Makes the invited person a member, and signs them in; `NotFound` where the link does not work. `also`: what a higher
/// room gives them, in the same transaction.
pub async fn accept(
    app: &App,
    token: String,
    accept: Accept,
    also: impl FnOnce(&mut Conn, &Invitation, &By, Moment) -> Result<()> + Send + 'static,
) -> Result<Entered> {
    let (now, asked) = (app.now(), token.clone());
    let Invitation { email, .. } = app.read(move |conn| open(conn, &asked, now)).await?;
    let mut errors = FieldErrors::new();
    let name = check_name("name", &accept.name, None, &mut errors);
    if let Err(reason) = passwords::check(&accept.password, &[&email, &name]) {
        errors.add("password", reason);
    }
    errors.ok_or(())?;
    let password = Some(passwords::hash(app, &accept.password, &[&email, &name]).await?);
    let (from, old, now) = (accept.from, accept.old, app.now());
    app.write(move |conn| {
        // Of two who hold the link, one comes first.
        db::lock_row(conn, "workspace", 1)?;
        let invitation = open(conn, &token, now)?;
        let actor = Actor::nobody("invitation", "page").from(network(from.address));
        let new = NewMember { email, name, role: invitation.role.clone(), password };
        let by = |member: Member| By::page(member).from(from.address);
        let given = kept::group_ids(conn, invitation.id)?;
        let member = actions::insert_invited(conn, &actor, new, now, |conn, member| {
            let by = by(member.clone());
            groups::join(conn, &by, member.id, &given, now)?;
            also(conn, &invitation, &by, now)
        })?;
        let entry = Entry::of("invitation.accepted", "invitation", invitation.id).before(shown(&invitation));
        by(member.clone()).audit(conn, entry, now)?;
        if let Some(old) = &old {
            sessions::end_session(conn, old)?;
        }
        Ok(Entered { member_id: member.id, cookie: sessions::start_session(conn, member.id, &from, now)? })
    })
    .await
}

/// Removes those that ran out long ago.
pub fn forget_old(conn: &mut Conn, now: Moment) -> Result<usize> {
    kept::forget(conn, now.minus(Duration::days(KEPT_DAYS)))
}

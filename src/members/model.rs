//! A member, and a member who acts.

use std::net::IpAddr;

use chrono_tz::Tz;

use super::permissions::{Permission, Scope};
use super::store;
use crate::audit;
use crate::clock::Moment;
use crate::db::{Conn, text_enum};
use crate::error::{AppError, FieldErrors, Result};
use crate::going::Sign;
use crate::names::invisible_in;
use crate::workspace;

/// A person who signs in. Without the password's hash, so that nothing can show it by mistake.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    pub id: i64,
    pub email: String,
    pub name: String,
    /// The name of the role.
    pub role: String,
    pub permissions: Vec<Permission>,
    pub active: bool,
    pub time_zone: Option<Tz>,
    /// Single keys are shortcuts on pages.
    pub shortcuts: bool,
    /// `None`: as the device.
    pub theme: Option<Theme>,
    pub version: i64,
    pub created_at: Moment,
}

impl Member {
    pub fn may(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    pub fn is_administrator(&self) -> bool {
        self.may(Permission::Administer)
    }

    /// Administrators and Auditors see every Application without being listed.
    pub fn sees_everything(&self) -> bool {
        self.may(Permission::SeeEverything)
    }
}

text_enum! {
    /// How pages look to a member.
    pub enum Theme { Light = "light", Dark = "dark" }
}

text_enum! {
    /// The way by which somebody acts, as the audit log keeps it.
    pub enum Channel { Page = "page", Token = "token", Command = "command", Clock = "clock" }
}

/// A member who acts.
#[derive(Clone, Debug)]
pub struct By {
    pub member: Member,
    pub channel: Channel,
    /// What a token is limited to; `None`: all that the member may do.
    pub scopes: Option<Vec<Scope>>,
    /// Where the request came from; `None`: from nowhere, as of a run.
    pub from: Option<IpAddr>,
    /// Of a token its name.
    pub token: Option<String>,
    /// By which session or token they are in; `None`: by none, as of a run.
    pub sign: Option<Sign>,
}

impl By {
    pub fn page(member: Member) -> Self {
        Self { member, channel: Channel::Page, scopes: None, from: None, token: None, sign: None }
    }

    pub fn from(self, address: Option<IpAddr>) -> Self {
        Self { from: address, ..self }
    }

    /// Appends to the audit log, in the name of this member.
    pub fn audit(&self, conn: &mut Conn, entry: audit::Entry, now: Moment) -> Result<()> {
        let actor = self.actor(conn)?;
        audit::record(conn, &actor, entry, now)
    }

    /// Appends what one deed did to many things.
    pub fn audit_all(&self, conn: &mut Conn, entries: Vec<audit::Entry>, now: Moment) -> Result<()> {
        let actor = self.actor(conn)?;
        audit::record_all(conn, &actor, entries, now)
    }

    /// This member as the audit log names who acted, in a transaction that writes. Refuses, and so undoes what was done in
    /// it, where they no longer may what they might when the request arrived: its body can be long on the way, and so can the
    /// turn to write. Whoever ends their own right asks for it before.
    pub fn actor(&self, conn: &mut Conn) -> Result<audit::Actor> {
        self.need_standing(conn)?;
        Ok(audit::Actor {
            member_id: Some(self.member.id),
            name: self.member.name.clone(),
            channel: self.channel.as_str(),
            from: self.from.map(|address| address.to_string()),
            token: self.token.clone(),
        })
    }

    /// Refuses unless what this member came in by, and what they may, is as it was found.
    pub fn need_standing(&self, conn: &mut Conn) -> Result<()> {
        let (stands, permissions) = store::standing(conn, self.member.id, self.sign)?.ok_or(AppError::SignedOut)?;
        if !stands {
            return Err(AppError::SignedOut);
        }
        if permissions != self.member.permissions {
            return Err(AppError::Forbidden(
                "Your role changed while this was on its way, so nothing was done. Send it again.".into(),
            ));
        }
        Ok(())
    }

    /// The session in which they act.
    pub fn session(&self) -> Option<i64> {
        match self.sign {
            Some(Sign::Session(id)) => Some(id),
            _ => None,
        }
    }

    /// A token of narrower scope may do less than its member.
    pub fn need_scope(&self, scope: Scope) -> Result<()> {
        match &self.scopes {
            Some(scopes) if !scopes.contains(&scope) => {
                Err(AppError::Forbidden(format!("This token lacks the scope \"{scope}\".")))
            }
            _ => Ok(()),
        }
    }

    /// For what only Administrators do: members, roles, mail, Connections. The refusal names who they are.
    pub fn need_administrator(&self, conn: &mut Conn) -> Result<()> {
        self.need_scope(Scope::Administer)?;
        if self.member.is_administrator() { Ok(()) } else { Err(who_administers(conn)?) }
    }

    /// For what Auditors may look at too.
    pub fn need_sight(&self, conn: &mut Conn) -> Result<()> {
        let sees = self.member.is_administrator() || self.member.sees_everything();
        if sees { Ok(()) } else { Err(refusal(conn, "Only Administrators and Auditors can see this.")?) }
    }
}

/// The time zone in which a member reads: their own, or else the Workspace's.
pub fn zone_of(conn: &mut Conn, own: Option<Tz>) -> Result<Tz> {
    own.map_or_else(|| workspace::get(conn).map(|workspace| workspace.time_zone), Ok)
}

/// "Ada, Olive or Mo"; only the first three of many.
pub fn names(mut names: Vec<String>) -> String {
    names.truncate(3);
    match names.pop() {
        None => "an Administrator".into(),
        Some(last) if names.is_empty() => last,
        Some(last) => format!("{} or {last}", names.join(", ")),
    }
}

fn who_administers(conn: &mut Conn) -> Result<AppError> {
    refusal(conn, "Only Administrators can do this.")
}

/// Who can, and whom to ask.
fn refusal(conn: &mut Conn, who_can: &str) -> Result<AppError> {
    let who = names(store::administrators(conn)?.into_iter().map(|m| m.name).collect());
    Ok(AppError::Forbidden(format!("{who_can} Ask {who}.")))
}

/// A plausible e-mail address, outer spaces cut.
pub fn check_email(text: &str, errors: &mut FieldErrors) -> String {
    let email = text.trim();
    if email.is_empty() {
        errors.add("email", "Enter an e-mail address.");
    } else if email.len() > 254 || email.parse::<lettre::Address>().is_err() || invisible_in(email).is_some() {
        errors.add("email", "This is not an e-mail address. Write it like name@example.com.");
    }
    email.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_for_what_would_do_harm() {
        let wrong = |email: &str| {
            let mut errors = FieldErrors::new();
            check_email(email, &mut errors);
            !errors.is_empty()
        };
        assert!(!wrong("ada@example.com") && !wrong("a.b+c@sub.example.org"));
        assert!(wrong("") && wrong("ada") && wrong("a@b@c") && wrong("ada@exa mple.com") && wrong("a@b\r\nBcc: c@d"));
        assert!(wrong("a\u{202e}b@example.com"));
    }
}

//! Members in the database, each with the role.

use diesel::dsl::exists;

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::{api_tokens as tokens, members, roles, sessions};
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::going::Sign;
use crate::members::model::{Member, Theme};
use crate::members::permissions::Permission;

type Row = (i64, String, String, String, String, bool, Option<String>, bool, Option<String>, i64, Moment);

/// The columns of a [`Member`], of members joined with roles.
macro_rules! columns {
    () => {
        (
            members::id,
            members::email,
            members::name,
            roles::name,
            roles::permissions,
            members::active,
            members::time_zone,
            members::shortcuts,
            members::theme,
            members::version,
            members::created_at,
        )
    };
}

fn member(row: Row) -> Member {
    let (id, email, name, role, permissions, active, time_zone, shortcuts, theme, version, created_at) = row;
    Member {
        id,
        email,
        name,
        role,
        permissions: serde_json::from_str(&permissions).unwrap_or_default(),
        active,
        time_zone: time_zone.and_then(|zone| zone.parse().ok()),
        shortcuts,
        theme: theme.and_then(|theme| Theme::parse(&theme)),
        version,
        created_at,
    }
}

pub fn by_id(conn: &mut Conn, id: i64) -> Result<Option<Member>> {
    let row = members::table.inner_join(roles::table).filter(members::id.eq(id)).select(columns!()).first::<Row>(conn);
    Ok(row.optional()?.map(member))
}

/// Whether a member is active and still in by what they came in by, and what they may. One query: each entry of the audit
/// log asks it.
pub fn standing(conn: &mut Conn, id: i64, sign: Option<Sign>) -> Result<Option<(bool, Vec<Permission>)>> {
    let (session, token) = match sign {
        Some(Sign::Session(id)) => (Some(id), None),
        Some(Sign::Token(id)) => (None, Some(id)),
        None => (None, None),
    };
    let session_there = exists(sessions::table.filter(sessions::id.nullable().eq(session)));
    let living = tokens::id.nullable().eq(token).and(tokens::revoked_at.is_null());
    let row = members::table.inner_join(roles::table).filter(members::id.eq(id));
    let row = row.select((members::active, roles::permissions, session_there, exists(tokens::table.filter(living))));
    let row = row.first::<(bool, String, bool, bool)>(conn).optional()?;
    Ok(row.map(|(active, permissions, session_there, token_lives)| {
        let is_in = sign.is_none() || session_there || token_lives;
        (active && is_in, serde_json::from_str(&permissions).unwrap_or_default())
    }))
}

/// Those of the ids that exist, in the order of their names.
pub fn by_ids(conn: &mut Conn, ids: &[i64]) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(roles::table)
        .filter(members::id.eq_any(ids.to_vec()))
        .order(members::name)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(member).collect())
}

/// Case does not tell two addresses apart.
pub fn by_email(conn: &mut Conn, email: &str) -> Result<Option<Member>> {
    let row = members::table
        .inner_join(roles::table)
        .filter(members::email_key.eq(email.trim().to_lowercase()))
        .select(columns!())
        .first::<Row>(conn);
    Ok(row.optional()?.map(member))
}

pub fn all(conn: &mut Conn) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(roles::table)
        .order((members::active.desc(), members::name, members::id))
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(member).collect())
}

/// The active Administrators, to be named where a right is missing.
pub fn administrators(conn: &mut Conn) -> Result<Vec<Member>> {
    Ok(all(conn)?.into_iter().filter(|m| m.active && m.is_administrator()).collect())
}

/// The members after an id, by id.
pub fn page(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<Member>> {
    let rows = members::table
        .inner_join(roles::table)
        .filter(members::id.gt(after))
        .order(members::id)
        .limit(limit)
        .select(columns!())
        .load::<Row>(conn)?;
    Ok(rows.into_iter().map(member).collect())
}

/// Whether anybody ever administered this Workspace, active or not.
pub fn has_administrator(conn: &mut Conn) -> Result<bool> {
    Ok(all(conn)?.iter().any(Member::is_administrator))
}

/// What a member signs in with.
#[derive(PartialEq, Eq)]
pub struct Key {
    pub member_id: i64,
    pub password_hash: Option<String>,
    pub active: bool,
    /// Another after each change of the account.
    pub version: i64,
}

impl Key {
    /// Whether it opens the same account as the other one did, by the same password. What else was changed of the account
    /// since, such as the theme, is no matter.
    pub fn opens_as(&self, other: &Self) -> bool {
        (self.member_id, &self.password_hash, self.active) == (other.member_id, &other.password_hash, other.active)
    }
}

type KeyRow = (i64, Option<String>, bool, i64);

fn key((member_id, password_hash, active, version): KeyRow) -> Key {
    Key { member_id, password_hash, active, version }
}

pub fn key_of(conn: &mut Conn, email: &str) -> Result<Option<Key>> {
    let row = members::table
        .filter(members::email_key.eq(email.trim().to_lowercase()))
        .select((members::id, members::password_hash, members::active, members::version))
        .first::<KeyRow>(conn)
        .optional()?;
    Ok(row.map(key))
}

/// The key of whoever has this very address, but for the case of its letters from A to Z: what somebody else says of an
/// address is taken by its word, and letters that only look alike when folded are of another mailbox.
pub fn key_of_same(conn: &mut Conn, email: &str) -> Result<Option<Key>> {
    let same = by_email(conn, email)?.filter(|member| member.email.eq_ignore_ascii_case(email));
    same.map_or(Ok(None), |member| key_by_id(conn, member.id))
}

pub fn key_by_id(conn: &mut Conn, id: i64) -> Result<Option<Key>> {
    let row = members::table.find(id);
    let row = row.select((members::id, members::password_hash, members::active, members::version));
    Ok(row.first::<KeyRow>(conn).optional()?.map(key))
}

pub fn insert(
    conn: &mut Conn,
    email: &str,
    name: &str,
    role_id: i64,
    password_hash: Option<&str>,
    now: Moment,
) -> Result<i64> {
    diesel::insert_into(members::table)
        .values((
            members::email.eq(email),
            members::email_key.eq(email.to_lowercase()),
            members::name.eq(name),
            members::role_id.eq(role_id),
            members::password_hash.eq(password_hash),
            members::active.eq(true),
            members::version.eq(1),
            members::created_at.eq(now.micros()),
        ))
        .returning(members::id)
        .get_result(conn)
        .map_err(|e| taken(e, email))
}

/// What an Administrator changes of a member.
pub struct Values<'a> {
    pub email: &'a str,
    pub name: &'a str,
    pub role_id: i64,
    pub active: bool,
}

pub fn update(conn: &mut Conn, id: i64, values: &Values, now: Moment) -> Result<()> {
    // Since when, and not when it was last looked at.
    let since = deactivated_at(conn, id)?.unwrap_or(now);
    let deactivated_at = (!values.active).then_some(since.micros());
    diesel::update(members::table.find(id))
        .set((
            members::email.eq(values.email),
            members::email_key.eq(values.email.to_lowercase()),
            members::name.eq(values.name),
            members::role_id.eq(values.role_id),
            members::active.eq(values.active),
            members::deactivated_at.eq(deactivated_at),
            members::version.eq(members::version + 1),
        ))
        .execute(conn)
        .map_err(|e| taken(e, values.email))?;
    Ok(())
}

/// Since when a member is deactivated.
pub fn deactivated_at(conn: &mut Conn, id: i64) -> Result<Option<Moment>> {
    let since = members::table.find(id).select(members::deactivated_at).first::<Option<Moment>>(conn);
    Ok(since.optional()?.flatten())
}

/// What members change of themselves.
pub struct Own<'a> {
    pub name: &'a str,
    pub time_zone: Option<&'a str>,
    pub shortcuts: bool,
    pub theme: Option<Theme>,
}

pub fn set_own(conn: &mut Conn, id: i64, own: &Own) -> Result<()> {
    diesel::update(members::table.find(id))
        .set((
            members::name.eq(own.name),
            members::time_zone.eq(own.time_zone),
            members::shortcuts.eq(own.shortcuts),
            members::theme.eq(own.theme.map(Theme::as_str)),
            members::version.eq(members::version + 1),
        ))
        .execute(conn)?;
    Ok(())
}

pub fn set_password(conn: &mut Conn, id: i64, hash: &str) -> Result<()> {
    diesel::update(members::table.find(id)).set(members::password_hash.eq(hash)).execute(conn)?;
    Ok(())
}

fn taken(error: diesel::result::Error, email: &str) -> AppError {
    if db::is_taken(&error) {
        return already_there(email);
    }
    error.into()
}

pub fn already_there(email: &str) -> AppError {
    let words = format!("A member with the e-mail address {email} already exists.");
    AppError::Taken { field: "email", words }
}

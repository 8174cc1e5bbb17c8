//! The Workspace itself: the one row that says which installation this is, what it is called, and that the sealing key
//! is the one with which its secrets were sealed.

use chrono_tz::Tz;

use crate::clock::Moment;
use crate::db::prelude::*;
use crate::db::schema::workspace;
use crate::db::{self, Conn, Pool, text_enum};
use crate::error::{AppError, Result};
use crate::secrets::{self, Secrets};

const SEAL_CONTEXT: &str = "workspace seal_check";
const SEAL_TEXT: &str = "tidegate";

#[derive(Clone, Debug)]
pub struct Workspace {
    pub name: String,
    pub time_zone: Tz,
    /// Tells this installation from every other.
    pub fingerprint: String,
}

text_enum! {
    /// Members of whom something is demanded.
    pub enum Whom { Nobody = "nobody", Administrators = "administrators", Everybody = "everybody" }
}

/// Makes the row at the first start, and refuses a key that does not open what this Workspace sealed: a wrong key is
/// found here, in one line, and not by the first import at night.
pub fn open(pool: &Pool, secrets: &Secrets, now: Moment) -> Result<(), String> {
    let sealed = seal_check(pool).map_err(|e| e.to_string())?;
    let sealed = match sealed {
        Some(sealed) => sealed,
        None => {
            let fresh = secrets.seal(SEAL_CONTEXT, SEAL_TEXT).map_err(|e| e.to_string())?;
            // Another process may be first; what stands there afterwards counts.
            let made = pool.write(|conn| make(conn, &fresh, now));
            match (seal_check(pool).map_err(|e| e.to_string())?, made) {
                (Some(sealed), _) => sealed,
                (None, Err(error)) => return Err(format!("the Workspace cannot be created: {error}")),
                (None, Ok(())) => return Err("the Workspace cannot be created".into()),
            }
        }
    };
    if is_ours(secrets, &sealed) {
        return Ok(());
    }
    Err("--secret-key: this is not the key with which this Workspace sealed its secrets; give the key that was used \
         before (secret.key of the data directory, or TIDEGATE_SECRET_KEY)"
        .into())
}

/// Whether this Workspace sealed anything yet.
pub fn is_sealed(pool: &Pool) -> Result<bool, String> {
    Ok(seal_check(pool).map_err(|e| e.to_string())?.is_some())
}

/// Whether a key is the one with which this Workspace seals its secrets.
pub fn opens(pool: &Pool, secrets: &Secrets) -> Result<bool, String> {
    let sealed = seal_check(pool).map_err(|e| e.to_string())?;
    Ok(sealed.is_some_and(|sealed| is_ours(secrets, &sealed)))
}

fn is_ours(secrets: &Secrets, sealed: &str) -> bool {
    secrets.open(SEAL_CONTEXT, sealed).is_ok_and(|text| text == SEAL_TEXT)
}

/// Refuses where the key was changed since this process began: nobody could open what it seals.
pub fn need_key(conn: &mut Conn, secrets: &Secrets) -> Result<()> {
    // Whoever changes it at this moment is waited for.
    db::lock_row(conn, "workspace", 1)?;
    let sealed = workspace::table.find(1).select(workspace::seal_check).first::<Option<String>>(conn)?;
    if sealed.is_some_and(|sealed| !is_ours(secrets, &sealed)) {
        return Err(AppError::Conflict(
            "The key that seals secrets was changed while this server ran. Restart it with the new key, then save again."
                .into(),
        ));
    }
    Ok(())
}

/// From now on this is the key.
pub fn change_key(conn: &mut Conn, new: &Secrets) -> Result<()> {
    let sealed = new.seal(SEAL_CONTEXT, SEAL_TEXT)?;
    diesel::update(workspace::table.find(1)).set(workspace::seal_check.eq(sealed)).execute(conn)?;
    Ok(())
}

fn seal_check(pool: &Pool) -> Result<Option<String>> {
    pool.read(|conn| {
        Ok(workspace::table.find(1).select(workspace::seal_check).first::<Option<String>>(conn).optional()?.flatten())
    })
}

fn make(conn: &mut Conn, sealed: &str, now: Moment) -> Result<()> {
    let there = workspace::table.find(1).select(workspace::seal_check).first::<Option<String>>(conn).optional()?;
    match there {
        Some(Some(_)) => {}
        Some(None) => {
            diesel::update(workspace::table.find(1)).set(workspace::seal_check.eq(sealed)).execute(conn)?;
        }
        None => {
            diesel::insert_into(workspace::table)
                .values((
                    workspace::id.eq(1),
                    workspace::name.eq("Workspace"),
                    workspace::time_zone.eq("UTC"),
                    workspace::fence.eq(0),
                    workspace::fingerprint.eq(secrets::random_token()),
                    workspace::seal_check.eq(sealed),
                    workspace::created_at.eq(now.micros()),
                ))
                .execute(conn)?;
        }
    }
    Ok(())
}

/// By which version of the zone data the next occurrences were reckoned.
pub fn zone_data(conn: &mut Conn) -> Result<Option<String>> {
    Ok(workspace::table.find(1).select(workspace::zone_data).first(conn)?)
}

pub fn set_zone_data(conn: &mut Conn, version: &str) -> Result<()> {
    diesel::update(workspace::table.find(1)).set(workspace::zone_data.eq(version)).execute(conn)?;
    Ok(())
}

pub fn get(conn: &mut Conn) -> Result<Workspace> {
    let (name, zone, fingerprint) = workspace::table
        .find(1)
        .select((workspace::name, workspace::time_zone, workspace::fingerprint))
        .first::<(String, String, String)>(conn)
        .optional()?
        .ok_or_else(|| AppError::internal("the Workspace's row is missing"))?;
    Ok(Workspace { name, time_zone: zone.parse().unwrap_or(chrono_tz::UTC), fingerprint })
}

/// Refuses what would send a message to somebody while it stands by.
pub fn need_sending(conn: &mut Conn) -> Result<()> {
    match standing_by_since(conn)? {
        Some(_) => Err(AppError::Conflict("This Workspace is a copy that stands by, and sends no message.".into())),
        None => Ok(()),
    }
}

/// Since when it stands by.
pub fn standing_by_since(conn: &mut Conn) -> Result<Option<Moment>> {
    Ok(workspace::table.find(1).select(workspace::standing_by_since).first(conn)?)
}

/// Of whom a second factor is demanded.
pub fn second_factor_of(conn: &mut Conn) -> Result<Whom> {
    let word: String = workspace::table.find(1).select(workspace::second_factor_of).first(conn)?;
    Ok(Whom::parse(&word).unwrap_or(Whom::Nobody))
}

pub fn set_second_factor_of(conn: &mut Conn, whom: Whom) -> Result<()> {
    diesel::update(workspace::table.find(1)).set(workspace::second_factor_of.eq(whom.as_str())).execute(conn)?;
    Ok(())
}

/// The next lease's fence lies above this one.
pub fn raise_fence(conn: &mut Conn, above: i64) -> Result<()> {
    diesel::update(workspace::table.filter(workspace::fence.lt(above)))
        .set(workspace::fence.eq(above))
        .execute(conn)?;
    Ok(())
}

pub fn set(conn: &mut Conn, name: &str, time_zone: Tz) -> Result<()> {
    diesel::update(workspace::table.find(1))
        .set((workspace::name.eq(name), workspace::time_zone.eq(time_zone.name())))
        .execute(conn)?;
    Ok(())
}

/// Where a process finds the database, and the address that it was told.
pub struct Home {
    pub place: String,
    pub url: Option<String>,
}

/// Compares where the database is with where it was; `true`: it has just begun to stand by. Only addresses that somebody gave
/// are compared.
pub fn wake(conn: &mut Conn, home: &Home, now: Moment) -> Result<bool> {
    db::lock_row(conn, "workspace", 1)?;
    let known = (workspace::place, workspace::home_url, workspace::standing_by_since);
    let (place, url, since) =
        workspace::table.find(1).select(known).first::<(Option<String>, Option<String>, Option<Moment>)>(conn)?;
    let elsewhere = place.as_ref().is_some_and(|place| !db::is_same_place(place, &home.place))
        || url.as_ref().zip(home.url.as_ref()).is_some_and(|(was, is)| was != is);
    if elsewhere {
        if since.is_none() {
            diesel::update(workspace::table.find(1)).set(workspace::standing_by_since.eq(now)).execute(conn)?;
        }
        return Ok(since.is_none());
    }
    if place.as_ref() != Some(&home.place) || (url.is_none() && home.url.is_some()) {
        diesel::update(workspace::table.find(1))
            .set((workspace::place.eq(&home.place), workspace::home_url.eq(url.as_ref().or(home.url.as_ref()))))
            .execute(conn)?;
    }
    Ok(false)
}

/// It is at home here from now on.
pub fn confirm(conn: &mut Conn, home: &Home) -> Result<()> {
    diesel::update(workspace::table.find(1))
        .set((
            workspace::place.eq(&home.place),
            workspace::home_url.eq(&home.url),
            workspace::standing_by_since.eq(None::<Moment>),
        ))
        .execute(conn)?;
    Ok(())
}

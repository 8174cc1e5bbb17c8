//! What Administrators do with Connections. Every function that changes something runs inside the caller's write
//! transaction (`App::write`).

use std::collections::BTreeMap;

use serde_json::Value;

use super::model::{Connection, ConnectionDraft};
use super::store::{self, Sealed};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{self, InUse, Thing};
use crate::members::By;
use crate::names::taken_in;
use crate::secrets::Secrets;
use crate::workspace;

/// One Connection, for Administrators and Auditors; others read who can help.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<Connection> {
    by.need_sight(conn)?;
    store::by_id(conn, id)?.ok_or(AppError::NotFound)
}

/// All by name.
pub fn list(conn: &mut Conn, by: &By) -> Result<Vec<Connection>> {
    by.need_sight(conn)?;
    store::all(conn)
}

/// The next ones by id.
pub fn page(conn: &mut Conn, by: &By, after: i64, limit: i64) -> Result<Vec<Connection>> {
    by.need_sight(conn)?;
    store::page(conn, after, limit)
}

/// Makes a Connection. Nothing is fetched.
pub fn create(conn: &mut Conn, secrets: &Secrets, by: &By, draft: ConnectionDraft, now: Moment) -> Result<Connection> {
    by.need_administrator(conn)?;
    let mut draft = draft.tidy();
    draft.name = taken_in(&draft.name, None);
    let opened = merged(BTreeMap::new(), &draft);
    let mut errors = draft.check(&opened, None);
    check_applications(conn, &draft.application_ids, &[], &mut errors)?;
    let () = errors.ok_or(())?;
    let id = store::insert(conn, &draft.name, &draft.kind, now)?;
    workspace::need_key(conn, secrets)?;
    let sealed = seal(secrets, id, opened, &Sealed::default(), &draft, now)?;
    store::update(conn, id, &draft.name, &settings_text(&draft.settings), &sealed, 1)?;
    store::authorise(conn, id, &draft.application_ids)?;
    store::set_last_day(conn, id, draft.last_day())?;
    let made = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    by.audit(conn, Entry::of("connection.created", "connection", id).after(made.json()), now)?;
    Ok(made)
}

/// Changes a Connection. Its kind stays; secrets that are blank or not named stay too, unless it leads elsewhere now.
/// `expected_version`: refused as stale when somebody else changed it since.
pub fn update(
    conn: &mut Conn,
    secrets: &Secrets,
    by: &By,
    id: i64,
    expected_version: Option<i64>,
    draft: ConnectionDraft,
    now: Moment,
) -> Result<Connection> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "connections", id)?;
    let before = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    if expected_version.is_some_and(|version| version != before.version) {
        return Err(AppError::Stale(format!(
            "\"{}\" was changed after you opened it. To see the new version, open it in another \
             tab.",
            before.name
        )));
    }
    let mut draft = draft.tidy();
    draft.name = taken_in(&draft.name, Some(&before.name));
    let kept = store::sealed(conn, id)?;
    let mut errors = FieldErrors::new();
    let opened = with_kept(secrets, &before, &kept, &draft, &mut errors);
    if draft.kind != before.kind {
        errors.add("kind", "The kind of a Connection cannot change. Create another Connection instead.");
    } else {
        errors.extend_others(draft.check(&opened, Some(&before.name)));
    }
    check_applications(conn, &draft.application_ids, &before.application_ids, &mut errors)?;
    let () = errors.ok_or(())?;
    workspace::need_key(conn, secrets)?;
    let sealed = seal(secrets, id, opened, &kept, &draft, now)?;
    store::update(conn, id, &draft.name, &settings_text(&draft.settings), &sealed, before.version + 1)?;
    store::authorise(conn, id, &draft.application_ids)?;
    store::set_last_day(conn, id, draft.last_day())?;
    let after = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("connection.updated", "connection", id).before(before.json()).after(after.json());
    by.audit(conn, entry, now)?;
    Ok(after)
}

/// Makes it authorised for exactly these Applications, everything else left alone.
pub fn authorise(conn: &mut Conn, by: &By, id: i64, application_ids: &[i64], now: Moment) -> Result<Connection> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "connections", id)?;
    let before = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let mut errors = FieldErrors::new();
    check_applications(conn, application_ids, &before.application_ids, &mut errors)?;
    let () = errors.ok_or(())?;
    let kept = store::sealed(conn, id)?;
    store::update(conn, id, &before.name, &settings_text(&before.settings), &kept, before.version + 1)?;
    let mut ids = application_ids.to_vec();
    ids.sort_unstable();
    ids.dedup();
    store::authorise(conn, id, &ids)?;
    let after = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("connection.authorised", "connection", id).before(before.json()).after(after.json());
    by.audit(conn, entry, now)?;
    Ok(after)
}

/// Archives a Connection that no import configuration reads through; its secrets are forgotten.
pub fn archive(conn: &mut Conn, in_use: InUse, by: &By, id: i64, now: Moment) -> Result<()> {
    by.need_administrator(conn)?;
    db::lock_row(conn, "connections", id)?;
    let before = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let list = in_use.all(conn, Thing::Connection(id))?;
    if !list.is_empty() {
        return Err(AppError::Conflict(format!(
            "\"{}\" is used by import configurations: {}. Change their source or delete them first.",
            before.name,
            in_use::words(&list, ", ")
        )));
    }
    store::archive(conn, id, now)?;
    by.audit(conn, Entry::of("connection.deleted", "connection", id).before(before.json()), now)
}

/// An Application that is gone may stay where it was; a new one must be there.
fn check_applications(conn: &mut Conn, wanted: &[i64], already: &[i64], errors: &mut FieldErrors) -> Result<()> {
    let there = store::existing_applications(conn, wanted)?;
    if wanted.iter().any(|id| !there.contains(id) && !already.contains(id)) {
        errors.add("application_ids", "One of these Applications does not exist.");
    }
    Ok(())
}

/// The place that a Connection's secrets are sealed for.
pub fn place(id: i64) -> String {
    format!("connections {id}")
}

/// The secrets of a Connection in the clear; none where this key does not open them, or they are another's.
pub fn unseal(secrets: &Secrets, id: i64, kept: &Sealed) -> Option<BTreeMap<String, String>> {
    if kept.set.is_empty() {
        return Some(BTreeMap::new());
    }
    serde_json::from_str(&secrets.open(&place(id), &kept.sealed).ok()?).ok()
}

/// The secrets of a draft that changes a Connection, blank ones as they are kept. What was entered for one place is sent to
/// no other, and what cannot be opened cannot be kept: both are asked for again, where the draft still needs them.
pub fn with_kept(
    secrets: &Secrets,
    before: &Connection,
    kept: &Sealed,
    draft: &ConnectionDraft,
    errors: &mut FieldErrors,
) -> BTreeMap<String, String> {
    let why = match (draft.leads() == before.leads(), unseal(secrets, before.id, kept)) {
        (true, Some(there)) => return merged(there, draft),
        (true, None) => "It cannot be opened with the server's key. Enter it again.",
        (false, _) => "The address or another setting has changed, so enter the secret again.",
    };
    let given = |name: &String| draft.secrets.get(name).is_some_and(|secret| secret.as_deref() != Some(""));
    for name in kept.set.keys().filter(|name| !given(name) && draft.asks_for(name)) {
        errors.add(format!("secrets.{name}"), why);
    }
    merged(BTreeMap::new(), draft)
}

/// Seals all that is sealed with another key, and answers of how many Connections.
pub fn seal_anew(conn: &mut Conn, old: &Secrets, new: &Secrets) -> Result<usize> {
    let all = store::all_sealed(conn)?;
    let number = all.len();
    for (id, name, mut kept) in all {
        let text = old.open(&place(id), &kept.sealed).map_err(|_| {
            AppError::Conflict(format!(
                "the secrets of the Connection \"{name}\" do not open with the current key; enter them again on its \
                 page, or delete it, then change the key"
            ))
        })?;
        kept.sealed = new.seal(&place(id), &text)?;
        store::set_sealed(conn, id, &kept)?;
    }
    Ok(number)
}

/// The secrets that a draft leaves: a blank one keeps what is set.
pub fn merged(mut opened: BTreeMap<String, String>, draft: &ConnectionDraft) -> BTreeMap<String, String> {
    for (name, given) in &draft.secrets {
        match given.as_deref() {
            None => drop(opened.remove(name)),
            Some("") => {}
            Some(secret) => drop(opened.insert(name.clone(), secret.to_owned())),
        }
    }
    opened
}

fn seal(
    secrets: &Secrets,
    id: i64,
    opened: BTreeMap<String, String>,
    before: &Sealed,
    draft: &ConnectionDraft,
    now: Moment,
) -> Result<Sealed> {
    if opened.is_empty() {
        return Ok(Sealed::default());
    }
    let set = opened
        .keys()
        .map(|name| {
            let given = draft.secrets.get(name).and_then(Option::as_deref).is_some_and(|secret| !secret.is_empty());
            let since = if given { None } else { before.set.get(name).copied() };
            (name.clone(), since.unwrap_or_else(|| now.micros()))
        })
        .collect();
    let text = serde_json::to_string(&opened).map_err(|_| AppError::internal("sealed secrets"))?;
    Ok(Sealed { set, sealed: secrets.seal(&place(id), &text)? })
}

fn settings_text(settings: &Value) -> String {
    if settings.is_object() { settings.to_string() } else { "{}".into() }
}

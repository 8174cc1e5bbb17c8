//! What people do with kept files, by page and by API alike: whoever may import. Each action that changes something
//! belongs into one write transaction and is recorded in the audit log. The file itself is stored before, in the Block
//! database; one that no action then names is forgotten by and by.

use serde_json::json;

use super::body::KeptFileAnswer;
use super::model::{KeptFile, KeptVersion, LARGEST, MOST, VERSIONS};
use super::store;
use crate::applications::{self, Entered};
use crate::audit::Entry;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::files::{Stored, stem_and_ending};
use crate::in_use::{self, InUse, Thing};
use crate::members::{By, Scope};
use crate::names::{LONGEST, name_key, visible};
use crate::words;

/// Enters an Application to see its kept files.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_open_scheduling(conn)?;
    Ok(entered)
}

/// The same to keep, replace or delete one.
pub fn enter_to_change(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let entered = applications::enter(conn, by, application_id)?;
    entered.need_import(conn, by, Scope::Schedule)?;
    Ok(entered)
}

/// One kept file, its Application entered.
pub fn find(conn: &mut Conn, by: &By, id: i64) -> Result<(KeptFile, Entered)> {
    let kept = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entered = enter(conn, by, kept.application_id)?;
    Ok((kept, entered))
}

/// The versions that are remembered, the newest first; for a caller that has [found](find) it.
pub fn versions(conn: &mut Conn, kept: &KeptFile) -> Result<Vec<KeptVersion>> {
    store::versions(conn, kept.id)
}

/// Keeps a file that was stored. Where its name is taken it gets another: "sales (2).csv".
///
/// `Conflict` when the Application keeps as many as it may; `Invalid` on `file` when it is too large or empty.
pub fn keep(conn: &mut Conn, by: &By, application_id: i64, stored: &Stored, now: Moment) -> Result<KeptFile> {
    // Two who keep a file go one after the other, and find two names. The right is asked after the wait.
    db::lock_row(conn, "applications", application_id)?;
    enter_to_change(conn, by, application_id)?;
    by.need_standing(conn)?;
    fits(stored)?;
    let others = store::of_application(conn, application_id)?;
    if others.len() >= MOST {
        return Err(AppError::Conflict(format!(
            "This Application already keeps {MOST} files, the most it can. Delete one that nothing uses."
        )));
    }
    let taken: Vec<String> = others.iter().map(|other| name_key(&other.name)).collect();
    let id = store::insert(conn, application_id, &free_name(&stored.name, &taken), now)?;
    store::insert_version(conn, (id, 1, 0), stored, by.member.id, now)?;
    let kept = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("kept_file.created", "kept_file", id).application(application_id);
    by.audit(conn, entry.after(json!(KeptFileAnswer::of(&kept))), now)?;
    Ok(kept)
}

/// Puts another file in its place: what names it loads this one from now on. The same bytes under the same name change
/// nothing. `expected`: the version that the person saw.
pub fn replace(
    conn: &mut Conn,
    by: &By,
    (id, expected): (i64, Option<i64>),
    stored: &Stored,
    now: Moment,
) -> Result<KeptFile> {
    let was = hold(conn, by, id, expected)?;
    fits(stored)?;
    if (&was.newest.sha256, &was.newest.file_name) == (&stored.sha256, &stored.name) {
        return Ok(was);
    }
    let version = was.newest.version + 1;
    store::insert_version(conn, (id, version, version - VERSIONS), stored, by.member.id, now)?;
    let kept = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    let entry = Entry::of("kept_file.replaced", "kept_file", id).application(was.application_id);
    by.audit(conn, entry.before(json!(KeptFileAnswer::of(&was))).after(json!(KeptFileAnswer::of(&kept))), now)?;
    Ok(kept)
}

/// Deletes one that no schedule and no step names. Runs that loaded it stay as they are.
pub fn delete(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    (id, expected): (i64, Option<i64>),
    now: Moment,
) -> Result<KeptFile> {
    let was = hold(conn, by, id, expected)?;
    if let Some(uses) = in_use.uses(conn, Thing::KeptFile(id))?.into_iter().next() {
        return Err(AppError::Conflict(format!(
            "\"{}\" is used by {}: {}. {}",
            was.name,
            uses.by,
            in_use::words(&uses.names, ", "),
            match uses.by {
                "runs" => "Wait for them to end.",
                _ => "Give them another file first, or delete them.",
            }
        )));
    }
    store::archive(conn, id, now)?;
    let entry = Entry::of("kept_file.deleted", "kept_file", id).application(was.application_id);
    by.audit(conn, entry.before(json!(KeptFileAnswer::of(&was))), now)?;
    Ok(was)
}

/// Holds a kept file until the transaction ends, for who may change it.
fn hold(conn: &mut Conn, by: &By, id: i64, expected: Option<i64>) -> Result<KeptFile> {
    db::lock_row(conn, "kept_files", id)?;
    let was = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
    enter_to_change(conn, by, was.application_id)?;
    by.need_standing(conn)?;
    if expected.is_some_and(|version| version != was.newest.version) {
        return Err(AppError::Stale(format!(
            "{} replaced \"{}\" after you opened it. It is version {} now.",
            was.newest.kept_by_name, was.name, was.newest.version
        )));
    }
    Ok(was)
}

fn fits(stored: &Stored) -> Result<()> {
    if stored.bytes == 0 {
        return Err(AppError::invalid("file", "The file is empty. Choose another one."));
    }
    if stored.bytes > LARGEST {
        return Err(AppError::invalid(
            "file",
            format!(
                "The file has {}. A kept file may have at most 1 GiB; use a Connection for a larger one.",
                words::bytes(stored.bytes)
            ),
        ));
    }
    Ok(())
}

/// The name of an uploaded file, or another like it where that is taken; `taken` are the keys of names.
fn free_name(file: &str, taken: &[String]) -> String {
    let file = visible(file);
    let file = if file.trim().is_empty() { "file".to_owned() } else { file.trim().to_owned() };
    let (stem, ending) = stem_and_ending(&file);
    let named = |n: usize| {
        let end = if n == 1 { ending.to_owned() } else { format!(" ({n}){ending}") };
        let stem: String = stem.chars().take(LONGEST - end.chars().count()).collect();
        format!("{}{end}", stem.trim_end())
    };
    // One more than there are is free.
    let free = (1..=taken.len()).map(named).find(|name| !taken.contains(&name_key(name)));
    free.unwrap_or_else(|| named(taken.len() + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_file_finds_a_free_name_that_fits() {
        let keys = |names: &[&str]| names.iter().map(|name| name_key(name)).collect::<Vec<_>>();
        assert_eq!(free_name("sales.csv.gz", &[]), "sales.csv.gz");
        assert_eq!(free_name("sales.csv", &keys(&["Sales.CSV"])), "sales (2).csv");
        assert_eq!(free_name("sales.csv", &keys(&["sales.csv", "sales (2).csv"])), "sales (3).csv");
        assert_eq!(free_name(" ", &[]), "file");
        assert_eq!(free_name(".csv", &[]), ".csv");
        assert_eq!(free_name("v1.2 sales.csv.GZ", &keys(&["v1.2 sales.csv.gz"])), "v1.2 sales (2).csv.GZ");
        assert_eq!(free_name("Q1.2026 actuals", &keys(&["q1.2026 actuals"])), "Q1.2026 actuals (2)");
        let long = free_name(&format!("{}.csv", "é".repeat(300)), &[]);
        assert!(long.chars().count() == LONGEST && long.ends_with("é.csv"), "{long}");
    }
}

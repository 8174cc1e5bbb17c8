//! What broke and why, so that a repeat is known as one: without times and counts, and in one word where several imports
//! share it.

use crate::db::Conn;
use crate::error::Result;
use crate::imports;
use crate::notifications::letter;
use crate::notifications::model::NoticeKind;
use crate::runs::work::{FETCH, FIND};
use crate::runs::{Run, glance};

/// The longest cause that is compared, in characters.
const COMPARED: usize = 300;

/// The key of the incident that a run's end belongs to.
pub fn key(conn: &mut Conn, run: &Run, kind: NoticeKind) -> Result<String> {
    let own = format!("{}:{}", kind.as_str(), run.target().map(|target| target.to_string()).unwrap_or_default());
    let said = letter::detail(run);
    // What follows, such as the newest files that are there instead, changes from day to day.
    let said = said.split_once(". ").map_or(said.as_str(), |(first, _)| first);
    match kind {
        // How many rows were rejected, or by how much a volume is unusual, differs from run to run.
        NoticeKind::Partial | NoticeKind::Held => return Ok(own),
        // An outage misses all that was planned.
        NoticeKind::Missed => return Ok(format!("missed:a{}", run.application_id)),
        _ => {}
    }
    let of_own = format!("{own}:{}", compared(said, false));
    if run.set_id.is_some() {
        return Ok(of_own);
    }
    let step = glance::failed_steps(conn, &[run.id])?.remove(&run.id);
    match step.as_deref() {
        // It never began: whose rights it used, or the server, is what all of them share.
        None => Ok(format!("failed:a{}:{}", run.application_id, compared(said, true))),
        Some(FETCH | FIND) => {
            let version = run.configuration_id.zip(run.configuration_version);
            let version = version.map(|(id, version)| imports::version(conn, id, version)).transpose()?.flatten();
            let Some(connection) = version.and_then(|version| version.connection_id) else { return Ok(of_own) };
            let shared = compared(said, true);
            // Two files whose names differ by a number may be two files.
            if step.as_deref() == Some(FIND) && shared != compared_as_it_is(said) {
                return Ok(of_own);
            }
            Ok(format!("failed:n{connection}:a{}:{shared}", run.application_id))
        }
        Some(_) => Ok(of_own),
    }
}

fn compared_as_it_is(text: &str) -> String {
    text.to_lowercase().chars().take(COMPARED).collect()
}

/// A cause with `#` for what differs from time to time: dates and times, or with `dates_only` unset all numbers.
fn compared(text: &str, dates_only: bool) -> String {
    let text: Vec<char> = text.to_lowercase().chars().collect();
    let mut out = String::new();
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_digit() {
            out.push(text[at]);
            at += 1;
            continue;
        }
        let from = at;
        let mut end = at + 1;
        // Digits, and what stands between two of them.
        while end < text.len() {
            let joins = matches!(text[end], '-' | ':' | '.' | ',' | '/' | '_' | 't' | ' ');
            if text[end].is_ascii_digit() {
                end += 1;
            } else if joins && text.get(end + 1).is_some_and(char::is_ascii_digit) {
                end += 2;
            } else {
                break;
            }
        }
        let run = &text[from..end];
        let is_time = run.contains(&':') || run.iter().filter(|c| c.is_ascii_digit()).count() >= 6;
        if is_time || !dates_only {
            out.push('#');
        } else {
            out.extend(run);
        }
        at = end;
    }
    out.chars().take(COMPARED).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_make_no_new_cause() {
        let same = |one: &str, other: &str, dates_only| {
            assert_eq!(compared(one, dates_only), compared(other, dates_only), "{one} / {other}");
        };
        same("No file matches crew_2026-11-25*.csv.", "No file matches crew_2026-11-26*.csv.", true);
        same("Stopped at 05:15 UTC.", "Stopped at 17:02:33 UTC.", true);
        same("1,458 of 2,000 rows were rejected.", "3 of 1,999 rows were rejected.", false);
        let differ = |one: &str, other: &str| assert_ne!(compared(one, true), compared(other, true));
        differ("The server answered 401.", "The server answered 503.");
        differ("No file matches store 7.csv.", "No file matches store 8.csv.");
        assert_eq!(compared("Nothing but 20261125 here, ü", true), "nothing but # here, ü");
    }
}

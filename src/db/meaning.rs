//! What a failure of a database means. Everybody who has to know asks here, so that a lock that was waited for too
//! long is the same thing on both databases, on a page, in a run and at the start.
//!
//! Diesel tells a few failures by kind and keeps the codes of the others to itself (the SQLSTATE, SQLite's result
//! code), so those are told by their messages. SQLite's are constants of its source; PostgreSQL's are asked for in
//! English when a connection is made (`pool.rs`), where the server lets it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use diesel::result::{DatabaseErrorKind, Error};

use crate::error::AppError;
use crate::spool;

/// The meanings that decide what happens next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Busy or gone: it may work in a moment.
    Unavailable,
    /// Something else is there already, or still needs this.
    Conflict,
    /// No room: it works again once somebody made some.
    Full,
    /// A fault of ours.
    Internal,
}

/// Parts of messages, by meaning. PostgreSQL's SQLSTATE or SQLite's code stands beside.
const SAID: &[(&str, Meaning)] = &[
    ("database or disk is full", Meaning::Full),              // SQLITE_FULL
    ("No space left on device", Meaning::Full),               // 53100, and the system's ENOSPC
    ("could not extend file", Meaning::Full),                 // 53100
    ("could not write to file", Meaning::Full),               // 53100
    ("database is locked", Meaning::Unavailable),             // SQLITE_BUSY
    ("database table is locked", Meaning::Unavailable),       // SQLITE_LOCKED
    ("database schema is locked", Meaning::Unavailable),      // SQLITE_LOCKED
    ("lock timeout", Meaning::Unavailable),                   // 55P03
    ("could not obtain lock", Meaning::Unavailable),          // 55P03
    ("deadlock detected", Meaning::Unavailable),              // 40P01
    ("could not serialize access", Meaning::Unavailable),     // 40001
    ("statement timeout", Meaning::Unavailable),              // 57014
    ("terminating connection", Meaning::Unavailable),         // 57P01, 25P03
    ("the database system is", Meaning::Unavailable),         // 57P03: starting up, shutting down, in recovery
    ("connection slots", Meaning::Unavailable),               // 53300
    ("too many clients", Meaning::Unavailable),               // 53300
    ("too many connections", Meaning::Unavailable),           // 53300
    ("connection to server", Meaning::Unavailable),           // 08001
    ("server closed the connection", Meaning::Unavailable),   // 08006
    ("no connection to the server", Meaning::Unavailable),    // 08003
    ("could not send data to server", Meaning::Unavailable),  // 08006
    ("could not receive data from", Meaning::Unavailable),    // 08006
    ("SSL SYSCALL error", Meaning::Unavailable),              // 08006
    ("SSL connection has been closed", Meaning::Unavailable), // 08006
    ("out of shared memory", Meaning::Unavailable),           // 53200: too many locks at this moment
];

/// What a message of either database means.
pub fn of_message(message: &str) -> Meaning {
    SAID.iter().find(|(part, _)| message.contains(part)).map_or(Meaning::Internal, |(_, meaning)| *meaning)
}

/// What a failure that Diesel tells means.
pub fn of(error: &Error) -> Meaning {
    use DatabaseErrorKind::{
        CheckViolation, ClosedConnection, ExclusionViolation, ForeignKeyViolation, NotNullViolation,
        ReadOnlyTransaction, RestrictViolation, SerializationFailure, UniqueViolation,
    };
    match error {
        Error::DatabaseError(UniqueViolation | ExclusionViolation, _) => Meaning::Conflict,
        Error::DatabaseError(ForeignKeyViolation | RestrictViolation, _) => Meaning::Conflict,
        Error::DatabaseError(CheckViolation | NotNullViolation, _) => Meaning::Internal,
        // A server that only reads has just handed over to another, or is about to take over (25006).
        Error::DatabaseError(ClosedConnection | SerializationFailure | ReadOnlyTransaction, _)
        | Error::BrokenTransactionManager => Meaning::Unavailable,
        Error::DatabaseError(_, info) => of_message(info.message()),
        // A rollback that failed says less than why there was one.
        Error::RollbackErrorOnCommit { commit_error, .. } => of(commit_error),
        _ => Meaning::Internal,
    }
}

/// What SQLite's result code means, for who speaks to it by its C interface.
pub fn of_sqlite_code(code: i32) -> Meaning {
    use libsqlite3_sys::{SQLITE_BUSY, SQLITE_CONSTRAINT, SQLITE_FULL, SQLITE_INTERRUPT, SQLITE_LOCKED};
    match code & 0xff {
        SQLITE_FULL => Meaning::Full,
        SQLITE_BUSY | SQLITE_LOCKED | SQLITE_INTERRUPT => Meaning::Unavailable,
        SQLITE_CONSTRAINT => Meaning::Conflict,
        _ => Meaning::Internal,
    }
}

/// Why the database could not be had, for whoever runs the server: once a minute, however many ask for it meanwhile.
fn say(what: &str, cause: &str) {
    static SAID: Mutex<Option<Instant>> = Mutex::new(None);
    let mut said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    if said.is_none_or(|at| at.elapsed() > Duration::from_secs(60)) {
        *said = Some(Instant::now());
        tracing::warn!(cause, "{what}");
    } else {
        tracing::debug!(cause, "{what}");
    }
}

impl Meaning {
    /// As everybody else knows it. `cause` is for the log.
    pub fn error(self, cause: impl ToString) -> AppError {
        let cause = cause.to_string();
        match self {
            Self::Unavailable => {
                say("the database is busy or unavailable", &cause);
                AppError::Unavailable { after_seconds: 2 }
            }
            Self::Full => {
                tracing::error!(cause, "the disk is full");
                AppError::DiskFull
            }
            // Whoever expects one asks before; here it is a fault of ours.
            Self::Conflict | Self::Internal => AppError::Internal(cause),
        }
    }
}

/// What a file that could not be written means.
pub fn of_io(error: std::io::Error) -> AppError {
    if spool::is_full(&error) {
        return AppError::Unavailable { after_seconds: 30 };
    }
    let meaning = if error.kind() == std::io::ErrorKind::StorageFull { Meaning::Full } else { Meaning::Internal };
    meaning.error(error)
}

impl From<Error> for AppError {
    fn from(error: Error) -> Self {
        match error {
            Error::NotFound => Self::NotFound,
            error => of(&error).error(error),
        }
    }
}

impl From<r2d2::Error> for AppError {
    fn from(error: r2d2::Error) -> Self {
        say("no connection to the database was free", &error.to_string());
        Self::Unavailable { after_seconds: 5 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn database(kind: DatabaseErrorKind, message: &str) -> Error {
        Error::DatabaseError(kind, Box::new(message.to_owned()))
    }

    #[test]
    fn what_may_pass_is_told_from_what_will_not() {
        for (message, meaning) in [
            ("database is locked", Meaning::Unavailable),
            ("database or disk is full", Meaning::Full),
            ("could not extend file \"base/5/16\": No space left on device", Meaning::Full),
            ("canceling statement due to lock timeout", Meaning::Unavailable),
            ("deadlock detected", Meaning::Unavailable),
            ("sorry, too many clients already", Meaning::Unavailable),
            ("remaining connection slots are reserved for roles with the SUPERUSER attribute", Meaning::Unavailable),
            ("terminating connection due to administrator command", Meaning::Unavailable),
            ("the database system is starting up", Meaning::Unavailable),
            ("no such table: freezes", Meaning::Internal),
            ("relation \"freezes\" does not exist", Meaning::Internal),
        ] {
            assert_eq!(of(&database(DatabaseErrorKind::Unknown, message)), meaning, "{message}");
        }
        assert_eq!(of(&database(DatabaseErrorKind::ClosedConnection, "gone")), Meaning::Unavailable);
        assert_eq!(of(&database(DatabaseErrorKind::ReadOnlyTransaction, "no")), Meaning::Unavailable);
        assert_eq!(of(&database(DatabaseErrorKind::UniqueViolation, "taken")), Meaning::Conflict);
        assert_eq!(of_sqlite_code(libsqlite3_sys::SQLITE_BUSY_SNAPSHOT), Meaning::Unavailable);
        assert_eq!(of_sqlite_code(libsqlite3_sys::SQLITE_IOERR), Meaning::Internal);
    }
}

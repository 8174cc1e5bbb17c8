//! On PostgreSQL: somebody who reads a Block stands in the way of what is to become visible.

use super::outcome::{FailureKind, LoadError};
use crate::applications::blocks::{ledger::LoadRefused, reader};
use crate::db::{Conn, Pool, ping};
use crate::error::AppError;

/// Whether a commit came to nothing because others were in its way, in a database that answers: then it can be tried
/// again.
pub(super) fn may_try_again(why: &LoadRefused, conn: &mut Conn) -> bool {
    let in_the_way = matches!(why, LoadRefused::Database(AppError::Unavailable { .. }));
    in_the_way && matches!(conn, Conn::Pg(_)) && ping(conn).is_ok()
}

/// The same failure in other words, where it was a reader who stood in the way and not the database.
pub(super) fn in_words(failure: LoadError, blocks: &Pool, block_id: i64) -> LoadError {
    if failure.kind != FailureKind::DatabaseAway {
        return failure;
    }
    match blocks.read(|conn| reader(conn, block_id)) {
        Ok(Some(who)) => {
            let what = format!("{who} is reading the Block in the database. New rows wait until it finishes.");
            LoadError::new(FailureKind::HeldUp, what)
        }
        _ => failure,
    }
}

//! A load between its beginning and its end, as the ledger and the statements of a merge know it.

use crate::applications::blocks::model::Block;

/// How a load meets what the Block holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// Adds rows.
    Append,
    /// Changes the rows whose key it has, adds the others.
    Update,
    /// Takes the place of all rows.
    Replace,
    /// Takes the place of those rows whose cells in the columns of the scope have values that it brings.
    ReplaceScope,
}

/// A run as the Block database knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunKey {
    /// Random, and never given to another run.
    pub uid: String,
    /// As people see it; stands in `_run` of each row.
    pub id: i64,
}

/// How a generation is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Making {
    /// Of any number of rows, in as many transactions as that takes.
    Staged,
    /// Of few rows, in the one transaction that also makes it visible.
    AtOnce,
    /// It was staged, and waited for a decision: the ledger has a row of it.
    Held,
    /// Staged to be looked at, and never to be visible.
    Tried,
}

/// A load that has begun and is not visible yet.
#[derive(Clone, Debug)]
pub struct Staging {
    pub block_id: i64,
    pub run: RunKey,
    pub fence: i64,
    pub generation: i64,
    pub making: Making,
    /// The table to fill.
    pub table: String,
}

/// What a commit needs to know beside the staging table.
pub struct Visible<'a> {
    pub block: &'a Block,
    pub merge: Merge,
    /// The positions of the columns that the load filled.
    pub filled: &'a [i32],
    /// Those among them that hold the time of the load: by Update they change only with another cell.
    pub stamps: &'a [i32],
    /// The positions of the columns of the scope.
    pub scope: &'a [i32],
    /// By Update: an empty cell leaves what is there.
    pub blanks_keep: bool,
    /// Runs whose appended rows go: the earlier ones of the same occurrence.
    pub replaces_runs: &'a [i64],
    /// Rows in the staging table.
    pub staged: i64,
    pub read: i64,
    pub rejected: i64,
    pub bytes: i64,
    pub source_name: &'a str,
    pub source_sha256: &'a str,
    /// What the load tells beside these.
    pub told: Option<&'a str>,
}

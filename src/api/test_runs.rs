//! Test runs: what a run would do, without doing it.

use serde_json::Value;

use super::call::Call;
use super::runs::{ChangeAnswer, RunBody};
use super::upload::{self, FileQuery, PerhapsFile};
use super::{Answer, Reply, Shown};
use crate::applications::blocks::difference::{Kind, RowChange};
use crate::applications::blocks::rejects::{Cause, RejectedCell};
use crate::applications::blocks::{Block, BlockRow};
use crate::applications::{blocks, enter};
use crate::error::AppError;
use crate::imports;
use crate::imports::test_run::{self, Asked, From, Tested, Verdict};
use crate::members::Scope;
use crate::shape::{Object, answer};

answer! {
    /// What a run would do now. Nothing was loaded.
    pub struct TestRunAnswer of (block: &Block, tested: Tested) {
        /// `success`, `partial`, `nothing_new`, `held`, `failed`, or `unfinished` where the test took too long.
        outcome: String = outcome(tested.verdict).to_owned(),
        /// What there is to say about it.
        cause: Option<String> = tested.words.clone(),
        rows: TestRowsAnswer = TestRowsAnswer::of(&tested),
        /// Cells that would be changed while loading, by column and kind.
        changes: Vec<ChangeAnswer> = tested.told.changes.iter().map(ChangeAnswer::of).collect(),
        /// Why rows would be rejected.
        rejects: Vec<RejectAnswer> = tested.causes.iter().map(|cause| RejectAnswer::of(cause, &tested.rejects)).collect(),
        /// The first 50 rows each that would be changed, added and removed.
        first: Vec<RowChangeAnswer> = (tested.difference.iter())
            .flat_map(|found| &found.first)
            .map(|row| RowChangeAnswer::of(block, row))
            .collect(),
        /// Bytes that were read.
        bytes: i64 = tested.counts.bytes,
    }
}

answer! {
    /// What would become of the rows. Rows of a Block with a key are told apart by it, others are compared as a whole.
    pub struct TestRowsAnswer of (tested: &Tested) {
        read: i64 = tested.counts.read,
        added: i64 = tested.difference.as_ref().map_or(0, |found| found.added),
        changed: i64 = tested.difference.as_ref().map_or(0, |found| found.changed),
        removed: i64 = tested.difference.as_ref().map_or(0, |found| found.removed),
        unchanged: i64 = tested.difference.as_ref().map_or(0, |found| found.unchanged),
        rejected: i64 = tested.counts.rejected,
    }
}

answer! {
    /// A reason for which rows would be rejected.
    pub struct RejectAnswer of (cause: &Cause, cells: &[RejectedCell]) {
        /// The column's name in the source; empty where the row as a whole is wrong.
        column: String = cause.column.clone(),
        code: String = cause.code.clone(),
        reason: String = cause.reason.clone(),
        advice: String = cause.advice.clone(),
        /// How many cells.
        cells: i64 = cause.cells,
        /// The first of them.
        first: Vec<RejectedCellAnswer> = (cells.iter())
            .filter(|cell| cell.code == cause.code && cell.column == cause.column)
            .map(RejectedCellAnswer::of)
            .collect(),
    }
}

answer! {
    /// A cell that does not fit.
    pub struct RejectedCellAnswer of (cell: &RejectedCell) {
        line: i64 = cell.line,
        value: String = cell.value.clone(),
    }
}

answer! {
    /// A row that would be another. Texts are cut after 500 characters.
    pub struct RowChangeAnswer of (block: &Block, row: &RowChange) {
        /// `changed`, `added` or `removed`.
        kind: String = kind(row.kind()).to_owned(),
        /// By the names of the Block's columns; null for an added row.
        before: Option<Object> = row.before.as_ref().map(|row| cells(block, row)),
        /// Null for a removed row.
        after: Option<Object> = row.after.as_ref().map(|row| cells(block, row)),
        /// How many rows are alike.
        times: i64 = row.times,
    }
}

fn outcome(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Success => "success",
        Verdict::Partial => "partial",
        Verdict::NothingNew => "nothing_new",
        Verdict::Held => "held",
        Verdict::Failed => "failed",
        Verdict::Unfinished => "unfinished",
    }
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Changed => "changed",
        Kind::Added => "added",
        Kind::Removed => "removed",
    }
}

fn cells(block: &Block, row: &BlockRow) -> Object {
    let cell = |(column, cell): (&blocks::Column, &blocks::Cell)| -> (String, Value) {
        (column.name.clone(), cell.json(column.column_type))
    };
    block.columns.iter().zip(&row.cells).map(cell).collect()
}

/// `POST import-configurations/{i}/test-run`: what a run would do now. Nothing is loaded. Where each run takes a file, it is
/// sent as a form with the part `file`, or as the body itself with `?name=`; it is not kept.
pub async fn test(call: Call<FileQuery>, body: PerhapsFile) -> Answer<Shown<TestRunAnswer>> {
    let id = call.id("i")?;
    let found = call.read(move |conn, by| {
        let known = imports::by_id(conn, id)?.filter(|known| !known.archived).ok_or(AppError::NotFound)?;
        let entered = enter(conn, by, known.application_id)?;
        entered.need_import(conn, by, Scope::Run)?;
        let (configuration, definition) = imports::find(conn, &entered, id)?;
        let block = blocks::find(conn, configuration.block_id)?;
        let leads = imports::leads(conn, configuration.connection_id, &definition.parameters)?;
        Ok((configuration, definition, block, (leads, entered.application.time_zone)))
    });
    let (configuration, definition, block, (leads, zone)) = found.await?;
    let (from, given) = match From::of(&configuration, &definition) {
        Some(from) => {
            let given = body.instead::<RunBody>(&call, &configuration.name).await?.parameters.map(Value::Object);
            (from, given)
        }
        None => {
            body.there(&call, &configuration.name)?;
            let upload::Given { name, file, parameters } = upload::receive(&call, body.0).await?;
            (From::Given { name, file }, parameters)
        }
    };
    // What is sent may be long on its way: what they may is asked anew.
    let of = configuration.application_id;
    call.read(move |conn, by| enter(conn, by, of)?.need_import(conn, by, Scope::Run)).await?;
    let target = imports::values_target(&configuration, &definition, &leads);
    let values = imports::tried(&target, &call.app.secrets, given.as_ref(), (call.now(), zone))?;
    let asked = Asked { block: block.clone(), definition, from, values };
    let tested = test_run::test(&call.app, &call.by, asked, test_run::PATIENCE).await?;
    Ok(Reply::ok(TestRunAnswer::of(&block, tested)))
}

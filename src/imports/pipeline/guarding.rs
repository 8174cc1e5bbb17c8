//! Where a load would take the place of far more rows than it has, it is held: full, and seen by nobody. What is approved
//! becomes visible here, in the same way as a load that nobody stopped.

use std::time::Duration;

use super::commit::{beside, give_up, key_of, known};
use super::context::LoadContext;
use super::held_up;
use super::load::{FILE, trust};
use super::outcome::{FailureKind, LoadError, LoadReport, Outcome, counts_of};
use super::plan::Plan;
use super::reading::Reading;
use super::report::nothing_new;
use super::told::Told;
use crate::applications::blocks::ledger::{self, LedgerRow, LoadRefused, LoadState};
use crate::applications::blocks::{Making, Merge, Staging, Visible, makes_room, seal};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::imports::guard::{Guard, Stopped};

impl Plan {
    /// Whether so many rows are held instead of taking the place of what the Block holds.
    pub(super) fn holds(&self, conn: &mut Conn, staging: Option<&Staging>, rows: i64) -> Result<bool> {
        let usual = match (self.merge(), staging) {
            (Merge::Append | Merge::Update, _) => return Ok(false),
            // Without rows there is no scope: nothing makes room.
            (Merge::ReplaceScope, None) => return Ok(false),
            (Merge::ReplaceScope, Some(staging)) if self.guard != Guard::OFF => {
                let scope = self.scope_positions().map_err(AppError::internal)?;
                makes_room(conn, staging, (Merge::ReplaceScope, &scope), 0)?
            }
            (Merge::Replace | Merge::ReplaceScope, _) => ledger::state(conn, self.block.id)?.row_count,
        };
        Ok(self.guard.stops(rows, usual).is_some())
    }
}

/// What a load does whose source has no rows: nothing, or it is held where it would empty the Block.
pub(super) fn nothing(
    plan: &Plan,
    context: &LoadContext<'_>,
    (name, sha256): (&str, &str),
    (read, new_columns): (&Reading, Vec<String>),
    unchanged: &dyn Fn() -> std::result::Result<(), String>,
) -> std::result::Result<LoadReport, LoadError> {
    let mut report = nothing_new(read, name, new_columns);
    if !context.blocks.read(|conn| plan.holds(conn, None, 0))? {
        return Ok(report);
    }
    trust(unchanged)?;
    context.go_on()?;
    if plan.is_trial {
        let usual = context.blocks.read(|conn| ledger::state(conn, plan.block.id))?.row_count;
        report.outcome = Outcome::Held(Stopped { rows: 0, usual });
        return Ok(report);
    }
    let told = report.told.written()?;
    let load = Visible {
        block: &plan.block,
        merge: plan.merge(),
        filled: &[],
        stamps: &[],
        scope: &[],
        blanks_keep: false,
        replaces_runs: &[],
        staged: 0,
        read: 0,
        rejected: 0,
        bytes: report.counts.bytes,
        source_name: name,
        source_sha256: sha256,
        told: told.as_deref(),
    };
    let held = context.blocks.write(|conn| hold_nothing(conn, plan, context, &load))?;
    if let Some(row) = held? {
        (report.outcome, report.counts) = (Outcome::Held(stopped(&row)), counts_of(&row));
        if let Some(step) = report.steps.last_mut() {
            step.detail = format!("{name} has no rows.");
        }
    }
    Ok(report)
}

/// Makes a generation without rows and holds it; nothing where the Block is empty by now. A refusal goes round the
/// transaction, whose errors are `AppError`.
fn hold_nothing(
    conn: &mut Conn,
    plan: &Plan,
    context: &LoadContext<'_>,
    load: &Visible<'_>,
) -> Result<std::result::Result<Option<LedgerRow>, LoadRefused>> {
    if !plan.holds(conn, None, 0)? {
        return Ok(Ok(None));
    }
    let now = context.clock.now();
    let staging = match ledger::begin(conn, &plan.block, context.run, context.fence, Making::AtOnce, now) {
        Ok(staging) => staging,
        Err(LoadRefused::Database(error)) => return Err(error),
        Err(refused) => return Ok(Err(refused)),
    };
    seal(conn, &staging, FILE, plan.merge())?;
    match ledger::hold(conn, &[(&staging, load)], now) {
        Ok(mut rows) => Ok(Ok(rows.pop())),
        Err(LoadRefused::Database(error)) => Err(error),
        Err(refused) => {
            ledger::abandon(conn, &staging)?;
            Ok(Err(refused))
        }
    }
}

/// What the ledger says of a load that is held.
pub(super) fn stopped(row: &LedgerRow) -> Stopped {
    Stopped { rows: row.added, usual: row.removed }
}

/// The same of any load; `None`: it is not held.
pub fn held(row: &LedgerRow) -> Option<Stopped> {
    (row.state == LoadState::Held).then(|| stopped(row))
}

/// Makes visible what the run holds, under the fence of its new lease; what it did is answered from the ledger where that
/// knows it already.
pub fn approve(plan: &Plan, context: &LoadContext<'_>) -> std::result::Result<LoadReport, LoadError> {
    let (run, block_id) = (context.run, plan.block.id);
    let row = context.blocks.read(|conn| ledger::ledger(conn, &run.uid, block_id))?;
    let Some(row) = row else {
        return Err(LoadError::new(FailureKind::Dropped, "What the run held is not in the database any more."));
    };
    if row.state != LoadState::Held {
        return LoadReport::from_ledger(row);
    }
    let told_before = Told::of(&row)?;
    let scope = plan.scope_positions().map_err(|why| LoadError::new(FailureKind::Columns, why))?;
    let load = Visible {
        block: &plan.block,
        merge: plan.merge(),
        filled: &[],
        stamps: &[],
        scope: &scope,
        blanks_keep: false,
        replaces_runs: &[],
        staged: row.added,
        read: row.read,
        rejected: row.rejected,
        bytes: row.bytes,
        source_name: row.source_name.as_deref().unwrap_or_default(),
        source_sha256: row.source_sha256.as_deref().unwrap_or_default(),
        told: None,
    };
    let shown = context.blocks.lend(|conn| show(conn, plan, context, &load, told_before));
    match shown.or_else(|failure| known(context, block_id, failure))? {
        Some(row) => LoadReport::from_ledger(row),
        None => Err(LoadError::new(FailureKind::Dropped, "What the run held is not in the database any more.")),
    }
}

fn show(
    conn: &mut Conn,
    plan: &Plan,
    context: &LoadContext<'_>,
    load: &Visible<'_>,
    mut told: Told,
) -> std::result::Result<Option<LedgerRow>, LoadError> {
    let held: Vec<Staging> = ledger::held(conn, context.run, context.fence)?;
    let Some(staging) = held.iter().find(|staging| staging.block_id == plan.block.id) else { return Ok(None) };
    let created = plan.stage_items(conn, staging, context.clock.now())?;
    told.created = created.iter().map(|part| (part.list.name.clone(), part.items)).collect();
    let told = told.written()?;
    let load = Visible { told: told.as_deref(), ..*load };
    let keys: Vec<[i32; 1]> = created.iter().map(key_of).collect();
    let others: Vec<Visible<'_>> = created.iter().zip(&keys).map(|(part, key)| beside(part, key, &load)).collect();
    let parts: Vec<ledger::Part<'_>> =
        std::iter::once((staging, &load)).chain(created.iter().map(|part| &part.staging).zip(&others)).collect();
    loop {
        context.go_on()?;
        match ledger::commit(conn, &parts, context.clock.now()) {
            Ok(rows) => return Ok(rows.into_iter().next()),
            // As every load, it waits for who reads the Block.
            Err(why) if held_up::may_try_again(&why, conn) => std::thread::sleep(Duration::from_secs(1)),
            Err(why) => {
                give_up(conn, &created);
                return Err(why.into());
            }
        }
    }
}

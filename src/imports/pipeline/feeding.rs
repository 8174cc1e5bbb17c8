//! A load whose source is another Block: one statement fills the staging table inside the database, then all is as with a
//! file. The cells are typed already, so what can be wrong with one is looked for in SQL.

use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use super::again::Again;
use super::checker::{Checker, KEY_BYTES};
use super::context::{LoadContext, READING};
use super::load::{FILE, Load};
use super::outcome::{FailureKind, LoadError, LoadReport};
use super::plan::{Place, Plan, Route};
use super::reading::Reading;
use super::rejects::Keeper;
use super::told::Changes;
use crate::applications::blocks::checks::{self, Wrong};
use crate::applications::blocks::{Cell, Fed, Feed, FeedFrom, Staging, fill_from_block};
use crate::db::Conn;
use crate::formats::{ColumnType, Parser};

/// Loads what a Block gives into another, all of its accepted rows or none. Blocks, and is of a run that the ledger does
/// not know. `unchanged` is asked in the last moment before the load becomes visible.
pub fn run_from_block(
    plan: &Plan,
    feed: &Feed,
    context: &LoadContext<'_>,
    unchanged: &dyn Fn() -> Result<(), String>,
) -> Result<LoadReport, LoadError> {
    context.go_on()?;
    let began = Instant::now();
    let routes = routes(plan, feed)?;
    let names: Vec<String> = routes.iter().map(|route| route.source_name.clone()).collect();
    let checker = Checker::new(routes, names, Vec::new(), 0);
    let place = AtomicU64::new(0);
    let mut load = Load {
        plan,
        name: &feed.source.name,
        sha256: "",
        again: Again::Block(feed),
        context,
        checker: &checker,
        keeper: Keeper::new(&checker, plan, true),
        read: Reading::default(),
        changes: Changes::of(feed.columns.len()),
        new_columns: Vec::new(),
        created: Vec::new(),
        began,
        place: &place,
        size: None,
        wrote: None,
        loading: Duration::ZERO,
        checking: Duration::ZERO,
        committing: false,
        difference: None,
    };
    let shown = load.staged(|load, staging| {
        let blocks = load.context.blocks;
        blocks.until(&load.context.is_over(), &mut blocks.connect()?, |conn| {
            load.fill(conn, staging, feed)?;
            let positions: Vec<i32> = feed.columns.iter().map(|column| column.to.position).collect();
            load.finish(conn, staging, &positions, unchanged)
        })
    });
    load.ended(shown, unchanged)
}

fn routes(plan: &Plan, feed: &Feed) -> Result<Vec<Route>, LoadError> {
    let mut routes = Vec::with_capacity(feed.columns.len());
    for (i, column) in feed.columns.iter().enumerate() {
        let parser = Parser::new(column.to.column_type, column.to.must_be_filled(), &plan.read.values)
            .map_err(|errors| LoadError::new(FailureKind::Columns, errors.to_string()))?;
        let from = match &column.from {
            FeedFrom::Column(_) => Place::Cell(i),
            FeedFrom::Constant(cell) => Place::Constant(cell.clone()),
        };
        routes.push(Route { column: column.to.clone(), source_name: column.source_name().to_owned(), from, parser });
    }
    plan.scope_is_filled(&routes).map_err(|why| LoadError::new(FailureKind::Columns, why))?;
    Ok(routes)
}

impl Load<'_> {
    fn fill(&mut self, conn: &mut Conn, staging: &Staging, feed: &Feed) -> Result<(), LoadError> {
        self.tell(READING);
        let began = Instant::now();
        match fill_from_block(conn, staging, FILE, feed)? {
            Fed::Rows(rows) => (self.read.rows, self.read.staged) = (rows, rows),
            Fed::TooLarge => {
                let why =
                    "A sum is too large for its column. Load it into a column of type number, or filter the rows.";
                return Err(LoadError::new(FailureKind::Source, why));
            }
        }
        self.read.reading = began.elapsed();
        let now = Instant::now();
        (self.read.checked, self.wrote) = (Some(now), Some(now));
        self.tell(READING);
        Ok(())
    }

    /// What is wrong with single cells of what a Block gave; whether anything is.
    pub(super) fn check_cells(&mut self, conn: &mut Conn, staging: &Staging) -> Result<bool, LoadError> {
        let Again::Block(feed) = self.again else { return Ok(false) };
        let mut found = false;
        let mut keys = Vec::new();
        for (route, column) in self.checker.routes().iter().zip(&feed.columns) {
            let (staged, to) = (route.staged(), &column.to);
            let cell = format!("s.{}", staged.physical());
            let empty = matches!(column.from, FeedFrom::Column(_) | FeedFrom::Constant(Cell::Empty));
            let mut wrong = Vec::new();
            if to.must_be_filled() && empty {
                wrong.push(Wrong {
                    column: &staged,
                    code: "missing",
                    when: format!("{cell} IS NULL"),
                    reason: "The cell is empty. A value is required here.",
                    advice: "Fill it in.",
                });
            }
            if column.loses_digits() {
                wrong.push(Wrong {
                    column: &staged,
                    code: "too_precise",
                    // From here on one number may stand for two.
                    when: format!("abs({cell}) >= 9007199254740992"),
                    reason: "The number has more digits than a column of type number can hold, so it would be changed.",
                    advice: "Make the column an integer.",
                });
            } else if to.column_type == ColumnType::Number && feed.grouped {
                wrong.push(Wrong {
                    column: &staged,
                    code: "too_large",
                    when: format!("abs({cell}) > 1.7976931348623157e308"),
                    reason: "The number is too large for a column of type number.",
                    advice: "Filter the rows, or aggregate them in another way.",
                });
            }
            if to.key && matches!(to.column_type, ColumnType::Text | ColumnType::Dimension) {
                keys.push(staged.clone());
            }
            for wrong in &wrong {
                found |= self.is_wrong(conn, staging, wrong)?;
            }
        }
        if let Some(first) = keys.first() {
            let cells: Vec<String> = keys.iter().map(|key| format!("s.{}", key.physical())).collect();
            let wrong = Wrong {
                column: first,
                code: "key_too_long",
                when: checks::longer_than(conn, &cells, KEY_BYTES),
                reason: "The key is too long: more than 2000 bytes.",
                advice: "Shorten it, or choose another column as key.",
            };
            found |= self.is_wrong(conn, staging, &wrong)?;
        }
        Ok(found)
    }

    fn is_wrong(&mut self, conn: &mut Conn, staging: &Staging, wrong: &Wrong<'_>) -> Result<bool, LoadError> {
        self.context.go_on()?;
        let found = checks::wrong_cells(conn, staging, wrong, self.keeper.room())?;
        Ok(self.keeper.take(found))
    }
}

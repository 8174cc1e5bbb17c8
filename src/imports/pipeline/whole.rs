//! The checks of a load that can be made only of all rows together, in SQL, once they are staged.

use std::time::Instant;

use super::context::CHECKING;
use super::load::Load;
use super::outcome::{FailureKind, LoadError};
use super::plan::dimension_routes;
use crate::applications::blocks::{Merge, Staging, checks, items, rejects as kept};
use crate::db::Conn;

impl Load<'_> {
    /// Answers how many rows are staged and how many rejected.
    pub fn check_as_a_whole(&mut self, conn: &mut Conn, staging: &Staging) -> Result<(i64, i64), LoadError> {
        self.tell(CHECKING);
        let began = Instant::now();
        let merge = self.plan.merge();
        let scope = self.plan.scope_positions().map_err(|why| LoadError::new(FailureKind::Columns, why))?;
        let dimensions = dimension_routes(self.plan, self.checker.routes());
        let kept_some = self.checker.stages > 0 && self.read.rejected > 0;
        let mut found = self.check_cells(conn, staging)?;
        for (route, key) in dimensions {
            let room = self.keeper.room();
            if let Some(list) = self.plan.creates.iter().find(|list| list.id == key.block_id) {
                items::named_by(list).map_err(|why| LoadError::new(FailureKind::Columns, why))?;
                let not_one = checks::no_item(conn, staging, &route.staged(), key, room);
                found |= self.keeper.take(not_one?);
                continue;
            }
            let unknown = checks::unknown_items(conn, staging, (merge, &scope), &route.staged(), key, room);
            found |= self.keeper.take(unknown?);
            self.context.go_on()?;
        }
        if found || kept_some {
            self.keeper.keep_staged(conn, staging, &self.again)?;
            checks::drop_rejected(conn, staging).map_err(LoadError::from_database)?;
        }
        let keys: Vec<_> =
            self.checker.routes().iter().filter(|route| route.column.key).map(|route| route.staged()).collect();
        if !keys.is_empty() {
            let (room, again, keeper) = (self.keeper.room(), &self.again, &mut self.keeper);
            let mut keep = |conn: &mut Conn| keeper.keep_staged(conn, staging, again);
            let twice = checks::unique_keys(conn, staging, &keys, room, &mut keep);
            found |= self.keeper.take(twice?);
            self.context.go_on()?;
            let mut again = matches!(merge, Merge::Append | Merge::ReplaceScope);
            while again {
                let (stay, room) = ((self.plan.replaces_runs.as_slice(), scope.as_slice()), self.keeper.room());
                let (source, keeper) = (&self.again, &mut self.keeper);
                let mut keep = |conn: &mut Conn| keeper.keep_staged(conn, staging, source);
                let known = checks::existing_keys(conn, staging, &keys, stay, room, &mut keep)?;
                let any = self.keeper.take(known);
                found |= any;
                // Rows that are rejected may have taken values out of the scope, whose rows stay then.
                again = any && merge == Merge::ReplaceScope;
                self.context.go_on()?;
            }
        }
        let mut counts = (self.read.staged, self.read.rejected);
        if found || kept_some {
            self.keeper.fetch(conn, staging, &self.again, &mut self.changes)?;
            let kept = kept::count(conn, self.context.run.id).map_err(LoadError::from_database)?;
            let rejected = kept + self.keeper.beyond_rows() + self.read.extra;
            counts = (self.read.rows - rejected, rejected);
        }
        self.keeper.write_beyond(conn, staging)?;
        self.checking += began.elapsed();
        Ok(counts)
    }
}

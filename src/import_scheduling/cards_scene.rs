//! Reads what the page shows from the rooms below, in a number of queries that grows with nothing: of all
//! configurations what finds and sorts them, and all of it only for those that are drawn.

use std::collections::HashMap;

use super::view::Outlines;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::imports::{self, Listed};
use crate::members::{self, Member};
use crate::runs::glance::{self, Open, Past};
use crate::runs::{Progress, Run, RunStatus, actions as runs};
use crate::schedules::{Schedule, actions as schedules};

impl Outlines {
    /// Of an Application whose page the member may open. Where nothing is searched, no definition is read.
    pub fn load(conn: &mut Conn, entered: &Entered, searched: bool) -> Result<Self> {
        let schedules = schedules::outlines(conn, entered)?;
        let mut owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        owners.sort_unstable();
        owners.dedup();
        Ok(Self {
            configurations: imports::outlines(conn, entered, searched)?,
            members: members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect(),
            open: glance::open_runs(conn, entered, None)?,
            schedules,
        })
    }
}

/// All that the cards show.
pub struct CardsScene {
    pub entered: Entered,
    pub configurations: HashMap<i64, Listed>,
    /// Theirs.
    pub schedules: Vec<Schedule>,
    /// Their Owners.
    pub members: HashMap<i64, Member>,
    pub strips: HashMap<i64, Vec<Past>>,
    /// What is queued or running, by configuration.
    pub open: HashMap<i64, Run>,
    pub progress: HashMap<i64, Progress>,
    /// The runs that the configurations' statuses are of.
    pub marks: HashMap<i64, Run>,
    /// Of those that failed, the step in which.
    pub failed_steps: HashMap<i64, String>,
    pub freezes: Vec<Freeze>,
    pub now: Moment,
}

impl CardsScene {
    /// Of these configurations, of which `open` goes or waits; what is not there is left out.
    pub fn load(
        conn: &mut Conn,
        entered: Entered,
        ids: &[i64],
        open: &HashMap<i64, Open>,
        now: Moment,
    ) -> Result<Self> {
        let listed = imports::listed(conn, &entered, ids)?;
        let configurations: HashMap<i64, Listed> = listed.into_iter().map(|c| (c.configuration.id, c)).collect();
        let schedules = schedules::of_configurations(conn, ids)?;
        let owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        let open_ids: Vec<i64> = ids.iter().filter_map(|id| Some(open.get(id)?.run_id)).collect();
        let of_status = configurations.values().filter_map(|c| c.configuration.status_run_id);
        let run_ids: Vec<i64> = open_ids.iter().copied().chain(of_status).collect();
        let marks = glance::by_ids(conn, &run_ids)?;
        let open = ids.iter().filter_map(|id| Some((*id, marks.get(&open.get(id)?.run_id)?.clone()))).collect();
        let failed: Vec<i64> = marks.values().filter(|r| r.status == RunStatus::Failed).map(|r| r.id).collect();
        Ok(Self {
            failed_steps: glance::failed_steps(conn, &failed)?,
            strips: glance::strips(conn, ids)?,
            progress: runs::progress(conn, &open_ids)?,
            freezes: freezes::of_application(conn, entered.application.id)?,
            members: members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect(),
            marks,
            open,
            entered,
            configurations,
            schedules,
            now,
        })
    }
}

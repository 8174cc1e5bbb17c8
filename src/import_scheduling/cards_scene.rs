//! Reads what the page shows from the rooms below, in a number of queries that grows with nothing: of all
//! configurations what finds and sorts them, and all of it only for those that are drawn.

use std::collections::HashMap;

use super::view::Outlines;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::import_sets::{self, ImportSet, SetDefinition};
use crate::imports::{self, Listed, Target};
use crate::members::{self, Member};
use crate::promises::{self, Promise, Standing};
use crate::runs::glance::{self, Open, Past};
use crate::runs::sets::SetRun;
use crate::runs::{Progress, Run, RunStatus, actions as runs};
use crate::schedules::flagged::{self, Flag};
use crate::schedules::{Schedule, actions as schedules};
use crate::secrets::Secrets;

impl Outlines {
    /// Of an Application whose page the member may open. Where nothing is searched, no definition is read.
    pub fn load(conn: &mut Conn, entered: &Entered, searched: bool) -> Result<Self> {
        let schedules = schedules::outlines(conn, entered)?;
        let mut owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        owners.sort_unstable();
        owners.dedup();
        let owners = members::by_ids(conn, &owners)?;
        Ok(Self {
            configurations: imports::outlines(conn, entered, searched)?,
            sets: import_sets::outlines(conn, entered.application.id)?,
            flags: flagged::flags(conn, &entered.application, &owners)?,
            members: owners.into_iter().map(|m| (m.id, m)).collect(),
            open: glance::open_runs(conn, entered, None)?,
            schedules,
        })
    }
}

/// All that the cards show.
pub struct CardsScene {
    pub entered: Entered,
    pub configurations: HashMap<i64, Listed>,
    pub sets: HashMap<i64, (ImportSet, SetDefinition)>,
    /// Theirs.
    pub schedules: Vec<Schedule>,
    /// Their Owners.
    pub members: HashMap<i64, Member>,
    /// Those of them who cannot run what they own.
    pub flags: HashMap<i64, Flag>,
    /// Of schedules, by id: which secret their runs will not open.
    pub shut: HashMap<i64, String>,
    pub strips: HashMap<Target, Vec<Past>>,
    /// What is queued or running.
    pub open: HashMap<Target, Run>,
    pub progress: HashMap<i64, Progress>,
    /// Of the runs of sets that go, by run.
    pub set_runs: HashMap<i64, SetRun>,
    /// The runs that their statuses are of.
    pub marks: HashMap<i64, Run>,
    /// Of those that failed, the step in which.
    pub failed_steps: HashMap<i64, String>,
    pub freezes: Vec<Freeze>,
    /// What the groups that are told are called.
    pub groups: HashMap<i64, String>,
    /// By when they are to be ready, and how that stands.
    pub promises: HashMap<Target, (Promise, Standing)>,
    pub now: Moment,
}

impl CardsScene {
    /// Of these sets and configurations, of which `open` goes or waits; what is not there is left out.
    pub fn load(
        conn: &mut Conn,
        secrets: &Secrets,
        entered: Entered,
        targets: &[Target],
        open: &HashMap<Target, Open>,
        now: Moment,
    ) -> Result<Self> {
        let ids: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
        let set_ids: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
        let listed = imports::listed(conn, &entered, &ids)?;
        let sets = import_sets::listed_of(conn, entered.application.id, &set_ids)?;
        let sets: HashMap<_, _> = sets.into_iter().map(|found| (found.0.id, found)).collect();
        let configurations: HashMap<i64, Listed> = listed.into_iter().map(|c| (c.configuration.id, c)).collect();
        let schedules = schedules::of_targets(conn, targets)?;
        let owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        let owners = members::by_ids(conn, &owners)?;
        let told = schedules.iter().filter_map(|s| s.notify.as_ref()).flat_map(|notify| notify.group_ids.clone());
        let groups = members::groups::names(conn, &told.collect::<Vec<i64>>())?;
        let open_ids: Vec<i64> = targets.iter().filter_map(|target| Some(open.get(target)?.run_id)).collect();
        let of_status = configurations.values().filter_map(|c| c.configuration.status_run_id);
        let of_status = of_status.chain(sets.values().filter_map(|(set, _)| set.status_run_id));
        let run_ids: Vec<i64> = open_ids.iter().copied().chain(of_status).collect();
        let marks = glance::by_ids(conn, &run_ids)?;
        let run_of = |target: &Target| Some((*target, marks.get(&open.get(target)?.run_id)?.clone()));
        let open = targets.iter().filter_map(run_of).collect();
        let goes = marks.values().filter(|run| run.set_id.is_some() && run.status == RunStatus::Running);
        let mut set_runs = HashMap::new();
        for id in goes.map(|run| run.id) {
            set_runs.extend(crate::runs::sets::of(conn, id)?.map(|of| (id, of)));
        }
        let failed: Vec<i64> = marks.values().filter(|r| r.status == RunStatus::Failed).map(|r| r.id).collect();
        Ok(Self {
            failed_steps: glance::failed_steps(conn, &failed)?,
            strips: glance::strips(conn, targets)?,
            progress: runs::progress(conn, &open_ids)?,
            freezes: freezes::of_application(conn, entered.application.id)?,
            promises: promises::standings(conn, targets, now)?,
            flags: flagged::flags(conn, &entered.application, &owners)?,
            shut: flagged::shut(conn, secrets, entered.application.id, &schedules)?,
            members: owners.into_iter().map(|m| (m.id, m)).collect(),
            set_runs,
            groups,
            marks,
            open,
            entered,
            configurations,
            sets,
            schedules,
            now,
        })
    }
}

//! Reads what the page shows from the rooms below, in a number of queries that does not grow with the schedules.

use std::collections::HashMap;

use crate::applications::{Entered, enter};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::imports::{self, Listed};
use crate::members::{self, By, Member};
use crate::runs::glance::{self, LastDay, Past};
use crate::runs::{Progress, Run, actions as runs};
use crate::schedules::{Schedule, actions as schedules};

/// All that Import Scheduling knows about an Application.
pub struct Scene {
    pub entered: Entered,
    pub configurations: Vec<Listed>,
    pub schedules: Vec<Schedule>,
    /// The Owners.
    pub members: HashMap<i64, Member>,
    pub strips: HashMap<i64, Vec<Past>>,
    /// What is queued or running.
    pub open: Vec<Run>,
    pub progress: HashMap<i64, Progress>,
    /// The runs that the configurations' statuses are of.
    pub marks: HashMap<i64, Run>,
    pub last_day: LastDay,
    pub freezes: Vec<Freeze>,
    pub worker_seen_at: Option<Moment>,
    pub now: Moment,
}

impl Scene {
    /// For a member who may open the page.
    pub fn load(conn: &mut Conn, by: &By, application_id: i64, now: Moment) -> Result<Self> {
        let entered = enter(conn, by, application_id)?;
        entered.need_open_scheduling(conn)?;
        let configurations = imports::list(conn, &entered)?;
        let schedules = schedules::of_application(conn, application_id)?;
        let owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        let members = members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect();
        let open = glance::open_runs(conn, application_id)?;
        let open_ids: Vec<i64> = open.iter().map(|run| run.id).collect();
        let marks: Vec<i64> = configurations.iter().filter_map(|c| c.configuration.status_run_id).collect();
        Ok(Self {
            strips: glance::strips(conn, application_id)?,
            progress: runs::progress(conn, &open_ids)?,
            marks: glance::by_ids(conn, &marks)?,
            last_day: glance::last_day(conn, application_id, now)?,
            freezes: freezes::of_application(conn, application_id)?,
            worker_seen_at: glance::worker_seen_at(conn)?,
            entered,
            configurations,
            schedules,
            members,
            open,
            now,
        })
    }

    /// What one configuration's card shows, and nothing about the others; for the card that asks for itself.
    pub fn of_one(conn: &mut Conn, by: &By, application_id: i64, configuration_id: i64, now: Moment) -> Result<Self> {
        let entered = enter(conn, by, application_id)?;
        entered.need_open_scheduling(conn)?;
        let configurations = vec![imports::listed(conn, &entered, configuration_id)?];
        let schedules = schedules::of_configuration(conn, configuration_id)?;
        let owners: Vec<i64> = schedules.iter().map(|s| s.owner_id).collect();
        let members = members::by_ids(conn, &owners)?.into_iter().map(|m| (m.id, m)).collect();
        let open = glance::open_runs_of(conn, configuration_id)?;
        let open_ids: Vec<i64> = open.iter().map(|run| run.id).collect();
        let marks: Vec<i64> = configurations.iter().filter_map(|c| c.configuration.status_run_id).collect();
        Ok(Self {
            strips: HashMap::from([(configuration_id, glance::strip(conn, configuration_id)?)]),
            progress: runs::progress(conn, &open_ids)?,
            marks: glance::by_ids(conn, &marks)?,
            last_day: LastDay::default(),
            freezes: freezes::of_application(conn, application_id)?,
            worker_seen_at: None,
            entered,
            configurations,
            schedules,
            members,
            open,
            now,
        })
    }
}

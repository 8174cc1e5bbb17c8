//! Every question of "who uses me?": a room that keeps something which would be lost adds its line. So does one that keeps
//! values for a thing that may come to ask for them otherwise, and one by which a member comes in that is no session.

use crate::in_use::Guards;
use crate::members::groups;
use crate::{applications, feeds, import_sets, imports, runs, schedules};

pub const ALL: Guards = Guards {
    asks: &[groups::uses, applications::uses, runs::uses, imports::uses, import_sets::uses, schedules::uses],
    // Schedules first: the clock holds their rows while it queues a run, which is then found among the runs.
    follow: &[schedules::follow, runs::follow],
    end: &[feeds::end_of_member],
};

//! Every question of "who uses me?": a room that keeps something which would be lost adds its line. So does one that keeps
//! values for a thing that may come to ask for them otherwise.

use crate::in_use::Guards;
use crate::{import_sets, imports, runs, schedules};

pub const ALL: Guards = Guards {
    asks: &[runs::uses, imports::uses, import_sets::uses, schedules::uses],
    follow: &[runs::follow, schedules::follow],
};

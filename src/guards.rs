//! Every question of "who uses me?": a room that keeps something which would be lost adds its line.

use crate::in_use::Ask;
use crate::{import_sets, imports, runs, schedules};

pub const ALL: &[Ask] = &[runs::uses, imports::uses, import_sets::uses, schedules::uses];

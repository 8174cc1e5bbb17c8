//! An incident, and the imports that it holds.

use crate::clock::Moment;
use crate::imports::Target;
use crate::notifications::model::NoticeKind;

/// Something that is broken, or was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub id: i64,
    /// `None`: it concerns the whole Workspace.
    pub application_id: Option<i64>,
    /// What and why, without times: of each key one is open.
    pub key: String,
    pub kind: NoticeKind,
    /// Why, as its first failure said it.
    pub cause: String,
    pub opened_at: Moment,
    /// When it failed last.
    pub last_at: Moment,
    /// When recipients last heard of it.
    pub told_at: Moment,
    pub failures: i64,
    /// How often they were reminded since it failed last.
    pub reminders: i32,
    /// Who is on it, and since when.
    pub taken_by: Option<i64>,
    pub taken_at: Option<Moment>,
    /// Nobody is reminded until then.
    pub snoozed_until: Option<Moment>,
    pub closed_at: Option<Moment>,
}

/// An import or a set that an incident holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Affected {
    pub target: Target,
    /// Its latest run that failed.
    pub run_id: i64,
    pub at: Moment,
    pub failures: i64,
    pub recovered_at: Option<Moment>,
}

impl Incident {
    pub fn is_snoozed(&self, now: Moment) -> bool {
        self.snoozed_until.is_some_and(|until| until > now)
    }
}

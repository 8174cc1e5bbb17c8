//! Something that is told: the same to everybody who is to know.

use super::model::NoticeKind;
use super::store::NewNotice;
use crate::clock::Moment;

#[derive(Clone, Debug)]
pub struct Event {
    /// Names it: to nobody it is told twice.
    pub key: String,
    pub kind: NoticeKind,
    pub application_id: Option<i64>,
    pub run_id: Option<i64>,
    pub incident_id: Option<i64>,
    /// A path of this server, for what has no run.
    pub link: Option<String>,
    pub title: String,
    pub detail: String,
    pub at: Moment,
    /// The members who are told.
    pub who: Vec<i64>,
}

impl Event {
    pub fn notice(&self) -> NewNotice<'_> {
        NewNotice {
            key: &self.key,
            kind: self.kind,
            application_id: self.application_id,
            run_id: self.run_id,
            incident_id: self.incident_id,
            link: self.link.as_deref(),
            title: &self.title,
            detail: &self.detail,
            at: self.at,
        }
    }
}

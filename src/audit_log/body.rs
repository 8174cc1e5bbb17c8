//! An entry as the API answers it.

use crate::audit::Recorded;
use crate::clock::Moment;
use crate::shape::{Object, answer};

answer! {
    /// What somebody did, or was refused.
    pub struct EntryAnswer of (entry: &Recorded) {
        id: i64 = entry.id,
        at: Moment = entry.at,
        /// Who acted; `null`: nobody who is a member.
        member_id: Option<i64> = entry.member_id,
        /// As they were called then.
        member_name: String = entry.member_name.clone(),
        /// `page`, `token`, `command` or `clock`.
        channel: String = entry.channel.clone(),
        /// Of a token its name.
        token: Option<String> = entry.token.clone(),
        /// The address that the request came from.
        from: Option<String> = entry.from.clone(),
        /// "schedule.updated", "request.refused".
        action: String = entry.action.clone(),
        /// What it was done to.
        subject_kind: String = entry.subject_kind.clone(),
        subject_id: Option<i64> = entry.subject_id,
        application_id: Option<i64> = entry.application_id,
        /// As it was.
        before: Option<Object> = entry.before.as_ref().and_then(|value| value.as_object().cloned()),
        /// As it is since.
        after: Option<Object> = entry.after.as_ref().and_then(|value| value.as_object().cloned()),
    }
}

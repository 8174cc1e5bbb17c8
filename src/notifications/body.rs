//! A notification as the API takes and answers it.

use super::model::{Notice, NoticeKind};
use crate::clock::Moment;
use crate::shape::{answer, sent};

sent! {
    /// What may be changed of a notification.
    pub struct NoticeBody {
        /// Whether it was read.
        read: bool = "Send whether it was read." => true,
    }
}

answer! {
    /// A notification about an import.
    pub struct NoticeAnswer of (notice: &Notice) {
        id: i64 = notice.id,
        /// How the run ended; `backlog`: several runs that ended more than a day before anyone could be notified.
        kind: NoticeKind = notice.kind,
        application_id: Option<i64> = notice.application_id,
        /// The run; it may be gone by now.
        run_id: Option<i64> = notice.run_id,
        title: String = notice.title.clone(),
        /// The cause, in sentences.
        detail: String = notice.detail.clone(),
        at: Moment = notice.at,
        read: bool = notice.read_at.is_some(),
        read_at: Option<Moment> = notice.read_at,
    }
}

//! What the member was told.

use super::call::Call;
use super::{Answer, Body, List, PageQuery, Patch, Reply, Shown};
use crate::notifications::{NoticeAnswer, NoticeBody, NoticeFilter, actions};
use crate::shape::sent;

sent! {
    /// Which notices to list.
    pub struct NoticesQuery {
        /// Only those that were read, or only those that were not.
        read: bool;
        page: PageQuery,
    }
}

/// `GET notifications`: the newest first.
pub async fn list(call: Call<NoticesQuery>) -> Answer<Shown<List<NoticeAnswer>>> {
    let NoticesQuery { read, page } = call.query.clone();
    let filter = NoticeFilter { read, ..NoticeFilter::default() };
    let found = call.read(move |conn, by| actions::list(conn, by, &filter, page.before(), page.fetch())).await?;
    Ok(Reply::ok(call.query.page.list(found, |notice| notice.id, |notice| NoticeAnswer::of(&notice))))
}

/// `PATCH notifications/{n}`
pub async fn update(call: Call, body: Body<Patch<NoticeBody>>) -> Answer<Shown<NoticeAnswer>> {
    let (id, now) = (call.id("n")?, call.now());
    let saved = call.change(body, move |conn, by, body| {
        let was = actions::find(conn, by, id)?;
        let (sent, errors) = body.look_over(&NoticeBody { read: Some(was.read_at.is_some()) })?;
        let read = errors.ok_or(sent.read)?.unwrap_or(false);
        actions::set_read(conn, by, id, read, now)
    });
    Ok(Reply::ok(NoticeAnswer::of(&saved.await?)))
}

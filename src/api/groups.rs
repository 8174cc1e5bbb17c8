//! Groups of members, and their access to Applications.

use super::applications::AccessBody;
use super::call::{Call, Nothing, matches};
use super::{Answer, Body, Gone, List, Made, PageQuery, Patch, Reply, Shown};
use crate::applications::{self, Grants, actions};
use crate::clock::Moment;
use crate::members::groups::{self, Draft, Group};
use crate::shape::{Ids, answer, sent};

sent! {
    /// The fields of a group to create or change.
    pub struct GroupBody {
        name: String = "Enter a name." => "Planning team",
        /// Who is in it: up to 500 members.
        member_ids: Ids,
    }
}

answer! {
    /// Members under one name. An Application can give it access, and a schedule can notify it.
    pub struct GroupAnswer of (group: &Group) {
        id: i64 = group.id,
        name: String = group.name.clone(),
        member_ids: Ids = Ids(group.member_ids.clone()),
        version: i64 = group.version,
        created_at: Moment = group.created_at,
    }
}

answer! {
    /// A group's permissions in an Application, which each of its members has there.
    pub struct GroupAccessAnswer of (application_id: i64, group_id: i64, grants: Grants) {
        application_id: i64 = application_id,
        group_id: i64 = group_id,
        view: bool = grants.view,
        import_data: bool = grants.import_data,
        configure: bool = grants.configure,
    }
}

fn draft(sent: GroupBody) -> Draft {
    Draft { name: sent.name.unwrap_or_default(), member_ids: sent.member_ids.unwrap_or_default().0 }
}

/// `GET groups`
pub async fn list(call: Call<PageQuery>) -> Answer<Shown<List<GroupAnswer>>> {
    let all = call.read(groups::list).await?;
    Ok(Reply::ok(call.query.of_all(all, |group| group.id, |group| GroupAnswer::of(&group))))
}

/// `GET groups/{group}`
pub async fn show(call: Call) -> Answer<Shown<GroupAnswer>> {
    let id = call.id("group")?;
    let group = call.read(move |conn, by| groups::find(conn, by, id)).await?;
    Ok(Reply::ok(GroupAnswer::of(&group)))
}

/// `POST groups`
pub async fn create(call: Call, body: Body<GroupBody>) -> Answer<Made<GroupAnswer>> {
    let now = call.now();
    call.once(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let group = groups::create(conn, by, &draft(body.read()?), now)?;
        Ok(Reply::created(format!("groups/{}", group.id), GroupAnswer::of(&group)))
    })
    .await
}

/// `PATCH groups/{group}`
pub async fn update(call: Call, body: Body<Patch<GroupBody>>) -> Answer<Shown<GroupAnswer>> {
    let (id, expected, now) = (call.id("group")?, call.expected(), call.now());
    let saved = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        let was = groups::find(conn, by, id)?;
        let before = GroupBody { name: Some(was.name.clone()), member_ids: Some(Ids(was.member_ids.clone())) };
        let Some(sent) = body.over(&before)? else {
            matches(expected, was.version)?;
            return Ok(was);
        };
        groups::change(conn, by, id, &draft(sent), expected, now)
    });
    Ok(Reply::ok(GroupAnswer::of(&saved.await?)))
}

/// `DELETE groups/{group}`
pub async fn delete(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, expected, now, in_use) = (call.id("group")?, call.expected(), call.now(), call.app.in_use);
    let gone = call.change(body, move |conn, by, body| {
        by.need_administrator(conn)?;
        body.read()?;
        groups::delete(conn, in_use, by, id, expected, now)
    });
    gone.await?;
    Ok(Reply::gone())
}

/// `PUT applications/{a}/group-access/{group}`
pub async fn give_access(call: Call, body: Body<AccessBody>) -> Answer<Shown<GroupAccessAnswer>> {
    let (id, group_id, now) = (call.id("a")?, call.id("group")?, call.now());
    let given = call.change(body, move |conn, by, body| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        let sent = body.read()?;
        let grants = Grants {
            view: sent.view.unwrap_or(false),
            import_data: sent.import_data.unwrap_or(false),
            configure: sent.configure.unwrap_or(false),
        };
        actions::set_group_access(conn, by, id, group_id, grants, now)
    });
    let (_, grants) = given.await?;
    Ok(Reply::ok(GroupAccessAnswer::of(id, group_id, grants)))
}

/// `DELETE applications/{a}/group-access/{group}`
pub async fn take_access(call: Call, body: Body<Nothing>) -> Answer<Gone> {
    let (id, group_id, now) = (call.id("a")?, call.id("group")?, call.now());
    let taken = call.change(body, move |conn, by, body| {
        applications::enter(conn, by, id)?.need_configure(conn, by)?;
        body.read()?;
        actions::set_group_access(conn, by, id, group_id, Grants::default(), now)
    });
    taken.await?;
    Ok(Reply::gone())
}

//! Who was given what in which Application, in the database: members by themselves, and groups. What a member may do is
//! read from the view `member_access`, in which every way to a permission is a row.

use std::collections::HashMap;

use super::access::Grants;
use crate::db::Conn;
use crate::db::prelude::*;
use crate::db::schema::{application_access as own, application_group_access as of_groups, applications, members};
use crate::error::Result;

diesel::table! {
    /// A view: what members were given, by themselves and through groups.
    member_access (application_id, member_id) {
        application_id -> BigInt,
        member_id -> BigInt,
        can_view -> Bool,
        can_import_data -> Bool,
        can_configure -> Bool,
    }
}

diesel::allow_tables_to_appear_in_same_query!(member_access, members);
diesel::allow_tables_to_appear_in_same_query!(member_access, applications);

/// To whom or where, and what.
type Row = (i64, bool, bool, bool);

fn grants((view, import_data, configure): (bool, bool, bool)) -> Grants {
    Grants { view, import_data, configure }
}

/// What was given in several ways is given once, each permission if any way gives it.
fn united(rows: Vec<Row>) -> HashMap<i64, Grants> {
    let mut all: HashMap<i64, Grants> = HashMap::new();
    for (id, view, import_data, configure) in rows {
        let one = all.entry(id).or_default();
        *one = one.with(grants((view, import_data, configure)));
    }
    all
}

macro_rules! given {
    ($of:ident) => {
        ($of::can_view, $of::can_import_data, $of::can_configure)
    };
    ($of:ident, $id:ident) => {
        ($of::$id, $of::can_view, $of::can_import_data, $of::can_configure)
    };
}

/// What a member has in an Application, by themselves or through groups.
pub fn of_member_in(conn: &mut Conn, application_id: i64, member_id: i64) -> Result<Grants> {
    let theirs = member_access::application_id.eq(application_id).and(member_access::member_id.eq(member_id));
    let rows = member_access::table.filter(theirs).select(given!(member_access)).load::<(bool, bool, bool)>(conn)?;
    Ok(rows.into_iter().map(grants).fold(Grants::default(), Grants::with))
}

/// All that a member has, by Application.
pub fn of_member(conn: &mut Conn, member_id: i64) -> Result<HashMap<i64, Grants>> {
    let theirs = member_access::table.filter(member_access::member_id.eq(member_id));
    Ok(united(theirs.select(given!(member_access, application_id)).load::<Row>(conn)?))
}

/// The Applications that a member may view by what they were given; what is archived nobody sees.
pub fn viewed_by(conn: &mut Conn, member_id: i64) -> Result<Vec<i64>> {
    let theirs = member_access::member_id.eq(member_id).and(member_access::can_view.eq(true));
    let there = applications::table.filter(applications::archived_at.is_null()).select(applications::id);
    Ok(member_access::table
        .filter(theirs.and(member_access::application_id.eq_any(there)))
        .select(member_access::application_id)
        .distinct()
        .load(conn)?)
}

/// Who has what in an Application, by the member's id.
pub fn of_application(conn: &mut Conn, application_id: i64) -> Result<HashMap<i64, Grants>> {
    let there = member_access::table.filter(member_access::application_id.eq(application_id));
    Ok(united(there.select(given!(member_access, member_id)).load::<Row>(conn)?))
}

/// The names of active members who may configure the Application.
pub fn configurer_names(conn: &mut Conn, application_id: i64) -> Result<Vec<String>> {
    let may = member_access::table
        .filter(member_access::application_id.eq(application_id).and(member_access::can_configure.eq(true)));
    let who = members::table.filter(members::active.eq(true));
    Ok(who
        .filter(members::id.eq_any(may.select(member_access::member_id)))
        .order(members::name)
        .select(members::name)
        .load(conn)?)
}

/// What a member was given by themselves.
pub fn own_in(conn: &mut Conn, application_id: i64, member_id: i64) -> Result<Grants> {
    let row = own::table.find((application_id, member_id)).select(given!(own)).first::<(bool, bool, bool)>(conn);
    Ok(row.optional()?.map(grants).unwrap_or_default())
}

/// Who was given what by themselves, by the member's id.
pub fn own_of(conn: &mut Conn, application_id: i64) -> Result<HashMap<i64, Grants>> {
    let there = own::table.filter(own::application_id.eq(application_id));
    Ok(united(there.select(given!(own, member_id)).load::<Row>(conn)?))
}

/// Gives a member these permissions; none at all takes the access away.
pub fn set_grants(conn: &mut Conn, application_id: i64, member_id: i64, grants: Grants) -> Result<()> {
    diesel::delete(own::table.find((application_id, member_id))).execute(conn)?;
    if grants != Grants::default() {
        diesel::insert_into(own::table)
            .values((
                own::application_id.eq(application_id),
                own::member_id.eq(member_id),
                own::can_view.eq(grants.view),
                own::can_import_data.eq(grants.import_data),
                own::can_configure.eq(grants.configure),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// What groups were given, by the group's id.
pub fn groups_of(conn: &mut Conn, application_id: i64) -> Result<HashMap<i64, Grants>> {
    let there = of_groups::table.filter(of_groups::application_id.eq(application_id));
    Ok(united(there.select(given!(of_groups, group_id)).load::<Row>(conn)?))
}

/// Gives a group these permissions; none at all takes the access away.
pub fn set_group_grants(conn: &mut Conn, application_id: i64, group_id: i64, grants: Grants) -> Result<()> {
    diesel::delete(of_groups::table.find((application_id, group_id))).execute(conn)?;
    if grants != Grants::default() {
        diesel::insert_into(of_groups::table)
            .values((
                of_groups::application_id.eq(application_id),
                of_groups::group_id.eq(group_id),
                of_groups::can_view.eq(grants.view),
                of_groups::can_import_data.eq(grants.import_data),
                of_groups::can_configure.eq(grants.configure),
            ))
            .execute(conn)?;
    }
    Ok(())
}

/// The Applications to which a group has access, by name; what is archived gives none.
pub fn given_to_group(conn: &mut Conn, group_id: i64) -> Result<Vec<(i64, String)>> {
    Ok(of_groups::table
        .inner_join(applications::table)
        .filter(of_groups::group_id.eq(group_id).and(applications::archived_at.is_null()))
        .order((applications::name, applications::id))
        .select((applications::id, applications::name))
        .load(conn)?)
}

/// Who was given what: members and groups, by id.
type Given = (Vec<(i64, Grants)>, Vec<(i64, Grants)>);

/// Lets the members and groups of one Application into another, each with the same permissions, but for who has some
/// there already.
pub fn copy_access(conn: &mut Conn, from: i64, to: i64) -> Result<Given> {
    let (there, groups_there) = (own_of(conn, to)?, groups_of(conn, to)?);
    let (mut members, mut groups) = (Vec::new(), Vec::new());
    for (member, grants) in own_of(conn, from)?.into_iter().filter(|(member, _)| !there.contains_key(member)) {
        set_grants(conn, to, member, grants)?;
        members.push((member, grants));
    }
    for (group, grants) in groups_of(conn, from)?.into_iter().filter(|(group, _)| !groups_there.contains_key(group)) {
        set_group_grants(conn, to, group, grants)?;
        groups.push((group, grants));
    }
    members.sort_unstable_by_key(|(id, _)| *id);
    groups.sort_unstable_by_key(|(id, _)| *id);
    Ok((members, groups))
}

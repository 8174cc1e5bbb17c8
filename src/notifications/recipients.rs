//! Who is to know how a run ended: the recipients of its schedule; of one started by hand, those of the schedules of what it
//! ran. Of several levels each recipient has the widest. A group stands for whoever is in it at that moment.

use std::collections::BTreeSet;

use super::model::NoticeKind;
use crate::applications::{self, Application};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, Member, groups};
use crate::runs::Run;
use crate::schedules::{self, About, Notify, Schedule};

/// Whether a level covers what happened.
pub fn covers(about: About, kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::Partial => about != About::Failed,
        NoticeKind::Success => about == About::All,
        _ => true,
    }
}

/// Everybody whom they name, each once: by themselves, or because they are in a group now.
pub fn named<'a>(conn: &mut Conn, told: impl Iterator<Item = &'a Notify>) -> Result<BTreeSet<i64>> {
    let (mut members, mut groups) = (BTreeSet::new(), BTreeSet::new());
    for notify in told {
        members.extend(&notify.member_ids);
        groups.extend(notify.group_ids.iter().copied());
    }
    members.extend(groups::member_ids(conn, &Vec::from_iter(groups))?);
    Ok(members)
}

/// By id, each once: the active members whom a run's schedules name and who may see the Application. `in_a_row`: which failure
/// of the import it is since it was last in order.
pub fn of(
    conn: &mut Conn,
    run: &Run,
    application: &Application,
    (kind, in_a_row): (NoticeKind, i64),
) -> Result<Vec<i64>> {
    let schedules = schedules_of(conn, run)?;
    let telling = schedules.iter().filter_map(|schedule| schedule.notify.as_ref()).filter(|notify| {
        covers(notify.about, kind) && (kind == NoticeKind::Success || in_a_row >= notify.after.into())
    });
    let told = named(conn, telling)?;
    who_may_see(conn, &Vec::from_iter(told), application)
}

/// The same of schedules that are known, of what is no outcome: everybody whom they name.
pub fn of_schedules<'a>(
    conn: &mut Conn,
    schedules: impl Iterator<Item = &'a Schedule>,
    application: &Application,
) -> Result<Vec<i64>> {
    let told = named(conn, schedules.filter_map(|schedule| schedule.notify.as_ref()))?;
    who_may_see(conn, &Vec::from_iter(told), application)
}

/// Whether a member is active and may see an Application.
pub fn sees(conn: &mut Conn, member_id: i64, application_id: i64) -> Result<bool> {
    let application = applications::by_id(conn, application_id)?;
    application.map_or(Ok(false), |application| Ok(!who_may_see(conn, &[member_id], &application)?.is_empty()))
}

/// Those of these members who are active and may see the Application, by id.
pub fn who_may_see(conn: &mut Conn, member_ids: &[i64], application: &Application) -> Result<Vec<i64>> {
    if member_ids.is_empty() {
        return Ok(Vec::new());
    }
    let active: Vec<Member> = members::by_ids(conn, member_ids)?.into_iter().filter(|member| member.active).collect();
    let standings = applications::standings(conn, &active, application)?;
    let seeing = active.into_iter().zip(standings).filter(|(_, stands)| stands.grants.view);
    let mut ids: Vec<i64> = seeing.map(|(member, _)| member.id).collect();
    ids.sort_unstable();
    Ok(ids)
}

fn schedules_of(conn: &mut Conn, run: &Run) -> Result<Vec<Schedule>> {
    // The set's run tells of its steps.
    if run.parent_id.is_some() || run.restores.is_some() {
        return Ok(Vec::new());
    }
    match (run.schedule_id, run.target()) {
        // Also of one that was deleted since: what it began, it tells.
        (Some(id), _) => Ok(schedules::actions::find_even_deleted(conn, id)?.into_iter().collect()),
        (None, Some(target)) => schedules::actions::of_targets(conn, &[target]),
        (None, None) => Ok(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_covers_what_it_says() {
        let covered = |about| NoticeKind::ALL.iter().filter(|kind| covers(about, **kind)).count();
        let all = NoticeKind::ALL.len();
        assert_eq!(
            (covered(About::Failed), covered(About::FailedAndPartial), covered(About::All)),
            (all - 2, all - 1, all)
        );
        assert!(covers(About::Failed, NoticeKind::Held) && !covers(About::Failed, NoticeKind::Partial));
        assert!(covers(About::FailedAndPartial, NoticeKind::Partial));
        assert!(!covers(About::FailedAndPartial, NoticeKind::Success));
    }
}

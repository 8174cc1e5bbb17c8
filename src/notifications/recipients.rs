//! Who is to know how a run ended: the recipients of its schedule; of one started by hand, those of the schedules of what it
//! ran. Of several levels each recipient has the widest.

use std::collections::BTreeSet;

use super::model::NoticeKind;
use crate::applications::{self, Application};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, Member};
use crate::runs::Run;
use crate::schedules::{self, About, Schedule};

/// Whether a level covers what happened.
pub fn covers(about: About, kind: NoticeKind) -> bool {
    match kind {
        NoticeKind::Partial => about != About::Failed,
        NoticeKind::Success => about == About::All,
        _ => true,
    }
}

/// Active members who may see the Application, each once, by id.
pub fn of(conn: &mut Conn, run: &Run, application: &Application, kind: NoticeKind) -> Result<Vec<Member>> {
    let told: BTreeSet<i64> = schedules_of(conn, run)?
        .into_iter()
        .filter_map(|schedule| schedule.notify)
        .filter(|notify| covers(notify.about, kind))
        .flat_map(|notify| notify.member_ids)
        .collect();
    if told.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<i64> = told.into_iter().collect();
    let active: Vec<Member> = members::by_ids(conn, &ids)?.into_iter().filter(|member| member.active).collect();
    let standings = applications::standings(conn, &active, application)?;
    Ok(active.into_iter().zip(standings).filter(|(_, stands)| stands.grants.view).map(|(member, _)| member).collect())
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

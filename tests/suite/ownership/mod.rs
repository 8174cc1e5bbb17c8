//! Handing over what a member holds, going, and taking what nobody can run: nothing breaks when someone leaves.

mod handing;
mod leaving;
mod many;
mod taking;
mod undoing;

use serde_json::Value;
use tidegate::imports::Mode;
use tidegate::ownership::actions::{Done, Passing, hand_over, preview};
use tidegate::ownership::reckoning::{From as Of, Wish};
use tidegate::schedules::{About, Draft, Notify, Schedule};

use crate::schedules::{create, daily, draft, find};
use crate::support::stage::{Stage, stage};
use crate::support::{Person, World};

/// Schedules of Olive at these times, which tell these.
async fn owned(world: &World, times: &[&str], people: &[&Person]) -> Vec<Schedule> {
    let stage = stage(world, "payroll", Mode::Append, |_| ()).await;
    owned_of(world, &stage, times, people).await
}

async fn owned_of(world: &World, stage: &Stage, times: &[&str], people: &[&Person]) -> Vec<Schedule> {
    let mut member_ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    member_ids.sort_unstable();
    let mut made = Vec::new();
    for time in times {
        let notify = (!people.is_empty()).then(|| Notify {
            about: About::Failed,
            member_ids: member_ids.clone(),
            group_ids: Vec::new(),
            after: 1,
        });
        made.push(create(world, Draft { notify, ..draft(stage, &daily(time)) }).await);
    }
    made
}

fn passing(from: &Person, to: &Person) -> Passing {
    Passing { from: Of::Member(from.id), to: to.id, wish: Wish::all() }
}

/// What Ada hands over, as she saw it.
async fn hands_over(world: &World, passing: Passing) -> tidegate::error::Result<Done> {
    let (ada, now) = (world.ada.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = ada.by(conn)?;
            let seen = preview(conn, &by, &passing)?.mark(passing.wish.tokens);
            hand_over(conn, &by, &passing, &seen, now)
        })
        .await
}

/// Owner, recipients and version.
async fn stands(world: &World, id: i64) -> (i64, Vec<i64>, i64) {
    let is = find(world, id).await;
    (is.owner_id, is.notify.map(|notify| notify.member_ids).unwrap_or_default(), is.version)
}

/// What the log says of schedules: each deed with the Owner before and after.
async fn log(world: &World) -> Vec<(String, Value, Value)> {
    use diesel::prelude::*;
    use tidegate::db::schema::audit_log as a;
    let rows: Vec<(String, Option<String>, Option<String>)> = world
        .read(|conn| {
            let of = a::table.filter(a::subject_kind.eq("schedule").and(a::action.ne("schedule.created")));
            Ok(of.order(a::id).select((a::action, a::before, a::after)).load(conn)?)
        })
        .await;
    let owner = |text: Option<String>| {
        text.and_then(|text| serde_json::from_str::<Value>(&text).ok())
            .map_or(Value::Null, |value| value["owner_id"].clone())
    };
    rows.into_iter().map(|(action, before, after)| (action, owner(before), owner(after))).collect()
}

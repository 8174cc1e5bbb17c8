//! "Ready by 08:00": how a promise stands, who is told when it turns, and the pages and addresses at which it is made. And
//! what is watched besides: runs that go on too long, occurrences that nobody begins.

mod made;
mod stands;
mod watched;
mod week;

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::notices;
use tidegate::promises::keeping;
use tidegate::runs::dispatcher;
use tidegate::schedules::{About, Notify};

use crate::running::work_off;
use crate::schedules::{create, draft};
use crate::support::stage::Stage;
use crate::support::{Person, World};

/// A daily schedule of a zone that tells these.
async fn scheduled(world: &World, stage: &Stage, time: &str, zone: &str, people: &[&Person]) -> i64 {
    let mut member_ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    member_ids.sort_unstable();
    let rule = json!({"repeat": "days", "every": 1, "start_date": "2026-01-01", "start_time": time, "time_zone": zone});
    let notify = Some(Notify { about: About::Failed, member_ids, group_ids: Vec::new(), after: 1 });
    create(world, tidegate::schedules::Draft { notify, ..draft(stage, &rule) }).await.id
}

fn every_day(time: &str, zone: &str) -> Value {
    json!({"weekdays": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "time": time, "time_zone": zone})
}

/// Olive promises it.
async fn promise(world: &World, stage: &Stage, time: &str, zone: &str) -> i64 {
    let olive = world.api(&world.olive).await;
    let path = format!("import-configurations/{}/ready-by", stage.configuration);
    olive.put(&path, every_day(time, zone)).await.is(200).id()
}

/// How it stands, as programs read it.
async fn stands(world: &World, stage: &Stage) -> Value {
    let olive = world.api(&world.olive).await;
    olive.get(&format!("import-configurations/{}/ready-by", stage.configuration)).await.is(200).json.clone()
}

/// What is due runs, and promises are looked at.
async fn beat(world: &World) {
    if world.step(dispatcher::step).await.queued > 0 {
        work_off(world).await;
    }
    world.step(keeping::step).await;
}

/// What stands of these kinds in somebody's inbox, the oldest first: kind and title.
async fn told(world: &World, person: &Person, kinds: &'static [&'static str]) -> Vec<(String, String)> {
    let id = person.id;
    world
        .read(move |conn| {
            let own = notices::table.filter(notices::member_id.eq(id).and(notices::kind.eq_any(kinds)));
            Ok(own.order(notices::id).select((notices::kind, notices::title)).load(conn)?)
        })
        .await
}

const TURNS: &[&str] = &["at_risk", "late", "ready"];

fn line(kind: &str, title: &str) -> (String, String) {
    (kind.to_owned(), title.to_owned())
}

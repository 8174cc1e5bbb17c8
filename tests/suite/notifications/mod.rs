//! Who is told how an import ended: once, by the ways that they chose, whatever fails in between.

mod digests;
mod groups;
mod hostile;
pub mod inbox;
pub mod incidents;
mod owners;
mod mails;
mod outlets;
mod real_server;
mod slack;
mod standing_by;

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{members, notices};
use tidegate::imports::Mode;
use tidegate::notifications::{announcing, delivering};
use tidegate::runs::dispatcher;
use tidegate::schedules::{About, Notify};

use crate::dispatching::second_process;
use crate::running::{run, start, work_off};
use crate::schedules::{create, daily, draft};
use crate::support::stage::{Stage, csv, stage};
use crate::support::{Person, World};

/// An import by Append of a file that is not there.
async fn failing(world: &World, name: &str) -> Stage {
    stage(world, name, Mode::Append, |definition| definition.attempts = 1).await
}

/// A daily schedule at 09:00 UTC that tells these.
async fn telling(world: &World, stage: &Stage, about: About, people: &[&Person]) -> i64 {
    let mut member_ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    member_ids.sort_unstable();
    let draft = tidegate::schedules::Draft {
        notify: Some(Notify { about, member_ids, group_ids: Vec::new(), after: 1 }),
        ..draft(stage, &daily("09:00"))
    };
    create(world, draft).await.id
}

/// Tells all that is to be told.
async fn tell(world: &World) {
    world.step(announcing::step).await;
    delivering::step(world.app()).await.unwrap();
}

/// The clock comes to the next 09:00, and what is due runs and is told.
async fn morning(world: &World, day: u32) {
    world.set_clock(&format!("2026-10-{day:02}T09:00:01Z"));
    world.step(dispatcher::step).await;
    work_off(world).await;
    tell(world).await;
}

/// What stands in somebody's inbox: kind and title, the newest first.
async fn told(world: &World, person: &Person) -> Vec<(String, String)> {
    let id = person.id;
    world
        .read(move |conn| {
            let own = notices::table
                .filter(notices::member_id.eq(id).and(notices::kind.ne("digest")))
                .order(notices::id.desc());
            Ok(own.select((notices::kind, notices::title)).load(conn)?)
        })
        .await
}

fn line(kind: &str, title: &str) -> (String, String) {
    (kind.to_owned(), title.to_owned())
}

on_both! {
    async fn a_failure_is_told_once_with_its_cause(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        // Two processes find it at once.
        let (one, second) = (world.app().clone(), second_process(&world).await);
        let steps = [
            tokio::task::spawn_blocking(move || announcing::step(&one)),
            tokio::task::spawn_blocking(move || announcing::step(&second)),
        ];
        let mut done = Vec::new();
        for step in steps {
            // SQLite lets one write at a time and may say so; the next beat comes anyway.
            done.extend(step.await.unwrap().ok());
        }
        assert!(!done.is_empty());
        tell(&world).await;
        assert_eq!(told(&world, &world.olive).await, [line("failed", "payroll failed")]);
        assert_eq!(told(&world, &world.mo).await, [line("failed", "payroll failed")]);
        assert_eq!(told(&world, &world.ada).await, []);
        let mails = world.mails();
        assert_eq!(mails.len(), 2);
        let of_mo = mails.iter().find(|mail| mail.contains(&world.mo.email)).unwrap();
        assert!(of_mo.contains("Subject: payroll failed (FP&A 2026)"), "{of_mo}");
        assert!(of_mo.contains("payroll.csv") && of_mo.contains("Auto-Submitted: auto-generated"), "{of_mo}");
        tell(&world).await;
        assert_eq!((told(&world, &world.mo).await.len(), world.mails().len()), (1, 2));
        // The Summary says who was told.
        let id = world.api(&world.olive).await.get("runs").await.items()[0]["id"].as_i64().unwrap();
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{id}")).await.sees("Told").sees("Mo (also by e-mail), Olive (also by e-mail)");
        assert_eq!(run(&world, id).await.status.words(), "Failed");
    }

    async fn each_level_tells_what_it_says(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo]).await;
        let other = tidegate::schedules::Draft {
            notify: Some(Notify { about: About::All, member_ids: vec![world.olive.id], group_ids: Vec::new(), after: 1 }),
            ..draft(&stage, &daily("09:30"))
        };
        create(&world, other).await;
        csv(&world, "payroll", &[("1", "one")]);
        morning(&world, 5).await;
        assert_eq!((told(&world, &world.mo).await, told(&world, &world.olive).await), (vec![], vec![]), "09:00 went well");
        world.set_clock("2026-10-05T09:30:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        tell(&world).await;
        // The key is there already: Append rejects the row, and all rows rejected is Failed.
        assert_eq!(told(&world, &world.olive).await, [line("failed", "payroll failed")]);
        assert_eq!(told(&world, &world.mo).await, []);
        // By hand: whoever any of its schedules names, at their widest level.
        csv(&world, "payroll", &[("2", "two")]);
        start(&world, &stage).await;
        work_off(&world).await;
        tell(&world).await;
        assert_eq!(told(&world, &world.olive).await[0], line("recovered", "payroll works again"));
        assert_eq!(told(&world, &world.mo).await, []);
    }

    async fn who_left_or_may_not_look_is_not_told(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive, &world.mo, &world.ivy]).await;
        let (mo, ivy) = (world.mo.id, world.ivy.id);
        world.write(move |conn| {
            use tidegate::db::schema::application_access as access;
            diesel::update(members::table.find(mo)).set(members::active.eq(false)).execute(conn)?;
            diesel::delete(access::table.filter(access::member_id.eq(ivy))).execute(conn)?;
            Ok(())
        }).await;
        morning(&world, 5).await;
        assert_eq!(told(&world, &world.olive).await.len(), 1);
        assert_eq!((told(&world, &world.mo).await, told(&world, &world.ivy).await), (vec![], vec![]));
    }

    async fn a_set_is_told_as_one(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let one = failing(&world, "one").await;
        // Its own recipients are not told of it as a step.
        telling(&world, &one, About::All, &[&world.ivy]).await;
        let olive = world.api(&world.olive).await;
        let steps = json!({"name": "Month end", "steps": [{"configuration_id": one.configuration}]});
        let set = olive.post(&format!("applications/{}/import-sets", world.application), steps).await.is(201).id();
        let body = json!({"set_id": set, "repeat": "days", "start_date": "2026-10-01", "start_time": "10:00", "time_zone": "UTC",
            "notify": {"about": "failed", "member_ids": [world.mo.id]}});
        olive.post(&format!("applications/{}/schedules", world.application), body).await.is(201);
        world.set_clock("2026-10-05T08:59:00Z");
        let begun = olive.post(&format!("import-sets/{set}/runs"), json!({})).await.is(202).id();
        work_off(&world).await;
        tell(&world).await;
        assert_eq!(run(&world, begun).await.status.words(), "Failed");
        let of_mo = told(&world, &world.mo).await;
        assert!(of_mo.len() == 1 && of_mo[0].1.contains("Month end") && of_mo[0].1.ends_with(" failed"), "{of_mo:?}");
        assert_eq!(told(&world, &world.ivy).await, []);
    }

    async fn what_ended_long_ago_is_one_message(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        for day in 5..8 {
            world.set_clock(&format!("2026-10-{day:02}T09:00:01Z"));
            world.step(dispatcher::step).await;
            work_off(&world).await;
        }
        world.set_clock("2026-10-09T12:00:00Z");
        tell(&world).await;
        assert_eq!(told(&world, &world.olive).await, [line("backlog", "3 imports ended while notifications were delayed")]);
        let mails = world.mails();
        assert!(mails.len() == 1 && mails[0].contains("3 failed: payroll failed."), "{mails:?}");
        let shown = world.api(&world.olive).await.get("notifications").await.items().len();
        assert_eq!(shown, 1, "what it stands for is not listed");
        // They hear that it is over.
        csv(&world, "payroll", &[("1", "one")]);
        start(&world, &stage).await;
        work_off(&world).await;
        tell(&world).await;
        assert_eq!(told(&world, &world.olive).await[0], line("recovered", "payroll works again"));
    }

    async fn old_messages_go_by_and_by(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        morning(&world, 5).await;
        let forget = |world: &World| {
            let now = world.now();
            let world = world.app().clone();
            async move { tidegate::app::off_thread(move || world.db.write(|conn| tidegate::notifications::forget_old(conn, now))).await.unwrap() }
        };
        world.advance(Duration::days(179));
        assert_eq!(forget(&world).await, 0);
        world.advance(Duration::days(2));
        assert_eq!((forget(&world).await, told(&world, &world.olive).await), (1, vec![]));
    }
}

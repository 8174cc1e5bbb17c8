//! A schedule that cannot be read: it is shown as what it is among the others, and nothing takes its place unasked.

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::schedules as schedules_table;
use tidegate::imports::Mode;
use tidegate::schedules::actions;
use tidegate::schedules::collisions;

use crate::dispatching::break_rule;
use crate::schedules::{create, daily, draft, find, try_create};
use crate::support::World;
use crate::support::stage::stage;

async fn rule_of(world: &World, id: i64) -> String {
    world.read(move |conn| Ok(schedules_table::table.find(id).select(schedules_table::rule).first(conn)?)).await
}

on_both! {
    async fn one_that_cannot_be_read_hides_no_other(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let broken = create(&world, draft(&stage, &daily("18:00"))).await;
        let lost = create(&world, draft(&stage, &daily("19:00"))).await;
        let good = create(&world, draft(&stage, &daily("20:00"))).await;
        break_rule(&world, broken.id).await;
        world.write(move |conn| {
            let row = diesel::update(schedules_table::table.find(lost.id));
            Ok(row.set(schedules_table::parameters.eq("{")).execute(conn)?)
        }).await;
        let (olive, application) = (world.olive.clone(), world.application);
        let others: Vec<i64> = world.read(move |conn| {
            let by = olive.by(conn)?;
            Ok(collisions::neighbours(conn, &by, application)?.into_iter().map(|n| n.id).collect())
        }).await;
        assert_eq!(others, [lost.id, good.id]);
        let found = find(&world, lost.id).await.broken.unwrap();
        assert!(found.starts_with("Its parameters cannot be read"), "{found}");
        let api = world.api(&world.olive).await;
        let body = json!({"application_id": application, "repeat": "days", "start_date": "2026-10-09",
            "start_time": "20:00", "time_zone": "UTC"});
        api.post("schedules/preview", body).await.is(200);
        assert_eq!(api.get(&format!("applications/{application}/schedules")).await.is(200).json["items"][1]["id"], lost.id);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{application}/schedules/new")).await;
        olive.answered(200);
        // The clock sets it aside as well.
        world.set_clock("2026-10-08T19:00:00Z");
        world.step(tidegate::runs::dispatcher::step).await;
        assert_eq!(find(&world, lost.id).await.next_at, None);
    }

    async fn nothing_takes_the_place_of_a_broken_rule_unasked(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let broken = create(&world, draft(&stage, &daily("18:00"))).await;
        break_rule(&world, broken.id).await;
        let stored = rule_of(&world, broken.id).await;
        let api = world.api(&world.olive).await;
        let at = format!("schedules/{}", broken.id);
        for refused in [
            api.patch(&at, json!({"run_name": "Another"})).await,
            api.post(&format!("{at}/copy"), json!({})).await,
        ] {
            refused.is(422);
            assert_eq!(refused.json["errors"][0], json!({"field": "repeat", "detail": "Choose how it repeats."}));
        }
        api.patch(&at, json!({"enabled": false})).await.is(200);
        api.patch(&at, json!({"enabled": true})).await.is(409);
        assert_eq!(rule_of(&world, broken.id).await, stored);
        // It keeps its place among the four.
        for time in ["19:00", "20:00", "21:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        assert!(try_create(&world, &world.olive, draft(&stage, &daily("22:00"))).await.is_err());
        let (application, now, olive) = (world.application, world.now(), world.olive.clone());
        let taken = world.read(move |conn| {
            let by = olive.by(conn)?;
            let entered = tidegate::applications::enter(conn, &by, application)?;
            actions::slots_taken(conn, &entered, now)
        }).await;
        assert_eq!(taken[&tidegate::imports::Target::Configuration(stage.configuration)], 4);
        // Deleted and brought back it is broken still, and keeps its rule.
        let olive = world.olive.clone();
        world.write(move |conn| {
            let by = olive.by(conn)?;
            actions::delete(conn, &by, broken.id, None, now)?;
            actions::restore(conn, &by, application, broken.id, now)
        }).await;
        let back = find(&world, broken.id).await;
        assert!(back.broken.is_some() && back.finished_at.is_none() && back.next_at.is_none());
        // A whole new rule mends it.
        api.patch(&at, daily("07:00")).await.is(200);
        assert_eq!(find(&world, broken.id).await.broken, None);
    }
}

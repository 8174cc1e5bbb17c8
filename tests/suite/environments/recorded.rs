//! What a clone, a refresh or a reset does to each thing stands in the audit log; nobody gets back what was taken from them;
//! a copy names nothing of its original.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate::db;
use tidegate::db::schema::runs;
use tidegate::imports::{self, Copies};
use tidegate::runs::RunStatus;

use super::*;

/// How many entries of each action there are after an entry, of one Application.
async fn entries(world: &World, application: i64, after: i64) -> (BTreeMap<String, usize>, i64) {
    let rows: Vec<(i64, String)> = world
        .read(move |conn| {
            let of = audit_log::table.filter(audit_log::application_id.eq(application).and(audit_log::id.gt(after)));
            Ok(of.order(audit_log::id).select((audit_log::id, audit_log::action)).load(conn)?)
        })
        .await;
    let mut counts = BTreeMap::new();
    for (_, action) in &rows {
        *counts.entry(action.clone()).or_default() += 1;
    }
    (counts, rows.last().map_or(after, |(id, _)| *id))
}

async fn as_of_today(world: &World) -> Value {
    let day = world.now().in_zone(chrono_tz::UTC).date_naive();
    let answer = world.browser(&world.audrey).await.get(&format!("/audit/as-of?day={day}")).await;
    assert_eq!(answer.status, 200);
    serde_json::from_str(&answer.body).unwrap()
}

fn there(all: &Value, part: &str, application: i64) -> Vec<Value> {
    all[part].as_array().unwrap().iter().filter(|one| one["application_id"] == application).cloned().collect()
}

const PARTS: [&str; 5] = ["blocks", "import_configurations", "import_sets", "schedules", "freezes"];

on_both! {
    async fn each_thing_that_came_went_or_was_turned_off_is_told(world: World) {
        let full = full(&world).await;
        let connections = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
        let copy = clone(&world, "Copy", json!({"access": true, "connections": connections})).await;
        let (came, last) = entries(&world, copy, 0).await;
        let counts = audited(&world, "application.cloned").await[0].clone();
        for (action, part) in [("block.created", "blocks"), ("import_configuration.created", "import_configurations"),
            ("import_set.created", "import_sets"), ("schedule.created", "schedules"), ("freeze.created", "freezes"),
            ("promise.made", "ready_by"), ("translation.created", "translations"), ("kept_file.created", "kept_files")] {
            assert_eq!(json!(came.get(action).copied().unwrap_or(0)), counts[part], "{action} {came:?}");
        }
        assert!(came["schedule.created"] == 4 && came["access.changed"] > 1, "{came:?}");
        let today = as_of_today(&world).await;
        assert_eq!(there(&today, "schedules", copy).iter().filter(|s| s["is"]["enabled"] == false).count(), 4);
        let access = there(&today, "access", copy);
        let of = |id: i64| access.iter().find(|one| one["id"] == id).map(|one| one["is"].clone());
        assert_eq!(of(world.ada.id).unwrap()["configure"], true, "who made it has access to it");
        assert_eq!(of(world.olive.id).unwrap()["import_data"], true);
        // A refresh puts all away, and brings all.
        world.advance(chrono::Duration::minutes(1));
        world.api(&world.ada).await.post(&format!("applications/{copy}/refresh"), json!({"name": "Copy"})).await.is(202);
        let (again, _) = entries(&world, copy, last).await;
        for (gone, made) in [("block.deleted", "block.created"), ("import_configuration.deleted", "import_configuration.created"),
            ("import_set.deleted", "import_set.created"), ("schedule.deleted", "schedule.created"),
            ("freeze.deleted", "freeze.created"), ("promise.removed", "promise.made")] {
            assert_eq!((again.get(gone), again.get(made)), (came.get(made), came.get(made)), "{gone} {again:?}");
        }
        let after = as_of_today(&world).await;
        for part in PARTS {
            assert_eq!(there(&after, part, copy).len(), there(&today, part, copy).len(), "{part}");
        }
        // A reset turns off what was on.
        let here = world.application;
        let (_, last) = entries(&world, here, 0).await;
        world.api(&world.ada).await.post(&format!("applications/{here}/reset"), json!({"name": "FP&A 2026"})).await.is(202);
        let (off, _) = entries(&world, here, last).await;
        assert_eq!(off.get("schedule.turned-off"), Some(&3), "{off:?}");
        let after = as_of_today(&world).await;
        assert!(there(&after, "schedules", here).iter().all(|s| s["is"]["enabled"] == false));
    }

    async fn a_connection_that_was_taken_from_a_copy_stays_taken(world: World) {
        let full = full(&world).await;
        let id = full.sales.connection;
        let copy = clone(&world, "Copy", json!({"connections": [{"connection_id": id, "use_id": id}]})).await;
        let ada = world.api(&world.ada).await;
        let connection = format!("connections/{id}");
        assert_eq!(ada.get(&connection).await.json["application_ids"], json!([world.application, copy]));
        ada.patch(&connection, json!({"application_ids": [world.application]})).await.is(200);
        for _ in 0..2 {
            ada.post(&format!("applications/{copy}/refresh"), json!({"name": "Copy"})).await.is(202);
            world.step(environments::step).await;
            assert_eq!(ada.get(&connection).await.json["application_ids"], json!([world.application]));
        }
        // Until somebody chooses it anew.
        let body = json!({"name": "Copy", "connections": [{"connection_id": id, "use_id": id}]});
        ada.post(&format!("applications/{copy}/refresh"), body).await.is(202);
        assert_eq!(ada.get(&connection).await.json["application_ids"], json!([world.application, copy]));
    }

    /// A Block or a table that was made while the others were copied has no copy.
    async fn what_was_made_meanwhile_is_not_named_by_a_copy(world: World) {
        let full = full(&world).await;
        let ada = world.api(&world.ada).await;
        let copy = ada.make("applications", json!({"name": "Copy", "time_zone": "UTC"})).await;
        let (here, me, now) = (world.application, world.ada.id, world.now());
        let all = world.read(move |conn| {
            let blocks = tidegate::applications::blocks::list(conn, here)?;
            let tables = tidegate::translations::of_application(conn, here)?;
            Ok((blocks.into_iter().map(|b| (b.id, b.id)).collect::<BTreeMap<_, _>>(), tables.into_iter().map(|t| (t.id, t.id)).collect::<BTreeMap<_, _>>()))
        }).await;
        let lacks = [Some(full.orders), Some(full.sales.block), None];
        for lacking in lacks {
            let (mut blocks, mut translations) = all.clone();
            match lacking {
                Some(block) => drop(blocks.remove(&block)),
                None => translations.clear(),
            }
            let done = world.try_write(move |conn| {
                let copies = Copies { blocks: &blocks, translations: &translations, connections: &BTreeMap::new() };
                imports::copy_all(conn, (here, copy), &copies, me, now)
            }).await;
            let error = done.err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("was changed while it was copied. Try again."), "{lacking:?}: {error}");
        }
    }

    /// What the clock is about to begin at that moment is under way.
    async fn a_reset_waits_for_the_clock(world: World) {
        let full = full(&world).await;
        let (app, here, configuration) = (world.app().clone(), world.application, full.sales.configuration);
        let clock = tokio::task::spawn_blocking(move || {
            app.db.write(|conn| {
                let all = tidegate::schedules::all_of(conn, here)?;
                let ids: Vec<i64> = all.iter().map(|schedule| schedule.id).collect();
                db::lock_rows(conn, "schedules", &ids)?;
                let run = runs::table.filter(runs::configuration_id.eq(configuration));
                diesel::update(run).set((runs::status.eq(RunStatus::Queued), runs::finished_at.eq(None::<i64>))).execute(conn)?;
                std::thread::sleep(Duration::from_millis(1_500));
                Ok(())
            }).unwrap();
        });
        tokio::time::sleep(Duration::from_millis(500)).await;
        let reset = world.api(&world.ada).await.post(&format!("applications/{here}/reset"), json!({"name": "FP&A 2026"})).await;
        clock.await.unwrap();
        assert!(reset.is(409).body.contains("1 import is under way"), "{}", reset.body);
    }
}

//! A database that wakes up in another place stands by until an Administrator confirms.

use tidegate::db::schema::{deliveries, workspace};
use tidegate::environments::standing;
use tidegate::notifications::{announcing, delivering};
use tidegate::recovery;

use super::*;
use crate::running::try_start;

async fn somewhere_else(world: &World) {
    world
        .write(|conn| {
            diesel::update(workspace::table).set(workspace::place.eq("elsewhere")).execute(conn)?;
            Ok(())
        })
        .await;
    world.step(recovery::at_start).await;
}

async fn since(world: &World) -> Option<i64> {
    world.read(|conn| Ok(workspace::table.select(workspace::standing_by_since).first(conn)?)).await
}

on_both! {
    async fn it_is_at_home_where_it_was(world: World) {
        for _ in 0..3 {
            world.step(recovery::at_start).await;
            assert_eq!(since(&world).await, None);
        }
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/settings/environment").await.sees("This is the living Workspace.").sees_no("standing by.");
        // Another process of it finds the same.
        if let Some(url) = &world.app().config.database_url {
            assert!(url.starts_with("postgres"));
            let second = crate::dispatching::second_process(&world).await;
            tokio::task::spawn_blocking(move || standing::wake(&second).unwrap()).await.unwrap();
            assert_eq!(since(&world).await, None);
        }
    }

    async fn two_who_confirm_at_once_are_one(world: World) {
        somewhere_else(&world).await;
        let confirm = || {
            let (app, ada, now) = (world.app().clone(), world.ada.clone(), world.now());
            world.try_write(move |conn| {
                let by = ada.by(conn)?;
                standing::confirm(conn, &app, &by, now)
            })
        };
        let (first, second) = tokio::join!(confirm(), confirm());
        assert_eq!(usize::from(first.is_ok()) + usize::from(second.is_ok()), 1);
        assert_eq!(audited(&world, "workspace.confirmed").await.len(), 1);
    }

    async fn elsewhere_nothing_begins_by_itself_and_no_message_leaves(world: World) {
        let full = full(&world).await;
        // It was copied with a run in the queue and a message on its way.
        let waiting = try_start(&world, &world.olive, &full.sales).await.unwrap().run.id;
        crate::notifications::incidents::breaks(&world, &full.by_hand).await;
        world.step(announcing::step).await;
        let sent = world.mails().len();
        world.advance(chrono::Duration::hours(1));
        somewhere_else(&world).await;
        assert!(since(&world).await.is_some());
        world.set_clock("2026-10-12T04:00:01Z");
        for _ in 0..2 {
            world.step(dispatcher::step).await;
            delivering::step(world.app()).await.unwrap();
        }
        work_off(&world).await;
        let ada = world.api(&world.ada).await;
        assert_eq!(ada.get(&format!("runs/{waiting}")).await.json["status"], "queued");
        assert_eq!(ada.get("runs?trigger=schedule").await.items(), &[] as &[Value]);
        assert_eq!(world.mails().len(), sent);
        // By hand it goes.
        let by_hand = ada.post(&format!("import-configurations/{}/runs", full.by_hand.configuration), json!({"parameters": {"file": one(&world, world.application, "kept-files", "returns.csv").await["id"]}})).await.is(202).id();
        work_off(&world).await;
        assert_eq!(ada.get(&format!("runs/{by_hand}")).await.json["status"], "success");
        // Administrators see it on every page, and end it.
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees_no("standing by");
        let mut page = world.browser(&world.ada).await;
        page.visit("/").await.sees("This Workspace is standing by.");
        page.follow("Review").await.sees("Standing by since");
        page.press("This is the living one").await.sees("This is the living Workspace. Schedules run and messages leave again.").sees_no("is standing by.");
        assert_eq!(since(&world).await, None);
        let skipped = ada.get("runs?status=skipped&trigger=schedule").await;
        assert_eq!(skipped.items().len(), 3, "one range for each schedule that is on: {}", skipped.body);
        for run in skipped.items() {
            assert!(run["reason"].as_str().unwrap().starts_with("This Workspace was standing by from"), "{run}");
            assert!(run["planned_until"].is_string(), "{run}");
        }
        work_off(&world).await;
        assert_eq!(ada.get(&format!("runs/{waiting}")).await.json["status"], "success");
        delivering::step(world.app()).await.unwrap();
        assert_eq!(world.mails().len(), sent, "what waited is never sent");
        let open: i64 = world.read(|conn| Ok(deliveries::table.filter(deliveries::next_at.is_not_null()).count().get_result(conn)?)).await;
        assert_eq!(open, 0);
        // And it goes on with what comes next.
        world.set_clock("2026-10-13T04:00:01Z");
        world.step(dispatcher::step).await;
        let next = ada.get("runs?trigger=schedule&limit=50").await;
        assert!(next.items().iter().any(|run| run["planned_at"] == "2026-10-13T04:00:00Z" && run["status"] == "queued"), "{}", next.body);
        world.step(recovery::at_start).await;
        assert_eq!(since(&world).await, None);
        assert_eq!((audited(&world, "workspace.standing-by").await.len(), audited(&world, "workspace.confirmed").await.len()), (1, 1));
    }
}

//! Cut off anywhere: what was not copied yet comes with the next step, and imports that somebody starts meanwhile wait.

use tidegate::applications::blocks::{self, generations};
use tidegate::db::schema::{environments as table, row_copies};

use super::*;
use crate::support::stage::rows;

async fn copy_without_rows_yet(world: &World, full: &Full) -> i64 {
    let body = json!({"name": "Copy", "rows": true,
        "connections": [{"connection_id": full.sales.connection, "use_id": full.sales.connection}]});
    world.api(&world.ada).await.make(&format!("applications/{}/clone", world.application), body).await
}

/// From now on it adds to its Block.
async fn appends(world: &World, configuration: i64) {
    let olive = world.api(&world.olive).await;
    olive.patch(&format!("import-configurations/{configuration}"), json!({"mode": "append"})).await.is(200);
}

async fn waits(world: &World, run: i64) {
    let run = world.api(&world.ada).await.get(&format!("runs/{run}")).await;
    let why = "Waiting: the rows of this Application are still being removed or copied.";
    assert_eq!((&run.json["status"], &run.json["reason"]), (&json!("queued"), &json!(why)), "{}", run.body);
}

on_both! {
    async fn while_rows_come_nothing_else_is_begun(world: World) {
        let full = full(&world).await;
        let copy = copy_without_rows_yet(&world, &full).await;
        let ada = world.api(&world.ada).await;
        for deed in ["reset", "refresh"] {
            let answer = ada.post(&format!("applications/{copy}/{deed}"), json!({"name": "Copy"})).await;
            answer.is(409);
            assert!(answer.body.contains("Rows are still being copied into Copy."), "{}", answer.body);
        }
        world.step(environments::step).await;
        ada.post(&format!("applications/{copy}/reset"), json!({"name": "Copy"})).await.is(202);
    }

    async fn a_copy_says_how_far_it_is_and_goes_on(world: World) {
        let full = full(&world).await;
        let copy = copy_without_rows_yet(&world, &full).await;
        let sales = one(&world, copy, "blocks", "sales").await["id"].as_i64().unwrap();
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{copy}/settings/environment")).await.sees("Rows are being copied: 0 of 4 Blocks are done.");
        assert_eq!(rows(&world, sales), 0, "a Block has all of its rows or none");
        // The process dies after a Block was copied and before that was written down.
        let app = world.app().clone();
        let block = full.sales.block;
        tokio::task::spawn_blocking(move || {
            let (from, to) = app.db.read(|conn| Ok((blocks::find(conn, block)?, blocks::find(conn, sales)?))).unwrap();
            blocks::copying::copy_rows(&app.blocks, &|| false, &from, &to, app.now()).unwrap();
        }).await.unwrap();
        assert_eq!(rows(&world, sales), 3);
        world.step(environments::step).await;
        assert_eq!(rows(&world, sales), 3);
        let kept = world.app().blocks.read(|conn| generations::kept(conn, sales)).unwrap();
        assert!(kept.is_empty(), "it was copied once");
        let left: (i64, i64) = world.read(|conn| {
            Ok((row_copies::table.count().get_result(conn)?, table::table.filter(table::finished_at.is_null()).count().get_result(conn)?))
        }).await;
        assert_eq!(left, (0, 0));
        ada.visit(&format!("/applications/{copy}/settings/environment")).await.sees_no("being copied");
        assert_eq!(world.step(environments::step).await, 0);
    }

    async fn what_is_imported_into_a_copy_meanwhile_waits_for_its_rows(world: World) {
        let full = full(&world).await;
        appends(&world, full.sales.configuration).await;
        let copy = copy_without_rows_yet(&world, &full).await;
        let configuration = one(&world, copy, "import-configurations", "sales").await;
        csv(&world, "sales", &[("9", "nine")]);
        let ada = world.api(&world.ada).await;
        let run = ada.post(&format!("import-configurations/{}/runs", configuration["id"]), json!({})).await.is(202).id();
        work_off(&world).await;
        waits(&world, run).await;
        world.step(environments::step).await;
        work_off(&world).await;
        assert_eq!(ada.get(&format!("runs/{run}")).await.json["status"], "success");
        assert_eq!(rows(&world, configuration["block_id"].as_i64().unwrap()), 4);
    }

    async fn one_that_is_archived_meanwhile_is_left_alone(world: World) {
        let full = full(&world).await;
        let copy = copy_without_rows_yet(&world, &full).await;
        let sales = one(&world, copy, "blocks", "sales").await["id"].as_i64().unwrap();
        world.api(&world.ada).await.delete(&format!("applications/{copy}")).await.is(204);
        assert_eq!(world.step(environments::step).await, 1);
        assert_eq!(rows(&world, sales), 0);
    }

    async fn a_reset_that_was_cut_off_goes_on_and_what_is_imported_meanwhile_waits_for_it(world: World) {
        let full = full(&world).await;
        appends(&world, full.sales.configuration).await;
        let ada = world.api(&world.ada).await;
        ada.post(&format!("applications/{}/reset", world.application), json!({"name": "FP&A 2026"})).await.is(202);
        world.advance(chrono::Duration::minutes(5));
        csv(&world, "sales", &[("9", "nine")]);
        let run = start(&world, &full.sales).await;
        let set = ada.post(&format!("import-sets/{}/runs", full.set), json!({})).await.is(202).id();
        work_off(&world).await;
        waits(&world, run.id).await;
        waits(&world, set).await;
        ada.post(&format!("runs/{set}/cancel"), json!({})).await.is(202);
        world.step(environments::step).await;
        assert_eq!(rows(&world, full.sales.block), 0);
        work_off(&world).await;
        assert_eq!(ada.get(&format!("runs/{}", run.id)).await.is(200).json["status"], "success");
        assert_eq!(rows(&world, full.sales.block), 1, "of what it held before nothing is left");
    }
}

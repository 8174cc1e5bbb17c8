//! Refreshed and reset: what is lost, what stays, and what refuses.

use tidegate::db::schema::{incidents, runs};

use super::*;
use crate::running::try_start;
use crate::support::stage::rows;

on_both! {
    async fn a_refresh_gives_a_copy_what_its_original_has_now(world: World) {
        let full = full(&world).await;
        let connections = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
        let copy = clone(&world, "Copy", json!({"rows": true, "connections": connections})).await;
        let (ada, sales) = (world.api(&world.ada).await, one(&world, copy, "blocks", "sales").await);
        // The copy goes its own way, and so does the original.
        let on = schedules(&world, copy).await[0]["id"].clone();
        ada.patch(&format!("schedules/{on}"), json!({"enabled": true})).await.is(200);
        ada.patch(&format!("blocks/{}", sales["id"]), json!({"name": "Renamed"})).await.is(200);
        csv(&world, "sales", &[("1", "uno")]);
        start(&world, &full.sales).await;
        work_off(&world).await;
        let original = told(&world, world.application).await;
        // Only by its name, and only of a copy.
        let refresh = format!("applications/{copy}/refresh");
        assert_eq!(ada.post(&refresh, json!({"name": "Original"})).await.is(422).wrong_fields(), ["name"]);
        ada.post(&format!("applications/{}/refresh", world.application), json!({"name": "FP&A 2026"})).await.is(409);
        world.api(&world.olive).await.post(&refresh, json!({"name": "Copy"})).await.is(403);
        ada.post(&refresh, json!({"name": "Copy", "rows": true})).await.is(202);
        world.step(environments::step).await;
        assert_eq!(told(&world, world.application).await, original, "the original is untouched");
        let now = one(&world, copy, "blocks", "sales").await;
        let found = ada.get(&format!("blocks/{}/rows", now["id"])).await;
        assert_eq!((found.items().len(), &found.items()[0]["values"]["word"]), (1, &json!("uno")));
        assert_eq!(rows(&world, sales["id"].as_i64().unwrap()), 0, "what it held before is gone");
        assert_eq!(named(&world, copy, "blocks").await.len(), named(&world, world.application, "blocks").await.len());
        assert_eq!(one(&world, copy, "import-configurations", "sales").await["connection_id"], full.sales.connection);
        let all = schedules(&world, copy).await;
        assert_eq!((all.len(), all.iter().filter(|s| s["state"] == "off").count()), (4, 4));
        nothing_fires(&world, copy, 2).await;
        assert_eq!(audited(&world, "application.refreshed").await.len(), 1);
    }

    async fn a_reset_keeps_definitions_and_nothing_else(world: World) {
        let full = full(&world).await;
        world.set_clock("2026-10-10T04:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        crate::notifications::incidents::breaks(&world, &full.by_hand).await;
        let here = world.application;
        let before = (named(&world, here, "import-configurations").await.len(), named(&world, here, "import-sets").await.len());
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{here}/settings/environment")).await.follow("Reset …").await;
        ada.sees("all history");
        ada.fill("Type the name of this Application", "fp&a").press("Reset").await.answered(422).sees("Type the name as it is: FP&A 2026");
        ada.fill("Type the name of this Application", "FP&A 2026").press("Reset").await.sees("Its rows and history are being removed.");
        world.step(environments::step).await;
        ada.visit(&format!("/applications/{here}/settings/environment")).await.sees("Reset on").sees("3 schedules are off and waiting for review. They do not run until you turn them on.").sees_no("being removed");
        let promised = world.read(move |conn| tidegate::promises::of_applications(conn, &[here])).await.remove(&here).unwrap();
        assert_eq!((promised.fresh, promised.resting), (0, 1));
        let left: (i64, i64) = world.read(move |conn| {
            let open = incidents::table.filter(incidents::application_id.eq(here).and(incidents::closed_at.is_null()));
            Ok((runs::table.filter(runs::application_id.eq(here)).count().get_result(conn)?, open.count().get_result(conn)?))
        }).await;
        assert_eq!(left, (0, 0));
        for block in [full.sales.block, full.by_hand.block, full.orders] {
            assert_eq!(rows(&world, block), 0);
        }
        assert_eq!((named(&world, here, "import-configurations").await.len(), named(&world, here, "import-sets").await.len()), before);
        let configuration = one(&world, here, "import-configurations", "sales").await;
        assert!(configuration["status"].is_null());
        let all = schedules(&world, here).await;
        assert_eq!((all.len(), all.iter().filter(|s| s["state"] == "off").count()), (4, 4));
        nothing_fires(&world, here, 2).await;
        // It works on as a new one does.
        start(&world, &full.sales).await;
        work_off(&world).await;
        assert_eq!(rows(&world, full.sales.block), 3);
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{here}/blocks/{}", full.sales.block)).await.sees("three");
    }

    async fn while_an_import_runs_neither_goes(world: World) {
        let full = full(&world).await;
        let copy = clone(&world, "Copy", json!({})).await;
        let ada = world.api(&world.ada).await;
        try_start(&world, &world.olive, &full.sales).await.unwrap();
        let configuration = one(&world, copy, "import-configurations", "sales").await;
        ada.post(&format!("import-configurations/{}/runs", configuration["id"]), json!({})).await.is(202);
        let before = (told(&world, world.application).await, told(&world, copy).await);
        let reset = ada.post(&format!("applications/{}/reset", world.application), json!({"name": "FP&A 2026"})).await;
        assert!(reset.is(409).body.contains("1 import is under way"), "{}", reset.body);
        let refresh = ada.post(&format!("applications/{copy}/refresh"), json!({"name": "Copy"})).await;
        assert!(refresh.is(409).body.contains("1 import is under way"), "{}", refresh.body);
        assert_eq!((told(&world, world.application).await, told(&world, copy).await), before);
        let reader = json!({"name": "Reader", "block_id": one(&world, world.application, "blocks", "Orders").await["id"],
            "source_block_id": one(&world, copy, "blocks", "sales").await["id"], "mode": "append", "mapping": [{"from": "id", "to": "id"}]});
        ada.make(&format!("applications/{}/import-configurations", world.application), reader).await;
        work_off(&world).await;
        let refresh = ada.post(&format!("applications/{copy}/refresh"), json!({"name": "Copy"})).await;
        assert!(refresh.is(409).body.contains("\\\"Reader\\\""), "{}", refresh.body);
    }
}

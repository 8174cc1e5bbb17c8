//! From nothing to rows by REST alone, and what each step tells.

use chrono::Duration;
use serde_json::json;
use tidegate::runs::{dispatcher, executor};

use crate::support::World;

on_both! {
    async fn a_program_sets_up_schedules_and_watches_an_import(world: World) {
        std::fs::write(world.folder().join("sales.csv"), "id,word\n1,one\nx,two\n3,three\n").unwrap();
        let ada = world.api(&world.ada).await;
        let path = world.folder().canonicalize().unwrap();
        let application = ada.make("applications", json!({"name": "Sales", "time_zone": "Europe/Paris"})).await;
        let connection = ada.make("connections", json!({
            "name": "Sales files", "kind": "folder", "settings": {"path": path, "quiet_seconds": 0}, "application_ids": [application],
        })).await;
        let block = ada.make(&format!("applications/{application}/blocks"), json!({
            "name": "Sales", "kind": "transaction_list",
            "columns": [{"name": "id", "type": "integer", "key": true}, {"name": "word", "type": "text"}],
        })).await;
        let configuration = ada.make(&format!("applications/{application}/import-configurations"), json!({
            "name": "Sales", "block_id": block, "connection_id": connection, "mode": "update", "source": {"path": "sales.csv"},
        })).await;
        let schedule = ada.make(&format!("applications/{application}/schedules"), json!({
            "configuration_id": configuration, "repeat": "days", "start_date": "2026-10-08", "start_time": "18:43",
            "time_zone": "Europe/Paris",
        })).await;
        world.advance(Duration::minutes(1));
        world.step(dispatcher::step).await;
        let queued = ada.get(&format!("runs?schedule_id={schedule}")).await;
        let run = queued.items()[0]["id"].as_i64().unwrap();
        assert_eq!(queued.items()[0]["planned_at"], "2026-10-08T16:43:00Z");
        assert_eq!((&queued.items()[0]["trigger"], &queued.items()[0]["status"]), (&json!("schedule"), &json!("queued")));
        world.step(executor::step).await;

        let done = ada.get(&format!("runs/{run}")).await;
        assert_eq!(done.json["status"], "partial", "{}", done.body);
        assert_eq!(done.json["as_member_id"], world.ada.id);
        let rows = json!({"read": 3, "added": 2, "changed": 0, "removed": 0, "unchanged": 0, "rejected": 1});
        assert_eq!(done.json["rows"], rows);
        assert_eq!(ada.get("runs?status=partial").await.items(), std::slice::from_ref(&done.json));
        let rejected = ada.get(&format!("runs/{run}/rejected-rows.csv")).await;
        let lines: Vec<&str> = rejected.is(200).body.lines().collect();
        assert_eq!(lines[0], "id,word,tidegate_line,tidegate_reason");
        assert!(lines[1].starts_with("x,two,3,"), "{}", rejected.body);
        assert!(!ada.get(&format!("runs/{run}/log")).await.items().is_empty());
        let loaded = ada.get(&format!("blocks/{block}/rows?limit=1")).await;
        assert_eq!(loaded.items()[0]["values"], json!({"id": 1, "word": "one"}));
        assert_eq!(loaded.items()[0]["run_id"], run);
        let next = loaded.json["next"].as_str().unwrap();
        let rest = ada.get(&format!("blocks/{block}/rows?limit=1&after={next}")).await;
        assert_eq!((&rest.items()[0]["values"]["id"], rest.json["next"].is_null()), (&json!(3), true));
        assert_eq!(ada.get(&format!("blocks/{block}/rows.csv")).await.body, "id,word\n1,one\n3,three\n");
        assert_eq!(ada.get(&format!("blocks/{block}")).await.json["row_count"], 2);
        let status = ada.get(&format!("import-configurations/{configuration}")).await;
        assert_eq!((&status.json["status"], &status.json["status_run_id"]), (&json!("partial"), &json!(run)));

        std::fs::write(world.folder().join("sales.csv"), "id,word\n1,uno\n2,two\n").unwrap();
        let again = ada.post(&format!("runs/{run}/again"), json!({})).await.is(202).id();
        world.step(executor::step).await;
        let again = ada.get(&format!("runs/{again}")).await;
        assert_eq!((&again.json["status"], &again.json["planned_at"]), (&json!("success"), &json!("2026-10-08T16:43:00Z")));
        assert_eq!(ada.delete(&format!("import-configurations/{configuration}")).await.status, 409, "it is scheduled");
        assert_eq!(ada.delete(&format!("applications/{application}")).await.status, 409);
    }
}

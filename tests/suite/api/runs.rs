//! Runs by REST.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::words;
use crate::support::World;

on_both! {
    async fn a_run_is_begun_read_and_cancelled(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let begun = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({})).await;
        let id = begun.is(202).id();
        assert_eq!(begun.header("location"), format!("/api/v1/runs/{id}"));
        let one = format!("runs/{id}");
        let run = olive.get(&one).await;
        assert_eq!(run.is(200).json, begun.json);
        let named = [
            "id", "application_id", "configuration_id", "configuration_version", "set_id", "parent_id", "schedule_id",
            "planned_at", "planned_until", "repeat_no", "again_of", "trigger", "started_by", "as_member_id", "name",
            "status", "reason", "cause", "late", "queued_at", "started_at", "finished_at", "attempt", "rows", "bytes",
            "steps",
        ];
        for member in named {
            assert!(run.json.get(member).is_some(), "{member}");
        }
        assert_eq!((&run.json["trigger"], &run.json["status"]), (&json!("api"), &json!("queued")));
        assert_eq!(run.json["rows"]["rejected"], 0);
        assert_eq!(run.json["queued_at"], world.now().rfc3339());
        olive.get(&format!("{one}/rejected-rows.csv")).await.is(200);
        let mo = world.api(&world.mo).await;
        mo.get(&one).await.is(200);
        mo.get(&format!("{one}/rejected-rows.csv")).await.is(403);
        mo.post(&format!("{one}/cancel"), json!({})).await.is(403);
        let cancelled = olive.post(&format!("{one}/cancel"), json!({})).await;
        assert_eq!(cancelled.is(202).json["status"], "cancelled");
        olive.post(&format!("{one}/cancel"), json!({})).await.is(409);
        let log = olive.get(&format!("{one}/log")).await;
        assert!(log.items()[0]["message"].as_str().unwrap().contains("Olive"), "{}", log.body);
        let again = olive.post(&format!("{one}/again"), json!({})).await;
        assert_eq!((&again.is(202).json["again_of"], &again.json["repeat_no"]), (&json!(id), &json!(1)));
        assert_eq!(olive.post(&format!("{one}/again"), json!({"now": true})).await.wrong_fields(), ["now"]);
        let stranger = world.api(&world.stranger).await;
        for path in [one.clone(), format!("{one}/log"), format!("{one}/rejected-rows.csv")] {
            stranger.get(&path).await.is(404);
        }
        stranger.post(&format!("{one}/cancel"), json!({})).await.is(404);
        stranger.post(&format!("{one}/again"), json!({})).await.is(404);
    }

    async fn many_who_press_at_once_get_one_run(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("import-configurations/{}/runs", stage.configuration);
        let answers = join_all((0..10).map(|_| olive.post(&path, json!({})))).await;
        let first = answers[0].is(202).id();
        assert!(answers.iter().all(|answer| answer.is(202).id() == first));
        // What a configuration does not declare is refused, and is no other run.
        let other = olive.post(&path, json!({"parameters": {"month": "10"}})).await;
        assert_eq!(other.wrong_fields(), ["parameters.month"]);
        assert_eq!(olive.post(&path, json!({"parameters": [], "mode": "x"})).await.wrong_fields(), ["parameters", "mode"]);
    }

    async fn runs_are_filtered(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("import-configurations/{}/runs", stage.configuration);
        let first = olive.post(&path, json!({})).await.is(202).id();
        olive.post(&format!("runs/{first}/cancel"), json!({})).await.is(202);
        let second = olive.post(&path, json!({})).await.is(202).id();
        let ids = |list: &[Value]| list.iter().map(|run| run["id"].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(ids(olive.get("runs").await.items()), [second, first], "the newest first");
        assert_eq!(ids(olive.get("runs?status=cancelled").await.items()), [first]);
        assert_eq!(ids(olive.get("runs?trigger=schedule").await.items()), [0i64; 0]);
        let filter = format!("runs?application_id={}&configuration_id={}&limit=1", world.application, stage.configuration);
        let page = olive.get(&filter).await;
        assert_eq!(ids(page.items()), [second]);
        let next = olive.get(&format!("{filter}&after={}", page.json["next"].as_str().unwrap())).await;
        assert_eq!(ids(next.items()), [first]);
        assert_eq!(olive.get("runs?status=done&set_id=x&why=1").await.wrong_fields(), ["set_id", "status", "why"]);
    }
}

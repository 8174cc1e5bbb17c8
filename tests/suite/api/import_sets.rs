//! Import sets by REST.

use reqwest::Method;
use serde_json::{Value, json};

use super::with;
use crate::import_sets::three;
use crate::support::World;
use crate::support::api::Reply;

on_both! {
    async fn sets_are_made_changed_and_deleted(world: World) {
        let [alpha, beta, _] = three(&world).await.map(|stage| stage.configuration);
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/import-sets", world.application);
        let steps = json!([
            {"configuration_id": beta, "parameters": null, "partial_fails": true},
            {"configuration_id": alpha, "parameters": null, "partial_fails": false},
            {"configuration_id": beta, "parameters": null, "partial_fails": false},
        ]);
        let body = json!({"name": "Month end", "execution": "parallel", "on_failure": "continue", "steps": steps});
        let made = olive.post(&there, body.clone()).await;
        let one = format!("import-sets/{}", made.is(201).id());
        assert_eq!((made.header("location"), made.header("etag")), (format!("/api/v1/{one}").as_str(), "\"1\""));
        assert_eq!(with(made.json.clone(), body.clone()), made.json);
        let whole = ["id", "application_id", "version", "status", "status_run_id", "name", "execution", "on_failure", "steps"];
        let mut members: Vec<&str> = made.json.as_object().unwrap().keys().map(String::as_str).collect();
        let mut whole = whole.to_vec();
        members.sort_unstable();
        whole.sort_unstable();
        assert_eq!(members, whole);
        assert_eq!((&made.json["status"], &made.json["application_id"]), (&Value::Null, &json!(world.application)));
        assert_eq!(olive.get(&one).await.json, made.json);
        assert_eq!(olive.get(&there).await.items(), std::slice::from_ref(&made.json));
        olive.post(&there, with(body.clone(), json!({"name": "MONTH END"}))).await.is(409);
        let patched = olive.patch(&one, json!({"steps": [{"configuration_id": alpha}]})).await;
        assert_eq!((&patched.is(200).json["version"], patched.header("etag")), (&json!(2), "\"2\""));
        let alone = json!([{"configuration_id": alpha, "parameters": null, "partial_fails": false}]);
        assert_eq!((&patched.json["steps"], &patched.json["execution"]), (&alone, &json!("parallel")));
        // What means the same makes no version, and null brings a default back.
        let same = json!({"steps": [{"configuration_id": alpha, "parameters": {}}]});
        assert_eq!(olive.patch(&one, same).await.is(200).json["version"], 2);
        let usual = olive.patch(&one, json!({"execution": null, "on_failure": null, "steps": null})).await;
        assert_eq!((&usual.is(200).json["execution"], &usual.json["on_failure"]), (&json!("sequential"), &json!("stop")));
        assert_eq!(usual.json["steps"], alone, "what is needed stays");
        for stale in [olive.request(Method::PATCH, &one).json(&json!({"name": "K"})), olive.request(Method::DELETE, &one)] {
            Reply::of(stale.header("If-Match", "\"1\"")).await.is(412);
        }
        let bare = olive.post(&there, json!({"name": "Bare", "steps": [{"configuration_id": beta}]})).await;
        assert_eq!((&bare.is(201).json["execution"], &bare.json["on_failure"]), (&json!("sequential"), &json!("stop")));
        let first = olive.get(&format!("{there}?limit=1")).await;
        let next = olive.get(&format!("{there}?limit=1&after={}", first.json["next"].as_str().unwrap())).await;
        assert_eq!((&next.items()[0]["name"], &next.json["next"]), (&json!("Bare"), &Value::Null));
        Reply::of(olive.request(Method::DELETE, &one).header("If-Match", "\"3\"")).await.is(204);
        olive.get(&one).await.is(404);
        olive.patch(&one, json!({"name": "x"})).await.is(404);
        olive.delete(&one).await.is(404);
        olive.post(&there, body).await.is(201);
        assert_eq!(world.api(&world.audrey).await.get(&there).await.items().len(), 2);
        let audit = world.read(|conn| tidegate::audit::list(conn, &tidegate::audit::Filter::default(), None, 100)).await;
        let changed = audit.iter().find(|e| e.action == "import_set.updated" && e.after.as_ref().unwrap()["version"] == 2);
        assert_eq!(changed.unwrap().before.as_ref().unwrap()["steps"], steps);
    }

    async fn all_that_is_wrong_is_named(world: World) {
        let [alpha, ..] = three(&world).await.map(|stage| stage.configuration);
        let stranger = world.api(&world.stranger).await;
        let elsewhere = stranger.get(&format!("applications/{}/import-configurations", world.elsewhere)).await;
        assert!(elsewhere.is(200).items().is_empty());
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/import-sets", world.application);
        let post = async |body: Value| {
            let whole = json!({"name": "T", "steps": [{"configuration_id": alpha}]});
            olive.post(&there, with(whole, body)).await
        };
        let fields = async |body: Value| -> Vec<String> {
            post(body).await.wrong_fields().into_iter().map(str::to_owned).collect()
        };
        assert_eq!(olive.post(&there, json!({})).await.wrong_fields(), ["name", "steps"]);
        assert_eq!(fields(json!({"name": " ", "steps": []})).await, ["name", "steps"]);
        let odd = json!({"execution": "both", "on_failure": true, "step": 1, "steps": {"a": 1}});
        assert_eq!(fields(odd).await, ["execution", "on_failure", "steps", "step"]);
        let steps = json!([7, {"partial_fails": "yes"}, {"configuration_id": "1", "file_id": 3}]);
        let wrong = ["steps[0]", "steps[1].configuration_id", "steps[1].partial_fails", "steps[2].configuration_id",
            "steps[2].file_id"];
        assert_eq!(fields(json!({"steps": steps})).await, wrong);
        let steps = json!([{"configuration_id": alpha}, {"configuration_id": 999_999}, {"configuration_id": i64::MIN}]);
        let nothing = post(json!({"steps": steps})).await;
        assert_eq!(nothing.wrong_fields(), ["steps[1].configuration_id", "steps[2].configuration_id"]);
        assert!(nothing.body.contains("There is no such import configuration in this Application."), "{}", nothing.body);
        // A set in a set is refused in words.
        let nested = post(json!({"steps": [{"configuration_id": alpha}, {"set_id": 1}]})).await;
        assert_eq!(nested.wrong_fields(), ["steps[1].set_id"]);
        assert!(nested.body.contains("A set cannot contain another set: add its steps instead."), "{}", nested.body);
        let of_parameters = post(json!({"steps": [{"configuration_id": alpha, "parameters": {"day": "yesterday"}}]})).await;
        assert_eq!(of_parameters.wrong_fields(), ["steps[0].parameters.day"]);
        assert!(of_parameters.body.contains("alpha declares no parameter \\\"day\\\"."), "{}", of_parameters.body);
        assert_eq!(fields(json!({"steps": [{"configuration_id": alpha, "parameters": [1]}]})).await, ["steps[0].parameters"]);
        let nul = json!({"steps": [{"configuration_id": alpha, "parameters": {"a\0": "b\0"}}], "name": "a\0"});
        assert_eq!(fields(nul).await[0], "name");
        let many = |n: usize| json!({"name": n.to_string(), "steps": vec![json!({"configuration_id": alpha}); n]});
        let refused = post(many(51)).await;
        assert_eq!(refused.wrong_fields(), ["steps"]);
        assert!(refused.body.contains("A set has at most 50 steps."), "{}", refused.body);
        assert_eq!(post(many(50)).await.is(201).json["steps"].as_array().unwrap().len(), 50);
    }

    /// What another Application has is not there.
    async fn a_step_of_another_application_is_none(world: World) {
        let [alpha, ..] = three(&world).await.map(|stage| stage.configuration);
        let ada = world.api(&world.ada).await;
        let body = json!({"name": "T", "steps": [{"configuration_id": alpha}]});
        let refused = ada.post(&format!("applications/{}/import-sets", world.elsewhere), body).await;
        assert_eq!(refused.wrong_fields(), ["steps[0].configuration_id"]);
        assert!(!refused.body.contains("alpha"), "{}", refused.body);
    }

    async fn a_repeat_is_done_once(world: World) {
        let [alpha, ..] = three(&world).await.map(|stage| stage.configuration);
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/import-sets", world.application);
        let post = async |name: &str| {
            let body = json!({"name": name, "steps": [{"configuration_id": alpha}]});
            Reply::of(olive.request(Method::POST, &there).header("Idempotency-Key", "k").json(&body)).await
        };
        let first = post("Month end").await;
        assert_eq!(post("Month end").await.is(201).body, first.is(201).body);
        post("Other").await.is(422);
        assert_eq!(olive.get(&there).await.items().len(), 1);
        let read = world.api_with_scopes(&world.olive, Some(&["read"])).await;
        read.get(&there).await.is(200);
        read.post(&there, json!({})).await.is(403);
    }
}

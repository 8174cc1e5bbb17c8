//! Translation tables by REST.

use reqwest::Method;
use serde_json::{Value, json};

use super::with;
use crate::support::World;
use crate::support::api::Reply;
use crate::support::cast;

on_both! {
    async fn tables_are_made_changed_and_deleted(world: World) {
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/translations", world.application);
        let entries = json!([{"from": "CC-9914", "to": "CC-9910"}, {"from": "東京", "to": ""}]);
        let body = json!({"name": "Cost centres", "otherwise": "reject", "entries": entries});
        let made = olive.post(&there, body.clone()).await;
        let one = format!("translations/{}", made.is(201).id());
        assert_eq!(made.header("location"), format!("/api/v1/{one}"));
        assert_eq!(made.header("etag"), "\"1\"");
        assert_eq!(with(made.json.clone(), body.clone()), made.json);
        assert_eq!(olive.get(&one).await.json, made.json);
        // A list says how many there are: all of them could be a lot.
        let listed = olive.get(&there).await;
        assert_eq!((&listed.items()[0]["entry_count"], &listed.items()[0]["entries"]), (&json!(2), &Value::Null));
        olive.post(&there, with(body.clone(), json!({"name": "COST CENTRES"}))).await.is(409);
        let patched = olive.patch(&one, json!({"entries": [{"from": "a", "to": "b"}]})).await;
        assert_eq!((&patched.is(200).json["version"], &patched.json["name"]), (&json!(2), &json!("Cost centres")));
        assert_eq!(olive.patch(&one, json!({"otherwise": null})).await.is(200).json["otherwise"], "keep");
        assert_eq!(olive.patch(&one, json!({"entries": null})).await.is(200).json["entries"], json!([]));
        let stale = olive.request(Method::PATCH, &one).header("If-Match", "\"1\"");
        Reply::of(stale.json(&json!({"name": "K"}))).await.is(412);
        Reply::of(olive.request(Method::DELETE, &one).header("If-Match", "\"1\"")).await.is(412);
        let bare = olive.post(&there, json!({"name": "Empty"})).await;
        assert_eq!((&bare.is(201).json["otherwise"], &bare.json["entries"]), (&json!("keep"), &json!([])));
        let first = olive.get(&format!("{there}?limit=1")).await;
        let next = olive.get(&format!("{there}?limit=1&after={}", first.json["next"].as_str().unwrap())).await;
        assert_eq!((&next.items()[0]["name"], &next.json["next"]), (&json!("Empty"), &Value::Null));
        olive.delete(&one).await.is(204);
        olive.get(&one).await.is(404);
        olive.patch(&one, json!({"name": "x"})).await.is(404);
        olive.post(&there, body).await.is(201);
        let audrey = world.api(&world.audrey).await;
        assert_eq!(audrey.get(&there).await.items().len(), 2);
    }

    async fn all_that_is_wrong_is_named(world: World) {
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/translations", world.application);
        let post = async |body: Value| olive.post(&there, with(json!({"name": "T"}), body)).await;
        let fields = async |body: Value| -> Vec<String> {
            post(body).await.wrong_fields().into_iter().map(str::to_owned).collect()
        };
        assert_eq!(fields(json!({"name": " ", "otherwise": "drop", "rows": 1})).await, ["otherwise", "rows", "name"]);
        let twice = post(json!({"entries": [{"from": "a", "to": "b"}, {"from": "a", "to": "b"}]})).await;
        assert_eq!(twice.wrong_fields(), ["entries[1].from"]);
        assert!(twice.body.contains("\\\"a\\\" is there twice."), "{}", twice.body);
        let odd = json!([{"from": "", "to": "b"}, {"from": "x".repeat(2_001), "to": "a\tb"}, {"from": "y"}]);
        let wrong = ["entries[2].to", "entries[0].from", "entries[1].from", "entries[1].to"];
        assert_eq!(fields(json!({"entries": odd})).await, wrong);
        let none = json!([7, {"from": "", "to": "b", "x": 1}, {"from": "a\0", "to": "b"}]);
        assert_eq!(fields(json!({"entries": none})).await, ["entries[0]", "entries[1].x", "entries[2].from"]);
        assert_eq!(fields(json!({"entries": {"a": "b"}})).await, ["entries"]);
        let number = |n: usize| (0..n).map(|i| json!({"from": i.to_string(), "to": ""})).collect::<Vec<_>>();
        assert_eq!(fields(json!({"entries": number(10_001)})).await, ["entries"]);
        post(json!({"entries": number(10_000)})).await.is(201);
        olive.get(&there).await.is(200);
        assert_eq!(olive.get(&there).await.items()[0]["entry_count"], 10_000);
    }

    /// Who configures, and does not import, makes a table; a repeat is answered to them too.
    async fn a_repeat_is_answered_to_who_configures(world: World) {
        let (application, now) = (world.application, world.now());
        let carl = world
            .write(move |conn| {
                let carl = cast::member(conn, "Carl", "Viewer", now)?;
                cast::grant(conn, application, &carl, (false, true))?;
                Ok(carl)
            })
            .await;
        let carl = world.api(&carl).await;
        let post = async || {
            let request = carl.request(Method::POST, &format!("applications/{application}/translations"));
            Reply::of(request.header("Idempotency-Key", "k").json(&json!({"name": "T"}))).await
        };
        let first = post().await;
        assert_eq!(post().await.is(201).body, first.is(201).body);
    }
}

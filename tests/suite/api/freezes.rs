//! Freezes by REST.

use reqwest::Method;
use serde_json::json;

use super::{with, words};
use crate::support::World;
use crate::support::api::Reply;

on_both! {
    async fn freezes_are_made_changed_ended_and_deleted(world: World) {
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/freezes", world.application);
        let body = json!({"name": "Close", "from": "2026-12-31T17:00:00Z", "to": "2027-01-04T05:00:00Z", "run_once": true});
        let made = olive.post(&there, body.clone()).await;
        let one = format!("freezes/{}", made.is(201).id());
        assert_eq!(made.header("location"), format!("/api/v1/{one}"));
        assert_eq!((&made.json["from"], &made.json["run_once"]), (&body["from"], &json!(true)));
        assert_eq!(olive.get(&one).await.json, made.json);
        assert_eq!(olive.get(&there).await.items(), std::slice::from_ref(&made.json));
        olive.post(&there, body.clone()).await.is(409);
        let wrong = json!({"name": "", "from": "soon", "run_once": 1, "until": "x"});
        assert_eq!(olive.post(&there, wrong).await.wrong_fields(), ["to", "from", "run_once", "until", "name"]);
        let past = with(body.clone(), json!({"name": "B", "from": "2026-10-01T00:00:00Z", "to": "2026-10-08T16:42:00Z"}));
        assert_eq!(olive.post(&there, past).await.wrong_fields(), ["to"]);
        let turned = json!({"to": "2026-12-31T17:00:00Z"});
        assert_eq!(olive.patch(&one, turned).await.wrong_fields(), ["to"]);
        let patched = olive.patch(&one, json!({"to": "2027-01-05T05:00:00Z"})).await;
        assert_eq!((&patched.is(200).json["version"], &patched.json["name"]), (&json!(2), &json!("Close")));
        let stale = olive.request(Method::PATCH, &one).header("If-Match", "\"1\"");
        Reply::of(stale.json(&json!({"name": "K"}))).await.is(412);
        let early = olive.post(&format!("{one}/end"), json!({})).await;
        assert!(early.is(409).body.contains("has not started"), "{}", early.body);
        // Without a beginning it begins now.
        let now = olive.post(&there, json!({"name": "Now", "to": "2026-10-09T00:00:00Z"})).await;
        assert_eq!((&now.is(201).json["from"], &now.json["run_once"]), (&json!("2026-10-08T16:42:00Z"), &json!(false)));
        world.set_clock("2026-10-08T17:00:00Z");
        let begun = format!("freezes/{}", now.id());
        assert_eq!(olive.patch(&begun, json!({"from": "2026-10-08T18:00:00Z"})).await.wrong_fields(), ["from"]);
        let ended = olive.post(&format!("{begun}/end"), json!({})).await;
        assert_eq!(ended.is(200).json["to"], "2026-10-08T17:00:00Z");
        olive.patch(&begun, json!({"name": "Later"})).await.is(409);
        olive.delete(&one).await.is(204);
        olive.get(&one).await.is(404);
        let audrey = world.api(&world.audrey).await;
        assert_eq!(audrey.get(&there).await.items().len(), 1);
    }

    /// No instant at which nothing will run.
    async fn the_next_run_of_a_schedule_is_after_the_freeze(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let daily = with(crate::schedules::daily("18:00"), json!({"configuration_id": stage.configuration}));
        let there = format!("applications/{}/schedules", world.application);
        let id = olive.make(&there, daily).await;
        let freezes = format!("applications/{}/freezes", world.application);
        let close = json!({"name": "Close", "from": "2026-10-08T17:00:00Z", "to": "2026-10-08T20:00:00Z", "run_once": true});
        let freeze = olive.make(&freezes, close).await;
        let next = async || {
            let one = olive.get(&format!("schedules/{id}")).await.json["next_at"].clone();
            assert_eq!(one, olive.get(&there).await.items()[0]["next_at"]);
            one
        };
        assert_eq!(next().await, "2026-10-08T20:00:00Z", "it makes up for what it skips");
        olive.patch(&format!("freezes/{freeze}"), json!({"run_once": false})).await.is(200);
        assert_eq!(next().await, "2026-10-09T18:00:00Z");
    }
}

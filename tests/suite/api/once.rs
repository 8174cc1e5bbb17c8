//! `Idempotency-Key`: what is sent twice is done once.

use chrono::Duration;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::{weekly, with, words};
use crate::support::World;
use crate::support::api::{Api, Reply};

async fn post(api: &Api, path: &str, key: &str, body: &Value) -> Reply {
    Reply::of(api.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

on_both! {
    async fn a_repeat_is_answered_like_the_first(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("applications/{}/schedules", world.application);
        let body = weekly(stage.configuration);
        let first = post(&olive, &path, "k1", &body).await;
        let id = first.is(201).id();
        olive.patch(&format!("schedules/{id}"), json!({"enabled": false})).await.is(200);
        let repeat = post(&olive, &path, "k1", &body).await;
        assert_eq!((repeat.status, &repeat.body), (201, &first.body), "as it was answered then");
        assert_eq!(repeat.header("location"), first.header("location"));
        assert_eq!(olive.get(&path).await.items().len(), 1);
        let other = with(body.clone(), json!({"start_time": "05:00"}));
        assert_eq!(post(&olive, &path, "k1", &other).await.wrong_fields(), ["Idempotency-Key"]);
        let alike = post(&olive, &path, "k2", &body).await;
        let words = alike.is(409).json["detail"].as_str().unwrap();
        assert!(words.starts_with("words already has this schedule: Every Monday and Thursday at 01:00"), "{words}");
        assert!(words.ends_with("owned by Olive, now off. Change that one, or choose other times."), "{words}");
        // Keys belong to a token, and are free again after a day.
        assert_ne!(post(&world.api(&world.olive).await, &path, "k1", &other).await.is(201).id(), id);
        world.advance(Duration::hours(25));
        let third = with(body.clone(), json!({"start_time": "05:30"}));
        assert_ne!(post(&olive, &path, "k1", &third).await.is(201).id(), id);
        assert_eq!(post(&olive, &path, "", &other).await.wrong_fields(), ["Idempotency-Key"]);
    }

    async fn ten_repeats_at_once_make_one(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("applications/{}/schedules", world.application);
        let body = weekly(stage.configuration);
        let answers = join_all((0..10).map(|_| post(&olive, &path, "k", &body))).await;
        let first = answers[0].is(201).id();
        assert!(answers.iter().all(|answer| answer.is(201).id() == first));
        assert_eq!(olive.get(&path).await.items().len(), 1);
    }

    async fn a_repeat_is_answered_only_to_who_may_still_see(world: World) {
        let stage = words(&world).await;
        let (ada, olive) = (world.api(&world.ada).await, world.api(&world.olive).await);
        let runs = format!("import-configurations/{}/runs", stage.configuration);
        let schedules = format!("applications/{}/schedules", world.application);
        let begun = post(&olive, &runs, "r", &json!({})).await;
        begun.is(202);
        post(&olive, &schedules, "s", &weekly(stage.configuration)).await.is(201);
        let access = format!("applications/{}/access/{}", world.application, world.olive.id);
        ada.put(&access, json!({"view": true})).await.is(200);
        assert_eq!(post(&olive, &runs, "r", &json!({})).await.is(202).body, begun.body, "who views sees runs");
        post(&olive, &schedules, "s", &weekly(stage.configuration)).await.is(403);
        ada.delete(&access).await.is(204);
        for (path, key, body) in [(&runs, "r", json!({})), (&schedules, "s", weekly(stage.configuration))] {
            assert_eq!(post(&olive, path, key, &body).await.is(404).json["errors"], Value::Null);
        }
    }

    async fn a_freeze_is_ended_once(world: World) {
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/freezes", world.application);
        let id = olive.make(&there, json!({"name": "Now", "to": "2026-10-09T00:00:00Z"})).await;
        world.advance(Duration::hours(1));
        let end = format!("freezes/{id}/end");
        let first = post(&olive, &end, "e", &json!({})).await;
        world.advance(Duration::hours(1));
        assert_eq!(post(&olive, &end, "e", &json!({})).await.is(200).body, first.is(200).body);
        post(&olive, &end, "other", &json!({})).await.is(409);
    }

    async fn what_was_refused_may_be_sent_again(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("applications/{}/schedules", world.application);
        let wrong = with(weekly(stage.configuration), json!({"time_zone": "X"}));
        assert_eq!(post(&olive, &path, "k", &wrong).await.wrong_fields(), ["time_zone"]);
        post(&olive, &path, "k", &weekly(stage.configuration)).await.is(201);
    }
}

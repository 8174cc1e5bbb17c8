//! What is refused, is refused as a problem document.

use reqwest::Method;
use serde_json::json;

use super::{weekly, with, words};
use crate::support::World;
use crate::support::api::{Api, Reply};

#[track_caller]
fn is_problem(reply: &Reply, status: u16) {
    reply.is(status);
    assert_eq!(reply.header("content-type"), "application/problem+json");
    assert_eq!(reply.json["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(reply.json[member].as_str().is_some_and(|text| !text.is_empty()), "{member}: {}", reply.body);
    }
}

on_both! {
    async fn without_a_living_token_nothing_is_answered(world: World) {
        let reply = Api::new(world.at(), "wrong").get("runs").await;
        is_problem(&reply, 401);
        assert!(reply.header("www-authenticate").starts_with("Bearer"));
        // A session is no token.
        let session = world.session(&world.ada).await;
        let bare = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
        let with_cookie = bare.get(format!("{}/api/v1/runs", world.at())).header("Cookie", format!("sid={session}"));
        is_problem(&Reply::of(with_cookie).await, 401);
        is_problem(&Reply::of(bare.get(format!("{}/api/v1/runs", world.at())).bearer_auth(session)).await, 401);
    }

    /// Dead tokens and what is forbidden: the first of an hour one by one, then how many more there were.
    async fn what_is_refused_is_in_the_audit_log_and_does_not_fill_it(world: World) {
        let (mo, dead) = (world.api(&world.mo).await, Api::new(world.at(), "wrong"));
        for _ in 0..25 {
            mo.get("members").await.is(403);
            dead.get("runs").await.is(401);
        }
        let nobody = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
        let forged = nobody.post(format!("{}/sign-out", world.at())).header("Sec-Fetch-Site", "cross-site");
        assert_eq!(forged.send().await.unwrap().status(), 403);
        // Without a token somebody only looks what is here.
        assert_eq!(nobody.get(format!("{}/api/v1/runs", world.at())).send().await.unwrap().status(), 401);
        let written = async || {
            world.step(tidegate::audit::write_refusals).await;
            let rows = world.read(|conn| tidegate::audit::list(conn, &tidegate::audit::Filter::default(), None, 200)).await;
            let rows = rows.into_iter().rev().filter(|row| row.action.ends_with(".refused"));
            rows.map(|row| (row.member_name, row.channel, row.action, (row.from.unwrap(), row.after.unwrap()))).collect::<Vec<_>>()
        };
        let rows = written().await;
        let of = |name: &str, action: &str| rows.iter().filter(|row| row.0 == name && row.2 == action).count();
        assert_eq!((of("Mo", "request.refused"), of("nobody", "token.refused")), (20, 20));
        assert_eq!((of("nobody", "request.refused"), rows.len()), (1, 41));
        let from = "127.0.0.1".to_owned();
        let mos = rows.iter().find(|row| row.0 == "Mo").unwrap();
        assert_eq!((mos.1.as_str(), &mos.3), ("token", &(from.clone(), json!({ "what": "GET /api/v1/members" }))));
        world.advance(chrono::Duration::hours(1));
        let later = written().await;
        assert_eq!(later.len(), 43);
        assert!(later[41..].iter().all(|row| row.3 == (from.clone(), json!({ "more": 5 }))), "{:?}", &later[41..]);
        assert_eq!(written().await.len(), 43);
    }

    async fn an_address_or_a_method_that_is_not_there_is_a_problem_too(world: World) {
        let ada = world.api(&world.ada).await;
        is_problem(&ada.get("nothing").await, 404);
        is_problem(&ada.get("schedules/seven").await, 404);
        for roadmap in ["import-sets/1"] {
            is_problem(&ada.get(roadmap).await, 404);
        }
        is_problem(&ada.post("runs/1/approve", json!({})).await, 404);
        let reply = ada.put("schedules/1", json!({})).await;
        is_problem(&reply, 405);
        assert_eq!(reply.header("allow"), "GET, PATCH, DELETE");
        is_problem(&ada.delete("runs").await, 405);
    }

    async fn who_may_not_see_learns_nothing_and_who_may_not_do_learns_why(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/schedules", world.application);
        let schedule = olive.make(&there, weekly(stage.configuration)).await;
        let stranger = world.api(&world.stranger).await;
        let one = format!("schedules/{schedule}");
        is_problem(&stranger.get(&there).await, 404);
        is_problem(&stranger.post(&there, json!({})).await, 404);
        is_problem(&stranger.get(&one).await, 404);
        is_problem(&stranger.patch(&one, json!({"enabled": false})).await, 404);
        is_problem(&stranger.delete(&one).await, 404);
        is_problem(&stranger.get(&format!("{one}/occurrences")).await, 404);
        is_problem(&stranger.get(&format!("runs?application_id={}", world.application)).await, 404);
        assert!(stranger.get(&format!("runs?schedule_id={schedule}")).await.items().is_empty());
        for person in [&world.mo, &world.ivy] {
            let api = world.api(person).await;
            is_problem(&api.get(&there).await, 403);
            is_problem(&api.post(&there, json!({})).await, 403);
            let refused = api.patch(&one, json!({"enabled": false})).await;
            is_problem(&refused, 403);
            assert!(refused.body.contains("To import here you still need"), "{}", refused.body);
        }
        let audrey = world.api(&world.audrey).await;
        assert_eq!(audrey.get(&there).await.items().len(), 1);
        is_problem(&audrey.post(&there, weekly(stage.configuration)).await, 403);
        is_problem(&audrey.delete(&one).await, 403);
    }

    async fn ids_of_another_application_are_ids_of_nothing(world: World) {
        let stage = words(&world).await;
        let stranger = world.api(&world.stranger).await;
        let path = format!("applications/{}/schedules", world.elsewhere);
        let stolen = stranger.post(&path, weekly(stage.configuration)).await;
        let missing = stranger.post(&path, weekly(999_999)).await;
        assert_eq!(stolen.wrong_fields(), ["configuration_id"]);
        assert_eq!(stolen.body, missing.body);
        let told = json!({"notify": {"about": "all", "member_ids": [999_999]}});
        let olive = world.api(&world.olive).await;
        let own = format!("applications/{}/schedules", world.application);
        assert_eq!(olive.post(&own, with(weekly(stage.configuration), told)).await.wrong_fields(), ["notify.member_ids"]);
        let preview = json!({"repeat": "once", "start_date": "2027-01-01", "start_time": "01:00", "time_zone": "UTC",
            "application_id": world.elsewhere});
        assert_eq!(olive.post("schedules/preview", preview).await.wrong_fields(), ["application_id"]);
    }

    async fn a_narrow_token_does_what_its_scopes_say(world: World) {
        let stage = words(&world).await;
        let there = format!("applications/{}/schedules", world.application);
        let runs = format!("import-configurations/{}/runs", stage.configuration);
        let reader = world.api_with_scopes(&world.olive, Some(&["read"])).await;
        reader.get(&there).await.is(200);
        let refused = reader.post(&there, weekly(stage.configuration)).await;
        is_problem(&refused, 403);
        assert!(refused.body.contains("schedule"), "{}", refused.body);
        is_problem(&reader.post(&runs, json!({})).await, 403);
        let runner = world.api_with_scopes(&world.olive, Some(&["run"])).await;
        is_problem(&runner.get(&there).await, 403);
        is_problem(&runner.post(&there, weekly(stage.configuration)).await, 403);
        runner.post(&runs, json!({})).await.is(202);
        let scheduler = world.api_with_scopes(&world.olive, Some(&["schedule"])).await;
        scheduler.post(&there, weekly(stage.configuration)).await.is(201);
    }

    async fn what_is_no_object_of_json_is_said_so(world: World) {
        let stage = words(&world).await;
        let ada = world.api(&world.ada).await;
        let there = format!("applications/{}/schedules", world.application);
        let send = |body: &'static str| Reply::of(ada.request(Method::POST, &there).body(body));
        for body in ["{", "[]", "7", "\u{feff}{}", "{\"a\": 1} x"] {
            assert_eq!(send(body).await.wrong_fields(), ["body"], "{body}");
        }
        let nul = ada.post(&there, with(weekly(stage.configuration), json!({"run_name": "a\0b"}))).await;
        assert_eq!(nul.wrong_fields(), ["run_name"]);
        let huge = format!("{{\"run_name\": \"{}\"}}", "x".repeat(1 << 20));
        is_problem(&Reply::of(ada.request(Method::POST, &there).body(huge)).await, 413);
    }

    async fn lists_are_read_page_by_page(world: World) {
        let stage = words(&world).await;
        let ada = world.api(&world.ada).await;
        let there = format!("applications/{}/schedules", world.application);
        for minute in ["01:00", "02:00", "03:00"] {
            ada.post(&there, with(weekly(stage.configuration), json!({"start_time": minute}))).await.is(201);
        }
        let first = ada.get(&format!("{there}?limit=2")).await;
        assert_eq!(first.items().len(), 2);
        let second = ada.get(&format!("{there}?limit=2&after={}", first.json["next"].as_str().unwrap())).await;
        assert_eq!((second.items().len(), second.json["next"].is_null()), (1, true));
        assert_eq!(second.items()[0]["start_time"], "03:00");
        for (query, field) in [("limit=0", "limit"), ("limit=201", "limit"), ("after=x", "after"), ("page=2", "page")] {
            assert_eq!(ada.get(&format!("{there}?{query}")).await.wrong_fields(), [field]);
        }
    }
}

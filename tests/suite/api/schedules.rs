//! Schedules by REST.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{weekly, with, words};
use crate::support::World;

fn there(world: &World) -> String {
    format!("applications/{}/schedules", world.application)
}

on_both! {
    async fn a_schedule_is_made_read_changed_and_deleted(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let extra = json!({
            "run_name": "Payroll", "notify": {"about": "failed", "member_ids": [world.mo.id, world.ada.id]},
            "end_date": null, "window": null, "enabled": null,
        });
        let made = olive.post(&there(&world), with(weekly(stage.configuration), extra)).await;
        let id = made.is(201).id();
        assert_eq!(made.header("location"), format!("/api/v1/schedules/{id}"));
        assert_eq!(made.header("etag"), "\"1\"");
        assert_eq!(made.json["sentence"], "Every Monday and Thursday at 01:00, Europe/Paris");
        assert_eq!(made.json["next_at"], "2026-10-11T23:00:00Z");
        assert_eq!(made.json["state"], "on");
        assert_eq!(made.json["owner_id"], world.olive.id);
        assert_eq!(made.json["every"], 1);
        assert_eq!(made.json["weekdays"], json!(["mon", "thu"]));
        assert_eq!(made.json["end_date"], Value::Null);
        let notify = json!({"about": "failed", "member_ids": [world.ada.id, world.mo.id], "group_ids": [], "after": 1});
        assert_eq!(made.json["notify"], notify);
        let one = format!("schedules/{id}");
        assert_eq!(olive.get(&one).await.json, made.json);
        assert_eq!(olive.get(&there(&world)).await.items(), std::slice::from_ref(&made.json));

        let ada = world.api(&world.ada).await;
        let patched = ada.patch(&one, json!({"repeat": "days", "every": 2, "notify": {"about": "all"}})).await;
        assert_eq!(patched.is(200).json["sentence"], "Every 2 days at 01:00, Europe/Paris");
        assert_eq!(patched.json["owner_id"], world.ada.id, "whoever saves becomes Owner");
        assert_eq!(patched.json["notify"]["member_ids"], json!([world.ada.id, world.mo.id]));
        assert_eq!((&patched.json["version"], patched.header("etag")), (&json!(2), "\"2\""));
        let off = olive.patch(&one, json!({"enabled": false})).await;
        assert_eq!((&off.is(200).json["state"], &off.json["next_at"]), (&json!("off"), &Value::Null));
        assert_eq!(off.json["owner_id"], world.ada.id, "the switch leaves the Owner");
        olive.delete(&one).await.is(204);
        olive.get(&one).await.is(404);
        olive.delete(&one).await.is(404);
    }

    async fn a_stale_change_is_refused(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let one = format!("schedules/{}", olive.make(&there(&world), weekly(stage.configuration)).await);
        let patch = |tag: &str, body: Value| {
            crate::support::api::Reply::of(olive.request(reqwest::Method::PATCH, &one).header("If-Match", tag).json(&body))
        };
        patch("\"1\"", json!({"start_time": "02:00"})).await.is(200);
        let stale = patch("\"1\"", json!({"start_time": "03:00"})).await;
        assert!(stale.is(412).body.contains("Olive changed this schedule"), "{}", stale.body);
        patch("\"1\"", json!({"enabled": false})).await.is(412);
        patch("nonsense", json!({"enabled": false})).await.is(412);
        patch("*", json!({"enabled": false})).await.is(200);
        let delete = olive.request(reqwest::Method::DELETE, &one).header("If-Match", "\"1\"");
        crate::support::api::Reply::of(delete).await.is(412);
        assert_eq!(olive.get(&one).await.json["start_time"], "02:00");
    }

    async fn each_wrong_field_is_named_and_nothing_is_written(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let cases = [
            (json!({"time_zone": "Europe/Pari"}), vec!["time_zone"]),
            (json!({"repeat": "once", "weekdays": null, "start_date": "2026-10-01"}), vec!["start_date"]),
            (json!({"end_date": "2026-10-01"}), vec!["end_date"]),
            (json!({"weekdays": []}), vec!["weekdays"]),
            (json!({"owner_id": 1, "color": "red"}), vec!["color", "owner_id"]),
            (json!({"days_of_month": [1]}), vec!["days_of_month"]),
            (json!({"repeat": "minutes", "weekdays": null}), vec!["every"]),
            (json!({"repeat": "minutes", "weekdays": null, "every": 7}), vec!["every"]),
            (json!({"start_time": "25:00", "start_date": "soon"}), vec!["start_date", "start_time"]),
            (json!({"enabled": "yes", "off_until": "tomorrow"}), vec!["enabled", "off_until"]),
            (json!({"notify": {"about": "some", "who": 1}}), vec!["notify.about", "notify.who"]),
            (json!({"parameters": 7, "set_id": 1}), vec!["parameters", "set_id"]),
            (json!({"parameters": {"month": 7}}), vec!["parameters.month"]),
            (json!({"configuration_id": "1", "time_zone": "X"}), vec!["configuration_id", "time_zone"]),
        ];
        for (other, fields) in cases {
            let refused = olive.post(&there(&world), with(weekly(stage.configuration), other.clone())).await;
            assert_eq!(refused.wrong_fields(), fields, "{other}");
            assert!(refused.json["errors"][0]["detail"].as_str().is_some_and(|words| words.len() > 5));
        }
        let empty = olive.post(&there(&world), json!({})).await;
        for field in ["configuration_id", "repeat", "start_date", "start_time", "time_zone"] {
            assert!(empty.wrong_fields().contains(&field), "{field}: {}", empty.body);
        }
        assert!(olive.get(&there(&world)).await.items().is_empty());
        // By PATCH too.
        let one = format!("schedules/{}", olive.make(&there(&world), weekly(stage.configuration)).await);
        assert_eq!(olive.patch(&one, json!({"id": 7})).await.wrong_fields(), ["id"]);
        assert_eq!(olive.patch(&one, json!({"window": {"from": "07:00"}})).await.wrong_fields(), ["window"]);
        assert_eq!(olive.patch(&one, json!({"time_zone": "Mars/Base"})).await.wrong_fields(), ["time_zone"]);
    }

    async fn twenty_at_once_make_four(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = there(&world);
        let posts = (0..20).map(|i| {
            let body = with(weekly(stage.configuration), json!({"start_time": format!("{i:02}:00")}));
            olive.post(&path, body)
        });
        let mut statuses: Vec<u16> = join_all(posts).await.into_iter().map(|reply| reply.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [[201].repeat(4), [409].repeat(16)].concat());
        assert_eq!(olive.get(&path).await.items().len(), 4);
        let fifth = olive.post(&path, weekly(stage.configuration)).await;
        assert!(fifth.is(409).body.contains("four"), "{}", fifth.body);
    }

    async fn what_would_happen_is_told_before_and_happens_so(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let rule = json!({"repeat": "days", "start_date": "2026-10-24", "start_time": "02:30", "time_zone": "Europe/Paris"});
        let preview = olive.post("schedules/preview?count=3", with(rule.clone(), json!({"application_id": world.application}))).await;
        let told = preview.is(200).json["occurrences"].as_array().unwrap().clone();
        assert_eq!(preview.json["sentence"], "Every day at 02:30, Europe/Paris");
        assert_eq!(told.len(), 3);
        assert_eq!(told[1]["at"], "2026-10-25T00:30:00Z");
        assert_eq!(told[1]["local"], "2026-10-25T02:30:00+02:00[Europe/Paris]");
        assert!(told[1]["note"].as_str().unwrap().contains("Clocks go back"));
        assert_eq!((&preview.json["collisions"], &preview.json["suggestion"]), (&json!([]), &Value::Null));
        let off = with(rule.clone(), json!({"configuration_id": stage.configuration, "enabled": false}));
        let one = format!("schedules/{}", olive.make(&there(&world), off).await);
        let later = olive.get(&format!("{one}/occurrences?count=3")).await;
        assert_eq!(later.is(200).json["occurrences"], json!(told));
        let after = olive.get(&format!("{one}/occurrences?after=2026-10-24T00:30:00Z&count=2")).await;
        assert_eq!(after.json["occurrences"], json!(told[1..]), "strictly after");
        let most = olive.get(&format!("{one}/occurrences?count=1000")).await;
        assert_eq!(most.json["occurrences"].as_array().unwrap().len(), 1000);
        assert_eq!(olive.get(&format!("{one}/occurrences?count=1001")).await.wrong_fields(), ["count"]);
        assert_eq!(olive.get(&format!("{one}/occurrences?after=now")).await.wrong_fields(), ["after"]);
        let wrong = with(rule, json!({"every": 0, "end_date": "2026-10-01", "run_name": "x"}));
        assert_eq!(olive.post("schedules/preview", wrong).await.wrong_fields(), ["run_name", "every", "end_date"]);
    }
    async fn a_copy_lays_the_body_over_and_belongs_to_who_copies(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let ada = world.api(&world.ada).await;
        let notify = json!({"about": "failed", "member_ids": [world.mo.id], "group_ids": [], "after": 1});
        let body = with(weekly(stage.configuration), json!({"run_name": "Payroll", "notify": notify, "enabled": false}));
        let id = olive.make(&there(&world), body).await;
        let copy = format!("schedules/{id}/copy");
        let made = ada.post(&copy, json!({"start_time": "02:00"})).await;
        assert_eq!(made.is(201).header("location"), format!("/api/v1/schedules/{}", made.id()));
        assert_eq!(made.json["sentence"], "Every Monday and Thursday at 02:00, Europe/Paris");
        assert_eq!((&made.json["owner_id"], &made.json["run_name"]), (&json!(world.ada.id), &Value::Null));
        assert_eq!((&made.json["state"], &made.json["notify"]), (&json!("on"), &notify));
        assert_eq!(ada.post(&copy, json!({"start_time": "03:00", "enabled": false})).await.is(201).json["state"], "off");
        assert!(ada.post(&copy, json!({"enabled": false})).await.is(409).body.contains("already has this schedule"));
        assert_eq!(ada.post(&copy, json!({"run_name": "payroll"})).await.is(409).json["status"], 409);
        assert_eq!(ada.post(&copy, json!({"owner_id": 1})).await.wrong_fields(), ["owner_id"]);
        assert_eq!(ada.post(&copy, json!({"configuration_id": 999_999})).await.wrong_fields(), ["configuration_id"]);
        let key = |body: Value| {
            let request = ada.request(reqwest::Method::POST, &copy).header("Idempotency-Key", "one");
            crate::support::api::Reply::of(request.json(&body))
        };
        let first = key(json!({"start_time": "04:00"})).await;
        assert_eq!(key(json!({"start_time": "04:00"})).await.is(201).id(), first.is(201).id());
        assert!(ada.post(&copy, json!({})).await.is(409).body.contains("four"));
        olive.post("schedules/999999/copy", json!({})).await.is(404);
        let reader = world.api_with_scopes(&world.olive, Some(&["read", "run"])).await;
        reader.post(&copy, json!({})).await.is(403);
    }

    async fn what_has_ended_is_copied_into_the_future(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let rule = json!({"repeat": "once", "start_date": "2026-10-09", "start_time": "06:00", "time_zone": "Europe/Paris"});
        let id = olive.make(&there(&world), with(rule, json!({"configuration_id": stage.configuration}))).await;
        world.set_clock("2026-10-12T10:00:00Z");
        let copy = olive.post(&format!("schedules/{id}/copy"), json!({})).await;
        assert_eq!(copy.is(201).json["next_at"], "2026-10-13T04:00:00Z");
        let said = olive.post(&format!("schedules/{id}/copy"), json!({"start_date": "2026-10-01"})).await;
        assert_eq!(said.wrong_fields(), ["start_date"], "what the body says counts");
    }

    /// From before undeclared ones were refused: nobody could take them out of a copy.
    async fn a_copy_leaves_behind_what_no_configuration_declares(world: World) {
        use diesel::prelude::*;
        use tidegate::db::schema::schedules;
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let id = olive.make(&there(&world), weekly(stage.configuration)).await;
        world
            .write(|conn| Ok(diesel::update(schedules::table).set(schedules::parameters.eq("{\"old\":1}")).execute(conn)?))
            .await;
        let copy = olive.post(&format!("schedules/{id}/copy"), json!({"start_time": "05:00"})).await;
        assert_eq!(copy.is(201).json["parameters"], Value::Null);
    }

    async fn off_until_alone_leaves_the_owner(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let one = format!("schedules/{}", olive.make(&there(&world), weekly(stage.configuration)).await);
        let ada = world.api(&world.ada).await;
        let off = ada.patch(&one, json!({"off_until": "2026-10-20T00:00:00Z"})).await;
        assert_eq!((&off.is(200).json["state"], &off.json["owner_id"]), (&json!("off"), &json!(world.olive.id)));
        assert_eq!(off.json["off_until"], "2026-10-20T00:00:00Z");
        assert_eq!(ada.patch(&one, json!({"off_until": "2026-10-01T00:00:00Z"})).await.wrong_fields(), ["off_until"]);
        let ends = json!({"off_until": "2026-11-20T00:00:00Z", "end_date": "2026-11-01"});
        assert_eq!(ada.patch(&one, ends).await.wrong_fields(), ["off_until"]);
        // Without a date it is simply off; what is on has none.
        let simply = ada.patch(&one, json!({"off_until": null})).await;
        assert_eq!((&simply.is(200).json["off_until"], &simply.json["enabled"]), (&Value::Null, &json!(false)));
        assert_eq!(simply.json["owner_id"], world.olive.id);
        assert_eq!(ada.patch(&one, json!({"enabled": true})).await.is(200).json["off_until"], Value::Null);
        let on = ada.patch(&one, json!({"off_until": null})).await;
        assert_eq!((&on.is(200).json["enabled"], &on.json["owner_id"]), (&json!(true), &json!(world.olive.id)));
    }
}

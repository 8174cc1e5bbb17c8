//! PATCH: a merge, in which null brings a default back, and nothing changes for nothing.

use reqwest::Method;
use serde_json::{Value, json};

use super::{weekly, with, words};
use crate::support::World;
use crate::support::api::Reply;

on_both! {
    async fn what_changes_nothing_makes_no_version_and_no_owner(world: World) {
        let stage = words(&world).await;
        let (ada, olive) = (world.api(&world.ada).await, world.api(&world.olive).await);
        let here = format!("applications/{}", world.application);
        let schedule = olive.make(&format!("{here}/schedules"), weekly(stage.configuration)).await;
        let freeze = json!({"name": "Close", "from": "2026-12-31T17:00:00Z", "to": "2027-01-04T05:00:00Z"});
        let freeze = olive.make(&format!("{here}/freezes"), freeze).await;
        let table = json!({"name": "T", "entries": [{"from": "b", "to": "x"}, {"from": "a", "to": ""}]});
        let table = olive.make(&format!("{here}/translations"), table).await;
        let set = json!({"name": "Month end", "steps": [{"configuration_id": stage.configuration, "parameters": {}}]});
        let set = olive.make(&format!("{here}/import-sets"), set).await;
        let things = [
            here.clone(),
            format!("members/{}", world.mo.id),
            format!("blocks/{}", stage.block),
            format!("connections/{}", stage.connection),
            format!("import-configurations/{}", stage.configuration),
            format!("import-sets/{set}"),
            format!("schedules/{schedule}"),
            format!("freezes/{freeze}"),
            format!("translations/{table}"),
        ];
        let read_only = ["id", "application_id", "version", "created_at", "updated_at", "created_by", "owner_id", "state",
            "next_at", "broken", "flagged", "sentence", "row_count", "loaded_at", "status", "status_run_id", "needs_file", "secrets"];
        for thing in things {
            let before = ada.get(&thing).await.is(200).json.clone();
            assert_eq!(ada.patch(&thing, json!({})).await.is(200).json, before, "{thing}");
            let mut same = before.clone();
            same.as_object_mut().unwrap().retain(|name, _| !read_only.contains(&name.as_str()));
            if thing.starts_with("members") {
                same.as_object_mut().unwrap().remove("time_zone");
            }
            if thing.starts_with("import-configurations") {
                // What nobody chose is shown as it goes by the mode.
                same["rejects"].as_object_mut().unwrap().remove("load_good");
            }
            assert_eq!(ada.patch(&thing, same).await.is(200).json, before, "{thing}");
            let stale = ada.request(Method::PATCH, &thing).header("If-Match", "\"99\"").json(&json!({}));
            Reply::of(stale).await.is(412);
        }
        let same = json!({"weekdays": ["thu", "mon"], "end_date": "", "run_name": " ", "repeat": "weeks"});
        assert_eq!(ada.patch(&format!("schedules/{schedule}"), same).await.is(200).json["owner_id"], world.olive.id);
    }

    async fn another_repeat_drops_what_the_old_one_had(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let path = format!("applications/{}/schedules", world.application);
        let rule = json!({"repeat": "days", "every": 3, "weekdays": null, "end_date": "2027-06-30"});
        let one = format!("schedules/{}", olive.make(&path, with(weekly(stage.configuration), rule)).await);
        let now = |reply: &Reply| (reply.is(200).json["every"].clone(), reply.json["end_date"].clone());
        let weeks = olive.patch(&one, json!({"repeat": "weeks", "weekdays": ["mon"]})).await;
        assert_eq!(now(&weeks), (json!(1), json!("2027-06-30")));
        assert_eq!(now(&olive.patch(&one, json!({"repeat": "weeks", "every": 2})).await).0, 2);
        assert_eq!(now(&olive.patch(&one, json!({"every": null, "end_date": null})).await), (json!(1), Value::Null));
        assert_eq!(olive.patch(&one, json!({"repeat": "minutes"})).await.wrong_fields(), ["every"]);
        let window = json!({"repeat": "minutes", "every": 15, "window": {"from": "18:00", "to": "24:00"}});
        let minutes = olive.patch(&one, window).await;
        assert_eq!(minutes.is(200).json["window"], json!({"weekdays": null, "from": "18:00", "to": null}));
        assert_eq!(minutes.json["weekdays"], Value::Null);
        let hours = olive.patch(&one, json!({"repeat": "hours"})).await;
        assert_eq!((now(&hours).0, &hours.json["window"]["from"]), (json!(1), &json!("18:00")), "what both have stays");
        assert_eq!(olive.patch(&one, json!({"window": {"from": null}})).await.is(200).json["window"]["from"], Value::Null);
        assert_eq!(olive.patch(&one, json!({"window": null})).await.is(200).json["window"], Value::Null);
        let needed = olive.patch(&one, json!({"start_time": null, "configuration_id": null})).await;
        assert_eq!(needed.is(200).json["start_time"], "01:00", "null means absent");
    }

    async fn a_list_of_ids_has_an_end(world: World) {
        let stage = words(&world).await;
        let ada = world.api(&world.ada).await;
        let many: Vec<i64> = (1..=1_001).collect();
        let told = json!({"notify": {"about": "all", "member_ids": many}});
        let path = format!("applications/{}/schedules", world.application);
        assert_eq!(ada.post(&path, with(weekly(stage.configuration), told)).await.wrong_fields(), ["notify.member_ids"]);
        let connection = format!("connections/{}", stage.connection);
        assert_eq!(ada.patch(&connection, json!({"application_ids": many})).await.wrong_fields(), ["application_ids"]);
        assert_eq!(ada.patch(&connection, json!({"settings": {"a": ["b\0"]}, "z": 1})).await.wrong_fields(), ["settings.a[0]", "z"]);
    }
}

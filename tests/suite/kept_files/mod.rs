//! Files kept for schedules and for the steps of sets: uploaded, replaced in place, loaded by their time.

mod loaded;
mod pages;

use chrono::Duration;
use reqwest::Method;
use serde_json::{Value, json};
use tidegate::files::kept;
use tidegate::imports::{Definition, Mode};

use crate::running::{run, work_off};
use crate::support::World;
use crate::support::api::{Api, Reply};
use crate::support::stage::{Stage, rows, stage_from};

fn kept_files(world: &World) -> String {
    format!("applications/{}/kept-files", world.application)
}

async fn send(api: &Api, method: Method, path: &str, name: &str, content: impl Into<Vec<u8>>) -> Reply {
    let request = api.request(method, &format!("{path}?name={name}"));
    Reply::of(request.header("Content-Type", "application/octet-stream").body(content.into())).await
}

/// Olive keeps a file; its id.
pub async fn keep(world: &World, name: &str, content: &str) -> i64 {
    let olive = world.api(&world.olive).await;
    send(&olive, Method::POST, &kept_files(world), name, content).await.is(201).id()
}

async fn replace(world: &World, id: i64, name: &str, content: &str) {
    let olive = world.api(&world.olive).await;
    send(&olive, Method::PUT, &format!("kept-files/{id}"), name, content).await.is(200);
}

/// An import into a Block of `id` and `word` that takes a file.
pub async fn by_hand(world: &World, name: &str, mode: Mode) -> Stage {
    let mut definition = Definition::new(mode);
    definition.attempts = 1;
    stage_from(world, name, None, definition).await
}

/// A schedule every day at 06:00, with these values.
fn daily(target: Value, parameters: Value) -> Value {
    let mut body = json!({"repeat": "days", "every": 1, "start_date": "2026-06-01", "start_time": "06:00",
        "time_zone": "Europe/Paris", "parameters": parameters});
    for (name, value) in target.as_object().unwrap() {
        body[name] = value.clone();
    }
    body
}

async fn words(world: &World, block: i64) -> Vec<String> {
    let rows = world.api(&world.olive).await.get(&format!("blocks/{block}/rows")).await;
    rows.items().iter().map(|row| row["values"]["word"].as_str().unwrap_or_default().to_owned()).collect()
}

on_both! {
    async fn a_file_is_kept_replaced_and_deleted(world: World) {
        let olive = world.api(&world.olive).await;
        let made = send(&olive, Method::POST, &kept_files(&world), "sales.csv", "id,word\n1,one\n").await;
        let id = made.is(201).id();
        assert_eq!(made.header("Location"), format!("/api/v1/kept-files/{id}"));
        assert_eq!((&made.json["version"], &made.json["bytes"], &made.json["name"]), (&json!(1), &json!(14), &json!("sales.csv")));
        let twin = send(&olive, Method::POST, &kept_files(&world), "Sales.csv", "id,word\n").await;
        assert_eq!(twin.is(201).json["name"], "Sales (2).csv");
        let same = send(&olive, Method::PUT, &format!("kept-files/{id}"), "sales.csv", "id,word\n1,one\n").await;
        assert_eq!(same.is(200).json["version"], 1, "the same file is no new version");
        let newer = send(&olive, Method::PUT, &format!("kept-files/{id}"), "sales-june.csv", "id,word\n2,two\n").await;
        assert_eq!((&newer.is(200).json["version"], &newer.json["name"], &newer.json["file_name"]),
            (&json!(2), &json!("sales.csv"), &json!("sales-june.csv")));
        let stale = olive.request(Method::PUT, &format!("kept-files/{id}?name=a.csv")).header("If-Match", "\"1\"").body("x");
        assert!(Reply::of(stale).await.is(412).body.contains("It is version 2 now"));
        let all = olive.get(&kept_files(&world)).await;
        assert_eq!(all.items().iter().map(|kept| kept["name"].as_str().unwrap()).collect::<Vec<_>>(), ["sales.csv", "Sales (2).csv"]);
        let empty = send(&olive, Method::POST, &kept_files(&world), "none.csv", "").await;
        assert_eq!(empty.is(422).wrong_fields(), ["file"]);
        olive.delete(&format!("kept-files/{id}")).await.is(204);
        olive.get(&format!("kept-files/{id}")).await.is(404);
        assert_eq!(send(&olive, Method::POST, &kept_files(&world), "sales.csv", "id\n").await.is(201).json["name"], "sales.csv");
    }

    /// What is deleted keeps its place in the table under a key of its own, which no name has.
    async fn a_name_like_the_key_of_what_is_deleted_is_in_nobodys_way(world: World) {
        let olive = world.api(&world.olive).await;
        let victim = keep(&world, "victim.csv", "id\n1\n").await;
        let like = keep(&world, &format!("archived:{victim}"), "id\n1\n").await;
        olive.delete(&format!("kept-files/{victim}")).await.is(204);
        keep(&world, &format!("ARCHIVED:{like}"), "id\n1\n").await;
        olive.delete(&format!("kept-files/{like}")).await.is(204);
        let there = format!("applications/{}/translations", world.application);
        let table = olive.make(&there, json!({"name": "Old"})).await;
        olive.make(&there, json!({"name": format!("archived:{table}")})).await;
        olive.delete(&format!("translations/{table}")).await.is(204);
    }

    async fn a_number_that_is_called_file_is_no_kept_file(world: World) {
        let olive = world.api(&world.olive).await;
        let id = keep(&world, "sales.csv", "id,word\n1,one\n").await;
        let stage = crate::support::stage::stage(&world, "numbered", Mode::Append, |_| ()).await;
        let declared = json!({"parameters": [{"name": "file", "type": "number"}]});
        olive.patch(&format!("import-configurations/{}", stage.configuration), declared).await.is(200);
        let body = daily(json!({"configuration_id": stage.configuration}), json!({"file": id}));
        olive.post(&format!("applications/{}/schedules", world.application), body).await.is(201);
        let steps = json!({"name": "One", "steps": [{"configuration_id": stage.configuration, "parameters": {"file": id}}]});
        olive.post(&format!("applications/{}/import-sets", world.application), steps).await.is(201);
        olive.delete(&format!("kept-files/{id}")).await.is(204);
    }

    async fn only_who_may_import_keeps_files(world: World) {
        let id = keep(&world, "sales.csv", "id,word\n1,one\n").await;
        for (person, sees) in [(&world.mo, 403), (&world.ivy, 403), (&world.stranger, 404), (&world.audrey, 200)] {
            let api = world.api(person).await;
            assert_eq!(api.get(&format!("kept-files/{id}")).await.status, sees, "{}", person.name);
            let refused = if sees == 200 { 403 } else { sees };
            for (method, path) in [(Method::POST, kept_files(&world)), (Method::PUT, format!("kept-files/{id}"))] {
                assert_eq!(send(&api, method, &path, "a.csv", "id\n").await.status, refused, "{} {path}", person.name);
            }
            assert_eq!(api.delete(&format!("kept-files/{id}")).await.status, refused, "{}", person.name);
        }
        let narrow = world.api_with_scopes(&world.olive, Some(&["read", "run"])).await;
        send(&narrow, Method::POST, &kept_files(&world), "a.csv", "id\n").await.is(403);
    }

    async fn an_application_keeps_a_hundred_files_and_ten_versions_of_each(world: World) {
        let first = keep(&world, "a.csv", "id,word\n0,zero\n").await;
        for n in 1..=kept::VERSIONS {
            replace(&world, first, "a.csv", &format!("id,word\n{n},n\n")).await;
        }
        let (olive, id) = (world.olive.clone(), first);
        let versions = world.read(move |conn| {
            let by = olive.by(conn)?;
            let (kept, _) = kept::actions::find(conn, &by, id)?;
            Ok(kept::actions::versions(conn, &kept)?.iter().map(|version| version.version).collect::<Vec<_>>())
        }).await;
        assert_eq!(versions, (2..=11).rev().collect::<Vec<i64>>());
        // What no version names any more goes, and nothing else.
        let app = world.app().clone();
        let files = || async {
            let app = world.app().clone();
            tidegate::app::off_thread(move || tidegate::files::made_before(&app.blocks, app.now().plus(Duration::days(9)), 0, 100))
                .await.unwrap().len()
        };
        assert_eq!(files().await, 11);
        world.advance(Duration::days(2));
        let forgotten = tidegate::app::off_thread(move || tidegate::runs::retention::forget_unused_files(&app, app.now())).await;
        assert_eq!((forgotten.unwrap(), files().await), (1, 10));
        for _ in 1..kept::MOST {
            keep(&world, "a.csv", "id,word\n").await;
        }
        let olive = world.api(&world.olive).await;
        let over = send(&olive, Method::POST, &kept_files(&world), "a.csv", "id\n").await;
        assert!(over.is(409).body.contains("already keeps 100 files"), "{}", over.body);
    }
}

//! Members, Applications, Blocks, Connections and import configurations by REST.

use diesel::prelude::*;
use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};
use tidegate::db::schema::runs;
use tidegate::files;

use super::{weekly, with, words};
use crate::support::World;
use crate::support::api::Reply;

fn airlines() -> Value {
    json!({"name": "Airlines", "kind": "dimension_list", "columns": [
        {"name": "carrier", "type": "text", "key": true}, {"name": "name", "type": "text", "required": false},
    ]})
}

on_both! {
    async fn members_are_added_and_changed_by_administrators(world: World) {
        let ada = world.api(&world.ada).await;
        let kay = json!({"email": "kay@acme.test", "name": "Kay", "role": "Importer", "password": "correct horse battery"});
        let made = ada.post("members", kay.clone()).await;
        let id = made.is(201).id();
        assert_eq!(made.header("location"), format!("/api/v1/members/{id}"));
        assert!(!made.body.contains("password"), "{}", made.body);
        assert_eq!((&made.json["role"], &made.json["active"]), (&json!("Importer"), &json!(true)));
        assert_eq!(ada.get(&format!("members/{id}")).await.json, made.json);
        ada.post("members", with(kay.clone(), json!({"email": "KAY@acme.test"}))).await.is(409);
        let wrong = json!({"email": "kay", "role": "King", "name": "", "password": null});
        assert_eq!(ada.post("members", wrong).await.wrong_fields(), ["email", "name", "role"]);
        assert_eq!(ada.post("members", with(kay.clone(), json!({"password": "password"}))).await.wrong_fields(), ["password"]);
        assert_eq!(ada.post("members", with(kay.clone(), json!({"id": 1, "version": 1}))).await.wrong_fields(), ["id", "version"]);
        let api = world.api(&crate::support::Person { id, name: "Kay", email: "kay@acme.test".into() }).await;
        api.get("applications").await.is(200);
        let off = ada.patch(&format!("members/{id}"), json!({"active": false, "name": null})).await;
        assert_eq!((&off.is(200).json["active"], &off.json["name"]), (&json!(false), &json!("Kay")));
        api.get("applications").await.is(401);
        let stale = ada.request(Method::PATCH, &format!("members/{id}")).header("If-Match", "\"1\"");
        Reply::of(stale.json(&json!({"name": "K"}))).await.is(412);
        ada.patch(&format!("members/{}", world.ada.id), json!({"active": false})).await.is(409);
        ada.patch("members/999999", json!({})).await.is(404);
        let olive = world.api(&world.olive).await;
        olive.get("members").await.is(403);
        olive.post("members", kay).await.is(403);
        olive.patch(&format!("members/{}", world.olive.id), json!({"role": "Administrator"})).await.is(403);
        assert_eq!(world.api(&world.audrey).await.get("members?limit=3").await.items().len(), 3);
    }

    async fn applications_are_made_and_people_let_in(world: World) {
        let ada = world.api(&world.ada).await;
        let made = ada.post("applications", json!({"name": "Sales", "time_zone": "Europe/Paris", "spacing_minutes": 30})).await;
        let id = made.is(201).id();
        let one = format!("applications/{id}");
        assert_eq!(ada.get(&one).await.json, made.json);
        assert_eq!(made.json["spacing_minutes"], 30);
        ada.post("applications", json!({"name": " sales "})).await.is(409);
        let wrong = json!({"time_zone": "Mars", "spacing_minutes": "x", "owner": 1});
        assert_eq!(ada.post("applications", wrong).await.wrong_fields(), ["name", "time_zone", "spacing_minutes", "owner"]);
        let olive = world.api(&world.olive).await;
        olive.post("applications", json!({"name": "Mine"})).await.is(403);
        olive.get(&one).await.is(404);
        let access = format!("{one}/access/{}", world.olive.id);
        olive.put(&access, json!({"configure": true})).await.is(404);
        let given = ada.put(&access, json!({"import_data": true})).await;
        assert_eq!((&given.is(200).json["view"], &given.json["configure"]), (&json!(true), &json!(false)));
        olive.get(&one).await.is(200);
        olive.patch(&one, json!({"name": "Mine"})).await.is(403);
        olive.put(&access, json!({"configure": true})).await.is(403);
        assert_eq!(ada.put(&access, json!({"view": 1, "own": true})).await.wrong_fields(), ["view", "own"]);
        ada.put(&format!("{one}/access/999999"), json!({"view": true})).await.is(404);
        let seen = olive.get("applications").await;
        assert_eq!(seen.items().iter().map(|a| a["id"].as_i64().unwrap()).collect::<Vec<_>>(), [world.application, id]);
        ada.delete(&access).await.is(204);
        olive.get(&one).await.is(404);
        let renamed = ada.patch(&one, json!({"name": "Sales EU"})).await;
        assert_eq!((&renamed.is(200).json["name"], &renamed.json["time_zone"]), (&json!("Sales EU"), &json!("Europe/Paris")));
        Reply::of(ada.request(Method::DELETE, &one).header("If-Match", "\"1\"")).await.is(412);
        ada.delete(&one).await.is(204);
        ada.get(&one).await.is(404);
    }

    async fn blocks_are_made_changed_and_read(world: World) {
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/blocks", world.application);
        let made = olive.post(&there, airlines()).await;
        let id = made.is(201).id();
        let one = format!("blocks/{id}");
        assert_eq!(olive.get(&one).await.json, made.json);
        assert_eq!(olive.get(&there).await.items(), std::slice::from_ref(&made.json));
        let column = &made.json["columns"][0];
        assert_eq!((&column["type"], &column["key"], &column["required"]), (&json!("text"), &json!(true), &json!(true)));
        assert_eq!((&made.json["row_count"], &made.json["kind"]), (&json!(0), &json!("dimension_list")));
        olive.post(&there, airlines()).await.is(409);
        let flights = json!({"name": "Flights", "kind": "transaction_list", "columns": [
            {"name": "carrier", "type": "dimension", "dimension_block_id": id},
        ]});
        olive.post(&there, flights.clone()).await.is(201);
        let stranger = world.api(&world.stranger).await;
        let stolen = stranger.post(&format!("applications/{}/blocks", world.elsewhere), flights).await;
        assert_eq!(stolen.wrong_fields(), ["columns[0].dimension_block_id"]);
        let wrong = json!({"kind": "cube", "columns": [{"name": 7, "type": "float", "primary": true}, 1]});
        let fields = ["name", "kind", "columns[0].name", "columns[0].type", "columns[0].primary", "columns[1]"];
        assert_eq!(olive.post(&there, wrong).await.wrong_fields(), fields);

        let mut columns = made.json["columns"].clone();
        columns[1]["name"] = json!("Airline");
        columns.as_array_mut().unwrap().push(json!({"name": "country", "type": "text"}));
        let changed = olive.patch(&one, json!({"columns": columns})).await;
        let names: Vec<_> = changed.is(200).json["columns"].as_array().unwrap().iter().map(|c| c["name"].clone()).collect();
        assert_eq!(names, ["carrier", "Airline", "country"]);
        assert_eq!((&changed.json["version"], &changed.json["name"]), (&json!(2), &json!("Airlines")));
        let stale = olive.request(Method::PATCH, &one).header("If-Match", "\"1\"").json(&json!({"name": "X"}));
        Reply::of(stale).await.is(412);
        olive.delete(&one).await.is(409);
        assert_eq!(olive.get(&format!("{one}/rows")).await.items(), [] as [Value; 0]);
        assert_eq!(olive.get(&format!("{one}/rows.csv")).await.is(200).body.trim(), "carrier,Airline,country");
        let mo = world.api(&world.mo).await;
        mo.get(&format!("{one}/rows")).await.is(200);
        mo.patch(&one, json!({})).await.is(403);
        mo.delete(&one).await.is(403);
        for path in [one.clone(), format!("{one}/rows"), format!("{one}/rows.csv")] {
            stranger.get(&path).await.is(404);
        }
        stranger.patch(&one, json!({})).await.is(404);
        stranger.delete(&one).await.is(404);
    }

    async fn connections_keep_their_secrets(world: World) {
        let ada = world.api(&world.ada).await;
        let path = world.folder().canonicalize().unwrap();
        let folder = json!({"name": "Files", "kind": "folder", "settings": {"path": path}, "application_ids": [world.application]});
        let made = ada.post("connections", folder).await;
        let one = format!("connections/{}", made.is(201).id());
        assert_eq!(ada.get(&one).await.json, made.json);
        let tested = ada.post(&format!("{one}/test"), json!({})).await;
        assert_eq!(tested.is(200).json["good"], true, "{}", tested.body);
        let web = json!({"name": "Web", "kind": "http", "settings": {"url": "https://example.com/a.csv", "auth": "bearer"},
            "secrets": {"token": "canary-7"}});
        let made = ada.post("connections", web).await;
        let web = format!("connections/{}", made.is(201).id());
        let patched = ada.patch(&web, json!({"name": "Web 2"})).await;
        assert!(patched.is(200).json["secrets"]["token"]["set_at"].is_string(), "{}", patched.body);
        for reply in [&made, &patched, &ada.get("connections").await] {
            assert!(!reply.body.contains("canary"), "{}", reply.body);
        }
        let wrong = json!({"name": "X", "kind": "http", "settings": {"color": 1}, "secrets": {"token": 7}, "to": 1});
        assert_eq!(ada.post("connections", wrong).await.wrong_fields(), ["secrets.token", "to"]);
        let wrong = json!({"name": "X", "kind": "folder", "settings": {"color": 1, "path": path}, "application_ids": [999_999]});
        assert_eq!(ada.post("connections", wrong).await.wrong_fields(), ["settings.color", "application_ids"]);
        for person in [&world.olive, &world.mo, &world.stranger] {
            let api = world.api(person).await;
            api.get("connections").await.is(403);
            api.get(&one).await.is(403);
            api.post("connections", json!({})).await.is(403);
            api.patch(&one, json!({})).await.is(403);
            api.delete(&one).await.is(403);
            api.post(&format!("{one}/test"), json!({})).await.is(403);
        }
        let audrey = world.api(&world.audrey).await;
        audrey.get(&one).await.is(200);
        audrey.delete(&one).await.is(403);
        ada.delete(&one).await.is(204);
        ada.get(&one).await.is(404);
        let used = format!("connections/{}", words(&world).await.connection);
        ada.delete(&used).await.is(409);
    }

    async fn configurations_are_made_and_changed(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/import-configurations", world.application);
        let body = json!({"name": "Daily", "block_id": stage.block, "connection_id": stage.connection, "mode": "append",
            "source": {"path": "words.csv", "nulls": ["", "NA"]}});
        let made = olive.post(&there, body.clone()).await;
        let one = format!("import-configurations/{}", made.is(201).id());
        assert_eq!(olive.get(&one).await.json, made.json);
        assert_eq!((&made.json["source"]["delimiter"], &made.json["attempts"]), (&json!(","), &json!(3)));
        assert_eq!(olive.get(&there).await.items().len(), 2);
        olive.post(&there, body.clone()).await.is(409);
        let changed = olive.patch(&one, json!({"source": {"delimiter": ";"}, "description": "Each day"})).await;
        assert_eq!(changed.is(200).json["source"]["nulls"], json!(["", "NA"]));
        assert_eq!((&changed.json["source"]["delimiter"], changed.header("etag")), (&json!(";"), "\"2\""));
        let stale = olive.request(Method::PATCH, &one).header("If-Match", "\"1\"").json(&json!({"name": "X"}));
        Reply::of(stale).await.is(412);
        let wrong = with(body.clone(), json!({"mode": "merge", "source": {"delimeter": ";"}, "status": "success"}));
        let wrong = olive.post(&there, wrong).await;
        for field in ["mode", "source.delimeter", "status"] {
            assert!(wrong.wrong_fields().contains(&field), "{field}: {}", wrong.body);
        }
        let stranger = world.api(&world.stranger).await;
        let elsewhere = format!("applications/{}/import-configurations", world.elsewhere);
        let stolen = stranger.post(&elsewhere, body.clone()).await;
        assert_eq!(stolen.wrong_fields(), ["block_id", "connection_id"]);
        stranger.get(&one).await.is(404);
        stranger.patch(&one, json!({})).await.is(404);
        stranger.delete(&one).await.is(404);
        stranger.post(&format!("{one}/runs"), json!({})).await.is(404);
        stranger.post(&format!("{one}/files"), json!({})).await.is(404);
        let mo = world.api(&world.mo).await;
        mo.get(&one).await.is(403);
        mo.post(&there, json!({})).await.is(403);
        mo.patch(&one, json!({})).await.is(403);
        mo.post(&format!("{one}/runs"), json!({})).await.is(403);
        mo.post(&format!("{one}/files"), json!({})).await.is(403);
        olive.delete(&one).await.is(204);
        olive.get(&one).await.is(404);
        olive.post(&format!("{one}/runs"), json!({})).await.is(404);
        olive.delete(&format!("blocks/{}", stage.block)).await.is(409);
    }

    async fn a_file_is_kept_and_run_with(world: World) {
        let stage = words(&world).await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/import-configurations", world.application);
        let by_hand = json!({"name": "By hand", "block_id": stage.block, "mode": "update"});
        let made = olive.post(&there, by_hand).await;
        assert_eq!(made.is(201).json["needs_file"], true);
        let files_at = format!("import-configurations/{}/files", made.id());
        let refused = olive.post(&format!("import-configurations/{}/runs", made.id()), json!({})).await;
        assert_eq!(refused.wrong_fields(), ["file"]);
        let schedule = weekly(made.id());
        let refused = olive.post(&format!("applications/{}/schedules", world.application), schedule).await;
        assert_eq!(refused.wrong_fields(), ["parameters.file"]);

        let form = |name: &'static str| Form::new().part("file", Part::bytes(&b"id,word\n1,one\n"[..]).file_name(name));
        let begun = Reply::of(olive.request(Method::POST, &files_at).multipart(form("some/words.csv"))).await;
        assert_eq!(begun.is(202).header("location"), format!("/api/v1/runs/{}", begun.id()));
        let keyed = || olive.request(Method::POST, &files_at).header("Idempotency-Key", "f").multipart(form("words.csv"));
        let first = Reply::of(keyed()).await.is(202).id();
        assert_eq!(Reply::of(keyed()).await.is(202).id(), first);
        let raw = olive.request(Method::POST, &format!("{files_at}?name=raw.csv")).body("id,word\n2,two\n");
        let raw = Reply::of(raw).await.is(202).id();
        let file: Option<i64> = world.read(move |conn| Ok(runs::table.find(raw).select(runs::file_id).first(conn)?)).await;
        let kept = files::open(&world.app().blocks, file.unwrap()).unwrap();
        assert_eq!((kept.name.as_str(), kept.bytes), ("raw.csv", 14));
        let empty = Reply::of(olive.request(Method::POST, &files_at)).await;
        assert_eq!(empty.wrong_fields(), ["file"]);
        let other = Reply::of(olive.request(Method::POST, &files_at).multipart(form("a.csv").text("mode", "append"))).await;
        assert_eq!(other.wrong_fields(), ["mode"]);
        let two = form("a.csv").part("file", Part::bytes(&b"id\n1\n"[..]).file_name("b.csv"));
        assert_eq!(Reply::of(olive.request(Method::POST, &files_at).multipart(two)).await.wrong_fields(), ["file"]);
        let many = (0..5).fold(form("a.csv"), |form, _| form.text("parameters", " ".repeat(500_000)));
        assert_eq!(Reply::of(olive.request(Method::POST, &files_at).multipart(many)).await.wrong_fields(), ["parameters"]);
        let part = "--b\r\nContent-Disposition: form-data; name=\"parameters\"\r\n\r\n\r\n";
        let parts = olive.request(Method::POST, &files_at).header("Content-Type", "multipart/form-data; boundary=b");
        let parts = parts.body(part.repeat(12_001) + "--b--\r\n");
        assert_eq!(Reply::of(parts).await.wrong_fields(), ["form"]);
        let no_file = format!("import-configurations/{}/files", stage.configuration);
        let refused = Reply::of(olive.request(Method::POST, &no_file).multipart(form("words.csv"))).await;
        assert_eq!(refused.wrong_fields(), ["file"]);
    }
}

#[test]
fn uploads_share_a_bounded_spool() {
    let small =
        |app: &mut tidegate::app::App| app.spool = tidegate::spool::Spool::new(app.spool.folder().to_owned(), 1 << 20);
    crate::support::databases::with_changed_world(crate::support::Database::Sqlite, small, |world: World| async move {
        let by_hand = tidegate::imports::Definition::new(tidegate::imports::Mode::Append);
        let stage = crate::support::stage::stage_from(&world, "words", None, by_hand).await;
        let olive = world.api(&world.olive).await;
        let path = format!("import-configurations/{}/files?name=words.csv", stage.configuration);
        let send = async |rows: usize| {
            let body = format!("id,word\n{}", "1,one\n".repeat(rows));
            Reply::of(olive.request(Method::POST, &path).header("Content-Type", "text/csv").body(body)).await
        };
        let refused = send(300_000).await;
        refused.is(503);
        assert!(!refused.header("retry-after").is_empty());
        for _ in 0..5 {
            send(50_000).await.is(202);
        }
    });
}

//! When values are settled, that they stay, and that a secret is in nobody's sight.

use diesel::prelude::*;
use diesel::sql_types::Text;

use super::*;
use crate::support::stage::rows;
use tidegate::runs::dispatcher;

fn daily(time: &str) -> Value {
    json!({"repeat": "days", "start_date": "2026-10-20", "start_time": time, "time_zone": "Europe/Paris"})
}

fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

on_both! {
    /// 25 October 2026 has 25 hours in Paris. What a run stands for is its planned instant, however late it begins.
    async fn dates_are_those_of_the_planned_instant_in_the_zone_of_the_schedule(world: World) {
        let staff = employees(&world).await;
        let day = json!([{"name": "day", "type": "date", "default": "yesterday"}]);
        let import = staff.import("SELECT 1 AS id, {day} || ' ' || {day:%d.%m.%y} AS word", day).await;
        let body = with(daily("00:30"), json!({"configuration_id": import}));
        let schedule = staff.olive.make(&format!("{}/schedules", staff.here), body).await;
        world.set_clock("2026-10-25T05:00:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        // Planned at 00:30 of the 25th, when it was 22:30 of the 24th in UTC.
        assert_eq!(staff.words(&world).await, ["2026-10-24 24.10.26"]);
        world.set_clock("2026-10-25T23:45:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        assert_eq!(staff.words(&world).await, ["2026-10-25 25.10.26"]);
        // Run again days later, under another default: the day stays. Run now takes the new one.
        let last = staff.olive.get(&format!("runs?schedule_id={schedule}&limit=1")).await.items()[0].clone();
        assert_eq!(last["resolved_parameters"], json!({"day": "2026-10-25"}));
        world.set_clock("2026-11-02T10:00:00Z");
        let patch = json!({"parameters": [{"name": "day", "type": "date", "default": "start of month"}]});
        staff.olive.patch(&format!("import-configurations/{import}"), patch).await.is(200);
        let again = staff.olive.post(&format!("runs/{}/again", last["id"]), json!({})).await.is(202).id();
        work_off(&world).await;
        let again = staff.olive.get(&format!("runs/{again}")).await;
        assert_eq!(again.json["resolved_parameters"], json!({"day": "2026-10-25"}));
        assert_eq!(staff.words(&world).await, ["2026-10-25 25.10.26"]);
        let now = run_with(&world, &staff.olive, import, json!({})).await;
        assert_eq!((now.cause, staff.words(&world).await), (None, vec!["2026-11-01 01.11.26".to_owned()]));
    }

    /// By hand it is the Application's zone, Europe/Paris, where it is the next day already.
    async fn by_hand_dates_are_of_the_first_start(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT 1 AS id, {day} AS word", json!([{"name": "day", "type": "date"}])).await;
        world.set_clock("2026-10-31T23:30:00Z");
        let first = run_with(&world, &staff.olive, import, json!({"day": "Start of MONTH"})).await;
        assert_eq!(staff.words(&world).await, ["2026-11-01"]);
        world.set_clock("2026-12-31T23:30:00Z");
        staff.olive.post(&format!("runs/{}/again", first.id), json!({})).await.is(202);
        work_off(&world).await;
        assert_eq!(staff.words(&world).await, ["2026-11-01"]);
        let shown = staff.olive.get(&format!("runs/{}", first.id)).await;
        assert_eq!(shown.json["parameters"], json!({"day": "start of month"}));
    }

    async fn two_schedules_are_alike_only_with_the_same_values(world: World) {
        let staff = employees(&world).await;
        let parameters = json!([{"name": "day", "type": "date"}, {"name": "token", "type": "secret"}]);
        let import = staff.import("SELECT 1 AS id, {day} || {token} AS word", parameters).await;
        let at = format!("{}/schedules", staff.here);
        let body = |values: Value| with(daily("06:00"), json!({"configuration_id": import, "parameters": values}));
        let first = staff.olive.make(&at, body(json!({"day": "yesterday", "token": "a"}))).await;
        staff.olive.post(&at, body(json!({"day": "today", "token": "a"}))).await.is(201);
        staff.olive.post(&at, body(json!({"day": "yesterday", "token": "b"}))).await.is(201);
        let alike = staff.olive.post(&at, body(json!({"day": "Yesterday ", "token": "a"}))).await;
        assert!(alike.is(409).body.contains("already has this schedule"), "{}", alike.body);
        let wrong = staff.olive.post(&at, body(json!({"day": "soon", "x": 1, "token": "••••"}))).await;
        let fields: Vec<&str> =
            wrong.is(422).json["errors"].as_array().unwrap().iter().map(|e| e["field"].as_str().unwrap()).collect();
        assert_eq!(fields, ["parameters.x", "parameters.day", "parameters.token"]);
        // What changes nothing makes no version, also where a secret is sent again.
        let one = format!("schedules/{first}");
        for same in [json!({"parameters": {"token": "a"}}), json!({"parameters": {"token": "••••"}}), json!({"parameters": {}})] {
            assert_eq!(staff.olive.patch(&one, same).await.is(200).json["version"], 1);
        }
        let moved = staff.olive.patch(&one, json!({"parameters": {"day": "-2d"}})).await;
        assert_eq!(moved.is(200).json["parameters"], json!({"day": "-2d", "token": "••••"}));
        let cleared = staff.olive.patch(&one, json!({"parameters": {"token": null}})).await;
        assert_eq!(cleared.is(200).json["parameters"], json!({"day": "-2d"}));
    }

    /// Who may change a query could have it answer with a secret that somebody else gave.
    async fn who_changes_the_query_reads_no_secret_of_others(world: World) {
        let staff = employees(&world).await;
        let parameters = json!([{"name": "token", "type": "secret", "label": "Key", "required": true}]);
        let import = staff.import("SELECT id, word FROM staff WHERE {token} <> ''", parameters).await;
        let body = with(daily("18:50"), json!({"configuration_id": import, "start_date": "2026-10-08", "parameters": {"token": "hush"}}));
        let schedule = staff.olive.make(&format!("{}/schedules", staff.here), body).await;
        let ada = world.api(&world.ada).await;
        let at = format!("import-configurations/{import}");
        ada.patch(&at, json!({"source": {"query": "SELECT 1 AS id, {token} AS word"}})).await.is(200);
        world.set_clock("2026-10-08T18:51:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        assert!(staff.words(&world).await.is_empty(), "{:?}", staff.words(&world).await);
        let ran = staff.olive.get("runs").await.items()[0].clone();
        assert_eq!(ran["status"], "failed");
        assert_eq!(
            ran["cause"],
            "The secret Key was entered for another query or Connection. Check what has changed since, then enter the secret again."
        );
        // Whoever copies the schedule is asked for the secret too.
        let copy = ada.post(&format!("schedules/{schedule}/copy"), json!({"start_time": "19:50"})).await;
        assert!(copy.is(422).body.contains("Key"), "{}", copy.body);
        // Another Connection is asked with no secret that was given for this one.
        let other = world.folder().join("other.db");
        crate::connectors::sqlite::run_sql(&other, "CREATE TABLE staff (id, word, grp); INSERT INTO staff VALUES (1, 'hush', '')");
        let other = other.canonicalize().unwrap();
        let other = crate::support::stage::connection(&world, "Other", "sqlite", json!({ "path": other })).await;
        let before = ada.get(&at).await.json["connection_id"].clone();
        let query = "SELECT id, word FROM staff WHERE {token} <> ''";
        ada.patch(&at, json!({"connection_id": other, "source": {"query": query}})).await.is(200);
        let latest = staff.olive.post(&format!("runs/{}/again", ran["id"]), json!({})).await.is(202).id();
        work_off(&world).await;
        assert!(staff.words(&world).await.is_empty(), "{:?}", staff.words(&world).await);
        ada.patch(&at, json!({ "connection_id": before })).await.is(200);
        // The query and the Connection of before read what was given for them.
        staff.olive.post(&format!("runs/{latest}/again"), json!({})).await.is(202);
        work_off(&world).await;
        assert_eq!(staff.words(&world).await.len(), 4);
    }

    /// The canary is in no row of the database, no answer and no page, but for the row that the import itself loads.
    async fn a_secret_is_seen_by_nobody(world: World) {
        const CANARY: &str = "canary-7f3a";
        let staff = employees(&world).await;
        let parameters = json!([{"name": "token", "type": "secret", "label": "Key", "required": true}]);
        let query = "SELECT 1 AS id, length({token}) AS word FROM staff WHERE {token} <> 'x' LIMIT 1";
        let import = staff.import(query, parameters).await;
        let body = with(daily("18:50"), json!({"configuration_id": import, "start_date": "2026-10-08", "parameters": {"token": CANARY}}));
        let at = format!("{}/schedules", staff.here);
        let keyed = staff.olive.request(reqwest::Method::POST, &at).header("Idempotency-Key", "k").json(&body);
        let made = crate::support::api::Reply::of(keyed).await;
        let schedule = made.is(201).id();
        let copied = staff.olive.post(&format!("schedules/{schedule}/copy"), json!({"start_time": "18:55"})).await;
        world.set_clock("2026-10-08T16:56:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let by_hand = run_with(&world, &staff.olive, import, json!({ "token": CANARY })).await;
        assert_eq!(by_hand.cause, None);
        assert_eq!(staff.words(&world).await, [CANARY.len().to_string()]);
        let again = staff.olive.post(&format!("runs/{}/again", by_hand.id), json!({})).await.is(202).id();
        work_off(&world).await;
        assert_eq!(rows(&world, staff.block), 1);
        // One fails, in words.
        staff.olive.patch(&format!("import-configurations/{import}"), json!({"source": {"query": "SELECT {token} AS x FROM nowhere"}})).await.is(200);
        let failed = run_with(&world, &staff.olive, import, json!({ "token": CANARY })).await;
        assert!(failed.cause.as_deref().unwrap().contains("no such table"));
        let mut seen = vec![made.body.clone(), copied.is(201).body.clone(), format!("{by_hand:?}{failed:?}")];
        assert_eq!(copied.json["parameters"], json!({"token": "••••"}));
        let ada = world.api(&world.ada).await;
        for path in [
            at.clone(), format!("schedules/{schedule}"), "runs".into(), format!("runs/{}", by_hand.id), format!("runs/{again}/log"),
            format!("runs/{}/log", failed.id), "audit".into(), format!("import-configurations/{import}"),
        ] {
            let answer = ada.get(&path).await;
            // Not all of them are in this release.
            if answer.status != 404 {
                seen.push(answer.is(200).body.clone());
            }
        }
        let browser = world.browser(&world.ada).await;
        for page in [
            format!("/runs/{}", by_hand.id), format!("/runs/{}", failed.id),
            format!("/applications/{}/settings/import-scheduling", world.application),
            format!("/applications/{}/settings/import-scheduling/schedules/{schedule}/edit", world.application),
            format!("/applications/{}/settings/import-configurations/{import}", world.application),
        ] {
            seen.push(browser.get(&page).await.body.clone());
        }
        for text in &seen {
            assert!(!text.contains(CANARY), "{text}");
        }
        for (table, columns) in [
            ("schedules", "coalesce(parameters, '') || coalesce(made_by_form, '')"), ("runs", "coalesce(parameters, '') || coalesce(cause, '')"),
            ("audit_log", "coalesce(before, '') || coalesce(after, '')"), ("idempotency_keys", "coalesce(body, '') || request_hash"),
            ("run_log", "message"), ("run_steps", "detail"), ("configuration_versions", "definition"),
        ] {
            #[derive(QueryableByName)]
            struct Found {
                #[diesel(sql_type = Text)]
                text: String,
            }
            let sql = format!("SELECT CAST({columns} AS TEXT) AS text FROM {table}");
            let found: Vec<Found> = world.read(move |conn| Ok(diesel::sql_query(sql).load(conn)?)).await;
            assert!(!found.is_empty() && found.iter().all(|row| !row.text.contains(CANARY)), "{table}");
        }
    }

    async fn what_fits_no_more_fails_in_words(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT id, word FROM staff WHERE grp IN ({groups})", json!([groups()])).await;
        let body = with(daily("18:50"), json!({"configuration_id": import, "start_date": "2026-10-08", "parameters": {"groups": ["Hourly"]}}));
        let schedule = staff.olive.make(&format!("{}/schedules", staff.here), body).await;
        let fewer = json!({"parameters": [with(groups(), json!({"choices": ["Seasonal"]})), {"name": "more", "type": "text", "required": true}]});
        staff.olive.patch(&format!("import-configurations/{import}"), fewer).await.is(200);
        // What stays as it was is refused for nothing.
        staff.olive.patch(&format!("schedules/{schedule}"), json!({"run_name": "Staff"})).await.is(200);
        let patch = json!({"parameters": {"groups": ["Seasonal"]}});
        assert_eq!(staff.olive.patch(&format!("schedules/{schedule}"), patch).await.is(422).json["errors"][0]["field"], "parameters.more");
        world.set_clock("2026-10-08T16:56:00Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let last = staff.olive.get(&format!("runs?schedule_id={schedule}")).await.items()[0].clone();
        let cause = last["cause"].as_str().unwrap();
        assert!(cause.starts_with("The value of the parameter Employee groups to exclude does not fit."), "{cause}");
    }
}

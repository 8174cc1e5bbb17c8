//! The sealing key changes: secrets that were given for sets, their schedules and their runs open with the new one. The
//! query changes: what will not open is told before it fails.

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::{runs, schedules, set_versions};
use tidegate::keys;
use tidegate::secrets::{Secrets, random_key};

use super::*;
use crate::connectors::server::{Server, answer};

on_both! {
    async fn another_key_opens_what_was_given_for_a_set(world: World) {
        let staff = employees(&world).await;
        let secret = json!([{"name": "token", "type": "secret", "required": true}]);
        let first = staff.import("SELECT id, word FROM staff WHERE {token} = 'a'", secret.clone()).await;
        let second = staff.import("SELECT id, word FROM staff WHERE {token} <> 'a'", secret.clone()).await;
        let steps = json!([{"configuration_id": first, "parameters": {"token": "of the set"}},
            {"configuration_id": second, "parameters": {"token": "of the set too"}}]);
        let set = json!({"name": "Month end", "steps": steps});
        let set = staff.olive.make(&format!("{}/import-sets", staff.here), set).await;
        let schedule = json!({"set_id": set, "repeat": "days", "start_date": "2026-10-09", "start_time": "06:00",
            "time_zone": "UTC", "parameters": {"2.token": "of the schedule"}});
        staff.olive.make(&format!("{}/schedules", staff.here), schedule).await;
        // For all steps: it is kept for each of them.
        let given = json!({"parameters": {"token": "of the run"}});
        staff.olive.post(&format!("import-sets/{set}/runs"), given).await.is(202);
        // Another order since: what was given before is sealed for what stood there then.
        let turned = json!([{"configuration_id": second, "parameters": {"token": "••••"}}]);
        staff.olive.patch(&format!("import-sets/{set}"), json!({"steps": turned})).await.is(200);
        let new = Secrets::from_base64(&random_key()).unwrap();
        keys::rotate(world.app(), &new).unwrap();
        let opened = |values: &Value, name: &str, configuration: i64| {
            let sealed = values[name]["sealed"].as_str().unwrap_or_else(|| panic!("{name}: {values}")).to_owned();
            let text = new.open(&format!("parameter {configuration} token"), &sealed);
            // Before it stands for which query it was given.
            let text = text.unwrap_or_else(|e| panic!("{name}: {e:?}"));
            text.rsplit('\u{1}').next().unwrap().to_owned()
        };
        let read = |text: Option<String>| serde_json::from_str::<Value>(&text.unwrap()).unwrap();
        let (of_schedule, of_run, of_set): (Option<String>, Option<String>, Vec<String>) = world
            .read(|conn| {
                Ok((
                    schedules::table.select(schedules::parameters).first(conn)?,
                    runs::table.filter(runs::set_id.is_not_null()).select(runs::parameters).first(conn)?,
                    set_versions::table.order(set_versions::version).select(set_versions::definition).load(conn)?,
                ))
            })
            .await;
        // The values have followed their step.
        assert_eq!(opened(&read(of_schedule), "1.token", second), "of the schedule");
        let of_run = read(of_run);
        assert_eq!(opened(&of_run, "1.token", second), "of the run");
        let of_set = read(of_set.into_iter().next());
        assert_eq!(opened(&of_set["steps"][0]["parameters"], "token", first), "of the set");
    }

    async fn a_schedule_whose_secret_will_not_open_is_flagged_before_it_fails(world: World) {
        const WHY: &str = "The secret Key was entered for another query or Connection.";
        let staff = employees(&world).await;
        let secret = json!([{"name": "token", "type": "secret", "label": "Key", "required": true}]);
        let import = staff.import("SELECT id, word FROM staff WHERE {token} = 'a'", secret).await;
        let steps = json!([{"configuration_id": import, "parameters": {"token": "of the set"}}]);
        let set = json!({"name": "Month end", "steps": steps});
        let set = staff.olive.make(&format!("{}/import-sets", staff.here), set).await;
        let daily = |target: Value, time: &str| {
            let mut body = json!({"repeat": "days", "start_date": "2026-10-09", "start_time": time, "time_zone": "UTC"});
            body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
            body
        };
        let here = format!("{}/schedules", staff.here);
        let own = json!({"configuration_id": import, "parameters": {"token": "of the schedule"}});
        let own = staff.olive.make(&here, daily(own, "06:00")).await;
        let of_set = staff.olive.make(&here, daily(json!({"set_id": set}), "08:00")).await;
        let given = json!({"set_id": set, "parameters": {"1.token": "of the schedule"}});
        let given = staff.olive.make(&here, daily(given, "10:00")).await;
        let flagged = async || {
            let all = staff.olive.get(&here).await;
            let flagged = all.items().iter().filter(|schedule| schedule["flagged"].as_str().is_some_and(|why| why.contains(WHY)));
            flagged.map(|schedule| schedule["id"].as_i64().unwrap()).collect::<Vec<i64>>()
        };
        let mut olive = world.browser(&world.olive).await;
        let page = format!("/{}/settings/import-scheduling", staff.here);
        assert_eq!(flagged().await, [0; 0]);
        olive.visit(&page).await.sees_no("It will fail.");
        let at = format!("import-configurations/{import}");
        staff.olive.patch(&at, json!({"source": {"query": "SELECT id, word FROM staff WHERE {token} <> 'a'"}})).await.is(200);
        assert_eq!(flagged().await, [own, of_set, given]);
        olive.visit(&page).await.sees(&format!("It will fail. {WHY}"));
        assert_eq!(olive.body.matches(WHY).count(), 3);
        assert_eq!(olive.body.matches(&format!("Step 1: {WHY}")).count(), 2);
        // It is told of what is off too, and no more once the secret is there.
        staff.olive.patch(&format!("schedules/{own}"), json!({"enabled": false})).await.is(200);
        olive.visit(&page).await.sees(&format!("It would fail. {WHY}"));
        for (schedule, name) in [(own, "token"), (given, "1.token")] {
            staff.olive.patch(&format!("schedules/{schedule}"), json!({"parameters": {name: "anew"}})).await.is(200);
        }
        assert_eq!(flagged().await, [of_set]);
        let steps = json!([{"configuration_id": import, "parameters": {"token": "anew"}}]);
        staff.olive.patch(&format!("import-sets/{set}"), json!({ "steps": steps })).await.is(200);
        assert_eq!(flagged().await, [0; 0]);
        olive.visit(&page).await.sees_no("It will fail.");
    }

    /// Whoever changes where a Connection leads would else be sent, in its address or a header, what others entered.
    async fn a_secret_is_sent_to_no_address_that_its_connection_led_to_later(world: World) {
        const WHY: &str = "The secret Key was entered for another query or Connection.";
        let said = || Server::saying(answer("200 OK", "Content-Type: text/csv\r\n", "id,word\n1,one\n"));
        let (own, other) = (said(), said());
        let (olive, ada) = (world.api(&world.olive).await, world.api(&world.ada).await);
        let way = |server: &Server| json!({"url": format!("{}/x?k={{token}}", server.url()), "headers": {"X-Key": "{token}"}});
        let connection = connection(&world, "Web", "http", way(&own)).await;
        let (here, block) = (format!("applications/{}", world.application), block(&world, "words").await);
        let body = json!({"name": "Web", "block_id": block, "connection_id": connection, "mode": "update", "attempts": 1,
            "parameters": [{"name": "token", "type": "secret", "label": "Key", "required": true}]});
        let import = olive.make(&format!("{here}/import-configurations"), body).await;
        let steps = json!([{"configuration_id": import, "parameters": {"token": "of-the-set"}}]);
        let set = olive.make(&format!("{here}/import-sets"), json!({"name": "Month end", "steps": steps})).await;
        let daily = |target: Value| {
            let mut body = json!({"repeat": "days", "start_date": "2026-10-09", "start_time": "06:00", "time_zone": "UTC"});
            body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
            body
        };
        let schedule = json!({"configuration_id": import, "parameters": {"token": "hush"}});
        let schedule = olive.make(&format!("{here}/schedules"), daily(schedule)).await;
        olive.make(&format!("{here}/schedules"), daily(json!({ "set_id": set }))).await;
        let flagged = async || {
            let all = olive.get(&format!("{here}/schedules")).await;
            let why = all.items().iter().filter_map(|one| one["flagged"].as_str());
            why.filter(|why| why.contains(WHY)).count()
        };
        let ran = run_with(&world, &olive, import, json!({"token": "hush"})).await;
        let mut latest = Some(ran.id);
        assert_eq!((ran.cause, own.questions().len()), (None, 1));
        assert_eq!(own.questions()[0].header("x-key"), Some("hush"));
        let at = format!("connections/{connection}");
        // What leads nowhere else asks for nothing.
        ada.patch(&at, json!({"name": "Web 2", "settings": {"auth": "none", "follow_redirects": false}})).await.is(200);
        assert_eq!(flagged().await, 0);
        let mut only_headers = way(&own);
        only_headers["headers"] = json!({"X-Group": "{token}"});
        for moved in [way(&other), only_headers] {
            ada.patch(&at, json!({ "settings": moved })).await.is(200);
            assert_eq!(flagged().await, 2);
            // One that went before is run again with the values of then.
            if let Some(latest) = latest.take() {
                olive.post(&format!("runs/{latest}/again"), json!({})).await.is(202);
                work_off(&world).await;
            }
            world.advance(chrono::Duration::days(1));
            world.step(tidegate::runs::dispatcher::step).await;
            let by_hand = olive.post(&format!("import-sets/{set}/runs"), json!({})).await;
            assert_eq!(by_hand.wrong_fields(), ["parameters.1.token"]);
            work_off(&world).await;
            let newest = olive.get(&format!("runs?configuration_id={import}&limit=2")).await;
            for run in newest.items() {
                let cause = run["cause"].as_str().unwrap_or_default();
                assert!(cause.contains(WHY), "{run}");
            }
            assert_eq!((own.questions().len(), other.questions().len()), (1, 0));
        }
        let without = |server: &Server| {
            let mut settings = way(server);
            settings["headers"]["X-Group"] = Value::Null;
            json!({ "settings": settings })
        };
        ada.patch(&at, without(&other)).await.is(200);
        olive.patch(&format!("schedules/{schedule}"), json!({"parameters": {"token": "anew"}})).await.is(200);
        assert_eq!(flagged().await, 1, "the set's own is still missing");
        assert_eq!(run_with(&world, &olive, import, json!({"token": "anew"})).await.cause, None);
        assert_eq!(other.questions().last().unwrap().header("x-key"), Some("anew"));
        // Back again, what was given for that way is good.
        ada.patch(&at, json!({ "settings": way(&own) })).await.is(200);
        assert_eq!(flagged().await, 1, "the schedule's is for the other");
    }

    /// Who saves a schedule or a set with a secret left as it is would else learn only from the run that it is gone.
    async fn a_secret_that_no_longer_opens_is_asked_for_when_its_schedule_is_saved(world: World) {
        let staff = employees(&world).await;
        let secret = json!([{"name": "token", "type": "secret", "label": "Key"}, {"name": "day", "type": "date"}]);
        let import = staff.import("SELECT id, word FROM staff WHERE {token} = 'a' AND {day} > ''", secret).await;
        let steps = json!([{"configuration_id": import, "parameters": {"token": "of the set"}}]);
        let set = staff.olive.make(&format!("{}/import-sets", staff.here), json!({"name": "Month end", "steps": steps})).await;
        let daily = |target: Value, time: &str| {
            let mut body = json!({"repeat": "days", "start_date": "2026-10-09", "start_time": time, "time_zone": "UTC"});
            body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
            body
        };
        let here = format!("{}/schedules", staff.here);
        let own = json!({"configuration_id": import, "parameters": {"token": "hush", "day": "yesterday"}});
        let own = staff.olive.make(&here, daily(own, "06:00")).await;
        let given = json!({"set_id": set, "parameters": {"1.token": "hush"}});
        let given = staff.olive.make(&here, daily(given, "10:00")).await;
        let query = "SELECT id, word FROM staff WHERE {token} <> 'a' AND {day} > ''";
        staff.olive.patch(&format!("import-configurations/{import}"), json!({"source": {"query": query}})).await.is(200);
        for (schedule, name) in [(own, "token"), (given, "1.token")] {
            let (at, field) = (format!("schedules/{schedule}"), format!("parameters.{name}"));
            for kept in [json!({"start_time": "07:00"}), json!({"parameters": {name: "••••"}}), json!({"parameters": {name: ""}}),
                json!({"parameters": {name: "••••"}, "start_time": "07:00"})] {
                let refused = staff.olive.patch(&at, kept.clone()).await;
                assert_eq!(refused.wrong_fields(), [&*field], "{kept}");
                assert!(refused.body.contains("nter the secret again"), "{}", refused.body);
            }
            // The switch alone says nothing of it.
            for switched in [json!({"enabled": false}), json!({"enabled": true}), json!({"off_until": "2026-11-01T00:00:00Z"}),
                json!({"enabled": true, "off_until": null})] {
                staff.olive.patch(&at, switched).await.is(200);
            }
        }
        let page = format!("/{here}/{own}/edit");
        let mut olive = world.browser(&world.olive).await;
        for time in ["06:00", "07:00"] {
            olive.visit(&page).await.fill("Time", time).press("Update Schedule").await.answered(422);
            olive.sees("nter the secret again");
            assert_eq!((olive.value("Time"), olive.count("[name='parameters.token'][aria-invalid=true]")), (time.into(), 1));
        }
        olive.fill("Key (optional)", "anew").press("Update Schedule").await.sees("Updated:");
        staff.olive.patch(&format!("schedules/{given}"), json!({"parameters": {"1.token": "anew"}})).await;
        // The same of a set: its steps are saved with it.
        let set = format!("import-sets/{set}");
        for kept in [json!({"name": "Year end"}), json!({"steps": [{"configuration_id": import, "parameters": {"token": "••••"}}]}),
            json!({"steps": [{"configuration_id": import, "parameters": {"token": ""}}]})] {
            let refused = staff.olive.patch(&set, kept.clone()).await;
            assert_eq!(refused.wrong_fields(), ["steps[0].parameters.token"], "{kept}");
        }
        let anew = json!({"steps": [{"configuration_id": import, "parameters": {"token": "anew"}}]});
        staff.olive.patch(&set, anew).await.is(200);
        staff.olive.patch(&set, json!({"name": "Year end"})).await.is(200);
    }
}

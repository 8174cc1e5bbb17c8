//! The sealing key changes: secrets that were given for sets, their schedules and their runs open with the new one.

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::{runs, schedules, set_versions};
use tidegate::keys;
use tidegate::secrets::{Secrets, random_key};

use super::*;

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
}

//! Parameters on pages, without scripts: declared on the page of an import, asked for by Run now, a test run and the
//! schedule's form, and shown by the Summary.

use super::*;

on_both! {
    async fn they_are_declared_on_the_page_of_the_import(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT id, word FROM staff", json!([groups()])).await;
        let here = format!("/applications/{}/settings/import-configurations/{import}", world.application);
        let mut olive = world.browser(&world.olive).await;
        // What the form does not show stays.
        olive.visit(&here).await.fill("Description", "All of them").press("Save import configuration").await;
        let kept = staff.olive.get(&format!("import-configurations/{import}")).await;
        assert_eq!(kept.json["parameters"], json!([with_all(groups())]));
        olive.within("[id='parameters[1]']").fill("Parameter name", "day").choose("Type", "Date").fill("Default", "soon");
        olive.everywhere().fill("Query", "SELECT id, word FROM staff WHERE grp NOT IN ({groups}) AND {day} > ''");
        olive.press("Save import configuration").await.answered(422).sees("\"soon\" is not a date.");
        olive.within("[id='parameters[1]']").fill("Default", "start of last month").fill("Label", "From");
        olive.everywhere().press("Save import configuration").await.sees("Saved the import configuration");
        let saved = staff.olive.get(&format!("import-configurations/{import}")).await;
        assert_eq!(saved.json["parameters"][1]["default"], "start of last month");
        olive.within("[id='parameters[1]']").tick("Remove it");
        olive.everywhere().press("Save import configuration").await.answered(422).sees("There is no parameter day");
        olive.fill("Query", "SELECT id, word FROM staff WHERE grp NOT IN ({groups})");
        olive.press("Save import configuration").await.sees("Saved the import configuration");
        let saved = staff.olive.get(&format!("import-configurations/{import}")).await;
        assert_eq!(saved.json["parameters"].as_array().unwrap().len(), 1);
    }

    async fn run_now_asks_and_the_summary_shows_them(world: World) {
        let staff = employees(&world).await;
        let parameters = json!([groups(), {"name": "day", "type": "date", "label": "From", "default": "start of last month"},
            {"name": "token", "type": "secret", "label": "Key", "required": true}]);
        let query = "SELECT id, word FROM staff WHERE grp NOT IN ({groups}) AND {day} < '2027' AND {token} = 'canary-9'";
        // In the query quotes are only around what is no parameter.
        let import = staff.import(query, parameters).await;
        let here = format!("/applications/{}/settings/import-configurations/{import}", world.application);
        let mut olive = world.browser(&world.olive).await;
        let asked = olive.post(&format!("{here}/runs"), &[]).await;
        assert!(asked.url.path().ends_with("/run"), "{}", asked.url);
        let by_htmx = olive.htmx_post(&format!("{here}/runs"), &[]).await;
        assert_eq!(by_htmx.header("hx-redirect"), format!("{here}/run"));
        olive.visit(&format!("{here}/run")).await.sees("If empty: the first day of last month.");
        olive.tick("Hourly").fill("From (optional)", "soon").press("Run now").await.answered(422);
        olive.sees("Enter a value for Key.").sees("From: \"soon\" is not a date");
        assert_eq!(olive.value("From (optional)"), "soon");
        olive.fill("From (optional)", "yesterday").fill("Key", "canary-9").press("Run now").await;
        work_off(&world).await;
        assert_eq!(staff.words(&world).await, ["Bob", "Cid", "Dee"]);
        let last = staff.olive.get(&format!("runs?configuration_id={import}")).await.items()[0]["id"].clone();
        olive.visit(&format!("/runs/{last}")).await;
        olive.sees("Employee groups to exclude").sees("Hourly").sees("2026-10-07").sees("yesterday").sees("••••");
        assert!(!olive.body.contains("canary-9"));
        olive.visit(&here).await.follow("Test run").await.tick("Hourly").tick("Interns").fill("Key", "canary-9");
        olive.press("Test run").await.sees("A run would load every row. 2 rows were read.");
    }

    async fn a_default_of_several_choices_is_ticked_when_run_now_asks(world: World) {
        let staff = employees(&world).await;
        let mut groups = groups();
        groups["default"] = json!(["Hourly", "It's"]);
        let import = staff.import("SELECT id, word FROM staff WHERE grp NOT IN ({groups})", json!([groups])).await;
        let here = format!("/applications/{}/settings/import-configurations/{import}", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{here}/run")).await;
        assert_eq!(olive.count("input[type=checkbox][checked]"), 2);
        olive.press("Run now").await;
        work_off(&world).await;
        assert_eq!(staff.words(&world).await, ["Bob", "Cid"]);
    }

    async fn the_schedules_form_asks_shows_the_dates_and_keeps_a_secret(world: World) {
        let staff = employees(&world).await;
        let parameters = json!([{"name": "day", "type": "date", "label": "First day", "required": true},
            {"name": "token", "type": "secret", "label": "Key", "required": true}]);
        let import = staff.import("SELECT 1 AS id, {day} || length({token}) AS word", parameters).await;
        let here = format!("/applications/{}/schedules", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{here}/new?configuration={import}")).await;
        olive.press("Schedule Import").await.answered(422).sees("Enter a value for First day.").sees("Enter a value for Key.");
        olive.fill("First day", "End of last month").fill("Key", "canary-8").press("Show the next runs").await;
        olive.sees("First day: 30 September 2026 (the last day of last month)");
        assert_eq!(olive.value("Key"), "", "a secret never comes back");
        olive.fill("Key", "canary-8").press("Schedule Import").await.sees("Scheduled: Every day at 06:00");
        let made = staff.olive.get(&format!("{}/schedules", staff.here)).await.items()[0].clone();
        assert_eq!(made["parameters"], json!({"day": "end of last month", "token": "••••"}));
        let one = format!("{here}/{}/edit", made["id"]);
        olive.visit(&one).await.sees("It is set. Leave it empty to keep it, unless the query or the Connection has changed since.");
        olive.press("Update Schedule").await.sees("Nothing has changed");
        olive.visit(&one).await.fill("First day", "yesterday").press("Update Schedule").await.sees("Updated:");
        let changed = staff.olive.get(&format!("schedules/{}", made["id"])).await;
        assert_eq!(changed.json["parameters"], json!({"day": "yesterday", "token": "••••"}));
        // A copy takes the secret along, and what is alike is refused.
        olive.visit(&format!("{here}/{}/copy", made["id"])).await.press("Schedule Import").await.answered(409);
        olive.fill("First day", "-2d").press("Schedule Import").await.sees("Scheduled: Every day at 06:00");
        world.set_clock("2026-10-09T04:01:00Z");
        world.step(tidegate::runs::dispatcher::step).await;
        work_off(&world).await;
        assert!(staff.words(&world).await[0].ends_with('8'));
    }
}

/// As the API answers it.
fn with_all(mut parameter: Value) -> Value {
    for (name, value) in [("required", json!(false)), ("default", Value::Null)] {
        parameter[name] = value;
    }
    parameter
}

//! Values for the run of a set: one for all its steps, another for one of them, the same when it is run again.

use serde_json::json;
use tidegate::import_sets::{Execution, OnFailure, Step};

use super::sets::{make, of_set, statuses};
use super::*;
use crate::support::stage::stage_from;

/// Two configurations that read the file of a day, and a third that asks for nothing.
pub async fn three(world: &World) -> [Stage; 3] {
    let connection = crate::support::stage::folder_connection(world, "days").await;
    let dated = |name: &'static str| {
        let definition = json!({
            "source": { "path": format!("{name}-{{day}}.csv"), "format": "csv" },
            "mode": "append", "rejects": {}, "unknown_items": "reject", "overlap": "skip",
            "attempts": 1, "attempt_seconds": 60,
            "parameters": [{ "name": "day", "type": "date", "label": "Day", "required": false, "default": "today" }],
        });
        serde_json::from_value(definition).unwrap()
    };
    let (sales, prices) = (
        stage_from(world, "sales", Some(connection), dated("sales")).await,
        stage_from(world, "prices", Some(connection), dated("prices")).await,
    );
    csv(world, "plain", &[("1", "one")]);
    [sales, prices, stage(world, "plain", Mode::Append, |_| ()).await]
}

on_both! {
    async fn a_value_goes_to_all_steps_that_declare_it_or_to_one(world: World) {
        let stages = three(&world).await;
        let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
        let set = make(&world, Execution::Sequential, OnFailure::Stop, steps).await;
        for name in ["sales-2026-10-07", "prices-2026-10-01"] {
            csv(&world, name, &[("1", "one"), ("2", "two")]);
        }
        let api = world.api(&world.olive).await;
        let runs_of_set = format!("import-sets/{}/runs", set.id);
        for (given, field) in [
            (json!({ "day": "soon" }), "parameters.day"),
            (json!({ "2.day": "soon" }), "parameters.2.day"),
            (json!({ "3.day": "today" }), "parameters.3.day"),
            (json!({ "9.day": "today" }), "parameters.9.day"),
            (json!({ "month": "today" }), "parameters.month"),
            (json!(7), "parameters"),
        ] {
            let refused = api.post(&runs_of_set, json!({ "parameters": given })).await;
            assert_eq!(refused.wrong_fields(), [field], "{given}");
        }
        // The set's clock says 8 October.
        let given = json!({ "day": "yesterday", "2.day": "2026-10-01" });
        let begun = api.post(&runs_of_set, json!({ "parameters": given })).await;
        begun.is(202);
        assert_eq!(begun.json["parameters"], given);
        work_off(&world).await;
        let first = begun.id();
        assert_eq!(statuses(&world, first).await, ["Success"; 3]);
        let days = |of: tidegate::runs::sets::SetRun| of.steps.iter().filter_map(|step| step.run_id).collect::<Vec<i64>>();
        let children = days(of_set(&world, first).await);
        let resolved = |run: Run| run.resolved.unwrap_or_default()["day"].clone();
        assert_eq!(resolved(run(&world, children[0]).await), "2026-10-07");
        assert_eq!(resolved(run(&world, children[1]).await), "2026-10-01");
        // Run again on another day, the days are those of then.
        world.advance(Duration::days(9));
        let again = api.post(&format!("runs/{first}/again"), json!({ "all": true })).await.is(202).id();
        work_off(&world).await;
        assert_eq!(statuses(&world, again).await, ["Success"; 3]);
        let children = days(of_set(&world, again).await);
        assert_eq!(resolved(run(&world, children[0]).await), "2026-10-07");
        let held: Vec<i64> = stages.iter().map(|stage| rows(&world, stage.block)).collect();
        assert_eq!(held, [2, 2, 1], "nothing is there twice");
    }

    async fn a_schedule_of_a_set_holds_values_and_counts_them_from_what_was_planned(world: World) {
        let stages = three(&world).await;
        let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
        let set = make(&world, Execution::Parallel, OnFailure::Continue, steps).await;
        let mut wanted = draft(&stages[0], &daily("09:00"));
        wanted.target = Target::Set(set.id);
        wanted.parameters = Some(json!({ "day": "-1d", "1.day": "start of month" }));
        let schedule = create(&world, wanted).await;
        assert_eq!(schedule.parameters, Some(json!({ "day": "-1d", "1.day": "start of month" })));
        csv(&world, "sales-2026-10-01", &[("1", "one")]);
        csv(&world, "prices-2026-10-08", &[("1", "one"), ("2", "two")]);
        world.advance(schedule.next_at.unwrap().since(world.now()) + Duration::seconds(2));
        world.step(dispatcher::step).await;
        // A worker comes to it a day later: the dates are still those of the plan.
        world.advance(Duration::days(1));
        work_off(&world).await;
        let held: Vec<i64> = stages.iter().map(|stage| rows(&world, stage.block)).collect();
        assert_eq!(held, [1, 2, 1]);
    }

    async fn the_dialog_asks_for_each_step_and_shows_the_dates(world: World) {
        let stages = three(&world).await;
        let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
        let set = make(&world, Execution::Sequential, OnFailure::Stop, steps).await;
        let form = format!("/applications/{}/schedules/new?set={}", world.application, set.id);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&form).await.answered(200).sees("Step 1, sales").sees("Step 2, prices").sees_no("Step 3, plain");
        olive.within("#n1-parameters").fill("Day (optional)", "soon");
        olive.everywhere().press("Schedule Import").await.answered(422).sees("Step 1: Day: \"soon\" is not a date");
        olive.within("#n1-parameters").fill("Day (optional)", "start of last month");
        olive.everywhere().press("Use these in all steps that ask for the same as step 1").await.answered(200);
        olive.sees("Step 2, Day: 1 September 2026 (the first day of last month)");
        olive.within("#n1-parameters").fill("Day (optional)", "yesterday");
        olive.everywhere().press("Schedule Import").await.answered(200).sees("Scheduled: Every day at 06:00");
        let kept = world.read(move |conn| tidegate::schedules::actions::of_targets(conn, &[Target::Set(set.id)])).await;
        assert_eq!(kept[0].parameters, Some(json!({ "1.day": "yesterday", "2.day": "start of last month" })));
        // A form that changes something else keeps them.
        olive.visit(&format!("/applications/{}/schedules/{}/edit", world.application, kept[0].id)).await.answered(200);
        olive.within("#n2-parameters");
        assert_eq!(olive.value("Day (optional)"), "start of last month");
        olive.everywhere().fill("Time", "07:00").press("Update Schedule").await.sees("Updated: Every day at 07:00");
        let again = world.read(move |conn| tidegate::schedules::actions::of_targets(conn, &[Target::Set(set.id)])).await;
        assert_eq!(again[0].parameters, kept[0].parameters);
    }

    /// A value for step 2 is that step's wherever it stands: in schedules, in runs that wait, and for who edits just then.
    async fn values_follow_their_steps(world: World) {
        let stages = three(&world).await;
        let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
        let set = make(&world, Execution::Sequential, OnFailure::Stop, steps).await;
        let api = world.api(&world.olive).await;
        let rule = json!({"set_id": set.id, "repeat": "days", "start_date": "2026-10-20", "start_time": "06:00", "time_zone": "UTC"});
        let mut body = rule.clone();
        body["parameters"] = json!({"1.day": "yesterday", "2.day": "2026-10-01"});
        let schedule = format!("schedules/{}", api.make(&format!("applications/{}/schedules", world.application), body).await);
        let given = json!({ "1.day": "2026-10-02", "2.day": "2026-10-01" });
        let waits = api.post(&format!("import-sets/{}/runs", set.id), json!({ "parameters": given })).await.is(202).id();
        let form = format!("/applications/{}/{schedule}/edit", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&form).await;
        let order = |of: [usize; 2]| json!({"steps": of.map(|i| json!({"configuration_id": stages[i].configuration}))});
        api.patch(&format!("import-sets/{}", set.id), order([1, 0])).await.is(200);
        let kept = api.get(&schedule).await;
        assert_eq!(kept.json["parameters"], json!({"2.day": "yesterday", "1.day": "2026-10-01"}));
        olive.press("Update Schedule").await.answered(412);
        // The run that waited goes by the steps of now.
        csv(&world, "prices-2026-10-01", &[("1", "one")]);
        csv(&world, "sales-2026-10-02", &[("1", "one"), ("2", "two")]);
        work_off(&world).await;
        assert_eq!(statuses(&world, waits).await, ["Success"; 2]);
        let held: Vec<i64> = stages.iter().map(|stage| rows(&world, stage.block)).collect();
        assert_eq!(held, [2, 1, 0]);
        // A step that goes takes its value along; what moves nothing changes nothing.
        api.patch(&format!("import-sets/{}", set.id), order([0, 2])).await.is(200);
        let kept = api.get(&schedule).await;
        assert_eq!(kept.json["parameters"], json!({"1.day": "yesterday"}));
        api.patch(&format!("import-sets/{}", set.id), json!({"on_failure": "continue"})).await.is(200);
        assert_eq!(api.get(&schedule).await.json["version"], kept.json["version"]);
    }

    async fn secrets_for_sets_are_sealed_anew(world: World) {
        let connection = crate::support::stage::folder_connection(&world, "files").await;
        let definition = json!({
            "source": { "path": "files.csv", "format": "csv" }, "mode": "append", "rejects": {}, "unknown_items": "reject",
            "overlap": "skip", "attempts": 1, "attempt_seconds": 60, "parameters": [{ "name": "key", "type": "secret" }],
        });
        let stage = stage_from(&world, "files", Some(connection), serde_json::from_value(definition).unwrap()).await;
        let set = make(&world, Execution::Sequential, OnFailure::Stop, vec![Step::of(stage.configuration)]).await;
        let mut wanted = draft(&stage, &daily("09:00"));
        (wanted.target, wanted.parameters) = (Target::Set(set.id), Some(json!({ "1.key": "one" })));
        let schedule = create(&world, wanted).await;
        let api = world.api(&world.olive).await;
        let given = json!({ "parameters": { "key": "two" } });
        let waits = api.post(&format!("import-sets/{}/runs", set.id), given).await.is(202).id();
        let (old, new) = (world.app().secrets.clone(), another_key());
        let other = another_key();
        world
            .write(move |conn| {
                tidegate::schedules::seal_anew(conn, &old, &new)?;
                tidegate::runs::seal_anew(conn, &old, &new)
            })
            .await;
        let place = format!("parameter {} key", stage.configuration);
        let opened = |values: Option<serde_json::Value>| {
            let values = values.unwrap();
            let text = other.open(&place, values["1.key"]["sealed"].as_str().unwrap_or_else(|| panic!("{values}"))).unwrap();
            // Before it stands for which query it was given.
            text.rsplit('\u{1}').next().unwrap().to_owned()
        };
        assert_eq!(opened(crate::schedules::find(&world, schedule.id).await.parameters), "one");
        assert_eq!(opened(run(&world, waits).await.parameters), "two");
    }
}

fn another_key() -> tidegate::secrets::Secrets {
    tidegate::secrets::Secrets::from_base64(&format!("{}Bwc=", "BwcH".repeat(10))).unwrap()
}

//! "Run now" of a set, and its schedule's dialog, ask for the values of its steps; without scripts.

use serde_json::{Value, json};
use tidegate::import_sets::{Execution, ImportSet, OnFailure, Step};

use super::set_values::three;
use super::sets::{make, statuses};
use super::*;

/// A set of two steps that ask for a day, of which the set gives the second, and one that asks for nothing.
async fn dated(world: &World) -> ([Stage; 3], ImportSet) {
    let stages = three(world).await;
    let mut steps: Vec<Step> = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
    steps[1].parameters = Some(json!({ "day": "-2d" }));
    let set = make(world, Execution::Sequential, OnFailure::Stop, steps).await;
    (stages, set)
}

async fn latest(world: &World, set: &ImportSet) -> Value {
    world.api(&world.olive).await.get(&format!("runs?set_id={}", set.id)).await.items()[0].clone()
}

on_both! {
    async fn run_now_of_a_set_asks_for_the_values_of_its_steps(world: World) {
        let (stages, set) = dated(&world).await;
        let here = format!("/applications/{}/settings/import-sets/{}", world.application, set.id);
        let mut olive = world.browser(&world.olive).await;
        let asked = olive.post(&format!("{here}/runs"), &[]).await;
        assert!(asked.url.path().ends_with("/run"), "{}", asked.url);
        let by_htmx = olive.htmx_post(&format!("{here}/runs"), &[]).await;
        assert_eq!(by_htmx.header("hx-redirect"), format!("{here}/run"));
        olive.visit(&here).await.press("Run now").await.answered(200).sees("Run Month end");
        olive.sees("Step 1, sales").sees("Step 2, prices").sees_no("Step 3, plain");
        // What the set gives is there, and said to be what holds when nothing is typed.
        olive.sees("Step 1, Day: 8 October 2026 (today)").sees("Step 2, Day: 6 October 2026 (2 days ago)");
        olive.within("#n2-parameters");
        assert_eq!(olive.value("Day (optional)"), "-2d");
        olive.sees("If empty: 2 days ago.");
        olive.everywhere().within("#n1-parameters").fill("Day (optional)", "soon");
        olive.everywhere().press("Run now").await.answered(422).sees("Step 1: Day: \"soon\" is not a date");
        assert_eq!(olive.count("#errors a[href='#n1-parameters-day']"), 1);
        assert_eq!(olive.count("input#n1-parameters-day[aria-invalid]"), 1);
        olive.within("#n1-parameters");
        assert_eq!(olive.value("Day (optional)"), "soon");
        olive.fill("Day (optional)", "yesterday");
        olive.everywhere().press("Use these in all steps that ask for the same as step 1").await.answered(200);
        olive.sees("Step 2, Day: 7 October 2026 (yesterday)");
        olive.within("#n1-parameters").fill("Day (optional)", "2026-10-01");
        olive.everywhere().press("Show these dates again").await.sees("Step 1, Day: 1 October 2026");
        assert!(runs(&world).await.is_empty(), "nothing has begun");
        csv(&world, "sales-2026-10-01", &[("1", "one")]);
        csv(&world, "prices-2026-10-07", &[("1", "one"), ("2", "two")]);
        olive.press("Run now").await.answered(200).sees("Started: Month end IntegrationSet");
        work_off(&world).await;
        let run = latest(&world, &set).await;
        assert_eq!(run["parameters"], json!({ "1.day": "2026-10-01", "2.day": "yesterday" }));
        assert_eq!(statuses(&world, run["id"].as_i64().unwrap()).await, ["Success"; 3]);
        let held: Vec<i64> = stages.iter().map(|stage| rows(&world, stage.block)).collect();
        assert_eq!(held, [1, 2, 1]);
    }

    async fn a_step_more_than_was_asked_for_is_asked_for(world: World) {
        let (_, set) = dated(&world).await;
        let runs_of_set = format!("/applications/{}/settings/import-sets/{}/runs", world.application, set.id);
        let olive = world.browser(&world.olive).await;
        let fields = [("1.parameters", "shown"), ("1.parameters.day", "yesterday")];
        let answer = olive.post(&runs_of_set, &fields).await;
        assert_eq!(answer.status, 422);
        assert!(answer.body.contains("More steps ask for values than when you opened this page."));
        assert!(answer.body.contains("value=\"yesterday\""), "what was typed is there still");
        assert!(runs(&world).await.is_empty());
    }

    async fn of_several_choices_none_is_a_choice_where_the_set_gives_some(world: World) {
        let (stages, _) = dated(&world).await;
        let api = world.api(&world.olive).await;
        let choices = json!([{ "name": "groups", "type": "choices", "choices": ["a", "b"] }]);
        let import = format!("import-configurations/{}", stages[2].configuration);
        api.patch(&import, json!({ "parameters": choices })).await.is(200);
        let set = json!({ "name": "Groups", "steps": [
            { "configuration_id": stages[2].configuration, "parameters": { "groups": ["a"] } }] });
        let set = api.make(&format!("applications/{}/import-sets", world.application), set).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-sets/{set}/run", world.application)).await;
        assert_eq!(olive.count("input[type=checkbox][checked]"), 1, "what the set gives is ticked");
        olive.untick("a").press("Run now").await.answered(200);
        work_off(&world).await;
        let run = api.get(&format!("runs?set_id={set}")).await.items()[0].clone();
        assert_eq!((&run["parameters"], &run["status"]), (&json!({ "1.groups": [] }), &json!("success")));
        let step = api.get(&format!("runs?parent_id={}", run["id"])).await.items()[0].clone();
        let step = super::run(&world, step["id"].as_i64().unwrap()).await;
        assert_eq!(step.resolved, Some(json!({ "groups": [] })));
    }

    async fn the_dialog_takes_no_fields_of_what_was_chosen_before(world: World) {
        let (_, set) = dated(&world).await;
        let form = format!("/applications/{}/schedules/new?set={}", world.application, set.id);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&form).await.within("#n1-parameters").fill("Day (optional)", "yesterday");
        // Another choice: its own are asked for, without scripts by a button.
        olive.everywhere().choose("Run", "Import configuration").choose("Configuration", "prices");
        olive.press("Schedule Import").await.answered(422).sees("This import asks for values. Check them, then save.");
        assert_eq!(olive.value("Day (optional)"), "");
        olive.choose("Run", "Import set").choose("Import set", "Month end");
        olive.press("Show its parameters").await.answered(200).sees("Step 1, sales");
        olive.press("Schedule Import").await.answered(200).sees("Scheduled: Every day at 06:00");
        let kept = world.read(move |conn| tidegate::schedules::actions::of_targets(conn, &[Target::Set(set.id)])).await;
        assert_eq!(kept[0].parameters, None, "what the set gives is the set's to change");
    }

    async fn a_value_for_all_steps_stays_one_when_nothing_is_changed(world: World) {
        let (_, set) = dated(&world).await;
        let api = world.api(&world.olive).await;
        let schedule = json!({ "set_id": set.id, "repeat": "days", "start_date": "2026-10-09", "start_time": "06:00",
            "time_zone": "UTC", "parameters": { "day": "-3d" } });
        let id = api.make(&format!("applications/{}/schedules", world.application), schedule).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{}/schedules/{id}/edit", world.application)).await;
        ada.sees("Step 1, Day: 6 October 2026 (3 days ago)").sees("Step 2, Day: 6 October 2026 (3 days ago)");
        ada.press("Update Schedule").await.sees("Nothing has changed");
        let kept = api.get(&format!("schedules/{id}")).await.json;
        assert_eq!((&kept["parameters"], &kept["owner_id"]), (&json!({ "day": "-3d" }), &json!(world.olive.id)));
    }
}

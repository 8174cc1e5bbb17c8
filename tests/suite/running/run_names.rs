//! What runs are called: by the values that they go with, and, where nobody named them, by when they were planned.

use serde_json::{Value, json};
use tidegate::import_sets::{Execution, OnFailure, Step};

use super::set_values::three;
use super::sets::make;
use super::*;

fn schedule(target: (&str, i64), more: Value) -> Value {
    let mut body =
        json!({ "repeat": "days", "start_date": "2026-10-09", "start_time": "09:00", "time_zone": "Europe/Paris" });
    body[target.0] = json!(target.1);
    more.as_object().unwrap().iter().for_each(|(name, value)| body[name] = value.clone());
    body
}

async fn names(world: &World) -> Vec<String> {
    let mut names: Vec<String> =
        runs(world).await.into_iter().filter(|run| run.parent_id.is_none()).map(|r| r.name).collect();
    names.sort();
    names
}

on_both! {
    async fn a_name_holds_values_and_what_holds_nothing_is_refused(world: World) {
        let stages = three(&world).await;
        let steps = stages.iter().map(|stage| Step::of(stage.configuration)).collect();
        let set = make(&world, Execution::Sequential, OnFailure::Continue, steps).await;
        let api = world.api(&world.olive).await;
        let secret = json!([{ "name": "token", "type": "secret" }, { "name": "note", "type": "text" }]);
        api.patch(&format!("import-configurations/{}", stages[2].configuration), json!({ "parameters": secret })).await.is(200);
        let there = format!("applications/{}/schedules", world.application);
        for (name, words) in [
            ("A {month}", "{month} is not a parameter here. Use {date}, {time}, {planned}, {day} or {note}."),
            ("A {token}", "{token} is a secret"),
        ] {
            let refused = api.post(&there, schedule(("set_id", set.id), json!({ "run_name": name }))).await;
            assert_eq!(refused.wrong_fields(), ["run_name"]);
            assert!(refused.json["errors"][0]["detail"].as_str().unwrap().starts_with(words), "{}", refused.json);
        }
        // A secret in one step is a secret wherever the name is used.
        let mixed = |kind: &str| json!({ "parameters": [{ "name": "note", "type": kind }] });
        let second = format!("import-configurations/{}", stages[1].configuration);
        let before = api.get(&second).await.json["parameters"].clone();
        api.patch(&second, json!({ "source": { "path": "prices.csv", "format": "csv" }, "parameters": mixed("secret")["parameters"] })).await.is(200);
        let body = json!({ "run_name": "A {note}", "parameters": { "note": "x" } });
        let refused = api.post(&there, schedule(("set_id", set.id), body)).await;
        assert_eq!(refused.is(422).wrong_fields(), ["run_name", "parameters.note"], "{}", refused.body);
        api.patch(&second, json!({ "source": { "path": "prices-{day}.csv", "format": "csv" }, "parameters": before })).await.is(200);
        let of_plain = ("configuration_id", stages[2].configuration);
        let refused = api.post(&there, schedule(of_plain, json!({ "run_name": "A {day}" }))).await;
        assert_eq!(refused.wrong_fields(), ["run_name"]);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/schedules/new?set={}", world.application, set.id)).await;
        olive.sees("{date}, {time}, {planned}, {day}, {note}: they become");
        olive.fill("Run name (optional)", "A {month}");
        olive.press("Schedule Import").await.answered(422).sees("{month} is not a parameter here.");
        // Midnight in Paris is yesterday in UTC: the day is that of the schedule's zone. The first step's value names the run.
        let more = json!({ "run_name": "Sales of {day} at {time}", "parameters": { "1.day": "yesterday", "2.day": "today" } });
        api.make(&there, schedule(("set_id", set.id), more)).await;
        let long = json!({ "run_name": "{note} on {date}", "parameters": { "note": "é".repeat(900) } });
        api.make(&there, schedule(of_plain, long)).await;
        let sales = ("configuration_id", stages[0].configuration);
        let gone = api.make(&there, schedule(sales, json!({ "run_name": "Of {day}" }))).await;
        api.patch(&format!("schedules/{gone}"), json!({ "run_name": "On {day}" })).await.is(200);
        // The parameter goes afterwards: the schedule can be changed still, and its run goes.
        let import = format!("import-configurations/{}", stages[0].configuration);
        let source = json!({ "path": "sales.csv", "format": "csv" });
        api.patch(&import, json!({ "parameters": [], "source": source })).await.is(200);
        api.patch(&format!("schedules/{gone}"), json!({ "start_time": "09:30" })).await.is(200);
        world.set_clock("2026-10-09T07:30:10Z");
        world.step(dispatcher::step).await;
        let named = names(&world).await;
        assert_eq!((named.len(), &*named[0], &*named[1]), (3, "On {day}", "Sales of 2026-10-09 at 09:00"), "{named:?}");
        assert!(named[2].chars().count() == 200 && named[2].ends_with("é… on 2026-10-09"), "{named:?}");
    }

    async fn a_name_that_nobody_gave_ends_with_when_it_was_planned(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let api = world.api(&world.olive).await;
        let there = format!("applications/{}/schedules", world.application);
        let of = ("configuration_id", stage.configuration);
        api.make(&there, schedule(of, json!({ "start_time": "16:00", "time_zone": "Asia/Tokyo" }))).await;
        world.set_clock("2026-10-09T07:00:10Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let first = runs(&world).await.remove(0);
        assert_eq!(first.name, "words 2026-10-09 16:00", "by the schedule's clock");
        // Pages that show the instant beside it show it once.
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", first.id)).await.sees("words, Fri 9 Oct 2026").sees_no("words 2026-10-09");
        let calendar = format!("/applications/{}/settings/import-scheduling/calendar", world.application);
        olive.visit(&format!("{calendar}?date=2026-10-09&view=day")).await.sees("words").sees_no("words 2026-10-09");
        olive.visit(&format!("{calendar}/entry?run={}", first.id)).await.sees("words").sees_no("words 2026-10-09");
        let by_hand = start(&world, &stage).await;
        assert_eq!(by_hand.name, "words 2026-10-09 09:00", "by the Application's clock");
    }
}

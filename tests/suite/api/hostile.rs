//! What somebody sends who means no good, or whose program is broken: nothing of others is told, nothing is taken in
//! silence, and each refusal is a sentence.

use serde_json::{Value, json};

use super::with;
use crate::parameters::{employees, groups};
use crate::running::sets::statuses;
use crate::running::work_off;
use crate::support::World;
use crate::support::api::Reply;

fn daily() -> Value {
    json!({"repeat": "days", "start_date": "2026-10-20", "start_time": "06:00", "time_zone": "UTC"})
}

fn day() -> Value {
    json!([{"name": "day", "type": "date", "label": "Their own words"}])
}

on_both! {
    /// Neither what it is called, nor whether it is there, nor what it asks for.
    async fn values_for_what_belongs_elsewhere_tell_nothing_of_it(world: World) {
        let theirs = employees(&world).await;
        let import = theirs.import("SELECT 1 AS id, {day} AS word", day()).await;
        let set = json!({"name": "Theirs", "steps": [{"configuration_id": import}]});
        let set = theirs.olive.make(&format!("{}/import-sets", theirs.here), set).await;
        let stranger = world.api(&world.stranger).await;
        let there = format!("applications/{}/schedules", world.elsewhere);
        for values in [json!({"zzz": 1}), json!({"day": "soon"}), json!({"1.day": "soon"}), json!({})] {
            for (target, id) in [("configuration_id", import), ("set_id", set)] {
                let body = |id: i64| with(daily(), json!({target: id, "parameters": values}));
                let (stolen, missing) = (stranger.post(&there, body(id)).await, stranger.post(&there, body(999_999)).await);
                assert_eq!(stolen.wrong_fields(), [target], "{values}");
                assert_eq!(stolen.body, missing.body);
            }
        }
    }

    async fn a_field_that_is_given_twice_is_refused(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT 1 AS id, 'x' AS word", json!([])).await;
        let there = format!("{}/import-sets", staff.here);
        for body in [
            format!(r#"{{"name": "A", "steps": [{{"configuration_id": {import}}}], "name": "B"}}"#),
            format!(r#"{{"name": "A", "steps": [{{"configuration_id": 1, "configuration_id": {import}}}]}}"#),
        ] {
            let request = staff.olive.request(reqwest::Method::POST, &there).header("Content-Type", "application/json");
            let refused = Reply::of(request.body(body)).await;
            assert_eq!(refused.wrong_fields(), ["body"]);
            assert!(refused.body.contains("is given twice, the second time at line 1 column"), "{}", refused.body);
        }
        assert!(staff.olive.get(&there).await.items().is_empty());
    }

    async fn a_list_is_no_text(world: World) {
        let staff = employees(&world).await;
        let parameters = json!([{"name": "word", "type": "text", "default": "usual"}, groups()]);
        let import = staff.import("SELECT 1 AS id, {word} AS word WHERE 'x' NOT IN ({groups})", parameters).await;
        let run = async |values: Value| {
            let body = json!({"parameters": values});
            staff.olive.post(&format!("import-configurations/{import}/runs"), body).await
        };
        assert_eq!(run(json!({"word": []})).await.wrong_fields(), ["parameters.word"]);
        run(json!({"groups": [], "word": ""})).await.is(202);
    }

    /// A set gives its step a value, and the configuration asks for it no more.
    async fn a_value_that_nobody_asks_for_any_more_holds_nothing_up(world: World) {
        let staff = employees(&world).await;
        let import = staff.import("SELECT 1 AS id, {day} AS word", day()).await;
        let steps = json!([{"configuration_id": import, "parameters": {"day": "yesterday"}}]);
        let set = json!({"name": "Month end", "steps": steps});
        let one = format!("import-sets/{}", staff.olive.make(&format!("{}/import-sets", staff.here), set).await);
        let less = json!({"parameters": [], "source": {"query": "SELECT 1 AS id, 'x' AS word"}});
        staff.olive.patch(&format!("import-configurations/{import}"), less).await.is(200);
        let run = staff.olive.post(&format!("{one}/runs"), json!({})).await.is(202).id();
        work_off(&world).await;
        assert_eq!(statuses(&world, run).await, ["Success"]);
        // What somebody gives by hand is refused all the same, once and by its name.
        let given = staff.olive.post(&format!("{one}/runs"), json!({"parameters": {"1.day": "today"}})).await;
        assert_eq!(given.wrong_fields(), ["parameters.1.day"]);
        let renamed = staff.olive.patch(&one, json!({"name": "Close"})).await;
        assert_eq!(renamed.is(200).json["steps"][0]["parameters"], Value::Null);
        let again = staff.olive.patch(&one, json!({"steps": steps})).await;
        assert_eq!(again.wrong_fields(), ["steps[0].parameters.day"]);
    }
}

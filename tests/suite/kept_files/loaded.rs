//! Kept files as runs load them.

use std::sync::Arc;

use tidegate::app::App;
use tidegate::runs::work::{Done, Import, Job, Undone, Work};
use tidegate::runs::{RunStatus, dispatcher, executor};

use super::*;
use crate::running::sets::{of_set, statuses};

/// The run that the clock has begun at 06:00 on a day of June, worked off.
async fn at_six(world: &World, day: u32) -> tidegate::runs::Run {
    world.set_clock(&format!("2026-06-{day:02}T04:00:01Z"));
    world.step(dispatcher::step).await;
    work_off(world).await;
    let olive = world.api(&world.olive).await;
    let newest = olive.get("runs?limit=20").await;
    let id = newest.items().iter().find(|run| run["parent_id"].is_null()).unwrap()["id"].as_i64().unwrap();
    run(world, id).await
}

/// Replaces the kept file while the run goes on.
struct Replaced {
    kept: i64,
    by: crate::support::Person,
}

impl Work for Replaced {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone> {
        std::thread::scope(|threads| {
            threads.spawn(|| {
                for version in 2..5 {
                    let text = format!("id,word\n{version},replaced\n");
                    let file = tidegate::files::save(&app.blocks, "large.csv", text.as_bytes(), app.now()).unwrap();
                    let stored = tidegate::files::open(&app.blocks, file).unwrap();
                    let replaced = app.db.write(|conn| {
                        let by = self.by.by(conn)?;
                        kept::actions::replace(conn, &by, (self.kept, None), &stored, app.now())
                    });
                    assert_eq!(replaced.unwrap().newest.version, version);
                    // Whatever nothing needs any more goes now.
                    tidegate::runs::retention::forget_unused_files(app, app.now().plus(Duration::days(2))).unwrap();
                }
            });
            Import.perform(app, job)
        })
    }
}

on_both! {
    async fn a_schedule_loads_the_file_that_is_kept_for_it(world: World) {
        world.set_clock("2026-05-31T12:00:00Z");
        let stage = by_hand(&world, "returns", Mode::Replace).await;
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}/schedules", world.application);
        let configuration = json!({"configuration_id": stage.configuration});
        // Nobody stands by with a file at six.
        let none = olive.post(&here, daily(configuration.clone(), json!({}))).await;
        assert_eq!(none.is(422).wrong_fields(), ["parameters.file"]);
        assert!(none.body.contains("returns takes a file for each run. Choose a kept file"), "{}", none.body);
        let foreign = olive.post(&here, daily(configuration.clone(), json!({"file": 999}))).await;
        assert!(foreign.is(422).body.contains("This Application keeps no such file"), "{}", foreign.body);
        for wrong in [json!("x"), json!(1.5), json!([1]), json!({"id": 1})] {
            let refused = olive.post(&here, daily(configuration.clone(), json!({"file": wrong}))).await;
            assert_eq!(refused.is(422).wrong_fields(), ["parameters.file"], "{wrong}");
        }
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let schedule = olive.post(&here, daily(configuration, json!({"file": file}))).await.is(201).id();
        let first = at_six(&world, 1).await;
        assert_eq!((first.status, words(&world, stage.block).await), (RunStatus::Success, vec!["one".to_owned()]), "{:?}", first.cause);
        replace(&world, file, "returns-2.csv", "id,word\n2,two\n3,three\n").await;
        let second = at_six(&world, 2).await;
        assert_eq!((second.status, words(&world, stage.block).await.len()), (RunStatus::Success, 2), "{:?}", second.cause);
        assert_ne!(first.file_id, second.file_id);
        // The Summary says which file it was.
        let (sha, name) = (second.result.as_ref().unwrap().source_sha256.clone().unwrap(), "returns-2.csv");
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/runs/{}", second.id)).await.sees("returns.csv").sees("version 2").sees(name).sees(&sha);
        page.visit(&format!("/runs/{}", first.id)).await.sees("version 1");
        // While a schedule names it, it stays.
        let refused = olive.delete(&format!("kept-files/{file}")).await;
        assert!(refused.is(409).body.contains("is used by schedules: one of Olive for returns"), "{}", refused.body);
        olive.delete(&format!("schedules/{schedule}")).await.is(204);
        olive.delete(&format!("kept-files/{file}")).await.is(204);
        page.visit(&format!("/runs/{}", second.id)).await.sees("returns.csv").sees("version 2");
    }

    async fn every_process_reaches_it(world: World) {
        let stage = by_hand(&world, "returns", Mode::Append).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let begun = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({"parameters": {"file": file}})).await;
        let id = begun.is(202).id();
        let second = crate::dispatching::second_process(&world).await;
        tokio::task::spawn_blocking(move || executor::step(&second)).await.unwrap().unwrap();
        assert_eq!((run(&world, id).await.status, rows(&world, stage.block)), (RunStatus::Success, 1));
    }

    async fn run_again_loads_the_file_as_it_is_by_then(world: World) {
        world.set_clock("2026-05-31T12:00:00Z");
        let stage = by_hand(&world, "returns", Mode::Append).await;
        let file = keep(&world, "returns.csv", "no,such\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let begun = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({"parameters": {"file": file}})).await;
        let id = begun.is(202).id();
        work_off(&world).await;
        assert_eq!(run(&world, id).await.status, RunStatus::Failed);
        replace(&world, file, "returns.csv", "id,word\n1,one\n2,two\n").await;
        let again = olive.post(&format!("runs/{id}/again"), json!({})).await.is(202).id();
        work_off(&world).await;
        let ended = run(&world, again).await;
        assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Success, 2), "{:?}", ended.cause);
        // A fresh file goes before the kept one; none at all is asked for.
        let none = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({})).await;
        assert_eq!(none.is(422).wrong_fields(), ["file"]);
    }

    async fn a_fresh_file_is_loaded_again_and_not_the_kept_one(world: World) {
        let stage = by_hand(&world, "returns", Mode::Append).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n2,two\n3,three\n").await;
        let olive = world.api(&world.olive).await;
        let form = reqwest::multipart::Form::new()
            .text("parameters", json!({"file": file}).to_string())
            .part("file", reqwest::multipart::Part::bytes(&b"id,word\n7,seven\n"[..]).file_name("fresh.csv"));
        let at = format!("import-configurations/{}/files", stage.configuration);
        let id = Reply::of(olive.request(Method::POST, &at).multipart(form)).await.is(202).id();
        work_off(&world).await;
        assert_eq!((run(&world, id).await.status, rows(&world, stage.block)), (RunStatus::Success, 1));
        olive.post(&format!("runs/{id}/again"), json!({})).await.is(202);
        work_off(&world).await;
        assert_eq!(words(&world, stage.block).await, ["seven"]);
    }

    async fn the_run_after_a_freeze_has_its_file(world: World) {
        world.set_clock("2026-05-31T12:00:00Z");
        let stage = by_hand(&world, "returns", Mode::Replace).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let configuration = json!({"configuration_id": stage.configuration});
        olive.post(&format!("applications/{}/schedules", world.application), daily(configuration, json!({"file": file}))).await.is(201);
        crate::freezes::create(&world, "Close", "2026-05-31T20:00:00Z", "2026-06-02T20:00:00Z", true).await;
        for at in ["2026-06-01T04:00:01Z", "2026-06-02T04:00:01Z", "2026-06-02T20:00:01Z"] {
            world.set_clock(at);
            world.step(dispatcher::step).await;
        }
        work_off(&world).await;
        assert_eq!(words(&world, stage.block).await, ["one"]);
    }

    async fn a_schedule_whose_file_is_gone_is_not_brought_back(world: World) {
        let stage = by_hand(&world, "returns", Mode::Replace).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/schedules", world.application);
        let configuration = json!({"configuration_id": stage.configuration});
        let schedule = olive.post(&there, daily(configuration, json!({"file": file}))).await.is(201).id();
        olive.delete(&format!("schedules/{schedule}")).await.is(204);
        olive.delete(&format!("kept-files/{file}")).await.is(204);
        let (person, application, now) = (world.olive.clone(), world.application, world.now());
        let back = world.try_write(move |conn| {
            let by = person.by(conn)?;
            tidegate::schedules::actions::restore(conn, &by, application, schedule, now)
        });
        let refused = back.await.unwrap_err().to_string();
        assert!(refused.starts_with("Its kept file was deleted too"), "{refused}");
    }

    async fn a_run_ends_with_the_file_that_it_began_with(world: World) {
        let stage = by_hand(&world, "large", Mode::Append).await;
        // 20 MB.
        let cell = "x".repeat(50_000);
        let text: String = std::iter::once("id,word\n".to_owned()).chain((0..400).map(|n| format!("{n},{cell}\n"))).collect();
        let file = keep(&world, "large.csv", &text).await;
        let olive = world.api(&world.olive).await;
        let begun = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({"parameters": {"file": file}})).await;
        let id = begun.is(202).id();
        // It is replaced before a worker takes the run, too.
        let work = Arc::new(Replaced { kept: file, by: world.olive.clone() });
        world.step(move |app| executor::step_with(app, work.as_ref())).await;
        let ended = run(&world, id).await;
        assert_eq!((ended.status, ended.result.map(|result| result.added)), (RunStatus::Success, Some(400)), "{:?}", ended.cause);
        let begun = olive.post(&format!("import-configurations/{}/runs", stage.configuration), json!({"parameters": {"file": file}})).await;
        let id = begun.is(202).id();
        replace(&world, file, "large.csv", "id,word\n8,eight\n9,nine\n").await;
        work_off(&world).await;
        let ended = run(&world, id).await;
        assert_eq!(ended.result.map(|result| result.read), Some(1), "the file of when it was asked for");
    }

    async fn a_step_of_a_set_loads_its_kept_file(world: World) {
        world.set_clock("2026-05-31T12:00:00Z");
        let (one, two) = (by_hand(&world, "one", Mode::Append).await, by_hand(&world, "two", Mode::Append).await);
        let file = keep(&world, "one.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let steps = json!([{"configuration_id": one.configuration, "parameters": {"file": file}}, {"configuration_id": two.configuration}]);
        let set = olive.post(&format!("applications/{}/import-sets", world.application), json!({"name": "Both", "steps": steps})).await.is(201).id();
        // The second step has no file of its own.
        let begun = olive.post(&format!("import-sets/{set}/runs"), json!({})).await;
        assert_eq!(begun.is(422).wrong_fields(), ["parameters.2.file"]);
        assert!(begun.body.contains("Step 2: two takes a file for each run"), "{}", begun.body);
        let here = format!("applications/{}/schedules", world.application);
        let none = olive.post(&here, daily(json!({"set_id": set}), json!({}))).await;
        assert_eq!(none.is(422).wrong_fields(), ["parameters.2.file"]);
        let bad = keep(&world, "two.csv", "no,such\n1,one\n").await;
        olive.post(&here, daily(json!({"set_id": set}), json!({"2.file": bad}))).await.is(201);
        let failed = at_six(&world, 1).await;
        assert_eq!(statuses(&world, failed.id).await, ["Success", "Failed"], "{:?}", failed.cause);
        let refused = olive.delete(&format!("kept-files/{file}")).await;
        assert!(refused.is(409).body.contains("is used by import sets: the import set \\\"Both\\\""), "{}", refused.body);
        assert!(olive.delete(&format!("kept-files/{bad}")).await.is(409).body.contains("schedules"));
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/runs/{}", failed.id)).await.sees("two.csv");
        // It is mended, and only the second step goes again.
        replace(&world, bad, "two.csv", "id,word\n2,two\n").await;
        let again = olive.post(&format!("runs/{}/again", failed.id), json!({})).await.is(202).id();
        work_off(&world).await;
        assert_eq!(statuses(&world, again).await, ["Success", "Success"]);
        assert!(of_set(&world, again).await.steps[0].taken_over);
        assert_eq!((rows(&world, one.block), rows(&world, two.block)), (1, 1));
    }

    async fn what_a_set_has_yet_to_load_is_not_deleted(world: World) {
        let (one, two) = (by_hand(&world, "one", Mode::Append).await, by_hand(&world, "two", Mode::Append).await);
        let file = keep(&world, "both.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let steps = json!([{"configuration_id": one.configuration}, {"configuration_id": two.configuration}]);
        let set = olive.post(&format!("applications/{}/import-sets", world.application), json!({"name": "Both", "steps": steps})).await.is(201).id();
        let id = olive.post(&format!("import-sets/{set}/runs"), json!({"parameters": {"file": file}})).await.is(202).id();
        let refused = olive.delete(&format!("kept-files/{file}")).await;
        assert!(refused.is(409).body.contains(&format!("run {id}, which has yet to load it. Wait for them to end.")), "{}", refused.body);
        work_off(&world).await;
        assert_eq!(statuses(&world, id).await, ["Success", "Success"]);
        olive.delete(&format!("kept-files/{file}")).await.is(204);
    }

    async fn a_file_for_all_steps_is_given_once(world: World) {
        let (one, two) = (by_hand(&world, "one", Mode::Append).await, by_hand(&world, "two", Mode::Append).await);
        let file = keep(&world, "both.csv", "id,word\n1,one\n").await;
        let olive = world.api(&world.olive).await;
        let steps = json!([{"configuration_id": one.configuration}, {"configuration_id": two.configuration}]);
        let set = olive.post(&format!("applications/{}/import-sets", world.application), json!({"name": "Both", "steps": steps})).await.is(201).id();
        let id = olive.post(&format!("import-sets/{set}/runs"), json!({"parameters": {"file": file}})).await.is(202).id();
        work_off(&world).await;
        assert_eq!(statuses(&world, id).await, ["Success", "Success"]);
        assert_eq!((rows(&world, one.block), rows(&world, two.block)), (1, 1));
    }

    async fn what_takes_a_file_declares_no_other_of_that_name(world: World) {
        let stage = by_hand(&world, "returns", Mode::Append).await;
        let olive = world.api(&world.olive).await;
        let declared = json!({"parameters": [{"name": "file", "type": "text"}]});
        let refused = olive.patch(&format!("import-configurations/{}", stage.configuration), declared).await;
        assert_eq!(refused.is(422).wrong_fields(), ["parameters[0].name"]);
    }
}

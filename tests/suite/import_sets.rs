//! Import sets as people make, change, copy and delete them, with scripts off; and who is told what.

use serde_json::{Value, json};
use tidegate::applications::enter;
use tidegate::audit;
use tidegate::import_sets::{self, Draft, Execution, ImportSet, OnFailure, SetDefinition, Step, actions};
use tidegate::imports::Mode;

use crate::running::start;
use crate::schedules::{create as create_schedule, daily, draft};
use crate::support::World;
use crate::support::stage::{Stage, csv, stage};

pub fn page(world: &World) -> String {
    format!("/applications/{}/settings/import-sets", world.application)
}

/// A sequential set of "FP&A 2026" that stops, made by Olive.
pub async fn create(world: &World, name: &str, configurations: &[i64]) -> ImportSet {
    let steps = configurations.iter().map(|id| Step::of(*id)).collect();
    let definition = SetDefinition { execution: Execution::Sequential, on_failure: OnFailure::Stop, steps };
    let draft = Draft { name: name.to_owned(), definition };
    let (olive, application, now) = (world.olive.clone(), world.application, world.now());
    let secrets = world.app().secrets.clone();
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = enter(conn, &by, application)?;
            actions::create(conn, &secrets, &by, &entered, draft, now)
        })
        .await
}

/// The set and its newest definition, as they are kept.
async fn kept(world: &World, id: i64) -> (ImportSet, SetDefinition) {
    world
        .read(move |conn| {
            let set = import_sets::by_id(conn, id)?.unwrap();
            let definition = import_sets::version(conn, id, set.version)?.unwrap();
            Ok((set, definition))
        })
        .await
}

/// The configurations of its steps.
async fn order(world: &World, id: i64) -> Vec<i64> {
    kept(world, id).await.1.steps.iter().map(|step| step.configuration_id).collect()
}

/// Three configurations, "alpha", "beta" and "gamma".
pub async fn three(world: &World) -> [Stage; 3] {
    [
        stage(world, "alpha", Mode::Append, |_| ()).await,
        stage(world, "beta", Mode::Append, |_| ()).await,
        stage(world, "gamma", Mode::Append, |_| ()).await,
    ]
}

/// Action, before and after of what was done to sets, the oldest first.
async fn audited(world: &World) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut entries = world.read(|conn| audit::list(conn, &audit::Filter::default(), None, 100)).await;
    entries.reverse();
    let of_sets = entries.into_iter().filter(|e| e.subject_kind == "import_set");
    of_sets.map(|e| (e.action, e.before, e.after)).collect()
}

on_both! {
    async fn a_set_is_made_reordered_copied_and_deleted(world: World) {
        let [alpha, beta, gamma] = three(&world).await.map(|stage| stage.configuration);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings", world.application)).await;
        olive.within(".side").follow("Import sets").await.answered(200);
        olive.sees("No import sets yet").sees("A month-end close may load accounts");
        olive.everywhere().follow("New import set").await.answered(200).sees("There are no steps yet.");
        olive.fill("Name", "Month end");
        for name in ["alpha", "beta", "gamma", "beta"] {
            let choice = format!("{name} (fills {name})");
            olive.choose("Import configuration to add", &choice).press("Add step").await.answered(200);
        }
        assert_eq!(olive.value("Name"), "Month end", "what was typed stays");
        assert_eq!((olive.count("#steps > li"), olive.count("#add[autofocus]")), (4, 1));
        olive.sees("Step 4 of 4: beta").sees("4 steps, one after the other. If one fails, the steps after it are skipped.");
        olive.in_row("gamma").press("Move gamma up").await.answered(200).sees("Step 2 of 4: gamma");
        assert_eq!(olive.count("li.moved:nth-child(2) button[value='up:1'][autofocus]"), 1);
        olive.in_row("gamma").press("Move gamma up").await.sees("Step 1 of 4: gamma");
        // At the end the focus goes to the way back.
        assert_eq!(olive.count("button[value='up:0'][disabled]") + olive.count("button[value='down:0'][autofocus]"), 2);
        olive.in_row("alpha").tick("Partial counts as failed in alpha").press("Move alpha down").await;
        olive.sees("Step 3 of 4: alpha");
        olive.within("#step-1").press("Remove beta").await.answered(200).sees("Removed beta. 3 steps");
        assert_eq!(olive.count("#step-1 button[value='remove:1'][autofocus]"), 1);
        olive.choose("How the steps run", "Parallel").choose("When a step fails", "Continue");
        olive.press("Save import set").await.answered(200).sees("Created the import set “Month end” with 3 steps.");
        olive.in_row("Month end").sees("3 steps").sees("gamma, alpha, beta").sees("Parallel").sees("Continue").sees("Not run yet");
        olive.everywhere().follow("Month end").await;
        let id: i64 = olive.path().rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(order(&world, id).await, [gamma, alpha, beta]);
        let definition = kept(&world, id).await.1;
        assert_eq!((definition.execution, definition.on_failure), (Execution::Parallel, OnFailure::Continue));
        let strict: Vec<bool> = definition.steps.iter().map(|step| step.partial_fails).collect();
        assert_eq!(strict, [false, true, false]);
        // What changes nothing makes no version.
        olive.press("Save import set").await.sees("Saved the import set “Month end” with 3 steps.");
        assert_eq!(kept(&world, id).await.0.version, 1);
        olive.follow("Month end").await.press("Copy").await.answered(200).sees("This is “Copy of Month end”, with the same steps.");
        assert_eq!(olive.value("Name"), "Copy of Month end");
        let copy: i64 = olive.path().rsplit('/').next().unwrap().parse().unwrap();
        assert_eq!(kept(&world, copy).await.1, definition);
        olive.visit(&format!("{}/{id}", page(&world))).await.press("Copy").await.sees("This is “Copy of Month end (2)”");
        olive.follow("Delete").await.sees("Delete the import set “Copy of Month end (2)”?").sees("history of its runs stay");
        olive.press("Delete import set").await.sees("Deleted the import set “Copy of Month end (2)”.");
        assert_eq!(olive.count("#list tbody tr"), 2);
        let done: Vec<String> = audited(&world).await.into_iter().map(|(action, ..)| action).collect();
        assert_eq!(done, ["import_set.created", "import_set.created", "import_set.created", "import_set.deleted"]);
    }

    async fn what_is_wrong_stands_at_its_step_and_what_was_typed_stays(world: World) {
        let [alpha, _, _] = three(&world).await;
        let mut olive = world.browser(&world.olive).await;
        let new = format!("{}/new", page(&world));
        olive.visit(&new).await.sees("A set cannot contain another set.");
        assert_eq!(olive.count("#add option"), 4);
        olive.press("Add step").await.answered(422).sees("Choose an import configuration to add.");
        assert_eq!(olive.count("#add[aria-invalid]"), 1);
        olive.fill("Name", " ").press("Save import set").await.answered(422);
        olive.sees("Enter a name.").sees("Add at least one step.");
        // Another page deleted it, or somebody typed the address.
        let of_nothing = [("name", "Odd"), ("execution", "sideways"), ("step-x-configuration", "999999")];
        let refused = olive.post(&new, &of_nothing).await;
        assert_eq!(refused.status, 422);
        for words in ["Choose how the steps run.", "Choose what happens when a step fails.", "No import configuration"] {
            assert!(refused.text().contains(words), "{words}: {}", refused.text());
        }
        let known = [("execution", "parallel"), ("on_failure", "stop")];
        let refused = olive.post(&new, &[&of_nothing[..1], &known, &of_nothing[2..]].concat()).await;
        assert!(refused.text().contains("There is no such import configuration in this Application."), "{}", refused.text());
        assert!(refused.body.contains(r##"<a href="#step-0">"##) && refused.body.contains(r#"id="step-0""#));
        let many: Vec<String> = (0..51).map(|n| format!("step-{n}-configuration")).collect();
        let fields: Vec<(&str, &str)> = many.iter().map(|name| (name.as_str(), "1")).collect();
        let refused = olive.post(&new, &[&[("name", "Many")][..], &known, &fields].concat()).await;
        assert!(refused.status == 422 && refused.text().contains("A set has at most 50 steps."), "{}", refused.text());
        let odd = [("go", "up:nothing"), ("step-\0-configuration", "99999999999999999999"), ("version", "x")];
        assert!(olive.post(&new, &odd).await.status < 500);
        create(&world, "Réglage", &[alpha.configuration]).await;
        olive.visit(&new).await.fill("Name", "RE\u{301}GLAGE").choose("Import configuration to add", "beta (fills beta)");
        olive.press("Add step").await.press("Save import set").await.answered(409);
        olive.sees("An import set named \"RÉGLAGE\" already exists in this Application.");
        assert_eq!((olive.count("#name[aria-invalid]"), olive.count("#steps > li")), (1, 1));
        olive.fill("Name", "Other").press("Save import set").await.answered(200).sees("with 1 step.");
    }

    async fn what_a_set_does_is_said_while_it_is_typed(world: World) {
        let [alpha, ..] = three(&world).await;
        let olive = world.browser(&world.olive).await;
        let id = alpha.configuration.to_string();
        let typed = [("execution", "parallel"), ("on_failure", "stop"),
            ("step-4-configuration", &id), ("step-2-configuration", &id), ("step-2-partial", "on")];
        let said = olive.htmx_post(&format!("{}/preview", page(&world)), &typed).await;
        assert_eq!(said.status, 200);
        for words in ["2 steps, all at once.", "Step 2 counts Partial as failed.", "fill the same Block, alpha"] {
            assert!(said.text().contains(words), "{words}: {}", said.text());
        }
        assert!(!said.body.contains("<html"));
    }

    async fn a_stale_form_replaces_nothing(world: World) {
        let [alpha, beta, _] = three(&world).await.map(|stage| stage.configuration);
        let set = create(&world, "Month end", &[alpha, beta]).await;
        let mut ada = world.browser(&world.ada).await;
        let mut olive = world.browser(&world.olive).await;
        for browser in [&mut ada, &mut olive] {
            browser.visit(&format!("{}/{}", page(&world), set.id)).await;
        }
        ada.in_row("beta").press("Move beta up").await.press("Save import set").await.answered(200);
        olive.fill("Name", "Close").press("Save import set").await.answered(412).sees("Ada changed \"Month end\" just now");
        assert_eq!(olive.value("Name"), "Close");
        assert_eq!(kept(&world, set.id).await.0.name, "Month end");
        olive.press("Save import set").await.answered(200);
        let (set, _) = kept(&world, set.id).await;
        assert_eq!((set.name.as_str(), set.version), ("Close", 3));
        assert_eq!(order(&world, set.id).await, [alpha, beta]);
    }

    async fn others_read_and_are_told_who_can(world: World) {
        let [alpha, beta, _] = three(&world).await.map(|stage| stage.configuration);
        let set = create(&world, "Month end", &[alpha, beta]).await;
        let one = format!("{}/{}", page(&world), set.id);
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&page(&world)).await.sees_no("New import set");
        audrey.follow("Month end").await;
        audrey.sees("You can view this page but not change it.").sees("Olive can grant it.").sees("alpha").sees_no("Delete");
        audrey.sees("2 steps, one after the other.").sees("Show history").sees_no("Run now").sees_no("Schedule it");
        assert_eq!(audrey.count("main form"), 0);
        let mut mo = world.browser(&world.mo).await;
        for path in [&page(&world), &one] {
            assert_eq!(mo.open(path).await, 403);
        }
        let stranger = world.browser(&world.stranger).await;
        for application in [world.application, world.elsewhere] {
            let path = format!("/applications/{application}/settings/import-sets/{}", set.id);
            assert_eq!(stranger.get(&path).await.status, 404);
            for end in ["", "/copy", "/delete"] {
                assert_eq!(stranger.post(&format!("{path}{end}"), &[]).await.status, 404, "{path}{end}");
            }
        }
    }

    /// A configuration that is a step stays, and stays one that can be.
    async fn what_a_set_needs_stays(world: World) {
        let [alpha, beta, gamma] = three(&world).await.map(|stage| stage.configuration);
        let set = create(&world, "Month end", &[alpha, beta, alpha]).await;
        let imports = format!("/applications/{}/settings/import-configurations", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{imports}/{alpha}/delete")).await.sees("It is in use.").sees("the import set \"Month end\"");
        olive.follow("the import set \"Month end\"").await.sees("3 steps");
        assert_eq!(olive.post(&format!("{imports}/{alpha}/delete"), &[]).await.status, 409);
        let api = world.api(&world.olive).await;
        let refused = api.delete(&format!("import-configurations/{alpha}")).await;
        assert!(refused.is(409).body.contains("Remove it from there, or delete them, first."), "{}", refused.body);
        let by_hand = json!({"connection_id": null, "source": null});
        let refused = api.patch(&format!("import-configurations/{beta}"), by_hand.clone()).await;
        assert_eq!(refused.wrong_fields(), ["connection_id"]);
        assert!(refused.body.contains("It is a step of the import set"), "{}", refused.body);
        // Only the newest version counts, and no set that is gone.
        api.patch(&format!("import-sets/{}", set.id), json!({"steps": [{"configuration_id": beta}]})).await.is(200);
        api.delete(&format!("import-configurations/{alpha}")).await.is(204);
        api.patch(&format!("import-configurations/{gamma}"), by_hand.clone()).await.is(200);
        let gone = api.patch(&format!("import-sets/{}", set.id), json!({"steps": [{"configuration_id": alpha}]})).await;
        assert!(gone.body.contains("\\\"alpha\\\" was deleted."), "{}", gone.body);
        api.patch(&format!("import-sets/{}", set.id), json!({"steps": [{"configuration_id": gamma}]})).await.is(200);
        api.delete(&format!("import-sets/{}", set.id)).await.is(204);
        api.delete(&format!("import-configurations/{beta}")).await.is(204);
    }

    async fn what_is_scheduled_or_runs_is_not_deleted(world: World) {
        csv(&world, "alpha", &[("1", "one")]);
        let [alpha, beta, _] = three(&world).await;
        let set = create(&world, "Month end", &[beta.configuration]).await;
        let schedule = create_schedule(&world, draft(&alpha, &daily("18:00"))).await;
        let run = start(&world, &alpha).await;
        let (id, schedule, run) = (set.id, schedule.id, run.id);
        world.write(move |conn| becomes_of_set(conn, id, schedule, run)).await;
        let one = format!("{}/{id}", page(&world));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{one}/delete")).await.sees("It is in use.").sees("one of Olive").sees(&format!("run {run}, which is queued"));
        let refused = olive.post(&format!("{one}/delete"), &[]).await;
        assert_eq!(refused.status, 409);
        let api = world.api(&world.olive).await;
        let refused = api.delete(&format!("import-sets/{id}")).await;
        assert!(refused.is(409).body.contains("is used by runs"), "{}", refused.body);
    }
}

/// A schedule and a run of a configuration become the set's.
fn becomes_of_set(conn: &mut tidegate::db::Conn, id: i64, schedule: i64, run: i64) -> tidegate::error::Result<()> {
    use diesel::prelude::*;
    use tidegate::db::schema::{runs, schedules};
    diesel::update(schedules::table.find(schedule))
        .set((
            schedules::configuration_id.eq(None::<i64>),
            schedules::set_id.eq(id),
            schedules::target_key.eq(format!("s{id}")),
        ))
        .execute(conn)?;
    diesel::update(runs::table.find(run))
        .set((runs::configuration_id.eq(None::<i64>), runs::set_id.eq(id)))
        .execute(conn)?;
    Ok(())
}

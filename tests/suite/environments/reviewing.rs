//! The pages, without scripts: cloned with a choice for each Connection, looked at, turned on.

use super::*;

on_both! {
    async fn a_copy_is_made_looked_at_and_turned_on(world: World) {
        let full = full(&world).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{}/settings/environment", world.application)).await.follow("Clone …").await;
        ada.sees("4 schedules are copied, all turned off.").sees("3 rows, copied Block by Block");
        assert_eq!(ada.value("Name"), "FP&A 2026 (test)");
        // Nobody reads from production by accident.
        ada.press("Clone").await.answered(422).sees("Choose what the copy reads instead of Folder of sales.");
        ada.choose("Connection instead of Folder of sales", "Folder of sales").fill("Name", "Elsewhere").press("Clone").await;
        ada.answered(409).sees("An Application named Elsewhere already exists.");
        ada.fill("Name", "Trial").choose("Rows of its Blocks", "With rows").press("Clone").await;
        ada.sees("Created Trial. Its 4 schedules are off.").sees("3 schedules are off.").sees("Cloned from FP&A 2026 on").sees("Rows are being copied");
        world.step(environments::step).await;
        ada.press("Turn on the chosen ones").await.answered(422).sees("Choose the schedules to turn on.");
        ada.follow("Choose all 3 that are ready").await.press("Turn on the chosen ones (3)").await.sees("3 schedules are on.");
        ada.sees_no("copied schedule");
        let path = ada.path();
        let copy: i64 = path.split('/').nth(2).unwrap().parse().unwrap();
        ada.visit(&format!("/applications/{copy}/settings/import-scheduling/review")).await.sees("Nothing waits here.");
        // They run at their next occurrence, in the copy and in the original.
        world.set_clock("2026-10-09T04:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let runs = world.api(&world.ada).await.get(&format!("runs?application_id={copy}&limit=50")).await;
        let status = |r: &Value| (r["parent_id"].is_null(), r["status"].as_str().unwrap().to_owned());
        assert!(runs.items().iter().filter(|r| status(r).0).count() == 3, "{}", runs.body);
        assert_eq!(crate::support::stage::rows(&world, full.sales.block), 3);
    }

    async fn whoever_has_enough_of_it_is_asked_no_more(world: World) {
        full(&world).await;
        let copy = clone(&world, "Copy", json!({})).await;
        let list = format!("/applications/{copy}/settings/import-scheduling");
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&list).await.sees("3 copied schedules are off.");
        audrey.follow("Review").await.sees("cannot run yet").sees_no("Leave them off and hide this");
        assert_eq!(audrey.post(&format!("{list}/review"), &[("do", "later")]).await.status, 403);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{list}/review?show=ready")).await.sees("returns").sees_no("not authorised");
        olive.visit(&format!("{list}/review")).await.press("Leave them off and hide this").await.sees("They stay off, and you will not be asked again.").sees_no("copied schedules");
        // What cannot run is not turned on, whoever sends it.
        let all = schedules(&world, copy).await;
        for schedule in &all {
            olive.post(&format!("{list}/review"), &[("s", &schedule["id"].to_string())]).await;
        }
        let on = schedules(&world, copy).await.iter().filter(|s| s["state"] == "on").count();
        assert_eq!(on, 2, "the import by hand, and the one that was off before");
    }

    /// What was off before a reset is off after it: the review says so, and not that all is on.
    async fn after_a_reset_the_review_says_what_is_off(world: World) {
        full(&world).await;
        let copy = clone(&world, "Copy", json!({})).await;
        world.advance(chrono::Duration::minutes(1));
        world.api(&world.ada).await.post(&format!("applications/{copy}/reset"), json!({"name": "Copy"})).await.is(202);
        world.step(environments::step).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{copy}/settings/import-scheduling/review")).await.sees("Nothing waits here.");
        ada.sees("4 schedules are off. They were off before, or were turned off since. Turn them on in Import Scheduling.");
        ada.sees_no("No schedule here is turned off");
    }

    /// That the rows are copied is said once they are, and nothing of rows where a copy takes none.
    async fn a_copy_says_when_its_rows_are_there(world: World) {
        full(&world).await;
        let mut ada = world.browser(&world.ada).await;
        for (name, rows) in [("Whole", true), ("Bare", false)] {
            let copy = clone(&world, name, json!({ "rows": rows })).await;
            world.step(environments::step).await;
            ada.visit(&format!("/applications/{copy}/settings/environment")).await.sees("Cloned from FP&A 2026").sees_no("removed");
            assert_eq!(ada.body.contains("The rows of 4 Blocks are copied."), rows, "{name}");
            world.advance(chrono::Duration::minutes(2));
            ada.visit(&format!("/applications/{copy}/settings/environment")).await.sees_no("are copied.");
        }
    }

    async fn where_there_is_no_schedule_nothing_is_said_of_any(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{}/reset", world.application)).await.sees_no("0 schedules");
        ada.visit(&format!("/applications/{}/clone", world.application)).await.fill("Name", "Trial").press("Clone").await;
        ada.answered(200).sees("Created Trial.").sees_no("0 schedules");
        ada.follow("Refresh …").await.sees("Refresh Trial").sees_no("0 schedules");
    }
}

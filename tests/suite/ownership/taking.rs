//! What its Owner cannot run is flagged wherever it is shown, before it fails; whoever may import takes it with one button.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::application_access;
use tidegate::notifications::owners;
use tidegate::runs::{RunStatus, dispatcher};

use super::*;
use crate::dispatching::runs;
use crate::running::work_off;
use crate::support::cast;
use crate::support::stage::csv;

fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-scheduling", world.application)
}

/// Olive may no longer import here; Una may.
async fn una_instead(world: &World) -> Person {
    let (olive, application, now) = (world.olive.id, world.application, world.now());
    world
        .write(move |conn| {
            let olives = application_access::table.filter(application_access::member_id.eq(olive));
            diesel::update(olives).set(application_access::can_import_data.eq(false)).execute(conn)?;
            let una = cast::member(conn, "Una", "Importer", now)?;
            cast::grant(conn, application, &una, (true, false))?;
            Ok(una)
        })
        .await
}

on_both! {
    async fn a_lost_right_is_flagged_everywhere_before_it_fails(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let words = "Olive lacks Import Data in FP&A 2026.";
        let mut ada = world.browser(&world.ada).await;
        let (edit, api) = (format!("/applications/{}/schedules/{}/edit", world.application, made[0].id), world.api(&world.ada).await);
        ada.visit(&list(&world)).await.sees_no(words).sees_no("Take ownership");
        assert_eq!(api.get(&format!("schedules/{}", made[0].id)).await.json["flagged"], json!(null));
        una_instead(&world).await;
        ada.visit(&list(&world)).await.sees(words).sees("1 schedule they own will fail until another member owns them.");
        ada.in_row("Every day at 06:00").sees("Olive (may not import here)").sees("It will fail.");
        ada.visit(&edit).await.sees("Olive lacks Import Data in FP&A 2026. It will fail. If you change it, the Owner changes from Olive to you.");
        ada.visit("/ownership").await.in_row(words).sees("1 schedule");
        for path in [format!("schedules/{}", made[0].id), format!("applications/{}/schedules", world.application)] {
            let answer = api.get(&path).await;
            let one = if path.starts_with("app") { &answer.items()[0] } else { &answer.json };
            assert_eq!(one["flagged"], words, "{path}");
        }
        // Who only looks is offered nothing.
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&list(&world)).await.sees(words).sees_no("Take ownership");
    }

    async fn whoever_may_import_takes_it(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.mo]).await;
        let una = una_instead(&world).await;
        let mut browser = world.browser(&una).await;
        browser.visit(&list(&world)).await.in_row("Every day at 06:00").press("Take ownership of Every day at 06:00").await;
        browser.answered(200).sees("You now own: Every day at 06:00, UTC.");
        assert_eq!(stands(&world, made[0].id).await, (una.id, vec![world.mo.id], made[0].version + 1));
        world.advance(Duration::seconds(1));
        browser.everywhere().press("Take all 2").await;
        browser.answered(200).sees("You now own 2 more schedules.").sees_no("will fail");
        let wanted = ("schedule.ownership-taken".to_owned(), json!(world.olive.id), json!(una.id));
        assert_eq!(log(&world).await, vec![wanted; 3]);
        assert_eq!(find(&world, made[2].id).await.next_at, made[2].next_at);
        world.advance(Duration::minutes(1));
        world.step(owners::changes).await;
        let told = world.api(&world.mo).await.get("notifications").await;
        assert_eq!(told.items().len(), 2, "of one, and of two");
        // Nothing is left to take.
        let again = browser.post(&format!("/applications/{}/schedules/take-ownership", world.application), &[]).await;
        assert!(again.status == 409 && again.text().contains("No schedule needs a new Owner any more."), "{}", again.text());
    }

    /// The page lists it with the hand-overs, and who took it by mistake gives it back at once, flagged as it was.
    async fn what_was_taken_is_listed_and_can_be_given_back(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[]).await;
        let una = una_instead(&world).await;
        let mut browser = world.browser(&una).await;
        browser.visit(&list(&world)).await.in_row("Every day at 06:00").press("Take ownership of Every day at 06:00").await;
        browser.sees("You now own: Every day at 06:00, UTC.");
        browser.everywhere().press("Undo").await.answered(200).sees("Undone. Its former Owner has it again: Every day at 06:00, UTC.");
        browser.sees("3 schedules they own will fail");
        assert_eq!(stands(&world, made[0].id).await, (world.olive.id, vec![], made[0].version + 2));
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/ownership").await.in_row("Olive to Una").sees("1 schedule by Take ownership").sees("Undone by Una");
        world.advance(Duration::minutes(1));
        browser.visit(&list(&world)).await.press("Take all 3").await.sees("You now own 3 more schedules.");
        ada.visit("/ownership").await.in_row("3 schedules").sees("Olive to Una").sees_no("Undo");
        world.advance(Duration::seconds(1));
        world.api(&una).await.patch(&format!("schedules/{}", made[1].id), json!({"start_time": "07:30"})).await.is(200);
        browser.everywhere().press("Undo").await.answered(200).sees("Undone. 2 schedules are back with their former Owners.").sees("1 was changed since and stays");
        assert_eq!(stands(&world, made[1].id).await.0, una.id);
        assert_eq!(stands(&world, made[2].id).await.0, world.olive.id);
    }

    /// Nobody is told that it runs again where it cannot.
    async fn what_is_given_back_to_who_cannot_run_it_is_told_as_what_will_fail(world: World) {
        owned(&world, &["06:00", "07:00", "08:00"], &[&world.mo, &world.olive]).await;
        let una = una_instead(&world).await;
        let mut browser = world.browser(&una).await;
        browser.visit(&list(&world)).await.in_row("Every day at 06:00").press("Take ownership of Every day at 06:00").await;
        browser.everywhere().press("Undo").await.sees("Undone. Its former Owner has it again");
        world.advance(Duration::minutes(1));
        browser.visit(&list(&world)).await.press("Take all 3").await.press("Undo").await.sees("Undone. 3 schedules are back");
        world.advance(Duration::minutes(1));
        world.step(owners::changes).await;
        for (person, one, all) in [
            (&world.mo, "A schedule that notifies you belongs to Olive again", "3 schedules that notify you belong to Olive again"),
            (&world.olive, "You own a schedule again", "You own 3 schedules again"),
        ] {
            let mut told = world.browser(person).await;
            told.visit("/notifications").await.sees(one).sees(all).sees_no("rights again");
            let heard = if person.id == world.olive.id { "You are notified." } else { "You will still be notified." };
            told.sees(&format!("Una no longer owns it. It will fail until someone who may import owns it. {heard}"));
            told.sees(&format!("Una no longer owns them. They will fail until someone who may import owns them. {heard}"));
        }
    }

    async fn the_api_takes_what_is_flagged_and_nothing_else(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let path = format!("schedules/{}/take-ownership", made[0].id);
        let ada = world.api(&world.ada).await;
        let refused = ada.post(&path, json!({})).await;
        assert!(refused.is(409).json["detail"].as_str().unwrap().contains("Olive owns this schedule and can run it."));
        // Taking what is one's own changes nothing.
        world.api(&world.olive).await.post(&path, json!({})).await.is(200);
        assert_eq!(stands(&world, made[0].id).await, (world.olive.id, vec![], made[0].version));
        let una = una_instead(&world).await;
        world.api(&world.olive).await.post(&path, json!({})).await.is(403);
        world.api(&world.mo).await.post(&path, json!({})).await.is(403);
        let taken = world.api(&una).await.post(&path, json!({})).await;
        assert_eq!((&taken.is(200).json["owner_id"], &taken.json["flagged"]), (&json!(una.id), &json!(null)));
        assert_eq!(taken.json["version"], made[0].version + 1);
        ada.post("schedules/999999/take-ownership", json!({})).await.is(404);
    }

    /// The peer's story: the Owner is gone, a run failed and nobody saw it. Here it says so before, says so after, and one
    /// button mends it.
    async fn an_owner_who_is_gone_is_seen_and_replaced(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        owned_of(&world, &words, &["09:00"], &[]).await;
        world.api(&world.ada).await.patch(&format!("members/{}", world.olive.id), json!({"active": false})).await.is(200);
        world.step(owners::unable).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/notifications").await.sees("1 schedule of Olive will fail");
        ada.visit("/").await.sees("1 schedule of Olive will fail").sees("Olive is deactivated. A schedule runs with the rights of its Owner, so this one fails until someone else owns it.");
        world.set_clock("2026-10-05T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let run = runs(&world).await.pop().unwrap();
        assert_eq!(run.status, RunStatus::Failed, "no closed account goes on silently");
        assert!(run.cause.unwrap().starts_with("Olive, the Owner of the schedule, is deactivated."));
        ada.visit(&list(&world)).await.sees("Olive is deactivated.");
        ada.in_row("Every day at 09:00").press("Take ownership of Every day at 09:00").await.sees("You now own");
        world.set_clock("2026-10-06T09:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        assert_eq!(runs(&world).await.pop().unwrap().status, RunStatus::Success);
        world.step(owners::unable).await;
        ada.visit("/notifications").await.sees_no("Open incidents");
    }
}

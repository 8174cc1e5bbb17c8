//! The form: every change is shown before it happens, and nothing else happens.

use chrono::Duration;
use serde_json::json;
use tidegate::error::AppError;
use tidegate::notifications::owners;
use tidegate::ownership::reckoning::{Which, Wish};
use tidegate::runs::RunStatus;
use tidegate::runs::dispatcher;

use super::*;
use crate::dispatching::runs;
use crate::running::work_off;
use crate::schedules::{draft, try_create};
use crate::support::stage::csv;

const FORM: &str = "/ownership/hand-over";

on_both! {
    /// The page of a member says where they may go, what they own and what they are told of, and leads to where that is changed.
    async fn the_page_of_a_member_says_what_they_have(world: World) {
        owned(&world, &["06:00", "07:00"], &[&world.mo]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/members/{}", world.olive.id)).await.sees("FP&A 2026: owns 2 schedules").sees("FP&A 2026: View, Import Data and Configure");
        ada.follow("Hand over the schedules of Olive").await.sees("Hand over schedules").sees("All 2");
        ada.visit(&format!("/members/{}", world.mo.id)).await.sees("FP&A 2026: is notified about 2 schedules").sees("FP&A 2026: View");
        ada.follow("FP&A 2026: View").await.answered(200);
        assert_eq!(ada.path(), format!("/applications/{}/settings/members", world.application));
        ada.visit(&format!("/members/{}", world.ada.id)).await.sees("An Administrator has every permission in every Application.");
        ada.sees("Ada owns no schedule and is not named as a recipient of any.");
    }

    async fn every_change_is_shown_and_then_made(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.olive, &world.mo]).await;
        // One of Ada's own that tells Olive.
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        let notify = Some(Notify { about: About::All, member_ids: vec![world.olive.id], group_ids: Vec::new(), after: 1 });
        let own = try_create(&world, &world.ada, Draft { notify, ..draft(&words, &daily("09:00")) }).await.unwrap();
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/ownership").await.sees("Every schedule has an Owner who can run it.");
        ada.follow("Hand over schedules").await.sees("Choose whose schedules to hand over.");
        ada.sees("What to do next").sees("Under From, choose whose schedules to hand over.");
        ada.choose("From", "Olive (3 schedules)").press("Show what changes").await.answered(200);
        ada.sees("Choose the new Owner.").sees("All 4").sees("payroll");
        assert_eq!(ada.count("button.btn-primary"), 0, "nothing would change yet");
        ada.choose("To", "Ada").press("Show what changes").await.answered(200);
        ada.sees("3 of 3 schedules go from Olive to Ada.").sees("Ada is notified instead of Olive, in 4 schedules");
        ada.sees("Tell 1 recipient that the Owner changed").sees("Tomorrow, 06:00");
        assert_eq!(stands(&world, made[0].id).await.0, world.olive.id, "it was only shown");
        ada.press("Hand over 3 schedules").await.answered(200).sees("3 schedules handed over from Olive to Ada.");
        let mut told = vec![world.ada.id, world.mo.id];
        told.sort_unstable();
        for was in &made {
            assert_eq!(stands(&world, was.id).await, (world.ada.id, told.clone(), was.version + 1));
            assert_eq!(find(&world, was.id).await.next_at, was.next_at, "nothing is lost or shifted");
        }
        assert_eq!(stands(&world, own.id).await, (world.ada.id, vec![world.ada.id], own.version + 1));
        let (ada_id, olive_id) = (json!(world.ada.id), json!(world.olive.id));
        let mut wanted = vec![("schedule.handed-over".to_owned(), olive_id.clone(), ada_id.clone()); 3];
        wanted.push(("schedule.recipients-replaced".to_owned(), ada_id.clone(), ada_id));
        assert_eq!(log(&world).await, wanted, "one entry each");
        ada.visit("/ownership").await.in_row("Olive to Ada").sees("4 schedules");
        ada.press("Undo").await;
        ada.answered(200).sees("Undone. 4 schedules are as they were.").sees("Undone by Ada");
        for was in made.iter().chain([&own]) {
            let now = find(&world, was.id).await;
            assert_eq!((now.owner_id, &now.notify, now.next_at), (was.owner_id, &was.notify, was.next_at));
            assert_eq!(now.version, was.version + 2);
        }
        ada.visit(FORM).await.choose("From", "Olive (3 schedules)").press("Show what changes").await;
        ada.choose("To", "Ada").press("Show what changes").await;
        // What is unticked is another choice: it is shown before it is done.
        ada.untick("Hand over payroll, Every day at 07:00, UTC").press("Hand over 3 schedules").await;
        ada.answered(412).sees("so nothing was handed over").sees("2 of 3 schedules go from Olive to Ada.");
        ada.press("Hand over 2 schedules").await.answered(200).sees("2 schedules handed over from Olive to Ada. 1 stays with Olive.");
        assert_eq!(stands(&world, made[1].id).await.0, world.olive.id);
    }

    async fn what_the_new_owner_may_not_run_stays_unless_it_is_chosen(world: World) {
        let made = owned(&world, &["06:00", "07:00"], &[&world.olive]).await;
        let mut ada = world.browser(&world.ada).await;
        let page = format!("{FORM}?from={}&to={}", world.olive.id, world.stranger.id);
        ada.visit(&page).await.sees("Stranger lacks Import Data in FP&A 2026.").sees("2 schedules stay with Olive.");
        ada.sees("Stranger may not import here").sees("Nothing changes.");
        assert_eq!(ada.count("button.btn-primary"), 0);
        assert!(ada.page().html().contains(&format!("/applications/{}/settings/members", world.application)));
        ada.choose("Which", "Chosen below").tick("Hand over payroll, Every day at 06:00, UTC").press("Show what changes").await;
        ada.sees("1 of 2 schedules goes from Olive to Stranger.").sees("1 chosen schedule passes all the same, and will fail.");
        ada.press("Hand over 1 schedule").await.answered(200).sees("Stranger lacks Import Data in FP&A 2026.");
        let after = [stands(&world, made[0].id).await, stands(&world, made[1].id).await];
        assert_eq!(after[0].0, world.stranger.id);
        assert_eq!(after[0].1, [world.olive.id], "who may not see it is not told");
        assert_eq!(after[1].0, world.olive.id);
    }

    async fn only_who_can_own_schedules_is_given_some(world: World) {
        owned(&world, &["06:00"], &[]).await;
        let ada = world.browser(&world.ada).await;
        let post = async |from: String, to: i64| {
            let to = to.to_string();
            let answer = ada.post(FORM, &[("from", &from), ("to", &to)]).await;
            (answer.status, answer.text())
        };
        let olive = world.olive.id.to_string();
        for (to, says) in [
            (0, "Choose the new Owner."),
            (world.olive.id, "Choose someone other than Olive."),
            (world.mo.id, "Mo lacks Can Import Data in their role."),
        ] {
            let (status, text) = post(olive.clone(), to).await;
            assert!(status == 422 && text.contains(says), "{status} {text}");
        }
        for from in ["", "x", "999999999999999999999"] {
            let (status, text) = post(from.into(), world.ada.id).await;
            assert!(status == 422 && text.contains("Choose whose schedules to hand over."), "{status} {text}");
        }
        let (status, text) = post(world.mo.id.to_string(), world.ada.id).await;
        assert!(status == 409 && text.contains("Nothing would change."), "{status} {text}");
        let many: Vec<String> = (1..=1_001).map(|id: i64| id.to_string()).collect();
        let answer = ada.post(FORM, &[("from", &olive), ("schedules", &many.join(","))]).await;
        assert!(answer.status == 422 && answer.text().contains("At most 1,000"), "{}", answer.text());
    }

    async fn what_changed_since_it_was_shown_is_shown_again(world: World) {
        let made = owned(&world, &["06:00", "07:00"], &[]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("{FORM}?from={}&to={}", world.olive.id, world.ada.id)).await.sees("2 of 2 schedules go");
        // Meanwhile Ada saves one in another window: it is hers.
        let path = format!("schedules/{}", made[0].id);
        world.api(&world.ada).await.patch(&path, json!({"start_time": "06:30"})).await.is(200);
        ada.press("Hand over 2 schedules").await.answered(412).sees("so nothing was handed over");
        assert_eq!(stands(&world, made[1].id).await.0, world.olive.id);
        ada.press("Hand over 1 schedule").await.answered(200).sees("1 schedule handed over from Olive to Ada.");
        assert_eq!(stands(&world, made[0].id).await.2, made[0].version + 1, "a save is no hand-over");
    }

    async fn of_two_at_once_one_is_done(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.olive]).await;
        let (one, two) = (hands_over(&world, passing(&world.olive, &world.ada)), hands_over(&world, passing(&world.olive, &world.ada)));
        let (one, two) = tokio::join!(one, two);
        let good = [&one, &two].iter().filter(|done| done.is_ok()).count();
        assert_eq!(good, 1, "{:?} {:?}", one.err(), two.err());
        for was in &made {
            assert_eq!(stands(&world, was.id).await, (world.ada.id, vec![world.ada.id], was.version + 1));
        }
        assert_eq!(log(&world).await.len(), 3);
        let gone = hands_over(&world, passing(&world.olive, &world.ada)).await;
        assert!(matches!(gone, Err(AppError::Conflict(_))), "{gone:?}");
    }

    async fn a_save_and_a_hand_over_at_once_both_stand(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let api = world.api(&world.olive).await;
        let path = format!("schedules/{}", made[0].id);
        let (saved, handed) = tokio::join!(
            api.patch(&path, json!({"run_name": "Payroll"})),
            hands_over(&world, passing(&world.olive, &world.ada))
        );
        saved.is(200);
        assert!(handed.is_ok(), "{handed:?}");
        let is = find(&world, made[0].id).await;
        assert_eq!((is.version, is.run_name.as_deref()), (made[0].version + 2, Some("Payroll")));
    }

    /// An earlier Owner no longer counts: not for what waits, nor for what comes.
    async fn nothing_due_fails_while_it_goes(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        owned_of(&world, &words, &["09:00"], &[]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("{FORM}?from={}&to={}", world.olive.id, world.ada.id)).await.sees("1 of 1 schedule goes");
        world.set_clock("2026-10-05T09:00:01Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        ada.press("Hand over 1 schedule").await.answered(200);
        ada.visit(&format!("/members/{}/deactivate", world.olive.id)).await.press("Deactivate").await.sees("Olive is deactivated");
        work_off(&world).await;
        let run = runs(&world).await.pop().unwrap();
        assert_eq!((run.status, run.as_member_id), (RunStatus::Success, Some(world.ada.id)), "{:?}", run.cause);
        csv(&world, "words", &[("2", "two")]);
        world.set_clock("2026-10-06T09:00:01Z");
        assert_eq!(world.step(dispatcher::step).await.queued, 1);
        work_off(&world).await;
        let run = runs(&world).await.pop().unwrap();
        assert_eq!((run.status, run.as_member_id), (RunStatus::Success, Some(world.ada.id)), "{:?}", run.cause);
    }

    async fn recipients_are_told_unless_that_is_unticked(world: World) {
        let made = owned(&world, &["06:00"], &[&world.mo]).await;
        let inbox = async || {
            world.advance(Duration::minutes(1));
            world.step(owners::changes).await;
            world.api(&world.mo).await.get("notifications").await.items().len()
        };
        inbox().await;
        let quiet = Passing { wish: Wish { tell: false, ..Wish::all() }, ..passing(&world.olive, &world.ada) };
        hands_over(&world, quiet).await.unwrap();
        assert_eq!(inbox().await, 0);
        let back = Passing { wish: Wish { which: Which::Chosen([made[0].id].into()), ..Wish::all() }, ..passing(&world.ada, &world.olive) };
        hands_over(&world, back).await.unwrap();
        assert_eq!(inbox().await, 1);
    }

    async fn chosen_schedules_of_several_owners_pass_by_one_form(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.olive, &world.mo]).await;
        let words = stage(&world, "words", Mode::Append, |_| ()).await;
        let own = try_create(&world, &world.ada, draft(&words, &daily("09:00"))).await.unwrap();
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&list).await.tick("Select Every day at 06:00").tick("Select Every day at 09:00").press("Hand over").await;
        // Exactly those, whoever owns each.
        assert_eq!(ada.value("From"), "owners");
        ada.sees("All 2").sees("06:00").sees("09:00").sees_no("07:00");
        ada.sees("Choose the new Owner.");
        ada.press("Show what changes").await.sees("All 2").sees_no("07:00");
        ada.choose("To", "Olive").press("Show what changes").await.sees("1 of 2 schedules goes from their Owners to Olive.");
        ada.press("Hand over 1 schedule").await.sees("1 schedule handed over from their Owners to Olive.");
        assert_eq!(ada.path(), list, "back to the list");
        assert_eq!((stands(&world, own.id).await.0, stands(&world, made[0].id).await.2), (world.olive.id, 1));
        ada.within(".toasts").press("Undo").await.sees("Undone. 1 schedule is as it was.");
        assert_eq!(stands(&world, own.id).await.0, world.ada.id);
        // Of one Owner it is theirs, with whom they tell.
        ada.visit(&format!("{FORM}?schedules={},{}&back={list}", made[0].id, made[1].id)).await;
        ada.choose("To", "Ada").press("Show what changes").await.sees("2 of 2 schedules go from Olive to Ada.");
        ada.sees("Ada is notified instead of Olive, in 2 schedules").sees_no("API token");
        // One is changed in between: what would pass is shown anew.
        let owner = Passing { from: Of::Owners([made[0].id].into()), to: world.ada.id, wish: Wish::all() };
        hands_over(&world, owner).await.unwrap();
        ada.press("Hand over 2 schedules").await.answered(412).sees("1 of 2 schedules goes from their Owners to Ada.");
        ada.press("Hand over 1 schedule").await.sees("1 schedule handed over");
        let mut both = vec![world.ada.id, world.mo.id];
        both.sort_unstable();
        assert_eq!(stands(&world, made[1].id).await.1, both);
        // What is no schedule of anybody's is not there.
        ada.visit(&format!("{FORM}?schedules=999999,x,-1")).await.sees("The chosen schedules have finished or were deleted.");
        let many = vec!["1"; 2_000].join(",");
        assert_eq!(ada.get(&format!("{FORM}?schedules={many}")).await.status, 200, "each once");
        let olive = world.browser(&world.olive).await;
        assert_eq!(olive.get(&format!("{FORM}?schedules={}", made[2].id)).await.status, 403);
    }

    async fn their_tokens_end_where_that_is_ticked(world: World) {
        owned(&world, &["06:00"], &[]).await;
        let token = world.api(&world.olive).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("{FORM}?from={}&to={}", world.olive.id, world.ada.id)).await;
        ada.tick("Revoke 1 API token of Olive").press("Show what changes").await.press("Hand over 1 schedule").await.answered(200);
        token.get("me").await;
        assert_eq!(token.get("applications").await.status, 401);
        ada.visit(&format!("{FORM}?from={}", world.olive.id)).await.sees_no("API token");
    }
}

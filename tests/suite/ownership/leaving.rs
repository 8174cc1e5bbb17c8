//! The day a member goes: what they hold is handed over, turned off or left, and every door is closed at once.

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{calendar_feeds, sessions};
use tidegate::schedules::State;

use super::*;
use crate::feeds;

fn page(person: &Person) -> String {
    format!("/members/{}/deactivate", person.id)
}

on_both! {
    async fn it_is_handed_over_with_the_deactivation(world: World) {
        let made = owned(&world, &["06:00", "07:00", "08:00"], &[&world.olive, &world.mo]).await;
        let token = world.api(&world.olive).await;
        let address = feeds::make(&world, &world.olive, None).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.answered(200);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("olive@acme.test").follow("Deactivate Olive").await;
        ada.answered(200).sees("Owns 3 schedules").sees("Is notified about 3 schedules").sees("API tokens 1 revoked at once");
        ada.in_row("Every day at 06:00").sees("Tomorrow, 06:00 (UTC)");
        ada.everywhere().sees("1 calendar address ends at once.").sees_no("nvitation that").sees("The first runs on Fri 9 Oct 2026, 06:00 (UTC)");
        ada.sees("Ada is notified instead of Olive, in 3 schedules");
        assert_eq!(ada.value("To"), world.ada.id.to_string(), "who can run all of them is proposed");
        ada.press("Deactivate and hand over 3 schedules").await.answered(200).sees("Olive is deactivated and signed out everywhere.").sees("3 schedules now belong to Ada.");
        let mut told = vec![world.ada.id, world.mo.id];
        told.sort_unstable();
        for was in &made {
            assert_eq!(stands(&world, was.id).await, (world.ada.id, told.clone(), was.version + 1));
        }
        // No door is left, not even for a minute.
        let olive_id = world.olive.id;
        let left = world.read(move |conn| {
            let sessions: i64 = sessions::table.filter(sessions::member_id.eq(olive_id)).count().get_result(conn)?;
            Ok((sessions, calendar_feeds::table.count().get_result::<i64>(conn)?))
        }).await;
        assert_eq!(left, (0, 0));
        assert_eq!(token.get("applications").await.status, 401);
        olive.visit("/").await.sees("Sign in");
        assert_eq!(world.nobody().get(&address).await.status, 404);
        // Undo lets them in again, and gives back what they owned.
        ada.press("Undo").await.answered(200).sees("Undone. 3 schedules are as they were. Olive can sign in again.");
        assert_eq!(stands(&world, made[0].id).await.0, world.olive.id);
        assert_eq!(token.get("applications").await.status, 401, "what ended stays ended");
    }

    /// One's own page speaks to whoever reads it; what one sent to others ends too.
    async fn who_goes_by_themselves_is_spoken_to(world: World) {
        world.api(&world.ada).await.patch(&format!("members/{}", world.olive.id), json!({"role": "Administrator"})).await.is(200);
        owned(&world, &["06:00"], &[]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/members").await.within("#invite").fill("Name", "Una").fill("E-mail", "una@acme.test").press("Invite").await.answered(200);
        olive.visit(&page(&world.olive)).await.sees("Deactivate your own account?").sees("You can no longer sign in");
        olive.sees("1 invitation that you sent no longer works.").sees("Your schedules need a new Owner").sees_no("They can").sees_no("Their schedules");
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(&world.olive)).await.sees("1 invitation that they sent no longer works.").sees("They can no longer sign in");
        ada.visit(&format!("{}?role=Importer", page(&world.olive))).await.sees("1 invitation that they sent no longer works.");
    }

    /// A long list is folded, and what the button does is on it.
    async fn a_long_list_is_folded(world: World) {
        for import in ["one", "two", "three"] {
            let stage = stage(&world, import, Mode::Append, |_| ()).await;
            owned_of(&world, &stage, &["06:00", "07:00", "08:00", "09:00"], &[]).await;
        }
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(&world.olive)).await.sees("Show the schedules");
        assert_eq!((ada.count("details#each"), ada.count("details#each[open]")), (1, 0));
        for (what, does) in [("Turn them off", "Deactivate and turn their schedules off"), ("Leave them as they are", "Deactivate and leave their schedules as they are")] {
            ada.choose("What happens to their schedules", what).press("Show what changes").await.answered(200).sees(does);
        }
    }

    async fn it_is_turned_off_or_left_and_flagged(world: World) {
        let made = owned(&world, &["06:00", "07:00"], &[&world.olive]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(&world.olive)).await.choose("What happens to their schedules", "Turn them off").untick("Ada is notified instead of Olive");
        ada.press("Deactivate").await.answered(200).sees("2 schedules are turned off.");
        for was in &made {
            let is = find(&world, was.id).await;
            assert_eq!((is.state(), is.owner_id, is.next_at), (State::Off, world.olive.id, None));
        }
        ada.press("Undo").await.answered(200).sees("Olive can sign in again.");
        ada.visit(&page(&world.olive)).await.choose("What happens to their schedules", "Leave them as they are").press("Deactivate").await;
        ada.answered(200).sees("Ada is notified instead, in 2 schedules.");
        assert_eq!(stands(&world, made[0].id).await.1, [world.ada.id]);
        ada.visit("/ownership").await.in_row("Olive to Ada").sees("2 schedules only the recipient changed");
        ada.everywhere().in_row("Olive is deactivated.").sees("2 schedules").sees("FP&A 2026");
        ada.follow("Hand over").await;
        assert!(ada.page().html().contains("Olive, deactivated (2 schedules)"));
    }

    async fn undo_gives_recipients_back_where_schedules_were_turned_off(world: World) {
        let made = owned(&world, &["06:00", "07:00"], &[&world.olive]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&page(&world.olive)).await.choose("What happens to their schedules", "Turn them off").press("Deactivate").await;
        ada.answered(200).sees("Ada is notified instead, in 2 schedules.").sees("2 schedules are turned off.");
        assert_eq!(stands(&world, made[0].id).await.1, [world.ada.id]);
        ada.press("Undo").await.answered(200).sees("Undone. 2 schedules are as they were. Olive can sign in again.");
        for was in &made {
            let (owner, told, _) = stands(&world, was.id).await;
            assert_eq!((owner, told), (world.olive.id, vec![world.olive.id]));
        }
    }

    async fn who_cannot_have_them_is_refused_and_nothing_is_done(world: World) {
        owned(&world, &["06:00"], &[]).await;
        let ada = world.browser(&world.ada).await;
        for (to, says) in [("", "Choose the new Owner."), (&world.mo.id.to_string(), "Mo lacks Can Import Data"), ("x", "Choose the new Owner.")] {
            let answer = ada.post(&page(&world.olive), &[("do", "hand"), ("to", to)]).await;
            assert!(answer.status == 422 && answer.text().contains(says), "{} {}", answer.status, answer.text());
        }
        // The last Administrator stays, and so does what others were to have.
        let answer = ada.post(&page(&world.ada), &[("do", "hand"), ("to", &world.olive.id.to_string())]).await;
        assert!(answer.status == 409 && answer.text().contains("last active Administrator"), "{}", answer.text());
        assert_eq!(world.fingerprint().await["members"].iter().filter(|row| row.contains("Olive")).count(), 1);
        let mut again = world.browser(&world.ada).await;
        again.visit("/members").await.in_row("olive@acme.test").sees("Active");
    }

    async fn a_role_that_may_not_import_hands_over_too(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("olive@acme.test").choose("Role of Olive", "Viewer").press("Save role").await;
        ada.sees("Give Olive the role Viewer?");
        ada.press("Change role").await;
        ada.answered(200).sees("Olive now has the role Viewer. 1 schedule now belongs to Ada.");
        ada.sees_no("Undo");
        assert_eq!(stands(&world, made[0].id).await.0, world.ada.id);
    }

    /// By the API it is direct, and flags.
    async fn the_api_deactivates_and_flags(world: World) {
        let made = owned(&world, &["06:00"], &[]).await;
        let api = world.api(&world.ada).await;
        api.patch(&format!("members/{}", world.olive.id), json!({"active": false})).await.is(200);
        let schedule = api.get(&format!("schedules/{}", made[0].id)).await;
        assert_eq!(schedule.json["flagged"], "Olive is deactivated.");
        assert_eq!(schedule.json["owner_id"], world.olive.id);
    }
}

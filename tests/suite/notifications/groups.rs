//! A group as a recipient: who is in it when something is told hears of it.

use serde_json::Value;
use tidegate::notifications::owners;

use super::*;
use crate::groups::{give, make, set};

/// A daily schedule at 09:00 UTC that tells these groups and people.
async fn telling_groups(world: &World, stage: &Stage, group_ids: &[i64], people: &[&Person]) -> i64 {
    let member_ids = people.iter().map(|person| person.id).collect();
    let notify = Some(Notify { about: About::Failed, member_ids, group_ids: group_ids.to_vec(), after: 1 });
    create(world, tidegate::schedules::Draft { notify, ..draft(stage, &daily("09:00")) }).await.id
}

on_both! {
    async fn who_is_in_it_then_is_told_once(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let group = make(&world, "Planning team", &[&world.mo, &world.stranger]).await;
        telling_groups(&world, &stage, &[group], &[&world.mo]).await;
        morning(&world, 5).await;
        assert_eq!(told(&world, &world.mo).await, [line("failed", "payroll failed")], "named twice, told once");
        assert_eq!(told(&world, &world.stranger).await, [], "who may not see the Application is not told");
        assert_eq!(world.mails().len(), 1);
        // Who joins later is told, who left is not.
        let other = make(&world, "Others", &[&world.mo]).await;
        set(&world, group, &[&world.ivy]).await;
        let again = failing(&world, "prices").await;
        telling_groups(&world, &again, &[group, other], &[]).await;
        morning(&world, 6).await;
        assert!(told(&world, &world.ivy).await.iter().any(|(_, title)| title == "prices failed"));
        assert!(told(&world, &world.mo).await.iter().any(|(_, title)| title == "prices failed"), "through the other one");
        set(&world, other, &[]).await;
        give(&world, group, true, (false, false)).await;
        set(&world, group, &[&world.ivy, &world.stranger]).await;
        let third = failing(&world, "costs").await;
        telling_groups(&world, &third, &[group], &[]).await;
        morning(&world, 7).await;
        let heard = async |person: &Person| told(&world, person).await.iter().any(|(_, title)| title == "costs failed");
        assert!(heard(&world.stranger).await, "sees the Application through the group now");
        assert!(!heard(&world.mo).await && heard(&world.ivy).await);
    }

    async fn a_script_and_the_form_choose_groups(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let group = make(&world, "Planning team", &[&world.mo, &world.ivy]).await;
        let empty = make(&world, "Nobody here", &[&world.stranger]).await;
        let olive = world.api(&world.olive).await;
        let there = format!("applications/{}/schedules", world.application);
        let body = |notify: Value| {
            json!({"configuration_id": stage.configuration, "repeat": "days", "start_date": "2026-10-06", "start_time": "09:00",
                "time_zone": "UTC", "notify": notify})
        };
        for (notify, field) in [
            (json!({"about": "failed"}), "notify.member_ids"),
            (json!({"about": "failed", "group_ids": [999_999]}), "notify.group_ids"),
            (json!({"about": "failed", "group_ids": [empty]}), "notify.group_ids"),
        ] {
            assert_eq!(olive.post(&there, body(notify)).await.wrong_fields(), [field]);
        }
        let id = olive.make(&there, body(json!({"about": "failed", "group_ids": [group, group]}))).await;
        let path = format!("schedules/{id}");
        let shown = olive.get(&path).await.json["notify"].clone();
        assert_eq!(shown, json!({"about": "failed", "member_ids": [], "group_ids": [group], "after": 1}));
        // Whoever knows nothing of groups keeps them.
        olive.patch(&path, json!({"notify": {"member_ids": [world.olive.id]}})).await.is(200);
        assert_eq!(olive.get(&path).await.json["notify"]["group_ids"], json!([group]));

        let list = format!("/applications/{}/settings/import-scheduling?open=c{}", world.application, stage.configuration);
        let edit = format!("/applications/{}/schedules/{id}/edit", world.application);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&list).await.sees("Failed, Planning team and 1 member");
        browser.visit(&edit).await.sees("Planning team, Olive").sees_no("Nobody here");
        browser.untick("Olive olive@acme.test").press("Update Schedule").await.answered(200);
        browser.visit(&list).await.sees("Failed, Planning team");
        browser.visit(&edit).await.untick("Planning team group, 2 members").press("Update Schedule").await;
        browser.answered(422).sees("Choose at least one member or group to notify");
        browser.tick("Planning team group, 2 members").tick("Mo mo@acme.test").press("Update Schedule").await.answered(200);
        assert_eq!(olive.get(&path).await.json["notify"]["member_ids"], json!([world.mo.id]));
        browser.visit(&format!("/applications/{}/settings/import-configurations/{}/ready-by", world.application, stage.configuration)).await;
        browser.sees("2 recipients of its schedules are notified");
        olive.patch(&path, json!({"notify": {"group_ids": []}})).await.is(200);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await.sees("Recipients, groups: Planning team");
    }

    /// A hand-over counts and tells the people; the group stays where it is.
    async fn a_hand_over_leaves_groups_and_tells_who_is_in_them(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let group = make(&world, "Planning team", &[&world.mo, &world.olive]).await;
        let id = telling_groups(&world, &stage, &[group], &[&world.olive]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/ownership/hand-over?from={}&to={}", world.olive.id, world.ada.id)).await;
        ada.sees("Failed, Planning team and 1 member");
        world.api(&world.ada).await.patch(&format!("schedules/{id}"), json!({"start_time": "09:30"})).await.is(200);
        world.advance(Duration::minutes(1));
        world.step(owners::changes).await;
        let wanted = [line("owner_changed", "Ada now owns a schedule that notifies you")];
        assert_eq!((told(&world, &world.mo).await, told(&world, &world.olive).await), (wanted.to_vec(), wanted.to_vec()));
    }
}

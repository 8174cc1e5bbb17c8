//! Making a promise, changing it, taking it back: by the form without scripts, and by API.

use tidegate::db::schema::audit_log;
use tidegate::imports::Mode;

use super::*;
use crate::support::stage::stage;

on_both! {
    async fn a_form_without_scripts_makes_changes_and_removes_it(world: World) {
        world.set_clock("2026-10-05T04:00:00Z");
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        scheduled(&world, &stage, "07:00", "Europe/Paris", &[&world.olive]).await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&list).await.follow("Ready by … for payroll").await.sees("payroll");
        assert_eq!((olive.value("Time"), olive.value("Time zone")), ("08:00".into(), "Europe/Paris".into()));
        olive.sees("1 recipient of its schedules is notified");
        // All that is wrong is said, and what was typed is there still.
        for day in ["MoMonday", "TuTuesday", "WeWednesday", "ThThursday", "FrFriday"] {
            olive.untick(day);
        }
        olive.fill("Time", "").fill("Time zone", "Mars").within("#ready-by-form .dlg-foot").press("Save").await.answered(422);
        olive.sees("Enter the time it must be ready by.");
        assert_eq!(olive.value("Time zone"), "Mars");
        olive.tick("MoMonday").tick("TuTuesday").fill("Time", "07:30").fill("Time zone", "europe/paris").within("#ready-by-form .dlg-foot").press("Save").await;
        olive.sees("payroll: Ready by 07:30 every Monday and Tuesday, Europe/Paris.").sees("Fresh");
        olive.sees("Due by 07:30, expected 07:00");
        // The configuration's own page says it too.
        let about = format!("/applications/{}/settings/import-configurations/{}/schedules", world.application, stage.configuration);
        assert!(olive.htmx(&about).await.text().contains("Due by 07:30, expected 07:00"));
        olive.follow("Ready by … for payroll").await.sees("Due by 07:30, expected 07:00");
        olive.fill("Time", "06:30").within("#ready-by-form .dlg-foot").press("Save").await.sees("At risk").sees("Due by 06:30, but the next run is at 07:00");
        olive.follow("Ready by … for payroll").await.press("Remove").await.sees("payroll no longer has a Ready by time.");
        olive.sees_no("At risk");
        let deeds: Vec<String> = world
            .read(|conn| {
                let own = audit_log::table.filter(audit_log::action.like("promise.%"));
                Ok(own.order(audit_log::id).select(audit_log::action).load(conn)?)
            })
            .await;
        assert_eq!(deeds, ["promise.made", "promise.changed", "promise.removed"]);
    }

    async fn two_who_change_it_are_told(world: World) {
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        let path = format!("/applications/{}/settings/import-configurations/{}/ready-by", world.application, stage.configuration);
        let (mut ada, mut olive) = (world.browser(&world.ada).await, world.browser(&world.olive).await);
        ada.visit(&path).await.sees("Nothing schedules this import. Add a schedule for it, or for an import set that runs it, or run it by hand in time.");
        olive.visit(&path).await.within("#ready-by-form .dlg-foot").press("Save").await.sees("Ready by 08:00 every weekday");
        ada.visit(&path).await.fill("Time", "09:00");
        olive.visit(&path).await.fill("Time", "07:00").within("#ready-by-form .dlg-foot").press("Save").await.sees("Ready by 07:00 every weekday");
        ada.within("#ready-by-form .dlg-foot").press("Save").await.answered(412).sees("It now says: Ready by 07:00 every weekday");
        ada.within("#ready-by-form .dlg-foot").press("Save").await.sees("Ready by 09:00 every weekday");
        // Whoever may only look is told who can.
        let mo = world.browser(&world.mo).await;
        assert_eq!(mo.get(&path).await.status, 403);
        let elsewhere = format!("/applications/{}/settings/import-configurations/{}/ready-by", world.elsewhere, stage.configuration);
        assert_eq!(ada.get(&elsewhere).await.status, 404);
        assert_eq!(ada.post(&elsewhere, &[("do", "remove")]).await.status, 404);
    }

    async fn programs_make_read_and_remove_it(world: World) {
        let stage = stage(&world, "payroll", Mode::Update, |_| ()).await;
        let olive = world.api(&world.olive).await;
        let path = format!("import-configurations/{}/ready-by", stage.configuration);
        olive.get(&path).await.is(404);
        olive.delete(&path).await.is(404);
        let wrong = olive.put(&path, json!({"weekdays": [], "time": "8", "time_zone": "Mars", "days": 1})).await;
        let mut fields = wrong.is(422).wrong_fields();
        fields.sort_unstable();
        assert_eq!(fields, ["days", "time", "time_zone", "weekdays"]);
        assert_eq!(olive.put(&path, json!({})).await.is(422).wrong_fields().len(), 3);
        assert_eq!(olive.put(&path, json!({"weekdays": ["someday"], "time": "08:00", "time_zone": "UTC"})).await.is(422).wrong_fields().len(), 1);
        let body = json!({"weekdays": ["mon", "fri"], "time": "08:00", "time_zone": "Europe/Paris"});
        let made = olive.put(&path, body.clone()).await;
        assert_eq!((&made.is(200).json["version"], made.header("etag")), (&json!(1), "\"1\""));
        assert_eq!(made.json["sentence"], "Ready by 08:00 every Monday and Friday, Europe/Paris");
        for (name, value) in body.as_object().unwrap() {
            assert_eq!(&made.json[name], value);
        }
        // The same again changes nothing.
        assert_eq!(olive.put(&path, body).await.is(200).json["version"], 1);
        assert_eq!(olive.get(&path).await.json["id"], made.json["id"]);
        let reads = world.api_with_scopes(&world.olive, Some(&["read"])).await;
        reads.get(&path).await.is(200);
        reads.delete(&path).await.is(403);
        olive.delete(&path).await.is(204);
        olive.get(&path).await.is(404);
    }
}

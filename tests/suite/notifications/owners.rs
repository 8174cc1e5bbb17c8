//! Recipients hear of a new Owner; the Owner and the Administrators of one whose schedules will fail; Administrators of mail
//! that does not get through.

use tidegate::notifications::{broken, expiring, owners};

use super::*;

/// Tells of what the audit log and the schedules say.
async fn look(world: &World) {
    world.advance(Duration::minutes(1));
    world.step(owners::changes).await;
    world.step(owners::unable).await;
    delivering::step(world.app()).await.unwrap();
}

on_both! {
    async fn recipients_hear_who_owns_it_now(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let schedule = telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        look(&world).await;
        assert_eq!((told(&world, &world.mo).await, told(&world, &world.olive).await), (vec![], vec![]), "made, not handed over");
        let path = format!("schedules/{schedule}");
        world.api(&world.ada).await.patch(&path, json!({"start_time": "09:30"})).await.is(200);
        look(&world).await;
        look(&world).await;
        let wanted = [line("owner_changed", "Ada now owns a schedule that notifies you")];
        assert_eq!((told(&world, &world.mo).await, told(&world, &world.olive).await), (wanted.to_vec(), wanted.to_vec()));
        assert_eq!(world.mails().len(), 2);
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/notifications").await.press("Ada now owns a schedule that notifies you").await;
        mo.answered(200).sees("FP&A 2026");
        assert_eq!(mo.path(), format!("/applications/{}", world.application));
        mo.visit("/notifications").await.sees("Olive owned it before. It runs with Ada's rights now.");
        // Who did it knows.
        world.api(&world.olive).await.patch(&path, json!({"start_time": "09:45"})).await.is(200);
        look(&world).await;
        assert_eq!((told(&world, &world.mo).await.len(), told(&world, &world.olive).await.len()), (2, 1));
    }

    /// What was refused is written later than it happened, after what happened since.
    async fn no_change_is_missed_beside_what_is_written_late(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        let schedule = telling(&world, &stage, About::Failed, &[&world.mo]).await;
        look(&world).await;
        let refused = world.now();
        world.advance(Duration::seconds(14));
        world.api(&world.ada).await.patch(&format!("schedules/{schedule}"), json!({"start_time": "09:30"})).await.is(200);
        world.write(move |conn| {
            let entry = tidegate::audit::Entry::about("request.refused", "request");
            tidegate::audit::record(conn, &tidegate::audit::Actor::nobody("nobody", "page"), entry, refused)
        }).await;
        // The refusal is old enough to be read, the change before it is not.
        world.advance(Duration::seconds(20));
        world.step(owners::changes).await;
        assert_eq!(told(&world, &world.mo).await, []);
        look(&world).await;
        assert_eq!(told(&world, &world.mo).await, [line("owner_changed", "Ada now owns a schedule that notifies you")]);
        look(&world).await;
        assert_eq!(told(&world, &world.mo).await.len(), 1);
    }

    async fn who_will_fail_is_told_before(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo]).await;
        look(&world).await;
        assert_eq!(told(&world, &world.ada).await, []);
        // A name may hold what ends a sentence.
        let titled = format!("UPDATE members SET name = 'Dr. Olive' WHERE id = {}", world.olive.id);
        world.write(move |conn| crate::support::seed::batch(conn, &titled)).await;
        let api = world.api(&world.ada).await;
        let path = format!("applications/{}/access/{}", world.application, world.olive.id);
        api.put(&path, json!({"view": true, "import_data": false, "configure": true})).await;
        look(&world).await;
        look(&world).await;
        let wanted = [line("will_fail", "1 schedule of Dr. Olive will fail")];
        assert_eq!((told(&world, &world.ada).await, told(&world, &world.olive).await), (wanted.to_vec(), wanted.to_vec()));
        assert_eq!(told(&world, &world.mo).await, []);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/notifications").await.sees("1 schedule of Dr. Olive will fail").sees("Dr. Olive may no longer import in this Application");
        ada.follow("Open Import Scheduling").await;
        api.put(&path, json!({"view": true, "import_data": true, "configure": true})).await;
        look(&world).await;
        ada.visit("/notifications").await.sees_no("Open incidents");
        // It may come again, and is told again.
        let olive = world.olive.id;
        api.patch(&format!("members/{olive}"), json!({"active": false})).await.is(200);
        look(&world).await;
        assert_eq!((told(&world, &world.ada).await.len(), told(&world, &world.olive).await.len()), (2, 1), "who left hears nothing");
    }

    async fn mail_that_does_not_get_through_is_told_in_the_inbox(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive, &world.mo]).await;
        morning(&world, 5).await;
        world.step(broken::step).await;
        assert_eq!(told(&world, &world.ada).await, []);
        let change = |state: &'static str, attempt: i32| world.write(move |conn| {
            use tidegate::db::schema::deliveries as d;
            diesel::update(d::table).set((d::state.eq(state), d::attempt.eq(attempt), d::said.eq("Connection refused."))).execute(conn)?;
            Ok(())
        });
        change("waiting", 2).await;
        world.step(broken::step).await;
        assert_eq!(told(&world, &world.ada).await, [], "it may pass");
        change("waiting", 3).await;
        world.step(broken::step).await;
        world.step(broken::step).await;
        assert_eq!(told(&world, &world.ada).await, [line("broken", "E-mail notifications are not getting through")]);
        assert_eq!(world.mails().len(), 2, "nobody is mailed that mail is broken");
        change("sent", 4).await;
        world.step(broken::step).await;
        assert_eq!(told(&world, &world.ada).await[0], line("recovered", "E-mail notifications are getting through again"));
    }

    async fn a_secret_that_ends_is_told_before(world: World) {
        world.set_clock("2026-10-01T08:00:00Z");
        let ada = world.api(&world.ada).await;
        let made = ada.post("connections", json!({"name": "HR service", "kind": "http", "settings": {"url": "https://hr.example.com", "auth": "bearer"},
            "secrets": {"token": "canary"}, "secret_ends_on": "2026-10-31"})).await;
        let id = made.is(201).id();
        assert_eq!(made.json["secret_ends_on"], "2026-10-31");
        let path = format!("connections/{id}");
        let folder = json!({"name": "Files", "kind": "folder", "settings": {"path": world.folder().canonicalize().unwrap()}, "secret_ends_on": "2026-10-31"});
        assert_eq!(ada.post("connections", folder).await.is(422).wrong_fields(), ["secret_ends_on"]);
        for wrong in ["1969-12-31", "31.10.2026", "2026-02-30", "20261031", "soon"] {
            let refused = ada.patch(&path, json!({"secret_ends_on": wrong})).await;
            assert_eq!(refused.is(422).wrong_fields(), ["secret_ends_on"], "{wrong}");
        }
        let expires = async || { world.step(expiring::step).await; told(&world, &world.ada).await };
        assert_eq!(expires().await, []);
        world.set_clock("2026-10-17T08:00:00Z");
        expires().await;
        world.set_clock("2026-10-20T08:00:00Z");
        assert_eq!(expires().await, [line("expires", "The secret of HR service expires in 14 days")]);
        world.set_clock("2026-10-30T08:00:00Z");
        assert_eq!(expires().await.len(), 2);
        world.set_clock("2026-10-31T08:00:00Z");
        assert_eq!(expires().await[0], line("expires", "The secret of HR service expires tomorrow"));
        assert_eq!(told(&world, &world.olive).await, []);
        // The form shows and keeps the day.
        let mut browser = world.browser(&world.ada).await;
        browser.visit(&format!("/connections/{id}")).await.fill("Last day of the secret (optional)", "2027-10-31").press("Save Connection").await;
        assert_eq!(ada.get(&path).await.json["secret_ends_on"], "2027-10-31");
        assert_eq!(expires().await.len(), 2);
    }
}

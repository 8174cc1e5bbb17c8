//! Roles of one's own: made, changed and deleted by Administrators; what they allow counts at once.

use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{audit_log, roles as table};
use tidegate::error::AppError;
use tidegate::imports::Mode;
use tidegate::members::Permission;
use tidegate::members::actions::{self, Change};
use tidegate::members::permissions::{complete, words};
use tidegate::members::roles::{self, Draft};
use tidegate::runs::RunStatus;

use crate::invitations::invite_as;
use crate::running::{run, start, try_start, work_off};
use crate::schedules::{create, daily, draft};
use crate::support::stage::{csv, stage};
use crate::support::*;

/// A role that Ada makes; its id.
pub async fn make(world: &World, name: &str, permissions: &[Permission]) -> i64 {
    let (ada, now) = (world.ada.clone(), world.now());
    let draft = Draft { name: name.to_owned(), permissions: permissions.to_vec() };
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            Ok(roles::create(conn, &by, &draft, now)?.id)
        })
        .await
}

async fn change(world: &World, id: i64, permissions: &[Permission]) -> Result<(), AppError> {
    let (ada, now, permissions) = (world.ada.clone(), world.now(), permissions.to_vec());
    world
        .try_write(move |conn| {
            let by = ada.by(conn)?;
            let name = roles::find(conn, &by, id)?.name;
            roles::change(conn, &by, id, &Draft { name, permissions }, None, now)
        })
        .await
        .map(drop)
}

async fn give(world: &World, person: &Person, role: &str) {
    let (ada, id, now, role) = (world.ada.clone(), person.id, world.now(), Some(role.to_owned()));
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, id, Change { role, ..Change::default() }, now)
        })
        .await;
}

#[test]
fn who_administers_sees_everything_and_creates_applications() {
    use Permission::*;
    assert_eq!(complete(&[Administer]), [Administer, SeeEverything, MakeApplications]);
    assert_eq!(complete(&[ImportData, ImportData]), [ImportData]);
    assert_eq!(words(&complete(&[Administer, ImportData])), "Everything");
    assert_eq!(words(&complete(&[SeeEverything, ImportData])), "See everything, Can Import Data");
    assert_eq!(words(&[]), "View only");
}

on_both! {
    async fn an_administrator_makes_changes_and_deletes_a_role(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.follow("Roles").await.sees("Viewer").sees("built in");
        ada.in_row("Administrator").sees("Everything").sees("1 member");
        ada.in_row("Modeler").sees("No one");
        ada.everywhere().fill("Name", " Night operator ").tick("See everything").tick("Can Import Data").press("Create role").await;
        ada.answered(200).sees("The role Night operator is created.");
        ada.in_row("Night operator").sees("See everything, Can Import Data").sees("No one");
        ada.everywhere().fill("Name", "night OPERATOR").tick("Create Applications").press("Create role").await;
        ada.answered(409).sees("A role named Night operator already exists.");
        assert_eq!(ada.count("#name[aria-invalid]"), 1, "the field is marked");
        assert_eq!(ada.value("Name"), "night OPERATOR", "what was typed is kept");
        ada.fill("Name", "viewer").press("Create role").await.answered(409).sees("A role named Viewer already exists.");
        ada.fill("Name", "").press("Create role").await.answered(422).sees("Enter a name.");

        // It is offered wherever a role is chosen.
        ada.visit("/members").await.in_row("mo@acme.test").choose("Role of Mo", "Night operator").press("Save role").await;
        ada.answered(200).sees("Mo now has the role Night operator.");
        ada.visit("/roles").await.in_row("Night operator").sees("1 member");
        ada.follow("Night operator: 1 member").await.sees("mo@acme.test").sees_no("ivy@acme.test");
        ada.visit("/roles").await.follow("Night operator").await.sees("Mo");
        ada.follow("Delete role").await.sees("Delete the role Night operator?").sees("It is in use.");
        ada.follow("Mo").await.answered(200).sees("Active member.");
        let id: i64 = world.read(|conn| Ok(table::table.filter(table::built_in.eq(false)).select(table::id).first(conn)?)).await;
        let refused = ada.post(&format!("/roles/{id}/delete"), &[]).await;
        assert!(refused.status == 409 && refused.text().contains("It is in use."), "{}", refused.text());

        ada.visit(&format!("/roles/{id}")).await.untick("See everything").fill("Name", "Operator").press("Save").await;
        ada.answered(200).sees("The role Operator is saved: Can Import Data.");
        ada.visit("/members").await.in_row("mo@acme.test").choose("Role of Mo", "Viewer").press("Save role").await.answered(200);
        ada.visit(&format!("/roles/{id}/delete")).await.press("Delete role").await.answered(200).sees("The role Operator is deleted.");
        assert_eq!(ada.open(&format!("/roles/{id}")).await, 404);

        let said: Vec<(String, Option<String>, Option<String>)> = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::subject_kind.eq("role")).order(audit_log::id);
            Ok(of.select((audit_log::action, audit_log::before, audit_log::after)).load(conn)?)
        }).await;
        let actions: Vec<&str> = said.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["role.created", "role.changed", "role.deleted"]);
        let (before, after) = (said[1].1.as_ref().unwrap(), said[1].2.as_ref().unwrap());
        assert!(before.contains("see_everything") && before.contains("Night operator"), "{before}");
        assert!(!after.contains("see_everything") && after.contains("Operator"), "{after}");
        ada.visit("/audit").await.sees("Changed the role").sees("See everything, Can Import Data");
    }

    async fn built_in_roles_stay_what_they_are(world: World) {
        let id: i64 = world.read(|conn| Ok(table::table.filter(table::name.eq("Viewer")).select(table::id).first(conn)?)).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/roles/{id}")).await.sees("It cannot be changed or deleted.");
        assert_eq!(ada.count("main form"), 0);
        let before = world.fingerprint().await;
        let changed = ada.post(&format!("/roles/{id}"), &[("name", "Anything"), ("permission", "administer")]).await;
        assert!(changed.status == 409 && changed.text().contains("Viewer is a built-in role and cannot be changed."), "{}", changed.text());
        assert_eq!(ada.get(&format!("/roles/{id}/delete")).await.status, 409);
        assert_eq!(ada.post(&format!("/roles/{id}/delete"), &[]).await.status, 409);
        let api = world.api(&world.ada).await;
        api.patch(&format!("roles/{id}"), json!({"permissions": ["administer"]})).await.is(409);
        api.delete(&format!("roles/{id}")).await.is(409);
        assert_eq!(world.fingerprint().await, before);
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/roles").await.sees("Importer");
        assert_eq!(audrey.count("main form"), 0, "an Auditor only reads");
    }

    /// On pages, by tokens, and for what is queued: whoever holds the role has what it gives now.
    async fn a_change_counts_at_once(world: World) {
        csv(&world, "words", &[("1", "one")]);
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let role = make(&world, "Night operator", &[Permission::ImportData]).await;
        give(&world, &world.ivy, "Night operator").await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        let (mut ivy, api) = (world.browser(&world.ivy).await, world.api(&world.ivy).await);
        ivy.visit(&list).await.answered(200);
        api.get(&format!("applications/{}/schedules", world.application)).await.is(200);
        let queued = try_start(&world, &world.ivy, &stage).await.unwrap().run;
        change(&world, role, &[]).await.unwrap();
        assert_eq!(ivy.open(&list).await, 403);
        ivy.sees("Can Import Data in your role");
        api.get(&format!("applications/{}/schedules", world.application)).await.is(403);
        work_off(&world).await;
        let ended = run(&world, queued.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.unwrap().contains("Can Import Data"), "it says which right is missing");
        change(&world, role, &[Permission::SeeEverything]).await.unwrap();
        ivy.visit("/members").await.sees("olive@acme.test");
        assert_eq!(ivy.open(&format!("/applications/{}", world.elsewhere)).await, 200);
        change(&world, role, &[Permission::Administer]).await.unwrap();
        ivy.visit("/members").await.sees("Add member");
        ivy.visit(&format!("/applications/{}/settings/members", world.application)).await;
        ivy.in_row("ivy@acme.test").sees("Cannot import yet: the role lacks Can Import Data.");
        assert_eq!(ivy.open(&list).await, 200, "who sees everything opens it");
        assert!(matches!(try_start(&world, &world.ivy, &stage).await, Err(AppError::Forbidden(_))));
    }

    async fn somebody_administers_always(world: World) {
        let role = make(&world, "Keeper", &[Permission::Administer]).await;
        give(&world, &world.mo, "Keeper").await;
        let (mo, now) = (world.mo.clone(), world.now());
        let ada = world.ada.id;
        world.write(move |conn| {
            let by = mo.by(conn)?;
            actions::update(conn, &by, ENDERS, ada, Change { role: Some("Viewer".into()), ..Change::default() }, now)
        }).await;
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/roles/{role}")).await.untick("Administer").untick("See everything").press("Save").await;
        mo.answered(409).sees("Only members with the role Keeper administer the Workspace. Make someone else an Administrator first.");
        let api = world.api(&world.mo).await;
        api.patch(&format!("roles/{role}"), json!({"permissions": []})).await.is(409);
        mo.visit("/members").await.in_row("ada@acme.test").choose("Role of Ada", "Administrator").press("Save role").await.answered(200);
        mo.visit(&format!("/roles/{role}")).await.untick("Administer").untick("See everything").untick("Create Applications").press("Save").await;
        assert_eq!(mo.open("/roles").await, 403, "Mo administers no more");
    }

    async fn who_takes_the_right_to_import_is_asked_while_schedules_need_it(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let role = make(&world, "Night operator", &[Permission::ImportData]).await;
        give(&world, &world.olive, "Night operator").await;
        create(&world, draft(&stage, &daily("06:00"))).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/roles/{role}")).await.untick("Can Import Data").press("Save").await;
        ada.answered(409).sees("Nothing is saved yet.").sees("Olive owns 1 schedule");
        ada.tick("Take Can Import Data away all the same").press("Save").await;
        ada.answered(200).sees("The role Night operator is saved: View only.");
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        ada.visit(&list).await.sees("Can Import Data");
        assert!(matches!(try_start(&world, &world.olive, &stage).await, Err(AppError::Forbidden(_))));
        change(&world, role, &[Permission::ImportData]).await.unwrap();
        start(&world, &stage).await;
    }

    async fn who_is_invited_keeps_a_role_there(world: World) {
        let role = make(&world, "Night operator", &[Permission::ImportData]).await;
        let link = invite_as(&world, "Night operator: Can Import Data").await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/roles/{role}/delete")).await.sees("It is in use.").sees("the invitation of Una");
        let mut una = world.nobody();
        una.visit(&link).await.sees("in the role Night operator");
        una.fill("Password", "shells and stones").press("Accept").await.answered(200);
        una.visit("/account").await.sees("Una@acme.test, Night operator");
    }

    async fn a_script_makes_changes_and_deletes_them(world: World) {
        let api = world.api(&world.ada).await;
        let body = json!({"name": "Night operator", "permissions": ["import_data", "administer"]});
        let made = api.post("roles", body).await;
        assert_eq!(made.is(201).json["permissions"], json!(["administer", "see_everything", "import_data", "make_applications"]));
        let path = format!("roles/{}", made.id());
        let changed = api.patch(&path, json!({"permissions": ["import_data"]})).await;
        assert_eq!((&changed.is(200).json["version"], &changed.json["name"]), (&json!(2), &json!("Night operator")));
        api.patch(&path, json!({"name": "Night operator"})).await.is(200);
        assert_eq!(api.get(&path).await.json["version"], 2, "nothing changed");
        assert_eq!(api.post("roles", json!({"permissions": ["fly"]})).await.wrong_fields(), ["name", "permissions[0]"]);
        api.patch(&format!("members/{}", world.mo.id), json!({"role": "Night operator"})).await.is(200);
        assert!(api.delete(&path).await.is(409).body.contains("is used by Mo"));
        api.patch(&format!("members/{}", world.mo.id), json!({"role": "Viewer"})).await.is(200);
        api.delete(&path).await.is(204);
        assert_eq!(api.get("roles").await.items().len(), 5);
        let reads = world.api_with_scopes(&world.ada, Some(&["read"])).await;
        reads.post("roles", json!({"name": "X"})).await.is(403);
    }

    async fn there_are_at_most_fifty_and_names_are_names(world: World) {
        let api = world.api(&world.ada).await;
        for n in 0..50 {
            api.post("roles", json!({"name": format!("Role {n}")})).await.is(201);
        }
        assert!(api.post("roles", json!({"name": "One more"})).await.is(409).body.contains("no more can be created"));
        for name in ["a\nb", "zero\u{200b}width", "", &"x".repeat(201)] {
            assert_eq!(api.post("roles", json!({"name": name})).await.wrong_fields(), ["name"], "{name:?}");
        }
        let first = api.get("roles?limit=200").await.items().last().unwrap()["id"].as_i64().unwrap();
        let odd = "\"><img src=x onerror=alert(1)> {{7*7}}";
        api.patch(&format!("roles/{first}"), json!({"name": odd})).await.is(200);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/roles").await.sees(odd);
        ada.visit(&format!("/roles/{first}")).await.sees(odd);
        assert_eq!(ada.count("img"), 0);
    }
}

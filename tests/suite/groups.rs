//! Groups of members: what a group has in an Application its members have, together with their own.

use diesel::prelude::*;
use serde_json::json;
use tidegate::applications::{Grants, actions as applications, standing};
use tidegate::db::schema::{audit_log, group_members, groups as table, members, roles};
use tidegate::imports::Mode;
use tidegate::members::groups::{self, Draft};

use crate::schedules::{create, daily, draft};
use crate::support::stage::stage;
use crate::support::*;

/// A group that Ada makes; its id.
pub async fn make(world: &World, name: &str, people: &[&Person]) -> i64 {
    let (ada, now) = (world.ada.clone(), world.now());
    let draft = Draft { name: name.to_owned(), member_ids: people.iter().map(|person| person.id).collect() };
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            Ok(groups::create(conn, &by, &draft, now)?.id)
        })
        .await
}

/// Who is in it from now on.
pub async fn set(world: &World, id: i64, people: &[&Person]) {
    let (ada, now) = (world.ada.clone(), world.now());
    let member_ids: Vec<i64> = people.iter().map(|person| person.id).collect();
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            let name = groups::find(conn, &by, id)?.name;
            groups::change(conn, &by, id, &Draft { name, member_ids }, None, now)
        })
        .await;
}

pub async fn members_of(world: &World, id: i64) -> Vec<i64> {
    world
        .read(move |conn| {
            let of = group_members::table.filter(group_members::group_id.eq(id));
            Ok(of.order(group_members::member_id).select(group_members::member_id).load(conn)?)
        })
        .await
}

/// Gives a group access to "FP&A 2026": View, and (Import Data, Configure).
pub async fn give(world: &World, id: i64, view: bool, (import_data, configure): (bool, bool)) {
    let (ada, now, application) = (world.ada.clone(), world.now(), world.application);
    let grants = Grants { view, import_data, configure };
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            applications::set_group_access(conn, &by, application, id, grants, now)
        })
        .await;
}

/// What somebody has in "FP&A 2026": view, import data, configure.
async fn has(world: &World, person: &Person) -> (bool, bool, bool) {
    let (id, application) = (person.id, world.application);
    let stands = world.read(move |conn| {
        let member = tidegate::members::by_id(conn, id)?.unwrap();
        let application = tidegate::applications::by_id(conn, application)?.unwrap();
        standing(conn, &member, application)
    });
    let Grants { view, import_data, configure } = stands.await.grants;
    (view, import_data, configure)
}

on_both! {
    async fn an_administrator_makes_changes_and_deletes_a_group(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.follow("Groups").await.sees("No groups yet");
        ada.fill("Name", "Planning team").tick("Olive olive@acme.test").tick("Mo mo@acme.test").press("Create group").await;
        ada.answered(200).sees("The group Planning team is created.");
        ada.in_row("Planning team").sees("Mo, Olive");
        ada.everywhere().fill("Name", "PLANNING TEAM").tick("Ivy ivy@acme.test").press("Create group").await;
        ada.answered(409).sees("A group named PLANNING TEAM already exists.").sees("1 chosen");
        assert_eq!(ada.count("#name[aria-invalid]"), 1, "the field is marked");
        assert_eq!(ada.count("input[name=member][checked]"), 1, "what was ticked is kept");
        ada.fill("Name", "").press("Create group").await.answered(422).sees("Enter a name.");
        let id: i64 = world.read(|conn| Ok(table::table.select(table::id).first(conn)?)).await;

        // Two who have it open learn of each other.
        let mut other = world.browser(&world.ada).await;
        other.visit(&format!("/groups/{id}")).await;
        ada.visit("/groups").await.follow("Planning team").await.sees("no schedule notifies it yet");
        ada.tick("Ivy ivy@acme.test").untick("Mo mo@acme.test").fill("Name", "Planning").press("Save").await;
        ada.answered(200).sees("The group Planning is saved.");
        ada.in_row("Ivy, Olive").sees("Planning");
        other.fill("Name", "Plan").press("Save").await.answered(412).sees("was changed after you opened this page");
        other.press("Save").await.answered(200).sees("The group Plan is saved.");
        assert_eq!(members_of(&world, id).await, [world.olive.id, world.mo.id], "saved once more, knowingly");

        // A deactivated member stays, and no other joins.
        let mo = world.mo.id;
        world.write(move |conn| {
            diesel::update(members::table.find(mo)).set(members::active.eq(false)).execute(conn)?;
            Ok(())
        }).await;
        ada.visit(&format!("/groups/{id}")).await.sees("mo@acme.test, deactivated");
        ada.untick("Olive olive@acme.test").press("Save").await.answered(200);
        let api = world.api(&world.ada).await;
        let second = api.make("groups", json!({"name": "Second"})).await;
        let refused = api.patch(&format!("groups/{second}"), json!({"member_ids": [mo]})).await;
        assert_eq!(refused.wrong_fields(), ["member_ids"]);
        assert!(refused.body.contains("Mo is deactivated and cannot join a group."), "{}", refused.body);

        ada.visit(&format!("/groups/{id}")).await.follow("Delete group").await.sees("Delete the group Plan?");
        ada.press("Delete group").await.answered(200).sees("The group Plan is deleted.");
        assert_eq!(ada.open(&format!("/groups/{id}")).await, 404);
        let actions: Vec<String> = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::subject_kind.eq("group")).order(audit_log::id);
            Ok(of.select(audit_log::action).load(conn)?)
        }).await;
        assert_eq!(actions, ["group.created", "group.changed", "group.changed", "group.changed", "group.created", "group.deleted"]);
        ada.visit("/audit").await.sees("Changed the group").sees("Olive");
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/groups").await.follow("Second").await.sees("No one is in this group.");
        assert_eq!(audrey.count("main form"), 0, "an Auditor only reads");
    }

    /// A member has what is their own and what each of their groups has, from one moment to the next.
    async fn rights_are_the_union_of_ones_own_and_those_of_groups(world: World) {
        let planning = make(&world, "Planning team", &[&world.mo, &world.stranger]).await;
        let modelers = make(&world, "Modelers", &[&world.mo]).await;
        assert_eq!((has(&world, &world.mo).await, has(&world, &world.stranger).await), ((true, false, false), (false, false, false)));
        give(&world, planning, false, (true, false)).await;
        give(&world, modelers, false, (false, true)).await;
        assert_eq!((has(&world, &world.mo).await, has(&world, &world.stranger).await), ((true, true, true), (true, true, false)));
        let (here, list) = (format!("/applications/{}", world.application), format!("/applications/{}/settings/import-scheduling", world.application));
        let (mut stranger, mut mo) = (world.browser(&world.stranger).await, world.browser(&world.mo).await);
        stranger.visit("/").await.sees("FP&A 2026").sees("Elsewhere");
        stranger.visit(&list).await.answered(200);
        world.api(&world.stranger).await.get("applications").await.is(200).items().iter().find(|a| a["name"] == "FP&A 2026").unwrap();
        assert_eq!(mo.open(&list).await, 403, "the role of Mo lacks Can Import Data");
        mo.visit(&format!("{here}/settings/members")).await.answered(200);

        // The page says where it comes from, and its own boxes hold only what was given to the member.
        mo.in_row("mo@acme.test").sees("View and Import Data through Planning team").sees("View and Configure through Modelers");
        mo.sees("Cannot import yet: the role lacks Can Import Data.");
        assert_eq!(mo.count("input[checked]"), 1);
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&format!("{here}/settings/members")).await.in_row("stranger@acme.test").sees("View and Import Data through Planning team");
        audrey.everywhere().within("section[aria-labelledby=groups-h]").sees("Planning team 2 View and Import Data");

        // What one gives back the other still gives.
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("{here}/settings/members")).await.untick("View for Mo").press("Save for Mo").await;
        ada.sees("Mo has no permissions of their own here, but keeps those of their groups.");
        ada.press("Save for Audrey").await.sees("Audrey has no permissions of their own here, but still sees everything.");
        assert_eq!(has(&world, &world.mo).await, (true, true, true));
        ada.tick("Configure for Planning team").press("Save for Planning team").await.sees("Planning team has View, Import Data and Configure.");
        assert_eq!(has(&world, &world.stranger).await, (true, true, true));
        set(&world, planning, &[&world.mo]).await;
        assert_eq!(has(&world, &world.stranger).await, (false, false, false));
        assert_eq!(stranger.open(&here).await, 404, "the last way in is gone");
        give(&world, modelers, false, (false, false)).await;
        give(&world, planning, false, (false, false)).await;
        assert_eq!((has(&world, &world.mo).await, mo.open(&here).await), ((false, false, false), 404));
        ada.visit("/audit").await.sees("Changed the access of the group Planning team");
    }

    async fn who_configures_through_a_group_is_named_and_lets_others_in(world: World) {
        let group = make(&world, "Modelers", &[&world.mo]).await;
        give(&world, group, true, (false, true)).await;
        let mut ivy = world.browser(&world.ivy).await;
        assert_eq!(ivy.open(&format!("/applications/{}/blocks/new", world.application)).await, 403);
        ivy.sees("Mo or Olive can grant it");
        let path = format!("applications/{}/group-access/{group}", world.application);
        let mo = world.api(&world.mo).await;
        let given = mo.put(&path, json!({"import_data": true, "configure": true})).await;
        let wanted = json!({"application_id": world.application, "group_id": group, "view": true, "import_data": true, "configure": true});
        assert_eq!(given.is(200).json, wanted);
        world.api(&world.ivy).await.put(&path, json!({"view": true})).await.is(403);
        world.api(&world.stranger).await.put(&path, json!({"view": true})).await.is(404);
        mo.put(&format!("applications/{}/group-access/999999", world.application), json!({"view": true})).await.is(404);
        mo.delete(&path).await.is(204);
        mo.get(&format!("applications/{}", world.application)).await.is(200);
        mo.put(&path, json!({"view": true})).await.is(403);
    }

    /// A schedule whose Owner imports through a group is flagged once the group does not give it any more.
    async fn an_owner_who_leaves_the_group_is_flagged(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let group = make(&world, "Planning team", &[&world.stranger]).await;
        give(&world, group, true, (true, false)).await;
        let made = crate::schedules::try_create(&world, &world.stranger, draft(&stage, &daily("06:00"))).await.unwrap();
        assert_eq!(made.owner_id, world.stranger.id);
        let (ada, path) = (world.api(&world.ada).await, format!("schedules/{}", made.id));
        assert!(ada.get(&path).await.json["flagged"].is_null());
        set(&world, group, &[]).await;
        assert!(ada.get(&path).await.json["flagged"].is_string());
        set(&world, group, &[&world.stranger]).await;
        assert!(ada.get(&path).await.json["flagged"].is_null());
        // What is lost with the account is said before.
        let mut browser = world.browser(&world.ada).await;
        browser.visit(&format!("/members/{}/deactivate", world.stranger.id)).await.sees("Owns 1 schedule").sees("is in the group Planning team, stays there, and is not notified through it while deactivated.");
        browser.visit(&format!("/members/{}", world.stranger.id)).await.follow("Planning team").await.sees("Stranger");
    }

    async fn what_uses_a_group_keeps_it_there(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let group = make(&world, "Planning team", &[&world.mo]).await;
        give(&world, group, true, (false, false)).await;
        let mut telling = draft(&stage, &daily("06:00"));
        telling.notify = Some(tidegate::schedules::Notify {
            about: tidegate::schedules::About::Failed,
            member_ids: Vec::new(),
            group_ids: vec![group],
            after: 1,
        });
        let schedule = create(&world, telling).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/groups/{group}")).await.sees("Access to FP&A 2026").sees("1 schedule that notifies it in FP&A 2026");
        ada.follow("Delete group").await.sees("It is in use.").sees("access to FP&A 2026");
        let before = world.fingerprint().await;
        let refused = ada.post(&format!("/groups/{group}/delete"), &[]).await;
        assert!(refused.status == 409 && refused.text().contains("It is in use."), "{}", refused.text());
        let api = world.api(&world.ada).await;
        assert!(api.delete(&format!("groups/{group}")).await.is(409).body.contains("access to FP&A 2026"));
        assert_eq!(world.fingerprint().await, before);
        give(&world, group, false, (false, false)).await;
        api.delete(&format!("groups/{group}")).await.is(409);
        // What is deleted is no use any more.
        api.delete(&format!("schedules/{}", schedule.id)).await.is(204);
        api.delete(&format!("groups/{group}")).await.is(204);
        ada.visit("/audit").await.sees("Deleted the group");
    }

    async fn there_are_bounds_and_names_are_names(world: World) {
        let api = world.api(&world.ada).await;
        world.write(|conn| {
            let role: i64 = roles::table.filter(roles::name.eq("Viewer")).select(roles::id).first(conn)?;
            for n in 0..501 {
                let email = format!("extra{n}@acme.test");
                let who = (members::email.eq(&email), members::email_key.eq(&email), members::name.eq("Extra"));
                diesel::insert_into(members::table).values((who, members::role_id.eq(role), members::created_at.eq(0))).execute(conn)?;
            }
            Ok(())
        }).await;
        let all: Vec<i64> = world.read(|conn| {
            let extra = members::table.filter(members::name.eq("Extra")).order(members::id);
            Ok(extra.select(members::id).load(conn)?)
        }).await;
        let many = api.post("groups", json!({"name": "Many", "member_ids": all})).await;
        assert_eq!(many.wrong_fields(), ["member_ids"]);
        assert!(many.body.contains("At most 500 members can be in a group."), "{}", many.body);
        let full = api.make("groups", json!({"name": "Full", "member_ids": all[..500]})).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/groups").await.in_row("Full").sees("Extra, Extra, Extra, Extra and 496 more");
        let form = [("name", "Una"), ("email", "una@acme.test"), ("role", "Viewer"), ("group", &full.to_string())];
        let refused = ada.post("/members/invitations", &form).await;
        assert!(refused.status == 422 && refused.text().contains("Full is full: 500 members are in it."), "{}", refused.text());
        assert_eq!(api.post("groups", json!({"name": "X", "member_ids": [999_999]})).await.wrong_fields(), ["member_ids"]);
        for name in ["a\nb", "zero\u{200b}width", "", &"x".repeat(201)] {
            assert_eq!(api.post("groups", json!({"name": name})).await.wrong_fields(), ["name"], "{name:?}");
        }
        let odd = "\"><img src=x onerror=alert(1)> {{7*7}}";
        let id = api.make("groups", json!({"name": odd, "member_ids": [world.olive.id]})).await;
        give(&world, id, true, (true, true)).await;
        for path in ["/groups", &format!("/groups/{id}"), &format!("/applications/{}/settings/members", world.application), "/members"] {
            ada.visit(path).await.sees(odd);
            assert_eq!(ada.count("img"), 0, "{path}");
        }
        for n in 2..200 {
            api.post("groups", json!({"name": format!("Group {n}")})).await.is(201);
        }
        assert!(api.post("groups", json!({"name": "One more"})).await.is(409).body.contains("no more can be created"));
    }
}

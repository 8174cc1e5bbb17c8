//! Invitations: a link that makes a member, by mail or handed over.

use chrono::Duration;
use diesel::prelude::*;
use serde_json::json;
use tidegate::db::schema::{audit_log, invitation_access, invitations as table, workspace};
use tidegate::mail::Mailer;
use tidegate::members::actions::{self, NewMember};

use crate::groups;
use crate::passwords::links;
use crate::support::databases::with_changed_world;
use crate::support::*;

/// Ada invites Una; the address of the link.
pub async fn invite(world: &World) -> String {
    invite_as(world, "Importer: Can Import Data").await
}

/// The same in a role, as the form offers it.
pub async fn invite_as(world: &World, role: &str) -> String {
    let mut ada = world.browser(&world.ada).await;
    let before = world.mails().len();
    ada.visit("/members").await.fill("Name", "Una").fill("E-mail", "Una@acme.test");
    ada.choose("Role", role).press("Invite").await;
    ada.answered(200).sees("An invitation is on its way to Una@acme.test.");
    links(&world.mails()[before..], "/invitations/").remove(0)
}

/// The same with these boxes ticked.
async fn invite_with(world: &World, ticked: &[&str]) -> String {
    let mut ada = world.browser(&world.ada).await;
    ada.visit("/members").await.fill("Name", "Una").fill("E-mail", "Una@acme.test");
    ada.choose("Role", "Importer: Can Import Data");
    for label in ticked {
        ada.tick(label);
    }
    ada.press("Invite").await.answered(200).sees("An invitation is on its way to Una@acme.test.");
    links(&world.mails(), "/invitations/").remove(0)
}

/// The id of the one invitation that there is.
pub async fn id(world: &World) -> i64 {
    world.read(|conn| Ok(table::table.select(table::id).first(conn)?)).await
}

on_both! {
    async fn the_invited_person_chooses_name_and_password_and_is_in(world: World) {
        let link = invite(&world).await;
        let mail = world.mails().remove(0);
        assert!(mail.contains("Subject: Ada invites you to") && mail.contains("Una@acme.test"), "{mail}");
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("Una@acme.test").sees("Pending").sees("ends in 7 days, invited by Ada");
        ada.visit("/members").await.fill("Name", "Una").fill("E-mail", "una@acme.test").press("Invite").await;
        ada.answered(409).sees("una@acme.test is invited already");
        assert_eq!((ada.count("#invite.is-open"), ada.count("#email[aria-invalid]")), (1, 1), "the field is marked");
        ada.fill("E-mail", "mo@acme.test").press("Invite").await.answered(409).sees("already exists");
        ada.fill("E-mail", "mo").fill("Name", "").press("Invite").await.answered(422).sees("Enter a name.");
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/members").await.sees("Una@acme.test");
        assert_eq!(audrey.count("main form"), 0, "an Auditor only reads");

        let mut una = world.nobody();
        let before = world.fingerprint().await;
        una.visit(&link).await.sees("Ada invites Una@acme.test, in the role Importer.");
        assert_eq!(una.value("Your name"), "Una");
        assert_eq!(world.fingerprint().await, before);
        una.fill("Your name", "Una Wave").fill("Password", "Una Wave").press("Accept").await;
        una.answered(422).sees("too easy to guess");
        assert_eq!(una.value("Your name"), "Una Wave", "what was typed is kept");
        una.fill("Password", "shells and stones").press("Accept").await.answered(200).sees("Welcome.");
        una.visit("/account").await.sees("Una@acme.test, Importer");
        let mut again = world.nobody();
        assert_eq!(again.open(&link).await, 404);
        again.sees("This invitation no longer works");
        assert_eq!(again.post(&link, &[("name", "Eve"), ("password", "tide after tide")]).await.status, 404);
        ada.visit("/members").await.in_row("Una@acme.test").sees("Una Wave").sees("Active").sees_no("Pending");
        let actions = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::subject_kind.eq("invitation")).order(audit_log::id);
            Ok(of.select((audit_log::action, audit_log::member_name)).load::<(String, String)>(conn)?)
        }).await;
        let said = |action: &str, who: &str| (action.to_owned(), who.to_owned());
        assert_eq!(actions, [said("invitation.made", "Ada"), said("invitation.accepted", "Una Wave")]);
        ada.visit("/audit").await.sees("Invited Una").sees("Accepted the invitation of Una");
    }

    async fn an_invitation_runs_out_and_is_sent_again_or_revoked(world: World) {
        let first = invite(&world).await;
        let mut una = world.nobody();
        world.advance(Duration::days(7) - Duration::minutes(1));
        una.visit(&first).await.answered(200);
        world.advance(Duration::minutes(1));
        assert_eq!(una.open(&first).await, 404);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("Una@acme.test").sees("Expired");
        ada.press("Invite again: Una").await;
        ada.answered(200).sees("An invitation is on its way to Una@acme.test.");
        ada.in_row("Una@acme.test").sees("Pending");
        let second = links(&world.mails()[1..], "/invitations/").remove(0);
        assert_ne!(first, second);
        una.visit(&second).await.answered(200);
        assert_eq!(una.open(&first).await, 404);
        ada.press("Revoke the invitation of Una").await.answered(200).sees("The invitation of Una is revoked");
        assert_eq!(una.open(&second).await, 404);
        // Who has become a member otherwise needs none.
        let third = invite(&world).await;
        let (ada, now) = (world.ada.clone(), world.now());
        world.write(move |conn| {
            let by = ada.by(conn)?;
            let (email, name, role) = ("una@ACME.test".into(), "Una".into(), "Viewer".into());
            actions::add(conn, &by, NewMember { email, name, role, password: None }, now)
        }).await;
        assert_eq!(una.open(&third).await, 404);
    }

    /// Groups, and permissions in Applications: kept with the invitation, shown beside it, given once it is accepted.
    async fn an_invitation_gives_groups_and_access(world: World) {
        let planning = groups::make(&world, "Planning team", &[&world.mo]).await;
        let link = invite_with(&world, &["Planning team", "Import Data in FP&A 2026", "View in Elsewhere"]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("Una@acme.test");
        ada.sees("in Planning team").sees("View and Import Data in FP&A 2026").sees("View in Elsewhere");
        ada.visit(&format!("/groups/{planning}/delete")).await.sees("It is in use.").sees("the invitation of Una");
        ada.visit("/members").await.in_row("Una@acme.test").press("Invite again: Una").await.answered(200);
        ada.in_row("Una@acme.test").sees("View and Import Data in FP&A 2026");
        let link = links(&world.mails()[1..], "/invitations/").pop().unwrap_or(link);
        // What was archived since gives nothing, and stands in nobody's way.
        let elsewhere = world.elsewhere;
        world.api(&world.ada).await.delete(&format!("applications/{elsewhere}")).await.is(204);
        ada.visit("/members").await.in_row("Una@acme.test").sees_no("Elsewhere");
        let mut una = world.nobody();
        una.visit(&link).await.fill("Password", "shells and stones").press("Accept").await.answered(200).sees("FP&A 2026");
        assert_eq!(una.open(&format!("/applications/{}/settings/import-scheduling", world.application)).await, 200);
        ada.visit(&format!("/groups/{planning}")).await.sees("Una");
        assert_eq!(groups::members_of(&world, planning).await.len(), 2);
        ada.visit("/audit").await.sees("Included access in the invitation of Una").sees("Changed the access of Una").sees("Changed the group Planning team");
        let left = world.read(|conn| Ok(invitation_access::table.count().get_result::<i64>(conn)?));
        assert_eq!(left.await, 0);
    }

    async fn what_an_administrator_invited_ends_with_their_right_to(world: World) {
        let link = invite(&world).await;
        let (ada, mo) = (world.api(&world.ada).await, world.api(&world.mo).await);
        ada.patch(&format!("members/{}", world.mo.id), json!({"role": "Administrator"})).await.is(200);
        mo.patch(&format!("members/{}", world.ada.id), json!({"active": false})).await.is(200);
        assert_eq!(world.nobody().open(&link).await, 404);
    }

    async fn who_is_added_at_once_gets_them_too_and_what_is_not_there_is_refused(world: World) {
        let planning = groups::make(&world, "Planning team", &[]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.fill("Name", "Una").fill("E-mail", "una@acme.test").fill("First password", "sea and sand 7");
        ada.tick("Planning team").tick("Configure in FP&A 2026").press("Add member").await.answered(200).sees("Una is now a member");
        assert_eq!(groups::members_of(&world, planning).await.len(), 1);
        // Enter in the form presses its first button, whichever way was chosen.
        let uli = [("name", "Uli"), ("email", "uli@acme.test"), ("role", "Viewer"), ("way", "password"), ("password", "sea and sand 8")];
        assert_eq!(ada.post("/members/invitations", &uli).await.status, 200);
        ada.visit("/members").await.in_row("uli@acme.test").sees("Active");
        ada.everywhere();
        ada.visit(&format!("/applications/{}/settings/members", world.application)).await.in_row("una@acme.test");
        assert_eq!(ada.count("input[name=configure][checked], input[name=view][checked]"), 2);
        let before = world.fingerprint().await;
        let who = [("name", "Eve"), ("email", "eve@acme.test"), ("role", "Viewer"), ("password", "sea and sand 7")];
        for (path, odd, said) in [
            ("/members/invitations", ("view", "999999"), "One of these Applications does not exist."),
            ("/members/invitations", ("group", "999999"), "One of these groups does not exist."),
            ("/members", ("view", "999999"), "One of these Applications does not exist."),
            ("/members", ("group", "999999"), "One of these groups does not exist."),
        ] {
            let answer = ada.post(path, &[&who[..], &[odd]].concat()).await;
            assert!(answer.status == 422 && answer.text().contains(said), "{path} {odd:?}: {} {}", answer.status, answer.text());
        }
        assert_eq!(world.fingerprint().await, before);
        let odd = ada.post("/members/invitations", &[&who[..], &[("view", "x"), ("group", "'; --"), ("configure", "-1")]].concat()).await;
        assert_eq!(odd.status, 422);
    }

    async fn what_ran_out_long_ago_is_forgotten(world: World) {
        invite(&world).await;
        for (days, left) in [(37, 1), (1, 0)] {
            world.advance(Duration::days(days));
            let now = world.now();
            world.write(move |conn| tidegate::members::forget_invitations(conn, now)).await;
            let there = world.read(|conn| Ok(table::table.count().get_result::<i64>(conn)?));
            assert_eq!(there.await, left);
        }
    }

    /// Whoever accepts in a browser in which somebody else is signed in is told so, and goes on as themselves.
    async fn another_who_is_signed_in_is_signed_out(world: World) {
        let link = invite(&world).await;
        let mut browser = world.browser(&world.mo).await;
        let old = browser.session().unwrap();
        browser.visit(&link).await.sees("You are signed in as Mo.");
        browser.fill("Password", "shells and stones").press("Accept").await.answered(200);
        browser.visit("/account").await.sees("Una@acme.test");
        let mut thief = Browser::new(world.at(), "a thief", Some(&old));
        thief.visit("/account").await.sees("Sign in");
    }

    async fn of_two_who_accept_at_once_one_is_in(world: World) {
        let link = invite(&world).await;
        let knock = || {
            let (world, link) = (world.clone(), link.clone());
            async move {
                let mut browser = world.nobody();
                browser.visit(&link).await;
                let form = [("name", "Una"), ("password", "shells and stones")];
                browser.post(&link, &form).await.status
            }
        };
        let (one, two) = tokio::join!(knock(), knock());
        let mut both = [one, two];
        both.sort_unstable();
        assert_eq!(both, [200, 404]);
    }

    async fn a_copy_that_stands_by_invites_by_hand(world: World) {
        let now = world.now();
        world.write(move |conn| {
            diesel::update(workspace::table).set(workspace::standing_by_since.eq(now)).execute(conn)?;
            Ok(())
        }).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.fill("Name", "Una").fill("E-mail", "una@acme.test").press("Invite").await;
        ada.answered(201).sees("a copy that stands by");
        assert!(world.mails().is_empty());
    }
}

#[test]
fn without_a_mail_server_the_link_is_shown_once() {
    let files = |app: &mut tidegate::app::App| {
        let policy = tidegate::connectors::NetworkPolicy::new(Vec::new());
        let folder = app.config.data_dir.join("mail");
        app.mail = Mailer::new("tidegate@localhost", None, policy, folder).unwrap();
    };
    with_changed_world(Database::Sqlite, files, |world| async move {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.sees("You get a link and pass it on");
        ada.fill("Name", "Una").fill("E-mail", "una@acme.test").press("Invite").await;
        ada.answered(201).sees("Give Una this link. It is not shown again.").sees("no mail server");
        let link = ada.within("#fresh-link").text();
        let mut una = world.nobody();
        una.visit(link.strip_prefix(world.at()).expect("a link of this installation")).await;
        una.fill("Password", "shells and stones").press("Accept").await.answered(200).sees("Welcome.");
        ada.visit("/members").await.sees_no(&link);
    });
}

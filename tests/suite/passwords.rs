//! A password that was forgotten: a link that works once, mailed or handed over, and the command line.

use std::time::Duration as Elapsed;

use chrono::Duration;
use diesel::prelude::*;
use tidegate::db::schema::{audit_log, one_time_tokens, workspace};
use tidegate::mail::Mailer;
use tidegate::members::actions::{self, Change};
use tidegate::members::reset;

use crate::support::cast::PASSWORD;
use crate::support::databases::with_changed_world;
use crate::support::process::run;
use crate::support::*;

/// The links of these mails' texts, the oldest first.
pub fn links(mails: &[String], door: &str) -> Vec<String> {
    let found = mails.iter().filter_map(|mail| {
        let plain = mail.replace("=\r\n", "").replace("=3D", "=");
        let rest = plain.split(door).nth(1)?;
        let token: String = rest.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_')).collect();
        Some(format!("{door}{token}"))
    });
    found.collect()
}

/// The mails, once there are so many: a link is mailed after the answer.
async fn mailed(world: &World, count: usize) -> Vec<String> {
    for _ in 0..200 {
        if world.mails().len() >= count {
            break;
        }
        tokio::time::sleep(Elapsed::from_millis(20)).await;
    }
    let mails = world.mails();
    assert_eq!(mails.len(), count, "{mails:?}");
    mails
}

/// Whoever asks at the sign-in page for a link.
async fn asks(world: &World, email: &str) -> Browser {
    let mut browser = world.nobody();
    browser.visit("/sign-in").await.follow("Forgot your password?").await;
    browser.fill("E-mail", email).press("Send link").await;
    browser
}

async fn signs_in(world: &World, email: &str, password: &str) -> u16 {
    let mut browser = world.nobody();
    browser.visit("/sign-in").await.fill("E-mail", email).fill("Password", password).press("Sign in").await;
    browser.status
}

async fn deactivates(world: &World, id: i64, active: bool) {
    let (ada, now) = (world.ada.clone(), world.now());
    world
        .write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, id, Change { active: Some(active), ..Change::default() }, now)
        })
        .await;
}

/// A link of Olive's, as it is handed over.
pub async fn link(world: &World) -> String {
    link_by(world, &world.ada).await
}

async fn link_by(world: &World, person: &Person) -> String {
    let person = person.clone();
    let by = world.read(move |conn| person.by(conn)).await;
    let before = world.mails().len();
    reset::make(world.app(), &by, world.olive.id).await.unwrap();
    links(&world.mails()[before..], "/password/reset/").remove(0)
}

on_both! {
    async fn a_forgotten_password_is_set_by_a_mailed_link_that_works_once(world: World) {
        let mut elsewhere = world.browser(&world.olive).await;
        let token = world.api(&world.olive).await;
        let mut olive = asks(&world, "OLIVE@acme.test").await;
        olive.answered(200).sees("Check your mail").sees("OLIVE@acme.test");
        let mails = mailed(&world, 1).await;
        assert!(mails[0].contains("To: Olive <olive@acme.test>"), "{}", mails[0]);
        assert!(mails[0].contains(world.at()), "the link is this installation's: {}", mails[0]);
        let link = links(&mails, "/password/reset/").remove(0);
        let kept = link.rsplit('/').next().unwrap().to_owned();
        let there = world.read(move |conn| {
            Ok(one_time_tokens::table.filter(one_time_tokens::token_hash.eq(kept)).count().get_result::<i64>(conn)?)
        });
        assert_eq!(there.await, 0, "only its hash is kept");
        // To look changes nothing; what is wrong is said, and the link goes on.
        let before = world.fingerprint().await;
        olive.visit(&link).await.sees("olive@acme.test");
        olive.fill("New password", "password");
        assert_eq!(world.fingerprint().await, before);
        olive.press("Set password").await.answered(422).sees("too easy to guess");
        olive.fill("New password", "shells and stones").press("Set password").await;
        olive.answered(200).sees("Your new password is set.");
        olive.fill("E-mail", "olive@acme.test").fill("Password", "shells and stones").press("Sign in").await.answered(200);
        elsewhere.visit("/account").await.sees("Sign in");
        token.get("applications").await.is(401);
        assert_eq!(signs_in(&world, "olive@acme.test", PASSWORD).await, 422);
        assert_eq!(olive.open(&link).await, 404);
        olive.sees("This link no longer works");
        assert_eq!(olive.post(&link, &[("password", "tide after tide")]).await.status, 404);
        let actions = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::action.like("member.%reset%")).order(audit_log::id);
            Ok(of.select((audit_log::action, audit_log::member_name)).load::<(String, String)>(conn)?)
        }).await;
        let said = |action: &str, who: &str| (action.to_owned(), who.to_owned());
        assert_eq!(actions, [said("member.reset_asked", "nobody"), said("member.password_reset", "Olive")]);
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/audit").await.sees("Reset the password of").sees("Asked for a link to reset the password of");
    }

    async fn whoever_asks_reads_the_same(world: World) {
        deactivates(&world, world.mo.id, false).await;
        let mut answers = Vec::new();
        for email in ["olive@acme.test", "nobody@acme.test", "mo@acme.test"] {
            let browser = asks(&world, email).await;
            assert_eq!(browser.status, 200, "{email}");
            answers.push(browser.text().replace(email, "WHO"));
        }
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
        mailed(&world, 1).await;
        asks(&world, "no address").await.answered(422).sees("This is not an e-mail address");
    }

    /// Three mails in an hour are enough, and whoever asks often waits; but nobody is kept from signing in by it.
    async fn who_asks_often_waits_and_no_mailbox_is_filled(world: World) {
        for _ in 0..5 {
            asks(&world, "olive@acme.test").await.answered(200);
        }
        asks(&world, "olive@acme.test").await.answered(429).sees("Too many attempts. Wait 1 second");
        tokio::time::sleep(Elapsed::from_millis(300)).await;
        let mails = mailed(&world, 3).await;
        let mut olive = world.nobody();
        let all = links(&mails, "/password/reset/");
        for link in &all {
            olive.visit(link).await.answered(200);
        }
        assert_eq!(signs_in(&world, "olive@acme.test", PASSWORD).await, 200);
        // The first that is used ends the others.
        olive.visit(&all[1]).await.fill("New password", "shells and stones").press("Set password").await.answered(200);
        for link in &all {
            assert_eq!(olive.open(link).await, 404);
        }
    }

    async fn a_link_ends_with_its_hour_and_with_what_it_was_made_for(world: World) {
        let mut olive = world.nobody();
        let made = link(&world).await;
        world.advance(Duration::minutes(59));
        olive.visit(&made).await.answered(200);
        world.advance(Duration::minutes(1));
        assert_eq!(olive.open(&made).await, 404, "an hour");
        let made = link(&world).await;
        let newer = link(&world).await;
        assert_eq!(olive.open(&made).await, 404, "a newer one");
        deactivates(&world, world.olive.id, false).await;
        assert_eq!(olive.open(&newer).await, 404, "the account is closed");
        deactivates(&world, world.olive.id, true).await;
        assert_eq!(olive.open(&newer).await, 404, "and no activation revives it");
        let made = link(&world).await;
        let (ada, id, now) = (world.ada.clone(), world.olive.id, world.now());
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, id, Change { email: Some("ola@acme.test".into()), ..Change::default() }, now)
        }).await;
        assert_eq!(olive.open(&made).await, 404, "another address");
        world.advance(Duration::hours(2));
        let now = world.now();
        world.write(move |conn| tidegate::members::forget_links(conn, now)).await;
        let left = world.read(|conn| Ok(one_time_tokens::table.count().get_result::<i64>(conn)?));
        assert_eq!(left.await, 0, "what ran out is forgotten");
    }

    async fn a_link_ends_with_the_right_of_who_made_it(world: World) {
        let mo = world.mo.id;
        let role = |role: &'static str| {
            let (ada, now) = (world.ada.clone(), world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                actions::update(conn, &by, ENDERS, mo, Change { role: Some(role.into()), ..Change::default() }, now)
            })
        };
        role("Administrator").await;
        let made = link_by(&world, &world.mo).await;
        let mut nobody = world.nobody();
        nobody.visit(&made).await.answered(200);
        role("Viewer").await;
        assert_eq!(nobody.open(&made).await, 404);
    }

    async fn guesses_elsewhere_do_not_hold_up_whoever_has_the_link(world: World) {
        let made = link(&world).await;
        let mut olive = world.nobody();
        olive.visit("/sign-in").await;
        for _ in 0..7 {
            olive.post("/sign-in", &[("email", "olive@acme.test"), ("password", "guess")]).await;
        }
        olive.visit(&made).await.fill("New password", "shells and stones").press("Set password").await;
        olive.fill("E-mail", "olive@acme.test").fill("Password", "shells and stones").press("Sign in").await.answered(200);
    }

    async fn a_link_is_in_no_log(world: World) {
        let made = link(&world).await;
        let nobody = world.nobody();
        let refused = nobody.request(reqwest::Method::POST, &made).form(&[("password", "x")]).send().await.unwrap();
        assert_eq!(refused.status(), 403);
        world.step(tidegate::audit::write_refusals).await;
        let log = world.read(|conn| {
            let all = audit_log::table.select((audit_log::action, audit_log::after));
            Ok(all.load::<(String, Option<String>)>(conn)?)
        }).await;
        let (_, after) = log.iter().find(|(action, _)| action == "request.refused").expect("a refusal");
        assert!(after.as_ref().unwrap().contains("POST /password/reset/…"), "{after:?}");
        let token = made.rsplit('/').next().unwrap();
        assert!(!format!("{log:?}").contains(token));
    }

    async fn nothing_is_mailed_from_a_copy_that_stands_by(world: World) {
        let now = world.now();
        world.write(move |conn| {
            diesel::update(workspace::table).set(workspace::standing_by_since.eq(now)).execute(conn)?;
            Ok(())
        }).await;
        let mut nobody = world.nobody();
        nobody.visit("/password/forgot").await.sees("a copy that stands by").sees("Ask an Administrator");
        nobody.post("/password/forgot", &[("email", "olive@acme.test")]).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/members/{}", world.olive.id)).await.press("Make a link to set a new password").await;
        ada.answered(201).sees("a copy that stands by").sees("It is not shown again.");
        tokio::time::sleep(Elapsed::from_millis(200)).await;
        assert!(world.mails().is_empty(), "{:?}", world.mails());
    }
}

#[test]
fn without_a_mail_server_the_link_is_handed_over() {
    let files = |app: &mut tidegate::app::App| {
        let policy = tidegate::connectors::NetworkPolicy::new(Vec::new());
        let folder = app.config.data_dir.join("mail");
        app.mail = Mailer::new("tidegate@localhost", None, policy, folder).unwrap();
    };
    with_changed_world(Database::Sqlite, files, |world| async move {
        let mut nobody = world.nobody();
        nobody.visit("/sign-in").await.follow("Forgot your password?").await;
        nobody.sees("This Workspace has no mail server. Ask an Administrator").sees("tidegate member reset-password");
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/members/{}", world.olive.id)).await.press("Make a link to set a new password").await;
        ada.answered(201).sees("Give Olive this link. It is not shown again.").sees("has no mail server");
        let link = ada.within("#fresh-link").text();
        assert!(link.starts_with(world.at()), "{link}");
        let mut olive = world.nobody();
        olive.visit(link.strip_prefix(world.at()).unwrap()).await;
        olive.fill("New password", "shells and stones").press("Set password").await.answered(200);
        assert_eq!(signs_in(&world, "olive@acme.test", "shells and stones").await, 200);
        deactivates(&world, world.mo.id, false).await;
        ada.visit("/members").await;
        let refused = ada.post(&format!("/members/{}/reset-link", world.mo.id), &[]).await;
        assert_eq!(refused.status, 409);
        assert!(refused.text().contains("Mo is deactivated. Activate the account first."), "{}", refused.text());
    });
}

#[test]
fn the_command_line_lets_a_lost_administrator_in() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().to_str().unwrap();
    let member = |args: &[&str], password: &str| {
        let all = [&["member"], args, &["--data-dir", data, "--password-stdin"]].concat();
        let output = run(&all, &[], password);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
    };
    let add = ["add", "--email", "ada@example.com", "--name", "Ada", "--administrator"];
    assert_eq!(member(&add, "sea and sand 7\n").0, 0);
    let reset = ["reset-password", "--email", "ADA@example.com"];
    let (status, _, reason) = member(&reset, "short\n");
    assert!(status == 2 && reason.contains("--password-stdin: This password is too short"), "{reason}");
    let (status, said, reason) = member(&reset, "shells and stones\n");
    assert_eq!((status, reason.as_str()), (0, ""));
    assert!(said.starts_with("set the password of ada@example.com"), "{said}");
    let (status, _, reason) = member(&["reset-password", "--email", "mo@example.com"], "shells and stones\n");
    assert!(status == 2 && reason.contains("there is no such member"), "{reason}");
    assert_eq!(reason.lines().count(), 1, "{reason}");
}

//! Members, their roles, and their API tokens.

use diesel::prelude::*;
use tidegate::db::schema::{audit_log, member_channels, members};
use tidegate::error::AppError;
use tidegate::imports::Mode;
use tidegate::members::actions::{self, Change};
use tidegate::members::{Scope, passwords, tokens};
use tidegate::schedules::{About, Notify};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::schedules::{create, daily, draft};
use crate::support::cast::PASSWORD;
use crate::support::stage::stage;
use crate::support::*;

fn to_role(role: &str) -> Change {
    Change { role: Some(role.to_owned()), ..Change::default() }
}

fn inactive() -> Change {
    Change { active: Some(false), ..Change::default() }
}

on_both! {
    async fn an_administrator_adds_changes_and_deactivates(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.sees("Olive").sees("mo@acme.test");
        ada.fill("Name", "Una").fill("E-mail", "una").fill("First password", "password").press("Add member").await;
        ada.answered(422).sees("This is not an e-mail address").sees("too easy to guess");
        assert_eq!(ada.value("Name"), "Una", "what was typed is kept");
        ada.fill("E-mail", "MO@acme.test").fill("First password", "sea and sand 7").press("Add member").await;
        ada.answered(409).sees("A member with the e-mail address MO@acme.test already exists").sees("Enter it again");
        assert_eq!(ada.count("#email[aria-invalid]"), 1, "the field is marked");
        ada.fill("E-mail", "una@acme.test").choose("Role", "Importer: Can Import Data");
        ada.fill("First password", "sea and sand 7").press("Add member").await;
        ada.answered(200).sees("Una is now a member");

        let mut una = world.nobody();
        una.visit("/sign-in").await.fill("E-mail", "una@acme.test").fill("Password", "sea and sand 7");
        una.press("Sign in").await.sees("No Applications yet");

        ada.in_row("una@acme.test").choose("Role of Una", "Viewer").press("Save role").await.sees("Una now has the role Viewer");
        ada.in_row("una@acme.test").follow("Deactivate Una").await;
        ada.sees("Deactivate Una?").sees("owns no schedule");
        ada.press("Deactivate").await.sees("Una is deactivated");
        una.visit("/").await.sees("Sign in");
        una.fill("E-mail", "una@acme.test").fill("Password", "sea and sand 7").press("Sign in").await.answered(422);
        ada.in_row("una@acme.test").press("Activate Una").await;
        una.fill("E-mail", "una@acme.test").fill("Password", "sea and sand 7").press("Sign in").await.answered(200);

        ada.visit("/members").await.follow("Una").await;
        ada.fill("Name", "Una Wave").fill("New password", "shells and stones").press("Save").await.sees("Una Wave is saved");
        una.visit("/").await.sees("Sign in");
        let actions = world.read(|conn| {
            let all = audit_log::table.order(audit_log::id).select(audit_log::action);
            Ok(all.load::<String>(conn)?)
        }).await;
        let of_members: Vec<_> = actions.iter().filter(|a| a.starts_with("member.") && !a.contains("sign")).collect();
        assert_eq!(
            of_members,
            ["member.added", "member.changed", "member.deactivated", "member.activated", "member.changed"]
        );
    }

    /// Who is only told about some, and who holds nothing, are asked about too, whichever way it is sent.
    async fn a_deactivation_is_asked_about_first(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        let mut draft = draft(&stage, &daily("06:00"));
        draft.notify = Some(Notify { about: About::Failed, member_ids: vec![world.mo.id], group_ids: Vec::new(), after: 1 });
        create(&world, draft).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("mo@acme.test").follow("Deactivate Mo").await.sees("Owns 0 schedules").sees("Is notified about 1 schedule");
        ada.follow("Keep active").await.sees("Active member.");
        let switch = format!("/members/{}/switch", world.ivy.id);
        let sent = ada.post(&switch, &[("active", "no"), ("sure", "yes")]).await;
        assert_eq!(sent.url.path(), format!("/members/{}/deactivate", world.ivy.id));
        ada.visit("/members").await.in_row("ivy@acme.test").sees("Active");
        ada.follow("Deactivate Ivy").await.sees("Ivy owns no schedule and is not named as a recipient of any.");
        ada.press("Deactivate").await.sees("Ivy is deactivated");
        ada.press("Undo").await.answered(200).sees("Ivy can sign in again.");
    }

    async fn a_role_that_may_not_import_is_asked_about_while_schedules_need_it(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("06:00"))).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.in_row("olive@acme.test").choose("Role of Olive", "Viewer").press("Save role").await;
        ada.answered(200).sees("Give Olive the role Viewer?").sees("Owns 1 schedule").sees("will fail, the first on");
        ada.follow("Keep the role").await.choose("Role", "Modeler: Can Import Data, Create Applications").fill("Name", "Olive B").press("Save").await;
        ada.answered(200).sees("Olive B is saved.");
        ada.visit(&format!("/members/{}", world.olive.id)).await.choose("Role", "Viewer: views what Applications let them view").fill("Name", "Olive").press("Save").await;
        ada.answered(200).sees("Give Olive the role Viewer?");
        ada.choose("What happens to their schedules", "Leave them as they are").press("Change role").await;
        ada.answered(200).sees("Olive now has the role Viewer.");
        // Whoever owns nothing is given another at once.
        ada.in_row("ivy@acme.test").choose("Role of Ivy", "Importer").press("Save role").await.sees("Ivy now has the role Importer.");
        ada.in_row("ivy@acme.test").choose("Role of Ivy", "Viewer").press("Save role").await.sees("Ivy now has the role Viewer.");
    }

    async fn a_page_that_is_old_overwrites_nothing(world: World) {
        let mut one = world.browser(&world.ada).await;
        let mut two = world.browser(&world.ada).await;
        let page = format!("/members/{}", world.mo.id);
        one.visit(&page).await.fill("Name", "Mo One");
        two.visit(&page).await.fill("Name", "Mo Two");
        one.press("Save").await.answered(200);
        two.press("Save").await.answered(412).sees("was changed after you opened this page");
        assert_eq!(two.value("Name"), "Mo Two");
        two.press("Save").await.answered(200).sees("Mo Two is saved.");
    }

    async fn others_read_who_can(world: World) {
        for person in [&world.olive, &world.mo, &world.stranger] {
            let mut browser = world.browser(person).await;
            for (page, who) in [
                ("/members", "Only Administrators and Auditors can see this. Ask Ada."),
                ("/connections", "Only Administrators and Auditors can see this. Ask Ada."),
                ("/settings/mail", "Only Administrators can do this. Ask Ada."),
                ("/connections/new", "Only Administrators can do this. Ask Ada."),
                (&format!("/members/{}", person.id), "Only Administrators can do this. Ask Ada."),
            ] {
                assert_eq!(browser.open(page).await, 403, "{page}");
                browser.sees(who);
            }
            let refused = world.api(person).await.post("members", serde_json::json!({ "name": "X" })).await;
            assert_eq!(refused.is(403).json["detail"], "Only Administrators can do this. Ask Ada.");
            let before = world.fingerprint().await;
            browser.visit("/account").await;
            for path in ["/members".to_owned(), format!("/members/{}", person.id), format!("/members/{}/switch", person.id)] {
                let fields = [("name", "X"), ("email", "x@y.z"), ("role", "Administrator"), ("password", "sea and sand 7")];
                assert_eq!(browser.post(&path, &fields).await.status, 403, "{path}");
            }
            assert_eq!(world.fingerprint().await, before);
        }
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/members").await.sees("Olive").sees_no("Add a member");
        assert_eq!(audrey.count("main form"), 0, "an Auditor only reads");
        assert_eq!(audrey.open(&format!("/members/{}", world.mo.id)).await, 403);
    }

    /// Settings leave no entry in the log: who asks is looked up once the whole form has come.
    async fn a_form_that_is_long_on_its_way_outlives_no_right(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await;
        let (token, session) = (olive.token(), olive.session().unwrap());
        let base = url::Url::parse(olive.url.as_str()).unwrap();
        let at = format!("{}:{}", base.host_str().unwrap(), base.port().unwrap());
        let body = "in_app=on&mail_when=at_once&digest_hour=9";
        let head = format!(
            "POST /notifications/settings HTTP/1.1\r\nHost: {at}\r\nSec-Fetch-Site: same-origin\r\nCookie: sid={session}\r\n\
             X-CSRF-Token: {token}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        let mut held = TcpStream::connect(&at).await.unwrap();
        held.write_all(head.as_bytes()).await.unwrap();
        // Long enough for who asks to be looked up, were it done before.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        let api = world.api(&world.ada).await;
        api.patch(&format!("members/{}", world.olive.id), serde_json::json!({"active": false})).await.is(200);
        held.write_all(body.as_bytes()).await.unwrap();
        let mut answer = String::new();
        held.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("location: /sign-in"), "{answer}");
        let kept = world.read(|conn| Ok(member_channels::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(kept, 0);
    }

    async fn the_last_administrator_stays(world: World) {
        let (ada, mo) = (world.ada.clone(), world.mo.clone());
        let now = world.now();
        for change in [to_role("Viewer"), inactive()] {
            let ada = ada.clone();
            let tried = world.try_write(move |conn| {
                let by = ada.by(conn)?;
                actions::update(conn, &by, ENDERS, ada.id, change, now)
            });
            match tried.await {
                Err(AppError::Conflict(words)) => assert!(words.contains("last active Administrator"), "{words}"),
                other => panic!("{other:?}"),
            }
        }
        let mut browser = world.browser(&world.ada).await;
        browser.visit("/members").await.in_row("ada@acme.test").follow("Deactivate Ada").await;
        // The page says so before anything is tried.
        browser.sees("is the last active Administrator.").sees_no("You can activate them again at any time.");
        let answer = browser.post(&format!("/members/{}/deactivate", ada.id), &[]).await;
        assert!(answer.status == 409 && answer.text().contains("last active Administrator"), "{}", answer.text());
        let (by, second) = (ada.clone(), mo.clone());
        world.write(move |conn| {
            let by = by.by(conn)?;
            actions::update(conn, &by, ENDERS, second.id, to_role("Administrator"), now)
        }).await;
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, ada.id, to_role("Viewer"), now)
        }).await;
    }

    async fn two_administrators_cannot_demote_each_other_at_once(world: World) {
        let (ada, mo, now) = (world.ada.clone(), world.mo.clone(), world.now());
        let by = ada.clone();
        world.write(move |conn| {
            let by = by.by(conn)?;
            actions::update(conn, &by, ENDERS, mo.id, to_role("Administrator"), now)
        }).await;
        let demote = |who: Person, whom: i64| {
            let world = world.clone();
            async move {
                let by = world.read(move |conn| who.by(conn)).await;
                world.try_write(move |conn| actions::update(conn, &by, ENDERS, whom, to_role("Viewer"), now)).await.is_ok()
            }
        };
        let (one, two) = tokio::join!(demote(world.ada.clone(), world.mo.id), demote(world.mo.clone(), world.ada.id));
        assert!(one || two);
        let left = world.read(|conn| Ok(tidegate::members::administrators(conn)?.len())).await;
        assert!(left >= 1, "{left} Administrators are left");
    }

    async fn names_are_shown_as_typed_and_do_nothing(world: World) {
        let mut mo = world.browser(&world.mo).await;
        let name = "\"><img src=x onerror=alert(1)>' hx-get=/x {{7*7}}";
        mo.visit("/account").await.fill("Name", name).press("Save").await.answered(200);
        mo.sees(name);
        assert_eq!(mo.count("img, [hx-get]"), 0);
        mo.fill("Name", "two\nlines").press("Save").await.answered(422).sees("A name must be one line");
        mo.fill("Name", "Mo").fill("Time zone", "Nowhere").press("Save").await.answered(422).sees("not a known time zone");
        mo.fill("Name", "Mo").fill("Time zone", "asia/kathmandu").press("Save").await.answered(200);
        assert_eq!(mo.value("Time zone"), "Asia/Kathmandu");
    }

    async fn a_form_holds_only_what_is_offered(world: World) {
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await;
        let sent = [("name", "Mo"), ("role", "Administrator"), ("role_id", "1"), ("active", "no"), ("email", "a@b.c")];
        mo.post("/account", &sent).await;
        let id = world.mo.id;
        let (email, active) = world.read(move |conn| {
            Ok(members::table.find(id).select((members::email, members::active)).first::<(String, bool)>(conn)?)
        }).await;
        assert_eq!((email.as_str(), active), ("mo@acme.test", true));
        assert_eq!(mo.open("/members").await, 403, "no Administrator either");
    }

    async fn tokens_end_with_password_and_account_and_stay_ended(world: World) {
        let change = |change: Change| {
            let (ada, mo, now) = (world.ada.clone(), world.mo.id, world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                actions::update(conn, &by, ENDERS, mo, change, now)
            })
        };
        let active = |active| Change { active: Some(active), ..Change::default() };
        let mut mo = world.browser(&world.mo).await;
        let first = world.api(&world.mo).await;
        first.get("applications").await.is(200);
        mo.visit("/account").await.fill("Current password", PASSWORD).fill("New password", "another good one");
        mo.press("Change password").await.answered(200).sees("your API tokens and calendar addresses are revoked");
        first.get("applications").await.is(401);
        let second = world.api(&world.mo).await;
        change(active(false)).await;
        second.get("applications").await.is(401);
        change(active(true)).await;
        second.get("applications").await.is(401);
        let third = world.api(&world.mo).await;
        let hash = passwords::hash(world.app(), "shells and stones", &[]).await.unwrap();
        change(Change { password: Some(hash), ..Change::default() }).await;
        third.get("applications").await.is(401);
        let revoked = world.read(|conn| {
            Ok(audit_log::table.filter(audit_log::action.eq("token.revoked")).count().get_result::<i64>(conn)?)
        });
        assert_eq!(revoked.await, 3);
    }

    async fn a_token_is_shown_once_and_revoked(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/account").await.press("Create token").await.answered(422).sees("Enter a name");
        olive.fill("Name of a new token", "robot 7").tick("read").tick("run").press("Create token").await;
        olive.answered(201).sees("Scopes").sees("read, run");
        let token = olive.within("#fresh-token").text();
        assert!(token.starts_with("tg_") && token.len() > 40, "{token}");
        olive.visit("/account").await.sees("robot 7").sees_no(&token);
        let dump = format!("{:?}", world.read(|conn| {
            use tidegate::db::schema::api_tokens as t;
            Ok(t::table.select((t::token_hash, t::name)).load::<(String, String)>(conn)?)
        }).await);
        assert!(!dump.contains(&token), "only its hash is kept");
        let mut mo = world.browser(&world.mo).await;
        let id = olive.body.split("/account/tokens/").nth(1).unwrap().split('/').next().unwrap().to_owned();
        mo.visit("/account").await;
        assert_eq!(mo.post(&format!("/account/tokens/{id}/revoke"), &[]).await.status, 404, "another's token");
        olive.press("Revoke robot 7").await.sees("The token is revoked").sees_no("robot 7");
    }

    async fn nobody_signed_out_gets_anywhere(world: World) {
        let mut nobody = world.nobody();
        for path in ["/", "/account", "/members", "/settings/mail"] {
            nobody.visit(path).await.sees("Sign in");
            assert!(nobody.path().starts_with("/sign-in?next="), "{}", nobody.path());
        }
    }

    async fn passwords_are_hashed_away_and_long_ones_taken(world: World) {
        let long = "wave ".repeat(20);
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await.fill("Current password", PASSWORD).fill("New password", &long);
        mo.press("Change password").await.answered(200);
        let kept = world.read(|conn| {
            Ok(members::table.filter(members::email.eq("mo@acme.test")).select(members::password_hash)
                .first::<Option<String>>(conn)?)
        }).await.unwrap();
        assert!(kept.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{kept}");
        let mut again = world.nobody();
        again.visit("/sign-in").await.fill("E-mail", "mo@acme.test").fill("Password", &long).press("Sign in").await;
        again.answered(200).sees("Applications");
    }

    async fn no_scopes_are_all_and_a_deactivated_member_makes_none(world: World) {
        let (olive, now) = (world.olive.clone(), world.now());
        world.write(move |conn| {
            let by = olive.by(conn)?;
            let new = |name, scopes| tokens::New { name, scopes, expires_at: None };
            tokens::create(conn, &by, &new("all", &[]), now)?;
            tokens::create(conn, &by, &new("some", &[Scope::Read]), now)?;
            let listed = tokens::list(conn, &by)?;
            let words: Vec<_> = listed.iter().map(|t| (t.name.as_str(), t.scope_words())).collect();
            assert_eq!(words, [("some", "read".to_owned()), ("all", "everything you may do".to_owned())]);
            let mut member = by.member.clone();
            member.active = false;
            assert!(matches!(tokens::create_by_command(conn, &member, &new("x", &[]), now), Err(AppError::Conflict(_))));
            Ok(())
        }).await;
    }
}

//! One's own account: where one is signed in, and how pages look; and what an Administrator ends of it.

use chrono::Duration;
use diesel::prelude::*;
use reqwest::Method;
use tidegate::db::schema::{audit_log, sessions};

use crate::support::cast::PASSWORD;
use crate::support::*;

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Somebody signs in with a browser that says what it is.
async fn signs_in(world: &World, email: &str, agent: &str) -> Browser {
    let mut browser = world.nobody();
    browser.visit("/sign-in").await;
    let fields = [("csrf", browser.token()), ("email", email.to_owned()), ("password", PASSWORD.to_owned())];
    let request = browser.request(Method::POST, "/sign-in").form(&fields).header("User-Agent", agent);
    assert_eq!(request.send().await.unwrap().status(), 200);
    browser
}

/// The latest session's id.
async fn latest(world: &World) -> i64 {
    world.read(|conn| Ok(sessions::table.select(sessions::id).order(sessions::id.desc()).first(conn)?)).await
}

on_both! {
    async fn a_member_sees_where_they_are_signed_in_and_ends_one(world: World) {
        let mut there = signs_in(&world, "olive@acme.test", FIREFOX).await;
        let session = latest(&world).await;
        world.advance(Duration::hours(2));
        let mut here = signs_in(&world, "olive@acme.test", "curl/8").await;
        here.visit("/account").await.in_row("Firefox on Linux").sees("127.0.0.1").sees("2 h ago").sees_no("This browser");
        here.everywhere().in_row("This browser").sees("A browser").sees_no("Sign out");
        here.everywhere().in_row("Firefox on Linux").press("Sign out").await;
        here.answered(200).sees("That browser is signed out.").sees_no("Firefox on Linux").sees_no("Sign out everywhere else");
        there.visit("/account").await.sees("Sign in");
        assert_eq!(here.post(&format!("/account/sessions/{session}/end"), &[]).await.status, 404);
        let said = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::action.eq("member.signed_out"));
            Ok(of.select((audit_log::member_name, audit_log::after)).load::<(String, Option<String>)>(conn)?)
        });
        assert_eq!(said.await, [("Olive".to_owned(), Some("{\"other_sessions\":1}".to_owned()))]);
    }

    async fn nobody_ends_the_session_of_another(world: World) {
        let mut olive = world.browser(&world.olive).await;
        let session = latest(&world).await;
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await;
        assert_eq!(mo.post(&format!("/account/sessions/{session}/end"), &[]).await.status, 404);
        olive.visit("/account").await.sees("Your account");
    }

    async fn what_a_browser_calls_itself_is_only_read(world: World) {
        let mut olive = signs_in(&world, "olive@acme.test", "<img src=x onerror=alert(1)>").await;
        olive.visit("/account").await.in_row("This browser").sees("A browser");
        assert_eq!(olive.count("img"), 0);
    }

    async fn an_administrator_signs_somebody_out_everywhere(world: World) {
        let mut olive = world.browser(&world.olive).await;
        let token = world.api(&world.olive).await;
        let mut ada = world.browser(&world.ada).await;
        let page = format!("/members/{}", world.olive.id);
        ada.visit(&page).await.sees("Olive has 1 open session.");
        ada.press("Sign out everywhere").await.answered(200).sees("Ended 1 session.").sees("Olive is not signed in anywhere.");
        olive.visit("/account").await.sees("Sign in");
        token.get("applications").await.is(200);
        ada.visit("/audit").await.sees("Ended the sessions of Olive");
        // What has ended is ended no second time.
        let again = ada.post(&format!("{page}/sessions/end"), &[]).await;
        assert!(again.status == 200 && again.text().contains("Ended 0 sessions."), "{}", again.text());
        assert_eq!(ada.post("/members/999999/sessions/end", &[]).await.status, 404);
        ada.visit(&format!("/members/{}", world.ada.id)).await.sees("Your sessions are under Your account.");
    }

    /// An Administrator's session that slept for a day opens nothing, and is not said to.
    async fn sessions_that_sleep_are_not_listed(world: World) {
        world.session(&world.ada).await;
        world.session(&world.mo).await;
        world.advance(Duration::hours(25));
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/account").await;
        assert_eq!(ada.within("[aria-labelledby=se-h].card").count("li"), 1);
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await;
        assert_eq!(mo.within("[aria-labelledby=se-h].card").count("li"), 2);
    }

    async fn a_theme_is_chosen_for_every_browser(world: World) {
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await;
        assert_eq!(mo.count("html[data-theme]"), 0);
        mo.choose("Theme", "Dark").press("Save").await.answered(200).sees("Your account is saved.");
        for path in ["/account", "/", "/notifications", "/applications/999999"] {
            let mut other = world.browser(&world.mo).await;
            other.open(path).await;
            assert!(other.body.contains("<html lang=\"en\" data-theme=\"dark\">"), "{path}");
        }
        mo.visit("/account").await.choose("Theme", "As on the device").press("Save").await;
        assert!(!mo.body.contains("data-theme=\"dark\""));
        // What is no theme is told so, and where none is sent the theme stays.
        assert_eq!(mo.post("/account", &[("name", "Mo"), ("theme", "\"><script>")]).await.status, 422);
        assert_eq!(mo.post("/account", &[("name", "Mo")]).await.status, 200);
        mo.visit("/account").await;
        assert!(!mo.body.contains(" data-theme=\"") && mo.count("main script") == 0);
    }
}

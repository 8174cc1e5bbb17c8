//! The door: who gets in, what everybody else is told, and when a session ends.

use std::time::{Duration as Elapsed, Instant};

use chrono::Duration;
use diesel::prelude::*;
use tidegate::db::schema::{audit_log, sessions, sign_in_attempts as attempts};
use tidegate::members::actions::{self, Change};

use crate::support::browser::Answer;
use crate::support::cast::PASSWORD;
use crate::support::databases::with_changed_world;
use crate::support::seed::batch;
use crate::support::*;

/// Tries the door once, as a browser would that is at the sign-in page already.
async fn knock(browser: &Browser, email: &str, password: &str) -> Answer {
    browser.post("/sign-in", &[("email", email), ("password", password), ("next", "/account")]).await
}

/// A browser at the sign-in page.
async fn at_the_door(world: &World) -> Browser {
    let mut browser = world.nobody();
    browser.visit("/sign-in").await;
    browser
}

/// What the audit log tells about each such deed, in order.
async fn audited(world: &World, action: &'static str) -> Vec<String> {
    let rows = world.read(move |conn| {
        let rows = audit_log::table.filter(audit_log::action.eq(action)).order(audit_log::id);
        Ok(rows.select(audit_log::after).load::<Option<String>>(conn)?)
    });
    rows.await.into_iter().map(Option::unwrap_or_default).collect()
}

on_both! {
    async fn a_member_signs_in_goes_where_they_wanted_and_out_again(world: World) {
        let mut olive = world.nobody();
        olive.visit("/account").await.sees("Sign in");
        let before = olive.session().expect("a page before sign-in has a cookie of its own");
        olive.fill("E-mail", "OLIVE@acme.test").fill("Password", PASSWORD).press("Sign in").await;
        assert_eq!((olive.status, olive.path().as_str()), (200, "/account"), "{}", olive.text());
        let session = olive.session().unwrap();
        assert_ne!(session, before, "the cookie is replaced at sign-in");
        let raw = session.clone();
        let kept = world.read(move |conn| {
            Ok(sessions::table.filter(sessions::token_hash.eq(raw)).count().get_result::<i64>(conn)?)
        });
        assert_eq!(kept.await, 0, "the database holds no cookie's value");
        olive.within(".side-foot").press("Sign out").await.sees("Sign in");
        let from = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::action.eq_any(["member.signed_in", "member.signed_out"]));
            Ok(of.select(audit_log::from_address).load::<Option<String>>(conn)?)
        });
        assert_eq!(from.await, [(); 2].map(|()| Some("127.0.0.1".to_owned())));
        let mut thief = Browser::new(world.at(), "a thief", Some(&session));
        thief.visit("/account").await.sees("Sign in");
    }

    async fn the_cookie_is_out_of_reach(world: World) {
        let browser = at_the_door(&world).await;
        let request = browser.request(reqwest::Method::POST, "/sign-in");
        let fields = [("csrf", browser.token()), ("email", world.mo.email.clone()), ("password", PASSWORD.to_owned())];
        let client = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).no_proxy().build().unwrap();
        let mut request = request.form(&fields).build().unwrap();
        request.headers_mut().insert("Cookie", format!("sid={}", browser.session().unwrap()).parse().unwrap());
        let answer = client.execute(request).await.unwrap();
        assert_eq!(answer.status(), 303);
        let cookies: Vec<_> = answer.headers().get_all("set-cookie").iter().map(|c| c.to_str().unwrap()).collect();
        let cookie = cookies.iter().find(|c| c.starts_with("sid=")).expect("a session cookie");
        for flag in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=1209600"] {
            assert!(cookie.contains(flag), "{flag}: {cookie}");
        }
        assert!(!cookie.contains("Secure") && !cookie.contains("Domain"), "{cookie}");
    }

    async fn nobody_is_sent_to_another_site(world: World) {
        for next in ["//evil.example", "/\\evil.example", "https://evil.example", "evil", "/\t/evil.example"] {
            let mut mo = world.nobody();
            mo.visit(&format!("/sign-in?next={}", tidegate::web::page::encode(next))).await;
            mo.fill("E-mail", &world.mo.email).fill("Password", PASSWORD).press("Sign in").await;
            assert_eq!(mo.path(), "/", "{next}");
        }
    }

    async fn whatever_is_wrong_the_answer_is_the_same(world: World) {
        let (ada, mo) = (world.ada.clone(), world.mo.id);
        let now = world.now();
        world.write(move |conn| {
            let by = ada.by(conn)?;
            actions::update(conn, &by, ENDERS, mo, Change { active: Some(false), ..Change::default() }, now)
        }).await;
        let browser = at_the_door(&world).await;
        let mut answers = Vec::new();
        let cases = [("olive@acme.test", "wrong"), ("nobody@acme.test", PASSWORD), ("mo@acme.test", PASSWORD)];
        for (email, password) in cases {
            let answer = knock(&browser, email, password).await;
            assert_eq!(answer.status, 422, "{email}");
            answers.push(answer.body.replace(email, "WHO"));
        }
        assert!(answers[0].contains("is not right"), "{}", answers[0]);
        assert!(answers.iter().all(|answer| *answer == answers[0]));
        let long = knock(&browser, "olive@acme.test", &"x".repeat(5000)).await;
        assert_eq!(long.status, 422);
        let refused = world.read(|conn| {
            let refused = audit_log::table.filter(audit_log::action.eq("member.sign_in_refused"));
            Ok(refused.count().get_result::<i64>(conn)?)
        });
        assert_eq!(refused.await, 4, "each is in the audit log");
    }

    async fn guessing_gets_slower_and_ends_with_the_wait(world: World) {
        let browser = at_the_door(&world).await;
        let mut last = knock(&browser, "olive@acme.test", "guess").await;
        let mut tries = 1;
        while last.status == 422 && tries < 20 {
            last = knock(&browser, "olive@acme.test", "guess").await;
            tries += 1;
        }
        assert_eq!(last.status, 429, "after {tries} tries");
        assert_eq!(tries, 6);
        assert!(last.text().contains("Too many attempts"), "{}", last.text());
        assert_eq!(knock(&browser, "olive@acme.test", PASSWORD).await.status, 429, "the right one waits too");
        assert_eq!(knock(&browser, "mo@acme.test", "guess").await.status, 422, "another account does not");
        let wait: i64 = last.header("retry-after").parse().unwrap();
        world.advance(Duration::seconds(wait));
        assert_eq!(knock(&browser, "olive@acme.test", "guess").await.status, 422, "the wait is over");
        let longer: i64 = knock(&browser, "olive@acme.test", "guess").await.header("retry-after").parse().unwrap();
        assert!(longer > wait, "{longer} after {wait}");
        world.advance(Duration::seconds(longer));
        let right = knock(&browser, "olive@acme.test", PASSWORD).await;
        assert!(right.status == 200 && right.text().contains("Your account"), "{}", right.text());
        let other = at_the_door(&world).await;
        assert_eq!(knock(&other, "olive@acme.test", "guess").await.status, 422, "the count began anew");
    }

    /// Who guesses at others' accounts from an address slows down that account there, and nobody else.
    async fn guesses_at_others_keep_nobody_out(world: World) {
        let guesser = at_the_door(&world).await;
        let mut statuses = Vec::new();
        for n in 0..100 {
            statuses.push(knock(&guesser, &format!("g{}@acme.test", n % 10), "guess").await.status);
        }
        assert_eq!(statuses.iter().filter(|status| **status == 422).count(), 50, "{statuses:?}");
        assert_eq!(knock(&guesser, &world.mo.email, PASSWORD).await.status, 200);
    }

    /// One colleague at many accounts, and strangers from many addresses at one, hold up nobody who comes for the first time.
    async fn a_flood_keeps_no_named_person_and_no_office_out(world: World) {
        let now = world.now();
        world.write(move |conn| {
            for n in 0..60 {
                for (account, place) in [("olive".to_owned(), format!("203.0.113.{n}")), (format!("g{n}"), "127.0.0.1".into())] {
                    let key = attempts::account_key.eq(format!("member:{account}@acme.test"));
                    let row = (key, attempts::address.eq(place), attempts::at.eq(now.micros()));
                    diesel::insert_into(attempts::table).values(row).execute(conn)?;
                }
            }
            Ok(())
        }).await;
        let guesser = at_the_door(&world).await;
        assert_eq!(knock(&guesser, "g7@acme.test", "guess").await.status, 429, "who guessed here waits");
        let olive = at_the_door(&world).await;
        assert_eq!(knock(&olive, "olive@acme.test", PASSWORD).await.status, 200);
        let mo = at_the_door(&world).await;
        assert_eq!(knock(&mo, "mo@acme.test", "a typing error").await.status, 422);
        assert_eq!(knock(&mo, "mo@acme.test", PASSWORD).await.status, 429, "from the second try on it counts");
    }

    async fn a_browser_that_is_known_has_a_count_of_its_own(world: World) {
        let olive = at_the_door(&world).await;
        assert_eq!(knock(&olive, &world.olive.email, PASSWORD).await.status, 200);
        let guesser = at_the_door(&world).await;
        while knock(&guesser, &world.olive.email, "guess").await.status == 422 {}
        assert_eq!(knock(&guesser, &world.olive.email, PASSWORD).await.status, 429, "there it waits");
        assert_eq!(knock(&olive, &world.olive.email, "a typing error").await.status, 422);
        assert_eq!(knock(&olive, &world.olive.email, PASSWORD).await.status, 200, "where she was before it does not");
        assert_eq!(knock(&guesser, &world.olive.email, PASSWORD).await.status, 429, "and that ends nobody's wait");
        // It is known to her account alone, and guesses no faster.
        let mut tries = 0;
        while knock(&olive, &world.mo.email, "guess").await.status == 422 {
            tries += 1;
        }
        assert_eq!(tries, 5);
        while knock(&olive, &world.olive.email, "guess").await.status == 422 {
            tries += 1;
        }
        assert_eq!(tries, 10);
    }

    async fn no_browser_makes_itself_known(world: World) {
        let guesser = at_the_door(&world).await;
        while knock(&guesser, &world.olive.email, "guess").await.status == 422 {}
        let sealed = |place: &str, id: i64| world.app().secrets.seal(place, &format!("{id} x")).unwrap();
        let (olive, mo) = (world.olive.id, world.mo.id);
        for (known, wanted) in [
            ("x".to_owned(), 429),
            (format!("{olive} x"), 429),
            (sealed("connections 1", olive), 429),
            (sealed("known browser", mo), 429),
            (sealed("known browser", olive), 200),
        ] {
            let fields = [("csrf", guesser.token()), ("email", world.olive.email.clone()), ("password", PASSWORD.into())];
            let cookies = format!("sid={}; known={known}", guesser.session().unwrap());
            let request = guesser.request(reqwest::Method::POST, "/sign-in").form(&fields).header("Cookie", cookies);
            assert_eq!(request.send().await.unwrap().status(), wanted, "{known}");
        }
    }

    async fn a_flood_of_refusals_is_a_few_rows(world: World) {
        let guesser = at_the_door(&world).await;
        for n in 0..30 {
            knock(&guesser, &format!("g{n}@acme.test"), "guess").await;
        }
        world.advance(Duration::hours(1));
        world.step(tidegate::audit::write_refusals).await;
        let rows = audited(&world, "member.sign_in_refused").await;
        assert_eq!(rows.len(), 21, "{rows:?}");
        assert!(rows[20].contains("\"more\":10"), "{}", rows[20]);
    }

    async fn who_signs_out_is_in_the_audit_log(world: World) {
        let mut here = world.browser(&world.mo).await;
        let _there = world.browser(&world.mo).await;
        here.visit("/account").await.press("Sign out everywhere else").await;
        here.within(".side-foot").press("Sign out").await.sees("Sign in");
        assert_eq!(audited(&world, "member.signed_out").await, ["{\"other_sessions\":1}", ""]);
    }

    async fn a_proxy_that_nobody_named_is_told(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/members").await.sees_no("--trusted-proxy");
        ada.request(reqwest::Method::GET, "/healthz").header("X-Forwarded-For", "203.0.113.9").send().await.unwrap();
        ada.visit("/members").await.sees("All requests seem to come from one address.").sees("--trusted-proxy 127.0.0.1");
    }

    async fn a_name_in_a_header_is_no_new_address(world: World) {
        let browser = at_the_door(&world).await;
        let mut statuses = Vec::new();
        for n in 0..31 {
            let fields = [("csrf", browser.token()), ("email", format!("g{}@acme.test", n % 30)), ("password", "guess".into())];
            let request = browser.request(reqwest::Method::POST, "/sign-in").form(&fields);
            let answer = request.header("X-Forwarded-For", format!("203.0.113.{n}")).send().await.unwrap();
            statuses.push(answer.status().as_u16());
        }
        assert_eq!(statuses[29..], [422, 429], "counted as one address: {statuses:?}");
    }

    async fn guesses_sent_at_once_are_counted_too(world: World) {
        let browser = at_the_door(&world).await;
        let guesses = (0..30).map(|n| {
            let (browser, guess) = (&browser, format!("guess {n}"));
            async move { knock(browser, "olive@acme.test", &guess).await.status }
        });
        let statuses = futures_util::future::join_all(guesses).await;
        let tried = statuses.iter().filter(|status| **status == 422).count();
        assert!(tried <= 7, "{tried} of 30 were tried: {statuses:?}");
    }

    async fn many_sign_ins_leave_room_for_others(world: World) {
        let browser = at_the_door(&world).await;
        let knocking = async {
            let all = (0..50).map(|_| knock(&browser, "olive@acme.test", PASSWORD));
            futures_util::future::join_all(all).await
        };
        let looking = async {
            let mut slowest = Elapsed::ZERO;
            for _ in 0..20 {
                let begun = Instant::now();
                assert_eq!(world.nobody().open("/healthz").await, 200);
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        };
        let (answers, slowest) = tokio::join!(knocking, looking);
        assert!(answers.iter().all(|a| a.status == 200), "{:?}", answers.iter().map(|a| a.status).collect::<Vec<_>>());
        assert!(slowest < Elapsed::from_secs(2), "/healthz took {slowest:?}");
    }

    async fn sessions_end_with_time(world: World) {
        let mut olive = world.browser(&world.olive).await;
        let mut ada = world.browser(&world.ada).await;
        world.advance(Duration::hours(23));
        ada.visit("/members").await.sees("Members");
        world.advance(Duration::hours(25));
        ada.visit("/members").await.sees("Sign in");
        olive.visit("/account").await.sees("Your account");
        world.advance(Duration::days(13));
        olive.visit("/account").await.sees("Sign in");
        assert_eq!(olive.htmx("/account").await.status, 401, "a fragment is told so without a page");
    }

    /// Whoever only looks waits for nobody who writes; when they were seen is written a little later.
    async fn looking_waits_for_no_writer(world: World) {
        let (ada, api) = (world.browser(&world.ada).await, world.api(&world.ada).await);
        ada.get("/account").await;
        api.get("applications").await.is(200);
        world.advance(Duration::minutes(2));
        let mut writer = world.app().db.connect().unwrap();
        batch(&mut writer, match world.database() {
            Database::Sqlite => "BEGIN IMMEDIATE",
            Database::Postgres => "BEGIN; LOCK TABLE sessions, api_tokens IN EXCLUSIVE MODE",
        }).unwrap();
        let began = Instant::now();
        assert_eq!(ada.get("/account").await.status, 200);
        api.get("applications").await.is(200);
        assert!(began.elapsed() < Elapsed::from_secs(5), "{:?}", began.elapsed());
        batch(&mut writer, "COMMIT").unwrap();
        world.step(tidegate::members::write_seen).await;
        let now = world.now();
        let seen: (i64, i64) = world.read(move |conn| {
            use tidegate::db::schema::api_tokens;
            let sessions = sessions::table.filter(sessions::seen_at.eq(now)).count().get_result(conn)?;
            Ok((sessions, api_tokens::table.filter(api_tokens::last_used_at.eq(now)).count().get_result(conn)?))
        }).await;
        assert_eq!(seen, (1, 1));
        // Those 24 hours are counted from the last request, written or not.
        world.advance(Duration::hours(23));
        assert_eq!(ada.get("/account").await.status, 200);
        world.advance(Duration::hours(23));
        assert_eq!(ada.get("/account").await.status, 200);
    }

    async fn a_new_password_ends_the_sessions_elsewhere(world: World) {
        let mut here = world.browser(&world.olive).await;
        let mut there = world.browser(&world.olive).await;
        here.visit("/account").await;
        here.fill("Current password", "not it").fill("New password", "another good one").press("Change password").await;
        here.answered(422).sees("This is not your current password.");
        here.fill("Current password", PASSWORD).fill("New password", "password").press("Change password").await;
        here.answered(422).sees("too easy to guess");
        there.visit("/account").await.sees("Your account");
        let before = here.session().unwrap();
        here.fill("Current password", PASSWORD).fill("New password", "another good one").press("Change password").await;
        here.answered(200).sees("Your password is changed");
        assert_ne!(here.session().unwrap(), before, "another session goes on");
        let old = world.nobody().request(reqwest::Method::GET, "/account").header("Cookie", format!("sid={before}")).send().await;
        assert_eq!(old.unwrap().url().path(), "/sign-in", "whoever had the cookie is out");
        there.visit("/account").await.sees("Sign in");
        let door = at_the_door(&world).await;
        assert_eq!(knock(&door, "olive@acme.test", PASSWORD).await.status, 422);
        assert_eq!(knock(&door, "olive@acme.test", "another good one").await.status, 200);
    }

    async fn one_signs_out_everywhere_else(world: World) {
        let mut here = world.browser(&world.mo).await;
        let mut there = world.browser(&world.mo).await;
        here.visit("/account").await.press("Sign out everywhere else").await.sees("Signed out of 1 other session");
        there.visit("/account").await.sees("Sign in");
        here.visit("/account").await.sees("This browser");
    }

    async fn head_is_answered_like_get(world: World) {
        let browser = world.browser(&world.mo).await;
        for path in ["/healthz", "/account"] {
            let answer = browser.request(reqwest::Method::HEAD, path).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            assert_eq!(answer.bytes().await.unwrap().len(), 0, "{path}");
        }
    }
}

#[test]
fn behind_a_trusted_proxy_the_client_counts_not_the_proxy() {
    let trust = |app: &mut tidegate::app::App| app.config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    with_changed_world(Database::Sqlite, trust, |world| async move {
        let browser = at_the_door(&world).await;
        let knock_from = async |forwarded: &str, n: usize| {
            let fields =
                [("csrf", browser.token()), ("email", format!("g{n}@acme.test")), ("password", "guess".into())];
            let request = browser.request(reqwest::Method::POST, "/sign-in").form(&fields);
            request.header("X-Forwarded-For", forwarded).send().await.unwrap().status().as_u16()
        };
        for n in 0..30 {
            assert_eq!(knock_from(&format!("198.51.100.{n}, 203.0.113.7"), n).await, 422, "{n}");
        }
        assert_eq!(
            knock_from("198.51.100.99, 203.0.113.7, 127.0.0.1", 7).await,
            429,
            "what the client wrote is ignored"
        );
        assert_eq!(knock_from("203.0.113.8", 41).await, 422, "another client");
    });
}

/// Above five in one place, an account is guessed at fifty times from everywhere before that waits too; once from each place,
/// for it may be the member, up to a thousand.
#[test]
fn an_account_is_guessed_at_no_faster_from_many_addresses_and_its_browser_gets_in() {
    let trust = |app: &mut tidegate::app::App| app.config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap()];
    with_changed_world(Database::Sqlite, trust, |world| async move {
        let olive = at_the_door(&world).await;
        assert_eq!(knock(&olive, &world.olive.email, PASSWORD).await.status, 200);
        let browser = at_the_door(&world).await;
        let from = async |n: usize, password: &str| {
            let fields =
                [("csrf", browser.token()), ("email", world.olive.email.clone()), ("password", password.to_owned())];
            let request = browser.request(reqwest::Method::POST, "/sign-in").form(&fields);
            request.header("X-Forwarded-For", format!("203.0.113.{n}")).send().await.unwrap().status().as_u16()
        };
        for n in 0..50 {
            assert_eq!(from(n, "guess").await, 422, "{n}");
        }
        assert_eq!(from(7, PASSWORD).await, 429, "from an address that guessed");
        assert_eq!(from(60, "guess").await, 422, "from one that never did");
        assert_eq!(from(60, PASSWORD).await, 429);
        let now = world.now();
        world
            .write(move |conn| {
                for n in 0..950 {
                    let account = attempts::account_key.eq("member:olive@acme.test");
                    let guess = (account, attempts::address.eq(format!("many {n}")), attempts::at.eq(now.micros()));
                    diesel::insert_into(attempts::table).values(guess).execute(conn)?;
                }
                Ok(())
            })
            .await;
        assert_eq!(from(61, PASSWORD).await, 429, "in a flood nobody is told from it");
        assert_eq!(knock(&olive, &world.olive.email, PASSWORD).await.status, 200, "in a browser that she has used");
    });
}

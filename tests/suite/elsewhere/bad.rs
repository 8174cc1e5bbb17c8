//! A provider that does everything wrong, and whoever would use that: nobody is let in, each reads a sentence, and the log says
//! why.

use std::time::{Duration as Elapsed, Instant};

use chrono::Duration;
use serde_json::json;

use super::played::{Does, Played, whole};
use super::{log, sessions_of_others, set_up, unhurried};
use crate::connectors::server::Canary;
use crate::support::*;

const CONFIGURATION: &str = "/.well-known/openid-configuration";

/// The way there and back, which the provider leads by itself. Nothing is known of it, nor of who went before.
async fn goes(world: &World) -> Browser {
    world.app().provider.forget();
    unhurried(world).await;
    let mut browser = world.nobody();
    browser.open("/sign-in/elsewhere?next=/account").await;
    browser
}

#[track_caller]
fn refused(browser: &Browser, played: &Played, what: &str, said: &str) {
    assert!((400..500).contains(&browser.status), "{what}: {} {}", browser.status, browser.text());
    let log = log::take(&played.issuer);
    if log.is_empty() {
        assert!(browser.has(said), "{what}: {}", browser.text());
    } else {
        // What is wrong with the provider is nothing to whoever stands at the door.
        assert!(log.contains(said), "{what}: {log}");
        assert!(!browser.has(said), "{what}: {}", browser.text());
        let words = "Signing in with Acme did not work. Start again. If it fails again, ask an Administrator.";
        assert!(browser.has(words), "{what}: {}", browser.text());
    }
    assert!(browser.has("Forgot your password?"), "{what}: at the sign-in page");
}

on_both! {
    async fn what_the_provider_signs_is_held_against_all_that_is_known(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        for (does, said) in [
            (Does::OtherKey, "is not signed by the provider"),
            (Does::Tampers, "is not signed by the provider"),
            (Does::Alg("none"), "is not signed by the provider"),
            (Does::Alg("HS256"), "is not signed by the provider"),
            (Does::Alg("RS256"), "is not signed by the provider"),
            (Does::Claims("nonce", json!("another")), "is of another sign-in"),
            (Does::Omits("nonce"), "is of another sign-in"),
            (Does::Claims("aud", json!("another")), "is for somebody else"),
            (Does::Claims("aud", json!(["another", "tidegate"])), "is for somebody else"),
            (Does::Claims("azp", json!("another")), "is for somebody else"),
            (Does::Omits("aud"), "lacks something"),
            (Does::Claims("iss", json!("https://sign-in.example.com")), "is by another issuer"),
            (Does::Claims("exp", json!(1_700_000_000)), "is not valid now"),
            (Does::Claims("nbf", json!(3_900_000_000_i64)), "is not valid now"),
            (Does::Omits("exp"), "lacks something"),
            (Does::Claims("email_verified", json!(false)), "has not verified your e-mail address"),
            (Does::Claims("email_verified", json!("no")), "has not verified your e-mail address"),
            (Does::Omits("email_verified"), "has not verified your e-mail address"),
            (Does::Claims("email", json!("una@acme.test")), "There is no active member"),
            (Does::Claims("email", json!("<img src=x onerror=alert(1)>")), "There is no active member"),
            (Does::Claims("email", json!(7)), "lacks something"),
            (Does::OtherUserInfo, "means somebody else"),
            (Does::Back("error=access_denied"), "it was cancelled or not allowed"),
            (Does::Back("error=server_error&error_description=<b>"), "reported an error"),
            (Does::Back("code="), "reported an error"),
            (Does::Back("code=good&iss=https://other.example.com"), "came from another provider"),
            (Does::Says("authorization_response_iss_parameter_supported", json!(true)), "came from another provider"),
        ] {
            let what = format!("{does:?}");
            played.does(does);
            let browser = goes(&world).await;
            refused(&browser, &played, &what, said);
            assert_eq!(browser.count("img"), 0);
        }
        assert_eq!(sessions_of_others(&world).await, 0);
        for does in [Does::Honest, Does::Omits("email"), Does::Claims("aud", json!(["tidegate"]))] {
            played.does(does);
            let olive = goes(&world).await;
            olive.answered(200).sees("olive@acme.test, Importer");
        }
        let asked = played.asked().pop().unwrap();
        assert!(asked.contains("code_verifier=") && asked.contains("grant_type=authorization_code"), "{asked}");
    }

    async fn what_the_provider_answers_is_small_soon_and_from_where_it_may(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let canary = Canary::at("127.0.0.2:0");
        let away = format!("Location: http://127.0.0.2:{}/\r\n", canary.port());
        let huge = format!("{{\"x\":\"{}\"}}", "x".repeat(5 << 20));
        let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
        for path in [CONFIGURATION, "/token", "/keys"] {
            for (answer, said) in [
                (whole("200 OK", "", &huge), "answered something else than"),
                (whole("200 OK", "", &deep), "answered something else than"),
                (whole("200 OK", "", "<html>"), "answered something else than"),
                (whole("200 OK", "", "{}"), "answered something else than"),
                (whole("302 Found", &away, ""), "answered 302 in place of"),
                (whole("500 Internal Server Error", "", ""), "answered 500 in place of"),
                ("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{".to_owned(), "answered something else than"),
                (String::new(), "closed the connection"),
            ] {
                let what = format!("{path} {:.60}", answer.replace("\r\n", " "));
                played.does(Does::Answers(path, answer));
                refused(&goes(&world).await, &played, &what, said);
            }
        }
        for (name, value, said) in [
            ("token_endpoint", json!("http://10.0.0.1/token"), "which Tidegate may not reach"),
            ("token_endpoint", json!("http://169.254.169.254/latest"), "which Tidegate may not reach"),
            ("token_endpoint", json!("file:///etc/passwd"), "names an address that cannot be used"),
            ("jwks_uri", json!("http://[::1]/keys"), "which Tidegate may not reach"),
            ("jwks_uri", json!("gopher://a/"), "names an address that cannot be used"),
            ("authorization_endpoint", json!("javascript:alert(1)"), "names an address that cannot be used"),
            ("issuer", json!("https://other.example.com"), "calls itself by another address"),
            ("code_challenge_methods_supported", json!(["plain"]), "does not support PKCE"),
        ] {
            played.does(Does::Says(name, value.clone()));
            refused(&goes(&world).await, &played, &format!("{name} {value}"), said);
        }
        canary.assert_untouched();
        assert_eq!(sessions_of_others(&world).await, 0);
    }

    async fn a_way_back_belongs_to_the_browser_that_went_and_is_gone_once(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        played.does(Does::Shows);
        let attacker = goes(&world).await;
        let back = attacker.body.strip_prefix(world.at()).unwrap().to_owned();
        let cookie = attacker.cookie("elsewhere").unwrap();
        // Somebody else is led to it, who is on no way, or on one of their own.
        for mut victim in [world.nobody(), goes(&world).await] {
            victim.open(&back).await;
            refused(&victim, &played, "another's way", "was not begun in this browser");
        }
        let sent = |path: &str, cookie: &str| {
            let request = attacker.request(reqwest::Method::GET, path).header("Cookie", format!("elsewhere={cookie}"));
            async move { request.send().await.unwrap() }
        };
        let state = back.split_once("state=").unwrap().1.split('&').next().unwrap().to_owned();
        for path in [back.replace(&state, "another"), back.replace("state=", "x="), "/sign-in/elsewhere/return".into()] {
            assert_eq!(sent(&path, &cookie).await.status(), 409, "{path}");
        }
        for forged in ["", "x", &world.app().secrets.seal("half-way in", "{}").unwrap()] {
            assert_eq!(sent(&back, forged).await.status(), 409, "{forged}");
        }
        assert_eq!(sessions_of_others(&world).await, 0);
        assert_eq!(sent(&back, &cookie).await.status(), 200);
        let again = sent(&back, &cookie).await;
        assert_eq!(again.status(), 409);
        assert!(again.text().await.unwrap().contains("was used already"));
        // Nor late.
        let mut late = goes(&world).await;
        let back = late.body.strip_prefix(world.at()).unwrap().to_owned();
        world.advance(Duration::minutes(10));
        late.open(&back).await;
        refused(&late, &played, "late", "longer than 10 minutes");
    }

    async fn nobody_is_sent_on_the_way_or_elsewhere_by_another_site(world: World) {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        let nobody = world.nobody();
        for site in ["cross-site", "same-site"] {
            let request = nobody.bare(reqwest::Method::GET, "/sign-in/elsewhere").header("Sec-Fetch-Site", site);
            assert_eq!(request.send().await.unwrap().url().path(), "/sign-in", "{site}");
        }
        for next in ["//evil.example", "https://evil.example", "/\\evil.example"] {
            let mut olive = world.nobody();
            olive.open(&format!("/sign-in/elsewhere?next={}", tidegate::web::page::encode(next))).await;
            assert_eq!((olive.status, olive.path().as_str()), (200, "/"), "{next}");
        }
        let mut long = world.nobody();
        long.open(&format!("/sign-in/elsewhere?next=/{}", "x".repeat(1_500))).await;
        assert_eq!((long.status, long.path().as_str()), (200, "/"));
    }
}

#[test]
fn a_hanging_provider_keeps_nobody_else_waiting() {
    with_world(Database::Sqlite, |world| async move {
        let played = Played::start();
        set_up(&world, &played.issuer).await;
        played.does(Does::Hangs("/token"));
        let began = Instant::now();
        let many = futures_util::future::join_all((0..20).map(|_| goes(&world)));
        let looking = async {
            let mut slowest = Elapsed::ZERO;
            for _ in 0..20 {
                let begun = Instant::now();
                assert_eq!(world.nobody().open("/healthz").await, 200);
                slowest = slowest.max(begun.elapsed());
            }
            slowest
        };
        let (many, slowest) = tokio::join!(many, looking);
        assert!(began.elapsed() < Elapsed::from_secs(25), "{:?}", began.elapsed());
        assert!(slowest < Elapsed::from_secs(2), "/healthz took {slowest:?}");
        let of = |status: u16| many.iter().filter(|browser| browser.status == status).count();
        assert_eq!(of(409) + of(429), 20);
        assert!(of(409) >= 1);
        for many in many.iter().filter(|browser| browser.status == 429) {
            // Those who set out too often from one network, and those who came back while too many waited.
            let both = ["Too many attempts. Wait ", "Too many people sign in at once. Wait 5 seconds, then try again."];
            assert!(both.iter().any(|words| many.has(words)), "{}", many.text());
        }
        let waited = many.iter().find(|browser| browser.status == 409).unwrap();
        refused(waited, &played, "a hang", "did not answer within 10 s");
    });
}

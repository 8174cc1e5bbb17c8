//! No page of another site makes a member do anything: every post that a cookie authenticates is refused without the
//! session's token, and wherever the browser says that another site began it.

use reqwest::RequestBuilder;
use tidegate::web::csrf;

use crate::support::World;
use crate::support::browser::{Answer, Browser};
use crate::support::routes::{self, Route};

/// What an attacker's page may make a browser send, and what a page of ours sends when its session is gone.
fn forgeries(browser: &Browser, route: &Route, path: &str) -> Vec<(&'static str, RequestBuilder)> {
    let (base, token) = (browser.url.clone(), browser.token());
    let form = |token: &str| vec![(csrf::FIELD, token.to_owned()), ("name", "Forged".to_owned())];
    let post = |from: Option<&str>| {
        let request = browser.bare(route.method(), path);
        from.map_or(browser.bare(route.method(), path), |from| request.header("Sec-Fetch-Site", from))
    };
    let multipart = || reqwest::multipart::Form::new().text("name", "Forged");
    let late = |token: &str| {
        let file = reqwest::multipart::Part::bytes(b"a,b".to_vec()).file_name("a.csv");
        reqwest::multipart::Form::new().part("file", file).text(csrf::FIELD, token.to_owned())
    };
    let own = base.origin().ascii_serialization();
    vec![
        ("no token", post(Some("same-origin")).form(&[("name", "Forged")])),
        ("no body", post(Some("same-origin"))),
        ("an empty token", post(Some("same-origin")).form(&form(""))),
        ("a wrong token", post(Some("same-origin")).form(&form(&csrf::token_for("another session")))),
        ("a wrong token in the header", post(Some("same-origin")).header(csrf::HEADER, "wrong").form(&form(&token))),
        ("another site", post(Some("cross-site")).form(&form(&token))),
        ("a sister site", post(Some("same-site")).form(&form(&token))),
        ("another site by script", post(Some("cross-site")).header(csrf::HEADER, &token).form(&form(&token))),
        ("a browser that says nothing", post(None).form(&form(&token))),
        ("another origin", post(None).header("Origin", "http://evil.example").form(&form(&token))),
        ("another scheme", post(None).header("Origin", own.replace("http:", "https:")).form(&form(&token))),
        ("no origin", post(None).header("Origin", "null").form(&form(&token))),
        ("another port", post(None).header("Origin", "http://127.0.0.1:1").form(&form(&token))),
        (
            "a name that begins like ours",
            post(None).header("Origin", format!("{own}.evil.example")).form(&form(&token)),
        ),
        ("an upload without a token", post(Some("same-origin")).multipart(multipart())),
        ("an upload with a wrong token", post(Some("same-origin")).multipart(multipart().text(csrf::FIELD, "wrong"))),
        ("an upload whose token comes after the file", post(Some("same-origin")).multipart(late(&token))),
        ("plain text", post(Some("same-origin")).header("Content-Type", "text/plain").body(format!("csrf={token}"))),
        ("json", post(Some("same-origin")).header("Content-Type", "application/json").body("{}")),
    ]
}

on_both! {
    async fn every_post_is_refused_unless_our_own_page_sent_it(world: World) {
        let ada = world.browser(&world.ada).await;
        let values = routes::values(&world).await;
        let before = world.fingerprint().await;
        let mut wrong = Vec::new();
        for route in routes::all().into_iter().filter(|r| r.method != "GET" && !r.is_api()) {
            for (how, request) in forgeries(&ada, &route, &route.filled(&values)) {
                let answer = Answer::of(request.send().await.unwrap()).await;
                if answer.status != 403 {
                    wrong.push(format!("{} with {how}: {}", route.name(), answer.status));
                }
            }
        }
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        assert_eq!(world.fingerprint().await, before, "nothing changed");
        assert_eq!(ada.get("/healthz").await.status, 200);
    }

    async fn with_the_token_it_gets_through_the_guard(world: World) {
        let ada = world.browser(&world.ada).await;
        let own = [("Sec-Fetch-Site", "same-origin".to_owned()), ("Origin", world.at().to_owned())];
        for (name, value) in own {
            let request = ada.bare(reqwest::Method::POST, "/no-such-page").header(name, value);
            let answer = Answer::of(request.form(&[(csrf::FIELD, ada.token())]).send().await.unwrap()).await;
            assert_eq!(answer.status, 404, "{name}: past the guard, at no page");
        }
        // The port that a scheme has by itself may be named or not.
        for (host, origin) in [("a.example", "http://a.example:80"), ("a.example:80", "http://A.example")] {
            let request = ada.bare(reqwest::Method::POST, "/no-such-page").header("Host", host).header("Origin", origin);
            let answer = Answer::of(request.form(&[(csrf::FIELD, ada.token())]).send().await.unwrap()).await;
            assert_eq!(answer.status, 404, "{host} and {origin}");
        }
        assert_eq!(ada.htmx_post("/no-such-page", &[]).await.status, 404, "the token in htmx's header");
    }

    async fn looking_changes_nothing(world: World) {
        let values = routes::values(&world).await;
        let before = world.fingerprint().await;
        for person in world.everybody() {
            let browser = world.browser(person).await;
            for route in routes::all().into_iter().filter(|r| r.method == "GET") {
                browser.get(&route.filled(&values)).await;
                browser.htmx(&route.filled(&values)).await;
            }
        }
        assert_eq!(world.fingerprint().await, before);
    }
}

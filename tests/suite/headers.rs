//! The header set is on every answer: pages, errors, static files, refusals.

use reqwest::Method;

use crate::support::browser::Answer;
use crate::support::databases::with_changed_world;
use crate::support::{Database, World, routes};

#[track_caller]
fn has_the_set(answer: &Answer, what: &str) {
    let policy = answer.header("content-security-policy");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{what}: {part} is missing in \"{policy}\"");
    }
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ] {
        assert_eq!(answer.header(name), value, "{what}: {name}");
    }
    for name in ["access-control-allow-origin", "server", "x-powered-by"] {
        assert_eq!(answer.header(name), "", "{what}: {name}");
    }
}

on_both! {
    async fn every_address_answers_with_the_header_set(world: World) {
        for browser in [world.browser(&world.ada).await, world.nobody()] {
            for route in routes::all() {
                let request = browser.request(route.method(), &route.filled(&[]));
                let answer = Answer::of(request.send().await.unwrap()).await;
                has_the_set(&answer, &route.name());
                if !route.path.starts_with("/static/") {
                    assert_eq!(answer.header("cache-control"), "no-store", "{}", route.name());
                    assert!(answer.header("vary").contains("Sec-Fetch-Site, Origin"), "{}", route.name());
                }
                assert_eq!(answer.header("strict-transport-security"), "", "{}: not over plain http", route.name());
            }
        }
    }

    async fn so_do_static_files_and_errors(world: World) {
        let nobody = world.nobody();
        for (path, status) in [
            ("/static/app.css", 200),
            ("/static/app.js", 200),
            ("/static/icons.svg", 200),
            ("/static/none.css", 404),
            ("/static/../Cargo.toml", 404),
            ("/static/..%2f..%2fCargo.toml", 404),
            ("/no-such-page", 404),
            ("/api/v1/no-such-thing", 404),
        ] {
            let answer = nobody.get(path).await;
            has_the_set(&answer, path);
            assert_eq!(answer.status, status, "{path}");
        }
        let kept = nobody.get("/static/app.css").await;
        assert!(kept.header("cache-control").contains("immutable"), "its address has a hash of its content");
        let refused = Answer::of(nobody.bare(Method::POST, "/sign-out").send().await.unwrap()).await;
        assert_eq!(refused.status, 403);
        has_the_set(&refused, "a refusal");
    }
}

/// Behind TLS a browser is told to come back by TLS alone, and the cookie is `__Host-`.
#[test]
fn behind_tls_there_is_hsts() {
    let change = |app: &mut tidegate::app::App| app.base_url = "https://tidegate.example/".parse().unwrap();
    with_changed_world(Database::Sqlite, change, |world: World| async move {
        let answer = world.nobody().get("/healthz").await;
        has_the_set(&answer, "/healthz");
        assert_eq!(answer.header("strict-transport-security"), "max-age=31536000");
    });
}

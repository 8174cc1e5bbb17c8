//! The OpenAPI document, and the page that shows it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::Value;

use crate::support::routes::{self, Route};
use crate::support::settings::{self, root};
use crate::support::{Chrome, Database, Look, World, with_world};

fn snapshot() -> PathBuf {
    root().join("tests/openapi.json")
}

fn operations(document: &Value) -> BTreeSet<String> {
    let paths = document["paths"].as_object().unwrap().iter();
    let named = |(path, verbs): (&String, &Value)| -> Vec<String> {
        verbs.as_object().unwrap().keys().map(|verb| format!("{} /api/v1{path}", verb.to_uppercase())).collect()
    };
    paths.flat_map(named).collect()
}

/// Whatever changes here changes for scripts.
#[test]
fn the_document_is_the_one_that_was_agreed_on() {
    with_world(Database::Sqlite, |world| async move {
        let document = world.api(&world.mo).await.get("openapi.json").await.is(200).json.clone();
        let now = serde_json::to_string_pretty(&document).unwrap() + "\n";
        if settings::renew() {
            std::fs::write(snapshot(), &now).unwrap();
        }
        let agreed = std::fs::read_to_string(snapshot()).unwrap_or_default();
        if let Some((line, (is, was))) = now.lines().zip(agreed.lines()).enumerate().find(|(_, (a, b))| a != b) {
            panic!(
                "tests/openapi.json says otherwise in line {}:\n  was {was}\n  is  {is}\nIf that is meant: \
                 TIDEGATE_TEST_RENEW=1 bash tests/run.sh -- the_document_is_the_one",
                line + 1
            );
        }
        assert_eq!(now.len(), agreed.len(), "TIDEGATE_TEST_RENEW=1 bash tests/run.sh -- the_document_is_the_one");
    });
}

#[test]
fn every_address_is_in_it_with_words_and_answers() {
    with_world(Database::Sqlite, |world| async move {
        let document = world.api(&world.mo).await.get("openapi.json").await.is(200).json.clone();
        let served: BTreeSet<String> = routes::all().iter().filter(|r| r.is_api()).map(Route::name).collect();
        assert_eq!(operations(&document), served);
        let mut ids = BTreeSet::new();
        for (path, verbs) in document["paths"].as_object().unwrap() {
            for (verb, told) in verbs.as_object().unwrap() {
                let what = format!("{verb} {path}");
                assert!(
                    told["summary"].as_str().is_some_and(|words| words.ends_with('.')),
                    "{what}: say what it does in api/operations.rs"
                );
                assert!(told["description"].as_str().unwrap().contains("scope"), "{what}");
                assert!(ids.insert(told["operationId"].to_string()), "{what}: two have this id");
                let answers = told["responses"].as_object().unwrap();
                assert!(answers.keys().any(|status| status.starts_with('2')), "{what}");
                for status in ["401", "403", "422", "503"] {
                    assert!(answers.contains_key(status), "{what}: {status}");
                }
            }
        }
        every_reference_leads_somewhere(&document, &document);
    });
}

fn every_reference_leads_somewhere(document: &Value, value: &Value) {
    match value {
        Value::Object(map) => {
            if let Some(to) = map.get("$ref") {
                let to = to.as_str().unwrap().strip_prefix('#').unwrap();
                assert!(document.pointer(to).is_some_and(Value::is_object), "{to}");
            }
            map.values().for_each(|value| every_reference_leads_somewhere(document, value));
        }
        Value::Array(list) => list.iter().for_each(|value| every_reference_leads_somewhere(document, value)),
        _ => {}
    }
}

/// As somebody types, what does not match goes; on a phone too, and nothing runs out of the page.
#[test]
fn typing_filters_the_page() {
    with_world(Database::Sqlite, |world| async move {
        for look in [Look::default(), Look { dark: true, phone: true, ..Look::default() }] {
            let chrome = Chrome::open(&world, Some(&world.olive), look).await;
            chrome.goto("/rest-api").await;
            chrome.sees("List the members, by id.").await;
            chrome.fill("Filter by method, address, word or field", "freezes end").await;
            chrome.sees_no("List the members, by id.").await;
            chrome.sees("End a freeze now.").await;
            chrome.sees("/freezes/7/end").await;
            chrome.screenshot("rest-api").await;
            let wide = chrome.script("return document.documentElement.scrollWidth > innerWidth").await;
            assert_eq!(wide, false, "the page is wider than the window");
            chrome.quiet().await;
            chrome.close().await;
        }
    });
}

on_both! {
    async fn people_browse_it_and_filter_it(world: World) {
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/account").await.follow("Open the API reference").await;
        mo.sees("Create a freeze.").sees("/applications/{a}/freezes").sees("columns[].name").sees("Idempotency-Key");
        mo.sees("curl -X POST").sees("Year-end close");
        let whole = mo.body.len();
        assert!(whole < 350_000, "{whole} bytes");
        mo.visit("/rest-api?q=freeze+post").await;
        mo.sees("End a freeze now.").sees_no("List the members, by id.");
        assert!(mo.body.len() < whole / 2);
        mo.visit("/rest-api?q=%3Cb%3E").await.sees("No operation matches “<b>”.");
        let part = mo.htmx("/rest-api?part=operations&q=days_of_month").await;
        assert!(part.body.contains("POST") && !part.body.contains("<html"), "{}", part.body);
        let document = mo.get("/rest-api/openapi.json").await;
        assert_eq!(serde_json::from_str::<Value>(&document.body).unwrap()["openapi"], "3.1.0");
        let nobody = world.nobody().get("/rest-api/openapi.json").await;
        assert!(nobody.text().contains("Sign in") && !nobody.body.contains("openapi\":"), "{}", nobody.body);
    }
}

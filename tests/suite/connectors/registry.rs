//! Kinds and their settings: what is wrong is told field by field, and nothing secret shows.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidegate::connectors::{build, kind, kinds};

use super::{SECRET, connector};

fn wrong(kind: &str, settings: Value, secrets: &[(&str, &str)]) -> Vec<String> {
    let secrets = secrets.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
    let errors = build(kind, &settings, &secrets).expect_err("should be refused");
    assert!(!errors.to_string().contains(SECRET));
    errors.0.into_iter().map(|e| e.field).collect()
}

#[test]
fn each_wrong_field_is_named() {
    assert_eq!(wrong("carrier-pigeon", json!({}), &[]), ["kind"]);
    assert_eq!(wrong("folder", json!([]), &[]), ["settings"]);
    assert_eq!(wrong("folder", json!({}), &[]), ["settings.path"]);
    assert_eq!(wrong("folder", json!({ "path": " " }), &[]), ["settings.path"]);
    assert_eq!(wrong("folder", json!({ "path": 7, "foo": 1 }), &[("token", SECRET)]).len(), 3);
    for seconds in [json!(-1), json!(3_601), json!("5"), json!(1.5)] {
        let settings = json!({ "path": "in", "quiet_seconds": seconds });
        assert_eq!(wrong("folder", settings, &[]), ["settings.quiet_seconds"], "{seconds}");
    }
    assert_eq!(wrong("http", json!({ "url": "http://h/", "foo": 1 }), &[]), ["settings.foo"]);
    assert_eq!(wrong("http", json!({ "url": "http://h/" }), &[("private_key", SECRET)]), ["secrets.private_key"]);
    for url in ["", "h", "/a", "file:///etc/passwd", "gopher://h/", "http://", "http://u:p@h/", "http://u@h/"] {
        assert_eq!(wrong("http", json!({ "url": url }), &[]), ["settings.url"], "{url}");
    }
    let with = |more: Value| {
        let mut settings = json!({ "url": "https://h/" });
        settings.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        settings
    };
    assert_eq!(wrong("http", with(json!({ "auth": "digest" })), &[]), ["settings.auth"]);
    assert_eq!(wrong("http", with(json!({ "auth": "basic" })), &[]), ["settings.user", "secrets.password"]);
    assert_eq!(wrong("http", with(json!({ "auth": "basic", "user": "a:b" })), &[("password", "x")]), ["settings.user"]);
    assert_eq!(wrong("http", with(json!({ "auth": "bearer" })), &[("token", "")]), ["secrets.token"]);
    assert_eq!(wrong("http", with(json!({ "auth": "bearer" })), &[("token", "a\r\nX-Evil: 1")]), ["secrets.token"]);
    assert_eq!(wrong("http", with(json!({ "follow_redirects": "yes" })), &[]), ["settings.follow_redirects"]);
    for headers in [
        json!(["a"]),
        json!({ "a": 1 }),
        json!({ "a b": "x" }),
        json!({ "a": "x\r\nb: y" }),
        json!({ "Host": "evil" }),
        json!("no colon"),
        json!({ "accept-encoding": "gzip" }),
        json!({ "": "x" }),
    ] {
        assert_eq!(wrong("http", with(json!({ "headers": headers })), &[]), ["settings.headers"], "{headers}");
    }
}

#[test]
fn oauth_is_said_to_come_later() {
    let settings = json!({ "url": "https://h/", "auth": "oauth2_client_credentials" });
    let errors = build("http", &settings, &BTreeMap::new()).expect_err("later");
    assert!(errors.of("settings.auth").unwrap().contains("not available yet"), "{errors}");
}

#[test]
fn nothing_that_may_be_secret_shows_in_a_connector() {
    let settings = json!({
        "url": format!("https://h/x?key={SECRET}"), "auth": "bearer", "user": null,
        "headers": format!("Authorization: {SECRET}\r\n\r\nX-Api-Key: {SECRET}"),
    });
    let shown = format!("{:?}", connector("http", settings, &[("token", SECRET)]));
    assert!(!shown.contains(SECRET) && shown.contains("x-api-key: …"), "{shown}");
    let basic = json!({ "url": "https://h/", "auth": "basic", "user": "ada" });
    let shown = format!("{:?}", connector("http", basic, &[("password", SECRET)]));
    assert!(!shown.contains(SECRET), "{shown}");
}

#[test]
fn kinds_describe_themselves_for_pages_and_api() {
    for kind in kinds() {
        assert!(!kind.label.is_empty() && !kind.summary.is_empty() && !kind.settings.is_empty());
    }
    assert!(kind("sftp").is_none());
    let http = kind("http").unwrap();
    let sent = [("url", " https://h/ "), ("auth", "none"), ("headers", ""), ("follow_redirects", "on"), ("csrf", "x")];
    let form: BTreeMap<String, String> = sent.iter().map(|(n, v)| (n.to_string(), v.to_string())).collect();
    let settings = http.settings_from_form(&form);
    assert_eq!(settings, json!({ "url": "https://h/", "auth": "none", "follow_redirects": true }));
    assert!(build("http", &settings, &BTreeMap::new()).is_ok());
    let typed = |seconds: &str| {
        let form = [("path", "in"), ("quiet_seconds", seconds)].map(|(n, v)| (n.to_string(), v.to_string()));
        kind("folder").unwrap().settings_from_form(&form.into())
    };
    assert_eq!(typed("60"), json!({ "path": "in", "quiet_seconds": 60 }));
    assert!(build("folder", &typed("soon"), &BTreeMap::new()).is_err());
}

/// What is sent elsewhere, or otherwise, is another way; the same is the same however it is written.
#[test]
fn settings_lead_where_they_are_understood_to() {
    for kind in kinds() {
        for name in kind.harmless {
            assert!(kind.settings.iter().any(|field| field.name == *name), "{name}");
        }
    }
    let http = kind("http").unwrap();
    let whole = json!({ "url": "https://h/x?k=1", "auth": "basic", "user": "ada", "headers": "B: 1\r\n\r\na:2",
        "follow_redirects": true });
    let with = |name: &str, value: Value| {
        let mut settings = whole.clone();
        settings[name] = value;
        http.leads(&settings)
    };
    for (name, value) in [
        ("url", json!("https://h/x?k=2")),
        ("url", json!("http://h/x?k=1")),
        ("url", json!(["https://h/x?k=1"])),
        ("auth", json!("none")),
        ("auth", json!("bearer")),
        ("user", json!("eve")),
        ("headers", json!("B: 2\na: 2")),
        ("headers", json!({ "B": "1" })),
        ("follow_redirects", json!(null)),
    ] {
        assert_ne!(with(name, value.clone()), http.leads(&whole), "{name}: {value}");
    }
    for (name, value) in [("url", json!(" https://h/x?k=1")), ("headers", json!({ "A": "2", "b": " 1" }))] {
        assert_eq!(with(name, value.clone()), http.leads(&whole), "{name}: {value}");
    }
    let plain = json!({ "url": "https://h/" });
    for same in
        [json!({ "auth": "none" }), json!({ "user": "ada" }), json!({ "follow_redirects": false, "headers": " " })]
    {
        let mut settings = plain.clone();
        settings.as_object_mut().unwrap().extend(same.as_object().unwrap().clone());
        assert_eq!(http.leads(&settings), http.leads(&plain), "{same}");
    }
    let folder = kind("folder").unwrap();
    let quiet = |seconds: u64| folder.leads(&json!({ "path": "in", "quiet_seconds": seconds }));
    assert!(quiet(1) == quiet(2) && quiet(1) != folder.leads(&json!({ "path": "out" })));
    assert!(http.asks_for("password", &whole) && !http.asks_for("token", &whole) && !http.asks_for("password", &plain));
}

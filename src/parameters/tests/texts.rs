//! Values where they stand: no value leads a path elsewhere, ends a header, or is read as SQL.

use serde_json::{Value, json};

use super::values::{parameter, secrets};
use crate::connectors::Bound;
use crate::parameters::{Parameter, Target, Template, Values, Where, in_filter, in_path, in_query};

fn declared() -> Vec<Parameter> {
    ["name", "text"]
        .iter()
        .zip(["text", "text"])
        .map(|(name, kind)| parameter(name, kind))
        .chain([
            parameter("day", "date"),
            parameter("n", "number"),
            parameter("none", "text"),
            parameter("token", "secret"),
            Parameter { choices: ["A", "B", "C'"].map(str::to_owned).to_vec(), ..parameter("groups", "choices") },
        ])
        .collect()
}

fn values(settled: Value) -> Values {
    let parameters = declared();
    let target = Target { configuration_id: 7, name: "Sales", parameters: &parameters, leads: "0", query: None };
    let mut settled = settled;
    settled["token"] = target.seal(&secrets(), &parameter("token", "secret"), "s3cret/../x").unwrap();
    Values::open(&target, &secrets(), &settled).unwrap()
}

fn write(text: &str, settled: Value, at: Where<'_>) -> Result<String, String> {
    Template::parse(text)?.write(&values(settled), at)
}

#[test]
fn braces_are_parameters_or_doubled() {
    let of = |text| write(text, json!({"name": "a b", "day": "2026-03-05", "n": 1.5}), Where::Cell("%d/%m/%Y", ","));
    assert_eq!(of("{{{name}}}").unwrap(), "{a b}");
    assert_eq!(of("{day}").unwrap(), "05/03/2026");
    assert_eq!(of("{day:%Y%m} {day:%-d.%-m.} Q{day:%q}").unwrap(), "202603 5.3. Q1");
    assert_eq!(of("{n}").unwrap(), "1,5");
    assert_eq!(of("{none}").unwrap(), "");
    for bad in
        ["{", "}", "{name", "{na me}", "{1}", "{}", "{day:%H}", "{day:%}", "{day:x}", "{day:%Y..%m}", "{day:\\%Y}"]
    {
        assert!(of(bad).is_err(), "{bad}");
    }
}

#[test]
fn no_value_leads_a_path_elsewhere() {
    let path = |text: &str, value: &str| write(text, json!({ "name": value, "text": "." }), Where::Path);
    assert_eq!(path("in/{name}.csv", "Été 1").unwrap(), "in/Été 1.csv");
    for bad in ["../x", "a/b", "..", "a\\b", "a\0b", "a\nb", "a\u{7f}", "a\u{2028}b", "x..y", "/etc/passwd"] {
        for at in [Where::Path, Where::Address, Where::Url] {
            let text = if matches!(at, Where::Url) { "https://h/{name}/x" } else { "in/{name}/x" };
            let why = write(text, json!({ "name": bad }), at).unwrap_err();
            assert!(why.contains("cannot stand in a path"), "{bad}: {why}");
        }
    }
    // Two values, or a value and a point that stands there, must not make one either.
    assert!(path("in/{name}{text}/x", ".").unwrap_err().contains("make a .."));
    assert!(path("in/.{name}/x", ".").unwrap_err().contains("make a .."));
    assert!(path("in/{name}/x", ".").unwrap_err().contains("make a .."));
    assert_eq!(path("../{name}", "a").unwrap(), "../a", "what the import says itself is the connector's to refuse");
    assert!(path("in/{none}", "a").unwrap_err().contains("has no value"));
    assert!(path("in/{token}", "a").unwrap_err().contains("others could read it"));
    let dated = write("in/{day:%Y/%m}/x{groups}", json!({"day": "2026-03-05", "groups": ["A", "B"]}), Where::Path);
    assert_eq!(dated.unwrap(), "in/2026/03/xA,B");
}

#[test]
fn an_address_is_encoded() {
    let at = |text: &str, value: &str| write(text, json!({ "name": value }), Where::Address);
    assert_eq!(at("x/{name}.csv", "a b?c#d%2e&é").unwrap(), "x/a%20b%3Fc%23d%252e%26%C3%A9.csv");
    assert_eq!(at("x?of={name}&a=1", "a/../b&c=2\r\n").unwrap(), "x?of=a%2F..%2Fb%26c%3D2%0D%0A&a=1");
    let url = |text: &str| write(text, json!({ "name": "evil.example", "day": "2026-03-05" }), Where::Url);
    assert_eq!(url("https://h/{day:%Y}/?k={token}").unwrap(), "https://h/2026/?k=s3cret%2F..%2Fx");
    for bad in ["https://{name}/x", "{name}://h/x", "https://h{name}/x", "https://u:{token}@h/", "https://h/{token}"] {
        assert!(url(bad).is_err(), "{bad}");
    }
}

#[test]
fn a_header_has_one_line() {
    let header = |value: &str| write("Bearer {name}", json!({ "name": value }), Where::Header);
    assert_eq!(header("a b").unwrap(), "Bearer a b");
    for bad in ["a\r\nX: y", "a\nb", "a\0", "é", "a\tb"] {
        assert!(header(bad).unwrap_err().contains("header"), "{bad:?}");
    }
    assert_eq!(write("{token}", json!({}), Where::Header).unwrap(), "s3cret/../x");
    // Braces that no parameter declares are of others.
    let known = Template::of_known("{\"a\": \"{name}\", \"b\": {x}}", &|name| name == "name");
    assert_eq!(known.write(&values(json!({ "name": "v" })), Where::Header).unwrap(), "{\"a\": \"v\", \"b\": {x}}");
}

fn bind(text: &str, settled: Value) -> Result<(String, Vec<Bound>), String> {
    let values = values(settled);
    Template::of_query(text, &|name| values.declares(name))?.bind(&values)
}

#[test]
fn a_query_binds_and_never_pastes() {
    let hostile = "x'); DROP TABLE t; --";
    let (sql, bound) =
        bind("SELECT {name}, {n}, {day:%Y%m}, {none}, {token}", json!({"name": hostile, "n": 3, "day": "2026-03-05"}))
            .unwrap();
    assert_eq!(sql, "SELECT $tidegate1, $tidegate2, $tidegate3, $tidegate4, $tidegate5");
    let text = |text: &str| Bound::Text(text.to_owned());
    assert!(bound == [text(hostile), Bound::Integer(3), text("202603"), Bound::Null, text("s3cret/../x")]);
    assert!(!format!("{bound:?}").contains("s3cret"));
    let (sql, bound) = bind("SELECT 1 WHERE g NOT IN ({groups})", json!({"groups": ["A", "C'"]})).unwrap();
    assert_eq!(sql, "SELECT 1 WHERE g NOT IN ($tidegate1, $tidegate2)");
    assert_eq!(bound.len(), 2);
    let (sql, bound) = bind("SELECT 1 WHERE g NOT IN ({groups})", json!({"groups": []})).unwrap();
    assert_eq!((sql.as_str(), bound.len()), ("SELECT 1 WHERE g NOT IN (SELECT NULL WHERE 1 = 0)", 0));
}

#[test]
fn quotes_and_remarks_of_a_query_are_left_alone() {
    let kept = "SELECT '{\"a\": 1}', \"{x}\", 'it''s {{', [a{b], `{` -- {name}\n/* {name} } */ FROM t";
    assert_eq!(bind(kept, json!({})).unwrap(), (kept.to_owned(), vec![]));
    for quoted in ["SELECT '{name}'", "SELECT \"x{name}\"", "SELECT '{day:%Y}'", "SELECT 'a''{name}'"] {
        assert!(bind(quoted, json!({})).unwrap_err().contains("stands in quotes"), "{quoted}");
    }
    assert_eq!(bind("SELECT {{}}", json!({})).unwrap().0, "SELECT {}");
    assert!(bind("SELECT {", json!({})).is_err());
}

#[test]
fn what_is_used_wrongly_is_said_when_it_is_saved() {
    let parameters = declared();
    for (checked, words) in [
        (in_path("a/{month}.csv", &parameters), "There is no parameter month"),
        (in_path("a/{Name}.csv", &parameters), "There is no parameter Name"),
        (in_path("a/{name:%Y}.csv", &parameters), "name is no date"),
        (in_path("a/{token}.csv", &parameters), "The secret token would be read"),
        (in_path("a/{", &parameters), "Write {{ for a brace"),
        (in_query("SELECT {month}", &parameters), "There is no parameter month"),
        (in_query("SELECT 1 WHERE g = {groups}", &parameters), "NOT IN ({groups})"),
        (in_query("SELECT '{name}'", &parameters), "stands in quotes"),
        (in_filter("a {groups}", &parameters), "stands for several items"),
    ] {
        let why = checked.unwrap_err();
        assert!(why.contains(words), "{words}: {why}");
    }
    for fine in [
        in_path("a/{day:%Y%m}/{name}.csv", &parameters),
        in_query("SELECT {token} WHERE g IN ( {groups} ) -- {month}", &parameters),
        in_filter("{groups}", &parameters),
    ] {
        assert_eq!(fine, Ok(()));
    }
}

//! What is built in: whose licence allows it, from where it comes, and that the bill of materials names all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

const BILL: &str = ".release/bom.json";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What cargo knows of every package that is built here.
fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().unwrap().iter().filter(|package| !package["source"].is_null())
}

fn rules() -> toml::Table {
    std::fs::read_to_string(root().join(".release/deny.toml")).unwrap().parse().unwrap()
}

fn texts(value: &toml::Value) -> BTreeSet<String> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

/// Whether a licence expression can be met by these licences alone. `/` is an old way to write OR.
fn allowed(expression: &str, licences: &BTreeSet<String>) -> bool {
    let spaced = expression.replace('/', " OR ").replace('(', " ( ").replace(')', " ) ").replace(" WITH ", "+WITH+");
    let words: Vec<String> = spaced.split_whitespace().map(|word| word.replace("+WITH+", " WITH ")).collect();
    let (met, rest) = any(&words, licences);
    assert!(rest.is_empty(), "{expression}: {rest:?}");
    met
}

fn any<'a>(words: &'a [String], licences: &BTreeSet<String>) -> (bool, &'a [String]) {
    let (mut met, mut rest) = all(words, licences);
    while rest.first().is_some_and(|word| word == "OR") {
        let (other, after) = all(&rest[1..], licences);
        (met, rest) = (met | other, after);
    }
    (met, rest)
}

fn all<'a>(words: &'a [String], licences: &BTreeSet<String>) -> (bool, &'a [String]) {
    let (mut met, mut rest) = one(words, licences);
    while rest.first().is_some_and(|word| word == "AND") {
        let (other, after) = one(&rest[1..], licences);
        (met, rest) = (met & other, after);
    }
    (met, rest)
}

fn one<'a>(words: &'a [String], licences: &BTreeSet<String>) -> (bool, &'a [String]) {
    if words[0] != "(" {
        return (licences.contains(&words[0]), &words[1..]);
    }
    let (met, rest) = any(&words[1..], licences);
    assert_eq!(rest[0], ")");
    (met, &rest[1..])
}

#[test]
fn licence_expressions_are_read_as_they_are_meant() {
    let licences = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"].map(str::to_owned));
    for good in ["MIT", "GPL-3.0 OR MIT", "MIT/GPL-3.0", "(GPL-3.0 OR ISC) AND MIT", "Apache-2.0 WITH LLVM-exception"] {
        assert!(allowed(good, &licences), "{good}");
    }
    for bad in
        ["GPL-3.0", "MIT AND GPL-3.0", "GPL-3.0 OR MIT AND AGPL-3.0", "Apache-2.0", "(MIT AND GPL-2.0) OR LGPL-2.1"]
    {
        assert!(!allowed(bad, &licences), "{bad}");
    }
}

#[test]
fn licences_sources_and_bans_hold() {
    let (metadata, rules) = (metadata(), rules());
    let licences = texts(&rules["licenses"]["allow"]);
    let registries = texts(&rules["sources"]["allow-registry"]);
    let banned: BTreeSet<&str> =
        rules["bans"]["deny"].as_array().unwrap().iter().map(|ban| ban["crate"].as_str().unwrap()).collect();
    let mut wrong = Vec::new();
    for package in packages(&metadata) {
        let name = package["name"].as_str().unwrap();
        if !package["license"].as_str().is_some_and(|licence| allowed(licence, &licences)) {
            wrong.push(format!("{name}: its licence is {}", package["license"]));
        }
        let source = package["source"].as_str().unwrap();
        if !source.strip_prefix("registry+").is_some_and(|registry| registries.contains(registry)) {
            wrong.push(format!("{name}: it comes from {source}"));
        }
        if banned.contains(name) {
            wrong.push(format!("{name}: it is banned"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The names and versions that are built into the program: not what only tests use.
fn built_in(metadata: &Value) -> BTreeSet<String> {
    let nodes: BTreeMap<&str, &Value> =
        metadata["resolve"]["nodes"].as_array().unwrap().iter().map(|n| (n["id"].as_str().unwrap(), n)).collect();
    let mut found = BTreeSet::new();
    let mut open = vec![metadata["resolve"]["root"].as_str().unwrap()];
    while let Some(id) = open.pop() {
        for dependency in nodes[id]["deps"].as_array().unwrap() {
            let of_tests = dependency["dep_kinds"].as_array().unwrap().iter().all(|kind| kind["kind"] == "dev");
            let id = dependency["pkg"].as_str().unwrap();
            if !of_tests && found.insert(id.to_owned()) {
                open.push(id);
            }
        }
    }
    found
}

/// In CycloneDX, which scanners read.
fn bill() -> Value {
    let metadata = metadata();
    let built_in = built_in(&metadata);
    let lock: toml::Table = std::fs::read_to_string(root().join("Cargo.lock")).unwrap().parse().unwrap();
    let checksums: BTreeMap<(&str, &str), &str> = lock["package"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|p| Some(((p["name"].as_str()?, p["version"].as_str()?), p.get("checksum")?.as_str()?)))
        .collect();
    let mut components: Vec<Value> = packages(&metadata)
        .filter(|package| built_in.contains(package["id"].as_str().unwrap()))
        .map(|package| {
            let (name, version) = (package["name"].as_str().unwrap(), package["version"].as_str().unwrap());
            let licence = package["license"].as_str().unwrap().replace('/', " OR ").replace("  ", " ");
            json!({
                "type": "library",
                "bom-ref": format!("{name}@{version}"),
                "name": name,
                "version": version,
                "purl": format!("pkg:cargo/{name}@{}", version.replace('+', "%2B")),
                "hashes": [{ "alg": "SHA-256", "content": checksums[&(name, version)] }],
                "licenses": [{ "expression": licence.replace("  ", " ") }],
            })
        })
        .collect();
    // What lies beside the code, and what crates bring along.
    let htmx = std::fs::read_to_string(root().join("static/vendor/htmx.min.js")).unwrap();
    let version = htmx.split_once("version=\"").and_then(|(_, after)| after.split('"').next());
    components.push(json!({
        "type": "library", "bom-ref": "htmx", "name": "htmx.org", "version": version.expect("htmx says its version"),
        "licenses": [{ "expression": "0BSD" }],
    }));
    components.sort_by_key(|component| component["bom-ref"].as_str().map(str::to_owned));
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": {
            "type": "application", "bom-ref": "tidegate", "name": "tidegate", "version": env!("CARGO_PKG_VERSION"),
            "licenses": [{ "expression": "MIT" }],
        }},
        "components": components,
    })
}

#[test]
fn the_bill_of_materials_names_what_is_built_in() {
    let bill = serde_json::to_string_pretty(&bill()).unwrap() + "\n";
    if std::env::var_os("TIDEGATE_TEST_RENEW").is_some() {
        std::fs::write(root().join(BILL), &bill).unwrap();
    }
    let kept = std::fs::read_to_string(root().join(BILL)).unwrap_or_default();
    assert!(kept == bill, "{BILL} is old: run this test with TIDEGATE_TEST_RENEW=1");
}

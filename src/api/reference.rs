//! The page that shows the OpenAPI document to people: every operation with its parameters, its response, and how to
//! call it with curl. It reads only the document.

use std::collections::BTreeMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::{Map, Value};

use super::document::{self, Document};
use crate::app::App;
use crate::error::Result;
use crate::members::{self, SignedIn};
use crate::web::{Crumb, Form, Page, Shell};

#[derive(Template)]
#[template(path = "api/reference.html")]
struct ReferencePage {
    shell: Shell,
    part: Part,
}

/// What is left of the document after filtering.
#[derive(Template)]
#[template(path = "api/reference_part.html")]
struct Part {
    filter: String,
    groups: Vec<Group>,
    /// What their answers hold, by name.
    things: BTreeMap<String, Vec<Field>>,
    /// Few enough to be open.
    open: bool,
}

// Rendered by a template, so escaped already.
impl askama::filters::HtmlSafe for Part {}

struct Group {
    name: String,
    about: String,
    operations: Vec<Operation>,
}

struct Operation {
    id: String,
    method: String,
    path: String,
    does: String,
    scope: String,
    parameters: Vec<Field>,
    body: Vec<Field>,
    answers: Vec<(String, String)>,
    /// What comes back: words, and the name of the thing.
    answer: Option<(&'static str, String)>,
    curl: String,
}

/// A parameter, or a member of a body or an answer.
struct Field {
    /// `columns[].name`
    name: String,
    kind: String,
    needed: bool,
    about: String,
}

/// `GET /rest-api`
pub async fn page(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let form = Form::parse(request.query_string().as_bytes());
    let filter = form.get("q").to_owned();
    let base = app.base_url.as_str().trim_end_matches('/');
    let part = part(document::get(), base, filter);
    if form.some("part").is_some() {
        return Page::ok(&request, &part);
    }
    let shell = members::shell(&request, &app, &by, "REST API").at("/rest-api").crumbs([Crumb::here("REST API")]);
    Page::ok(&request, &ReferencePage { shell, part })
}

/// `GET /rest-api/openapi.json`: the document, for who is signed in.
pub async fn download(_: SignedIn) -> Document {
    Document
}

fn part(document: &Value, base: &str, filter: String) -> Part {
    let wanted: Vec<String> = filter.split_whitespace().map(str::to_lowercase).collect();
    let (mut groups, mut things) = (Vec::new(), BTreeMap::new());
    for tag in list(&document["tags"]) {
        let mut operations = Vec::new();
        for (path, verbs) in members_of(&document["paths"]) {
            for (method, told) in members_of(verbs).filter(|(_, told)| told["tags"][0] == tag["name"]) {
                let one = operation(document, base, method, path, told);
                let haystack = one.haystack(&text(&tag["name"]));
                if wanted.iter().all(|word| haystack.contains(word)) {
                    if let Some((_, name)) = &one.answer {
                        things.entry(name.clone()).or_insert_with(|| thing(document, name));
                    }
                    operations.push(one);
                }
            }
        }
        // As the server's table has them: short addresses first, what looks before what changes.
        operations.sort_by_key(|one| (one.path.matches('/').count(), one.path.clone(), rank(&one.method)));
        if !operations.is_empty() {
            groups.push(Group { name: text(&tag["name"]), about: text(&tag["description"]), operations });
        }
    }
    let open = !wanted.is_empty() && groups.iter().map(|group| group.operations.len()).sum::<usize>() <= 3;
    Part { filter, groups, things, open }
}

fn rank(method: &str) -> usize {
    ["GET", "POST", "PUT", "PATCH", "DELETE"].iter().position(|known| *known == method).unwrap_or_default()
}

fn operation(document: &Value, base: &str, method: &str, path: &str, told: &Value) -> Operation {
    let parameters = list(&told["parameters"]).map(|parameter| Field {
        name: text(&parameter["name"]),
        kind: kind(document, &parameter["schema"]),
        needed: parameter["required"] == true,
        about: match parameter["in"].as_str() {
            Some("header") => format!("Header. {}", text(&parameter["description"])),
            _ => text(&parameter["description"]),
        },
    });
    let responses = members_of(&told["responses"]);
    let answers = responses.map(|(status, answer)| (status.clone(), text(&resolved(document, answer)["description"])));
    let answered = ["200", "201", "202"].iter().find_map(|status| told["responses"].get(status));
    let answer = answered.map_or(&Value::Null, |answer| &answer["content"]["application/json"]["schema"]);
    let contents = &told["requestBody"]["content"];
    let mut body = Vec::new();
    let sent = ["application/json", "multipart/form-data"].iter().find_map(|kind| contents.get(kind));
    fields(document, sent.map_or(&Value::Null, |sent| &sent["schema"]), "", &mut body);
    let method = method.to_uppercase();
    Operation {
        id: text(&told["operationId"]),
        curl: curl(document, &format!("{base}/api/v1{path}"), &method, contents),
        does: text(&told["summary"]),
        scope: text(&told["description"]),
        parameters: parameters.collect(),
        answers: answers.collect(),
        answer: answer_of(answer),
        body,
        path: path.to_owned(),
        method,
    }
}

/// "A list of", "Run".
fn answer_of(schema: &Value) -> Option<(&'static str, String)> {
    let name = |schema: &Value| Some(schema["$ref"].as_str()?.rsplit('/').next()?.to_owned());
    let list = || Some(("A list of", name(&schema["properties"]["items"]["items"])?));
    name(schema).map(|name| ("One", name)).or_else(list)
}

fn thing(document: &Value, name: &str) -> Vec<Field> {
    let mut found = Vec::new();
    fields(document, &document["components"]["schemas"][name], "", &mut found);
    found
}

impl Operation {
    fn haystack(&self, group: &str) -> String {
        let names = self.parameters.iter().chain(&self.body).map(|field| field.name.as_str());
        let words = [group, &self.method, &self.path, &self.does];
        words.into_iter().chain(names).collect::<Vec<_>>().join(" ").to_lowercase()
    }
}

/// What stands behind a reference.
fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let to = value.get("$ref").and_then(Value::as_str).and_then(|to| to.strip_prefix('#'));
    to.and_then(|to| document.pointer(to)).unwrap_or(value)
}

/// The schema itself, of one that may also be null.
fn bare<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolved(document, schema);
    let not_null = |any: &&Value| any["type"] != "null";
    match schema.get("anyOf") {
        Some(any) => list(any).find(not_null).map_or(schema, |one| resolved(document, one)),
        None => schema,
    }
}

fn fields(document: &Value, schema: &Value, prefix: &str, into: &mut Vec<Field>) {
    let schema = bare(document, schema);
    let required: Vec<&str> = list(&schema["required"]).filter_map(Value::as_str).collect();
    for (name, member) in members_of(&schema["properties"]) {
        let name_here = format!("{prefix}{name}");
        into.push(Field {
            kind: kind(document, member),
            needed: required.contains(&name.as_str()),
            about: text(&member["description"]),
            name: name_here.clone(),
        });
        let inner = bare(document, member);
        match inner.get("items") {
            Some(items) => fields(document, items, &format!("{name_here}[]."), into),
            None => fields(document, inner, &format!("{name_here}."), into),
        }
    }
}

/// "text", "whole number, 1 to 200", "append, update or replace", "list of whole numbers".
fn kind(document: &Value, schema: &Value) -> String {
    let schema = bare(document, schema);
    let null = |types: &Value| list(types).filter_map(Value::as_str).find(|word| *word != "null").map(str::to_owned);
    let word = schema["type"].as_str().map(str::to_owned).or_else(|| null(&schema["type"])).unwrap_or_default();
    let words: Vec<&str> = list(&schema["enum"]).filter_map(Value::as_str).collect();
    if let Some((last, others)) = words.split_last() {
        return if others.is_empty() { (*last).to_owned() } else { format!("{} or {last}", others.join(", ")) };
    }
    match (word.as_str(), schema["format"].as_str()) {
        ("string", Some("date-time")) => "instant".into(),
        ("string", Some("date")) => "date".into(),
        ("string", _) if schema.get("contentMediaType").is_some() => "file".into(),
        ("string", _) => "text".into(),
        ("boolean", _) => "true or false".into(),
        ("integer", _) => match (schema["minimum"].as_i64(), schema["maximum"].as_i64()) {
            (Some(least), Some(most)) => format!("whole number, {least} to {most}"),
            _ => "whole number".into(),
        },
        ("array", _) if schema.get("maxProperties").is_some() => "nothing yet".into(),
        ("array", _) => format!("list: {}", kind(document, &schema["items"])),
        (other, _) => other.to_owned(),
    }
}

fn curl(document: &Value, address: &str, method: &str, contents: &Value) -> String {
    let path: String =
        address.split('{').enumerate().fold(String::new(), |path, (i, part)| match part.split_once('}') {
            Some((_, rest)) if i > 0 => path + "7" + rest,
            _ => path + part,
        });
    let verb = if method == "GET" { String::new() } else { format!("-X {method} ") };
    let mut lines = format!("curl {verb}{path} \\\n  -H \"Authorization: Bearer $TOKEN\"");
    if contents.get("multipart/form-data").is_some() {
        lines.push_str(" \\\n  -F file=@sales.csv");
    } else if let Some(json) = contents.get("application/json") {
        let example = example(document, &json["schema"]);
        lines.push_str(&format!(" \\\n  -H \"Content-Type: application/json\" \\\n  -d '{example}'"));
    }
    lines
}

/// The members that are needed or have an example; of a change the first that has one.
fn example(document: &Value, schema: &Value) -> Value {
    let member = schema;
    let schema = bare(document, schema);
    if let Some(said) = list(&member["examples"]).chain(list(&schema["examples"])).find(|said| !said.is_null()) {
        return said.clone();
    }
    if let Some(properties) = schema["properties"].as_object() {
        let required: Vec<&str> = list(&schema["required"]).filter_map(Value::as_str).collect();
        let said = |name: &str, member: &Value| required.contains(&name) || !member["examples"][0].is_null();
        let shown = properties.iter().filter(|(name, member)| said(name, member));
        let most = if required.is_empty() { 1 } else { usize::MAX };
        let object: Map<String, Value> =
            shown.take(most).map(|(name, member)| (name.clone(), example(document, member))).collect();
        return Value::Object(object);
    }
    if let Some(word) = list(&schema["enum"]).next() {
        return word.clone();
    }
    match schema["type"].as_str().or(schema["type"][0].as_str()) {
        Some("boolean") => true.into(),
        Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or(7.into()),
        Some("array") => Value::Array(vec![example(document, &schema["items"])]),
        Some("object") => Value::Object(Map::new()),
        _ => "text".into(),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn members_of(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

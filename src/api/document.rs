//! The OpenAPI document: made from the addresses that are registered, the types of their handlers and the words of
//! `operations`. It describes no secrets; whoever has a token or is signed in may read it.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use actix_web::HttpResponse;
use actix_web::http::Method;
use actix_web::web::Bytes;
use serde_json::{Value, json};

use super::call::Call;
use super::once;
use super::operation::{Operation, Part};
use super::operations::{self, GROUPS};
use super::problem::{InvalidAnswer, Problem, ProblemAnswer};
use crate::members::Scope;
use crate::shape::{Described as _, Schemas};

/// Method and address of an operation, and what describes the rest of it.
pub type Described = (Method, &'static str, fn(&mut Operation));

/// Where every address of the API begins.
const BASE: &str = "/api/v1/";

/// The document, and as it is sent: one text for all who read it, however slowly.
static DOCUMENT: OnceLock<(Value, Bytes)> = OnceLock::new();

/// Makes the document, once for all workers of this process.
pub(super) fn publish(described: impl FnOnce() -> Vec<Described>) {
    DOCUMENT.get_or_init(|| {
        let document = document(&described());
        let text = document.to_string().into();
        (document, text)
    });
}

/// The document; null before the addresses are registered.
pub(super) fn get() -> &'static Value {
    DOCUMENT.get().map_or(&Value::Null, |(document, _)| document)
}

/// The document as it is sent.
pub struct Document;

impl actix_web::Responder for Document {
    type Body = actix_web::body::BoxBody;

    fn respond_to(self, _: &actix_web::HttpRequest) -> HttpResponse {
        let text = DOCUMENT.get().map(|(_, text)| text.clone()).unwrap_or_default();
        HttpResponse::Ok().content_type("application/json").body(text)
    }
}

impl Part for Document {
    fn describe(operation: &mut Operation) {
        let content = json!({ "application/json": { "schema": { "type": "object" } } });
        operation.answers.insert(200, json!({ "description": "The document.", "content": content }));
    }
}

/// `GET openapi.json`
pub async fn openapi(_: Call) -> Result<Document, Problem> {
    Ok(Document)
}

fn document(described: &[Described]) -> Value {
    let mut schemas = Schemas::default();
    let (problem, invalid) = (ProblemAnswer::schema(&mut schemas), InvalidAnswer::schema(&mut schemas));
    let mut paths: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (method, path, describe) in described {
        let path = path.strip_prefix(BASE).unwrap_or(path);
        let operation = operation(method, path, *describe, &mut schemas);
        paths.entry(format!("/{path}")).or_default().insert(method.as_str().to_lowercase(), operation);
    }
    let tags: Vec<Value> =
        GROUPS.iter().map(|(name, about, _)| json!({ "name": name, "description": about })).collect();
    let scopes: Vec<String> = Scope::ALL.iter().map(|scope| format!("`{scope}`")).collect();
    let token = format!(
        "A token from a member's account. It acts as that member, may be limited to scopes ({}), and may end on a day.",
        scopes.join(", ")
    );
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Tidegate",
            "version": "1",
            "description": "Everything the pages do, for programs. Instants are RFC 3339 in UTC; ids are whole numbers. In a body, \
                null means absent, and unknown fields are refused. A PATCH is a merge (RFC 7396): \
                null restores a default. A PATCH that changes nothing creates no new version.",
            "license": { "name": "MIT", "identifier": "MIT" },
        },
        "servers": [{ "url": BASE.trim_end_matches('/') }],
        "security": [{ "token": [] }],
        "tags": tags,
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer", "description": token } },
            "responses": refusals(&problem, &invalid),
            "schemas": schemas.0,
        },
    })
}

fn operation(method: &Method, path: &str, describe: fn(&mut Operation), schemas: &mut Schemas) -> Value {
    let mut told = Operation { schemas, parameters: Vec::new(), body: None, answers: BTreeMap::new() };
    describe(&mut told);
    let letters: Vec<&str> = path.split('{').skip(1).filter_map(|rest| rest.split('}').next()).collect();
    let mut parameters: Vec<Value> = letters
        .iter()
        .map(|letter| {
            json!({ "name": letter, "in": "path", "required": true, "description": operations::id(letter),
                "schema": { "type": "integer", "format": "int64" } })
        })
        .collect();
    parameters.append(&mut told.parameters);
    let mut header = |name: &str, about: &str| {
        parameters.push(json!({ "name": name, "in": "header", "required": false, "description": about,
            "schema": { "type": "string" } }));
    };
    let (posts, asks) = (*method == Method::POST, ["schedules/preview", "connections/{c}/test"].contains(&path));
    if posts && !asks {
        header(once::HEADER, "A request sent again with the same key within 24 hours is done only once.");
    }
    let versioned =
        (matches!(*method, Method::PATCH | Method::DELETE) && !path.contains("access")) || path.ends_with("/end");
    if versioned {
        header(
            "If-Match",
            "The version that you read, such as \"3\". If it has changed since, the request is refused with 412.",
        );
    }
    let mut may = vec![401, 403, 422, 503];
    may.extend((!letters.is_empty() || path == "runs").then_some(404));
    may.extend((*method != Method::GET && path != "schedules/preview").then_some(409));
    may.extend(versioned.then_some(412));
    may.extend((*method != Method::GET).then_some(413));
    may.extend(posts.then_some(429));
    let mut responses: BTreeMap<String, Value> =
        told.answers.into_iter().map(|(status, answer)| (status.to_string(), answer)).collect();
    for status in may {
        responses.insert(status.to_string(), json!({ "$ref": format!("#/components/responses/{status}") }));
    }
    let mut operation = json!({ "operationId": name(method, path), "parameters": parameters, "responses": responses });
    if let Some(body) = told.body {
        operation["requestBody"] = body;
    }
    for (tag, _, list) in GROUPS {
        for (_, _, scope, words) in list.iter().filter(|(verb, at, ..)| *verb == method.as_str() && *at == path) {
            operation["tags"] = json!([tag]);
            operation["summary"] = (*words).into();
            operation["description"] = format!("A token needs the scope `{scope}`.").into();
        }
    }
    operation
}

/// "get-applications-a-blocks".
fn name(method: &Method, path: &str) -> String {
    let words = path.split(['/', '.']).map(|part| part.trim_matches(['{', '}']));
    let mut name = method.as_str().to_lowercase();
    words.for_each(|word| {
        name.push('-');
        name.push_str(word);
    });
    name
}

fn refusals(problem: &Value, invalid: &Value) -> BTreeMap<String, Value> {
    let refusal = |(status, about, header): (u16, &str, Option<&str>)| {
        let schema = if status == 422 { invalid } else { problem };
        let content = json!({ "application/problem+json": { "schema": schema } });
        let mut answer = json!({ "description": about, "content": content });
        if let Some(header) = header {
            answer["headers"] = json!({ header: { "schema": { "type": "string" } } });
        }
        (status.to_string(), answer)
    };
    let list = [
        (401, "The token is missing, has ended, or is not valid any more.", Some("WWW-Authenticate")),
        (403, "You may see it but not do this. The detail says who can grant permission.", None),
        (404, "It does not exist, or you do not have access to it.", None),
        (
            409,
            "It is not possible right now: a name is taken, it is in use, or there are four schedules already.",
            None,
        ),
        (412, "Someone changed it after you read it.", None),
        (413, "The body is larger than 1 MiB.", None),
        (422, "The request has errors; `errors` lists them.", None),
        (429, "Too many requests: try again after this many seconds.", Some("Retry-After")),
        (503, "The database is busy or unavailable: try again after this many seconds.", Some("Retry-After")),
    ];
    list.into_iter().map(refusal).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_named_by_their_address() {
        assert_eq!(name(&Method::GET, "applications/{a}/blocks"), "get-applications-a-blocks");
        assert_eq!(name(&Method::GET, "runs/{r}/rejected-rows.csv"), "get-runs-r-rejected-rows-csv");
    }
}

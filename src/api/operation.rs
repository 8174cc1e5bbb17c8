//! One operation in the OpenAPI document, told by the types of its handler: what it takes stands among its arguments,
//! what it answers is its result.

use std::collections::BTreeMap;
use std::io::Write;

use actix_web::body::BoxBody;
use actix_web::web::Payload;
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde_json::{Value, json};

use super::body::{Body, Patch};
use super::call::{Call, Nothing};
use super::problem::Problem;
use super::reply::{Kind, Reply};
use crate::error::Result;
use crate::shape::{Described, Fields, Members, Object, Properties, Schemas};
use crate::web::download;

/// What is known of it.
pub struct Operation<'a> {
    pub schemas: &'a mut Schemas,
    pub parameters: Vec<Value>,
    pub body: Option<Value>,
    pub answers: BTreeMap<u16, Value>,
}

/// An argument or the result of a handler.
pub trait Part {
    fn describe(operation: &mut Operation);
}

impl<A: Part> Part for (A,) {
    fn describe(operation: &mut Operation) {
        A::describe(operation);
    }
}

impl<A: Part, B: Part> Part for (A, B) {
    fn describe(operation: &mut Operation) {
        A::describe(operation);
        B::describe(operation);
    }
}

impl<T: Part> Part for Result<T, Problem> {
    fn describe(operation: &mut Operation) {
        T::describe(operation);
    }
}

impl<Q: Fields> Part for Call<Q> {
    fn describe(operation: &mut Operation) {
        for (name, mut schema) in Properties::map::<Q>(operation.schemas) {
            let about = schema.as_object_mut().and_then(|schema| schema.remove("description")).unwrap_or_default();
            operation.parameters.push(json!({
                "name": name, "in": "query", "required": false, "description": about, "schema": given(schema),
            }));
        }
    }
}

/// A parameter is there or not; it is never null.
fn given(mut schema: Value) -> Value {
    if let Some(types) = schema.get("type").and_then(Value::as_array).cloned() {
        schema["type"] = types.into_iter().find(|word| word != "null").unwrap_or_default();
    }
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.retain(|word| !word.is_null());
    }
    schema
}

impl<T: Members> Part for Body<T> {
    fn describe(operation: &mut Operation) {
        if T::NAME == Nothing::NAME {
            return;
        }
        let required = !Properties::required::<T>(operation.schemas).is_empty();
        let schema = T::schema(operation.schemas);
        operation.body = Some(json!({ "required": required, "content": { "application/json": { "schema": schema } } }));
    }
}

impl<T: Members> Part for Body<Patch<T>> {
    fn describe(operation: &mut Operation) {
        let schema = operation.schemas.patch::<T>();
        operation.body = Some(json!({ "required": false, "content": { "application/json": { "schema": schema } } }));
    }
}

/// A file, as the body or as a part of a form.
impl Part for Payload {
    fn describe(operation: &mut Operation) {
        let file = json!({ "type": "string", "contentMediaType": "application/octet-stream" });
        let form = json!({
            "type": "object",
            "properties": { "file": file, "parameters": { "type": "string", "contentMediaType": "application/json" } },
            "required": ["file"],
        });
        operation.body = Some(json!({ "required": true, "content": {
            "multipart/form-data": { "schema": form }, "application/octet-stream": { "schema": file },
        }}));
    }
}

impl<K: Kind> Part for Reply<K> {
    fn describe(operation: &mut Operation) {
        let (about, mut headers) = match K::STATUS {
            201 => ("It was created.", Object::new()),
            202 => ("It was started.", Object::new()),
            204 => ("It was removed.", Object::new()),
            _ => ("The result.", Object::new()),
        };
        let mut header = |name: &str, about: &str| {
            headers.insert(name.into(), json!({ "description": about, "schema": { "type": "string" } }));
        };
        if matches!(K::STATUS, 201 | 202) {
            header("Location", "Its address.");
        }
        let mut answer = json!({ "description": about });
        if let Some(schema) = K::schema(operation.schemas) {
            if K::VERSIONED {
                header("ETag", "The version. Send it as If-Match with a change.");
            }
            answer["content"] = json!({ "application/json": { "schema": schema } });
        }
        if !headers.is_empty() {
            answer["headers"] = Value::Object(headers);
        }
        operation.answers.insert(K::STATUS, answer);
    }
}

/// A download of CSV.
pub struct Csv(HttpResponse);

/// One that is written while it is read.
pub fn csv<Q>(
    call: &Call<Q>,
    title: &str,
    write: impl FnOnce(&mut dyn Write) -> Result<()> + Send + 'static,
) -> Result<Csv, Problem> {
    Ok(Csv(download::csv((&call.app, call.by.member.id), title, write)?))
}

impl Responder for Csv {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

impl Part for Csv {
    fn describe(operation: &mut Operation) {
        let content = json!({ "text/csv": { "schema": { "type": "string" } } });
        operation.answers.insert(200, json!({ "description": "The rows.", "content": content }));
    }
}

/// JSON, or lines of text for who accepts only those.
pub enum OrText<K> {
    Json(Reply<K>),
    Text(String),
}

impl<K> Responder for OrText<K> {
    type Body = BoxBody;

    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        match self {
            Self::Json(reply) => reply.respond_to(request),
            Self::Text(text) => HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(text),
        }
    }
}

impl<K: Kind> Part for OrText<K> {
    fn describe(operation: &mut Operation) {
        Reply::<K>::describe(operation);
        if let Some(answer) = operation.answers.get_mut(&K::STATUS) {
            answer["content"]["text/plain"] = json!({ "schema": { "type": "string" } });
        }
    }
}

//! What an action answered, on its way out: kept as it is for a repeat of the same request. Its type says which status
//! it has and what it holds.

use std::marker::PhantomData;

use actix_web::body::BoxBody;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use actix_web::{HttpRequest, HttpResponse, Responder};
use serde::Serialize;
use serde_json::{Value, json};

use crate::shape::{Described, Schemas};

/// A status, where the thing is, and what it looks like.
#[derive(Clone, Debug)]
pub struct Reply<K> {
    pub status: u16,
    pub location: Option<String>,
    pub body: Option<Value>,
    kind: PhantomData<fn() -> K>,
}

/// What sort of answer it is.
pub trait Kind {
    const STATUS: u16;
    /// Whether it is tagged with its version.
    const VERSIONED: bool = true;
    fn schema(schemas: &mut Schemas) -> Option<Value>;
}

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $name:ident $status:literal),+) => {
        $($(#[doc = $doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name<T>(PhantomData<T>);

        impl<T: Described> Kind for $name<T> {
            const STATUS: u16 = $status;

            fn schema(schemas: &mut Schemas) -> Option<Value> {
                Some(T::schema(schemas))
            }
        })+
    };
}

kinds! {
    /// 200.
    Shown 200,
    /// 201: made, and found at an address.
    Made 201,
    /// 202: begun.
    Begun 202
}

/// 204: gone.
#[derive(Clone, Copy, Debug)]
pub struct Gone;

impl Kind for Gone {
    const STATUS: u16 = 204;

    fn schema(_: &mut Schemas) -> Option<Value> {
        None
    }
}

impl<K> Reply<K> {
    /// As it was kept.
    pub fn kept(status: u16, location: Option<String>, body: Option<Value>) -> Self {
        Self { status, location, body, kind: PhantomData }
    }
}

impl<T: Serialize> Reply<Shown<T>> {
    pub fn ok(body: T) -> Self {
        Self::kept(200, None, Some(json!(body)))
    }
}

impl<T: Serialize> Reply<Made<T>> {
    /// Found at `/api/v1/<address>`.
    pub fn created(address: String, body: T) -> Self {
        Self::kept(201, Some(format!("/api/v1/{address}")), Some(json!(body)))
    }
}

impl<T: Serialize> Reply<Begun<T>> {
    /// Found at `/api/v1/<address>`.
    pub fn accepted(address: String, body: T) -> Self {
        Self::kept(202, Some(format!("/api/v1/{address}")), Some(json!(body)))
    }
}

impl Reply<Gone> {
    pub fn gone() -> Self {
        Self::kept(204, None, None)
    }
}

/// A body with a version is tagged with it, for `If-Match`.
impl<K> Responder for Reply<K> {
    type Body = BoxBody;

    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK));
        if let Some(location) = &self.location {
            response.insert_header((LOCATION, location.as_str()));
        }
        let Some(body) = self.body else { return response.finish() };
        if let Some(version) = body.get("version").and_then(Value::as_i64) {
            response.insert_header((ETAG, format!("\"{version}\"")));
        }
        response.content_type("application/json").body(body.to_string())
    }
}

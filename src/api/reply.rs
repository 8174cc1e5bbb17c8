//! What an action answered, on its way out: kept as it is for a repeat of the same request.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::{ETAG, LOCATION};
use serde_json::Value;

/// A status, where the thing is, and what it looks like.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub status: u16,
    pub location: Option<String>,
    pub body: Option<Value>,
}

impl Reply {
    /// 200.
    pub fn ok(body: Value) -> Self {
        Self { status: 200, location: None, body: Some(body) }
    }

    /// 201: made, and found at `/api/v1/<address>`.
    pub fn created(address: String, body: Value) -> Self {
        Self { status: 201, location: Some(format!("/api/v1/{address}")), body: Some(body) }
    }

    /// 202: begun.
    pub fn accepted(address: String, body: Value) -> Self {
        Self { status: 202, ..Self::created(address, body) }
    }

    /// 204: gone.
    pub fn gone() -> Self {
        Self { status: 204, location: None, body: None }
    }

    /// A body with a version is tagged with it, for `If-Match`.
    pub fn response(&self) -> HttpResponse {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let mut response = HttpResponse::build(status);
        if let Some(location) = &self.location {
            response.insert_header((LOCATION, location.as_str()));
        }
        let Some(body) = &self.body else { return response.finish() };
        if let Some(version) = body.get("version").and_then(Value::as_i64) {
            response.insert_header((ETAG, format!("\"{version}\"")));
        }
        response.content_type("application/json").body(body.to_string())
    }
}

//! Sessions: a random cookie whose hash stands in the database, so that any process can end it. They last 14 days,
//! and for Administrators at most 24 hours without a request.

use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest};
use chrono::Duration;
use futures_util::Future;

use super::model::{By, Channel};
use super::store::{self, sessions, tokens};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::secrets;
use crate::web::csrf;

const ADMINISTRATOR_IDLE_HOURS: i64 = 24;
/// `seen_at` is written at most so often, not with every request.
const SEEN_EVERY_SECONDS: i64 = 60;

fn resume(conn: &mut Conn, token: &str, now: Moment) -> Result<By> {
    let session = sessions::find(conn, token, now)?.ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, session.member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    let idle = now.since(session.seen_at);
    if member.is_administrator() && idle > Duration::hours(ADMINISTRATOR_IDLE_HOURS) {
        return Err(AppError::SignedOut);
    }
    if idle > Duration::seconds(SEEN_EVERY_SECONDS) {
        sessions::seen(conn, session.id, now)?;
    }
    Ok(By::page(member))
}

fn authenticate(conn: &mut Conn, token: &str, now: Moment) -> Result<(i64, By)> {
    let token = tokens::find(conn, token, now)?.ok_or(AppError::SignedOut)?;
    let member = store::by_id(conn, token.member_id)?.filter(|m| m.active).ok_or(AppError::SignedOut)?;
    if token.last_used_at.is_none_or(|at| now.since(at) > Duration::seconds(SEEN_EVERY_SECONDS)) {
        tokens::used(conn, token.id, now)?;
    }
    Ok((token.id, By { member, channel: Channel::Token, scopes: token.scopes }))
}

/// Extractor: the member whose session the request's cookie names.
pub struct SignedIn(pub By);

/// Extractor: the member whose API token the request carries. Cookies do not count.
pub struct Bearer {
    pub by: By,
    pub token_id: i64,
    /// Made from the token itself, and kept nowhere: for fingerprints that nobody without the token can make.
    pub proof: String,
}

impl FromRequest for SignedIn {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let request = request.clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let secure = app.base_url.scheme() == "https";
            let token = csrf::session_value(&request, secure).ok_or(AppError::SignedOut)?;
            let now = app.now();
            app.read(move |conn| resume(conn, &token, now)).await.map(SignedIn)
        })
    }
}

impl FromRequest for Bearer {
    type Error = AppError;
    type Future = Pin<Box<dyn Future<Output = Result<Self>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let token = request
            .headers()
            .get("Authorization")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.strip_prefix("Bearer "))
            .map(str::to_owned);
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let token = token.ok_or(AppError::SignedOut)?;
            let now = app.now();
            let proof = secrets::hash("proof", &token);
            let (token_id, by) = app.read(move |conn| authenticate(conn, &token, now)).await?;
            Ok(Bearer { by, token_id, proof })
        })
    }
}

//! What holds for every request, whatever its handler: the header set, the guard against forged requests, the way to
//! the sign-in page when a session ended, what was refused. What is no HTTP at all never comes here: the parser answers it
//! with a bare 400 or 431, which has no body that a header could guard, and closes the connection.

use actix_web::body::{BoxBody, EitherBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};
use actix_web::middleware::Next;
use actix_web::web::{Bytes, Data};
use actix_web::{Error, HttpMessage, HttpResponse, ResponseError};
use futures_util::StreamExt;

use super::errors::Said;
use super::{Flash, Shell, arrival, client_address, csrf, network, untrusted_proxy};
use crate::app::App;
use crate::error::AppError;
use crate::going::{Acting, Refused};

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                      font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Only addresses that end like this take a file. Their handler reads it with `Upload`, which checks the token in the
/// form; everywhere else a body whose token the guard cannot read is refused.
const UPLOADS: &str = "/files";

/// The largest body of an ordinary form: half a megabyte of text, three bytes for each of its own.
const FORM_LIMIT: usize = 2 << 20;

/// Left with a request that is refused until its member was at this page.
#[derive(Clone, Copy)]
pub struct Detour(pub &'static str);

/// Wraps every request to the server.
pub async fn guard(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let secure = request.app_data::<Data<App>>().is_some_and(|app| app.base_url.scheme() == "https");
    let path = request.path().to_owned();
    let api = path.starts_with("/api/");
    let for_htmx = request.headers().contains_key("HX-Request");
    let get = matches!(*request.method(), Method::GET | Method::HEAD);
    let address = request.uri().path_and_query().map(|p| p.as_str().to_owned()).unwrap_or_default();

    let mut request = request;
    if request.method() == Method::HEAD {
        // Answered like GET; the body is left out when the answer is written.
        request.head_mut().method = Method::GET;
    }
    note_proxy(&request);
    let refused = if api { None } else { check_origin(&mut request, secure).await.err() };
    // Whose session ended while the page was open is told so, and can go on; without a session nothing is forged.
    let ended = for_htmx && csrf::session_value(request.request(), secure).is_none();
    let refused = refused.map(|error| if ended { AppError::SignedOut } else { error });
    let mut response = match refused {
        Some(error) => request.into_response(error.error_response()).map_into_right_body(),
        None => next.call(request).await?.map_into_left_body(),
    };
    let detour = response.request().extensions().get::<Detour>().copied();
    if let Some(Detour(to)) = detour.filter(|_| response.status() == StatusCode::FORBIDDEN && !for_htmx) {
        let (request, _) = response.into_parts();
        let answer = HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish();
        response = ServiceResponse::new(request, answer).map_into_right_body();
    } else if detour.is_none() {
        note_refusal(&response, api);
    }
    // A fragment answers a bare 401: the page says that the session ended and keeps what was typed.
    if response.status() == StatusCode::UNAUTHORIZED && !api && !for_htmx {
        let next_page = if get { address } else { "/".to_owned() };
        let to = format!("/sign-in?next={}", super::page::encode(&next_page));
        let answer = HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish();
        let (request, _) = response.into_parts();
        response = ServiceResponse::new(request, answer).map_into_right_body();
    }
    let mut response = if for_htmx { response } else { within_shell(response) };
    if secure {
        Flash::secure(response.headers_mut());
    }
    set_headers(response.headers_mut(), secure, path.starts_with("/static/"));
    Ok(response)
}

/// Behind a proxy that is not trusted, everybody comes from one address: who guesses there keeps all of them out.
fn note_proxy(request: &ServiceRequest) {
    let Some(app) = request.app_data::<Data<App>>() else { return };
    if let Some(peer) = untrusted_proxy(request.request(), &app.config)
        && app.forwarded.note(peer, app.now())
    {
        let peer = peer.to_string();
        tracing::warn!(
            peer,
            "X-Forwarded-For came from an address that is not in --trusted-proxy and was ignored; add the address if it \
             is your proxy"
        );
    }
}

/// Keeps who was refused what for the audit log.
fn note_refusal<B>(response: &ServiceResponse<B>, api: bool) {
    let request = response.request();
    let Some(app) = request.app_data::<Data<App>>() else { return };
    let action = match response.status() {
        StatusCode::FORBIDDEN => "request.refused",
        // To whoever may not see a thing it is not there. Both are kept, of members: which it was is said nowhere.
        StatusCode::NOT_FOUND if request.extensions().get::<Acting>().is_some() => "request.not_found_refused",
        StatusCode::UNAUTHORIZED if api && request.headers().contains_key(header::AUTHORIZATION) => "token.refused",
        _ => return,
    };
    let acting = request.extensions().get::<Acting>().cloned();
    let from = network(client_address(request, &app.config));
    let (member, channel) = match acting {
        Some(acting) => (Some(acting.member), acting.channel),
        None => (None, if api { "token" } else { "page" }),
    };
    let path: String = without_tokens(request.path()).chars().take(200).collect();
    app.refusals.note(Refused { action, member, channel, from }, format!("{} {path}", request.method()), app.now());
}

/// A part of an address that is as long as a token may open a door, and many may read the audit log.
fn without_tokens(path: &str) -> String {
    path.split('/').map(|part| if part.len() < 40 { part } else { "…" }).collect::<Vec<_>>().join("/")
}

/// Whoever is signed in keeps the way around when something goes wrong. The shell is left with the request by what
/// found out who asks.
fn within_shell<B: MessageBody>(response: ServiceResponse<EitherBody<B>>) -> ServiceResponse<EitherBody<B>> {
    let shell = response.request().extensions().get::<Shell>().cloned();
    let said = response.response().extensions().get::<Said>().cloned();
    match (shell, said) {
        (Some(shell), Some(said)) => response.map_body(|_, _| EitherBody::right(BoxBody::new(said.within(shell)))),
        _ => response,
    }
}

fn set_headers(headers: &mut header::HeaderMap, secure: bool, is_static: bool) {
    let mut set = |name: &'static str, value: &'static str| {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    };
    set("content-security-policy", POLICY);
    set("x-content-type-options", "nosniff");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    if secure {
        set("strict-transport-security", "max-age=31536000");
    }
    if !is_static {
        set("vary", "HX-Request, Sec-Fetch-Site, Origin, Cookie");
    }
    // What a program keeps and asks for again, like a calendar, says so itself.
    if !is_static && !headers.contains_key(header::CACHE_CONTROL) {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
}

/// Refuses an unsafe request that our own pages did not send. The token stands in a header (htmx) or in the form; an
/// upload is read by its handler, which checks the field itself (`Upload`).
async fn check_origin(request: &mut ServiceRequest, secure: bool) -> Result<(), AppError> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    if !csrf::same_site(request, if secure { "https" } else { "http" }) {
        return Err(forged());
    }
    let kind = request.content_type().to_ascii_lowercase();
    let is_upload = kind == "multipart/form-data" && request.path().ends_with(UPLOADS);
    // Whatever the header holds decides: `Upload` takes its mere presence for our word that it was right.
    if let Some(token) = request.headers().get(csrf::HEADER) {
        if !token.to_str().is_ok_and(|token| csrf::matches(request.request(), secure, token)) {
            return Err(forged());
        }
        if !is_upload {
            // Who asks is looked up once all is there: a body that is held back outlives no right.
            let body = read_form(request).await?;
            request.set_payload(Payload::from(body));
        }
        return Ok(());
    }
    if is_upload {
        return Ok(());
    }
    if kind != "application/x-www-form-urlencoded" {
        return Err(forged());
    }
    let body = read_form(request).await?;
    let token = serde_html_form::from_bytes::<Vec<(String, String)>>(&body)
        .unwrap_or_default()
        .into_iter()
        .find_map(|(name, value)| (name == csrf::FIELD).then_some(value));
    request.set_payload(Payload::from(body));
    match token {
        Some(token) if csrf::matches(request.request(), secure, &token) => Ok(()),
        _ => Err(forged()),
    }
}

async fn read_form(request: &mut ServiceRequest) -> Result<Bytes, AppError> {
    let mut payload = request.take_payload();
    let body = async {
        let mut body = Vec::new();
        while let Some(chunk) = payload.next().await {
            body.extend_from_slice(&chunk.map_err(|_| AppError::invalid("form", "the form arrived incomplete"))?);
            if body.len() > FORM_LIMIT {
                return Err(AppError::invalid("form", "the form is too large"));
            }
        }
        Ok(body.into())
    };
    arrival::soon(request.request(), body).await?
}

/// The answer to a request that did not come from one of our pages, or from one whose session has since ended.
pub fn forged() -> AppError {
    AppError::Forbidden(
        "This form was opened before you signed in or out, or it did not come from this site. \
         Open the page again and repeat what you did."
            .into(),
    )
}

//! Static files, compiled into the binary. Their address carries a hash of their content, so browsers may keep them
//! for ever and an old tab never meets a new script.
//!
//! `app.js` is served behind htmx as one file: two deferred files race, and htmx must be there first.

use std::sync::OnceLock;

use actix_web::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::Embed;
use sha2::{Digest, Sha256};

use crate::words;

#[derive(Embed)]
#[folder = "static/"]
struct Files;

/// A short hash over all of them: the `?v=` of every address.
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| {
        let mut names: Vec<_> = Files::iter().collect();
        names.sort();
        let digest = names
            .iter()
            .filter_map(|name| Files::get(name))
            .fold(Sha256::new(), |sum, file| sum.chain_update(file.metadata.sha256_hash()))
            .finalize();
        words::hex(&digest[..6])
    })
}

/// `GET /static/{name}`
pub async fn serve(request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    let Some(file) = Files::get(&name) else {
        return HttpResponse::NotFound().finish();
    };
    let mut data = file.data;
    if name.as_str() == "app.js"
        && let Some(htmx) = Files::get("vendor/htmx.min.js")
    {
        data = [&htmx.data[..], b"\n", &data[..]].concat().into();
    }
    let tag = format!("\"{}\"", version());
    if request.headers().get(IF_NONE_MATCH).is_some_and(|given| given.as_bytes() == tag.as_bytes()) {
        return HttpResponse::NotModified().finish();
    }
    let kind = match name.rsplit('.').next() {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    };
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, kind))
        .insert_header((CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((ETAG, tag))
        .body(data)
}

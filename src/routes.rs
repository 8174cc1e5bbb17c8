//! Every address of the server, one line each, grouped by room.

use actix_web::web::{ServiceConfig, get};

use crate::web;

/// The pages and their fragments, when this process serves pages.
pub fn pages(routes: &mut ServiceConfig) {
    routes.route("/static/{name:.*}", get().to(web::assets::serve));
}

/// What every process answers.
pub fn health(routes: &mut ServiceConfig) {
    routes.route("/healthz", get().to(crate::server::healthz));
    routes.route("/readyz", get().to(crate::server::readyz));
}

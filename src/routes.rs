//! Every address of the server, one line each, grouped by room.

use actix_web::web::{ServiceConfig, get, post};

use crate::applications::blocks::pages as blocks;
use crate::web;

/// The pages and their fragments, when this process serves pages.
pub fn pages(routes: &mut ServiceConfig) {
    routes.route("/static/{name:.*}", get().to(web::assets::serve));

    // Blocks
    routes.route("/applications/{a}/blocks", get().to(blocks::list));
    routes.route("/applications/{a}/blocks/new", get().to(blocks::new_form));
    routes.route("/applications/{a}/blocks/new", post().to(blocks::create));
    routes.route("/applications/{a}/blocks/{b}", get().to(blocks::show));
    routes.route("/applications/{a}/blocks/{b}/rows.csv", get().to(blocks::rows_csv));
    routes.route("/applications/{a}/blocks/{b}/edit", get().to(blocks::edit_form));
    routes.route("/applications/{a}/blocks/{b}/edit", post().to(blocks::change));
    routes.route("/applications/{a}/blocks/{b}/delete", get().to(blocks::delete_form));
    routes.route("/applications/{a}/blocks/{b}/delete", post().to(blocks::delete));
}

/// What every process answers.
pub fn health(routes: &mut ServiceConfig) {
    routes.route("/healthz", get().to(crate::server::healthz));
    routes.route("/readyz", get().to(crate::server::readyz));
}

//! Every address of the REST API, one line each, grouped by noun.

use actix_web::web::ServiceConfig;

use crate::api;
use crate::api::address::{Addresses, delete, get, patch, post, put};

/// The REST addresses, when this process serves pages. What comes first matches first.
pub fn api(server: &mut ServiceConfig) {
    let mut routes = Addresses::default();

    // Members
    routes.route("/api/v1/members", get().to(api::members::list));
    routes.route("/api/v1/members", post().to(api::members::create));
    routes.route("/api/v1/members/{m}", get().to(api::members::show));
    routes.route("/api/v1/members/{m}", patch().to(api::members::update));
    routes.route("/api/v1/roles", get().to(api::roles::list));
    routes.route("/api/v1/roles", post().to(api::roles::create));
    routes.route("/api/v1/roles/{role}", get().to(api::roles::show));
    routes.route("/api/v1/roles/{role}", patch().to(api::roles::update));
    routes.route("/api/v1/roles/{role}", delete().to(api::roles::delete));
    routes.route("/api/v1/groups", get().to(api::groups::list));
    routes.route("/api/v1/groups", post().to(api::groups::create));
    routes.route("/api/v1/groups/{group}", get().to(api::groups::show));
    routes.route("/api/v1/groups/{group}", patch().to(api::groups::update));
    routes.route("/api/v1/groups/{group}", delete().to(api::groups::delete));

    // Applications
    routes.route("/api/v1/applications", get().to(api::applications::list));
    routes.route("/api/v1/applications", post().to(api::applications::create));
    routes.route("/api/v1/applications/{a}", get().to(api::applications::show));
    routes.route("/api/v1/applications/{a}", patch().to(api::applications::update));
    routes.route("/api/v1/applications/{a}", delete().to(api::applications::delete));
    routes.route("/api/v1/applications/{a}/clone", post().to(api::applications::clone));
    routes.route("/api/v1/applications/{a}/promotions", post().to(api::promotions::promote));
    routes.route("/api/v1/applications/{a}/refresh", post().to(api::applications::refresh));
    routes.route("/api/v1/applications/{a}/reset", post().to(api::applications::reset));
    routes.route("/api/v1/applications/{a}/access/{m}", put().to(api::applications::give_access));
    routes.route("/api/v1/applications/{a}/access/{m}", delete().to(api::applications::take_access));
    routes.route("/api/v1/applications/{a}/group-access/{group}", put().to(api::groups::give_access));
    routes.route("/api/v1/applications/{a}/group-access/{group}", delete().to(api::groups::take_access));

    // Blocks
    routes.route("/api/v1/applications/{a}/blocks", get().to(api::blocks::list));
    routes.route("/api/v1/applications/{a}/blocks", post().to(api::blocks::create));
    routes.route("/api/v1/blocks/{b}", get().to(api::blocks::show));
    routes.route("/api/v1/blocks/{b}", patch().to(api::blocks::update));
    routes.route("/api/v1/blocks/{b}", delete().to(api::blocks::delete));
    routes.route("/api/v1/blocks/{b}/rows", get().to(api::blocks::rows));
    routes.route("/api/v1/blocks/{b}/rows.csv", get().to(api::blocks::rows_csv));
    routes.route("/api/v1/blocks/{b}/contents", get().to(api::blocks::contents));
    routes.route("/api/v1/blocks/{b}/restore", post().to(api::blocks::restore));

    // Connections
    routes.route("/api/v1/connections", get().to(api::connections::list));
    routes.route("/api/v1/connections", post().to(api::connections::create));
    routes.route("/api/v1/connections/{c}", get().to(api::connections::show));
    routes.route("/api/v1/connections/{c}", patch().to(api::connections::update));
    routes.route("/api/v1/connections/{c}", delete().to(api::connections::delete));
    routes.route("/api/v1/connections/{c}/test", post().to(api::connections::test));

    // Import configurations
    routes.route("/api/v1/applications/{a}/import-configurations", get().to(api::configurations::list));
    routes.route("/api/v1/applications/{a}/import-configurations", post().to(api::configurations::create));
    routes.route("/api/v1/import-configurations/{i}", get().to(api::configurations::show));
    routes.route("/api/v1/import-configurations/{i}", patch().to(api::configurations::update));
    routes.route("/api/v1/import-configurations/{i}", delete().to(api::configurations::delete));
    routes.route("/api/v1/import-configurations/{i}/runs", post().to(api::configurations::run));
    routes.route("/api/v1/import-configurations/{i}/files", post().to(api::configurations::run_with_file));
    routes.route("/api/v1/import-configurations/{i}/test-run", post().to(api::test_runs::test));
    routes.route("/api/v1/import-configurations/{i}/ready-by", get().to(api::promises::show));
    routes.route("/api/v1/import-configurations/{i}/ready-by", put().to(api::promises::set));
    routes.route("/api/v1/import-configurations/{i}/ready-by", delete().to(api::promises::remove));

    // Import sets
    routes.route("/api/v1/applications/{a}/import-sets", get().to(api::import_sets::list));
    routes.route("/api/v1/applications/{a}/import-sets", post().to(api::import_sets::create));
    routes.route("/api/v1/import-sets/{set}", get().to(api::import_sets::show));
    routes.route("/api/v1/import-sets/{set}", patch().to(api::import_sets::update));
    routes.route("/api/v1/import-sets/{set}", delete().to(api::import_sets::delete));
    routes.route("/api/v1/import-sets/{set}/runs", post().to(api::import_sets::run));
    routes.route("/api/v1/import-sets/{set}/ready-by", get().to(api::promises::show_of_set));
    routes.route("/api/v1/import-sets/{set}/ready-by", put().to(api::promises::set_of_set));
    routes.route("/api/v1/import-sets/{set}/ready-by", delete().to(api::promises::remove_of_set));

    // Kept files
    routes.route("/api/v1/applications/{a}/kept-files", get().to(api::kept_files::list));
    routes.route("/api/v1/applications/{a}/kept-files", post().to(api::kept_files::create));
    routes.route("/api/v1/kept-files/{kept}", get().to(api::kept_files::show));
    routes.route("/api/v1/kept-files/{kept}", put().to(api::kept_files::replace));
    routes.route("/api/v1/kept-files/{kept}", delete().to(api::kept_files::delete));

    // Notifications
    routes.route("/api/v1/notifications", get().to(api::notifications::list));
    routes.route("/api/v1/notifications/{n}", patch().to(api::notifications::update));

    // Audit log
    routes.route("/api/v1/audit", get().to(api::audit::list));

    // Translations
    routes.route("/api/v1/applications/{a}/translations", get().to(api::translations::list));
    routes.route("/api/v1/applications/{a}/translations", post().to(api::translations::create));
    routes.route("/api/v1/translations/{t}", get().to(api::translations::show));
    routes.route("/api/v1/translations/{t}", patch().to(api::translations::update));
    routes.route("/api/v1/translations/{t}", delete().to(api::translations::delete));

    // Schedules
    routes.route("/api/v1/applications/{a}/schedules", get().to(api::schedules::list));
    routes.route("/api/v1/applications/{a}/schedules", post().to(api::schedules::create));
    routes.route("/api/v1/schedules/preview", post().to(api::previews::preview));
    routes.route("/api/v1/schedules/{s}", get().to(api::schedules::show));
    routes.route("/api/v1/schedules/{s}", patch().to(api::schedules::update));
    routes.route("/api/v1/schedules/{s}", delete().to(api::schedules::delete));
    routes.route("/api/v1/schedules/{s}/copy", post().to(api::schedules::copy));
    routes.route("/api/v1/schedules/{s}/take-ownership", post().to(api::schedules::take_ownership));
    routes.route("/api/v1/schedules/{s}/occurrences", get().to(api::previews::occurrences));

    // Freezes
    routes.route("/api/v1/applications/{a}/freezes", get().to(api::freezes::list));
    routes.route("/api/v1/applications/{a}/freezes", post().to(api::freezes::create));
    routes.route("/api/v1/freezes/{f}", get().to(api::freezes::show));
    routes.route("/api/v1/freezes/{f}", patch().to(api::freezes::update));
    routes.route("/api/v1/freezes/{f}", delete().to(api::freezes::delete));
    routes.route("/api/v1/freezes/{f}/end", post().to(api::freezes::end));

    // Runs
    routes.route("/api/v1/runs", get().to(api::runs::list));
    routes.route("/api/v1/runs/{r}", get().to(api::runs::show));
    routes.route("/api/v1/runs/{r}/rejected-rows.csv", get().to(api::runs::rejected_rows));
    routes.route("/api/v1/runs/{r}/log", get().to(api::runs::log));
    routes.route("/api/v1/runs/{r}/cancel", post().to(api::runs::cancel));
    routes.route("/api/v1/runs/{r}/files", post().to(api::runs::give_corrected));
    routes.route("/api/v1/runs/{r}/again", post().to(api::runs::again));
    routes.route("/api/v1/runs/{r}/approve", post().to(api::runs::approve));
    routes.route("/api/v1/runs/{r}/reject", post().to(api::runs::reject));

    // Of itself
    routes.route("/api/v1/openapi.json", get().to(api::document::openapi));

    routes.register(server);
}

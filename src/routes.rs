//! Every address of the server, one line each, grouped by room; those of members in a file of their own.

mod door;

use actix_web::web::{ServiceConfig, get, post};

use crate::api;
use crate::applications::blocks::pages as blocks;
use crate::applications::pages as applications;
use crate::connections::pages as connections;
use crate::environments::pages as environments;
use crate::feeds::pages as feeds;
use crate::files::pages as files;
use crate::freezes::pages as freezes;
use crate::import_scheduling as scheduling;
use crate::import_sets::pages as sets;
use crate::imports::pages as imports;
use crate::notifications::pages as notifications;
use crate::ownership::pages as ownership;
use crate::translations::pages as translations;
use crate::{audit_log, health, overview, web};

/// The pages and their fragments, when this process serves pages.
pub fn pages(routes: &mut ServiceConfig) {
    routes.route("/static/{name:.*}", get().to(web::assets::serve));

    door::door(routes);

    // Ownership
    routes.route("/ownership", get().to(ownership::list));
    routes.route("/ownership/hand-over", get().to(ownership::hand_over_form));
    routes.route("/ownership/hand-over", post().to(ownership::hand_over));
    routes.route("/ownership/{hand}/undo", post().to(ownership::undo));

    // The REST API, for people to look at
    routes.route("/rest-api", get().to(api::reference::page));
    routes.route("/rest-api/openapi.json", get().to(api::reference::download));

    // Applications
    routes.route("/", get().to(overview::workspace));
    routes.route("/applications", get().to(overview::workspace));
    routes.route("/applications", post().to(applications::create));
    routes.route("/applications/new", get().to(applications::new_form));
    routes.route("/applications/{a}", get().to(overview::application));
    routes.route("/applications/{a}/settings", get().to(applications::general));
    routes.route("/applications/{a}/settings", post().to(applications::save));
    routes.route("/applications/{a}/archive", get().to(applications::archive_form));
    routes.route("/applications/{a}/archive", post().to(applications::archive));
    routes.route("/applications/{a}/settings/members", get().to(applications::access));
    routes.route("/applications/{a}/settings/members/{m}", post().to(applications::save_access));
    routes.route("/settings/environment", get().to(environments::standing));
    routes.route("/settings/environment", post().to(environments::confirm));
    routes.route("/applications/{a}/settings/environment", get().to(environments::show));
    routes.route("/applications/{a}/clone", get().to(environments::clone_form));
    routes.route("/applications/{a}/clone", post().to(environments::clone));
    routes.route("/applications/{a}/refresh", get().to(environments::refresh_form));
    routes.route("/applications/{a}/refresh", post().to(environments::refresh));
    routes.route("/applications/{a}/reset", get().to(environments::reset_form));
    routes.route("/applications/{a}/reset", post().to(environments::reset));
    routes.route("/applications/{a}/settings/import-scheduling/review", get().to(environments::review));
    routes.route("/applications/{a}/settings/import-scheduling/review", post().to(environments::turn_on));

    // Blocks
    routes.route("/applications/{a}/blocks", get().to(blocks::list));
    routes.route("/applications/{a}/blocks/new", get().to(blocks::new_form));
    routes.route("/applications/{a}/blocks/new", post().to(blocks::create));
    routes.route("/applications/{a}/blocks/{b}", get().to(blocks::show));
    routes.route("/applications/{a}/blocks/{b}/rows.csv", get().to(blocks::rows_csv));
    routes.route("/applications/{a}/blocks/{b}/rows/{row}", get().to(scheduling::origin::show));
    routes.route("/applications/{a}/blocks/{b}/restore/{r}", get().to(scheduling::restoring::form));
    routes.route("/applications/{a}/blocks/{b}/restore/{r}", post().to(scheduling::restoring::restore));
    routes.route("/applications/{a}/blocks/{b}/edit", get().to(blocks::edit_form));
    routes.route("/applications/{a}/blocks/{b}/edit", post().to(blocks::change));
    routes.route("/applications/{a}/blocks/{b}/delete", get().to(blocks::delete_form));
    routes.route("/applications/{a}/blocks/{b}/delete", post().to(blocks::delete));

    // Import configurations
    routes.route("/applications/{a}/settings/import-configurations", get().to(imports::list));
    routes.route("/applications/{a}/settings/import-configurations/new", get().to(imports::begin));
    routes.route("/applications/{a}/settings/import-configurations/new/files", post().to(imports::sourced));
    routes.route("/applications/{a}/settings/import-configurations/new/preview", post().to(imports::previewed));
    routes.route("/applications/{a}/settings/import-configurations/new/mapping", post().to(imports::mapped));
    routes.route("/applications/{a}/settings/import-configurations/{i}", get().to(imports::show));
    routes.route("/applications/{a}/settings/import-configurations/{i}", post().to(imports::change));
    routes.route("/applications/{a}/settings/import-configurations/{i}/when", get().to(imports::when));
    routes.route("/applications/{a}/settings/import-configurations/{i}/test-run", get().to(imports::test_form));
    routes.route("/applications/{a}/settings/import-configurations/{i}/test-run", post().to(imports::test));
    routes.route(
        "/applications/{a}/settings/import-configurations/{i}/test-run/files",
        post().to(imports::test_with_file),
    );
    routes.route("/applications/{a}/settings/import-configurations/{i}/delete", get().to(imports::delete_form));
    routes.route("/applications/{a}/settings/import-configurations/{i}/delete", post().to(imports::delete));

    // Import sets
    routes.route("/applications/{a}/settings/import-sets", get().to(sets::list));
    routes.route("/applications/{a}/settings/import-sets/new", get().to(sets::new_form));
    routes.route("/applications/{a}/settings/import-sets/new", post().to(sets::create));
    routes.route("/applications/{a}/settings/import-sets/preview", post().to(sets::preview));
    routes.route("/applications/{a}/settings/import-sets/{set}", get().to(sets::edit_form));
    routes.route("/applications/{a}/settings/import-sets/{set}", post().to(sets::update));
    routes.route("/applications/{a}/settings/import-sets/{set}/steps/{position}", get().to(sets::values_form));
    routes.route("/applications/{a}/settings/import-sets/{set}/steps/{position}", post().to(sets::save_values));
    routes.route("/applications/{a}/settings/import-sets/{set}/copy", post().to(sets::copy));
    routes.route("/applications/{a}/settings/import-sets/{set}/delete", get().to(sets::delete_form));
    routes.route("/applications/{a}/settings/import-sets/{set}/delete", post().to(sets::delete));
    // Kept files
    routes.route("/applications/{a}/settings/kept-files", get().to(files::list));
    routes.route("/applications/{a}/settings/kept-files/files", get().to(files::list));
    routes.route("/applications/{a}/settings/kept-files/files", post().to(files::keep));
    routes.route("/applications/{a}/settings/kept-files/{kept}", get().to(files::show));
    routes.route("/applications/{a}/settings/kept-files/{kept}/files", get().to(files::show));
    routes.route("/applications/{a}/settings/kept-files/{kept}/files", post().to(files::replace));
    routes.route("/applications/{a}/settings/kept-files/{kept}/versions/{version}", get().to(files::download));
    routes.route("/applications/{a}/settings/kept-files/{kept}/delete", get().to(files::delete_form));
    routes.route("/applications/{a}/settings/kept-files/{kept}/delete", post().to(files::delete));

    // Notifications
    routes.route("/notifications", get().to(notifications::inbox));
    routes.route("/notifications", post().to(notifications::mark_all));
    routes.route("/notifications/bell", get().to(notifications::bell));
    routes.route("/notifications/settings", get().to(notifications::settings));
    routes.route("/notifications/settings", post().to(notifications::save_settings));
    routes.route("/notifications/{n}", post().to(notifications::mark));
    routes.route("/settings/slack", get().to(notifications::slack::show));
    routes.route("/settings/slack", post().to(notifications::slack::save));
    routes.route("/settings/slack/test", post().to(notifications::slack::test));
    routes.route("/settings/slack/remove", post().to(notifications::slack::remove));
    routes.route("/applications/{a}/settings/notifications", get().to(notifications::outlets::show));
    routes.route("/applications/{a}/settings/notifications", post().to(notifications::outlets::save));
    routes.route("/applications/{a}/settings/notifications/test", get().to(notifications::outlets::back));
    routes.route("/applications/{a}/settings/notifications/test", post().to(notifications::outlets::test));
    routes.route("/applications/{a}/settings/notifications/remove", post().to(notifications::outlets::remove));
    routes.route("/incidents/{incident}", get().to(notifications::incidents::incident));
    routes.route("/incidents/{incident}/take", post().to(notifications::incidents::take));
    routes.route("/incidents/{incident}/snooze", post().to(notifications::incidents::snooze));
    routes.route("/incidents/{incident}/run-again", post().to(notifications::incidents::run_again));

    // Audit log
    routes.route("/audit", get().to(audit_log::show));
    routes.route("/audit.csv", get().to(audit_log::csv));
    routes.route("/audit/as-of", get().to(audit_log::as_of));
    routes.route("/applications/{a}/schedules/{s}/changes", get().to(audit_log::of_schedule));
    routes.route("/applications/{a}/schedules/{s}/changes/{entry}", post().to(audit_log::restore));
    routes.route("/applications/{a}/settings/import-configurations/{i}/changes", get().to(audit_log::of_configuration));

    // Calendars to subscribe to
    routes.route("/calendar", get().to(feeds::feeds));
    routes.route("/calendar", post().to(feeds::make));
    routes.route("/calendar/revoke", post().to(feeds::revoke));
    routes.route("/calendar/{feed}.ics", get().to(feeds::feed));
    // Translations
    routes.route("/applications/{a}/settings/translations", get().to(translations::list));
    routes.route("/applications/{a}/settings/translations/new", get().to(translations::new_form));
    routes.route("/applications/{a}/settings/translations/new", post().to(translations::create));
    routes.route("/applications/{a}/settings/translations/{t}", get().to(translations::edit_form));
    routes.route("/applications/{a}/settings/translations/{t}", post().to(translations::update));
    routes.route("/applications/{a}/settings/translations/{t}/delete", get().to(translations::delete_form));
    routes.route("/applications/{a}/settings/translations/{t}/delete", post().to(translations::delete));

    // Connections
    routes.route("/connections", get().to(connections::list));
    routes.route("/connections/new", get().to(connections::new_form));
    routes.route("/connections/new", post().to(connections::create));
    routes.route("/connections/new/test", get().to(connections::back));
    routes.route("/connections/new/test", post().to(connections::try_new));
    routes.route("/connections/{c}", get().to(connections::edit_form));
    routes.route("/connections/{c}", post().to(connections::change));
    routes.route("/connections/{c}/test", get().to(connections::back));
    routes.route("/connections/{c}/test", post().to(connections::try_it));
    routes.route("/connections/{c}/delete", get().to(connections::delete_form));
    routes.route("/connections/{c}/delete", post().to(connections::delete));

    // Freezes
    routes.route("/applications/{a}/settings/freezes", get().to(freezes::list));
    routes.route("/applications/{a}/settings/freezes", post().to(freezes::create));
    routes.route("/applications/{a}/settings/freezes/preview", post().to(freezes::preview));
    routes.route("/applications/{a}/settings/freezes/{f}", get().to(freezes::edit_form));
    routes.route("/applications/{a}/settings/freezes/{f}", post().to(freezes::update));
    routes.route("/applications/{a}/settings/freezes/{f}/end", post().to(freezes::end));
    routes.route("/applications/{a}/settings/freezes/{f}/delete", get().to(freezes::delete_form));
    routes.route("/applications/{a}/settings/freezes/{f}/delete", post().to(freezes::delete));

    // Import Scheduling
    routes.route("/applications/{a}/settings/import-scheduling", get().to(scheduling::list::list));
    routes.route("/applications/{a}/settings/import-scheduling/configurations/{i}", get().to(scheduling::list::card));
    routes.route("/applications/{a}/settings/import-scheduling/sets/{set}", get().to(scheduling::list::set_card));
    routes.route("/applications/{a}/settings/import-scheduling/calendar", get().to(scheduling::calendar::show));
    routes.route("/applications/{a}/settings/import-scheduling/calendar/entry", get().to(scheduling::calendar::entry));
    routes.route("/applications/{a}/schedules/new", get().to(scheduling::dialog::new_form));
    routes.route("/applications/{a}/schedules/configurations", get().to(scheduling::dialog::configurations));
    routes.route("/applications/{a}/schedules/preview", post().to(scheduling::dialog::preview));
    routes.route("/applications/{a}/schedules/bulk", get().to(scheduling::bulk::form));
    routes.route("/applications/{a}/schedules/bulk", post().to(scheduling::bulk::save));
    routes.route("/applications/{a}/schedules/take-ownership", post().to(scheduling::taking::take_all));
    routes.route("/applications/{a}/schedules/undo", post().to(scheduling::switch::undo));
    routes.route("/applications/{a}/schedules", post().to(scheduling::dialog::create));
    routes.route("/applications/{a}/schedules/{s}/edit", get().to(scheduling::dialog::edit_form));
    routes.route("/applications/{a}/schedules/{s}", post().to(scheduling::dialog::update));
    routes.route("/applications/{a}/schedules/{s}/switch", post().to(scheduling::switch::switch));
    routes.route("/applications/{a}/schedules/{s}/take-ownership", post().to(scheduling::taking::take));
    routes.route("/applications/{a}/schedules/{s}/copy", get().to(scheduling::dialog::copy_form));
    routes.route("/applications/{a}/schedules/{s}/off-until", get().to(scheduling::off_until::form));
    routes.route("/applications/{a}/schedules/{s}/off-until", post().to(scheduling::off_until::save));
    routes.route("/applications/{a}/schedules/{s}/restore", post().to(scheduling::switch::restore));
    routes.route("/applications/{a}/schedules/{s}/delete", get().to(scheduling::switch::delete_form));
    routes.route("/applications/{a}/schedules/{s}/delete", post().to(scheduling::switch::delete));
    routes.route("/applications/{a}/settings/import-configurations/{i}/ready-by", get().to(scheduling::ready_by::form));
    routes.route("/applications/{a}/settings/import-configurations/{i}/ready-by", post().to(scheduling::ready_by::set));
    routes.route("/applications/{a}/settings/import-sets/{set}/ready-by", get().to(scheduling::ready_by::form_of_set));
    routes.route("/applications/{a}/settings/import-sets/{set}/ready-by", post().to(scheduling::ready_by::set_of_set));
    routes.route("/applications/{a}/settings/import-configurations/{i}/runs", post().to(scheduling::starting::run_now));
    routes.route("/applications/{a}/settings/import-sets/{set}/runs", post().to(scheduling::run_set::run_now));
    routes.route("/applications/{a}/settings/import-sets/{set}/run", get().to(scheduling::run_set::form));
    routes.route("/applications/{a}/settings/import-sets/{set}/history", get().to(scheduling::history::of_set));
    routes.route("/applications/{a}/settings/import-sets/{set}/history.csv", get().to(scheduling::history::csv_of_set));
    routes.route("/applications/{a}/settings/import-configurations/{i}/schedules", get().to(scheduling::about::about));
    routes.route("/applications/{a}/settings/import-configurations/{i}/run", get().to(scheduling::starting::file_form));
    routes.route(
        "/applications/{a}/settings/import-configurations/{i}/files",
        post().to(scheduling::starting::run_with_file),
    );
    routes
        .route("/applications/{a}/settings/import-configurations/{i}/history", get().to(scheduling::history::history));
    routes
        .route("/applications/{a}/settings/import-configurations/{i}/history.csv", get().to(scheduling::history::csv));
    routes.route("/runs/{r}", get().to(scheduling::summary::show));
    routes.route("/runs/{r}/rejected-rows.csv", get().to(scheduling::summary::rejected_rows));
    routes.route("/runs/{r}/changes", get().to(scheduling::changes::show));
    routes.route("/runs/{r}/files", get().to(scheduling::correcting::form));
    routes.route("/runs/{r}/files", post().to(scheduling::correcting::give));
    routes.route("/runs/{r}/treat-as-empty", post().to(scheduling::correcting::treat_as_empty));
    routes.route("/runs/{r}/translate", post().to(scheduling::correcting::translate));
    routes.route("/runs/{r}/create-items", post().to(scheduling::correcting::create_items));
    routes.route("/runs/{r}/log.txt", get().to(scheduling::summary::log));
    routes.route("/runs/{r}/cancel", post().to(scheduling::starting::cancel));
    routes.route("/runs/{r}/again", post().to(scheduling::starting::again));
    routes.route("/runs/{r}/approve", get().to(scheduling::deciding::approve_form));
    routes.route("/runs/{r}/approve", post().to(scheduling::deciding::approve));
    routes.route("/runs/{r}/reject", post().to(scheduling::deciding::reject));
}

/// The REST addresses, when this process serves pages. What comes first matches first.
pub fn api(server: &mut ServiceConfig) {
    use crate::api::address::{Addresses, delete, get, patch, post, put};
    let mut routes = Addresses::default();

    // Members
    routes.route("/api/v1/members", get().to(api::members::list));
    routes.route("/api/v1/members", post().to(api::members::create));
    routes.route("/api/v1/members/{m}", get().to(api::members::show));
    routes.route("/api/v1/members/{m}", patch().to(api::members::update));

    // Applications
    routes.route("/api/v1/applications", get().to(api::applications::list));
    routes.route("/api/v1/applications", post().to(api::applications::create));
    routes.route("/api/v1/applications/{a}", get().to(api::applications::show));
    routes.route("/api/v1/applications/{a}", patch().to(api::applications::update));
    routes.route("/api/v1/applications/{a}", delete().to(api::applications::delete));
    routes.route("/api/v1/applications/{a}/clone", post().to(api::applications::clone));
    routes.route("/api/v1/applications/{a}/refresh", post().to(api::applications::refresh));
    routes.route("/api/v1/applications/{a}/reset", post().to(api::applications::reset));
    routes.route("/api/v1/applications/{a}/access/{m}", put().to(api::applications::give_access));
    routes.route("/api/v1/applications/{a}/access/{m}", delete().to(api::applications::take_access));

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

/// What every process answers.
pub fn health(routes: &mut ServiceConfig) {
    routes.route("/healthz", get().to(health::healthz));
    routes.route("/readyz", get().to(health::readyz));
}

//! Every address of the server, one line each, grouped by room; those of the REST API stand in `routes/api.rs`.

mod api;

use actix_web::web::{ServiceConfig, get, post};

pub use self::api::api;
use crate::api::reference;
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
use crate::members::pages as members;
use crate::notifications::pages as notifications;
use crate::ownership::pages as ownership;
use crate::promotions::pages as promotions;
use crate::translations::pages as translations;
use crate::{audit_log, health, overview, web};

/// The pages and their fragments, when this process serves pages.
pub fn pages(routes: &mut ServiceConfig) {
    routes.route("/static/{name:.*}", get().to(web::assets::serve));

    // Members and the door
    routes.route("/setup", get().to(members::setup));
    routes.route("/setup", post().to(members::begin));
    routes.route("/sign-in", get().to(members::sign_in_page));
    routes.route("/sign-in", post().to(members::sign_in));
    routes.route("/sign-in/code", get().to(members::code));
    routes.route("/sign-in/code", post().to(members::enter));
    routes.route("/sign-in/elsewhere", get().to(members::go_elsewhere));
    routes.route("/sign-in/elsewhere/return", get().to(members::return_from_elsewhere));
    routes.route("/sign-out", post().to(members::sign_out));
    routes.route("/password/forgot", get().to(members::forgot));
    routes.route("/password/forgot", post().to(members::ask));
    routes.route("/password/reset/{reset}", get().to(members::reset_form));
    routes.route("/password/reset/{reset}", post().to(members::set_password));
    routes.route("/invitations/{invitation}", get().to(members::invitation));
    routes.route("/invitations/{invitation}", post().to(applications::accept));
    routes.route("/signed-in", get().to(members::signed_in));
    routes.route("/session", get().to(members::session_token));
    routes.route("/account", get().to(members::account));
    routes.route("/account", post().to(members::save_account));
    routes.route("/account/password", get().to(members::back));
    routes.route("/account/password", post().to(members::save_password));
    routes.route("/account/second-factor", get().to(members::second_factor));
    routes.route("/account/second-factor", post().to(members::turn_on));
    routes.route("/account/second-factor/codes", get().to(members::back));
    routes.route("/account/second-factor/codes", post().to(members::renew_codes));
    routes.route("/account/second-factor/off", post().to(members::turn_off));
    routes.route("/account/sessions/{session}/end", post().to(members::end_session));
    routes.route("/account/sessions/end", post().to(members::end_sessions));
    routes.route("/account/tokens", get().to(members::back));
    routes.route("/account/tokens", post().to(members::create_token));
    routes.route("/account/tokens/{token}/revoke", post().to(members::revoke_token));
    routes.route("/members", get().to(applications::members));
    routes.route("/members", post().to(applications::add_member));
    routes.route("/members/invitations", get().to(members::back));
    routes.route("/members/invitations", post().to(applications::invite));
    routes.route("/members/invitations/{invited}/again", get().to(members::back));
    routes.route("/members/invitations/{invited}/again", post().to(applications::invite_again));
    routes.route("/members/invitations/{invited}/revoke", post().to(members::revoke_invitation));
    routes.route("/members/{member}", get().to(members::member));
    routes.route("/members/{member}", post().to(members::save));
    routes.route("/members/{member}/switch", get().to(members::back));
    routes.route("/members/{member}/switch", post().to(applications::switch_member));
    routes.route("/members/{member}/reset-link", get().to(members::back));
    routes.route("/members/{member}/reset-link", post().to(members::reset_link));
    routes.route("/members/{member}/sessions/end", post().to(members::end_their_sessions));
    routes.route("/members/{member}/second-factor/off", post().to(members::take_off));
    routes.route("/members/{member}/deactivate", get().to(ownership::deactivate_form));
    routes.route("/members/{member}/deactivate", post().to(ownership::deactivate));
    routes.route("/roles", get().to(members::list_roles));
    routes.route("/roles", post().to(members::create_role));
    routes.route("/roles/{role}", get().to(members::show_role));
    routes.route("/roles/{role}", post().to(members::save_role));
    routes.route("/roles/{role}/delete", get().to(members::delete_role_form));
    routes.route("/roles/{role}/delete", post().to(members::delete_role));
    routes.route("/groups", get().to(members::list_groups));
    routes.route("/groups", post().to(members::create_group));
    routes.route("/groups/{group}", get().to(members::show_group));
    routes.route("/groups/{group}", post().to(members::save_group));
    routes.route("/groups/{group}/delete", get().to(members::delete_group_form));
    routes.route("/groups/{group}/delete", post().to(members::delete_group));
    routes.route("/settings/sign-in", get().to(members::sign_in_settings));
    routes.route("/settings/sign-in", post().to(members::set_elsewhere));
    routes.route("/settings/sign-in/remove", post().to(members::remove_elsewhere));
    routes.route("/settings/sign-in/second-factor", post().to(members::demand));
    routes.route("/settings/mail", get().to(members::mail));
    routes.route("/settings/mail/test", post().to(members::send_test));

    // Ownership
    routes.route("/ownership", get().to(ownership::list));
    routes.route("/ownership/hand-over", get().to(ownership::hand_over_form));
    routes.route("/ownership/hand-over", post().to(ownership::hand_over));
    routes.route("/ownership/{hand}/undo", post().to(ownership::undo));

    // The REST API, for people to look at
    routes.route("/rest-api", get().to(reference::page));
    routes.route("/rest-api/openapi.json", get().to(reference::download));

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
    routes.route("/applications/{a}/settings/members/groups/{group}", post().to(applications::save_group_access));
    routes.route("/settings/environment", get().to(environments::standing));
    routes.route("/settings/environment", post().to(environments::confirm));
    routes.route("/applications/{a}/settings/environment", get().to(environments::show));
    routes.route("/applications/{a}/clone", get().to(environments::clone_form));
    routes.route("/applications/{a}/clone", post().to(environments::clone));
    routes.route("/applications/{a}/promote", get().to(promotions::form));
    routes.route("/applications/{a}/promote", post().to(promotions::promote));
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
    routes.route(
        "/applications/{a}/settings/import-configurations/{i}/changes/{entry}",
        get().to(audit_log::configuration_form),
    );
    routes.route(
        "/applications/{a}/settings/import-configurations/{i}/changes/{entry}",
        post().to(audit_log::configuration),
    );
    routes.route("/applications/{a}/settings/import-sets/{set}/changes", get().to(audit_log::of_set));
    routes.route("/applications/{a}/settings/import-sets/{set}/changes/{entry}", get().to(audit_log::set_form));
    routes.route("/applications/{a}/settings/import-sets/{set}/changes/{entry}", post().to(audit_log::set));

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

/// What every process answers.
pub fn health(routes: &mut ServiceConfig) {
    routes.route("/healthz", get().to(health::healthz));
    routes.route("/readyz", get().to(health::readyz));
}

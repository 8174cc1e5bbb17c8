//! The addresses of members, and of the door through which they come.

use actix_web::web::{ServiceConfig, get, post};

use crate::members::pages as members;
use crate::ownership::pages as ownership;

pub(super) fn door(routes: &mut ServiceConfig) {
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
    routes.route("/invitations/{invitation}", post().to(members::accept));
    routes.route("/signed-in", get().to(members::signed_in));
    routes.route("/session", get().to(members::session_token));
    routes.route("/account", get().to(members::account));
    routes.route("/account", post().to(members::save_account));
    routes.route("/account/password", post().to(members::save_password));
    routes.route("/account/second-factor", get().to(members::second_factor));
    routes.route("/account/second-factor", post().to(members::turn_on));
    routes.route("/account/second-factor/codes", post().to(members::renew_codes));
    routes.route("/account/second-factor/off", post().to(members::turn_off));
    routes.route("/account/sessions/{session}/end", post().to(members::end_session));
    routes.route("/account/sessions/end", post().to(members::end_sessions));
    routes.route("/account/tokens", post().to(members::create_token));
    routes.route("/account/tokens/{token}/revoke", post().to(members::revoke_token));
    routes.route("/members", get().to(members::list));
    routes.route("/members", post().to(members::add));
    routes.route("/members/invitations", post().to(members::invite));
    routes.route("/members/invitations/{invited}/again", post().to(members::invite_again));
    routes.route("/members/invitations/{invited}/revoke", post().to(members::revoke_invitation));
    routes.route("/members/{member}", get().to(members::member));
    routes.route("/members/{member}", post().to(members::save));
    routes.route("/members/{member}/switch", post().to(members::switch));
    routes.route("/members/{member}/reset-link", post().to(members::reset_link));
    routes.route("/members/{member}/sessions/end", post().to(members::end_their_sessions));
    routes.route("/members/{member}/second-factor/off", post().to(members::take_off));
    routes.route("/members/{member}/deactivate", get().to(ownership::deactivate_form));
    routes.route("/members/{member}/deactivate", post().to(ownership::deactivate));
    routes.route("/settings/sign-in", get().to(members::sign_in_settings));
    routes.route("/settings/sign-in", post().to(members::set_elsewhere));
    routes.route("/settings/sign-in/remove", post().to(members::remove_elsewhere));
    routes.route("/settings/sign-in/second-factor", post().to(members::demand));
    routes.route("/settings/mail", get().to(members::mail));
    routes.route("/settings/mail/test", post().to(members::send_test));
}

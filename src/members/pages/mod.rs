//! The pages of this room: the door, a password that was forgotten, invitations,
//! the first start, the members, their roles and groups, one's own account, mail.

mod account;
mod code;
mod door;
mod elsewhere;
mod groups;
mod invitations;
mod list;
mod mail;
mod member;
mod reset;
mod roles;
mod second_factor;
mod setup;
mod sign_in_settings;

pub use account::{
    account, create_token, end_session, end_sessions, end_their_sessions, revoke_token, save_account, save_password,
};
pub use code::{code, enter};
pub use door::{session_token, sign_in, sign_in_page, sign_out, signed_in};
pub use elsewhere::{go_elsewhere, return_from_elsewhere};
pub use groups::{create_group, delete_group, delete_group_form, list_groups, save_group, show_group};
pub use invitations::{accept, invitation, invite, invite_again, revoke_invitation};
pub use list::{Beside, add, list, switch};
pub use mail::{mail, send_test};
pub use member::{member, save};
pub use reset::{ask, forgot, reset_form, reset_link, set_password};
pub use roles::{create_role, delete_role, delete_role_form, list_roles, save_role, show_role};
pub use second_factor::{renew_codes, second_factor, take_off, turn_off, turn_on};
pub use setup::{begin, setup};
pub use sign_in_settings::{demand, remove_elsewhere, set_elsewhere, sign_in_settings};

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use actix_web::http::header::USER_AGENT;
use actix_web::{HttpRequest, HttpResponse};

use super::known::{self, Known};
use super::sign_in::{Entered, Knock, Opened};
use super::{Origin, SESSION_DAYS, SignedIn, browsers, half_way};
use crate::app::App;
use crate::error::{AppError, Result};
use crate::web::page::encode;
use crate::web::{Shell, client_address, csrf, see_other};

/// `GET` of an address that is only posted to, and whose answer is a page: of whoever loads that again. It leads to the page
/// to which it belongs; what was shown once is not shown again.
pub async fn back(request: HttpRequest, SignedIn(_): SignedIn) -> HttpResponse {
    let to = match request.path() {
        path if path.starts_with("/members/invitations") => "/members",
        path => path.rsplit_once('/').map_or("/", |(to, _)| to),
    };
    see_other(to, None)
}

/// The shell of a page before sign-in, and the cookie that its answer needs so that its form has a token.
fn lone_shell(request: &HttpRequest, app: &App, title: &str) -> (Shell, Option<Cookie<'static>>) {
    let secure = app.secure();
    let (value, fresh) = csrf::session_value_or_fresh(request, secure);
    let shell = Shell { csrf: csrf::token_for(&value), ..Shell::new(request, app, title) };
    (shell, fresh.then(|| csrf::session_cookie(secure, &value)))
}

/// An answer with the cookie that its form needs.
fn with_cookie(mut response: HttpResponse, cookie: Option<Cookie<'static>>) -> Result<HttpResponse> {
    if let Some(cookie) = cookie {
        response.add_cookie(&cookie).map_err(AppError::internal)?;
    }
    Ok(response)
}

/// Where a request comes from, for the session that it may begin.
fn origin(request: &HttpRequest, app: &App) -> Origin {
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    Origin { address: client_address(request, &app.config), browser: Some(browsers::words(agent)) }
}

/// Who knocks with a request.
fn knock(request: &HttpRequest, app: &App) -> Knock {
    Knock {
        from: origin(request, app),
        known: known::browser(request, app),
        old: csrf::session_value(request, app.secure()),
    }
}

/// The way on for somebody who proved who they are: in, or to the question for the code.
fn go_in(app: &App, opened: Opened, known: Option<&Known>, next: &str) -> Result<HttpResponse> {
    match opened {
        Opened::In(entered) => let_in(see_other(next, None), app, entered, known),
        Opened::HalfWay(value) => {
            let mut response = see_other(&format!("/sign-in/code?next={}", encode(next)), None);
            response.add_cookie(&half_way::COOKIE.with(app, Some(value))).map_err(AppError::internal)?;
            Ok(response)
        }
    }
}

/// Gives an answer the cookie of a session that has just begun, and the one by which the browser is known from now on.
fn let_in(mut response: HttpResponse, app: &App, entered: Entered, known: Option<&Known>) -> Result<HttpResponse> {
    let mut session = csrf::session_cookie(app.secure(), &entered.cookie);
    session.set_max_age(Duration::days(SESSION_DAYS));
    for cookie in [session, known::cookie(app, entered.member_id, known)?] {
        response.add_cookie(&cookie).map_err(AppError::internal)?;
    }
    Ok(response)
}

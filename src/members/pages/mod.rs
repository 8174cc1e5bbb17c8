//! The pages of this room: the door, a password that was forgotten, invitations,
//! the first start, the members, their roles and groups, one's own account, mail.

mod account;
mod door;
mod groups;
mod invitations;
mod list;
mod mail;
mod reset;
mod roles;
mod setup;

pub use account::{account, create_token, end_sessions, revoke_token, save_account, save_password};
pub use door::{session_token, sign_in, sign_in_page, sign_out, signed_in};
pub use groups::{create_group, delete_group, delete_group_form, list_groups, save_group, show_group};
pub use invitations::{accept, invitation, invite, invite_again, revoke_invitation};
pub use list::{Beside, add, list, member, save, switch};
pub use mail::{mail, send_test};
pub use reset::{ask, forgot, reset_form, reset_link, set_password};
pub use roles::{create_role, delete_role, delete_role_form, list_roles, save_role, show_role};
pub use setup::{begin, setup};

use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;
use actix_web::{HttpRequest, HttpResponse};

use super::SESSION_DAYS;
use super::known::{self, Known};
use super::sign_in::Entered;
use crate::app::App;
use crate::error::{AppError, Result};
use crate::web::{Shell, csrf};

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

/// Gives an answer the cookie of a session that has just begun, and the one by which the browser is known from now on.
fn let_in(mut response: HttpResponse, app: &App, entered: Entered, known: Option<&Known>) -> Result<HttpResponse> {
    let mut session = csrf::session_cookie(app.secure(), &entered.cookie);
    session.set_max_age(Duration::days(SESSION_DAYS));
    for cookie in [session, known::cookie(app, entered.member_id, known)?] {
        response.add_cookie(&cookie).map_err(AppError::internal)?;
    }
    Ok(response)
}

//! The pages of this room: the door, the first start, the members, one's own account, mail.

mod account;
mod door;
mod list;
mod mail;
mod setup;

pub use account::{account, create_token, end_sessions, revoke_token, save_account, save_password};
pub use door::{session_token, sign_in, sign_in_page, sign_out, signed_in};
pub use list::{add, list, member, save, switch};
pub use mail::{mail, send_test};
pub use setup::{begin, setup};

use actix_web::HttpRequest;
use actix_web::cookie::Cookie;
use actix_web::cookie::time::Duration;

use super::SESSION_DAYS;
use crate::app::App;
use crate::web::{Shell, csrf};

/// The shell of a page before sign-in, and the cookie that its answer needs so that its form has a token.
fn lone_shell(request: &HttpRequest, app: &App, title: &str) -> (Shell, Option<Cookie<'static>>) {
    let secure = app.secure();
    let (value, fresh) = csrf::session_value_or_fresh(request, secure);
    let shell = Shell { csrf: csrf::token_for(&value), ..Shell::new(request, app, title) };
    (shell, fresh.then(|| csrf::session_cookie(secure, &value)))
}

/// The cookie of a session that has just begun.
fn signed_in_cookie(app: &App, value: &str) -> Cookie<'static> {
    let mut cookie = csrf::session_cookie(app.secure(), value);
    cookie.set_max_age(Duration::days(SESSION_DAYS));
    cookie
}

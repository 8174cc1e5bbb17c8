//! The shell of signed-in pages outside any Application.

use actix_web::HttpRequest;

use super::model::{By, Theme};
use crate::app::App;
use crate::web::{NavItem, Shell};

pub fn shell(request: &HttpRequest, app: &App, by: &By, title: impl Into<String>) -> Shell {
    Shell { nav_title: "Workspace", nav: workspace(by), ..signed_in(request, app, by, title) }
}

/// What every shell says of who is signed in.
pub fn signed_in(request: &HttpRequest, app: &App, by: &By, title: impl Into<String>) -> Shell {
    let (member, keys_off) = (Some(by.member.name.clone()), !by.member.shortcuts);
    let theme = by.member.theme.map(Theme::as_str);
    let standing_by = by.member.is_administrator() && app.stands_by();
    Shell { member, keys_off, theme, standing_by, ..Shell::new(request, app, title) }
}

/// The pages of the Workspace that this member may open.
pub fn workspace(by: &By) -> Vec<NavItem> {
    let item = |label, href: &str, icon| NavItem { label, href: href.into(), icon, current: false };
    let mut nav = vec![item("Overview", "/", "home"), item("Inbox", "/notifications", "inbox")];
    if by.member.is_administrator() || by.member.sees_everything() {
        nav.push(item("Connections", "/connections", "plug"));
        nav.push(item("Members", "/members", "users"));
        nav.push(item("Audit log", "/audit", "history"));
    }
    if by.member.is_administrator() {
        nav.push(item("Ownership", "/ownership", "key"));
        nav.push(item("Sign-in", "/settings/sign-in", "lock"));
        nav.push(item("Mail", "/settings/mail", "mail"));
        nav.push(item("Slack", "/settings/slack", "hash"));
    }
    nav.push(item("Your account", "/account", "user"));
    nav.push(item("REST API", "/rest-api", "list"));
    nav
}

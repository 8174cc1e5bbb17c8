//! The shell of pages that belong to an Application: its box with the … menu, and the sidebar of All Settings.

use actix_web::HttpRequest;

use super::access::Entered;
use crate::app::App;
use crate::members::{self, By};
use crate::web::page::{ApplicationBox, initials};
use crate::web::{NavItem, Shell};

/// The shell of a page inside an Application, with the sidebar of All Settings. Entries that the member may not open
/// are left out; their addresses are guarded all the same.
pub fn settings_shell(request: &HttpRequest, app: &App, by: &By, entered: &Entered, title: &str) -> Shell {
    let application = &entered.application;
    let base = format!("/applications/{}", application.id);
    let item = |label, path: &str, icon| NavItem { label, href: format!("{base}{path}"), icon, current: false };
    let scheduling = item("Import Scheduling", "/settings/import-scheduling", "clock");
    let mut menu = vec![item("Blocks", "/blocks", "db")];
    let mut nav = vec![item("General", "/settings", "gear"), item("Blocks", "/blocks", "db")];
    if entered.may_configure() || entered.sees_everything {
        nav.push(item("Members and permissions", "/settings/members", "users"));
    }
    if entered.may_configure() || entered.may_open_scheduling() {
        nav.push(item("Import configurations", "/settings/import-configurations", "metric"));
        nav.push(item("Import sets", "/settings/import-sets", "set"));
        nav.push(item("Translations", "/settings/translations", "globe"));
    }
    if entered.may_open_scheduling() {
        nav.push(item("Kept files", "/settings/kept-files", "up"));
        menu.push(scheduling.clone());
        menu.push(item("Calendar", "/settings/import-scheduling/calendar", "cal"));
        nav.push(scheduling);
    }
    if entered.may_configure() || entered.may_open_scheduling() {
        nav.push(item("Freezes", "/settings/freezes", "pause"));
    }
    if entered.may_configure() || entered.sees_everything {
        nav.push(item("Notifications", "/settings/notifications", "bell"));
    }
    if entered.may_configure() || entered.sees_everything {
        nav.push(item("Environment", "/settings/environment", "copy"));
    }
    menu.push(item("All Settings", "/settings", "gear"));
    Shell {
        application: Some(ApplicationBox {
            name: application.name.clone(),
            mark: initials(&application.name),
            href: base,
            menu,
        }),
        nav_title: "Settings",
        nav,
        workspace: members::workspace(by),
        ..members::signed_in(request, app, by, format!("{title} - {}", application.name))
    }
}

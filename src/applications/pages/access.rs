//! Who has access to an Application, and to do what. One form per member, so that it works without scripts and a stale
//! page overwrites nobody else's row.

use std::cmp::Ordering;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::actions::{self, Access, GroupAccess};
use crate::applications::{Application, Grants, enter, settings_shell, standing};
use crate::error::{AppError, Result};
use crate::members::{self, Permission, SignedIn};
use crate::web::list::Sort;
use crate::web::{Crumb, Flash, Form, Listing, Page, Shell, local_path, see_other};

#[derive(Template)]
#[template(path = "applications/access.html")]
struct AccessPage {
    shell: Shell,
    application: Application,
    list: Listing,
    rows: Vec<Access>,
    groups: Vec<GroupAccess>,
    may_configure: bool,
    /// Makes groups.
    administers: bool,
}

/// Those who may sign in come first, by name.
const SORTS: [Sort<Access>; 2] =
    [("active", "Active first", |_, _| Ordering::Equal), ("role", "Role", |a, b| a.member.role.cmp(&b.member.role))];

impl AccessPage {
    /// What the role adds or lacks, beside the name.
    fn note(&self, row: &Access) -> Option<&'static str> {
        if !row.member.active {
            return Some("Deactivated: no access until an Administrator activates them.");
        }
        let imports = row.member.is_administrator() || row.all().import_data;
        if imports && !row.member.may(Permission::ImportData) {
            return Some("Cannot import yet: the role lacks Can Import Data.");
        }
        if row.member.is_administrator() {
            return Some("Has every permission everywhere.");
        }
        row.member.sees_everything().then_some("Sees everything everywhere.")
    }

    /// "View and Import Data through Planning team"
    fn through(&self, row: &Access) -> Vec<String> {
        let said = |(name, grants): &(String, Grants)| Some(format!("{} through {name}", grants.words()?));
        row.through.iter().filter_map(said).collect()
    }
}

/// `GET {A}/settings/members?q=&sort=&page=`
pub async fn access(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (asks, id) = (by.clone(), id.into_inner());
    let (entered, (rows, groups)) =
        app.read(move |conn| Ok((enter(conn, &asks, id)?, actions::access(conn, &asks, id)?))).await?;
    let at = format!("/applications/{id}");
    let application = entered.application.clone();
    let shell = settings_shell(&request, &app, &by, &entered, "Members and permissions")
        .at(&format!("{at}/settings/members"))
        .crumbs([Crumb::here("Members and permissions")]);
    let (may_configure, administers) = (entered.may_configure(), by.member.is_administrator());
    let asked = Form::parse(request.query_string().as_bytes());
    let text = |row: &Access| format!("{}\n{}\n{}", row.member.name, row.member.email, row.member.role);
    let (list, rows) = Listing::of(&here(id), &asked, rows, &SORTS, text);
    Page::ok(&request, &AccessPage { shell, application, list, rows, groups, may_configure, administers })
}

fn ticked(form: &Form) -> Grants {
    Grants { view: form.ticked("view"), import_data: form.ticked("import_data"), configure: form.ticked("configure") }
}

fn here(application: i64) -> String {
    format!("/applications/{application}/settings/members")
}

/// The part of the list to go back to.
fn back(application: i64, form: &Form) -> String {
    let here = here(application);
    local_path(form.get("back")).filter(|back| back.starts_with(&here)).map_or(here, str::to_owned)
}

fn saved(back: &str, name: &str, grants: Grants) -> HttpResponse {
    let words = match grants.words() {
        Some(words) => format!("{name} has {words}."),
        None => format!("{name} no longer has access."),
    };
    see_other(back, Some(Flash::new(words)))
}

/// `POST {A}/settings/members/{m}`
pub async fn save_access(
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application, member), grants, now) = (ids.into_inner(), ticked(&form), app.now());
    let back = back(application, &form);
    let given = app.write(move |conn| {
        let grants = actions::set_access(conn, &by, application, member, grants, now)?;
        let member = members::by_id(conn, member)?.ok_or(AppError::NotFound)?;
        let there = enter(conn, &by, application)?.application;
        let keeps = match member.sees_everything() {
            true => Some("still sees everything"),
            false => standing(conn, &member, there)?.grants.view.then_some("keeps those of their groups"),
        };
        Ok((member.name, grants, keeps))
    });
    let (name, grants, keeps) = given.await?;
    if let Some(keeps) = keeps.filter(|_| !grants.view) {
        let words = format!("{name} has no permissions of their own here, but {keeps}.");
        return Ok(see_other(&back, Some(Flash::new(words))));
    }
    Ok(saved(&back, &name, grants))
}

/// `POST {A}/settings/members/groups/{group}`
pub async fn save_group_access(
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application, group), grants, now) = (ids.into_inner(), ticked(&form), app.now());
    let back = back(application, &form);
    let given = app.write(move |conn| actions::set_group_access(conn, &by, application, group, grants, now));
    let (name, grants) = given.await?;
    Ok(saved(&back, &name, grants))
}

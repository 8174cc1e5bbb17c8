//! Who has access to an Application, and to do what. One form per member, so that it works without scripts and a stale
//! page overwrites nobody else's row.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::actions::{self, Access, GroupAccess};
use crate::applications::{Application, Grants, enter, settings_shell, standing};
use crate::error::{AppError, Result};
use crate::members::{self, Permission, SignedIn};
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};

#[derive(Template)]
#[template(path = "applications/access.html")]
struct AccessPage {
    shell: Shell,
    application: Application,
    rows: Vec<Access>,
    groups: Vec<GroupAccess>,
    may_configure: bool,
    /// Makes groups.
    administers: bool,
}

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

/// `GET {A}/settings/members`
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
    Page::ok(&request, &AccessPage { shell, application, rows, groups, may_configure, administers })
}

fn ticked(form: &Form) -> Grants {
    Grants { view: form.ticked("view"), import_data: form.ticked("import_data"), configure: form.ticked("configure") }
}

fn saved(application: i64, name: &str, grants: Grants) -> HttpResponse {
    let words = match grants.words() {
        Some(words) => format!("{name} has {words}."),
        None => format!("{name} no longer has access."),
    };
    see_other(&format!("/applications/{application}/settings/members"), Some(Flash::new(words)))
}

/// `POST {A}/settings/members/{m}`
pub async fn save_access(
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application, member), grants, now) = (ids.into_inner(), ticked(&form), app.now());
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
        return Ok(see_other(&format!("/applications/{application}/settings/members"), Some(Flash::new(words))));
    }
    Ok(saved(application, &name, grants))
}

/// `POST {A}/settings/members/groups/{group}`
pub async fn save_group_access(
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let ((application, group), grants, now) = (ids.into_inner(), ticked(&form), app.now());
    let given = app.write(move |conn| actions::set_group_access(conn, &by, application, group, grants, now));
    let (name, grants) = given.await?;
    Ok(saved(application, &name, grants))
}

//! Roles: what each allows, who holds it; making, changing and deleting those of one's own.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::Named;
use crate::members::permissions::Permission;
use crate::members::roles::{self, Draft, Role};
use crate::members::shell::shell;
use crate::members::{By, SignedIn, actions};
use crate::web::page::encode;
use crate::web::{self, ConfirmPage, Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "members/roles.html")]
struct RolesPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    roles: Vec<(Role, i64)>,
    may_change: bool,
}

#[derive(Template)]
#[template(path = "members/role.html")]
struct RolePage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    role: Role,
    holders: Vec<Named>,
    /// Whose schedules would fail: asked about before it is saved.
    fails: Vec<Named>,
}

/// So many of those who would fail are named.
const NAMED: usize = 12;

fn gives(form: &Form, permission: Permission) -> bool {
    form.all("permission").any(|word| word == permission.as_str())
}

impl RolesPage<'_> {
    fn gives(&self, permission: &Permission) -> bool {
        gives(self.form, *permission)
    }

    fn members(&self, role: &Role, n: &i64) -> (String, String) {
        (format!("/members?q={}", encode(&role.name)), words::counted(*n, "member", "members"))
    }
}

impl RolePage<'_> {
    fn gives(&self, permission: &Permission) -> bool {
        gives(self.form, *permission)
    }
}

fn draft(form: &Form) -> Result<Draft> {
    let permissions: Option<Vec<Permission>> = form.all("permission").map(Permission::parse).collect();
    let permissions =
        permissions.ok_or_else(|| AppError::invalid("permissions", "Choose among the rights that are shown."))?;
    Ok(Draft { name: form.get("name").to_owned(), permissions })
}

/// `GET /roles`
pub async fn list_roles(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    roles_page(&request, &app, &by, (StatusCode::OK, FieldErrors::new()), &Form::default()).await
}

async fn roles_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (status, errors): (StatusCode, FieldErrors),
    form: &Form,
) -> Result<HttpResponse> {
    let asks = by.clone();
    let roles = app.read(move |conn| roles::list(conn, &asks)).await?;
    let crumbs = [Crumb::to("Members", "/members"), Crumb::here("Roles")];
    let shell = shell(request, app, by, "Roles").at("/members").crumbs(crumbs);
    Page::with(status, request, &RolesPage { shell, errors, form, roles, may_change: by.member.is_administrator() })
}

/// `POST /roles`
pub async fn create_role(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let (asks, draft, now) = (by.clone(), draft(&form)?, app.now());
    match app.write(move |conn| roles::create(conn, &asks, &draft, now)).await {
        Ok(role) => {
            let said = Flash::new(format!("The role {} is created. You can give it to members now.", role.name));
            Ok(see_other("/roles", Some(said)))
        }
        Err(error) => roles_page(&request, &app, &by, web::refused(error)?, &form).await,
    }
}

/// What a form left behind: the status, what is wrong, what was typed, and whose schedules would fail.
struct Left<'a> {
    status: StatusCode,
    errors: FieldErrors,
    form: Option<&'a Form>,
    fails: Vec<Named>,
}

async fn role_page(request: &HttpRequest, app: &App, by: &By, id: i64, left: Left<'_>) -> Result<HttpResponse> {
    let asks = by.clone();
    let (role, holders) = app.read(move |conn| Ok((roles::find(conn, &asks, id)?, roles::uses(conn, id)?))).await?;
    let mut kept = Form(vec![("name".into(), role.name.clone()), ("version".into(), role.version.to_string())]);
    kept.0.extend(role.permissions.iter().map(|permission| ("permission".to_owned(), permission.to_string())));
    let crumbs = [Crumb::to("Members", "/members"), Crumb::to("Roles", "/roles"), Crumb::here(role.name.clone())];
    let shell = shell(request, app, by, role.name.clone()).at("/members").crumbs(crumbs);
    let Left { status, errors, form, fails } = left;
    Page::with(status, request, &RolePage { shell, errors, form: form.unwrap_or(&kept), role, holders, fails })
}

/// `GET /roles/{role}`
pub async fn show_role(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let left = Left { status: StatusCode::OK, errors: FieldErrors::new(), form: None, fails: Vec::new() };
    role_page(&request, &app, &by, id.into_inner(), left).await
}

/// `POST /roles/{role}`: who takes Can Import Data from people whose schedules need it is asked first.
pub async fn save_role(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let (id, in_use) = (id.into_inner(), app.in_use);
    let (asks, draft, version, now, sure) =
        (by.clone(), draft(&form)?, form.id("version"), app.now(), form.ticked("sure"));
    let keeps = draft.permissions.contains(&Permission::ImportData);
    let fails = app.read(move |conn| {
        let was = roles::find(conn, &asks, id)?;
        let takes = !was.built_in && was.permissions.contains(&Permission::ImportData) && !keeps;
        if takes && !sure { roles::would_fail(conn, in_use, id) } else { Ok(Vec::new()) }
    });
    let mut fails = fails.await?;
    if !fails.is_empty() {
        fails.truncate(NAMED);
        let left = Left { status: StatusCode::CONFLICT, errors: FieldErrors::new(), form: Some(&form), fails };
        return role_page(&request, &app, &by, id, left).await;
    }
    let asks = by.clone();
    match app.write(move |conn| roles::change(conn, &asks, id, &draft, version, now)).await {
        Ok(role) => {
            let said = Flash::new(format!("The role {} is saved: {}.", role.name, role.words()));
            Ok(see_other("/roles", Some(said)))
        }
        Err(error) => {
            let asks = by.clone();
            let there = app.read(move |conn| roles::find(conn, &asks, id)).await?;
            let mut form = form;
            let error = web::overtaken(error, there.version, |version| form.set("version", version));
            let (status, errors) = web::refused(error)?;
            let left = Left { status, errors, form: Some(&form), fails: Vec::new() };
            role_page(&request, &app, &by, id, left).await
        }
    }
}

async fn ask_to_delete(
    request: &HttpRequest,
    app: &App,
    by: &By,
    id: i64,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let asks = by.clone();
    let (role, uses) = app.read(move |conn| Ok((roles::find(conn, &asks, id)?, roles::uses(conn, id)?))).await?;
    if role.built_in {
        let words = format!("{} is a built-in role and cannot be deleted.", role.name);
        return Err(AppError::Conflict(words));
    }
    let crumbs = [
        Crumb::to("Members", "/members"),
        Crumb::to("Roles", "/roles"),
        Crumb::to(&role.name, format!("/roles/{id}")),
        Crumb::here("Delete"),
    ];
    let page = ConfirmPage {
        shell: shell(request, app, by, "Delete role").at("/members").crumbs(crumbs),
        action: format!("/roles/{id}/delete"),
        back: format!("/roles/{id}"),
        question: format!("Delete the role {}?", role.name),
        what_stays: "Nobody holds it. The audit log keeps what it allowed.".into(),
        verb: "Delete role",
        uses,
        first: roles::FREES,
        refused: None,
    };
    page.answer(request, refusal)
}

/// `GET /roles/{role}/delete`
pub async fn delete_role_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    ask_to_delete(&request, &app, &by, id.into_inner(), None).await
}

/// `POST /roles/{role}/delete`
pub async fn delete_role(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    let (asks, id, now) = (by.clone(), id.into_inner(), app.now());
    match app.write(move |conn| roles::delete(conn, &asks, id, None, now)).await {
        Ok(role) => Ok(see_other("/roles", Some(Flash::new(format!("The role {} is deleted.", role.name))))),
        Err(AppError::Conflict(words)) => {
            ask_to_delete(&request, &app, &by, id, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}

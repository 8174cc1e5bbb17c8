//! One member: name, address, role, password, and what they have.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::list::asks_first;
use crate::app::App;
use crate::error::{AppError, FieldErrors, Result};
use crate::in_use::{Named, Thing};
use crate::members::actions::{self, Change};
use crate::members::passwords::{self, ADVICE};
use crate::members::shell::shell;
use crate::members::{By, Member, SignedIn, groups, leaving, roles, second_factor, store};
use crate::web::{self, Crumb, Flash, Form, Page, Shell, see_other};

#[derive(Template)]
#[template(path = "members/member.html")]
struct MemberPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    member: Member,
    sessions: i64,
    second_factor: bool,
    own: bool,
    /// In which they are: id and name.
    groups: Vec<(i64, String)>,
    /// Where they have access, and to what.
    access: Vec<Named>,
    /// What they own and are notified about, Application by Application.
    holds: Vec<Named>,
    role_options: Vec<(String, String)>,
    advice: &'static str,
    /// A link that was just made, and why it was not mailed: the only time that it is shown.
    link: Option<(String, String)>,
}

/// What somebody just did on the member's page.
#[derive(Default)]
pub(super) struct Handed<'a> {
    /// With the form that came, where the page has it.
    pub refused: Option<(StatusCode, FieldErrors, Option<&'a Form>)>,
    pub link: Option<(String, String)>,
}

pub(super) async fn member_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    id: i64,
    Handed { refused, link }: Handed<'_>,
) -> Result<HttpResponse> {
    let (now, in_use) = (app.now(), app.in_use);
    let (member, groups, (access, holds), role_options, sessions, second_factor) = app
        .read(move |conn| {
            let member = store::by_id(conn, id)?.ok_or(AppError::NotFound)?;
            let (sessions, second_factor) = (leaving::doors(conn, id, now)?.sessions, second_factor::is_on(conn, id)?);
            let uses = in_use.uses(conn, Thing::Member(id))?;
            let of = |by: &str| uses.iter().filter(|uses| uses.by == by).flat_map(|uses| uses.names.clone()).collect();
            let has = (of("Applications"), of("schedules"));
            Ok((member, groups::of_member(conn, id)?, has, roles::options(conn)?, sessions, second_factor))
        })
        .await?;
    let own = id == by.member.id;
    let kept = Form(vec![
        ("name".into(), member.name.clone()),
        ("email".into(), member.email.clone()),
        ("role".into(), member.role.clone()),
        ("version".into(), member.version.to_string()),
    ]);
    let made = if link.is_some() { StatusCode::CREATED } else { StatusCode::OK };
    let (status, errors, form) = refused.unwrap_or((made, FieldErrors::new(), None));
    let form = form.unwrap_or(&kept);
    let crumbs = [Crumb::to("Members", "/members"), Crumb::here(member.name.clone())];
    let shell = shell(request, app, by, member.name.clone()).at("/members").crumbs(crumbs);
    let advice = ADVICE;
    let page = MemberPage {
        shell,
        errors,
        form,
        member,
        sessions,
        second_factor,
        own,
        groups,
        access,
        holds,
        role_options,
        advice,
        link,
    };
    Page::with(status, request, &page)
}

/// `GET /members/{m}`
pub async fn member(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    member_page(&request, &app, &by, id.into_inner(), Handed::default()).await
}

/// `POST /members/{m}`
pub async fn save(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let id = id.into_inner();
    // All else is saved; the role once that was asked.
    let asks = asks_first(&app, &by, id, form.some("role"), false).await?;
    let role = form.some("role").filter(|_| asks.is_none()).map(str::to_owned);
    let saved = async {
        let (email, name) = (form.get("email").to_owned(), form.get("name").to_owned());
        let password = match form.raw("password") {
            "" => None,
            new => Some(passwords::hash(&app, new, &[&email, &name]).await?),
        };
        let change =
            Change { email: Some(email), name: Some(name), role, active: None, password, version: form.id("version") };
        let (by, enders, now) = (by.clone(), app.enders, app.now());
        app.write(move |conn| actions::update(conn, &by, enders, id, change, now)).await
    };
    match saved.await {
        Ok(member) => {
            let said = Flash::new(format!("{} is saved.", member.name));
            Ok(match asks {
                Some(page) => see_other(&page, None),
                None => see_other("/members", Some(said)),
            })
        }
        Err(error) => {
            let there = app.read(move |conn| store::by_id(conn, id)).await?.ok_or(AppError::NotFound)?;
            let mut form = form;
            let error = web::overtaken(error, there.version, |version| form.set("version", version));
            let (status, errors) = web::refused(error)?;
            let refused = Some((status, errors, Some(&form)));
            member_page(&request, &app, &by, id, Handed { refused, link: None }).await
        }
    }
}

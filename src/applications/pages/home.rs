//! All Applications that a member sees, one of them, and making another.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::actions::{self, NewApplication, SPACING, may_create};
use crate::applications::{Entered, access, blocks, enter, seen_by, settings_shell, standing};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By, SignedIn, shell};
use crate::web::page::initials;
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other, zones};
use crate::words::counted;
use crate::workspace;

/// An Application as one member stands in it, and what it holds.
struct Card {
    entered: Entered,
    blocks: String,
}

impl Card {
    fn load(conn: &mut Conn, entered: Entered) -> Result<Self> {
        let n = blocks::list(conn, entered.application.id)?.len();
        let blocks = counted(i64::try_from(n).unwrap_or_default(), "Block", "Blocks");
        Ok(Self { entered, blocks })
    }

    fn at(&self) -> String {
        format!("/applications/{}", self.entered.application.id)
    }

    fn mark(&self) -> String {
        initials(&self.entered.application.name)
    }
}

#[derive(Template)]
#[template(path = "applications/list.html")]
struct ListPage {
    shell: Shell,
    workspace: String,
    cards: Vec<Card>,
    may_create: bool,
    /// Who can let somebody in.
    administrators: String,
}

/// `GET /`
pub async fn list(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let asks = by.clone();
    let (workspace, cards, administrators) = app
        .read(move |conn| {
            let mut cards = Vec::new();
            for application in seen_by(conn, &asks)? {
                let entered = standing(conn, &asks.member, application)?;
                cards.push(Card::load(conn, entered)?);
            }
            let administrators = members::administrators(conn)?.into_iter().map(|m| m.name).collect();
            Ok((workspace::get(conn)?.name, cards, access::names(administrators)))
        })
        .await?;
    let shell = shell(&request, &app, &by, "Applications").at("/");
    let may_create = may_create(&by.member);
    Page::ok(&request, &ListPage { shell, workspace, cards, may_create, administrators })
}

#[derive(Template)]
#[template(path = "applications/home.html")]
struct HomePage {
    shell: Shell,
    card: Card,
}

/// `GET /applications/{a}`
pub async fn home(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (asks, id) = (by.clone(), id.into_inner());
    let card = app
        .read(move |conn| {
            let entered = enter(conn, &asks, id)?;
            Card::load(conn, entered)
        })
        .await?;
    let shell = settings_shell(&request, &app, &by, &card.entered, "Overview")
        .crumbs([Crumb::to("Applications", "/"), Crumb::here(card.entered.application.name.clone())]);
    Page::ok(&request, &HomePage { shell, card })
}

#[derive(Template)]
#[template(path = "applications/new.html")]
struct NewPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
}

/// `GET /applications/new`
pub async fn new_form(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let asks = by.clone();
    let zone = app
        .read(move |conn| {
            actions::need_create(conn, &asks)?;
            Ok(asks.member.time_zone.unwrap_or(workspace::get(conn)?.time_zone))
        })
        .await?;
    let form = Form(vec![("time_zone".into(), zone.name().into()), ("spacing_minutes".into(), SPACING.to_string())]);
    new_page(&request, &app, &by, StatusCode::OK, FieldErrors::new(), &form)
}

fn new_page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    status: StatusCode,
    errors: FieldErrors,
    form: &Form,
) -> Result<HttpResponse> {
    let crumbs = [Crumb::to("Applications", "/"), Crumb::here("New")];
    let shell = shell(request, app, by, "New Application").at("/").crumbs(crumbs);
    Page::with(status, request, &NewPage { shell, errors, form })
}

/// `POST /applications`
pub async fn create(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let asks = by.clone();
    app.read(move |conn| actions::need_create(conn, &asks)).await?;
    let made = async {
        let mut errors = FieldErrors::new();
        crate::names::check_name("name", form.get("name"), None, &mut errors);
        let zone = zones::parse(form.get("time_zone")).map_err(|reason| errors.add("time_zone", reason)).ok();
        let spacing_minutes = super::settings::spacing(&form, &mut errors);
        errors.ok_or(())?;
        let time_zone = zone.ok_or(AppError::NotFound)?;
        let new = NewApplication { name: form.get("name").to_owned(), time_zone, spacing_minutes };
        let (by, now) = (by.clone(), app.now());
        app.write(move |conn| actions::create(conn, &by, &new, now)).await
    };
    match made.await {
        Ok(application) => {
            let words = format!("{} is made, and you may do everything in it.", application.name);
            Ok(see_other(&format!("/applications/{}", application.id), Some(Flash::new(words))))
        }
        Err(error) => {
            let (status, errors) = refused(error)?;
            new_page(&request, &app, &by, status, errors, &form)
        }
    }
}

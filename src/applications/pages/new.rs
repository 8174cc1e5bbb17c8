//! Making an Application.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::actions::{self, NewApplication, SPACING};
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By, SignedIn, shell};
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other, zones};

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
            members::zone_of(conn, asks.member.time_zone)
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
    let crumbs = [Crumb::here("New Application")];
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
            let words = format!("Created {}. You have every permission in it.", application.name);
            Ok(see_other(&format!("/applications/{}", application.id), Some(Flash::new(words))))
        }
        Err(error) => {
            let (status, errors) = refused(error)?;
            new_page(&request, &app, &by, status, errors, &form)
        }
    }
}

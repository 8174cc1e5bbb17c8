//! `/settings/sign-in`: of whom a second factor is demanded, and where else members sign in.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{FieldErrors, Result};
use crate::members::elsewhere::{self, Given};
use crate::members::shell::shell;
use crate::members::{By, SignedIn, actions, second_factor};
use crate::web::{self, Crumb, Flash, Form, Page, Shell, see_other};
use crate::workspace::{self, Whom};

const HERE: &str = "/settings/sign-in";

#[derive(Template)]
#[template(path = "members/sign_in_settings.html")]
struct SettingsPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    second_factor_of: Whom,
    /// Members sign in elsewhere, too.
    is_set: bool,
    /// What the provider has to know.
    redirect: String,
}

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (status, errors): (StatusCode, FieldErrors),
    typed: Option<&Form>,
) -> Result<HttpResponse> {
    let (second_factor_of, kept) =
        app.read(|conn| Ok((workspace::second_factor_of(conn)?, elsewhere::get(conn)?))).await?;
    let is_set = kept.is_some();
    let kept = kept.map(|kept| {
        Form(vec![("issuer".into(), kept.issuer), ("client_id".into(), kept.client_id), ("label".into(), kept.label)])
    });
    let kept = kept.unwrap_or_default();
    let page = SettingsPage {
        shell: shell(request, app, by, "Sign-in").at(HERE).crumbs([Crumb::here("Sign-in")]),
        errors,
        form: typed.unwrap_or(&kept),
        second_factor_of,
        is_set,
        redirect: elsewhere::redirect(app)?,
    };
    Page::with(status, request, &page)
}

/// `GET /settings/sign-in`
pub async fn sign_in_settings(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    page(&request, &app, &by, (StatusCode::OK, FieldErrors::new()), None).await
}

/// `POST /settings/sign-in`: sets the provider, once it has answered.
pub async fn set_elsewhere(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let given = Given {
        issuer: form.get("issuer").to_owned(),
        client_id: form.get("client_id").to_owned(),
        client_secret: form.raw("client_secret").to_owned(),
        label: form.get("label").to_owned(),
    };
    match elsewhere::set(&app, &by, given).await {
        Ok(()) => {
            let words = format!("Members can sign in with {} now. Try it in a private window.", form.get("label"));
            Ok(see_other(HERE, Some(Flash::new(words))))
        }
        Err(error) => page(&request, &app, &by, web::refused(error)?, Some(&form)).await,
    }
}

/// `POST /settings/sign-in/remove`
pub async fn remove_elsewhere(app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    app.write(move |conn| elsewhere::remove(conn, &by, now)).await?;
    let words = "Members sign in with passwords only. Members without a password need a link to set one. The client secret is deleted.";
    Ok(see_other(HERE, Some(Flash::new(words))))
}

/// `POST /settings/sign-in/second-factor`
pub async fn demand(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let Some(whom) = Whom::parse(form.get("whom")) else {
        let errors = FieldErrors::one("whom", "Choose who must use a second factor.");
        return page(&request, &app, &by, (StatusCode::UNPROCESSABLE_ENTITY, errors), None).await;
    };
    let now = app.now();
    app.write(move |conn| second_factor::demand(conn, &by, whom, now)).await?;
    let words = match whom {
        Whom::Nobody => "Members choose for themselves whether they use a second factor.",
        Whom::Administrators => "Every Administrator who has a password needs a second factor now.",
        Whom::Everybody => "Every member who has a password needs a second factor now.",
    };
    Ok(see_other(HERE, Some(Flash::new(words))))
}

//! `/account/second-factor`: set up with an app, renewed, turned off; and taken off somebody who lost it.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use super::member::{Handed, member_page};
use crate::app::App;
use crate::clock::Moment;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::second_factor::{self, Draft, Proof, State};
use crate::members::shell::shell;
use crate::members::{By, SignedIn, actions, known, totp};
use crate::web::{self, Crumb, Flash, Form, Page, QrHtml, Shell, see_other};
use crate::words;
use crate::workspace;

const HERE: &str = "/account/second-factor";

/// What is to be set up.
struct SetUp {
    draft: Draft,
    /// What a phone opens with its app.
    address: String,
    picture: Option<QrHtml>,
}

#[derive(Template)]
#[template(path = "members/second_factor.html")]
struct SecondFactorPage {
    shell: Shell,
    errors: FieldErrors,
    email: String,
    state: Option<State>,
    /// Where none is on yet.
    set_up: Option<SetUp>,
    /// Recovery codes that were just made: the only time that they are shown.
    fresh: Vec<String>,
    /// None is on, and the Workspace demands one.
    demanded: bool,
    typed: bool,
    zone: Tz,
}

impl SecondFactorPage {
    fn on(&self, at: &Moment) -> String {
        words::date_time(*at, self.zone)
    }

    /// In groups of four, as people copy it.
    fn spaced(&self, secret: &str) -> String {
        let letters: Vec<char> = secret.chars().collect();
        letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
    }
}

/// What was just done.
struct Left {
    status: StatusCode,
    errors: FieldErrors,
    /// The secret that the form sent back.
    draft: Option<Draft>,
    fresh: Vec<String>,
}

async fn page(request: &HttpRequest, app: &App, by: &By, left: Left) -> Result<HttpResponse> {
    let member = by.member.clone();
    let (state, fits, demanded, workspace) = app
        .read(move |conn| {
            let state = second_factor::state(conn, member.id)?;
            let fits = second_factor::fits(conn, member.id)?;
            let demanded = workspace::second_factor_of(conn)?;
            let missing = second_factor::is_missing(conn, demanded, &member)?;
            Ok((state, fits, missing, workspace::get(conn)?))
        })
        .await?;
    let set_up = match left.draft {
        _ if !fits => None,
        Some(draft) => Some(draft),
        None => Some(second_factor::draft(&app.secrets, by.member.id)?),
    };
    let issuer = format!("Tidegate ({})", workspace.name);
    let set_up = set_up.map(|draft| {
        let address = totp::address(&draft.secret, &issuer, &by.member.email);
        SetUp { picture: web::qr(&address, "QR code with the secret"), address, draft }
    });
    let crumbs = [Crumb::to("Your account", "/account"), Crumb::here("Second factor")];
    let page = SecondFactorPage {
        shell: shell(request, app, by, "Second factor").at("/account").crumbs(crumbs),
        typed: !left.errors.is_empty(),
        errors: left.errors,
        email: by.member.email.clone(),
        state,
        set_up,
        fresh: left.fresh,
        demanded,
        zone: by.member.time_zone.unwrap_or(workspace.time_zone),
    };
    Page::with(left.status, request, &page)
}

/// The page with the recovery codes that were made, or with what is wrong.
async fn answer(
    request: &HttpRequest,
    app: &App,
    by: &By,
    made: Result<Vec<String>>,
    draft: Option<Draft>,
) -> Result<HttpResponse> {
    let left = match made {
        Ok(fresh) => Left { status: StatusCode::CREATED, errors: FieldErrors::new(), draft: None, fresh },
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            Left { status, errors, draft, fresh: Vec::new() }
        }
    };
    page(request, app, by, left).await
}

fn proof<'a>(request: &HttpRequest, app: &App, form: &'a Form) -> Proof<'a> {
    Proof { current: form.raw("current"), known: known::browser(request, app) }
}

/// `GET /account/second-factor`
pub async fn second_factor(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let left = Left { status: StatusCode::OK, errors: FieldErrors::new(), draft: None, fresh: Vec::new() };
    page(&request, &app, &by, left).await
}

/// `POST /account/second-factor`: the answer shows the recovery codes, this once.
pub async fn turn_on(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let draft = || second_factor::draft_again(&app.secrets, by.member.id, form.get("sealed"));
    let made = match draft() {
        Some(draft) => second_factor::turn_on(&app, &by, draft, form.get("code"), proof(&request, &app, &form)).await,
        None => Err(AppError::invalid("", "This page was open too long. Scan the code again.")),
    };
    answer(&request, &app, &by, made, draft()).await
}

/// `POST /account/second-factor/codes`: new ones, shown this once.
pub async fn renew_codes(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let made = second_factor::renew_codes(&app, &by, proof(&request, &app, &form)).await;
    answer(&request, &app, &by, made, None).await
}

/// `POST /account/second-factor/off`
pub async fn turn_off(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    match second_factor::turn_off(&app, &by, proof(&request, &app, &form)).await {
        Ok(()) => Ok(see_other(HERE, Some(Flash::new("Your second factor is off. Your password alone signs you in.")))),
        Err(error) => answer(&request, &app, &by, Err(error), None).await,
    }
}

/// `POST /members/{m}/second-factor/off`: for somebody who lost it.
pub async fn take_off(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let id = id.into_inner();
    match second_factor::take_off(&app, &by, id).await {
        Ok((member, told)) => {
            let name = &member.name;
            let words = match told {
                true => format!("The second factor of {name} is off. {name} is notified by e-mail."),
                false => format!("The second factor of {name} is off. No mail is sent from here: tell them."),
            };
            Ok(see_other(&format!("/members/{id}"), Some(Flash::new(words))))
        }
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            member_page(&request, &app, &by, id, Handed { refused: Some((status, errors, None)), link: None }).await
        }
    }
}

//! One's own account: name, zone, password, where one is signed in, API tokens.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Duration;
use chrono_tz::Tz;

use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::passwords::{self, ADVICE};
use crate::members::session::open_of;
use crate::members::shell::shell;
use crate::members::sign_in::Entered;
use crate::members::store::Own;
use crate::members::store::sessions::SessionRow;
use crate::members::tokens::{self, New, Token};
use crate::members::{By, Scope, SignedIn, Theme, actions, known, leaving, second_factor, sign_in};
use crate::web::{self, Crumb, Flash, Form, Page, Shell, csrf, see_other, zones};
use crate::words;
use crate::workspace;

/// After how many days a token may end by itself.
const ENDS: [(&str, &str); 4] =
    [("", "Never"), ("30", "After 30 days"), ("90", "After 90 days"), ("365", "After 365 days")];

/// What a form says for a token without any limit.
const EVERYTHING: &str = "everything";

#[derive(Template)]
#[template(path = "members/account.html")]
struct AccountPage<'a> {
    shell: Shell,
    errors: FieldErrors,
    form: &'a Form,
    email: String,
    role: String,
    sessions: Vec<SessionRow>,
    /// Since when it is on.
    second_factor: Option<second_factor::State>,
    tokens: Vec<Token>,
    /// A token that was just made: the only time that it is shown.
    fresh: Option<String>,
    zone: Tz,
    now: Moment,
    advice: &'static str,
    scopes: &'static [Scope],
    ends: [(String, &'static str); 4],
}

impl AccountPage<'_> {
    fn on(&self, at: &Moment) -> String {
        words::date_time(*at, self.zone)
    }

    /// Whether a token that was refused, or is to come, has this scope ticked.
    fn ticked(&self, scope: &Scope) -> bool {
        match self.form.has("token_name") {
            true => self.form.all("scope").any(|word| word == scope.as_str()),
            false => *scope == Scope::Read,
        }
    }

    /// Whether a token that was refused was to do everything.
    fn everything(&self) -> bool {
        self.form.all("scope").any(|word| word == EVERYTHING)
    }

    fn ago(&self, at: &Moment) -> String {
        words::relative(*at, self.now)
    }
}

/// What a form left behind: the status, what is wrong, what was typed.
struct Left<'a> {
    status: StatusCode,
    errors: FieldErrors,
    form: &'a Form,
    fresh: Option<String>,
}

async fn page(request: &HttpRequest, app: &App, by: &By, left: Option<Left<'_>>) -> Result<HttpResponse> {
    let token = csrf::session_value(request, app.secure()).unwrap_or_default();
    let (asks, now) = (by.clone(), app.now());
    let (sessions, second_factor, tokens, workspace) = app
        .read(move |conn| {
            let sessions = open_of(conn, &asks.member, &token, now)?;
            let second_factor = second_factor::state(conn, asks.member.id)?;
            Ok((sessions, second_factor, tokens::list(conn, &asks)?, workspace::get(conn)?))
        })
        .await?;
    let own = own_values(by);
    let left = left.unwrap_or(Left { status: StatusCode::OK, errors: FieldErrors::new(), form: &own, fresh: None });
    let page = AccountPage {
        shell: shell(request, app, by, "Your account").at("/account").crumbs([Crumb::here("Your account")]),
        errors: left.errors,
        form: left.form,
        email: by.member.email.clone(),
        role: by.member.role.clone(),
        sessions,
        second_factor,
        tokens,
        fresh: left.fresh,
        zone: by.member.time_zone.unwrap_or(workspace.time_zone),
        now,
        advice: ADVICE,
        scopes: Scope::ALL,
        ends: ENDS.map(|(days, words)| (days.to_owned(), words)),
    };
    Page::with(left.status, request, &page)
}

/// The form as it stands before anybody types.
fn own_values(by: &By) -> Form {
    let zone = by.member.time_zone.map(|zone| zone.name().to_owned()).unwrap_or_default();
    let mut own = Form(vec![("name".into(), by.member.name.clone()), ("time_zone".into(), zone)]);
    own.set("theme", by.member.theme.map(Theme::as_str).unwrap_or_default());
    if by.member.shortcuts {
        own.set("shortcuts", "on");
    }
    own
}

/// The same with what another form of the page sent.
fn with_sent(by: &By, form: &Form) -> Form {
    let mut values = own_values(by);
    values.0.extend(
        form.0.iter().filter(|(name, _)| !matches!(&**name, "name" | "time_zone" | "shortcuts" | "theme")).cloned(),
    );
    values
}

async fn refused(request: &HttpRequest, app: &App, by: &By, error: AppError, form: &Form) -> Result<HttpResponse> {
    let (status, errors) = web::refused(error)?;
    page(request, app, by, Some(Left { status, errors, form, fresh: None })).await
}

/// `GET /account`
pub async fn account(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    page(&request, &app, &by, None).await
}

/// `POST /account`: name, zone, theme, whether single keys are shortcuts.
pub async fn save_account(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let zone = form.some("time_zone").map(zones::parse).transpose();
    let saved = async {
        let zone = zone.map_err(|reason| AppError::invalid("time_zone", reason))?;
        let (by, name, shortcuts, now) = (by.clone(), form.get("name").to_owned(), form.ticked("shortcuts"), app.now());
        let theme = match form.get("theme") {
            "" if form.has("theme") => None,
            "" => by.member.theme,
            word => Some(Theme::parse(word).ok_or_else(|| AppError::invalid("theme", "Choose one of the themes."))?),
        };
        let own = move |conn: &mut Conn| {
            let own = Own { name: &name, time_zone: zone.map(|zone| zone.name()), shortcuts, theme };
            actions::update_own(conn, &by, &own, now)
        };
        app.write(own).await
    };
    match saved.await {
        Ok(()) => Ok(see_other("/account", Some(Flash::new("Your account is saved.")))),
        Err(error) => refused(&request, &app, &by, error, &form).await,
    }
}

/// `POST /account/password`
pub async fn save_password(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let browser = known::browser(&request, &app);
    let saved = async {
        let (email, name) = (by.member.email.as_str(), by.member.name.as_str());
        passwords::check(form.raw("password"), &[email, name]).map_err(|r| AppError::invalid("password", r))?;
        let address = web::client_address(&request, &app.config);
        sign_in::confirm(&app, email, form.raw("current"), address, browser.clone()).await?;
        let hash = passwords::hash(&app, form.raw("password"), &[email, name]).await?;
        let (by, enders, now, from) = (by.clone(), app.enders, app.now(), super::origin(&request, &app));
        app.write(move |conn| actions::change_own_password(conn, &by, enders, &hash, &from, now)).await
    };
    match saved.await {
        Ok(session) => {
            let words = "Your password is changed. You are signed out everywhere else, and your API tokens and calendar \
                         addresses are revoked.";
            let entered = Entered { member_id: by.member.id, cookie: session };
            super::let_in(see_other("/account", Some(Flash::new(words))), &app, entered, browser.as_ref())
        }
        Err(error) => refused(&request, &app, &by, error, &with_sent(&by, &form)).await,
    }
}

/// `POST /account/sessions/{session}/end`
pub async fn end_session(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    app.write(move |conn| sign_in::sign_out_there(conn, &by, id.into_inner(), now)).await?;
    Ok(see_other("/account", Some(Flash::new("That browser is signed out."))))
}

/// `POST /account/sessions/end`: all but this one.
pub async fn end_sessions(app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    let ended = app.write(move |conn| sign_in::sign_out_elsewhere(conn, &by, now)).await?;
    let ended = words::counted(i64::try_from(ended).unwrap_or_default(), "other session", "other sessions");
    Ok(see_other("/account", Some(Flash::new(format!("Signed out of {ended}.")))))
}

/// `POST /members/{m}/sessions/end`
pub async fn end_their_sessions(
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    _: Form,
) -> Result<HttpResponse> {
    let (id, now) = (id.into_inner(), app.now());
    let ended = app.write(move |conn| leaving::end_sessions(conn, &by, id, now)).await?;
    let ended = words::counted(i64::try_from(ended).unwrap_or_default(), "session", "sessions");
    Ok(see_other(&format!("/members/{id}"), Some(Flash::new(format!("Ended {ended}.")))))
}

/// `POST /account/tokens`: the answer shows the token, this once.
pub async fn create_token(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    let (asks, now) = (by.clone(), app.now());
    let made = async {
        let (scopes, expires_at) = scopes_and_end(&form, now)?;
        let name = form.get("token_name").to_owned();
        app.write(move |conn| tokens::create(conn, &asks, &New { name: &name, scopes: &scopes, expires_at }, now)).await
    };
    match made.await {
        Ok(text) => {
            let own = own_values(&by);
            let left = Left { status: StatusCode::CREATED, errors: FieldErrors::new(), form: &own, fresh: Some(text) };
            page(&request, &app, &by, Some(left)).await
        }
        Err(error) => refused(&request, &app, &by, error, &with_sent(&by, &form)).await,
    }
}

/// What a token may do and until when, as it was chosen. A word that is no scope is refused, and so is none: whoever wants a
/// token that may do everything says so.
fn scopes_and_end(form: &Form, now: Moment) -> Result<(Vec<Scope>, Option<Moment>)> {
    let mut errors = FieldErrors::new();
    let everything = form.all("scope").any(|word| word == EVERYTHING);
    let scopes: Option<Vec<Scope>> = form.all("scope").filter(|word| *word != EVERYTHING).map(Scope::parse).collect();
    match &scopes {
        None => errors.add("scope", "Choose among the scopes that are shown."),
        Some(scopes) if scopes.is_empty() && !everything => {
            errors.add("scope", "Choose what the token may do: at least one scope, or everything.");
        }
        Some(_) => {}
    }
    let end = form.get("token_expires");
    if !ENDS.iter().any(|(days, _)| *days == end) {
        errors.add("token_expires", "Choose when the token ends.");
    }
    errors.ok_or(())?;
    let scopes = scopes.filter(|_| !everything).unwrap_or_default();
    Ok((scopes, end.parse().ok().map(|days| now.plus(Duration::days(days)))))
}

/// `POST /account/tokens/{t}/revoke`
pub async fn revoke_token(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    app.write(move |conn| tokens::revoke(conn, &by, id.into_inner(), now)).await?;
    Ok(see_other("/account", Some(Flash::new("The token is revoked: it no longer works."))))
}

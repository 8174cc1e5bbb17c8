//! `{A}/settings/notifications`: where the Application's messages go besides its members.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use crate::app::App;
use crate::applications::{self, Entered, settings_shell};
use crate::clock::Moment;
use crate::connections::Tested;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{By, SignedIn};
use crate::notifications::outlets::{self, Draft, Outlet, OutletKind, may_change};
use crate::notifications::slack;
use crate::schedules::About;
use crate::web::{Crumb, Flash, Form, Page, Shell, is_fragment, overtaken, refused, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "notifications/outlets.html")]
struct OutletsPage {
    shell: Shell,
    errors: FieldErrors,
    application: i64,
    cards: Vec<Card>,
    may_change: bool,
    /// Who may.
    administrators: String,
    has_slack: bool,
    zone: Tz,
    now: Moment,
}

impl OutletsPage {
    fn here(&self) -> String {
        here(self.application)
    }

    fn at(&self, at: &Moment) -> String {
        words::short_time(*at, self.now, self.zone)
    }
}

/// One kind of outlet, set up or not.
struct Card {
    kind: OutletKind,
    outlet: Option<Outlet>,
    about: String,
    channel: String,
    version: String,
    errors: FieldErrors,
    /// Secrets were typed, and are never sent back.
    typed_url: bool,
    typed_secret: bool,
    tested: Option<Tested>,
}

impl Card {
    fn of(kind: OutletKind, outlet: Option<Outlet>) -> Self {
        Self {
            kind,
            about: outlet.as_ref().map_or(About::Failed, |outlet| outlet.about).as_str().to_owned(),
            channel: outlet.as_ref().map(|outlet| outlet.address.clone()).unwrap_or_default(),
            version: outlet.as_ref().map(|outlet| outlet.version.to_string()).unwrap_or_default(),
            outlet,
            errors: FieldErrors::new(),
            typed_url: false,
            typed_secret: false,
            tested: None,
        }
    }

    fn id(&self, name: &str) -> String {
        format!("{}-{name}", self.kind.slug())
    }

    fn lede(&self) -> &'static str {
        match self.kind {
            OutletKind::SlackChannel => "Posts through the Workspace's Slack app. Invite the app to the channel first.",
            OutletKind::SlackWebhook => {
                "Posts to one channel, through an address that Slack creates for it. Needs no Slack app here."
            }
            OutletKind::Webhook => {
                "Sends signed JSON to Microsoft Teams, an alerting system or any other address that accepts it."
            }
        }
    }

    fn choices(&self) -> Vec<(&'static str, &'static str)> {
        About::ALL.iter().map(|about| (about.as_str(), about.words())).collect()
    }
}

/// What a form left behind at one card.
struct Left {
    kind: OutletKind,
    status: StatusCode,
    form: Form,
    errors: FieldErrors,
    tested: Option<Tested>,
}

/// What a test found, by itself: what was typed stays where it is.
#[derive(Template)]
#[template(path = "web/tested_part.html")]
struct TestedPart {
    tested: Option<Tested>,
    /// Which fields are wrong, and how.
    wrong: Vec<(String, String)>,
}

struct Place {
    entered: Entered,
    outlets: Vec<Outlet>,
    administrators: String,
    has_slack: bool,
}

async fn place(app: &App, by: &By, application: i64) -> Result<Place> {
    let by = by.clone();
    app.read(move |conn| {
        let entered = applications::enter(conn, &by, application)?;
        let outlets = outlets::list(conn, &by, &entered)?;
        let administrators = crate::members::administrators(conn)?.into_iter().map(|member| member.name).collect();
        Ok(Place {
            entered,
            outlets,
            administrators: crate::members::names(administrators),
            has_slack: slack::state(conn)?.is_some(),
        })
    })
    .await
}

fn page(request: &HttpRequest, app: &App, by: &By, place: Place, left: Option<Left>) -> Result<HttpResponse> {
    let application = &place.entered.application;
    let mut cards: Vec<Card> = OutletKind::ALL
        .iter()
        .map(|kind| Card::of(*kind, place.outlets.iter().find(|outlet| outlet.kind == *kind).cloned()))
        .collect();
    let (mut status, mut errors) = (StatusCode::OK, FieldErrors::new());
    if let Some(left) = left
        && let Some(card) = cards.iter_mut().find(|card| card.kind == left.kind)
    {
        status = left.status;
        card.about = left.form.get("about").to_owned();
        card.channel = left.form.get("channel").to_owned();
        card.version = left.form.get("version").to_owned();
        card.typed_url = !left.form.get("url").is_empty();
        card.typed_secret = !left.form.raw("secret").is_empty();
        card.tested = left.tested;
        for error in left.errors.0 {
            let field = if error.field.is_empty() { String::new() } else { card.id(&error.field) };
            errors.add(field.clone(), error.detail.clone());
            card.errors.add(field, error.detail);
        }
    }
    let template = OutletsPage {
        shell: settings_shell(request, app, by, &place.entered, "Notifications")
            .at(&here(application.id))
            .crumbs([Crumb::here("Notifications")]),
        errors,
        application: application.id,
        cards,
        may_change: may_change(by),
        administrators: place.administrators,
        has_slack: place.has_slack,
        zone: by.member.time_zone.unwrap_or(application.time_zone),
        now: app.now(),
    };
    Page::with(status, request, &template)
}

fn typed(form: &Form) -> Draft {
    Draft {
        about: form.get("about").to_owned(),
        channel: form.get("channel").to_owned(),
        url: form.get("url").to_owned(),
        secret: form.raw("secret").to_owned(),
        version: form.id("version"),
    }
}

fn kind(form: &Form) -> Result<OutletKind> {
    OutletKind::parse(form.get("outlet")).ok_or_else(|| AppError::invalid("", "Choose where to post."))
}

/// Where the page is.
fn here(application: i64) -> String {
    format!("/applications/{application}/settings/notifications")
}

/// `GET {A}/settings/notifications`
pub async fn show(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let place = place(&app, &by, *id).await?;
    page(&request, &app, &by, place, None)
}

/// Whoever may not change it is told before what is wrong.
async fn enter(app: &App, by: &By, application: i64) -> Result<()> {
    let by = by.clone();
    app.read(move |conn| {
        applications::enter(conn, &by, application)?;
        by.need_administrator(conn)
    })
    .await
}

/// `POST {A}/settings/notifications` with `outlet`, its kind.
pub async fn save(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    enter(&app, &by, id).await?;
    let kind = kind(&form)?;
    let (who, secrets, network, now) = (by.clone(), app.secrets.clone(), app.outside().network, app.now());
    let typed = typed(&form);
    let saved = app.write(move |conn| outlets::save(conn, &secrets, &network, &who, (id, kind), &typed, now)).await;
    match saved {
        Ok(outlet) => {
            let words = format!("Saved. {} posts about: {}.", outlet.words(), outlet.about.words());
            Ok(see_other(&here(id), Some(Flash::new(words))))
        }
        Err(error) => {
            let place = place(&app, &by, id).await?;
            let version = place.outlets.iter().find(|outlet| outlet.kind == kind).map_or(0, |outlet| outlet.version);
            let mut form = form;
            let error = overtaken(error, version, |version| form.set("version", version));
            let (status, errors) = refused(error)?;
            page(&request, &app, &by, place, Some(Left { kind, status, form, errors, tested: None }))
        }
    }
}

/// `POST {A}/settings/notifications/test`: sends a message to what was typed.
pub async fn test(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    enter(&app, &by, id).await?;
    let kind = kind(&form)?;
    let mut wrong = Vec::new();
    let (status, errors, tested) = match outlets::test(&app, &by, (id, kind), typed(&form)).await {
        Ok(tested) => (StatusCode::OK, FieldErrors::new(), Some(tested)),
        Err(AppError::Invalid(errors)) if is_fragment(&request) => {
            let words = errors.details();
            let at = |field: &str| format!("{}-{field}", kind.slug());
            wrong.extend(errors.0.into_iter().map(|error| (at(&error.field), error.detail)));
            (StatusCode::OK, FieldErrors::new(), Some(Tested { good: false, words }))
        }
        Err(AppError::Conflict(words)) if is_fragment(&request) => {
            (StatusCode::OK, FieldErrors::new(), Some(Tested { good: false, words }))
        }
        Err(error) => {
            let (status, errors) = refused(error)?;
            (status, errors, None)
        }
    };
    if is_fragment(&request) && status == StatusCode::OK {
        return Page::ok(&request, &TestedPart { tested, wrong });
    }
    let place = place(&app, &by, id).await?;
    page(&request, &app, &by, place, Some(Left { kind, status, form, errors, tested }))
}

/// `GET …/test`: of whoever loads the page of a test again.
pub async fn back(request: HttpRequest, SignedIn(_): SignedIn) -> HttpResponse {
    see_other(request.path().trim_end_matches("/test"), None)
}

/// `POST {A}/settings/notifications/remove`
pub async fn remove(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let id = id.into_inner();
    enter(&app, &by, id).await?;
    let (kind, version) = (kind(&form)?, form.id("version"));
    let now = app.now();
    app.write(move |conn| outlets::remove(conn, &by, (id, kind), version, now)).await?;
    Ok(see_other(&here(id), Some(Flash::new(format!("{} is removed.", kind.label())))))
}

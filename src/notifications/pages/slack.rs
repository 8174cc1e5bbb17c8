//! `/settings/slack`: the Workspace's Slack.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use crate::app::App;
use crate::clock::Moment;
use crate::error::{FieldErrors, Result};
use crate::members::{self, By, SignedIn, shell};
use crate::notifications::slack::{self, SlackState};
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};
use crate::words;
use crate::workspace;

/// Where it is.
const HERE: &str = "/settings/slack";

#[derive(Template)]
#[template(path = "notifications/slack.html")]
struct SlackPage {
    shell: Shell,
    errors: FieldErrors,
    /// Something was typed, and is never sent back.
    typed: bool,
    state: Option<SlackState>,
    /// What a test found.
    tested: Option<std::result::Result<String, String>>,
    email: String,
    zone: Tz,
    now: Moment,
}

impl SlackPage {
    fn at(&self, at: &Moment) -> String {
        words::short_time_within(*at, self.now, self.zone)
    }
}

async fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    (status, errors): (StatusCode, FieldErrors),
    tested: Option<std::result::Result<String, String>>,
) -> Result<HttpResponse> {
    let (state, workspace) = app.read(|conn| Ok((slack::state(conn)?, workspace::get(conn)?))).await?;
    let template = SlackPage {
        shell: shell(request, app, by, "Slack").at(HERE).crumbs([Crumb::here("Slack")]),
        typed: !errors.is_empty(),
        errors,
        state,
        tested,
        email: by.member.email.clone(),
        zone: by.member.time_zone.unwrap_or(workspace.time_zone),
        now: app.now(),
    };
    Page::with(status, request, &template)
}

fn fine() -> (StatusCode, FieldErrors) {
    (StatusCode::OK, FieldErrors::new())
}

/// `GET /settings/slack`
pub async fn show(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    page(&request, &app, &by, fine(), None).await
}

/// `POST /settings/slack`: sets the token, once Slack has accepted it.
pub async fn save(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    match slack::set(&app, &by, form.get("token")).await {
        Ok(team) => {
            let words = format!("Slack is set up for the Slack workspace {team}.");
            Ok(see_other(HERE, Some(Flash::new(words))))
        }
        Err(error) => page(&request, &app, &by, refused(error)?, None).await,
    }
}

/// `POST /settings/slack/test`
pub async fn test(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    let tested = slack::test(&app, &by).await?;
    page(&request, &app, &by, fine(), Some(tested)).await
}

/// `POST /settings/slack/remove`
pub async fn remove(app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    let now = app.now();
    app.write(move |conn| slack::remove(conn, &by, now)).await?;
    Ok(see_other(HERE, Some(Flash::new("Slack is removed, and its token is deleted."))))
}

//! `/notifications/settings`: by which ways a member is told, and of what.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::{SignedIn, shell};
use crate::notifications::store::Choice;
use crate::notifications::{actions, slack};
use crate::schedules::held_by;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;
use crate::workspace;

#[derive(Template)]
#[template(path = "notifications/settings.html")]
struct SettingsPage {
    shell: Shell,
    email: String,
    choice: Choice,
    zone: String,
    no_server: bool,
    /// The Workspace has a Slack.
    has_slack: bool,
    /// Application, its schedules, how many name the member.
    told: Vec<(String, String, String)>,
}

/// `GET /notifications/settings`
pub async fn settings(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let who = by.clone();
    let (choice, held, workspace, has_slack) = app
        .read(move |conn| {
            let has_slack = slack::state(conn)?.is_some();
            Ok((actions::choice(conn, &who)?, held_by(conn, who.member.id)?, workspace::get(conn)?, has_slack))
        })
        .await?;
    let told = held.into_iter().filter(|held| held.told > 0).map(|held| {
        let href = format!("/applications/{}/settings/import-scheduling", held.application.id);
        (held.application.name, href, words::counted(held.told, "schedule", "schedules"))
    });
    let template = SettingsPage {
        shell: shell(&request, &app, &by, "Notification settings")
            .at("/notifications")
            .crumbs([Crumb::to("Inbox", "/notifications"), Crumb::here("Notification settings")]),
        email: by.member.email.clone(),
        choice,
        zone: by.member.time_zone.unwrap_or(workspace.time_zone).to_string(),
        no_server: app.mail.folder().is_some(),
        has_slack,
        told: told.collect(),
    };
    Page::ok(&request, &template)
}

/// `POST /notifications/settings`
pub async fn save_settings(app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let when = form.get("mail_when").to_owned();
    let hour: i32 = match form.get("digest_hour") {
        "" => 8,
        hour => hour.parse().unwrap_or(-1),
    };
    if !matches!(when.as_str(), "" | "at_once" | "failures" | "daily") {
        return Err(AppError::invalid("mail_when", "Choose when to send e-mail."));
    }
    if !(0..24).contains(&hour) {
        return Err(AppError::invalid("digest_hour", "Choose an hour of the day."));
    }
    let email = form.ticked("email");
    let by_mail = match (email, when.as_str()) {
        (false, _) => None,
        (true, "failures") => Some(format!("by e-mail: problems at once, the rest at {hour:02}:00")),
        (true, "daily") => Some(format!("by a daily mail at {hour:02}:00")),
        (true, _) => Some("by e-mail".to_owned()),
    };
    let ticked = form.ticked("slack");
    let slack = app
        .write(move |conn| {
            let kept = actions::choice(conn, &by)?;
            let digest_hour = Some(hour).filter(|_| matches!(when.as_str(), "failures" | "daily"));
            // Without a Slack the page does not ask.
            let has_slack = slack::state(conn)?.is_some();
            let slack = if has_slack { ticked } else { kept.slack };
            actions::choose(conn, &by, Choice { email, slack, digest_hour, digest_all: when == "daily" })?;
            Ok(has_slack && slack)
        })
        .await?;
    // Who chooses it is not left to believe that it comes.
    let unsent = by_mail.is_some() && app.mail.folder().is_some();
    let said = match (by_mail, slack) {
        (None, false) => "Saved. You are notified in your inbox only.".to_owned(),
        (None, true) => "Saved. You are notified in your inbox and in Slack.".to_owned(),
        (Some(mail), false) if mail == "by e-mail" => "Saved. You are notified in your inbox and by e-mail.".to_owned(),
        (Some(mail), false) => format!("Saved. You are notified in your inbox, and {mail}."),
        (Some(mail), true) => format!("Saved. You are notified in your inbox, in Slack and {mail}."),
    };
    let unsent = if unsent { " No e-mail is sent until whoever runs the server sets up a mail server." } else { "" };
    Ok(see_other("/notifications/settings", Some(Flash::new(format!("{said}{unsent}")))))
}

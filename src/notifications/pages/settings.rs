//! `/notifications/settings`: by which ways a member is told, and of what.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::{SignedIn, shell};
use crate::notifications::actions;
use crate::notifications::store::Choice;
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
    /// Application, its schedules, how many name the member.
    told: Vec<(String, String, String)>,
}

/// `GET /notifications/settings`
pub async fn settings(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let who = by.clone();
    let (choice, held, workspace) = app
        .read(move |conn| Ok((actions::choice(conn, &who)?, held_by(conn, who.member.id)?, workspace::get(conn)?)))
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
        told: told.collect(),
    };
    Page::ok(&request, &template)
}

/// `POST /notifications/settings`
pub async fn save_settings(app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let when = form.get("mail_when").to_owned();
    let hour: i32 = form.get("digest_hour").parse().unwrap_or(8);
    if !(0..24).contains(&hour) {
        return Err(AppError::invalid("digest_hour", "Choose an hour of the day."));
    }
    let email = form.ticked("email");
    let said = match (email, when.as_str()) {
        (false, _) => "Saved. You are notified in the inbox alone.".to_owned(),
        (true, "failures" | "daily") => format!("Saved. You are notified in the inbox, and by a mail at {hour:02}:00."),
        (true, _) => "Saved. You are notified in the inbox and by e-mail.".to_owned(),
    };
    app.write(move |conn| {
        let kept = actions::choice(conn, &by)?;
        let digest_hour = Some(hour).filter(|_| matches!(when.as_str(), "failures" | "daily"));
        actions::choose(conn, &by, Choice { email, digest_hour, digest_all: when == "daily", ..kept })
    })
    .await?;
    Ok(see_other("/notifications/settings", Some(Flash::new(said))))
}

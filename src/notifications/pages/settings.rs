//! `/notifications/settings`: by which ways a member is told, and of what.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::Result;
use crate::members::{SignedIn, shell};
use crate::notifications::actions;
use crate::schedules::held_by;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "notifications/settings.html")]
struct SettingsPage {
    shell: Shell,
    email: String,
    wants_mail: bool,
    no_server: bool,
    /// Application, its schedules, how many name the member.
    told: Vec<(String, String, String)>,
}

/// `GET /notifications/settings`
pub async fn settings(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let who = by.clone();
    let (wants_mail, held) =
        app.read(move |conn| Ok((actions::wants_mail(conn, &who)?, held_by(conn, who.member.id)?))).await?;
    let told = held.into_iter().filter(|held| held.told > 0).map(|held| {
        let href = format!("/applications/{}/settings/import-scheduling", held.application.id);
        (held.application.name, href, words::counted(held.told, "schedule", "schedules"))
    });
    let template = SettingsPage {
        shell: shell(&request, &app, &by, "Notification settings")
            .at("/notifications")
            .crumbs([Crumb::to("Inbox", "/notifications"), Crumb::here("Notification settings")]),
        email: by.member.email.clone(),
        wants_mail,
        no_server: app.mail.folder().is_some(),
        told: told.collect(),
    };
    Page::ok(&request, &template)
}

/// `POST /notifications/settings`
pub async fn save_settings(app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let email = form.ticked("email");
    app.write(move |conn| actions::choose_mail(conn, &by, email)).await?;
    let said = match email {
        true => "Saved. You are notified in the inbox and by e-mail.",
        false => "Saved. You are notified in the inbox alone.",
    };
    Ok(see_other("/notifications/settings", Some(Flash::new(said))))
}

//! Where mail goes, and a way to try it.

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use lettre::message::Mailbox;
use serde_json::json;

use crate::app::App;
use crate::audit::Entry;
use crate::error::{AppError, FieldErrors, Result};
use crate::mail::Mail;
use crate::members::shell::shell;
use crate::members::{SignedIn, actions};
use crate::web::{self, Crumb, Flash, Form, Page, Shell, see_other};
use crate::workspace;

#[derive(Template)]
#[template(path = "members/mail.html")]
struct MailPage {
    shell: Shell,
    errors: FieldErrors,
    /// Where mail is written when there is no server.
    folder: Option<String>,
    from: String,
    to: String,
}

/// `GET /settings/mail`
pub async fn mail(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let page = page(&request, &app, &by, FieldErrors::new());
    Page::ok(&request, &page)
}

fn page(request: &HttpRequest, app: &App, by: &crate::members::By, errors: FieldErrors) -> MailPage {
    MailPage {
        shell: shell(request, app, by, "Mail").at("/settings/mail").crumbs([Crumb::here("Mail")]),
        errors,
        folder: app.mail.folder().map(|folder| folder.display().to_string()),
        from: app.config.mail_from.clone(),
        to: by.member.email.clone(),
    }
}

/// `POST /settings/mail/test`
pub async fn send_test(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, _: Form) -> Result<HttpResponse> {
    actions::need_administrator(&app, &by).await?;
    let address =
        by.member.email.parse().map_err(|_| AppError::Conflict("Your e-mail address is not valid.".into()))?;
    let sent = async {
        app.read(workspace::need_sending).await?;
        let mail = Mail {
            to: Mailbox::new(Some(by.member.name.clone()), address),
            subject: "A test mail from Tidegate".into(),
            text: format!("This test mail from {} has reached you.\n", app.base_url),
            html: format!("<p>This test mail from {} has reached you.</p>", app.base_url),
            message_id: None,
            thread: None,
        };
        let sent = app.mail.send(mail).await;
        let answer = sent.as_ref().err().map_or_else(|| "It was accepted.".to_owned(), |error| error.to_string());
        let entry = Entry::about("mail.tested", "workspace").after(json!({ "to": by.member.email, "answer": answer }));
        let (by, now) = (by.clone(), app.now());
        app.write(move |conn| by.audit(conn, entry, now)).await?;
        sent
    };
    match sent.await {
        Ok(()) => {
            let to = &by.member.email;
            let words = match app.mail.folder() {
                Some(_) => format!("A test mail to {to} was written as a file on the server. It was not sent."),
                None => format!("A test mail is on its way to {to}."),
            };
            Ok(see_other("/settings/mail", Some(Flash::new(words))))
        }
        Err(error) => {
            let (status, errors) = web::refused(error)?;
            Page::with(status, &request, &page(&request, &app, &by, errors))
        }
    }
}

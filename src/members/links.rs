//! Links that open one door once: how they reach the person whom they are for. Of a link's text nothing is kept but its
//! hash.

use askama::Template;
use lettre::message::Mailbox;
use url::Url;

use crate::app::App;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::mail::{Mail, Sent};
use crate::names::one_line;
use crate::workspace;

/// How a link got on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    Mailed,
    /// It is shown this once, to be handed over; and why it was not mailed, as a sentence.
    Shown {
        url: String,
        why: String,
    },
}

/// A mail with a link.
pub(super) struct Letter {
    pub workspace: String,
    pub title: String,
    pub detail: String,
    pub button: &'static str,
    pub url: String,
    /// When it ends, and what to do with it otherwise.
    pub ends: String,
    /// Why it was sent.
    pub because: &'static str,
    /// Name and address.
    pub to: (String, String),
}

#[derive(Template)]
#[template(path = "letters/link.html")]
struct Html<'a>(&'a Letter);

#[derive(Template)]
#[template(path = "letters/link.txt")]
struct Text<'a>(&'a Letter);

/// An address of this installation, as people reach it.
pub(super) fn address(base: &Url, door: &str, token: &str) -> Result<String> {
    base.join(&format!("{door}/{token}")).map(String::from).map_err(AppError::internal)
}

/// Why no link is mailed from here, as a sentence; `None`: links are mailed.
pub fn unmailed(app: &App, conn: &mut Conn) -> Result<Option<&'static str>> {
    if workspace::standing_by_since(conn)?.is_some() {
        return Ok(Some("This Workspace is a copy that stands by, and sends no mail."));
    }
    Ok(app.mail.folder().map(|_| "This Workspace has no mail server."))
}

pub(super) async fn post(app: &App, letter: &Letter) -> Result<Sent> {
    let (name, email) = &letter.to;
    let address = email.parse().map_err(|_| AppError::Conflict(format!("\"{email}\" is no e-mail address.")))?;
    let mail = Mail {
        to: Mailbox::new(Some(one_line(name)), address),
        subject: letter.title.clone(),
        text: Text(letter).render().map_err(AppError::internal)?,
        html: Html(letter).render().map_err(AppError::internal)?,
        message_id: None,
        thread: None,
    };
    Ok(app.mail.hand_over(mail).await)
}

/// Mails a link for somebody who waits for the answer; what cannot be mailed is shown.
pub(super) async fn send(app: &App, letter: Letter, unmailed: Option<&str>) -> Result<Way> {
    let why = match unmailed {
        Some(why) => why.to_owned(),
        None => match post(app, &letter).await? {
            Sent::Accepted => return Ok(Way::Mailed),
            Sent::Refused(why) | Sent::Later(why) => why,
        },
    };
    Ok(Way::Shown { url: letter.url, why })
}

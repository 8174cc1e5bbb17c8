//! Sending mail: through SMTP, or without a server into files (`data-dir/mail`), or into memory for tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use crate::error::{AppError, Result};
use crate::names::one_line;

/// A mail in both forms.
pub struct Mail {
    pub to: Mailbox,
    pub subject: String,
    pub text: String,
    pub html: String,
    /// `<…@…>`, the same whenever it is sent once more; `None`: any.
    pub message_id: Option<String>,
    /// What it belongs to, as an id of the same form: programs show such mails together.
    pub thread: Option<String>,
}

/// What became of a mail that was handed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sent {
    Accepted,
    /// For good. A sentence.
    Refused(String),
    /// Not now, or nobody knows. A sentence.
    Later(String),
}

/// So long may a mail server take for one message.
const PATIENCE: Duration = Duration::from_secs(90);

/// Says that no person wrote it, so that no absence note answers.
#[derive(Clone)]
struct Automatic;

impl Header for Automatic {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

#[derive(Clone)]
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

#[derive(Clone)]
enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Files(PathBuf),
    Memory(Arc<Mutex<Vec<String>>>),
}

impl Mailer {
    /// By SMTP when there is a URL, else into `folder`.
    pub fn new(from: &str, smtp_url: Option<&str>, folder: PathBuf) -> Result<Self, String> {
        let way = match smtp_url {
            Some(url) => Way::Smtp(
                AsyncSmtpTransport::<Tokio1Executor>::from_url(url).map_err(|e| format!("--smtp-url: {e}"))?.build(),
            ),
            None => Way::Files(folder),
        };
        Ok(Self { from: from.parse().map_err(|e| format!("--mail-from: {e}"))?, way })
    }

    /// Keeps mail in memory; the list holds each message as it would go over the wire.
    pub fn in_memory() -> (Self, Arc<Mutex<Vec<String>>>) {
        let box_ = Arc::new(Mutex::new(Vec::new()));
        let from = Mailbox::new(None, lettre::Address::new_dangerous("tidegate", "localhost"));
        (Self { from, way: Way::Memory(box_.clone()) }, box_)
    }

    /// Where mail goes when there is no server, to be told on pages.
    pub fn folder(&self) -> Option<&PathBuf> {
        match &self.way {
            Way::Files(folder) => Some(folder),
            _ => None,
        }
    }

    /// Hands a mail over; the error is a sentence for the Administrator.
    pub async fn send(&self, mail: Mail) -> Result<()> {
        match self.hand_over(mail).await {
            Sent::Accepted => Ok(()),
            Sent::Refused(said) | Sent::Later(said) => Err(AppError::Conflict(said)),
        }
    }

    /// Hands a mail over, and says whether it is worth trying again.
    pub async fn hand_over(&self, mail: Mail) -> Sent {
        let message = match self.message(mail) {
            Ok(message) => message,
            Err(error) => return Sent::Refused(format!("The message could not be written: {error}.")),
        };
        match &self.way {
            Way::Smtp(transport) => match tokio::time::timeout(PATIENCE, transport.send(message)).await {
                Ok(Ok(_)) => Sent::Accepted,
                Ok(Err(error)) if error.is_permanent() => {
                    Sent::Refused(format!("The mail server refused the message: {error}."))
                }
                Ok(Err(error)) => Sent::Later(format!("The mail server did not take the message: {error}.")),
                Err(_) => Sent::Later("The mail server did not answer in time.".to_owned()),
            },
            Way::Files(folder) => {
                let name = format!("{}.eml", crate::secrets::random_token());
                let written = async {
                    tokio::fs::create_dir_all(folder).await?;
                    tokio::fs::write(folder.join(name), message.formatted()).await
                };
                match written.await {
                    Ok(()) => Sent::Accepted,
                    Err(error) => Sent::Later(format!("The message could not be written to a file: {error}.")),
                }
            }
            Way::Memory(box_) => {
                let text = String::from_utf8_lossy(&message.formatted()).into_owned();
                box_.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(text);
                Sent::Accepted
            }
        }
    }

    fn message(&self, mail: Mail) -> Result<Message, lettre::error::Error> {
        let builder = match mail.thread {
            Some(thread) => Message::builder().references(thread.clone()).in_reply_to(thread),
            None => Message::builder(),
        };
        builder
            .from(self.from.clone())
            .to(mail.to)
            .message_id(mail.message_id)
            .header(Automatic)
            // One line of a bearable length, whatever somebody called their import.
            .subject(one_line(&mail.subject).chars().take(200).collect::<String>())
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
    }
}

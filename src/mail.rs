//! Sending mail: through SMTP, or without a server into files (`data-dir/mail`), or into memory for tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use lettre::message::header::{Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp;
use lettre::transport::smtp::AsyncSmtpTransportBuilder;
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use url::Url;

use crate::connectors::{self, NetworkPolicy, SystemLookup};
use crate::error::{AppError, Result};
use crate::names::short_line;

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
const LONGEST_SUBJECT: usize = 200;
const LONGEST_NAME: usize = 200;
/// So much of what a server says is repeated.
const LONGEST_ANSWER: usize = 300;

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

/// A mail server.
struct Smtp {
    how: AsyncSmtpTransportBuilder,
    /// With the connections that are open. After a silence it is made anew: they would be waited for again.
    transport: Mutex<AsyncSmtpTransport<Tokio1Executor>>,
    host: String,
    /// What may be reached.
    network: NetworkPolicy,
}

impl Smtp {
    fn transport(&self) -> MutexGuard<'_, AsyncSmtpTransport<Tokio1Executor>> {
        self.transport.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn hand_over(&self, message: Message) -> Sent {
        let host = &self.host;
        if let Err(refused) = connectors::check_host(&self.network, &SystemLookup, host).await {
            return Sent::Later(format!("The mail server {host} cannot be reached. {refused}"));
        }
        let transport = self.transport().clone();
        match tokio::time::timeout(PATIENCE, transport.send(message)).await {
            Ok(Ok(_)) => Sent::Accepted,
            Ok(Err(error)) => not_accepted(&error, host),
            Err(_) => {
                *self.transport() = self.how.clone().build();
                Sent::Later("The mail server did not answer in time.".to_owned())
            }
        }
    }
}

#[derive(Clone)]
enum Way {
    Smtp(Arc<Smtp>),
    Files(PathBuf),
    Memory(Arc<Mutex<Vec<String>>>),
}

impl Mailer {
    /// By SMTP when there is a URL, whose host `network` must allow; else into `folder`.
    pub fn new(from: &str, smtp_url: Option<&str>, network: NetworkPolicy, folder: PathBuf) -> Result<Self, String> {
        let way = match smtp_url {
            Some(url) => {
                let url = encrypted(url)?;
                let host = url.host_str().unwrap_or_default().to_owned();
                let how = AsyncSmtpTransport::<Tokio1Executor>::from_url(url.as_str());
                let how = how.map_err(|e| format!("--smtp-url: {e}"))?;
                let transport = Mutex::new(how.clone().build());
                Way::Smtp(Arc::new(Smtp { how, transport, host, network }))
            }
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
            Way::Smtp(smtp) => smtp.hand_over(message).await,
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
            .to(Mailbox::new(mail.to.name.as_deref().map(|name| in_header(name, LONGEST_NAME)), mail.to.email))
            .message_id(mail.message_id)
            .header(Automatic)
            // Whatever somebody called their import.
            .subject(in_header(&mail.subject, LONGEST_SUBJECT))
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
    }
}

/// A text for a header: one line, and nothing that reads as an encoded word (RFC 2047), which may hold anything.
fn in_header(text: &str, most: usize) -> String {
    short_line(&text.replace("=?", "= ?"), most)
}

/// `smtp://` is encrypted where the server offers it, and in any case before a password is said; `?tls=required`,
/// `opportunistic` or `none` says otherwise.
fn encrypted(url: &str) -> Result<Url, String> {
    let mut url = Url::parse(url).map_err(|e| format!("--smtp-url: {e}"))?;
    if url.scheme() != "smtp" {
        return Ok(url);
    }
    let tls = url.query_pairs().find(|(name, _)| name == "tls").map(|(_, value)| value.into_owned());
    match tls.as_deref() {
        Some("required" | "opportunistic") => {}
        Some("none") => url.set_query(None),
        Some(other) => return Err(format!("--smtp-url: tls={other} is none of required, opportunistic and none")),
        None if url.password().is_some() => url.set_query(Some("tls=required")),
        None => {
            url.set_query(Some("tls=opportunistic"));
            if url.port().is_none() {
                let _ = url.set_port(Some(25));
            }
        }
    }
    Ok(url)
}

/// What a server said instead, or why it could not be asked.
fn not_accepted(error: &smtp::Error, host: &str) -> Sent {
    if let Some(why) = connectors::distrust(error) {
        let mend = "Ask the operator to correct its certificate or --smtp-url.";
        return Sent::Later(format!(
            "The encrypted connection to the mail server {host} cannot be trusted: {why}. {mend}"
        ));
    }
    let said = short_line(&error.to_string(), LONGEST_ANSWER);
    let said = said.trim_end_matches('.');
    match error.status().map(|code| code.to_string()).as_deref() {
        // Of the sign-in and not of the message, which waits until the operator has mended it.
        Some("530" | "534" | "535" | "538") => Sent::Later(format!(
            "The mail server did not accept the sign-in: {said}. Ask the operator to correct --smtp-url."
        )),
        Some(_) if error.is_permanent() => Sent::Refused(format!("The mail server refused the message: {said}.")),
        _ if error.is_timeout() => Sent::Later("The mail server did not answer in time.".to_owned()),
        _ => match connectors::find::<std::io::Error>(error).map(std::io::Error::kind) {
            Some(std::io::ErrorKind::ConnectionRefused) => {
                Sent::Later(format!("The mail server {host} refused the connection. Check that it is running."))
            }
            _ => Sent::Later(format!("The mail server did not accept the message: {said}.")),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_said_encrypted_alone() {
        for (given, used) in [
            ("smtp://mail.test", "smtp://mail.test:25?tls=opportunistic"),
            ("smtp://mail.test:26", "smtp://mail.test:26?tls=opportunistic"),
            ("smtp://me:secret@mail.test", "smtp://me:secret@mail.test?tls=required"),
            ("smtp://me:secret@mail.test?tls=none", "smtp://me:secret@mail.test"),
            ("smtp://mail.test?tls=required", "smtp://mail.test?tls=required"),
            ("smtps://me:secret@mail.test", "smtps://me:secret@mail.test"),
        ] {
            assert_eq!(encrypted(given).unwrap().as_str(), used);
        }
        assert!(encrypted("smtp://mail.test?tls=maybe").unwrap_err().starts_with("--smtp-url: tls=maybe"));
        assert!(encrypted("mail.test").unwrap_err().starts_with("--smtp-url"));
    }
}

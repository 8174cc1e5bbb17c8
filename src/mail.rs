//! Sending mail: through SMTP, or without a server into files (`data-dir/mail`), or into memory for tests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

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
        let message = Message::builder()
            .from(self.from.clone())
            .to(mail.to)
            // One line of a bearable length, whatever somebody called their import.
            .subject(one_line(&mail.subject).chars().take(200).collect::<String>())
            .multipart(MultiPart::alternative_plain_html(mail.text, mail.html))
            .map_err(AppError::internal)?;
        match &self.way {
            Way::Smtp(transport) => {
                transport
                    .send(message)
                    .await
                    .map_err(|e| AppError::Conflict(format!("the mail server did not take the message: {e}")))?;
            }
            Way::Files(folder) => {
                let name = format!("{}.eml", crate::secrets::random_token());
                let written = async {
                    tokio::fs::create_dir_all(folder).await?;
                    tokio::fs::write(folder.join(name), message.formatted()).await
                };
                written.await.map_err(AppError::internal)?;
            }
            Way::Memory(box_) => {
                let text = String::from_utf8_lossy(&message.formatted()).into_owned();
                box_.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).push(text);
            }
        }
        Ok(())
    }
}

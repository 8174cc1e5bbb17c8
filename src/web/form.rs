//! What a form sends: pairs, in order, repeated names included (actix's own extractor refuses those).

use std::pin::Pin;

use actix_multipart::Multipart;
use actix_web::web::{Bytes, Data};
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::Future;

use super::arrival::{self, Pace};
use super::{csrf, guard};
use crate::app::App;
use crate::db::meaning;
use crate::error::{AppError, FieldErrors};
use crate::shape::MOST_IDS;
use crate::spool::Spooled;

/// The pairs of a form or of a query string.
#[derive(Clone, Debug, Default)]
pub struct Form(pub Vec<(String, String)>);

impl Form {
    /// From `a=1&b=2`, percent-encoded. A NUL, which PostgreSQL's text cannot hold, becomes the sign for what cannot
    /// be shown.
    pub fn parse(encoded: &[u8]) -> Self {
        let mut pairs: Vec<(String, String)> = serde_html_form::from_bytes(encoded).unwrap_or_default();
        for (_, value) in &mut pairs {
            if value.contains('\0') {
                *value = value.replace('\0', "\u{fffd}");
            }
        }
        Self(pairs)
    }

    /// The first value of a name, outer spaces cut; `""` where it is absent.
    pub fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.trim())
    }

    /// Gives a name this value and no other.
    pub fn set(&mut self, name: &str, value: impl ToString) {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), value.to_string()));
    }

    /// The value as it was typed, spaces and all: for passwords, delimiters and quotes.
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v.as_str())
    }

    /// `None` where the value is absent or empty.
    pub fn some(&self, name: &str) -> Option<&str> {
        Some(self.get(name)).filter(|v| !v.is_empty())
    }

    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.trim())
    }

    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(n, _)| n == name)
    }

    /// Whether a check box was ticked.
    pub fn ticked(&self, name: &str) -> bool {
        self.0.iter().any(|(n, v)| n == name && matches!(v.as_str(), "on" | "1" | "true"))
    }

    pub fn id(&self, name: &str) -> Option<i64> {
        self.get(name).parse().ok()
    }

    /// The ids of a name, each once, in their order. What is none is refused, for without it the list says something else.
    /// No page of ours sends thousands.
    pub fn ids(&self, name: &str) -> Result<Vec<i64>, FieldErrors> {
        let ids: Result<Vec<i64>, _> = self.all(name).filter(|value| !value.is_empty()).map(str::parse).collect();
        let mut ids = ids.map_err(|_| FieldErrors::one(name, "Choose among those that are shown."))?;
        ids.sort_unstable();
        ids.dedup();
        if ids.len() > MOST_IDS {
            return Err(FieldErrors::one(name, "At most 1,000 can be chosen at once."));
        }
        Ok(ids)
    }
}

impl FromRequest for Form {
    type Error = actix_web::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Self::Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, bytes) = (request.clone(), Bytes::from_request(request, payload));
        Box::pin(async move { Ok(Form::parse(&arrival::soon(&request, bytes).await??)) })
    }
}

/// The query string as pairs.
#[derive(Clone, Debug, Default)]
pub struct Query(pub Form);

impl FromRequest for Query {
    type Error = actix_web::Error;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(Ok(Query(Form::parse(request.query_string().as_bytes()))))
    }
}

impl std::ops::Deref for Query {
    type Target = Form;

    fn deref(&self) -> &Form {
        &self.0
    }
}

/// A form with one file in it. The file is written to the spool folder, without a name, and goes when this goes.
pub struct Upload {
    pub form: Form,
    pub file: Option<UploadedFile>,
}

pub struct UploadedFile {
    /// As the browser names it, without any folder.
    pub name: String,
    pub bytes: u64,
    pub file: Spooled,
}

/// The largest file taken from a browser or the API, in bytes.
pub const UPLOAD_LIMIT: u64 = 5 << 30;

/// The most parts of a page's form: the wizard carries up to twenty fields for each of 500 columns.
const MOST_PARTS: usize = 12_000;
/// All that is typed, in bytes: as much as a form without a file takes.
const MOST_TYPED: usize = 2 << 20;

/// Who sends a form.
enum Sender<'a> {
    /// A page, which proves it by its token.
    Page,
    /// A program, whose token a cookie never is; it sends no parts but these.
    Program(&'a [&'a str]),
}

impl Upload {
    /// Reads a multipart body that a page sent.
    pub async fn read(request: &HttpRequest, parts: Multipart) -> Result<Self, AppError> {
        let mut form = Form::default();
        let file = Self::of(request, parts, Sender::Page, &mut form.0).await?;
        Ok(Self { form, file })
    }

    /// The same; what had come when something was wrong stays in the form.
    pub async fn read_keeping(
        request: &HttpRequest,
        parts: Multipart,
        form: &mut Form,
    ) -> Result<Option<UploadedFile>, AppError> {
        let read = Self::of(request, parts, Sender::Page, &mut form.0).await;
        check_token(request, &Sender::Page, &form.0)?;
        read
    }

    /// Reads one that a program sent: the file, and parts with these names.
    pub async fn read_only(request: &HttpRequest, parts: Multipart, names: &[&str]) -> Result<Self, AppError> {
        let mut form = Form::default();
        let file = Self::of(request, parts, Sender::Program(names), &mut form.0).await?;
        Ok(Self { form, file })
    }

    async fn of(
        request: &HttpRequest,
        mut parts: Multipart,
        sender: Sender<'_>,
        pairs: &mut Vec<(String, String)>,
    ) -> Result<Option<UploadedFile>, AppError> {
        let broken = |_| AppError::invalid("file", "The file arrived incomplete. Try again.");
        let spool = request.app_data::<Data<App>>().ok_or_else(|| AppError::internal("no App"))?.spool.clone();
        let mut file = None;
        let mut pace = Pace::of(request);
        let (mut seen, mut typed) = (0, 0);
        while let Some(part) = pace.next(&mut parts).await? {
            let mut part = part.map_err(broken)?;
            let name = part.name().unwrap_or_default().to_owned();
            seen += 1;
            if seen > MOST_PARTS {
                return Err(AppError::invalid("form", "The form has too many parts."));
            }
            let file_name = part.content_disposition().and_then(|d| d.get_filename()).map(str::to_owned);
            match file_name {
                Some(file_name) if name == "file" => {
                    // A control in which nothing was chosen.
                    if file.is_some() && file_name.is_empty() {
                        continue;
                    }
                    if file.is_some() {
                        return Err(AppError::invalid("file", "Send one file at a time."));
                    }
                    check_token(request, &sender, pairs)?;
                    let mut kept = spool.file().map_err(meaning::of_io)?;
                    let mut bytes = 0u64;
                    while let Some(chunk) = pace.next(&mut part).await? {
                        let chunk = chunk.map_err(broken)?;
                        bytes += chunk.len() as u64;
                        pace.came(chunk.len());
                        if bytes > UPLOAD_LIMIT {
                            return Err(AppError::invalid("file", "The file is larger than 5 GiB."));
                        }
                        kept =
                            actix_web::web::block(move || std::io::Write::write_all(&mut kept, &chunk).map(|()| kept))
                                .await
                                .map_err(AppError::internal)?
                                .map_err(meaning::of_io)?;
                    }
                    std::io::Seek::rewind(&mut kept).map_err(AppError::internal)?;
                    let name = file_name.rsplit(['/', '\\']).next().unwrap_or_default().to_owned();
                    if bytes > 0 || !name.is_empty() {
                        file = Some(UploadedFile { name, bytes, file: kept });
                    }
                }
                _ => {
                    if let Sender::Program(names) = &sender
                        && !names.contains(&&*name)
                    {
                        let name: String = name.chars().take(60).collect();
                        return Err(AppError::invalid(name, "This part does not belong here."));
                    }
                    let mut value = Vec::new();
                    while let Some(chunk) = pace.next(&mut part).await? {
                        let chunk = chunk.map_err(broken)?;
                        typed += chunk.len();
                        pace.came(chunk.len());
                        if typed > MOST_TYPED {
                            return Err(AppError::invalid(name, "This is too long."));
                        }
                        value.extend_from_slice(&chunk);
                    }
                    pairs.push((name, String::from_utf8_lossy(&value).into_owned()));
                }
            }
        }
        check_token(request, &sender, pairs)?;
        Ok(file)
    }
}

fn check_token(request: &HttpRequest, sender: &Sender<'_>, pairs: &[(String, String)]) -> Result<(), AppError> {
    match sender {
        Sender::Page if !token_matches(request, pairs) => Err(guard::forged()),
        _ => Ok(()),
    }
}

/// The token must stand before the file in the form, or in the header.
fn token_matches(request: &HttpRequest, pairs: &[(String, String)]) -> bool {
    let secure = request.app_data::<Data<App>>().is_some_and(|app| app.base_url.scheme() == "https");
    request.headers().contains_key(csrf::HEADER) // checked by the guard
        || pairs.iter().any(|(name, token)| name == csrf::FIELD && csrf::matches(request, secure, token))
}

#[cfg(test)]
mod tests {
    use super::Form;

    #[test]
    fn ids_are_each_there_once_and_thousands_are_refused() {
        assert_eq!(Form::parse(b"a=3&a=1&b=2&a=3&a=").ids("a").unwrap(), [1, 3]);
        assert!(Form::parse(b"a=3&a=x").ids("a").is_err());
        let many = |count: usize| (0..count).map(|i| format!("a={i}")).collect::<Vec<_>>().join("&");
        assert_eq!(Form::parse(many(1_000).as_bytes()).ids("a").unwrap().len(), 1_000);
        assert!(Form::parse(many(1_001).as_bytes()).ids("a").is_err());
    }
}

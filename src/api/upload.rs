//! A file on its way in, as a form's part or as the body itself.

use std::future::{Ready, ready};

use actix_multipart::Multipart;
use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use serde_json::Value;

use super::Body;
use super::call::Call;
use super::operation::{Operation, Part};
use super::problem::Problem;
use crate::app::off_thread;
use crate::db::Conn;
use crate::db::meaning;
use crate::error::{AppError, FieldErrors};
use crate::files::{self, Stored};
use crate::members::By;
use crate::shape::{Fields, sent};
use crate::spool::Spooled;
use crate::web::arrival::Pace;
use crate::web::form::{UPLOAD_LIMIT, Upload};

sent! {
    /// Of a file that is the body itself.
    pub struct FileQuery {
        /// The file's name; in a form, the part gives it.
        name: String => "sales.csv",
    }
}

/// A file, where what is asked for takes one; else nothing.
pub struct PerhapsFile(pub Payload);

impl FromRequest for PerhapsFile {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self(payload.take())))
    }
}

impl Part for PerhapsFile {
    fn describe(operation: &mut Operation) {
        actix_web::web::Payload::describe(operation);
        if let Some(body) = &mut operation.body {
            body["required"] = false.into();
        }
    }
}

impl PerhapsFile {
    /// A file must have been sent, which JSON is none of.
    pub fn there(&self, call: &Call<FileQuery>, import: &str) -> Result<(), AppError> {
        let kind = call.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
        if kind != "application/json" {
            return Ok(());
        }
        let why =
            format!("{import} takes a file with each run. Send it as the part \"file\" of a form, or as the body.");
        Err(AppError::invalid("file", why))
    }

    /// No file may have been sent, because this import takes none, but a body in JSON.
    pub async fn instead<T: Fields>(mut self, call: &Call<FileQuery>, import: &str) -> Result<T, Problem> {
        let kind = call.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
        if call.query.name.is_some() || kind.starts_with("multipart/") || kind == "application/octet-stream" {
            let why = format!("{import} reads from its own source and takes no file. Leave it out.");
            return Err(AppError::invalid("file", why).into());
        }
        let body = Body::<T>::from_request(&call.request, &mut self.0).await?;
        body.bytes()?;
        Ok(body.read()?)
    }
}

/// What was sent.
pub struct Given {
    pub name: String,
    pub file: Spooled,
    pub parameters: Option<Value>,
}

/// Receives a file into a temporary one.
pub async fn receive(call: &Call<FileQuery>, payload: Payload) -> Result<Given, Problem> {
    let kind = call.header("Content-Type").unwrap_or_default().to_ascii_lowercase();
    if kind.starts_with("multipart/") { form(call, payload).await } else { plain(call, payload).await }
}

/// Keeps a file that was received, of who still `may`: it may have been long on its way. One that no run names is forgotten
/// by and by.
pub async fn keep(
    call: &Call<FileQuery>,
    may: impl FnOnce(&mut Conn, &By) -> Result<(), AppError> + Send + 'static,
    name: String,
    file: Spooled,
) -> Result<Stored, Problem> {
    call.read(may).await?;
    let (blocks, now) = (call.app.blocks.clone(), call.now());
    let kept = off_thread(move || {
        let id = files::save(&blocks, &name, file, now)?;
        files::open(&blocks, id)
    });
    Ok(kept.await?)
}

async fn form(call: &Call<FileQuery>, payload: Payload) -> Result<Given, Problem> {
    let parts = Multipart::new(call.request.headers(), payload);
    let upload = Upload::read_only(&call.request, parts, &["parameters"]).await?;
    let mut errors = FieldErrors::new();
    let parameters = match serde_json::from_str(upload.form.raw("parameters")) {
        Ok(Value::Object(map)) => Some(Value::Object(map)),
        Ok(Value::Null) => None,
        Err(_) if upload.form.get("parameters").is_empty() => None,
        _ => {
            errors.add("parameters", "Send a JSON object of names and values.");
            None
        }
    };
    let file = upload.file.filter(|file| !file.name.is_empty());
    if file.is_none() {
        errors.add("file", "Send the file as the part \"file\", with its name.");
    }
    match file {
        Some(file) if errors.is_empty() => Ok(Given { name: file.name, file: file.file, parameters }),
        _ => Err(AppError::from(errors).into()),
    }
}

async fn plain(call: &Call<FileQuery>, mut payload: Payload) -> Result<Given, Problem> {
    let name = call.query.name.as_deref().unwrap_or("file.csv");
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim().to_owned();
    if name.is_empty() || name.len() > 255 {
        return Err(AppError::invalid("name", "Send the name of the file, such as sales.csv.").into());
    }
    let mut file = call.app.spool.file().map_err(meaning::of_io)?;
    let mut bytes = 0u64;
    let mut pace = Pace::of(&call.request);
    while let Some(piece) = pace.next(&mut payload).await? {
        let piece = piece.map_err(|_| AppError::invalid("file", "The file arrived incomplete. Send it again."))?;
        bytes += piece.len() as u64;
        pace.came(piece.len());
        if bytes > UPLOAD_LIMIT {
            return Err(AppError::invalid("file", "The file is larger than 5 GiB.").into());
        }
        file = actix_web::web::block(move || std::io::Write::write_all(&mut file, &piece).map(|()| file))
            .await
            .map_err(AppError::internal)?
            .map_err(meaning::of_io)?;
    }
    if bytes == 0 {
        return Err(AppError::invalid("file", "Send the file as the body, or as the part \"file\" of a form.").into());
    }
    std::io::Seek::rewind(&mut file).map_err(AppError::internal)?;
    Ok(Given { name, file, parameters: None })
}

//! What can go wrong, by meaning. A store, an action or a step answers with one of these; `web::errors` turns it
//! into a page and `api::problem` into a problem document, and nobody else decides on a status code.

use std::collections::BTreeSet;
use std::fmt;

/// One thing that is wrong with what somebody sent: the field as the form and the API name it, and the reason in
/// words that say what to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    pub field: String,
    pub detail: String,
}

/// All that is wrong with what somebody sent, in the order of the form.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct FieldErrors(pub Vec<FieldError>);

impl FieldErrors {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn one(field: impl Into<String>, detail: impl Into<String>) -> Self {
        let mut errors = Self::new();
        errors.add(field, detail);
        errors
    }

    pub fn add(&mut self, field: impl Into<String>, detail: impl Into<String>) {
        self.0.push(FieldError { field: field.into(), detail: detail.into() });
    }

    pub fn extend(&mut self, other: FieldErrors) {
        self.0.extend(other.0);
    }

    /// Those about fields of which nothing is said yet.
    pub fn extend_others(&mut self, other: FieldErrors) {
        let new: Vec<FieldError> = other.0.into_iter().filter(|error| self.of(&error.field).is_none()).collect();
        self.0.extend(new);
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The first reason given for a field, for the line beside its control.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|e| e.field == field).map(|e| e.detail.as_str())
    }

    /// The heading above the list of them.
    pub fn title(&self) -> String {
        let fields: BTreeSet<&str> = self.0.iter().map(|error| error.field.as_str()).collect();
        match fields.len() {
            _ if fields.contains("") => "This did not work".to_owned(),
            1 => "One field needs correcting".to_owned(),
            n => format!("{n} fields need correcting"),
        }
    }

    /// What is said, without the names of the fields.
    pub fn details(&self) -> String {
        self.0.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>().join(" ")
    }

    /// `Ok(value)` when nothing is wrong.
    pub fn ok_or<T>(self, value: T) -> Result<T, FieldErrors> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl fmt::Display for FieldErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, e) in self.0.iter().enumerate() {
            write!(f, "{}{}: {}", if i == 0 { "" } else { "; " }, e.field, e.detail)?;
        }
        Ok(())
    }
}

/// What an action can answer besides its result.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// Nobody is signed in, or the session or token is dead.
    #[error("Sign in to continue.")]
    SignedOut,
    /// The API token was good until its day came.
    #[error("This API token has ended. Create a new one on the page Your account.")]
    TokenEnded,
    /// May see it, may not do it; says which right is missing and who can grant it.
    #[error("{0}")]
    Forbidden(String),
    /// Is not there, or may not be seen: the two answer alike.
    #[error("This does not exist, or you do not have access to it.")]
    NotFound,
    /// Cannot be done as things stand: name taken, in use, four schedules already.
    #[error("{0}")]
    Conflict(String),
    /// The same because of one field: somebody else has this name.
    #[error("{words}")]
    Taken { field: &'static str, words: String },
    /// Somebody else changed it since it was read; says who and what.
    #[error("{0}")]
    Stale(String),
    /// What was sent is wrong, field by field.
    #[error("{0}")]
    Invalid(FieldErrors),
    /// It took too long to arrive.
    #[error("The request took too long to arrive. Send it again.")]
    TooSlow,
    /// Too often; come back after so many seconds.
    #[error("{what} Try again in {after_seconds} seconds.")]
    TooMany { what: &'static str, after_seconds: u64 },
    /// The database is busy or gone; come back after so many seconds.
    #[error("The database is busy or unavailable. Try again in {after_seconds} seconds.")]
    Unavailable { after_seconds: u64 },
    /// There is no room to write; it works again once somebody made some.
    #[error("The disk is full. Free some space, then try again.")]
    DiskFull,
    /// A fault of ours. What it says is for the log; `web::errors` shows people a number instead.
    #[error("{0}")]
    Internal(String),
}

impl AppError {
    pub fn invalid(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::Invalid(FieldErrors::one(field, detail))
    }

    pub fn internal(cause: impl fmt::Display) -> Self {
        Self::Internal(cause.to_string())
    }
}

impl From<FieldErrors> for AppError {
    fn from(errors: FieldErrors) -> Self {
        Self::Invalid(errors)
    }
}

pub type Result<T, E = AppError> = std::result::Result<T, E>;

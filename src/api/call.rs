//! A request to the API whose token is known.

use std::pin::Pin;

use actix_web::http::Method;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::Future;

use super::params::Params;
use super::problem::Problem;
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{Bearer, By, Scope};

/// Who asks, with what, for what. Whatever only looks needs the scope `read`; other scopes are the actions' to ask for.
pub struct Call {
    pub app: Data<App>,
    pub by: By,
    pub(super) bearer: Bearer,
    pub request: HttpRequest,
}

impl FromRequest for Call {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let app = request.app_data::<Data<App>>().cloned();
        let bearer = Bearer::extract(request);
        let request = request.clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| AppError::internal("no App"))?;
            let bearer = bearer.await?;
            if request.method() == Method::GET {
                bearer.by.need_scope(Scope::Read)?;
            }
            Ok(Self { app, by: bearer.by.clone(), bearer, request })
        })
    }
}

impl Call {
    /// The id in the address; what is no id is not there.
    pub fn id(&self, name: &str) -> Result<i64> {
        self.request.match_info().get(name).and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)
    }

    pub fn now(&self) -> Moment {
        self.app.now()
    }

    pub fn params(&self) -> Params {
        Params::parse(self.request.query_string())
    }

    /// For an address that takes no parameters.
    pub fn no_params(&self) -> Result<()> {
        self.params().finish()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.request.headers().get(name)?.to_str().ok()
    }

    /// The version that `If-Match` names; one that no version can be where it names something else.
    pub fn expected(&self) -> Option<i64> {
        let tag = self.request.headers().get(IF_MATCH)?.to_str().unwrap_or_default().trim();
        let tag = tag.strip_prefix("W/").unwrap_or(tag);
        (tag != "*").then(|| tag.trim_matches('"').parse().unwrap_or(-1))
    }

    /// Refuses as stale unless `If-Match` is absent or names this version: for actions that do not ask for one.
    pub fn matches(expected: Option<i64>, version: i64) -> Result<()> {
        if expected.is_some_and(|expected| expected != version) {
            return Err(AppError::Stale("Somebody changed this since you read it. Read it again.".into()));
        }
        Ok(())
    }

    /// Queries that change nothing.
    pub async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn, &By) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = self.by.clone();
        self.app.read(move |conn| queries(conn, &by)).await
    }

    /// One write transaction.
    pub async fn write<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn, &By) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let by = self.by.clone();
        self.app.write(move |conn| queries(conn, &by)).await
    }
}

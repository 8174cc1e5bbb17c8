//! A request to the API whose token is known.

use std::pin::Pin;

use actix_web::http::Method;
use actix_web::http::header::IF_MATCH;
use actix_web::web::Data;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::Future;
use serde_json::Value;

use super::body::Body;
use super::problem::Problem;
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{Bearer, By, Scope};
use crate::shape::{Fields, Object, Reader, sent};
use crate::web::Form;

sent! {
    /// Nothing at all.
    pub struct Nothing {}
}

/// Who asks, with what, for what; `query` holds the parameters of the address. Whatever only looks needs the scope
/// `read`; other scopes are the actions' to ask for.
pub struct Call<Q = Nothing> {
    pub app: Data<App>,
    pub by: By,
    pub(super) bearer: Bearer,
    pub request: HttpRequest,
    pub query: Q,
}

impl<Q: Fields> FromRequest for Call<Q> {
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
            let query = query(request.query_string()).map_err(AppError::from)?;
            Ok(Self { app, by: bearer.by.clone(), bearer, request, query })
        })
    }
}

/// Reads parameters; one that is sent twice is wrong.
pub(super) fn query<Q: Fields>(text: &str) -> Result<Q, FieldErrors> {
    let mut map = Object::new();
    for (name, value) in Form::parse(text.as_bytes()).0 {
        let twice = map.contains_key(&name);
        map.insert(name, if twice { Value::Array(Vec::new()) } else { value.into() });
    }
    let mut reader = Reader::of_query();
    let query = reader.object(map, "");
    reader.errors.ok_or(query)
}

impl<Q> Call<Q> {
    /// The id in the address; what is no id is not there.
    pub fn id(&self, name: &str) -> Result<i64> {
        self.request.match_info().get(name).and_then(|id| id.parse().ok()).ok_or(AppError::NotFound)
    }

    pub fn now(&self) -> Moment {
        self.app.now()
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

    /// Queries that change nothing. Where the request sent something, its member is asked for anew: it may have been long on
    /// its way.
    pub async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn, &By) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (by, acts) = (self.by.clone(), self.request.method() != Method::GET);
        self.app
            .read(move |conn| {
                if acts {
                    by.need_standing(conn)?;
                }
                queries(conn, &by)
            })
            .await
    }

    /// One write transaction that does what a body says.
    pub async fn change<B: 'static, T: Send + 'static>(
        &self,
        body: Body<B>,
        queries: impl FnOnce(&mut Conn, &By, &Body<B>) -> Result<T> + Send + 'static,
    ) -> Result<T, Problem> {
        body.bytes()?;
        let by = self.by.clone();
        let queries = move |conn: &mut Conn| {
            by.need_standing(conn)?;
            queries(conn, &by, &body)
        };
        Ok(self.app.write(queries).await?)
    }
}

impl<Q> Call<Q> {
    /// Does what may change what a Block means. It is tried at once: mostly nothing is in its way, and who may not, or has
    /// asked before, is told so without waiting. Where a long load writes the Block database, its end is waited for,
    /// outside of any transaction, and then it is tried anew.
    pub async fn patiently<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        deed: impl Fn() -> F,
    ) -> Result<T, Problem> {
        match deed().await {
            Err(Problem::App(AppError::Unavailable { .. })) => {
                self.app.blocks_rest().await?;
                deed().await
            }
            other => other,
        }
    }
}

/// Refuses as stale unless `If-Match` is absent or names this version: for actions that do not ask for one.
pub fn matches(expected: Option<i64>, version: i64) -> Result<()> {
    if expected.is_some_and(|expected| expected != version) {
        return Err(AppError::Stale("Someone changed this after you read it. Read it again.".into()));
    }
    Ok(())
}

//! Every POST, done at most once per `Idempotency-Key`: the key, what the action did and what it answered are one
//! transaction. A repeat finds all of it or nothing; one that comes while the first is at work waits for it. What was
//! refused did nothing, and may be sent again under the same key.

use serde_json::Value;

use super::body::Body;
use super::call::Call;
use super::problem::Problem;
use super::reply::Reply;
use super::store::{self, Kept};
use crate::applications;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::By;
use crate::secrets;

/// The longest key, in characters.
const LONGEST: usize = 255;
pub(super) const HEADER: &str = "Idempotency-Key";

impl<Q> Call<Q> {
    /// Does what a body says in one write transaction, once.
    pub async fn once<B: 'static, K: 'static>(
        &self,
        body: Body<B>,
        action: impl FnOnce(&mut Conn, &By, &Body<B>) -> Result<Reply<K>> + Send + 'static,
    ) -> Result<Reply<K>, Problem> {
        let sent = body.bytes()?.to_vec();
        self.once_for(&sent, move |conn, by| action(conn, by, &body)).await
    }

    /// The same; `sent` is whatever tells this request from another.
    pub async fn once_for<K: 'static>(
        &self,
        sent: &[u8],
        action: impl FnOnce(&mut Conn, &By) -> Result<Reply<K>> + Send + 'static,
    ) -> Result<Reply<K>, Problem> {
        let by = self.by.clone();
        let action = move |conn: &mut Conn, by: &By| {
            by.need_standing(conn)?;
            action(conn, by)
        };
        let Some(key) = self.key()? else {
            return Ok(self.app.write(move |conn| action(conn, &by)).await?);
        };
        let (token_id, hash, now) = (self.bearer.token_id, self.fingerprint(sent), self.now());
        let reply = self.app.write(move |conn| match store::begin(conn, token_id, &key, &hash, now)? {
            Kept::Fresh => {
                let reply = action(conn, &by)?;
                store::keep(conn, token_id, &key, &reply)?;
                Ok(reply)
            }
            Kept::Done(reply) => {
                by.need_standing(conn)?;
                still_seen(conn, &by, &reply)?;
                Ok(reply)
            }
            Kept::Other => Err(AppError::invalid(
                HEADER,
                "This key was used for another request within the last 24 hours. Use a new key for a new request.",
            )),
            Kept::Busy => Err(AppError::Conflict(
                "The first request with this Idempotency-Key is still in progress. Try again in a moment.".into(),
            )),
        });
        Ok(reply.await?)
    }

    fn key(&self) -> Result<Option<String>> {
        let Some(key) = self.request.headers().get(HEADER) else { return Ok(None) };
        match key.to_str() {
            Ok(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Some(key.to_owned())),
            _ => Err(AppError::invalid(HEADER, format!("A key has 1 to {LONGEST} visible characters."))),
        }
    }

    /// Bound to the token, so that no password in a body can be guessed from what is kept.
    fn fingerprint(&self, sent: &[u8]) -> String {
        let mut text = format!("{} {} {} ", self.bearer.proof, self.request.method(), self.request.uri());
        text.push_str(&String::from_utf8_lossy(sent));
        secrets::hash("request", &text)
    }
}

/// What was answered once is answered again only to who may still see it: rights may have gone in between.
fn still_seen<K>(conn: &mut Conn, by: &By, reply: &Reply<K>) -> Result<()> {
    let id = |name: &str| reply.body.as_ref().and_then(|body| body.get(name)).and_then(Value::as_i64);
    let noun = reply.location.as_deref().and_then(|at| at.strip_prefix("/api/v1/")?.split('/').next());
    let application = if noun == Some("applications") { id("id") } else { id("application_id") };
    match (noun, application) {
        (_, Some(application)) => {
            let entered = applications::enter(conn, by, application)?;
            match noun {
                Some("applications" | "blocks" | "runs") => Ok(()),
                Some("translations") if entered.may_configure() => Ok(()),
                _ => entered.need_open_scheduling(conn),
            }
        }
        _ if by.member.sees_everything() => Ok(()),
        _ => by.need_administrator(conn),
    }
}

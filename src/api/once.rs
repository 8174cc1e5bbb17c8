//! Every POST, done at most once per `Idempotency-Key`: the key, what the action did and what it answered are one
//! transaction. A repeat finds all of it or nothing; one that comes while the first is at work waits for it. What was
//! refused did nothing, and may be sent again under the same key.

use actix_web::HttpResponse;

use super::call::Call;
use super::problem::Problem;
use super::reply::Reply;
use super::store::{self, Kept};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::By;
use crate::secrets;

/// The longest key, in characters.
const LONGEST: usize = 255;
const HEADER: &str = "Idempotency-Key";

impl Call {
    /// Does what is asked in one write transaction. `sent` is the body, or whatever tells it from another.
    pub async fn once(
        &self,
        sent: &[u8],
        action: impl FnOnce(&mut Conn, &By) -> Result<Reply> + Send + 'static,
    ) -> Result<HttpResponse, Problem> {
        let Some(key) = self.key()? else {
            return Ok(self.write(action).await?.response());
        };
        let (token_id, hash, now) = (self.bearer.token_id, self.fingerprint(sent), self.now());
        let reply = self.write(move |conn, by| match store::begin(conn, token_id, &key, &hash, now)? {
            Kept::Fresh => {
                let reply = action(conn, by)?;
                store::keep(conn, token_id, &key, &reply)?;
                Ok(reply)
            }
            Kept::Done(reply) => Ok(reply),
            Kept::Other => Err(AppError::invalid(
                HEADER,
                "This key came with another request within the last 24 hours. Take a new key for a new request.",
            )),
            Kept::Busy => Err(AppError::Conflict(
                "The first request with this Idempotency-Key is still being worked on. Ask again in a moment.".into(),
            )),
        });
        Ok(reply.await?.response())
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

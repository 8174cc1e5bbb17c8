//! Something asked for or handed over at an address that is no source, under the same rules as what is fetched: which
//! networks may be reached, the address that was checked is the one connected to, no redirect is followed, TLS is verified.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Client, RequestBuilder, Response};
use url::Url;

use super::super::failure::{FailureKind, FetchError, Retry};
use super::super::{Limits, Outside};
use super::{answer, exchange};

/// As long may all of it take.
const PATIENCE: Duration = Duration::from_secs(30);
/// So much of an answer is read.
const LONGEST_ANSWER: usize = 64 << 10;

/// What the other side answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    /// In so many seconds it may be asked again, as it says itself; at most an hour.
    pub retry_after: Option<u64>,
    /// Its beginning. Not to be repeated to anybody.
    pub body: Vec<u8>,
}

/// Values are treated as secrets.
type Headers<'a> = &'a [(&'static str, String)];

/// Posts `body` to `url`. An error of the kinds [`FailureKind::Silent`] and [`FailureKind::Cut`] leaves open whether the
/// other side has taken it.
pub async fn post(outside: &Outside, url: &Url, headers: Headers<'_>, body: Vec<u8>) -> Result<Answer, FetchError> {
    let (client, limits) = client(outside, url)?;
    send(client.post(url.clone()).body(body), url, headers, &limits).await
}

/// Asks for what is at `url`.
pub async fn get(outside: &Outside, url: &Url, headers: Headers<'_>) -> Result<Answer, FetchError> {
    let (client, limits) = client(outside, url)?;
    send(client.get(url.clone()), url, headers, &limits).await
}

fn client(outside: &Outside, url: &Url) -> Result<(Client, Limits), FetchError> {
    outside.network.check_url(url).map_err(|refused| FetchError::refused(refused.sentence))?;
    let limits = Limits { idle: PATIENCE, ..Limits::default() };
    Ok((exchange::client(url, outside, &limits)?, limits))
}

async fn send(
    mut request: RequestBuilder,
    url: &Url,
    headers: Headers<'_>,
    limits: &Limits,
) -> Result<Answer, FetchError> {
    for (name, value) in headers {
        let mut value = HeaderValue::from_str(value).map_err(|_| {
            FetchError::new(FailureKind::Request, Retry::No, "A secret contains characters that no header may have.")
        })?;
        value.set_sensitive(true);
        request = request.header(*name, value);
    }
    let asked = async {
        let response = request.send().await.map_err(|error| answer::unreached(&error, url, limits))?;
        let retry_after = match answer::wait(response.headers()) {
            Retry::After(seconds) => Some(seconds),
            _ => None,
        };
        Ok(Answer { status: response.status().as_u16(), retry_after, body: beginning(response).await })
    };
    tokio::time::timeout(PATIENCE, asked).await.unwrap_or_else(|_| {
        let sentence =
            format!("{} did not answer within {} s.", url.host_str().unwrap_or_default(), PATIENCE.as_secs());
        Err(FetchError::new(FailureKind::Silent, Retry::Later, sentence))
    })
}

/// What comes after the status is worth nothing where it is cut.
async fn beginning(mut response: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(more)) = response.chunk().await {
        body.extend_from_slice(&more);
        if body.len() >= LONGEST_ANSWER {
            body.truncate(LONGEST_ANSWER);
            break;
        }
    }
    body
}

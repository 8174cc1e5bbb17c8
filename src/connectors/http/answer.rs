//! What came back, or did not, in words: which of it passes by itself and which somebody has to mend.

use chrono::DateTime;
use reqwest::Response;
use reqwest::header::{self, HeaderMap};
use url::Url;

use super::super::Limits;
use super::super::causes::{distrust, find};
use super::super::failure::{FailureKind, FetchError, Retry};
use super::super::network::{self, NameUnknown};
use super::address;

/// The longest that a source may make us wait.
const LONGEST_WAIT: u64 = 3_600;

/// How an answer was packed for the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    None,
    Gzip,
}

/// The answer, if it is a file that can be trusted to be whole, and how it was packed, which nobody asked for.
pub(super) fn judge(response: Response, at: &Url) -> Result<(Response, Packing), FetchError> {
    let status = response.status().as_u16();
    if status != 200 {
        return Err(refusal(status, response.headers(), at));
    }
    let headers = response.headers();
    let packing = packing(headers, at).map_err(|refused| refused.with_status(status))?;
    // without a length, a chunked body or TLS, an end looks like a cut
    let chunked = headers.contains_key(header::TRANSFER_ENCODING);
    if response.content_length().is_none() && !chunked && at.scheme() == "http" {
        return Err(FetchError::new(
            FailureKind::Answer,
            Retry::No,
            "The source does not give the length of its answer, so an incomplete download would go unnoticed. Ask its \
             owner to send the length (Content-Length) or to use https.",
        )
        .with_status(status));
    }
    Ok((response, packing))
}

fn packing(headers: &HeaderMap, at: &Url) -> Result<Packing, FetchError> {
    let encoding = headers.get(header::CONTENT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoding = encoding.trim().to_ascii_lowercase();
    match encoding.as_str() {
        "" | "identity" => Ok(Packing::None),
        // Some servers call a .gz file "encoded"; what comes is then the file itself.
        "gzip" | "x-gzip" if at.path().ends_with(".gz") => Ok(Packing::None),
        "gzip" | "x-gzip" => Ok(Packing::Gzip),
        other => {
            // What the source sent is repeated only where it is a word that is known.
            let known = ["br", "zstd", "deflate", "compress"].into_iter().find(|known| *known == other);
            Err(FetchError::new(
                FailureKind::Answer,
                Retry::No,
                format!(
                    "The source compressed its answer with {} although it was asked not to. Ask its owner to turn \
                     that off, or to use gzip.",
                    known.unwrap_or("something unknown")
                ),
            ))
        }
    }
}

fn refusal(status: u16, headers: &HeaderMap, at: &Url) -> FetchError {
    use FailureKind::*;
    let host = address::host(at);
    let path = at.path();
    let (kind, retry, sentence) = match status {
        401 => (
            SignIn,
            Retry::No,
            "The source refused the sign-in (401). Check the token or password of the Connection.".to_owned(),
        ),
        403 => (
            Forbidden,
            Retry::No,
            "The source refused the Connection's account access (403). Ask the source's owner for permission to \
             read it."
                .to_owned(),
        ),
        404 => (Missing, Retry::No, format!("There is nothing at {path} on {host} (404). Check the path.")),
        410 => (
            Missing,
            Retry::No,
            format!("{path} on {host} has been removed for good (410). Ask the source's owner where it is now."),
        ),
        408 => (
            Silent,
            Retry::Later,
            format!("{host} gave up waiting for the request (408). If this persists, ask its owner."),
        ),
        429 => (
            TooOften,
            wait(headers),
            format!("{host} received too many requests (429). Schedule this import less often."),
        ),
        500..=599 => (
            Answer,
            wait(headers),
            format!("{host} reported an error on its side ({status}). If this persists, ask its owner."),
        ),
        400..=499 => (
            Answer,
            Retry::No,
            format!("{host} refused the request ({status}). Check the path and the headers of the Connection."),
        ),
        204 | 205 => (Missing, Retry::No, format!("{host} has no content at {path} ({status}). Check the path.")),
        _ => (Answer, Retry::No, format!("{host} answered {status} without a file. Check the path.")),
    };
    FetchError::new(kind, retry, sentence).with_status(status)
}

/// What `Retry-After` asks for, in seconds or as a date; the date is measured against the answer's own `Date`, so
/// that a clock that is wrong on either side does not matter.
pub(super) fn wait(headers: &HeaderMap) -> Retry {
    let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).map(str::trim);
    let Some(asked) = text(header::RETRY_AFTER) else { return Retry::Later };
    if !asked.is_empty() && asked.bytes().all(|b| b.is_ascii_digit()) {
        // too many digits to count is a long time, too
        return Retry::After(asked.parse().unwrap_or(u64::MAX).min(LONGEST_WAIT));
    }
    let date = |text: &str| DateTime::parse_from_rfc2822(text).ok();
    match (date(asked), text(header::DATE).and_then(date)) {
        (Some(then), Some(now)) => {
            Retry::After(u64::try_from((then - now).num_seconds()).unwrap_or(0).min(LONGEST_WAIT))
        }
        _ => Retry::Later,
    }
}

/// Why no answer came at all.
pub(super) fn unreached(error: &reqwest::Error, at: &Url, limits: &Limits) -> FetchError {
    use FailureKind::*;
    let host = address::host(at);
    if let Some(refused) = find::<network::Refused>(error) {
        return FetchError::refused(format!("{host} may not be reached from here. {}", refused.sentence));
    }
    if find::<NameUnknown>(error).is_some() {
        let sentence = format!(
            "The name {host} is not known. Check the address; if it is right, its name server is not answering."
        );
        return FetchError::new(Unreachable, Retry::Later, sentence);
    }
    if let Some(why) = distrust(error) {
        let why = why.replace("use TLS there", "use TLS there (is it http:// and not https://?)");
        let sentence = format!("The encrypted connection to {host} cannot be trusted: {why}. Ask its owner to fix it.");
        return FetchError::new(Tls, Retry::No, sentence);
    }
    if error.is_timeout() {
        let (kind, seconds) = match error.is_connect() {
            true => (Unreachable, limits.connect.as_secs_f64()),
            false => (Silent, limits.idle.as_secs_f64()),
        };
        let sentence = format!("{host} did not answer within {seconds} s. If this persists, ask its owner.");
        return FetchError::new(kind, Retry::Later, sentence);
    }
    if error.is_builder() {
        return FetchError::new(
            Request,
            Retry::No,
            "The request could not be sent. Check the address, headers and sign-in.",
        );
    }
    if error.is_connect() {
        let how = match find::<std::io::Error>(error).map(std::io::Error::kind) {
            Some(std::io::ErrorKind::ConnectionRefused) => "refused the connection",
            _ => "could not be reached",
        };
        return FetchError::new(
            Unreachable,
            Retry::Later,
            format!("{host} {how}. Check that it is running and that the address is right."),
        );
    }
    FetchError::new(
        Cut,
        Retry::Later,
        format!("{host} closed the connection before it answered. If this persists, ask its owner."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(retry_after: &str, date: Option<&str>) -> Retry {
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, retry_after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, date.parse().unwrap());
        }
        wait(&headers)
    }

    #[test]
    fn the_wait_is_read_from_seconds_and_dates_and_capped() {
        let noon = Some("Sun, 22 Nov 2026 12:00:00 GMT");
        assert_eq!(wait(&HeaderMap::new()), Retry::Later);
        assert_eq!(asked("120", None), Retry::After(120));
        assert_eq!(asked("3601", None), Retry::After(3_600));
        assert_eq!(asked("99999999999999999999999", None), Retry::After(3_600));
        assert_eq!(asked("Sun, 22 Nov 2026 12:01:30 GMT", noon), Retry::After(90));
        assert_eq!(asked("Sun, 22 Nov 2026 11:00:00 GMT", noon), Retry::After(0));
        assert_eq!(asked("Mon, 23 Nov 2026 12:00:00 GMT", noon), Retry::After(3_600));
        assert_eq!(asked("Sun, 22 Nov 2026 12:01:30 GMT", None), Retry::Later);
        assert_eq!(asked("soon", noon), Retry::Later);
        assert_eq!(asked("-5", noon), Retry::Later);
    }
}

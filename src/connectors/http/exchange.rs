//! One question and its answer, with every hop checked before it is made.

use std::future::Future;
use std::sync::Arc;

use reqwest::header::{self, HeaderValue};
use reqwest::{Client, Response, StatusCode};
use url::Url;

use super::super::failure::{FailureKind, FetchError, Retry};
use super::super::network::CheckedResolver;
use super::super::{FetchContext, Limits, Outside};
use super::{Http, SignIn, address, answer};

/// How many redirects are followed, where they are followed at all.
const MOST_HOPS: usize = 3;

/// Runs `work` on this thread until it ends, somebody cancels, or time is up.
pub(super) fn block<T>(
    ctx: &FetchContext<'_>,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    ctx.check_going_on()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| FetchError::machine("Starting the download", &e))?;
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            () = ctx.cancel.cancelled() => Err(FetchError::cancelled()),
            () = tokio::time::sleep_until(ctx.deadline.into()) => Err(FetchError::out_of_time()),
            result = work => result,
        }
    });
    // a lookup of a name cannot be interrupted; nobody waits for it
    runtime.shutdown_background();
    result
}

/// Asks for `start`, following redirects where the connection says so. Answers whatever came (but a redirect that is
/// not followed), with the address that it came from.
pub(super) async fn ask(http: &Http, start: &Url, ctx: &FetchContext<'_>) -> Result<(Response, Url), FetchError> {
    let mut url = start.clone();
    // what proves who we are goes to the connection's own host and, once we left it, no more
    let mut trusted = true;
    for hop in 0..=MOST_HOPS {
        ctx.outside.network.check_url(&url).map_err(|refused| FetchError::refused(refused.sentence))?;
        let mut request =
            client(&url, ctx.outside, &ctx.limits)?.get(url.clone()).header(header::ACCEPT_ENCODING, "identity");
        if trusted {
            for (name, value) in &http.headers {
                request = request.header(name, value);
            }
            request = match &http.sign_in {
                SignIn::None => request,
                SignIn::Basic { user, password } => request.basic_auth(user, Some(password)),
                SignIn::Bearer { token } => request.bearer_auth(token),
            };
        }
        let response = request.send().await.map_err(|e| answer::unreached(&e, &url, &ctx.limits))?;
        let Some(next) = redirect(&response, &url) else { return Ok((response, url)) };
        let next = next.ok_or_else(|| {
            redirected(
                response.status(),
                "The source redirects to something that is not an address. Ask its owner to fix that.".to_owned(),
            )
        })?;
        let to = address::host(&next);
        let status = response.status();
        if !matches!(next.scheme(), "http" | "https") {
            let words = format!(
                "The source redirects to an address of another kind ({}:). Only http and https are followed. Ask its owner \
                 to fix that.",
                next.scheme()
            );
            return Err(FetchError::refused(words).with_status(status.as_u16()));
        }
        if !http.follow_redirects {
            return Err(redirected(
                status,
                format!(
                    "The source redirects to {to} ({}), and this Connection does not follow redirects. Use that \
                     address, or turn on 'Follow redirects'.",
                    status.as_u16()
                ),
            ));
        }
        if url.scheme() == "https" && next.scheme() == "http" {
            return Err(redirected(
                status,
                format!(
                    "The source redirects to {to} without encryption, which is refused. Ask its owner to use https there."
                ),
            ));
        }
        if hop == MOST_HOPS {
            break;
        }
        trusted = trusted && same_host(&url, &next);
        url = next;
    }
    Err(FetchError::new(
        FailureKind::Redirected,
        Retry::No,
        format!("The source redirects more than {MOST_HOPS} times. Use the address that it ends at."),
    ))
}

/// Whether `next` is where `url` is: the same scheme, host and port, or the same host turning to encryption.
fn same_host(url: &Url, next: &Url) -> bool {
    let turns = url.scheme() == "http" && next.scheme() == "https" && url.port().is_none() && next.port().is_none();
    next.origin() == url.origin() || (turns && next.host() == url.host())
}

fn redirected(status: StatusCode, sentence: String) -> FetchError {
    FetchError::new(FailureKind::Redirected, Retry::No, sentence).with_status(status.as_u16())
}

/// Where an answer points to: not at all, nowhere sensible, or there.
fn redirect(response: &Response, from: &Url) -> Option<Option<Url>> {
    if !matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let to = response.headers().get(header::LOCATION).map(HeaderValue::to_str);
    Some(to.and_then(Result::ok).and_then(|to| from.join(to).ok()))
}

/// A client for one hop: nothing is kept between hops, so no earlier connection is used for a name that was checked
/// anew.
pub(super) fn client(url: &Url, outside: &Outside, limits: &Limits) -> Result<Client, FetchError> {
    install_tls();
    let resolver = CheckedResolver::new(outside.network.clone(), Arc::clone(&outside.lookup));
    let mut builder = Client::builder()
        .dns_resolver(Arc::new(resolver) as Arc<dyn reqwest::dns::Resolve>)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .referer(false)
        .http1_only()
        .user_agent(concat!("Tidegate/", env!("CARGO_PKG_VERSION")))
        .connect_timeout(limits.connect)
        .read_timeout(limits.idle);
    if url.scheme() == "http" {
        // no reading of the system's certificates, which a small machine may not even have
        builder = builder.tls_certs_only([]);
    }
    builder.build().map_err(|_| {
        FetchError::new(
            FailureKind::Machine,
            Retry::No,
            "The server has no certificates to check encrypted connections with. Ask its operator to install them \
             (package ca-certificates).",
        )
    })
}

/// The process's TLS; harmless when it is installed already.
fn install_tls() {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // an error says that another thread was quicker
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_goes_no_further_than_the_host_and_never_to_less_safety() {
        let same = |a: &str, b: &str| same_host(&Url::parse(a).unwrap(), &Url::parse(b).unwrap());
        for (from, to) in [("http://h/a", "http://h/b"), ("http://h:80/", "http://H/"), ("http://h/", "https://h/")] {
            assert!(same(from, to), "{from} {to}");
        }
        for (from, to) in [
            ("http://h/", "http://x.h/"),
            ("http://h/", "http://h:8080/"),
            ("https://h/", "http://h/"),
            ("http://h:8080/", "https://h:8080/"),
            ("http://h/", "https://g/"),
        ] {
            assert!(!same(from, to), "{from} {to}");
        }
    }
}

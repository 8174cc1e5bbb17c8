//! The HTTP(S) connection: what it asks, and what it makes of each answer.

use std::io::Write;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate::connectors::{FailureKind, FetchContext, FetchError, Fetched, Limits, Retry};

use super::server::{Server, answer, say, stall};
use super::{BODY, SECRET, connector, ctx, failed, fetch_one, load, outside, path};

fn fetch_by(settings: Value, secrets: &[(&str, &str)], wanted: &str) -> Result<Fetched, FetchError> {
    let spool = TempDir::new().unwrap();
    let outside = outside(&["127.0.0.1/32"], &[], &spool);
    fetch_one(&*connector("http", settings, secrets), &path(wanted), &ctx(&outside))
}

fn fetch(server: &Server) -> Result<Fetched, FetchError> {
    fetch_by(json!({ "url": server.url() }), &[], "a.csv")
}

fn after(said: impl Into<Vec<u8>>) -> Result<Fetched, FetchError> {
    fetch(&Server::saying(said))
}

#[test]
fn it_asks_as_configured_and_for_a_plain_answer() {
    let server = Server::saying(answer("200 OK", "", "fine"));
    let url = format!("{}/exports?key=1", server.url());
    let basic = json!({ "url": url, "auth": "basic", "user": "ada", "headers": { "X-Team": "planning" } });
    let fetched = fetch_by(basic, &[("password", SECRET)], "2026/a b.csv?full=1").unwrap();
    assert_eq!(fetched.name, "a b.csv");
    fetch_by(json!({ "url": url, "auth": "bearer" }), &[("token", SECRET)], "").unwrap();
    fetch_by(json!({ "url": url, "auth": "none" }), &[("token", SECRET)], "").unwrap();

    let asked = server.questions();
    assert_eq!(asked[0].line, "GET /exports/2026/a%20b.csv?key=1&full=1 HTTP/1.1");
    assert_eq!(asked[0].header("authorization"), Some(&*format!("Basic {}", BASE64.encode(format!("ada:{SECRET}")))));
    assert_eq!(asked[0].header("x-team"), Some("planning"));
    assert_eq!(asked[0].header("accept-encoding"), Some("identity"));
    assert_eq!(asked[1].line, "GET /exports?key=1 HTTP/1.1");
    assert_eq!(asked[1].header("authorization"), Some(&*format!("Bearer {SECRET}")));
    assert_eq!(asked[2].header("authorization"), None);
}

#[test]
fn each_status_has_its_words_and_its_retry() {
    use FailureKind::*;
    for (status, kind, retry, words) in [
        (
            401,
            SignIn,
            Retry::No,
            "The source refused the sign-in (401). Check the token or password of the Connection.",
        ),
        (403, Forbidden, Retry::No, "(403)"),
        (404, Missing, Retry::No, "There is nothing at /a.csv on 127.0.0.1"),
        (410, Missing, Retry::No, "removed for good"),
        (400, Answer, Retry::No, "(400)"),
        (407, Answer, Retry::No, "(407)"),
        (408, Silent, Retry::Later, "(408)"),
        (429, TooOften, Retry::Later, "less often"),
        (500, Answer, Retry::Later, "(500)"),
        (503, Answer, Retry::Later, "(503)"),
        (201, Answer, Retry::No, "201"),
        (206, Answer, Retry::No, "206"),
        (304, Answer, Retry::No, "304"),
    ] {
        let error = failed(after(answer(&format!("{status} {BODY}"), "", BODY)), kind, retry);
        assert!(error.sentence.contains(words), "{error}");
        assert_eq!(error.status, Some(status));
    }
    failed(after("HTTP/1.1 204 No Content\r\n\r\n"), Missing, Retry::No);
}

#[test]
fn the_wait_that_a_source_asks_for_is_kept() {
    for (headers, seconds) in [
        ("Retry-After: 7\r\n", 7),
        ("Retry-After: 86400\r\n", 3_600),
        ("Date: Sun, 22 Nov 2026 12:00:00 GMT\r\nRetry-After: Sun, 22 Nov 2026 12:02:00 GMT\r\n", 120),
    ] {
        failed(after(answer("429 No", headers, "")), FailureKind::TooOften, Retry::After(seconds));
        failed(after(answer("503 No", headers, "")), FailureKind::Answer, Retry::After(seconds));
    }
}

#[test]
fn whatever_comes_short_is_a_cut() {
    let chunk = format!("5\r\n{}\r\n", &BODY[..5]);
    for cut in [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123456789".to_owned(),
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{}", &chunk[..4]),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n"),
        format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}nonsense\r\n"),
        "HTTP/1.1 200 OK\r\nContent-Le".to_owned(),
        String::new(),
    ] {
        let error = after(cut.clone()).expect_err(&cut);
        assert_eq!((error.kind, error.retry), (FailureKind::Cut, Retry::Later), "{cut:?}: {error}");
    }
    let whole = format!("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}{chunk}0\r\n\r\n");
    assert_eq!(after(whole).unwrap().bytes, 10);
    assert_eq!(after(answer("200 OK", "", "")).unwrap().bytes, 0);
}

#[test]
fn an_answer_that_could_be_cut_unnoticed_is_not_trusted() {
    failed(after("HTTP/1.0 200 OK\r\n\r\na,b\n1,2\n"), FailureKind::Answer, Retry::No);
    failed(after("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\na,b\n1,2\n"), FailureKind::Answer, Retry::No);
}

/// An answer with this body, packed as is said.
fn packed(encoding: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(text).unwrap();
    out.finish().unwrap()
}

#[test]
fn what_was_packed_with_gzip_is_unpacked_on_its_way() {
    let spool = TempDir::new().unwrap();
    let outside = outside(&["127.0.0.1/32"], &[], &spool);
    let text = BODY.repeat(10_000).into_bytes();
    let two = [gzip(&text[..50_000]), gzip(&text[50_000..])].concat();
    for (encoding, body) in [("gzip", gzip(&text)), ("X-GZip", two)] {
        let server = Server::saying(packed(encoding, &body));
        let http = connector("http", json!({ "url": server.url() }), &[]);
        assert_eq!(load(&*http, &path("a.csv"), &ctx(&outside), || ()).unwrap(), text);
        let first = FetchContext { first: Some(1_000), ..ctx(&outside) };
        let beginning = fetch_one(&*http, &path("a.csv"), &first).unwrap();
        assert_eq!((beginning.bytes, beginning.whole), (1_000, false));
        let limits = Limits { decoded_bytes: 100_000, ..Limits::default() };
        let error = fetch_one(&*http, &path("a.csv"), &FetchContext { limits, ..ctx(&outside) });
        failed(error, FailureKind::TooLarge, Retry::No);
    }
    // What is packed itself stays so, whatever the server calls it.
    let server = Server::saying(packed("gzip", &gzip(&text)));
    let fetched = fetch_by(json!({ "url": server.url() }), &[], "a.csv.gz").unwrap();
    assert_eq!((fetched.name.as_str(), fetched.bytes), ("a.csv.gz", gzip(&text).len() as u64));
}

#[test]
fn what_cannot_be_unpacked_is_said_in_words() {
    let whole = gzip(BODY.repeat(100).as_bytes());
    for broken in [&whole[..whole.len() - 4], &whole[..20], b"plain text", b""] {
        failed(after(packed("gzip", broken)), FailureKind::Cut, Retry::Later);
    }
    for (encoding, named) in [
        ("br", "compressed its answer with br"),
        ("zstd", "compressed its answer with zstd"),
        (BODY, "something unknown"),
    ] {
        let error = failed(after(packed(encoding, b"xx")), FailureKind::Answer, Retry::No);
        assert!(error.sentence.contains(named), "{error}");
    }
}

#[test]
fn a_source_that_says_it_is_too_large_is_not_read() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 5368709121\r\n\r\n");
    failed(fetch(&server), FailureKind::TooLarge, Retry::No);
}

#[test]
fn silence_before_an_answer_is_given_up() {
    let spool = TempDir::new().unwrap();
    let outside = outside(&["127.0.0.1/32"], &[], &spool);
    let server = Server::start(|_, stream| stall(stream));
    let http = connector("http", json!({ "url": server.url() }), &[]);
    let limits = Limits { idle: Duration::from_millis(200), ..Limits::default() };
    let context = FetchContext { limits, ..ctx(&outside) };
    let error = failed(http.fetch(&path("a"), &context), FailureKind::Silent, Retry::Later);
    assert!(error.sentence.contains("within 0.2 s"), "{error}");
}

#[test]
fn nobody_there_may_be_somebody_later() {
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let error = fetch_by(json!({ "url": format!("http://{free}") }), &[], "a");
    let error = failed(error, FailureKind::Unreachable, Retry::Later);
    assert!(error.sentence.contains("refused the connection"), "{error}");
}

#[test]
fn redirects_are_off_unless_asked_for() {
    let server =
        Server::saying(answer("302 Found", "Location: http://elsewhere.example/x?key=S3CR3T-canary\r\n", BODY));
    let error = failed(fetch(&server), FailureKind::Redirected, Retry::No);
    assert!(error.sentence.contains("elsewhere.example") && error.status == Some(302), "{error}");
    failed(after(answer("302 Found", "", "")), FailureKind::Redirected, Retry::No);
}

/// Redirects `/n` to `/n-1`, down to a file at `/0`.
fn steps() -> Server {
    Server::start(|question, stream| {
        let n: u32 = question.path().trim_start_matches('/').parse().unwrap();
        match n.checked_sub(1) {
            None => say(stream, answer("200 OK", "", "fine").as_bytes()),
            Some(next) => say(stream, answer("307 Moved", &format!("Location: {next}\r\n"), "").as_bytes()),
        }
    })
}

#[test]
fn at_most_three_redirects_are_followed() {
    let server = steps();
    let settings = json!({ "url": server.url(), "follow_redirects": true, "auth": "bearer" });
    let fetched = fetch_by(settings.clone(), &[("token", SECRET)], "3").unwrap();
    assert_eq!(fetched.name, "3", "called as it was asked for");
    assert_eq!(server.questions().len(), 4);
    assert!(server.questions().iter().all(|q| q.header("authorization").is_some()), "one host, one sign-in");
    failed(fetch_by(settings, &[("token", SECRET)], "4"), FailureKind::Redirected, Retry::No);
    assert_eq!(server.questions().len(), 8, "the fourth is not followed");
}

/// Whether redirects are followed or not, these are none that could be.
#[test]
fn only_http_and_https_are_ever_followed() {
    for to in ["file:///etc/passwd", "ftp://example.org/a.csv", "data:text/csv,a", "FILE:/etc/passwd"] {
        let server = Server::saying(answer("302 Found", &format!("Location: {to}\r\n"), BODY));
        for follow in [false, true] {
            let settings = json!({ "url": server.url(), "follow_redirects": follow });
            let error = failed(fetch_by(settings, &[], "a.csv"), FailureKind::Refused, Retry::No);
            assert!(error.sentence.contains("Only http and https are followed."), "{to}: {error}");
            assert!(!error.sentence.contains("turn on") && !error.sentence.contains("passwd"), "{to}: {error}");
        }
    }
}

#[test]
fn another_host_is_told_no_secret_and_neither_is_who_comes_after_it() {
    let home = Server::start(|question, stream| {
        let to = match question.path() {
            "/back" => "/end".to_owned(),
            "/end" => return say(stream, answer("200 OK", "", "fine").as_bytes()),
            path => format!("http://{}/", path.trim_start_matches("/go/")),
        };
        say(stream, answer("302 Found", &format!("Location: {to}\r\n"), "").as_bytes());
    });
    let back = format!("Location: {}/back\r\n", home.url());
    let other = Server::saying(answer("302 Found", &back, ""));
    let settings = json!({
        "url": home.url(), "follow_redirects": true, "auth": "bearer", "headers": { "X-Api-Key": SECRET },
    });
    fetch_by(settings, &[("token", SECRET)], &format!("go/{}", other.at)).unwrap();
    let told = |q: &super::server::Question| q.headers.iter().any(|(_, value)| value.contains(SECRET));
    assert!(told(&home.questions()[0]));
    assert!(!told(&other.questions()[0]));
    assert!(home.questions().len() == 3 && !home.questions()[1..].iter().any(told), "trust once lost stays lost");
}

#[test]
fn a_connection_test_says_what_it_found() {
    let spool = TempDir::new().unwrap();
    let outside = outside(&["127.0.0.1/32"], &[], &spool);
    let test = |said: String| {
        let server = Server::saying(said);
        let words = connector("http", json!({ "url": server.url() }), &[]).test(&ctx(&outside));
        words.map(|words| words.replace(&server.at.to_string(), "HOST"))
    };
    let words = test(answer("200 OK", "Content-Type: text/csv; charset=utf-8\r\n", &BODY.repeat(200))).unwrap();
    assert!(words.starts_with("Reached HOST in 0.") && words.ends_with(" s: 200, 2.2 kB of text/csv."), "{words}");
    let words = test(answer("200 OK", &format!("Content-Type: {BODY}<b>\r\n"), "x")).unwrap();
    assert!(words.ends_with(" s: 200, 1 byte."), "{words}");
    assert!(test(answer("404 Not Found", "", BODY)).unwrap().contains("nothing at the address itself (404)"));
    failed(test(answer("401 No", "", BODY)), FailureKind::SignIn, Retry::No);
    failed(test(answer("500 No", "", BODY)), FailureKind::Answer, Retry::Later);
}

#[test]
fn a_download_leaves_nothing_behind() {
    let spool = TempDir::new().unwrap();
    let outside = outside(&["127.0.0.1/32"], &[], &spool);
    let server = Server::saying(answer("200 OK", "", BODY));
    let http = connector("http", json!({ "url": server.url() }), &[]);
    let fetched = http.fetch(&path("a"), &ctx(&outside)).unwrap();
    assert_eq!(outside.spool.folder().read_dir().unwrap().count(), 0, "not even while it is open");
    drop(fetched);
    std::fs::remove_dir(outside.spool.folder()).unwrap();
    std::fs::write(outside.spool.folder(), "in the way").unwrap();
    failed(http.fetch(&path("a"), &ctx(&outside)), FailureKind::Machine, Retry::No);
}

/// A certificate for example.invalid that signs itself, and its key; good for nothing but this test.
const CERTIFICATE: &str = "\
    MIIBpzCCAU2gAwIBAgIUIjjwtMh8NNqdC4GV/irlWrnUkjAwCgYIKoZIzj0EAwIwGjEYMBYGA1UEAwwPZXhhbXBsZS5pbnZhbGlk\
    MCAXDTI2MTEyMjIwNTcyOFoYDzIxMjYxMDI5MjA1NzI4WjAaMRgwFgYDVQQDDA9leGFtcGxlLmludmFsaWQwWTATBgcqhkjOPQIB\
    BggqhkjOPQMBBwNCAASmuTHPr+VHrdPkXuE8nzu4/1ZyaZPr2trCmvPVcRon2hlr3PRSKJkPIv/TCi7HldH1eh/ENZS94yuF9iKB\
    WYePo28wbTAdBgNVHQ4EFgQUPK/S6axDEyzeE2pN6jmFgIR2I7wwHwYDVR0jBBgwFoAUPK/S6axDEyzeE2pN6jmFgIR2I7wwDwYD\
    VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgg9leGFtcGxlLmludmFsaWQwCgYIKoZIzj0EAwIDSAAwRQIhALduE++g/I9n88NXHDE9\
    mdKXTjEf9ZoMEerzhemuRbSVAiAGud+H/ZFbrbNppxdc9NBrY9KIfLRjH78SxPm3P8Gi1Q==\
";
const KEY: &str = "\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMkVmQGly7xUmGH0ILUC0yqBn6tXAWSyhxkcZ+PD25kKhRANCAASm\
    uTHPr+VHrdPkXuE8nzu4/1ZyaZPr2trCmvPVcRon2hlr3PRSKJkPIv/TCi7HldH1eh/ENZS94yuF9iKBWYeP\
";

#[test]
fn a_certificate_that_nobody_vouches_for_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
        let key = PrivatePkcs8KeyDer::from(BASE64.decode(KEY).unwrap());
        let config = rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![CertificateDer::from(BASE64.decode(CERTIFICATE).unwrap())], key.into())
            .unwrap();
        let mut tls = rustls::ServerConnection::new(Arc::new(config)).unwrap();
        let (mut stream, _) = listener.accept().unwrap();
        // ends when the other side hangs up on the certificate
        let mut safe = rustls::Stream::new(&mut tls, &mut stream);
        safe.write_all(answer("200 OK", "", BODY).as_bytes()).is_ok()
    });
    failed(fetch_by(json!({ "url": url, "auth": "bearer" }), &[("token", SECRET)], "a"), FailureKind::Tls, Retry::No);
    server.join().unwrap();
}

#[test]
fn encryption_where_there_is_none_is_refused() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        say(&mut stream, answer("400 Bad Request", "", BODY).as_bytes());
        stall(&mut stream);
    });
    let error = failed(fetch_by(json!({ "url": url }), &[], "a"), FailureKind::Tls, Retry::No);
    assert!(error.sentence.contains("does not use TLS"), "{error}");
    server.join().unwrap();
}

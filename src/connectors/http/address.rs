//! Where the path of a source leads: always below the address of its connection, so that whoever may write an import
//! configuration cannot carry the connection's sign-in elsewhere.

use url::Url;

use super::super::failure::{FailureKind, FetchError, Retry};

/// The address of `path` below `base`. The base counts as a folder, with or without a slash at its end; its query (a
/// key, perhaps) stays and the path's own is added. A whole address is taken when it lies below the base.
pub(super) fn join(base: &Url, path: &str) -> Result<Url, FetchError> {
    let path = path.trim();
    if path.is_empty() {
        return Ok(base.clone());
    }
    let joined = match Url::parse(path) {
        Ok(mut whole) if is_whole(path, &whole) => {
            whole.set_fragment(None);
            whole
        }
        _ => below(base, path),
    };
    let clean = joined.username().is_empty() && joined.password().is_none();
    if clean && joined.has_host() && joined.origin() == base.origin() && lies_below(base, &joined) {
        return Ok(joined);
    }
    Err(FetchError::new(
        FailureKind::Refused,
        Retry::No,
        format!(
            "The path leads outside the Connection's address ({}{}). Enter a path below it, or use another Connection.",
            host(base),
            base.path()
        ),
    )
    .of_request(true))
}

/// Whether what parses as an address is meant as one: `export:daily.csv` is the name of a file.
fn is_whole(path: &str, parsed: &Url) -> bool {
    let scheme = parsed.scheme();
    let rest = path.get(scheme.len() + 1..).unwrap_or_default();
    rest.starts_with(['/', '\\']) || matches!(scheme, "http" | "https" | "ftp" | "file" | "data")
}

/// Built part by part and not by resolving a reference, which could name another host (`//other/`, `\\other\`).
fn below(base: &Url, path: &str) -> Url {
    let path = path.split('#').next().unwrap_or_default();
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let path = path.trim_start_matches(['/', '\\']);
    let mut joined = base.clone();
    if !path.is_empty() {
        joined.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    }
    let both: Vec<_> = [base.query(), query].into_iter().flatten().filter(|q| !q.is_empty()).collect();
    joined.set_query((!both.is_empty()).then(|| both.join("&")).as_deref());
    joined
}

fn lies_below(base: &Url, url: &Url) -> bool {
    let folder = base.path().trim_end_matches('/');
    match url.path().strip_prefix(folder) {
        // A slash that is written with a per cent sign is none here, and may be one for the server, after "..".
        Some(rest) => (rest.is_empty() || rest.starts_with('/')) && !hides_slash(rest),
        None => false,
    }
}

fn hides_slash(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    path.contains("%2f") || path.contains("%5c")
}

/// The host as people know it, with its port when that is not the usual one.
pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or("the source");
    match url.port() {
        Some(port) => format!("{host}:{port}"),
        None => host.to_owned(),
    }
}

/// The last part of the path, decoded, by which format and compression are guessed; without control characters.
pub(super) fn file_name(url: &Url) -> String {
    let last = url.path().rsplit('/').next().unwrap_or_default();
    let mut bytes = Vec::with_capacity(last.len());
    let mut rest = last.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let code = (byte == b'%').then(|| after.get(..2)).flatten().and_then(|two| std::str::from_utf8(two).ok());
        match code.and_then(|two| u8::from_str_radix(two, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                rest = &after[2..];
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).chars().filter(|c| !c.is_control() && *c != '/').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(base: &str, path: &str) -> Result<String, FetchError> {
        join(&Url::parse(base).unwrap(), path).map(String::from)
    }

    #[test]
    fn paths_are_joined_below_the_base() {
        for (base, path, joined) in [
            ("http://h", "a.csv", "http://h/a.csv"),
            ("http://h/", "/a.csv", "http://h/a.csv"),
            ("http://h/x", "a.csv", "http://h/x/a.csv"),
            ("http://h/x/", "/y/a b.csv", "http://h/x/y/a%20b.csv"),
            ("http://h/x/", "y/../a.csv", "http://h/x/a.csv"),
            ("http://h/x", "", "http://h/x"),
            ("http://h/x?key=1", "a.csv?from=2#top", "http://h/x/a.csv?key=1&from=2"),
            ("http://h/x?key=1", "?from=2", "http://h/x?key=1&from=2"),
            ("http://h:81/x/", "http://h:81/x/a.csv", "http://h:81/x/a.csv"),
            ("http://h/x/", "//evil/a", "http://h/x/evil/a"),
            ("http://h/x/", "\\\\evil\\a", "http://h/x/evil/a"),
            ("http://h/x/", "@evil/a", "http://h/x/@evil/a"),
            ("http://h/x/", "export:daily.csv", "http://h/x/export:daily.csv"),
            ("http://h/a%2Fb", "c.csv", "http://h/a%2Fb/c.csv"),
            ("http://h/x/", "a.csv?of=b%2Fc", "http://h/x/a.csv?of=b%2Fc"),
        ] {
            assert_eq!(at(base, path).as_deref(), Ok(joined), "{base} + {path}");
        }
    }

    #[test]
    fn paths_that_lead_away_are_refused() {
        for path in [
            "http://other/x/a.csv",
            "https://h/x/a.csv",
            "http://h:82/x/a.csv",
            "http://h/y/a.csv",
            "../a.csv",
            "y/../../a.csv",
            "%2e%2e/a.csv",
            "..\\a.csv",
            "..%2fa.csv",
            "y/..%2F..%2Fa.csv",
            "..%5Ca.csv",
            "export://h/x/a.csv",
            "file:///etc/passwd",
            "file:/etc/passwd",
            "gopher://h/x/",
            "http://u:p@h/x/a.csv",
            "http:\\\\other\\x",
            "http://h/xy/a.csv",
            "data:text/csv,a",
        ] {
            let refused = at("http://h/x/", path).expect_err(path);
            assert_eq!((refused.kind, refused.retry), (FailureKind::Refused, Retry::No), "{path}");
        }
    }

    #[test]
    fn a_name_is_the_last_part_decoded() {
        for (url, name) in [
            ("http://h/x/a%20b.csv.gz?c=d.xlsx", "a b.csv.gz"),
            ("http://h/", ""),
            ("http://h/100%", "100%"),
            ("http://h/a%2Fb%0d%0a.csv", "ab.csv"),
            ("http://h/%zz", "%zz"),
        ] {
            assert_eq!(file_name(&Url::parse(url).unwrap()), name);
        }
    }
}

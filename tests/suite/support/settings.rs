//! What the suite itself is told by its environment; `tests/run.sh` sets it.

use std::path::PathBuf;

#[allow(clippy::disallowed_methods)] // the one place of the suite that looks at the environment
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A PostgreSQL server in which databases may be made and dropped.
pub fn postgres() -> Option<String> {
    variable("TIDEGATE_TEST_POSTGRES")
}

/// Where the certificate authorities are for speaking TLS to that server as `localhost`: `ca.pem` signed its certificate,
/// `other.pem` did not.
pub fn postgres_tls() -> Option<String> {
    variable("TIDEGATE_TEST_POSTGRES_TLS")
}

/// For quick work: the PostgreSQL half of each test says nothing. A run of the whole suite never sets this.
pub fn only_sqlite() -> bool {
    variable("TIDEGATE_TEST_ONLY_SQLITE").is_some()
}

/// The long versions of the tests that come in two lengths.
pub fn full() -> bool {
    variable("TIDEGATE_TEST_FULL").is_some()
}

/// What chance begins with: another number each time, unless `TIDEGATE_TEST_SEED` repeats a run that failed.
pub fn seed() -> u64 {
    variable("TIDEGATE_TEST_SEED").map_or(std::process::id().into(), |seed| seed.parse().unwrap())
}

/// The W3C's HTML checker, a jar.
pub fn html_checker() -> Option<PathBuf> {
    variable("TIDEGATE_TEST_VNU").map(PathBuf::from)
}

/// axe-core, a script.
pub fn axe() -> Option<PathBuf> {
    variable("TIDEGATE_TEST_AXE").map(PathBuf::from)
}

/// schemathesis, a program.
pub fn schemathesis() -> Option<PathBuf> {
    variable("TIDEGATE_TEST_SCHEMATHESIS").map(PathBuf::from)
}

/// Whether what is compared with a committed file writes that file anew instead.
pub fn renew() -> bool {
    variable("TIDEGATE_TEST_RENEW").is_some()
}

/// A Python whose zone data is of chrono-tz's release, and that has dateutil.
pub fn oracle_python() -> Option<PathBuf> {
    variable("TIDEGATE_TEST_ORACLE_PYTHON").map(PathBuf::from)
}

/// A Python that has aiosmtpd, for `tests/mail/server.py`.
pub fn mail_python() -> PathBuf {
    variable("TIDEGATE_TEST_MAIL_PYTHON").map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "The mail server needs a Python with aiosmtpd. `bash tests/run.sh` makes one; by hand: \
             python3 -m venv /tmp/mail && /tmp/mail/bin/pip install aiosmtpd==1.4.6, \
             then set TIDEGATE_TEST_MAIL_PYTHON=/tmp/mail/bin/python."
        )
    })
}

/// A folder of node's modules that has oidc-provider, for `tests/oidc/provider.mjs`.
pub fn oidc_modules() -> PathBuf {
    variable("TIDEGATE_TEST_OIDC").map(PathBuf::from).unwrap_or_else(|| {
        panic!(
            "The provider of OpenID Connect needs npm's oidc-provider. `bash tests/run.sh` installs it; by hand: \
             npm install --prefix /tmp/oidc oidc-provider@9.13.3, then set TIDEGATE_TEST_OIDC=/tmp/oidc/node_modules."
        )
    })
}

/// The root of the sources.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

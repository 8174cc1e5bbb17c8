//! Why a sign-in elsewhere failed is for the log: what it says, by issuer.

use std::io::{self, Write};
use std::sync::{Mutex, Once};

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Keeps the lines that are about it, of all tests of this process.
struct Keep;

impl Write for Keep {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let line = String::from_utf8_lossy(bytes);
        if line.contains("OpenID Connect") {
            LINES.lock().unwrap().push(line.into_owned());
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// From now on all is kept.
pub fn listen() {
    static ONCE: Once = Once::new();
    let listens = || tracing_subscriber::fmt().json().with_max_level(tracing::Level::WARN).with_writer(|| Keep);
    ONCE.call_once(|| listens().init());
}

/// What it says of an issuer since it was last asked.
pub fn take(issuer: &str) -> String {
    let mut lines = LINES.lock().unwrap();
    let issuer = format!("\"issuer\":\"{issuer}\"");
    lines.extract_if(.., |line| line.contains(&issuer)).collect()
}

//! A mail server that others use, too (`tests/mail/server.py`), in a process of its own, with a certificate made for it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use tempfile::TempDir;

use super::settings;

/// How it is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    Plain,
    StartTls,
    Tls,
}

pub struct MailServer {
    child: Option<Child>,
    folder: TempDir,
    wire: Wire,
    port: u16,
}

impl MailServer {
    pub fn start(wire: Wire) -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-mail-").tempdir().unwrap();
        if wire != Wire::Plain {
            certificates(folder.path());
        }
        let mut server = Self { child: None, folder, wire, port: 0 };
        server.up();
        server
    }

    /// Starts it where it was.
    pub fn up(&mut self) {
        let (folder, port) = (self.folder.path(), self.port.to_string());
        let way = match self.wire {
            Wire::Plain => "plain",
            Wire::StartTls => "starttls",
            Wire::Tls => "tls",
        };
        let mut child = Command::new(settings::mail_python())
            .arg(settings::root().join("tests/mail/server.py"))
            .args([folder.to_str().unwrap(), &port, way])
            .args([folder.join("server.pem"), folder.join("server.key")])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the mail server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        self.port = line.trim().parse().expect("the mail server says its port");
        self.child = Some(child);
    }

    pub fn down(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    /// Its address under this name; with name and password where it wants them.
    pub fn url(&self, host: &str) -> String {
        match self.wire {
            Wire::Plain => format!("smtp://{host}:{}", self.port),
            Wire::StartTls => format!("smtp://tidegate:right@{host}:{}", self.port),
            Wire::Tls => format!("smtps://tidegate:right@{host}:{}", self.port),
        }
    }

    /// The authority that signed its certificate, which is for `localhost`.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// An authority that did not.
    pub fn other_authority(&self) -> PathBuf {
        self.folder.path().join("other.pem")
    }

    /// The next messages are answered like this (`hang`: not at all), then all are taken again.
    pub fn does(&self, deeds: &[&str]) {
        std::fs::write(self.folder.path().join("deeds"), deeds.join("\n")).unwrap();
    }

    /// All that it was given whole, also what it did not take.
    pub fn received(&self) -> Vec<Received> {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut mails: Vec<PathBuf> = files.filter(|file| file.extension().is_some_and(|e| e == "json")).collect();
        mails.sort();
        mails.into_iter().map(|mail| serde_json::from_slice(&std::fs::read(mail).unwrap()).unwrap()).collect()
    }
}

/// A message as the server's library read it.
#[derive(Clone, Debug, Deserialize)]
pub struct Received {
    /// Whom the server was to give it to.
    pub to: Vec<String>,
    /// As it came.
    pub raw: String,
    pub headers: Vec<(String, String)>,
    pub text: String,
    pub html: String,
}

impl Received {
    /// The only header of this name.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found: Vec<_> = self.headers.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).collect();
        assert_eq!(found.len(), 1, "{name}: {:?}", self.headers);
        &found[0].1
    }
}

impl Drop for MailServer {
    fn drop(&mut self) {
        self.down();
    }
}

/// A certificate for localhost, the authority that signed it, and one that did not.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        let done = Command::new("openssl").args(arguments.split(' ')).current_dir(folder).output().unwrap();
        assert!(done.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&done.stderr));
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";
    for name in ["ca", "other"] {
        openssl(&format!("req -x509 {key} -days 30 -subj /CN={name} -keyout {name}.key -out {name}.pem"));
    }
    openssl(&format!("req -new {key} -subj /CN=localhost -keyout server.key -out server.csr"));
    std::fs::write(folder.join("names"), "subjectAltName=DNS:localhost\n").unwrap();
    openssl(
        "x509 -req -days 30 -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.pem -extfile names",
    );
}

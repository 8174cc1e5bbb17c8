//! What Tidegate posts to, played by a thread: Slack's API, Slack's incoming webhooks (`/hook`), anybody's webhook. It answers
//! as it was told, request by request, and keeps all that it was sent.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

/// What it does with one request.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Status, one more header line (`""`: none), body.
    Answers(u16, &'static str, &'static str),
    /// Has the whole request and hangs up.
    HangsUp,
    /// Says nothing until another path was asked for.
    WaitsFor(&'static str),
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Received {
    pub path: String,
    /// By their names in lower case.
    pub headers: HashMap<String, String>,
    pub body: String,
}

impl Received {
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{}: {e}: {}", self.path, self.body))
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(String::as_str).unwrap_or_default()
    }
}

#[derive(Default)]
struct Inner {
    deeds: HashMap<String, Vec<Deed>>,
    received: Vec<Received>,
    /// Slack's ids by e-mail.
    people: HashMap<String, String>,
    /// Messages in Slack: channel and message, each id of a client once.
    shown: Vec<(String, Value)>,
    ids: Vec<String>,
}

#[derive(Clone)]
pub struct Receiver {
    /// Without a slash at the end.
    pub at: String,
    inner: Arc<Mutex<Inner>>,
}

pub const TOKEN: &str = "xoxb-canary-4711";

impl Receiver {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let receiver = Self { at: format!("http://{}", listener.local_addr().unwrap()), inner: Arc::default() };
        let server = receiver.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.talk(stream));
            }
        });
        receiver
    }

    /// Slack's API at this receiver.
    pub fn api(&self) -> url::Url {
        url::Url::parse(&format!("{}/api/", self.at)).unwrap()
    }

    /// Slack knows somebody.
    pub fn knows(&self, email: &str, id: &str) {
        self.inner.lock().unwrap().people.insert(email.to_owned(), id.to_owned());
    }

    /// The next requests for this path go like this, then all go well again.
    pub fn does(&self, path: &str, deeds: &[Deed]) {
        self.inner.lock().unwrap().deeds.insert(path.to_owned(), deeds.iter().rev().cloned().collect());
    }

    /// All requests for this path.
    pub fn received(&self, path: &str) -> Vec<Received> {
        self.inner.lock().unwrap().received.iter().filter(|received| received.path == path).cloned().collect()
    }

    /// How many requests came at all.
    pub fn count(&self) -> usize {
        self.inner.lock().unwrap().received.len()
    }

    /// What stands in Slack: channel and message.
    pub fn shown(&self) -> Vec<(String, Value)> {
        self.inner.lock().unwrap().shown.clone()
    }

    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut out = stream.try_clone().ok()?;
        let mut lines = BufReader::new(stream);
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let path = line.split(' ').nth(1)?.to_owned();
        let mut headers = HashMap::new();
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).ok()?;
            let Some((name, value)) = line.trim_end().split_once(": ") else { break };
            headers.insert(name.to_lowercase(), value.to_owned());
        }
        let mut body = vec![0; headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0)];
        lines.read_exact(&mut body).ok()?;
        let received = Received { path: path.clone(), headers, body: String::from_utf8(body).ok()? };
        let mut inner = self.inner.lock().unwrap();
        inner.received.push(received.clone());
        let mut deed = inner.deeds.get_mut(&path).and_then(Vec::pop);
        if let Some(Deed::WaitsFor(other)) = deed {
            while inner.received.iter().all(|received| received.path != other) {
                drop(inner);
                std::thread::sleep(std::time::Duration::from_millis(20));
                inner = self.inner.lock().unwrap();
            }
            deed = None;
        }
        let (status, header, body) = match deed {
            Some(Deed::Answers(status, header, body)) => (status, header, body.to_owned()),
            // It was taken, and nobody is told.
            Some(Deed::HangsUp) => {
                inner.answer(&received);
                return None;
            }
            Some(Deed::WaitsFor(_)) | None => (200, "", inner.answer(&received)),
        };
        drop(inner);
        let header = if header.is_empty() { String::new() } else { format!("{header}\r\n") };
        let length = body.len();
        write!(out, "HTTP/1.1 {status} Fine\r\n{header}Content-Length: {length}\r\nConnection: close\r\n\r\n{body}")
            .ok()
    }
}

impl Inner {
    fn answer(&mut self, received: &Received) -> String {
        let Some(method) = received.path.strip_prefix("/api/") else { return "ok".to_owned() };
        if received.header("authorization") != format!("Bearer {TOKEN}") {
            return json!({"ok": false, "error": "invalid_auth"}).to_string();
        }
        let answer = match method {
            "auth.test" => json!({"ok": true, "team": "Acme <b>", "user": "tidegate"}),
            "users.lookupByEmail" => {
                let email = url::form_urlencoded::parse(received.body.as_bytes()).find(|(name, _)| name == "email");
                match email.and_then(|(_, email)| self.people.get(email.as_ref())) {
                    Some(id) => json!({"ok": true, "user": {"id": id}}),
                    None => json!({"ok": false, "error": "users_not_found"}),
                }
            }
            "chat.postMessage" => {
                let message = received.json();
                let id = message["client_msg_id"].as_str().unwrap().to_owned();
                if !self.ids.contains(&id) {
                    self.ids.push(id);
                    self.shown.push((message["channel"].as_str().unwrap().to_owned(), message));
                }
                json!({"ok": true, "ts": "1.2"})
            }
            _ => json!({"ok": false, "error": "unknown_method"}),
        };
        answer.to_string()
    }
}

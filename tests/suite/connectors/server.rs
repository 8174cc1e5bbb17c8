//! A web server that says exactly what a test wants, byte by byte, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// One question as it came: its first line and headers, names in lower case.
#[derive(Clone, Debug)]
pub struct Question {
    pub line: String,
    pub headers: Vec<(String, String)>,
}

impl Question {
    pub fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }
}

pub struct Server {
    pub at: SocketAddr,
    questions: Arc<Mutex<Vec<Question>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Answers each question by `answer`, then closes the connection.
    pub fn start(answer: impl Fn(&Question, &mut TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = listener.local_addr().unwrap();
        let questions = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let answer = Arc::new(answer);
        let thread = std::thread::spawn({
            let (questions, stop) = (Arc::clone(&questions), Arc::clone(&stop));
            move || {
                for stream in listener.incoming() {
                    if stop.load(Ordering::SeqCst) {
                        return;
                    }
                    let Ok(mut stream) = stream else { continue };
                    let (questions, answer) = (Arc::clone(&questions), Arc::clone(&answer));
                    std::thread::spawn(move || {
                        if let Some(question) = read(&stream) {
                            questions.lock().unwrap().push(question.clone());
                            answer(&question, &mut stream);
                        }
                    });
                }
            }
        });
        Self { at, questions, stop, thread: Some(thread) }
    }

    /// Gives every question the same answer.
    pub fn saying(bytes: impl Into<Vec<u8>>) -> Self {
        let bytes = bytes.into();
        Self::start(move |_, stream| say(stream, &bytes))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.at)
    }

    pub fn questions(&self) -> Vec<Question> {
        self.questions.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(self.at);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn read(stream: &TcpStream) -> Option<Question> {
    let mut lines = BufReader::new(stream).lines();
    let line = lines.next()?.ok()?;
    let mut headers = Vec::new();
    for header in lines {
        match header.ok()?.split_once(':') {
            Some((name, value)) => headers.push((name.to_ascii_lowercase(), value.trim().to_owned())),
            None => break,
        }
    }
    Some(Question { line, headers })
}

/// Writes; that the other side has gone is its own affair.
pub fn say(stream: &mut TcpStream, bytes: &[u8]) {
    let _ = stream.write_all(bytes).and_then(|()| stream.flush());
}

/// Stays silent until the other side goes.
pub fn stall(stream: &mut TcpStream) {
    let _ = stream.read_to_end(&mut Vec::new());
}

/// A whole answer with its length.
pub fn answer(status: &str, headers: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

/// A listener that must never be connected to.
pub struct Canary(pub TcpListener);

impl Canary {
    pub fn at(address: &str) -> Self {
        let listener = TcpListener::bind(address).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    #[track_caller]
    pub fn assert_untouched(&self) {
        let touched = self.0.accept();
        assert!(
            matches!(&touched, Err(e) if e.kind() == std::io::ErrorKind::WouldBlock),
            "somebody connected: {touched:?}"
        );
    }
}

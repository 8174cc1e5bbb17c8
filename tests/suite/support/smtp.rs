//! A mail server that does as it is told, message by message.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What it does with one message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed {
    Takes,
    /// Answers DATA's end with this.
    Answers(&'static str),
    /// Has the whole message and says nothing more.
    HangsUp,
}

#[derive(Clone)]
pub struct Smtp {
    pub url: String,
    deeds: Arc<Mutex<Vec<Deed>>>,
    messages: Arc<Mutex<Vec<String>>>,
}

impl Smtp {
    /// Takes every message, unless it was [told](Smtp::does) otherwise.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let smtp = Self {
            url: format!("smtp://{}", listener.local_addr().unwrap()),
            deeds: Arc::default(),
            messages: Arc::default(),
        };
        let server = smtp.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let server = server.clone();
                std::thread::spawn(move || server.talk(stream));
            }
        });
        smtp
    }

    /// The next messages go like this, then all are taken again.
    pub fn does(&self, deeds: &[Deed]) {
        *self.deeds.lock().unwrap() = deeds.iter().rev().copied().collect();
    }

    /// All that it received, also what it did not take.
    pub fn received(&self) -> Vec<String> {
        self.messages.lock().unwrap().clone()
    }

    fn talk(&self, stream: TcpStream) -> Option<()> {
        let mut out = stream.try_clone().ok()?;
        let mut say = move |line: &str| out.write_all(format!("{line}\r\n").as_bytes()).ok();
        let mut lines = BufReader::new(stream).lines();
        say("220 here")?;
        while let Some(Ok(line)) = lines.next() {
            match line.get(..4).unwrap_or_default().to_uppercase().as_str() {
                "EHLO" => say("250 here")?,
                "DATA" => {
                    say("354 go on")?;
                    let mut message = String::new();
                    for line in lines.by_ref() {
                        let line = line.ok()?;
                        if line == "." {
                            break;
                        }
                        message += &line;
                        message.push('\n');
                    }
                    self.messages.lock().unwrap().push(message);
                    match self.deeds.lock().unwrap().pop().unwrap_or(Deed::Takes) {
                        Deed::Takes => say("250 taken")?,
                        Deed::Answers(line) => say(line)?,
                        Deed::HangsUp => return None,
                    }
                }
                "QUIT" => {
                    say("221 bye")?;
                    return None;
                }
                _ => say("250 ok")?,
            }
        }
        None
    }
}

/// A header of a message.
pub fn header<'a>(message: &'a str, name: &str) -> &'a str {
    let head = message.split("\n\n").next().unwrap_or_default();
    head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).unwrap_or_default().trim()
}

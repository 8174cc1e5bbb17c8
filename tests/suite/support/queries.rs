//! Counts the statements that reach one database, whoever sends them, and keeps their texts: a page must not ask once
//! for each row it shows, nor for what only a walk through everything could answer.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

/// By database. Texts are kept between [`keep`] and [`kept`].
#[derive(Default)]
struct Sent {
    count: usize,
    texts: Option<Vec<String>>,
}

static SENT: OnceLock<Mutex<HashMap<String, Sent>>> = OnceLock::new();

fn sent_to<T>(database: &str, look: impl FnOnce(&mut Sent) -> T) -> T {
    let mut all = SENT.get_or_init(Mutex::default).lock().unwrap();
    look(all.entry(database.to_owned()).or_default())
}

/// One connection's, which learns as it is made where it leads.
#[derive(Default)]
struct Count(String);

impl Instrumentation for Count {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { query, .. } => sent_to(&self.0, |sent| {
                sent.count += 1;
                if let Some(texts) = &mut sent.texts {
                    let text = query.to_string();
                    texts.push(text.split(" -- binds:").next().unwrap_or_default().to_owned());
                }
            }),
            _ => {}
        }
    }
}

/// From here on new connections are counted: to be called before the World is opened.
pub fn watch() {
    set_default_instrumentation(|| Some(Box::new(Count::default()))).unwrap();
}

/// How many statements this database was sent since it was watched.
pub fn sent(database: &str) -> usize {
    sent_to(database, |sent| sent.count)
}

/// Keeps the texts of what this database is sent from here on.
pub fn keep(database: &str) {
    sent_to(database, |sent| sent.texts = Some(Vec::new()));
}

/// The texts since [`keep`], without what was bound.
pub fn kept(database: &str) -> Vec<String> {
    sent_to(database, |sent| sent.texts.take().unwrap_or_default())
}

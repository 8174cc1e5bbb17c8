//! Counts the statements that reach one database, whoever sends them: a page must not ask once for each row it shows.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};

static COUNTS: OnceLock<Mutex<HashMap<String, usize>>> = OnceLock::new();

/// One connection's, which learns as it is made where it leads.
#[derive(Default)]
struct Count(String);

impl Instrumentation for Count {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        match event {
            InstrumentationEvent::StartEstablishConnection { url, .. } => self.0 = url.to_owned(),
            InstrumentationEvent::StartQuery { .. } => {
                let mut counts = COUNTS.get_or_init(Mutex::default).lock().unwrap();
                *counts.entry(self.0.clone()).or_default() += 1;
            }
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
    COUNTS.get_or_init(Mutex::default).lock().unwrap().get(database).copied().unwrap_or_default()
}

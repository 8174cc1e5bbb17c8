//! What another server said of itself lately, so that not everybody who comes asks it anew.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::Duration;

use crate::clock::Moment;

/// So many minutes it is taken for what is so.
const MINUTES: i64 = 5;

/// The latest answer: of one server, because one is asked.
#[derive(Default)]
pub struct Lately(Mutex<Option<Said>>);

struct Said {
    by: String,
    text: Vec<u8>,
    at: Moment,
}

impl Lately {
    /// What this server said, where that is not long ago.
    pub fn said(&self, by: &str, now: Moment) -> Option<Vec<u8>> {
        let said = self.lock();
        let fresh = |said: &&Said| said.by == by && said.at <= now && now.since(said.at) < Duration::minutes(MINUTES);
        said.as_ref().filter(fresh).map(|said| said.text.clone())
    }

    pub fn keep(&self, by: &str, text: Vec<u8>, now: Moment) {
        *self.lock() = Some(Said { by: by.to_owned(), text, at: now });
    }

    /// It may say something else now.
    pub fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Said>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_of_one_server_and_soon_old() {
        let (lately, now) = (Lately::default(), Moment::from_micros(0));
        lately.keep("a", b"x".to_vec(), now);
        let later = |minutes| now.plus(Duration::minutes(minutes));
        assert_eq!(lately.said("a", later(4)).as_deref(), Some(&b"x"[..]));
        assert!(lately.said("b", now).is_none() && lately.said("a", later(5)).is_none());
        assert!(lately.said("a", later(-1)).is_none(), "the clock was set back");
        lately.forget();
        assert!(lately.said("a", now).is_none());
    }
}

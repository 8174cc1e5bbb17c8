//! Query parameters, and lists that are read page by page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::clock::Moment;
use crate::error::{AppError, FieldErrors, Result};
use crate::web::Form;

const USUAL: i64 = 50;
const MOST: i64 = 200;

/// The query of a request, taken parameter by parameter; what nobody took is refused in the end.
pub struct Params {
    pairs: Vec<(String, String)>,
    errors: FieldErrors,
}

impl Params {
    pub fn parse(query: &str) -> Self {
        Self { pairs: Form::parse(query.as_bytes()).0, errors: FieldErrors::new() }
    }

    pub fn wrong<T>(&mut self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.errors.add(name, detail);
        None
    }

    /// A parameter, unless absent or empty.
    pub fn text(&mut self, name: &str) -> Option<String> {
        let (mut own, others): (Vec<_>, Vec<_>) = self.pairs.drain(..).partition(|(n, _)| n == name);
        self.pairs = others;
        if own.len() > 1 {
            return self.wrong(name, "Give this once.");
        }
        own.pop().map(|(_, value)| value).filter(|value| !value.is_empty())
    }

    pub fn id(&mut self, name: &str) -> Option<i64> {
        match self.text(name)?.parse() {
            Ok(id) => Some(id),
            Err(_) => self.wrong(name, "Send an id, a whole number."),
        }
    }

    pub fn count(&mut self, name: &str, usual: i64, most: i64) -> i64 {
        let Some(text) = self.text(name) else { return usual };
        match text.parse() {
            Ok(count) if (1..=most).contains(&count) => count,
            _ => self.wrong(name, format!("Send a number from 1 to {most}.")).unwrap_or(usual),
        }
    }

    pub fn moment(&mut self, name: &str) -> Option<Moment> {
        // A plus that was not encoded has become a space on the way.
        match Moment::parse_rfc3339(&self.text(name)?.replace(' ', "+")) {
            Some(at) => Some(at),
            None => self.wrong(name, "Send an instant such as 2026-10-25T00:30:00Z."),
        }
    }

    pub fn word<T>(&mut self, name: &str, parse: fn(&str) -> Option<T>, words: &[&str]) -> Option<T> {
        match parse(&self.text(name)?) {
            Some(word) => Some(word),
            None => self.wrong(name, format!("Use one of {}.", words.join(", "))),
        }
    }

    /// `limit` and `after`.
    pub fn page(&mut self) -> Page {
        let limit = self.count("limit", USUAL, MOST);
        let after = self.text("after").and_then(|cursor| match Page::open(&cursor) {
            Some(id) => Some(id),
            None => self.wrong("after", "Send what an earlier page gave as next."),
        });
        Page { after, limit }
    }

    /// Refuses what nobody took, together with all that was wrong.
    pub fn finish(mut self) -> Result<()> {
        for (name, _) in std::mem::take(&mut self.pairs) {
            self.errors.add(name.chars().take(60).collect::<String>(), "This address knows no such parameter.");
        }
        self.errors.ok_or(()).map_err(AppError::from)
    }
}

/// Which part of a list is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Page {
    /// The id at which the last page ended.
    pub after: Option<i64>,
    pub limit: i64,
}

impl Page {
    fn open(cursor: &str) -> Option<i64> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_prefix('p')?.parse().ok()
    }

    /// For lists that begin with the smallest id.
    pub fn after(&self) -> i64 {
        self.after.unwrap_or(0)
    }

    /// One more than asked for, which tells whether another page follows.
    pub fn fetch(&self) -> i64 {
        self.limit + 1
    }

    /// The page, of up to [`Page::fetch`] things.
    pub fn list<T>(&self, mut things: Vec<T>, id: impl Fn(&T) -> i64, json: impl FnMut(T) -> Value) -> Value {
        let more = things.len() as i64 > self.limit;
        things.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let next = things.last().filter(|_| more).map(|last| URL_SAFE_NO_PAD.encode(format!("p{}", id(last))));
        json!({ "items": things.into_iter().map(json).collect::<Vec<_>>(), "next": next })
    }

    /// The page out of all things, in the order of their ids.
    pub fn of_all<T>(&self, mut all: Vec<T>, id: impl Fn(&T) -> i64, json: impl FnMut(T) -> Value) -> Value {
        all.retain(|thing| id(thing) > self.after());
        all.sort_by_key(&id);
        all.truncate(usize::try_from(self.fetch()).unwrap_or(usize::MAX));
        self.list(all, id, json)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let (mut seen, mut query) = (Vec::new(), "limit=3".to_owned());
        loop {
            let mut params = Params::parse(&query);
            let page = params.page();
            params.finish().unwrap();
            let list = page.of_all((1..=7).collect(), |n| *n, Value::from);
            seen.extend(list["items"].as_array().unwrap().iter().map(|n| n.as_i64().unwrap()));
            let Some(next) = list["next"].as_str() else { break };
            query = format!("limit=3&after={next}");
        }
        assert_eq!(seen, (1..=7).collect::<Vec<_>>());
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let mut params = Params::parse("limit=201&after=7&status=x&status=y&b=1");
        params.page();
        params.text("status");
        let AppError::Invalid(errors) = params.finish().unwrap_err() else { panic!() };
        let named: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(named, ["limit", "after", "status", "b"]);
    }
}

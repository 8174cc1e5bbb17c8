//! Lists that are read page by page.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde_json::{Value, json};

use crate::shape::{Described, Number, Reader, Schemas, Sent, sent};

const USUAL: i64 = 50;

sent! {
    /// Which part of a list is asked for.
    pub struct PageQuery {
        /// How many. Default: 50.
        limit: Number<1, 200>,
        /// The value of `next` from an earlier page; empty for the first.
        after: Cursor,
    }
}

/// The id at which the last page ended, as a text that means nothing to others; none before the first.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Cursor(Option<i64>);

impl Cursor {
    fn close(id: i64) -> String {
        URL_SAFE_NO_PAD.encode(format!("p{id}"))
    }

    fn open(text: &str) -> Option<Self> {
        if text.is_empty() {
            return Some(Self(None));
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        std::str::from_utf8(&bytes).ok()?.strip_prefix('p')?.parse().ok().map(|id| Self(Some(id)))
    }
}

impl Described for Cursor {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "string" })
    }
}

impl Sent for Cursor {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let cursor = sent.as_str().and_then(Self::open);
        cursor.or_else(|| reader.wrong(at, "Send the value of next from an earlier page."))
    }
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub struct List<T> {
    pub items: Vec<T>,
    /// Null: this was the last page.
    pub next: Option<String>,
}

impl<T: Described> Described for List<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        let items = T::schema(schemas);
        json!({
            "type": "object",
            "properties": {
                "items": { "type": "array", "items": items, "maxItems": 200 },
                "next": { "type": ["string", "null"], "description": "The value for `after`; null on the last page." },
            },
            "required": ["items", "next"],
            "additionalProperties": false,
        })
    }
}

impl PageQuery {
    fn limit(&self) -> i64 {
        self.limit.map_or(USUAL, |limit| limit.0)
    }

    /// For lists that begin with the greatest id.
    pub fn before(&self) -> Option<i64> {
        self.after.and_then(|cursor| cursor.0)
    }

    /// For lists that begin with the smallest id.
    pub fn after(&self) -> i64 {
        self.before().unwrap_or(0)
    }

    /// One more than asked for, which tells whether another page follows.
    pub fn fetch(&self) -> i64 {
        self.limit() + 1
    }

    /// The page, of up to [`PageQuery::fetch`] things.
    pub fn list<T, U>(&self, mut things: Vec<T>, id: impl Fn(&T) -> i64, answer: impl FnMut(T) -> U) -> List<U> {
        let more = things.len() as i64 > self.limit();
        things.truncate(usize::try_from(self.limit()).unwrap_or(usize::MAX));
        let next = things.last().filter(|_| more).map(|last| Cursor::close(id(last)));
        List { items: things.into_iter().map(answer).collect(), next }
    }

    /// The page out of all things, in the order of their ids.
    pub fn of_all<T, U>(&self, mut all: Vec<T>, id: impl Fn(&T) -> i64, answer: impl FnMut(T) -> U) -> List<U> {
        all.retain(|thing| id(thing) > self.after());
        all.sort_by_key(&id);
        all.truncate(usize::try_from(self.fetch()).unwrap_or(usize::MAX));
        self.list(all, id, answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::call::query;

    #[test]
    fn pages_follow_one_another_to_the_end() {
        let (mut seen, mut asked) = (Vec::new(), "limit=3&after=".to_owned());
        loop {
            let page: PageQuery = query(&asked).unwrap();
            let list = page.of_all((1..=7).collect(), |n| *n, |n| n);
            seen.extend(list.items);
            let Some(next) = list.next else { break };
            asked = format!("limit=3&after={next}");
        }
        assert_eq!(seen, (1..=7).collect::<Vec<_>>());
    }

    sent! {
        struct StatusQuery {
            status: String;
            page: PageQuery,
        }
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let errors = query::<StatusQuery>("limit=&after=7&status=x&status=y&b=1").unwrap_err();
        let named: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(named, ["status", "limit", "after", "b"]);
    }
}

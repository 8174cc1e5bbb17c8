//! The values that members hold: how each is read, and what is said when it is not what it should be.

use std::collections::BTreeMap;

use chrono_tz::Tz;
use serde::Serialize;
use serde_json::{Value, json};

use super::{Described, Object, Reader, Schemas, Sent, nullable};
use crate::clock::Moment;

/// How many ids a list may hold, of whoever sends them: as many as one question of the database may name.
pub const MOST_IDS: usize = 1_000;

macro_rules! described {
    ($($type:ty => $schema:tt),+ $(,)?) => {
        $(impl Described for $type {
            fn schema(_: &mut Schemas) -> Value {
                json!($schema)
            }
        })+
    };
}

described! {
    String => { "type": "string" },
    bool => { "type": "boolean" },
    i64 => { "type": "integer", "format": "int64" },
    i32 => { "type": "integer", "format": "int32" },
    usize => { "type": "integer", "minimum": 0 },
    f64 => { "type": "number" },
    Moment => { "type": "string", "format": "date-time", "examples": ["2026-10-25T00:30:00Z"] },
    Tz => { "type": "string", "examples": ["Europe/Paris"] },
    Object => { "type": "object" },
    Ids => { "type": "array", "items": { "type": "integer", "format": "int64" }, "maxItems": MOST_IDS, "examples": [[1, 2]] },
    Texts => { "type": "object", "additionalProperties": { "type": ["string", "null"] } },
    Later => { "type": ["array", "object", "null"], "maxItems": 0, "maxProperties": 0 },
}

impl<T: Described> Described for Vec<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "type": "array", "items": T::schema(schemas) })
    }
}

impl<T: Described> Described for Option<T> {
    fn schema(schemas: &mut Schemas) -> Value {
        nullable(T::schema(schemas))
    }
}

/// Text without a NUL, which no database keeps.
impl Sent for String {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        match sent {
            Value::String(text) if text.contains('\0') => reader.wrong(at, "Text cannot contain a NUL character."),
            Value::String(text) => Some(text),
            _ => reader.wrong(at, "Send text."),
        }
    }
}

impl Sent for bool {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let truth = match sent {
            Value::String(text) if reader.query => text.parse().ok(),
            other => other.as_bool(),
        };
        truth.or_else(|| reader.wrong(at, "Send true or false."))
    }
}

impl Sent for i64 {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let number = match sent {
            Value::String(text) if reader.query => text.parse().ok(),
            other => other.as_i64(),
        };
        number.or_else(|| reader.wrong(at, "Send a whole number."))
    }
}

impl Sent for i32 {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let number = i64::read(sent, at, reader)?;
        i32::try_from(number).ok().or_else(|| reader.wrong(at, "This number is out of range."))
    }
}

impl Sent for f64 {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        sent.as_f64().or_else(|| reader.wrong(at, "Send a number."))
    }
}

impl Sent for Moment {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let text = sent.as_str().unwrap_or_default();
        // A plus that was not encoded has become a space on its way in an address.
        let moment =
            if reader.query { Self::parse_rfc3339(&text.replace(' ', "+")) } else { Self::parse_rfc3339(text) };
        moment.or_else(|| reader.wrong(at, "Send an instant such as 2026-10-25T00:30:00Z."))
    }
}

impl Sent for Tz {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let zone = sent.as_str().and_then(|name| name.parse().ok());
        zone.or_else(|| reader.wrong(at, "This is not a known time zone: use an IANA name such as Europe/Paris."))
    }
}

/// Names and values that somebody else knows.
impl Sent for Object {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        match sent {
            Value::Object(map) => {
                map.iter().for_each(|(name, value)| free(name, value, at, reader));
                Some(map)
            }
            _ => reader.wrong(at, "Send an object of names and values."),
        }
    }
}

/// Refuses each NUL, however deep it stands.
fn free(name: &str, value: &Value, at: &str, reader: &mut Reader) {
    let at = format!("{at}.{}", name.replace('\0', "\u{fffd}"));
    if name.contains('\0') {
        reader.errors.add(&at, "A name cannot contain a NUL character.");
    }
    nul(value, &at, reader);
}

fn nul(value: &Value, at: &str, reader: &mut Reader) {
    match value {
        Value::String(text) if text.contains('\0') => reader.errors.add(at, "Text cannot contain a NUL character."),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, v)| nul(v, &format!("{at}[{i}]"), reader)),
        Value::Object(map) => map.iter().for_each(|(name, value)| free(name, value, at, reader)),
        _ => {}
    }
}

impl<T: Sent> Sent for Vec<T> {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let Value::Array(list) = sent else { return reader.wrong(at, "Send a list.") };
        let read = |(i, value)| T::read(value, &format!("{at}[{i}]"), reader);
        Some(list.into_iter().enumerate().filter_map(read).collect())
    }
}

/// Ids of things, at most a thousand.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Ids(pub Vec<i64>);

impl Sent for Ids {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let list = sent.as_array().and_then(|list| list.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>());
        match list {
            None => reader.wrong(at, "Send a list of ids, such as [1, 2]."),
            Some(ids) if ids.len() > MOST_IDS => reader.wrong(at, "A list holds at most 1,000 ids."),
            Some(ids) => Some(Self(ids)),
        }
    }
}

/// Texts by name; null counts as absent.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Texts(pub BTreeMap<String, String>);

impl Sent for Texts {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let Value::Object(map) = sent else { return reader.wrong(at, "Send an object of names and values.") };
        let given = map.into_iter().filter(|(_, value)| !value.is_null());
        let mut read =
            |(name, value)| Some((String::clone(&name), String::read(value, &format!("{at}.{name}"), reader)?));
        Some(Self(given.filter_map(&mut read).collect()))
    }
}

/// A whole number between two, both included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Number<const LEAST: i64, const MOST: i64>(pub i64);

impl<const LEAST: i64, const MOST: i64> Described for Number<LEAST, MOST> {
    fn schema(_: &mut Schemas) -> Value {
        json!({ "type": "integer", "minimum": LEAST, "maximum": MOST })
    }
}

impl<const LEAST: i64, const MOST: i64> Sent for Number<LEAST, MOST> {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let number = match sent {
            Value::String(text) if reader.query => text.parse().ok(),
            other => other.as_i64(),
        };
        let fits = number.filter(|number| (LEAST..=MOST).contains(number)).map(Self);
        fits.or_else(|| reader.wrong(at, format!("Send a number from {LEAST} to {MOST}.")))
    }
}

/// What a later release will know. An empty list or object says nothing, like null.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub enum Later {}

impl Sent for Later {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        let empty = sent.as_array().is_some_and(Vec::is_empty) || sent.as_object().is_some_and(Object::is_empty);
        if empty { None } else { reader.wrong(at, "This is not available in this release. Leave it out.") }
    }
}

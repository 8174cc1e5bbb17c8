//! JSON bodies, read member by member: each that is wrong is named, and so is each that does not belong there. Null
//! counts as absent.

use std::pin::Pin;

use actix_web::web::Bytes;
use actix_web::{FromRequest, HttpRequest, dev::Payload};
use futures_util::{Future, StreamExt};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::clock::Moment;
use crate::error::{AppError, FieldErrors, Result};

/// The largest JSON body, in bytes.
const LIMIT: usize = 1 << 20;

/// The body of a request as it came. Looked at only once it is known that the caller may do what is asked.
pub struct Body(Option<Bytes>);

impl Body {
    /// What was sent, to tell two requests apart.
    pub fn bytes(&self) -> Result<Bytes, Problem> {
        self.0.clone().ok_or(Problem::TooLarge)
    }

    /// The members of the object; none where nothing was sent.
    pub fn map(&self) -> Result<Map<String, Value>> {
        let bytes = self.0.as_deref().unwrap_or_default();
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Ok(Map::new());
        }
        let map = match serde_json::from_slice(bytes) {
            Ok(Value::Object(map)) => map,
            Ok(_) => return Err(AppError::invalid("body", "Send a JSON object.")),
            Err(error) => return Err(AppError::invalid("body", format!("This is not JSON: {error}."))),
        };
        match map.iter().find(|(name, value)| name.contains('\0') || has_nul(value)) {
            Some((name, _)) => Err(AppError::invalid(name.replace('\0', "\u{fffd}"), "Text cannot hold a NUL.")),
            None => Ok(map),
        }
    }

    pub fn members(&self) -> Result<Members> {
        Ok(Members::of(self.map()?))
    }

    /// For an address that takes nothing but the request itself.
    pub fn empty(&self) -> Result<()> {
        Ok(self.members()?.finish()?)
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(list) => list.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

impl FromRequest for Body {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(_: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let mut payload = payload.take();
        Box::pin(async move {
            let mut bytes = Vec::new();
            while let Some(piece) = payload.next().await {
                let piece = piece.map_err(|_| AppError::invalid("body", "The body did not arrive whole."))?;
                if bytes.len() + piece.len() > LIMIT {
                    return Ok(Self(None));
                }
                bytes.extend_from_slice(&piece);
            }
            Ok(Self(Some(bytes.into())))
        })
    }
}

/// The members of an object, taken one by one. What is wrong is gathered; what nobody took is refused in the end.
#[derive(Debug)]
pub struct Members {
    map: Map<String, Value>,
    /// "" or "columns[2]."
    prefix: String,
    pub errors: FieldErrors,
}

impl Members {
    pub fn of(map: Map<String, Value>) -> Self {
        Self::within(map, String::new())
    }

    /// Of an object inside another; `prefix` ends with a dot.
    pub fn within(map: Map<String, Value>, prefix: String) -> Self {
        Self { map, prefix, errors: FieldErrors::new() }
    }

    pub fn wrong<T>(&mut self, name: &str, detail: impl Into<String>) -> Option<T> {
        self.errors.add(format!("{}{name}", self.prefix), detail);
        None
    }

    /// A member as it came, unless absent or null.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.map.remove(name).filter(|value| !value.is_null())
    }

    pub fn text(&mut self, name: &str) -> Option<String> {
        match self.take(name)? {
            Value::String(text) => Some(text),
            _ => self.wrong(name, "Send text."),
        }
    }

    /// Text that must be there.
    pub fn needed_text(&mut self, name: &str, otherwise: &str) -> String {
        let before = self.errors.0.len();
        let text = self.text(name);
        if text.is_none() && self.errors.0.len() == before {
            self.wrong::<()>(name, otherwise);
        }
        text.unwrap_or_default()
    }

    pub fn flag(&mut self, name: &str) -> Option<bool> {
        match self.take(name)? {
            Value::Bool(truth) => Some(truth),
            _ => self.wrong(name, "Send true or false."),
        }
    }

    pub fn integer(&mut self, name: &str) -> Option<i64> {
        match self.take(name)?.as_i64() {
            Some(number) => Some(number),
            None => self.wrong(name, "Send a whole number."),
        }
    }

    /// An id that must be there.
    pub fn needed_id(&mut self, name: &str, otherwise: &str) -> i64 {
        let before = self.errors.0.len();
        let id = self.integer(name);
        if id.is_none() && self.errors.0.len() == before {
            self.wrong::<()>(name, otherwise);
        }
        id.unwrap_or_default()
    }

    /// An instant with its offset.
    pub fn moment(&mut self, name: &str) -> Option<Moment> {
        let text = self.text(name)?;
        match Moment::parse_rfc3339(&text) {
            Some(at) => Some(at),
            None => self.wrong(name, "Send an instant such as 2026-10-25T00:30:00Z."),
        }
    }

    pub fn object(&mut self, name: &str) -> Option<Map<String, Value>> {
        match self.take(name)? {
            Value::Object(map) => Some(map),
            _ => self.wrong(name, "Send an object of names and values."),
        }
    }

    pub fn list(&mut self, name: &str) -> Option<Vec<Value>> {
        match self.take(name)? {
            Value::Array(list) => Some(list),
            _ => self.wrong(name, "Send a list."),
        }
    }

    pub fn ids(&mut self, name: &str) -> Option<Vec<i64>> {
        let list = self.list(name)?;
        match list.iter().map(Value::as_i64).collect::<Option<Vec<i64>>>() {
            Some(ids) => Some(ids),
            None => self.wrong(name, "Send a list of ids, such as [1, 2]."),
        }
    }

    /// For what this release does not know: absent, null or empty is fine.
    pub fn only_absent(&mut self, name: &str, detail: &str) {
        if self.take(name).is_some() {
            self.wrong::<()>(name, detail);
        }
    }

    /// What was not taken, as it came; nothing is left then.
    pub fn rest(&mut self) -> Map<String, Value> {
        std::mem::take(&mut self.map)
    }

    /// Refuses what nobody took, together with all that was wrong.
    pub fn finish(mut self) -> Result<(), FieldErrors> {
        for name in self.rest().keys() {
            self.wrong::<()>(&name.chars().take(60).collect::<String>(), "This field does not belong here.");
        }
        self.errors.ok_or(())
    }
}

/// Lays a PATCH over what is there (RFC 7396); null stays, and counts as absent when the whole is read.
pub fn merge(into: &mut Map<String, Value>, patch: Map<String, Value>) {
    for (name, value) in patch {
        match (into.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(given)) => merge(there, given),
            (_, value) => drop(into.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn all_that_is_wrong_is_named_and_null_is_absent() {
        let Value::Object(map) = json!({"name": 7, "on": "yes", "ids": [1, "2"], "at": "soon", "x": null, "z": 1})
        else {
            panic!()
        };
        let mut members = Members::of(map);
        members.text("name");
        members.flag("on");
        members.ids("ids");
        members.moment("at");
        assert_eq!(members.text("missing"), None);
        assert_eq!(members.take("x"), None);
        members.needed_id("target", "Say which.");
        let errors = members.finish().unwrap_err();
        let named: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
        assert_eq!(named, ["name", "on", "ids", "at", "target", "z"]);
    }

    #[test]
    fn a_patch_goes_into_objects_and_replaces_lists() {
        let (mut whole, patch) = (json!({"a": {"b": 1, "c": 2}, "d": [1, 2]}), json!({"a": {"c": 3}, "d": [], "e": 4}));
        let (Value::Object(into), Value::Object(patch)) = (&mut whole, patch) else { panic!() };
        merge(into, patch);
        assert_eq!(whole, json!({"a": {"b": 1, "c": 3}, "d": [], "e": 4}));
    }
}

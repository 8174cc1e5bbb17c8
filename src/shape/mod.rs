//! What the JSON of a request or an answer looks like: said once as a struct, from which follow how it is read, how it
//! is written and its schema in the OpenAPI document.
//!
//! Reading names all that is wrong, at its path (`columns[2].type`), not only the first thing: a wrong member becomes
//! a reason beside its name, the others are read on. Null counts as absent, and what belongs to nobody is refused.

mod macros;
mod merge;
mod schema;
mod values;

use serde_json::Value;

use crate::error::FieldErrors;

pub(crate) use macros::{answer, sent};
pub use merge::merge;
pub use schema::{Properties, Schemas, nullable};
pub use values::{Ids, Later, MOST_IDS, Number, Texts};

/// An object of JSON.
pub type Object = serde_json::Map<String, Value>;

/// What has a schema, as OpenAPI 3.1 writes it.
pub trait Described {
    fn schema(schemas: &mut Schemas) -> Value;
}

/// What can be read out of a request. `None`: it is wrong, and the reader knows why.
pub trait Sent: Described + Sized {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self>;
}

/// An object with members of its own; made by `sent!` and `answer!`.
pub trait Members {
    /// Of its schema, with the ending `Body` or `Answer`.
    const NAME: &'static str;
    const ABOUT: &'static str;
    fn properties(into: &mut Properties);
}

/// One that is read: it takes its members and leaves the others.
pub trait Fields: Members + Sized {
    /// `prefix` is "" or "columns[2].".
    fn take(map: &mut Object, prefix: &str, reader: &mut Reader) -> Self;
}

/// Gathers what is wrong with a request.
#[derive(Debug, Default)]
pub struct Reader {
    pub errors: FieldErrors,
    /// Parameters of an address: all values are texts.
    query: bool,
}

impl Reader {
    /// For the parameters of an address.
    pub fn of_query() -> Self {
        Self { errors: FieldErrors::new(), query: true }
    }

    pub fn wrong<T>(&mut self, at: &str, detail: impl Into<String>) -> Option<T> {
        self.errors.add(at, detail);
        None
    }

    /// One member; `needed` says what to do where it is absent.
    pub fn field<T: Sent>(&mut self, map: &mut Object, prefix: &str, name: &str, needed: Option<&str>) -> Option<T> {
        let name = bare(name);
        let at = format!("{prefix}{name}");
        match map.remove(name).filter(|value| !value.is_null()) {
            Some(value) if self.query => match value.as_str() {
                Some(_) => T::read(value, &at, self),
                None => self.wrong(&at, "Send this only once."),
            },
            Some(value) => T::read(value, &at, self),
            None => needed.and_then(|detail| self.wrong(&at, detail)),
        }
    }

    /// A whole object; what it does not take is refused.
    pub fn object<T: Fields>(&mut self, mut map: Object, at: &str) -> T {
        let prefix = if at.is_empty() { String::new() } else { format!("{at}.") };
        let read = T::take(&mut map, &prefix, self);
        for name in map.keys() {
            let name: String = name.chars().take(60).collect();
            let detail = match self.query {
                true => "This address has no such parameter.",
                false => "This field does not belong here.",
            };
            self.errors.add(format!("{prefix}{}", name.replace('\0', "\u{fffd}")), detail);
        }
        read
    }
}

/// `type` of `r#type`.
fn bare(name: &str) -> &str {
    name.strip_prefix("r#").unwrap_or(name)
}

impl<T: Fields> Sent for T {
    fn read(sent: Value, at: &str, reader: &mut Reader) -> Option<Self> {
        match sent {
            Value::Object(map) => Some(reader.object(map, at)),
            _ => reader.wrong(at, format!("Send an object with {}.", schema::names::<T>())),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::clock::Moment;

    sent! {
        /// A column.
        struct ColumnBody {
            name: String = "Enter a name.",
            r#type: String,
        }
    }

    sent! {
        /// A thing.
        struct ThingBody {
            /// Its name.
            name: String = "Enter a name." => "Sales",
            on: bool,
            ids: Ids,
            at: Moment,
            columns: Vec<ColumnBody>,
            settings: Object;
            /// Which part.
            part: PartBody,
        }
    }

    sent! {
        /// A part.
        struct PartBody { limit: Number<1, 9> }
    }

    fn wrong(json: Value) -> Vec<String> {
        let Value::Object(map) = json else { panic!() };
        let mut reader = Reader::default();
        reader.object::<ThingBody>(map, "");
        reader.errors.0.into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn all_that_is_wrong_is_named_at_its_path_and_null_is_absent() {
        assert_eq!(wrong(json!({"name": "a", "on": null, "limit": 9, "settings": {"a": [1]}})), [""; 0]);
        let sent = json!({
            "on": "yes", "ids": [1, "2"], "at": "soon", "limit": 10, "z": 1,
            "columns": [{"name": "a"}, {"type": 7, "x": null}, 3], "settings": {"a": ["b\u{0}"]},
        });
        let named = [
            "name",
            "on",
            "ids",
            "at",
            "columns[1].name",
            "columns[1].type",
            "columns[1].x",
            "columns[2]",
            "settings.a[0]",
            "limit",
            "z",
        ];
        assert_eq!(wrong(sent), named);
        assert_eq!(wrong(json!({"name": "a\u{0}b"})), ["name"]);
        assert_eq!(wrong(json!({"name": "a", "ids": vec![1; 1001]})), ["ids"]);
    }

    #[test]
    fn the_schema_says_the_same() {
        let mut schemas = Schemas::default();
        assert_eq!(ThingBody::schema(&mut schemas), json!({"$ref": "#/components/schemas/ThingBody"}));
        let thing = &schemas.0["ThingBody"];
        assert_eq!(thing["required"], json!(["name"]));
        assert_eq!(
            thing["properties"]["name"],
            json!({"type": "string", "description": "Its name.", "examples": ["Sales"]})
        );
        assert_eq!(thing["properties"]["limit"]["maximum"], 9);
        assert_eq!(thing["properties"]["on"]["type"], json!(["boolean", "null"]));
        assert_eq!(thing["additionalProperties"], false);
        assert!(schemas.0["ColumnBody"]["properties"]["type"].is_object());
    }
}

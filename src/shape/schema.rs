//! Schemas as OpenAPI 3.1 writes them, from the same structs that are read and written.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Described, Members, Object, bare};

/// The schemas with a name of their own.
#[derive(Debug, Default)]
pub struct Schemas(pub BTreeMap<String, Value>);

impl Schemas {
    /// A reference to one of them; made where it is not there yet.
    pub fn named(&mut self, name: &str, make: impl FnOnce(&mut Self) -> Value) -> Value {
        if !self.0.contains_key(name) {
            // Held, so that one which speaks of itself comes to an end.
            self.0.insert(name.to_owned(), Value::Null);
            let schema = make(self);
            self.0.insert(name.to_owned(), schema);
        }
        json!({ "$ref": format!("#/components/schemas/{name}") })
    }

    /// The schema of an object of which every member may be left out: what a PATCH sends.
    pub fn patch<T: Members>(&mut self) -> Value {
        let name = T::NAME.replace("Body", "Patch");
        self.named(&name, |schemas| {
            let mut properties = Properties::of::<T>(schemas, true);
            properties.required.clear();
            properties.object(T::ABOUT)
        })
    }
}

/// The members of an object, gathered.
pub struct Properties<'a> {
    pub schemas: &'a mut Schemas,
    map: Object,
    required: Vec<String>,
    patch: bool,
}

impl<'a> Properties<'a> {
    fn of<T: Members>(schemas: &'a mut Schemas, patch: bool) -> Self {
        let mut properties = Self { schemas, map: Object::new(), required: Vec::new(), patch };
        T::properties(&mut properties);
        properties
    }

    /// The members by their names.
    pub fn map<T: Members>(schemas: &'a mut Schemas) -> Object {
        Self::of::<T>(schemas, false).map
    }

    /// The members that must be there.
    pub fn required<T: Members>(schemas: &'a mut Schemas) -> Vec<String> {
        Self::of::<T>(schemas, false).required
    }

    /// A member of a request.
    pub fn sent<T: Described>(&mut self, name: &str, about: &str, needed: bool, example: Option<Value>) {
        let schema = T::schema(self.schemas);
        self.said(name, schema, about, needed, example);
    }

    /// The same, of a schema that no type has. What is not needed may be null, which counts as absent.
    pub fn said(&mut self, name: &str, schema: Value, about: &str, needed: bool, example: Option<Value>) {
        let schema = if !needed || self.patch { nullable(schema) } else { schema };
        self.add(name, schema, about, needed, example);
    }

    /// A member of an answer; always there.
    pub fn answered<T: Described>(&mut self, name: &str, about: &str) {
        let schema = T::schema(self.schemas);
        self.add(name, schema, about, true, None);
    }

    fn add(&mut self, name: &str, mut schema: Value, about: &str, needed: bool, example: Option<Value>) {
        let name = bare(name);
        if !about.trim().is_empty() {
            schema["description"] = about.trim().into();
        }
        if let Some(example) = example {
            schema["examples"] = json!([example]);
        }
        self.map.insert(name.to_owned(), schema);
        if needed {
            self.required.push(name.to_owned());
        }
    }

    fn object(self, about: &str) -> Value {
        let mut object = json!({ "type": "object", "description": about.trim(), "properties": self.map });
        if !self.required.is_empty() {
            object["required"] = json!(self.required);
        }
        object["additionalProperties"] = false.into();
        object
    }
}

impl<T: Members> Described for T {
    fn schema(schemas: &mut Schemas) -> Value {
        schemas.named(T::NAME.strip_suffix("Answer").unwrap_or(T::NAME), |schemas| {
            Properties::of::<T>(schemas, false).object(T::ABOUT)
        })
    }
}

/// "from, to and constant".
pub(super) fn names<T: Members>() -> String {
    let mut schemas = Schemas::default();
    let names: Vec<String> = Properties::of::<T>(&mut schemas, false).map.keys().cloned().collect();
    match names.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
        None => "nothing in it".into(),
    }
}

/// The same, or null.
pub fn nullable(mut schema: Value) -> Value {
    if let Some(words) = schema.get_mut("enum").and_then(Value::as_array_mut) {
        words.push(Value::Null);
    }
    if let Some(any) = schema.get_mut("anyOf").and_then(Value::as_array_mut) {
        any.push(json!({ "type": "null" }));
    }
    match schema.get("type") {
        Some(Value::String(one)) => schema["type"] = json!([one, "null"]),
        Some(Value::Array(several)) if !several.contains(&"null".into()) => {
            let mut several = several.clone();
            several.push("null".into());
            schema["type"] = Value::Array(several);
        }
        None if schema.get("$ref").is_some() => schema = json!({ "anyOf": [schema, { "type": "null" }] }),
        _ => {}
    }
    schema
}

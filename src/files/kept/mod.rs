//! Files kept for schedules and for the steps of import sets: each has a name in its Application and is replaced in
//! place, so that whatever names it loads the new one from then on. A run has the version that was current when it was
//! queued.
//!
//! A schedule or step names a kept file by its id, as the value [`FILE`]; a run is given the file itself.

pub mod actions;
mod body;
mod model;
mod store;

use std::collections::BTreeMap;

use serde_json::Value;

pub use body::KeptFileAnswer;
pub use model::{KeptFile, KeptVersion, LARGEST, MOST, VERSIONS};
pub use store::{archive_all, by_file, by_id, copy_all, highest_file, named, of_application};

use crate::db::Conn;
use crate::error::Result;

/// The value by which an import that takes a file is given a kept one.
pub const FILE: &str = "file";

/// All of an Application, each as the audit log keeps it.
pub fn audited_all(conn: &mut Conn, application_id: i64) -> Result<Vec<(i64, Value)>> {
    let all = of_application(conn, application_id)?;
    Ok(all.iter().map(|kept| (kept.id, serde_json::json!(KeptFileAnswer::of(kept)))).collect())
}

/// The id of the kept file that values name.
pub fn id_in(values: Option<&Value>) -> Option<i64> {
    values?.get(FILE)?.as_i64()
}

/// Whether a value of this name means a kept file: of a set also `2.file`.
pub fn is_file(name: &str) -> bool {
    name.rsplit('.').next() == Some(FILE)
}

/// Whether values as they are kept, those of a set's steps too, name a kept file.
pub fn named_in(text: Option<&str>, id: i64) -> bool {
    let values: Option<Value> = text.and_then(|text| serde_json::from_str(text).ok());
    let is_it = |(name, value): (&String, &Value)| is_file(name) && value.as_i64() == Some(id);
    values.as_ref().and_then(Value::as_object).is_some_and(|values| values.iter().any(is_it))
}

/// Values that name copies of the kept files; `takes_file` says which names mean one at all.
pub fn renumbered(values: Value, copies: &BTreeMap<i64, i64>, takes_file: impl Fn(&str) -> bool) -> Value {
    let Value::Object(mut values) = values else { return values };
    for (name, value) in &mut values {
        let copy = value.as_i64().filter(|_| is_file(name) && takes_file(name)).and_then(|id| copies.get(&id));
        if let Some(copy) = copy {
            *value = Value::from(*copy);
        }
    }
    Value::Object(values)
}

/// The values without the kept file, of a run that is given a file of its own.
pub fn without(values: Option<Value>) -> Option<Value> {
    let Some(Value::Object(mut values)) = values else { return values };
    values.remove(FILE);
    (!values.is_empty()).then_some(Value::Object(values))
}

/// The file in the Block database that the kept one among these values is now; `None` where they name none, or one that
/// is gone.
pub fn now(conn: &mut Conn, application_id: i64, values: Option<&Value>) -> Result<Option<i64>> {
    let Some(id) = id_in(values) else { return Ok(None) };
    let found = store::by_id(conn, id)?.filter(|kept| kept.application_id == application_id);
    Ok(found.map(|kept| kept.newest.file_id))
}

/// Whether an Application keeps a file with this id. Whoever deletes it meanwhile waits, and finds who names it.
pub fn holds(conn: &mut Conn, application_id: i64, id: i64) -> Result<bool> {
    crate::db::lock_row(conn, "kept_files", id)?;
    Ok(store::by_id(conn, id)?.is_some_and(|kept| kept.application_id == application_id))
}

//! PATCH: what was sent laid over what is there (RFC 7396). Null takes a member away, which brings its default back;
//! one that is needed stays as it is, because null counts as absent.

use serde_json::Value;

use super::{Members, Object, Properties, Schemas};

/// Lays a patch over `whole`, the members of a `T` as they are.
pub fn merge<T: Members>(whole: &mut Object, mut patch: Object) {
    let needed = Properties::required::<T>(&mut Schemas::default());
    patch.retain(|name, value| !(value.is_null() && needed.iter().any(|needed| needed == name)));
    lay(whole, patch);
}

fn lay(whole: &mut Object, patch: Object) {
    for (name, value) in patch {
        match (whole.get_mut(&name), value) {
            (Some(Value::Object(there)), Value::Object(given)) => lay(there, given),
            // What is unknown is refused, whatever it holds.
            (Some(_), Value::Null) => drop(whole.remove(&name)),
            (_, value) => drop(whole.insert(name, value)),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_patch_goes_into_objects_replaces_lists_and_null_takes_away() {
        let (mut whole, patch) = (
            json!({"a": {"b": 1, "c": 2}, "d": [1, 2], "f": 1}),
            json!({"a": {"c": 3, "b": null}, "d": [], "e": 4, "f": null}),
        );
        let (Value::Object(into), Value::Object(patch)) = (&mut whole, patch) else { panic!() };
        lay(into, patch);
        assert_eq!(whole, json!({"a": {"c": 3}, "d": [], "e": 4}));
    }
}

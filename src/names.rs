//! How names are compared.

/// The key of a name: outer spaces and case do not count.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

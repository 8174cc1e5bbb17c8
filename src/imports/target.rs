//! What a Schedule runs and a Run executes: an import configuration, or a set of them.

use std::fmt;

/// A configuration or a set, by its id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    Configuration(i64),
    Set(i64),
}

impl Target {
    /// From the two columns of a table, of which exactly one is set.
    pub fn of(configuration_id: Option<i64>, set_id: Option<i64>) -> Option<Self> {
        configuration_id.map(Self::Configuration).or(set_id.map(Self::Set))
    }

    /// From its key: `c7`, `s3`.
    pub fn parse(key: &str) -> Option<Self> {
        let of = |kind: char, target: fn(i64) -> Self| key.strip_prefix(kind)?.parse().ok().map(target);
        of('c', Self::Configuration).or_else(|| of('s', Self::Set))
    }

    /// As an address says it: `7` is a configuration, `s3` a set.
    pub fn short(self) -> String {
        match self {
            Self::Configuration(id) => id.to_string(),
            Self::Set(_) => self.to_string(),
        }
    }

    /// From an address.
    pub fn of_short(text: &str) -> Option<Self> {
        text.parse().ok().map(Self::Configuration).or_else(|| Self::parse(text))
    }

    /// Where it stands, for whoever locks it.
    pub fn table(self) -> &'static str {
        match self {
            Self::Configuration(_) => "import_configurations",
            Self::Set(_) => "import_sets",
        }
    }

    pub fn id(self) -> i64 {
        match self {
            Self::Configuration(id) | Self::Set(id) => id,
        }
    }

    pub fn configuration(self) -> Option<i64> {
        match self {
            Self::Configuration(id) => Some(id),
            Self::Set(_) => None,
        }
    }

    pub fn set(self) -> Option<i64> {
        match self {
            Self::Configuration(_) => None,
            Self::Set(id) => Some(id),
        }
    }
}

/// Its key, as `schedules.target_key` holds it.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Configuration(id) => write!(f, "c{id}"),
            Self::Set(id) => write!(f, "s{id}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Target;

    #[test]
    fn a_key_says_which_and_comes_back() {
        for (target, key) in [(Target::Configuration(7), "c7"), (Target::Set(3), "s3")] {
            assert_eq!((target.to_string().as_str(), Target::parse(key)), (key, Some(target)));
        }
        for (target, short) in [(Target::Configuration(7), "7"), (Target::Set(3), "s3")] {
            assert_eq!((target.short().as_str(), Target::of_short(short)), (short, Some(target)));
        }
        assert_eq!(Target::parse("x1").or(Target::parse("c")), None);
    }
}

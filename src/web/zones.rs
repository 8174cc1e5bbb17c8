//! Time zones as people choose them: by their IANA name, from a list.

use chrono_tz::{TZ_VARIANTS, Tz};

use crate::clock::zone_named;

/// Every name of the zone database, for a `<datalist>` (`web/zones.html`).
pub fn names() -> impl Iterator<Item = &'static str> {
    TZ_VARIANTS.iter().map(|zone| zone.name())
}

/// A zone from what somebody typed; the error is a sentence for the form.
pub fn parse(text: &str) -> Result<Tz, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("Choose a time zone, such as Europe/Paris or UTC.".into());
    }
    zone_named(text).ok_or_else(|| {
        let shown: String = text.chars().filter(|c| !c.is_control()).take(60).collect();
        format!("\"{shown}\" is not a known time zone. Choose one from the list, such as Europe/Paris or UTC.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_known_by_name_only() {
        assert_eq!(parse(" europe/paris "), Ok(chrono_tz::Europe::Paris));
        assert_eq!(parse("UTC"), Ok(chrono_tz::UTC));
        assert_eq!(parse("new york"), Ok(chrono_tz::America::New_York));
        assert!(parse("").is_err());
        assert!(parse("Mars/Olympus").unwrap_err().contains("Mars/Olympus"));
    }
}

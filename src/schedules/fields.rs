//! The fields of a rule as the API takes and describes them; what is wrong with one is the draft's to say.

use serde_json::{Value, json};

use super::RuleDraft;
use super::rule::{Rule, WEEKDAY_KEYS};
use crate::shape::{Fields, Members, Object, Properties, Reader, nullable};

impl Members for RuleDraft {
    const NAME: &'static str = "Rule";
    const ABOUT: &'static str = "How a schedule repeats.";

    fn properties(into: &mut Properties) {
        let one_of = |words: &[&str]| json!({ "type": "string", "enum": words });
        let several = |items: Value| json!({ "type": "array", "items": items, "minItems": 1 });
        let number = |from: u32, to: u32| json!({ "type": "integer", "minimum": from, "maximum": to });
        let time = json!({ "type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$" });
        let date = json!({ "type": "string", "format": "date" });
        let until = json!({ "type": "string", "pattern": "^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" });
        let weekdays = several(one_of(&WEEKDAY_KEYS));
        let window = json!({
            "type": "object",
            "properties": {
                "weekdays": nullable(weekdays.clone()), "from": nullable(time.clone()), "to": nullable(until),
            },
            "additionalProperties": false,
        });
        let days = several(json!({ "anyOf": [number(1, 31), { "const": "last" }] }));
        let mut field = |name: &str, schema: Value, about: &str, needed: bool, example: Value| {
            into.said(name, schema, about, needed, Some(example));
        };
        let repeats = one_of(&["once", "minutes", "hours", "days", "weeks", "months"]);
        field("repeat", repeats, "The unit of the repeat.", true, json!("weeks"));
        let every = "How many of them. Required for minutes (5, 10 and so on to 55); otherwise the default is 1.";
        field("every", number(1, 366), every, false, json!(1));
        field("weekdays", weekdays, "For weeks.", false, json!(["mon", "thu"]));
        field("months", several(number(1, 12)), "For months. Default: all.", false, Value::Null);
        field("days_of_month", days, "For months; a day that a month lacks becomes its last day.", false, Value::Null);
        field(
            "window",
            window,
            "For minutes and hours: only between these times and on these weekdays.",
            false,
            Value::Null,
        );
        field("start_date", date.clone(), "The first day.", true, json!("2026-10-12"));
        field("start_time", time, "Hours and minutes.", true, json!("01:00"));
        field("time_zone", json!({ "type": "string" }), "An IANA time zone name.", true, json!("Europe/Paris"));
        let end = json!({ "anyOf": [date, { "const": "" }] });
        field("end_date", end, "The last day, inclusive; if blank, it never ends.", false, Value::Null);
    }
}

impl Fields for RuleDraft {
    fn take(map: &mut Object, _: &str, _: &mut Reader) -> Self {
        let (own, others) =
            std::mem::take(map).into_iter().partition(|(name, _)| Rule::FIELDS.contains(&name.as_str()));
        *map = others;
        Self::from_json(&own)
    }
}

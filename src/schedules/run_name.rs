//! What the runs of a schedule are called: a name in which `{date}`, `{time}` and `{planned}` stand for the planned
//! instant by the schedule's clock. Other braces are the names of parameters, which are known once a run begins.

use chrono_tz::Tz;

use crate::clock::Moment;

/// What the name of a set's run says by default, so that people can tell it from the run of one configuration.
pub const OF_SET: &str = "IntegrationSet";

/// The words that stand for the planned instant.
pub const WORDS: [&str; 3] = ["date", "time", "planned"];

/// The name of the run of an occurrence.
pub fn at(name: &str, planned_at: Moment, zone: Tz) -> String {
    if !name.contains('{') {
        return name.to_owned();
    }
    let local = planned_at.in_zone(zone);
    let forms = ["%Y-%m-%d", "%H:%M", "%Y-%m-%d %H:%M"];
    WORDS.iter().zip(forms).fold(name.to_owned(), |name, (word, form)| {
        name.replace(&format!("{{{word}}}"), &local.format(form).to_string())
    })
}

/// What stands in braces in a name.
pub fn placeholders(name: &str) -> impl Iterator<Item = &str> {
    name.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(word, _)| word))
}

/// What the runs of a set are called unless somebody names them.
pub fn of_set(name: &str) -> String {
    if names_a_set(name) { name.to_owned() } else { format!("{name} {OF_SET}") }
}

/// Whether a name says that it is a set's.
pub fn names_a_set(name: &str) -> bool {
    name.to_lowercase().contains(&OF_SET.to_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_when_by_the_clock_of_the_schedule() {
        let planned = Moment::parse_rfc3339("2026-10-25T01:30:00Z").unwrap();
        let at = |name| at(name, planned, chrono_tz::Europe::Paris);
        assert_eq!(at("Payroll {date}"), "Payroll 2026-10-25");
        assert_eq!(at("{planned}: {time} {time}"), "2026-10-25 02:30: 02:30 02:30");
        assert_eq!(at("Payroll {group}, {"), "Payroll {group}, {");
        assert_eq!(placeholders("a {date} {b}{ {c").collect::<Vec<_>>(), ["date", "b"]);
    }

    #[test]
    fn a_set_says_that_it_is_one_and_only_once() {
        assert_eq!(of_set("Month end"), "Month end IntegrationSet");
        assert_eq!(of_set("Month end integrationset"), "Month end integrationset");
    }
}

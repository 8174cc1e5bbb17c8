//! What the runs of a schedule are called: a name in which `{date}`, `{time}` and `{planned}` stand for the planned
//! instant by the schedule's clock, and the names of parameters for the values that a run goes with. Pure.

use chrono_tz::Tz;

use crate::clock::Moment;
use crate::names::LONGEST;
use crate::names::one_line;
use crate::parameters::{Parameter, ParameterType};

/// What the name of a set's run says by default, so that people can tell it from the run of one configuration.
pub const OF_SET: &str = "IntegrationSet";

/// The words that stand for the planned instant, and how.
const WORDS: [(&str, &str); 3] = [("date", "%Y-%m-%d"), ("time", "%H:%M"), ("planned", STAMP)];

/// A date and a time, as they end the name of a run that nobody named.
const STAMP: &str = "%Y-%m-%d %H:%M";

/// The name of the run of an occurrence; `value` is that of a parameter, `None` where none of that name is declared: its
/// braces stay, so that people see what the name lacks. Where all would be too long, the values are cut.
pub fn at(name: &str, planned_at: Moment, zone: Tz, value: impl Fn(&str) -> Option<String>) -> String {
    if !name.contains('{') {
        return name.to_owned();
    }
    let local = planned_at.in_zone(zone);
    let word =
        |word: &str| WORDS.iter().find(|(known, _)| *known == word).map(|(_, form)| local.format(form).to_string());
    // What is filled in, and whether it is a value.
    let filled: Vec<(String, bool)> = pieces(name)
        .map(|piece| match piece {
            Piece::Text(text) => (text.to_owned(), false),
            Piece::Word(name) => match word(name) {
                Some(text) => (text, false),
                None => value(name).map_or_else(|| (format!("{{{name}}}"), false), |value| (one_line(&value), true)),
            },
        })
        .collect();
    let length =
        |values: bool| filled.iter().filter(|(_, is)| *is == values).map(|(text, _)| text.chars().count()).sum();
    let (fixed, of_values): (usize, usize) = (length(false), length(true));
    let values = filled.iter().filter(|(_, is_value)| *is_value).count().max(1);
    let room = if fixed + of_values > LONGEST { LONGEST.saturating_sub(fixed) / values } else { LONGEST };
    let whole: String = filled.iter().map(|(text, is)| if *is { cut(text, room) } else { text.clone() }).collect();
    // A value that nobody gave leaves two spaces, or nothing at all.
    cut(&whole.split_whitespace().collect::<Vec<_>>().join(" "), LONGEST)
}

/// A text of so many characters at most.
fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        None => text.to_owned(),
        Some(_) => text.chars().take(longest.saturating_sub(1)).chain(['…'].into_iter().take(longest)).collect(),
    }
}

enum Piece<'a> {
    Text(&'a str),
    /// What stands in braces.
    Word(&'a str),
}

fn pieces(name: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = name;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((word, after)) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            && !word.contains('{')
        {
            rest = after;
            return Some(Piece::Word(word));
        }
        // At least the brace itself, which closes nowhere.
        let end = rest.char_indices().skip(1).find(|(_, c)| *c == '{').map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Text(text))
    })
}

/// Whether a name asks for values of parameters.
pub fn asks(name: &str) -> bool {
    pieces(name).any(|piece| matches!(piece, Piece::Word(word) if !is_of_instant(word)))
}

fn is_of_instant(word: &str) -> bool {
    WORDS.iter().any(|(known, _)| *known == word)
}

/// What may stand in braces, as people write it, where what runs declares these parameters.
pub fn known(parameters: &[Parameter]) -> Vec<String> {
    let told = |p: &&Parameter| p.parameter_type != ParameterType::Secret && !p.is_file && !is_of_instant(&p.name);
    let open = parameters.iter().filter(told);
    WORDS.iter().map(|(word, _)| *word).chain(open.map(|p| p.name.as_str())).map(|word| format!("{{{word}}}")).collect()
}

/// Refuses a name in which something stands that nothing will be put for.
pub fn check(name: &str, parameters: &[Parameter]) -> Result<(), String> {
    for piece in pieces(name) {
        // What could be no name was never meant as one.
        let could_be = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | ' ' | '.');
        let Piece::Word(word) = piece else { continue };
        if !word.chars().all(could_be) {
            continue;
        }
        match parameters.iter().find(|parameter| parameter.name == word && !parameter.is_file) {
            _ if is_of_instant(word) => {}
            Some(parameter) if parameter.parameter_type == ParameterType::Secret => {
                return Err(format!(
                    "{{{word}}} is a secret, and everyone who sees the runs would see it in their names. Leave it out."
                ));
            }
            Some(_) => {}
            None => {
                let shown: String = word.chars().take(64).collect();
                let known = known(parameters);
                let (last, others) = known.split_last().map_or(("", &[][..]), |(last, others)| (last.as_str(), others));
                let others = others.join(", ");
                return Err(format!("{{{shown}}} is not a parameter here. Use {others} or {last}."));
            }
        }
    }
    Ok(())
}

/// What a run is called that nobody named: as what it runs, and when that was planned.
pub fn stamped(name: &str, at: Moment, zone: Tz) -> String {
    format!("{name} {}", at.in_zone(zone).format(STAMP))
}

/// A run's name for where its instant stands beside it: without the one that the name ends with.
pub fn without_stamp(name: &str) -> &str {
    const FORM: &[u8] = b" 0000-00-00 00:00";
    let end = name.len().saturating_sub(FORM.len());
    let fits = |(c, form): (u8, &u8)| if *form == b'0' { c.is_ascii_digit() } else { c == *form };
    let is_stamp = end > 0 && name.bytes().skip(end).zip(FORM).all(fits);
    if is_stamp { &name[..end] } else { name }
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

    fn planned() -> Moment {
        Moment::parse_rfc3339("2026-10-25T01:30:00Z").unwrap()
    }

    #[test]
    fn a_name_says_when_by_the_clock_of_the_schedule() {
        let at = |name| at(name, planned(), chrono_tz::Europe::Paris, |_| None);
        assert_eq!(at("Payroll {date}"), "Payroll 2026-10-25");
        assert_eq!(at("{planned}: {time} {time}"), "2026-10-25 02:30: 02:30 02:30");
        assert_eq!(at("Payroll {group}, {"), "Payroll {group}, {");
        assert_eq!(at("{a{date}}"), "{a2026-10-25}");
    }

    #[test]
    fn a_value_is_put_in_once_on_one_line_and_fits() {
        let with = |name: &str, text: &str| {
            at(name, planned(), chrono_tz::Europe::Paris, |word| (word == "day").then(|| text.to_owned()))
        };
        assert_eq!(with("Pay {day} {date}", "a\nb"), "Pay a b 2026-10-25");
        assert_eq!(with("Pay {day}", "{date} {day}"), "Pay {date} {day}");
        assert_eq!(with("Pay {day} {gone}", ""), "Pay {gone}");
        let long = with("{day} of {date} and {day}", &"é".repeat(500));
        assert_eq!(long.chars().count(), LONGEST - 1, "{long}");
        assert!(long.contains("é… of 2026-10-25 and é") && long.ends_with("é…"));
        assert_eq!(with(&"{date}".repeat(33), "").chars().count(), LONGEST);
    }

    #[test]
    fn what_stands_in_braces_is_known() {
        let declared: Vec<Parameter> = serde_json::from_str(
            r#"[{"name": "day", "type": "date"}, {"name": "token", "type": "secret"}, {"name": "time", "type": "text"}]"#,
        )
        .unwrap();
        assert_eq!(check("A {day} {date} {time} {planned} } {", &declared), Ok(()));
        let unknown = check("A {month}", &declared).unwrap_err();
        assert_eq!(unknown, "{month} is not a parameter here. Use {date}, {time}, {planned} or {day}.");
        assert!(check("A {token}", &declared).unwrap_err().starts_with("{token} is a secret"));
        assert!(asks("A {month}") && !asks("A {date} {x"));
    }

    #[test]
    fn a_name_that_nobody_gave_ends_with_when_it_was_planned() {
        let name = stamped("Sales", planned(), chrono_tz::Europe::Paris);
        assert_eq!(name, "Sales 2026-10-25 02:30");
        assert_eq!(without_stamp(&name), "Sales");
        for plain in ["Sales", "Sales 2026-10-25", " 2026-10-25 02:30", "é2026-10-25 02:30x", ""] {
            assert_eq!(without_stamp(plain), plain);
        }
    }

    #[test]
    fn a_set_says_that_it_is_one_and_only_once() {
        assert_eq!(of_set("Month end"), "Month end IntegrationSet");
        assert_eq!(of_set("Month end integrationset"), "Month end integrationset");
    }
}

//! What the source does not tell is asked: a real cell in each of its readings. The questions stand in the form, so that
//! they stay while it goes to and fro.

use chrono::NaiveDate;

use crate::error::FieldErrors;
use crate::formats::{About, ColumnType, Proposal, Question, ReadOptions, Reading, ValueOptions};
use crate::imports::pages::{options, put};
use crate::web::Form;

/// A question as the page shows it.
pub struct Asked {
    /// The name of its controls.
    pub name: &'static str,
    /// The question again, for the form.
    pub json: String,
    pub column: String,
    pub cell: String,
    /// "1.25 (the point marks decimals)", and whether it was chosen.
    pub readings: Vec<(String, bool)>,
    /// The answer that the options follow already.
    pub followed: String,
}

const ALL: [About; 2] = [About::Numbers, About::Dates];

fn name_of(about: About) -> &'static str {
    match about {
        About::Numbers => "numbers",
        About::Dates => "dates",
    }
}

/// Whether a control belongs to a question.
pub(super) fn is_one(name: &str) -> bool {
    ["ask-", "answer-", "followed-"].iter().any(|prefix| name.starts_with(prefix))
}

/// What a form carries of the first look: the questions that arise once a column of text is said to hold something else,
/// and the options that were guessed.
const IF_SAID: &str = "if-said";
const GUESSED: &str = "guessed";
/// Columns of text that can be read in two ways, and more than anybody sets by hand.
const MOST_IF_SAID: usize = 100;

/// Whether it belongs to the source that was looked at.
pub(super) fn is_carried(name: &str) -> bool {
    name == IF_SAID || name == GUESSED
}

/// Puts the questions into the form, in the place of earlier ones.
pub(super) fn pose(form: &mut Form, proposal: &Proposal) {
    form.0.retain(|(name, _)| !is_one(name) && !is_carried(name));
    proposal.questions.iter().for_each(|question| ask(form, question));
    let if_said = &proposal.if_said[..proposal.if_said.len().min(MOST_IF_SAID)];
    if !if_said.is_empty() {
        put(form, IF_SAID, serde_json::to_string(if_said).unwrap_or_default());
        put(form, GUESSED, serde_json::to_string(&proposal.options.values).unwrap_or_default());
    }
}

fn ask(form: &mut Form, question: &Question) {
    put(form, &format!("ask-{}", name_of(question.about)), serde_json::to_string(question).unwrap_or_default());
}

/// Asks about columns that looked like text and fill one of another type, as `fills` tells; `values`: what the form says
/// now. A type tells nothing about separators; only separators that were given do. What is no longer so is not asked.
pub(super) fn pose_if_said(form: &mut Form, values: &ValueOptions, fills: impl Fn(&str, ColumnType) -> bool) {
    let Ok(if_said) = serde_json::from_str::<Vec<Question>>(form.raw(IF_SAID)) else { return };
    let guessed: ValueOptions = serde_json::from_str(form.raw(GUESSED)).unwrap_or_default();
    for about in ALL {
        let of = |question: &&Question| question.about == about;
        let (types, given) = match about {
            About::Numbers => (
                [ColumnType::Number, ColumnType::Integer],
                (&guessed.decimal_point, &guessed.group_separator) != (&values.decimal_point, &values.group_separator),
            ),
            About::Dates => (
                [ColumnType::Date, ColumnType::Timestamp],
                (&guessed.date_format, &guessed.timestamp_format) != (&values.date_format, &values.timestamp_format),
            ),
        };
        let arises = |question: &&Question| types.iter().any(|kind| fills(&question.column, *kind));
        match posed(form, about) {
            Some(there) => {
                let is_over = if_said.contains(&there) && !arises(&&there) && answer(form, about).is_none();
                if is_over {
                    put(form, &format!("ask-{}", name_of(about)), "");
                }
            }
            None if given => {}
            None => if_said.iter().filter(of).filter(arises).take(1).for_each(|question| ask(form, question)),
        }
    }
}

/// A reading as people say it: "3 April 2026 (day first)".
fn in_words(question: &Question, reading: &Reading) -> String {
    let (value, options) = (&reading.value, &reading.options);
    let how = match question.about {
        About::Numbers => {
            let name = |mark: &str| match mark {
                "." => "point".to_owned(),
                "," => "comma".to_owned(),
                " " => "space".to_owned(),
                "'" => "apostrophe".to_owned(),
                other => other.to_owned(),
            };
            match options.group_separator.as_deref().filter(|group| question.cell.contains(group)) {
                Some(group) => format!("the {} separates thousands", name(group)),
                None => format!("the {} marks decimals", name(&options.decimal_point)),
            }
        }
        About::Dates => {
            let format = match value.contains('T') {
                true => options.timestamp_format.as_deref().unwrap_or_default(),
                false => options.date_format.as_str(),
            };
            match format.find(['d', 'm', 'b', 'B', 'y', 'Y']).and_then(|at| format[at..].chars().next()) {
                Some('d') => "day first",
                Some('y' | 'Y') => "year first",
                _ => "month first",
            }
            .to_owned()
        }
    };
    let day = value.get(..10).and_then(|day| NaiveDate::parse_from_str(day, "%Y-%m-%d").ok());
    let said = match day.filter(|_| question.about == About::Dates) {
        Some(day) => {
            format!("{}{}", day.format("%-d %B %Y"), value.get(11..16).map_or(String::new(), |at| format!(", {at}")))
        }
        None => value.clone(),
    };
    format!("{said} ({how})")
}

fn posed(form: &Form, about: About) -> Option<Question> {
    serde_json::from_str(form.raw(&format!("ask-{}", name_of(about)))).ok()
}

fn answer(form: &Form, about: About) -> Option<usize> {
    form.get(&format!("answer-{}", name_of(about))).parse().ok()
}

pub(super) fn shown(form: &Form) -> Vec<Asked> {
    ALL.into_iter()
        .filter_map(|about| {
            let question = posed(form, about)?;
            let (name, chosen) = (name_of(about), answer(form, about));
            Some(Asked {
                name,
                json: form.raw(&format!("ask-{name}")).to_owned(),
                readings: question
                    .readings
                    .iter()
                    .zip(0..)
                    .map(|(r, i)| (in_words(&question, r), chosen == Some(i)))
                    .collect(),
                column: question.column,
                cell: question.cell,
                followed: form.get(&format!("followed-{name}")).to_owned(),
            })
        })
        .collect()
}

/// Lets the options follow what was answered since; what is typed afterwards stays as it is typed.
pub(super) fn follow(form: &mut Form, read: ReadOptions) {
    let mut read = read;
    let mut followed = Vec::new();
    for about in ALL {
        let (Some(question), Some(chosen)) = (posed(form, about), answer(form, about)) else { continue };
        let name = format!("followed-{}", name_of(about));
        let Some(reading) = question.readings.get(chosen).filter(|_| form.get(&name) != chosen.to_string()) else {
            continue;
        };
        let (values, chosen_values) = (&mut read.values, &reading.options);
        match about {
            About::Numbers => {
                values.decimal_point.clone_from(&chosen_values.decimal_point);
                values.group_separator.clone_from(&chosen_values.group_separator);
                // Text beside the numbers of a column that looked like text was not seen before.
                if values.affixes.is_empty() {
                    values.affixes.clone_from(&chosen_values.affixes);
                    values.negative = chosen_values.negative;
                }
            }
            About::Dates => {
                values.date_format.clone_from(&chosen_values.date_format);
                values.timestamp_format.clone_from(&chosen_values.timestamp_format);
            }
        }
        followed.push((name, chosen));
    }
    if followed.is_empty() {
        return;
    }
    options::write(form, &read);
    for (name, chosen) in followed {
        put(form, &name, chosen.to_string());
    }
}

/// The questions that nobody has answered.
pub(super) fn open(form: &Form) -> FieldErrors {
    let mut errors = FieldErrors::new();
    for about in ALL.into_iter().filter(|about| answer(form, *about).is_none()) {
        if let Some(question) = posed(form, about) {
            let detail = format!("Choose what \"{}\" in {} means.", question.cell, question.column);
            errors.add(format!("answer-{}", name_of(about)), detail);
        }
    }
    errors
}

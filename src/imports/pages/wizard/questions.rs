//! What the source does not tell is asked: a real cell in each of its readings. The questions stand in the form, so that
//! they stay while it goes to and fro.

use crate::error::FieldErrors;
use crate::formats::{About, Question, ReadOptions};
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
    /// "1.25", and whether it was chosen.
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

/// Puts the questions into the form, in the place of earlier ones.
pub(super) fn pose(form: &mut Form, questions: &[Question]) {
    form.0.retain(|(name, _)| !is_one(name));
    for question in questions {
        let json = serde_json::to_string(question).unwrap_or_default();
        put(form, &format!("ask-{}", name_of(question.about)), json);
    }
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
                column: question.column,
                cell: question.cell,
                readings: question.readings.into_iter().zip(0..).map(|(r, i)| (r.value, chosen == Some(i))).collect(),
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

//! What a schedule will do, beside the form while it is typed. It informs and never scolds: what is not yet clear is
//! said in grey, the errors come when the form is sent.

use askama::Template;
use askama::filters::HtmlSafe;

use crate::clock::Moment;
use crate::schedules::{self, Rule, RuleForm};
use crate::web::words;

/// How many occurrences are shown at first, and at the most.
pub const COUNT: usize = 5;

#[derive(Template)]
#[template(path = "import_scheduling/preview.html")]
pub struct PreviewPart(Result<Explained, Vec<String>>);

impl HtmlSafe for PreviewPart {}

struct Explained {
    sentence: String,
    bounds: String,
    hint: Option<String>,
    title: String,
    occurrences: Vec<Occurrence>,
    ends: Option<String>,
}

struct Occurrence {
    iso: String,
    when: String,
    relative: String,
    note: Option<String>,
}

impl PreviewPart {
    /// From what the form holds right now.
    pub fn of(form: &RuleForm, now: Moment) -> Self {
        let rule = form.draft().parse().and_then(|rule| rule.check_future(now).map(|()| rule));
        Self(match rule {
            Ok(rule) => Ok(explain(&rule, now)),
            Err(errors) => Err(errors.0.into_iter().map(|e| e.detail).collect()),
        })
    }
}

fn explain(rule: &Rule, now: Moment) -> Explained {
    let preview = schedules::preview(rule, now, COUNT);
    let zone = rule.time_zone();
    let count = preview.occurrences.len();
    Explained {
        bounds: schedules::bounds(rule),
        hint: preview.hint.clone(),
        title: if count == 1 { "Next run".into() } else { format!("Next {count} runs") },
        ends: preview.ends_words().filter(|_| !rule.is_once()),
        occurrences: preview
            .occurrences
            .iter()
            .map(|o| Occurrence {
                iso: o.at.rfc3339(),
                when: words::date_time(o.at, zone),
                relative: words::relative(o.at, now),
                note: o.note.clone(),
            })
            .collect(),
        sentence: preview.sentence,
    }
}

//! What a schedule will do, beside the form while it is typed: its sentence, what it comes too close to, its next runs,
//! and when others keep the hours busy. It informs and never scolds: what is not yet clear is said in grey, the errors
//! come when the form is sent, and no warning holds up saving.

use askama::Template;
use askama::filters::HtmlSafe;
use serde_json::Value;

use super::beside::{Beside, Chosen, Runs};
use super::strip::Strip;
use crate::clock::Moment;
use crate::freezes;
use crate::parameters::relative::RelativeDate;
use crate::parameters::{Parameter, ParameterType};
use crate::schedules::collisions::{self, Collisions, Start};
use crate::schedules::{self, PreviewOccurrence, Rule, RuleForm};
use crate::web::Form;
use crate::words;

/// How many occurrences are shown at first, and at the most.
const FEW: usize = 5;
const MANY: usize = 25;
/// How many collisions are told one by one.
const TOLD: usize = 3;

#[derive(Template)]
#[template(path = "import_scheduling/preview.html")]
pub struct PreviewPart {
    told: Result<Explained, Vec<String>>,
    /// Kept also while what is typed is not clear.
    expanded: bool,
}

impl HtmlSafe for PreviewPart {}

/// What the form says, as far as a preview needs it.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub rule: &'a RuleForm,
    pub chosen: Option<Chosen>,
    /// The set, where that is what the form names.
    pub set: Option<i64>,
    /// The schedule that is edited.
    pub schedule_id: Option<i64>,
    /// Whether all that can be shown is.
    pub expanded: bool,
    /// What the chosen configuration declares, and what is typed of it.
    pub parameters: &'a [Parameter],
    pub values: Option<&'a Value>,
}

struct Explained {
    sentence: String,
    bounds: String,
    clash: Option<Clash>,
    /// Why it cannot be saved as it is.
    in_the_way: Option<String>,
    hint: Option<String>,
    title: String,
    occurrences: Vec<Occurrence>,
    /// What relative dates mean for the next run.
    dates: Vec<String>,
    ends: Option<String>,
    /// The viewer's zone, where its clock shows another time.
    yours: Option<String>,
    more: bool,
    strip: Strip,
}

struct Occurrence {
    iso: String,
    when: String,
    relative: String,
    yours: Option<String>,
    note: Option<String>,
}

/// What comes too close, and the way out.
struct Clash {
    title: String,
    told: Vec<String>,
    more: usize,
    /// What the button sends, and what stands on it.
    free: Option<(String, String)>,
}

impl PreviewPart {
    pub fn of(asked: Asked, beside: &Beside, now: Moment) -> Self {
        let rule = asked.rule.draft().parse().and_then(|rule| rule.check_future(now).map(|()| rule));
        let told = match rule {
            Ok(rule) => Ok(explain(&rule, asked, beside, now)),
            Err(errors) => Err(errors.0.into_iter().map(|e| e.detail).collect()),
        };
        Self { told, expanded: asked.expanded }
    }
}

/// Whether the form shows all occurrences: as its buttons say, else as it did.
pub fn expanded(sent: &Form) -> bool {
    let many = MANY.to_string();
    match sent.get("show").parse::<usize>() {
        Ok(count) => count == MANY,
        Err(_) => sent.get("count") == many,
    }
}

/// Takes the start that was offered, where the form asks for it; whether it does.
pub fn use_offered(sent: &Form, rule: &mut RuleForm) -> bool {
    let Some((date, time)) = sent.get("use").split_once('T') else {
        return false;
    };
    rule.start_date = date.to_owned();
    rule.start_time = time.to_owned();
    true
}

fn explain(rule: &Rule, asked: Asked, beside: &Beside, now: Moment) -> Explained {
    let Asked { chosen, set, schedule_id, expanded, .. } = asked;
    let runs = chosen.map(Runs::Configuration).or(set.map(Runs::Set));
    let mut preview = schedules::preview(rule, chosen.map(|chosen| chosen.overlap), now, MANY);
    freezes::annotate(&mut preview, &beside.freezes);
    let circle = chosen.and_then(|chosen| collisions::circle(&beside.target(chosen, schedule_id), &beside.neighbours));
    preview.hint = words::sentences([preview.hint, circle]);
    let ends = preview.ends_words().filter(|_| !rule.is_once());
    let there = preview.occurrences.len();
    let shown = if expanded { there } else { there.min(FEW) };
    let occurrences: Vec<Occurrence> =
        preview.occurrences.iter().take(shown).map(|o| occurrence(o, rule, beside, now)).collect();
    let found = collisions::look(rule, &beside.targets(runs, schedule_id), &beside.neighbours, now);
    Explained {
        bounds: schedules::bounds(rule),
        in_the_way: runs.and_then(|runs| beside.in_the_way(rule, runs, schedule_id, now)),
        clash: clash(rule, found, beside.spacing_minutes),
        hint: preview.hint,
        title: if shown == 1 { "Next run".into() } else { format!("Next {shown} runs") },
        ends,
        dates: dates(asked, rule, preview.occurrences.first()),
        yours: occurrences.iter().any(|o| o.yours.is_some()).then(|| beside.viewer.to_string()),
        occurrences,
        more: there > FEW,
        strip: Strip::of(rule, chosen, schedule_id, beside, now),
        sentence: preview.sentence,
    }
}

/// "From: 1 September 2026 (the first day of last month)", of each date.
fn dates(asked: Asked, rule: &Rule, next: Option<&PreviewOccurrence>) -> Vec<String> {
    let Some(next) = next else { return Vec::new() };
    let today = next.at.in_zone(rule.time_zone()).date_naive();
    let dated = asked.parameters.iter().filter(|parameter| parameter.parameter_type == ParameterType::Date);
    let told = |parameter: &Parameter| {
        let given = asked.values.and_then(|values| values.get(&parameter.name)).or(parameter.default.as_ref());
        let day = RelativeDate::parse(given?.as_str()?);
        Some(match day.as_ref().map(|day| (day.on(today), day.is_fixed())) {
            Ok((Some(on), true)) => format!("{}: {}", parameter.label(), on.format("%-d %B %Y")),
            Ok((Some(on), false)) => {
                let words = day.as_ref().map(RelativeDate::words).unwrap_or_default();
                format!("{}: {} ({words})", parameter.label(), on.format("%-d %B %Y"))
            }
            _ => format!("{}: not a date yet", parameter.label()),
        })
    };
    dated.filter_map(told).collect()
}

fn occurrence(o: &PreviewOccurrence, rule: &Rule, beside: &Beside, now: Moment) -> Occurrence {
    let zone = rule.time_zone();
    let differs = o.at.in_zone(zone).naive_local() != o.at.in_zone(beside.viewer).naive_local();
    Occurrence {
        iso: o.at.rfc3339(),
        when: words::date_time(o.at, zone),
        relative: words::relative(o.at, now),
        yours: differs.then(|| words::date_time(o.at, beside.viewer)),
        note: o.note.clone(),
    }
}

fn clash(rule: &Rule, found: Collisions, spacing: i32) -> Option<Clash> {
    let count = found.list.len();
    if count == 0 {
        return None;
    }
    let others = if count == 1 { "another schedule".to_owned() } else { format!("{count} other schedules") };
    let offered = |start: Start| {
        let value = format!("{}T{}", start.date.format("%Y-%m-%d"), start.time.format("%H:%M"));
        (value, format!("Use {}", start.words(rule)))
    };
    Some(Clash {
        title: format!("Less than {} from {others}", words::counted(spacing.into(), "minute", "minutes")),
        told: found.list.into_iter().take(TOLD).map(|collision| collision.sentence).collect(),
        more: count.saturating_sub(TOLD),
        free: found.suggestion.map(offered),
    })
}

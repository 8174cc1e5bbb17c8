//! What a schedule will do, beside the form while it is typed: its sentence, what it comes too close to, its next runs,
//! and when others keep the hours busy. It informs and never scolds: what is not yet clear is said in grey, the errors
//! come when the form is sent, and no warning holds up saving.

use askama::Template;
use askama::filters::HtmlSafe;
use serde_json::Value;

use super::beside::{Beside, Chosen};
use super::strip::Strip;
use crate::clock::Moment;
use crate::freezes;
use crate::import_scheduling::asks;
use crate::parameters::Parameter;
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
    pub chosen: Option<&'a Chosen>,
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
    let Asked { chosen, schedule_id, expanded, .. } = asked;
    let mut preview = schedules::preview(rule, chosen.map(|chosen| chosen.overlap), now, MANY);
    freezes::annotate(&mut preview, &beside.freezes);
    let targets = chosen.map(|chosen| beside.targets(chosen, schedule_id)).unwrap_or_default();
    let circle = collisions::circle(&targets, &beside.neighbours);
    preview.hint = words::sentences([preview.hint, circle]);
    let ends = preview.ends_words().filter(|_| !rule.is_once());
    let there = preview.occurrences.len();
    let shown = if expanded { there } else { there.min(FEW) };
    let occurrences: Vec<Occurrence> =
        preview.occurrences.iter().take(shown).map(|o| occurrence(o, rule, beside, now)).collect();
    let found = collisions::look(rule, &targets, &beside.neighbours, now);
    Explained {
        bounds: schedules::bounds(rule),
        in_the_way: chosen.and_then(|chosen| beside.in_the_way(rule, chosen, schedule_id, now)),
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

/// What relative dates mean for the next run.
fn dates(asked: Asked, rule: &Rule, next: Option<&PreviewOccurrence>) -> Vec<String> {
    let Some(next) = next else { return Vec::new() };
    asks::dates(asked.parameters, asked.values, next.at.in_zone(rule.time_zone()).date_naive())
}

fn occurrence(o: &PreviewOccurrence, rule: &Rule, beside: &Beside, now: Moment) -> Occurrence {
    let zone = rule.time_zone();
    let differs = o.at.in_zone(zone).naive_local() != o.at.in_zone(beside.viewer).naive_local();
    Occurrence {
        iso: words::machine_time(o.at),
        when: words::date_time(o.at, zone),
        relative: words::relative_in(o.at, now, zone),
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

//! The form of a freeze: what was typed, and what it means.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono::{NaiveDate, NaiveTime};
use chrono_tz::Tz;

use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::freezes::holding::WillSkip;
use crate::freezes::{Draft, Freeze, Stage};
use crate::schedules;
use crate::web::Form;
use crate::words;

#[derive(Template)]
#[template(path = "freezes/form.html")]
pub struct FormPart {
    pub csrf: String,
    pub action: String,
    /// Where what it will skip is asked for.
    pub preview: String,
    pub errors: FieldErrors,
    pub form: Form,
    /// Since when it holds: its beginning cannot change any more.
    pub begun: Option<String>,
    pub zone: Tz,
    pub will: Option<String>,
    pub submit: &'static str,
}

impl HtmlSafe for FormPart {}

/// A blank form begins with the coming hour and lasts a day.
pub fn blank(zone: Tz, now: Moment) -> Form {
    let hour = chrono::Duration::hours(1);
    let from = Moment::from_micros((now.micros() / 3_600_000_000) * 3_600_000_000).plus(hour);
    let mut pairs = vec![("name".to_owned(), String::new())];
    pairs.extend(times(zone, from, from.plus(chrono::Duration::days(1))));
    pairs.push(("run_once".into(), "on".into()));
    Form(pairs)
}

/// The controls as they show a freeze.
pub fn of(freeze: &Freeze) -> Form {
    let mut pairs = vec![("name".to_owned(), freeze.name.clone()), ("version".to_owned(), freeze.version.to_string())];
    pairs.extend(times(freeze.time_zone, freeze.starts_at, freeze.ends_at));
    pairs.extend(freeze.run_once.then(|| ("run_once".into(), "on".into())));
    Form(pairs)
}

fn times(zone: Tz, from: Moment, to: Moment) -> Vec<(String, String)> {
    let text = |at: Moment, format: &str| at.in_zone(zone).format(format).to_string();
    vec![
        ("from_date".into(), text(from, "%Y-%m-%d")),
        ("from_time".into(), text(from, "%H:%M")),
        ("to_date".into(), text(to, "%Y-%m-%d")),
        ("to_time".into(), text(to, "%H:%M")),
    ]
}

/// Reads the form; what is wrong is named by its controls. `was` keeps the beginning of a freeze that has begun, and a
/// time that was left as it stands, to the second.
pub fn draft(form: &Form, was: Option<&Freeze>, zone: Tz, now: Moment) -> Result<Draft, FieldErrors> {
    let mut errors = FieldErrors::new();
    let begun = was.filter(|was| was.stage(now) != Stage::Upcoming);
    let starts_at = match begun {
        Some(was) => Some(was.starts_at),
        None => moment(form, "from", zone, was.map(|was| was.starts_at), &mut errors),
    };
    let ends_at = moment(form, "to", zone, was.map(|was| was.ends_at), &mut errors);
    let draft = Draft {
        name: form.get("name").to_owned(),
        starts_at: starts_at.unwrap_or(now),
        ends_at: ends_at.unwrap_or(now),
        run_once: form.ticked("run_once"),
    };
    // With a time that is none only the name can be judged.
    let more = draft.clone().check(was, now).err().unwrap_or_default();
    let judged =
        if errors.is_empty() { more } else { FieldErrors(more.0.into_iter().filter(|e| e.field == "name").collect()) };
    let mut all = at_controls(judged);
    all.extend(errors);
    all.ok_or(draft)
}

/// The action names `from` and `to`; on the page those are a date and a time.
pub fn at_controls(mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        if matches!(error.field.as_str(), "from" | "to") {
            error.field.push_str("_date");
        }
    }
    errors
}

fn moment(form: &Form, side: &str, zone: Tz, kept: Option<Moment>, errors: &mut FieldErrors) -> Option<Moment> {
    let (date_field, time_field) = (format!("{side}_date"), format!("{side}_time"));
    let (date, time) = (form.get(&date_field), form.get(&time_field));
    if let Some(kept) = kept.filter(|kept| {
        let local = kept.in_zone(zone);
        local.format("%Y-%m-%d").to_string() == date && local.format("%H:%M").to_string() == time
    }) {
        return Some(kept);
    }
    let day = NaiveDate::parse_from_str(date, "%Y-%m-%d").ok();
    let clock = NaiveTime::parse_from_str(time, "%H:%M").or_else(|_| NaiveTime::parse_from_str(time, "%H:%M:%S")).ok();
    if day.is_none() {
        errors.add(
            &date_field,
            match date {
                "" => "Enter a date, such as 2026-12-31.".to_owned(),
                date => format!("{date} is not a date. Write it like 2026-12-31."),
            },
        );
    }
    if clock.is_none() {
        errors.add(
            &time_field,
            match time {
                "" => "Enter a time, such as 18:00.".to_owned(),
                time => format!("{time} is not a time. Write it like 18:00."),
            },
        );
    }
    let (day, clock) = (day?, clock?);
    if !(1970..=2099).contains(&chrono::Datelike::year(&day)) {
        errors.add(&date_field, format!("{date} is out of range: use a date from 1970 to 2099."));
        return None;
    }
    Some(schedules::instant(zone, day.and_time(clock)))
}

/// "From Thu 31 Dec 2026, 18:00 until Mon 4 Jan 2027, 06:00 (Europe/Paris) it will skip 37 occurrences of 5 schedules."
pub fn will_words(draft: &Draft, will: WillSkip, zone: Tz, now: Moment) -> String {
    let from = if draft.starts_at <= now { "now".to_owned() } else { words::date_time(draft.starts_at, zone) };
    let until = words::date_time(draft.ends_at, zone);
    let skips = match will.occurrences {
        0 => "it will skip nothing: no schedule has an occurrence then".to_owned(),
        n => format!(
            "it will skip {}{} of {}",
            if will.more { "more than " } else { "" },
            words::counted(n as i64, "occurrence", "occurrences"),
            words::counted(will.schedules as i64, "schedule", "schedules")
        ),
    };
    format!("From {from} until {until} ({zone}) {skips}.")
}

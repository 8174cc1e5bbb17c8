//! The busy strip: 24 hours by 7 days, drawn here so that the page needs neither a script nor a style for it. A bar is
//! as high as its hour is busy; a ring is the schedule's own. What it shows is said in words and in a table too.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use super::beside::{Beside, Chosen};
use crate::clock::Moment;
use crate::schedules::Rule;
use crate::schedules::busy::{BUSY_DAYS, Day, Hour, Quietest, busy, quietest};

/// The drawing's units.
const LEFT: i64 = 48;
const CELL: i64 = 11;
const TOP: i64 = 14;
const ROW: i64 = 17;
const BAR: i64 = 13;

#[derive(Template)]
#[template(path = "import_scheduling/strip.html")]
pub struct Strip {
    width: i64,
    height: i64,
    axis: Vec<Mark>,
    rows: Vec<Row>,
    /// "Quietest: 03:00 to 05:00 every day".
    quietest: String,
    zone: Tz,
    /// What clock changes do.
    changes: Vec<String>,
}

impl HtmlSafe for Strip {}

/// An hour of the axis, and how its number stands there.
struct Mark {
    x: i64,
    hour: String,
    anchor: &'static str,
}

struct Row {
    short: String,
    long: String,
    y: i64,
    base: i64,
    track: i64,
    track_width: i64,
    bars: Vec<Bar>,
    /// The middles of the rings.
    own: Vec<i64>,
    skipped: Vec<i64>,
    twice: Vec<i64>,
    middle: i64,
    busy_words: String,
    own_words: String,
}

struct Bar {
    x: i64,
    y: i64,
    height: i64,
}

impl Strip {
    pub fn of(rule: &Rule, chosen: Option<&Chosen>, schedule_id: Option<i64>, beside: &Beside, now: Moment) -> Self {
        let zone = rule.time_zone();
        let own = Some((rule, beside.own_usual(chosen)));
        let days = busy(zone, beside.others(chosen, schedule_id), own, now);
        Self {
            width: LEFT + 24 * CELL + 2,
            height: TOP + BUSY_DAYS * ROW,
            axis: [0, 6, 12, 18, 24].map(axis_mark).into(),
            quietest: quietest_words(quietest(&days)),
            changes: days.iter().flat_map(changes).collect(),
            rows: days.iter().zip(0..).map(|(day, n)| row(day, TOP + n * ROW)).collect(),
            zone,
        }
    }
}

fn axis_mark(hour: i64) -> Mark {
    let anchor = match hour {
        0 => "start",
        24 => "end",
        _ => "middle",
    };
    Mark { x: LEFT + hour * CELL, hour: format!("{hour:02}"), anchor }
}

fn row(day: &Day, y: i64) -> Row {
    let base = y + BAR;
    let x = |hour: usize| LEFT + hour as i64 * CELL;
    let hours = |wanted: fn(&Hour) -> bool| (0..24).filter(move |hour| wanted(&day.hours[*hour]));
    let first = day.hours.iter().take_while(|hour| hour.gone).count();
    let bars = hours(|hour| hour.busy > 0 && !hour.gone).map(|hour| {
        let Hour { minutes, busy, .. } = day.hours[hour];
        let height = (i64::from(busy) * BAR / i64::from(minutes.max(1))).clamp(3, BAR);
        Bar { x: x(hour) + 1, y: base - height, height }
    });
    Row {
        short: day.date.format("%a %-d").to_string(),
        long: day.date.format("%a %-d %b").to_string(),
        y,
        base,
        track: x(first),
        track_width: (24 - first as i64) * CELL,
        bars: bars.collect(),
        own: hours(|hour| hour.own > 0 && !hour.gone).map(|hour| x(hour) + CELL / 2).collect(),
        skipped: hours(|hour| hour.minutes == 0).map(x).collect(),
        twice: hours(|hour| hour.minutes > 60).map(x).collect(),
        middle: y + BAR / 2,
        busy_words: stretches(hours(|hour| hour.busy > 0 && !hour.gone)),
        own_words: stretches(hours(|hour| hour.own > 0 && !hour.gone)),
    }
}

/// "01:00 to 03:00, 06:00 to 07:00"; "None".
fn stretches(hours: impl Iterator<Item = usize>) -> String {
    let hours: Vec<usize> = hours.collect();
    let words: Vec<String> = hours
        .chunk_by(|a, b| a + 1 == *b)
        .map(|run| format!("{:02}:00 to {:02}:00", run[0], run[run.len() - 1] + 1))
        .collect();
    if words.is_empty() { "None".to_owned() } else { words.join(", ") }
}

fn quietest_words(quietest: Quietest) -> String {
    match quietest {
        Quietest::All => "Nothing else is planned in these 7 days.".to_owned(),
        Quietest::Free { from, to } => format!("Quietest: {from:02}:00 to {to:02}:00 every day."),
        Quietest::Least { minutes, .. } if minutes >= 60 => "Every hour of every day is busy.".to_owned(),
        Quietest::Least { from: 0, to: 24, minutes } => {
            format!("No hour is free every day: each is busy for {minutes} of 60 minutes.")
        }
        Quietest::Least { from, to, minutes } => {
            format!(
                "No hour is free every day. Quietest: {from:02}:00 to {to:02}:00, busy for {minutes} of 60 minutes."
            )
        }
    }
}

/// "Clocks go back on Sun 25 Oct: 02:00 to 03:00 lasts 2 h."
fn changes(day: &Day) -> Vec<String> {
    let date = day.date.format("%a %-d %b");
    let altered = day.hours.iter().enumerate().filter(|(_, hour)| hour.minutes != 60);
    let words = altered.map(|(n, hour)| {
        let (from, to) = (format!("{n:02}:00"), format!("{:02}:00", n + 1));
        match hour.minutes {
            0 => format!("Clocks go forward on {date}: {from} to {to} does not exist."),
            60.. => format!("Clocks go back on {date}: {from} to {to} lasts {} minutes.", hour.minutes),
            minutes => format!("Clocks change on {date}: {from} to {to} has {minutes} minutes."),
        }
    });
    words.collect()
}

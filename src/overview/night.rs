//! Tonight, drawn here so that the page needs neither a script nor a style for it: a bar is as long as a run usually
//! takes. What it shows is said in a sentence and in a table too. Pure.

use std::collections::BTreeMap;

use chrono::{Duration, Timelike};
use chrono_tz::Tz;

use super::greeting::hour;
use crate::clock::Moment;
use crate::freezes::{self, Freeze};
use crate::runs::RunStatus;
use crate::schedules::{Rule, count_between, first_at_or_after, headline, latest_at_or_before, occurrences};
use crate::words;

/// What runs more often than this in a night is one band and one line.
const OFTEN: usize = 6;
/// So many lines the table has.
const MOST_ROWS: usize = 60;
/// What never succeeded is taken to last so long.
const SHORTEST: Duration = Duration::minutes(1);

/// The drawing's units.
const WIDTH: f64 = 1000.0;
const LANES: usize = 4;
const LANE: i64 = 12;
const TOP: i64 = 10;
const BAR: i64 = 9;
const NARROWEST: f64 = 5.0;

/// From 20:00 to 08:00 by the member's clock: the night that goes on, or the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    pub from: Moment,
    pub to: Moment,
}

impl Night {
    pub fn of(now: Moment, zone: Tz) -> Self {
        let local = now.in_zone(zone);
        let today = local.date_naive();
        let (begins, ends) = match local.hour() < 8 {
            true => (today.pred_opt().unwrap_or(today), today),
            false => (today, today.succ_opt().unwrap_or(today)),
        };
        Self { from: hour(zone, begins, 20), to: hour(zone, ends, 8) }
    }
}

/// A schedule that has something to come.
pub struct Plan<'a> {
    pub name: String,
    pub application: String,
    pub rule: &'a Rule,
    /// Its next occurrence, which may be due.
    pub next_at: Moment,
    pub usual: Option<Duration>,
    /// Those of its Application.
    pub freezes: &'a [Freeze],
}

/// A run by schedule that has begun tonight.
pub struct Ran {
    /// Of which schedule.
    pub schedule: i64,
    pub name: String,
    pub application: String,
    pub from: Moment,
    pub to: Moment,
    /// How it ended, or that it runs still.
    pub status: RunStatus,
}

pub struct Row {
    pub starts: String,
    pub name: String,
    pub application: String,
    pub ends: String,
    at: Moment,
}

pub struct Drawing {
    /// "14 runs planned, done by about 05:40"
    pub words: String,
    pub from: String,
    pub to: String,
    /// Paths of SVG; empty where there is none.
    pub bars: String,
    pub longest: String,
    pub often: String,
    pub ticks: String,
    pub ready: Option<String>,
    pub now: Option<String>,
    /// The clock at even distances.
    pub axis: Vec<String>,
    pub longest_name: Option<String>,
    pub rows: Vec<Row>,
    /// "940 other lines", which are not shown; empty where all are.
    pub more: String,
}

struct Bar {
    from: Moment,
    to: Moment,
    /// Which of the plans it is of, where it is to come.
    plan: Option<usize>,
}

/// What is drawn of these schedules, and of what of theirs has run since the night began; `cut`: there are others.
pub fn draw(
    plans: &[Plan],
    (ran, ran_more): (&[Ran], bool),
    night: Night,
    cut: bool,
    (now, zone): (Moment, Tz),
) -> Drawing {
    let clock = |at: Moment| at.in_zone(zone).format("%H:%M").to_string();
    let (mut bars, mut rows, mut often) = (Vec::new(), Vec::new(), Vec::new());
    let mut of_each: BTreeMap<i64, Vec<&Ran>> = BTreeMap::new();
    for ran in ran {
        of_each.entry(ran.schedule).or_default().push(ran);
    }
    for of in of_each.values() {
        let (Some(first), Some(last)) = (of.iter().min_by_key(|ran| ran.from), of.iter().max_by_key(|ran| ran.to))
        else {
            continue;
        };
        let row = |ran: &Ran, starts: String, ends: String| Row {
            starts,
            name: ran.name.clone(),
            application: ran.application.clone(),
            ends,
            at: ran.from,
        };
        if of.len() > OFTEN {
            often.push((first.from, last.to));
            let starts = format!("{} to {}", clock(first.from), clock(last.from));
            rows.push(row(first, starts, words::counted(of.len() as i64, "run", "runs")));
            continue;
        }
        for ran in of {
            bars.push(Bar { from: ran.from, to: ran.to, plan: None });
            let ends = if ran.status.is_open() { String::new() } else { format!("{}, ", clock(ran.to)) };
            rows.push(row(ran, clock(ran.from), format!("{ends}{}", ran.status.words())));
        }
    }
    let gone_often = often.len();
    for (n, plan) in plans.iter().enumerate() {
        let usual = plan.usual.unwrap_or(SHORTEST).max(SHORTEST);
        let row = |at: Moment, starts: String, ends: String| Row {
            starts,
            name: plan.name.clone(),
            application: plan.application.clone(),
            ends,
            at,
        };
        let begin = night.from.max(plan.next_at);
        let count = count_between(plan.rule, begin, night.to);
        if count > OFTEN {
            let first = first_at_or_after(plan.rule, begin);
            let last = latest_at_or_before(plan.rule, night.to.minus(Duration::microseconds(1)));
            let (Some(first), Some(last)) = (first, last) else { continue };
            let held = freezes::count_held(plan.freezes, plan.rule, begin, night.to);
            let starts = format!("{} to {}: {}", clock(first), clock(last), headline(plan.rule).to_lowercase());
            let ends = match held {
                0 => clock(last.plus(usual)),
                held => format!("{}; {} skipped, frozen", clock(last.plus(usual)), words::count(held)),
            };
            often.push((first, last.plus(usual)));
            rows.push(row(first, starts, ends));
            continue;
        }
        let just_before = begin.minus(Duration::microseconds(1));
        for at in occurrences(plan.rule, just_before).take_while(|at| *at < night.to) {
            if let Some(freeze) = freezes::at(plan.freezes, at) {
                rows.push(row(at, clock(at), format!("Skipped: frozen by “{}”", freeze.name)));
                continue;
            }
            bars.push(Bar { from: at, to: at.plus(usual), plan: Some(n) });
            rows.push(row(at, clock(at), clock(at.plus(usual))));
        }
    }
    bars.sort_by_key(|bar| (bar.from, bar.to));
    rows.sort_by_key(|row| row.at);
    let longest = longest(plans, &bars);
    let coming = || bars.iter().filter(|bar| bar.plan.is_some());
    let ready = coming().map(|bar| bar.to).max();
    let more = match rows.len().saturating_sub(MOST_ROWS) {
        0 => String::new(),
        n => words::counted(n as i64, "other line", "other lines"),
    };
    rows.truncate(MOST_ROWS);
    let x = |at: Moment| place(night, at);
    Drawing {
        words: sentence((ran.len(), ran_more), coming().count(), often.len() - gone_often, ready.map(clock), cut),
        from: clock(night.from),
        to: clock(night.to),
        bars: lanes(&bars, night, |bar| bar.plan.is_none() || bar.plan != longest),
        longest: lanes(&bars, night, |bar| bar.plan.is_some() && bar.plan == longest),
        often: often.iter().map(|(from, to)| rectangle(x(*from), x(*to), TOP + LANE * LANES as i64, 3)).collect(),
        ticks: (1..6).map(|n| format!("M{:.1} 4v60", WIDTH * f64::from(n) / 6.0)).collect(),
        ready: ready.filter(|at| *at <= night.to).map(|at| format!("M{:.1} 0v68", x(at))),
        now: (night.from < now).then(|| format!("M{:.1} 4v60", x(now))),
        axis: (0..=6).map(|n| clock(night.from.plus(night.to.since(night.from) * n / 6))).collect(),
        longest_name: longest.map(|n| plans[n].name.clone()),
        rows,
        more,
    }
}

/// Which plan takes longest, where it is known and there are several.
fn longest(plans: &[Plan], bars: &[Bar]) -> Option<usize> {
    let mut shown: Vec<usize> = bars.iter().filter_map(|bar| bar.plan).collect();
    shown.sort_unstable();
    shown.dedup();
    let known = shown.iter().filter(|n| plans[**n].usual.is_some_and(|usual| usual > SHORTEST));
    known.max_by_key(|n| plans[**n].usual).copied().filter(|_| shown.len() > 1)
}

fn sentence((ran, ran_more): (usize, bool), count: usize, often: usize, ready: Option<String>, cut: bool) -> String {
    let often_words = match often {
        1 => "1 schedule that runs often".to_owned(),
        n => format!("{} schedules that run often", words::count(n as i64)),
    };
    let (so_far, nothing) = match ran {
        0 => (String::new(), "Nothing is planned"),
        n => {
            let least = if ran_more { "At least " } else { "" };
            (format!("{least}{} so far; ", words::counted(n as i64, "run", "runs")), "nothing more is planned")
        }
    };
    let words = match ready {
        None if often == 0 => nothing.to_owned(),
        None => format!("{nothing} except {often_words}"),
        Some(ready) => {
            let and = if often > 0 { format!(", plus {often_words}") } else { String::new() };
            let more = if ran > 0 { " more" } else { "" };
            format!(
                "{}{more} planned, done by about {ready}{and}",
                match ran {
                    0 => words::counted(count as i64, "run", "runs"),
                    _ => words::count(count as i64),
                }
            )
        }
    };
    let words = format!("{so_far}{words}");
    if cut { format!("{words}; only the schedules that run first are counted") } else { words }
}

fn place(night: Night, at: Moment) -> f64 {
    let of = |long: Duration| long.num_seconds() as f64;
    (of(at.since(night.from)) / of(night.to.since(night.from)) * WIDTH).clamp(0.0, WIDTH)
}

fn rectangle(from: f64, to: f64, y: i64, height: i64) -> String {
    let width = (to - from).max(NARROWEST);
    let from = from.min(WIDTH - width);
    format!("M{from:.1} {y}h{width:.1}v{height}h-{width:.1}z")
}

/// Each bar in a lane of its own turn, as far as there is room; where there is none they run into each other, so that
/// however many they are the drawing stays small.
fn lanes(bars: &[Bar], night: Night, wanted: impl Fn(&Bar) -> bool) -> String {
    let mut lanes: [Vec<(f64, f64, bool)>; LANES] = Default::default();
    let mut turn = 0;
    for bar in bars {
        let (from, to) = (place(night, bar.from), place(night, bar.to));
        let to = to.max(from + NARROWEST);
        let is_free = |lane: &Vec<(f64, f64, bool)>| lane.last().is_none_or(|(_, end, _)| *end + 4.0 <= from);
        let free = (0..LANES).map(|n| (turn + n) % LANES).find(|n| is_free(&lanes[*n]));
        let wanted = wanted(bar);
        match free {
            Some(lane) => {
                lanes[lane].push((from, to, wanted));
                turn = lane + 1;
            }
            None => {
                let same = |n: &usize| lanes[*n].last().is_some_and(|last| last.2 == wanted);
                let lane = (0..LANES).map(|n| (turn + n) % LANES).find(same);
                match lane.and_then(|lane| lanes[lane].last_mut()) {
                    Some(last) => last.1 = last.1.max(to),
                    None => lanes[turn % LANES].push((from, to, wanted)),
                }
                turn += 1;
            }
        }
    }
    let y = |lane: usize| TOP + LANE * lane as i64;
    let drawn = lanes.iter().enumerate().flat_map(|(n, lane)| lane.iter().map(move |bar| (n, bar)));
    drawn.filter(|(_, bar)| bar.2).map(|(lane, (from, to, _))| rectangle(*from, *to, y(lane), BAR)).collect()
}

#[cfg(test)]
mod tests;

//! Tonight, drawn here so that the page needs neither a script nor a style for it: a bar is as long as a run usually
//! takes. What it shows is said in a sentence and in a table too. Pure.

use chrono::{Duration, Timelike};
use chrono_tz::Tz;

use super::greeting::hour;
use crate::clock::Moment;
use crate::freezes::{self, Freeze};
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

/// A run that is to come.
struct Bar {
    from: Moment,
    to: Moment,
    /// Which of the plans it is of.
    plan: usize,
}

/// What is drawn of these schedules; `cut`: there are others.
pub fn draw(plans: &[Plan], night: Night, cut: bool, now: Moment, zone: Tz) -> Drawing {
    let clock = |at: Moment| at.in_zone(zone).format("%H:%M").to_string();
    let (mut bars, mut rows, mut often) = (Vec::new(), Vec::new(), Vec::new());
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
            bars.push(Bar { from: at, to: at.plus(usual), plan: n });
            rows.push(row(at, clock(at), clock(at.plus(usual))));
        }
    }
    bars.sort_by_key(|bar| (bar.from, bar.to));
    rows.sort_by_key(|row| row.at);
    let longest = longest(plans, &bars);
    let ready = bars.iter().map(|bar| bar.to).max();
    let more = match rows.len().saturating_sub(MOST_ROWS) {
        0 => String::new(),
        n => words::counted(n as i64, "other line", "other lines"),
    };
    rows.truncate(MOST_ROWS);
    let x = |at: Moment| place(night, at);
    Drawing {
        words: sentence(bars.len(), often.len(), ready.map(clock), cut),
        from: clock(night.from),
        to: clock(night.to),
        bars: lanes(&bars, night, |bar| Some(bar.plan) != longest),
        longest: lanes(&bars, night, |bar| Some(bar.plan) == longest),
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
    let mut shown: Vec<usize> = bars.iter().map(|bar| bar.plan).collect();
    shown.sort_unstable();
    shown.dedup();
    let known = shown.iter().filter(|n| plans[**n].usual.is_some_and(|usual| usual > SHORTEST));
    known.max_by_key(|n| plans[**n].usual).copied().filter(|_| shown.len() > 1)
}

fn sentence(count: usize, often: usize, ready: Option<String>, cut: bool) -> String {
    let often_words = match often {
        1 => "1 schedule that runs often".to_owned(),
        n => format!("{} schedules that run often", words::count(n as i64)),
    };
    let words = match ready {
        None if often == 0 => "Nothing is planned".to_owned(),
        None => format!("Nothing is planned except {often_words}"),
        Some(ready) => {
            let and = if often > 0 { format!(", plus {often_words}") } else { String::new() };
            format!("{} planned, done by about {ready}{and}", words::counted(count as i64, "run", "runs"))
        }
    };
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
mod tests {
    use super::*;
    use crate::schedules::RuleDraft;

    const PARIS: Tz = chrono_tz::Europe::Paris;

    fn at(text: &str) -> Moment {
        Moment::parse_rfc3339(text).unwrap()
    }

    fn rule(json: serde_json::Value) -> Rule {
        let mut map = json.as_object().unwrap().clone();
        map.insert("start_date".into(), "2026-10-01".into());
        map.insert("time_zone".into(), "Europe/Paris".into());
        RuleDraft::from_json(&map).parse().unwrap()
    }

    fn daily(time: &str) -> Rule {
        rule(serde_json::json!({ "repeat": "days", "start_time": time }))
    }

    fn plan<'a>(name: &str, rule: &'a Rule, now: Moment, usual: i64, freezes: &'a [Freeze]) -> Plan<'a> {
        Plan {
            name: name.to_owned(),
            application: "FP&A".into(),
            rule,
            next_at: first_at_or_after(rule, now).unwrap(),
            usual: (usual > 0).then(|| Duration::minutes(usual)),
            freezes,
        }
    }

    #[test]
    fn the_night_is_that_of_the_members_clock_and_as_long_as_it_is() {
        let night = |text| Night::of(at(text), PARIS);
        let usual = Night { from: at("2026-10-08T18:00:00Z"), to: at("2026-10-09T06:00:00Z") };
        assert_eq!(night("2026-10-08T06:00:00Z"), usual, "at 08:00 the next one");
        assert_eq!(night("2026-10-09T05:59:59Z"), usual);
        assert_eq!(night("2026-10-08T22:30:00Z"), usual);
        let hours = |text| (night(text).to.since(night(text).from)).num_hours();
        assert_eq!((hours("2026-10-24T12:00:00Z"), hours("2026-03-28T12:00:00Z")), (13, 11));
    }

    #[test]
    fn it_says_how_many_and_when_they_are_ready() {
        let now = at("2026-10-08T10:00:00Z");
        let (late, early, often) = (
            daily("05:00"),
            daily("20:30"),
            rule(serde_json::json!({ "repeat": "minutes", "every": 5, "start_time": "00:00" })),
        );
        let plans =
            [plan("Late", &late, now, 40, &[]), plan("Early", &early, now, 0, &[]), plan("Often", &often, now, 1, &[])];
        let night = Night::of(now, PARIS);
        let drawn = draw(&plans, night, false, now, PARIS);
        assert_eq!(drawn.words, "2 runs planned, done by about 05:40, plus 1 schedule that runs often");
        let rows: Vec<_> =
            drawn.rows.iter().map(|row| (row.starts.as_str(), row.name.as_str(), row.ends.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("20:00 to 07:55: every 5 minutes", "Often", "07:56"),
                ("20:30", "Early", "20:31"),
                ("05:00", "Late", "05:40")
            ]
        );
        assert_eq!(drawn.axis, ["20:00", "22:00", "00:00", "02:00", "04:00", "06:00", "08:00"]);
        assert_eq!(drawn.longest, "M750.0 22h55.6v9h-55.6z");
        assert_eq!((drawn.longest_name.as_deref(), drawn.now), (Some("Late"), None));
        // What has gone by is not to run.
        let now = at("2026-10-09T01:00:00Z");
        let drawn =
            draw(&[plan("Late", &late, now, 40, &[]), plan("Early", &early, now, 1, &[])], night, false, now, PARIS);
        assert_eq!(drawn.words, "1 run planned, done by about 05:40");
        assert!(drawn.now.is_some());
        assert_eq!(draw(&[], night, false, now, PARIS).words, "Nothing is planned");
    }

    #[test]
    fn what_is_frozen_is_said_and_not_counted() {
        let now = at("2026-10-08T10:00:00Z");
        let late = daily("05:00");
        let freezes = [Freeze {
            id: 1,
            application_id: 1,
            name: "Close".into(),
            starts_at: now,
            ends_at: at("2026-10-10T00:00:00Z"),
            run_once: false,
            version: 1,
            created_by: 1,
            created_at: now,
            archived_at: None,
            time_zone: PARIS,
        }];
        let drawn = draw(&[plan("Late", &late, now, 40, &freezes)], Night::of(now, PARIS), false, now, PARIS);
        assert_eq!(
            (drawn.words.as_str(), drawn.rows[0].ends.as_str()),
            ("Nothing is planned", "Skipped: frozen by “Close”")
        );
    }

    #[test]
    fn however_many_they_are_the_drawing_stays_small() {
        let now = at("2026-10-08T10:00:00Z");
        let rules: Vec<Rule> =
            (0..2_000).map(|n| daily(&format!("{:02}:{:02}", (20 + n / 60 % 12) % 24, n % 60))).collect();
        let plans: Vec<Plan> = rules.iter().map(|rule| plan("Many", rule, now, 3, &[])).collect();
        let drawn = draw(&plans, Night::of(now, PARIS), true, now, PARIS);
        assert!(drawn.words.starts_with("2,000 runs planned, done by about "), "{}", drawn.words);
        assert!(drawn.words.ends_with("; only the schedules that run first are counted"), "{}", drawn.words);
        assert!(drawn.bars.len() + drawn.longest.len() < 20_000, "{}", drawn.bars.len());
        assert_eq!((drawn.rows.len(), drawn.more.as_str()), (MOST_ROWS, "1,940 other lines"));
    }
}

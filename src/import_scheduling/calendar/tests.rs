//! The calendar's pure part: days whose clocks change, and that nothing is shown twice or not at all.

use chrono::{Duration, NaiveDate, Timelike};
use chrono_tz::Tz;
use proptest::prelude::*;

use super::fold::{self, Key, Plan, Tallies, Tally};
use super::frame::{Frame, View};
use crate::clock::Moment;
use crate::runs::RunStatus;
use crate::schedules::{Rule, RuleDraft, occurrences};

fn at(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

fn date(text: &str) -> NaiveDate {
    text.parse().unwrap()
}

fn frame(view: View, day: &str, zone: Tz) -> Frame {
    Frame::new(view, Some(date(day)), zone, at("2026-10-08T16:42:00Z"))
}

fn rule(json: &str) -> Rule {
    let serde_json::Value::Object(map) = serde_json::from_str(json).unwrap() else { panic!("an object") };
    RuleDraft::from_json(&map).parse().unwrap()
}

#[test]
fn weeks_begin_on_monday_and_months_are_whole_weeks() {
    let week = frame(View::Week, "2026-10-08", chrono_tz::Europe::Paris);
    assert_eq!((week.title().as_str(), week.days.len()), ("5 to 11 October 2026", 7));
    assert_eq!((week.from(), week.to()), (at("2026-10-04T22:00:00Z"), at("2026-10-11T22:00:00Z")));
    assert_eq!((week.previous(), week.next()), (Some(date("2026-10-01")), Some(date("2026-10-15"))));
    assert_eq!(frame(View::Week, "2026-09-28", chrono_tz::UTC).title(), "28 September to 4 October 2026");
    assert_eq!(frame(View::Week, "2026-12-31", chrono_tz::UTC).title(), "28 December 2026 to 3 January 2027");
    let month = frame(View::Month, "2026-10-31", chrono_tz::UTC);
    assert_eq!((month.title().as_str(), month.days.len()), ("October 2026", 35));
    assert_eq!((month.days[0].date, month.days[0].inside), (date("2026-09-28"), false));
    assert_eq!((month.previous(), month.next()), (Some(date("2026-09-01")), Some(date("2026-11-01"))));
    let day = frame(View::Day, "2026-10-08", chrono_tz::UTC);
    assert_eq!((day.title().as_str(), day.today()), ("Thursday 8 October 2026", Some(0)));
}

#[test]
fn dates_lie_in_1970_to_2099() {
    let paris = chrono_tz::Europe::Paris;
    for view in View::ALL {
        let first = frame(view, "1970-01-01", paris);
        assert_eq!((first.previous(), frame(view, "2099-12-31", paris).next()), (None, None), "{view:?}");
        assert_eq!(frame(view, "1066-10-14", paris).date, date("1970-01-01"));
        assert_eq!(frame(view, "9999-01-01", paris).date, date("2099-12-31"));
    }
}

/// What the header says on the nights on which clocks change, and around them.
#[test]
fn days_on_which_clocks_change_say_so() {
    for (zone, day, words) in [
        ("Europe/Paris", "2026-03-29", "23 hours: clocks go forward at 02:00"),
        ("Europe/Paris", "2026-10-25", "25 hours: clocks go back at 03:00"),
        ("America/New_York", "2026-03-08", "23 hours: clocks go forward at 02:00"),
        ("America/New_York", "2026-11-01", "25 hours: clocks go back at 02:00"),
        ("Australia/Lord_Howe", "2026-10-04", "23 h 30 min: clocks go forward at 02:00"),
        ("Australia/Lord_Howe", "2026-04-05", "24 h 30 min: clocks go back at 02:00"),
        ("Asia/Kathmandu", "1986-01-01", "23 h 45 min: clocks go forward at midnight"),
        ("Africa/Cairo", "2026-04-24", "23 hours: clocks go forward at midnight"),
        ("Africa/Cairo", "2026-10-29", "25 hours: clocks go back at midnight"),
        ("Pacific/Apia", "2011-12-30", "The calendar skips this day"),
    ] {
        let week = frame(View::Week, day, zone.parse().unwrap());
        for shown in &week.days {
            let wanted = (shown.date == date(day)).then(|| words.to_owned());
            assert_eq!(shown.clock_words(), wanted, "{zone} {}", shown.date);
        }
    }
}

/// An hour that comes twice is told apart; one that does not exist is marked.
#[test]
fn instants_are_labelled_by_the_clock_of_their_day() {
    let back = frame(View::Day, "2026-10-25", chrono_tz::Europe::Paris);
    assert_eq!(back.clock(at("2026-10-25T00:30:00Z")), "02:30 UTC+2");
    assert_eq!(back.clock(at("2026-10-25T01:30:00Z")), "02:30 UTC+1");
    assert_eq!(back.clock(at("2026-10-25T02:30:00Z")), "03:30");
    assert_eq!((back.hours(0).len(), back.lacks(0, 2)), (25, false));
    let forward = frame(View::Day, "2026-03-29", chrono_tz::Europe::Paris);
    assert_eq!(forward.clock(at("2026-03-29T01:00:00Z")), "03:00");
    assert_eq!((forward.hours(0).len(), forward.lacks(0, 2), forward.lacks(0, 3)), (23, true, false));
    // Half an hour of it is left.
    let half = frame(View::Day, "2026-10-04", chrono_tz::Australia::Lord_Howe);
    assert!(!half.lacks(0, 2));
    let cairo = frame(View::Day, "2026-04-24", chrono_tz::Africa::Cairo);
    assert_eq!((cairo.lacks(0, 0), cairo.hours(0)[0].0), (true, 1));
    let skipped = frame(View::Week, "2011-12-30", chrono_tz::Pacific::Apia);
    assert_eq!((skipped.hours(4).len(), skipped.days[4].from), (0, skipped.days[5].from));
}

/// Every minute of each named week lies in exactly one hour of one day, and that hour is what the clock there shows.
#[test]
fn every_minute_has_one_place() {
    for (zone, day) in [
        ("Europe/Paris", "2026-03-29"),
        ("Europe/Paris", "2026-10-25"),
        ("America/New_York", "2026-03-08"),
        ("America/New_York", "2026-11-01"),
        ("Australia/Lord_Howe", "2026-10-04"),
        ("Australia/Lord_Howe", "2026-04-05"),
        ("Asia/Kathmandu", "1986-01-01"),
        ("Africa/Cairo", "2026-04-24"),
        ("Africa/Cairo", "2026-10-29"),
        ("Pacific/Apia", "2011-12-30"),
    ] {
        let zone: Tz = zone.parse().unwrap();
        let week = frame(View::Week, day, zone);
        let mut minute = week.from();
        for (n, shown) in week.days.iter().enumerate() {
            for (hour, from, to) in week.hours(n) {
                assert_eq!(from, minute, "{zone}: the hours follow each other");
                assert!(from < to && to <= shown.to);
                while minute < to {
                    let local = minute.in_zone(zone);
                    assert_eq!((week.day_of(minute), local.hour(), local.date_naive()), (Some(n), hour, shown.date));
                    minute = minute.plus(Duration::minutes(1));
                }
            }
        }
        assert_eq!(minute, week.to());
        assert_eq!((week.day_of(week.to()), week.day_of(week.from().minus(Duration::microseconds(1)))), (None, None));
    }
}

#[test]
fn what_runs_often_is_a_band_cut_after_today_with_all_its_counts() {
    let week = frame(View::Week, "2026-10-08", chrono_tz::UTC);
    let five = rule(
        r#"{"repeat": "minutes", "every": 5, "start_date": "2026-10-01", "start_time": "00:00", "time_zone": "UTC"}"#,
    );
    let daily = rule(r#"{"repeat": "days", "start_date": "2026-10-01", "start_time": "06:00", "time_zone": "UTC"}"#);
    let now = at("2026-10-08T16:42:00Z");
    let plans = [
        Plan { schedule: 1, rule: &five, due: None, from: now },
        Plan { schedule: 2, rule: &daily, due: None, from: now },
    ];
    let mut tallies = Tallies::new(&week);
    let mut past = Tally::default();
    past.add(RunStatus::Success, 286);
    past.add(RunStatus::Failed, 2);
    for day in 0..3 {
        tallies.days_of(Key::Schedule(1))[day] = past.clone();
    }
    fold::count_plans(&week, &plans, &mut tallies);
    let folding = fold::fold(&week, &tallies, vec![false; week.days.len()]);
    assert_eq!(folding.keys, [Key::Schedule(1)].into());
    let bands = fold::bands(&week, &tallies, &folding);
    let days: Vec<_> = bands.iter().map(|band| (band.first, band.last, band.tally.words(band.first == 0))).collect();
    // 16:45 to 23:55 are 87, three days 864.
    assert_eq!(
        days,
        [(0, 3, "864 runs so far, 858 succeeded, 6 failed; 87 planned".to_owned()), (4, 6, "864 planned".to_owned())]
    );
    assert_eq!(bands[0].tally.shown_as(), Some(RunStatus::Failed));
}

fn rules() -> impl Strategy<Value = String> {
    let repeat = prop_oneof![
        (1_u32..12).prop_map(|n| format!(r#""repeat": "minutes", "every": {}"#, n * 5)),
        (1_u32..12).prop_map(|n| {
            let window = r#"{"weekdays": ["mon", "wed", "sun"], "from": "22:00", "to": "04:00"}"#;
            format!(r#""repeat": "minutes", "every": {}, "window": {window}"#, n * 5)
        }),
        Just(r#""repeat": "hours""#.to_owned()),
        prop::sample::select(vec![2, 3, 4, 6, 8, 12]).prop_map(|n| format!(r#""repeat": "hours", "every": {n}"#)),
        (1_u32..5).prop_map(|n| format!(r#""repeat": "days", "every": {n}"#)),
        Just(r#""repeat": "weeks", "weekdays": ["sun", "fri"]"#.to_owned()),
        Just(r#""repeat": "months", "days_of_month": [1, 24, "last"]"#.to_owned()),
        Just(r#""repeat": "once""#.to_owned()),
    ];
    (repeat, prop::sample::select(ZONES.to_vec()), 0_u32..24, prop::bool::ANY).prop_map(|(repeat, zone, hour, ends)| {
        let end = if ends && !repeat.contains("once") { r#""end_date": "2026-10-29", "# } else { "" };
        format!(r#"{{{repeat}, {end}"start_date": "2026-03-01", "start_time": "{hour:02}:30", "time_zone": "{zone}"}}"#)
    })
}

const ZONES: [&str; 6] =
    ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Africa/Cairo", "UTC"];
const NIGHTS: [&str; 8] =
    ["2026-03-01", "2026-03-08", "2026-03-29", "2026-04-05", "2026-04-24", "2026-10-04", "2026-10-25", "2026-11-01"];

proptest! {
    /// Each occurrence from now on that lies in the frame is shown once, or counted once in a band; by brute force.
    #[test]
    fn nothing_planned_is_lost_or_doubled(
        rules in prop::collection::vec(rules(), 1..5),
        zone in prop::sample::select(ZONES.to_vec()),
        night in prop::sample::select(NIGHTS.to_vec()),
        view in prop::sample::select(View::ALL.to_vec()),
        ahead in -40_i64..60,
    ) {
        let zone: Tz = zone.parse().unwrap();
        let frame = frame(view, night, zone);
        let now = frame.from().plus(Duration::hours(ahead)).plus(Duration::minutes(17));
        let rules: Vec<Rule> = rules.iter().map(|json| rule(json)).collect();
        let plans: Vec<Plan> = rules
            .iter()
            .enumerate()
            .map(|(n, rule)| Plan { schedule: n as i64, rule, due: None, from: now })
            .collect();
        let mut tallies = Tallies::new(&frame);
        fold::count_plans(&frame, &plans, &mut tallies);
        let folding = fold::fold(&frame, &tallies, vec![false; frame.days.len()]);
        let bands = fold::bands(&frame, &tallies, &folding);
        for plan in &plans {
            let key = Key::Schedule(plan.schedule);
            let before = Moment::from_micros(now.micros() - 1);
            let all: Vec<Moment> = occurrences(plan.rule, before)
                .skip_while(|at| *at < frame.from())
                .take_while(|at| *at < frame.to())
                .collect();
            if folding.keys.contains(&key) {
                let mut counted = 0;
                for band in bands.iter().filter(|band| band.key == key) {
                    let (from, to) = (frame.days[band.first].from, frame.days[band.last].to);
                    let inside = all.iter().filter(|at| from <= **at && **at < to).count() as i64;
                    prop_assert_eq!(band.tally.planned, inside);
                    counted += inside;
                }
                prop_assert_eq!(counted, all.len() as i64);
            } else {
                prop_assert_eq!(plan.instants(frame.from(), frame.to()).collect::<Vec<_>>(), all.clone());
                let most = (0..frame.days.len())
                    .map(|n| all.iter().filter(|at| frame.day_of(**at) == Some(n)).count())
                    .max();
                prop_assert!(most.unwrap_or(0) as i64 <= fold::often(view));
            }
        }
        // The bands of one schedule never overlap.
        for pair in bands.windows(2).filter(|pair| pair[0].key == pair[1].key) {
            prop_assert!(pair[0].last < pair[1].first);
        }
    }
}

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
    let drawn = draw(&plans, (&[], false), night, false, (now, PARIS));
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
    let drawn = draw(
        &[plan("Late", &late, now, 40, &[]), plan("Early", &early, now, 1, &[])],
        (&[], false),
        night,
        false,
        (now, PARIS),
    );
    assert_eq!(drawn.words, "1 run planned, done by about 05:40");
    assert!(drawn.now.is_some());
    assert_eq!(draw(&[], (&[], false), night, false, (now, PARIS)).words, "Nothing is planned");
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
    let drawn =
        draw(&[plan("Late", &late, now, 40, &freezes)], (&[], false), Night::of(now, PARIS), false, (now, PARIS));
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
    let drawn = draw(&plans, (&[], false), Night::of(now, PARIS), true, (now, PARIS));
    assert!(drawn.words.starts_with("2,000 runs planned, done by about "), "{}", drawn.words);
    assert!(drawn.words.ends_with("; only the schedules that run first are counted"), "{}", drawn.words);
    assert!(drawn.bars.len() + drawn.longest.len() < 20_000, "{}", drawn.bars.len());
    assert_eq!((drawn.rows.len(), drawn.more.as_str()), (MOST_ROWS, "1,940 other lines"));
}

#[test]
fn before_the_morning_it_shows_what_the_night_has_done() {
    let now = at("2026-10-09T05:30:00Z");
    let night = Night::of(now, PARIS);
    let ran = |schedule: i64, from: &str, minutes: i64, status| Ran {
        schedule,
        name: format!("Import {schedule}"),
        application: "FP&A".into(),
        from: at(from),
        to: at(from).plus(Duration::minutes(minutes)),
        status,
    };
    let mut all = vec![
        ran(1, "2026-10-08T18:30:00Z", 5, RunStatus::Success),
        ran(2, "2026-10-09T05:20:00Z", 10, RunStatus::Running),
    ];
    let drawn = draw(&[], (&all, false), night, false, (now, PARIS));
    assert_eq!(drawn.words, "2 runs so far; nothing more is planned");
    let rows: Vec<_> = drawn.rows.iter().map(|row| (row.starts.as_str(), row.ends.as_str())).collect();
    assert_eq!(rows, [("20:30", "20:35, Success"), ("07:20", "Running")]);
    assert!(!drawn.bars.is_empty() && drawn.now.is_some() && drawn.ready.is_none());
    // What runs often is one line, of what was as of what comes.
    all.extend((0..8).map(|n| ran(3, &format!("2026-10-08T2{}:{:02}:00Z", n / 6, n % 6 * 10), 1, RunStatus::Success)));
    let late = daily("07:40");
    let drawn = draw(&[plan("Late", &late, now, 10, &[])], (&all, false), night, false, (now, PARIS));
    assert_eq!(drawn.words, "10 runs so far; 1 more planned, done by about 07:50");
    assert!(drawn.rows.iter().any(|row| row.ends == "8 runs" && row.starts == "22:00 to 23:10"));
}

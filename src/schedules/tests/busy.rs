//! The hours of the days to come, by hand: what is busy, what is gone, what a clock change does.

use chrono::Duration;
use chrono_tz::Tz;
use serde_json::json;

use super::{at, rule_in};
use crate::schedules::Rule;
use crate::schedules::busy::{Day, Quietest, busy, quietest};

const PARIS: Tz = chrono_tz::Europe::Paris;

fn days(others: &[(Rule, i64)], own: Option<(Rule, i64)>, now: &str) -> Vec<Day> {
    let lasting = |(rule, minutes): &(Rule, i64)| (*rule, Duration::minutes(*minutes));
    let others: Vec<(Rule, Duration)> = others.iter().map(lasting).collect();
    let own = own.as_ref().map(lasting);
    busy(PARIS, others.iter().map(|(r, d)| (r, *d)), own.as_ref().map(|(r, d)| (r, *d)), at(now))
}

fn daily(time: &str) -> Rule {
    rule_in("Europe/Paris", &format!("2026-10-01 {time}"), json!({"repeat": "days"}))
}

#[test]
fn as_long_as_it_usually_takes() {
    let days = days(&[(daily("02:30"), 90), (daily("03:40"), 30)], Some((daily("23:50"), 20)), "2026-10-08T16:42:00Z");
    assert_eq!((days.len(), days[0].date.to_string()), (7, "2026-10-08".into()));
    let hours = &days[1].hours;
    assert_eq!([1, 2, 3, 4].map(|h: usize| hours[h].busy), [0, 30, 60, 10], "two at once are counted once");
    assert_eq!([22, 23].map(|h: usize| hours[h].own), [0, 10]);
    assert_eq!(hours[0].own, 10, "what began the day before goes on");
    assert!(hours.iter().all(|h| h.minutes == 60 && !h.gone));
    let today: Vec<bool> = days[0].hours.iter().map(|h| h.gone).collect();
    assert!(today[..18].iter().all(|gone| *gone) && !today[18..].iter().any(|gone| *gone), "it is 18:42 in Paris");
}

#[test]
fn a_day_has_the_hours_that_it_has() {
    let every_quarter = rule_in("Europe/Paris", "2026-10-01 00:00", json!({"repeat": "minutes", "every": 15}));
    let back = days(&[(every_quarter, 1)], None, "2026-10-24T10:00:00Z");
    assert_eq!((back[1].date.to_string(), back[1].hours[2].minutes), ("2026-10-25".into(), 120));
    assert_eq!((back[1].hours[2].busy, back[1].hours[3].busy), (8, 4));
    let forward = days(&[(every_quarter, 1)], None, "2027-03-27T10:00:00Z");
    assert_eq!((forward[1].hours[2].minutes, forward[1].hours[2].busy), (0, 0));
    assert_eq!((forward[1].hours[3].busy, forward[1].hours[2].gone), (4, false));
}

#[test]
fn the_longest_stretch_that_is_free_every_day_is_the_quietest() {
    let now = "2026-10-08T16:42:00Z";
    assert_eq!(quietest(&days(&[], Some((daily("02:00"), 60)), now)), Quietest::All, "its own does not count");
    let two = [(daily("01:30"), 1), (daily("06:00"), 600)];
    assert_eq!(quietest(&days(&two, None, now)), Quietest::Free { from: 16, to: 1 }, "over midnight");
    let night = [(daily("05:00"), 1_200)];
    assert_eq!(quietest(&days(&night, None, now)), Quietest::Free { from: 1, to: 5 });
    let to_midnight = [(daily("00:00"), 1_200)];
    assert_eq!(quietest(&days(&to_midnight, None, now)), Quietest::Free { from: 20, to: 24 });
    let tonight = rule_in("Europe/Paris", "2026-10-08 22:00", json!({"repeat": "once"}));
    assert_eq!(quietest(&days(&[(tonight, 1)], None, now)), Quietest::Free { from: 23, to: 22 }, "today counts too");
    let this_morning = rule_in("Europe/Paris", "2026-10-08 08:00", json!({"repeat": "once"}));
    assert_eq!(quietest(&days(&[(this_morning, 1)], None, now)), Quietest::All, "what is gone does not");
    let hourly = rule_in("Europe/Paris", "2026-10-01 00:00", json!({"repeat": "hours"}));
    let all = [(hourly, 2), (daily("05:30"), 1_350)];
    assert_eq!(quietest(&days(&all, None, now)), Quietest::Least { from: 4, to: 5, minutes: 2 });
}

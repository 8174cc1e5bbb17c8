//! What a promise is worth at a moment.

use super::*;
use crate::imports::Target;
use crate::promises::ReadyForm;

fn moment(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap()
}

/// In October 2026, in UTC.
fn at(text: &str) -> Moment {
    moment(&format!("2026-10-{text}:00Z"))
}

fn rule(time: &str) -> Rule {
    let days = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map(str::to_owned).to_vec();
    ReadyForm { weekdays: days, time: time.into(), time_zone: "Europe/Paris".into() }.parse().unwrap()
}

/// By 08:00 in Paris every day, saved at that moment.
fn promise(saved: Moment) -> Promise {
    let rule = rule("08:00");
    Promise {
        id: 1,
        application_id: 1,
        target: Target::Configuration(1),
        memory: Memory::begun(&rule, saved),
        rule,
        version: 1,
        updated_at: saved,
        copied: false,
    }
}

fn good(ended: &str) -> Option<Good> {
    Some(Good { run_id: 1, at: at(ended), partial: false, planned_at: Some(at(ended).minus(Duration::minutes(5))) })
}

fn planned(starts: &str, ends: &str) -> Option<Planned> {
    Some(Planned { at: at(starts), ends: at(ends) })
}

/// What the next look finds, and what it tells.
fn look(promise: &mut Promise, known: Known<'_>, now: &str) -> (State, Vec<Turn>) {
    let judged = judge(promise, &known, at(now));
    promise.memory = judged.memory;
    (judged.standing.state, judged.turns)
}

#[test]
fn what_was_loaded_before_it_was_promised_counts() {
    let mut promise = promise(at("05T05:50"));
    assert_eq!(promise.memory.deadline, Some(at("05T06:00")));
    let known = || Known { good: good("05T00:30"), ..Known::default() };
    assert_eq!(look(&mut promise, known(), "05T05:51"), (State::Fresh, vec![]));
    // The deadline passes, and the next is the one of tomorrow.
    assert_eq!(look(&mut promise, known(), "05T06:01"), (State::Fresh, vec![]));
    assert_eq!((promise.memory.deadline, promise.memory.counts_from), (Some(at("06T06:00")), at("05T06:00")));
}

#[test]
fn a_run_in_time_for_one_deadline_is_no_answer_to_a_later_one() {
    let mut promise = promise(at("05T06:10"));
    // Loaded on the evening of the 5th; then nothing ran and nobody looked until noon of the 7th.
    let loaded = Known { good: good("05T20:05"), ..Known::default() };
    assert_eq!(look(&mut promise, loaded, "07T10:00"), (State::Fresh, vec![]));
    assert_eq!((promise.memory.settled, promise.memory.counts_from), (at("06T06:00"), at("06T06:00")));
    let late = vec![Turn::Late { deadline: at("07T06:00") }];
    assert_eq!(look(&mut promise, Known::default(), "07T10:00"), (State::Late, late));
}

#[test]
fn a_deadline_before_it_was_saved_is_nobodys() {
    let mut promise = promise(at("05T06:10"));
    assert_eq!(look(&mut promise, Known::default(), "05T06:11"), (State::Fresh, vec![]));
    assert_eq!(promise.memory.deadline, Some(at("06T06:00")));
}

#[test]
fn it_is_at_risk_once_nothing_can_be_ready_in_time() {
    let risk = vec![Turn::AtRisk { deadline: at("05T06:00") }];
    let cases = [
        ("planned in time", Known { planned: planned("05T05:00", "05T05:10"), ..Known::default() }, "05T03:00", false),
        ("planned too late", Known { planned: planned("05T05:50", "05T06:10"), ..Known::default() }, "04T12:00", true),
        ("planned after it", Known { planned: planned("05T07:00", "05T07:10"), ..Known::default() }, "04T12:00", true),
        ("runs in time", Known { going: Some(at("05T05:59")), ..Known::default() }, "05T05:00", false),
        ("runs too long", Known { going: Some(at("05T06:20")), ..Known::default() }, "05T05:00", true),
        ("failed, nothing planned", Known { failed: true, ..Known::default() }, "04T12:00", true),
        (
            "failed, planned in time",
            Known { failed: true, planned: planned("05T05:00", "05T05:10"), ..Known::default() },
            "04T12:00",
            false,
        ),
        ("nothing planned, far ahead", Known::default(), "05T01:59", false),
        ("nothing planned, near", Known::default(), "05T02:00", true),
    ];
    for (case, known, now, risky) in cases {
        let mut promise = promise(at("04T10:00"));
        let wanted = if risky { (State::AtRisk, risk.clone()) } else { (State::Fresh, vec![]) };
        assert_eq!(look(&mut promise, known.clone(), now), wanted, "{case}");
        assert_eq!(look(&mut promise, known, now), (wanted.0, vec![]), "{case}: once");
    }
}

#[test]
fn what_was_at_risk_and_is_ready_in_time_is_told() {
    let deadline = at("05T06:00");
    let in_time = |at: &str| vec![Turn::InTime { deadline, ready: good(at).unwrap().into() }];
    for (now, passed) in [("05T05:21", false), ("05T06:00", true)] {
        let mut promise = promise(at("04T10:00"));
        let failed = Known { failed: true, ..Known::default() };
        assert_eq!(look(&mut promise, failed, "05T05:00").1, [Turn::AtRisk { deadline }]);
        let known = || Known { good: good("05T05:20"), ..Known::default() };
        // On the way it runs, and nothing is feared any more.
        let runs = Known { going: Some(at("05T05:30")), ..Known::default() };
        assert_eq!(look(&mut promise, runs, "05T05:10"), (State::Fresh, vec![]));
        assert_eq!(look(&mut promise, known(), now), (State::Fresh, in_time("05T05:20")), "passed: {passed}");
        assert_eq!(look(&mut promise, known(), "05T06:01"), (State::Fresh, vec![]), "once");
    }
}

#[test]
fn what_makes_up_for_a_missed_one_is_not_the_next_ones() {
    let mut promise = promise(at("04T10:00"));
    let late = vec![Turn::Late { deadline: at("05T06:00") }];
    assert_eq!(look(&mut promise, Known { failed: true, ..Known::default() }, "05T06:00"), (State::Late, late));
    assert_eq!(look(&mut promise, Known { failed: true, ..Known::default() }, "05T06:20"), (State::Late, vec![]));
    // Run again: it is the run of that morning, at 08:25.
    let again = Good { run_id: 2, at: at("05T06:25"), partial: true, planned_at: Some(at("05T05:00")) };
    let (state, turns) = look(&mut promise, Known { good: Some(again), ..Known::default() }, "05T06:26");
    assert_eq!((state, turns), (State::Fresh, vec![Turn::Ready { due: at("05T06:00"), ready: again.into() }]));
    assert_eq!((promise.memory.counts_from, promise.memory.late_since), (at("05T06:25"), None));
    // Nothing comes after it, so the next morning is late too.
    assert_eq!(look(&mut promise, Known::default(), "06T06:01").0, State::Late);
    // The run of the day after makes up for that, and counts for its own day.
    let (state, turns) = look(&mut promise, Known { good: good("07T05:10"), ..Known::default() }, "07T05:11");
    assert_eq!((state, turns.len(), promise.memory.counts_from), (State::Fresh, 1, at("06T06:00")));
    assert!(matches!(turns[0], Turn::Ready { due, .. } if due == at("06T06:00")));
    assert_eq!(look(&mut promise, Known { good: good("07T05:10"), ..Known::default() }, "07T06:01").0, State::Fresh);
}

#[test]
fn each_morning_that_is_late_is_told_and_the_first_is_remembered() {
    let mut promise = promise(at("04T10:00"));
    for day in ["05", "06", "07"] {
        let (state, turns) = look(&mut promise, Known::default(), &format!("{day}T06:00"));
        assert_eq!((state, turns), (State::Late, vec![Turn::Late { deadline: at(&format!("{day}T06:00")) }]));
    }
    assert_eq!(promise.memory.late_since, Some(at("05T06:00")));
}

#[test]
fn what_turned_while_nobody_looked_is_told_while_it_is_news() {
    // It was late for twenty minutes, and is ready.
    let mut one = promise(at("04T10:00"));
    let (state, turns) = look(&mut one, Known { good: good("05T06:20"), ..Known::default() }, "05T07:00");
    assert_eq!((state, turns.len()), (State::Fresh, 1));
    // Two days later nobody wants to know.
    let mut old = promise(at("04T10:00"));
    let known = Known { good: good("05T06:20"), planned: planned("08T05:00", "08T05:10"), ..Known::default() };
    let looked = look(&mut old, known, "07T12:00");
    assert_eq!(looked, (State::Fresh, vec![]));
    // A weekly one that was missed four days ago is late, and no news.
    let mut weekly = promise(at("01T10:00"));
    weekly.rule = ReadyForm { weekdays: vec!["mon".into()], time: "08:00".into(), time_zone: "Europe/Paris".into() }
        .parse()
        .unwrap();
    assert_eq!(look(&mut weekly, Known::default(), "09T12:00"), (State::Late, vec![]));
}

#[test]
fn a_freeze_lets_it_rest() {
    let freeze = Freeze {
        id: 1,
        application_id: 1,
        name: "Close".into(),
        starts_at: at("05T04:00"),
        ends_at: at("05T12:00"),
        run_once: false,
        version: 1,
        created_by: 1,
        created_at: at("01T00:00"),
        archived_at: None,
        time_zone: chrono_tz::Europe::Paris,
    };
    let known = || Known { failed: true, freezes: std::slice::from_ref(&freeze), ..Known::default() };
    let mut promise = promise(at("04T10:00"));
    assert_eq!(look(&mut promise, known(), "05T05:00"), (State::Resting, vec![]));
    let tomorrow = Known { planned: planned("06T05:00", "06T05:10"), ..known() };
    assert_eq!(look(&mut promise, tomorrow, "05T07:00"), (State::Fresh, vec![]));
    assert_eq!((promise.memory.deadline, promise.memory.late_since), (Some(at("06T06:00")), None));
    // One that was late before stays so, and is not told again.
    let mut late = super::tests::promise(at("03T10:00"));
    assert_eq!(look(&mut late, known(), "04T07:00").0, State::Late);
    assert_eq!(look(&mut late, known(), "05T07:00"), (State::Late, vec![]));
    assert_eq!(late.memory.deadline, Some(at("04T06:00")));
}

#[test]
fn deadlines_go_by_the_wall_clock() {
    let by = |time: &str, now: &str| next_after(&rule(time), moment(now)).unwrap().rfc3339();
    // Summer time ends on 25 October: 02:30 happens twice, and the first counts.
    assert_eq!(by("02:30", "2026-10-24T12:00:00Z"), "2026-10-25T00:30:00Z");
    assert_eq!(by("02:30", "2026-10-25T00:30:00Z"), "2026-10-26T01:30:00Z");
    assert_eq!(by("08:00", "2026-10-24T12:00:00Z"), "2026-10-25T07:00:00Z");
    // It begins on 29 March: 02:30 does not exist, and becomes 03:30.
    assert_eq!(by("02:30", "2026-03-28T12:00:00Z"), "2026-03-29T01:30:00Z");
    assert_eq!(by("02:30", "2026-03-29T01:30:00Z"), "2026-03-30T00:30:00Z");
}

#[test]
fn what_was_deleted_rests_and_a_clock_that_was_set_back_undoes_nothing() {
    let mut one = promise(at("04T10:00"));
    assert_eq!(look(&mut one, Known { deleted: true, ..Known::default() }, "05T07:00"), (State::Resting, vec![]));
    let mut back = promise(at("04T10:00"));
    assert_eq!(look(&mut back, Known::default(), "05T06:00").0, State::Late);
    let (state, _) =
        look(&mut back, Known { planned: planned("05T05:00", "05T05:10"), ..Known::default() }, "05T04:00");
    assert_eq!((state, back.memory.late_since), (State::Fresh, None));
}

#[test]
fn what_came_with_a_copy_rests_until_something_is_on() {
    let mut promise = promise(at("05T05:50"));
    let resting = || Known { copied: true, ..Known::default() };
    assert_eq!(look(&mut promise, resting(), "05T05:55"), (State::Resting, vec![]));
    let memory = promise.memory.clone();
    assert_eq!(look(&mut promise, resting(), "05T05:56"), (State::Resting, vec![]));
    assert_eq!(promise.memory, memory, "nothing is written for nothing");
    assert_eq!(look(&mut promise, resting(), "06T09:00"), (State::Resting, vec![]));
    // Deadlines from before are not missed once it is on.
    let on = || Known { planned: planned("07T03:00", "07T03:10"), ..Known::default() };
    assert_eq!(look(&mut promise, on(), "06T09:01").0, State::Fresh);
}

use serde_json::{Map, Value, json};

use super::{at, rule, rule_in};
use crate::error::FieldErrors;
use crate::schedules::{Repeat, Rule, RuleDraft, RuleForm};

fn errors(json: Value) -> FieldErrors {
    RuleDraft::from_json(json.as_object().unwrap()).parse().expect_err("was taken")
}

/// A daily rule with other fields laid over it.
fn with(fields: Value) -> Value {
    let mut map = rule_in("Europe/Paris", "2026-10-11 02:30", json!({"repeat": "days"})).to_map();
    map.extend(fields.as_object().unwrap().clone());
    Value::Object(map)
}

/// The only field that is wrong, and why.
fn wrong(fields: Value) -> (String, String) {
    let errors = errors(with(fields));
    assert_eq!(errors.0.len(), 1, "{errors}");
    (errors.0[0].field.clone(), errors.0[0].detail.clone())
}

#[test]
fn a_rule_reads_its_own_json() {
    let window = json!({"weekdays": ["fri", "mon"], "from": "22:00", "to": "06:00"});
    let kinds = [
        json!({"repeat": "once"}),
        json!({"repeat": "minutes", "every": 15, "window": window}),
        json!({"repeat": "minutes", "every": 5, "window": {}}),
        json!({"repeat": "hours", "every": 6, "window": {"from": "07:00"}, "end_date": "2030-01-01"}),
        json!({"repeat": "days", "every": 366}),
        json!({"repeat": "weeks", "weekdays": ["sun", "mon"], "end_date": "2026-10-11"}),
        json!({"repeat": "months", "days_of_month": [31, 1, "last"]}),
        json!({"repeat": "months", "days_of_month": [1], "months": [12, 1]}),
    ];
    for fields in kinds {
        let rule = rule_in("Asia/Kathmandu", "2026-10-11 02:30", fields);
        let text = serde_json::to_string(&rule).unwrap();
        assert_eq!(serde_json::from_str::<Rule>(&text).unwrap(), rule);
        assert_eq!(RuleForm::from_rule(&rule).draft().parse().map(|r| r.to_map()).unwrap().len(), 10);
    }
}

#[test]
fn the_json_is_that_of_the_contract() {
    let fields = json!({"repeat": "months", "days_of_month": ["last", 15, 1], "months": [4, 1]});
    let rule = rule_in("Europe/Paris", "2026-10-11 02:30", fields);
    assert_eq!(
        Value::Object(rule.to_map()),
        json!({
            "repeat": "months", "every": null, "weekdays": null, "months": [1, 4], "days_of_month": [1, 15, "last"],
            "window": null, "start_date": "2026-10-11", "start_time": "02:30", "time_zone": "Europe/Paris",
            "end_date": null,
        })
    );
    let window = json!({"weekdays": ["fri", "mon"], "from": "07:00", "to": "19:00"});
    let rule = rule_in("UTC", "2026-10-11 02:30", json!({"repeat": "minutes", "every": 15, "window": window}));
    assert_eq!(rule.to_map()["window"], json!({"weekdays": ["mon", "fri"], "from": "07:00", "to": "19:00"}));
}

#[test]
fn every_is_one_unless_said_and_must_be_said_for_minutes() {
    assert_eq!(*rule(with(json!({"every": null}))).repeat(), Repeat::Days { every: 1 });
    assert_eq!(wrong(json!({"repeat": "minutes", "every": null})).0, "every");
}

#[test]
fn every_out_of_range_says_what_fits() {
    for (repeat, list) in [
        ("minutes", vec![json!(0), json!(7), json!(60), json!("15"), json!(15.5)]),
        ("hours", vec![json!(0), json!(5), json!(24)]),
        ("days", vec![json!(0), json!(367), json!(-1), json!(1e300)]),
        ("weeks", vec![json!(0), json!(53)]),
    ] {
        for every in list {
            let weekdays = if repeat == "weeks" { json!(["mon"]) } else { Value::Null };
            let (field, detail) = wrong(json!({"repeat": repeat, "every": every, "weekdays": weekdays}));
            assert_eq!(field, "every");
            assert!(detail.contains("use "), "{detail}");
        }
    }
}

#[test]
fn foreign_fields_are_refused_by_name() {
    let list = [
        ("once", "every", json!(1)),
        ("once", "end_date", json!("2027-01-01")),
        ("once", "window", json!({})),
        ("minutes", "weekdays", json!(["mon"])),
        ("hours", "months", json!([1])),
        ("days", "window", json!({})),
        ("weeks", "days_of_month", json!([1])),
        ("months", "every", json!(1)),
    ];
    for (repeat, field, value) in list {
        let mut fields = json!({"repeat": repeat, "every": null});
        match repeat {
            "minutes" => fields["every"] = json!(5),
            "weeks" => fields["weekdays"] = json!(["mon"]),
            "months" => fields["days_of_month"] = json!([1]),
            _ => {}
        }
        fields[field] = value;
        assert_eq!(wrong(fields).0, field, "{repeat}");
    }
    assert_eq!(wrong(json!({"repeat": "once", "every": 2})).1, "Once has no every: leave it out.");
}

#[test]
fn sets_are_not_empty_and_hold_what_there_is() {
    for weekdays in [Value::Null, json!([]), json!(["monday"]), json!("mon"), json!([1])] {
        assert_eq!(wrong(json!({"repeat": "weeks", "weekdays": weekdays})).0, "weekdays");
    }
    for days in [Value::Null, json!([]), json!([0]), json!([32]), json!(["first"]), json!(15)] {
        assert_eq!(wrong(json!({"repeat": "months", "every": null, "days_of_month": days})).0, "days_of_month");
    }
    for months in [json!([]), json!([13]), json!(["jan"]), json!([0])] {
        let fields = json!({"repeat": "months", "every": null, "days_of_month": [1], "months": months});
        assert_eq!(wrong(fields).0, "months");
    }
}

#[test]
fn windows_that_are_empty_or_nonsense() {
    let window = |w: Value| wrong(json!({"repeat": "hours", "window": w})).0;
    assert_eq!(window(json!({"from": "07:00", "to": "07:00"})), "window.to");
    assert_eq!(window(json!({"to": "00:00"})), "window.to");
    assert_eq!(window(json!({"from": "7:00"})), "window.from");
    assert_eq!(window(json!({"from": "24:00"})), "window.from");
    assert_eq!(window(json!({"weekdays": []})), "window.weekdays");
    assert_eq!(window(json!({"days": ["mon"]})), "window.days");
    assert_eq!(window(json!("07:00-19:00")), "window");
}

#[test]
fn dates_times_and_zones() {
    for date in ["2026-2-30", "2026-02-30", "1969-12-31", "2100-01-01", "11/10/2026", "", "12026-01-01"] {
        assert_eq!(wrong(json!({"start_date": date})).0, "start_date", "{date}");
        if !date.is_empty() {
            assert_eq!(wrong(json!({"end_date": date})).0, "end_date", "{date}");
        }
    }
    assert_eq!(rule(with(json!({"end_date": ""}))).end_date(), None, "a blank end is Forever");
    let to_the_end = json!({"repeat": "hours", "window": {"from": "07:00", "to": "24:00"}});
    assert_eq!(rule(with(to_the_end)).repeat().window().unwrap().to, None);
    for time in ["25:00", "2:30", "02:30:00", "noon", "02:60"] {
        let (field, detail) = wrong(json!({"start_time": time}));
        assert_eq!(field, "start_time");
        assert!(detail.contains("is not a time"));
    }
    for zone in ["Europe/Pari", "CEST", "+02:00", ""] {
        assert_eq!(wrong(json!({"time_zone": zone})).0, "time_zone", "{zone}");
    }
    assert_eq!(
        wrong(json!({"start_date": "2100-01-01"})).1,
        "2100-01-01 is out of range: use a date from 1970 to 2099."
    );
    let (field, detail) = wrong(json!({"end_date": "2026-10-10"}));
    assert_eq!(
        (field.as_str(), detail.as_str()),
        ("end_date", "The end date, 10 Oct 2026, is before the start date, 11 Oct 2026.")
    );
}

#[test]
fn all_that_is_wrong_is_said_at_once_in_the_order_of_the_form() {
    let errors = errors(json!({
        "repeat": "weeks", "every": 99, "weekdays": [], "months": [1],
        "start_date": "soon", "start_time": "noon", "time_zone": "Mars", "end_date": 5,
    }));
    let fields: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["months", "every", "weekdays", "start_date", "start_time", "time_zone", "end_date"]);
    let nothing = RuleDraft::from_json(&Map::new()).parse().unwrap_err();
    assert_eq!(nothing.0.len(), 4);
}

#[test]
fn a_long_wrong_value_is_cut() {
    let (_, detail) = wrong(json!({"time_zone": "x\n".repeat(10_000)}));
    assert!(detail.len() < 200 && !detail.contains('\n'));
}

fn pairs(text: &str) -> Vec<(String, String)> {
    text.split('&').filter_map(|p| p.split_once('=')).map(|(a, b)| (a.to_owned(), b.to_owned())).collect()
}

const WHOLE_FORM: &str = "every_minutes=7&every_hours=1&every_days=&every_weeks=2&weekdays=mon&weekdays=thu&months=13&\
    days_of_month=1&days_of_month=last&window_on=on&window_weekdays=sat&window_from=07:00&window_to=19:00&\
    start_date=2026-10-11&start_time=02:30&time_zone=Europe/Paris&ends=on&end_date=2027-01-01&csrf=x&repeat=";

#[test]
fn a_form_takes_only_the_controls_of_the_chosen_repeat() {
    let chosen = |repeat: &str| RuleForm::from_pairs(&pairs(&format!("{WHOLE_FORM}{repeat}"))).draft().parse();
    let once = chosen("once").unwrap();
    assert_eq!((once.is_once(), once.end_date()), (true, None));
    let hours = chosen("hours").unwrap();
    assert_eq!(hours.to_map()["window"], json!({"weekdays": ["sat"], "from": "07:00", "to": "19:00"}));
    assert_eq!(*chosen("days").unwrap().repeat(), Repeat::Days { every: 1 });
    assert_eq!(chosen("weeks").unwrap().to_map()["weekdays"], json!(["mon", "thu"]));
    assert_eq!(chosen("weeks").unwrap().to_map()["end_date"], json!("2027-01-01"));
    // A wrong control of the chosen repeat is named as the control is.
    assert_eq!(chosen("minutes").unwrap_err().0[0].field, "every_minutes");
    assert_eq!(chosen("months").unwrap_err().0[0].field, "months");
    assert_eq!(chosen("").unwrap_err().0[0].field, "repeat");
}

#[test]
fn a_form_names_the_window_by_its_controls() {
    let form =
        format!("{WHOLE_FORM}hours").replace("window_to=19:00", "window_to=7pm").replace("window_weekdays=sat&", "");
    let errors = RuleForm::from_pairs(&pairs(&form)).draft().parse().unwrap_err();
    let fields: Vec<&str> = errors.0.iter().map(|e| e.field.as_str()).collect();
    assert_eq!(fields, ["window_weekdays", "window_to"]);
    let off = form.replace("window_on=on&", "");
    assert!(RuleForm::from_pairs(&pairs(&off)).draft().parse().unwrap().repeat().window().is_none());
}

#[test]
fn forever_or_blank_never_ends() {
    for ends in ["ends=forever&end_date=2027-01-01", "ends=on&end_date="] {
        let form = format!("{WHOLE_FORM}days").replace("ends=on&end_date=2027-01-01", ends);
        assert_eq!(RuleForm::from_pairs(&pairs(&form)).draft().parse().unwrap().end_date(), None);
    }
}

#[test]
fn the_edit_dialog_shows_a_rule_and_sends_it_back_unchanged() {
    let kinds = [
        json!({"repeat": "once"}),
        json!({"repeat": "minutes", "every": 15, "window": {"weekdays": ["mon"], "from": "22:00", "to": "06:00"}}),
        json!({"repeat": "hours", "every": 6, "end_date": "2030-01-01"}),
        json!({"repeat": "days", "every": 366}),
        json!({"repeat": "weeks", "every": 2, "weekdays": ["sun", "mon"]}),
        json!({"repeat": "months", "days_of_month": [31, 1, "last"], "months": [2, 12]}),
        json!({"repeat": "months", "days_of_month": ["last"]}),
    ];
    for fields in kinds {
        let rule = rule_in("Europe/Paris", "2026-10-11 02:30", fields);
        let form = RuleForm::from_rule(&rule);
        assert_eq!(form.draft().parse().unwrap(), rule);
    }
}

#[test]
fn a_rule_without_a_future_is_refused_at_the_field_to_blame() {
    let now = at("2026-10-11T12:00:00Z");
    let field = |start: &str, fields: Value| {
        let refused = rule_in("Europe/Paris", start, fields).check_future(now);
        refused.err().map(|errors| errors.0[0].field.clone())
    };
    assert_eq!(field("2026-10-11 14:00", json!({"repeat": "once"})), None);
    assert_eq!(field("2026-10-11 13:59", json!({"repeat": "once"})).as_deref(), Some("start_time"));
    assert_eq!(field("2026-10-10 23:00", json!({"repeat": "once"})).as_deref(), Some("start_date"));
    assert_eq!(field("2020-01-01 13:59", json!({"repeat": "days"})), None);
    let ended = json!({"repeat": "days", "end_date": "2026-10-10"});
    assert_eq!(field("2020-01-01 13:59", ended).as_deref(), Some("end_date"));
    let never = json!({"repeat": "weeks", "weekdays": ["mon"], "end_date": "2026-10-18"});
    assert_eq!(field("2026-10-13 13:59", never).as_deref(), Some("end_date"));
    let shut = json!({"repeat": "hours", "every": 12, "window": {"from": "05:00", "to": "06:00"}});
    assert_eq!(field("2026-10-13 13:59", shut).as_deref(), Some("window"));
    let late = json!({"repeat": "weeks", "weekdays": ["mon"]});
    assert_eq!(field("2099-12-31 13:59", late).as_deref(), Some("start_date"));
}

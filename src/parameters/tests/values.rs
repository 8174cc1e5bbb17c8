//! Values by the door: what is taken, what is refused, what is never shown.

use base64::Engine;
use chrono::NaiveDate;
use serde_json::{Value, json};

use crate::error::FieldErrors;
use crate::parameters::{
    Parameter, ParameterType, Target, Values, accept, check, mask, resolve, same, seal_anew, unmask,
};
use crate::secrets::Secrets;

pub fn parameter(name: &str, kind: &str) -> Parameter {
    Parameter {
        name: name.to_owned(),
        parameter_type: ParameterType::parse(kind).unwrap(),
        label: String::new(),
        required: false,
        default: None,
        choices: Vec::new(),
        is_file: false,
    }
}

pub fn secrets() -> Secrets {
    Secrets::from_base64(&base64::engine::general_purpose::STANDARD.encode([7; 32])).unwrap()
}

fn declared() -> Vec<Parameter> {
    let groups = ["Hourly", "Seasonal", "Interns"].map(str::to_owned).to_vec();
    vec![
        parameter("text", "text"),
        parameter("n", "number"),
        Parameter { required: true, default: Some(json!("start of last month")), ..parameter("from", "date") },
        Parameter {
            required: true,
            label: "Employee groups".into(),
            choices: groups,
            ..parameter("groups", "choices")
        },
        parameter("token", "secret"),
    ]
}

fn take(given: Value, kept: Option<&Value>) -> Result<Value, FieldErrors> {
    let (parameters, mut errors) = (declared(), FieldErrors::new());
    let target =
        Target { configuration_id: 7, name: "Sales", parameters: &parameters, leads: "0", query: Some("SELECT 1") };
    let taken = accept(&target, &secrets(), Some(&given), kept, "parameters", &mut errors).unwrap();
    errors.ok_or(taken.unwrap_or_default())
}

#[test]
fn what_does_not_fit_is_refused_at_its_name() {
    let errors =
        take(json!({"text": 1, "n": "1", "from": "soon", "groups": ["Nobody"], "country": "FR", "token": 5}), None);
    let errors = errors.unwrap_err();
    for (field, words) in [
        ("parameters.country", "Sales declares no parameter \"country\"."),
        ("parameters.text", "Send text."),
        ("parameters.n", "Send a number."),
        ("parameters.from", "is not a date"),
        ("parameters.groups", "Employee groups: \"Nobody\" is not among the choices: Hourly, Seasonal, Interns."),
        ("parameters.token", "Send text."),
    ] {
        assert!(errors.of(field).unwrap_or_default().contains(words), "{field}: {errors}");
    }
    let missing = take(json!({}), None).unwrap_err();
    assert_eq!(missing.of("parameters.groups"), Some("Enter a value for Employee groups."));
    assert_eq!(missing.of("parameters.from"), None, "it has a default");
    assert!(take(json!([]), None).unwrap_err().of("parameters").is_some());
    assert!(take(json!({"groups": ["Hourly"], "text": "x".repeat(5_000)}), None).is_err());
    assert!(take(json!({"groups": ["Hourly"], "text": "a\0"}), None).is_err());
}

#[test]
fn what_means_the_same_is_kept_the_same() {
    let one = take(json!({"from": " Start of  LAST month", "groups": ["Interns", "Hourly", "Hourly"], "n": 1}), None);
    let other = take(json!({"from": "start of last month", "groups": ["Hourly", "Interns"], "n": 1, "text": ""}), None);
    assert_eq!(one.unwrap(), other.unwrap());
}

#[test]
fn a_secret_is_sealed_shown_as_points_and_kept_when_it_is_blank() {
    let kept = take(json!({"groups": ["Hourly"], "token": "hunter2"}), None).unwrap();
    assert!(!kept.to_string().contains("hunter2"));
    assert_eq!(mask(&kept), json!({"groups": ["Hourly"], "token": "••••"}));
    for again in [json!(""), json!("••••"), kept["token"].clone(), json!("hunter2")] {
        assert_eq!(take(json!({"groups": ["Hourly"], "token": again}), Some(&kept)).unwrap(), kept, "{again}");
    }
    assert!(take(json!({"groups": ["Hourly"]}), Some(&kept)).unwrap().get("token").is_none());
    assert_ne!(take(json!({"groups": ["Hourly"], "token": "other"}), Some(&kept)).unwrap(), kept);
    // Points without anything behind them, and what was sealed for another place.
    assert!(take(json!({"groups": ["Hourly"], "token": "••••"}), None).unwrap_err().of("parameters.token").is_some());
    let elsewhere = json!({ "sealed": secrets().seal_alike("parameter 8 token", "x").unwrap() });
    assert!(take(json!({"groups": ["Hourly"], "token": elsewhere}), None).is_err());
    assert!(same(Some(&mask(&kept)), Some(&kept)) && same(None, Some(&json!({}))) && !same(None, Some(&kept)));
    assert_eq!(unmask(Some(mask(&kept)), Some(&kept)).as_ref(), Some(&kept));
    let new = Secrets::from_base64(&base64::engine::general_purpose::STANDARD.encode([9; 32])).unwrap();
    let anew = seal_anew(&[7], &kept, &secrets(), &new).unwrap().unwrap();
    let opened = new.open("parameter 7 token", anew["token"]["sealed"].as_str().unwrap()).unwrap();
    assert!(opened.ends_with("hunter2"), "{opened}");
    assert_eq!(seal_anew(&[7], &json!({"groups": ["Hourly"]}), &secrets(), &new).unwrap(), None);
}

#[test]
fn values_are_settled_once() {
    let (parameters, today) = (declared(), NaiveDate::from_ymd_opt(2026, 3, 31).unwrap());
    let given = json!({"groups": ["Hourly"]});
    let settled = resolve(&parameters, Some(&given), None, today).unwrap();
    assert_eq!(settled, json!({"from": "2026-02-01", "groups": ["Hourly"]}));
    // Another day, another default: what was settled stays.
    let mut later = declared();
    later[2].default = Some(json!("today"));
    let other_day = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap();
    assert_eq!(resolve(&later, Some(&given), Some(&settled), other_day).unwrap(), settled);
    // What fits no more, and what is missing, is said.
    later[3].choices = vec!["Others".into()];
    assert!(resolve(&later, Some(&given), None, today).unwrap_err().contains("Employee groups"));
    assert!(resolve(&declared(), None, None, today).unwrap_err().contains("needs a value"));
    let target =
        Target { configuration_id: 7, name: "Sales", parameters: &parameters, leads: "0", query: Some("SELECT 1") };
    let lost = json!({ "token": { "sealed": "a.b.c" } });
    assert!(Values::open(&target, &secrets(), &lost).unwrap_err().contains("token"));
}

#[test]
fn a_declaration_is_checked_at_its_field() {
    let with = |name: &str, kind: &str, default: Value, choices: &[&str]| Parameter {
        default: Some(default).filter(|d| !d.is_null()),
        choices: choices.iter().map(|c| (*c).to_owned()).collect(),
        ..parameter(name, kind)
    };
    let none = Value::Null;
    for (wrong, field) in [
        (with("1a", "text", none.clone(), &[]), "parameters[1].name"),
        (with("ÉTÉ", "text", none.clone(), &[]), "parameters[1].name"),
        (with(&"a".repeat(65), "text", none.clone(), &[]), "parameters[1].name"),
        (with("Month", "text", none.clone(), &[]), "parameters[1].name"),
        (with("a", "date", json!("soon"), &[]), "parameters[1].default"),
        (with("a", "number", json!("1"), &[]), "parameters[1].default"),
        (with("a", "choice", json!("z"), &["x", "y"]), "parameters[1].default"),
        (with("a", "choices", json!("x"), &["x"]), "parameters[1].default"),
        (with("a", "secret", json!("hunter2"), &[]), "parameters[1].default"),
        (with("a", "choice", none.clone(), &[]), "parameters[1].choices"),
        (with("a", "choice", none.clone(), &["x", "x"]), "parameters[1].choices"),
        (with("a", "text", none.clone(), &["x"]), "parameters[1].choices"),
        (Parameter { label: "a\nb".into(), ..parameter("a", "text") }, "parameters[1].label"),
    ] {
        let errors = check(&[parameter("month", "date"), wrong]);
        assert!(errors.of(field).is_some() && errors.0.len() == 1, "{field}: {errors}");
    }
    assert!(check(&vec![parameter("a", "text"); 51]).of("parameters").is_some());
    assert!(check(&[with("a", "choices", json!(["x"]), &["x", "y"]), with("b", "date", json!("-1m"), &[])]).is_empty());
}

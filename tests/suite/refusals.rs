//! Every refusal of the schedule dialog: it comes back at its field with words that say why, tied to the control, and
//! with all that was typed. Nothing is saved.

use scraper::Html;
use tidegate::imports::Mode;

use crate::schedules::{create, daily, draft, try_update};
use crate::support::html::{self, Field};
use crate::support::stage::stage;
use crate::support::*;

/// What is typed over the form as it comes, and what is said then.
struct Case {
    /// Control and value; a control in several lines has several boxes ticked, `""` ticks none.
    typed: &'static [(&'static str, &'static str)],
    status: u16,
    /// The id of the control, or of the group of controls.
    at: &'static str,
    says: &'static str,
    /// False where the value is none that the control offers, so that only a forged form sends it.
    offered: bool,
}

const fn case(typed: &'static [(&'static str, &'static str)], at: &'static str, says: &'static str) -> Case {
    Case { typed, status: 422, at, says, offered: true }
}

const fn forged(typed: &'static [(&'static str, &'static str)], at: &'static str, says: &'static str) -> Case {
    Case { typed, status: 422, at, says, offered: false }
}

/// The World's clock stands at 2026-10-08T16:42:00Z.
const CASES: &[Case] = &[
    // How it repeats.
    forged(&[("repeat", "")], "repeat", "Choose how it repeats."),
    forged(&[("repeat", "yearly")], "repeat", "“yearly” is not a way to repeat"),
    forged(&[("repeat", "minutes"), ("every_minutes", "")], "every_minutes", "Choose how often: 5, 10, 15"),
    forged(&[("repeat", "minutes"), ("every_minutes", "7")], "every_minutes", "“7” is not possible: use 5, 10, 15"),
    forged(
        &[("repeat", "hours"), ("every_hours", "5")],
        "every_hours",
        "“5” is not possible: use 1, 2, 3, 4, 6, 8 or 12",
    ),
    case(&[("every_days", "0")], "every_days", "“0” is not possible: use 1 to 366 days."),
    case(&[("every_days", "367")], "every_days", "“367” is not possible"),
    case(&[("every_days", "a few")], "every_days", "“a few” is not possible"),
    case(&[("every_days", "1.5")], "every_days", "“1.5” is not possible"),
    case(&[("repeat", "weeks"), ("every_weeks", "53")], "every_weeks", "“53” is not possible: use 1 to 52 weeks."),
    case(&[("repeat", "weeks"), ("weekdays", "")], "weekdays", "Choose at least one weekday."),
    forged(&[("repeat", "weeks"), ("weekdays", "moonday")], "weekdays", "“moonday” is not a weekday"),
    case(&[("repeat", "months"), ("days_of_month", "")], "days_of_month", "Choose at least one day of the month"),
    forged(&[("repeat", "months"), ("days_of_month", "32")], "days_of_month", "“32” is not a day of the month"),
    forged(&[("repeat", "months"), ("months", "13")], "months", "“13” is not a month"),
    // The window.
    case(
        &[("repeat", "hours"), ("window_on", "on"), ("window_weekdays", "")],
        "window_weekdays",
        "Choose at least one weekday.",
    ),
    forged(
        &[("repeat", "hours"), ("window_on", "on"), ("window_weekdays", "x")],
        "window_weekdays",
        "“x” is not a weekday",
    ),
    case(&[("repeat", "minutes"), ("window_on", "on"), ("window_from", "7")], "window_from", "“7” is not a time"),
    case(&[("repeat", "minutes"), ("window_on", "on"), ("window_to", "24:01")], "window_to", "“24:01” is not a time"),
    case(
        &[("repeat", "minutes"), ("window_on", "on"), ("window_from", "07:00"), ("window_to", "07:00")],
        "window_to",
        "From and to are the same time",
    ),
    case(
        &[("repeat", "minutes"), ("window_on", "on"), ("window_to", "00:00")],
        "window_to",
        "From and to are the same",
    ),
    case(
        &[
            ("repeat", "hours"),
            ("every_hours", "12"),
            ("window_on", "on"),
            ("window_from", "07:00"),
            ("window_to", "08:00"),
        ],
        "window",
        "No occurrence falls within the window",
    ),
    // The start.
    case(&[("start_date", "")], "start_date", "Enter a start date."),
    case(&[("start_date", "tomorrow")], "start_date", "“tomorrow” is not a date"),
    case(&[("start_date", "2026-02-30")], "start_date", "“2026-02-30” is not a date"),
    case(&[("start_date", "2100-01-01")], "start_date", "use a date from 1970 to 2099"),
    case(&[("start_date", "1969-12-31")], "start_date", "use a date from 1970 to 2099"),
    case(&[("start_time", "")], "start_time", "Enter a start time."),
    case(&[("start_time", "half past two")], "start_time", "“half past two” is not a time"),
    case(&[("time_zone", "")], "time_zone", "Choose a time zone."),
    case(&[("time_zone", "Europe/Pariss")], "time_zone", "“Europe/Pariss” is not a known time zone"),
    case(&[("repeat", "once"), ("start_date", "2026-10-07")], "start_date", "is in the past"),
    case(
        &[("repeat", "once"), ("start_date", "2026-10-08"), ("start_time", "18:41")],
        "start_time",
        "18:41 is in the past",
    ),
    case(
        &[("repeat", "weeks"), ("weekdays", "mon"), ("start_date", "2099-12-30")],
        "start_date",
        "There is no occurrence before the end of 2099",
    ),
    // The end.
    case(&[("ends", "on"), ("end_date", "never")], "end_date", "“never” is not a date"),
    case(&[("ends", "on"), ("end_date", "2100-01-01")], "end_date", "use a date from 1970 to 2099"),
    case(&[("ends", "on"), ("end_date", "2026-10-01")], "end_date", "The end date, 1 Oct 2026, is before the start"),
    case(
        &[("start_date", "2026-09-01"), ("ends", "on"), ("end_date", "2026-10-07")],
        "end_date",
        "The end date, 7 Oct 2026, is in the past.",
    ),
    case(
        &[
            ("repeat", "weeks"),
            ("weekdays", "mon"),
            ("start_date", "2026-10-13"),
            ("ends", "on"),
            ("end_date", "2026-10-18"),
        ],
        "end_date",
        "There is no occurrence up to the end date, 18 Oct 2026.",
    ),
    // What runs, and what it is called.
    case(&[("configuration", "")], "configuration", "Choose the configuration to run."),
    forged(&[("configuration", "999999")], "configuration", "has no such import configuration"),
    case(&[("run_name", "LONG")], "run_name", "This name is too long. Use at most 200 characters."),
    case(&[("run_name", "two\tparts")], "run_name", "A name must be one line."),
    case(&[("run_name", "Sal\u{202e}es")], "run_name", "This name contains an invisible character (U+202E)."),
    Case {
        status: 409,
        ..case(&[("run_name", "evening PRICES")], "run_name", "Another schedule of FP&A 2026 has the run name")
    },
    Case { status: 409, ..case(&[("configuration", "FULL")], "configuration", "full already has four schedules") },
    // Who is told.
    case(&[("notify", "on"), ("recipients", "")], "recipients", "Choose at least one member"),
    forged(&[("notify", "on"), ("recipients", "999999")], "recipients", "One of the recipients is not a member here."),
    forged(&[("notify", "on"), ("recipients", "STRANGER")], "recipients", "Stranger has no access to FP&A 2026"),
    forged(&[("notify", "on"), ("recipients", "GONE")], "recipients", "Ivy is deactivated and cannot be notified."),
    forged(&[("notify", "on"), ("notify_about", "everything")], "notify_about", "Choose what to notify about."),
];

/// What the form would send as it stands.
fn sent(page: &Html) -> Vec<(String, String)> {
    let button = html::named(page, html::select(page.root_element(), "button[type=submit]"), "Schedule Import");
    let fields = html::submission(page, button, &[]).fields;
    let texts = fields.into_iter().filter_map(|field| match field {
        Field::Text(name, value) => Some((name, value)),
        Field::File { .. } => None,
    });
    texts.filter(|(name, _)| !["asked", "csrf", "nonce", "version"].contains(&name.as_str())).collect()
}

/// What is wrong with how a refusal comes back.
fn faults(page: &Html, at: &str, says: &str) -> Vec<String> {
    let root = page.root_element();
    let mut faults = Vec::new();
    let summary = html::select(root, ".errors a[href]");
    if !summary.iter().any(|a| a.value().attr("href") == Some(&format!("#{at}")) && html::text(*a).contains(says)) {
        let there: Vec<_> = summary.iter().map(|a| (a.value().attr("href"), html::text(*a))).collect();
        faults.push(format!("the summary leads to {there:?}"));
    }
    let Some(control) = html::by_id(root, at) else {
        faults.push("there is no such control".into());
        return faults;
    };
    // The control itself says it is wrong; of a group the group, its summary or the fieldset around it is described.
    let single = ["input", "select", "textarea"].contains(&control.value().name());
    if single && control.value().attr("aria-invalid") != Some("true") {
        faults.push("the control is not marked as invalid".into());
    }
    let around = control.ancestors().filter_map(scraper::ElementRef::wrap).take_while(|_| !single);
    let describing = std::iter::once(control)
        .chain(html::select(control, "summary").into_iter().filter(|_| !single))
        .chain(around.filter(|e| e.value().name() == "fieldset" || e.value().attr("role") == Some("group")))
        .filter_map(|element| element.value().attr("aria-describedby"))
        .flat_map(str::split_whitespace)
        .filter_map(|id| html::by_id(root, id));
    if !describing.into_iter().any(|words| html::text(words).contains(says)) {
        faults.push("the words are not tied to the control".into());
    }
    faults
}

#[test]
fn every_refusal_stands_at_its_field_and_keeps_what_was_typed() {
    with_world(Database::Sqlite, |world| async move {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let full = stage(&world, "full", Mode::Append, |_| ()).await;
        for time in ["01:00", "02:00", "03:00", "04:00"] {
            create(&world, draft(&full, &daily(time))).await;
        }
        let mut named = draft(&prices, &daily("18:00"));
        named.run_name = Some("Evening prices".into());
        create(&world, named).await;
        let (ivy, long) = (world.ivy.id, "x".repeat(201));
        deactivate(&world, ivy).await;
        let spelled = |value: &str| match value {
            "FULL" => full.configuration.to_string(),
            "STRANGER" => world.stranger.id.to_string(),
            "GONE" => ivy.to_string(),
            "LONG" => long.clone(),
            other => other.to_owned(),
        };
        let there = async || {
            let application = world.application;
            world.read(move |conn| tidegate::schedules::clock::of_application(conn, application)).await.len()
        };
        let before = there().await;
        let mut olive = world.browser(&world.olive).await;
        let form = format!("/applications/{}/schedules/new?configuration={}", world.application, prices.configuration);
        olive.visit(&form).await;
        let fresh = sent(&olive.page());
        assert!(fresh.len() > 15, "{fresh:?}");
        let mut wrong = Vec::new();
        for case in CASES {
            let mut typed = fresh.clone();
            typed.retain(|(name, _)| !case.typed.iter().any(|(changed, _)| changed == name));
            let boxes = ["weekdays", "months", "days_of_month", "window_weekdays", "recipients"];
            let given = case.typed.iter().filter(|(name, value)| !(value.is_empty() && boxes.contains(name)));
            typed.extend(given.map(|(name, value)| ((*name).to_owned(), spelled(value))));
            let pairs: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let answer = olive.post(&format!("/applications/{}/schedules", world.application), &pairs).await;
            let page = Html::parse_document(&answer.body);
            let mut faults = match answer.status {
                status if status == case.status => faults(&page, case.at, case.says),
                status => vec![format!("answered {status}: {}", answer.text())],
            };
            if case.offered && faults.is_empty() {
                let mut back = sent(&page);
                back.sort();
                typed.sort();
                let lost: Vec<_> = typed.iter().filter(|pair| !back.contains(pair)).collect();
                let new: Vec<_> = back.iter().filter(|pair| !typed.contains(pair)).collect();
                if !lost.is_empty() || !new.is_empty() {
                    faults.push(format!("lost {lost:?}, new {new:?}"));
                }
            }
            wrong.extend(faults.into_iter().map(|fault| format!("{:?}: at {}: {fault}", case.typed, case.at)));
        }
        assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), CASES.len(), wrong.join("\n"));
        assert_eq!(there().await, before, "nothing was saved");
    });
}

/// What somebody else saved meanwhile is no field's fault: it is said on top, and saving again means it.
#[test]
fn a_stale_form_keeps_what_was_typed() {
    with_world(Database::Sqlite, |world| async move {
        let prices = stage(&world, "prices", Mode::Append, |_| ()).await;
        let made = create(&world, draft(&prices, &daily("18:00"))).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/schedules/{}/edit", world.application, made.id)).await;
        try_update(&world, &world.ada, made.id, None, draft(&prices, &daily("05:00"))).await.unwrap();
        olive.fill("Run name", "Mine").fill("Time", "09:30").press("Update Schedule").await;
        olive.answered(412).sees("Ada changed this schedule on").sees("It now says: Every day at 05:00, UTC.");
        assert_eq!(olive.count(".errors a"), 0, "it leads to no field");
        assert_eq!((olive.value("Run name"), olive.value("Time")), ("Mine".to_owned(), "09:30".to_owned()));
        olive.press("Update Schedule").await;
        olive.answered(200).sees("Every day at 09:30");
    });
}

async fn deactivate(world: &World, member: i64) {
    use diesel::prelude::*;
    use tidegate::db::schema::members;
    world
        .write(move |conn| {
            diesel::update(members::table.find(member)).set(members::active.eq(false)).execute(conn)?;
            Ok(())
        })
        .await;
}

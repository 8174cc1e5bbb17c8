//! What somebody types wrong, twice or too late: clear words at the field, nothing typed is lost, nothing half written.

use chrono::Duration;
use diesel::prelude::*;
use fantoccini::key::Key;
use serde_json::json;
use tidegate::db::schema::application_access;
use tidegate::imports::Mode;

use crate::journeys::{list, words};
use crate::schedules::{create, daily, draft, find, try_update};
use crate::support::stage::stage;
use crate::support::*;

/// How many schedules "FP&A 2026" has.
async fn count(world: &World) -> usize {
    let application = world.application;
    world.read(move |conn| tidegate::schedules::clock::of_application(conn, application)).await.len()
}

fn new_form(world: &World) -> String {
    format!("/applications/{}/schedules/new", world.application)
}

async fn opens(chrome: &Chrome, world: &World) {
    chrome.goto(&list(world)).await;
    chrome.click("Set up scheduled imports").await;
    chrome.sees("Schedule an import").await;
}

/// Waits for the words beside the control of this id, not only on top.
async fn beside(chrome: &Chrome, id: &str, words: &str) {
    let script = format!(
        "const e = document.getElementById({id:?}); \
         return (e.closest('.field') ?? e.closest('fieldset') ?? e).innerText"
    );
    chrome
        .until(&format!("\"{words}\" stands beside {id}"), async || {
            chrome.script(&script).await.as_str().is_some_and(|text| text.contains(words)).then_some(())
        })
        .await;
}

async fn value(chrome: &Chrome, label: &str) -> String {
    chrome.control(label).await.prop("value").await.unwrap().unwrap_or_default()
}

#[test]
fn each_wrong_field_is_told_where_it_stands() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        stage(&world, "numbers", Mode::Append, |_| ()).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        opens(&chrome, &world).await;
        chrome.fill("Time zone", "Europe/Pariss").await;
        chrome.click("Schedule Import").await;
        beside(&chrome, "time_zone", "“Europe/Pariss” is not a known time zone").await;
        beside(&chrome, "configuration", "Choose the configuration to run.").await;
        chrome.sees("2 fields need correcting").await;
        assert_eq!(value(&chrome, "Time zone").await, "Europe/Pariss", "what was typed stays");

        chrome.choose("Configuration", "words").await;
        chrome.fill("Time zone", "Europe/Paris").await;
        chrome.click("Once").await;
        chrome.set("Date", "2026-10-07").await;
        chrome.click("Schedule Import").await;
        beside(&chrome, "start_date", "is in the past").await;
        assert_eq!(value(&chrome, "Date").await, "2026-10-07");

        chrome.set("Date", "2026-10-20").await;
        chrome.click("Daily").await;
        chrome.click("On a date").await;
        chrome.set("Last day", "2026-10-12").await;
        chrome.click("Schedule Import").await;
        beside(&chrome, "end_date", "is before the start").await;

        chrome.click("Forever").await;
        chrome.click("Weekly").await;
        for day in ["MoMonday", "TuTuesday", "WeWednesday", "ThThursday", "FrFriday"] {
            chrome.click(day).await;
        }
        chrome.fill("Every", "2").await;
        chrome.click("Schedule Import").await;
        beside(&chrome, "weekdays", "Choose at least one weekday.").await;
        chrome.sees("One field needs correcting").await;
        assert_eq!(value(&chrome, "Every").await, "2");
        assert_eq!(count(&world).await, 0, "nothing was saved");

        chrome.click("SaSaturday").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every 2 weeks on Saturday at 06:00").await;
        assert_eq!(count(&world).await, 1);
        chrome.quiet_but(&[422]).await;
        chrome.close().await;
    });
}

#[test]
fn the_fifth_schedule_and_a_stale_one_are_refused_with_words() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let mut made = Vec::new();
        for time in ["01:00", "02:00", "03:00"] {
            made.push(create(&world, draft(&stage, &daily(time))).await);
        }
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&new_form(&world)).await;
        create(&world, draft(&stage, &daily("04:00"))).await;
        chrome.click("More").await;
        chrome.fill("Run name", "kept").await;
        chrome.click("Schedule Import").await;
        chrome.sees("words already has four schedules. Edit or delete one of them.").await;
        assert_eq!(value(&chrome, "Run name").await, "kept");
        assert_eq!(count(&world).await, 4);

        let id = made[0].id;
        chrome.goto(&format!("/applications/{}/schedules/{id}/edit", world.application)).await;
        let other = draft(&stage, &daily("05:00"));
        world.advance(Duration::minutes(2));
        try_update(&world, &world.ada, id, None, other).await.unwrap();
        chrome.set("Time", "09:30").await;
        chrome.click("Update Schedule").await;
        chrome.sees("Ada changed this schedule on").await;
        chrome.sees("It now says: Every day at 05:00, UTC.").await;
        assert_eq!(value(&chrome, "Time").await, "09:30", "what was typed stays");
        assert_eq!(find(&world, id).await.sentence(), "Every day at 05:00, UTC");
        chrome.click("Update Schedule").await;
        chrome.sees("Updated: Every day at 09:30, UTC").await;
        chrome.quiet_but(&[409, 412]).await;
        chrome.close().await;
    });
}

#[test]
fn what_belongs_elsewhere_is_not_there() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.stranger), Look::default()).await;
        for application in [world.application, world.elsewhere] {
            for part in ["edit", "delete"] {
                chrome.goto(&format!("/applications/{application}/schedules/{}/{part}", made.id)).await;
                chrome.sees("Not found").await;
            }
        }
        // A configuration of another Application is none of this form's.
        chrome.goto(&format!("/applications/{}/schedules/new", world.elsewhere)).await;
        let stranger = world.browser(&world.stranger).await;
        let configuration = stage.configuration.to_string();
        let answer = stranger
            .post(
                &format!("/applications/{}/schedules", world.elsewhere),
                &[
                    ("configuration", &configuration),
                    ("repeat", "days"),
                    ("every_days", "1"),
                    ("start_date", "2026-10-20"),
                    ("start_time", "06:00"),
                    ("time_zone", "UTC"),
                    ("ends", "forever"),
                ],
            )
            .await;
        assert_eq!(answer.status, 422, "{}", answer.text());
        assert_eq!(count(&world).await, 1);
        chrome.quiet_but(&[404]).await;
        chrome.close().await;
    });
}

/// On a page of its own a form is sent once too: the second click finds no error after the first one's success.
#[test]
fn a_form_that_leads_away_is_sent_once() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto("/applications/new").await;
        chrome.fill("Name", "Twice").await;
        let twice =
            "const b = document.querySelector('main form [type=submit].btn-primary'); b.click(); b.click(); return 1";
        chrome.script(twice).await;
        chrome.sees("Created Twice.").await;
        chrome.sees_no("already exists").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

/// Pressed twice, one schedule is there; deleted twice, the second is told so.
#[test]
fn a_form_sent_twice_counts_once() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        opens(&chrome, &world).await;
        chrome
            .script(
                "const b = document.querySelector('dialog [type=submit].btn-primary'); b.click(); b.click(); b.click(); \
                 return 1",
            )
            .await;
        chrome.sees("Scheduled: Every day at 06:00").await;
        assert_eq!(count(&world).await, 1, "a double click makes one schedule");

        // Without scripts the same form arrives twice. Another that says the same is not thrown away.
        let mut twice = world.browser(&world.olive).await;
        twice.visit(&new_form(&world)).await;
        let form = twice.body.clone();
        for _ in 0..2 {
            twice.body.clone_from(&form);
            twice.fill("Time", "07:45").press("Schedule Import").await;
            twice.answered(200).sees("Scheduled: Every day at 07:45");
        }
        assert_eq!(count(&world).await, 2, "a form counts once");
        twice.visit(&new_form(&world)).await;
        twice.fill("Time", "07:45").fill("Run name (optional)", "Breakfast").press("Schedule Import").await;
        twice.answered(409).sees("words already has this schedule: Every day at 07:45");
        assert_eq!(twice.value("Run name (optional)"), "Breakfast", "what was typed stays");
        twice.fill("Time", "07:50").press("Schedule Import").await;
        twice.answered(200).sees("Scheduled: Every day at 07:50");
        assert_eq!(count(&world).await, 3);
        // With other values in it, it is another form; what became of the first is said.
        let application = world.application;
        let made = world.read(move |conn| tidegate::schedules::clock::of_application(conn, application)).await;
        let breakfast = made.iter().find(|s| s.sentence().contains("07:45")).unwrap().id;
        crate::schedules::switch(&world, &world.ada, breakfast, false).await;
        twice.body.clone_from(&form);
        twice.fill("Time", "07:45").press("Schedule Import").await;
        twice.answered(200).sees("Already scheduled, and changed since then: Every day at 07:45").sees("It is off.");
        assert_eq!(count(&world).await, 3);

        let id = world.application;
        chrome.goto(&list(&world)).await;
        let made = world.read(move |conn| tidegate::schedules::clock::of_application(conn, application)).await;
        let olive = world.browser(&world.olive).await;
        let path = format!("/applications/{id}/schedules/{}/delete", made[0].id);
        assert_eq!(olive.post(&path, &[]).await.status, 200);
        chrome.click("On: Every day at 06:00").await;
        chrome.sees("This schedule no longer exists.").await;
        chrome.sees_no("Every day at 06:00").await;
        chrome.focus_on(".sched").await;
        chrome.quiet_but(&[404]).await;
        chrome.close().await;
    });
}

/// What goes wrong behind an open dialog is said in it, where one sees it and can reach it; what was typed stays.
#[test]
fn errors_are_told_in_the_open_dialog() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let mut made = Vec::new();
        for time in ["07:00", "08:00", "09:00"] {
            made.push(create(&world, draft(&stage, &daily(time))).await.id);
        }
        let application = world.application;
        for phone in [false, true] {
            let chrome = Chrome::open(&world, Some(&world.olive), Look { phone, ..Look::default() }).await;
            chrome.goto(&list(&world)).await;
            let edits = async |time: &str| {
                chrome.click(&format!("More actions for Every day at {time}")).await;
                chrome.click("Edit schedule").await;
                chrome.sees("Update Schedule").await;
                chrome.set("Time", "11:45").await;
            };
            let told = async |words: &str| {
                chrome.sees(words).await;
                let in_sight = "const e = document.querySelector('dialog[open] .dlg-alert[role=alert]'); \
                    if (!e) return 'nothing in the dialog'; const r = e.getBoundingClientRect(); \
                    return e.contains(document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2)) && e.innerText";
                let said = chrome.script(in_sight).await;
                assert!(said.as_str().is_some_and(|said| said.contains(words)), "{said}");
                assert_eq!(value(&chrome, "Time").await, "11:45", "what was typed stays");
            };

            edits("08:00").await;
            chrome.offline(true).await;
            chrome.click("Update Schedule").await;
            told("Connection lost.").await;
            chrome.offline(false).await;
            chrome.set("Time", "11:45").await;
            chrome.sees_no("Connection lost.").await;
            set_import_data(&world, false).await;
            chrome.click("Update Schedule").await;
            told("Import Data").await;
            set_import_data(&world, true).await;
            chrome.forget().await;
            chrome.click("Update Schedule").await;
            told("Your session has ended.").await;
            chrome.tab_to("Sign in").await;
            chrome.sign_in(&world.session(&world.olive).await).await;
            chrome.script("window.dispatchEvent(new Event('focus')); return 1").await;
            told("You are signed in again.").await;
            if !phone {
                let olive = world.browser(&world.olive).await;
                let path = format!("/applications/{application}/schedules/{}/delete", made[1]);
                assert_eq!(olive.post(&path, &[]).await.status, 200);
                chrome.click("Update Schedule").await;
                told("This no longer exists.").await;
                create(&world, draft(&stage, &daily("08:00"))).await;
            }
            chrome.keys(&[Key::Escape]).await;
            chrome.click("Leave").await;
            chrome.sees_no("Update Schedule").await;
            let errors = chrome.console().await;
            assert!(!errors.iter().any(|e| e.contains("Content Security")), "{errors:#?}");
            chrome.close().await;
        }
    });
}

/// Gives or takes Olive's Import Data in "FP&A 2026".
async fn set_import_data(world: &World, on: bool) {
    let (olive, application) = (world.olive.id, world.application);
    world
        .write(move |conn| {
            let row = application_access::table
                .filter(application_access::application_id.eq(application))
                .filter(application_access::member_id.eq(olive));
            Ok(diesel::update(row).set(application_access::can_import_data.eq(on)).execute(conn)?)
        })
        .await;
}

/// A switch whose request is lost goes back: what it shows is what is saved.
#[test]
fn a_switch_goes_back_when_the_connection_is_lost() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let made = create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.offline(true).await;
        chrome.click("On: Every day at 18:00").await;
        chrome.sees("Connection lost.").await;
        chrome.focus_on("[role=switch]:checked").await;
        chrome.tab_to("On: Every day at 18:00").await;
        chrome.type_text(" ").await;
        chrome.focus_on("[role=switch]:checked").await;
        chrome.offline(false).await;
        chrome.type_text(" ").await;
        chrome.sees("Turned off: Every day at 18:00").await;
        chrome.sees_no("Connection lost.").await;
        assert!(!find(&world, made.id).await.enabled);
        chrome.close().await;
    });
}

#[test]
fn a_session_that_ends_in_mid_dialog_loses_nothing() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(
            &world,
            draft(
                &stage,
                &json!({
                    "repeat": "days", "start_date": "2026-10-09", "start_time": "18:00", "time_zone": "UTC",
                }),
            ),
        )
        .await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Schedule Imports").await;
        chrome.sees("Every day at 06:00").await;
        chrome.forget().await;
        chrome.set("Time", "11:45").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Your session has ended.").await;
        assert_eq!(value(&chrome, "Time").await, "11:45", "what was typed stays");
        assert_eq!(count(&world).await, 1);

        // In another tab Olive signs in again, and comes back.
        chrome.sign_in(&world.session(&world.olive).await).await;
        chrome.script("window.dispatchEvent(new Event('focus')); return 1").await;
        chrome.sees("You are signed in again.").await;
        chrome.click_in("Schedule an import", "Schedule Import").await;
        chrome.sees("Scheduled: Every day at 11:45").await;
        assert_eq!(count(&world).await, 2);

        // The same when nothing was noticed in between: another session, and the form of the first.
        chrome.click("Schedule Imports").await;
        chrome.sees("Every day at 06:00").await;
        chrome.sign_in(&world.session(&world.olive).await).await;
        chrome.set("Time", "12:15").await;
        chrome.sees("You are signed in again.").await;
        chrome.click_in("Schedule an import", "Schedule Import").await;
        chrome.sees("Scheduled: Every day at 12:15").await;
        chrome.quiet_but(&[401, 403]).await;
        chrome.close().await;
    });
}

/// Keeps the answers to the form's preview until `free()` is called; `kept` says how many there are.
const KEEP_THE_PREVIEWS: &str = "const send = window.fetch; window.kept = []; \
    window.free = () => { for (const go of window.kept.splice(0)) go(); }; \
    window.fetch = (url, ...rest) => { \
        const answer = send(url, ...rest); \
        if (!String(url?.url ?? url).includes('/preview')) return answer; \
        return answer.then((it) => new Promise((go) => window.kept.push(() => go(it)))); \
    }; return 1";

#[test]
fn what_was_sent_before_the_new_session_hides_it_no_more() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        for (noticed, open, time) in [(true, "Set up scheduled imports", "11:45"), (false, "Schedule Imports", "12:15")]
        {
            chrome.goto(&list(&world)).await;
            chrome.click(open).await;
            chrome.sees("Every day at 06:00").await;
            chrome.script(KEEP_THE_PREVIEWS).await;
            // The session has ended, or another has begun already; the answer to what is typed is on its way.
            if noticed {
                chrome.forget().await;
            } else {
                chrome.sign_in(&world.session(&world.olive).await).await;
            }
            chrome.set("Time", time).await;
            let kept = async || (chrome.script("return window.kept.length").await == 1).then_some(());
            chrome.until("the answer is on its way", kept).await;
            chrome.click_in("Schedule an import", "Schedule Import").await;
            if noticed {
                chrome.sees("Your session has ended.").await;
                chrome.sign_in(&world.session(&world.olive).await).await;
                chrome.script("window.dispatchEvent(new Event('focus')); return 1").await;
            }
            chrome.sees("You are signed in again.").await;
            // It arrives now, and says 401 or 403.
            chrome.script("document.querySelector('.dlg-alert span').textContent = ''; window.free(); return 1").await;
            chrome.sees("You are signed in again.").await;
            chrome.script("window.dispatchEvent(new Event('focus')); return 1").await;
            chrome.click_in("Schedule an import", "Schedule Import").await;
            chrome.sees(&format!("Scheduled: Every day at {time}")).await;
        }
        assert_eq!(count(&world).await, 2);
        chrome.quiet_but(&[401, 403]).await;
        chrome.close().await;
    });
}

//! The inbox, the bell, and what a member chose.

use std::sync::mpsc;

use super::*;
use crate::support::databases::with_changed_world;
use crate::support::{Database, cast, seed, with_world};
use crate::taken_away::waits;

/// Olive is told something.
pub async fn note(world: &World, title: &'static str) -> i64 {
    note_of(world, title, world.now()).await
}

/// Olive is told what happened at an instant.
async fn note_of(world: &World, title: &'static str, now: tidegate::clock::Moment) -> i64 {
    let id = world.olive.id;
    world
        .write(move |conn| {
            let values = (
                notices::member_id.eq(id),
                notices::key.eq(title),
                notices::kind.eq("failed"),
                notices::title.eq(title),
                notices::detail.eq("No file matches."),
                notices::at.eq(now),
            );
            diesel::insert_into(notices::table).values(values).execute(conn)?;
            Ok(notices::table.select(diesel::dsl::max(notices::id)).first::<Option<i64>>(conn)?.unwrap())
        })
        .await
}

on_both! {
    async fn a_message_leads_to_its_run_and_is_read_then(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.sees("No notifications yet");
        morning(&world, 5).await;
        assert!(olive.htmx("/notifications/bell").await.text().contains("1 unread"));
        olive.visit("/notifications").await.sees("payroll failed").sees("payroll.csv").sees("FP&A 2026").sees("Today, Mon 5 Oct");
        olive.press("payroll failed (unread)").await.answered(200);
        assert!(olive.path().starts_with("/runs/"), "{}", olive.path());
        assert!(!olive.htmx("/notifications/bell").await.text().contains("unread"));
        olive.visit("/notifications?show=unread").await.sees("You have read everything");
        olive.visit("/notifications").await.press("Mark unread: payroll failed").await.sees("Mark read");
        olive.visit("/notifications?show=unread").await.press("Mark all read").await.sees("Marked 1 notification as read.");
    }

    /// What is told late stands where it happened, on whatever page that is, and is read with all the others.
    async fn messages_stand_in_the_order_of_what_happened(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let now = world.now();
        note_of(&world, "Sunday's", now.minus(Duration::hours(20))).await;
        for _ in 0..2 {
            world.advance(Duration::minutes(1));
        }
        note(&world, "Monday's").await;
        note_of(&world, "Sunday's, told late", now.minus(Duration::hours(12))).await;
        note_of(&world, "Monday's, of the same instant", world.now()).await;
        let wanted = ["Monday's, of the same instant", "Monday's", "Sunday's, told late", "Sunday's"];
        let mut olive = world.browser(&world.olive).await;
        let page = olive.visit("/notifications").await.text();
        let places: Vec<usize> = wanted.iter().map(|title| page.rfind(&format!("Mark read: {title}")).unwrap_or(0)).collect();
        assert!(places.is_sorted() && places[0] > 0, "{places:?}");
        assert_eq!(page.matches("Today, Mon 5 Oct").count(), 1, "each day has one heading");
        let api = world.api(&world.olive).await;
        let (mut titles, mut path) = (Vec::new(), "notifications?limit=1".to_owned());
        loop {
            let answer = api.get(&path).await;
            titles.extend(answer.items().iter().map(|item| item["title"].as_str().unwrap().to_owned()));
            match answer.json["next"].as_str() {
                Some(next) => path = format!("notifications?limit=1&after={next}"),
                None => break,
            }
        }
        assert_eq!(titles, wanted);
        olive.press("Mark all read").await.sees("Marked 4 notifications as read.");
    }

    /// By words and by Application, without scripts; from page to page, and back from what is marked.
    async fn messages_are_filtered(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        for title in ["Élan failed", "Payroll failed"] {
            note(&world, title).await;
        }
        let (olive, here, now) = (world.olive.id, world.application, world.now());
        world
            .write(move |conn| {
                for n in 0..60 {
                    let values = (
                        notices::member_id.eq(olive),
                        notices::key.eq(format!("many-{n}")),
                        notices::kind.eq("success"),
                        notices::application_id.eq(here),
                        notices::title.eq(format!("Headcount {n:02} succeeded")),
                        notices::detail.eq("100% of rows_loaded."),
                        notices::at.eq(now.minus(Duration::minutes(n))),
                    );
                    diesel::insert_into(notices::table).values(values).execute(conn)?;
                }
                Ok(())
            })
            .await;
        let person = world.olive.clone();
        world
            .write(move |conn| {
                let other = cast::application(conn, "Other", "UTC", now)?;
                cast::grant(conn, other, &person, (true, false))
            })
            .await;
        let mut browser = world.browser(&world.olive).await;
        browser.visit("/notifications").await.fill("Filter notifications", "ELAN").press("Filter").await;
        browser.sees("Élan failed").sees_no("Payroll failed").sees_no("Headcount").sees_no("Mark all read");
        browser.visit("/notifications?q=100%25+of+rows_").await.sees("Headcount 00 succeeded").sees("Headcount 49 succeeded").sees_no("Headcount 50 succeeded").sees_no("Payroll");
        browser.follow("Show older notifications").await.sees("Headcount 50 succeeded").sees("Headcount 59 succeeded").sees_no("Payroll").sees_no("Show older");
        assert_eq!(browser.value("Filter notifications"), "100% of rows_");
        // Whoever marks one goes on where they were.
        browser.press("Mark read: Headcount 55 succeeded").await.sees("Headcount 50 succeeded").sees_no("Headcount 49 succeeded");
        browser.follow("Unread").await.sees("Headcount 00 succeeded").sees_no("Payroll");
        browser.visit("/notifications?q=nothing+like+it").await.sees("No notification matches this filter");
        browser.follow("Clear filter").await;
        browser.choose("Application", "FP&A 2026").press("Filter").await.sees("Headcount 00 succeeded").sees_no("Payroll failed");
        browser.follow("Show older notifications").await.sees("Headcount 59 succeeded").sees_no("Payroll failed");
        browser.visit("/notifications").await.choose("Application", "Other").press("Filter").await.sees("No notification matches this filter");
        // One that they may not see is none to them.
        browser.visit(&format!("/notifications?application={}", world.elsewhere)).await.sees("Payroll failed");
        for odd in ["q=%00", "application=x&before=y&show=z", "before=-1", "q=_%25"] {
            assert_eq!(browser.open(&format!("/notifications?{odd}")).await, 200, "{odd}");
        }
    }

    /// A search ends after 5,000, says so, and goes on from there.
    async fn a_search_is_bounded_and_says_so(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let (olive, at) = (world.olive.id, world.now().micros());
        let many = format!(
            "INSERT INTO notices (member_id, key, kind, title, detail, at) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5002) \
             SELECT {olive}, 'many-' || i, 'success', CASE WHEN i > 5000 THEN 'Payroll ' || i ELSE 'Headcount ' || i END, \
             'Done.', {at} - CAST(i AS BIGINT) * 60000000 FROM n"
        );
        world.write(move |conn| seed::batch(conn, &many)).await;
        let mut browser = world.browser(&world.olive).await;
        browser.visit("/notifications?q=payroll").await.sees("No notification matches this filter").sees_no("Payroll 5001");
        browser.sees("Searched 5,000 notifications, back to Thu 1 Oct, 20:40.");
        browser.follow("Show older notifications").await.sees("Payroll 5001").sees("Payroll 5002");
        browser.sees_no("Searched").sees_no("Show older notifications");
        // What is full before that is a page, and the next begins after its last.
        browser.visit("/notifications?q=headcount").await.sees("Headcount 50").sees_no("Headcount 51").sees_no("Searched");
        browser.follow("Show older notifications").await.sees("Headcount 51").sees("Headcount 100").sees_no("Headcount 101");
        // Of those found on the way the newest stand there.
        browser.visit("/notifications?q=headcount+4999").await.sees("Headcount 4999").sees("Searched 5,000 notifications");
    }

    /// What was told of an Application is not there for who may view it no more, and is there again when they may.
    async fn what_an_application_told_goes_with_the_right_to_view_it(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        note(&world, "Of the Workspace").await;
        let here = world.application;
        let told = note(&world, "Payroll failed").await;
        let audreys = note(&world, "Headcount failed").await;
        let (audrey, ada) = (world.audrey.clone(), world.api(&world.ada).await);
        world
            .write(move |conn| {
                let of = notices::table.filter(notices::id.eq_any([told, audreys]));
                diesel::update(of).set(notices::application_id.eq(here)).execute(conn)?;
                let hers = diesel::update(notices::table.find(audreys));
                Ok(hers.set(notices::member_id.eq(audrey.id)).execute(conn)?)
            })
            .await;
        let (mut olive, api) = (world.browser(&world.olive).await, world.api(&world.olive).await);
        olive.visit("/notifications").await.sees("Payroll failed").sees("Of the Workspace");
        let access = format!("applications/{here}/access/{}", world.olive.id);
        ada.delete(&access).await.is(204);
        olive.visit("/notifications").await.sees("Of the Workspace").sees_no("Payroll failed");
        olive.visit("/notifications?q=no+file").await.sees("Of the Workspace").sees_no("Payroll failed");
        assert!(olive.htmx("/notifications/bell").await.text().contains("1 unread"));
        assert_eq!(api.get("notifications").await.items().len(), 1);
        api.patch(&format!("notifications/{told}"), json!({"read": true})).await.is(404);
        assert_eq!(olive.post(&format!("/notifications/{told}"), &[("open", "on")]).await.status, 404);
        olive.visit("/notifications").await.press("Mark all read").await.sees("Marked 1 notification as read.");
        assert!(!olive.htmx("/notifications/bell").await.text().contains("unread"));
        let last = told.to_string();
        assert_eq!(olive.post("/notifications", &[("up_to", &last)]).await.status, 200);
        // Through a group or by themselves: it is as it was.
        ada.put(&access, json!({"view": true})).await;
        olive.visit("/notifications").await.press("Payroll failed (unread)").await.answered(200);
        assert!(!olive.htmx("/notifications/bell").await.text().contains("unread"));
        // Auditors see every Application without being listed.
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/notifications").await.sees("Headcount failed");
        assert!(audrey.htmx("/notifications/bell").await.text().contains("1 unread"));
    }

    async fn the_page_says_who_is_told_and_when(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.mo]).await;
        morning(&world, 5).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications").await.sees("Your notifications").sees("No notifications yet");
        olive.sees("Recipients are notified once per cause and reminded once a day, for up to a week after the last failure. They also get a message when it is resolved.");
    }

    async fn what_another_was_told_is_not_there(world: World) {
        let id = note(&world, "secret").await;
        for person in [&world.ada, &world.mo, &world.stranger] {
            let other = world.browser(person).await;
            assert_eq!(other.post(&format!("/notifications/{id}"), &[("read", "on"), ("open", "on")]).await.status, 404, "{}", person.name);
            assert!(!other.get("/notifications").await.text().contains("secret"));
            let api = world.api(person).await;
            api.patch(&format!("notifications/{id}"), json!({"read": true})).await.is(404);
            assert_eq!(api.get("notifications").await.items().len(), 0);
        }
    }

    async fn programs_read_and_mark_messages(world: World) {
        let first = note(&world, "first").await;
        note(&world, "second").await;
        let olive = world.api(&world.olive).await;
        let all = olive.get("notifications?limit=1").await;
        assert_eq!((all.items()[0]["title"].as_str(), all.json["next"].is_string()), (Some("second"), true));
        let next = all.json["next"].as_str().unwrap();
        assert_eq!(olive.get(&format!("notifications?limit=1&after={next}")).await.items()[0]["id"], first);
        let read = olive.patch(&format!("notifications/{first}"), json!({"read": true})).await;
        assert_eq!((&read.is(200).json["read"], read.json["read_at"].is_string()), (&json!(true), true));
        assert_eq!(olive.get("notifications?read=false").await.items().len(), 1);
        assert_eq!(olive.get("notifications?read=true").await.items()[0]["id"], first);
        let refused = olive.patch(&format!("notifications/{first}"), json!({"read": "soon", "title": "x"})).await;
        assert_eq!(refused.is(422).wrong_fields(), ["read", "title"]);
        olive.patch(&format!("notifications/{first}"), json!({"read": false})).await.is(200);
        assert_eq!(olive.get("notifications?read=false").await.items().len(), 2);
    }

    async fn who_wants_no_mail_gets_none(world: World) {
        world.set_clock("2026-10-05T08:00:00Z");
        let stage = failing(&world, "payroll").await;
        telling(&world, &stage, About::Failed, &[&world.olive]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/notifications/settings").await.sees("1 schedule in");
        olive.untick(&format!("E-mail to {}", world.olive.email)).press("Save").await.sees("You are notified in your inbox only.");
        morning(&world, 5).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (1, 0));
        olive.visit("/notifications/settings").await.tick(&format!("E-mail to {}", world.olive.email)).press("Save").await;
        olive.sees("You are notified in your inbox and by e-mail.").sees_no("No e-mail is sent");
        csv(&world, "payroll", &[("1", "one")]);
        morning(&world, 6).await;
        assert_eq!((told(&world, &world.olive).await.len(), world.mails().len()), (2, 1));
    }
}

/// Who chooses e-mail where mail is written to files alone hears that none is sent.
#[test]
fn without_a_mail_server_nobody_is_promised_mail() {
    let files = |app: &mut tidegate::app::App| {
        let (policy, folder) = (app.outside().network, std::env::temp_dir());
        app.mail = tidegate::mail::Mailer::new("tidegate@localhost", None, policy, folder).unwrap();
    };
    for database in [Database::Sqlite, Database::Postgres] {
        with_changed_world(database, files, |world| async {
            let world = world;
            let mut olive = world.browser(&world.olive).await;
            olive.visit("/notifications/settings").await.press("Save").await;
            olive.sees("Saved. You are notified in your inbox and by e-mail. No e-mail is sent until whoever runs the server sets up a mail server.");
            olive.untick(&format!("E-mail to {}", world.olive.email)).press("Save").await;
            olive.sees("You are notified in your inbox only.").sees_no("No e-mail is sent");
        });
    }
}

/// Only what stood on the page is read with it. On SQLite nothing can be held between two questions of a page.
#[test]
fn what_comes_while_the_page_is_made_stays_unread() {
    with_world(Database::Postgres, |world| async {
        let world = world;
        note(&world, "There already").await;
        let mut olive = world.browser(&world.olive).await;
        let ((held, is_held), (go_on, may_go_on)) = (mpsc::channel(), mpsc::channel::<()>());
        let app = world.app().clone();
        let holds = tokio::task::spawn_blocking(move || {
            app.db.write(|conn| {
                // The page asks for what is broken after it asked for its messages.
                diesel::sql_query("LOCK TABLE incidents IN ACCESS EXCLUSIVE MODE").execute(conn)?;
                held.send(()).unwrap();
                may_go_on.recv_timeout(std::time::Duration::from_secs(20)).unwrap();
                Ok(())
            })
        });
        tokio::task::spawn_blocking(move || is_held.recv().unwrap()).await.unwrap();
        let comes = async {
            while !world.read(waits).await {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
            note(&world, "Come meanwhile").await;
            go_on.send(()).unwrap();
        };
        tokio::join!(olive.visit("/notifications"), comes);
        holds.await.unwrap().unwrap();
        olive.sees("There already").sees_no("Come meanwhile");
        olive.press("Mark all read").await.sees("Marked 1 notification as read.");
        olive.visit("/notifications?show=unread").await.sees("Come meanwhile").sees_no("There already");
    });
}

//! Calendars to subscribe to: read by a reader of somebody else's, they say what the pages say, to whoever has the address
//! and no longer than its member may look.

use std::collections::BTreeSet;

use chrono::Duration;
use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::clock::Moment;
use tidegate::db::schema::{application_access, audit_log, calendar_feeds, members, schedules};
use tidegate::feeds;
use tidegate::imports::Mode;
use tidegate::members::actions::{self, Change};
use tidegate::members::{passwords, reset};
use tidegate::runs::dispatcher;
use tidegate::schedules::RuleDraft;

use crate::oracle;
use crate::running::{start, work_off};
use crate::schedules::{create, daily, draft, every_five};
use crate::support::browser::Answer;
use crate::support::cast::PASSWORD;
use crate::support::stage::{Stage, csv, stage};
use crate::support::world::moment;
use crate::support::*;

/// The path of a new calendar of this person, of one Application or of all.
pub async fn make(world: &World, person: &Person, application: Option<i64>) -> String {
    let (person, now) = (person.clone(), world.now());
    let text = world
        .write(move |conn| {
            let by = person.by(conn)?;
            feeds::actions::make(conn, &by, application, now)
        })
        .await;
    format!("/calendar/{text}.ics")
}

async fn read(world: &World, path: &str) -> Answer {
    world.nobody().get(path).await
}

/// As Python's `icalendar` reads it.
fn parsed(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{}", answer.text());
    oracle::ask("feed.py", std::iter::once(json!({ "text": answer.body }))).pop().unwrap()
}

async fn events(world: &World, path: &str) -> Vec<Value> {
    parsed(&read(world, path).await)["events"].as_array().unwrap().clone()
}

fn text<'a>(event: &'a Value, name: &str) -> &'a str {
    event[name].as_str().unwrap()
}

fn at(event: &Value) -> Moment {
    Moment::from_micros(event["from"].as_i64().unwrap() * 1_000_000)
}

async fn scheduled(world: &World, name: &str, rule: &Value) -> Stage {
    let stage = stage(world, name, Mode::Append, |definition| definition.attempts = 1).await;
    create(world, draft(&stage, rule)).await;
    stage
}

on_both! {
    async fn it_says_what_ran_and_what_is_planned(world: World) {
        let words = scheduled(&world, "words", &daily("18:00")).await;
        csv(&world, "words", &[("1", "one")]);
        let good = start(&world, &words).await;
        work_off(&world).await;
        world.set_clock("2026-10-08T18:00:00Z");
        world.step(dispatcher::step).await;
        std::fs::remove_file(world.folder().join("words.csv")).unwrap();
        let path = make(&world, &world.olive, None).await;
        let before = world.fingerprint().await;
        let waits: Vec<Value> = events(&world, &path).await;
        let of = |events: &[Value], instant: &str| {
            events.iter().find(|event| at(event) == moment(instant)).unwrap_or_else(|| panic!("{instant}")).clone()
        };
        assert_eq!(text(&of(&waits, "2026-10-08T18:00:00Z"), "summary"), "Queued: words");
        assert_eq!(world.fingerprint().await, before, "who reads changes nothing");
        work_off(&world).await;
        let all = events(&world, &path).await;
        let by_hand = of(&all, "2026-10-08T16:42:00Z");
        assert_eq!(text(&by_hand, "summary"), "✓ words");
        assert_eq!(text(&by_hand, "description"), "1 row loaded.");
        assert_eq!(text(&by_hand, "category"), "FP&A 2026");
        assert_eq!(text(&by_hand, "url"), format!("{}/runs/{}", world.at(), good.id));
        let failed = of(&all, "2026-10-08T18:00:00Z");
        assert_eq!(text(&failed, "summary"), "Failed: words");
        assert!(text(&failed, "description").contains("There is no file 'words.csv'"), "{failed}");
        let next = of(&all, "2026-10-09T18:00:00Z");
        assert_eq!(text(&next, "summary"), "words");
        assert_eq!(text(&next, "description"), "Planned: Every day at 18:00, UTC.");
        // Sixty days of them, this one among them, and the uid of one stays while it is planned, waits and ends.
        assert_eq!(all.len(), 2 + 59);
        let uid = |events: &[Value]| text(&of(events, "2026-10-08T18:00:00Z"), "uid").to_owned();
        assert_eq!(uid(&waits), uid(&all));
        world.set_clock("2026-10-09T18:00:00Z");
        world.step(dispatcher::step).await;
        let later = events(&world, &path).await;
        assert_eq!(text(&of(&later, "2026-10-09T18:00:00Z"), "uid"), text(&next, "uid"));
        let uids: BTreeSet<&str> = later.iter().map(|event| text(event, "uid")).collect();
        assert_eq!(uids.len(), later.len(), "each once");
    }

    async fn the_instants_are_those_of_the_preview_across_clock_changes(world: World) {
        let paris = |repeat: Value| {
            let mut rule = json!({ "start_date": "2026-01-01", "start_time": "02:30", "time_zone": "Europe/Paris" });
            rule.as_object_mut().unwrap().extend(repeat.as_object().unwrap().clone());
            rule
        };
        let rules = [
            paris(json!({ "repeat": "days" })),
            paris(json!({ "repeat": "hours", "every": 4 })),
            paris(json!({ "repeat": "weeks", "weekdays": ["sat", "sun"] })),
            paris(json!({ "repeat": "months", "days_of_month": [25, 29, "last"] })),
        ];
        for (now, change) in [("2026-10-08T16:42:00Z", "2026-10-25T01:00:00Z"), ("2027-03-20T08:00:00Z", "2027-03-28T01:00:00Z")] {
            world.set_clock(now);
            for (n, rule) in rules.iter().enumerate() {
                let stage = stage(&world, &format!("r{n}-{}", &now[..4]), Mode::Append, |_| ()).await;
                let schedule = create(&world, draft(&stage, rule)).await;
                let path = make(&world, &world.olive, Some(world.application)).await;
                let prefix = format!("schedule-{}-", schedule.id);
                let found: Vec<Moment> =
                    events(&world, &path).await.iter().filter(|e| text(e, "uid").starts_with(&prefix)).map(at).collect();
                let draft = RuleDraft::from_json(rule.as_object().unwrap());
                let preview = tidegate::schedules::preview(&draft.parse().unwrap(), None, world.now(), found.len());
                let wanted: Vec<Moment> = preview.occurrences.iter().map(|occurrence| occurrence.at).collect();
                assert_eq!(found, wanted, "{now} {rule}");
                let after = moment(change).plus(Duration::days(2));
                assert!(found.len() > 3 && found[0] < moment(change) && found[found.len() - 1] > after, "{now} {rule}");
                let id = schedule.id;
                world.write(move |conn| {
                    Ok(diesel::update(schedules::table.find(id)).set(schedules::next_at.eq(None::<Moment>)).execute(conn)?)
                }).await;
            }
        }
    }

    async fn who_has_the_address_sees_what_its_member_may_see_now(world: World) {
        scheduled(&world, "words", &daily("18:00")).await;
        let (all, one) = (make(&world, &world.olive, None).await, make(&world, &world.olive, Some(world.application)).await);
        assert!(!events(&world, &all).await.is_empty() && !events(&world, &one).await.is_empty());
        let audrey = make(&world, &world.audrey, None).await;
        assert!(!events(&world, &audrey).await.is_empty(), "Auditors see it");
        for person in [&world.mo, &world.ivy, &world.stranger] {
            let theirs = make(&world, person, None).await;
            assert_eq!(events(&world, &theirs).await.len(), 0, "{}", person.name);
        }
        // What is not there, and what is not theirs.
        for path in ["/calendar/none.ics", &format!("{}x.ics", all.trim_end_matches(".ics"))] {
            let answer = read(&world, path).await;
            assert_eq!((answer.status, answer.text().as_str()), (404, "There is no calendar at this address. It may have been replaced or revoked."), "{path}");
            assert!(answer.header("content-type").starts_with("text/plain"));
        }
        // Access is taken away.
        let olive = world.olive.id;
        let grants = move |can: bool| move |conn: &mut tidegate::db::Conn| {
            let row = application_access::table.filter(application_access::member_id.eq(olive));
            Ok(diesel::update(row).set(application_access::can_import_data.eq(can)).execute(conn)?)
        };
        world.write(grants(false)).await;
        assert_eq!(read(&world, &one).await.status, 404);
        assert_eq!(events(&world, &all).await.len(), 0);
        world.write(grants(true)).await;
        assert!(!events(&world, &one).await.is_empty());
        // The account is deactivated, and the addresses do not come back with it.
        let active = move |active: bool| move |conn: &mut tidegate::db::Conn| {
            Ok(diesel::update(members::table.find(olive)).set(members::active.eq(active)).execute(conn)?)
        };
        world.write(active(false)).await;
        assert_eq!((read(&world, &one).await.status, read(&world, &all).await.status), (404, 404));
        assert_eq!(world.step(feeds::end_of_inactive).await, 2);
        world.write(active(true)).await;
        assert_eq!((read(&world, &one).await.status, read(&world, &all).await.status), (404, 404));
        let left = world.read(|conn| Ok(calendar_feeds::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(left, 4);
    }

    async fn an_address_is_made_shown_once_made_anew_and_revoked(world: World) {
        scheduled(&world, "words", &daily("18:00")).await;
        let mut olive = world.browser(&world.olive).await;
        let calendar = format!("/applications/{}/settings/import-scheduling/calendar", world.application);
        olive.visit(&calendar).await.follow("Subscribe").await.sees("Calendar subscriptions");
        olive.press("Create an address for FP&A 2026").await.answered(201).sees("Calendar address of FP&A 2026. Copy it now");
        let shown = |browser: &Browser| {
            let text = browser.text();
            let from = text.find("http").unwrap();
            text[from..].split_whitespace().next().unwrap().strip_prefix(world.at()).unwrap().to_owned()
        };
        let first = shown(&olive);
        assert_eq!(read(&world, &first).await.status, 200);
        olive.visit("/calendar").await.sees("Created Thu 8 Oct 2026, 16:42").sees_no(".ics");
        olive.press("Create a new address for FP&A 2026").await.answered(201);
        let second = shown(&olive);
        assert_ne!(first, second);
        assert_eq!((read(&world, &first).await.status, read(&world, &second).await.status), (404, 200));
        olive.visit("/calendar").await.press("Revoke the address of FP&A 2026").await.sees("The address is revoked.");
        assert_eq!(read(&world, &second).await.status, 404);
        let kept = world.read(|conn| Ok(calendar_feeds::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(kept, 0);
        // Not of what one may not see, or whose calendar one may not open.
        for (person, status) in [(&world.stranger, 404), (&world.mo, 403)] {
            let mut browser = world.browser(person).await;
            browser.visit("/calendar").await.sees_no("FP&A 2026");
            let asked = browser.post("/calendar", &[("application", &world.application.to_string())]).await;
            assert_eq!(asked.status, status, "{}", person.name);
            assert_eq!(browser.post("/calendar", &[("application", "x")]).await.status, 404);
        }
        // An account says where they are.
        olive.visit("/account").await.follow("Calendar subscriptions").await.sees("All Applications");
    }

    async fn hostile_names_stay_names_and_what_is_skipped_says_so(world: World) {
        let stage = scheduled(&world, "words", &daily("18:00")).await;
        let id = stage.configuration;
        // (A backslash before an n that reader takes for the end of a line, whatever stands before it.)
        let nasty = "a, b; \\x c\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:x <script> \u{202e}ć 🌊".to_owned() + &"y".repeat(120);
        let sql = format!("UPDATE import_configurations SET name = '{nasty}' WHERE id = {id}");
        world.write(move |conn| crate::support::seed::batch(conn, &sql)).await;
        crate::freezes::create(&world, "Close; now,", "2026-10-09T00:00:00Z", "2026-10-10T00:00:00Z", false).await;
        let path = make(&world, &world.olive, None).await;
        let answer = read(&world, &path).await;
        assert!(answer.body.split("\r\n").all(|line| line.len() <= 75 && !line.contains(['\n', '\r'])));
        let all = events(&world, &path).await;
        assert_eq!(all.len(), 60);
        let lines = nasty.replace("\r\n", "\n");
        assert_eq!(text(&all[0], "summary"), lines);
        assert_eq!(text(&all[1], "summary"), format!("Skipped: {lines}"));
        assert!(text(&all[1], "description").starts_with("Frozen by \"Close; now,\" until Sat 10 Oct 2026, 02:00"));
    }

    async fn whatever_ends_the_tokens_of_a_member_ends_their_calendars_for_good(world: World) {
        scheduled(&world, "words", &daily("18:00")).await;
        let (ada, olive) = (world.ada.clone(), world.olive.id);
        let change = |changes: Vec<Change>| {
            let (ada, now) = (ada.clone(), world.now());
            world.write(move |conn| {
                let by = ada.by(conn)?;
                for change in changes {
                    actions::update(conn, &by, ENDERS, olive, change, now)?;
                }
                Ok(())
            })
        };
        let active = |active| Change { active: Some(active), ..Change::default() };
        let hash = || passwords::hash_now("shells and stones").unwrap();
        let mut dead = Vec::new();
        for how in ["by hand", "by an Administrator", "at once active again", "by the command line"] {
            let paths = [make(&world, &world.olive, None).await, make(&world, &world.olive, Some(world.application)).await];
            let other = make(&world, &world.mo, None).await;
            assert_eq!(read(&world, &paths[0]).await.status, 200, "{how}");
            match how {
                "by hand" => {
                    let mut olive = world.browser(&world.olive).await;
                    olive.visit("/account").await.fill("Current password", PASSWORD).fill("New password", "another good one");
                    olive.press("Change password").await.answered(200);
                }
                "by an Administrator" => change(vec![Change { password: Some(hash()), ..Change::default() }]).await,
                "at once active again" => change(vec![active(false), active(true)]).await,
                _ => {
                    let (email, now) = (world.olive.email.clone(), world.now());
                    world.write(move |conn| reset::set_by_command(conn, ENDERS, &email, &hash(), now)).await;
                }
            }
            dead.extend(paths);
            for path in &dead {
                assert_eq!(read(&world, path).await.status, 404, "{how}");
            }
            assert_eq!(read(&world, &other).await.status, 200, "{how}: of another member");
            world.advance(Duration::minutes(1));
        }
        let said = world.read(|conn| {
            let of = audit_log::table.filter(audit_log::action.eq("calendar.address_revoked"));
            Ok(of.count().get_result::<i64>(conn)?)
        });
        assert_eq!(said.await, 8);
    }

    async fn what_is_too_much_is_cut_and_said(world: World) {
        scheduled(&world, "often", &every_five()).await;
        scheduled(&world, "words", &daily("18:00")).await;
        let path = make(&world, &world.olive, None).await;
        let calendar = parsed(&read(&world, &path).await);
        assert_eq!(calendar["events"].as_array().unwrap().len(), 200 + 60);
        let about = calendar["about"].as_str().unwrap();
        assert!(about.ends_with("At most the next 200 runs of each schedule are shown."), "{about}");
        assert!(about.starts_with("The imports of FP&A 2026: what ran in the last 31 days"), "{about}");
    }

    async fn a_program_that_knows_it_is_told_so_and_one_that_asks_too_often_waits(world: World) {
        scheduled(&world, "words", &daily("18:00")).await;
        let path = make(&world, &world.olive, None).await;
        let first = read(&world, &path).await;
        assert_eq!(first.header("content-type"), "text/calendar; charset=utf-8");
        assert_eq!(first.header("cache-control"), "private, no-cache");
        let tag = first.header("etag").to_owned();
        let nobody = world.nobody();
        let again = async |tag: &str| {
            let request = nobody.request(reqwest::Method::GET, &path).header("If-None-Match", tag);
            Answer::of(request.send().await.unwrap()).await
        };
        let known = again(&tag).await;
        assert_eq!((known.status, known.body.len(), known.header("etag")), (304, 0, tag.as_str()));
        assert_eq!(again("\"other\"").await.status, 200);
        let mut statuses = Vec::new();
        for _ in 0..40 {
            statuses.push(again(&tag).await.status);
        }
        assert_eq!(statuses.first(), Some(&304));
        assert_eq!(statuses.last(), Some(&429));
        let late = again(&tag).await;
        assert_eq!((late.header("retry-after"), late.text().as_str()), ("60", "This calendar is requested too often. Try again in a minute."));
        world.advance(Duration::minutes(2));
        assert_ne!(again(&tag).await.status, 429);
    }
}

//! Applications: who makes, sees, changes and archives them, and who is let in.

use diesel::prelude::*;
use tidegate::applications::actions::{self, Change};
use tidegate::applications::{Grants, enter, seen_by};
use tidegate::db::schema::block_db::block_views;
use tidegate::db::schema::{runs, schedules};
use tidegate::error::AppError;
use tidegate::imports::Mode;

use reqwest::Method;
use serde_json::json;

use crate::support::api::Reply;
use crate::support::cast;
use crate::support::seed::batch;
use crate::support::stage::stage;
use crate::support::*;

on_both! {
    async fn everybody_sees_their_own(world: World) {
        for (person, sees, not) in [
            (&world.ada, vec!["FP&A 2026", "Elsewhere"], vec![]),
            (&world.audrey, vec!["FP&A 2026", "Elsewhere"], vec!["New Application"]),
            (&world.olive, vec!["FP&A 2026", "Import Scheduling"], vec!["Elsewhere", "New Application"]),
            (&world.mo, vec!["FP&A 2026"], vec!["Elsewhere", "Import Scheduling", "New Application"]),
            (&world.stranger, vec!["Elsewhere"], vec!["FP&A 2026"]),
        ] {
            let mut browser = world.browser(person).await;
            browser.visit("/").await.within("main");
            for name in sees {
                browser.sees(name);
            }
            for name in not {
                browser.sees_no(name);
            }
        }
    }

    /// An é is one letter, typed as one character or as two, wherever somebody names something.
    async fn a_name_is_the_same_in_either_form(world: World) {
        let (one, two) = ("Caf\u{e9}", "cafe\u{301}");
        let ada = world.api(&world.ada).await;
        let made = ada.make("applications", json!({ "name": two, "time_zone": "UTC" })).await;
        assert_eq!(ada.get(&format!("applications/{made}")).await.json["name"], "caf\u{e9}");
        ada.post("applications", json!({ "name": one, "time_zone": "UTC" })).await.is(409);
        let key = |name: &str| json!({ "name": name, "type": "text", "key": true });
        let block = |name: &str, columns: Vec<serde_json::Value>| {
            json!({ "name": name, "kind": "transaction_list", "columns": columns })
        };
        let blocks = format!("applications/{made}/blocks");
        assert_eq!(ada.post(&blocks, block("A", vec![key(one), key(two)])).await.wrong_fields(), ["columns[1].name"]);
        let there = ada.make(&blocks, block(two, vec![key(two)])).await;
        ada.post(&blocks, block(one, vec![key("id")])).await.is(409);
        let seen = ada.get(&format!("blocks/{there}")).await.json.clone();
        assert_eq!((&seen["name"], &seen["columns"][0]["name"]), (&json!("caf\u{e9}"), &json!("caf\u{e9}")));
        let named = |name: &str| json!({ "name": name, "kind": "folder",
            "settings": { "path": world.folder().canonicalize().unwrap() } });
        ada.make("connections", named(two)).await;
        ada.post("connections", named(one)).await.is(409);
        // What was named before there was this rule stays as it is until somebody renames it.
        let id = made;
        world.write(move |conn| batch(conn, &format!("UPDATE applications SET name = 'cafe\u{301}' WHERE id = {id}"))).await;
        ada.patch(&format!("applications/{made}"), json!({ "spacing_minutes": 5 })).await.is(200);
        assert_eq!(ada.get(&format!("applications/{made}")).await.json["name"], two);
    }

    async fn what_one_may_not_see_answers_like_what_is_not_there(world: World) {
        let browser = world.browser(&world.stranger).await;
        let a = world.application;
        for path in ["", "/settings", "/settings/members", "/archive", "/blocks"] {
            let theirs = browser.get(&format!("/applications/{a}{path}")).await;
            let none = browser.get(&format!("/applications/999999{path}")).await;
            assert_eq!((theirs.status, none.status), (404, 404), "{path}");
            assert_eq!(theirs.body, none.body, "{path}");
        }
        let before = world.fingerprint().await;
        for path in ["/settings".to_owned(), "/archive".to_owned(), format!("/settings/members/{}", world.mo.id)] {
            let fields = [("name", "Mine"), ("time_zone", "UTC"), ("spacing_minutes", "1"), ("view", "on")];
            assert_eq!(browser.post(&format!("/applications/{a}{path}"), &fields).await.status, 404, "{path}");
        }
        assert_eq!(world.fingerprint().await, before);
    }

    async fn a_modeler_makes_one_and_may_do_everything_in_it(world: World) {
        let now = world.now();
        let max = world.write(move |conn| cast::member(conn, "Max", "Modeler", now)).await;
        let mut browser = world.browser(&max).await;
        browser.visit("/").await.sees("Welcome, Max").sees("Your first Application");
        browser.press("Create Application").await.answered(422);
        browser.fill("Name", " ").fill("Time zone", "Moon").fill("Minutes between imports on one Connection or Block", "x");
        browser.press("Create Application").await.answered(422);
        browser.sees("Enter a name").sees("not a known time zone").sees("Enter whole minutes");
        assert_eq!(browser.value("Time zone"), "Moon");
        browser.fill("Name", "fp&a 2026").fill("Time zone", "UTC");
        browser.fill("Minutes between imports on one Connection or Block", "5").press("Create Application").await;
        browser.answered(409).sees("An Application named fp&a 2026 already exists");
        browser.fill("Name", "Sales").press("Create Application").await.answered(200);
        browser.sees("Created Sales.").sees("Import Scheduling").sees("Start here").sees("Ada can do this");
        browser.within(".side").follow("Members and permissions").await;
        assert_eq!(browser.in_row("max@acme.test").count("input[checked]"), 3);
    }

    async fn whoever_may_not_make_one_reads_who_can_change_that(world: World) {
        let mut olive = world.browser(&world.olive).await;
        assert_eq!(olive.open("/applications/new").await, 403);
        olive.sees("Your role Importer cannot create Applications. Ada can change your role.");
        olive.visit("/").await;
        let fields = [("name", "Mine"), ("time_zone", "UTC"), ("spacing_minutes", "15")];
        assert_eq!(olive.post("/applications", &fields).await.status, 403);
    }

    async fn settings_are_changed_by_whoever_configures(world: World) {
        let page = format!("/applications/{}/settings", world.application);
        let mut olive = world.browser(&world.olive).await;
        let mut old = world.browser(&world.ada).await;
        old.visit(&page).await;
        olive.visit(&page).await.fill("Name", "FP&A 2027").fill("Time zone", "america/new_york").press("Save").await;
        olive.answered(200).sees("The settings of FP&A 2027 are saved");
        assert_eq!(olive.value("Time zone"), "America/New_York");
        old.fill("Name", "FP&A 2028").press("Save").await.answered(412).sees("were changed after you opened this page");
        old.press("Save").await.answered(200).sees("The settings of FP&A 2028 are saved");
        old.visit(&page).await.fill("Name", "FP&A 2027").press("Save").await.answered(200);
        olive.visit(&page).await.fill("Name", "Elsewhere").press("Save").await;
        olive.answered(409).sees("An Application named Elsewhere already exists");
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&page).await.sees("FP&A 2027").sees_no("Archive");
        assert_eq!(mo.count("main form"), 0);
        let fields = [("name", "Mo's"), ("time_zone", "UTC"), ("spacing_minutes", "15")];
        let refused = mo.post(&page, &fields).await;
        assert_eq!(refused.status, 403);
        assert!(refused.text().contains("You need the Configure permission in FP&A 2027. Olive can grant it."), "{}", refused.text());
    }

    async fn a_new_name_is_that_of_all_views_or_of_none(world: World) {
        let one = stage(&world, "one", Mode::Append, |_| ()).await;
        let two = stage(&world, "two", Mode::Append, |_| ()).await;
        let views = || world.app().blocks.read(|conn| {
            let named = block_views::table.filter(block_views::block_id.eq_any([one.block, two.block]));
            Ok(named.order(block_views::block_id).select(block_views::view_name).load::<String>(conn)?)
        }).unwrap();
        let before = views();
        // The second one's view cannot be changed.
        let spoilt = |text: &'static str| {
            let set = block_views::column_list.eq(text);
            let of_two = block_views::table.filter(block_views::block_id.eq(two.block));
            world.app().blocks.write(|conn| Ok(diesel::update(of_two).set(set).execute(conn)?)).unwrap();
        };
        spoilt("no list");
        let ada = world.api(&world.ada).await;
        let path = format!("applications/{}", world.application);
        ada.patch(&path, serde_json::json!({"name": "Renamed"})).await.is(500);
        assert_eq!((views(), ada.get(&path).await.is(200).json["name"].clone()), (before, "FP&A 2026".into()));
        spoilt("[]");
        ada.patch(&path, serde_json::json!({"name": "Renamed"})).await.is(200);
        assert!(views().iter().all(|view| view.starts_with("renamed__")), "{:?}", views());
    }

    async fn access_is_given_and_taken_away(world: World) {
        let page = format!("/applications/{}/settings/members", world.application);
        let mut olive = world.browser(&world.olive).await;
        let mut stranger = world.browser(&world.stranger).await;
        olive.visit(&page).await.in_row("stranger@acme.test").tick("Import Data for Stranger");
        olive.press("Save for Stranger").await.sees("Stranger has View and Import Data.");
        assert_eq!(olive.in_row("stranger@acme.test").count("input[checked]"), 2, "Import Data includes View");
        stranger.visit("/").await.sees("FP&A 2026");
        olive.everywhere().in_row("ivy@acme.test").sees("the role lacks Can Import Data");
        olive.everywhere().in_row("stranger@acme.test").untick("Import Data for Stranger").untick("View for Stranger");
        olive.press("Save for Stranger").await.sees("Stranger no longer has access.");
        stranger.visit("/").await.sees_no("FP&A 2026");
        assert_eq!(stranger.open(&format!("/applications/{}", world.application)).await, 404);

        let mut mo = world.browser(&world.mo).await;
        assert_eq!(mo.open(&page).await, 403);
        assert_eq!(mo.post(&format!("{page}/{}", world.mo.id), &[("configure", "on")]).await.status, 403);
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&page).await.sees("Olive");
        assert_eq!(audrey.count("main form[method=post]"), 0, "an Auditor only reads");
        assert_eq!(olive.post(&format!("{page}/999999"), &[("view", "on")]).await.status, 404);
    }

    async fn rights_are_asked_at_each_request(world: World) {
        let (ada, olive, application, now) = (world.ada.clone(), world.olive.clone(), world.application, world.now());
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/applications/{application}/settings")).await.fill("Name", "Late");
        world.read(move |conn| {
            let by = ada.by(conn)?;
            let view = Grants { view: true, ..Grants::default() };
            actions::set_access(conn, &by, application, olive.id, view, now)
        }).await;
        browser.press("Save").await.answered(403);
    }

    async fn what_is_in_use_is_not_archived(world: World) {
        let stage = stage(&world, "words", Mode::Update, |_| ()).await;
        let (application, ada, now) = (world.application, world.ada.clone(), world.now());
        let (configuration, owner) = (stage.configuration, world.olive.id);
        world.write(move |conn| {
            diesel::insert_into(schedules::table)
                .values((
                    schedules::application_id.eq(application),
                    schedules::configuration_id.eq(configuration),
                    schedules::target_key.eq(format!("c{configuration}")),
                    schedules::rule.eq("{}"),
                    schedules::enabled.eq(true),
                    schedules::owner_id.eq(owner),
                    schedules::created_at.eq(now.micros()),
                    schedules::updated_at.eq(now.micros()),
                    schedules::updated_by.eq(owner),
                ))
                .execute(conn)?;
            diesel::insert_into(runs::table)
                .values((
                    runs::uid.eq("any"),
                    runs::application_id.eq(application),
                    runs::configuration_id.eq(configuration),
                    runs::trigger_kind.eq("member"),
                    runs::name.eq("by hand"),
                    runs::status.eq("queued"),
                    runs::queued_at.eq(now.micros()),
                ))
                .execute(conn)?;
            Ok(())
        }).await;
        let mut browser = world.browser(&world.olive).await;
        let page = format!("/applications/{application}/archive");
        browser.visit(&page).await.sees("It is in use.").sees("1 import is under way").sees("1 schedule is on");
        assert_eq!(browser.count("main form"), 0);
        assert_eq!(browser.post(&page, &[]).await.status, 409);
        world.write(move |conn| {
            diesel::update(schedules::table).set(schedules::enabled.eq(false)).execute(conn)?;
            diesel::update(runs::table).set((runs::status.eq("cancelled"), runs::finished_at.eq(now.micros()))).execute(conn)?;
            Ok(())
        }).await;
        browser.visit(&page).await.press("Archive Application").await.answered(200).sees("FP&A 2026 is archived");
        assert_eq!(browser.open(&format!("/applications/{application}")).await, 404);
        world.read(move |conn| {
            let by = ada.by(conn)?;
            assert!(matches!(enter(conn, &by, application), Err(AppError::NotFound)));
            assert_eq!(seen_by(conn, &by)?.len(), 1);
            // The name is free again.
            let new = actions::NewApplication {
                name: "FP&A 2026".into(),
                time_zone: chrono_tz::UTC,
                spacing_minutes: actions::SPACING,
            };
            actions::create(conn, &by, &new, now)?;
            Ok(())
        }).await;
    }

    async fn spacing_has_bounds(world: World) {
        let (ada, application, now) = (world.ada.clone(), world.application, world.now());
        let blocks = world.app().blocks.clone();
        world.read(move |conn| {
            let by = ada.by(conn)?;
            for minutes in [-1, 721, i32::MAX] {
                let change = Change { spacing_minutes: Some(minutes), ..Change::default() };
                match actions::edit(conn, &blocks, &by, application, &change, now) {
                    Err(AppError::Invalid(errors)) => assert!(errors.of("spacing_minutes").is_some()),
                    other => panic!("{minutes}: {other:?}"),
                }
            }
            Ok(())
        }).await;
    }
}

/// On SQLite a load may write the Block database for minutes.
#[test]
fn a_long_load_delays_only_what_changes_blocks() {
    with_world(Database::Sqlite, async |world| {
        let (ada, stranger) = (world.api(&world.ada).await, world.api(&world.stranger).await);
        let (application, blocks) = (format!("applications/{}", world.application), world.app().blocks.clone());
        let path = format!("{application}/blocks");
        let block = json!({"name": "Words", "kind": "transaction_list", "columns": [{"name": "word", "type": "text"}]});
        let make = || Reply::of(ada.request(Method::POST, &path).header("Idempotency-Key", "k").json(&block));
        let made = make().await.is(201).id();
        let block = format!("blocks/{made}");
        let stale = ada.request(Method::PATCH, &block).header("If-Match", "\"9\"").json(&json!({"name": "Other"}));
        let load = blocks.connect().unwrap();
        let end = hold(load);
        let began = std::time::Instant::now();
        assert_eq!(make().await.is(201).id(), made, "a repeat");
        ada.patch(&application, json!({"spacing_minutes": 20})).await.is(200);
        stranger.patch(&block, json!({"name": "Mine"})).await.is(404);
        stranger.delete(&block).await.is(404);
        Reply::of(stale).await.is(412);
        ada.patch(&block, json!({"kind": "nothing"})).await.is(422);
        let mut page = world.browser(&world.ada).await;
        page.visit(&format!("/{application}/settings")).await.fill("Time zone", "UTC").press("Save").await;
        page.answered(200).sees("are saved");
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
        let rename = ada.patch(&application, json!({"name": "Renamed"}));
        let (renamed, ()) = tokio::join!(rename, async {
            // Longer than it is tried for within a transaction of the Workspace.
            tokio::time::sleep(std::time::Duration::from_millis(1_500)).await;
            end.send(()).unwrap();
        });
        renamed.is(200);
    });
}

/// Holds the file until it is told to let go, or that nobody is there any more.
fn hold(mut conn: tidegate::db::Conn) -> std::sync::mpsc::Sender<()> {
    let (end, ended) = std::sync::mpsc::channel();
    batch(&mut conn, "BEGIN IMMEDIATE").unwrap();
    std::thread::spawn(move || {
        let _ = ended.recv();
        let _ = batch(&mut conn, "COMMIT");
    });
    end
}

//! Connections: made by Administrators on forms drawn per kind, their secrets sealed, tested in words, not deleted
//! while something reads through them.

use diesel::prelude::*;
use serde_json::json;
use tidegate::connections;
use tidegate::db::schema::{audit_log, connections as table};
use tidegate::error::AppError;
use tidegate::imports::Mode;

use crate::connectors::server::{Server, answer, say};
use crate::support::World;
use crate::support::stage::{folder_connection, stage};

const CANARY: &str = "S3CR3T-canary";

on_both! {
    async fn an_administrator_makes_and_tests_a_folder_connection(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/connections").await;
        ada.sees("No Connections yet");
        ada.visit("/connections/new").await;
        ada.follow("Folder").await;
        // The only folder that may be read is filled in.
        assert_eq!(ada.value("Folder"), world.folder().canonicalize().unwrap().display().to_string());
        ada.fill("Folder", "").press("Save Connection").await;
        ada.answered(422).sees("Enter a name.").sees("Folder is required.");
        ada.fill("Name", "Warehouse files").fill("Folder", &world.folder().display().to_string()).tick("FP&A 2026");
        ada.sees(&world.folder().canonicalize().unwrap().display().to_string());
        ada.press("Save Connection").await;
        ada.answered(200).sees("Saved the Connection").sees("It works: The folder contains");
        assert_eq!(ada.count(".toast a[href*='import-configurations/new?source=']"), 1, "what to do next");
        ada.press("Test").await;
        ada.answered(200).sees("It works.").sees("files; the newest is");
        assert_eq!(ada.value("Name"), "Warehouse files");
        ada.visit("/connections").await;
        ada.in_row("Warehouse files").sees("FP&A 2026");
        ada.everywhere().follow("Warehouse files").await;
        ada.follow("Create an import from it").await;
        ada.answered(200);
        ada.choose("Source", "airlines.csv").press("Preview").await;
        ada.answered(200).sees("Endeavor Air Inc.");
    }
}

on_both! {
    async fn what_is_typed_is_tested_and_kept(world: World) {
        let mut ada = world.browser(&world.ada).await;
        let folder = world.folder().canonicalize().unwrap().display().to_string();
        // Before anything was saved.
        ada.visit("/connections/new?kind=folder").await;
        ada.fill("Name", "Files").fill("Folder", "").press("Test").await;
        ada.answered(422).sees("Folder is required.");
        ada.fill("Folder", &folder).fill("Seconds without changes", "7").press("Test").await;
        ada.answered(200).sees("It works.");
        assert_eq!((ada.value("Name"), ada.value("Seconds without changes")), ("Files".into(), "7".into()));
        ada.visit("/connections").await;
        ada.sees("No Connections yet");
        // Of one that is there, what is typed and not what is saved.
        let id = folder_connection(&world, "words").await;
        ada.visit(&format!("/connections/{id}")).await;
        ada.fill("Folder", "/nowhere").fill("Name", "Moved").press("Test").await;
        ada.answered(200).sees("It does not work yet.").sees("does not exist, or is outside");
        assert_eq!((ada.value("Name"), ada.value("Folder")), ("Moved".into(), "/nowhere".into()));
        ada.visit(&format!("/connections/{id}")).await;
        assert_eq!(ada.value("Name"), "Folder of words");
        // Whoever loads the page of a test again comes to the Connection.
        ada.visit(&format!("/connections/{id}/test")).await;
        assert_eq!(ada.path(), format!("/connections/{id}"));
        ada.visit("/connections/new/test").await;
        assert_eq!(ada.path(), "/connections/new");
        let fields = [("settings-path", folder.as_str())];
        let part = ada.htmx_post(&format!("/connections/{id}/test"), &fields).await;
        assert!(part.text().contains("It works.") && !part.body.contains("<html"), "{}", part.body);
    }

    async fn a_secret_that_is_kept_is_tested_and_one_that_was_typed_is_not_shown(world: World) {
        let server = Server::start(|question, stream| {
            let good = question.header("authorization") == Some(&format!("Bearer {CANARY}"));
            let status = if good { "200 OK" } else { "401 No" };
            say(stream, answer(status, "", "x").as_bytes());
        });
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/connections/new?kind=http").await;
        ada.fill("Name", "Reports").fill("Address", &server.url()).choose("Sign-in", "Token").fill("Token", CANARY);
        ada.press("Test").await;
        ada.answered(200).sees("It works.").sees("Enter it again before you save");
        assert!(!ada.body.contains(CANARY));
        ada.fill("Token", CANARY).press("Save Connection").await;
        ada.answered(200).sees("It works: Reached");
        ada.press("Test").await;
        ada.answered(200).sees("It works.");
        ada.fill("Token", "wrong").press("Test").await;
        ada.answered(200).sees("refused the sign-in (401)");
        ada.fill("Name", "Reports 2").press("Save Connection").await;
        ada.answered(200).sees("It works: Reached");
    }
}

on_both! {
    /// Whoever changes where a Connection leads would else be sent what somebody entered for another place.
    async fn a_secret_is_sent_to_no_other_address_than_it_was_entered_for(world: World) {
        const AGAIN: &str = "The address or another setting has changed, so enter the secret again.";
        let (own, other) = (Server::saying(answer("200 OK", "", "x")), Server::saying(answer("200 OK", "", "x")));
        let api = world.api(&world.ada).await;
        let headers = json!({"X-Team": "planning", "X-Month": "{month}"});
        let settings = json!({"url": own.url(), "auth": "bearer", "headers": headers});
        let body = json!({"name": "Web", "kind": "http", "settings": settings, "secrets": {"token": CANARY}});
        let at = format!("connections/{}", api.make("connections", body).await);
        for settings in [
            json!({"url": other.url()}),
            json!({"url": format!("{}/below", own.url())}),
            json!({"url": format!("{}?to={}", own.url(), other.url())}),
            json!({"headers": {"X-Team": "others"}}),
            json!({"follow_redirects": true}),
        ] {
            for more in [json!({}), json!({"secrets": {"token": ""}}), json!({"secrets": {"token": null}})] {
                let mut patch = json!({ "settings": settings });
                patch.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
                let refused = api.patch(&at, patch).await;
                assert_eq!(refused.wrong_fields(), ["secrets.token"], "{settings}");
                assert!(refused.body.contains(AGAIN), "{}", refused.body);
            }
        }
        // What leads to the same place in the same way, however it is written.
        let same = json!({"name": "Web 2", "settings": {"url": format!(" {} ", own.url()), "follow_redirects": false,
            "user": "", "headers": "x-month: {month}\nX-Team:planning"}});
        api.patch(&at, same).await.is(200);
        api.post(&format!("{at}/test"), json!({})).await.is(200);
        assert_eq!(own.questions().last().unwrap().header("authorization"), Some(&*format!("Bearer {CANARY}")));
        // On the page it is told at the field, and what was typed stays.
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/{at}")).await.fill("Name", "Moved").fill("Address", &other.url());
        for button in ["Test", "Save Connection"] {
            ada.press(button).await.answered(422).sees(AGAIN).sees_no("Leave it blank to keep it.");
            assert_eq!((ada.value("Name"), ada.value("Address")), ("Moved".to_owned(), other.url()));
            assert_eq!(ada.count("#secrets-token[aria-invalid=true]"), 1);
        }
        let moved = other.url();
        let fields = [("name", "Web"), ("settings-url", &*moved), ("settings-auth", "bearer"), ("secrets-token", "")];
        let part = ada.htmx_post(&format!("/{at}/test"), &fields).await;
        assert!(part.text().contains(AGAIN), "{}", part.body);
        assert!(other.questions().is_empty());
        // Given anew it is sent there.
        ada.fill("Token", "another").press("Save Connection").await.answered(200).sees("It works: Reached");
        assert_eq!(other.questions().last().unwrap().header("authorization"), Some("Bearer another"));
        // What the settings ask for no more is forgotten, and no way back is left to it.
        let open = api.patch(&at, json!({"settings": {"auth": "none"}})).await;
        assert_eq!(open.is(200).json["secrets"], json!({}));
        assert_eq!(api.patch(&at, json!({"settings": {"auth": "bearer"}})).await.wrong_fields(), ["secrets.token"]);
    }

    async fn a_secret_can_be_removed_when_the_address_changes(world: World) {
        let ada = world.api(&world.ada).await;
        let settings = json!({"url": "https://reports.invalid/", "auth": "bearer"});
        let body = json!({"name": "Web", "kind": "http", "settings": settings, "secrets": {"token": CANARY}});
        let id = ada.make("connections", body).await;
        let (app, by, now) = (world.app().clone(), world.ada.clone(), world.now());
        let draft = connections::ConnectionDraft {
            name: "Web".into(),
            kind: "http".into(),
            settings: json!({"url": "https://elsewhere.invalid/"}),
            secrets: [("token".to_owned(), None)].into(),
            ..Default::default()
        };
        let changed = move |conn: &mut tidegate::db::Conn| {
            let by = by.by(conn)?;
            connections::update(conn, &app.secrets, &by, id, None, draft, now)
        };
        assert!(world.write(changed).await.secrets.is_empty());
    }
}

on_both! {
    async fn a_test_stands_in_the_audit_log_with_where_it_led(world: World) {
        let server = Server::saying(answer("200 OK", "", "x"));
        let url = format!("{}/x", server.url());
        let api = world.api(&world.ada).await;
        let settings = json!({"url": format!("{url}?key={CANARY}"), "auth": "bearer"});
        let body = json!({"name": "Web", "kind": "http", "settings": settings, "secrets": {"token": CANARY}});
        let id = api.make("connections", body).await;
        let tested = async || {
            let rows = world.read(|conn| {
                let of = audit_log::table.filter(audit_log::action.eq("connection.tested")).order(audit_log::id);
                Ok(of.select((audit_log::subject_id, audit_log::channel, audit_log::after))
                    .load::<(Option<i64>, String, Option<String>)>(conn)?)
            });
            let rows = rows.await.into_iter().map(|(id, by, after)| (id, by, after.unwrap()));
            rows.collect::<Vec<(Option<i64>, String, String)>>()
        };
        api.post(&format!("connections/{id}/test"), json!({})).await.is(200);
        let entry = tested().await.pop().unwrap();
        assert_eq!((entry.0, &*entry.1), (Some(id), "token"));
        assert!(entry.2.contains("\"Web\"") && entry.2.contains(&format!("\"{url}\"")), "{entry:?}");
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/connections/{id}")).await.press("Test").await.answered(200).sees("It works.");
        assert_eq!(tested().await.len(), 2);
        // What asks nobody is not told; what is tried before it is saved is.
        ada.fill("Address", "https://elsewhere.invalid/").press("Test").await.answered(422);
        assert_eq!(tested().await.len(), 2);
        ada.visit("/connections/new?kind=http").await.fill("Name", "Other").fill("Address", &url).press("Test").await;
        ada.answered(200).sees("It works.");
        let all = tested().await;
        assert_eq!((all.len(), all[2].0, &*all[2].1), (3, None, "page"));
        assert!(all[2].2.contains(&format!("\"{url}\"")) && !format!("{all:?}").contains(CANARY), "{all:?}");
        ada.visit("/audit").await.sees("Tested the Connection Web").sees("Tested a Connection before it was saved");
    }

    /// Who is on the way with the test while their session ends asks nobody.
    async fn a_test_of_one_who_is_signed_out_asks_nobody(world: World) {
        let server = Server::saying(answer("200 OK", "", "x"));
        let body = json!({"name": "Web", "kind": "http", "settings": {"url": server.url()}});
        let id = world.api(&world.ada).await.make("connections", body).await;
        let ada = world.ada.clone();
        let mut by = world.read(move |conn| ada.by(conn)).await;
        by.sign = Some(tidegate::going::Sign::Session(999_999));
        let (app, draft) = (world.app().clone(), connections::ConnectionDraft {
            name: "Web".into(),
            kind: "http".into(),
            settings: json!({"url": server.url()}),
            ..Default::default()
        });
        assert!(matches!(connections::test(&app, &by, id).await, Err(AppError::SignedOut)));
        assert!(matches!(connections::test_draft(&app, &by, Some(id), draft).await, Err(AppError::SignedOut)));
        assert!(server.questions().is_empty());
    }
}

on_both! {
    async fn a_folder_outside_the_roots_is_told_by_the_test(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/connections/new?kind=folder").await;
        ada.fill("Name", "All of it").fill("Folder", "/etc").press("Save Connection").await;
        ada.answered(200).sees("Saved the Connection").sees("It does not work yet: The folder '/etc' does not exist, or is");
        ada.press("Test").await;
        ada.answered(200).sees("It does not work yet.");
        ada.sees_no("passwd");
    }
}

on_both! {
    async fn a_secret_goes_in_and_never_comes_out(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/connections/new?kind=http").await;
        ada.fill("Name", "Reports").fill("Address", "https://reports.example/exports/").choose("Sign-in", "Token");
        ada.fill("Token", CANARY).press("Save Connection").await;
        ada.answered(200).sees("Saved the Connection").sees("Set on ").sees("Leave it blank to keep it.");
        assert!(!ada.body.contains(CANARY));
        // A blank secret keeps what is set.
        ada.fill("Name", "Reports 2").press("Save Connection").await;
        ada.answered(200).sees("Set on ");
        assert!(!ada.body.contains(CANARY));
        // What comes back wrong does not bring it back either.
        ada.fill("Name", "").fill("Token", CANARY).press("Save Connection").await;
        ada.answered(422);
        assert!(!ada.body.contains(CANARY));
        let (sealed, log) = world
            .read(|conn| {
                let sealed: Vec<Option<String>> = table::table.select(table::sealed_secrets).load(conn)?;
                let log: Vec<(Option<String>, Option<String>)> =
                    audit_log::table.select((audit_log::before, audit_log::after)).load(conn)?;
                Ok((sealed, log))
            })
            .await;
        let kept = sealed.into_iter().flatten().next().expect("a secret is sealed");
        assert!(kept.contains("\"token\"") && !kept.contains(CANARY));
        let log = format!("{log:?}");
        assert!(log.contains("Reports 2") && !log.contains(CANARY));
        // The connector gets it: settings and secrets still make one.
        let app = world.app().clone();
        let opened = world.read(move |conn| connections::open(conn, &app.secrets, 1)).await;
        assert!(!format!("{opened:?}").contains(CANARY));
    }
}

on_both! {
    /// Somebody moved what was sealed for one Connection to another.
    async fn secrets_that_do_not_open_are_told_and_given_again(world: World) {
        let mut ada = world.browser(&world.ada).await;
        for name in ["One", "Two"] {
            ada.visit("/connections/new?kind=http").await;
            ada.fill("Name", name).fill("Address", "https://reports.invalid/").choose("Sign-in", "Token");
            ada.fill("Token", CANARY).press("Save Connection").await;
            ada.answered(200);
        }
        let ids = world.read(|conn| Ok(table::table.select(table::id).order(table::id).load::<i64>(conn)?)).await;
        let (one, two) = (ids[0], ids[1]);
        world
            .write(move |conn| {
                let of_two: Option<String> = table::table.find(two).select(table::sealed_secrets).first(conn)?;
                diesel::update(table::table.find(one)).set(table::sealed_secrets.eq(of_two)).execute(conn)?;
                Ok(())
            })
            .await;
        ada.visit(&format!("/connections/{one}")).await.press("Test").await;
        ada.answered(422).sees("It cannot be opened with the server's key. Enter it again.");
        ada.fill("Name", "First").press("Save Connection").await;
        ada.answered(422).sees("It cannot be opened with the server's key. Enter it again.");
        ada.fill("Token", CANARY).press("Save Connection").await;
        ada.answered(200);
        ada.press("Test").await.answered(200).sees_no("cannot be opened");
    }
}

on_both! {
    async fn who_is_no_administrator_reads_who_can_help(world: World) {
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        assert_eq!(olive.open("/connections").await, 403);
        olive.sees("Ask Ada.");
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/connections").await;
        audrey.sees("Folder of words").sees_no("New Connection");
    }
}

on_both! {
    async fn what_is_in_use_is_not_deleted_and_the_page_lists_where(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let mut ada = world.browser(&world.ada).await;
        let here = format!("/connections/{}", stage.connection);
        // The question says it, with the way there; who asks past it is refused.
        ada.visit(&format!("{here}/delete")).await.sees("It is in use.").sees("\"words\" in FP&A 2026");
        assert_eq!(ada.count("main form"), 0);
        assert_eq!(ada.post(&format!("{here}/delete"), &[]).await.status, 409);
        ada.follow("\"words\" in FP&A 2026").await.sees("Fills");
        let (application, configuration) = (world.application, stage.configuration);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{application}/settings/import-configurations/{configuration}/delete")).await;
        olive.press("Delete import configuration").await;
        olive.answered(200).sees("Deleted the import configuration");
        ada.visit(&format!("{here}/delete")).await;
        ada.press("Delete Connection").await;
        ada.answered(200).sees("Deleted the Connection");
        assert_eq!(ada.open(&here).await, 404);
    }
}

on_both! {
    async fn of_two_who_change_it_the_later_is_told(world: World) {
        let id = folder_connection(&world, "words").await;
        let (mut ada, mut late) = (world.browser(&world.ada).await, world.browser(&world.ada).await);
        ada.visit(&format!("/connections/{id}")).await;
        late.visit(&format!("/connections/{id}")).await;
        ada.fill("Name", "First").press("Save Connection").await;
        ada.answered(200);
        late.fill("Name", "Second").press("Save Connection").await;
        late.answered(412).sees("was changed after you opened it");
        assert_eq!(late.value("Name"), "Second");
        late.press("Save Connection").await;
        late.answered(200).sees("Saved the Connection “Second”.");
    }
}

on_both! {
    async fn names_are_unique_and_applications_exist(world: World) {
        folder_connection(&world, "words").await;
        let ada = world.ada.clone();
        let app = world.app().clone();
        let now = world.now();
        let taken = world
            .try_write(move |conn| {
                let by = ada.by(conn)?;
                let draft = connections::ConnectionDraft {
                    name: " folder of WORDS ".into(),
                    kind: "folder".into(),
                    settings: serde_json::json!({ "path": "x" }),
                    ..Default::default()
                };
                let foreign = connections::ConnectionDraft { application_ids: vec![999_999], ..draft.clone() };
                let refused = connections::create(conn, &app.secrets, &by, foreign, now);
                assert!(matches!(refused, Err(AppError::Invalid(errors)) if errors.of("application_ids").is_some()));
                connections::create(conn, &app.secrets, &by, draft, now)
            })
            .await;
        assert!(matches!(taken, Err(AppError::Conflict(words)) if words.contains("already")));
    }
}

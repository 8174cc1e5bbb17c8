//! Connections: made by Administrators on forms drawn per kind, their secrets sealed, tested in words, not deleted
//! while something reads through them.

use diesel::prelude::*;
use tidegate::connections;
use tidegate::db::schema::{audit_log, connections as table};
use tidegate::error::AppError;
use tidegate::imports::Mode;

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
        ada.press("Save Connection").await;
        ada.answered(422).sees("Give the Connection a name.").sees("Folder is required.");
        ada.fill("Name", "Warehouse files").fill("Folder", &world.folder().display().to_string()).tick("FP&A 2026");
        ada.press("Save Connection").await;
        ada.answered(200).sees("Saved the Connection");
        ada.press("Test").await;
        ada.answered(200).sees("It works.").sees("files; the newest is");
        assert_eq!(ada.value("Name"), "Warehouse files");
        ada.visit("/connections").await;
        ada.in_row("Warehouse files").sees("FP&A 2026");
    }
}

on_both! {
    async fn a_folder_outside_the_roots_is_told_by_the_test(world: World) {
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/connections/new?kind=folder").await;
        ada.fill("Name", "All of it").fill("Folder", "/etc").press("Save Connection").await;
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
        late.answered(412).sees("was changed by somebody else");
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

//! What a run tells of itself leads to what is to be done about it: on its Summary, its card and the home pages.

use serde_json::json;
use tidegate::imports::Definition;

use super::*;
use crate::connectors::server::{Server, answer};
use crate::support::stage::{connection, stage_from};

/// Where a text stands on the page.
fn at(text: &str, what: &str) -> usize {
    text.find(what).unwrap_or_else(|| panic!("{what} is not in {text}"))
}

fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-scheduling", world.application)
}

/// Runs the import; the run as it ended.
async fn through(world: &World, stage: &Stage) -> Run {
    let id = start(world, stage).await.id;
    work_off(world).await;
    run(world, id).await
}

on_both! {
    async fn a_partial_leads_with_what_it_rejected(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        csv(&world, "words", &[("1", "one"), ("x", "two"), ("y", "three")]);
        let ended = through(&world, &stage).await;
        assert_eq!(ended.status, RunStatus::Partial);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", ended.id)).await;
        let text = olive.text();
        let (said, rejected) = (at(&text, "2 rows were rejected. 1 row loaded"), at(&text, "2 rejected rows"));
        assert!(said < rejected && rejected < at(&text, "Steps"), "{text}");
        assert_eq!(olive.count("a[href$='/rejected-rows.csv']"), 1, "the download is offered once");
        assert_eq!(olive.count(".btn-primary"), 1);
        assert_eq!(olive.count(".btn-primary[href$='/rejected-rows.csv']"), 1);
        assert_eq!(olive.count(&format!(".note a[href$='/import-configurations/{}#mapping']", stage.configuration)), 1);
        // Who may neither load nor configure is told who can.
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{}", ended.id)).await;
        mo.sees("Olive can edit the configuration.");
        assert_eq!(mo.count("a[href$='/rejected-rows.csv']"), 0);
        // It has a tab of its own, and comes before what is well.
        csv(&world, "apples", &[("1", "one")]);
        let well = crate::support::stage::stage(&world, "apples", Mode::Append, |_| ()).await;
        through(&world, &well).await;
        olive.visit(&list(&world)).await.sees("Partial 1");
        let text = olive.text();
        assert!(at(&text, "words words") < at(&text, "apples apples"), "{text}");
        olive.follow("Partial 1").await.sees("2 rows were rejected.").sees_no("apples");
    }

    async fn nothing_to_change_is_no_zero(world: World) {
        let stage = stage(&world, "words", Mode::Update, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        through(&world, &stage).await;
        let again = through(&world, &stage).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", again.id)).await.sees("Result All 2 rows unchanged");
        olive.visit(&list(&world)).await.sees("all 2 rows unchanged").sees_no("0 rows");
        let history = format!("/applications/{}/settings/import-configurations/{}/history", world.application, stage.configuration);
        olive.visit(&history).await.sees("all 2 rows unchanged").sees_no("0 rows");
    }

    /// A server that is there and signs everybody in has nothing at the import's path.
    async fn a_path_that_leads_nowhere_leads_to_the_import(world: World) {
        let server = Server::saying(answer("404 Not Found", "", "no"));
        let web = connection(&world, "Web", "http", json!({ "url": server.url() })).await;
        let mut definition = Definition::new(Mode::Append);
        definition.source.path = Some("gone.csv".into());
        let stage = stage_from(&world, "words", Some(web), definition).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let failed = through(&world, &stage).await;
        assert_eq!(failed.status, RunStatus::Failed);
        let mut ada = world.browser(&world.ada).await;
        let source = format!("a[href$='/import-configurations/{}#source-t']", stage.configuration);
        for page in [format!("/runs/{}", failed.id), list(&world)] {
            ada.visit(&page).await.sees("There is nothing at /gone.csv");
            assert_eq!(ada.count(&format!(".note {source}")), 1, "{page}");
            assert_eq!(ada.count(".note a[href^='/connections/']"), 0, "{page}");
        }
        // What the Connection itself names is the Connection's.
        let plain = Definition::new(Mode::Append);
        let other = stage_from(&world, "others", Some(web), plain).await;
        let failed = through(&world, &other).await;
        ada.visit(&format!("/runs/{}", failed.id)).await;
        assert_eq!(ada.count(&format!("a.btn-primary[href='/connections/{web}']")), 1);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", failed.id)).await.sees("Ada can check the Connection.");
    }

    /// Ten clicks at one moment, and one while it runs.
    async fn run_again_pressed_often_is_one_run(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let first = through(&world, &stage).await;
        let olive = world.api(&world.olive).await;
        let again = format!("runs/{}/again", first.id);
        let all = futures_util::future::join_all((0..10).map(|_| olive.post(&again, json!({})))).await;
        let mut ids: Vec<i64> = all.into_iter().map(|reply| reply.is(202).id()).collect();
        ids.dedup();
        assert_eq!(ids.len(), 1);
        let taken = world.step(executor::take).await.unwrap();
        assert_eq!(olive.post(&again, json!({})).await.is(202).id(), ids[0], "while it runs too");
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{}", ids[0])).await;
        let page = browser.post(&format!("/{again}"), &[]).await;
        assert_eq!((page.status, page.url.path()), (200, format!("/runs/{}", ids[0]).as_str()));
        world.step(move |app| executor::give_back(app, &taken, "It waits.")).await;
        world.advance(Duration::minutes(1));
        work_off(&world).await;
        let late = olive.post(&again, json!({})).await;
        assert!(late.is(409).json["detail"].as_str().unwrap().contains(&format!("as run {}", ids[0])), "{:?}", late.json);
    }

    /// Whoever cancelled a run that goes on sees that it was heard, and has nothing more to press.
    async fn what_was_cancelled_says_so_until_it_ends(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let id = start(&world, &stage).await.id;
        let (work, go_on) = halting(|| refused(Retry::No));
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        while run(&world, id).await.status != RunStatus::Running {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let mut olive = world.browser(&world.olive).await;
        for page in [format!("/runs/{id}"), list(&world)] {
            olive.visit(&page).await.sees("Cancel run").sees_no("Cancelling…");
        }
        try_cancel(&world, id).await.unwrap();
        for page in [format!("/runs/{id}"), list(&world)] {
            olive.visit(&page).await.sees("Cancelling…").sees_no("Cancel run");
            assert_eq!(olive.count("form[action$='/cancel'] button[type='button'][aria-disabled='true']"), 1, "{page}");
        }
        go_on.send(()).unwrap();
        going.await.unwrap().unwrap();
        olive.visit(&format!("/runs/{id}")).await.sees_no("Cancelling…").sees_no("Cancel run");
    }

    async fn the_home_pages_say_what_failed_last(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let application = format!("/applications/{}", world.application);
        let mut olive = world.browser(&world.olive).await;
        for page in ["/", &application] {
            olive.visit(page).await.sees("Nothing needs attention.");
        }
        let failed = through(&world, &stage).await;
        assert_eq!(failed.status, RunStatus::Failed);
        let mut mo = world.browser(&world.mo).await;
        for page in ["/", &application] {
            olive.visit(page).await.sees("words failed").sees("There is no file 'words.csv'");
            assert_eq!(olive.count(&format!("#need a[href='/runs/{}']", failed.id)), 1, "{page}");
            // Who may view sees the history, and what is nobody's to see is not there.
            mo.visit(page).await.sees("words failed");
        }
        let mut stranger = world.browser(&world.stranger).await;
        stranger.visit("/").await.sees_no("words").sees_no("failed in");
        csv(&world, "words", &[("1", "one")]);
        through(&world, &stage).await;
        olive.visit("/").await.sees("Nothing needs attention.");
    }
}

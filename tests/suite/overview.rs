//! The overview: what needs somebody and what helps, what goes, what comes, for those who may see it; and looking at it
//! changes nothing.

use chrono::Duration;
use serde_json::json;
use tidegate::import_sets::{Execution, OnFailure, Step};
use tidegate::imports::{Definition, Mode};
use tidegate::notifications::owners;
use tidegate::runs::work::{Retry, Undone};
use tidegate::runs::{RunStatus, dispatcher, executor};

use crate::connectors::server::{Server, answer};
use crate::running::held::{hold, many};
use crate::running::sets::{make, start_set};
use crate::running::{halting, run, start, work_off};
use crate::schedules::{create, daily, draft, every_five};
use crate::support::cast;
use crate::support::seed::batch;
use crate::support::stage::{Stage, connection, csv, stage, stage_from};
use crate::support::*;

async fn failed(world: &World, stage: &Stage) -> i64 {
    let id = start(world, stage).await.id;
    work_off(world).await;
    assert_eq!(run(world, id).await.status, RunStatus::Failed);
    id
}

/// Everybody lives in Paris.
async fn in_paris(world: &World) {
    world.write(|conn| batch(conn, "UPDATE members SET time_zone = 'Europe/Paris'")).await;
}

async fn once(name: &str, world: &World) -> Stage {
    let stage = stage(world, name, Mode::Append, |definition| definition.attempts = 1).await;
    create(world, draft(&stage, &daily("18:00"))).await;
    stage
}

on_both! {
    async fn a_trouble_is_one_line_with_what_helps_for_who_may_do_it(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        let id = failed(&world, &words).await;
        let before = world.fingerprint().await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Good evening, Olive").sees("1 import run today; 1 needs you.");
        olive.sees("words failed").sees("There is no file 'words.csv'").sees("Failed at 18:42.");
        assert_eq!(olive.within("#need").count(&format!("a[href='/runs/{id}']")), 1);
        assert_eq!(olive.within("#need").count("li .row :is(a, button)"), 1, "one deed");
        // The clock is the member's.
        olive.everywhere().sees("Thu 8 Oct 2026, 18:42, Europe/Paris");
        // Who only views sees the trouble, and no button that would be refused.
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/").await.sees("1 needs attention.").sees("words failed").sees_no("Run Again").sees("View Summary").sees_no("Tonight");
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit("/").await.sees("words failed").sees_no("Run Again").sees("Tonight");
        let mut stranger = world.browser(&world.stranger).await;
        stranger.visit("/").await.sees_no("words").sees("Elsewhere");
        for part in ["/?part=home", "/?part=going&was=", &format!("/applications/{}", world.application)] {
            assert_eq!(olive.get(part).await.status, 200, "{part}");
        }
        assert_eq!(world.fingerprint().await, before, "looking changes nothing");
        // It is done from here, without a script.
        csv(&world, "words", &[("1", "one")]);
        olive.everywhere().press("Run Again: words failed").await.answered(200).sees("Started: words.");
        // What goes anew needs nobody.
        olive.visit("/").await.sees("Nothing needs attention.").sees("1 waiting");
        work_off(&world).await;
        olive.visit("/").await.sees("2 import runs today; nothing needs you.").sees("Nothing needs attention.");
    }

    async fn what_is_held_is_decided_and_what_was_rejected_is_fixed(world: World) {
        in_paris(&world).await;
        let (stage, held) = hold(&world, |world| many(world, 3)).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let apples = once("apples", &world).await;
        csv(&world, "apples", &[("1", "one"), ("x", "two"), ("y", "three")]);
        start(&world, &apples).await;
        work_off(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("3 import runs today; 2 need you.");
        olive.sees("words is held 3 rows came instead of about 30.").sees("unless someone decides.");
        olive.sees("apples: 2 rows rejected 1 row loaded").sees("Fix 2 rows");
        let text = olive.text();
        assert!(text.find("is held") < text.find("rows rejected"), "what waits for a decision comes first: {text}");
        olive.follow("Decide: words is held").await.sees("3 rows came instead of about 30.");
        assert_eq!(olive.path(), format!("/runs/{}", held.id));
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/").await.sees("is held").sees_no("Decide").sees_no("Fix 2 rows");
        // Its counts, which lead to the list, where they are called and counted the same.
        olive.visit("/").await.within(".stats").sees("Failed 0 of 2 imports Partial 1 Held 1");
        olive.visit("/").await.within(".tbl-stack").sees("FP&A 2026 2 imports, last 18:47");
        olive.follow("1 Held in FP&A 2026").await.sees("words");
        olive.within("#tabs a[aria-current]").sees("Held 1");
        olive.visit("/").await.follow("1 Partial in FP&A 2026").await.sees("apples");
        olive.within("#tabs a[aria-current]").sees("Partial 1");
    }

    async fn the_cause_decides_what_helps(world: World) {
        in_paris(&world).await;
        let server = Server::saying(answer("404 Not Found", "", "no"));
        let web = connection(&world, "Web", "http", json!({ "url": server.url() })).await;
        let mut definition = Definition::new(Mode::Append);
        definition.attempts = 1;
        let words = stage_from(&world, "words", Some(web), definition).await;
        create(&world, draft(&words, &daily("18:00"))).await;
        failed(&world, &words).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit("/").await.within("#need");
        assert_eq!(ada.count(&format!("a.btn[href='/connections/{web}']")), 1);
        // Who may not open the Connection can try again.
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.within("#need").sees("Run Again").sees_no("Check the Connection");
    }

    async fn what_fails_of_its_owner_leads_to_who_takes_it(world: World) {
        in_paris(&world).await;
        once("words", &world).await;
        let (application, now) = (world.application, world.now());
        let una = world
            .write(move |conn| {
                batch(conn, "UPDATE members SET active = FALSE WHERE name = 'Olive'")?;
                let una = cast::member(conn, "Una", "Importer", now)?;
                cast::grant(conn, application, &una, (true, false))?;
                Ok(una)
            })
            .await;
        world.step(owners::unable).await;
        let mut una = world.browser(&una).await;
        una.visit("/").await.within("#need").sees("1 schedule of Olive will fail").sees("Take ownership");
        world.advance(Duration::minutes(80));
        world.step(dispatcher::step).await;
        work_off(&world).await;
        una.visit("/").await.within("#need").sees("words failed").sees("Olive, the Owner of the schedule, is deactivated").sees_no("Run Again");
        una.follow("Take ownership: words failed").await.sees("Olive is deactivated.");
    }

    async fn a_set_that_failed_of_a_step_is_one_line(world: World) {
        in_paris(&world).await;
        let [good, bad] = [once("good", &world).await, once("bad", &world).await];
        csv(&world, "good", &[("1", "one")]);
        let steps = vec![Step::of(good.configuration), Step::of(bad.configuration)];
        let set = make(&world, Execution::Sequential, OnFailure::Stop, steps).await;
        let going = start_set(&world, &set).await;
        work_off(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("1 import run today; 1 needs you.").sees("Month end failed").sees_no("bad failed");
        csv(&world, "bad", &[("1", "one")]);
        olive.press("Run Again: Month end failed").await.answered(200);
        let again: i64 = olive.path().strip_prefix("/runs/").unwrap().parse().unwrap();
        assert_eq!(run(&world, again).await.again_of, Some(going.id));
    }

    async fn what_was_missed_can_be_run_now(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        // Past the grace of an occurrence at 18:00 UTC.
        world.set_clock("2026-10-09T10:00:00Z");
        assert_eq!(world.step(dispatcher::step).await.missed, 1);
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("words was missed Planned for yesterday 20:00.").sees("1 needs you");
        csv(&world, "words", &[("1", "one")]);
        olive.press("Run now: words was missed").await.answered(200);
        work_off(&world).await;
        olive.visit("/").await.sees_no("was missed").sees("nothing needs you");
        let _ = words;
    }

    async fn what_goes_is_shown_and_asks_for_itself(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        csv(&world, "words", &[("1", "one")]);
        start(&world, &words).await;
        work_off(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Nothing is running or waiting.");
        assert_eq!(olive.count("#going[data-hx-get]"), 0, "nothing to ask for");
        let id = start(&world, &words).await.id;
        let (work, go_on) = halting(|| Err(Undone::new("The source did not answer.", Retry::No)));
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        while run(&world, id).await.status != RunStatus::Running {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        olive.visit("/").await.sees("Running 1 import");
        olive.within("#going").sees("words").sees("usually");
        let ask = olive.page().select(&scraper::Selector::parse("#going").unwrap()).next().unwrap()
            .attr("data-hx-get").unwrap().to_owned();
        let same = olive.htmx(&ask).await;
        assert!(same.text().contains("Running now") && !same.body.contains("part=home"), "{}", same.body);
        // An hour later it takes far too long.
        world.advance(Duration::hours(1));
        olive.everywhere().visit("/").await.sees("words is taking long It has been running for 1 h 00 min; it usually takes");
        go_on.send(()).unwrap();
        going.await.unwrap().unwrap();
        let other = olive.htmx(&ask).await;
        assert!(other.body.contains("part=home") && other.body.contains("load"), "the whole is asked for: {}", other.body);
    }

    async fn what_comes_and_tonight_are_said_drawn_and_listed(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        let often = stage(&world, "often", Mode::Append, |_| ()).await;
        create(&world, draft(&often, &every_five())).await;
        csv(&world, "words", &[("1", "one")]);
        start(&world, &words).await;
        work_off(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Next run 18:45 in 3 min, often");
        olive.sees("Tonight 1 run planned, done by about 20:01, plus 1 schedule that runs often");
        olive.sees("20:00 to 07:55: every 5 minutes often 07:56").sees("20:00 words 20:01");
        assert_eq!(olive.count("svg.night path.bar"), 1);
        assert_eq!(olive.count("svg[style], [style]"), 0);
        // Frozen, it is listed and not counted.
        crate::freezes::create(&world, "Close", "2026-10-08T17:50:00Z", "2026-10-09T05:50:00Z", false).await;
        olive.visit("/").await.sees("Nothing is planned except 1 schedule that runs often").sees("20:00 words Skipped: frozen by “Close”");
        // By another clock it is another night: 18:00 UTC is three in the morning.
        let id = world.olive.id;
        world.write(move |conn| batch(conn, &format!("UPDATE members SET time_zone = 'Asia/Tokyo' WHERE id = {id}"))).await;
        olive.visit("/").await.sees("Hello, Olive").sees("Fri 9 Oct 2026, 01:42, Asia/Tokyo").sees("03:00 words");
        // The home page of one Application shares all that.
        olive.visit(&format!("/applications/{}", world.application)).await.sees("Tonight").sees("Needs you").sees("Running now");
    }

    async fn before_the_morning_the_night_that_goes_on_is_shown(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        csv(&world, "words", &[("1", "one")]);
        world.set_clock("2026-10-08T18:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        start(&world, &words).await;
        world.set_clock("2026-10-09T05:30:00Z");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Tonight 1 run so far; nothing more is planned").sees("20:00 words 20:00, Success");
        assert_eq!((olive.count("svg.night path.bar"), olive.count("svg.night path.now"), olive.count(".key-now")), (1, 1, 1));
        world.set_clock("2026-10-09T06:00:00Z");
        olive.visit("/").await.sees("Tonight 1 run planned, done by about 20:01").sees("all done");
    }

    async fn what_ran_by_schedule_is_found_among_much_that_was_started_by_hand(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        csv(&world, "words", &[("1", "one")]);
        world.set_clock("2026-10-08T18:00:01Z");
        world.step(dispatcher::step).await;
        work_off(&world).await;
        world.set_clock("2026-10-09T05:30:00Z");
        let (here, id, at) = (world.application, words.configuration, world.now().micros());
        let by_hand = format!(
            "INSERT INTO runs (uid, application_id, configuration_id, configuration_version, block_id, as_member_id, started_by, \
             trigger_kind, name, status, queued_at, started_at, finished_at, attempt) \
             WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 301) \
             SELECT 'by-hand-' || i, {here}, {id}, 1, {}, {me}, {me}, 'member', 'words', 'success', {at}, {at}, {at}, 1 FROM n",
            words.block,
            me = world.olive.id
        );
        world.write(move |conn| batch(conn, &by_hand)).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Tonight 1 run so far; nothing more is planned").sees("20:00 words 20:00, Success");
    }

    async fn what_broke_for_one_cause_is_one_line(world: World) {
        in_paris(&world).await;
        let [sales, costs, alone] = [once("sales", &world).await, once("costs", &world).await, once("alone", &world).await];
        let id = crate::notifications::incidents::breaks(&world, &sales).await;
        for stage in [&sales, &costs, &alone] {
            failed(&world, stage).await;
        }
        assert_eq!(crate::notifications::incidents::breaks(&world, &costs).await, id);
        let mo = world.mo.id;
        let sql = format!(
            "UPDATE incidents SET taken_by = {mo} WHERE id = {id}; UPDATE incident_targets SET run_id = \
             (SELECT c.status_run_id FROM import_configurations c WHERE 'c' || c.id = target_key)"
        );
        world.write(move |conn| batch(conn, &sql)).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("2 need you").sees("No file matches 2 imports, since 18:42: costs, sales. Mo is on it.");
        olive.sees_no("sales failed").sees_no("costs failed").sees("alone failed");
        assert_eq!(olive.within("#need").count(&format!("a[href='/incidents/{id}']")), 1);
        let mut mo = world.browser(&world.mo).await;
        mo.visit("/").await.sees("View the incident").sees_no("Run all 2 again");
        csv(&world, "sales", &[("1", "one")]);
        csv(&world, "costs", &[("1", "one")]);
        olive.everywhere().press("Run all 2 again: No file matches").await.answered(200);
        work_off(&world).await;
        olive.visit("/").await.sees("1 needs you").sees_no("No file matches").sees("alone failed");
    }

    async fn many_troubles_are_folded(world: World) {
        in_paris(&world).await;
        let words = once("words", &world).await;
        failed(&world, &words).await;
        let id = words.configuration;
        let copies = format!("WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 120) \
            INSERT INTO import_configurations (application_id, name, name_key, block_id, connection_id, status, status_run_id, status_at, created_at) \
            SELECT application_id, 'copy ' || n.i, 'copy ' || n.i, block_id, connection_id, status, status_run_id, status_at, created_at \
            FROM n JOIN import_configurations c ON c.id = {id}");
        world.write(move |conn| batch(conn, &copies)).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("over 100 need you").sees("Show 92 more").sees("Each Application's Import Scheduling shows them all.");
        assert!(olive.get("/").await.body.len() < 300_000);
    }

    async fn an_empty_workspace_says_what_comes_first(world: World) {
        in_paris(&world).await;
        let now = world.now();
        let max = world.write(move |conn| cast::member(conn, "Max", "Modeler", now)).await;
        world.browser(&max).await.visit("/").await.sees("Welcome, Max").sees("Your first Application");
        let una = world.write(move |conn| cast::member(conn, "Una", "Viewer", now)).await;
        world.browser(&una).await.visit("/").await.sees("No Applications yet").sees("Ask Ada").sees_no("Needs you");
        let mut olive = world.browser(&world.olive).await;
        olive.visit("/").await.sees("Welcome, Olive").sees("0 of 3 done").sees("Applications").sees_no("Tonight");
    }
}

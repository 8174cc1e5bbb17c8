//! A run is seen at work: its steps and its log while it goes, and in their order when it is over.

use std::sync::mpsc::{Receiver, Sender, channel};

use serde_json::json;
use tidegate::runs::{LogLine, RunStep, Summary};

use super::*;

/// Work that stops after its first step until somebody lets it go on, and then ends so.
pub struct Halting {
    at: Mutex<Option<Receiver<()>>>,
    then: fn() -> Result<Done, Undone>,
}

pub fn halting(then: fn() -> Result<Done, Undone>) -> (Halting, Sender<()>) {
    let (go_on, at) = channel();
    (Halting { at: Mutex::new(Some(at)), then }, go_on)
}

impl Work for Halting {
    fn perform(&self, app: &App, job: &Job<'_>) -> Result<Done, Undone> {
        let fetch = step(app, "Fetch", "success", "words.csv from Files.");
        job.board.done(std::slice::from_ref(&fetch));
        job.board.update(|report| {
            report.phase = "Reading and loading".into();
            (report.rows, report.bytes, report.bytes_total) = (26, 1_000, Some(4_000));
        });
        let at = self.at.lock().unwrap().take();
        if let Some(at) = at {
            at.recv().unwrap();
        }
        let mut steps = vec![fetch, step(app, "Read", "failed", "26 rows.")];
        match (self.then)() {
            Ok(done) => {
                steps[1].status = "success".into();
                Ok(Done { steps, ..done })
            }
            Err(undone) => Err(Undone { steps, ..undone }),
        }
    }
}

fn step(app: &App, name: &str, status: &str, detail: &str) -> RunStep {
    let (name, status, detail) = (name.to_owned(), status.to_owned(), detail.to_owned());
    RunStep { name, status, detail, started_at: app.now(), duration: Duration::milliseconds(4) }
}

async fn summary(world: &World, id: i64) -> Summary {
    let ada = world.ada.clone();
    world
        .read(move |conn| {
            let by = ada.by(conn)?;
            Ok(actions::summary(conn, &by, id)?.0)
        })
        .await
}

/// Name and status of each step, and the log without its times.
async fn told(world: &World, id: i64) -> (Vec<String>, Vec<String>) {
    let summary = summary(world, id).await;
    let steps = summary.steps.iter().map(|step| format!("{} {}", step.name, step.status)).collect();
    assert!(summary.log.is_sorted_by_key(|line: &LogLine| line.at), "{:#?}", summary.log);
    (steps, summary.log.into_iter().map(|line| line.message).collect())
}

/// Waits until the heartbeat has told of the first step.
async fn seen(world: &World, id: i64) -> (Vec<String>, Vec<String>) {
    for _ in 0..200 {
        let told = told(world, id).await;
        if !told.0.is_empty() {
            return told;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("nothing was told of run {id}");
}

on_both! {
    async fn steps_and_log_are_told_while_it_goes_and_once_in_the_end(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let id = start(&world, &stage).await.id;
        let (work, go_on) = halting(|| Ok(added(2)));
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        let began = ["Attempt 1 started.", "Fetch: words.csv from Files."];
        assert_eq!(seen(&world, id).await, (vec!["Fetch success".into()], began.map(String::from).to_vec()));
        // For a script as for people.
        let log = world.api(&world.olive).await.get(&format!("runs/{id}/log")).await;
        let lines: Vec<_> = log.items().iter().map(|line| line["message"].as_str().unwrap()).collect();
        assert_eq!(lines, began);
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{id}")).await;
        mo.sees("Fetch").sees("26 rows, 1.0 kB of 4.0 kB").sees("Not yet");
        assert_eq!(mo.count("#progress progress[value='1000'][max='4000']"), 1);
        go_on.send(()).unwrap();
        going.await.unwrap().unwrap();
        let (steps, log) = told(&world, id).await;
        assert_eq!(steps, ["Fetch success", "Read success"]);
        assert_eq!(log, [began[0], began[1], "Read: 26 rows.", "Success"]);
    }

    async fn what_was_broken_off_is_no_failure(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let id = start(&world, &stage).await.id;
        let (work, go_on) = halting(|| refused(Retry::No));
        let app = world.app().clone();
        let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
        seen(&world, id).await;
        try_cancel(&world, id).await.unwrap();
        // The heartbeat looks every half second.
        tokio::time::sleep(std::time::Duration::from_millis(1_200)).await;
        go_on.send(()).unwrap();
        going.await.unwrap().unwrap();
        let (steps, log) = told(&world, id).await;
        assert_eq!(steps, ["Fetch success", "Read cancelled"]);
        assert_eq!(log.last().unwrap(), "Cancelled");
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{id}")).await;
        assert_eq!((olive.count(".pip.is-bad"), olive.count(".pip.is-idle")), (0, 1));
    }

    async fn what_a_worker_told_outlives_it(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 2).await;
        let id = start(&world, &stage).await.id;
        for attempt in 1..=2 {
            let (work, go_on) = halting(|| refused(Retry::Unknown));
            let app = world.app().clone();
            let going = tokio::task::spawn_blocking(move || executor::step_with(&app, &work));
            let fetches = |log: &[String]| log.iter().filter(|line| line.starts_with("Fetch")).count();
            let mut looks = 0;
            while fetches(&told(&world, id).await.1) < attempt {
                looks += 1;
                assert!(looks < 200, "nothing was told of attempt {attempt}");
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
            go_on.send(()).unwrap();
            going.await.unwrap().unwrap();
            world.advance(Duration::minutes(2));
            let rescued = world.step(rescue::step).await;
            assert_eq!((rescued.queued_again, rescued.ended), if attempt == 1 { (1, 0) } else { (0, 1) });
            let (steps, log) = told(&world, id).await;
            assert_eq!(steps, ["Fetch success"]);
            assert_eq!(fetches(&log), attempt, "{log:#?}");
        }
    }

    async fn each_step_has_its_own_start_and_its_own_end(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        let (steps, log) = told(&world, id).await;
        assert_eq!(steps, ["Fetch success", "Read success", "Map and check success", "Load success"]);
        assert_eq!(log.last().unwrap(), "Partial");
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{id}")).await;
        assert_eq!(mo.count(".pip.is-warn"), 1, "rows were rejected in the check");
        let summary = summary(&world, id).await;
        let starts: Vec<_> = summary.steps.iter().map(|step| step.started_at).collect();
        assert!(starts[1..].windows(2).all(|pair| pair[0] < pair[1]), "{starts:?}");

        // What is wrong with the columns is found before anything is loaded.
        std::fs::write(world.folder().join("words.csv"), "id,wort\n1,one\n").unwrap();
        let map = json!({"mapping": [{"from": "id", "to": "id"}, {"from": "word", "to": "word"}]});
        let olive = world.api(&world.olive).await;
        olive.patch(&format!("import-configurations/{}", stage.configuration), map).await.is(200);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        assert_eq!(told(&world, id).await.0, ["Fetch success", "Map and check failed"]);
        let mut browser = world.browser(&world.olive).await;
        browser.visit(&format!("/runs/{id}")).await;
        let mapping = format!("a.btn-primary[href$='/import-configurations/{}#mapping']", stage.configuration);
        assert_eq!(browser.count(&mapping), 1, "the way to the mapping leads");
        assert_eq!(browser.count("form[action$='/again'] .btn-primary"), 0);

        // A file that is not there is the import's to name: that leads, for who may see the Connection too.
        std::fs::remove_file(world.folder().join("words.csv")).unwrap();
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        browser.visit(&format!("/runs/{id}")).await;
        assert_eq!(told(&world, id).await.0, ["Find failed"]);
        let mut ada = world.browser(&world.ada).await;
        for who in [&mut browser, &mut ada] {
            who.visit(&format!("/runs/{id}")).await;
            assert_eq!(who.count("a.btn-primary[href$='#source-t']"), 1);
            assert_eq!(who.count("a[href^='/connections/']"), 0);
        }
    }

    async fn times_are_said_once_and_runs_lead_to_each_other(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        for _ in 0..3 {
            let id = start(&world, &stage).await.id;
            attempt(&world, &Script::of([Ok(added(1))])).await;
            assert_eq!(run(&world, id).await.status, RunStatus::Success);
        }
        let all = runs(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{}", all[1].id)).await;
        olive.sees("Waited").sees_no("Started late by").sees("< 1 ms");
        assert_eq!(olive.text().matches("UTC").count(), 1);
        assert_eq!(olive.count(".times tbody td br"), 1, "a date is said where it is another");
        olive.sees("Previous run").sees("Next run");
        olive.follow("Run 3").await;
        assert_eq!(olive.path(), format!("/runs/{}", all[2].id));
        olive.sees_no("Next run");
        olive.follow("Run 2").await;
        assert_eq!(olive.path(), format!("/runs/{}", all[1].id));

        create(&world, draft(&stage, &daily("18:00"))).await;
        world.set_clock("2026-10-09T16:00:00Z");
        world.step(dispatcher::step).await;
        attempt(&world, &Script::of([Ok(added(1))])).await;
        olive.visit(&format!("/runs/{}", all[2].id + 1)).await;
        olive.sees("Missed").sees("Never").sees_no("Waited");
    }
}

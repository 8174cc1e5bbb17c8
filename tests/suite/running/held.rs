//! Stopped by the volume guard: the Block is as it was until somebody decides, and each such run is decided once.

use std::future::Future;

use serde_json::json;
use tidegate::applications::blocks::generations::{self, State};
use tidegate::applications::blocks::ledger::{self, LoadState};
use tidegate::clock::Moment;
use tidegate::db::schema::{audit_log, import_configurations, run_holds, run_leases as leases};
use tidegate::imports::guard::Guard;
use tidegate::imports::{ConfigurationStatus, Definition};
use tidegate::runs::work::Import;
use tidegate::runs::{deciding, decisions};

use super::settling::{file, moved, steps};
use super::*;

const ROWS: i64 = 30;

/// Writes "words.csv" with so many rows.
pub fn many(world: &World, count: i64) {
    let rows: Vec<(String, String)> = (1..=count).map(|n| (n.to_string(), format!("word {n}"))).collect();
    let rows: Vec<(&str, &str)> = rows.iter().map(|(id, word)| (id.as_str(), word.as_str())).collect();
    csv(world, "words", &rows);
}

/// A header alone.
pub fn empty(world: &World) {
    many(world, 0);
}

fn nothing_at_all(world: &World) {
    std::fs::write(world.folder().join("words.csv"), "").unwrap();
}

fn three(world: &World) {
    many(world, 3);
}

/// A Block of 30 rows by Replace, and a run that is held because `less` comes.
pub async fn hold(world: &World, less: fn(&World)) -> (Stage, Run) {
    hold_with(world, less, |_| ()).await
}

async fn hold_with(world: &World, less: fn(&World), change: fn(&mut Definition)) -> (Stage, Run) {
    let stage = stage(world, "words", Mode::Replace, change).await;
    many(world, ROWS);
    start(world, &stage).await;
    work_off(world).await;
    assert_eq!(rows(world, stage.block), ROWS);
    world.advance(Duration::minutes(5));
    less(world);
    let started = start(world, &stage).await;
    work_off(world).await;
    (stage, run(world, started.id).await)
}

async fn decide(world: &World, by: &Person, id: i64, approves: bool) -> Result<Run> {
    let (by, now) = (by.clone(), world.now());
    world
        .try_write(move |conn| {
            let by = by.by(conn)?;
            if approves { decisions::approve(conn, &by, id, now) } else { decisions::reject(conn, &by, id, now) }
        })
        .await
}

fn approve<'a>(world: &'a World, id: i64) -> impl Future<Output = Result<Run>> + 'a {
    decide(world, &world.olive, id, true)
}

async fn status(world: &World, stage: &Stage) -> ConfigurationStatus {
    let id = stage.configuration;
    let read = move |conn: &mut tidegate::db::Conn| {
        let row = import_configurations::table.find(id).select(import_configurations::status);
        Ok(row.first::<Option<ConfigurationStatus>>(conn)?)
    };
    world.read(read).await.unwrap()
}

/// What is kept of holds: rows, generations that are held, and what the ledger says of the run.
async fn kept(world: &World, stage: &Stage, run: &Run) -> (i64, usize, Option<LoadState>) {
    let holds = world.read(|conn| Ok(run_holds::table.count().get_result::<i64>(conn)?)).await;
    let (uid, block) = (run.uid.clone(), stage.block);
    let (held, row) = world
        .app()
        .blocks
        .read(|conn| {
            let held = generations::of_run(conn, &uid, State::Held)?;
            Ok((held.len(), ledger::ledger(conn, &uid, block)?))
        })
        .unwrap();
    (holds, held, row.map(|row| row.state))
}

fn conflict(result: Result<Run>) -> String {
    match result {
        Err(AppError::Conflict(words)) => words,
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn an_empty_file_by_night_is_held_and_the_block_is_as_it_was(world: World) {
        for (less, bytes) in [(empty as fn(&World), true), (nothing_at_all, false)] {
            let (stage, held) = match bytes {
                true => hold(&world, less).await,
                false => {
                    let stage = stage(&world, "again", Mode::Replace, |d| d.source.path = Some("words.csv".into())).await;
                    many(&world, ROWS);
                    start(&world, &stage).await;
                    work_off(&world).await;
                    create(&world, draft(&stage, &daily("02:10"))).await;
                    less(&world);
                    world.set_clock("2026-10-10T02:10:00Z");
                    world.step(dispatcher::step).await;
                    work_off(&world).await;
                    (stage, runs(&world).await.pop().unwrap())
                }
            };
            assert_eq!(held.status, RunStatus::Held, "{held:?}");
            let said = "The source has no rows, and the Block holds 30. The Block is unchanged until somebody approves or \
                        rejects the load.";
            assert_eq!((held.reason.as_deref(), held.cause.as_deref()), (Some(said), None));
            let hold = held.hold.unwrap();
            assert_eq!((hold.stopped.rows, hold.stopped.usual), (0, ROWS));
            assert_eq!(hold.until, held.finished_at.unwrap().plus(Duration::days(7)));
            let result = held.result.clone().unwrap();
            assert_eq!((result.read, result.added, result.removed), (0, 0, 0), "nothing was done");
            assert_eq!((rows(&world, stage.block), status(&world, &stage).await), (ROWS, ConfigurationStatus::Held));
            assert!(outcomes(&world).await.contains(&held.id), "it is told");
        }
    }

    async fn what_is_approved_becomes_visible(world: World) {
        let (stage, held) = hold_with(&world, three, moved).await;
        assert_eq!(held.hold.unwrap().stopped.rows, 3);
        assert_eq!(kept(&world, &stage, &held).await, (1, 1, Some(LoadState::Held)));
        assert!(file(&world, "words.csv").exists(), "its file is not done with");
        world.advance(Duration::days(6));
        world.step(rescue::step).await;
        let waiting = approve(&world, held.id).await.unwrap();
        assert_eq!((waiting.status, waiting.finished_at), (RunStatus::Queued, None));
        assert_eq!(rows(&world, stage.block), ROWS);
        work_off(&world).await;
        let ended = run(&world, held.id).await;
        assert_eq!((ended.status, ended.hold), (RunStatus::Success, None));
        assert_eq!((ended.started_at, ended.finished_at), (held.started_at, held.finished_at), "when it ran");
        assert_eq!(ended.reason.as_deref(), Some("Held by the volume guard, then approved by Olive."));
        let result = ended.result.clone().unwrap();
        assert_eq!((result.read, result.added, result.removed, result.rejected), (3, 3, ROWS, 0));
        assert_eq!(result.source_name.as_deref(), Some("words.csv"));
        assert_eq!((rows(&world, stage.block), status(&world, &stage).await), (3, ConfigurationStatus::Success));
        assert_eq!(kept(&world, &stage, &ended).await, (0, 0, Some(LoadState::Visible)));
        let steps = steps(&world, held.id).await;
        let names: Vec<&str> = steps.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["Fetch", "Read", "Map and check", "Load", "Approve", "Move"]);
        assert_eq!(steps[4].1, "Approved by Olive. 3 rows added, 30 removed.");
        assert!(!file(&world, "words.csv").exists());
        // The next one is no less than usual.
        many(&world, 2);
        let next = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, next.id).await.status, RunStatus::Success, "few rows are not guarded");
        let done = world.read(|conn| Ok(audit_log::table.select(audit_log::action).load::<String>(conn)?)).await;
        assert!(done.iter().any(|action| action == "run.approved"), "{done:?}");
    }

    async fn what_is_rejected_is_failed_and_gone(world: World) {
        let (stage, held) = hold_with(&world, three, moved).await;
        let ended = decide(&world, &world.ada, held.id, false).await.unwrap();
        assert_eq!(ended.status, RunStatus::Failed);
        let cause = "Rejected by Ada. 3 rows came instead of about 30. The Block is unchanged.";
        assert_eq!((ended.cause.as_deref(), ended.finished_at), (Some(cause), held.finished_at));
        world.step(rescue::step).await;
        assert_eq!(kept(&world, &stage, &held).await, (0, 0, Some(LoadState::Dropped)));
        assert_eq!((rows(&world, stage.block), status(&world, &stage).await), (ROWS, ConfigurationStatus::Failed));
        assert!(file(&world, "words.csv").exists());
        assert!(conflict(approve(&world, held.id).await).contains("Failed. Rejected by Ada."));
        // It can be run again, and is held again.
        let again = try_again(&world, held.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!(run(&world, again.id).await.status, RunStatus::Held);
    }

    async fn a_newer_run_of_the_block_takes_its_place(world: World) {
        let (stage, held) = hold(&world, three).await;
        // One that is held as well, and one of which nothing came.
        let second = start(&world, &stage).await;
        work_off(&world).await;
        let first = run(&world, held.id).await;
        assert_eq!(first.status, RunStatus::Failed);
        assert!(first.cause.as_deref().unwrap().starts_with("Superseded: a newer run of the same Block"), "{first:?}");
        assert_eq!(run(&world, second.id).await.status, RunStatus::Held);
        std::fs::remove_file(file(&world, "words.csv")).unwrap();
        start(&world, &stage).await;
        work_off(&world).await;
        let second = run(&world, second.id).await;
        assert_eq!((second.status, status(&world, &stage).await), (RunStatus::Held, ConfigurationStatus::Failed));
        many(&world, ROWS + 1);
        let third = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, second.id).await.status, RunStatus::Failed);
        assert_eq!((rows(&world, stage.block), status(&world, &stage).await), (ROWS + 1, ConfigurationStatus::Success));
        world.step(rescue::step).await;
        assert_eq!(kept(&world, &stage, &second).await, (0, 0, Some(LoadState::Dropped)));
        assert!(matches!(try_again(&world, second.id).await, Err(AppError::Conflict(_))), "it is not the latest");
        assert_eq!(try_again(&world, third.id).await.unwrap().run.status, RunStatus::Queued);
    }

    async fn an_approval_that_comes_too_late_loads_nothing(world: World) {
        let (stage, held) = hold(&world, three).await;
        many(&world, ROWS + 1);
        start(&world, &stage).await;
        let newer = world.step(executor::take).await.unwrap();
        approve(&world, held.id).await.unwrap();
        assert!(world.step(executor::take).await.is_none(), "the newer one writes the Block");
        world.step(move |app| executor::see_through(app, newer, &Import)).await;
        work_off(&world).await;
        let ended = run(&world, held.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.as_deref().unwrap().starts_with("Superseded"), "{ended:?}");
        assert_eq!((rows(&world, stage.block), status(&world, &stage).await), (ROWS + 1, ConfigurationStatus::Success));
        assert_eq!(kept(&world, &stage, &ended).await.0, 0);
    }

    async fn after_seven_days_it_is_failed(world: World) {
        let (stage, held) = hold(&world, three).await;
        let until = held.hold.unwrap().until;
        world.clock().set(until.minus(Duration::microseconds(1)));
        world.step(rescue::step).await;
        assert_eq!(run(&world, held.id).await.status, RunStatus::Held);
        world.clock().set(until);
        assert!(conflict(approve(&world, held.id).await).contains("7 days"));
        world.step(rescue::step).await;
        let ended = run(&world, held.id).await;
        assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Failed, ROWS));
        assert!(ended.cause.unwrap().starts_with("Nobody approved or rejected the load within 7 days."));
        assert_eq!(kept(&world, &stage, &held).await, (0, 0, Some(LoadState::Dropped)));
    }

    async fn killed_between_the_approval_and_the_commit_it_is_loaded_after_all(world: World) {
        let (stage, held) = hold(&world, three).await;
        for (kill, when) in ["before", "after"].into_iter().enumerate() {
            if kill == 0 {
                approve(&world, held.id).await.unwrap();
            }
            let taken = world.step(executor::take).await.unwrap();
            let loads = when == "after";
            let (begins, begun) = std::sync::mpsc::channel();
            let begins = Mutex::new(begins);
            // The worker dies: its lease is not given back.
            let work = Midway(move |app: &App, job: &Job<'_>| {
                if loads {
                    Import.perform(app, job).unwrap();
                }
                begins.lock().unwrap().send(()).unwrap();
                refused(Retry::Unknown)
            });
            world.step(move |app| executor::see_through(app, taken, &work)).await;
            begun.recv().unwrap();
            assert_eq!(run(&world, held.id).await.status, RunStatus::Running);
            assert_eq!(rows(&world, stage.block), if loads { 3 } else { ROWS });
            world.advance(Duration::minutes(2));
            world.step(rescue::step).await;
            let expected = if loads { RunStatus::Success } else { RunStatus::Queued };
            assert_eq!(run(&world, held.id).await.status, expected, "{when}");
        }
        let ended = run(&world, held.id).await;
        assert_eq!(ended.finished_at, held.finished_at);
        assert_eq!(kept(&world, &stage, &ended).await, (0, 0, Some(LoadState::Visible)));
        let open = world.read(|conn| Ok(leases::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(open, 0);
    }

    async fn a_restart_leaves_it_held(world: World) {
        let (stage, held) = hold(&world, three).await;
        let next = second_process(&world).await;
        let (again, app) = (next.clone(), next);
        tokio::task::spawn_blocking(move || rescue::at_start(&again)).await.unwrap().unwrap();
        tokio::task::spawn_blocking(move || tidegate::recovery::at_start(&app)).await.unwrap().unwrap();
        assert_eq!(kept(&world, &stage, &held).await, (1, 1, Some(LoadState::Held)));
        approve(&world, held.id).await.unwrap();
        let next = second_process(&world).await;
        tokio::task::spawn_blocking(move || executor::step(&next)).await.unwrap().unwrap();
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Success, 3));
    }

    async fn of_two_who_decide_at_once_one_wins_and_the_other_is_told(world: World) {
        for round in 0..10 {
            let (stage, held) = if round == 0 {
                hold(&world, three).await
            } else {
                let stage = Stage { ..stages(&world).await };
                many(&world, ROWS);
                start(&world, &stage).await;
                work_off(&world).await;
                many(&world, 3);
                let started = start(&world, &stage).await;
                work_off(&world).await;
                (stage, run(&world, started.id).await)
            };
            assert_eq!(held.status, RunStatus::Held);
            let (yes, no) = tokio::join!(approve(&world, held.id), decide(&world, &world.ada, held.id, false));
            work_off(&world).await;
            let ended = run(&world, held.id).await;
            match (yes, no) {
                (Ok(_), Err(AppError::Conflict(_))) => {
                    assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Success, 3));
                }
                (Err(AppError::Conflict(told)), Ok(_)) => {
                    assert!(told.contains("Rejected by Ada."), "{told}");
                    assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Failed, ROWS));
                }
                other => panic!("{other:?}"),
            }
        }
    }

    async fn only_who_may_import_decides(world: World) {
        let (stage, held) = hold(&world, three).await;
        for (person, hidden) in [(&world.mo, false), (&world.ivy, false), (&world.audrey, false), (&world.stranger, true)] {
            for approves in [true, false] {
                match decide(&world, person, held.id, approves).await {
                    Err(AppError::Forbidden(_)) => assert!(!hidden),
                    Err(AppError::NotFound) => assert!(hidden),
                    other => panic!("{}: {other:?}", person.name),
                }
            }
        }
        let mut mo = world.browser(&world.mo).await;
        mo.visit(&format!("/runs/{}", held.id)).await.sees("3 rows came instead of about 30.").sees_no("Reject and keep");
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Held, ROWS));
        let read = world.api_with_scopes(&world.olive, Some(&["read"])).await;
        read.post(&format!("runs/{}/approve", held.id), json!({})).await.is(403);
    }

    async fn cancelled_before_it_is_visible_it_waits_again(world: World) {
        let (stage, held) = hold(&world, three).await;
        approve(&world, held.id).await.unwrap();
        let back = try_cancel(&world, held.id).await.unwrap();
        assert_eq!((back.status, back.finished_at), (RunStatus::Held, held.finished_at));
        assert!(back.reason.unwrap().ends_with("Olive took the approval back."));
        approve(&world, held.id).await.unwrap();
        // What fails in our own database leaves it held as well.
        let taken = world.step(executor::take).await.unwrap();
        let work = Midway(|_: &App, _: &Job<'_>| refused(Retry::No));
        world.step(move |app| executor::see_through(app, taken, &work)).await;
        let back = run(&world, held.id).await;
        assert_eq!((back.status, back.hold.unwrap().approved_by), (RunStatus::Held, None));
        assert!(back.reason.unwrap().contains("The source did not answer."));
        assert_eq!(kept(&world, &stage, &held).await, (1, 1, Some(LoadState::Held)));
        approve(&world, held.id).await.unwrap();
        work_off(&world).await;
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Success, 3));
    }

    async fn by_api_and_by_page(world: World) {
        let (stage, held) = hold(&world, three).await;
        let olive = world.api(&world.olive).await;
        let one = format!("runs/{}", held.id);
        let json = olive.get(&one).await.is(200).json.clone();
        let until: Moment = held.hold.unwrap().until;
        assert_eq!(json["held"], json!({"until": until.rfc3339(), "rows": 3, "usual": ROWS}));
        assert_eq!((&json["status"], &json["rows"]["added"]), (&json!("held"), &json!(0)));
        assert_eq!(olive.get("runs?status=held").await.is(200).items().len(), 1);
        let configuration = format!("import-configurations/{}", stage.configuration);
        olive.delete(&configuration).await.is(409);
        olive.post(&format!("{one}/again"), json!({})).await.is(409);
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/applications/{}/settings/import-scheduling", world.application)).await;
        page.sees("3 rows came instead of about 30.").sees("Held");
        page.visit(&format!("/applications/{}/settings/import-configurations/{}/history?status=held", world.application, stage.configuration)).await;
        page.sees("Held");
        page.visit(&format!("/runs/{}", held.id)).await.sees("3 rows came instead of about 30. Load them?");
        page.sees("which would then hold 3 rows instead of 30");
        page.follow("Approve and load 3 rows").await;
        page.sees("Replace all rows of words?");
        page.press("Approve and load 3 rows").await;
        page.sees("Approved: words.");
        olive.post(&format!("{one}/approve"), json!({})).await.is(409);
        olive.post(&format!("{one}/reject"), json!({})).await.is(409);
        // An old link leads to what was decided.
        page.visit(&format!("/runs/{}/approve", held.id)).await.sees("not waiting for a decision");
        work_off(&world).await;
        assert_eq!(olive.get(&one).await.json["held"], json!(null));
        assert_eq!(rows(&world, stage.block), 3);
        // Off, one at a time, and by API.
        for (sent, kept) in [
            (json!({"guard": {"max_drop_percent": 101}}), None),
            (json!({"guard": {"max_drop_percent": 20}}), Some(json!({"max_drop_percent": 20}))),
            (json!({"guard": {"max_drop_percent": null}}), Some(json!({"max_drop_percent": null}))),
            (json!({"guard": null}), Some(json!({"max_drop_percent": 50}))),
        ] {
            let answer = olive.patch(&configuration, sent).await;
            match kept {
                Some(kept) => assert_eq!(answer.is(200).json["guard"], kept),
                None => assert_eq!(answer.is(422).wrong_fields(), ["guard.max_drop_percent"]),
            }
        }
        many(&world, ROWS);
        start(&world, &stage).await;
        work_off(&world).await;
        three(&world);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        let rejected = olive.post(&format!("runs/{id}/reject"), json!({})).await;
        assert_eq!((&rejected.is(202).json["status"], &rejected.json["held"]), (&json!("failed"), &json!(null)));
    }

    async fn the_limit_is_the_configurations(world: World) {
        let (stage, all) = hold_with(&world, three, |d| d.guard = Guard::OFF).await;
        assert_eq!((all.status, rows(&world, stage.block)), (RunStatus::Success, 3));
        let mut page = world.browser(&world.olive).await;
        let here = format!("/applications/{}/settings/import-configurations/{}", world.application, stage.configuration);
        let label = "By the Replace modes, ask before the Block loses more than this percentage of its rows";
        page.visit(&here).await;
        assert_eq!(page.value(label), "");
        page.fill(label, "0").press("Save").await.answered(422).sees("from 1 to 100");
        page.fill(label, "10").press("Save").await.sees("Saved");
        many(&world, ROWS);
        start(&world, &stage).await;
        work_off(&world).await;
        for (count, status) in [(27, RunStatus::Success), (24, RunStatus::Held)] {
            many(&world, count);
            let started = start(&world, &stage).await;
            work_off(&world).await;
            assert_eq!(run(&world, started.id).await.status, status, "{count} of {ROWS}");
        }
        world.step(deciding::step).await;
    }

    async fn a_long_load_is_held_as_well(world: World) {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        many(&world, 60_000);
        start(&world, &stage).await;
        work_off(&world).await;
        many(&world, 25_000);
        let started = start(&world, &stage).await;
        work_off(&world).await;
        let held = run(&world, started.id).await;
        assert_eq!((held.status, rows(&world, stage.block)), (RunStatus::Held, 60_000));
        world.step(rescue::step).await;
        approve(&world, held.id).await.unwrap();
        work_off(&world).await;
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Success, 25_000));
    }

    async fn a_column_that_came_meanwhile_is_there_when_it_is_approved(world: World) {
        use tidegate::applications::blocks::{self, ColumnDraft};
        use tidegate::db::Conn;
        use tidegate::formats::ColumnType;
        let (stage, held) = hold(&world, three).await;
        let (app, block, now) = (world.app().clone(), stage.block, world.now());
        let column = ColumnDraft::new("note", ColumnType::Text);
        let grown = move |conn: &mut Conn| {
            let mut draft = blocks::as_draft(&blocks::find(conn, block)?);
            draft.columns.push(column);
            blocks::edit(conn, &app.blocks, block, None, draft, now)
        };
        world.read(grown).await;
        approve(&world, held.id).await.unwrap();
        work_off(&world).await;
        assert_eq!((run(&world, held.id).await.status, rows(&world, stage.block)), (RunStatus::Success, 3));
        let olive = world.api(&world.olive).await;
        assert_eq!(olive.get(&format!("blocks/{block}/rows")).await.is(200).items().len(), 3);
    }
}

/// The stage that is there already.
async fn stages(world: &World) -> Stage {
    let (configuration, block, connection) = world
        .read(|conn| {
            let row = import_configurations::table.order(import_configurations::id).select((
                import_configurations::id,
                import_configurations::block_id,
                import_configurations::connection_id,
            ));
            Ok(row.first::<(i64, i64, Option<i64>)>(conn)?)
        })
        .await;
    Stage { block, connection: connection.unwrap(), configuration }
}

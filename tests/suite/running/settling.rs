//! What becomes of a file after its load: moved, deleted, or left with a word why.

use std::path::PathBuf;

use tidegate::db::schema::connections;
use tidegate::imports::{AfterSuccess, Definition};
use tidegate::runs::work::Import;

use super::*;
use crate::support::seed::batch;

pub fn moved(definition: &mut Definition) {
    definition.source.after_success = AfterSuccess::Move;
    definition.source.move_to = Some("done/november".into());
}

fn deleted(definition: &mut Definition) {
    definition.source.after_success = AfterSuccess::Delete;
}

pub fn file(world: &World, name: &str) -> PathBuf {
    world.folder().join(name)
}

pub async fn set_settings(world: &World, text: String) {
    let set = move |conn: &mut tidegate::db::Conn| {
        Ok(diesel::update(connections::table).set(connections::settings.eq(text)).execute(conn)?)
    };
    world.write(set).await;
}

pub async fn steps(world: &World, id: i64) -> Vec<(String, String)> {
    let ada = world.ada.clone();
    let summary = world
        .read(move |conn| {
            let by = ada.by(conn)?;
            Ok(actions::summary(conn, &by, id)?.0)
        })
        .await;
    summary.steps.into_iter().map(|step| (step.name, step.detail)).collect()
}

on_both! {
    async fn a_file_is_moved_after_a_success_and_the_next_run_finds_none(world: World) {
        let stage = stage(&world, "words", Mode::Append, moved).await;
        csv(&world, "words", &[("1", "one")]);
        let first = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, first.id).await;
        assert_eq!((ended.status, ended.reason), (RunStatus::Success, None));
        assert!(!file(&world, "words.csv").exists() && file(&world, "done/november/words.csv").exists());
        assert_eq!(steps(&world, first.id).await.last().unwrap().1, "Moved to done/november/words.csv.");
        let second = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, second.id).await.status, RunStatus::Failed);
        assert_eq!(rows(&world, stage.block), 1, "it was appended once");
        // The next file of that name stands beside the first.
        csv(&world, "words", &[("2", "two")]);
        let third = start(&world, &stage).await;
        work_off(&world).await;
        let beside = format!("done/november/run-{}-words.csv", third.id);
        assert_eq!(steps(&world, third.id).await.last().unwrap().1, format!("Moved to {beside}."));
        assert!(std::fs::read_to_string(file(&world, "done/november/words.csv")).unwrap().contains("one"));
    }

    async fn a_file_is_deleted_after_a_success(world: World) {
        let stage = stage(&world, "words", Mode::Append, deleted).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
        assert!(!file(&world, "words.csv").exists());
        assert_eq!(steps(&world, started.id).await.last().unwrap(), &("Delete".to_owned(), "Deleted words.csv.".to_owned()));
    }

    async fn a_file_of_which_a_row_was_rejected_is_left(world: World) {
        let stage = stage(&world, "words", Mode::Append, deleted).await;
        csv(&world, "words", &[("1", "one"), ("no number", "two")]);
        let started = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        let left = "The file was not deleted, because some of its rows were rejected.";
        assert_eq!((ended.status, ended.reason.as_deref()), (RunStatus::Partial, Some(left)));
        assert!(file(&world, "words.csv").exists());
    }

    async fn a_file_that_a_failed_run_read_is_left(world: World) {
        let stage = stage(&world, "words", Mode::Replace, deleted).await;
        csv(&world, "words", &[("no number", "two")]);
        let started = start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Failed);
        assert!(file(&world, "words.csv").exists());
    }

    async fn who_takes_a_run_over_whose_load_is_visible_moves_its_file(world: World) {
        for worker_moved_it in [false, true] {
            let name = if worker_moved_it { "late" } else { "early" };
            let stage = stage(&world, name, Mode::Append, moved).await;
            csv(&world, name, &[("1", "one")]);
            let started = start(&world, &stage).await;
            let taken = world.step(executor::take).await.unwrap();
            let fence = taken.fence;
            let (here, there) =
                (file(&world, &format!("{name}.csv")), file(&world, &format!("done/november/{name}.csv")));
            let (back, from) = (here.clone(), there.clone());
            // The worker dies after the load: before it could move the file, or just after.
            let work = Midway(move |app: &App, job: &Job<'_>| {
                let done = Import.perform(app, job);
                if !worker_moved_it {
                    std::fs::rename(&from, &back).unwrap();
                }
                app.db.write(|conn| {
                    diesel::update(run_leases::table.find(job.run.id)).set(run_leases::fence.eq(-1)).execute(conn)?;
                    Ok(())
                }).unwrap();
                done
            });
            world.step(move |app| executor::see_through(app, taken, &work)).await;
            world.write(move |conn| {
                diesel::update(run_leases::table).set(run_leases::fence.eq(fence)).execute(conn)?;
                Ok(())
            }).await;
            world.advance(Duration::minutes(2));
            assert_eq!(world.step(rescue::step).await.finished, 1);
            assert!(!here.exists() && there.exists());
            assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
            let told = format!("Moved to done/november/{name}.csv.");
            assert_eq!(steps(&world, started.id).await, [("Move".to_owned(), told)]);
        }
    }

    async fn a_worker_that_died_before_its_load_moves_nothing(world: World) {
        let stage = stage(&world, "words", Mode::Append, moved).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        let id = world.step(executor::take).await.unwrap().run.id;
        let (configuration, block, connection) = (stage.configuration, stage.block, stage.connection);
        world.write(move |conn| batch(conn, &format!(
            "INSERT INTO run_intents (run_id, configuration_id, configuration_version, block_id, connection_id, path, stamp) \
             VALUES ({id}, {configuration}, 1, {block}, {connection}, 'words.csv', '?')"
        ))).await;
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.queued_again, 1);
        assert!(file(&world, "words.csv").exists());
        work_off(&world).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
        assert!(file(&world, "done/november/words.csv").exists(), "by the second attempt");
        assert_eq!(rows(&world, stage.block), 1);
    }

    async fn a_folder_to_move_to_that_is_a_file_is_said(world: World) {
        let stage = stage(&world, "words", Mode::Append, moved).await;
        csv(&world, "words", &[("1", "one")]);
        std::fs::write(file(&world, "done"), "in the way").unwrap();
        let started = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Success);
        let reason = ended.reason.unwrap();
        assert!(reason.starts_with("The rows were loaded, but the file was not moved. "), "{reason}");
        assert!(reason.ends_with("The next run tries again and does not load the same file a second time, unless the import is changed first."));
        assert!(file(&world, "words.csv").exists());
        // Who runs it again wants it loaded: in the place of what it had loaded.
        let again = try_again(&world, started.id).await.unwrap().run;
        work_off(&world).await;
        assert_eq!((run(&world, again.id).await.result.unwrap().added, rows(&world, stage.block)), (1, 1));
        // It lasts, also over a start of the server.
        world.step(rescue::at_start).await;
        let third = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, third.id).await;
        let nothing = format!("Nothing new: run {} had already loaded this file, which still could not be moved.", again.id);
        assert!(ended.reason.unwrap().starts_with(&nothing));
        assert_eq!((ended.status, rows(&world, stage.block)), (RunStatus::Success, 1));
        // Out of the way: it is moved, and nobody misses the next one.
        std::fs::remove_file(file(&world, "done")).unwrap();
        let fourth = start(&world, &stage).await;
        work_off(&world).await;
        assert!(file(&world, "done/november/words.csv").exists());
        assert_eq!((run(&world, fourth.id).await.status, rows(&world, stage.block)), (RunStatus::Success, 1));
        let told = format!(" Run {} tried it again: Moved to done/november/words.csv.", fourth.id);
        assert!(run(&world, again.id).await.reason.unwrap().ends_with(&told));
        csv(&world, "words", &[("2", "two")]);
        start(&world, &stage).await;
        work_off(&world).await;
        assert_eq!(rows(&world, stage.block), 2, "the next file is loaded as ever");
    }
}

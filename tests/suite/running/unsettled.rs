//! What a run could not do to its file, and what the next runs of the import make of it: the same file is loaded once,
//! and no other file is taken for it.

use tidegate::db::schema::{connections, import_configurations, run_intents};
use tidegate::imports::{self, AfterSuccess, Draft, Mapping};
use tidegate::runs::retention;
use tidegate::runs::work::Import;

use super::settling::{file, moved, set_settings, steps};
use super::*;
use crate::support::seed::batch;
use crate::support::stage::{block, connection};

/// A run that loaded one row of `words.csv` and could not move the file, because a file is in the way.
async fn unsettled(world: &World) -> (Stage, Run) {
    let stage = stage(world, "words", Mode::Append, moved).await;
    csv(world, "words", &[("1", "one")]);
    std::fs::write(file(world, "done"), "in the way").unwrap();
    let loaded = go(world, &stage).await;
    assert!(loaded.reason.as_ref().unwrap().starts_with("The rows were loaded, but the file was not moved. "));
    assert_eq!((loaded.status, rows(world, stage.block)), (RunStatus::Success, 1));
    (stage, loaded)
}

async fn go(world: &World, stage: &Stage) -> Run {
    let started = start(world, stage).await;
    work_off(world).await;
    run(world, started.id).await
}

async fn change(world: &World, stage: &Stage, change: impl FnOnce(&mut Draft) + Send + 'static) {
    let (olive, application, configuration) = (world.olive.clone(), world.application, stage.configuration);
    let (now, app) = (world.now(), world.app().clone());
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = tidegate::applications::enter(conn, &by, application)?;
            let (was, definition) = imports::find(conn, &entered, configuration)?;
            let mut draft = Draft {
                name: was.name,
                description: was.description,
                block_id: was.block_id,
                connection_id: was.connection_id,
                source_block_id: None,
                definition,
            };
            change(&mut draft);
            imports::update(conn, app.in_use, &by, &entered, (configuration, None), draft, now)
        })
        .await;
}

/// The runs of which a file is still to be looked after.
async fn kept(world: &World) -> Vec<i64> {
    world.read(|conn| Ok(run_intents::table.order(run_intents::run_id).select(run_intents::run_id).load(conn)?)).await
}

async fn sql(world: &World, text: &'static str) {
    world.write(move |conn| batch(conn, text)).await;
}

/// Loads, and nobody hears of its worker any more before the file is moved.
async fn loaded_and_silent(world: &World) -> (Stage, i64) {
    let stage = stage(world, "words", Mode::Append, moved).await;
    csv(world, "words", &[("1", "one")]);
    let started = start(world, &stage).await;
    let work = Midway(|app: &App, job: &Job<'_>| {
        let file = app.config.folder_roots[0].join("words.csv");
        Import.perform(app, job).unwrap();
        std::fs::rename(file.with_file_name("done/november/words.csv"), file).unwrap();
        refused(Retry::Unknown)
    });
    world.step(move |app| executor::step_with(app, &work)).await;
    world.advance(Duration::minutes(2));
    (stage, started.id)
}

/// The next run finds the file that was loaded, moves it, and loads nothing.
async fn moves_and_loads_nothing(world: &World, stage: &Stage, loaded: i64) {
    let next = go(world, stage).await;
    let said = format!("Nothing new: run {loaded} had already loaded this file. Moved to done/november/words.csv.");
    assert_eq!((next.status, next.reason), (RunStatus::Success, Some(said)));
    assert_eq!((rows(world, stage.block), kept(world).await), (1, vec![]));
    assert!(!file(world, "words.csv").exists() && file(world, "done/november/words.csv").exists());
}

on_both! {
    async fn a_share_that_is_away_is_no_success_and_forgets_nothing(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        let (folder, away) = (world.folder().to_owned(), world.folder().with_extension("away"));
        // Gone altogether, then an empty mount point.
        for empty in [false, true] {
            std::fs::rename(&folder, &away).unwrap();
            if empty {
                std::fs::create_dir(&folder).unwrap();
            }
            let next = go(&world, &stage).await;
            assert_eq!(next.status, RunStatus::Failed, "{:?}", next.reason);
            assert!(next.cause.unwrap().contains("0 rows were loaded"));
            assert_eq!(kept(&world).await, [loaded.id]);
            if empty {
                std::fs::remove_dir(&folder).unwrap();
            }
            std::fs::rename(&away, &folder).unwrap();
        }
        let next = go(&world, &stage).await;
        assert!(next.reason.unwrap().starts_with(&format!("Nothing new: run {} had already loaded this file, which still could not be moved. ", loaded.id)));
        assert_eq!((next.status, rows(&world, stage.block)), (RunStatus::Success, 1));
        std::fs::remove_file(file(&world, "done")).unwrap();
        moves_and_loads_nothing(&world, &stage, loaded.id).await;
    }

    async fn another_file_is_loaded_though_the_earlier_one_lies_aside(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        std::fs::rename(file(&world, "words.csv"), file(&world, &format!(".tidegate-{}-words.csv", loaded.id))).unwrap();
        csv(&world, "words", &[("2", "two")]);
        let second = go(&world, &stage).await;
        assert_eq!((second.status, rows(&world, stage.block)), (RunStatus::Success, 2));
        let reason = second.reason.unwrap();
        assert!(reason.starts_with(&format!("The file of run {} still could not be moved. ", loaded.id)), "{reason}");
        assert_eq!(kept(&world).await, [loaded.id, second.id]);
        std::fs::remove_file(file(&world, "done")).unwrap();
        let third = go(&world, &stage).await;
        assert_eq!((third.status, rows(&world, stage.block)), (RunStatus::Success, 2));
        assert!(file(&world, "done/november/words.csv").exists());
        assert!(file(&world, &format!("done/november/run-{}-words.csv", second.id)).exists());
        assert_eq!(kept(&world).await, [0; 0]);
    }

    async fn a_run_that_moved_what_lay_aside_and_finds_no_other_file_has_nothing_new(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        std::fs::rename(file(&world, "words.csv"), file(&world, &format!(".tidegate-{}-words.csv", loaded.id))).unwrap();
        std::fs::remove_file(file(&world, "done")).unwrap();
        moves_and_loads_nothing(&world, &stage, loaded.id).await;
    }

    async fn who_took_the_file_away_is_believed_once_another_lies_there(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        std::fs::remove_file(file(&world, "words.csv")).unwrap();
        assert_eq!(go(&world, &stage).await.status, RunStatus::Failed);
        assert_eq!(kept(&world).await, [loaded.id]);
        std::fs::remove_file(file(&world, "done")).unwrap();
        csv(&world, "words", &[("2", "two")]);
        let third = go(&world, &stage).await;
        assert_eq!((third.status, third.reason, rows(&world, stage.block)), (RunStatus::Success, None, 2));
        assert_eq!(kept(&world).await, [0; 0]);
        let said = format!(
            "{} Run {} tried it again: words.csv has changed since it was read, so it was left where it is.",
            loaded.reason.unwrap(),
            third.id
        );
        assert_eq!(run(&world, loaded.id).await.reason, Some(said));
    }

    async fn a_connection_that_needs_attention_ends_the_run_and_keeps_its_file(world: World) {
        let (stage, loaded) = loaded_and_silent(&world).await;
        let settings = world.read(|conn| {
            Ok(connections::table.select(connections::settings).first::<String>(conn)?)
        }).await;
        set_settings(&world, "no JSON".to_owned()).await;
        assert_eq!(world.step(rescue::step).await.finished, 1);
        let ended = run(&world, loaded).await;
        let said = "Everything was loaded; then its worker stopped responding. The rows were loaded, but the file \
            was left where it is. Something went wrong in Tidegate. The server's log says more. The next run tries \
            again and does not load the same file a second time, unless the import is changed first.";
        assert_eq!((ended.status, ended.reason.as_deref()), (RunStatus::Success, Some(said)));
        assert_eq!(kept(&world).await, [loaded]);
        set_settings(&world, settings).await;
        moves_and_loads_nothing(&world, &stage, loaded).await;
    }

    async fn a_connection_that_is_not_authorised_for_a_while_has_no_file_loaded_twice(world: World) {
        let (stage, loaded) = loaded_and_silent(&world).await;
        let (connection, application) = (stage.connection, world.application);
        world.write(|conn| Ok(diesel::delete(connection_applications::table).execute(conn)?)).await;
        assert_eq!(world.step(rescue::step).await.finished, 1);
        let reason = run(&world, loaded).await.reason.unwrap();
        assert!(reason.contains("the file was left where it is. The Connection was deleted, or is no longer authorised"), "{reason}");
        world.write(move |conn| {
            let row = (connection_applications::connection_id.eq(connection), connection_applications::application_id.eq(application));
            Ok(diesel::insert_into(connection_applications::table).values(row).execute(conn)?)
        }).await;
        moves_and_loads_nothing(&world, &stage, loaded).await;
    }

    async fn a_database_that_is_busy_is_asked_again(world: World) {
        let (_, loaded) = loaded_and_silent(&world).await;
        // A view that answers as a database does on which others hold locks.
        let busy = match world.database() {
            crate::support::Database::Sqlite => "json_extract('{}', 'database is locked') IS NULL",
            crate::support::Database::Postgres => "'lock timeout'::TEXT::INTEGER = 0",
        };
        let text = format!("ALTER TABLE run_intents RENAME TO locked; CREATE VIEW run_intents AS SELECT * FROM locked WHERE {busy}");
        world.write(move |conn| batch(conn, &text)).await;
        assert_eq!(world.step(rescue::step).await.finished, 0, "nothing is said before it is known");
        assert_eq!(run(&world, loaded).await.status, RunStatus::Running);
        sql(&world, "DROP VIEW run_intents; ALTER TABLE locked RENAME TO run_intents").await;
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.finished, 1);
        assert!(!file(&world, "words.csv").exists());
        assert_eq!((run(&world, loaded).await.status, kept(&world).await), (RunStatus::Success, vec![]));
    }

    async fn another_block_or_mapping_loads_the_file_that_is_there(world: World) {
        let (stage, first) = unsettled(&world).await;
        let other = block(&world, "other").await;
        change(&world, &stage, move |draft| draft.block_id = other).await;
        let second = go(&world, &stage).await;
        assert_eq!((second.status, rows(&world, other)), (RunStatus::Success, 1));
        assert_ne!(first.id, second.id);
        assert_eq!(kept(&world).await, [second.id], "the newest looks after it");
        // Back in the first one, with a mapping that was mended.
        let was = stage.block;
        change(&world, &stage, move |draft| {
            draft.block_id = was;
            draft.definition.mapping = Some(vec![Mapping::constant("9", "id"), Mapping::column("word", "word")]);
        }).await;
        let third = go(&world, &stage).await;
        assert_eq!((third.status, rows(&world, was), kept(&world).await), (RunStatus::Success, 2, vec![third.id]));
    }

    async fn another_folder_to_move_to_loads_nothing_again(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        change(&world, &stage, |draft| {
            draft.definition.source.move_to = Some("elsewhere".into());
            draft.definition.attempts = 1;
        }).await;
        let next = go(&world, &stage).await;
        let said = format!("Nothing new: run {} had already loaded this file. Moved to elsewhere/words.csv.", loaded.id);
        assert_eq!((next.status, next.reason, rows(&world, stage.block)), (RunStatus::Success, Some(said), 1));
        let told = format!("{} Run {} tried it again: Moved to elsewhere/words.csv.", loaded.reason.unwrap(), next.id);
        assert_eq!(run(&world, loaded.id).await.reason, Some(told));
        assert_eq!(steps(&world, next.id).await.last().unwrap(), &("Move".to_owned(), "Moved to elsewhere/words.csv.".to_owned()));
    }

    async fn another_connection_is_another_file(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        let folder = file(&world, "second");
        std::fs::create_dir(&folder).unwrap();
        std::fs::write(folder.join("words.csv"), "id,word\n2,two\n").unwrap();
        let settings = serde_json::json!({ "path": folder.canonicalize().unwrap(), "quiet_seconds": 0 });
        let (first, second) = (stage.connection, connection(&world, "Second", "folder", settings).await);
        change(&world, &stage, move |draft| draft.connection_id = Some(second)).await;
        assert_eq!((go(&world, &stage).await.reason, rows(&world, stage.block)), (None, 2));
        assert!(folder.join("done/november/words.csv").exists());
        assert_eq!(kept(&world).await, [loaded.id]);
        change(&world, &stage, move |draft| draft.connection_id = Some(first)).await;
        let back = go(&world, &stage).await;
        assert!(back.reason.unwrap().starts_with("Nothing new: "));
        assert_eq!(rows(&world, stage.block), 2);
    }

    async fn a_run_that_has_ended_is_over_whatever_becomes_of_its_file(world: World) {
        let (_, loaded) = unsettled(&world).await;
        assert_eq!(world.read(|conn| Ok(run_leases::table.count().get_result::<i64>(conn)?)).await, 0);
        match try_cancel(&world, loaded.id).await {
            Err(AppError::Conflict(words)) => assert_eq!(words, "This run has already ended: Success."),
            other => panic!("{other:?}"),
        }
    }

    async fn what_an_import_leaves_or_reads_no_more_is_forgotten(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        change(&world, &stage, |draft| {
            draft.definition.source.after_success = AfterSuccess::Leave;
            draft.definition.source.move_to = None;
        }).await;
        let second = go(&world, &stage).await;
        assert_eq!((second.result.unwrap().read, kept(&world).await), (1, vec![]));
        let said = format!(" Run {} did not try again, because the import had been changed.", second.id);
        assert!(run(&world, loaded.id).await.reason.unwrap().ends_with(&said));
        // The same of another path.
        csv(&world, "words", &[("2", "two")]);
        change(&world, &stage, |draft| moved(&mut draft.definition)).await;
        let third = go(&world, &stage).await;
        assert_eq!(kept(&world).await, [third.id]);
        csv(&world, "others", &[("3", "three")]);
        change(&world, &stage, |draft| draft.definition.source.path = Some("others.csv".into())).await;
        let fourth = go(&world, &stage).await;
        assert_eq!(kept(&world).await, [fourth.id]);
        // And of an import that is deleted.
        let now = world.now();
        world.write(move |conn| {
            Ok(diesel::update(import_configurations::table).set(import_configurations::archived_at.eq(now)).execute(conn)?)
        }).await;
        world.step(retention::step).await;
        assert_eq!(kept(&world).await, [0; 0]);
    }

    async fn a_file_that_was_never_looked_after_keeps_no_run(world: World) {
        let (stage, loaded) = unsettled(&world).await;
        let (configuration, id) = (stage.configuration, loaded.id);
        let later = world.now().plus(Duration::days(500)).micros();
        world.write(move |conn| batch(conn, &format!(
            "WITH RECURSIVE n (i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < 400) \
             INSERT INTO runs (uid, application_id, configuration_id, configuration_version, block_id, trigger_kind, name, status, queued_at, finished_at) \
             SELECT 'u' || n.i, r.application_id, {configuration}, 1, r.block_id, 'member', r.name, 'success', {later} + n.i, {later} + n.i \
             FROM n, runs r WHERE r.id = {id}; \
             UPDATE import_configurations SET status_run_id = (SELECT max(id) FROM runs) WHERE id = {configuration}"
        ))).await;
        world.advance(Duration::days(900));
        assert_eq!((world.step(retention::step).await.runs, kept(&world).await), (1, vec![]));
    }
}

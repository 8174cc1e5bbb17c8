//! What is not known, not had, or lost on the way: the ledger says what happened, and nobody says more than that.

use tidegate::applications::blocks::ledger::LoadState;
use tidegate::db::schema::block_db::{block_views, loads};
use tidegate::db::schema::workers as workers_table;
use tidegate::imports::AfterSuccess;
use tidegate::runs::work::Import;
use tidegate::runs::workers;

use super::*;

fn moved(definition: &mut tidegate::imports::Definition) {
    definition.source.after_success = AfterSuccess::Move;
    definition.source.move_to = Some("done".into());
}

/// Loads, changes the ledger, and says that.
fn loads_and_says(
    state: LoadState,
    said: fn() -> Result<Done, Undone>,
) -> Midway<impl Fn(&App, &Job<'_>) -> Result<Done, Undone> + Sync> {
    Midway(move |app: &App, job: &Job<'_>| {
        Import.perform(app, job).unwrap();
        app.blocks.write(|conn| Ok(diesel::update(loads::table).set(loads::state.eq(state)).execute(conn)?)).unwrap();
        said()
    })
}

fn unknown() -> Result<Done, Undone> {
    refused(Retry::Unknown)
}

on_both! {
    async fn what_nobody_knows_is_asked_of_the_ledger(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        csv(&world, "words", &[("01", "one")]);
        let started = start(&world, &stage).await;
        let work = loads_and_says(LoadState::Visible, unknown);
        world.step(move |app| executor::step_with(app, &work)).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Running, "nothing untrue is said");
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.finished, 1);
        let ended = run(&world, started.id).await;
        let said = "Everything was loaded; then its worker stopped responding.";
        assert_eq!((ended.status, ended.reason.as_deref()), (RunStatus::Success, Some(said)));
        assert_eq!(ended.result.unwrap().told.changed_cells(), 1);
        // One that loaded nothing.
        let second = start(&world, &stage).await;
        world.step(move |app| executor::step_with(app, &Midway(|_: &App, _: &Job<'_>| unknown()))).await;
        world.advance(Duration::minutes(2));
        assert_eq!(world.step(rescue::step).await.ended, 1);
        assert_eq!(run(&world, second.id).await.status, RunStatus::Failed);
    }

    async fn the_rescue_says_what_state_the_ledger_has(world: World) {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        for (state, status) in [(LoadState::Held, RunStatus::Held), (LoadState::Dropped, RunStatus::Failed)] {
            let started = start(&world, &stage).await;
            let work = loads_and_says(state, unknown);
            world.step(move |app| executor::step_with(app, &work)).await;
            world.advance(Duration::minutes(2));
            assert_eq!(world.step(rescue::step).await.finished, 1);
            assert_eq!(run(&world, started.id).await.status, status);
            // The next attempt reads the same there.
            let started = start(&world, &stage).await;
            let work = loads_and_says(state, || refused(Retry::Later));
            world.step(move |app| executor::step_with(app, &work)).await;
            world.advance(Duration::minutes(2));
            work_off(&world).await;
            assert_eq!(run(&world, started.id).await.status, status);
        }
    }

    async fn a_load_whose_answer_was_lost_is_told_with_its_own_file(world: World) {
        let stage = stage(&world, "words", Mode::Append, moved).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        let work = Midway(|app: &App, job: &Job<'_>| {
            // All but the end of it, so that the file is there still.
            let file = app.config.folder_roots[0].join("words.csv");
            let kept = std::fs::read(&file).unwrap();
            Import.perform(app, job).unwrap();
            std::fs::write(file, kept).unwrap();
            refused(Retry::Later)
        });
        world.step(move |app| executor::step_with(app, &work)).await;
        let loaded = world.app().blocks.read(|conn| {
            Ok(loads::table.select(loads::source_sha256).first::<Option<String>>(conn)?)
        }).unwrap();
        // Before the next attempt somebody delivers the next file.
        csv(&world, "words", &[("2", "two"), ("3", "three")]);
        world.advance(Duration::minutes(2));
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        let result = ended.result.unwrap();
        assert_eq!((ended.status, result.added, rows(&world, stage.block)), (RunStatus::Success, 1, 1));
        assert_eq!((result.source_sha256, result.source_name.as_deref()), (loaded, Some("words.csv")));
        assert!(world.folder().join("words.csv").exists(), "what was not loaded is not moved");
    }

    async fn what_could_not_begin_costs_no_attempt(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &stage).await;
        let taken = world.step(executor::take).await.unwrap();
        world.step(move |app| executor::give_back(app, &taken, "The server had no free thread for it.")).await;
        let back = run(&world, started.id).await;
        assert_eq!((back.status, back.attempt), (RunStatus::Queued, 0));
        assert_eq!(back.reason.as_deref(), Some("The server had no free thread for it. It starts again after 10 s."));
        assert_eq!(world.step(executor::step).await, None, "not at once");
        world.advance(Duration::seconds(10));
        work_off(&world).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
    }

    async fn a_run_takes_the_workspaces_definition_for_true(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        csv(&world, "words", &[("1", "one")]);
        world.app().blocks.write(|conn| {
            let older = r#"[{"position":1,"name":"id","column_type":"text","key":false}]"#;
            Ok(diesel::update(block_views::table).set(block_views::column_list.eq(older)).execute(conn)?)
        }).unwrap();
        let started = start(&world, &stage).await;
        work_off(&world).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.cause), (RunStatus::Success, None));
    }

    async fn workers_that_were_killed_are_forgotten(world: World) {
        world.step(workers::seen).await;
        world.advance(Duration::days(2));
        let other = second_process(&world).await;
        workers::seen(&other).unwrap();
        world.step(workers::forget_gone).await;
        let left = world.read(|conn| Ok(workers_table::table.select(workers_table::name).load::<String>(conn)?)).await;
        assert_eq!(left, std::slice::from_ref(&other.worker));
    }
}

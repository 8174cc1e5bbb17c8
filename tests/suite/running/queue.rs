//! The queue: what waits for a place holds up nobody, Applications take turns, and a wake-up is never lost.

use super::*;

/// A second configuration of another file and Block on the same Connection, in the same Application.
async fn beside(world: &World, first: &Stage, name: &str) -> Stage {
    let block = crate::support::stage::block(world, name).await;
    let (application, connection, olive, now) = (world.application, first.connection, world.olive.clone(), world.now());
    let name = name.to_owned();
    let made = world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = tidegate::applications::enter(conn, &by, application)?;
            let mut definition = tidegate::imports::Definition::new(Mode::Append);
            definition.source.path = Some(format!("{name}.csv"));
            let draft = tidegate::imports::Draft {
                name,
                description: String::new(),
                block_id: block,
                connection_id: Some(connection),
                source_block_id: None,
                definition,
            };
            tidegate::imports::create(conn, &by, &entered, draft, now)
        })
        .await;
    Stage { block, connection, configuration: made.id }
}

async fn take(world: &World) -> Option<i64> {
    world.step(executor::take).await.map(|taken| taken.run.id)
}

async fn reason(world: &World, id: i64) -> Option<String> {
    run(world, id).await.reason
}

/// Ends a run that is taken.
async fn end(world: &World, id: i64) {
    let (taken, script) = (run(world, id).await, Script::of([Ok(added(1))]));
    let fence =
        world.read(move |conn| Ok(run_leases::table.find(id).select(run_leases::fence).first::<i64>(conn)?)).await;
    let taken = executor::Taken { run: taken, fence, policy: Ok(Default::default()), began: std::time::Instant::now() };
    world.step(move |app| executor::see_through(app, taken, script.as_ref())).await;
}

on_both! {
    async fn a_connection_bears_four_and_holds_up_no_other(world: World) {
        let first = stage(&world, "a0", Mode::Append, |_| ()).await;
        let mut stages = vec![first.clone()];
        for i in 1..7 {
            stages.push(beside(&world, &first, &format!("a{i}")).await);
        }
        let other = stage(&world, "other", Mode::Append, |_| ()).await;
        let mut ids = Vec::new();
        for stage in &stages {
            ids.push(start(&world, stage).await.id);
            world.advance(Duration::seconds(1));
        }
        let elsewhere = start(&world, &other).await.id;
        let taken = world.step(|app| executor::take_up_to(app, 8)).await;
        let mut taken: Vec<i64> = taken.into_iter().map(|taken| taken.run.id).collect();
        taken.sort_unstable();
        assert_eq!(taken, [&ids[..4], &[elsewhere]].concat(), "four of the Connection, and who needs another");
        for id in &ids[4..] {
            let why = "Waiting: four runs already use this Connection.";
            assert_eq!(reason(&world, *id).await.as_deref(), Some(why));
        }
        assert_eq!(take(&world).await, None);
        end(&world, ids[2]).await;
        assert_eq!(take(&world).await, Some(ids[4]), "the one that waits longest");
        assert_eq!(take(&world).await, None);
        // The first of the line is cancelled: its place is the next one's.
        end(&world, ids[0]).await;
        try_cancel(&world, ids[5]).await.unwrap();
        assert_eq!(take(&world).await, Some(ids[6]));
    }

    async fn who_waits_for_two_things_leaves_a_free_one_to_the_next(world: World) {
        let one = stage(&world, "one", Mode::Append, |_| ()).await;
        let holder = start(&world, &one).await.id;
        assert_eq!(take(&world).await, Some(holder));
        // Behind the Block, and behind the same file by another name.
        let second = start(&world, &one).await.id;
        let alias = beside(&world, &one, "./one").await;
        let third = start(&world, &alias).await.id;
        assert_eq!(take(&world).await, None);
        assert_eq!(reason(&world, second).await.as_deref(), Some("Waiting for another run that writes this Block."));
        assert_eq!(reason(&world, third).await.as_deref(), Some("Waiting for another run that reads the same file."));
        end(&world, holder).await;
        assert_eq!(take(&world).await, Some(second));
        assert_eq!(take(&world).await, None, "the file is held again");
        end(&world, second).await;
        assert_eq!(take(&world).await, Some(third));
    }

    async fn applications_take_turns(world: World) {
        let mut here = Vec::new();
        for name in ["h0", "h1", "h2"] {
            here.push(stage(&world, name, Mode::Append, |_| ()).await);
        }
        for stage in &here {
            create(&world, draft(stage, &daily("18:00"))).await;
        }
        world.set_clock("2026-10-08T18:00:00Z");
        world.step(dispatcher::step).await;
        // One more, queued last, of another Application.
        let elsewhere = world.elsewhere;
        let newest = runs(&world).await.pop().unwrap().id;
        world
            .write(move |conn| {
                diesel::update(runs_table::table.find(newest))
                    .set(runs_table::application_id.eq(elsewhere))
                    .execute(conn)?;
                Ok(())
            })
            .await;
        let all = runs(&world).await;
        let first = take(&world).await;
        let second = take(&world).await;
        assert!([first, second].contains(&Some(newest)), "it is not the last: {first:?}, {second:?}");
        assert_eq!(first.into_iter().chain(second).chain(take(&world).await).count(), all.len());
    }

    async fn a_click_during_the_back_off_answers_that_run_which_then_begins(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let script = Script::of([refused(Retry::Later), Ok(added(2))]);
        let started = start(&world, &stage).await;
        attempt(&world, &script).await;
        assert_eq!(attempt(&world, &script).await, None, "it waits for its time");
        let second = try_start(&world, &world.olive, &stage).await.unwrap();
        assert_eq!((second.waiting_already, second.run.id), (true, started.id));
        assert_eq!(attempt(&world, &script).await, Some(started.id));
        assert_eq!((runs(&world).await.len(), run(&world, started.id).await.attempt), (1, 2));
    }

    async fn a_cancel_is_never_lost_to_a_retry(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let (by, id, now) = (world.olive.clone(), started.id, world.now());
        // The attempt fails in the very moment after somebody cancelled, before the second thread looked.
        let work = Midway(move |app: &App, _: &Job<'_>| {
            let cancel = |conn: &mut tidegate::db::Conn| {
                let by = by.by(conn)?;
                actions::cancel(conn, &by, id, now)
            };
            // Asked for a second time, nothing new is written down.
            app.db.write(|conn| cancel(conn).and_then(|_| cancel(conn))).unwrap();
            refused(Retry::Later)
        });
        world.step(move |app| executor::step_with(app, &work)).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, &ended.cause), (RunStatus::Cancelled, &None));
        let log = world.read(move |conn| actions::log(conn, &ended)).await;
        let asked = log.iter().filter(|line| line.message.contains("asked to cancel")).count();
        assert_eq!(asked, 1);
        assert_eq!(outcomes(&world).await, [] as [i64; 0]);
    }

    async fn what_runs_by_hand_is_bounded_and_its_parameters_are_declared(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let begin = async |parameters: serde_json::Value| {
            let (olive, configuration, now) = (world.olive.clone(), stage.configuration, world.now());
            let secrets = world.app().secrets.clone();
            world
                .try_write(move |conn| {
                    let by = olive.by(conn)?;
                    actions::start_by_hand(conn, &secrets, &by, Target::Configuration(configuration), None, Some(parameters), now)
                })
                .await
        };
        assert!(begin(serde_json::json!({})).await.is_ok());
        match begin(serde_json::json!({"country": "FR"})).await {
            Err(AppError::Invalid(errors)) => {
                assert_eq!(errors.of("parameters.country"), Some("words declares no parameter \"country\"."));
            }
            other => panic!("{other:?}"),
        }
        let configuration = stage.configuration;
        world
            .write(move |conn| {
                diesel::update(runs_table::table.filter(runs_table::configuration_id.eq(configuration)))
                    .set(runs_table::waiting_key.eq(None::<String>))
                    .execute(conn)?;
                Ok(())
            })
            .await;
        for _ in 1..20 {
            start(&world, &stage).await;
            world
                .write(move |conn| {
                    diesel::update(runs_table::table.filter(runs_table::configuration_id.eq(configuration)))
                        .set(runs_table::waiting_key.eq(None::<String>))
                        .execute(conn)?;
                    Ok(())
                })
                .await;
        }
        assert!(matches!(try_start(&world, &world.olive, &stage).await, Err(AppError::TooMany { .. })));
    }

    async fn what_a_run_holds_is_what_it_loads(world: World) {
        let first = stage(&world, "words", Mode::Append, |_| ()).await;
        let other = stage(&world, "other", Mode::Append, |_| ()).await;
        csv(&world, "words", &[("1", "one")]);
        let started = start(&world, &first).await;
        let taken = world.step(executor::take).await.unwrap();
        // Edited between its taking and its work: it fills another Block from now on.
        let (olive, application, configuration, block) =
            (world.olive.clone(), world.application, first.configuration, other.block);
        let (now, app) = (world.now(), world.app().clone());
        world
            .write(move |conn| {
                let by = olive.by(conn)?;
                let entered = tidegate::applications::enter(conn, &by, application)?;
                let (was, definition) = tidegate::imports::find(conn, &entered, configuration)?;
                let draft = tidegate::imports::Draft {
                    name: was.name,
                    description: was.description,
                    block_id: block,
                    connection_id: was.connection_id,
                    source_block_id: None,
                    definition,
                };
                tidegate::imports::update(conn, app.in_use, &by, &entered, (configuration, None), draft, now)
            })
            .await;
        world.step(move |app| executor::see_through(app, taken, &tidegate::runs::work::Import)).await;
        let ended = run(&world, started.id).await;
        assert_eq!((ended.status, ended.block_id), (RunStatus::Success, Some(first.block)));
        assert_eq!((rows(&world, first.block), rows(&world, other.block)), (1, 0));
        match try_again(&world, started.id).await {
            Err(AppError::Conflict(words)) => assert!(words.contains("fills another Block"), "{words}"),
            other => panic!("{other:?}"),
        }
    }

    async fn a_configuration_stays_while_its_run_waits_or_goes(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        let (olive, application, configuration, now) =
            (world.olive.clone(), world.application, stage.configuration, world.now());
        let app = world.app().clone();
        let archive = move || {
            let (olive, app) = (olive.clone(), app.clone());
            move |conn: &mut tidegate::db::Conn| {
                let by = olive.by(conn)?;
                let entered = tidegate::applications::enter(conn, &by, application)?;
                tidegate::imports::archive(conn, app.in_use, &by, &entered, configuration, now)
            }
        };
        match world.try_write(archive()).await {
            Err(AppError::Conflict(words)) => {
                assert!(words.contains(&format!("run {}, which is queued", started.id)), "{words}");
            }
            other => panic!("{other:?}"),
        }
        try_cancel(&world, started.id).await.unwrap();
        world.write(archive()).await;
    }

    async fn an_unreadable_definition_fails_and_says_so(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let started = start(&world, &stage).await;
        world
            .write(|conn| {
                use tidegate::db::schema::configuration_versions as versions;
                diesel::update(versions::table).set(versions::definition.eq("{\"attempts\":\"many\"}")).execute(conn)?;
                Ok(())
            })
            .await;
        attempt(&world, &Script::of([])).await;
        let ended = run(&world, started.id).await;
        assert_eq!(ended.status, RunStatus::Failed);
        let cause = ended.cause.unwrap();
        assert!(cause.starts_with("The definition of the import configuration cannot be read"), "{cause}");
    }

    async fn a_living_worker_is_not_rescued_from_itself(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.attempts = 1).await;
        let started = start(&world, &stage).await;
        let other = world.clone();
        // The clock jumps, or the machine slept, while it works.
        let work = Midway(move |app: &App, _: &Job<'_>| {
            other.advance(Duration::hours(2));
            assert_eq!(rescue::step(app).unwrap(), rescue::Rescued::default());
            Ok(added(1))
        });
        world.step(move |app| executor::step_with(app, &work)).await;
        assert_eq!(run(&world, started.id).await.status, RunStatus::Success);
    }
}

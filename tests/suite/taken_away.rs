//! What somebody deletes at the very moment when another begins to use it. SQLite's writers go one after the other
//! anyway; on PostgreSQL two transactions meet.

use std::sync::mpsc::channel;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Bool;
use tidegate::app::App;
use tidegate::applications::blocks;
use tidegate::applications::enter;
use tidegate::db::Conn;
use tidegate::error::{AppError, Result};
use tidegate::imports::{self, Definition, Mode, Target};
use tidegate::members::actions::{self, Change, NewMember};
use tidegate::members::{roles, tokens};
use tidegate::runs;
use tidegate::schedules;

use crate::schedules::{daily, draft};
use crate::support::stage::{Stage, block, stage};
use crate::support::{Database, World, cast::Person, with_world};

/// Whether somebody waits for another's lock in this database.
pub fn waits(conn: &mut Conn) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Waits {
        #[diesel(sql_type = Bool)]
        waits: bool,
    }
    let sql = "SELECT EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock') \
               AS waits";
    Ok(diesel::sql_query(sql).get_result::<Waits>(conn)?.waits)
}

/// What a use comes to that began before a deletion was committed, and had to wait for it.
fn meet<T: Send>(
    world: &World,
    delete: impl FnOnce(&mut Conn, &App) -> Result<()> + Send,
    begin: impl FnOnce(&mut Conn) -> Result<T> + Send,
) -> Result<T> {
    let app = world.app();
    std::thread::scope(|scope| {
        let (deleted, is_deleted) = channel::<()>();
        let (end, is_to_end) = channel::<()>();
        let deletes = scope.spawn(move || {
            app.db.write(|conn| {
                delete(conn, app)?;
                deleted.send(()).unwrap();
                is_to_end.recv_timeout(Duration::from_secs(10)).unwrap();
                Ok(())
            })
        });
        is_deleted.recv().unwrap();
        let begins = scope.spawn(move || app.db.write(begin));
        while !begins.is_finished() && !app.db.read(waits).unwrap() {
            std::thread::yield_now();
        }
        end.send(()).unwrap();
        deletes.join().unwrap().unwrap();
        begins.join().unwrap()
    })
}

fn on_postgres(body: impl AsyncFnOnce(World, Stage)) {
    with_world(Database::Postgres, |world| async {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        body(world, stage).await;
    });
}

/// Ada deletes the import configuration.
fn deletes_import(world: &World, stage: &Stage) -> impl FnOnce(&mut Conn, &App) -> Result<()> + Send + use<> {
    let (ada, now, application, configuration) =
        (world.ada.clone(), world.now(), world.application, stage.configuration);
    move |conn, app| {
        let by = ada.by(conn)?;
        let entered = enter(conn, &by, application)?;
        imports::archive(conn, app.in_use, &by, &entered, configuration, now)
    }
}

fn of_olive<T>(
    world: &World,
    deed: impl FnOnce(&mut Conn, &tidegate::members::By) -> Result<T> + Send,
) -> impl FnOnce(&mut Conn) -> Result<T> + Send {
    let olive: Person = world.olive.clone();
    move |conn| {
        let by = olive.by(conn)?;
        deed(conn, &by)
    }
}

#[test]
fn nobody_gets_a_role_that_is_being_deleted() {
    on_postgres(async |world, _| {
        let role = crate::roles::make(&world, "Night shift", &[]).await;
        let (now, ada, adds) = (world.now(), world.ada.clone(), world.ada.clone());
        let delete = move |conn: &mut Conn, _: &App| {
            let by = ada.by(conn)?;
            roles::delete(conn, &by, role, None, now).map(|_| ())
        };
        let made = meet(&world, delete, move |conn: &mut Conn| {
            let by = adds.by(conn)?;
            let (email, name) = ("late@acme.test".into(), "Late".into());
            actions::add(conn, &by, NewMember { email, name, role: "Night shift".into(), password: None }, now)
        });
        assert!(matches!(made, Err(AppError::Invalid(_))), "{made:?}");
    });
}

#[test]
fn no_token_is_made_for_an_account_that_is_being_closed() {
    on_postgres(async |world, _| {
        let (now, ada, olive, id) = (world.now(), world.ada.clone(), world.olive.clone(), world.olive.id);
        let close = move |conn: &mut Conn, app: &App| {
            let by = ada.by(conn)?;
            let change = Change { active: Some(false), ..Change::default() };
            actions::update(conn, &by, app.enders, id, change, now).map(|_| ())
        };
        let by = world.read(move |conn| olive.by(conn)).await;
        let made = meet(&world, close, move |conn: &mut Conn| {
            tokens::create(conn, &by, &tokens::New { name: "back door", scopes: &[], expires_at: None }, now)
        });
        assert!(matches!(made, Err(AppError::SignedOut)), "{made:?}");
    });
}

#[test]
fn no_run_of_a_deleted_import_is_queued() {
    on_postgres(async |world, stage| {
        let (id, now, secrets) = (stage.configuration, world.now(), world.app().secrets.clone());
        let start = move |conn: &mut Conn, by: &tidegate::members::By| {
            runs::actions::start_by_hand(conn, &secrets, by, Target::Configuration(id), None, None, now)
        };
        let begin = of_olive(&world, start);
        let started = meet(&world, deletes_import(&world, &stage), begin);
        assert!(matches!(started, Err(AppError::NotFound)), "{started:?}");
    });
}

#[test]
fn no_schedule_of_a_deleted_import_is_made() {
    on_postgres(async |world, stage| {
        let (draft, now, application) = (draft(&stage, &daily("18:00")), world.now(), world.application);
        let secrets = world.app().secrets.clone();
        let create = move |conn: &mut Conn, by: &tidegate::members::By| {
            schedules::actions::create(conn, &secrets, by, application, draft, now)
        };
        let begin = of_olive(&world, create);
        let made = meet(&world, deletes_import(&world, &stage), begin);
        assert!(matches!(made, Err(AppError::Invalid(_))), "{made:?}");
    });
}

#[test]
fn no_import_is_made_into_a_deleted_block() {
    on_postgres(async |world, _| {
        let spare = block(&world, "Spare").await;
        let (now, application, olive) = (world.now(), world.application, world.olive.clone());
        let delete = move |conn: &mut Conn, app: &App| blocks::archive(conn, &app.blocks, app.in_use, spare, now);
        let made = meet(&world, delete, move |conn: &mut Conn| {
            let by = olive.by(conn)?;
            let entered = enter(conn, &by, application)?;
            let draft = imports::Draft {
                name: "Late".into(),
                description: String::new(),
                block_id: spare,
                connection_id: None,
                source_block_id: None,
                definition: Definition::new(Mode::Append),
            };
            imports::create(conn, &by, &entered, draft, now)
        });
        assert!(matches!(made, Err(AppError::Invalid(_))), "{made:?}");
    });
}

on_both! {
    /// A page read how she stands there, and waited for its turn to write: by then the Application is closed to her.
    async fn access_that_was_read_before_does_nothing_after(world: World) {
        let staged = stage(&world, "words", Mode::Append, |_| ()).await;
        let (now, application, olive) = (world.now(), world.application, world.olive.clone());
        let person = olive.clone();
        let (by, entered) = world
            .read(move |conn| {
                let by = person.by(conn)?;
                let entered = enter(conn, &by, application)?;
                Ok((by, entered))
            })
            .await;
        let access = format!("applications/{application}/access/{}", olive.id);
        world.api(&world.ada).await.put(&access, serde_json::json!({"view": true})).await.is(200);
        let in_use = world.app().in_use;
        let refused = world
            .try_write(move |conn| {
                let draft = imports::Draft {
                    name: "Late".into(),
                    description: String::new(),
                    block_id: staged.block,
                    connection_id: None,
                    source_block_id: None,
                    definition: Definition::new(Mode::Append),
                };
                let made = imports::create(conn, &by, &entered, draft, now).map(|_| ());
                let gone = imports::archive(conn, in_use, &by, &entered, staged.configuration, now);
                let started = entered.need_import(conn, &by, tidegate::members::Scope::Run);
                for refused in [made, gone, started] {
                    assert!(matches!(refused, Err(AppError::Forbidden(_))), "{refused:?}");
                }
                Ok(())
            })
            .await;
        refused.unwrap();
    }
}

/// Deactivates a member, as Ada.
fn closing(world: &World, id: i64) -> impl FnOnce(&mut Conn, &App) -> Result<()> + Send + use<> {
    let (now, ada) = (world.now(), world.ada.clone());
    move |conn, app| {
        let by = ada.by(conn)?;
        let change = Change { active: Some(false), ..Change::default() };
        actions::update(conn, &by, app.enders, id, change, now).map(|_| ())
    }
}

#[test]
fn who_is_being_closed_out_adds_no_administrator() {
    on_postgres(async |world, _| {
        let now = world.now();
        let eve = world.write(move |conn| crate::support::cast::member(conn, "Eve", "Administrator", now)).await;
        let id = eve.id;
        let by = world.read(move |conn| eve.by(conn)).await;
        let made = meet(&world, closing(&world, id), move |conn: &mut Conn| {
            let (email, name) = ("door@acme.test".into(), "Back door".into());
            actions::add(conn, &by, NewMember { email, name, role: "Administrator".into(), password: None }, now)
        });
        assert!(matches!(made, Err(AppError::SignedOut)), "{made:?}");
    });
}

#[test]
fn who_waits_for_a_turn_while_access_ends_schedules_nothing() {
    on_postgres(async |world, stage| {
        let (now, application, olive, ada) = (world.now(), world.application, world.olive.clone(), world.ada.clone());
        let (id, secrets, draft) = (olive.id, world.app().secrets.clone(), draft(&stage, &daily("06:00")));
        let end = move |conn: &mut Conn, _: &App| {
            let by = ada.by(conn)?;
            tidegate::applications::actions::set_access(conn, &by, application, id, Default::default(), now).map(|_| ())
        };
        let made = meet(&world, end, move |conn: &mut Conn| {
            let by = olive.by(conn)?;
            schedules::actions::create(conn, &secrets, &by, application, draft, now)
        });
        assert!(matches!(made, Err(AppError::NotFound)), "{made:?}");
    });
}

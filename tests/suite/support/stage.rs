//! What most tests of schedules and runs stand on: a Folder connection, a Block, a configuration that fills it.

use tidegate::applications::blocks::{self, BlockDraft, BlockKind, ColumnDraft};
use tidegate::applications::{Entered, enter};
use tidegate::connections::{self, ConnectionDraft};
use tidegate::db::Conn;
use tidegate::formats::ColumnType;
use tidegate::imports::{self, Definition, Draft, Mode};

use super::{Person, World};

/// A Block of keys and texts, filled from `NAME.csv` of the World's folder by Olive's configuration.
#[derive(Clone, Debug)]
pub struct Stage {
    pub block: i64,
    pub connection: i64,
    pub configuration: i64,
}

/// In "FP&A 2026". The definition may be changed before it is saved.
pub async fn stage(world: &World, name: &str, mode: Mode, change: fn(&mut Definition)) -> Stage {
    let mut definition = Definition::new(mode);
    definition.source.path = Some(format!("{name}.csv"));
    change(&mut definition);
    let connection = folder_connection(world, name).await;
    stage_from(world, name, Some(connection), definition).await
}

/// The same from another Connection, or from files given by hand.
pub async fn stage_from(world: &World, name: &str, connection: Option<i64>, definition: Definition) -> Stage {
    let block = block(world, name).await;
    let (name, application, olive, now) = (name.to_owned(), world.application, world.olive.clone(), world.now());
    let configuration = world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = enter(conn, &by, application)?;
            let draft = Draft {
                name,
                description: String::new(),
                block_id: block,
                connection_id: connection,
                source_block_id: None,
                definition,
            };
            imports::create(conn, &by, &entered, draft, now)
        })
        .await;
    Stage { block, connection: connection.unwrap_or_default(), configuration: configuration.id }
}

/// A Folder connection on the World's folder, authorised for "FP&A 2026".
pub async fn folder_connection(world: &World, name: &str) -> i64 {
    let settings = serde_json::json!({ "path": world.folder().canonicalize().unwrap(), "quiet_seconds": 0 });
    connection(world, &format!("Folder of {name}"), "folder", settings).await
}

/// A Connection without secrets, authorised for "FP&A 2026".
pub async fn connection(world: &World, name: &str, kind: &str, settings: serde_json::Value) -> i64 {
    let draft = ConnectionDraft {
        name: name.to_owned(),
        kind: kind.to_owned(),
        settings,
        secrets: Default::default(),
        application_ids: vec![world.application],
        secret_ends_on: None,
    };
    let (app, ada, now) = (world.app().clone(), world.ada.clone(), world.now());
    let made = world
        .write(move |conn| {
            let by = ada.by(conn)?;
            connections::create(conn, &app.secrets, &by, draft, now)
        })
        .await;
    made.id
}

/// A Transaction list with the key `id` and the text `word`.
pub async fn block(world: &World, name: &str) -> i64 {
    let draft = BlockDraft {
        name: name.to_owned(),
        kind: BlockKind::TransactionList,
        columns: vec![ColumnDraft::new("id", ColumnType::Integer).key(), ColumnDraft::new("word", ColumnType::Text)],
    };
    let (app, application, now) = (world.app().clone(), world.application, world.now());
    // It begins its own transaction.
    world.read(move |conn| blocks::create(conn, &app.blocks, application, draft, now)).await.id
}

/// Writes `NAME.csv` with the rows `id,word`.
pub fn csv(world: &World, name: &str, rows: &[(&str, &str)]) {
    let mut text = "id,word\n".to_owned();
    for (id, word) in rows {
        text += &format!("{id},{word}\n");
    }
    std::fs::write(world.folder().join(format!("{name}.csv")), text).unwrap();
}

/// How many rows a Block holds.
pub fn rows(world: &World, block: i64) -> i64 {
    world.app().blocks.read(|conn| blocks::ledger::state(conn, block)).unwrap().row_count
}

/// This person inside "FP&A 2026".
pub fn entered(conn: &mut Conn, world: &World, person: &Person) -> Entered {
    let by = person.by(conn).unwrap();
    enter(conn, &by, world.application).unwrap()
}

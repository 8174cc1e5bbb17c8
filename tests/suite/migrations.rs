//! The two migration trees make the same tables, can be taken back, and are what `db/schema.rs` says.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use diesel_migrations::{FileBasedMigrations, MigrationHarness};
use sha2::{Digest, Sha256};
use tidegate::db::schema::{run_intents, run_leases};
use tidegate::error::AppError;

use crate::support::Database;
use crate::support::databases::{Place, with_databases};
use crate::support::settings::root;

/// Of several processes that start on one PostgreSQL.
#[test]
fn what_is_done_alone_is_done_by_one_at_a_time() {
    with_databases(Database::Postgres, |db| {
        let inside = AtomicBool::new(false);
        let deed = || {
            assert!(!inside.swap(true, Ordering::SeqCst));
            db.main.read(tidegate::db::ping)?;
            inside.store(false, Ordering::SeqCst);
            Ok(())
        };
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..20).for_each(|_| tidegate::db::alone(&db.main, deed).unwrap()));
            }
        });
    });
}

/// Whoever fails, or is refused, keeps nobody waiting.
#[test]
fn what_fails_alone_lets_the_next_one_in() {
    use tidegate::db::{Which, alone, migrate};
    with_databases(Database::Postgres, |db| {
        let failed: Result<(), AppError> = alone(&db.main, || Err(AppError::Conflict("no".into())));
        assert!(failed.is_err());
        db.main
            .write(|conn| Ok(conn.batch_execute("INSERT INTO __diesel_schema_migrations VALUES ('9999')")?))
            .unwrap();
        for _ in 0..2 {
            assert!(matches!(migrate(&db.main, Which::Main), Err(AppError::Conflict(_))));
        }
        alone(&db.main, || Ok(())).unwrap();
        db.main.write(|conn| Ok(conn.batch_execute("DROP TABLE __diesel_schema_migrations CASCADE")?)).unwrap();
        for _ in 0..2 {
            assert!(migrate(&db.main, Which::Main).is_err(), "its tables are there already");
        }
        alone(&db.main, || Ok(())).unwrap();
    });
}

/// Migrations are only added from now on: a database somewhere has run them as they stand here. After adding one, renew
/// the list with `find migrations -type f | LC_ALL=C sort | xargs sha256sum > tests/data/migrations.sha256`.
#[test]
fn no_migration_is_changed_once_it_is_there() {
    let listed = std::fs::read_to_string(root().join("tests/data/migrations.sha256")).unwrap();
    let mut there = String::new();
    for path in files(&root().join("migrations")) {
        let hash: String = Sha256::digest(std::fs::read(&path).unwrap()).iter().map(|b| format!("{b:02x}")).collect();
        there += &format!("{hash}  {}\n", path.strip_prefix(root()).unwrap().display());
    }
    assert_eq!(there, listed, "a migration was changed or is not listed: add one, and renew the list as said above");
}

/// All files below a folder, in the order of their names.
fn files(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { BTreeSet::from([path]) }).collect()
}

/// Table to column to (type as Diesel names it, may be NULL).
type Shape = BTreeMap<String, BTreeMap<String, (String, bool)>>;

#[test]
fn sqlite_goes_up_down_and_up_again() {
    for tree in ["main", "blocks"] {
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.batch_execute("PRAGMA foreign_keys = ON").unwrap();
        up_down_up(&mut conn, &format!("sqlite/{tree}"), sqlite_shape);
    }
}

#[test]
fn postgres_goes_up_down_and_up_again() {
    let Some(place) = Place::empty(Database::Postgres) else { return };
    for tree in ["main", "blocks"] {
        up_down_up(&mut postgres(&place, tree), &format!("postgres/{tree}"), postgres_shape);
    }
}

#[test]
fn both_databases_have_the_tables_of_the_schema() {
    let place = Place::empty(Database::Postgres);
    for tree in ["main", "blocks"] {
        let schema = schema(tree);
        let mut conn = SqliteConnection::establish(":memory:").unwrap();
        conn.run_pending_migrations(migrations(&format!("sqlite/{tree}"))).unwrap();
        same(&schema, &sqlite_shape(&mut conn), &format!("sqlite {tree}"));
        if let Some(place) = &place {
            let mut conn = postgres(place, tree);
            conn.run_pending_migrations(migrations(&format!("postgres/{tree}"))).unwrap();
            same(&schema, &postgres_shape(&mut conn), &format!("postgres {tree}"));
        }
    }
}

/// What runs that were over had still to do to their files, as the release before kept it with their leases.
const LEASES: &str = r#"
    INSERT INTO configuration_versions (configuration_id, version, block_id, connection_id, definition, created_at)
        VALUES (3, 2, 5, 7, '{}', 0);
    INSERT INTO runs (id, uid, application_id, configuration_id, configuration_version, trigger_kind, name, status,
        queued_at, finished_at) VALUES (11, 'a', 1, 3, 2, 'member', 'a', 'success', 0, 1),
        (12, 'b', 1, 3, 2, 'member', 'b', 'running', 0, NULL), (13, 'c', 1, 3, 2, 'member', 'c', 'running', 0, NULL);
    INSERT INTO run_leases (run_id, worker, fence, lease_until, phase, intent) VALUES
        (11, 'w', 1, 0, 'Ended', '{"deed":{"move":{"to":"done"}},"path":"a.csv","stamp":"64769:8:4:5.000000006","run":11}'),
        (12, 'w', 2, 0, 'Loading', '{"deed":"delete","path":"b.csv","stamp":"64769:9:4:5.000000006","run":12}'),
        (13, 'w', 3, 0, 'Loading', NULL);
"#;

#[test]
fn what_was_to_be_done_to_files_moves_out_of_the_leases() {
    fn moved<DB, C>(conn: &mut C, tree: &str, no_keys: &str)
    where
        DB: diesel::backend::Backend,
        C: MigrationHarness<DB> + SimpleConnection,
        FileBasedMigrations: diesel::migration::MigrationSource<DB>,
    {
        for _ in 0..6 {
            conn.run_next_migration(migrations(tree)).unwrap();
        }
        conn.batch_execute(&format!("{no_keys}; {LEASES}")).unwrap();
        conn.run_next_migration(migrations(tree)).unwrap();
    }
    let expected = [
        (11, 3, 2, 5, 7, "a.csv".to_owned(), "8:4:5.000000006".to_owned()),
        (12, 3, 2, 5, 7, "b.csv".to_owned(), "9:4:5.000000006".to_owned()),
    ];
    let mut conn = SqliteConnection::establish(":memory:").unwrap();
    moved(&mut conn, "sqlite/main", "PRAGMA foreign_keys = OFF");
    assert_eq!(run_intents::table.order(run_intents::run_id).load::<Intent>(&mut conn).unwrap(), expected);
    assert_eq!(run_leases::table.select(run_leases::run_id).load::<i64>(&mut conn).unwrap(), [12, 13]);
    let Some(place) = Place::empty(Database::Postgres) else { return };
    let mut conn = postgres(&place, "main");
    moved(&mut conn, "postgres/main", "SET session_replication_role = replica");
    assert_eq!(run_intents::table.order(run_intents::run_id).load::<Intent>(&mut conn).unwrap(), expected);
    assert_eq!(run_leases::table.select(run_leases::run_id).load::<i64>(&mut conn).unwrap(), [12, 13]);
}

type Intent = (i64, i64, i64, i64, i64, String, String);

fn migrations(tree: &str) -> FileBasedMigrations {
    FileBasedMigrations::from_path(root().join("migrations").join(tree)).unwrap()
}

fn up_down_up<DB, C>(conn: &mut C, tree: &str, shape: fn(&mut C) -> Shape)
where
    DB: diesel::backend::Backend,
    C: MigrationHarness<DB>,
    FileBasedMigrations: diesel::migration::MigrationSource<DB>,
{
    conn.run_pending_migrations(migrations(tree)).unwrap();
    let first = shape(conn);
    assert!(first.len() > 5, "{tree} has tables");
    conn.revert_all_migrations(migrations(tree)).unwrap();
    assert_eq!(shape(conn), Shape::new(), "{tree} leaves nothing behind");
    conn.run_pending_migrations(migrations(tree)).unwrap();
    assert_eq!(shape(conn), first, "{tree} is the same the second time");
}

fn postgres(place: &Place, tree: &str) -> PgConnection {
    let mut conn = PgConnection::establish(&place.database_url().unwrap()).unwrap();
    let schema = if tree == "main" { "public" } else { "blocks" };
    conn.batch_execute(&format!(
        "SET client_min_messages TO warning; CREATE SCHEMA IF NOT EXISTS {schema}; SET search_path TO {schema}"
    ))
    .unwrap();
    conn
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    nullable: bool,
}

/// `INTEGER PRIMARY KEY`, alone, is SQLite's row id: 64 bits, never NULL.
fn sqlite_shape(conn: &mut SqliteConnection) -> Shape {
    let row_id =
        "c.type = 'INTEGER' AND c.pk > 0 AND (SELECT count(*) FROM pragma_table_info(t.name) k WHERE k.pk > 0) = 1";
    let columns = format!(
        "SELECT t.name AS table_name, c.name AS column_name, \
                   CASE WHEN {row_id} THEN 'BIGINT' ELSE c.type END AS kind, \
                   c.\"notnull\" = 0 AND NOT ({row_id}) AS nullable \
                   FROM sqlite_master t JOIN pragma_table_info(t.name) c \
                   WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND t.name NOT LIKE '\\_\\_%' ESCAPE '\\'"
    );
    shape(diesel::sql_query(columns).load(conn).unwrap())
}

fn postgres_shape(conn: &mut PgConnection) -> Shape {
    let columns = "SELECT table_name::TEXT, column_name::TEXT, data_type::TEXT AS kind, \
                   is_nullable = 'YES' AS nullable FROM information_schema.columns c \
                   WHERE table_schema = current_schema() AND table_name NOT LIKE '\\_\\_%' AND EXISTS ( \
                   SELECT 1 FROM pg_tables t WHERE t.schemaname = c.table_schema AND t.tablename = c.table_name)";
    shape(diesel::sql_query(columns).load(conn).unwrap())
}

fn shape(columns: Vec<Column>) -> Shape {
    let mut shape = Shape::new();
    for column in columns {
        let kind = match column.kind.to_lowercase().as_str() {
            "bigint" => "BigInt",
            "integer" => "Integer",
            "text" => "Text",
            "boolean" => "Bool",
            "blob" | "bytea" => "Binary",
            "real" | "double precision" => "Double",
            other => panic!("{}.{}: what is {other}?", column.table_name, column.column_name),
        };
        let table = shape.entry(column.table_name).or_default();
        table.insert(column.column_name, (kind.to_owned(), column.nullable));
    }
    shape
}

/// As `db/schema.rs` has it: the Workspace's tables, or those of its module `block_db`.
fn schema(tree: &str) -> Shape {
    let text = std::fs::read_to_string(root().join("src/db/schema.rs")).unwrap();
    let (main, blocks) = text.split_once("pub mod block_db").expect("the Block database has its own module");
    let mut shape = Shape::new();
    for table in (if tree == "main" { main } else { blocks }).split("table! {").skip(1) {
        let (name, rest) = table.split_once('(').unwrap();
        let (_, rest) = rest.split_once('{').unwrap();
        let (columns, _) = rest.split_once('}').unwrap();
        let columns = columns.lines().filter_map(|line| line.trim().strip_suffix(',')?.split_once(" -> "));
        let columns = columns.map(|(column, kind)| {
            let inner = kind.strip_prefix("Nullable<").and_then(|kind| kind.strip_suffix('>'));
            (column.to_owned(), (inner.unwrap_or(kind).to_owned(), inner.is_some()))
        });
        shape.insert(name.trim().to_owned(), columns.collect());
    }
    shape
}

#[track_caller]
fn same(schema: &Shape, database: &Shape, which: &str) {
    let names = |shape: &Shape| shape.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(schema), names(database), "{which}: tables (left: schema.rs)");
    for (table, columns) in schema {
        assert_eq!(columns, &database[table], "{which}: {table} (left: schema.rs)");
    }
}

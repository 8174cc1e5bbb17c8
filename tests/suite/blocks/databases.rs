//! The same test on both databases: SQLite in a folder of its own, and PostgreSQL where `TIDEGATE_TEST_POSTGRES` names
//! a server on which databases may be made (the suite's own command starts one).

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tidegate::db::{self, Location, Pool, Which};

/// Fresh, migrated databases; gone when dropped.
pub struct TestDb {
    /// `sqlite` or `postgres`, to tell failures apart.
    pub name: &'static str,
    pub main: Pool,
    pub blocks: Pool,
    // Dropped last: what the pools lead to.
    _place: Place,
}

enum Place {
    Folder(#[allow(dead_code)] tempfile::TempDir),
    Server { url: String, database: String },
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Self::Server { url, database } = self
            && let Ok(mut conn) = PgConnection::establish(url)
        {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {database} WITH (FORCE)"));
        }
    }
}

/// Runs a test on SQLite and, where there is a server, on PostgreSQL.
pub fn each_database(test: impl Fn(&TestDb)) {
    test(&sqlite());
    if let Some(db) = postgres() {
        test(&db);
    }
}

/// A pair of SQLite files.
pub fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let open = |name: &str, which| open(Location::Sqlite { file: folder.path().join(name) }, which);
    let (main, blocks) = (open("tidegate.db", Which::Main), open("blocks.db", Which::Blocks));
    TestDb { name: "sqlite", main, blocks, _place: Place::Folder(folder) }
}

/// A database of its own on the server, if there is one.
pub fn postgres() -> Option<TestDb> {
    #[allow(clippy::disallowed_methods)] // tests are told so
    let url = std::env::var("TIDEGATE_TEST_POSTGRES").ok()?;
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let database = format!("tidegate_test_{}_{number}", std::process::id());
    let mut conn = PgConnection::establish(&url).expect("the PostgreSQL server of TIDEGATE_TEST_POSTGRES");
    conn.batch_execute(&format!("DROP DATABASE IF EXISTS {database}; "))
        .and_then(|()| conn.batch_execute(&format!("CREATE DATABASE {database}")))
        .expect("a database of its own");
    let own = {
        let mut own = url::Url::parse(&url).expect("a postgres:// URL");
        own.set_path(&database);
        own.to_string()
    };
    let open = |schema, which| open(Location::Postgres { url: own.clone(), schema }, which);
    let (main, blocks) = (open("public", Which::Main), open("blocks", Which::Blocks));
    Some(TestDb { name: "postgres", main, blocks, _place: Place::Server { url, database } })
}

fn open(location: Location, which: Which) -> Pool {
    let pool = Pool::open(location, 8).expect("the database opens");
    db::migrate(&pool, which).expect("the database migrates");
    pool
}

//! Each test runs on SQLite and on PostgreSQL, under two names, so that a failure says which.

use std::panic::AssertUnwindSafe;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::sql_types::Text;
use futures_util::FutureExt;
use tempfile::TempDir;
use tidegate::app::App;
use tidegate::db::{Location, Pool, Which, migrate};
use url::Url;

use super::{World, settings};

/// Two tests from one body: `name::sqlite` and `name::postgres`. The body is given a [`World`] (`async fn`) or the
/// two migrated [`Databases`] alone (`fn`).
macro_rules! on_both {
    () => {};
    ($(#[doc = $doc:literal])* async fn $name:ident($world:ident: World) $body:block $($rest:tt)*) => {
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            async fn body($world: World) $body
            #[test]
            fn sqlite() {
                $crate::support::with_world($crate::support::Database::Sqlite, body);
            }
            #[test]
            fn postgres() {
                $crate::support::with_world($crate::support::Database::Postgres, body);
            }
        }
        on_both! { $($rest)* }
    };
    ($(#[doc = $doc:literal])* fn $name:ident($db:ident: Databases) $body:block $($rest:tt)*) => {
        $(#[doc = $doc])*
        mod $name {
            #[allow(unused_imports)]
            use super::*;
            fn body($db: &Databases) $body
            #[test]
            fn sqlite() {
                $crate::support::with_databases($crate::support::Database::Sqlite, body);
            }
            #[test]
            fn postgres() {
                $crate::support::with_databases($crate::support::Database::Postgres, body);
            }
        }
        on_both! { $($rest)* }
    };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Runs a body in a World of its own, then stops its server.
pub fn with_world<F: Future<Output = ()>>(database: Database, body: impl FnOnce(World) -> F) {
    with_changed_world(database, |_| (), body);
}

/// The same with an App that was changed before it serves.
pub fn with_changed_world<F: Future<Output = ()>>(
    database: Database,
    change: impl FnOnce(&mut App),
    body: impl FnOnce(World) -> F,
) {
    let Some(place) = Place::make(database) else { return };
    runtime().block_on(async {
        let (world, running) = World::open_with(&place, change).await;
        let done = AssertUnwindSafe(body(world)).catch_unwind().await;
        // A page that a browser still holds open is not waited for.
        let _ = tokio::time::timeout(Duration::from_secs(3), running.stop()).await;
        if let Err(panic) = done {
            std::panic::resume_unwind(panic);
        }
    });
}

/// Runs a body on SQLite and then on PostgreSQL, where two names are not worth it.
pub fn each_database(body: impl Fn(&Databases)) {
    with_databases(Database::Sqlite, &body);
    with_databases(Database::Postgres, &body);
}

/// Runs a body on the two migrated databases, without an App.
pub fn with_databases(database: Database, body: impl FnOnce(&Databases)) {
    let Some(place) = Place::make(database) else { return };
    body(&Databases::open(&place));
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// The Workspace's tables and the Block database, migrated.
pub struct Databases {
    /// `sqlite` or `postgres`, to tell failures apart.
    pub name: &'static str,
    pub main: Pool,
    pub blocks: Pool,
}

impl Databases {
    pub fn open(place: &Place) -> Self {
        let (main, blocks) = place.locations();
        let main = Pool::open(main, 8).unwrap();
        migrate(&main, Which::Main).unwrap();
        let blocks = Pool::open(blocks, 8).unwrap();
        migrate(&blocks, Which::Blocks).unwrap();
        let name = if place.database == Database::Sqlite { "sqlite" } else { "postgres" };
        Self { name, main, blocks }
    }
}

/// Where one test's databases and files are; gone when it is dropped.
pub struct Place {
    pub database: Database,
    dir: TempDir,
    /// The server and the database made in it.
    postgres: Option<(Url, String)>,
}

impl Place {
    /// Databases that are migrated already; `None` only where somebody asked for SQLite alone.
    pub fn make(database: Database) -> Option<Self> {
        Self::from(database, template)
    }

    /// Databases in which nothing was migrated yet.
    pub fn empty(database: Database) -> Option<Self> {
        Self::from(database, |_| "template0")
    }

    fn from(database: Database, template: fn(&Url) -> &'static str) -> Option<Self> {
        let dir = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        let postgres = match database {
            Database::Sqlite => None,
            Database::Postgres if settings::only_sqlite() => return None,
            Database::Postgres => {
                let server = server();
                let name = unique("tidegate_test");
                create(&server, &name, template(&server));
                Some((server, name))
            }
        };
        Some(Self { database, dir, postgres })
    }

    /// The databases and files as they stand, at another place. Nobody may be on them meanwhile.
    pub fn copied(&self) -> Self {
        let dir = tempfile::Builder::new().prefix("tidegate-test-").tempdir().unwrap();
        // Who leaves last takes the write-ahead log along.
        let give_up = Instant::now() + Duration::from_secs(20);
        while self.database == Database::Sqlite
            && ["tidegate.db-wal", "blocks.db-wal"].iter().any(|log| self.data_dir().join(log).exists())
        {
            assert!(Instant::now() < give_up, "somebody is on the databases");
            std::thread::sleep(Duration::from_millis(20));
        }
        copy(&self.data_dir(), &dir.path().join("data"));
        let postgres = self.postgres.as_ref().map(|(server, name)| {
            let other = unique("tidegate_test");
            create(server, &other, name);
            (server.clone(), other)
        });
        Self { database: self.database, dir, postgres }
    }

    pub fn data_dir(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The folder that Folder connections may read.
    pub fn folder(&self) -> PathBuf {
        self.dir.path().join("folder")
    }

    pub fn database_url(&self) -> Option<String> {
        self.postgres.as_ref().map(|(server, name)| at(server, name))
    }

    /// Of the Workspace's tables and of the Block database.
    pub fn locations(&self) -> (Location, Location) {
        std::fs::create_dir_all(self.data_dir()).unwrap();
        match self.database_url() {
            Some(url) => (
                Location::Postgres { url: url.clone(), schema: "public" },
                Location::Postgres { url, schema: "blocks" },
            ),
            None => (
                Location::Sqlite { file: self.data_dir().join("tidegate.db") },
                Location::Sqlite { file: self.data_dir().join("blocks.db") },
            ),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some((server, name)) = &self.postgres {
            // What is left behind is dropped by the next run.
            let _ = admin(server).batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let there = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &there),
            false => drop(std::fs::copy(entry.path(), there).unwrap()),
        }
    }
}

fn server() -> Url {
    let url = settings::postgres().expect(
        "TIDEGATE_TEST_POSTGRES is not set: run tests/run.sh, or name a PostgreSQL server to make databases in \
         (TIDEGATE_TEST_ONLY_SQLITE=1 leaves that half out)",
    );
    Url::parse(&url).expect("TIDEGATE_TEST_POSTGRES is a postgres:// address")
}

fn at(server: &Url, database: &str) -> String {
    let mut url = server.clone();
    url.set_path(database);
    url.into()
}

fn admin(server: &Url) -> PgConnection {
    let mut conn = PgConnection::establish(server.as_str()).unwrap_or_else(|e| panic!("TIDEGATE_TEST_POSTGRES: {e}"));
    conn.batch_execute("SET client_min_messages TO warning").unwrap();
    conn
}

fn unique(stem: &str) -> String {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    format!("{stem}_{}_{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// PostgreSQL refuses while somebody is still leaving the template.
fn create(server: &Url, name: &str, template: &str) {
    let give_up = Instant::now() + Duration::from_secs(20);
    loop {
        match admin(server).batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")) {
            Ok(()) => return,
            Err(e) if Instant::now() > give_up => panic!("CREATE DATABASE {name}: {e}"),
            Err(_) => std::thread::sleep(Duration::from_millis(50)),
        }
    }
}

/// A migrated database to copy, made once by this process.
fn template(server: &Url) -> &'static str {
    static TEMPLATE: OnceLock<String> = OnceLock::new();
    TEMPLATE.get_or_init(|| {
        sweep(server);
        let name = unique("tidegate_template");
        create(server, &name, "template0");
        let url = at(server, &name);
        for (schema, which) in [("public", Which::Main), ("blocks", Which::Blocks)] {
            let pool = Pool::open(Location::Postgres { url: url.clone(), schema }, 1).unwrap();
            migrate(&pool, which).unwrap();
        }
        name
    })
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

/// Drops what earlier runs that are over left behind.
fn sweep(server: &Url) {
    let mut conn = admin(server);
    let left = "SELECT datname AS name FROM pg_database WHERE datname ~ '^tidegate_(test|template)_'";
    for Name { name } in diesel::sql_query(left).load::<Name>(&mut conn).unwrap() {
        let over = name.split('_').nth(2).is_some_and(|pid| !PathBuf::from(format!("/proc/{pid}")).exists());
        if over {
            let _ = conn.batch_execute(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"));
        }
    }
}

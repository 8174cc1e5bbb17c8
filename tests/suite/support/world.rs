//! One whole installation: databases of its own, an App on a port of its own, the cast, and a clock that stands still.
//! Nothing beats in the background: a test calls the steps itself.

use std::net::TcpListener;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use actix_web::web::Data;
use base64::Engine;
use chrono::Duration;
use tidegate::app::App;
use tidegate::clock::{Moment, SetClock};
use tidegate::config::{Config, Role};
use tidegate::db::Conn;
use tidegate::error::Result;
use tidegate::mail::Mailer;
use tidegate::members::Origin;
use tidegate::server::{self, Running};
use url::Url;

use super::cast::{self, Cast, Person};
use super::databases::{Database, Place};
use super::{Browser, settings};

/// When every World begins: a Thursday evening in Paris.
pub const BEGINNING: &str = "2026-10-08T16:42:00Z";

/// A handle; clones mean the same World. The cast's members are its fields: `world.olive`, `world.application`.
#[derive(Clone)]
pub struct World(Arc<Inner>);

pub struct Inner {
    pub app: Data<App>,
    pub clock: Arc<SetClock>,
    pub database: Database,
    /// Where the server answers, without a slash at the end.
    pub at: String,
    /// The folder that Folder connections may read; holds copies of tests/data/*.csv.
    pub folder: PathBuf,
    pub data_dir: PathBuf,
    mailbox: Arc<Mutex<Vec<String>>>,
    cast: Cast,
}

impl Deref for World {
    type Target = Cast;

    fn deref(&self) -> &Cast {
        &self.0.cast
    }
}

impl World {
    /// Opens and serves. The caller stops what is running.
    pub async fn open(place: &Place) -> (Self, Running) {
        Self::open_with(place, |_| ()).await
    }

    /// The same with an App that was changed before it serves.
    pub async fn open_with(place: &Place, change: impl FnOnce(&mut App)) -> (Self, Running) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = place.folder();
        copy_data(&folder);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let config = config(place);
        let base_url = Url::parse(&format!("{at}/")).unwrap();
        let mut app = tokio::task::spawn_blocking(move || App::open(config, base_url, tidegate::guards::ALL))
            .await
            .unwrap()
            .unwrap();
        let clock = Arc::new(SetClock::at(moment(BEGINNING)));
        app.clock = clock.clone();
        app.server_clock = None;
        let (mailer, mailbox) = Mailer::in_memory();
        app.mail = mailer;
        change(&mut app);
        let cast = cast::enter(&app).await;
        let app = Data::new(app);
        let running = server::serve(app.clone(), listener, false).await.unwrap();
        let database = place.database;
        let data_dir = place.data_dir();
        (Self(Arc::new(Inner { app, clock, database, at, folder, data_dir, mailbox, cast })), running)
    }

    pub fn app(&self) -> &Data<App> {
        &self.0.app
    }

    pub fn database(&self) -> Database {
        self.0.database
    }

    pub fn at(&self) -> &str {
        &self.0.at
    }

    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    pub fn data_dir(&self) -> &Path {
        &self.0.data_dir
    }

    pub fn now(&self) -> Moment {
        self.0.app.now()
    }

    /// The clock itself, for a test that sets it often.
    pub fn clock(&self) -> &Arc<SetClock> {
        &self.0.clock
    }

    /// Sets the clock: `world.set_clock("2026-10-25T00:30:00Z")`.
    pub fn set_clock(&self, at: &str) {
        self.0.clock.set(moment(at));
    }

    pub fn advance(&self, by: Duration) {
        self.0.clock.advance(by);
    }

    pub async fn read<T: Send + 'static>(&self, queries: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> T {
        self.0.app.read(queries).await.unwrap_or_else(|e| panic!("{e:?}"))
    }

    pub async fn write<T: Send + 'static>(&self, queries: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static) -> T {
        self.0.app.write(queries).await.unwrap_or_else(|e| panic!("{e:?}"))
    }

    /// The same, for what may well be refused.
    pub async fn try_write<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.0.app.write(queries).await
    }

    /// Calls a step of the background, as the beat would: `world.step(runs::dispatcher::step).await`.
    pub async fn step<T: Send + 'static>(&self, step: impl FnOnce(&App) -> Result<T> + Send + 'static) -> T {
        let app = self.0.app.clone();
        tidegate::app::off_thread(move || step(&app)).await.unwrap_or_else(|e| panic!("{e:?}"))
    }

    /// A browser in which this person is signed in.
    pub async fn browser(&self, person: &Person) -> Browser {
        let cookie = self.session(person).await;
        Browser::new(self.at(), person.name, Some(&cookie))
    }

    /// A browser in which nobody is signed in.
    pub fn nobody(&self) -> Browser {
        Browser::new(self.at(), "Nobody", None)
    }

    /// The cookie of a new session of this person.
    pub async fn session(&self, person: &Person) -> String {
        let (id, now) = (person.id, self.now());
        self.write(move |conn| tidegate::members::start_session(conn, id, &Origin::default(), now)).await
    }

    /// Every mail sent so far, as it would go over the wire.
    pub fn mails(&self) -> Vec<String> {
        self.0.mailbox.lock().unwrap().clone()
    }
}

/// `moment("2026-10-08T16:42:00Z")`
#[track_caller]
pub fn moment(text: &str) -> Moment {
    Moment::parse_rfc3339(text).unwrap_or_else(|| panic!("not an instant: {text}"))
}

/// What an operator would give, for this place.
pub fn config(place: &Place) -> Config {
    Config {
        listen: "127.0.0.1:0".parse().unwrap(),
        data_dir: place.data_dir(),
        database_url: place.database_url(),
        secret_key: Some(secret_key()),
        base_url: None,
        insecure_http: false,
        folder_roots: vec![place.folder().canonicalize().unwrap()],
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap()],
        smtp_url: None,
        mail_from: "Tidegate <tidegate@localhost>".into(),
        role: Role::Both,
        trusted_proxies: Vec::new(),
        runs_at_once: 2,
        spool_bytes: 1 << 40,
        lease_seconds: 60,
        patience_seconds: 30,
    }
}

/// A sealing key that every World shares.
pub fn secret_key() -> String {
    base64::engine::general_purpose::STANDARD.encode([7; 32])
}

fn copy_data(folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    let Ok(data) = std::fs::read_dir(settings::root().join("tests/data")) else { return };
    for file in data.map(|entry| entry.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "csv")) {
        std::fs::copy(&file, folder.join(file.file_name().unwrap())).unwrap();
    }
}

//! Binds, wires actix, starts the background: the same call for `main` and for the tests.

use std::fs::{File, TryLockError};
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::{Compress, from_fn};
use actix_web::web::{Data, PathConfig, PayloadConfig};
use actix_web::{App as Actix, HttpResponse, HttpServer};

use crate::app::{App, off_thread};
use crate::background;
use crate::config::Config;
use crate::error::{AppError, Result};
use crate::members::SignedIn;
use crate::web::guard::guard;
use crate::{guards, members, recovery, routes, secrets};

/// Threads that answer requests; what blocks has others.
const WORKERS: usize = 2;

/// A server that answers.
pub struct Running {
    pub app: Data<App>,
    pub address: SocketAddr,
    handle: ServerHandle,
    serving: tokio::task::JoinHandle<std::io::Result<()>>,
    background: Option<background::Background>,
    /// Held as long as this serves.
    only_one: Option<File>,
}

/// Opens everything and serves. With `beat` the background jobs run; a test that steps through time leaves it out.
pub async fn start(config: Config, beat: bool) -> Result<Running, String> {
    // Already installed is fine: the tests start many servers in one process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let listener = TcpListener::bind(config.listen).map_err(|e| format!("--listen {}: {e}", config.listen))?;
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let base_url = config.base_url_at(address)?;
    let only_one = if config.database_url.is_none() { Some(only_one(&config.data_dir)?) } else { None };
    let app = tokio::task::spawn_blocking(move || App::open(config, base_url, guards::ALL))
        .await
        .map_err(|e| e.to_string())??;
    if secrets::is_open_to_others(&app.config.data_dir) {
        let dir = app.config.data_dir.display().to_string();
        tracing::warn!(dir, "other users of this machine may read the data directory; protect it with: chmod 700");
    }
    let mut running = serve(Data::new(app), listener, beat).await?;
    running.only_one = only_one;
    Ok(running)
}

/// The lock of a data directory: two processes that serve one SQLite database would claim each other's runs with two
/// clocks. The operating system lets go of it however the process ends. Other commands may run beside it.
pub fn only_one(data_dir: &Path) -> Result<File, String> {
    secrets::make_own_folder(data_dir).map_err(|e| format!("{}: {e}", data_dir.display()))?;
    let path = data_dir.join("serve.lock");
    let file = File::options().create(true).append(true).open(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(format!(
            "--data-dir {}: another tidegate uses this directory; stop it first, or use PostgreSQL to run several",
            data_dir.display()
        )),
        Err(TryLockError::Error(error)) => Err(format!("{}: {error}", path.display())),
    }
}

/// Serves an App that is already open.
pub async fn serve(app: Data<App>, listener: TcpListener, beat: bool) -> Result<Running, String> {
    let address = listener.local_addr().map_err(|e| e.to_string())?;
    let opened = app.clone();
    off_thread(move || recovery::at_start(&opened)).await.map_err(|e| e.to_string())?;
    app.write(members::setup::prepare).await.map_err(|e| e.to_string())?;
    let pages = app.config.role.serves_pages();
    let shared = app.clone();
    let server = HttpServer::new(move || {
        Actix::new()
            .app_data(shared.clone())
            .app_data(PayloadConfig::new(8 << 20))
            // A part of an address that is no number is the number of nothing.
            .app_data(PathConfig::default().error_handler(|_, _| AppError::NotFound.into()))
            .configure(routes::health)
            .configure(|routes| {
                if pages {
                    routes::api(routes);
                    routes::pages(routes);
                }
            })
            .default_service(actix_web::web::to(not_found))
            .wrap(from_fn(guard))
            .wrap(Compress::default())
    })
    .workers(WORKERS)
    .max_connections(connections())
    .client_disconnect_timeout(Duration::from_secs(5))
    .shutdown_timeout(20)
    .disable_signals()
    .listen(listener)
    .map_err(|e| e.to_string())?
    .run();
    let handle = server.handle();
    let serving = tokio::spawn(server);
    let background = if beat { Some(background::start(&app).await?) } else { None };
    Ok(Running { app, address, handle, serving, background, only_one: None })
}

impl Running {
    /// A set-up code to print, while nobody administers this Workspace and this process shows pages.
    pub async fn setup_code(&self) -> Result<Option<String>, String> {
        if !self.app.config.role.serves_pages() {
            return Ok(None);
        }
        let now = self.app.now();
        self.app.write(move |conn| members::setup::code(conn, now)).await.map_err(|e| e.to_string())
    }

    /// Stops claiming, lets requests end, and waits until all is still.
    pub async fn stop(self) {
        self.app.stop.cancel();
        let background = async {
            if let Some(background) = self.background {
                background.stop().await;
            }
        };
        tokio::join!(background, self.handle.stop(true));
        let _ = self.serving.await;
        drop(self.only_one);
    }
}

/// How many connections each thread that answers has at a time: of the files that this process may have open, as many as
/// the system lets it, half are left to the databases and to what is imported.
fn connections() -> usize {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let files = if setrlimit(Resource::Nofile, raised).is_ok() { limit.maximum } else { limit.current };
    // No limit at all is `None`.
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(1 << 20);
    (files / 2 / WORKERS).clamp(16, 25_000)
}

/// Whoever is signed in is told so within the shell.
async fn not_found(_: Result<SignedIn>) -> Result<HttpResponse> {
    Err(AppError::NotFound)
}

//! All that a handler or a step can reach: settings, databases, clock, secrets, mail. Made once at the start and
//! handed around; there is no other global state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::clock::{Clock, MachineClock, Moment};
use crate::config::Config;
use crate::connectors::{NetworkPolicy, Outside, SystemLookup};
use crate::db::{self, Conn, Location, Pool, ServerClock};
use crate::disk::Disk;
use crate::error::{AppError, Result};
use crate::going::{AtWork, Calendars, Downloads, Forwarded, HeldUp, Refusals, Seen, Tried};
use crate::in_use::{Enders, Followers, Guards, InUse};
use crate::lately::Lately;
use crate::mail::Mailer;
use crate::secrets::{self, Secrets};
use crate::spool::Spool;
use crate::workspace;

pub struct App {
    pub config: Config,
    /// The Workspace's own tables.
    pub db: Pool,
    /// The Block database.
    pub blocks: Pool,
    pub clock: Arc<dyn Clock>,
    /// The same clock, when it is PostgreSQL's and wants refreshing.
    pub server_clock: Option<Arc<ServerClock>>,
    pub secrets: Secrets,
    /// Where downloads and uploads wait until they are loaded.
    pub spool: Spool,
    /// The room that is left for what is stored here.
    pub disk: Disk,
    pub mail: Mailer,
    /// Where Slack's API is; another only in tests.
    pub slack_api: Url,
    /// As people reach this server.
    pub base_url: Url,
    /// The name under which this process takes leases; new at every start.
    pub worker: String,
    /// What uses a thing that is to be put away; the rooms above answer.
    pub in_use: InUse,
    /// Who keeps values for a thing that may come to ask for them otherwise.
    pub followers: Followers,
    /// What else opens a member's account, and ends with it.
    pub enders: Enders,
    /// Rung when there may be work, so that a run by hand starts at once.
    pub work: Notify,
    /// The runs that this process sees through.
    pub at_work: AtWork,
    /// Those that wait for a file which others write.
    pub held_up: HeldUp,
    /// Who was seen since it was last written down: whoever only looks waits for nobody who writes.
    pub seen: Seen,
    /// What was refused since it was last written down.
    pub refusals: Refusals,
    pub forwarded: Forwarded,
    /// Which Connections answered when they were last tried.
    pub tried: Tried,
    /// The downloads that are written now.
    pub downloads: Downloads,
    /// How often the calendars were asked for.
    pub calendars: Calendars,
    /// At most so many passwords are hashed at once, so that many sign-ins leave a core for everybody else.
    pub hashing: Semaphore,
    /// What the provider said of itself at which members sign in.
    pub provider: Lately,
    /// At most so many who set out to sign in elsewhere wait for an answer from there at once.
    pub asking: Semaphore,
    /// At most so many who come back from there, whom nobody who only sets out keeps waiting.
    pub returning: Semaphore,
    /// At most so many test runs at once: each reads a source whole.
    pub test_runs: Arc<Semaphore>,
    /// At most so many requests compare whole Blocks at once.
    pub comparing: Arc<Semaphore>,
    /// Whether the Workspace stands by, as it was last asked.
    standing_by: AtomicBool,
    /// Cancelled when the process is asked to stop.
    pub stop: CancellationToken,
}

impl App {
    /// Opens both databases, brings them to the shape that this binary expects, and reads the key.
    pub fn open(config: Config, base_url: Url, guards: Guards) -> Result<Self, String> {
        secrets::make_own_folder(&config.data_dir).map_err(|e| format!("{}: {e}", config.data_dir.display()))?;
        // A key that is none stops the start before anything was begun.
        let key = match &config.secret_key {
            Some(key) => Some(Secrets::from_base64(key)?),
            None => Secrets::kept_in(&config.data_dir)?,
        };
        let (db, blocks) = open_databases(&config)?;
        let secrets = match key {
            Some(key) if config.secret_key.is_some() => key,
            Some(key) => after_rotation(&config, &db, key)?,
            None => first_key(&config, &db)?,
        };
        let (clock, server_clock): (Arc<dyn Clock>, _) = if config.database_url.is_some() {
            let clock = ServerClock::start(db.clone()).map_err(|e| e.to_string())?;
            (clock.clone(), Some(clock))
        } else {
            (Arc::new(MachineClock), None)
        };
        workspace::open(&db, &secrets, clock.now())?;
        let network = NetworkPolicy::new(config.allowed_networks.clone());
        let mail = Mailer::new(&config.mail_from, config.smtp_url.as_deref(), network, config.data_dir.join("mail"))?;
        let slack_api = Url::parse("https://slack.com/api/").map_err(|e| e.to_string())?;
        let here = config.database_url.is_none().then(|| config.data_dir.clone());
        Ok(Self {
            disk: Disk::of(here),
            spool: Spool::new(config.data_dir.join("spool"), config.spool_bytes),
            db,
            blocks,
            clock,
            server_clock,
            secrets,
            mail,
            slack_api,
            base_url,
            worker: secrets::random_token()[..12].to_owned(),
            in_use: InUse(guards.asks),
            followers: Followers(guards.follow),
            enders: Enders(guards.end),
            work: Notify::new(),
            at_work: AtWork::default(),
            held_up: HeldUp::default(),
            seen: Seen::default(),
            refusals: Refusals::default(),
            forwarded: Forwarded::default(),
            tried: Tried::default(),
            downloads: Downloads::default(),
            calendars: Calendars::default(),
            hashing: Semaphore::new(2),
            provider: Lately::default(),
            asking: Semaphore::new(16),
            returning: Semaphore::new(16),
            test_runs: Arc::new(Semaphore::new(2)),
            comparing: Arc::new(Semaphore::new(2)),
            standing_by: AtomicBool::new(false),
            stop: CancellationToken::new(),
            config,
        })
    }

    pub fn now(&self) -> Moment {
        self.clock.now()
    }

    /// Whether the Workspace stands by: for what is shown, and what is done once in a while. What begins by itself asks the
    /// database.
    pub fn stands_by(&self) -> bool {
        self.standing_by.load(Ordering::Acquire)
    }

    pub fn set_standing_by(&self, is: bool) {
        self.standing_by.store(is, Ordering::Release);
    }

    /// Whether people reach this server over TLS, which decides the session cookie's name and flags.
    pub fn secure(&self) -> bool {
        self.base_url.scheme() == "https"
    }

    /// What connections may reach.
    pub fn outside(&self) -> Outside {
        Outside {
            network: NetworkPolicy::new(self.config.allowed_networks.clone()),
            lookup: Arc::new(SystemLookup),
            folder_roots: self.config.folder_roots.clone(),
            data_dir: self.config.data_dir.clone(),
            spool: self.spool.clone(),
        }
    }

    /// Queries that change nothing, off the async threads.
    pub async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.db.clone();
        off_thread(move || pool.read(queries)).await
    }

    /// Waits until the Block database is free: before a transaction that changes what a Block means.
    pub async fn blocks_rest(&self) -> Result<()> {
        let blocks = self.blocks.clone();
        off_thread(move || blocks.rest()).await
    }

    /// One write transaction, off the async threads.
    pub async fn write<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut Conn) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let pool = self.db.clone();
        off_thread(move || pool.write(queries)).await
    }
}

/// Anything that blocks (both databases, password hashing), off the async threads.
pub async fn off_thread<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let answer = Arc::new(Mutex::new(None));
    let put = answer.clone();
    on_a_thread(Box::new(move || *put.lock().unwrap_or_else(PoisonError::into_inner) = Some(work()))).await?;
    let answer = answer.lock().unwrap_or_else(PoisonError::into_inner).take();
    answer.unwrap_or_else(|| Err(AppError::internal("nothing was answered")))
}

/// Of one kind, because tokio's part in it is compiled anew for each kind of work.
async fn on_a_thread(work: Box<dyn FnOnce() + Send>) -> Result<()> {
    tokio::task::spawn_blocking(work).await.map_err(AppError::internal)
}

/// The key of the data directory, made where nothing is sealed yet: another could open nothing of what is.
fn first_key(config: &Config, db: &Pool) -> Result<Secrets, String> {
    if workspace::is_sealed(db)? {
        return Err(format!(
            "{}: the sealing key secret.key is missing, and this Workspace's secrets open with no other key; restore it \
             from a backup, or give it with --secret-key-file",
            config.data_dir.display()
        ));
    }
    Secrets::made_in(&config.data_dir)
}

/// The key that holds: the new one, where a rotation was cut off between the databases and the file.
fn after_rotation(config: &Config, db: &Pool, key: Secrets) -> Result<Secrets, String> {
    if workspace::is_sealed(db)?
        && !workspace::opens(db, &key)?
        && let Some(new) = Secrets::kept_new_in(&config.data_dir)?
        && workspace::opens(db, &new)?
    {
        secrets::take_new_key(&config.data_dir)?;
        return Ok(new);
    }
    Ok(key)
}

/// Opens and migrates both databases.
pub fn open_databases(config: &Config) -> Result<(Pool, Pool), String> {
    let (main, blocks) = match &config.database_url {
        Some(url) => (
            Location::Postgres { url: url.clone(), schema: "public" },
            Location::Postgres { url: url.clone(), schema: "blocks" },
        ),
        None => (
            Location::Sqlite { file: config.data_dir.join("tidegate.db") },
            Location::Sqlite { file: config.data_dir.join("blocks.db") },
        ),
    };
    let open = |location, which| {
        let pool = Pool::open(location, 8).map_err(|e| format!("the database cannot be opened: {e}"))?;
        db::migrate(&pool, which).map_err(|e| format!("the database cannot be migrated: {e}"))?;
        Ok::<_, String>(pool)
    };
    Ok((open(main, db::Which::Main)?, open(blocks, db::Which::Blocks)?))
}

//! The command line: serve (default) | demo | migrate | member add | member reset-password | token create |
//! key rotate.

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

mod commands;

use self::commands::{KeyCommand, MemberCommand, TokenCommand};
use clap::{Parser, Subcommand};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, layer::SubscriberExt};

use crate::config::{Config, Options, Role};
use crate::{demo, memory, secrets, server};

/// Runs a company's data imports on schedule.
#[derive(Parser)]
#[command(name = "tidegate", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    options: Options,
}

#[derive(Subcommand)]
enum Command {
    /// Serve pages and run imports (the default).
    Serve {
        /// What this process does.
        #[arg(long, value_enum)]
        role: Option<Role>,
    },
    /// Serve a Workspace with sample data, on loopback.
    Demo,
    /// Migrate the databases to this version, then exit.
    Migrate,
    /// Members of the Workspace.
    #[command(subcommand)]
    Member(MemberCommand),
    /// API tokens.
    #[command(subcommand)]
    Token(TokenCommand),
    /// The key that seals secrets.
    #[command(subcommand)]
    Key(KeyCommand),
}

/// The whole program: what its arguments ask for, until it ends.
pub fn main() -> ExitCode {
    memory::share();
    actix_web::rt::System::new().block_on(run())
}

async fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            // Whoever reads it may have read enough: `--help | head`.
            let _ = write!(io::stdout(), "{error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            return wrong(&text.lines().take_while(|l| !l.is_empty()).map(str::trim).collect::<Vec<_>>().join(" "));
        }
    };
    // What strangers send that is no HTTP is no error of ours.
    let logged = Targets::new()
        .with_default(LevelFilter::INFO)
        .with_target("actix_server", LevelFilter::WARN)
        .with_target("actix_http", LevelFilter::OFF)
        .with_target("tokio_cron_scheduler", LevelFilter::WARN);
    let lines = tracing_subscriber::fmt::layer().json().with_writer(std::io::stderr);
    tracing_subscriber::registry().with(lines.with_filter(logged)).init();
    let done = match cli.command.unwrap_or(Command::Serve { role: None }) {
        Command::Serve { role } => {
            let role = role.unwrap_or(cli.options.role);
            serve(Options { role, ..cli.options }).await
        }
        Command::Demo => demo(cli.options).await,
        Command::Migrate => commands::migrate(cli.options),
        Command::Member(what) => commands::member(cli.options, what),
        Command::Token(what) => commands::token(cli.options, what),
        Command::Key(what) => commands::key(cli.options, what),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => wrong(&reason),
    }
}

/// One line on stderr that says which and why.
fn wrong(reason: &str) -> ExitCode {
    let reason = reason.strip_prefix("error: ").unwrap_or(reason).replace('\n', " ");
    let _ = writeln!(io::stderr(), "tidegate: {reason}");
    ExitCode::from(2)
}

/// One line on stdout.
fn say(line: impl Display) -> Result<(), String> {
    writeln!(io::stdout(), "{line}").map_err(|e| format!("it is done, but this could not be written to stdout: {e}"))
}

/// The same of what a server says, which serves on when nobody reads it any more.
fn tell(line: impl Display) {
    let _ = say(line);
}

async fn serve(options: Options) -> Result<(), String> {
    let mut stop = Stop::listen()?;
    let key_file = options.secret_key_file.clone();
    let running = server::start(Config::new(options, "./data")?, true).await?;
    // A secret that is mounted into a container is mostly readable by all of it, so this stops nobody.
    if let Some(file) = key_file.filter(|file| secrets::is_open_to_others(file)) {
        let file = file.display().to_string();
        tracing::warn!(file, "other users of this machine may read the sealing key; protect it with: chmod 600");
    }
    let at = running.app.base_url.as_str().trim_end_matches('/');
    if let Some(code) = running.setup_code().await? {
        tell(format!("this Workspace has no Administrator yet: open {at}/setup#{code}"));
        tell(format!("setup code: {code}"));
    }
    tell(format!("listening on {at}"));
    stop.asked().await;
    running.stop().await;
    end_soon();
    Ok(())
}

async fn demo(options: Options) -> Result<(), String> {
    let mut stop = Stop::listen()?;
    let demo = demo::start(Config::new(options, demo::DATA_DIR)?).await?;
    tell(format!("listening on {}", demo.running.app.base_url.as_str().trim_end_matches('/')));
    for person in &demo.people {
        tell(format!("{} {} {}", person.email, person.password, person.role));
    }
    stop.asked().await;
    demo.stop().await;
    end_soon();
    Ok(())
}

/// A thread that works on takes no longer than this to be left behind: everything was told to stop, and had its time.
/// What a run left undone is rescued by whoever comes next.
fn end_soon() {
    std::thread::spawn(|| {
        std::thread::sleep(std::time::Duration::from_secs(2));
        std::process::exit(0);
    });
}

/// SIGTERM and SIGINT. Listened to before anybody is told that the process is there: who stops it at once is heard.
struct Stop {
    term: Signal,
    int: Signal,
}

impl Stop {
    fn listen() -> Result<Self, String> {
        let to = |kind| signal(kind).map_err(|e| e.to_string());
        Ok(Self { term: to(SignalKind::terminate())?, int: to(SignalKind::interrupt())? })
    }

    async fn asked(&mut self) {
        tokio::select! { _ = self.term.recv() => {}, _ = self.int.recv() => {} }
    }
}

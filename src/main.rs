//! The command line: serve (default) | demo | migrate | member add | token create.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tidegate::config::{Config, Options};
use tidegate::server;

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
    Serve,
    /// Bring the databases to the shape that this version expects, and stop.
    Migrate,
}

#[actix_web::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) if !error.use_stderr() => {
            print!("{error}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            let text = error.to_string();
            return wrong(&text.lines().take_while(|l| !l.is_empty()).map(str::trim).collect::<Vec<_>>().join(" "));
        }
    };
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::new("info,actix_server=warn,tokio_cron_scheduler=warn"))
        .json()
        .with_writer(std::io::stderr)
        .init();
    let done = match cli.command.unwrap_or(Command::Serve) {
        Command::Serve => serve(cli.options).await,
        Command::Migrate => migrate(cli.options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => wrong(&reason),
    }
}

/// One line on stderr that says which and why.
fn wrong(reason: &str) -> ExitCode {
    let reason = reason.strip_prefix("error: ").unwrap_or(reason).replace('\n', " ");
    eprintln!("tidegate: {reason}");
    ExitCode::from(2)
}

async fn serve(options: Options) -> Result<(), String> {
    let running = server::start(Config::new(options, "./data")?, true).await?;
    println!("listening on {}", running.app.base_url.as_str().trim_end_matches('/'));
    asked_to_stop().await?;
    running.stop().await;
    Ok(())
}

/// Until SIGTERM or SIGINT.
async fn asked_to_stop() -> Result<(), String> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut term = signal(SignalKind::terminate()).map_err(|e| e.to_string())?;
    let mut int = signal(SignalKind::interrupt()).map_err(|e| e.to_string())?;
    tokio::select! { _ = term.recv() => {}, _ = int.recv() => {} }
    Ok(())
}

fn migrate(options: Options) -> Result<(), String> {
    let config = Config::new(options, "./data")?;
    std::fs::create_dir_all(&config.data_dir).map_err(|e| format!("{}: {e}", config.data_dir.display()))?;
    tidegate::app::open_databases(&config)?;
    println!("both databases are up to date");
    Ok(())
}

//! The commands that do one thing and stop. They may run beside a process that serves.

use std::io::Read;
use std::path::PathBuf;

use super::say;
use crate::app::App;
use crate::config::{Config, Options};
use crate::error::AppError;
use crate::members::actions::{self, NewMember};
use crate::members::passwords::PasswordHash;
use crate::members::permissions::ADMINISTRATOR;
use crate::members::{self, Scope, passwords, reset, setup, tokens};
use crate::schedules::day_begins;
use crate::secrets::{self, Secrets};
use crate::{guards, keys, server, workspace};
use chrono::{Datelike, NaiveDate};
use clap::{Args, Subcommand};
use url::Url;

#[derive(Subcommand)]
pub enum MemberCommand {
    /// Add a member; the password is read from standard input.
    Add(AddMember),
    /// Set a member's password, which is read from standard input, and turn off their second factor.
    ResetPassword(ResetPassword),
}

#[derive(Args)]
pub struct AddMember {
    #[arg(long)]
    email: String,
    #[arg(long)]
    name: String,
    /// Name of a role, such as Modeler, Importer, Viewer or Auditor.
    #[arg(long, value_name = "NAME", required_unless_present = "administrator")]
    role: Option<String>,
    /// Add an Administrator; use this instead of --role.
    #[arg(long, conflicts_with = "role")]
    administrator: bool,
    /// Read the password from standard input, up to the first line break.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Args)]
pub struct ResetPassword {
    #[arg(long)]
    email: String,
    /// Read the password from standard input, up to the first line break.
    #[arg(long, required = true)]
    password_stdin: bool,
}

#[derive(Subcommand)]
pub enum TokenCommand {
    /// Create an API token for a member; the last line printed is the token alone.
    Create(CreateToken),
}

#[derive(Args)]
pub struct CreateToken {
    /// E-mail address of the member that the token acts as.
    #[arg(long)]
    member: String,
    /// What the token is for.
    #[arg(long)]
    name: String,
    /// What it may do: read, run, schedule, configure, administer; repeatable. Default: everything the member may do.
    #[arg(long, value_delimiter = ',', value_parser = scope)]
    scope: Vec<Scope>,
    /// Last day on which it works, in the Workspace's time zone, like 2027-03-31. Default: it never ends.
    #[arg(long, value_name = "DATE", value_parser = day)]
    expires: Option<NaiveDate>,
}

fn day(word: &str) -> Result<NaiveDate, String> {
    NaiveDate::parse_from_str(word, "%Y-%m-%d")
        .ok()
        .filter(|day| (1970..=9999).contains(&day.year()))
        .ok_or_else(|| "expected a date like 2027-03-31".to_owned())
}

fn scope(word: &str) -> Result<Scope, String> {
    Scope::parse(word).ok_or_else(|| {
        format!("expected one of {}", Scope::ALL.iter().map(|s| s.as_str()).collect::<Vec<_>>().join(", "))
    })
}

#[derive(Subcommand)]
pub enum KeyCommand {
    /// Seal all secrets with a new key; stop every other process first.
    Rotate(RotateKey),
}

#[derive(Args)]
pub struct RotateKey {
    /// File that holds the new key, 32 bytes in base64. Without it, a new key is created in the data directory, if the
    /// current one is there.
    #[arg(long, value_name = "FILE")]
    new_secret_key_file: Option<PathBuf>,
}

pub fn migrate(options: Options) -> Result<(), String> {
    let config = Config::new(options, "./data")?;
    secrets::make_own_folder(&config.data_dir).map_err(|e| format!("{}: {e}", config.data_dir.display()))?;
    crate::app::open_databases(&config)?;
    say("both databases are up to date")
}

pub fn member(options: Options, what: MemberCommand) -> Result<(), String> {
    match what {
        MemberCommand::Add(new) => add_member(options, new),
        MemberCommand::ResetPassword(of) => reset_password(options, &of.email),
    }
}

fn add_member(options: Options, new: AddMember) -> Result<(), String> {
    let app = open(options)?;
    let hash = hash_of_stdin(&[&new.email, &new.name])?;
    let role = new.role.unwrap_or_else(|| ADMINISTRATOR.to_owned());
    let new = NewMember { email: new.email, name: new.name, role, password: Some(hash) };
    let now = app.now();
    let member = app.db.write(|conn| actions::add_by_command(conn, new, now)).map_err(words)?;
    say(format!("added {} as {}", member.email, member.role))
}

fn reset_password(options: Options, email: &str) -> Result<(), String> {
    let app = open(options)?;
    let name = app.db.read(|conn| members::by_email(conn, email)).map_err(words)?.map(|member| member.name);
    let hash = hash_of_stdin(&[email, &name.unwrap_or_default()])?;
    let now = app.now();
    let (member, lost) =
        app.db.write(|conn| reset::set_by_command(conn, app.enders, email, &hash, now)).map_err(words)?;
    say(format!(
        "set the password of {}, signed out everywhere and revoked the API tokens and calendar addresses",
        member.email
    ))?;
    if lost {
        say("turned off their second factor; they can set up a new one under Your account")?;
    }
    Ok(())
}

/// The password on standard input, up to the first line break. `others` are words that everybody would try first.
fn hash_of_stdin(others: &[&str]) -> Result<PasswordHash, String> {
    let mut password = Vec::new();
    let limit = passwords::LONGEST as u64 + 2;
    std::io::stdin().take(limit).read_to_end(&mut password).map_err(|e| format!("--password-stdin: {e}"))?;
    let password = String::from_utf8(password).map_err(|_| "--password-stdin: the password is not UTF-8".to_owned())?;
    let password = password.lines().next().unwrap_or_default();
    passwords::check(password, others).map_err(|reason| format!("--password-stdin: {reason}"))?;
    passwords::hash_now(password).map_err(words)
}

pub fn token(options: Options, TokenCommand::Create(new): TokenCommand) -> Result<(), String> {
    let app = open(options)?;
    let now = app.now();
    let made = app.db.write(|conn| {
        let member = members::by_email(conn, &new.member)?
            .ok_or_else(|| AppError::Conflict(format!("--member {}: there is no such member", new.member)))?;
        let zone = workspace::get(conn)?.time_zone;
        let expires_at = new.expires.and_then(|day| day.succ_opt()).map(|next| day_begins(zone, next));
        let of = tokens::New { name: &new.name, scopes: &new.scope, expires_at };
        tokens::create_by_command(conn, &member, &of, now)
    });
    say(made.map_err(words)?)
}

pub fn key(options: Options, KeyCommand::Rotate(wanted): KeyCommand) -> Result<(), String> {
    let config = Config::new(options, "./data")?;
    let dir = config.data_dir.clone();
    let stands_here = config.secret_key.is_none();
    let _only_one = if config.database_url.is_none() { Some(server::only_one(&dir)?) } else { None };
    let key = match &wanted.new_secret_key_file {
        Some(file) => {
            std::fs::read_to_string(file).map_err(|e| format!("--new-secret-key-file {}: {e}", file.display()))?
        }
        None if stands_here => secrets::random_key(),
        None => {
            return Err("--new-secret-key-file: give the new key in a file, because the old one is not in the data \
                        directory; create one with: openssl rand -base64 32"
                .into());
        }
    };
    let new = Secrets::from_base64(&key).map_err(|e| e.replace("--secret-key", "--new-secret-key-file"))?;
    let app = open_as(config)?;
    if new.is_same(&app.secrets) {
        return Err("--new-secret-key-file: this is the current key".into());
    }
    if stands_here {
        secrets::write_new_key(&dir, key.trim())?;
    }
    let sealed = keys::rotate(&app, &new).map_err(words)?;
    if stands_here {
        secrets::take_new_key(&dir)?;
    }
    let among = crate::words::counted(sealed as i64, "Connection", "Connections");
    say(format!("all secrets are sealed with the new key, among them those of {among}"))?;
    match wanted.new_secret_key_file.filter(|_| !stands_here) {
        Some(file) => say(format!("start every process with --secret-key-file {}", file.display())),
        None => {
            let file = dir.join("secret.key");
            say(format!("the new key is in {}; earlier backups open only with the old key", file.display()))
        }
    }
}

/// What all of these need; the address at which people reach the server does not matter to them.
fn open(options: Options) -> Result<App, String> {
    open_as(Config::new(options, "./data")?)
}

fn open_as(config: Config) -> Result<App, String> {
    let base_url = Url::parse("http://localhost/").map_err(|e| e.to_string())?;
    let app = App::open(config, base_url, guards::ALL)?;
    app.db.write(setup::prepare).map_err(words)?;
    Ok(app)
}

/// An error in one line for a terminal: the fault of a database is named, for nobody else reads it.
fn words(error: AppError) -> String {
    match error {
        AppError::Invalid(errors) => errors
            .0
            .into_iter()
            .map(|e| format!("--{}: {}", e.field.replace("token_", ""), e.detail))
            .collect::<Vec<_>>()
            .join(" "),
        AppError::Internal(cause) => cause,
        other => other.to_string(),
    }
}

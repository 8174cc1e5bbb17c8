//! What the operator decides: one struct, read once from options and `TIDEGATE_…` variables. A secret may also come
//! from a file (`TIDEGATE_…_FILE`). What is unknown or wrong stops the start with one line.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum};
use ipnet::IpNet;
use url::Url;

/// Options of `serve`, shared by every command.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Address and port to listen on; port 0 picks a free one.
    #[arg(long, env = "TIDEGATE_LISTEN", default_value = "127.0.0.1:8080", global = true)]
    pub listen: SocketAddr,
    /// Folder of the SQLite files, kept uploads and secret.key [default: ./data].
    #[arg(long, env = "TIDEGATE_DATA_DIR", global = true)]
    pub data_dir: Option<PathBuf>,
    /// postgres://…; default: SQLite in the data directory.
    #[arg(long, env = "TIDEGATE_DATABASE_URL", hide_env_values = true, global = true)]
    pub database_url: Option<String>,
    #[arg(long, env = "TIDEGATE_DATABASE_URL_FILE", hide = true, global = true)]
    pub database_url_file: Option<PathBuf>,
    /// Key that seals secrets: 32 bytes in base64. Required with PostgreSQL.
    #[arg(long, env = "TIDEGATE_SECRET_KEY", hide_env_values = true, global = true)]
    pub secret_key: Option<String>,
    /// File that holds the sealing key.
    #[arg(long, env = "TIDEGATE_SECRET_KEY_FILE", global = true)]
    pub secret_key_file: Option<PathBuf>,
    /// Address that people use to reach this server.
    #[arg(long, env = "TIDEGATE_BASE_URL", global = true)]
    pub base_url: Option<Url>,
    /// Allow plain http at an address that is not loopback.
    #[arg(long, env = "TIDEGATE_INSECURE_HTTP", global = true)]
    pub insecure_http: bool,
    /// Folder that Folder connections may read; repeatable.
    #[arg(long, env = "TIDEGATE_FOLDER_ROOT", value_delimiter = ',', global = true)]
    pub folder_root: Vec<PathBuf>,
    /// Network that connectors, webhooks and mail may reach besides public ones; repeatable.
    #[arg(long, env = "TIDEGATE_ALLOW_NETWORK", value_delimiter = ',', value_parser = network, global = true)]
    pub allow_network: Vec<IpNet>,
    /// smtp://… or smtps://…; default: mail is written to data-dir/mail.
    #[arg(long, env = "TIDEGATE_SMTP_URL", hide_env_values = true, global = true)]
    pub smtp_url: Option<String>,
    #[arg(long, env = "TIDEGATE_SMTP_URL_FILE", hide = true, global = true)]
    pub smtp_url_file: Option<PathBuf>,
    /// Sender of mail.
    #[arg(long, env = "TIDEGATE_MAIL_FROM", default_value = "Tidegate <tidegate@localhost>", global = true)]
    pub mail_from: String,
    /// What this process does.
    // Not global: for `member add` the same word means the role of a member.
    #[arg(long, env = "TIDEGATE_ROLE", value_enum, default_value_t = Role::Both)]
    pub role: Role,
    /// Network of a proxy whose X-Forwarded-For header is trusted; repeatable.
    #[arg(long, env = "TIDEGATE_TRUSTED_PROXY", value_delimiter = ',', value_parser = network, global = true)]
    pub trusted_proxy: Vec<IpNet>,
    /// How many runs this process works on at once.
    #[arg(long, env = "TIDEGATE_RUNS_AT_ONCE", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64), global = true)]
    pub runs_at_once: u16,
    /// How many bytes of downloads and uploads may wait on the disk at once.
    #[arg(long, env = "TIDEGATE_SPOOL_BYTES", default_value_t = 20 << 30, global = true)]
    pub spool_bytes: u64,
    /// How long a worker keeps a run without a heartbeat; set the same for every process of one database.
    #[arg(long, env = "TIDEGATE_LEASE_SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u16).range(2..=600), hide = true, global = true)]
    pub lease_seconds: u16,
    /// How long a form may take to arrive; a file transfer may pause for twice as long.
    #[arg(long, env = "TIDEGATE_PATIENCE_SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=600), hide = true, global = true)]
    pub patience_seconds: u16,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Role {
    Both,
    Web,
    Worker,
}

impl Role {
    pub fn works(self) -> bool {
        self != Self::Web
    }

    pub fn serves_pages(self) -> bool {
        self != Self::Worker
    }
}

/// A network in CIDR form, or one address.
fn network(text: &str) -> Result<IpNet, String> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Ok(IpNet::from(address));
    }
    text.parse().map_err(|_| "expected a network such as 10.0.0.0/8".to_owned())
}

/// The options, checked.
#[derive(Clone)]
pub struct Config {
    pub listen: SocketAddr,
    pub data_dir: PathBuf,
    pub database_url: Option<String>,
    pub secret_key: Option<String>,
    /// As given; [`Config::base_url_at`] is what holds.
    pub base_url: Option<Url>,
    pub insecure_http: bool,
    pub folder_roots: Vec<PathBuf>,
    pub allowed_networks: Vec<IpNet>,
    pub smtp_url: Option<String>,
    pub mail_from: String,
    pub role: Role,
    pub trusted_proxies: Vec<IpNet>,
    pub runs_at_once: usize,
    pub spool_bytes: u64,
    /// How long a run stays its worker's without a heartbeat.
    pub lease_seconds: u16,
    pub patience_seconds: u16,
}

impl Config {
    /// How long a form may take to arrive; who sends or takes a file may stand still for twice as long.
    pub fn patience(&self) -> Duration {
        Duration::from_secs(self.patience_seconds.into())
    }

    /// Checks the options. `default_data_dir` is that of the command (`./data`, `./demo-data`).
    pub fn new(options: Options, default_data_dir: &str) -> Result<Self, String> {
        refuse_unknown_variables()?;
        let database_url = one_of("database-url", options.database_url, options.database_url_file)?;
        if let Some(url) = &database_url
            && !url.starts_with("postgres://")
            && !url.starts_with("postgresql://")
        {
            return Err("--database-url: expected postgres://…; without it SQLite is used".into());
        }
        let secret_key = one_of("secret-key", options.secret_key, options.secret_key_file)?;
        if database_url.is_some() && secret_key.is_none() {
            return Err("--secret-key: required with PostgreSQL, so that every process can open the same secrets; \
                        create one with: openssl rand -base64 32"
                .into());
        }
        if let Some(url) = &options.base_url
            && (!matches!(url.scheme(), "http" | "https") || url.host_str().is_none() || url.path() != "/")
        {
            return Err("--base-url: expected http://host or https://host, without a path".into());
        }
        let data_dir = options.data_dir.unwrap_or_else(|| default_data_dir.into());
        let own = as_it_will_be(&data_dir);
        let mut folder_roots = Vec::new();
        for root in options.folder_root {
            let real = root.canonicalize().map_err(|e| format!("--folder-root {}: {e}", root.display()))?;
            // The key and the databases are nobody's source.
            if real.starts_with(&own) || own.starts_with(&real) {
                return Err(format!(
                    "--folder-root {}: it contains the data directory {} or is inside it; choose another folder",
                    root.display(),
                    data_dir.display()
                ));
            }
            folder_roots.push(real);
        }
        Ok(Self {
            listen: options.listen,
            data_dir,
            database_url,
            secret_key,
            base_url: options.base_url,
            insecure_http: options.insecure_http,
            folder_roots,
            allowed_networks: options.allow_network,
            smtp_url: one_of("smtp-url", options.smtp_url, options.smtp_url_file)?,
            mail_from: options.mail_from,
            role: options.role,
            trusted_proxies: options.trusted_proxy,
            runs_at_once: options.runs_at_once.into(),
            spool_bytes: options.spool_bytes,
            lease_seconds: options.lease_seconds,
            patience_seconds: options.patience_seconds,
        })
    }

    /// How people reach a server bound to `bound`: the base URL as given, else the address itself. Plain http away
    /// from loopback would send passwords in the clear, so it is refused unless somebody insists.
    pub fn base_url_at(&self, bound: SocketAddr) -> Result<Url, String> {
        let url = match &self.base_url {
            Some(url) => url.clone(),
            None => Url::parse(&format!("http://{bound}/")).map_err(|e| format!("--listen: {e}"))?,
        };
        if url.scheme() == "http" && !is_loopback(&url) && !self.insecure_http {
            return Err(format!(
                "--base-url: {url} is plain http outside loopback and would send passwords unencrypted; put TLS in \
                 front of it and give its https address, or allow plain http with --insecure-http"
            ));
        }
        Ok(url)
    }
}

/// A path with its links resolved, as far as it is there already.
fn as_it_will_be(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|above| Some((above, above.canonicalize().ok()?)));
    match there {
        Some((above, real)) => path.strip_prefix(above).map_or(real.clone(), |rest| real.join(rest)),
        None => path,
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    }
}

fn one_of(name: &str, value: Option<String>, file: Option<PathBuf>) -> Result<Option<String>, String> {
    match (value, file) {
        (Some(_), Some(_)) => Err(format!("--{name}: given twice, as a value and as a file")),
        (Some(value), None) => Ok(Some(value)),
        (None, Some(file)) => std::fs::read_to_string(&file)
            .map(|text| Some(text.trim().to_owned()))
            .map_err(|e| format!("--{name}-file {}: {e}", file.display())),
        (None, None) => Ok(None),
    }
}

const VARIABLES: &[&str] = &[
    "TIDEGATE_LISTEN",
    "TIDEGATE_DATA_DIR",
    "TIDEGATE_DATABASE_URL",
    "TIDEGATE_DATABASE_URL_FILE",
    "TIDEGATE_SECRET_KEY",
    "TIDEGATE_SECRET_KEY_FILE",
    "TIDEGATE_BASE_URL",
    "TIDEGATE_INSECURE_HTTP",
    "TIDEGATE_FOLDER_ROOT",
    "TIDEGATE_ALLOW_NETWORK",
    "TIDEGATE_SMTP_URL",
    "TIDEGATE_SMTP_URL_FILE",
    "TIDEGATE_MAIL_FROM",
    "TIDEGATE_ROLE",
    "TIDEGATE_TRUSTED_PROXY",
    "TIDEGATE_RUNS_AT_ONCE",
    "TIDEGATE_LEASE_SECONDS",
];

#[allow(clippy::disallowed_methods)] // the one place that looks at the environment
fn refuse_unknown_variables() -> Result<(), String> {
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("TIDEGATE_") && !name.starts_with("TIDEGATE_TEST_") && !VARIABLES.contains(&&*name) {
            return Err(format!("{name}: unknown setting; the known ones are {}", VARIABLES.join(", ")));
        }
    }
    Ok(())
}

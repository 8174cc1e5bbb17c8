//! `tidegate demo`: a Workspace with people, real data and imports that run, to look at before anything of one's own
//! is there. Everything in it is made by the same actions as a person's clicks; it only serves itself, on loopback.

mod past;
mod sample;
mod seed;

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::config::Config;
use crate::error::AppError;
use crate::server::{self, Running};
use sample::SampleServer;

/// The data directory of a demo that is given none.
pub const DATA_DIR: &str = "./demo-data";

/// Marks a data directory as a demo's, and remembers who may sign in.
const MARK: &str = "demo.json";

/// Somebody who can sign in to the demo. The password is written down: there is nothing to protect.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Person {
    pub name: String,
    pub email: String,
    pub password: String,
    pub role: String,
}

/// A demo that answers.
pub struct Demo {
    pub running: Running,
    pub people: Vec<Person>,
    sample: SampleServer,
}

/// Begins a demo, or goes on with the one in the data directory.
pub async fn start(mut config: Config) -> Result<Demo, String> {
    if !config.listen.ip().is_loopback() {
        return Err("demo: its passwords are printed, so it listens on loopback only; leave out --listen".into());
    }
    if config.database_url.is_some() {
        return Err("demo: it keeps its own SQLite files; leave out --database-url".into());
    }
    let files = config.data_dir.join("files");
    let people = people(&config.data_dir)?;
    sample::write_files(&files).map_err(|e| format!("{}: {e}", files.display()))?;
    let files = files.canonicalize().map_err(|e| format!("{}: {e}", files.display()))?;
    let sample = SampleServer::start().map_err(|e| format!("demo: its sample files cannot be served: {e}"))?;
    config.folder_roots.push(files.clone());
    config.allowed_networks.push(std::net::IpAddr::from([127, 0, 0, 1]).into());
    let (before, place, listed) = (config.clone(), sample.place(&files), people.clone());
    crate::app::off_thread(move || past::live(before, &listed, &place))
        .await
        .map_err(|e| format!("demo: {}", reason(&e)))?;
    let running = server::start(config, true).await?;
    Ok(Demo { running, people, sample })
}

fn reason(error: &AppError) -> String {
    match error {
        AppError::Internal(cause) => cause.clone(),
        other => other.to_string(),
    }
}

impl Demo {
    pub async fn stop(self) {
        self.running.stop().await;
        self.sample.stop().await;
    }
}

/// Those of an earlier demo, else new ones. A directory that holds anything else is not touched.
fn people(data_dir: &Path) -> Result<Vec<Person>, String> {
    let mark = data_dir.join(MARK);
    let shown = data_dir.display();
    if mark.exists() {
        let text = std::fs::read(&mark).map_err(|e| format!("{}: {e}", mark.display()))?;
        return serde_json::from_slice(&text)
            .map_err(|_| format!("demo: {} does not belong to a demo", mark.display()));
    }
    let empty = match std::fs::read_dir(data_dir) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => true,
        Err(error) => return Err(format!("{shown}: {error}")),
    };
    if !empty {
        return Err(format!("demo: {shown} contains something other than a demo; choose another --data-dir"));
    }
    let person = |name: &str, role: &str| Person {
        name: name.to_owned(),
        email: format!("{}@demo.example", name.split(' ').next().unwrap_or(name).to_lowercase()),
        password: crate::secrets::random_token().chars().filter(char::is_ascii_alphanumeric).take(12).collect(),
        role: role.to_owned(),
    };
    let people =
        vec![person("Ada Marsh", "Administrator"), person("Olive Brandt", "Importer"), person("Mo Keller", "Viewer")];
    crate::secrets::make_own_folder(data_dir).map_err(|e| format!("{shown}: {e}"))?;
    let text = serde_json::to_vec_pretty(&people).map_err(|e| e.to_string())?;
    std::fs::write(&mark, text).map_err(|e| format!("{}: {e}", mark.display()))?;
    Ok(people)
}

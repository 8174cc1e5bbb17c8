//! The key that seals secrets: changed by a command, and missed before anything is sealed with another.

use std::path::Path;

use base64::Engine;
use serde_json::json;

use crate::support::api::Api;
use crate::support::databases::{Place, runtime};
use crate::support::process::{self, Process};
use crate::support::{Database, world};

/// An installation whose key is given, or stands in its data directory.
struct Installation {
    place: Place,
    key: Option<String>,
    token: String,
}

impl Installation {
    fn make(database: Database) -> Option<Self> {
        let place = Place::make(database)?;
        let key = place.database_url().map(|_| world::secret_key());
        let mut made = Self { place, key, token: String::new() };
        let member = ["member", "add", "--email", "a@b.example", "--name", "A", "--administrator", "--password-stdin"];
        made.run(&member).unwrap();
        made.token = made.run(&["token", "create", "--member", "a@b.example", "--name", "t"]).unwrap();
        Some(made)
    }

    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("TIDEGATE_LISTEN", "127.0.0.1:0".to_owned()),
            ("TIDEGATE_DATA_DIR", self.place.data_dir().to_str().unwrap().to_owned()),
        ];
        environment.extend(self.place.database_url().map(|url| ("TIDEGATE_DATABASE_URL", url)));
        environment.extend(self.key.clone().map(|key| ("TIDEGATE_SECRET_KEY", key)));
        environment
    }

    /// What a command says last; `Err`: why it was refused.
    fn run(&self, args: &[&str]) -> Result<String, String> {
        let environment = self.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let output = process::run(args, &environment, "a long enough passphrase\n");
        match output.status.code() {
            Some(0) => Ok(String::from_utf8(output.stdout).unwrap().lines().last().unwrap_or_default().to_owned()),
            code => {
                assert_eq!(code, Some(2));
                Err(String::from_utf8(output.stderr).unwrap())
            }
        }
    }

    fn serve(&self) -> (Process, Api) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let environment = self.environment();
        let environment: Vec<_> = environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let mut process = Process::start_with(&["serve"], &environment);
        let api = Api::new(&process.listening(), &self.token);
        (process, api)
    }

    /// What it says to a test of its Connection.
    async fn tested(&self) -> String {
        let (mut process, api) = self.serve();
        let reply = api.post("connections/1/test", json!({})).await;
        assert!(process.stop().success());
        reply.is(200).json["detail"].as_str().unwrap().to_owned()
    }
}

async fn with_a_secret(database: Database) -> Option<Installation> {
    let made = Installation::make(database)?;
    let (mut process, api) = made.serve();
    let settings = json!({ "url": "https://reports.invalid/", "auth": "bearer" });
    let connection = json!({ "name": "Reports", "kind": "http", "settings": settings, "secrets": { "token": "hush" } });
    api.post("connections", connection).await.is(201);
    let refused = made.run(&["key", "rotate", "--new-secret-key-file", "/dev/null"]).unwrap_err();
    assert!(refused.contains("another tidegate") || refused.contains("expected 32"), "{refused}");
    assert!(process.stop().success());
    Some(made)
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap()
}

#[test]
fn a_key_is_changed_and_the_old_one_refused() {
    runtime().block_on(async {
        let Some(made) = with_a_secret(Database::Sqlite).await else { return };
        let (kept, new) = (made.place.data_dir().join("secret.key"), made.place.data_dir().join("secret.key.new"));
        let old = read(&kept);
        let said = made.run(&["key", "rotate"]).unwrap();
        assert!(said.contains("secret.key"), "{said}");
        assert!(read(&kept) != old && !new.exists());
        assert!(!made.tested().await.contains("cannot be opened"));
        // Cut off before the file: the new key still lies beside the old one.
        std::fs::rename(&kept, &new).unwrap();
        std::fs::write(&kept, &old).unwrap();
        private(&kept);
        assert!(!made.tested().await.contains("cannot be opened"));
        assert!(read(&kept) != old && !new.exists());
        std::fs::write(&kept, &old).unwrap();
        let refused = made.run(&["serve"]).unwrap_err();
        assert!(refused.contains("not the key"), "{refused}");
    });
}

#[test]
fn a_key_that_is_given_is_changed_for_another_that_is() {
    runtime().block_on(async {
        let Some(mut made) = with_a_secret(Database::Postgres).await else { return };
        let refused = made.run(&["key", "rotate"]).unwrap_err();
        assert!(refused.contains("--new-secret-key-file"), "{refused}");
        let file = made.place.data_dir().join("new.key");
        let rotate = ["key", "rotate", "--new-secret-key-file", file.to_str().unwrap()];
        std::fs::write(&file, world::secret_key()).unwrap();
        assert!(made.run(&rotate).unwrap_err().contains("the current key"));
        let new = base64::engine::general_purpose::STANDARD.encode([8; 32]);
        std::fs::write(&file, &new).unwrap();
        let said = made.run(&rotate).unwrap();
        assert!(said.contains("--secret-key-file"), "{said}");
        let refused = made.run(&["serve"]).unwrap_err();
        assert!(refused.contains("not the key"), "{refused}");
        made.key = Some(new);
        assert!(!made.tested().await.contains("cannot be opened"));
    });
}

#[test]
fn a_key_that_is_gone_is_not_made_anew() {
    let Some(made) = Installation::make(Database::Sqlite) else { return };
    let key = made.place.data_dir().join("secret.key");
    std::fs::remove_file(&key).unwrap();
    let refused = made.run(&["serve"]).unwrap_err();
    assert!(refused.contains("secret.key is missing"), "{refused}");
    assert!(!key.exists());
}

#[test]
fn a_key_that_others_may_read_is_warned_of() {
    use std::os::unix::fs::PermissionsExt;
    let Some(made) = Installation::make(Database::Sqlite) else { return };
    let data = made.place.data_dir();
    let key = data.join("secret.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let args = ["--listen", "127.0.0.1:0", "--data-dir", data.to_str().unwrap()];
    let mut process = Process::start(&[&args[..], &["--secret-key-file", key.to_str().unwrap()]].concat());
    process.listening();
    assert!(process.stop().success());
    assert!(process.log().contains("may read the sealing key"), "{}", process.log());
}

fn private(file: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(file, std::fs::Permissions::from_mode(0o600)).unwrap();
}

//! A disk that an import fills: the run says so, pages go on, and all is well again once there is room.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::site::{Site, end_of, held, pause, start};
use crate::support::databases::runtime;
use crate::support::process::Process;
use crate::support::{Database, Place};

/// A small disk of its own, for whoever may mount one.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: &Path, size: &str) -> Option<Self> {
        std::fs::create_dir_all(at).unwrap();
        let size = format!("size={size}");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(at).output();
        let mounted = mounted.is_ok_and(|output| output.status.success());
        mounted.then(|| Self(at.to_owned()))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn an_import_that_fills_the_disk_ends_and_leaves_the_rest_alive() {
    let Some(place) = Place::make(Database::Sqlite) else { return };
    let Some(_disk) = Disk::mount(&place.data_dir(), "24m") else {
        eprintln!("skipped: a small disk cannot be mounted here");
        return;
    };
    let data = place.data_dir();
    let site = Site::on(place, 60);
    runtime().block_on(async {
        let (mut process, api) = site.serve();
        let import = site.import(&api, "Words", None).await;
        site.words(100, "few");
        let run = start(&api, import.configuration).await;
        assert_eq!(end_of(&api, run, &process).await["status"], json!("success"));

        site.words(400_000, "a word that takes a little more than forty bytes");
        let run = start(&api, import.configuration).await;
        let ended: Value = end_of(&api, run, &process).await;
        assert_eq!(ended["status"], json!("failed"), "{ended}");
        assert!(ended["cause"].as_str().unwrap().contains("disk is full"), "{ended}");
        assert_eq!(held(&api, import.block).await, ("few".to_owned(), 100));

        until_ready(&process, 200).await;

        // To the last byte, by somebody else.
        let rest = data.join("somebody-elses");
        let _ = std::fs::write(&rest, vec![1; 24 << 20]);
        until_ready(&process, 503).await;
        api.get("runs").await.is(200);
        std::fs::remove_file(&rest).unwrap();
        until_ready(&process, 200).await;
        site.words(50, "again");
        let run = start(&api, import.configuration).await;
        let ended: Value = end_of(&api, run, &process).await;
        assert_eq!(ended["status"], json!("success"), "{ended}");
        assert!(process.stop().success());
    });
}

/// Waits until `/readyz` answers so.
async fn until_ready(process: &Process, status: u16) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let give_up = Instant::now() + Duration::from_secs(60);
    loop {
        let answered = client.get(ready(process)).send().await.unwrap().status().as_u16();
        if answered == status {
            return;
        }
        assert!(Instant::now() < give_up, "{answered}, and not {status}: {}", process.log());
        pause(100).await;
    }
}

fn ready(process: &Process) -> String {
    let at = process.said.last().unwrap().rsplit(' ').next().unwrap().trim_end_matches('/').to_owned();
    format!("{at}/readyz")
}

//! What stops a start: one line on stderr that says which and why, and the exit code 2.

use std::process::Stdio;

use crate::support::process::{self, Process};
use crate::support::world;

fn folder() -> (tempfile::TempDir, String) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("data").to_str().unwrap().to_owned();
    (dir, path)
}

/// That it ends with one line that holds these words.
#[track_caller]
fn refused(args: &[&str], environment: &[(&str, &str)], words: &[&str]) {
    let output = process::run(args, environment, "");
    let (said, stdout) = (String::from_utf8(output.stderr).unwrap(), String::from_utf8(output.stdout).unwrap());
    assert_eq!(output.status.code(), Some(2), "{args:?} {environment:?}: {said}");
    assert_eq!(said.lines().count(), 1, "{args:?} {environment:?}: {said}");
    assert_eq!(stdout, "", "{args:?} {environment:?}");
    for word in words {
        assert!(said.contains(word), "{args:?} {environment:?}: {word} is not in {said}");
    }
}

#[test]
fn what_is_unknown_or_wrong_stops_the_start() {
    let (dir, data) = folder();
    let key = world::secret_key();
    refused(&["--no-such-option"], &[], &["--no-such-option"]);
    refused(&["no-such-command"], &[], &["no-such-command"]);
    refused(&["serve", "--listen", "nowhere"], &[], &["--listen", "nowhere"]);
    refused(&["--runs-at-once", "0"], &[], &["--runs-at-once", "0"]);
    refused(&["--role", "boss"], &[], &["--role", "boss"]);
    refused(&["--allow-network", "10.0.0.0/99"], &[], &["--allow-network", "10.0.0.0/99"]);
    refused(&["--base-url", "https://a.example/path"], &[], &["--base-url"]);
    refused(&["--data-dir", &data, "--listen", "127.0.0.1:0", "--base-url", "http://a.example"], &[], &["--base-url"]);
    refused(&["--data-dir", &data, "--folder-root", "/no/such/folder"], &[], &["--folder-root", "/no/such/folder"]);
    let above = dir.path().to_str().unwrap();
    refused(
        &["--data-dir", &data, "--folder-root", above],
        &[],
        &["--folder-root", above, "contains the data directory"],
    );
    refused(&["--data-dir", above, "--folder-root", above], &[], &["contains the data directory"]);
    let below = format!("{above}/below");
    std::fs::create_dir(&below).unwrap();
    refused(&["--data-dir", above, "--folder-root", &below], &[], &["or is inside it"]);
    refused(&["--data-dir", &data, "--listen", "127.0.0.1:0", "--secret-key", "short"], &[], &["key"]);
    refused(&["--data-dir", &data, "--database-url", "mysql://x"], &[], &["--database-url"]);
    refused(&["--data-dir", &data, "--database-url", "postgres://x"], &[], &["--secret-key"]);
    refused(&["--data-dir", "/proc/no/such"], &[("TIDEGATE_LISTEN", "127.0.0.1:0")], &["/proc/no/such"]);
    refused(&[], &[("TIDEGATE_NO_SUCH", "1")], &["TIDEGATE_NO_SUCH"]);
    refused(&[], &[("TIDEGATE_LISTEN", "nowhere")], &["nowhere"]);
    refused(&[], &[("TIDEGATE_RUNS_AT_ONCE", "many")], &["many"]);
    let both = [("TIDEGATE_SECRET_KEY", key.as_str()), ("TIDEGATE_SECRET_KEY_FILE", "/dev/null")];
    refused(&["--data-dir", &data], &both, &["--secret-key"]);
    assert!(!std::path::Path::new(&data).join("tidegate.db").exists(), "nothing was begun");
}

#[test]
fn a_second_serve_of_a_sqlite_directory_says_so_and_stops() {
    let (_dir, data) = folder();
    let mut first = Process::start(&["--listen", "127.0.0.1:0", "--data-dir", &data]);
    first.listening();
    refused(&["serve", "--listen", "127.0.0.1:0", "--data-dir", &data], &[], &["--data-dir", "uses this directory"]);
    // Other commands run beside it.
    let added = process::run(
        &[
            "--data-dir",
            &data,
            "member",
            "add",
            "--email",
            "a@b.example",
            "--name",
            "A",
            "--role",
            "Viewer",
            "--password-stdin",
        ],
        &[],
        "a long enough passphrase\n",
    );
    assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    first.kill();
    // However it ended, the next one may.
    let mut next = Process::start(&["--listen", "127.0.0.1:0", "--data-dir", &data]);
    next.listening();
    assert!(next.stop().success());
}

#[test]
fn the_line_that_says_where_comes_when_it_answers() {
    let (_dir, data) = folder();
    let mut process = Process::start(&["--listen", "127.0.0.1:0", "--data-dir", &data]);
    let at = process.listening();
    assert!(at.starts_with("http://127.0.0.1:") && !at.ends_with(":0"), "{at}");
    crate::support::databases::runtime().block_on(async {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let answer = reqwest::Client::builder().no_proxy().build().unwrap().get(format!("{at}/healthz")).send().await;
        assert_eq!(answer.unwrap().status(), 200, "the first question is answered");
    });
    assert!(process.stop().success());
}

/// `tidegate --help | head -1`: whoever reads goes when they have read enough.
#[test]
fn nobody_need_read_to_the_end() {
    let (_dir, data) = folder();
    for (args, code) in [(&["--help"][..], 0), (&["migrate", "--data-dir", &data], 2)] {
        let mut child = process::command(args, &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), said.contains("panicked")), (Some(code), false), "{args:?}: {said}");
        assert_eq!(said.contains("it is done, but"), code == 2, "{args:?}: {said}");
    }
}

#[test]
fn a_demo_keeps_to_itself() {
    let (_dir, data) = folder();
    std::fs::create_dir_all(&data).unwrap();
    std::fs::write(std::path::Path::new(&data).join("taxes.txt"), "mine").unwrap();
    refused(&["demo", "--listen", "127.0.0.1:0", "--data-dir", &data], &[], &[&data]);
    let left: Vec<_> = std::fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["taxes.txt"], "it touched nothing");
    let (_dir, fresh) = folder();
    refused(&["demo", "--listen", "0.0.0.0:0", "--data-dir", &fresh], &[], &["loopback"]);
    refused(
        &[
            "demo",
            "--listen",
            "127.0.0.1:0",
            "--data-dir",
            &fresh,
            "--database-url",
            "postgres://x",
            "--secret-key",
            &world::secret_key(),
        ],
        &[],
        &["--database-url"],
    );
    assert!(!std::path::Path::new(&fresh).exists());
}

#[test]
fn what_is_kept_is_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let (_dir, data) = folder();
    let args = ["--listen", "127.0.0.1:0", "--data-dir", &data];
    let mut process = Process::start(&args);
    process.listening();
    assert!(process.stop().success());
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let data = std::path::Path::new(&data);
    assert_eq!(mode(data), 0o700);
    let key = data.join("secret.key");
    assert_eq!(mode(&key), 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    refused(&args, &[], &["secret.key", "chmod 600"]);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::set_permissions(data, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut process = Process::start(&args);
    process.listening();
    assert!(process.stop().success());
    assert!(process.log().contains("chmod 700"), "{}", process.log());
}

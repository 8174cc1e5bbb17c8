//! The program itself, as an operator starts it: to be stopped, frozen and killed.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long anything may take before a test gives up on it.
const PATIENCE: Duration = Duration::from_secs(60);

pub struct Process {
    child: Child,
    lines: Receiver<String>,
    /// Everything said on stdout so far that was waited for.
    pub said: Vec<String>,
    log: Arc<Mutex<String>>,
}

impl Process {
    /// Starts `tidegate ARGS`.
    pub fn start(args: &[&str]) -> Self {
        Self::start_with(args, &[])
    }

    /// With settings in the environment; nothing of the suite's own environment gets through.
    pub fn start_with(args: &[&str], environment: &[(&str, &str)]) -> Self {
        let mut child = command(args, environment)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let (sender, lines) = channel();
        let stdout = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || stdout.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let keep = log.clone();
        std::thread::spawn(move || {
            stderr.lines().map_while(Result::ok).for_each(|line| *keep.lock().unwrap() += &(line + "\n"));
        });
        Self { child, lines, said: Vec::new(), log }
    }

    /// Waits for the line that says where it listens, and answers the address without a slash at its end.
    #[track_caller]
    pub fn listening(&mut self) -> String {
        let line = self.line(|line| line.starts_with("listening on "));
        line["listening on ".len()..].trim_end_matches('/').to_owned()
    }

    /// Waits for such a line on stdout.
    #[track_caller]
    pub fn line(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        let give_up = Instant::now() + PATIENCE;
        loop {
            match self.lines.recv_timeout(give_up.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    self.said.push(line.clone());
                    if wanted(&line) {
                        return line;
                    }
                }
                Err(_) => panic!("the line never came; stdout: {:?}; stderr: {}", self.said, self.log()),
            }
        }
    }

    /// Everything said on stderr so far.
    pub fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Stops its clockwork (SIGSTOP), as a laptop that sleeps.
    pub fn freeze(&self) {
        self.signal("STOP");
    }

    pub fn thaw(&self) {
        self.signal("CONT");
    }

    /// Asks it to stop (SIGTERM) and waits until it did.
    pub fn stop(&mut self) -> ExitStatus {
        self.signal("TERM");
        self.ended()
    }

    /// Waits until it ends by itself.
    #[track_caller]
    pub fn ended(&mut self) -> ExitStatus {
        let give_up = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < give_up, "it does not end: {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success(), "kill -{name}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `tidegate ARGS` to its end.
pub fn run(args: &[&str], environment: &[(&str, &str)], stdin: &str) -> Output {
    let mut child = command(args, environment)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    // It may have ended without reading.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap()
}

/// `tidegate ARGS`, yet to be started, with nothing of the environment of the tests.
#[allow(clippy::disallowed_methods)] // to leave the environment out
pub fn command(args: &[&str], environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidegate"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("TIDEGATE_") {
            command.env_remove(name);
        }
    }
    command.args(args).envs(environment.iter().copied());
    command
}

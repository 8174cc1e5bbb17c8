//! The databases' own loaders, run as an operator runs them.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What a whole command took, in seconds; of `psql` the server's work is not in its CPU.
pub struct Took {
    pub wall: f64,
    pub cpu: f64,
}

/// Runs a shell command and has the shell time it.
fn timed(command: &str) -> Took {
    let script = format!("TIMEFORMAT='%R %U %S'; time {{ {command} ; }} >/dev/null 2>&3");
    let output = Command::new("bash").args(["-c", &format!("{{ {script}; }} 3>&1")]).output().unwrap();
    assert!(output.status.success(), "{command}: {output:?}");
    let said = String::from_utf8(output.stderr).unwrap();
    let seconds: Vec<f64> = said.split_whitespace().map(|number| number.parse().unwrap()).collect();
    Took { wall: seconds[0], cpu: seconds[1] + seconds[2] }
}

const TABLE: &str = "day TEXT, country TEXT, product TEXT, customer INTEGER, quantity INTEGER, unit_price REAL, \
                     currency TEXT, note TEXT";

/// `sqlite3 .import --csv` into a typed table, in WAL mode.
pub fn sqlite(folder: &Path, file: &Path) -> Took {
    let database = folder.join("peer.db");
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(folder.join(format!("peer.db{end}")));
    }
    let (database, file) = (database.display(), file.display());
    timed(&format!(
        "sqlite3 {database} 'PRAGMA journal_mode = WAL' 'PRAGMA synchronous = NORMAL' 'CREATE TABLE orders ({TABLE})' \
         '.import --csv --skip 1 {file} orders'"
    ))
}

/// A PostgreSQL of its own with its usual settings, as long as this lives.
pub struct Server {
    pub url: String,
    folder: tempfile::TempDir,
    server: Child,
}

impl Server {
    pub fn start() -> Self {
        let folder = tempfile::Builder::new().prefix("tidegate-bench-").tempdir().unwrap();
        let bin = newest(Path::new("/usr/lib/postgresql")).join("bin");
        let data = folder.path().join("data");
        let (bin, at) = (bin.display().to_string(), data.display().to_string());
        // PostgreSQL refuses to run as root.
        let nobody = "if [ $(id -u) = 0 ]; then chown nobody:nogroup $0; chmod 755 $0; \
                      exec setpriv --reuid=nobody --regid=nogroup --clear-groups \"$@\"; else exec \"$@\"; fi";
        let as_nobody = |command: &[&str]| {
            let mut shell = Command::new("bash");
            shell.args(["-c", nobody]).arg(folder.path()).args(command).current_dir("/");
            shell.stdout(Stdio::null()).stderr(Stdio::null());
            shell
        };
        let initdb = format!("{bin}/initdb");
        let made = as_nobody(&[&initdb, "-D", &at, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"]);
        assert!({ made }.status().unwrap().success(), "initdb");
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string();
        let sockets = format!("unix_socket_directories={}", folder.path().display());
        let postgres = format!("{bin}/postgres");
        let server = as_nobody(&[
            &postgres, "-D", &at, "-p", &port, "-c", "listen_addresses=127.0.0.1", "-c", &sockets, "-c",
            "dynamic_shared_memory_type=mmap",
        ])
        .spawn()
        .unwrap();
        let url = format!("postgres://postgres@127.0.0.1:{port}/postgres?sslmode=disable");
        let started = Self { url, folder, server };
        for _ in 0..100 {
            let ready = Command::new("psql").args([started.url.as_str(), "-c", "SELECT 1"]).output().unwrap();
            if ready.status.success() {
                return started;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("PostgreSQL does not start in {}", started.folder.path().display());
    }

    /// `psql \copy` into a typed table.
    pub fn copy(&self, file: &Path) -> Took {
        let table = TABLE.replace("day TEXT", "day DATE").replace("INTEGER", "BIGINT");
        let table = table.replace("REAL", "DOUBLE PRECISION");
        let made = Command::new("psql")
            .args([&self.url, "-q", "-c", "DROP TABLE IF EXISTS public.orders", "-c"])
            .arg(format!("CREATE TABLE public.orders ({table})"))
            .output()
            .unwrap();
        assert!(made.status.success(), "{made:?}");
        let file = file.display();
        timed(&format!("psql '{}' -q -c \"\\copy public.orders from '{file}' with (format csv, header)\"", self.url))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-INT", &self.server.id().to_string()]).status();
        let _ = self.server.wait();
    }
}

fn newest(folder: &Path) -> PathBuf {
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("PostgreSQL is installed").map(|entry| entry.unwrap().path()).collect();
    versions.sort_by_key(|path| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    versions.pop().expect("PostgreSQL is installed")
}

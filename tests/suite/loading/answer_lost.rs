//! The answer to a COMMIT is lost on its way: the load became visible, and whoever loaded it finds out by asking again. Only
//! PostgreSQL is behind a wire; a wire of the test's own stands between.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidegate::db::{Location, Pool};
use url::Url;

use super::*;
use crate::support::{Database, Place};

/// How long nobody gets through after that.
const AWAY: Duration = Duration::from_secs(3);

#[derive(Default)]
struct Wire {
    /// The next load that commits gets no answer.
    armed: AtomicBool,
    away_until: Mutex<Option<Instant>>,
    /// Who came in vain meanwhile.
    turned_away: AtomicUsize,
}

impl Wire {
    fn is_away(&self) -> bool {
        self.away_until.lock().unwrap().is_some_and(|until| Instant::now() < until)
    }

    /// Listens at a port of its own and passes on what goes to and from the server.
    fn listen(self: &Arc<Self>, server: String) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let wire = Arc::clone(self);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if wire.is_away() {
                    wire.turned_away.fetch_add(1, Ordering::SeqCst);
                    continue;
                }
                let Ok(server) = TcpStream::connect(&server) else { continue };
                let deaf = Arc::new(AtomicBool::new(false));
                let (ours, theirs, shut) =
                    (client.try_clone().unwrap(), server.try_clone().unwrap(), Arc::clone(&deaf));
                let there = Arc::clone(&wire);
                std::thread::spawn(move || there.to_server(client, server, &deaf));
                std::thread::spawn(move || to_client(theirs, ours, &shut));
            }
        });
        port
    }

    fn to_server(&self, mut client: TcpStream, mut server: TcpStream, deaf: &AtomicBool) {
        let mut bytes = vec![0; 1 << 16];
        let mut loads = false;
        while let Ok(n) = client.read(&mut bytes) {
            let said = &bytes[..n];
            let has = |words: &[u8]| said.windows(words.len()).any(|window| window == words);
            if n == 0 || self.is_away() {
                break;
            }
            loads |= has(b"INSERT INTO \"loads\"");
            if loads && has(b"COMMIT") && self.armed.swap(false, Ordering::SeqCst) {
                *self.away_until.lock().unwrap() = Some(Instant::now() + AWAY);
                deaf.store(true, Ordering::SeqCst);
            }
            if server.write_all(said).is_err() {
                break;
            }
        }
        // The server ends by itself what it was told; who asked is told nothing more.
        let _ = client.shutdown(Shutdown::Both);
        if !deaf.load(Ordering::SeqCst) {
            let _ = server.shutdown(Shutdown::Both);
        }
    }
}

fn to_client(mut server: TcpStream, mut client: TcpStream, deaf: &AtomicBool) {
    let mut bytes = vec![0; 1 << 16];
    while let Ok(n) = server.read(&mut bytes) {
        if n == 0 || deaf.load(Ordering::SeqCst) || client.write_all(&bytes[..n]).is_err() {
            break;
        }
    }
    let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
}

/// Short loads and long ones.
#[test]
fn a_load_whose_answer_was_lost_asks_until_it_knows() {
    let Some(place) = Place::make(Database::Postgres) else { return };
    let straight = Databases::open(&place);
    let mut url = Url::parse(&place.database_url().unwrap()).unwrap();
    let wire = Arc::new(Wire::default());
    let port = wire.listen(format!("{}:{}", url.host_str().unwrap(), url.port().unwrap_or(5432)));
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(port)).unwrap();
    let blocks = Pool::open(Location::Postgres { url: url.into(), schema: "blocks" }, 8).unwrap();
    let db = &Databases { name: "postgres", main: straight.main.clone(), blocks };
    let block = log(&straight, application(&straight, "A"));
    for (run_id, rows) in [(1, 1), (2, 30_000)] {
        wire.armed.store(true, Ordering::SeqCst);
        let source = text(&format!("Day,Amount\n{}", "2026-01-01,1\n".repeat(rows)));
        let began = Instant::now();
        let report = load(db, &plan(&straight, &block, Mode::Replace), &source, run_id).unwrap();
        assert!(!wire.armed.load(Ordering::SeqCst) && began.elapsed() >= AWAY, "{rows} rows: the answer was lost");
        assert_eq!((report.outcome, report.counts.added), (Outcome::Loaded, rows as i64));
        assert_eq!(count(&straight, &block), rows as i64);
        assert_eq!(in_ledger(&straight, run_id, &block).unwrap().added, rows as i64);
    }
    assert!(wire.turned_away.load(Ordering::SeqCst) > 0, "it asked while nobody answered");
}

//! The space on the disk of the data directory. Work that would fill it is stopped before it is full. If it fills
//! up anyway, a small reserve is released, so that the end of a run can still be written and people can sign in.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// With less than this left, or than a quarter of a small disk, nothing is loaded: what SQLite's log holds must fit into the
/// file beside it, or the log can never be shortened.
const LEAST: u64 = 64 << 20;
/// What is kept aside, or a sixteenth of a small disk.
const BALLAST: u64 = 16 << 20;
/// How often it is said that the disk fills up.
const SAID_EVERY: Duration = Duration::from_secs(3_600);

pub struct Disk {
    /// `None`: the data lies with a PostgreSQL server, of whose disk nothing is known here.
    dir: Option<PathBuf>,
    said: Mutex<Option<Instant>>,
}

/// In bytes.
#[derive(Clone, Copy, Debug)]
struct Room {
    free: u64,
    size: u64,
}

impl Room {
    fn of(dir: &Path) -> Option<Self> {
        let disk = rustix::fs::statvfs(dir).ok()?;
        Some(Self {
            free: disk.f_bavail.saturating_mul(disk.f_frsize),
            size: disk.f_blocks.saturating_mul(disk.f_frsize),
        })
    }

    fn least(self) -> u64 {
        LEAST.min(self.size / 4)
    }

    fn is_short(self) -> bool {
        self.free < self.least()
    }

    fn ballast(self) -> u64 {
        BALLAST.min(self.size / 16)
    }

    /// Whether there is enough for the ballast, and for a load beside it.
    fn bears_ballast(self) -> bool {
        self.free > self.least() + 2 * self.ballast()
    }
}

impl Disk {
    pub fn of(dir: Option<PathBuf>) -> Self {
        Self { dir, said: Mutex::new(None) }
    }

    /// Whether so little is left that nothing may be loaded.
    pub fn is_short(&self) -> bool {
        self.room().is_some_and(Room::is_short)
    }

    /// Gives up what is kept aside.
    pub fn give_way(&self) {
        if let Some(ballast) = self.ballast()
            && std::fs::remove_file(ballast).is_ok()
        {
            tracing::error!("the disk is full; the space reserved for this has been released");
        }
    }

    /// Keeps something aside as long as there is room, gives it up when there is none, and says when the disk fills up.
    pub fn tend(&self) {
        let (Some(ballast), Some(room)) = (self.ballast(), self.room()) else { return };
        if room.free < room.ballast() {
            self.give_way();
        } else if room.bears_ballast() && !ballast.exists() {
            // Whether it succeeds: the next time is soon.
            let _ = keep(&ballast, room.ballast());
        }
        if room.free < room.size / 10 {
            let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
            if said.is_none_or(|at| at.elapsed() > SAID_EVERY) {
                *said = Some(Instant::now());
                let free_mib = room.free >> 20;
                tracing::warn!(free_mib, "more than nine tenths of the data directory's disk is used");
            }
        }
    }

    fn room(&self) -> Option<Room> {
        Room::of(self.dir.as_deref()?)
    }

    fn ballast(&self) -> Option<PathBuf> {
        Some(self.dir.as_ref()?.join("ballast"))
    }
}

/// Written, not only made that long: a file of holes takes no room.
fn keep(file: &Path, bytes: u64) -> std::io::Result<()> {
    let mut out = File::create(file)?;
    let zeros = vec![0; 1 << 16];
    for _ in 0..bytes / zeros.len() as u64 {
        out.write_all(&zeros)?;
    }
    out.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_disks_are_short_later() {
        let of = |free: u64, size: u64| Room { free: free << 20, size: size << 20 };
        assert!(of(63, 100_000).is_short() && !of(65, 100_000).is_short());
        assert!(of(5, 24).is_short() && !of(6, 24).is_short());
        assert!(of(100, 100_000).bears_ballast() && !of(90, 100_000).bears_ballast());
    }

    #[test]
    fn what_is_kept_aside_is_given_up_once() {
        let dir = tempfile::tempdir().unwrap();
        let disk = Disk::of(Some(dir.path().to_owned()));
        let ballast = dir.path().join("ballast");
        keep(&ballast, 1 << 20).unwrap();
        assert_eq!(std::fs::metadata(&ballast).unwrap().len(), 1 << 20);
        disk.give_way();
        disk.give_way();
        assert!(!ballast.exists());
        assert!(!Disk::of(None).is_short());
    }
}

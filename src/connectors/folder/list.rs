//! What lies in a folder. Each folder below it is opened through no link, so that whoever swaps one meanwhile shows nothing
//! of another place.

use std::io::Error;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, FileType, Mode, OFlags, Stat, fstat, openat, statat};

use crate::clock::Moment;
use crate::connectors::failure::FetchError;
use crate::connectors::local::{Place, is_hidden, open_below};
use crate::connectors::{Entry, FetchContext};

/// How deep below the folder a listing looks, and how many files it has.
const DEPTH: usize = 4;
pub(super) const MOST: usize = 5_000;

/// Regular files below a folder, the newest first, no more than a listing has; hidden ones and linked folders are left out.
pub(super) fn list(
    place: &Place,
    wanted: &dyn Fn(&str) -> bool,
    ctx: &FetchContext<'_>,
) -> Result<Vec<Entry>, FetchError> {
    let top = place.open().map_err(failed)?;
    let mut listing = Listing { path: &place.path, top, wanted, ctx, entries: Vec::new() };
    listing.read(PathBuf::new(), DEPTH)?;
    keep_newest(&mut listing.entries);
    Ok(listing.entries)
}

fn failed(error: Error) -> FetchError {
    FetchError::machine("Listing the folder", &error)
}

struct Listing<'a> {
    path: &'a Path,
    top: OwnedFd,
    wanted: &'a dyn Fn(&str) -> bool,
    ctx: &'a FetchContext<'a>,
    entries: Vec<Entry>,
}

impl Listing<'_> {
    /// What lies `at` a place below the top.
    fn read(&mut self, at: PathBuf, depth: usize) -> Result<(), FetchError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let opened = match at.as_os_str().is_empty() {
            true => openat(&self.top, ".", flags, Mode::empty()).map_err(Error::from).map_err(failed)?,
            // What vanishes or may not be read while we look is not there to choose from.
            false => match open_below(&self.top, &at, flags) {
                Ok(opened) => opened,
                Err(_) => return Ok(()),
            },
        };
        let items = Dir::read_from(&opened).map_err(Error::from).map_err(failed)?;
        for item in items {
            self.ctx.check_going_on()?;
            let item = item.map_err(Error::from).map_err(failed)?;
            let Ok(name) = item.file_name().to_str() else { continue };
            if name.starts_with('.') {
                continue;
            }
            let Ok(stat) = statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW) else { continue };
            let below = at.join(name);
            match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory if depth > 0 => self.read(below, depth - 1)?,
                FileType::RegularFile => self.keep(&below, &stat),
                FileType::Symlink => {
                    if let Some(stat) = self.led_to(&below) {
                        self.keep(&below, &stat);
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The ordinary file inside the folder to which a link leads.
    fn led_to(&self, link: &Path) -> Option<Stat> {
        let real = self.path.join(link).canonicalize().ok()?;
        let rest = real.strip_prefix(self.path).ok().filter(|rest| !is_hidden(rest))?;
        let stat = fstat(open_below(&self.top, rest, OFlags::PATH).ok()?).ok()?;
        (FileType::from_raw_mode(stat.st_mode) == FileType::RegularFile).then_some(stat)
    }

    fn keep(&mut self, below: &Path, stat: &Stat) {
        let Some(name) = below.to_str().filter(|name| (self.wanted)(name)) else { return };
        let micros = stat.st_mtime.saturating_mul(1_000_000).saturating_add(stat.st_mtime_nsec as i64 / 1_000);
        self.entries.push(Entry {
            name: name.to_owned(),
            bytes: u64::try_from(stat.st_size).unwrap_or_default(),
            modified: Some(Moment::from_micros(micros)),
        });
        // A folder gives its files in no order: the newest may come last.
        if self.entries.len() >= 2 * MOST {
            keep_newest(&mut self.entries);
        }
    }
}

fn keep_newest(entries: &mut Vec<Entry>) {
    entries.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.name.cmp(&b.name)));
    entries.truncate(MOST);
}

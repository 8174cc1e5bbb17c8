//! Moving and deleting a file that was loaded.
//!
//! The file is first taken aside, under a hidden name of this run's own beside it, and looked at there: whoever put
//! another file in its place in the very last moment gets that one back untouched. Each step is one renaming, so after
//! a crash the file lies in one of three places, and the same intent finds it there and goes on.

use std::fs;
use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, OFlags, RenameFlags, renameat_with};
use rustix::io::Errno;
use sha2::{Digest, Sha256};

use super::{Folder, written};
use crate::connectors::failure::FetchError;
use crate::connectors::fetched::Stamp;
use crate::connectors::local::{Place, climbs_out, open_below};
use crate::connectors::settling::{Deed, Intent, Settled};
use crate::words;

impl Folder {
    /// `top` is the connection's folder, all links resolved.
    pub(super) fn settle_below(&self, top: &Place, intent: &Intent) -> Result<Settled, FetchError> {
        let folder = top.path.as_path();
        let path = intent.path.trim();
        if climbs_out(Path::new(path)) {
            return Err(self.lies_outside(path));
        }
        let path = &*written(path, |form| {
            let at = folder.join(form);
            at.symlink_metadata().is_ok()
                || split(&at).is_some_and(|(place, name)| aside(&place, &name, intent).exists())
        });
        let Some((place, name)) = split(&folder.join(path)) else { return Err(self.lies_outside(path)) };
        // Its folder is resolved, the file itself is not: a link to a file elsewhere is no file of this folder.
        let place = match place.canonicalize() {
            Ok(place) if place.starts_with(folder) => place,
            Ok(_) => return Err(self.lies_outside(path)),
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(gone(path)),
            Err(error) => return Err(failed(&error)),
        };
        let (there, aside) = (place.join(&name), aside(&place, &name, intent));
        if !aside.exists() {
            let now = stamp_of(&there).map_err(|error| failed(&error))?;
            if now.as_ref() != Some(&intent.stamp) {
                // Only where it is not here any more: beside it there may be a hard link, which is as good as it.
                if let Deed::Move { to } = &intent.deed
                    && let Some(target) = found_in(&folder.join(to), &name, intent)
                {
                    return Ok(moved(folder, &target));
                }
                return Ok(match now.as_deref() {
                    None => gone(path),
                    Some(LINK) => Settled::Left(format!(
                        "{path} is a link. Links are not moved or deleted, so it was left where it is."
                    )),
                    Some(_) => changed(path),
                });
            }
            rename(&there, &aside).map_err(|error| failed(&error))?;
        }
        if stamp_of(&aside).map_err(|error| failed(&error))?.as_ref() != Some(&intent.stamp) {
            // Another file took its place between the look and the deed.
            rename(&aside, &there).map_err(|error| failed(&error))?;
            return Ok(changed(path));
        }
        let done = match &intent.deed {
            Deed::Delete => fs::remove_file(&aside).map(|()| Settled::Done(format!("Deleted {path}."))),
            Deed::Move { to } => bring(top, &aside, to, &name, intent),
        };
        done.map_err(|error| {
            // It goes back, so that whoever looks for it finds it; the error is the one worth telling.
            let _ = rename(&aside, &there);
            failed(&error)
        })
    }

    fn lies_outside(&self, path: &str) -> FetchError {
        FetchError::refused(format!("The file '{path}' is outside the Connection's folder '{}'.", self.path))
    }
}

fn bring(top: &Place, aside: &Path, to: &str, name: &str, intent: &Intent) -> Result<Settled, Error> {
    let folder = top.path.as_path();
    let target = folder.join(to);
    // The part of it that is there must lie inside before the rest is made.
    let there = target.ancestors().find_map(|part| part.canonicalize().ok());
    if climbs_out(Path::new(to)) || !there.is_some_and(|there| there.starts_with(folder)) {
        return Err(ErrorKind::PermissionDenied.into());
    }
    fs::create_dir_all(&target)?;
    let real = target.canonicalize()?;
    if Some(real.as_path()) == aside.parent() {
        return Err(ErrorKind::InvalidInput.into());
    }
    let rest = real.strip_prefix(folder).map_err(|_| ErrorKind::PermissionDenied)?;
    // Whoever swaps it for a link from here on leads nowhere else.
    let within = match rest.as_os_str().is_empty() {
        true => top.open()?,
        false => open_below(top.open()?, rest, OFlags::PATH | OFlags::DIRECTORY)?,
    };
    for place in names_in(&target, name, intent.run) {
        match renameat_with(CWD, aside, &within, place.file_name().unwrap_or_default(), RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
            Ok(()) => return Ok(moved(folder, &place)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

/// Where the file is taken first.
fn aside(place: &Path, name: &str, intent: &Intent) -> PathBuf {
    place.join(behind(&format!(".tidegate-{}-", intent.run), name))
}

fn split(path: &Path) -> Option<(PathBuf, String)> {
    Some((path.parent()?.to_owned(), path.file_name()?.to_str()?.to_owned()))
}

/// Its own name, or one with the run's number where that is taken.
fn names_in(folder: &Path, name: &str, run: i64) -> [PathBuf; 2] {
    [folder.join(name), folder.join(behind(&format!("run-{run}-"), name))]
}

/// A name behind a prefix. Where that is longer than a name may be, a hash and the name's end stand for it.
fn behind(prefix: &str, name: &str) -> String {
    const LONGEST: usize = 255;
    if prefix.len() + name.len() <= LONGEST {
        return format!("{prefix}{name}");
    }
    let hash = words::hex(&Sha256::digest(name)[..8]);
    let mut from = (prefix.len() + hash.len() + 1 + name.len()).saturating_sub(LONGEST);
    while !name.is_char_boundary(from) {
        from += 1;
    }
    format!("{prefix}{hash}-{}", &name[from..])
}

/// Where an earlier attempt moved it.
fn found_in(folder: &Path, name: &str, intent: &Intent) -> Option<PathBuf> {
    let mut places = names_in(folder, name, intent.run).into_iter();
    places.find(|place| stamp_of(place).ok().flatten().as_ref() == Some(&intent.stamp))
}

/// Never over a file that is there.
fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    Ok(renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE)?)
}

/// The stamp of whatever is a link: no file has it.
const LINK: &str = "a link";

/// What a regular file is; none where there is none.
fn stamp_of(path: &Path) -> Result<Option<String>, Error> {
    match path.symlink_metadata() {
        Ok(metadata) if metadata.is_file() => Ok(Some(Stamp::of(&metadata).text())),
        Ok(metadata) if metadata.is_symlink() => Ok(Some(LINK.to_owned())),
        Ok(_) => Ok(Some("no file".to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn moved(folder: &Path, to: &Path) -> Settled {
    Settled::Done(format!("Moved to {}.", to.strip_prefix(folder).unwrap_or(to).display()))
}

fn gone(path: &str) -> Settled {
    Settled::Gone(format!("{path} no longer exists."))
}

fn changed(path: &str) -> Settled {
    Settled::Left(format!("{path} has changed since it was read, so it was left where it is."))
}

fn failed(error: &Error) -> FetchError {
    match error.kind() {
        ErrorKind::CrossesDevices => FetchError::refused(
            "The file was loaded and left where it is: the folder to move it to is on another disk. Choose one on the \
             same.",
        ),
        ErrorKind::InvalidInput => FetchError::refused(
            "The file was loaded and left where it is: it is already in the folder to move it to. Choose \
             another one.",
        ),
        _ => FetchError::machine("Moving or deleting the file that was loaded", error),
    }
}

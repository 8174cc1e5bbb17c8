//! Places on the server itself, below the folders that the operator opened (`--folder-root`).
//!
//! Names are judged after symbolic links are resolved, and judged again on the opened handle, because a link may be
//! swapped between looking and opening. Only regular files are opened: a pipe or device would hang.

use std::fs::{File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};

use super::FetchContext;
use super::failure::{FailureKind, FetchError, Retry};

/// The place that a connection names, a `folder` or a `file`, with all links resolved, inside one of the roots.
pub(super) fn locate(named: &str, what: &str, ctx: &FetchContext<'_>) -> Result<PathBuf, FetchError> {
    let roots = &ctx.outside.folder_roots;
    if roots.is_empty() {
        return Err(FetchError::refused(
            "No folder of this server is open to connections. Ask the operator to start it with --folder-root DIR.",
        ));
    }
    // a root that is not there now opens nothing
    let roots: Vec<PathBuf> = roots.iter().filter_map(|r| r.canonicalize().ok()).collect();
    let given = Path::new(named);
    // joining an absolute path to a root gives the path itself
    let found = roots.iter().find_map(|root| root.join(given).canonicalize().ok());
    let Some(place) = found else {
        return Err(FetchError::new(
            FailureKind::Missing,
            Retry::No,
            format!("There is no {what} '{named}' on the server, or it may not be opened. Check its path."),
        ));
    };
    if !roots.iter().any(|root| place.starts_with(root)) {
        return Err(FetchError::refused(format!(
            "The {what} '{named}' lies outside the folders that the operator opened. Choose one inside them, or ask the \
             operator to add it (--folder-root)."
        )));
    }
    if is_our_own(&place, &roots, ctx) {
        return Err(FetchError::refused(format!(
            "The {what} '{named}' holds what Tidegate itself keeps, or lies in it. Choose another one."
        )));
    }
    Ok(place)
}

/// Whether a place lies in the data directory, or the other way round. A root inside it opens itself: the demo has one.
fn is_our_own(place: &Path, roots: &[PathBuf], ctx: &FetchContext<'_>) -> bool {
    // One that is not there holds nothing.
    let Ok(own) = ctx.outside.data_dir.canonicalize() else { return false };
    let opened = |root: &PathBuf| *root != own && root.starts_with(&own) && place.starts_with(root);
    own.starts_with(place) || (place.starts_with(&own) && !roots.iter().any(opened))
}

/// Whether a path, taken by its letters alone, leaves the folder that it begins in.
pub(super) fn climbs_out(path: &Path) -> bool {
    let mut depth = 0i32;
    for part in path.components() {
        match part {
            Component::Normal(_) => depth += 1,
            Component::ParentDir => depth -= 1,
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return true,
        }
        if depth < 0 {
            return true;
        }
    }
    false
}

/// Opens `target`, which `named` resolved to, and makes sure that the handle is still that regular file: neither a
/// link nor a pipe that took its place meanwhile (`InvalidInput`).
pub(super) fn open_checked(named: &Path, target: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
        .open(target)
        .map_err(|e| if e.raw_os_error() == Some(libc::ELOOP) { ErrorKind::InvalidInput.into() } else { e })?;
    let opened = file.metadata()?;
    let there = target.symlink_metadata()?;
    let same = opened.is_file() && (opened.dev(), opened.ino()) == (there.dev(), there.ino());
    if !same || named.canonicalize()? != target {
        return Err(ErrorKind::InvalidInput.into());
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use super::climbs_out;
    use std::path::Path;

    #[test]
    fn paths_that_leave_their_folder_are_seen_by_their_letters() {
        for bad in ["..", "../a", "a/../../b", "/etc/passwd", "./../a", "a/b/../../../c"] {
            assert!(climbs_out(Path::new(bad)), "{bad}");
        }
        for good in ["a", "a/b.csv", "a/../b", "./a", "..a", "a..b/c"] {
            assert!(!climbs_out(Path::new(good)), "{good}");
        }
    }
}

//! Places on the server itself, below the folders that the operator opened (`--folder-root`).
//!
//! Names are judged after symbolic links are resolved. What they resolved to is opened from handle to handle, from the
//! root on, and through no link at all: whoever swaps a folder or a file for a link meanwhile leads nobody out. Only
//! regular files are opened: a pipe or device would hang.

use std::fs::File;
use std::io::{Error, ErrorKind};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::FetchContext;
use super::failure::FetchError;

/// What a connection names, with all links resolved, and the root that it lies in.
pub(super) struct Place {
    pub path: PathBuf,
    root: PathBuf,
}

impl Place {
    /// The folder itself, to open what lies in it.
    pub fn open(&self) -> Result<OwnedFd, Error> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let root = rustix::fs::open(&self.root, flags, Mode::empty())?;
        match self.path.strip_prefix(&self.root) {
            Ok(rest) if rest != Path::new("") => open_below(&root, rest, flags),
            _ => Ok(root),
        }
    }
}

/// The place that a connection names, a `folder` or a `file`, inside one of the roots. Whether what lies elsewhere is there
/// is nobody's business, so both are refused in the same words.
pub(super) fn locate(named: &str, what: &str, ctx: &FetchContext<'_>) -> Result<Place, FetchError> {
    let roots = &ctx.outside.folder_roots;
    if roots.is_empty() {
        return Err(FetchError::refused(
            "Connections may not read any folder of this server yet. Ask the operator to start it with --folder-root DIR.",
        ));
    }
    // a root that is not there now opens nothing
    let roots: Vec<PathBuf> = roots.iter().filter_map(|r| r.canonicalize().ok()).collect();
    let given = Path::new(named);
    // joining an absolute path to a root gives the path itself
    let found = roots.iter().find_map(|root| root.join(given).canonicalize().ok());
    let inside = found.and_then(|path| {
        let root = roots.iter().find(|root| path.starts_with(root))?.clone();
        Some(Place { path, root })
    });
    let Some(place) = inside else {
        return Err(FetchError::refused(format!(
            "The {what} '{named}' does not exist, or is outside the folders that the operator allows. Choose one inside \
             them, or ask the operator to allow more (--folder-root)."
        )));
    };
    if is_our_own(&place.path, &roots, ctx) {
        return Err(FetchError::refused(format!(
            "The {what} '{named}' contains Tidegate's own files or is among them. Choose another one."
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

/// Opens what lies at `rest` below a folder, through no link (`InvalidInput`): the kernel sees to it, or where it is older
/// than Linux 5.6, each part is opened by itself.
pub(super) fn open_below(folder: impl AsFd, rest: &Path, flags: OFlags) -> Result<OwnedFd, Error> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let opened = match rustix::fs::openat2(&folder, rest, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
        // In a container the call may be forbidden rather than unknown.
        Err(Errno::NOSYS | Errno::PERM) => open_part_by_part(folder, rest, flags),
        opened => opened,
    };
    opened.map_err(|error| match error {
        Errno::LOOP | Errno::XDEV => ErrorKind::InvalidInput.into(),
        other => other.into(),
    })
}

fn open_part_by_part(folder: impl AsFd, rest: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
    let mut at: Option<OwnedFd> = None;
    let mut parts = rest.components().peekable();
    while let Some(part) = parts.next() {
        let Component::Normal(name) = part else { return Err(Errno::XDEV) };
        let last = parts.peek().is_none();
        let flags = if last { flags } else { OFlags::PATH | OFlags::DIRECTORY };
        let from = at.as_ref().map_or(folder.as_fd(), AsFd::as_fd);
        let opened = rustix::fs::openat(from, name, flags | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty());
        at = Some(opened.map_err(|error| if error == Errno::NOTDIR && !last { Errno::LOOP } else { error })?);
    }
    at.ok_or(Errno::INVAL)
}

/// Opens a regular file below a folder, to be read; what is another thing is refused (`InvalidInput`).
pub(super) fn open_file(folder: impl AsFd, rest: &Path) -> Result<File, Error> {
    let file = File::from(open_below(folder, rest, OFlags::RDONLY | OFlags::NONBLOCK)?);
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

/// Whether a part of a path is hidden.
pub(super) fn is_hidden(path: &Path) -> bool {
    let hidden =
        |part: Component<'_>| matches!(part, Component::Normal(name) if name.as_encoded_bytes().starts_with(b"."));
    path.components().any(hidden)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn paths_that_leave_their_folder_are_seen_by_their_letters() {
        for bad in ["..", "../a", "a/../../b", "/etc/passwd", "./../a", "a/b/../../../c"] {
            assert!(climbs_out(Path::new(bad)), "{bad}");
        }
        for good in ["a", "a/b.csv", "a/../b", "./a", "..a", "a..b/c"] {
            assert!(!climbs_out(Path::new(good)), "{good}");
        }
    }

    #[test]
    fn nothing_is_opened_through_a_link_on_kernels_new_and_old() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir_all(dir.path().join("in/sub")).unwrap();
        fs::write(dir.path().join("in/sub/a.csv"), "a").unwrap();
        symlink("sub", dir.path().join("in/link")).unwrap();
        symlink("sub/a.csv", dir.path().join("in/a.csv")).unwrap();
        let folder = File::open(dir.path().join("in")).unwrap();
        let flags = OFlags::RDONLY | OFlags::NONBLOCK;
        for (path, opens) in [("sub/a.csv", true), ("link/a.csv", false), ("a.csv", false), ("../in/sub/a.csv", false)]
        {
            assert_eq!(open_below(&folder, Path::new(path), flags).is_ok(), opens, "{path}");
            assert_eq!(open_part_by_part(&folder, Path::new(path), flags).is_ok(), opens, "{path}");
        }
        assert!(open_file(&folder, Path::new("sub")).is_err(), "a folder is no file");
    }
}

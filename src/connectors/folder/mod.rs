//! A folder on the server, below one of the roots that the operator opened (`--folder-root`).

mod settle;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};

use super::failure::{FailureKind, FetchError, Retry};
use super::local::{self, climbs_out, open_checked};
use super::registry::{Field, Input, Kind, Takes};
use super::settings::Given;
use super::{Check, Connector, Content, Entry, FetchContext, FetchRequest, Fetched, Intent, Pattern, Settled};
use crate::clock::Moment;
use crate::words;

pub(super) const KIND: Kind = Kind {
    name: "folder",
    label: "Folder",
    summary: "Files in a folder of the server",
    takes: Takes::Path { required: true },
    settles: true,
    lists: true,
    settings: &[Field {
        name: "path",
        label: "Folder",
        input: Input::Text,
        required: true,
        hint: "On the server, inside one of the folders that its operator opened",
    }],
    secrets: &[],
    build,
};

/// How deep below the folder a listing looks, and how many files it has.
const LIST_DEPTH: usize = 4;
const LIST_MOST: usize = 5_000;

#[derive(Debug)]
struct Folder {
    /// As it was configured; also what people are shown.
    path: String,
}

fn build(given: &mut Given<'_>) -> Option<Box<dyn Connector>> {
    let path = given.text("path")?;
    Some(Box::new(Folder { path: path.to_owned() }))
}

impl Connector for Folder {
    fn fetch(&self, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Vec<Fetched>, FetchError> {
        let FetchRequest::Path(wanted) = request else { return Err(FetchError::takes_no_query(KIND.label)) };
        ctx.check_going_on()?;
        let folder = self.locate(ctx)?;
        let target = self.resolve(&folder, wanted, ctx)?;
        let file = open_checked(&folder.join(wanted.trim()), &target).map_err(|e| self.opening(wanted, &e))?;
        let metadata = file.metadata().map_err(|e| FetchError::machine("Looking at the file", &e))?;
        if ctx.first.is_none() && metadata.len() > ctx.limits.wire_bytes {
            return Err(FetchError::too_large(&ctx.limits));
        }
        let name = target.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        let second = file.try_clone().map_err(|e| FetchError::machine("Opening the file", &e))?;
        // Also where the beginning would do: it is here already.
        let bytes = metadata.len();
        (ctx.progress)(bytes);
        let check = Check::watched(second, name.clone(), &metadata);
        Ok(vec![Fetched { content: Content::File { file, check }, name, bytes, whole: true }])
    }

    fn test(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
        let entries = self.list(None, ctx)?;
        let Some(newest) = entries.first() else {
            return Ok("The folder is there and holds no files yet.".to_owned());
        };
        let count = match entries.len() {
            1 => "1 file".to_owned(),
            LIST_MOST.. => format!("{LIST_MOST} files or more"),
            n => format!("{n} files"),
        };
        let when =
            newest.modified.map(|m| format!(", of {} UTC", m.utc().format("%-d %B %Y %H:%M"))).unwrap_or_default();
        Ok(format!("The folder holds {count}; the newest is {} ({}{when}).", newest.name, words::bytes(newest.bytes)))
    }

    fn list(&self, pattern: Option<&Pattern>, ctx: &FetchContext<'_>) -> Result<Vec<Entry>, FetchError> {
        let folder = self.locate(ctx)?;
        let mut entries = Vec::new();
        let wanted = |name: &str| pattern.is_none_or(|pattern| pattern.fits(name));
        collect(&folder, &folder, LIST_DEPTH, &wanted, ctx, &mut entries)?;
        keep_newest(&mut entries);
        Ok(entries)
    }

    fn settle(&self, intent: &Intent, ctx: &FetchContext<'_>) -> Result<Settled, FetchError> {
        self.settle_below(&self.locate(ctx)?, intent)
    }
}

impl Folder {
    /// The folder itself with all links resolved, inside one of the roots.
    fn locate(&self, ctx: &FetchContext<'_>) -> Result<PathBuf, FetchError> {
        let folder = local::locate(&self.path, "folder", ctx)?;
        if !folder.is_dir() {
            return Err(FetchError::new(
                FailureKind::Missing,
                Retry::No,
                format!("'{}' is a file and not a folder. Name the folder that it is in.", self.path),
            ));
        }
        Ok(folder)
    }

    /// The wanted file with all links resolved: a regular one, inside the folder.
    fn resolve(&self, folder: &Path, wanted: &str, ctx: &FetchContext<'_>) -> Result<PathBuf, FetchError> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Err(FetchError::new(
                FailureKind::Request,
                Retry::No,
                "The import configuration names no file. Choose one of the folder's files.",
            ));
        }
        let outside = || {
            FetchError::refused(format!(
                "The file '{wanted}' lies outside the connection's folder. Name a file inside '{}'.",
                self.path
            ))
        };
        if climbs_out(Path::new(wanted)) || wanted.contains('\0') {
            return Err(outside());
        }
        let target = match folder.join(wanted).canonicalize() {
            Ok(target) => target,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Err(self.missing(wanted, ctx));
            }
            Err(e) => return Err(self.opening(wanted, &e)),
        };
        if !target.starts_with(folder) {
            return Err(outside());
        }
        let metadata = target.symlink_metadata().map_err(|e| self.opening(wanted, &e))?;
        if metadata.is_dir() {
            return Err(FetchError::new(
                FailureKind::Request,
                Retry::No,
                format!("'{wanted}' is a folder. Name one file in it."),
            ));
        }
        if !metadata.is_file() {
            return Err(self.opening(wanted, &ErrorKind::InvalidInput.into()));
        }
        Ok(target)
    }

    /// Not there; with what is, because most often the name is nearly right.
    fn missing(&self, wanted: &str, ctx: &FetchContext<'_>) -> FetchError {
        let names: Vec<_> = self.list(None, ctx).unwrap_or_default().into_iter().take(5).map(|e| e.name).collect();
        let there = match names.is_empty() {
            true => "The folder holds no files.".to_owned(),
            false => format!("Its newest files: {}.", names.join(", ")),
        };
        FetchError::new(
            FailureKind::Missing,
            Retry::No,
            format!("There is no file '{wanted}' in folder '{}'. {there}", self.path),
        )
    }

    fn opening(&self, wanted: &str, error: &std::io::Error) -> FetchError {
        match error.kind() {
            ErrorKind::NotFound => FetchError::new(
                FailureKind::Missing,
                Retry::Later,
                format!("The file '{wanted}' vanished while it was being opened."),
            ),
            ErrorKind::PermissionDenied => FetchError::new(
                FailureKind::SignIn,
                Retry::No,
                format!(
                    "The server may not read '{wanted}' in folder '{}'. Ask its operator to give it the right.",
                    self.path
                ),
            ),
            ErrorKind::InvalidInput => FetchError::refused(format!(
                "'{wanted}' is no ordinary file (a pipe, a device or a link that changed). Name an ordinary file."
            )),
            _ => FetchError::machine("Opening the file", error),
        }
    }
}

/// The newest first, and no more than a listing has.
fn keep_newest(entries: &mut Vec<Entry>) {
    entries.sort_by(|a, b| b.modified.cmp(&a.modified).then_with(|| a.name.cmp(&b.name)));
    entries.truncate(LIST_MOST);
}

/// Regular files below `at`, named from `top`; hidden ones and linked folders are left out.
fn collect(
    top: &Path,
    at: &Path,
    depth: usize,
    wanted: &dyn Fn(&str) -> bool,
    ctx: &FetchContext<'_>,
    entries: &mut Vec<Entry>,
) -> Result<(), FetchError> {
    let reading = |e: std::io::Error| FetchError::machine("Listing the folder", &e);
    for item in at.read_dir().map_err(reading)? {
        ctx.check_going_on()?;
        let item = item.map_err(reading)?;
        let path = item.path();
        // what vanishes or may not be read while we look is not there to choose from
        let (Ok(kind), Some(name)) = (item.file_type(), path.strip_prefix(top).ok().and_then(Path::to_str)) else {
            continue;
        };
        if item.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if kind.is_dir() {
            if depth > 0
                && let Err(e) = collect(top, &path, depth - 1, wanted, ctx, entries)
                && e.kind != FailureKind::Machine
            {
                return Err(e);
            }
            continue;
        }
        if !wanted(name) {
            continue;
        }
        let inside = path.canonicalize().is_ok_and(|real| real.starts_with(top));
        if let Ok(metadata) = path.metadata()
            && metadata.is_file()
            && inside
        {
            let modified = metadata.modified().ok().map(|at| Moment::new(DateTime::<Utc>::from(at)));
            entries.push(Entry { name: name.to_owned(), bytes: metadata.len(), modified });
            // A folder gives its files in no order: the newest may come last.
            if entries.len() >= 2 * LIST_MOST {
                keep_newest(entries);
            }
        }
    }
    Ok(())
}

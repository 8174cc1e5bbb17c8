//! A folder on the server, below one of the roots that the operator opened (`--folder-root`).

mod list;
mod settle;

use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::failure::{FailureKind, FetchError, Retry};
use super::local::{self, Place, climbs_out, is_hidden};
use super::registry::{Field, Input, Kind, Takes};
use super::settings::Given;
use super::{Check, Connector, Content, Entry, FetchContext, FetchRequest, Fetched, Intent, Pattern, Settled};
use crate::{names, words};

pub(super) const KIND: Kind = Kind {
    name: "folder",
    label: "Folder",
    summary: "Files in a folder on the server",
    takes: Takes::Path { required: true },
    is_address: false,
    settles: true,
    lists: true,
    settings: &[
        Field::new("path", "Folder", Input::Place).required(),
        Field::new("quiet_seconds", "Seconds without changes", Input::Number(5, 0, 3_600))
            .hint("A file that changed more recently may be incomplete, so a run waits for it. 0 means no wait"),
    ],
    secrets: &[],
    harmless: &["quiet_seconds"],
    build,
};

#[derive(Debug)]
struct Folder {
    /// As it was configured; also what people are shown.
    path: String,
    /// How long a file must not have changed before a run reads it.
    quiet: Duration,
}

fn build(given: &mut Given<'_>) -> Option<Box<dyn Connector>> {
    let (path, quiet) = (given.text("path"), given.number("quiet_seconds"));
    Some(Box::new(Folder { path: path?.to_owned(), quiet: Duration::from_secs(quiet?) }))
}

impl Connector for Folder {
    fn fetch(&self, request: &FetchRequest, ctx: &FetchContext<'_>) -> Result<Vec<Fetched>, FetchError> {
        let FetchRequest::Path(wanted) = request else { return Err(FetchError::takes_no_query(KIND.label)) };
        ctx.check_going_on()?;
        let place = self.locate(ctx)?;
        let rest = self.resolve(&place.path, wanted, ctx)?;
        let file = place.open().and_then(|folder| local::open_file(folder, &rest));
        let file = file.map_err(|e| self.opening(wanted, &e))?;
        let metadata = file.metadata().map_err(|e| FetchError::machine("Looking at the file", &e))?;
        let name = rest.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
        // Who only looks waits for nobody, and reads no more than the beginning.
        if ctx.first.is_none() {
            self.rested(&name, &metadata)?;
            if metadata.len() > ctx.limits.wire_bytes {
                return Err(FetchError::too_large(&ctx.limits));
            }
        }
        let second = file.try_clone().map_err(|e| FetchError::machine("Opening the file", &e))?;
        // Also where the beginning would do: it is here already.
        let bytes = metadata.len();
        (ctx.progress)(bytes);
        let check = Check::watched(second, name.clone(), &metadata, self.quiet.as_secs().max(1));
        Ok(vec![Fetched { content: Content::File { file, check }, name, bytes, whole: true }])
    }

    fn test(&self, ctx: &FetchContext<'_>) -> Result<String, FetchError> {
        let entries = self.list(None, ctx)?;
        let Some(newest) = entries.first() else {
            return Ok("The folder exists, but it is empty.".to_owned());
        };
        let count = match entries.len() {
            1 => "1 file".to_owned(),
            list::MOST.. => format!("{} files or more", list::MOST),
            n => format!("{n} files"),
        };
        let when =
            newest.modified.map(|m| format!(", changed {} UTC", m.utc().format("%-d %B %Y %H:%M"))).unwrap_or_default();
        Ok(format!(
            "The folder contains {count}; the newest is {} ({}{when}).",
            names::visible(&newest.name),
            words::bytes(newest.bytes)
        ))
    }

    fn list(&self, pattern: Option<&Pattern>, ctx: &FetchContext<'_>) -> Result<Vec<Entry>, FetchError> {
        let wanted = |name: &str| pattern.is_none_or(|pattern| pattern.fits(name));
        list::list(&self.locate(ctx)?, &wanted, ctx)
    }

    fn settle(&self, intent: &Intent, ctx: &FetchContext<'_>) -> Result<Settled, FetchError> {
        self.settle_below(&self.locate(ctx)?, intent)
    }
}

impl Folder {
    /// The folder itself with all links resolved, inside one of the roots.
    fn locate(&self, ctx: &FetchContext<'_>) -> Result<Place, FetchError> {
        let place = local::locate(&self.path, "folder", ctx)?;
        if !place.path.is_dir() {
            return Err(FetchError::refused(format!(
                "'{}' is a file, not a folder. Enter the folder that it is in.",
                self.path
            )));
        }
        Ok(place)
    }

    /// Whoever writes a file may pause: one that changed a moment ago is waited for. It is asked when its content changed,
    /// because renaming a complete file is good practice; only where that lies ahead, when anything of it did.
    fn rested(&self, name: &str, metadata: &Metadata) -> Result<(), FetchError> {
        let changed = u64::try_from(metadata.ctime())
            .map_or(SystemTime::UNIX_EPOCH, |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        let now = SystemTime::now();
        let age = metadata.modified().ok().and_then(|at| now.duration_since(at).ok());
        let age = age.unwrap_or_else(|| now.duration_since(changed).unwrap_or_default());
        let Some(left) = self.quiet.checked_sub(age).filter(|left| !left.is_zero()) else { return Ok(()) };
        Err(FetchError::new(
            FailureKind::Changed,
            Retry::Rest(left.as_secs() + 1),
            format!(
                "The file '{name}' changed {} s ago, so it may be incomplete. It is read when it has not changed for \
                 {} s.",
                age.as_secs(),
                self.quiet.as_secs()
            ),
        ))
    }

    /// Where the wanted file lies below the folder, with all links resolved: a regular file, and not a hidden one.
    fn resolve(&self, folder: &Path, wanted: &str, ctx: &FetchContext<'_>) -> Result<PathBuf, FetchError> {
        let wanted = wanted.trim();
        if wanted.is_empty() {
            return Err(FetchError::new(
                FailureKind::Request,
                Retry::No,
                "The import configuration has no file. Choose one of the folder's files.",
            ));
        }
        if climbs_out(Path::new(wanted)) || wanted.contains('\0') {
            return Err(FetchError::refused(format!(
                "The file '{wanted}' is outside the Connection's folder. Enter a file inside '{}'.",
                self.path
            ))
            .of_request(true));
        }
        let leads_out = || {
            FetchError::refused(format!(
                "'{wanted}' is a link, or is behind one, that leads to no file inside the Connection's folder '{}'. Enter \
                 a regular file inside it.",
                self.path
            ))
            .of_request(true)
        };
        let hidden = || {
            FetchError::refused(format!(
                "'{wanted}' is hidden: a name in its path begins with a dot. Hidden files are not read. Rename it."
            ))
            .of_request(true)
        };
        // Whether there is one is nobody's business.
        if is_hidden(Path::new(wanted)) {
            return Err(hidden());
        }
        let at = folder.join(written(wanted, |form| folder.join(form).symlink_metadata().is_ok()));
        let target = match at.canonicalize() {
            Ok(target) => target,
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                let nearest = at.ancestors().find_map(|part| part.canonicalize().ok());
                let inside = nearest.is_some_and(|part| part.starts_with(folder)) && !at.is_symlink();
                return Err(if inside { self.missing(wanted, ctx) } else { leads_out() });
            }
            Err(e) => return Err(self.opening(wanted, &e)),
        };
        let Ok(rest) = target.strip_prefix(folder) else { return Err(leads_out()) };
        if is_hidden(rest) {
            return Err(hidden());
        }
        let metadata = target.symlink_metadata().map_err(|e| self.opening(wanted, &e))?;
        if metadata.is_dir() {
            return Err(FetchError::new(
                FailureKind::Request,
                Retry::No,
                format!("'{wanted}' is a folder. Enter one file in it."),
            ));
        }
        if !metadata.is_file() {
            return Err(self.opening(wanted, &ErrorKind::InvalidInput.into()));
        }
        Ok(rest.to_owned())
    }

    /// Not there; with what is, because most often the name is nearly right.
    fn missing(&self, wanted: &str, ctx: &FetchContext<'_>) -> FetchError {
        let there = self.list(None, ctx).unwrap_or_default();
        let key = |name: &str| names::folded(&names::one_line(name));
        let mut alike = there.iter().filter(|entry| key(&entry.name) == key(wanted));
        let there = match (alike.next(), alike.next()) {
            (Some(one), None) => format!(
                "There is '{}', which is spelled differently: choose it from the list of files, or rename it.",
                names::visible(&one.name)
            ),
            _ if there.is_empty() => "The folder is empty.".to_owned(),
            _ => {
                let newest: Vec<_> = there.iter().take(5).map(|entry| names::visible(&entry.name)).collect();
                format!("Its newest files: {}.", newest.join(", "))
            }
        };
        FetchError::new(
            FailureKind::Missing,
            Retry::No,
            format!("There is no file '{}' in folder '{}'. {there}", names::visible(wanted), self.path),
        )
    }

    fn opening(&self, wanted: &str, error: &std::io::Error) -> FetchError {
        match error.kind() {
            ErrorKind::NotFound => FetchError::new(
                FailureKind::Missing,
                Retry::Later,
                format!("The file '{wanted}' disappeared while it was being opened."),
            ),
            ErrorKind::PermissionDenied => FetchError::new(
                FailureKind::SignIn,
                Retry::No,
                format!(
                    "The server may not read '{wanted}' in folder '{}'. Ask its operator for permission.",
                    self.path
                ),
            ),
            ErrorKind::InvalidInput => FetchError::refused(format!(
                "'{wanted}' is not a regular file (it is a pipe, a device or a changed link). Enter a regular file."
            )),
            _ => FetchError::machine("Opening the file", error),
        }
    }
}

/// The way in which a name is written where it is there in one that shows the same letters.
fn written(wanted: &str, is_there: impl Fn(&str) -> bool) -> String {
    let mut forms = std::iter::once(wanted.to_owned()).chain(names::other_forms(wanted));
    forms.find(|form| is_there(form)).unwrap_or_else(|| wanted.to_owned())
}

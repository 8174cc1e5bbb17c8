//! The settings and secrets of a kind as the form draws them: what is needed only beside another choice stands behind that.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::app::off_thread;
use crate::clock::Moment;
use crate::connectors::{Field, Input, Kind};
use crate::error::FieldErrors;
use crate::words;

/// How many folders are offered.
const MOST_PLACES: usize = 60;

/// One setting or secret as the form draws it.
pub(super) struct FieldView {
    /// Of the form field, the error and the control: `settings-url`.
    pub id: String,
    pub label: &'static str,
    pub hint: String,
    /// `text`, `url`, `number`, `place`, `toggle`, `choice`, `lines` or `secret`.
    pub input: &'static str,
    pub value: String,
    pub choices: &'static [(&'static str, &'static str)],
    /// Of a number.
    pub bounds: (u64, u64),
    /// The folders that the operator opened, and those to choose from.
    pub roots: Vec<String>,
    pub places: Vec<String>,
    /// The classes of what is shown only beside another choice: `only for-basic`.
    pub class: String,
    pub error: Option<String>,
}

impl FieldView {
    /// What is said about its control.
    pub fn described(&self) -> String {
        let said = !self.hint.is_empty() || self.input == "place";
        let parts = [self.error.is_some().then_some("err"), said.then_some("hint")];
        parts.into_iter().flatten().map(|part| format!("{}-{part}", self.id)).collect::<Vec<_>>().join(" ")
    }
}

/// Those of a kind. `set`: since when secrets are set; `dropped`: secrets that were typed, and are not put back.
pub(super) fn of(
    kind: &'static Kind,
    typed: &BTreeMap<String, String>,
    set: Option<&BTreeMap<String, Moment>>,
    dropped: &BTreeMap<String, String>,
    folders: &Folders,
    errors: &FieldErrors,
) -> Vec<FieldView> {
    let beside = |field: &Field, other: &Field| field.only_for.is_some_and(|(setting, _)| setting == other.name);
    let sealed = |field: &'static Field| {
        let at = set.and_then(|set| set.get(field.name)).copied();
        secret(field, at, dropped.contains_key(field.name), errors)
    };
    let mut views = Vec::new();
    // What belongs to a choice follows it.
    for field in kind.settings.iter().filter(|field| field.only_for.is_none()) {
        views.push(setting(field, typed, folders, errors));
        let more = kind.settings.iter().filter(|other| beside(other, field));
        views.extend(more.map(|field| setting(field, typed, folders, errors)));
        views.extend(kind.secrets.iter().filter(|other| beside(other, field)).map(sealed));
    }
    views.extend(kind.secrets.iter().filter(|field| field.only_for.is_none()).map(sealed));
    views
}

fn setting(field: &Field, typed: &BTreeMap<String, String>, folders: &Folders, errors: &FieldErrors) -> FieldView {
    let mut view =
        FieldView { value: typed.get(field.name).cloned().unwrap_or_default(), ..blank(field, "settings", errors) };
    match field.input {
        Input::Text | Input::Password => {}
        Input::Url => view.input = "url",
        Input::Toggle => view.input = "toggle",
        Input::Headers => view.input = "lines",
        Input::Choice(choices) => (view.input, view.choices) = ("choice", choices),
        Input::Place => {
            view.input = "place";
            view.roots.clone_from(&folders.roots);
            view.places.clone_from(&folders.all);
            if let ([only], false) = (folders.roots.as_slice(), typed.contains_key(field.name)) {
                view.value.clone_from(only);
            }
        }
        Input::Number(usual, least, most) => {
            (view.input, view.bounds) = ("number", (least, most));
            if view.value.is_empty() {
                view.value = usual.to_string();
            }
        }
    }
    view
}

fn secret(field: &Field, set_at: Option<Moment>, dropped: bool, errors: &FieldErrors) -> FieldView {
    let wrong = blank(field, "secrets", errors);
    let hint = match set_at.filter(|_| wrong.error.is_none()) {
        _ if dropped => "Enter it again before you save: it is not shown.".to_owned(),
        Some(at) => format!("Set on {} UTC. Leave it blank to keep it.", words::date_time(at, chrono_tz::UTC)),
        None => "Sealed when saved, and never shown again.".to_owned(),
    };
    FieldView { hint, input: "secret", ..wrong }
}

fn blank(field: &Field, group: &str, errors: &FieldErrors) -> FieldView {
    let id = format!("{group}-{}", field.name);
    let classes =
        field.only_for.map(|(_, values)| values.iter().map(|value| format!(" for-{value}")).collect::<String>());
    FieldView {
        error: errors.of(&id).map(|detail| sentence(field.label, detail)),
        id,
        label: field.label,
        hint: field.hint.to_owned(),
        input: "text",
        value: String::new(),
        choices: &[],
        bounds: (0, 0),
        roots: Vec::new(),
        places: Vec::new(),
        class: classes.map(|classes| format!(" only{classes}")).unwrap_or_default(),
    }
}

/// The folders that the operator opened, alone and with the folders in them.
#[derive(Default)]
pub(super) struct Folders {
    roots: Vec<String>,
    all: Vec<String>,
}

/// Looks into the folders, for a kind that asks for one; where a disk does not answer, only those that the operator named are known.
pub(super) async fn folders(kind: &Kind, roots: &[PathBuf]) -> Folders {
    const PATIENCE: Duration = Duration::from_secs(2);
    if !kind.settings.iter().any(|field| matches!(field.input, Input::Place)) {
        return Folders::default();
    }
    let named: Vec<String> = roots.iter().map(|root| root.display().to_string()).collect();
    let roots = roots.to_vec();
    let looked = tokio::time::timeout(PATIENCE, off_thread(move || Ok(all_of(&roots)))).await;
    let all = looked.ok().and_then(Result::ok).unwrap_or_else(|| named.clone());
    Folders { roots: named, all }
}

fn all_of(roots: &[PathBuf]) -> Vec<String> {
    let mut all = Vec::new();
    for root in roots {
        all.push(root.display().to_string());
        let mut inner: Vec<String> =
            folders_in(root).map(|folder| folder.display().to_string()).take(MOST_PLACES).collect();
        inner.sort();
        all.extend(inner);
    }
    all.truncate(MOST_PLACES);
    all
}

fn folders_in(root: &Path) -> impl Iterator<Item = PathBuf> {
    let items = root.read_dir().into_iter().flatten().take(1_000).flatten();
    let shown = items.filter(|item| !item.file_name().as_encoded_bytes().starts_with(b"."));
    shown.filter(|item| item.file_type().is_ok_and(|kind| kind.is_dir())).map(|item| item.path())
}

/// What is wrong, each with the name of its field.
pub(super) fn told(kind: &'static Kind, mut errors: FieldErrors) -> FieldErrors {
    for error in &mut errors.0 {
        let of = |group: &str, field: &&Field| error.field == format!("{group}-{}", field.name);
        let field = kind.settings.iter().find(|f| of("settings", f)).or(kind.secrets.iter().find(|f| of("secrets", f)));
        if let Some(field) = field {
            error.detail = sentence(field.label, &error.detail);
        }
    }
    errors
}

/// "is required" as "Folder is required."; whole sentences as they are.
fn sentence(label: &str, detail: &str) -> String {
    if detail.starts_with(char::is_lowercase) {
        format!("{label} {}.", detail.trim_end_matches('.'))
    } else {
        detail.into()
    }
}

//! Screen 1 of the wizard: where the rows come from. What a Connection lists is chosen by a click.

use actix_web::HttpResponse;
use askama::Template;

use super::{Said, Wizard, of_source};
use crate::connections::{self, Connection};
use crate::connectors::{Entry, Takes};
use crate::error::{FieldErrors, Result};
use crate::names;
use crate::web::{Page, Shell, at_controls};
use crate::words;

/// How many files of a Connection are shown at once, and how many in all.
const NEWEST: usize = 6;
const MOST: usize = 200;

#[derive(Template)]
#[template(path = "imports/source.html")]
struct SourcePage {
    shell: Shell,
    list: String,
    errors: FieldErrors,
    carried: Vec<(String, String)>,
    choices: Vec<SourceChoice>,
    /// Blocks that may feed it: value, words, whether it is chosen.
    blocks: Vec<(String, String, bool)>,
    by_block: bool,
    by_hand: bool,
    sample_name: String,
    is_administrator: bool,
}

/// A Connection to choose, or one of its files.
struct SourceChoice {
    id: i64,
    title: String,
    about: String,
    newest: Vec<FileChoice>,
    older: Vec<FileChoice>,
    /// "12 more files".
    older_words: String,
    /// One of the older ones is chosen.
    older_open: bool,
    /// What is chosen where no file of the list is.
    other: &'static str,
    other_chosen: bool,
    /// Why nothing is listed.
    trouble: Option<String>,
    /// It takes a query, and no path.
    asks: bool,
    /// Of the control for the path or the query.
    control: String,
    typed: String,
    hint: &'static str,
}

struct FileChoice {
    value: String,
    name: String,
    about: String,
    chosen: bool,
}

impl Wizard {
    pub(super) async fn source(&self, (status, errors): Said) -> Result<HttpResponse> {
        let chosen = self.form.get("source");
        let only = self.place.connections.len() == 1 && chosen.is_empty();
        // Whoever comes from a Connection has chosen no file yet; whoever left the name of one blank is told so.
        let no_file = self.form.get("source-path").is_empty() && errors.is_empty();
        let mut choices = Vec::new();
        for connection in &self.place.connections {
            let is_chosen = chosen == connection.id.to_string();
            choices.push(self.choice(connection, is_chosen, only || (is_chosen && no_file)).await?);
        }
        let mut errors = at_controls(errors);
        for error in errors.0.iter_mut().filter(|e| matches!(e.field.as_str(), "source-path" | "source-query")) {
            error.field = format!("{}-{chosen}", error.field);
        }
        let fed = format!("block:{}", self.form.get("source-path"));
        let feeding = self.place.feeding_choices(0).into_iter();
        let blocks = feeding.map(|(value, words)| (value.clone(), words, value == fed)).collect();
        let template = SourcePage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            errors,
            carried: self.carried(of_source),
            choices,
            blocks,
            by_block: chosen == "block",
            by_hand: chosen == "file" || (chosen != "block" && self.place.connections.is_empty()),
            sample_name: self.form.get("sample_name").to_owned(),
            is_administrator: self.by.member.is_administrator(),
        };
        Page::with(status, &self.request, &template)
    }

    async fn choice(&self, connection: &Connection, is_chosen: bool, first_file: bool) -> Result<SourceChoice> {
        let kind = connection.kind();
        let asks = kind.is_some_and(|kind| kind.takes == Takes::Query);
        let (mut files, mut trouble) = (Vec::new(), None);
        if kind.is_some_and(|kind| kind.lists) {
            match connections::files(&self.app, connection.id).await? {
                Ok(entries) if entries.is_empty() => trouble = Some("There are no files yet.".to_owned()),
                Ok(entries) => files = entries,
                Err(sentence) => trouble = Some(sentence),
            }
        }
        files.truncate(MOST);
        let path = if is_chosen { self.form.get("source-path") } else { "" };
        let mut newest: Vec<FileChoice> =
            files.into_iter().map(|entry| self.file(connection.id, entry, path)).collect();
        // The newest is most often the one that is meant.
        if let Some(first) = newest.first_mut().filter(|_| first_file) {
            first.chosen = true;
        }
        let listed = newest.iter().any(|file| file.chosen);
        let older = newest.split_off(newest.len().min(NEWEST));
        let (other, hint) = match (asks, kind.map(|kind| kind.takes)) {
            (true, _) => ("A query", "One SELECT with named columns"),
            (false, Some(Takes::Path { required: true })) if newest.is_empty() => {
                ("A file", "A path inside the Connection's folder, such as sales/2026.csv")
            }
            (false, Some(Takes::Path { required: true })) => {
                ("Another file", "A path inside the Connection's folder, such as sales/2026.csv")
            }
            _ => (
                "A file at this address",
                "A path below the Connection's address; leave blank if the address is the file itself",
            ),
        };
        let (control, typed) = match asks {
            true => (format!("source-query-{}", connection.id), self.form.raw("source-query")),
            false => (format!("source-path-{}", connection.id), path),
        };
        Ok(SourceChoice {
            id: connection.id,
            title: connection.name.clone(),
            about: format!("{}, {}", connection.kind_label(), connection.place()),
            older_open: older.iter().any(|file| file.chosen),
            newest,
            older_words: words::counted(older.len() as i64, "more file", "more files"),
            older,
            other,
            other_chosen: (first_file || is_chosen) && !listed,
            trouble,
            asks,
            control,
            typed: if is_chosen { typed.to_owned() } else { String::new() },
            hint,
        })
    }

    fn file(&self, connection: i64, entry: Entry, chosen: &str) -> FileChoice {
        let age = entry.modified.map(|at| format!(", {}", words::relative(at, self.app.now()))).unwrap_or_default();
        FileChoice {
            value: format!("{connection}:{}", entry.name),
            name: names::visible(&entry.name),
            about: format!("{}{age}", words::bytes(entry.bytes)),
            chosen: entry.name == chosen,
        }
    }
}

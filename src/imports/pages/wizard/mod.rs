//! The wizard: from a source to a configuration, in the first three of its four screens (the last is `when`).
//! `source` and `screens` draw them, `save` makes what they describe.

mod questions;
mod save;
mod screens;
mod source;

use std::sync::Arc;
use std::time::Duration;

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{FromRequest, HttpRequest, HttpResponse};

use super::mapping;
use super::options;
use super::target;
use super::tested::Found;
use super::{GUARD, Place, place, put, tables};
use crate::app::{App, off_thread};
use crate::applications::blocks::Block;
use crate::connectors::FetchRequest;
use crate::error::{AppError, FieldErrors, Result};
use crate::files;
use crate::formats::{self, Proposal, ReadOptions};
use crate::imports::sample::{Origin, look};
use crate::members::{By, SignedIn};
use crate::translations::Translation;
use crate::web::form::{Query, Upload};
use crate::web::{Form, Shell, refused};

/// A request in the wizard: everything a screen is drawn from.
struct Wizard {
    request: HttpRequest,
    app: Data<App>,
    by: By,
    place: Place,
    /// The translation tables that the form names.
    tables: Vec<Arc<Translation>>,
    form: Form,
    /// What a test run found, for the screen that asked.
    tested: Option<Found>,
}

/// The status and what is wrong.
type Said = (StatusCode, FieldErrors);

const FINE: Said = (StatusCode::OK, FieldErrors(Vec::new()));

fn wrong(errors: FieldErrors) -> Said {
    (StatusCode::UNPROCESSABLE_ENTITY, errors)
}

/// Names of controls by the screen that draws them; the other screens carry them.
fn of_source(name: &str) -> bool {
    matches!(name, "source" | "source-block" | "source-path" | "source-query" | "file")
        || name.starts_with("source-path-")
        || name.starts_with("source-query-")
}

fn of_preview(name: &str) -> bool {
    options::is_one(name)
        || questions::is_one(name)
        || matches!(name, "target" | "block" | "block_name" | "block_kind")
        || name.starts_with("col-")
}

fn of_mapping(name: &str) -> bool {
    name.starts_with("map-")
        || name.starts_with("filter-")
        || name.starts_with("rejects-")
        || matches!(name, GUARD | "mode" | "scope" | "unknown_items" | "name" | "description")
}

impl Wizard {
    fn carried(&self, own: fn(&str) -> bool) -> Vec<(String, String)> {
        let other = |name: &str| !own(name) && name != "csrf" && name != "go";
        // What is blank in a line of the mapping says nothing, but where nothing fills it. A wide source has many.
        let says = |name: &str, value: &str| !value.is_empty() || !name.starts_with("map-") || name.ends_with("-from");
        self.form.0.iter().filter(|(name, value)| other(name) && says(name, value)).cloned().collect()
    }

    fn shell(&self, title: &str) -> Shell {
        self.place.shell(&self.request, &self.app, &self.by, title)
    }

    /// "weather.csv from Warehouse files".
    fn source_words(&self) -> String {
        if self.form.get("source") == "file" {
            return format!("{} by hand", self.form.get("sample_name"));
        }
        if let Some(block) = self.place.source_block(&self.form) {
            return format!("the Block {}", block.name);
        }
        let connection = self.form.id("source").and_then(|id| self.place.connection(id));
        let name = connection.map(|connection| connection.name.as_str()).unwrap_or_default();
        if self.place.asks(&self.form) {
            return format!("a query of {name}");
        }
        match self.form.get("source-path") {
            "" => name.to_owned(),
            path => format!("{path} from {name}"),
        }
    }

    fn options(&self) -> ReadOptions {
        options::read(&self.form, self.place.asks(&self.form) || self.form.get("source") == "block")
    }

    /// Reads the sample as the form says, or guessing.
    async fn look(&mut self) -> Result<Proposal> {
        let proposal = self.look_for(formats::PATIENCE).await?;
        let options = if options::are_in(&self.form) { self.options() } else { proposal.options.clone() };
        put(&mut self.form, "looked", as_text(&options));
        Ok(proposal)
    }

    /// Whether the types of the columns were told from the whole source, read in this way.
    fn is_looked_at(&self) -> bool {
        as_text(&self.options()) == self.form.get("looked")
    }

    /// Asks what the types of the Block's columns leave open.
    fn ask_of(&mut self, block: &Block, source: &[String]) {
        let (rows, values) = (self.map_rows(block, source), self.options().values);
        questions::pose_if_said(&mut self.form, &values, |column, kind| {
            let fed = rows.iter().filter(|row| row.source() == Some(column));
            fed.filter_map(|row| block.column(&row.to)).any(|filled| filled.column_type == kind)
        });
    }

    async fn look_for(&self, patience: Duration) -> Result<Proposal> {
        let origin = self.place.origin(&self.app, &self.by, &self.form)?;
        let given = options::are_in(&self.form).then(|| self.options());
        look(&self.app, origin, given, patience).await
    }
}

fn as_text(options: &ReadOptions) -> String {
    serde_json::to_string(options).unwrap_or_default()
}

/// For the names of the columns and the first rows.
const GLANCE: Duration = Duration::from_millis(300);

/// Puts what was chosen on screen 1 under the names that the other screens know: a file of the list is its Connection and
/// its path.
fn pick(form: &mut Form) {
    let mut chosen = form.get("source").to_owned();
    if chosen == "block" {
        let block = form.get("source-block");
        chosen = if block.is_empty() { "block:".to_owned() } else { block.to_owned() };
    }
    let (source, path) = match chosen.split_once(':') {
        Some((source, path)) => (source.to_owned(), path.to_owned()),
        None => (chosen.clone(), form.get(&format!("source-path-{chosen}")).to_owned()),
    };
    let query = form.raw(&format!("source-query-{source}")).to_owned();
    form.0.retain(|(name, _)| {
        name != "source-block" && !name.starts_with("source-path-") && !name.starts_with("source-query-")
    });
    put(form, "source", source);
    put(form, "source-path", path);
    put(form, "source-query", query);
}

async fn enter_wizard(request: HttpRequest, app: Data<App>, by: By, id: i64, form: Form) -> Result<Wizard> {
    let place = place(&app, &by, id, None).await?;
    let tables = tables(&app, &place, &form).await?;
    Ok(Wizard { request, app, by, place, tables, form, tested: None })
}

/// `GET /applications/{a}/settings/import-configurations/new`: screen 1. `?block=` names the Block that is filled,
/// `?source=` the Connection that is read.
pub async fn begin(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let mut form = Form::default();
    if let Some(block) = query.id("block") {
        put(&mut form, "target", "existing");
        put(&mut form, "block", block.to_string());
    }
    if let Some(source) = query.id("source") {
        put(&mut form, "source", source.to_string());
    }
    enter_wizard(request, app, by, *path, form).await?.source(FINE).await
}

/// `POST …/new/files`: leaves screen 1, keeps an uploaded sample.
pub async fn sourced(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    parts: Multipart,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request.clone(), app, by, *path, Form::default()).await?;
    let uploaded = Upload::read_keeping(&request, parts, &mut wizard.form).await;
    // A file may be long on its way: who sent it, and what they may, is asked anew.
    let SignedIn(by) = SignedIn::extract(&request).await?;
    let form = std::mem::take(&mut wizard.form);
    let mut wizard = enter_wizard(request.clone(), wizard.app, by, *path, form).await?;
    pick(&mut wizard.form);
    let file = match uploaded {
        Ok(file) => file.filter(|file| file.bytes > 0),
        Err(AppError::Invalid(errors)) => return wizard.source(wrong(errors)).await,
        Err(other) => return Err(other),
    };
    if let Some(file) = file.filter(|_| wizard.form.get("source") == "file") {
        let (blocks, name, now) = (wizard.app.blocks.clone(), file.name.clone(), wizard.app.now());
        let id = off_thread(move || files::save(&blocks, &name, file.file, now)).await?;
        let application_id = wizard.place.entered.application.id;
        let ticket = files::ticket(&wizard.app.secrets, application_id, wizard.by.member.id, id)?;
        put(&mut wizard.form, "sample", ticket);
        put(&mut wizard.form, "sample_name", file.name);
    }
    let origin = match wizard.place.origin(&wizard.app, &wizard.by, &wizard.form) {
        Ok(origin) => origin,
        Err(errors) => return wizard.source(wrong(errors)).await,
    };
    let seen = match &origin {
        Origin::Connection { id, request: FetchRequest::Path(path) } => format!("{id} {path}"),
        Origin::Connection { id, request: FetchRequest::Query(query) | FetchRequest::Bound { query, .. } } => {
            format!("{id} {query}")
        }
        Origin::File(id) => format!("file {id}"),
        Origin::Block(id) => format!("block {id}"),
    };
    // Another source is looked at afresh.
    if wizard.form.get("seen") != seen {
        let stale = |name: &str| {
            options::is_one(name)
                || questions::is_one(name)
                || questions::is_carried(name)
                || name.starts_with("col-")
                || name.starts_with("map-")
                || name.starts_with("filter-")
                || of_proposal(name)
        };
        wizard.form.0.retain(|(name, _)| !stale(name));
        put(&mut wizard.form, "seen", seen);
    }
    wizard.go_to_preview(FINE).await
}

/// What is proposed from a source, and proposed anew from another.
fn of_proposal(name: &str) -> bool {
    matches!(name, "block_name" | "block_kind" | "mode" | "scope" | "name")
}

/// `POST …/new/preview`: leaves screen 2.
pub async fn previewed(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request, app, by, *path, form).await?;
    let typed = wizard.options();
    questions::follow(&mut wizard.form, typed);
    match wizard.form.get("go") {
        "back" => return wizard.source(FINE).await,
        "again" => return wizard.go_to_preview(FINE).await,
        _ => {}
    }
    let known = wizard.is_looked_at();
    let proposal = if known { wizard.look_for(GLANCE).await } else { wizard.look().await };
    let proposal = match proposal {
        Ok(proposal) => proposal,
        Err(error) => {
            let said = refused(error)?;
            return wizard.preview(None, target::read(&wizard.form), said);
        }
    };
    let mut columns = target::rows(&wizard.form, &proposal, known);
    let block = wizard.block(&mut columns);
    if let Ok(block) = &block {
        wizard.ask_of(block, &mapping::source_columns(&proposal));
    }
    let open = questions::open(&wizard.form);
    if !open.is_empty() {
        return wizard.preview(Some(proposal), columns, wrong(open));
    }
    match block {
        Ok(block) => wizard.mapping(Some(proposal), &block, FINE),
        Err(errors) => wizard.preview(Some(proposal), columns, wrong(errors)),
    }
}

/// `POST …/new/mapping`: leaves screen 3 and makes the configuration.
pub async fn mapped(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request, app, by, *path, form).await?;
    if wizard.form.get("go") == "back" {
        return wizard.go_to_preview(FINE).await;
    }
    let mut columns = target::read(&wizard.form);
    let block = match wizard.block(&mut columns) {
        Ok(block) => block,
        Err(errors) => return wizard.go_to_preview(wrong(errors)).await,
    };
    let proposal = match wizard.look_for(GLANCE).await {
        Ok(proposal) => proposal,
        Err(error) => {
            let said = refused(error)?;
            return wizard.mapping(None, &block, said);
        }
    };
    wizard.ask_of(&block, &mapping::source_columns(&proposal));
    let open = questions::open(&wizard.form);
    if !open.is_empty() {
        return wizard.go_to_preview(wrong(open)).await;
    }
    if wizard.form.get("go") == "check" {
        return wizard.mapping(Some(proposal), &block, FINE);
    }
    if wizard.form.get("go") == "test" {
        return wizard.test(proposal, block).await;
    }
    wizard.save(Some(proposal), block).await
}

//! The page of one import configuration: everything about it in one form, and the question before deleting it.
//! Whoever may not configure reads it.

use std::sync::Arc;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::landing::{Landing, landing};
use super::mapping::{self, MapRow};
use super::options::{self, OptionsView};
use super::typed::Typed;
use super::{FilterRow, Place, filter_rows, place, reject_choices, scope_choices, tables, unknown_choices};
use crate::app::App;
use crate::applications::blocks::Block;
use crate::error::{AppError, FieldErrors, Result};
use crate::formats::{self, Format, Proposal};
use crate::imports::sample::{Origin, look};
use crate::imports::{Configuration, Definition, Mapping, Mode, actions, aggregates, fill, tried, values_target};
use crate::in_use::Thing;
use crate::members::{By, SignedIn};
use crate::names::name_key;
use crate::parameters::{Declared, ParameterType, declared_rows};
use crate::translations::Translation;
use crate::web::{ConfirmPage, Flash, Form, Page, Shell, at_controls, refused, see_other};

const ASKS_AGAIN: &str = " Secrets entered for the old query or Connection no longer work. Enter them again.";

#[derive(Template)]
#[template(path = "imports/edit.html")]
struct EditPage {
    shell: Shell,
    title: String,
    base: String,
    here: String,
    list: String,
    id: i64,
    errors: FieldErrors,
    may_configure: bool,
    may_import: bool,
    /// Import Scheduling, where its schedules and runs are.
    may_open: bool,
    needs_file: bool,
    version: String,
    called: String,
    description: String,
    block_id: i64,
    block: String,
    /// Word, class, icon, run.
    status: Option<(&'static str, &'static str, &'static str, Option<i64>)>,
    source: String,
    sources: Vec<(String, String)>,
    path: String,
    query: String,
    /// A query is asked, and there is no file.
    asks: bool,
    settles: bool,
    after: String,
    afters: Vec<(String, &'static str)>,
    move_to: String,
    o: OptionsView,
    by_name: bool,
    /// By equal names: the columns that were found, in a sentence.
    columns: Option<String>,
    rows: Vec<MapRow>,
    choices: Vec<(String, String)>,
    of_block: bool,
    aggregates: Vec<(String, &'static str)>,
    filter: Vec<FilterRow>,
    notes: Vec<String>,
    landing: Option<Landing>,
    mode: Mode,
    modes: &'static [Mode],
    /// The Block's columns, and whether they are the scope.
    scope: Vec<(String, bool)>,
    unknown_items: String,
    unknown_choices: Vec<(String, &'static str)>,
    tables: Vec<(String, String)>,
    load_good: String,
    load_goods: Vec<(String, &'static str)>,
    max_rows: String,
    max_percent: String,
    max_changed: String,
    guard: String,
    overlap: String,
    overlaps: Vec<(String, &'static str)>,
    attempts: String,
    attempt_seconds: String,
    parameters: Vec<Declared>,
    parameter_types: Vec<(String, &'static str)>,
    /// Whether a run is asked for values.
    asks_values: bool,
}

/// What was read of the source, and what is wrong.
#[derive(Default)]
struct Shown {
    status: StatusCode,
    errors: FieldErrors,
    proposal: Option<Proposal>,
    /// The translation tables by which it lands.
    tables: Vec<Arc<Translation>>,
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    mut typed: Typed,
    mut shown: Shown,
) -> Result<HttpResponse> {
    let (configuration, _) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let block = block_of(place, configuration)?;
    let (lines, places) = mapping::mapping(&typed.rows);
    mapping::mark(&mut typed.rows, &shown.errors, &places);
    for error in &mut shown.errors.0 {
        if matches!(error.field.as_str(), "connection_id" | "source_block_id") {
            error.field = "source".into();
        } else if let Some(row) = line_of(&error.field).and_then(|line| places.get(line)) {
            error.field = control(&error.field, *row);
        } else if error.field.starts_with("source.filter") {
            error.field = "filter".into();
        }
    }
    let mut choices = shown.proposal.as_ref().map(mapping::source_columns).unwrap_or_default();
    for line in &lines {
        // A column that the sample lacks is still what was chosen.
        for from in line.fills.source_columns() {
            if !choices.iter().any(|choice| choice == from) {
                choices.push(from.to_owned());
            }
        }
    }
    let one_for_one = lines.iter().all(|line| line.aggregate.is_none());
    let landing = shown
        .proposal
        .as_ref()
        .filter(|_| one_for_one)
        .map(|p| landing(&lines, block, &typed.options.values, p, &shown.tables));
    let mut sources: Vec<(String, String)> =
        place.connections.iter().map(|c| (c.id.to_string(), format!("{} ({})", c.name, c.kind_label()))).collect();
    sources.extend(place.feeding_choices(block.id));
    sources.push(("file".into(), "A file given by hand".into()));
    let fed = typed.source.strip_prefix("block:").and_then(|id| id.parse().ok());
    let fed = fed.and_then(|id: i64| place.feeding.iter().map(|(block, _)| block).find(|block| block.id == id));
    for column in fed.iter().flat_map(|block| &block.columns) {
        if !choices.contains(&column.name) {
            choices.push(column.name.clone());
        }
    }
    let status = configuration.status.map(|status| {
        let (word, class, icon) = status.chip();
        (word, class, icon, configuration.status_run_id)
    });
    let template = EditPage {
        shell: place.shell(request, app, by, &configuration.name),
        title: configuration.name.clone(),
        base: place.base(),
        here: format!("{}/{}", place.list(), configuration.id),
        list: place.list(),
        id: configuration.id,
        may_configure: place.entered.may_configure(),
        may_import: place.entered.may_import(),
        may_open: place.entered.may_open_scheduling(),
        needs_file: configuration.needs_file(),
        version: typed.version,
        called: typed.name,
        description: typed.description,
        block_id: block.id,
        block: block.name.clone(),
        status,
        sources,
        asks: fed.is_none() && typed.options.format == Format::Rows,
        settles: settles(place, &typed.source),
        source: typed.source,
        path: typed.path,
        query: typed.query,
        after: typed.after,
        afters: options::after_choices(),
        move_to: typed.move_to,
        o: OptionsView::of(&typed.options),
        by_name: typed.by_name,
        columns: typed.columns.map(|names| names.join(", ")),
        rows: typed.rows,
        choices: mapping::choices(&choices),
        of_block: fed.is_some(),
        aggregates: aggregates(),
        filter: filter_rows(fed, &typed.filter),
        notes: shown.proposal.map(|proposal| proposal.notes).unwrap_or_default(),
        landing,
        mode: Mode::parse(&typed.mode).unwrap_or(Mode::Append),
        modes: Mode::ALL,
        scope: scope_choices(block, &typed.scope),
        unknown_items: typed.unknown_items.to_string(),
        unknown_choices: unknown_choices(block),
        tables: place.tables.clone(),
        load_good: typed.load_good,
        load_goods: reject_choices(),
        max_rows: typed.max_rows,
        max_percent: typed.max_percent,
        max_changed: typed.max_changed,
        guard: typed.guard,
        overlap: typed.overlap,
        overlaps: vec![("skip".into(), "Skip this occurrence"), ("queue".into(), "Queue one run")],
        attempts: typed.attempts,
        attempt_seconds: typed.attempt_seconds,
        parameters: declared_rows(&typed.parameters, &shown.errors),
        parameter_types: ParameterType::ALL.iter().map(|kind| (kind.to_string(), kind.label())).collect(),
        asks_values: place.found.as_ref().is_some_and(|(_, definition)| !definition.parameters.is_empty()),
        errors: at_controls(shown.errors),
    };
    Page::with(shown.status, request, &template)
}

/// Whether the file of that source could be moved or deleted.
fn settles(place: &Place, source: &str) -> bool {
    let connection = source.parse().ok().and_then(|id| place.connection(id));
    connection.and_then(|connection| connection.kind()).is_some_and(|kind| kind.settles)
}

/// The control of a line that an error belongs to.
fn control(field: &str, row: usize) -> String {
    format!("map-{row}-{}", mapping::control(field.rsplit('.').next().unwrap_or_default()))
}

fn line_of(field: &str) -> Option<usize> {
    field.strip_prefix("mapping[")?.split(']').next()?.parse().ok()
}

fn block_of<'a>(place: &'a Place, configuration: &Configuration) -> Result<&'a Block> {
    place.blocks.iter().find(|block| block.id == configuration.block_id).ok_or(AppError::NotFound)
}

/// `GET …/{i}`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let typed = Typed::of(configuration, definition, block_of(&place, configuration)?);
    page(&request, &app, &by, &place, typed, Shown::default())
}

/// The form has no line for a marker that is empty, nor for a list without one: markers that look the same stay as they are.
fn keep_markers(new: &mut Definition, old: &Definition) {
    let shown = |line: &Mapping| -> Vec<String> {
        line.nulls.iter().flatten().filter(|marker| !marker.is_empty()).cloned().collect()
    };
    for line in new.mapping.iter_mut().flatten() {
        let was = old.mapping.iter().flatten().find(|was| name_key(&was.to) == name_key(&line.to));
        if let Some(was) = was.filter(|was| shown(was) == shown(line)) {
            line.nulls.clone_from(&was.nulls);
        }
    }
}

/// `POST …/{i}`: saves, or looks at the source (`go=look`).
pub async fn change(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let (configuration, definition) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let (entered, who) = (place.entered.clone(), by.clone());
    app.read(move |conn| entered.need_configure(conn, &who)).await?;
    let typed = Typed::read(&form, block_of(&place, configuration)?, place.asks(&form), definition);
    if form.get("go") == "look" {
        let shown = match read_source(&app, &by, &place, &form, &typed).await {
            Ok(proposal) => {
                let tables = tables(&app, &place, &form).await?;
                Shown { proposal: Some(proposal), tables, ..Shown::default() }
            }
            Err(error) => {
                let (status, errors) = refused(error)?;
                Shown { status, errors, ..Shown::default() }
            }
        };
        return page(&request, &app, &by, &place, typed, shown);
    }
    let (mut draft, mut errors) = typed.draft(&form, configuration);
    keep_markers(&mut draft.definition, definition);
    // It was by equal names before: the other choice was forgotten. Who comes from there wants none of this.
    if typed.by_name && definition.mapping.is_none() && typed.rows.iter().any(|row| row.more.any()) {
        errors.add("mapping", "What is done to the cells of a column needs a mapping. Choose Column by column.");
    }
    if !errors.is_empty() {
        let shown = Shown { status: StatusCode::UNPROCESSABLE_ENTITY, errors, ..Shown::default() };
        return page(&request, &app, &by, &place, typed, shown);
    }
    let (who, entered, in_use, now) = (by.clone(), place.entered.clone(), app.in_use, app.now());
    let (id, version) = (configuration.id, form.id("version"));
    let moved = (&definition.source.query, configuration.connection_id)
        != (&draft.definition.source.query, draft.connection_id);
    // One that is declared only now was entered nowhere yet.
    let asks_again = moved && definition.parameters.iter().any(|one| one.parameter_type == ParameterType::Secret);
    match app.write(move |conn| actions::update(conn, in_use, &who, &entered, (id, version), draft, now)).await {
        Ok(saved) => {
            let again = if asks_again { ASKS_AGAIN } else { "" };
            let said =
                format!("Saved the import configuration “{}”. Its next run uses the new version.{again}", saved.name);
            Ok(see_other(&format!("{}/{id}", place.list()), Some(Flash::new(said))))
        }
        Err(error) => {
            let (status, errors) = refused(error)?;
            page(&request, &app, &by, &place, typed, Shown { status, errors, ..Shown::default() })
        }
    }
}

async fn read_source(app: &App, by: &By, place: &Place, form: &Form, typed: &Typed) -> Result<Proposal> {
    if typed.source == "file" {
        return Err(AppError::invalid(
            "source",
            "There are no rows to show: a file given by hand is kept only for its run.",
        ));
    }
    let mut origin: Origin = place.origin(app, by, form)?;
    let (configuration, _) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let (draft, _) = typed.draft(form, configuration);
    if let (Origin::Connection { id, request }, false) = (&mut origin, draft.definition.parameters.is_empty()) {
        // The rows of today, by the defaults.
        let at = (app.now(), place.entered.application.time_zone);
        let values = tried(&values_target(configuration, &draft.definition, &place.leads()), &app.secrets, None, at)?;
        let kind = place.connection(*id).and_then(|connection| connection.kind());
        let block = block_of(place, configuration)?;
        let filled = fill(&draft.definition, &values, kind, block);
        *request = filled.map_err(|why| AppError::invalid("parameters", why))?.source.request();
    }
    look(app, origin, Some(typed.options.clone()), formats::PATIENCE).await
}

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (configuration, _) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let (in_use, id) = (app.in_use, configuration.id);
    let uses = app.read(move |conn| in_use.all(conn, Thing::Configuration(id))).await?;
    let back = format!("{}/{}", place.list(), configuration.id);
    let template = ConfirmPage {
        shell: place.shell(request, app, by, "Delete an import configuration"),
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the import configuration “{}”?", configuration.name),
        what_stays: "The rows that it loaded stay in the Block, and the history of its runs stays.".into(),
        verb: "Delete import configuration",
        uses,
        first: "First wait for its runs or cancel them, delete its schedules, and remove it from its import sets.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET …/{i}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let (entered, who) = (place.entered.clone(), by.clone());
    app.read(move |conn| entered.need_configure(conn, &who)).await?;
    confirm(&request, &app, &by, &place, None).await
}

/// `POST …/{i}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let (configuration, _) = place.found.as_ref().ok_or(AppError::NotFound)?;
    let (who, entered, id, now) = (by.clone(), place.entered.clone(), configuration.id, app.now());
    let in_use = app.in_use;
    match app.write(move |conn| actions::archive(conn, in_use, &who, &entered, id, now)).await {
        Ok(()) => {
            let said = format!("Deleted the import configuration “{}”.", configuration.name);
            Ok(see_other(&place.list(), Some(Flash::new(said))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, &place, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}

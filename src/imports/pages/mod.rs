//! Import configurations as people see them: the list, the wizard of four screens (source, preview, mapping, when),
//! the page of one.
//!
//! The wizard keeps nothing on the server but an uploaded sample: each screen is one form that carries what the
//! others hold in hidden fields, so that going back loses nothing and no script is needed.

mod edit;
mod landing;
mod list;
mod mapping;
mod more;
mod options;
mod target;
mod tested;
mod typed;
mod when;
mod wizard;

pub use edit::{change, delete, delete_form, show};
pub use list::list;
pub use tested::{test, test_form, test_with_file};
pub use when::when;
pub use wizard::{begin, mapped, previewed, sourced};

use std::sync::Arc;

use actix_web::HttpRequest;

use super::actions;
use super::feeding::Filter;
use super::model::{Configuration, Definition, Mode, UnknownItems};
use super::sample::Origin;
use crate::app::App;
use crate::applications::blocks::{self, Block, Column};
use crate::applications::{Entered, enter, seen_by, settings_shell};
use crate::connections::{self, Connection, Leads};
use crate::connectors::{FetchRequest, Takes};
use crate::error::{FieldErrors, Result};
use crate::files;
use crate::imports::guard::Guard;
use crate::members::By;
use crate::names::name_key;
use crate::translations::{self, Translation};
use crate::web::{Crumb, Form, Shell};

/// What pages of an Application's configurations need from the database.
struct Place {
    entered: Entered,
    blocks: Vec<Block>,
    /// Those that are authorised for the Application.
    connections: Vec<Connection>,
    /// Every Block that may feed an import, with the name of its Application where that is another.
    feeding: Vec<(Block, Option<String>)>,
    found: Option<(Configuration, Definition)>,
    /// The translation tables of the Application: id and name.
    tables: Vec<(String, String)>,
}

/// Loads it through the member. Without a configuration it is about to be made, which takes Configure.
async fn place(app: &App, by: &By, application_id: i64, configuration_id: Option<i64>) -> Result<Place> {
    let by = by.clone();
    app.read(move |conn| {
        let entered = enter(conn, &by, application_id)?;
        let found = match configuration_id {
            Some(id) => Some(actions::find(conn, &entered, id)?),
            None => {
                entered.need_configure(conn, &by)?;
                None
            }
        };
        let blocks = blocks::list(conn, application_id)?;
        let tables = translations::of_application(conn, application_id)?;
        let tables = tables.into_iter().map(|table| (table.id.to_string(), table.name)).collect();
        let mut connections = connections::of_application(conn, application_id)?;
        // The one that it reads through is shown even when its authorisation was withdrawn.
        if let Some(id) = found.as_ref().and_then(|(configuration, _)| configuration.connection_id)
            && !connections.iter().any(|connection| connection.id == id)
        {
            connections.extend(connections::by_ids(conn, &[id])?);
        }
        let mut feeding: Vec<_> = blocks.iter().cloned().map(|block| (block, None)).collect();
        for other in seen_by(conn, &by)?.into_iter().filter(|other| other.id != application_id) {
            feeding.extend(blocks::list(conn, other.id)?.into_iter().map(|block| (block, Some(other.name.clone()))));
        }
        // As a Connection: one that may no longer be viewed is shown by its name.
        if let Some(id) = found.as_ref().and_then(|(configuration, _)| configuration.source_block_id)
            && !feeding.iter().any(|(block, _)| block.id == id)
        {
            let block = blocks::find_even_archived(conn, id)?;
            feeding.push((Block { columns: Vec::new(), ..block }, Some("another Application".into())));
        }
        Ok(Place { entered, blocks, connections, feeding, found, tables })
    })
    .await
}

impl Place {
    fn base(&self) -> String {
        format!("/applications/{}", self.entered.application.id)
    }

    fn list(&self) -> String {
        format!("{}/settings/import-configurations", self.base())
    }

    fn shell(&self, request: &HttpRequest, app: &App, by: &By, title: &str) -> Shell {
        settings_shell(request, app, by, &self.entered, title)
            .at(&self.list())
            .crumbs([Crumb::to("Import configurations", self.list()), Crumb::here(title)])
    }

    /// The Block that a form names as the source.
    fn source_block(&self, form: &Form) -> Option<&Block> {
        let id = source_block_id(form)?;
        self.feeding.iter().map(|(block, _)| block).find(|block| block.id == id)
    }

    /// The Blocks that may feed one: value and words.
    fn feeding_choices(&self, but: i64) -> Vec<(String, String)> {
        let others = self.feeding.iter().filter(|(block, _)| block.id != but);
        others
            .map(|(block, application)| {
                let of = application.as_ref().map(|name| format!(" of {name}")).unwrap_or_default();
                (format!("block:{}", block.id), format!("{}{of} ({})", block.name, block.kind.words()))
            })
            .collect()
    }

    /// Whether the source that a form names is asked by a query.
    fn asks(&self, form: &Form) -> bool {
        let kind = form.id("source").and_then(|id| self.connection(id)).and_then(Connection::kind);
        kind.is_some_and(|kind| kind.takes == Takes::Query)
    }

    /// Where the Connection of its configuration leads.
    fn leads(&self) -> String {
        let connection_id = self.found.as_ref().and_then(|(configuration, _)| configuration.connection_id);
        Leads::of(&self.connections).to(connection_id)
    }

    fn connection(&self, id: i64) -> Option<&Connection> {
        self.connections.iter().find(|connection| connection.id == id)
    }

    /// The Dimension lists that a column can name: id and name.
    fn dimensions(&self) -> Vec<(i64, String)> {
        let lists = self.blocks.iter().filter(|block| block.kind == blocks::BlockKind::DimensionList);
        lists.map(|block| (block.id, block.name.clone())).collect()
    }

    /// Where the form's source leads. What is wrong is told at `source`, `source.path` or `file`.
    fn origin(&self, app: &App, by: &By, form: &Form) -> Result<Origin, FieldErrors> {
        let choice = form.get("source");
        if choice == "file" {
            let ticket = form.get("sample");
            let id = files::of_ticket(&app.secrets, self.entered.application.id, by.member.id, ticket);
            return id.map(Origin::File).ok_or_else(|| FieldErrors::one("file", "Choose the file."));
        }
        if choice.starts_with("block") {
            let block = self.source_block(form).filter(|block| !block.columns.is_empty());
            let none = || FieldErrors::one("source", "Choose the Block that the rows come from.");
            return block.map(|block| Origin::Block(block.id)).ok_or_else(none);
        }
        let connection = choice.parse().ok().and_then(|id| self.connection(id));
        let Some(connection) = connection else {
            return Err(FieldErrors::one("source", "Choose where the rows come from."));
        };
        // One that was withdrawn is shown and kept, never read.
        if !connection.application_ids.contains(&self.entered.application.id) {
            return Err(FieldErrors::one(
                "source",
                format!(
                    "The Connection {} is no longer authorised for this Application. An Administrator can authorise it.",
                    connection.name
                ),
            ));
        }
        let request = match connection.kind().map(|kind| kind.takes) {
            Some(Takes::Query) => match form.some("source-query") {
                None => return Err(FieldErrors::one("source-query", "Enter the query whose rows are imported.")),
                Some(query) => FetchRequest::Query(query.to_owned()),
            },
            takes => match form.get("source-path") {
                "" if takes != Some(Takes::Path { required: false }) => {
                    return Err(FieldErrors::one("source-path", "Enter the file to import."));
                }
                path => FetchRequest::Path(path.to_owned()),
            },
        };
        Ok(Origin::Connection { id: connection.id, request })
    }
}

/// The Block that a form names as the source: `block:7` where one is chosen, its number apart on the wizard's other screens.
fn source_block_id(form: &Form) -> Option<i64> {
    match form.get("source") {
        "block" => form.id("source-path"),
        choice => choice.strip_prefix("block:")?.parse().ok(),
    }
}

/// The filter of a form: a column and its items, one a line.
fn filter(form: &Form) -> Vec<Filter> {
    let lines =
        (0..).map_while(|i| Some((form.some(&format!("filter-{i}-column"))?, form.raw(&format!("filter-{i}-items")))));
    lines
        .map(|(column, items)| Filter {
            column: column.to_owned(),
            items: items
                .lines()
                .map(|item| item.trim_end_matches('\r').to_owned())
                .filter(|item| !item.is_empty())
                .collect(),
        })
        .filter(|filter| !filter.items.is_empty())
        .collect()
}

/// A column of the source with the items that are wanted of it, as a form shows them.
pub(crate) struct FilterRow {
    column: String,
    items: String,
}

/// Whether any row is left out.
pub(crate) fn is_filtered(rows: &[FilterRow]) -> bool {
    rows.iter().any(|row| !row.items.is_empty())
}

fn filter_rows(source: Option<&Block>, filter: &[Filter]) -> Vec<FilterRow> {
    let row = |column: &Column| FilterRow {
        column: column.name.clone(),
        items: filter
            .iter()
            .find(|filter| name_key(&filter.column) == name_key(&column.name))
            .map(|filter| filter.items.join("\n"))
            .unwrap_or_default(),
    };
    source.into_iter().flat_map(|source| &source.columns).map(row).collect()
}

/// Puts a value in the place of those that a form holds under that name.
fn put(form: &mut Form, name: &str, value: impl Into<String>) {
    form.0.retain(|(n, _)| n != name);
    form.0.push((name.to_owned(), value.into()));
}

/// A whole number or a share that somebody typed; blank is none.
fn optional<T: std::str::FromStr>(form: &Form, name: &str, errors: &mut FieldErrors) -> Option<T> {
    let text = form.some(name)?;
    let parsed = text.replace(',', ".").parse().ok();
    if parsed.is_none() {
        errors.add(name, "Enter a number, or leave it blank for no limit.");
    }
    parsed
}

/// The control of the volume guard's limit; blank: it is off.
const GUARD: &str = "guard-max_drop_percent";

/// The guard that a form asks for: the usual one where it has no such control.
fn guard(form: &Form, errors: &mut FieldErrors) -> Guard {
    if form.has(GUARD) { Guard { max_drop_percent: optional(form, GUARD, errors) } } else { Guard::default() }
}

/// As it stands in the control.
fn guard_text(guard: Guard) -> String {
    guard.max_drop_percent.map(|percent| percent.to_string()).unwrap_or_default()
}

/// The columns of a Block that may be a scope, and whether they are.
fn scope_choices(block: &Block, chosen: &[String]) -> Vec<(String, bool)> {
    let is_chosen = |column: &Column| chosen.iter().any(|name| name_key(name) == name_key(&column.name));
    block.columns.iter().map(|column| (column.name.clone(), is_chosen(column))).collect()
}

/// The scope that a form asks for; only one mode has one.
fn scope(form: &Form, mode: Option<Mode>) -> Vec<String> {
    let ticked = form.all("scope").map(str::to_owned);
    ticked.filter(|_| mode == Some(Mode::ReplaceScope)).collect()
}

/// What a form says of items that a list lacks.
fn unknown_items(form: &Form) -> UnknownItems {
    UnknownItems::parse(form.get("unknown_items")).unwrap_or(UnknownItems::Reject)
}

/// The choices for them; none where the Block names no list.
fn unknown_choices(block: &Block) -> Vec<(String, &'static str)> {
    if block.columns.iter().all(|column| column.dimension_block_id.is_none_or(|list| list == block.id)) {
        return Vec::new();
    }
    vec![("reject".into(), "Reject the row"), ("create".into(), "Create the item in its list")]
}

/// The translation tables that a form names, whole.
async fn tables(app: &App, place: &Place, form: &Form) -> Result<Vec<Arc<Translation>>> {
    let mut ids: Vec<i64> = (0..)
        .map_while(|i| form.has(&format!("map-{i}-to")).then(|| form.id(&format!("map-{i}-translate"))))
        .flatten()
        .collect();
    ids.retain(|id| place.tables.iter().any(|(there, _)| *there == id.to_string()));
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = app.read(move |conn| translations::by_ids(conn, &ids)).await?;
    Ok(found.into_iter().map(Arc::new).collect())
}

/// The choices for what becomes of rejected rows.
fn reject_choices() -> Vec<(String, &'static str)> {
    vec![
        (String::new(), "Default: Append and Update load the good rows, the Replace modes load nothing"),
        ("yes".into(), "Load the good rows (Partial)"),
        ("no".into(), "Load nothing (Failed)"),
    ]
}

fn load_good(form: &Form) -> Option<bool> {
    match form.get("rejects-load_good") {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

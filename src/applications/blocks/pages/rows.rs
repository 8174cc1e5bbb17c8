//! The page of a Block: its columns, its rows as somebody asks for them, and what it held before.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::looking::Asks;
use super::super::store::{looking, views};
use super::super::{Block, BlockRow, actions, contents, count, ledger, look, write_csv_of};
use super::asked::{Asked, PAGE};
use super::list::loaded;
use crate::app::{App, off_thread};
use crate::applications::{enter, settings_shell};
use crate::db::Pool;
use crate::error::Result;
use crate::formats::ColumnType;
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Page, Shell, download};
use crate::words;

/// How long the rows may take to find, and then their number.
const PATIENCE: Duration = Duration::from_secs(5);
const PATIENCE_TO_COUNT: Duration = Duration::from_secs(2);
/// Up to so many are counted.
const COUNTED: i64 = 10_000;
const SHOWN_CHARS: usize = 300;

#[derive(Template)]
#[template(path = "blocks/block.html")]
struct BlockPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
    may_import: bool,
    name: String,
    kind: &'static str,
    view: Option<String>,
    row_count: String,
    loaded: String,
    columns: Vec<ShownColumn>,
    earlier: Vec<ShownEarlier>,
    /// It holds nothing.
    none: bool,
    asked: Asked,
    query: String,
    /// The address without any filter.
    cleared: String,
    /// It has texts to search.
    searched: bool,
    asks: Vec<(&'static str, &'static str)>,
    chips: Vec<Chip>,
    counted: String,
    download: Option<String>,
    too_long: Option<String>,
    rows: Vec<ShownRow>,
    /// The first column is a key and may stay in sight.
    keyed: bool,
    pages: String,
    back: Option<String>,
    on: Option<String>,
}

struct ShownColumn {
    position: i32,
    name: String,
    words: String,
    numeric: bool,
    sort: String,
    /// `ascending`, `descending` or nothing.
    sorted: &'static str,
}

struct ShownRow {
    row: i64,
    run: i64,
    line: i64,
    cells: Vec<ShownCell>,
}

struct ShownCell {
    text: String,
    numeric: bool,
    /// It stays in one line, as a date does.
    whole: bool,
}

/// What a Block held before.
struct ShownEarlier {
    run: i64,
    changed_by: Vec<i64>,
    loaded: String,
    rows: String,
    replaced: String,
    replaced_by: Option<i64>,
}

/// What applies, and the address without it.
struct Chip {
    words: String,
    without: String,
}

impl BlockPage {
    fn error(&self, field: &str) -> Option<&str> {
        self.asked.errors.of(field)
    }
}

/// What was found.
struct Found {
    rows: Vec<BlockRow>,
    more: bool,
    /// `None`: nobody knows, it takes too long.
    count: Option<i64>,
    too_long: bool,
}

fn find(pool: &Pool, block: &Block, asked: &Asked, all: i64) -> Result<Found> {
    let (wanted, offset) = (&asked.look, (asked.page - 1) * PAGE);
    let found = pool.read_within(PATIENCE, |conn| look(conn, block, wanted, offset, PAGE + 1))?;
    let too_long = found.is_none();
    let mut rows = match found {
        Some(rows) => rows,
        // As they were loaded they are there at once.
        None if wanted.is_whole() => pool.read(|conn| look(conn, block, &Default::default(), 0, PAGE + 1))?,
        None => Vec::new(),
    };
    let count = match wanted.is_whole() {
        true => Some(all),
        false if too_long => None,
        false => pool.read_within(PATIENCE_TO_COUNT, |conn| count(conn, block, wanted, COUNTED))?,
    };
    let more = rows.len() as i64 > PAGE;
    rows.truncate(PAGE as usize);
    Ok(Found { rows, more, count, too_long })
}

/// `GET /applications/{a}/blocks/{b}?q=&f=&sort=&page=`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let (caller, pool, now) = (by.clone(), app.blocks.clone(), app.now());
    let (entered, block, state, view, earlier) = app
        .read(move |conn| {
            let entered = enter(conn, &caller, application_id)?;
            let block = actions::find_in(conn, application_id, id)?;
            let (state, view, earlier) = pool.read(|conn| {
                let view = views::find(conn, id)?.map(|view| view.name);
                Ok((ledger::state(conn, id)?, view, contents::earlier(conn, id)?))
            })?;
            Ok((entered, block, state, view, earlier))
        })
        .await?;
    let asked = Asked::of(&block, &query);
    let (pool, of, wanted, all) = (app.blocks.clone(), block.clone(), asked.clone(), state.row_count);
    // No connection to the Workspace is held meanwhile: it may take seconds.
    let found = off_thread(move || find(&pool, &of, &wanted, all)).await?;
    let base = format!("/applications/{application_id}");
    let here = format!("{base}/blocks/{id}");
    let shell = settings_shell(&request, &app, &by, &entered, &block.name)
        .at(&format!("{base}/blocks"))
        .crumbs([Crumb::to("Blocks", format!("{base}/blocks")), Crumb::here(&block.name)]);
    let zone = entered.application.time_zone;
    let to = |asked: &Asked| format!("{here}{}", asked.query());
    let page = if found.too_long { 1 } else { asked.page };
    let first = (page - 1) * PAGE + 1;
    let template = BlockPage {
        shell,
        may_configure: entered.may_configure(),
        may_import: entered.may_import(),
        kind: block.kind.words(),
        view,
        row_count: words::count(all),
        loaded: loaded(state.loaded_at, now, &entered),
        columns: block.columns.iter().map(|column| shown_column(&asked, &here, column)).collect(),
        earlier: earlier
            .into_iter()
            .map(|earlier| ShownEarlier {
                run: earlier.run_id,
                changed_by: earlier.changed_by,
                loaded: words::short_time(earlier.loaded_at, now, zone),
                rows: earlier.rows.map_or_else(|| "Not counted".into(), words::count),
                replaced: earlier.replaced_at.map(|at| words::short_time(at, now, zone)).unwrap_or_default(),
                replaced_by: earlier.replaced_by,
            })
            .collect(),
        none: all == 0 && asked.look.is_whole(),
        query: asked.query(),
        cleared: to(&asked.cleared()),
        searched: looking::texts(&block).next().is_some(),
        asks: Asks::ALL.iter().map(|asks| (asks.as_str(), asks.words())).collect(),
        chips: chips(&asked, &here),
        counted: counted(&asked, &found, all),
        download: (!asked.look.is_whole() && found.count != Some(0)).then(|| match found.count {
            Some(n) if n <= COUNTED => format!("Download these {}", words::rows(n)),
            _ => "Download these rows".to_owned(),
        }),
        too_long: found.too_long.then(|| {
            let rows = words::rows(all);
            match asked.look.is_whole() {
                true => format!(
                    "This takes too long over {rows}. Narrow it with a filter. Below are the first rows, unsorted."
                ),
                false => {
                    format!("This takes too long over {rows}. Narrow it with a filter, such as a value of the key.")
                }
            }
        }),
        keyed: block.columns.first().is_some_and(|column| column.key),
        pages: match found.rows.len() as i64 {
            0 => String::new(),
            shown => format!("{} to {}", words::count(first), words::count(first + shown - 1)),
        },
        back: (page > 1).then(|| to(&asked.at_page(page - 1))),
        on: (found.more && !found.too_long).then(|| to(&asked.at_page(page + 1))),
        rows: found.rows.into_iter().map(|row| shown_row(&block, row)).collect(),
        name: block.name.clone(),
        base,
        here,
        asked,
    };
    // What is wrong stands beside its field; a script shows a whole page of an error as no part of this one.
    let fine = template.asked.errors.is_empty() || is_fragment(&request);
    let status = if fine { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Page::with(status, &request, &template)
}

fn counted(asked: &Asked, found: &Found, all: i64) -> String {
    match found.count {
        _ if asked.look.is_whole() => words::rows(all),
        Some(n) if n > COUNTED => format!("More than {} of {}", words::count(COUNTED), words::rows(all)),
        Some(n) => format!("{} of {}", words::count(n), words::rows(all)),
        None => format!("Some of {}", words::rows(all)),
    }
}

fn chips(asked: &Asked, here: &str) -> Vec<Chip> {
    let chip = |words: String, without: Asked| Chip { words, without: format!("{here}{}", without.query()) };
    let look = &asked.look;
    let search = (!look.search.is_empty()).then(|| chip(format!("Contains “{}”", look.search), asked.without_search()));
    let filters = look.filters.iter().enumerate().map(|(n, filter)| chip(filter.words(), asked.without(n)));
    let sort = look.sort.as_ref().map(|sort| {
        let way = if sort.descending { "descending" } else { "ascending" };
        chip(format!("Sorted by {}, {way}", sort.column.name), asked.sorted(None))
    });
    search.into_iter().chain(filters).chain(sort).collect()
}

pub(super) fn is_numeric(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Integer | ColumnType::Number)
}

fn shown_column(asked: &Asked, here: &str, column: &super::super::Column) -> ShownColumn {
    let note = match () {
        () if column.key => ", key",
        () if column.must_be_filled() => ", required",
        () => "",
    };
    let sorted = asked.look.sort.as_ref().filter(|sort| sort.column.id == column.id);
    ShownColumn {
        position: column.position,
        name: column.name.clone(),
        words: format!("{}{note}", column.column_type),
        numeric: is_numeric(column.column_type),
        sort: format!("{here}{}", asked.by(column).query()),
        sorted: sorted.map_or("", |sort| if sort.descending { "descending" } else { "ascending" }),
    }
}

/// Of a long text its beginning; its row's page has all of it.
fn short(mut text: String) -> String {
    if let Some((at, _)) = text.char_indices().nth(SHOWN_CHARS) {
        text.truncate(at);
        text.push('…');
    }
    text
}

fn shown_row(block: &Block, row: BlockRow) -> ShownRow {
    let cells = row.cells.iter().zip(&block.columns);
    let cells = cells.map(|(cell, column)| ShownCell {
        text: short(cell.text(column.column_type)),
        numeric: is_numeric(column.column_type),
        whole: matches!(column.column_type, ColumnType::Date | ColumnType::Timestamp | ColumnType::Boolean),
    });
    ShownRow { row: row.row, run: row.run, line: row.line, cells: cells.collect() }
}

/// `GET /applications/{a}/blocks/{b}/rows.csv`: all rows, or those that `?q=&f=` asks for.
pub async fn rows_csv(
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let asked = by.clone();
    let block = app
        .read(move |conn| {
            enter(conn, &asked, application_id)?;
            actions::find_in(conn, application_id, id)
        })
        .await?;
    let asked = Asked::of(&block, &query);
    // Rather none than others than were meant.
    asked.errors.ok_or(())?;
    if let Some(note) = asked.notes.into_iter().next() {
        return Err(crate::error::AppError::invalid("f", note));
    }
    let pool = app.blocks.clone();
    let name = block.name.clone();
    download::csv((&app, by.member.id), &name, move |out| write_csv_of(&pool, &block, &asked.look, out))
}

//! Looking at Blocks.

use std::cmp::Ordering;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::{Block, BlockRow, actions, ledger, rows};
use crate::app::App;
use crate::applications::blocks::store::views;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::error::Result;
use crate::formats::ColumnType;
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Crumb, Listing, Page, Shell, download};
use crate::words;

#[derive(Template)]
#[template(path = "blocks/list.html")]
struct ListPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
    /// There is none at all.
    none: bool,
    list: Listing,
    blocks: Vec<Listed>,
    entered: Entered,
    now: Moment,
}

impl ListPage {
    fn rows(&self, block: &Listed) -> String {
        words::count(block.rows)
    }

    fn loaded(&self, block: &Listed) -> String {
        loaded(block.loaded_at, self.now, &self.entered)
    }
}

struct Listed {
    id: i64,
    name: String,
    kind: &'static str,
    columns: usize,
    rows: i64,
    loaded_at: Option<Moment>,
}

const SORTS: [Sort<Listed>; 4] = [
    ("name", "Name", |_, _| Ordering::Equal),
    ("kind", "Kind", |a, b| a.kind.cmp(b.kind)),
    ("rows", "Rows", |a, b| b.rows.cmp(&a.rows)),
    ("loaded", "Last loaded", |a, b| b.loaded_at.cmp(&a.loaded_at)),
];

/// `GET /applications/{a}/blocks?q=&sort=&page=`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (id, asked, blocks_pool, now) = (application_id.into_inner(), by.clone(), app.blocks.clone(), app.now());
    let (entered, blocks) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, id)?;
            let blocks = actions::list(conn, id)?;
            let ids: Vec<i64> = blocks.iter().map(|b| b.id).collect();
            let states = blocks_pool.read(|conn| ledger::states(conn, &ids))?;
            let listed = blocks
                .into_iter()
                .map(|block| {
                    let state = states.get(&block.id).copied().unwrap_or_default();
                    Listed {
                        id: block.id,
                        kind: block.kind.words(),
                        columns: block.columns.len(),
                        rows: state.row_count,
                        loaded_at: state.loaded_at,
                        name: block.name,
                    }
                })
                .collect::<Vec<_>>();
            Ok((entered, listed))
        })
        .await?;
    let base = format!("/applications/{id}");
    let here = format!("{base}/blocks");
    let shell = settings_shell(&request, &app, &by, &entered, "Blocks").at(&here).crumbs([Crumb::here("Blocks")]);
    let none = blocks.is_empty();
    let (list, blocks) = Listing::of(&here, &query, blocks, &SORTS, |block| format!("{}\n{}", block.name, block.kind));
    let may_configure = entered.may_configure();
    Page::ok(&request, &ListPage { shell, base, here, may_configure, none, list, blocks, entered, now })
}

fn loaded(at: Option<Moment>, now: Moment, entered: &Entered) -> String {
    match at {
        Some(at) => {
            format!("{} ({})", words::short_time(at, now, entered.application.time_zone), words::relative(at, now))
        }
        None => "Never".into(),
    }
}

#[derive(Template)]
#[template(path = "blocks/block.html")]
struct BlockPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
    name: String,
    kind: &'static str,
    view: Option<String>,
    row_count: String,
    loaded: String,
    columns: Vec<ShownColumn>,
    rows: Vec<ShownRow>,
    shown: String,
    after: i64,
    next: Option<i64>,
}

struct ShownColumn {
    name: String,
    words: String,
    numeric: bool,
}

struct ShownRow {
    run: i64,
    line: i64,
    cells: Vec<ShownCell>,
}

struct ShownCell {
    text: String,
    numeric: bool,
}

/// How many rows stand on a page.
const PAGE: i64 = 50;

/// `GET /applications/{a}/blocks/{b}?after=`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let (asked, pool, now) = (by.clone(), app.blocks.clone(), app.now());
    let after = query.id("after").unwrap_or(0).max(0);
    let (entered, block, state, mut page, view) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, application_id)?;
            let block = actions::find_in(conn, application_id, id)?;
            let (state, page, view) = pool.read(|conn| {
                let state = ledger::state(conn, id)?;
                Ok((state, rows(conn, &block, after, PAGE + 1)?, views::find(conn, id)?.map(|view| view.name)))
            })?;
            Ok((entered, block, state, page, view))
        })
        .await?;
    let next = (page.len() as i64 > PAGE).then(|| page.pop()).flatten().and(page.last().map(|row| row.row));
    let base = format!("/applications/{application_id}");
    let here = format!("{base}/blocks/{id}");
    let shell = settings_shell(&request, &app, &by, &entered, &block.name)
        .at(&format!("{base}/blocks"))
        .crumbs([Crumb::to("Blocks", format!("{base}/blocks")), Crumb::here(&block.name)]);
    let shown = match page.last() {
        Some(_) if after == 0 => format!("the first {}", words::counted(page.len() as i64, "row", "rows")),
        _ => words::counted(page.len() as i64, "more row", "more rows"),
    };
    let template = BlockPage {
        shell,
        base,
        here,
        may_configure: entered.may_configure(),
        kind: block.kind.words(),
        view,
        row_count: words::count(state.row_count),
        loaded: loaded(state.loaded_at, now, &entered),
        columns: block
            .columns
            .iter()
            .map(|c| shown_column(c.column_type, &c.name, c.key, c.must_be_filled()))
            .collect(),
        rows: page.into_iter().map(|row| shown_row(&block, row)).collect(),
        name: block.name,
        shown,
        after,
        next,
    };
    Page::ok(&request, &template)
}

pub(super) fn is_numeric(column_type: ColumnType) -> bool {
    matches!(column_type, ColumnType::Integer | ColumnType::Number)
}

fn shown_column(column_type: ColumnType, name: &str, key: bool, required: bool) -> ShownColumn {
    let note = if key {
        ", key"
    } else if required {
        ", required"
    } else {
        ""
    };
    ShownColumn { name: name.to_owned(), words: format!("{column_type}{note}"), numeric: is_numeric(column_type) }
}

fn shown_row(block: &Block, row: BlockRow) -> ShownRow {
    let cells = row
        .cells
        .iter()
        .zip(&block.columns)
        .map(|(cell, column)| ShownCell {
            text: cell.text(column.column_type),
            numeric: is_numeric(column.column_type),
        })
        .collect();
    ShownRow { run: row.run, line: row.line, cells }
}

/// `GET /applications/{a}/blocks/{b}/rows.csv`
pub async fn rows_csv(app: Data<App>, SignedIn(by): SignedIn, path: Path<(i64, i64)>) -> Result<HttpResponse> {
    let (application_id, id) = path.into_inner();
    let asked = by.clone();
    let block = app
        .read(move |conn| {
            enter(conn, &asked, application_id)?;
            actions::find_in(conn, application_id, id)
        })
        .await?;
    let pool = app.blocks.clone();
    download::csv((&app, by.member.id), &block.name.clone(), move |out| super::super::write_csv(&pool, &block, out))
}

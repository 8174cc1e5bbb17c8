//! The list of an Application's Blocks.

use std::cmp::Ordering;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::{actions, ledger};
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::error::Result;
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Crumb, Listing, Page, Shell};
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

/// When data came, as people read it.
pub(super) fn loaded(at: Option<Moment>, now: Moment, entered: &Entered) -> String {
    match at {
        Some(at) => {
            format!("{} ({})", words::short_time(at, now, entered.application.time_zone), words::relative(at, now))
        }
        None => "Never".into(),
    }
}

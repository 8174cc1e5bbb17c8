//! The list of an Application's import configurations.

use std::cmp::Ordering;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::{enter, settings_shell};
use crate::error::Result;
use crate::imports::{ConfigurationStatus, Outline, actions};
use crate::members::SignedIn;
use crate::names::folded;
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Crumb, Listing, Page, Shell};

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ListPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
    /// There is none at all.
    none: bool,
    list: Listing,
    rows: Vec<Row>,
}

struct Row {
    id: i64,
    title: String,
    description: String,
    block_id: i64,
    block: String,
    source: String,
    mode: &'static str,
    /// Word, class, icon.
    status: Option<(&'static str, &'static str, &'static str)>,
    run: Option<i64>,
}

const SORTS: [Sort<Outline>; 4] = [
    ("name", "Name", |_, _| Ordering::Equal),
    ("block", "Block", |a, b| folded(&a.block_name).cmp(&folded(&b.block_name))),
    ("failed", "Failed first", |a, b| has_failed(b).cmp(&has_failed(a))),
    ("last", "Last run", |a, b| b.status_at.cmp(&a.status_at)),
];

fn has_failed(outline: &Outline) -> bool {
    outline.status == Some(ConfigurationStatus::Failed)
}

/// `GET /applications/{a}/settings/import-configurations?q=&sort=&page=`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (who, asked) = (by.clone(), query.0.clone());
    let here = format!("/applications/{path}/settings/import-configurations");
    let at = here.clone();
    let (entered, none, list, listed) = app
        .read(move |conn| {
            let entered = enter(conn, &who, *path)?;
            let outlines = actions::outlines(conn, &entered, true)?;
            let none = outlines.is_empty();
            let text = |outline: &Outline| format!("{}\n{}\n{}", outline.name, outline.block_name, outline.source);
            let (list, shown) = Listing::of(&at, &asked, outlines, &SORTS, text);
            let ids: Vec<i64> = shown.iter().map(|outline| outline.id).collect();
            let mut listed = actions::listed(conn, &entered, &ids)?;
            listed.sort_by_key(|item| ids.iter().position(|id| *id == item.configuration.id));
            Ok((entered, none, list, listed))
        })
        .await?;
    let rows = listed
        .into_iter()
        .map(|item| Row {
            id: item.configuration.id,
            source: item.source(),
            title: item.configuration.name,
            description: item.configuration.description,
            block_id: item.configuration.block_id,
            block: item.block_name,
            mode: item.definition.mode.label(),
            status: item.configuration.status.map(|status| status.chip()),
            run: item.configuration.status_run_id,
        })
        .collect();
    let base = format!("/applications/{}", entered.application.id);
    let shell = settings_shell(&request, &app, &by, &entered, "Import configurations")
        .at(&here)
        .crumbs([Crumb::here("Import configurations")]);
    Page::ok(&request, &ListPage { shell, base, here, may_configure: entered.may_configure(), none, list, rows })
}

//! `{A}/settings/translations`: the tables of an Application.

use std::cmp::Ordering;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{list_of, shell_of, words};
use crate::app::App;
use crate::error::Result;
use crate::members::SignedIn;
use crate::translations::{Outline, actions, of_application};
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Listing, Page, Shell};
use crate::words::count;

#[derive(Template)]
#[template(path = "translations/list.html")]
struct ListPage {
    shell: Shell,
    here: String,
    may_configure: bool,
    /// There is none at all.
    none: bool,
    list: Listing,
    rows: Vec<Outline>,
}

impl ListPage {
    fn entries(&self, table: &Outline) -> String {
        count(table.entries)
    }

    fn others(&self, table: &Outline) -> &'static str {
        words(table.otherwise)
    }
}

const SORTS: [Sort<Outline>; 2] =
    [("name", "Name", |_, _| Ordering::Equal), ("entries", "Most entries", |a, b| b.entries.cmp(&a.entries))];

/// `GET {A}/settings/translations?q=&sort=&page=`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (id, who) = (*id, by.clone());
    let (entered, tables) =
        app.read(move |conn| Ok((actions::enter(conn, &who, id)?, of_application(conn, id)?))).await?;
    let (here, none) = (list_of(id), tables.is_empty());
    let (list, rows) = Listing::of(&here, &query, tables, &SORTS, |table| table.name.clone());
    let shell = shell_of(&request, &app, &by, &entered, None);
    Page::ok(&request, &ListPage { shell, here, may_configure: entered.may_configure(), none, list, rows })
}

//! The list of Connections.

use std::cmp::Ordering;
use std::collections::HashMap;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::{self, shell};
use crate::connections::actions;
use crate::error::Result;
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Crumb, Listing, Page, Shell};

#[derive(Template)]
#[template(path = "connections/list.html")]
struct ListPage {
    shell: Shell,
    may_change: bool,
    /// There is none at all.
    none: bool,
    list: Listing,
    rows: Vec<Row>,
}

struct Row {
    id: i64,
    name: String,
    kind: String,
    place: String,
    applications: String,
}

const SORTS: [Sort<Row>; 2] = [("name", "Name", |_, _| Ordering::Equal), ("kind", "Kind", |a, b| a.kind.cmp(&b.kind))];

/// `GET /connections?q=&sort=&page=`
pub async fn list(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    let who = by.clone();
    let (connections, names) = app
        .read(move |conn| {
            let connections = actions::list(conn, &who)?;
            let names: HashMap<i64, String> =
                applications::seen_by(conn, &who)?.into_iter().map(|a| (a.id, a.name)).collect();
            Ok((connections, names))
        })
        .await?;
    let rows: Vec<Row> = connections
        .into_iter()
        .map(|connection| {
            let named: Vec<&str> =
                connection.application_ids.iter().filter_map(|id| names.get(id)).map(String::as_str).collect();
            Row {
                id: connection.id,
                kind: connection.kind_label().to_owned(),
                place: connection.place().to_owned(),
                applications: if named.is_empty() { "None yet".into() } else { named.join(", ") },
                name: connection.name,
            }
        })
        .collect();
    let shell = shell(&request, &app, &by, "Connections").at("/connections").crumbs([Crumb::here("Connections")]);
    let none = rows.is_empty();
    let text = |row: &Row| format!("{}\n{}\n{}\n{}", row.name, row.kind, row.place, row.applications);
    let (list, rows) = Listing::of("/connections", &query, rows, &SORTS, text);
    Page::ok(&request, &ListPage { shell, may_change: by.member.is_administrator(), none, list, rows })
}

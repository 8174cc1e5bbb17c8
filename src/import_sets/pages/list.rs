//! `{A}/settings/import-sets`: the sets of an Application.

use std::cmp::Ordering;
use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::{list_of, shell_of};
use crate::app::App;
use crate::error::Result;
use crate::import_sets::{ImportSet, SetDefinition, actions};
use crate::imports::{self, ConfigurationStatus, Outline};
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::list::Sort;
use crate::web::{Listing, Page, Shell};
use crate::words::counted;

#[derive(Template)]
#[template(path = "import_sets/list.html")]
struct ListPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
    /// There is no set at all.
    none: bool,
    /// There is an import configuration that could be a step.
    has_steps: bool,
    list: Listing,
    rows: Vec<Row>,
}

struct Row {
    id: i64,
    name: String,
    /// "3 steps"
    count: String,
    /// "Airports, Fleet register and 3 more"
    steps: String,
    runs: &'static str,
    fails: &'static str,
    /// Word, class, icon.
    status: Option<(&'static str, &'static str, &'static str)>,
    run: Option<i64>,
}

/// So many steps are named.
const NAMED: usize = 4;

type Set = (ImportSet, SetDefinition);

const SORTS: [Sort<Set>; 2] =
    [("name", "Name", |_, _| Ordering::Equal), ("failed", "Failed first", |a, b| has_failed(b).cmp(&has_failed(a)))];

fn has_failed((set, _): &Set) -> bool {
    set.status == Some(ConfigurationStatus::Failed)
}

/// `GET {A}/settings/import-sets?q=&sort=&page=`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (id, who) = (*id, by.clone());
    let (entered, sets, outlines) = app
        .read(move |conn| {
            let entered = actions::enter(conn, &who, id)?;
            let sets = actions::list(conn, &entered)?;
            let outlines = imports::outlines(conn, &entered, false)?;
            Ok((entered, sets, outlines))
        })
        .await?;
    let (here, none, has_steps) = (list_of(id), sets.is_empty(), !outlines.is_empty());
    let (list, shown) = Listing::of(&here, &query, sets, &SORTS, |(set, _)| set.name.clone());
    let names: HashMap<i64, &str> = outlines.iter().map(|Outline { id, name, .. }| (*id, name.as_str())).collect();
    let rows = shown.into_iter().map(|set| row(set, &names)).collect();
    let shell = shell_of(&request, &app, &by, &entered, None);
    let (base, may_configure) = (format!("/applications/{id}"), entered.may_configure());
    Page::ok(&request, &ListPage { shell, base, here, may_configure, none, has_steps, list, rows })
}

fn row((set, definition): Set, names: &HashMap<i64, &str>) -> Row {
    let count = definition.steps.len();
    let mut steps: Vec<&str> =
        definition.steps.iter().filter_map(|step| names.get(&step.configuration_id).copied()).take(NAMED).collect();
    let more = format!("{} more", count.saturating_sub(NAMED));
    if count > NAMED {
        steps.push(&more);
    }
    Row {
        id: set.id,
        name: set.name,
        count: counted(i64::try_from(count).unwrap_or(i64::MAX), "step", "steps"),
        steps: steps.join(", "),
        runs: definition.execution.label(),
        fails: definition.on_failure.label(),
        status: set.status.map(ConfigurationStatus::chip),
        run: set.status_run_id,
    }
}

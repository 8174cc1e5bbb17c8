//! The list of an Application's import configurations.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::{enter, settings_shell};
use crate::error::Result;
use crate::imports::actions;
use crate::members::SignedIn;
use crate::web::{Crumb, Page, Shell};

#[derive(Template)]
#[template(path = "imports/list.html")]
struct ListPage {
    shell: Shell,
    base: String,
    here: String,
    may_configure: bool,
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

/// `GET /applications/{a}/settings/import-configurations`
pub async fn list(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
) -> Result<HttpResponse> {
    let who = by.clone();
    let (entered, listed) = app
        .read(move |conn| {
            let entered = enter(conn, &who, *path)?;
            let listed = actions::list(conn, &entered)?;
            Ok((entered, listed))
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
    let here = format!("{base}/settings/import-configurations");
    let shell = settings_shell(&request, &app, &by, &entered, "Import configurations")
        .at(&here)
        .crumbs([Crumb::here("Import configurations")]);
    Page::ok(&request, &ListPage { shell, base, here, may_configure: entered.may_configure(), rows })
}

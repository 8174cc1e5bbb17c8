//! The pages of freezes, below an Application's settings.

mod delete;
mod edit;
mod form;
mod list;

pub use delete::{delete, delete_form, end};
pub use edit::{edit_form, update};
pub use list::{create, list, preview};

use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::error::{AppError, Result};
use crate::freezes::{Freeze, actions};
use crate::members::By;
use crate::web::{Crumb, Shell};
use actix_web::HttpRequest;

/// The address of the list.
fn list_of(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/freezes")
}

/// A freeze at the address of its own Application.
async fn find(app: &App, by: &By, (application_id, id): (i64, i64)) -> Result<(Freeze, Entered)> {
    let by = by.clone();
    let found = app.read(move |conn| actions::find(conn, &by, id)).await?;
    if found.0.application_id == application_id { Ok(found) } else { Err(AppError::NotFound) }
}

/// The same for who may change it.
async fn find_to_change(app: &App, by: &By, ids: (i64, i64)) -> Result<(Freeze, Entered)> {
    let (freeze, entered) = find(app, by, ids).await?;
    let asks = by.clone();
    app.read(move |conn| {
        entered.need_configure(conn, &asks)?;
        Ok((freeze, entered))
    })
    .await
}

/// The shell of a page about one freeze, or of the list when `here` is `None`.
fn shell_of(request: &HttpRequest, app: &App, by: &By, entered: &Entered, here: Option<&str>) -> Shell {
    let application = &entered.application;
    let list = list_of(application.id);
    let shell = settings_shell(request, app, by, entered, here.unwrap_or("Freezes")).at(&list);
    match here {
        None => shell.crumbs([Crumb::here("Freezes")]),
        Some(here) => shell.crumbs([Crumb::to("Freezes", list), Crumb::here(here)]),
    }
}

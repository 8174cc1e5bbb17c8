//! The pages of translation tables, below an Application's settings.

mod delete;
mod edit;
mod lines;
mod list;

pub use delete::{delete, delete_form};
pub use edit::{create, edit_form, new_form, update};
pub use list::list;

use actix_web::HttpRequest;

use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::translations::{Otherwise, Translation, actions};
use crate::web::{Crumb, Shell};

/// The address of the list.
fn list_of(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/translations")
}

/// What becomes of a value that a table lacks.
fn words(otherwise: Otherwise) -> &'static str {
    match otherwise {
        Otherwise::Keep => "It stays as it is",
        Otherwise::Reject => "Its row is rejected",
        Otherwise::Empty => "It becomes empty",
    }
}

/// A table at the address of its own Application.
async fn find(app: &App, by: &By, (application_id, id): (i64, i64)) -> Result<(Translation, Entered)> {
    let by = by.clone();
    let found = app.read(move |conn| actions::find(conn, &by, id)).await?;
    if found.0.application_id == application_id { Ok(found) } else { Err(AppError::NotFound) }
}

/// The same for who may change it.
async fn find_to_change(app: &App, by: &By, ids: (i64, i64)) -> Result<(Translation, Entered)> {
    let (table, entered) = find(app, by, ids).await?;
    let asks = by.clone();
    app.read(move |conn| {
        entered.need_configure(conn, &asks)?;
        Ok((table, entered))
    })
    .await
}

/// The shell of a page about one table, or of the list when `here` is `None`.
fn shell_of(request: &HttpRequest, app: &App, by: &By, entered: &Entered, here: Option<&str>) -> Shell {
    let list = list_of(entered.application.id);
    let shell = settings_shell(request, app, by, entered, here.unwrap_or("Translations")).at(&list);
    match here {
        None => shell.crumbs([Crumb::here("Translations")]),
        Some(here) => shell.crumbs([Crumb::to("Translations", list), Crumb::here(here)]),
    }
}

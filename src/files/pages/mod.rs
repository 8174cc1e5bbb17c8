//! The pages of kept files, below an Application's settings: the list, where one is uploaded; the page of one with its
//! versions, where it is replaced; the question before deleting it. And the control by which a form asks for one.

mod delete;
mod field;
mod list;
mod show;

pub use delete::{delete, delete_form};
pub use field::FileField;
pub use list::{keep, list};
pub use show::{download, replace, show};

use actix_web::HttpRequest;

use super::kept::{KeptFile, actions};
use super::{Stored, open, save};
use crate::app::{App, off_thread};
use crate::applications::{Entered, settings_shell};
use crate::error::{AppError, Result};
use crate::members::By;
use crate::web::form::UploadedFile;
use crate::web::{Crumb, Shell};

/// The address of the list.
fn list_of(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/kept-files")
}

/// A kept file at the address of its own Application.
async fn find(app: &App, by: &By, (application_id, id): (i64, i64)) -> Result<(KeptFile, Entered)> {
    let by = by.clone();
    let found = app.read(move |conn| actions::find(conn, &by, id)).await?;
    if found.0.application_id == application_id { Ok(found) } else { Err(AppError::NotFound) }
}

/// The same for whoever may change it; a missing right is refused before anything else.
async fn find_to_change(app: &App, by: &By, ids: (i64, i64)) -> Result<(KeptFile, Entered)> {
    let found = find(app, by, ids).await?;
    may_change(app, by, ids.0).await?;
    Ok(found)
}

/// The Application of who may keep files there.
async fn may_change(app: &App, by: &By, application_id: i64) -> Result<Entered> {
    let by = by.clone();
    app.read(move |conn| actions::enter_to_change(conn, &by, application_id)).await
}

/// Stores what was uploaded. One that nothing comes to name is forgotten by and by.
async fn store(app: &App, file: UploadedFile) -> Result<Stored> {
    let (blocks, now) = (app.blocks.clone(), app.now());
    off_thread(move || open(&blocks, save(&blocks, &file.name, file.file, now)?)).await
}

/// The shell of a page about one file, or of the list when `here` is `None`.
fn shell_of(request: &HttpRequest, app: &App, by: &By, entered: &Entered, here: Option<&str>) -> Shell {
    let list = list_of(entered.application.id);
    let shell = settings_shell(request, app, by, entered, here.unwrap_or("Kept files")).at(&list);
    match here {
        None => shell.crumbs([Crumb::here("Kept files")]),
        Some(here) => shell.crumbs([Crumb::to("Kept files", list), Crumb::here(here)]),
    }
}

//! The pages of import sets, below an Application's settings: the list, the page of one, the question before deleting it.

mod delete;
mod edit;
mod list;
mod typed;
mod values;

pub use delete::{delete, delete_form};
pub use edit::{copy, create, edit_form, new_form, preview, update};
pub use list::list;
pub use values::{save_values, values_form};

use std::collections::HashMap;

use actix_web::HttpRequest;

use super::actions;
use super::model::{ImportSet, SetDefinition};
use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::error::{AppError, Result};
use crate::files::kept::{self, KeptFile};
use crate::imports::{self, Outline};
use crate::members::By;
use crate::parameters::Parameter;
use crate::web::{Crumb, Shell};

/// What the page of a set needs from the database.
struct Place {
    entered: Entered,
    /// `None`: it is about to be made.
    found: Option<(ImportSet, SetDefinition)>,
    /// The Application's configurations.
    outlines: Vec<Outline>,
    /// What the configurations of its steps ask for, of those that ask for something.
    asks: HashMap<i64, Vec<Parameter>>,
    files: Vec<KeptFile>,
}

/// The address of the list.
fn list_of(application_id: i64) -> String {
    format!("/applications/{application_id}/settings/import-sets")
}

/// A set at the address of its own Application, or none.
async fn find(app: &App, by: &By, application_id: i64, id: Option<i64>) -> Result<Place> {
    let by = by.clone();
    app.read(move |conn| {
        let (found, entered) = match id {
            None => (None, actions::enter(conn, &by, application_id)?),
            Some(id) => {
                let (set, definition, entered) = actions::find(conn, &by, id)?;
                (Some((set, definition)), entered)
            }
        };
        if entered.application.id != application_id {
            return Err(AppError::NotFound);
        }
        let outlines = imports::outlines(conn, &entered, false)?;
        let steps: Vec<i64> =
            found.iter().flat_map(|(_, definition)| &definition.steps).map(|step| step.configuration_id).collect();
        let asking = imports::listed(conn, &entered, &steps)?.into_iter();
        let asks = asking.map(|of| (of.configuration.id, of.asks())).filter(|(_, asks)| !asks.is_empty()).collect();
        let files = kept::of_application(conn, application_id)?;
        Ok(Place { entered, found, outlines, asks, files })
    })
    .await
}

/// The same for who may change it: who may not answers before what is wrong.
async fn find_to_change(app: &App, by: &By, application_id: i64, id: Option<i64>) -> Result<Place> {
    let place = find(app, by, application_id, id).await?;
    let (asks, entered) = (by.clone(), place.entered.clone());
    app.read(move |conn| entered.need_configure(conn, &asks)).await?;
    Ok(place)
}

impl Place {
    fn set(&self) -> Result<&ImportSet> {
        self.found.as_ref().map(|(set, _)| set).ok_or(AppError::NotFound)
    }
}

/// The shell of a page about one set, or of the list when `here` is `None`.
fn shell_of(request: &HttpRequest, app: &App, by: &By, entered: &Entered, here: Option<&str>) -> Shell {
    let list = list_of(entered.application.id);
    let shell = settings_shell(request, app, by, entered, here.unwrap_or("Import sets")).at(&list);
    match here {
        None => shell.crumbs([Crumb::here("Import sets")]),
        Some(here) => shell.crumbs([Crumb::to("Import sets", list), Crumb::here(here)]),
    }
}

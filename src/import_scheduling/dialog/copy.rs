//! `GET /applications/{a}/schedules/{s}/copy`: the dialog for a new schedule, filled in from another one.

use std::collections::HashMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use super::typed::Typed;
use super::{Stage, answer, form};
use crate::app::App;
use crate::clock::Moment;
use crate::error::{FieldErrors, Result};
use crate::imports::{Configuration, Listed, Target};
use crate::members::{By, SignedIn};
use crate::schedules::{SLOTS, Schedule, actions};
use crate::web::Shell;
use crate::words;

/// Of what a copy is made, and where there is room for it.
pub struct Copied {
    pub of: Schedule,
    slots: HashMap<Target, i64>,
}

impl Copied {
    fn taken(&self, target: Target) -> i64 {
        self.slots.get(&target).copied().unwrap_or(0)
    }

    /// "prices (3 of 4 schedules)".
    pub fn with_slots(&self, configuration: &Configuration) -> String {
        format!("{} ({} of {SLOTS} schedules)", configuration.name, self.taken(Target::Configuration(configuration.id)))
    }
}

/// What the form of a copy needs.
pub(super) async fn stage(app: &App, by: &By, application_id: i64, of: i64, now: Moment) -> Result<Stage> {
    let (by, secrets) = (by.clone(), app.secrets.clone());
    app.read(move |conn| {
        let (of, _) = actions::find_in(conn, &by, application_id, of)?;
        let mut stage = Stage::load(conn, &secrets, &by, application_id, None)?;
        let slots = actions::slots_taken(conn, &stage.entered, now)?;
        stage.copied = Some(Copied { of, slots });
        Ok(stage)
    })
    .await
}

pub async fn copy_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let now = app.now();
    let stage = stage(&app, &by, path.0, path.1, now).await?;
    let Some(copied) = &stage.copied else { return Err(crate::error::AppError::NotFound) };
    let mut typed = Typed::copy(&copied.of, &by, now);
    let mut errors = FieldErrors::new();
    if let (Target::Set(id), true) = (copied.of.target, copied.taken(copied.of.target) >= SLOTS) {
        typed.set = None;
        let full =
            stage.sets.iter().find(|(set, _)| set.id == id).map_or("Its import set", |(set, _)| set.name.as_str());
        errors.add("set_id", format!("{full} already has four schedules. Choose another, or delete one of them."));
    } else if copied.taken(copied.of.target) >= SLOTS {
        typed.configuration = None;
        let full = stage.configurations.iter().find(|c| Some(c.configuration.id) == copied.of.target.configuration());
        let name = full.map_or("Its configuration", |c| c.configuration.name.as_str());
        let has_room = |c: &&Listed| copied.taken(Target::Configuration(c.configuration.id)) < SLOTS;
        let room = stage.configurations.iter().filter(has_room).count() as i64;
        let others = match room {
            0 => "No other configuration has room: delete a schedule first.".to_owned(),
            room => {
                format!("Choose another: {} room.", words::counted(room, "configuration has", "configurations have"))
            }
        };
        errors.add("configuration_id", format!("{name} already has four schedules. {others}"));
    }
    let csrf = Shell::new(&request, &app, "").csrf;
    let form = form(&stage, typed, &by, csrf, errors, now);
    answer(&request, &app, &by, &stage, form, StatusCode::OK, false)
}

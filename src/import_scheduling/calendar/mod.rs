//! The calendar: what ran and what will run, placed by instant in one zone, so that what clashes is seen to clash.
//!
//! [`asked`] reads the address, [`frame`] knows the days and their clocks, [`fold`] decides what is counted instead of
//! shown one by one, [`scene`] reads the rooms below, [`cells`] makes links of runs and occurrences, [`page`], [`month`]
//! and [`table`] draw them, [`details`] is what opens when one of them is chosen.
//!
//! Further stretches of time to be shown (a freeze, say) are read in [`scene`] as instants and drawn by [`page`] into
//! the days that [`frame`] places them in.

mod asked;
mod cells;
mod details;
mod fold;
mod frame;
mod month;
mod page;
mod scene;
mod table;

#[cfg(test)]
mod tests;

pub use asked::Asked;
pub use details::entry;
pub use scene::CalendarScene;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};

use self::page::CalendarPage;
use crate::app::App;
use crate::applications::settings_shell;
use crate::error::Result;
use crate::members::SignedIn;
use crate::web::form::Query;
use crate::web::{Crumb, Page};

/// `GET /applications/{a}/settings/import-scheduling/calendar?view=&date=&show=&configuration=&zone=&grid=&order=`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (asks, asked, id, now) = (by.clone(), Asked::of(&query), *application_id, app.now());
    let scene = app.read(move |conn| CalendarScene::load(conn, &asks, id, asked, now)).await?;
    let part = page::part(&scene);
    if query.get("part") == "calendar" {
        return Page::ok(&request, &part);
    }
    let list = format!("{}/settings/import-scheduling", scene.base());
    let shell = settings_shell(&request, &app, &by, &scene.entered, "Calendar")
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &list), Crumb::here("Calendar")]);
    let template = CalendarPage {
        base: scene.base(),
        application: scene.entered.application.id,
        page: scene.page(),
        may_import: scene.entered.may_import(),
        may_schedule: scene.entered.may_import() && !scene.configurations.is_empty(),
        zone: scene.frame.zone.to_string(),
        zone_typed: if scene.zone_error.is_some() { scene.asked.zone.clone() } else { scene.frame.zone.to_string() },
        zone_error: scene.zone_error.clone(),
        date: scene.frame.date.to_string(),
        shows: page::shows(&scene.asked),
        configurations: page::configurations(&scene),
        sets: page::sets(&scene),
        asked: scene.asked.clone(),
        bar: page::bar(&scene),
        shell,
        list,
        part,
    };
    Page::ok(&request, &template)
}

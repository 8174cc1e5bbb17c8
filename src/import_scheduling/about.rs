//! What a configuration's own page says of its schedules and its last runs: it lies in a room below and fetches this.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::history::{self, Listed};
use super::ready_by::{self, Promised};
use super::view::opening;
use super::{cards, switch};
use crate::app::App;
use crate::applications::enter;
use crate::error::Result;
use crate::freezes;
use crate::imports::Target;
use crate::members::SignedIn;
use crate::promises;
use crate::schedules::{Schedule, State, actions};
use crate::web::page::is_fragment;
use crate::web::{Page, see_other};
use crate::words;

/// So many of its last runs.
const RUNS: i64 = 5;

#[derive(Template)]
#[template(path = "import_scheduling/about.html")]
struct About {
    schedules: Vec<Planned>,
    promised: Option<Promised>,
    /// Where the member sets by when it is to be ready.
    ready_by: Option<String>,
    runs: Vec<Listed>,
    /// Where all of it stands.
    card: String,
    history: String,
}

struct Planned {
    sentence: String,
    state: super::card::Chip,
    next: String,
    href: String,
}

/// `GET /applications/{a}/settings/import-configurations/{i}/schedules`: a part of its page; without htmx its card.
pub async fn about(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let (application_id, id) = *path;
    let now = app.now();
    let card = format!("{}#cfg-{id}", opening(&switch::list(application_id), Target::Configuration(id)));
    let at = card.clone();
    let page = app
        .read(move |conn| {
            let entered = enter(conn, &by, application_id)?;
            entered.need_open_scheduling(conn)?;
            let runs = history::last(conn, &by, (application_id, id), RUNS, now)?;
            let freezes = freezes::of_application(conn, application_id)?;
            let planned = |schedule: &Schedule| {
                let next = freezes::next_run(&freezes, schedule).filter(|_| schedule.state() == State::On);
                Planned {
                    sentence: schedule.sentence(),
                    state: cards::state_chip(schedule),
                    next: next.map_or_else(
                        || "No next run".into(),
                        |at| format!("Next: {}", words::short_time(at, now, schedule.rule.time_zone())),
                    ),
                    href: format!(
                        "{}#sched-{}",
                        opening(&switch::list(application_id), Target::Configuration(id)),
                        schedule.id
                    ),
                }
            };
            let schedules = actions::of_targets(conn, &[Target::Configuration(id)])?.iter().map(planned).collect();
            let target = Target::Configuration(id);
            let promised = promises::standings(conn, &[target], now)?.remove(&target);
            let promised = promised.map(|stands| Promised::of(&stands, now));
            let ready_by = entered.may_import().then(|| ready_by::address(application_id, target));
            let history = format!("/applications/{application_id}/settings/import-configurations/{id}/history");
            Ok(About { schedules, promised, ready_by, runs, card: at, history })
        })
        .await?;
    if !is_fragment(&request) {
        return Ok(see_other(&card, None));
    }
    Page::ok(&request, &page)
}

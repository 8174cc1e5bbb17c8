//! Before a member is deactivated: what they own and are told about, and the way to hand it over.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::{self, SignedIn};
use crate::web::{Crumb, Page, Shell, see_other};
use crate::{schedules, words, workspace};

struct Line {
    application: String,
    owns: i64,
    told: i64,
    hand_over: String,
}

#[derive(Template)]
#[template(path = "import_scheduling/leaving.html")]
struct LeavingPage {
    shell: Shell,
    id: i64,
    name: String,
    owns: i64,
    told: i64,
    /// When the first schedule that is left would fail.
    first: Option<String>,
    lines: Vec<Line>,
}

impl LeavingPage {
    fn schedules(&self, count: &i64) -> String {
        words::counted(*count, "schedule", "schedules")
    }
}

/// `GET /members/{m}/deactivate`
pub async fn form(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    by.need_administrator()?;
    let id = id.into_inner();
    let (member, held, workspace) = app
        .read(move |conn| {
            let member = members::by_id(conn, id)?.ok_or(AppError::NotFound)?;
            Ok((member, schedules::held_by(conn, id)?, workspace::get(conn)?))
        })
        .await?;
    if !member.active {
        return Ok(see_other("/members", None));
    }
    let zone = by.member.time_zone.unwrap_or(workspace.time_zone);
    let first = held.iter().filter_map(|held| held.next_at).min();
    let lines: Vec<Line> = held
        .into_iter()
        .map(|held| Line {
            owns: held.owns,
            told: held.told,
            hand_over: format!("/applications/{}/schedules/bulk?do=hand-over&owner={id}", held.application.id),
            application: held.application.name,
        })
        .collect();
    let crumbs = [
        Crumb::to("Members", "/members"),
        Crumb::to(member.name.clone(), format!("/members/{id}")),
        Crumb::here("Deactivate"),
    ];
    let title = format!("Deactivate {}?", member.name);
    Page::ok(
        &request,
        &LeavingPage {
            shell: members::shell(&request, &app, &by, title).at("/members").crumbs(crumbs),
            id,
            name: member.name,
            owns: lines.iter().map(|line| line.owns).sum(),
            told: lines.iter().map(|line| line.told).sum(),
            first: first.map(|at| format!("{} ({zone})", words::date_time(at, zone))),
            lines,
        },
    )
}

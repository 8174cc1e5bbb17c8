//! Before a member is deactivated, or given a role that may not import: what they own and are told about, and the way to
//! hand it over.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::error::{AppError, Result};
use crate::members::{self, SignedIn};
use crate::web::form::Query;
use crate::web::{Crumb, Page, Shell, local_path, see_other};
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
    title: String,
    id: i64,
    name: String,
    /// The role that they are to have; none where they are to be deactivated.
    role: Option<String>,
    owns: i64,
    told: i64,
    /// When the first schedule that is left would fail.
    first: Option<String>,
    lines: Vec<Line>,
    /// The part of the list to go back to.
    list: String,
}

impl LeavingPage {
    fn schedules(&self, count: &i64) -> String {
        words::counted(*count, "schedule", "schedules")
    }
}

/// `GET /members/{m}/deactivate?role=&back=`
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let (id, role) = (id.into_inner(), query.some("role").map(str::to_owned));
    let (member, held, workspace, role) = app
        .read(move |conn| {
            let member = members::by_id(conn, id)?.ok_or(AppError::NotFound)?;
            let roles = members::role_names(conn)?;
            let role = role.filter(|role| *role != member.role && roles.contains(role));
            Ok((member, schedules::held_by(conn, id)?, workspace::get(conn)?, role))
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
        Crumb::here(if role.is_some() { "Change role" } else { "Deactivate" }),
    ];
    let title = match &role {
        Some(role) => format!("Give {} the role {role}?", member.name),
        None => format!("Deactivate {}?", member.name),
    };
    Page::ok(
        &request,
        &LeavingPage {
            shell: members::shell(&request, &app, &by, title.clone()).at("/members").crumbs(crumbs),
            title,
            id,
            name: member.name,
            role,
            owns: lines.iter().map(|line| line.owns).sum(),
            told: lines.iter().map(|line| line.told).sum(),
            first: first.map(|at| format!("{} ({zone})", words::date_time(at, zone))),
            lines,
            list: local_path(query.get("back"))
                .filter(|back| back.starts_with("/members"))
                .unwrap_or_default()
                .to_owned(),
        },
    )
}

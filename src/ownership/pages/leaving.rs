//! Before a member is deactivated, or given a role that may not import: what they hold, what becomes of it, and the deed.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::drawn::{Rows, heirs};
use crate::app::App;
use crate::applications;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::feeds;
use crate::members::leaving::{Doors, doors};
use crate::members::{self, By, Member, Permission, SignedIn, groups};
use crate::ownership::leaving::{Fate, Leaving, Left, leave};
use crate::ownership::reckoning::reckon;
use crate::schedules::{Schedule, actions as schedules, flagged};
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, local_path, refused, see_other};
use crate::words;

struct Choice {
    id: i64,
    name: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "ownership/deactivate.html")]
struct LeavingPage {
    shell: Shell,
    errors: FieldErrors,
    title: String,
    id: i64,
    name: String,
    /// The role that they are to have; none where they are to be deactivated.
    role: Option<String>,
    owns: i64,
    applications: i64,
    told: i64,
    doors: Doors,
    /// Whoever looks is who goes.
    own: bool,
    /// What else ends, each a sentence.
    ends: Vec<String>,
    /// What the button does besides: " and hand over 3 schedules".
    does: String,
    /// Why they cannot go.
    last: Option<String>,
    /// In which groups they are.
    groups: Vec<String>,
    fate: Fate,
    to: Vec<Choice>,
    /// Who is chosen.
    heir: Option<String>,
    rows: Rows,
    recipients: bool,
    /// The part of the list to go back to.
    back: String,
}

impl LeavingPage {
    fn schedules(&self, count: impl std::borrow::Borrow<i64>) -> String {
        words::counted(*count.borrow(), "schedule", "schedules")
    }
}

/// What the button does besides.
fn does(fate: Fate, (owns, passing): (i64, i64), own: bool) -> String {
    let their = if own { "your" } else { "their" };
    match fate {
        _ if owns == 0 => String::new(),
        Fate::Hand if passing == 0 => String::new(),
        Fate::Hand => format!(" and hand over {}", words::counted(passing, "schedule", "schedules")),
        Fate::Off => format!(" and turn {their} schedules off"),
        Fate::Keep => format!(" and leave {their} schedules as they are"),
    }
}

/// What else ends with the deed.
fn ends(doors: Doors, calendars: i64, (deactivates, administers, own): (bool, bool, bool)) -> Vec<String> {
    let mut ends = Vec::new();
    if deactivates && calendars > 0 {
        let end = words::counted(calendars, "calendar address ends", "calendar addresses end");
        ends.push(format!("{end} at once."));
    }
    if (deactivates || !administers) && doors.invitations > 0 {
        let (one, many) = match own {
            true => ("invitation that you sent no longer works", "invitations that you sent no longer work"),
            false => ("invitation that they sent no longer works", "invitations that they sent no longer work"),
        };
        ends.push(format!("{}.", words::counted(doors.invitations, one, many)));
    }
    ends
}

/// Who goes, as the page was asked.
fn asked(id: i64, form: &Form) -> Leaving {
    Leaving {
        member: id,
        role: form.some("role").map(str::to_owned),
        fate: Fate::parse(form.get("do")),
        to: form.id("to"),
        recipients: !form.has("do") || form.ticked("recipients"),
    }
}

/// Who may own the most of these; of several the first by name.
fn fittest(conn: &mut Conn, heirs: &[Member], owned: &[&Schedule]) -> Result<Option<i64>> {
    let mut able = vec![0; heirs.len()];
    for here in owned.chunk_by(|a, b| a.application_id == b.application_id) {
        let id = here.first().map(|schedule| schedule.application_id).unwrap_or_default();
        let Some(application) = applications::by_id(conn, id)? else { continue };
        let flags = flagged::flags(conn, &application, heirs)?;
        for (count, _) in able.iter_mut().zip(heirs).filter(|(_, heir)| !flags.contains_key(&heir.id)) {
            *count += here.len();
        }
    }
    let best = able.iter().copied().max().unwrap_or_default();
    Ok(heirs.iter().zip(able).find(|(_, count)| *count == best).map(|(heir, _)| heir.id))
}

async fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    mut leaving: Leaving,
    back: &str,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (asks, now, id) = (by.clone(), app.now(), leaving.member);
    let found = app
        .read(move |conn| {
            let member = members::by_id(conn, id)?.ok_or(AppError::NotFound)?;
            let roles = members::role_names(conn)?;
            leaving.role = leaving.role.filter(|role| *role != member.role && roles.contains(role));
            let held = schedules::held(conn, id)?;
            let heirs = heirs(conn, id)?;
            let owned: Vec<&Schedule> = held.iter().filter(|schedule| schedule.owner_id == id).collect();
            if !heirs.iter().any(|heir| Some(heir.id) == leaving.to) {
                leaving.to = fittest(conn, &heirs, &owned)?;
            }
            let to = leaving.to.map(|to| members::by_id(conn, to)).transpose()?.flatten();
            let reckoned = reckon(conn, &asks, (Some(member.clone()), to), &leaving.wish(), held)?;
            let rows = Rows::load(conn, &reckoned, now)?;
            let within = groups::of_member(conn, id)?.into_iter().map(|(_, name)| name).collect();
            let last = members::actions::last_administrator(conn, &member)?;
            let administers = match &leaving.role {
                Some(role) => members::role_may(conn, role, Permission::Administer)?,
                None => false,
            };
            let (doors, calendars) = (doors(conn, id, now)?, feeds::count(conn, id)?);
            let shape = (leaving.role.is_none(), administers, id == asks.member.id);
            Ok((leaving, (member, reckoned), rows, heirs, (doors, ends(doors, calendars, shape)), last, within))
        })
        .await?;
    let (leaving, (member, reckoned), rows, heirs, (doors, ends), last, groups) = found;
    if !member.active && leaving.role.is_none() {
        return Ok(see_other("/members", None));
    }
    let own = id == by.member.id;
    let title = match &leaving.role {
        Some(role) if own => format!("Give yourself the role {role}?"),
        Some(role) => format!("Give {} the role {role}?", member.name),
        None if own => "Deactivate your own account?".to_owned(),
        None => format!("Deactivate {}?", member.name),
    };
    let crumbs = [
        Crumb::to("Members", "/members"),
        Crumb::to(member.name.clone(), format!("/members/{id}")),
        Crumb::here(if leaving.role.is_some() { "Change role" } else { "Deactivate" }),
    ];
    let owned = || reckoned.lines.iter().filter(|line| line.owned);
    let mut applications: Vec<i64> = owned().map(|line| line.schedule.application_id).collect();
    applications.dedup();
    let page = LeavingPage {
        shell: members::shell(request, app, by, title.clone()).at("/members").crumbs(crumbs),
        title,
        id,
        name: member.name.clone(),
        does: does(leaving.fate, (owned().count() as i64, reckoned.passing() as i64), own),
        owns: owned().count() as i64,
        applications: applications.len() as i64,
        told: reckoned.lines.iter().filter(|line| line.told).count() as i64,
        doors,
        own,
        ends,
        last,
        errors,
        groups,
        fate: leaving.fate,
        to: heirs
            .into_iter()
            .map(|heir| Choice { id: heir.id, chosen: Some(heir.id) == leaving.to, name: heir.name })
            .collect(),
        heir: reckoned.to.as_ref().map(|to| to.name.clone()),
        rows,
        recipients: leaving.recipients,
        role: leaving.role,
        back: list(back).to_owned(),
    };
    Page::with(status, request, &page)
}

/// The part of the list of members to go back to.
fn list(back: &str) -> &str {
    local_path(back).filter(|back| back.starts_with("/members")).unwrap_or("/members")
}

/// `GET /members/{m}/deactivate?role=&back=`
pub async fn deactivate_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let fine = (StatusCode::OK, FieldErrors::new());
    page((&request, &app, &by), asked(*id, &query), query.get("back"), fine).await
}

/// `POST /members/{m}/deactivate`; with `show` nothing is done, and the page says what would become of it.
pub async fn deactivate(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let (context, leaving) = ((&request, app.get_ref(), &by), asked(*id, &form));
    if form.has("show") {
        return page(context, leaving, form.get("back"), (StatusCode::OK, FieldErrors::new())).await;
    }
    let (asks, enders, wished, now) = (by.clone(), app.enders, leaving.clone(), app.now());
    match app.write(move |conn| leave(conn, &asks, enders, &wished, now)).await {
        Ok(left) => {
            let back = list(form.get("back"));
            Ok(see_other(back, Some(said(&left, &leaving, back))))
        }
        Err(error) => page(context, leaving, form.get("back"), refused(error)?).await,
    }
}

fn said(left: &Left, leaving: &Leaving, back: &str) -> Flash {
    let name = &left.member.name;
    let mut text = match &leaving.role {
        Some(_) => format!("{name} now has the role {}.", left.member.role),
        None => format!(
            "{name} is deactivated and signed out everywhere. Their API tokens and calendar addresses are revoked."
        ),
    };
    let schedules = |n: usize| words::counted(n as i64, "schedule", "schedules");
    let passed = left.done.as_ref().filter(|done| done.id.is_some());
    if let Some((done, to)) = passed.and_then(|done| Some((done, done.reckoned.to.as_ref()?))) {
        match (done.reckoned.passing(), done.reckoned.changing()) {
            (0, n) => text.push_str(&format!(" {} is notified instead, in {}.", to.name, schedules(n))),
            (n, _) => {
                let belong = words::counted(n as i64, "schedule now belongs", "schedules now belong");
                text.push_str(&format!(" {belong} to {}.", to.name));
            }
        }
        let stay = done.reckoned.lines.iter().filter(|line| line.stays_behind()).count();
        if stay > 0 && leaving.fate == Fate::Hand {
            let need = match stay {
                1 => "1 schedule still needs an Owner who can run it".to_owned(),
                n => format!("{} still need an Owner who can run them", schedules(n)),
            };
            text.push_str(&format!(" {need}: see Ownership."));
        }
    }
    if left.turned_off > 0 {
        let off = words::counted(left.turned_off as i64, "schedule is", "schedules are");
        text.push_str(&format!(" {off} turned off."));
    }
    let flash = Flash::new(text);
    match (passed.and_then(|done| done.id), &leaving.role) {
        (Some(id), None) => flash.button("Undo", format!("/ownership/{id}/undo"), &[("back", back)]),
        (None, None) => flash.button("Undo", format!("/members/{}/switch", left.member.id), &[("active", "yes")]),
        // With this role they could own nothing again.
        (_, Some(_)) => flash,
    }
}

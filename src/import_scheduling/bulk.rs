//! Several schedules at once: on, off, delete, hand over. The last two ask first, and name what they are about.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::done::{Deed, on_to};
use super::list;
use super::switch::{self, undoable};
use super::view::View;
use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::error::{AppError, FieldErrors, Result};
use crate::import_sets;
use crate::members::{By, Scope, SignedIn};
use crate::ownership;
use crate::schedules::Schedule;
use crate::schedules::actions::{self, Bulk, Done, HandOver, Heir};
use crate::shape::MOST_IDS;
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};
use crate::words;

/// How many schedules are named before the rest is counted.
const NAMED: usize = 12;

/// What the bar offers.
#[derive(Clone, Copy, Debug, PartialEq)]
enum What {
    On,
    Off,
    Delete,
    HandOver,
}

impl What {
    fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "on" => Self::On,
            "off" => Self::Off,
            "delete" => Self::Delete,
            "hand-over" => Self::HandOver,
            _ => return None,
        })
    }
}

struct Line {
    configuration: String,
    sentence: String,
    owner: String,
}

#[derive(Template)]
#[template(path = "import_scheduling/bulk_form.html")]
struct Ask {
    base: String,
    back: String,
    csrf: String,
    /// What the list was asked for.
    fields: Vec<(&'static str, String)>,
    deletes: bool,
    title: String,
    submit: String,
    /// With commas: hidden fields of one name are not told apart.
    ids: String,
    one: bool,
    lines: Vec<Line>,
    more: Option<String>,
    /// What was ticked and is deleted since, in words.
    gone: Option<String>,
    errors: FieldErrors,
    heirs: Vec<Heir>,
    to: Option<i64>,
    recipients: bool,
}

impl Ask {
    fn able(&self) -> impl Iterator<Item = &Heir> {
        self.heirs.iter().filter(|heir| heir.missing.is_none())
    }

    fn is_chosen(&self, heir: &Heir) -> bool {
        self.to == Some(heir.member.id)
    }

    fn unable(&self) -> Vec<&Heir> {
        self.heirs.iter().filter(|heir| heir.missing.is_some()).collect()
    }
}

impl HtmlSafe for Ask {}

#[derive(Template)]
#[template(path = "import_scheduling/bulk_dialog.html")]
struct AskDialog {
    form: Ask,
}

#[derive(Template)]
#[template(path = "import_scheduling/bulk.html")]
struct AskPage {
    shell: Shell,
    form: Ask,
}

/// The list as it was asked for.
fn list_address(application_id: i64, form: &Form) -> String {
    View::of(form).address(&switch::list(application_id))
}

/// The ids that were sent, one by one or with commas; what is none is no schedule of anybody's.
fn chosen(form: &Form) -> Result<Vec<i64>> {
    let ids = form.all("schedules").flat_map(|ids| ids.split(',')).filter(|id| !id.is_empty());
    let ids: Vec<i64> = ids.map(|id| id.parse().map_err(|_| AppError::NotFound)).collect::<Result<_>>()?;
    not_too_many(ids)
}

fn not_too_many(ids: Vec<i64>) -> Result<Vec<i64>> {
    if ids.len() > MOST_IDS {
        return Err(AppError::invalid("schedules", "At most 1,000 schedules can be changed at once."));
    }
    Ok(ids)
}

async fn ask(
    (request, app, by): (&HttpRequest, &App, &By),
    application_id: i64,
    (what, ids): (What, Vec<i64>),
    form: &Form,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let asked = by.clone();
    let (entered, picked, heirs, lines) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, application_id)?;
            entered.need_import(conn, &asked, Scope::Schedule)?;
            let picked = actions::pick(conn, &entered, &ids)?;
            let heirs = if what == What::HandOver { actions::heirs(conn, &asked, &entered)? } else { Vec::new() };
            let lines = lines(conn, &picked.there)?;
            Ok((entered, picked, heirs, lines))
        })
        .await?;
    let actions::Picked { there: schedules, gone } = picked;
    let gone = (!gone.is_empty()).then(|| words_of_gone(gone.len()));
    if let Some(gone) = gone.as_ref().filter(|_| schedules.is_empty()) {
        return on_to(request, &list_address(application_id, form), "", Flash::new(format!("{gone}.")));
    }
    let count = schedules.len() as i64;
    let these =
        if count == 1 { "this schedule".to_owned() } else { format!("these {} schedules", words::count(count)) };
    let (title, submit) = match what {
        What::HandOver => (format!("Hand over {these}"), "Hand over".to_owned()),
        _ => (format!("Delete {these}?"), format!("Delete {}", words::counted(count, "schedule", "schedules"))),
    };
    let form = Ask {
        base: format!("/applications/{application_id}"),
        back: list_address(application_id, form),
        csrf: Shell::new(request, app, "").csrf,
        fields: View::of(form).fields(),
        deletes: what != What::HandOver,
        title,
        submit,
        ids: schedules.iter().map(|s| s.id.to_string()).collect::<Vec<_>>().join(","),
        one: count == 1,
        more: (schedules.len() > NAMED).then(|| format!("and {} more", words::count(count - NAMED as i64))),
        gone,
        lines,
        errors,
        heirs,
        to: form.id("to"),
        recipients: !form.has("sure") || form.ticked("recipients"),
    };
    show((request, app, by), &entered, form, status)
}

/// For htmx a dialog, or the form alone when it comes back with what is wrong.
fn show(
    (request, app, by): (&HttpRequest, &App, &By),
    entered: &Entered,
    form: Ask,
    status: StatusCode,
) -> Result<HttpResponse> {
    if is_fragment(request) {
        if status != StatusCode::OK {
            return Page::with(status, request, &form);
        }
        return Page::ok(request, &AskDialog { form });
    }
    let list = switch::list(entered.application.id);
    let shell = settings_shell(request, app, by, entered, &form.title)
        .at(&list)
        .crumbs([Crumb::to("Import Scheduling", &list), Crumb::here(&form.title)]);
    Page::with(status, request, &AskPage { shell, form })
}

fn lines(conn: &mut crate::db::Conn, schedules: &[Schedule]) -> Result<Vec<Line>> {
    let named = &schedules[..schedules.len().min(NAMED)];
    let known = import_sets::known(conn, &switch::cards(named))?;
    let owners: Vec<i64> = named.iter().map(|s| s.owner_id).collect();
    let owners = crate::members::by_ids(conn, &owners)?;
    let line = |s: &Schedule| Line {
        configuration: known.get(&s.target).map(|known| known.name.clone()).unwrap_or_default(),
        sentence: s.sentence(),
        owner: owners.iter().find(|m| m.id == s.owner_id).map_or("Nobody", |m| &m.name).to_owned(),
    };
    Ok(named.iter().map(line).collect())
}

/// `GET /applications/{a}/schedules/bulk?do=&schedules=` asks about these schedules.
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (application_id, asked) = (*application_id, by.clone());
    let ids = chosen(&query)?;
    app.read(move |conn| enter(conn, &asked, application_id)?.need_import(conn, &asked, Scope::Schedule)).await?;
    match What::parse(query.get("do")) {
        Some(what @ (What::Delete | What::HandOver)) if !ids.is_empty() => {
            let fine = (StatusCode::OK, FieldErrors::new());
            ask((&request, &app, &by), application_id, (what, ids), &query, fine).await
        }
        _ => Ok(see_other(&switch::list(application_id), None)),
    }
}

/// `POST /applications/{a}/schedules/bulk` with `schedules` repeated and `do=on|off|delete|hand-over`. Delete and hand
/// over ask first; their form comes back with `sure`.
pub async fn save(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    sent: Form,
) -> Result<HttpResponse> {
    let (application_id, asked, now) = (*application_id, by.clone(), app.now());
    app.read(move |conn| enter(conn, &asked, application_id)?.need_import(conn, &asked, Scope::Schedule)).await?;
    let ids = chosen(&sent)?;
    let what = match What::parse(sent.get("do")) {
        Some(what) if !ids.is_empty() => what,
        what => {
            let problem = match what {
                None => "Choose what to do with the selected schedules.",
                Some(_) => "No schedule is selected. Select at least one, then try again.",
            };
            if is_fragment(&request) {
                return Err(AppError::Conflict(problem.into()));
            }
            let tried = list::Tried { picked: &ids, problem: Some(problem) };
            return list::page(&request, &app, &by, application_id, &View::of(&sent), tried).await;
        }
    };
    let context = (&request, app.get_ref(), &by);
    if matches!(what, What::Delete | What::HandOver) && !sent.has("sure") {
        let fine = (StatusCode::OK, FieldErrors::new());
        return ask(context, application_id, (what, ids), &sent, fine).await;
    }
    let deed = match what {
        What::On => Bulk::On,
        What::Off => Bulk::Off,
        What::Delete => Bulk::Delete,
        What::HandOver => {
            Bulk::HandOver(HandOver { to: sent.id("to").unwrap_or_default(), recipients: sent.ticked("recipients") })
        }
    };
    let (asked, these) = (by.clone(), ids.clone());
    let done = app
        .write(move |conn| {
            let done = actions::bulk(conn, &asked, application_id, &these, deed, now)?;
            let kept = match deed {
                Bulk::HandOver(to) => ownership::actions::keep(conn, &asked, to.to, (&done.was, &done.changed), now)?,
                _ => None,
            };
            Ok((done, kept))
        })
        .await;
    match done {
        Ok((done, kept)) => {
            let owner = match sent.id("to").filter(|_| what == What::HandOver) {
                Some(to) => app.read(move |conn| crate::members::by_id(conn, to)).await?.map(|m| m.name),
                None => None,
            };
            let mut flash = Flash::new(said(what, &done, &owner.unwrap_or_default()));
            let from = list_address(application_id, &sent);
            if let Some(id) = kept {
                flash = flash.button("Undo", format!("/ownership/{id}/undo"), &[("back", &from)]);
            } else if !done.changed.is_empty() && what != What::HandOver {
                flash = undoable(flash, application_id, now, Some(&from));
            }
            let all: Vec<Schedule> = [done.changed, done.already, done.finished, done.gone].concat();
            let deed = Deed {
                application_id,
                cards: &switch::cards(&all),
                schedule: all.first().map(|schedule| schedule.id),
                arrives: false,
                from: &from,
            };
            super::done::answer(context, deed, flash).await
        }
        // These two have no form to come back.
        Err(error) if matches!(what, What::On | What::Off) => Err(error),
        Err(error) => {
            let answer = refused(error)?;
            ask(context, application_id, (what, ids), &sent, answer).await
        }
    }
}

/// "2 have been deleted"
fn words_of_gone(count: usize) -> String {
    words::counted(count as i64, "has been deleted", "have been deleted")
}

/// "3 turned on; 1 had finished and was not changed."
fn said(what: What, done: &Done, owner: &str) -> String {
    let mut parts = Vec::new();
    let mut count = |list: &[Schedule], one: &str, many: &str| {
        if !list.is_empty() {
            parts.push(words::counted(list.len() as i64, one, many));
        }
    };
    let did = match what {
        What::On => "turned on".to_owned(),
        What::Off => "turned off".to_owned(),
        What::Delete => "deleted".to_owned(),
        What::HandOver => format!("handed over to {owner}"),
    };
    count(&done.changed, &did, &did);
    let already = match what {
        What::On => "already on".to_owned(),
        What::Off | What::Delete => "already off".to_owned(),
        What::HandOver => format!("already {owner}'s"),
    };
    count(&done.already, &format!("was {already}"), &format!("were {already}"));
    count(&done.finished, "had finished and was not changed", "had finished and were not changed");
    if !done.gone.is_empty() {
        parts.push(words_of_gone(done.gone.len()));
    }
    format!("{}.", parts.join("; "))
}

//! Several schedules at once: on, off, delete, which asks first and names what it is about. To hand them over leads on to the
//! form of [`ownership`](crate::ownership).

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
use crate::schedules::Schedule;
use crate::schedules::actions::{self, Bulk, Done};
use crate::shape::MOST_IDS;
use crate::web::form::Query;
use crate::web::page::{encode, is_fragment, leads_to};
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
}

#[derive(Template)]
#[template(path = "import_scheduling/bulk_form.html")]
struct Ask {
    base: String,
    back: String,
    csrf: String,
    /// What the list was asked for.
    fields: Vec<(&'static str, String)>,
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
    ids: Vec<i64>,
    form: &Form,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let asked = by.clone();
    let (entered, picked, lines) = app
        .read(move |conn| {
            let entered = enter(conn, &asked, application_id)?;
            entered.need_import(conn, &asked, Scope::Schedule)?;
            let picked = actions::pick(conn, &entered, &ids)?;
            let lines = lines(conn, &picked.there)?;
            Ok((entered, picked, lines))
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
    let form = Ask {
        base: format!("/applications/{application_id}"),
        back: list_address(application_id, form),
        csrf: Shell::new(request, app, "").csrf,
        fields: View::of(form).fields(),
        title: format!("Delete {these}?"),
        submit: format!("Delete {}", words::counted(count, "schedule", "schedules")),
        ids: schedules.iter().map(|s| s.id.to_string()).collect::<Vec<_>>().join(","),
        one: count == 1,
        more: (schedules.len() > NAMED).then(|| format!("and {} more", words::count(count - NAMED as i64))),
        gone,
        lines,
        errors,
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
    let line = |s: &Schedule| Line {
        configuration: known.get(&s.target).map(|known| known.name.clone()).unwrap_or_default(),
        sentence: s.sentence(),
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
        Some(What::Delete) if !ids.is_empty() => {
            let fine = (StatusCode::OK, FieldErrors::new());
            ask((&request, &app, &by), application_id, ids, &query, fine).await
        }
        _ => Ok(see_other(&switch::list(application_id), None)),
    }
}

/// `POST /applications/{a}/schedules/bulk` with `schedules` repeated and `do=on|off|delete|hand-over`. Delete asks
/// first; its form comes back with `sure`.
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
    let deed = match what {
        What::On => Bulk::On,
        What::Off => Bulk::Off,
        What::Delete if !sent.has("sure") => {
            let fine = (StatusCode::OK, FieldErrors::new());
            return ask(context, application_id, ids, &sent, fine).await;
        }
        What::Delete => Bulk::Delete,
        What::HandOver => {
            let back = list_address(application_id, &sent);
            return leads_to(&request, &hand_over_address(&ids, &back));
        }
    };
    let (asked, these) = (by.clone(), ids.clone());
    let done = app.write(move |conn| actions::bulk(conn, &asked, application_id, &these, deed, now)).await;
    match done {
        Ok(done) => {
            let mut flash = Flash::new(said(what, &done));
            let from = list_address(application_id, &sent);
            if !done.changed.is_empty() {
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
        // These have no form to come back.
        Err(error) if matches!(what, What::On | What::Off) => Err(error),
        Err(error) => {
            let answer = refused(error)?;
            ask(context, application_id, ids, &sent, answer).await
        }
    }
}

/// The form on which these are handed over.
fn hand_over_address(ids: &[i64], back: &str) -> String {
    let ids: Vec<String> = ids.iter().map(i64::to_string).collect();
    format!("/ownership/hand-over?schedules={}&back={}", ids.join(","), encode(back))
}

/// "2 have been deleted"
fn words_of_gone(count: usize) -> String {
    words::counted(count as i64, "has been deleted", "have been deleted")
}

/// "3 turned on; 1 had finished and was not changed."
fn said(what: What, done: &Done) -> String {
    let mut parts = Vec::new();
    let mut count = |list: &[Schedule], one: &str, many: &str| {
        if !list.is_empty() {
            parts.push(words::counted(list.len() as i64, one, many));
        }
    };
    let (did, already) = match what {
        What::On => ("turned on", "already on"),
        What::Off => ("turned off", "already off"),
        What::Delete | What::HandOver => ("deleted", "already off"),
    };
    count(&done.changed, did, did);
    count(&done.already, &format!("was {already}"), &format!("were {already}"));
    count(&done.finished, "had finished and was not changed", "had finished and were not changed");
    if !done.gone.is_empty() {
        parts.push(words_of_gone(done.gone.len()));
    }
    format!("{}.", parts.join("; "))
}

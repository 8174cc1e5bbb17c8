//! Where an Application comes from, how far its rows are, and what can be done.

use std::fmt;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::Duration;

use super::{environment, review_address};
use crate::app::App;
use crate::applications::{self, Application, actions, enter, settings_shell};
use crate::clock::Moment;
use crate::db::Conn;
use crate::environments::model::{Environment, Made};
use crate::environments::{Promotion, review, store};
use crate::error::Result;
use crate::members::{self, By, SignedIn};
use crate::web::{Crumb, Page, Shell};
use crate::words;

#[derive(Template)]
#[template(path = "environments/overview.html")]
struct OverviewPage {
    shell: Shell,
    application: Application,
    origin: Option<Origin>,
    may_copy: bool,
    may_promote: bool,
    who: String,
    waiting: i64,
    review: String,
    here: String,
}

/// Where it comes from, in words.
pub struct Origin {
    /// "Cloned from Group plan 2027 on Thu 26 Nov 2026, 08:05, by Ines Okafor."
    pub words: String,
    /// It can be refreshed.
    pub is_copy: bool,
    /// What is still going on, or was until a moment ago.
    pub progress: Option<Progress>,
}

/// How far the copying or removing of rows is. While it goes on, the page asks again.
pub struct Progress {
    pub words: String,
    pub done: bool,
}

/// How long the page says that it is done.
const SAID: Duration = Duration::minutes(1);

/// Another Application, to whoever reads of it here.
enum Known {
    There(String),
    Archived,
    /// They may not view it, and so not read its name.
    Hidden,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::There(name) => name,
            Self::Archived => "an Application that is archived",
            Self::Hidden => "another Application",
        })
    }
}

fn named(conn: &mut Conn, by: &By, id: i64) -> Result<Known> {
    let Some(application) = applications::by_id(conn, id)? else { return Ok(Known::Archived) };
    let entered = applications::standing(conn, &by.member, application)?;
    Ok(if entered.grants.view { Known::There(entered.application.name) } else { Known::Hidden })
}

impl Origin {
    pub fn of(conn: &mut Conn, by: &By, of: &Environment, application: &Application, now: Moment) -> Result<Self> {
        let original = of.original_id.map(|id| named(conn, by, id)).transpose()?;
        let member = members::by_id(conn, of.member_id)?.map_or_else(|| "someone".to_owned(), |m| m.name);
        let from = match (&of.made, &original) {
            (Made::Reset, _) | (_, None) => String::new(),
            (_, Some(original)) => format!(" from {original}"),
        };
        let when = words::date_time(of.at, application.time_zone);
        let left = store::count_left(conn, of.application_id)?;
        let done = of.finished_at.is_some();
        let words = match (of.made, of.rows_of) {
            (Made::Reset, _) if done => "Its rows and history are removed.".to_owned(),
            (Made::Reset, _) => "Its rows and history are being removed.".to_owned(),
            (_, 0) if done => "What it held before is removed.".to_owned(),
            (_, 0) => "What it held before is being removed.".to_owned(),
            (_, rows_of) if done => format!("The rows of {} are copied.", words::counted(rows_of, "Block", "Blocks")),
            (_, rows_of) => format!(
                "Rows are being copied: {} of {} are done. Leave its schedules off until then.",
                words::count(rows_of - left),
                words::counted(rows_of, "Block", "Blocks")
            ),
        };
        // A copy that takes no rows held nothing before.
        let empty = of.made == Made::Clone && of.rows_of == 0;
        let told = !empty && of.finished_at.is_none_or(|at| now.since(at) < SAID);
        Ok(Self {
            words: format!("{}{from} on {when} ({}), by {member}.", of.made.words(), application.time_zone),
            is_copy: matches!(original, Some(Known::There(_))),
            progress: told.then_some(Progress { words, done }),
        })
    }

    /// "Promoted from Group plan 2027 (test) on Thu 26 Nov 2026, 08:05, by Ines Okafor."
    pub fn of_promotion(conn: &mut Conn, by: &By, of: &Promotion, application: &Application) -> Result<Self> {
        let from = named(conn, by, of.from_id)?;
        let member = members::by_id(conn, of.member_id)?.map_or_else(|| "someone".to_owned(), |m| m.name);
        let zone = application.time_zone;
        let when = words::date_time(of.at, zone);
        Ok(Self {
            words: format!("Promoted from {from} on {when} ({zone}), by {member}."),
            is_copy: false,
            progress: None,
        })
    }
}

/// `GET {A}/settings/environment`
pub async fn show(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (asks, id, now) = (by.clone(), id.into_inner(), app.now());
    let (entered, origin, waiting, who) = app
        .read(move |conn| {
            let entered = enter(conn, &asks, id)?;
            if !entered.sees_everything {
                entered.need_configure(conn, &asks)?;
            }
            let known = store::of(conn, id)?;
            let origin = known.map(|known| Origin::of(conn, &asks, &known, &entered.application, now)).transpose()?;
            let waiting = review::waiting(conn, id)?.map_or(0, |(count, _)| count);
            let who = members::names(members::administrators(conn)?.into_iter().map(|m| m.name).collect());
            Ok((entered, origin, waiting, who))
        })
        .await?;
    let shell = settings_shell(&request, &app, &by, &entered, "Environment")
        .at(&environment(id))
        .crumbs([Crumb::here("Environment")]);
    let may_copy = entered.may_configure() && actions::may_create(&by.member);
    let may_promote = entered.may_configure() && entered.may_import();
    let waiting = if entered.may_open_scheduling() { waiting } else { 0 };
    let (review, here) = (review_address(id), environment(id));
    let application = entered.application;
    Page::ok(&request, &OverviewPage { shell, application, origin, may_copy, may_promote, who, waiting, review, here })
}

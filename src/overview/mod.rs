//! The home pages, of the Workspace and of one Application. They read every room, and nobody reads them. Until a first
//! import is scheduled they say what comes next ([`checklist`]); later they say what [needs](needs) somebody, what
//! [goes](going), what [comes](ahead) and what [tonight](night) will be like.

mod ahead;
mod apps;
mod checklist;
mod going;
mod greeting;
mod home;
mod need;
mod needs;
mod night;
mod ready;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::checklist::Checklist;
use self::home::{Asked, GoingPart, Home};
use crate::app::App;
use crate::applications::actions::{SPACING, may_create};
use crate::applications::{Entered, blocks, enter, entered_by, settings_shell};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, By, SignedIn, shell};
use crate::schedules;
use crate::web::form::Query;
use crate::web::{Page, Shell};
use crate::words::counted;
use crate::workspace::{self, Workspace};

/// What is asked for of a home page.
enum Part {
    Whole,
    /// What stands below the head, anew.
    Home,
    /// What goes on, where the page shows this.
    Going(String),
}

impl Part {
    fn of(query: &Query) -> Self {
        match query.get("part") {
            "home" => Self::Home,
            "going" => Self::Going(query.get("was").to_owned()),
            _ => Self::Whole,
        }
    }
}

/// What a home page shows.
enum Shown {
    Going(GoingPart),
    Home(Box<Home>, Option<Checklist>),
}

fn shown(
    conn: &mut Conn,
    app: &App,
    by: &By,
    entered: &[Entered],
    (part, here, csrf): (&Part, &str, String),
) -> Result<(Workspace, Shown)> {
    let (workspace, now) = (workspace::get(conn)?, app.now());
    let zone = by.member.time_zone.unwrap_or(workspace.time_zone);
    let asked = Asked { here: here.to_owned(), csrf, member: &by.member, now, zone };
    if let Part::Going(was) = part {
        return Ok((workspace, Shown::Going(GoingPart::load(conn, entered, &asked, was)?)));
    }
    let ids: Vec<i64> = entered.iter().map(|entered| entered.application.id).collect();
    let mut checklist = None;
    if matches!(part, Part::Whole) && !schedules::any_in(conn, &ids)? {
        for entered in entered {
            if checklist.is_none() {
                checklist = Checklist::load(conn, (app, by), entered)?;
            }
        }
    }
    let home = Home::load(conn, entered, &asked)?;
    Ok((workspace, Shown::Home(Box::new(home), checklist)))
}

#[derive(Template)]
#[template(path = "overview/workspace.html")]
struct WorkspacePage {
    shell: Shell,
    home: Home,
    /// What the first Application needs, while nothing is scheduled anywhere.
    checklist: Option<Checklist>,
    may_create: bool,
    /// With what a first Application begins.
    time_zone: &'static str,
    spacing: i32,
    /// Who can let somebody in.
    administrators: String,
    /// How the member is greeted.
    called: String,
}

/// `GET /?part=home|going`
pub async fn workspace(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    query: Query,
) -> Result<HttpResponse> {
    let shell = shell(&request, &app, &by, "Overview").at("/");
    let (asks, shared, csrf, part) = (by.clone(), app.clone(), shell.csrf.clone(), Part::of(&query));
    let whole = matches!(part, Part::Whole);
    let ((workspace, shown), administrators) = app
        .read(move |conn| {
            let entered = entered_by(conn, &asks)?;
            let administrators = if entered.is_empty() { members::administrators(conn)? } else { Vec::new() };
            Ok((shown(conn, &shared, &asks, &entered, (&part, "/", csrf))?, administrators))
        })
        .await?;
    let (home, checklist) = match shown {
        Shown::Going(going) => return Page::ok(&request, &going),
        Shown::Home(home, _) if !whole => return Page::ok(&request, &*home),
        Shown::Home(home, checklist) => (*home, checklist),
    };
    let page = WorkspacePage {
        shell,
        home,
        checklist,
        may_create: may_create(&by.member),
        time_zone: by.member.time_zone.unwrap_or(workspace.time_zone).name(),
        spacing: SPACING,
        administrators: members::names(administrators.into_iter().map(|m| m.name).collect()),
        called: by.member.name.split_whitespace().next().unwrap_or_default().to_owned(),
    };
    Page::ok(&request, &page)
}

#[derive(Template)]
#[template(path = "overview/application.html")]
struct ApplicationPage {
    shell: Shell,
    name: String,
    time_zone: &'static str,
    base: String,
    blocks: String,
    may_configure: bool,
    may_open_scheduling: bool,
    checklist: Option<Checklist>,
    home: Home,
}

/// `GET /applications/{a}?part=home|going`
pub async fn application(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (asks, id, shared, part) = (by.clone(), id.into_inner(), app.clone(), Part::of(&query));
    let (whole, here) = (matches!(part, Part::Whole), format!("/applications/{id}"));
    let (csrf, base) = (shell(&request, &app, &by, "").csrf, here.clone());
    let (entered, blocks, shown) = app
        .read(move |conn| {
            let entered = [enter(conn, &asks, id)?];
            let (_, shown) = shown(conn, &shared, &asks, &entered, (&part, &here, csrf))?;
            let [entered] = entered;
            Ok((entered, blocks::list(conn, id)?.len(), shown))
        })
        .await?;
    let (home, checklist) = match shown {
        Shown::Going(going) => return Page::ok(&request, &going),
        Shown::Home(home, _) if !whole => return Page::ok(&request, &*home),
        Shown::Home(home, checklist) => (*home, checklist),
    };
    let page = ApplicationPage {
        shell: settings_shell(&request, &app, &by, &entered, "Overview").crumbs([]),
        name: entered.application.name.clone(),
        time_zone: entered.application.time_zone.name(),
        base,
        blocks: counted(i64::try_from(blocks).unwrap_or_default(), "Block", "Blocks"),
        may_configure: entered.may_configure(),
        may_open_scheduling: entered.may_open_scheduling(),
        checklist,
        home,
    };
    Page::ok(&request, &page)
}

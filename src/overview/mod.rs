//! The home pages, of the Workspace and of one Application. They read every room, and nobody reads them. Until a first
//! import is scheduled they say what comes next ([`checklist`]); later they are the way in.

mod checklist;
mod troubles;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::checklist::Checklist;
use self::troubles::Troubles;
use crate::app::App;
use crate::applications::actions::{SPACING, may_create};
use crate::applications::{Entered, blocks, enter, seen_by, settings_shell, standing};
use crate::db::Conn;
use crate::error::Result;
use crate::members::{self, SignedIn, shell};
use crate::schedules;
use crate::web::page::initials;
use crate::web::{Page, Shell};
use crate::words::counted;
use crate::workspace;

/// An Application as one member stands in it, and what it holds.
struct Card {
    entered: Entered,
    blocks: String,
}

impl Card {
    fn load(conn: &mut Conn, entered: Entered) -> Result<Self> {
        let n = blocks::list(conn, entered.application.id)?.len();
        let blocks = counted(i64::try_from(n).unwrap_or_default(), "Block", "Blocks");
        Ok(Self { entered, blocks })
    }

    fn at(&self) -> String {
        format!("/applications/{}", self.entered.application.id)
    }

    fn mark(&self) -> String {
        initials(&self.entered.application.name)
    }
}

#[derive(Template)]
#[template(path = "overview/workspace.html")]
struct WorkspacePage {
    shell: Shell,
    workspace: String,
    cards: Vec<Card>,
    /// What the first Application needs, while nothing is scheduled anywhere.
    checklist: Option<Checklist>,
    troubles: Troubles,
    may_create: bool,
    /// With what a first Application begins.
    time_zone: &'static str,
    spacing: i32,
    /// Who can let somebody in.
    administrators: String,
    /// How the member is greeted.
    called: String,
}

/// `GET /`
pub async fn workspace(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let (asks, shared, now) = (by.clone(), app.clone(), app.now());
    let (workspace, cards, checklist, troubles, administrators) = app
        .read(move |conn| {
            let mut cards = Vec::new();
            for application in seen_by(conn, &asks)? {
                let entered = standing(conn, &asks.member, application)?;
                cards.push(Card::load(conn, entered)?);
            }
            let mut begun = false;
            for card in &cards {
                begun = begun || is_begun(conn, &card.entered)?;
            }
            let mut checklist = None;
            for card in cards.iter().filter(|_| !begun) {
                if checklist.is_none() {
                    checklist = Checklist::load(conn, (&shared, &asks), &card.entered)?;
                }
            }
            let administrators = members::administrators(conn)?.into_iter().map(|m| m.name).collect();
            let all: Vec<&Entered> = cards.iter().map(|card| &card.entered).collect();
            let troubles = Troubles::load(conn, &all, now)?;
            Ok((workspace::get(conn)?, cards, checklist, troubles, members::names(administrators)))
        })
        .await?;
    let page = WorkspacePage {
        shell: shell(&request, &app, &by, "Applications").at("/"),
        workspace: workspace.name,
        cards,
        checklist,
        troubles,
        may_create: may_create(&by.member),
        time_zone: by.member.time_zone.unwrap_or(workspace.time_zone).name(),
        spacing: SPACING,
        administrators,
        called: by.member.name.split_whitespace().next().unwrap_or_default().to_owned(),
    };
    Page::ok(&request, &page)
}

#[derive(Template)]
#[template(path = "overview/application.html")]
struct ApplicationPage {
    shell: Shell,
    card: Card,
    checklist: Option<Checklist>,
    troubles: Troubles,
}

/// `GET /applications/{a}`
pub async fn application(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (asks, id, shared, now) = (by.clone(), id.into_inner(), app.clone(), app.now());
    let (card, checklist, troubles) = app
        .read(move |conn| {
            let entered = enter(conn, &asks, id)?;
            let begun = is_begun(conn, &entered)?;
            let checklist = if begun { None } else { Checklist::load(conn, (&shared, &asks), &entered)? };
            let troubles = Troubles::load(conn, &[&entered], now)?;
            Ok((Card::load(conn, entered)?, checklist, troubles))
        })
        .await?;
    let shell = settings_shell(&request, &app, &by, &card.entered, "Overview").crumbs([]);
    Page::ok(&request, &ApplicationPage { shell, card, checklist, troubles })
}

/// Whether something was ever scheduled here that is still there.
fn is_begun(conn: &mut Conn, entered: &Entered) -> Result<bool> {
    Ok(!schedules::actions::page(conn, entered, 0, 1)?.is_empty())
}

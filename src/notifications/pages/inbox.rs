//! `/notifications`: what the member was told, the newest first.

use std::collections::HashMap;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono_tz::Tz;

use crate::app::App;
use crate::applications::{self, Entered};
use crate::error::Result;
use crate::members::{SignedIn, shell};
use crate::notifications::actions::{self, Inbox};
use crate::notifications::model::Notice;
use crate::notifications::pages::incidents::{Card, open_cards};
use crate::notifications::store::{Filter, Found, LOOKED_AT};
use crate::web::form::Query;
use crate::web::page::encode;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;
use crate::workspace;

/// Where it is.
const HERE: &str = "/notifications";
/// So many stand on a page.
const PAGE: usize = 50;
/// So many incidents above them.
const INCIDENTS: i64 = 10;

#[derive(Template)]
#[template(path = "notifications/inbox.html")]
struct InboxPage {
    shell: Shell,
    asked: Asked,
    /// Address, label, and whether it is shown.
    tabs: [Tab; 3],
    /// Those of which there may be messages: id and name.
    applications: Vec<(i64, String)>,
    /// What is broken.
    incidents: Vec<Card>,
    more_incidents: bool,
    days: Vec<Day>,
    zone: String,
    /// The last that came, up to which all are marked as read; none where not all are shown.
    newest: Option<i64>,
    /// Where older ones are.
    older: Option<String>,
    /// "Searched 5,000 notifications, back to Tue 3 Nov, 08:00."; empty where all were.
    looked: String,
    back: String,
}

struct Day {
    title: String,
    rows: Vec<Row>,
}

struct Row {
    id: i64,
    title: String,
    detail: String,
    application: String,
    time: String,
    unread: bool,
    chip: (&'static str, &'static str, &'static str),
}

/// What of the inbox is asked for, all of it in the address.
#[derive(Clone)]
struct Asked {
    /// `all`, `unread` or `troubles`.
    show: &'static str,
    /// Words to be found in title or detail.
    q: String,
    application: Option<i64>,
    /// Only what is older than this one.
    before: Option<i64>,
}

struct Tab {
    href: String,
    label: &'static str,
    current: bool,
    count: Option<i64>,
}

const TABS: [(&str, &str); 3] = [("all", "All"), ("unread", "Unread"), ("troubles", "Failed, held or missed")];

impl Asked {
    fn of(form: &Form) -> Self {
        let show = TABS.iter().map(|(show, _)| *show).find(|show| *show == form.get("show"));
        let (q, application) = (form.get("q").to_owned(), form.id("application"));
        Self { show: show.unwrap_or("all"), q, application, before: form.id("before") }
    }

    fn is_filtered(&self) -> bool {
        !self.q.is_empty() || self.application.is_some()
    }

    fn is_of(&self, application: &i64) -> bool {
        self.application == Some(*application)
    }

    fn filter(&self) -> Filter {
        Filter {
            read: (self.show == "unread").then_some(false),
            troubles: self.show == "troubles",
            application_id: self.application,
            words: self.q.clone(),
        }
    }

    fn address(&self) -> String {
        let id = |id: Option<i64>| id.map(|id| id.to_string()).unwrap_or_default();
        let show = if self.show == "all" { "" } else { self.show };
        let pairs = [
            ("show", show.to_owned()),
            ("q", encode(&self.q)),
            ("application", id(self.application)),
            ("before", id(self.before)),
        ];
        let pairs: Vec<String> = pairs
            .iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if pairs.is_empty() { HERE.to_owned() } else { format!("{HERE}?{}", pairs.join("&")) }
    }

    /// The same with something else.
    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }
}

/// `GET /notifications?show=&q=&application=&before=`
pub async fn inbox(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    let (mut asked, who, now) = (Asked::of(&query), by.clone(), app.now());
    let (page, seen, workspace, incidents, asked) = app
        .read(move |conn| {
            // Of an Application that the member may see no more, not even its name.
            let seen = applications::entered_by(conn, &who)?;
            asked.application.take_if(|id| seen.iter().all(|one| one.application.id != *id));
            let page = actions::inbox(conn, &who, &asked.filter(), asked.before, PAGE)?;
            let workspace = workspace::get(conn)?;
            let zone = who.member.time_zone.unwrap_or(workspace.time_zone);
            let above = asked.before.is_none() && asked.show != "unread";
            let of: &[Entered] = if above { &seen } else { &[] };
            let incidents = open_cards(conn, &who, of, (INCIDENTS + 1, zone, now))?;
            let seen: Vec<_> = seen.into_iter().map(|one| (one.application.id, one.application.name)).collect();
            Ok((page, seen, workspace, incidents, asked))
        })
        .await?;
    let names: HashMap<i64, String> = seen.iter().cloned().collect();
    let Inbox { found: Found { notices, older, looked }, unread, last } = page;
    let (more_incidents, mut incidents) = (incidents.len() as i64 > INCIDENTS, incidents);
    incidents.truncate(INCIDENTS as usize);
    let zone = by.member.time_zone.unwrap_or(workspace.time_zone);
    let all_shown = asked.show != "troubles" && asked.before.is_none() && !asked.is_filtered();
    let newest = last.filter(|_| all_shown && !notices.is_empty() && unread > 0);
    let mut days: Vec<Day> = Vec::new();
    for notice in notices {
        let date = notice.at.in_zone(zone).date_naive();
        let title = match (now.in_zone(zone).date_naive() - date).num_days() {
            0 => format!("Today, {}", date.format("%a %-d %b")),
            1 => format!("Yesterday, {}", date.format("%a %-d %b")),
            _ => date.format("%a %-d %b %Y").to_string(),
        };
        if days.last().is_none_or(|day| day.title != title) {
            days.push(Day { title, rows: Vec::new() });
        }
        if let Some(day) = days.last_mut() {
            day.rows.push(row(notice, zone, &names));
        }
    }
    let first = asked.with(|asked| asked.before = None);
    let template = InboxPage {
        shell: shell(&request, &app, &by, "Inbox").at(HERE).crumbs([Crumb::here("Inbox")]),
        tabs: TABS.map(|(show, label)| Tab {
            href: first.with(|asked| asked.show = show).address(),
            label,
            current: show == asked.show,
            count: Some(unread).filter(|_| show == "unread" && !asked.is_filtered()),
        }),
        applications: seen,
        incidents,
        more_incidents,
        days,
        zone: zone.to_string(),
        newest,
        older: older.map(|id| first.with(|asked| asked.before = Some(id)).address()),
        looked: looked.map(|at| searched(words::short_time(at, now, zone))).unwrap_or_default(),
        back: asked.address(),
        asked,
    };
    Page::ok(&request, &template)
}

fn searched(back_to: String) -> String {
    format!("Searched {} notifications, back to {back_to}.", words::count(LOOKED_AT as i64))
}

fn row(notice: Notice, zone: Tz, names: &HashMap<i64, String>) -> Row {
    Row {
        id: notice.id,
        application: notice.application_id.and_then(|id| names.get(&id).cloned()).unwrap_or_default(),
        time: words::clock_time(notice.at, zone),
        unread: notice.read_at.is_none(),
        chip: notice.kind.chip(),
        title: notice.title,
        detail: notice.detail,
    }
}

#[derive(Template)]
#[template(path = "notifications/bell.html")]
struct Bell {
    unread: i64,
}

/// `GET /notifications/bell`: how many are unread.
pub async fn bell(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn) -> Result<HttpResponse> {
    let unread = app.read(move |conn| actions::unread(conn, &by)).await?;
    Page::ok(&request, &Bell { unread })
}

/// `POST /notifications/{n}`: marks it as read with `read` = `on`, as unread without; with `open` = `on` goes on to the run.
pub async fn mark(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, form: Form) -> Result<HttpResponse> {
    let (id, open, now) = (*id, form.ticked("open"), app.now());
    let read = open || form.ticked("read");
    let notice = app.write(move |conn| actions::set_read(conn, &by, id, read, now)).await?;
    // Whoever works through the list with the keyboard goes on where they were.
    let stays = || format!("{}#notice-{id}", back(&form));
    Ok(see_other(&if open { notice.leads_to() } else { stays() }, None))
}

/// `POST /notifications` with the newest that the page showed.
pub async fn mark_all(app: Data<App>, SignedIn(by): SignedIn, form: Form) -> Result<HttpResponse> {
    let (up_to, now) = (form.id("up_to").unwrap_or_default(), app.now());
    let marked = app.write(move |conn| actions::set_all_read(conn, &by, up_to, now)).await?;
    let said = match marked {
        0 => "All notifications were read already.".to_owned(),
        n => format!("Marked {} as read.", words::counted(n as i64, "notification", "notifications")),
    };
    Ok(see_other(&back(&form), Some(Flash::new(said))))
}

/// The inbox as it was shown, and no other page.
fn back(form: &Form) -> String {
    let query = form.get("back").strip_prefix(HERE).and_then(|rest| rest.strip_prefix('?')).unwrap_or_default();
    Asked::of(&Form::parse(query.as_bytes())).address()
}

//! `/applications/{a}/promote`: to where, which Connections are read there, what goes; every change before it happens.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::actions::{self, Done, Picked, Wish, noun};
use super::connections::{Reading, Wanted};
use super::reckoning::{Item, Reckoned, State};
use crate::app::App;
use crate::applications::{Entered, settings_shell};
use crate::audit_log::Difference;
use crate::environments::pages::review_address;
use crate::environments::{self, Kind};
use crate::error::{FieldErrors, Result};
use crate::members::{By, SignedIn};
use crate::shape::MOST_IDS;
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};
use crate::words;

/// So many rows are shown; what follows can go once these are gone.
const SHOWN: usize = 500;
/// No Connection.
const NONE: &str = "none";

/// A thing that differs, drawn.
struct Row {
    /// "schedule.12"
    key: String,
    name: String,
    noun: &'static str,
    about: String,
    is_new: bool,
    differences: Vec<Difference>,
    more: usize,
    obstacles: Vec<String>,
    /// What has to come along: "the import configuration Sales".
    needs: Vec<String>,
    picked: bool,
    blocked: bool,
}

/// A Connection that is read here, drawn.
struct Choice {
    id: i64,
    name: String,
    imports: usize,
    /// Value, label, chosen.
    options: Vec<(String, String, bool)>,
}

/// What may go, once it is known to where.
struct Plan {
    to: String,
    choices: Vec<Choice>,
    rows: Vec<Row>,
    /// How many more differ than are shown.
    hidden: i64,
    /// Name and what it is.
    equal: Vec<(String, &'static str)>,
    gone: Vec<(String, &'static str)>,
    equal_n: i64,
    gone_n: i64,
    say: String,
    /// "Promote 3 things"; none while nothing would go.
    submit: Option<String>,
    mark: String,
    /// The keys of all that could be ticked, so that what can be since then is ticked at first.
    could: String,
}

#[derive(Template)]
#[template(path = "promotions/promote.html")]
struct PromotePage {
    shell: Shell,
    errors: FieldErrors,
    here: String,
    from: String,
    back: String,
    /// Value, label, chosen.
    targets: Vec<(String, String, bool)>,
    /// There is no other Application.
    alone: bool,
    was: i64,
    plan: Option<Plan>,
}

fn key(item: &Item) -> String {
    format!("{}.{}", item.kind, item.id)
}

fn parsed(key: &str) -> Option<(Kind, i64)> {
    let (kind, id) = key.split_once('.')?;
    Some((Kind::parse(kind)?, id.parse().ok()?))
}

/// What was sent, read.
struct Sent {
    to: i64,
    connections: Wanted,
    ticked: BTreeSet<(Kind, i64)>,
    /// What could be ticked; `None`: nothing of this Application was shown yet.
    could: Option<BTreeSet<(Kind, i64)>>,
}

impl Sent {
    fn read(form: &Form) -> Result<Self, FieldErrors> {
        let to = form.id("to").unwrap_or_default();
        // The boxes of another Application say nothing of this one.
        let shown = form.id("was") == Some(to);
        let connection = |(name, value): &(String, String)| {
            let id = name.strip_prefix("connection-")?.parse().ok()?;
            let value = value.trim();
            Some((id, if value == NONE { None } else { Some(value.parse().ok()?) }))
        };
        let ticked: BTreeSet<(Kind, i64)> = form.all("pick").filter_map(parsed).collect();
        if ticked.len() > MOST_IDS {
            return Err(FieldErrors::one("items", "At most 1,000 can be chosen at once."));
        }
        Ok(Self {
            to,
            connections: if shown {
                form.0.iter().filter_map(connection).take(MOST_IDS).collect()
            } else {
                Wanted::new()
            },
            ticked,
            could: shown.then(|| form.get("could").split(',').filter_map(parsed).collect()),
        })
    }

    /// What is ticked by now: what was, and what nobody could tick before.
    fn picks(&self, item: &Item) -> bool {
        let it = (item.kind, item.id);
        item.may_go() && self.could.as_ref().is_none_or(|could| self.ticked.contains(&it) || !could.contains(&it))
    }
}

impl Choice {
    fn of(reading: &Reading) -> Self {
        let option = |(id, name): &(i64, String)| (id.to_string(), name.clone(), reading.chosen == Some(*id));
        let mut options: Vec<(String, String, bool)> = reading.choices.iter().map(option).collect();
        let none = "None: its imports stay behind".to_owned();
        options.push((NONE.to_owned(), none, reading.chosen.is_none()));
        Self { id: reading.connection.id, name: reading.connection.name.clone(), imports: reading.imports, options }
    }
}

impl Row {
    fn of(item: &Item, picked: bool) -> Self {
        Self {
            key: key(item),
            name: item.name.clone(),
            noun: noun(item.kind),
            about: item.about.clone(),
            is_new: item.state == State::New,
            differences: item.differences.clone(),
            more: item.more,
            needs: item.needs.iter().map(|(kind, _, name)| format!("the {} {name}", noun(*kind))).collect(),
            picked,
            blocked: !item.obstacles.is_empty(),
            obstacles: item.obstacles.clone(),
        }
    }
}

impl Plan {
    fn of(reckoned: &Reckoned, sent: &Sent) -> Self {
        let differing: Vec<&Item> = reckoned.items.iter().filter(|item| item.differs()).collect();
        let rows: Vec<Row> = differing.iter().take(SHOWN).map(|item| Row::of(item, sent.picks(item))).collect();
        let of = |state: State| -> Vec<(String, &'static str)> {
            let such = reckoned.items.iter().filter(|item| item.state == state).take(SHOWN);
            such.map(|item| (named(item), noun(item.kind))).collect()
        };
        let picked = rows.iter().filter(|row| row.picked).count();
        let to = reckoned.to.application.name.clone();
        let could: Vec<&str> = rows.iter().filter(|row| !row.blocked).map(|row| row.key.as_str()).collect();
        Self {
            say: say(&rows, reckoned, &to),
            submit: (picked > 0).then(|| format!("Promote {}", words::counted(picked as i64, "change", "changes"))),
            mark: reckoned.mark(),
            choices: reckoned.readings.iter().map(Choice::of).collect(),
            hidden: (differing.len() - rows.len()) as i64,
            equal_n: reckoned.count(State::Equal) as i64,
            gone_n: reckoned.count(State::Gone) as i64,
            equal: of(State::Equal),
            gone: of(State::Gone),
            could: could.join(","),
            rows,
            to,
        }
    }
}

/// A schedule by what it runs and when.
fn named(item: &Item) -> String {
    if item.kind == Kind::Schedule { format!("{}, {}", item.name, item.about) } else { item.name.clone() }
}

/// "In Plan 2027: 2 new, 1 changed."
fn say(rows: &[Row], reckoned: &Reckoned, to: &str) -> String {
    if rows.is_empty() {
        return match reckoned.items.is_empty() {
            true => "There is nothing to promote yet.".to_owned(),
            false => format!("Nothing differs from {to}."),
        };
    }
    let count = |is_new: bool| rows.iter().filter(|row| row.picked && row.is_new == is_new).count() as i64;
    match (count(true), count(false)) {
        (0, 0) => "Choose what to promote.".to_owned(),
        (new, 0) => format!("In {to}: {} new.", words::count(new)),
        (0, changed) => format!("In {to}: {} changed.", words::count(changed)),
        (new, changed) => format!("In {to}: {} new, {} changed.", words::count(new), words::count(changed)),
    }
}

async fn page(
    (request, app, by): (&HttpRequest, &Data<App>, &By),
    from: i64,
    sent: Sent,
    (status, mut errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (asks, there, now, to) = (by.clone(), app.clone(), app.now(), sent.to);
    let (entered, (targets, alone), plan, wrong): (Entered, _, _, _) = app
        .read(move |conn| {
            let entered = actions::enter(conn, &asks, from)?;
            let targets = (actions::targets(conn, &asks, from)?, actions::is_alone(conn, &asks, from)?);
            if to == 0 || to == from {
                return Ok((entered, targets, None, FieldErrors::new()));
            }
            let wish = Wish { from, to, connections: sent.connections.clone() };
            let reckoned = actions::preview(conn, &there, &asks, &wish, now)?;
            let plan = Plan::of(&reckoned, &sent);
            Ok((entered, targets, Some(plan), reckoned.errors))
        })
        .await?;
    errors.extend_others(wrong);
    let back = environments::pages::environment(from);
    let shell = settings_shell(request, app, by, &entered, "Promote")
        .at(&back)
        .crumbs([Crumb::to("Environment", &back), Crumb::here("Promote")]);
    let target = |(id, name): (i64, String)| (id.to_string(), name, id == to);
    let template = PromotePage {
        shell,
        errors,
        here: format!("/applications/{from}/promote"),
        from: entered.application.name,
        back,
        targets: targets.into_iter().map(target).collect(),
        alone,
        was: to,
        plan,
    };
    Page::with(status, request, &template)
}

/// `GET {A}/promote?to=`: at first to what it is a copy of.
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let mut sent = Sent::read(&query)?;
    if sent.to == 0 {
        let asks = by.clone();
        let usual = move |conn: &mut crate::db::Conn| {
            actions::enter(conn, &asks, id)?;
            let targets = actions::targets(conn, &asks, id)?;
            let original = environments::of(conn, id)?.and_then(|environment| environment.original_id);
            let original = original.filter(|original| targets.iter().any(|(target, _)| target == original));
            Ok(original.or_else(|| targets.first().filter(|_| targets.len() == 1).map(|(target, _)| *target)))
        };
        sent.to = app.read(usual).await?.unwrap_or_default();
    }
    page((&request, &app, &by), id, sent, (StatusCode::OK, FieldErrors::new())).await
}

/// `POST {A}/promote`; with `show` nothing is done, and the page says what would change.
pub async fn promote(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let id = id.into_inner();
    let context = (&request, &app, &by);
    let (asks, sent) = (by.clone(), Sent::read(&form)?);
    app.read(move |conn| actions::enter(conn, &asks, id).map(drop)).await?;
    if form.has("show") {
        return page(context, id, sent, (StatusCode::OK, FieldErrors::new())).await;
    }
    if sent.to == 0 {
        let errors = FieldErrors::one("to", "Choose the Application to promote to.");
        return page(context, id, sent, (StatusCode::UNPROCESSABLE_ENTITY, errors)).await;
    }
    let (asks, there, now, seen) = (by.clone(), app.clone(), app.now(), form.get("seen").to_owned());
    let wish = Wish { from: id, to: sent.to, connections: sent.connections.clone() };
    let picked = Picked::These(sent.ticked.clone());
    let done = app.write(move |conn| actions::promote(conn, &there, &asks, (&wish, &picked), Some(&seen), now)).await;
    match done {
        Ok(done) => {
            app.work.notify_one();
            let to = match done.arrived {
                0 => format!("/applications/{}/settings/import-scheduling", sent.to),
                _ => review_address(sent.to),
            };
            Ok(see_other(&to, Some(Flash::new(said(&done)))))
        }
        Err(error) => page(context, id, sent, refused(error)?).await,
    }
}

/// "Promoted from Plan (test): 1 import configuration, 2 schedules."
fn said(done: &Done) -> String {
    let parts: Vec<String> = [
        (Kind::Configuration, "import configuration", "import configurations"),
        (Kind::Set, "import set", "import sets"),
        (Kind::Schedule, "schedule", "schedules"),
    ]
    .into_iter()
    .map(|(kind, one, many)| (done.count(kind) as i64, one, many))
    .filter(|(count, ..)| *count > 0)
    .map(|(count, one, many)| words::counted(count, one, many))
    .collect();
    let new = match done.arrived {
        0 => String::new(),
        1 => " The new schedule is off.".to_owned(),
        n => format!(" The {} new schedules are off.", words::count(n as i64)),
    };
    format!("Promoted from {}: {}.{new}", done.reckoned.from.application.name, parts.join(", "))
}

//! The form: from whom, to whom, which; every change before it happens.

use std::collections::{BTreeSet, HashMap};

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::drawn::{Rows, heirs};
use crate::app::App;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{FieldErrors, Result};
use crate::members::leaving::doors;
use crate::members::{self, By, Member, SignedIn};
use crate::ownership::actions::{self, Passing, UNDO_DAYS};
use crate::ownership::reckoning::{Reckoned, Which, Wish, reckon};
use crate::schedules::{self, actions as held};
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, local_path, refused, see_other};
use crate::words;

/// Somebody to choose.
struct Choice {
    id: i64,
    words: String,
    chosen: bool,
}

/// What there is to hand over, once it is known from whom.
struct Plan {
    rows: Rows,
    from: String,
    to: Option<String>,
    applications: Vec<Choice>,
    which: &'static str,
    /// "All 3"
    all: String,
    recipients: bool,
    /// "4 schedules"; none where nobody would be told instead.
    told: Option<String>,
    tokens: bool,
    /// "their 2 API tokens"; none where there is none.
    has_tokens: Option<String>,
    tell: bool,
    hear: Option<String>,
    say: String,
    /// "Hand over 2 schedules"; none while nothing would change.
    submit: Option<String>,
    mark: String,
    /// What the boxes were, so that a changed one is seen.
    was: String,
}

#[derive(Template)]
#[template(path = "ownership/hand_over.html")]
struct HandOverPage {
    shell: Shell,
    errors: FieldErrors,
    from: Vec<Choice>,
    to: Vec<Choice>,
    plan: Option<Plan>,
    undo_days: i64,
    back: String,
}

/// What was sent, read.
struct Sent {
    passing: Passing,
    seen: String,
}

/// What the boxes of a page were: of whom, which, and those that were ticked.
fn state(from: i64, which: &Which, ticked: &BTreeSet<i64>) -> String {
    let which = match which {
        Which::All => "all".to_owned(),
        Which::Application(id) => format!("app.{id}"),
        Which::Chosen(_) => "chosen".to_owned(),
    };
    let ticked: Vec<String> = ticked.iter().map(i64::to_string).collect();
    format!("{from}:{which}:{}", crate::secrets::hash("boxes", &ticked.join(",")))
}

fn sent(form: &Form) -> Result<Sent, FieldErrors> {
    let from = form.id("from").unwrap_or_default();
    // An address may name many with commas.
    let ids = form.all("schedules").flat_map(|ids| ids.split(',')).filter_map(|id| id.parse().ok());
    let ticked: BTreeSet<i64> = ids.collect();
    if ticked.len() > crate::shape::MOST_IDS {
        return Err(FieldErrors::one("which", "At most 1,000 can be chosen at once."));
    }
    let application = form.id("application");
    let mut which = match form.get("which") {
        "chosen" => Which::Chosen(ticked.clone()),
        "app" => Which::Application(application.unwrap_or_default()),
        "" if !ticked.is_empty() => Which::Chosen(ticked.clone()),
        "" if application.is_some() => Which::Application(application.unwrap_or_default()),
        _ => Which::All,
    };
    if let Some((of, was)) = form.get("was").split_once(':') {
        let now = state(from, &which, &ticked);
        let (chose, boxes) = was.split_once(':').unwrap_or_default();
        let (chooses, ticks) = now.split_once(':').and_then(|(_, now)| now.split_once(':')).unwrap_or_default();
        if of != from.to_string() {
            // Another member's boxes.
            which = Which::All;
        } else if chose == chooses && boxes != ticks {
            which = Which::Chosen(ticked);
        }
    }
    let first = !form.has("was");
    let wish = Wish {
        which,
        owners: true,
        recipients: first || form.ticked("recipients"),
        tokens: form.ticked("tokens"),
        tell: first || form.ticked("tell"),
    };
    let passing = Passing { from, to: form.id("to").unwrap_or_default(), wish };
    Ok(Sent { passing, seen: form.get("seen").to_owned() })
}

/// Who holds something: the deactivated first, then those who hold most.
fn holders(conn: &mut Conn, chosen: i64) -> Result<Vec<Choice>> {
    let mut held: HashMap<i64, (i64, i64)> = HashMap::new();
    for estate in schedules::estates(conn)? {
        held.entry(estate.owner_id).or_default().0 += estate.schedules;
    }
    for (member, told) in schedules::told(conn)? {
        held.entry(member).or_default().1 += told;
    }
    if chosen > 0 {
        held.entry(chosen).or_default();
    }
    let mut people = members::by_ids(conn, &held.keys().copied().collect::<Vec<_>>())?;
    people.sort_by_key(|m| (m.active, std::cmp::Reverse(held[&m.id]), m.name.clone()));
    let words = |member: &Member| {
        let (owns, told) = held[&member.id];
        let count = match (owns, told) {
            (0, 0) => "holds nothing".to_owned(),
            (0, told) => format!("notified about {}", words::counted(told, "schedule", "schedules")),
            (owns, _) => words::counted(owns, "schedule", "schedules"),
        };
        format!("{}{} ({count})", member.name, if member.active { "" } else { ", deactivated" })
    };
    Ok(people.iter().map(|m| Choice { id: m.id, words: words(m), chosen: m.id == chosen }).collect())
}

impl Plan {
    fn load(conn: &mut Conn, by: &By, passing: &Passing, now: Moment) -> Result<Option<Self>> {
        let Some(from) = members::by_id(conn, passing.from)? else { return Ok(None) };
        let to = members::by_id(conn, passing.to)?;
        let all = held::held(conn, from.id)?;
        let reckoned = reckon(conn, by, (from, to), &passing.wish, all)?;
        let rows = Rows::load(conn, &reckoned, now)?;
        let tokens = doors(conn, reckoned.from.id, now)?.tokens;
        let (from, to) = (reckoned.from.name.clone(), reckoned.to.as_ref().map(|to| to.name.clone()));
        let (passing_n, changing) = (reckoned.passing() as i64, reckoned.changing() as i64);
        let wish = &passing.wish;
        let told = reckoned.told() as i64;
        let submit = match (passing_n, changing) {
            (0, 0) if wish.tokens && tokens > 0 && to.is_some() => Some("Revoke the tokens".to_owned()),
            (0, 0) => None,
            (0, n) => Some(format!("Change who is notified in {}", words::counted(n, "schedule", "schedules"))),
            (n, _) => Some(format!("Hand over {}", words::counted(n, "schedule", "schedules"))),
        };
        let ticked: BTreeSet<i64> = rows.rows.iter().filter(|row| row.changes).map(|row| row.id).collect();
        Ok(Some(Self {
            applications: applications(&reckoned, &wish.which),
            which: match wish.which {
                Which::All => "all",
                Which::Application(_) => "app",
                Which::Chosen(_) => "chosen",
            },
            all: format!("All {}", words::count(reckoned.lines.len() as i64)),
            recipients: wish.recipients,
            told: (told > 0).then(|| words::counted(told, "schedule", "schedules")),
            tokens: wish.tokens,
            has_tokens: (tokens > 0).then(|| words::counted(tokens, "API token", "API tokens")),
            tell: wish.tell,
            hear: (reckoned.hear > 0).then(|| words::counted(reckoned.hear as i64, "recipient", "recipients")),
            say: say(&reckoned),
            submit,
            mark: reckoned.mark(wish.tokens && tokens > 0),
            was: state(reckoned.from.id, &wish.which, &ticked),
            rows,
            from,
            to,
        }))
    }
}

/// "2 of 3 schedules go from Jonas to Claire."
fn say(reckoned: &Reckoned) -> String {
    let (from, owned, passing) = (&reckoned.from.name, reckoned.owned(), reckoned.passing());
    match &reckoned.to {
        None if reckoned.lines.is_empty() => format!("{from} owns no schedule and is notified about none."),
        None => "Choose the new Owner.".into(),
        Some(_) if reckoned.changing() == 0 => "Nothing changes.".into(),
        Some(to) if passing == 0 => {
            let n = words::counted(reckoned.changing() as i64, "schedule", "schedules");
            format!("{} is notified instead of {from}, in {n}.", to.name)
        }
        Some(to) => {
            let of = words::counted(owned as i64, "schedule", "schedules");
            let go = if passing == 1 { "goes" } else { "go" };
            format!("{} of {of} {go} from {from} to {}.", words::count(passing as i64), to.name)
        }
    }
}

fn applications(reckoned: &Reckoned, which: &Which) -> Vec<Choice> {
    let mut all: Vec<Choice> = reckoned
        .applications
        .values()
        .map(|a| Choice { id: a.id, words: a.name.clone(), chosen: *which == Which::Application(a.id) })
        .collect();
    all.sort_by(|a, b| a.words.cmp(&b.words));
    all
}

async fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    passing: Passing,
    back: &str,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (asks, now) = (by.clone(), app.now());
    let (from, to, plan) = app
        .read(move |conn| {
            let choice = |m: Member| Choice { id: m.id, words: m.name.clone(), chosen: m.id == passing.to };
            let to = heirs(conn, passing.from)?.into_iter().map(choice).collect();
            Ok((holders(conn, passing.from)?, to, Plan::load(conn, &asks, &passing, now)?))
        })
        .await?;
    let crumbs = [Crumb::to("Ownership", "/ownership"), Crumb::here("Hand over")];
    let shell = members::shell(request, app, by, "Hand over schedules").at("/ownership").crumbs(crumbs);
    let back = local_path(back).unwrap_or("/ownership").to_owned();
    Page::with(status, request, &HandOverPage { shell, errors, from, to, plan, undo_days: UNDO_DAYS, back })
}

/// `GET /ownership/hand-over?from=&to=&application=&schedules=`
pub async fn hand_over_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    query: Query,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let sent = sent(&query)?;
    page((&request, &app, &by), sent.passing, query.get("back"), (StatusCode::OK, FieldErrors::new())).await
}

/// `POST /ownership/hand-over`; with `show` nothing is done, and the page says what would change.
pub async fn hand_over(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    form: Form,
) -> Result<HttpResponse> {
    members::actions::need_administrator(&app, &by).await?;
    let context = (&request, app.get_ref(), &by);
    let Sent { mut passing, seen } = match sent(&form) {
        Ok(sent) => sent,
        Err(errors) => {
            let all = Passing { from: form.id("from").unwrap_or_default(), to: 0, wish: Wish::all() };
            return page(context, all, form.get("back"), refused(errors.into())?).await;
        }
    };
    if form.has("show") {
        return page(context, passing, form.get("back"), (StatusCode::OK, FieldErrors::new())).await;
    }
    let (asks, now, wished) = (by.clone(), app.now(), passing.clone());
    let done = app
        .write(move |conn| {
            let mut wished = wished;
            wished.wish.tokens &= doors(conn, wished.from, now)?.tokens > 0;
            actions::hand_over(conn, &asks, &wished, &seen, now)
        })
        .await;
    match done {
        Ok(done) => {
            let back = local_path(form.get("back")).unwrap_or("/ownership").to_owned();
            Ok(see_other(&back, Some(said(&done, &back))))
        }
        Err(error) => {
            let answer = refused(error)?;
            // What is no member's number is asked for again.
            passing.to = if answer.1.of("to").is_some() { 0 } else { passing.to };
            page(context, passing, form.get("back"), answer).await
        }
    }
}

fn said(done: &actions::Done, back: &str) -> Flash {
    let of = &done.reckoned;
    let to = of.to.as_ref().map_or("", |to| &to.name);
    let mut text = match (of.passing() as i64, of.changing() as i64) {
        (0, 0) => format!("The API tokens of {} are revoked.", of.from.name),
        (0, n) => {
            format!("{to} is notified instead of {}, in {}.", of.from.name, words::counted(n, "schedule", "schedules"))
        }
        (n, _) => format!("{} handed over from {} to {to}.", words::counted(n, "schedule", "schedules"), of.from.name),
    };
    let left = of.owned() - of.passing();
    if left > 0 && of.passing() > 0 {
        let stay = words::counted(left as i64, "stays", "stay");
        text.push_str(&format!(" {stay} with {}.", of.from.name));
    }
    match done.id {
        Some(id) => Flash::new(text).button("Undo", format!("/ownership/{id}/undo"), &[("back", back)]),
        None => Flash::new(text),
    }
}

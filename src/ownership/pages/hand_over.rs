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
use crate::ownership::reckoning::{From, Reckoned, Which, Wish};
use crate::schedules;
use crate::web::form::Query;
use crate::web::{Crumb, Flash, Form, Page, Shell, local_path, refused, see_other};
use crate::words;

/// Somebody to choose; of `from` no number stands for whoever owns each.
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
    /// "Owners of 3 chosen schedules"; none where nobody chose any.
    owners: Option<String>,
    /// Whoever owns each hands them over.
    of_owners: bool,
    /// Those, with commas.
    these: String,
    plan: Option<Plan>,
    undo_days: i64,
    back: String,
}

/// What was sent, read.
struct Sent {
    passing: Passing,
    /// What was chosen elsewhere.
    these: BTreeSet<i64>,
    seen: String,
}

/// Stands for whoever owns each of the chosen schedules.
const OWNERS: &str = "owners";

/// What the boxes of a page were: of whom, which, and those that were ticked.
fn state(from: &From, which: &Which, ticked: &BTreeSet<i64>) -> String {
    let which = match which {
        Which::All => "all".to_owned(),
        Which::Application(id) => format!("app.{id}"),
        Which::Chosen(_) => "chosen".to_owned(),
    };
    let ticked: Vec<String> = ticked.iter().map(i64::to_string).collect();
    let from = match from {
        From::Member(id) => id.to_string(),
        From::Owners(_) => OWNERS.to_owned(),
    };
    format!("{from}:{which}:{}", crate::secrets::hash("boxes", &ticked.join(",")))
}

fn sent(form: &Form) -> Result<Sent, FieldErrors> {
    // An address may name many with commas.
    let ids = |name: &str| -> BTreeSet<i64> {
        form.all(name).flat_map(|ids| ids.split(',')).filter_map(|id| id.parse().ok()).collect()
    };
    let (ticked, mut these) = (ids("schedules"), ids("these"));
    if ticked.len().max(these.len()) > crate::shape::MOST_IDS {
        return Err(FieldErrors::one("which", "At most 1,000 can be chosen at once."));
    }
    // Chosen elsewhere, and nobody said whose.
    let chosen = !form.has("from") && !form.has("was") && !ticked.is_empty();
    if chosen {
        these = ticked.clone();
    }
    let from = match chosen || form.get("from") == OWNERS {
        true => From::Owners(these.clone()),
        false => From::Member(form.id("from").unwrap_or_default()),
    };
    let application = form.id("application");
    let mut which = match form.get("which") {
        "chosen" => Which::Chosen(ticked.clone()),
        "app" => Which::Application(application.unwrap_or_default()),
        "" if !chosen && !ticked.is_empty() => Which::Chosen(ticked.clone()),
        "" if application.is_some() => Which::Application(application.unwrap_or_default()),
        _ => Which::All,
    };
    if let Some((of, was)) = form.get("was").split_once(':') {
        let now = state(&from, &which, &ticked);
        let (chose, boxes) = was.split_once(':').unwrap_or_default();
        let (is, now) = now.split_once(':').unwrap_or_default();
        let (chooses, ticks) = now.split_once(':').unwrap_or_default();
        if of != is {
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
    Ok(Sent { passing, these, seen: form.get("seen").to_owned() })
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
        if let From::Member(id) = passing.from
            && members::by_id(conn, id)?.is_none()
        {
            return Ok(None);
        }
        let reckoned = actions::preview(conn, by, passing)?;
        let rows = Rows::load(conn, &reckoned, now)?;
        let tokens = match passing.from {
            From::Member(id) => doors(conn, id, now)?.tokens,
            From::Owners(_) => 0,
        };
        let (from, to) = (reckoned.of().to_owned(), reckoned.to.as_ref().map(|to| to.name.clone()));
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
            was: state(&passing.from, &wish.which, &ticked),
            rows,
            from,
            to,
        }))
    }
}

/// "2 of 3 schedules go from Jonas to Claire."
fn say(reckoned: &Reckoned) -> String {
    let (from, owned, passing) = (reckoned.of(), reckoned.owned(), reckoned.passing());
    match &reckoned.to {
        _ if reckoned.lines.is_empty() && reckoned.from.is_none() => {
            "The chosen schedules have finished or were deleted.".into()
        }
        None if reckoned.lines.is_empty() => format!("{from} owns no schedule and is not named as a recipient of any."),
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
    (passing, these): (Passing, BTreeSet<i64>),
    back: &str,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let (asks, now) = (by.clone(), app.now());
    let of_owners = matches!(passing.from, From::Owners(_));
    let (from, to, plan) = app
        .read(move |conn| {
            let choice = |m: Member| Choice { id: m.id, words: m.name.clone(), chosen: m.id == passing.to };
            let from = match passing.from {
                From::Member(id) => id,
                From::Owners(_) => 0,
            };
            let to = heirs(conn, from)?.into_iter().map(choice).collect();
            Ok((holders(conn, from)?, to, Plan::load(conn, &asks, &passing, now)?))
        })
        .await?;
    let owners = |n: i64| format!("Owners of {}", words::counted(n, "chosen schedule", "chosen schedules"));
    let owners = (!these.is_empty()).then(|| owners(these.len() as i64));
    let these = these.iter().map(i64::to_string).collect::<Vec<_>>().join(",");
    let crumbs = [Crumb::to("Ownership", "/ownership"), Crumb::here("Hand over")];
    let shell = members::shell(request, app, by, "Hand over schedules").at("/ownership").crumbs(crumbs);
    let back = local_path(back).unwrap_or("/ownership").to_owned();
    let undo_days = UNDO_DAYS;
    Page::with(
        status,
        request,
        &HandOverPage { shell, errors, from, to, owners, of_owners, these, plan, undo_days, back },
    )
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
    page((&request, &app, &by), (sent.passing, sent.these), query.get("back"), (StatusCode::OK, FieldErrors::new()))
        .await
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
    let Sent { mut passing, these, seen } = match sent(&form) {
        Ok(sent) => sent,
        Err(errors) => {
            let from = From::Member(form.id("from").unwrap_or_default());
            let all = (Passing { from, to: 0, wish: Wish::all() }, BTreeSet::new());
            return page(context, all, form.get("back"), refused(errors.into())?).await;
        }
    };
    if form.has("show") {
        return page(context, (passing, these), form.get("back"), (StatusCode::OK, FieldErrors::new())).await;
    }
    let (asks, now, wished) = (by.clone(), app.now(), passing.clone());
    let done = app
        .write(move |conn| {
            let mut wished = wished;
            wished.wish.tokens &= match wished.from {
                From::Member(id) => doors(conn, id, now)?.tokens > 0,
                From::Owners(_) => false,
            };
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
            page(context, (passing, these), form.get("back"), answer).await
        }
    }
}

fn said(done: &actions::Done, back: &str) -> Flash {
    let of = &done.reckoned;
    let to = of.to.as_ref().map_or("", |to| &to.name);
    let mut text = match (of.passing() as i64, of.changing() as i64) {
        (0, 0) => format!("The API tokens of {} are revoked.", of.of()),
        (0, n) => {
            format!("{to} is notified instead of {}, in {}.", of.of(), words::counted(n, "schedule", "schedules"))
        }
        (n, _) => format!("{} handed over from {} to {to}.", words::counted(n, "schedule", "schedules"), of.of()),
    };
    let left = of.owned() - of.passing();
    if left > 0 && of.passing() > 0 {
        let stay = words::counted(left as i64, "stays", "stay");
        text.push_str(&format!(" {stay} with {}.", of.of()));
    }
    match done.id {
        Some(id) => Flash::new(text).button("Undo", format!("/ownership/{id}/undo"), &[("back", back)]),
        None => Flash::new(text),
    }
}

//! `/audit`: who changed what, the newest first; the same as CSV.

use actix_web::http::StatusCode;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use chrono::{Days, NaiveDate, NaiveTime};
use chrono_tz::Tz;

use super::scene::Scene;
use super::words::{self, Difference, KINDS};
use crate::app::App;
use crate::audit::{Filter, Recorded};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::members::{self, By, SignedIn, shell};
use crate::names::folded;
use crate::schedules::instant;
use crate::web::download::{self, unformula};
use crate::web::form::Query;
use crate::web::page::{encode, initials};
use crate::web::{Crumb, Page, Shell};
use crate::words as counts;

/// So many stand on a page.
const PAGE: usize = 50;
/// So many are looked through for a word at a time.
const LOOKED_AT: usize = 5_000;
/// So many are read at once.
const READ: i64 = 500;

#[derive(Template)]
#[template(path = "audit_log/list.html")]
struct AuditPage {
    shell: Shell,
    asked: Asked,
    /// Address and label of each kind.
    kinds: Vec<(&'static str, &'static str)>,
    /// Id and name of who may have acted.
    people: Vec<(String, String)>,
    rows: Vec<Row>,
    zone: Tz,
    /// Where older ones are.
    older: Option<String>,
    /// "Searched 5,000 entries, back to Tue 3 Nov 2026."; empty where all were.
    looked: String,
    csv: String,
    /// Which day an auditor asks for: yesterday at first.
    day: String,
    /// Nothing is known of later ones.
    today: String,
    errors: FieldErrors,
}

/// What an address asks for, as it was typed.
#[derive(Clone, Default)]
struct Asked {
    q: String,
    who: String,
    kind: String,
    from: String,
    until: String,
    /// "schedule:12"
    of: String,
    before: Option<i64>,
}

pub struct Row {
    pub time: String,
    pub iso: String,
    pub who: String,
    pub mark: String,
    /// "Importer", "Token nightly of Maya Rossi".
    pub role: String,
    pub denied: bool,
    pub deed: String,
    pub name: String,
    /// It is the name of who did it, who stands there already.
    pub own: bool,
    pub href: Option<String>,
    pub application: String,
    pub differences: Vec<Difference>,
    pub more: usize,
    /// "page, 10.4.0.17"
    pub from: String,
}

impl Asked {
    fn of(query: &Query) -> Self {
        let get = |name: &str| query.get(name).to_owned();
        Self {
            q: get("q"),
            who: get("who"),
            kind: get("kind"),
            from: get("from"),
            until: get("until"),
            of: get("of"),
            before: query.id("before"),
        }
    }

    fn filter(&self, zone: Tz) -> Filter {
        let kind = KINDS.iter().find(|(word, ..)| *word == self.kind);
        let begins = |date: NaiveDate| instant(zone, date.and_time(NaiveTime::MIN));
        let subject = self.of.split_once(':').and_then(|(kind, id)| Some((kind.to_owned(), id.parse().ok()?)));
        Filter {
            member_id: self.who.parse().ok(),
            kinds: kind.map(|(.., kinds)| kinds.to_vec()).unwrap_or_default(),
            denied: self.kind == "denied",
            subject,
            from: super::day(&self.from).map(begins),
            until: super::day(&self.until).and_then(|date| date.checked_add_days(Days::new(1))).map(begins),
            ..Filter::default()
        }
    }

    fn address(&self, path: &str, before: Option<i64>) -> String {
        let given = [
            ("q", &self.q),
            ("who", &self.who),
            ("kind", &self.kind),
            ("from", &self.from),
            ("until", &self.until),
            ("of", &self.of),
        ];
        let mut parts: Vec<String> = given
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| format!("{name}={}", encode(value)))
            .collect();
        parts.extend(before.map(|id| format!("before={id}")));
        if parts.is_empty() { path.to_owned() } else { format!("{path}?{}", parts.join("&")) }
    }
}

impl Row {
    pub fn of(entry: &Recorded, scene: &Scene, (now, zone): (Moment, Tz)) -> Self {
        let (differences, more) = words::differences(entry, &scene.names);
        let role = match (&entry.token, entry.member_id) {
            (Some(token), _) => format!("by the API token {token}"),
            (None, Some(id)) => scene.role(id).to_owned(),
            (None, None) => String::new(),
        };
        let denied = words::refused(entry);
        let via = match entry.channel.as_str() {
            "token" => "API",
            "page" => "Page",
            "command" => "Command line",
            "clock" => "By itself",
            other => other,
        };
        Self {
            time: counts::short_time(entry.at, now, zone),
            iso: counts::machine_time(entry.at),
            who: entry.member_name.clone(),
            mark: initials(&entry.member_name),
            role,
            deed: words::deed(entry),
            name: denied.clone().unwrap_or_else(|| scene.name(entry)),
            own: words::is_own(entry),
            href: scene.href(entry).filter(|_| denied.is_none()),
            denied: entry.action.ends_with("refused"),
            application: scene.application(entry).unwrap_or_default().to_owned(),
            differences,
            more,
            from: entry.from.as_ref().map_or_else(|| via.to_owned(), |from| format!("{via}, {from}")),
        }
    }

    pub fn without_address(self) -> Self {
        let from = self.from.split(", ").next().unwrap_or_default().to_owned();
        Self { from, ..self }
    }

    /// What a search looks at.
    fn text(&self) -> String {
        let mut text = format!("{} {} {} {} {}", self.who, self.role, self.deed, self.name, self.application);
        for Difference { label, old, new, .. } in &self.differences {
            text += &format!(" {label} {old} {new}");
        }
        text
    }

    /// "Every day at 06:00 → Every day at 06:30; Owner: Ada → Olive"
    fn changes(&self) -> String {
        let one = |d: &Difference| {
            let label = if d.label.is_empty() { String::new() } else { format!("{}: ", d.label) };
            match d.old.is_empty() {
                true => format!("{label}{}", d.new),
                false => format!("{label}{} → {}", d.old, if d.new.is_empty() { "nothing" } else { &d.new }),
            }
        };
        self.differences.iter().map(one).collect::<Vec<_>>().join("; ")
    }
}

/// The rows of a page, where older ones begin, and how far a search came where it did not come to the end.
struct Found {
    rows: Vec<Row>,
    older: Option<i64>,
    looked: Option<Moment>,
}

fn find(conn: &mut Conn, by: &By, asked: &Asked, (now, zone): (Moment, Tz)) -> Result<Found> {
    let (filter, wanted) = (asked.filter(zone), folded(&asked.q));
    let (mut rows, mut before, mut looked_at) = (Vec::new(), asked.before, 0);
    loop {
        let limit = if wanted.is_empty() { PAGE as i64 + 1 } else { READ };
        let entries = super::list(conn, by, &filter, before, limit)?;
        let scene = Scene::load(conn, by, &entries)?;
        let last = entries.len() < usize::try_from(limit).unwrap_or_default();
        for entry in &entries {
            if rows.len() == PAGE {
                return Ok(Found { rows, older: before, looked: None });
            }
            before = Some(entry.id);
            let row = Row::of(entry, &scene, (now, zone));
            if wanted.is_empty() || folded(&row.text()).contains(&wanted) {
                rows.push(row);
            }
        }
        looked_at += entries.len();
        if last {
            return Ok(Found { rows, older: None, looked: None });
        }
        if looked_at >= LOOKED_AT {
            return Ok(Found { rows, older: before, looked: entries.last().map(|entry| entry.at) });
        }
    }
}

/// What is wrong with the days of a filter.
fn wrong_days(query: &Query) -> FieldErrors {
    let mut errors = FieldErrors::new();
    for name in ["from", "until"] {
        if query.some(name).is_some_and(|day| super::day(day).is_none()) {
            errors.add(name, "Choose a day.");
        }
    }
    let days = super::day(query.get("from")).zip(super::day(query.get("until")));
    if days.is_some_and(|(from, until)| from > until) {
        errors.add("from", "From is after To. Choose an earlier day.");
    }
    errors
}

/// `GET /audit?q=&who=&kind=&from=&until=&of=&before=`
pub async fn show(request: HttpRequest, app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    let errors = wrong_days(&query);
    page((&request, &app, &by), &query, None, errors).await
}

/// The page, with the day that somebody asked for in vain and what is wrong.
pub(super) async fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    query: &Query,
    day: Option<&str>,
    errors: FieldErrors,
) -> Result<HttpResponse> {
    let (who, asked, now) = (by.clone(), Asked::of(query), app.now());
    let (found, zone, people) = app
        .read({
            let asked = asked.clone();
            move |conn| {
                who.need_sight(conn)?;
                let zone = members::zone_of(conn, who.member.time_zone)?;
                let people = members::all(conn)?.into_iter().map(|member| (member.id.to_string(), member.name));
                Ok((find(conn, &who, &asked, (now, zone))?, zone, people.collect()))
            }
        })
        .await?;
    let today = now.in_zone(zone).date_naive();
    let yesterday = today.pred_opt().unwrap_or_default();
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let looked = |at: Moment| {
        let back_to = counts::short_time(at, now, zone);
        format!("Searched {} entries, back to {back_to}.", counts::count(LOOKED_AT as i64))
    };
    let page = AuditPage {
        shell: shell(request, app, by, "Audit log").at("/audit").crumbs([Crumb::here("Audit log")]),
        kinds: KINDS.iter().map(|(word, label, _)| (*word, *label)).collect(),
        people,
        older: found.older.map(|id| asked.address("/audit", Some(id))),
        looked: found.looked.map(looked).unwrap_or_default(),
        csv: asked.address("/audit.csv", None),
        rows: found.rows,
        zone,
        day: day.map_or_else(|| yesterday.to_string(), str::to_owned),
        today: today.to_string(),
        errors,
        asked,
    };
    Page::with(status, request, &page)
}

/// `GET /audit.csv`: the same entries, all of them.
pub async fn csv(app: Data<App>, SignedIn(by): SignedIn, query: Query) -> Result<HttpResponse> {
    let (who, asked, now) = (by.clone(), Asked::of(&query), app.now());
    let zone = app
        .read(move |conn| {
            who.need_sight(conn)?;
            members::zone_of(conn, who.member.time_zone)
        })
        .await?;
    wrong_days(&query).ok_or(())?;
    let (pool, member_id, filter, wanted) = (app.db.clone(), by.member.id, asked.filter(zone), folded(&asked.q));
    download::csv((&app, member_id), "audit log", move |out| {
        // Every cell is quoted, so spreadsheets split it the same way.
        let mut csv = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Always).from_writer(out);
        let head =
            ["id", "at", "who", "role", "channel", "from", "action", "kind", "thing", "name", "application", "changes"];
        csv.write_record(head).map_err(AppError::internal)?;
        let mut before = None;
        loop {
            let (entries, scene) = pool.read(|conn| {
                let entries = super::list(conn, &by, &filter, before, READ)?;
                let scene = Scene::load(conn, &by, &entries)?;
                Ok((entries, scene))
            })?;
            let Some(last) = entries.last() else { break };
            before = Some(last.id);
            for entry in &entries {
                let row = Row::of(entry, &scene, (now, zone));
                if !wanted.is_empty() && !folded(&row.text()).contains(&wanted) {
                    continue;
                }
                let thing = entry.subject_id.map(|id| id.to_string()).unwrap_or_default();
                let changes = row.changes();
                let (channel, from) = (entry.channel.clone(), entry.from.clone().unwrap_or_default());
                let cells = [
                    row.who,
                    row.role,
                    channel,
                    from,
                    entry.action.clone(),
                    entry.subject_kind.clone(),
                    thing,
                    row.name,
                    row.application,
                    changes,
                ];
                let cells = cells.iter().map(|cell| unformula(cell));
                csv.write_record([entry.id.to_string(), entry.at.rfc3339()].into_iter().chain(cells))
                    .map_err(AppError::internal)?;
            }
        }
        csv.flush().map_err(AppError::internal)
    })
}

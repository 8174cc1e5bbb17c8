//! What opens when something in the calendar is chosen: a run, an occurrence, or a schedule that runs often; with what
//! can be done about it, for those who may. A dialog over the page, or a page of its own.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use crate::app::App;
use crate::applications::{Entered, enter, settings_shell};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::freezes::{self, Freeze};
use crate::import_scheduling::card::Chip;
use crate::import_scheduling::cards::status_chip;
use crate::import_scheduling::history::{self, by_whom};
use crate::import_scheduling::way_back;
use crate::import_sets;
use crate::imports::Target;
use crate::members::{self, By, Member, SignedIn};
use crate::runs::{Run, actions as runs, timeline};
use crate::schedules::flagged::{self, Flag};
use crate::schedules::{self, Schedule, State, actions, run_name};
use crate::secrets::Secrets;
use crate::web::form::Query;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Form, Page, Shell, zones};
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/calendar_entry_card.html")]
struct Card {
    base: String,
    csrf: String,
    back: String,
    back_encoded: String,
    name: String,
    chip: Chip,
    when: String,
    relative: String,
    /// A sentence that explains it: a cause, a clock change.
    note: Option<String>,
    facts: Vec<(&'static str, String)>,
    run: Option<i64>,
    again: Option<i64>,
    /// What can be done about its schedule; `None` without one, or without the right.
    schedule: Option<Actions>,
    /// The runs of the schedule, or those by hand of what ran: words and address.
    history: Option<(&'static str, String)>,
}

impl HtmlSafe for Card {}

struct Actions {
    id: i64,
    on: bool,
    finished: bool,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"<dialog class="modal modal-sm" id="entry" aria-labelledby="entry-t" data-modal>{{ card }}</dialog>"#
)]
struct Dialog {
    card: Card,
}

#[derive(Template)]
#[template(
    ext = "html",
    source = r#"{% extends "web/shell.html" %}{% block content %}<div class="card modal-page small">{{ card }}</div><div id="dialog"></div>{% endblock %}"#
)]
struct DetailsPage {
    shell: Shell,
    card: Card,
}

/// All that is known of what was chosen.
struct Chosen {
    entered: Entered,
    /// What ran.
    run: Option<Run>,
    may_run_again: bool,
    /// What is planned, where an instant was named that is still to come.
    at: Option<Moment>,
    /// Not a deleted one.
    schedule: Option<Schedule>,
    /// What it runs, and whether that is there still.
    target_name: Option<String>,
    living: bool,
    people: Vec<Member>,
    /// Why the schedule's runs will fail.
    flag: Option<&'static str>,
    /// Which secret its runs will not open.
    shut: Option<String>,
    freezes: Vec<Freeze>,
}

/// `GET …/calendar/entry?run=` or `?schedule=&at=`, and `&zone=&back=`.
pub async fn entry(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    application_id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (asks, id, form, now) = (by.clone(), *application_id, query.0.clone(), app.now());
    let secrets = app.secrets.clone();
    let chosen = app.read(move |conn| choose(conn, &secrets, &asks, id, &form)).await?;
    let zone = zones::parse(query.get("zone")).unwrap_or(chosen.entered.application.time_zone);
    let page = format!("/applications/{id}/settings/import-scheduling/calendar");
    let back = way_back(id, query.get("back")).unwrap_or(&page).to_owned();
    let card = chosen.card(zone, back, Shell::new(&request, &app, "").csrf, now)?;
    if is_fragment(&request) {
        return Page::ok(&request, &Dialog { card });
    }
    let list = format!("/applications/{id}/settings/import-scheduling");
    let shell = settings_shell(&request, &app, &by, &chosen.entered, &card.name).at(&list).crumbs([
        Crumb::to("Import Scheduling", &list),
        Crumb::to("Calendar", &card.back),
        Crumb::here(&card.name),
    ]);
    Page::ok(&request, &DetailsPage { shell, card })
}

fn choose(conn: &mut Conn, secrets: &Secrets, by: &By, application_id: i64, form: &Form) -> Result<Chosen> {
    let entered = enter(conn, by, application_id)?;
    entered.need_open_scheduling(conn)?;
    let at = Moment::parse_rfc3339(form.get("at"));
    let mut run = match form.id("run") {
        Some(id) => Some(runs::find(conn, by, id)?.0),
        None => None,
    };
    let schedule_id = run.as_ref().map_or(form.id("schedule"), |run| run.schedule_id);
    let schedule = match schedule_id {
        Some(id) => actions::of_application(conn, &entered)?.into_iter().find(|s| s.id == id),
        None => None,
    };
    if let (None, Some(schedule), Some(at)) = (&run, &schedule, at) {
        // It may have begun since the calendar was drawn.
        run = timeline::of_occurrence(conn, application_id, schedule.id, at)?;
    }
    if run.as_ref().map_or(schedule.is_none(), |run| run.application_id != application_id) {
        return Err(AppError::NotFound);
    }
    let target = run.as_ref().and_then(Run::target).or(schedule.as_ref().map(|s| s.target));
    let known = target.map(|target| import_sets::known_of(conn, target)).transpose()?.flatten();
    let living = known.as_ref().is_some_and(|known| !known.archived);
    let target_name = known.map(|known| match target {
        Some(Target::Set(_)) => run_name::of_set(&known.name),
        _ => known.name,
    });
    let may_run_again = match &run {
        Some(run) if entered.may_import() => runs::why_not_again(conn, run)?.is_none(),
        _ => false,
    };
    let owner = schedule.as_ref().map(|s| s.owner_id);
    let others = run.iter().flat_map(|r| [r.started_by, r.as_member_id]).flatten();
    let people = members::by_ids(conn, &owner.into_iter().chain(others).collect::<Vec<_>>())?;
    let flag = owner.map(|owner| flagged::flag_of(conn, &entered.application, owner)).transpose()?.flatten();
    let flag = flag.as_ref().map(Flag::short);
    let shut = flagged::shut(conn, secrets, application_id, schedule.as_slice())?.into_values().next();
    let freezes = freezes::of_application(conn, application_id)?;
    let at = at.filter(|_| run.is_none());
    Ok(Chosen { at, entered, run, may_run_again, schedule, target_name, living, people, flag, shut, freezes })
}

impl Chosen {
    fn card(&self, zone: Tz, back: String, csrf: String, now: Moment) -> Result<Card> {
        let base = format!("/applications/{}", self.entered.application.id);
        let mut facts = Vec::new();
        let (name, chip, at, note) = match (&self.run, &self.schedule) {
            (Some(run), _) => {
                self.run_facts(run, zone, now, &mut facts);
                let why = run.cause.clone().or_else(|| run.reason.clone());
                (run.title().to_owned(), status_chip(run.status), Some(run.stands_for()), why)
            }
            (None, Some(schedule)) => self.planned(schedule, now),
            (None, None) => return Err(AppError::NotFound),
        };
        if let Some(schedule) = &self.schedule {
            facts.push(("Schedule", schedule.sentence()));
            let owner = self.people.iter().find(|m| m.id == schedule.owner_id);
            let gone = self.flag.map(|flag| format!(" ({flag})")).unwrap_or_default();
            facts.push(("Owner", format!("{}{gone}", owner.map_or("Nobody", |m| &m.name))));
        }
        Ok(Card {
            when: at.map(|at| format!("{}, {zone}", words::date_time(at, zone))).unwrap_or_default(),
            relative: at.map(|at| words::relative_in(at, now, zone)).unwrap_or_default(),
            run: self.run.as_ref().map(|run| run.id),
            again: self.run.as_ref().filter(|_| self.may_run_again && self.living).map(|run| run.id),
            schedule: self.schedule.as_ref().filter(|_| self.entered.may_import()).map(|s| Actions {
                id: s.id,
                on: s.enabled,
                finished: s.state() == State::Finished,
            }),
            history: match (&self.schedule, self.run.as_ref().and_then(|run| Some((run, run.target()?)))) {
                (Some(s), _) => {
                    let of = format!("{}?schedule={}", history::address(s.application_id, s.target), s.id);
                    Some(("Runs of this schedule", of))
                }
                (None, Some((run, target))) if run.schedule_id.is_none() => {
                    Some(("Runs by hand", history::by_hand(run.application_id, target)))
                }
                (None, Some((run, target))) => Some(("Show history", history::address(run.application_id, target))),
                (None, None) => None,
            },
            back_encoded: crate::web::page::encode(&back),
            base,
            csrf,
            back,
            name,
            chip,
            note,
            facts,
        })
    }

    fn run_facts(&self, run: &Run, zone: Tz, now: Moment, facts: &mut Vec<(&'static str, String)>) {
        let names = self.people.iter().map(|m| (m.id, m.name.clone())).collect();
        facts.push(("By", by_whom(run, &names)));
        if let Some(until) = run.planned_until {
            facts.push(("Every occurrence until", words::date_time(until, zone)));
        }
        if let Some(at) = run.started_at {
            facts.push(("Started", words::short_time(at, now, zone)));
        }
        facts.extend(run.duration().map(|duration| ("Duration", words::duration(duration))));
        if let Some(result) = &run.result {
            let loaded = result.loaded_words();
            let rejected = (result.rejected > 0).then(|| format!(", {} rejected", words::count(result.rejected)));
            facts.push(("Rows", format!("{loaded}{}", rejected.unwrap_or_default())));
        }
    }

    /// An occurrence, or its schedule altogether.
    fn planned(&self, schedule: &Schedule, now: Moment) -> (String, Chip, Option<Moment>, Option<String>) {
        let name = schedule.run_name.as_deref().or(self.target_name.as_deref()).unwrap_or("An import");
        let name = match self.at {
            Some(at) => run_name::at(name, at, schedule.rule.time_zone(), |_| None),
            None => name.to_owned(),
        };
        let state = match schedule.state() {
            State::On => Chip { class: "is-ok", icon: "ok", word: "On" },
            State::Off => Chip { class: "", icon: "pause", word: "Off" },
            State::Finished => Chip { class: "", icon: "check", word: "Finished" },
        };
        let Some(at) = self.at else {
            return (name, state, schedule.next_at, None);
        };
        let still = schedules::first_at_or_after(&schedule.rule, at) == Some(at);
        let comes = schedule.next_at.is_some_and(|next| next <= at) || schedule.off_until.is_some_and(|on| on <= at);
        if !still || !comes {
            let note = if at < now { "This did not run at that time." } else { "This is no longer planned." };
            return (name, state, Some(at), Some(format!("{note} The schedule was changed or turned off.")));
        }
        let planned = Chip { class: "", icon: "clock", word: if at < now { "Due" } else { "Planned" } };
        let frozen = freezes::at(&self.freezes, at).map(Freeze::foretold);
        let fails = self.shut.as_ref().filter(|_| frozen.is_none()).map(|shut| format!("It will fail. {shut}"));
        let notes = [schedules::note(&schedule.rule, at), frozen, fails];
        let notes: Vec<String> = notes.into_iter().flatten().collect();
        (name, planned, Some(at), (!notes.is_empty()).then(|| notes.join(" ")))
    }
}

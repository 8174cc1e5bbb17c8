//! The calendar as a page: days beside each other with the hours of their clocks, or weeks below each other, or a
//! table. `?part=calendar` is the part that refreshes itself.

use std::collections::BTreeSet;

use askama::Template;
use askama::filters::HtmlSafe;

use super::asked::{Asked, SHOWS};
use super::cells::{Cells, Entry, Item};
use super::fold;
use super::frame::View;
use super::month::{Month, month};
use super::scene::CalendarScene;
use super::table::{self, Table};
use crate::import_sets;
use crate::imports::Target;
use crate::runs::timeline::MOST_RANGES;
use crate::web::Shell;
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/calendar.html")]
pub struct CalendarPage {
    pub shell: Shell,
    pub base: String,
    pub application: i64,
    /// The address of Import Scheduling.
    pub list: String,
    pub page: String,
    pub may_import: bool,
    pub may_schedule: bool,
    pub zone: String,
    pub zone_error: Option<String>,
    /// What was typed, or the zone that is shown.
    pub zone_typed: String,
    pub asked: Asked,
    pub date: String,
    pub shows: Vec<Choice>,
    pub configurations: Vec<Choice>,
    pub sets: Vec<Choice>,
    pub bar: Bar,
    pub part: Part,
}

/// An option of a list, or a link of several.
pub struct Choice {
    pub value: String,
    pub label: String,
    pub current: bool,
}

/// The timeframe, and the ways to others.
pub struct Bar {
    title: String,
    previous: Option<String>,
    next: Option<String>,
    today: String,
    is_today: bool,
    view: &'static str,
    views: Vec<Choice>,
    grid: Choice,
}

/// All that depends on what happens meanwhile.
#[derive(Template)]
#[template(path = "import_scheduling/calendar_part.html")]
pub struct Part {
    refresh: String,
    title: String,
    zone: String,
    body: Body,
    legend: Vec<Legend>,
    notes: Vec<String>,
}

impl HtmlSafe for Part {}

struct Legend {
    class: &'static str,
    word: &'static str,
}

enum Body {
    Empty(Empty),
    Hours(Hours),
    Month(Month),
    Table(Table),
}

/// Nothing to show: the words, and where to go.
struct Empty {
    words: String,
    next: Option<(String, String)>,
    clear: Option<String>,
}

/// One day or seven.
struct Hours {
    days: Vec<Column>,
    rows: Vec<Row>,
    /// Each with the pieces of one schedule.
    bands: Vec<Vec<Piece>>,
    wide: bool,
}

/// An hour, or several in which nothing happens.
struct Row {
    /// Its place, from 2 on: the first row has the dates.
    row: usize,
    label: String,
    gap: bool,
}

struct Column {
    number: usize,
    id: String,
    weekday: String,
    day: String,
    rest: String,
    href: Option<String>,
    today: bool,
    change: Option<String>,
    frozen: Vec<String>,
    cells: Vec<Cell>,
    nothing: bool,
}

struct Cell {
    row: usize,
    lacking: Option<String>,
    items: Vec<Item>,
}

struct Piece {
    column: usize,
    span: usize,
    days: String,
    entry: Entry,
}

pub fn bar(scene: &CalendarScene) -> Bar {
    let (frame, asked, page) = (&scene.frame, &scene.asked, scene.page());
    let to = |change: &dyn Fn(&mut Asked)| asked.with(change).address(&page);
    Bar {
        title: frame.title(),
        previous: frame.previous().map(|date| to(&|a| a.date = Some(date))),
        next: frame.next().map(|date| to(&|a| a.date = Some(date))),
        today: to(&|a| a.date = None),
        is_today: frame.days.iter().any(|day| day.date == frame.today && day.inside),
        view: frame.view.key(),
        views: View::ALL
            .into_iter()
            .map(|view| Choice {
                value: to(&|a| a.view = view),
                label: view.label().to_owned(),
                current: view == frame.view,
            })
            .collect(),
        grid: Choice { value: to(&|a| a.grid = !a.grid), label: "Grid view".to_owned(), current: asked.grid },
    }
}

pub fn part(scene: &CalendarScene) -> Part {
    let (frame, asked) = (&scene.frame, &scene.asked);
    // The same days even after midnight, since the title stays.
    let same = asked.with(|a| a.date = Some(frame.date)).address(&scene.page());
    Part {
        refresh: format!("{same}&part=calendar"),
        title: frame.title(),
        zone: frame.zone.to_string(),
        body: if scene.is_empty() {
            Body::Empty(empty(scene))
        } else if asked.grid {
            Body::Table(table::table(scene))
        } else if frame.view == View::Month {
            Body::Month(month(scene))
        } else {
            Body::Hours(hours(scene))
        },
        legend: legend(),
        notes: notes(scene),
    }
}

fn legend() -> Vec<Legend> {
    [("k-ok", "Success"), ("k-warn", "Partial"), ("k-bad", "Failed"), ("k-run", "Running"), ("k-idle", "Did not run")]
        .into_iter()
        .chain([("k-plan", "Planned")])
        .map(|(class, word)| Legend { class, word })
        .collect()
}

/// What one must know to read it right.
fn notes(scene: &CalendarScene) -> Vec<String> {
    let frame = &scene.frame;
    let mut notes = Vec::new();
    if scene.planned.iter().any(|planned| planned.clash) {
        let spacing = scene.entered.application.spacing_minutes;
        notes.push(format!("Outlined runs are planned less than {spacing} minutes from another run on the same Connection. Runs counted in a band are not compared."));
    }
    notes.extend(scene.freezes.iter().map(|freeze| {
        let at = |moment| words::date_time(moment, frame.zone);
        let what = if freeze.ends_at > scene.now { "runs planned then will be" } else { "runs planned then were" };
        let (from, until) = (at(freeze.starts_at), at(freeze.ends_at));
        format!("Frozen by \"{}\" from {from} until {until}: {what} skipped.", freeze.name)
    }));
    let narrower = match (scene.asked.target, scene.frame.view) {
        (None, _) => "; choose one import to see each",
        (Some(_), View::Month | View::Week) => "; open the day to see more",
        (Some(_), View::Day) => "",
    };
    if scene.ranges.len() as i64 >= MOST_RANGES {
        notes.push(format!("Only the first {MOST_RANGES} ranges of occurrences that did not run are shown{narrower}."));
    }
    if !scene.bands.is_empty() {
        let often = fold::often(scene.frame.view);
        notes.push(format!("Imports that run more than {often} times a day are counted in one band."));
    }
    if !scene.crowds.is_empty() {
        let crowd = fold::crowd(scene.frame.view);
        notes.push(format!("On a day with more than {crowd} entries, they are only counted{narrower}."));
    }
    notes
}

fn empty(scene: &CalendarScene) -> Empty {
    let frame = &scene.frame;
    let when = match frame.view {
        View::Day => format!("on {}", frame.title()),
        View::Week => format!("from {}", frame.title()),
        View::Month => format!("in {}", frame.title()),
    };
    let filtered = scene.asked.is_filtered();
    // The next one that is planned beyond what is shown.
    let next = scene.schedules.values().filter_map(|s| Some((s.next_at?, s))).min_by_key(|(at, _)| *at);
    Empty {
        words: if filtered {
            format!("Nothing {when} matches your filters.")
        } else {
            let change = frame.days.first().filter(|_| frame.view == View::Day).and_then(|day| day.clock_words());
            let change = change.map(|words| format!(" {words}.")).unwrap_or_default();
            format!("Nothing ran and nothing is planned {when}.{change}")
        },
        next: next.map(|(at, schedule)| {
            let date = at.in_zone(frame.zone).date_naive();
            let there =
                Asked { date: Some(date), zone: scene.asked.zone.clone(), view: frame.view, ..Asked::default() };
            let when = words::short_time(at, scene.now, frame.zone);
            (there.address(&scene.page()), format!("Next run: {}, {when}", scene.name_of(schedule)))
        }),
        clear: filtered.then(|| {
            let all = scene.asked.with(|a| {
                a.only = Default::default();
                a.target = None;
            });
            all.address(&scene.page())
        }),
    }
}

fn hours(scene: &CalendarScene) -> Hours {
    let frame = &scene.frame;
    let cells = scene.cells();
    let (rows, row_of) = rows(&cells);
    let wide = frame.view == View::Day;
    let days = (0..frame.days.len()).map(|n| column(scene, n, &cells, &row_of)).collect();
    let mut bands: Vec<Vec<Piece>> = Vec::new();
    let mut last = None;
    for band in &scene.bands {
        let days = match (frame.days[band.first].date, frame.days[band.last].date) {
            (first, last) if first == last => first.format("%a %-d").to_string(),
            (first, last) => format!("{} to {}", first.format("%a %-d"), last.format("%a %-d")),
        };
        let piece =
            Piece { column: band.first + 1, span: band.last - band.first + 1, days, entry: scene.band_entry(band) };
        match bands.last_mut().filter(|_| last == Some(band.key)) {
            Some(of_key) => of_key.push(piece),
            None => bands.push(vec![piece]),
        }
        last = Some(band.key);
    }
    Hours { days, rows, bands, wide }
}

/// The hours that have something; those in a row that have nothing become one. Also in which row each is.
fn rows(cells: &Cells) -> (Vec<Row>, [Option<usize>; 24]) {
    let used: BTreeSet<u32> = cells.items.keys().map(|(_, hour)| *hour).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut row_of = [None; 24];
    let mut hour = 0;
    while hour < 24 {
        let row = rows.len() + 2;
        let end = (hour..24).find(|h| used.contains(h)).unwrap_or(24);
        if end > hour {
            let label = if end == hour + 1 { format!("{hour:02}:00") } else { format!("{hour:02} to {:02}", end - 1) };
            rows.push(Row { row, label, gap: true });
            hour = end;
            continue;
        }
        rows.push(Row { row, label: format!("{hour:02}:00"), gap: false });
        row_of[hour as usize] = Some(row);
        hour += 1;
    }
    (rows, row_of)
}

fn column(scene: &CalendarScene, n: usize, cells: &Cells, row_of: &[Option<usize>; 24]) -> Column {
    let frame = &scene.frame;
    let day = &frame.days[n];
    let shown = (0..24).filter_map(|hour| Some((hour, row_of[hour as usize]?)));
    let cells: Vec<Cell> = shown
        .filter_map(|(hour, row)| {
            let items = cells.items.get(&(n, hour)).cloned().unwrap_or_default();
            let lacking = frame.lacks(n, hour).then(|| format!("No {hour:02}:00 on this day"));
            (!items.is_empty() || lacking.is_some()).then_some(Cell { row, lacking, items })
        })
        .collect();
    let week = frame.view == View::Week;
    Column {
        number: n + 1,
        id: format!("day-{}", day.date),
        weekday: day.date.format("%a").to_string(),
        day: day.date.format("%-d").to_string(),
        rest: day.date.format("%B %Y").to_string(),
        href: week.then(|| day_address(scene, n)),
        today: frame.today() == Some(n),
        change: day.clock_words(),
        frozen: scene.frozen_words(n),
        nothing: cells.iter().all(|cell| cell.items.is_empty()),
        cells,
    }
}

/// Where a day is shown alone.
pub fn day_address(scene: &CalendarScene, n: usize) -> String {
    let date = scene.frame.days[n].date;
    scene.asked.with(|a| (a.view, a.date) = (View::Day, Some(date))).address(&scene.page())
}

pub fn shows(asked: &Asked) -> Vec<Choice> {
    SHOWS
        .into_iter()
        .map(|(only, key, label)| Choice {
            value: key.to_owned(),
            label: label.to_owned(),
            current: only == asked.only,
        })
        .collect()
}

pub fn configurations(scene: &CalendarScene) -> Vec<Choice> {
    let mut choices: Vec<Choice> = scene
        .configurations
        .values()
        .map(|listed| Choice {
            value: listed.configuration.id.to_string(),
            label: listed.configuration.name.clone(),
            current: scene.asked.target == Some(Target::Configuration(listed.configuration.id)),
        })
        .collect();
    choices.sort_by_key(|choice| choice.label.to_lowercase());
    choices
}

pub fn sets(scene: &CalendarScene) -> Vec<Choice> {
    let choice = |set: &import_sets::Outline| {
        let target = Target::Set(set.id);
        Choice { value: target.short(), label: set.name.clone(), current: scene.asked.target == Some(target) }
    };
    scene.sets.iter().map(choice).collect()
}

//! Grid view: the same entries as a table, in the order of time, with all that is known of each.

use chrono::{Datelike, NaiveDate};

use super::cells::Entry;
use super::fold::Key;
use super::scene::CalendarScene;
use crate::clock::Moment;
use crate::import_scheduling::history::by_whom;
use crate::schedules::Schedule;
use crate::words;

pub struct Table {
    /// The same the other way round.
    pub turn: String,
    pub latest_first: bool,
    pub lines: Vec<Line>,
}

pub struct Line {
    /// "Thu 8 Oct", with the year where it is not this one.
    pub day: String,
    pub entry: Entry,
    pub sentence: String,
    pub rows: String,
    /// The Owner of a schedule, or who started it.
    pub who: String,
}

pub fn table(scene: &CalendarScene) -> Table {
    let mut lines: Vec<(Moment, Line)> = Vec::new();
    let this_year = scene.frame.today.year();
    let date = |date: NaiveDate| date.format(if date.year() == this_year { "%a %-d %b" } else { "%a %-d %b %Y" });
    let day = |at: Moment| date(at.in_zone(scene.frame.zone).date_naive()).to_string();
    let names = scene.members.iter().map(|(id, member)| (*id, member.name.clone())).collect();
    for run in scene.ranges.iter().chain(&scene.runs) {
        let at = run.stands_for();
        let schedule = run.schedule_id.and_then(|id| scene.schedules.get(&id));
        let mut entry = scene.run_entry(run);
        entry.clock = scene.frame.clock(at);
        let loaded = run.result.as_ref().map(|r| words::count(r.added + r.changed));
        lines.push((
            at,
            Line {
                day: day(at),
                entry,
                sentence: schedule.map(Schedule::sentence).unwrap_or_default(),
                rows: loaded.unwrap_or_default(),
                who: schedule.map_or_else(|| by_whom(run, &names), |s| owner(scene, s)),
            },
        ));
    }
    for planned in &scene.planned {
        let schedule = scene.schedules.get(&planned.schedule);
        lines.push((planned.at, Line::of(day(planned.at), scene.planned_entry(planned), schedule, scene)));
    }
    for band in &scene.bands {
        let (first, last) = (&scene.frame.days[band.first], &scene.frame.days[band.last]);
        let days = if band.first == band.last {
            date(first.date).to_string()
        } else {
            format!("{} to {}", date(first.date), date(last.date))
        };
        let schedule = match band.key {
            Key::Schedule(id) => scene.schedules.get(&id),
            Key::ByHand(_) => None,
        };
        lines.push((first.from, Line::of(days, scene.band_entry(band), schedule, scene)));
    }
    for crowd in &scene.crowds {
        let hours = scene.frame.hours(crowd.day);
        let from = hours.iter().find(|(hour, ..)| crowd.hour == Some(*hour)).map(|(_, from, _)| *from);
        let of_day = &scene.frame.days[crowd.day];
        let line = Line::of(date(of_day.date).to_string(), scene.crowd_entry(crowd), None, scene);
        lines.push((from.unwrap_or(of_day.from), line));
    }
    lines.sort_by_key(|(at, _)| *at);
    if scene.asked.latest_first {
        lines.reverse();
    }
    Table {
        turn: scene.asked.with(|asked| asked.latest_first = !asked.latest_first).address(&scene.page()),
        latest_first: scene.asked.latest_first,
        lines: lines.into_iter().map(|(_, line)| line).collect(),
    }
}

impl Line {
    fn of(day: String, entry: Entry, schedule: Option<&Schedule>, scene: &CalendarScene) -> Self {
        Self {
            day,
            entry,
            sentence: schedule.map(Schedule::sentence).unwrap_or_default(),
            rows: String::new(),
            who: schedule.map(|s| owner(scene, s)).unwrap_or_default(),
        }
    }
}

fn owner(scene: &CalendarScene, schedule: &Schedule) -> String {
    let name = scene.members.get(&schedule.owner_id).map_or("Nobody", |member| &member.name);
    match scene.flags.get(&schedule.owner_id) {
        Some(flag) => format!("{name} ({})", flag.short()),
        None => name.to_owned(),
    }
}

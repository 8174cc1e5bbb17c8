//! From what is known to what is drawn: runs, occurrences, bands and counts as links of one look, each in its day and
//! hour.

use std::collections::BTreeMap;

use chrono::Duration;

use super::fold::{Band, Key, Tally};
use super::frame::View;
use super::scene::{CalendarScene, Crowd, Planned};
use crate::clock::Moment;
use crate::freezes;
use crate::import_scheduling::cards::status_chip;
use crate::import_scheduling::history;
use crate::imports::Target;
use crate::runs::timeline::Only;
use crate::runs::{Run, RunStatus, Trigger};
use crate::schedules::headline;
use crate::web::Icon;
use crate::web::page::encode;
use crate::words;

/// A run, an occurrence or a count in the calendar.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Stays the same over a refresh, so that the focus does.
    pub id: String,
    /// `None`: there is no more to see than this.
    pub href: Option<String>,
    /// Whether its details open over the page.
    pub dialog: bool,
    /// Where a double click leads.
    pub edit: Option<String>,
    pub class: String,
    pub icon: Icon,
    pub name: String,
    pub iso: String,
    /// "02:05"; empty for a band.
    pub clock: String,
    /// "Success", "Planned"; empty where several are counted.
    pub state: String,
    /// What there is to say besides, in short: a cause, "by hand", counts.
    pub said: String,
    pub duration: String,
    /// For the day, where there is room: the sentence and the Owner.
    pub more: String,
}

impl Entry {
    /// "Success, 52 s", "Failed: The server answered 401, by hand", "90 runs so far, 90 succeeded".
    pub fn words(&self) -> String {
        let joint = if self.class == "is-bad" || self.class == "is-idle" { ": " } else { ", " };
        let parts = [(self.state.as_str(), ""), (&self.said, joint), (&self.duration, ", ")];
        let mut words = String::new();
        for (text, joint) in parts.into_iter().filter(|(text, _)| !text.is_empty()) {
            if !words.is_empty() {
                words += joint;
            }
            words += text;
        }
        words
    }
}

/// What stands in an hour of a day.
#[derive(Clone, Debug)]
pub enum Item {
    Entry(Box<Entry>),
    /// The line for now: "18:42".
    Now(String),
}

impl Item {
    fn entry(entry: Entry) -> Self {
        Self::Entry(Box::new(entry))
    }
}

/// Where what is shown has its place.
#[derive(Clone, Debug, Default)]
pub struct Cells {
    /// By day and hour of its clock, in the order of time.
    pub items: BTreeMap<(usize, u32), Vec<Item>>,
}

/// The first sentence of a cause or reason, without its point.
fn first_sentence(text: &str) -> &str {
    text.split_inclusive(". ").next().unwrap_or_default().trim().trim_end_matches('.')
}

/// The class and icon of a status.
fn look(status: RunStatus) -> (&'static str, Icon) {
    let chip = status_chip(status);
    (if chip.class.is_empty() { "is-idle" } else { chip.class }, chip.icon)
}

/// The same for several in one: as the worst of them.
pub fn looks(tally: &Tally) -> (&'static str, Icon) {
    tally.shown_as().map_or(("plan", "clock"), look)
}

impl CalendarScene {
    /// Where an entry's details are.
    fn details(&self, what: &str) -> String {
        let page = self.page();
        let zone = encode(self.frame.zone.name());
        format!("{page}/entry?{what}&zone={zone}&back={}", encode(&self.asked.address(&page)))
    }

    fn edit(&self, schedule: Option<i64>) -> Option<String> {
        let id = schedule.filter(|id| self.entered.may_import() && self.schedules.contains_key(id))?;
        Some(format!("{}/schedules/{id}/edit", self.base()))
    }

    fn more(&self, schedule: Option<i64>) -> String {
        let Some(schedule) = schedule.and_then(|id| self.schedules.get(&id)) else { return String::new() };
        let owner = self.members.get(&schedule.owner_id).map_or("nobody", |m| m.name.as_str());
        format!("{}. Owner: {owner}", schedule.sentence())
    }

    /// What there is to say of a run besides its status.
    fn said(&self, run: &Run) -> String {
        let mut said = Vec::new();
        let why = first_sentence(run.cause.as_deref().or(run.reason.as_deref()).unwrap_or_default());
        let did_not = matches!(run.status, RunStatus::Skipped | RunStatus::Missed | RunStatus::Cancelled);
        if (did_not || run.status == RunStatus::Failed) && !why.is_empty() {
            said.push(why.to_owned());
        }
        if let Some(result) = run.result.as_ref().filter(|result| result.rejected > 0) {
            said.push(format!("{} rejected", words::count(result.rejected)));
        }
        if run.trigger != Trigger::Schedule {
            said.push(if run.trigger == Trigger::Api { "by API" } else { "by hand" }.to_owned());
        }
        if run.late {
            said.push("late".to_owned());
        }
        if let Some(until) = run.planned_until {
            said.push(format!("every occurrence until {}", words::short_time(until, self.now, self.frame.zone)));
        }
        said.join(", ")
    }

    pub fn run_entry(&self, run: &Run) -> Entry {
        let at = run.stands_for();
        let (class, icon) = look(run.status);
        Entry {
            id: format!("r-{}", run.id),
            href: Some(self.details(&format!("run={}", run.id))),
            dialog: true,
            edit: self.edit(run.schedule_id),
            class: class.to_owned(),
            icon,
            name: run.title().to_owned(),
            iso: words::machine_time(at),
            clock: if at < self.frame.from() {
                words::short_time(at, self.now, self.frame.zone)
            } else {
                self.frame.clock(at)
            },
            state: run.status.words().to_owned(),
            said: self.said(run),
            // How long what did not come to its end took tells nothing.
            duration: run.duration().filter(|_| run.status != RunStatus::Failed).map(unbroken).unwrap_or_default(),
            more: self.more(run.schedule_id),
        }
    }

    pub fn planned_entry(&self, planned: &Planned) -> Entry {
        let name = self.schedules.get(&planned.schedule).map(|s| self.name_at(s, planned.at)).unwrap_or_default();
        let frozen = freezes::at(&self.freezes, planned.at);
        let (class, icon) = match frozen {
            Some(_) => ("plan frozen", "pause"),
            None if planned.clash => ("plan clash", "warn"),
            None => ("plan", "clock"),
        };
        Entry {
            id: format!("p-{}-{}", planned.schedule, planned.at.micros() / 1_000_000),
            href: Some(self.details(&format!("schedule={}&at={}", planned.schedule, planned.at.rfc3339()))),
            dialog: true,
            edit: self.edit(Some(planned.schedule)),
            class: class.to_owned(),
            icon,
            name,
            iso: words::machine_time(planned.at),
            clock: self.frame.clock(planned.at),
            state: match frozen {
                Some(_) => "Will be skipped",
                None if planned.at < self.now => "Due, not started yet",
                None => "Planned",
            }
            .to_owned(),
            said: match frozen {
                Some(freeze) => format!("frozen by {}", freeze.name),
                None => if planned.clash { "close to another" } else { "" }.to_owned(),
            },
            duration: String::new(),
            more: self.more(Some(planned.schedule)),
        }
    }

    /// What several together are called: "Weather, every 5 minutes".
    pub fn band_name(&self, key: Key) -> String {
        match key {
            Key::Schedule(id) => match self.schedules.get(&id) {
                Some(schedule) => format!("{}, {}", self.name_of(schedule), lower(&headline(&schedule.rule))),
                None => format!("{}, by a deleted schedule", self.names.get(&key).map_or("", String::as_str)),
            },
            Key::ByHand(id) => match self.configurations.get(&id) {
                Some(listed) => format!("{}, by hand", listed.configuration.name),
                None if id == 0 => self.names.get(&key).cloned().unwrap_or_default(),
                None => format!("{}, by hand", self.names.get(&key).map_or("", String::as_str)),
            },
        }
    }

    pub fn band_entry(&self, band: &Band) -> Entry {
        let (class, icon) = looks(&band.tally);
        let application_id = self.entered.application.id;
        let (href, dialog, edit, id) = match band.key {
            Key::Schedule(id) if self.schedules.contains_key(&id) => {
                (Some(self.details(&format!("schedule={id}"))), true, self.edit(Some(id)), format!("b-{id}"))
            }
            Key::Schedule(id) => (None, false, None, format!("b-{id}")),
            // Of several sets there is no one history.
            Key::ByHand(id) => {
                let of = if id == 0 { self.asked.target } else { Some(Target::Configuration(id)) };
                (of.map(|of| history::by_hand(application_id, of)), false, None, format!("h-{id}"))
            }
        };
        let so_far = self.frame.days[band.first].from <= self.now && self.now < self.frame.days[band.last].to;
        Entry {
            id: format!("{id}-{}", band.first),
            href,
            dialog,
            edit,
            class: class.to_owned(),
            icon,
            name: self.band_name(band.key),
            iso: words::machine_time(self.frame.days[band.first].from),
            clock: String::new(),
            state: String::new(),
            said: band.tally.words(so_far) + &self.frozen_of(band),
            duration: String::new(),
            more: String::new(),
        }
    }

    /// How many of what a band plans a freeze will skip: ", 12 of them frozen".
    fn frozen_of(&self, band: &Band) -> String {
        let Key::Schedule(id) = band.key else { return String::new() };
        let held = self.schedules.get(&id).filter(|_| band.tally.planned > 0).map_or(0, |schedule| {
            let from = self.frame.days[band.first].from.max(self.now).max(schedule.off_until.unwrap_or(self.now));
            freezes::count_held(&self.freezes, &schedule.rule, from, self.frame.days[band.last].to)
        });
        if held > 0 { format!(", {} of them frozen", words::count(held)) } else { String::new() }
    }

    pub fn crowd_entry(&self, crowd: &Crowd) -> Entry {
        let day = &self.frame.days[crowd.day];
        let bad = crowd.tally.of(RunStatus::Failed) + crowd.tally.of(RunStatus::Partial);
        // In a month to the day; in a day to what failed, which is what one looks for among so many.
        let there = self.asked.with(|asked| {
            asked.date = Some(day.date);
            match crowd.hour {
                None => asked.view = View::Day,
                Some(_) => asked.only = Only::Failed,
            }
        });
        let leads = crowd.hour.is_none() || (bad > 0 && self.asked.only != Only::Failed);
        let mut said = crowd.tally.words(false);
        if leads {
            said += if crowd.hour.is_none() { ". Show the day" } else { ". Show only failed" };
        }
        let (class, icon) = looks(&crowd.tally);
        let total = words::counted(crowd.tally.total(), "entry", "entries");
        let (id, clock, name) = match crowd.hour {
            Some(hour) => (format!("c-{}-{hour}", crowd.day), format!("{hour:02}:00 to {:02}:00,", hour + 1), total),
            None => (format!("c-{}", crowd.day), String::new(), total),
        };
        Entry {
            id,
            href: leads.then(|| there.address(&self.page())),
            dialog: false,
            edit: None,
            class: class.to_owned(),
            icon,
            name,
            iso: words::machine_time(day.from),
            clock,
            state: String::new(),
            said,
            duration: String::new(),
            more: String::new(),
        }
    }

    /// Everything that has a time, in its day and hour, with the line for now where that is shown. What began before
    /// the first day stands at its beginning.
    pub fn cells(&self) -> Cells {
        let mut all: Vec<(Moment, usize, Item)> = Vec::new();
        let mut put = |at: Moment, item: Item| {
            let at = at.max(self.frame.from());
            all.extend(self.frame.day_of(at).map(|day| (at, day, item)));
        };
        for run in self.ranges.iter().chain(&self.runs) {
            put(run.stands_for(), Item::entry(self.run_entry(run)));
        }
        for planned in &self.planned {
            put(planned.at, Item::entry(self.planned_entry(planned)));
        }
        if self.frame.view != View::Month && self.now >= self.frame.from() {
            put(self.now, Item::Now(self.frame.clock(self.now)));
        }
        // What was, then the line for now, then what will be.
        all.sort_by_key(|(at, ..)| *at);
        let mut cells = Cells::default();
        for (at, day, item) in all {
            cells.items.entry((day, self.frame.hour_of(at))).or_default().push(item);
        }
        for crowd in &self.crowds {
            let hour = crowd.hour.unwrap_or_default();
            cells.items.entry((crowd.day, hour)).or_default().insert(0, Item::entry(self.crowd_entry(crowd)));
        }
        cells
    }
}

/// "52.0 s" that stays on one line.
fn unbroken(duration: Duration) -> String {
    words::duration(duration).replace(' ', "\u{a0}")
}

fn lower(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}

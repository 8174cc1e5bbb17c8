//! Reads what the calendar shows from the rooms below: in a number of queries that does not grow with the schedules,
//! and of the runs no more than are shown one by one, the rest as counts.

use std::collections::{BTreeMap, HashMap};

use chrono::Duration;

use super::asked::Asked;
use super::fold::{self, Band, Folding, Key, Plan, Tallies, Tally};
use super::frame::{Frame, View};
use crate::applications::{Entered, enter};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::freezes::{self, Freeze};
use crate::import_sets;
use crate::imports::{self, Listed, Target};
use crate::members::{self, By, Member};
use crate::runs::Run;
use crate::runs::timeline::{self, Filter, Only, Stretch};
use crate::schedules::flagged::{self, Flag};
use crate::schedules::{Schedule, State, actions as schedules, run_name};
use crate::web::zones;
use crate::workspace;

/// An occurrence that is still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Planned {
    pub schedule: i64,
    pub at: Moment,
    /// Less than the Application's spacing from another one on its Connection.
    pub clash: bool,
}

/// What a crowded day holds in an hour of its clock or, in a month, altogether.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crowd {
    pub day: usize,
    pub hour: Option<u32>,
    pub tally: Tally,
}

pub struct CalendarScene {
    pub entered: Entered,
    pub asked: Asked,
    pub frame: Frame,
    /// What is wrong with the zone that was asked for.
    pub zone_error: Option<String>,
    /// By id.
    pub configurations: BTreeMap<i64, Listed>,
    /// By name.
    pub sets: Vec<import_sets::Outline>,
    pub schedules: HashMap<i64, Schedule>,
    /// Owners, and those who started something.
    pub members: HashMap<i64, Member>,
    /// Those of them who cannot run what they own.
    pub flags: HashMap<i64, Flag>,
    /// What is shown one by one, in the order of time.
    pub runs: Vec<Run>,
    /// Missed occurrences that are one row.
    pub ranges: Vec<Run>,
    pub planned: Vec<Planned>,
    pub bands: Vec<Band>,
    pub crowds: Vec<Crowd>,
    /// Those that hold at some time that is shown.
    pub freezes: Vec<Freeze>,
    /// What the folded runs are called whose schedule is gone.
    pub names: HashMap<Key, String>,
    pub now: Moment,
}

impl CalendarScene {
    /// For a member who may open Import Scheduling.
    pub fn load(conn: &mut Conn, by: &By, application_id: i64, asked: Asked, now: Moment) -> Result<Self> {
        let entered = enter(conn, by, application_id)?;
        entered.need_open_scheduling(conn)?;
        let own = match by.member.time_zone {
            Some(zone) => zone,
            None => workspace::get(conn)?.time_zone,
        };
        let (zone, zone_error) = match zones::parse(&asked.zone) {
            _ if asked.zone.is_empty() => (own, None),
            Ok(zone) => (zone, None),
            Err(words) => (own, Some(words)),
        };
        let frame = Frame::new(asked.view, asked.date, zone, now);
        let configurations: BTreeMap<i64, Listed> =
            imports::list(conn, &entered)?.into_iter().map(|listed| (listed.configuration.id, listed)).collect();
        let all: HashMap<i64, Schedule> =
            schedules::of_application(conn, &entered)?.into_iter().map(|s| (s.id, s)).collect();
        let filter = Filter { application_id, target: asked.target, only: asked.only };

        let days: Vec<Stretch> = frame.days.iter().map(|day| (day.from, day.to)).collect();
        let mut of_days = vec![Tally::default(); days.len()];
        for total in timeline::totals(conn, &filter, &days)? {
            of_days[total.stretch as usize].add(total.status, total.count);
        }
        let counts: Vec<i64> = of_days.iter().map(Tally::runs).collect();
        let whole = fold::whole(&counts, fold::most_apart(filter.target.is_some()));
        let mut tallies = Tallies::new(&frame);
        let told_apart: Vec<usize> = (0..days.len()).filter(|day| counts[*day] > 0 && !whole[*day]).collect();
        let stretches: Vec<Stretch> = told_apart.iter().map(|day| days[*day]).collect();
        for count in timeline::counts(conn, &filter, &stretches)? {
            let key = key_of(count.schedule_id, count.configuration_id);
            let day = told_apart[count.stretch as usize];
            tallies.days_of(key)[day].add(count.status, count.count);
        }
        let plans = plans(&all, &filter, now);
        fold::count_plans(&frame, &plans, &mut tallies);
        let folding = fold::fold(&frame, &tallies, whole);
        let mut crowds = crowds(conn, &filter, &frame, &tallies, &folding)?;
        let slots = whole_slots(&frame, &folding);
        count_whole(conn, &filter, &slots, &of_days, &mut crowds)?;
        plan_whole(&slots, &plans, &folding, &mut crowds);
        let (by_schedule, by_hand) = split(&folding);
        let gone: Vec<i64> = by_schedule.iter().copied().filter(|id| !all.contains_key(id)).collect();
        let deleted: Vec<i64> = by_hand.iter().copied().filter(|id| !configurations.contains_key(id)).collect();
        let of_schedules = timeline::names_of(conn, &gone)?.into_iter();
        let of_schedules =
            of_schedules.map(|(id, name)| (Key::Schedule(id), run_name::without_stamp(&name).to_owned()));
        let of_configurations = imports::by_ids(conn, &deleted)?.into_iter().map(|c| (Key::ByHand(c.id), c.name));
        let of_sets = [(Key::ByHand(0), "Import sets, by hand".to_owned())];
        let names = of_schedules.chain(of_configurations).chain(of_sets).collect();
        let quiet: Vec<Stretch> =
            days.iter().zip(&folding.crowded).filter(|(_, crowded)| !**crowded).map(|(day, _)| *day).collect();
        let runs = timeline::within(conn, &filter, &quiet, &by_schedule, &by_hand)?;
        let ranges = timeline::ranges(conn, &filter, (frame.from(), frame.to()))?;
        let mut planned = one_by_one(&frame, &plans, &folding);
        let crowds = into_crowds(&frame, &folding, crowds, &mut planned);
        let spacing = Duration::minutes(i64::from(entered.application.spacing_minutes));
        mark_clashes(&mut planned, spacing, |p| {
            let configuration = configurations.get(&all.get(&p.schedule)?.target.configuration()?)?;
            configuration.configuration.connection_id
        });
        let mut freezes = freezes::of_application(conn, application_id)?;
        freezes.retain(|f| f.starts_at < frame.to() && frame.from() < f.ends_at);
        let sets = import_sets::outlines(conn, application_id)?;
        let owners = all.values().map(|s| s.owner_id);
        let people: Vec<i64> =
            owners.chain(runs.iter().flat_map(|r| [r.started_by, r.as_member_id]).flatten()).collect();
        let people = members::by_ids(conn, &people)?;
        Ok(Self {
            bands: fold::bands(&frame, &tallies, &folding),
            flags: flagged::flags(conn, &entered.application, &people)?,
            members: people.into_iter().map(|m| (m.id, m)).collect(),
            schedules: all,
            entered,
            asked,
            frame,
            zone_error,
            configurations,
            sets,
            runs,
            ranges,
            planned,
            crowds,
            freezes,
            names,
            now,
        })
    }

    /// The address of the calendar.
    pub fn page(&self) -> String {
        format!("{}/settings/import-scheduling/calendar", self.base())
    }

    pub fn base(&self) -> String {
        format!("/applications/{}", self.entered.application.id)
    }

    /// What the runs of a schedule are called.
    pub fn name_of(&self, schedule: &Schedule) -> String {
        if let Some(name) = &schedule.run_name {
            return name.clone();
        }
        let named = match schedule.target {
            Target::Configuration(id) => self.configurations.get(&id).map(|listed| listed.configuration.name.clone()),
            Target::Set(id) => self.sets.iter().find(|set| set.id == id).map(|set| run_name::of_set(&set.name)),
        };
        named.unwrap_or_else(|| "A deleted import".to_owned())
    }

    /// The same of one occurrence, as far as it is known before: its instant stands beside it.
    pub fn name_at(&self, schedule: &Schedule, at: Moment) -> String {
        let name = run_name::at(&self.name_of(schedule), at, schedule.rule.time_zone(), |_| None);
        run_name::without_stamp(&name).to_owned()
    }

    /// What is frozen on a day, and for which part of it: "Frozen from 18:00: Year-end close".
    pub fn frozen_words(&self, n: usize) -> Vec<String> {
        let day = &self.frame.days[n];
        let on_it = self.freezes.iter().filter(|f| f.starts_at < day.to && day.from < f.ends_at);
        on_it
            .map(|f| {
                let from = (f.starts_at > day.from).then(|| format!(" from {}", self.frame.clock(f.starts_at)));
                let to = (f.ends_at < day.to).then(|| format!(" until {}", self.frame.clock(f.ends_at)));
                format!("Frozen{}{}: {}", from.unwrap_or_default(), to.unwrap_or_default(), f.name)
            })
            .collect()
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
            && self.ranges.is_empty()
            && self.planned.is_empty()
            && self.bands.is_empty()
            && self.crowds.is_empty()
    }
}

pub fn key_of(schedule_id: Option<i64>, configuration_id: Option<i64>) -> Key {
    schedule_id.map_or(Key::ByHand(configuration_id.unwrap_or_default()), Key::Schedule)
}

/// What the schedules still have before them, where that is asked for.
fn plans<'a>(schedules: &'a HashMap<i64, Schedule>, filter: &Filter, now: Moment) -> Vec<Plan<'a>> {
    let mut plans: Vec<Plan> = schedules
        .values()
        .filter(|s| filter.only != Only::Failed && filter.target.is_none_or(|target| s.target == target))
        .filter_map(|s| {
            let (due, from) = match (s.state(), s.next_at, s.off_until) {
                (State::On, Some(next), _) => (Some(next).filter(|at| *at < now), next.max(now)),
                // It turns itself on again.
                (State::Off, _, Some(until)) => (None, until.max(now)),
                _ => return None,
            };
            Some(Plan { schedule: s.id, rule: &s.rule, due, from })
        })
        .collect();
    plans.sort_by_key(|plan| plan.schedule);
    plans
}

fn split(folding: &Folding) -> (Vec<i64>, Vec<i64>) {
    let mut by_schedule = Vec::new();
    let mut by_hand = Vec::new();
    for key in &folding.keys {
        match key {
            Key::Schedule(id) => by_schedule.push(*id),
            Key::ByHand(id) => by_hand.push(*id),
        }
    }
    (by_schedule, by_hand)
}

fn one_by_one(frame: &Frame, plans: &[Plan], folding: &Folding) -> Vec<Planned> {
    // Of a month's crowded days it is known already how many there are.
    let stretches: Vec<Stretch> = match frame.view {
        View::Month => (frame.days.iter().zip(&folding.crowded))
            .filter(|(_, crowded)| !**crowded)
            .map(|(day, _)| (day.from, day.to))
            .collect(),
        View::Week | View::Day => vec![(frame.from(), frame.to())],
    };
    let mut planned = Vec::new();
    for plan in plans.iter().filter(|plan| !folding.keys.contains(&Key::Schedule(plan.schedule))) {
        let schedule = plan.schedule;
        let instants = stretches.iter().flat_map(|(from, to)| plan.instants(*from, *to));
        planned.extend(instants.map(|at| Planned { schedule, at, clash: false }));
    }
    planned.sort_by_key(|p| (p.at, p.schedule));
    planned
}

/// The runs of crowded days by the hour; in a month a day is enough, and known already, with what is planned.
fn crowds(
    conn: &mut Conn,
    filter: &Filter,
    frame: &Frame,
    tallies: &Tallies,
    folding: &Folding,
) -> Result<BTreeMap<(usize, Option<u32>), Tally>> {
    let mut crowds: BTreeMap<(usize, Option<u32>), Tally> = BTreeMap::new();
    if frame.view == View::Month {
        let crowded = || (0..frame.days.len()).filter(|day| folding.crowded[*day]);
        for (_, days) in tallies.iter().filter(|(key, _)| !folding.keys.contains(key)) {
            for day in crowded() {
                let crowd = crowds.entry((day, None)).or_default();
                crowd.planned += days[day].planned;
                // The runs of days that are counted as a whole come with the others of these.
                if !folding.whole[day] {
                    crowd.add_past(&days[day]);
                }
            }
        }
        return Ok(crowds);
    }
    let crowded = (0..frame.days.len()).filter(|day| folding.crowded[*day] && !folding.whole[*day]);
    let hours: Vec<_> = crowded
        .flat_map(|day| frame.hours(day).into_iter().map(move |(hour, from, to)| (day, hour, from, to)))
        .collect();
    let stretches: Vec<Stretch> = hours.iter().map(|(.., from, to)| (*from, *to)).collect();
    for count in timeline::counts(conn, filter, &stretches)? {
        let (day, hour, ..) = hours[count.stretch as usize];
        if !folding.keys.contains(&key_of(count.schedule_id, count.configuration_id)) {
            crowds.entry((day, Some(hour))).or_default().add(count.status, count.count);
        }
    }
    Ok(crowds)
}

/// The runs of days of which nothing is told apart: by the hour, and in a month what is known already.
fn count_whole(
    conn: &mut Conn,
    filter: &Filter,
    slots: &[Slot],
    of_days: &[Tally],
    crowds: &mut BTreeMap<(usize, Option<u32>), Tally>,
) -> Result<()> {
    for (day, ..) in slots.iter().filter(|(_, hour, _)| hour.is_none()) {
        crowds.entry((*day, None)).or_default().merge(&of_days[*day]);
    }
    let by_hour: Vec<&Slot> = slots.iter().filter(|(_, hour, _)| hour.is_some()).collect();
    let stretches: Vec<Stretch> = by_hour.iter().map(|(.., stretch)| *stretch).collect();
    for total in timeline::totals(conn, filter, &stretches)? {
        let (day, hour, _) = *by_hour[total.stretch as usize];
        crowds.entry((day, hour)).or_default().add(total.status, total.count);
    }
    Ok(())
}

/// And what is planned there of those that are bands elsewhere.
fn plan_whole(slots: &[Slot], plans: &[Plan], folding: &Folding, crowds: &mut BTreeMap<(usize, Option<u32>), Tally>) {
    for plan in plans.iter().filter(|plan| folding.keys.contains(&Key::Schedule(plan.schedule))) {
        for (day, hour, (from, to)) in slots {
            let planned = plan.count(*from, *to);
            if planned > 0 {
                crowds.entry((*day, *hour)).or_default().planned += planned;
            }
        }
    }
}

/// A day, or an hour of it.
type Slot = (usize, Option<u32>, Stretch);

/// Days of which nothing is told apart; but for a month, each hour of them.
fn whole_slots(frame: &Frame, folding: &Folding) -> Vec<Slot> {
    let whole = (0..frame.days.len()).filter(|day| folding.whole[*day]);
    whole
        .flat_map(|day| match frame.view {
            View::Month => vec![(day, None, (frame.days[day].from, frame.days[day].to))],
            _ => frame.hours(day).into_iter().map(|(hour, from, to)| (day, Some(hour), (from, to))).collect(),
        })
        .collect()
}

/// Takes what is planned on crowded days into their counts, where it was told one by one.
fn into_crowds(
    frame: &Frame,
    folding: &Folding,
    mut crowds: BTreeMap<(usize, Option<u32>), Tally>,
    planned: &mut Vec<Planned>,
) -> Vec<Crowd> {
    planned.retain(|p| {
        let Some(day) = frame.day_of(p.at).filter(|day| folding.crowded[*day]) else { return true };
        let hour = (frame.view != View::Month).then(|| frame.hour_of(p.at));
        crowds.entry((day, hour)).or_default().planned += 1;
        false
    });
    crowds.into_iter().map(|((day, hour), tally)| Crowd { day, hour, tally }).collect()
}

/// Outlines what is planned closer together on one Connection than the Application wants it.
fn mark_clashes(planned: &mut [Planned], spacing: Duration, connection: impl Fn(&Planned) -> Option<i64>) {
    let mut near: HashMap<i64, Vec<usize>> = HashMap::new();
    for n in 0..planned.len() {
        let Some(connection) = connection(&planned[n]) else { continue };
        let near = near.entry(connection).or_default();
        near.retain(|before| planned[n].at.since(planned[*before].at) < spacing);
        for before in near.iter() {
            if planned[*before].schedule != planned[n].schedule {
                planned[*before].clash = true;
                planned[n].clash = true;
            }
        }
        near.push(n);
    }
}

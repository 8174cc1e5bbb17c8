//! From what is known to what is drawn: a card per configuration or set, a row per schedule.

use std::collections::HashMap;

use chrono::Duration;

use super::card::{Card, Chip, Failure, Frozen, Given, Last, Marked, NextRun, Row};
use super::cards_scene::CardsScene;
use super::mending::{self, Place};
use super::overview::may_hand_over;
use super::ready_by::{self, Promised};
use super::strip;
use super::view::opening;
use crate::clock::Moment;
use crate::freezes;
use crate::imports::{ConfigurationStatus, Listed, Target};
use crate::names::folded;
use crate::runs::{Run, RunResult, RunStatus};
use crate::schedules::flagged::Flag;
use crate::schedules::{self, Notify, Schedule, State, sentence};
use crate::web::Icon;
use crate::web::page::{encode, initials};
use crate::words;

/// A run's status as a chip.
pub fn status_chip(status: RunStatus) -> Chip {
    let (class, icon) = match status {
        RunStatus::Queued => ("", "clock"),
        RunStatus::Running => ("is-run", "spin"),
        RunStatus::Success => ("is-ok", "ok"),
        RunStatus::Partial => ("is-warn", "part"),
        RunStatus::Failed => ("is-bad", "bad"),
        RunStatus::Cancelled => ("", "x"),
        RunStatus::Skipped | RunStatus::Missed => ("", "info"),
        RunStatus::Held => ("is-warn", "pause"),
    };
    Chip { class, icon, word: status.words() }
}

/// Soon enough to look for the run every other second.
const SOON: Duration = Duration::seconds(75);

/// What a card is of.
struct Of<'a> {
    name: &'a str,
    icon: Icon,
    /// The Block that it fills, or the steps that it has, and their page.
    about: String,
    about_href: String,
    source: String,
    status: Option<ConfigurationStatus>,
    status_run_id: Option<i64>,
    /// Of a configuration.
    listed: Option<&'a Listed>,
}

impl CardsScene {
    /// What it is, if it is there.
    fn of(&self, target: Target, base: &str) -> Option<Of<'_>> {
        Some(match target {
            Target::Configuration(id) => {
                let listed = self.configurations.get(&id)?;
                let configuration = &listed.configuration;
                Of {
                    name: &configuration.name,
                    icon: if configuration.needs_file() { "up" } else { "db" },
                    about: listed.block_name.clone(),
                    about_href: format!("{base}/blocks/{}", configuration.block_id),
                    source: listed.source(),
                    status: configuration.status,
                    status_run_id: configuration.status_run_id,
                    listed: Some(listed),
                }
            }
            Target::Set(id) => {
                let (set, definition) = self.sets.get(&id)?;
                let steps = words::counted(definition.steps.len() as i64, "step", "steps");
                Of {
                    name: &set.name,
                    icon: "list",
                    about: format!("{steps}, {}", definition.execution.label().to_lowercase()),
                    about_href: format!("{base}/settings/import-sets/{id}"),
                    source: String::new(),
                    status: set.status,
                    status_run_id: set.status_run_id,
                    listed: None,
                }
            }
        })
    }

    /// The card of a configuration or a set, if that is there.
    pub fn card(&self, target: Target, given: &Given) -> Option<Card> {
        let base = format!("/applications/{}", self.entered.application.id);
        let of = self.of(target, &base)?;
        let open = self.open.get(&target);
        let mark = of.status_run_id.and_then(|id| self.marks.get(&id));
        let past = self.strips.get(&target).map(Vec::as_slice).unwrap_or_default();
        let schedules: Vec<&Schedule> = self.schedules.iter().filter(|s| s.target == target).collect();
        let off = schedules.iter().filter(|s| s.state() == State::Off).count();
        let in_tab = |s: &&&Schedule| given.view.show != "off" || s.state() == State::Off;
        let shown: Vec<&Schedule> = schedules.iter().filter(in_tab).filter(|_| given.open).copied().collect();
        let words = folded(&given.view.q);
        let next = schedules.iter().filter_map(|s| Some((s.next_at?, s.id, *s))).min_by_key(|(at, id, _)| (*at, *id));
        let failed = matches!(of.status, Some(ConfigurationStatus::Failed | ConfigurationStatus::Partial));
        let needs_file = of.listed.is_some_and(|listed| listed.configuration.needs_file());
        Some(Card {
            id: target.short(),
            kind: if target.set().is_some() { "set" } else { "configuration" },
            number: target.id(),
            name: of.name.to_owned(),
            shown_name: marked(of.name, &words),
            icon: of.icon,
            history: super::history::address(self.entered.application.id, target),
            csrf: given.csrf.to_owned(),
            about: if of.listed.is_some() { marked(&of.about, &words) } else { marked(&of.about, "") },
            about_href: of.about_href,
            source: marked(&of.source, &words),
            strip: strip::bars(past),
            strip_label: strip::label(past),
            chip: match (open, of.status) {
                (Some(run), _) => status_chip(run.status),
                (None, Some(status)) => {
                    let (word, class, icon) = status.chip();
                    Chip { class, icon, word }
                }
                (None, None) => Chip { class: "", icon: "clock", word: "Not run yet" },
            },
            last: mark.filter(|_| open.is_none()).map(|run| self.last(run)),
            later: past.last().filter(|past| open.is_none() && Some(past.run_id) != mark.map(|run| run.id)).and_then(
                |past| {
                    Some(Last {
                        run: past.run_id,
                        words: format!("{} {}", past.status.words(), self.clock(past.finished_at?)),
                    })
                },
            ),
            may_import: self.entered.may_import(),
            may_hand_over: may_hand_over(&self.entered),
            promised: self.promises.get(&target).map(|stands| Promised::of(stands, self.now)),
            ready_by: ready_by::address(self.entered.application.id, target),
            needs_file,
            active_run: open.map(|run| run.id),
            again: mark.filter(|_| failed && open.is_none()).map(|run| run.id),
            progress: open.map(|run| self.progress(run, mark)),
            failure: mark
                .filter(|run| (failed || run.hold.is_some()) && open.is_none())
                .map(|run| self.failure(run, of.listed)),
            used: schedules.iter().filter(|s| s.state() != State::Finished).count(),
            schedules: match schedules.len() {
                0 => String::new(),
                count => words::counted(count as i64, "schedule", "schedules"),
            },
            off: match off {
                0 => String::new(),
                off => format!("{off} of {} off", schedules.len()),
            },
            others: match schedules.len() - shown.len() {
                0 => String::new(),
                _ if !given.open => String::new(),
                more => words::counted(more as i64, "more is on", "more are on"),
            },
            next: next.and_then(|(.., schedule)| self.next(schedule)),
            poll: self.poll(next.map(|(at, ..)| at), open),
            rows: shown.iter().map(|s| self.row(s, given.picked.contains(&s.id), &words)).collect(),
            open: given.open,
            back: given.back.to_owned(),
            back_encoded: encode(given.back),
            toggle: if given.open { given.back.to_owned() } else { opening(given.back, target) },
            by_itself: given.by_itself,
            mark: match (of.status_run_id, open) {
                (of, Some(open)) => format!("{}-{}-{}", of.unwrap_or_default(), open.id, open.status),
                (of, None) => of.unwrap_or_default().to_string(),
            },
            oob: given.oob,
            here: super::switch::list(self.entered.application.id),
            base,
        })
    }

    /// The run that the configuration's status is of: when it ended, and what it loaded.
    fn last(&self, run: &Run) -> Last {
        let when = run.finished_at.map(|at| self.clock(at)).unwrap_or_default();
        let loaded = run.result.as_ref().map_or_else(|| words::rows(0), RunResult::loaded_short);
        Last { run: run.id, words: format!("{when} · {loaded}") }
    }

    /// "19:43", "Yesterday, 19:43": by the Application's clock.
    fn clock(&self, at: Moment) -> String {
        let words = words::short_time(at, self.now, self.entered.application.time_zone);
        words.strip_prefix("Today, ").map(str::to_owned).unwrap_or(words)
    }

    fn next(&self, schedule: &Schedule) -> Option<NextRun> {
        let at = schedule.next_at?;
        Some(NextRun {
            iso: words::machine_time(at),
            when: words::short_time(at, self.now, schedule.rule.time_zone()),
            relative: words::relative_in(at, self.now, schedule.rule.time_zone()),
            frozen: self.frozen(schedule, at),
        })
    }

    /// Every other second while something goes or is about to; otherwise now and then, for what others do.
    fn poll(&self, next: Option<Moment>, open: Option<&Run>) -> Option<&'static str> {
        match next {
            _ if open.is_some() => Some("2s"),
            Some(at) if at.since(self.now) < SOON => Some("2s"),
            Some(_) => Some("30s"),
            None => None,
        }
    }

    fn failure(&self, run: &Run, listed: Option<&Listed>) -> Failure {
        let place = Place::of(run.status, self.failed_steps.get(&run.id).map(String::as_str));
        let ways = listed.map(|of| mending::ways(place, &of.configuration, &self.entered)).unwrap_or_default();
        let when = run.finished_at.map(|at| words::relative(at, self.now)).unwrap_or_default();
        if let Some(hold) = &run.hold {
            let until = words::relative_in(hold.until, self.now, self.entered.application.time_zone);
            return Failure {
                class: "is-warn",
                icon: "pause",
                cause: hold.stopped.words(),
                rest: format!("Held {when}. Approve or reject the load; it fails {until} otherwise."),
                run: run.id,
                ways: Vec::new(),
            };
        }
        if let (RunStatus::Partial, None) = (run.status, listed) {
            let cause = run.reason.clone().unwrap_or_else(|| "Not all steps succeeded.".into());
            let rest = format!("It ended {when}.");
            return Failure { class: "is-warn", icon: "part", cause, rest, run: run.id, ways };
        }
        if run.status == RunStatus::Partial {
            let result = run.result.clone().unwrap_or_default();
            return Failure {
                class: "is-warn",
                icon: "part",
                cause: format!("{} rejected.", words::counted(result.rejected, "row was", "rows were")),
                rest: format!("{}, {when}.", result.loaded_words()),
                run: run.id,
                ways,
            };
        }
        let cause = run.cause.clone().unwrap_or_else(|| "The import failed.".into());
        // The first sentence stands out.
        let (first, rest) = match cause.split_once(". ") {
            Some((first, rest)) => (format!("{first}."), rest.to_owned()),
            None => (cause, String::new()),
        };
        Failure {
            class: "is-bad",
            icon: "bad",
            cause: first,
            rest: format!("{rest} It failed {when}.").trim().to_owned(),
            run: run.id,
            ways,
        }
    }

    /// That its next occurrence will be skipped, and which one will not.
    fn frozen(&self, schedule: &Schedule, next: Moment) -> Option<Frozen> {
        let freeze = freezes::at(&self.freezes, next)?;
        let zone = schedule.rule.time_zone();
        let then = match freezes::next_run(&self.freezes, schedule) {
            Some(at) => format!("runs {}", words::short_time(at, self.now, zone)),
            None => "no run after that".into(),
        };
        Some(Frozen { by: format!("Frozen by “{}”", freeze.name), then })
    }

    fn row(&self, schedule: &Schedule, picked: bool, words: &str) -> Row {
        let zone = schedule.rule.time_zone();
        let state = schedule.state();
        let owner = self.members.get(&schedule.owner_id);
        let owner_name = owner.map_or_else(|| "Nobody".to_owned(), |m| m.name.clone());
        Row {
            id: schedule.id,
            headline: match schedule.broken {
                Some(_) => schedule.sentence(),
                None => schedules::headline(&schedule.rule),
            },
            bounds: sentence::zone_and_end(&schedule.rule, self.entered.application.time_zone),
            enabled: schedule.enabled && state != State::Finished,
            finished: state == State::Finished,
            chip: state_chip(schedule),
            next: self.next(schedule),
            picked,
            state: match (state, schedule.off_until) {
                (State::On, _) => "No next run".into(),
                (State::Off, Some(until)) => format!("Off until {}", words::day_or_time(until, zone)),
                (State::Off, None) => "Off".into(),
                (State::Finished, _) => "Finished".into(),
            },
            state_note: match (state, schedule.off_until) {
                _ if schedule.broken.is_some() => schedule.broken.clone(),
                (State::Off, Some(until)) => schedules::first_at_or_after(&schedule.rule, until)
                    .map(|at| format!("then {}", words::short_time(at, self.now, zone))),
                (State::Off, None) => Some("No run is planned".into()),
                (State::Finished, _) => Some("Edit it to schedule it again".into()),
                (State::On, _) => None,
            },
            owner_initials: initials(&owner_name),
            flag: self.flags.get(&schedule.owner_id).filter(|_| state != State::Finished).map(Flag::short),
            shut: self.shut.get(&schedule.id).cloned(),
            owner: marked(&owner_name, words),
            may_skip: state == State::On && schedule.next_at.is_some(),
            notify: notify_words(schedule.notify.as_ref(), &self.groups),
        }
    }
}

/// "On", "Off".
pub fn state_chip(schedule: &Schedule) -> Chip {
    match schedule.state() {
        _ if schedule.broken.is_some() => Chip { class: "is-bad", icon: "bad", word: "Broken" },
        State::On => Chip { class: "is-ok", icon: "ok", word: "On" },
        State::Off => Chip { class: "", icon: "pause", word: "Off" },
        State::Finished => Chip { class: "", icon: "check", word: "Finished" },
    }
}

/// A text with the first place that was searched for; `words` are folded.
fn marked(text: &str, words: &str) -> Marked {
    // Letter by letter, with where each came from: folding may make one of two, or two of one.
    let mut letters = String::new();
    let mut from = Vec::new();
    for (at, c) in text.char_indices() {
        letters.push_str(&folded(c.encode_utf8(&mut [0; 4])));
        from.resize(letters.len(), (at, at + c.len_utf8()));
    }
    let hit = Some(words).filter(|words| !words.is_empty()).and_then(|words| letters.find(words));
    let (start, end) = hit.map_or((text.len(), text.len()), |at| (from[at].0, from[at + words.len() - 1].1));
    Marked { before: text[..start].to_owned(), hit: text[start..end].to_owned(), after: text[end..].to_owned() }
}

fn notify_words(notify: Option<&Notify>, groups: &HashMap<i64, String>) -> String {
    match notify {
        None => "No one is notified".into(),
        Some(notify) => format!("{}, {}", notify.about.words(), notify.who(groups)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_searched_is_marked_as_it_is_written() {
        for (text, words, hit) in [
            ("Straße 7", "STRASSE", "Straße"),
            ("Umsatz égalité", "egalite", "égalité"),
            ("Straße", "s", "S"),
            ("ﬁnance", "fin", "ﬁn"),
            ("words", "", ""),
            ("words", "numbers", ""),
        ] {
            let marked = marked(text, &folded(words));
            assert_eq!(marked.hit, hit, "{text}");
            assert_eq!(format!("{}{}{}", marked.before, marked.hit, marked.after), text);
        }
        let html = marked("<b> & words", "words").to_string();
        assert_eq!(html, "&#60;b&#62; &#38; <mark>words</mark>");
    }
}

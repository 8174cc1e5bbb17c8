//! What of the list is asked for, all of it in the address: the filter, the tab, the order, the page, what is open. And
//! which of an Application's sets and configurations that shows, by what a long list knows of each. Pure.

use std::collections::HashMap;

use crate::clock::Moment;
use crate::import_sets;
use crate::imports::{self, ConfigurationStatus, Target};
use crate::members::Member;
use crate::names::folded;
use crate::runs::glance::Open;
use crate::schedules::flagged::Flag;
use crate::schedules::{self, State};
use crate::web::Form;
use crate::web::page::encode;

/// So many configurations stand on a page.
pub const PAGE: usize = 50;
/// No more than so many are all open by themselves.
const FEW: usize = 5;

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct View {
    /// Words to be found in configuration, Block, source or Owner.
    pub q: String,
    /// One of [`TABS`].
    pub show: String,
    /// One of [`SORTS`].
    pub sort: String,
    /// From 1; `None`: the first, or the one on which something is open.
    pub page: Option<usize>,
    /// Cards that somebody opened.
    pub open: Vec<Target>,
}

pub const TABS: [(&str, &str); 6] = [
    ("", "All"),
    ("failed", "Failed"),
    ("partial", "Partial"),
    ("held", "Held"),
    ("running", "Running"),
    ("off", "Off"),
];
pub const SORTS: [(&str, &str); 5] =
    [("", "Failed first"), ("name", "Name"), ("next", "Next run"), ("last", "Last run"), ("owner", "Owner")];

impl View {
    /// From an address or a form; what is not understood is the default.
    pub fn of(form: &Form) -> Self {
        let known = |name: &str, all: &[(&str, &str)]| {
            let value = form.get(name);
            all.iter().find(|(key, _)| *key == value).map(|(key, _)| (*key).to_owned()).unwrap_or_default()
        };
        Self {
            q: form.get("q").to_owned(),
            show: known("show", &TABS),
            sort: known("sort", &SORTS),
            page: form.some("page").and_then(|page| page.parse().ok()).filter(|page| *page > 0),
            open: form.all("open").filter_map(Target::of_short).collect(),
        }
    }

    /// What an address of the list asks for.
    pub fn at(address: &str) -> Self {
        let query =
            address.split('#').next().and_then(|address| address.split_once('?')).map_or("", |(_, query)| query);
        Self::of(&Form::parse(query.as_bytes()))
    }

    /// All of it but what is open, as names and values.
    pub fn fields(&self) -> Vec<(&'static str, String)> {
        let page = self.page.filter(|page| *page > 1).map(|page| page.to_string()).unwrap_or_default();
        let all = [("q", self.q.clone()), ("show", self.show.clone()), ("sort", self.sort.clone()), ("page", page)];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// The address of exactly this.
    pub fn address(&self, list: &str) -> String {
        let open = self.open.iter().map(|target| ("open", target.short()));
        let pairs: Vec<String> =
            self.fields().into_iter().chain(open).map(|(name, value)| format!("{name}={}", encode(&value))).collect();
        if pairs.is_empty() { list.to_owned() } else { format!("{list}?{}", pairs.join("&")) }
    }

    /// The same with something else.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }
}

/// An address of the list with one more card open.
pub fn opening(address: &str, target: Target) -> String {
    let short = target.short();
    format!("{address}{}open={short}", if address.contains('?') { '&' } else { '?' })
}

/// What a long list knows of an Application.
pub struct Outlines {
    /// By name.
    pub configurations: Vec<imports::Outline>,
    /// By name.
    pub sets: Vec<import_sets::Outline>,
    pub schedules: Vec<schedules::Outline>,
    /// The Owners.
    pub members: HashMap<i64, Member>,
    /// Those of them who cannot run what they own.
    pub flags: HashMap<i64, Flag>,
    pub open: HashMap<Target, Open>,
}

/// What a page of the list shows.
#[derive(Debug, PartialEq, Eq)]
pub struct Shown {
    /// In order, sets before configurations, a page at most.
    pub targets: Vec<Target>,
    /// Those that are open, whoever opened them.
    pub open: Vec<Target>,
    pub page: usize,
    pub pages: usize,
    /// How many the tab holds.
    pub total: usize,
    /// In the order of [`TABS`]: how many of what the filter finds.
    pub counts: [usize; TABS.len()],
}

impl Outlines {
    pub fn shown(&self, view: &View) -> Shown {
        let of_each = self.of_each();
        let words = folded(&view.q);
        let found: Vec<&Of<'_>> = of_each.iter().filter(|of| self.finds(of, &words)).collect();
        let counts = TABS.map(|(key, _)| found.iter().filter(|of| self.is_in(of, key)).count());
        let mut in_tab: Vec<&Of<'_>> = found.into_iter().filter(|of| self.is_in(of, &view.show)).collect();
        // They come by name, and a sort keeps that among equals.
        match view.sort.as_str() {
            "name" => {}
            "next" => in_tab.sort_by_key(|of| (of.next().is_none(), of.next())),
            "last" => in_tab.sort_by_key(|of| std::cmp::Reverse(of.status_at)),
            "owner" => in_tab.sort_by_cached_key(|of| {
                let names = of.schedules.iter().filter_map(|s| self.members.get(&s.owner_id));
                let first = names.map(|member| folded(&member.name)).min();
                (first.is_none(), first)
            }),
            _ => in_tab.sort_by_key(|of| (!of.needs_somebody(), !of.is(ConfigurationStatus::Partial))),
        }
        // Sets have a section of their own.
        in_tab.sort_by_key(|of| of.target.set().is_none());
        let total = in_tab.len();
        let pages = total.div_ceil(PAGE).max(1);
        let opened = || in_tab.iter().position(|of| view.open.contains(&of.target));
        let page = view.page.or_else(|| opened().map(|at| at / PAGE + 1)).unwrap_or(1).min(pages);
        let on_it: Vec<&&Of<'_>> = in_tab.iter().skip((page - 1) * PAGE).take(PAGE).collect();
        let by_itself = |of: &Of<'_>| if total <= FEW { true } else { of.needs_somebody() };
        let mut failed = 0;
        let open = on_it.iter().filter(|of| {
            // Not a page full of them when everything failed at once: each says why it failed anyway.
            let by_itself = by_itself(of) && failed < FEW;
            failed += usize::from(by_itself);
            by_itself || view.open.contains(&of.target)
        });
        let open = open.map(|of| of.target).collect();
        Shown { targets: on_it.iter().map(|of| of.target).collect(), open, page, pages, total, counts }
    }

    fn of_each(&self) -> Vec<Of<'_>> {
        let mut schedules: HashMap<Target, Vec<&schedules::Outline>> = HashMap::new();
        for schedule in &self.schedules {
            schedules.entry(schedule.target).or_default().push(schedule);
        }
        let sets = self.sets.iter().map(|set| Of {
            target: Target::Set(set.id),
            said: [&set.name, "", ""],
            status: set.status,
            status_at: set.status_at,
            schedules: Vec::new(),
        });
        let configurations = self.configurations.iter().map(|c| Of {
            target: Target::Configuration(c.id),
            said: [&c.name, &c.block_name, &c.source],
            status: c.status,
            status_at: c.status_at,
            schedules: Vec::new(),
        });
        let mut all: Vec<Of<'_>> = sets.chain(configurations).collect();
        for of in &mut all {
            of.schedules = schedules.remove(&of.target).unwrap_or_default();
        }
        all
    }

    fn finds(&self, of: &Of<'_>, words: &str) -> bool {
        let has = |text: &str| folded(text).contains(words);
        words.is_empty()
            || of.said.iter().any(|text| has(text))
            || of.schedules.iter().any(|s| self.members.get(&s.owner_id).is_some_and(|m| has(&m.name)))
    }

    fn is_in(&self, of: &Of<'_>, tab: &str) -> bool {
        match tab {
            "failed" => of.is(ConfigurationStatus::Failed),
            "partial" => of.is(ConfigurationStatus::Partial),
            "held" => of.is(ConfigurationStatus::Held),
            "running" => self.open.contains_key(&of.target),
            "off" => of.schedules.iter().any(|s| s.state == State::Off),
            _ => true,
        }
    }
}

struct Of<'a> {
    target: Target,
    /// Name, Block, source.
    said: [&'a str; 3],
    status: Option<ConfigurationStatus>,
    status_at: Option<Moment>,
    schedules: Vec<&'a schedules::Outline>,
}

impl Of<'_> {
    fn is(&self, status: ConfigurationStatus) -> bool {
        self.status == Some(status)
    }

    /// What is held needs somebody as what failed does.
    fn needs_somebody(&self) -> bool {
        self.is(ConfigurationStatus::Failed) || self.is(ConfigurationStatus::Held)
    }

    fn next(&self) -> Option<Moment> {
        self.schedules.iter().filter_map(|s| s.next_at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Moment {
        Moment::from_micros(second * 1_000_000)
    }

    fn member(id: i64, name: &str) -> (i64, Member) {
        let member = Member {
            id,
            email: String::new(),
            name: name.to_owned(),
            role: "Importer".into(),
            permissions: Vec::new(),
            active: true,
            time_zone: None,
            theme: None,
            shortcuts: true,
            version: 1,
            created_at: at(0),
        };
        (id, member)
    }

    fn outlines(count: i64) -> Outlines {
        let configurations = (1..=count)
            .map(|id| imports::Outline {
                id,
                name: format!("Straße {id:03}"),
                status: Some(if id % 10 == 0 { ConfigurationStatus::Failed } else { ConfigurationStatus::Success }),
                status_at: Some(at(id * 37 % 101)),
                needs_file: false,
                block_name: "Égalité".into(),
                source: "a.csv from Ware".into(),
            })
            .collect();
        let schedules = (1..=count)
            .map(|id| schedules::Outline {
                id,
                target: Target::Configuration(id),
                owner_id: 1 + id % 2,
                next_at: (id % 7 != 0).then(|| at(1_000 - id)),
                state: if id % 7 == 0 { State::Off } else { State::On },
            })
            .collect();
        let members = [member(1, "Zoë"), member(2, "Łucja")].into();
        Outlines { configurations, sets: Vec::new(), schedules, members, flags: HashMap::new(), open: HashMap::new() }
    }

    fn shown(count: i64, query: &str) -> Shown {
        outlines(count).shown(&View::of(&Form::parse(query.as_bytes())))
    }

    fn numbers(targets: &[Target]) -> Vec<i64> {
        targets.iter().filter_map(|target| target.configuration()).collect()
    }

    fn ids(shown: &Shown) -> Vec<i64> {
        numbers(&shown.targets)
    }

    fn opened(shown: &Shown) -> Vec<i64> {
        numbers(&shown.open)
    }

    #[test]
    fn sets_come_first_whatever_the_order() {
        let mut all = outlines(60);
        all.sets = vec![import_sets::Outline { id: 9, name: "Month end".into(), status: None, status_at: None }];
        for query in ["", "sort=last", "sort=owner"] {
            let shown = all.shown(&View::of(&Form::parse(query.as_bytes())));
            assert_eq!((shown.targets[0], shown.total), (Target::Set(9), 61));
        }
        let there = all.shown(&View::of(&Form::parse(b"q=month&open=s9")));
        assert_eq!((there.targets, there.open), (vec![Target::Set(9)], vec![Target::Set(9)]));
    }

    #[test]
    fn fifty_at_a_time_the_failed_first() {
        let first = shown(120, "");
        assert_eq!((first.targets.len(), first.page, first.pages, first.total), (50, 1, 3, 120));
        assert_eq!(ids(&first)[..14], [10, 20, 30, 40, 50, 60, 70, 80, 90, 100, 110, 120, 1, 2]);
        assert_eq!(opened(&first), [10, 20, 30, 40, 50], "no page full of them");
        assert_eq!(first.counts, [120, 12, 0, 0, 0, 17]);
        assert_eq!(shown(120, "page=3").targets.len(), 20);
        assert_eq!(shown(120, "page=99").page, 3, "the last one");
        let there = shown(120, "sort=name&open=101");
        assert_eq!((there.page, opened(&there)), (3, vec![101, 110, 120]), "the page on which it is");
        assert_eq!(opened(&shown(4, "")), [1, 2, 3, 4], "few are all open");
    }

    #[test]
    fn orders_and_filters() {
        assert_eq!(ids(&shown(30, "sort=next"))[..3], [30, 29, 27]);
        assert_eq!(ids(&shown(30, "sort=next"))[26..], [7, 14, 21, 28], "nothing planned comes last");
        assert_eq!(ids(&shown(30, "sort=last"))[0], 30);
        assert_eq!(ids(&shown(30, "sort=owner"))[..2], [1, 3], "Łucja before Zoë");
        assert_eq!(ids(&shown(30, "q=STRASSE+007")), [7]);
        assert_eq!(shown(30, "q=egalite").total, 30);
        assert_eq!(shown(30, "q=zoe").total, 15);
        assert_eq!(shown(30, "q=ware").total, 30);
        assert_eq!(shown(30, "q=lucja&show=off").counts, [15, 0, 0, 0, 0, 2]);
        assert_eq!(shown(30, "q=nothing").pages, 1);
    }

    #[test]
    fn an_address_says_all_of_it() {
        let view = View::of(&Form::parse(b"q=a+b&show=off&sort=next&page=2&open=3&open=s4&x=y"));
        assert_eq!(view.address("/l"), "/l?q=a+b&show=off&sort=next&page=2&open=3&open=s4");
        assert_eq!(View::of(&Form::parse(b"show=odd&sort=odd&page=0")).address("/l"), "/l");
    }
}

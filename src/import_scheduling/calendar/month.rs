//! A month: weeks below each other, and in each day a few entries; the others are counted.

use super::cells::{Entry, Item, looks};
use super::fold::Band;
use super::page::day_address;
use super::scene::CalendarScene;

/// The days of whole weeks.
pub struct Month {
    pub days: Vec<Square>,
}

pub struct Square {
    pub id: String,
    pub weekday: String,
    pub day: String,
    pub rest: String,
    pub href: String,
    pub today: bool,
    pub inside: bool,
    pub change: Option<String>,
    pub frozen: Vec<String>,
    pub entries: Vec<Entry>,
    /// "9 more, 1 with failures".
    pub more: Option<String>,
    pub nothing: bool,
}

/// So many entries of a day stand in a month; the others are counted.
const IN_A_SQUARE: usize = 4;

/// What a day holds. Hundreds of bands may lie on one of which a few are drawn.
enum Held<'a> {
    Band(&'a Band),
    Entry(Box<Entry>),
}

impl Held<'_> {
    fn is_bad(&self) -> bool {
        match self {
            Self::Band(band) => looks(&band.tally).0 == "is-bad",
            Self::Entry(entry) => entry.class == "is-bad",
        }
    }

    fn drawn(self, scene: &CalendarScene) -> Entry {
        match self {
            Self::Band(band) => scene.band_entry(band),
            Self::Entry(entry) => *entry,
        }
    }
}

pub fn month(scene: &CalendarScene) -> Month {
    let frame = &scene.frame;
    let mut of_day: Vec<Vec<Held>> = frame.days.iter().map(|_| Vec::new()).collect();
    for band in &scene.bands {
        of_day[band.first].push(Held::Band(band));
    }
    for ((day, _), items) in scene.cells().items {
        of_day[day].extend(items.into_iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(Held::Entry(entry)),
            Item::Now(_) => None,
        }));
    }
    let days = of_day
        .into_iter()
        .enumerate()
        .map(|(n, mut held)| {
            let day = &frame.days[n];
            let nothing = held.is_empty();
            let rest = if held.len() > IN_A_SQUARE + 1 { held.split_off(IN_A_SQUARE) } else { Vec::new() };
            let bad = rest.iter().filter(|held| held.is_bad()).count();
            let more = (!rest.is_empty()).then(|| match bad {
                0 => format!("{} more", rest.len()),
                bad => format!("{} more, {bad} with failures", rest.len()),
            });
            Square {
                id: format!("day-{}", day.date),
                weekday: day.date.format("%a").to_string(),
                day: day.date.format("%-d").to_string(),
                rest: day.date.format("%B %Y").to_string(),
                href: day_address(scene, n),
                today: frame.today() == Some(n),
                inside: day.inside,
                change: day.clock_words(),
                frozen: scene.frozen_words(n),
                entries: held.into_iter().map(|held| held.drawn(scene)).collect(),
                more,
                nothing,
            }
        })
        .collect();
    Month { days }
}

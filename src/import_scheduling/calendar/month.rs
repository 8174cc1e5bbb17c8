//! A month: weeks below each other, and in each day a few entries; the others are counted.

use super::cells::{Entry, Item};
use super::page::day_address;
use super::scene::Scene;

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

pub fn month(scene: &Scene) -> Month {
    let frame = &scene.frame;
    let mut of_day: Vec<Vec<Entry>> = vec![Vec::new(); frame.days.len()];
    for band in &scene.bands {
        of_day[band.first].push(scene.band_entry(band));
    }
    for ((day, _), items) in scene.cells().items {
        of_day[day].extend(items.into_iter().filter_map(|item| match item {
            Item::Entry(entry) => Some(*entry),
            Item::Now(_) => None,
        }));
    }
    let days = of_day
        .into_iter()
        .enumerate()
        .map(|(n, mut entries)| {
            let day = &frame.days[n];
            let nothing = entries.is_empty();
            let rest = if entries.len() > IN_A_SQUARE + 1 { entries.split_off(IN_A_SQUARE) } else { Vec::new() };
            let bad = rest.iter().filter(|entry| entry.class == "is-bad").count();
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
                entries,
                more,
                nothing,
            }
        })
        .collect();
    Month { days }
}

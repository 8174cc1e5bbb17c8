//! What the address of the calendar asks for. Whatever is not understood becomes the default; only a zone that does not
//! exist is answered with words, because other times than one thinks would be shown.

use chrono::NaiveDate;

use super::frame::View;
use crate::imports::Target;
use crate::runs::timeline::Only;
use crate::web::Form;
use crate::web::page::encode;

#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub view: View,
    /// `None`: today.
    pub date: Option<NaiveDate>,
    pub only: Only,
    /// What alone is shown.
    pub target: Option<Target>,
    /// As it was typed; empty: the member's own.
    pub zone: String,
    /// Grid view: the same as a table.
    pub grid: bool,
    /// The table begins with the latest.
    pub latest_first: bool,
}

pub const SHOWS: [(Only, &str, &str); 3] = [
    (Only::All, "", "All runs"),
    (Only::Scheduled, "scheduled", "Only scheduled"),
    (Only::Failed, "failed", "Failed and partial"),
];

impl Asked {
    pub fn of(query: &Form) -> Self {
        let only = SHOWS.into_iter().find(|(_, key, _)| *key == query.get("show"));
        Self {
            view: View::parse(query.get("view")),
            date: NaiveDate::parse_from_str(query.get("date"), "%Y-%m-%d").ok(),
            only: only.map(|(only, ..)| only).unwrap_or_default(),
            target: Target::of_short(query.get("configuration")),
            zone: query.get("zone").trim().to_owned(),
            grid: query.get("grid") == "on",
            latest_first: query.get("order") == "latest",
        }
    }

    pub fn show(&self) -> &'static str {
        SHOWS.iter().find(|(only, ..)| *only == self.only).map_or("", |(_, key, _)| key)
    }

    pub fn is_filtered(&self) -> bool {
        self.only != Only::All || self.target.is_some()
    }

    /// The address that asks for this, without what is the default anyway.
    pub fn address(&self, page: &str) -> String {
        let mut pairs = Vec::new();
        if self.view != View::default() {
            pairs.push(format!("view={}", self.view.key()));
        }
        pairs.extend(self.date.map(|date| format!("date={date}")));
        if self.only != Only::All {
            pairs.push(format!("show={}", self.show()));
        }
        pairs.extend(self.target.map(|target| format!("configuration={}", target.short())));
        if !self.zone.is_empty() {
            pairs.push(format!("zone={}", encode(&self.zone)));
        }
        if self.grid {
            pairs.push("grid=on".to_owned());
        }
        if self.latest_first {
            pairs.push("order=latest".to_owned());
        }
        if pairs.is_empty() { page.to_owned() } else { format!("{page}?{}", pairs.join("&")) }
    }

    /// The same with something else.
    pub fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut other = self.clone();
        change(&mut other);
        other
    }
}

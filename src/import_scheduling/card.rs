//! One import configuration or set on the page: how it goes, what it did lately, its schedules. Only what is drawn; where it
//! comes from is `list.rs`.

use std::fmt;

use askama::Template;
use askama::filters::HtmlSafe;

use super::ready_by::Promised;
use super::view::View;
use crate::web::{Icon, icon};

/// A status: icon, word and colour, never colour alone.
#[derive(Clone, Debug)]
pub struct Chip {
    pub class: &'static str,
    pub icon: Icon,
    pub word: &'static str,
}

impl fmt::Display for Chip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, r#"<span class="chip {}">{}{}</span>"#, self.class, icon(self.icon), self.word)
    }
}

// Words of ours only.
impl HtmlSafe for Chip {}

/// The bars of one status in the strip of last runs: colour is the status, height the duration.
#[derive(Clone, Debug)]
pub struct Bars {
    pub class: &'static str,
    /// An SVG path.
    pub path: String,
}

/// A run that ended, as a link to its Summary.
#[derive(Clone, Debug)]
pub struct Last {
    pub run: i64,
    /// "19:43 · 200 rows", "Cancelled 19:50".
    pub words: String,
}

/// A text in which what was searched is marked.
#[derive(Template, Clone, Debug)]
#[template(ext = "html", source = "{{ before }}{% if !hit.is_empty() %}<mark>{{ hit }}</mark>{% endif %}{{ after }}")]
pub struct Marked {
    pub before: String,
    pub hit: String,
    pub after: String,
}

impl HtmlSafe for Marked {}

impl Marked {
    pub fn is_empty(&self) -> bool {
        [&self.before, &self.hit, &self.after].into_iter().all(String::is_empty)
    }
}

/// What the page on which a card stands gives it.
pub struct Given<'a> {
    pub csrf: &'a str,
    /// The schedules that are ticked.
    pub picked: &'a [i64],
    /// Whether it shows its schedules.
    pub open: bool,
    /// It is open whatever the address says, so that only a script closes it.
    pub by_itself: bool,
    /// What the page was asked for.
    pub view: &'a View,
    /// The address of the page, with this card closed.
    pub back: &'a str,
    /// It stands beside something else that htmx asked for.
    pub oob: bool,
}

/// How far a run is. `max` is the usual number of rows, where one is known.
#[derive(Clone, Debug)]
pub struct Progress {
    pub phase: String,
    pub rows: String,
    pub value: i64,
    pub max: Option<i64>,
    pub elapsed: String,
    /// Somebody asked to cancel it, and it is about to end.
    pub cancelling: bool,
}

/// The latest run failed, or loaded only some rows.
#[derive(Clone, Debug)]
pub struct Failure {
    pub class: &'static str,
    pub icon: Icon,
    pub cause: String,
    pub rest: String,
    pub run: i64,
    /// Where whoever may can put it right.
    pub ways: Vec<(&'static str, String)>,
}

#[derive(Clone, Debug)]
pub struct NextRun {
    pub iso: String,
    pub when: String,
    pub relative: String,
    /// A freeze will skip it.
    pub frozen: Option<Frozen>,
}

/// What leads where a freeze skips what comes next: that it does, and what it skips.
#[derive(Clone, Debug)]
pub struct Frozen {
    /// "Frozen by “Close”"
    pub by: String,
    /// "runs Mon 12 Oct, 19:00"
    pub then: String,
}

/// A schedule on the page.
#[derive(Clone, Debug)]
pub struct Row {
    pub id: i64,
    pub headline: String,
    pub bounds: String,
    pub enabled: bool,
    pub finished: bool,
    /// It plans a run that can be skipped.
    pub may_skip: bool,
    pub chip: Chip,
    pub next: Option<NextRun>,
    /// Ticked, to do something with several.
    pub picked: bool,
    pub state: String,
    pub state_note: Option<String>,
    pub owner: Marked,
    pub owner_initials: String,
    /// Why its runs will fail: "deactivated".
    pub flag: Option<&'static str>,
    /// Which secret its runs will not open.
    pub shut: Option<String>,
    pub notify: String,
}

#[derive(Template, Clone, Debug)]
#[template(path = "import_scheduling/card.html")]
pub struct Card {
    /// `7`, `s3`
    pub id: String,
    /// "configuration" or "set", and its number.
    pub kind: &'static str,
    pub number: i64,
    pub name: String,
    pub icon: Icon,
    /// `/applications/{a}`
    pub base: String,
    /// The address of Import Scheduling.
    pub here: String,
    pub history: String,
    pub csrf: String,
    pub shown_name: Marked,
    /// The Block that it fills, or the steps that it has, and their page.
    pub about: Marked,
    pub about_href: String,
    pub source: Marked,
    pub strip: Vec<Bars>,
    pub strip_label: String,
    pub chip: Chip,
    /// The run that the chip is of.
    pub last: Option<Last>,
    /// A later one that changed nothing.
    pub later: Option<Last>,
    pub may_import: bool,
    pub may_hand_over: bool,
    pub needs_file: bool,
    pub active_run: Option<i64>,
    /// The run that Run Again repeats, where the latest one failed.
    pub again: Option<i64>,
    pub progress: Option<Progress>,
    pub failure: Option<Failure>,
    pub rows: Vec<Row>,
    /// Whether `rows` are shown.
    pub open: bool,
    /// Only a script closes it.
    pub by_itself: bool,
    /// "3 schedules"; empty when there is none.
    pub schedules: String,
    /// "1 of 4 off"; empty when none is.
    pub off: String,
    /// "3 more are on": the tab shows those that are off.
    pub others: String,
    /// Of all its schedules the next one.
    pub next: Option<NextRun>,
    /// The page on which it stands.
    pub back: String,
    pub back_encoded: String,
    /// The same page with this card opened or closed.
    pub toggle: String,
    /// By when it is to be ready, and how that stands.
    pub promised: Option<Promised>,
    /// Where that is set.
    pub ready_by: String,
    /// Schedules that are not finished, of four.
    pub used: usize,
    /// How often the card asks for itself; `None` when nothing is to be expected.
    pub poll: Option<&'static str>,
    /// What it tells of runs, in short: when that is another, the page's numbers are too.
    pub mark: String,
    pub oob: bool,
}

impl HtmlSafe for Card {}

impl Card {
    /// "2 of 4 schedules", and whether finished ones stand above that do not count.
    fn counted(&self) -> String {
        match self.used {
            0 if self.rows.is_empty() && self.others.is_empty() => "Up to 4 schedules".to_owned(),
            used if self.rows.iter().any(|row| row.finished) => {
                format!("{used} of 4 schedules, not counting finished ones")
            }
            used => format!("{used} of 4 schedules"),
        }
    }

    /// What its button posts to.
    fn start(&self) -> String {
        match self.again {
            Some(run) => format!("/runs/{run}/again"),
            None => format!("{}/settings/import-{}s/{}/runs", self.base, self.kind, self.number),
        }
    }
}

//! What the cells of one column say, kept in constant memory while all of them go by.

use super::candidates::{Candidate, Candidates};
use crate::formats::column_type::ColumnType;
use crate::formats::rows::Cell;
use crate::formats::value::Value;

/// Words that files write for nothing, compared without regard to case.
const MARKERS: [&str; 15] =
    ["NA", "N/A", "#N/A", "#N/A N/A", "NULL", "(null)", "\\N", "NaN", "nil", "None", "-", "--", "?", ".", "n.a."];
/// Cells that may not be written in a way until it is out of the question; and of all cells no more than a tenth.
const MISFITS: u64 = 10;
/// Different cells that are shown.
const EXAMPLES: usize = 3;
/// Characters of a cell that are shown.
const SHOWN: usize = 60;

/// The cells of a column.
pub(super) struct Column {
    /// Neither empty nor a marker.
    pub cells: u64,
    pub empty: bool,
    /// Null markers as they are written.
    pub markers: Vec<String>,
    pub examples: Vec<String>,
    /// A cell that would not be written back as it came if it were a number.
    code: Option<String>,
    /// One with an exponent, which is a name among whole numbers ("12E4") and a number among fractions.
    exponent: Option<String>,
    has_fractions: bool,
    /// What each candidate cannot read; none: out of the question.
    misfits: Vec<Option<Misfits>>,
    /// The first cell that two candidates read differently.
    doubts: Vec<(usize, usize, String)>,
    truths: Truths,
    typed: bool,
}

#[derive(Clone, Default)]
struct Misfits {
    count: u64,
    first: Option<String>,
}

/// Single letters for true and false.
#[derive(Default)]
struct Truths {
    letters: bool,
    seen: [bool; 4],
}

impl Column {
    pub fn new(candidates: &Candidates) -> Self {
        Self {
            cells: 0,
            empty: false,
            markers: Vec::new(),
            examples: Vec::new(),
            code: None,
            exponent: None,
            has_fractions: false,
            misfits: vec![Some(Misfits::default()); candidates.list.len()],
            doubts: Vec::new(),
            truths: Truths::default(),
            typed: false,
        }
    }

    pub fn add(&mut self, cell: Cell<'_>, candidates: &Candidates) {
        let text = match cell {
            // What is no text makes a row damaged, and damaged rows do not come here.
            Cell::Text(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
            Cell::Null => "",
            Cell::Literal(bytes) | Cell::Integer(_, bytes) | Cell::Number(_, bytes) | Cell::Nested(bytes) => {
                self.typed = true;
                std::str::from_utf8(bytes).unwrap_or_default()
            }
            Cell::Boolean(truth) => {
                self.typed = true;
                if truth { "true" } else { "false" }
            }
            Cell::Binary(_) => {
                self.typed = true;
                "…"
            }
        };
        let trimmed = text.trim();
        if trimmed.is_empty() || candidates.nulls.iter().any(|null| null == text) {
            self.empty = true;
            return;
        }
        if matches!(cell, Cell::Text(_)) && is_marker(trimmed) {
            if !self.markers.iter().any(|marker| marker == trimmed) {
                self.markers.push(trimmed.to_owned());
            }
            return;
        }
        self.cells += 1;
        if self.examples.len() < EXAMPLES {
            let short = short(text);
            if !self.examples.contains(&short) {
                self.examples.push(short);
            }
        }
        if matches!(cell, Cell::Text(_)) {
            self.truths.see(trimmed);
            if self.code.is_none() && is_code(trimmed) {
                self.code = Some(short(text));
            } else if self.exponent.is_none() && is_whole_with_exponent(trimmed) {
                self.exponent = Some(short(text));
            }
            self.has_fractions |= trimmed.contains(['.', ',']);
        }
        self.try_each(cell, text, candidates);
    }

    fn try_each(&mut self, cell: Cell<'_>, text: &str, candidates: &Candidates) {
        let mut read: Vec<(usize, Value<'_>)> = Vec::new();
        for (i, candidate) in candidates.list.iter().enumerate() {
            if candidate.plainer.is_some_and(|plainer| self.reads_all(plainer)) {
                continue;
            }
            let Some(misfits) = &mut self.misfits[i] else { continue };
            if let Some(value) = candidate.read(cell) {
                read.push((i, value));
                continue;
            }
            misfits.count += 1;
            misfits.first.get_or_insert_with(|| short(text));
            if misfits.count > MISFITS && misfits.count * 10 > self.cells {
                self.misfits[i] = None;
            }
        }
        for (at, (i, value)) in read.iter().enumerate() {
            for (j, other) in &read[at + 1..] {
                let alike = candidates.list[*i].kind == candidates.list[*j].kind;
                if alike && value != other && !self.doubts.iter().any(|(a, b, _)| (a, b) == (i, j)) {
                    self.doubts.push((*i, *j, short(text)));
                }
            }
        }
    }

    /// A cell that would not be written back as it came if the column were one of numbers.
    pub fn code(&self) -> Option<&str> {
        self.code.as_ref().or(self.exponent.as_ref().filter(|_| !self.has_fractions)).map(String::as_str)
    }

    /// A cell that is a number and would be written back in another way.
    pub fn exponent(&self) -> Option<&str> {
        self.exponent.as_deref()
    }

    /// Whether every cell is written so, and would be written back as it came.
    pub fn fits(&self, i: usize, candidates: &Candidates) -> bool {
        let suits = match candidates.list[i].kind {
            ColumnType::Integer | ColumnType::Number => self.code().is_none(),
            ColumnType::Boolean => self.typed || self.truths.are_words(),
            _ => true,
        };
        self.cells > 0 && suits && self.reads_all(i)
    }

    /// Whether no other way leaves fewer of its cells unread: the ways that are left to somebody who says what the column
    /// holds, though not every cell is written so.
    pub fn nearest(&self, i: usize, candidates: &Candidates) -> bool {
        let unread = |i: usize| self.misfits[i].as_ref().map_or(u64::MAX, |misfits| misfits.count);
        let alike = (0..candidates.list.len()).filter(|other| candidates.list[*other].kind == candidates.list[i].kind);
        self.cells > 0 && alike.map(unread).min() == Some(unread(i))
    }

    /// Whether some cell reads in two ways.
    pub fn has_doubts(&self) -> bool {
        !self.doubts.is_empty()
    }

    fn reads_all(&self, i: usize) -> bool {
        self.misfits[i].as_ref().is_some_and(|misfits| misfits.count == 0)
    }

    /// A cell that two ways read differently. What a plainer way reads, the other one reads alike, and was not tried.
    pub fn doubt(&self, one: usize, other: usize, candidates: &Candidates) -> Option<&str> {
        let alike = |i: usize| [Some(i), candidates.list[i].plainer].into_iter().flatten();
        let is_pair = |(a, b): (usize, usize)| {
            let both = |x: usize, y: usize| alike(one).any(|i| i == x) && alike(other).any(|i| i == y);
            both(a, b) || both(b, a)
        };
        self.doubts.iter().find(|(a, b, _)| is_pair((*a, *b))).map(|(.., cell)| cell.as_str())
    }

    /// The first cell that is not written so, where nearly all are.
    pub fn nearly(&self, i: usize) -> Option<&str> {
        let misfits = self.misfits[i].as_ref().filter(|misfits| misfits.count > 0)?;
        let few = misfits.count * 10 <= self.cells || (self.cells < 10 && misfits.count * 2 < self.cells);
        misfits.first.as_deref().filter(|_| few && !self.typed && self.code().is_none())
    }
}

impl Truths {
    fn see(&mut self, word: &str) {
        let [letter] = word.as_bytes() else { return };
        self.letters = true;
        if let Some(at) = b"tfyn".iter().position(|known| known.eq_ignore_ascii_case(letter)) {
            self.seen[at] = true;
        }
    }

    /// Letters such as N alone may be a code; they are a boolean when both poles are there.
    fn are_words(&self) -> bool {
        let [t, f, y, n] = self.seen;
        !self.letters || (t && f) || (y && n)
    }
}

/// The value of a cell as a candidate has it, for people.
pub(super) fn shown_as(candidate: &Candidate, cell: &str) -> String {
    let mut out = Vec::new();
    if let Ok(value) = candidate.parser.value(cell.as_bytes()) {
        crate::formats::value::write_text(&value, candidate.kind, &mut out);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn short(cell: &str) -> String {
    cell.chars().take(SHOWN).collect()
}

pub(super) fn is_marker(cell: &str) -> bool {
    MARKERS.iter().any(|marker| marker.eq_ignore_ascii_case(cell))
}

/// A name that looks like a number: "007", "00.5", "+33612345678", or more digits than a number holds.
fn is_code(cell: &str) -> bool {
    let digits = cell.strip_prefix(['+', '-']).unwrap_or(cell);
    let zeros = digits.len() > 1 && digits.starts_with('0') && digits.as_bytes()[1].is_ascii_digit();
    let plus = cell.starts_with('+') && digits.starts_with(|c: char| c.is_ascii_digit());
    zeros || plus || (are_digits(digits) && digits.len() > 18)
}

/// "12E4".
fn is_whole_with_exponent(cell: &str) -> bool {
    let digits = cell.strip_prefix('-').unwrap_or(cell);
    digits.split_once(['e', 'E']).is_some_and(|(before, after)| are_digits(before) && are_digits(after))
}

fn are_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

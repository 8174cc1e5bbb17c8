//! Finds the end of a row too long to hold, piece by piece, without keeping any of it. It follows the rules of
//! `cells`, a byte at a time: such rows are rare, and mostly a quote that was never closed.

use super::cells::Marks;

/// A row that is being passed over.
pub(super) struct Passing {
    marks: Marks,
    place: Place,
    columns: usize,
    lines: u64,
    /// Line breaks before the quote that opened last.
    opened: u64,
    after_return: bool,
}

enum Place {
    Start,
    Plain,
    Quoted,
    /// After an escape in a quoted cell.
    Escaped,
    /// After a quote in a quoted cell: the end of it, or the first of two.
    Closing,
}

/// How a piece of the row ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// The row goes on in the next piece.
    More,
    /// The next row begins at this byte of the piece.
    Ended {
        next: usize,
    },
    TooMany,
}

impl Passing {
    pub fn new(marks: Marks) -> Self {
        Self { marks, place: Place::Start, columns: 1, lines: 0, opened: 0, after_return: false }
    }

    /// Line breaks passed so far.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// After how many line breaks the quote opened that is open now.
    pub fn open_since(&self) -> Option<u64> {
        matches!(self.place, Place::Quoted | Place::Escaped).then_some(self.opened)
    }

    /// Passes over the next piece.
    pub fn over(&mut self, piece: &[u8]) -> Passed {
        for (at, &byte) in piece.iter().enumerate() {
            let quoted = matches!(self.place, Place::Quoted | Place::Escaped);
            if std::mem::take(&mut self.after_return) {
                let pair = byte == b'\n';
                if !quoted {
                    return Passed::Ended { next: at + usize::from(pair) };
                }
                if pair {
                    continue;
                }
            }
            if matches!(byte, b'\n' | b'\r') {
                self.lines += 1;
                self.after_return = byte == b'\r';
                if quoted {
                    self.place = Place::Quoted;
                }
                if quoted || self.after_return {
                    continue;
                }
                return Passed::Ended { next: at + 1 };
            }
            let is_quote = self.marks.quote == Some(byte);
            self.place = match self.place {
                Place::Escaped => Place::Quoted,
                Place::Quoted if self.marks.escape == Some(byte) => Place::Escaped,
                Place::Quoted if is_quote => Place::Closing,
                Place::Quoted => Place::Quoted,
                Place::Closing if is_quote => Place::Quoted,
                Place::Start if is_quote => {
                    self.opened = self.lines;
                    Place::Quoted
                }
                _ if byte == self.marks.delimiter => {
                    self.columns += 1;
                    Place::Start
                }
                _ => Place::Plain,
            };
            if self.columns > self.marks.max_columns {
                return Passed::TooMany;
            }
        }
        Passed::More
    }
}

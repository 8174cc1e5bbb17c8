//! What a load changes: cells whose value is not written back as they came. A run counts them by column.

use memchr::memchr2;
use serde::{Deserialize, Serialize};

use super::number::Numerals;

/// How a cell was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// 007 became 7.
    ZerosDropped,
    /// +5 became 5.
    PlusDropped,
    /// 12E4 became 120000.
    ExponentWorkedOut,
    /// 1.250 became 1250, though it could have been a decimal.
    GroupRemoved,
    /// NA became empty.
    MarkerEmptied,
    /// More than six digits of a second were cut, or a leap second moved on.
    TimeRounded,
}

impl Change {
    pub const ALL: [Self; 6] = [
        Self::ZerosDropped,
        Self::PlusDropped,
        Self::ExponentWorkedOut,
        Self::GroupRemoved,
        Self::MarkerEmptied,
        Self::TimeRounded,
    ];

    /// The word in the API and in the database.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ZerosDropped => "zeros_dropped",
            Self::PlusDropped => "plus_dropped",
            Self::ExponentWorkedOut => "exponent_worked_out",
            Self::GroupRemoved => "group_removed",
            Self::MarkerEmptied => "marker_emptied",
            Self::TimeRounded => "time_rounded",
        }
    }

    /// As people read it, after a number of cells: "12 cells lost leading zeros".
    pub const fn label(self) -> &'static str {
        match self {
            Self::ZerosDropped => "lost leading zeros",
            Self::PlusDropped => "lost a plus sign",
            Self::ExponentWorkedOut => "had an exponent, which was worked out",
            Self::GroupRemoved => "lost a group separator that could have been a decimal point",
            Self::MarkerEmptied => "held a null marker and became empty",
            Self::TimeRounded => "were more exact than a microsecond, and were cut",
        }
    }
}

/// Of a cell without outer spaces that is a number.
#[inline]
pub(super) fn change_of_number(cell: &[u8], numerals: &Numerals) -> Option<Change> {
    let digits = match cell {
        [b'+', ..] => return Some(Change::PlusDropped),
        [b'-', digits @ ..] => digits,
        digits => digits,
    };
    if let [b'0', second, ..] = digits
        && second.is_ascii_digit()
    {
        return Some(Change::ZerosDropped);
    }
    if numerals.may_be_decimal(cell) {
        return Some(Change::GroupRemoved);
    }
    memchr2(b'e', b'E', digits).map(|_| Change::ExponentWorkedOut)
}

/// Of a cell that is an instant.
#[inline]
pub(super) fn change_of_time(cell: &[u8]) -> Option<Change> {
    let fraction = cell.iter().rposition(|b| matches!(b, b'.' | b',')).map_or(&[][..], |point| &cell[point + 1..]);
    let lost = fraction.iter().take_while(|b| b.is_ascii_digit()).skip(6).any(|digit| *digit != b'0');
    let leap = cell.windows(3).any(|three| three == b":60");
    (lost || leap).then_some(Change::TimeRounded)
}

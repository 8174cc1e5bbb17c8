//! Whether a row has as many cells as the header.

use crate::formats::failure::{Damage, DamageKind};
use crate::formats::record::Record;

/// Marks a row that is too short or too long. `ours`: so many of the columns a rejected-rows download added. Behind
/// those stood what a row had too much; once it was put where it belongs, nothing but empty cells is left there.
pub(super) fn check(record: &mut Record, expected: usize, ours: usize, quote: Option<u8>) {
    let found = record.len();
    let passed_over = |damage: &Damage| matches!(damage.kind, DamageKind::RowTooLong { .. });
    if found == expected || record.damage.iter().any(passed_over) {
        return;
    }
    let kind = if found < expected {
        DamageKind::ShortRow { expected, found }
    } else if ours > 0 && record.iter().skip(expected).all(<[u8]>::is_empty) {
        return record.spans.truncate(expected);
    } else if quote.is_some_and(|quote| record.iter().any(|cell| is_quote_after_space(cell, quote))) {
        DamageKind::QuoteAfterSpace { expected: expected - ours, found: found - ours }
    } else {
        DamageKind::LongRow { expected: expected - ours, found: found - ours }
    };
    record.damage.push(Damage { column: None, kind });
}

fn is_quote_after_space(cell: &[u8], quote: u8) -> bool {
    let text = cell.trim_ascii_start();
    text.len() < cell.len() && text.first() == Some(&quote)
}

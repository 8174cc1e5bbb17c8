//! A type that a person set by hand, and cells that read in more than one way as such: that is asked as it would have been
//! had the type been proposed.

use super::candidates::{Candidate, Candidates, Order, Way};
use super::evidence::shown_as;
use super::settle::{About, Question, Reading};
use crate::formats::column_type::ColumnType;
use crate::formats::values::ValueOptions;

/// What the cells of a column that was set to a type do not tell. The reading by the options that hold comes first.
pub fn doubt(column: &str, cells: &[String], kind: ColumnType, options: &ValueOptions) -> Option<Question> {
    let about = match kind {
        ColumnType::Integer | ColumnType::Number => About::Numbers,
        ColumnType::Date | ColumnType::Timestamp => About::Dates,
        _ => return None,
    };
    let (given, all) = (Candidates::given(options), Candidates::all(options));
    let of_kind = |candidate: &&Candidate| candidate.kind == kind;
    let ways: Vec<&Candidate> = given.list.iter().chain(&all.list).filter(of_kind).collect();
    let read = |way: &Candidate| cells.iter().filter(|cell| !shown_as(way, cell).is_empty()).count();
    let votes: Vec<usize> = ways.iter().map(|way| read(way)).collect();
    let most = votes.iter().copied().max().filter(|most| *most > 0)?;
    // What no one can mistake settles it for dates.
    let plain = |way: &Candidate| way.way == Way::Date(Order::Plain);
    let likely: Vec<&Candidate> = ways.into_iter().zip(votes).filter(|(_, n)| *n == most).map(|(way, _)| way).collect();
    if about == About::Dates && likely.iter().any(|way| plain(way) && !std::ptr::eq(*way, likely[0])) {
        return None;
    }
    cells.iter().find_map(|cell| {
        let mut readings: Vec<Reading> = Vec::new();
        for way in &likely {
            let value = shown_as(way, cell);
            if !value.is_empty() && readings.iter().all(|reading| reading.value != value) {
                readings.push(Reading { value, options: way.options.clone() });
            }
        }
        (readings.len() > 1).then(|| Question { about, column: column.to_owned(), cell: cell.clone(), readings })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(cells: &[&str], kind: ColumnType) -> Vec<String> {
        let cells: Vec<String> = cells.iter().map(|cell| (*cell).to_owned()).collect();
        let asked = doubt("c", &cells, kind, &ValueOptions::default());
        asked.map(|question| question.readings.into_iter().map(|reading| reading.value).collect()).unwrap_or_default()
    }

    #[test]
    fn a_cell_that_reads_in_two_ways_is_asked_about_and_proof_beside_it_settles_it() {
        assert_eq!(asked(&["n/a", "1.250", "300"], ColumnType::Number), ["1.25", "1250"]);
        assert!(asked(&["1.250", "1.25"], ColumnType::Number).is_empty());
        assert!(asked(&["12", "300"], ColumnType::Number).is_empty());
        assert_eq!(asked(&["03/04/2026", "?"], ColumnType::Date), ["2026-04-03", "2026-03-04"]);
        assert!(asked(&["03/04/2026", "31/12/2026"], ColumnType::Date).is_empty());
        assert!(asked(&["2026-03-04"], ColumnType::Date).is_empty());
        assert!(asked(&["1.250"], ColumnType::Text).is_empty());
    }
}

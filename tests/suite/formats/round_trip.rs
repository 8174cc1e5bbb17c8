//! Files of chance, read as they are proposed: each cell comes back as it was written, or somebody said that it does not.

use std::io::Cursor;
use std::time::{Duration, Instant};

use chrono::NaiveDate;
use tidegate::formats::{PATIENCE, Parser, Proposal, Record, Rows, Value, ValueOptions, propose, write_text};

use super::open;
use crate::support::dice::Dice;

/// How the cells of a file are written.
struct Hand {
    delimiter: char,
    point: char,
    group: &'static str,
    date: &'static str,
    time: &'static str,
    line: &'static str,
}

const DATES: [&str; 8] =
    ["%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d.%m.%y", "%Y/%m/%d", "%d %b %Y", "%m-%d-%Y"];

impl Hand {
    fn of(dice: &mut Dice) -> Self {
        let point = dice.pick(&['.', ',']);
        Self {
            delimiter: dice.pick(&[',', ';', '\t', '|']),
            point,
            group: if point == '.' { dice.pick(&[",", " ", "'"]) } else { dice.pick(&[".", " "]) },
            date: dice.pick(&DATES),
            time: dice.pick(&["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%.6fZ"]),
            line: dice.pick(&["\n", "\r\n"]),
        }
    }

    fn day(&self, dice: &mut Dice) -> NaiveDate {
        let first = NaiveDate::from_ymd_opt(1990, 1, 1).unwrap();
        first + chrono::Days::new(dice.between(0, 15_000) as u64)
    }

    /// A cell of a column of this kind.
    fn cell(&self, kind: i64, dice: &mut Dice) -> String {
        match dice.between(1, 30) {
            1 => return String::new(),
            2 => return dice.pick(&["NA", "-", "n.a.", "NULL"]).to_owned(),
            _ => {}
        }
        let whole = dice.between(0, 5_000_000);
        let sign = if dice.one_in(4) { "-" } else { "" };
        match kind {
            0 => format!("{sign}{whole}"),
            1 => format!("{sign}{}{}{:02}", whole / 100, self.point, whole % 100),
            2 if whole >= 1_000_000 => format!(
                "{}{}{:03}{}{:03}{}5",
                whole / 1_000_000,
                self.group,
                whole / 1_000 % 1_000,
                self.group,
                whole % 1_000,
                self.point
            ),
            2 => format!("{}{}{:03}", whole / 1_000 + 1, self.group, whole % 1_000),
            3 => format!("{:07}", whole / 100),
            4 => dice.pick(&["+331", "+49 30", "12E4", "1E5", "007"]).to_owned() + &whole.to_string(),
            5 => self.day(dice).format(self.date).to_string(),
            6 => {
                let at = self.day(dice).and_hms_micro_opt(7, dice.between(0, 59) as u32, 30, 125_000).unwrap();
                let text = at.format(self.time).to_string();
                if dice.one_in(40) { text.replace("125000Z", "1250007Z") } else { text }
            }
            7 => dice.pick(&["true", "false"]).to_owned(),
            8 => format!("{sign}{}e{}", whole % 10, dice.between(1, 4)),
            9 => format!("{}{whole}", dice.pick(&["", "", "", " "])),
            _ => {
                let words =
                    ["Zürich", " pad ", "a \"b\"", "two\nlines", "semi;colon", "com,ma", "0", "x|y", "1,5", "#", "'"];
                format!("{}{}", dice.pick(&words), dice.pick(&words))
            }
        }
    }

    fn written(&self, cell: &str, dice: &mut Dice) -> String {
        let needs = cell.contains([',', ';', '\t', '|', '"', '\n', '\r']) || cell.starts_with(' ');
        if needs || (!cell.is_empty() && dice.one_in(6)) {
            format!("\"{}\"", cell.replace('"', "\"\""))
        } else {
            cell.to_owned()
        }
    }
}

/// The cells of a file, the names first, and its bytes.
fn file(dice: &mut Dice) -> (Vec<Vec<String>>, Vec<u8>) {
    let hand = Hand::of(dice);
    let kinds: Vec<i64> = (0..dice.between(2, 6)).map(|_| dice.between(0, 10)).collect();
    let mut rows = vec![(0..kinds.len()).map(|i| format!("name {}", (b'a' + i as u8) as char)).collect::<Vec<_>>()];
    for _ in 0..dice.between(3, 40) {
        let row: Vec<String> = kinds.iter().map(|kind| hand.cell(*kind, dice)).collect();
        // One of nothing but delimiters is none.
        rows.extend(Some(row).filter(|row| row.iter().any(|cell| !cell.is_empty())));
    }
    let mut text = String::new();
    for row in &rows {
        let cells: Vec<String> = row.iter().map(|cell| hand.written(cell, dice)).collect();
        text += &(cells.join(&hand.delimiter.to_string()) + hand.line);
    }
    (rows, text.into_bytes())
}

/// A number without what its notation adds: 1.250,50 is 1250.5.
fn plain(cell: &str, options: &ValueOptions) -> String {
    let ungrouped =
        options.group_separator.as_ref().map_or_else(|| cell.to_owned(), |group| cell.replace(&**group, ""));
    let pointed = ungrouped.replace(&options.decimal_point, ".");
    match pointed.split_once('.') {
        Some((whole, places)) if places.trim_end_matches('0').is_empty() => whole.to_owned(),
        Some((whole, places)) => format!("{whole}.{}", places.trim_end_matches('0')),
        None => pointed,
    }
}

/// The numbers in a date or time, so that it does not matter how they are filled up.
fn numbers(text: &str) -> Vec<i64> {
    text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect()
}

/// Whether the value, written as its source writes, is the cell; what is changed with a word about it is not asked.
fn comes_back(cell: &str, value: &Value<'_>, parser: &Parser, options: &ValueOptions) -> bool {
    let mut out = Vec::new();
    write_text(value, parser.column_type(), &mut out);
    let out = String::from_utf8(out).unwrap();
    match value {
        Value::Empty | Value::Text(_) | Value::Boolean(_) => out == cell,
        Value::Integer(_) | Value::Number(_) => {
            out == plain(cell, options) || (out == "0" && plain(cell, options) == "-0")
        }
        Value::Date(_) => {
            let day: NaiveDate = out.parse().unwrap();
            numbers(&day.format(&options.date_format).to_string()) == numbers(cell)
        }
        Value::Timestamp(_) => {
            let at = chrono::DateTime::parse_from_rfc3339(&out).unwrap();
            let format = options.timestamp_format.as_deref();
            let back = format.map_or(out.clone(), |format| at.format(format).to_string());
            let (back, cell) = (numbers(&back), numbers(cell));
            back.starts_with(&cell) && back[cell.len()..].iter().all(|rest| *rest == 0)
        }
    }
}

/// Whether the notes say how numbers and dates of the file are written, where that is not the usual way.
fn says_its_notation(proposal: &Proposal) -> bool {
    let said = |words: &str| proposal.notes.iter().any(|note| note.contains(words));
    let values = &proposal.options.values;
    (values.group_separator.is_none() || said("group separator"))
        && (values.decimal_point == "." || said("decimal point"))
        && (values.date_format == "%Y-%m-%d" || said(&values.date_format))
        && values.timestamp_format.as_ref().is_none_or(|format| said(format))
        && values.nulls.iter().all(|null| null.is_empty() || said(&format!("{null} was read as empty")))
}

#[test]
fn what_is_loaded_as_proposed_comes_back_or_somebody_said_that_it_does_not() {
    let began = Instant::now();
    let mut files = 0;
    for seed in 0..400 {
        if began.elapsed() > Duration::from_secs(8) {
            break;
        }
        let (cells, bytes) = file(&mut Dice(seed));
        let shown = || format!("seed {seed}:\n{}", String::from_utf8_lossy(&bytes));
        let proposal = propose(Cursor::new(&bytes), "x.csv", None, true, PATIENCE).unwrap();
        assert!(says_its_notation(&proposal), "{:?} {:?}\n{}", proposal.options, proposal.notes, shown());
        let options = &proposal.options.values;
        let parsers: Vec<Parser> =
            (proposal.columns.iter()).map(|column| Parser::new(column.column_type, false, options).unwrap()).collect();
        let mut rows = open(Cursor::new(&bytes), &proposal.options, "x.csv").unwrap();
        let mut record = Record::new();
        let first = usize::from(proposal.options.csv().unwrap().header);
        for row in &cells[first..] {
            assert!(rows.next(&mut record).unwrap() && !record.is_damaged(), "{:?}\n{}", record.damage(), shown());
            let read: Vec<_> = (0..record.len()).map(|i| record.text(i).into_owned()).collect();
            assert_eq!(&read, row, "{:?}\n{}", proposal.options, shown());
            for (i, parser) in parsers.iter().enumerate() {
                let mut noted = None;
                let taken = parser.take_noting(record.cell(i), &mut noted);
                let value = taken.unwrap_or_else(|fault| panic!("{fault} {:?}\n{}", proposal.columns[i], shown()));
                let back = noted.is_some() || comes_back(&row[i], &value, parser, options);
                assert!(back, "{:?} became {value:?}: {:?}\n{}", row[i], proposal.columns[i], shown());
            }
        }
        assert!(!rows.next(&mut record).unwrap(), "{}", shown());
        files += 1;
    }
    assert!(files > 20, "{files}");
}

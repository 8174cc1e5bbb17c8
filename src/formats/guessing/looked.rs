//! What is kept of a source while its rows go by.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{Read, Seek, SeekFrom};
use std::time::{Duration, Instant};

use super::candidates::Candidates;
use super::evidence::Column;
use super::{FIRST, SHOWN};
use crate::formats::column_type::ColumnType;
use crate::formats::csv::CsvReader;
use crate::formats::dialect::CsvOptions;
use crate::formats::failure::{DamageKind, FormatError, Limits};
use crate::formats::options::Compression;
use crate::formats::record::Record;
use crate::formats::rows::Rows;
use crate::words;

/// Different cells that a key is told by.
const KEYS: usize = 2_000_000;
/// Columns that may be the key.
const KEY_COLUMNS: usize = 3;

/// What was seen of a source.
pub(super) struct Looked {
    pub names: Vec<String>,
    pub columns: Vec<Column>,
    pub records: Vec<Record>,
    /// Rows, the damaged ones among them, and the first that is damaged.
    rows: i64,
    damaged: i64,
    damage: Option<(u64, String)>,
    /// All rows have gone by.
    pub ended: bool,
    /// Rows of the middle and the end.
    aside: i64,
    pub keys: Vec<Key>,
    pub key: Option<usize>,
}

/// A column that has differed in every row so far.
pub(super) struct Key {
    pub column: usize,
    pub seen: HashSet<u64>,
}

impl Looked {
    pub fn new(names: Vec<String>, candidates: &Candidates) -> Self {
        Self {
            columns: names.iter().map(|_| Column::new(candidates)).collect(),
            keys: (0..names.len()).map(|column| Key { column, seen: HashSet::new() }).collect(),
            names,
            records: Vec::new(),
            rows: 0,
            damaged: 0,
            damage: None,
            ended: false,
            aside: 0,
            key: None,
        }
    }

    /// The next rows, as many as that; of a beginning, whose last row may be a part of one.
    pub fn some(
        &mut self,
        rows: &mut dyn Rows,
        candidates: &Candidates,
        most: usize,
        whole: &dyn Fn() -> bool,
    ) -> Result<(), FormatError> {
        if self.ended {
            return Ok(());
        }
        let (mut last, mut record) = (Record::new(), Record::new());
        let mut pending = false;
        for _ in 0..most {
            match rows.next(&mut record) {
                Ok(true) => {}
                Ok(false) => {
                    self.ended = true;
                    break;
                }
                // A quote that the end of a beginning leaves open.
                Err(FormatError::CutAt { .. }) if !whole() => {
                    self.ended = true;
                    break;
                }
                Err(error) => return Err(error),
            }
            if pending {
                self.add(&last, candidates);
            }
            std::mem::swap(&mut last, &mut record);
            pending = true;
        }
        // One that is too long already is so whatever follows.
        let too_long = last.damage().iter().any(|damage| matches!(damage.kind, DamageKind::RowTooLong { .. }));
        if pending && (whole() || !self.ended || too_long) {
            self.add(&last, candidates);
        }
        Ok(())
    }

    pub fn add(&mut self, row: &Record, candidates: &Candidates) {
        self.rows += 1;
        if self.records.len() < SHOWN {
            self.records.push(row.clone());
        }
        if let Some(damage) = row.damage().first() {
            self.damaged += 1;
            self.damage.get_or_insert_with(|| (row.line(), damage.reason()));
            return;
        }
        for (i, column) in self.columns.iter_mut().enumerate() {
            column.add(row.cell(i), candidates);
        }
        self.keys.retain_mut(|key| {
            let cell = row.field(key.column);
            let mut hasher = DefaultHasher::new();
            cell.hash(&mut hasher);
            // Beyond so many it is believed.
            !cell.trim_ascii().is_empty() && (key.seen.len() >= KEYS || key.seen.insert(hasher.finish()))
        });
        if self.rows == FIRST as i64 {
            self.keys.truncate(KEY_COLUMNS);
        }
    }

    /// Rows of the middle and of the end of a file that is too long for all of it. The quote that may be open there is
    /// not known, so only rows with as many cells as there are columns tell anything.
    pub fn aside<R: Read + Seek + Send>(
        &mut self,
        reader: &mut R,
        csv: &CsvOptions,
        limits: Limits,
        candidates: &Candidates,
        patience: Duration,
    ) -> Result<(), FormatError> {
        let bytes = reader.seek(SeekFrom::End(0)).map_err(FormatError::Read)?;
        let near = 16 * 1024 * 1024;
        for place in [bytes / 2, bytes.saturating_sub(near)] {
            reader.seek(SeekFrom::Start(place)).map_err(FormatError::Read)?;
            // The first line there is a part of one.
            let plain = CsvOptions { header: false, skip_lines: 1, ..csv.clone() };
            let Ok(mut rows) = CsvReader::open(reader.by_ref(), &plain, Compression::None, limits) else { continue };
            let mut record = Record::new();
            let until = Instant::now() + patience / 2;
            while Instant::now() < until {
                // What cannot be read here may be no fault of the file.
                let Ok(true) = rows.next(&mut record) else { break };
                if !record.is_damaged() && record.len() == self.columns.len() {
                    self.aside += 1;
                    for (i, column) in self.columns.iter_mut().enumerate() {
                        column.add(record.cell(i), candidates);
                    }
                }
            }
        }
        Ok(())
    }

    /// Is the first row of the same kind as those below it? Names are text above numbers; years above numbers are
    /// names too.
    pub fn begins_with_data(&self, first: &Record, candidates: &Candidates) -> bool {
        let mut typed = 0;
        for (i, column) in self.columns.iter().enumerate() {
            let below = (0..candidates.list.len()).filter(|way| column.fits(*way, candidates));
            let mut below = below.map(|way| &candidates.list[way]).peekable();
            if below.peek().is_none() {
                continue;
            }
            let cell = first.text(i);
            let is_year = cell.len() == 4 && cell.parse::<u16>().is_ok_and(|year| (1900..=2199).contains(&year));
            let fits = below.any(|way| {
                let mut above = Column::new(candidates);
                above.add(first.cell(i), candidates);
                let same = |other: &usize| {
                    let other = &candidates.list[*other];
                    // An integer above numbers is one of them.
                    other.kind == way.kind || (other.kind, way.kind) == (ColumnType::Number, ColumnType::Integer)
                };
                (0..candidates.list.len()).filter(|other| above.fits(*other, candidates)).any(|other| same(&other))
            });
            if is_year || !fits {
                return false;
            }
            typed += 1;
        }
        typed > 0
    }

    pub fn describe(&self, whole: bool, notes: &mut Vec<String>) {
        let count = |rows: i64| words::counted(rows, "row was", "rows were");
        if let Some((line, why)) = &self.damage {
            let rows = words::counted(self.damaged, "row is", "rows are");
            let among = if self.ended && whole {
                String::new()
            } else {
                format!(" among the first {}", words::count(self.rows))
            };
            notes.push(format!("{rows} damaged{among} and would be rejected. Line {line}: {why}"));
        }
        if self.names.is_empty() {
            notes.push("The source is empty.".to_owned());
        } else if self.rows == 0 {
            notes.push("The source has column names but no rows.".to_owned());
        } else if self.ended && whole {
            notes.push(format!("{} checked: the whole source.", count(self.rows)));
        } else if self.aside > 0 {
            let (first, others) = (words::count(self.rows), words::count(self.aside));
            notes.push(format!(
                "The source is long: the first {first} rows were checked, and {others} from the middle and the end."
            ));
        } else {
            notes.push(format!("Only the first {} checked. Later rows may differ.", count(self.rows)));
        }
    }
}

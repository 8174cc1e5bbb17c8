//! The first rows of the source as they would land in the Block.

use std::collections::HashMap;
use std::sync::Arc;

use crate::applications::blocks::{Block, Column};
use crate::formats::{ColumnType, Parser, Proposal, Record, Value, ValueOptions, shown, write_text};
use crate::imports::maker::Maker;
use crate::imports::{Expr, Mapping};
use crate::names::{Met, meet};
use crate::translations::Translation;

/// The first rows of the source as they would land in the Block.
#[derive(Debug, Default)]
pub struct Landing {
    /// The Block's columns that are filled.
    pub heads: Vec<String>,
    pub rows: Vec<Vec<LandingCell>>,
    /// How many of the rows would be rejected.
    pub rejected: usize,
    pub twins: Vec<Twin>,
}

/// A cell of a key that stands in an earlier row too.
#[derive(Debug)]
pub struct Twin {
    /// The row, and the column of the source.
    pub at: (usize, usize),
    pub fault: String,
}

impl Landing {
    /// Whether a cell is loaded otherwise than it came.
    pub fn turned(&self) -> bool {
        self.rows.iter().flatten().any(|cell| cell.was.is_some())
    }
}

#[derive(Clone, Debug)]
pub struct LandingCell {
    /// As it is loaded; of a cell that does not fit, as it came.
    pub text: String,
    /// As it came, where it is loaded otherwise.
    pub was: Option<String>,
    /// Why it does not fit.
    pub fault: Option<String>,
}

/// How a cell comes to land.
enum Way {
    Cell(usize, Parser),
    Made(Box<Maker>),
    Constant(String, Parser),
    LoadedAt,
}

impl Way {
    /// Of a line whose columns are there.
    fn of(
        line: &Mapping,
        column: &Column,
        options: &ValueOptions,
        proposal: &Proposal,
        tables: &Tables,
    ) -> Option<Self> {
        let place = |name: &str| match meet(name, proposal.columns.iter().map(|c| c.name.as_str())) {
            Met::One(index) => Some(index),
            Met::Nothing | Met::Tie => None,
        };
        if line.fills.source_columns().any(|name| place(name).is_none()) {
            return None;
        }
        let table = line.transform.translate.and_then(|id| tables.iter().find(|table| table.id == id)).cloned();
        if let Some(maker) = Maker::of(line, column, options, table, place).ok()? {
            return Some(Self::Made(Box::new(maker)));
        }
        let parser = Parser::new(column.column_type, column.must_be_filled(), options).ok()?;
        let parser = parser.with_nulls(line.nulls.as_deref());
        Some(match &line.fills {
            Expr::Column(name) => Self::Cell(place(name)?, parser),
            Expr::Constant(text) => Self::Constant(text.clone(), parser),
            Expr::Join(_) | Expr::LoadedAt(_) => Self::LoadedAt,
        })
    }

    /// The column of the source whose cell it is.
    fn cell(&self) -> Option<usize> {
        match self {
            Self::Cell(index, _) => Some(*index),
            Self::Made(maker) => maker.cells().next(),
            Self::Constant(..) | Self::LoadedAt => None,
        }
    }

    /// As the run takes it: typed cells as such, and nothing of what is damaged.
    fn land(&self, record: &Record, kind: ColumnType) -> LandingCell {
        let of = |column: Option<usize>| record.damage().iter().find(|damage| damage.column == column);
        let (mut made, came) = (String::new(), self.came(record));
        let damaged = match self {
            Self::Made(maker) => maker.cells().find_map(|index| of(Some(index))),
            _ => self.cell().and_then(|index| of(Some(index))),
        };
        let taken = match self {
            Self::Cell(index, parser) => parser.take(record.cell(*index)),
            Self::Made(maker) => maker.make(record, &mut made, &mut None),
            Self::Constant(text, parser) => parser.parse(text.as_bytes()),
            Self::LoadedAt => Ok(Value::Text("Time of the load")),
        };
        let came = shown(&came);
        let fault = match (of(None).or(damaged), taken) {
            (Some(damage), _) => format!("{} {}", record.reason(damage), damage.advice()),
            (None, Err(fault)) => fault.to_string(),
            (None, Ok(value)) => {
                let mut text = Vec::new();
                write_text(&value, kind, &mut text);
                let text = shown(&String::from_utf8_lossy(&text));
                let was = (text != came && !matches!(self, Self::LoadedAt)).then_some(came);
                return LandingCell { text, was, fault: None };
            }
        };
        LandingCell { text: came, was: None, fault: Some(fault) }
    }

    fn came(&self, record: &Record) -> String {
        match self {
            Self::Cell(index, _) => record.text(*index).into_owned(),
            Self::Made(maker) => maker.came(record),
            Self::Constant(text, _) => text.clone(),
            Self::LoadedAt => String::new(),
        }
    }
}

/// Translation tables with all their entries.
pub type Tables = [Arc<Translation>];

/// Lets the sample land. Lines whose column is not there are left out: they are told apart from it.
pub fn landing(
    lines: &[Mapping],
    block: &Block,
    options: &ValueOptions,
    proposal: &Proposal,
    tables: &Tables,
) -> Landing {
    let mut landing = Landing::default();
    let mut ways = Vec::new();
    for line in lines {
        let Some(column) = block.column(&line.to) else { continue };
        let Some(way) = Way::of(line, column, options, proposal, tables) else { continue };
        landing.heads.push(column.name.clone());
        ways.push((way, column.column_type));
    }
    for record in &proposal.records {
        let cells: Vec<LandingCell> = ways.iter().map(|(way, kind)| way.land(record, *kind)).collect();
        landing.rejected += usize::from(record.is_damaged() || cells.iter().any(|cell| cell.fault.is_some()));
        landing.rows.push(cells);
    }
    let keys: Vec<usize> =
        (0..ways.len()).filter(|i| block.column(&landing.heads[*i]).is_some_and(|c| c.key)).collect();
    if keys.len() == block.columns.iter().filter(|column| column.key).count() && !keys.is_empty() {
        let places: Vec<Option<usize>> = ways.iter().map(|(way, _)| way.cell()).collect();
        mark_twins(&mut landing, &keys, &places, proposal);
    }
    landing
}

/// As the run judges them: of rows with one key the first is loaded, and each later one rejected.
fn mark_twins(landing: &mut Landing, keys: &[usize], places: &[Option<usize>], proposal: &Proposal) {
    let mut first: HashMap<Vec<String>, u64> = HashMap::new();
    for (i, (row, record)) in landing.rows.iter_mut().zip(&proposal.records).enumerate() {
        if record.is_damaged() || row.iter().any(|cell| cell.fault.is_some()) {
            continue;
        }
        let key: Vec<String> = keys.iter().map(|column| row[*column].text.clone()).collect();
        // Of what is cut nobody knows whether the rest is the same.
        if key.iter().any(|text| text.ends_with('…')) {
            continue;
        }
        let words = key.join(", ");
        let Some(line) = first.get(&key) else {
            first.insert(key, record.line());
            continue;
        };
        let fault = format!("The key \"{words}\" is already on line {line}, so this row is rejected.");
        landing.rejected += 1;
        for column in keys {
            row[*column].fault = Some(fault.clone());
            landing.twins.extend(places[*column].map(|place| Twin { at: (i, place), fault: fault.clone() }));
        }
    }
}

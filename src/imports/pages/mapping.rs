//! The mapping as a form's controls hold it, one line per column of the Block, and the first rows of the source as
//! they would land.

use std::collections::HashMap;

use crate::applications::blocks::{Aggregate, Block, Column};
use crate::error::FieldErrors;
use crate::formats::{Parser, Proposal, ValueOptions, shown, write_text};
use crate::imports::{Expr, Mapping};
use crate::names::{Met, meet, name_key};
use crate::web::Form;

/// The choice of `from` that means "the same text in every row".
const CONSTANT: &str = "=";
/// Before the name of a source column, so that no name means something else.
const COLUMN: &str = ":";

/// What fills one column of the Block, as it was typed.
#[derive(Clone, Debug, Default)]
pub struct MapRow {
    pub to: String,
    /// "date, required".
    pub words: String,
    /// `""` (nothing), `=` (the constant) or `:NAME`.
    pub from: String,
    pub constant: String,
    /// Null markers of its own, one a line.
    pub nulls: String,
    /// How cells of several rows of a Block become one; blank: not at all.
    pub aggregate: String,
    pub error: Option<String>,
}

impl MapRow {
    pub fn is_from(&self, choice: &str) -> bool {
        self.from == choice
    }

    /// The column of the source that fills it.
    pub fn source(&self) -> Option<&str> {
        self.from.strip_prefix(COLUMN)
    }
}

/// The lines of a form; for a column that it does not know, the column of the source that it was proposed from
/// (pairs of the Block's name and the source's), else the one that has its name.
pub fn rows(form: &Form, block: &Block, source: &[String], proposed: &[(String, String)]) -> Vec<MapRow> {
    let typed: Vec<(usize, &str)> = (0..).map_while(|i| Some((i, form.some(&format!("map-{i}-to"))?))).collect();
    block
        .columns
        .iter()
        .map(|column| {
            let known = typed.iter().find(|(_, to)| name_key(to) == name_key(&column.name));
            let of = |member: &str| known.map(|(i, _)| form.raw(&format!("map-{i}-{member}")).to_owned());
            MapRow {
                to: column.name.clone(),
                words: words(column),
                from: of("from").unwrap_or_else(|| suggested(column, source, proposed)),
                constant: of("constant").unwrap_or_default(),
                nulls: of("nulls").unwrap_or_default(),
                aggregate: of("aggregate").unwrap_or_default(),
                error: None,
            }
        })
        .collect()
}

fn suggested(column: &Column, source: &[String], proposed: &[(String, String)]) -> String {
    let from = proposed.iter().find(|(to, _)| name_key(to) == name_key(&column.name)).map(|(_, from)| from);
    let same = || match meet(&column.name, source.iter().map(String::as_str)) {
        Met::One(i) => source.get(i),
        Met::Nothing | Met::Tie => None,
    };
    from.or_else(same).map(|name| format!("{COLUMN}{name}")).unwrap_or_default()
}

/// The lines of a saved mapping; with none, those that equal names would make.
pub fn rows_of(mapping: Option<&[Mapping]>, block: &Block) -> Vec<MapRow> {
    block
        .columns
        .iter()
        .map(|column| {
            let line = mapping.into_iter().flatten().find(|line| name_key(&line.to) == name_key(&column.name));
            let (from, constant) = match line.map(|line| &line.fills) {
                Some(Expr::Constant(text)) => (CONSTANT.to_owned(), text.clone()),
                Some(Expr::Column(name)) => (format!("{COLUMN}{name}"), String::new()),
                None if mapping.is_none() => (format!("{COLUMN}{}", column.name), String::new()),
                None => (String::new(), String::new()),
            };
            let nulls = line.and_then(|line| line.nulls.as_ref()).map(|nulls| nulls.join("\n")).unwrap_or_default();
            let aggregate = line.and_then(|line| line.aggregate).map(|made| made.to_string()).unwrap_or_default();
            MapRow { to: column.name.clone(), words: words(column), from, constant, nulls, aggregate, error: None }
        })
        .collect()
}

fn words(column: &Column) -> String {
    let mut words = column.column_type.to_string();
    if column.key {
        words.push_str(", key");
    } else if column.required {
        words.push_str(", required");
    }
    words
}

/// The mapping that the lines make, and for each of its lines the row of the form.
pub fn mapping(rows: &[MapRow]) -> (Vec<Mapping>, Vec<usize>) {
    let (mut lines, mut places) = (Vec::new(), Vec::new());
    for (i, row) in rows.iter().enumerate() {
        let mut line = match row.from.as_str() {
            "" => continue,
            CONSTANT => Mapping::constant(&row.constant, &row.to),
            name => Mapping::column(name.strip_prefix(COLUMN).unwrap_or(name), &row.to),
        };
        let nulls: Vec<String> = row.nulls.lines().filter(|null| !null.is_empty()).map(str::to_owned).collect();
        line.nulls = Some(nulls).filter(|nulls| !nulls.is_empty());
        line.aggregate = Aggregate::parse(&row.aggregate);
        lines.push(line);
        places.push(i);
    }
    (lines, places)
}

/// Puts what is wrong with a line beside it.
pub fn mark(rows: &mut [MapRow], errors: &FieldErrors, places: &[usize]) {
    for error in &errors.0 {
        let at = error.field.strip_prefix("mapping[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
        if let Some(row) = at.and_then(|line| places.get(line)).and_then(|i| rows.get_mut(*i)) {
            row.error.get_or_insert_with(|| error.detail.clone());
        }
    }
}

/// The columns of the source that a mapping can choose: value and name.
pub fn choices(source: &[String]) -> Vec<(String, String)> {
    source.iter().map(|name| (format!("{COLUMN}{name}"), name.clone())).collect()
}

/// The columns of a sample that are imported, in the order of the file.
pub fn source_columns(proposal: &Proposal) -> Vec<String> {
    proposal.columns.iter().filter(|column| !column.ignored).map(|column| column.name.clone()).collect()
}

/// The lines whose column the source does not have.
pub fn not_in_source(lines: &[Mapping], source: &[String]) -> FieldErrors {
    let mut errors = FieldErrors::new();
    for (i, line) in lines.iter().enumerate() {
        if let Some(from) = line.fills.source_column() {
            let wrong = match meet(from, source.iter().map(String::as_str)) {
                Met::One(_) => continue,
                Met::Nothing => format!("The source has no column named \"{from}\"."),
                Met::Tie => format!("The source has more than one column like \"{from}\". Choose one of them."),
            };
            errors.add(format!("mapping[{i}].from"), wrong);
        }
    }
    errors
}

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

/// Lets the sample land. Lines whose column is not there are left out: they are told apart from it.
pub fn landing(lines: &[Mapping], block: &Block, options: &ValueOptions, proposal: &Proposal) -> Landing {
    let mut landing = Landing::default();
    let mut ways = Vec::new();
    for line in lines {
        let Some(column) = block.column(&line.to) else { continue };
        let Ok(parser) = Parser::new(column.column_type, column.must_be_filled(), options) else { continue };
        let parser = parser.with_nulls(line.nulls.as_deref());
        let (index, constant) = match &line.fills {
            Expr::Column(from) => match meet(from, proposal.columns.iter().map(|c| c.name.as_str())) {
                Met::One(index) => (Some(index), String::new()),
                Met::Nothing | Met::Tie => continue,
            },
            Expr::Constant(text) => (None, text.clone()),
        };
        landing.heads.push(column.name.clone());
        ways.push((index, constant, parser, column.column_type));
    }
    for record in &proposal.records {
        let of = |column: Option<usize>| record.damage().iter().find(|damage| damage.column == column);
        let cells: Vec<LandingCell> = ways
            .iter()
            .map(|(index, constant, parser, kind)| {
                // As the run takes it: typed cells as such, and nothing of what is damaged.
                let damage = of(None).or_else(|| index.and_then(|index| of(Some(index))));
                let taken = match index {
                    Some(index) => parser.take(record.cell(*index)),
                    None => parser.parse(constant.as_bytes()),
                };
                let came = index.map_or(constant.as_str().into(), |index| record.text(index));
                let came = shown(&came);
                let fault = match (damage, taken) {
                    (Some(damage), _) => format!("{} {}", record.reason(damage), damage.advice()),
                    (None, Err(fault)) => fault.to_string(),
                    (None, Ok(value)) => {
                        let mut text = Vec::new();
                        write_text(&value, *kind, &mut text);
                        let text = shown(&String::from_utf8_lossy(&text));
                        let was = (text != came).then_some(came);
                        return LandingCell { text, was, fault: None };
                    }
                };
                LandingCell { text: came, was: None, fault: Some(fault) }
            })
            .collect();
        landing.rejected += usize::from(record.is_damaged() || cells.iter().any(|cell| cell.fault.is_some()));
        landing.rows.push(cells);
    }
    let keys: Vec<usize> =
        (0..ways.len()).filter(|i| block.column(&landing.heads[*i]).is_some_and(|c| c.key)).collect();
    if keys.len() == block.columns.iter().filter(|column| column.key).count() && !keys.is_empty() {
        let places: Vec<Option<usize>> = ways.iter().map(|(index, ..)| *index).collect();
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

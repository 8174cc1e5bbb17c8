//! A Block as the source of an import: what a definition takes from it, or what is wrong with that, each at its field.

use serde::{Deserialize, Serialize};

use super::mapping::{Expr, Mapping};
use super::model::Definition;
use crate::applications::blocks::{
    Aggregate, Block, BlockKind, Cell, Column, Feed, FeedChange, FeedColumn, FeedFilter, FeedFrom, meets,
};
use crate::clock::Moment;
use crate::error::FieldErrors;
use crate::formats::{ColumnType, Format, Parser, ReadOptions};
use crate::names::name_key;

/// The most items that a filter names.
pub const MAX_ITEMS: usize = 1_000;

/// Only the rows of a Block whose cell in a column is one of these.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    pub column: String,
    /// As a file would write them.
    pub items: Vec<String>,
}

/// What a Block gives another by a definition.
pub fn feed(definition: &Definition, source: &Block, target: &Block, now: Moment) -> Result<Feed, FieldErrors> {
    let mut errors = FieldErrors::new();
    if source.id == target.id {
        errors.add("source_block_id", "A Block cannot feed itself. Choose another Block.");
        return Err(errors);
    }
    let by_name = definition.mapping.is_none();
    let lines = match &definition.mapping {
        Some(mapping) => mapping.clone(),
        None => equal_names(definition.columns.as_deref(), source, target),
    };
    if by_name && lines.is_empty() {
        errors.add(
            "mapping",
            format!("No column of \"{}\" has the name of a column of \"{}\". Map them.", source.name, target.name),
        );
        return Err(errors);
    }
    let mut columns = Vec::new();
    for (i, line) in lines.iter().enumerate() {
        let field = |member: &str| if by_name { "mapping".to_owned() } else { format!("mapping[{i}].{member}") };
        // What is not there in the target is said with every other mapping.
        let Some(to) = target.column(&line.to) else { continue };
        match column(line, to, source, definition, now) {
            Ok(column) => columns.push(column),
            Err((member, wrong)) => errors.add(field(member), wrong),
        }
    }
    let missing = |column: &&Column| {
        let whole = |c: &FeedColumn| matches!(&c.from, FeedFrom::Column(from) if from.id == column.id) && !c.rounds();
        column.key && !columns.iter().any(whole)
    };
    let lost: Vec<&Column> = source.keys().filter(missing).collect();
    let grouped = columns.iter().any(|column| column.aggregate.is_some()) || (target.is_keyed() && !lost.is_empty());
    if grouped && errors.is_empty() {
        for (i, column) in columns.iter().enumerate() {
            let Some(wrong) = wrong_in_group(column, target, &lost) else { continue };
            let i = lines.iter().position(|line| name_key(&line.to) == name_key(&column.to.name)).unwrap_or(i);
            errors.add(if by_name { "mapping".to_owned() } else { format!("mapping[{i}].aggregate") }, wrong);
        }
    }
    let mut filter = Vec::new();
    for (i, wanted) in definition.source.filter.iter().enumerate() {
        match of_filter(wanted, source) {
            Ok(one) => filter.push(one),
            Err((member, wrong)) => errors.add(format!("source.filter[{i}].{member}"), wrong),
        }
    }
    // What a blank becomes is a value.
    let is_value =
        |column: &FeedColumn| target.kind == BlockKind::Metric && !column.to.key && column.change.default.is_none();
    let value = columns.iter().position(is_value);
    errors.ok_or(Feed { source: source.clone(), columns, grouped, filter, value })
}

fn equal_names(known: Option<&[String]>, source: &Block, target: &Block) -> Vec<Mapping> {
    let fills = |column: &&Column| match known {
        Some(names) => names.iter().any(|name| name_key(name) == name_key(&column.name)),
        None => source.column(&column.name).is_some(),
    };
    target.columns.iter().filter(fills).map(|column| Mapping::column(&column.name, &column.name)).collect()
}

/// Which member is wrong, and why.
type Wrong = (&'static str, String);

fn column(
    line: &Mapping,
    to: &Column,
    source: &Block,
    definition: &Definition,
    now: Moment,
) -> Result<FeedColumn, Wrong> {
    if line.nulls.is_some() {
        return Err(("nulls", "A cell of a Block is empty or not: there are no null markers. Leave this out.".into()));
    }
    if let Some(member) = line.transform.first().filter(|_| line.transform.is_of_text()) {
        return Err((member, "The text of a Block's cells is loaded as it is. Leave this out.".into()));
    }
    let name = match &line.fills {
        Expr::Join(_) => return Err(("join", "Columns of a Block are loaded one by one. Choose one of them.".into())),
        Expr::Constant(_) | Expr::LoadedAt(_) if line.aggregate.is_some() => {
            return Err(("aggregate", "A constant is the same in every row. Leave the aggregation out.".into()));
        }
        Expr::Constant(text) => {
            let values = &definition.source.read.values;
            let parser = Parser::new(to.column_type, to.must_be_filled(), values)
                .map_err(|errors| ("constant", errors.to_string()))?;
            let value = parser.parse(text.as_bytes()).map_err(|fault| ("constant", fault.to_string()))?;
            return Ok(constant(to, Cell::from(value)));
        }
        Expr::LoadedAt(_) => {
            let cell = match to.column_type {
                ColumnType::Date => Cell::Date(definition.source.read.values.day_of(now.micros())),
                _ => Cell::Timestamp(now.micros()),
            };
            return Ok(constant(to, cell));
        }
        Expr::Column(name) => name,
    };
    let Some(from) = source.column(name) else {
        let what = if name.trim().is_empty() {
            "Choose a column of the source, or enter a constant.".to_owned()
        } else {
            format!("\"{}\" has no column named \"{name}\".", source.name)
        };
        return Err(("from", what));
    };
    let made = match line.aggregate {
        None => from.column_type,
        Some(aggregate) => aggregate.of(from.column_type).ok_or_else(|| {
            let advice = "Count or Last can be made of any column.";
            let (made, kind) = (aggregate.label(), from.column_type);
            ("aggregate", format!("{made} cannot be made of \"{}\", which is of type {kind}. {advice}", from.name))
        })?,
    };
    let transform = &line.transform;
    if transform.period.is_some() && made != ColumnType::Date {
        let what = format!("\"{}\" is of type {made}. Only a date has a period.", from.name);
        return Err(("period", what));
    }
    if transform.period.is_none() && !meets(made, to.column_type) {
        let of = line.aggregate.map_or(String::new(), |aggregate| format!("{} of ", aggregate.label()));
        return Err((
            if line.aggregate.is_some() { "aggregate" } else { "from" },
            format!(
                "{of}\"{}\" is of type {made}, and \"{}\" of type {}: its values would be changed. Choose another \
                 column.",
                from.name, to.name, to.column_type
            ),
        ));
    }
    let values = &definition.source.read.values;
    let default = match &transform.default {
        None => None,
        Some(text) => {
            let parser = Parser::new(to.column_type, to.must_be_filled(), values)
                .map_err(|errors| ("default", errors.to_string()))?;
            Some(Cell::from(parser.parse(text.as_bytes()).map_err(|fault| ("default", fault.to_string()))?))
        }
    };
    let period = transform.period.map(|unit| (unit, transform.year_begins.unwrap_or(1)));
    Ok(FeedColumn {
        to: to.clone(),
        from: FeedFrom::Column(from.clone()),
        aggregate: line.aggregate,
        change: FeedChange { period, negate: transform.negate, default },
    })
}

fn constant(to: &Column, cell: Cell) -> FeedColumn {
    FeedColumn { to: to.clone(), from: FeedFrom::Constant(cell), aggregate: None, change: FeedChange::default() }
}

/// What is wrong with a column where several rows become one.
fn wrong_in_group(column: &FeedColumn, target: &Block, lost: &[&Column]) -> Option<String> {
    match (&column.from, column.aggregate) {
        (FeedFrom::Constant(_), _) => None,
        (_, Some(_)) if column.to.key => Some(format!(
            "\"{}\" tells the rows of \"{}\" apart, so it cannot be aggregated.",
            column.to.name, target.name
        )),
        (_, None) if !column.to.key && target.is_keyed() => {
            let why = match lost {
                [] => "several rows become one here".to_owned(),
                [one] => format!("\"{}\" of the source has no place in \"{}\"", one.name, target.name),
                many => format!("{} key columns of the source have no place in \"{}\"", many.len(), target.name),
            };
            Some(format!("Choose how the values of \"{}\" are combined, such as sum: {why}.", column.source_name()))
        }
        _ => None,
    }
}

fn of_filter(filter: &Filter, source: &Block) -> Result<FeedFilter, Wrong> {
    let Some(column) = source.column(&filter.column) else {
        return Err(("column", format!("\"{}\" has no column named \"{}\".", source.name, filter.column)));
    };
    if filter.items.is_empty() {
        return Err(("items", format!("Name at least one item of \"{}\", or remove the filter.", column.name)));
    }
    if filter.items.len() > MAX_ITEMS {
        return Err(("items", format!("A filter names at most {MAX_ITEMS} items.")));
    }
    let parser = Parser::new(column.column_type, true, &ReadOptions::of(Format::Rows).values)
        .map_err(|errors| ("items", errors.to_string()))?;
    let parsed = filter.items.iter().map(|item| parser.parse(item.as_bytes()).map(Cell::from));
    let items = parsed.collect::<Result<_, _>>().map_err(|fault| ("items", fault.to_string()))?;
    Ok(FeedFilter { column: column.clone(), items })
}

/// What is wrong where the source is no Block and yet something is wanted that only a Block gives.
pub(super) fn not_of_a_block(definition: &Definition) -> FieldErrors {
    let mut errors = FieldErrors::new();
    if !definition.source.filter.is_empty() {
        errors.add(
            "source.filter",
            "Only rows of a Block are filtered. Leave this out, or choose a Block as the source.",
        );
    }
    for (i, line) in definition.mapping.iter().flatten().enumerate() {
        if line.aggregate.is_some() {
            errors.add(
                format!("mapping[{i}].aggregate"),
                "Only values of a Block are aggregated. Leave this out, or choose a Block as the source.",
            );
        }
    }
    errors
}

/// Aggregates as a form offers them.
pub fn aggregates() -> Vec<(String, &'static str)> {
    Aggregate::ALL.iter().map(|aggregate| (aggregate.to_string(), aggregate.label())).collect()
}

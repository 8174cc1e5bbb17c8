//! What a run rejected, put right for all runs that follow: "NA" in a column means empty, "CC-9914" becomes "CC-9910", an
//! item that a list lacks is created.

use std::iter::once;

use super::actions::{find, update};
use super::maker::Maker;
use super::mapping::Mapping;
use super::model::{Configuration, Definition, Draft, UnknownItems};
use crate::applications::Entered;
use crate::applications::blocks::{self, Block, Column};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::formats::{ColumnType, Parser};
use crate::in_use::InUse;
use crate::members::By;
use crate::names::{Met, meet, name_key};
use crate::translations::{self, Otherwise, Translation};

/// The column of the Block that one of the source fills; `None`: none, or the next load finds it.
pub fn filled<'a>(definition: &'a Definition, column: &str) -> Option<&'a str> {
    match &definition.mapping {
        None => {
            let mut found = definition.columns.iter().flatten();
            found.find(|name| meet(name, once(column)) == Met::One(0)).map(String::as_str)
        }
        Some(mapping) => mapping.iter().find(|mapped| reads(mapped, column)).map(|mapped| mapped.to.as_str()),
    }
}

/// The null markers of a column of the source.
pub fn markers<'a>(definition: &'a Definition, column: &str) -> &'a [String] {
    let of_all = &definition.source.read.values.nulls;
    let mapped = definition.mapping.iter().flatten().find(|mapped| reads(mapped, column));
    mapped.and_then(|mapped| mapped.nulls.as_ref()).unwrap_or(of_all)
}

/// The line whose cells a cause is about, by its code and the column of the source, where their value may become another.
/// None where that is not certain: a cell that is put together, or made of a date, is called after its first column.
pub fn translatable(definition: &Definition, block: &Block, column: &str, code: &str) -> Option<Mapping> {
    let fits = |line: &Mapping, filled: &Column| match code {
        "unknown_item" => filled.column_type == ColumnType::Dimension,
        "not_translated" => line.transform.translate.is_some(),
        "not_a_number" | "not_an_integer" | "not_a_boolean" | "not_a_date" | "not_a_timestamp" => {
            !matches!(filled.column_type, ColumnType::Text | ColumnType::Dimension)
        }
        _ => false,
    };
    if definition.mapping.is_none() {
        let line = Mapping::column(column, filled(definition, column)?);
        let to = block.column(&line.to)?;
        return fits(&line, to).then_some(line);
    }
    let about = |line: &&Mapping| {
        let first = line.fills.source_columns().next();
        first.is_some_and(|name| meet(name, once(column)) == Met::One(0))
            && block.column(&line.to).is_some_and(|to| fits(line, to) || line.transform.period.is_some())
    };
    let mut lines = definition.mapping.iter().flatten().filter(about);
    match (lines.next(), lines.next()) {
        (Some(line), None) if line.fills.source_column().is_some() && line.transform.period.is_none() => {
            Some(line.clone())
        }
        _ => None,
    }
}

/// What a value of that line becomes since, if somebody said so; a cell that names an unknown item is shown as it came
/// out of the table.
pub fn becomes_since(table: Option<&Translation>, line: &Mapping, value: &str) -> Option<String> {
    let entries = &table?.entries;
    entries.get(&Maker::reworded(&line.transform, value)).cloned()
}

/// From now on these cells of the column are empty, beside those that were before; those of other columns stay as they
/// are. Columns that were found by their names, by the run (`found`) if by none before, become the mapping that they are:
/// only there has one its own markers.
pub fn treat_as_empty(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    (id, column, marker): (i64, &str, &str),
    found: Option<Vec<String>>,
    now: Moment,
) -> Result<Configuration> {
    let (before, mut definition) = about(conn, by, entered, (id, column), found)?;
    add(&mut definition, column, marker);
    update(conn, in_use, by, entered, (id, None), Draft::of(&before, &definition), now)
}

/// From now on a value of the column becomes another: by the translation table that the column has, else by a new one.
/// Answers the configuration and the table, and where the value is to name an item, the Block of the list that must have it.
pub fn translate(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    (id, column, found): (i64, &str, Option<Vec<String>>),
    (code, value, becomes): (&str, &str, &str),
    now: Moment,
) -> Result<(Configuration, Translation, Option<i64>)> {
    let (before, mut definition) = about(conn, by, entered, (id, column), found)?;
    if becomes.is_empty() {
        return Err(AppError::invalid("becomes", format!("Enter what \"{value}\" becomes.")));
    }
    let block = blocks::find(conn, before.block_id)?;
    let line = translatable(&definition, &block, column, code);
    let Some((line, to)) = line.and_then(|line| block.column(&line.to).map(|to| (line, to))) else {
        return Err(AppError::Conflict(format!(
            "{} has changed, and this value is not that of one column any more. Edit its mapping.",
            before.name
        )));
    };
    let parser = Parser::new(to.column_type, false, &definition.source.read.values)?.with_nulls(line.nulls.as_deref());
    if let Err(fault) = parser.parse(becomes.as_bytes()) {
        return Err(AppError::invalid("becomes", format!("Nothing was changed: {fault}")));
    }
    // A list that names its own items brings them along.
    let names = definition.unknown_items == UnknownItems::Reject;
    let list = to.dimension_block_id.filter(|list| names && *list != block.id);
    // As the table is asked for it.
    let value = Maker::reworded(&line.transform, value);
    if let Some(known) = line.transform.translate {
        // A cell that names an unknown item has been through the table: what became of it becomes another.
        let table = translations::by_id(conn, known)?;
        let through = table.entries.iter().filter(|(_, to)| code == "unknown_item" && **to == value);
        let mut sources: Vec<String> = through.map(|(from, _)| from.clone()).collect();
        sources.push(value);
        let mut learned = table;
        for source in sources {
            learned = translations::learn(conn, by, entered, known, &source, becomes, now)?;
        }
        return Ok((before, learned, list));
    }
    let name = free_name(conn, entered, &format!("{}: {column}", before.name))?;
    let draft = translations::Draft { name, otherwise: Otherwise::Keep, entries: vec![(value, becomes.to_owned())] };
    let table = translations::create(conn, by, entered.application.id, draft, now)?;
    for mapped in map(&mut definition).iter_mut().filter(|mapped| name_key(&mapped.to) == name_key(&line.to)) {
        mapped.transform.translate = Some(table.id);
    }
    let saved = update(conn, in_use, by, entered, (id, None), Draft::of(&before, &definition), now)?;
    Ok((saved, table, list))
}

/// From now on items that a list lacks are created.
pub fn create_items(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    id: i64,
    now: Moment,
) -> Result<Configuration> {
    db::lock_row(conn, "import_configurations", id)?;
    entered.need_configure(conn, by)?;
    let (before, mut definition) = find(conn, entered, id)?;
    definition.unknown_items = UnknownItems::Create;
    update(conn, in_use, by, entered, (id, None), Draft::of(&before, &definition), now)
}

/// The configuration, held, with its columns: those that its run found where nobody knew them before.
fn about(
    conn: &mut Conn,
    by: &By,
    entered: &Entered,
    (id, column): (i64, &str),
    found: Option<Vec<String>>,
) -> Result<(Configuration, Definition)> {
    db::lock_row(conn, "import_configurations", id)?;
    entered.need_configure(conn, by)?;
    let (before, mut definition) = find(conn, entered, id)?;
    definition.columns = definition.columns.or(found);
    if filled(&definition, column).is_none() {
        return Err(AppError::Conflict(format!(
            "{} fills no column from \"{column}\" yet. Its next load finds the columns.",
            before.name
        )));
    }
    Ok((before, definition))
}

/// The mapping; columns that were found by their names become one.
fn map(definition: &mut Definition) -> &mut Vec<Mapping> {
    let found = definition.columns.take().unwrap_or_default();
    definition
        .mapping
        .get_or_insert_with(|| found.into_iter().map(|name| Mapping::column(name.clone(), name)).collect())
}

/// A name that no other table of the Application has.
fn free_name(conn: &mut Conn, entered: &Entered, wanted: &str) -> Result<String> {
    let wanted: String = wanted.chars().take(150).collect();
    let taken: Vec<String> = translations::of_application(conn, entered.application.id)?
        .into_iter()
        .map(|table| name_key(&table.name))
        .collect();
    let mut names = std::iter::once(wanted.clone()).chain((2..).map(|n| format!("{wanted} {n}")));
    Ok(names.find(|name| !taken.contains(&name_key(name))).unwrap_or(wanted))
}

fn add(definition: &mut Definition, column: &str, marker: &str) {
    let of_all = definition.source.read.values.nulls.clone();
    for mapped in map(definition).iter_mut().filter(|mapped| reads(mapped, column)) {
        // As it is met.
        let marker = Maker::reworded(&mapped.transform, marker);
        let nulls = mapped.nulls.get_or_insert_with(|| of_all.clone());
        if !nulls.contains(&marker) {
            nulls.push(marker);
        }
    }
}

fn reads(mapped: &Mapping, column: &str) -> bool {
    mapped.fills.source_column().is_some_and(|name| meet(name, once(column)) == Met::One(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imports::Mode;

    #[test]
    fn a_marker_more_is_its_columns_alone_and_keeps_those_that_were_there() {
        let mut definition = Definition::new(Mode::Append);
        definition.mapping = Some(vec![Mapping::column("Ship date", "Shipped"), Mapping::column("Note", "Note")]);
        add(&mut definition, "ship date", "NA");
        add(&mut definition, "ship date", "NA");
        assert_eq!(markers(&definition, "Ship date"), ["", "NA"]);
        assert_eq!(markers(&definition, "Note"), [""]);
        assert_eq!(filled(&definition, "SHIP DATE"), Some("Shipped"));
        assert_eq!(filled(&definition, "Price"), None);
    }

    #[test]
    fn columns_that_were_found_by_their_names_are_mapped_from_then_on() {
        let mut definition = Definition::new(Mode::Append);
        assert_eq!(filled(&definition, "Ship date"), None, "nobody has found it yet");
        definition.columns = Some(vec!["Ship date".into(), "Price".into()]);
        assert_eq!(filled(&definition, "ship date"), Some("Ship date"));
        add(&mut definition, "ship date", "NA");
        assert_eq!(
            (markers(&definition, "Ship date"), markers(&definition, "Price")),
            (&["", "NA"].map(String::from)[..], &[String::new()][..])
        );
        assert_eq!((definition.columns, definition.source.read.values.nulls), (None, vec![String::new()]));
    }
}

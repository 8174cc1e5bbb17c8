//! "Treat NA as empty": one null marker more for what a column of the source fills.

use std::iter::once;

use super::actions::{find, update};
use super::model::{Configuration, Definition, Draft, Mapping};
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::Result;
use crate::in_use::InUse;
use crate::members::By;
use crate::names::{Met, meet};

/// The column of the Block that one of the source fills; `None`: none.
pub fn filled<'a>(definition: &'a Definition, column: &'a str) -> Option<&'a str> {
    match &definition.mapping {
        None => Some(column),
        Some(mapping) => mapping.iter().find(|mapped| reads(mapped, column)).map(|mapped| mapped.to.as_str()),
    }
}

/// The null markers of a column of the source.
pub fn markers<'a>(definition: &'a Definition, column: &str) -> &'a [String] {
    let of_all = &definition.source.read.values.nulls;
    let mapped = definition.mapping.iter().flatten().find(|mapped| reads(mapped, column));
    mapped.and_then(|mapped| mapped.nulls.as_ref()).unwrap_or(of_all)
}

/// From now on these cells of the column are empty, beside those that were before. Where the columns meet by equal
/// names there are no markers of one alone: then it is for all of them but text.
pub fn treat_as_empty(
    conn: &mut Conn,
    in_use: InUse,
    by: &By,
    entered: &Entered,
    (id, column, marker): (i64, &str, &str),
    now: Moment,
) -> Result<Configuration> {
    entered.need_configure(conn, by)?;
    db::lock_row(conn, "import_configurations", id)?;
    let (before, mut definition) = find(conn, entered, id)?;
    add(&mut definition, column, marker);
    update(conn, in_use, by, entered, (id, None), Draft::of(&before, &definition), now)
}

fn add(definition: &mut Definition, column: &str, marker: &str) {
    let more = |nulls: &mut Vec<String>| {
        if !nulls.iter().any(|there| there == marker) {
            nulls.push(marker.to_owned());
        }
    };
    let of_all = &mut definition.source.read.values.nulls;
    match &mut definition.mapping {
        None => more(of_all),
        Some(mapping) => {
            for mapped in mapping.iter_mut().filter(|mapped| reads(mapped, column)) {
                more(mapped.nulls.get_or_insert_with(|| of_all.clone()));
            }
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
    fn by_equal_names_it_is_for_all() {
        let mut definition = Definition::new(Mode::Append);
        add(&mut definition, "Ship date", "NA");
        assert_eq!(definition.source.read.values.nulls, ["", "NA"]);
    }
}

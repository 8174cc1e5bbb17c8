//! What was decided, in words: nothing may be decided in silence.

use super::ProposedColumn;
use super::candidates::Candidates;
use super::evidence::{Column, is_marker, shown_as};
use super::looked::Looked;
use super::settle::{type_of, under};
use crate::formats::column_type::ColumnType;
use crate::formats::names::is_ours;
use crate::formats::parser::Parser;
use crate::formats::value::Value;
use crate::formats::values::{Negative, ValueOptions};

/// The columns with their types; takes null markers into the options unless these were given.
pub(super) fn columns(
    looked: &Looked,
    candidates: &Candidates,
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) -> Vec<ProposedColumn> {
    let names = &looked.names;
    if !given {
        notation(options, notes);
    }
    let mut types: Vec<(ColumnType, Option<usize>)> =
        looked.columns.iter().map(|column| type_of(column, candidates, options)).collect();
    let marked = markers(looked, &mut types, options, given, notes);
    bare_times(looked, &types, options, notes);
    looked
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let (column_type, found) = types[i];
            let ignored = is_ours(&names[i]);
            let cell = column.examples.first();
            let becomes = found.zip(cell).map(|(way, cell)| shown_as(&candidates.list[way], cell));
            ProposedColumn {
                name: names[i].clone(),
                column_type,
                nullable: column.empty || (column_type != ColumnType::Text && !column.markers.is_empty()),
                key: looked.key == Some(i),
                ignored,
                examples: column.examples.clone(),
                becomes: becomes.or_else(|| cell.cloned()),
                against: if ignored { None } else { against(column, column_type, candidates, options, &marked) },
            }
        })
        .collect()
}

fn notation(options: &ValueOptions, notes: &mut Vec<String>) {
    let group = |group: &str| match group {
        " " => "a space".to_owned(),
        "'" => "an apostrophe".to_owned(),
        other => format!("\"{other}\""),
    };
    match (options.decimal_point.as_str(), options.group_separator.as_deref()) {
        (".", None) => {}
        (point, None) => notes.push(format!("\"{point}\" was read as the decimal point.")),
        (point, Some(separator)) => notes.push(format!(
            "\"{point}\" was read as the decimal point and {} as the group separator.",
            group(separator)
        )),
    }
    if options.negative == Negative::Any {
        let percent = if options.affixes.iter().any(|affix| affix == "%") { ", and 5% as 0.05" } else { "" };
        notes.push(format!("(300) and 300- are read as -300{percent}."));
    }
    let formats = [Some(options.date_format.as_str()), options.timestamp_format.as_deref()];
    for format in formats.into_iter().flatten().filter(|format| *format != "%Y-%m-%d") {
        notes.push(format!("Dates or times were read as {format}."));
        if format.contains("%y") {
            notes.push("Two-digit years were read as 1970 to 2069.".to_owned());
        }
    }
}

/// Takes words such as NA as empty where all else in a column is of one type, and says so. Options that were given
/// are left alone: there it is advice.
fn markers(
    looked: &Looked,
    types: &mut [(ColumnType, Option<usize>)],
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) -> Vec<String> {
    let mut markers: Vec<&String> = Vec::new();
    for (column, (kind, _)) in looked.columns.iter().zip(types.iter()) {
        if *kind != ColumnType::Text {
            let new: Vec<&String> = column.markers.iter().filter(|marker| !markers.contains(marker)).collect();
            markers.extend(new);
        }
    }
    for marker in &markers {
        let holds = |i: &usize| looked.columns[*i].markers.contains(marker) && types[*i].0 != ColumnType::Text;
        let whose: Vec<&str> = (0..types.len()).filter(holds).map(|i| looked.names[i].as_str()).collect();
        if given {
            notes.push(format!(
                "\"{marker}\" seems to mean empty in {}: {}. Add it to the null markers, or these columns become text.",
                counted(whose.len()),
                listed(&whose)
            ));
        } else {
            notes.push(format!(
                "{marker} was read as empty in {}: {}. Text columns keep it.",
                counted(whose.len()),
                listed(&whose)
            ));
            options.nulls.push((*marker).clone());
        }
    }
    let markers: Vec<String> = markers.into_iter().cloned().collect();
    if given {
        for (column, found) in looked.columns.iter().zip(types.iter_mut()) {
            if !column.markers.is_empty() {
                *found = (ColumnType::Text, None);
            }
        }
    }
    markers
}

fn bare_times(looked: &Looked, types: &[(ColumnType, Option<usize>)], options: &ValueOptions, notes: &mut Vec<String>) {
    let is_bare = |column: &Column| {
        let in_zone = |zone: &str| {
            let options = ValueOptions { time_zone: Some(zone.to_owned()), ..options.clone() };
            let parser = Parser::new(ColumnType::Timestamp, false, &options).ok()?;
            match parser.value(column.examples.first()?.as_bytes()) {
                Ok(Value::Timestamp(at)) => Some(at),
                _ => None,
            }
        };
        in_zone("UTC") != in_zone("Asia/Kathmandu")
    };
    let bare: Vec<&str> = (0..types.len())
        .filter(|&i| types[i].0 == ColumnType::Timestamp && options.time_zone.is_none() && is_bare(&looked.columns[i]))
        .map(|i| looked.names[i].as_str())
        .collect();
    if !bare.is_empty() {
        notes.push(format!(
            "The times in {} have no time zone and are read as UTC. Set the source's time zone if they are local.",
            listed(&bare)
        ));
    }
}

/// What speaks against the type, or for another one, where there is something.
fn against(
    column: &Column,
    column_type: ColumnType,
    candidates: &Candidates,
    options: &ValueOptions,
    markers: &[String],
) -> Option<String> {
    if column_type != ColumnType::Text {
        if let Some(cell) = column.exponent().filter(|_| column_type == ColumnType::Number) {
            return Some(format!("Cells such as \"{cell}\" are loaded as whole numbers."));
        }
        let compact = |cell: &String| cell.len() == 8 && (cell.starts_with("19") || cell.starts_with("20"));
        let is_day = |cell: &String| {
            let (month, day) = (cell[4..6].parse::<u32>(), cell[6..].parse::<u32>());
            matches!((month, day), (Ok(1..=12), Ok(1..=31)))
        };
        let days =
            column_type == ColumnType::Integer && column.examples.iter().all(|cell| compact(cell) && is_day(cell));
        return days.then(|| {
            "These could be days. If they are, set the date format to %Y%m%d and the type to date.".to_owned()
        });
    }
    if let Some(code) = column.code() {
        return Some(format!("As a number, \"{code}\" would lose the way it is written."));
    }
    let ways = under(candidates, options).into_iter().filter(|i| candidates.list[*i].kind != ColumnType::Boolean);
    let nearly = ways.rev().find_map(|i| column.nearly(i).map(|cell| (candidates.list[i].kind, cell)));
    if let Some((kind, cell)) = nearly {
        return Some(format!("Without cells such as \"{cell}\", it would be of type {kind}."));
    }
    let other = (0..candidates.list.len()).find(|i| column.fits(*i, candidates));
    if let Some(i) = other {
        return Some(format!(
            "Another column of the file is written differently. On its own, this one would be of type {}.",
            candidates.list[i].kind
        ));
    }
    let words: Vec<&str> = column.markers.iter().filter(|word| markers.contains(word)).map(String::as_str).collect();
    (!words.is_empty() && is_marker(words[0])).then(|| {
        format!("{} stays text here. Give the column its own null markers to read it as empty.", listed(&words))
    })
}

pub(super) fn counted(columns: usize) -> String {
    if columns == 1 { "1 column".to_owned() } else { format!("{columns} columns") }
}

fn listed(names: &[&str]) -> String {
    const MOST: usize = 10;
    let mut list = names.iter().take(MOST).copied().collect::<Vec<_>>().join(", ");
    if names.len() > MOST {
        list.push_str(&format!(" and {} more", names.len() - MOST));
    }
    list
}

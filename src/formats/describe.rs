//! What the columns of a sample hold, and the notes about whatever was decided on the way.

use std::collections::HashSet;

use super::column_type::ColumnType;
use super::names::is_ours;
use super::sample::{ProposedColumn, Sample};
use super::typing::{Sampled, is_marker, settle_notation};
use super::values::ValueOptions;

/// The columns with their types; sets the notation and the null markers unless they were given.
pub(super) fn type_columns(
    sample: &Sample,
    names: Vec<String>,
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) -> Vec<ProposedColumn> {
    let sampled: Vec<Sampled<'_>> = (0..names.len()).map(|i| Sampled::new(sample.column(i), options)).collect();
    if !given {
        let doubts = settle_notation(&sampled, options);
        describe_notation(options, doubts.day_or_month, notes);
    }
    let mut types: Vec<ColumnType> = sampled.iter().map(|column| column.column_type(options)).collect();
    let ignored: Vec<bool> = names.iter().map(|name| is_ours(name)).collect();
    settle_markers(&sampled, &names, &mut types, options, given, notes);

    let bare: Vec<&str> = (0..names.len())
        .filter(|&i| types[i] == ColumnType::Timestamp && options.time_zone.is_none() && sampled[i].is_bare(options))
        .map(|i| names[i].as_str())
        .collect();
    if !bare.is_empty() {
        notes.push(format!(
            "The times in {} have no zone and are read as UTC. Set the source's time zone if they are local.",
            listed(&bare)
        ));
    }
    for (i, column) in sampled.iter().enumerate() {
        if types[i] == ColumnType::Text
            && !ignored[i]
            && let Some((kind, cell)) = column.nearly(options)
        {
            let cell: String = cell.chars().take(40).collect();
            notes.push(format!("\"{}\" would be {kind} but for cells such as \"{cell}\", so it is text.", names[i]));
        }
    }
    let key = (0..names.len())
        .find(|&i| !ignored[i] && matches!(types[i], ColumnType::Text | ColumnType::Integer) && is_distinct(sample, i));
    names
        .into_iter()
        .enumerate()
        .map(|(i, name)| ProposedColumn {
            name,
            column_type: types[i],
            nullable: sampled[i].empty || (types[i] != ColumnType::Text && !sampled[i].markers.is_empty()),
            key: key == Some(i),
            ignored: ignored[i],
            examples: examples(sample, i, options),
        })
        .collect()
}

fn describe_notation(options: &ValueOptions, day_or_month: bool, notes: &mut Vec<String>) {
    match (options.decimal_point.as_str(), options.group_separator.as_deref()) {
        (".", None) => {}
        (point, None) => notes.push(format!("\"{point}\" was taken as the decimal point.")),
        (point, Some(group)) => {
            notes.push(format!("\"{point}\" was taken as the decimal point and \"{group}\" as the group separator."))
        }
    }
    let formats = [Some(options.date_format.as_str()), options.timestamp_format.as_deref()];
    for format in formats.into_iter().flatten().filter(|format| *format != "%Y-%m-%d") {
        notes.push(format!("Dates or times were read as {format}."));
    }
    if day_or_month {
        notes.push(
            "Every date could be day/month as well as month/day; day/month was taken, so 03/04/2026 is 3 April. \
             Check the date format."
                .to_owned(),
        );
    }
}

/// Takes words such as NA as empty where all else in a column is of one type, and says so. Options that were given
/// are left alone: there it is advice.
fn settle_markers(
    sampled: &[Sampled<'_>],
    names: &[String],
    types: &mut [ColumnType],
    options: &mut ValueOptions,
    given: bool,
    notes: &mut Vec<String>,
) {
    let mut markers: Vec<&str> = Vec::new();
    for (column, kind) in sampled.iter().zip(types.iter()) {
        if *kind != ColumnType::Text {
            for marker in &column.markers {
                if !markers.contains(marker) {
                    markers.push(marker);
                }
            }
        }
    }
    for marker in markers {
        let whose = |text: bool| -> Vec<&str> {
            let holds = |i: &usize| sampled[*i].markers.contains(&marker) && (types[*i] == ColumnType::Text) == text;
            (0..names.len()).filter(holds).map(|i| names[i].as_str()).collect()
        };
        let columns = whose(false);
        if given {
            notes.push(format!(
                "\"{marker}\" seems to mean empty in {}: {}. Add it to the null markers, else these are text.",
                counted(columns.len()),
                listed(&columns)
            ));
            continue;
        }
        notes.push(format!("{marker} was taken as empty in {}: {}.", counted(columns.len()), listed(&columns)));
        let texts = whose(true);
        if !texts.is_empty() {
            notes.push(format!(
                "{marker} also stands in the text of {}, where it will be empty too. If it is a word there, \
                 take it out of the null markers.",
                listed(&texts)
            ));
        }
        options.nulls.push(marker.to_owned());
    }
    if given {
        for (column, kind) in sampled.iter().zip(types.iter_mut()) {
            if !column.markers.is_empty() {
                *kind = ColumnType::Text;
            }
        }
    }
}

fn counted(columns: usize) -> String {
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

fn is_distinct(sample: &Sample, column: usize) -> bool {
    let mut seen = HashSet::new();
    sample.sound().map(|row| row.field(column)).all(|cell| !cell.trim_ascii().is_empty() && seen.insert(cell))
        && seen.len() > 1
}

fn examples(sample: &Sample, column: usize, options: &ValueOptions) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for row in sample.sound() {
        let text = row.text(column);
        if text.is_empty() || is_marker(&text) || options.nulls.iter().any(|null| *null == text) {
            continue;
        }
        let short: String = text.chars().take(60).collect();
        if !found.contains(&short) {
            found.push(short);
        }
        if found.len() == 3 {
            break;
        }
    }
    found
}

//! What a mapping does to the cells of a column on their way into the Block. Text first: trim, case, translation; then the
//! cell is read as its column's type; then a date becomes its period, a sign is flipped. What is empty then becomes the
//! default, as it stands.

use serde::{Deserialize, Serialize};

use super::mapping::{Expr, Mapping};
use crate::applications::blocks::{Column, Unit};
use crate::db::text_enum;
use crate::formats::{ColumnType, Parser, Value, ValueOptions};

text_enum! {
    /// How letters are written.
    pub enum Case { Upper = "upper", Lower = "lower", Title = "title" }
}

impl Case {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Upper => "UPPER CASE",
            Self::Lower => "lower case",
            Self::Title => "First Letters",
        }
    }
}

/// The longest text that a line of a mapping brings, in bytes.
const MAX_TEXT: usize = 2_000;

/// The most columns and texts that one cell is put together from.
pub const MAX_PARTS: usize = 10;

/// A piece of a cell that is put together from several.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Part {
    /// A column of the source.
    #[serde(rename = "from")]
    Column(String),
    /// The same in every row.
    #[serde(rename = "text")]
    Text(String),
}

/// In the order in which it is done.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transform {
    /// Space before and behind goes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub trim: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub case: Option<Case>,
    /// The translation table by which values become others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub translate: Option<i64>,
    /// A date becomes the first day of its period, or in a column of text its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Unit>,
    /// The month in which a year begins, and with it its quarters; January unless said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_begins: Option<u32>,
    /// The sign is flipped.
    #[serde(default, skip_serializing_if = "is_false")]
    pub negate: bool,
    /// What an empty cell becomes, as a cell of the source would write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

fn is_false(truth: &bool) -> bool {
    !truth
}

impl Transform {
    pub fn is_none(&self) -> bool {
        *self == Self::default()
    }

    /// Whether the text itself is changed before it is read.
    pub fn is_of_text(&self) -> bool {
        self.trim || self.case.is_some() || self.translate.is_some()
    }

    /// The member by whose name the first thing is done, if any is.
    pub fn first(&self) -> Option<&'static str> {
        [
            ("trim", self.trim),
            ("case", self.case.is_some()),
            ("translate", self.translate.is_some()),
            ("default", self.default.is_some()),
            ("period", self.period.is_some()),
            ("year_begins", self.year_begins.is_some()),
            ("negate", self.negate),
        ]
        .into_iter()
        .find_map(|(name, there)| there.then_some(name))
    }

    /// What the cells are read as, before the period makes a name of a date.
    pub fn read_as(&self, column_type: ColumnType) -> ColumnType {
        if self.period.is_some() { ColumnType::Date } else { column_type }
    }
}

/// What is wrong with how a line fills its column: the member, and why. Whether its table is there is not asked here.
pub fn wrong(line: &Mapping, column: &Column, values: &ValueOptions) -> Vec<(&'static str, String)> {
    let mut wrong = Vec::new();
    let (transform, name, kind) = (&line.transform, &column.name, column.column_type);
    let parses = |text: &str, read_as: ColumnType| {
        let parser = Parser::new(read_as, column.must_be_filled(), values).ok()?;
        parser.with_nulls(line.nulls.as_deref()).parse(text.as_bytes()).err().map(|fault| fault.to_string())
    };
    match &line.fills {
        Expr::Column(name) if name.trim().is_empty() => {
            wrong.push(("from", "Choose a column of the source, or enter a constant.".to_owned()));
        }
        Expr::Column(_) => {}
        Expr::Constant(text) => wrong.extend(parses(text, kind).map(|why| ("constant", why))),
        Expr::Join(parts) => wrong.extend(wrong_parts(parts).map(|why| ("join", why))),
        Expr::LoadedAt(_) if matches!(kind, ColumnType::Date | ColumnType::Timestamp) => {}
        Expr::LoadedAt(_) => {
            let why = format!("The time of the load fits a date or a timestamp, and \"{name}\" is of type {kind}.");
            wrong.push(("loaded_at", why));
        }
    }
    if matches!(line.fills, Expr::Constant(_) | Expr::LoadedAt(_))
        && let Some(member) = transform.first()
    {
        wrong.push((member, "It is the same in every row and is loaded as it stands. Leave this out.".to_owned()));
        return wrong;
    }
    if transform.period.is_some() && !matches!(kind, ColumnType::Date | ColumnType::Text | ColumnType::Dimension) {
        let why = format!("The period of a date fits a date, a text or a dimension, and \"{name}\" is of type {kind}.");
        wrong.push(("period", why));
    }
    match transform.year_begins {
        Some(_) if !matches!(transform.period, Some(Unit::Quarter | Unit::Year)) => {
            wrong.push(("year_begins", "Only quarters and years depend on it. Leave it out.".to_owned()));
        }
        Some(month) if !(1..=12).contains(&month) => {
            wrong.push(("year_begins", "Enter a month from 1 to 12.".to_owned()));
        }
        _ => {}
    }
    if transform.negate && !matches!(kind, ColumnType::Integer | ColumnType::Number) {
        let why = format!("Only a number has a sign, and \"{name}\" is of type {kind}. Leave this out.");
        wrong.push(("negate", why));
    }
    if let Some(text) = &transform.default {
        let means_empty = || {
            let parser = Parser::new(kind, false, values).map(|parser| parser.with_nulls(line.nulls.as_deref()));
            parser.is_ok_and(|parser| parser.parse(text.as_bytes()) == Ok(Value::Empty))
        };
        if text.len() > MAX_TEXT {
            wrong.push(("default", format!("A default has at most {MAX_TEXT} bytes.")));
        } else if text.is_empty() {
            wrong.push(("default", "Enter the value that an empty cell becomes, or leave it out.".to_owned()));
        } else if means_empty() {
            wrong.push(("default", format!("\"{text}\" means empty here. Enter another value, or leave it out.")));
        } else if let Some(why) = parses(text, kind) {
            wrong.push(("default", why));
        }
    }
    wrong
}

/// The pieces of a text like "{Year}-{Month}". Two braces stand for one.
pub fn parts_of(template: &str) -> Vec<Part> {
    let (mut parts, mut text) = (Vec::new(), String::new());
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            text.push(c);
            rest = after;
        } else if let Some((name, after)) = rest.strip_prefix('{').and_then(name_in) {
            if !text.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut text)));
            }
            parts.push(Part::Column(name));
            rest = after;
        } else {
            text.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    if !text.is_empty() {
        parts.push(Part::Text(text));
    }
    parts
}

/// A name up to the brace that closes it, and what follows.
fn name_in(inner: &str) -> Option<(String, &str)> {
    let (mut name, mut rest) = (String::new(), inner);
    loop {
        let c = rest.chars().next()?;
        if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
            name.push(c);
            rest = after;
        } else if let Some(after) = rest.strip_prefix('}') {
            return Some((name, after));
        } else {
            name.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
}

/// The text that has these pieces.
pub fn template_of(parts: &[Part]) -> String {
    let piece = |part: &Part| match part {
        Part::Column(name) => format!("{{{}}}", name.replace('{', "{{").replace('}', "}}")),
        Part::Text(text) => text.replace('{', "{{").replace('}', "}}"),
    };
    parts.iter().map(piece).collect()
}

fn wrong_parts(parts: &[Part]) -> Option<String> {
    if parts.len() > MAX_PARTS {
        return Some(format!("A cell is put together from at most {MAX_PARTS} columns and texts."));
    }
    if parts.iter().any(|part| matches!(part, Part::Text(text) if text.len() > MAX_TEXT)) {
        return Some(format!("A text has at most {MAX_TEXT} bytes."));
    }
    if parts.iter().any(|part| matches!(part, Part::Column(name) if name.trim().is_empty())) {
        return Some("Choose a column of the source for each part.".to_owned());
    }
    let columns = parts.iter().filter(|part| matches!(part, Part::Column(_))).count();
    (columns == 0).then(|| "Name at least one column of the source.".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_of_several_columns_is_taken_apart_and_put_together() {
        let column = |name: &str| Part::Column(name.into());
        let text = |text: &str| Part::Text(text.into());
        for (template, parts) in [
            ("{Year}-{Month}", vec![column("Year"), text("-"), column("Month")]),
            ("{{x}}{A}", vec![text("{x}"), column("A")]),
            ("{Amount {{EUR}}}x", vec![column("Amount {EUR}"), text("x")]),
            ("plain", vec![text("plain")]),
            ("", vec![]),
        ] {
            assert_eq!(parts_of(template), parts, "{template}");
            assert_eq!(template_of(&parts), template);
        }
        assert_eq!(parts_of("open { brace"), [text("open { brace")]);
    }
}

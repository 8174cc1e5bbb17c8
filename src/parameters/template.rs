//! Texts with parameters in braces, and how a value is written where it stands: bound in a query, encoded in an address,
//! never such that it could lead a path elsewhere, end a header or be read as SQL.

use std::fmt::Write as _;

use chrono::NaiveDate;

use super::model::is_name;
use super::values::{Known, Values};
use crate::connectors::Bound;

/// The longest form of a date, in characters.
const LONGEST_FORM: usize = 60;
/// So many values may one query bind.
const MOST_BOUND: usize = 5_000;

/// A text in braces, or one between them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    Value { name: String, form: Option<String> },
}

/// A text with parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(pub(super) Vec<Piece>);

/// Where a value is written, and so how.
#[derive(Clone, Copy, Debug)]
pub enum Where<'a> {
    /// The path of a file below a folder.
    Path,
    /// A path below an address, with what follows its question mark.
    Address,
    /// The whole address of a Connection.
    Url,
    Header,
    /// A cell, by which form a date and which decimal point.
    Cell(&'a str, &'a str),
}

impl Template {
    /// `{{` and `}}` stand for braces; any other brace is a parameter's.
    pub fn parse(text: &str) -> Result<Self, String> {
        Self::read(text, false, &|_| true)
    }

    /// The same of a query: what stands in quotes and comments stays as it is, and no parameter may stand in quotes.
    pub fn of_query(text: &str, declares: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        Self::read(text, true, declares)
    }

    /// Only parameters that are declared; any other brace is a brace. For texts that others write for many.
    pub fn of_known(text: &str, declares: &dyn Fn(&str) -> bool) -> Self {
        let mut pieces = Pieces::default();
        let mut rest = text;
        while let Some(at) = rest.find('{') {
            let (before, from) = rest.split_at(at);
            pieces.text(before);
            match value(from).filter(|(name, form, _)| declares(name) && form.is_none_or(|f| check_form(f).is_ok())) {
                Some((name, form, after)) => {
                    pieces.value(name, form);
                    rest = after;
                }
                None => {
                    pieces.text("{");
                    rest = &from[1..];
                }
            }
        }
        pieces.text(rest);
        Self(pieces.0)
    }

    fn read(text: &str, is_query: bool, declares: &dyn Fn(&str) -> bool) -> Result<Self, String> {
        let mut pieces = Pieces::default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if is_query && let Some(end) = left_alone(rest) {
                let (quoted, after) = rest.split_at(end);
                if !quoted.starts_with('-') && !quoted.starts_with('/') {
                    let inside = Self::of_known(quoted, declares);
                    if let Some(name) = inside.names().next() {
                        return Err(format!(
                            "{{{name}}} stands in quotes. A value is bound to the query and needs none: leave the quotes \
                             out."
                        ));
                    }
                }
                pieces.text(quoted);
                rest = after;
                continue;
            }
            if let Some(after) = rest.strip_prefix("{{").or_else(|| rest.strip_prefix("}}")) {
                pieces.text(&rest[..1]);
                rest = after;
                continue;
            }
            match c {
                '{' => {
                    let Some((name, form, after)) = value(rest) else {
                        return Err(
                            "A brace begins a parameter such as {month}. Write {{ for a brace itself.".to_owned()
                        );
                    };
                    form.map_or(Ok(()), check_form)?;
                    pieces.value(name, form);
                    rest = after;
                }
                '}' => return Err("A brace ends no parameter here. Write }} for a brace itself.".to_owned()),
                c => {
                    let (one, after) = rest.split_at(c.len_utf8());
                    pieces.text(one);
                    rest = after;
                }
            }
        }
        Ok(Self(pieces.0))
    }

    /// The parameters that it names, one as often as it stands there.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values().map(|(name, _)| name)
    }

    /// The same with the form of each.
    pub(super) fn values(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Value { name, form } => Some((name.as_str(), form.as_deref())),
            Piece::Text(_) => None,
        })
    }

    /// The name, where it is one parameter and nothing else.
    pub fn only(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Value { name, form: None }] => Some(name),
            _ => None,
        }
    }

    /// The text with its values. `Err`: which value cannot stand there.
    pub fn write(&self, values: &Values, at: Where<'_>) -> Result<String, String> {
        let mut out = String::new();
        // The same with an x for each letter that a value brings: what a part of the path would be without it.
        let mut plain = String::new();
        for piece in &self.0 {
            let (name, form) = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    plain.push_str(text);
                    continue;
                }
                Piece::Value { name, form } => (name, form.as_deref()),
            };
            let known = values.get(name).unwrap_or(&Known::Nothing);
            let after_mark = matches!(at, Where::Address | Where::Url) && plain.contains('?');
            if matches!(known, Known::Secret(_))
                && !(matches!(at, Where::Header) || (matches!(at, Where::Url) && after_mark))
            {
                return Err(format!("The secret {name} may not stand here, where others could read it."));
            }
            if matches!(at, Where::Url) && !has_host(&plain) {
                return Err(format!("The parameter {name} may not say which host is asked. Use it after the host."));
            }
            let text = match (known, at) {
                (Known::Date(date), Where::Cell(pattern, _)) => dated(*date, form.unwrap_or(pattern))?,
                (Known::Date(date), _) => dated(*date, form.unwrap_or("%Y-%m-%d"))?,
                (Known::Number(number), Where::Cell(_, point)) => number.to_string().replace('.', point),
                (Known::Number(number), _) => number.to_string(),
                (Known::Text(text) | Known::Secret(text), _) => text.clone(),
                (Known::List(list), _) => list.join(","),
                (Known::Nothing, _) => String::new(),
            };
            let is_date = matches!(known, Known::Date(_));
            match at {
                Where::Cell(..) => {}
                _ if text.is_empty() => return Err(format!("The parameter {name} has no value. Give one.")),
                Where::Header if !text.chars().all(|c| c == ' ' || c.is_ascii_graphic()) => {
                    return Err(format!(
                        "The value of {name} cannot stand in a header: use plain English letters, digits and signs, \
                         without line breaks."
                    ));
                }
                Where::Header => {}
                Where::Path | Where::Address | Where::Url if after_mark => {}
                Where::Path | Where::Address | Where::Url if is_date => {}
                Where::Path | Where::Address | Where::Url => {
                    let bad = |c: char| matches!(c, '/' | '\\' | '\u{2028}' | '\u{2029}') || c.is_control();
                    if text.contains("..") || text.chars().any(bad) {
                        return Err(format!(
                            "The value of {name} cannot stand in a path: it may have no slash, no .. and no control \
                             characters."
                        ));
                    }
                }
            }
            let encoded = if matches!(at, Where::Address | Where::Url) { percent(&text, is_date) } else { text };
            match is_date {
                true => plain.push_str(&encoded),
                false => plain.extend(encoded.chars().map(|_| 'x')),
            }
            out.push_str(&encoded);
        }
        if matches!(at, Where::Path | Where::Address | Where::Url) {
            let dots = |part: &str| matches!(part, "." | "..");
            if out.split('/').zip(plain.split('/')).any(|(part, before)| dots(part) && part != before) {
                return Err("The values of parameters make a .. in the path. Choose other values.".to_owned());
            }
        }
        Ok(out)
    }

    /// A query with a variable for each value, and the values in their order. Several choices are as many variables; none
    /// are a list of nothing.
    pub fn bind(&self, values: &Values) -> Result<(String, Vec<Bound>), String> {
        let (mut out, mut bound) = (String::new(), Vec::new());
        for piece in &self.0 {
            let (name, form) = match piece {
                Piece::Text(text) => {
                    out.push_str(text);
                    continue;
                }
                Piece::Value { name, form } => (name, form.as_deref()),
            };
            let mut put = |value: Bound| {
                bound.push(value);
                let _ = write!(out, "{}", Bound::variable(bound.len()));
            };
            match values.get(name).unwrap_or(&Known::Nothing) {
                Known::Text(text) | Known::Secret(text) => put(Bound::Text(text.clone())),
                Known::Date(date) => put(Bound::Text(dated(*date, form.unwrap_or("%Y-%m-%d"))?)),
                Known::Number(number) => match (number.as_i64(), number.as_f64()) {
                    (Some(whole), _) => put(Bound::Integer(whole)),
                    (None, Some(real)) => put(Bound::Real(real)),
                    (None, None) => put(Bound::Null),
                },
                Known::List(list) if list.is_empty() => out.push_str("SELECT NULL WHERE 1 = 0"),
                Known::List(list) => {
                    for (i, choice) in list.iter().enumerate() {
                        if i > 0 {
                            out.push_str(", ");
                        }
                        bound.push(Bound::Text(choice.clone()));
                        out.push_str(&Bound::variable(bound.len()));
                    }
                }
                Known::Nothing => put(Bound::Null),
            }
            if bound.len() > MOST_BOUND {
                return Err(format!("The query binds more than {MOST_BOUND} values. Name fewer choices."));
            }
        }
        Ok((out, bound))
    }
}

#[derive(Default)]
struct Pieces(Vec<Piece>);

impl Pieces {
    fn text(&mut self, text: &str) {
        match self.0.last_mut() {
            _ if text.is_empty() => {}
            Some(Piece::Text(there)) => there.push_str(text),
            _ => self.0.push(Piece::Text(text.to_owned())),
        }
    }

    fn value(&mut self, name: &str, form: Option<&str>) {
        self.0.push(Piece::Value { name: name.to_owned(), form: form.map(str::to_owned) });
    }
}

/// Name, form and the rest of a text that begins with `{name}` or `{name:form}`.
fn value(text: &str) -> Option<(&str, Option<&str>, &str)> {
    let (inside, after) = text.strip_prefix('{')?.split_once('}')?;
    let (name, form) = match inside.split_once(':') {
        Some((name, form)) => (name, Some(form)),
        None => (inside, None),
    };
    is_name(name).then_some((name, form, after))
}

/// Where what a query quotes or remarks ends, if it begins here.
fn left_alone(text: &str) -> Option<usize> {
    let until = |from: usize, end: &str| text[from..].find(end).map_or(text.len(), |at| from + at + end.len());
    match text.as_bytes() {
        // A doubled quote inside ends one quoted text and begins the next.
        [quote @ (b'\'' | b'"' | b'`'), ..] => Some(until(1, char::from(*quote).encode_utf8(&mut [0; 4]))),
        [b'[', ..] => Some(until(1, "]")),
        [b'-', b'-', ..] => Some(until(2, "\n")),
        [b'/', b'*', ..] => Some(until(2, "*/")),
        _ => None,
    }
}

/// Whether the host of an address has been said.
fn has_host(so_far: &str) -> bool {
    so_far.split_once("://").is_some_and(|(_, rest)| rest.contains(['/', '?', '#']))
}

/// Letters, digits and `-._~` as they are, all else by its bytes; slashes of a date's form too.
fn percent(text: &str, slashes: bool) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(byte.into()),
            b'/' if slashes => out.push('/'),
            byte => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

/// What may stand behind the name of a date.
pub(super) fn check_form(form: &str) -> Result<(), String> {
    let wrong = "Write a date's form with %Y, %y, %m, %d, %j, %q, %G, %V, %u, %b, %B, %a or %A, such as {month:%Y%m}.";
    let mut chars = form.chars();
    let mut found = false;
    while let Some(c) = chars.next() {
        match c {
            '%' => {
                let mut letter = chars.next();
                if letter == Some('-') {
                    letter = chars.next().filter(|letter| matches!(letter, 'm' | 'd' | 'j'));
                }
                match letter {
                    Some('Y' | 'y' | 'm' | 'd' | 'j' | 'q' | 'G' | 'V' | 'u' | 'b' | 'B' | 'a' | 'A') => found = true,
                    Some('%') => {}
                    _ => return Err(wrong.to_owned()),
                }
            }
            c if c.is_control() || c == '\\' => return Err(wrong.to_owned()),
            _ => {}
        }
    }
    if found && form.chars().count() <= LONGEST_FORM && !form.contains("..") { Ok(()) } else { Err(wrong.to_owned()) }
}

fn dated(date: NaiveDate, form: &str) -> Result<String, String> {
    let mut out = String::new();
    match write!(out, "{}", date.format(form)) {
        Ok(()) => Ok(out),
        Err(_) => Err("A date cannot be written in the form that the source has.".to_owned()),
    }
}

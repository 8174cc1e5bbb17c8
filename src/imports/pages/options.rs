//! How a source is written and what becomes of it afterwards, as a form's controls hold it. Their names are those of the
//! API (`source.delimiter` is `source-delimiter`), so that what is wrong finds its control.

use chrono::{DateTime, NaiveDateTime};

use crate::error::FieldErrors;
use crate::formats::{Compression, CsvOptions, Format, Negative, ReadOptions};
use crate::imports::{AfterSuccess, Source};
use crate::web::Form;

/// The options as text to type.
#[derive(Clone, Debug, Default)]
pub struct OptionsView {
    /// `rows` where a query is asked: nothing of a file is shown then.
    pub format: String,
    pub delimiter: String,
    pub quote: String,
    pub encoding: String,
    pub header: String,
    pub skip_lines: String,
    pub comment: String,
    pub escape: String,
    pub nulls: String,
    pub decimal_point: String,
    pub group_separator: String,
    pub negative: String,
    pub affixes: String,
    pub date_format: Pattern,
    pub timestamp_format: Pattern,
    pub time_zone: String,
    pub compression: String,
    pub formats: Vec<(String, &'static str)>,
    pub headers: Vec<(String, &'static str)>,
    pub negatives: Vec<(String, &'static str)>,
    pub compressions: Vec<(String, &'static str)>,
}

/// A format of dates or timestamps: one of the list, or another that is typed.
#[derive(Clone, Debug, Default)]
pub struct Pattern {
    pub chosen: String,
    pub other: String,
    pub choices: Vec<(String, String)>,
}

/// The value of the choice beside which a pattern is typed.
const OTHER: &str = "other";

/// How a list shows each of them: no number of this moment can be taken for another.
fn example() -> NaiveDateTime {
    DateTime::from_timestamp(1_798_725_909, 0).unwrap_or_default().naive_utc()
}

const DATES: [&str; 14] = [
    "%Y-%m-%d",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%b %d, %Y",
];
const TIMESTAMPS: [&str; 9] = [
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%Y %H:%M",
];

impl Pattern {
    fn of(pattern: &str, usual: &[(&str, &str)], known: &[&str]) -> Self {
        let shown = |pattern: &&str| ((*pattern).to_owned(), example().format(pattern).to_string());
        let mut choices: Vec<(String, String)> =
            usual.iter().map(|(v, l)| ((*v).to_owned(), (*l).to_owned())).collect();
        choices.extend(known.iter().map(shown));
        let listed = choices.iter().any(|(value, _)| value == pattern);
        choices.push((OTHER.into(), "Another pattern".into()));
        let (chosen, other) = if listed { (pattern, "") } else { (OTHER, pattern) };
        Self { chosen: chosen.to_owned(), other: other.to_owned(), choices }
    }

    /// Which one a form holds under a name.
    fn read(form: &Form, name: &str) -> String {
        match form.get(name) {
            OTHER => form.get(&format!("{name}{OTHER_CONTROL}")).to_owned(),
            chosen => chosen.to_owned(),
        }
    }
}

/// Ends the name of the control in which another pattern is typed.
const OTHER_CONTROL: &str = "-other";

impl OptionsView {
    pub fn of(options: &ReadOptions) -> Self {
        let csv = options.csv().cloned().unwrap_or_default();
        let values = &options.values;
        let nulls: Vec<&str> = values.nulls.iter().map(String::as_str).filter(|null| !null.is_empty()).collect();
        Self {
            format: options.format.as_str().to_owned(),
            delimiter: if csv.delimiter == "\t" { "\\t".into() } else { csv.delimiter },
            quote: csv.quote,
            encoding: csv.encoding,
            header: if csv.header { "yes".into() } else { "no".into() },
            skip_lines: csv.skip_lines.to_string(),
            comment: csv.comment.unwrap_or_default(),
            escape: csv.escape.unwrap_or_default(),
            nulls: nulls.join("\n"),
            decimal_point: values.decimal_point.clone(),
            group_separator: values.group_separator.clone().unwrap_or_default(),
            negative: values.negative.as_str().to_owned(),
            affixes: values.affixes.join(" "),
            date_format: Pattern::of(&values.date_format, &[], &DATES),
            timestamp_format: Pattern::of(
                values.timestamp_format.as_deref().unwrap_or_default(),
                &[("", "2026-12-31T14:05:09Z (RFC 3339)")],
                &TIMESTAMPS,
            ),
            time_zone: values.time_zone.clone().unwrap_or_default(),
            compression: options.compression.map_or(String::new(), |c| c.as_str().to_owned()),
            formats: vec![("csv".into(), "CSV"), ("ndjson".into(), "NDJSON: a JSON object on each line")],
            headers: vec![("yes".into(), "Column names"), ("no".into(), "Data")],
            negatives: vec![("leading".into(), "A minus in front: -300"), ("any".into(), "Also 300- and (300)")],
            compressions: vec![(String::new(), "By the file's name"), ("none".into(), "None"), ("gzip".into(), "gzip")],
        }
    }

    /// The format in a line: "CSV, comma, UTF-8, header in line 1".
    pub fn line(&self) -> String {
        let mut said = match self.format.as_str() {
            "csv" => {
                let delimiter = match self.delimiter.as_str() {
                    "," => "comma".to_owned(),
                    ";" => "semicolon".to_owned(),
                    "\\t" => "tab".to_owned(),
                    "|" => "vertical bar".to_owned(),
                    other => format!("delimiter {other}"),
                };
                let encoding = if self.encoding.eq_ignore_ascii_case("utf-8") {
                    "UTF-8".to_owned()
                } else {
                    self.encoding.clone()
                };
                let line = self.skip_lines.parse::<u32>().map_or(1, |skipped| skipped.saturating_add(1));
                let begins = if self.header == "yes" { "header in line" } else { "no header, data from line" };
                format!("CSV, {delimiter}, {encoding}, {begins} {line}")
            }
            "ndjson" => "NDJSON: a JSON object on each line".to_owned(),
            _ => "The rows of the query".to_owned(),
        };
        if self.decimal_point == "," {
            said.push_str(", decimal comma");
        }
        said
    }

    /// Whether one of them is wrong.
    pub fn is_wrong(&self, errors: &FieldErrors) -> bool {
        errors.0.iter().any(|error| is_one(&error.field))
    }

    pub fn is_csv(&self) -> bool {
        self.format == "csv"
    }

    pub fn is_file(&self) -> bool {
        self.format != "rows"
    }
}

/// Whether a form says how the source is written at all.
pub fn are_in(form: &Form) -> bool {
    form.has("source-format")
}

/// The options that a form holds, of a file or of what a query answers (`asks`); whether they can be used is theirs to
/// say.
pub fn read(form: &Form, asks: bool) -> ReadOptions {
    let text = |name: &str| Some(form.raw(name).to_owned()).filter(|text| !text.is_empty());
    let mut options = ReadOptions::of(match Format::named(form.get("source-format")) {
        _ if asks => Format::Rows,
        // A form that held another format before has no punctuation: it is as usual.
        Some(Format::Csv(_)) if form.has("source-delimiter") => Format::Csv(CsvOptions {
            delimiter: form.raw("source-delimiter").to_owned(),
            quote: form.raw("source-quote").to_owned(),
            encoding: form.get("source-encoding").to_owned(),
            header: form.get("source-header") != "no",
            // What is no number is more than may be skipped, and is told so.
            skip_lines: match form.get("source-skip_lines") {
                "" => 0,
                lines => lines.parse().unwrap_or(u32::MAX),
            },
            comment: text("source-comment"),
            escape: text("source-escape"),
        }),
        Some(Format::Ndjson) => Format::Ndjson,
        _ => Format::default(),
    });
    let values = &mut options.values;
    let lines = form.raw("source-nulls").lines().filter(|line| !line.is_empty());
    values.nulls = std::iter::once("").chain(lines).map(str::to_owned).collect();
    values.decimal_point = form.raw("source-decimal_point").to_owned();
    values.group_separator = text("source-group_separator");
    values.negative = if form.get("source-negative") == "any" { Negative::Any } else { Negative::Leading };
    values.affixes = form.raw("source-affixes").split_whitespace().map(str::to_owned).collect();
    values.date_format = Pattern::read(form, "source-date_format");
    values.timestamp_format = Some(Pattern::read(form, "source-timestamp_format")).filter(|text| !text.is_empty());
    values.time_zone = form.some("source-time_zone").map(str::to_owned);
    options.compression = Compression::ALL.into_iter().find(|known| known.as_str() == form.get("source-compression"));
    options.tidy();
    options
}

/// Puts options in the place of those that a form holds.
pub fn write(form: &mut Form, options: &ReadOptions) {
    form.0.retain(|(name, _)| !is_one(name));
    let view = OptionsView::of(options);
    let csv = [
        ("delimiter", view.delimiter),
        ("quote", view.quote),
        ("encoding", view.encoding),
        ("header", view.header),
        ("skip_lines", view.skip_lines),
        ("comment", view.comment),
        ("escape", view.escape),
    ];
    let all = [
        ("format", view.format),
        ("nulls", view.nulls),
        ("decimal_point", view.decimal_point),
        ("group_separator", view.group_separator),
        ("negative", view.negative),
        ("affixes", view.affixes),
        ("date_format", view.date_format.chosen),
        ("date_format-other", view.date_format.other),
        ("timestamp_format", view.timestamp_format.chosen),
        ("timestamp_format-other", view.timestamp_format.other),
        ("time_zone", view.time_zone),
        ("compression", view.compression),
    ];
    let csv = csv.into_iter().filter(|_| options.csv().is_some());
    form.0.extend(all.into_iter().chain(csv).map(|(name, value)| (format!("source-{name}"), value)));
}

/// Whether a control is one of these.
pub fn is_one(name: &str) -> bool {
    let name = name.strip_suffix(OTHER_CONTROL).unwrap_or(name);
    name.strip_prefix("source-").is_some_and(ReadOptions::has)
}

/// What becomes of the file, as the form says it.
pub fn read_after(form: &Form, source: &mut Source) {
    source.after_success = AfterSuccess::parse(form.get("source-after_success")).unwrap_or_default();
    source.move_to =
        form.some("source-move_to").map(str::to_owned).filter(|_| source.after_success == AfterSuccess::Move);
}

/// The choices for it.
pub fn after_choices() -> Vec<(String, &'static str)> {
    AfterSuccess::ALL.iter().map(|after| (after.to_string(), after.label())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_back_the_options_that_it_was_given() {
        let mut options =
            ReadOptions::of(Format::Csv(CsvOptions { delimiter: "\t".into(), header: false, ..CsvOptions::default() }));
        options.values.nulls = vec![String::new(), "NA".into(), "n/a".into()];
        options.values.group_separator = Some(" ".into());
        options.values.negative = Negative::Any;
        options.values.affixes = vec!["$".into(), "%".into()];
        if let Format::Csv(csv) = &mut options.format {
            (csv.skip_lines, csv.comment, csv.escape) = (3, Some("#".into()), Some("\\".into()));
        }
        options.values.time_zone = Some("Europe/Paris".into());
        options.values.date_format = "%d/%m/%Y".into();
        options.values.timestamp_format = Some("%H:%M on %d %B %Y".into());
        options.compression = Some(Compression::Gzip);
        let mut form = Form::default();
        for options in [options, ReadOptions::default(), ReadOptions::of(Format::Ndjson), ReadOptions::default()] {
            write(&mut form, &options);
            form.0.iter().for_each(|(name, _)| assert!(is_one(name), "{name}"));
            assert_eq!(read(&form, false), options);
        }
        assert_eq!(read(&form, true).format, Format::Rows);
    }
}

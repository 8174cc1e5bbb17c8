//! How a CSV source is written, as a form's controls hold it. Their names are those of the API (`source.delimiter` is
//! `source-delimiter`), so that what is wrong finds its control.

use crate::formats::{Compression, CsvOptions};
use crate::web::Form;

/// The options as text to type.
#[derive(Clone, Debug, Default)]
pub struct OptionsView {
    pub delimiter: String,
    pub quote: String,
    pub encoding: String,
    pub header: String,
    pub nulls: String,
    pub decimal_point: String,
    pub group_separator: String,
    pub date_format: String,
    pub timestamp_format: String,
    pub time_zone: String,
    pub compression: String,
    pub headers: Vec<(String, &'static str)>,
    pub compressions: Vec<(String, &'static str)>,
}

impl OptionsView {
    pub fn of(options: &CsvOptions) -> Self {
        let nulls: Vec<&str> = options.nulls.iter().map(String::as_str).filter(|null| !null.is_empty()).collect();
        Self {
            delimiter: if options.delimiter == "\t" { "\\t".into() } else { options.delimiter.clone() },
            quote: options.quote.clone(),
            encoding: options.encoding.clone(),
            header: if options.header { "yes".into() } else { "no".into() },
            nulls: nulls.join("\n"),
            decimal_point: options.decimal_point.clone(),
            group_separator: options.group_separator.clone().unwrap_or_default(),
            date_format: options.date_format.clone(),
            timestamp_format: options.timestamp_format.clone().unwrap_or_default(),
            time_zone: options.time_zone.clone().unwrap_or_default(),
            compression: options.compression.map_or(String::new(), |c| c.as_str().to_owned()),
            headers: vec![("yes".into(), "The names of the columns"), ("no".into(), "Data")],
            compressions: vec![
                (String::new(), "As the file's name says"),
                ("none".into(), "None"),
                ("gzip".into(), "gzip"),
            ],
        }
    }
}

/// Whether a form says how the source is written at all.
pub fn are_in(form: &Form) -> bool {
    form.has("source-delimiter")
}

/// The options that a form holds; whether they can be used is theirs to say.
pub fn read(form: &Form) -> CsvOptions {
    let text = |name: &str| Some(form.raw(name).to_owned()).filter(|text| !text.is_empty());
    let mut options = CsvOptions {
        delimiter: form.raw("source-delimiter").to_owned(),
        quote: form.raw("source-quote").to_owned(),
        encoding: form.get("source-encoding").to_owned(),
        header: form.get("source-header") != "no",
        nulls: std::iter::once("")
            .chain(form.raw("source-nulls").lines().filter(|line| !line.is_empty()))
            .map(str::to_owned)
            .collect(),
        decimal_point: form.raw("source-decimal_point").to_owned(),
        group_separator: text("source-group_separator"),
        date_format: form.get("source-date_format").to_owned(),
        timestamp_format: text("source-timestamp_format"),
        time_zone: form.some("source-time_zone").map(str::to_owned),
        compression: Compression::ALL.into_iter().find(|known| known.as_str() == form.get("source-compression")),
    };
    options.tidy();
    options
}

/// Puts options in the place of those that a form holds.
pub fn write(form: &mut Form, options: &CsvOptions) {
    form.0.retain(|(name, _)| !is_one(name));
    let view = OptionsView::of(options);
    let pairs = [
        ("delimiter", view.delimiter),
        ("quote", view.quote),
        ("encoding", view.encoding),
        ("header", view.header),
        ("nulls", view.nulls),
        ("decimal_point", view.decimal_point),
        ("group_separator", view.group_separator),
        ("date_format", view.date_format),
        ("timestamp_format", view.timestamp_format),
        ("time_zone", view.time_zone),
        ("compression", view.compression),
    ];
    form.0.extend(pairs.into_iter().map(|(name, value)| (format!("source-{name}"), value)));
}

/// Whether a control is one of these.
pub fn is_one(name: &str) -> bool {
    name.strip_prefix("source-").is_some_and(|member| CsvOptions::MEMBERS.contains(&member))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_gives_back_the_options_that_it_was_given() {
        let mut options = CsvOptions {
            delimiter: "\t".into(),
            nulls: vec![String::new(), "NA".into(), "n/a".into()],
            group_separator: Some(" ".into()),
            header: false,
            time_zone: Some("Europe/Paris".into()),
            compression: Some(Compression::Gzip),
            ..CsvOptions::default()
        };
        let mut form = Form::default();
        write(&mut form, &options);
        assert_eq!(read(&form), options);
        options = CsvOptions::default();
        write(&mut form, &options);
        assert_eq!(read(&form), options);
    }
}

//! What a file seems to be: the proposal that a person sees while making a configuration.

use std::io::Cursor;

use proptest::prelude::*;
use tidegate::formats::{
    About, ColumnType, Compression, FormatError, PATIENCE, Parser, Proposal, ReadOptions, Record, Rows, propose,
};

use super::{cases, csv, data, gzip, open, with};

fn proposed(bytes: impl AsRef<[u8]>, name: &str) -> Proposal {
    propose(Cursor::new(bytes.as_ref()), name, None, true, PATIENCE).unwrap()
}

fn types(proposal: &Proposal) -> Vec<(&str, ColumnType)> {
    proposal.columns.iter().map(|c| (c.name.as_str(), c.column_type)).collect()
}

fn said(proposal: &Proposal, words: &str) -> bool {
    proposal.notes.iter().any(|note| note.contains(words))
}

#[test]
fn the_weather_is_typed_and_its_holes_are_said() {
    use ColumnType::{Integer, Number, Text, Timestamp};
    let proposal = proposed(data("weather.csv"), "weather.csv");
    let expected = [
        ("origin", Text),
        ("year", Integer),
        ("month", Integer),
        ("day", Integer),
        ("hour", Integer),
        ("temp", Number),
        ("dewp", Number),
        ("humid", Number),
        ("wind_dir", Integer),
        ("wind_speed", Number),
        ("wind_gust", Number),
        ("precip", Number),
        ("pressure", Number),
        ("visib", Number),
        ("time_hour", Timestamp),
    ];
    assert_eq!(types(&proposal), expected);
    assert_eq!(proposal.options, with(|o| o.values.nulls.push("NA".to_owned())));
    assert_eq!(proposal.rows.len(), 50);
    assert!(said(&proposal, "NA was read as empty in "), "{:?}", proposal.notes);
    assert!(proposal.columns.iter().all(|column| !column.key));
    assert!(proposal.columns[10].nullable && !proposal.columns[0].nullable);
    assert_eq!(proposal.columns[0].examples[0], "EWR");
}

#[test]
fn what_is_proposed_for_a_real_file_reads_all_of_it() {
    for (name, key) in
        [("airlines.csv", Some("carrier")), ("airports.csv", Some("faa")), ("planes.csv", Some("tailnum"))]
    {
        let bytes = data(name);
        let proposal = proposed(&bytes, name);
        assert_eq!(proposal.columns.iter().find(|c| c.key).map(|c| c.name.as_str()), key, "{name}");
        let parsers: Vec<Parser> = proposal
            .columns
            .iter()
            .map(|c| Parser::new(c.column_type, false, &proposal.options.values).unwrap())
            .collect();
        let mut reader = open(Cursor::new(&bytes), &proposal.options, name).unwrap();
        let mut record = Record::new();
        while reader.next(&mut record).unwrap() {
            for (parser, cell) in parsers.iter().zip(record.iter()) {
                assert!(parser.parse(cell).is_ok(), "{name} line {}: {:?}", record.line(), parser.parse(cell));
            }
        }
    }
}

#[test]
fn a_european_file_is_understood() {
    let text =
        b"Nom;Prix;Jour;Vu\nCaf\xe9;1.234,50;22/11/2026;22/11/2026 10:00\nTh\xe9;12,5;01/02/2026;01/02/2026 09:30\n";
    let proposal = proposed(text, "prix.csv");
    let kinds: Vec<_> = proposal.columns.iter().map(|c| c.column_type).collect();
    assert_eq!(kinds, [ColumnType::Text, ColumnType::Number, ColumnType::Date, ColumnType::Timestamp]);
    let options = &proposal.options;
    assert_eq!(
        (options.csv().unwrap().delimiter.as_str(), options.csv().unwrap().encoding.as_str()),
        (";", "windows-1252")
    );
    assert_eq!((options.values.decimal_point.as_str(), options.values.group_separator.as_deref()), (",", Some(".")));
    assert_eq!(options.values.date_format, "%d/%m/%Y");
    assert_eq!(proposal.rows[0][0], "Café");
    for words in ["semicolons", "windows-1252", "decimal point", "%d/%m/%Y", "Vu have no time zone"] {
        assert!(said(&proposal, words), "{words}: {:?}", proposal.notes);
    }
    assert!(proposal.questions.is_empty(), "{:?}", proposal.questions);
    assert!(options.validate().is_ok());
}

#[test]
fn doubt_between_day_and_month_is_asked() {
    let proposal = proposed("on,x\n01/02/2026,1\n03/04/2026,2\n", "");
    assert_eq!(proposal.options.values.date_format, "%d/%m/%Y");
    assert_eq!(proposal.questions.len(), 1);
    assert_eq!(proposed("on\n12/31/2026\n", "").options.values.date_format, "%m/%d/%Y");
    assert_eq!(proposed("on\n31.12.2026\n", "").options.values.date_format, "%d.%m.%Y");
}

#[test]
fn a_word_for_empty_is_never_taken_in_silence() {
    let proposal = proposed("country,sales,code\nNA,12,007\nFR,NA,012\nDE,-,100\n", "");
    assert_eq!(proposal.options.values.nulls, ["", "NA", "-"]);
    assert!(said(&proposal, "NA was read as empty in 1 column: sales."), "{:?}", proposal.notes);
    assert!(proposal.columns[0].against.as_deref().is_some_and(|words| words.contains("NA stays text here")));
    assert_eq!(proposal.columns[2].column_type, ColumnType::Text);
    // In a column of words it is a word.
    assert_eq!(proposed("country,n\nNA,1\nFR,2\n", "").options, ReadOptions::default());
    // With options given it is advice, and the types are those that the options give.
    let given = ReadOptions::default();
    let proposal = propose(Cursor::new("a,b\n1,NA\n2,3\n"), "", Some(&given), true, PATIENCE).unwrap();
    assert_eq!((proposal.options, proposal.columns[1].column_type), (given, ColumnType::Text));
    assert!(proposal.notes.iter().any(|note| note.contains("Add it to the null markers")), "{:?}", proposal.notes);
}

#[test]
fn headers_are_told_from_data() {
    let proposal = proposed("FR,1.5,2026-01-01\nDE,2,2026-01-02\n", "");
    assert!(!proposal.options.csv().unwrap().header && said(&proposal, "looks like data"));
    assert_eq!((proposal.columns[1].name.as_str(), proposal.rows.len()), ("Column 2", 2));
    let proposal = proposed("country,2025,2026\nFR,1,2\nDE,3,4\n", "");
    assert!(proposal.options.csv().unwrap().header);
    assert_eq!(proposal.columns[2].name, "2026");
    assert!(proposed("carrier,name\n9E,Endeavor\n", "").options.csv().unwrap().header);
    let given = csv(|o| o.header = false);
    let proposal = propose(Cursor::new("a,b\n1,2\n"), "", Some(&given), true, PATIENCE).unwrap();
    assert_eq!((proposal.columns[0].name.as_str(), proposal.rows.len()), ("Column 1", 2));
}

#[test]
fn compressed_empty_and_broken_files_get_a_clear_answer() {
    let proposal = proposed(gzip(&data("airlines.csv")), "airlines");
    assert_eq!(proposal.options.compression, Some(Compression::Gzip));
    assert_eq!(proposed(gzip(&data("airlines.csv")), "airlines.csv.gz").options.compression, None);
    let proposal = proposed("", "");
    assert!(proposal.columns.is_empty() && said(&proposal, "empty"));
    assert!(said(&proposed("a,b\n", ""), "no rows"));
    let proposal = proposed("a,b\n1,2\n3\n4,5\n", "");
    assert!(said(&proposal, "Line 3: The row is too short"), "{:?}", proposal.notes);
    assert_eq!(proposal.columns[1].column_type, ColumnType::Integer);
    let failed = |bytes: &[u8]| propose(Cursor::new(bytes), "", None, true, PATIENCE).unwrap_err();
    assert!(matches!(failed(b"a,b\n1,\"2\n"), FormatError::CutAt { line: 2 }));
    assert!(matches!(failed(b"PK\x03\x04...."), FormatError::NotCsv(_)));
    assert!(matches!(
        propose(Cursor::new(&gzip(b"a\n1\n")[..15]), "a.gz", None, true, PATIENCE),
        Err(FormatError::CutCompressed)
    ));
}

#[test]
fn a_column_that_is_nearly_of_a_type_is_named() {
    let rows: String = (0..20).map(|n| format!("{n}.5,x\n")).collect();
    let proposal = proposed(format!("price,x\n{rows}call us,x\n"), "");
    assert_eq!(proposal.columns[0].column_type, ColumnType::Text);
    let against = proposal.columns[0].against.as_deref();
    assert_eq!(against, Some("Without cells such as \"call us\", it would be of type number."));
}

#[test]
fn columns_of_a_rejected_rows_download_are_marked() {
    let proposal = proposed("a,tidegate_line,tidegate_reason\n1,2,x\n1,3,y\n", "");
    assert_eq!(proposal.columns.iter().map(|c| c.ignored).collect::<Vec<_>>(), [false, true, true]);
    assert!(proposal.columns.iter().all(|c| !c.key));
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn any_bytes_get_a_proposal_that_can_be_used_or_a_reason(
        bytes in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..300),
            "[a-c0-9,;.\"/ \n-]{0,200}".prop_map(String::into_bytes),
        ],
    ) {
        if let Ok(proposal) = propose(Cursor::new(&bytes), "", None, true, PATIENCE) {
            prop_assert!(proposal.options.validate().is_ok());
            prop_assert!(open(Cursor::new(&bytes), &proposal.options, "").is_ok());
        }
    }
}

#[test]
fn a_reading_that_nothing_proves_is_asked_with_a_real_cell() {
    let proposal = proposed("name;price\na;1.250\nb;12.500\nc;300\n", "");
    let [question] = proposal.questions.as_slice() else { panic!("{:?}", proposal.questions) };
    assert_eq!((question.about, question.column.as_str(), question.cell.as_str()), (About::Numbers, "price", "1.250"));
    let values: Vec<&str> = question.readings.iter().map(|reading| reading.value.as_str()).collect();
    assert_eq!(values, ["1.25", "1250"]);
    assert_eq!(question.readings[1].options.group_separator.as_deref(), Some("."));
    // One cell anywhere in the file proves it.
    let proposal = proposed("name;price;tax\na;1.250;0,5\nb;12.500;1\n", "");
    assert!(proposal.questions.is_empty(), "{:?}", proposal.questions);
    assert_eq!(proposal.options.values.group_separator.as_deref(), Some("."));
    assert_eq!(proposal.columns[1].becomes.as_deref(), Some("1250"));
    assert!(proposed("price\n1.250\n12.5\n", "").questions.is_empty());
    // Signs beside the numbers of another column prove nothing.
    assert_eq!(proposed("price;share\n1.250;5%\n300;7%\n", "").questions.len(), 1);
    assert_eq!(proposed("price;share\n$1.250;5%\n300;7%\n", "").questions.len(), 1);
    // Dates too, also of years with two digits; and a timestamp proves the order of the dates.
    let asked = |text: &str| {
        let questions = proposed(text, "").questions;
        questions.iter().flat_map(|q| q.readings.iter().map(|r| r.value.clone())).collect::<Vec<_>>()
    };
    assert_eq!(asked("on,x\n03/04/2026,1\n05/06/2026,2\n"), ["2026-04-03", "2026-03-04"]);
    assert_eq!(asked("on\n03/04/05\n"), ["2005-04-03", "2005-03-04", "2003-04-05"]);
    assert!(asked("on\n03/03/2026\n04/04/2026\n").is_empty());
    let proposal = proposed("day,stamp\n03/04/2026,03/24/2026 10:00\n05/06/2026,05/06/2026 11:30\n", "");
    assert_eq!((proposal.questions.len(), proposal.options.values.date_format.as_str()), (0, "%m/%d/%Y"));
    assert_eq!(proposal.options.values.timestamp_format.as_deref(), Some("%m/%d/%Y %H:%M"));
}

#[test]
fn what_a_column_is_said_to_hold_tells_nothing_of_its_separators() {
    let if_said = |text: &str| {
        let proposal = proposed(text, "");
        assert!(proposal.questions.is_empty(), "{:?}", proposal.questions);
        let readings = |q: &tidegate::formats::Question| q.readings.iter().map(|r| r.value.clone()).collect::<Vec<_>>();
        proposal.if_said.iter().map(|q| (q.column.clone(), q.cell.clone(), readings(q))).collect::<Vec<_>>()
    };
    let price =
        |readings: [&str; 2]| vec![("price".to_owned(), "1.250".to_owned(), readings.map(String::from).to_vec())];
    assert_eq!(if_said("price;x\n1.250;a\nask;b\n"), price(["1.25", "1250"]));
    assert_eq!(if_said("price;x\n007;a\n1.250;b\n"), price(["1.25", "1250"]));
    let dates = if_said("on;x\nsoon;a\n03/04/2026;b\n");
    assert_eq!(dates, [("on".into(), "03/04/2026".into(), vec!["2026-04-03".into(), "2026-03-04".into()])]);
    // What proves it, in the column or in another, leaves nothing to ask.
    assert!(if_said("price;x\n1.250;a\nask;b\n12.5;c\n").is_empty());
    assert!(if_said("price;x\n1.250;0,5\nask;1,25\n").is_empty());
    assert!(if_said("on;x\nsoon;a\n03/04/2026;b\n13/04/2026;c\n").is_empty());
    assert!(if_said("name;x\nlamp;a\ndesk;b\n").is_empty());
}

#[test]
fn what_would_not_come_back_as_it_is_written_is_text() {
    for cell in ["00501", "+33612345678", "12E4", "1e5", "12345678901234567890", "-007"] {
        // Also where it comes late.
        let rows: String = (100..2_100).map(|n| format!("{n}\n")).collect();
        let proposal = proposed(format!("code\n{rows}{cell}\n"), "");
        assert_eq!(proposal.columns[0].column_type, ColumnType::Text, "{cell}");
        let against = proposal.columns[0].against.as_deref().unwrap_or_default();
        assert!(against.contains(cell), "{against}");
    }
    assert_eq!(proposed("n\n1.5e-3\n2\n", "").columns[0].column_type, ColumnType::Number);
    assert_eq!(proposed("a,note\n1, \n2,   \n", "").columns[1].column_type, ColumnType::Text);
    for (time, kind) in [
        ("2016-12-31T23:59:60Z", ColumnType::Text),
        ("2016-12-31T10:00:00.1234567Z", ColumnType::Text),
        ("2016-12-31T10:00:00.1234560Z", ColumnType::Timestamp),
    ] {
        let proposal = proposed(format!("a,at\n1,2026-11-22T10:00:00Z\n2,{time}\n"), "");
        assert_eq!(proposal.columns[1].column_type, kind, "{time}");
    }
}

#[test]
fn numbers_and_dates_as_people_write_them_are_known() {
    let one = |cells: &str| {
        let proposal = proposed(format!("a|b\nx|{}\n", cells.replace(' ', "\nx|").replace('_', " ")), "");
        let column = &proposal.columns[1];
        (column.column_type, column.becomes.clone().unwrap_or_default(), proposal.options.values)
    };
    let (kind, becomes, values) = one("(300.10) 300.10- $12.50 \u{2212}4");
    assert_eq!((kind, becomes.as_str(), values.affixes.len()), (ColumnType::Number, "-300.1", 8));
    let (kind, becomes, values) = one("1\u{202f}234,56 12\u{a0}000,00 300,1");
    assert_eq!((kind, becomes.as_str()), (ColumnType::Number, "1234.56"));
    assert_eq!(values.group_separator.as_deref(), Some(" "));
    assert_eq!(one("1'234.5 2\u{2019}000.0").1, "1234.5");
    for (cells, day) in [
        ("2026/03/24 2026/03/25", "2026-03-24"),
        ("24-03-2026 25-03-2026", "2026-03-24"),
        ("04-Mar-2026 05-Mar-2026", "2026-03-04"),
        ("Jan_1_2000 Feb_2_2000", "2000-01-01"),
        ("25/12/25 03/01/26", "2025-12-25"),
    ] {
        let (kind, becomes, _) = one(cells);
        assert_eq!((kind, becomes.as_str()), (ColumnType::Date, day), "{cells}");
    }
    let (kind, becomes, _) = one("3/24/2026_4:30_PM 3/25/2026_9:00_AM");
    assert_eq!((kind, becomes.as_str()), (ColumnType::Timestamp, "2026-03-24T16:30:00Z"));
    let proposal = proposed("on,x\n20260304,1\n20260305,2\n", "");
    assert_eq!(proposal.columns[0].column_type, ColumnType::Integer);
    assert!(proposal.columns[0].against.as_deref().is_some_and(|words| words.contains("%Y%m%d")));
}

/// Endless rows, to be read from the start as often as anybody likes.
struct Endless(u64);

impl std::io::Read for Endless {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let row = b"12,abc\n";
        for byte in out.iter_mut() {
            *byte = row[(self.0 % row.len() as u64) as usize];
            self.0 += 1;
        }
        Ok(out.len())
    }
}

impl std::io::Seek for Endless {
    fn seek(&mut self, to: std::io::SeekFrom) -> std::io::Result<u64> {
        self.0 = match to {
            std::io::SeekFrom::Start(place) => place,
            std::io::SeekFrom::Current(0) => self.0,
            _ => 1 << 40,
        };
        Ok(self.0)
    }
}

#[test]
fn a_key_comes_first_or_is_called_like_one() {
    let key = |csv: &str| {
        let proposal = propose(Cursor::new(csv), "a.csv", None, true, PATIENCE).unwrap();
        proposal.columns.into_iter().find(|column| column.key).map(|column| column.name)
    };
    assert_eq!(key("Store,Amount\na,1\nb,2\n").as_deref(), Some("Store"));
    assert_eq!(key("Store,Amount\na,1\na,2\n"), None, "an amount differs too, and is none");
    assert_eq!(key("Store,Amount,Order ID\na,1,7\na,2,8\n").as_deref(), Some("Order ID"));
}

#[test]
fn a_look_ends_however_much_there_is_and_says_how_far_it_went() {
    let proposal = propose(Endless(0), "a.csv", None, true, std::time::Duration::from_millis(300)).unwrap();
    assert_eq!(proposal.columns[0].column_type, ColumnType::Integer);
    assert!(said(&proposal, "from the middle and the end"), "{:?}", proposal.notes);
    let beginning = propose(Cursor::new("a,b\n1,2\n3,4\n5"), "a.csv", None, false, PATIENCE).unwrap();
    assert!(said(&beginning, "Only the first 2 rows were checked"), "{:?}", beginning.notes);
    assert!(said(&proposed("a,b\n1,2\n3,4\n", ""), "2 rows were checked: the whole source"));
}

#[test]
fn what_is_shown_is_cut() {
    let proposal = proposed(format!("a,b\n{},1\n", "é".repeat(300)), "a.csv");
    assert_eq!(proposal.rows[0][0], format!("{}…", "é".repeat(200)));
}

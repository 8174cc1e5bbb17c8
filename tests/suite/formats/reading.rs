//! Bytes to rows: whole files, broken files, and files that chance makes.

use std::io::{self, Cursor, Read};

use proptest::prelude::*;
use tidegate::formats::{
    ColumnType, Compression, DamageKind, FormatError, Limits, Parser, ReadOptions, Record, Rows, Value, ValueOptions,
    write_text,
};

use super::{cases, csv, data, gzip, open, open_within, with};

/// A row as it was read: its line, its cells, the codes of its damage with their columns.
type Row = (u64, Vec<String>, Vec<(&'static str, Option<usize>)>);

fn read_within(
    bytes: &[u8],
    options: &ReadOptions,
    name: &str,
    limits: Limits,
) -> Result<(Vec<String>, Vec<Row>), FormatError> {
    let mut reader = open_within(Cursor::new(bytes), options, name, limits)?;
    let (mut rows, mut record) = (Vec::new(), Record::new());
    while reader.next(&mut record)? {
        rows.push((
            record.line(),
            (0..record.len()).map(|i| record.text(i).into_owned()).collect(),
            record.damage().iter().map(|d| (d.code(), d.column)).collect(),
        ));
    }
    assert_eq!(reader.rows_read(), rows.len() as u64);
    Ok((reader.columns().to_vec(), rows))
}

fn read(bytes: impl AsRef<[u8]>) -> Result<(Vec<String>, Vec<Row>), FormatError> {
    read_within(bytes.as_ref(), &ReadOptions::default(), "a.csv", Limits::default())
}

fn rows(bytes: impl AsRef<[u8]>) -> Vec<Row> {
    read(bytes).unwrap().1
}

fn cells(rows: &[Row]) -> Vec<Vec<&str>> {
    rows.iter().map(|row| row.1.iter().map(String::as_str).collect()).collect()
}

#[test]
fn lines_are_counted_where_people_count_them() {
    let rows = rows("a,b\r\n\r\n1,\"x\r\ny\nz\"\n\n2,y\r3,z\r\n\r\n4,\"q\"\r");
    assert_eq!(rows.iter().map(|r| r.0).collect::<Vec<_>>(), [3, 7, 8, 10]);
    assert_eq!(cells(&rows), [vec!["1", "x\r\ny\nz"], vec!["2", "y"], vec!["3", "z"], vec!["4", "q"]]);
    assert!(rows.iter().all(|r| r.2.is_empty()));
}

#[test]
fn a_blank_line_is_no_row_and_a_quoted_nothing_is_one() {
    assert_eq!(cells(&rows("a\n\n\"\"\n\nx")), [vec![""], vec!["x"]]);
}

#[test]
fn short_and_long_rows_are_damaged_and_the_rest_is_read() {
    let rows = rows("a,b,c\n1,2\n1,2,3\n1,2,3,4\n1,2,\n");
    let codes: Vec<_> = rows.iter().map(|r| r.2.clone()).collect();
    assert_eq!(codes, [vec![("short_row", None)], vec![], vec![("long_row", None)], vec![]]);
    let mut reader = open(Cursor::new("a,b\n1\n"), &ReadOptions::default(), "").unwrap();
    let mut record = Record::new();
    assert!(reader.next(&mut record).unwrap());
    assert_eq!(record.damage()[0].kind, DamageKind::ShortRow { expected: 2, found: 1 });
    assert_eq!(record.damage()[0].reason(), "The row is too short: 1 cell where the header has 2.");
    assert_eq!(record.field(1), b"");
}

#[test]
fn an_unclosed_quote_ends_the_run_at_the_line_where_it_opened() {
    for (text, line) in [
        ("a,b\n1,2\n3,\"x\n4,5\n", 3),
        ("a,b\n\"x\ny\",\"z\n", 3),
        ("a,\"b\n1,2\n", 1),
        ("a,b\n1,\"", 2),
        ("a,b\n1,\"x\"\"", 2),
    ] {
        match read(text) {
            Err(FormatError::CutAt { line: found }) => assert_eq!(found, line, "{text:?}"),
            other => panic!("{text:?}: {other:?}"),
        }
    }
    let words = read("a\n\"b").unwrap_err().to_string();
    assert!(words.contains("the quote opened on line 2 is never closed"), "{words}");
}

#[test]
fn a_lost_quote_does_not_merge_two_rows_silently() {
    let rows = rows("a,b\n1,\"x\n2,\"y\"\n3,z\n");
    assert_eq!(rows[0].2, [("stray_quote", Some(1))]);
    assert_eq!(rows[1].1, ["3", "z"]);
}

#[test]
fn bytes_that_are_no_text_damage_their_row_and_name_the_column() {
    let rows = rows(b"a,b\n1,\xff\nx\0y,2\n3,\xef\xbf\xbd\n\xc3,\"\xe9\"\n5,\"t\xc3\xa9\"\n");
    let codes: Vec<_> = rows.iter().map(|r| r.2.clone()).collect();
    let encoding = |column| ("not_in_encoding", Some(column));
    assert_eq!(codes, [vec![encoding(1)], vec![("nul", Some(0))], vec![], vec![encoding(0), encoding(1)], vec![]]);
    assert_eq!(rows[2].1[1], "\u{fffd}");
    assert_eq!(rows[4].1[1], "té");
}

#[test]
fn a_header_that_is_no_text_ends_the_run() {
    let error = read(b"caf\xe9,b\n1,2\n").unwrap_err();
    assert!(matches!(error, FormatError::HeaderNotInEncoding { line: 1, .. }), "{error:?}");
    assert!(error.to_string().contains("utf-8"), "{error}");
}

#[test]
fn text_over_64_kib_damages_its_row() {
    let most = "x".repeat(64 * 1024);
    let rows = rows(format!("a,b\n1,{most}\n2,{most}x\n\"{most}\"\"\",3\n4,5\n"));
    let codes: Vec<_> = rows.iter().map(|r| r.2.clone()).collect();
    assert_eq!(codes, [vec![], vec![("text_too_long", Some(1))], vec![("text_too_long", Some(0))], vec![]]);
}

#[test]
fn a_row_too_long_to_hold_is_passed_over_whatever_is_in_it() {
    let limits = Limits { row_bytes: 1 << 20, ..Limits::default() };
    let long = "x,\r\n".repeat(500_000);
    for ending in ["\n", "\r\n", "\r"] {
        let text = format!("a,b{ending}1,\"{long}\"\"{long}\"{ending}2,3{ending}");
        let rows = read_within(text.as_bytes(), &ReadOptions::default(), "", limits).unwrap().1;
        assert_eq!(rows[0].2, [("text_too_long", Some(1)), ("row_too_long", None)]);
        assert_eq!((rows[1].0, &rows[1].1), (1_000_003, &vec!["2".to_owned(), "3".to_owned()]));
    }
    let open = format!("a,b\n1,\"x\ny\",\"{long}");
    match read_within(open.as_bytes(), &ReadOptions::default(), "", limits) {
        Err(FormatError::CutAt { line }) => assert_eq!(line, 3),
        other => panic!("{other:?}"),
    }
}

#[test]
fn more_than_two_thousand_columns_end_the_run() {
    let wide = |columns: usize| format!("{}\n", vec!["c"; columns].join(","));
    assert_eq!(read(wide(2_000)).unwrap().0.len(), 2_000);
    assert!(matches!(read(wide(2_001)), Err(FormatError::TooManyColumns { line: 1, limit: 2_000 })));
    assert!(matches!(read(format!("a\n{}", wide(2_001))), Err(FormatError::TooManyColumns { line: 2, .. })));
    assert!(matches!(read(",".repeat(10_000_000)), Err(FormatError::TooManyColumns { .. })));
}

#[test]
fn a_quote_after_a_space_is_named_where_it_makes_a_row_too_long() {
    let (_, rows) = read("a,b\n1, \"x,y\"\n").unwrap();
    assert_eq!(rows[0].2.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ["long_row"]);
    let damage = tidegate::formats::Damage {
        column: None,
        kind: tidegate::formats::DamageKind::QuoteAfterSpace { expected: 2, found: 3 },
    };
    assert!(damage.advice().contains("space before the quote"));
}

#[test]
fn names_are_trimmed_and_distinct() {
    let names = |header: &str| read(format!("{header}\n")).unwrap().0;
    assert_eq!(names(" a ,A,,a 2,a"), ["a 1", "A", "Column 3", "a 2", "a 3"]);
    assert_eq!(names("\u{feff}id,name"), ["id", "name"]);
    assert_eq!(names("\u{feff}\"id\",name"), ["id", "name"]);
    assert_eq!(names(",Column 1"), ["Column 1 2", "Column 1"]);
    assert!(read("").unwrap().0.is_empty());
    assert!(read("\n\n").unwrap().0.is_empty());
}

#[test]
fn a_file_without_a_header_names_its_columns_itself() {
    let options = csv(|o| o.header = false);
    let (columns, rows) = read_within(b"\n1,2\n3\n", &options, "", Limits::default()).unwrap();
    assert_eq!(columns, ["Column 1", "Column 2"]);
    assert_eq!((rows[0].0, rows[0].1.len()), (2, 2));
    assert_eq!(rows[1].2, [("short_row", None)]);
    assert!(read_within(b"", &options, "", Limits::default()).unwrap().1.is_empty());
}

#[test]
fn columns_of_a_rejected_rows_download_are_known() {
    let text = "a,tidegate_line,Tidegate_Reason\n1,2,not a number\n";
    let reader = open(Cursor::new(text), &ReadOptions::default(), "").unwrap();
    assert_eq!(reader.ignored(), [1, 2]);
}

#[test]
fn other_dialects() {
    let options = csv(|o| (o.delimiter, o.quote) = ("\t".to_owned(), "'".to_owned()));
    let text = b"a\tb\n'x\ty'\t'it''s'\n\"q\"\tz\n";
    let rows = read_within(text, &options, "", Limits::default()).unwrap().1;
    assert_eq!(cells(&rows), [vec!["x\ty", "it's"], vec!["\"q\"", "z"]]);
    let options = csv(|o| o.quote = String::new());
    let rows = read_within(b"a,b\n\"1,2\"\n", &options, "", Limits::default()).unwrap().1;
    assert_eq!(cells(&rows), [vec!["\"1", "2\""]]);
    let error = read_within(b"a", &csv(|o| o.delimiter = ",,".to_owned()), "", Limits::default()).unwrap_err();
    assert!(error.to_string().contains("source.delimiter"), "{error}");
}

#[test]
fn other_encodings_are_decoded_and_what_cannot_be_is_damage() {
    let latin = csv(|o| o.encoding = "windows-1252".to_owned());
    let (columns, rows) = read_within(b"caf\xe9,b\n\x80,\"\xfc\"\n", &latin, "", Limits::default()).unwrap();
    assert_eq!(columns, ["café", "b"]);
    assert_eq!(cells(&rows), [vec!["€", "ü"]]);

    let utf16 = |text: &str, mark: bool| -> Vec<u8> {
        let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
        units.flat_map(u16::to_le_bytes).collect()
    };
    let marked = utf16("a,b\n1,\u{1f30a}\n", true);
    assert_eq!(cells(&read(&marked).unwrap().1), [vec!["1", "\u{1f30a}"]]);
    let wide = csv(|o| o.encoding = "utf-16le".to_owned());
    let mut broken = utf16("a,b\n1,\u{fffd}\n2,", false);
    broken.extend([0x3d, 0xd8]);
    broken.extend(utf16("x\n3,4\n", false));
    let rows = read_within(&broken, &wide, "", Limits::default()).unwrap().1;
    assert_eq!(cells(&rows), [vec!["1", "\u{fffd}"], vec!["2", "\u{fffd}x"], vec!["3", "4"]]);
    let codes: Vec<_> = rows.iter().map(|r| r.2.clone()).collect();
    assert_eq!(codes, [vec![], vec![("not_in_encoding", Some(1))], vec![]]);

    let japanese = csv(|o| o.encoding = "shift_jis".to_owned());
    let rows = read_within(b"a,b\n\x93\xfa,\x81\n1,2\n", &japanese, "", Limits::default()).unwrap().1;
    assert_eq!(rows[0].1[0], "日");
    assert!(rows[0].2.contains(&("not_in_encoding", Some(1))), "{rows:?}");
}

#[test]
fn gzip_goes_by_the_name_or_by_what_is_said() {
    let packed = gzip(&data("airlines.csv"));
    let options = ReadOptions::default();
    assert_eq!(read_within(&packed, &options, "airlines.csv.gz", Limits::default()).unwrap().1.len(), 16);
    let said = with(|o| o.compression = Some(Compression::Gzip));
    assert_eq!(read_within(&packed, &said, "airlines", Limits::default()).unwrap().1.len(), 16);
    let two = [gzip(b"a\n1\n"), gzip(b"2\n")].concat();
    assert_eq!(read_within(&two, &said, "", Limits::default()).unwrap().1.len(), 2);

    let error = read_within(&packed, &options, "airlines.csv", Limits::default()).unwrap_err();
    assert!(matches!(error, FormatError::NotCsv(_)) && error.to_string().contains("gzip"), "{error}");
    let error = read_within(b"a,b\n1,2\n3,4\n", &said, "", Limits::default()).unwrap_err();
    assert!(matches!(error, FormatError::BadCompressed(_)), "{error:?}");
    assert!(matches!(read(b"PK\x03\x04rest"), Err(FormatError::NotCsv(_))));
}

#[test]
fn a_compressed_file_cut_anywhere_is_never_a_success() {
    let packed = gzip(&data("airlines.csv"));
    for length in 0..packed.len() {
        match read_within(&packed[..length], &ReadOptions::default(), "a.gz", Limits::default()) {
            Err(FormatError::CutCompressed) => {}
            other => panic!("{length}: {other:?}"),
        }
    }
    let mut broken = packed.clone();
    let middle = packed.len() / 2;
    broken[middle] ^= 0xff;
    assert!(read_within(&broken, &ReadOptions::default(), "a.gz", Limits::default()).is_err());
}

#[test]
fn a_source_too_large_is_stopped_early() {
    let limits = Limits { decoded_bytes: 1 << 20, ..Limits::default() };
    let bomb = gzip(&vec![b'0'; 4 << 20]);
    assert!(bomb.len() < 1 << 20);
    match read_within(&bomb, &ReadOptions::default(), "a.gz", limits) {
        Err(error @ FormatError::TooLarge(_)) => assert!(error.to_string().contains("too large"), "{error}"),
        other => panic!("{other:?}"),
    }
    let limits = Limits { rows: 3, ..Limits::default() };
    assert_eq!(read_within(b"a\n1\n2\n3\n", &ReadOptions::default(), "", limits).unwrap().1.len(), 3);
    assert!(matches!(
        read_within(b"a\n1\n2\n3\n4\n", &ReadOptions::default(), "", limits),
        Err(FormatError::TooLarge(_))
    ));
}

/// Gives a byte or two at a time, then what its end says.
struct Drip<'a>(&'a [u8], Option<io::ErrorKind>);

impl Read for Drip<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.0.len().min(out.len()).min(1 + self.0.len() % 2);
        if count == 0
            && let Some(kind) = self.1
        {
            return Err(io::Error::new(kind, "the line went dead"));
        }
        out[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

#[test]
fn a_source_that_breaks_off_says_so_and_may_be_tried_again() {
    for (bytes, name) in [(b"a\n1\n".to_vec(), "a.csv"), (gzip(b"a\n1\n")[..12].to_vec(), "a.csv.gz")] {
        let mut record = Record::new();
        let drip = Drip(&bytes, Some(io::ErrorKind::UnexpectedEof));
        let outcome = open(drip, &ReadOptions::default(), name).and_then(|mut reader| {
            while reader.next(&mut record)? {}
            Ok(())
        });
        match outcome {
            Err(error @ FormatError::Read(_)) => {
                assert!(error.may_pass() && error.to_string().contains("the line went dead"), "{error}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn real_files_are_read_whole() {
    for (name, columns, count) in
        [("airlines.csv", 2, 16), ("airports.csv", 8, 1_458), ("planes.csv", 9, 3_322), ("weather.csv", 15, 26_115)]
    {
        let (names, rows) = read(data(name)).unwrap();
        assert_eq!((names.len(), rows.len()), (columns, count), "{name}");
        assert!(rows.iter().all(|row| row.2.is_empty()), "{name}");
        assert_eq!(rows.last().map(|row| row.0), Some(count as u64 + 1));
    }
}

#[test]
fn the_holes_of_the_weather_are_empty_when_declared_and_named_when_not() {
    let bytes = data("weather.csv");
    let holes = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "pressure"];
    let count = |options: &ReadOptions| {
        let mut reader = open(Cursor::new(&bytes), options, "weather.csv").unwrap();
        let parsers: Vec<Parser> = reader
            .columns()
            .iter()
            .map(|name| {
                let kind = match name.as_str() {
                    "origin" => ColumnType::Text,
                    "time_hour" => ColumnType::Timestamp,
                    name if holes.contains(&name) || ["precip", "visib"].contains(&name) => ColumnType::Number,
                    _ => ColumnType::Integer,
                };
                Parser::new(kind, false, &options.values).unwrap()
            })
            .collect();
        let (mut record, mut good, mut bad_rows, mut bad_cells) = (Record::new(), 0, 0, 0);
        while reader.next(&mut record).unwrap() {
            let bad = parsers.iter().zip(record.iter()).filter(|(parser, cell)| parser.parse(cell).is_err()).count();
            bad_cells += bad;
            if bad > 0 { bad_rows += 1 } else { good += 1 }
        }
        (good, bad_rows, bad_cells)
    };
    assert_eq!(count(&with(|o| o.values.nulls.push("NA".to_owned()))), (26_115, 0, 0));
    assert_eq!(count(&ReadOptions::default()), (4_980, 21_135, 23_974));
}

fn any_cell() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9]{0,12}", "[a\",;\r\n\t é\u{1f30a}\u{fffd}]{0,8}", any::<i64>().prop_map(|n| n.to_string()),]
}

/// Something close to CSV, so that chance finds the corners.
fn near_csv() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b",".to_vec()),
        Just(b"\"".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"\r".to_vec()),
        Just(b"ab".to_vec()),
        Just("é".into()),
        Just(b" ".to_vec()),
        Just(b"\xff".to_vec()),
        Just(b"\0".to_vec()),
        Just(b"\xef\xbb\xbf".to_vec()),
        Just(b"0123456789".to_vec()),
    ];
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn what_the_csv_crate_writes_is_read_back(
        table in (1_usize..6).prop_flat_map(|width| {
            prop::collection::vec(prop::collection::vec(any_cell(), width), 1..20)
        }),
        windows in any::<bool>(),
    ) {
        let mut builder = csv::WriterBuilder::new();
        if windows {
            builder.terminator(csv::Terminator::CRLF);
        }
        let mut writer = builder.from_writer(Vec::new());
        for row in &table {
            writer.write_record(row).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let options = csv(|o| o.header = false);
        let (_, rows) = read_within(&bytes, &options, "", Limits::default()).unwrap();
        prop_assert!(rows.iter().all(|row| row.2.is_empty()), "{:?}", rows);
        let cells: Vec<Vec<String>> = rows.into_iter().map(|row| row.1).collect();
        // A row of nothing but delimiters is no row.
        let is_row = |row: &Vec<String>| row.len() == 1 || row.iter().any(|cell| !cell.is_empty());
        prop_assert_eq!(cells, table.into_iter().filter(is_row).collect::<Vec<_>>());
    }

    #[test]
    fn undamaged_files_read_as_the_csv_crate_reads_them(bytes in near_csv()) {
        let options = csv(|o| o.header = false);
        if let Ok((_, rows)) = read_within(&bytes, &options, "", Limits::default()) {
            let odd = |row: &Row| row.2.iter().any(|(code, _)| *code != "short_row" && *code != "long_row");
            if !rows.iter().any(odd) && !bytes.contains(&b' ') {
                // The mark that programs write twice is taken off as often as it stands there; the peer takes off one.
                let mut text = bytes.as_slice();
                while let Some(rest) = text.strip_prefix(b"\xef\xbb\xbf") {
                    text = rest;
                }
                let mut peer = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
                let theirs: Vec<Vec<String>> = peer
                    .byte_records()
                    .map(|r| r.unwrap().iter().map(|c| String::from_utf8_lossy(c).into_owned()).collect())
                    .collect();
                let ours: Vec<Vec<String>> = rows.into_iter().map(|row| row.1).collect();
                // A row of nothing but delimiters is no row here.
                let is_row = |row: &Vec<String>| row.len() == 1 || row.iter().any(|cell| !cell.is_empty());
                prop_assert_eq!(
                    ours.into_iter().filter(is_row).collect::<Vec<_>>(),
                    theirs.into_iter().filter(is_row).collect::<Vec<_>>()
                );
            }
        }
    }

    #[test]
    fn no_bytes_at_all_make_it_panic(
        bytes in prop_oneof![prop::collection::vec(any::<u8>(), 0..300), near_csv()],
        encoding in prop::sample::select(vec!["utf-8", "utf-16le", "windows-1252", "shift_jis", "gb18030"]),
        packed in any::<bool>(),
    ) {
        let options = csv(|o| o.encoding = encoding.to_owned());
        let limits = Limits { row_bytes: 64, cell_bytes: 16, columns: 8, ..Limits::default() };
        let bytes = if packed { gzip(&bytes) } else { bytes };
        let name = if packed { "a.gz" } else { "a" };
        let whole = read_within(&bytes, &options, name, limits).map_err(|e| e.to_string());
        // However the bytes arrive, the rows are the same.
        let mut dripped = Vec::new();
        let outcome = open_within(Drip(&bytes, None), &options, name, limits).and_then(|mut reader| {
            let mut record = Record::new();
            while reader.next(&mut record)? {
                dripped.push((record.line(), record.len()));
            }
            Ok(())
        });
        match whole {
            Ok((_, rows)) => {
                prop_assert!(outcome.is_ok());
                let whole: Vec<_> = rows.iter().map(|row| (row.0, row.1.len())).collect();
                prop_assert_eq!(dripped, whole);
            }
            Err(error) => prop_assert_eq!(outcome.map_err(|e| e.to_string()), Err(error)),
        }
    }

    #[test]
    fn no_cell_makes_a_parser_panic_and_what_is_read_is_written_back(
        cell in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..40),
            "[-+0-9.,eE:TZ/ ]{0,30}".prop_map(String::into_bytes),
            any::<f64>().prop_map(|n| n.to_string().into_bytes()),
        ],
        marks in prop::sample::select(vec![(".", None), (",", Some(".")), (".", Some(",")), (",", Some("\u{a0}"))]),
    ) {
        let options = with(|o| {
            o.values.decimal_point = marks.0.to_owned();
            o.values.group_separator = marks.1.map(str::to_owned);
        });
        for kind in ColumnType::ALL {
            let parser = Parser::new(kind, false, &options.values).unwrap();
            let Ok(value) = parser.parse(&cell) else { continue };
            let mut text = Vec::new();
            write_text(&value, kind, &mut text);
            let plain = Parser::new(kind, false, &ValueOptions::default()).unwrap();
            let again = plain.parse(&text);
            let same = match (value, &again) {
                (Value::Number(a), Ok(Value::Number(b))) => a == *b,
                (a, b) => Ok(a) == *b,
            };
            prop_assert!(same, "{} {:?} {:?}", kind, value, again);
        }
    }
}

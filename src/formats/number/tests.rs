use super::*;

fn numerals(point: u8, group: Option<&str>) -> Numerals {
    Numerals::new(point, group, false, &[])
}

#[test]
fn numbers_are_the_nearest_double() {
    let plain = numerals(b'.', None);
    let texts = [
        "0",
        "-0.5",
        "12.5",
        "10.357019999999999",
        "1e3",
        "1E-3",
        "+7",
        ".5",
        "5.",
        "123456789012345",
        "999999999999999.9",
        "0.1",
        "0.000000000000001",
        "12345678901234567168",
        "1.7976931348623157e308",
    ];
    for text in texts {
        assert_eq!(plain.number(text.as_bytes(), &mut None), Ok(text.parse::<f64>().unwrap()), "{text}");
    }
    for text in ["", "-", ".", "NA", "inf", "nan", "-Infinity", "1,5", "0x10", "1e", "1 000", "--1", "1.2.3", "12%"] {
        assert_eq!(plain.number(text.as_bytes(), &mut None), Err(FaultCode::NotANumber), "{text}");
    }
    assert_eq!(plain.number(b"1e999", &mut None), Err(FaultCode::TooLarge));
    let long = format!("0.1{}", "0".repeat(5_000));
    assert_eq!(plain.number(long.as_bytes(), &mut None), Ok(0.1));
    for text in ["12345678901234567890", "+9007199254740993.0", ".30000000000000001", &format!("{long}1")] {
        assert_eq!(plain.number(text.as_bytes(), &mut None), Err(FaultCode::TooPrecise), "{text}");
    }
}

#[test]
fn groups_stand_where_they_belong() {
    let german = numerals(b',', Some("."));
    assert_eq!(german.number(b"1.234.567,5", &mut None), Ok(1_234_567.5));
    assert_eq!(german.number(b"-12,5", &mut None), Ok(-12.5));
    assert_eq!(german.integer(b"1.234", &mut None), Ok(1_234));
    for text in ["1.5", "1234.567", "1.2345", ".123", "1..234", "1,234.567", "1.234."] {
        assert_eq!(german.number(text.as_bytes(), &mut None), Err(FaultCode::NotANumber), "{text}");
    }
    let indian = numerals(b'.', Some(","));
    assert_eq!(indian.number(b"12,34,567.25", &mut None), Ok(1_234_567.25));
    assert_eq!(numerals(b',', Some("\u{202f}")).number("1\u{202f}234,5".as_bytes(), &mut None), Ok(1_234.5));
    assert_eq!(numerals(b',', None).number(b"12.5", &mut None), Err(FaultCode::NotANumber));
}

#[test]
fn integers_are_whole_and_fit() {
    let plain = numerals(b'.', None);
    assert_eq!(plain.integer(b"9223372036854775807", &mut None), Ok(i64::MAX));
    assert_eq!(plain.integer(b"-9223372036854775808", &mut None), Ok(i64::MIN));
    assert_eq!(plain.integer(b"007", &mut None), Ok(7));
    assert_eq!(plain.integer(b"9223372036854775808", &mut None), Err(FaultCode::TooLarge));
    assert_eq!(plain.integer(b"12.0", &mut None), Err(FaultCode::NotWhole));
    assert_eq!(plain.integer(b"1e3", &mut None), Err(FaultCode::NotWhole));
    assert_eq!(plain.integer(b"twelve", &mut None), Err(FaultCode::NotAnInteger));
    assert_eq!(plain.integer(b"+", &mut None), Err(FaultCode::NotAnInteger));
}

#[test]
fn what_a_number_loses_is_noted() {
    use Change::{Exponent, GroupSeparator, LeadingZeros, Plus};
    let noted = |numerals: &Numerals, cell: &str| {
        let mut noted = None;
        numerals.number(cell.as_bytes(), &mut noted).unwrap();
        noted
    };
    let plain = numerals(b'.', None);
    for cell in ["0", "-0.5", "10", "12.50", ".5", "-0", "1000000000000000000000"] {
        assert_eq!(noted(&plain, cell), None, "{cell}");
    }
    for (cell, change) in
        [("007", LeadingZeros), ("-00.5", LeadingZeros), ("+7", Plus), ("+07", LeadingZeros), ("1e3", Exponent)]
    {
        assert_eq!(noted(&plain, cell), Some(change), "{cell}");
    }
    let german = numerals(b',', Some("."));
    for (cell, change) in [
        ("1.250", Some(GroupSeparator)),
        ("0.250", Some(GroupSeparator)),
        ("1.250,5", None),
        ("1.234.567", None),
        ("007,5", Some(LeadingZeros)),
        ("+1,5", Some(Plus)),
        ("1,5e3", Some(Exponent)),
    ] {
        assert_eq!(noted(&german, cell), change, "{cell}");
    }
    assert_eq!(noted(&numerals(b'.', Some(" ")), "1 250"), None);
    let money = Numerals::new(b'.', None, true, &["EUR".to_owned(), "%".to_owned()]);
    assert_eq!((noted(&money, "5 EUR"), noted(&money, "5%"), noted(&money, "(5)")), (None, None, None));
    let integer = |cell: &str| {
        let mut noted = None;
        plain.integer(cell.as_bytes(), &mut noted).unwrap();
        noted
    };
    assert_eq!(
        (integer("007"), integer("+7"), integer("70"), integer("0")),
        (Some(LeadingZeros), Some(Plus), None, None)
    );
}

use super::*;

fn written(micros: i64) -> String {
    let mut out = Vec::new();
    write_timestamp(micros, &mut out);
    String::from_utf8(out).unwrap()
}

fn read(text: &str, zone: &str) -> String {
    written(rfc3339(text.as_bytes(), zone.parse().unwrap(), &mut None).unwrap())
}

#[test]
fn every_day_of_the_calendar_is_read_and_written() {
    assert_eq!(days_of(1, 1, 1), Some(FIRST_DAY));
    assert_eq!(days_of(9999, 12, 31), Some(LAST_DAY));
    let mut out = Vec::new();
    for days in FIRST_DAY..=LAST_DAY {
        let (year, month, day) = civil(days);
        assert_eq!(days_of(year, month, day), Some(days));
        if days % 97 == 0 {
            out.clear();
            write_date(days, &mut out);
            assert_eq!(iso_date(&out), Some(days));
        }
    }
    for text in ["2025-02-29", "2025-13-01", "2025-00-10", "2025-04-31", "0000-01-01", "2025-1-01", "2025/01/01"] {
        assert_eq!(iso_date(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn rfc3339_and_its_liberties() {
    for text in ["2013-01-01T06:00:00Z", "2013-01-01 06:00", "2013-01-01t08:00:00+02", "2013-01-01 00:30:00.000-0530"] {
        assert_eq!(read(text, "UTC"), "2013-01-01T06:00:00Z", "{text}");
    }
    assert_eq!(read("2013-01-01 06:00:00.1234567 UTC", "UTC"), "2013-01-01T06:00:00.123456Z");
    assert_eq!(read("2016-12-31T23:59:60Z", "UTC"), "2017-01-01T00:00:00Z");
    for text in ["2013-01-01", "2013-01-01T24:00:00Z", "2013-01-01T06:00:00.Z", "2013-01-01T06:00:00+25:00", "06:00"] {
        assert_eq!(rfc3339(text.as_bytes(), Tz::UTC, &mut None), Err(FaultCode::NotATimestamp), "{text}");
    }
    assert_eq!(rfc3339(b"0001-01-01T00:00:00+01:00", Tz::UTC, &mut None), Err(FaultCode::OutOfCalendar));
}

#[test]
fn bare_times_in_a_gap_move_forward_and_repeated_ones_are_the_first() {
    assert_eq!(read("2027-03-28 02:30:00", "Europe/Paris"), "2027-03-28T01:30:00Z");
    assert_eq!(read("2026-10-25 02:30:00", "Europe/Paris"), "2026-10-25T00:30:00Z");
    assert_eq!(read("2026-10-04 02:15:00", "Australia/Lord_Howe"), "2026-10-03T15:45:00Z");
    assert_eq!(read("2011-12-30 12:00:00", "Pacific/Apia"), "2011-12-30T22:00:00Z");
    assert_eq!(read("2026-07-01 12:00:00", "Asia/Kathmandu"), "2026-07-01T06:15:00Z");
}

#[test]
fn patterns_that_give_no_day_are_refused() {
    for format in ["%d/%m/%Y", "%d.%m.%y", "%m/%d/%Y", "%Y%m%d", "%d %b %Y", "%Y-%j"] {
        assert!(date_items(format).is_ok(), "{format}");
    }
    for format in ["", "%Q", "%H:%M", "%d/%m", "day", "%Y-%m-%d %", "%Y"] {
        assert!(date_items(format).is_err(), "{format}");
    }
    for format in ["%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", "%s", "%Y-%m-%dT%H:%M:%S%z", "%d.%m.%Y", "%m/%d/%Y %I:%M %p"]
    {
        assert!(timestamp_items(format).is_ok(), "{format}");
    }
    assert!(timestamp_items("%H:%M").is_err());
}

#[test]
fn patterns_read_what_they_say() {
    let date = |format: &str, text: &str| date_by(&date_items(format).unwrap(), text);
    assert_eq!(date("%d/%m/%Y", "22/11/2026"), Ok(days_of(2026, 11, 22).unwrap()));
    assert_eq!(date("%d/%m/%Y", "11/22/2026"), Err(FaultCode::NotADate));
    assert_eq!(date("%d/%m/%Y", "22/11/12026"), Err(FaultCode::NotADate));
    let at = |format: &str, text: &str, zone: &str| {
        timestamp_by(&timestamp_items(format).unwrap(), text, zone.parse().unwrap(), &mut None).map(written)
    };
    assert_eq!(at("%d/%m/%Y %H:%M", "25/10/2026 02:30", "Europe/Paris").unwrap(), "2026-10-25T00:30:00Z");
    assert_eq!(at("%s", "1356998400", "Europe/Paris").unwrap(), "2013-01-01T00:00:00Z");
    assert_eq!(at("%d.%m.%Y %H:%M %z", "01.01.2013 01:00 +0100", "Asia/Tokyo").unwrap(), "2013-01-01T00:00:00Z");
    assert_eq!(at("%d.%m.%Y", "01.01.2013", "Europe/Paris").unwrap(), "2012-12-31T23:00:00Z");
}

#[test]
fn a_leap_second_ends_a_day_and_what_a_time_loses_is_noted() {
    let plain = |text: &str, zone: &str| {
        let mut noted = None;
        rfc3339(text.as_bytes(), zone.parse().unwrap(), &mut noted).map(|at| (written(at), noted))
    };
    let by = |text: &str| {
        let mut noted = None;
        let items = timestamp_items("%d.%m.%Y %H:%M:%S%.f").unwrap();
        timestamp_by(&items, text, Tz::UTC, &mut noted).map(|at| (written(at), noted))
    };
    let moved = Some(Change::Time);
    let next_day = |fraction: &str| format!("2017-01-01T00:00:00{fraction}Z");
    assert_eq!(plain("2016-12-31T23:59:60.5Z", "UTC"), Ok((next_day(".500000"), moved)));
    assert_eq!(plain("2017-01-01T00:59:60+01:00", "UTC"), Ok((next_day(""), moved)));
    assert_eq!(plain("2017-01-01 00:59:60", "Europe/Paris"), Ok((next_day(""), moved)));
    assert_eq!(by("31.12.2016 23:59:60"), Ok((next_day(""), moved)));
    for text in ["2016-12-31T10:00:60Z", "2016-12-31T23:59:60+01:00", "2016-12-31T23:59:61Z"] {
        assert_eq!(plain(text, "UTC"), Err(FaultCode::NotATimestamp), "{text}");
    }
    assert_eq!(by("31.12.2016 10:00:60"), Err(FaultCode::NotATimestamp));
    assert_eq!(plain("2027-03-28 02:30:00", "Europe/Paris").unwrap().1, moved);
    let cut = Some(Change::SecondDigits);
    assert_eq!(plain("2016-12-31T10:00:00.1234567Z", "UTC").unwrap().1, cut);
    assert_eq!(by("31.12.2016 10:00:00.1234567").unwrap().1, cut);
    assert_eq!(plain("2016-12-31T10:00:00.123456000Z", "UTC").unwrap().1, None);
    assert_eq!(by("31.12.2016 10:00:00.123456").unwrap().1, None);
}

//! Text to days and instants and back. The common forms are read and written by hand, byte by byte; any other
//! strftime pattern goes through chrono with its pattern taken apart once.

use std::fmt::Write as _;

use chrono::format::{Item, Numeric, Parsed, StrftimeItems, parse as parse_items, parse_and_remainder};
use chrono::{DateTime, Datelike, Duration, LocalResult, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Timelike, Utc};
use chrono_tz::Tz;

use super::change::{Change, Noted, note};
use super::fault::FaultCode;

/// The pattern of dates unless a source says otherwise.
pub(super) const ISO_DATE: &str = "%Y-%m-%d";

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;
/// 0001-01-01 and 9999-12-31 as days since 1970-01-01.
const FIRST_DAY: i32 = -719_162;
const LAST_DAY: i32 = 2_932_896;
/// Days from 0001-01-01 to 1970-01-01, as chrono counts them (from 1).
const EPOCH_FROM_CE: i32 = 719_163;

/// Days since 1970-01-01 of a calendar day that exists, years 1 to 9999.
pub(super) fn days_of(year: i32, month: u32, day: u32) -> Option<i32> {
    const BEFORE: [i32; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const LENGTH: [u32; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let index = month.checked_sub(1)? as usize;
    let length = LENGTH.get(index)? + u32::from(leap && month == 2);
    if !(1..=9999).contains(&year) || day == 0 || day > length {
        return None;
    }
    let past = year - 1;
    let leap_days = past / 4 - past / 100 + past / 400;
    let of_year = BEFORE[index] + i32::from(leap && month > 2) + day as i32 - 1;
    Some(past * 365 + leap_days + of_year + FIRST_DAY)
}

/// Year, month and day of a day between [`FIRST_DAY`] and [`LAST_DAY`]; others answer as the nearest of the two.
fn civil(days: i32) -> (i32, u32, u32) {
    let days = days.clamp(FIRST_DAY, LAST_DAY);
    match NaiveDate::from_num_days_from_ce_opt(days + EPOCH_FROM_CE) {
        Some(date) => (date.year(), date.month(), date.day()),
        None => (1970, 1, 1),
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    let mut number = 0;
    for byte in bytes {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        number = number * 10 + u32::from(digit);
    }
    Some(number)
}

/// `2026-11-22`, exactly so.
pub(super) fn iso_date(cell: &[u8]) -> Option<i32> {
    let &[y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = cell else { return None };
    days_of(digits(&[y1, y2, y3, y4])? as i32, digits(&[m1, m2])?, digits(&[d1, d2])?)
}

/// The default pattern with its liberty: `2026-1-5` is a day too.
pub(super) fn loose_iso_date(cell: &[u8]) -> Option<i32> {
    let mut parts = cell.split(|b| *b == b'-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 || !(1..=2).contains(&month.len()) || !(1..=2).contains(&day.len()) {
        return None;
    }
    days_of(digits(year)? as i32, digits(month)?, digits(day)?)
}

/// A day written by a pattern.
pub(super) fn date_by(items: &[Item<'static>], text: &str) -> Result<i32, FaultCode> {
    let mut parsed = Parsed::new();
    parse_items(&mut parsed, text, items.iter()).map_err(|_| FaultCode::NotADate)?;
    if !is_year_whole(items, &parsed, text) {
        return Err(FaultCode::NotADate);
    }
    day_of(parsed.to_naive_date().map_err(|_| FaultCode::NotADate)?)
}

/// chrono's `%Y` also takes one to three digits and a sign, its `%y` one digit. Here they are four and two, and nothing
/// else: the year 25 is 0025.
fn is_year_whole(items: &[Item<'static>], parsed: &Parsed, text: &str) -> bool {
    let mut years = [parsed.year(), parsed.isoyear()].into_iter().flatten();
    let mut short = [parsed.year_mod_100(), parsed.isoyear_mod_100()].into_iter().flatten();
    let is_plain = years.all(|year| (1_000..=9_999).contains(&year)) && short.all(|year| year >= 10);
    if is_plain && !text.contains('+') {
        return true;
    }
    let rest_after =
        |items: &[Item<'static>]| parse_and_remainder(&mut Parsed::new(), text, items.iter()).unwrap_or("");
    items.iter().enumerate().all(|(at, item)| {
        let width = match item {
            Item::Numeric(Numeric::Year | Numeric::IsoYear, _) => 4,
            Item::Numeric(Numeric::YearMod100 | Numeric::IsoYearMod100, _) => 2,
            _ => return true,
        };
        let (before, after) = (rest_after(&items[..at]), rest_after(&items[..=at]));
        let taken = before.strip_suffix(after).unwrap_or_default().trim_start();
        taken.len() == width && taken.bytes().all(|b| b.is_ascii_digit())
    })
}

fn day_of(date: NaiveDate) -> Result<i32, FaultCode> {
    let days = date.num_days_from_ce() - EPOCH_FROM_CE;
    if (FIRST_DAY..=LAST_DAY).contains(&days) { Ok(days) } else { Err(FaultCode::OutOfCalendar) }
}

/// RFC 3339 with its usual liberties: a space for the T, seconds or zone left out, `+02` and `+0200`, ` UTC`.
/// Without a zone it is local time in `zone`. Microseconds UTC; finer digits are cut off.
pub(super) fn rfc3339(cell: &[u8], zone: Tz, noted: &mut Noted) -> Result<i64, FaultCode> {
    let Local { micros, offset, is_leap } = rfc3339_parts(cell, noted).ok_or(FaultCode::NotATimestamp)?;
    let at = match offset {
        Some(seconds) => within(micros - i64::from(seconds) * SECOND)?,
        None => from_local(micros, zone, noted)?,
    };
    leap(at, is_leap, noted)
}

/// A time of day on some day.
struct Local {
    micros: i64,
    /// Seconds east of UTC, where the text says.
    offset: Option<i32>,
    /// Its second is the 60th.
    is_leap: bool,
}

/// A leap second ends a day in UTC, and is the first of the next, as in every clock that has none. No other minute has
/// a second 60.
fn leap(at: i64, is_leap: bool, noted: &mut Noted) -> Result<i64, FaultCode> {
    if is_leap {
        if at.rem_euclid(DAY) >= SECOND {
            return Err(FaultCode::NotATimestamp);
        }
        note(noted, Change::Time);
    }
    Ok(at)
}

fn rfc3339_parts(cell: &[u8], noted: &mut Noted) -> Option<Local> {
    let days = iso_date(cell.get(..10)?)?;
    let [b'T' | b't' | b' ', h1, h2, b':', m1, m2, rest @ ..] = &cell[10..] else { return None };
    let (hour, minute) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
    let (second, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (digits(&[*s1, *s2])?, rest),
        rest => (0, rest),
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let (micros, rest) = match rest {
        [b'.' | b',', fraction @ ..] => {
            let length = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
            if length == 0 {
                return None;
            }
            let kept = length.min(6);
            if fraction[kept..length].iter().any(|digit| *digit != b'0') {
                note(noted, Change::SecondDigits);
            }
            let scale = 10_u32.pow(6 - kept as u32);
            (digits(&fraction[..kept])? * scale, &fraction[length..])
        }
        rest => (0, rest),
    };
    let rest = rest.strip_prefix(b" ").unwrap_or(rest);
    let offset = match rest {
        [] => None,
        [b'Z' | b'z'] | b"UTC" | b"GMT" => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, minutes @ ..] => {
            let hours = digits(&[*h1, *h2])?;
            let minutes = match minutes {
                [] => 0,
                [b':', m1, m2] | [m1, m2] => digits(&[*m1, *m2])?,
                _ => return None,
            };
            if hours > 23 || minutes > 59 {
                return None;
            }
            let seconds = (hours * 3_600 + minutes * 60) as i32;
            Some(if *sign == b'-' { -seconds } else { seconds })
        }
        _ => return None,
    };
    let seconds = i64::from(hour * 3_600 + minute * 60 + second);
    let micros = i64::from(days) * DAY + seconds * SECOND + i64::from(micros);
    Some(Local { micros, offset, is_leap: second == 60 })
}

/// An instant written by a pattern; a pattern without a time of day means its beginning.
pub(super) fn timestamp_by(items: &[Item<'static>], text: &str, zone: Tz, noted: &mut Noted) -> Result<i64, FaultCode> {
    let wrong = FaultCode::NotATimestamp;
    let mut parsed = Parsed::new();
    parse_items(&mut parsed, text, items.iter()).map_err(|_| wrong)?;
    if !is_year_whole(items, &parsed, text) {
        return Err(wrong);
    }
    let (local, offset) = match (parsed.offset(), parsed.timestamp()) {
        (None, Some(_)) => (parsed.to_naive_datetime_with_offset(0).map_err(|_| wrong)?, Some(0)),
        (offset, _) => (local_of(&parsed).ok_or(wrong)?, offset),
    };
    // A leap second is 59 with more than a second's worth of these.
    let nanos = local.nanosecond();
    if nanos % 1_000 != 0 {
        note(noted, Change::SecondDigits);
    }
    let micros = local.and_utc().timestamp_micros();
    let at = match offset {
        Some(seconds) => within(micros - i64::from(seconds) * SECOND)?,
        None => from_local(micros, zone, noted)?,
    };
    leap(at, nanos >= 1_000_000_000, noted)
}

fn local_of(parsed: &Parsed) -> Option<NaiveDateTime> {
    let date = parsed.to_naive_date().ok()?;
    let timeless = parsed.hour_mod_12().is_none() && parsed.minute().is_none();
    let time = if timeless { NaiveTime::MIN } else { parsed.to_naive_time().ok()? };
    Some(date.and_time(time))
}

fn within(micros: i64) -> Result<i64, FaultCode> {
    let days = micros.div_euclid(DAY);
    if (i64::from(FIRST_DAY)..=i64::from(LAST_DAY)).contains(&days) {
        Ok(micros)
    } else {
        Err(FaultCode::OutOfCalendar)
    }
}

/// UTC of a local time. A time that a clock change repeats is its first; one that it skips moves forward by what
/// is skipped, as a schedule's does.
fn from_local(local: i64, zone: Tz, noted: &mut Noted) -> Result<i64, FaultCode> {
    if zone == Tz::UTC {
        return within(local);
    }
    let Some(naive) = DateTime::<Utc>::from_timestamp_micros(local).map(|at| at.naive_utc()) else {
        return Err(FaultCode::OutOfCalendar);
    };
    let first = |probe: NaiveDateTime| match zone.from_local_datetime(&probe) {
        LocalResult::Single(at) | LocalResult::Ambiguous(at, _) => Some(at.timestamp_micros()),
        LocalResult::None => None,
    };
    if let Some(at) = first(naive) {
        return within(at);
    }
    // In a gap the clock that was in force before it decides. The longest gap is a day: Apia's, in 2011.
    for hours in 1..=26 {
        let earlier = naive.checked_sub_signed(Duration::hours(hours));
        if let Some(at) = earlier.and_then(first) {
            note(noted, Change::Time);
            return within(at + hours * 3_600 * SECOND);
        }
    }
    Err(FaultCode::OutOfCalendar)
}

/// A pattern for dates, taken apart; or why it will not do.
pub(super) fn date_items(format: &str) -> Result<Vec<Item<'static>>, String> {
    let items = taken_apart(format)?;
    let (day, text) = (sample().date_naive(), sample_by(&items));
    if date_by(&items, &text).ok() == day_of(day).ok() {
        Ok(items)
    } else {
        Err(format!("The pattern \"{format}\" does not give a day. Use year, month and day, such as {ISO_DATE}."))
    }
}

/// A pattern for timestamps, taken apart; or why it will not do.
pub(super) fn timestamp_items(format: &str) -> Result<Vec<Item<'static>>, String> {
    let items = taken_apart(format)?;
    let text = sample_by(&items);
    // Whatever the pattern leaves out (seconds, the time of day) may be lost, but not the day.
    match timestamp_by(&items, &text, Tz::UTC, &mut None) {
        Ok(micros) if micros.div_euclid(DAY) == sample().timestamp_micros().div_euclid(DAY) => Ok(items),
        _ => Err(format!(
            "The pattern \"{format}\" does not give an instant. Use date and time, such as %Y-%m-%d %H:%M:%S."
        )),
    }
}

fn taken_apart(format: &str) -> Result<Vec<Item<'static>>, String> {
    if format.is_empty() || format.len() > 100 {
        return Err(format!("Write a pattern of at most 100 characters, such as {ISO_DATE}."));
    }
    let unknown = || format!("The pattern \"{format}\" is not valid. Use codes such as %Y, %m, %d, %H, %M and %S.");
    let items = StrftimeItems::new(format).parse_to_owned().map_err(|_| unknown())?;
    if items.iter().any(|item| matches!(item, Item::Error)) { Err(unknown()) } else { Ok(items) }
}

/// A day on which day, month and two-digit year are three different numbers, so that a pattern that confuses them
/// shows. It is also the example in people's messages.
fn sample() -> DateTime<Utc> {
    DateTime::from_timestamp(1_795_391_133, 0).unwrap_or_default()
}

fn sample_by(items: &[Item<'static>]) -> String {
    let mut text = String::new();
    // A sign that cannot be written leaves less text, which then does not read back.
    let _ = write!(text, "{}", sample().format_with_items(items.iter()));
    text
}

/// An example of what a pattern expects.
pub(super) fn example(items: Option<&[Item<'static>]>, otherwise: &str) -> String {
    items.map_or_else(|| otherwise.to_owned(), sample_by)
}

/// `2026-11-22`.
pub(super) fn write_date(days: i32, out: &mut Vec<u8>) {
    let (year, month, day) = civil(days);
    two(year as u32 / 100, out);
    two(year as u32 % 100, out);
    out.push(b'-');
    two(month, out);
    out.push(b'-');
    two(day, out);
}

/// RFC 3339 in UTC: whole seconds where there are no others, else microseconds.
pub(super) fn write_timestamp(micros: i64, out: &mut Vec<u8>) {
    write_date(micros.div_euclid(DAY).clamp(i64::from(FIRST_DAY), i64::from(LAST_DAY)) as i32, out);
    let of_day = micros.rem_euclid(DAY);
    let (seconds, fraction) = ((of_day / SECOND) as u32, (of_day % SECOND) as u32);
    out.push(b'T');
    two(seconds / 3_600, out);
    out.push(b':');
    two(seconds / 60 % 60, out);
    out.push(b':');
    two(seconds % 60, out);
    if fraction != 0 {
        out.push(b'.');
        two(fraction / 10_000, out);
        two(fraction / 100 % 100, out);
        two(fraction % 100, out);
    }
    out.push(b'Z');
}

fn two(number: u32, out: &mut Vec<u8>) {
    out.push(b'0' + (number / 10 % 10) as u8);
    out.push(b'0' + (number % 10) as u8);
}

#[cfg(test)]
mod tests;

//! Text to numbers. Digits are read by hand: most cells of most files are short.

use super::change::{Change, Noted, note};
use super::fault::FaultCode;

/// How numbers are written in a source.
#[derive(Clone, Debug)]
pub(super) struct Numerals {
    pub point: u8,
    group: Option<Group>,
    /// Whether a minus may also stand behind, or parentheses around.
    any_negative: bool,
    affixes: Vec<Box<[u8]>>,
}

/// What stands between the digits of a number. Characters that look the same are the same.
#[derive(Clone, Debug)]
enum Group {
    Space,
    Apostrophe,
    Exactly(Box<[u8]>),
}

/// Those that people type, and those that programs write for them.
const SPACES: [&str; 4] = [" ", "\u{a0}", "\u{202f}", "\u{2009}"];
const APOSTROPHES: [&str; 2] = ["'", "\u{2019}"];
const MINUSES: [&str; 2] = ["-", "\u{2212}"];

/// Longest number that is written in another way than the plain one.
const LONGEST: usize = 128;
/// Room for what is added to it: a sign and an exponent.
const ROOM: usize = LONGEST + 4;

impl Group {
    fn of(text: &str) -> Self {
        match text {
            text if SPACES.contains(&text) => Self::Space,
            text if APOSTROPHES.contains(&text) => Self::Apostrophe,
            other => Self::Exactly(other.as_bytes().into()),
        }
    }

    fn could_be_a_point(&self) -> bool {
        matches!(self, Self::Exactly(group) if matches!(**group, [b'.' | b',']))
    }

    /// What follows the separator that a text begins with.
    fn strip<'a>(&self, text: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Space => strip_any(text, &SPACES),
            Self::Apostrophe => strip_any(text, &APOSTROPHES),
            Self::Exactly(group) => text.strip_prefix(&**group),
        }
    }
}

fn strip_any<'a>(text: &'a [u8], any: &[&str]) -> Option<&'a [u8]> {
    any.iter().find_map(|one| text.strip_prefix(one.as_bytes()))
}

impl Numerals {
    /// As JSON writes them.
    pub const PLAIN: Self = Self { point: b'.', group: None, any_negative: false, affixes: Vec::new() };

    pub fn new(point: u8, group: Option<&str>, any_negative: bool, affixes: &[String]) -> Self {
        let mut affixes: Vec<Box<[u8]>> = affixes.iter().map(|text| text.as_bytes().into()).collect();
        // "USD" before "US".
        affixes.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { point, group: group.map(Group::of), any_negative, affixes }
    }

    /// Whether the plain way is the only one.
    fn is_plain(&self) -> bool {
        self.point == b'.' && self.group.is_none() && !self.any_negative && self.affixes.is_empty()
    }

    /// A double from a cell without outer spaces. What is too large for any is refused, and so is a number that a double
    /// does not hold: printed with as many digits it would be another one.
    pub fn number(&self, cell: &[u8], noted: &mut Noted) -> Result<f64, FaultCode> {
        if self.is_plain() && !is_minus_sign(cell) {
            return plain_number(cell, noted);
        }
        let mut room = [0; ROOM];
        plain_number(self.plain(cell, &mut room, noted).ok_or(FaultCode::NotANumber)?, &mut None)
    }

    /// A whole number from a cell without outer spaces. "12.0" and "1e3" are numbers, not integers.
    pub fn integer(&self, cell: &[u8], noted: &mut Noted) -> Result<i64, FaultCode> {
        let found = if self.is_plain() && !is_minus_sign(cell) {
            plain_integer(cell, noted)
        } else {
            let mut room = [0; ROOM];
            match self.plain(cell, &mut room, noted) {
                Some(plain) => plain_integer(plain, &mut None),
                None => Err(FaultCode::NotAnInteger),
            }
        };
        found.map_err(|code| match code {
            FaultCode::NotAnInteger if matches!(self.number(cell, &mut None), Ok(_) | Err(FaultCode::TooPrecise)) => {
                FaultCode::NotWhole
            }
            code => code,
        })
    }

    /// The number as it is written plainly, in `room`: without group separators and affixes, with a point and a leading
    /// minus. None where a separator stands where none belongs: "1,5" is not 15 because somebody chose the wrong decimal
    /// point.
    fn plain<'r>(&self, cell: &[u8], room: &'r mut [u8; ROOM], noted: &mut Noted) -> Option<&'r [u8]> {
        if cell.len() > LONGEST {
            return None;
        }
        let Bare { digits: mut rest, sign, hundredth } = self.bare(cell);
        let mut length = 0;
        let mut put = |byte: u8| {
            room[length] = byte;
            length += 1;
        };
        if let Some(sign) = sign {
            put(sign);
        }
        note_front(sign, rest, noted);
        let mut digits = 0;
        let mut groups = 0;
        loop {
            match rest.first() {
                Some(digit) if digit.is_ascii_digit() => {
                    put(*digit);
                    digits += 1;
                    rest = &rest[1..];
                }
                Some(_) if let Some(after) = self.group.as_ref().and_then(|group| group.strip(rest)) => {
                    let whole = if groups == 0 { (1..=3).contains(&digits) } else { (2..=3).contains(&digits) };
                    if !whole {
                        return None;
                    }
                    groups += 1;
                    digits = 0;
                    rest = after;
                }
                _ => break,
            }
        }
        if groups > 0 && digits != 3 {
            return None;
        }
        if groups == 1 && rest.is_empty() && self.group.as_ref().is_some_and(Group::could_be_a_point) {
            note(noted, Change::GroupSeparator);
        }
        for &byte in rest {
            put(match byte {
                byte if byte == self.point => b'.',
                b'.' => return None,
                b'e' | b'E' if hundredth => return None,
                b'e' | b'E' => {
                    note(noted, Change::Exponent);
                    byte
                }
                byte => byte,
            });
        }
        if hundredth {
            b"e-2".iter().for_each(|byte| put(*byte));
        }
        Some(&room[..length])
    }

    /// Takes off what stands around the digits, each thing once.
    fn bare<'c>(&self, cell: &'c [u8]) -> Bare<'c> {
        let mut bare = Bare { digits: cell, sign: None, hundredth: false };
        let mut affixes: Vec<&[u8]> = self.affixes.iter().map(|text| &**text).collect();
        loop {
            let text = bare.digits;
            if bare.sign.is_none() {
                let ahead = text.strip_prefix(b"+").map(|rest| (b'+', rest));
                let minus = || strip_any(text, &MINUSES).map(|rest| (b'-', rest));
                let behind = || MINUSES.iter().find_map(|minus| text.strip_suffix(minus.as_bytes()));
                let around = || text.strip_prefix(b"(").and_then(|rest| rest.strip_suffix(b")"));
                let other = || behind().or_else(around).filter(|_| self.any_negative).map(|rest| (b'-', trimmed(rest)));
                if let Some((sign, rest)) = ahead.or_else(minus).or_else(other) {
                    (bare.sign, bare.digits) = (Some(sign), rest);
                    continue;
                }
            }
            let found = affixes.iter().enumerate().find_map(|(i, affix)| {
                text.strip_prefix(*affix).or_else(|| text.strip_suffix(*affix)).map(|rest| (i, rest))
            });
            let Some((i, rest)) = found else { return bare };
            bare.hundredth |= affixes.remove(i) == b"%";
            bare.digits = trimmed(rest);
        }
    }
}

/// A number without what stands around its digits.
struct Bare<'c> {
    digits: &'c [u8],
    sign: Option<u8>,
    hundredth: bool,
}

/// Begins it with the minus of typesetters?
fn is_minus_sign(cell: &[u8]) -> bool {
    cell.first() == Some(&0xe2) && cell.starts_with(MINUSES[1].as_bytes())
}

fn trimmed(mut text: &[u8]) -> &[u8] {
    while let Some(rest) = strip_any(text, &SPACES) {
        text = rest;
    }
    while let Some(rest) = SPACES.iter().find_map(|space| text.strip_suffix(space.as_bytes())) {
        text = rest;
    }
    text
}

/// Notes what stands before the first digit that counts.
fn note_front(sign: Option<u8>, digits: &[u8], noted: &mut Noted) {
    if sign == Some(b'+') {
        note(noted, Change::Plus);
    }
    if has_leading_zero(digits) {
        note(noted, Change::LeadingZeros);
    }
}

#[inline]
fn has_leading_zero(digits: &[u8]) -> bool {
    matches!(digits, [b'0', b'0'..=b'9', ..])
}

fn plain_number(cell: &[u8], noted: &mut Noted) -> Result<f64, FaultCode> {
    if let Some(exact) = short_decimal(cell, noted) {
        return Ok(exact);
    }
    let text = std::str::from_utf8(cell).map_err(|_| FaultCode::NotANumber)?;
    // The standard library also reads "inf" and "nan", which are words.
    if text.bytes().any(|b| !matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-')) {
        return Err(FaultCode::NotANumber);
    }
    let sign = cell.first().copied().filter(|byte| matches!(byte, b'+' | b'-'));
    note_front(sign, &cell[usize::from(sign.is_some())..], noted);
    if text.contains(['e', 'E']) {
        note(noted, Change::Exponent);
    }
    match text.parse::<f64>() {
        Ok(number) if !number.is_finite() => Err(FaultCode::TooLarge),
        Ok(number) if !is_held(cell, number) => Err(FaultCode::TooPrecise),
        Ok(number) => Ok(number),
        Err(_) => Err(FaultCode::NotANumber),
    }
}

/// The digits of a plain number without sign and outer zeros, and the power of ten of the last: 1200 is (12, 2).
pub(super) fn digits(number: &[u8]) -> Option<(Vec<u8>, i64)> {
    let number = number.strip_prefix(b"-").or(number.strip_prefix(b"+")).unwrap_or(number);
    let (mantissa, exponent) = match number.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&number[..at], std::str::from_utf8(&number[at + 1..]).ok()?.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let places = mantissa.iter().position(|b| *b == b'.').map_or(0, |point| mantissa.len() - point - 1);
    let mut found: Vec<u8> = mantissa.iter().copied().filter(u8::is_ascii_digit).collect();
    let mut power = exponent.checked_sub(places as i64)?;
    while found.last() == Some(&b'0') {
        found.pop();
        power += 1;
    }
    let leading = found.iter().take_while(|b| **b == b'0').count();
    found.drain(..leading);
    Some((found, power))
}

/// Whether a double, printed with as many digits as were written, is what was written. So are its shortest form, its 17
/// digits and its exact value; another number is not, however near.
fn is_held(written: &[u8], number: f64) -> bool {
    // No double has more of them.
    const MOST: usize = 767;
    let Some(written) = digits(written) else { return false };
    match written.0.len() {
        0 => true,
        1..=MOST => {
            let printed = format!("{:.*e}", written.0.len() - 1, number.abs());
            digits(printed.as_bytes()).is_some_and(|held| held == written)
        }
        _ => false,
    }
}

/// Numbers of up to 15 digits and no exponent. Digits and power of ten are exact as doubles, so that one division
/// rounds as it should.
fn short_decimal(cell: &[u8], noted: &mut Noted) -> Option<f64> {
    const TENS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let (negative, cell) = match cell {
        [b'-', rest @ ..] => (true, rest),
        cell => (false, cell),
    };
    if cell.is_empty() || cell.len() > 16 {
        return None;
    }
    let mut digits: u64 = 0;
    let mut count = 0;
    let mut after_point = None;
    for &byte in cell {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if after_point.is_none() => after_point = Some(count),
            _ => return None,
        }
    }
    if count == 0 || count > 15 {
        return None;
    }
    if has_leading_zero(cell) {
        note(noted, Change::LeadingZeros);
    }
    let places = count - after_point.unwrap_or(count);
    let number = digits as f64 / TENS.get(places)?;
    Some(if negative { -number } else { number })
}

fn plain_integer(cell: &[u8], noted: &mut Noted) -> Result<i64, FaultCode> {
    let (negative, digits) = match cell {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Err(FaultCode::NotAnInteger);
    }
    if has_leading_zero(digits) || cell[0] == b'+' {
        note_front(cell.first().copied(), digits, noted);
    }
    if digits.len() <= 18 {
        let number = digits.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
        return Ok(if negative { -number } else { number });
    }
    let mut number: i64 = 0;
    for digit in digits {
        let digit = i64::from(digit - b'0');
        // Downwards, because the least integer has no positive counterpart.
        number = number.checked_mul(10).and_then(|n| n.checked_sub(digit)).ok_or(FaultCode::TooLarge)?;
    }
    if negative { Ok(number) } else { number.checked_neg().ok_or(FaultCode::TooLarge) }
}

#[cfg(test)]
mod tests;

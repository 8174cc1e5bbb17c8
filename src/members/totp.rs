//! Codes that an app on a phone makes of a secret and the time (RFC 6238): six digits, another one every 30 seconds.

use ring::hmac;
use url::form_urlencoded::byte_serialize;

use crate::clock::Moment;
use crate::secrets;

const SECONDS: i64 = 30;
/// A phone's clock may be so many steps off.
const STEPS: i64 = 1;
const DIGITS: usize = 6;

/// A fresh secret, as apps take it: 160 bits in base32.
pub fn fresh() -> String {
    base32(&secrets::random_bytes::<20>())
}

/// The step whose code this is, near this moment and after `last`; none: it is wrong, or was taken before.
pub fn step_of(secret: &str, code: &str, last: i64, now: Moment) -> Option<i64> {
    let key = from_base32(secret)?;
    let here = now.micros().div_euclid(1_000_000 * SECONDS);
    let steps = (here - STEPS).max(last + 1)..=here + STEPS;
    steps.into_iter().find(|step| secrets::same(&code_at(&key, *step), code))
}

/// The code of a moment, as the app shows it.
pub fn code(secret: &str, now: Moment) -> Option<String> {
    Some(code_at(&from_base32(secret)?, now.micros().div_euclid(1_000_000 * SECONDS)))
}

fn code_at(key: &[u8], step: i64) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, key);
    let tag = hmac::sign(&key, &step.to_be_bytes());
    let tag = tag.as_ref();
    let at = usize::from(tag[tag.len() - 1] & 0x0f);
    let number = tag[at..at + 4].iter().fold(0_u32, |number, byte| (number << 8) | u32::from(*byte)) & 0x7fff_ffff;
    format!("{:0DIGITS$}", number % 1_000_000)
}

/// Whether somebody typed such a code, or rather one for recovery.
pub fn is_code(typed: &str) -> bool {
    typed.len() == DIGITS && typed.bytes().all(|byte| byte.is_ascii_digit())
}

/// What the app reads from the picture: the secret, and under which names to list it.
pub fn address(secret: &str, issuer: &str, account: &str) -> String {
    // A space is %20 here: apps show a plus sign as it is.
    let encode = |text: &str| byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20");
    let (issuer, account) = (encode(&issuer.replace(':', " ")), encode(account));
    format!(
        "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={SECONDS}"
    )
}

const LETTERS: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

fn base32(bytes: &[u8]) -> String {
    let letters = bytes.chunks(5).flat_map(|five| {
        let bits = five.iter().fold(0_u64, |bits, byte| (bits << 8) | u64::from(*byte)) << (8 * (5 - five.len()));
        let count = (five.len() * 8).div_ceil(5);
        (0..count).map(move |n| char::from(LETTERS[(bits >> (35 - 5 * n)) as usize & 31]))
    });
    letters.collect()
}

fn from_base32(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 5 / 8);
    let (mut bits, mut count) = (0_u32, 0);
    for letter in text.bytes() {
        let value = LETTERS.iter().position(|known| *known == letter)?;
        bits = (bits << 5) | u32::try_from(value).ok()?;
        count += 5;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
            bits &= (1 << count) - 1;
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 6238, appendix B, of whose eight digits the last six.
    #[test]
    fn the_codes_are_those_of_the_standard() {
        let secret = base32(b"12345678901234567890");
        assert_eq!(secret, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        for (at, wanted) in [
            ("1970-01-01T00:00:59Z", "287082"),
            ("2005-03-18T01:58:29Z", "081804"),
            ("2005-03-18T01:58:31Z", "050471"),
            ("2009-02-13T23:31:30Z", "005924"),
            ("2033-05-18T03:33:20Z", "279037"),
            ("2603-10-11T11:33:20Z", "353130"),
        ] {
            let at = Moment::parse_rfc3339(at).unwrap();
            assert_eq!(code(&secret, at).unwrap(), wanted, "{at:?}");
        }
    }

    #[test]
    fn a_code_is_taken_once_and_half_a_minute_early_or_late() {
        let (secret, now) = (fresh(), Moment::parse_rfc3339("2026-10-08T16:42:10Z").unwrap());
        let at = |seconds: i64| code(&secret, now.plus(chrono::Duration::seconds(seconds))).unwrap();
        let here = step_of(&secret, &at(0), 0, now).unwrap();
        assert_eq!(step_of(&secret, &at(-30), 0, now), Some(here - 1));
        assert_eq!(step_of(&secret, &at(30), 0, now), Some(here + 1));
        for (typed, last) in
            [(at(0), here), (at(-30), here), (at(-60), 0), (at(60), 0), ("12345".into(), 0), ("".into(), 0)]
        {
            assert_eq!(step_of(&secret, &typed, last, now), None, "{typed} after {last}");
        }
    }

    #[test]
    fn base32_is_read_as_it_is_written() {
        for text in ["", "f", "fo", "foo", "foob", "fooba", "foobar"] {
            assert_eq!(from_base32(&base32(text.as_bytes())).unwrap(), text.as_bytes());
        }
        assert_eq!(base32(b"foobar"), "MZXW6YTBOI");
        assert_eq!(from_base32("a1"), None);
    }

    #[test]
    fn the_address_holds_no_sign_that_an_app_takes_for_another() {
        assert_eq!(
            address("ABC", "Tide: a&b", "ada+x@acme.test"),
            "otpauth://totp/Tide%20%20a%26b:ada%2Bx%40acme.test?secret=ABC&issuer=Tide%20%20a%26b&algorithm=SHA1&digits=6&period=30"
        );
    }
}

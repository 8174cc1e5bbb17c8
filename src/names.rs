//! What can be a name, and how names are compared and searched.

use crate::error::FieldErrors;

/// The longest name that somebody may give a thing, in characters.
pub const LONGEST: usize = 200;

/// A name as it is kept: outer space is cut, and the same letters are written in one way (an é is one character, however it
/// was typed). One that stays as it `was` stays.
pub fn taken_in(text: &str, was: Option<&str>) -> String {
    let text = text.trim();
    if was == Some(text) { text.to_owned() } else { composed(text) }
}

/// A name as somebody gives it to a thing, [`taken_in`]; what does not stand in one line that everybody reads
/// alike is refused at `field`. A name that stays as it `was` is refused for nothing.
pub fn check_name(field: &str, text: &str, was: Option<&str>, errors: &mut FieldErrors) -> String {
    let name = taken_in(text, was);
    if was == Some(name.as_str()) {
        return name;
    }
    if name.chars().all(|c| c.is_whitespace() || is_invisible(c)) {
        errors.add(field, "Enter a name.");
    } else if name.chars().count() > LONGEST {
        errors.add(field, format!("This name is too long. Use at most {LONGEST} characters."));
    } else if name.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
        errors.add(field, "A name must be one line. Remove line breaks, tabs and control characters.");
    } else if let Some(c) = invisible_in(&name) {
        let code = u32::from(c);
        errors.add(
            field,
            format!("This name contains an invisible character (U+{code:04X}). Enter it again without that character."),
        );
    }
    name
}

fn composed(text: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(text).into_owned()
}

/// The first character of a text that nobody sees. Those that join or part two letters of a script, or two emoji, are
/// seen in what they make of them.
pub fn invisible_in(text: &str) -> Option<char> {
    let letter = |c: Option<&char>| c.is_some_and(|c| !c.is_ascii() && !c.is_whitespace() && !is_invisible(*c));
    let chars: Vec<char> = text.chars().collect();
    let between = |at: usize| at > 0 && letter(chars.get(at - 1)) && letter(chars.get(at + 1));
    let joins = |at: usize| matches!(chars[at], '\u{200c}' | '\u{200d}') && between(at);
    (0..chars.len()).find(|at| is_invisible(chars[*at]) && !joins(*at)).map(|at| chars[at])
}

/// The key of a name: outer spaces, case and the way in which letters are written do not count. None begins like that of a
/// thing which was deleted, `archived:<id>`.
pub fn name_key(name: &str) -> String {
    let key = composed(&name.trim().to_lowercase());
    if key.starts_with("archived:") { format!("named {key}") } else { key }
}

/// A name as it stands in one line: without outer space and invisible characters, its inner space and line breaks one
/// space each.
pub fn one_line(name: &str) -> String {
    let visible: String = name.chars().filter(|c| c.is_whitespace() || !c.is_control() && !is_invisible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A text in [`one_line`] of at most so many characters; one that was cut ends in "…".
pub fn short_line(text: &str, most: usize) -> String {
    let line = one_line(text);
    if line.chars().count() <= most {
        return line;
    }
    let kept: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", kept.trim_end())
}

/// Has no width, and is no part of a letter that has one; among them what turns the text around it.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// A name with what nobody sees in it spelled out: `sales⟨U+200B⟩.csv`.
pub fn visible(name: &str) -> String {
    let spelled = |c: char| {
        if is_invisible(c) || c.is_control() { format!("⟨U+{:04X}⟩", u32::from(c)) } else { c.to_string() }
    };
    name.chars().map(spelled).collect()
}

/// The other ways to write the same letters: an é is one character, or an e with an accent after it.
pub fn other_forms(name: &str) -> impl Iterator<Item = String> {
    let composed = composed(name);
    let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfd().normalize(name).into_owned();
    let name = name.to_owned();
    [composed, decomposed].into_iter().filter(move |form| *form != name)
}

/// Which of several names a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Met {
    One(usize),
    Nothing,
    /// Several, none of which is written exactly so.
    Tie,
}

/// Finds a name among others: by exact spelling, else with case, outer space, invisible characters, line breaks and the
/// ways to write a letter folded.
pub fn meet<'a>(wanted: &str, names: impl Iterator<Item = &'a str> + Clone) -> Met {
    if let Some(exact) = names.clone().position(|name| name == wanted) {
        return Met::One(exact);
    }
    let key = |name: &str| name_key(&one_line(name));
    let wanted = key(wanted);
    let mut like = names.enumerate().filter(|(_, name)| key(name) == wanted).map(|(i, _)| i);
    match (like.next(), like.next()) {
        (Some(one), None) => Met::One(one),
        (None, _) => Met::Nothing,
        (Some(_), Some(_)) => Met::Tie,
    }
}

/// One file has one name, however somebody wrote it: `./a.csv` is `a.csv`, and an `é` is one letter or two.
pub fn plain_path(path: &str) -> String {
    let path = composed(path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

/// A text as it is searched: neither case nor accents count, and letters that are one are spelled out, so that "strasse"
/// finds "Straße" and "egalite" finds "égalité".
pub fn folded(text: &str) -> String {
    let decomposed = icu_normalizer::DecomposingNormalizerBorrowed::new_nfkd().normalize_iter(text.chars());
    let mut folded = String::with_capacity(text.len());
    // Combining marks stand for themselves once what they belonged to is taken apart.
    for c in decomposed.filter(|c| !('\u{300}'..='\u{36f}').contains(c)).flat_map(char::to_lowercase) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'đ' | 'ð' => folded.push('d'),
            'ı' => folded.push('i'),
            // What lower case may bring back: "İ" becomes "i" and a dot.
            '\u{300}'..='\u{36f}' => {}
            'ς' => folded.push('σ'),
            c => folded.push(c),
        }
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::{Met, check_name, composed, folded, meet, name_key, one_line, plain_path, short_line};
    use crate::error::FieldErrors;

    #[test]
    fn a_name_is_one_line_that_everybody_reads_alike() {
        let said = |name: &str, was: Option<&str>| {
            let mut errors = FieldErrors::new();
            assert_eq!(check_name("name", name, was, &mut errors), composed(name.trim()));
            errors.details()
        };
        for good in [" Ada Byron ", "<img src=x>", "مبيعات 2026", "می\u{200c}خواهم", "👩\u{200d}💻", &"é".repeat(200)]
        {
            assert_eq!(said(good, None), "", "{good:?}");
        }
        for (bad, why) in [
            ("", "Enter a name."),
            (" \u{200b}\u{3164}", "Enter a name."),
            (&"x".repeat(201), "too long"),
            ("a\r\nBcc: b@c", "one line"),
            ("a\u{2028}b", "one line"),
            ("a\u{202e}b", "(U+202E)"),
            ("Sal\u{200b}es", "(U+200B)"),
            ("a\u{200d}b", "(U+200D)"),
            ("مبيعات\u{200d}", "(U+200D)"),
            ("a\u{e0041}b", "(U+E0041)"),
        ] {
            assert!(said(bad, None).contains(why), "{bad:?}: {}", said(bad, None));
            assert_eq!(said(bad, Some(bad.trim())), "", "what is there stays");
        }
    }

    #[test]
    fn letters_are_written_in_one_way() {
        let (one, two) = ("Caf\u{e9}", "Cafe\u{301}");
        let taken_in = |name: &str, was: Option<&str>| check_name("name", name, was, &mut FieldErrors::new());
        assert_eq!((taken_in(two, None), taken_in(one, None)), (one.to_owned(), one.to_owned()));
        assert_eq!(taken_in(two, Some(two)), two, "what is there stays");
        assert_eq!(name_key(two), name_key(" CAF\u{c9}"));
        assert_eq!(meet(two, ["id", one].into_iter()), Met::One(1));
    }

    #[test]
    fn names_meet_by_exact_spelling_first_and_a_tie_is_none() {
        let names = ["Amount", "amount", "Unit Price", "id"];
        let meet = |wanted: &str| meet(wanted, names.into_iter());
        assert_eq!(meet("amount"), Met::One(1));
        assert_eq!(meet("AMOUNT"), Met::Tie);
        assert_eq!(meet("unit\r\nprice "), Met::One(2));
        assert_eq!(meet("\u{200b}ID"), Met::One(3));
        assert_eq!(meet("total"), Met::Nothing);
        assert_eq!(one_line(" Unit\n  Price\u{feff}"), "Unit Price");
        assert_eq!((short_line("a\r\nb", 3), short_line("one two", 5)), ("a b".to_owned(), "one…".to_owned()));
    }

    #[test]
    fn what_is_searched_is_found_without_accents_and_case() {
        for (text, like) in [
            ("Straße", "STRASSE"),
            ("égalité", "Egalite"),
            ("e\u{301}galite\u{301}", "égalité"),
            ("Łódź Ørsted Æther œuvre", "lodz orsted aether oeuvre"),
            ("İSTANBUL", "istanbul"),
            ("ﬁnance ²", "finance 2"),
            ("ΟΔΟΣ", "οδος"),
            ("東京", "東京"),
        ] {
            assert_eq!(folded(text), folded(like), "{text}");
        }
        assert_ne!(folded("resume"), folded("resumes"));
    }

    #[test]
    fn one_file_has_one_name() {
        for path in ["a/b.csv", "./a/b.csv", "a//b.csv/", "a/./b.csv", "a/c/../b.csv"] {
            assert_eq!(plain_path(path), "a/b.csv");
        }
        assert_eq!(plain_path("../a"), "../a");
    }
}

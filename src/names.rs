//! How names are compared and searched.

/// The key of a name: outer spaces and case do not count.
pub fn name_key(name: &str) -> String {
    name.trim().to_lowercase()
}

/// A name as it stands in one line: without outer space and invisible characters, its inner space and line breaks one
/// space each.
pub fn one_line(name: &str) -> String {
    let visible: String = name.chars().filter(|c| !is_invisible(*c)).collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Has no width, and is no part of a letter that has one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
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
    let composed = icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned();
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

/// Finds a name among others: by exact spelling, else with case, outer space, invisible characters and line breaks
/// folded.
pub fn meet<'a>(wanted: &str, names: impl Iterator<Item = &'a str> + Clone) -> Met {
    if let Some(exact) = names.clone().position(|name| name == wanted) {
        return Met::One(exact);
    }
    let key = |name: &str| one_line(name).to_lowercase();
    let wanted = key(wanted);
    let mut like = names.enumerate().filter(|(_, name)| key(name) == wanted).map(|(i, _)| i);
    match (like.next(), like.next()) {
        (Some(one), None) => Met::One(one),
        (None, _) => Met::Nothing,
        (Some(_), Some(_)) => Met::Tie,
    }
}

/// One file has one name, however somebody wrote it: `./a.csv` is `a.csv`.
pub fn plain_path(path: &str) -> String {
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
    use super::{Met, folded, meet, one_line, plain_path};

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

//! Names by pattern: `sales-*.csv`.

/// A pattern for names: `*` stands for anything but a slash, `?` for one character; all else for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(Vec<char>);

impl Pattern {
    pub fn new(text: &str) -> Self {
        Self(text.trim().chars().collect())
    }

    /// Whether a name, from its first letter to its last, is such a one.
    pub fn fits(&self, name: &str) -> bool {
        let name: Vec<char> = name.chars().collect();
        let (mut at, mut p) = (0, 0);
        // Where the last star stands, and how far what it stands for reaches.
        let mut star: Option<(usize, usize)> = None;
        while at < name.len() {
            match self.0.get(p) {
                Some('*') => {
                    star = Some((p, at));
                    p += 1;
                }
                Some(letter) if *letter == name[at] || (*letter == '?' && name[at] != '/') => {
                    p += 1;
                    at += 1;
                }
                _ => match star {
                    Some((place, reach)) if name[reach] != '/' => {
                        star = Some((place, reach + 1));
                        (p, at) = (place + 1, reach + 1);
                    }
                    _ => return false,
                },
            }
        }
        self.0[p..].iter().all(|letter| *letter == '*')
    }
}

#[cfg(test)]
mod tests {
    use super::Pattern;

    #[test]
    fn stars_and_marks_stand_for_what_they_say() {
        let fits = |pattern: &str, name: &str| Pattern::new(pattern).fits(name);
        for (pattern, name) in [
            ("sales-*.csv", "sales-2026-11.csv"),
            ("*", "a"),
            ("*", ""),
            ("a?c", "abc"),
            ("*a*b*", "xaxbx"),
            ("in/*.csv", "in/a.csv"),
            ("*.csv", "é.csv"),
            ("a[1].csv", "a[1].csv"),
        ] {
            assert!(fits(pattern, name), "{pattern} {name}");
        }
        for (pattern, name) in
            [("sales-*.csv", "sales-1.csv.tmp"), ("*.csv", "in/a.csv"), ("a?c", "a/c"), ("a", "ab"), ("*a*b", "ba")]
        {
            assert!(!fits(pattern, name), "{pattern} {name}");
        }
    }
}

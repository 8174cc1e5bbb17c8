//! A calendar as iCalendar text (RFC 5545). Pure: lines of at most 75 octets, ended by CR LF; no text of anybody's can
//! become a line of its own.

use crate::clock::Moment;

/// So many octets a line has at most, without its end.
const LINE: usize = 75;

pub struct Calendar {
    pub name: String,
    pub about: String,
    pub events: Vec<Event>,
}

pub struct Event {
    /// Stays the same from the planning of an occurrence to its end.
    pub uid: String,
    pub from: Moment,
    /// After `from`.
    pub to: Moment,
    /// When this was first known.
    pub stamp: Moment,
    pub summary: String,
    pub description: String,
    pub category: String,
    pub url: String,
}

impl Calendar {
    pub fn text(&self) -> String {
        let mut out = String::with_capacity(400 + self.events.len() * 420);
        for (name, value) in [
            ("BEGIN", "VCALENDAR"),
            ("VERSION", "2.0"),
            ("PRODID", "-//Tidegate//Calendar feed//EN"),
            ("CALSCALE", "GREGORIAN"),
            ("METHOD", "PUBLISH"),
            ("REFRESH-INTERVAL;VALUE=DURATION", "PT15M"),
            ("X-PUBLISHED-TTL", "PT15M"),
        ] {
            line(&mut out, name, value);
        }
        for name in ["NAME", "X-WR-CALNAME"] {
            line(&mut out, name, &escaped(&self.name));
        }
        for name in ["DESCRIPTION", "X-WR-CALDESC"] {
            line(&mut out, name, &escaped(&self.about));
        }
        for event in &self.events {
            event.write(&mut out);
        }
        line(&mut out, "END", "VCALENDAR");
        out
    }
}

impl Event {
    fn write(&self, out: &mut String) {
        line(out, "BEGIN", "VEVENT");
        line(out, "UID", &escaped(&self.uid));
        line(out, "DTSTAMP", &instant(self.stamp));
        line(out, "DTSTART", &instant(self.from));
        line(out, "DTEND", &instant(self.to));
        line(out, "SUMMARY", &escaped(&self.summary));
        line(out, "DESCRIPTION", &escaped(&self.description));
        line(out, "CATEGORIES", &escaped(&self.category));
        // An address of ours: it has no character that a line or a value could not hold.
        line(out, "URL", &self.url);
        // An import keeps nobody busy.
        line(out, "TRANSP", "TRANSPARENT");
        line(out, "END", "VEVENT");
    }
}

/// "20261009T160000Z"
pub fn instant(at: Moment) -> String {
    at.utc().format("%Y%m%dT%H%M%SZ").to_string()
}

/// A text as a value: what has a meaning there loses it, ends of lines become `\n`, other controls are left out.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' | ';' | ',' => {
                out.push('\\');
                out.push(letter);
            }
            '\r' if letters.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{2028}' | '\u{2029}' | '\u{85}' => out.push_str("\\n"),
            '\t' => out.push(' '),
            letter if letter.is_control() => {}
            letter => out.push(letter),
        }
    }
    out
}

/// Writes a line, folded between characters.
fn line(out: &mut String, name: &str, value: &str) {
    let mut long = 0;
    for letter in name.chars().chain(std::iter::once(':')).chain(value.chars()) {
        if long + letter.len_utf8() > LINE {
            out.push_str("\r\n ");
            long = 1;
        }
        out.push(letter);
        long += letter.len_utf8();
    }
    out.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn event(summary: &str) -> Event {
        let at = Moment::parse_rfc3339("2026-10-09T16:00:00Z").unwrap();
        Event {
            uid: "schedule-1-20261009T160000Z@tidegate.example".into(),
            from: at,
            to: at.plus(chrono::Duration::minutes(5)),
            stamp: at,
            summary: summary.to_owned(),
            description: String::new(),
            category: "FP&A".into(),
            url: "https://tidegate.example/runs/1".into(),
        }
    }

    fn text(summary: &str) -> String {
        Calendar { name: "Tidegate".into(), about: "All".into(), events: vec![event(summary)] }.text()
    }

    /// As a reader unfolds it.
    fn unfolded(text: &str) -> Vec<String> {
        text.replace("\r\n ", "").split_terminator("\r\n").map(str::to_owned).collect()
    }

    fn summary(text: &str) -> String {
        let lines = unfolded(text);
        let found: Vec<&String> = lines.iter().filter(|line| line.starts_with("SUMMARY:")).collect();
        assert_eq!(found.len(), 1, "{text}");
        found[0]["SUMMARY:".len()..].to_owned()
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let text = text("✓ Payroll");
        assert!(text.starts_with("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:") && text.ends_with("END:VCALENDAR\r\n"));
        for line in ["DTSTART:20261009T160000Z", "DTEND:20261009T160500Z", "SUMMARY:✓ Payroll", "TRANSP:TRANSPARENT"]
        {
            assert!(unfolded(&text).iter().any(|l| l == line), "{line}");
        }
    }

    #[test]
    fn no_name_becomes_a_line_of_its_own() {
        for (name, written) in [
            ("a, b; c\\d", "a\\, b\\; c\\\\d"),
            ("x\r\nEND:VCALENDAR\r\nBEGIN:VEVENT", "x\\nEND:VCALENDAR\\nBEGIN:VEVENT"),
            ("a\nb\rc\u{2028}d", "a\\nb\\nc\\nd"),
            ("nul\0bell\u{7}tab\tend", "nulbelltab end"),
            ("<b>&amp;", "<b>&amp\\;"),
        ] {
            assert_eq!(summary(&text(name)), written);
        }
    }

    #[test]
    fn lines_are_folded_between_characters() {
        for letter in ["x", "é", "漢", "🌊"] {
            let name = letter.repeat(200);
            let text = text(&name);
            for line in text.split("\r\n") {
                assert!(line.len() <= LINE, "{} octets: {line}", line.len());
            }
            assert_eq!(summary(&text), name);
        }
        // Exactly as long as a line may be is one line.
        assert!(text(&"x".repeat(LINE - "SUMMARY:".len())).contains(&format!("SUMMARY:{}\r\n", "x".repeat(67))));
    }

    proptest! {
        #[test]
        fn whatever_it_is_called_the_lines_hold(name in "\\PC{0,300}|[\\x00-\\x7f]{0,300}") {
            let text = text(&name);
            prop_assert!(text.split("\r\n").all(|line| line.len() <= LINE && !line.contains(['\r', '\n'])));
            let lines = unfolded(&text);
            prop_assert_eq!(lines.iter().filter(|line| *line == "BEGIN:VEVENT").count(), 1);
            prop_assert_eq!(lines.len(), unfolded(&super::tests::text("x")).len());
        }
    }
}

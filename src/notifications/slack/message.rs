//! A letter as Slack shows it. Every text in it is text: Slack's own marks are escaped, so that a name mentions nobody and is
//! no link.

use serde_json::{Value, json};

use crate::names::one_line;
use crate::notifications::letter::Letter;

/// Slack takes 3,000 characters in one section.
const LONGEST: usize = 2_900;

/// The message of a letter.
pub fn of(letter: &Letter) -> Value {
    let mut head = format!("*{}*", fit(&letter.title, 600));
    if !letter.application.is_empty() {
        head = format!("{head}\n{}", fit(&letter.application, 600));
    }
    let mut sections = vec![head];
    if !letter.detail.is_empty() {
        sections.push(fit(&letter.detail, LONGEST));
    }
    let rows = letter.rows.iter().map(|(label, value)| format!("*{}:* {}", fit(label, 60), fit(value, 280)));
    sections.extend(packed(rows));
    let mut links = vec![link(&letter.button.1, letter.button.0)];
    links.extend(letter.again.iter().map(|again| link(again, "Run Again")));
    sections.push(links.join("  ·  "));
    let text = match letter.detail.is_empty() {
        true => letter.title.clone(),
        false => format!("{}: {}", letter.title, letter.detail),
    };
    message(&text, &sections)
}

/// One sentence.
pub fn test(sentence: &str) -> Value {
    message(sentence, &[fit(sentence, LONGEST)])
}

fn message(text: &str, sections: &[String]) -> Value {
    let blocks: Vec<Value> = sections
        .iter()
        // `verbatim`: a text that looks like a mention, a channel or an address stays text.
        .map(|text| json!({"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": true}}))
        .collect();
    json!({
        "text": fit(text, LONGEST),
        "blocks": blocks,
        "parse": "none",
        "link_names": false,
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// Lines in as few sections as hold them.
fn packed(lines: impl Iterator<Item = String>) -> Vec<String> {
    let mut sections: Vec<String> = Vec::new();
    for line in lines {
        match sections.last_mut().filter(|section| section.len() + 1 + line.len() <= LONGEST) {
            Some(section) => *section += &format!("\n{line}"),
            None => sections.push(line),
        }
    }
    sections
}

/// An address of ours behind a word of ours.
fn link(url: &str, word: &str) -> String {
    format!("<{}|{word}>", fit(url, 1_000).replace('|', "%7C"))
}

/// A text in one line of at most so many characters, escaped.
fn fit(text: &str, most: usize) -> String {
    let mut fitting = String::new();
    let mut count = 0;
    for c in one_line(text).chars() {
        let escaped = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            _ => "",
        };
        count += escaped.len().max(1);
        if count > most.saturating_sub(1) {
            fitting.push('…');
            break;
        }
        match escaped {
            "" => fitting.push(c),
            escaped => fitting.push_str(escaped),
        }
    }
    fitting
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_text_whatever_it_says() {
        for (text, shown) in [
            (
                "<!channel> & <@U1>\n<http://evil.test|Summary>",
                "&lt;!channel&gt; &amp; &lt;@U1&gt; &lt;http://evil.test|Summary&gt;",
            ),
            ("a\u{202e}b\r\nc", "ab c"),
        ] {
            assert_eq!(fit(text, 200), shown);
        }
        assert_eq!(fit(&"&".repeat(100), 20), "&amp;&amp;&amp;…");
        let message = test(&"<".repeat(10_000)).to_string();
        assert!(message.len() < 7_000 && !message.contains("<<"), "{message}");
    }
}

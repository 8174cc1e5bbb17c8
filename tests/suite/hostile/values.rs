//! Sixty values that somebody sends who means no good, or whose keyboard slipped.

/// Scripts in them set `window.taken`.
const TEXTS: [&str; 54] = [
    // Run in the page.
    "<script>window.taken=1</script>",
    "\"><img src=x onerror=window.taken=1>",
    "' autofocus onfocus=window.taken=1 x='",
    "</textarea><svg onload=window.taken=1>",
    "</title><script>window.taken=1</script>",
    "javascript:window.taken=1",
    "data:text/html,<script>window.taken=1</script>",
    "' hx-get=/account hx-trigger=load '",
    "\" data-hx-on:load=\"window.taken=1",
    "{{777*777}}",
    "${7*7}<%= 7*7 %>#{7*7}",
    // Run in the database.
    "' OR '1'='1",
    "'; DROP TABLE members; --",
    "1; SELECT pg_sleep(10)",
    "\\'; --",
    "1 UNION SELECT password_hash FROM members",
    "%' ESCAPE '!",
    "%_%_%_%_%_%",
    "$1",
    "?1",
    // Lead elsewhere.
    "../../../etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "/etc/passwd",
    "C:\\Windows\\win.ini",
    "//evil.example/",
    "https://evil.example/",
    "\\\\evil.example\\share",
    "http://169.254.169.254/latest/meta-data/",
    "file:///etc/passwd",
    "/\\evil.example",
    // Break lines, headers, records.
    "a\r\nSet-Cookie: sid=1",
    "a\nBcc: all@example.com",
    "a\0b",
    "a\tb\u{b}c",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "@SUM(1)",
    "\",\"\n\"",
    // Numbers and dates that no field takes.
    "-1",
    "0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775809",
    "1e309",
    "NaN",
    "0x10",
    "１２",
    "2026-02-30",
    "0000-00-00",
    "99999-12-31T25:61:61Z",
    // Letters that are not what they look like.
    "\u{202e}gnp.exe",
    "\u{200b}\u{feff}",
    "Z\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}\u{30d}algo",
    "<!channel> <@U1> &amp;lt;",
];

pub fn all() -> Vec<String> {
    let mut all: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    all.push(String::new());
    all.push(" ".repeat(300));
    all.push("a".repeat(10_000));
    all.push("é".repeat(70_000));
    all.push("[".repeat(5_000));
    all.push("{\"a\":".repeat(2_000));
    assert_eq!(all.len(), 60);
    all
}

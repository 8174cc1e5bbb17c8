//! The habits of the house, held by reading its sources: ranks, doors, sizes, and what never stands in a template.

use std::path::{Path, PathBuf};

use crate::support::settings::root;

/// Reading `lib.rs` from top to bottom is reading the dependency graph.
#[test]
fn a_room_knows_only_rooms_above_it() {
    let rooms = rooms();
    let rank = |room: &str| rooms.iter().position(|r| r == room);
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        if matches!(room.as_str(), "main" | "lib") {
            continue;
        }
        let own = rank(&room).unwrap_or_else(|| panic!("{} is in no room of lib.rs", file.display()));
        for (number, line) in code_lines(&text(&file)) {
            for named in rooms_named(line) {
                if rank(&named).is_some_and(|rank| rank > own) {
                    wrong.push(format!("{}:{number}: {room} calls up to {named}", short(&file)));
                }
            }
        }
    }
    none(wrong);
}

#[test]
fn every_file_says_at_its_door_what_it_is_for() {
    none(sources().into_iter().chain(tests()).filter(|f| !text(f).starts_with("//!")).map(|f| short(&f)).collect());
}

/// 400 lines, in tests 500; the one list of all tables is as long as there are tables.
#[test]
fn no_file_is_too_long() {
    let all = sources().into_iter().chain(tests()).chain(files("templates")).filter(|f| !f.ends_with("db/schema.rs"));
    let long = |f: &PathBuf| text(f).lines().count() > if short(f).starts_with("tests/") { 500 } else { 400 };
    none(all.filter(long).map(|f| short(&f)).collect());
}

#[test]
fn nothing_unwraps_outside_tests() {
    let mut wrong = Vec::new();
    for file in sources() {
        for (number, line) in code_lines(&text(&file)) {
            if [".unwrap()", ".expect(", "panic!(", "todo!(", "unimplemented!("].iter().any(|word| line.contains(word))
            {
                wrong.push(format!("{}:{number}: {}", short(&file), line.trim()));
            }
        }
    }
    none(wrong);
}

/// SQLite's C interface is spoken in one file, which says why: the loader binds without copies, and a query of somebody
/// else's SQL needs an authorizer and a progress handler. Both use its safe face. And the allocator is asked one thing.
#[test]
fn nothing_is_unsafe_but_the_face_of_sqlite_and_of_the_allocator() {
    let uses = |f: &PathBuf| code_lines(&text(f)).any(|(_, line)| line.contains("unsafe"));
    let found: Vec<_> = sources().into_iter().filter(uses).map(|f| short(&f)).collect();
    assert_eq!(found, ["src/db/sqlite/patience.rs", "src/db/sqlite.rs", "src/memory.rs"]);
}

/// SQL is known by the name of its file: `store.rs`, `…_store.rs`, or a folder `store`; and no such file is open to
/// other rooms. `db` is where the two databases are told apart, `workspace.rs` a room of one table.
#[test]
fn sql_stands_in_stores_and_stores_are_private() {
    let is_store = |f: &PathBuf| {
        let path = short(f);
        path.contains("/store/") || path.ends_with("/store.rs") || path.ends_with("_store.rs")
    };
    let may = |f: &PathBuf| is_store(f) || short(f).starts_with("src/db/") || short(f) == "src/workspace.rs";
    let speaks = |f: &PathBuf| {
        code_lines(&text(f)).any(|(_, line)| {
            let line = line.trim_start();
            line.starts_with("use diesel::prelude") || line.contains("diesel::sql_query") || line.contains("db::schema")
        })
    };
    let mut wrong: Vec<String> =
        sources().into_iter().filter(|f| speaks(f) && !may(f)).map(|f| format!("{} speaks SQL", short(&f))).collect();
    for file in sources() {
        for (number, line) in code_lines(&text(&file)) {
            let open = line.trim_start().strip_prefix("pub mod ").and_then(|rest| rest.strip_suffix(';'));
            let inside = short(&file).contains("/store/");
            if open.is_some_and(|name| name == "store" || name.ends_with("_store")) && !inside {
                wrong.push(format!("{}:{number}: a store is private", short(&file)));
            }
        }
    }
    none(wrong);
}

/// Which room owns which tables. "Who uses me?" is answered from above (`in_use.rs`).
const OWNERS: [(&str, &[&str]); 20] = [
    ("workspace", &["workspace"]),
    ("audit", &["audit_log"]),
    (
        "members",
        &[
            "roles",
            "members",
            "groups",
            "group_members",
            "sessions",
            "one_time_tokens",
            "second_factors",
            "recovery_codes",
            "sign_in_elsewhere",
            "invitations",
            "invitation_groups",
            "sign_in_attempts",
            "api_tokens",
        ],
    ),
    (
        "applications",
        &[
            "applications",
            "application_access",
            "application_group_access",
            "invitation_access",
            "blocks",
            "block_columns",
            "loads",
            "block_state",
            "generations",
            "block_views",
            "reject_heads",
            "reject_lines",
            "reject_beyond",
            "rejects",
        ],
    ),
    ("translations", &["translations", "translation_entries"]),
    ("files", &["files", "file_chunks", "kept_files", "kept_file_versions"]),
    ("connections", &["connections", "connection_applications"]),
    ("imports", &["import_configurations", "configuration_versions"]),
    ("import_sets", &["import_sets", "set_versions"]),
    ("schedules", &["schedules", "schedule_recipients", "schedule_recipient_groups"]),
    ("freezes", &["freezes", "freeze_skips"]),
    (
        "runs",
        &[
            "runs",
            "run_counts",
            "run_leases",
            "run_intents",
            "run_holds",
            "run_restores",
            "run_results",
            "run_steps",
            "run_log",
            "set_runs",
            "set_run_steps",
            "resource_leases",
            "queue_stops",
            "workers",
            "outcomes",
        ],
    ),
    (
        "notifications",
        &[
            "notices",
            "gathered",
            "deliveries",
            "member_channels",
            "incidents",
            "incident_targets",
            "audit_told",
            "slack",
            "slack_members",
            "outlets",
            "posts",
        ],
    ),
    ("promises", &["promises"]),
    ("environments", &["environments", "row_copies", "promotions", "kin"]),
    ("feeds", &["calendar_feeds"]),
    ("ownership", &["hand_overs", "hand_over_lines"]),
    ("import_scheduling", &[]),
    ("api", &["idempotency_keys"]),
    ("background", &[]),
];

/// `$2 … $1` is another order on SQLite, where a placeholder is a name and counts where it first stands.
#[test]
fn placeholders_come_in_their_order() {
    let mut wrong = Vec::new();
    for file in sources() {
        let all = text(&file);
        for part in all.split('"').filter(|part| part.contains("$1")) {
            let numbers =
                part.split('$').skip(1).map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
            let mut highest = 0;
            for number in numbers.filter_map(|digits| digits.parse::<u32>().ok()) {
                if number > highest + 1 {
                    wrong.push(format!("{}: {part}", short(&file)));
                }
                highest = highest.max(number);
            }
        }
    }
    none(wrong);
}

#[test]
fn no_room_reads_the_tables_of_a_room_above_it() {
    let rooms = rooms();
    let rank = |room: &str| rooms.iter().position(|r| r == room).unwrap_or_else(|| panic!("{room} is no room"));
    let owner: std::collections::HashMap<&str, &str> =
        OWNERS.iter().flat_map(|(room, tables)| tables.iter().map(move |table| (*table, *room))).collect();
    let schema = text(&root().join("src/db/schema.rs"));
    for table in tables_of(&schema) {
        assert!(owner.contains_key(table.as_str()), "{table} has no owner in OWNERS");
    }
    let mut wrong = Vec::new();
    for file in sources() {
        let room = room_of(&file);
        if matches!(room.as_str(), "db" | "main" | "lib") || !rooms.contains(&room) {
            continue;
        }
        for (number, line) in code_lines(&text(&file)) {
            for table in tables_named(line, &owner) {
                if rank(owner[table]) > rank(&room) {
                    let whose = owner[table];
                    wrong.push(format!("{}:{number}: {room} reads {table}, which is of {whose}", short(&file)));
                }
            }
        }
    }
    none(wrong);
}

/// The names of all `table!`s.
fn tables_of(schema: &str) -> Vec<String> {
    let mut lines = schema.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.trim() == "diesel::table! {" {
            let name = lines.next().unwrap_or_default().trim();
            found.push(name.split_whitespace().next().unwrap_or_default().to_owned());
        }
    }
    found
}

/// The tables that a line names, in Diesel's words (`runs::table`, `schema::{runs, …}`) or in SQL (`FROM runs`).
fn tables_named<'a>(line: &str, owner: &std::collections::HashMap<&'a str, &'a str>) -> Vec<&'a str> {
    let words: Vec<&str> = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
    let uses_schema = line.contains("db::schema");
    owner
        .keys()
        .copied()
        .filter(|table| {
            line.contains(&format!("{table}::table"))
                || (uses_schema && words.contains(table))
                || words.windows(2).any(|w| matches!(w[0], "FROM" | "JOIN" | "INTO" | "UPDATE") && w[1] == *table)
        })
        .collect()
}

#[test]
fn templates_hold_no_style_no_script_and_nothing_unescaped() {
    let mut wrong = Vec::new();
    for file in files("templates") {
        let html = text(&file).to_lowercase();
        for forbidden in
            ["|safe", "| safe", "|escape(\"none\")", " style=", "<style", "hx-on", "javascript:", "<script>"]
        {
            // A mail fetches nothing, not even its style.
            let of_mail = forbidden == "<style" && short(&file).starts_with("templates/letters/");
            if html.contains(forbidden) && !of_mail {
                wrong.push(format!("{}: {forbidden}", short(&file)));
            }
        }
        if let Some(attribute) = html.split_whitespace().find(|word| is_handler(word)) {
            wrong.push(format!("{}: {attribute}", short(&file)));
        }
        if html.contains("{% autoescape") {
            wrong.push(format!("{}: autoescape", short(&file)));
        }
    }
    none(wrong);
}

/// `onclick="…"` and its like.
fn is_handler(word: &str) -> bool {
    word.strip_prefix("on").and_then(|rest| rest.split_once('=')).is_some_and(|(event, rest)| {
        event.len() > 2 && event.chars().all(|c| c.is_ascii_lowercase()) && rest.starts_with(['"', '\''])
    })
}

#[test]
fn both_migration_trees_have_the_same_names() {
    let names = |tree: &str| -> Vec<String> {
        files(&format!("migrations/{tree}"))
            .iter()
            .map(|f| short(f).split_once(&format!("migrations/{tree}/")).unwrap().1.to_owned())
            .collect()
    };
    assert!(!names("sqlite").is_empty());
    assert_eq!(names("sqlite"), names("postgres"));
}

/// In the order of `lib.rs`.
pub fn rooms() -> Vec<String> {
    let map = text(&root().join("src/lib.rs"));
    let rooms = map.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    rooms.map(str::to_owned).collect()
}

fn room_of(file: &Path) -> String {
    let path = file.strip_prefix(root().join("src")).unwrap();
    let first = path.iter().next().unwrap().to_str().unwrap();
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// `crate::db`, `crate::{config, db::Conn}` and the like.
fn rooms_named(line: &str) -> Vec<String> {
    let ident = |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
    let mut named = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => named.push(ident(rest)),
            Some(group) => {
                let mut depth = 1;
                let mut fresh = true;
                for (i, c) in group.char_indices() {
                    match c {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        ',' if depth == 1 => fresh = true,
                        c if c.is_whitespace() => {}
                        _ if fresh && depth == 1 => {
                            named.push(ident(&group[i..]));
                            fresh = false;
                        }
                        _ => {}
                    }
                }
            }
        }
    }
    named
}

/// Numbered lines of what runs: without comments, and without the tests at the end of a file.
fn code_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    text[..end]
        .lines()
        .enumerate()
        .map(|(i, line)| (i + 1, line))
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn sources() -> Vec<PathBuf> {
    let is_test = |f: &PathBuf| f.file_stem().is_some_and(|s| s == "tests") || short(f).contains("/tests/");
    files("src").into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs") && !is_test(f)).collect()
}

fn tests() -> Vec<PathBuf> {
    files("tests/suite").into_iter().filter(|f| f.extension().is_some_and(|e| e == "rs")).collect()
}

/// All files below a folder of the sources, in order.
fn files(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

fn text(file: &Path) -> String {
    std::fs::read_to_string(file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

fn short(file: &Path) -> String {
    file.strip_prefix(root()).unwrap_or(file).display().to_string()
}

#[track_caller]
fn none(wrong: Vec<String>) {
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn grouped_uses_are_read_to_the_end() {
    assert_eq!(rooms_named("use crate::{db::{self, Conn}, routes, web::x};"), ["db", "routes", "web"]);
    assert_eq!(rooms_named("let a = crate::app::off_thread(crate::runs::step)"), ["app", "runs"]);
    assert!(is_handler("onclick=\"x()\"") && !is_handler("on=\"1\"") && !is_handler("only"));
}

//! What each operation does, in words, for the OpenAPI document and the page that shows it; grouped by noun. One that
//! is missing here, or stands here and is no more, fails a test.

use crate::members::Scope;
use crate::members::Scope::{Administer, Configure, Read, Run, Schedule};

/// A noun and its operations: method, address below `/api/v1`, the scope that a token needs, what it does.
pub type Group = (&'static str, &'static str, &'static [(&'static str, &'static str, Scope, &'static str)]);

pub const GROUPS: &[Group] = &[
    (
        "Members",
        "People who sign in. Administrators and Auditors see them, Administrators change them.",
        &[
            ("GET", "members", Read, "List the members, by id."),
            ("POST", "members", Administer, "Add a member."),
            ("GET", "members/{m}", Read, "Show a member."),
            ("PATCH", "members/{m}", Administer, "Change a member. A new password ends their sessions."),
        ],
    ),
    (
        "Applications",
        "Planning applications, and who has access to them.",
        &[
            ("GET", "applications", Read, "List the Applications that you may see, by id."),
            ("POST", "applications", Configure, "Make an Application."),
            ("GET", "applications/{a}", Read, "Show an Application."),
            ("PATCH", "applications/{a}", Configure, "Change an Application."),
            ("DELETE", "applications/{a}", Configure, "Archive an Application that nothing runs in."),
            ("PUT", "applications/{a}/access/{m}", Configure, "Set a member's access to an Application."),
            ("DELETE", "applications/{a}/access/{m}", Configure, "Take a member's access away."),
        ],
    ),
    (
        "Blocks",
        "What data is imported into, and its rows.",
        &[
            ("GET", "applications/{a}/blocks", Read, "List the Blocks of an Application, by id."),
            ("POST", "applications/{a}/blocks", Configure, "Make a Block."),
            ("GET", "blocks/{b}", Read, "Show a Block."),
            ("PATCH", "blocks/{b}", Configure, "Change a Block. Columns are given whole: one that is left out goes."),
            ("DELETE", "blocks/{b}", Configure, "Archive a Block that nothing uses."),
            ("GET", "blocks/{b}/rows", Read, "List the rows of a Block."),
            ("GET", "blocks/{b}/rows.csv", Read, "Download all rows of a Block as CSV."),
        ],
    ),
    (
        "Connections",
        "Configured connectors. Administrators make them; secrets go in and never come out.",
        &[
            ("GET", "connections", Read, "List the Connections, by id."),
            ("POST", "connections", Administer, "Make a Connection. Nothing is fetched."),
            ("GET", "connections/{c}", Read, "Show a Connection."),
            ("PATCH", "connections/{c}", Administer, "Change a Connection. Secrets that are not named stay."),
            ("DELETE", "connections/{c}", Administer, "Archive a Connection that nothing uses."),
            ("POST", "connections/{c}/test", Administer, "Ask whether a Connection answers. Nothing is imported."),
        ],
    ),
    (
        "Import configurations",
        "Saved ways to fill a Block, and starting them.",
        &[
            (
                "GET",
                "applications/{a}/import-configurations",
                Read,
                "List the configurations of an Application, by id.",
            ),
            ("POST", "applications/{a}/import-configurations", Configure, "Make a configuration."),
            ("GET", "import-configurations/{i}", Read, "Show a configuration."),
            (
                "PATCH",
                "import-configurations/{i}",
                Configure,
                "Change a configuration, which makes a new version of it.",
            ),
            ("DELETE", "import-configurations/{i}", Configure, "Archive a configuration that nothing schedules."),
            (
                "POST",
                "import-configurations/{i}/runs",
                Run,
                "Run a configuration now. If the same run is queued already, that one is answered.",
            ),
            (
                "POST",
                "import-configurations/{i}/files",
                Run,
                "Give a file to a configuration that takes one, and run it.",
            ),
        ],
    ),
    (
        "Schedules",
        "When configurations run. Whoever saves a schedule becomes its Owner.",
        &[
            ("GET", "applications/{a}/schedules", Read, "List the schedules of an Application, by id."),
            (
                "POST",
                "applications/{a}/schedules",
                Schedule,
                "Make a schedule; at most four of a configuration have a future.",
            ),
            ("POST", "schedules/preview", Schedule, "Preview a rule. Nothing is saved; the scope read is enough."),
            ("GET", "schedules/{s}", Read, "Show a schedule."),
            (
                "PATCH",
                "schedules/{s}",
                Schedule,
                "Change a schedule. With `enabled` or `off_until` alone it is the switch, which leaves the Owner; with another `repeat`, what belonged to the old one goes.",
            ),
            ("DELETE", "schedules/{s}", Schedule, "Delete a schedule. Its history stays."),
            (
                "POST",
                "schedules/{s}/copy",
                Schedule,
                "Make a schedule like this one, with the fields of the body laid over.",
            ),
            ("GET", "schedules/{s}/occurrences", Read, "Tell when a schedule runs, as if it were on."),
        ],
    ),
    (
        "Freezes",
        "Times in which an Application's schedules do not run.",
        &[
            ("GET", "applications/{a}/freezes", Read, "List the freezes of an Application, by id; past ones too."),
            ("POST", "applications/{a}/freezes", Configure, "Make a freeze."),
            ("GET", "freezes/{f}", Read, "Show a freeze."),
            ("PATCH", "freezes/{f}", Configure, "Change a freeze that has not ended."),
            ("DELETE", "freezes/{f}", Configure, "Delete a freeze; nothing is run to make up for it."),
            ("POST", "freezes/{f}/end", Configure, "End a freeze now instead of later."),
        ],
    ),
    (
        "Runs",
        "What happened, and what may be done about it.",
        &[
            ("GET", "runs", Read, "List the runs that one sees, the newest first."),
            ("GET", "runs/{r}", Read, "Show a run."),
            (
                "GET",
                "runs/{r}/rejected-rows.csv",
                Read,
                "Download the rejected rows as CSV, ready to be mended and imported again.",
            ),
            ("GET", "runs/{r}/log", Read, "Show the log of a run; as lines of text for who accepts only those."),
            ("POST", "runs/{r}/cancel", Run, "Cancel a run. Its end may come a moment later."),
            (
                "POST",
                "runs/{r}/files",
                Run,
                "Give the rejected rows of a run, corrected, and load them in a run of their own beside the others.",
            ),
            ("POST", "runs/{r}/again", Run, "Run the same occurrence again; what the run before appended is replaced."),
        ],
    ),
    ("This document", "What programs read to know the API.", &[("GET", "openapi.json", Read, "Show this document.")]),
];

/// What the letter in an address stands for.
pub fn id(letter: &str) -> &'static str {
    match letter {
        "a" => "The Application.",
        "b" => "The Block.",
        "c" => "The Connection.",
        "f" => "The freeze.",
        "i" => "The import configuration.",
        "m" => "The member.",
        "r" => "The run.",
        _ => "The schedule.",
    }
}

//! What each operation does, in words, for the OpenAPI document and the page that shows it; grouped by noun. A test
//! fails if one is missing here or no longer exists.

use crate::members::Scope;
use crate::members::Scope::{Administer, Configure, Read, Run, Schedule};

/// A noun and its operations: method, address below `/api/v1`, the scope that a token needs, what it does.
pub type Group = (&'static str, &'static str, &'static [(&'static str, &'static str, Scope, &'static str)]);

pub const GROUPS: &[Group] = &[
    (
        "Members",
        "People who sign in. Administrators and Auditors can see them; Administrators can change them.",
        &[
            ("GET", "members", Read, "List the members, by id."),
            ("POST", "members", Administer, "Add a member."),
            ("GET", "members/{m}", Read, "Show a member."),
            ("PATCH", "members/{m}", Administer, "Change a member. A new password ends their sessions and tokens."),
        ],
    ),
    (
        "Roles",
        "What members may do in the whole Workspace. Administrators and Auditors can see them; Administrators can change them.",
        &[
            ("GET", "roles", Read, "List the roles, by id."),
            ("POST", "roles", Administer, "Create a role."),
            ("GET", "roles/{role}", Read, "Show a role."),
            ("PATCH", "roles/{role}", Administer, "Change a role. It counts at once for every member who holds it."),
            ("DELETE", "roles/{role}", Administer, "Delete a role that no member or invitation uses."),
        ],
    ),
    (
        "Groups",
        "Members under one name. Administrators and Auditors can see them; Administrators can change them.",
        &[
            ("GET", "groups", Read, "List the groups, by id."),
            ("POST", "groups", Administer, "Create a group."),
            ("GET", "groups/{group}", Read, "Show a group."),
            (
                "PATCH",
                "groups/{group}",
                Administer,
                "Change a group. Send all members: one that is left out leaves it.",
            ),
            ("DELETE", "groups/{group}", Administer, "Delete a group that nothing uses."),
        ],
    ),
    (
        "Applications",
        "Planning applications, and who has access to them.",
        &[
            ("GET", "applications", Read, "List the Applications that you may see, by id."),
            ("POST", "applications", Configure, "Create an Application."),
            ("GET", "applications/{a}", Read, "Show an Application."),
            ("PATCH", "applications/{a}", Configure, "Change an Application."),
            ("DELETE", "applications/{a}", Configure, "Archive an Application in which nothing is running."),
            (
                "POST",
                "applications/{a}/clone",
                Configure,
                "Create an Application with the definitions of another. All schedules in it are off.",
            ),
            (
                "POST",
                "applications/{a}/promotions",
                Schedule,
                "Take import configurations, import sets and schedules to another Application, or show what that would change. New schedules arrive off. A token needs the scope configure too.",
            ),
            (
                "POST",
                "applications/{a}/refresh",
                Configure,
                "Give a copy the definitions of its original anew. All schedules in it are off. Refused while an import of the copy is running.",
            ),
            (
                "POST",
                "applications/{a}/reset",
                Configure,
                "Remove all rows and all history of an Application and turn its schedules off. Refused while one of its imports is running.",
            ),
            ("PUT", "applications/{a}/access/{m}", Configure, "Set a member's access to an Application."),
            ("DELETE", "applications/{a}/access/{m}", Configure, "Remove a member's access."),
            ("PUT", "applications/{a}/group-access/{group}", Configure, "Set a group's access to an Application."),
            ("DELETE", "applications/{a}/group-access/{group}", Configure, "Remove a group's access."),
        ],
    ),
    (
        "Blocks",
        "What data is imported into, and its rows.",
        &[
            ("GET", "applications/{a}/blocks", Read, "List the Blocks of an Application, by id."),
            ("POST", "applications/{a}/blocks", Configure, "Create a Block."),
            ("GET", "blocks/{b}", Read, "Show a Block."),
            ("PATCH", "blocks/{b}", Configure, "Change a Block. Send all columns: one that is left out is removed."),
            ("DELETE", "blocks/{b}", Configure, "Archive a Block that nothing uses."),
            ("GET", "blocks/{b}/rows", Read, "List the rows of a Block."),
            ("GET", "blocks/{b}/rows.csv", Read, "Download all rows of a Block as CSV."),
            (
                "GET",
                "blocks/{b}/contents",
                Read,
                "List what a Block held before and can be restored, the latest first.",
            ),
            (
                "POST",
                "blocks/{b}/restore",
                Run,
                "Restore what a Block held before. It takes the place of what the Block holds now. If the same restore is already queued, that run is returned.",
            ),
        ],
    ),
    (
        "Connections",
        "Configured connectors. Administrators create them. Secrets are write-only.",
        &[
            ("GET", "connections", Read, "List the Connections, by id."),
            ("POST", "connections", Administer, "Create a Connection. Nothing is fetched."),
            ("GET", "connections/{c}", Read, "Show a Connection."),
            ("PATCH", "connections/{c}", Administer, "Change a Connection. Secrets that you do not send stay."),
            ("DELETE", "connections/{c}", Administer, "Archive a Connection that nothing uses."),
            ("POST", "connections/{c}/test", Administer, "Test a Connection. Nothing is imported."),
        ],
    ),
    (
        "Import configurations",
        "Saved ways to fill a Block, and how to run them.",
        &[
            (
                "GET",
                "applications/{a}/import-configurations",
                Read,
                "List the configurations of an Application, by id.",
            ),
            ("POST", "applications/{a}/import-configurations", Configure, "Create a configuration."),
            ("GET", "import-configurations/{i}", Read, "Show a configuration."),
            ("PATCH", "import-configurations/{i}", Configure, "Change a configuration, which creates a new version."),
            ("DELETE", "import-configurations/{i}", Configure, "Archive a configuration that has no schedule."),
            (
                "POST",
                "import-configurations/{i}/runs",
                Run,
                "Run a configuration now. If the same run is already queued, that run is returned.",
            ),
            (
                "POST",
                "import-configurations/{i}/files",
                Run,
                "Upload a file for a configuration that takes one, and run it.",
            ),
            (
                "POST",
                "import-configurations/{i}/test-run",
                Run,
                "Show what a run would do now, without loading anything. It takes at most 60 seconds.",
            ),
            ("GET", "import-configurations/{i}/ready-by", Read, "Show when it must be ready, and whether it will be."),
            (
                "PUT",
                "import-configurations/{i}/ready-by",
                Schedule,
                "Set when it must be ready. Recipients of its schedules are notified when it may be late, is late, and is ready after all.",
            ),
            ("DELETE", "import-configurations/{i}/ready-by", Schedule, "Remove the time it must be ready by."),
        ],
    ),
    (
        "Import sets",
        "Import configurations in an order, run as one.",
        &[
            ("GET", "applications/{a}/import-sets", Read, "List the import sets of an Application, by id."),
            ("POST", "applications/{a}/import-sets", Configure, "Create an import set."),
            ("GET", "import-sets/{set}", Read, "Show an import set."),
            (
                "PATCH",
                "import-sets/{set}",
                Configure,
                "Change an import set, which creates a new version. Send all steps: one that is left out is removed.",
            ),
            ("DELETE", "import-sets/{set}", Configure, "Archive an import set that has no schedule."),
            ("POST", "import-sets/{set}/runs", Run, "Run an import set now."),
            ("GET", "import-sets/{set}/ready-by", Read, "Show when it must be ready, and whether it will be."),
            ("PUT", "import-sets/{set}/ready-by", Schedule, "Set when it must be ready."),
            ("DELETE", "import-sets/{set}/ready-by", Schedule, "Remove the time it must be ready by."),
        ],
    ),
    (
        "Translations",
        "Tables of an Application that say what values of a source become.",
        &[
            (
                "GET",
                "applications/{a}/translations",
                Read,
                "List the translation tables of an Application, by id, without their entries.",
            ),
            ("POST", "applications/{a}/translations", Configure, "Create a translation table."),
            ("GET", "translations/{t}", Read, "Show a translation table."),
            (
                "PATCH",
                "translations/{t}",
                Configure,
                "Change a translation table. Send all entries: one that is left out is removed.",
            ),
            ("DELETE", "translations/{t}", Configure, "Archive a translation table that no import uses."),
        ],
    ),
    (
        "Kept files",
        "Files that schedules and steps of import sets load, by their parameter `file`.",
        &[
            ("GET", "applications/{a}/kept-files", Read, "List the files that an Application keeps, by id."),
            ("POST", "applications/{a}/kept-files", Schedule, "Upload a file to keep."),
            ("GET", "kept-files/{kept}", Read, "Show a kept file."),
            (
                "PUT",
                "kept-files/{kept}",
                Schedule,
                "Replace a kept file. Runs queued from then on load the new one; runs already queued or running load the old one.",
            ),
            ("DELETE", "kept-files/{kept}", Schedule, "Delete a kept file that no schedule and no step loads."),
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
                "Create a schedule. A configuration has at most four unfinished schedules.",
            ),
            ("POST", "schedules/preview", Schedule, "Preview a rule. Nothing is saved; the scope read is enough."),
            ("GET", "schedules/{s}", Read, "Show a schedule."),
            (
                "PATCH",
                "schedules/{s}",
                Schedule,
                "Change a schedule. With only `enabled` or `off_until`, the Owner stays the same. Another `repeat` drops the fields of the old one.",
            ),
            ("DELETE", "schedules/{s}", Schedule, "Delete a schedule. Its history stays."),
            (
                "POST",
                "schedules/{s}/copy",
                Schedule,
                "Copy a schedule. Fields of the body replace those of the original.",
            ),
            (
                "POST",
                "schedules/{s}/take-ownership",
                Schedule,
                "Become the Owner of a schedule that is flagged, because its Owner cannot run it. One that you own stays as it is.",
            ),
            ("GET", "schedules/{s}/occurrences", Read, "List when a schedule runs, as if it were on."),
        ],
    ),
    (
        "Freezes",
        "Periods during which an Application's schedules do not run.",
        &[
            (
                "GET",
                "applications/{a}/freezes",
                Read,
                "List the freezes of an Application, by id, including past ones.",
            ),
            ("POST", "applications/{a}/freezes", Configure, "Create a freeze."),
            ("GET", "freezes/{f}", Read, "Show a freeze."),
            ("PATCH", "freezes/{f}", Configure, "Change a freeze that has not ended."),
            ("DELETE", "freezes/{f}", Configure, "Delete a freeze. What it skipped does not run."),
            ("POST", "freezes/{f}/end", Configure, "End a freeze now."),
        ],
    ),
    (
        "Runs",
        "What ran, and what you can do about it.",
        &[
            ("GET", "runs", Read, "List the runs that you may see, newest first."),
            ("GET", "runs/{r}", Read, "Show a run."),
            (
                "GET",
                "runs/{r}/rejected-rows.csv",
                Read,
                "Download the rejected rows as CSV, ready to be corrected and imported again.",
            ),
            ("GET", "runs/{r}/log", Read, "Show the log of a run, as plain text if you accept only that."),
            ("POST", "runs/{r}/cancel", Run, "Cancel a run. It may end a moment later."),
            ("POST", "runs/{r}/files", Run, "Upload the corrected rejected rows of a run. A separate run loads them."),
            (
                "POST",
                "runs/{r}/again",
                Run,
                "Run the same occurrence again. What the earlier run appended is replaced.",
            ),
            ("POST", "runs/{r}/approve", Run, "Approve a held run. Its rows are loaded a moment later."),
            ("POST", "runs/{r}/reject", Run, "Reject a held run. It ends as failed, and the Block is unchanged."),
        ],
    ),
    (
        "Notifications",
        "Your notifications about imports.",
        &[
            ("GET", "notifications", Read, "List your notifications, the latest first."),
            ("PATCH", "notifications/{n}", Read, "Mark a notification as read or unread."),
        ],
    ),
    (
        "Audit log",
        "Who changed what, with the old and the new value. For Administrators and Auditors.",
        &[("GET", "audit", Read, "List the entries, the latest first.")],
    ),
    (
        "This document",
        "The description of the API for programs.",
        &[("GET", "openapi.json", Read, "Show this document.")],
    ),
];

/// What the letter in an address stands for.
pub fn id(letter: &str) -> &'static str {
    match letter {
        "a" => "The Application.",
        "b" => "The Block.",
        "c" => "The Connection.",
        "f" => "The freeze.",
        "group" => "The group.",
        "i" => "The import configuration.",
        "kept" => "The kept file.",
        "m" => "The member.",
        "n" => "The notification.",
        "r" => "The run.",
        "role" => "The role.",
        "set" => "The import set.",
        "t" => "The translation table.",
        _ => "The schedule.",
    }
}

//! The table of rights on one screen.
//!
//! | | sees | does |
//! |---|---|---|
//! | Administrator | everything, without being listed | everything |
//! | Auditor | everything | nothing |
//! | Modeler | Applications with access | Can Import Data, creates Applications |
//! | Importer | the same | Can Import Data |
//! | Viewer | the same | nothing |
//!
//! Administrators make further roles of these permissions (`roles`).
//!
//! Within an Application a member is given View, Import Data and Configure (`applications::access`). To import, a
//! member needs both Can Import Data (of the role) and Import Data (of the Application).

use crate::db::text_enum;

text_enum! {
    /// A workspace permission that a role gives.
    pub enum Permission {
        Administer = "administer",
        SeeEverything = "see_everything",
        /// Shown as "Can Import Data".
        ImportData = "import_data",
        MakeApplications = "make_applications",
    }
}

impl Permission {
    /// As pages name it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Administer => "Administer",
            Self::SeeEverything => "See everything",
            Self::ImportData => "Can Import Data",
            Self::MakeApplications => "Create Applications",
        }
    }

    /// What it allows, as the form of a role explains it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Administer => {
                "Manage members, roles, groups, Connections and ownership, with every permission in every Application. \
                 Includes See everything and Create Applications, but not Can Import Data."
            }
            Self::SeeEverything => "Every Application, the members and the audit log, without changing anything.",
            Self::ImportData => "Imports and schedules, in Applications that grant Import Data too.",
            Self::MakeApplications => "Whoever creates an Application gets every permission in it.",
        }
    }
}

/// What a role gives, each once: who administers sees everything and creates Applications.
pub fn complete(given: &[Permission]) -> Vec<Permission> {
    let administers = given.contains(&Permission::Administer);
    let brings = |permission: &Permission| administers && *permission != Permission::ImportData;
    Permission::ALL.iter().copied().filter(|permission| given.contains(permission) || brings(permission)).collect()
}

/// What a role gives, in words: "Can Import Data, Create Applications".
pub fn words(given: &[Permission]) -> String {
    if Permission::ALL.iter().all(|permission| given.contains(permission)) {
        return "Everything".into();
    }
    if given.is_empty() {
        return "View only".into();
    }
    given.iter().map(|permission| permission.words()).collect::<Vec<_>>().join(", ")
}

text_enum! {
    /// What an API token may be limited to.
    pub enum Scope {
        Read = "read",
        Run = "run",
        Schedule = "schedule",
        Configure = "configure",
        Administer = "administer",
    }
}

impl Scope {
    /// What it permits, as the form of a token explains it.
    pub fn about(self) -> &'static str {
        match self {
            Self::Read => "Read what you can see, and change nothing.",
            Self::Run => "Start, cancel and repeat imports, and decide about those that are held.",
            Self::Schedule => {
                "Create, change, turn on or off and delete schedules; add and delete kept files; say when imports must be ready."
            }
            Self::Configure => {
                "Create, clone, refresh, reset and archive Applications; change their Blocks, import configurations, import sets, freezes and access."
            }
            Self::Administer => "Change members, roles, groups and Connections, and hand over schedules.",
        }
    }
}

pub const ADMINISTRATOR: &str = "Administrator";

/// The roles that every Workspace begins with.
pub const BUILT_IN_ROLES: [(&str, &[Permission]); 5] = {
    use Permission::*;
    [
        (ADMINISTRATOR, &[Administer, SeeEverything, ImportData, MakeApplications]),
        ("Auditor", &[SeeEverything]),
        ("Modeler", &[ImportData, MakeApplications]),
        ("Importer", &[ImportData]),
        ("Viewer", &[]),
    ]
};

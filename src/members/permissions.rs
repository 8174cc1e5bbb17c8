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
            Self::Administer => "administers",
            Self::SeeEverything => "sees everything",
            Self::ImportData => "Can Import Data",
            Self::MakeApplications => "creates Applications",
        }
    }
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

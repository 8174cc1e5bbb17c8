//! What a member may do in an Application, from the role and from what the Application grants to them and their groups.

use std::collections::HashMap;

use super::model::Application;
use super::{access_store as given, store};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::members::{self, By, Member, Permission, Scope};

/// What an Application grants to one member or group. Import Data and Configure include View.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Grants {
    pub view: bool,
    pub import_data: bool,
    pub configure: bool,
}

impl Grants {
    /// What either gives.
    pub fn with(self, other: Self) -> Self {
        Self {
            view: self.view || other.view,
            import_data: self.import_data || other.import_data,
            configure: self.configure || other.configure,
        }
    }

    /// "View and Import Data"; `None`: nothing.
    pub fn words(self) -> Option<&'static str> {
        match (self.import_data, self.configure) {
            (true, true) => Some("View, Import Data and Configure"),
            (true, false) => Some("View and Import Data"),
            (false, true) => Some("View and Configure"),
            (false, false) => self.view.then_some("View"),
        }
    }
}

/// An Application as one member stands in it.
#[derive(Clone, Debug)]
pub struct Entered {
    pub application: Application,
    pub grants: Grants,
    /// Can Import Data, of the role.
    pub role_imports: bool,
    /// Administrators and Auditors see all without being listed.
    pub sees_everything: bool,
}

/// Enters an Application; `NotFound` when it is not there or the member may not even view it. Every scope of a token
/// enters: what it may do there is asked with each deed, and the API asks for `read` wherever something is only read.
pub fn enter(conn: &mut Conn, by: &By, application_id: i64) -> Result<Entered> {
    let application = store::by_id(conn, application_id)?.ok_or(AppError::NotFound)?;
    let entered = standing(conn, &by.member, application)?;
    if entered.grants.view { Ok(entered) } else { Err(AppError::NotFound) }
}

/// How a member stands in an Application, whether or not they may see it. Also asked before a scheduled run begins.
pub fn standing(conn: &mut Conn, member: &Member, application: Application) -> Result<Entered> {
    let given =
        if member.is_administrator() { None } else { Some(given::of_member_in(conn, application.id, member.id)?) };
    Ok(stand(member, application, given))
}

/// The same of several members, in their order; one query.
pub fn standings(conn: &mut Conn, members: &[Member], application: &Application) -> Result<Vec<Entered>> {
    let given = given::of_application(conn, application.id)?;
    Ok(members.iter().map(|member| stand(member, application.clone(), given.get(&member.id).copied())).collect())
}

fn stand(member: &Member, application: Application, given: Option<Grants>) -> Entered {
    let given = given.unwrap_or_default();
    let grants = if member.is_administrator() {
        Grants { view: true, import_data: true, configure: true }
    } else {
        Grants { view: given.view || member.sees_everything(), ..given }
    };
    Entered {
        application,
        grants,
        role_imports: member.may(Permission::ImportData),
        sees_everything: member.sees_everything(),
    }
}

/// The Applications that a member sees, by name.
pub fn seen_by(conn: &mut Conn, by: &By) -> Result<Vec<Application>> {
    Ok(entered_by(conn, by)?.into_iter().map(|entered| entered.application).collect())
}

/// The same, each as the member stands in it. Two queries.
pub fn entered_by(conn: &mut Conn, by: &By) -> Result<Vec<Entered>> {
    by.need_scope(Scope::Read)?;
    let given = if by.member.is_administrator() { HashMap::new() } else { given::of_member(conn, by.member.id)? };
    let stands = |application: Application| {
        let given = given.get(&application.id).copied();
        stand(&by.member, application, given)
    };
    Ok(store::all(conn)?.into_iter().map(stands).filter(|entered| entered.grants.view).collect())
}

/// The ids of the Applications that a member sees; `None`: whatever there is. One query at most, for what is asked often.
pub fn sight(conn: &mut Conn, by: &By) -> Result<Option<Vec<i64>>> {
    if by.member.sees_everything() { Ok(None) } else { given::viewed_by(conn, by.member.id).map(Some) }
}

impl Entered {
    /// Both permissions that importing takes.
    pub fn may_import(&self) -> bool {
        self.role_imports && self.grants.import_data
    }

    /// Auditors open Import Scheduling read-only.
    pub fn may_open_scheduling(&self) -> bool {
        self.may_import() || self.sees_everything
    }

    pub fn may_configure(&self) -> bool {
        self.grants.configure
    }

    /// To start, cancel, schedule: both permissions, and the token's scope.
    pub fn need_import(&self, conn: &mut Conn, by: &By, scope: Scope) -> Result<()> {
        by.need_scope(scope)?;
        let now = self.anew(conn, by)?;
        if now.may_import() { Ok(()) } else { Err(AppError::Forbidden(now.missing_import(conn)?)) }
    }

    /// As they stand there in this transaction: it may be one that writes, long after the one in which they entered.
    fn anew(&self, conn: &mut Conn, by: &By) -> Result<Self> {
        standing(conn, &by.member, self.application.clone())
    }

    pub fn need_open_scheduling(&self, conn: &mut Conn) -> Result<()> {
        if self.may_open_scheduling() { Ok(()) } else { Err(AppError::Forbidden(self.missing_import(conn)?)) }
    }

    pub fn need_configure(&self, conn: &mut Conn, by: &By) -> Result<()> {
        by.need_scope(Scope::Configure)?;
        if self.anew(conn, by)?.may_configure() {
            return Ok(());
        }
        let who = self.who_configures(conn)?;
        Err(AppError::Forbidden(format!(
            "You need the Configure permission in {}. {who} can grant it.",
            self.application.name
        )))
    }

    /// Which of the two permissions is missing, and who can grant it.
    pub fn missing_import(&self, conn: &mut Conn) -> Result<String> {
        let mut missing = Vec::new();
        if !self.role_imports {
            let administrators = members::names(members::administrators(conn)?.into_iter().map(|m| m.name).collect());
            missing.push(format!("Can Import Data in your role ({administrators} can change your role)"));
        }
        if !self.grants.import_data {
            missing.push(format!(
                "Import Data in {} ({} can grant it)",
                self.application.name,
                self.who_configures(conn)?
            ));
        }
        Ok(format!("To import here you still need {}.", missing.join(" and ")))
    }

    /// Who can let others in here: "Olive".
    pub fn who_configures(&self, conn: &mut Conn) -> Result<String> {
        let mut who = given::configurer_names(conn, self.application.id)?;
        if who.is_empty() {
            who = members::administrators(conn)?.into_iter().map(|m| m.name).collect();
        }
        Ok(members::names(who))
    }
}

/// The active members who see an Application, by name: whom its imports may tell.
pub fn who_sees(conn: &mut Conn, application_id: i64) -> Result<Vec<Member>> {
    let given = given::of_application(conn, application_id)?;
    let views = |member: &Member| given.get(&member.id).is_some_and(|grants| grants.view);
    let everybody = members::all(conn)?.into_iter();
    Ok(everybody.filter(|m| m.active && (m.sees_everything() || views(m))).collect())
}

//! Who has access to an Application, and to do what. One form per member, so that it works without scripts and a stale
//! page overwrites nobody else's row.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::App;
use crate::applications::actions::{self, Access};
use crate::applications::{Application, Grants, enter, settings_shell};
use crate::error::Result;
use crate::members::{Permission, SignedIn};
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};

#[derive(Template)]
#[template(path = "applications/access.html")]
struct AccessPage {
    shell: Shell,
    application: Application,
    rows: Vec<Access>,
    may_configure: bool,
}

impl AccessPage {
    /// What the role adds or lacks, beside the name.
    fn note(&self, row: &Access) -> Option<&'static str> {
        if !row.member.active {
            return Some("Deactivated: no access, whatever is ticked here.");
        }
        if row.member.is_administrator() {
            return Some("Has every permission everywhere.");
        }
        if row.grants.import_data && !row.member.may(Permission::ImportData) {
            return Some("Cannot import yet: the role lacks Can Import Data.");
        }
        row.member.sees_everything().then_some("Sees everything everywhere.")
    }
}

/// `GET {A}/settings/members`
pub async fn access(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (asks, id) = (by.clone(), id.into_inner());
    let (entered, rows) =
        app.read(move |conn| Ok((enter(conn, &asks, id)?, actions::access(conn, &asks, id)?))).await?;
    let at = format!("/applications/{id}");
    let application = entered.application.clone();
    let shell = settings_shell(&request, &app, &by, &entered, "Members and permissions")
        .at(&format!("{at}/settings/members"))
        .crumbs([Crumb::here("Members and permissions")]);
    let may_configure = entered.may_configure();
    Page::ok(&request, &AccessPage { shell, application, rows, may_configure })
}

/// `POST {A}/settings/members/{m}`
pub async fn save_access(
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    let (application, member) = ids.into_inner();
    let grants = Grants {
        view: form.ticked("view"),
        import_data: form.ticked("import_data"),
        configure: form.ticked("configure"),
    };
    let now = app.now();
    let (name, grants) = app
        .write(move |conn| {
            let grants = actions::set_access(conn, &by, application, member, grants, now)?;
            Ok((crate::members::by_id(conn, member)?.map(|m| m.name).unwrap_or_default(), grants))
        })
        .await?;
    let words = match grants {
        Grants { view: false, .. } => format!("{name} no longer has access."),
        Grants { import_data: false, configure: false, .. } => format!("{name} has View."),
        Grants { import_data: true, configure: false, .. } => format!("{name} has View and Import Data."),
        Grants { import_data: false, configure: true, .. } => format!("{name} has View and Configure."),
        Grants { import_data: true, configure: true, .. } => {
            format!("{name} has View, Import Data and Configure.")
        }
    };
    Ok(see_other(&format!("/applications/{application}/settings/members"), Some(Flash::new(words))))
}

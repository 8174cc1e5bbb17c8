//! Deciding about a run that the volume guard holds: the question before an approval, as a page or in a dialog, and both
//! answers. What a message links to leads here.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::crumbs;
use crate::app::App;
use crate::applications::{blocks, enter, settings_shell};
use crate::error::{AppError, Result};
use crate::imports::{self, Mode};
use crate::members::SignedIn;
use crate::runs::decisions;
use crate::web::page::is_fragment;
use crate::web::{Flash, Form, Page, Shell, see_other};
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/approve_form.html")]
struct ApproveForm {
    id: i64,
    csrf: String,
    question: String,
    what: String,
    verb: String,
}

impl HtmlSafe for ApproveForm {}

#[derive(Template)]
#[template(path = "import_scheduling/approve_dialog.html")]
struct ApproveDialog {
    form: ApproveForm,
}

#[derive(Template)]
#[template(path = "import_scheduling/delete.html")]
struct ApprovePage {
    shell: Shell,
    form: ApproveForm,
}

/// "Load 118 rows".
pub(super) fn verb(rows: i64) -> String {
    if rows == 0 { "Approve and empty the Block".into() } else { format!("Approve and load {}", words::rows(rows)) }
}

/// `GET /runs/{r}/approve` asks; where it is decided already, the Summary says how.
pub async fn approve_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
) -> Result<HttpResponse> {
    let (asked, id, now) = (by.clone(), *id, app.now());
    let asked = app
        .read(move |conn| {
            let (run, hold) = decisions::held(conn, &asked, id, now)?;
            let block = run.block_id.map(|id| blocks::find_even_archived(conn, id)).transpose()?;
            let version = match (run.configuration_id, run.configuration_version) {
                (Some(id), Some(version)) => imports::version(conn, id, version)?,
                _ => None,
            };
            let scoped = version.is_some_and(|version| version.definition.mode == Mode::ReplaceScope);
            Ok((hold, block, scoped, enter(conn, &asked, run.application_id)?))
        })
        .await;
    let (hold, block, scoped, entered) = match asked {
        Err(AppError::Conflict(words)) => return Ok(see_other(&format!("/runs/{id}"), Some(Flash::new(words)))),
        asked => asked?,
    };
    let block = block.map_or_else(|| "the Block".to_owned(), |block| block.name);
    let (rows, usual) = (hold.stopped.rows, hold.stopped.usual);
    let title = format!("Approve run {id}");
    let list = format!("/applications/{}/settings/import-scheduling", entered.application.id);
    let shell = settings_shell(&request, &app, &by, &entered, &title).at(&list).crumbs(crumbs(&entered, &title));
    let form = ApproveForm {
        id,
        csrf: shell.csrf.clone(),
        question: match rows {
            _ if scoped => format!("Replace {} of {block}?", words::rows(usual)),
            0 => format!("Remove all rows of {block}?"),
            _ => format!("Replace all rows of {block}?"),
        },
        what: match scoped {
            true => format!("{} take their place. The other rows of {block} stay.", words::rows(rows)),
            false => format!(
                "{block} then holds {} instead of {}. What it holds now is kept as earlier contents, and can be restored.",
                words::rows(rows),
                words::count(usual)
            ),
        },
        verb: verb(rows),
    };
    if is_fragment(&request) {
        return Page::ok(&request, &ApproveDialog { form });
    }
    Page::ok(&request, &ApprovePage { shell, form })
}

/// `POST /runs/{r}/approve`
pub async fn approve(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, _: Form) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let run = app.write(move |conn| decisions::approve(conn, &by, id, now)).await?;
    app.work.notify_one();
    Ok(see_other(
        &format!("/runs/{id}"),
        Some(Flash::new(format!("Approved: {}. Its rows are loaded now.", run.title()))),
    ))
}

/// `POST /runs/{r}/reject`
pub async fn reject(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>, _: Form) -> Result<HttpResponse> {
    let (id, now) = (*id, app.now());
    let run = app.write(move |conn| decisions::reject(conn, &by, id, now)).await?;
    Ok(see_other(
        &format!("/runs/{id}"),
        Some(Flash::new(format!("Rejected: {}. The Block is unchanged.", run.title()))),
    ))
}

//! Restoring what a Block held before: first what would be another, then the question.

use std::time::Duration;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use crate::app::{App, off_thread};
use crate::applications::blocks::contents::Earlier;
use crate::applications::blocks::difference::{self, Difference, How};
use crate::applications::blocks::pages::Compared;
use crate::applications::blocks::{self, Block, generations, ledger};
use crate::applications::{Entered, settings_shell};
use crate::db::Pool;
use crate::error::{AppError, Result};
use crate::members::{By, SignedIn};
use crate::runs::restores;
use crate::web::{Crumb, Flash, Form, Page, Shell, see_other};
use crate::words;

/// How long the difference may take to find.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Template)]
#[template(path = "import_scheduling/restore.html")]
struct RestorePage {
    shell: Shell,
    here: String,
    run: i64,
    /// When it was loaded.
    when: String,
    block: String,
    what: String,
    changed_by: Vec<i64>,
    /// The runs that wait for a decision, which a restore takes away.
    held: Vec<i64>,
    /// What would be different; none where that took too long to find.
    compared: Option<Compared>,
}

type Found = (Option<Difference>, i64);

/// What would be another in the Block, where that is found soon, and how many rows it holds.
fn look(pool: &Pool, block: &Block, earlier: &Earlier) -> Result<Found> {
    let difference = pool.read_within(PATIENCE, |conn| {
        let now = generations::current_table(conn, block.id)?;
        difference::between(conn, block, now.as_deref(), &earlier.table(), How::WHOLE)
    })?;
    Ok((difference, pool.read(|conn| ledger::state(conn, block.id))?.row_count))
}

/// What is to be restored, and all that the page says of it.
async fn find(
    app: &App,
    by: &By,
    (application_id, block_id, run_id): (i64, i64, i64),
) -> Result<(Block, Entered, Earlier, Vec<i64>, Found)> {
    let (asked, pool) = (by.clone(), app.blocks.clone());
    let looked = app.read(move |conn| {
        blocks::find_in(conn, application_id, block_id)?;
        let found = restores::find(conn, &asked, &pool, (block_id, run_id))?;
        Ok((found, restores::superseded(conn, block_id)?))
    });
    let ((block, entered, earlier), held) = looked.await?;
    let (pool, of, kept) = (app.blocks.clone(), block.clone(), earlier.clone());
    // No connection to the Workspace is held meanwhile: it may take seconds.
    let found = off_thread(move || look(&pool, &of, &kept)).await?;
    Ok((block, entered, earlier, held, found))
}

/// `GET /applications/{a}/blocks/{b}/restore/{r}`
pub async fn form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64, i64)>,
) -> Result<HttpResponse> {
    let (application_id, block_id, run_id) = *path;
    let here = format!("/applications/{application_id}/blocks/{block_id}");
    // A load may drop what is looked at: the second look says that it is gone.
    let looked = match find(&app, &by, path.into_inner()).await {
        Err(AppError::Internal(_)) => find(&app, &by, (application_id, block_id, run_id)).await,
        looked => looked,
    };
    let (block, entered, earlier, held, found) = match looked {
        Err(AppError::Conflict(words)) => return Ok(see_other(&here, Some(Flash::new(words)))),
        looked => looked?,
    };
    let title = format!("Restore run {run_id}");
    let list = format!("/applications/{application_id}/blocks");
    let shell = settings_shell(&request, &app, &by, &entered, &title).at(&list).crumbs([
        Crumb::to("Blocks", &list),
        Crumb::to(&block.name, &here),
        Crumb::here(title),
    ]);
    Page::ok(&request, &page(shell, here, (&block, &entered, &earlier), held, found))
}

fn page(
    shell: Shell,
    here: String,
    (block, entered, earlier): (&Block, &Entered, &Earlier),
    held: Vec<i64>,
    (difference, now): Found,
) -> RestorePage {
    let rows = earlier.rows.map_or_else(|| "its rows".to_owned(), words::rows);
    RestorePage {
        run: earlier.run_id,
        when: words::date_time(earlier.loaded_at, entered.application.time_zone),
        what: format!(
            "{} then holds {rows} again, in place of the {} that it holds now. Those are kept as earlier contents.",
            block.name,
            words::rows(now)
        ),
        block: block.name.clone(),
        changed_by: earlier.changed_by.clone(),
        held,
        compared: difference.map(|difference| Compared::of(block, &difference)),
        shell,
        here,
    }
}

/// `POST /applications/{a}/blocks/{b}/restore/{r}`
pub async fn restore(
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64, i64)>,
    _: Form,
) -> Result<HttpResponse> {
    let (application_id, block_id, run_id) = path.into_inner();
    let (pool, now) = (app.blocks.clone(), app.now());
    let started = app
        .write(move |conn| {
            blocks::find_in(conn, application_id, block_id)?;
            restores::restore(conn, &by, &pool, (block_id, run_id), now)
        })
        .await;
    let started = match started {
        Err(AppError::Conflict(words)) => {
            let here = format!("/applications/{application_id}/blocks/{block_id}");
            return Ok(see_other(&here, Some(Flash::new(words))));
        }
        started => started?,
    };
    app.work.notify_one();
    let flash = Flash::new(match started.waiting_already {
        true => format!("{} is already in the queue.", started.run.name),
        false => format!("Started: {}.", started.run.name),
    });
    Ok(see_other(&format!("/runs/{}", started.run.id), Some(flash)))
}

//! What a run changed in its Block, row by row, as far as that can still be told; of one that is Held what it would.

use std::time::{Duration, Instant};

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::crumbs;
use crate::app::{App, off_thread};
use crate::applications::blocks::changed::{self, Changed};
use crate::applications::blocks::ledger::{self, LoadState};
use crate::applications::blocks::pages::{Compared, Written};
use crate::applications::blocks::{self, Block};
use crate::applications::{Entered, settings_shell};
use crate::db::Pool;
use crate::error::{AppError, Result};
use crate::imports::{self, Definition, Mode};
use crate::members::SignedIn;
use crate::runs::{Run, actions};
use crate::web::form::Query;
use crate::web::{Page, Shell};
use crate::words;

/// How long whoever opens the page waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// How many rows stand on a page.
const PAGE: i64 = 50;

#[derive(Template)]
#[template(path = "import_scheduling/changes.html")]
struct ChangesPage {
    shell: Shell,
    title: String,
    run: i64,
    block: Option<(String, String)>,
    said: Vec<String>,
    compared: Option<Compared>,
    written: Option<Written>,
    after: i64,
}

/// The counts alone, for the Summary.
#[derive(Template)]
#[template(path = "import_scheduling/changes_counts.html")]
struct Counts {
    run: i64,
    counts: Vec<(&'static str, String)>,
}

/// What there is to tell.
enum Told {
    Changed(LoadState, Changed),
    /// No load of the run came to its end.
    Nothing,
    TooLong,
}

/// `GET /runs/{r}/changes?after=`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (asked, id, after) = (by.clone(), *id, query.id("after").unwrap_or(0).max(0));
    let (run, entered, block, definition) = app
        .read(move |conn| {
            let (run, entered) = actions::find(conn, &asked, id)?;
            let block = run.block_id.map(|id| blocks::find_even_archived(conn, id)).transpose()?;
            let version = match (run.configuration_id, run.configuration_version) {
                (Some(id), Some(version)) => imports::version(conn, id, version)?,
                _ => None,
            };
            Ok((run, entered, block, version.map(|version| version.definition)))
        })
        .await?;
    let mode = definition.as_ref().map(|definition| definition.mode);
    let told = match &block {
        Some(block) => tell(&app, &run, block, definition.as_ref(), after).await?,
        None => Told::Nothing,
    };
    if query.get("part") == "counts" {
        let counts = match told {
            Told::Changed(_, Changed::Compared { difference, .. }) => {
                let block = block.as_ref().ok_or(AppError::NotFound)?;
                Compared::of(block, &difference).counts.into()
            }
            _ => Vec::new(),
        };
        return Page::ok(&request, &Counts { run: id, counts });
    }
    Page::ok(&request, &page(&request, &app, &by, (&run, &entered, block), told, (after, mode)))
}

async fn tell(app: &Data<App>, run: &Run, block: &Block, how: Option<&Definition>, after: i64) -> Result<Told> {
    let permit = app.comparing.clone().acquire_owned().await.map_err(AppError::internal)?;
    let (pool, uid, block) = (app.blocks.clone(), run.uid.clone(), block.clone());
    // The columns of the scope; none: all rows made room.
    let scope = how.filter(|how| how.mode.replaces()).map(|how| {
        let columns = how.scope.iter().filter_map(|name| block.column(name));
        columns.map(|column| column.position).collect::<Vec<_>>()
    });
    off_thread(move || {
        let _permit = permit;
        let look = || look(&pool, &uid, &block, scope.as_deref(), after);
        // What is Held may be decided while it is looked at, and its rows are elsewhere then, or nowhere: the second look finds that.
        look().or_else(|_| look())
    })
    .await
}

fn look(pool: &Pool, uid: &str, block: &Block, scope: Option<&[i32]>, after: i64) -> Result<Told> {
    let Some(load) = pool.read(|conn| ledger::ledger(conn, uid, block.id))? else { return Ok(Told::Nothing) };
    let deadline = Instant::now() + PATIENCE;
    let is_over = || Instant::now() >= deadline;
    let found =
        pool.until(&is_over, &mut pool.connect()?, |conn| changed::of(conn, block, &load, scope, (after, PAGE + 1)));
    match found {
        Ok(found) => Ok(Told::Changed(load.state, found)),
        Err(_) if is_over() => Ok(Told::TooLong),
        Err(error) => Err(error),
    }
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &crate::members::By,
    (run, entered, block): (&Run, &Entered, Option<Block>),
    told: Told,
    (after, mode): (i64, Option<Mode>),
) -> ChangesPage {
    let number = words::count(run.id);
    let would = matches!(told, Told::Changed(LoadState::Held, _));
    let title = format!("What run {number} {}", if would { "would change" } else { "changed" });
    let base = format!("/applications/{}", run.application_id);
    let (mut said, mut compared, mut written) = (Vec::new(), None, None);
    let name = block.as_ref().map_or("the Block", |block| block.name.as_str());
    match told {
        Told::Nothing => said.push(format!("This run loaded nothing, so it changed nothing in {name}.")),
        Told::TooLong => said.push("Comparing the rows took longer than 20 seconds, so it was stopped.".to_owned()),
        Told::Changed(_, Changed::Dropped) => {
            said.push(format!("The rows of this run were Held and then discarded. It changed nothing in {name}."));
        }
        Told::Changed(_, Changed::Gone) => said.push(format!(
            "This can no longer be told: later runs replaced all rows of {name}, and only the three before what it holds now are kept."
        )),
        Told::Changed(_, Changed::Compared { difference, since }) => {
            said.push(match would {
                true => format!("The rows that are Held, compared with those in {name}."),
                false => format!("The rows of {name} after this run, compared with those before it."),
            });
            if since > 0 {
                let were = words::counted(since, "of them was", "of them were");
                said.push(format!("Later runs wrote into the same rows: {were} added or changed since."));
            }
            compared = block.as_ref().map(|block| Compared::of(block, &difference));
        }
        Told::Changed(_, Changed::Written { all, mut rows, shown }) => {
            let are = words::counted(all, "row", "rows");
            said.push(match shown {
                true => format!("{are} of {name} that this run wrote and no later run has changed."),
                false => format!(
                    "{are} that this run wrote and no later run changed until all rows of {name} were replaced."
                ),
            });
            match mode {
                Some(Mode::Update) => said.push("What changed rows held before is not kept.".to_owned()),
                Some(Mode::ReplaceScope) => said.push("The rows that made room for them are not kept.".to_owned()),
                _ => {}
            }
            let next = (rows.len() as i64 > PAGE).then(|| rows.pop()).flatten().and(rows.last().map(|row| row.row));
            written = block.as_ref().map(|block| Written::of(block, &rows, next));
        }
    }
    let list = format!("{base}/settings/import-scheduling");
    let block = block.as_ref().map(|block| (block.name.clone(), format!("{base}/blocks/{}", block.id)));
    let shell = settings_shell(request, app, by, entered, &title).at(&list).crumbs(crumbs(entered, title.clone()));
    ChangesPage { shell, title, run: run.id, block, said, compared, written, after }
}

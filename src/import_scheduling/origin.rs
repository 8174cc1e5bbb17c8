//! Where a row comes from: all of its cells, and the run, the file, its hash and the line that wrote them. As a page, or as a
//! drawer over the rows.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use askama::filters::HtmlSafe;

use super::history::by_whom;
use crate::app::App;
use crate::applications::blocks::ledger::LedgerRow;
use crate::applications::blocks::{self, Block, BlockRow, contents};
use crate::applications::{Entered, enter, settings_shell};
use crate::db::{Conn, Pool};
use crate::error::{AppError, Result};
use crate::imports;
use crate::members::{self, By, SignedIn};
use crate::runs::{Run, actions};
use crate::schedules::actions as schedules;
use crate::web::page::is_fragment;
use crate::web::{Crumb, Page, Shell};
use crate::words;

/// So many later runs are named.
const LATER: i64 = 3;

#[derive(Template)]
#[template(path = "import_scheduling/origin.html")]
struct Origin {
    title: String,
    here: String,
    cells: Vec<ShownCell>,
    facts: Vec<Fact>,
    /// Its history is gone.
    gone: Option<String>,
    later: String,
    later_runs: Vec<i64>,
}

impl HtmlSafe for Origin {}

#[derive(Template)]
#[template(path = "import_scheduling/origin_page.html")]
struct OriginPage {
    shell: Shell,
    origin: Origin,
}

#[derive(Template)]
#[template(path = "import_scheduling/origin_drawer.html")]
struct OriginDrawer {
    origin: Origin,
}

struct ShownCell {
    column: String,
    kind: String,
    text: String,
}

struct Fact {
    label: &'static str,
    value: String,
    href: Option<String>,
}

struct Scene {
    entered: Entered,
    block: Block,
    row: BlockRow,
    load: Option<LedgerRow>,
    later: (i64, Vec<i64>),
    run: Option<Known>,
}

/// What the Workspace knows still.
struct Known {
    run: Run,
    by: String,
    schedule: Option<String>,
    configuration: Option<(String, String)>,
    /// Its line is a row of another Block.
    of_block: bool,
}

fn load(conn: &mut Conn, pool: &Pool, by: &By, (application_id, block_id, row): (i64, i64, i64)) -> Result<Scene> {
    let entered = enter(conn, by, application_id)?;
    let block = blocks::find_in(conn, application_id, block_id)?;
    let (row, load, later) = pool.read(|conn| {
        let row = blocks::row(conn, &block, row)?.ok_or(AppError::NotFound)?;
        let load = contents::of_run(conn, block_id, row.run)?;
        let later = load.as_ref().map(|load| contents::later(conn, load, LATER)).transpose()?.unwrap_or_default();
        Ok((row, load, later))
    })?;
    let run = match actions::find(conn, by, row.run) {
        // A number that was given twice is another run's.
        Ok((run, _)) if load.as_ref().is_none_or(|load| load.run_uid == run.uid) => Some(known(conn, run)?),
        Ok(_) | Err(AppError::NotFound) => None,
        Err(error) => return Err(error),
    };
    Ok(Scene { entered, block, row, load, later, run })
}

fn known(conn: &mut Conn, run: Run) -> Result<Known> {
    let people: Vec<i64> = [run.started_by, run.as_member_id].into_iter().flatten().collect();
    let names = members::by_ids(conn, &people)?.into_iter().map(|m| (m.id, m.name)).collect();
    let configuration = run.configuration_id.map(|id| imports::by_id(conn, id)).transpose()?.flatten();
    let version = match (run.configuration_id, run.configuration_version) {
        (Some(id), Some(version)) => imports::version(conn, id, version)?,
        _ => None,
    };
    let schedule = run.schedule_id.map(|id| schedules::find_even_deleted(conn, id)).transpose()?.flatten();
    Ok(Known {
        by: by_whom(&run, &names),
        schedule: schedule.map(|schedule| schedule.sentence()),
        configuration: configuration
            .map(|c| (c.name, format!("/applications/{}/settings/import-configurations/{}", c.application_id, c.id))),
        of_block: version.is_some_and(|version| version.source_block_id.is_some()),
        run,
    })
}

impl Scene {
    fn origin(&self) -> Origin {
        let zone = self.entered.application.time_zone;
        let mut facts = Vec::new();
        let mut add = |label, value: String, href: Option<String>| facts.push(Fact { label, value, href });
        let run = self.row.run;
        if let Some(known) = &self.run {
            add("Run", format!("Run {}", words::count(run)), Some(format!("/runs/{run}")));
            let at = known.run.started_at.unwrap_or(known.run.queued_at);
            add("When", words::date_time(at, zone), None);
            add("By", known.by.clone(), None);
            if let Some(schedule) = &known.schedule {
                add("Schedule", schedule.clone(), None);
            }
            if let Some((name, href)) = &known.configuration {
                let open = self.entered.may_configure() || self.entered.may_open_scheduling();
                add("Configuration", name.clone(), Some(href.clone()).filter(|_| open));
            }
        } else if run == 0 {
            add("Run", "None: copied with the Application".to_owned(), None);
        } else {
            add("Run", format!("Run {}", words::count(run)), None);
        }
        let result = self.run.as_ref().and_then(|known| known.run.result.as_ref());
        let told = |of_load: Option<&String>, of_run: Option<&String>| {
            of_load.or(of_run).filter(|text| !text.is_empty()).cloned()
        };
        let load = self.load.as_ref();
        let name = told(
            load.and_then(|load| load.source_name.as_ref()),
            result.and_then(|result| result.source_name.as_ref()),
        );
        let hash = told(
            load.and_then(|load| load.source_sha256.as_ref()),
            result.and_then(|result| result.source_sha256.as_ref()),
        );
        if let Some(name) = name {
            add("Source", name, None);
        }
        if let Some(hash) = hash {
            add("SHA-256", hash, None);
        }
        let of_block = self.run.as_ref().is_some_and(|known| known.of_block);
        add(if of_block { "Row of the source" } else { "Line" }, words::count(self.row.line), None);
        let (count, later_runs) = &self.later;
        Origin {
            title: format!("Row {} of {}", words::count(self.row.row), self.block.name),
            here: format!("/applications/{}/blocks/{}", self.block.application_id, self.block.id),
            cells: self
                .row
                .cells
                .iter()
                .zip(&self.block.columns)
                .map(|(cell, column)| ShownCell {
                    column: column.name.clone(),
                    kind: column.column_type.to_string(),
                    text: cell.text(column.column_type),
                })
                .collect(),
            facts,
            gone: (self.run.is_none() && run != 0).then(|| {
                format!(
                    "The history of run {} is gone, so nobody can say when it ran and who started it.",
                    words::count(run)
                )
            }),
            later: match (load, count) {
                (None, _) => "Whether later runs changed the Block is not known any more.".into(),
                (_, 0) => "No later run changed the Block.".into(),
                (_, 1) => "One later run changed the Block and left this row as it is:".into(),
                (_, n) => format!(
                    "{} later runs changed the Block and left this row as it is. The last of them:",
                    words::count(*n)
                ),
            },
            later_runs: later_runs.clone(),
        }
    }
}

/// `GET /applications/{a}/blocks/{b}/rows/{row}`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64, i64)>,
) -> Result<HttpResponse> {
    let (asked, ids, pool) = (by.clone(), path.into_inner(), app.blocks.clone());
    let scene = app.read(move |conn| load(conn, &pool, &asked, ids)).await?;
    let origin = scene.origin();
    if is_fragment(&request) {
        return Page::ok(&request, &OriginDrawer { origin });
    }
    let list = format!("/applications/{}/blocks", scene.block.application_id);
    let shell = settings_shell(&request, &app, &by, &scene.entered, &origin.title).at(&list).crumbs([
        Crumb::to("Blocks", &list),
        Crumb::to(&scene.block.name, &origin.here),
        Crumb::here(format!("Row {}", words::count(scene.row.row))),
    ]);
    Page::ok(&request, &OriginPage { shell, origin })
}

//! "View Summary": one run, what it did and why, and what to do now.

mod body;
mod decision;
mod of_set;
mod rejected;
mod times;
mod told;
mod ways;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use self::body::Body;
use self::of_set::SetScene;
use self::rejected::EXAMPLES;
use super::{crumbs, mending};
use crate::app::App;
use crate::applications::blocks::{self, Block, rejects};
use crate::applications::{Entered, settings_shell};
use crate::clock::Moment;
use crate::db::{Conn, Pool};
use crate::error::{AppError, Result};
use crate::files::kept::{self, KeptFile};
use crate::imports::{self, Configuration, Definition};
use crate::members::{self, By, SignedIn};
use crate::notifications::{self, Posted, Told};
use crate::runs::{Filter, Run, Summary, actions};
use crate::schedules::{self, Schedule};
use crate::translations::{self, Translation};
use crate::watching;
use crate::web::download;
use crate::web::form::Query;
use crate::web::{Page, Shell};
use crate::words;

#[derive(Template)]
#[template(path = "import_scheduling/summary.html")]
struct SummaryPage {
    shell: Shell,
    body: Body,
}

/// So many earlier runs are looked at, of which some did not run.
const LOOKED_AT: i64 = 40;

/// All that a Summary knows.
struct RunScene {
    summary: Summary,
    entered: Entered,
    configuration: Option<Configuration>,
    definition: Option<Definition>,
    /// Of a set's run that has begun.
    set: Option<SetScene>,
    /// As it is now; where it has found no columns by their names yet, with those that the run found.
    newest: Option<Definition>,
    /// The translation tables that it uses.
    tables: Vec<Translation>,
    block: Option<Block>,
    schedule: Option<Schedule>,
    names: std::collections::HashMap<i64, String>,
    gone: Vec<i64>,
    causes: Vec<rejects::Cause>,
    /// Some of each cause.
    rejects: Vec<rejects::RejectedCell>,
    rejected_cells: i64,
    /// Who can put right what this member may not.
    who_mends: Option<String>,
    /// Why corrected rows cannot be given.
    not_corrected: Option<String>,
    /// Of a run that is Held: why the member may not decide, and what ran before.
    not_decided_by: Option<String>,
    recent: Vec<Run>,
    /// The kept file that it is given: id, name, version.
    kept: Option<(Option<i64>, String, i64)>,
    /// Those that a set's values may name.
    files: Vec<KeptFile>,
    /// Who was told of it.
    told: Vec<Told>,
    /// That it goes on much longer than usual.
    slow: Option<String>,
    posted: Vec<Posted>,
    now: Moment,
}

fn load(conn: &mut Conn, pool: &Pool, by: &By, id: i64, now: Moment) -> Result<RunScene> {
    let (summary, entered) = actions::summary(conn, by, id)?;
    let run = &summary.run;
    let configuration = run.configuration_id.map(|id| imports::by_id(conn, id)).transpose()?.flatten();
    let definition = match (run.configuration_id, run.configuration_version) {
        (Some(id), Some(version)) => imports::version(conn, id, version)?.map(|version| version.definition),
        _ => None,
    };
    let block = run.block_id.map(|id| blocks::find_even_archived(conn, id)).transpose()?;
    let schedule = run.schedule_id.map(|id| schedules::actions::find_even_deleted(conn, id)).transpose()?.flatten();
    let people: Vec<i64> = [run.started_by, run.as_member_id].into_iter().flatten().collect();
    let people = members::by_ids(conn, &people)?;
    let set = SetScene::load(conn, run)?;
    // What the steps of a set rejected their own Summaries show.
    let rejected = run.set_id.is_none() && run.result.as_ref().is_some_and(|result| result.rejected > 0);
    let living = configuration.as_ref().filter(|c| rejected && !c.archived);
    let (newest, not_corrected) = match living {
        Some(living) => {
            let mut newest = imports::version(conn, living.id, living.version)?.map(|version| version.definition);
            if let Some(newest) = newest.as_mut().filter(|newest| newest.columns.is_none()) {
                newest.columns = run.result.as_ref().and_then(|result| result.told.learned.clone());
            }
            (newest, actions::why_not_corrected(conn, run)?)
        }
        None => (None, Some("The import configuration was deleted.".to_owned())),
    };
    let tables = translations::by_ids(conn, &newest.as_ref().map(Definition::translations).unwrap_or_default())?;
    let (causes, rejects, rejected_cells) = match rejected {
        true => pool.read(|conn| {
            Ok((rejects::causes(conn, id)?, rejects::examples(conn, id, EXAMPLES)?, rejects::count_cells(conn, id)?))
        })?,
        false => Default::default(),
    };
    let (not_decided_by, recent) = match run.hold {
        Some(_) => {
            let missing = if entered.may_import() { None } else { Some(entered.missing_import(conn)?) };
            let of = Filter {
                application_id: Some(run.application_id),
                configuration_id: run.configuration_id,
                ..Filter::default()
            };
            (missing, actions::list(conn, by, &of, Some(id + 1), LOOKED_AT)?)
        }
        None => (None, Vec::new()),
    };
    let kept = run.file_id.map(|id| kept::by_file(conn, id)).transpose()?.flatten();
    let files = match (run.set_id, &run.parameters) {
        (Some(_), Some(_)) => kept::of_application(conn, run.application_id)?,
        _ => Vec::new(),
    };
    let mut scene = RunScene {
        kept,
        files,
        told: notifications::told_of(conn, id)?,
        slow: watching::slow_words(conn, &summary.run, now)?,
        posted: notifications::posted_of(conn, id)?,
        not_decided_by,
        recent,
        gone: people.iter().filter(|m| !m.active).map(|m| m.id).collect(),
        names: people.into_iter().map(|m| (m.id, m.name)).collect(),
        summary,
        entered,
        configuration,
        definition,
        set,
        block,
        schedule,
        causes,
        rejects,
        rejected_cells,
        newest,
        tables,
        who_mends: None,
        not_corrected,
        now,
    };
    if let Some(configuration) = scene.configuration.as_ref().filter(|_| scene.lost()) {
        scene.who_mends = mending::who(conn, scene.place(), configuration, &scene.entered)?;
    }
    Ok(scene)
}

/// `GET /runs/{r}`
pub async fn show(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    id: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let (asked, id, pool, now) = (by.clone(), *id, app.blocks.clone(), app.now());
    let scene = app.read(move |conn| load(conn, &pool, &asked, id, now)).await?;
    let list = format!("/applications/{}/settings/import-scheduling", scene.entered.application.id);
    let title = format!("Run {id}");
    let crumbs = crumbs(&scene.entered, format!("Run {}", words::count(id)));
    let shell = settings_shell(&request, &app, &by, &scene.entered, &title).at(&list).crumbs(crumbs);
    let body = scene.body(shell.csrf.clone());
    if query.get("part") == "body" {
        return Page::ok(&request, &body);
    }
    Page::ok(&request, &SummaryPage { shell, body })
}

/// `GET /runs/{r}/rejected-rows.csv`
pub async fn rejected_rows(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (asked, id) = (by.clone(), *id);
    let run = app
        .read(move |conn| {
            let (run, entered) = actions::find(conn, &asked, id)?;
            entered.need_open_scheduling(conn)?;
            Ok(run)
        })
        .await?;
    let pool = app.blocks.clone();
    let title = format!("rejected rows of {}", run.name);
    download::csv((&app, by.member.id), &title, move |out| rejects::write_csv(&pool, run.id, out))
}

/// `GET /runs/{r}/log.txt`
pub async fn log(app: Data<App>, SignedIn(by): SignedIn, id: Path<i64>) -> Result<HttpResponse> {
    let (asked, id) = (by.clone(), *id);
    let (run, log) = app
        .read(move |conn| {
            let (run, _) = actions::find(conn, &asked, id)?;
            let log = actions::log(conn, &run)?;
            Ok((run, log))
        })
        .await?;
    let file = (&*format!("log of {}", run.name), "txt", "text/plain; charset=utf-8");
    download::download((&app, by.member.id), file, move |out| {
        for line in log {
            writeln!(out, "{} {} {}", line.at, line.level, line.message).map_err(AppError::internal)?;
        }
        Ok(())
    })
}

//! What an import configuration or an import set was before a change, made its newest version again: the difference first,
//! then the same checks as whoever saves it meets.

use std::collections::BTreeMap;

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;
use serde_json::{Value, json};

use super::changes::{self, Find, Thing};
use super::words::{Difference, Names, between};
use crate::app::App;
use crate::applications::{Entered, blocks, settings_shell};
use crate::audit::{self, Recorded};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::files::kept;
use crate::imports::ConfigurationAnswer;
use crate::members::{By, SignedIn};
use crate::web::{Crumb, Flash, Form, Page, Shell, refused, see_other};
use crate::{connections, import_sets, imports, words};

/// So many differences are told.
const MOST: usize = 100;

#[derive(Template)]
#[template(path = "audit_log/restore.html")]
struct RestorePage {
    shell: Shell,
    errors: FieldErrors,
    name: String,
    /// "version 3, until Ines Okafor changed it 2 hours ago"
    what: String,
    differences: Vec<Difference>,
    more: usize,
    /// The version that is there now.
    version: i64,
    here: String,
    back: String,
}

/// What it was, and what it is.
struct Found {
    thing: Thing,
    entered: Entered,
    entry: Recorded,
    then: i64,
    draft: Draft,
    now: i64,
    differences: Vec<Difference>,
    more: usize,
}

enum Draft {
    Configuration(Box<imports::Draft>),
    Set(import_sets::Draft),
}

/// For who may save it: the entry that says what it was, and the version of then.
fn find(
    conn: &mut Conn,
    by: &By,
    (application_id, id, entry): (i64, i64, i64),
    of: Find,
) -> Result<(Thing, Entered, Recorded, i64)> {
    let (thing, entered) = of(conn, by, (application_id, id))?;
    entered.need_configure(conn, by)?;
    let is_of = |entry: &Recorded| (entry.subject_kind.as_str(), entry.subject_id) == (thing.kind, Some(thing.id));
    let entry = audit::by_id(conn, entry)?.filter(|entry| is_of(entry) && thing.restores(entry));
    let entry = entry.filter(|_| thing.may_restore).ok_or(AppError::NotFound)?;
    let then = entry.before.as_ref().and_then(|before| before.get("version")?.as_i64()).ok_or(AppError::NotFound)?;
    Ok((thing, entered, entry, then))
}

fn text(entry: &Recorded, key: &str) -> Option<String> {
    entry.before.as_ref()?.get(key)?.as_str().map(str::to_owned)
}

fn find_configuration(conn: &mut Conn, by: &By, ids: (i64, i64, i64)) -> Result<Found> {
    let (thing, entered, entry, then) = find(conn, by, ids, changes::configuration)?;
    let (is, definition) = imports::find(conn, &entered, thing.id)?;
    let was = imports::version(conn, thing.id, then)?.ok_or(AppError::NotFound)?;
    let draft = imports::Draft {
        name: text(&entry, "name").unwrap_or_else(|| is.name.clone()),
        description: text(&entry, "description").unwrap_or_else(|| is.description.clone()),
        block_id: was.block_id,
        connection_id: was.connection_id,
        source_block_id: was.source_block_id,
        definition: was.definition,
    };
    let mut names = Names::default();
    let of_block = [is.block_id, draft.block_id]
        .into_iter()
        .chain([is.source_block_id, draft.source_block_id].into_iter().flatten());
    for id in of_block {
        names.blocks.insert(id, blocks::find_even_archived(conn, id)?.name);
    }
    let read: Vec<i64> = [is.connection_id, draft.connection_id].into_iter().flatten().collect();
    names.connections = connections::by_ids(conn, &read)?.into_iter().map(|found| (found.id, found.name)).collect();
    let old = json!(ConfigurationAnswer::of(&is, &definition));
    let new = json!(ConfigurationAnswer::of(&draft.over(&is), &draft.definition));
    let (differences, more) = told(old, new, &names);
    Ok(Found {
        thing,
        entered,
        entry,
        then,
        draft: Draft::Configuration(Box::new(draft)),
        now: is.version,
        differences,
        more,
    })
}

fn find_set(conn: &mut Conn, by: &By, ids: (i64, i64, i64)) -> Result<Found> {
    let (thing, entered, entry, then) = find(conn, by, ids, changes::set)?;
    let (is, definition, _) = import_sets::actions::find(conn, by, thing.id)?;
    let was = import_sets::version(conn, thing.id, then)?.ok_or(AppError::NotFound)?;
    let name = text(&entry, "name").unwrap_or_else(|| is.name.clone());
    let (old, draft) = (import_sets::Draft::of(&is, &definition), import_sets::Draft { name, definition: was });
    let steps = old.definition.steps.iter().chain(&draft.definition.steps);
    let steps: Vec<i64> = steps.map(|step| step.configuration_id).collect();
    let configurations: BTreeMap<i64, String> =
        imports::by_ids(conn, &steps)?.into_iter().map(|found| (found.id, found.name)).collect();
    let files = kept::of_application(conn, entered.application.id)?;
    let files: BTreeMap<i64, String> = files.into_iter().map(|kept| (kept.id, kept.name)).collect();
    let compared = |draft: &import_sets::Draft| import_sets::compared(draft, &configurations, &files);
    let (differences, more) = told(compared(&old), compared(&draft), &Names::default());
    Ok(Found { thing, entered, entry, then, draft: Draft::Set(draft), now: is.version, differences, more })
}

fn told(old: Value, new: Value, names: &Names) -> (Vec<Difference>, usize) {
    between((Some(&old), Some(&new)), names, MOST)
}

/// Saves it as it was, over the version that was shown.
fn save(conn: &mut Conn, app: &App, by: &By, (found, seen): (Found, i64), now: Moment) -> Result<()> {
    let (entered, at) = (&found.entered, (found.thing.id, Some(seen)));
    let version = match found.draft {
        Draft::Configuration(draft) => imports::update(conn, app.in_use, by, entered, at, *draft, now)?.version,
        Draft::Set(draft) => {
            let using = (&app.secrets, app.followers);
            import_sets::actions::update(conn, using, by, entered, at, draft, now)?.version
        }
    };
    match version == found.now {
        true => Err(AppError::Conflict(format!("{} is already as it was then.", found.thing.name))),
        false => Ok(()),
    }
}

fn page(
    (request, app, by): (&HttpRequest, &App, &By),
    found: Found,
    back: String,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let name = found.thing.name;
    let here = format!("{back}/{}", found.entry.id);
    let title = format!("Restore {name}");
    let shell = settings_shell(request, app, by, &found.entered, &title)
        .crumbs([Crumb::to(format!("Changes: {name}"), &back), Crumb::here("Restore")]);
    let when = words::relative(found.entry.at, app.now());
    let what = format!("version {}, until {} changed it {when}", found.then, found.entry.member_name);
    let template = RestorePage {
        shell,
        errors,
        name,
        what,
        differences: found.differences,
        more: found.more,
        version: found.now,
        here,
        back,
    };
    Page::with(status, request, &template)
}

/// Looks, at an address of a room of the settings.
type Look = fn(&mut Conn, &By, (i64, i64, i64)) -> Result<Found>;

async fn form(
    (request, app, by): (HttpRequest, Data<App>, By),
    ids: (i64, i64, i64),
    (room, look): (&'static str, Look),
) -> Result<HttpResponse> {
    let asks = by.clone();
    let found = app.read(move |conn| look(conn, &asks, ids)).await?;
    page((&request, &app, &by), found, changes_of(ids, room), (StatusCode::OK, FieldErrors::new()))
}

async fn restore(
    (request, app, by): (HttpRequest, Data<App>, By),
    ids: (i64, i64, i64),
    (room, look): (&'static str, Look),
    sent: Form,
) -> Result<HttpResponse> {
    let (asks, there, now, seen) = (by.clone(), app.clone(), app.now(), sent.id("version").unwrap_or_default());
    let restored = app.write(move |conn| {
        let found = look(conn, &asks, ids)?;
        let then = found.then;
        let name = found.thing.name.clone();
        save(conn, &there, &asks, (found, seen), now)?;
        Ok((name, then))
    });
    let back = changes_of(ids, room);
    match restored.await {
        Ok((name, then)) => Ok(see_other(&back, Some(Flash::new(format!("Restored: {name} as in version {then}."))))),
        Err(error) => {
            let answer = refused(error)?;
            let asks = by.clone();
            let found = app.read(move |conn| look(conn, &asks, ids)).await?;
            page((&request, &app, &by), found, back, answer)
        }
    }
}

fn changes_of((application_id, id, _): (i64, i64, i64), room: &str) -> String {
    format!("/applications/{application_id}/settings/{room}/{id}/changes")
}

/// `GET …/import-configurations/{i}/changes/{entry}`
pub async fn configuration_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
) -> Result<HttpResponse> {
    form((request, app, by), *ids, ("import-configurations", find_configuration)).await
}

/// `POST …/import-configurations/{i}/changes/{entry}`
pub async fn configuration(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
    sent: Form,
) -> Result<HttpResponse> {
    restore((request, app, by), *ids, ("import-configurations", find_configuration), sent).await
}

/// `GET …/import-sets/{set}/changes/{entry}`
pub async fn set_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
) -> Result<HttpResponse> {
    form((request, app, by), *ids, ("import-sets", find_set)).await
}

/// `POST …/import-sets/{set}/changes/{entry}`
pub async fn set(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    ids: Path<(i64, i64, i64)>,
    sent: Form,
) -> Result<HttpResponse> {
    restore((request, app, by), *ids, ("import-sets", find_set), sent).await
}

//! Making, changing and deleting a Block by hand.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::super::{Block, BlockDraft, BlockKind, ColumnDraft, actions, record};
use crate::app::{App, off_thread};
use crate::applications::{Entered, enter, settings_shell};
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::formats::ColumnType;
use crate::members::{By, SignedIn};
use crate::web::{ConfirmPage, Crumb, Flash, Form, Page, Shell, overtaken, refused, see_other};

#[derive(Template)]
#[template(path = "blocks/edit.html")]
struct EditPage {
    shell: Shell,
    title: String,
    lede: &'static str,
    action: String,
    back: String,
    submit: &'static str,
    errors: FieldErrors,
    version: Option<i64>,
    /// Not `name`: the macros of a form call their own so.
    called: String,
    kind: String,
    kinds: Vec<(String, &'static str)>,
    types: Vec<(&'static str, &'static str)>,
    dimensions: Vec<(i64, String)>,
    columns: Vec<TypedColumn>,
}

#[derive(Clone, Default)]
struct TypedColumn {
    id: String,
    name: String,
    column_type: String,
    dimension: Option<i64>,
    key: bool,
    required: bool,
    error: Option<String>,
}

/// What the form holds, as it was typed.
struct Typed {
    name: String,
    kind: String,
    version: Option<i64>,
    columns: Vec<TypedColumn>,
}

impl Typed {
    fn blank() -> Self {
        let columns = vec![TypedColumn { column_type: "text".into(), ..TypedColumn::default() }; 4];
        Self { name: String::new(), kind: "transaction_list".into(), version: None, columns }
    }

    fn of(block: &Block) -> Self {
        let columns = block
            .columns
            .iter()
            .map(|c| TypedColumn {
                id: c.id.to_string(),
                name: c.name.clone(),
                column_type: c.column_type.as_str().into(),
                dimension: c.dimension_block_id,
                key: c.key,
                required: c.required,
                error: None,
            })
            .collect();
        Self { name: block.name.clone(), kind: block.kind.as_str().into(), version: Some(block.version), columns }
    }

    fn read(form: &Form) -> Self {
        let list = |name: &'static str| form.all(name).map(str::to_owned).collect::<Vec<_>>();
        let (ids, types, dimensions) = (list("column_id[]"), list("column_type[]"), list("column_dimension[]"));
        let (keys, required) = (list("column_key[]"), list("column_required[]"));
        let yes = |list: &[String], i: usize| list.get(i).is_some_and(|v| v == "yes");
        let columns = list("column_name[]")
            .into_iter()
            .enumerate()
            .map(|(i, name)| TypedColumn {
                id: ids.get(i).cloned().unwrap_or_default(),
                name,
                column_type: types.get(i).cloned().unwrap_or_default(),
                dimension: dimensions.get(i).and_then(|d| d.parse().ok()),
                key: yes(&keys, i),
                required: yes(&required, i),
                error: None,
            })
            .collect();
        Self { name: form.get("name").into(), kind: form.get("kind").into(), version: form.id("version"), columns }
    }

    /// The draft, without the rows that have no name; and for each of its columns the row of the form.
    fn draft(&self) -> Result<(BlockDraft, Vec<usize>), FieldErrors> {
        let mut errors = FieldErrors::new();
        let kind = BlockKind::parse(&self.kind);
        if kind.is_none() {
            errors.add("kind", "Choose a kind.");
        }
        let (mut columns, mut rows) = (Vec::new(), Vec::new());
        for (i, typed) in self.columns.iter().enumerate().filter(|(_, c)| !c.name.is_empty()) {
            let Ok(column_type) = typed.column_type.parse::<ColumnType>() else {
                errors.add(format!("columns[{}].type", columns.len()), "Choose a type.");
                continue;
            };
            columns.push(ColumnDraft {
                id: typed.id.parse().ok(),
                name: typed.name.clone(),
                column_type,
                dimension_block_id: typed.dimension.filter(|_| column_type == ColumnType::Dimension),
                key: typed.key,
                required: typed.required,
            });
            rows.push(i);
        }
        let kind = kind.unwrap_or(BlockKind::TransactionList);
        errors.ok_or((BlockDraft { name: self.name.clone(), kind, columns }, rows))
    }

    /// Puts what is wrong with a column beside it.
    fn mark(&mut self, errors: &FieldErrors, rows: &[usize]) {
        for error in &errors.0 {
            let at =
                error.field.strip_prefix("columns[").and_then(|rest| rest.split(']').next()?.parse::<usize>().ok());
            if let Some(column) = at.and_then(|n| rows.get(n)).and_then(|row| self.columns.get_mut(*row)) {
                column.error.get_or_insert_with(|| error.detail.clone());
            }
        }
    }

    fn more(mut self) -> Self {
        self.columns.extend(vec![TypedColumn { column_type: "text".into(), ..TypedColumn::default() }; 4]);
        self
    }
}

struct Place {
    entered: Entered,
    dimensions: Vec<(i64, String)>,
    block: Option<Block>,
}

/// Asked anew once the Block database is free, which can take a while.
fn may_still(conn: &mut Conn, by: &By, application_id: i64) -> Result<()> {
    by.need_standing(conn)?;
    enter(conn, by, application_id)?.need_configure(conn, by)
}

async fn place(app: &App, by: &By, application_id: i64, block_id: Option<i64>) -> Result<Place> {
    let by = by.clone();
    app.read(move |conn| {
        let entered = enter(conn, &by, application_id)?;
        let block = block_id.map(|id| actions::find_in(conn, application_id, id)).transpose()?;
        entered.need_configure(conn, &by)?;
        let dimensions = actions::list(conn, application_id)?
            .into_iter()
            .filter(|b| b.kind == BlockKind::DimensionList && Some(b.id) != block_id)
            .map(|b| (b.id, b.name))
            .collect();
        Ok(Place { entered, dimensions, block })
    })
    .await
}

fn page(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: Place,
    typed: Typed,
    (status, errors): (StatusCode, FieldErrors),
) -> Result<HttpResponse> {
    let base = format!("/applications/{}", place.entered.application.id);
    let list = format!("{base}/blocks");
    let (title, action, back, submit, lede) = match &place.block {
        Some(block) => (
            format!("Edit {}", block.name),
            format!("{list}/{}/edit", block.id),
            format!("{list}/{}", block.id),
            "Save Block",
            "You can change names and Required at any time, but kind, types and keys only while the Block is empty.",
        ),
        None => (
            "New Block".to_owned(),
            format!("{list}/new"),
            list.clone(),
            "Create Block",
            "Name its columns and choose their types. An import configuration can also propose them from its source.",
        ),
    };
    let shell = settings_shell(request, app, by, &place.entered, &title)
        .at(&list)
        .crumbs([Crumb::to("Blocks", &list), Crumb::here(&title)]);
    let template = EditPage {
        shell,
        title,
        lede,
        action,
        back,
        submit,
        errors,
        version: typed.version,
        called: typed.name,
        kind: typed.kind,
        kinds: BlockKind::ALL.iter().map(|kind| (kind.to_string(), kind.words())).collect(),
        types: ColumnType::ALL.iter().map(|t| (t.as_str(), t.as_str())).collect(),
        dimensions: place.dimensions,
        columns: typed.columns,
    };
    Page::with(status, request, &template)
}

const FINE: (StatusCode, FieldErrors) = (StatusCode::OK, FieldErrors(Vec::new()));

/// `GET /applications/{a}/blocks/new`
pub async fn new_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, *path, None).await?;
    page(&request, &app, &by, place, Typed::blank(), FINE)
}

/// `GET /applications/{a}/blocks/{b}/edit`
pub async fn edit_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let typed = place.block.as_ref().map_or_else(Typed::blank, Typed::of);
    page(&request, &app, &by, place, typed, FINE)
}

/// `POST /applications/{a}/blocks/new`
pub async fn create(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    save(request, app, by, *path, None, form).await
}

/// `POST /applications/{a}/blocks/{b}/edit`
pub async fn change(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
    form: Form,
) -> Result<HttpResponse> {
    save(request, app, by, path.0, Some(path.1), form).await
}

async fn save(
    request: HttpRequest,
    app: Data<App>,
    by: By,
    application_id: i64,
    block_id: Option<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let place = place(&app, &by, application_id, block_id).await?;
    let mut typed = Typed::read(&form);
    if form.get("more") == "columns" {
        return page(&request, &app, &by, place, typed.more(), FINE);
    }
    let (draft, rows) = match typed.draft() {
        Ok(draft) => draft,
        Err(errors) => {
            return page(&request, &app, &by, place, typed, (StatusCode::UNPROCESSABLE_ENTITY, errors));
        }
    };
    let (shared, who, version, now) = (app.clone(), by.clone(), typed.version, app.now());
    let saved = off_thread(move || {
        shared.blocks.rest()?;
        shared.db.write(|conn| {
            may_still(conn, &who, application_id)?;
            let before = block_id.map(|id| actions::find(conn, id)).transpose()?;
            let after = match block_id {
                Some(id) => actions::edit(conn, &shared.blocks, id, version, draft, now)?,
                None => actions::create(conn, &shared.blocks, application_id, draft, now)?,
            };
            record(conn, &who, before.as_ref(), Some(&after), now)?;
            Ok(after)
        })
    })
    .await;
    match saved {
        Ok(block) => {
            let to = format!("/applications/{application_id}/blocks/{}", block.id);
            let did = if block_id.is_some() { "Saved" } else { "Created" };
            Ok(see_other(&to, Some(Flash::new(format!("{did} the Block “{}”.", block.name)))))
        }
        Err(error) => {
            let there = place.block.as_ref().map(|block| block.version).unwrap_or_default();
            let (status, errors) = refused(overtaken(error, there, |version| typed.version = Some(version)))?;
            typed.mark(&errors, &rows);
            page(&request, &app, &by, place, typed, (status, errors))
        }
    }
}

async fn confirm(
    request: &HttpRequest,
    app: &App,
    by: &By,
    place: &Place,
    block: &Block,
    refusal: Option<(StatusCode, String)>,
) -> Result<HttpResponse> {
    let (in_use, asked) = (app.in_use, block.clone());
    let uses = app.read(move |conn| actions::users(conn, in_use, &asked)).await?;
    let base = format!("/applications/{}", block.application_id);
    let back = format!("{base}/blocks/{}", block.id);
    let list = format!("{base}/blocks");
    let shell = settings_shell(request, app, by, &place.entered, "Delete a Block").at(&list).crumbs([
        Crumb::to("Blocks", &list),
        Crumb::to(&block.name, &back),
        Crumb::here("Delete"),
    ]);
    let template = ConfirmPage {
        shell,
        action: format!("{back}/delete"),
        back,
        question: format!("Delete the Block “{}”?", block.name),
        what_stays:
            "You will no longer see its rows, and its name can be used again. The history of its imports stays.".into(),
        verb: "Delete Block",
        uses,
        first: "First change or delete what uses it.",
        refused: None,
    };
    template.answer(request, refusal)
}

/// `GET /applications/{a}/blocks/{b}/delete`
pub async fn delete_form(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let block = place.block.clone().ok_or(AppError::NotFound)?;
    confirm(&request, &app, &by, &place, &block, None).await
}

/// `POST /applications/{a}/blocks/{b}/delete`
pub async fn delete(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<(i64, i64)>,
) -> Result<HttpResponse> {
    let place = place(&app, &by, path.0, Some(path.1)).await?;
    let block = place.block.clone().ok_or(AppError::NotFound)?;
    let (shared, who, gone, now) = (app.clone(), by.clone(), block.clone(), app.now());
    let done = off_thread(move || {
        shared.blocks.rest()?;
        shared.db.write(|conn| {
            may_still(conn, &who, gone.application_id)?;
            actions::archive(conn, &shared.blocks, shared.in_use, gone.id, now)?;
            record(conn, &who, Some(&gone), None, now)
        })
    })
    .await;
    match done {
        Ok(()) => {
            let to = format!("/applications/{}/blocks", block.application_id);
            Ok(see_other(&to, Some(Flash::new(format!("Deleted the Block “{}”.", block.name)))))
        }
        Err(AppError::Conflict(words)) => {
            confirm(&request, &app, &by, &place, &block, Some((StatusCode::CONFLICT, words))).await
        }
        Err(error) => Err(error),
    }
}

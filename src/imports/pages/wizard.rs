//! The wizard: from a source to a configuration, in the first three of its four screens (the last is `when`).

use actix_multipart::Multipart;
use actix_web::http::StatusCode;
use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use askama::Template;

use super::mapping::{self, Landing, MapRow};
use super::options::{self, OptionsView};
use super::target::{self, ColumnRow};
use super::{Place, load_good, optional, place, put, reject_choices};
use crate::app::{App, off_thread};
use crate::applications::blocks::{self, Block, BlockKind};
use crate::connections;
use crate::error::{AppError, FieldErrors, Result};
use crate::formats::{ColumnType, Proposal};
use crate::imports::sample::{Origin, look};
use crate::imports::{Definition, Draft, Mode, actions, check, files};
use crate::members::{By, SignedIn};
use crate::web::form::{Query, Upload};
use crate::web::{Flash, Form, Page, Shell, refused, see_other, words};

/// A request in the wizard: everything a screen is drawn from.
struct Wizard {
    request: HttpRequest,
    app: Data<App>,
    by: By,
    place: Place,
    form: Form,
}

/// The status and what is wrong.
type Said = (StatusCode, FieldErrors);

const FINE: Said = (StatusCode::OK, FieldErrors(Vec::new()));

fn wrong(errors: FieldErrors) -> Said {
    (StatusCode::UNPROCESSABLE_ENTITY, errors)
}

#[derive(Template)]
#[template(path = "imports/source.html")]
struct SourcePage {
    shell: Shell,
    list: String,
    errors: FieldErrors,
    carried: Vec<(String, String)>,
    choices: Vec<SourceChoice>,
    by_hand: bool,
    path: String,
    sample_name: String,
    /// Names to choose from, with size and date.
    files: Vec<(String, String)>,
    trouble: Vec<String>,
    is_administrator: bool,
}

struct SourceChoice {
    id: i64,
    title: String,
    about: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "imports/preview.html")]
struct PreviewPage {
    shell: Shell,
    list: String,
    errors: FieldErrors,
    carried: Vec<(String, String)>,
    source: String,
    o: OptionsView,
    notes: Vec<String>,
    heads: Vec<String>,
    rows: Vec<Vec<String>>,
    is_new: bool,
    block_name: String,
    block_kind: String,
    kinds: Vec<(String, &'static str)>,
    columns: Vec<ColumnRow>,
    types: Vec<&'static str>,
    dimensions: Vec<(i64, String)>,
    blocks: Vec<(i64, String, bool)>,
}

#[derive(Template)]
#[template(path = "imports/mapping.html")]
struct MappingPage {
    shell: Shell,
    list: String,
    errors: FieldErrors,
    carried: Vec<(String, String)>,
    source: String,
    target: String,
    rows: Vec<MapRow>,
    choices: Vec<(String, String)>,
    landing: Option<Landing>,
    mode: Mode,
    modes: &'static [Mode],
    load_good: String,
    load_goods: Vec<(String, &'static str)>,
    max_rows: String,
    max_percent: String,
    called: String,
    description: String,
}

/// Names of controls by the screen that draws them; the other screens carry them.
fn of_source(name: &str) -> bool {
    matches!(name, "source" | "source.path" | "file")
}

fn of_preview(name: &str) -> bool {
    options::is_one(name)
        || matches!(name, "target" | "block" | "block_name" | "block_kind")
        || name.starts_with("col.")
}

fn of_mapping(name: &str) -> bool {
    name.starts_with("map.") || name.starts_with("rejects.") || matches!(name, "mode" | "name" | "description")
}

impl Wizard {
    fn carried(&self, own: fn(&str) -> bool) -> Vec<(String, String)> {
        let other = |name: &str| !own(name) && name != "csrf" && name != "go";
        self.form.0.iter().filter(|(name, _)| other(name)).cloned().collect()
    }

    fn shell(&self, title: &str) -> Shell {
        self.place.shell(&self.request, &self.app, &self.by, title)
    }

    /// "weather.csv from Warehouse files".
    fn source_words(&self) -> String {
        if self.form.get("source") == "file" {
            return format!("{} by hand", self.form.get("sample_name"));
        }
        let connection = self.form.id("source").and_then(|id| self.place.connection(id));
        let name = connection.map(|connection| connection.name.as_str()).unwrap_or_default();
        match self.form.get("source.path") {
            "" => name.to_owned(),
            path => format!("{path} from {name}"),
        }
    }

    /// Reads the sample as the form says, or guessing.
    async fn look(&self) -> Result<Proposal> {
        let origin = self.place.origin(&self.app, &self.by, &self.form)?;
        let given = options::are_in(&self.form).then(|| options::read(&self.form));
        look(&self.app, origin, given).await
    }

    /// Screen 1.
    async fn source(&self, (status, errors): Said) -> Result<HttpResponse> {
        let (mut listed, mut trouble) = (Vec::new(), Vec::new());
        for connection in self.place.connections.iter().filter(|connection| connection.kind == "folder") {
            match connections::files(&self.app, connection.id).await? {
                Ok(entries) => listed.extend(entries.into_iter().take(200).map(|entry| {
                    let modified =
                        entry.modified.map(|at| words::date_time(at, self.place.entered.application.time_zone));
                    let about = format!(
                        "{}, {}{}",
                        connection.name,
                        words::bytes(entry.bytes as i64),
                        modified.map(|at| format!(", {at}")).unwrap_or_default()
                    );
                    (entry.name, about)
                })),
                Err(sentence) => trouble.push(format!("{}: {sentence}", connection.name)),
            }
        }
        let chosen = self.form.get("source");
        let only = self.place.connections.len() == 1 && chosen.is_empty();
        let choices = self
            .place
            .connections
            .iter()
            .map(|connection| SourceChoice {
                id: connection.id,
                title: connection.name.clone(),
                about: format!("{}, {}", connection.kind_label(), connection.place()),
                chosen: only || chosen == connection.id.to_string(),
            })
            .collect();
        let template = SourcePage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            errors,
            carried: self.carried(of_source),
            choices,
            by_hand: chosen == "file" || self.place.connections.is_empty(),
            path: self.form.get("source.path").to_owned(),
            sample_name: self.form.get("sample_name").to_owned(),
            files: listed,
            trouble,
            is_administrator: self.by.member.is_administrator(),
        };
        Page::with(status, &self.request, &template)
    }

    /// Screen 2. `proposal` is what was read, if it could be.
    fn preview(
        &self,
        proposal: Option<Proposal>,
        columns: Vec<ColumnRow>,
        (status, errors): Said,
    ) -> Result<HttpResponse> {
        let options = options::read(&self.form);
        let (heads, rows, notes) = match proposal {
            Some(p) => (p.columns.into_iter().map(|column| column.name).collect(), p.rows, p.notes),
            None => Default::default(),
        };
        let chosen = self.form.id("block");
        let template = PreviewPage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            errors,
            carried: self.carried(of_preview),
            source: self.source_words(),
            o: OptionsView::of(&options),
            notes,
            heads,
            rows,
            is_new: self.form.get("target") != "existing",
            block_name: self.form.get("block_name").to_owned(),
            block_kind: self.form.get("block_kind").to_owned(),
            kinds: BlockKind::ALL.iter().map(|kind| (kind.to_string(), kind.words())).collect(),
            columns,
            types: ColumnType::ALL.iter().map(|kind| kind.as_str()).collect(),
            dimensions: self.place.dimensions(),
            blocks: self.place.blocks.iter().map(|b| (b.id, b.name.clone(), chosen == Some(b.id))).collect(),
        };
        Page::with(status, &self.request, &template)
    }

    /// Reads the source and shows screen 2; what cannot be read goes back to screen 1, or stays here when an option
    /// is to blame.
    async fn to_preview(&mut self, said: Said) -> Result<HttpResponse> {
        let guessed = !options::are_in(&self.form);
        match self.look().await {
            Ok(proposal) => {
                if guessed {
                    options::write(&mut self.form, &proposal.options);
                }
                let columns = target::rows(&self.form, &proposal);
                if guessed || self.form.get("block_name").is_empty() && self.form.get("block_kind").is_empty() {
                    self.propose_block(&columns);
                }
                self.preview(Some(proposal), columns, said)
            }
            Err(error) => {
                let (status, errors) = refused(error)?;
                if guessed {
                    return self.source((status, errors)).await;
                }
                self.preview(None, target::read(&self.form), (status, errors))
            }
        }
    }

    fn propose_block(&mut self, columns: &[ColumnRow]) {
        let file = match self.form.get("source") {
            "file" => self.form.get("sample_name"),
            _ => self.form.get("source.path"),
        };
        let name = target::name_from(file);
        let kind =
            if columns.iter().any(|column| column.key) { BlockKind::DimensionList } else { BlockKind::TransactionList };
        put(&mut self.form, "block_name", name);
        put(&mut self.form, "block_kind", kind.as_str());
        if !self.form.has("target") {
            put(&mut self.form, "target", "new");
        }
    }

    /// The Block that the form names or proposes. `Err`: what is wrong with it, by the names of screen 2.
    fn block(&self, columns: &mut [ColumnRow]) -> Result<Block, FieldErrors> {
        if self.form.get("target") == "existing" {
            let chosen = self.form.id("block").and_then(|id| self.place.blocks.iter().find(|block| block.id == id));
            return chosen.cloned().ok_or_else(|| FieldErrors::one("block", "Choose the Block that is filled."));
        }
        let (draft, places) = target::draft(&self.form, columns)?;
        let mut errors = draft.check();
        let taken = |block: &&Block| blocks::name_key(&block.name) == blocks::name_key(&draft.name);
        if let Some(block) = self.place.blocks.iter().find(taken) {
            errors.add(
                "name",
                format!("There is a Block named \"{}\" already. Choose another name, or fill that one.", block.name),
            );
        }
        let errors = target::mark(columns, errors, &places);
        let block = target::imagined(&draft, self.place.entered.application.id, self.app.now());
        errors.ok_or(block)
    }

    /// Screen 3.
    fn mapping(
        &mut self,
        proposal: Option<Proposal>,
        block: &Block,
        (status, mut errors): Said,
    ) -> Result<HttpResponse> {
        let source = match &proposal {
            Some(proposal) => mapping::source_columns(proposal),
            None => target::read(&self.form).into_iter().map(|column| column.source).collect(),
        };
        let mut rows = self.map_rows(block, &source);
        if !self.form.has("mode") {
            let usual = if block.kind == BlockKind::DimensionList { Mode::Update } else { Mode::Append };
            put(&mut self.form, "mode", usual.as_str());
            let from = match self.form.get("source") {
                "file" => "a file".to_owned(),
                id => {
                    id.parse().ok().and_then(|id| self.place.connection(id)).map(|c| c.name.clone()).unwrap_or_default()
                }
            };
            put(&mut self.form, "name", format!("{} from {from}", block.name));
        }
        let (lines, places) = mapping::mapping(&rows);
        mapping::mark(&mut rows, &errors, &places);
        errors.0.iter_mut().for_each(|error| error.field = control(&error.field, &places));
        let read = options::read(&self.form);
        let template = MappingPage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            carried: self.carried(of_mapping),
            source: self.source_words(),
            target: block.name.clone(),
            landing: proposal.map(|proposal| mapping::landing(&lines, block, &read, &proposal)),
            rows,
            choices: mapping::choices(&source),
            mode: Mode::parse(self.form.get("mode")).unwrap_or(Mode::Append),
            modes: Mode::ALL,
            load_good: self.form.get("rejects.load_good").to_owned(),
            load_goods: reject_choices(),
            max_rows: self.form.get("rejects.max_rows").to_owned(),
            max_percent: self.form.get("rejects.max_percent").to_owned(),
            called: self.form.get("name").to_owned(),
            description: self.form.get("description").to_owned(),
            errors,
        };
        Page::with(status, &self.request, &template)
    }

    fn map_rows(&self, block: &Block, source: &[String]) -> Vec<MapRow> {
        // Columns that were proposed from the source, and renamed, still come from there.
        let proposed: Vec<(String, String)> = match self.form.get("target") {
            "existing" => Vec::new(),
            _ => target::read(&self.form).into_iter().filter(|c| c.used).map(|c| (c.name, c.source)).collect(),
        };
        mapping::rows(&self.form, block, source, &proposed)
    }

    /// The configuration that the form describes, as far as it can be read.
    fn draft(&self, block: &Block, rows: &[MapRow]) -> (Draft, FieldErrors) {
        let mut errors = FieldErrors::new();
        let mode = Mode::parse(self.form.get("mode"));
        if mode.is_none() {
            errors.add("mode", "Choose how rows meet those that are there.");
        }
        let mut definition = Definition::new(mode.unwrap_or(Mode::Append));
        definition.source.csv = options::read(&self.form);
        let connection_id = self.form.id("source");
        if connection_id.is_some() {
            definition.source.path = self.form.some("source.path").map(str::to_owned);
        }
        definition.mapping = Some(mapping::mapping(rows).0);
        definition.rejects.load_good = load_good(&self.form);
        definition.rejects.max_rows = optional(&self.form, "rejects.max_rows", &mut errors);
        definition.rejects.max_percent = optional(&self.form, "rejects.max_percent", &mut errors);
        let draft = Draft {
            name: self.form.get("name").to_owned(),
            description: self.form.get("description").to_owned(),
            block_id: block.id,
            connection_id,
            definition,
        };
        (draft.tidy(), errors)
    }

    /// Makes the Block, when it is a new one, and the configuration.
    async fn save(&mut self, proposal: Option<Proposal>, block: Block) -> Result<HttpResponse> {
        let source = proposal.as_ref().map(mapping::source_columns).unwrap_or_default();
        let rows = self.map_rows(&block, &source);
        let (draft, mut errors) = self.draft(&block, &rows);
        errors.extend(draft.check());
        errors.extend(check::target(&draft.definition, &block));
        if proposal.is_some() {
            errors.extend(mapping::not_in_source(draft.definition.mapping.as_deref().unwrap_or_default(), &source));
        }
        if !errors.is_empty() {
            return self.mapping(proposal, &block, wrong(errors));
        }
        let (app, by, entered, now) = (self.app.clone(), self.by.clone(), self.place.entered.clone(), self.app.now());
        let application_id = entered.application.id;
        if block.id == 0 {
            let (draft, _) = target::draft(&self.form, &target::read(&self.form))?;
            let (name, by, entered) = (self.form.get("name").to_owned(), by.clone(), entered.clone());
            let made = off_thread(move || {
                app.db.write(|conn| {
                    entered.need_configure(conn, &by)?;
                    actions::need_free_name(conn, application_id, &name)?;
                    let made = blocks::create(conn, &app.blocks, application_id, draft, now)?;
                    blocks::record(conn, &by, None, Some(&made), now)?;
                    Ok(made)
                })
            })
            .await;
            match made {
                // From here on it is there, whatever becomes of the configuration.
                Ok(made) => {
                    put(&mut self.form, "target", "existing");
                    put(&mut self.form, "block", made.id.to_string());
                    self.place.blocks.push(made);
                }
                Err(error) => {
                    let said = refused(error)?;
                    return self.mapping(proposal, &block, said);
                }
            }
        }
        let block = self.block(&mut [])?;
        let draft = Draft { block_id: block.id, ..draft };
        match self.app.write(move |conn| actions::create(conn, &by, &entered, draft, now)).await {
            Ok(made) => {
                let flash = Flash::new(format!("Saved the import configuration “{}”.", made.name));
                let sample = match self.form.some("sample").filter(|_| made.needs_file()) {
                    Some(ticket) => format!("?sample={}", crate::web::page::encode(ticket)),
                    None => String::new(),
                };
                Ok(see_other(&format!("{}/{}/when{sample}", self.place.list(), made.id), Some(flash)))
            }
            Err(error) => {
                let said = refused(error)?;
                self.mapping(proposal, &block, said)
            }
        }
    }
}

/// The control that an error of the mapping belongs to.
fn control(field: &str, places: &[usize]) -> String {
    let Some(rest) = field.strip_prefix("mapping[") else { return field.to_owned() };
    let Some((line, member)) = rest.split_once("].") else { return field.to_owned() };
    match line.parse::<usize>().ok().and_then(|line| places.get(line)) {
        Some(row) => format!("map.{row}.{}", if member == "constant" { "constant" } else { "from" }),
        None => field.to_owned(),
    }
}

async fn enter_wizard(request: HttpRequest, app: Data<App>, by: By, id: i64, form: Form) -> Result<Wizard> {
    let place = place(&app, &by, id, None).await?;
    Ok(Wizard { request, app, by, place, form })
}

/// `GET /applications/{a}/settings/import-configurations/new`: screen 1. `?block=` names the Block that is filled.
pub async fn begin(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    query: Query,
) -> Result<HttpResponse> {
    let mut form = Form::default();
    if let Some(block) = query.id("block") {
        put(&mut form, "target", "existing");
        put(&mut form, "block", block.to_string());
    }
    enter_wizard(request, app, by, *path, form).await?.source(FINE).await
}

/// `POST …/new/files`: leaves screen 1, keeps an uploaded sample.
pub async fn sourced(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    parts: Multipart,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request.clone(), app, by, *path, Form::default()).await?;
    let upload = match Upload::read(&request, parts, true).await {
        Ok(upload) => upload,
        Err(AppError::Invalid(errors)) => return wizard.source(wrong(errors)).await,
        Err(other) => return Err(other),
    };
    wizard.form = upload.form;
    let file = upload.file.filter(|file| file.bytes > 0);
    if let Some(file) = file.filter(|_| wizard.form.get("source") == "file") {
        let (blocks, name, now) = (wizard.app.blocks.clone(), file.name.clone(), wizard.app.now());
        let id = off_thread(move || files::save(&blocks, &name, file.file, now)).await?;
        let application_id = wizard.place.entered.application.id;
        let ticket = files::ticket(&wizard.app.secrets, application_id, wizard.by.member.id, id)?;
        put(&mut wizard.form, "sample", ticket);
        put(&mut wizard.form, "sample_name", file.name);
    }
    let origin = match wizard.place.origin(&wizard.app, &wizard.by, &wizard.form) {
        Ok(origin) => origin,
        Err(errors) => return wizard.source(wrong(errors)).await,
    };
    let seen = match &origin {
        Origin::Connection { id, path } => format!("{id} {path}"),
        Origin::File(id) => format!("file {id}"),
    };
    // Another source is looked at afresh.
    if wizard.form.get("seen") != seen {
        let stale = |name: &str| {
            options::is_one(name) || name.starts_with("col.") || name.starts_with("map.") || of_proposal(name)
        };
        wizard.form.0.retain(|(name, _)| !stale(name));
        put(&mut wizard.form, "seen", seen);
    }
    wizard.to_preview(FINE).await
}

/// What is proposed from a source, and proposed anew from another.
fn of_proposal(name: &str) -> bool {
    matches!(name, "block_name" | "block_kind" | "mode" | "name")
}

/// `POST …/new/preview`: leaves screen 2.
pub async fn previewed(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request, app, by, *path, form).await?;
    match wizard.form.get("go") {
        "back" => return wizard.source(FINE).await,
        "again" => return wizard.to_preview(FINE).await,
        _ => {}
    }
    let proposal = match wizard.look().await {
        Ok(proposal) => proposal,
        Err(error) => {
            let said = refused(error)?;
            return wizard.preview(None, target::read(&wizard.form), said);
        }
    };
    let mut columns = target::rows(&wizard.form, &proposal);
    match wizard.block(&mut columns) {
        Ok(block) => wizard.mapping(Some(proposal), &block, FINE),
        Err(errors) => wizard.preview(Some(proposal), columns, wrong(errors)),
    }
}

/// `POST …/new/mapping`: leaves screen 3 and makes the configuration.
pub async fn mapped(
    request: HttpRequest,
    app: Data<App>,
    SignedIn(by): SignedIn,
    path: Path<i64>,
    form: Form,
) -> Result<HttpResponse> {
    let mut wizard = enter_wizard(request, app, by, *path, form).await?;
    if wizard.form.get("go") == "back" {
        return wizard.to_preview(FINE).await;
    }
    let mut columns = target::read(&wizard.form);
    let block = match wizard.block(&mut columns) {
        Ok(block) => block,
        Err(errors) => return wizard.to_preview(wrong(errors)).await,
    };
    let proposal = match wizard.look().await {
        Ok(proposal) => proposal,
        Err(error) => {
            let said = refused(error)?;
            return wizard.mapping(None, &block, said);
        }
    };
    if wizard.form.get("go") == "check" {
        return wizard.mapping(Some(proposal), &block, FINE);
    }
    wizard.save(Some(proposal), block).await
}

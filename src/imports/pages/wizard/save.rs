//! What the wizard's forms describe: the Block, the mapping, the configuration; and making them.

use actix_web::HttpResponse;
use actix_web::http::StatusCode;

use super::{FINE, Wizard, wrong};
use crate::app::off_thread;
use crate::applications::blocks::{self, Block};
use crate::error::{AppError, FieldErrors, Result};
use crate::formats::{Format, Proposal, ReadOptions};
use crate::imports::pages::mapping::{self, MapRow};
use crate::imports::pages::target::{self, ColumnRow};
use crate::imports::pages::tested::Found;
use crate::imports::pages::{filter, guard, load_good, optional, scope, source_block_id, unknown_items};
use crate::imports::sample::Origin;
use crate::imports::test_run::{self, Asked, From};
use crate::imports::{Definition, Draft, Mode, actions, check};
use crate::members::Scope;
use crate::names::name_key;
use crate::parameters::Values;
use crate::web::{Flash, refused, see_other};

impl Wizard {
    /// The Block that the form names or proposes. `Err`: what is wrong with it, by the names of screen 2.
    pub(super) fn block(&self, columns: &mut [ColumnRow]) -> Result<Block, FieldErrors> {
        if self.form.get("target") == "existing" {
            let chosen = self.form.id("block").and_then(|id| self.place.blocks.iter().find(|block| block.id == id));
            return chosen.cloned().ok_or_else(|| FieldErrors::one("block", "Choose the Block to fill."));
        }
        let (draft, places) = target::draft(&self.form, columns)?;
        let mut errors = draft.check();
        let taken = |block: &&Block| name_key(&block.name) == name_key(&draft.name);
        if let Some(block) = self.place.blocks.iter().find(taken) {
            errors.add(
                "name",
                format!("A Block named \"{}\" already exists. Choose another name, or fill that Block.", block.name),
            );
        }
        let errors = target::mark(columns, errors, &places);
        let block = target::imagined(&draft, self.place.entered.application.id, self.app.now());
        errors.ok_or(block)
    }

    pub(super) fn map_rows(&self, block: &Block, source: &[String]) -> Vec<MapRow> {
        // Columns that were proposed from the source, and renamed, still come from there.
        let proposed: Vec<(String, String)> = match self.form.get("target") {
            "existing" => Vec::new(),
            _ => target::read(&self.form).into_iter().filter(|c| c.used).map(|c| (c.name, c.source)).collect(),
        };
        mapping::rows(&self.form, block, source, &proposed)
    }

    /// The configuration that the form describes, as far as it can be read.
    pub(super) fn draft(&self, block: &Block, rows: &[MapRow]) -> (Draft, FieldErrors) {
        let mut errors = FieldErrors::new();
        let mode = Mode::parse(self.form.get("mode"));
        if mode.is_none() {
            errors.add("mode", "Choose how rows are loaded.");
        }
        let mut definition = Definition::new(mode.unwrap_or(Mode::Append));
        let source_block_id = source_block_id(&self.form);
        definition.source.read = if source_block_id.is_some() { ReadOptions::of(Format::Rows) } else { self.options() };
        definition.source.filter = filter(&self.form);
        let connection_id = self.form.id("source");
        if self.place.asks(&self.form) {
            definition.source.query = self.form.some("source-query").map(str::to_owned);
        } else if connection_id.is_some() {
            definition.source.path = self.form.some("source-path").map(str::to_owned);
        }
        definition.mapping = Some(mapping::mapping(rows).0);
        definition.scope = scope(&self.form, mode);
        definition.unknown_items = unknown_items(&self.form);
        definition.rejects.load_good = load_good(&self.form);
        definition.rejects.max_rows = optional(&self.form, "rejects-max_rows", &mut errors);
        definition.rejects.max_percent = optional(&self.form, "rejects-max_percent", &mut errors);
        definition.rejects.max_changed = optional(&self.form, "rejects-max_changed", &mut errors);
        definition.guard = guard(&self.form, &mut errors);
        let draft = Draft {
            name: self.form.get("name").to_owned(),
            description: self.form.get("description").to_owned(),
            block_id: block.id,
            connection_id,
            source_block_id,
            definition,
        };
        (draft.tidy(), errors)
    }

    /// The same, or all that is wrong with it.
    fn checked(&self, proposal: Option<&Proposal>, block: &Block) -> Result<Draft, FieldErrors> {
        let source = proposal.map(mapping::source_columns).unwrap_or_default();
        let rows = self.map_rows(block, &source);
        let (draft, mut errors) = self.draft(block, &rows);
        errors.extend(draft.check(None));
        errors.extend(check::target(&draft.definition, block));
        if proposal.is_some() {
            errors.extend(mapping::not_in_source(draft.definition.mapping.as_deref().unwrap_or_default(), &source));
        }
        errors.ok_or(draft)
    }

    /// Says what a run would do by what the form describes. Nothing is made.
    pub(super) async fn test(&mut self, proposal: Proposal, block: Block) -> Result<HttpResponse> {
        let (entered, by) = (self.place.entered.clone(), self.by.clone());
        self.app.read(move |conn| entered.need_import(conn, &by, Scope::Run)).await?;
        let draft = self.checked(Some(&proposal), &block).and_then(|draft| match self.place.source_block(&self.form) {
            Some(from) => check::block_source(&draft.definition, from, &block).ok_or(draft),
            None => Ok(draft),
        });
        let draft = match draft {
            Ok(draft) => draft,
            Err(errors) => return self.mapping(Some(proposal), &block, wrong(errors)),
        };
        // What saving would ask of others.
        let (entered, definition, of) = (self.place.entered.clone(), draft.definition.clone(), block.clone());
        let errors = self.app.read(move |conn| actions::beside(conn, &entered, &definition, &of)).await?;
        if !errors.is_empty() {
            return self.mapping(Some(proposal), &block, wrong(errors));
        }
        let from = match self.place.origin(&self.app, &self.by, &self.form)? {
            Origin::Connection { id, request } => From::Connection { id, request },
            Origin::File(id) => From::Kept(id),
            Origin::Block(id) => From::Block(id),
        };
        let asked = Asked { block: block.clone(), definition: draft.definition, from, values: Values::default() };
        match test_run::test(&self.app, &self.by, asked, test_run::PATIENCE).await {
            Ok(tested) => {
                self.tested = Some(Found::of(&block, tested));
                self.mapping(Some(proposal), &block, FINE)
            }
            Err(error @ AppError::TooMany { .. }) => {
                let said = FieldErrors::one("", error.to_string());
                self.mapping(Some(proposal), &block, (StatusCode::TOO_MANY_REQUESTS, said))
            }
            Err(error) => {
                let said = refused(error)?;
                self.mapping(Some(proposal), &block, said)
            }
        }
    }

    /// Makes the Block, when it is a new one, and the configuration: both or neither.
    pub(super) async fn save(&mut self, proposal: Option<Proposal>, block: Block) -> Result<HttpResponse> {
        let draft = match self.checked(proposal.as_ref(), &block) {
            Ok(draft) => draft,
            Err(errors) => return self.mapping(proposal, &block, wrong(errors)),
        };
        let new_block = match block.id {
            0 => Some(target::draft(&self.form, &target::read(&self.form))?.0),
            _ => None,
        };
        let (app, by, entered, now) = (self.app.clone(), self.by.clone(), self.place.entered.clone(), self.app.now());
        let made = off_thread(move || {
            if new_block.is_some() {
                app.blocks.rest()?;
            }
            app.db.write(|conn| {
                entered.need_configure(conn, &by)?;
                let mut draft = draft;
                if let Some(block) = new_block {
                    let made = blocks::create(conn, &app.blocks, entered.application.id, block, now)?;
                    blocks::record(conn, &by, None, Some(&made), now)?;
                    draft.block_id = made.id;
                }
                actions::create(conn, &by, &entered, draft, now)
            })
        })
        .await;
        match made {
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
pub(super) fn control(field: &str, places: &[usize]) -> String {
    if field.starts_with("source.filter") {
        return "filter".to_owned();
    }
    let Some(rest) = field.strip_prefix("mapping[") else { return field.to_owned() };
    let Some((line, member)) = rest.split_once("].") else { return field.to_owned() };
    match line.parse::<usize>().ok().and_then(|line| places.get(line)) {
        Some(row) => format!("map-{row}-{}", mapping::control(member)),
        None => field.to_owned(),
    }
}

//! Screens 2 and 3 of the wizard as they are drawn.

use std::collections::HashSet;

use actix_web::HttpResponse;
use askama::Template;

use super::questions::{self, Asked};
use super::save::control;
use super::{Said, Wizard, of_mapping, of_preview};
use crate::applications::blocks::{Block, BlockKind, MAX_COLUMNS};
use crate::error::{FieldErrors, Result};
use crate::formats::{ColumnType, Proposal};
use crate::imports::Mode;
use crate::imports::aggregates;
use crate::imports::guard::Guard;
use crate::imports::pages::landing::{Landing, Twin, landing};
use crate::imports::pages::mapping::{self, MapRow};
use crate::imports::pages::options::{self, OptionsView};
use crate::imports::pages::target::{self, ColumnRow};
use crate::imports::pages::tested::Found;
use crate::imports::pages::{
    FilterRow, GUARD, filter, filter_rows, guard_text, put, reject_choices, scope_choices, unknown_choices,
    unknown_items,
};
use crate::names::name_key;
use crate::web::{Page, Shell, at_controls, refused};
use crate::words;

#[derive(Template)]
#[template(path = "imports/preview.html")]
struct PreviewPage {
    shell: Shell,
    list: String,
    errors: FieldErrors,
    carried: Vec<(String, String)>,
    source: String,
    of_block: bool,
    o: OptionsView,
    notes: Vec<String>,
    questions: Vec<Asked>,
    heads: Vec<String>,
    /// Cells of the first rows, each with what is wrong with it.
    rows: Vec<Vec<(String, Option<String>)>>,
    /// How many of them have the key of an earlier one.
    twins: usize,
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
    of_block: bool,
    aggregates: Vec<(String, &'static str)>,
    filter: Vec<FilterRow>,
    /// What a test run found.
    tested: Option<Found>,
    may_import: bool,
    landing: Option<Landing>,
    mode: Mode,
    modes: &'static [Mode],
    /// The Block's columns, and whether they are the scope.
    scope: Vec<(String, bool)>,
    unknown_items: String,
    unknown_choices: Vec<(String, &'static str)>,
    tables: Vec<(String, String)>,
    load_good: String,
    load_goods: Vec<(String, &'static str)>,
    max_rows: String,
    max_percent: String,
    max_changed: String,
    guard: String,
    called: String,
    description: String,
}

impl Wizard {
    /// Screen 2. `proposal` is what was read, if it could be.
    pub(super) fn preview(
        &self,
        proposal: Option<Proposal>,
        columns: Vec<ColumnRow>,
        (status, errors): Said,
    ) -> Result<HttpResponse> {
        let options = self.options();
        let twins = proposal.as_ref().map(|proposal| self.twins(proposal, &columns)).unwrap_or_default();
        let (heads, rows, mut notes): (Vec<String>, Vec<Vec<String>>, _) = match proposal {
            Some(p) => (p.columns.into_iter().map(|column| column.name).collect(), p.rows, p.notes),
            None => Default::default(),
        };
        let marked = |(i, row): (usize, Vec<String>)| {
            let fault = |column: usize| twins.iter().find(|twin| twin.at == (i, column)).map(|twin| twin.fault.clone());
            row.into_iter().enumerate().map(|(column, cell)| (cell, fault(column))).collect()
        };
        let rows: Vec<Vec<_>> = rows.into_iter().enumerate().map(marked).collect();
        if columns.len() > MAX_COLUMNS {
            notes.push(format!(
                "A Block has at most {MAX_COLUMNS} columns, and the source has {}. Those after the first {MAX_COLUMNS} are \
                 left out; choose below which ones you need.",
                words::count(columns.len() as i64)
            ));
        }
        let chosen = self.form.id("block");
        let fed = self.place.source_block(&self.form).map(|block| block.id);
        let template = PreviewPage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            errors: at_controls(errors),
            carried: self.carried(of_preview),
            source: self.source_words(),
            of_block: fed.is_some(),
            o: OptionsView::of(&options),
            notes,
            questions: questions::shown(&self.form),
            heads,
            rows,
            twins: twins.iter().map(|twin| twin.at.0).collect::<HashSet<_>>().len(),
            is_new: self.form.get("target") != "existing",
            block_name: self.form.get("block_name").to_owned(),
            block_kind: self.form.get("block_kind").to_owned(),
            kinds: BlockKind::ALL.iter().map(|kind| (kind.to_string(), kind.words())).collect(),
            columns,
            types: ColumnType::ALL.iter().map(|kind| kind.as_str()).collect(),
            dimensions: self.place.dimensions(),
            blocks: self
                .place
                .blocks
                .iter()
                .filter(|b| fed != Some(b.id))
                .map(|b| (b.id, b.name.clone(), chosen == Some(b.id)))
                .collect(),
        };
        Page::with(status, &self.request, &template)
    }

    /// Keys that stand in an earlier row too, of the Block that the form names or proposes.
    fn twins(&self, proposal: &Proposal, columns: &[ColumnRow]) -> Vec<Twin> {
        let Ok(block) = self.block(&mut columns.to_vec()) else { return Vec::new() };
        let (lines, _) = mapping::mapping(&self.map_rows(&block, &mapping::source_columns(proposal)));
        landing(&lines, &block, &self.options().values, proposal, &self.tables).twins
    }

    /// Reads the source and shows screen 2; what cannot be read goes back to screen 1, or stays here when an option
    /// is to blame.
    pub(super) async fn go_to_preview(&mut self, said: Said) -> Result<HttpResponse> {
        let guessed = !options::are_in(&self.form);
        match self.look().await {
            Ok(proposal) => {
                if guessed {
                    options::write(&mut self.form, &proposal.options);
                    questions::pose(&mut self.form, &proposal);
                }
                let columns = target::rows(&self.form, &proposal, false);
                if guessed || self.form.get("block_name").is_empty() && self.form.get("block_kind").is_empty() {
                    self.propose_block(&columns);
                }
                if let Ok(block) = self.block(&mut columns.clone()) {
                    self.ask_of(&block, &mapping::source_columns(&proposal));
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

    pub(super) fn propose_block(&mut self, columns: &[ColumnRow]) {
        let file = match self.form.get("source") {
            "block" => "",
            "file" => self.form.get("sample_name"),
            _ if self.place.asks(&self.form) => "",
            _ => self.form.get("source-path"),
        };
        let name = target::name_from(file);
        let kind =
            if columns.iter().any(|column| column.key) { BlockKind::DimensionList } else { BlockKind::TransactionList };
        put(&mut self.form, "block_name", name.clone());
        put(&mut self.form, "block_kind", kind.as_str());
        if !self.form.has("target") {
            // A Block of that name is there already: it is meant, most likely.
            let there = self.place.blocks.iter().find(|block| name_key(&block.name) == name_key(&name)).map(|b| b.id);
            let existing = there.is_some() || self.form.get("source") == "block";
            put(&mut self.form, "target", if existing { "existing" } else { "new" });
            if let Some(id) = there {
                put(&mut self.form, "block", id.to_string());
            }
        }
    }

    /// Screen 3.
    pub(super) fn mapping(
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
                "block" => self.place.source_block(&self.form).map(|block| block.name.clone()).unwrap_or_default(),
                id => {
                    id.parse().ok().and_then(|id| self.place.connection(id)).map(|c| c.name.clone()).unwrap_or_default()
                }
            };
            put(&mut self.form, "name", format!("{} from {from}", block.name));
        }
        let (lines, places) = mapping::mapping(&rows);
        mapping::mark(&mut rows, &errors, &places);
        errors.0.iter_mut().for_each(|error| error.field = control(&error.field, &places));
        let read = self.options();
        let fed = self.place.source_block(&self.form);
        let template = MappingPage {
            shell: self.shell("New import configuration"),
            list: self.place.list(),
            carried: self.carried(of_mapping),
            source: self.source_words(),
            target: block.name.clone(),
            // Rows that become one are not those that are shown.
            landing: proposal
                .filter(|_| lines.iter().all(|line| line.aggregate.is_none()))
                .map(|proposal| landing(&lines, block, &read.values, &proposal, &self.tables)),
            tested: self.tested.take(),
            may_import: self.place.entered.may_import(),
            of_block: fed.is_some(),
            aggregates: aggregates(),
            filter: filter_rows(fed, &filter(&self.form)),
            rows,
            choices: mapping::choices(&source),
            mode: Mode::parse(self.form.get("mode")).unwrap_or(Mode::Append),
            modes: Mode::ALL,
            scope: scope_choices(block, &self.form.all("scope").map(str::to_owned).collect::<Vec<_>>()),
            unknown_items: unknown_items(&self.form).to_string(),
            unknown_choices: unknown_choices(block),
            tables: self.place.tables.clone(),
            load_good: self.form.get("rejects-load_good").to_owned(),
            load_goods: reject_choices(),
            max_rows: self.form.get("rejects-max_rows").to_owned(),
            max_percent: self.form.get("rejects-max_percent").to_owned(),
            max_changed: self.form.get("rejects-max_changed").to_owned(),
            guard: if self.form.has(GUARD) { self.form.get(GUARD).to_owned() } else { guard_text(Guard::default()) },
            called: self.form.get("name").to_owned(),
            description: self.form.get("description").to_owned(),
            errors: at_controls(errors),
        };
        Page::with(status, &self.request, &template)
    }
}

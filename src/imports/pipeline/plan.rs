//! What a load is to do, and how its columns find each other once the header of the source is known.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::applications::blocks::checks::{DimensionKey, StagedColumn, dimension_keys};
use crate::applications::blocks::rejects::KEPT;
use crate::applications::blocks::{self, Block, Cell, Column, Merge};
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::formats::{ColumnType, Parser, ReadOptions};
use crate::imports::guard::Guard;
use crate::imports::maker::Maker;
use crate::imports::{Definition, Expr, Mapping, Mode, Rejects, UnknownItems};
use crate::names::{Met, meet};
use crate::translations::{self, Translation};

/// The lists that a load may write. A list that names its own items brings them along itself.
pub fn lists_to_fill(conn: &mut Conn, block: &Block, definition: &Definition) -> Result<Vec<Block>> {
    if definition.unknown_items != UnknownItems::Create {
        return Ok(Vec::new());
    }
    let ids: BTreeSet<i64> = block.columns.iter().filter_map(|column| column.dimension_block_id).collect();
    ids.into_iter().filter(|id| *id != block.id).map(|id| blocks::find(conn, id)).collect()
}

fn merge_of(mode: Mode) -> Merge {
    match mode {
        Mode::Append => Merge::Append,
        Mode::Update => Merge::Update,
        Mode::Replace => Merge::Replace,
        Mode::ReplaceScope => Merge::ReplaceScope,
    }
}

/// All that a load needs to know beside its file.
#[derive(Clone, Debug)]
pub struct Plan {
    pub block: Block,
    /// None: by equal names.
    pub mapping: Option<Vec<Mapping>>,
    /// By equal names: the Block's columns that are filled. None: those that the source happens to have.
    pub columns: Option<Vec<String>>,
    /// How the source is written.
    pub read: ReadOptions,
    pub mode: Mode,
    /// By Replace within a scope: the columns of the Block that say which rows make room.
    pub scope: Vec<String>,
    /// The tables by which the mapping translates.
    pub tables: Vec<Arc<Translation>>,
    /// The Dimension lists in which items are created that rows name; no other list is written.
    pub creates: Vec<Block>,
    pub rejects: Rejects,
    /// How many rows the Block may lose by Replace.
    pub guard: Guard,
    /// So many rejected rows are kept, the others counted.
    pub keeps: i64,
    /// Everything is done but the commit: the report says what it would do, and what is staged waits for whoever asked to end
    /// the trial.
    pub is_trial: bool,
    /// Earlier runs of the same occurrence: by Append their rows go when this load becomes visible.
    pub replaces_runs: Vec<i64>,
    /// Where the Dimension lists that the Block's columns name keep their keys.
    pub dimensions: Vec<DimensionKey>,
}

impl Plan {
    /// A plan with everything at its default: by equal names, the contract's options for CSV. `conn` is the Workspace's.
    pub fn new(conn: &mut Conn, block: Block, mode: Mode) -> Result<Self> {
        let dimensions = dimension_keys(conn, &block)?;
        Ok(Self {
            block,
            mapping: None,
            columns: None,
            read: ReadOptions::default(),
            mode,
            scope: Vec::new(),
            tables: Vec::new(),
            creates: Vec::new(),
            rejects: Rejects::default(),
            guard: Guard::default(),
            keeps: KEPT,
            is_trial: false,
            replaces_runs: Vec::new(),
            dimensions,
        })
    }
}

impl Plan {
    /// Whether rows may turn out to be wrong once all have been read: keys that come twice, items that are not there.
    pub fn looks_twice(&self) -> bool {
        self.block.columns.iter().any(|c| c.key || c.column_type == ColumnType::Dimension)
    }

    /// The plan of a configuration's definition. `conn` is the Workspace's.
    pub fn of(conn: &mut Conn, block: Block, definition: &Definition) -> Result<Self> {
        let creates = lists_to_fill(conn, &block, definition)?;
        Ok(Self {
            mapping: definition.mapping.clone(),
            columns: definition.columns.clone(),
            read: definition.source.read.clone(),
            scope: definition.scope.clone(),
            tables: translations::by_ids(conn, &definition.translations())?.into_iter().map(Arc::new).collect(),
            creates,
            rejects: definition.rejects,
            guard: definition.guard,
            ..Self::new(conn, block, definition.mode)?
        })
    }

    /// The Blocks that it may write: the Block database is to mean by each what the Workspace means.
    pub fn writes(&self) -> Vec<Block> {
        std::iter::once(&self.block).chain(&self.creates).cloned().collect()
    }

    pub(super) fn merge(&self) -> Merge {
        merge_of(self.mode)
    }

    /// The positions of the scope's columns; `Err`: one is gone.
    pub(super) fn scope_positions(&self) -> Result<Vec<i32>, Mismatch> {
        let position = |name: &String| {
            let column = self.block.column(name).map(|column| column.position);
            column.ok_or_else(|| {
                format!("The scope names \"{name}\", but \"{}\" has no such column. Edit the scope.", self.block.name)
            })
        };
        self.scope.iter().map(position).collect()
    }

    /// When the load began, as the column keeps it.
    fn loaded_at(&self, column: &Column, now: Moment) -> Cell {
        match column.column_type {
            ColumnType::Date => Cell::Date(self.read.values.day_of(now.micros())),
            _ => Cell::Timestamp(now.micros()),
        }
    }

    /// The positions of columns that hold the time of the load, which is no change by itself.
    pub(super) fn stamps(&self) -> Vec<i32> {
        let lines = self.mapping.iter().flatten().filter(|line| matches!(line.fills, Expr::LoadedAt(_)));
        lines.filter_map(|line| self.block.column(&line.to)).map(|column| column.position).collect()
    }

    /// Without a column of it, every row would lie within an empty scope.
    pub(super) fn scope_is_filled(&self, routes: &[Route]) -> Result<(), Mismatch> {
        let filled = |position: &i32| routes.iter().any(|route| route.column.position == *position);
        let positions = self.scope_positions()?;
        match positions.iter().zip(&self.scope).find(|(position, _)| !filled(position)) {
            Some((_, name)) => Err(format!(
                "Nothing fills \"{name}\", which says which rows are replaced. Check the source, or edit the scope."
            )),
            None => Ok(()),
        }
    }

    fn maker(
        &self,
        line: &Mapping,
        column: &Column,
        place: impl Fn(&str) -> Option<usize>,
    ) -> Result<Option<Maker>, Mismatch> {
        let table = match line.transform.translate {
            None => None,
            Some(id) => Some(self.tables.iter().find(|table| table.id == id).cloned().ok_or_else(|| {
                format!("The translation table for \"{}\" was deleted. Edit the mapping.", column.name)
            })?),
        };
        Maker::of(line, column, &self.read.values, table, place)
            .map_err(|errors| format!("The source cannot be read with its settings: {errors}."))
    }
}

/// A column of the Block with the place in the source that its cells come from.
pub(super) struct Route {
    pub column: Column,
    /// Its name in the source, for the rejects; of a constant the Block's.
    pub source_name: String,
    pub from: Place,
    pub parser: Parser,
}

pub(super) enum Place {
    /// The cell at this index of the row.
    Cell(usize),
    Constant(Cell),
    /// More than one cell, or one that is changed on its way.
    Made(Box<Maker>),
}

impl Route {
    pub fn staged(&self) -> StagedColumn {
        StagedColumn {
            position: self.column.position,
            column_type: self.column.column_type,
            source_name: self.source_name.clone(),
        }
    }
}

/// Why a file's columns cannot be loaded into the Block, in a sentence that names them.
pub(super) type Mismatch = String;

/// Lets the plan's mapping and the columns of the source find each other. Every mapped column must be there, and every
/// column that the Block requires must be mapped.
pub(super) fn routes(plan: &Plan, source: &[String], ignored: &[usize], now: Moment) -> Result<Vec<Route>, Mismatch> {
    let block = &plan.block;
    plan.scope_positions()?;
    if plan.mode == Mode::Update && !block.is_keyed() {
        return Err(format!(
            "Update needs a key to find existing rows, and \"{}\" has no key column. Use Append or Replace.",
            block.name
        ));
    }
    let offered: Vec<usize> = (0..source.len()).filter(|i| !ignored.contains(i)).collect();
    let find = |name: &str| meet(name, offered.iter().map(|i| source[*i].as_str()));
    let place = |name: &str| match find(name) {
        Met::One(i) => Some(offered[i]),
        Met::Nothing | Met::Tie => None,
    };
    // Columns that were found by their names are a mapping from then on.
    let by_name = || plan.columns.as_ref().map(|names| names.iter().map(|name| Mapping::column(name, name)).collect());
    let wanted: Vec<(&Column, Mapping)> = match plan.mapping.clone().or_else(by_name) {
        Some(mapping) => {
            let mut wanted = Vec::with_capacity(mapping.len());
            for mapped in mapping {
                let Some(column) = block.column(&mapped.to) else {
                    return Err(format!(
                        "The import fills \"{}\", but \"{}\" has no such column. {}",
                        mapped.to,
                        block.name,
                        if plan.mapping.is_some() {
                            "Edit the mapping."
                        } else {
                            "Edit the import to find its columns again."
                        }
                    ));
                };
                wanted.push((column, mapped));
            }
            wanted
        }
        None => block
            .columns
            .iter()
            .filter(|column| find(&column.name) != Met::Nothing)
            .map(|column| (column, Mapping::column(&column.name, &column.name)))
            .collect(),
    };
    let there = || quoted_list(offered.iter().map(|i| source[*i].as_str()));
    let from = || wanted.iter().flat_map(|(_, mapped)| mapped.fills.source_columns());
    if let Some(name) = from().find(|name| find(name) == Met::Tie) {
        return Err(format!(
            "The source has more than one column like \"{name}\": it has {}. Choose one of them in the mapping, \
             spelled exactly like that.",
            there()
        ));
    }
    let missing: Vec<&str> = from().filter(|name| find(name) == Met::Nothing).collect();
    if !missing.is_empty() {
        return Err(format!(
            "The source has no {} {}. It has {}. Check the file and its delimiter, or edit the {}.",
            if missing.len() == 1 { "column" } else { "columns" },
            quoted_list(missing),
            there(),
            if plan.mapping.is_some() { "mapping" } else { "import to find its columns again" }
        ));
    }
    let unfilled: Vec<&str> = block
        .columns
        .iter()
        .filter(|column| column.must_be_filled() && !wanted.iter().any(|(filled, _)| filled.id == column.id))
        .map(|column| column.name.as_str())
        .collect();
    if !unfilled.is_empty() {
        return Err(format!(
            "Nothing fills {} of \"{}\", which must have a value in every row. The source has {}.",
            quoted_list(unfilled),
            block.name,
            there()
        ));
    }
    if wanted.is_empty() {
        return Err(format!(
            "No column of the source has the name of a column of \"{}\". The source has {}; the Block has {}.",
            block.name,
            there(),
            quoted_list(block.columns.iter().map(|column| column.name.as_str()))
        ));
    }
    let mut routes: Vec<Route> = Vec::with_capacity(wanted.len());
    for (column, mapped) in wanted {
        if routes.iter().any(|route| route.column.id == column.id) {
            return Err(format!("The mapping fills \"{}\" twice. Remove one of the two.", column.name));
        }
        let parser = Parser::new(column.column_type, column.must_be_filled(), &plan.read.values)
            .map_err(|errors| format!("The source cannot be read with its settings: {errors}."))?
            .with_nulls(mapped.nulls.as_deref());
        if let Some(maker) = plan.maker(&mapped, column, place)? {
            let index = maker.cells().next().unwrap_or_default();
            let (from, source_name) = (Place::Made(Box::new(maker)), source[index].clone());
            routes.push(Route { column: column.clone(), source_name, from, parser });
            continue;
        }
        let (from, source_name) = match mapped.fills {
            Expr::Join(_) | Expr::LoadedAt(_) => (Place::Constant(plan.loaded_at(column, now)), column.name.clone()),
            Expr::Column(name) => {
                let index = place(&name).unwrap_or_default();
                (Place::Cell(index), source[index].clone())
            }
            Expr::Constant(text) => {
                let value = parser
                    .parse(text.as_bytes())
                    .map_err(|fault| format!("The constant for \"{}\" does not fit: {fault}", column.name))?;
                (Place::Constant(Cell::from(value)), column.name.clone())
            }
        };
        routes.push(Route { column: column.clone(), source_name, from, parser });
    }
    plan.scope_is_filled(&routes)?;
    Ok(routes)
}

/// By equal names: columns of the source that would fill a column of the Block, had they been there when the import found
/// its columns.
pub(super) fn new_columns(plan: &Plan, source: &[String], ignored: &[usize]) -> Vec<String> {
    let (None, Some(known)) = (&plan.mapping, &plan.columns) else { return Vec::new() };
    let names: Vec<&str> = (0..source.len()).filter(|i| !ignored.contains(i)).map(|i| source[i].as_str()).collect();
    let known: Vec<i64> = known.iter().filter_map(|name| plan.block.column(name)).map(|column| column.id).collect();
    let unknown = plan.block.columns.iter().filter(|column| !known.contains(&column.id));
    let there = unknown.filter_map(|column| match meet(&column.name, names.iter().copied()) {
        Met::One(i) => Some(names[i].to_owned()),
        Met::Nothing | Met::Tie => None,
    });
    there.collect()
}

/// The routes whose cells name items of a Dimension list, with where that list keeps its keys.
pub(super) fn dimension_routes<'a>(plan: &'a Plan, routes: &'a [Route]) -> Vec<(&'a Route, &'a DimensionKey)> {
    routes
        .iter()
        .filter(|route| route.column.column_type == ColumnType::Dimension)
        .filter_map(|route| {
            let list = route.column.dimension_block_id?;
            Some((route, plan.dimensions.iter().find(|key| key.block_id == list)?))
        })
        .collect()
}

/// `"a", "b" and "c"`, the first twenty of them.
fn quoted_list<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 20;
    let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
    match names.as_slice() {
        [] => "no columns".to_owned(),
        [one] => one.clone(),
        many if many.len() <= MOST => {
            let (others, last) = many.split_at(many.len() - 1);
            format!("{} and {}", others.join(", "), last.join(""))
        }
        many => format!("{} and {} more", many[..MOST].join(", "), many.len() - MOST),
    }
}

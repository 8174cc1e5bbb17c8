//! What a Block is, and which definitions make sense: true without a database.

use std::collections::HashSet;

use crate::clock::Moment;
use crate::db::text_enum;
use crate::error::FieldErrors;
use crate::formats::ColumnType;
use crate::names::{check_name, name_key, taken_in};

text_enum! {
    /// What a Block holds.
    pub enum BlockKind {
        /// Items with a unique key and properties.
        DimensionList = "dimension_list",
        /// Rows, with or without a unique identifier.
        TransactionList = "transaction_list",
        /// Dimensions and one value.
        Metric = "metric",
    }
}

impl BlockKind {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::DimensionList => "Dimension list",
            Self::TransactionList => "Transaction list",
            Self::Metric => "Metric",
        }
    }
}

/// The most columns a Block may have.
pub const MAX_COLUMNS: usize = 500;

/// What data is imported into, as people defined it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    pub id: i64,
    pub application_id: i64,
    pub name: String,
    pub kind: BlockKind,
    /// By position; archived ones are left out.
    pub columns: Vec<Column>,
    /// Grows with every change of the definition.
    pub version: i64,
    pub created_at: Moment,
}

/// One column of a Block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    pub id: i64,
    /// From 1; the physical column is `c<position>` for ever.
    pub position: i32,
    pub name: String,
    pub column_type: ColumnType,
    /// The Dimension list whose items a column of type dimension names.
    pub dimension_block_id: Option<i64>,
    /// Part of what tells one row from another.
    pub key: bool,
    /// An empty cell is refused. A key column is required whatever this says.
    pub required: bool,
}

impl Block {
    /// The columns that tell one row from another; none for a Transaction list without an identifier.
    pub fn keys(&self) -> impl Iterator<Item = &Column> {
        self.columns.iter().filter(|column| column.key)
    }

    pub fn is_keyed(&self) -> bool {
        self.columns.iter().any(|column| column.key)
    }

    /// A column by its name, case and outer spaces ignored.
    pub fn column(&self, name: &str) -> Option<&Column> {
        let key = name_key(name);
        self.columns.iter().find(|column| name_key(&column.name) == key)
    }
}

impl Column {
    /// The name of the physical column.
    pub fn physical(&self) -> String {
        format!("c{}", self.position)
    }

    pub fn must_be_filled(&self) -> bool {
        self.key || self.required
    }
}

/// What a Block holds now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BlockState {
    pub row_count: i64,
    /// When data was last loaded; none when the Block never held any.
    pub loaded_at: Option<Moment>,
}

/// A Block as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlockDraft {
    pub name: String,
    pub kind: BlockKind,
    pub columns: Vec<ColumnDraft>,
}

/// A column as somebody wants it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnDraft {
    /// The column that this one changes; none for a new one (then one of the same name, if there is any).
    pub id: Option<i64>,
    pub name: String,
    pub column_type: ColumnType,
    pub dimension_block_id: Option<i64>,
    pub key: bool,
    pub required: bool,
}

impl ColumnDraft {
    /// A plain column: no key, may be empty.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> Self {
        Self { id: None, name: name.into(), column_type, dimension_block_id: None, key: false, required: false }
    }

    pub fn key(mut self) -> Self {
        self.key = true;
        self.required = true;
        self
    }

    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    pub fn of_dimension(mut self, block_id: i64) -> Self {
        self.column_type = ColumnType::Dimension;
        self.dimension_block_id = Some(block_id);
        self
    }
}

impl BlockDraft {
    /// The same with names trimmed and what follows from a key filled in.
    pub fn tidy(mut self) -> Self {
        self.name = self.name.trim().to_owned();
        for column in &mut self.columns {
            column.name = column.name.trim().to_owned();
            column.required |= column.key;
        }
        self
    }

    /// The same with its names as they are to be kept; those that a Block has already stay.
    pub fn named(mut self, was: Option<&Block>) -> Self {
        self.name = taken_in(&self.name, was.map(|was| was.name.as_str()));
        for column in &mut self.columns {
            let there = was.and_then(|was| was.columns.iter().find(|there| there.name == column.name));
            column.name = taken_in(&column.name, there.map(|there| there.name.as_str()));
        }
        self
    }

    /// All that is wrong with the definition by itself; whether the Dimension lists exist is the store's to say.
    pub fn check(&self) -> FieldErrors {
        self.check_over(None)
    }

    /// The same, where it changes a Block that is there: names that stay are not judged anew.
    pub fn check_over(&self, was: Option<&Block>) -> FieldErrors {
        let mut errors = FieldErrors::new();
        check_name("name", &self.name, was.map(|was| was.name.as_str()), &mut errors);
        if self.columns.is_empty() {
            errors.add("columns", "A Block needs at least one column.");
        }
        if self.columns.len() > MAX_COLUMNS {
            errors.add("columns", format!("A Block has at most {MAX_COLUMNS} columns."));
        }
        let mut seen = HashSet::new();
        for (i, column) in self.columns.iter().enumerate() {
            let name = format!("columns[{i}].name");
            let there = was.and_then(|was| was.columns.iter().find(|there| there.name == column.name));
            check_name(&name, &column.name, there.map(|there| there.name.as_str()), &mut errors);
            if errors.of(&name).is_none() && !seen.insert(name_key(&column.name)) {
                errors.add(name, format!("Two columns are named \"{}\". Rename one of them.", column.name));
            }
            let field = format!("columns[{i}].dimension_block_id");
            match (column.column_type, column.dimension_block_id) {
                (ColumnType::Dimension, None) => errors.add(field, "Choose the Dimension list whose items it names."),
                (ColumnType::Dimension, Some(_)) | (_, None) => {}
                (_, Some(_)) => errors.add(field, "Only a column of type dimension names a Dimension list."),
            }
        }
        self.check_kind(&mut errors);
        errors
    }

    fn check_kind(&self, errors: &mut FieldErrors) {
        if self.columns.is_empty() {
            return;
        }
        match self.kind {
            BlockKind::TransactionList => {}
            BlockKind::DimensionList => {
                if !self.columns.iter().any(|column| column.key) {
                    errors.add("columns", "A Dimension list needs a key column that identifies its items.");
                }
            }
            BlockKind::Metric => {
                let values: Vec<&ColumnDraft> = self.columns.iter().filter(|column| !column.key).collect();
                let numeric = |c: &ColumnDraft| matches!(c.column_type, ColumnType::Number | ColumnType::Integer);
                match values.as_slice() {
                    [value] if numeric(value) && self.columns.len() > 1 => {}
                    [value] if numeric(value) => {
                        errors.add("columns", "A Metric needs at least one dimension besides its value.");
                    }
                    [value] => errors.add(
                        "columns",
                        format!("The value of a Metric must be a number or an integer; \"{}\" is neither.", value.name),
                    ),
                    _ => errors.add(
                        "columns",
                        "A Metric has exactly one value column. Every other column is one of its dimensions: mark it \
                         as key.",
                    ),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(kind: BlockKind, columns: Vec<ColumnDraft>) -> BlockDraft {
        BlockDraft { name: "Sales".into(), kind, columns }.tidy()
    }

    fn column(name: &str, column_type: ColumnType) -> ColumnDraft {
        ColumnDraft::new(name, column_type)
    }

    #[test]
    fn names_are_there_short_plain_and_distinct() {
        let twice =
            draft(BlockKind::TransactionList, vec![column("Day", ColumnType::Date), column(" day ", ColumnType::Date)]);
        assert!(twice.check().of("columns[1].name").unwrap().contains("Two columns"));
        for bad in ["", "  ", "a\nb", &"x".repeat(201)] {
            let mut one = draft(BlockKind::TransactionList, vec![column("Day", ColumnType::Date)]);
            one.name = bad.into();
            assert!(one.check().of("name").is_some(), "{bad:?}");
        }
        assert!(draft(BlockKind::TransactionList, vec![]).check().of("columns").is_some());
    }

    #[test]
    fn each_kind_has_the_columns_it_needs() {
        use BlockKind::{DimensionList, Metric, TransactionList};
        let text = || column("Code", ColumnType::Text);
        let number = || column("Value", ColumnType::Number);
        assert!(draft(TransactionList, vec![text()]).check().is_empty());
        assert!(!draft(DimensionList, vec![text()]).check().is_empty());
        assert!(draft(DimensionList, vec![text().key()]).check().is_empty());
        assert!(draft(Metric, vec![text().key(), number()]).check().is_empty());
        assert!(!draft(Metric, vec![text().key(), number().key()]).check().is_empty());
        assert!(!draft(Metric, vec![text(), number()]).check().is_empty());
        assert!(!draft(Metric, vec![number()]).check().is_empty());
        assert!(!draft(Metric, vec![number().key(), text()]).check().is_empty());
    }

    #[test]
    fn only_a_dimension_column_names_a_dimension_list() {
        let mut code = column("Code", ColumnType::Dimension);
        assert!(!draft(BlockKind::TransactionList, vec![code.clone()]).check().is_empty());
        code.dimension_block_id = Some(1);
        assert!(draft(BlockKind::TransactionList, vec![code.clone()]).check().is_empty());
        code.column_type = ColumnType::Text;
        assert!(!draft(BlockKind::TransactionList, vec![code]).check().is_empty());
    }
}

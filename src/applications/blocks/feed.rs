//! What one Block gives another: which columns, which rows, and how several become one. True without a database.

use super::model::{Block, Column};
use super::period::Unit;
use super::store::rows::Cell;
use crate::db::text_enum;
use crate::formats::ColumnType;

text_enum! {
    /// How the cells of several rows become one.
    pub enum Aggregate {
        Sum = "sum",
        Average = "average",
        Min = "min",
        Max = "max",
        Count = "count",
        /// Of the latest date that the target lacks, then of the row that was loaded last.
        Last = "last",
    }
}

impl Aggregate {
    /// As people read it.
    pub fn label(self) -> &'static str {
        match self {
            Self::Sum => "Sum",
            Self::Average => "Average",
            Self::Min => "Minimum",
            Self::Max => "Maximum",
            Self::Count => "Count",
            Self::Last => "Last",
        }
    }

    /// The type of what it makes of cells of a type; `None`: nothing can be made of them.
    pub fn of(self, cells: ColumnType) -> Option<ColumnType> {
        use ColumnType::{Date, Integer, Number, Timestamp};
        match (self, cells) {
            (Self::Count, _) => Some(Integer),
            (Self::Last, any) => Some(any),
            (Self::Sum, Integer | Number) => Some(cells),
            (Self::Average, Integer | Number) => Some(Number),
            (Self::Min | Self::Max, Integer | Number | Date | Timestamp) => Some(cells),
            _ => None,
        }
    }
}

/// Whether a cell of one type can stand in a column of another as the same value.
pub fn meets(from: ColumnType, to: ColumnType) -> bool {
    use ColumnType::{Boolean, Date, Dimension, Integer, Number, Text};
    from == to
        || matches!(
            (from, to),
            (Integer, Number | Text | Dimension) | (Dimension, Text) | (Text, Dimension) | (Boolean | Date, Text)
        )
}

/// What a Block gives another.
#[derive(Clone, Debug, PartialEq)]
pub struct Feed {
    pub source: Block,
    pub columns: Vec<FeedColumn>,
    /// Rows that are alike in every column without an aggregate become one.
    pub grouped: bool,
    pub filter: Vec<FeedFilter>,
    /// The one of the columns that must hold something: a blank value of a Metric overwrites nothing.
    pub value: Option<usize>,
}

/// What fills one column of the target.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedColumn {
    pub to: Column,
    pub from: FeedFrom,
    pub aggregate: Option<Aggregate>,
    pub change: FeedChange,
}

/// What is done to the cells of a column, those that several rows became too, in this order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FeedChange {
    /// A date becomes its period; with the month in which a year begins.
    pub period: Option<(Unit, u32)>,
    /// The sign is flipped.
    pub negate: bool,
    /// What an empty cell becomes.
    pub default: Option<Cell>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum FeedFrom {
    /// A column of the source.
    Column(Column),
    /// The same in every row.
    Constant(Cell),
}

/// Only rows whose cell is one of these.
#[derive(Clone, Debug, PartialEq)]
pub struct FeedFilter {
    pub column: Column,
    pub items: Vec<Cell>,
}

impl FeedColumn {
    /// Its name in the source, of a constant the target's.
    pub fn source_name(&self) -> &str {
        match &self.from {
            FeedFrom::Column(column) => &column.name,
            FeedFrom::Constant(_) => &self.to.name,
        }
    }

    /// Whether several cells of its column become the same.
    pub fn rounds(&self) -> bool {
        self.change.period.is_some_and(|(unit, _)| unit != Unit::Day)
    }

    /// Whether its cells are whole numbers that become doubles, one for one.
    pub fn loses_digits(&self) -> bool {
        let integers = matches!(&self.from, FeedFrom::Column(column) if column.column_type == ColumnType::Integer);
        let counted = matches!(self.aggregate, Some(Aggregate::Sum | Aggregate::Average | Aggregate::Count));
        integers && !counted && self.to.column_type == ColumnType::Number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_made_of_what_is_no_number() {
        for cells in ColumnType::ALL {
            let numeric = matches!(cells, ColumnType::Integer | ColumnType::Number);
            assert_eq!(Aggregate::Sum.of(cells).is_some(), numeric, "{cells}");
            assert_eq!(Aggregate::Average.of(cells).is_some(), numeric, "{cells}");
            assert_eq!(Aggregate::Count.of(cells), Some(ColumnType::Integer));
            assert_eq!(Aggregate::Last.of(cells), Some(cells));
        }
    }

    #[test]
    fn a_value_that_would_be_another_does_not_meet() {
        use ColumnType::{Date, Integer, Number, Text, Timestamp};
        assert!(meets(Integer, Number) && meets(Date, Text) && meets(Text, Text));
        for (from, to) in [(Number, Integer), (Number, Text), (Timestamp, Date), (Date, Timestamp), (Text, Number)] {
            assert!(!meets(from, to), "{from} into {to}");
        }
    }
}

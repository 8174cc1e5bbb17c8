//! A line of a mapping: what fills one column of a Block.

use serde::{Deserialize, Serialize};

use super::transform::{Part, Transform};
use crate::applications::blocks::Aggregate;

/// What fills one column of the Block. In JSON the expression stands beside `to`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mapping {
    #[serde(flatten)]
    pub fills: Expr,
    /// The name of the Block's column.
    pub to: String,
    /// Cells that mean empty in this column; the source's unless said, which are for every type but text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls: Option<Vec<String>>,
    /// Of a Block: how the cells of several rows become one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aggregate: Option<Aggregate>,
    /// What is done to each cell on its way.
    #[serde(flatten)]
    pub transform: Transform,
}

/// An expression over the cells of a row. What else a column can be filled by becomes a variant, whose name is the
/// member that writes it; a definition that was stored before reads as it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expr {
    /// A column of the source.
    #[serde(rename = "from")]
    Column(String),
    /// The same in every row, as a cell of the source would write it.
    #[serde(rename = "constant")]
    Constant(String),
    /// Columns and texts, one after the other.
    #[serde(rename = "join")]
    Join(Vec<Part>),
    /// When the load began; always true.
    #[serde(rename = "loaded_at")]
    LoadedAt(bool),
}

impl Mapping {
    pub fn new(fills: Expr, to: impl Into<String>) -> Self {
        Self { fills, to: to.into(), nulls: None, aggregate: None, transform: Transform::default() }
    }

    pub fn column(from: impl Into<String>, to: impl Into<String>) -> Self {
        Self::new(Expr::Column(from.into()), to)
    }

    pub fn constant(text: impl Into<String>, to: impl Into<String>) -> Self {
        Self::new(Expr::Constant(text.into()), to)
    }
}

impl Expr {
    /// The column of the source that it is.
    pub fn source_column(&self) -> Option<&str> {
        match self {
            Self::Column(name) => Some(name),
            Self::Constant(_) | Self::Join(_) | Self::LoadedAt(_) => None,
        }
    }

    /// The columns of the source that it reads.
    pub fn source_columns(&self) -> impl Iterator<Item = &str> {
        let parts = match self {
            Self::Join(parts) => parts.as_slice(),
            _ => &[],
        };
        let joined = parts.iter().filter_map(|part| match part {
            Part::Column(name) => Some(name.as_str()),
            Part::Text(_) => None,
        });
        self.source_column().into_iter().chain(joined)
    }
}

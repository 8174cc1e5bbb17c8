//! What a run loads.

use crate::applications::blocks::Feed;
use crate::connectors::Check;
use crate::formats::Rows;
use crate::imports::pipeline::SourceFile;

/// What was fetched; a Block is not.
pub(super) enum Got<'a> {
    File { source: SourceFile, check: Check },
    Rows { rows: Box<dyn Rows>, name: String },
    Block(&'a Feed),
}

impl Got<'_> {
    /// Which file it is; none of what nobody else has.
    pub fn stamp(&self) -> Option<String> {
        match self {
            Self::File { check, .. } => check.stamp(),
            Self::Rows { .. } | Self::Block(_) => None,
        }
    }
}

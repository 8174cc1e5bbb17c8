//! Blocks: what data is imported into.
//!
//! A Block is defined in the Workspace's own tables ([`Block`], its columns) and filled in the Block database, a file
//! or schema of its own, so that a long load never blocks a toggle. Its rows live in generations, tables
//! `b<block>_g<generation>`; [`ledger`] holds the pointer to the one that the Block shows and says which run's load
//! happened. A load fills a new generation that nobody sees ([`Loader`]), checks it as a whole ([`checks`]), and makes
//! it visible in one short transaction, guarded by a fence: a Block holds either all of a run's accepted rows or what
//! it held before, whenever the process dies.
//!
//! For whoever reads with SQL there is a view per Block, `<application>__<block>` with the users' column names, in
//! `blocks.db` or the schema `blocks`.
//!
//! Permissions are the caller's to have asked (`applications::enter`).

mod actions;
mod audited;
pub mod batch;
pub mod copying;
mod feed;
pub mod looking;
mod model;
pub mod pages;
pub mod period;
mod store;

pub use actions::{
    archive, as_draft, create, edit, find, find_even_archived, find_in, keep_all_in_step, keep_in_step, list, page,
    rename_views,
};
pub use audited::{audited_all, record};
pub use feed::{Aggregate, Feed, FeedChange, FeedColumn, FeedFilter, FeedFrom, meets};
pub use model::{Block, BlockDraft, BlockKind, BlockState, Column, ColumnDraft, MAX_COLUMNS};
pub use period::Unit;
pub use store::definitions::{is_of, lists_of};
pub use store::feed::{Fed, fill as fill_from_block};
pub use store::loader::{Loader, fill_at_once};
pub use store::looking::{count, look, row};
pub use store::merge::makes_room;
pub use store::physical::seal;
pub use store::rows::{BlockRow, Cell, page as rows, rejected as rejected_rows, write_csv, write_csv_of};
pub use store::staging::{Making, Merge, RunKey, Staging, Visible};
pub use store::views::reader;
pub use store::{changed, checks, contents, difference, generations, items, ledger, rejects, trial};

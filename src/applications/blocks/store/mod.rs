//! Blocks in both databases: their definitions in the Workspace's tables ([`definitions`]); in the Block database the
//! ledger, the generations and what fills, checks, merges and reads them. All SQL of Blocks stands here.

pub mod checks;
pub mod contents;
pub mod copying;
pub mod definitions;
pub mod difference;
pub mod feed;
pub mod generations;
pub mod items;
pub mod ledger;
mod ledger_rows;
pub mod loader;
pub mod looking;
pub mod merge;
mod periods;
pub mod physical;
mod pointer;
mod postgres;
mod causes;
pub mod changed;
pub mod rejects;
mod rejects_csv;
pub mod rows;
mod sqlite;
pub mod staging;
pub mod trial;
pub mod views;

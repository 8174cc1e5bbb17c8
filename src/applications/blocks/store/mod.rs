//! Blocks in both databases: their definitions in the Workspace's tables ([`definitions`]); in the Block database the
//! ledger, the generations and what fills, checks, merges and reads them. All SQL of Blocks stands here.

pub mod checks;
pub mod contents;
pub mod definitions;
pub mod difference;
pub mod feed;
pub mod generations;
pub mod ledger;
pub mod loader;
pub mod looking;
mod merge;
pub mod physical;
mod pointer;
mod postgres;
mod causes;
pub mod rejects;
mod rejects_csv;
pub mod rows;
mod sqlite;
pub mod staging;
pub mod views;

//! The suite: this list of modules is its table of contents.

mod blocks;
mod connectors;
mod formats;

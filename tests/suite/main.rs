//! The suite: this list of modules is its table of contents.

mod connectors;
mod formats;

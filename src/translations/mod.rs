//! Translation tables of an Application, by which imports turn values of their source into those of a Block.

mod model;

pub use model::{Otherwise, Translation};

//! The pages of Applications: making one, its settings, who has access. What they hold is on the pages of `overview`.

mod access;
mod new;
mod settings;

pub use access::{access, save_access};
pub use new::{create, new_form};
pub use settings::{archive, archive_form, general, save};

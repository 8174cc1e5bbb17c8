//! The pages of Applications: the home page with all that a member sees, one Application, its settings, who has access.

mod access;
mod home;
mod settings;

pub use access::{access, save_access};
pub use home::{create, home, list, new_form};
pub use settings::{archive, archive_form, general, save};

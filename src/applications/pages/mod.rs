//! The pages of Applications: making one, its settings, who has access, and what an invitation gives. What they hold is on the pages of `overview`.

mod access;
mod new;
mod people;
mod settings;

pub use access::{access, save_access, save_group_access};
pub use new::{create, new_form};
pub use people::{accept, add_member, invite, invite_again, members, switch_member};
pub use settings::{archive, archive_form, general, save};

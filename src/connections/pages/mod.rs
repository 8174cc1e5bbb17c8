//! Connections as Administrators see them: the list, a form per kind drawn from what `connectors::kinds()` says, the
//! test, the question before deleting.

mod delete;
mod edit;
mod fields;
mod list;

pub use delete::{delete, delete_form};
pub use edit::{back, change, create, edit_form, new_form, try_it, try_new};
pub use list::list;

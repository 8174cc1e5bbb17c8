//! Connections as Administrators see them: the list, a form per kind drawn from what `connectors::kinds()` says, the
//! test, the question before deleting.

mod delete;
mod edit;
mod list;

pub use delete::{delete, delete_form};
pub use edit::{change, create, edit_form, new_form, try_it};
pub use list::list;

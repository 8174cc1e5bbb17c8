//! The pages of Blocks: the list, one Block with its rows, its columns to edit.

mod asked;
mod difference;
mod edit;
mod list;
mod rows;

pub use difference::{Compared, Written};
pub use edit::{change, create, delete, delete_form, edit_form, new_form};
pub use list::list;
pub use rows::{rows_csv, show};

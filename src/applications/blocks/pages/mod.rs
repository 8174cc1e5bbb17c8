//! The pages of Blocks: the list, one Block with its rows, its columns to edit.

mod edit;
mod show;

pub use edit::{change, create, delete, delete_form, edit_form, new_form};
pub use show::{list, rows_csv, show};

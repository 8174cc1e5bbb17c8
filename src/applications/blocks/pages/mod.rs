//! The pages of Blocks: the list, one Block with its rows, its columns to edit.

mod difference;
mod edit;
mod show;

pub use difference::{Compared, Written};
pub use edit::{change, create, delete, delete_form, edit_form, new_form};
pub use show::{list, rows_csv, show};

//! The pages of this room: what was handed over and what is flagged; the form; the day a member goes.

mod drawn;
mod hand_over;
mod leaving;
mod list;

pub use hand_over::{hand_over, hand_over_form};
pub use leaving::{deactivate, deactivate_form};
pub use list::{list, undo};

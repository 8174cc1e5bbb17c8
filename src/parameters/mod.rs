//! Parameters of import configurations: what a configuration asks for, the values that a schedule or a run gives, and
//! how a value goes where it is used.
//!
//! A configuration declares its [`Parameter`]s and names them in braces, `{day}` or `{day:%Y%m}`. Values are a JSON object
//! beside a schedule or a run; [`accept`] is the one door by which they come in, and seals secrets there, so that no
//! row, answer or log holds one. A secret is sealed for its configuration and name, and in one way only: the same
//! secret is the same text, so that two schedules can be told to be alike and a second click to be the first one's.
//! When a run begins, [`resolve`] settles what relative dates and defaults mean ([`relative`]), once; [`Values`] then write
//! themselves into each place as that place allows ([`template`]).
//!
//! All of it is pure. Who runs when, and for whom, is unknown here.

mod body;
mod declaring;
mod fields;
mod model;
pub mod relative;
mod sealing;
mod template;
#[cfg(test)]
mod tests;
mod told;
mod uses;
mod values;

pub use body::ParameterBody;
pub use declaring::{Declared, declared_rows};
pub use fields::{Fields, asked, given};
pub use model::{MAX_PARAMETERS, Parameter, ParameterType, check, choice_lines};
pub use sealing::{Target, all_shut, has_secret, is_secret, seal_anew, sealed_for_copies, shut};
pub use template::{Template, Where};
pub use told::{all_told, told};
pub use uses::{in_constant, in_filter, in_path, in_query};
pub use values::{MASK, Values, accept, declared, mask, renamed, resolve, same, shown, unmask};

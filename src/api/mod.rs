//! REST under `/api/v1`: what pages do, for programs. A handler takes the request ([`Call`], [`Body`]), calls the same
//! action that a page calls, and answers with the shapes of the contract; it holds no rule of its own. What it takes and
//! answers stands in its signature, from which the OpenAPI document follows.
//!
//! A token in `Authorization` says who acts; cookies do not count here. Whatever is refused is a problem document
//! ([`Problem`]). Rights come before contents: whoever may not do a thing learns that first, and not what else is
//! wrong with what they sent.

pub mod address;
mod body;
mod call;
pub mod document;
mod once;
mod operation;
mod operations;
mod page;
mod problem;
mod reply;
mod said;
mod store;
mod upload;

pub mod applications;
pub mod audit;
pub mod blocks;
pub mod configurations;
pub mod connections;
pub mod freezes;
pub mod groups;
pub mod import_sets;
pub mod kept_files;
pub mod members;
pub mod notifications;
pub mod previews;
pub mod promises;
pub mod promotions;
pub mod reference;
pub mod roles;
pub mod runs;
pub mod schedules;
pub mod test_runs;
pub mod translations;

pub use body::{Body, Patch};
pub use call::Call;
pub use page::{List, PageQuery};
pub use problem::Problem;
pub use reply::{Begun, Gone, Made, Reply, Shown};
pub use store::forget_old as forget_answers;

/// What a handler answers.
pub type Answer<K> = Result<Reply<K>, Problem>;

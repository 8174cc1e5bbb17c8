//! REST under `/api/v1`: what pages do, for programs. A handler reads the request ([`Call`], [`Body`], [`Params`]),
//! calls the same action that a page calls, and answers with the shapes of the contract; it holds no rule of its own.
//!
//! A token in `Authorization` says who acts; cookies do not count here. Whatever is refused is a problem document
//! ([`Problem`]). Rights come before contents: whoever may not do a thing learns that first, and not what else is
//! wrong with what they sent.

pub mod address;
mod body;
mod call;
mod once;
mod params;
mod problem;
mod reply;
mod store;
mod upload;

pub mod applications;
pub mod blocks;
pub mod configurations;
pub mod connections;
pub mod freezes;
pub mod members;
pub mod runs;
pub mod schedules;

pub use body::{Body, Members};
pub use call::Call;
pub use params::{Page, Params};
pub use problem::Problem;
pub use reply::Reply;
pub use store::forget_old as forget_answers;

/// What a handler answers.
pub type Answer = Result<actix_web::HttpResponse, Problem>;

//! Furniture for pages, without a word of the product: the shell around every page, forms, the guard against forged
//! requests, flash messages, error pages, assets.

mod address;
pub mod arrival;
pub mod assets;
mod confirm;
pub mod csrf;
pub mod download;
pub mod errors;
pub mod flash;
pub mod form;
pub mod guard;
pub mod list;
pub mod page;
mod qr;
pub mod zones;

pub use address::{client_address, local_path, network, untrusted_proxy};
pub use confirm::ConfirmPage;
pub use errors::{at_controls, overtaken, refused};
pub use flash::Flash;
pub use form::Form;
pub use list::Listing;
pub use page::{Crumb, Icon, NavItem, Page, Shell, control_id, go_on, icon, is_fragment, render, see_other};
pub use qr::{QrHtml, qr};

//! The suite: this list of modules is its table of contents. `support` has the people, the browsers and the databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[macro_use]
mod support;

// The house itself.
mod architecture;
mod migrations;
// What holds for every address.
mod barriers;
mod csrf;
mod headers;
mod hostile;
mod matrix;
mod pages;
// The product's nouns.
mod account;
mod api;
mod applications;
mod at_size;
mod audit_log;
mod blocks;
mod broken;
mod bulk;
mod bulk_pages;
mod calendar;
mod collisions;
mod connections;
mod connectors;
mod dependencies;
mod counts;
mod dispatching;
mod elsewhere;
mod environments;
mod feeds;
mod formats;
mod freezes;
mod groups;
mod import_sets;
mod imports;
mod invitations;
mod kept_files;
mod loading;
mod members;
mod notifications;
mod oracle;
mod overview;
mod ownership;
mod parameters;
mod passwords;
mod promises;
mod refusals;
mod retention;
mod roles;
mod rows;
mod running;
mod schedules;
mod second_factor;
mod seeds;
mod setup;
mod sign_in;
mod simulation;
mod taken_away;
mod tokens;
mod turns;
mod translations;
mod wizard;
// The program itself.
mod process;
// Whole walks in a real browser.
mod journeys;
// The tools of this suite.
mod tools;

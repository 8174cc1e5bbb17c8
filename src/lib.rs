//! Tidegate runs a company's data imports on schedule. This file is the map: the rooms stand in the order of their
//! ranks, and a room knows only rooms above it. Reading it from top to bottom is reading the dependency graph;
//! `tests/suite/architecture.rs` holds it.
//!
//! Nobody calls up: what a higher room needs to know, it reads.

// What is true anywhere.
pub mod clock;
pub mod error;
// How things are said and compared.
pub mod words;
pub mod names;
// What JSON looks like: read, written, described.
pub mod shape;
// From bytes to rows.
pub mod formats;
// The process: settings, sealing, files that wait, the disk, memory, the two databases, the ways to reach the outside, mail, what
// goes on, and `App`, which holds them.
pub mod config;
pub mod secrets;
pub mod spool;
pub mod disk;
pub mod memory;
pub mod db;
pub mod connectors;
pub mod mail;
pub mod workspace;
pub mod in_use;
pub mod going;
pub mod lately;
pub mod app;
// Furniture for pages.
pub mod web;
// What was done, by whom.
pub mod audit;
// The product's nouns.
pub mod members;
pub mod applications;
pub mod translations;
pub mod files;
pub mod parameters;
pub mod connections;
pub mod imports;
pub mod import_sets;
pub mod schedules;
pub mod freezes;
pub mod runs;
pub mod notifications;
pub mod promises;
pub mod watching;
// Copies of whole Applications, and emptying them.
pub mod environments;
// Calendars to subscribe to.
pub mod feeds;
// Handing schedules over.
pub mod ownership;
// The page this product is known for.
pub mod import_scheduling;
// The home page.
pub mod overview;
// Who did what, when.
pub mod audit_log;
// Imports and schedules taken from one Application to another.
pub mod promotions;
// The same actions as the pages, for programs.
pub mod api;
// The process again: what guards, what is put right at its start, how its key is changed, what beats, what answers.
pub mod guards;
pub mod recovery;
pub mod keys;
pub mod background;
pub mod health;
pub mod routes;
pub mod server;
// A Workspace to look at.
pub mod demo;
// The commands, above all of it.
pub mod command_line;

//! What to fetch, how to map and check it, and which Block it fills.

pub mod files;

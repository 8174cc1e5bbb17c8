//! The page this product is known for: when each import runs, who owns it, how the last runs went. It stands above
//! the rooms whose nouns it shows (imports, schedules, runs) and reads them; nobody reads it.

mod card;
mod form;
mod preview;

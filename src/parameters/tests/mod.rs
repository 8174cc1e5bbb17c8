//! Parameters by themselves: no database, no clock.

mod dates;
mod texts;
mod values;

//! What freezes do by the clock: which hold and which are over ([`clock`]), what they skip ([`skipping`]), and what
//! runs once when they end ([`thaw`]).

pub mod clock;
pub mod skipping;
pub mod thaw;

//! From a moment to runs in the queue: [`dispatcher`] claims what is due, [`planning`] says what becomes of each
//! occurrence, [`naming`] what its run is called, [`freezing`] does by the clock what freezes ask for.

pub mod dispatcher;
mod freezing;
mod naming;
mod occurrence;
mod planning;
pub mod standing;

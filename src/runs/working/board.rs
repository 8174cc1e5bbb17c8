//! Where the work of a run writes how far it is, and the heartbeat reads it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::leases_store::Report;
use super::told::step;
use crate::clock::Moment;
use crate::imports::pipeline::{CHECK, CHECKING, Progress, READ, READING};
use crate::runs::model::RunStep;
use crate::words;

#[derive(Default)]
pub struct Board(Mutex<Report>);

impl Board {
    pub fn update(&self, change: impl FnOnce(&mut Report)) {
        change(&mut self.lock());
    }

    /// These steps have ended.
    pub fn done(&self, steps: &[RunStep]) {
        self.update(|report| report.steps = steps.to_vec());
    }

    /// How far a load is.
    pub fn loads(&self, now: Progress) {
        self.update(|report| {
            report.phase = now.phase.into();
            (report.rows, report.bytes, report.bytes_total) = (now.rows, now.bytes, now.of);
        });
    }

    /// This phase of a load, which began then, is over.
    pub fn done_with(&self, phase: &str, began: (Moment, Instant)) {
        let name = match phase {
            READING => READ,
            CHECKING => CHECK,
            // What the end of the load tells.
            _ => return,
        };
        self.update(|report| report.steps.push(step(name, began, true, &format!("{}.", words::rows(report.rows)))));
    }

    pub fn read(&self) -> Report {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, Report> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

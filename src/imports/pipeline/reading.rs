//! The thread that reads: rows into parcels, which another thread loads, while how long it read and how long it checked
//! is told apart.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender};
use std::time::{Duration, Instant};

use super::checker::Checker;
use super::told::Changes;
use crate::applications::blocks::batch::Batch;
use crate::applications::blocks::rejects::RejectBatch;
use crate::formats::{FormatError, Record, Rows};

/// What the reading thread has done so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Reading {
    pub rows: i64,
    pub bytes: i64,
    /// Rows that the checks of single cells rejected.
    pub rejected: i64,
    /// How many of them are lines that were lost with another row.
    pub extra: i64,
    /// Cells that are changed while loading, of rows whose cells are all good.
    pub changed: i64,
    /// Blank lines.
    pub blank: i64,
    /// Rows that went into batches.
    pub staged: i64,
    pub reading: Duration,
    pub checking: Duration,
    /// When the first row was read.
    pub checked: Option<Instant>,
}

/// Goes round between the two threads.
pub(super) struct Parcel {
    pub batch: Batch,
    pub rejects: RejectBatch,
    pub read: Reading,
}

/// Parcels in flight: one is filled, one is written, one waits.
pub(super) const PARCELS: usize = 3;
/// One row in so many is timed, to tell reading from checking without a clock's price per row.
const SAMPLE: i64 = 64;

/// The reading thread: fills parcels until the source ends, or until nobody takes them any more. Answers what of the rows
/// that it read is changed.
pub(super) fn read_all(
    mut reader: Box<dyn Rows + '_>,
    checker: &Checker,
    cancelled: &AtomicBool,
    returning: Receiver<Parcel>,
    full: SyncSender<Parcel>,
) -> Result<Changes, FormatError> {
    let mut record = Record::new();
    let mut changes = Changes::of(checker.routes().len());
    let mut read = Reading::default();
    let mut more = true;
    while more {
        let Ok(mut parcel) = returning.recv() else { return Ok(changes) };
        let mut sampled = Sampled::default();
        let began = Instant::now();
        while !parcel.batch.is_full() && !parcel.rejects.is_full() {
            let timed = (read.rows % SAMPLE == 0).then(Instant::now);
            more = reader.next(&mut record)?;
            if !more {
                break;
            }
            let between = timed.map(|start| (start, Instant::now()));
            let before = read.rejected - read.extra;
            let good = checker.row(&record, &mut parcel.batch, &mut parcel.rejects, before, &mut changes);
            if let Some((start, middle)) = between {
                read.checked.get_or_insert(middle);
                sampled.add(middle - start, middle.elapsed());
            }
            if good {
                read.rows += 1;
                read.staged += 1;
            } else {
                let weight = record.weight() as i64;
                read.rows += weight;
                read.rejected += weight;
                read.extra += weight - 1;
                if cancelled.load(Ordering::Relaxed) {
                    break;
                }
            }
        }
        let (reading, checking) = sampled.share(began.elapsed());
        read.reading += reading;
        read.checking += checking;
        read.bytes = reader.bytes_read() as i64;
        read.blank = reader.blank() as i64;
        read.changed = changes.total();
        parcel.read = read;
        if full.send(parcel).is_err() {
            return Ok(changes);
        }
    }
    Ok(changes)
}

/// How the time of a parcel divides between reading and checking, from some of its rows.
#[derive(Default)]
struct Sampled {
    reading: Duration,
    checking: Duration,
}

impl Sampled {
    fn add(&mut self, reading: Duration, checking: Duration) {
        self.reading += reading;
        self.checking += checking;
    }

    fn share(&self, whole: Duration) -> (Duration, Duration) {
        let sum = (self.reading + self.checking).as_secs_f64();
        if sum == 0.0 {
            return (whole, Duration::ZERO);
        }
        let reading = whole.mul_f64(self.reading.as_secs_f64() / sum);
        (reading, whole.saturating_sub(reading))
    }
}

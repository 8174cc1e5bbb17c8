//! The threads of one process that see runs through: as many at a time as its settings allow.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use super::executor;
use crate::app::{App, off_thread};

/// How long a process that is asked to stop waits for its runs; by then the executor has given back what goes on.
const PATIENCE: Duration = Duration::from_secs(20);

pub struct Crew {
    places: Arc<Semaphore>,
    at_work: TaskTracker,
}

impl Crew {
    pub fn new(app: &App) -> Self {
        Self { places: Arc::new(Semaphore::new(app.config.runs_at_once.max(1))), at_work: TaskTracker::new() }
    }

    /// Takes runs while there is a free place and a run that may begin.
    pub async fn take_all(&self, app: &Data<App>) {
        while let Ok(place) = self.places.clone().try_acquire_owned() {
            let asked = app.clone();
            let taken = match off_thread(move || executor::take(&asked)).await {
                Ok(Some(taken)) => taken,
                Ok(None) => return,
                Err(error) => {
                    tracing::warn!(%error, "no run could be taken; it is tried again");
                    return;
                }
            };
            let app = app.clone();
            self.at_work.spawn_blocking(move || {
                let run = taken.run.id;
                if let Err(error) = executor::see_through(&app, taken, &super::work::Import) {
                    tracing::error!(run, %error, "the end of a run could not be written; the rescue will");
                }
                drop(place);
                app.work.notify_one();
            });
        }
    }

    /// Takes runs whenever somebody rings, until the process is asked to stop.
    pub async fn serve(&self, app: &Data<App>) {
        loop {
            tokio::select! {
                () = app.stop.cancelled() => return,
                () = app.work.notified() => self.take_all(app).await,
            }
        }
    }

    /// Waits until all runs have ended or were given back.
    pub async fn rest(&self) {
        self.at_work.close();
        if tokio::time::timeout(PATIENCE, self.at_work.wait()).await.is_err() {
            tracing::warn!("some runs did not end in time; they are tried again after the next start");
        }
    }
}

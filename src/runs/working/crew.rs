//! The threads of one process that see runs through: as many at a time as its settings allow.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::Data;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use super::executor;
use super::work::Import;
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
        while let Ok(first) = self.places.clone().try_acquire_owned() {
            let mut places = vec![first];
            while let Ok(another) = self.places.clone().try_acquire_owned() {
                places.push(another);
            }
            // All free places at once: one transaction costs as much as several, one for each run.
            let (asked, free) = (app.clone(), places.len());
            let taken = match off_thread(move || executor::take_up_to(&asked, free)).await {
                Ok(taken) if taken.is_empty() => return,
                Ok(taken) => taken,
                Err(error) => {
                    tracing::warn!(%error, "no run could be taken; it will be tried again");
                    return;
                }
            };
            for (taken, place) in taken.into_iter().zip(places) {
                let (asked, kept) = (app.clone(), taken.clone());
                if let Err(error) = self.begin(app, taken, place) {
                    tracing::error!(run = kept.run.id, %error, "no thread was available for a run");
                    let back = move || executor::give_back(&asked, &kept, "The server had no free thread for it.");
                    if let Err(error) = off_thread(back).await {
                        tracing::error!(%error, "a run could not be given back; the rescue will look after it");
                    }
                }
            }
        }
    }

    /// A thread that sees a run through, and after it the next: to hand the place over to another thread would take longer
    /// than a small run.
    fn begin(&self, app: &Data<App>, taken: executor::Taken, place: OwnedSemaphorePermit) -> std::io::Result<()> {
        // Lives as long as the thread, so that `rest` waits for it.
        let (app, at_work) = (app.clone(), self.at_work.token());
        std::thread::Builder::new().name("runs".into()).spawn(move || {
            give_way();
            let mut next = Some(taken);
            while let Some(taken) = next {
                let run = taken.run.id;
                if let Err(error) = executor::see_through(&app, taken, &Import) {
                    tracing::error!(run, %error, "the end of a run could not be written; the rescue will");
                }
                next = executor::take_next(&app).unwrap_or_else(|error| {
                    tracing::warn!(%error, "no run could be taken; it will be tried again");
                    None
                });
            }
            drop((place, at_work));
            app.work.notify_one();
        })?;
        Ok(())
    }

    /// Takes runs whenever somebody rings, until the process is asked to stop. `rest` waits for this too: what it is
    /// taking at that moment still begins, or is given back.
    pub fn serve(self: &Arc<Self>, app: &Data<App>) {
        let (crew, app) = (self.clone(), app.clone());
        self.at_work.spawn(async move {
            loop {
                tokio::select! {
                    () = app.stop.cancelled() => return,
                    () = app.work.notified() => crew.take_all(&app).await,
                }
            }
        });
    }

    /// Waits until all runs have ended or were given back.
    pub async fn rest(&self) {
        self.at_work.close();
        if tokio::time::timeout(PATIENCE, self.at_work.wait()).await.is_err() {
            tracing::warn!("some runs did not end in time; they are tried again after the next start");
        }
    }
}

/// Pages go before imports: this thread and those that it begins get less of a busy processor. A thread of its own,
/// because what is given up here does not come back.
fn give_way() {
    #[cfg(target_os = "linux")] // elsewhere it would slow the whole process
    if let Err(error) = rustix::process::setpriority_process(None, 10) {
        tracing::debug!(%error, "a run uses the usual priority");
    }
}

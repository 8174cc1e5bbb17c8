//! Every recurring job, one line each. The only file that knows tokio-cron-scheduler: it gives the beat (cron-type
//! jobs in UTC), the steps decide what is due. Each job is a step of its room; the loop around it has no logic.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::web::Data;
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::app::{App, off_thread};
use crate::error::Result;

/// Starts the jobs that this process's role has. They end when the scheduler is shut down.
pub async fn start(app: &Data<App>) -> Result<JobScheduler, String> {
    let jobs = JobScheduler::new().await.map_err(|e| e.to_string())?;
    if app.config.role.works() {
        // every second: claim due schedules; every second: take queued runs; …
    }
    every("0/10 * * * * *", &jobs, app, refresh_clock).await?;
    jobs.start().await.map_err(|e| e.to_string())?;
    Ok(jobs)
}

/// Adds a job that never overlaps with itself. A step that fails is logged and comes again with the next beat.
async fn every(beat: &str, jobs: &JobScheduler, app: &Data<App>, step: fn(&App) -> Result<()>) -> Result<(), String> {
    let app = app.clone();
    let busy = Arc::new(AtomicBool::new(false));
    let job = Job::new_async(beat, move |_, _| {
        let (app, busy) = (app.clone(), busy.clone());
        Box::pin(async move {
            if app.stop.is_cancelled() || busy.swap(true, Ordering::AcqRel) {
                return;
            }
            if let Err(error) = off_thread(move || step(&app)).await {
                tracing::warn!(%error, "a background step failed; it is tried again");
            }
            busy.store(false, Ordering::Release);
        })
    });
    jobs.add(job.map_err(|e| e.to_string())?).await.map_err(|e| e.to_string())?;
    Ok(())
}

fn refresh_clock(app: &App) -> Result<()> {
    app.server_clock.as_ref().map_or(Ok(()), |clock| clock.refresh())
}

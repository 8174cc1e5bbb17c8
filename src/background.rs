//! Every recurring job, one line each. The only file that knows tokio-cron-scheduler: it gives the beat (cron-type
//! jobs in UTC), the steps decide what is due. Each job is a step of its room; the loop around it has no logic.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use tokio_cron_scheduler::{Job, JobScheduler};

use crate::app::{App, off_thread};
use crate::error::Result;
use crate::notifications::incidents::{self, reminding};
use crate::notifications::outlets::{self, posting};
use crate::notifications::{self, announcing, broken, delivering, expiring, gathering, owners};
use crate::promises::keeping;
use crate::runs::crew::Crew;
use crate::runs::{counting, dispatcher, rescue, retention, workers};
use crate::{api, audit, feeds, members, watching};

/// The jobs of a process, until they are stopped.
pub struct Background {
    jobs: JobScheduler,
    crew: Option<Arc<Crew>>,
    app: Data<App>,
}

/// Starts the jobs that this process's role has.
pub async fn start(app: &Data<App>) -> Result<Background, String> {
    let jobs = JobScheduler::new().await.map_err(|e| e.to_string())?;
    every("0/10 * * * * *", &jobs, app, blocking(refresh_clock)).await?;
    every("7/10 * * * * *", &jobs, app, blocking(tend_disk)).await?;
    every("3/15 * * * * *", &jobs, app, blocking(members::write_seen)).await?;
    every("9/15 * * * * *", &jobs, app, blocking(audit::write_refusals)).await?;
    every("30 7 * * * *", &jobs, app, blocking(forget_old)).await?;
    every("18 * * * * *", &jobs, app, blocking(|app| app.db.write(feeds::end_of_inactive).map(|_| ()))).await?;
    let mut crew = None;
    if app.config.role.works() {
        let worker = app.clone();
        // Before anything begins: what a process that was killed left behind.
        off_thread(move || {
            workers::seen(&worker)?;
            rescue::at_start(&worker)
        })
        .await
        .map_err(|e| e.to_string())?;
        every("0/1 * * * * *", &jobs, app, dispatch).await?;
        every("1/2 * * * * *", &jobs, app, blocking(|app| announcing::step(app).map(|_| ()))).await?;
        every("0/2 * * * * *", &jobs, app, deliver).await?;
        every("0/2 * * * * *", &jobs, app, deliver_in_slack).await?;
        every("1/2 * * * * *", &jobs, app, post).await?;
        every("11/15 * * * * *", &jobs, app, blocking(|app| gathering::step(app).map(|_| ()))).await?;
        every("21 * * * * *", &jobs, app, blocking(|app| reminding::step(app).map(|_| ()))).await?;
        every("33 * * * * *", &jobs, app, blocking(broken::step)).await?;
        every("5 3 * * * *", &jobs, app, blocking(expiring::step)).await?;
        every("43 1/5 * * * *", &jobs, app, blocking(reminding::tidy)).await?;
        every("13/30 * * * * *", &jobs, app, blocking(|app| owners::changes(app).map(|_| ()))).await?;
        every("51 0/5 * * * *", &jobs, app, blocking(|app| owners::unable(app).map(|_| ()))).await?;
        every("0/15 * * * * *", &jobs, app, blocking(workers::seen)).await?;
        every("11/30 * * * * *", &jobs, app, blocking(|app| keeping::step(app).map(|_| ()))).await?;
        every("50 * * * * *", &jobs, app, blocking(|app| watching::step(app).map(|_| ()))).await?;
        every("40 * * * * *", &jobs, app, blocking(counting::step)).await?;
        every("0 17 * * * *", &jobs, app, blocking(retain)).await?;
        every("0 27 * * * *", &jobs, app, blocking(workers::forget_gone)).await?;
        every("2/5 * * * * *", &jobs, app, blocking(|app| rescue::step(app).map(|_| ()))).await?;
        crew = Some(muster(app));
    }
    jobs.start().await.map_err(|e| e.to_string())?;
    Ok(Background { jobs, crew, app: app.clone() })
}

impl Background {
    /// Waits until all runs have ended or were given back. The App was asked to stop before.
    pub async fn stop(mut self) {
        let _ = self.jobs.shutdown().await;
        if let Some(crew) = &self.crew {
            crew.rest().await;
            let app = self.app.clone();
            let _ = off_thread(move || workers::leave(&app)).await;
        }
        let _ = off_thread(move || {
            audit::write_last_refusals(&self.app)?;
            members::write_seen(&self.app)
        })
        .await;
    }
}

/// The threads that see runs through; each second's beat and whoever starts a run ring for them.
fn muster(app: &Data<App>) -> Arc<Crew> {
    let crew = Arc::new(Crew::new(app));
    crew.serve(app);
    crew
}

/// Claims what is due. What comes before the next beat is waited for, so that it is claimed at its very moment.
fn dispatch(app: Data<App>) -> Step {
    Box::pin(async move {
        loop {
            let step = app.clone();
            let done = off_thread(move || dispatcher::step(&step)).await?;
            app.work.notify_one();
            let wait = done.next_due.and_then(|at| at.since(app.now()).to_std().ok());
            match wait.filter(|wait| *wait < Duration::from_millis(1_500)) {
                Some(wait) => tokio::select! {
                    () = app.stop.cancelled() => return Ok(()),
                    () = tokio::time::sleep(wait + Duration::from_millis(1)) => {}
                },
                None => return Ok(()),
            }
        }
    })
}

/// A job of its own: a mail server that hangs keeps nothing out of the inboxes.
fn deliver(app: Data<App>) -> Step {
    Box::pin(async move { delivering::step(&app).await.map(|_| ()) })
}

/// The same of Slack and its limits.
fn deliver_in_slack(app: Data<App>) -> Step {
    Box::pin(async move { delivering::slack_step(&app).await.map(|_| ()) })
}

fn post(app: Data<App>) -> Step {
    Box::pin(async move { posting::step(&app).await.map(|_| ()) })
}

/// A job: started with each beat, unless the last one still goes on.
type Step = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A step that blocks, off the async threads.
fn blocking(step: fn(&App) -> Result<()>) -> impl Fn(Data<App>) -> Step + Copy + Send + Sync + 'static {
    move |app| Box::pin(off_thread(move || step(&app)))
}

/// A job goes on as long as this lives.
struct Busy(Arc<AtomicBool>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

/// Adds a job that never overlaps with itself. A step that fails is logged and comes again with the next beat.
async fn every(
    beat: &str,
    jobs: &JobScheduler,
    app: &Data<App>,
    step: impl Fn(Data<App>) -> Step + Copy + Send + Sync + 'static,
) -> Result<(), String> {
    let app = app.clone();
    let busy = Arc::new(AtomicBool::new(false));
    let job = Job::new_async(beat, move |_, _| {
        let (app, busy) = (app.clone(), busy.clone());
        Box::pin(async move {
            if !app.stop.is_cancelled() {
                unless_busy(busy, || step(app)).await;
            }
        })
    });
    jobs.add(job.map_err(|e| e.to_string())?).await.map_err(|e| e.to_string())?;
    Ok(())
}

/// Takes a step unless the one before goes on still.
async fn unless_busy<S: Future<Output = Result<()>>>(busy: Arc<AtomicBool>, step: impl FnOnce() -> S) {
    if busy.swap(true, Ordering::AcqRel) {
        return;
    }
    // Also when the step panics: it runs again at the next beat.
    let _busy = Busy(busy);
    if let Err(error) = step().await {
        tracing::warn!(%error, "a background step failed; it will be tried again");
    }
}

fn refresh_clock(app: &App) -> Result<()> {
    app.server_clock.as_ref().map_or(Ok(()), |clock| clock.refresh())
}

fn tend_disk(app: &App) -> Result<()> {
    app.disk.tend();
    if app.disk.is_short() {
        app.blocks.shrink();
        app.db.shrink();
    }
    Ok(())
}

/// What ended by itself: sessions, sign-ins that failed, answers kept for repeats, tokens.
fn forget_old(app: &App) -> Result<()> {
    let now = app.now();
    app.db.write(|conn| {
        members::forget_ended(conn, now)?;
        members::forget_attempts(conn, now)?;
        // Answers before the tokens that they belong to.
        api::forget_answers(conn, now)?;
        members::forget_tokens(conn, now)?;
        Ok(())
    })
}

/// Old runs, and files that nothing imports any more.
fn retain(app: &App) -> Result<()> {
    retention::step(app)?;
    retention::forget_unused_files(app, app.now().minus(retention::UNUSED_FILES))?;
    while app.db.write(|conn| notifications::forget_old(conn, app.now()))? > 0 && !app.stop.is_cancelled() {}
    while app.db.write(|conn| outlets::forget_old(conn, app.now()))? > 0 && !app.stop.is_cancelled() {}
    while app.db.write(|conn| incidents::forget_old(conn, app.now()))? > 0 && !app.stop.is_cancelled() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_panicked_is_taken_again() {
        let busy = Arc::new(AtomicBool::new(false));
        let panics = unless_busy(busy.clone(), || async { panic!("on purpose") });
        assert!(tokio::spawn(panics).await.is_err());
        let (taken, inner) = (AtomicBool::new(false), busy.clone());
        unless_busy(busy, || async {
            taken.store(true, Ordering::Release);
            unless_busy(inner, || async { panic!("never beside itself") }).await;
            Ok(())
        })
        .await;
        assert!(taken.load(Ordering::Acquire));
    }
}

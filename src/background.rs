//! Every recurring job, one line each. The only file that knows tokio-cron-scheduler: it gives the beat of each second,
//! the steps decide what is due. Each job is a step of its room; the loop around it has no logic.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use actix_web::web::Data;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::app::{App, off_thread};
use crate::environments::standing;
use crate::error::Result;
use crate::notifications::incidents::{self, reminding};
use crate::notifications::outlets::{self, posting};
use crate::notifications::{self, announcing, broken, delivering, expiring, gathering, owners};
use crate::promises::keeping;
use crate::runs::crew::Crew;
use crate::runs::{counting, dispatcher, executor, rescue, retention, workers};
use crate::{api, audit, environments, feeds, members, ownership, watching};

/// The jobs of a process, until they are stopped.
pub struct Background {
    jobs: JobScheduler,
    crew: Option<Arc<Crew>>,
    app: Data<App>,
}

/// Starts the jobs that this process's role has.
pub async fn start(app: &Data<App>) -> Result<Background, String> {
    let mut beats = Beats::default();
    beats.every(10, 0, blocking(refresh_clock));
    beats.every(10, 7, blocking(tend_disk));
    beats.every(10, 4, blocking(standing::refresh));
    beats.every(15, 3, blocking(members::write_seen));
    beats.every(15, 9, blocking(audit::write_refusals));
    beats.every(HOUR, 450, blocking(forget_old));
    beats.every(MINUTE, 18, blocking(|app| feeds::end_of_inactive(app).map(|_| ())));
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
        beats.every(1, 0, dispatch);
        beats.every(2, 1, tell());
        beats.every(15, 11, blocking(|app| gathering::step(app).map(|_| ())));
        beats.every(MINUTE, 21, blocking(|app| unless_standing_by(app, |app| reminding::step(app).map(|_| ()))));
        beats.every(MINUTE, 33, blocking(|app| unless_standing_by(app, broken::step)));
        beats.every(HOUR, 185, blocking(|app| unless_standing_by(app, expiring::step)));
        beats.every(5 * MINUTE, 103, blocking(reminding::tidy));
        beats.every(30, 13, blocking(|app| owners::changes(app).map(|_| ())));
        beats.every(5 * MINUTE, 51, blocking(|app| owners::unable(app).map(|_| ())));
        beats.every(15, 0, blocking(workers::seen));
        beats.every(30, 11, blocking(|app| unless_standing_by(app, |app| keeping::step(app).map(|_| ()))));
        beats.every(MINUTE, 50, blocking(|app| unless_standing_by(app, |app| watching::step(app).map(|_| ()))));
        beats.every(MINUTE, 40, blocking(counting::step));
        beats.every(HOUR, 1020, blocking(retain));
        beats.every(HOUR, 1620, blocking(workers::forget_gone));
        beats.every(5, 2, blocking(|app| rescue::step(app).map(|_| ())));
        beats.every(3, 1, blocking(|app| environments::step(app).map(|_| ())));
        crew = Some(muster(app));
    }
    let jobs = start_beats(app, beats).await.map_err(|e| e.to_string())?;
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
            let (done, rings) = off_thread(move || Ok((dispatcher::step(&step)?, executor::may_take(&step)?))).await?;
            if rings {
                app.work.notify_one();
            }
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

/// Outcomes become notices, and what is due is handed over. Each way is a job of its own: a mail server that hangs keeps
/// nothing out of the inboxes, and holds up no Slack.
fn tell() -> impl Fn(Data<App>) -> Step + Send + Sync + 'static {
    let [mail, in_slack, posts, unable]: [Arc<AtomicBool>; 4] = Default::default();
    let read_up_to = Arc::new(AtomicI64::new(0));
    move |app| {
        let (mail, in_slack, posts, unable) = (mail.clone(), in_slack.clone(), posts.clone(), unable.clone());
        let read_up_to = read_up_to.clone();
        Box::pin(async move {
            let asked = app.clone();
            let (told, due) = off_thread(move || Ok((announcing::step(&asked), notifications::due(&asked)?))).await?;
            if due.mail {
                tokio::spawn(unless_busy(mail, deliver(app.clone())));
            }
            if due.slack {
                tokio::spawn(unless_busy(in_slack, deliver_in_slack(app.clone())));
            }
            if due.posts {
                tokio::spawn(unless_busy(posts, post(app.clone())));
            }
            // Who was deactivated, lost a right or owns something new: what will fail is said at once.
            if read_up_to.swap(due.logged, Ordering::AcqRel) != due.logged {
                tokio::spawn(unless_busy(unable, find_unable(app.clone())));
            }
            told.map(|_| ())
        })
    }
}

async fn find_unable(app: Data<App>) -> Result<()> {
    off_thread(move || owners::unable(&app).map(|_| ())).await
}

async fn deliver(app: Data<App>) -> Result<()> {
    delivering::step(&app).await.map(|_| ())
}

async fn deliver_in_slack(app: Data<App>) -> Result<()> {
    delivering::slack_step(&app).await.map(|_| ())
}

async fn post(app: Data<App>) -> Result<()> {
    posting::step(&app).await.map(|_| ())
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

const MINUTE: i64 = 60;
const HOUR: i64 = 3_600;

/// What is done every so many seconds, so many after the full ones.
struct Beat {
    every: i64,
    at: i64,
    busy: Arc<AtomicBool>,
    step: Box<dyn Fn(Data<App>) -> Step + Send + Sync>,
}

#[derive(Default)]
struct Beats(Vec<Beat>);

impl Beats {
    /// Adds a job that never overlaps with itself. A step that fails is logged and comes again with the next beat.
    fn every(&mut self, every: i64, at: i64, step: impl Fn(Data<App>) -> Step + Send + Sync + 'static) {
        self.0.push(Beat { every, at, busy: Arc::default(), step: Box::new(step) });
    }
}

impl Beat {
    /// Whether a beat lies after one second and not after another: none is lost where seconds were left out.
    fn lies_in(&self, (after, to): (i64, i64)) -> bool {
        let beat = |second: i64| (second - self.at).div_euclid(self.every);
        beat(to) > beat(after)
    }
}

/// One job of the scheduler for all: each of its own reads its cron line anew every half second.
async fn start_beats(app: &Data<App>, beats: Beats) -> Result<JobScheduler, JobSchedulerError> {
    let jobs = JobScheduler::new().await?;
    let second = |app: &App| app.now().micros().div_euclid(1_000_000);
    let (last, app, beats) = (AtomicI64::new(second(app)), app.clone(), Arc::new(beats));
    let job = Job::new_async("* * * * * *", move |_, _| {
        let now = second(&app);
        let span = (last.swap(now, Ordering::AcqRel), now);
        let (app, beats) = (app.clone(), beats.clone());
        Box::pin(async move {
            for beat in beats.0.iter().filter(|beat| beat.lies_in(span) && !app.stop.is_cancelled()) {
                tokio::spawn(unless_busy(beat.busy.clone(), (beat.step)(app.clone())));
            }
        })
    });
    jobs.add(job?).await?;
    jobs.start().await?;
    Ok(jobs)
}

/// Takes a step unless the one before goes on still.
async fn unless_busy(busy: Arc<AtomicBool>, step: impl Future<Output = Result<()>>) {
    if busy.swap(true, Ordering::AcqRel) {
        return;
    }
    // Also when the step panics: it runs again at the next beat.
    let _busy = Busy(busy);
    if let Err(error) = step.await {
        tracing::warn!(%error, "a background step failed; it will be tried again");
    }
}

/// What finds that nothing runs is left out while nothing is to run.
fn unless_standing_by(app: &App, step: impl FnOnce(&App) -> Result<()>) -> Result<()> {
    if app.stands_by() { Ok(()) } else { step(app) }
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
        members::forget_links(conn, now)?;
        members::forget_invitations(conn, now)?;
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
    app.db.write(|conn| ownership::forget_old(conn, app.now()))?;
    while app.db.write(|conn| incidents::forget_old(conn, app.now()))? > 0 && !app.stop.is_cancelled() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_step_that_panicked_is_taken_again() {
        let busy = Arc::new(AtomicBool::new(false));
        let panics = unless_busy(busy.clone(), async { panic!("on purpose") });
        assert!(tokio::spawn(panics).await.is_err());
        let (taken, inner) = (AtomicBool::new(false), busy.clone());
        unless_busy(busy, async {
            taken.store(true, Ordering::Release);
            unless_busy(inner, async { panic!("never beside itself") }).await;
            Ok(())
        })
        .await;
        assert!(taken.load(Ordering::Acquire));
    }

    #[test]
    fn no_beat_is_lost_or_comes_twice() {
        let beat = |every, at| Beat { every, at, busy: Arc::default(), step: Box::new(|_| Box::pin(async { Ok(()) })) };
        let of = |every, at, seconds: &[i64]| {
            let beat = beat(every, at);
            seconds.windows(2).filter(|pair| beat.lies_in((pair[0], pair[1]))).map(|pair| pair[1]).collect::<Vec<_>>()
        };
        assert_eq!(of(2, 1, &[0, 1, 2, 3, 4]), [1, 3]);
        assert_eq!(of(1, 0, &[0, 1, 1, 2]), [1, 2]);
        assert_eq!(of(HOUR, 450, &[440, 449, 452, 4_000, 8_000]), [452, 8_000], "seconds were left out");
        assert_eq!(of(10, 0, &[18, 21, 15, 19, 20]), [21, 20], "the clock was set back");
    }
}

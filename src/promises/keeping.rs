//! One step: every promise is looked at, what was found is remembered, and its turning is told in the same transaction. Safe
//! in many processes at once: each looks again at what it holds.

use super::scene::Scene;
use super::{store, telling};
use crate::app::App;
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};

/// So many are looked at together.
const BATCH: i64 = 200;

/// So many deadlines are settled at one look; of more the next goes on.
const DEADLINES: usize = 100;

/// Looks at all of them; how many stand otherwise than before. Blocks.
pub fn step(app: &App) -> Result<usize> {
    let now = app.now();
    let (mut after, mut turned) = (0, 0);
    loop {
        let look = |conn: &mut Conn| {
            let (promises, last) = store::page(conn, after, BATCH)?;
            // Nobody takes the write lock for nothing, and nothing is asked where nothing is promised.
            let mut changed = Vec::new();
            if !promises.is_empty() {
                let scene = Scene::load(conn, &promises, now)?;
                changed.extend(promises.iter().filter(|p| scene.judge(p).memory != p.memory).map(|p| p.id));
            }
            Ok((changed, last))
        };
        let (changed, last) = app.db.read(look)?;
        for id in changed {
            if app.stop.is_cancelled() {
                return Ok(turned);
            }
            match app.db.write(|conn| look_again(conn, app, id, now)) {
                Ok(()) => turned += 1,
                Err(error @ (AppError::Unavailable { .. } | AppError::DiskFull)) => return Err(error),
                // One that cannot be kept keeps no other from being kept.
                Err(error) => tracing::error!(promise = id, %error, "a promise cannot be looked at"),
            }
        }
        let Some(last) = last else { return Ok(turned) };
        after = last;
    }
}

fn look_again(conn: &mut Conn, app: &App, id: i64, now: Moment) -> Result<()> {
    db::lock_row(conn, "promises", id)?;
    // Again: what answers one deadline says what counts for the next, and an outage may have passed several.
    for _ in 0..DEADLINES {
        let Some(promise) = store::by_id(conn, id)? else { return Ok(()) };
        let scene = Scene::load(conn, std::slice::from_ref(&promise), now)?;
        let judged = scene.judge(&promise);
        if judged.memory == promise.memory {
            return Ok(());
        }
        for turn in &judged.turns {
            telling::tell(conn, app, (&scene, &promise), turn, &judged.standing, now)?;
        }
        store::remember(conn, id, &judged.memory)?;
    }
    Ok(())
}

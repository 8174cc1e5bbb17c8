//! What schedules will do, and what a rule would do.

use super::call::Call;
use super::{Answer, Body, Reply, Shown};
use crate::applications;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::{AppError, FieldErrors, Result};
use crate::freezes::{self, Freeze};
use crate::import_sets;
use crate::imports::{self, Configuration, Overlap};
use crate::members::{By, Scope};
use crate::schedules::collisions::{self, Collision, Neighbour, Start, Target};
use crate::schedules::{self, PreviewOccurrence, RuleDraft, actions};
use crate::shape::{Number, answer, sent};
use crate::words;

/// How many occurrences are told at most.
const MOST: i64 = 1_000;
/// How many are told unless asked.
const USUAL: Number<1, MOST> = Number(5);

sent! {
    /// How much is told.
    pub struct PreviewQuery {
        /// How many occurrences. Default: 5.
        count: Number<1, MOST>,
    }
}

sent! {
    /// Which occurrences.
    pub struct OccurrencesQuery {
        /// Only occurrences after this instant. Default: now.
        after: Moment;
        much: PreviewQuery,
    }
}

sent! {
    /// A rule, and what it would run.
    pub struct PreviewBody {
        /// Where to look for collisions and freezes.
        application_id: i64,
        /// What it would run; this or `set_id`.
        configuration_id: i64,
        set_id: i64,
        /// The schedule being edited: it does not collide with itself.
        schedule_id: i64;
        rule: RuleDraft,
    }
}

answer! {
    /// When a schedule runs.
    pub struct OccurrencesAnswer {
        occurrences: Vec<PreviewOccurrence>,
        /// The last of them, to continue from; null means that there are no more.
        next: Option<Moment>
    }
}

answer! {
    /// What a rule would do if it were saved now.
    pub struct PreviewAnswer of (preview: schedules::Preview, found: collisions::Collisions) {
        /// The rule in words.
        sentence: String = preview.sentence,
        occurrences: Vec<PreviewOccurrence> = preview.occurrences,
        /// How many runs are left, if it ends within the requested number.
        ends_after: Option<usize> = preview.ends_after,
        /// Advice for schedules that run very often, or that feed each other.
        hint: Option<String> = preview.hint,
        /// What it would collide with, earliest first.
        collisions: Vec<Collision> = found.list,
        /// The nearest start without a collision; null if nothing collides or nothing is free within a day.
        suggestion: Option<Start> = found.suggestion,
    }
}

/// `GET schedules/{s}/occurrences?after=&count=`: strictly after, as if it were on.
pub async fn occurrences(call: Call<OccurrencesQuery>) -> Answer<Shown<OccurrencesAnswer>> {
    let id = call.id("s")?;
    let after = call.query.after.unwrap_or_else(|| call.now());
    let count = call.query.much.count();
    let (schedule, _) = call.read(move |conn, by| actions::find(conn, by, id)).await?;
    let rule = &schedule.rule;
    let mut at: Vec<_> = schedules::occurrences(rule, after).take(count + 1).collect();
    let more = at.len() > count;
    at.truncate(count);
    let next = at.last().copied().filter(|_| more);
    let occurrences = at.into_iter().map(|at| PreviewOccurrence::of(rule, at)).collect();
    Ok(Reply::ok(OccurrencesAnswer { occurrences, next }))
}

/// `POST schedules/preview?count=`: what a rule would do if it were saved now, and what it would come too close to.
/// Nothing is saved.
pub async fn preview(call: Call<PreviewQuery>, body: Body<PreviewBody>) -> Answer<Shown<PreviewAnswer>> {
    if call.by.need_scope(Scope::Schedule).is_err() {
        call.by.need_scope(Scope::Read)?;
    }
    let (now, count) = (call.now(), call.query.count());
    body.bytes()?;
    let (sent, mut errors) = body.look()?;
    let rule = sent.rule.clone().parse().and_then(|rule| rule.check_future(now).map(|()| rule));
    let rule = rule.map_err(|more| errors.extend(more)).ok();
    let (freezes, beside, more) = call.read(move |conn, by| sent.look_up(conn, by)).await?;
    errors.extend(more);
    let Some(rule) = rule.filter(|_| errors.is_empty()) else { return Err(AppError::from(errors).into()) };
    let mut preview = schedules::preview(&rule, beside.as_ref().map(|beside| beside.overlap), now, count);
    freezes::annotate(&mut preview, &freezes);
    let circle = beside.as_ref().and_then(|beside| collisions::circle(&beside.targets, &beside.neighbours));
    preview.hint = words::sentences([preview.hint, circle]);
    let found =
        beside.map(|beside| collisions::look(&rule, &beside.targets, &beside.neighbours, now)).unwrap_or_default();
    Ok(Reply::ok(PreviewAnswer::of(preview, found)))
}

impl PreviewQuery {
    fn count(&self) -> usize {
        self.count.unwrap_or(USUAL).0 as usize
    }
}

/// What a previewed schedule would use, and what there is to come too close to.
struct Beside {
    targets: Vec<Target>,
    overlap: Overlap,
    neighbours: Vec<Neighbour>,
}

impl PreviewBody {
    /// Nothing is shared without a configuration. What is not there, or not in this Application, is wrong at its field.
    fn look_up(&self, conn: &mut Conn, by: &By) -> Result<(Vec<Freeze>, Option<Beside>, FieldErrors)> {
        let (mut errors, mut freezes) = (FieldErrors::new(), Vec::new());
        let Some(application_id) = self.application_id else {
            if self.configuration_id.or(self.set_id).or(self.schedule_id).is_some() {
                errors.add("application_id", "Choose the Application that it would run in.");
            }
            return Ok((freezes, None, errors));
        };
        let Some(entered) = found(applications::enter(conn, by, application_id))? else {
            errors.add("application_id", "There is no such Application.");
            return Ok((freezes, None, errors));
        };
        if entered.may_open_scheduling() {
            freezes = freezes::of_application(conn, application_id)?;
        }
        let schedule = self.schedule_id.map(|id| found(actions::find(conn, by, id))).transpose()?.flatten();
        if self.schedule_id.is_some() && schedule.is_none_or(|(s, _)| s.application_id != application_id) {
            errors.add("schedule_id", "There is no such schedule in this Application.");
        }
        let (uses, overlap) = match (self.configuration_id, self.set_id) {
            (None, None) => return Ok((freezes, None, errors)),
            (Some(_), Some(_)) => {
                errors.add("set_id", "Choose either an import configuration or an import set, not both.");
                return Ok((freezes, None, errors));
            }
            (Some(id), None) => match found(imports::find(conn, &entered, id))? {
                Some((configuration, definition)) => (vec![configuration], definition.overlap),
                None => {
                    errors.add("configuration_id", "There is no such import configuration in this Application.");
                    return Ok((freezes, None, errors));
                }
            },
            (None, Some(id)) => match import_sets::listed_of(conn, application_id, &[id])?.pop() {
                Some((_, definition)) => {
                    let steps: Vec<i64> = definition.steps.iter().map(|step| step.configuration_id).collect();
                    (imports::by_ids(conn, &steps)?, Overlap::Skip)
                }
                None => {
                    errors.add("set_id", "There is no such import set in this Application.");
                    return Ok((freezes, None, errors));
                }
            },
        };
        let target = |configuration: &Configuration| Target {
            application_id,
            set_id: self.set_id,
            configuration_id: configuration.id,
            block_id: configuration.block_id,
            connection_id: configuration.connection_id,
            source_block_id: configuration.source_block_id,
            spacing_minutes: entered.application.spacing_minutes,
            schedule_id: self.schedule_id,
        };
        let targets = uses.iter().map(target).collect();
        // What others schedule is for whoever may open Import Scheduling.
        let neighbours = match entered.may_open_scheduling() {
            true => collisions::neighbours(conn, by, application_id)?,
            false => Vec::new(),
        };
        Ok((freezes, Some(Beside { targets, overlap, neighbours }), errors))
    }
}

/// `None`: it is not there.
fn found<T>(result: Result<T>) -> Result<Option<T>> {
    match result {
        Err(AppError::NotFound) => Ok(None),
        other => other.map(Some),
    }
}

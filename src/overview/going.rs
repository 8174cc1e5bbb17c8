//! What runs now and how far it is, and what waits.

use std::collections::HashMap;

use chrono::Duration;

use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::import_scheduling::run_progress;
use crate::import_sets;
use crate::imports::{self, Target};
use crate::runs::{Progress, Run, RunStatus, across, actions as runs, glance};
use crate::words;

/// So many are drawn.
const SHOWN: usize = 8;
/// So many are looked at: which of them take too long or have waited too long.
const LOOKED_AT: i64 = 60;
/// What takes twice its time, and so much more, needs a look.
const MUCH_LONGER: Duration = Duration::minutes(5);

/// What goes and waits in some Applications.
pub struct Going {
    /// What goes first, then what waits longest.
    pub runs: Vec<Run>,
    pub counts: HashMap<i64, (i64, i64)>,
    pub usual: HashMap<Target, Duration>,
    progress: HashMap<i64, Progress>,
    steps: HashMap<i64, (i64, i64)>,
    /// The runs that the imports' statuses are of, by import: how many rows come usually.
    marks: HashMap<i64, Run>,
    names: HashMap<Target, String>,
    now: Moment,
}

/// A run that goes, as it is drawn.
pub struct Line {
    pub run: i64,
    pub name: String,
    pub application: Option<String>,
    pub phase: String,
    pub rows: String,
    pub value: i64,
    pub max: Option<i64>,
    /// "42.0 s, usually 1 min 10 s"
    pub took: String,
    /// Longer than it should.
    pub long: bool,
}

impl Going {
    /// In a number of queries that does not grow with what goes.
    pub fn load(conn: &mut Conn, application_ids: &[i64], now: Moment) -> Result<Self> {
        let ids = across::under_way(conn, application_ids, LOOKED_AT)?;
        let counts = across::under_way_counts(conn, application_ids)?;
        let mut found = glance::by_ids(conn, &ids)?;
        let open: Vec<Run> = ids.iter().filter_map(|id| found.remove(id)).collect();
        let running: Vec<&Run> = open.iter().filter(|run| run.status == RunStatus::Running).collect();
        let running_ids: Vec<i64> = running.iter().map(|run| run.id).collect();
        let targets: Vec<Target> = open.iter().filter_map(Run::target).collect();
        let configurations: Vec<i64> = targets.iter().filter_map(|target| target.configuration()).collect();
        let sets: Vec<i64> = targets.iter().filter_map(|target| target.set()).collect();
        let (mut names, mut of_marks) = (HashMap::new(), HashMap::new());
        if !configurations.is_empty() {
            for found in imports::by_ids(conn, &configurations)? {
                of_marks.extend(found.status_run_id.map(|run| (run, found.id)));
                names.insert(Target::Configuration(found.id), found.name);
            }
        }
        if !sets.is_empty() {
            names.extend(import_sets::by_ids(conn, &sets)?.into_iter().map(|set| (Target::Set(set.id), set.name)));
        }
        let drawn: Vec<i64> = running.iter().take(SHOWN).filter_map(|run| run.configuration_id).collect();
        let marks: Vec<i64> = of_marks.iter().filter(|(_, id)| drawn.contains(id)).map(|(run, _)| *run).collect();
        let marks = glance::by_ids(conn, &marks)?.into_values();
        let marks = marks.filter_map(|run| Some((*of_marks.get(&run.id)?, run))).collect();
        let of_running: Vec<Target> = running.iter().filter_map(|run| run.target()).collect();
        let of_sets: Vec<i64> = running.iter().filter(|run| run.set_id.is_some()).map(|run| run.id).collect();
        Ok(Self {
            usual: if of_running.is_empty() { HashMap::new() } else { across::usual_durations(conn, &of_running)? },
            progress: if running_ids.is_empty() { HashMap::new() } else { runs::progress(conn, &running_ids)? },
            steps: across::steps_done(conn, &of_sets)?,
            runs: open,
            counts,
            marks,
            names,
            now,
        })
    }

    /// How many go, and how many wait.
    pub fn total(&self) -> (i64, i64) {
        self.counts.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1))
    }

    pub fn has(&self, target: Target) -> bool {
        self.runs.iter().any(|run| run.target() == Some(target))
    }

    /// How long a run has gone on, and usually does, where that is far too long.
    pub fn too_long(&self, run: &Run) -> Option<(Duration, Duration)> {
        let usual = *self.usual.get(&run.target()?)?;
        let took = self.now.since(run.started_at.filter(|_| run.status == RunStatus::Running)?);
        (took > usual * 2 && took - usual > MUCH_LONGER).then_some((took, usual))
    }

    /// What it is called: a set and an import by their names.
    pub fn name(&self, run: &Run) -> String {
        run.target().and_then(|target| self.names.get(&target).cloned()).unwrap_or_else(|| run.title().to_owned())
    }

    /// "1 waiting"; empty where nothing does.
    pub fn waiting_words(&self) -> String {
        match self.total().1 {
            0 => String::new(),
            n => format!("{} waiting", words::count(n)),
        }
    }

    /// Those that go, and how many more there are.
    pub fn lines(&self, entered: &[Entered]) -> (Vec<Line>, i64) {
        let running = self.runs.iter().filter(|run| run.status == RunStatus::Running);
        let lines: Vec<Line> = running.take(SHOWN).map(|run| self.line(run, entered)).collect();
        let more = self.total().0 - lines.len() as i64;
        (lines, more.max(0))
    }

    fn line(&self, run: &Run, entered: &[Entered]) -> Line {
        let mark = run.configuration_id.and_then(|id| self.marks.get(&id));
        let far = run_progress(run, self.progress.get(&run.id), mark, self.now);
        let steps = self.steps.get(&run.id);
        let usual = run.target().and_then(|target| self.usual.get(&target));
        let usual = usual.map(|usual| format!(", usually {}", words::duration(*usual))).unwrap_or_default();
        let took = words::duration(self.now.since(run.started_at.unwrap_or(run.queued_at)));
        Line {
            run: run.id,
            name: self.name(run),
            application: named(entered, run.application_id),
            phase: match steps {
                Some((done, all)) => format!("{done} of {} done", words::counted(*all, "step", "steps")),
                None if run.set_id.is_some() => "Starting".into(),
                None => far.phase,
            },
            rows: far.rows,
            value: steps.map_or(far.value, |(done, _)| *done),
            max: steps.map_or(far.max, |(_, all)| Some(*all)),
            took: took + &usual,
            long: self.too_long(run).is_some(),
        }
    }

    /// What is drawn, in short: another one is another list.
    pub fn mark(&self) -> String {
        let running = self.runs.iter().filter(|run| run.status == RunStatus::Running);
        let ids: Vec<String> = running.take(SHOWN).map(|run| run.id.to_string()).collect();
        let (going, waiting) = self.total();
        format!("{going}.{waiting}.{}", ids.join("."))
    }
}

/// The Application's name, where the page is of several.
pub fn named(entered: &[Entered], application_id: i64) -> Option<String> {
    let of = entered.iter().find(|entered| entered.application.id == application_id)?;
    (entered.len() > 1).then(|| of.application.name.clone())
}

//! A simulated clock through the two weeks around each clock change: a schedule of each kind in six zones, stepped as
//! the beat would, by two processes that are restarted at random. Each occurrence comes exactly once, none is missing,
//! and all of them are what the preview said beforehand. `TIDEGATE_TEST_FULL=1` goes through the whole years.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::Duration;
use chrono_tz::Tz;
use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::app::App;
use tidegate::clock::{Clock, Moment, SetClock};
use tidegate::db::schema::runs;
use tidegate::imports::{Definition, Draft as ConfigurationDraft, Mode};
use tidegate::runs::{RunStatus, dispatcher};
use tidegate::schedules::{Draft, Schedule, actions, preview};

use crate::dispatching::second_process;
use crate::schedules::rule;
use crate::support::stage::{Stage, stage};
use crate::support::world::moment;
use crate::support::{Database, Dice, World, settings};

/// The zones, each with the year whose clock changes it is taken through.
const ZONES: [(Tz, i32); 6] = [
    (chrono_tz::Europe::Paris, 2026),
    (chrono_tz::America::New_York, 2026),
    (chrono_tz::Australia::Lord_Howe, 2026),
    (chrono_tz::Africa::Cairo, 2026),
    // Its last summer time ended on a midnight in February; that of 2018 began on one.
    (chrono_tz::America::Sao_Paulo, 2018),
    // On 30 December it crossed the date line.
    (chrono_tz::Pacific::Apia, 2011),
];

/// From one local midnight of a zone to another.
struct Span {
    zone: Tz,
    from: Moment,
    until: Moment,
    /// The local day on which the clocks change.
    day: chrono::NaiveDate,
}

/// The spans that are simulated: two weeks around each change, or the year.
fn spans() -> Vec<Span> {
    let mut spans = Vec::new();
    for (zone, year) in ZONES {
        let begin = moment(&format!("{year}-01-01T00:00:00Z"));
        let offset = |at: Moment| at.in_zone(zone).offset().to_string();
        let days = (1..365).map(|day| begin.plus(Duration::days(day)));
        let changes: Vec<Moment> = days.filter(|at| offset(*at) != offset(at.plus(Duration::days(1)))).collect();
        assert!(changes.len() > 1, "{zone} changes its clocks in {year}");
        let week = Duration::days(7);
        let span = |from: Moment, until: Moment, change: Moment| Span {
            zone,
            from,
            until,
            day: change.plus(Duration::days(1)).in_zone(zone).date_naive(),
        };
        if settings::full() {
            spans.push(span(begin, begin.plus(Duration::days(365)), changes[0]));
        } else {
            spans.extend(changes.iter().map(|at| span(at.minus(week), at.plus(week), *at)));
        }
    }
    spans
}

/// A schedule of each kind, on half hours: the frequent ones share their instants, so that the steps are few.
fn kinds(span: &Span) -> Vec<Value> {
    let day = |days: i64| (span.day + Duration::days(days)).format("%Y-%m-%d").to_string();
    let early = |days: i64, time: &str, fields: Value| {
        let mut rule = json!({ "start_date": day(days), "start_time": time, "time_zone": span.zone.name() });
        rule.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        rule
    };
    let nights = json!({"weekdays": ["mon", "sat", "sun"], "from": "22:00", "to": "06:00"});
    let small_hours = json!({"from": "00:00", "to": "04:00"});
    vec![
        early(0, "02:30", json!({"repeat": "once"})),
        early(-40, "00:30", json!({"repeat": "minutes", "every": 30})),
        early(-40, "00:00", json!({"repeat": "minutes", "every": 30, "window": nights})),
        early(-9, "02:30", json!({"repeat": "hours"})),
        early(-5, "00:30", json!({"repeat": "hours", "window": small_hours})),
        early(-300, "02:30", json!({"repeat": "hours", "every": 6})),
        early(-2, "00:00", json!({"repeat": "days"})),
        early(-400, "02:30", json!({"repeat": "days", "end_date": day(1)})),
        early(-9, "02:30", json!({"repeat": "days", "every": 3})),
        early(-20, "02:30", json!({"repeat": "weeks", "weekdays": ["sun"]})),
        early(-20, "00:30", json!({"repeat": "weeks", "every": 2, "weekdays": ["fri", "sun"]})),
        early(-70, "01:30", json!({"repeat": "months", "days_of_month": [1, 8, 30, 31, "last"]})),
    ]
}

/// One schedule with what was foretold of it.
struct Foretold {
    schedule: Schedule,
    /// What the preview says up to the end of the span.
    instants: Vec<Moment>,
    /// And what it says comes then.
    then: Option<Moment>,
}

/// A schedule of each kind, each on a configuration of its own, and what the preview and the API say of them.
async fn set_up(world: &World, stage: &Stage, span: &Span) -> Vec<Foretold> {
    let (olive, application, now) = (world.olive.clone(), world.application, world.now());
    let (stage, rules, zone) = (stage.clone(), kinds(span), span.zone);
    let secrets = world.app().secrets.clone();
    let made: Vec<Schedule> = world
        .write(move |conn| {
            let by = olive.by(conn)?;
            let entered = tidegate::applications::enter(conn, &by, application)?;
            let mut made = Vec::new();
            for (number, fields) in rules.iter().enumerate() {
                let mut definition = Definition::new(Mode::Append);
                definition.source.path = Some("year.csv".into());
                let configuration = ConfigurationDraft {
                    name: format!("{number}, {zone}, {now}"),
                    description: String::new(),
                    block_id: stage.block,
                    connection_id: Some(stage.connection),
                    source_block_id: None,
                    definition,
                };
                let made_one = tidegate::imports::create(conn, &by, &entered, configuration, now)?;
                let draft = Draft {
                    target: tidegate::imports::Target::Configuration(made_one.id),
                    run_name: None,
                    rule: rule(fields),
                    enabled: true,
                    off_until: None,
                    notify: None,
                    parameters: None,
                };
                made.push(actions::create(conn, &secrets, &by, application, draft, now)?);
            }
            Ok(made)
        })
        .await;
    let api = world.api(&world.olive).await;
    // Half an hour is the shortest step.
    let most = span.until.since(span.from).num_hours() as usize * 2 + 10;
    let mut foretold = Vec::new();
    for schedule in made {
        let all: Vec<Moment> = preview(&schedule.rule, None, now, most).occurrences.into_iter().map(|o| o.at).collect();
        let instants: Vec<Moment> = all.iter().copied().take_while(|at| *at <= span.until).collect();
        let then = all.get(instants.len()).copied();
        let just_before = now.minus(Duration::seconds(1));
        let asked = most.min(1_000);
        let told = api.get(&format!("schedules/{}/occurrences?after={just_before}&count={asked}", schedule.id)).await;
        let told: Vec<String> = told.is(200).json["occurrences"]
            .as_array()
            .unwrap()
            .iter()
            .map(|o| o["at"].as_str().unwrap().into())
            .collect();
        let expected: Vec<String> = all.iter().take(asked).map(|at| at.rfc3339()).collect();
        assert_eq!(told, expected, "the API says what the preview says: {}", schedule.sentence());
        assert_eq!(schedule.next_at, all.first().copied());
        foretold.push(Foretold { schedule, instants, then });
    }
    foretold
}

/// Workers that are done at once, so that no run waits for the one before.
async fn runs_end_at_once(world: &World) {
    let sql = match world.database() {
        Database::Sqlite => {
            "CREATE TRIGGER done AFTER INSERT ON runs WHEN NEW.status = 'queued' BEGIN \
             UPDATE runs SET status = 'success', available_at = NULL, finished_at = queued_at WHERE id = NEW.id; END"
        }
        Database::Postgres => {
            "CREATE FUNCTION done() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF NEW.status = 'queued' THEN \
             NEW.status := 'success'; NEW.available_at := NULL; NEW.finished_at := NEW.queued_at; END IF; \
             RETURN NEW; END $$; \
             CREATE TRIGGER done BEFORE INSERT ON runs FOR EACH ROW EXECUTE FUNCTION done()"
        }
    };
    world.read(move |conn| Ok(conn.batch_execute(sql)?)).await;
}

/// The processes on one pair of databases, and chance.
struct Beat<'w> {
    world: &'w World,
    clock: Arc<SetClock>,
    processes: [Arc<App>; 2],
    dice: Dice,
    restarts: usize,
    together: usize,
    steps: usize,
    queued: usize,
}

impl Beat<'_> {
    /// One process steps, or both at once; answers when the next occurrence is due.
    fn step(&mut self) -> Option<Moment> {
        self.steps += 1;
        let [one, two] = &self.processes;
        let done = if self.dice.one_in(12) {
            self.together += 1;
            let both = std::thread::scope(|scope| {
                let second = scope.spawn(|| dispatcher::step(two).unwrap());
                [dispatcher::step(one).unwrap(), second.join().unwrap()]
            });
            both.into_iter()
                .reduce(|a, b| dispatcher::Dispatched {
                    queued: a.queued + b.queued,
                    skipped: a.skipped + b.skipped,
                    frozen: a.frozen + b.frozen,
                    missed: a.missed + b.missed,
                    // Whoever looks last sees what the other has moved on.
                    next_due: a.next_due.max(b.next_due),
                })
                .unwrap()
        } else {
            dispatcher::step(if self.dice.one_in(2) { one } else { two }).unwrap()
        };
        assert_eq!((done.skipped, done.frozen, done.missed), (0, 0, 0), "at {}", self.clock.now());
        self.queued += done.queued;
        done.next_due
    }

    /// From the clock's instant to the end of the span.
    async fn run(&mut self, until: Moment) {
        let mut next = self.step();
        while let Some(due) = next.filter(|due| *due <= until) {
            let now = self.clock.now();
            if self.dice.one_in(16) && due > now {
                // A beat in between finds nothing to do.
                let queued = self.queued;
                self.clock.set(now.plus(Duration::microseconds(
                    self.dice.between(0, due.since(now).num_microseconds().unwrap() - 1),
                )));
                assert_eq!(self.step(), Some(due));
                assert_eq!(self.queued, queued, "nothing is due at {}", self.clock.now());
            }
            if self.dice.one_in(250) {
                self.restarts += 1;
                let which = self.dice.between(0, 1) as usize;
                self.processes[which] = second_process(self.world).await;
            }
            // The beat is never quite on time, and within a minute a run is not late.
            self.clock.set(due.plus(Duration::milliseconds(self.dice.between(0, 59_000))));
            next = self.step();
        }
        self.clock.set(until);
        self.step();
    }
}

/// What became of each schedule: planned instants with their status and whether late, in the order of time.
async fn ran(world: &World) -> BTreeMap<i64, Vec<(Moment, RunStatus, bool)>> {
    let rows: Vec<(Option<i64>, Option<Moment>, RunStatus, bool)> = world
        .read(|conn| {
            let columns = (runs::schedule_id, runs::planned_at, runs::status, runs::late);
            Ok(runs::table.order((runs::schedule_id, runs::planned_at)).select(columns).load(conn)?)
        })
        .await;
    let mut ran: BTreeMap<i64, Vec<(Moment, RunStatus, bool)>> = BTreeMap::new();
    for (schedule, planned, status, late) in rows {
        ran.entry(schedule.unwrap()).or_default().push((planned.unwrap(), status, late));
    }
    ran
}

async fn delete_all(world: &World, foretold: &[Foretold]) {
    let (ids, olive, now): (Vec<i64>, _, _) =
        (foretold.iter().map(|f| f.schedule.id).collect(), world.olive.clone(), world.now());
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            ids.into_iter().try_for_each(|id| actions::delete(conn, &by, id, None, now))
        })
        .await;
}

on_both! {
    async fn every_occurrence_around_a_clock_change_comes_once_and_as_foretold(world: World) {
        let seed = settings::seed();
        println!("TIDEGATE_TEST_SEED={seed}");
        let stage = stage(&world, "year", Mode::Append, |_| ()).await;
        runs_end_at_once(&world).await;
        let processes = [second_process(&world).await, second_process(&world).await];
        let mut beat = Beat {
            world: &world,
            clock: world.clock().clone(),
            processes,
            dice: Dice(seed),
            restarts: 0,
            together: 0,
            steps: 0,
            queued: 0,
        };
        let mut foretold_in_all = 0;
        for span in spans() {
            world.clock().set(span.from);
            let foretold = set_up(&world, &stage, &span).await;
            let before = beat.queued;
            beat.run(span.until).await;
            let ran = ran(&world).await;
            let mut sum = 0;
            for Foretold { schedule, instants, then } in &foretold {
                let expected: Vec<_> = instants.iter().map(|at| (*at, RunStatus::Success, false)).collect();
                let nothing = Vec::new();
                let found = ran.get(&schedule.id).unwrap_or(&nothing);
                assert_eq!(found, &expected, "{}, seed {seed}", schedule.sentence());
                assert_eq!(crate::schedules::find(&world, schedule.id).await.next_at, *then, "{}", schedule.sentence());
                sum += expected.len();
            }
            assert_eq!(beat.queued - before, sum, "every run was claimed once, seed {seed}");
            foretold_in_all += sum;
            delete_all(&world, &foretold).await;
        }
        println!(
            "{foretold_in_all} occurrences in {} steps, {} of them by two at once, with {} restarts",
            beat.steps, beat.together, beat.restarts
        );
        assert!(beat.restarts > 5 && beat.together > 50 && foretold_in_all > 5_000);
    }
}

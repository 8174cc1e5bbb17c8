//! What both home pages show, of several Applications or of one: what needs somebody, what goes, what comes. It is read
//! in a number of queries that grows neither with the Applications nor with their history.

use askama::Template;
use askama::filters::HtmlSafe;
use chrono_tz::Tz;

use super::ahead::Coming;
use super::apps::{self, Counts};
use super::going::{self, Going};
use super::greeting::Greeting;
use super::need::Deed;
use super::needs::Needs;
use crate::applications::Entered;
use crate::clock::Moment;
use crate::db::Conn;
use crate::error::Result;
use crate::import_scheduling::no_worker;
use crate::imports;
use crate::members::Member;
use crate::runs::{RunStatus, across};
use crate::{promises, words};

/// Counts are kept by the quarter of an hour.
const QUARTER: chrono::Duration = chrono::Duration::minutes(15);

/// Which page it is, and who looks at it.
pub struct Asked<'a> {
    /// The address of the page, which asks for its parts.
    pub here: String,
    pub csrf: String,
    pub member: &'a Member,
    pub now: Moment,
    pub zone: Tz,
}

/// What goes on now, which asks for itself every other second while something does.
#[derive(Template)]
#[template(path = "overview/going.html")]
pub struct GoingPart {
    here: String,
    /// What is drawn, in short.
    mark: String,
    /// Something began or ended since: the page is to be asked for as a whole.
    anew: bool,
    lines: Vec<going::Line>,
    /// "3 others"; empty where all are drawn.
    others: String,
    waiting: String,
}

impl HtmlSafe for GoingPart {}

impl GoingPart {
    fn of(asked: &Asked<'_>, going: &Going, entered: &[Entered], was: Option<&str>) -> Self {
        let (lines, more) = going.lines(entered);
        let mark = going.mark();
        let anew = was.is_some_and(|was| was != mark);
        let others = if more > 0 { words::counted(more, "other", "others") } else { String::new() };
        Self { here: asked.here.clone(), anew, mark, lines, others, waiting: going.waiting_words() }
    }

    /// By itself: `was` is what the page shows.
    pub fn load(conn: &mut Conn, entered: &[Entered], asked: &Asked<'_>, was: &str) -> Result<Self> {
        let going = Going::load(conn, &ids(entered), asked.now)?;
        Ok(Self::of(asked, &going, entered, Some(was)))
    }
}

#[derive(Template)]
#[template(path = "overview/home.html")]
pub struct Home {
    here: String,
    csrf: String,
    several: bool,
    pub hello: String,
    pub ran: String,
    pub needs: Needs,
    no_worker: Option<String>,
    going: GoingPart,
    coming: Coming,
    /// Whether the member may see what is planned in any of them.
    sees_plans: bool,
    /// Where the calendar is, of one Application.
    calendar: Option<String>,
    stats: Vec<Stat>,
    pub apps: Vec<apps::Row>,
    pub clock: String,
}

impl HtmlSafe for Home {}

/// A number at the top.
struct Stat {
    label: &'static str,
    value: String,
    sub: String,
}

impl Stat {
    fn new(label: &'static str, value: impl Into<String>, sub: impl Into<String>) -> Self {
        Self { label, value: value.into(), sub: sub.into() }
    }
}

fn ids(entered: &[Entered]) -> Vec<i64> {
    entered.iter().map(|entered| entered.application.id).collect()
}

impl Home {
    pub fn load(conn: &mut Conn, entered: &[Entered], asked: &Asked<'_>) -> Result<Self> {
        let (now, zone, ids) = (asked.now, asked.zone, ids(entered));
        let greeting = Greeting::of(now, zone);
        let going = Going::load(conn, &ids, now)?;
        let needs = Needs::load(conn, entered, &going, (now, zone))?;
        let coming = Coming::load(conn, entered, (now, zone))?;
        let of_each = Counts::of_each(&imports::standing(conn, &ids)?);
        let ended = across::ended(conn, &ids, (greeting.since, now.plus(QUARTER)))?;
        let ran = [RunStatus::Success, RunStatus::Partial, RunStatus::Failed, RunStatus::Held];
        let ran = ran.iter().filter_map(|status| ended.get(status)).sum();
        let (running, waiting) = going.total();
        let counts = of_each.values().fold(Counts::default(), |sum, one| Counts {
            imports: sum.imports + one.imports,
            failed: sum.failed + one.failed,
            partial: sum.partial + one.partial,
            held: sum.held + one.held,
            last_at: sum.last_at.max(one.last_at),
        });
        let opens = |entered: &Entered| {
            let base = format!("/applications/{}", entered.application.id);
            entered.may_open_scheduling().then(|| format!("{base}/settings/import-scheduling/calendar"))
        };
        let sees_plans = entered.iter().any(Entered::may_open_scheduling);
        let next = match coming.lines.first() {
            Some(next) => Stat::new("Next run", &next.clock, format!("{}, {}", next.when, next.name)),
            None => Stat::new("Next run", "None", "nothing is planned"),
        };
        let imports = words::counted(counts.imports, "import", "imports");
        let stats = [
            Stat::new("Running", words::counted(running, "import", "imports"), going.waiting_words()),
            Stat::new("Failed", words::count(counts.failed), format!("of {imports}")),
            Stat::new("Partial", words::count(counts.partial), ""),
            Stat::new("Held", words::count(counts.held), ""),
        ];
        let called = asked.member.name.split_whitespace().next().unwrap_or_default();
        Ok(Self {
            hello: format!("{}, {called}", greeting.hello),
            ran: greeting.ran(ran),
            no_worker: no_worker(conn, waiting > 0, now)?,
            going: GoingPart::of(asked, &going, entered, None),
            apps: apps::rows(
                entered,
                &of_each,
                &going,
                &coming.next_of_each,
                &promises::of_applications(conn, &ids)?,
                (now, zone),
            ),
            stats: Some(next).filter(|_| sees_plans).into_iter().chain(stats).collect(),
            sees_plans,
            calendar: match entered {
                [only] => opens(only),
                _ => None,
            },
            several: entered.len() > 1,
            here: asked.here.clone(),
            csrf: asked.csrf.clone(),
            clock: format!("{}, {zone}", words::date_time(now, zone)),
            needs,
            coming,
        })
    }
}

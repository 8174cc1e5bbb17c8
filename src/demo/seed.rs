//! What the demo's people did before you came: an Application, its Blocks, Connections, import configurations and
//! schedules. Going on with an earlier demo only tells the HTTP connection where the samples are served now.

use std::collections::BTreeMap;

use chrono::{Duration, Timelike};
use serde_json::{Map, Value, json};

use super::Person;
use super::sample::Place;
use crate::app::App;
use crate::applications::actions::{NewApplication, create as create_application, set_access};
use crate::applications::blocks::{self, Block, BlockDraft, BlockKind, ColumnDraft};
use crate::applications::{Entered, Grants, enter};
use crate::clock::Moment;
use crate::connections::{self, Connection, ConnectionDraft};
use crate::db::Conn;
use crate::error::{AppError, Result};
use crate::files;
use crate::formats::ColumnType::{self, Date, Integer, Number, Text, Timestamp};
use crate::import_sets::{self, Execution, OnFailure, SetDefinition, Step};
use crate::imports::{self, Draft as ImportDraft, Target};
use crate::members::actions::{NewMember, add_by_command};
use crate::members::{self, By, Member, passwords};
use crate::promises::{self, ReadyForm};
use crate::schedules::{About, Draft, Notify, RuleDraft, actions as schedules};
use crate::{runs, workspace};

const HTTP: &str = "Weather service";
const ZONE: chrono_tz::Tz = chrono_tz::Europe::Paris;

/// What the people of a demo made.
pub struct Made {
    olive: By,
    application: i64,
    weather: i64,
    /// Those that somebody starts by hand today.
    by_hand: [i64; 5],
    /// Takes a file by hand, and has a plan in its Block.
    crews: i64,
}

/// Whether an earlier demo made it all; the samples are served on another port each time, which its Connection is told.
pub fn goes_on(app: &App, people: &[Person], place: &Place) -> Result<bool> {
    let first = people.first().ok_or(AppError::NotFound)?;
    let Some(administrator) = app.db.read(|conn| members::by_email(conn, &first.email))? else { return Ok(false) };
    let (by, now) = (By::page(administrator), app.now());
    app.db.write(|conn| {
        let http = connections::list(conn, &by)?.into_iter().find(|c| c.name == HTTP);
        if let Some(http) = http {
            let draft = ConnectionDraft { application_ids: http.application_ids.clone(), ..http_draft(place) };
            connections::update(conn, &app.secrets, &by, http.id, None, draft, now)?;
        }
        Ok(true)
    })
}

/// Makes it, at the App's own time.
pub fn seed(app: &App, people: &[Person], place: &Place) -> Result<Made> {
    let now = app.now();
    let mut here = Vec::new();
    for person in people {
        let password = Some(passwords::hash_now(&person.password)?);
        let new =
            NewMember { email: person.email.clone(), name: person.name.clone(), role: person.role.clone(), password };
        here.push(app.db.write(|conn| add_by_command(conn, new, now))?);
    }
    let [ada, olive, mo] = here.as_slice() else { return Err(AppError::NotFound) };
    Seeding { app, ada: By::page(ada.clone()), olive: By::page(olive.clone()), mo, place, now }.all()
}

/// What they do today: schedules of the weather, the first of which runs within minutes, and some runs by hand.
pub fn today(app: &App, made: &Made) -> Result<()> {
    let now = app.now();
    let local = now.plus(Duration::seconds(60 - i64::from(now.utc().second()))).in_zone(ZONE);
    let (date, time) = (local.format("%Y-%m-%d").to_string(), local.format("%H:%M").to_string());
    let often = rule(json!({ "repeat": "minutes", "every": 5 }), &date, &time, ZONE);
    let daily = rule(json!({ "repeat": "days", "every": 1 }), &date, "06:00", ZONE);
    for rule in [often, daily] {
        schedule(app, &made.olive, made.application, Target::Configuration(made.weather), rule, now)?;
    }
    for configuration in made.by_hand {
        app.db.write(|conn| {
            runs::actions::start_by_hand(
                conn,
                &app.secrets,
                &made.olive,
                Target::Configuration(configuration),
                None,
                None,
                now,
            )
            .map(|_| ())
        })?;
    }
    // All but one base is missing from it: the volume guard asks before the plan is replaced by so little.
    give(app, &made.olive, made.crews, &["EWR"], now)
}

/// Gives the crew plan a file with these bases.
fn give(app: &App, by: &By, configuration: i64, bases: &[&str], now: Moment) -> Result<()> {
    let mut plan = String::from("base,month,pilots,cabin_crew\n");
    for (base, place) in bases.iter().zip(1..) {
        for month in 1..=12 {
            let pilots = 40 + place * 9 + month % 5;
            plan += &format!("{base},2026-{month:02}-01,{pilots},{}\n", pilots * 2 + month % 3);
        }
    }
    let file = files::save(&app.blocks, "crew-plan.csv", plan.as_bytes(), now)?;
    app.db.write(|conn| {
        runs::actions::start_by_hand(
            conn,
            &app.secrets,
            by,
            Target::Configuration(configuration),
            Some(file),
            None,
            now,
        )
        .map(|_| ())
    })
}

fn http_draft(place: &Place) -> ConnectionDraft {
    ConnectionDraft {
        name: HTTP.into(),
        kind: "http".into(),
        settings: json!({ "url": place.url, "auth": "bearer" }),
        secrets: BTreeMap::from([("token".to_owned(), Some(place.token.clone()))]),
        application_ids: Vec::new(),
        secret_ends_on: None,
    }
}

struct Seeding<'a> {
    app: &'a App,
    ada: By,
    olive: By,
    mo: &'a Member,
    place: &'a Place,
    now: Moment,
}

impl Seeding<'_> {
    fn all(&self) -> Result<Made> {
        let zone = ZONE;
        self.app.db.write(|conn| workspace::set(conn, "Demo", zone))?;
        let new = NewApplication { name: "Flight planning 2026".into(), time_zone: zone, spacing_minutes: 15 };
        let application = self.app.db.write(|conn| create_application(conn, &self.ada, &new, self.now))?.id;
        let grants = |import_data, configure| Grants { view: true, import_data, configure };
        self.app.db.write(|conn| {
            set_access(conn, &self.ada, application, self.olive.member.id, grants(true, true), self.now)?;
            set_access(conn, &self.ada, application, self.mo.id, grants(false, false), self.now)
        })?;
        let (folder, http) = self.connections(application)?;
        let (airlines, airports) = (self.airlines(application)?, self.airports(application)?);
        let (planes, weather) = (self.planes(application)?, self.weather(application)?);
        let entered = self.app.db.read(|conn| enter(conn, &self.olive, application))?;
        let file = |path: &str, nulls: Value| json!({ "path": path, "nulls": nulls });
        let make = |name: &str, block: &Block, connection: Option<&Connection>, source: Value, mode: &str| {
            self.configuration(&entered, name, block, connection, source, mode)
        };
        let nulls = json!(["", "NA"]);
        let weather =
            make("Weather observations", &weather, Some(&http), file("weather.csv", nulls.clone()), "replace")?;
        let airports = make("Airports", &airports, Some(&folder), file("airports.csv", nulls), "update")?;
        // The holes of this file are written NA, and nobody has said so yet: its first run shows what that looks like.
        let fleet = make("Fleet register", &planes, Some(&folder), file("planes.csv", json!([""])), "update")?;
        let old = make("Carriers (old feed)", &airlines, Some(&http), file("carriers.csv", json!([""])), "update")?;
        make("Carriers by hand", &airlines, None, json!({}), "update")?;
        let workdays = json!({ "repeat": "weeks", "weekdays": ["mon", "tue", "wed", "thu", "fri"] });
        self.schedule(application, airports, self.at("02:30", zone, workdays))?;
        self.promise(airports, "08:00", zone)?;
        let twice = json!({ "repeat": "months", "days_of_month": [1, 15] });
        self.schedule(application, fleet, self.at("06:30", chrono_tz::America::New_York, twice))?;
        let (seats, totals) = self.seats(application, &entered, &planes)?;
        let workdays =
            |time| self.at(time, zone, json!({ "repeat": "weeks", "weekdays": ["mon", "tue", "wed", "thu", "fri"] }));
        self.schedule(application, seats, workdays("13:00"))?;
        self.schedule(application, totals, workdays("13:30"))?;
        self.month_end(application, &entered, [fleet, seats, totals])?;
        let crews = make("Crew plan by hand", &self.crews(application)?, None, json!({}), "replace")?;
        give(self.app, &self.olive, crews, &["BOS", "EWR", "JFK", "LGA"], self.now)?;
        let by_hand = [airports, fleet, old, seats, totals];
        Ok(Made { olive: self.olive.clone(), application, weather, by_hand, crews })
    }

    fn crews(&self, application: i64) -> Result<Block> {
        let key = |name: &str, kind| ColumnDraft::new(name, kind).key();
        let mut columns = vec![key("base", Text), key("month", Date)];
        columns.extend(typed(&[("pilots", Integer), ("cabin_crew", Integer)]));
        self.block(application, "Crew plan", BlockKind::TransactionList, columns)
    }

    /// What is loaded before the books are closed: the list, then what is counted from it, then what is added up, there of
    /// the common kinds of engines alone.
    fn month_end(&self, application: i64, entered: &Entered, configurations: [i64; 3]) -> Result<()> {
        let mut steps: Vec<Step> = configurations.into_iter().map(Step::of).collect();
        if let Some(last) = steps.last_mut() {
            last.parameters = Some(json!({ "engines": ["Turbo-fan", "Turbo-jet", "Reciprocating"] }));
        }
        let definition = SetDefinition { execution: Execution::Sequential, on_failure: OnFailure::Stop, steps };
        let draft = import_sets::Draft { name: "Month end".into(), definition };
        let made = self.app.db.write(|conn| {
            import_sets::actions::create(conn, &self.app.secrets, &self.olive, entered, draft, self.now)
        })?;
        let monthly = self.at("18:00", ZONE, json!({ "repeat": "months", "days_of_month": ["last"] }));
        schedule(self.app, &self.olive, application, Target::Set(made.id), monthly, self.now)
    }

    /// Two Metrics: the first is counted from a list, the second added up from the first.
    fn seats(&self, application: i64, entered: &Entered, planes: &Block) -> Result<(i64, i64)> {
        let key = |name: &str| ColumnDraft::new(name, Text).key();
        let seats = || ColumnDraft::new("seats", Integer);
        let by_engine = vec![key("manufacturer"), key("engine"), seats()];
        let by_engine = self.block(application, "Seats by engine", BlockKind::Metric, by_engine)?;
        let by_maker = vec![key("manufacturer"), seats()];
        let by_maker = self.block(application, "Seats by manufacturer", BlockKind::Metric, by_maker)?;
        let make = |source: &Block, target: &Block, columns: &[&str], more: Value| {
            let mut mapping: Vec<Value> = columns.iter().map(|name| json!({ "from": name, "to": name })).collect();
            mapping.push(json!({ "from": "seats", "to": "seats", "aggregate": "sum" }));
            let body = json!({
                "name": target.name, "block_id": target.id, "source_block_id": source.id, "mode": "replace",
                "mapping": mapping,
            });
            let mut body = body.as_object().cloned().unwrap_or_default();
            body.extend(more.as_object().cloned().unwrap_or_default());
            let draft = ImportDraft::parse(&body)?;
            self.app.db.write(|conn| imports::create(conn, &self.olive, entered, draft, self.now)).map(|made| made.id)
        };
        let first = make(planes, &by_engine, &["manufacturer", "engine"], json!({}))?;
        // Which engines count is asked for; a schedule may choose some of them.
        let engines = ["Turbo-fan", "Turbo-jet", "Turbo-prop", "Turbo-shaft", "Reciprocating", "4 Cycle"];
        let asked = json!({
            "source": { "filter": [{ "column": "engine", "items": ["{engines}"] }] },
            "parameters": [{
                "name": "engines", "type": "choices", "label": "Engines to count",
                "choices": engines, "default": engines,
            }],
        });
        Ok((first, make(&by_engine, &by_maker, &["manufacturer"], asked)?))
    }

    fn connections(&self, application: i64) -> Result<(Connection, Connection)> {
        let folder = ConnectionDraft {
            name: "Shared folder".into(),
            kind: "folder".into(),
            settings: json!({ "path": self.place.folder.to_string_lossy(), "quiet_seconds": 0 }),
            secrets: BTreeMap::new(),
            application_ids: vec![application],
            secret_ends_on: None,
        };
        let http = ConnectionDraft { application_ids: vec![application], ..http_draft(self.place) };
        self.app.db.write(|conn: &mut Conn| {
            let mut make = |draft| connections::create(conn, &self.app.secrets, &self.ada, draft, self.now);
            Ok((make(folder)?, make(http)?))
        })
    }

    fn block(&self, application: i64, name: &str, kind: BlockKind, columns: Vec<ColumnDraft>) -> Result<Block> {
        let draft = BlockDraft { name: name.into(), kind, columns };
        self.app.db.write(|conn| blocks::create(conn, &self.app.blocks, application, draft, self.now))
    }

    fn airlines(&self, application: i64) -> Result<Block> {
        let columns = vec![ColumnDraft::new("carrier", Text).key(), ColumnDraft::new("name", Text).required()];
        self.block(application, "Airlines", BlockKind::DimensionList, columns)
    }

    fn airports(&self, application: i64) -> Result<Block> {
        let mut columns = vec![ColumnDraft::new("faa", Text).key(), ColumnDraft::new("name", Text).required()];
        columns.extend(typed(&[
            ("lat", Number),
            ("lon", Number),
            ("alt", Integer),
            ("tz", Number),
            ("dst", Text),
            ("tzone", Text),
        ]));
        self.block(application, "Airports", BlockKind::DimensionList, columns)
    }

    fn planes(&self, application: i64) -> Result<Block> {
        let mut columns = vec![ColumnDraft::new("tailnum", Text).key()];
        columns.extend(typed(&[
            ("year", Integer),
            ("type", Text),
            ("manufacturer", Text),
            ("model", Text),
            ("engines", Integer),
            ("seats", Integer),
            ("engine", Text),
        ]));
        self.block(application, "Planes", BlockKind::DimensionList, columns)
    }

    fn weather(&self, application: i64) -> Result<Block> {
        let mut columns = vec![ColumnDraft::new("origin", Text).required()];
        columns.extend(typed(&[
            ("time_hour", Timestamp),
            ("temp", Number),
            ("dewp", Number),
            ("humid", Number),
            ("wind_dir", Number),
            ("wind_speed", Number),
            ("wind_gust", Number),
            ("precip", Number),
            ("pressure", Number),
            ("visib", Number),
        ]));
        self.block(application, "Weather", BlockKind::TransactionList, columns)
    }

    fn configuration(
        &self,
        entered: &Entered,
        name: &str,
        block: &Block,
        connection: Option<&Connection>,
        source: Value,
        mode: &str,
    ) -> Result<i64> {
        let mut body = Map::new();
        body.insert("name".into(), name.into());
        body.insert("block_id".into(), block.id.into());
        body.insert("source".into(), source);
        body.insert("mode".into(), mode.into());
        if let Some(connection) = connection {
            body.insert("connection_id".into(), connection.id.into());
        }
        let draft = ImportDraft::parse(&body)?;
        let made = self.app.db.write(|conn| imports::create(conn, &self.olive, entered, draft, self.now))?;
        Ok(made.id)
    }

    /// A rule that begins tomorrow at that time.
    fn at(&self, time: &str, zone: chrono_tz::Tz, repeat: Value) -> RuleDraft {
        let tomorrow = self.now.in_zone(zone).date_naive() + Duration::days(1);
        rule(repeat, &tomorrow.format("%Y-%m-%d").to_string(), time, zone)
    }

    /// Ready by then on weekdays.
    fn promise(&self, configuration_id: i64, time: &str, zone: chrono_tz::Tz) -> Result<()> {
        let weekdays = ["mon", "tue", "wed", "thu", "fri"].map(str::to_owned).to_vec();
        let form = ReadyForm { weekdays, time: time.into(), time_zone: zone.name().into() };
        let target = Target::Configuration(configuration_id);
        self.app.db.write(|conn| promises::actions::set(conn, &self.olive, target, &form, None, self.now))?;
        Ok(())
    }

    fn schedule(&self, application: i64, configuration_id: i64, rule: RuleDraft) -> Result<()> {
        schedule(self.app, &self.olive, application, Target::Configuration(configuration_id), rule, self.now)
    }
}

fn schedule(app: &App, by: &By, application: i64, target: Target, rule: RuleDraft, now: Moment) -> Result<()> {
    let notify = Some(Notify {
        about: About::FailedAndPartial,
        member_ids: vec![by.member.id],
        group_ids: Vec::new(),
        after: 1,
    });
    let draft = Draft { target, run_name: None, rule, enabled: true, off_until: None, notify, parameters: None };
    app.db.write(|conn| schedules::create(conn, &app.secrets, by, application, draft, now)).map(|_| ())
}

fn typed(columns: &[(&str, ColumnType)]) -> Vec<ColumnDraft> {
    columns.iter().map(|(name, column_type)| ColumnDraft::new(*name, *column_type)).collect()
}

fn rule(repeat: Value, date: &str, time: &str, zone: chrono_tz::Tz) -> RuleDraft {
    let mut body = match repeat {
        Value::Object(body) => body,
        _ => Map::new(),
    };
    body.insert("start_date".into(), date.into());
    body.insert("start_time".into(), time.into());
    body.insert("time_zone".into(), zone.name().into());
    RuleDraft::from_json(&body)
}

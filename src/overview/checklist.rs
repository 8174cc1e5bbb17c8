//! What leads to a first scheduled import: a Connection, an import configuration, a schedule. Each step has its button
//! once its turn has come, for who may do it; for others it says who can.

use crate::app::App;
use crate::applications::Entered;
use crate::connections::{self, Connection};
use crate::connectors;
use crate::db::Conn;
use crate::error::Result;
use crate::imports;
use crate::members::{self, By};
use crate::runs::glance;
use crate::web::Icon;

pub struct Checklist {
    pub application: String,
    pub done: usize,
    pub steps: [Step; 3],
}

pub struct Step {
    pub title: &'static str,
    pub about: String,
    pub done: bool,
    pub doors: Vec<Door>,
    /// Instead of doors: what comes first, or who can do it.
    pub waits: String,
}

pub struct Door {
    pub label: &'static str,
    /// The whole of what it does, where the label alone does not say it.
    pub name: String,
    pub href: String,
    pub icon: Icon,
    /// The next thing to do.
    pub leads: bool,
}

impl Door {
    fn next(label: &'static str, icon: Icon, href: String) -> Self {
        Self { label, name: label.into(), href, icon, leads: true }
    }
}

impl Checklist {
    /// `None` for who may do none of it.
    pub fn load(conn: &mut Conn, (app, by): (&App, &By), entered: &Entered) -> Result<Option<Self>> {
        let connects = by.member.is_administrator();
        if !connects && !entered.may_configure() && !entered.may_import() {
            return Ok(None);
        }
        let base = format!("/applications/{}", entered.application.id);
        let read_from = connections::of_application(conn, entered.application.id)?;
        let outlines = imports::outlines(conn, entered, true)?;
        // One that takes a file can be scheduled too, with a kept one.
        let import = outlines.iter().find(|outline| !outline.needs_file).or(outlines.first());
        let steps = [
            source(conn, (app, by), &read_from)?,
            match import {
                Some(outline) => Step {
                    title: "Create an import",
                    about: format!("{} fills {}: {}.", outline.name, outline.block_name, outline.source),
                    done: true,
                    doors: Vec::new(),
                    waits: String::new(),
                },
                None => {
                    let (mut doors, mut waits) = (Vec::new(), String::new());
                    if !entered.may_configure() {
                        waits = format!("{} can do this", entered.who_configures(conn)?);
                    } else if read_from.is_empty() {
                        waits = "After step 1".into();
                    } else {
                        let href = format!("{base}/settings/import-configurations/new");
                        doors.push(Door::next("Create an import", "plus", href));
                    }
                    let about = "Choose a file or write a query, check its columns, and name the Block to fill.";
                    Step { title: "Create an import", about: about.into(), done: false, doors, waits }
                }
            },
            {
                let (mut doors, mut waits) = (Vec::new(), String::new());
                match import {
                    None => waits = "After step 2".into(),
                    Some(_) if !entered.may_import() => waits = entered.missing_import(conn)?,
                    Some(outline) => {
                        let href = format!("{base}/schedules/new?configuration={}", outline.id);
                        doors.push(Door::next("Schedule it", "clock", href));
                    }
                }
                let about = "Choose when it runs. From then on, it runs by itself.";
                Step { title: "Schedule it", about: about.into(), done: false, doors, waits }
            },
        ];
        let done = steps.iter().filter(|step| step.done).count();
        Ok(Some(Self { application: entered.application.name.clone(), done, steps }))
    }
}

/// The first step: done once a Connection answered its last test, or a run loaded what it read through it.
fn source(conn: &mut Conn, (app, by): (&App, &By), read_from: &[Connection]) -> Result<Step> {
    let title = "Connect a source";
    let connects = by.member.is_administrator();
    let waits = if connects { String::new() } else { format!("{} can do this", administrators(conn)?) };
    let step = Step { title, about: "Choose where the data comes from.".into(), done: false, doors: Vec::new(), waits };
    let Some(first) = read_from.first() else {
        return Ok(Step { doors: if connects { kinds(conn, by)? } else { Vec::new() }, ..step });
    };
    let words = |of: &Connection| format!("{}: {}, {}.", of.name, of.kind_label(), of.place());
    for connection in read_from {
        if connections::answered(conn, app, connection)? || glance::loaded_through(conn, connection.id)? {
            return Ok(Step { about: words(connection), done: true, waits: String::new(), ..step });
        }
    }
    let test = Door::next("Test it", "plug", format!("/connections/{}", first.id));
    let doors = if connects { vec![test] } else { Vec::new() };
    Ok(Step { about: format!("{} It has not passed a test yet.", words(first)), doors, ..step })
}

/// A new Connection of each kind, and the list of those that are there to be authorised.
fn kinds(conn: &mut Conn, by: &By) -> Result<Vec<Door>> {
    let mut doors: Vec<Door> = connectors::kinds()
        .iter()
        .map(|kind| Door {
            label: kind.label,
            name: format!("{}: new Connection", kind.label),
            href: format!("/connections/new?kind={}", kind.name),
            icon: "plus",
            leads: false,
        })
        .collect();
    if !connections::list(conn, by)?.is_empty() {
        doors.push(Door::next("Authorise an existing one", "plug", "/connections".into()));
    }
    Ok(doors)
}

fn administrators(conn: &mut Conn) -> Result<String> {
    Ok(members::names(members::administrators(conn)?.into_iter().map(|m| m.name).collect()))
}

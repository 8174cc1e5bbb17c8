//! All definitions of one Application in another: what belongs to them comes along with what it names, which is then the
//! copy. What happened does not come along, nor what speaks to the outside: calendar links, webhooks and channels.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::audited;
use super::kin_store::{self, Kind};
use super::model::Chosen;
use crate::app::App;
use crate::applications::{self, Application, blocks};
use crate::clock::Moment;
use crate::db::{self, Conn};
use crate::error::{AppError, Result};
use crate::files::kept;
use crate::imports::{self, Target};
use crate::members::{self, By, Member};
use crate::notifications::incidents;
use crate::{connections, freezes, import_sets, promises, schedules, translations};

/// How many of each came along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub blocks: usize,
    pub configurations: usize,
    pub sets: usize,
    pub schedules: usize,
    pub translations: usize,
    pub kept_files: usize,
    pub freezes: usize,
    pub promises: usize,
}

impl Counts {
    pub fn for_audit(&self) -> Value {
        json!({
            "blocks": self.blocks, "import_configurations": self.configurations, "import_sets": self.sets,
            "schedules": self.schedules, "translations": self.translations, "kept_files": self.kept_files,
            "freezes": self.freezes, "ready_by": self.promises,
        })
    }
}

/// Copies them into an Application that has none, whose access is settled; answers the Blocks and their copies too.
pub fn copy(
    conn: &mut Conn,
    (app, by): (&App, &By),
    (from, to): (&Application, &Application),
    chosen: &Chosen,
    now: Moment,
) -> Result<(Counts, BTreeMap<i64, i64>)> {
    let (ids, me) = ((from.id, to.id), by.member.id);
    let blocks = blocks::copying::copy_definitions(conn, from.id, to.id, now)?;
    let translations = translations::copy_all(conn, from.id, to.id, now)?;
    let kept_files = kept::copy_all(conn, from.id, to.id, now)?;
    authorise(conn, by, chosen, to.id, now)?;
    let copies = imports::Copies { blocks: &blocks, translations: &translations, connections: chosen };
    let configurations = imports::copy_all(conn, ids, &copies, me, now)?;
    let copies =
        import_sets::Copies { configurations: &configurations, kept_files: &kept_files, secrets: &app.secrets };
    let sets = import_sets::copy_all(conn, ids, &copies, me, now)?;
    let people = People::of(conn, to)?;
    let copies = schedules::Copies {
        values: &copies,
        sets: &sets,
        owner: &|owner| if people.may_import(owner) { owner } else { me },
        told: &|member| people.may_see(member),
    };
    let schedules = schedules::copy_all(conn, ids, &copies, me, now)?;
    let copy_of = |target: Target| match target {
        Target::Configuration(id) => configurations.get(&id).map(|id| Target::Configuration(*id)),
        Target::Set(id) => sets.get(&id).map(|id| Target::Set(*id)),
    };
    let counts = Counts {
        blocks: blocks.len(),
        configurations: configurations.len(),
        sets: sets.len(),
        schedules: schedules.len(),
        translations: translations.len(),
        kept_files: kept_files.len(),
        freezes: freezes::copy_all(conn, from.id, to.id, me, now)?,
        promises: promises::copy_all(conn, ids, &copy_of, me, now)?,
    };
    let pairs = |kind: Kind, copied: &BTreeMap<i64, i64>| -> Vec<kin_store::Pair> {
        copied.iter().map(|(original, copy)| (kind, *copy, *original)).collect()
    };
    let kin = [pairs(Kind::Configuration, &configurations), pairs(Kind::Set, &sets), pairs(Kind::Schedule, &schedules)];
    kin_store::relate(conn, (to.id, from.id), &kin.concat())?;
    audited::came(conn, by, to.id, now)?;
    // Last, as it writes the Block database.
    blocks::rename_views(conn, &app.blocks, to.id)?;
    Ok((counts, blocks))
}

/// Lets an Application read through what was chosen for it, which Administrators alone may.
fn authorise(conn: &mut Conn, by: &By, chosen: &Chosen, application_id: i64, now: Moment) -> Result<()> {
    let mut ids: Vec<i64> = chosen.values().copied().collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        // Whoever takes it from an Application meanwhile comes before or after.
        db::lock_row(conn, "connections", id)?;
        let connection = connections::by_id(conn, id)?.ok_or_else(gone)?;
        if !connection.application_ids.contains(&application_id) {
            let mut all = connection.application_ids;
            all.push(application_id);
            connections::authorise(conn, by, id, &all, now)?;
        }
    }
    Ok(())
}

fn gone() -> AppError {
    AppError::invalid("connections", "One of these Connections does not exist.")
}

/// Puts all of an Application away: its history stays and names them still.
pub fn archive(conn: &mut Conn, (app, by): (&App, &By), application_id: i64, now: Moment) -> Result<()> {
    audited::goes(conn, by, application_id, now)?;
    kin_store::forget(conn, application_id)?;
    schedules::archive_all(conn, application_id, by.member.id, now)?;
    promises::delete_all(conn, application_id)?;
    import_sets::archive_all(conn, application_id, now)?;
    imports::archive_all(conn, application_id, now)?;
    translations::archive_all(conn, application_id, now)?;
    kept::archive_all(conn, application_id, now)?;
    freezes::archive_all(conn, application_id, now)?;
    incidents::close_all(conn, application_id, now)?;
    blocks::copying::archive_all(conn, &app.blocks, application_id, now)
}

/// Everybody, and how they stand in the copy.
struct People(Vec<(Member, applications::Entered)>);

impl People {
    fn of(conn: &mut Conn, application: &Application) -> Result<Self> {
        let all = members::all(conn)?;
        let standings = applications::standings(conn, &all, application)?;
        Ok(Self(all.into_iter().zip(standings).collect()))
    }

    fn find(&self, id: i64) -> Option<&(Member, applications::Entered)> {
        self.0.iter().find(|(member, _)| member.id == id && member.active)
    }

    fn may_import(&self, id: i64) -> bool {
        self.find(id).is_some_and(|(_, stands)| stands.may_import())
    }

    fn may_see(&self, id: i64) -> bool {
        self.find(id).is_some_and(|(_, stands)| stands.grants.view)
    }
}

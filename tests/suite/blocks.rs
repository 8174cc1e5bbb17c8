//! Defining Blocks: what may be made, what may change and when, what is refused.

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use tidegate::applications::blocks::{self, Block, BlockDraft, BlockKind, ColumnDraft};
use tidegate::clock::Moment;
use tidegate::db::schema::applications;
use tidegate::error::AppError;
use tidegate::formats::ColumnType;
use tidegate::in_use::{InUse, Named, Thing, Uses};

use crate::support::databases::with_databases;
use crate::support::{Database, Databases};

const NOW: Moment = Moment::from_micros(1_795_000_000_000_000);

pub fn application(db: &Databases, name: &str) -> i64 {
    db.main
        .write(|conn| {
            Ok(diesel::insert_into(applications::table)
                .values((
                    applications::name.eq(name),
                    applications::name_key.eq(name.to_lowercase()),
                    applications::time_zone.eq("UTC"),
                    applications::created_at.eq(NOW),
                ))
                .returning(applications::id)
                .get_result(conn)?)
        })
        .unwrap()
}

pub fn create(db: &Databases, application: i64, draft: BlockDraft) -> Result<Block, AppError> {
    db.main.read(|conn| blocks::create(conn, &db.blocks, application, draft, NOW))
}

/// Changes what is there, and nothing else of it.
fn changed(db: &Databases, id: i64, change: impl FnOnce(&mut BlockDraft)) -> Block {
    let mut draft = blocks::as_draft(&db.main.read(|conn| blocks::find(conn, id)).unwrap());
    change(&mut draft);
    edit(db, id, None, draft).unwrap()
}

pub fn rename(db: &Databases, id: i64, name: &str) -> Block {
    changed(db, id, |draft| draft.name = name.to_owned())
}

pub fn add_column(db: &Databases, id: i64, column: ColumnDraft) -> Block {
    changed(db, id, |draft| draft.columns.push(column))
}

fn edit(db: &Databases, id: i64, version: Option<i64>, draft: BlockDraft) -> Result<Block, AppError> {
    db.main.read(|conn| blocks::edit(conn, &db.blocks, id, version, draft, NOW))
}

pub fn draft(name: &str, kind: BlockKind, columns: Vec<ColumnDraft>) -> BlockDraft {
    BlockDraft { name: name.into(), kind, columns }
}

/// A load writes the Block database for long: whoever defines a Block does not keep the Workspace from everybody.
#[test]
fn a_long_write_of_the_block_database_holds_up_no_page() {
    with_databases(Database::Sqlite, |db| {
        let application = application(db, "A");
        let mut load = db.blocks.connect().unwrap();
        load.batch_execute("BEGIN IMMEDIATE").unwrap();
        let began = std::time::Instant::now();
        assert!(matches!(create(db, application, airlines()), Err(AppError::Unavailable { .. })));
        assert!(began.elapsed() < std::time::Duration::from_secs(5), "{:?}", began.elapsed());
        load.batch_execute("COMMIT").unwrap();
        db.blocks.rest().unwrap();
        create(db, application, airlines()).unwrap();
    });
}

fn airlines() -> BlockDraft {
    draft(
        "Airlines",
        BlockKind::DimensionList,
        vec![ColumnDraft::new("Carrier", ColumnType::Text).key(), ColumnDraft::new("Name", ColumnType::Text)],
    )
}

fn field(error: AppError, name: &str) -> String {
    match error {
        AppError::Invalid(errors) => errors.of(name).unwrap_or_else(|| panic!("{name} in {errors}")).to_owned(),
        other => panic!("{other:?}"),
    }
}

on_both! {
    fn a_block_is_what_was_asked_for(db: Databases) {
        let application = application(db, "Flights");
        let made = create(db, application, airlines()).unwrap();
        let read = db.main.read(|conn| blocks::find(conn, made.id)).unwrap();
        assert_eq!(made, read);
        assert_eq!((read.name.as_str(), read.kind, read.version), ("Airlines", BlockKind::DimensionList, 1));
        let columns: Vec<_> = read.columns.iter().map(|c| (c.position, c.name.as_str(), c.key, c.required)).collect();
        assert_eq!(columns, [(1, "Carrier", true, true), (2, "Name", false, false)]);
        assert_eq!(db.main.read(|conn| blocks::list(conn, application)).unwrap(), [made]);
    }
}

on_both! {
    fn names_are_taken_whatever_their_case_and_free_again_when_archived(db: Databases) {
        let (one, other) = (application(db, "One"), application(db, "Other"));
        let first = create(db, one, airlines()).unwrap();
        let again = BlockDraft { name: " AIRLINES ".into(), ..airlines() };
        assert!(matches!(create(db, one, again.clone()), Err(AppError::Conflict(_))));
        create(db, other, again.clone()).unwrap();
        db.main.read(|conn| blocks::archive(conn, &db.blocks, InUse(&[]), first.id, NOW)).unwrap();
        create(db, one, again).unwrap();
        assert!(matches!(db.main.read(|conn| blocks::find(conn, first.id)), Err(AppError::NotFound)));
        assert_eq!(db.main.read(|conn| blocks::find_even_archived(conn, first.id)).unwrap().name, "Airlines");
    }
}

on_both! {
    fn a_column_names_items_of_a_list_of_its_own_application(db: Databases) {
        let (one, other) = (application(db, "One"), application(db, "Other"));
        let list = create(db, one, airlines()).unwrap();
        let flights = |target| {
            draft(
                "Flights",
                BlockKind::TransactionList,
                vec![ColumnDraft::new("Carrier", ColumnType::Dimension).of_dimension(target)],
            )
        };
        let field_name = "columns[0].dimension_block_id";
        assert!(field(create(db, other, flights(list.id)).unwrap_err(), field_name).contains("no such"));
        assert!(field(create(db, one, flights(999)).unwrap_err(), field_name).contains("no such"));
        let rows = create(db, one, flights(list.id)).unwrap();
        assert!(field(create(db, one, flights(rows.id)).unwrap_err(), field_name).contains("not a Dimension list"));

        // What is named stays, and stays a list that can be named.
        let kept = db.main.read(|conn| blocks::archive(conn, &db.blocks, InUse(&[]), list.id, NOW)).unwrap_err();
        assert!(kept.to_string().contains("\"Carrier\" of the Block \"Flights\""), "{kept}");
        let mut changed = blocks::as_draft(&list);
        changed.columns[1].key = true;
        assert!(field(edit(db, list.id, None, changed).unwrap_err(), "columns").contains("names the items"));
        let used = db.main.read(|conn| blocks::archive(conn, &db.blocks, InUse(&[daily]), rows.id, NOW));
        assert!(used.unwrap_err().to_string().contains("the import configuration \"Daily\""));
    }
}

on_both! {
    fn an_empty_block_changes_freely_and_positions_are_for_ever(db: Databases) {
        let application = application(db, "Flights");
        let block = create(db, application, airlines()).unwrap();
        let mut changed = blocks::as_draft(&block);
        changed.name = "Carriers".into();
        changed.columns.remove(1);
        changed.columns[0].name = "Code".into();
        changed.columns[0].column_type = ColumnType::Integer;
        changed.columns.push(ColumnDraft::new("Country", ColumnType::Text));
        let after = edit(db, block.id, Some(1), changed.clone()).unwrap();
        let columns: Vec<_> = after.columns.iter().map(|c| (c.position, c.name.as_str(), c.column_type)).collect();
        assert_eq!(columns, [(1, "Code", ColumnType::Integer), (3, "Country", ColumnType::Text)]);
        assert_eq!((after.name.as_str(), after.version), ("Carriers", 2));

        assert!(matches!(edit(db, block.id, Some(1), changed), Err(AppError::Stale(_))));
        // A name that an archived column had is free, and two columns may swap theirs.
        let mut swapped = blocks::as_draft(&after);
        swapped.columns[0].name = "Country".into();
        swapped.columns[1].name = "Code".into();
        swapped.columns.push(ColumnDraft::new("Name", ColumnType::Text));
        let swapped = edit(db, block.id, None, swapped).unwrap();
        let columns: Vec<_> = swapped.columns.iter().map(|c| (c.position, c.name.as_str())).collect();
        assert_eq!(columns, [(1, "Country"), (3, "Code"), (4, "Name")]);
    }
}

on_both! {
    fn a_draft_without_ids_means_the_columns_by_name(db: Databases) {
        let application = application(db, "Flights");
        let block = create(db, application, airlines()).unwrap();
        let mut again = airlines();
        again.columns[1].name = "NAME".into();
        let after = edit(db, block.id, None, again).unwrap();
        assert_eq!(after.columns[1].id, block.columns[1].id);
        assert_eq!(after.columns[1].name, "NAME");
        let renamed = rename(db, block.id, "Lines");
        assert_eq!((renamed.name.as_str(), renamed.columns.len()), ("Lines", 2));
        let added = ColumnDraft::new("Country", ColumnType::Text);
        let more = add_column(db, block.id, added);
        assert_eq!(more.columns[2].position, 3);
    }
}

/// A room above that has an import configuration of the Block, whichever it is.
fn daily(_: &mut tidegate::db::Conn, _: Thing) -> tidegate::error::Result<Option<Uses>> {
    let named = Named { words: "the import configuration \"Daily\"".into(), href: "/".into() };
    Ok(Some(Uses { by: "import configurations", names: vec![named] }))
}

/// Sixteen downloads at once, four of them one member's: who reads slowly keeps nobody else from anything.
#[test]
fn slow_readers_hold_up_nobody_else() {
    use crate::running::{start, work_off};
    use crate::support::stage::stage;
    use tidegate::imports::Mode;
    crate::support::with_world(Database::Sqlite, async |world| {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let word = "w".repeat(200);
        let text: String = (0..150_000).map(|n| format!("{n},{word}\n")).collect();
        std::fs::write(world.folder().join("words.csv"), format!("id,word\n{text}")).unwrap();
        start(&world, &stage).await;
        work_off(&world).await;
        let (olive, ada) = (world.api(&world.olive).await, world.api(&world.ada).await);
        let rows = format!("blocks/{}/rows.csv", stage.block);
        let get = |api: &crate::support::api::Api| api.request(reqwest::Method::GET, &rows).send();
        // Nobody reads their bodies.
        let mut slow = Vec::new();
        for _ in 0..4 {
            slow.push(get(&olive).await.unwrap());
        }
        assert!(slow.iter().all(|answer| answer.status() == 200));
        let fifth = get(&olive).await.unwrap();
        assert_eq!((fifth.status().as_u16(), fifth.headers()["retry-after"].to_str().unwrap()), (503, "10"));
        ada.get("applications").await.is(200);
        let whole = get(&ada).await.unwrap();
        assert_eq!(whole.text().await.unwrap().lines().count(), 150_001);
        drop(slow);
    });
}

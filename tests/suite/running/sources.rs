//! Sources that are no plain CSV, through a whole run: NDJSON, and the query of an SQLite file.

use tidegate::applications::blocks::{self, rejects};
use tidegate::db::sqlite::Database;
use tidegate::files;
use tidegate::formats::{Format, ReadOptions};
use tidegate::imports::{Definition, Target};

use super::*;
use crate::support::stage::{connection, stage_from};

/// The Block's rows as text.
fn loaded(world: &World, stage: &Stage) -> Vec<String> {
    let app = world.app();
    let block = app.db.read(|conn| blocks::find(conn, stage.block)).unwrap();
    let rows = app.blocks.read(|conn| blocks::rows(conn, &block, 0, 100)).unwrap();
    let text = |row: &blocks::BlockRow| -> Vec<String> {
        row.cells.iter().zip(&block.columns).map(|(cell, column)| cell.text(column.column_type)).collect()
    };
    rows.iter().map(|row| text(row).join(",")).collect()
}

/// Status, and rows read, added and rejected.
async fn ended(world: &World, run_id: i64) -> (RunStatus, i64, i64, i64) {
    work_off(world).await;
    let ended = run(world, run_id).await;
    let result = ended.result.unwrap_or_else(|| panic!("{:?}", ended.cause));
    (ended.status, result.read, result.added, result.rejected)
}

/// Runs the import with a file given by hand; the run.
async fn give(world: &World, stage: &Stage, name: &'static str, text: String) -> i64 {
    let (app, now, olive, configuration) = (world.app().clone(), world.now(), world.olive.clone(), stage.configuration);
    let given = tidegate::app::off_thread(move || {
        let file = files::save(&app.blocks, name, text.as_bytes(), now)?;
        app.db.write(|conn| {
            let by = olive.by(conn)?;
            Ok(actions::start_by_hand(
                conn,
                &app.secrets,
                &by,
                Target::Configuration(configuration),
                Some(file),
                None,
                now,
            )?
            .run
            .id)
        })
    });
    given.await.unwrap()
}

const NDJSON: &str =
    "{\"id\":1.0,\"word\":\"one\"}\n{\"word\":[2],\"id\":\"x\"}\n{\"id\":3,\"word\":{\"é\":null}}\nnonsense";

on_both! {
    async fn a_file_that_is_being_written_is_waited_for_at_no_cost(world: World) {
        let settings = serde_json::json!({ "path": world.folder().canonicalize().unwrap() });
        let wary = connection(&world, "Wary", "folder", settings).await;
        let mut definition = Definition::new(Mode::Append);
        definition.source.path = Some("words.csv".into());
        (definition.attempts, definition.attempt_seconds) = (1, 60);
        let stage = stage_from(&world, "words", Some(wary), definition).await;
        // Cut in the middle of "1234", by a writer that pauses.
        csv(&world, "words", &[("1", "one"), ("12", "")]);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        let waits = run(&world, id).await;
        assert_eq!((waits.status, waits.attempt), (RunStatus::Queued, 0));
        let why = waits.reason.unwrap();
        assert!(why.starts_with("The file 'words.csv' changed ") && why.contains("not changed for 5 s"), "{why}");
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/runs/{id}")).await;
        olive.sees("The file 'words.csv' changed");
        let leases = world.read(|conn| Ok(run_leases::table.count().get_result::<i64>(conn)?)).await;
        assert_eq!(leases, 0, "it holds no place");
        csv(&world, "words", &[("1", "one"), ("1234", "two")]);
        let file = std::fs::File::options().append(true).open(world.folder().join("words.csv")).unwrap();
        file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(6)).unwrap();
        world.advance(Duration::seconds(6));
        assert_eq!(ended(&world, id).await, (RunStatus::Success, 2, 2, 0));
        assert_eq!(loaded(&world, &stage), ["1,one", "1234,two"]);

        // One that never rests is given up after as long as an attempt may take.
        csv(&world, "words", &[("5", "five")]);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        assert_eq!(run(&world, id).await.status, RunStatus::Queued);
        csv(&world, "words", &[("5", "five"), ("6", "six")]);
        world.advance(Duration::seconds(61));
        work_off(&world).await;
        let ended = run(&world, id).await;
        let cause = ended.cause.unwrap();
        assert_eq!((ended.status, ended.attempt), (RunStatus::Failed, 1));
        assert!(cause.contains("waited as long as an attempt may take"), "{cause}");
    }

    async fn however_long_a_file_is_written_its_run_looks_once_an_hour(world: World) {
        let settings = serde_json::json!({ "path": world.folder().canonicalize().unwrap() });
        let wary = connection(&world, "Wary", "folder", settings).await;
        let mut definition = Definition::new(Mode::Append);
        definition.source.path = Some("words.csv".into());
        definition.attempt_seconds = 86_400;
        let stage = stage_from(&world, "words", Some(wary), definition).await;
        csv(&world, "words", &[("1", "one")]);
        let id = start(&world, &stage).await.id;
        work_off(&world).await;
        world.advance(Duration::hours(7));
        csv(&world, "words", &[("1", "one")]);
        work_off(&world).await;
        let waits = run(&world, id).await;
        assert_eq!((waits.status, waits.available_at), (RunStatus::Queued, Some(world.now().plus(Duration::hours(1)))));
    }

    async fn ndjson_is_loaded_whatever_its_file_is_called(world: World) {
        let stage = stage(&world, "words", Mode::Append, |d| d.source.read = ReadOptions::of(Format::Ndjson)).await;
        std::fs::write(world.folder().join("words.csv"), NDJSON).unwrap();
        let id = start(&world, &stage).await.id;
        assert_eq!(ended(&world, id).await, (RunStatus::Partial, 4, 2, 2));
        assert_eq!(loaded(&world, &stage), ["1,one", "3,{\"é\":null}"]);
    }

    async fn rejected_rows_of_ndjson_are_mended_as_csv_and_given_again(world: World) {
        let mut definition = Definition::new(Mode::Append);
        definition.source.read = ReadOptions::of(Format::Ndjson);
        let stage = stage_from(&world, "words", None, definition).await;
        let first = give(&world, &stage, "words.csv", NDJSON.to_owned()).await;
        assert_eq!(ended(&world, first).await, (RunStatus::Partial, 4, 2, 2));
        let mut csv = Vec::new();
        rejects::write_csv(&world.app().blocks, first, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.contains("\nx,[2],2,") && csv.contains("\nnonsense,,4,"), "{csv}");
        let mended = csv.replace("\nx,[2],2,", "\n2,two,2,").replace("\nnonsense,,4,", "\n4,four,4,");
        let again = give(&world, &stage, "rejected-rows.csv", mended).await;
        assert_eq!(ended(&world, again).await, (RunStatus::Success, 2, 2, 0));
        assert_eq!(loaded(&world, &stage), ["1,one", "3,{\"é\":null}", "2,two", "4,four"]);
    }

    async fn a_query_is_loaded_and_what_only_the_whole_shows_is_named_with_its_row(world: World) {
        let file = world.folder().canonicalize().unwrap().join("shop.db");
        std::fs::write(&file, b"").unwrap();
        // The first cell begins like a file of another format.
        let sql = c"CREATE TABLE words (word, id); INSERT INTO words VALUES (NULL, NULL), ('PAR1', 1), ('two', 2.0), ('again', 2), \
                    ('three', 'x'), (NULL, 4), (4.5, 5)";
        Database::open(&file).unwrap().execute(sql).unwrap();
        let shop = connection(&world, "Shop", "sqlite", serde_json::json!({ "path": file })).await;
        let mut definition = Definition::new(Mode::Append);
        definition.source.read = ReadOptions::of(Format::Rows);
        definition.source.query = Some("SELECT word, id FROM words ORDER BY rowid".into());
        let stage = stage_from(&world, "words", Some(shop), definition).await;
        let id = start(&world, &stage).await.id;
        assert_eq!(ended(&world, id).await, (RunStatus::Partial, 7, 4, 3));
        assert_eq!(loaded(&world, &stage), ["1,PAR1", "2,two", "4,", "5,4.5"]);
        let rejected = world.app().blocks.read(|conn| rejects::page(conn, id, 0, 9)).unwrap();
        let said: Vec<_> = rejected.iter().map(|r| (r.line, r.fields.join(","), r.cells[0].code.as_str())).collect();
        assert_eq!(said, [
            (1, ",".into(), "missing"),
            (4, "again,2".into(), "key_twice"),
            (5, "three,x".into(), "not_an_integer"),
        ]);
        assert!(world.data_dir().join("spool").is_dir(), "rows that may be asked for again wait there");
    }
}

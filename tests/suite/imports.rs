//! Import configurations: the wizard with plain forms, from a source to a configuration; the page of one; versions;
//! what belongs elsewhere.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use diesel::prelude::*;
use tidegate::applications::{blocks, enter};
use tidegate::db::schema::{configuration_versions, connection_applications, import_configurations};
use tidegate::error::AppError;
use tidegate::files;
use tidegate::formats::{Format, ReadOptions};
use tidegate::imports::{self, AfterSuccess, ConfigurationStatus, Definition, Draft, Mapping, Mode};
use tidegate::runs::retention;

use crate::connectors::server::{self, Server};
use crate::support::stage::{Stage, block, connection, csv, folder_connection, stage};
use crate::support::{Browser, World};

fn list(world: &World) -> String {
    format!("/applications/{}/settings/import-configurations", world.application)
}

fn page(world: &World, stage: &Stage) -> String {
    format!("{}/{}", list(world), stage.configuration)
}

async fn configurations(world: &World) -> Vec<(imports::Configuration, Definition)> {
    world
        .read(|conn| {
            let ids: Vec<i64> = import_configurations::table
                .order(import_configurations::id)
                .select(import_configurations::id)
                .load(conn)?;
            let mut found = Vec::new();
            for id in ids {
                let configuration = imports::by_id(conn, id)?.unwrap();
                let definition = imports::version(conn, id, configuration.version)?.unwrap().definition;
                found.push((configuration, definition));
            }
            Ok(found)
        })
        .await
}

/// At screen 2 of the wizard, with this file of the World's folder.
async fn previewing(world: &World, file: &str) -> Browser {
    let mut olive = world.browser(&world.olive).await;
    olive.visit(&format!("{}/new", list(world))).await;
    olive.choose("Source", "Folder of words").fill("File", file).press("Preview").await;
    olive
}

on_both! {
    async fn four_screens_lead_from_a_file_to_a_new_block_and_its_import(world: World) {
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&list(&world)).await;
        olive.sees("No import configurations yet");
        olive.visit(&format!("{}/new", list(&world))).await;
        olive.sees("weather.csv");
        olive.choose("Source", "Folder of words").press("Preview").await;
        olive.answered(422).sees("Enter the file to import.");
        olive.fill("File", "weather.csv").press("Preview").await;
        olive.answered(200).sees("NA was read as empty");
        assert_eq!(olive.value("Name of the new Block"), "Weather");
        assert_eq!(olive.value("Kind"), "transaction_list");
        assert_eq!(olive.value("Null markers"), "NA");
        assert_eq!(olive.value("Type of temp"), "number");
        assert_eq!(olive.value("Type of time_hour"), "timestamp");
        olive.press("Map the columns").await;
        olive.answered(200).sees("All 50 fit");
        assert_eq!(olive.value("temp is filled from"), ":temp");
        olive.fill("Name", "Weather every night").press("Save and choose when").await;
        olive.answered(200).sees("weather.csv from Folder of words into Weather, mode Append.").sees("Schedule it");
        let made = configurations(&world).await;
        let (configuration, definition) = &made[0];
        assert_eq!(configuration.name, "Weather every night");
        assert_eq!(definition.source.path.as_deref(), Some("weather.csv"));
        assert_eq!(definition.source.read.values.nulls, ["", "NA"]);
        assert_eq!(definition.mapping.as_ref().unwrap().len(), 15);
        let block_id = configuration.block_id;
        let block = world.read(move |conn| blocks::find(conn, block_id)).await;
        assert_eq!((block.name.as_str(), block.columns.len()), ("Weather", 15));
        olive.visit(&list(&world)).await;
        olive.in_row("Weather every night").sees("weather.csv from Folder of words").sees("Append").sees("Not run yet");
    }
}

on_both! {
    async fn going_back_loses_nothing(world: World) {
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        folder_connection(&world, "words").await;
        let mut olive = previewing(&world, "words.csv").await;
        olive.fill("Name of the new Block", "My words").fill("Name of word in the Block", "Term").untick("id is a Key");
        olive.choose("Kind", "Transaction list").press("Map the columns").await;
        olive.answered(200);
        assert_eq!(olive.value("Term is filled from"), ":word");
        olive.fill("Name", "Nightly").choose("Term is filled from", "The constant").fill("Text for Term", "x");
        olive.press("Back").await;
        assert_eq!(olive.value("Name of the new Block"), "My words");
        assert_eq!(olive.value("Name of word in the Block"), "Term");
        olive.press("Back").await;
        assert_eq!(olive.value("File"), "words.csv");
        olive.press("Preview").await;
        assert_eq!(olive.value("Name of the new Block"), "My words");
        olive.press("Map the columns").await;
        assert_eq!(olive.value("Name"), "Nightly");
        assert_eq!(olive.value("Text for Term"), "x");
        olive.press("Save and choose when").await;
        let (_, definition) = configurations(&world).await.remove(0);
        let lines = definition.mapping.unwrap();
        assert_eq!(lines[0], Mapping::column("id", "id"));
        assert_eq!(lines[1], Mapping::constant("x", "Term"));
    }
}

on_both! {
    async fn what_will_not_fit_is_marked_while_mapping(world: World) {
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        folder_connection(&world, "words").await;
        let existing = block(&world, "Numbers").await;
        let mut olive = previewing(&world, "words.csv").await;
        olive.choose("The Block to fill", "An existing Block").press("Map the columns").await;
        olive.answered(422).sees("Choose the Block to fill.");
        olive.choose("The Block to fill", "An existing Block").choose("Block", "Numbers");
        olive.press("Map the columns").await;
        olive.answered(200).sees("1 of 2 rows do not fit").sees("\"x\" is not an integer");
        assert_eq!(olive.count("td.misfit"), 1);
        olive.choose("id is filled from", "Nothing").press("Save and choose when").await;
        olive.answered(422).sees("Nothing fills \"id\"");
        olive.choose("id is filled from", "The constant").fill("Text for id", "soon");
        olive.press("Save and choose when").await;
        olive.answered(422).sees("\"soon\" is not an integer");
        assert!(configurations(&world).await.is_empty());
        olive.fill("Text for id", "7").choose("Mode", "Replace all").press("Save and choose when").await;
        olive.answered(200);
        let (configuration, definition) = configurations(&world).await.remove(0);
        assert_eq!((configuration.block_id, definition.mode), (existing, Mode::Replace));
    }
}

on_both! {
    async fn a_correction_of_what_was_guessed_is_read_again(world: World) {
        std::fs::write(world.folder().join("odd.csv"), "a;b\n1;2,5\n3;4,0\n").unwrap();
        folder_connection(&world, "words").await;
        let mut olive = previewing(&world, "odd.csv").await;
        assert_eq!(olive.value("Delimiter"), ";");
        assert_eq!(olive.value("Decimal point"), ",");
        assert_eq!(olive.value("Type of b"), "number");
        olive.fill("Decimal point", ".").press("Read again").await;
        olive.answered(200);
        assert_eq!(olive.value("Type of b"), "text");
        olive.fill("Delimiter", "::").press("Read again").await;
        olive.answered(422).sees("The delimiter is one character");
        assert_eq!(olive.value("Delimiter"), "::");
        olive.fill("Delimiter", ";").fill("Name of the new Block", "").press("Map the columns").await;
        olive.answered(422).sees("Enter a name.");
    }
}

on_both! {
    async fn a_missing_file_is_told_on_the_first_screen(world: World) {
        folder_connection(&world, "words").await;
        let olive = previewing(&world, "nothing.csv").await;
        olive.answered(422).sees("There is no file 'nothing.csv'");
        assert_eq!(olive.value("File"), "nothing.csv");
    }
}

on_both! {
    async fn a_file_by_hand_makes_a_configuration_that_runs_with_one_or_is_scheduled_with_a_kept_one(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{}/new", list(&world))).await;
        olive.press("Preview").await;
        olive.answered(422).sees("Choose the file.");
        olive.attach("File from this computer", "daily_sales.csv", "day,amount\n2026-10-01,12\n").press("Preview").await;
        olive.answered(200);
        assert_eq!(olive.value("Name of the new Block"), "Daily sales");
        olive.press("Map the columns").await;
        olive.press("Save and choose when").await;
        olive.answered(200).sees("schedule it with a kept file").sees("Run now with daily_sales.csv");
        let (configuration, _) = configurations(&world).await.remove(0);
        assert!(configuration.needs_file() && configuration.lacks_file(None).is_some());
        olive.press("Run now with daily_sales.csv").await;
        olive.answered(200);
        assert!(olive.url.path().starts_with("/runs/"), "{}", olive.url);
    }
}

on_both! {
    async fn a_ticket_is_good_for_its_member_and_application_alone(world: World) {
        let (app, now) = (world.app().clone(), world.now());
        let id = tidegate::app::off_thread(move || files::save(&app.blocks, "a.csv", &b"a\n1\n"[..], now)).await.unwrap();
        let secrets = &world.app().secrets;
        let ticket = files::ticket(secrets, world.application, world.olive.id, id).unwrap();
        assert_eq!(files::of_ticket(secrets, world.application, world.olive.id, &ticket), Some(id));
        assert_eq!(files::of_ticket(secrets, world.application, world.ada.id, &ticket), None);
        assert_eq!(files::of_ticket(secrets, world.elsewhere, world.olive.id, &ticket), None);
        assert_eq!(files::of_ticket(secrets, world.application, world.olive.id, &id.to_string()), None);
    }
}

on_both! {
    async fn a_kept_file_comes_back_byte_for_byte_and_goes_when_nobody_needs_it(world: World) {
        let (app, now) = (world.app().clone(), world.now());
        let content: Vec<u8> = (0..3_000_000u32).map(|i| (i * 7 % 251) as u8).collect();
        tidegate::app::off_thread(move || {
            let id = files::save(&app.blocks, "big.csv", &content[..], now)?;
            let stored = files::open(&app.blocks, id)?;
            assert_eq!((stored.name.as_str(), stored.bytes), ("big.csv", 3_000_000));
            let mut back = Vec::new();
            std::io::Read::read_to_end(&mut stored.reader(&app.blocks), &mut back).unwrap();
            assert_eq!(back, content);
            assert_eq!(stored.to_file(&app.blocks, &app.spool)?.file().metadata().unwrap().len(), 3_000_000);
            assert_eq!(retention::forget_unused_files(&app, now)?, 0);
            app.blocks.write(|conn| {
                use tidegate::db::schema::block_db::file_chunks;
                Ok(diesel::delete(file_chunks::table.filter(file_chunks::position.eq(2))).execute(conn)?)
            })?;
            let short = stored.to_file(&app.blocks, &app.spool).unwrap_err().to_string();
            assert_eq!(short, "Only 2,097,152 of the 3,000,000 bytes of big.csv are still stored. Upload the file again.");
            assert_eq!(retention::forget_unused_files(&app, now.plus(chrono::Duration::days(1)))?, 1);
            assert!(matches!(files::open(&app.blocks, id), Err(AppError::NotFound)));
            Ok(())
        })
        .await
        .unwrap();
    }
}

on_both! {
    async fn a_save_is_a_new_version_and_the_old_one_stays(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world, &stage)).await;
        assert_eq!(olive.value("Name"), "words");
        olive.choose("Mode", "Update").fill("Attempts", "0").press("Save import configuration").await;
        olive.answered(422).sees("Enter 1 to 10 attempts.");
        olive.fill("Attempts", "5").fill("Null markers", "NA\nn/a").press("Save import configuration").await;
        olive.answered(200).sees("Saved the import configuration");
        assert_eq!(olive.value("Null markers").lines().collect::<Vec<_>>(), ["NA", "n/a"]);
        let id = stage.configuration;
        let (first, second, versions) = world
            .read(move |conn| {
                let versions: i64 = configuration_versions::table.count().get_result(conn)?;
                Ok((imports::version(conn, id, 1)?.unwrap().definition, imports::version(conn, id, 2)?.unwrap().definition, versions))
            })
            .await;
        assert_eq!((first.mode, first.attempts, versions), (Mode::Append, 3, 2));
        assert_eq!((second.mode, second.attempts), (Mode::Update, 5));
    }
}

on_both! {
    async fn of_two_who_save_the_later_reads_who_was_first(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let (mut olive, mut ada) = (world.browser(&world.olive).await, world.browser(&world.ada).await);
        olive.visit(&page(&world, &stage)).await;
        ada.visit(&page(&world, &stage)).await;
        ada.fill("Description", "by Ada").press("Save import configuration").await;
        ada.answered(200);
        olive.fill("Description", "by Olive").press("Save import configuration").await;
        olive.answered(412).sees("Ada changed \"words\"");
        assert_eq!(olive.value("Description"), "by Olive");
    }
}

on_both! {
    async fn the_page_shows_how_the_source_lands_today(world: World) {
        csv(&world, "words", &[("1", "one"), ("x", "two")]);
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world, &stage)).await;
        olive.press("Show first rows").await;
        olive.answered(200).sees("1 of 2 rows do not fit");
        // Whoever only reads gets no button.
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&page(&world, &stage)).await;
        audrey.sees_no("Save import configuration").sees_no("Show first rows");
    }
}

on_both! {
    async fn a_connection_that_was_withdrawn_is_kept_and_not_read(world: World) {
        csv(&world, "words", &[("1", "S3CR3T")]);
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world, &stage)).await;
        olive.press("Show first rows").await;
        olive.answered(200).sees("S3CR3T");
        let connection = stage.connection;
        world
            .write(move |conn| {
                let theirs = connection_applications::connection_id.eq(connection);
                diesel::delete(connection_applications::table.filter(theirs)).execute(conn)?;
                Ok(())
            })
            .await;
        olive.visit(&page(&world, &stage)).await;
        olive.press("Show first rows").await;
        olive.answered(422).sees("is no longer authorised for this Application").sees_no("S3CR3T");
        olive.visit(&page(&world, &stage)).await;
        olive.fill("Description", "still there").press("Save import configuration").await;
        olive.answered(200).sees("Saved the import configuration");
        assert_eq!(configurations(&world).await[0].0.connection_id, Some(connection));
    }
}

on_both! {
    async fn ids_that_belong_elsewhere_are_wrong_like_ids_of_nothing(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let (stranger, elsewhere, now) = (world.stranger.clone(), world.elsewhere, world.now());
        let refused = world
            .try_write(move |conn| {
                let by = stranger.by(conn)?;
                let entered = enter(conn, &by, elsewhere)?;
                let mut definition = Definition::new(Mode::Append);
                definition.source.path = Some("words.csv".into());
                let draft = |block_id, connection_id| Draft {
                    name: "Mine".into(),
                    description: String::new(),
                    block_id,
                    connection_id: Some(connection_id),
                    source_block_id: None,
                    definition: definition.clone(),
                };
                let foreign = imports::create(conn, &by, &entered, draft(stage.block, stage.connection), now);
                let nothing = imports::create(conn, &by, &entered, draft(999_999, 999_999), now);
                let words = |refused: Result<imports::Configuration, AppError>| match refused {
                    Err(AppError::Invalid(errors)) => errors,
                    other => panic!("{other:?}"),
                };
                let (foreign, nothing) = (words(foreign), words(nothing));
                assert_eq!(foreign, nothing);
                Ok((foreign.of("block_id").is_some(), foreign.of("connection_id").is_some()))
            })
            .await;
        assert_eq!(refused.unwrap(), (true, true));
    }
}

on_both! {
    async fn a_file_is_not_moved_to_where_it_lies(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let (ada, application, now) = (world.ada.clone(), world.application, world.now());
        let said = world
            .try_write(move |conn| {
                let by = ada.by(conn)?;
                let entered = enter(conn, &by, application)?;
                let mut said = |path: &str, to: &str| {
                    let mut definition = Definition::new(Mode::Append);
                    definition.source.path = Some(path.into());
                    definition.source.after_success = AfterSuccess::Move;
                    definition.source.move_to = Some(to.into());
                    let draft = Draft {
                        name: format!("{path} to {to}"),
                        description: String::new(),
                        block_id: stage.block,
                        connection_id: Some(stage.connection),
                        source_block_id: None,
                        definition,
                    };
                    match imports::create(conn, &by, &entered, draft, now) {
                        Err(AppError::Invalid(errors)) => errors.of("source.move_to").map(str::to_owned),
                        made => made.map(|_| None).unwrap(),
                    }
                };
                for path in ["done/a.csv", "./done//a.csv", "x/../done/a.csv"] {
                    assert_eq!(said(path, "done").as_deref(), Some("The file is already in that folder. Enter another one."));
                }
                for to in ["a.csv", "a.csv/done"] {
                    assert_eq!(said("a.csv", to).as_deref(), Some("That is the file itself, not a folder. Enter a folder."));
                }
                for to in [".", "./done", "done/", ""] {
                    assert!(said("a.csv", to).is_some(), "{to}");
                }
                Ok((said("done/a.csv", "done/older"), said("a.csv", "a.csvs")))
            })
            .await;
        assert_eq!(said.unwrap(), (None, None));
    }

    async fn the_status_is_that_of_the_latest_run(world: World) {
        let stage = stage(&world, "words", Mode::Append, |_| ()).await;
        let (id, now) = (stage.configuration, world.now());
        let status = world
            .write(move |conn| {
                // The clock is set back between the two.
                imports::set_status(conn, id, ConfigurationStatus::Success, 6, now.plus(chrono::Duration::seconds(1)))?;
                imports::set_status(conn, id, ConfigurationStatus::Failed, 7, now)?;
                Ok(imports::by_id(conn, id)?.unwrap())
            })
            .await;
        assert_eq!((status.status, status.status_run_id), (Some(ConfigurationStatus::Failed), Some(7)));
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&list(&world)).await;
        olive.in_row("words.csv").sees("Failed").sees("View Summary");
    }
}

on_both! {
    async fn what_has_types_lands_as_the_run_takes_it(world: World) {
        let text = "{\"id\":1.0,\"word\":[\"one\"]}\n{\"id\":2,\"word\":\"two\",\"word\":\"too\"}\n";
        std::fs::write(world.folder().join("words.ndjson"), text).unwrap();
        let stage = stage(&world, "words", Mode::Append, |definition| {
            definition.source.path = Some("words.ndjson".into());
            definition.source.read = ReadOptions::of(Format::Ndjson);
        })
        .await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world, &stage)).await;
        olive.press("Show first rows").await;
        olive.answered(200).sees("1 of 2 rows do not fit").sees("The object has this member twice");
        assert_eq!(olive.count("td.misfit"), 1);
    }
}

on_both! {
    async fn a_save_that_changes_nothing_makes_no_version(world: World) {
        let stage = stage(&world, "words", Mode::Append, |definition| {
            definition.source.read.values.nulls = vec![String::new(), "NA".into()];
        })
        .await;
        let mut olive = world.browser(&world.olive).await;
        for (description, version) in [("", 1), ("new", 2), ("new", 2)] {
            olive.visit(&page(&world, &stage)).await;
            olive.fill("Description", description).press("Save import configuration").await;
            olive.answered(200).sees("Saved the import configuration");
            assert_eq!(configurations(&world).await[0].0.version, version, "{description}");
        }
    }
}

on_both! {
    async fn a_look_at_an_endless_source_ends(world: World) {
        let sent = Arc::new(AtomicU64::new(0));
        let counted = sent.clone();
        let endless = Server::start(move |_, stream| {
            server::say(stream, b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\nConnection: close\r\n\r\nid,word\n");
            let rows = b"1,one\n".repeat(10_000);
            while stream.write_all(&rows).is_ok() {
                counted.fetch_add(rows.len() as u64, Ordering::Relaxed);
            }
        });
        let settings = serde_json::json!({ "url": endless.url(), "auth": "none" });
        connection(&world, "Endless", "http", settings).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{}/new", list(&world))).await;
        olive.choose("Source", "Endless").fill("File", "words.csv").press("Preview").await;
        olive.answered(200);
        assert_eq!(olive.value("Type of id"), "integer");
        // It takes 16 MiB; what lay on the way between the two is lost.
        let sent = sent.load(Ordering::Relaxed);
        assert!(((16 << 20) - 60_000..44 << 20).contains(&sent), "{sent} bytes were sent");
    }
}

on_both! {
    async fn what_the_source_does_not_tell_is_asked_with_a_real_cell_in_each_reading(world: World) {
        folder_connection(&world, "words").await;
        std::fs::write(world.folder().join("prices.csv"), "name;price\nlamp;1.250\ndesk;12.500\npen;300\n").unwrap();
        let mut olive = previewing(&world, "prices.csv").await;
        olive.answered(200).sees("How is “price” read?").sees("What does “1.250” mean?");
        olive.press("Map the columns").await;
        olive.answered(422).sees("Choose what \"1.250\" in price means.");
        olive.choose("How price is read", "1250").press("Map the columns").await;
        olive.answered(200).sees("All 3 fit");
        olive.press("Save and choose when").await;
        olive.answered(200);
        let read = configurations(&world).await.remove(0).1.source.read.values;
        assert_eq!((read.decimal_point.as_str(), read.group_separator.as_deref()), (",", Some(".")));
    }
}

on_both! {
    async fn a_column_of_a_mapping_has_null_markers_of_its_own(world: World) {
        folder_connection(&world, "words").await;
        std::fs::write(world.folder().join("places.csv"), "place,people\nNA,3\nn/a,4\nOslo,NA\n").unwrap();
        let mut olive = previewing(&world, "places.csv").await;
        olive.answered(200).sees("NA stays text here");
        olive.press("Map the columns").await;
        olive.answered(200);
        olive.fill("Null markers of place, one per line", "n/a").press("Save and choose when").await;
        olive.answered(200);
        let definition = configurations(&world).await.remove(0).1;
        let mapping = definition.mapping.unwrap();
        assert_eq!(mapping[0].nulls.as_deref(), Some(&["n/a".to_owned()][..]));
        assert_eq!(mapping[1].nulls, None);
    }
}

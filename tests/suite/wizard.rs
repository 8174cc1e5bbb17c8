//! The wizard by clicks: files and formats are chosen from lists, and what was seen of a source stays on the way on.

use crate::support::World;
use serde_json::json;
use tidegate::imports::Mode;

use crate::support::stage::{connection, csv, folder_connection, stage};

on_both! {
    async fn files_are_chosen_by_a_click_with_their_connection(world: World) {
        let first = folder_connection(&world, "words").await;
        let inner = world.folder().join("inner");
        std::fs::create_dir(&inner).unwrap();
        for i in 0..9 {
            let path = inner.join(format!("sales-{i}.csv"));
            std::fs::write(&path, "id,word\n1,one\n").unwrap();
            let at = world.now().plus(chrono::Duration::hours(-i)).micros();
            let file = std::fs::File::options().append(true).open(&path).unwrap();
            file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_micros(at as u64)).unwrap();
        }
        let inner = inner.canonicalize().unwrap();
        let second = connection(&world, "Sales", "folder", json!({ "path": inner, "quiet_seconds": 0 })).await;
        connection(&world, "Web", "http", json!({ "url": "https://example.org/exports/" })).await;
        let new = format!("/applications/{}/settings/import-configurations/new", world.application);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&new).await;
        olive.sees("3 more files").sees("14 bytes, 3 h ago");
        // The same name stands below both folders.
        olive.choose("Source", "sales-3.csv").press("Preview").await;
        olive.answered(200).sees("sales-3.csv from Sales");
        olive.press("Back").await;
        assert_eq!(olive.count(&format!("input[value='{second}:sales-3.csv'][checked]")), 1);
        olive.choose("Source", "inner/sales-3.csv").press("Preview").await;
        olive.answered(200).sees("inner/sales-3.csv from Folder of words");
        olive.press("Back").await;
        assert_eq!(olive.count(&format!("input[value='{first}:inner/sales-3.csv'][checked]")), 1);
        olive.choose("Source", "Web").press("Preview").await;
        olive.answered(422);
        // From the page of a Connection.
        olive.visit(&format!("{new}?source={second}")).await;
        assert_eq!(olive.count(&format!("input[value='{second}'][checked]")), 1);
    }

    async fn formats_of_dates_are_a_list_with_examples(world: World) {
        std::fs::write(world.folder().join("days.csv"), "id,day\n1,13~02~2026\n2,14~02~2026\n").unwrap();
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "days.csv").press("Preview").await;
        olive.answered(200);
        assert_eq!(olive.value("Type of day"), "text");
        olive.choose("Dates", "31/12/2026").press("Read again").await;
        assert_eq!(olive.value("Dates"), "%d/%m/%Y");
        olive.choose("Dates", "Another pattern").fill("Dates: Pattern", "%d~%m~%Y").press("Read again").await;
        olive.answered(200);
        assert_eq!((olive.value("Dates"), olive.value("Dates: Pattern")), ("other".into(), "%d~%m~%Y".into()));
        assert_eq!(olive.value("Type of day"), "date");
    }

    async fn the_block_of_that_name_is_meant_and_the_preview_shows_what_is_loaded(world: World) {
        let stage = stage(&world, "prices", Mode::Append, |_| ()).await;
        std::fs::write(world.folder().join("prices.csv"), "id,word\n007,one\n8,two\n").unwrap();
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "prices.csv").press("Preview").await;
        assert_eq!(olive.count(&format!("select[name='block'] option[value='{}'][selected]", stage.block)), 1);
        assert_eq!(olive.count("input[name='target'][value='existing'][checked]"), 1);
        olive.press("Map the columns").await;
        olive.answered(200).sees("7 (in the source: 007)").sees_no("8 (in the source");
    }

    async fn a_source_of_more_columns_than_a_block_may_have_says_so(world: World) {
        let line = |cell: &dyn Fn(usize) -> String| (0..700).map(cell).collect::<Vec<_>>().join(",");
        let wide = format!("{}\n{}\n", line(&|i| format!("c{i}")), line(&|i| i.to_string()));
        std::fs::write(world.folder().join("wide.csv"), wide).unwrap();
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "wide.csv").press("Preview").await;
        olive.answered(200).sees("A Block has at most 500 columns, and the source has 700.");
    }

    async fn what_was_seen_of_a_source_stays_on_the_way_on(world: World) {
        csv(&world, "words", &[("1", "one"), ("2", "two")]);
        folder_connection(&world, "words").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "words.csv").press("Preview").await;
        assert_eq!(olive.value("Type of id"), "integer");
        // The types were told from the whole file; the next screens look at its first rows alone.
        csv(&world, "words", &[("x", "one"), ("y", "two")]);
        olive.press("Map the columns").await;
        olive.answered(200).sees("2 of 2 rows do not fit");
        olive.press("Back").await;
        olive.press("Read again").await;
        assert_eq!(olive.value("Type of id"), "text");
    }
}

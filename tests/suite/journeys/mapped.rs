//! A new import that replaces within a scope and changes its cells on the way: what is chosen is seen on real cells, stays on
//! the way back and forth, and is what the run then does.

use tidegate::runs::executor;

use crate::support::stage::folder_connection;
use crate::support::*;

#[test]
fn a_scope_and_changed_cells_are_chosen_seen_and_loaded() {
    with_world(Database::Sqlite, |world| async move {
        let file = world.folder().join("plan.csv");
        std::fs::write(&file, "day,land,city,amount\n2026-05-17, no ,oslo,1\n2026-05-18, it ,rome,2\n").unwrap();
        folder_connection(&world, "words").await;
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        chrome.goto(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        chrome.click("plan.csv").await;
        chrome.click("Preview").await;
        chrome.sees("Map the columns").await;
        chrome.click("Map the columns").await;
        chrome.sees("How rows are loaded").await;
        assert!(
            chrome.css("#scope input").await[0].is_displayed().await.is_ok_and(|shown| !shown),
            "of one mode alone"
        );
        chrome.click("Replace within a scope").await;
        chrome.click("day").await;
        chrome.click("land").await;
        // Each change where it is chosen.
        chrome.click("Change the cells of day").await;
        chrome.choose("A date of day becomes", "Its month").await;
        chrome.click("Change the cells of land").await;
        chrome.click("Trim spaces of land").await;
        chrome.choose("Letters of land", "UPPER CASE").await;
        chrome.choose("city is filled from", "Several columns together").await;
        chrome.fill("Text for city", "{city} {amount}").await;
        chrome.click("Change the cells of city").await;
        chrome.choose("Letters of city", "First Letters").await;
        chrome.click("Show how rows are loaded").await;
        chrome.sees("Underlined cells are written differently in the source.").await;
        let turned =
            "return [...document.querySelectorAll('td.turned')].map(td => td.innerText.split('\\n')[0].trim())";
        let shown = chrome.script(turned).await.to_string();
        for cell in ["2026-05-01", "NO", "Oslo 1"] {
            assert!(shown.contains(cell), "{cell}: {shown}");
        }
        // Back to the source, and forth.
        for screen in ["First rows", "Where do the rows come from?"] {
            chrome.click("Back").await;
            chrome.sees(screen).await;
        }
        for (button, screen) in [("Preview", "Map the columns"), ("Map the columns", "How rows are loaded")] {
            chrome.click(button).await;
            chrome.sees(screen).await;
        }
        let chosen = "return [...document.querySelectorAll('#scope input:checked')].map(box => box.value).join()";
        assert_eq!(chrome.script(chosen).await, "day,land");
        assert!(chrome.script(turned).await.to_string().contains("Oslo 1"));
        chrome.click("Save and choose when").await;
        chrome.sees("Run now").await;
        chrome.click("Run now").await;
        chrome.sees("Started: ").await;
        while world.step(executor::step).await.is_some() {}
        // Norway's May comes anew; what lies outside stays.
        std::fs::write(&file, "day,land,city,amount\n2026-05-30,no,bergen,7\n").unwrap();
        world.advance(chrono::Duration::minutes(5));
        chrome.goto(&crate::journeys::list(&world)).await;
        chrome.click("Run now").await;
        chrome.sees("Started: ").await;
        while world.step(executor::step).await.is_some() {}
        chrome.goto(&format!("/applications/{}/blocks", world.application)).await;
        chrome.click("Plan").await;
        chrome.sees("2 rows").await;
        let rows =
            chrome.script("return [...document.querySelectorAll('#rows tbody tr')].map(tr => tr.innerText)").await;
        let rows = rows.to_string();
        assert!(rows.contains("Rome 2") && rows.contains("Bergen 7") && !rows.contains("Oslo"), "{rows}");
        chrome.quiet().await;
        chrome.close().await;
    });
}

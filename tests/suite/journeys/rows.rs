//! The rows of a Block are sorted and filtered without a new page, a row is asked where it comes from, and what the Block
//! held before is restored.

use fantoccini::key::Key;
use tidegate::imports::Mode;
use tidegate::runs::executor;

use super::{mark, still_the_same_page};
use crate::running::{start, work_off};
use crate::support::stage::{csv, rows, stage};
use crate::support::*;

#[test]
fn rows_are_sorted_filtered_asked_and_restored() {
    with_world(Database::Sqlite, |world| async move {
        let stage = stage(&world, "words", Mode::Replace, |_| ()).await;
        for words in [&["zebra", "ape", "mole"][..], &["zebra", "ape", "newt", "lynx"]] {
            let all: Vec<(String, String)> =
                words.iter().enumerate().map(|(n, word)| ((n + 1).to_string(), (*word).to_owned())).collect();
            let all: Vec<(&str, &str)> = all.iter().map(|(id, word)| (id.as_str(), word.as_str())).collect();
            csv(&world, "words", &all);
            start(&world, &stage).await;
            work_off(&world).await;
        }
        let here = format!("/applications/{}/blocks/{}", world.application, stage.block);
        let chrome = Chrome::open(&world, Some(&world.olive), Look::default()).await;
        let first =
            "return [...document.querySelectorAll('#rows tbody td:nth-child(2)')].map(td => td.innerText).join(' ')";
        chrome.goto(&here).await;
        mark(&chrome).await;
        // By keyboard: the heading keeps the focus.
        chrome.tab_to("word").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.until("sorted", async || (chrome.script(first).await == "ape lynx newt zebra").then_some(())).await;
        chrome.until("focus", async || chrome.focused().await.starts_with("word").then_some(())).await;
        chrome.keys(&[Key::Enter]).await;
        chrome.until("sorted", async || (chrome.script(first).await == "zebra newt lynx ape").then_some(())).await;
        assert_eq!(chrome.script("return location.search").await, "?sort=-2");
        chrome.choose("Column", "word").await;
        chrome.choose("Condition", "contains").await;
        chrome.fill("Value", "E").await;
        chrome.keys(&[Key::Enter]).await;
        chrome.sees("3 of 4 rows").await;
        chrome.sees("Download these 3 rows").await;
        assert_eq!(chrome.script("return document.querySelector('[name=value]').value").await, "", "for the next one");
        chrome.until("focus", async || chrome.focused().await.starts_with("Column").then_some(())).await;
        chrome.choose("Column", "id").await;
        chrome.choose("Condition", "is").await;
        chrome.fill("Value", "two").await;
        chrome.click("Apply").await;
        chrome.sees("Enter a whole number, such as 1200.").await;
        chrome.fill("Value", "2").await;
        chrome.click("Apply").await;
        chrome.sees("1 of 4 rows").await;
        still_the_same_page(&chrome).await;
        chrome.click("Details of row 2").await;
        chrome.sees("Where it comes from").await;
        chrome.sees("words.csv").await;
        chrome.keys(&[Key::Escape]).await;
        chrome.sees_no("Where it comes from").await;
        still_the_same_page(&chrome).await;
        // The address is all that there is to it.
        let path = chrome.path().await;
        chrome.goto(&path).await;

        chrome.goto(&here).await;
        chrome.sees("Earlier contents").await;
        chrome.click("Restore the contents of run 1").await;
        chrome.sees("What would be different").await;
        chrome.sees("mole").await;
        chrome.click("Restore").await;
        chrome.sees("Started: Restore of words.").await;
        world.step(executor::step).await;
        chrome.sees("Restored the contents of run 1").await;
        assert_eq!(rows(&world, stage.block), 3);
        chrome.quiet().await;
        chrome.close().await;
    });
}

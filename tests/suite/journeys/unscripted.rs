//! Everything of Import Scheduling with scripts switched off: pages, links and forms alone.

use crate::journeys::{list, words};
use crate::running::work_off;
use crate::schedules::{create, daily, draft};
use crate::support::*;

const OFF: Look = Look { scripts: false, dark: false, phone: false };

#[test]
fn an_import_is_scheduled_and_changed() {
    with_world(Database::Sqlite, |world| async move {
        words(&world).await;
        let chrome = Chrome::open(&world, Some(&world.olive), OFF).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Set up scheduled imports").await;
        chrome.arrives(&format!("/applications/{}/schedules/new", world.application)).await;
        chrome.choose("Block", "words").await;
        chrome.click("Show configurations").await;
        chrome.choose("Configuration", "words").await;
        chrome.click("Weekly").await;
        chrome.set("Time", "07:15").await;
        chrome.click("Show the next runs").await;
        chrome.sees("Every weekday at 07:15, Europe/Paris").await;
        chrome.sees("Fri 9 Oct 2026, 07:15").await;
        chrome.click("Get notified on the final status").await;
        chrome.click("Schedule Import").await;
        chrome.sees("Scheduled: Every weekday at 07:15, Europe/Paris").await;
        chrome.sees("Failed, 1 member").await;

        chrome.click("More actions for").await;
        chrome.click("Edit schedule").await;
        chrome.sees("You own this schedule.").await;
        chrome.click("Daily").await;
        chrome.fill("Every", "3").await;
        chrome.click("Update Schedule").await;
        chrome.sees("Updated: Every 3 days at 07:15, Europe/Paris").await;

        chrome.click("On: Every 3 days").await;
        chrome.click("Save").await;
        chrome.sees("Turned off: Every 3 days at 07:15").await;
        chrome.click("Undo").await;
        chrome.sees("Turned on: Every 3 days at 07:15").await;

        chrome.click("More actions for").await;
        chrome.click("Delete schedule").await;
        chrome.click("Keep it").await;
        chrome.sees("1 of 4 schedules").await;
        // What only a script folds leaves its place to nothing: the name stands on one line.
        let (_, _, width, height) = chrome.css(".cfg-title h2").await[0].rectangle().await.unwrap();
        assert!(width > height, "the name is {width} wide and {height} high");
        chrome.click("More actions for").await;
        chrome.click("Delete schedule").await;
        chrome.sees("The configuration and the history of its runs stay.").await;
        chrome.click("Delete schedule").await;
        chrome.sees("Deleted: Every 3 days at 07:15, Europe/Paris").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn an_import_is_run_and_looked_at() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        create(&world, draft(&stage, &daily("18:00"))).await;
        let chrome = Chrome::open(&world, Some(&world.olive), OFF).await;
        chrome.goto(&list(&world)).await;
        chrome.click("Run now").await;
        chrome.sees("Started: words").await;
        chrome.sees("Waiting for a worker").await;
        work_off(&world).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Success").await;
        chrome.click("Show history").await;
        chrome.sees("History of words").await;
        chrome.click("View Summary").await;
        chrome.sees("2 rows loaded").await;
        chrome.click("Run Again").await;
        chrome.sees("Queued").await;
        chrome.click("Cancel run").await;
        chrome.sees("Cancelled").await;

        chrome.goto(&list(&world)).await;
        chrome.fill("Filter by Block, configuration or Owner", "nothing like it").await;
        chrome.click("Filter").await;
        chrome.sees("No schedule matches").await;
        chrome.click("Clear filter").await;
        chrome.sees("Every day at 18:00").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn a_role_and_a_group_are_made_and_the_group_is_let_in() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.ada), OFF).await;
        chrome.goto("/members").await;
        chrome.click("Roles").await;
        chrome.fill("Name", "Night operator").await;
        chrome.click("Can Import Data").await;
        chrome.click("Create role").await;
        chrome.sees("The role Night operator is created.").await;
        chrome.goto("/groups").await;
        chrome.fill("Name", "Planning team").await;
        chrome.click("Mo mo@acme.test").await;
        chrome.click("Create group").await;
        chrome.sees("The group Planning team is created.").await;
        chrome.goto(&format!("/applications/{}/settings/members", world.application)).await;
        chrome.click("Configure for Planning team").await;
        chrome.click("Save for Planning team").await;
        chrome.sees("Planning team has View and Configure.").await;
        chrome.sees("View and Configure through Planning team").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

//! Handed over, taken back, and a member who goes: by keyboard, and without scripts.

use fantoccini::key::Key;

use crate::journeys::{list, words};
use crate::schedules::{create, daily, draft, find};
use crate::support::*;

const ENTER: Key = Key::Enter;

#[test]
fn schedules_are_handed_over_and_a_member_goes_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let first = create(&world, draft(&stage, &daily("18:00"))).await;
        create(&world, draft(&stage, &daily("19:00"))).await;
        let owner = async || find(&world, first.id).await.owner_id;
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto("/ownership").await;
        chrome.tab_to("Hand over schedules").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Choose whose schedules to hand over.").await;
        chrome.tab_to("From").await;
        chrome.type_text("Olive").await;
        // What would change follows each choice, and the focus stays.
        chrome.sees("All 2").await;
        chrome.tab_to("To").await;
        chrome.type_text("Ada").await;
        chrome.sees("2 of 2 schedules go from Olive to Ada.").await;
        chrome.focus_on("#to").await;
        chrome.tab_to("Hand over words, Every day at 19:00").await;
        chrome.type_text(" ").await;
        chrome.sees("1 of 2 schedules goes from Olive to Ada.").await;
        chrome.tab_to("Hand over 1 schedule").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("1 schedule handed over from Olive to Ada.").await;
        assert_eq!(owner().await, world.ada.id);
        chrome.tab_to("Undo").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Undone. 1 schedule is as it was.").await;
        assert_eq!(owner().await, world.olive.id);

        chrome.goto("/members").await;
        // By keyboard one looks through the roles; only the button gives one.
        let hidden = "return [...document.querySelectorAll('[data-once-changed] button')].every((b) => !b.checkVisibility({ visibilityProperty: true }))";
        assert_eq!(chrome.script(hidden).await, true, "nothing is to be saved yet");
        chrome.tab_to("Role of Mo").await;
        chrome.type_text("Importer").await;
        chrome.sees("Save role").await;
        chrome.arrives("/members").await;
        chrome.sees_no("Mo now has the role").await;
        chrome.tab_to("Save role").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Mo now has the role Importer.").await;
        chrome.focus_on(&format!("#role-{}", world.mo.id)).await;
        chrome.tab_to("Deactivate Olive").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Deactivate Olive?").await;
        assert_eq!(chrome.focused().await, "Deactivate Olive?", "the page is read from its head, not from the button");
        chrome.tab_to("Deactivate").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("2 schedules now belong to Ada.").await;
        assert_eq!(owner().await, world.ada.id);
        // The toast comes last.
        chrome.tab_to("Undo").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Undone. 2 schedules are as they were. Olive can sign in again.").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn what_nobody_can_run_is_taken_in_place_and_all_goes_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        let first = create(&world, draft(&stage, &daily("18:00"))).await;
        create(&world, draft(&stage, &daily("19:00"))).await;
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.ada), off).await;
        chrome.goto(&format!("/members/{}/deactivate", world.olive.id)).await;
        chrome.click("Leave them as they are").await;
        chrome.click("Show what changes").await;
        chrome.sees("Deactivate Olive?").await;
        chrome.click("Deactivate").await;
        chrome.sees("Olive is deactivated and signed out everywhere.").await;
        chrome.goto("/ownership").await;
        chrome.click("Hand over the schedules of Olive").await;
        chrome.choose("To", "Ada").await;
        chrome.click("Show what changes").await;
        chrome.sees("2 of 2 schedules go from Olive to Ada.").await;
        chrome.close().await;

        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto(&list(&world)).await;
        chrome.sees("Olive is deactivated. 2 schedules they own will fail").await;
        let row = format!("#sched-{}", first.id);
        chrome.click("Take ownership of Every day at 18:00").await;
        chrome.sees("You now own: Every day at 18:00").await;
        chrome.focus_on(&row).await;
        chrome.sees("1 schedule they own will fail").await;
        chrome.click("Take ownership").await;
        chrome.sees("You now own 1 more schedule.").await;
        chrome.sees_no("will fail").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn the_pages_of_ownership_fit_every_look() {
    with_world(Database::Sqlite, |world| async move {
        let stage = words(&world).await;
        for time in ["18:00", "19:00"] {
            create(&world, draft(&stage, &daily(time))).await;
        }
        let form = format!("/ownership/hand-over?from={}&to={}", world.olive.id, world.ada.id);
        let behind = format!("/ownership/hand-over?from={}&to={}", world.olive.id, world.stranger.id);
        for (name, look) in [
            ("light", Look::default()),
            ("dark", Look { dark: true, ..Look::default() }),
            ("phone", Look { phone: true, ..Look::default() }),
        ] {
            let chrome = Chrome::open(&world, Some(&world.ada), look).await;
            let leaving = format!("/members/{}/deactivate", world.olive.id);
            for (page, path) in [("form", &form), ("behind", &behind), ("leaving", &leaving)] {
                chrome.goto(path).await;
                let wider = "return document.documentElement.scrollWidth > document.documentElement.clientWidth";
                assert_eq!(chrome.script(wider).await, false, "{page} {name}");
                chrome.screenshot(&format!("ownership-{page}-{name}")).await;
            }
            chrome.close().await;
        }
    });
}

//! A new colleague comes in: invited, and the invitation accepted, by keyboard and without scripts.

use fantoccini::key::Key;

use crate::passwords::links;
use crate::support::*;

const ENTER: Key = Key::Enter;

/// The address in the one mail.
fn link(world: &World) -> String {
    links(&world.mails(), "/invitations/").remove(0)
}

#[test]
fn a_colleague_is_invited_and_comes_in_by_keyboard() {
    with_world(Database::Sqlite, |world| async move {
        let chrome = Chrome::open(&world, Some(&world.ada), Look::default()).await;
        chrome.goto("/members").await;
        chrome.tab_to("Invite member").await;
        chrome.keys(&[ENTER]).await;
        chrome.focus_on("#name").await;
        chrome.type_text("Una").await;
        chrome.tab_to("E-mail").await;
        chrome.type_text("una@acme.test").await;
        chrome.tab_to("Role").await;
        chrome.type_text("Importer").await;
        chrome.tab_to("Invite").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("An invitation is on its way to una@acme.test.").await;
        chrome.sees("Pending").await;
        chrome.quiet().await;
        chrome.close().await;

        let chrome = Chrome::open(&world, None, Look::default()).await;
        chrome.goto(&link(&world)).await;
        chrome.sees("Ada invites una@acme.test, in the role Importer.").await;
        chrome.tab_to("Password").await;
        chrome.type_text("shells and stones").await;
        chrome.keys(&[ENTER]).await;
        chrome.sees("Welcome.").await;
        chrome.goto("/account").await;
        chrome.sees("una@acme.test, Importer").await;
        chrome.quiet().await;
        chrome.close().await;
    });
}

#[test]
fn a_colleague_is_invited_and_comes_in_without_scripts() {
    with_world(Database::Sqlite, |world| async move {
        let off = Look { scripts: false, ..Look::default() };
        let chrome = Chrome::open(&world, Some(&world.ada), off).await;
        chrome.goto("/members").await;
        chrome.click("Invite member").await;
        chrome.fill("Name", "Una").await;
        chrome.fill("E-mail", "una@acme.test").await;
        chrome.choose("Role", "Importer: Can Import Data").await;
        chrome.click("Invite").await;
        chrome.sees("An invitation is on its way to una@acme.test.").await;
        chrome.close().await;

        let chrome = Chrome::open(&world, None, off).await;
        chrome.goto(&link(&world)).await;
        chrome.fill("Password", "shells and stones").await;
        chrome.click("Accept").await;
        chrome.sees("Welcome.").await;
        chrome.close().await;
    });
}

//! Translation tables as people type, paste, read and delete them; with scripts off. And what an import's correction
//! teaches them.

use serde_json::{Value, json};
use tidegate::audit;
use tidegate::db::Conn;
use tidegate::error::{AppError, Result};
use tidegate::in_use::{InUse, Named, Thing, Uses};
use tidegate::translations::{Draft, Otherwise, Translation, actions, by_id};

use crate::support::databases::with_changed_world;
use crate::support::{Database, Person, World};

fn page(world: &World) -> String {
    format!("/applications/{}/settings/translations", world.application)
}

/// A table of "FP&A 2026", made by Olive.
pub async fn create(world: &World, name: &str, entries: &[(&str, &str)]) -> Translation {
    let entries = entries.iter().map(|(from, to)| ((*from).to_owned(), (*to).to_owned())).collect();
    let draft = Draft { name: name.to_owned(), otherwise: Otherwise::Keep, entries };
    let (olive, application, now) = (world.olive.clone(), world.application, world.now());
    world
        .write(move |conn| {
            let by = olive.by(conn)?;
            actions::create(conn, &by, application, draft, now)
        })
        .await
}

/// Somebody lets a table say what a value becomes.
async fn learn(world: &World, who: &Person, application: i64, id: i64, from: &str, to: &str) -> Result<Translation> {
    let (who, from, to, now) = (who.clone(), from.to_owned(), to.to_owned(), world.now());
    world
        .try_write(move |conn| {
            let by = who.by(conn)?;
            let entered = tidegate::applications::enter(conn, &by, application)?;
            actions::learn(conn, &by, &entered, id, &from, &to, now)
        })
        .await
}

/// Action, before and after of what was done to tables, the oldest first.
async fn audited(world: &World) -> Vec<(String, Option<Value>, Option<Value>)> {
    let mut entries = world.read(|conn| audit::list(conn, &audit::Filter::default(), None, 100)).await;
    entries.reverse();
    let of_tables = entries.into_iter().filter(|e| e.subject_kind == "translation");
    of_tables.map(|e| (e.action, e.before, e.after)).collect()
}

on_both! {
    async fn a_table_is_pasted_changed_and_deleted(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings", world.application)).await;
        olive.within(".side").follow("Translations").await.answered(200);
        olive.sees("No translation tables yet").sees("US instead of United States");
        olive.everywhere().follow("New translation table").await.answered(200);
        let pasted = "CC-9914\tCC-9910\n\nUS = United States\n東京\tTokyo\nN/A =\n مبيعات\tSales ";
        olive.fill("Name", "Cost centres").fill("Entries", pasted).choose("Any other value", "Its row is rejected");
        olive.press("Save").await.answered(200).sees("Created the translation table “Cost centres” with 5 entries.");
        olive.in_row("Cost centres").sees("5").sees("Its row is rejected");
        olive.everywhere().follow("Cost centres").await.sees("No import uses it yet.");
        let shown = " مبيعات\tSales \r\nCC-9914 = CC-9910\r\nN/A =\r\nUS = United States\r\n東京 = Tokyo\r\n";
        assert_eq!((olive.value("Entries").as_str(), olive.value("Any other value").as_str()), (shown, "reject"));
        // What changes nothing makes no version.
        olive.press("Save").await.answered(200);
        olive.everywhere().follow("Cost centres").await;
        assert_eq!(olive.count("[name=version][value='1']"), 1);
        olive.fill("Name", "Centres").fill("Entries", "US = USA\n東京 = Tokyo").choose("Any other value", "It becomes empty");
        olive.press("Save").await.answered(200).sees("Saved the translation table “Centres” with 2 entries.");
        olive.in_row("Centres").sees("It becomes empty");
        olive.everywhere().follow("Centres").await.follow("Delete").await.sees("Delete the translation table “Centres”?");
        olive.press("Delete translation table").await.sees("Deleted the translation table “Centres”.");
        olive.sees("No translation tables yet");
        let audited = audited(&world).await;
        let actions: Vec<&str> = audited.iter().map(|(action, ..)| action.as_str()).collect();
        assert_eq!(actions, ["translation.created", "translation.updated", "translation.deleted"]);
        let (_, before, after) = &audited[1];
        let (before, after) = (before.as_ref().unwrap(), after.as_ref().unwrap());
        assert_eq!((&before["entry_count"], &after["entry_count"]), (&json!(5), &json!(2)));
        assert_eq!((&before["otherwise"], &after["otherwise"]), (&json!("reject"), &json!("empty")));
        // 東京 was and is Tokyo: that is no change.
        assert_eq!(before["changed_entries"].as_array().unwrap().len(), 4);
        assert_eq!(after["changed_entries"], json!([{"from": "US", "to": "USA"}]));
    }

    async fn what_is_wrong_names_its_line_and_what_was_typed_stays(world: World) {
        create(&world, "Régions", &[("a", "b")]).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world)).await.follow("New translation table").await;
        let typed = "\r\nUS\tUnited States\r\nalone\r\nUS = USA\r\na\tb\tc";
        olive.fill("Name", " ").fill("Entries", typed).press("Save").await.answered(422);
        olive.sees("Enter a name.").sees("Line 3: Write the value, “ = ” (with a space on each side)");
        olive.sees("Line 4: \"US\" is there twice.").sees("Line 5: This line has more than two columns.");
        assert_eq!(olive.value("Entries"), typed, "to the blank line at its top");
        assert_eq!(olive.count("[aria-invalid]"), 2);
        let many: String = (0..10_001).map(|n| format!("{n} = x\n")).collect();
        olive.fill("Entries", &many).press("Save").await.answered(422).sees("at most 10,000 entries. These are 10,001.");
        let wrong = "x\n".repeat(50);
        olive.fill("Entries", &wrong).press("Save").await.answered(422).sees("Line 20:").sees_no("Line 21:");
        olive.sees("30 errors more.");
        olive.fill("Entries", &format!("{} = x", "é".repeat(1_001))).press("Save").await.answered(422);
        olive.sees("Line 1:").sees("A value has at most 2,000 bytes.");
        // The same name, the accent typed by itself.
        olive.fill("Name", "RE\u{301}GIONS").fill("Entries", "").press("Save").await.answered(409);
        olive.sees("A translation table named \"RÉGIONS\" already exists in this Application.");
        assert_eq!(olive.count("#name[aria-invalid]"), 1);
        olive.fill("Name", "Regions").press("Save").await.answered(200).sees("with 0 entries");
        assert_eq!(olive.post(&format!("{}/new", page(&world)), &[("name", "x")]).await.status, 422);
        let at = format!("{}/new", page(&world));
        let nul = olive.post(&at, &[("name", "nul"), ("otherwise", "keep"), ("entries", "a\0b = c")]).await;
        assert!(nul.status < 500, "{}", nul.status);
    }

    /// Every table that may be kept can be changed by its form, whatever it is written in.
    async fn the_largest_table_fits_into_its_form(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("{}/new", page(&world))).await;
        let line = |n: usize| format!("{n:05}{} = {}", "東".repeat(6), "京".repeat(9));
        let entries: String = (0..10_000).map(|n| line(n) + "\n").collect();
        olive.fill("Name", "Largest").fill("Entries", &entries).press("Save").await.answered(200);
        olive.sees("with 10,000 entries");
        olive.follow("Largest").await;
        assert_eq!(olive.value("Entries"), entries.replace('\n', "\r\n"));
        olive.fill("Entries", &entries.replacen('京', "都", 1)).press("Save").await.answered(200).sees("with 10,000 entries");
        let (_, before, after) = audited(&world).await.pop().unwrap();
        assert_eq!(before.unwrap()["changed_entries"].as_array().unwrap().len(), 1);
        assert_eq!(after.unwrap()["changed_entries"].as_array().unwrap().len(), 1);
        let (_, _, created) = audited(&world).await.swap_remove(0);
        let created = created.unwrap();
        assert_eq!(created["changed_entries"].as_array().unwrap().len(), 1_000);
        assert_eq!(created["more_changed_entries"], true);
    }

    async fn a_long_list_is_searched_and_sorted(world: World) {
        for n in 0..12 {
            create(&world, &format!("Länder {n}"), &[("a", "b"), ("c", "d")][..usize::from(n == 7) + 1]).await;
        }
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world)).await.fill("Filter by name", "LANDER 11").press("Filter").await;
        assert_eq!(olive.count("#list tbody tr"), 1);
        olive.fill("Filter by name", "none").press("Filter").await.sees("Nothing matches “none”.");
        olive.follow("Clear filter").await.follow("Most entries").await.within("#list tbody tr:first-child").sees("Länder 7");
    }

    async fn others_read_and_are_told_who_can(world: World) {
        let table = create(&world, "Centres", &[("CC-9914", "CC-9910")]).await;
        let one = format!("{}/{}", page(&world), table.id);
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&page(&world)).await.sees_no("New translation table");
        audrey.follow("Centres").await;
        audrey.sees("You can view this page but not change it.").sees("Olive can grant it.").sees("CC-9914").sees_no("Delete");
        assert_eq!((audrey.count("main form"), audrey.count("textarea[readonly]")), (0, 1));
        let mut mo = world.browser(&world.mo).await;
        for path in [&page(&world), &one] {
            assert_eq!(mo.open(path).await, 403);
        }
        let stranger = world.browser(&world.stranger).await;
        for application in [world.application, world.elsewhere] {
            let path = format!("/applications/{application}/settings/translations/{}", table.id);
            assert_eq!(stranger.get(&path).await.status, 404);
            for end in ["", "/delete"] {
                assert_eq!(stranger.post(&format!("{path}{end}"), &[]).await.status, 404);
            }
        }
        let learnt = learn(&world, &world.mo, world.application, table.id, "a", "b").await;
        assert!(matches!(learnt, Err(AppError::Forbidden(_))), "{learnt:?}");
        let elsewhere = learn(&world, &world.stranger, world.elsewhere, table.id, "a", "b").await;
        assert!(matches!(elsewhere, Err(AppError::NotFound)), "{elsewhere:?}");
    }

    async fn a_stale_form_replaces_nothing(world: World) {
        let table = create(&world, "Centres", &[("a", "b")]).await;
        let mut ada = world.browser(&world.ada).await;
        let mut olive = world.browser(&world.olive).await;
        for browser in [&mut ada, &mut olive] {
            browser.visit(&page(&world)).await.follow("Centres").await;
        }
        ada.fill("Entries", "a = c").press("Save").await.answered(200);
        olive.fill("Entries", "a = d").press("Save").await.answered(412).sees("was changed after you opened this page");
        assert_eq!(olive.value("Entries"), "a = d");
        let id = table.id;
        assert_eq!(world.read(move |conn| by_id(conn, id)).await.entries["a"], "c");
        olive.press("Save").await.answered(200);
        assert_eq!(world.read(move |conn| by_id(conn, id)).await.entries["a"], "d");
    }

    async fn one_entry_is_learnt(world: World) {
        let table = create(&world, "Centres", &[("CC-1", "CC-2"), ("CC-3", "CC-4")]).await;
        let learn = async |from: &str, to: &str| learn(&world, &world.olive, world.application, table.id, from, to).await;
        let learnt = learn("CC-9914", "CC-9910").await.unwrap();
        assert_eq!((learnt.version, learnt.entries["CC-9914"].as_str(), learnt.entries.len()), (2, "CC-9910", 3));
        let changed = learn("CC-1", "").await.unwrap();
        assert_eq!((changed.version, changed.entries["CC-1"].as_str(), changed.entries.len()), (3, "", 3));
        assert_eq!(learn("CC-1", "").await.unwrap().version, 3, "it knows that");
        let id = table.id;
        assert_eq!(world.read(move |conn| by_id(conn, id)).await, changed);
        for (from, to, field) in [("", "x", "from"), ("a\tb", "x", "from"), ("a", "x\ny", "to")] {
            match learn(from, to).await {
                Err(AppError::Invalid(errors)) => assert_eq!(errors.0[0].field, field),
                other => panic!("{other:?}"),
            }
        }
        let (_, before, after) = audited(&world).await.pop().unwrap();
        let (before, after) = (before.unwrap(), after.unwrap());
        assert_eq!(before["changed_entries"], json!([{"from": "CC-1", "to": "CC-2"}]));
        assert_eq!(after["changed_entries"], json!([{"from": "CC-1", "to": ""}]));
    }
}

/// Says of every table that an import uses it.
fn used(_: &mut Conn, thing: Thing) -> Result<Option<Uses>> {
    let named = Named { words: "the import configuration \"Nightly\"".into(), href: "/applications".into() };
    let uses = Uses { by: "import configurations", names: vec![named] };
    Ok(matches!(thing, Thing::Translation(_)).then_some(uses))
}

#[test]
fn what_an_import_uses_is_not_deleted() {
    let change = |app: &mut tidegate::app::App| app.in_use = InUse(&[used]);
    with_changed_world(Database::Sqlite, change, |world: World| async move {
        let table = create(&world, "Centres", &[]).await;
        let one = format!("{}/{}", page(&world), table.id);
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&one).await.sees("the import configuration \"Nightly\"");
        olive.follow("Delete").await.sees("It is in use.");
        assert_eq!(olive.count("main form"), 0);
        assert_eq!(olive.post(&format!("{one}/delete"), &[]).await.status, 409);
        let api = world.api(&world.olive).await;
        let refused = api.delete(&format!("translations/{}", table.id)).await;
        assert!(refused.is(409).body.contains("Nightly"), "{}", refused.body);
        api.get(&format!("translations/{}", table.id)).await.is(200);
    });
}

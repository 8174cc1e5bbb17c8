//! A clone has all definitions of its original, and the rows where they are wanted; none of its schedules is on.

use tidegate::db::schema::{schedules as table, set_versions};
use tidegate::promises::keeping;

use super::*;
use crate::support::seed::{Seed, seed};
use crate::support::stage::folder_connection;

on_both! {
    async fn everything_comes_along_and_names_the_copies(world: World) {
        let full = full(&world).await;
        let before = told(&world, world.application).await;
        let connections = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
        let copy = clone(&world, "FP&A 2026 (test)", json!({"rows": true, "connections": connections})).await;
        assert_eq!(told(&world, world.application).await, before, "the original is untouched");
        let (sales, orders) = (one(&world, copy, "blocks", "sales").await, one(&world, copy, "blocks", "Orders").await);
        let regions = one(&world, copy, "blocks", "Regions").await;
        assert_ne!((&sales["id"], &orders["id"]), (&json!(full.sales.block), &json!(full.orders)));
        assert_eq!(orders["columns"][1]["dimension_block_id"], regions["id"]);
        assert_ne!(regions["id"], full.regions);
        // The rows are those of the original, of no run.
        let ada = world.api(&world.ada).await;
        let rows = ada.get(&format!("blocks/{}/rows", sales["id"])).await;
        let words: Vec<&str> = rows.items().iter().map(|row| row["values"]["word"].as_str().unwrap()).collect();
        assert_eq!(words, ["one", "two", "three"]);
        let row = rows.items()[0].clone();
        let page = format!("/applications/{copy}/blocks/{}", sales["id"]);
        let mut browser = world.browser(&world.ada).await;
        browser.visit(&page).await.sees("three");
        browser.visit(&format!("{page}/rows/{}", row["row"].as_i64().unwrap_or(1))).await.sees("copied with the Application");
        // Configurations read and fill the copies.
        let from_block = one(&world, copy, "import-configurations", "Orders of sales").await;
        assert_eq!((&from_block["source_block_id"], &from_block["block_id"]), (&sales["id"], &orders["id"]));
        let translated = one(&world, copy, "import-configurations", "Orders").await;
        let table = one(&world, copy, "translations", "Words").await;
        assert_eq!(translated["mapping"][1]["translate"], table["id"]);
        assert_eq!(translated["connection_id"], full.sales.connection);
        let kept = one(&world, copy, "kept-files", "returns.csv").await;
        let by_hand = one(&world, copy, "import-configurations", "returns").await;
        let set = one(&world, copy, "import-sets", "Month end").await;
        assert_eq!(set["steps"][1]["configuration_id"], by_hand["id"]);
        assert_eq!(set["steps"][1]["parameters"]["file"], kept["id"]);
        assert_ne!(set["id"], full.set);
        assert_eq!(named(&world, copy, "freezes").await.len(), 1);
        // A secret opens in its place.
        if let Some(secretive) = named(&world, copy, "import-configurations").await.iter().find(|(n, _)| n == "Secretive") {
            let (set, id) = (set["id"].as_i64().unwrap(), secretive.1["id"].as_i64().unwrap());
            let text: String = world.read(move |conn| Ok(set_versions::table.find((set, 1)).select(set_versions::definition).first(conn)?)).await;
            let stored: Value = serde_json::from_str(&text).unwrap();
            let sealed = stored["steps"][2]["parameters"]["token"]["sealed"].as_str().unwrap().to_owned();
            assert_eq!(world.app().secrets.open(&format!("parameter {id} token"), &sealed).unwrap(), "hush");
        }
        // Schedules are off; Owner and recipients stay where they may.
        let all = schedules(&world, copy).await;
        assert_eq!(all.len(), 4);
        assert!(all.iter().all(|s| s["state"] == "off" && s["next_at"].is_null() && s["owner_id"] == world.olive.id), "{all:?}");
        let nightly = all.iter().find(|s| s["run_name"] == "Nightly").unwrap();
        assert_eq!(nightly["notify"]["member_ids"], json!([world.olive.id, world.mo.id]));
        let of_file = all.iter().find(|s| s["configuration_id"] == by_hand["id"]).unwrap();
        assert_eq!(of_file["parameters"]["file"], kept["id"]);
        // What was promised rests from the beginning.
        let promised = world.read(move |conn| tidegate::promises::of_applications(conn, &[copy])).await.remove(&copy).unwrap();
        assert_eq!((promised.fresh, promised.resting), (0, 1));
        // What was off for good before is no matter of a review.
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{copy}/settings/import-scheduling")).await.sees("3 copied schedules are off.");
        ada.follow("Review").await.sees("1 other was off before");
        nothing_fires(&world, copy, 3).await;
        // And nobody is told that what is off is late.
        world.step(keeping::step).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{copy}/settings/import-scheduling")).await.sees("Waits until a schedule is on");
        let cloned = &audited(&world, "application.cloned").await[0];
        assert_eq!((&cloned["schedules"], &cloned["original_id"], &cloned["rows"]), (&json!(4), &json!(world.application), &json!(true)));
    }

    /// Groups come along: with their access where access does, and as recipients, whoever of them may see the copy.
    async fn groups_come_along(world: World) {
        use crate::groups::{give, make};
        let full = full(&world).await;
        let group = make(&world, "Planning team", &[&world.stranger]).await;
        give(&world, group, true, (true, false)).await;
        let olive = world.api(&world.olive).await;
        let nightly = schedules(&world, world.application).await;
        let nightly = nightly.iter().find(|s| s["run_name"] == "Nightly").unwrap()["id"].as_i64().unwrap();
        let only = json!({"notify": {"member_ids": [], "group_ids": [group]}});
        olive.patch(&format!("schedules/{nightly}"), only).await.is(200);
        let connections = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
        for (name, access, seen) in [("With access", true, 200), ("Without", false, 404)] {
            let copy = clone(&world, name, json!({"access": access, "connections": connections})).await;
            let all = schedules(&world, copy).await;
            let copied = all.iter().find(|s| s["run_name"] == "Nightly").unwrap();
            assert_eq!((&copied["notify"]["group_ids"], &copied["notify"]["member_ids"]), (&json!([group]), &json!([])));
            world.api(&world.stranger).await.get(&format!("applications/{copy}")).await.is(seen);
        }
    }

    async fn what_is_not_chosen_is_not_authorised_and_says_so(world: World) {
        let full = full(&world).await;
        let copy = clone(&world, "Bare", json!({"access": false})).await;
        let ada = world.api(&world.ada).await;
        let sales = one(&world, copy, "blocks", "sales").await;
        assert_eq!(ada.get(&format!("blocks/{}/rows", sales["id"])).await.items(), &[] as &[Value]);
        // Without access of their own the Owner cannot be: it is whoever cloned.
        let all = schedules(&world, copy).await;
        assert!(all.iter().all(|s| s["owner_id"] == world.ada.id));
        assert!(all.iter().all(|s| s["notify"].is_null()), "nobody without access is told: {all:?}");
        world.api(&world.olive).await.get(&format!("applications/{copy}")).await.is(404);
        let mut browser = world.browser(&world.ada).await;
        browser.visit(&format!("/applications/{copy}/settings/import-scheduling/review")).await;
        browser.sees("It needs a Connection: Folder of sales is not authorised here.").sees("2 cannot run yet");
        // A run says the same, and reads nothing.
        let configuration = one(&world, copy, "import-configurations", "sales").await;
        let run = ada.post(&format!("import-configurations/{}/runs", configuration["id"]), json!({})).await.is(202).id();
        work_off(&world).await;
        let ended = ada.get(&format!("runs/{run}")).await;
        assert_eq!(ended.json["status"], "failed");
        assert!(ended.json["cause"].as_str().unwrap().contains("authorised"), "{}", ended.body);
        // Another of its kind stands for it.
        let other = folder_connection(&world, "the test").await;
        let connections = json!([{"connection_id": full.sales.connection, "use_id": other}]);
        let second = clone(&world, "Other", json!({"connections": connections})).await;
        assert_eq!(one(&world, second, "import-configurations", "sales").await["connection_id"], other);
        let wrong = json!({"name": "Wrong", "connections": [{"connection_id": other, "use_id": other}]});
        let refused = ada.post(&format!("applications/{}/clone", world.application), wrong).await;
        assert_eq!(refused.is(422).wrong_fields(), ["connections"]);
        let taken = ada.post(&format!("applications/{}/clone", world.application), json!({"name": "Other"})).await;
        taken.is(409);
    }

    async fn two_hundred_schedules_stay_off_until_they_are_turned_on(world: World) {
        let first = seed(&world, Seed { configurations: 50, schedules: 4, runs: 400, days: 20, applications: 1, whole: false }).await;
        csv(&world, "seeded", &[("1", "one")]);
        world.advance(chrono::Duration::minutes(1));
        let before = told(&world, world.application).await;
        let connections = json!([{"connection_id": first.connection, "use_id": first.connection}]);
        let copy = clone(&world, "Copy", json!({"rows": true, "connections": connections})).await;
        assert_eq!(told(&world, world.application).await, before);
        let count = move |conn: &mut tidegate::db::Conn| {
            let of = table::table.filter(table::application_id.eq(copy));
            Ok((of.count().get_result::<i64>(conn)?, of.filter(table::enabled.eq(true).or(table::next_at.is_not_null())).count().get_result::<i64>(conn)?))
        };
        assert_eq!(world.read(count).await, (200, 0));
        // The original's are turned off, so that the clock has only the copy's to look at.
        let original = world.application;
        world.write(move |conn| tidegate::schedules::turn_all_off(conn, original, 1, tidegate::clock::Moment::from_micros(0)).map(drop)).await;
        nothing_fires(&world, copy, 2).await;
        let mut ada = world.browser(&world.ada).await;
        ada.visit(&format!("/applications/{copy}/settings/import-scheduling")).await.sees("200 copied schedules are off.");
        ada.follow("Review").await.follow("Choose all 200 that are ready").await;
        ada.press("Turn on the chosen ones (200)").await.sees("200 schedules are on.");
        assert_eq!(world.read(count).await, (200, 200));
        // Nothing that passed is made up for.
        world.step(dispatcher::step).await;
        let runs = world.api(&world.ada).await.get(&format!("runs?application_id={copy}")).await;
        assert_eq!(runs.items(), &[] as &[Value]);
        world.advance(chrono::Duration::days(1));
        world.step(dispatcher::step).await;
        assert!(!world.api(&world.ada).await.get(&format!("runs?application_id={copy}")).await.items().is_empty());
    }
}

//! What was tried in a copy is taken to its original: shown first, then all of it or nothing; what came new is off.

use super::*;
use crate::support::api::{Api, Reply};
use crate::support::fingerprint::Fingerprint;
use crate::support::stage::folder_connection;

/// "FP&A 2026" and a copy of it that reads through the same Connection.
async fn pair(world: &World) -> (Full, i64) {
    let full = full(world).await;
    let same = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
    let copy = clone(world, "Trial", json!({"connections": same})).await;
    world.advance(chrono::Duration::minutes(1));
    (full, copy)
}

async fn send(api: &Api, world: &World, copy: i64, with: Value) -> Reply {
    let mut body = json!({"to_id": world.application});
    body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    api.post(&format!("applications/{copy}/promotions"), body).await
}

/// Kind, name and state of all that is not equal.
fn differing(reply: &Reply) -> Vec<(String, String, String)> {
    let text = |item: &Value, key: &str| item[key].as_str().unwrap().to_owned();
    let items = reply.json["items"].as_array().unwrap().iter();
    let of = items.map(|item| (text(item, "kind"), text(item, "name"), text(item, "state")));
    let mut all: Vec<_> = of.filter(|(_, _, state)| state != "equal").collect();
    all.sort();
    all
}

fn item<'a>(reply: &'a Reply, kind: &str, name: &str) -> &'a Value {
    let items = reply.json["items"].as_array().unwrap();
    items.iter().find(|item| item["kind"] == kind && item["name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

fn words(all: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    all.iter().map(|(a, b, c)| ((*a).to_owned(), (*b).to_owned(), (*c).to_owned())).collect()
}

/// All that a promotion may change.
async fn held(world: &World) -> Fingerprint {
    let mut all = world.fingerprint().await;
    let tables = [
        "import_configurations",
        "configuration_versions",
        "import_sets",
        "set_versions",
        "schedules",
        "kin",
        "promotions",
    ];
    all.retain(|table, _| tables.contains(&table.as_str()));
    assert_eq!(all.len(), tables.len());
    all
}

on_both! {
    /// Where nothing can be promoted, the page says what to do instead.
    async fn where_there_is_nothing_to_promote_it_says_what_to_do(world: World) {
        full(&world).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/promote", world.application)).await.sees("You can see no other Application.");
        olive.sees("clone this one").sees("Nothing can be promoted yet").sees_no("You become the Owner");
        let copy = clone(&world, "Copy", json!({})).await;
        let mut ada = world.browser(&world.ada).await;
        let empty = world.api(&world.ada).await.make("applications", json!({"name": "Empty", "time_zone": "UTC"})).await;
        ada.visit(&format!("/applications/{empty}/promote?to={copy}")).await.sees("There is nothing to promote yet.");
        ada.sees("Create an import configuration in Empty first.");
    }

    async fn what_was_tried_is_promoted_and_found_again_whatever_it_is_called(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let nothing = send(&ada, &world, copy, json!({"dry_run": true})).await;
        assert_eq!(differing(nothing.is(200)), []);
        send(&ada, &world, copy, json!({})).await.is(409);
        // Changed, renamed, new and deleted in the copy.
        let sales = one(&world, copy, "import-configurations", "sales").await;
        ada.patch(&format!("import-configurations/{}", sales["id"]), json!({"name": "Sales by day", "attempts": 5})).await.is(200);
        let of_block = one(&world, copy, "import-configurations", "Orders of sales").await;
        ada.delete(&format!("import-configurations/{}", of_block["id"])).await.is(204);
        let new = json!({"name": "Late sales", "block_id": sales["block_id"], "connection_id": full.sales.connection,
            "mode": "append", "source": {"path": "sales.csv", "format": "csv"}});
        let new = ada.make(&format!("applications/{copy}/import-configurations"), new).await;
        let set = one(&world, copy, "import-sets", "Month end").await;
        let mut steps = set["steps"].as_array().unwrap().clone();
        steps.push(json!({"configuration_id": new}));
        ada.patch(&format!("import-sets/{}", set["id"]), json!({"steps": steps})).await.is(200);
        let nightly = schedules(&world, copy).await.into_iter().find(|s| s["run_name"] == "Nightly").unwrap();
        ada.patch(&format!("schedules/{}", nightly["id"]), json!({"start_time": "05:30"})).await.is(200);
        let daily = json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "09:00", "time_zone": "Europe/Paris",
            "configuration_id": new, "notify": {"about": "failed", "member_ids": [world.mo.id]}});
        ada.make(&format!("applications/{copy}/schedules"), daily).await;
        world.advance(chrono::Duration::minutes(1));

        let before = held(&world).await;
        let shown = send(&ada, &world, copy, json!({"dry_run": true})).await;
        let expected = words(&[
            ("configuration", "Late sales", "new"), ("configuration", "Orders of sales", "gone"),
            ("configuration", "Sales by day", "changed"), ("schedule", "Late sales", "new"),
            ("schedule", "Sales by day", "changed"), ("set", "Month end", "changed"),
        ]);
        assert_eq!(differing(shown.is(200)), expected);
        assert_eq!(held(&world).await, before, "what is shown is not done");
        let said = |reply: &Reply, kind: &str, name: &str| item(reply, kind, name)["differences"].to_string();
        assert!(said(&shown, "configuration", "Sales by day").contains(r#"{"field":"Attempts","new":"5","old":"3"}"#), "{}", shown.body);
        assert!(said(&shown, "set", "Month end").contains("Late sales"), "{}", shown.body);
        assert!(said(&shown, "schedule", "Sales by day").contains("05:30"), "{}", shown.body);
        assert!(!shown.body.contains("hush"), "no secret in the clear");

        let done = send(&ada, &world, copy, json!({"seen": shown.json["mark"]})).await;
        assert_eq!(item(done.is(200), "configuration", "Sales by day")["there_id"], full.sales.configuration);
        let here = world.application;
        let renamed = one(&world, here, "import-configurations", "Sales by day").await;
        assert_eq!((&renamed["id"], &renamed["attempts"], &renamed["block_id"]),
            (&json!(full.sales.configuration), &json!(5), &json!(full.sales.block)));
        let late = one(&world, here, "import-configurations", "Late sales").await;
        assert_eq!(late["block_id"], full.sales.block);
        let set = one(&world, here, "import-sets", "Month end").await;
        assert_eq!((&set["id"], set["steps"].as_array().unwrap().last().unwrap()["configuration_id"].clone()), (&json!(full.set), late["id"].clone()));
        one(&world, here, "import-configurations", "Orders of sales").await;
        let all = schedules(&world, here).await;
        let nightly = all.iter().find(|s| s["run_name"] == "Nightly").unwrap();
        assert_eq!((&nightly["start_time"], &nightly["state"], &nightly["owner_id"]), (&json!("05:30"), &json!("on"), &json!(world.ada.id)));
        assert_eq!(nightly["notify"]["member_ids"], json!([world.olive.id, world.mo.id]), "whom it tells stays");
        let arrived = all.iter().find(|s| s["configuration_id"] == late["id"]).unwrap();
        assert_eq!((&arrived["state"], &arrived["owner_id"]), (&json!("off"), &json!(world.ada.id)));
        assert_eq!(arrived["notify"]["member_ids"], json!([world.mo.id]));
        // Each change is in the history, and that it was a promotion.
        let log = audited(&world, "application.promoted").await;
        let sum = (&log[0]["from"], &log[0]["import_configurations"], &log[0]["import_sets"], &log[0]["schedules"]);
        assert_eq!(sum, (&json!("Trial"), &json!(2), &json!(1), &json!(2)));
        assert_eq!(audited(&world, "import_configuration.updated").await.len(), 2, "in the copy, and here");
        // Nothing differs, until it is renamed here and there.
        let again = send(&ada, &world, copy, json!({"dry_run": true})).await;
        assert_eq!(differing(&again), words(&[("configuration", "Orders of sales", "gone")]), "{}", again.body);
        ada.patch(&format!("import-configurations/{}", sales["id"]), json!({"name": "Daily sales"})).await.is(200);
        ada.patch(&format!("import-configurations/{new}"), json!({"name": "sales"})).await.is(200);
        send(&ada, &world, copy, json!({"configuration_ids": [sales["id"], new]})).await.is(200);
        assert_eq!(one(&world, here, "import-configurations", "Daily sales").await["id"], full.sales.configuration);
        assert_eq!(one(&world, here, "import-configurations", "sales").await["id"], late["id"]);
        assert_eq!(schedules(&world, here).await.len(), 5);
    }

    async fn who_may_not_or_sends_what_is_foreign_changes_nothing(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let sales = one(&world, copy, "import-configurations", "sales").await;
        ada.patch(&format!("import-configurations/{}", sales["id"]), json!({"attempts": 4})).await.is(200);
        let elsewhere = ada.make("applications", json!({"name": "Far away"})).await;
        let before = held(&world).await;
        for (person, status) in [(&world.mo, 403), (&world.ivy, 403), (&world.audrey, 403), (&world.stranger, 404)] {
            send(&world.api(person).await, &world, copy, json!({})).await.is(status);
            let browser = world.browser(person).await;
            assert_eq!(browser.get(&format!("/applications/{copy}/promote")).await.status, status, "{}", person.name);
        }
        let olive = world.api(&world.olive).await;
        for (body, status) in [
            (json!({"to_id": elsewhere}), 404),
            (json!({"to_id": 999_999}), 404),
            (json!({"to_id": copy}), 422),
            (json!({"to_id": null}), 422),
            (json!({"configuration_ids": [full.sales.configuration]}), 422),
            (json!({"set_ids": [sales["id"]], "schedule_ids": [-1, i64::MAX]}), 422),
            (json!({"configuration_ids": []}), 409),
            (json!({"connections": [{"connection_id": 999_999, "use_id": 1}]}), 422),
            (json!({"connections": [{"connection_id": full.sales.connection, "use_id": -5}]}), 422),
            (json!({"seen": "of something else"}), 412),
        ] {
            let sent = send(&olive, &world, copy, body.clone()).await;
            assert_eq!(sent.status, status, "{body}: {}", sent.body);
        }
        // A Connection that is not authorised there, though it is of the same kind.
        let other = folder_connection(&world, "the test").await;
        ada.patch(&format!("connections/{other}"), json!({"application_ids": [copy]})).await.is(200);
        let with = json!({"connections": [{"connection_id": full.sales.connection, "use_id": other}]});
        let refused = send(&olive, &world, copy, with).await;
        assert!(refused.is(422).body.contains("that is authorised for FP&A 2026"), "{}", refused.body);
        for scopes in [&["configure"][..], &["schedule"], &["read", "run"]] {
            send(&world.api_with_scopes(&world.olive, Some(scopes)).await, &world, copy, json!({})).await.is(403);
        }
        // By page the same.
        let page = format!("/applications/{copy}/promote");
        let browser = world.browser(&world.olive).await;
        assert_eq!(browser.get(&format!("{page}?to={elsewhere}")).await.status, 404);
        let pick = format!("configuration.{}", sales["id"]);
        for (to, seen, status) in [(elsewhere, "x", 404), (copy, "x", 422), (0, "x", 422), (world.application, "x", 412)] {
            let to = to.to_string();
            let fields = [("to", to.as_str()), ("was", &to), ("pick", &pick), ("pick", "schedule.x"), ("seen", seen)];
            assert_eq!(browser.post(&page, &fields).await.status, status, "to {to}");
        }
        assert_eq!(held(&world).await, before);
    }

    async fn what_changed_since_it_was_shown_is_refused(world: World) {
        let (_, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let sales = one(&world, copy, "import-configurations", "sales").await;
        let configuration = format!("import-configurations/{}", sales["id"]);
        ada.patch(&configuration, json!({"attempts": 4})).await.is(200);
        let mark = send(&ada, &world, copy, json!({"dry_run": true})).await.json["mark"].clone();
        // Here, or there.
        ada.patch(&configuration, json!({"attempts": 6})).await.is(200);
        send(&ada, &world, copy, json!({"seen": mark})).await.is(412);
        let mark = send(&ada, &world, copy, json!({"dry_run": true})).await.json["mark"].clone();
        let there = one(&world, world.application, "import-configurations", "sales").await;
        ada.patch(&format!("import-configurations/{}", there["id"]), json!({"attempts": 7})).await.is(200);
        let stale = send(&ada, &world, copy, json!({"seen": mark})).await;
        assert!(stale.is(412).body.contains("so nothing was promoted"), "{}", stale.body);
        // The clock that goes on is no change.
        let mark = send(&ada, &world, copy, json!({"dry_run": true})).await.json["mark"].clone();
        world.advance(chrono::Duration::days(1));
        world.step(dispatcher::step).await;
        send(&ada, &world, copy, json!({"seen": mark})).await.is(200);
        let is = one(&world, world.application, "import-configurations", "sales").await;
        assert_eq!(is["attempts"], 6);
    }

    async fn what_is_in_the_way_is_said_and_nothing_else_goes(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let here = format!("applications/{copy}");
        // A Block that is not there, a column that is another, a step and a target that would not come along.
        let block = json!({"name": "Costs", "kind": "transaction_list", "columns": [{"name": "id", "type": "integer"}]});
        let costs = ada.make(&format!("{here}/blocks"), block.clone()).await;
        let reads = json!({"connection_id": full.sales.connection, "mode": "append", "source": {"path": "sales.csv", "format": "csv"}});
        let with = |name: &str, block: i64| {
            let mut body = reads.clone();
            body.as_object_mut().unwrap().extend(json!({"name": name, "block_id": block}).as_object().unwrap().clone());
            body
        };
        let of_costs = ada.make(&format!("{here}/import-configurations"), with("Costs", costs)).await;
        let set = ada.make(&format!("{here}/import-sets"), json!({"name": "Costs", "steps": [{"configuration_id": of_costs}]})).await;
        let daily = json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "09:00", "time_zone": "UTC", "set_id": set});
        let schedule = ada.make(&format!("{here}/schedules"), daily).await;
        let sales = one(&world, copy, "import-configurations", "sales").await;
        ada.patch(&format!("import-configurations/{}", sales["id"]), json!({"attempts": 4})).await.is(200);
        let shown = send(&ada, &world, copy, json!({"dry_run": true})).await;
        assert_eq!(item(&shown, "configuration", "Costs")["obstacles"], json!(["FP&A 2026 has no Block Costs. Make it there first."]));
        let bare = ada.make("applications", json!({"name": "Bare", "time_zone": "UTC"})).await;
        let shown = send(&ada, &world, copy, json!({"dry_run": true, "to_id": bare})).await;
        let said = item(&shown, "configuration", "Costs")["obstacles"].to_string();
        assert!(said.contains("Bare may use no Connection of the kind Folder. An Administrator can authorise one."), "{said}");
        let before = held(&world).await;
        send(&ada, &world, copy, json!({})).await.is(422);
        let alone = send(&ada, &world, copy, json!({"configuration_ids": [sales["id"]], "schedule_ids": [schedule]})).await;
        assert!(alone.is(422).body.contains("Choose the import set Costs as well"), "{}", alone.body);
        let alone = send(&ada, &world, copy, json!({"set_ids": [set]})).await;
        assert!(alone.is(422).body.contains("Choose the import configuration Costs as well"), "{}", alone.body);
        assert_eq!(held(&world).await, before);
        let mut other = block;
        other["columns"][0]["type"] = json!("text");
        let there = ada.make(&format!("applications/{}/blocks", world.application), other).await;
        let shown = send(&ada, &world, copy, json!({"dry_run": true})).await;
        let said = item(&shown, "configuration", "Costs")["obstacles"].to_string();
        assert!(said.contains("The Block Costs in FP&A 2026 differs: id is text instead of integer. Change the Block there, or this import."), "{said}");
        let column = json!({"columns": [{"name": "id", "type": "integer"}]});
        ada.patch(&format!("blocks/{there}"), column).await.is(200);
        // One that is to be what another is, without that one, is refused while it is saved: nothing of all is done.
        let both: Vec<Value> = schedules(&world, copy).await.into_iter().filter(|s| s["configuration_id"] == sales["id"]).collect();
        for (schedule, time) in [(&both[1], "08:00"), (&both[0], "07:00")] {
            ada.patch(&format!("schedules/{}", schedule["id"]), json!({"start_time": time})).await.is(200);
        }
        let before = held(&world).await;
        let without = json!({"configuration_ids": [sales["id"]], "schedule_ids": [both[0]["id"]]});
        let refused = send(&ada, &world, copy, without).await;
        assert!(refused.is(409).body.contains("already has this schedule"), "{}", refused.body);
        assert_eq!(held(&world).await, before, "it is one transaction");
        let ids: Vec<Value> = [of_costs].map(Value::from).into_iter().chain([sales["id"].clone()]).collect();
        send(&ada, &world, copy, json!({"configuration_ids": ids, "set_ids": [set], "schedule_ids": [schedule]})).await.is(200);
        assert_eq!(one(&world, world.application, "import-sets", "Costs").await["steps"].as_array().unwrap().len(), 1);
    }

    async fn by_page_without_scripts_what_came_is_reviewed_and_turned_on(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let sales = one(&world, copy, "import-configurations", "sales").await;
        ada.patch(&format!("import-configurations/{}", sales["id"]), json!({"attempts": 4})).await.is(200);
        let daily = json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "09:00", "time_zone": "Europe/Paris",
            "configuration_id": sales["id"], "run_name": "Morning"});
        ada.make(&format!("applications/{copy}/schedules"), daily).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{copy}/settings/environment")).await.follow("Promote …").await;
        // To what it is a copy of, through the same Connection.
        olive.sees("What changes in FP&A 2026").sees("Attempts: 3 → becomes 4");
        olive.sees("Morning: Every day at 09:00").sees("are the same there").sees("In FP&A 2026: 1 new, 1 changed.");
        olive.choose("Connection instead of Folder of sales", "None: its imports stay behind").press("Show what changes").await;
        olive.sees("Choose what FP&A 2026 reads instead of Folder of sales.");
        olive.choose("Connection instead of Folder of sales", "Folder of sales").press("Show what changes").await;
        olive.untick("Promote the import configuration sales").press("Promote").await;
        olive.sees("Promoted from Trial: 1 schedule. The new schedule is off.").sees("Promoted from Trial on").sees("1 schedule is off.");
        assert_eq!(one(&world, world.application, "import-configurations", "sales").await["attempts"], 3);
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        olive.visit(&list).await.sees("1 new schedule is off.");
        olive.follow("Review").await;
        olive.tick("Turn on sales, Every day at 09:00").press("Turn on the chosen ones").await.sees("1 schedule is on.");
        olive.visit(&list).await.sees_no("new schedule is off");
        let on = schedules(&world, world.application).await.into_iter().find(|s| s["run_name"] == "Morning").unwrap();
        assert_eq!((&on["state"], &on["owner_id"]), (&json!("on"), &json!(world.olive.id)));
        // Somebody changes it meanwhile: the page comes back with what would change now.
        olive.visit(&format!("/applications/{copy}/promote")).await.sees("Attempts");
        ada.patch(&format!("import-configurations/{}", full.sales.configuration), json!({"attempts": 9})).await.is(200);
        olive.press("Promote").await.answered(412).sees("so nothing was promoted").sees("9 → becomes 4");
        olive.press("Promote").await.sees("Promoted from Trial: 1 import configuration.");
        assert_eq!(one(&world, world.application, "import-configurations", "sales").await["attempts"], 4);
        olive.visit(&format!("/applications/{copy}/promote")).await.sees("Nothing differs from FP&A 2026.").sees("Change an import, a set or a schedule in Trial first");
        // Who has enough of the review is asked no more.
        let late = json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "22:00", "time_zone": "UTC", "set_id": one(&world, copy, "import-sets", "Month end").await["id"]});
        ada.make(&format!("applications/{copy}/schedules"), late).await;
        world.advance(chrono::Duration::minutes(1));
        send(&ada, &world, copy, json!({})).await.is(200);
        olive.visit(&format!("{list}/review")).await.press("Leave them off and hide this").await.sees("They stay off, and you will not be asked again.");
        olive.visit(&list).await.sees_no("new schedule is off");
    }

    async fn schedules_that_follow_each_other_are_promoted_in_their_order(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let configuration = one(&world, copy, "import-configurations", "sales").await["id"].clone();
        let at = async |application: i64, configuration: &Value| {
            let all = schedules(&world, application).await.into_iter();
            let mut times: Vec<String> = all.filter(|s| s["configuration_id"] == *configuration).map(|s| s["start_time"].as_str().unwrap().to_owned()).collect();
            times.sort();
            times
        };
        let moves = async |from: &str, to: &str| {
            let all = schedules(&world, copy).await.into_iter();
            let one = all.filter(|s| s["configuration_id"] == configuration).find(|s| s["start_time"] == from).unwrap();
            ada.patch(&format!("schedules/{}", one["id"]), json!({"start_time": to})).await.is(200);
        };
        moves("07:00", "08:00").await;
        moves("06:00", "07:00").await;
        send(&ada, &world, copy, json!({})).await.is(200);
        assert_eq!(at(world.application, &json!(full.sales.configuration)).await, ["07:00", "08:00"]);
        // Two that change places go neither first nor second, which is said before.
        moves("07:00", "09:00").await;
        moves("08:00", "07:00").await;
        moves("09:00", "08:00").await;
        let before = held(&world).await;
        let shown = send(&ada, &world, copy, json!({"dry_run": true})).await;
        assert_eq!(shown.is(200).body.matches("Change one of them there first.").count(), 2, "{}", shown.body);
        let refused = send(&ada, &world, copy, json!({})).await;
        assert!(refused.is(422).body.contains("has this schedule already"), "{}", refused.body);
        assert_eq!(held(&world).await, before);
    }

    async fn a_refreshed_copy_is_paired_anew_and_secrets_and_files_come_along(world: World) {
        let (full, copy) = pair(&world).await;
        let ada = world.api(&world.ada).await;
        let same = json!([{"connection_id": full.sales.connection, "use_id": full.sales.connection}]);
        ada.post(&format!("applications/{copy}/refresh"), json!({"name": "Trial", "connections": same})).await.is(202);
        world.step(environments::step).await;
        let shown = send(&ada, &world, copy, json!({"dry_run": true})).await;
        assert_eq!(differing(shown.is(200)), []);
        // A set with a secret and a kept file changes its order: both open and load there.
        let set = one(&world, copy, "import-sets", "Month end").await;
        let mut steps = set["steps"].as_array().unwrap().clone();
        steps.reverse();
        ada.patch(&format!("import-sets/{}", set["id"]), json!({"steps": steps})).await.is(200);
        send(&ada, &world, copy, json!({})).await.is(200);
        let there = one(&world, world.application, "import-sets", "Month end").await;
        let kept = one(&world, world.application, "kept-files", "returns.csv").await;
        let steps = there["steps"].as_array().unwrap();
        assert_eq!(steps[steps.len() - 2]["parameters"]["file"], kept["id"]);
        assert_eq!(there["id"], full.set);
        assert_eq!(differing(&send(&ada, &world, copy, json!({"dry_run": true})).await), []);
    }

    /// A secret stays with the Connection that it was entered for: where another is read, its own is kept, or entered there.
    async fn a_secret_is_not_promoted_to_another_connection(world: World) {
        let (ada, staff) = (world.api(&world.ada).await, crate::parameters::employees(&world).await);
        let secret = json!([{"name": "token", "type": "secret", "required": true}]);
        let import = staff.import("SELECT id, word FROM staff WHERE {token} <> ''", secret).await;
        let import = ada.get(&format!("import-configurations/{import}")).await;
        let (name, hr) = (import.json["name"].as_str().unwrap(), import.json["connection_id"].clone());
        let path = world.folder().join("trial.db");
        crate::connectors::sqlite::run_sql(&path, "CREATE TABLE staff (id, word, grp)");
        let trial = crate::support::stage::connection(&world, "Trial", "sqlite", json!({"path": path.canonicalize().unwrap()})).await;
        let daily = |target: &Value, time: &str| {
            json!({"repeat": "days", "start_date": "2026-10-09", "start_time": time, "time_zone": "UTC",
                "configuration_id": target, "parameters": {"token": "hush"}})
        };
        let there = ada.make(&format!("applications/{}/schedules", world.application), daily(&import.json["id"], "06:00")).await;
        let copy = clone(&world, "Copy", json!({"connections": [{"connection_id": hr, "use_id": trial}]})).await;
        let here = one(&world, copy, "import-configurations", name).await;
        let copied = schedules(&world, copy).await.into_iter().find(|s| s["configuration_id"] == here["id"]).unwrap();
        assert!(copied["flagged"].as_str().unwrap().contains("was entered for another query or Connection"), "{copied}");
        let mut page = world.browser(&world.ada).await;
        page.visit(&format!("/applications/{copy}/settings/import-scheduling/review")).await.in_row(name).sees("was entered for another");
        let change = json!({"start_time": "07:00", "parameters": {"token": "of the trial"}});
        ada.patch(&format!("schedules/{}", copied["id"]), change).await.is(200);
        let new = ada.make(&format!("applications/{copy}/schedules"), daily(&here["id"], "09:00")).await;
        let back = json!([{"connection_id": trial, "use_id": hr}]);
        let shown = send(&ada, &world, copy, json!({"dry_run": true, "connections": back})).await;
        let of = |id: &Value| shown.json["items"].as_array().unwrap().iter().find(|i| i["kind"] == "schedule" && i["id"] == *id).unwrap();
        assert_eq!(of(&copied["id"])["obstacles"], json!([]));
        let said = of(&json!(new))["obstacles"].to_string();
        assert!(said.contains("Its secret token cannot be promoted. It was entered for another Connection than FP&A 2026 reads."), "{said}");
        send(&ada, &world, copy, json!({"connections": back, "schedule_ids": [new]})).await.is(422);
        send(&ada, &world, copy, json!({"connections": back, "schedule_ids": [copied["id"]]})).await.is(200);
        let is = ada.get(&format!("schedules/{there}")).await;
        assert_eq!((&is.json["start_time"], &is.json["flagged"]), (&json!("07:00"), &Value::Null), "its own secret opens");
    }
}

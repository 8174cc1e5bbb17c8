//! Copies of whole Applications: cloned, refreshed, reset, and what was turned off by it.

mod cloning;
mod cut_off;
mod emptying;
mod promoting;
mod recorded;
mod reviewing;
mod standing;

use diesel::prelude::*;
use serde_json::{Value, json};
use tidegate::db::schema::audit_log;
use tidegate::environments;
use tidegate::imports::Mode;
use tidegate::runs::dispatcher;

use crate::kept_files::{by_hand, keep};
use crate::running::{start, work_off};
use crate::support::World;
use crate::support::stage::{Stage, csv, stage};

/// An Application with something of every kind in it.
pub struct Full {
    pub sales: Stage,
    pub by_hand: Stage,
    pub set: i64,
    pub regions: i64,
    pub orders: i64,
}

/// In "FP&A 2026": two Blocks with rows, a list and a Block that names its items, an import from another Block, one that
/// translates, one by hand with a kept file, a set with a secret, four schedules, a freeze, a time to be ready by.
pub async fn full(world: &World) -> Full {
    let here = format!("applications/{}", world.application);
    let (olive, ada) = (world.api(&world.olive).await, world.api(&world.ada).await);
    csv(world, "sales", &[("1", "one"), ("2", "two"), ("3", "three")]);
    let sales = stage(world, "sales", Mode::Replace, |_| ()).await;
    start(world, &sales).await;
    work_off(world).await;
    let regions = ada
        .make(
            &format!("{here}/blocks"),
            json!({"name": "Regions", "kind": "dimension_list",
            "columns": [{"name": "Code", "type": "text", "key": true}]}),
        )
        .await;
    let columns = json!([{"name": "id", "type": "integer", "key": true},
        {"name": "Region", "type": "dimension", "dimension_block_id": regions}]);
    let orders = json!({"name": "Orders", "kind": "transaction_list", "columns": columns});
    let orders = ada.make(&format!("{here}/blocks"), orders).await;
    let table = json!({"name": "Words", "entries": [{"from": "one", "to": "North"}]});
    let table = olive.make(&format!("{here}/translations"), table).await;
    let mapping = json!([{"from": "id", "to": "id"}, {"from": "word", "to": "Region", "translate": table}]);
    let from_block = json!({"name": "Orders of sales", "block_id": orders, "source_block_id": sales.block,
        "mode": "append", "mapping": [{"from": "id", "to": "id"}]});
    olive.make(&format!("{here}/import-configurations"), from_block).await;
    let translated = json!({"name": "Orders", "block_id": orders, "connection_id": sales.connection, "mode": "append",
        "source": {"path": "sales.csv", "format": "csv"}, "mapping": mapping, "unknown_items": "create"});
    olive.make(&format!("{here}/import-configurations"), translated).await;
    let secret = json!({"name": "Secretive", "block_id": sales.block, "connection_id": sales.connection, "mode": "append",
        "source": {"path": "{token}.csv", "format": "csv"}, "parameters": [{"name": "token", "type": "secret", "required": true}]});
    let secret = olive.post(&format!("{here}/import-configurations"), secret).await;
    let hand = by_hand(world, "returns", Mode::Replace).await;
    let kept = keep(world, "returns.csv", "id,word\n7,seven\n").await;
    let mut steps = vec![
        json!({"configuration_id": sales.configuration}),
        json!({"configuration_id": hand.configuration, "parameters": {"file": kept}}),
    ];
    if secret.status == 201 {
        steps.push(json!({"configuration_id": secret.id(), "parameters": {"token": "hush"}}));
    }
    let set = olive.make(&format!("{here}/import-sets"), json!({"name": "Month end", "steps": steps})).await;
    let daily = |target: Value| {
        let mut body =
            json!({"repeat": "days", "start_date": "2026-10-01", "start_time": "06:00", "time_zone": "Europe/Paris"});
        body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
        body
    };
    let told = json!({"about": "all", "member_ids": [world.olive.id, world.mo.id]});
    let schedules = format!("{here}/schedules");
    olive
        .make(
            &schedules,
            daily(json!({"configuration_id": sales.configuration, "notify": told, "run_name": "Nightly"})),
        )
        .await;
    olive.make(&schedules, daily(json!({"set_id": set}))).await;
    olive.make(&schedules, daily(json!({"configuration_id": hand.configuration, "parameters": {"file": kept}}))).await;
    olive
        .make(
            &schedules,
            daily(json!({"configuration_id": sales.configuration, "start_time": "07:00", "enabled": false})),
        )
        .await;
    let freeze = json!({"name": "Year-end close", "from": "2026-12-31T17:00:00Z", "to": "2027-01-04T05:00:00Z"});
    olive.make(&format!("{here}/freezes"), freeze).await;
    let by = json!({"weekdays": ["mon", "tue", "wed", "thu", "fri"], "time": "08:00", "time_zone": "Europe/Paris"});
    olive.put(&format!("import-configurations/{}/ready-by", sales.configuration), by).await.is(200);
    // From now on off_since of what is copied is later than what was off before.
    world.advance(chrono::Duration::minutes(1));
    Full { sales, by_hand: hand, set, regions, orders }
}

/// All that the API tells of an Application, and all rows of its Blocks.
pub async fn told(world: &World, application: i64) -> Vec<String> {
    let ada = world.api(&world.ada).await;
    let here = format!("applications/{application}");
    let mut told = Vec::new();
    for list in [
        "",
        "/import-configurations?limit=200",
        "/import-sets?limit=200",
        "/schedules?limit=200",
        "/kept-files",
        "/translations",
        "/freezes",
    ] {
        told.push(ada.get(&format!("{here}{list}")).await.is(200).body.clone());
    }
    told.push(ada.get(&format!("runs?application_id={application}&limit=200")).await.is(200).body.clone());
    for block in ada.get(&format!("{here}/blocks?limit=200")).await.items() {
        told.push(block.to_string());
        told.push(ada.get(&format!("blocks/{}/rows?limit=200", block["id"])).await.is(200).body.clone());
    }
    told
}

/// Those of a list in an Application, by name.
pub async fn named(world: &World, application: i64, list: &str) -> Vec<(String, Value)> {
    let ada = world.api(&world.ada).await;
    let found = ada.get(&format!("applications/{application}/{list}?limit=200")).await;
    found.items().iter().map(|item| (item["name"].as_str().unwrap_or_default().to_owned(), item.clone())).collect()
}

pub async fn one(world: &World, application: i64, list: &str, name: &str) -> Value {
    named(world, application, list).await.into_iter().find(|(n, _)| n == name).unwrap_or_else(|| panic!("no {name}")).1
}

pub async fn schedules(world: &World, application: i64) -> Vec<Value> {
    world.api(&world.ada).await.get(&format!("applications/{application}/schedules?limit=200")).await.items().to_vec()
}

/// Ada clones "FP&A 2026"; the id of the copy, with rows and all.
pub async fn clone(world: &World, name: &str, with: Value) -> i64 {
    let mut body = json!({"name": name});
    body.as_object_mut().unwrap().extend(with.as_object().unwrap().clone());
    let ada = world.api(&world.ada).await;
    let id = ada.make(&format!("applications/{}/clone", world.application), body).await;
    world.step(environments::step).await;
    id
}

/// Nothing that the clock begins in the next days is of this Application.
pub async fn nothing_fires(world: &World, application: i64, days: i64) {
    for _ in 0..days {
        world.advance(chrono::Duration::days(1));
        world.step(dispatcher::step).await;
    }
    let runs = world.api(&world.ada).await.get(&format!("runs?application_id={application}")).await;
    assert_eq!(runs.items(), &[] as &[Value]);
}

pub async fn audited(world: &World, action: &'static str) -> Vec<Value> {
    let rows: Vec<Option<String>> = world
        .read(move |conn| {
            let of = audit_log::table.filter(audit_log::action.eq(action)).order(audit_log::id);
            Ok(of.select(audit_log::after).load(conn)?)
        })
        .await;
    rows.into_iter().map(|text| serde_json::from_str(&text.unwrap_or_else(|| "null".into())).unwrap()).collect()
}

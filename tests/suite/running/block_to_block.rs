//! A Block feeds another: every aggregation against a model, what is refused at its field, what is rejected, and whose
//! rights it takes.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::support::Dice;
use crate::support::api::{Api, Reply};

/// Two Blocks, and the Application's address.
struct Pair {
    olive: Api,
    here: String,
    source: i64,
    target: i64,
}

fn column(name: &str, kind: &str, key: bool) -> Value {
    json!({"name": name, "type": kind, "key": key})
}

async fn block(api: &Api, here: &str, name: &str, kind: &str, columns: Value) -> i64 {
    api.make(&format!("{here}/blocks"), json!({"name": name, "kind": kind, "columns": columns})).await
}

/// Loads rows into a Block by a file; answers the run.
async fn load(world: &World, pair: &Pair, block: i64, csv: String) -> Run {
    let name = format!("File into {block}");
    let there = pair.olive.get(&format!("{}/import-configurations", pair.here)).await;
    let known = there.items().iter().find(|item| item["name"] == name).and_then(|item| item["id"].as_i64());
    let import = match known {
        Some(id) => id,
        None => {
            // As few rows as chance gives.
            let guard = json!({"max_drop_percent": null});
            let body = json!({"name": name, "block_id": block, "mode": "replace", "guard": guard});
            pair.olive.make(&format!("{}/import-configurations", pair.here), body).await
        }
    };
    let files = format!("import-configurations/{import}/files?name=rows.csv");
    let begun = Reply::of(pair.olive.request(Method::POST, &files).body(csv)).await.is(202).id();
    work_off(world).await;
    run(world, begun).await
}

impl Pair {
    async fn import(&self, name: &str, body: Value) -> i64 {
        self.olive.make(&format!("{}/import-configurations", self.here), self.body(name, body)).await
    }

    fn body(&self, name: &str, more: Value) -> Value {
        let mut body = json!({"name": name, "block_id": self.target, "source_block_id": self.source, "mode": "replace",
            "guard": {"max_drop_percent": null}});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    }

    async fn wrong(&self, more: Value) -> Vec<(String, String)> {
        let reply = self.olive.post(&format!("{}/import-configurations", self.here), self.body("Wrong", more)).await;
        reply.is(422);
        let errors = reply.json["errors"].as_array().unwrap();
        errors.iter().map(|e| (e["field"].as_str().unwrap().into(), e["detail"].as_str().unwrap().into())).collect()
    }

    async fn run(&self, world: &World, import: i64) -> Run {
        let begun = self.olive.post(&format!("import-configurations/{import}/runs"), json!({})).await.is(202).id();
        work_off(world).await;
        run(world, begun).await
    }

    /// A column of a Block's rows, by the cells of others.
    async fn rows(&self, block: i64, keys: &[&str], value: &str) -> BTreeMap<String, Value> {
        let mut rows = BTreeMap::new();
        for values in self.values(block).await {
            let key: Vec<String> = keys.iter().map(|key| values[*key].to_string().replace('"', "")).collect();
            assert!(rows.insert(key.join(" "), values[value].clone()).is_none(), "{key:?} twice");
        }
        rows
    }

    async fn values(&self, block: i64) -> Vec<Value> {
        let reply = self.olive.get(&format!("blocks/{block}/rows?limit=200")).await;
        reply.is(200).items().iter().map(|row| row["values"].clone()).collect()
    }
}

/// Sales by day, region, product and scenario; a plan by region and product.
async fn sales(world: &World) -> Pair {
    let olive = world.api(&world.olive).await;
    let here = format!("applications/{}", world.application);
    let columns = json!([
        column("Day", "date", true),
        column("Region", "text", true),
        column("Product", "integer", true),
        column("Scenario", "text", true),
        column("Units", "integer", false),
    ]);
    let source = block(&olive, &here, "Sales", "metric", columns).await;
    let columns =
        json!([column("Region", "text", true), column("Product", "integer", true), column("Value", "number", false)]);
    let target = block(&olive, &here, "Plan", "metric", columns).await;
    Pair { olive, here, source, target }
}

fn by(aggregate: &str) -> Value {
    json!([
        {"from": "region", "to": "Region"},
        {"from": "Product", "to": "Product"},
        {"from": "Units", "to": "Value", "aggregate": aggregate},
    ])
}

on_both! {
    async fn each_aggregation_gives_what_the_model_gives(world: World) {
        let pair = sales(&world).await;
        let mut dice = Dice(crate::support::settings::seed());
        let rounds = if crate::support::settings::full() { 60 } else { 4 };
        let mut imports = Vec::new();
        for aggregate in ["sum", "average", "min", "max", "count", "last"] {
            let filter = json!([{"column": "Scenario", "items": ["actual", "it's \"quoted\""]}, {"column": "Day", "items":
                (1..=28).map(|day| format!("2026-02-{day:02}")).collect::<Vec<_>>()}]);
            let body = json!({"mapping": by(aggregate), "source": {"filter": filter}});
            imports.push((aggregate, pair.import(aggregate, body).await));
        }
        for round in 0..rounds {
            let mut csv = "Day,Region,Product,Scenario,Units\n".to_owned();
            let mut groups: BTreeMap<String, Vec<(i64, i64)>> = BTreeMap::new();
            let mut keys = std::collections::HashSet::new();
            for _ in 0..dice.between(1, 400) {
                let (day, product) = (dice.between(1, 40), dice.between(-2, 3));
                let (region, scenario) =
                    (dice.pick(&["North", "Süd", "o'West"]), dice.pick(&["actual", "it's \"quoted\"", "plan"]));
                if !keys.insert((day, region, product, scenario)) {
                    continue;
                }
                let (month, of_month) = if day > 28 { (3, day - 28) } else { (2, day) };
                let units = (!dice.one_in(6)).then(|| dice.between(-1_000, 1_000));
                let quoted = scenario.replace('"', "\"\"");
                let text = units.map(|u| u.to_string()).unwrap_or_default();
                csv += &format!("2026-{month:02}-{of_month:02},{region},{product},\"{quoted}\",{text}\n");
                // Of one day the row that was loaded last is the last.
                if let (Some(units), true) = (units, scenario != "plan" && month == 2) {
                    groups.entry(format!("{region} {product}")).or_default().push((day, units));
                }
            }
            assert_eq!(load(&world, &pair, pair.source, csv).await.status, RunStatus::Success);
            for (aggregate, import) in &imports {
                let ended = pair.run(&world, *import).await;
                if groups.is_empty() {
                    continue;
                }
                assert_eq!(ended.status, RunStatus::Success, "{aggregate}: {:?}", ended.cause);
                assert_eq!(ended.result.unwrap().added, groups.len() as i64);
                let expected: BTreeMap<String, i64> = groups
                    .iter()
                    .map(|(key, units)| {
                        let all = units.iter().map(|(_, units)| *units);
                        let made = match *aggregate {
                            "sum" => all.sum::<i64>() as f64,
                            "average" => all.sum::<i64>() as f64 / units.len() as f64,
                            "min" => all.min().unwrap() as f64,
                            "max" => all.max().unwrap() as f64,
                            "count" => units.len() as f64,
                            _ => {
                                let latest = units.iter().map(|(day, _)| *day).max().unwrap();
                                units.iter().rfind(|(day, _)| *day == latest).unwrap().1 as f64
                            }
                        };
                        (key.clone(), (made * 1e6).round() as i64)
                    })
                    .collect();
                let found = pair.rows(pair.target, &["Region", "Product"], "Value").await;
                // The test's own reading of JSON may be off in the last digit.
                let rounded = |number: f64| (number * 1e6).round() as i64;
                let found: BTreeMap<String, i64> =
                    found.into_iter().map(|(k, v)| (k, rounded(v.as_f64().unwrap()))).collect();
                assert_eq!(found, expected, "{aggregate}, round {round}");
            }
        }
    }

    async fn what_cannot_be_is_refused_at_its_field(world: World) {
        let pair = sales(&world).await;
        let first = |errors: Vec<(String, String)>| errors.into_iter().next().unwrap();
        let (field, said) = first(pair.wrong(json!({"source_block_id": pair.target})).await);
        assert_eq!((field.as_str(), said.as_str()), ("source_block_id", "A Block cannot feed itself. Choose another Block."));
        let (field, said) = first(pair.wrong(json!({"source_block_id": 9_999})).await);
        assert_eq!((field.as_str(), said.as_str()), ("source_block_id", "There is no such Block, or you may not view its Application."));
        // A dimension of the target that nothing fills; a dimension of the source that has no place.
        let units = json!({"from": "Units", "to": "Value", "aggregate": "sum"});
        let (field, said) = first(pair.wrong(json!({"mapping": [{"from": "Region", "to": "Region"}, units]})).await);
        assert_eq!(field, "mapping");
        assert!(said.contains("Nothing fills \"Product\""), "{said}");
        let all = |last: Value| json!({"mapping": [{"from": "Region", "to": "Region"}, {"from": "Product", "to": "Product"}, last]});
        let (field, said) = first(pair.wrong(all(json!({"from": "Units", "to": "Value"}))).await);
        assert_eq!(field, "mapping[2].aggregate");
        assert_eq!(said, "Choose how the values of \"Units\" are combined, such as sum: 2 key columns of the source have no place in \"Plan\".");
        let (field, said) = first(pair.wrong(all(json!({"from": "Scenario", "to": "Value", "aggregate": "sum"}))).await);
        assert_eq!(field, "mapping[2].aggregate");
        assert_eq!(said, "Sum cannot be made of \"Scenario\", which is of type text. Count or Last can be made of any column.");
        let (field, said) = first(pair.wrong(all(json!({"from": "Scenario", "to": "Value"}))).await);
        assert_eq!(field, "mapping[2].from");
        assert!(said.contains("is of type text, and \"Value\" of type number"), "{said}");
        let (field, _) = first(pair.wrong(all(json!({"from": "Gone", "to": "Value", "aggregate": "sum"}))).await);
        assert_eq!(field, "mapping[2].from");
        let key = json!({"mapping": [{"from": "Region", "to": "Region"}, {"from": "Product", "to": "Product", "aggregate": "max"}, units]});
        assert_eq!(first(pair.wrong(key).await).0, "mapping[1].aggregate");
        // Filters.
        let filtered = |filter: Value| json!({"mapping": by("sum"), "source": {"filter": [filter]}});
        for (filter, field) in [
            (json!({"column": "Region", "items": []}), "source.filter[0].items"),
            (json!({"column": "Nowhere", "items": ["x"]}), "source.filter[0].column"),
            (json!({"column": "Day", "items": ["soon"]}), "source.filter[0].items"),
        ] {
            assert_eq!(first(pair.wrong(filtered(filter)).await).0, field);
        }
        let file = json!({"mapping": by("sum"), "source": {"path": "a.csv"}});
        assert_eq!(first(pair.wrong(file).await).0, "source.path");
        // And nothing of it where no Block is the source.
        let wrong = pair.wrong(json!({"source_block_id": null, "mapping": by("sum"),
            "source": {"filter": [{"column": "Region", "items": ["x"]}]}})).await;
        let fields: Vec<&str> = wrong.iter().map(|(field, _)| field.as_str()).collect();
        assert_eq!(fields, ["source.filter", "mapping[2].aggregate"]);
        // In use, the source is not deleted.
        let import = pair.import("Sum", json!({"mapping": by("sum")})).await;
        let kept = pair.olive.delete(&format!("blocks/{}", pair.source)).await;
        assert!(kept.is(409).body.contains("Sum"), "{}", kept.body);
        let shown = pair.olive.get(&format!("import-configurations/{import}")).await;
        assert_eq!(shown.json["needs_file"], false);
        assert_eq!(shown.json["source_block_id"], pair.source);
        assert_eq!(shown.json["source"]["format"], "rows");
        assert_eq!(shown.json["mapping"][2]["aggregate"], "sum");
        // From a Block to a file given by hand, and back.
        let change = json!({"source_block_id": null, "mapping": null});
        let changed = pair.olive.patch(&format!("import-configurations/{import}"), change).await;
        assert_eq!((&changed.is(200).json["needs_file"], &changed.json["source"]["format"]), (&json!(true), &json!("csv")));
        let change = json!({"source_block_id": pair.source, "mapping": by("max")});
        let changed = pair.olive.patch(&format!("import-configurations/{import}"), change).await;
        assert_eq!(changed.is(200).json["source"]["format"], "rows");
    }

    async fn lists_feed_lists_and_blanks_overwrite_nothing(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([column("Code", "text", true), column("Name", "text", false), column("Seats", "integer", false)]);
        let source = block(&olive, &here, "Planes", "dimension_list", columns).await;
        let columns = json!([column("Code", "text", true), column("Name", "text", false), column("Seats", "number", false),
            column("From", "text", false)]);
        let target = block(&olive, &here, "Fleet", "transaction_list", columns).await;
        let pair = Pair { olive, here, source, target };
        let mapping = json!([{"from": "Code", "to": "Code"}, {"from": "Name", "to": "Name"}, {"from": "Seats", "to": "Seats"},
            {"constant": "it's planes", "to": "From"}]);
        load(&world, &pair, source, "Code,Name,Seats\nA,Anna,1\nB,,9007199254740993\nC,Cleo,\n".into()).await;
        let append = pair.import("Append", json!({"mode": "append", "mapping": mapping})).await;
        let ended = pair.run(&world, append).await;
        let result = ended.result.unwrap();
        assert_eq!((ended.status, result.read, result.added, result.rejected), (RunStatus::Partial, 3, 2, 1));
        let mut csv = Vec::new();
        tidegate::applications::blocks::rejects::write_csv(&world.app().blocks, ended.id, &mut csv).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert!(csv.starts_with("Code,Name,Seats,From,tidegate_line,tidegate_reason\n"), "{csv}");
        assert!(csv.contains("more digits than a column of type number can hold"), "{csv}");
        assert_eq!(pair.run(&world, append).await.status, RunStatus::Failed, "the keys are there already");

        load(&world, &pair, source, "Code,Name,Seats\nA,,2\nC,Clea,\nD,,\n".into()).await;
        let update = pair.import("Update", json!({"mode": "update", "mapping": mapping})).await;
        let result = pair.run(&world, update).await.result.unwrap();
        assert_eq!((result.added, result.changed, result.unchanged), (1, 2, 0));
        assert_eq!(
            json!(pair.values(target).await),
            json!([
                {"Code": "A", "Name": "Anna", "Seats": 2.0, "From": "it's planes"},
                {"Code": "C", "Name": "Clea", "Seats": null, "From": "it's planes"},
                {"Code": "D", "Name": null, "Seats": null, "From": "it's planes"},
            ])
        );
        assert_eq!(pair.run(&world, update).await.result.unwrap().unchanged, 3);

        // By equal names, and a key that is empty or comes twice.
        let columns = json!([column("Name", "text", true), column("Seats", "integer", false)]);
        let by_name = block(&pair.olive, &pair.here, "Names", "dimension_list", columns).await;
        let pair = Pair { target: by_name, ..pair };
        let (field, said) = pair.wrong(json!({})).await.into_iter().next().unwrap();
        assert_eq!(field, "mapping");
        assert!(said.contains("Choose how the values of \"Seats\" are combined"), "{said}");
        load(&world, &pair, source, "Code,Name,Seats\nA,One,2\nB,,1\nC,One,3\n".into()).await;
        let import = pair.import("Sum", json!({"rejects": {"load_good": true}, "mapping": [
            {"from": "Name", "to": "Name"}, {"from": "Seats", "to": "Seats", "aggregate": "sum"}]})).await;
        let ended = pair.run(&world, import).await;
        let result = ended.result.unwrap();
        assert_eq!((ended.status, result.added, result.rejected), (RunStatus::Partial, 1, 1));
        assert_eq!(pair.rows(by_name, &["Name"], "Seats").await, BTreeMap::from([("One".to_owned(), json!(5))]));
        // What is too large for an integer is said, and nothing is loaded.
        load(&world, &pair, source, format!("Code,Name,Seats\nA,One,{}\nC,One,3\n", i64::MAX)).await;
        let ended = pair.run(&world, import).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert!(ended.cause.as_ref().unwrap().contains("too large for its column"), "{:?}", ended.cause);
    }

    async fn it_is_scheduled_and_takes_the_rights_of_its_owner(world: World) {
        let pair = sales(&world).await;
        load(&world, &pair, pair.source, "Day,Region,Product,Scenario,Units\n2026-02-01,North,1,actual,5\n".into()).await;
        let ada = world.api(&world.ada).await;
        let other = ada.make("applications", json!({"name": "Sandbox", "time_zone": "Europe/Paris"})).await;
        let columns = json!([column("Region", "text", true), column("Product", "integer", true), column("Value", "number", false)]);
        let foreign = block(&ada, &format!("applications/{other}"), "Foreign", "metric", columns).await;
        let elsewhere = Pair { source: foreign, olive: world.api(&world.olive).await, here: pair.here.clone(), target: pair.target };
        let (field, _) = elsewhere.wrong(json!({})).await.into_iter().next().unwrap();
        assert_eq!(field, "source_block_id", "she may not view it");
        let access = format!("applications/{other}/access/{}", world.olive.id);
        ada.put(&access, json!({"view": true})).await.is(200);
        let import = elsewhere.import("From elsewhere", json!({})).await;
        let begun = elsewhere.run(&world, import).await;
        assert_eq!(begun.status, RunStatus::Success, "{:?}", begun.cause);
        ada.delete(&access).await.is(204);
        let ended = elsewhere.run(&world, import).await;
        assert_eq!(ended.status, RunStatus::Failed);
        assert_eq!(ended.cause.as_deref(), Some("Olive, who started it, may not view the Application whose Block feeds this import."));
        // What she could once choose stays chosen while she edits something else.
        pair.olive.patch(&format!("import-configurations/{import}"), json!({"name": "Still"})).await.is(200);
        // But nothing else is taken from what she may not view.
        let more = json!({"source": {"filter": [{"column": "Region", "items": ["North"]}]}});
        let refused = pair.olive.patch(&format!("import-configurations/{import}"), more).await;
        assert_eq!(refused.wrong_fields(), ["source_block_id"]);

        let import = pair.import("Sum", json!({"mapping": by("sum")})).await;
        let rule = json!({"configuration_id": import, "repeat": "days", "start_date": "2026-11-26", "start_time": "03:00",
            "time_zone": "Europe/Paris"});
        let schedule = pair.olive.post(&format!("{}/schedules", pair.here), rule).await;
        schedule.is(201);
        let next = crate::support::world::moment(schedule.json["next_at"].as_str().unwrap());
        world.clock().set(next);
        world.step(dispatcher::step).await;
        work_off(&world).await;
        let last = runs(&world).await.pop().unwrap();
        let last = run(&world, last.id).await;
        assert_eq!((last.status, last.schedule_id), (RunStatus::Success, Some(schedule.id())));
        assert_eq!(pair.rows(pair.target, &["Region", "Product"], "Value").await, BTreeMap::from([("North 1".to_owned(), json!(5.0))]));
    }

    async fn the_wizard_leads_from_a_block_to_a_block(world: World) {
        let pair = sales(&world).await;
        let csv = "Day,Region,Product,Scenario,Units\n2026-02-01,North,1,actual,5\n2026-02-02,North,1,plan,7\n";
        load(&world, &pair, pair.source, csv.into()).await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-configurations/new", world.application)).await;
        olive.choose("Source", "A Block whose rows are copied, filtered or added up").press("Preview").await;
        olive.answered(422).sees("Choose the Block that the rows come from.");
        olive.choose("Block", "Sales (Metric)").press("Preview").await;
        olive.answered(200).sees("the Block Sales").sees("2026-02-02").sees_no("Delimiter");
        olive.choose("Block", "Plan").press("Map the columns").await;
        olive.answered(200).sees("Only some rows");
        olive.choose("Value is filled from", "Units").press("Save and choose when").await;
        olive.answered(422).sees("Choose how the values of “Units” are combined".replace(['“', '”'], "\"").as_str());
        olive.choose("Several values of Value become", "Sum").fill("Scenario", "actual\nelse\n");
        olive.choose("Mode", "Replace all Replaces all existing rows").press("Save and choose when").await;
        olive.answered(200).sees("The Block Sales into Plan, mode Replace all.");
        let listed = pair.olive.get(&format!("{}/import-configurations", pair.here)).await;
        let import = listed.items().iter().find(|import| !import["source_block_id"].is_null()).unwrap().clone();
        assert_eq!(import["source"]["filter"], json!([{"column": "Scenario", "items": ["actual", "else"]}]));
        assert_eq!(import["mapping"][2]["aggregate"], "sum");
        let ended = pair.run(&world, import["id"].as_i64().unwrap()).await;
        assert_eq!(ended.status, RunStatus::Success);
        assert_eq!(pair.rows(pair.target, &["Region"], "Value").await, BTreeMap::from([("North".to_owned(), json!(5.0))]));

        let page = format!("/applications/{}/settings/import-configurations/{}", world.application, import["id"]);
        olive.visit(&page).await;
        assert_eq!(olive.value("From"), format!("block:{}", pair.source));
        assert_eq!((olive.value("Several values of Value become"), olive.value("Scenario").replace("\r\n", "\n")), ("sum".into(), "actual\nelse".into()));
        olive.press("Show first rows").await;
        olive.answered(200);
        olive.fill("Scenario", "").press("Save import configuration").await;
        olive.answered(200).sees("Its next run uses the new version.");
        let saved = pair.olive.get(&format!("import-configurations/{}", import["id"])).await;
        assert_eq!((&saved.json["source"]["filter"], &saved.json["source_block_id"]), (&json!(null), &json!(pair.source)));
        // It stands beside Connections' in the dialog of a schedule.
        olive.visit(&format!("/applications/{}/schedules/new?configuration={}", world.application, import["id"])).await;
        olive.answered(200);
        assert!(olive.count(&format!("option[value='{}'][selected]", import["id"])) > 0);
        let summary = format!("/runs/{}", ended.id);
        olive.visit(&summary).await;
        olive.answered(200).sees("1 row from Sales.");
    }
}

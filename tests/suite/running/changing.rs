//! What mappings do to cells, as people ask for it: by API, from a Block as from a file; what is refused at its field;
//! rejected rows put right with one click; what a translation table is used for.

use reqwest::Method;
use serde_json::{Value, json};

use super::*;
use crate::support::api::{Api, Reply};

async fn block(api: &Api, here: &str, name: &str, kind: &str, columns: Value) -> i64 {
    api.make(&format!("{here}/blocks"), json!({"name": name, "kind": kind, "columns": columns})).await
}

async fn give(world: &World, api: &Api, import: i64, csv: &str) -> Run {
    let files = format!("import-configurations/{import}/files?name=rows.csv");
    let begun = Reply::of(api.request(Method::POST, &files).body(csv.to_owned())).await.is(202).id();
    work_off(world).await;
    run(world, begun).await
}

async fn start(world: &World, api: &Api, import: i64) -> Run {
    let begun = api.post(&format!("import-configurations/{import}/runs"), json!({})).await.is(202).id();
    work_off(world).await;
    run(world, begun).await
}

async fn values(api: &Api, block: i64) -> Vec<Value> {
    let reply = api.get(&format!("blocks/{block}/rows?limit=200")).await;
    reply.is(200).items().iter().map(|row| row["values"].clone()).collect()
}

on_both! {
    /// A file goes through the program, a Block through the database: both make the same of the same cells.
    async fn a_block_changes_its_cells_as_a_file_does(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let days = json!([
            {"name": "N", "type": "integer", "key": true}, {"name": "Day", "type": "date"},
            {"name": "Amount", "type": "number"}, {"name": "Units", "type": "integer"},
        ]);
        let source = block(&olive, &here, "Days", "transaction_list", days).await;
        let made = json!([
            {"name": "N", "type": "integer", "key": true}, {"name": "First", "type": "date"},
            {"name": "Called", "type": "text"}, {"name": "Amount", "type": "number"}, {"name": "Units", "type": "integer"},
        ]);
        let by_file = block(&olive, &here, "By file", "transaction_list", made.clone()).await;
        let by_block = block(&olive, &here, "By Block", "transaction_list", made).await;
        let mut csv = "N,Day,Amount,Units\n".to_owned();
        let dates = ["0001-12-31", "0999-03-04", "1969-12-29", "1970-01-01", "2023-12-31", "2024-02-29", "2026-03-31",
            "2026-04-01", "2027-01-01", "9999-12-31", ""];
        for (n, day) in dates.iter().enumerate() {
            csv += &format!("{n},{day},{},{}\n", n as f64 - 2.5, if n == 3 { String::new() } else { n.to_string() });
        }
        let guard = json!({"max_drop_percent": null});
        let imports = format!("{here}/import-configurations");
        let import = |name: &str, block: i64, more: Value| {
            let mut body = json!({"name": name, "block_id": block, "mode": "replace", "guard": guard});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            olive.make(&imports, body)
        };
        let fill = import("Fill", source, json!({})).await;
        assert_eq!(give(&world, &olive, fill, &csv).await.status, RunStatus::Success);
        let from_file = import("From file", by_file, json!({})).await;
        let from_block = import("From Block", by_block, json!({"source_block_id": source, "mapping": [{"from": "N", "to": "N"}]})).await;
        for unit in ["day", "week", "month", "quarter", "year"] {
            for begins in [1, 4, 12] {
                let mut period = json!({"from": "Day", "to": "First", "period": unit, "default": "2000-01-01"});
                if matches!(unit, "quarter" | "year") && begins != 1 {
                    period["year_begins"] = json!(begins);
                } else if begins != 1 {
                    continue;
                }
                let mut called = period.clone();
                called["to"] = json!("Called");
                called.as_object_mut().unwrap().remove("default");
                let mapping = json!({"mapping": [
                    {"from": "N", "to": "N"}, period, called,
                    {"from": "Amount", "to": "Amount", "negate": true},
                    {"from": "Units", "to": "Units", "negate": true, "default": "-7"},
                ]});
                for import in [from_file, from_block] {
                    olive.patch(&format!("import-configurations/{import}"), mapping.clone()).await.is(200);
                }
                let file = give(&world, &olive, from_file, &csv).await;
                assert_eq!(file.status, RunStatus::Success, "{unit} {begins}: {:?}", file.cause);
                let fed = start(&world, &olive, from_block).await;
                assert_eq!(fed.status, RunStatus::Success, "{unit} {begins}: {:?}", fed.cause);
                assert_eq!(values(&olive, by_block).await, values(&olive, by_file).await, "{unit} {begins}");
            }
        }
    }

    async fn a_metric_by_day_becomes_one_by_month(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = |day: &str| json!([{"name": day, "type": "date", "key": true}, {"name": "Region", "type": "text", "key": true},
            {"name": "Value", "type": "number"}]);
        let source = block(&olive, &here, "Daily", "metric", columns("Day")).await;
        let target = block(&olive, &here, "Monthly", "metric", columns("Month")).await;
        let fill = olive.make(&format!("{here}/import-configurations"), json!({"name": "Fill", "block_id": source, "mode": "append"})).await;
        give(&world, &olive, fill, "Day,Region,Value\n2026-01-01,N,1\n2026-01-31,N,2\n2026-02-01,N,4\n2026-02-02,S,8\n").await;
        let body = json!({"name": "By month", "block_id": target, "source_block_id": source, "mode": "replace_scope", "scope": ["Month"],
            "mapping": [{"from": "Day", "to": "Month", "period": "month"}, {"from": "Region", "to": "Region"}, {"from": "Value", "to": "Value"}]});
        let refused = olive.post(&format!("{here}/import-configurations"), body.clone()).await;
        assert_eq!(refused.is(422).wrong_fields(), ["mapping[2].aggregate"], "several days become one month");
        let mut body = body;
        body["mapping"][2]["aggregate"] = json!("sum");
        let import = olive.make(&format!("{here}/import-configurations"), body).await;
        let ended = start(&world, &olive, import).await;
        assert_eq!(ended.status, RunStatus::Success, "{:?}", ended.cause);
        let sums: Vec<(Value, Value, Value)> = values(&olive, target).await.into_iter()
            .map(|row| (row["Month"].clone(), row["Region"].clone(), row["Value"].clone())).collect();
        let sum = |month: &str, region: &str, value: f64| (json!(month), json!(region), json!(value));
        assert_eq!(sums, [sum("2026-01-01", "N", 3.0), sum("2026-02-01", "N", 4.0), sum("2026-02-01", "S", 8.0)]);
        // Last is that of the latest day in the month.
        let last = json!({"mapping": [{"from": "Day", "to": "Month", "period": "month"}, {"from": "Region", "to": "Region"},
            {"from": "Value", "to": "Value", "aggregate": "last"}]});
        olive.patch(&format!("import-configurations/{import}"), last).await.is(200);
        start(&world, &olive, import).await;
        let found = values(&olive, target).await;
        assert_eq!(found[0]["Value"], 2.0, "{found:?}");
    }

    async fn what_cannot_be_done_to_a_cell_is_refused_at_its_field(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let columns = json!([{"name": "Code", "type": "text", "key": true}, {"name": "Size", "type": "integer"},
            {"name": "Day", "type": "date"}, {"name": "Seen", "type": "timestamp"}]);
        let target = block(&olive, &here, "Things", "dimension_list", columns).await;
        let code = json!({"from": "Code", "to": "Code"});
        for (line, field) in [
            (json!({"from": "a", "to": "Size", "period": "month"}), "period"),
            (json!({"from": "a", "to": "Seen", "period": "month"}), "period"),
            (json!({"from": "a", "to": "Day", "period": "month", "year_begins": 4}), "year_begins"),
            (json!({"from": "a", "to": "Day", "period": "decade"}), "period"),
            (json!({"from": "a", "to": "Day", "period": "year", "year_begins": 13}), "year_begins"),
            (json!({"from": "a", "to": "Day", "negate": true}), "negate"),
            (json!({"from": "a", "to": "Size", "default": "many"}), "default"),
            (json!({"from": "a", "to": "Size", "case": "loud"}), "case"),
            (json!({"from": "a", "to": "Size", "translate": 999}), "translate"),
            (json!({"constant": "1", "to": "Size", "negate": true}), "negate"),
            (json!({"loaded_at": true, "to": "Size"}), "loaded_at"),
            (json!({"loaded_at": true, "from": "a", "to": "Seen"}), "from"),
            (json!({"loaded_at": false, "to": "Seen"}), "from"),
            (json!({"join": [], "to": "Size"}), "join"),
            (json!({"join": [{"text": "x"}], "to": "Size"}), "join"),
            (json!({"join": [{"from": "a", "text": "x"}], "to": "Size"}), "join[0].from"),
            (json!({"join": (0..11).map(|_| json!({"from": "a"})).collect::<Vec<_>>(), "to": "Size"}), "join"),
        ] {
            let body = json!({"name": "Wrong", "block_id": target, "mode": "append", "mapping": [code, line]});
            let reply = olive.post(&format!("{here}/import-configurations"), body).await;
            assert_eq!(reply.is(422).wrong_fields(), [format!("mapping[1].{field}")], "{line}: {}", reply.body);
        }
        for (more, field) in [
            (json!({"mode": "replace_scope"}), "scope"),
            (json!({"mode": "replace_scope", "scope": []}), "scope"),
            (json!({"mode": "replace_scope", "scope": ["Nowhere"]}), "scope"),
            (json!({"mode": "replace_scope", "scope": ["Day", "day"]}), "scope"),
            (json!({"mode": "replace_scope", "scope": ["Day"], "mapping": [code]}), "scope"),
            (json!({"mode": "append", "scope": ["Day"]}), "scope"),
            (json!({"mode": "append", "scope": "Day"}), "scope"),
        ] {
            let mut body = json!({"name": "Wrong", "block_id": target});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            let reply = olive.post(&format!("{here}/import-configurations"), body).await;
            assert_eq!(reply.is(422).wrong_fields(), [field], "{more}: {}", reply.body);
        }
        // A list whose items a name alone does not make.
        let strict = json!([{"name": "Code", "type": "text", "key": true}, {"name": "Name", "type": "text", "required": true}]);
        let list = block(&olive, &here, "Strict", "dimension_list", strict).await;
        let lines = json!([{"name": "Of", "type": "dimension", "dimension_block_id": list}]);
        let lines = block(&olive, &here, "Lines", "transaction_list", lines).await;
        let body = json!({"name": "Wrong", "block_id": lines, "mode": "append", "unknown_items": "create"});
        let reply = olive.post(&format!("{here}/import-configurations"), body).await;
        assert_eq!(reply.is(422).wrong_fields(), ["unknown_items"]);
        assert!(reply.body.contains("must have a value in \\\"Name\\\""), "{}", reply.body);
    }

    async fn rejected_values_are_put_right_from_the_summary(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let list = json!([{"name": "Code", "type": "text", "key": true}, {"name": "Name", "type": "text"}]);
        let list = block(&olive, &here, "Cost centres", "dimension_list", list).await;
        let lines = json!([{"name": "Centre", "type": "dimension", "dimension_block_id": list}, {"name": "Amount", "type": "integer"}]);
        let lines = block(&olive, &here, "Orders", "transaction_list", lines).await;
        let imports = format!("{here}/import-configurations");
        let fill = olive.make(&imports, json!({"name": "Centres", "block_id": list, "mode": "append"})).await;
        give(&world, &olive, fill, "Code,Name\nCC-9910,Marketing\n").await;
        std::fs::write(world.folder().join("orders.csv"), "Centre,Amount\nCC-9910,1\nCC-9914,2\nCC-9915,3\n").unwrap();
        let ada = world.api(&world.ada).await;
        let folder = json!({"name": "Orders", "kind": "folder", "settings": {"path": world.folder(), "quiet_seconds": 0},
            "application_ids": [world.application]});
        let connection = ada.make("connections", folder).await;
        let body = json!({"name": "Orders", "block_id": lines, "connection_id": connection, "mode": "append", "source": {"path": "orders.csv"}});
        let import = olive.make(&imports, body).await;
        let partial = start(&world, &olive, import).await;
        assert_eq!((partial.status, partial.result.unwrap().rejected), (RunStatus::Partial, 2));

        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/runs/{}", partial.id)).await;
        page.fill("“CC-9914” becomes", "CC-9910").press("Translate “CC-9914” in Centre").await;
        page.sees("“CC-9914” in Centre now becomes “CC-9910”, by the translation table Orders: Centre (Orders)");
        page.sees("“CC-9914” in this column now becomes “CC-9910”");
        let shown = olive.get(&format!("import-configurations/{import}")).await;
        let table = shown.json["mapping"][0]["translate"].as_i64().unwrap();
        let entries = olive.get(&format!("translations/{table}")).await;
        assert_eq!(entries.json["entries"], json!([{"from": "CC-9914", "to": "CC-9910"}]));
        // A table that is used is not deleted, and says by whom.
        assert!(olive.delete(&format!("translations/{table}")).await.is(409).body.contains("Orders"));
        page.press("Create missing items for Centre").await;
        page.sees("Orders now creates items that a Dimension list lacks");
        page.press("Run Again").await;
        work_off(&world).await;
        let found = values(&olive, lines).await;
        let centres: Vec<&str> = found.iter().map(|row| row["Centre"].as_str().unwrap()).collect();
        assert_eq!(centres, ["CC-9910", "CC-9910", "CC-9915"], "no row twice");
        let items: Vec<Value> = values(&olive, list).await.into_iter().map(|row| row["Code"].clone()).collect();
        assert_eq!(items, ["CC-9910", "CC-9915"]);
        // Who may not configure is offered nothing of it, and may not do it.
        let mut ivy = world.browser(&world.ivy).await;
        ivy.visit(&format!("/runs/{}", partial.id)).await;
        ivy.sees_no("becomes");
    }
}

on_both! {
    /// Planes whose year nobody knows: by one click they load without it, or corrected by hand; never twice.
    async fn planes_of_unknown_years_come_back(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let imports = format!("{here}/import-configurations");
        let connection = crate::support::stage::folder_connection(&world, "planes").await;
        std::fs::copy("tests/data/planes.csv", world.folder().join("planes.csv")).unwrap();
        let columns = json!([{"name": "tailnum", "type": "text", "key": true}, {"name": "year", "type": "integer"},
            {"name": "seats", "type": "integer"}]);
        let mapping = json!([{"from": "tailnum", "to": "tailnum"}, {"from": "year", "to": "year"}, {"from": "seats", "to": "seats"}]);
        for (name, clicks) in [("By a click", true), ("By hand", false)] {
            let fleet = block(&olive, &here, name, "dimension_list", columns.clone()).await;
            let body = json!({"name": name, "block_id": fleet, "connection_id": connection, "mode": "append",
                "source": {"path": "planes.csv"}, "mapping": mapping});
            let import = olive.make(&imports, body).await;
            let partial = start(&world, &olive, import).await;
            let result = partial.result.unwrap();
            assert_eq!((partial.status, result.added, result.rejected), (RunStatus::Partial, 3_252, 70));
            let mut page = world.browser(&world.olive).await;
            page.visit(&format!("/runs/{}", partial.id)).await;
            let ended = if clicks {
                page.press("Treat “NA” as empty in year").await;
                page.press("Run Again").await;
                work_off(&world).await;
                run(&world, partial.id + 1).await
            } else {
                let csv = olive.get(&format!("runs/{}/rejected-rows.csv", partial.id)).await.body.clone();
                let corrected = csv.replace(",NA,", ",1999,");
                let files = format!("runs/{}/files?name=rows.csv", partial.id);
                let begun = Reply::of(olive.request(Method::POST, &files).body(corrected)).await.is(202).id();
                work_off(&world).await;
                run(&world, begun).await
            };
            let result = ended.result.unwrap();
            assert_eq!((ended.status, result.rejected), (RunStatus::Success, 0), "{name}: {:?}", ended.cause);
            assert_eq!(crate::support::stage::rows(&world, fleet), 3_322, "{name}");
        }
    }
}

on_both! {
    /// Of two lines that read a column the one that rejects is translated, as its table is asked: after trim and case.
    async fn a_value_is_put_right_where_it_is_wrong(world: World) {
        let olive = world.api(&world.olive).await;
        let here = format!("applications/{}", world.application);
        let imports = format!("{here}/import-configurations");
        let list = json!([{"name": "Code", "type": "text", "key": true}]);
        let list = block(&olive, &here, "Regions", "dimension_list", list).await;
        let fill = olive.make(&imports, json!({"name": "Regions", "block_id": list, "mode": "append"})).await;
        give(&world, &olive, fill, "Code\nNORTH\nSOUTH\n").await;
        let columns = json!([{"name": "As delivered", "type": "text"}, {"name": "Region", "type": "dimension", "dimension_block_id": list}]);
        let lines = block(&olive, &here, "Lines", "transaction_list", columns).await;
        let table = olive.make(&format!("{here}/translations"),
            json!({"name": "Regions", "entries": [{"from": "N", "to": "NRD"}, {"from": "S", "to": "SOUTH"}]})).await;
        let connection = crate::support::stage::folder_connection(&world, "lines").await;
        std::fs::write(world.folder().join("lines.csv"), "Region\n n \ns\n").unwrap();
        let body = json!({"name": "Lines", "block_id": lines, "connection_id": connection, "mode": "append", "source": {"path": "lines.csv"},
            "mapping": [{"from": "Region", "to": "As delivered"},
                {"from": "Region", "to": "Region", "trim": true, "case": "upper", "translate": table}]});
        let import = olive.make(&imports, body).await;
        let partial = start(&world, &olive, import).await;
        assert_eq!((partial.status, partial.result.unwrap().rejected), (RunStatus::Partial, 1));
        let mut page = world.browser(&world.olive).await;
        page.visit(&format!("/runs/{}", partial.id)).await;
        page.fill("“NRD” becomes", "NORTH").press("Translate “NRD” in Region").await;
        page.sees("by the translation table Regions");
        let entries = olive.get(&format!("translations/{table}")).await.json["entries"].clone();
        assert_eq!(entries, json!([{"from": "N", "to": "NORTH"}, {"from": "NRD", "to": "NORTH"}, {"from": "S", "to": "SOUTH"}]));
        let mapping = olive.get(&format!("import-configurations/{import}")).await.json["mapping"].clone();
        assert_eq!((&mapping[0]["translate"], &mapping[1]["translate"]), (&json!(null), &json!(table)));
        page.press("Run Again").await;
        work_off(&world).await;
        let found: Vec<Value> = values(&olive, lines).await.into_iter().map(|row| row["Region"].clone()).collect();
        assert_eq!(found, ["NORTH", "SOUTH"]);
    }
}

//! Parameters of import configurations from the API to the Block: declared, given, settled and used; and secrets, which
//! nobody sees again.

mod forms;
mod sealed;
mod settled;
mod used;

use serde_json::{Value, json};

use crate::running::{run, work_off};
use crate::support::World;
use crate::support::api::Api;
use crate::support::stage::{block, connection};
use tidegate::runs::Run;

/// An SQLite file of employees, the Connection to it, and a Block of `id` and `word`.
pub struct Employees {
    pub olive: Api,
    pub here: String,
    block: i64,
    connection: i64,
}

pub async fn employees(world: &World) -> Employees {
    let file = world.folder().join("hr.db");
    crate::connectors::sqlite::run_sql(
        &file,
        "CREATE TABLE staff (id, word, grp); INSERT INTO staff VALUES (1, 'Ann', 'Hourly'), (2, 'Bob', 'Seasonal'), \
         (3, 'Cid', 'Interns'), (4, 'Dee', 'It''s')",
    );
    let path = file.canonicalize().unwrap();
    Employees {
        olive: world.api(&world.olive).await,
        here: format!("applications/{}", world.application),
        block: block(world, "staff").await,
        connection: connection(world, "HR", "sqlite", json!({ "path": path })).await,
    }
}

impl Employees {
    pub async fn import(&self, query: &str, parameters: Value) -> i64 {
        let body = json!({"name": format!("Staff {}", query.len()), "block_id": self.block, "connection_id": self.connection,
            "source": {"query": query}, "mode": "replace", "guard": {"max_drop_percent": null}, "parameters": parameters});
        self.olive.make(&format!("{}/import-configurations", self.here), body).await
    }

    async fn words(&self, world: &World) -> Vec<String> {
        let rows = world.api(&world.olive).await.get(&format!("blocks/{}/rows", self.block)).await;
        rows.items().iter().map(|row| row["values"]["word"].as_str().unwrap_or_default().to_owned()).collect()
    }
}

/// Runs an import by hand with these values; the run when it has ended.
async fn run_with(world: &World, api: &Api, import: i64, values: Value) -> Run {
    let begun = api.post(&format!("import-configurations/{import}/runs"), json!({ "parameters": values })).await;
    let id = begun.is(202).id();
    work_off(world).await;
    run(world, id).await
}

/// The days of a text block that a constant wrote.
pub fn groups() -> Value {
    json!({"name": "groups", "type": "choices", "label": "Employee groups to exclude",
        "choices": ["Hourly", "Seasonal", "Interns", "It's"]})
}

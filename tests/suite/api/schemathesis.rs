//! schemathesis reads the OpenAPI document and asks for everything in it, rightly and wrongly: nothing may end in a
//! fault of ours or in an answer that the document does not know. What is right by the document may still be refused
//! (a name that is taken, a Connection that is not there), so that one of its checks is left out.

use std::process::Command;

use serde_json::json;

use super::{weekly, words};
use crate::support::{World, settings};

on_both! {
    async fn what_the_document_says_is_true(world: World) {
        let Some(program) = settings::schemathesis() else {
            println!("schemathesis is not installed (TIDEGATE_TEST_SCHEMATHESIS); this test says nothing");
            return;
        };
        let stage = words(&world).await;
        let ada = world.api(&world.ada).await;
        ada.make(&format!("applications/{}/schedules", world.application), weekly(stage.configuration)).await;
        ada.post(&format!("import-configurations/{}/runs", stage.configuration), json!({})).await.is(202);
        let freeze = json!({"name": "Close", "from": "2026-12-31T17:00:00Z", "to": "2027-01-04T05:00:00Z"});
        ada.make(&format!("applications/{}/freezes", world.application), freeze).await;
        ada.make(&format!("applications/{}/translations", world.application), json!({"name": "T"})).await;
        let set = json!({"name": "Month end", "steps": [{"configuration_id": stage.configuration}]});
        ada.make(&format!("applications/{}/import-sets", world.application), set).await;
        let folder = tempfile::tempdir().unwrap();
        let document = folder.path().join("openapi.json");
        std::fs::write(&document, ada.get("openapi.json").await.is(200).body.as_bytes()).unwrap();
        let (seconds, examples) = if settings::full() { ("300", "200") } else { ("25", "4") };
        // The bounded twin asks the same questions each time; other ones come with --full.
        let seed = if settings::full() { settings::seed() } else { 7 };
        let mut asked = Command::new(program);
        asked
            .current_dir(folder.path())
            .args(["run", document.to_str().unwrap(), "--url", &format!("{}/api/v1", world.at())])
            .args(["--header", &format!("Authorization: Bearer {}", ada.token())])
            .args(["--checks", "all", "--exclude-checks", "positive_data_acceptance"])
            .args(["--phases", "examples,coverage,fuzzing", "--max-time", seconds, "--max-examples", examples])
            .args(["--seed", &seed.to_string(), "--no-shrink", "--continue-on-failure"])
            .args(["--warnings", "off", "--no-color"]);
        let asked = tokio::task::spawn_blocking(move || asked.output()).await.unwrap().unwrap();
        let said = String::from_utf8_lossy(&asked.stdout);
        assert!(said.contains("Tested: "), "{said}");
        assert!(asked.status.success(), "{said}{}", String::from_utf8_lossy(&asked.stderr));
    }
}

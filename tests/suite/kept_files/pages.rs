//! The pages of kept files, and the controls that ask for one.

use super::*;

fn page(world: &World) -> String {
    format!("/applications/{}/settings/kept-files", world.application)
}

on_both! {
    async fn a_file_is_kept_and_replaced_on_its_page(world: World) {
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&page(&world)).await.sees("No kept files yet");
        olive.press("Keep this file").await.answered(422).sees("Choose the file to keep.");
        olive.attach("File to keep", "returns.csv", "id,word\n1,one\n").press("Keep this file").await;
        olive.answered(200).sees("“returns.csv” is kept.").sees("14 bytes");
        olive.follow("returns.csv").await.sees("Version 1, 14 bytes, uploaded by Olive").sees("No schedule and no import set loads it.");
        olive.attach("Replace it with", "returns.csv", "id,word\n1,one\n").press("Replace the file").await;
        olive.answered(200).sees("is this very file already. Nothing changed.");
        olive.attach("Replace it with", "june.csv", "id,word\n1,one\n2,two\n").press("Replace the file").await;
        olive.answered(200).sees("Replaced “returns.csv”. Runs from now on load version 2.").sees("june.csv");
        assert_eq!(olive.count("tbody tr"), 2);
        let path = olive.path();
        let downloaded = olive.get(&format!("{path}/versions/1")).await;
        assert_eq!((downloaded.status, downloaded.body.as_str()), (200, "id,word\n1,one\n"));
        assert!(downloaded.header("Content-Disposition").contains("returns.csv"), "{}", downloaded.header("Content-Disposition"));
        assert_eq!(olive.get(&format!("{path}/versions/9")).await.status, 404);
        for (person, status) in [(&world.mo, 403), (&world.stranger, 404), (&world.audrey, 403)] {
            let other = world.browser(person).await;
            assert_eq!(other.get(&format!("{path}/versions/1")).await.status, status, "{}", person.name);
        }
        let mut audrey = world.browser(&world.audrey).await;
        audrey.visit(&path).await.sees("Version 2").sees_no("Replace the file").sees_no("Delete");
        olive.visit(&path).await.follow("Delete").await.sees("Delete the kept file “returns.csv”?");
        olive.press("Delete file").await.sees("Deleted the kept file “returns.csv”.").sees("No kept files yet");
    }

    async fn the_schedules_form_asks_for_a_kept_file(world: World) {
        world.set_clock("2026-05-31T12:00:00Z");
        let stage = by_hand(&world, "returns", Mode::Replace).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let mut olive = world.browser(&world.olive).await;
        let list = format!("/applications/{}/settings/import-scheduling", world.application);
        olive.visit(&list).await.sees("Run with a file");
        olive.visit(&format!("/applications/{}/schedules/new?configuration={}", world.application, stage.configuration)).await;
        olive.press("Schedule Import").await.answered(422).sees("returns takes a file for each run.");
        olive.choose("Kept file", "returns.csv (14 bytes, version 1)").press("Schedule Import").await.answered(200);
        let api = world.api(&world.olive).await;
        let schedules = api.get(&format!("applications/{}/schedules", world.application)).await;
        assert_eq!(schedules.items()[0]["parameters"], json!({"file": file}));
        // Edited, it shows what it has.
        let id = schedules.items()[0]["id"].as_i64().unwrap();
        olive.visit(&format!("/applications/{}/schedules/{id}/edit", world.application)).await;
        assert_eq!(olive.value("Kept file"), file.to_string());
        olive.visit(&format!("{}/{file}", page(&world))).await.sees("one of Olive for returns");
    }

    /// As scripts do it: the answer is the control itself.
    async fn a_form_keeps_a_file_without_leaving_it(world: World) {
        let olive = world.browser(&world.olive).await;
        let send = |name: &'static str, content: &'static str| {
            let part = reqwest::multipart::Part::bytes(content.as_bytes()).file_name(name);
            let form = reqwest::multipart::Form::new().part("file", part);
            let request = olive.request(Method::POST, &format!("{}/files?field=2.parameters.file", page(&world)));
            request.header("HX-Request", "true").header("X-CSRF-Token", olive.token()).multipart(form)
        };
        let answer = send("stores.csv", "id,word\n").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let text = answer.text().await.unwrap();
        assert!(text.contains("name=\"2.parameters.file\"") && text.contains("stores.csv") && text.contains(" selected>"), "{text}");
        let refused = send("stores.csv", "").send().await.unwrap();
        assert_eq!(refused.status(), 422);
        let text = refused.text().await.unwrap();
        assert!(text.contains("The file is empty.") && text.contains("name=\"2.parameters.file\""), "{text}");
        assert!(!text.contains("<html"), "{text}");
    }

    async fn a_step_is_given_its_values_on_a_page_of_its_own(world: World) {
        by_hand(&world, "returns", Mode::Replace).await;
        let file = keep(&world, "returns.csv", "id,word\n1,one\n").await;
        let mut olive = world.browser(&world.olive).await;
        olive.visit(&format!("/applications/{}/settings/import-sets/new", world.application)).await;
        olive.fill("Name", "Month end").choose("Import configuration to add", "returns (fills returns)").press("Add step").await;
        olive.press("Save import set").await.answered(200);
        olive.follow("Month end").await.sees("No values of its own");
        olive.follow("Change the values of returns").await.sees("Values of step 1");
        olive.choose("Kept file", "returns.csv (14 bytes, version 1)").press("Save values").await.answered(200);
        olive.sees("Saved the values of step 1 of “Month end”.").sees("Kept file: returns.csv");
        let path = olive.path();
        assert_eq!(olive.get(&format!("{path}/steps/2")).await.status, 404);
        for nowhere in ["0", "-1", "-9223372036854775808", "9223372036854775807", "x"] {
            assert_eq!(olive.get(&format!("{path}/steps/{nowhere}")).await.status, 404, "{nowhere}");
        }
        // Without its fields a form says nothing of the values.
        assert_eq!(olive.post(&format!("{path}/steps/1"), &[("version", "2")]).await.status, 422);
        let api = world.api(&world.olive).await;
        let set: i64 = path.rsplit('/').next().unwrap().parse().unwrap();
        let shown = api.get(&format!("import-sets/{set}")).await;
        assert_eq!((&shown.json["steps"][0]["parameters"], &shown.json["version"]), (&json!({"file": file}), &json!(2)));
        // Saving the set from its own page keeps them.
        olive.fill("Name", "Month end close").press("Save import set").await.answered(200);
        assert_eq!(api.get(&format!("import-sets/{set}")).await.json["steps"][0]["parameters"], json!({"file": file}));
        // Who saw an older version is told, and what was chosen stays.
        let stale = olive.post(&format!("{path}/steps/1"), &[("version", "1"), ("parameters", "shown"), ("parameters.file", "")]).await;
        assert_eq!(stale.status, 412);
        let refused = olive.post(&format!("{path}/steps/1"), &[("parameters", "shown"), ("parameters.file", "999")]).await;
        assert!(refused.status == 422 && refused.text().contains("This Application keeps no such file."), "{}", refused.text());
    }
}
